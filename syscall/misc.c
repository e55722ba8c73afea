/* Calls about the system, and the few that fit nowhere else.
 *
 * Owns: uname as the guest sees it, riscv_hwprobe, keyctl's arguments, vectors of futexes.
 *
 * Threading: reentrant.
 */
#include "syscall/sys_int.h"
#include <linux/keyctl.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

_Static_assert(sizeof(struct utsname) == 390, "asm-generic struct new_utsname");
_Static_assert(sizeof(struct sysinfo) == 112, "asm-generic struct sysinfo");

int64_t sys_uname(struct thread *t, const uint64_t *a)
{
    struct utsname u;
    int64_t ret = host_call(SYS_uname, (uintptr_t)&u, 0, 0, 0, 0, 0);

    if (ret < 0)
        return ret;
    memset(u.machine, 0, sizeof u.machine);
    strncpy(u.machine, t->cpu.guest->uname_machine, sizeof u.machine - 1);
    if (process.uname_release) {
        memset(u.release, 0, sizeof u.release);
        strncpy(u.release, process.uname_release, sizeof u.release - 1);
    }
    return mm_write(a[0], &u, sizeof u);
}

/* --- riscv_hwprobe (Documentation/arch/riscv/hwprobe.rst) ------------------------------------------- */

struct hwprobe_pair {
    int64_t key;
    uint64_t value;
};

#define HWPROBE_WHICH_CPUS 1
#define HWPROBE_BASE_BEHAVIOR 3 /* these two keys are bit masks */
#define HWPROBE_IMA_EXT_0 4
#define HWPROBE_MAX_CPUS 8192

static bool mask_is_empty(const uint8_t *mask, unsigned ncpus, size_t size)
{
    for (unsigned i = 0; i < ncpus && i / 8 < size; i++)
        if (mask[i / 8] >> (i % 8) & 1)
            return false;
    return true;
}

/* All processors are alike, so a set of them either stays whole or becomes empty. */
static int64_t hwprobe_which_cpus(const struct guest *g, uint64_t pairs, uint64_t count,
                                  uint64_t size, uint64_t cpus)
{
    unsigned ncpus = sysconf(_SC_NPROCESSORS_CONF);
    uint8_t mask[HWPROBE_MAX_CPUS / 8] = {0};
    bool all = true;

    if (size == 0 || cpus == 0)
        return -EINVAL;
    if (size > sizeof mask)
        size = sizeof mask;
    if (mm_read(mask, cpus, size))
        return -EFAULT;
    if (mask_is_empty(mask, ncpus, size))
        for (unsigned i = 0; i < ncpus && i / 8 < size; i++)
            mask[i / 8] |= 1 << (i % 8);
    for (uint64_t i = 0; i < count; i++) {
        struct hwprobe_pair p;
        bool known = false;

        if (mm_read(&p, pairs + i * sizeof p, sizeof p))
            return -EFAULT;
        uint64_t have = g->hwprobe ? g->hwprobe(p.key, &known) : 0;
        if (!known) {
            all = false;
            p.key = -1;
            p.value = 0;
            if (mm_write(pairs + i * sizeof p, &p, sizeof p))
                return -EFAULT;
        } else if (p.key == HWPROBE_BASE_BEHAVIOR || p.key == HWPROBE_IMA_EXT_0) {
            all = all && (have & p.value) == p.value;
        } else {
            all = all && have == p.value;
        }
    }
    if (!all)
        memset(mask, 0, sizeof mask);
    return mm_write(cpus, mask, size);
}

int64_t sys_riscv_hwprobe(struct thread *t, const uint64_t *a)
{
    const struct guest *g = t->cpu.guest;
    uint64_t pairs = a[0], count = a[1], size = a[2], cpus = a[3];
    uint8_t mask[HWPROBE_MAX_CPUS / 8] = {0};

    if (a[4] == HWPROBE_WHICH_CPUS)
        return hwprobe_which_cpus(g, pairs, count, size, cpus);
    if (a[4])
        return -EINVAL;
    if (size || cpus) {
        if (size > sizeof mask)
            size = sizeof mask;
        if (mm_read(mask, cpus, size))
            return -EFAULT;
        if (mask_is_empty(mask, sysconf(_SC_NPROCESSORS_CONF), size))
            return -EINVAL;
    }
    for (uint64_t i = 0; i < count; i++) {
        struct hwprobe_pair p;
        bool known = false;

        if (mm_read(&p, pairs + i * sizeof p, sizeof p))
            return -EFAULT;
        p.value = g->hwprobe ? g->hwprobe(p.key, &known) : 0;
        if (!known) {
            p.key = -1;
            p.value = 0;
        }
        if (mm_write(pairs + i * sizeof p, &p, sizeof p))
            return -EFAULT;
    }
    return 0;
}

/* --- keyctl ------------------------------------------------------------------------------------------ */

int64_t sys_keyctl(struct thread *t, const uint64_t *a)
{
    uint64_t b[4] = {a[1], a[2], a[3], a[4]};

    switch ((int)a[0]) {
    case KEYCTL_JOIN_SESSION_KEYRING:
        b[0] = sys_in(b[0], 1);
        break;
    case KEYCTL_UPDATE:
    case KEYCTL_INSTANTIATE:
        b[1] = sys_in(b[1], b[2]);
        break;
    case KEYCTL_DESCRIBE:
    case KEYCTL_READ:
    case KEYCTL_GET_SECURITY:
        b[1] = sys_out_max(b[1], b[2], SYS_RW_MAX);
        break;
    case KEYCTL_SEARCH:
    case KEYCTL_RESTRICT_KEYRING:
        b[1] = sys_in(b[1], 1);
        b[2] = sys_in(b[2], 1);
        break;
    case KEYCTL_CAPABILITIES:
        b[0] = sys_out_max(b[0], b[1], 4096);
        break;
    case KEYCTL_GET_KEYRING_ID:
    case KEYCTL_REVOKE:
    case KEYCTL_CHOWN:
    case KEYCTL_SETPERM:
    case KEYCTL_CLEAR:
    case KEYCTL_LINK:
    case KEYCTL_UNLINK:
    case KEYCTL_NEGATE:
    case KEYCTL_SET_REQKEY_KEYRING:
    case KEYCTL_SET_TIMEOUT:
    case KEYCTL_ASSUME_AUTHORITY:
    case KEYCTL_SESSION_TO_PARENT:
    case KEYCTL_REJECT:
    case KEYCTL_INVALIDATE:
    case KEYCTL_GET_PERSISTENT:
    case KEYCTL_MOVE:
        break;
    default: /* public-key and Diffie-Hellman operations: as a kernel built without them */
        return -EOPNOTSUPP;
    }
    return sig_syscall(t, SYS_keyctl, a[0], b[0], b[1], b[2], b[3], 0);
}

/* --- vectors of futexes (linux/futex.h) --------------------------------------------------------------- */

struct futex_waiter {
    uint64_t val, uaddr;
    uint32_t flags, reserved;
};
_Static_assert(sizeof(struct futex_waiter) == 24, "struct futex_waitv is one for all");

#define FUTEX_WAITERS_MAX 128

static int64_t copy_waiters(struct futex_waiter *w, uint64_t addr, unsigned n)
{
    if (mm_read(w, addr, n * sizeof *w))
        return -EFAULT;
    for (unsigned i = 0; i < n; i++)
        w[i].uaddr = sys_in(w[i].uaddr, 8);
    return 0;
}

int64_t sys_futex_waitv(struct thread *t, const uint64_t *a)
{
    struct futex_waiter w[FUTEX_WAITERS_MAX];
    uint32_t n = a[1];

    if (a[2] || n == 0 || n > FUTEX_WAITERS_MAX || !a[0])
        return -EINVAL;
    int64_t err = copy_waiters(w, a[0], n);
    if (err)
        return err;
    return sig_syscall(t, SYS_futex_waitv, (uintptr_t)w, n, 0, a[3], a[4], 0);
}

int64_t sys_futex_requeue(struct thread *t, const uint64_t *a)
{
    struct futex_waiter w[2];

    if (a[1] || !a[0])
        return -EINVAL;
    int64_t err = copy_waiters(w, a[0], 2);
    if (err)
        return err;
    return sig_syscall(t, SYS_futex_requeue, (uintptr_t)w, 0, a[2], a[3], 0, 0);
}

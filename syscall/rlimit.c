/* Resource limits.
 *
 * Owns: the limits that the guest believes to have on its address space, data and stack.
 *
 * These three would strike the runtime, whose code cache, tables and translated code are in the
 * same process, and whose own placement depends on RLIMIT_STACK (an unlimited stack makes the
 * kernel lay out a new program bottom-up, into the guest's range). So they begin as the host's, and what
 * the guest sets is kept here: fork hands it on, execve does not, but for a stack limit that the
 * host can bear. RLIMIT_AS and RLIMIT_DATA are enforced upon the guest's mappings by process/ (mm_set_limits); the
 * stack's size was chosen when the program was loaded. All other limits are the host's own.
 *
 * Threading: the values are single words, stored and loaded atomically. A reader beside a setter may see one
 * word of the old pair, which no program can tell from an earlier or later reading; a lock would have to
 * be carried through fork.
 */
#include "syscall/rlimit.h"
#include "syscall/sys_int.h"
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

_Static_assert(sizeof(struct rlimit64) == 16, "rlimit64 is that of asm-generic");

/* A host stack limit within these bounds harms neither this process nor the next program. */
#define STACK_SAFE_MIN (UINT64_C(1) << 20)
#define STACK_SAFE_MAX (UINT64_C(64) << 30)

static const int own_resource[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK};
#define OWN_COUNT (sizeof own_resource / sizeof *own_resource)
static struct own_limit {
    bool set; /* else the host's */
    struct rlimit64 v;
} own_limit[OWN_COUNT];

static struct own_limit *find(int resource)
{
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (own_resource[i] == resource)
            return &own_limit[i];
    return NULL;
}

bool sys_limit_get(int resource, struct rlimit64 *v)
{
    struct own_limit *l = find(resource);

    if (!l || !__atomic_load_n(&l->set, __ATOMIC_ACQUIRE))
        return false;
    v->rlim_cur = __atomic_load_n(&l->v.rlim_cur, __ATOMIC_RELAXED);
    v->rlim_max = __atomic_load_n(&l->v.rlim_max, __ATOMIC_RELAXED);
    return true;
}

/* May this thread raise a hard limit? */
static bool may_raise(void)
{
    struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct d[2];

    return sys_raw(SYS_capget, (uintptr_t)&h, (uintptr_t)d, 0, 0, 0, 0) == 0 &&
           (d[0].effective & (1u << CAP_SYS_RESOURCE));
}

static int set_own(int resource, struct own_limit *l, const struct rlimit64 *v,
                   const struct rlimit64 *old)
{
    if (v->rlim_cur > v->rlim_max)
        return -EINVAL;
    if (v->rlim_max > old->rlim_max && !may_raise())
        return -EPERM;
    __atomic_store_n(&l->v.rlim_cur, v->rlim_cur, __ATOMIC_RELAXED);
    __atomic_store_n(&l->v.rlim_max, v->rlim_max, __ATOMIC_RELAXED);
    __atomic_store_n(&l->set, true, __ATOMIC_RELEASE);
    if (resource != RLIMIT_STACK) {
        struct rlimit64 as = {UINT64_MAX, UINT64_MAX}, data = as;

        sys_limit_get(RLIMIT_AS, &as);
        sys_limit_get(RLIMIT_DATA, &data);
        mm_set_limits(as.rlim_cur, data.rlim_cur);
    } else if (v->rlim_cur >= STACK_SAFE_MIN && v->rlim_cur <= STACK_SAFE_MAX) {
        struct rlimit64 host;

        /* For programs executed later. The hard limit stays, so that every later wish can be met. */
        if (sys_raw(SYS_prlimit64, 0, resource, 0, (uintptr_t)&host, 0, 0) == 0 &&
            v->rlim_cur <= host.rlim_max) {
            host.rlim_cur = v->rlim_cur;
            sys_raw(SYS_prlimit64, 0, resource, (uintptr_t)&host, 0, 0, 0);
        }
    }
    return 0;
}

/* prlimit64 on the calling process, addresses checked. */
static int64_t own_prlimit(int resource, uint64_t new, uint64_t old)
{
    struct own_limit *l = find(resource);
    struct rlimit64 want, have;
    int64_t ret = 0;

    if (new &&mm_read(&want, new, sizeof want))
        return -EFAULT;
    if (!sys_limit_get(resource, &have))
        ret = sys_raw(SYS_prlimit64, 0, resource, 0, (uintptr_t)&have, 0, 0);
    if (ret == 0 && new)
        ret = set_own(resource, l, &want, &have);
    if (ret == 0 && old && mm_write(old, &have, sizeof have))
        ret = -EFAULT;
    return ret;
}

int64_t sys_prlimit64(struct thread *t, const uint64_t *a)
{
    int pid = (int)a[0];

    if (find((int)a[1]) && (pid == 0 || pid == getpid() || pid == t->tid))
        return own_prlimit((int)a[1], a[2], a[3]);
    return sig_syscall(t, SYS_prlimit64, a[0], a[1], a[2], a[3], 0, 0);
}

int64_t sys_getrlimit(struct thread *t, const uint64_t *a)
{
    if (find((int)a[0]))
        return a[1] ? own_prlimit((int)a[0], 0, a[1]) : -EFAULT;
    return sig_syscall(t, SYS_getrlimit, a[0], a[1], 0, 0, 0, 0);
}

int64_t sys_setrlimit(struct thread *t, const uint64_t *a)
{
    if (find((int)a[0]))
        return a[1] ? own_prlimit((int)a[0], a[1], 0) : -EFAULT;
    return sig_syscall(t, SYS_setrlimit, a[0], a[1], 0, 0, 0, 0);
}

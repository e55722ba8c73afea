/* Resource limits.
 *
 * Owns: the limits that the guest believes to have on its address space, data and stack.
 *
 * These three would strike the runtime, whose code cache, tables and stacks are in the same process. So what
 * the process inherited becomes the guest's, kept here and enforced upon the guest's mappings by process/
 * (mm_set_limits), and the host's limits are raised as far as this process may. An execve gives the guest's
 * limits to the new program, which begins in the same way. But the host's hard limits stay as they are
 * where the process has no CAP_SYS_RESOURCE, since it could never undo lowering them: then the
 * guest's hard limits end at execve. All other limits are the host's own.
 *
 * Threading: the values are single words, stored and loaded atomically. A reader beside a setter may see one
 * word of the old pair, which no program can tell from an earlier or later reading; a lock would have to
 * be carried through fork. A vfork child shares them with its parent.
 */
#include "syscall/rlimit.h"
#include "syscall/sys_int.h"
#include <linux/capability.h>
#include <sys/resource.h>
#include <unistd.h>

_Static_assert(sizeof(struct rlimit64) == 16, "rlimit64 is that of asm-generic");

/* The runtime's first thread runs on the host's stack and needs about a tenth of this. */
#define HOST_STACK (UINT64_C(8) << 20)

static const int own_resource[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK};
#define OWN_COUNT (sizeof own_resource / sizeof *own_resource)
static struct own_limit {
    bool set; /* else the host's: before sys_limit_init */
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

    return host_call(SYS_capget, (uintptr_t)&h, (uintptr_t)d, 0, 0, 0, 0) == 0 &&
           (d[0].effective & (1u << CAP_SYS_RESOURCE));
}

static void store(struct own_limit *l, const struct rlimit64 *v)
{
    struct rlimit64 as, data;

    __atomic_store_n(&l->v.rlim_cur, v->rlim_cur, __ATOMIC_RELAXED);
    __atomic_store_n(&l->v.rlim_max, v->rlim_max, __ATOMIC_RELAXED);
    __atomic_store_n(&l->set, true, __ATOMIC_RELEASE);
    if (sys_limit_get(RLIMIT_AS, &as) && sys_limit_get(RLIMIT_DATA, &data))
        mm_set_limits(as.rlim_cur, data.rlim_cur); /* RLIM64_INFINITY is UINT64_MAX */
}

static int set_own(struct own_limit *l, const struct rlimit64 *v, const struct rlimit64 *old)
{
    if (v->rlim_cur > v->rlim_max)
        return -EINVAL;
    if (v->rlim_max > old->rlim_max && !may_raise())
        return -EPERM;
    store(l, v);
    return 0;
}

/* Set the host's limit: both values when this process may, else the soft one as far as the hard one lets. */
static void set_host(int resource, rlim64_t cur, rlim64_t max)
{
    struct rlimit64 host, want = {cur, max};

    if (host_call(SYS_prlimit64, 0, resource, 0, (uintptr_t)&host, 0, 0))
        return;
    if (host.rlim_cur == cur && host.rlim_max == max)
        return;
    if (may_raise()) {
        host_call(SYS_prlimit64, 0, resource, (uintptr_t)&want, 0, 0, 0);
    } else {
        host.rlim_cur = cur < host.rlim_max ? cur : host.rlim_max;
        host_call(SYS_prlimit64, 0, resource, (uintptr_t)&host, 0, 0, 0);
    }
}

/* Give the runtime the room it needs. */
static void relax_host(void)
{
    struct rlimit64 v;

    set_host(RLIMIT_AS, RLIM64_INFINITY, RLIM64_INFINITY);
    set_host(RLIMIT_DATA, RLIM64_INFINITY, RLIM64_INFINITY);
    if (sys_limit_get(RLIMIT_STACK, &v) && v.rlim_cur < HOST_STACK)
        set_host(RLIMIT_STACK, HOST_STACK, v.rlim_max < HOST_STACK ? HOST_STACK : v.rlim_max);
}

void sys_limit_init(void)
{
    for (size_t i = 0; i < OWN_COUNT; i++) {
        struct rlimit64 v = {RLIM64_INFINITY, RLIM64_INFINITY};

        host_call(SYS_prlimit64, 0, own_resource[i], 0, (uintptr_t)&v, 0, 0);
        store(&own_limit[i], &v);
    }
    relax_host();
}

void sys_limit_exec_begin(void)
{
    struct rlimit64 v;

    for (size_t i = 0; i < OWN_COUNT; i++)
        if (sys_limit_get(own_resource[i], &v))
            set_host(own_resource[i], v.rlim_cur, v.rlim_max);
}

void sys_limit_exec_failed(void)
{
    relax_host();
}

/* prlimit64 on the calling process, addresses checked. */
static int64_t own_prlimit(struct own_limit *l, uint64_t new, uint64_t old)
{
    int resource = own_resource[l - own_limit];
    struct rlimit64 want, have;
    int64_t ret = 0;

    if (new &&mm_read(&want, new, sizeof want))
        return -EFAULT;
    if (!sys_limit_get(resource, &have))
        ret = host_call(SYS_prlimit64, 0, resource, 0, (uintptr_t)&have, 0, 0);
    if (ret == 0 && new)
        ret = set_own(l, &want, &have);
    if (ret == 0 && old && mm_write(old, &have, sizeof have))
        ret = -EFAULT;
    return ret;
}

int64_t sys_prlimit64(struct thread *t, const uint64_t *a)
{
    struct own_limit *l = find((int)a[1]);
    int pid = (int)a[0];

    if (l && (pid == 0 || pid == getpid() || pid == t->tid))
        return own_prlimit(l, a[2], a[3]);
    return sig_syscall(t, SYS_prlimit64, a[0], a[1], a[2], a[3], 0, 0);
}

int64_t sys_getrlimit(struct thread *t, const uint64_t *a)
{
    struct own_limit *l = find((int)a[0]);

    if (l)
        return a[1] ? own_prlimit(l, 0, a[1]) : -EFAULT;
    return sig_syscall(t, SYS_getrlimit, a[0], a[1], 0, 0, 0, 0);
}

int64_t sys_setrlimit(struct thread *t, const uint64_t *a)
{
    struct own_limit *l = find((int)a[0]);

    if (l)
        return a[1] ? own_prlimit(l, a[1], 0) : -EFAULT;
    return sig_syscall(t, SYS_setrlimit, a[0], a[1], 0, 0, 0, 0);
}

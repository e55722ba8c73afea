/* From the guest's registers to a row, through preparation of the arguments, to the host or a body.
 *
 * Owns: sys_dispatch, argument preparation, the counts.
 *
 * Preparation never refuses a bad pointer itself: it replaces it by one at which the kernel's own access
 * fails, so errors come in the kernel's order (a bad descriptor before a bad buffer).
 *
 * Threading: reentrant. The counts are racy increments; they are statistics.
 */
#include "base/log.h"
#include "exceptions/trace.h"
#include "syscall/sys_int.h"
#include <fcntl.h>
#include <string.h>

struct sys_hooks sys_hooks;
static struct sys_stats stats;

#define IOV_LIMIT 1024 /* UIO_MAXIOV */

/* What file names and iovec arrays are copied to; lives as long as the call. */
struct scratch {
    unsigned npaths, niovs;
    char path[2][PATH_MAX];
    struct iovec iov[2][IOV_LIMIT];
};

#define NEED_SCRATCH 1

static bool path_followed(const struct sys_arg *g, const uint64_t *a)
{
    switch (g->kind) {
    case K_PATHF:
        return !(a[g->other] & AT_SYMLINK_NOFOLLOW);
    case K_PATHX:
        return a[g->other] & AT_SYMLINK_FOLLOW;
    default:
        return g->kind == K_PATH;
    }
}

static int64_t prepare_path(const struct sys_row *row, unsigned i, uint64_t *a, struct scratch *s)
{
    const struct sys_arg *g = &row->arg[i];
    int dirfd = i > 0 && row->arg[i - 1].kind == K_DIRFD ? (int)a[i - 1] : AT_FDCWD;
    char name[PATH_MAX];
    char *buf;

    if (a[i] == 0)
        return 0;
    buf = s->path[s->npaths++];
    ssize_t n = mm_read_str(g->kind == K_NAME ? buf : name, PATH_MAX, a[i]);
    if (n < 0)
        return n;
    if (g->kind == K_NAME) {
        a[i] = (uintptr_t)buf;
        return 0;
    }
    if (sys_path(buf, dirfd, name, path_followed(g, a)) != buf)
        memcpy(buf, name, n + 1);
    a[i] = (uintptr_t)buf;
    return 0;
}

/* Too long an array, or one that cannot be read, goes to the kernel as it is: it gives the error
 * that belongs to it, since it looks at that before it follows any pointer. */
static void prepare_iov(const struct sys_row *row, unsigned i, uint64_t *a, struct scratch *s)
{
    uint64_t n = a[row->arg[i].other];
    struct iovec *iov = s->iov[s->niovs++];

    if (n == 0 || n > IOV_LIMIT || mm_read(iov, a[i], n * sizeof *iov)) {
        a[i] = SYS_BAD_PTR;
        return;
    }
    for (uint64_t j = 0; j < n; j++) {
        uint64_t base = (uintptr_t)iov[j].iov_base, len = iov[j].iov_len;

        if ((int64_t)len < 0) /* EINVAL: the kernel's to say */
            continue;
        base =
            row->arg[i].kind == K_IOVOUT ? sys_out_max(base, len, SYS_RW_MAX) : sys_in(base, len);
        iov[j].iov_base = (void *)(uintptr_t)base;
    }
    a[i] = (uintptr_t)iov;
}

/* Bytes of an argument that is an array of a[other] elements. A count that overflows makes it a bad
 * pointer. Counts are int or unsigned for many calls: the upper half of a register may hold anything. */
static uint64_t array_bytes(const struct sys_row *row, const struct sys_arg *g, const uint64_t *a)
{
    uint64_t n = a[g->other];
    unsigned k = row->arg[g->other].kind;

    if (k == K_INT)
        n = (int)n < 0 ? 0 : (unsigned)n;
    else if (k == K_UINT)
        n = (unsigned)n;
    if (g->kind == K_IN || g->kind == K_OUT)
        return n;
    if (__builtin_mul_overflow(n, (uint64_t)sys_struct_size[g->type], &n))
        return UINT64_MAX;
    return n;
}

/* 0, an error that ends the call, or NEED_SCRATCH when s is NULL and would be used. */
static inline int64_t prepare(const struct sys_row *row, uint64_t *a, struct scratch *s)
{
    for (unsigned i = 0; i < 6; i++) {
        const struct sys_arg *g = &row->arg[i];
        uint32_t len;

        if (g->kind < K_PREPARE) {
            if (g->kind == K_NONE)
                break;
            continue;
        }
        switch ((enum sys_kind)g->kind) {
        case K_FD:
        case K_DIRFD:
            if (sys_fd_is_hidden(a[i]))
                return -EBADF;
            break;
        case K_AREA:
            if (a[i] >= GUEST_ADDR_END && thread_self->cpu.guest->untag)
                a[i] = thread_self->cpu.guest->untag(a[i]);
            break;
        case K_STR:
        case K_REF:
            a[i] = sys_in(a[i], 1);
            break;
        case K_REFOUT:
            a[i] = sys_out(a[i], g->size);
            break;
        case K_PATH:
        case K_LPATH:
        case K_PATHF:
        case K_PATHX:
            if (row->how == HOW_PASS && !process.sysroot) {
                a[i] = sys_in(a[i], 1);
                break;
            } /* fall through */
        case K_NAME:
            if (!s)
                return NEED_SCRATCH;
            int64_t err = prepare_path(row, i, a, s);
            if (err)
                return err;
            break;
        case K_IN:
        case K_INA:
            a[i] = sys_in(a[i], array_bytes(row, g, a));
            break;
        case K_OUT:
        case K_OUTA:
        case K_IOA:
            a[i] = sys_out_max(a[i], array_bytes(row, g, a), SYS_RW_MAX);
            break;
        case K_OUTV:
            if (a[i] && !mm_read_u32(a[g->other], &len) && (int32_t)len > 0)
                a[i] = sys_out(a[i], len);
            else
                a[i] = sys_in(a[i], 1);
            break;
        case K_INS:
            a[i] = sys_in(a[i], sys_struct_size[g->type]);
            break;
        case K_OUTS:
        case K_IOS:
            a[i] = sys_out(a[i], sys_struct_size[g->type]);
            break;
        case K_IOVIN:
        case K_IOVOUT:
            if (!s)
                return NEED_SCRATCH;
            prepare_iov(row, i, a, s);
            break;
        default:
            __builtin_unreachable();
        }
    }
    return 0;
}

static inline int64_t perform(struct thread *t, const struct sys_row *row, const uint64_t *a)
{
    int64_t ret;
    t->trace.calling = 1;
    if (row->how == HOW_PASS)
        ret = sig_syscall(t, row->host_nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    else
        ret = row->body(t, a);
    t->trace.calling = 0;
    return ret;
}

/* Apart, so that other calls do not touch so much stack. */
static __attribute__((noinline)) int64_t perform_scratch(struct thread *t,
                                                         const struct sys_row *row, uint64_t *a)
{
    struct scratch s;
    s.npaths = s.niovs = 0;
    int64_t ret = prepare(row, a, &s);
    return ret ? ret : perform(t, row, a);
}

void sys_dispatch(struct thread *t)
{
    const struct guest *g = t->cpu.guest;
    uint64_t *r = t->cpu.r;
    uint64_t nr = r[g->sysnr_slot];
    const struct sys_row *row = sys_row_of(g, nr);
    uint64_t args[6], a[6];
    bool announced = false, trace = process.strace || log_enabled(LOG_STRACE), skip = false;
    int64_t ret;

    if (__builtin_expect(t->trace.on, 0)) {
        skip = !trace_syscall_enter(t, &nr);
        row = sys_row_of(g, nr);
    }
    for (unsigned i = 0; i < 6; i++)
        args[i] = a[i] = r[g->sysarg_slot[i]];
    stats.calls++;
    if (log_enabled(LOG_UNIMP) && (!row || row->how == HOW_LATER))
        log_printf("unimp: system call %llu (%s)\n", (unsigned long long)nr, row ? row->name : "?");
    if (__builtin_expect(trace, 0))
        announced = sys_trace_enter(t, row, nr, args);

    if (__builtin_expect(skip, 0)) {
        ret = t->trace.ret;
    } else if (__builtin_expect(t->seccomp != NULL, 0) && sys_seccomp_refuses(t, nr, args, &ret)) {
        /* ret is what the filter says */
    } else if (!row) {
        ret = -ENOSYS;
    } else if (row->how == HOW_REFUSE || row->how == HOW_LATER) {
        ret = -row->error;
    } else {
        ret = prepare(row, a, NULL);
        if (ret == 0)
            ret = perform(t, row, a);
        else if (ret == NEED_SCRATCH)
            ret = perform_scratch(t, row, a);
    }

    if (ret < 0 && ret >= -4095)
        stats.errors++;
    if (__builtin_expect(trace, 0))
        sys_trace_leave(t, row, nr, args, ret, announced);
    if (ret != -SIG_RESTART && ret != SYS_NO_RESULT)
        r[g->sysret_slot] = ret;
    if (__builtin_expect(t->trace.on, 0) && !trace_syscall_leave(t, ret == -SIG_RESTART))
        return;
    if (ret == -SIG_RESTART)
        r[g->pc_slot] -= g->syscall_len;
}

void sys_get_stats(struct sys_stats *s)
{
    *s = stats;
}

/* Descriptors: those of the runtime's own, and the calls that could meet them.
 *
 * Owns: the list of hidden descriptors, close_range, fcntl, pipe2.
 *
 * A descriptor that the runtime keeps open (a log file) has a high number and is hidden: to the guest its
 * number is EBADF in every call (see the FD arguments in dispatch.c), and close_range goes round it. What
 * remains visible is its entry in /proc/self/fd.
 *
 * Threading: any thread may look while one, under a lock of its own or before guest code runs, adds: what
 * the list has is never missing from it meanwhile.
 */
#include "base/report.h"
#include "syscall/sys_int.h"
#include <fcntl.h>
#include <linux/close_range.h>
#include <stddef.h>

#define HIDDEN_MAX 8

uint32_t sys_hidden_floor = UINT32_MAX;
static uint32_t hidden[HIDDEN_MAX]; /* ascending */
static unsigned nhidden;

void sys_hide_fd(int fd)
{
    unsigned i = nhidden;

    if (fd < 0)
        return;
    if (nhidden == HIDDEN_MAX)
        vm_bug("more than %d descriptors to hide", HIDDEN_MAX);
    hidden[i] = UINT32_MAX;
    __atomic_store_n(&nhidden, i + 1, __ATOMIC_RELEASE);
    for (; i > 0 && hidden[i - 1] > (uint32_t)fd; i--)
        __atomic_store_n(&hidden[i], hidden[i - 1], __ATOMIC_RELEASE);
    __atomic_store_n(&hidden[i], fd, __ATOMIC_RELEASE);
    __atomic_store_n(&sys_hidden_floor, hidden[0], __ATOMIC_RELEASE);
}

bool sys_fd_is_hidden_slow(uint32_t fd)
{
    for (unsigned i = 0; i < __atomic_load_n(&nhidden, __ATOMIC_ACQUIRE); i++)
        if (__atomic_load_n(&hidden[i], __ATOMIC_ACQUIRE) == fd)
            return true;
    return false;
}

int64_t sys_close_range(struct thread *t, const uint64_t *a)
{
    uint32_t first = a[0], last = a[1], flags = a[2];
    int64_t ret = 0;

    if (first > last || last < sys_hidden_floor)
        return sig_syscall(t, SYS_close_range, first, last, flags, 0, 0, 0);
    for (unsigned i = 0; i <= nhidden && first <= last; i++) {
        uint32_t end = last;

        if (i < nhidden && hidden[i] < first)
            continue;
        if (i < nhidden && hidden[i] <= last)
            end = hidden[i] - 1;
        if (i >= nhidden || hidden[i] > first) {
            ret = host_call(SYS_close_range, first, end, flags, 0, 0, 0);
            if (ret < 0)
                return ret;
            flags &= ~CLOSE_RANGE_UNSHARE; /* once is enough */
        }
        if (end == last)
            break;
        first = end + 2;
        if (first == 0)
            break;
    }
    return ret;
}

int64_t sys_pipe2(struct thread *t, const uint64_t *a)
{
    return sig_syscall(t, SYS_pipe2, a[0], sys_open_flags_to_host(t->cpu.guest, a[1]), 0, 0, 0, 0);
}

/* Locks are alike on all 64-bit machines. */
_Static_assert(sizeof(struct flock) == 32 && offsetof(struct flock, l_whence) == 2 &&
                   offsetof(struct flock, l_start) == 8 && offsetof(struct flock, l_len) == 16 &&
                   offsetof(struct flock, l_pid) == 24,
               "asm-generic struct flock");
_Static_assert(sizeof(struct f_owner_ex) == 8, "asm-generic struct f_owner_ex");
_Static_assert(F_GETLK == 5 && F_SETLK == 6 && F_SETLKW == 7 && F_SETOWN == 8 && F_GETOWN == 9 &&
                   F_SETSIG == 10 && F_GETSIG == 11 && F_SETOWN_EX == 15 && F_GETOWN_EX == 16,
               "asm-generic fcntl commands");

#define F_GETOWNER_UIDS_ 17
#define F_DUPFD_QUERY_ 1027
#define F_CREATED_QUERY_ 1028

int64_t sys_fcntl(struct thread *t, const uint64_t *a)
{
    const struct guest *g = t->cpu.guest;
    uint64_t arg = a[2];
    int64_t ret;

    switch ((uint32_t)a[1]) {
    case F_GETFL:
        ret = sig_syscall(t, SYS_fcntl, a[0], F_GETFL, 0, 0, 0, 0);
        return ret < 0 ? ret : sys_open_flags_to_guest(g, ret);
    case F_SETFL:
        arg = sys_open_flags_to_host(g, arg);
        break;
    case F_GETLK:
    case F_OFD_GETLK:
        arg = sys_out(arg, sizeof(struct flock));
        break;
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        arg = sys_in(arg, sizeof(struct flock));
        break;
    case F_SETOWN_EX:
        arg = sys_in(arg, sizeof(struct f_owner_ex));
        break;
    case F_GETOWN_EX:
    case F_GETOWNER_UIDS_:
    case F_GET_RW_HINT:
    case F_GET_FILE_RW_HINT:
        arg = sys_out(arg, 8);
        break;
    case F_SET_RW_HINT:
    case F_SET_FILE_RW_HINT:
        arg = sys_in(arg, 8);
        break;
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_GETFD:
    case F_SETFD:
    case F_SETOWN:
    case F_GETOWN:
    case F_SETSIG:
    case F_GETSIG:
    case F_SETLEASE:
    case F_GETLEASE:
    case F_NOTIFY:
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
    case F_ADD_SEALS:
    case F_GET_SEALS:
    case F_CREATED_QUERY_:
        break;
    case F_DUPFD_QUERY_:
        if (sys_fd_is_hidden(arg))
            return -EBADF;
        break;
    default: /* also to let the kernel see a bad descriptor first */
        arg = SYS_BAD_PTR;
        break;
    }
    return sig_syscall(t, SYS_fcntl, a[0], a[1], arg, 0, 0, 0);
}

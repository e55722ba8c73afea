/* Writing to the host without losing parts, and descriptors out of the way: see host.h.
 *
 * Threading: reentrant; fit for signal context.
 */
#include "base/host.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void host_write_all(int fd, const char *text, size_t n)
{
    int saved_errno = errno;
    while (n > 0) {
        ssize_t done = write(fd, text, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            break;
        text += done;
        n -= (size_t)done;
    }
    errno = saved_errno;
}

int host_fd_high(int fd)
{
    struct rlimit lim;
    int low = 3;
    if (!getrlimit(RLIMIT_NOFILE, &lim))
        low = lim.rlim_cur > 1024 ? 1000 : lim.rlim_cur > 16 ? (int)lim.rlim_cur - 8 : 3;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, low);
    if (high < 0)
        return fd;
    close(fd);
    return high;
}

#define AHEAD ((uintptr_t)64 << 10)
#define PAGE ((uintptr_t)4096)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE \
    23 /* Linux 5.14, newer than some headers; older kernels refuse it, and nothing is lost */
#endif

void host_heap_ahead(uintptr_t at, size_t size)
{
    static uintptr_t done; /* atomic: all of the heap below it has been asked for */
    if (at + size <= __atomic_load_n(&done, __ATOMIC_RELAXED))
        return;
    uintptr_t from = at & ~(PAGE - 1), to = from + AHEAD, top = (uintptr_t)sbrk(0) & ~(PAGE - 1);
    if (from >= top)
        return;
    to = to < top ? to : top;
    __atomic_store_n(&done, to, __ATOMIC_RELAXED);
    host_call(SYS_madvise, from, to - from, MADV_POPULATE_WRITE, 0, 0, 0);
}

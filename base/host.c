/* Writing to the host without losing parts, and descriptors out of the way: see host.h.
 *
 * Threading: reentrant; fit for signal context.
 */
#include "base/host.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
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

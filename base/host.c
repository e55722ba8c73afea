/* Writing to the host without losing parts: see host.h.
 *
 * Threading: reentrant; fit for signal context.
 */
#include "base/host.h"
#include <errno.h>
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

/* Waiting for events: ppoll, pselect6, epoll.
 *
 * Owns: the layout of struct epoll_event, which is packed to 12 bytes on x86-64 only.
 *
 * The kernel itself exchanges the signal mask, as it must to be free of races (see sig_mask_begin).
 *
 * Threading: reentrant.
 */
#include "syscall/guest_abi.h"
#include "syscall/sys_int.h"
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#define NFDS_MAX (1u << 20) /* the usual fs.nr_open, beyond any descriptor table */

_Static_assert(sizeof(struct pollfd) == 8, "pollfd is that of asm-generic");
_Static_assert(sizeof(struct timespec) == 16, "64-bit time");
_Static_assert(sizeof(struct epoll_event) == 12, "the host's epoll_event is packed");

/* Perform call nr with the temporary signal mask that guest address set points to. `at` says which of
 * the arguments a is replaced by the mask's address. */
static int64_t masked_call(struct thread *t, uint64_t set, uint64_t size, long nr, uint64_t *a,
                           unsigned at)
{
    int64_t ret = sig_mask_begin(t, set, size);

    if (ret < 0)
        return ret;
    a[at] = (uintptr_t)sig_mask_host(t);
    ret = sig_syscall(t, nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    sig_mask_end(t, ret);
    return ret;
}

int64_t sys_ppoll(struct thread *t, const uint64_t *a)
{
    uint64_t h[6] = {a[0], a[1], a[2], 0, sizeof(uint64_t)};

    return masked_call(t, a[3], a[4], SYS_ppoll, h, 3);
}

int64_t sys_pselect6(struct thread *t, const uint64_t *a)
{
    struct {
        uint64_t set, size;
    } guest = {0, 0}, host = {0, sizeof(uint64_t)};
    /* The kernel clamps the number to the size of the descriptor table. */
    uint32_t nfds = (uint32_t)a[0] < NFDS_MAX ? (uint32_t)a[0] : NFDS_MAX;
    uint64_t bytes = (int32_t)a[0] < 0 ? 0 : (nfds + 63) / 64 * 8;
    int64_t ret;

    if (a[5] && mm_read(&guest, a[5], sizeof guest))
        return -EFAULT;
    ret = sig_mask_begin(t, guest.set, guest.size);
    if (ret < 0)
        return ret;
    host.set = (uintptr_t)sig_mask_host(t);
    ret = sig_syscall(t, SYS_pselect6, a[0], sys_out(a[1], bytes), sys_out(a[2], bytes),
                      sys_out(a[3], bytes), a[4], (uintptr_t)&host);
    sig_mask_end(t, ret);
    return ret;
}

/* --- epoll ----------------------------------------------------------------------------------- */

int64_t sys_epoll_ctl(struct thread *t, const uint64_t *a)
{
    struct guest_epoll_event g;
    struct epoll_event h;
    uint64_t event = a[3];

    if ((int)a[1] != EPOLL_CTL_DEL) {
        if (mm_read(&g, a[3], sizeof g)) {
            event = SYS_BAD_PTR;
        } else {
            h.events = g.events;
            h.data.u64 = g.data;
            event = (uintptr_t)&h;
        }
    }
    return sig_syscall(t, SYS_epoll_ctl, a[0], a[1], a[2], event, 0, 0);
}

/* The kernel has left n packed events at addr: spread them out in place, the last ones first. */
static int64_t epoll_spread(uint64_t addr, int64_t n)
{
    enum { CHUNK = 64 };
    struct epoll_event h[CHUNK];
    struct guest_epoll_event g[CHUNK];

    for (int64_t end = n; end > 0;) {
        int64_t count = end < CHUNK ? end : CHUNK;
        int64_t start = end - count;

        if (mm_read(h, addr + start * sizeof *h, count * sizeof *h))
            return -EFAULT;
        for (int64_t i = 0; i < count; i++)
            g[i] = (struct guest_epoll_event){.events = h[i].events, .data = h[i].data.u64};
        if (mm_write(addr + start * sizeof *g, g, count * sizeof *g))
            return -EFAULT;
        end = start;
    }
    return n;
}

/* The guest's array itself takes the host's smaller events, so that the kernel finds a bad address
 * while it can still keep the event for later, and no size of array needs memory here. */
static int64_t epoll_wait_masked(struct thread *t, long nr, const uint64_t *a, uint64_t timeout)
{
    const int limit = INT_MAX / (int)sizeof(struct guest_epoll_event);
    int max = (int)a[2] > limit ? -1 : (int)a[2]; /* the host's own limit is larger */
    uint64_t h[6] = {a[0], a[1], (uint64_t)max, timeout, 0, sizeof(uint64_t)};
    int64_t ret = masked_call(t, a[4], a[5], nr, h, 4);

    return ret > 0 ? epoll_spread(a[1], ret) : ret;
}

int64_t sys_epoll_pwait(struct thread *t, const uint64_t *a)
{
    return epoll_wait_masked(t, SYS_epoll_pwait, a, a[3]);
}

int64_t sys_epoll_pwait2(struct thread *t, const uint64_t *a)
{
    return epoll_wait_masked(t, SYS_epoll_pwait2, a, a[3]);
}

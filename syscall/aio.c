/* Asynchronous input and output by the older calls: io_setup and its family. io_uring is uring.c's.
 *
 * Owns: the checks of what requests name, and where the ring of completions lies.
 *
 * Guest addresses are host addresses, and the structs are alike on all 64-bit machines: the kernel works on the
 * guest's own memory.
 *
 * The kernel maps the ring of completions where it likes, and its address is the context's name. It
 * is moved into the guest's range, which the kernel notices (fs/aio.c, aio_ring_mremap).
 *
 * A buffer outside of the guest's range gives EFAULT.
 *
 * Threading: reentrant.
 */
#include "syscall/host_nr.h"
#include "syscall/sys_int.h"
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/mman.h>

/* The head of the ring, fs/aio.c. */
struct aio_ring {
    uint32_t id, nr, head, tail, magic, compat, incompat, header_length;
};

int64_t sys_io_setup(struct thread *t, const uint64_t *a)
{
    uint64_t context = 0, given;
    int64_t ret;

    if (mm_read_u64(a[1], &given))
        return -EFAULT;
    if (given)
        return -EINVAL;
    ret = sig_syscall(t, SYS_io_setup, a[0], (uintptr_t)&context, 0, 0, 0, 0);
    if (ret < 0)
        return ret;
    const struct aio_ring *ring = (const void *)(uintptr_t)context;
    int64_t moved = mm_adopt(context, ring->header_length + ring->nr * sizeof(struct io_event),
                             PROT_READ | PROT_WRITE);
    if (moved < 0) {
        host_call(SYS_io_destroy, context, 0, 0, 0, 0, 0);
        return moved;
    }
    if (mm_write_u64(a[1], (uint64_t)moved)) {
        host_call(SYS_io_destroy, (uint64_t)moved, 0, 0, 0, 0, 0);
        mm_abandon((uint64_t)moved);
        return -EFAULT;
    }
    return 0;
}

int64_t sys_io_destroy(struct thread *t, const uint64_t *a)
{
    int64_t ret;

    if (!mm_in_range(a[0], sizeof(struct aio_ring)))
        return -EINVAL;
    ret = sig_syscall(t, SYS_io_destroy, a[0], 0, 0, 0, 0, 0);
    if (ret == 0)
        mm_abandon(a[0]);
    return ret;
}

bool sys_iov_is_good(uint64_t addr, uint64_t n, bool out)
{
    struct iovec v;

    for (uint64_t i = 0; i < n && i < 1024 /* UIO_MAXIOV */; i++) {
        if (mm_read(&v, addr + i * sizeof(v), sizeof(v)))
            return true; /* EFAULT from the kernel, in its order */
        if ((int64_t)v.iov_len >= 0 &&
            (!mm_in_range((uintptr_t)v.iov_base, v.iov_len) ||
             (out && mm_prepare_write((uintptr_t)v.iov_base, v.iov_len))))
            return false;
    }
    return true;
}

/* May the kernel use the request's memory? What it will write is made ready for it. */
static bool buffer_is_good(const struct iocb *cb)
{
    bool out = cb->aio_lio_opcode == IOCB_CMD_PREAD || cb->aio_lio_opcode == IOCB_CMD_PREADV;

    switch (cb->aio_lio_opcode) {
    case IOCB_CMD_PREAD:
    case IOCB_CMD_PWRITE:
        /* Counts beyond the greatest are the kernel's to refuse. */
        if (cb->aio_nbytes > INT64_MAX || !cb->aio_buf)
            return true;
        return mm_in_range(cb->aio_buf, cb->aio_nbytes) &&
               !(out && mm_prepare_write(cb->aio_buf, cb->aio_nbytes));
    case IOCB_CMD_PREADV:
    case IOCB_CMD_PWRITEV:
        return sys_iov_is_good(cb->aio_buf, cb->aio_nbytes, out);
    default:
        return true;
    }
}

/* The kernel takes requests until one is bad, and says how many it took; only when the first one is bad
 * does it say why. */
int64_t sys_io_submit(struct thread *t, const uint64_t *a)
{
    int64_t n = (int64_t)a[1];

    for (int64_t i = 0; i < n; i++) {
        struct iocb cb;
        uint64_t at;
        if (mm_read_u64(a[2] + (uint64_t)i * 8, &at) || mm_read(&cb, at, sizeof(cb)))
            break; /* no further than here, for the kernel too: if it gets as far */
        if (!buffer_is_good(&cb)) {
            if (i == 0)
                return -EFAULT;
            n = i;
        }
    }
    return sig_syscall(t, SYS_io_submit, a[0], (uint64_t)n, a[2], 0, 0, 0);
}

int64_t sys_io_pgetevents(struct thread *t, const uint64_t *a)
{
    struct {
        uint64_t set, size;
    } guest = {0, 0}, host = {0, sizeof(uint64_t)};
    int64_t ret;

    if (a[5] && mm_read(&guest, a[5], sizeof(guest)))
        return -EFAULT;
    ret = sig_mask_begin(t, guest.set, guest.size);
    if (ret < 0)
        return ret;
    host.set = (uintptr_t)sig_mask_host(t);
    ret = sig_syscall(t, SYS_io_pgetevents, a[0], a[1], a[2], a[3], a[4],
                      host.set ? (uintptr_t)&host : 0);
    sig_mask_end(t, ret);
    return ret;
}

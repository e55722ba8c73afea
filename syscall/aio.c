/* Asynchronous input and output: io_uring and the older io_setup family.
 *
 * Owns: the checks of what the rings and requests name, and where their memory lies.
 *
 * Guest addresses are host addresses, and the structs are alike on all 64-bit machines: the kernel works on the
 * guest's own memory.
 *
 * io_uring. The kernel lets nobody choose where rings are mapped; mm_mmap has it choose within the
 * guest's range. Requests go from ring to kernel unseen, so those that would be misread are refused by
 * the ring's own restrictions (EACCES), and a probe says that they do not exist: epoll_ctl (its struct
 * is packed on the host) and, for a guest with its own numbering of open()'s flags, openat and openat2.
 * Programs that do not probe conclude from the features which requests there are (libuv aborts when
 * epoll_ctl fails), so a ring shows those of Linux 5.5, which had no epoll_ctl. With a sysroot there is
 * no io_uring (ENOSYS): names in requests would be the host's. A ring that its creator wants to restrict
 * himself is refused (EINVAL, as before Linux 5.10).
 *
 * io_setup. The kernel maps the ring of completions where it likes, and its address is the context's name. It
 * is moved into the guest's range, which the kernel notices (fs/aio.c, aio_ring_mremap).
 *
 * A request's buffer on a page that holds lifted code gives EFAULT where the kernel finds the page protected
 * (io_uring), as does one outside of the guest's range (io_submit).
 *
 * Threading: reentrant.
 */
#include "syscall/host_nr.h"
#include "syscall/sys_int.h"
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>

/* ---- io_uring ---- */

/* Those of Linux 5.5, before IORING_OP_EPOLL_CTL. */
#define FEATURES (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE)
#define SETUP_NO_MMAP (1u << 14) /* Linux 6.5: the rings lie in memory of the caller's */
#define ENTER_EXT_ARG_REG (1u << 6)
#define REGISTER_USE_REGISTERED_RING (1u << 31)
#define REGISTERS_MAX 64
#define OPS_MAX 256

static bool op_refused(const struct guest *g, unsigned op)
{
    return op == IORING_OP_EPOLL_CTL ||
           (g->open_flags && (op == IORING_OP_OPENAT || op == IORING_OP_OPENAT2));
}

static int64_t uring_register(int fd, unsigned op, const void *arg, unsigned n)
{
    return host_call(SYS_io_uring_register, (unsigned)fd, op, (uintptr_t)arg, n, 0, 0);
}

/* Allow all that this kernel knows but the refused ones. Which registrations it knows it says only by
 * accepting them. */
static int64_t restrict_ring(const struct guest *g, int fd)
{
    static unsigned known; /* registrations; racy, always the same */
    _Alignas(struct io_uring_probe)
        uint8_t room[sizeof(struct io_uring_probe) + OPS_MAX * sizeof(struct io_uring_probe_op)];
    struct io_uring_probe *probe = (struct io_uring_probe *)(void *)room;
    struct io_uring_restriction r[1 + OPS_MAX + REGISTERS_MAX];
    unsigned n = 0, registers = known ? known : REGISTERS_MAX;
    int64_t ret;

    memset(room, 0, sizeof(room));
    memset(r, 0, sizeof(r));
    ret = uring_register(fd, IORING_REGISTER_PROBE, probe, OPS_MAX);
    if (ret < 0)
        return ret;
    r[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    r[n++].sqe_flags = 0xff;
    for (unsigned op = 0; op <= probe->last_op; op++) {
        if (op_refused(g, op))
            continue;
        r[n].opcode = IORING_RESTRICTION_SQE_OP;
        r[n++].sqe_op = (uint8_t)op;
    }
    for (unsigned i = 0; i < registers; i++) {
        r[n].opcode = IORING_RESTRICTION_REGISTER_OP;
        r[n++].register_op = (uint8_t)i;
    }
    while ((ret = uring_register(fd, IORING_REGISTER_RESTRICTIONS, r, n)) == -EINVAL && registers) {
        n--;
        registers--;
    }
    known = registers;
    return ret < 0 ? ret : uring_register(fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

int64_t sys_io_uring_setup(struct thread *t, const uint64_t *a)
{
    struct io_uring_params p;
    int64_t fd, ret;

    if (process.sysroot)
        return -ENOSYS;
    if (mm_read(&p, a[1], sizeof(p)))
        return -EFAULT;
    if (p.flags & IORING_SETUP_R_DISABLED)
        return -EINVAL;
    if (p.flags & SETUP_NO_MMAP &&
        (!mm_in_range(p.sq_off.resv2, 1) || !mm_in_range(p.cq_off.resv2, 1))) /* user_addr */
        return -EFAULT;
    p.flags |= IORING_SETUP_R_DISABLED;
    fd = sig_syscall(t, SYS_io_uring_setup, a[0], (uintptr_t)&p, 0, 0, 0, 0);
    if (fd < 0)
        return fd;
    p.flags &= ~(unsigned)IORING_SETUP_R_DISABLED;
    p.features &= FEATURES;
    ret = restrict_ring(t->cpu.guest, (int)fd);
    if (ret >= 0)
        ret = mm_write(a[1], &p, sizeof(p));
    if (ret < 0) {
        host_call(SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
        return ret == -EFAULT ? ret : -ENOSYS;
    }
    return fd;
}

int64_t sys_io_uring_enter(struct thread *t, const uint64_t *a)
{
    struct io_uring_getevents_arg ext;
    uint64_t set = 0, size = 0, arg = a[4], argsz = a[5];
    int64_t ret;

    if (a[3] & IORING_ENTER_EXT_ARG && !(a[3] & ENTER_EXT_ARG_REG) && a[5] == sizeof(ext)) {
        if (mm_read(&ext, a[4], sizeof(ext)))
            return -EFAULT;
        set = ext.sigmask;
        size = ext.sigmask_sz;
        ext.ts = ext.ts ? sys_in(ext.ts, 16) : 0;
        arg = (uintptr_t)&ext;
    } else if (!(a[3] & IORING_ENTER_EXT_ARG)) {
        set = a[4];
        size = a[5];
    }
    ret = sig_mask_begin(t, set, size);
    if (ret < 0)
        return ret;
    if (arg == (uintptr_t)&ext) {
        ext.sigmask = (uintptr_t)sig_mask_host(t);
        ext.sigmask_sz = sizeof(uint64_t);
    } else if (!(a[3] & IORING_ENTER_EXT_ARG)) {
        arg = (uintptr_t)sig_mask_host(t);
        argsz = sizeof(uint64_t);
    }
    ret = sig_syscall(t, SYS_io_uring_enter, a[0], a[1], a[2], a[3], arg, argsz);
    sig_mask_end(t, ret);
    return ret;
}

int64_t sys_io_uring_register(struct thread *t, const uint64_t *a)
{
    struct io_uring_probe probe;
    int64_t ret =
        sig_syscall(t, SYS_io_uring_register, a[0], a[1], a[2] ? sys_in(a[2], 1) : 0, a[3], 0, 0);

    if (ret < 0 || ((unsigned)a[1] & ~REGISTER_USE_REGISTERED_RING) != IORING_REGISTER_PROBE ||
        mm_read(&probe, a[2], sizeof(probe)))
        return ret;
    for (unsigned i = 0; i < probe.ops_len; i++) {
        struct io_uring_probe_op op;
        uint64_t at = a[2] + sizeof(probe) + i * sizeof(op);
        if (mm_read(&op, at, sizeof(op)) || !op_refused(t->cpu.guest, op.op))
            continue;
        op.flags &= ~(unsigned)IO_URING_OP_SUPPORTED;
        mm_write(at, &op, sizeof(op));
    }
    return ret;
}

/* ---- io_setup and the rest ---- */

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

/* May the kernel use the request's memory? What it will write is made ready for it. */
static bool buffer_is_good(const struct iocb *cb)
{
    struct iovec iov;
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
        for (uint64_t i = 0; i < cb->aio_nbytes && i < 1024 /* UIO_MAXIOV */; i++) {
            if (mm_read(&iov, cb->aio_buf + i * sizeof(iov), sizeof(iov)))
                return true; /* EFAULT from the kernel, in its order */
            if ((int64_t)iov.iov_len >= 0 &&
                (!mm_in_range((uintptr_t)iov.iov_base, iov.iov_len) ||
                 (out && mm_prepare_write((uintptr_t)iov.iov_base, iov.iov_len))))
                return false;
        }
        return true;
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

/* io_uring: requests that lie in memory shared with the kernel.
 *
 * Owns: what of a request means something else to the host's kernel, and the three calls.
 *
 * Guest addresses are host addresses and most structs are alike, so the kernel works on the guest's own rings and
 * memory, which mm_mmap has it map in the guest's range. A request that names something else on the host (flags of
 * open, a packed epoll_event, a name below the sysroot, a buffer that reaches the runtime's memory or lies on lifted code)
 * is changed where it lies during the call that submits it. When that call returns, the kernel has copied
 * all that the copies made here hold (IORING_FEAT_SUBMIT_STABLE), and what was changed is put back.
 *
 * With IORING_SETUP_SQPOLL a kernel thread would take requests unseen. The host's ring is made without it, and its
 * flags always say that this thread sleeps (IORING_SQ_NEED_WAKEUP), so the guest calls io_uring_enter, and there
 * everything that is ready is submitted.
 *
 * Rings are found by the file's inode among the process's mappings: so copies of the descriptor,
 * forks and rings of other processes are known, and nothing has to be forgotten. What the ring is like (larger entries,
 * no array of indices) stands in its flags as well, in bits that the kernel neither uses nor changes.
 * A ring that a thread has registered is known by the number that it has for that thread. Where a ring in memory of the
 * caller's own lies (IORING_SETUP_NO_MMAP) is kept in a list, which children of a fork have, too.
 *
 * Refused (EINVAL, as kernels that do not know them): rings without a descriptor, of mixed entries or of another size
 * than at first, and requests without a row below. A probe says so.
 *
 * Threading: reentrant; the list only grows, at its head.
 */
#include "base/arena.h"
#include "syscall/guest_abi.h"
#include "syscall/host_nr.h"
#include "syscall/sys_int.h"
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Younger than the headers of Debian 12. */
#define FEAT_RW_ATTR (1u << 16)
#define SETUP_NO_MMAP (1u << 14)
#define SETUP_NO_SQARRAY (1u << 16)
#define ENTER_EXT_ARG_REG (1u << 6)
/* All flags but IORING_ENTER_REGISTERED_RING that there are up to Linux 6.17. */
#define ENTER_ABOUT_WAITING 0xef
#define REGISTER_USE_REGISTERED_RING (1u << 31)
#define REGISTER_RESIZE_RINGS 33

#define SETUP_KNOWN                                                                          \
    (IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF | IORING_SETUP_CQSIZE | \
     IORING_SETUP_CLAMP | IORING_SETUP_ATTACH_WQ | IORING_SETUP_R_DISABLED |                 \
     IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |       \
     IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SQE128 |         \
     IORING_SETUP_CQE32 | SETUP_NO_MMAP | SETUP_NO_SQARRAY)
/* The kernel's own thread would have to run these: io_uring_create. */
#define SETUP_NOT_SQPOLL \
    (IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_DEFER_TASKRUN)
#define FEATURES_KNOWN (FEAT_RW_ATTR - 1)

/* Of ours in a ring's flags. */
#define RING_NO_ARRAY (1u << 31)
#define RING_SQE128 (1u << 30)
#define RING_CQE32 (1u << 29)

/* ---- what requests hold ---- */

/* What the fields addr and off (also called addr2) of a request are. */
enum field {
    PLAIN,   /* a number, or memory that the kernel may check by itself */
    IN,      /* len bytes that are read */
    OUT,     /* len bytes that are written */
    VIN,     /* len iovecs */
    VOUT,    /*   */
    MSGIN,   /* a msghdr */
    MSGOUT,  /*   */
    NAME,    /* a file name relative to fd, whose last link is not followed */
    FNAME,   /* is followed, or not, as the request's flags say */
    NEWNAME, /* relative to the descriptor in len */
    HOW,     /* an open_how of len bytes */
    STATX,
    EVENT,    /* an epoll_event */
    SOCKADDR, /* is written, with its size at off */
    INT2,     /* two descriptors are written */
    RANGE,    /* len bytes of address space */
    SIGINFO,
    XPATH, /* the name is in addr3 */
};

/* clang-format off */
#define OPS(X) \
    X(NOP, 0, PLAIN, PLAIN) X(READV, 1, VOUT, PLAIN) X(WRITEV, 2, VIN, PLAIN) X(FSYNC, 3, PLAIN, PLAIN) \
    X(READ_FIXED, 4, PLAIN, PLAIN) X(WRITE_FIXED, 5, PLAIN, PLAIN) X(POLL_ADD, 6, PLAIN, PLAIN) \
    X(POLL_REMOVE, 7, PLAIN, PLAIN) X(SYNC_FILE_RANGE, 8, PLAIN, PLAIN) X(SENDMSG, 9, MSGIN, PLAIN) \
    X(RECVMSG, 10, MSGOUT, PLAIN) X(TIMEOUT, 11, PLAIN, PLAIN) X(TIMEOUT_REMOVE, 12, PLAIN, PLAIN) \
    X(ACCEPT, 13, SOCKADDR, PLAIN) X(ASYNC_CANCEL, 14, PLAIN, PLAIN) X(LINK_TIMEOUT, 15, PLAIN, PLAIN) \
    X(CONNECT, 16, PLAIN, PLAIN) X(FALLOCATE, 17, PLAIN, PLAIN) X(OPENAT, 18, FNAME, PLAIN) \
    X(CLOSE, 19, PLAIN, PLAIN) X(FILES_UPDATE, 20, PLAIN, PLAIN) X(STATX, 21, FNAME, STATX) \
    X(READ, 22, OUT, PLAIN) X(WRITE, 23, IN, PLAIN) X(FADVISE, 24, PLAIN, PLAIN) X(MADVISE, 25, RANGE, PLAIN) \
    X(SEND, 26, IN, PLAIN) X(RECV, 27, OUT, PLAIN) X(OPENAT2, 28, FNAME, HOW) X(EPOLL_CTL, 29, EVENT, PLAIN) \
    X(SPLICE, 30, PLAIN, PLAIN) X(PROVIDE_BUFFERS, 31, PLAIN, PLAIN) X(REMOVE_BUFFERS, 32, PLAIN, PLAIN) \
    X(TEE, 33, PLAIN, PLAIN) X(SHUTDOWN, 34, PLAIN, PLAIN) X(RENAMEAT, 35, NAME, NEWNAME) \
    X(UNLINKAT, 36, NAME, PLAIN) X(MKDIRAT, 37, NAME, PLAIN) X(SYMLINKAT, 38, PLAIN, NAME) \
    X(LINKAT, 39, FNAME, NEWNAME) X(MSG_RING, 40, PLAIN, PLAIN) X(FSETXATTR, 41, PLAIN, IN) \
    X(SETXATTR, 42, XPATH, IN) X(FGETXATTR, 43, PLAIN, OUT) X(GETXATTR, 44, XPATH, OUT) \
    X(SOCKET, 45, PLAIN, PLAIN) X(URING_CMD, 46, PLAIN, PLAIN) X(SEND_ZC, 47, IN, PLAIN) \
    X(SENDMSG_ZC, 48, MSGIN, PLAIN) X(READ_MULTISHOT, 49, PLAIN, PLAIN) X(WAITID, 50, PLAIN, SIGINFO) \
    X(FUTEX_WAIT, 51, PLAIN, PLAIN) X(FUTEX_WAKE, 52, PLAIN, PLAIN) X(FUTEX_WAITV, 53, PLAIN, PLAIN) \
    X(FIXED_FD_INSTALL, 54, PLAIN, PLAIN) X(FTRUNCATE, 55, PLAIN, PLAIN) X(BIND, 56, PLAIN, PLAIN) \
    X(LISTEN, 57, PLAIN, PLAIN) X(READV_FIXED, 60, VOUT, PLAIN) X(WRITEV_FIXED, 61, VIN, PLAIN) \
    X(PIPE, 62, INT2, PLAIN)
/* clang-format on */

enum {
#define X(name, nr, addr, off) OP_##name = (nr),
    OPS(X)
#undef X
        OPS_MAX = 64
};

static const struct op {
    uint8_t known, addr, off; /* enum field */
} ops[OPS_MAX] = {
#define X(name, nr, addr, off) [nr] = {1, addr, off},
    OPS(X)
#undef X
};

static bool op_known(unsigned op)
{
    return op < OPS_MAX && ops[op].known;
}

/* ---- one request ---- */

static uint64_t name_below(struct arena *a, int dirfd, uint64_t name, bool follow)
{
    char text[PATH_MAX];

    if (!process.sysroot || mm_read_str(text, sizeof(text), name) < 0)
        return sys_in(name, 1); /* too long or bad: the kernel says so */
    char *buf = arena_alloc(a, PATH_MAX, 1);
    return sys_path(buf, dirfd, text, follow) == buf ? (uintptr_t)buf : name;
}

static bool is_followed(const struct io_uring_sqe *s)
{
    switch (s->opcode) {
    case OP_OPENAT:
        return !(s->open_flags & O_NOFOLLOW) &&
               (s->open_flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    case OP_STATX:
        return !(s->statx_flags & AT_SYMLINK_NOFOLLOW);
    case OP_LINKAT:
        return s->hardlink_flags & AT_SYMLINK_FOLLOW;
    default:
        return true;
    }
}

static uint64_t vector(uint64_t addr, uint64_t n, bool out)
{
    return mm_in_range(addr, 1) && sys_iov_is_good(addr, n, out) ? addr : SYS_BAD_PTR;
}

static uint64_t message(uint64_t addr, bool out)
{
    struct msghdr m;

    if (mm_read(&m, addr, sizeof(m)))
        return sys_in(addr, sizeof(m));
    if (out && ((m.msg_name && mm_prepare_write((uintptr_t)m.msg_name, m.msg_namelen)) ||
                (m.msg_control && mm_prepare_write((uintptr_t)m.msg_control, m.msg_controllen)) ||
                mm_prepare_write(addr, sizeof(m))))
        return SYS_BAD_PTR;
    return m.msg_iovlen && vector((uintptr_t)m.msg_iov, m.msg_iovlen, out) == SYS_BAD_PTR
               ? SYS_BAD_PTR
               : addr;
}

/* The address of a host's epoll_event for the guest's at addr. */
static uint64_t event(struct arena *a, const struct io_uring_sqe *s)
{
    struct guest_epoll_event g;

    if (s->len == EPOLL_CTL_DEL || mm_read(&g, s->addr, sizeof(g)))
        return sys_in(s->addr, 1);
    struct epoll_event *h = arena_new(a, struct epoll_event, 1);
    h->events = g.events;
    h->data.u64 = g.data;
    return (uintptr_t)h;
}

/* An open_how with the host's flags; *follow: whether the name's last link is followed, *beneath: the name is that of a
 * place below fd, whatever it looks like. */
static uint64_t how(struct arena *a, const struct guest *g, const struct io_uring_sqe *s,
                    bool *follow, bool *beneath)
{
    struct open_how *h;

    if (s->len < sizeof(*h) || s->len > GUEST_PAGE_SIZE)
        return sys_in(s->off, 1); /* EINVAL or E2BIG */
    h = arena_alloc(a, s->len, 8);
    if (mm_read(h, s->off, s->len))
        return sys_in(s->off, 1);
    h->flags = (h->flags & ~(uint64_t)UINT32_MAX) | sys_open_flags_to_host(g, (uint32_t)h->flags);
    *follow = !(h->flags & O_NOFOLLOW) && (h->flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    *beneath = h->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT);
    return (uintptr_t)h;
}

/* Make s what the host's kernel shall see. */
static void convert(struct arena *a, const struct guest *g, struct io_uring_sqe *s)
{
    bool fixed = s->flags & IOSQE_FIXED_FILE, given = s->flags & IOSQE_BUFFER_SELECT, follow;
    bool beneath = false;

    if (!op_known(s->opcode)) {
        s->opcode = 255; /* EINVAL */
        return;
    }
    const struct op *op = &ops[s->opcode];
    if (!fixed && sys_fd_is_hidden((uint32_t)s->fd))
        s->fd = -1;
    if (s->opcode == OP_OPENAT || s->opcode == OP_PIPE) /* pipe_flags are where open_flags are */
        s->open_flags = sys_open_flags_to_host(g, s->open_flags);
    follow = is_followed(s);

    switch ((enum field)op->off) {
    case IN:
        s->off = sys_in(s->off, s->len);
        break;
    case OUT:
        s->off = sys_out(s->off, s->len);
        break;
    case STATX:
        s->off = sys_out(s->off, sizeof(struct statx));
        break;
    case SIGINFO:
        s->off = sys_out(s->off, sizeof(siginfo_t));
        break;
    case NAME:
        s->off = name_below(a, s->fd, s->off, false);
        break;
    case NEWNAME:
        s->off = name_below(a, (int)s->len, s->off, false);
        break;
    case HOW:
        s->off = how(a, g, s, &follow, &beneath);
        break;
    default:
        break;
    }
    switch ((enum field)op->addr) {
    case IN:
        s->addr = given ? s->addr : sys_in(s->addr, s->len);
        break;
    case OUT:
        s->addr = given ? s->addr : sys_out_max(s->addr, s->len, SYS_RW_MAX);
        break;
    case VIN:
    case VOUT:
        s->addr = given ? s->addr : vector(s->addr, s->len, op->addr == VOUT);
        break;
    case MSGIN:
    case MSGOUT:
        s->addr = message(s->addr, op->addr == MSGOUT);
        break;
    case NAME:
    case FNAME:
        s->addr = beneath ? sys_in(s->addr, 1) : name_below(a, s->fd, s->addr, follow);
        break;
    case XPATH:
        s->addr3 = name_below(a, AT_FDCWD, s->addr3, true);
        break;
    case EVENT:
        s->addr = event(a, s);
        break;
    case SOCKADDR:
        s->addr = sys_out(s->addr, s->addr ? sizeof(struct sockaddr_storage) : 0);
        s->off = sys_out(s->off, s->off ? sizeof(socklen_t) : 0);
        break;
    case INT2:
        s->addr = sys_out(s->addr, 2 * sizeof(int));
        break;
    case RANGE:
        /* What is thrown away may be code. */
        s->addr = sys_out(s->addr, s->len);
        break;
    default:
        break;
    }
}

/* ---- a ring ---- */

/* Where the kernel has things in a ring's memory, of its own release. */
static struct {
    uint32_t head, tail, mask, flags; /* of submissions */
    uint32_t cq_entries, cqes;
} at;

struct ring {
    uint64_t dev, ino;
    uint64_t rings, sqes; /* guest addresses */
    uint32_t flags; /* IORING_SQ_NEED_WAKEUP: the guest believes in IORING_SETUP_SQPOLL; RING_ */
};

/* Rings in the guest's own memory, the newest first. */
static struct own_ring {
    struct own_ring *next;
    struct ring ring;
} * own_rings;

/* By the number that they have for this thread, as it registered them (IO_RINGFD_REG_MAX). The kernel knows which
 * of them are there. */
static _Thread_local struct {
    uint64_t dev, ino;
} registered[16];

/* A request that was changed. */
struct changed {
    struct changed *next;
    uint64_t place;
    struct io_uring_sqe was, is;
};

static uint64_t mapping_of(const struct vma *v, const struct ring *r, uint64_t offset)
{
    return v->ino == r->ino && v->dev == r->dev && v->offset == offset ? v->start : 0;
}

static int visit(const struct vma *v, void *arg)
{
    struct ring *r = arg;
    uint64_t a;

    if ((a = mapping_of(v, r, IORING_OFF_SQ_RING)) || (a = mapping_of(v, r, IORING_OFF_CQ_RING)))
        r->rings = a;
    if (v->prot & PROT_WRITE && (a = mapping_of(v, r, IORING_OFF_SQES)))
        r->sqes = a;
    return r->rings && r->sqes;
}

/* The ring's flags, where it is known where they are. */
static bool find_words(const struct ring *from, struct ring *to)
{
    *to = *from;
    return to->rings && to->sqes && at.cqes && !mm_read_u32(to->rings + at.flags, &to->flags);
}

/* Where the ring fd, or the one registered as fd, is mapped in this process; false: nowhere, or not a ring. */
static bool find_ring(unsigned fd, bool by_number, struct ring *r)
{
    static _Thread_local struct ring last;
    uint64_t dev, ino;
    struct stat st;
    struct vma v;

    if (by_number) {
        if (fd >= sizeof(registered) / sizeof(registered[0]))
            return false;
        dev = registered[fd].dev;
        ino = registered[fd].ino;
    } else {
        if (fstat((int)fd, &st))
            return false;
        dev = st.st_dev;
        ino = st.st_ino;
    }
    if (last.ino == ino && last.dev == dev && mm_find(last.sqes, &v) &&
        mapping_of(&v, &last, IORING_OFF_SQES) && mm_find(last.rings, &v) &&
        (mapping_of(&v, &last, IORING_OFF_SQ_RING) || mapping_of(&v, &last, IORING_OFF_CQ_RING))) {
        *r = last;
    } else {
        *r = (struct ring){.dev = dev, .ino = ino};
        for (struct own_ring *o = __atomic_load_n(&own_rings, __ATOMIC_ACQUIRE); o; o = o->next)
            if (o->ring.ino == ino && o->ring.dev == dev)
                return find_words(&o->ring, r);
        mm_for_each(visit, r);
        last = *r;
    }
    return find_words(r, r);
}

static uint32_t ring_word(const struct ring *r, uint64_t offset)
{
    uint32_t v = 0;
    mm_read_u32(r->rings + offset, &v);
    return v;
}

/* Where the array of indices is: rings_size() in the kernel, which doubles what is before it, too. */
static uint64_t array_offset(uint32_t cq_entries, uint32_t flags)
{
    uint64_t size = at.cqes + (uint64_t)cq_entries * sizeof(struct io_uring_cqe);
    return ((size << !!(flags & RING_CQE32)) + 63) & ~UINT64_C(63); /* to a line of the cache */
}

/* Change what is going to be submitted, at most n; how many there are. */
static unsigned convert_ring(struct arena *a, const struct guest *g, const struct ring *r,
                             unsigned n, struct changed **list)
{
    uint32_t head = ring_word(r, at.head), mask = ring_word(r, at.mask);
    uint32_t ready = ring_word(r, at.tail) - head;
    unsigned sqe_size = sizeof(struct io_uring_sqe) << !!(r->flags & RING_SQE128);
    uint64_t array = array_offset(ring_word(r, at.cq_entries), r->flags);

    if (n > ready)
        n = ready;
    if (n > mask + 1)
        n = mask + 1;
    for (unsigned i = 0; i < n; i++) {
        uint32_t index = (head + i) & mask;
        if (!(r->flags & RING_NO_ARRAY))
            index = ring_word(r, array + (uint64_t)index * sizeof(uint32_t));
        uint64_t place = r->sqes + (uint64_t)index * sqe_size;
        struct io_uring_sqe s, was; /* of a larger one the driver's bytes follow */

        if (index > mask || mm_read(&was, place, sizeof(was)))
            continue; /* the kernel drops it */
        s = was;
        convert(a, g, &s);
        if (!memcmp(&s, &was, sizeof(s)) || mm_write(place, &s, sizeof(s)))
            continue;
        struct changed *c = arena_new(a, struct changed, 1);
        *c = (struct changed){*list, place, was, s};
        *list = c;
    }
    return n;
}

/* The kernel has the request, or has not taken it: a guest may submit it again as it lies there. Meanwhile another thread
 * may have filled the place anew, where it was taken: its words stay. */
static void put_back(const struct changed *c)
{
    uint64_t was[sizeof(c->was) / 8], is[sizeof(c->is) / 8];

    memcpy(was, &c->was, sizeof(was));
    memcpy(is, &c->is, sizeof(is));
    for (unsigned i = 0; i < sizeof(is) / 8; i++)
        if (is[i] != was[i])
            mm_cas_u64(c->place + 8 * (uint64_t)i, is[i], was[i]);
}

/* ---- the calls ---- */

/* Where the caller's memory is: the last member of both structs, resv2 before Linux 6.5. */
static uint64_t *user_addr(void *offsets)
{
    _Static_assert(sizeof(struct io_sqring_offsets) == 40 && sizeof(struct io_cqring_offsets) == 40,
                   "linux/io_uring.h");
    return (uint64_t *)offsets + 4;
}

static uint32_t power_of_2(uint32_t n)
{
    return n > 1 && n <= 1u << 16 ? 1u << (32 - __builtin_clz(n - 1)) : 1;
}

/* May that thread run on the processor that the guest wants? The kernel tells by making one. */
static int64_t try_polling(const struct io_uring_params *p)
{
    struct io_uring_params trial = {.flags = IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF,
                                    .sq_thread_cpu = p->sq_thread_cpu};
    int64_t fd = host_call(SYS_io_uring_setup, 1, (uintptr_t)&trial, 0, 0, 0, 0);
    return fd < 0 ? fd : host_call(SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
}

/* Note what the ring fd is like in its own flags. */
static int64_t mark_ring(int fd, uint32_t flags)
{
    int64_t rings = host_call(SYS_mmap, 0, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                              (uint64_t)fd, IORING_OFF_SQ_RING);
    if (rings < 0)
        return rings;
    __atomic_or_fetch((uint32_t *)(uintptr_t)(rings + at.flags), flags, __ATOMIC_SEQ_CST);
    host_call(SYS_munmap, (uint64_t)rings, GUEST_PAGE_SIZE, 0, 0, 0, 0);
    return 0;
}

/* The same of one that cannot be mapped, since it lies in the guest's memory; and where. */
static int64_t note_own_ring(int fd, struct io_uring_params *p, uint32_t flags)
{
    struct own_ring *o = calloc(1, sizeof(*o));
    uint32_t now;
    struct stat st;

    if (!o)
        return -ENOMEM;
    o->ring.rings = *user_addr(&p->cq_off);
    o->ring.sqes = *user_addr(&p->sq_off);
    if (fstat(fd, &st) || mm_read_u32(o->ring.rings + at.flags, &now) ||
        (now |= flags, mm_write(o->ring.rings + at.flags, &now, sizeof(now)))) {
        free(o);
        return -EFAULT;
    }
    o->ring.dev = st.st_dev;
    o->ring.ino = st.st_ino;
    o->next = __atomic_load_n(&own_rings, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&own_rings, &o->next, o, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
    return 0;
}

int64_t sys_io_uring_setup(struct thread *t, const uint64_t *a)
{
    struct io_uring_params p;
    int64_t fd, ret;
    uint32_t asked, flags;

    if (mm_read(&p, a[1], sizeof(p)))
        return -EFAULT;
    asked = p.flags;
    if (asked & ~SETUP_KNOWN || (asked & IORING_SETUP_SQPOLL && asked & SETUP_NOT_SQPOLL))
        return -EINVAL;
    if (asked & SETUP_NO_MMAP) {
        uint64_t n = power_of_2((uint32_t)a[0]), cqes = 2 * n;
        if (asked & IORING_SETUP_CQSIZE)
            cqes = power_of_2(p.cq_entries);
        *user_addr(&p.sq_off) =
            sys_out(*user_addr(&p.sq_off), n * sizeof(struct io_uring_sqe)
                                               << !!(asked & IORING_SETUP_SQE128));
        *user_addr(&p.cq_off) = sys_out(*user_addr(&p.cq_off),
                                        (cqes * sizeof(struct io_uring_cqe) + n * sizeof(uint32_t))
                                            << !!(asked & IORING_SETUP_CQE32));
    }
    if (asked & IORING_SETUP_SQPOLL)
        /* It would be the single issuer, whoever fills the ring. */
        p.flags &= ~(IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF | IORING_SETUP_SINGLE_ISSUER);
    if (asked & IORING_SETUP_SQPOLL && asked & IORING_SETUP_SQ_AFF && (ret = try_polling(&p)) < 0)
        return ret;
    fd = sig_syscall(t, SYS_io_uring_setup, a[0], (uintptr_t)&p, 0, 0, 0, 0);
    if (fd < 0)
        return fd;
    at.head = p.sq_off.head;
    at.tail = p.sq_off.tail;
    at.mask = p.sq_off.ring_mask;
    at.flags = p.sq_off.flags;
    at.cq_entries = p.cq_off.ring_entries;
    at.cqes = p.cq_off.cqes;
    p.flags = asked;
    p.features &= FEATURES_KNOWN;
    ret = 0;
    flags = (asked & IORING_SETUP_SQPOLL ? IORING_SQ_NEED_WAKEUP : 0) |
            (asked & IORING_SETUP_SQE128 ? RING_SQE128 : 0) |
            (asked & IORING_SETUP_CQE32 ? RING_CQE32 : 0) |
            (asked & SETUP_NO_SQARRAY ? RING_NO_ARRAY : 0);
    if (!(flags & RING_NO_ARRAY) && array_offset(p.cq_entries, flags) != p.sq_off.array)
        ret = -EINVAL; /* a kernel that has it elsewhere */
    else if (asked & SETUP_NO_MMAP)
        ret = note_own_ring((int)fd, &p, flags);
    else if (flags)
        ret = mark_ring((int)fd, flags);
    if (ret >= 0)
        ret = mm_write(a[1], &p, sizeof(p));
    if (ret < 0) {
        host_call(SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
        return ret;
    }
    return fd;
}

/* io_uring_enter with the signal mask that its last arguments name. */
static int64_t enter(struct thread *t, const uint64_t *a, uint64_t to_submit)
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
    ret = sig_syscall(t, SYS_io_uring_enter, a[0], to_submit, a[2], a[3], arg, argsz);
    sig_mask_end(t, ret);
    return ret;
}

int64_t sys_io_uring_enter(struct thread *t, const uint64_t *a)
{
    unsigned n = (unsigned)a[1], by_number = a[3] & IORING_ENTER_REGISTERED_RING;
    struct changed *list = NULL;
    struct arena arena;
    struct ring r;
    int64_t ret;
    bool polled;

    if (!n && !(a[3] & IORING_ENTER_SQ_WAKEUP))
        return enter(t, a, 0);
    if (!find_ring((unsigned)a[0], by_number, &r)) {
        /* Not a ring, as the kernel will say, or one that only other processes have mapped: what its requests say
         * cannot be seen. */
        ret =
            host_call(SYS_io_uring_enter, a[0], 0, 0, a[3] & ~(uint64_t)ENTER_ABOUT_WAITING, 0, 0);
        return ret < 0 ? ret : -EOPNOTSUPP;
    }
    polled = r.flags & IORING_SQ_NEED_WAKEUP;
    arena_init(&arena, 0);
    n = convert_ring(&arena, t->cpu.guest, &r, polled ? UINT32_MAX : n, &list);
    ret = enter(t, a, n);
    for (const struct changed *c = list; c; c = c->next)
        put_back(c);
    arena_free(&arena);
    /* What the thread that is not there would have submitted counts. */
    return polled && a[1] && ret != -SIG_RESTART ? (int64_t)(uint32_t)a[1] : ret;
}

/* IORING_REGISTER_RING_FDS has given the first n of these numbers, which are where it was told or wrote them. */
static void note_registered(uint64_t updates, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct io_uring_rsrc_update u;
        struct stat st;
        if (mm_read(&u, updates + (uint64_t)i * sizeof(u), sizeof(u)) || fstat((int)u.data, &st) ||
            u.offset >= sizeof(registered) / sizeof(registered[0]))
            continue;
        registered[u.offset].dev = st.st_dev;
        registered[u.offset].ino = st.st_ino;
    }
}

int64_t sys_io_uring_register(struct thread *t, const uint64_t *a)
{
    unsigned op = (unsigned)a[1] & ~REGISTER_USE_REGISTERED_RING;
    struct io_uring_probe probe;
    uint64_t arg = a[2] ? sys_in(a[2], 1) : 0;
    int64_t ret;

    if (op == REGISTER_RESIZE_RINGS)
        return -EINVAL;
    if (op == IORING_REGISTER_RING_FDS)
        arg = sys_out(a[2], (unsigned)a[3] * sizeof(struct io_uring_rsrc_update));
    ret = sig_syscall(t, SYS_io_uring_register, a[0], a[1], arg, a[3], 0, 0);
    if (op == IORING_REGISTER_RING_FDS)
        note_registered(a[2], ret);
    if (ret < 0 || op != IORING_REGISTER_PROBE || mm_read(&probe, a[2], sizeof(probe)))
        return ret;
    for (unsigned i = 0; i < probe.ops_len; i++) {
        struct io_uring_probe_op op;
        uint64_t place = a[2] + sizeof(probe) + i * sizeof(op);
        if (mm_read(&op, place, sizeof(op)) || op_known(op.op))
            continue;
        op.flags &= ~(unsigned)IO_URING_OP_SUPPORTED;
        mm_write(place, &op, sizeof(op));
    }
    return ret;
}

/* Asynchronous input and output: io_setup and its calls, and io_uring's rings. Expectations: io_submit(2),
 * io_uring(7), io_uring_register(2). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 4096
static char data[16 * CHUNK];

static int new_file(void)
{
    char name[] = "aioXXXXXX";
    int fd = EXPECT_OK(mkstemp(name));
    EXPECT_OK(unlink(name));
    return fd;
}

/* ---- the older interface ---- */

static int64_t submit(aio_context_t ctx, long n, struct iocb **list)
{
    return syscall(SYS_io_submit, ctx, n, list);
}

static void collect(aio_context_t ctx, int n, long each)
{
    struct io_event events[16];
    for (int have = 0; have < n;) {
        int got = EXPECT_OK(syscall(SYS_io_getevents, ctx, 1, 16, events, NULL));
        for (int i = 0; i < got; i++)
            EXPECT_EQ(events[i].res, each);
        have += got;
    }
}

static void old_calls(void)
{
    aio_context_t ctx = 0, other = 0;
    struct iocb cb[16], *list[16];
    struct io_event event;
    struct timespec soon = {.tv_nsec = 1000000};
    int fd = new_file();
    uint64_t count;

    if (syscall(SYS_io_setup, 16, &ctx) == -1 && errno == ENOSYS) {
        printf("no io_setup\n");
        return;
    }
    EXPECT(ctx != 0);
    EXPECT_ERR(syscall(SYS_io_setup, 16, &ctx), EINVAL);
    EXPECT_ERR(syscall(SYS_io_setup, 0, &other), EINVAL);
    EXPECT_ERR(syscall(SYS_io_setup, 1, BAD), EFAULT);
    EXPECT_OK(syscall(SYS_io_setup, 300, &other));
    EXPECT(other != ctx);
    /* Its name is the address of memory that is there. */
    EXPECT_OK(syscall(SYS_madvise, ctx, CHUNK, MADV_NORMAL));
    (void)*(volatile char *)ctx;

    memset(data, 'q', sizeof(data));
    for (int i = 0; i < 16; i++) {
        list[i] = &cb[i];
        cb[i] = (struct iocb){.aio_lio_opcode = IOCB_CMD_PWRITE,
                              .aio_fildes = (unsigned)fd,
                              .aio_buf = (uintptr_t)data + i * CHUNK,
                              .aio_nbytes = CHUNK,
                              .aio_offset = i * CHUNK};
    }
    EXPECT_EQ(submit(ctx, 16, list), 16);
    collect(ctx, 16, CHUNK);

    struct iovec iov[2] = {{data, 100}, {data + CHUNK, 28}};
    memset(data, 0, sizeof(data));
    int wake = EXPECT_OK(eventfd(0, 0));
    cb[0] = (struct iocb){.aio_lio_opcode = IOCB_CMD_PREADV,
                          .aio_fildes = (unsigned)fd,
                          .aio_buf = (uintptr_t)iov,
                          .aio_nbytes = 2,
                          .aio_offset = 77,
                          .aio_flags = IOCB_FLAG_RESFD,
                          .aio_resfd = (unsigned)wake,
                          .aio_data = 99};
    EXPECT_EQ(submit(other, 1, list), 1);
    EXPECT_EQ(read(wake, &count, sizeof(count)), 8);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(syscall(SYS_io_getevents, other, 0, 1, &event, &soon), 1);
    EXPECT_EQ(event.res, 128);
    EXPECT_EQ(event.data, 99);
    EXPECT_EQ(event.obj, (uintptr_t)&cb[0]);
    EXPECT(data[99] == 'q' && data[100] == 0 && data[CHUNK + 27] == 'q' && data[CHUNK + 28] == 0);
    EXPECT_EQ(syscall(SYS_io_getevents, other, 1, 1, &event, &soon), 0);

    /* The first bad one says why, a later one ends the list. */
    cb[1].aio_fildes = 999;
    cb[0].aio_flags = 0;
    EXPECT_EQ(submit(ctx, 2, list), 1);
    collect(ctx, 1, 128);
    EXPECT_ERR(submit(ctx, 1, list + 1), EBADF);
    list[2] = BAD;
    EXPECT_ERR(submit(ctx, 1, list + 2), EFAULT);
    EXPECT_ERR(submit(ctx, 1, BAD), EFAULT);
    EXPECT_ERR(submit(ctx, -1, list), EINVAL);
    EXPECT_EQ(submit(ctx, 0, list), 0);
    EXPECT_ERR(submit(0x1000, 1, list), EINVAL);

    EXPECT_OK(syscall(SYS_io_destroy, ctx));
    EXPECT_ERR(syscall(SYS_io_destroy, ctx), EINVAL);
    /* The place is free again. */
    EXPECT_EQ(mmap((void *)ctx, CHUNK, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                   -1, 0),
              ctx);
    EXPECT_OK(syscall(SYS_io_destroy, other));
    close(wake);
    close(fd);
}

/* ---- rings ---- */

#define NO_MMAP (1u << 14)             /* IORING_SETUP_NO_MMAP, Linux 6.5 */
#define NO_SQARRAY (1u << 16)          /* IORING_SETUP_NO_SQARRAY, Linux 6.6 */
#define USE_REGISTERED_RING (1u << 31) /* IORING_REGISTER_USE_REGISTERED_RING, Linux 6.3 */

static int ring;
static unsigned *sq_head, *sq_tail, *sq_mask, *sq_flags, *sq_array, *cq_head, *cq_tail, *cq_mask;
static struct io_uring_cqe *cqes;
static struct io_uring_sqe *sqes;
static unsigned sqe_shift, cqe_shift; /* entries of twice the size */
static int entered, enter_flags;      /* the ring by descriptor, or as it is registered */

static void *ring_map(size_t size, uint64_t offset)
{
    return (void *)EXPECT_OK(
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, (off_t)offset));
}

static struct io_uring_sqe *request(unsigned op, int fd, const void *addr, unsigned len,
                                    uint64_t off)
{
    unsigned tail = *sq_tail, at = (tail & *sq_mask) << sqe_shift;
    sqes[at] = (struct io_uring_sqe){.opcode = (uint8_t)op,
                                     .fd = fd,
                                     .addr = (uintptr_t)addr,
                                     .len = len,
                                     .off = off,
                                     .user_data = tail};
    if (sq_array)
        sq_array[tail & *sq_mask] = tail & *sq_mask;
    __atomic_store_n(sq_tail, tail + 1, __ATOMIC_RELEASE);
    return &sqes[at];
}

static int enter(unsigned to_submit, unsigned want)
{
    unsigned flags = enter_flags | (want ? IORING_ENTER_GETEVENTS : 0);

    if (__atomic_load_n(sq_flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
        flags |= IORING_ENTER_SQ_WAKEUP;
    return EXPECT_OK(syscall(SYS_io_uring_enter, entered, to_submit, want, flags, NULL, 0));
}

static int completion(void)
{
    unsigned head = *cq_head;
    EXPECT(head != __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE));
    int res = cqes[(head & *cq_mask) << cqe_shift].res;
    __atomic_store_n(cq_head, head + 1, __ATOMIC_RELEASE);
    return res;
}

static int one(void)
{
    EXPECT_EQ(enter(1, 1), 1);
    return completion();
}

static volatile int alarms;
static void on_alarm(int signo)
{
    (void)signo;
    alarms++;
}

/* Memory of our own for a ring, as the last member of the kernel's two structs of offsets names it. */
static char *own_memory(void *offsets)
{
    void *m = (void *)EXPECT_OK(
        mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ((uint64_t *)offsets)[4] = (uintptr_t)m;
    return m;
}

/* A new ring and its mappings; false: there is no io_uring here. */
static bool new_ring(struct io_uring_params *p)
{
    unsigned flags = p->flags;
    char *sq, *cq = NULL;

    if (flags & NO_MMAP) {
        cq = own_memory(&p->cq_off);
        sqes = (void *)own_memory(&p->sq_off);
    }

    ring = (int)syscall(SYS_io_uring_setup, 8, p);
    if (ring == -1 && (errno == ENOSYS || errno == EPERM)) {
        printf("no io_uring\n");
        return false;
    }
    EXPECT_OK(ring);
    entered = ring;
    enter_flags = 0;
    sqe_shift = !!(flags & IORING_SETUP_SQE128);
    cqe_shift = !!(flags & IORING_SETUP_CQE32);
    EXPECT_EQ(p->sq_entries, 8);
    EXPECT_EQ(p->flags, flags);
    sq = cq;
    if (!cq) {
        sq = ring_map(p->sq_off.array + p->sq_entries * 4, IORING_OFF_SQ_RING);
        cq = ring_map(p->cq_off.cqes + (p->cq_entries * sizeof(*cqes) << cqe_shift),
                      IORING_OFF_CQ_RING);
        sqes = ring_map(p->sq_entries * sizeof(*sqes) << sqe_shift, IORING_OFF_SQES);
    }
    sq_head = (void *)(sq + p->sq_off.head);
    sq_tail = (void *)(sq + p->sq_off.tail);
    sq_mask = (void *)(sq + p->sq_off.ring_mask);
    sq_flags = (void *)(sq + p->sq_off.flags);
    sq_array = flags & NO_SQARRAY ? NULL : (void *)(sq + p->sq_off.array);
    cq_head = (void *)(cq + p->cq_off.head);
    cq_tail = (void *)(cq + p->cq_off.tail);
    cq_mask = (void *)(cq + p->cq_off.ring_mask);
    cqes = (void *)(cq + p->cq_off.cqes);
    EXPECT_EQ(*sq_mask, 7);
    return true;
}

/* Requests that name files, flags and structs, each of which differs between machines. */
static void files_in_ring(void)
{
    struct io_uring_sqe *s;
    struct statx stx;
    char bytes[16];
    int fd, ep, event;

    EXPECT_OK(close(EXPECT_OK(open("file", O_RDWR | O_CREAT | O_EXCL, 0644))));
    EXPECT_OK(symlink("file", "link"));
    s = request(IORING_OP_OPENAT, AT_FDCWD, "file", 0, 0);
    s->open_flags = O_RDONLY | O_DIRECTORY;
    EXPECT_EQ(one(), -ENOTDIR);
    request(IORING_OP_OPENAT, AT_FDCWD, "link", 0, 0)->open_flags = O_RDONLY | O_NOFOLLOW;
    EXPECT_EQ(one(), -ELOOP);
    request(IORING_OP_OPENAT, AT_FDCWD, ".", 0, 0)->open_flags = O_RDONLY | O_DIRECTORY;
    fd = one();
    EXPECT(fd > 2);
    EXPECT(fcntl(fd, F_GETFL) & O_DIRECTORY);
    s = request(IORING_OP_OPENAT, fd, "new", 0600, 0);
    s->open_flags = O_RDWR | O_CREAT | O_EXCL;
    int file = one();
    EXPECT(file > 2);
    request(IORING_OP_WRITE, file, "twelve bytes", 12, 0);
    EXPECT_EQ(one(), 12);
    struct open_how {
        uint64_t flags, mode, resolve;
    } how = {.flags = O_RDONLY | O_NOFOLLOW};
    request(IORING_OP_OPENAT2, fd, "link", sizeof(how), (uintptr_t)&how);
    EXPECT_EQ(one(), -ELOOP);
    how.flags = O_RDONLY;
    request(IORING_OP_OPENAT2, fd, "new", sizeof(how), (uintptr_t)&how);
    int again = one();
    EXPECT(again > 2);
    EXPECT_EQ(read(again, bytes, sizeof(bytes)), 12);
    EXPECT_OK(close(again));
    how.resolve = 4; /* RESOLVE_NO_SYMLINKS */
    request(IORING_OP_OPENAT2, fd, "link", sizeof(how), (uintptr_t)&how);
    EXPECT_EQ(one(), -ELOOP);
    request(IORING_OP_OPENAT2, fd, "new", 8, (uintptr_t)&how);
    EXPECT_EQ(one(), -EINVAL);

    s = request(IORING_OP_STATX, fd, "new", 0x7ff /* STATX_BASIC_STATS */, (uintptr_t)&stx);
    EXPECT_EQ(one(), 0);
    EXPECT_EQ(stx.stx_size, 12);
    request(IORING_OP_STATX, fd, "new", 0x7ff, (uintptr_t)BAD);
    EXPECT_EQ(one(), -EFAULT);
    request(IORING_OP_STATX, fd, "none", 0x7ff, (uintptr_t)&stx);
    EXPECT_EQ(one(), -ENOENT);
    request(IORING_OP_RENAMEAT, fd, "new", (unsigned)fd, (uintptr_t) "newer");
    EXPECT_EQ(one(), 0);
    request(IORING_OP_LINKAT, fd, "newer", (unsigned)fd, (uintptr_t) "other");
    EXPECT_EQ(one(), 0);
    request(IORING_OP_MKDIRAT, fd, "dir", 0700, 0);
    EXPECT_EQ(one(), 0);
    request(IORING_OP_SYMLINKAT, fd, "other", 0, (uintptr_t) "dir/soft");
    EXPECT_EQ(one(), 0);
    EXPECT_EQ(readlink("dir/soft", bytes, sizeof(bytes)), 5);
    for (const char *const *name =
             (const char *const[]){"dir/soft", "other", "newer", "link", "file", 0};
         *name; name++) {
        request(IORING_OP_UNLINKAT, fd, *name, 0, 0);
        EXPECT_EQ(one(), 0);
    }
    request(IORING_OP_UNLINKAT, fd, "dir", 0, 0)->unlink_flags = AT_REMOVEDIR;
    EXPECT_EQ(one(), 0);
    EXPECT_EQ(access("dir", F_OK), -1);
    request(IORING_OP_CLOSE, file, NULL, 0, 0);
    EXPECT_EQ(one(), 0);
    EXPECT_OK(close(fd));

    ep = EXPECT_OK(epoll_create1(0));
    event = EXPECT_OK(eventfd(1, 0));
    struct epoll_event ask = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0}, told;
    request(IORING_OP_EPOLL_CTL, ep, &ask, EPOLL_CTL_ADD, (uint64_t)event);
    EXPECT_EQ(one(), 0);
    EXPECT_EQ(epoll_wait(ep, &told, 1, 1000), 1);
    EXPECT_EQ(told.data.u64, 0x123456789abcdef0);
    request(IORING_OP_EPOLL_CTL, ep, NULL, EPOLL_CTL_DEL, (uint64_t)event);
    EXPECT_EQ(one(), 0);
    EXPECT_EQ(epoll_wait(ep, &told, 1, 0), 0);
    request(IORING_OP_EPOLL_CTL, ep, BAD, EPOLL_CTL_ADD, (uint64_t)event);
    EXPECT_EQ(one(), -EFAULT);
    close(event);
    close(ep);
}

/* A request stays as its owner wrote it, who may submit it again. */
static void again(void)
{
    struct io_uring_sqe *s, was;

    s = request(IORING_OP_OPENAT, AT_FDCWD, ".", 0, 0);
    s->open_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    was = *s;
    for (int i = 0; i < 3; i++) {
        int fd = one();
        EXPECT(fd > 2);
        EXPECT(fcntl(fd, F_GETFL) & O_DIRECTORY);
        EXPECT_OK(close(fd));
        EXPECT_EQ(memcmp(s, &was, sizeof(was)), 0);
        sq_array[*sq_tail & *sq_mask] = (unsigned)(s - sqes);
        __atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
    }
    EXPECT_EQ(enter(1, 1), 1);
    EXPECT_OK(close(completion()));
}

/* A request that the kernel has not taken is as its owner wrote it; and so it is taken later. The one before it in the
 * submission is bad, which ends it (io_uring_setup(2), IORING_SETUP_SUBMIT_ALL). */
static void not_taken(void)
{
    struct io_uring_sqe *s, was;

    request(255, -1, NULL, 0, 0);
    s = request(IORING_OP_OPENAT, AT_FDCWD, ".", 0, 0);
    s->open_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    was = *s;
    EXPECT_EQ(enter(2, 1), 1);
    EXPECT_EQ(completion(), -EINVAL);
    EXPECT_EQ(memcmp(s, &was, sizeof(was)), 0);
    int fd = one();
    EXPECT(fd > 2);
    EXPECT_OK(close(fd));
}

/* That thread is the single issuer, for whatever process fills the ring. */
static void polled_by_a_child(void)
{
    struct io_uring_params p = {.flags = IORING_SETUP_SQPOLL | IORING_SETUP_SINGLE_ISSUER,
                                .sq_thread_idle = 1};
    int status;

    if (!new_ring(&p))
        return;
    request(IORING_OP_NOP, -1, NULL, 0, 0);
    EXPECT_EQ(enter(1, 1), 1);
    EXPECT_EQ(completion(), 0);
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        request(IORING_OP_NOP, -1, NULL, 0, 0);
        EXPECT_EQ(enter(1, 1), 1);
        exit(completion() == 0 ? 6 : 1);
    }
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 6 << 8);
    EXPECT_OK(close(ring));
}

/* The kernel's thread takes requests, woken when it sleeps. */
static void polled_ring(void)
{
    struct io_uring_params p = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1};
    int pipes[2];

    if (!new_ring(&p))
        return;
    files_in_ring();
    EXPECT_OK(pipe(pipes));
    request(IORING_OP_READ, pipes[0], data, 3, 0);
    EXPECT_EQ(enter(1, 0), 1);
    request(IORING_OP_WRITE, pipes[1], "abc", 3, 0);
    EXPECT_EQ(enter(1, 2), 1);
    EXPECT_EQ(completion(), 3);
    EXPECT_EQ(completion(), 3);
    EXPECT_EQ(*sq_head, *sq_tail);
    close(pipes[0]);
    close(pipes[1]);
    EXPECT_OK(close(ring));
    p = (struct io_uring_params){.flags = IORING_SETUP_SQPOLL | IORING_SETUP_DEFER_TASKRUN |
                                          IORING_SETUP_SINGLE_ISSUER};
    EXPECT_ERR(syscall(SYS_io_uring_setup, 8, &p), EINVAL);
    p = (struct io_uring_params){.flags = IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF,
                                 .sq_thread_cpu = 1u << 20};
    EXPECT_ERR(syscall(SYS_io_uring_setup, 8, &p), EINVAL);
    p = (struct io_uring_params){.flags = IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF,
                                 .sq_thread_cpu = 0};
    EXPECT_OK(close(EXPECT_OK(syscall(SYS_io_uring_setup, 8, &p))));
    p = (struct io_uring_params){.flags = IORING_SETUP_SQ_AFF};
    EXPECT_ERR(syscall(SYS_io_uring_setup, 8, &p), EINVAL);
    p = (struct io_uring_params){.flags = 1u << 31};
    EXPECT_ERR(syscall(SYS_io_uring_setup, 8, &p), EINVAL);
}

/* Rings of other shapes, with enough requests that each place is used, and some that have to be changed for the host. */
static void shapes(void)
{
    static const unsigned flags[] = {NO_SQARRAY,
                                     IORING_SETUP_SQE128,
                                     IORING_SETUP_CQE32,
                                     IORING_SETUP_SQE128 | IORING_SETUP_CQE32 | NO_SQARRAY,
                                     IORING_SETUP_SQPOLL | IORING_SETUP_SQE128,
                                     NO_MMAP,
                                     NO_MMAP | NO_SQARRAY | IORING_SETUP_CQE32,
                                     NO_MMAP | IORING_SETUP_SQPOLL};
    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        struct io_uring_params p = {.flags = flags[i]};
        if (!new_ring(&p))
            return;
        files_in_ring();
        for (int k = 0; k < 20; k++) {
            request(IORING_OP_NOP, -1, NULL, 0, 0);
            request(IORING_OP_OPENAT, AT_FDCWD, ".", 0, 0)->open_flags = O_RDONLY | O_DIRECTORY;
            EXPECT_EQ(enter(2, 2), 2);
            EXPECT_EQ(completion(), 0);
            int fd = completion();
            EXPECT(fd > 2);
            EXPECT(fcntl(fd, F_GETFL) & O_DIRECTORY);
            EXPECT_OK(close(fd));
        }
        EXPECT_OK(close(ring));
    }
}

/* Known to the kernel by a number, even when the descriptor is closed. */
static void registered_ring(void)
{
    struct io_uring_params p = {0};
    struct io_uring_rsrc_update u[2] = {{.offset = -1U}, {.offset = 3}};
    struct {
        struct io_uring_probe head;
        struct io_uring_probe_op op[256];
    } probe = {0};

    if (!new_ring(&p))
        return;
    u[0].data = u[1].data = (unsigned)ring;
    EXPECT_ERR(syscall(SYS_io_uring_enter, 0, 1, 0, IORING_ENTER_REGISTERED_RING, NULL, 0), EBADF);
    EXPECT_ERR(syscall(SYS_io_uring_register, ring, IORING_REGISTER_RING_FDS, BAD, 1), EFAULT);
    EXPECT_EQ(syscall(SYS_io_uring_register, ring, IORING_REGISTER_RING_FDS, u, 2), 2);
    EXPECT_EQ(u[0].offset, 0);
    EXPECT_EQ(u[1].offset, 3);
    EXPECT_OK(close(ring));
    enter_flags = IORING_ENTER_REGISTERED_RING;
    for (int i = 0; i < 2; i++) {
        entered = (int)u[i].offset;
        files_in_ring();
    }
    if (p.features & 1u << 13) /* IORING_FEAT_REG_REG_RING, Linux 6.3 */
        EXPECT_OK(syscall(SYS_io_uring_register, 3, IORING_REGISTER_PROBE | USE_REGISTERED_RING,
                          &probe, 256));
    u[0].data = 0;
    EXPECT_EQ(
        syscall(SYS_io_uring_register, 3, IORING_UNREGISTER_RING_FDS | USE_REGISTERED_RING, u, 1),
        1);
    EXPECT_EQ(enter(0, 0), 0);
    entered = 0;
    EXPECT_ERR(syscall(SYS_io_uring_enter, 0, 1, 0, IORING_ENTER_REGISTERED_RING, NULL, 0), EBADF);
    enter_flags = 0;
}

static void rings(void)
{
    struct io_uring_params p = {0};
    struct {
        struct io_uring_probe head;
        struct io_uring_probe_op op[256];
    } probe = {0};
    int fd = new_file(), pipes[2];

    EXPECT_ERR(syscall(SYS_io_uring_setup, 8, BAD), EFAULT);
    if (!new_ring(&p)) {
        close(fd);
        return;
    }

    memset(data, 'x', sizeof(data));
    request(IORING_OP_NOP, -1, NULL, 0, 0);
    EXPECT_EQ(one(), 0);
    request(IORING_OP_WRITE, fd, data, sizeof(data), 0);
    EXPECT_EQ(one(), sizeof(data));
    memset(data, 0, sizeof(data));
    struct iovec iov[2] = {{data, 10}, {data + 100, 5}};
    request(IORING_OP_READV, fd, iov, 2, 1);
    EXPECT_EQ(one(), 15);
    EXPECT(data[9] == 'x' && data[10] == 0 && data[104] == 'x' && data[105] == 0);
    request(IORING_OP_READ, fd, BAD, 10, 0);
    EXPECT_EQ(one(), -EFAULT);
    request(IORING_OP_READ, 999, data, 10, 0);
    EXPECT_EQ(one(), -EBADF);
    request(255, fd, NULL, 0, 0);
    EXPECT_EQ(one(), -EINVAL);

    struct iovec fixed = {data, sizeof(data)};
    EXPECT_OK(syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &fixed, 1));
    request(IORING_OP_READ_FIXED, fd, data + CHUNK, CHUNK, 0);
    EXPECT_EQ(one(), CHUNK);
    EXPECT(data[2 * CHUNK - 1] == 'x' && data[2 * CHUNK] == 0);
    EXPECT_ERR(syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &fixed, 1), EBUSY);
    EXPECT_ERR(syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, BAD, 1), EFAULT);
    EXPECT_OK(syscall(SYS_io_uring_register, ring, IORING_REGISTER_PROBE, &probe, 256));
    EXPECT(probe.head.last_op >= IORING_OP_SEND_ZC);
    EXPECT(probe.op[IORING_OP_READ].flags & IO_URING_OP_SUPPORTED);

    files_in_ring();
    again();
    not_taken();

    /* One that waits, completed by a write; one that waits for a time; requests tied together. */
    EXPECT_OK(pipe(pipes));
    request(IORING_OP_POLL_ADD, pipes[0], NULL, 0, 0)->poll32_events = POLLIN;
    EXPECT_EQ(enter(1, 0), 1);
    EXPECT_EQ(write(pipes[1], "z", 1), 1);
    EXPECT_EQ(enter(0, 1), 0);
    EXPECT(completion() & POLLIN);
    struct {
        int64_t sec, nsec;
    } soon = {.nsec = 2000000};
    request(IORING_OP_TIMEOUT, -1, &soon, 1, 0);
    EXPECT_EQ(one(), -ETIME);
    request(IORING_OP_WRITE, pipes[1], "abc", 3, 0)->flags = IOSQE_IO_LINK;
    request(IORING_OP_READ, pipes[0], data, 100, 0);
    EXPECT_EQ(enter(2, 2), 2);
    EXPECT_EQ(completion(), 3);
    EXPECT_EQ(completion(), 4);
    EXPECT(memcmp(data, "zabc", 4) == 0);

    /* Waiting ends by a signal, which is seen at once; and not by one that is blocked meanwhile. */
    struct sigaction act = {.sa_handler = on_alarm};
    struct itimerspec in = {.it_value.tv_nsec = 20000000};
    sigset_t block;
    timer_t timer;
    EXPECT_OK(sigaction(SIGALRM, &act, NULL));
    EXPECT_OK(timer_create(CLOCK_MONOTONIC, NULL, &timer));
    EXPECT_OK(timer_settime(timer, 0, &in, NULL));
    EXPECT_ERR(syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0), EINTR);
    EXPECT_EQ(alarms, 1);
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    struct io_uring_getevents_arg ext = {.sigmask = (uintptr_t)&block, .sigmask_sz = 8};
    struct {
        int64_t sec, nsec;
    } later = {.nsec = 80000000};
    ext.ts = (uintptr_t)&later;
    EXPECT_OK(timer_settime(timer, 0, &in, NULL));
    EXPECT_ERR(syscall(SYS_io_uring_enter, ring, 0, 1,
                       IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &ext, sizeof(ext)),
               ETIME);
    EXPECT_EQ(alarms, 2);
    EXPECT_ERR(syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, &block, 7), EINVAL);
    EXPECT_ERR(syscall(SYS_io_uring_enter, fd, 0, 0, 0, NULL, 0), EOPNOTSUPP);
    EXPECT_ERR(syscall(SYS_io_uring_enter, ring, 1, 0, ~0U, NULL, 0), EINVAL);
    EXPECT_ERR(mmap((void *)((uintptr_t)sqes & -4096UL), CHUNK, PROT_READ, MAP_SHARED | MAP_FIXED,
                    ring, 0),
               EINVAL);
    EXPECT_OK(munmap(sqes, p.sq_entries * sizeof(*sqes)));
    EXPECT_OK(close(ring));
}

int main(void)
{
    old_calls();
    rings();
    polled_ring();
    polled_by_a_child();
    shapes();
    registered_ring();
    printf("ok\n");
    return 0;
}

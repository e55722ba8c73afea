/* Asynchronous input and output: io_setup and its calls, and io_uring's rings. Expectations: io_submit(2),
 * io_uring(7), io_uring_register(2). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
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

static int ring;
static unsigned *sq_head, *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
static struct io_uring_cqe *cqes;
static struct io_uring_sqe *sqes;

static void *ring_map(size_t size, uint64_t offset)
{
    return (void *)EXPECT_OK(
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, (off_t)offset));
}

static struct io_uring_sqe *request(unsigned op, int fd, const void *addr, unsigned len,
                                    uint64_t off)
{
    unsigned tail = *sq_tail, at = tail & *sq_mask;
    sqes[at] = (struct io_uring_sqe){.opcode = (uint8_t)op,
                                     .fd = fd,
                                     .addr = (uintptr_t)addr,
                                     .len = len,
                                     .off = off,
                                     .user_data = tail};
    sq_array[at] = at;
    __atomic_store_n(sq_tail, tail + 1, __ATOMIC_RELEASE);
    return &sqes[at];
}

static int enter(unsigned to_submit, unsigned want)
{
    return EXPECT_OK(syscall(SYS_io_uring_enter, ring, to_submit, want,
                             want ? IORING_ENTER_GETEVENTS : 0, NULL, 0));
}

static int completion(void)
{
    unsigned head = *cq_head;
    EXPECT(head != __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE));
    int res = cqes[head & *cq_mask].res;
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

static void rings(void)
{
    struct io_uring_params p = {0};
    struct {
        struct io_uring_probe head;
        struct io_uring_probe_op op[256];
    } probe = {0};
    int fd = new_file(), pipes[2];

    EXPECT_ERR(syscall(SYS_io_uring_setup, 8, BAD), EFAULT);
    ring = (int)syscall(SYS_io_uring_setup, 8, &p);
    if (ring == -1 && (errno == ENOSYS || errno == EPERM)) {
        printf("no io_uring\n");
        return;
    }
    EXPECT_OK(ring);
    EXPECT_EQ(p.sq_entries, 8);
    EXPECT_EQ(p.flags, 0);
    char *sq = ring_map(p.sq_off.array + p.sq_entries * 4, IORING_OFF_SQ_RING);
    char *cq = ring_map(p.cq_off.cqes + p.cq_entries * sizeof(*cqes), IORING_OFF_CQ_RING);
    sqes = ring_map(p.sq_entries * sizeof(*sqes), IORING_OFF_SQES);
    sq_head = (void *)(sq + p.sq_off.head);
    sq_tail = (void *)(sq + p.sq_off.tail);
    sq_mask = (void *)(sq + p.sq_off.ring_mask);
    sq_array = (void *)(sq + p.sq_off.array);
    cq_head = (void *)(cq + p.cq_off.head);
    cq_tail = (void *)(cq + p.cq_off.tail);
    cq_mask = (void *)(cq + p.cq_off.ring_mask);
    cqes = (void *)(cq + p.cq_off.cqes);
    EXPECT_EQ(*sq_mask, 7);

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

    /* Who has a feature of Linux 5.7 is taken to have epoll_ctl of 5.6. */
    if (p.features & IORING_FEAT_FAST_POLL) {
        int ep = EXPECT_OK(epoll_create1(0)), event = EXPECT_OK(eventfd(1, 0));
        struct epoll_event ask = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0}, told;
        request(IORING_OP_EPOLL_CTL, ep, &ask, EPOLL_CTL_ADD, (uint64_t)event);
        EXPECT_EQ(one(), 0);
        EXPECT_EQ(epoll_wait(ep, &told, 1, 1000), 1);
        EXPECT_EQ(told.data.u64, 0x123456789abcdef0);
        close(event);
        close(ep);
    }

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
    EXPECT_ERR(mmap(sq, CHUNK, PROT_READ, MAP_SHARED | MAP_FIXED, ring, 0), EINVAL);
    EXPECT_OK(munmap(sqes, p.sq_entries * sizeof(*sqes)));
    EXPECT_OK(close(ring));
}

int main(void)
{
    old_calls();
    rings();
    printf("ok\n");
    return 0;
}

/* Waiting: poll, select, epoll with its arrays, temporary signal masks; eventfd, timerfd, signalfd. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t caught, mask_in_handler;

static void on_usr1(int sig)
{
    sigset_t now;

    caught = sig;
    sigprocmask(SIG_BLOCK, NULL, &now);
    mask_in_handler = (sigismember(&now, SIGUSR1) ? 1 : 0) | (sigismember(&now, SIGUSR2) ? 2 : 0) |
                      (sigismember(&now, SIGHUP) ? 4 : 0);
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void test_poll(void)
{
    int p[2], q[2];
    EXPECT_OK(pipe(p));
    EXPECT_OK(pipe(q));
    struct pollfd f[4] = {
        {.fd = p[0], .events = POLLIN, .revents = 0x55},
        {.fd = p[1], .events = POLLOUT},
        {.fd = -1, .events = POLLIN, .revents = 0x55},
        {.fd = 999, .events = POLLIN},
    };
    EXPECT_EQ(poll(f, 4, 1000), 2);
    EXPECT_EQ(f[0].revents, 0);
    EXPECT_EQ(f[1].revents, POLLOUT);
    EXPECT_EQ(f[2].revents, 0);
    EXPECT_EQ(f[3].revents, POLLNVAL);
    close(q[1]);
    f[0].fd = q[0];
    EXPECT_EQ(poll(f, 1, 1000), 1);
    EXPECT_EQ(f[0].revents, POLLHUP);
    f[0].fd = p[0];
    int64_t t0 = now_ms();
    EXPECT_EQ(poll(f, 1, 40), 0);
    EXPECT(now_ms() - t0 >= 39);
    /* The raw call writes the rest of the time back. */
    struct timespec ts = {.tv_nsec = 30000000};
    EXPECT_EQ(syscall(SYS_ppoll, f, 1, &ts, NULL, 8), 0);
    EXPECT_EQ(ts.tv_nsec, 0);
    ts.tv_sec = 100;
    EXPECT_EQ(syscall(SYS_ppoll, f + 1, 1, &ts, NULL, 8), 1);
    EXPECT(ts.tv_sec == 99 || ts.tv_sec == 100);
    EXPECT_ERR(syscall(SYS_ppoll, BAD, 1, &ts, NULL, 8), EFAULT);
    EXPECT_ERR(syscall(SYS_ppoll, f, 1, BAD, NULL, 8), EFAULT);
    EXPECT_ERR(syscall(SYS_ppoll, f, 1, &ts, BAD, 8), EFAULT);
    EXPECT_ERR(syscall(SYS_ppoll, f, 1, &ts, &ts, 4), EINVAL);
    ts.tv_nsec = 1000000000;
    EXPECT_ERR(syscall(SYS_ppoll, f, 1, &ts, NULL, 8), EINVAL);
    struct rlimit rl;
    EXPECT_OK(getrlimit(RLIMIT_NOFILE, &rl));
    EXPECT_ERR(poll(f, rl.rlim_cur + 1, 0), EINVAL);

    fd_set r, w;
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(p[0], &r);
    FD_SET(p[1], &w);
    struct timeval tv = {.tv_sec = 1};
    EXPECT_EQ(select(p[1] + 1, &r, &w, NULL, &tv), 1);
    EXPECT(!FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
    EXPECT_EQ(write(p[1], "x", 1), 1);
    FD_SET(p[0], &r);
    EXPECT_EQ(select(p[1] + 1, &r, &w, NULL, NULL), 2);
    FD_ZERO(&r);
    FD_SET(50, &r); /* below the size of the smallest descriptor table */
    EXPECT_ERR(select(51, &r, NULL, NULL, &tv), EBADF);
    EXPECT_ERR(select(-1, NULL, NULL, NULL, &tv), EINVAL);
    EXPECT_ERR(select(10, BAD, NULL, NULL, &tv), EFAULT);
    t0 = now_ms();
    tv = (struct timeval){.tv_usec = 30000};
    EXPECT_EQ(select(0, NULL, NULL, NULL, &tv), 0);
    EXPECT(now_ms() - t0 >= 29);
    close(p[0]);
    close(p[1]);
    close(q[0]);
    verified("poll, ppoll, select: results, timeouts and their rest, errors");
}

/* SIGUSR1 is blocked but for the duration of a call, in whose course, or before it, it comes. */
static void test_masks(void)
{
    sigset_t block, old, open;
    int p[2];
    struct sigaction act = {.sa_handler = on_usr1};
    struct timespec ts = {.tv_sec = 5}, zero = {0, 0};

    EXPECT_OK(pipe(p));
    EXPECT_OK(sigaction(SIGUSR1, &act, NULL));
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    EXPECT_OK(sigprocmask(SIG_BLOCK, &block, &old));
    sigemptyset(&open);
    sigaddset(&open, SIGUSR2);
    struct pollfd f = {.fd = p[0], .events = POLLIN};

    caught = 0;
    raise(SIGUSR1);
    EXPECT_EQ(caught, 0);
    EXPECT_EQ(poll(&f, 1, 10), 0);
    EXPECT_ERR(ppoll(&f, 1, &ts, &open), EINTR);
    EXPECT_EQ(caught, SIGUSR1);
    /* In the handler: the temporary mask and the signal itself, not what was blocked before. */
    EXPECT_EQ(mask_in_handler, 1 | 2);
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    EXPECT(sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));

    caught = 0;
    raise(SIGUSR1);
    fd_set r;
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    EXPECT_ERR(pselect(p[0] + 1, &r, NULL, NULL, &ts, &open), EINTR);
    EXPECT_EQ(caught, SIGUSR1);
    EXPECT_EQ(mask_in_handler, 1 | 2);

    caught = 0;
    raise(SIGUSR1);
    int ep = EXPECT_OK(epoll_create1(0));
    struct epoll_event ev;
    EXPECT_ERR(epoll_pwait(ep, &ev, 1, 5000, &open), EINTR);
    EXPECT_EQ(caught, SIGUSR1);
    EXPECT_EQ(mask_in_handler, 1 | 2);

    /* Something ready: no signal is taken. */
    caught = 0;
    raise(SIGUSR1);
    EXPECT_EQ(write(p[1], "x", 1), 1);
    EXPECT_EQ(ppoll(&f, 1, &ts, &open), 1);
    EXPECT_EQ(caught, 0);
    ev.events = EPOLLIN;
    EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
    EXPECT_EQ(epoll_pwait(ep, &ev, 1, 5000, &open), 1);
    EXPECT_EQ(caught, 0);
    /* From another process, while waiting. */
    char c;
    EXPECT_EQ(read(p[0], &c, 1), 1);
    EXPECT_ERR(ppoll(&f, 1, &zero, &open), EINTR); /* the one still pending */
    EXPECT_EQ(caught, SIGUSR1);
    for (int i = 0; i < 3; i++) {
        pid_t pid = EXPECT_OK(fork());
        if (pid == 0) {
            usleep(30000);
            _exit(kill(getppid(), SIGUSR1) != 0);
        }
        caught = 0;
        if (i == 0)
            EXPECT_ERR(ppoll(&f, 1, &ts, &open), EINTR);
        else if (i == 1)
            EXPECT_ERR(pselect(0, NULL, NULL, NULL, &ts, &open), EINTR);
        else
            EXPECT_ERR(epoll_pwait(ep, &ev, 1, -1, &open), EINTR);
        EXPECT_EQ(caught, SIGUSR1);
        EXPECT_EQ(waitpid(pid, NULL, 0), pid);
    }
    EXPECT_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    close(ep);
    close(p[0]);
    close(p[1]);
    verified("temporary signal masks of ppoll, pselect, epoll_pwait");
}

static void test_epoll(void)
{
    enum { N = 150 };
    int ep = EXPECT_OK(epoll_create1(EPOLL_CLOEXEC)), fd[N];
    struct epoll_event ev = {0}, got[N + 10];
    unsigned char seen[N];

    EXPECT_EQ(fcntl(ep, F_GETFD), FD_CLOEXEC);
    for (int i = 0; i < N; i++) {
        fd[i] = EXPECT_OK(eventfd(0, EFD_NONBLOCK));
        ev.events = EPOLLIN;
        ev.data.u64 = UINT64_C(0xfedcba9800000000) + i;
        EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &ev));
    }
    EXPECT_EQ(epoll_wait(ep, got, N, 0), 0);
    for (int i = 0; i < N; i++)
        EXPECT_EQ(write(fd[i], &(uint64_t){1}, 8), 8);
    memset(got, 0xee, sizeof got);
    EXPECT_EQ(epoll_wait(ep, got, N + 9, 1000), N);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < N; i++) {
        EXPECT_EQ(got[i].events, EPOLLIN);
        EXPECT_EQ(got[i].data.u64 >> 32, 0xfedcba98);
        EXPECT((uint32_t)got[i].data.u64 < N);
        seen[(uint32_t)got[i].data.u64]++;
    }
    EXPECT(memchr(seen, 0, N) == NULL);
    EXPECT_EQ(got[N].events, 0xeeeeeeee);
    EXPECT_EQ(epoll_wait(ep, got, 7, 1000), 7);
    /* The largest array that may be claimed. */
    EXPECT_ERR(syscall(SYS_epoll_pwait, ep, got, 0x7fffffff / sizeof *got + 1, 0, NULL, 8), EINVAL);
    EXPECT_ERR(epoll_wait(ep, got, 0, 0), EINVAL);
    EXPECT_ERR(syscall(SYS_epoll_pwait, ep, got, -1, 0, NULL, 8), EINVAL);
    EXPECT_ERR(epoll_wait(ep, BAD, 5, 0), EFAULT);
    EXPECT_ERR(epoll_wait(fd[0], got, 5, 0), EINVAL);
    EXPECT_ERR(epoll_wait(-1, got, 5, 0), EBADF);
    /* After the failure nothing is lost. */
    EXPECT_EQ(epoll_wait(ep, got, N, 0), N);

    ev = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.fd = -5};
    EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_MOD, fd[3], &ev));
    for (int i = 0; i < N; i++)
        if (i != 3)
            EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_DEL, fd[i], BAD));
    EXPECT_EQ(epoll_wait(ep, got, N, 0), 1);
    EXPECT_EQ(got[0].data.fd, -5);
    EXPECT_EQ(epoll_wait(ep, got, N, 0), 0);
    ev.events = EPOLLIN | EPOLLONESHOT;
    EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_MOD, fd[3], &ev));
    EXPECT_EQ(epoll_wait(ep, got, N, 0), 1);
    EXPECT_EQ(epoll_wait(ep, got, N, 0), 0);
    EXPECT_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, fd[3], &ev), EEXIST);
    EXPECT_ERR(epoll_ctl(ep, EPOLL_CTL_MOD, fd[4], &ev), ENOENT);
    EXPECT_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), EINVAL);
    EXPECT_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, fd[5], BAD), EFAULT);
    EXPECT_ERR(epoll_ctl(ep, 77, fd[5], &ev), EINVAL);
#ifdef SYS_epoll_pwait2
    struct timespec ts = {.tv_nsec = 20000000};
    int64_t t0 = now_ms();
    EXPECT_EQ(syscall(SYS_epoll_pwait2, ep, got, 5, &ts, NULL, 8), 0);
    EXPECT(now_ms() - t0 >= 19 && now_ms() - t0 < 2000);
    EXPECT_ERR(syscall(SYS_epoll_pwait2, ep, got, 5, BAD, NULL, 8), EFAULT);
#endif
    for (int i = 0; i < N; i++)
        close(fd[i]);
    close(ep);
    verified("epoll: 150 descriptors, 64-bit data, edge and one-shot, errors");
}

static void test_event_fds(void)
{
    uint64_t v;
    int e = EXPECT_OK(eventfd(3, EFD_SEMAPHORE | EFD_CLOEXEC));
    EXPECT_EQ(read(e, &v, 8), 8);
    EXPECT_EQ(v, 1);
    EXPECT_ERR(read(e, &v, 4), EINVAL);
    EXPECT_ERR(eventfd(0, 0x40000000), EINVAL);
    close(e);

    int t = EXPECT_OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    struct itimerspec its = {.it_value = {0, 20000000}, .it_interval = {0, 10000000}}, cur;
    EXPECT_ERR(read(t, &v, 8), EAGAIN);
    EXPECT_OK(timerfd_settime(t, 0, &its, NULL));
    EXPECT_OK(timerfd_gettime(t, &cur));
    EXPECT_EQ(cur.it_interval.tv_nsec, 10000000);
    EXPECT(cur.it_value.tv_nsec > 0 && cur.it_value.tv_nsec <= 20000000);
    usleep(60000);
    EXPECT_EQ(read(t, &v, 8), 8);
    EXPECT(v >= 3);
    memset(&its, 0, sizeof its);
    EXPECT_OK(timerfd_settime(t, 0, &its, &cur));
    EXPECT_EQ(cur.it_interval.tv_nsec, 10000000);
    EXPECT_ERR(timerfd_settime(t, 0, BAD, NULL), EFAULT);
    EXPECT_ERR(timerfd_gettime(t, BAD), EFAULT);
    EXPECT_ERR(timerfd_gettime(0, &cur), EINVAL);
    close(t);

    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN + 1);
    EXPECT_OK(sigprocmask(SIG_BLOCK, &set, &old));
    int s = EXPECT_OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    struct signalfd_siginfo si[2];
    EXPECT_ERR(read(s, si, sizeof si), EAGAIN);
    union sigval sv = {.sival_ptr = (void *)0x123456789abcdef0};
    EXPECT_OK(kill(getpid(), SIGUSR2));
    EXPECT_OK(sigqueue(getpid(), SIGRTMIN + 1, sv));
    struct pollfd f = {.fd = s, .events = POLLIN};
    EXPECT_EQ(poll(&f, 1, 1000), 1);
    EXPECT_EQ(read(s, si, sizeof si), sizeof si);
    EXPECT_EQ(si[0].ssi_signo, SIGUSR2);
    EXPECT_EQ(si[0].ssi_pid, getpid());
    EXPECT_EQ(si[1].ssi_signo, SIGRTMIN + 1);
    EXPECT_EQ(si[1].ssi_ptr, 0x123456789abcdef0);
    EXPECT_EQ(si[1].ssi_code, SI_QUEUE);
    EXPECT_ERR(syscall(SYS_signalfd4, -1, BAD, 8, 0), EFAULT);
    EXPECT_ERR(syscall(SYS_signalfd4, -1, &set, 16, 0), EINVAL);
    EXPECT_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    close(s);
    verified("eventfd, timerfd, signalfd");
}

int main(void)
{
    test_poll();
    test_masks();
    test_epoll();
    test_event_fds();
    return 0;
}

/* Signals against system calls: EINTR or restarting (signal(7)), temporary masks, and the races
 * between a signal and the entry of a call. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int count;
sigset_t inside; /* written by handlers: not static, see signals.c */
static int pipe_in = -1, write_in_handler;

static void on_signal(int sig)
{
    (void)sig;
    count++;
    sigprocmask(SIG_BLOCK, NULL, &inside);
    if (write_in_handler && write(pipe_in, "x", 1) != 1)
        count = -1000;
}

static void install(int sig, int flags)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_signal;
    sa.sa_flags = flags;
    sigaction(sig, &sa, NULL);
    count = 0;
}

static void alarm_ms(int ms)
{
    struct itimerval it = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &it, NULL);
}

static void test_read(void)
{
    int p[2];
    char c = 0;
    EXPECT_EQ(pipe(p), 0);
    install(SIGALRM, 0);
    alarm_ms(20);
    EXPECT_ERR(read(p[0], &c, 1), EINTR);
    EXPECT_EQ(count, 1);

    /* Restarted: the handler itself makes the read return. */
    install(SIGALRM, SA_RESTART);
    pipe_in = p[1];
    write_in_handler = 1;
    alarm_ms(20);
    EXPECT_EQ(read(p[0], &c, 1), 1);
    EXPECT_EQ(c, 'x');
    EXPECT_EQ(count, 1);
    write_in_handler = 0;

    /* An ignored signal interrupts nothing. */
    signal(SIGALRM, SIG_IGN);
    alarm_ms(10);
    struct pollfd pf = {.fd = p[0], .events = POLLIN};
    EXPECT_EQ(poll(&pf, 1, 50), 0);
    close(p[0]);
    close(p[1]);
    verified("read: EINTR and SA_RESTART");
}

static void test_sleep(void)
{
    struct timespec ts = {5, 0}, rem = {0, 0};
    install(SIGALRM, SA_RESTART);
    alarm_ms(30);
    EXPECT_ERR(nanosleep(&ts, &rem), EINTR);
    EXPECT(rem.tv_sec == 3 || rem.tv_sec == 4); /* 3: on a machine that is very busy */
    EXPECT_EQ(count, 1);
    alarm_ms(30);
    EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rem), EINTR);
    EXPECT(rem.tv_sec == 3 || rem.tv_sec == 4);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 5;
    alarm_ms(30);
    EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), EINTR);
    EXPECT_EQ(count, 3);
    alarm_ms(30);
    EXPECT_ERR(pause(), EINTR);
    EXPECT_EQ(count, 4);
    verified("sleeps are interrupted and tell the rest");
}

static void test_polls(void)
{
    int p[2];
    EXPECT_EQ(pipe(p), 0);
    struct pollfd pf = {.fd = p[0], .events = POLLIN};
    install(SIGALRM, SA_RESTART);
    alarm_ms(20);
    EXPECT_ERR(poll(&pf, 1, 2000), EINTR); /* never restarted */
    fd_set r;
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    struct timeval tv = {2, 0};
    alarm_ms(20);
    EXPECT_ERR(select(p[0] + 1, &r, NULL, NULL, &tv), EINTR);
    int ep = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN};
    epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
    alarm_ms(20);
    EXPECT_ERR(epoll_wait(ep, &ev, 1, 2000), EINTR);
    EXPECT_EQ(count, 3);

    /* Blocked but for the call: the handler runs once, inside it, with the temporary mask. */
    sigset_t block, temporary, now;
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    sigprocmask(SIG_BLOCK, &block, NULL);
    sigemptyset(&temporary);
    sigaddset(&temporary, SIGHUP);
    struct timespec ts = {2, 0};
    for (int how = 0; how < 3; how++) {
        count = 0;
        kill(getpid(), SIGALRM);
        EXPECT_EQ(count, 0);
        int rc;
        errno = 0;
        if (how == 0) {
            rc = ppoll(&pf, 1, &ts, &temporary);
        } else if (how == 1) {
            FD_ZERO(&r);
            FD_SET(p[0], &r);
            rc = pselect(p[0] + 1, &r, NULL, NULL, &ts, &temporary);
        } else {
            rc = epoll_pwait(ep, &ev, 1, 2000, &temporary);
        }
        EXPECT_EQ(rc, -1);
        EXPECT_EQ(errno, EINTR);
        EXPECT_EQ(count, 1);
        EXPECT_EQ(sigismember(&inside, SIGHUP), 1);
        EXPECT_EQ(sigismember(&inside, SIGALRM), 1);
        sigprocmask(SIG_BLOCK, NULL, &now);
        EXPECT_EQ(sigismember(&now, SIGHUP), 0);
        EXPECT_EQ(sigismember(&now, SIGALRM), 1);
    }
    /* Ready at once: the descriptor wins and the signal stays pending. */
    EXPECT_EQ(write(p[1], "x", 1), 1);
    count = 0;
    kill(getpid(), SIGALRM);
    EXPECT_EQ(ppoll(&pf, 1, &ts, &temporary), 1);
    EXPECT_EQ(count, 0);
    EXPECT_EQ(epoll_pwait(ep, &ev, 1, 2000, &temporary), 1);
    EXPECT_EQ(count, 0);
    sigprocmask(SIG_UNBLOCK, &block, NULL);
    EXPECT_EQ(count, 1);
    close(ep);
    close(p[0]);
    close(p[1]);
    verified("poll, select, epoll and their masks");
}

static void test_futex(void)
{
    int word = 0;
    struct timespec ts = {3, 0};
    install(SIGALRM, 0);
    alarm_ms(20);
    EXPECT_ERR(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
    install(SIGALRM, SA_RESTART);
    alarm_ms(20);
    EXPECT_ERR(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts, NULL, 0), EINTR);
    ts.tv_sec = 0;
    ts.tv_nsec = 100 * 1000 * 1000;
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    EXPECT_ERR(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts, NULL, 0), ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    EXPECT((t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000 >= 99);
    EXPECT_ERR(syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
    EXPECT_ERR(syscall(SYS_futex, BAD, FUTEX_WAIT, 1, NULL, NULL, 0), EFAULT);
    EXPECT_ERR(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
    verified("futex waits");
}

static void test_wait(void)
{
    install(SIGALRM, SA_RESTART);
    pid_t pid = fork();
    if (pid == 0) {
        usleep(400000);
        _exit(7);
    }
    alarm_ms(20);
    int st;
    EXPECT_EQ(waitpid(pid, &st, 0), pid); /* restarted */
    EXPECT_EQ(count, 1);
    EXPECT_EQ(WEXITSTATUS(st), 7);
    install(SIGALRM, 0);
    pid = fork();
    if (pid == 0) {
        usleep(400000);
        _exit(7);
    }
    alarm_ms(20);
    EXPECT_ERR(waitpid(pid, &st, 0), EINTR);
    EXPECT_EQ(waitpid(pid, &st, 0), pid);
    verified("wait: EINTR and SA_RESTART");
}

/* A signal that comes at any instruction before the call must end it: the classic lost signal. The other
 * side sends one signal per round and waits until it has been handled. */
static volatile int rounds;
static pthread_t waiter;

static void on_round(int sig)
{
    (void)sig;
    __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
}

static void *sender(void *arg)
{
    int n = *(int *)arg;
    for (int i = 0; i < n; i++) {
        while (__atomic_load_n(&rounds, __ATOMIC_SEQ_CST) != i)
            sched_yield();
        for (volatile int spin = i % 400; spin; spin--)
            ;
        pthread_kill(waiter, SIGUSR1);
    }
    return NULL;
}

static void test_suspend_race(void)
{
    int n = 3000;
    pthread_t th;
    sigset_t block, none;
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_round;
    sigaction(SIGUSR1, &sa, NULL);
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    waiter = pthread_self();
    rounds = 0;
    pthread_create(&th, NULL, sender, &n);
    int wakes = 0;
    while (rounds < n) {
        sigsuspend(&none);
        wakes++;
    }
    pthread_join(th, NULL);
    EXPECT_EQ(wakes, n);

    /* The same with ppoll. */
    rounds = 0;
    pthread_create(&th, NULL, sender, &n);
    wakes = 0;
    while (rounds < n) {
        EXPECT_EQ(ppoll(NULL, 0, NULL, &none), -1);
        wakes++;
    }
    pthread_join(th, NULL);
    EXPECT_EQ(wakes, n);
    sigprocmask(SIG_UNBLOCK, &block, NULL);

    /* And with a plain call: the handler's write is always there to be read, by a restarted or a new
     * read. */
    int p[2];
    EXPECT_EQ(pipe(p), 0);
    pipe_in = p[1];
    write_in_handler = 1;
    install(SIGALRM, SA_RESTART);
    struct itimerval it = {{0, 500}, {0, 500}};
    setitimer(ITIMER_REAL, &it, NULL);
    for (int i = 0; i < 400; i++) {
        char c;
        EXPECT_EQ(read(p[0], &c, 1), 1);
    }
    alarm_ms(0);
    write_in_handler = 0;
    close(p[0]);
    close(p[1]);
    verified("no signal is lost at the entry of a call");
}

/* A timer hammers a computation: its result is right, and the handlers ran. */
static volatile double fp_noise;

static void on_tick(int sig)
{
    (void)sig;
    count++;
    fp_noise = fp_noise * 1.5 + count; /* uses the registers that the loop uses */
}

static uint64_t compute(double *d)
{
    uint64_t h = 1469598103934665603u;
    double x = 0;
    for (int i = 0; i < 3000000; i++) {
        h = (h ^ (i & 0xff)) * 1099511628211u;
        x = x * 0.999 + (double)(h >> 40) * 1e-6;
    }
    *d = x;
    return h;
}

static void test_hammer(void)
{
    double d0, d1;
    uint64_t h0 = compute(&d0);
    signal(SIGALRM, on_tick);
    count = 0;
    struct itimerval it = {{0, 200}, {0, 200}};
    setitimer(ITIMER_REAL, &it, NULL);
    int runs = 0;
    while (count < 20 && runs++ < 1000) {
        uint64_t h1 = compute(&d1);
        EXPECT_EQ(h0, h1);
        EXPECT(d0 == d1);
    }
    alarm_ms(0);
    EXPECT(count >= 20);
    printf("%d ticks\n", count);

    /* A loop that only a handler can end. */
    count = 0;
    setitimer(ITIMER_REAL, &it, NULL);
    while (count < 20)
        ;
    alarm_ms(0);
    EXPECT(count >= 20);

    /* Processor time, too. */
    signal(SIGVTALRM, on_tick);
    signal(SIGPROF, on_tick);
    count = 0;
    struct itimerval v = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_VIRTUAL, &v, NULL);
    while (count < 2)
        ;
    memset(&v, 0, sizeof(v));
    setitimer(ITIMER_VIRTUAL, &v, NULL);
    EXPECT(count >= 2);
    verified("timers against a computation");
}

int main(void)
{
    test_read();
    test_sleep();
    test_polls();
    test_futex();
    test_wait();
    test_suspend_race();
    test_hammer();
    return 0;
}

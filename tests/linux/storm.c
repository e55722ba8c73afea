/* Signals all the time, while the process does what processes do: threads, forks, spawns, calls that
 * wait, mask changes. Queued signals are counted: none is lost, none comes twice. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static volatile long ticks, queued_sum, queued_count, nested;

static void on_tick(int sig)
{
    (void)sig;
    ticks++;
}

static void on_queued(int sig, siginfo_t *si, void *uc)
{
    (void)sig;
    (void)uc;
    int saved = errno;
    __atomic_add_fetch(&queued_sum, si->si_value.sival_int, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&queued_count, 1, __ATOMIC_SEQ_CST) % 64 == 0) {
        nested++;
        raise(SIGUSR2);
    }
    getppid();
    errno = saved;
}

static void *one(void *arg)
{
    return arg;
}

static void timer_on(int us)
{
    struct itimerval it = {{0, us}, {0, us}};
    setitimer(ITIMER_REAL, &it, NULL);
}

static int reap(pid_t pid)
{
    int st;
    pid_t got;
    while ((got = waitpid(pid, &st, 0)) < 0 && errno == EINTR)
        ;
    return got == pid ? st : -1;
}

static void test_everything(void)
{
    struct sigaction sa;
    int p[2];
    EXPECT_EQ(pipe(p), 0);
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_tick;
    for (volatile int restart = 0; restart < 2; restart++) {
        sa.sa_flags = restart ? SA_RESTART : 0;
        sigaction(SIGALRM, &sa, NULL);
        timer_on(300);
        for (volatile int i = 0; i < 60; i++) {
            pthread_t th[3];
            for (intptr_t k = 0; k < 3; k++)
                EXPECT_EQ(pthread_create(&th[k], NULL, one, (void *)k), 0);
            for (intptr_t k = 0; k < 3; k++) {
                void *r;
                EXPECT_EQ(pthread_join(th[k], &r), 0);
                EXPECT_EQ(r, k);
            }
            pid_t pid = fork();
            if (pid == 0)
                _exit(i);
            EXPECT_EQ(reap(pid), i << 8);
            pid = vfork();
            if (pid == 0)
                _exit(i + 1);
            EXPECT_EQ(reap(pid), (i + 1) << 8);
            char *argv[] = {"x", NULL};
            EXPECT_EQ(posix_spawn(&pid, "/nonexistent", NULL, NULL, argv, environ), ENOENT);
            /* Memory that is mapped and unmapped, read through the kernel. */
            char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            EXPECT(m != MAP_FAILED);
            m[4096] = 1;
            EXPECT_EQ(munmap(m, 8192), 0);
            EXPECT_ERR(write(p[1], m, 1), EFAULT);
        }
        timer_on(0);
    }
    close(p[0]);
    close(p[1]);
    EXPECT(ticks > 10);
    verified("threads, forks and spawns under a timer");
}

/* The sender is another process; the receiver computes, waits and changes its mask. */
static void test_queue(void)
{
    enum { N = 2000 };
    struct sigaction sa;
    int p[2];
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = on_queued;
    sa.sa_flags = SA_SIGINFO;
    sigaction(SIGRTMIN + 1, &sa, NULL);
    sa.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGRTMIN + 2, &sa, NULL);
    signal(SIGUSR2, on_tick);
    EXPECT_EQ(pipe(p), 0);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        for (int i = 1; i <= N; i++) {
            union sigval v = {.sival_int = i};
            while (sigqueue(parent, SIGRTMIN + 1 + i % 2, v) != 0) {
                if (errno != EAGAIN)
                    _exit(1);
                sched_yield();
            }
        }
        _exit(0);
    }
    long rounds = 0;
    sigset_t block, old, none;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGRTMIN + 1);
    uint64_t h = 1;
    while (queued_count < N) {
        rounds++;
        sigprocmask(SIG_BLOCK, &block, &old);
        for (int i = 0; i < 50; i++)
            h = h * 6364136223846793005u + 1;
        struct timespec ts = {0, 20000};
        struct pollfd pf = {.fd = p[0], .events = POLLIN};
        switch (rounds % 4) {
        case 0:
            ppoll(&pf, 1, &ts, &none);
            break;
        case 1:
            nanosleep(&ts, NULL);
            break;
        case 2:
            sched_yield();
            break;
        }
        sigprocmask(SIG_SETMASK, &old, NULL);
    }
    EXPECT_EQ(queued_count, N);
    EXPECT_EQ(queued_sum, (long)N * (N + 1) / 2);
    EXPECT_EQ(nested, N / 64);
    EXPECT_EQ(reap(pid), 0);
    EXPECT(h != 0);
    close(p[0]);
    close(p[1]);
    verified("2000 queued signals from another process");
}

/* Every thread gets the signals that are sent to it. */
#define THREADS 3
#define ROUNDS 40
static volatile int got[THREADS], ready;
static _Thread_local int me;

static void on_mine(int sig)
{
    (void)sig;
    got[me]++;
}

static void *target(void *arg)
{
    volatile double x = 1;
    me = (int)(intptr_t)arg;
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (got[me] < ROUNDS)
        x = x * 1.0001 + 1e-9;
    return NULL;
}

static void test_threads(void)
{
    pthread_t th[THREADS];
    signal(SIGUSR1, on_mine);
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&th[i], NULL, target, (void *)i);
    while (ready < THREADS)
        sched_yield();
    for (int n = 0; n < ROUNDS; n++) {
        for (int i = 0; i < THREADS; i++) {
            pthread_kill(th[i], SIGUSR1);
            while (got[i] != n + 1)
                sched_yield();
        }
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(th[i], NULL);
    verified("signals to each of several computing threads");
}

/* Threads come and go while signals are sent to the process; the first thread takes none. */
static void *passing(void *arg)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    for (volatile int i = 0; i < (int)(intptr_t)arg; i++)
        ;
    return NULL;
}

static void test_passing(void)
{
    enum { N = 1500 };
    sigset_t set;
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = on_queued;
    sa.sa_flags = SA_SIGINFO;
    sigaction(SIGRTMIN + 1, &sa, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    queued_count = queued_sum = 0;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        for (int i = 1; i <= N; i++) {
            union sigval v = {.sival_int = i};
            while (sigqueue(parent, SIGRTMIN + 1, v) != 0)
                sched_yield();
            if (i % 16 == 0)
                usleep(200);
        }
        _exit(0);
    }
    for (int i = 0; queued_count < N; i++) {
        pthread_t th[2];
        for (int k = 0; k < 2; k++)
            EXPECT_EQ(pthread_create(&th[k], NULL, passing, (void *)(intptr_t)(i % 50)), 0);
        for (int k = 0; k < 2; k++)
            pthread_join(th[k], NULL);
        if (i > 20000)
            break; /* some were lost */
    }
    EXPECT_EQ(reap(pid), 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    EXPECT_EQ(queued_count, N);
    EXPECT_EQ(queued_sum, (long)N * (N + 1) / 2);
    verified("signals to a process whose threads come and go");
}

static volatile int timer_calls;
static void on_timer_thread(union sigval v)
{
    __atomic_add_fetch(&timer_calls, v.sival_int, __ATOMIC_SEQ_CST);
}

static void *idle(void *arg)
{
    while (!*(volatile int *)arg)
        usleep(1000);
    return NULL;
}

/* What the C library does by its own signals: timers that call, ids of all threads. */
static void test_library(void)
{
    struct sigevent ev;
    timer_t timer;
    memset(&ev, 0, sizeof(ev));
    ev.sigev_notify = SIGEV_THREAD;
    ev.sigev_notify_function = on_timer_thread;
    ev.sigev_value.sival_int = 1;
    EXPECT_EQ(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
    struct itimerspec it = {{0, 2000000}, {0, 2000000}};
    EXPECT_EQ(timer_settime(timer, 0, &it, NULL), 0);
    for (int i = 0; i < 5000 && timer_calls < 5; i++)
        usleep(1000);
    EXPECT(timer_calls >= 5);
    timer_delete(timer);

    int stop = 0;
    pthread_t th[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&th[i], NULL, idle, &stop);
    for (int i = 0; i < 20; i++)
        EXPECT_EQ(setresuid(getuid(), geteuid(), -1), 0);
    stop = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(th[i], NULL);
    verified("SIGEV_THREAD timers, ids changed in all threads");
}

static void test_descriptors(void)
{
    sigset_t set;
    struct signalfd_siginfo si;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    EXPECT(fd >= 0);
    union sigval v = {.sival_int = 99};
    sigqueue(getpid(), SIGUSR1, v);
    EXPECT_EQ(read(fd, &si, sizeof(si)), sizeof(si));
    EXPECT_EQ(si.ssi_signo, SIGUSR1);
    EXPECT_EQ(si.ssi_int, 99);
    pid_t pid = fork();
    if (pid == 0)
        _exit(17);
    EXPECT_EQ(read(fd, &si, sizeof(si)), sizeof(si));
    EXPECT_EQ(si.ssi_signo, SIGCHLD);
    EXPECT_EQ(si.ssi_pid, pid);
    EXPECT_EQ(si.ssi_status, 17);
    EXPECT_EQ(reap(pid), 17 << 8);
    close(fd);

    int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    EXPECT(pidfd >= 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    me = 0;
    got[0] = 0;
    EXPECT_EQ(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0), 0);
    EXPECT_EQ(got[0], 1);
    close(pidfd);
    verified("signalfd, pidfd_send_signal");
}

int main(void)
{
    test_everything();
    test_queue();
    test_threads();
    test_passing();
    test_library();
    test_descriptors();
    return 0;
}

/* Clocks, sleeping, interval timers, POSIX timers, accounted time. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile sig_atomic_t count, last_code, last_overrun, last_tid;
static volatile uintptr_t last_value;

static void on_signal(int sig, siginfo_t *info, void *uc)
{
    (void)sig;
    (void)uc;
    count++;
    last_code = info->si_code;
    last_value = (uintptr_t)info->si_value.sival_ptr;
    last_overrun = info->si_overrun;
    last_tid = (sig_atomic_t)syscall(SYS_gettid);
}

static int64_t ns(clockid_t id)
{
    struct timespec ts;

    EXPECT_OK(clock_gettime(id, &ts));
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void test_clocks(void)
{
    static const clockid_t ids[] = {
        CLOCK_REALTIME,          CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
        CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
        CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME,      CLOCK_TAI};
    struct timespec ts, raw;
    struct timeval tv;
    clockid_t cpu;

    for (unsigned i = 0; i < sizeof ids / sizeof *ids; i++) {
        int64_t a = ns(ids[i]);
        EXPECT_OK(syscall(SYS_clock_gettime, ids[i], &raw));
        int64_t b = raw.tv_sec * INT64_C(1000000000) + raw.tv_nsec;
        int64_t c = ns(ids[i]);
        EXPECT(a <= b && b <= c);
        EXPECT_OK(clock_getres(ids[i], &ts));
        EXPECT(ts.tv_sec == 0 && ts.tv_nsec > 0);
    }
    EXPECT_OK(gettimeofday(&tv, NULL));
    EXPECT(time(NULL) - tv.tv_sec <= 1);
    EXPECT_OK(syscall(SYS_gettimeofday, &tv, NULL));
    EXPECT_ERR(syscall(SYS_gettimeofday, BAD, NULL), EFAULT);
    EXPECT_ERR(syscall(SYS_clock_gettime, CLOCK_REALTIME, BAD), EFAULT);
    EXPECT_ERR(syscall(SYS_clock_gettime, 1000, &ts), EINVAL);
    EXPECT_ERR(syscall(SYS_clock_gettime, 1000, BAD), EINVAL);
    EXPECT_OK(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
    EXPECT_EQ(clock_getcpuclockid(getpid(), &cpu), 0);
    EXPECT(ns(cpu) > 0);
    EXPECT_EQ(pthread_getcpuclockid(pthread_self(), &cpu), 0);
    EXPECT(ns(cpu) > 0);
    struct timex tx = {0};
    EXPECT(adjtimex(&tx) >= 0);
    EXPECT(tx.tick >= 9000 && tx.tick <= 11000);
    EXPECT(tx.time.tv_sec >= tv.tv_sec);
    EXPECT_ERR(adjtimex(BAD), EFAULT);
    EXPECT(clock_adjtime(CLOCK_REALTIME, &tx) >= 0);
    verified("clocks: gettime by libc and by call agree, getres, cpu clocks, adjtimex");
}

/* The C library asks the vdso: each clock lies between two answers of the kernel's, and goes on. */
static void test_vdso(void)
{
    static const clockid_t ids[] = {
        CLOCK_REALTIME,          CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
        CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
        CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME,      CLOCK_TAI};
    struct timespec a, b, c;
    struct timeval tv;
    struct timezone tz = {77, 77};
    for (unsigned i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        for (int n = 0; n < 300; n++) {
            EXPECT_OK(syscall(SYS_clock_gettime, ids[i], &a));
            EXPECT_OK(clock_gettime(ids[i], &b));
            EXPECT_OK(syscall(SYS_clock_gettime, ids[i], &c));
            EXPECT(b.tv_nsec >= 0 && b.tv_nsec < 1000000000);
            EXPECT(a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec <= b.tv_nsec));
            EXPECT(b.tv_sec < c.tv_sec || (b.tv_sec == c.tv_sec && b.tv_nsec <= c.tv_nsec));
        }
    }
    EXPECT_ERR(clock_gettime(99, &a), EINVAL);
    EXPECT_ERR(clock_gettime(-1000000, &a), EINVAL);
    EXPECT_OK(syscall(SYS_clock_gettime, CLOCK_REALTIME, &a));
    EXPECT_OK(gettimeofday(&tv, NULL));
    EXPECT_OK(syscall(SYS_clock_gettime, CLOCK_REALTIME, &c));
    EXPECT(a.tv_sec < tv.tv_sec || (a.tv_sec == tv.tv_sec && a.tv_nsec / 1000 <= tv.tv_usec));
    EXPECT(tv.tv_sec < c.tv_sec || (tv.tv_sec == c.tv_sec && tv.tv_usec <= c.tv_nsec / 1000));
    EXPECT_OK(syscall(SYS_gettimeofday, &tv, &tz));
    EXPECT(tz.tz_minuteswest != 77);
    verified("clocks through the vdso");
}

static void test_sleep(void)
{
    struct timespec ts = {.tv_nsec = 30000000}, rem = {7, 7};
    struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    int64_t t0 = ns(CLOCK_MONOTONIC);

    EXPECT_OK(nanosleep(&ts, NULL));
    EXPECT(ns(CLOCK_MONOTONIC) - t0 >= 30000000);
    ts = (struct timespec){.tv_nsec = 1000000000};
    EXPECT_ERR(nanosleep(&ts, NULL), EINVAL);
    EXPECT_ERR(syscall(SYS_nanosleep, BAD, NULL), EFAULT);
    t0 = ns(CLOCK_MONOTONIC) + 30000000;
    ts = (struct timespec){t0 / 1000000000, t0 % 1000000000};
    EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
    EXPECT(ns(CLOCK_MONOTONIC) >= t0);
    EXPECT_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL), EINVAL);

    EXPECT_OK(sigaction(SIGALRM, &act, NULL));
    struct itimerval it = {.it_value.tv_usec = 30000}, old;
    EXPECT_OK(setitimer(ITIMER_REAL, &it, NULL));
    EXPECT_OK(getitimer(ITIMER_REAL, &old));
    EXPECT(old.it_value.tv_sec == 0 && old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 30000);
    ts = (struct timespec){.tv_sec = 3};
    EXPECT_ERR(nanosleep(&ts, &rem), EINTR);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(last_code, SI_KERNEL);
    EXPECT(rem.tv_sec == 2 && rem.tv_nsec > 0);
    /* Also with SA_RESTART: a sleep is never begun anew. */
    act.sa_flags |= SA_RESTART;
    EXPECT_OK(sigaction(SIGALRM, &act, NULL));
    EXPECT_OK(setitimer(ITIMER_REAL, &it, NULL));
    rem = (struct timespec){7, 7};
    EXPECT_ERR(nanosleep(&ts, &rem), EINTR);
    EXPECT_EQ(rem.tv_sec, 2);
    EXPECT_OK(setitimer(ITIMER_REAL, &it, NULL));
    EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rem), EINTR);
    it.it_interval.tv_usec = 10000;
    EXPECT_OK(setitimer(ITIMER_REAL, &it, NULL));
    count = 0;
    while (count < 4)
        pause();
    memset(&it, 0, sizeof it);
    EXPECT_OK(setitimer(ITIMER_REAL, &it, &old));
    EXPECT_EQ(old.it_interval.tv_usec, 10000);
    EXPECT_ERR(setitimer(9, &it, NULL), EINVAL);
    EXPECT_ERR(setitimer(ITIMER_REAL, BAD, NULL), EFAULT);
    EXPECT_ERR(getitimer(ITIMER_REAL, BAD), EFAULT);
    EXPECT_EQ(alarm(100), 0);
    EXPECT(alarm(0) >= 99);
    verified("nanosleep, clock_nanosleep and what remains of them; setitimer");
}

static void test_virtual(void)
{
    struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    struct itimerval it = {.it_value.tv_usec = 20000}, off = {0};

    EXPECT_OK(sigaction(SIGVTALRM, &act, NULL));
    EXPECT_OK(sigaction(SIGPROF, &act, NULL));
    count = 0;
    EXPECT_OK(setitimer(ITIMER_VIRTUAL, &it, NULL));
    while (!count) /* a loop without any call */
        ;
    EXPECT_OK(setitimer(ITIMER_PROF, &it, NULL));
    while (count < 2)
        ;
    EXPECT_OK(setitimer(ITIMER_VIRTUAL, &off, NULL));
    verified("ITIMER_VIRTUAL and ITIMER_PROF interrupt a loop");
}

static void test_posix_timers(void)
{
    struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL,
                          .sigev_signo = SIGRTMIN + 2,
                          .sigev_value.sival_ptr = (void *)0x1122334455667788};
    struct itimerspec its = {.it_value = {0, 10000000}, .it_interval = {0, 5000000}}, cur;
    timer_t id;
    sigset_t set, old;

    EXPECT_OK(sigaction(SIGRTMIN + 2, &act, NULL));
    EXPECT_OK(timer_create(CLOCK_MONOTONIC, &ev, &id));
    count = 0;
    EXPECT_OK(timer_settime(id, 0, &its, NULL));
    EXPECT_OK(timer_gettime(id, &cur));
    EXPECT_EQ(cur.it_interval.tv_nsec, 5000000);
    while (count < 3)
        pause();
    EXPECT_EQ(last_code, SI_TIMER);
    EXPECT_EQ(last_value, 0x1122334455667788);
    /* Blocked for a while: one signal with the number of those that were left out. */
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 2);
    EXPECT_OK(sigprocmask(SIG_BLOCK, &set, &old));
    usleep(60000);
    siginfo_t info;
    EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 2);
    EXPECT(info.si_overrun >= 5);
    EXPECT(timer_getoverrun(id) >= 5);
    EXPECT_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    EXPECT_OK(timer_delete(id));
    EXPECT_ERR(syscall(SYS_timer_gettime, 0x7ffffff0, &cur), EINVAL);

    ev = (struct sigevent){.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 2};
    ev.sigev_notify_thread_id = syscall(SYS_gettid);
    EXPECT_OK(timer_create(CLOCK_REALTIME, &ev, &id));
    int64_t at = ns(CLOCK_REALTIME) + 20000000;
    its = (struct itimerspec){.it_value = {at / 1000000000, at % 1000000000}};
    count = 0;
    EXPECT_OK(timer_settime(id, TIMER_ABSTIME, &its, &cur));
    while (!count)
        pause();
    EXPECT_EQ(last_tid, syscall(SYS_gettid));
    EXPECT_OK(timer_delete(id));
    int raw_id;
    EXPECT_ERR(syscall(SYS_timer_create, 1000, NULL, &raw_id), EINVAL);
    EXPECT_ERR(syscall(SYS_timer_create, CLOCK_MONOTONIC, BAD, &raw_id), EFAULT);
    EXPECT_ERR(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, BAD), EFAULT);
    verified("POSIX timers: values, overruns, absolute times, SIGEV_THREAD_ID");
}

static volatile int thread_ran;
static void on_thread(union sigval v)
{
    thread_ran = v.sival_int;
}

static void test_thread_timer(void)
{
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD,
                          .sigev_notify_function = on_thread,
                          .sigev_value.sival_int = 77};
    struct itimerspec its = {.it_value = {0, 10000000}};
    timer_t id;

    EXPECT_OK(timer_create(CLOCK_MONOTONIC, &ev, &id));
    EXPECT_OK(timer_settime(id, 0, &its, NULL));
    for (int i = 0; i < 300 && !thread_ran; i++)
        usleep(10000);
    EXPECT_EQ(thread_ran, 77);
    EXPECT_OK(timer_delete(id));
    verified("SIGEV_THREAD");
}

static void test_usage(void)
{
    struct rusage u, children;
    struct tms tms;
    volatile unsigned long x = 0;

    int64_t cpu = ns(CLOCK_PROCESS_CPUTIME_ID);
    while (ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 40000000)
        x++;
    EXPECT_OK(getrusage(RUSAGE_SELF, &u));
    EXPECT(u.ru_utime.tv_sec * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec >= 20000);
    EXPECT(u.ru_maxrss > 100);
    EXPECT_OK(getrusage(RUSAGE_THREAD, &u));
    EXPECT_ERR(syscall(SYS_getrusage, 55, &u), EINVAL);
    EXPECT_ERR(syscall(SYS_getrusage, RUSAGE_SELF, BAD), EFAULT);
    EXPECT(times(&tms) != -1);
    EXPECT(tms.tms_utime + tms.tms_stime >= 2);
    EXPECT_ERR(syscall(SYS_times, BAD), EFAULT);
    pid_t pid = EXPECT_OK(fork());
    if (pid == 0) {
        cpu = ns(CLOCK_PROCESS_CPUTIME_ID);
        while (ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 40000000)
            x++;
        _exit(3);
    }
    int status;
    EXPECT_EQ(wait4(pid, &status, 0, &children), pid);
    EXPECT_EQ(WEXITSTATUS(status), 3);
    EXPECT(children.ru_utime.tv_usec + children.ru_stime.tv_usec >= 20000);
    EXPECT_OK(getrusage(RUSAGE_CHILDREN, &u));
    EXPECT(u.ru_utime.tv_usec + u.ru_stime.tv_usec >= 20000);
    verified("getrusage, times, wait4's usage");
}

int main(void)
{
    test_clocks();
    test_vdso();
    test_sleep();
    test_virtual();
    test_posix_timers();
    test_thread_timer();
    test_usage();
    return 0;
}

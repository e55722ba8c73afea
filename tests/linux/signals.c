/* Signal handlers, masks, queues, siginfo and the alternate stack: sigaction(2), sigprocmask(2),
 * signal(7), sigaltstack(2). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int count, order[64], norder;
static volatile siginfo_t last;
/* What handlers write is not static: raise() is declared as a leaf, so the compiler would take it that
 * nothing of this file runs inside it. */
sigset_t mask_inside;
static volatile uintptr_t handler_sp;

static void on_info(int sig, siginfo_t *si, void *uc)
{
    (void)uc;
    memcpy((void *)&last, si, sizeof(last));
    count++;
    order[norder++ & 63] = sig;
    sigprocmask(SIG_BLOCK, NULL, &mask_inside);
    handler_sp = (uintptr_t)__builtin_frame_address(0);
}

static void install(int sig, void (*fn)(int, siginfo_t *, void *), int flags, int also)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_sigaction = fn;
    sa.sa_flags = SA_SIGINFO | flags;
    if (also)
        sigaddset(&sa.sa_mask, also);
    EXPECT_EQ(sigaction(sig, &sa, NULL), 0);
}

static void reset(void)
{
    count = norder = 0;
}

static void test_info(void)
{
    reset();
    install(SIGUSR1, on_info, 0, SIGUSR2);
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(last.si_signo, SIGUSR1);
    EXPECT_EQ(last.si_code, SI_USER);
    EXPECT_EQ(last.si_pid, getpid());
    EXPECT_EQ(last.si_uid, getuid());
    EXPECT_EQ(sigismember(&mask_inside, SIGUSR1), 1);
    EXPECT_EQ(sigismember(&mask_inside, SIGUSR2), 1);
    EXPECT_EQ(sigismember(&mask_inside, SIGHUP), 0);
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    EXPECT_EQ(sigismember(&now, SIGUSR1), 0);
    EXPECT_EQ(sigismember(&now, SIGUSR2), 0);

    raise(SIGUSR1);
    EXPECT_EQ(last.si_code, SI_TKILL);
    EXPECT_EQ(count, 2);

    union sigval v = {.sival_ptr = (void *)0x123456789abcdef0};
    EXPECT_EQ(sigqueue(getpid(), SIGUSR1, v), 0);
    EXPECT_EQ(last.si_code, SI_QUEUE);
    EXPECT_EQ((uintptr_t)last.si_value.sival_ptr, 0x123456789abcdef0);
    verified("siginfo and masks of a handler");
}

static void on_nodefer(int sig, siginfo_t *si, void *uc)
{
    (void)si;
    (void)uc;
    if (++count < 4)
        raise(sig);
    order[norder++ & 63] = count;
}

static void test_flags(void)
{
    struct sigaction sa;
    reset();
    install(SIGUSR1, on_nodefer, SA_NODEFER, 0);
    raise(SIGUSR1);
    EXPECT_EQ(count, 4);
    EXPECT_EQ(norder, 4);
    EXPECT_EQ(order[0], 4); /* the innermost was first to end */

    reset();
    install(SIGUSR1, on_nodefer, 0, 0);
    raise(SIGUSR1); /* each raise stays pending until the handler returns */
    EXPECT_EQ(count, 4);
    EXPECT_EQ(order[0], 1);

    reset();
    install(SIGUSR2, on_info, SA_RESETHAND, 0);
    raise(SIGUSR2);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(sigaction(SIGUSR2, NULL, &sa), 0);
    EXPECT(sa.sa_handler == SIG_DFL);

    /* The kernel gives back what it was given. */
    install(SIGUSR2, on_info, SA_RESTART | SA_NODEFER | SA_ONSTACK, SIGHUP);
    EXPECT_EQ(sigaction(SIGUSR2, NULL, &sa), 0);
    EXPECT_EQ(sa.sa_flags & (SA_RESTART | SA_NODEFER | SA_ONSTACK | SA_SIGINFO | (int)SA_RESETHAND),
              SA_RESTART | SA_NODEFER | SA_ONSTACK | SA_SIGINFO);
    EXPECT(sa.sa_sigaction == on_info);
    EXPECT_EQ(sigismember(&sa.sa_mask, SIGHUP), 1);

    EXPECT_ERR(sigaction(SIGKILL, &sa, NULL), EINVAL);
    EXPECT_ERR(sigaction(SIGSTOP, &sa, NULL), EINVAL);
    EXPECT_ERR(sigaction(0, NULL, &sa), EINVAL);
    EXPECT_ERR(sigaction(65, NULL, &sa), EINVAL);
    EXPECT_ERR(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL);
    EXPECT_ERR(syscall(SYS_rt_sigaction, SIGUSR1, BAD, NULL, 8), EFAULT);
    EXPECT_ERR(syscall(SYS_rt_sigaction, SIGUSR1, NULL, BAD, 8), EFAULT);
    verified("SA_NODEFER, SA_RESETHAND, sigaction's results");
}

static void test_masks(void)
{
    sigset_t set, old, pend;
    reset();
    install(SIGUSR1, on_info, 0, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGKILL);
    EXPECT_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
    sigprocmask(SIG_BLOCK, NULL, &set);
    EXPECT_EQ(sigismember(&set, SIGUSR1), 1);
    EXPECT_EQ(sigismember(&set, SIGKILL), 0);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(count, 0);
    sigpending(&pend);
    EXPECT_EQ(sigismember(&pend, SIGUSR1), 1);
    EXPECT_EQ(sigismember(&pend, SIGUSR2), 0);
    EXPECT_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    EXPECT_EQ(count, 1); /* at once, before sigprocmask returns; and not queued twice */
    EXPECT_ERR(sigprocmask(77, &set, NULL), EINVAL);
    EXPECT_ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8), EFAULT);
    EXPECT_ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 16), EINVAL);

    /* Becoming ignored discards what is pending. */
    reset();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    sigpending(&pend);
    EXPECT_EQ(sigismember(&pend, SIGUSR1), 0);
    install(SIGUSR1, on_info, 0, 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    EXPECT_EQ(count, 0);
    verified("blocking, pending, discarding");
}

static void test_realtime(void)
{
    sigset_t set;
    siginfo_t si;
    reset();
    sigemptyset(&set);
    for (int i = 0; i < 4; i++) {
        install(SIGRTMIN + i, on_info, 0, 0);
        sigaddset(&set, SIGRTMIN + i);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 3; i >= 0; i--) {
        for (int n = 0; n < 3; n++)
            sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = i * 10 + n});
    }
    /* Lowest number first, then first in first out. */
    struct timespec zero = {0, 0};
    for (int i = 0; i < 4; i++) {
        for (int n = 0; n < 3; n++) {
            EXPECT_EQ(sigtimedwait(&set, &si, &zero), SIGRTMIN + i);
            EXPECT_EQ(si.si_value.sival_int, i * 10 + n);
            EXPECT_EQ(si.si_code, SI_QUEUE);
        }
    }
    EXPECT_ERR(sigtimedwait(&set, &si, &zero), EAGAIN);
    EXPECT_EQ(count, 0);

    /* Through handlers that block each other, so that they run one after another. */
    for (int i = 0; i < 4; i++) {
        struct sigaction sa;
        memset(&sa, 0, sizeof(sa));
        sa.sa_sigaction = on_info;
        sa.sa_flags = SA_SIGINFO;
        sigfillset(&sa.sa_mask);
        sigaction(SIGRTMIN + i, &sa, NULL);
    }
    for (int i = 3; i >= 0; i--) {
        sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = 0});
        sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = 0});
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    EXPECT_EQ(count, 8);
    for (int i = 0; i < 8; i++)
        EXPECT_EQ(order[i], SIGRTMIN + i / 2);
    verified("real-time signals: order and values");
}

static void test_wait(void)
{
    sigset_t set, none;
    siginfo_t si;
    reset();
    install(SIGUSR1, on_info, 0, 0);
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    int sig = 0;
    EXPECT_EQ(sigwait(&set, &sig), 0);
    EXPECT_EQ(sig, SIGUSR1);
    EXPECT_EQ(count, 0); /* taken, not handled */

    /* Interrupted by a handler of another signal: EINTR, SA_RESTART or not. */
    install(SIGALRM, on_info, SA_RESTART, 0);
    timer_t timer;
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    ev.sigev_value.sival_int = 77;
    EXPECT_EQ(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
    struct itimerspec it = {.it_value = {0, 20 * 1000 * 1000}};
    timer_settime(timer, 0, &it, NULL);
    EXPECT_ERR(sigwaitinfo(&set, &si), EINTR);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(last.si_code, SI_TIMER);
    EXPECT_EQ(last.si_value.sival_int, 77);

    /* sigsuspend: the handler sees the temporary mask and its own, afterwards the old one is back. */
    reset();
    kill(getpid(), SIGUSR1);
    sigset_t wait;
    sigemptyset(&wait);
    sigaddset(&wait, SIGHUP);
    EXPECT_ERR(sigsuspend(&wait), EINTR);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(sigismember(&mask_inside, SIGHUP), 1);
    EXPECT_EQ(sigismember(&mask_inside, SIGUSR1), 1);
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    EXPECT_EQ(sigismember(&now, SIGHUP), 0);
    EXPECT_EQ(sigismember(&now, SIGUSR1), 1);
    timer_settime(timer, 0, &it, NULL);
    EXPECT_ERR(sigsuspend(&none), EINTR);
    EXPECT_EQ(order[norder - 1], SIGALRM);
    timer_delete(timer);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    EXPECT_ERR(syscall(SYS_rt_sigsuspend, BAD, 8), EFAULT);
    EXPECT_ERR(syscall(SYS_rt_sigsuspend, &none, 4), EINVAL);
    verified("sigwait, sigwaitinfo, sigsuspend");
}

static char stack[65536];
stack_t inside;
int change_error;

static void on_stack(int sig, siginfo_t *si, void *p)
{
    ucontext_t *uc = p;
    on_info(sig, si, p);
    sigaltstack(NULL, &inside);
    stack_t other = {.ss_flags = SS_DISABLE};
    change_error = sigaltstack(&other, NULL) == 0 ? 0 : errno;
    EXPECT(uc->uc_stack.ss_sp == stack);
    EXPECT_EQ(uc->uc_stack.ss_size, sizeof(stack));
}

static void test_altstack(void)
{
    stack_t ss, old;
    EXPECT_EQ(sigaltstack(NULL, &old), 0);
    EXPECT_EQ(old.ss_flags, SS_DISABLE);
    ss = (stack_t){.ss_sp = stack, .ss_size = 100};
    EXPECT_ERR(sigaltstack(&ss, NULL), ENOMEM);
    ss = (stack_t){.ss_sp = stack, .ss_size = sizeof(stack), .ss_flags = 12};
    EXPECT_ERR(sigaltstack(&ss, NULL), EINVAL);
    ss = (stack_t){.ss_sp = stack, .ss_size = sizeof(stack)};
    EXPECT_EQ(sigaltstack(&ss, NULL), 0);
    EXPECT_EQ(sigaltstack(NULL, &old), 0);
    EXPECT_EQ(old.ss_flags, 0);
    EXPECT(old.ss_sp == stack && old.ss_size == sizeof(stack));

    install(SIGUSR1, on_stack, SA_ONSTACK, 0);
    raise(SIGUSR1);
    EXPECT(handler_sp > (uintptr_t)stack && handler_sp <= (uintptr_t)stack + sizeof(stack));
    EXPECT_EQ(inside.ss_flags, SS_ONSTACK);
    EXPECT_EQ(change_error, EPERM);
    EXPECT_EQ(sigaltstack(NULL, &old), 0);
    EXPECT_EQ(old.ss_flags, 0);

    install(SIGUSR2, on_info, 0, 0);
    raise(SIGUSR2);
    EXPECT(handler_sp < (uintptr_t)stack || handler_sp > (uintptr_t)stack + sizeof(stack));

    /* SS_AUTODISARM: inside there is none, so it may be changed; afterwards it is back. */
    ss.ss_flags = (int)(1u << 31);
    EXPECT_EQ(sigaltstack(&ss, NULL), 0);
    raise(SIGUSR1);
    EXPECT(handler_sp > (uintptr_t)stack && handler_sp <= (uintptr_t)stack + sizeof(stack));
    EXPECT_EQ(inside.ss_flags, SS_DISABLE);
    EXPECT_EQ(change_error, 0);
    EXPECT_EQ(sigaltstack(NULL, &old), 0);
    EXPECT_EQ((unsigned)old.ss_flags, 1u << 31);
    EXPECT(old.ss_sp == stack);

    ss.ss_flags = SS_DISABLE;
    EXPECT_EQ(sigaltstack(&ss, NULL), 0);
    EXPECT_EQ(sigaltstack(NULL, &old), 0);
    EXPECT_EQ(old.ss_flags, SS_DISABLE);
    EXPECT_EQ(old.ss_size, 0);
    EXPECT_ERR(sigaltstack(BAD, NULL), EFAULT);
    verified("the alternate stack");
}

/* The numbers that a host C library may keep for itself. */
static void on_raw(int sig)
{
    order[norder++ & 63] = sig;
}

static void test_internal_numbers(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags, mask;
    } act = {on_raw, 0, 0}, old;
    reset();
    for (int sig = 32; sig <= 33; sig++) {
        EXPECT_EQ(syscall(SYS_rt_sigaction, sig, &act, &old, 8), 0);
        EXPECT_EQ(syscall(SYS_tgkill, getpid(), getpid(), sig), 0);
        EXPECT_EQ(order[norder - 1], sig);
        syscall(SYS_rt_sigaction, sig, &old, NULL, 8);
    }
    EXPECT_EQ(norder, 2);
    verified("signals 32 and 33");
}

static volatile int depth, deepest;
static void on_nested(int sig)
{
    if (++depth > deepest)
        deepest = depth;
    if (sig == SIGUSR1)
        raise(SIGUSR2);
    else if (sig == SIGUSR2)
        raise(SIGHUP);
    order[norder++ & 63] = sig;
    depth--;
}

static void test_nested(void)
{
    reset();
    signal(SIGUSR1, on_nested);
    signal(SIGUSR2, on_nested);
    signal(SIGHUP, on_nested);
    raise(SIGUSR1);
    EXPECT_EQ(deepest, 3);
    EXPECT_EQ(order[0], SIGHUP);
    EXPECT_EQ(order[1], SIGUSR2);
    EXPECT_EQ(order[2], SIGUSR1);
    verified("handlers inside handlers");
}

/* SIGSEGV and SIGBUS that were sent are ordinary signals. */
static void test_sent_faults(void)
{
    sigset_t set, pend;
    for (int i = 0; i < 2; i++) {
        int sig = i ? SIGBUS : SIGSEGV;
        reset();
        install(sig, on_info, 0, 0);
        raise(sig);
        EXPECT_EQ(count, 1);
        EXPECT_EQ(last.si_code, SI_TKILL);
        sigemptyset(&set);
        sigaddset(&set, sig);
        sigprocmask(SIG_BLOCK, &set, NULL);
        kill(getpid(), sig);
        EXPECT_EQ(count, 1);
        sigpending(&pend);
        EXPECT_EQ(sigismember(&pend, sig), 1);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        EXPECT_EQ(count, 2);
        EXPECT_EQ(last.si_code, SI_USER);
        signal(sig, SIG_IGN);
        kill(getpid(), sig);
        EXPECT_EQ(count, 2);
        signal(sig, SIG_DFL);
    }
    verified("SIGSEGV and SIGBUS by kill");
}

int main(void)
{
    test_info();
    test_flags();
    test_masks();
    test_realtime();
    test_wait();
    test_altstack();
    test_internal_numbers();
    test_nested();
    test_sent_faults();
    return 0;
}

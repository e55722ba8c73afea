/* Whose FPCR is it? Threads inherit it, children too, signal handlers run with that of what they interrupt, and their return brings
 * back what the frame holds; longjmp leaves it alone, fesetenv does not (Linux 6.12, arch/arm64/kernel/signal.c and fpsimd.c;
 * POSIX). Each computes with subnormal numbers and NaNs in functions that are hot in several modes at once. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { FZ = 1 << 24, DN = 1 << 25, UFC = 1 << 3, IXC = 1 << 4, IDC = 1 << 7 };

static uint64_t fpcr(void)
{
    uint64_t v;
    __asm__ volatile("mrs %0, fpcr" : "=r"(v));
    return v;
}
static __attribute__((noinline)) void set_fpcr(uint64_t v)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(v));
}
static uint64_t fpsr(void)
{
    uint64_t v;
    __asm__ volatile("mrs %0, fpsr" : "=r"(v));
    return v;
}
static void set_fpsr(uint64_t v)
{
    __asm__ volatile("msr fpsr, %0" : : "r"(v));
}

static double from_bits(uint64_t v)
{
    double d;
    memcpy(&d, &v, 8);
    return d;
}
static uint64_t bits(double d)
{
    uint64_t v;
    memcpy(&v, &d, 8);
    return v;
}

/* volatile: neither folded nor kept */
static volatile double tiny = 0x1p-1022, half = 0.5, third = 1.0 / 3,
                       rough = 0x1.3333333333333p-1022, small = 0x0.8p-1022, one = 1, odd_nan;
#define PAYLOAD UINT64_C(0xfff8000000001234)
#define DEFAULT UINT64_C(0x7ff8000000000000)

/* What FPCR asks for, in each of several operations, n times. */
static __attribute__((noinline)) int as_in(uint64_t mode, int n)
{
    int wrong = 0;
    for (int i = 0; i < n; i++) {
        double product = tiny * half, sum = small + small, nan = odd_nan + one;
        wrong += bits(product) != (mode & FZ ? 0 : bits(small));
        wrong += bits(sum) != (mode & FZ ? 0 : bits(tiny));
        wrong += bits(nan) != (mode & DN ? DEFAULT : PAYLOAD);
        wrong += (small > 0) != !(mode & FZ);
    }
    return wrong;
}

/* The mode changes in a callee of what is hot, whose caller goes on in the other. */
static void toggles(void)
{
    int wrong = 0;
    for (int i = 0; i < 3000; i++) {
        uint64_t mode = i & 1 ? FZ : i % 3 ? DN : 0;
        set_fpcr(mode);
        double a = small + small;
        wrong += bits(a) != (mode & FZ ? 0 : bits(tiny));
        wrong += as_in(mode, i % 100 ? 1 : 300);
        wrong += fpcr() != mode;
    }
    set_fpcr(0);
    EXPECT_EQ(wrong, 0);
}

static void flags(void)
{
    set_fpcr(FZ);
    for (int i = 0; i < 3000; i++) {
        set_fpsr(0);
        volatile double d = tiny * half;
        EXPECT_EQ(fpsr(), UFC); /* and not IXC */
        set_fpsr(0);
        getppid();
        d = rough * third;
        EXPECT_EQ(fpsr(), UFC); /* not here either */
        d = one + tiny;
        EXPECT_EQ(fpsr(), UFC | IXC);
        d = one + small;
        EXPECT_EQ(fpsr(), UFC | IXC | IDC);
        set_fpsr(IXC);
        d = one + one;
        EXPECT_EQ(fpsr(), IXC);
        d = odd_nan + small; /* beside a NaN as well */
        EXPECT_EQ(fpsr(), IXC | IDC);
        (void)d;
    }
    set_fpcr(0);
    set_fpsr(0);
}

/* ---- signals ---- */

static volatile uint64_t handler_mode, seen_mode, give_mode = UINT64_MAX;
static volatile int handler_wrong, handled;
static sigjmp_buf back;
static volatile int jump;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)info;
    ucontext_t *uc = context;
    seen_mode = fpcr();
    handled++;
    handler_wrong += as_in(seen_mode, 5);
    set_fpcr(handler_mode);
    handler_wrong += as_in(handler_mode, 50);
    if (give_mode != UINT64_MAX) {
        struct fpsimd_context *fp = (struct fpsimd_context *)(void *)uc->uc_mcontext.__reserved;
        EXPECT_EQ(fp->head.magic, FPSIMD_MAGIC);
        EXPECT_EQ(fp->fpcr, seen_mode);
        fp->fpcr = (uint32_t)give_mode;
    }
    if (jump)
        siglongjmp(back, 1);
}

static void signals(void)
{
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    EXPECT_OK(sigaction(SIGUSR1, &sa, NULL));
    EXPECT_OK(sigaction(SIGALRM, &sa, NULL));
    for (uint64_t mode = 0; mode <= 3; mode++) {
        set_fpcr(mode << 24);
        handler_mode = (3 - mode) << 24;
        raise(SIGUSR1);
        EXPECT_EQ(seen_mode, mode << 24);
        EXPECT_EQ(fpcr(), mode << 24);
        EXPECT_EQ(as_in(mode << 24, 100), 0);
    }
    give_mode = FZ;
    set_fpcr(DN);
    raise(SIGUSR1);
    EXPECT_EQ(fpcr(), FZ);
    EXPECT_EQ(as_in(FZ, 100), 0);
    give_mode = UINT64_MAX;

    /* In the middle of code that is hot. */
    struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    for (uint64_t mode = 0; mode <= 3; mode++) {
        int wrong = 0, until = handled + 20;
        set_fpcr(mode << 24);
        handler_mode = (mode ^ 1) << 24;
        EXPECT_OK(setitimer(ITIMER_REAL, &every, NULL));
        while (handled < until)
            wrong += as_in(mode << 24, 100);
        EXPECT_OK(setitimer(ITIMER_REAL, &never, NULL));
        EXPECT_EQ(seen_mode, mode << 24);
        EXPECT_EQ(wrong, 0);
    }
    /* A handler's jump takes its mode along. */
    set_fpcr(0);
    handler_mode = FZ;
    jump = 1;
    if (!sigsetjmp(back, 1))
        raise(SIGUSR1);
    EXPECT_EQ(fpcr(), FZ);
    EXPECT_EQ(as_in(FZ, 100), 0);
    EXPECT_EQ(handler_wrong, 0);
    set_fpcr(0);
}

/* ---- threads, children, the environment ---- */

static void *thread(void *arg)
{
    uint64_t mode = fpcr(), born = (uintptr_t)arg;
    int wrong = mode != born;
    for (int i = 0; i < 40; i++) {
        set_fpcr(mode);
        wrong += as_in(mode, 400);
        mode = i & 4 ? (mode + FZ) & (FZ | DN) : mode;
    }
    return (void *)(uintptr_t)wrong;
}

static void threads(void)
{
    pthread_t t[4];
    for (uint64_t mode = 0; mode <= 3; mode++) {
        set_fpcr(mode << 24);
        EXPECT_EQ(pthread_create(&t[mode], NULL, thread, (void *)(uintptr_t)(mode << 24)), 0);
    }
    EXPECT_EQ(as_in(FZ | DN, 1000), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        EXPECT_EQ(pthread_join(t[i], &wrong), 0);
        EXPECT_EQ(wrong, 0);
    }
    int status;
    pid_t child = (pid_t)EXPECT_OK(fork());
    if (!child)
        _exit(fpcr() != (FZ | DN) || as_in(FZ | DN, 2000));
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    set_fpcr(0);
}

static void environment(void)
{
    fenv_t env;
    set_fpcr(FZ);
    EXPECT_EQ(fegetenv(&env), 0);
    EXPECT_EQ(fesetenv(FE_DFL_ENV), 0);
    EXPECT_EQ(fpcr(), 0);
    EXPECT_EQ(as_in(0, 100), 0);
    EXPECT_EQ(fesetenv(&env), 0);
    EXPECT_EQ(fpcr(), FZ);
    EXPECT_EQ(as_in(FZ, 100), 0);
    EXPECT_EQ(fesetround(FE_UPWARD), 0);
    double up = one + tiny, product = -tiny * half;
    EXPECT(up > 1);
    EXPECT_EQ(bits(product), UINT64_C(1) << 63);
    EXPECT_EQ(fesetround(FE_TONEAREST), 0);
    set_fpcr(0);
}

/* A program begins with zeros. */
static void executed(char **argv)
{
    int status;
    set_fpcr(FZ | DN);
    pid_t child = (pid_t)EXPECT_OK(fork());
    if (!child) {
        execl("/proc/self/exe", argv[0], "begin", NULL);
        _exit(99);
    }
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    set_fpcr(0);
}

int main(int argc, char **argv)
{
    odd_nan = from_bits(PAYLOAD);
    if (argc > 1)
        return fpcr() != 0 || as_in(0, 10);
    toggles();
    flags();
    signals();
    threads();
    environment();
    executed(argv);
    puts("ok");
    return 0;
}

/* Calls and returns of every shape: deep recursion, returns that skip frames (longjmp), stacks that change
 * (coroutines), calls from signal handlers, calls through pointers, many threads. A translator that pairs calls
 * with returns must stay right in all of them. */
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline))

/* The sum of n + (n-1) + ... + 1, with a frame for each. */
static NOINLINE long deep(long n)
{
    volatile long x = n;
    if (!n)
        return 0;
    long r = deep(n - 1);
    return r + x;
}

static NOINLINE int fib(int n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static jmp_buf out;
static NOINLINE long jump_from(long n)
{
    volatile long x = n;
    if (n < 0)
        return 0; /* never: but the compiler shall not know that this function does not return */
    if (!n)
        longjmp(out, 7);
    long r = jump_from(n - 1);
    return r + x;
}

static void recursion(void)
{
    for (long n = 1; n <= 20000; n *= 10)
        EXPECT_EQ(deep(n), n * (n + 1) / 2);
    EXPECT_EQ(deep(50000), 50000L * 50001 / 2);
    EXPECT_EQ(fib(20), 6765);
    puts("ok recursion");
}

static void jumps(void)
{
    static volatile long left; /* survives longjmp */
    for (left = 0; left < 3000; left++) {
        int v = setjmp(out);
        if (!v)
            jump_from(left % 97);
        EXPECT_EQ(v, 7);
        EXPECT_EQ(fib(5), 5); /* pairing goes on after the skipped frames */
    }
    puts("ok longjmp");
}

static volatile long handled;
static void on_signal(int signo)
{
    (void)signo;
    handled += fib(7);
}

static void signals(void)
{
    EXPECT(signal(SIGUSR1, on_signal) != SIG_ERR);
    for (int i = 0; i < 500; i++) {
        raise(SIGUSR1);
        EXPECT_EQ(deep(i % 20), (i % 20) * (i % 20 + 1) / 2);
    }
    EXPECT_EQ(handled, 500 * 13);
    puts("ok calls in handlers");
}

static ucontext_t main_ctx, co_ctx[3];
static long turns[3];
static NOINLINE void yield_from(int who, int depth)
{
    if (depth) {
        yield_from(who, depth - 1);
    } else {
        turns[who]++;
        swapcontext(&co_ctx[who], &main_ctx);
    }
}
static void coroutine(int who)
{
    for (volatile int i = 0;; i++) {
        yield_from(who, i % 12);
        EXPECT_EQ(fib(6), 8);
    }
}

static void coroutines(void)
{
    for (volatile int i = 0; i < 3; i++) {
        EXPECT_OK(getcontext(&co_ctx[i]));
        co_ctx[i].uc_stack.ss_size = 65536;
        co_ctx[i].uc_stack.ss_sp = malloc(65536);
        makecontext(&co_ctx[i], (void (*)(void))coroutine, 1, i);
    }
    for (int i = 0; i < 9000; i++)
        swapcontext(&main_ctx, &co_ctx[i % 3]);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(turns[i], 3000);
    puts("ok coroutines");
}

static NOINLINE long plus1(long n)
{
    return n + 1;
}
static NOINLINE long twice(long n)
{
    return 2 * n;
}
static NOINLINE long to_deep(long n)
{
    return deep(n % 10);
}

static void pointers(void)
{
    long (*const volatile f[3])(long) = {plus1, twice, to_deep};
    long sum = 0, want = 0;
    for (long i = 0; i < 100000; i++) {
        sum += f[i % 3](i);
        want += i % 3 == 0 ? i + 1 : i % 3 == 1 ? 2 * i : (i % 10) * (i % 10 + 1) / 2;
    }
    EXPECT_EQ(sum, want);
    puts("ok calls through pointers");
}

/* Small functions that a loop calls, which a translator may take into the loop: what happens in the middle of them must
 * find its way back all the same. */
static char *guarded; /* a page that is now and then not there */
static volatile long faults;
static void on_fault(int signo, siginfo_t *info, void *ctx)
{
    (void)signo;
    (void)ctx;
    EXPECT_EQ((char *)info->si_addr - guarded, 8);
    EXPECT_OK(mprotect(guarded, 4096, PROT_READ | PROT_WRITE));
    EXPECT_EQ(fib(3), 2);
    faults++;
}
static __attribute__((noipa)) long peek(const volatile long *p)
{
    return p[1] + 1;
}
static __attribute__((noipa)) long peek_twice(const volatile long *p)
{
    return peek(p) + peek(p + 1);
}
static __attribute__((noipa)) long leave_at(long n, long m)
{
    if (n % m == m - 1)
        longjmp(out, 7);
    return n;
}
static __attribute__((noipa)) long leave_deeper(long n, long m)
{
    return leave_at(n, m) + 1;
}

static void small_callees(void)
{
    guarded = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(guarded != MAP_FAILED);
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
    EXPECT_OK(sigaction(SIGSEGV, &sa, &old));
    long *p = (long *)(void *)guarded, sum = 0;
    p[1] = 10, p[2] = 20;
    for (long i = 0; i < 200000; i++) {
        if (i % 5000 == 77)
            EXPECT_OK(mprotect(guarded, 4096, PROT_NONE));
        sum += peek_twice(p);
    }
    EXPECT_EQ(sum, 200000 * 32);
    EXPECT_EQ(faults, 40);
    EXPECT_OK(sigaction(SIGSEGV, &old, NULL));
    munmap(guarded, 4096);

    static volatile long total, left; /* survive longjmp */
    for (left = 0; left < 100; left++) {
        if (!setjmp(out)) {
            for (long n = 0;; n++)
                total += leave_deeper(n, 2000);
        }
        EXPECT_EQ(fib(6), 8);
    }
    EXPECT_EQ(total, 100 * (1999 * 2000L / 2));
    puts("ok small callees");
}

/* Returns to where nothing is, by all the frames that a translator may keep. */
static volatile uintptr_t nowhere;
static sigjmp_buf back;
static void on_nowhere(int signo, siginfo_t *info, void *ctx)
{
    (void)signo;
    (void)info;
    nowhere = ISA_PC((ucontext_t *)ctx);
    siglongjmp(back, 1);
}
static __attribute__((noipa)) void return_to(uintptr_t at)
{
    __asm__ volatile(ISA_RETURN_TO : : "r"(at) : "memory");
}

/* In a thread of its own, where few frames lie below. */
static void *returns_to_nowhere(void *arg)
{
    struct sigaction sa = {.sa_sigaction = on_nowhere, .sa_flags = SA_SIGINFO}, old[2];
    EXPECT_OK(sigaction(SIGSEGV, &sa, &old[0]));
    EXPECT_OK(sigaction(SIGBUS, &sa, &old[1]));
    static volatile long i;
    for (i = 0; i < 400; i++) {
        uintptr_t at = i % 2 ? UINTPTR_MAX - 1 : UINTPTR_MAX;
        if (!sigsetjmp(back, 1)) {
            deep(i % 12);
            return_to(at);
        }
        EXPECT_EQ(nowhere | 1, at | 1); /* the lowest bit may not count */
        EXPECT_EQ(fib(5), 5);
    }
    EXPECT_OK(sigaction(SIGSEGV, &old[0], NULL));
    EXPECT_OK(sigaction(SIGBUS, &old[1], NULL));
    puts("ok returns to nowhere");
    return arg;
}

static void *thread(void *arg)
{
    long n = (long)arg, sum = 0;
    for (int i = 0; i < 20; i++)
        sum += deep(n) + fib(10);
    return (void *)sum;
}

static void threads(void)
{
    pthread_t t[4];
    EXPECT_EQ(pthread_create(&t[0], NULL, returns_to_nowhere, NULL), 0);
    EXPECT_EQ(pthread_join(t[0], NULL), 0);
    for (long i = 0; i < 4; i++)
        EXPECT_EQ(pthread_create(&t[i], NULL, thread, (void *)(1000 * (i + 1))), 0);
    for (long i = 0; i < 4; i++) {
        void *sum;
        long n = 1000 * (i + 1);
        EXPECT_EQ(pthread_join(t[i], &sum), 0);
        EXPECT_EQ(sum, 20 * (n * (n + 1) / 2 + 55));
    }
    puts("ok threads");
}

int main(void)
{
    recursion();
    jumps();
    signals();
    coroutines();
    pointers();
    small_callees();
    threads();
    return 0;
}

/* Code that changes: every way to write an instruction and then run it.
 *
 * A function is made of two instructions that return a number (isa_put_code). Where the text says "told", the program says
 * so with __builtin___clear_cache, as the architecture asks; the writer's own thread then sees
 * its change at once. Tests that do not tell run the code next after a system call.
 */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

#define put isa_put_code /* n below 2048 */

static void tell(void *at, size_t len)
{
    __builtin___clear_cache((char *)at, (char *)at + len);
}

static int run(void *at)
{
    return ((int (*)(void))at)();
}

static void *pages(size_t n, int prot)
{
    void *p = mmap(NULL, n * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(p != MAP_FAILED);
    return p;
}

static void test_same_page(void)
{
    char *p = pages(1, RWX);
    for (unsigned i = 0; i < 100; i++) {
        put(p, i);
        tell(p, 8);
        EXPECT_EQ(run(p), i);
    }
    for (unsigned i = 0; i < 100; i++) {
        put(p, i);
        getppid();
        EXPECT_EQ(run(p), i);
    }
    munmap(p, PAGE);
    verified("code written again and again");
}

/* A function that is called by its name in a loop, so that a translator may have taken it into the loop. */
static __attribute__((noipa, section(".text.changed"), aligned(PAGE))) int changed(void)
{
    __asm__ volatile("nop\n nop\n nop\n nop"); /* at least as long as what is put there */
    return 1;
}

static void test_direct_callee(void)
{
    char *p = (char *)(uintptr_t)changed;
    long sum = 0, want = 0;
    EXPECT_EQ(mprotect(p, PAGE, RWX), 0);
    for (long i = 0; i < 400000; i++) {
        if (i % 50000 == 49999) {
            put(p, (unsigned)(i / 50000) + 2);
            tell(p, 8);
        }
        sum += changed();
        want += i < 49999 ? 1 : (i + 1) / 50000 + 1;
    }
    EXPECT_EQ(sum, want);
    EXPECT_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
    verified("a function that a loop calls, rewritten");
}

/* Functions side by side in a page, written one after the other while the earlier ones run. */
static void test_append(void)
{
    char *p = pages(4, RWX);
    for (unsigned i = 0; i < 4 * PAGE / 16; i++) {
        put(p + 16 * i, i & 1023);
        tell(p + 16 * i, 8);
        EXPECT_EQ(run(p + 16 * i), i & 1023);
        EXPECT_EQ(run(p), 0);
        EXPECT_EQ(run(p + 16 * (i / 2)), (i / 2) & 1023);
    }
    munmap(p, 4 * PAGE);
    verified("functions added to a page in use");
}

static void test_remap(void)
{
    char *p = pages(2, RWX);
    put(p, 1);
    tell(p, 8);
    EXPECT_EQ(run(p), 1);
    EXPECT_EQ(munmap(p, 2 * PAGE), 0);
    EXPECT(mmap(p, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    put(p, 2);
    EXPECT_EQ(run(p), 2);
    /* Replaced without unmapping. */
    EXPECT(mmap(p, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    put(p, 3);
    EXPECT_EQ(run(p), 3);
    /* Moved over it. */
    char *q = pages(1, RWX);
    put(q, 4);
    EXPECT_EQ(run(q), 4);
    EXPECT(mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
    EXPECT_EQ(run(p), 4);
    /* And thrown away. */
    EXPECT_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
    put(p, 5);
    EXPECT_EQ(run(p), 5);
    munmap(p, PAGE);
    verified("code unmapped, mapped anew, replaced, moved, dropped");
}

static sigjmp_buf out;
static volatile uintptr_t fault_at;
static volatile int fault_code;

static void on_fault(int signo, siginfo_t *info, void *ctx)
{
    (void)signo;
    (void)ctx;
    fault_at = (uintptr_t)info->si_addr;
    fault_code = info->si_code;
    siglongjmp(out, 1);
}

static void test_toggle(void)
{
    char *p = pages(1, PROT_READ | PROT_WRITE);
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
    sigaction(SIGSEGV, &sa, &old);
    for (unsigned i = 0; i < 50; i++) {
        EXPECT_EQ(mprotect(p, PAGE, PROT_READ | PROT_WRITE), 0);
        put(p, i);
        if (sigsetjmp(out, 1) == 0) {
            run(p);
            EXPECT(0);
        }
        EXPECT_EQ(fault_at, (uintptr_t)p);
        EXPECT_EQ(fault_code, SEGV_ACCERR);
        EXPECT_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
        EXPECT_EQ(run(p), i);
        if (sigsetjmp(out, 1) == 0) {
            *(volatile char *)p = 0;
            EXPECT(0);
        }
        EXPECT_EQ(run(p), i);
    }
    munmap(p, PAGE);
    if (sigsetjmp(out, 1) == 0) {
        run(p);
        EXPECT(0);
    }
    EXPECT_EQ(fault_at, (uintptr_t)p);
    EXPECT_EQ(fault_code, SEGV_MAPERR);
    sigaction(SIGSEGV, &old, NULL);
    verified("protection toggled");
}

static void test_two_views(void)
{
    int fd = memfd_create("code", 0);
    EXPECT_OK(fd);
    EXPECT_EQ(ftruncate(fd, 2 * PAGE), 0);
    char *x = mmap(NULL, 2 * PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    char *w = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    EXPECT(x != MAP_FAILED && w != MAP_FAILED);
    for (unsigned i = 0; i < 100; i++) {
        put(w + PAGE, i);
        tell(x + PAGE, 8);
        EXPECT_EQ(run(x + PAGE), i);
    }
    for (unsigned i = 0; i < 100; i++) {
        put(w + PAGE, i + 200);
        getppid();
        EXPECT_EQ(run(x + PAGE), i + 200);
    }
    /* A view that is made after the code ran, and one that becomes writable. */
    char *w2 = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    put(w2, 7);
    getppid();
    EXPECT_EQ(run(x + PAGE), 7);
    munmap(w2, PAGE);
    w2 = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
    EXPECT_EQ(run(x + PAGE), 7);
    EXPECT_EQ(mprotect(w2, PAGE, PROT_READ | PROT_WRITE), 0);
    put(w2, 8);
    getppid();
    EXPECT_EQ(run(x + PAGE), 8);
    munmap(x, 2 * PAGE);
    munmap(w, 2 * PAGE);
    munmap(w2, PAGE);
    close(fd);
    verified("one view to write, another to run");
}

/* The kernel writes the code. */
static void test_read(void)
{
    char *p = pages(1, RWX);
    int fds[2];
    char code[ISA_CODE_SIZE];
    EXPECT_EQ(pipe(fds), 0);
    for (unsigned i = 0; i < 30; i++) {
        put(code, i);
        EXPECT_EQ(write(fds[1], code, sizeof code), sizeof code);
        EXPECT_EQ(read(fds[0], p, sizeof code), sizeof code);
        EXPECT_EQ(run(p), i);
    }
    close(fds[0]);
    close(fds[1]);
    munmap(p, PAGE);
    verified("code read from a pipe");
}

/* Data beside the code: it must not cost a fault for every write. */
static void test_mixed(void)
{
    char *p = pages(1, RWX);
    volatile uint64_t *data = (uint64_t *)(p + 2048);
    struct timespec a, b;
    put(p, 42);
    tell(p, 8);
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (unsigned i = 0; i < 20000; i++) {
        *data += 1;
        EXPECT_EQ(run(p), 42);
    }
    EXPECT_EQ(*data, 20000);
    /* And it is still noticed when it does change. */
    for (unsigned i = 0; i < 1000; i++) {
        *data += 1;
        put(p, i);
        tell(p, 8);
        EXPECT_EQ(run(p), i);
    }
    for (unsigned i = 0; i < 1000; i++) {
        put(p, i);
        getppid();
        EXPECT_EQ(run(p), i);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    double s = (b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) / 1e9;
    printf("mixed page: %.3f s\n", s);
    EXPECT(s < 5);
    munmap(p, PAGE);
    verified("code and data in one page");
}

/* Another thread writes; the handshake is by memory, and the reader tells. */
static volatile unsigned turn;
static char *shared;

static void *writer(void *arg)
{
    for (unsigned i = 1; i <= 200; i++) {
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * i - 1)
            sched_yield();
        put(shared, i);
        __atomic_store_n(&turn, 2 * i, __ATOMIC_RELEASE);
    }
    return arg;
}

static void test_thread(void)
{
    pthread_t t;
    shared = pages(1, RWX);
    put(shared, 0);
    EXPECT_EQ(pthread_create(&t, NULL, writer, NULL), 0);
    for (unsigned i = 1; i <= 200; i++) {
        EXPECT_EQ(run(shared), i - 1);
        __atomic_store_n(&turn, 2 * i - 1, __ATOMIC_RELEASE);
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * i)
            sched_yield();
        tell(shared, 8);
    }
    EXPECT_EQ(run(shared), 200);
    pthread_join(t, NULL);
    munmap(shared, PAGE);
    verified("code written by another thread");
}

/* Threads that run and write functions of one page all the time: long, and often from the beginning, when the page
 * changes hands most. */
static unsigned rounds;

static void *worker(void *arg)
{
    char *p = (char *)arg;
    for (unsigned i = 0; i < rounds; i++) {
        put(p, i & 2047);
        tell(p, 8);
        unsigned want = i & 2047, have = run(p);
        if (have != want)
            return (void *)(uintptr_t)(i + 1);
    }
    return NULL;
}

static void many(unsigned n)
{
    pthread_t t[4];
    char *p = pages(1, RWX);
    rounds = n;
    for (int i = 0; i < 4; i++)
        EXPECT_EQ(pthread_create(&t[i], NULL, worker, p + 256 * i), 0);
    for (int i = 0; i < 4; i++) {
        void *bad;
        pthread_join(t[i], &bad);
        EXPECT_EQ((uintptr_t)bad, 0);
    }
    munmap(p, PAGE);
}

static void test_many(void)
{
    many(3000);
    for (int i = 0; i < 200; i++)
        many(12);
    verified("threads that write and run in one page");
}

/* A function across two pages, an instruction too where they allow that; then only its number changes. */
static void test_straddle(void)
{
    char *p = pages(2, RWX), *code = p + PAGE - ISA_INSN_ALIGN;
    for (unsigned i = 0; i < 60; i++) {
        put(code, i);
        tell(code, ISA_CODE_SIZE);
        EXPECT_EQ(run(code), i);
        char other[ISA_CODE_SIZE];
        put(other, i + 100);
        memcpy(code + ISA_NUMBER_AT, other + ISA_NUMBER_AT, 2);
        tell(code + ISA_NUMBER_AT, 2);
        EXPECT_EQ(run(code), i + 100);
    }
    munmap(p, 2 * PAGE);
    verified("a function across pages");
}

int main(void)
{
    test_same_page();
    test_direct_callee();
    test_append();
    test_remap();
    test_toggle();
    test_two_views();
    test_read();
    test_mixed();
    test_thread();
    test_many();
    test_straddle();
    return 0;
}

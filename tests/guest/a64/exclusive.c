/* Exclusives of all sizes and pairs: between threads, and what they do without a reservation; which accesses must be
 * aligned (Armv8.0 without FEAT_LSE2: exclusives, atomics, acquire and release). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#define THREADS 4
#define ROUNDS 20000

static struct {
    uint8_t b;
    uint16_t h;
    uint32_t w;
    uint64_t x;
    uint32_t wp[2] __attribute__((aligned(8)));
    uint64_t xp[2] __attribute__((aligned(16)));
} v;

#define ADD(name, type, reg, load, store, place)                                                \
    static void name(void)                                                                      \
    {                                                                                           \
        type t;                                                                                 \
        uint32_t failed;                                                                        \
        __asm__ volatile("1: " load " %" reg "0, [%2]\n add %w0, %w0, 1\n " store " %w1, %" reg \
                         "0, [%2]\n cbnz %w1, 1b"                                               \
                         : "=&r"(t), "=&r"(failed)                                              \
                         : "r"(place)                                                           \
                         : "memory");                                                           \
    }
ADD(add_b, uint32_t, "w", "ldxrb", "stxrb", &v.b)
ADD(add_h, uint32_t, "w", "ldaxrh", "stlxrh", &v.h)
ADD(add_w, uint32_t, "w", "ldaxr", "stxr", &v.w)
ADD(add_x, uint64_t, "x", "ldxr", "stlxr", &v.x)

/* The halves count up and down together. */
static void add_wp(void)
{
    uint32_t a, b, failed;
    __asm__ volatile("1: ldxp %w0, %w1, [%3]\n add %w0, %w0, 1\n sub %w1, %w1, 1\n stxp %w2, %w0, "
                     "%w1, [%3]\n cbnz %w2, 1b"
                     : "=&r"(a), "=&r"(b), "=&r"(failed)
                     : "r"(v.wp)
                     : "memory");
}
static void add_xp(void)
{
    uint64_t a, b;
    uint32_t failed;
    __asm__ volatile("1: ldaxp %0, %1, [%3]\n add %0, %0, 1\n sub %1, %1, 1\n stlxp %w2, %0, %1, "
                     "[%3]\n cbnz %w2, 1b"
                     : "=&r"(a), "=&r"(b), "=&r"(failed)
                     : "r"(v.xp)
                     : "memory");
}

static void *worker(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        add_b();
        add_h();
        add_w();
        add_x();
        add_wp();
        add_xp();
    }
    return arg;
}

static void threads(void)
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        EXPECT_EQ(pthread_create(&t[i], NULL, worker, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    EXPECT_EQ(v.b, (uint8_t)(THREADS * ROUNDS));
    EXPECT_EQ(v.h, (uint16_t)(THREADS * ROUNDS));
    EXPECT_EQ(v.w, THREADS * ROUNDS);
    EXPECT_EQ(v.x, THREADS * ROUNDS);
    EXPECT_EQ(v.wp[0], THREADS * ROUNDS);
    EXPECT_EQ(v.wp[1], (uint32_t) - (THREADS * ROUNDS));
    EXPECT_EQ(v.xp[0], THREADS * ROUNDS);
    EXPECT_EQ(v.xp[1], (uint64_t) - (THREADS * ROUNDS));
    verified("counting by exclusives of all sizes in several threads");
}

static void reservation(void)
{
    uint64_t a, b;
    uint32_t f[4];
    v.x = 5;
    v.xp[0] = 6, v.xp[1] = 7;
    __asm__ volatile("clrex\n stxr %w0, %4, [%5]\n" /* there is none */
                     "ldxr x0, [%5]\n clrex\n stxr %w1, %4, [%5]\n"
                     "ldxr x0, [%5]\n stxr %w2, %4, [%6]\n"                     /* another place */
                     "ldxr x0, [%5]\n stxr w1, %4, [%5]\n stxr %w3, %4, [%5]\n" /* used up */
                     : "=&r"(f[0]), "=&r"(f[1]), "=&r"(f[2]), "=&r"(f[3])
                     : "r"(99ul), "r"(&v.x), "r"(v.xp)
                     : "x0", "x1", "memory");
    EXPECT_EQ(f[0], 1);
    EXPECT_EQ(f[1], 1);
    EXPECT_EQ(f[2], 1);
    EXPECT_EQ(f[3], 1);
    EXPECT_EQ(v.x, 99);
    EXPECT_EQ(v.xp[0], 6);
    __asm__ volatile("clrex\n stxp %w2, xzr, xzr, [%3]\n ldxp %0, %1, [%3]\n"
                     : "=&r"(a), "=&r"(b), "=&r"(f[0])
                     : "r"(v.xp)
                     : "memory");
    EXPECT_EQ(f[0], 1);
    EXPECT_EQ(a, 6);
    EXPECT_EQ(b, 7);
    /* Another value in the upper half in between. */
    __asm__ volatile("ldxp x0, x1, [%1]\n str xzr, [%1, 8]\n stxp %w0, xzr, xzr, [%1]\n"
                     : "=&r"(f[0])
                     : "r"(v.xp)
                     : "x0", "x1", "memory");
    EXPECT_EQ(f[0], 1);
    EXPECT_EQ(v.xp[0], 6);
    EXPECT_EQ(v.xp[1], 0);
    verified("store-exclusive without a reservation");
}

static sigjmp_buf back;
static siginfo_t seen;
static void on_bus(int signo, siginfo_t *si, void *uc)
{
    (void)signo, (void)uc;
    seen = *si;
    siglongjmp(back, 1);
}

static char area[64] __attribute__((aligned(64)));
#define MISALIGNED(insn, off)                                                                     \
    do {                                                                                          \
        memset(&seen, 0, sizeof seen);                                                            \
        if (sigsetjmp(back, 1) == 0)                                                              \
            __asm__ volatile(".arch armv8.3-a\n mov x4, 0\n mov x5, 0\n mov x6, 0\n mov x7, 0\n " \
                             "mov x0, %0\n" insn                                                  \
                             :                                                                    \
                             : "r"(area + (off))                                                  \
                             : "x0", "x1", "x4", "x5", "x6", "x7", "memory");                     \
        EXPECT_EQ(seen.si_signo, SIGBUS);                                                         \
        EXPECT_EQ(seen.si_code, BUS_ADRALN);                                                      \
        EXPECT_EQ((uintptr_t)seen.si_addr, (uintptr_t)area + (off));                              \
    } while (0)

static void alignment(void)
{
    struct sigaction sa = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &sa, NULL);
    for (volatile int round = 0; round < 100; round++) {
        MISALIGNED("ldxrh w4, [x0]", 1);
        MISALIGNED("ldxr w4, [x0]", 2);
        MISALIGNED("ldxr x4, [x0]", 4);
        MISALIGNED("ldxp w4, w5, [x0]", 4);
        MISALIGNED("ldxp x4, x5, [x0]", 8);
        MISALIGNED("stxp w1, x4, x5, [x0]", 8);
        MISALIGNED("stxr w1, x4, [x0]", 3);
        MISALIGNED("ldar x4, [x0]", 4);
        MISALIGNED("ldarh w4, [x0]", 7);
        MISALIGNED("stlr w4, [x0]", 1);
        MISALIGNED("ldapr x4, [x0]", 1);
        MISALIGNED("ldlar x4, [x0]", 9);
        MISALIGNED("stllr w4, [x0]", 9);
        MISALIGNED("ldadd x4, x5, [x0]", 1);
        MISALIGNED("swph w4, w5, [x0]", 1);
        MISALIGNED("cas w4, w5, [x0]", 2);
        MISALIGNED("casp x4, x5, x6, x7, [x0]", 8);
    }
    signal(SIGBUS, SIG_DFL);
    /* Plain accesses need no alignment. */
    uint64_t got;
    area[1] = 1;
    __asm__ volatile("ldr %0, [%1]\n ldp x4, x5, [%1]\n ldr q0, [%1]\n ldarb w4, [%1]\n"
                     : "=&r"(got)
                     : "r"(area + 1)
                     : "x4", "x5", "v0");
    EXPECT_EQ(got, 1);
    verified("alignment");
}

/* A pair that may not be written: the registers are in the handler as they were. */
static uint64_t at_fault[31];
static void on_segv(int signo, siginfo_t *si, void *uc)
{
    (void)signo, (void)si;
    const ucontext_t *u = uc;
    memcpy(at_fault, u->uc_mcontext.regs, sizeof at_fault);
    siglongjmp(back, 1);
}

#define SET_1(n) " add x" #n ", x0, " #n "\n"
static void pair_faults(void)
{
    struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
    uint64_t *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(page != MAP_FAILED);
    sigaction(SIGSEGV, &sa, NULL);
    for (volatile int round = 0; round < 100; round++) {
        memset(at_fault, 0, sizeof at_fault);
        if (sigsetjmp(back, 1) == 0)
            __asm__ volatile(".arch armv8.1-a\n mov x30, %0\n mov x0, 0x10000\n" SET_1(1) SET_1(2)
                                 SET_1(3) SET_1(4) SET_1(5) SET_1(6) SET_1(7) SET_1(8) SET_1(9)
                                     SET_1(10) SET_1(11) SET_1(12) SET_1(13) SET_1(14) SET_1(15)
                                         SET_1(16) SET_1(17) SET_1(19) SET_1(20) SET_1(21) SET_1(22)
                                             SET_1(23) SET_1(24) SET_1(25) SET_1(26) SET_1(27)
                                                 SET_1(28) " casp x4, x5, x6, x7, [x30]\n"
                             :
                             : "r"(page)
                             : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
                               "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x19", "x20", "x21",
                               "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "memory");
        EXPECT_EQ(at_fault[30], page);
        for (uint64_t n = 0; n < 29; n++)
            if (n != 18)
                EXPECT_EQ(at_fault[n], 0x10000 + n);
    }
    signal(SIGSEGV, SIG_DFL);
    verified("registers at a pair's fault");
}

/* By LSE: what was there comes back, and is replaced when it was expected. */
static void swap_pairs(void)
{
    register uint64_t x4 __asm__("x4"), x5 __asm__("x5"), x6 __asm__("x6"), x7 __asm__("x7");
    v.xp[0] = 0, v.xp[1] = 100;
    for (uint64_t i = 0; i < 200; i++) {
        x4 = i, x5 = 100 + i + (i & 1), x6 = i + 1, x7 = 101 + i;
        __asm__ volatile(".arch armv8.1-a\n caspal x4, x5, x6, x7, [%4]"
                         : "+r"(x4), "+r"(x5)
                         : "r"(x6), "r"(x7), "r"(v.xp)
                         : "memory");
        uint64_t got[2] = {x4, x5};
        EXPECT_EQ(got[0], i);
        EXPECT_EQ(got[1], 100 + i);
        EXPECT_EQ(v.xp[0], i & 1 ? i : i + 1);
        if (i & 1)
            v.xp[0] = i + 1, v.xp[1] = 101 + i;
    }
    verified("compare and swap of pairs");
}

int main(void)
{
    threads();
    swap_pairs();
    pair_faults();
    reservation();
    alignment();
    return 0;
}

/* Memory copy and set (FEAT_MOPS): sizes, overlaps, options, faults in the middle, what Linux does about registers that are
 * not what a prologue left (Arm ARM, CPYFP to SETE, C3.2.17; arm64_mops_reset_regs of Linux 6.12). Whatever part of the work each
 * instruction does, the whole is defined. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define WORDS(p, m, e) ".inst " #p "\n .inst " #m "\n .inst " #e
/* [x0]!, [x1]!, x2! */
#define COPY WORDS(0x1d010440, 0x1d410440, 0x1d810440)
#define COPY_FORWARD WORDS(0x19010440, 0x19410440, 0x19810440)
#define COPY_FORWARD_TN WORDS(0x1901f440, 0x1941f440, 0x1981f440)
/* [x0]!, x2!, x1 */
#define SET WORDS(0x19c10440, 0x19c14440, 0x19c18440)
#define SET_TN WORDS(0x19c13440, 0x19c17440, 0x19c1b440)

/* The final registers are those of option A or B: addresses behind what was done, or (a copy backwards) where it began. */
#define RUN(words, a0, a1, a2)                                                     \
    ({                                                                             \
        register uint64_t x0 __asm__("x0") = (a0), x1 __asm__("x1") = (a1);        \
        register uint64_t x2 __asm__("x2") = (a2);                                 \
        __asm__ volatile(words : "+r"(x0), "+r"(x1), "+r"(x2) : : "memory", "cc"); \
        EXPECT_EQ(x2, 0);                                                          \
        x0;                                                                        \
    })

#define SIZE (5 * 4096)
static uint8_t *area, want[SIZE];

static void fill(void)
{
    uint32_t x = 12345;
    for (unsigned i = 0; i < SIZE; i++) {
        x = x * 1664525 + 1013904223;
        area[i] = want[i] = x >> 24;
    }
}

static void one_copy(unsigned to, unsigned from, unsigned n, unsigned how)
{
    fill();
    memmove(want + to, want + from, n);
    uint64_t d = (uintptr_t)area + to, s = (uintptr_t)area + from, end;
    if (how == 0)
        end = RUN(COPY, d, s, n);
    else if (how == 1)
        end = RUN(COPY_FORWARD, d, s, n);
    else
        end = RUN(COPY_FORWARD_TN, d, s, n);
    EXPECT(end == d + n || (how == 0 && to > from && to < from + n && end == d));
    EXPECT_EQ(memcmp(area, want, SIZE), 0);
}

static void one_set(unsigned to, unsigned n, bool options)
{
    fill();
    memset(want + to, 0xa0 + n % 7, n);
    uint64_t d = (uintptr_t)area + to, data = 0x100 + 0xa0 + n % 7;
    uint64_t end = options ? RUN(SET_TN, d, data, n) : RUN(SET, d, data, n);
    EXPECT_EQ(end, d + n);
    EXPECT_EQ(memcmp(area, want, SIZE), 0);
}

static void sizes(void)
{
    static const unsigned far[] = {0, 3, 4090, 4096};
    for (unsigned n = 0; n < 150; n++) {
        for (unsigned i = 0; i < 4; i++) {
            one_copy(100 + far[i], 8000 + n, n, n % 3);
            one_set(4000 + far[i], n, n % 2);
        }
        one_copy(1000, 1000 + n / 2 + 1, n, n % 2 + 1); /* forward onto its own beginning */
        one_copy(1000 + n / 2, 1000, n, 0);
        one_copy(4000 + n, 4000, n + 40, 0);
    }
    for (unsigned n = 3000; n < 9000; n += 487) {
        one_copy(10, 9000 + n % 16, n, n % 3);
        one_copy(10 + n % 100, 10, n, 0);
        one_copy(10, 11, n, 1);
        one_copy(10 + 4096, 10, n, 0);
        one_copy(10, 10 + 4096, n, 0);
        one_set(n % 5000, n, false);
    }
    verified("copies and sets of all sizes, overlaps");
}

/* Sizes that the translator knows, at all distances to the ends of pages that matter. */
#define KNOWN(n)                                                                                  \
    do {                                                                                          \
        for (unsigned i = 0; i < 40; i++) {                                                       \
            unsigned size = (n), to = 4096 - i * 2, from = 3 * 4096 - (i < 20 ? 200 : i * 2 + 1); \
            fill();                                                                               \
            memmove(want + to, want + from, size);                                                \
            memset(want + from, 0x17, size);                                                      \
            memmove(want + to + 3, want + to, size);                                              \
            register uint8_t *x0 __asm__("x0") = area + to, *x1 __asm__("x1") = area + from;      \
            __asm__ volatile("mov x2, #" #n "\n" COPY_FORWARD "\n"                                \
                             "sub x0, x1, #" #n "\n mov x1, #0x17\n mov x2, #" #n "\n" SET        \
                             : "+r"(x0), "+r"(x1)                                                 \
                             :                                                                    \
                             : "x2", "memory", "cc");                                             \
            EXPECT_EQ((uintptr_t)x0, (uintptr_t)(area + from + n));                               \
            x0 = area + to + 3, x1 = area + to;                                                   \
            __asm__ volatile("mov x2, #" #n "\n" COPY                                             \
                             : "+r"(x0), "+r"(x1)                                                 \
                             :                                                                    \
                             : "x2", "memory", "cc");                                             \
            EXPECT_EQ(memcmp(area, want, SIZE), 0);                                               \
        }                                                                                         \
    } while (0)

static void known_sizes(void)
{
    KNOWN(0);
    KNOWN(1);
    KNOWN(2);
    KNOWN(3);
    KNOWN(4);
    KNOWN(7);
    KNOWN(8);
    KNOWN(9);
    KNOWN(15);
    KNOWN(16);
    KNOWN(17);
    KNOWN(31);
    KNOWN(32);
    KNOWN(33);
    KNOWN(48);
    KNOWN(63);
    KNOWN(64);
    KNOWN(65);
    KNOWN(200);
    verified("sizes that are constants");
}

static sigjmp_buf back;
static uint64_t seen_addr, seen_d, seen_s, seen_n, seen_pc;
static int seen_code;

static void on_fault(int signo, siginfo_t *si, void *context)
{
    (void)signo;
    const mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    seen_addr = (uintptr_t)si->si_addr;
    seen_code = si->si_code;
    seen_d = m->regs[0], seen_s = m->regs[1], seen_n = m->regs[2];
    seen_pc = m->pc;
    siglongjmp(back, 1);
}

static void on_fault_repair(int signo, siginfo_t *si, void *context)
{
    (void)context;
    seen_code++;
    EXPECT_EQ(signo, SIGSEGV);
    EXPECT_OK(mprotect((void *)((uintptr_t)si->si_addr & -4096l), 4096, PROT_READ | PROT_WRITE));
}

static void handle(int signo, void (*f)(int, siginfo_t *, void *))
{
    struct sigaction sa = {.sa_sigaction = f, .sa_flags = SA_SIGINFO};
    EXPECT_OK(sigaction(signo, &sa, NULL));
}

/* What is left, whichever the option: below zero in A with the end of things in the address registers. */
static void left(uint64_t d, uint64_t n, uint64_t done)
{
    if ((int64_t)seen_n < 0)
        EXPECT_EQ(seen_d, d + n);
    EXPECT_EQ((int64_t)seen_n < 0 ? -seen_n : seen_n, n - done);
}

static void faults(void)
{
    uint64_t a = (uintptr_t)area;
    handle(SIGSEGV, on_fault);
    fill();
    /* Forward, the destination's third page: what is before it has been done. */
    EXPECT_OK(mprotect(area + 2 * 4096, 4096, PROT_READ));
    if (sigsetjmp(back, 1) == 0)
        RUN(SET, a + 100, 7, 3 * 4096);
    EXPECT_EQ(seen_addr, a + 2 * 4096);
    EXPECT_EQ(seen_code, SEGV_ACCERR);
    left(a + 100, 3 * 4096, 2 * 4096 - 100);
    memset(want + 100, 7, 2 * 4096 - 100);
    EXPECT_EQ(memcmp(area, want, SIZE), 0);
    /* A read of a page that is not there, before any write to what lies behind. */
    EXPECT_OK(mprotect(area + 2 * 4096, 4096, PROT_NONE));
    if (sigsetjmp(back, 1) == 0)
        RUN(COPY_FORWARD, a, a + 4096 + 50, 4096 + 60);
    EXPECT_EQ(seen_addr, a + 2 * 4096);
    left(a, 4096 + 60, 4096 - 50);
    memcpy(want, want + 4096 + 50, 4096 - 50);
    EXPECT_EQ(memcmp(area, want, 2 * 4096), 0);
    /* Backwards: from the end. */
    EXPECT_OK(mprotect(area + 2 * 4096, 4096, PROT_READ | PROT_WRITE));
    fill();
    EXPECT_OK(mprotect(area + 4096, 4096, PROT_READ));
    if (sigsetjmp(back, 1) == 0)
        RUN(COPY, a + 200, a + 100, 3 * 4096);
    EXPECT_EQ(seen_addr & -4096l, a + 4096);
    EXPECT_EQ(seen_n, 2 * 4096 - 200);
    memmove(want + 2 * 4096, want + 2 * 4096 - 100, 4096 + 200);
    EXPECT_EQ(memcmp(area, want, SIZE), 0);
    /* Nothing at all. */
    if (sigsetjmp(back, 1) == 0)
        RUN(COPY, 8, a, 1);
    EXPECT_EQ(seen_addr, 8);
    EXPECT_EQ(seen_code, SEGV_MAPERR);
    if (sigsetjmp(back, 1) == 0)
        RUN(COPY, a, UINT64_C(0xffff000000001000), 1);
    EXPECT_EQ(seen_addr, UINT64_C(0xffff000000001000));
    RUN(COPY, 8, 16, 0);
    RUN(SET, 8, 16, 0);
    EXPECT_OK(mprotect(area, SIZE, PROT_READ | PROT_WRITE));

    /* Every page repaired in the handler, which returns: overlapping, so nothing may be done twice. */
    handle(SIGSEGV, on_fault_repair);
    for (int backwards = 0; backwards < 2; backwards++) {
        unsigned to = backwards ? 300 : 10, from = backwards ? 10 : 300;
        fill();
        memmove(want + to, want + from, 4 * 4096 + 33);
        EXPECT_OK(mprotect(area, SIZE, PROT_NONE));
        seen_code = 0;
        RUN(COPY, a + to, a + from, 4 * 4096 + 33);
        EXPECT_EQ(seen_code, 5);
        EXPECT_EQ(memcmp(area, want, SIZE), 0);
    }
    verified("faults in the middle");
}

static volatile sig_atomic_t ticks;
static void on_tick(int signo)
{
    (void)signo;
    ticks++;
}

static void signals(void)
{
    size_t n = 64 << 20;
    uint8_t *big = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(big != MAP_FAILED);
    signal(SIGALRM, on_tick);
    struct itimerval it = {{0, 1000}, {0, 1000}};
    EXPECT_OK(setitimer(ITIMER_REAL, &it, NULL));
    for (int i = 0; i < 3; i++) {
        RUN(SET, (uintptr_t)big, 1 + i, n);
        RUN(COPY, (uintptr_t)big + 4000, (uintptr_t)big, n - 4000);
        for (size_t k = 0; k < n; k += 1021)
            EXPECT_EQ(big[k], 1 + i);
    }
    it = (struct itimerval){0};
    setitimer(ITIMER_REAL, &it, NULL);
    EXPECT(ticks > 0);
    munmap(big, n);
    verified("signals in the middle");
}

/* From the main instruction and the epilogue with registers as the other option has them, or too much left: back to the
 * prologue, and all is well. */
static void resets(void)
{
    uint64_t a = (uintptr_t)area;
    /* With all of the work left to an epilogue, which may refuse more than a page. */
    fill();
    memset(want + 10, 9, 3 * 4096);
    register uint64_t x0 __asm__("x0") = a + 10, x1 __asm__("x1") = 9;
    register uint64_t x2 __asm__("x2") = 3 * 4096;
    __asm__ volatile("b 1f\n .inst 0x19c10440\n .inst 0x19c14440\n"
                     "0: .inst 0x19c18440\n b 2f\n"
                     "1: .inst 0x19c10440\n b 0b\n2:\n"
                     : "+r"(x0), "+r"(x1), "+r"(x2)
                     :
                     : "memory", "cc");
    EXPECT_EQ(x2, 0);
    EXPECT_EQ(x0, a + 10 + 3 * 4096);
    EXPECT_EQ(memcmp(area, want, SIZE), 0);
    /* As the other option has it. */
    for (int copy = 0; copy < 2; copy++) {
        for (int epilogue = 0; epilogue < 2; epilogue++) {
            uint64_t flags, n = 6000 + 100 * (unsigned)epilogue;
            fill();
            if (copy)
                memmove(want + 30, want + 8200, n);
            else
                memset(want + 30, 5, n);
            register uint64_t d __asm__("x0") = a + 30, s __asm__("x1") = copy ? a + 8200 : 5;
            register uint64_t left __asm__("x2") = n;
            if (copy)
                __asm__ volatile(".inst 0x19010440\n mrs %3, nzcv"
                                 : "+r"(d), "+r"(s), "+r"(left), "=r"(flags)
                                 :
                                 : "memory", "cc");
            else
                __asm__ volatile(".inst 0x19c10440\n mrs %3, nzcv"
                                 : "+r"(d), "+r"(s), "+r"(left), "=r"(flags)
                                 :
                                 : "memory", "cc");
            bool option_b = flags >> 29 & 1;
            EXPECT_EQ(flags >> 28, option_b ? 2 : 0);
            /* Either turns into the other alike: the size changes its sign, the addresses move by it. */
            d += left, s += copy ? left : 0;
            left = -left;
            flags = option_b ? 0 : UINT64_C(1) << 29;
            if (copy && epilogue)
                __asm__ volatile("msr nzcv, %3\n b 1f\n 0: .inst 0x19010440\n .inst 0x19410440\n"
                                 "1: .inst 0x19810440\n"
                                 : "+r"(d), "+r"(s), "+r"(left)
                                 : "r"(flags)
                                 : "memory", "cc");
            else if (copy)
                __asm__ volatile("msr nzcv, %3\n b 1f\n 0: .inst 0x19010440\n"
                                 "1: .inst 0x19410440\n .inst 0x19810440\n"
                                 : "+r"(d), "+r"(s), "+r"(left)
                                 : "r"(flags)
                                 : "memory", "cc");
            else if (epilogue)
                __asm__ volatile("msr nzcv, %3\n b 1f\n 0: .inst 0x19c10440\n .inst 0x19c14440\n"
                                 "1: .inst 0x19c18440\n"
                                 : "+r"(d), "+r"(s), "+r"(left)
                                 : "r"(flags)
                                 : "memory", "cc");
            else
                __asm__ volatile("msr nzcv, %3\n b 1f\n 0: .inst 0x19c10440\n"
                                 "1: .inst 0x19c14440\n .inst 0x19c18440\n"
                                 : "+r"(d), "+r"(s), "+r"(left)
                                 : "r"(flags)
                                 : "memory", "cc");
            EXPECT_EQ(left, 0);
            EXPECT_EQ(d, a + 30 + n);
            EXPECT_EQ(memcmp(area, want, SIZE), 0);
        }
    }
    /* Registers that are not three, or 31, are undefined, and stay so. */
    handle(SIGILL, on_fault);
    if (sigsetjmp(back, 1) == 0) {
        __asm__ volatile(".inst 0x19400440"); /* cpyfm [x0]!, [x0]!, x2! */
        EXPECT(false);
    }
    EXPECT_EQ(seen_code, ILL_ILLOPC);
    verified("registers that are not what a prologue left");
}

static void tags(void)
{
    uint64_t a = (uintptr_t)area;
    fill();
    memmove(want + 700, want + 8000, 5000);
    uint64_t end =
        RUN(COPY, (a + 700) | UINT64_C(0x5a) << 56, (a + 8000) | UINT64_C(0xa5) << 56, 5000);
    EXPECT_EQ(end, (a + 5700) | UINT64_C(0x5a) << 56);
    EXPECT_EQ(memcmp(area, want, SIZE), 0);
    memset(want + 20, 3, 5000);
    end = RUN(SET, (a + 20) | UINT64_C(0x5a) << 56, 3, 5000);
    EXPECT_EQ(end, (a + 5020) | UINT64_C(0x5a) << 56);
    EXPECT_EQ(memcmp(area, want, SIZE), 0);
    verified("addresses with tags");
}

/* A copy wherever a chain of calls that never return has come to (the translator keeps a stack of their return addresses). */
static void deep(void)
{
    uint64_t n = 300000;
    __asm__ volatile("1: bl 2f\n"
                     "2: mov x0, %1\n"
                     "   add x1, %1, #64\n"
                     "   mov x2, #24\n" COPY "\n"
                     "   mov x0, %1\n"
                     "   mov x1, #7\n"
                     "   mov x2, #24\n" SET "\n"
                     "   subs %0, %0, #1\n"
                     "   b.ne 1b"
                     : "+r"(n)
                     : "r"(area)
                     : "x0", "x1", "x2", "x30", "memory", "cc");
    EXPECT_EQ(n, 0);
    EXPECT_EQ(area[23], 7);
    verified("calls that never return");
}

int main(void)
{
    uint64_t isar2;
    __asm__("mrs %0, s3_0_c0_c6_2" : "=r"(isar2));
    EXPECT_EQ(isar2 >> 16 & 15, getauxval(AT_HWCAP2) >> 43 & 1);
    area = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(area != MAP_FAILED);
    sizes();
    known_sizes();
    faults();
    signals();
    tags();
    resets();
    deep();
    return 0;
}

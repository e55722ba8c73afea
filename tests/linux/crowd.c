/* All floating-point registers in use in a hot loop, more than a host may have: what they hold at a store that faults in its middle, by
 * the ucontext, and behind the loop. Also with so tiny numbers that a translator which has the host trap for them has a trap's
 * operands and results anywhere.
 *
 * Expected values: the sums are of integers, the products with -1, so all results are exact (IEEE 754). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    N = 32,
    FIRST = 2,
    HALF = 16
}; /* registers; the first that changes, and the first behind the store */

static volatile double start[N];
static double *page;
static volatile long faults, turns_before; /* whole turns before the one that faults */

/* Register i after n times: of the even ones with -1, of the odd ones plus 1. */
static double after(unsigned i, long n)
{
    return i < FIRST ? start[i] : i % 2 ? start[i] + (double)n : n % 2 ? -start[i] : start[i];
}

static void expect_register(unsigned i, double have, double want)
{
    if (memcmp(&have, &want, sizeof have) != 0) {
        printf("register %u is %a, should be %a\n", i, have, want);
        EXPECT(!"a register is wrong");
    }
}

static void on_fault(int sig, siginfo_t *si, void *p)
{
    (void)sig;
    EXPECT_EQ(si->si_addr, page);
    for (unsigned i = 0; i < N; i++)
        expect_register(i, isa_fp_register(p, i), after(i, turns_before + (i < HALF)));
    faults++;
    EXPECT_OK(mprotect(page, 4096, PROT_READ | PROT_WRITE));
}

/* `turns` turns, the last but three of which meets the page. */
static void run(long turns, double scale)
{
    double file[N];
    turns_before = turns - 4;
    for (unsigned i = 0; i < N; i++)
        file[i] = start[i] = i == 0 ? -1 : i == 1 ? 1 : i % 2 ? 100 * i : i * scale;
    EXPECT_OK(mprotect(page, 4096, PROT_NONE));
    long before = faults;
    isa_crowd(file, page - turns_before, turns);
    EXPECT_EQ(faults, before + 1);
    for (unsigned i = 0; i < N; i++)
        expect_register(i, file[i], after(i, turns));
}

int main(void)
{
    enum { WARM = 100000 };
    char *map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(map != MAP_FAILED);
    page = (double *)(map + (1 << 20) - 4096);
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = on_fault;
    sa.sa_flags = SA_SIGINFO;
    EXPECT_OK(sigaction(SIGSEGV, &sa, NULL));
    for (unsigned i = 0; i < 10; i++)
        run(WARM, 1.5);
    for (long turns = 5; turns < 40; turns++)
        run(turns, turns % 8 ? 0.25 : 0x1p-1074);
    run(WARM, 0x1.8p-1060);
    run(WARM, 1.5);
    printf("crowd: all as expected\n");
    return 0;
}

/* Unwinding out of a signal handler: the interrupted frame is found with its pc, its stack pointer and its
 * registers, by the vdso's unwind rules or by the shape of its sigreturn.
 */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unwind.h>

extern const char fault_at[];
uint64_t fault_sp;

/* Loads marks into two preserved registers and a floating-point one, and faults at fault_at. */
ISA_UNWIND_ASM;
void faulting(void);

static int frames, found, in_main;
static uint64_t kept[2], sp;
static int before;

/* arg: the function that must be found further out. */
static _Unwind_Reason_Code frame(struct _Unwind_Context *c, void *arg)
{
    int before_insn = 0;
    uintptr_t ip = _Unwind_GetIPInfo(c, &before_insn);

    frames++;
    if (ip == (uintptr_t)fault_at) {
        found = frames;
        before = before_insn;
        kept[0] = _Unwind_GetGR(c, ISA_UNWIND_KEPT0);
        kept[1] = _Unwind_GetGR(c, ISA_UNWIND_KEPT1);
        sp = _Unwind_GetGR(c, ISA_UNWIND_SP);
    }
    if (found && _Unwind_FindEnclosingFunction((void *)ip) == arg)
        in_main = frames;
    return frames > 50 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

int main(int argc, char **argv);

static void handler(int signo, siginfo_t *info, void *ctx)
{
    ucontext_t *uc = ctx;

    (void)signo;
    (void)info;
    _Unwind_Backtrace(frame, (void *)(uintptr_t)main);
    ISA_PC(uc) += 4;
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

    (void)argc;
    (void)argv;
    sigaction(SIGSEGV, &sa, NULL);
    faulting();
    EXPECT(found > 1);
    EXPECT(in_main > found);
    EXPECT(before == 1);
    EXPECT_EQ(kept[0], 0x1234);
    EXPECT_EQ(kept[1], 0x5678);
    EXPECT_EQ(sp, fault_sp);
    verified("the interrupted frame");
    return 0;
}

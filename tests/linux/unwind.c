/* Unwinding out of a signal handler: the interrupted frame is found with its pc, its stack pointer and its
 * registers, by the vdso's unwind rules or by the shape of its sigreturn.
 */
#define _GNU_SOURCE
#include "tests/linux/expect.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unwind.h>

extern const char fault_at[];
uint64_t fault_sp;

/* Loads marks into s2, s3 and fs2 and faults: uint64_t faulting(void). */
__asm__(".text\n"
        ".globl faulting\n"
        ".type faulting, @function\n"
        "faulting:\n"
        ".cfi_startproc\n"
        "addi sp, sp, -48\n"
        ".cfi_def_cfa_offset 48\n"
        "sd ra, 40(sp)\n"
        ".cfi_offset ra, -8\n"
        "sd s2, 32(sp)\n"
        ".cfi_offset s2, -16\n"
        "sd s3, 24(sp)\n"
        ".cfi_offset s3, -24\n"
        "fsd fs2, 16(sp)\n"
        ".cfi_offset fs2, -32\n"
        "li s2, 0x1234\n"
        "li s3, 0x5678\n"
        "fmv.d.x fs2, s2\n"
        "lla t0, fault_sp\n"
        "sd sp, 0(t0)\n"
        ".globl fault_at\n"
        "fault_at: .option push\n"
        ".option norvc\n"
        "sw zero, 0(zero)\n"
        ".option pop\n"
        "ld ra, 40(sp)\n"
        "ld s2, 32(sp)\n"
        "ld s3, 24(sp)\n"
        "fld fs2, 16(sp)\n"
        "addi sp, sp, 48\n"
        ".cfi_def_cfa_offset 0\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size faulting, . - faulting\n");
void faulting(void);

static int frames, found, in_main;
static uint64_t s2, s3, sp;
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
        s2 = _Unwind_GetGR(c, 18);
        s3 = _Unwind_GetGR(c, 19);
        sp = _Unwind_GetGR(c, 2);
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
    uc->uc_mcontext.__gregs[0] += 4;
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
    EXPECT(s2 == 0x1234);
    EXPECT(s3 == 0x5678);
    EXPECT(sp == fault_sp);
    verified("the interrupted frame");
    return 0;
}

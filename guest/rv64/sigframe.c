/* guest/rv64/sigframe.c: the frame of a signal handler, as Linux lays it out for riscv64.
 *
 * Owns: struct rv64_sigframe, whose layout is the kernel's (include/uapi/asm/{sigcontext,ucontext,
 * ptrace}.h of its riscv port; the handler's stack pointer points at it), and the registers with
 * which a handler is entered.
 *
 * Threading: works on what the caller passes.
 */
#include "guest/rv64/rv64.h"
#include "uop/fp.h"
#include <stddef.h>
#include <string.h>

/* Of the floating-point state's union: d registers first, then space up to what the quad-precision
 * state would take, the end of which holds the header of further extensions' contexts (none). */
struct rv64_fpstate {
    uint64_t f[32];
    uint32_t fcsr;
    uint32_t unused[64];
    uint32_t reserved_word; /* of struct __riscv_extra_ext_header: must be zero */
    uint32_t end_magic, end_size;
};

struct rv64_ucontext {
    uint64_t flags, link;
    stack_t stack; /* two 64-bit words around an int: alike on both sides */
    uint64_t sigmask;
    uint8_t unused[128 - 8]; /* the mask may grow to 1024 bits */
    _Alignas(16) uint64_t pc;
    uint64_t x1_to_x31[31];
    _Alignas(16) union {
        struct rv64_fpstate d;
        uint8_t quad[528];
    } fp;
};

struct rv64_sigframe {
    uint8_t info[128];
    struct rv64_ucontext uc;
};

_Static_assert(sizeof(siginfo_t) == 128, "siginfo is 128 bytes");
_Static_assert(sizeof(stack_t) == 24, "stack_t is 24 bytes");
_Static_assert(offsetof(struct rv64_ucontext, pc) == 176, "sigcontext is 16-byte aligned");
_Static_assert(offsetof(struct rv64_ucontext, fp) == 176 + 256, "after 32 registers");
_Static_assert(offsetof(struct rv64_fpstate, reserved_word) == 516, "where the union's header is");
_Static_assert(sizeof(struct rv64_fpstate) == 528, "as large as the quad state");
_Static_assert(sizeof(struct rv64_sigframe) == 1088, "whole frame");

size_t rv64_sigframe_size(void)
{
    return sizeof(struct rv64_sigframe);
}

size_t rv64_sigframe_build(struct cpu *cpu, const struct sigframe_in *in, void *buf,
                           uint64_t *sp_out)
{
    struct rv64_sigframe f;
    memset(&f, 0, sizeof f);
    memcpy(f.info, in->info, sizeof f.info);
    f.uc.stack = in->altstack;
    f.uc.sigmask = in->mask;
    f.uc.pc = cpu->r[RV64_PC];
    memcpy(f.uc.x1_to_x31, &cpu->r[1], sizeof f.uc.x1_to_x31);
    memcpy(f.uc.fp.d.f, &cpu->r[RV64_F0], sizeof f.uc.fp.d.f);
    f.uc.fp.d.fcsr = (uint32_t)cpu->r[RV64_FRM] << 5 | fp_env_flags(cpu);
    memcpy(buf, &f, sizeof f);

    uint64_t sp = (in->sp - sizeof f) & ~UINT64_C(15);
    cpu->r[RV64_PC] = in->handler;
    cpu->r[RV64_RA] = in->restorer;
    cpu->r[RV64_SP] = sp;
    cpu->r[RV64_A0] = (uint64_t)in->signo;
    cpu->r[RV64_A0 + 1] = sp + offsetof(struct rv64_sigframe, info);
    cpu->r[RV64_A0 + 2] = sp + offsetof(struct rv64_sigframe, uc);
    *sp_out = sp;
    return sizeof f;
}

int rv64_sigframe_parse(struct cpu *cpu, const void *buf, size_t size, uint64_t *mask, stack_t *ss)
{
    struct rv64_sigframe f;
    if (size < sizeof f)
        return -1;
    memcpy(&f, buf, sizeof f);
    const struct rv64_fpstate *d = &f.uc.fp.d;
    if (d->reserved_word || d->end_magic || d->end_size)
        return -1;
    cpu->r[RV64_PC] = f.uc.pc;
    memcpy(&cpu->r[1], f.uc.x1_to_x31, sizeof f.uc.x1_to_x31);
    memcpy(&cpu->r[RV64_F0], d->f, sizeof d->f);
    cpu->r[RV64_FRM] = d->fcsr >> 5 & 7;
    fp_env_set_mode(cpu, cpu->r[RV64_FRM]);
    fp_env_set_flags(cpu, d->fcsr & 0x1f);
    *mask = f.uc.sigmask;
    *ss = f.uc.stack;
    return 0;
}

/* guest/a64/sigframe.c: the frame of a signal handler, as Linux lays it out for arm64.
 *
 * Owns: struct a64_sigframe, whose layout is the kernel's (include/uapi/asm/{sigcontext,ucontext}.h of its arm64
 * port and struct rt_sigframe with its frame record), and the registers with which a handler is entered; what a
 * fault leaves behind for frames.
 *
 * Threading: works on what the caller passes.
 */
#include "guest/a64/a64.h"
#include "uop/fp.h"
#include <stddef.h>
#include <string.h>

#define FPSIMD_MAGIC 0x46508001u
#define ESR_MAGIC 0x45535201u

struct a64_context {
    uint32_t magic, size;
};

struct a64_fpsimd {
    struct a64_context head;
    uint32_t fpsr, fpcr;
    uint64_t v[64];
};

struct a64_esr {
    struct a64_context head;
    uint64_t esr;
};

struct a64_ucontext {
    uint64_t flags, link;
    stack_t stack;
    uint64_t sigmask;
    uint8_t unused[128 - 8];
    _Alignas(16) uint64_t fault_address;
    uint64_t x[31], sp, pc, pstate;
    _Alignas(16) uint8_t reserved[4096];
};

struct a64_sigframe {
    uint8_t info[128];
    struct a64_ucontext uc;
    uint64_t fp, lr; /* the frame record that x29 points at */
};

_Static_assert(sizeof(struct a64_fpsimd) == 528, "fpsimd_context");
_Static_assert(offsetof(struct a64_ucontext, fault_address) == 176,
               "sigcontext is 16-byte aligned");
_Static_assert(offsetof(struct a64_ucontext, reserved) == 176 + 288, "after the registers");
_Static_assert(sizeof(struct a64_sigframe) == 128 + 4560 + 16, "whole frame");

uint32_t a64_fpsr(const struct cpu *cpu)
{
    unsigned f = fp_env_flags(cpu), r = 0;
    for (int i = 0; i < 5; i++)
        r |= (f >> i & 1) << (4 - i);
    return r | (cpu->fp_denormal ? A64_FPSR_IDC : 0) | (uint32_t)cpu->r[A64_FPSR];
}

unsigned a64_fp_mode(uint32_t fpcr)
{
    static const uint8_t rm[4] = {FP_RNE, FP_RUP, FP_RDN, FP_RTZ};
    return rm[fpcr >> A64_FPCR_RMODE_SHIFT & 3] | (fpcr >> 24 & 1 ? FP_FZ : 0u) |
           (fpcr >> 25 & 1 ? FP_DN : 0u) | (fpcr >> 26 & 1 ? FP_AHP : 0u) |
           (fpcr & A64_FPCR_FZ16 ? FP_FZ16 : 0u);
}

void a64_set_fp(struct cpu *cpu, uint32_t fpcr, uint32_t fpsr)
{
    unsigned f = 0;
    for (int i = 0; i < 5; i++)
        f |= (fpsr >> i & 1) << (4 - i);
    cpu->r[A64_FPCR] = fpcr & A64_FPCR_MASK;
    cpu->r[A64_FPSR] = fpsr & A64_FPSR_QC;
    cpu->fp_denormal = fpsr & A64_FPSR_IDC;
    fp_env_set_mode(cpu, a64_fp_mode(fpcr));
    fp_env_set_flags(cpu, f);
}

/* ESR_EL1 of an abort (Arm ARM, D17.2.37). The level of the tables where a translation ended is taken to be the last; of an
 * address that is not user space's Linux tells no more than set_thread_esr (arch/arm64/mm/fault.c of Linux 6.12) leaves. */
static uint64_t esr_of(const struct cpu *cpu, int signo, int code, uint64_t addr)
{
    enum { TRANSLATION_L0 = 0x04, TRANSLATION_L3 = 0x07, PERMISSION_L3 = 0x0f, ALIGNMENT = 0x21 };
    bool fetch = addr == cpu->r[A64_PC];
    uint64_t ec = fetch ? 0x20 : 0x24; /* instruction or data abort from a lower level */
    uint64_t status = addr >> 48            ? TRANSLATION_L0
                      : signo == SIGBUS     ? code == BUS_ADRALN ? ALIGNMENT : TRANSLATION_L3
                      : code == SEGV_ACCERR ? PERMISSION_L3
                                            : TRANSLATION_L3;
    return ec << 26 | 1 << 25 | (uint64_t)(cpu->fault.write && !fetch) << 6 | status;
}

/* Both stay until the next, and are in the frames of all signals until then. What goes by arm64_notify_die has no address;
 * breakpoints change nothing. */
void a64_note_fault(struct cpu *cpu, int signo, int code, uint64_t addr)
{
    addr = guest_a64.untag(addr);
    bool pc = addr == cpu->r[A64_PC] && addr & 3, alignment = signo == SIGBUS && code == BUS_ADRALN;
    if (signo == SIGILL) {
        cpu->r[A64_FAULT_ADDRESS] = cpu->r[A64_FAULT_CODE] = 0;
    } else if (alignment && (pc || cpu->fault.stack)) {
        cpu->r[A64_FAULT_ADDRESS] = 0;
        cpu->r[A64_FAULT_CODE] = (pc ? 0x22u : 0x26u) << 26 | 1 << 25;
    } else if (signo == SIGSEGV || signo == SIGBUS) {
        cpu->r[A64_FAULT_ADDRESS] = addr;
        cpu->r[A64_FAULT_CODE] = esr_of(cpu, signo, code, addr);
    }
}

size_t a64_sigframe_size(void)
{
    return sizeof(struct a64_sigframe);
}

size_t a64_sigframe_build(struct cpu *cpu, const struct sigframe_in *in, void *buf,
                          uint64_t *sp_out)
{
    struct a64_sigframe *f = buf;
    struct a64_ucontext *uc = &f->uc;
    memset(f, 0, sizeof *f);
    memcpy(f->info, in->info, sizeof f->info);
    uc->stack = in->altstack;
    uc->sigmask = in->mask;
    uc->fault_address = cpu->r[A64_FAULT_ADDRESS];
    memcpy(uc->x, &cpu->r[A64_X0], sizeof uc->x);
    uc->sp = cpu->r[A64_SP];
    uc->pc = cpu->r[A64_PC];
    uc->pstate = a64_pstate_flags(cpu) | cpu->r[A64_PSTATE];
    struct a64_fpsimd fp = {
        {FPSIMD_MAGIC, sizeof fp}, a64_fpsr(cpu), (uint32_t)cpu->r[A64_FPCR], {0}};
    memcpy(fp.v, &cpu->r[A64_V0], sizeof fp.v);
    memcpy(uc->reserved, &fp, sizeof fp);
    struct a64_esr esr = {{ESR_MAGIC, sizeof esr}, cpu->r[A64_FAULT_CODE]};
    if (esr.esr)
        memcpy(uc->reserved + sizeof fp, &esr, sizeof esr);
    /* What follows is zeros: the terminator. */
    f->fp = cpu->r[29];
    f->lr = cpu->r[A64_LR];

    uint64_t sp = (in->sp - sizeof *f) & ~UINT64_C(15);
    cpu->r[A64_PC] = in->handler;
    cpu->r[A64_LR] = in->restorer;
    cpu->r[A64_SP] = sp;
    cpu->r[29] = sp + offsetof(struct a64_sigframe, fp);
    cpu->r[0] = (uint64_t)in->signo;
    cpu->r[1] = sp + offsetof(struct a64_sigframe, info);
    cpu->r[2] = sp + offsetof(struct a64_sigframe, uc);
    *sp_out = sp;
    return sizeof *f;
}

int a64_sigframe_parse(struct cpu *cpu, const void *buf, size_t size, uint64_t *mask, stack_t *ss)
{
    const struct a64_sigframe *f = buf;
    struct a64_fpsimd fp;
    bool have_fp = false;
    if (size < sizeof *f)
        return -1;
    /* Contexts of any order up to the terminator; the floating-point one must be there. */
    for (size_t at = 0; at + sizeof(struct a64_context) <= sizeof f->uc.reserved;) {
        struct a64_context head;
        memcpy(&head, f->uc.reserved + at, sizeof head);
        if (!head.magic && !head.size)
            break;
        if (head.size < sizeof head || head.size % 16 || head.size > sizeof f->uc.reserved - at)
            return -1;
        if (head.magic == FPSIMD_MAGIC) {
            if (have_fp || head.size != sizeof fp)
                return -1;
            memcpy(&fp, f->uc.reserved + at, sizeof fp);
            have_fp = true;
        } else if (head.magic != ESR_MAGIC) {
            return -1;
        }
        at += head.size;
    }
    if (!have_fp || f->uc.pstate & ~(UINT64_C(0xf0000000) | A64_PSTATE_BITS))
        return -1;
    memcpy(&cpu->r[A64_X0], f->uc.x, sizeof f->uc.x);
    cpu->r[A64_SP] = f->uc.sp;
    cpu->r[A64_PC] = f->uc.pc;
    a64_set_pstate_flags(cpu, f->uc.pstate);
    cpu->r[A64_PSTATE] = f->uc.pstate & A64_PSTATE_BITS;
    memcpy(&cpu->r[A64_V0], fp.v, sizeof fp.v);
    a64_set_fp(cpu, fp.fpcr, fp.fpsr);
    *mask = f->uc.sigmask;
    *ss = f->uc.stack;
    return 0;
}

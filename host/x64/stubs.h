/* The way between C and translated code: register conventions and the stubs.
 *
 * Owns: which guest slots have home registers, and the code that enters and leaves.
 *
 * Conventions in translated code. rbp = (char *)cpu + X64_CPU_BIAS, so that the fields before the slots, and slots 0 to 23, have one-byte
 * displacements; MXCSR is the guest's, but that the invalid exception may be unmasked. rax, rcx,
 * rdx and xmm0-xmm3 are scratch. Between units the home slots are in their registers and all others in
 * cpu->r[].
 *
 * Frames. rsp is a stack of its own (cpu->frames while outside), 16-aligned, of frames of 16 bytes: the host
 * return address, and above it the guest pc that it stands for. A guest call pushes the pc that it will return
 * to and does a host call; a guest return compares its target with [rsp+8] and does a host ret when they are
 * equal, so the processor predicts it. Everything else that can happen (longjmp, interpreted callees, signal
 * handlers, coroutines) makes them unequal, and X64_STUB_RETURN looks further down, or else goes the way of
 * indirect jumps and leaves the stack alone. At the bottom lie frames of no call, as many as are looked at, for the guest pc X64_FRAMES_NO_PC; a
 * guest that does return there finds X64_STUB_NO_FRAME.
 *
 * Threading: const after x64_stubs_emit.
 */
#ifndef DRAGOMAN_HOST_X64_STUBS_H
#define DRAGOMAN_HOST_X64_STUBS_H

#include "guest/guest.h"
#include "host/x64/emit.h"

#define X64_CPU_BIAS 128
#define X64_NO_SLOT 255
#define X64_NO_REG 255

/* The registers that may be homes, in order of preference. */
#define X64_NHOME_GPR GUEST_HOME_GPRS
#define X64_NHOME_XMM GUEST_HOME_XMMS
extern const uint8_t x64_home_gpr[X64_NHOME_GPR], x64_home_xmm[X64_NHOME_XMM];

struct x64_homes {
    uint8_t gpr_slot[16], xmm_slot[16]; /* by register: the slot or X64_NO_SLOT */
    bool xmm_whole[16];                 /* its home is that slot and the next: 128 bits */
    uint8_t reg_of[CPU_TEMP_BASE];      /* by slot: register number, +16 for xmm, or X64_NO_REG */
};
/* The homes of a guest, from its home_gpr and home_xmm lists. */
void x64_homes_of(const struct guest *g, struct x64_homes *h);

/* Places in struct cpu as rbp sees them. */
static inline struct x64_mem x64_slot(unsigned unit)
{
    return x64_mem(RBP, (int32_t)(offsetof(struct cpu, r) + unit * 8) - X64_CPU_BIAS);
}
#define X64_CPU(field) x64_mem(RBP, (int32_t)offsetof(struct cpu, field) - X64_CPU_BIAS)

/* Places that emitted code and the fault handler jump to; at all of them but ENTER and CALL the state is
 * canonical: homes in registers (FAULT: in the cpu), all other slots in the cpu. */
#define X64_FRAMES_SCAN 8                            /* frames that X64_STUB_RETURN looks at */
#define X64_FRAMES_NONE ((X64_FRAMES_SCAN + 2) * 16) /* bytes of frames of no call */
#define X64_FRAMES_NO_PC UINT64_MAX

enum x64_stub {
    X64_STUB_ENTER, /* from C: x64_enter_fn */
    X64_STUB_LINK, /* called from a unit's cold code: the return address says by which link it leaves */
    X64_STUB_INDIRECT, /* rax: guest pc to go on at, which the inline look-up did not find */
    X64_STUB_RETURN,   /* rax: guest pc to return to, which the topmost frame does not name */
    X64_STUB_NO_FRAME, /* returned to by the frames at the bottom */
    X64_STUB_EXIT,     /* eax: enum exit_reason; the pc slot is written */
    X64_STUB_FAULT,    /* the handler has put the state into the cpu */
    X64_STUB_CALL, /* called: rax = (*rax)(cpu, rcx, rdx); rcx, rdx, xmm0-xmm3 are clobbered, homes are not */
    X64_STUB_UOP, /* called: rax = uop_call(cpu, rax); xmm0-xmm3 and xmm16-xmm31 are clobbered, nothing else is */
    X64_STUB_UOP_HIGH, /* the same, for units that use xmm16-xmm31: these are not clobbered either */
    X64_STUB_COPY, /* called: mm_asm_copy_step(rax, rcx, rdx): rdx and the carry flag; rax, rcx, xmm0-xmm3 are clobbered */
    X64_STUB_FILL, /* the same of mm_asm_fill_step */
    X64_NSTUBS
};

/* Enter translated code with the state in the cpu; when it leaves all slots are in the cpu again. Returns an enum
 * exit_reason with the pc slot written (also EXIT_BLOCK, after INDIRECT), or the return address of the call
 * to LINK, with the pc slot not written. */
typedef uint64_t x64_enter_fn(struct cpu *cpu, const void *entry);
#define X64_LEFT_BY_LINK(v) ((v) > 0xff)

/* Emit all stubs; off[] gets each one's offset in the buffer. traps: translated code runs with exceptions unmasked (the cpu's MXCSR
 * says which, fp_mxcsr_of_units), which in the cpu are always masked while outside. */
void x64_stubs_emit(struct x64_emit *e, const struct x64_homes *h, unsigned pc_slot, bool traps,
                    uint32_t off[X64_NSTUBS]);
/* Mask these exceptions in translated code (on), or run it under them again: for code that looks at results, invalid operations
 * and underflow. Where the environment flushes, tiny results trap until both flags that the host's own flushing sets are set, and
 * then it does that. The host's flags and rax change. */
void x64_mask_traps(struct x64_emit *e, bool on, bool flushes);

#endif

/* The AArch64 guest's own names: register slots and the parts of guest_a64 that live in several files.
 *
 * Owns: the numbering of the slots in struct cpu.
 *
 * Threading: constants only.
 */
#ifndef DRAGOMAN_GUEST_A64_A64_H
#define DRAGOMAN_GUEST_A64_A64_H

#include "guest/a64/decode.h"
#include "guest/guest.h"
#include "guest/lift.h"
#include "uop/sem.h"

enum a64_slot {
    A64_X0 = 0, /* x0..x30 */
    A64_LR = 30,
    A64_SP = 31,
    A64_XZR = 32, /* the zero slot */
    A64_PC = 33,
    A64_NZCV = 34,  /* a value of the micro-ops' flags (uop/uop.h) */
    A64_TPIDR = 35, /* TPIDR_EL0 */
    A64_FPCR = 36,  /* the bits that are implemented; struct cpu's frm follows RMode */
    A64_FPSR = 37,  /* QC alone: the other flags are in the host's MXCSR */
    A64_V0 = 38,    /* v0..v31, two units each, low half first */
    A64_PSTATE =
        A64_V0 + 64, /* PSTATE.DIT and SSBS in their bits, 24 and 12: they change nothing here */
    A64_FAULT_ADDRESS, /* what Linux keeps of a thread's last fault (thread.fault_address and fault_code) */
    A64_FAULT_CODE,
    A64_NSLOTS,
};

#define A64_PSTATE_BITS (UINT64_C(1) << 24 | UINT64_C(1) << 12)

/* FPCR: AHP, DN, FZ, RMode, FZ16: bits 26 to 22, and 19. */
#define A64_FPCR_RMODE_SHIFT 22
#define A64_FPCR_FZ16 (1u << 19)
#define A64_FPCR_MASK (31u << A64_FPCR_RMODE_SHIFT | A64_FPCR_FZ16)
#define A64_FPSR_QC (1u << 27)
#define A64_FPSR_IDC_SHIFT 7
#define A64_FPSR_IDC (1u << A64_FPSR_IDC_SHIFT)

/* DC ZVA clears 4 << 4 bytes; 64-byte lines. CTR_EL0: no DIC, no IDC, so programs clean and invalidate. */
#define A64_DCZID 4
#define A64_ZVA_BYTES 64
#define A64_CTR 0x84448004
/* UOP_rdtime counts nanoseconds. */
#define A64_CNTFRQ 1000000000
/* Implementer 0 (reserved for software), architecture 15 (by ID registers). */
#define A64_MIDR 0x000f0000

/* Addressing modes: the rows' arguments. */
enum a64_mode { MODE_UIMM, MODE_IMM, MODE_POST, MODE_PRE, MODE_REG };
/* Saturating narrowing: signed, unsigned, signed to unsigned. */
enum a64_narrow { A64_NARROW_S, A64_NARROW_U, A64_NARROW_SU };
enum a64_pair { PAIR_OFF, PAIR_POST, PAIR_PRE };
/* frintx's rounding: the dynamic mode, and inexact is raised. */
#define A64_RINTX 100

enum a64_helper {
    A64_HELPER_CLREX,
    A64_HELPER_FP_MODE, /* fp_setmode's operand of an FPCR */
};

/* Number of bits hi to lo of an instruction word. */
#define A64_BITS(w, hi, lo) ((w) >> (lo) & (UINT32_MAX >> (31 - (hi) + (lo))))

/* An ID register's value as Linux gives it to user space: op1 0, CRn 0. */
uint64_t a64_id_register(unsigned crm, unsigned op2);
/* FPSR and FPCR as programs see them, of a cpu outside the engines, and back. */
uint32_t a64_fpsr(const struct cpu *cpu);
/* PSTATE's N, Z, C and V, in bits 31 to 28. */
static inline uint64_t a64_pstate_flags(const struct cpu *cpu)
{
    return uop_flags_nzcv(cpu->r[A64_NZCV]) << 28;
}
static inline void a64_set_pstate_flags(struct cpu *cpu, uint64_t pstate)
{
    cpu->r[A64_NZCV] = uop_flags_of(pstate >> 28);
}
void a64_set_fp(struct cpu *cpu, uint32_t fpcr, uint32_t fpsr);
extern const struct guest_debug a64_debug;
/* fp_setmode's operand by FPCR. */
unsigned a64_fp_mode(uint32_t fpcr);
/* "DecodeBitMasks" of the Arm ARM: the immediate of logical instructions; false when reserved. */
bool a64_bitmask(unsigned n, unsigned imms, unsigned immr, uint64_t *mask);

/* Of a copy or set: registers must be three, none of them 31, but for what a set stores, which may be zero. */
bool a64_bulk_registers(uint32_t word);
/* Behind the prologue of a copy or set whose main instruction and epilogue follow: these are lifted with it, as the branch past
 * them that they are when nothing is left. l->next_pc tells the length. Nothing for other instructions. */
void a64_lift_bulk_rest(struct lift *l, const struct a64_insn *in, const uint8_t *code,
                        size_t avail);

/* Members of guest_a64; see struct guest. */
unsigned a64_lift(struct lift *l, const uint8_t *code, size_t avail);
unsigned a64_disasm(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc);
const char *a64_slot_name(unsigned slot);
bool a64_emulate(struct cpu *cpu, const uint8_t code[4]);
void a64_note_fault(struct cpu *cpu, int signo, int code, uint64_t addr);
size_t a64_sigframe_build(struct cpu *cpu, const struct sigframe_in *in, void *buf,
                          uint64_t *sp_out);
size_t a64_sigframe_size(void);
int a64_sigframe_parse(struct cpu *cpu, const void *buf, size_t size, uint64_t *mask, stack_t *ss);

#endif

/* The x86-64 emitter: writes one instruction per call into a buffer.
 *
 * Owns: struct x64_emit, operands, labels, fix-ups, relocations. The encodings are rows of x64.def.
 *
 * How it is called. Operand size is in bytes (1, 2, 4, 8); register operands are enum x64_reg or
 * enum x64_xmm; the destination comes first. Suffixes name the operands in that order: r register,
 * m memory (struct x64_mem, by value: 8 bytes), i immediate. Integer groups (ALU, shifts) take the
 * operation as an enumerator; everything else takes the row's constant X64_<name> and a function by
 * its shape: x64_rr(e, X64_POPCNT, 8, RAX, RBX). Vector functions choose the VEX form when the feature
 * set has AVX and otherwise the legacy form, with a move to the destination first where the legacy form
 * overwrites its first operand: x64_v_rrr(e, X64_ADDSD, XMM0, XMM1, XMM2). A register from XMM16 on makes it the EVEX form,
 * which not every row has.
 *
 * Invariants: nothing is written past the buffer's end: from the first instruction that might not fit
 * on, e->overflow is set and instructions go to a scratch area. Unresolved fix-ups are chained through
 * the code itself. Code is position-independent but for what is listed in e->relocs.
 *
 * Threading: an emitter belongs to one thread.
 */
#ifndef DRAGOMAN_HOST_X64_EMIT_H
#define DRAGOMAN_HOST_X64_EMIT_H

#include "host/x64/features.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum x64_reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    X64_NONE = 16, /* as base or index of a memory operand: none */
    X64_AT = 17,   /* as base: RIP-relative; disp is an offset from the buffer's start */
    X64_LBL = 18,  /* as base: RIP-relative; disp is a label */
};
enum x64_xmm {
    XMM0,
    XMM1,
    XMM2,
    XMM3,
    XMM4,
    XMM5,
    XMM6,
    XMM7,
    XMM8,
    XMM9,
    XMM10,
    XMM11,
    XMM12,
    XMM13,
    XMM14,
    XMM15,
    XMM16, /* to XMM31: with AVX-512, in instructions with an EVEX form (XF_E) alone */
    X64_NXMM = 32,
};

/* Legacy vector forms whose destination is also the second operand go through this register. */
#define X64_SCRATCH_XMM XMM3

/* Condition codes: the low four bits of jcc, setcc, cmovcc. x64_cc_not inverts. */
enum x64_cc {
    X64_O,
    X64_NO,
    X64_B,
    X64_AE,
    X64_E,
    X64_NE,
    X64_BE,
    X64_A,
    X64_S,
    X64_NS,
    X64_P,
    X64_NP,
    X64_L,
    X64_GE,
    X64_LE,
    X64_G,
};
static inline enum x64_cc x64_cc_not(enum x64_cc cc)
{
    return (enum x64_cc)(cc ^ 1);
}
/* The condition after the operands of a comparison were exchanged. */
enum x64_cc x64_cc_swap(enum x64_cc cc);

/* ModRM digits of the groups. */
enum x64_alu { X64_ADD, X64_OR, X64_ADC, X64_SBB, X64_AND, X64_SUB, X64_XOR, X64_CMP };
enum x64_shift { X64_ROL, X64_ROR, X64_RCL, X64_RCR, X64_SHL, X64_SHR, X64_SAR = 7 };

/* Shapes of rows: the operands in order. R, X in ModRM.reg; RM, XM in ModRM.rm; V in VEX.vvvv (the
 * destination again in the legacy form); O in the opcode; CC a condition; I an immediate of the operand
 * size (at most 4 bytes), I8 of one byte; X0 implicit xmm0. */
enum x64_shape {
    X64_S_NONE,
    X64_S_NONE3,
    X64_S_O,
    X64_S_RM,
    X64_S_RM_R,
    X64_S_R_RM,
    X64_S_RM_I,
    X64_S_RM_I8,
    X64_S_RM_1,
    X64_S_RM_CL,
    X64_S_R_RM_I,
    X64_S_R_RM_I8,
    X64_S_RM_R_I8,
    X64_S_CC_RM,
    X64_S_CC_R_RM,
    X64_S_VR_V_RM,
    X64_S_VR_RM_V,
    X64_S_VV_RM,
    X64_S_VR_RM_I8,
    X64_S_X_XM,
    X64_S_XM_X,
    X64_S_X_V_XM,
    X64_S_X_XM_I8,
    X64_S_XM_X_I8,
    X64_S_X_V_XM_I8,
    X64_S_X_XM_X0,
    X64_S_X_V_XM_X,
    X64_S_V_X_I8,
    X64_S_X_RM,
    X64_S_X_V_RM,
    X64_S_X_V_RM_I8,
    X64_S_RM_X,
    X64_S_RM_X_I8,
    X64_S_R_X,
    X64_S_R_XM,
};

/* Flags of rows. The first group goes into the packed constant; the others inform tests. */
enum x64_flag {
    XF_BYTE = 1 << 0,   /* size 1 is the opcode less one */
    XF_RM1 = 1 << 1,    /* the rm operand is a byte whatever the size */
    XF_D64 = 1 << 2,    /* 64 bits by default: no REX.W */
    XF_VEX = 1 << 3,    /* has only a VEX form */
    XF_LEGACY = 1 << 4, /* has no VEX form */
    XF_W1 = 1 << 5,     /* REX.W / VEX.W is set */
    XF_VW1 = 1 << 6,    /* VEX.W is set, REX.W is not */
    XF_RM2 = 1 << 8,    /* the rm operand has 2 bytes */
    XF_RM4 = 1 << 9,    /* the rm operand has 4 bytes */
    XF_MEM = 1 << 10,   /* rm is memory only */
    XF_REG = 1 << 11,   /* rm is a register only */
    XF_AGEN = 1 << 12,  /* computes an address without access */
    XF_UIMM = 1 << 13,  /* the 8-bit immediate is unsigned */
    XF_LOCK = 1 << 14,  /* may be locked with a memory destination */
    XF_Y = 1 << 15,     /* has a 256-bit VEX form (AVX, or AVX2 for integer rows) */
    XF_SIZES = 1 << 16, /* the integer operand may have 4 or 8 bytes */
    /* These two go into the packed constant as well. */
    XF_E =
        1 << 17, /* has an EVEX form that does the same, for XMM16 to XMM31 (AVX512F, VL, BW, DQ) */
    XF_EW = 1 << 18, /* EVEX.W is set there, other than the VEX form's */
};

/* The packed encoding: opcode 0-7, map 8-10, pp 11-12, ext 13-15, flags 16-22, the 256-bit wish; for EVEX two flags, and the unit of
 * short displacements, the memory operand's size, as a power of two. */
#define X64_L256 (1u << 23)
#define X64_EVEX (1u << 24)
#define X64_EVEX_W (1u << 25)
#define X64_EVEX_UNIT(op) ((op) >> 26)
#define X64_LOG2(size) \
    ((size) >= 16 ? 4u : (size) >= 8 ? 3u : (size) >= 4 ? 2u : (size) >= 2 ? 1u : 0u)
#define X64_PACK(pp, map, op, ext, size, flags)                            \
    ((op) | (map) << 8 | (pp) << 11 | (ext) << 13 | ((flags)&0x7f) << 16 | \
     ((flags)&XF_E ? X64_EVEX | ((flags)&XF_EW ? X64_EVEX_W : 0) | X64_LOG2(size) << 26 : 0))
#define X64_OPF(op, flag) ((op) & (unsigned)(flag) << 16)

enum x64_op {
#define X64_ROW(name, mnemonic, shape, pp, map, op, ext, size, flags, feature) \
    X64_##name = X64_PACK(pp, map, op, ext, size, flags),
#include "host/x64/x64.def"
#undef X64_ROW
};

/* A memory operand: base + index * (1 << scale) + disp. */
struct x64_mem {
    uint8_t base, index, scale;
    int32_t disp;
};
static inline struct x64_mem x64_mem(unsigned base, int32_t disp)
{
    return (struct x64_mem){(uint8_t)base, X64_NONE, 0, disp};
}
/* factor is 1, 2, 4 or 8; index is not RSP. */
static inline struct x64_mem x64_mem_idx(unsigned base, unsigned index, unsigned factor,
                                         int32_t disp)
{
    return (struct x64_mem){(uint8_t)base, (uint8_t)index, (uint8_t)__builtin_ctz(factor), disp};
}
/* RIP-relative: an offset in this buffer, or a label of it. */
static inline struct x64_mem x64_mem_at(uint32_t offset)
{
    return (struct x64_mem){X64_AT, X64_NONE, 0, (int32_t)offset};
}
static inline struct x64_mem x64_mem_label(unsigned label)
{
    return (struct x64_mem){X64_LBL, X64_NONE, 0, (int32_t)label};
}

struct x64_label {
    uint32_t pos;   /* offset, or X64_UNBOUND */
    uint32_t chain; /* newest 32-bit fix-up, or X64_UNBOUND */
    uint32_t near8; /* newest 8-bit fix-up, or X64_UNBOUND */
};
#define X64_UNBOUND 0xfffffffu

/* A rel32 field to something outside of the buffer, by number (codecache/ knows the addresses). */
struct x64_reloc {
    uint32_t off; /* of the 4-byte field */
    uint32_t target;
};

struct x64_emit {
    uint8_t *p, *limit, *start;
    uint64_t features;
    bool avx;      /* features has AVX */
    bool overflow; /* code, labels or relocations did not fit: throw the result away */
    bool far8;     /* a short forward jump did not reach: emit again with no8 set */
    bool no8;      /* make every forward jump long */
    struct x64_label *labels;
    struct x64_reloc *relocs;
    unsigned nlabels, max_labels, nrelocs, max_relocs;
    uint8_t scratch[48];
};

/* Begin emitting into buf[0..size); features as x64_features(). labels and relocs are the caller's
 * arrays (may be NULL with 0). buf is aligned to 16 bytes if alignment functions are used, and the code's
 * final place must be aligned likewise. */
void x64_init(struct x64_emit *e, void *buf, size_t size, uint64_t features);
static inline uint32_t x64_offset(const struct x64_emit *e)
{
    return (uint32_t)(e->p - e->start);
}
static inline bool x64_has(const struct x64_emit *e, enum x64_feature f)
{
    return e->features >> f & 1;
}

/* ---- shapes of integer instructions; op is a row constant ---- */
void x64_none(struct x64_emit *e, unsigned op); /* NONE, NONE3 */
void x64_rr(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, unsigned rm);
void x64_rm(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, struct x64_mem m);
void x64_r(struct x64_emit *e, unsigned op, unsigned size, unsigned rm); /* RM: ext in reg */
void x64_m(struct x64_emit *e, unsigned op, unsigned size, struct x64_mem m);
void x64_ri8(struct x64_emit *e, unsigned op, unsigned size, unsigned rm, int imm);
void x64_mi8(struct x64_emit *e, unsigned op, unsigned size, struct x64_mem m, int imm);
void x64_ri(struct x64_emit *e, unsigned op, unsigned size, unsigned rm, int32_t imm);
void x64_mi(struct x64_emit *e, unsigned op, unsigned size, struct x64_mem m, int32_t imm);
void x64_o(struct x64_emit *e, unsigned op, unsigned size, unsigned reg); /* O */
/* R_RM_I8, RM_R_I8: reg and rm by their place in the encoding. */
void x64_rri8(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, unsigned rm, int imm);
void x64_rmi8(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, struct x64_mem m,
              int imm);
void x64_lock(struct x64_emit *e); /* prefix of the next instruction */

/* ---- integer instructions by name ---- */
void x64_alu_ri(struct x64_emit *e, enum x64_alu op, unsigned size, unsigned d, int32_t imm);
void x64_alu_mi(struct x64_emit *e, enum x64_alu op, unsigned size, struct x64_mem d, int32_t imm);
/* The same in the form with a long immediate, although a short one would do. */
void x64_alu_mi_long(struct x64_emit *e, enum x64_alu op, unsigned size, struct x64_mem d,
                     int32_t imm);
static inline void x64_alu_rr(struct x64_emit *e, enum x64_alu op, unsigned size, unsigned d,
                              unsigned s)
{
    x64_rr(e, X64_ADD_RM_R | op << 3, size, s, d);
}
static inline void x64_alu_rm(struct x64_emit *e, enum x64_alu op, unsigned size, unsigned d,
                              struct x64_mem s)
{
    x64_rm(e, X64_ADD_R_RM | op << 3, size, d, s);
}
static inline void x64_alu_mr(struct x64_emit *e, enum x64_alu op, unsigned size, struct x64_mem d,
                              unsigned s)
{
    x64_rm(e, X64_ADD_RM_R | op << 3, size, s, d);
}
/* Shifts by an immediate (modulo nothing: 0 emits a shift by 0) or by cl. */
void x64_shift_ri(struct x64_emit *e, enum x64_shift op, unsigned size, unsigned d, unsigned n);
void x64_shift_mi(struct x64_emit *e, enum x64_shift op, unsigned size, struct x64_mem d,
                  unsigned n);
static inline void x64_shift_rcl(struct x64_emit *e, enum x64_shift op, unsigned size, unsigned d)
{
    x64_r(e, X64_ROL_CL | (unsigned)op << 13, size, d);
}
/* The shortest move of a constant: xor is not used (flags). 64-bit values with zero or sign-extended upper
 * half take 5 or 7 bytes, others 10. */
void x64_mov_ri(struct x64_emit *e, unsigned d, uint64_t imm);
static inline void x64_mov_rr(struct x64_emit *e, unsigned size, unsigned d, unsigned s)
{
    x64_rr(e, X64_MOV_RM_R, size, s, d);
}
static inline void x64_mov_rm(struct x64_emit *e, unsigned size, unsigned d, struct x64_mem s)
{
    x64_rm(e, X64_MOV_R_RM, size, d, s);
}
static inline void x64_mov_mr(struct x64_emit *e, unsigned size, struct x64_mem d, unsigned s)
{
    x64_rm(e, X64_MOV_RM_R, size, s, d);
}
static inline void x64_mov_mi(struct x64_emit *e, unsigned size, struct x64_mem d, int32_t imm)
{
    x64_mi(e, X64_MOV_I, size, d, imm);
}
static inline void x64_zero(struct x64_emit *e, unsigned d)
{
    x64_alu_rr(e, X64_XOR, 4, d, d);
}
static inline void x64_lea(struct x64_emit *e, unsigned size, unsigned d, struct x64_mem s)
{
    x64_rm(e, X64_LEA, size, d, s);
}
static inline void x64_test_rr(struct x64_emit *e, unsigned size, unsigned a, unsigned b)
{
    x64_rr(e, X64_TEST_RM_R, size, b, a);
}
/* Chooses the narrowest test that sets ZF alike and, for a negative imm, SF too. */
void x64_test_ri(struct x64_emit *e, unsigned size, unsigned a, int32_t imm);
/* d = a * imm. */
void x64_imul_rri(struct x64_emit *e, unsigned size, unsigned d, unsigned a, int32_t imm);
static inline void x64_setcc(struct x64_emit *e, enum x64_cc cc, unsigned d)
{
    x64_r(e, X64_SETCC + cc, 4, d);
}
static inline void x64_cmov_rr(struct x64_emit *e, enum x64_cc cc, unsigned size, unsigned d,
                               unsigned s)
{
    x64_rr(e, X64_CMOVCC + cc, size, d, s);
}
static inline void x64_push(struct x64_emit *e, unsigned r)
{
    x64_o(e, X64_PUSH, 8, r);
}
static inline void x64_pop(struct x64_emit *e, unsigned r)
{
    x64_o(e, X64_POP, 8, r);
}

/* push a sign-extended constant. */
void x64_push_i(struct x64_emit *e, int32_t imm);

/* VEX integer instructions. rrr: d, the operand in VEX.vvvv, the operand in ModRM.rm. For the
 * shapes VR_RM_V (shlx, bextr, bzhi) v is the count. VV_RM: x64_vex_rr(d, rm). */
void x64_vex_rrr(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned v,
                 unsigned rm);
void x64_vex_rrm(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned v,
                 struct x64_mem m);
void x64_vex_rr(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned rm);
void x64_vex_rm(struct x64_emit *e, unsigned op, unsigned size, unsigned d, struct x64_mem m);
void x64_rorx(struct x64_emit *e, unsigned size, unsigned d, unsigned s, unsigned n);
void x64_rorx_m(struct x64_emit *e, unsigned size, unsigned d, struct x64_mem s, unsigned n);

/* ---- vector instructions, by shape; op may have X64_L256 or'ed in (VEX, XF_Y rows) ---- */
void x64_v_rr(struct x64_emit *e, unsigned op, unsigned x,
              unsigned xm); /* X_XM, XM_X: by encoding */
void x64_v_rm(struct x64_emit *e, unsigned op, unsigned x, struct x64_mem m);
void x64_v_rri(struct x64_emit *e, unsigned op, unsigned x, unsigned xm, unsigned imm);
void x64_v_rmi(struct x64_emit *e, unsigned op, unsigned x, struct x64_mem m, unsigned imm);
/* d = a op b. In the legacy form a is moved to d first; d must not be b then unless op commutes
 * (x64_v_rrr swaps the operands when `commutes` would be needed only if told so by x64_v_rrr_c). */
void x64_v_rrr(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned b);
void x64_v_rrr_c(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned b);
void x64_v_rrm(struct x64_emit *e, unsigned op, unsigned d, unsigned a, struct x64_mem b);
void x64_v_rrri(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned b, unsigned imm);
void x64_v_rrmi(struct x64_emit *e, unsigned op, unsigned d, unsigned a, struct x64_mem b,
                unsigned imm);
/* X_V_XM_X: vblendv* with mask m. */
void x64_v_rrrr(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned b, unsigned mask);
/* V_X_I8: d = a shifted by imm. */
void x64_v_shift(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned imm);
/* With an integer register or memory operand of `size` bytes: X_RM and RM_X (movd, movq), X_V_RM (cvtsi2sd: d,
 * a, rm), R_XM (cvttsd2si: r, xm), R_X (movmskpd). x64_v_gr/gm: reg field is the vector or integer
 * register named first in the encoding. */
void x64_v_gr(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, unsigned rm);
void x64_v_gm(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, struct x64_mem m);
void x64_v_rgr(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned a, unsigned rm);
void x64_v_rgm(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned a,
               struct x64_mem m);
/* X_V_RM_I8: pinsr; RM_X_I8: pextr (reg is the vector register). */
void x64_pinsr(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned rm, unsigned imm);
void x64_pextr(struct x64_emit *e, unsigned op, unsigned rm, unsigned x, unsigned imm);
void x64_pextr_m(struct x64_emit *e, unsigned op, struct x64_mem m, unsigned x, unsigned imm);
/* A whole vector register to another: nothing when they are the same. */
static inline void x64_v_mov(struct x64_emit *e, unsigned d, unsigned s)
{
    if (d != s)
        x64_v_rr(e, X64_MOVAPS, d, s);
}

/* ---- labels and control ---- */
unsigned x64_label(struct x64_emit *e);
void x64_bind(struct x64_emit *e, unsigned label);
static inline bool x64_bound(const struct x64_emit *e, unsigned label)
{
    return e->labels[label].pos != X64_UNBOUND;
}
/* Jumps: backward ones are as short as possible; forward ones are rel32, or rel8 with x64_jmp8 and
 * x64_jcc8, where the caller expects that to reach (else e->far8, see there). */
void x64_jmp(struct x64_emit *e, unsigned label);
void x64_jmp8(struct x64_emit *e, unsigned label);
void x64_jcc(struct x64_emit *e, enum x64_cc cc, unsigned label);
void x64_jcc8(struct x64_emit *e, enum x64_cc cc, unsigned label);
void x64_call(struct x64_emit *e, unsigned label);
/* To something outside, by number: a relocation. */
void x64_jmp_ext(struct x64_emit *e, uint32_t target);
void x64_jcc_ext(struct x64_emit *e, enum x64_cc cc, uint32_t target);
void x64_call_ext(struct x64_emit *e, uint32_t target);
/* sub dword [target], imm: an operand outside, RIP-relative. The field holds what lies between its end and the
 * instruction's, negated. */
void x64_sub_ext_i8(struct x64_emit *e, uint32_t target, int8_t imm);
/* Patchable: the rel32 field lies within 8 aligned bytes, so one store changes it atomically. Initially
 * to `label`. Returns the field's offset. */
uint32_t x64_jmp_patch(struct x64_emit *e, unsigned label);
uint32_t x64_jcc_patch(struct x64_emit *e, enum x64_cc cc, unsigned label);
uint32_t x64_call_patch(struct x64_emit *e, unsigned label);
/* How many bytes of padding x64_jcc_patch would begin with here: they had better be in front of the comparison, which
 * fuses with the jump. */
unsigned x64_jcc_patch_padding(const struct x64_emit *e);
/* No-operations of n bytes, and up to the next multiple of align (a power of two up to 64). */
void x64_nop(struct x64_emit *e, unsigned n);
void x64_align(struct x64_emit *e, unsigned align);
/* Data: for constants behind the code. */
void x64_byte(struct x64_emit *e, uint8_t v);
void x64_data(struct x64_emit *e, const void *data, size_t len);

#endif

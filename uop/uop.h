/* Micro-ops: the one intermediate form between guest instructions and both engines.
 *
 * Owns: struct uop, its enumerators and the info table expanded from uop.def.
 *
 * A micro-op is a three-address operation of 16 bytes. Operands are numbers of 64-bit units of the
 * register file in struct cpu: below CPU_TEMP_BASE they are guest slots, above block-local
 * temporaries. A 128-bit vector operand names an even unit and covers two. Temporaries die at guest
 * instruction boundaries; within one guest instruction no slot is written before its last micro-op
 * that may fault or leave, so that any instruction can be restarted.
 *
 * Threading: everything here is immutable after lifting.
 */
#ifndef DRAGOMAN_UOP_UOP_H
#define DRAGOMAN_UOP_UOP_H

#include <stdbool.h>
#include <stdint.h>

enum uop_code {
#define UOP_P1(name, ...) UOP_##name,
#define UOP_P2(name, ...) UOP_##name, UOP_##name##_i,
#define UOP_P3(name, ...) UOP_##name,
#define UOP_LOAD(name, ...) UOP_##name,
#define UOP_STORE(name, ...) UOP_##name,
#define UOP_AMO(name, ...) UOP_##name,
#define UOP_ATOM(name, ...) UOP_##name,
#define UOP_F1(name, ...) UOP_##name,
#define UOP_F2(name, ...) UOP_##name,
#define UOP_F3(name, ...) UOP_##name,
#define UOP_FC(name, ...) UOP_##name,
#define UOP_CV(name, ...) UOP_##name,
#define UOP_V1(name, ...) UOP_##name,
#define UOP_V2(name, ...) UOP_##name,
#define UOP_VX(name, ...) UOP_##name,
#define UOP_VF1(name, ...) UOP_##name,
#define UOP_VF2(name, ...) UOP_##name,
#define UOP_VF3(name, ...) UOP_##name,
#define UOP_VFC(name, ...) UOP_##name,
#define UOP_SYS(name, ...) UOP_##name,
#define UOP_TERM(name, ...) UOP_##name,
#include "uop/uop_all.h"
    UOP_CODES
};

/* What an operand is, for the verifier, the text form and register classes in the translator. */
enum uop_kind {
    UOP_K_N, /* none */
    UOP_K_I, /* 64-bit integer unit */
    UOP_K_H, /* f16, zero-extended */
    UOP_K_S, /* f32, zero-extended */
    UOP_K_D, /* f64 */
    UOP_K_V, /* 128-bit vector: an even unit and the next */
    UOP_K_P, /* pair of integer units: this one and the next */
};

enum uop_flag {
    UOP_F_IMM = 1 << 0,     /* imm is an operand */
    UOP_F_LOAD = 1 << 1,    /* reads guest memory; may fault */
    UOP_F_STORE = 1 << 2,   /* writes guest memory; may fault */
    UOP_F_ATOMIC = 1 << 3,  /* a host locked operation; alignment is checked */
    UOP_F_FPENV = 1 << 4,   /* reads the rounding mode, raises sticky flags */
    UOP_F_EFFECT = 1 << 5,  /* has an effect beyond d: never dead, never moved */
    UOP_F_HELPER = 1 << 6,  /* may read or write any slot through the cpu pointer */
    UOP_F_TERM = 1 << 7,    /* ends a block */
    UOP_F_BRANCH = 1 << 8,  /* conditional: two successors */
    UOP_F_PURE = 1 << 9,    /* value of d depends on operands alone */
    UOP_F_RM = 1 << 10,     /* imm is an enum fp_rm, and FP_ENV, FP_FBITS */
    UOP_F_VECTOR = 1 << 11, /* a row of vectors: uop_vec_NAME or uop_vec_fp is its meaning */
    UOP_F_BULK =
        1 << 12, /* many bytes, by host code of its own (bt/emit_bulk.c, process/mm_bulk.c) */
};

struct uop {
    uint16_t op;     /* enum uop_code */
    uint8_t d;       /* destination unit */
    uint8_t a, b, c; /* source units, or small constants where the row says so */
    uint16_t aux;    /* terminators: profile scratch; otherwise 0 */
    int64_t imm;
};

/* What an integer result always is, whatever the operands. */
enum uop_range {
    UOP_R_ANY = 0,
    UOP_R_SX = 1, /* the sign extension of its low half */
    UOP_R_ZX = 2, /* the zero extension of its low half */
    UOP_R_SMALL = UOP_R_SX | UOP_R_ZX,
    UOP_R_BIT = UOP_R_SMALL | 4, /* 0 or 1 */
};

struct uop_info {
    const char *name;
    uint16_t flags;
    uint8_t d, a, b, c; /* enum uop_kind */
    uint8_t range;      /* enum uop_range; ANY when d is no integer */
    uint16_t rr_form;   /* for a name_i row: the row with B in a register; else itself */
};
extern const struct uop_info uop_info[UOP_CODES];

/* Rounding modes: numbers of RISC-V's rm field; other guests convert. */
enum fp_rm {
    FP_RNE = 0, /* nearest, ties to even */
    FP_RTZ = 1, /* towards zero */
    FP_RDN = 2, /* towards minus infinity */
    FP_RUP = 3, /* towards plus infinity */
    FP_RMM = 4, /* nearest, ties away from zero: no host mode, computed in software */
    FP_ODD = 5, /* fp_soft's alone: what is inexact gets an odd significand */
    FP_DYN = 7, /* the mode set by fp_setmode */
};
#define FP_RM_MASK 7u

/* Beside the rounding mode in the immediate of floating-point micro-ops: what IEEE 754 leaves open is as Arm has it, not
 * as RISC-V. A NaN result is the first signalling operand, made quiet, else the first quiet one (of ffma c is the first), else
 * the positive quiet NaN without payload; fmin and fmax ignore quiet NaNs alone; a NaN converted to an integer is 0; a
 * result is tiny when it is so before rounding. */
#define FP_ENV 8u
/* And in conversions between numbers and integers: the integer counts units of 2^-n, n at most 64. */
#define FP_FBITS(n) ((unsigned)(n) << 8)
#define FP_FBITS_OF(imm) ((unsigned)(imm) >> 8)

/* Rules of the environment, with the rounding mode in fp_setmode's operand: subnormal operands and results are zeros (of
 * f32 and f64; of f16), f16 is Arm's alternative half precision in conversions, every NaN result is the default one. In the
 * interpreter everything of f16, and NaNs of what has FP_ENV, are software in any case, with FP_FZ everything is; translated code
 * uses the host's instructions, whose traps say where they do otherwise (codecache/trap.h), but for f16 with FP_FZ16 or FP_AHP. Code
 * is made for these rules, FP_CODE_RULES: what it does about results depends on them. */
enum fp_rule { FP_FZ = 1 << 4, FP_FZ16 = 1 << 5, FP_AHP = 1 << 6, FP_DN = 1 << 7 };
#define FP_RULES 0xf0u
#define FP_CODE_RULES FP_RULES

/* Sticky exception flags, RISC-V's fflags layout. FP_ID, a subnormal operand taken as zero, is kept in the cpu and no
 * part of fp_getflags. */
enum fp_flag { FP_NX = 1, FP_UF = 2, FP_OF = 4, FP_DZ = 8, FP_NV = 16, FP_ID = 32 };

/* Condition flags as a value: where x86 puts them by lahf and seto. B, "borrow", is Arm's C inverted; all other bits are zero.
 * In any other value V is set when the low byte is a positive number. */
enum { UOP_FLAG_N = 1 << 15, UOP_FLAG_Z = 1 << 14, UOP_FLAG_B = 1 << 8, UOP_FLAG_V = 1 << 0 };

/* Hint of jmp and jmp_ind in operand c, for call/return pairing. */
enum uop_jump { JUMP_PLAIN, JUMP_CALL, JUMP_RET };

/* Is less than a page left, for copy_page and fill_page? */
#define UOP_PAGE 4096
static inline bool uop_less_than_page(int64_t left)
{
    return left > -UOP_PAGE && left < UOP_PAGE;
}

/* Are these bytes at an address what copy_short and fill_short do? */
#define UOP_SHORT 64
static inline bool uop_is_short(uint64_t addr, uint64_t size)
{
    return size <= UOP_SHORT && addr % UOP_PAGE <= UOP_PAGE - UOP_SHORT;
}

#endif

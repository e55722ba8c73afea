/* Floating point that scalar and vector lifters share: operations on values in units.
 *
 * Owns: nothing; the functions are in lift_fp.c. A value of a narrow format is zero-extended. T is 0 for f16, 1 for
 * f32, 2 for f64. Everything is by Arm's rules (FP_ENV).
 *
 * Threading: works on the caller's struct lift only.
 */
#ifndef DRAGOMAN_GUEST_A64_FP_H
#define DRAGOMAN_GUEST_A64_FP_H

#include "guest/a64/lift.h"

/* Row of type T among the rows that uop.def's UOP_FP gives for f16, f32, f64. */
static inline enum uop_code a64_fop(int f16_row, unsigned T)
{
    return (unsigned)f16_row + T * (UOP_fadd_f32 - UOP_fadd_f16);
}

/* The immediate of floating-point micro-op op: rm where it rounds, and FP_ENV. */
static inline int64_t a64_fimm_of(enum uop_code op, enum fp_rm rm)
{
    unsigned flags = uop_info[op].flags;
    return flags & UOP_F_RM ? rm | FP_ENV : flags & UOP_F_IMM ? FP_ENV : 0;
}
/* The scalar in vector register n, and writing one. */
uint8_t a64_fp_reg(struct lift *l, unsigned T, unsigned n);
void a64_fp_result(struct lift *l, unsigned n, uint8_t value);
/* f16_row of fadd, fsub, fmul, fdiv, fmin, fmax (numbers), fminimum, fmaximum. */
uint8_t a64_fp2(struct lift *l, int f16_row, unsigned T, uint8_t a, uint8_t b);
/* c + a * b */
uint8_t a64_fma(struct lift *l, unsigned T, uint8_t a, uint8_t b, uint8_t c);
/* fsqrt, fround, froundx and the like with a rounding mode */
uint8_t a64_fp1(struct lift *l, int f16_row, unsigned T, uint8_t a, enum fp_rm rm);
uint8_t a64_fneg(struct lift *l, unsigned T, uint8_t a);
uint8_t a64_fabs(struct lift *l, unsigned T, uint8_t a);
/* To an integer of 32 (wide: 64) bits, zero-extended. */
uint8_t a64_fcvt_int(struct lift *l, unsigned T, uint8_t a, bool wide, bool is_unsigned,
                     enum fp_rm rm, unsigned fbits);
uint8_t a64_int_fcvt(struct lift *l, unsigned T, uint8_t a, bool wide, bool is_unsigned,
                     unsigned fbits);
/* Between formats. */
uint8_t a64_fcvt(struct lift *l, unsigned to, unsigned from, uint8_t a);
/* The value that VFPExpandImm gives imm8. */
uint64_t a64_fimm(unsigned T, unsigned imm8);

#endif

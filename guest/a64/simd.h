/* What the files of AdvSIMD lifters share.
 *
 * Owns: nothing; the functions are in lift_simd.c.
 *
 * Threading: works on the caller's struct lift only.
 */
#ifndef DRAGOMAN_GUEST_A64_SIMD_H
#define DRAGOMAN_GUEST_A64_SIMD_H

#include "guest/a64/fp.h"

/* log2 of the lane's bytes, bits 23:22 */
#define SIZE W(23, 22)
/* A scalar is the vector with only its low half kept (and with zeros beside a narrower scalar), and Q is one there. */
#define SCALAR W(28, 28)

/* Write vector t to register d; the upper half is zero unless wide. */
void a64_vresult(struct lift *l, unsigned d, uint8_t t, bool wide);
/* Lane i of 1 << size bytes of register v, zero-extended. */
uint8_t a64_lane(struct lift *l, unsigned v, unsigned size, unsigned i);
/* Lane i of register d becomes the low bits of t. */
void a64_insert(struct lift *l, unsigned d, unsigned size, unsigned i, uint8_t t);
/* A vector with that lane in every lane. */
uint8_t a64_everywhere(struct lift *l, unsigned v, unsigned size, unsigned i);
/* Two 64-bit values as a vector. */
uint8_t a64_both(struct lift *l, uint8_t low, uint8_t high);
/* Vector micro-ops into a fresh temporary. */
uint8_t a64_vec2(struct lift *l, enum uop_code op, uint8_t a, uint8_t b);
uint8_t a64_vec_i(struct lift *l, enum uop_code op, uint8_t a, uint8_t b, int64_t imm);
/* The low lanes of 1 << SIZE bytes, or (upper) the high ones, twice as wide; bit 29: unsigned. */
uint8_t a64_widen(struct lift *l, const struct a64_insn *in, uint8_t v, bool upper);
/* A constant in every lane of 1 << size bytes. */
uint8_t a64_vconst(struct lift *l, uint64_t v, unsigned size);
/* Of shifts by immediate: log2 of the lane's bytes, and how far. */
unsigned a64_shift_size(const struct a64_insn *in);
unsigned a64_shift_left(const struct a64_insn *in);
unsigned a64_shift_right(const struct a64_insn *in);
/* The lane that L, M and H name, everywhere; lanes of 16 bits are of registers 0 to 15. */
uint8_t a64_element(struct lift *l, const struct a64_insn *in);
/* The narrow vector t goes to the half of rd that Q says. */
void a64_narrow_result(struct lift *l, const struct a64_insn *in, uint8_t t);

/* ---- floating point, lift_simd_fp.c ---- */

/* The type (0 for f16, 1 for f32, 2 for f64) of three-register, two-register and by-element forms. */
#define TYPE3 (W(21, 21) ? 1 + W(22, 22) : 0)
#define TYPE2 (W(20, 19) == 3 ? 0 : 1 + W(22, 22))
#define TYPE_ELEM (W(23, 23) ? 1 + W(22, 22) : 0)

/* Register n as an operand: with SCALAR of the scalar's type in a unit; and the result. */
uint8_t a64_vf_operand(struct lift *l, const struct a64_insn *in, unsigned T, unsigned n);
void a64_vf_result(struct lift *l, const struct a64_insn *in, uint8_t t);
/* Emit the scalar row, or its vector's, with rounding mode (and FP_FBITS) rm. */
uint8_t a64_vf_emit(struct lift *l, const struct a64_insn *in, enum uop_code op, uint8_t a,
                    uint8_t b, uint8_t c, unsigned rm);
/* The sign of each lane of type T, and an operand with its signs changed. */
uint64_t a64_vf_signs(unsigned T);
uint8_t a64_vf_negated(struct lift *l, const struct a64_insn *in, unsigned T, uint8_t v);
/* Whole instructions of two registers: scalar row op; conversions with integers of the lane's size. */
void a64_vf_one(struct lift *l, const struct a64_insn *in, int op, unsigned rm);
void a64_vf_to_integer(struct lift *l, const struct a64_insn *in, unsigned T, unsigned rm);
void a64_vf_from_integer(struct lift *l, const struct a64_insn *in, unsigned T, unsigned rm);

#endif

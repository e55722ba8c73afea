/* guest/a64/lift_simd_fp.c: from decoded instructions to micro-ops: AdvSIMD floating point.
 *
 * Owns: the meaning of these rows of a64.decode. Scalar forms are the scalar micro-ops; forms of 64 bits have both halves
 * alike while they are computed, so that no lane raises a flag that is not due.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/simd.h"

/* The vector's row of a scalar row. */
static enum uop_code vector_row(enum uop_code scalar)
{
    static const uint16_t row[UOP_CODES] = {
#define UOP_VF1(name, scalar, ...) [UOP_##scalar] = UOP_##name,
#define UOP_VF2(name, scalar, ...) [UOP_##scalar] = UOP_##name,
#define UOP_VF3(name, scalar, ...) [UOP_##scalar] = UOP_##name,
#define UOP_VFC(name, scalar, ...) [UOP_##scalar] = UOP_##name,
#include "uop/uop_all.h"
    };
    return row[scalar];
}

uint8_t a64_vf_operand(struct lift *l, const struct a64_insn *in, unsigned T, unsigned n)
{
    if (SCALAR)
        return a64_fp_reg(l, T, n);
    return Q ? a64_v(n) : a64_both(l, a64_v(n), a64_v(n));
}

void a64_vf_result(struct lift *l, const struct a64_insn *in, uint8_t t)
{
    if (SCALAR)
        a64_fp_result(l, in->rd, t);
    else
        a64_vresult(l, in->rd, t, Q);
}

uint8_t a64_vf_emit(struct lift *l, const struct a64_insn *in, enum uop_code op, uint8_t a,
                    uint8_t b, uint8_t c, unsigned rm)
{
    uint8_t t = SCALAR ? lift_temp(l) : lift_vtemp(l);
    int64_t imm = a64_fimm_of(op, rm & FP_RM_MASK) | (int64_t)(rm & ~FP_RM_MASK);
    lift_emit(l, SCALAR ? op : vector_row(op), t, a, b, c,
              uop_info[op].flags & UOP_F_IMM || !SCALAR ? imm : 0);
    return t;
}

uint64_t a64_vf_signs(unsigned T)
{
    return T == 0   ? UINT64_C(0x8000800080008000)
           : T == 1 ? UINT64_C(0x8000000080000000)
                    : UINT64_C(0x8000000000000000);
}

static uint8_t with_constant(struct lift *l, enum uop_code op, uint8_t v, uint64_t bits)
{
    uint8_t t = emit_const(l, bits);
    return a64_vec2(l, op, v, a64_both(l, t, t));
}

uint8_t a64_vf_negated(struct lift *l, const struct a64_insn *in, unsigned T, uint8_t v)
{
    return SCALAR ? a64_fneg(l, T, v) : with_constant(l, UOP_vxor, v, a64_vf_signs(T));
}

static uint8_t magnitude(struct lift *l, const struct a64_insn *in, unsigned T, uint8_t v)
{
    return SCALAR ? a64_fabs(l, T, v) : with_constant(l, UOP_vandn, v, a64_vf_signs(T));
}

/* ---- three registers ---- */

LIFT(vf2)
{
    unsigned T = TYPE3;
    uint8_t a = a64_vf_operand(l, in, T, in->rn), b = a64_vf_operand(l, in, T, in->rm);
    a64_vf_result(l, in, a64_vf_emit(l, in, a64_fop(arg, T), a, b, 0, FP_DYN));
}

/* Neighbours of rm:rn. */
LIFT(vf2p)
{
    unsigned T = TYPE3;
    uint8_t a = a64_v(in->rn), b = a64_v(in->rm);
    if (!Q)
        a = b = a64_both(l, a, b);
    uint8_t even = a64_vec_i(l, UOP_vuzp1, a, b, T + 1), odd = a64_vec_i(l, UOP_vuzp2, a, b, T + 1);
    a64_vf_result(l, in, a64_vf_emit(l, in, a64_fop(arg, T), even, odd, 0, FP_DYN));
}

/* The two lanes of a register; f16 has bit 29 clear. */
LIFT(fpair)
{
    unsigned T = W(29, 29) ? 1 + W(22, 22) : 0;
    uint8_t a = a64_lane(l, in->rn, T + 1, 0), b = a64_lane(l, in->rn, T + 1, 1);
    a64_fp_result(l, in->rd, a64_fp2(l, arg, T, a, b));
}

LIFT(vfma)
{
    unsigned T = TYPE3;
    uint8_t a = a64_vf_operand(l, in, T, in->rn), b = a64_vf_operand(l, in, T, in->rm);
    uint8_t c = a64_vf_operand(l, in, T, in->rd);
    a64_vf_result(l, in,
                  a64_vf_emit(l, in, a64_fop(UOP_ffma_f16, T),
                              arg ? a64_vf_negated(l, in, T, a) : a, b, c, FP_DYN));
}

LIFT(vfabd)
{
    unsigned T = TYPE3;
    uint8_t a = a64_vf_operand(l, in, T, in->rn), b = a64_vf_operand(l, in, T, in->rm);
    uint8_t t = a64_vf_emit(l, in, a64_fop(UOP_fsub_f16, T), a, b, 0, FP_DYN);
    a64_vf_result(l, in, magnitude(l, in, T, t));
}

/* Truth as a lane of zeros or ones. Operands of a scalar comparison are flushed before: beside a NaN the host would not tell that one is
 * subnormal. */
static uint8_t emit_compare(struct lift *l, const struct a64_insn *in, int op, unsigned T,
                            uint8_t a, uint8_t b)
{
    if (SCALAR && T) {
        a = emit1(l, a64_fop(UOP_fflush_f16, T), a);
        b = emit1(l, a64_fop(UOP_fflush_f16, T), b);
    }
    uint8_t t = a64_vf_emit(l, in, a64_fop(op, T), a, b, 0, 0);
    if (!SCALAR)
        return t;
    t = emit2(l, T == 1 ? UOP_sub_32z : UOP_sub_64, A64_XZR, t);
    return T == 0 ? emit1(l, UOP_zext16, t) : t;
}

/* a >= b is b <= a, a > b is b < a; equality does not mind. */
LIFT(vfcmp)
{
    unsigned T = TYPE3;
    uint8_t a = a64_vf_operand(l, in, T, in->rn), b = a64_vf_operand(l, in, T, in->rm);
    a64_vf_result(l, in, emit_compare(l, in, arg, T, b, a));
}

LIFT(vfacmp)
{
    unsigned T = TYPE3;
    uint8_t a = magnitude(l, in, T, a64_vf_operand(l, in, T, in->rn));
    uint8_t b = magnitude(l, in, T, a64_vf_operand(l, in, T, in->rm));
    a64_vf_result(l, in, emit_compare(l, in, arg, T, b, a));
}

/* ---- two registers ---- */

static void compare_zero(struct lift *l, const struct a64_insn *in, int op, bool swap)
{
    unsigned T = TYPE2;
    uint8_t zero = emit_const(l, 0), a = a64_vf_operand(l, in, T, in->rn);
    if (!SCALAR)
        zero = a64_both(l, zero, zero);
    a64_vf_result(l, in, emit_compare(l, in, op, T, swap ? a : zero, swap ? zero : a));
}

LIFT(vfcmp0)
{
    compare_zero(l, in, arg, false);
}

LIFT(vfcmp0_swap)
{
    compare_zero(l, in, arg, true);
}

LIFT(vfabs)
{
    a64_vf_result(l, in, magnitude(l, in, TYPE2, a64_v(in->rn)));
}

LIFT(vfneg)
{
    a64_vf_result(l, in, a64_vf_negated(l, in, TYPE2, a64_v(in->rn)));
}

void a64_vf_one(struct lift *l, const struct a64_insn *in, int op, unsigned rm)
{
    unsigned T = TYPE2;
    a64_vf_result(l, in,
                  a64_vf_emit(l, in, a64_fop(op, T), a64_vf_operand(l, in, T, in->rn), 0, 0, rm));
}

LIFT(vfsqrt)
{
    a64_vf_one(l, in, UOP_fsqrt_f16, FP_DYN);
}

LIFT(vfrint)
{
    bool exact = arg == A64_RINTX;
    a64_vf_one(l, in, exact ? UOP_froundx_f16 : UOP_fround_f16, exact ? FP_DYN : (unsigned)arg);
}

static const uint16_t to_int[3][2] = {{UOP_cvt_f16_s16, UOP_cvt_f16_u16},
                                      {UOP_cvt_f32_s32, UOP_cvt_f32_u32},
                                      {UOP_cvt_f64_s64, UOP_cvt_f64_u64}};
static const uint16_t from_int[3][2] = {{UOP_cvt_s16_f16, UOP_cvt_u16_f16},
                                        {UOP_cvt_s32_f32, UOP_cvt_u32_f32},
                                        {UOP_cvt_s64_f64, UOP_cvt_u64_f64}};

void a64_vf_to_integer(struct lift *l, const struct a64_insn *in, unsigned T, unsigned rm)
{
    uint8_t t =
        a64_vf_emit(l, in, to_int[T][W(29, 29)], a64_vf_operand(l, in, T, in->rn), 0, 0, rm);
    if (SCALAR && T < 2)
        t = emit1(l, T == 1 ? UOP_zext32 : UOP_zext16, t);
    a64_vf_result(l, in, t);
}

void a64_vf_from_integer(struct lift *l, const struct a64_insn *in, unsigned T, unsigned rm)
{
    a64_vf_result(
        l, in,
        a64_vf_emit(l, in, from_int[T][W(29, 29)], a64_vf_operand(l, in, T, in->rn), 0, 0, rm));
}

LIFT(vfcvt_int)
{
    a64_vf_to_integer(l, in, TYPE2, (unsigned)arg);
}

LIFT(vint_fcvt)
{
    a64_vf_from_integer(l, in, TYPE2, FP_DYN);
}

/* Between f16 and f32 (bit 22 clear) or f32 and f64; Q is the half of the narrow vector. */
LIFT(fcvtl)
{
    uint8_t narrow = a64_v(in->rn) + (Q ? 1 : 0);
    enum uop_code op = W(22, 22) ? UOP_vcvt_f32_f64 : UOP_vcvt_f16_f32;
    uint8_t t = a64_both(l, narrow, narrow), d = lift_vtemp(l);
    lift_emit(l, op, d, t, 0, 0, FP_DYN | FP_ENV);
    a64_vresult(l, in->rd, d, true);
}

LIFT(fcvtn)
{
    uint8_t t = lift_vtemp(l);
    lift_emit(l,
              arg         ? arg
              : W(22, 22) ? UOP_vcvt_f64_f32
                          : UOP_vcvt_f32_f16,
              t, a64_v(in->rn), 0, 0, FP_DYN | FP_ENV);
    a64_narrow_result(l, in, t);
}

/* ---- by element ---- */

/* fmul, fmla, fmls, fmulx by the lane that L and H (f64: H alone; f16: M too) name. */
LIFT(vfelem)
{
    unsigned T = TYPE_ELEM, i = W(11, 11), v = W(20, 16);
    if (T == 1)
        i = i << 1 | W(21, 21);
    else if (T == 0)
        i = i << 2 | W(21, 20), v &= 15;
    uint8_t b = SCALAR ? a64_lane(l, v, T + 1, i) : a64_everywhere(l, v, T + 1, i);
    uint8_t a = a64_vf_operand(l, in, T, in->rn), t;
    if (arg == 0 || arg == 3)
        t = a64_vf_emit(l, in, a64_fop(arg ? UOP_fmulx_f16 : UOP_fmul_f16, T), a, b, 0, FP_DYN);
    else
        t = a64_vf_emit(l, in, a64_fop(UOP_ffma_f16, T), arg == 2 ? a64_vf_negated(l, in, T, a) : a,
                        b, a64_vf_operand(l, in, T, in->rd), FP_DYN);
    a64_vf_result(l, in, t);
}

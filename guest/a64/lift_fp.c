/* guest/a64/lift_fp.c: from decoded instructions to micro-ops: scalar floating point.
 *
 * Owns: the meaning of the scalar floating-point rows of a64.decode, and the functions of fp.h.
 *
 * Known to be inexact: FPCR.FZ and AHP are not there, and underflow is raised when the result is tiny after
 * rounding, where Arm looks before rounding.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/fp.h"

static int64_t sign_of(unsigned T)
{
    return T == 0 ? 0x8000 : T == 1 ? 0x80000000 : INT64_MIN;
}

static uint8_t default_nan(struct lift *l, unsigned T, uint8_t r)
{
    return emit2(l, a64_nanop(UOP_fdefnan_f16, T), r, A64_FPCR);
}

static uint8_t rounded(struct lift *l, enum uop_code op, uint8_t a, uint8_t b, uint8_t c,
                       enum fp_rm rm)
{
    uint8_t t = lift_temp(l);
    lift_emit(l, op, t, a, b, c, uop_info[op].flags & UOP_F_RM ? rm : 0);
    return t;
}

uint8_t a64_fp2(struct lift *l, int f16_row, unsigned T, uint8_t a, uint8_t b)
{
    bool number = f16_row == UOP_fmin_f16 || f16_row == UOP_fmax_f16;
    uint8_t r = rounded(l, a64_fop(f16_row, T), a, b, 0, FP_DYN);
    r = emit3(l, a64_nanop(number ? UOP_fnannm_f16 : UOP_fnan_f16, T), r, a, b);
    return default_nan(l, T, r);
}

uint8_t a64_fma(struct lift *l, unsigned T, uint8_t a, uint8_t b, uint8_t c)
{
    uint8_t r = rounded(l, a64_fop(UOP_ffma_f16, T), a, b, c, FP_DYN);
    uint8_t n = emit3(l, a64_nanop(UOP_fnan3_f16, T), c, a, b);
    return default_nan(l, T, emit2(l, a64_nanop(UOP_fnanpick_f16, T), r, n));
}

uint8_t a64_fp1(struct lift *l, int f16_row, unsigned T, uint8_t a, enum fp_rm rm)
{
    uint8_t r = rounded(l, a64_fop(f16_row, T), a, 0, 0, rm);
    return default_nan(l, T, emit3(l, a64_nanop(UOP_fnan_f16, T), r, a, a));
}

uint8_t a64_fneg(struct lift *l, unsigned T, uint8_t a)
{
    return emit_i(l, UOP_xor_64_i, a, sign_of(T));
}

uint8_t a64_fabs(struct lift *l, unsigned T, uint8_t a)
{
    return emit_i(l, UOP_and_64_i, a, (int64_t)((uint64_t)sign_of(T) - 1));
}

/* 2^e in format T. */
static uint64_t power_of_two(unsigned T, int e)
{
    return T == 1 ? (uint64_t)(127 + e) << 23 : (uint64_t)(1023 + e) << 52;
}

/* Scaling may overflow, which then saturates; but it raises no flags of its own. */
static uint8_t scaled(struct lift *l, unsigned T, uint8_t a, unsigned fbits)
{
    uint8_t flags = lift_temp(l);
    lift_emit(l, UOP_fp_getflags, flags, 0, 0, 0, 0);
    uint8_t t = rounded(l, a64_fop(UOP_fmul_f16, T), a, emit_const(l, power_of_two(T, (int)fbits)),
                        0, FP_RNE);
    lift_emit(l, UOP_fp_setflags, 0, flags, 0, 0, 0);
    return t;
}

uint8_t a64_fcvt_int(struct lift *l, unsigned T, uint8_t a, bool wide, bool is_unsigned,
                     enum fp_rm rm, unsigned fbits)
{
    enum uop_code op = a64_fop(UOP_cvt_f16_s32, T) + 2 * wide + is_unsigned;
    /* A signalling NaN must still be one when it is converted, but invalid is raised for quiet ones too. */
    uint8_t t = rounded(l, op, fbits ? scaled(l, T, a, fbits) : a, 0, 0, rm);
    t = emit2(l, a64_nanop(UOP_fnanzero_f16, T), t, a);
    return wide ? t : emit1(l, UOP_zext32, t);
}

uint8_t a64_int_fcvt(struct lift *l, unsigned T, uint8_t a, bool wide, bool is_unsigned,
                     unsigned fbits)
{
    static const uint16_t from[4] = {UOP_cvt_s32_f16, UOP_cvt_u32_f16, UOP_cvt_s64_f16,
                                     UOP_cvt_u64_f16};
    uint8_t t = rounded(l, a64_fop(from[2 * wide + is_unsigned], T), a, 0, 0, FP_DYN);
    if (fbits) /* exact: nothing comes near the least exponent */
        t = rounded(l, a64_fop(UOP_fmul_f16, T), t, emit_const(l, power_of_two(T, -(int)fbits)), 0,
                    FP_RNE);
    return t;
}

uint8_t a64_fcvt(struct lift *l, unsigned to, unsigned from, uint8_t a)
{
    static const uint16_t op[3][3] = {
        {0, UOP_cvt_f16_f32, UOP_cvt_f16_f64},
        {UOP_cvt_f32_f16, 0, UOP_cvt_f32_f64},
        {UOP_cvt_f64_f16, UOP_cvt_f64_f32, 0},
    };
    static const uint16_t nan[3][3] = {
        {0, UOP_fnancvt_f16_f32, UOP_fnancvt_f16_f64},
        {UOP_fnancvt_f32_f16, 0, UOP_fnancvt_f32_f64},
        {UOP_fnancvt_f64_f16, UOP_fnancvt_f64_f32, 0},
    };
    uint8_t t = rounded(l, op[from][to], a, 0, 0, FP_DYN);
    return default_nan(l, to, emit2(l, nan[from][to], t, a));
}

uint64_t a64_fimm(unsigned T, unsigned imm8)
{
    uint64_t sign = imm8 >> 7, b = imm8 >> 6 & 1, rest = imm8 & 0x3f;
    if (T == 1)
        return sign << 31 | (b ? UINT64_C(0x1f) : UINT64_C(0x20)) << 25 | rest << 19;
    return sign << 63 | (b ? UINT64_C(0xff) : UINT64_C(0x100)) << 54 | rest << 48;
}

/* ---- the rows ---- */

/* Type of a scalar instruction by bits 23:22: single, double, half. */
static unsigned type_of(unsigned ty)
{
    return ty == 0 ? 1 : ty == 1 ? 2 : 0;
}
#define TYPE type_of(W(23, 22))

/* The scalar in vector register n. */
static uint8_t fp_reg(struct lift *l, unsigned T, unsigned n)
{
    if (T == 2)
        return a64_v(n);
    return emit1(l, T == 1 ? UOP_zext32 : UOP_zext16, a64_v(n));
}

static void fp_result(struct lift *l, unsigned n, uint8_t value)
{
    emit_to(l, a64_v(n), UOP_mov_64, value, 0);
    emit_to(l, a64_v(n) + 1, UOP_movi, 0, 0);
}

LIFT(fmov)
{
    fp_result(l, in->rd, fp_reg(l, TYPE, in->rn));
}

LIFT(fabs)
{
    fp_result(l, in->rd, a64_fabs(l, TYPE, fp_reg(l, TYPE, in->rn)));
}

LIFT(fneg)
{
    fp_result(l, in->rd, a64_fneg(l, TYPE, fp_reg(l, TYPE, in->rn)));
}

LIFT(fsqrt)
{
    fp_result(l, in->rd, a64_fp1(l, UOP_fsqrt_f16, TYPE, fp_reg(l, TYPE, in->rn), FP_DYN));
}

LIFT(frint)
{
    bool exact = arg == A64_RINTX;
    fp_result(l, in->rd,
              a64_fp1(l, exact ? UOP_froundx_f16 : UOP_fround_f16, TYPE, fp_reg(l, TYPE, in->rn),
                      exact ? FP_DYN : (enum fp_rm)arg));
}

LIFT(fp2)
{
    uint8_t a = fp_reg(l, TYPE, in->rn), b = fp_reg(l, TYPE, in->rm);
    fp_result(l, in->rd, a64_fp2(l, arg, TYPE, a, b));
}

LIFT(fnmul)
{
    uint8_t a = fp_reg(l, TYPE, in->rn), b = fp_reg(l, TYPE, in->rm);
    fp_result(l, in->rd, a64_fneg(l, TYPE, a64_fp2(l, UOP_fmul_f16, TYPE, a, b)));
}

LIFT(fmadd)
{
    uint8_t a = fp_reg(l, TYPE, in->rn), b = fp_reg(l, TYPE, in->rm), c = fp_reg(l, TYPE, in->ra);
    bool minus_sum = W(21, 21), sub = W(15, 15);
    if (minus_sum != sub)
        a = a64_fneg(l, TYPE, a);
    if (minus_sum)
        c = a64_fneg(l, TYPE, c);
    fp_result(l, in->rd, a64_fma(l, TYPE, a, b, c));
}

/* The flags of a comparison; signalling ones are for every NaN. An operation for its exceptions, one for its value. */
static uint8_t compare(struct lift *l, unsigned T, uint8_t a, uint8_t b, bool signalling)
{
    emit2(l, a64_fop(signalling ? UOP_flt_f16 : UOP_feq_f16, T), a, b);
    return emit2(l, UOP_flags_fcmp_f16 + T * (UOP_flags_fcmp_f32 - UOP_flags_fcmp_f16), a, b);
}

LIFT(fcmp)
{
    uint8_t a = fp_reg(l, TYPE, in->rn);
    uint8_t b = W(3, 3) ? emit_const(l, 0) : fp_reg(l, TYPE, in->rm);
    emit_to(l, A64_NZCV, UOP_mov_64, compare(l, TYPE, a, b, W(4, 4)), 0);
}

/* Only when the condition holds are flags raised: otherwise zero is compared with itself. */
LIFT(fccmp)
{
    uint8_t c = a64_cond(l, W(15, 12)), zero = emit_const(l, 0);
    uint8_t a = emit3(l, UOP_sel, c, fp_reg(l, TYPE, in->rn), zero);
    uint8_t b = emit3(l, UOP_sel, c, fp_reg(l, TYPE, in->rm), zero);
    uint8_t f = compare(l, TYPE, a, b, W(4, 4));
    lift_emit(l, UOP_sel, A64_NZCV, c, f, emit_const(l, (uint64_t)W(3, 0) << 28), 0);
}

LIFT(fcsel)
{
    uint8_t c = a64_cond(l, W(15, 12)), a = fp_reg(l, TYPE, in->rn), b = fp_reg(l, TYPE, in->rm);
    fp_result(l, in->rd, emit3(l, UOP_sel, c, a, b));
}

LIFT(fmov_imm)
{
    fp_result(l, in->rd, emit_const(l, a64_fimm(TYPE, in->imm)));
}

LIFT(fcvt_int)
{
    uint8_t t = a64_fcvt_int(l, TYPE, fp_reg(l, TYPE, in->rn), SF, W(16, 16), arg, 0);
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_mov_64, t, 0);
}

LIFT(fcvt_fix)
{
    uint8_t t =
        a64_fcvt_int(l, TYPE, fp_reg(l, TYPE, in->rn), SF, W(16, 16), FP_RTZ, 64 - W(15, 10));
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_mov_64, t, 0);
}

LIFT(int_fcvt)
{
    fp_result(l, in->rd, a64_int_fcvt(l, TYPE, a64_x(in->rn), SF, W(16, 16), 0));
}

LIFT(fix_fcvt)
{
    fp_result(l, in->rd, a64_int_fcvt(l, TYPE, a64_x(in->rn), SF, W(16, 16), 64 - W(15, 10)));
}

LIFT(fcvt)
{
    unsigned to = type_of(W(16, 15));
    fp_result(l, in->rd, a64_fcvt(l, to, TYPE, fp_reg(l, TYPE, in->rn)));
}

LIFT(fmov_to_x)
{
    if (in->rd != 31)
        emit_to(l, in->rd, SF ? UOP_mov_64 : UOP_zext32, a64_v(in->rn), 0);
}

LIFT(fmov_from_x)
{
    emit_to(l, a64_v(in->rd), SF ? UOP_mov_64 : UOP_zext32, a64_x(in->rn), 0);
    emit_to(l, a64_v(in->rd) + 1, UOP_movi, 0, 0);
}

LIFT(fmov_hi_to_x)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_mov_64, a64_v(in->rn) + 1, 0);
}

LIFT(fmov_hi_from_x)
{
    emit_to(l, a64_v(in->rd) + 1, UOP_mov_64, a64_x(in->rn), 0);
}

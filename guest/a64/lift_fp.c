/* guest/a64/lift_fp.c: from decoded instructions to micro-ops: scalar floating point.
 *
 * Owns: the meaning of the scalar floating-point rows of a64.decode, and the functions of fp.h.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/fp.h"

static int64_t sign_of(unsigned T)
{
    return T == 0 ? 0x8000 : T == 1 ? 0x80000000 : INT64_MIN;
}

static uint8_t rounded(struct lift *l, enum uop_code op, uint8_t a, uint8_t b, uint8_t c,
                       enum fp_rm rm)
{
    uint8_t t = lift_temp(l);
    lift_emit(l, op, t, a, b, c, a64_fimm_of(op, rm));
    return t;
}

uint8_t a64_fp2(struct lift *l, int f16_row, unsigned T, uint8_t a, uint8_t b)
{
    return rounded(l, a64_fop(f16_row, T), a, b, 0, FP_DYN);
}

uint8_t a64_fma(struct lift *l, unsigned T, uint8_t a, uint8_t b, uint8_t c)
{
    return rounded(l, a64_fop(UOP_ffma_f16, T), a, b, c, FP_DYN);
}

uint8_t a64_fp1(struct lift *l, int f16_row, unsigned T, uint8_t a, enum fp_rm rm)
{
    return rounded(l, a64_fop(f16_row, T), a, 0, 0, rm);
}

uint8_t a64_fneg(struct lift *l, unsigned T, uint8_t a)
{
    return emit_i(l, UOP_xor_64_i, a, sign_of(T));
}

uint8_t a64_fabs(struct lift *l, unsigned T, uint8_t a)
{
    return emit_i(l, UOP_and_64_i, a, (int64_t)((uint64_t)sign_of(T) - 1));
}

uint8_t a64_fcvt_int(struct lift *l, unsigned T, uint8_t a, bool wide, bool is_unsigned,
                     enum fp_rm rm, unsigned fbits)
{
    enum uop_code op = a64_fop(UOP_cvt_f16_s32, T) + 2 * wide + is_unsigned;
    uint8_t t = emit_i(l, op, a, (int64_t)(rm | FP_ENV | FP_FBITS(fbits)));
    return wide ? t : emit1(l, UOP_zext32, t);
}

uint8_t a64_int_fcvt(struct lift *l, unsigned T, uint8_t a, bool wide, bool is_unsigned,
                     unsigned fbits)
{
    static const uint16_t from[4] = {UOP_cvt_s32_f16, UOP_cvt_u32_f16, UOP_cvt_s64_f16,
                                     UOP_cvt_u64_f16};
    return emit_i(l, a64_fop(from[2 * wide + is_unsigned], T), a,
                  (int64_t)(FP_DYN | FP_ENV | FP_FBITS(fbits)));
}

uint8_t a64_fcvt(struct lift *l, unsigned to, unsigned from, uint8_t a)
{
    static const uint16_t op[3][3] = {
        {0, UOP_cvt_f16_f32, UOP_cvt_f16_f64},
        {UOP_cvt_f32_f16, 0, UOP_cvt_f32_f64},
        {UOP_cvt_f64_f16, UOP_cvt_f64_f32, 0},
    };
    return rounded(l, op[from][to], a, 0, 0, FP_DYN);
}

uint64_t a64_fimm(unsigned T, unsigned imm8)
{
    uint64_t sign = imm8 >> 7, b = imm8 >> 6 & 1, rest = imm8 & 0x3f;
    if (T == 0)
        return sign << 15 | (b ? UINT64_C(3) : UINT64_C(4)) << 12 | rest << 6;
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

uint8_t a64_fp_reg(struct lift *l, unsigned T, unsigned n)
{
    if (T == 2)
        return a64_v(n);
    return emit1(l, T == 1 ? UOP_zext32 : UOP_zext16, a64_v(n));
}

void a64_fp_result(struct lift *l, unsigned n, uint8_t value)
{
    emit_to(l, a64_v(n), UOP_mov_64, value, 0);
    emit_to(l, a64_v(n) + 1, UOP_movi, 0, 0);
}

LIFT(fmov)
{
    a64_fp_result(l, in->rd, a64_fp_reg(l, TYPE, in->rn));
}

LIFT(fabs)
{
    a64_fp_result(l, in->rd, a64_fabs(l, TYPE, a64_fp_reg(l, TYPE, in->rn)));
}

LIFT(fneg)
{
    a64_fp_result(l, in->rd, a64_fneg(l, TYPE, a64_fp_reg(l, TYPE, in->rn)));
}

LIFT(fsqrt)
{
    a64_fp_result(l, in->rd, a64_fp1(l, UOP_fsqrt_f16, TYPE, a64_fp_reg(l, TYPE, in->rn), FP_DYN));
}

LIFT(frint)
{
    bool exact = arg == A64_RINTX;
    a64_fp_result(l, in->rd,
                  a64_fp1(l, exact ? UOP_froundx_f16 : UOP_fround_f16, TYPE,
                          a64_fp_reg(l, TYPE, in->rn), exact ? FP_DYN : (enum fp_rm)arg));
}

/* To an integral value that an integer of 32 or 64 bits holds; arg is the row of f32, bit 15 takes the mode of FPCR. */
LIFT(frint_to)
{
    uint8_t a = a64_fp_reg(l, TYPE, in->rn);
    a64_fp_result(l, in->rd,
                  rounded(l, (unsigned)arg + W(22, 22), a, 0, 0, W(15, 15) ? FP_DYN : FP_RTZ));
}

LIFT(fp2)
{
    uint8_t a = a64_fp_reg(l, TYPE, in->rn), b = a64_fp_reg(l, TYPE, in->rm);
    a64_fp_result(l, in->rd, a64_fp2(l, arg, TYPE, a, b));
}

LIFT(fnmul)
{
    uint8_t a = a64_fp_reg(l, TYPE, in->rn), b = a64_fp_reg(l, TYPE, in->rm);
    a64_fp_result(l, in->rd, a64_fneg(l, TYPE, a64_fp2(l, UOP_fmul_f16, TYPE, a, b)));
}

LIFT(fmadd)
{
    uint8_t a = a64_fp_reg(l, TYPE, in->rn), b = a64_fp_reg(l, TYPE, in->rm),
            c = a64_fp_reg(l, TYPE, in->ra);
    bool minus_sum = W(21, 21), sub = W(15, 15);
    if (minus_sum != sub)
        a = a64_fneg(l, TYPE, a);
    if (minus_sum)
        c = a64_fneg(l, TYPE, c);
    a64_fp_result(l, in->rd, a64_fma(l, TYPE, a, b, c));
}

/* The flags of a comparison; signalling ones are for every NaN. An operation for its exceptions, one for its value, which looks at
 * bits: subnormal operands are flushed before. */
static void compare(struct lift *l, uint8_t d, unsigned T, uint8_t a, uint8_t b, bool signalling)
{
    a = emit1(l, a64_fop(UOP_fflush_f16, T), a);
    b = emit1(l, a64_fop(UOP_fflush_f16, T), b);
    emit2(l, a64_fop(signalling ? UOP_flt_f16 : UOP_feq_f16, T), a, b);
    lift_emit(l, UOP_flags_fcmp_f16 + T * (UOP_flags_fcmp_f32 - UOP_flags_fcmp_f16), d, a, b, 0, 0);
}

LIFT(fcmp)
{
    uint8_t a = a64_fp_reg(l, TYPE, in->rn);
    uint8_t b = W(3, 3) ? emit_const(l, 0) : a64_fp_reg(l, TYPE, in->rm);
    compare(l, A64_NZCV, TYPE, a, b, W(4, 4));
}

/* Only when the condition holds are flags raised: otherwise zero is compared with itself. */
LIFT(fccmp)
{
    uint8_t c = a64_cond(l, W(15, 12)), zero = emit_const(l, 0);
    uint8_t a = emit3(l, UOP_sel, c, a64_fp_reg(l, TYPE, in->rn), zero);
    uint8_t b = emit3(l, UOP_sel, c, a64_fp_reg(l, TYPE, in->rm), zero);
    uint8_t f = lift_temp(l);
    compare(l, f, TYPE, a, b, W(4, 4));
    lift_emit(l, UOP_sel, A64_NZCV, c, f, emit_const(l, uop_flags_of(W(3, 0))), 0);
}

LIFT(fcsel)
{
    uint8_t c = a64_cond(l, W(15, 12)), a = a64_fp_reg(l, TYPE, in->rn),
            b = a64_fp_reg(l, TYPE, in->rm);
    a64_fp_result(l, in->rd, emit3(l, UOP_sel, c, a, b));
}

LIFT(fmov_imm)
{
    a64_fp_result(l, in->rd, emit_const(l, a64_fimm(TYPE, in->imm)));
}

LIFT(fcvt_int)
{
    uint8_t t = a64_fcvt_int(l, TYPE, a64_fp_reg(l, TYPE, in->rn), SF, W(16, 16), arg, 0);
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_mov_64, t, 0);
}

LIFT(fcvt_fix)
{
    uint8_t t =
        a64_fcvt_int(l, TYPE, a64_fp_reg(l, TYPE, in->rn), SF, W(16, 16), FP_RTZ, 64 - W(15, 10));
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_mov_64, t, 0);
}

LIFT(int_fcvt)
{
    a64_fp_result(l, in->rd, a64_int_fcvt(l, TYPE, a64_x(in->rn), SF, W(16, 16), 0));
}

LIFT(fix_fcvt)
{
    a64_fp_result(l, in->rd, a64_int_fcvt(l, TYPE, a64_x(in->rn), SF, W(16, 16), 64 - W(15, 10)));
}

LIFT(fcvt)
{
    unsigned to = type_of(W(16, 15));
    a64_fp_result(l, in->rd, a64_fcvt(l, to, TYPE, a64_fp_reg(l, TYPE, in->rn)));
}

/* Modulo 2^32; Z says whether the integer is the number (it has another sign for -0). */
LIFT(fjcvtzs)
{
    uint8_t a = a64_v(in->rn);
    uint8_t t = emit_i(l, UOP_cvt_f64_m32, a, FP_RTZ | FP_ENV);
    uint8_t back = emit_i(l, UOP_cvt_s32_f64, t, FP_RTZ | FP_ENV);
    uint8_t z = emit_i(l, UOP_shl_64_i, emit2(l, UOP_set_eq, back, a), 2);
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_zext32, t, 0);
    emit_to(l, A64_NZCV, UOP_flags_of_nzcv, z, 0);
}

LIFT(fmov_to_x)
{
    if (in->rd != 31)
        emit_to(l, in->rd,
                TYPE == 2   ? UOP_mov_64
                : TYPE == 1 ? UOP_zext32
                            : UOP_zext16,
                a64_v(in->rn), 0);
}

LIFT(fmov_from_x)
{
    emit_to(l, a64_v(in->rd),
            TYPE == 2   ? UOP_mov_64
            : TYPE == 1 ? UOP_zext32
                        : UOP_zext16,
            a64_x(in->rn), 0);
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

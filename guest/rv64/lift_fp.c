/* guest/rv64/lift_fp.c: from decoded instructions to micro-ops: F, D, Zfh, Zfa.
 *
 * Owns: the meaning of each floating-point row of rv64.decode, and the constants of fli. Each is: unbox the operands, compute,
 * make a NaN canonical, box the result. Which of these an instruction needs follows from the kinds of
 * the micro-op's operands, so that one lifter serves nearly all.
 *
 * Invariants: a slot f0..f31 holds 64 raw bits, boxed where the value is narrower. A static rounding
 * mode goes into the micro-op; 5 and 6 are reserved and make the instruction undefined, even where
 * it rounds nothing.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/rv64/lift.h"
#include "uop/fp.h"
#include <math.h>
#include <string.h>

/* An operand for a micro-op whose operand has this kind: x register r for an integer, else f
 * register r, unboxed. */
static uint8_t operand(struct lift *l, unsigned r, enum uop_kind kind)
{
    switch (kind) {
    case UOP_K_H:
        return emit1(l, UOP_unbox_f16, RV64_F0 + r);
    case UOP_K_S:
        return emit1(l, UOP_unbox_f32, RV64_F0 + r);
    case UOP_K_D:
        return RV64_F0 + r;
    case UOP_K_I:
        return r;
    default:
        return 0;
    }
}

static void box(struct lift *l, unsigned fd, enum uop_kind kind, uint8_t value)
{
    enum uop_code op = kind == UOP_K_H ? UOP_box_f16 : kind == UOP_K_S ? UOP_box_f32 : UOP_mov_64;
    lift_emit(l, op, RV64_F0 + fd, value, 0, 0, 0);
}

/* Emit op on a, b, c and put the result, with canonical NaNs, into f or x register rd. */
static void finish(struct lift *l, const struct rv64_insn *in, enum uop_code op, uint8_t a,
                   uint8_t b, uint8_t c)
{
    const struct uop_info *info = &uop_info[op];
    int64_t rm = info->flags & UOP_F_RM ? in->rm : 0;
    if (info->d == UOP_K_I) {
        /* RV64 keeps 32-bit values sign-extended, unsigned ones too. */
        bool extend = op == UOP_cvt_f16_u32 || op == UOP_cvt_f32_u32 || op == UOP_cvt_f64_u32;
        uint8_t d = extend && in->rd ? lift_temp(l) : rv64_dest(l, in->rd);
        lift_emit(l, op, d, a, b, c, rm);
        if (extend && in->rd)
            lift_emit(l, UOP_sext32, in->rd, d, 0, 0, 0);
        return;
    }
    uint8_t t = lift_temp(l);
    lift_emit(l, op, t, a, b, c, rm);
    if (info->a == UOP_K_I) { /* no integer becomes a NaN */
        box(l, in->rd, info->d, t);
    } else if (info->d == UOP_K_D) {
        lift_emit(l, UOP_fcanon_f64, RV64_F0 + in->rd, t, 0, 0, 0);
    } else {
        t = emit1(l, info->d == UOP_K_H ? UOP_fcanon_f16 : UOP_fcanon_f32, t);
        box(l, in->rd, info->d, t);
    }
}

static bool reserved_rm(const struct rv64_insn *in)
{
    return in->rm == 5 || in->rm == 6;
}

LIFT(fp)
{
    const struct uop_info *info = &uop_info[arg];
    if (reserved_rm(in)) {
        rv64_emit_illegal(l);
        return;
    }
    uint8_t a = operand(l, in->rs1, info->a), b = operand(l, in->rs2, info->b);
    finish(l, in, arg, a, b, 0);
}

/* rs1 * rs2 + rs3 with the product and the addend negated as asked; a negated operand is exact, and
 * a NaN's sign does not survive. */
static void fused(struct lift *l, const struct rv64_insn *in, enum uop_code op, bool neg_product,
                  bool neg_addend)
{
    if (reserved_rm(in)) {
        rv64_emit_illegal(l);
        return;
    }
    enum uop_kind kind = uop_info[op].a;
    int64_t sign = kind == UOP_K_H ? 0x8000 : kind == UOP_K_S ? 0x80000000 : INT64_MIN;
    uint8_t a = operand(l, in->rs1, kind), b = operand(l, in->rs2, kind);
    uint8_t c = operand(l, in->rs3, kind);
    if (neg_product)
        a = emit_i(l, UOP_xor_64_i, a, sign);
    if (neg_addend)
        c = emit_i(l, UOP_xor_64_i, c, sign);
    finish(l, in, op, a, b, c);
}

LIFT(fmadd)
{
    fused(l, in, arg, false, false);
}

LIFT(fmsub)
{
    fused(l, in, arg, false, true);
}

LIFT(fnmsub)
{
    fused(l, in, arg, true, false);
}

LIFT(fnmadd)
{
    fused(l, in, arg, true, true);
}

/* ---- sign injection: on the unboxed bits, NaNs included; the row says the width ---- */

static enum uop_kind kind_of(int bits)
{
    return bits == 16 ? UOP_K_H : bits == 32 ? UOP_K_S : UOP_K_D;
}

static int64_t sign_of(int bits)
{
    return (int64_t)(UINT64_C(1) << (bits - 1));
}

LIFT(fsgnj)
{
    enum uop_kind kind = kind_of(arg);
    uint8_t a = operand(l, in->rs1, kind);
    if (in->rs1 == in->rs2) { /* fmv */
        if (kind != UOP_K_D || in->rd != in->rs1)
            box(l, in->rd, kind, a);
        return;
    }
    uint8_t sign = emit_i(l, UOP_and_64_i, operand(l, in->rs2, kind), sign_of(arg));
    a = emit_i(l, UOP_and_64_i, a, (int64_t)((uint64_t)sign_of(arg) - 1));
    uint8_t t = lift_temp(l);
    lift_emit(l, UOP_or_64, t, a, sign, 0, 0);
    box(l, in->rd, kind, t);
}

LIFT(fsgnjn)
{
    enum uop_kind kind = kind_of(arg);
    uint8_t a = operand(l, in->rs1, kind);
    uint8_t t;
    if (in->rs1 == in->rs2) { /* fneg */
        t = emit_i(l, UOP_xor_64_i, a, sign_of(arg));
    } else {
        uint8_t b = operand(l, in->rs2, kind);
        uint8_t sign = emit_i(l, UOP_and_64_i, emit_i(l, UOP_xor_64_i, b, -1), sign_of(arg));
        a = emit_i(l, UOP_and_64_i, a, (int64_t)((uint64_t)sign_of(arg) - 1));
        t = lift_temp(l);
        lift_emit(l, UOP_or_64, t, a, sign, 0, 0);
    }
    box(l, in->rd, kind, t);
}

LIFT(fsgnjx)
{
    enum uop_kind kind = kind_of(arg);
    uint8_t a = operand(l, in->rs1, kind);
    uint8_t t;
    if (in->rs1 == in->rs2) { /* fabs */
        t = emit_i(l, UOP_and_64_i, a, (int64_t)((uint64_t)sign_of(arg) - 1));
    } else {
        uint8_t sign = emit_i(l, UOP_and_64_i, operand(l, in->rs2, kind), sign_of(arg));
        t = lift_temp(l);
        lift_emit(l, UOP_xor_64, t, a, sign, 0, 0);
    }
    box(l, in->rd, kind, t);
}

/* ---- classification, moves, memory ---- */

LIFT(fclass)
{
    enum uop_kind kind = arg == UOP_fclass_f16   ? UOP_K_H
                         : arg == UOP_fclass_f32 ? UOP_K_S
                                                 : UOP_K_D;
    if (in->rd)
        lift_emit(l, arg, in->rd, operand(l, in->rs1, kind), 0, 0, 0);
}

/* The raw low bits, boxed or not. */
LIFT(fmv_x)
{
    if (in->rd)
        lift_emit(l, arg, in->rd, RV64_F0 + in->rs1, 0, 0, 0);
}

/* Boxing sets the upper bits whatever they were. */
LIFT(fmv_f)
{
    lift_emit(l, arg, RV64_F0 + in->rd, in->rs1, 0, 0, 0);
}

LIFT(fload)
{
    if (arg == UOP_ld_64) {
        lift_emit(l, arg, RV64_F0 + in->rd, in->rs1, 0, 0, in->imm);
        return;
    }
    uint8_t t = lift_temp(l);
    lift_emit(l, arg, t, in->rs1, 0, 0, in->imm);
    box(l, in->rd, arg == UOP_ld_u16 ? UOP_K_H : UOP_K_S, t);
}

LIFT(fstore)
{
    lift_emit(l, arg, 0, in->rs1, RV64_F0 + in->rs2, 0, in->imm);
}

/* ---- Zfa's constants ---- */

const double rv64_fli[32] = {
    -1,     0,   0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0x1p-4, 0x1p-3, 0.25,     0.3125, 0.375,
    0.4375, 0.5, 0.625,   0.75,    0.875,  1,      1.25,   1.5,    1.75,     2,      2.5,
    3,      4,   8,       16,      128,    256,    0x1p15, 0x1p16, INFINITY, NAN,
};

LIFT(fli)
{
    uint64_t v, least_normal = arg == 16 ? 0x400 : arg == 32 ? 0x800000 : 0x10000000000000;
    unsigned flags = 0;
    memcpy(&v, &rv64_fli[in->imm], sizeof v);
    if (in->imm == 1)
        v = least_normal;
    else if (arg != 64)
        v = fp_soft(arg == 16 ? UOP_cvt_f64_f16 : UOP_cvt_f64_f32, v, 0, 0, FP_RNE, &flags);
    if (arg != 64)
        v |= ~UINT64_C(0) << arg;
    lift_emit(l, UOP_movi, RV64_F0 + in->rd, 0, 0, 0, (int64_t)v);
}

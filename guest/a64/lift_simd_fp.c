/* guest/a64/lift_simd_fp.c: from decoded instructions to micro-ops: AdvSIMD floating point.
 *
 * Owns: the meaning of these rows of a64.decode. Each lane is computed as a scalar; all results are in
 * temporaries before the register is written.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/simd.h"

/* 1 for f32, 2 for f64, by bit 22; and log2 of its bytes. */
#define TYPE (1 + W(22, 22))
#define SIZE (2 + W(22, 22))
#define SCALAR W(28, 28)

struct lanes {
    uint8_t v[4];
};

static unsigned count(const struct a64_insn *in)
{
    return SCALAR ? 1 : (Q ? 16u : 8u) >> SIZE;
}

static uint8_t lane(struct lift *l, const struct a64_insn *in, unsigned v, unsigned i)
{
    return a64_lane(l, v, SIZE, i);
}

/* Write n values of 1 << size bytes as register d. */
static void put_lanes(struct lift *l, unsigned d, const uint8_t *v, unsigned n, unsigned size)
{
    uint8_t half[2];
    unsigned per = 8u >> size, halves = (n + per - 1) / per;
    for (unsigned h = 0; h < halves; h++) {
        half[h] = v[h * per];
        for (unsigned i = 1; i < per && h * per + i < n; i++)
            half[h] = emit2(l, UOP_or_64, half[h],
                            emit_i(l, UOP_shl_64_i, v[h * per + i], i << (3 + size)));
    }
    emit_to(l, a64_v(d), UOP_mov_64, half[0], 0);
    emit_to(l, a64_v(d) + 1, halves == 2 ? UOP_mov_64 : UOP_movi, halves == 2 ? half[1] : 0, 0);
}

static void result(struct lift *l, const struct a64_insn *in, const struct lanes *r)
{
    put_lanes(l, in->rd, r->v, count(in), SIZE);
}

LIFT(vf2)
{
    struct lanes r;
    for (unsigned i = 0; i < count(in); i++) {
        uint8_t a = lane(l, in, in->rn, i), b = lane(l, in, in->rm, i);
        r.v[i] = a64_fp2(l, arg, TYPE, a, b);
    }
    result(l, in, &r);
}

/* Neighbours of rm:rn. */
LIFT(vf2p)
{
    struct lanes r;
    unsigned n = count(in);
    for (unsigned i = 0; i < n; i++) {
        unsigned from = 2 * i < n ? in->rn : in->rm, at = 2 * i % n;
        uint8_t a = lane(l, in, from, at), b = lane(l, in, from, at + 1);
        r.v[i] = a64_fp2(l, arg, TYPE, a, b);
    }
    result(l, in, &r);
}

LIFT(fpair)
{
    struct lanes r;
    uint8_t a = lane(l, in, in->rn, 0), b = lane(l, in, in->rn, 1);
    r.v[0] = a64_fp2(l, arg, TYPE, a, b);
    result(l, in, &r);
}

LIFT(vfma)
{
    struct lanes r;
    for (unsigned i = 0; i < count(in); i++) {
        uint8_t a = lane(l, in, in->rn, i), b = lane(l, in, in->rm, i);
        r.v[i] = a64_fma(l, TYPE, arg ? a64_fneg(l, TYPE, a) : a, b, lane(l, in, in->rd, i));
    }
    result(l, in, &r);
}

LIFT(vfabd)
{
    struct lanes r;
    for (unsigned i = 0; i < count(in); i++) {
        uint8_t a = lane(l, in, in->rn, i), b = lane(l, in, in->rm, i);
        r.v[i] = a64_fabs(l, TYPE, a64_fp2(l, UOP_fsub_f16, TYPE, a, b));
    }
    result(l, in, &r);
}

/* 0 or 1 to zeros or ones of a lane. */
static uint8_t mask(struct lift *l, const struct a64_insn *in, uint8_t truth)
{
    return emit2(l, TYPE == 2 ? UOP_sub_64 : UOP_sub_32z, A64_XZR, truth);
}

/* a >= b is b <= a, a > b is b < a; equality does not mind. */
static void compare(struct lift *l, const struct a64_insn *in, int op, bool magnitude)
{
    struct lanes r;
    for (unsigned i = 0; i < count(in); i++) {
        uint8_t a = lane(l, in, in->rn, i), b = lane(l, in, in->rm, i);
        if (magnitude) {
            a = a64_fabs(l, TYPE, a);
            b = a64_fabs(l, TYPE, b);
        }
        r.v[i] = mask(l, in, emit2(l, a64_fop(op, TYPE), b, a));
    }
    result(l, in, &r);
}

LIFT(vfcmp)
{
    compare(l, in, arg, false);
}

LIFT(vfacmp)
{
    compare(l, in, arg, true);
}

static void compare_zero(struct lift *l, const struct a64_insn *in, int op, bool swap)
{
    struct lanes r;
    uint8_t zero = emit_const(l, 0);
    for (unsigned i = 0; i < count(in); i++) {
        uint8_t a = lane(l, in, in->rn, i);
        r.v[i] = mask(l, in, emit2(l, a64_fop(op, TYPE), swap ? a : zero, swap ? zero : a));
    }
    result(l, in, &r);
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
    struct lanes r;
    for (unsigned i = 0; i < count(in); i++)
        r.v[i] = a64_fabs(l, TYPE, lane(l, in, in->rn, i));
    result(l, in, &r);
}

LIFT(vfneg)
{
    struct lanes r;
    for (unsigned i = 0; i < count(in); i++)
        r.v[i] = a64_fneg(l, TYPE, lane(l, in, in->rn, i));
    result(l, in, &r);
}

LIFT(vfsqrt)
{
    struct lanes r;
    for (unsigned i = 0; i < count(in); i++)
        r.v[i] = a64_fp1(l, UOP_fsqrt_f16, TYPE, lane(l, in, in->rn, i), FP_DYN);
    result(l, in, &r);
}

LIFT(vfrint)
{
    struct lanes r;
    bool exact = arg == A64_RINTX;
    for (unsigned i = 0; i < count(in); i++)
        r.v[i] = a64_fp1(l, exact ? UOP_froundx_f16 : UOP_fround_f16, TYPE, lane(l, in, in->rn, i),
                         exact ? FP_DYN : (enum fp_rm)arg);
    result(l, in, &r);
}

LIFT(vfcvt_int)
{
    struct lanes r;
    for (unsigned i = 0; i < count(in); i++)
        r.v[i] = a64_fcvt_int(l, TYPE, lane(l, in, in->rn, i), TYPE == 2, W(29, 29), arg, 0);
    result(l, in, &r);
}

LIFT(vint_fcvt)
{
    struct lanes r;
    for (unsigned i = 0; i < count(in); i++)
        r.v[i] = a64_int_fcvt(l, TYPE, lane(l, in, in->rn, i), TYPE == 2, W(29, 29), 0);
    result(l, in, &r);
}

/* Between f16 and f32 (bit 22 clear) or f32 and f64; Q is the half of the narrow vector. */
LIFT(fcvtl)
{
    uint8_t v[4];
    unsigned n = TYPE == 1 ? 4 : 2;
    for (unsigned i = 0; i < n; i++)
        v[i] = a64_fcvt(l, TYPE, TYPE - 1, a64_lane(l, in->rn, SIZE - 1, i + (Q ? n : 0)));
    put_lanes(l, in->rd, v, n, SIZE);
}

LIFT(fcvtn)
{
    uint8_t v[4];
    unsigned n = TYPE == 1 ? 4 : 2;
    for (unsigned i = 0; i < n; i++)
        v[i] = a64_fcvt(l, TYPE - 1, TYPE, lane(l, in, in->rn, i));
    uint8_t low = Q ? emit1(l, UOP_mov_64, a64_v(in->rd)) : 0;
    put_lanes(l, in->rd, v, n, SIZE - 1);
    if (Q) {
        emit_to(l, a64_v(in->rd) + 1, UOP_mov_64, a64_v(in->rd), 0);
        emit_to(l, a64_v(in->rd), UOP_mov_64, low, 0);
    }
}

/* fmul, fmla, fmls by the lane that L and H (f64: H alone) name. */
LIFT(vfelem)
{
    struct lanes r;
    unsigned i = TYPE == 2 ? W(11, 11) : W(11, 11) << 1 | W(21, 21);
    uint8_t b = a64_lane(l, W(20, 16), SIZE, i);
    for (i = 0; i < count(in); i++) {
        uint8_t a = lane(l, in, in->rn, i);
        if (!arg)
            r.v[i] = a64_fp2(l, UOP_fmul_f16, TYPE, a, b);
        else
            r.v[i] =
                a64_fma(l, TYPE, arg == 2 ? a64_fneg(l, TYPE, a) : a, b, lane(l, in, in->rd, i));
    }
    result(l, in, &r);
}

/* guest/a64/lift_simd_fpx.c: from decoded instructions to micro-ops: AdvSIMD floating point beyond plain arithmetic:
 * estimates, fixed point, reductions, complex numbers, products of half precision.
 *
 * Owns: the meaning of these rows of a64.decode.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/simd.h"

/* Estimates: arg is the scalar row. */
LIFT(vf1)
{
    a64_vf_one(l, in, arg, FP_DYN);
}

/* To an integral value that an integer of 32 or 64 bits holds; arg is the row of f32, bit 29 takes the mode of FPCR. */
LIFT(vfrint_to)
{
    uint8_t a = a64_vf_operand(l, in, TYPE2, in->rn);
    a64_vf_result(
        l, in, a64_vf_emit(l, in, (unsigned)arg + W(22, 22), a, 0, 0, W(29, 29) ? FP_DYN : FP_RTZ));
}

LIFT(fcvtxn_scalar)
{
    uint8_t t = emit_i(l, UOP_cvtodd_f64_f32, a64_fp_reg(l, 2, in->rn), (int64_t)(FP_DYN | FP_ENV));
    a64_fp_result(l, in->rd, t);
}

/* Fixed point: the type is the shift's lane, which counts fraction bits. */
LIFT(vfcvt_fix)
{
    a64_vf_to_integer(l, in, a64_shift_size(in) - 1, FP_RTZ | FP_FBITS(a64_shift_right(in)));
}

LIFT(vfix_fcvt)
{
    a64_vf_from_integer(l, in, a64_shift_size(in) - 1, FP_DYN | FP_FBITS(a64_shift_right(in)));
}

/* Across lanes: pairs of neighbours until one is left; f16 has bit 29 clear. All lanes are computed each time: those that
 * do not count repeat those that do. */
LIFT(vfacross)
{
    unsigned T = W(29, 29) ? 1 : 0, size = T + 1;
    uint8_t v = Q ? a64_v(in->rn) : a64_both(l, a64_v(in->rn), a64_v(in->rn));
    for (unsigned n = (Q ? 16u : 8u) >> size; n > 1; n /= 2) {
        uint8_t even = a64_vec_i(l, UOP_vuzp1, v, v, size);
        uint8_t odd = a64_vec_i(l, UOP_vuzp2, v, v, size);
        v = a64_vf_emit(l, in, a64_fop(arg, T), even, odd, 0, FP_DYN);
    }
    a64_fp_result(l, in->rd, emit1(l, T ? UOP_zext32 : UOP_zext16, v));
}

/* ---- complex numbers: pairs of lanes, real part first ---- */

/* Type by the size field. */
#define TYPE_COMPLEX (SIZE - 1)

/* Real and imaginary parts exchanged. */
static uint8_t exchanged(struct lift *l, unsigned T, uint8_t v)
{
    if (T == 2)
        return a64_vec_i(l, UOP_vext, v, v, 8);
    return a64_vec_i(l, T == 1 ? UOP_vrev64_32 : UOP_vrev32_16, v, 0, 0);
}

/* The signs of real parts or imaginary parts changed. */
static uint8_t negated_parts(struct lift *l, unsigned T, uint8_t v, bool real, bool imaginary)
{
    uint64_t sign = UINT64_C(1) << ((16 << T) - 1), part[2] = {0, 0};
    for (unsigned i = 0; i < 8u >> T; i++) {
        unsigned bit = i * (16u << T);
        if (i % 2 ? imaginary : real)
            part[bit / 64] |= sign << bit % 64;
    }
    if (!(part[0] | part[1]))
        return v;
    uint8_t low = emit_const(l, part[0]);
    return a64_vec2(l, UOP_vxor, v, a64_both(l, low, T == 2 ? emit_const(l, part[1]) : low));
}

/* rn plus rm turned by 90 or 270 degrees. */
LIFT(fcadd)
{
    unsigned T = TYPE_COMPLEX;
    uint8_t a = a64_vf_operand(l, in, T, in->rn), b = a64_vf_operand(l, in, T, in->rm);
    b = negated_parts(l, T, exchanged(l, T, b), !W(12, 12), W(12, 12));
    a64_vf_result(l, in, a64_vf_emit(l, in, a64_fop(UOP_fadd_f16, T), a, b, 0, FP_DYN));
}

/* rd plus the real (0, 180 degrees) or imaginary part of rn times b turned. */
static void complex_multiply(struct lift *l, const struct a64_insn *in, unsigned T, unsigned rot,
                             uint8_t b)
{
    uint8_t a = a64_vf_operand(l, in, T, in->rn), c = a64_vf_operand(l, in, T, in->rd);
    a = a64_vec_i(l, rot & 1 ? UOP_vtrn2 : UOP_vtrn1, a, a, T + 1);
    if (rot & 1)
        b = exchanged(l, T, b);
    b = negated_parts(l, T, b, rot == 1 || rot == 2, rot >= 2);
    a64_vf_result(l, in, a64_vf_emit(l, in, a64_fop(UOP_ffma_f16, T), a, b, c, FP_DYN));
}

LIFT(fcmla)
{
    unsigned T = TYPE_COMPLEX;
    complex_multiply(l, in, T, W(12, 11), a64_vf_operand(l, in, T, in->rm));
}

/* The complex number that H and L (f32: H) name. */
LIFT(fcmla_elem)
{
    unsigned T = TYPE_COMPLEX, i = T ? W(11, 11) : W(11, 11) << 1 | W(21, 21);
    complex_multiply(l, in, T, W(14, 13),
                     a64_vec_i(l, UOP_vrep, a64_v(in->rm), 0, i << 2 | (T + 2)));
}

/* ---- products of half precision added to single precision; bit 29: of the upper halves ---- */

static void half_products(struct lift *l, const struct a64_insn *in, uint8_t b, bool sub)
{
    /* The lanes of f16 that count, once as they are and once more for the upper half. */
    uint8_t a = a64_v(in->rn), c = a64_v(in->rd), t = lift_vtemp(l);
    unsigned part = W(29, 29);
    if (Q) {
        a = a64_both(l, a + part, a + part);
        b = a64_both(l, b + part, b + part);
    } else {
        a = emit_i(l, UOP_shr_64_i, a, part ? 32 : 0);
        b = emit_i(l, UOP_shr_64_i, b, part ? 32 : 0);
        a = a64_vec_i(l, UOP_vdup, a, 0, 2);
        b = a64_vec_i(l, UOP_vdup, b, 0, 2);
        c = a64_both(l, c, c);
    }
    if (sub)
        a = a64_vec2(l, UOP_vxor, a, a64_vconst(l, 0x8000, 1));
    lift_emit(l, UOP_vffmah, t, a, b, c, FP_DYN | FP_ENV);
    a64_vresult(l, in->rd, t, Q);
}

LIFT(fmlal)
{
    half_products(l, in, a64_v(in->rm), W(23, 23));
}

LIFT(fmlal_elem)
{
    unsigned i = W(11, 11) << 2 | W(21, 20);
    half_products(l, in, a64_vec_i(l, UOP_vrep, a64_v(W(19, 16)), 0, i << 2 | 1), W(14, 14));
}

/* ---- bfloat16 ---- */

static uint8_t bf_products(struct lift *l, uint8_t a, uint8_t b, uint8_t c)
{
    uint8_t t = lift_vtemp(l);
    lift_emit(l, UOP_vbfdot, t, a, b, c, 0);
    return t;
}

LIFT(bfdot)
{
    uint8_t t = bf_products(l, a64_v(in->rn), a64_v(in->rm), a64_v(in->rd));
    a64_vresult(l, in->rd, t, Q);
}

LIFT(bfdot_elem)
{
    uint8_t b = a64_vec_i(l, UOP_vrep, a64_v(in->rm), 0, (W(11, 11) << 1 | W(21, 21)) << 2 | 2);
    a64_vresult(l, in->rd, bf_products(l, a64_v(in->rn), b, a64_v(in->rd)), Q);
}

/* Each row with both columns, first their first halves, then the others. */
LIFT(bfmmla)
{
    uint8_t a = a64_v(in->rn), b = a64_v(in->rm);
    uint8_t t = bf_products(l, a64_vec_i(l, UOP_vshuf_32, a, a, 0xa0),
                            a64_vec_i(l, UOP_vshuf_32, b, b, 0x88), a64_v(in->rd));
    t = bf_products(l, a64_vec_i(l, UOP_vshuf_32, a, a, 0xf5),
                    a64_vec_i(l, UOP_vshuf_32, b, b, 0xdd), t);
    a64_vresult(l, in->rd, t, true);
}

/* The even or (bit 30) odd lanes as singles, which they are the upper halves of. */
static void bf_multiply_add(struct lift *l, const struct a64_insn *in, uint8_t b)
{
    uint8_t a = a64_v(in->rn), t = lift_vtemp(l);
    a = Q ? a64_vec2(l, UOP_vand, a, a64_vconst(l, 0xffff0000, 2))
          : a64_vec_i(l, UOP_vshl_32, a, 0, 16);
    lift_emit(l, UOP_vffma_f32, t, a, b, a64_v(in->rd), FP_DYN | FP_ENV);
    a64_vresult(l, in->rd, t, true);
}

LIFT(bfmlal)
{
    uint8_t b = a64_v(in->rm);
    bf_multiply_add(l, in,
                    Q ? a64_vec2(l, UOP_vand, b, a64_vconst(l, 0xffff0000, 2))
                      : a64_vec_i(l, UOP_vshl_32, b, 0, 16));
}

LIFT(bfmlal_elem)
{
    unsigned i = W(11, 11) << 2 | W(21, 20);
    uint8_t b = a64_vec_i(l, UOP_vrep, a64_v(W(19, 16)), 0, i << 2 | 1);
    bf_multiply_add(l, in, a64_vec_i(l, UOP_vshl_32, b, 0, 16));
}

LIFT(bfcvt)
{
    uint8_t t = emit_i(l, UOP_cvt_f32_bf16, a64_fp_reg(l, 1, in->rn), (int64_t)(FP_DYN | FP_ENV));
    a64_fp_result(l, in->rd, t);
}

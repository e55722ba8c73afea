/* guest/a64/lift_simd_sat.c: from decoded instructions to micro-ops: AdvSIMD saturation, dot products.
 *
 * Owns: the meaning of these rows of a64.decode, and of FPSR.QC, which is set when a lane that counts is not what it
 * would be without saturation. Scalar forms are vectors of one lane, the other lanes of whose operands are zeros:
 * these saturate nowhere.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/simd.h"

static uint8_t operand(struct lift *l, unsigned n, unsigned size, bool scalar)
{
    return scalar ? a64_vec_i(l, UOP_vzext, a64_v(n), 0, size) : a64_v(n);
}

static bool whole(const struct a64_insn *in)
{
    return Q && !SCALAR;
}

static void result(struct lift *l, const struct a64_insn *in, uint8_t t)
{
    a64_vresult(l, in->rd, t, whole(in));
}

/* QC is raised when unit x is not zero. */
static void note(struct lift *l, uint8_t x)
{
    uint8_t qc = emit_i(l, UOP_shl_64_i, emit2(l, UOP_set_ne, x, A64_XZR), 27);
    lift_emit(l, UOP_or_64, A64_FPSR, A64_FPSR, qc, 0, 0);
}

/* When vector t, its low half alone unless wide, is not zero. */
static void note_any(struct lift *l, uint8_t t, bool wide)
{
    note(l, wide ? emit2(l, UOP_or_64, t, t + 1) : t);
}

static void note_difference(struct lift *l, uint8_t got, uint8_t exact, bool wide)
{
    note_any(l, a64_vec2(l, UOP_vxor, got, exact), wide);
}

/* ---- lane by lane: the saturating row, and one that wraps ---- */

LIFT(vsat)
{
    uint8_t a = operand(l, in->rn, SIZE, SCALAR), b = operand(l, in->rm, SIZE, SCALAR);
    uint8_t got = a64_vec2(l, arg + SIZE, a, b);
    uint8_t wrapped = a64_vec2(l, (W(13, 13) ? UOP_vsub_8 : UOP_vadd_8) + SIZE, a, b);
    note_difference(l, got, wrapped, whole(in));
    result(l, in, got);
}

/* b's bits where mask has ones, c's elsewhere. */
static uint8_t vbsl(struct lift *l, uint8_t mask, uint8_t b, uint8_t c)
{
    uint8_t t = lift_vtemp(l);
    lift_emit(l, UOP_vbsl, t, mask, b, c, 0);
    return t;
}

/* The sign bit of each lane. */
static uint8_t signs(struct lift *l, unsigned size)
{
    return a64_vconst(l, UINT64_C(1) << ((8 << size) - 1), size);
}

/* rd and rn, of different signedness: the row of rn's, with rd moved by half of the range there and back. */
LIFT(vsat_acc)
{
    uint8_t a = operand(l, in->rd, SIZE, SCALAR), b = operand(l, in->rn, SIZE, SCALAR);
    uint8_t moved = a64_vec2(l, UOP_vxor, a, signs(l, SIZE));
    uint8_t got = a64_vec2(l, UOP_vxor, a64_vec2(l, arg + SIZE, moved, b), signs(l, SIZE));
    note_difference(l, got, a64_vec2(l, UOP_vadd_8 + SIZE, a, b), whole(in));
    result(l, in, got);
}

LIFT(vsat1)
{
    uint8_t a = operand(l, in->rn, SIZE, SCALAR), got = a64_vec_i(l, arg + SIZE, a, 0, 0);
    enum uop_code plain = arg == UOP_vsqabs_8 ? UOP_vabs_8 : UOP_vneg_8;
    note_difference(l, got, a64_vec_i(l, plain + SIZE, a, 0, 0), whole(in));
    result(l, in, got);
}

/* Shifts by registers, arg being the row that wraps: what does not come back by the opposite shift, which is one to the right, has
 * been shifted too far to the left. */
LIFT(vqshl)
{
    uint8_t a = operand(l, in->rn, SIZE, SCALAR), by = a64_v(in->rm);
    unsigned top = (8 << SIZE) - 1;
    bool is_unsigned = W(29, 29);
    uint8_t t = a64_vec2(l, (unsigned)arg + SIZE, a, by);
    uint8_t back = a64_vec2(l, (is_unsigned ? UOP_vushl_8 : UOP_vsshl_8) + SIZE, t,
                            a64_vec_i(l, UOP_vneg_8 + SIZE, by, 0, 0));
    uint8_t right = SIZE ? a64_vec_i(l, UOP_vshl_8 + SIZE, by, 0, top - 7) : by;
    right = a64_vec_i(l, UOP_vsshr_8 + SIZE, right, 0, top);
    uint8_t fits = a64_vec2(l, UOP_vor, a64_vec2(l, UOP_vcmeq_8 + SIZE, back, a), right);
    if (is_unsigned) {
        t = a64_vec2(l, UOP_vorn, t, fits);
    } else {
        uint8_t sign = a64_vec_i(l, UOP_vsshr_8 + SIZE, a, 0, top);
        uint8_t most = a64_vconst(l, (UINT64_C(1) << top) - 1, SIZE);
        t = vbsl(l, fits, t, a64_vec2(l, UOP_vxor, sign, most));
    }
    note_difference(l, fits, a64_vconst(l, ~UINT64_C(0), 3), whole(in));
    result(l, in, t);
}

/* Left by an immediate: what does not come back by the opposite shift saturates. Signed to unsigned: negative numbers, which
 * become zeros, do not come back either. */
LIFT(vqshl_imm)
{
    unsigned size = a64_shift_size(in), n = (unsigned)a64_shift_left(in), top = (8 << size) - 1;
    uint8_t x = operand(l, in->rn, size, SCALAR), a = x, sign = 0;
    if (arg != A64_NARROW_U)
        sign = a64_vec_i(l, UOP_vsshr_8 + size, x, 0, top);
    if (arg == A64_NARROW_SU)
        a = a64_vec2(l, UOP_vandn, x, sign);
    uint8_t t = n ? a64_vec_i(l, UOP_vshl_8 + size, a, 0, n) : a, back = a;
    if (n)
        back = a64_vec_i(l, (arg == A64_NARROW_S ? UOP_vsshr_8 : UOP_vushr_8) + size, t, 0, n);
    uint8_t fits = a64_vec2(l, UOP_vcmeq_8 + size, back, a);
    if (arg == A64_NARROW_S) {
        uint8_t most = a64_vconst(l, (UINT64_C(1) << top) - 1, size);
        t = vbsl(l, fits, t, a64_vec2(l, UOP_vxor, sign, most));
    } else {
        t = a64_vec2(l, UOP_vorn, t, fits);
    }
    note_difference(l, back, x, whole(in));
    result(l, in, t);
}

/* ---- narrowing ---- */

/* The lesser, or the greater, of each lane of t and of the constant. Few hosts have that for 64 bits. */
static uint8_t bounded(struct lift *l, uint8_t t, uint64_t limit, unsigned size, bool is_signed,
                       bool least)
{
    uint8_t c = a64_vconst(l, limit, size);
    if (size < 3) {
        enum uop_code op = least ? (is_signed ? UOP_vsmax_8 : UOP_vumax_8)
                                 : (is_signed ? UOP_vsmin_8 : UOP_vumin_8);
        return a64_vec2(l, op + size, t, c);
    }
    enum uop_code op = is_signed ? UOP_vcmgt_64 : UOP_vcmhi_64;
    return vbsl(l, least ? a64_vec2(l, op, c, t) : a64_vec2(l, op, t, c), c, t);
}

/* The lanes of t clamped to what 1 << size bytes hold and made that narrow. */
static void narrow_saturating(struct lift *l, const struct a64_insn *in, uint8_t t, unsigned size,
                              enum a64_narrow how)
{
    unsigned bits = 8u << size, wide = 2 * bits;
    uint64_t lane = ~UINT64_C(0) >> (64 - wide), umax = (UINT64_C(1) << bits) - 1;
    uint8_t clamped = t;
    if (how == A64_NARROW_U) {
        clamped = bounded(l, t, umax, size + 1, false, false);
    } else {
        uint64_t max = how == A64_NARROW_S ? umax >> 1 : umax,
                 min = how == A64_NARROW_S ? ~max & lane : 0;
        clamped = bounded(l, t, max, size + 1, true, false);
        clamped = bounded(l, clamped, min, size + 1, true, true);
    }
    note_difference(l, clamped, t, true);
    t = a64_vec_i(l, UOP_vnarrow, clamped, 0, size);
    if (SCALAR)
        a64_vresult(l, in->rd, t, false);
    else
        a64_narrow_result(l, in, t);
}

LIFT(qxtn)
{
    narrow_saturating(l, in, operand(l, in->rn, SIZE + 1, SCALAR), SIZE, arg);
}

/* The shift is signed but for the forms from unsigned to unsigned; bit 11 rounds. */
LIFT(qshrn)
{
    unsigned size = a64_shift_size(in);
    enum uop_code op = arg == A64_NARROW_U ? (W(11, 11) ? UOP_vurshr_16 : UOP_vushr_16)
                                           : (W(11, 11) ? UOP_vsrshr_16 : UOP_vsshr_16);
    uint8_t t = operand(l, in->rn, size + 1, SCALAR);
    t = a64_vec_i(l, op + size, t, 0, a64_shift_right(in));
    narrow_saturating(l, in, t, size, arg);
}

/* ---- doubling products: only the most negative number times itself saturates ---- */

static void high_product(struct lift *l, const struct a64_insn *in, int row, uint8_t b)
{
    uint8_t a = operand(l, in->rn, SIZE, SCALAR);
    uint8_t least = a64_vconst(l, UINT64_C(1) << ((8 << SIZE) - 1), SIZE);
    uint8_t both = a64_vec2(l, UOP_vand, a64_vec2(l, UOP_vcmeq_8 + SIZE, a, least),
                            a64_vec2(l, UOP_vcmeq_8 + SIZE, b, least));
    note_any(l, both, whole(in));
    result(l, in, a64_vec2(l, (unsigned)row + SIZE - 1, a, b));
}

LIFT(vqdmulh)
{
    high_product(l, in, arg, a64_v(in->rm));
}

LIFT(vqdmulh_elem)
{
    high_product(l, in, arg, a64_element(l, in));
}

/* Saturating sum or difference of wide lanes. */
static uint8_t add_saturating(struct lift *l, uint8_t a, uint8_t b, unsigned size, bool sub)
{
    uint8_t got = a64_vec2(l, (sub ? UOP_vsqsub_8 : UOP_vsqadd_8) + size, a, b);
    note_difference(l, got, a64_vec2(l, (sub ? UOP_vsub_8 : UOP_vadd_8) + size, a, b), true);
    return got;
}

/* arg: 0 the product, 1 added to rd, 2 subtracted from it. b is a vector whose lanes at the right half count. */
static void long_product(struct lift *l, const struct a64_insn *in, int arg, uint8_t b)
{
    bool upper = Q && !SCALAR;
    uint8_t a = operand(l, in->rn, SIZE, SCALAR);
    uint8_t t =
        a64_vec2(l, UOP_vmul_8 + SIZE + 1, a64_widen(l, in, a, upper), a64_widen(l, in, b, upper));
    t = add_saturating(l, t, t, SIZE + 1, false);
    if (arg)
        t = add_saturating(l, operand(l, in->rd, SIZE + 1, SCALAR), t, SIZE + 1, arg == 2);
    a64_vresult(l, in->rd, t, !SCALAR);
}

LIFT(vqdmull)
{
    long_product(l, in, arg, a64_v(in->rm));
}

LIFT(vqdmull_elem)
{
    long_product(l, in, arg, a64_element(l, in));
}

/* The low or the high half of a's lanes, twice as wide, in a temporary of its own. */
static uint8_t widened(struct lift *l, uint8_t a, unsigned size, bool high)
{
    uint8_t t = lift_vtemp(l);
    if (high)
        lift_emit(l, UOP_vext, t, a, a, 0, 8);
    lift_emit(l, UOP_vwiden_s, t, high ? t : a, 0, 0, size);
    return t;
}

/* Rounding high products added to rd; arg: subtracted. With half of everything, which nothing is lost by, sums fit in lanes twice as
 * wide. What saturates are those whose upper half is not all signs of the lower one. */
static void rdma(struct lift *l, const struct a64_insn *in, int arg, uint8_t b)
{
    uint8_t a = operand(l, in->rn, SIZE, SCALAR), c = operand(l, in->rd, SIZE, SCALAR), sum[2];
    unsigned wide = SIZE + 1, top = (8 << SIZE) - 1;
    uint8_t half = a64_vconst(l, UINT64_C(1) << (top - 1), wide);
    for (unsigned i = 0; i <= whole(in); i++) {
        uint8_t t = widened(l, a, SIZE, i), u = widened(l, b, SIZE, i), v = widened(l, c, SIZE, i);
        lift_emit(l, UOP_vmul_8 + wide, t, t, u, 0, 0);
        lift_emit(l, UOP_vshl_8 + wide, v, v, 0, 0, top);
        lift_emit(l, UOP_vadd_8 + wide, v, v, half, 0, 0);
        lift_emit(l, (arg ? UOP_vsub_8 : UOP_vadd_8) + wide, v, v, t, 0, 0);
        lift_emit(l, UOP_vsshr_8 + wide, v, v, 0, 0, top);
        sum[i] = v;
    }
    uint8_t low = a64_vec_i(l, UOP_vuzp1, sum[0], sum[whole(in)], SIZE);
    uint8_t high = a64_vec_i(l, UOP_vuzp2, sum[0], sum[whole(in)], SIZE);
    uint8_t fits =
        a64_vec2(l, UOP_vcmeq_8 + SIZE, high, a64_vec_i(l, UOP_vsshr_8 + SIZE, low, 0, top));
    uint8_t limit = a64_vec2(l, UOP_vxor, a64_vec_i(l, UOP_vsshr_8 + SIZE, high, 0, top),
                             a64_vconst(l, (UINT64_C(1) << top) - 1, SIZE));
    note_difference(l, fits, a64_vconst(l, ~UINT64_C(0), 3), whole(in));
    result(l, in, vbsl(l, fits, low, limit));
}

LIFT(vqrdmla)
{
    rdma(l, in, arg, a64_v(in->rm));
}

LIFT(vqrdmla_elem)
{
    rdma(l, in, arg, a64_element(l, in));
}

/* ---- sums of products of four bytes, and of 2x8 by 8x2 matrices; arg: which operands are signed ---- */

static uint8_t sum_products(struct lift *l, uint8_t a, uint8_t b, uint8_t c, int is_signed)
{
    uint8_t t = lift_vtemp(l);
    lift_emit(l, UOP_vdot, t, a, b, c, is_signed);
    return t;
}

LIFT(vdot)
{
    result(l, in, sum_products(l, a64_v(in->rn), a64_v(in->rm), a64_v(in->rd), arg));
}

/* A lane of four bytes, whatever the size field. */
LIFT(vdot_elem)
{
    unsigned i = W(11, 11) << 1 | W(21, 21);
    uint8_t b = a64_vec_i(l, UOP_vrep, a64_v(in->rm), 0, i << 2 | 2);
    result(l, in, sum_products(l, a64_v(in->rn), b, a64_v(in->rd), arg));
}

/* Each row with both columns, in two parts. */
LIFT(vmmla)
{
    uint8_t b = a64_v(in->rm), zero = a64_vconst(l, 0, 3), part[2];
    for (unsigned i = 0; i < 2; i++)
        part[i] =
            sum_products(l, a64_vec_i(l, UOP_vrep, a64_v(in->rn), 0, i << 2 | 3), b, zero, arg);
    uint8_t t = a64_vec2(l, UOP_vadd_32, a64_vec_i(l, UOP_vuzp1, part[0], part[1], 2),
                         a64_vec_i(l, UOP_vuzp2, part[0], part[1], 2));
    result(l, in, a64_vec2(l, UOP_vadd_32, t, a64_v(in->rd)));
}

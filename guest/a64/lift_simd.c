/* guest/a64/lift_simd.c: from decoded instructions to micro-ops: AdvSIMD integers and permutations.
 * Saturation is in lift_simd_sat.c, lanes of floating point are in lift_simd_fp.c.
 *
 * Owns: the meaning of these rows of a64.decode. A vector is computed in a temporary and written whole; the
 * forms of 64 bits and scalars then have zeros above.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/simd.h"

/* Write t to register d; wide when its upper half is wanted. */
void a64_vresult(struct lift *l, unsigned d, uint8_t t, bool wide)
{
    emit_to(l, a64_v(d), UOP_mov_64, t, 0);
    if (wide)
        emit_to(l, a64_v(d) + 1, UOP_mov_64, t + 1, 0);
    else
        emit_to(l, a64_v(d) + 1, UOP_movi, 0, 0);
}

uint8_t a64_vec2(struct lift *l, enum uop_code op, uint8_t a, uint8_t b)
{
    uint8_t t = lift_vtemp(l);
    lift_emit(l, op, t, a, b, 0, 0);
    return t;
}

uint8_t a64_vec_i(struct lift *l, enum uop_code op, uint8_t a, uint8_t b, int64_t imm)
{
    uint8_t t = lift_vtemp(l);
    lift_emit(l, op, t, a, b, 0, imm);
    return t;
}

static void result(struct lift *l, const struct a64_insn *in, uint8_t t)
{
    a64_vresult(l, in->rd, t, Q && !SCALAR);
}

uint8_t a64_both(struct lift *l, uint8_t low, uint8_t high)
{
    uint8_t t = lift_vtemp(l);
    emit_to(l, t, UOP_mov_64, low, 0);
    emit_to(l, t + 1, UOP_mov_64, high, 0);
    return t;
}

LIFT(v3)
{
    result(l, in, a64_vec2(l, arg + SIZE, a64_v(in->rn), a64_v(in->rm)));
}

/* The low halves of the products. */
LIFT(vpmul)
{
    uint8_t a = a64_v(in->rn), b = a64_v(in->rm), low = a64_vec_i(l, UOP_vpmull_8, a, b, 0);
    uint8_t high = a64_vec_i(l, UOP_vpmull_8, a64_vec_i(l, UOP_vext, a, a, 8),
                             a64_vec_i(l, UOP_vext, b, b, 8), 0);
    result(l, in, a64_vec_i(l, UOP_vuzp1, low, high, 0));
}

LIFT(v3acc)
{
    uint8_t t = a64_vec2(l, arg + SIZE, a64_v(in->rn), a64_v(in->rm));
    result(l, in, a64_vec2(l, UOP_vadd_8 + SIZE, a64_v(in->rd), t));
}

LIFT(v3sub)
{
    uint8_t t = a64_vec2(l, arg + SIZE, a64_v(in->rn), a64_v(in->rm));
    result(l, in, a64_vec2(l, UOP_vsub_8 + SIZE, a64_v(in->rd), t));
}

LIFT(v3pair)
{
    uint8_t a = a64_v(in->rn), b = a64_v(in->rm);
    if (!Q)
        a = b = a64_both(l, a, b);
    uint8_t even = a64_vec_i(l, UOP_vuzp1, a, b, SIZE), odd = a64_vec_i(l, UOP_vuzp2, a, b, SIZE);
    result(l, in, a64_vec2(l, arg + SIZE, even, odd));
}

/* and bic orr orn eor bsl bit bif: bits 29, 23:22 */
LIFT(vlogic)
{
    static const uint16_t op[5] = {UOP_vand, UOP_vandn, UOP_vor, UOP_vorn, UOP_vxor};
    uint8_t d = a64_v(in->rd), n = a64_v(in->rn), m = a64_v(in->rm), t;
    unsigned which = W(29, 29) << 2 | W(23, 22);
    if (which == 2 && n == m) { /* mov */
        result(l, in, n);
        return;
    }
    if (which < 5) {
        result(l, in, a64_vec2(l, op[which], n, m));
        return;
    }
    t = lift_vtemp(l);
    if (which == 5) /* d chooses n over m */
        lift_emit(l, UOP_vbsl, t, d, n, m, 0);
    else if (which == 6) /* m chooses n over d */
        lift_emit(l, UOP_vbsl, t, m, n, d, 0);
    else /* m chooses d over n */
        lift_emit(l, UOP_vbsl, t, m, d, n, 0);
    result(l, in, t);
}

LIFT(v1)
{
    result(l, in, a64_vec_i(l, arg, a64_v(in->rn), 0, 0));
}

LIFT(v1s)
{
    result(l, in, a64_vec_i(l, arg + SIZE, a64_v(in->rn), 0, 0));
}

static uint8_t vconst64(struct lift *l, uint64_t v)
{
    uint8_t t = emit_const(l, v);
    return a64_both(l, t, t);
}

LIFT(vnot)
{
    result(l, in, a64_vec2(l, UOP_vxor, a64_v(in->rn), vconst64(l, ~UINT64_C(0))));
}

static uint8_t vzero(struct lift *l)
{
    return vconst64(l, 0);
}

LIFT(vcmp0)
{
    result(l, in, a64_vec2(l, arg + SIZE, a64_v(in->rn), vzero(l)));
}

LIFT(vcmp0_swap)
{
    uint8_t zero = vzero(l);
    result(l, in, a64_vec2(l, arg + SIZE, zero, a64_v(in->rn)));
}

/* ---- widths that change; bit 29: unsigned; Q: the upper half of the narrow operands ---- */

uint8_t a64_widen(struct lift *l, const struct a64_insn *in, uint8_t v, bool upper)
{
    if (upper)
        v = a64_both(l, v + 1, v + 1);
    return a64_vec_i(l, W(29, 29) ? UOP_vwiden_u : UOP_vwiden_s, v, 0, SIZE);
}

static void full(struct lift *l, const struct a64_insn *in, uint8_t t)
{
    a64_vresult(l, in->rd, t, true);
}

LIFT(vlong)
{
    uint8_t a = a64_widen(l, in, a64_v(in->rn), Q), b = a64_widen(l, in, a64_v(in->rm), Q);
    full(l, in, a64_vec2(l, arg + SIZE + 1, a, b));
}

LIFT(vwide)
{
    full(l, in, a64_vec2(l, arg + SIZE + 1, a64_v(in->rn), a64_widen(l, in, a64_v(in->rm), Q)));
}

LIFT(vlong_acc)
{
    uint8_t a = a64_widen(l, in, a64_v(in->rn), Q), b = a64_widen(l, in, a64_v(in->rm), Q);
    full(l, in,
         a64_vec2(l, arg + SIZE + 1, a64_v(in->rd), a64_vec2(l, UOP_vmul_8 + SIZE + 1, a, b)));
}

LIFT(vlong_abal)
{
    uint8_t a = a64_widen(l, in, a64_v(in->rn), Q), b = a64_widen(l, in, a64_v(in->rm), Q);
    enum uop_code op = W(29, 29) ? UOP_vuabd_8 : UOP_vsabd_8;
    full(l, in,
         a64_vec2(l, UOP_vadd_8 + SIZE + 1, a64_v(in->rd), a64_vec2(l, op + SIZE + 1, a, b)));
}

void a64_narrow_result(struct lift *l, const struct a64_insn *in, uint8_t t)
{
    emit_to(l, a64_v(in->rd) + (Q ? 1 : 0), UOP_mov_64, t, 0);
    if (!Q)
        emit_to(l, a64_v(in->rd) + 1, UOP_movi, 0, 0);
}

LIFT(xtn)
{
    a64_narrow_result(l, in, a64_vec_i(l, UOP_vnarrow, a64_v(in->rn), 0, SIZE));
}

static void high_narrow(struct lift *l, const struct a64_insn *in, int op, bool round)
{
    uint8_t t = a64_vec2(l, (unsigned)op + SIZE, a64_v(in->rn), a64_v(in->rm));
    if (round) { /* a constant of half a unit of the result in each lane */
        uint64_t half = SIZE == 0   ? UINT64_C(0x0080008000800080)
                        : SIZE == 1 ? UINT64_C(0x0000800000008000)
                                    : UINT64_C(0x80000000);
        uint8_t c = emit_const(l, half);
        t = a64_vec2(l, UOP_vadd_16 + SIZE, t, a64_both(l, c, c));
    }
    t = a64_vec_i(l, UOP_vushr_16 + SIZE, t, 0, 8 << SIZE);
    a64_narrow_result(l, in, a64_vec_i(l, UOP_vnarrow, t, 0, SIZE));
}

LIFT(vhn)
{
    high_narrow(l, in, arg, false);
}

LIFT(vrhn)
{
    high_narrow(l, in, arg, true);
}

LIFT(shll)
{
    uint8_t t = a64_widen(l, in, a64_v(in->rn), Q);
    full(l, in, a64_vec_i(l, UOP_vshl_8 + SIZE + 1, t, 0, 8 << SIZE));
}

/* Sums of neighbours as lanes of twice the width. */
static uint8_t pair_sums(struct lift *l, const struct a64_insn *in, uint8_t v)
{
    unsigned bits = 8 << SIZE;
    enum uop_code right = W(29, 29) ? UOP_vushr_8 : UOP_vsshr_8;
    uint8_t even = a64_vec_i(l, UOP_vshl_8 + SIZE + 1, v, 0, bits);
    even = a64_vec_i(l, right + SIZE + 1, even, 0, bits);
    return a64_vec2(l, UOP_vadd_8 + SIZE + 1, even, a64_vec_i(l, right + SIZE + 1, v, 0, bits));
}

LIFT(vaddlp)
{
    uint8_t t = pair_sums(l, in, a64_v(in->rn));
    result(l, in, arg ? a64_vec2(l, UOP_vadd_8 + SIZE + 1, a64_v(in->rd), t) : t);
}

uint8_t a64_vconst(struct lift *l, uint64_t v, unsigned size)
{
    for (unsigned w = 8u << size; w < 64; w *= 2)
        v |= v << w;
    return vconst64(l, v);
}

/* ---- across lanes: halve until one is left ---- */

static void across(struct lift *l, unsigned rd, uint8_t v, enum uop_code op, unsigned size,
                   unsigned bytes)
{
    for (; bytes > 1u << size; bytes /= 2) {
        uint8_t even = a64_vec_i(l, UOP_vuzp1, v, v, size),
                odd = a64_vec_i(l, UOP_vuzp2, v, v, size);
        v = a64_vec2(l, op, even, odd);
    }
    static const uint16_t cut[4] = {UOP_zext8, UOP_zext16, UOP_zext32, UOP_mov_64};
    emit_to(l, a64_v(rd), cut[size], v, 0);
    emit_to(l, a64_v(rd) + 1, UOP_movi, 0, 0);
}

LIFT(vacross)
{
    uint8_t v = a64_v(in->rn);
    across(l, in->rd, Q ? v : a64_both(l, v, v), arg + SIZE, SIZE, Q ? 16 : 8);
}

LIFT(vaddlv)
{
    uint8_t v = pair_sums(l, in, a64_v(in->rn));
    across(l, in->rd, Q ? v : a64_both(l, v, v), UOP_vadd_8 + SIZE + 1, SIZE + 1, Q ? 16 : 8);
}

LIFT(addp_d)
{
    lift_emit(l, UOP_add_64, a64_v(in->rd), a64_v(in->rn), a64_v(in->rn) + 1, 0, 0);
    emit_to(l, a64_v(in->rd) + 1, UOP_movi, 0, 0);
}

/* ---- lanes by number ---- */

uint8_t a64_lane(struct lift *l, unsigned v, unsigned size, unsigned i)
{
    if (size == 3)
        return (uint8_t)(a64_v(v) + i);
    return emit_i(l, UOP_vget, a64_v(v), (int64_t)(i << 2 | size));
}

uint8_t a64_everywhere(struct lift *l, unsigned v, unsigned size, unsigned i)
{
    return a64_vec_i(l, UOP_vrep, a64_v(v), 0, (int64_t)(i << 2 | size));
}

/* imm5 of the copy instructions: the lowest bit that is set gives the size, those above the lane. */
static bool lane_of(const struct a64_insn *in, unsigned *size, unsigned *i)
{
    unsigned imm5 = (unsigned)in->imm;
    if (!(imm5 & 15))
        return false;
    *size = (unsigned)__builtin_ctz(imm5);
    *i = imm5 >> (*size + 1);
    return true;
}

LIFT(dup_elem)
{
    unsigned size, i;
    if (!lane_of(in, &size, &i) || (size == 3 && !Q)) {
        a64_emit_illegal(l);
        return;
    }
    result(l, in, a64_everywhere(l, in->rn, size, i));
}

LIFT(dup_scalar)
{
    unsigned size, i;
    if (!lane_of(in, &size, &i)) {
        a64_emit_illegal(l);
        return;
    }
    emit_to(l, a64_v(in->rd), UOP_vzext, a64_everywhere(l, in->rn, size, i), size);
}

LIFT(dup_gen)
{
    unsigned size, i;
    if (!lane_of(in, &size, &i) || (size == 3 && !Q)) {
        a64_emit_illegal(l);
        return;
    }
    result(l, in, a64_vec_i(l, UOP_vdup, a64_x(in->rn), 0, size));
}

LIFT(umov)
{
    unsigned size, i;
    if (!lane_of(in, &size, &i) || (size == 3) != Q) {
        a64_emit_illegal(l);
        return;
    }
    uint8_t t = a64_lane(l, in->rn, size, i);
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_mov_64, t, 0);
}

LIFT(smov)
{
    static const uint16_t extend[3] = {UOP_sext8, UOP_sext16, UOP_sext32};
    unsigned size, i;
    if (!lane_of(in, &size, &i) || size >= 2 + Q) {
        a64_emit_illegal(l);
        return;
    }
    uint8_t t = emit1(l, extend[size], a64_lane(l, in->rn, size, i));
    if (in->rd != 31)
        emit_to(l, in->rd, Q ? UOP_mov_64 : UOP_zext32, t, 0);
}

void a64_insert(struct lift *l, unsigned d, unsigned size, unsigned i, uint8_t t)
{
    lift_emit(l, UOP_vset, a64_v(d), a64_v(d), t, 0, (int64_t)(i << 2 | size));
}

LIFT(ins_gen)
{
    unsigned size, i;
    if (!lane_of(in, &size, &i)) {
        a64_emit_illegal(l);
        return;
    }
    a64_insert(l, in->rd, size, i, a64_x(in->rn));
}

LIFT(ins_elem)
{
    unsigned size, i;
    if (!lane_of(in, &size, &i)) {
        a64_emit_illegal(l);
        return;
    }
    uint8_t d = a64_v(in->rd);
    int64_t from = W(14, 11) >> size;
    lift_emit(l, UOP_vins, d, d, a64_v(in->rn), 0, from << 8 | i << 2 | size);
}

/* ---- permutations ---- */

/* A 64-bit permutation is that of the 128 bits whose halves are in order (zip), or of both operands' low
 * halves as one vector (uzp); for trn each half is by itself. */
LIFT(vperm)
{
    uint8_t a = a64_v(in->rn), b = a64_v(in->rm);
    if (!Q) {
        if (arg == UOP_vzip2) { /* the upper halves of the low halves: what zip1 puts above */
            uint8_t t = a64_vec_i(l, UOP_vzip1, a, b, SIZE);
            emit_to(l, a64_v(in->rd), UOP_mov_64, t + 1, 0);
            emit_to(l, a64_v(in->rd) + 1, UOP_movi, 0, 0);
            return;
        }
        if (arg == UOP_vuzp1 || arg == UOP_vuzp2)
            a = b = a64_both(l, a, b);
    }
    result(l, in, a64_vec_i(l, arg, a, b, SIZE));
}

LIFT(vext)
{
    uint8_t a = a64_v(in->rn), b = a64_v(in->rm);
    if (!Q)
        a = b = a64_both(l, a, b);
    if (W(14, 11) == 8) /* halves, which may be known as such */
        result(l, in, a64_both(l, a + 1, b));
    else
        result(l, in, a64_vec_i(l, UOP_vext, a, b, W(14, 11)));
}

LIFT(tbl)
{
    uint8_t t = a64_v(in->rd), index = a64_v(in->rm);
    for (unsigned i = 0; i <= W(14, 13); i++) {
        uint8_t next = lift_vtemp(l);
        if (i == 0 && !arg)
            lift_emit(l, UOP_vtbl, next, a64_v(in->rn), index, 0, 0);
        else
            lift_emit(l, UOP_vtbx, next, a64_v(in->rn + i), index, t, 16 * i);
        t = next;
    }
    result(l, in, t);
}

/* ---- immediates: "AdvSIMDExpandImm" ---- */

static uint64_t expand(const struct a64_insn *in)
{
    uint64_t imm8 = W(18, 16) << 5 | W(9, 5), v;
    unsigned cmode = W(15, 12), op = W(29, 29);
    if (cmode < 8) {
        v = imm8 << 8 * (cmode >> 1);
        return v | v << 32;
    }
    if (cmode < 12) {
        v = imm8 << 8 * (cmode >> 1 & 1);
        return v * UINT64_C(0x0001000100010001);
    }
    if (cmode < 14) {
        v = cmode & 1 ? imm8 << 16 | 0xffff : imm8 << 8 | 0xff;
        return v | v << 32;
    }
    if (cmode == 14 && !op)
        return imm8 * UINT64_C(0x0101010101010101);
    if (cmode == 14) {
        v = 0;
        for (int i = 0; i < 8; i++)
            v |= imm8 >> i & 1 ? UINT64_C(0xff) << 8 * i : 0;
        return v;
    }
    if (W(11, 11))
        return a64_fimm(0, (unsigned)imm8) * UINT64_C(0x0001000100010001);
    v = a64_fimm(op ? 2 : 1, (unsigned)imm8);
    return op ? v : v | v << 32;
}

LIFT(vmovi)
{
    uint64_t v = expand(in);
    if (W(29, 29) && W(15, 12) < 14)
        v = ~v;
    emit_to(l, a64_v(in->rd), UOP_movi, 0, (int64_t)v);
    emit_to(l, a64_v(in->rd) + 1, UOP_movi, 0, Q ? (int64_t)v : 0);
}

LIFT(vorri)
{
    enum uop_code op = W(29, 29) ? UOP_vandn : UOP_vor;
    result(l, in, a64_vec2(l, op, a64_v(in->rd), vconst64(l, expand(in))));
}

/* ---- shifts: immh:immb is the width plus the left shift, or twice the width less the right one ---- */

unsigned a64_shift_size(const struct a64_insn *in)
{
    return 31 - (unsigned)__builtin_clz((unsigned)in->imm >> 3);
}

unsigned a64_shift_left(const struct a64_insn *in)
{
    return (unsigned)in->imm - (8u << a64_shift_size(in));
}

unsigned a64_shift_right(const struct a64_insn *in)
{
    return (16u << a64_shift_size(in)) - (unsigned)in->imm;
}

LIFT(vshr)
{
    result(l, in, a64_vec_i(l, arg + a64_shift_size(in), a64_v(in->rn), 0, a64_shift_right(in)));
}

LIFT(vsra)
{
    uint8_t t = a64_vec_i(l, arg + a64_shift_size(in), a64_v(in->rn), 0, a64_shift_right(in));
    result(l, in, a64_vec2(l, UOP_vadd_8 + a64_shift_size(in), a64_v(in->rd), t));
}

LIFT(vshl)
{
    result(l, in,
           a64_vec_i(l, UOP_vshl_8 + a64_shift_size(in), a64_v(in->rn), 0, a64_shift_left(in)));
}

/* Shift and insert: rd keeps the bits of each lane that no bit is shifted to. */
static void shift_insert(struct lift *l, const struct a64_insn *in, uint8_t t, uint64_t keep)
{
    uint8_t old = a64_vec2(l, UOP_vand, a64_v(in->rd), a64_vconst(l, keep, a64_shift_size(in)));
    result(l, in, a64_vec2(l, UOP_vor, old, t));
}

LIFT(vsli)
{
    unsigned n = a64_shift_left(in);
    uint8_t t = a64_vec_i(l, UOP_vshl_8 + a64_shift_size(in), a64_v(in->rn), 0, n);
    shift_insert(l, in, t, (UINT64_C(1) << n) - 1);
}

LIFT(vsri)
{
    unsigned n = a64_shift_right(in), width = 8u << a64_shift_size(in);
    uint64_t all = ~UINT64_C(0) >> (64 - width);
    uint8_t t = a64_vec_i(l, UOP_vushr_8 + a64_shift_size(in), a64_v(in->rn), 0, n);
    shift_insert(l, in, t, n == width ? all : all & ~(all >> n));
}

LIFT(shrn)
{
    unsigned size = a64_shift_size(in);
    enum uop_code op = arg ? UOP_vurshr_16 : UOP_vushr_16;
    uint8_t t = a64_vec_i(l, op + size, a64_v(in->rn), 0, a64_shift_right(in));
    a64_narrow_result(l, in, a64_vec_i(l, UOP_vnarrow, t, 0, size));
}

LIFT(vshll)
{
    unsigned size = a64_shift_size(in);
    uint8_t v = a64_v(in->rn);
    if (Q)
        v = a64_both(l, v + 1, v + 1);
    uint8_t t = a64_vec_i(l, W(29, 29) ? UOP_vwiden_u : UOP_vwiden_s, v, 0, size);
    full(l, in, a64_vec_i(l, UOP_vshl_8 + size + 1, t, 0, a64_shift_left(in)));
}

/* ---- by element ---- */

uint8_t a64_element(struct lift *l, const struct a64_insn *in)
{
    unsigned i = SIZE == 1 ? W(11, 11) << 2 | W(21, 20) : W(11, 11) << 1 | W(21, 21);
    unsigned m = SIZE == 1 ? W(19, 16) : W(20, 16);
    return a64_everywhere(l, m, SIZE, i);
}

LIFT(velem)
{
    result(l, in, a64_vec2(l, arg + SIZE, a64_v(in->rn), a64_element(l, in)));
}

LIFT(velem_acc)
{
    uint8_t t = a64_vec2(l, UOP_vmul_8 + SIZE, a64_v(in->rn), a64_element(l, in));
    result(l, in, a64_vec2(l, arg + SIZE, a64_v(in->rd), t));
}

LIFT(velem_long)
{
    uint8_t a = a64_widen(l, in, a64_v(in->rn), Q), b = a64_widen(l, in, a64_element(l, in), false);
    uint8_t t = a64_vec2(l, UOP_vmul_8 + SIZE + 1, a, b);
    full(l, in, arg == UOP_vmul_8 ? t : a64_vec2(l, arg + SIZE + 1, a64_v(in->rd), t));
}

/* Emission of integer vector operations that take several host instructions.
 *
 * The conventions are those of bt/emit_vector.c: a may lie in xmm0, b in xmm1; xmm2 is free from the beginning, xmm0 and xmm1
 * once their operand has been used for the last time; the result is written last. Sequences assume what x86-64-v2 has
 * and ask for what it has not.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

/* An operation's instructions by log2 of the lane's bytes; 0 where there is none. */
static const uint32_t add[4] = {X64_PADDB, X64_PADDW, X64_PADDD, X64_PADDQ};
static const uint32_t sub[4] = {X64_PSUBB, X64_PSUBW, X64_PSUBD, X64_PSUBQ};
static const uint32_t equal[4] = {X64_PCMPEQB, X64_PCMPEQW, X64_PCMPEQD, X64_PCMPEQQ};
static const uint32_t smax[3] = {X64_PMAXSB, X64_PMAXSW, X64_PMAXSD};
static const uint32_t smin[3] = {X64_PMINSB, X64_PMINSW, X64_PMINSD};
static const uint32_t umax[3] = {X64_PMAXUB, X64_PMAXUW, X64_PMAXUD};
static const uint32_t umin[3] = {X64_PMINUB, X64_PMINUW, X64_PMINUD};
static const uint32_t average[2] = {X64_PAVGB, X64_PAVGW};
static const uint32_t shl[4] = {0, X64_PSLLW_I8, X64_PSLLD_I8, X64_PSLLQ_I8};
static const uint32_t shr[4] = {0, X64_PSRLW_I8, X64_PSRLD_I8, X64_PSRLQ_I8};
static const uint32_t sar[3] = {0, X64_PSRAW_I8, X64_PSRAD_I8};

/* The operation being emitted. */
struct seq {
    struct bt_emitter *m;
    struct x64_emit *e;
    uint32_t v;
    unsigned a, b, d; /* registers */
    unsigned n;       /* log2 of the lane's bytes */
    unsigned imm;
};

static void op(const struct seq *s, uint32_t insn, unsigned d, unsigned a, unsigned b)
{
    x64_v_rrr(s->e, insn, d, a, b);
}

/* With a constant: v in each lane of 1 << n bytes. */
static struct x64_mem lanes(const struct seq *s, uint64_t v)
{
    for (unsigned w = 8u << s->n; w < 64; w *= 2)
        v = (v & ((UINT64_C(1) << w) - 1)) | v << w;
    return bt_const128(s->m, v, v);
}

static void opc(const struct seq *s, uint32_t insn, unsigned d, unsigned a, uint64_t v)
{
    x64_v_rrm(s->e, insn, d, a, lanes(s, v));
}

static void shift(const struct seq *s, uint32_t insn, unsigned d, unsigned a, unsigned n)
{
    x64_v_shift(s->e, insn, d, a, n);
}

static void zero(const struct seq *s, unsigned x)
{
    op(s, X64_PXOR, x, x, x);
}

static void ones(const struct seq *s, unsigned x)
{
    op(s, X64_PCMPEQD, x, x, x);
}

static uint64_t sign(const struct seq *s)
{
    return UINT64_C(1) << ((8u << s->n) - 1);
}

/* ---- products ---- */

/* Words at a time: the products of the even bytes, and those of the odd ones above them. */
static bool multiply_8(const struct seq *s)
{
    op(s, X64_PMULLW, XMM2, s->a, s->b);
    shift(s, X64_PSLLW_I8, XMM2, XMM2, 8);
    shift(s, X64_PSRLW_I8, XMM2, XMM2, 8);
    shift(s, X64_PSRLW_I8, XMM0, s->a, 8);
    shift(s, X64_PSRLW_I8, XMM1, s->b, 8);
    op(s, X64_PMULLW, XMM0, XMM0, XMM1);
    shift(s, X64_PSLLW_I8, XMM0, XMM0, 8);
    op(s, X64_POR, s->d, XMM0, XMM2);
    return true;
}

/* Of lanes that were extended from 32 bits there is an instruction; else low * low + (low * high + high * low) << 32. */
static bool multiply_64(const struct seq *s)
{
    const struct bt_op *o = &s->m->r->ops[s->v];
    const struct bt_op *a = &s->m->r->ops[o->a], *b = &s->m->r->ops[o->b];
    if (a->op == UOP_vwiden_u && b->op == UOP_vwiden_u && a->imm == 2 && b->imm == 2) {
        op(s, X64_PMULUDQ, s->d, s->a, s->b);
        return true;
    }
    if (a->op == UOP_vwiden_s && b->op == UOP_vwiden_s && a->imm == 2 && b->imm == 2) {
        op(s, X64_PMULDQ, s->d, s->a, s->b);
        return true;
    }
    shift(s, X64_PSRLQ_I8, XMM2, s->a, 32);
    op(s, X64_PMULUDQ, XMM2, XMM2, s->b);
    x64_v_mov(s->e, XMM1, s->b);
    x64_v_mov(s->e, XMM0, s->a);
    shift(s, X64_PSRLQ_I8, XMM3, XMM1, 32);
    x64_v_rrr(s->e, X64_PMULUDQ, XMM3, XMM3, XMM0);
    op(s, X64_PADDQ, XMM2, XMM2, XMM3);
    shift(s, X64_PSLLQ_I8, XMM2, XMM2, 32);
    op(s, X64_PMULUDQ, XMM0, XMM0, XMM1);
    op(s, X64_PADDQ, s->d, XMM0, XMM2);
    return true;
}

/* Where both factors are the least number the product does not fit: the one case that gives it, and the greatest is
 * meant. */
static void except_least(const struct seq *s, unsigned x, unsigned scratch)
{
    x64_v_rrm(s->e, equal[s->n], scratch, x, lanes(s, sign(s)));
    op(s, X64_PXOR, s->d, x, scratch);
}

/* Upper half of twice the product. */
static bool multiply_high(const struct seq *s, bool round)
{
    if (s->n == 1 && round) {
        op(s, X64_PMULHRSW, XMM2, s->a, s->b);
    } else if (s->n == 1) {
        op(s, X64_PMULHW, XMM2, s->a, s->b);
        x64_v_rrr_c(s->e, X64_PMULLW, XMM1, s->a, s->b);
        shift(s, X64_PSRLW_I8, XMM1, XMM1, 15);
        op(s, X64_PADDW, XMM2, XMM2, XMM2);
        op(s, X64_POR, XMM2, XMM2, XMM1);
    } else {
        struct x64_mem half = bt_const128(s->m, UINT64_C(1) << 30, UINT64_C(1) << 30);
        op(s, X64_PMULDQ, XMM2, s->a, s->b);
        shift(s, X64_PSRLQ_I8, XMM0, s->a, 32);
        shift(s, X64_PSRLQ_I8, XMM1, s->b, 32);
        op(s, X64_PMULDQ, XMM0, XMM0, XMM1);
        if (round) {
            x64_v_rrm(s->e, X64_PADDQ, XMM2, XMM2, half);
            x64_v_rrm(s->e, X64_PADDQ, XMM0, XMM0, half);
        }
        shift(s, X64_PSRLQ_I8, XMM2, XMM2, 31);
        op(s, X64_PADDQ, XMM0, XMM0, XMM0);
        x64_v_rrri(s->e, X64_PBLENDW, XMM2, XMM2, XMM0, 0xcc);
    }
    except_least(s, XMM2, XMM1);
    return true;
}

/* Bytes as words: the even or the odd ones of x. */
static void bytes(const struct seq *s, unsigned d, unsigned x, bool odd, bool is_signed)
{
    if (odd) {
        shift(s, is_signed ? X64_PSRAW_I8 : X64_PSRLW_I8, d, x, 8);
    } else if (is_signed) {
        shift(s, X64_PSLLW_I8, d, x, 8);
        shift(s, X64_PSRAW_I8, d, d, 8);
    } else {
        x64_v_rrm(s->e, X64_PAND, d, x,
                  bt_const128(s->m, UINT64_C(0x00ff00ff00ff00ff), UINT64_C(0x00ff00ff00ff00ff)));
    }
}

/* Sums of four products of bytes: two of the even and two of the odd ones are a host operation each. */
static bool sum_products(const struct seq *s)
{
    bytes(s, XMM2, s->a, false, s->imm & 1);
    bytes(s, XMM3, s->b, false, s->imm & 2);
    op(s, X64_PMADDWD, XMM2, XMM2, XMM3);
    bytes(s, XMM0, s->a, true, s->imm & 1);
    bytes(s, XMM1, s->b, true, s->imm & 2);
    op(s, X64_PMADDWD, XMM0, XMM0, XMM1);
    op(s, X64_PADDD, XMM2, XMM2, XMM0);
    x64_v_rrr_c(s->e, X64_PADDD, s->d, XMM2, bt_vec(s->m, s->m->r->ops[s->v].c, XMM1));
    return true;
}

/* ---- comparisons ---- */

/* a is at least b where the greater of both is a. */
static bool at_least(const struct seq *s, const uint32_t *max)
{
    if (s->n == 3) {
        unsigned a = s->a, b = s->b;
        if (max == umax) {
            opc(s, X64_PXOR, XMM2, b, sign(s));
            opc(s, X64_PXOR, XMM1, a, sign(s));
            a = XMM1, b = XMM2;
        }
        op(s, X64_PCMPGTQ, XMM2, b, a);
        ones(s, XMM0);
        op(s, X64_PXOR, s->d, XMM2, XMM0);
        return true;
    }
    op(s, max[s->n], XMM2, s->a, s->b);
    op(s, equal[s->n], s->d, XMM2, s->a);
    return true;
}

static bool higher(const struct seq *s)
{
    if (s->n == 3) {
        opc(s, X64_PXOR, XMM2, s->a, sign(s));
        opc(s, X64_PXOR, XMM1, s->b, sign(s));
        op(s, X64_PCMPGTQ, s->d, XMM2, XMM1);
        return true;
    }
    op(s, umin[s->n], XMM2, s->a, s->b);
    op(s, equal[s->n], XMM2, XMM2, s->a);
    ones(s, XMM0);
    op(s, X64_PXOR, s->d, XMM2, XMM0);
    return true;
}

static bool test(const struct seq *s)
{
    op(s, X64_PAND, XMM2, s->a, s->b);
    zero(s, XMM0);
    op(s, equal[s->n], XMM2, XMM2, XMM0);
    op(s, equal[s->n], s->d, XMM2, XMM0);
    return true;
}

/* ---- sums and differences ---- */

static bool difference(const struct seq *s, bool is_signed)
{
    if (s->n == 3) {
        if (!is_signed)
            return false;
        op(s, X64_PSUBQ, XMM2, s->a, s->b);
        op(s, X64_PCMPGTQ, XMM1, s->b, s->a);
        op(s, X64_PXOR, XMM2, XMM2, XMM1);
        op(s, X64_PSUBQ, s->d, XMM2, XMM1);
        return true;
    }
    op(s, (is_signed ? smax : umax)[s->n], XMM2, s->a, s->b);
    op(s, (is_signed ? smin : umin)[s->n], XMM0, s->a, s->b);
    op(s, sub[s->n], s->d, XMM2, XMM0);
    return true;
}

/* Half of the sum, rounded down: the bits that both have, and half of those that one has. Bytes by
 * the average, which rounds up, of what is unsigned. */
static bool halve_sum(const struct seq *s, bool is_signed)
{
    if (s->n == 3)
        return false;
    if (s->n == 0) {
        opc(s, X64_PXOR, XMM2, s->a, is_signed ? sign(s) : 0);
        opc(s, X64_PXOR, XMM1, s->b, is_signed ? sign(s) : 0);
        op(s, X64_PAVGB, XMM0, XMM2, XMM1);
        op(s, X64_PXOR, XMM2, XMM2, XMM1);
        opc(s, X64_PAND, XMM2, XMM2, 1);
        op(s, X64_PSUBB, XMM0, XMM0, XMM2);
        opc(s, X64_PXOR, s->d, XMM0, is_signed ? sign(s) : 0);
        return true;
    }
    op(s, X64_PXOR, XMM2, s->a, s->b);
    op(s, X64_PAND, XMM0, s->a, s->b);
    shift(s, (is_signed ? sar : shr)[s->n], XMM2, XMM2, 1);
    op(s, add[s->n], s->d, XMM0, XMM2);
    return true;
}

static bool halve_sum_up(const struct seq *s, bool is_signed)
{
    if (s->n == 3)
        return false;
    if (s->n == 2) {
        op(s, X64_PXOR, XMM2, s->a, s->b);
        op(s, X64_POR, XMM0, s->a, s->b);
        shift(s, is_signed ? X64_PSRAD_I8 : X64_PSRLD_I8, XMM2, XMM2, 1);
        op(s, X64_PSUBD, s->d, XMM0, XMM2);
        return true;
    }
    opc(s, X64_PXOR, XMM2, s->a, sign(s));
    opc(s, X64_PXOR, XMM1, s->b, sign(s));
    op(s, average[s->n], XMM2, XMM2, XMM1);
    opc(s, X64_PXOR, s->d, XMM2, sign(s));
    return true;
}

/* The average of a and not b is half of the difference, and half of the range. */
static bool halve_difference(const struct seq *s, bool is_signed)
{
    if (s->n > 1)
        return false;
    opc(s, X64_PXOR, XMM2, s->a, is_signed ? sign(s) : 0);
    opc(s, X64_PXOR, XMM1, s->b, is_signed ? sign(s) - 1 : ~UINT64_C(0));
    op(s, average[s->n], XMM2, XMM2, XMM1);
    opc(s, sub[s->n], s->d, XMM2, sign(s));
    return true;
}

/* Of 64 bits: where the wrapped sum is below a, or b above a. */
static bool saturate_unsigned_64(const struct seq *s, bool minus)
{
    if (!s->e->avx)
        return false;
    op(s, minus ? X64_PSUBQ : X64_PADDQ, XMM3, s->a, s->b);
    opc(s, X64_PXOR, XMM2, minus ? s->b : s->a, sign(s));
    opc(s, X64_PXOR, XMM1, minus ? s->a : XMM3, sign(s));
    op(s, X64_PCMPGTQ, XMM2, XMM2, XMM1);
    if (minus)
        op(s, X64_PANDN, s->d, XMM2, XMM3);
    else
        op(s, X64_POR, s->d, XMM2, XMM3);
    return true;
}

static bool saturate_signed_64(const struct seq *s, bool minus)
{
    if (!s->e->avx)
        return false;
    op(s, minus ? X64_PSUBQ : X64_PADDQ, XMM2, s->a, s->b);
    op(s, X64_PXOR, XMM3, s->a, XMM2);
    op(s, X64_PXOR, XMM1, s->b, minus ? s->a : XMM2);
    op(s, X64_PAND, XMM3, XMM3, XMM1);
    zero(s, XMM1);
    op(s, X64_PCMPGTQ, XMM1, XMM1, s->a);
    opc(s, X64_PXOR, XMM1, XMM1, sign(s) - 1);
    x64_v_rrrr(s->e, X64_VBLENDVPD, s->d, XMM2, XMM1, XMM3);
    return true;
}

/* Saturation of 32 bits. Signed: where the wrapped result has a sign that it cannot have, the limit on a's side. */
static bool saturate(const struct seq *s, bool is_signed, bool minus)
{
    if (s->n == 3)
        return is_signed ? saturate_signed_64(s, minus) : saturate_unsigned_64(s, minus);
    if (s->n != 2)
        return false;
    if (!is_signed && minus) {
        op(s, X64_PMAXUD, XMM2, s->a, s->b);
        op(s, X64_PSUBD, s->d, XMM2, s->b);
        return true;
    }
    if (!is_signed) {
        ones(s, XMM2);
        op(s, X64_PXOR, XMM2, XMM2, s->a);
        op(s, X64_PMINUD, XMM2, XMM2, s->b);
        op(s, X64_PADDD, s->d, XMM2, s->a);
        return true;
    }
    if (!s->e->avx)
        return false;
    op(s, minus ? X64_PSUBD : X64_PADDD, XMM2, s->a, s->b);
    op(s, X64_PXOR, XMM3, s->a, XMM2);
    op(s, X64_PXOR, XMM1, s->b, minus ? s->a : XMM2);
    op(s, X64_PAND, XMM3, XMM3, XMM1);
    shift(s, X64_PSRAD_I8, XMM1, s->a, 31);
    opc(s, X64_PXOR, XMM1, XMM1, 0x7fffffff);
    x64_v_rrrr(s->e, X64_VBLENDVPS, s->d, XMM2, XMM1, XMM3);
    return true;
}

static bool absolute_64(const struct seq *s, unsigned d)
{
    zero(s, XMM2);
    op(s, X64_PCMPGTQ, XMM2, XMM2, s->a);
    op(s, X64_PXOR, XMM0, s->a, XMM2);
    op(s, X64_PSUBQ, d, XMM0, XMM2);
    return true;
}

/* The least number alone has no opposite; its own is itself, and the greatest is meant. */
static bool absolute_saturating(const struct seq *s)
{
    static const uint32_t absolute[3] = {X64_PABSB, X64_PABSW, X64_PABSD};
    if (s->n == 3)
        absolute_64(s, XMM0);
    else
        x64_v_rr(s->e, absolute[s->n], XMM0, s->a);
    except_least(s, XMM0, XMM2);
    return true;
}

static bool negate_saturating(const struct seq *s)
{
    zero(s, XMM2);
    op(s, sub[s->n], XMM0, XMM2, s->a);
    except_least(s, XMM0, XMM2);
    return true;
}

/* ---- shifts ---- */

/* d = a >> n. Bytes as words, without the bits that come from the neighbour; a sign by flipping and subtracting it where
 * there is no arithmetic shift. */
static void right(const struct seq *s, unsigned d, unsigned n, bool is_signed)
{
    unsigned width = 8u << s->n;
    if (is_signed && n >= width)
        n = width - 1;
    if (!is_signed && n >= width) {
        zero(s, d);
        return;
    }
    if (is_signed && (s->n == 1 || s->n == 2)) {
        shift(s, sar[s->n], d, s->a, n);
        return;
    }
    shift(s, shr[s->n ? s->n : 1], d, s->a, n);
    if (s->n == 0)
        opc(s, X64_PAND, d, d, 0xffu >> n);
    if (is_signed) {
        opc(s, X64_PXOR, d, d, sign(s) >> n);
        opc(s, sub[s->n], d, d, sign(s) >> n);
    }
}

static bool shift_right(const struct seq *s, bool is_signed)
{
    right(s, XMM2, s->imm, is_signed);
    x64_v_mov(s->e, s->d, XMM2);
    return true;
}

/* And the highest bit that is shifted out is added. */
static bool shift_right_rounding(const struct seq *s, bool is_signed)
{
    unsigned width = 8u << s->n;
    right(s, XMM2, s->imm, is_signed);
    if (s->n == 0) {
        shift(s, X64_PSRLW_I8, XMM0, s->a, s->imm - 1);
        opc(s, X64_PAND, XMM0, XMM0, 1);
    } else {
        shift(s, shl[s->n], XMM0, s->a, width - s->imm);
        shift(s, shr[s->n], XMM0, XMM0, width - 1);
    }
    op(s, add[s->n], s->d, XMM0, XMM2);
    return true;
}

static bool shift_left_8(const struct seq *s)
{
    shift(s, X64_PSLLW_I8, XMM2, s->a, s->imm);
    opc(s, X64_PAND, s->d, XMM2, 0xffu << s->imm & 0xff);
    return true;
}

/* Lanes of 32 bits in xmm2 by the amounts in xmm3, to the left where positive: left by an amount as an unsigned number, right by
 * its negation as one. The one of both that is not meant is too large, which gives zeros; but for the sign, which
 * has to be masked. Rounding adds the last bit that is shifted out. */
static void shift_lanes_32(const struct seq *s, bool is_signed, bool round)
{
    uint32_t right_by = is_signed ? X64_VPSRAVD : X64_VPSRLVD;
    op(s, X64_VPSLLVD, XMM0, XMM2, XMM3);
    zero(s, XMM1);
    op(s, X64_PSUBD, XMM3, XMM1, XMM3);
    if (!round) {
        op(s, right_by, XMM2, XMM2, XMM3);
        op(s, X64_PCMPGTD, XMM3, XMM3, XMM1);
    } else {
        op(s, right_by, XMM1, XMM2, XMM3);
        x64_v_rrm(s->e, X64_PADDD, XMM3, XMM3, bt_const128(s->m, ~UINT64_C(0), ~UINT64_C(0)));
        op(s, right_by, XMM2, XMM2, XMM3);
        x64_v_rrm(s->e, X64_PAND, XMM2, XMM2,
                  bt_const128(s->m, UINT64_C(0x100000001), UINT64_C(0x100000001)));
        op(s, X64_PADDD, XMM2, XMM2, XMM1);
        x64_v_rrm(s->e, X64_PCMPGTD, XMM3, XMM3, bt_const128(s->m, ~UINT64_C(0), ~UINT64_C(0)));
    }
    if (is_signed)
        op(s, X64_PAND, XMM2, XMM2, XMM3);
    op(s, X64_POR, XMM2, XMM2, XMM0);
}

/* The same of 64 bits: a right shift keeps a sign by flipping it away and back, m being all signs, in call_arg. */
static void shift_lanes_64(const struct seq *s, bool is_signed, bool round)
{
    op(s, X64_VPSLLVQ, XMM0, XMM2, XMM3);
    x64_v_rm(s->e, X64_MOVAPS_ST, XMM0, X64_CPU(call_result));
    zero(s, XMM1);
    op(s, X64_PSUBQ, XMM3, XMM1, XMM3);
    if (is_signed) {
        op(s, X64_PCMPGTQ, XMM0, XMM1, XMM2);
        op(s, X64_PXOR, XMM2, XMM2, XMM0);
    }
    op(s, X64_VPSRLVQ, XMM1, XMM2, XMM3);
    if (is_signed)
        op(s, X64_PXOR, XMM1, XMM1, XMM0);
    if (round) {
        x64_v_rrm(s->e, X64_PADDQ, XMM3, XMM3, bt_const128(s->m, ~UINT64_C(0), ~UINT64_C(0)));
        op(s, X64_VPSRLVQ, XMM2, XMM2, XMM3);
        if (is_signed)
            op(s, X64_PXOR, XMM2, XMM2, XMM0);
        x64_v_rrm(s->e, X64_PAND, XMM2, XMM2, bt_const128(s->m, 1, 1));
        op(s, X64_PADDQ, XMM1, XMM1, XMM2);
        x64_v_rrm(s->e, X64_PCMPGTQ, XMM3, XMM3, bt_const128(s->m, ~UINT64_C(0), ~UINT64_C(0)));
    } else {
        zero(s, XMM2);
        op(s, X64_PCMPGTQ, XMM3, XMM3, XMM2);
    }
    if (is_signed)
        op(s, X64_PAND, XMM1, XMM1, XMM3);
    x64_v_rrm(s->e, X64_POR, XMM2, XMM1, X64_CPU(call_result));
}

/* Lanes of 16 bits in the place of 32. */
static void shift_halves(const struct seq *s, bool odd, bool is_signed, bool round)
{
    const struct bt_op *o = &s->m->r->ops[s->v];
    unsigned a = bt_vec(s->m, o->a, XMM2), b = bt_vec(s->m, o->b, XMM3);
    if (!odd) {
        shift(s, X64_PSLLD_I8, XMM2, a, 16);
        a = XMM2;
    }
    shift(s, is_signed ? X64_PSRAD_I8 : X64_PSRLD_I8, XMM2, a, 16);
    shift(s, X64_PSLLD_I8, XMM3, b, odd ? 8 : 24);
    shift(s, X64_PSRAD_I8, XMM3, XMM3, 24);
    shift_lanes_32(s, is_signed, round);
}

/* Bytes by n: as words times 2^(n + 8), of which bits 8 to 15 count. A right shift by more than 8 does as one by 8, but
 * rounded and unsigned, when it gives zero; so does a left shift by 8 and more. */
static bool shift_bytes(const struct seq *s, bool is_signed, bool round)
{
    const uint64_t powers = UINT64_C(0x8040201008040201);
    uint32_t extend = is_signed ? X64_PSRAW_I8 : X64_PSRLW_I8;
    if (!s->e->avx)
        return false;
    opc(s, X64_PMAXSB, XMM2, s->b, 0xf8);
    opc(s, X64_PADDB, XMM2, XMM2, 0x78);
    if (round && !is_signed) {
        x64_v_rm(s->e, X64_MOVAPS, XMM3, lanes(s, 0xf8));
        op(s, X64_PCMPGTB, XMM3, XMM3, s->b);
        op(s, X64_POR, XMM2, XMM2, XMM3);
    }
    x64_v_rm(s->e, X64_MOVAPS, XMM1, bt_const128(s->m, powers, 0));
    x64_v_rm(s->e, X64_MOVAPS, XMM3, bt_const128(s->m, 0, powers));
    op(s, X64_PSHUFB, XMM1, XMM1, XMM2);
    op(s, X64_PSHUFB, XMM3, XMM3, XMM2);
    op(s, X64_PUNPCKLBW, XMM2, XMM1, XMM3);
    op(s, X64_PUNPCKHBW, XMM1, XMM1, XMM3);
    op(s, X64_PUNPCKLBW, XMM3, s->a, s->a);
    op(s, X64_PUNPCKHBW, XMM0, s->a, s->a);
    shift(s, extend, XMM3, XMM3, 8);
    shift(s, extend, XMM0, XMM0, 8);
    op(s, X64_PMULLW, XMM3, XMM3, XMM2);
    op(s, X64_PMULLW, XMM0, XMM0, XMM1);
    if (round) {
        const uint64_t half = UINT64_C(0x0080008000800080);
        x64_v_rrm(s->e, X64_PADDW, XMM3, XMM3, bt_const128(s->m, half, half));
        x64_v_rrm(s->e, X64_PADDW, XMM0, XMM0, bt_const128(s->m, half, half));
    }
    shift(s, X64_PSRLW_I8, XMM3, XMM3, 8);
    shift(s, X64_PSRLW_I8, XMM0, XMM0, 8);
    op(s, X64_PACKUSWB, s->d, XMM3, XMM0);
    return true;
}

/* By the lanes' lowest byte as a signed number. */
static bool shift_variable(const struct seq *s, bool is_signed, bool round)
{
    if (s->n == 0)
        return shift_bytes(s, is_signed, round);
    if (!x64_has(s->e, X64_F_AVX2))
        return false;
    if (s->n == 1) {
        shift_halves(s, false, is_signed, round);
        x64_v_rm(s->e, X64_MOVAPS_ST, XMM2, X64_CPU(call_result));
        shift_halves(s, true, is_signed, round);
        shift(s, X64_PSLLD_I8, XMM2, XMM2, 16);
        x64_v_rrmi(s->e, X64_PBLENDW, s->d, XMM2, X64_CPU(call_result), 0x55);
        return true;
    }
    if (s->n == 2) {
        shift(s, X64_PSLLD_I8, XMM3, s->b, 24);
        shift(s, X64_PSRAD_I8, XMM3, XMM3, 24);
        x64_v_mov(s->e, XMM2, s->a);
        shift_lanes_32(s, is_signed, round);
    } else {
        /* the byte's sign over the upper half, the byte with its sign in the lower one */
        shift(s, X64_PSLLD_I8, XMM3, s->b, 24);
        shift(s, X64_PSRAD_I8, XMM3, XMM3, 24);
        x64_v_rri(s->e, X64_PSHUFD, XMM3, XMM3, 0xa0);
        shift(s, X64_PSRAD_I8, XMM2, XMM3, 31);
        x64_v_rrri(s->e, X64_PBLENDW, XMM3, XMM3, XMM2, 0xcc);
        x64_v_mov(s->e, XMM2, s->a);
        shift_lanes_64(s, is_signed, round);
    }
    x64_v_mov(s->e, s->d, XMM2);
    return true;
}

/* ---- bytes by tables of what a nibble gives ---- */

static bool nibbles(const struct seq *s, uint64_t low0, uint64_t low1, uint64_t high0,
                    uint64_t high1, uint32_t combine)
{
    if (!x64_has(s->e, X64_F_SSSE3))
        return false;
    opc(s, X64_PAND, XMM2, s->a, 0x0f);
    shift(s, X64_PSRLW_I8, XMM1, s->a, 4);
    opc(s, X64_PAND, XMM1, XMM1, 0x0f);
    x64_v_rm(s->e, X64_MOVAPS, XMM0, bt_const128(s->m, low0, low1));
    op(s, X64_PSHUFB, XMM2, XMM0, XMM2);
    x64_v_rm(s->e, X64_MOVAPS, XMM0, bt_const128(s->m, high0, high1));
    op(s, X64_PSHUFB, XMM0, XMM0, XMM1);
    op(s, combine, s->d, XMM2, XMM0);
    return true;
}

/* Leading zeros of bytes, then of twice as many bits until the lane is whole: those of the lower part count where the upper
 * one is zeros. */
static bool leading_zeros(const struct seq *s)
{
    struct seq bytes = *s;
    bytes.n = 0, bytes.d = XMM2;
    if (!nibbles(&bytes, UINT64_C(0x0505050506060708), UINT64_C(0x0404040404040404),
                 UINT64_C(0x0101010102020308), UINT64_C(0), X64_PMINUB))
        return false;
    for (unsigned n = 1; n <= s->n; n++) {
        struct seq t = *s;
        unsigned bits = 4u << n; /* of a part */
        t.n = n;
        shift(s, shr[n], XMM0, XMM2, bits);
        x64_v_rrm(s->e, equal[n], XMM1, XMM0, lanes(&t, bits));
        op(s, X64_PAND, XMM2, XMM2, XMM1);
        opc(&t, X64_PAND, XMM2, XMM2, (UINT64_C(1) << bits) - 1);
        op(s, add[n], XMM2, XMM2, XMM0);
    }
    x64_v_mov(s->e, s->d, XMM2);
    return true;
}

/* ---- bits ---- */

static bool select_bits(const struct seq *s)
{
    unsigned c = bt_vec(s->m, s->m->r->ops[s->v].c, XMM2);
    op(s, X64_PAND, XMM1, s->a, s->b);
    op(s, X64_PANDN, XMM2, s->a, c);
    op(s, X64_POR, s->d, XMM1, XMM2);
    return true;
}

static bool or_not(const struct seq *s)
{
    ones(s, XMM2);
    op(s, X64_PXOR, XMM2, XMM2, s->b);
    op(s, X64_POR, s->d, XMM2, s->a);
    return true;
}

/* The rows of one operation, by lane size. */
#define ROWS(name)        \
    case UOP_##name##_8:  \
    case UOP_##name##_16: \
    case UOP_##name##_32: \
    case UOP_##name##_64: \
        s->n = o->op - UOP_##name##_8;

static bool emit(struct seq *s, const struct bt_op *o)
{
    switch (o->op) {
    case UOP_vmul_8:
        return multiply_8(s);
    case UOP_vmul_64:
        return multiply_64(s);
        ROWS(vcmge)
        return at_least(s, smax);
        ROWS(vcmhs)
        return at_least(s, umax);
        ROWS(vcmhi)
        return higher(s);
        ROWS(vcmtst)
        return test(s);
        ROWS(vsabd)
        return difference(s, true);
        ROWS(vuabd)
        return difference(s, false);
        ROWS(vshadd)
        return halve_sum(s, true);
        ROWS(vuhadd)
        return halve_sum(s, false);
        ROWS(vsrhadd)
        return halve_sum_up(s, true);
        ROWS(vurhadd)
        return s->n == 2 && halve_sum_up(s, false);
        ROWS(vshsub)
        return halve_difference(s, true);
        ROWS(vuhsub)
        return halve_difference(s, false);
        ROWS(vsqadd)
        return saturate(s, true, false);
        ROWS(vuqadd)
        return saturate(s, false, false);
        ROWS(vsqsub)
        return saturate(s, true, true);
        ROWS(vuqsub)
        return saturate(s, false, true);
        ROWS(vneg)
        zero(s, XMM2);
        op(s, sub[s->n], s->d, XMM2, s->a);
        return true;
        ROWS(vsshr)
        return shift_right(s, true);
        ROWS(vushr)
        return shift_right(s, false);
        ROWS(vsrshr)
        return shift_right_rounding(s, true);
        ROWS(vurshr)
        return shift_right_rounding(s, false);
        ROWS(vsshl)
        return shift_variable(s, true, false);
        ROWS(vushl)
        return shift_variable(s, false, false);
        ROWS(vsrshl)
        return shift_variable(s, true, true);
        ROWS(vurshl)
        return shift_variable(s, false, true);
    case UOP_vsqdmulh_16:
    case UOP_vsqdmulh_32:
        s->n = 1 + (o->op == UOP_vsqdmulh_32);
        return multiply_high(s, false);
    case UOP_vsqrdmulh_16:
    case UOP_vsqrdmulh_32:
        s->n = 1 + (o->op == UOP_vsqrdmulh_32);
        return multiply_high(s, true);
    case UOP_vdot:
        return sum_products(s);
    case UOP_vabs_64:
        s->n = 3;
        return absolute_64(s, s->d);
        ROWS(vsqabs)
        return absolute_saturating(s);
        ROWS(vsqneg)
        return negate_saturating(s);
    case UOP_vshl_8:
        return shift_left_8(s);
    case UOP_vcnt_8:
        return nibbles(s, UINT64_C(0x0302020102010100), UINT64_C(0x0403030203020201),
                       UINT64_C(0x0302020102010100), UINT64_C(0x0403030203020201), X64_PADDB);
    case UOP_vrbit_8:
        if (x64_has(s->e, X64_F_GFNI)) {
            x64_v_rrmi(
                s->e, X64_GF2P8AFFINEQB, s->d, s->a,
                bt_const128(s->m, UINT64_C(0x8040201008040201), UINT64_C(0x8040201008040201)), 0);
            return true;
        }
        return nibbles(s, UINT64_C(0xe060a020c0408000), UINT64_C(0xf070b030d0509010),
                       UINT64_C(0x0e060a020c040800), UINT64_C(0x0f070b030d050901), X64_POR);
        ROWS(vclz)
        return leading_zeros(s);
    case UOP_vbsl:
        return select_bits(s);
    case UOP_vorn:
        return or_not(s);
    default:
        return false;
    }
}

bool bt_emit_vector_integer(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    if (uop_info[o->op].a != UOP_K_V || uop_info[o->op].d != UOP_K_V ||
        !x64_has(&m->e, X64_F_SSE42))
        return false;
    struct seq s = {.m = m, .e = &m->e, .v = v, .imm = (unsigned)o->imm};
    s.a = bt_vec(m, o->a, XMM0);
    if (uop_info[o->op].b == UOP_K_V)
        s.b = bt_vec(m, o->b, XMM1);
    s.d = bt_xdst(m, v, XMM0);
    if (!emit(&s, o))
        return false;
    bt_xdone(m, v, s.d);
    return true;
}

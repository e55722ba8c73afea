/* Emission of vectors of floating point: one host instruction on all lanes, under the guest's MXCSR.
 *
 * The result is the one wanted unless a lane is such that FP_ENV may ask otherwise than the host gives. Then the host traps (bt_trap
 * names the whole operation's code), or one comparison looks at all lanes, and the rest is done by C, out of line; where it looks, the
 * result's register is none of the operands' (bt_early_result), so C finds these where they were. What is not here is C's altogether.
 *
 * Conventions as in bt/emit_vecint.c; c may lie in xmm3.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

/* Predicates of cmpps and cmppd; the last one is AVX's. */
enum { CMP_EQ = 0, CMP_LT = 1, CMP_LE = 2, CMP_UNORD = 3, CMP_NLT = 5, CMP_EQ_UQ = 8 };

struct fp {
    struct bt_emitter *m;
    struct x64_emit *e;
    uint32_t v;
    const struct bt_op *o;
    unsigned a, c, d;
    bool wide;      /* lanes of 64 bits */
    uint32_t begin; /* offset of the operation's code */
};

/* The f32 or the f64 form. */
#define PS_PD(name) (f->wide ? X64_##name##PD : X64_##name##PS)

void bt_cold_vector(struct bt_emitter *m, const struct bt_cold *c)
{
    bt_call_value(m, c->v);
    x64_v_rm(&m->e, X64_MOVAPS, c->x, X64_CPU(call_result));
    x64_jmp(&m->e, c->back);
}

static struct x64_mem lanes(const struct fp *f, uint64_t d, uint32_t s)
{
    uint64_t v = f->wide ? d : (uint64_t)s << 32 | s;
    return bt_const128(f->m, v, v);
}

/* To C when any lane of x has its sign set, back behind this. */
static void unless_clear(const struct fp *f, unsigned x, unsigned back)
{
    x64_v_gr(f->e, X64_MOVMSKPS, 4, RAX, x);
    x64_test_rr(f->e, 4, RAX, RAX);
    x64_jcc(f->e, X64_NE,
            bt_later(f->m,
                     (struct bt_cold){.emit = bt_cold_vector, .back = back, .v = f->v, .x = f->d}));
}

/* Where the environment flushes: a subnormal lane of x or y, which the instruction behind this would take for a number, traps. */
static void trap_subnormal(const struct fp *f, unsigned x, unsigned y)
{
    if (f->m->r->flushes)
        x64_v_rrri(f->e, PS_PD(CMP), XMM2, x, y, CMP_UNORD);
}

/* Is a lane of the result a NaN, or, when the operation may have rounded up to it, the least normal number (fp_odd_f64)? */
static void check(const struct fp *f)
{
    struct x64_emit *e = f->e;
    unsigned back = x64_label(e);
    bool rounds = bt_rounds_up(f->m->r, f->o);
    if (f->m->r->traps) {
        if (rounds)
            bt_trap_least(f->m, PS_PD(MUL), XMM0, f->d, !f->wide);
        if (bt_minds_nan(f->m->r, f->o))
            x64_v_rrri(e, PS_PD(CMP), XMM0, f->d, f->d, CMP_LT);
        return;
    }
    if (!rounds) {
        x64_v_rrri(e, PS_PD(CMP), XMM0, f->d, f->d, CMP_UNORD);
    } else {
        struct x64_mem least = lanes(f, UINT64_C(0x0010000000000000), 0x00800000);
        x64_v_rrm(e, X64_ANDPS, XMM0, f->d, lanes(f, INT64_MAX, INT32_MAX));
        if (e->avx) {
            x64_v_rrmi(e, PS_PD(CMP), XMM0, XMM0, least, CMP_EQ_UQ);
        } else {
            x64_v_rrri(e, PS_PD(CMP), XMM1, XMM0, XMM0, CMP_UNORD);
            x64_v_rrmi(e, PS_PD(CMP), XMM0, XMM0, least, CMP_EQ);
            x64_v_rrr(e, X64_ORPS, XMM0, XMM0, XMM1);
        }
    }
    unless_clear(f, XMM0, back);
    x64_bind(e, back);
}

void bt_check_vector(struct bt_emitter *m, uint32_t v, unsigned d, bool wide)
{
    struct fp f = {.m = m, .e = &m->e, .v = v, .o = &m->r->ops[v], .d = d, .wide = wide};
    check(&f);
}

/* Of two NaNs the host takes the first operand's: they are exchanged only where it has to be, and results are looked at. */
static bool two(struct fp *f, uint32_t insn, bool commutes)
{
    struct bt_vsource b = bt_vsource(f->m, f->o->b, XMM1);
    f->begin = x64_offset(f->e);
    if (insn == X64_DIVPS || insn == X64_DIVPD) /* divided by zero it does not */
        trap_subnormal(f, f->a, f->a);
    if (commutes && !b.in_memory && !f->m->e.avx)
        x64_v_rrr_c(f->e, insn, f->d, f->a, b.reg);
    else
        bt_v_op(f->m, insn, f->d, f->a, &b);
    check(f);
    return true;
}

static bool multiply_add(const struct fp *f)
{
    if (!x64_has(f->e, X64_F_FMA))
        return false;
    unsigned b = bt_vec(f->m, f->o->b, XMM1);
    x64_v_mov(f->e, f->d, f->a);
    x64_v_rrr(f->e, PS_PD(VFMADD213), f->d, b, f->c);
    check(f);
    return true;
}

/* The host gives the second operand when both are equal, zeros too, and when one is a NaN: NaNs are looked for
 * before, zeros are right when both orders' results are put together. */
static bool minmax(const struct fp *f, bool max)
{
    struct x64_emit *e = f->e;
    unsigned back = x64_label(e), b = bt_vec(f->m, f->o->b, XMM1);
    x64_v_rrri(e, PS_PD(CMP), XMM2, f->a, b, CMP_UNORD);
    unless_clear(f, XMM2, back);
    x64_v_rrr(e, max ? PS_PD(MAX) : PS_PD(MIN), XMM2, f->a, b);
    x64_v_rrr(e, max ? PS_PD(MAX) : PS_PD(MIN), XMM1, b, f->a); /* a may be xmm0, b xmm1 */
    x64_v_rrr_c(e, max ? X64_ANDPS : X64_ORPS, f->d, XMM1, XMM2);
    x64_bind(e, back);
    return true;
}

/* Beside a NaN the host does not look at whether an operand is subnormal: NaNs are C's where that matters. */
static bool compare(const struct fp *f, unsigned predicate)
{
    unsigned b = bt_vec(f->m, f->o->b, XMM1), back = x64_label(f->e);
    if (f->m->r->flushes && f->m->r->traps && predicate == CMP_EQ) {
        x64_v_rrri(f->e, PS_PD(CMP), XMM2, f->a, b, CMP_LT);
    } else if (f->m->r->flushes && !f->m->r->traps) {
        x64_v_rrri(f->e, PS_PD(CMP), XMM2, f->a, b, CMP_UNORD);
        unless_clear(f, XMM2, back);
    }
    x64_v_rrri(f->e, PS_PD(CMP), f->d, f->a, b, predicate);
    x64_bind(f->e, back);
    return true;
}

/* roundps's mode for a rounding mode; 8 when there is none. Bit 3 would be: raises no inexact. */
static unsigned round_mode(unsigned rm)
{
    static const uint8_t mode[8] = {
        [FP_RNE] = 0, [FP_RDN] = 1, [FP_RUP] = 2, [FP_RTZ] = 3, [FP_DYN] = 4, [FP_RMM] = 8, 8, 8};
    return mode[rm];
}

/* Ties away from zero, as scalars are (bt/emit_round.c), into d: truncated, in roundps's mode, and one more when the rest is a half at
 * least. */
static void rounded_away(const struct fp *f, unsigned d, unsigned truncate)
{
    struct x64_emit *e = f->e;
    x64_v_rri(e, PS_PD(ROUND), XMM1, f->a, truncate);
    x64_v_rrr(e, PS_PD(SUB), XMM2, f->a, XMM1);
    x64_v_rrm(e, X64_ANDPS, XMM2, XMM2, lanes(f, INT64_MAX, INT32_MAX));
    x64_v_rrmi(e, PS_PD(CMP), XMM2, XMM2, lanes(f, UINT64_C(0x3fe0000000000000), 0x3f000000),
               CMP_NLT);
    x64_v_rrm(e, X64_ANDPS, XMM2, XMM2, lanes(f, UINT64_C(0x3ff0000000000000), 0x3f800000));
    x64_v_rrm(e, X64_ANDPS, XMM0, f->a, lanes(f, (uint64_t)INT64_MIN, 0x80000000));
    x64_v_rrr(e, X64_ORPS, XMM2, XMM2, XMM0);
    x64_v_rrr(e, PS_PD(ADD), d, XMM1, XMM2);
}

/* Infinities and NaNs are C's. */
static bool round_away(const struct fp *f)
{
    struct x64_emit *e = f->e;
    unsigned back = x64_label(e);
    struct x64_mem exponent = lanes(f, UINT64_C(0x7ff0000000000000), 0x7f800000);
    if (!x64_has(e, X64_F_SSE41))
        return false;
    x64_v_rrm(e, X64_ANDPS, XMM1, f->a, exponent);
    x64_v_rrm(e, f->wide ? X64_PCMPEQQ : X64_PCMPEQD, XMM1, XMM1, exponent);
    unless_clear(f, XMM1, back);
    rounded_away(f, f->d, 3 | 8);
    x64_bind(e, back);
    return true;
}

static bool round_to_integer(const struct fp *f, unsigned rm, bool exact)
{
    if (rm == FP_RMM && !exact)
        return round_away(f);
    unsigned mode = round_mode(rm);
    if (mode == 8 || !x64_has(f->e, X64_F_SSE41))
        return false;
    trap_subnormal(f, f->a, f->a);
    x64_v_rri(f->e, PS_PD(ROUND), f->d, f->a, mode | (exact ? 0 : 8));
    check(f);
    return true;
}

/* Ties away from zero; what is no number below 2^31 is C's. */
static bool to_signed_32_away(const struct fp *f)
{
    struct x64_emit *e = f->e;
    unsigned back = x64_label(e);
    if (!x64_has(e, X64_F_SSE41))
        return false;
    x64_v_rrm(e, X64_PAND, XMM1, f->a, lanes(f, 0, INT32_MAX));
    x64_v_rrm(e, X64_PADDD, XMM1, XMM1, lanes(f, 0, 0x80000000 - 0x4f000000));
    unless_clear(f, XMM1, back);
    trap_subnormal(f, f->a, f->a);
    rounded_away(f, XMM1, 3);
    x64_v_rr(e, X64_CVTTPS2DQ, f->d, XMM1);
    x64_bind(e, back);
    return true;
}

/* Out of range, and NaN, is the most negative number. */
static bool to_signed_32(const struct fp *f, unsigned rm)
{
    struct x64_emit *e = f->e;
    unsigned a = f->a, back = x64_label(e), mode = round_mode(rm);
    if (mode == 8 || (mode < 3 && !x64_has(e, X64_F_SSE41)))
        return false;
    trap_subnormal(f, a, a);
    if (mode < 3) {
        x64_v_rri(e, X64_ROUNDPS, XMM2, a, mode);
        a = XMM2;
    }
    x64_v_rr(e, rm == FP_DYN ? X64_CVTPS2DQ : X64_CVTTPS2DQ, f->d, a);
    if (f->m->r->traps)
        return true;
    x64_v_rrm(e, X64_PCMPEQD, XMM1, f->d, lanes(f, 0, 0x80000000)); /* d may be xmm2 */
    unless_clear(f, XMM1, back);
    x64_bind(e, back);
    return true;
}

static void half_to_signed_64(const struct fp *f, unsigned rm, unsigned x, unsigned away)
{
    x64_v_gr(f->e, rm == FP_RTZ ? X64_CVTTSD2SI : X64_CVTSD2SI, 8, RAX, x);
    if (f->m->r->traps)
        return;
    x64_alu_ri(f->e, X64_CMP, 8, RAX, 1);
    x64_jcc(f->e, X64_O, away);
}

static bool to_signed_64(const struct fp *f, unsigned rm)
{
    struct x64_emit *e = f->e;
    unsigned mode = round_mode(rm), a = f->a;
    if (mode == 8 || !x64_has(e, X64_F_SSE41))
        return false;
    unsigned back = x64_label(e), away = 0;
    if (!f->m->r->traps)
        away = bt_later(
            f->m, (struct bt_cold){.emit = bt_cold_vector, .back = back, .v = f->v, .x = f->d});
    trap_subnormal(f, a, a);
    if (mode < 3) { /* what is out of range is integral already */
        x64_v_rri(e, X64_ROUNDPD, XMM1, a, mode);
        a = XMM1, rm = FP_RTZ;
    }
    half_to_signed_64(f, rm, a, away);
    x64_v_gr(e, X64_MOVQ, 8, XMM2, RAX);
    x64_v_rrr(e, X64_UNPCKHPD, XMM0, a, a);
    half_to_signed_64(f, rm, XMM0, away);
    x64_pinsr(e, X64_PINSRQ, f->d, XMM2, RAX, 1);
    x64_bind(e, back);
    return true;
}

static bool from_signed_64(const struct fp *f)
{
    struct x64_emit *e = f->e;
    if (!x64_has(e, X64_F_SSE41))
        return false;
    x64_v_gr(e, X64_MOVQ_ST, 8, f->a, RAX);
    x64_v_rrr(e, X64_XORPS, XMM1, XMM1, XMM1);
    x64_v_rgr(e, X64_CVTSI2SD, 8, XMM2, XMM1, RAX);
    x64_pextr(e, X64_PEXTRQ, RAX, f->a, 1);
    x64_v_rgr(e, X64_CVTSI2SD, 8, XMM1, XMM1, RAX);
    x64_v_rrr(e, X64_UNPCKLPD, f->d, XMM2, XMM1);
    return true;
}

/* ---- with a binary point (FP_FBITS), and unsigned integers of 32 bits: by way of doubles, which hold all of them ---- */

/* 2^n, n being the number of the immediate's fraction bits or its negative, in the lanes of an f32 or an f64. */
static struct x64_mem power(const struct fp *f, int n, bool wide)
{
    uint64_t single = (uint64_t)(127 + n) << 23;
    uint64_t v = wide ? (uint64_t)(1023 + n) << 52 : single << 32 | single;
    return bt_const128(f->m, v, v);
}

/* The number is scaled behind the conversion, exactly: it is no less than 2^-64. */
static bool scaled_down(const struct fp *f, bool wide)
{
    int n = (int)FP_FBITS_OF(f->o->imm);
    if (n)
        x64_v_rrm(f->e, wide ? X64_MULPD : X64_MULPS, f->d, f->d, power(f, -n, wide));
    return true;
}

/* An unsigned integer behind the bits of 2^52 is the double of their sum; that of a zero must be a positive one in all
 * modes. */
static bool from_unsigned_32(const struct fp *f)
{
    struct x64_emit *e = f->e;
    const uint64_t magic = UINT64_C(0x4330000000000000);
    struct x64_mem upper = bt_const128(f->m, (magic >> 32) * UINT64_C(0x100000001),
                                       (magic >> 32) * UINT64_C(0x100000001));
    struct x64_mem sign = bt_const128(f->m, INT64_MAX, INT64_MAX),
                   base = bt_const128(f->m, magic, magic);
    x64_v_rrm(e, X64_PUNPCKLDQ, XMM2, f->a, upper);
    x64_v_rrm(e, X64_PUNPCKHDQ, XMM1, f->a, upper);
    for (unsigned x = XMM1; x <= XMM2; x++) {
        x64_v_rrm(e, X64_SUBPD, x, x, base);
        x64_v_rrm(e, X64_ANDPS, x, x, sign);
        x64_v_rr(e, X64_CVTPD2PS, x, x);
    }
    x64_v_rrr(e, X64_UNPCKLPD, f->d, XMM2, XMM1);
    return scaled_down(f, false);
}

/* Two lanes of a as doubles, scaled, in x. */
static void scaled_up(const struct fp *f, unsigned x, bool upper)
{
    int n = (int)FP_FBITS_OF(f->o->imm);
    if (upper)
        x64_v_rrr(f->e, X64_UNPCKHPD, x, f->a, f->a);
    x64_v_rr(f->e, X64_CVTPS2PD, x, upper ? x : f->a);
    if (n)
        x64_v_rrm(f->e, X64_MULPD, x, x, power(f, n, true));
}

static bool to_fixed_32(const struct fp *f)
{
    struct x64_emit *e = f->e;
    unsigned back = x64_label(e);
    scaled_up(f, XMM1, true);
    x64_v_rr(e, X64_CVTTPD2DQ, XMM1, XMM1);
    scaled_up(f, XMM2, false);
    x64_v_rr(e, X64_CVTTPD2DQ, XMM2, XMM2);
    x64_v_rrr(e, X64_UNPCKLPD, f->d, XMM2, XMM1);
    if (f->m->r->traps)
        return true;
    x64_v_rrm(e, X64_PCMPEQD, XMM0, f->d, lanes(f, 0, 0x80000000));
    unless_clear(f, XMM0, back);
    x64_bind(e, back);
    return true;
}

/* Both lanes of x as integers of 32 bits in rax; to C, before any flag is raised that should not be, when one does not fit.
 * What is 2^32 or more has no fraction. */
static void half_to_unsigned_32(const struct fp *f, unsigned x, unsigned away)
{
    struct x64_emit *e = f->e;
    x64_v_gr(e, X64_CVTTSD2SI, 8, RCX, x);
    x64_v_rrr(e, X64_UNPCKHPD, x, x, x);
    x64_v_gr(e, X64_CVTTSD2SI, 8, RAX, x);
    x64_mov_rr(e, 8, RDX, RAX);
    x64_alu_rr(e, X64_OR, 8, RDX, RCX);
    x64_shift_ri(e, X64_SHR, 8, RDX, 32);
    x64_jcc(e, X64_NE, away);
    x64_shift_ri(e, X64_SHL, 8, RAX, 32);
    x64_alu_rr(e, X64_OR, 8, RAX, RCX);
}

static bool to_unsigned_32(const struct fp *f)
{
    struct x64_emit *e = f->e;
    unsigned back = x64_label(e);
    unsigned away = bt_later(
        f->m, (struct bt_cold){.emit = bt_cold_vector, .back = back, .v = f->v, .x = f->d});
    /* Negative numbers, -0 among them, are C's. */
    x64_v_gr(e, X64_MOVMSKPS, 4, RAX, f->a);
    x64_test_rr(e, 4, RAX, RAX);
    x64_jcc(e, X64_NE, away);
    scaled_up(f, XMM1, true);
    half_to_unsigned_32(f, XMM1, away);
    x64_v_gr(e, X64_MOVQ, 8, XMM1, RAX);
    scaled_up(f, XMM2, false);
    half_to_unsigned_32(f, XMM2, away);
    x64_v_gr(e, X64_MOVQ, 8, XMM2, RAX);
    x64_v_rrr(e, X64_UNPCKLPD, f->d, XMM2, XMM1);
    x64_bind(e, back);
    return true;
}

static bool emit(struct fp *f)
{
    const struct bt_op *o = f->o;
    unsigned rm = bt_rounding(o);
    bool dynamic = rm == FP_DYN;
    unsigned fixed = (unsigned)o->imm & FP_RM_MASK; /* whatever the number of fraction bits */
    switch (o->op) {
    case UOP_vfadd_f32:
    case UOP_vfadd_f64:
        return dynamic && two(f, PS_PD(ADD), true);
    case UOP_vfsub_f32:
    case UOP_vfsub_f64:
        return dynamic && two(f, PS_PD(SUB), false);
    case UOP_vfmul_f32:
    case UOP_vfmul_f64:
        return dynamic && two(f, PS_PD(MUL), true);
    case UOP_vfdiv_f32:
    case UOP_vfdiv_f64:
        return dynamic && two(f, PS_PD(DIV), false);
    case UOP_vfsqrt_f32:
    case UOP_vfsqrt_f64:
        if (!dynamic)
            return false;
        trap_subnormal(f, f->a, f->a);
        x64_v_rr(f->e, PS_PD(SQRT), f->d, f->a);
        check(f);
        return true;
    case UOP_vffma_f32:
    case UOP_vffma_f64:
        return dynamic && multiply_add(f);
    case UOP_vfmin_f32:
    case UOP_vfmin_f64:
    case UOP_vfminimum_f32:
    case UOP_vfminimum_f64:
        return minmax(f, false);
    case UOP_vfmax_f32:
    case UOP_vfmax_f64:
    case UOP_vfmaximum_f32:
    case UOP_vfmaximum_f64:
        return minmax(f, true);
    case UOP_vfeq_f32:
    case UOP_vfeq_f64:
        return compare(f, CMP_EQ);
    case UOP_vflt_f32:
    case UOP_vflt_f64:
        return compare(f, CMP_LT);
    case UOP_vfle_f32:
    case UOP_vfle_f64:
        return compare(f, CMP_LE);
    case UOP_vfround_f32:
    case UOP_vfround_f64:
        return round_to_integer(f, rm, false);
    case UOP_vfroundx_f32:
    case UOP_vfroundx_f64:
        return round_to_integer(f, rm, true);
    case UOP_vcvt_f32_s:
        return fixed == FP_RTZ && FP_FBITS_OF(o->imm) ? to_fixed_32(f)
               : rm == FP_RMM                         ? to_signed_32_away(f)
                                                      : to_signed_32(f, rm);
    case UOP_vcvt_f32_u:
        return fixed == FP_RTZ && to_unsigned_32(f);
    case UOP_vcvt_f64_s:
        return to_signed_64(f, rm);
    case UOP_vcvt_s_f32:
        if (fixed != FP_DYN)
            return false;
        x64_v_rr(f->e, X64_CVTDQ2PS, f->d, f->a);
        return scaled_down(f, false);
    case UOP_vcvt_u_f32:
        return fixed == FP_DYN && from_unsigned_32(f);
    case UOP_vcvt_s_f64:
        return fixed == FP_DYN && from_signed_64(f) && scaled_down(f, true);
    case UOP_vcvt_f32_f64:
        x64_v_rr(f->e, X64_CVTPS2PD, f->d, f->a);
        f->wide = true;
        check(f);
        return true;
    case UOP_vcvt_f64_f32:
        if (!dynamic)
            return false;
        x64_v_rr(f->e, X64_CVTPD2PS, f->d, f->a);
        f->wide = false;
        check(f);
        return true;
    default:
        return false;
    }
}

/* Rows whose operands have lanes of 64 bits. */
static bool is_wide(uint16_t op)
{
    switch (op) {
#define WIDE_8 false
#define WIDE_16 false
#define WIDE_32 false
#define WIDE_64 true
#define UOP_VF1(name, scalar, S, D) \
    case UOP_##name:                \
        return WIDE_##S;
#define UOP_VF2(name, scalar, S, D) UOP_VF1(name, scalar, S, D)
#define UOP_VF3(name, scalar, S, D) UOP_VF1(name, scalar, S, D)
#define UOP_VFC(name, scalar, S) UOP_VF1(name, scalar, S, S)
#include "uop/uop_all.h"
    default:
        return false;
    }
}

bool bt_emit_vector_float(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    const struct uop_info *info = &uop_info[o->op];
    if (info->flags & UOP_F_RM && !(o->imm & FP_ENV))
        return false; /* the checks are FP_ENV's */
    struct fp f = {.m = m, .e = &m->e, .v = v, .o = o, .wide = is_wide(o->op)};
    f.a = bt_vec(m, o->a, XMM0);
    if (info->c == UOP_K_V)
        f.c = bt_vec(m, o->c, XMM3);
    f.d = bt_xdst(m, v, bt_keeps_xmm(m->r, o) ? XMM1 : XMM2);
    f.begin = x64_offset(&m->e);
    if (!emit(&f))
        return bt_emit_estimate(m, v) || bt_emit_half(m, v);
    bt_trap(m, f.begin, v, CC_TRAP_VECTOR, f.d);
    bt_xdone(m, v, f.d);
    return true;
}

/* Emission of half precision (f16): in single precision, by F16C, and rounded once more.
 *
 * Rounding twice is harmless: an f32 has more than twice the digits of an f16 and two more, which is enough for sums, products,
 * quotients and roots (S. Figueroa, "When is double rounding innocuous?", SIGNUM Newsletter 30, 1995); the product of two is exact.
 * Not for fused multiply-adds: their sum is looked at for what lies in the middle between two f16. The flags are those that both roundings
 * raise. Tiny results of sums are exact, as with the wider formats; the least normal number is looked for where it may have been
 * rounded up to. Vectors of eight are computed in 256 bits, whose upper halves are cleared behind it: C and some of the host's
 * instructions would mind.
 *
 * Where the environment has rules for f16 (FP_FZ16, FP_AHP) everything is C's (bt_region.soft_halves).
 *
 * Conventions as in bt/emit_vecfloat.c.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"
#include <string.h>

enum { CMP_EQ = 0, CMP_LT = 1, CMP_LE = 2 };

struct half {
    struct bt_emitter *m;
    struct x64_emit *e;
    uint32_t v;
    const struct bt_op *o;
    bool scalar;
    unsigned a, b, c, d;
    unsigned wide; /* X64_L256 for vectors of eight */
    bool upper;    /* something is in upper halves */
    unsigned back;
};

/* The form for one or for all. */
#define FORM(name) (s->scalar ? X64_##name##SS : X64_##name##PS | s->wide)

static struct x64_mem words(struct half *s, uint64_t v)
{
    v *= UINT64_C(0x0001000100010001);
    return bt_const128(s->m, v, v);
}

/* v in each of eight lanes of 32 bits. */
static struct x64_mem eight(struct half *s, uint32_t v)
{
    uint8_t t[32];
    for (unsigned i = 0; i < 8; i++)
        memcpy(t + 4 * i, &v, 4);
    return bt_table(s->m, t, sizeof t);
}

static void away(struct half *s, enum x64_cc cc)
{
    x64_jcc(s->e, cc,
            bt_later(s->m, (struct bt_cold){.emit = s->scalar ? bt_cold_call : bt_cold_vector,
                                            .back = s->back,
                                            .v = s->v,
                                            .x = s->d}));
}

/* To C when a byte of x has its sign set. */
static void unless_clear(struct half *s, unsigned x)
{
    x64_v_gr(s->e, X64_PMOVMSKB, 4, RAX, x);
    x64_test_rr(s->e, 4, RAX, RAX);
    away(s, X64_NE);
}

static void single(struct half *s, unsigned d, unsigned a)
{
    x64_v_rr(s->e, X64_CVTPH2PS | s->wide, d, a);
    s->upper |= s->wide != 0;
}

/* The f16 of x in d, rounded as MXCSR has it. */
static void narrow(struct half *s, unsigned d, unsigned x)
{
    x64_v_rri(s->e, X64_CVTPS2PH | s->wide, x, d, 4);
}

/* To C when there is in d a NaN for which FP_ENV may ask otherwise, or the least normal number, if it may be a tinier one's. */
static void check(struct half *s)
{
    struct x64_emit *e = s->e;
    bool nan = bt_minds_nan(s->m->r, s->o), least = bt_rounds_up(s->m->r, s->o);
    if (s->scalar && (nan || least)) {
        x64_v_gr(e, X64_MOVD_ST, 4, s->d, RAX);
        x64_alu_ri(e, X64_AND, 4, RAX, 0x7fff);
        if (nan) {
            x64_alu_ri(e, X64_CMP, 4, RAX, 0x7c00);
            away(s, X64_A);
        }
        if (least) {
            x64_alu_ri(e, X64_CMP, 4, RAX, 0x0400);
            away(s, X64_E);
        }
    } else if (nan || least) {
        unsigned found = nan ? XMM1 : XMM0;
        x64_v_rrm(e, X64_PAND, XMM0, s->d, words(s, 0x7fff));
        if (nan)
            x64_v_rrm(e, X64_PCMPGTW, XMM1, XMM0, words(s, 0x7c00));
        if (least)
            x64_v_rrm(e, X64_PCMPEQW, XMM0, XMM0, words(s, 0x0400));
        if (nan && least)
            x64_v_rrr(e, X64_POR, XMM1, XMM1, XMM0);
        unless_clear(s, found);
    }
}

static bool two(struct half *s, unsigned insn)
{
    single(s, XMM2, s->a);
    single(s, XMM3, s->b);
    x64_v_rrr(s->e, insn, XMM2, XMM2, XMM3);
    narrow(s, s->d, XMM2);
    check(s);
    return true;
}

static bool root(struct half *s)
{
    single(s, XMM2, s->a);
    if (s->scalar)
        x64_v_rrr(s->e, X64_SQRTSS, XMM2, XMM2, XMM2);
    else
        x64_v_rr(s->e, X64_SQRTPS | s->wide, XMM2, XMM2);
    narrow(s, s->d, XMM2);
    check(s);
    return true;
}

/* The sum of the exact product, rounded to 24 digits, decides unless it is in the middle between two f16, or of a magnitude from
 * 2^-14 down, where the middle has more digits: these are C's, but for zeros. */
static bool fused(struct half *s)
{
    struct x64_emit *e = s->e;
    single(s, XMM2, s->a); /* which may have been in xmm0 */
    single(s, XMM0, s->b);
    x64_v_rrr(e, FORM(MUL), XMM2, XMM2, XMM0);
    single(s, XMM3, s->c);
    x64_v_rrr(e, FORM(ADD), XMM2, XMM2, XMM3);
    if (s->scalar) {
        x64_v_gr(e, X64_MOVD_ST, 4, XMM2, RAX);
        x64_mov_rr(e, 4, RCX, RAX);
        x64_shift_ri(e, X64_SHL, 4, RCX, 19);
        x64_alu_ri(e, X64_CMP, 4, RCX, INT32_MIN);
        away(s, X64_E);
        x64_alu_rr(e, X64_ADD, 4, RAX, RAX);
        x64_alu_ri(e, X64_SUB, 4, RAX, 1);
        x64_alu_ri(e, X64_CMP, 4, RAX, 0x70ffffff);
        away(s, X64_BE);
    } else {
        /* Twice the sum less one, in signed order. */
        x64_v_rrr(e, X64_PADDD | s->wide, XMM0, XMM2, XMM2);
        x64_v_rrm(e, X64_PADDD | s->wide, XMM0, XMM0, eight(s, 0x7fffffff));
        x64_v_rrm(e, X64_PCMPGTD | s->wide, XMM0, XMM0, eight(s, 0xf0ffffff));
        x64_v_shift(e, X64_PSLLD_I8 | s->wide, XMM1, XMM2, 19);
        x64_v_rrm(e, X64_PCMPEQD | s->wide, XMM1, XMM1, eight(s, 0x80000000));
        x64_v_rrr(e, X64_PANDN | s->wide, XMM0, XMM1, XMM0);
        x64_v_gr(e, X64_MOVMSKPS | s->wide, 4, RAX, XMM0);
        x64_alu_ri(e, X64_CMP, 4, RAX, 0xff);
        away(s, X64_NE);
    }
    narrow(s, s->d, XMM2);
    check(s);
    return true;
}

/* Products of halves added to singles: four lanes, or one. */
static bool fused_wide(struct half *s)
{
    struct x64_emit *e = s->e;
    if (!x64_has(e, X64_F_FMA))
        return false;
    x64_v_rr(e, X64_CVTPH2PS, XMM0, s->a);
    x64_v_rr(e, X64_CVTPH2PS, XMM1, s->b);
    x64_v_rrr(e, X64_VFMADD213PS, XMM0, XMM1, s->c);
    x64_v_mov(e, s->d, XMM0);
    bt_check_vector(s->m, s->v, s->d, false);
    return true;
}

/* Ones are a NaN in singles, and ones in halves. */
static bool compare(struct half *s, unsigned predicate)
{
    single(s, XMM2, s->a);
    single(s, XMM3, s->b);
    x64_v_rrri(s->e, X64_CMPPS | s->wide, XMM2, XMM2, XMM3, predicate);
    narrow(s, s->d, XMM2);
    return true;
}

/* Magnitudes of negative numbers count downwards; the same again gives them back. */
static void in_order(struct half *s, unsigned d, unsigned a, unsigned scratch)
{
    x64_v_shift(s->e, X64_PSRAW_I8, scratch, a, 15);
    x64_v_rrm(s->e, X64_PAND, scratch, scratch, words(s, 0x7fff));
    x64_v_rrr(s->e, X64_PXOR, d, a, scratch);
}

/* As integers, where no operand is a NaN. */
static bool minmax(struct half *s, unsigned insn)
{
    struct x64_emit *e = s->e;
    x64_v_rrm(e, X64_PAND, XMM2, s->a, words(s, 0x7fff));
    x64_v_rrm(e, X64_PAND, XMM3, s->b, words(s, 0x7fff));
    x64_v_rrr(e, X64_PMAXSW, XMM2, XMM2, XMM3);
    x64_v_rrm(e, X64_PCMPGTW, XMM2, XMM2, words(s, 0x7c00));
    unless_clear(s, XMM2);
    in_order(s, XMM2, s->a, XMM3);
    in_order(s, XMM1, s->b, XMM3);
    x64_v_rrr(e, insn, XMM2, XMM2, XMM1);
    in_order(s, s->d, XMM2, XMM3);
    return true;
}

/* roundps's mode for a rounding mode; 8 when there is none. */
static unsigned round_mode(struct half *s)
{
    static const uint8_t mode[8] = {
        [FP_RNE] = 0, [FP_RDN] = 1, [FP_RUP] = 2, [FP_RTZ] = 3, [FP_DYN] = 4, [FP_RMM] = 8, 8, 8};
    return mode[bt_rounding(s->o)];
}

static bool round_to_integral(struct half *s, bool exact)
{
    unsigned mode = round_mode(s);
    if (mode == 8)
        return false;
    single(s, XMM2, s->a);
    if (s->scalar)
        x64_v_rrri(s->e, X64_ROUNDSS, XMM2, XMM2, XMM2, mode | (exact ? 0 : 8));
    else
        x64_v_rri(s->e, X64_ROUNDPS | s->wide, XMM2, XMM2, mode | (exact ? 0 : 8));
    narrow(s, s->d, XMM2);
    check(s);
    return true;
}

/* To integers of 16 bits: what does not fit, NaNs and, without sign, negative numbers are C's. What is large is integral. */
static bool to_integer(struct half *s, bool is_signed)
{
    struct x64_emit *e = s->e;
    unsigned mode = round_mode(s);
    if (mode == 8)
        return false;
    if (is_signed) {
        x64_v_rrm(e, X64_PAND, XMM1, s->a, words(s, 0x7fff));
        x64_v_rrm(e, X64_PCMPGTW, XMM1, XMM1, words(s, 0x77ff));
    } else {
        x64_v_rrm(e, X64_PCMPGTW, XMM1, s->a, words(s, 0x7bff));
        x64_v_shift(e, X64_PSRAW_I8, XMM2, s->a, 15);
        x64_v_rrr(e, X64_POR, XMM1, XMM1, XMM2);
    }
    unless_clear(s, XMM1);
    x64_v_rri(e, X64_PSHUFD, XMM3, s->a, 0xee);
    x64_v_rr(e, X64_CVTPH2PS, XMM2, s->a);
    x64_v_rr(e, X64_CVTPH2PS, XMM3, XMM3);
    for (unsigned x = XMM2; x <= XMM3; x++) {
        if (mode < 3)
            x64_v_rri(e, X64_ROUNDPS, x, x, mode);
        x64_v_rr(e, mode == 4 ? X64_CVTPS2DQ : X64_CVTTPS2DQ, x, x);
    }
    x64_v_rrr(e, is_signed ? X64_PACKSSDW : X64_PACKUSDW, s->d, XMM2, XMM3);
    return true;
}

/* Exact as singles. */
static bool from_integer(struct half *s, bool is_signed)
{
    struct x64_emit *e = s->e;
    if (bt_rounding(s->o) != FP_DYN)
        return false;
    x64_v_rri(e, X64_PSHUFD, XMM3, s->a, 0xee);
    x64_v_rr(e, is_signed ? X64_PMOVSXWD : X64_PMOVZXWD, XMM2, s->a);
    x64_v_rr(e, is_signed ? X64_PMOVSXWD : X64_PMOVZXWD, XMM3, XMM3);
    for (unsigned x = XMM2; x <= XMM3; x++) {
        x64_v_rr(e, X64_CVTDQ2PS, x, x);
        x64_v_rri(e, X64_CVTPS2PH, x, x, 4);
    }
    x64_v_rrr(e, X64_PUNPCKLQDQ, s->d, XMM2, XMM3);
    return true;
}

/* ---- conversions between formats ---- */

static bool widen(struct half *s)
{
    x64_v_rr(s->e, X64_CVTPH2PS, s->d, s->a);
    if (s->scalar)
        bt_check_env(s->m, s->v, s->d, true);
    else
        bt_check_vector(s->m, s->v, s->d, false);
    return true;
}

static bool widen_to_double(struct half *s)
{
    x64_v_rr(s->e, X64_CVTPH2PS, XMM1, s->a);
    x64_v_rrr(s->e, X64_CVTSS2SD, s->d, XMM1, XMM1);
    bt_check_env(s->m, s->v, s->d, false);
    return true;
}

/* What is above a scalar may be anything. */
static bool from_single(struct half *s)
{
    unsigned a = s->a;
    if (s->scalar && bt_above(s->m, s->o->a) > 32) {
        x64_v_rrri(s->e, X64_INSERTPS, XMM2, a, a, 0x0e);
        a = XMM2;
    }
    x64_v_rri(s->e, X64_CVTPS2PH, a, s->d, 4);
    check(s);
    return true;
}

/* By way of a single that is rounded to odd: its last bit says whether anything was below it. */
static bool from_double(struct half *s)
{
    struct x64_emit *e = s->e;
    enum { BELOW = (1 << 29) - 1 };
    x64_v_gr(e, X64_MOVQ_ST, 8, s->a, RAX);
    x64_mov_rr(e, 4, RCX, RAX);
    x64_alu_ri(e, X64_AND, 4, RCX, BELOW);
    x64_alu_ri(e, X64_ADD, 4, RCX, BELOW);
    x64_alu_rr(e, X64_OR, 8, RAX, RCX);
    x64_alu_ri(e, X64_AND, 8, RAX, ~BELOW);
    x64_v_gr(e, X64_MOVQ, 8, XMM1, RAX);
    x64_v_rrr(e, X64_XORPS, XMM2, XMM2, XMM2);
    x64_v_rrr(e, X64_CVTSD2SS, XMM2, XMM2, XMM1);
    x64_v_rri(e, X64_CVTPS2PH, XMM2, s->d, 4);
    check(s);
    return true;
}

/* ---- the rows ---- */

static bool emit(struct half *s)
{
    bool dynamic = bt_rounding(s->o) == FP_DYN;
    switch (s->o->op) {
    case UOP_fadd_f16:
    case UOP_vfadd_f16:
        return dynamic && two(s, FORM(ADD));
    case UOP_fsub_f16:
    case UOP_vfsub_f16:
        return dynamic && two(s, FORM(SUB));
    case UOP_fmul_f16:
    case UOP_vfmul_f16:
        return dynamic && two(s, FORM(MUL));
    case UOP_fdiv_f16:
    case UOP_vfdiv_f16:
        return dynamic && two(s, FORM(DIV));
    case UOP_fsqrt_f16:
    case UOP_vfsqrt_f16:
        return dynamic && root(s);
    case UOP_ffma_f16:
    case UOP_vffma_f16:
        return dynamic && fused(s);
    case UOP_vffmah:
        return dynamic && fused_wide(s);
    case UOP_vfmin_f16:
    case UOP_vfminimum_f16:
        return minmax(s, X64_PMINSW);
    case UOP_vfmax_f16:
    case UOP_vfmaximum_f16:
        return minmax(s, X64_PMAXSW);
    case UOP_vfeq_f16:
        return compare(s, CMP_EQ);
    case UOP_vflt_f16:
        return compare(s, CMP_LT);
    case UOP_vfle_f16:
        return compare(s, CMP_LE);
    case UOP_fround_f16:
    case UOP_vfround_f16:
        return round_to_integral(s, false);
    case UOP_froundx_f16:
    case UOP_vfroundx_f16:
        return round_to_integral(s, true);
    case UOP_vcvt_f16_s:
        return to_integer(s, true);
    case UOP_vcvt_f16_u:
        return to_integer(s, false);
    case UOP_vcvt_s_f16:
        return from_integer(s, true);
    case UOP_vcvt_u_f16:
        return from_integer(s, false);
    case UOP_cvt_f16_f32:
    case UOP_vcvt_f16_f32:
        return widen(s);
    case UOP_cvt_f32_f16:
    case UOP_vcvt_f32_f16:
        return dynamic && from_single(s);
    case UOP_cvt_f16_f64:
        return widen_to_double(s);
    case UOP_cvt_f64_f16: /* a tiny single is none that FTZ may make a zero */
        return dynamic && !s->m->r->flushes && from_double(s);
    default:
        return false;
    }
}

bool bt_emit_half(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    const struct uop_info *info = &uop_info[o->op];
    bool scalar = !(info->flags & UOP_F_VECTOR);
    if (m->r->soft_halves || !x64_has(&m->e, X64_F_F16C) ||
        (info->flags & UOP_F_RM && !(o->imm & FP_ENV)) || (!scalar && !x64_has(&m->e, X64_F_AVX2)))
        return false;
    struct half s = {.m = m, .e = &m->e, .v = v, .o = o, .scalar = scalar};
    s.wide = scalar ? 0 : X64_L256;
    s.back = x64_label(&m->e);
    s.a = scalar ? bt_xmm(m, o->a, XMM0) : bt_vec(m, o->a, XMM0);
    if (info->b)
        s.b = scalar ? bt_xmm(m, o->b, XMM1) : bt_vec(m, o->b, XMM1);
    if (info->c)
        s.c = scalar ? bt_xmm(m, o->c, XMM3) : bt_vec(m, o->c, XMM3);
    s.d = bt_xdst(m, v, scalar ? XMM0 : XMM2); /* as the checks want it */
    uint32_t begin = x64_offset(&m->e);
    if (!emit(&s))
        return false;
    bt_trap(m, begin, v, scalar ? CC_TRAP_SCALAR : CC_TRAP_VECTOR, s.d);
    x64_bind(&m->e, s.back);
    if (s.upper)
        x64_none(&m->e, X64_VZEROUPPER);
    m->above[v] = 0;
    bt_xdone(m, v, s.d);
    return true;
}

/* Emission of conversions of scalars between floats and integers.
 *
 * Each gives what the micro-op demands where the host's instruction does, under the guest's MXCSR. What may be out of range, where
 * the host's flags would be others than asked for, is compared with the range before; C does it then.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

/* The conversion being emitted. */
struct conv {
    struct bt_emitter *m;
    struct x64_emit *e;
    uint32_t v;
    const struct bt_op *o;
    unsigned rm, fbits;  /* of the immediate */
    bool s, is_unsigned; /* the float is an f32; the integer has no sign */
    unsigned size;       /* bytes of the integer */
};

/* The bits of 2^n. */
static uint64_t power(const struct conv *c, int n)
{
    return c->s ? (uint64_t)(127 + n) << 23 : (uint64_t)(1023 + n) << 52;
}

/* Out of range or NaN: x86 has given the most negative number and raised invalid. v is the operation, x the
 * register of the source and the width. */
static void cold_saturate(struct bt_emitter *m, const struct bt_cold *c)
{
    struct x64_emit *e = &m->e;
    unsigned src = c->x & 31, size = c->x >> 8;
    bool s = c->x >> 5 & 1;
    unsigned keep = x64_label(e);
    /* Positive or NaN: the largest. Negative, the most negative number itself included: as it is. Looking at the
     * sign bit raises nothing. */
    unsigned largest = x64_label(e);
    x64_v_gr(e, s ? X64_MOVD_ST : X64_MOVQ_ST, s ? 4 : 8, src, RCX);
    x64_mov_rr(e, 8, RDX, RCX);
    x64_shift_ri(e, X64_SHL, s ? 4 : 8, RDX, 1);
    if (s) {
        x64_alu_ri(e, X64_CMP, 4, RDX, (int32_t)0xff000000u);
    } else {
        x64_push(e, RAX);
        x64_mov_ri(e, RAX, UINT64_C(0xffe0000000000000));
        x64_alu_rr(e, X64_CMP, 8, RDX, RAX);
        x64_pop(e, RAX);
    }
    x64_jcc(e, X64_A, largest);
    x64_test_rr(e, s ? 4 : 8, RCX, RCX);
    x64_jcc(e, X64_S, keep);
    x64_bind(e, largest);
    x64_mov_ri(e, RAX, size == 4 ? UINT64_C(0x7fffffff) : UINT64_C(0x7fffffffffffffff));
    x64_bind(e, keep);
    x64_jmp(e, c->back);
}

/* Times 2^n: exact, as what might overflow has been sorted out. */
static void scale(const struct conv *c, unsigned d, unsigned a, int n)
{
    x64_v_rrm(c->e, c->s ? X64_MULSS : X64_MULSD, d, a, bt_const128(c->m, power(c, n), 0));
}

/* Ties away from zero, into xmm1: truncated, which raises inexact, and one more when the rest is a half at least. */
static void round_away(const struct conv *c, unsigned a)
{
    struct x64_emit *e = c->e;
    uint64_t sign = c->s ? 0x80000000 : (uint64_t)INT64_MIN;
    x64_v_rrri(e, c->s ? X64_ROUNDSS : X64_ROUNDSD, XMM1, a, a, 3);
    x64_v_rrr(e, c->s ? X64_SUBSS : X64_SUBSD, XMM2, a, XMM1);
    x64_v_rrm(e, X64_ANDPS, XMM2, XMM2, bt_const128(c->m, sign - 1, 0));
    x64_v_rrmi(e, c->s ? X64_CMPSS : X64_CMPSD, XMM2, XMM2, bt_const128(c->m, power(c, -1), 0),
               5 /* not less */);
    x64_v_rrm(e, X64_ANDPS, XMM2, XMM2, bt_const128(c->m, power(c, 0), 0));
    x64_v_rrm(e, X64_ANDPS, XMM0, a, bt_const128(c->m, sign, 0));
    x64_v_rrr(e, X64_ORPS, XMM2, XMM2, XMM0);
    x64_v_rrr(e, c->s ? X64_ADDSS : X64_ADDSD, XMM1, XMM1, XMM2);
}

/* The register with a rounded as the immediate says, where the conversion itself does not. */
static unsigned rounded(const struct conv *c, unsigned a)
{
    static const uint8_t mode[] = {[FP_RNE] = 0, [FP_RDN] = 1, [FP_RUP] = 2};
    if (c->rm == FP_RTZ || c->rm == FP_DYN)
        return a;
    if (c->rm == FP_RMM)
        round_away(c, a);
    else
        x64_v_rrri(c->e, c->s ? X64_ROUNDSS : X64_ROUNDSD, XMM1, a, a, mode[c->rm]);
    return XMM1;
}

/* The host's conversion into rax, of what is integral if need be. */
static void host_convert(const struct conv *c, unsigned size, unsigned a)
{
    unsigned op = c->rm == FP_DYN ? (c->s ? X64_CVTSS2SI : X64_CVTSD2SI)
                                  : (c->s ? X64_CVTTSS2SI : X64_CVTTSD2SI);
    x64_v_gr(c->e, op, size, RAX, a);
}

/* The result, from rax. */
static void integer_done(const struct conv *c)
{
    if (c->size == 4 && !c->is_unsigned)
        x64_rr(c->e, X64_MOVSXD, 8, RAX, RAX);
    bt_done(c->m, c->v, RAX);
}

/* What is out of range the host finds; if it was rounded before, it was integral already. */
static void to_signed(const struct conv *c)
{
    struct bt_emitter *m = c->m;
    struct x64_emit *e = c->e;
    unsigned a = bt_xmm(m, c->o->a, XMM0), back = x64_label(e);
    uint32_t begin = x64_offset(e);
    bt_trap_subnormal(m, a, a, c->s);
    a = rounded(c, a);
    host_convert(c, c->size, a);
    bt_trap(m, begin, c->v, CC_TRAP_GPR, RAX);
    if (!m->r->traps) {
        struct bt_cold by_c = {.emit = bt_cold_call, .back = back, .v = c->v, .x = X64_NO_REG};
        struct bt_cold saturate = {
            .emit = cold_saturate, .back = back, .x = a | (uint32_t)c->s << 5 | c->size << 8};
        x64_alu_ri(e, X64_CMP, c->size, RAX, 1); /* the most negative number less one overflows */
        x64_jcc(e, X64_O, bt_later(m, c->o->imm & FP_ENV ? by_c : saturate));
    }
    x64_bind(e, back);
    integer_done(c);
}

/* The bits of the least number that is not to be converted by the host: magnitudes where there is a sign; what has none is converted
 * as 64 bits with one, if it is not negative. Doubles have fractions where integers of 32 bits end, and may be rounded up. */
static uint64_t limit(const struct conv *c)
{
    int bits = 8 * (int)c->size, fbits = (int)c->fbits;
    if (!c->s && c->size == 4 && !fbits)
        return c->is_unsigned ? UINT64_C(0x41efffffffe00001) : UINT64_C(0x41dfffffffc00000);
    return power(c, (bits == 64 || !c->is_unsigned ? bits - 1 : bits) - fbits);
}

static void to_integer_in_range(const struct conv *c)
{
    struct bt_emitter *m = c->m;
    struct x64_emit *e = c->e;
    unsigned a = bt_xmm(m, c->o->a, XMM0), back = x64_label(e), bytes = c->s ? 4 : 8;
    uint32_t begin = x64_offset(e);
    x64_v_gr(e, c->s ? X64_MOVD_ST : X64_MOVQ_ST, bytes, a, RAX);
    if (!c->is_unsigned)
        x64_alu_rr(e, X64_ADD, bytes, RAX, RAX);
    x64_mov_ri(e, RCX, limit(c) << !c->is_unsigned);
    x64_alu_rr(e, X64_CMP, bytes, RAX, RCX);
    x64_jcc(e, X64_AE,
            bt_later(m, (struct bt_cold){
                            .emit = bt_cold_call, .back = back, .v = c->v, .x = X64_NO_REG}));
    bt_trap_subnormal(m, a, a, c->s);
    if (c->fbits) {
        scale(c, XMM1, a, (int)c->fbits);
        a = XMM1;
    }
    host_convert(c, c->is_unsigned ? 8 : c->size, rounded(c, a));
    bt_trap(m, begin, c->v, CC_TRAP_GPR, RAX); /* something subnormal */
    x64_bind(e, back);
    integer_done(c);
}

static bool to_integer(const struct conv *c)
{
    bool rounds = c->rm != FP_RTZ && c->rm != FP_DYN;
    if (c->rm > FP_RMM && rounds)
        return false;
    if (rounds && !x64_has(c->e, X64_F_SSE41))
        return false;
    if (!c->is_unsigned && !c->fbits && c->rm != FP_RMM && (!rounds || c->s || c->size == 8))
        to_signed(c);
    else
        to_integer_in_range(c);
    return true;
}

/* The double in register x is 2^31 or more, its bits but the sign, doubled, in rax; or a NaN. The integer is still one of
 * 64 bits in most cases. What is raised is invalid, and not inexact. */
static void cold_modulo(struct bt_emitter *m, const struct bt_cold *c)
{
    struct x64_emit *e = &m->e;
    unsigned call = x64_label(e);
    x64_mov_ri(e, RCX, UINT64_C(0x43e0000000000000) << 1);
    x64_alu_rr(e, X64_CMP, 8, RAX, RCX);
    x64_jcc(e, X64_AE, call);
    x64_m(e, X64_STMXCSR, 4, X64_CPU(exit_arg));
    x64_mov_rm(e, 4, RAX, X64_CPU(exit_arg));
    x64_test_ri(e, 4, RAX, 1);
    x64_jcc(e, X64_E, call);
    x64_v_rrri(e, X64_ROUNDSD, XMM1, c->x, c->x, 3 | 8);
    x64_v_gr(e, X64_CVTTSD2SI, 8, RAX, XMM1);
    x64_jmp(e, c->back);
    x64_bind(e, call);
    bt_call_value(m, c->v);
    x64_jmp(e, c->back);
}

static bool to_modulo(const struct conv *c)
{
    struct x64_emit *e = c->e;
    if (!x64_has(e, X64_F_SSE41))
        return false;
    unsigned a = bt_xmm(c->m, c->o->a, XMM0), back = x64_label(e);
    x64_v_gr(e, X64_MOVQ_ST, 8, a, RAX);
    x64_alu_rr(e, X64_ADD, 8, RAX, RAX);
    x64_mov_ri(e, RCX, power(c, 31) << 1);
    x64_alu_rr(e, X64_CMP, 8, RAX, RCX);
    x64_jcc(e, X64_AE,
            bt_later(c->m, (struct bt_cold){.emit = cold_modulo, .back = back, .v = c->v, .x = a}));
    uint32_t begin = x64_offset(e);
    bt_trap_subnormal(c->m, a, a, false);
    x64_v_gr(e, X64_CVTTSD2SI, 4, RAX, a);
    bt_trap_flushing(c->m, begin, c->v, CC_TRAP_GPR, RAX);
    x64_bind(e, back);
    integer_done(c);
    return true;
}

/* Integers of 32 bits are doubles, in every mode. */
static bool from_integer(const struct conv *c)
{
    struct bt_emitter *m = c->m;
    struct x64_emit *e = c->e;
    if (!c->s && c->size == 4 ? c->rm == FP_ODD : c->rm != FP_DYN)
        return false;
    unsigned d = bt_xdst(m, c->v, XMM0), back = x64_label(e), size = c->size, a;
    if (c->is_unsigned && size == 4) {
        x64_mov_rr(e, 4, RAX, bt_gpr(m, c->o->a, RAX));
        a = RAX, size = 8;
    } else {
        a = bt_gpr(m, c->o->a, RAX);
    }
    if (c->is_unsigned && c->size == 8) {
        x64_test_rr(e, 8, a, a);
        x64_jcc(
            e, X64_S,
            bt_later(m, (struct bt_cold){.emit = bt_cold_call, .back = back, .v = c->v, .x = d}));
    }
    /* The upper part of the result comes from the second operand: a zero breaks the dependency. */
    x64_v_rrr(e, X64_XORPS, XMM1, XMM1, XMM1);
    uint32_t begin = x64_offset(e);
    x64_v_rgr(e, c->s ? X64_CVTSI2SS : X64_CVTSI2SD, size, d, XMM1, a);
    if (c->fbits)
        scale(c, d, d, -(int)c->fbits);
    bt_trap_flushing(m, begin, c->v, CC_TRAP_SCALAR, d);
    x64_bind(e, back);
    m->above[c->v] = c->s ? 32 : 64;
    bt_xdone(m, c->v, d);
    return true;
}

bool bt_emit_convert(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct conv c = {.m = m,
                     .e = &m->e,
                     .v = v,
                     .o = o,
                     .rm = (unsigned)o->imm & FP_RM_MASK,
                     .fbits = FP_FBITS_OF(o->imm)};
    switch (o->op) {
#define TO(T, single)                                    \
    case UOP_cvt_##T##_s32:                              \
    case UOP_cvt_##T##_u32:                              \
    case UOP_cvt_##T##_s64:                              \
    case UOP_cvt_##T##_u64:                              \
        c.s = single;                                    \
        c.is_unsigned = (o->op - UOP_cvt_##T##_s32) & 1; \
        c.size = o->op - UOP_cvt_##T##_s32 < 2 ? 4 : 8;  \
        return to_integer(&c);
        TO(f32, true)
        TO(f64, false)
#undef TO
#define FROM(T, single)                                \
    case UOP_cvt_s32_##T:                              \
    case UOP_cvt_u32_##T:                              \
    case UOP_cvt_s64_##T:                              \
    case UOP_cvt_u64_##T:                              \
        c.s = single;                                  \
        c.is_unsigned = (o->op - UOP_cvt_s32_##T) & 1; \
        c.size = o->op - UOP_cvt_s32_##T < 2 ? 4 : 8;  \
        return from_integer(&c);
        FROM(f32, true)
        FROM(f64, false)
#undef FROM
    case UOP_cvt_f64_m32:
        c.size = 4;
        return to_modulo(&c);
    default:
        return false;
    }
}

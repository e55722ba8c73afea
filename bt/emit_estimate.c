/* Emission of reciprocal estimates and Newton's steps (uop/fp_est.c has their meaning), scalars and vectors of f32 and f64.
 *
 * Estimates are tables behind the unit's code: the host's own have other digits. Neither they nor the steps meet what needs a
 * flag of its own or a rule for NaNs: such operands, and subnormal ones of estimates, are found by comparing integers first, and are
 * C's.
 *
 * Conventions as in bt/emit_vecfloat.c; hosts without AVX have none of this.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"
#include "uop/sem.h"

/* The operation being emitted. */
struct est {
    struct bt_emitter *m;
    struct x64_emit *e;
    uint32_t v;
    const struct bt_op *o;
    bool wide, scalar;
    unsigned a, b, d;
    unsigned back;
};

/* The form for lanes of 32 or of 64 bits, of integers and of floats. */
#define D_Q(name) (s->wide ? X64_##name##Q : X64_##name##D)
#define D_Q_I8(name) (s->wide ? X64_##name##Q_I8 : X64_##name##D_I8)
#define FORM(name)                                           \
    (s->wide ? (s->scalar ? X64_##name##SD : X64_##name##PD) \
             : (s->scalar ? X64_##name##SS : X64_##name##PS))

static struct x64_mem lanes(const struct est *s, uint64_t d, uint32_t f)
{
    uint64_t v = s->wide ? d : (uint64_t)f << 32 | f;
    return bt_const128(s->m, v, v);
}

static struct x64_mem magnitude(const struct est *s)
{
    return lanes(s, INT64_MAX, INT32_MAX);
}

/* To C, and behind this operation, when a lane of x that counts has its sign set. */
static void unless_positive(const struct est *s, unsigned x)
{
    x64_v_gr(s->e, s->wide ? X64_MOVMSKPD : X64_MOVMSKPS, 4, RAX, x);
    if (s->scalar)
        x64_test_ri(s->e, 4, RAX, 1);
    else
        x64_test_rr(s->e, 4, RAX, RAX);
    x64_jcc(s->e, X64_NE,
            bt_later(s->m, (struct bt_cold){.emit = s->scalar ? bt_cold_call : bt_cold_vector,
                                            .back = s->back,
                                            .v = s->v,
                                            .x = s->d}));
}

/* To C when the magnitude of a or b is 2^n, or infinite: limits' bits. */
static void unless_below(const struct est *s, uint64_t limit_d, uint32_t limit_s)
{
    struct x64_mem up = lanes(s, (UINT64_C(1) << 63) - limit_d, 0x80000000u - limit_s);
    x64_v_rrm(s->e, X64_PAND, XMM2, s->a, magnitude(s));
    x64_v_rrm(s->e, X64_PAND, XMM3, s->b, magnitude(s));
    x64_v_rrm(s->e, D_Q(PADD), XMM2, XMM2, up);
    x64_v_rrm(s->e, D_Q(PADD), XMM3, XMM3, up);
    x64_v_rrr(s->e, X64_POR, XMM2, XMM2, XMM3);
    unless_positive(s, XMM2);
}

static const uint64_t inf_d = UINT64_C(0x7ff0000000000000);
static const uint32_t inf_s = 0x7f800000;

/* ---- tables ---- */

static struct x64_mem reciprocals(struct bt_emitter *m)
{
    uint8_t t[256];
    for (uint32_t i = 0; i < 256; i++)
        t[i] = (uint8_t)(uop_urecpe((256 + i) << 23) >> 23);
    return bt_table(m, t, sizeof t);
}

/* By an exponent's lowest bit and eight bits of a fraction: an odd exponent, which is an even one less the bias, has half of the
 * significand. */
static struct x64_mem reciprocal_roots(struct bt_emitter *m)
{
    uint8_t t[512];
    for (uint32_t i = 0; i < 512; i++) {
        uint32_t significand = 256 + i % 256;
        t[i] = (uint8_t)(uop_ursqrte((i < 256 ? significand : significand >> 1) << 23) >> 23);
    }
    return bt_table(m, t, sizeof t);
}

/* xmm3: by the lowest 8 or 9 bits of each lane of x, the table's bytes as fractions. */
static void look_up(const struct est *s, unsigned x, struct x64_mem table, bool nine_bits)
{
    unsigned bytes = s->wide ? 8 : 4;
    x64_v_rrr(s->e, X64_PXOR, XMM3, XMM3, XMM3);
    x64_lea(s->e, 8, RCX, table);
    for (unsigned i = 0; i < (s->scalar ? 1 : 16 / bytes); i++) {
        if (nine_bits) {
            x64_pextr(s->e, X64_PEXTRW, RAX, x, i * bytes / 2);
            x64_alu_ri(s->e, X64_AND, 4, RAX, 0x1ff);
        } else {
            x64_pextr(s->e, X64_PEXTRB, RAX, x, i * bytes);
        }
        x64_rm(s->e, X64_MOVZX8, 4, RAX, x64_mem_idx(RCX, RAX, 1, 0));
        x64_pinsr(s->e, X64_PINSRB, XMM3, XMM3, RAX, i * bytes);
    }
    x64_v_shift(s->e, D_Q_I8(PSLL), XMM3, XMM3, s->wide ? 44 : 15);
}

/* ---- estimates ---- */

/* 1/x: the exponents' sum is that of -1 and a little less, so both are normal numbers. */
static void reciprocal(const struct est *s)
{
    struct x64_emit *e = s->e;
    x64_v_rrm(e, X64_PAND, XMM1, s->a, magnitude(s));
    x64_v_rrm(e, D_Q(PSUB), XMM2, XMM1, lanes(s, UINT64_C(0x0010000000000000), 0x00800000));
    x64_v_rm(e, X64_MOVAPS, XMM3, lanes(s, UINT64_C(0x7fbfffffffffffff), 0x7dffffff));
    x64_v_rrr(e, D_Q(PSUB), XMM3, XMM3, XMM2);
    x64_v_rrr(e, X64_POR, XMM3, XMM3, XMM2);
    unless_positive(s, XMM3);
    x64_v_shift(e, D_Q_I8(PSRL), XMM2, XMM1, s->wide ? 44 : 15);
    look_up(s, XMM2, reciprocals(s->m), false);
    x64_v_rrm(e, X64_PAND, XMM1, XMM1, lanes(s, inf_d, inf_s));
    x64_v_rm(e, X64_MOVAPS, XMM2, lanes(s, UINT64_C(0x7fd0000000000000), 0x7e800000));
    x64_v_rrr(e, D_Q(PSUB), XMM2, XMM2, XMM1);
    x64_v_rrr(e, X64_POR, XMM3, XMM3, XMM2);
    x64_v_rrm(e, X64_PAND, XMM1, s->a, lanes(s, (uint64_t)INT64_MIN, 0x80000000));
    x64_v_rrr(e, X64_POR, s->d, XMM3, XMM1);
}

/* 1/sqrt(x) of positive normal numbers: the exponent is half of 3 * bias - 1 less x's. */
static void reciprocal_root(const struct est *s)
{
    struct x64_emit *e = s->e;
    x64_v_rrm(e, D_Q(PSUB), XMM2, s->a, lanes(s, UINT64_C(0x0010000000000000), 0x00800000));
    x64_v_rm(e, X64_MOVAPS, XMM3, lanes(s, inf_d - 1, inf_s - 1));
    x64_v_rrr(e, D_Q(PSUB), XMM3, XMM3, s->a);
    x64_v_rrr(e, X64_POR, XMM3, XMM3, XMM2);
    x64_v_rrr(e, X64_POR, XMM3, XMM3, s->a);
    unless_positive(s, XMM3);
    x64_v_shift(e, D_Q_I8(PSRL), XMM2, s->a, s->wide ? 44 : 15);
    look_up(s, XMM2, reciprocal_roots(s->m), true);
    x64_v_rrm(e, X64_PAND, XMM1, s->a, lanes(s, inf_d, inf_s));
    x64_v_rm(e, X64_MOVAPS, XMM2, lanes(s, UINT64_C(0xbfc0000000000000), 0xbe000000));
    x64_v_rrr(e, D_Q(PSUB), XMM2, XMM2, XMM1);
    x64_v_shift(e, D_Q_I8(PSRL), XMM2, XMM2, 1);
    x64_v_rrm(e, X64_PAND, XMM2, XMM2, lanes(s, inf_d, inf_s));
    x64_v_rrr(e, X64_POR, s->d, XMM3, XMM2);
}

/* ---- steps: 2 - a b, and (3 - a b) / 2, neither of which is tiny ---- */

/* The half is exact unless what it is of overflows: factors are below the root of the range. */
static bool step(const struct est *s, bool root)
{
    struct x64_emit *e = s->e;
    if (!x64_has(e, X64_F_FMA))
        return false;
    unless_below(s, root ? UINT64_C(0x5fe0000000000000) : inf_d, root ? 0x5f000000 : inf_s);
    x64_v_mov(e, XMM2, s->a);
    x64_v_rrm(e, FORM(VFNMADD213), XMM2, s->b,
              root ? lanes(s, UINT64_C(0x4008000000000000), 0x40400000)
                   : lanes(s, UINT64_C(0x4000000000000000), 0x40000000));
    if (root)
        x64_v_rrm(e, FORM(MUL), XMM2, XMM2, lanes(s, UINT64_C(0x3fe0000000000000), 0x3f000000));
    x64_v_mov(e, s->d, XMM2);
    return true;
}

/* The product where no factor is infinite, or a NaN. */
static bool product(const struct est *s)
{
    unless_below(s, inf_d, inf_s);
    x64_v_rrr(s->e, FORM(MUL), s->d, s->a, s->b);
    if (s->scalar)
        bt_check_env(s->m, s->v, s->d, !s->wide);
    else
        bt_check_vector(s->m, s->v, s->d, s->wide);
    return true;
}

static bool emit(const struct est *s)
{
    switch (s->o->op) {
    case UOP_frecpe_f32:
    case UOP_frecpe_f64:
    case UOP_vfrecpe_f32:
    case UOP_vfrecpe_f64:
        reciprocal(s);
        return true;
    case UOP_frsqrte_f32:
    case UOP_frsqrte_f64:
    case UOP_vfrsqrte_f32:
    case UOP_vfrsqrte_f64:
        reciprocal_root(s);
        return true;
    case UOP_frecps_f32:
    case UOP_frecps_f64:
    case UOP_vfrecps_f32:
    case UOP_vfrecps_f64:
        return step(s, false);
    case UOP_frsqrts_f32:
    case UOP_frsqrts_f64:
    case UOP_vfrsqrts_f32:
    case UOP_vfrsqrts_f64:
        return step(s, true);
    case UOP_fmulx_f32:
    case UOP_fmulx_f64:
    case UOP_vfmulx_f32:
    case UOP_vfmulx_f64:
        return product(s);
    default:
        return false;
    }
}

static bool is_wide(uint16_t op)
{
    switch (op) {
#define UOP_F1(name, T, ...) \
    case UOP_##name:         \
        return #T[1] == '6';
#define UOP_F2(name, T, ...) UOP_F1(name, T)
#define UOP_VF1(name, scalar, S, D) \
    case UOP_##name:                \
        return S == 64;
#define UOP_VF2(name, scalar, S, D) UOP_VF1(name, scalar, S, D)
#include "uop/uop_all.h"
    default:
        return false;
    }
}

bool bt_emit_estimate(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    const struct uop_info *info = &uop_info[o->op];
    if (!m->e.avx || bt_rounding(o) != FP_DYN)
        return false;
    struct est s = {.m = m, .e = &m->e, .v = v, .o = o, .wide = is_wide(o->op)};
    s.scalar = !(info->flags & UOP_F_VECTOR);
    s.back = x64_label(&m->e);
    s.a = s.scalar ? bt_xmm(m, o->a, XMM0) : bt_vec(m, o->a, XMM0);
    if (info->b)
        s.b = s.scalar ? bt_xmm(m, o->b, XMM1) : bt_vec(m, o->b, XMM1);
    s.d = bt_xdst(m, v, s.scalar ? XMM0 : XMM2); /* as the checks want it */
    uint32_t begin = x64_offset(&m->e);
    if (!emit(&s))
        return false;
    bt_trap(m, begin, v, s.scalar ? CC_TRAP_SCALAR : CC_TRAP_VECTOR, s.d);
    x64_bind(&m->e, s.back);
    bt_xdone(m, v, s.d);
    return true;
}

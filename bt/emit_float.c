/* Emission of floating point: scalar SSE or AVX under the guest's MXCSR.
 *
 * The host computes values and raises flags as the micro-ops demand as long as the rounding mode is the dynamic one or
 * does not matter; everything else is done by C (bt_emit_call). Results for which FP_ENV may ask otherwise than the host gives
 * trap or are looked for (docs/bt.md), and done by C too. An f32 in a vector register
 * leaves the bits above it undefined. Rare outcomes (NaN results, saturation) lie in cold pieces.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"
#include "uop/sem.h"

static bool single(uint8_t kind)
{
    return kind == UOP_K_S;
}

enum look { LOOK_NAN = 1, LOOK_LEAST = 2 };

/* What of the result of v, with FP_ENV, is to be looked for: a NaN, and the least normal number, when the operation may have
 * rounded a tinier one up to it. */
static unsigned looked_for(const struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    if (!(o->imm & FP_ENV))
        return 0;
    unsigned least = bt_rounds_up(m->r, o) ? LOOK_LEAST : 0;
    return bt_minds_nan(m->r, o) ? least | LOOK_NAN : least;
}

/* The value is C's when there is in d what is looked for (see fp_odd_f64). Unordered sets the flag of equality too, so one jump
 * does. The operands are in their places still: bt_early_result. xmm2 is clobbered, and d is not it. */
void bt_check_env(struct bt_emitter *m, uint32_t v, unsigned d, bool s)
{
    struct x64_emit *e = &m->e;
    unsigned look = looked_for(m, v);
    if (m->r->traps) {
        if (look & LOOK_LEAST)
            bt_trap_least(m, s ? X64_MULSS : X64_MULSD, XMM1, d, s);
        if (look & LOOK_NAN)
            x64_v_rr(e, s ? X64_COMISS : X64_COMISD, d, d);
        return;
    }
    if (!look)
        return;
    unsigned back = x64_label(e);
    struct bt_cold cold = {.emit = bt_cold_call, .back = back, .v = v, .x = d};
    unsigned away = bt_later(m, cold);
    if (look & LOOK_LEAST) {
        x64_v_rrm(e, X64_ANDPS, XMM2, d, bt_const128(m, s ? INT32_MAX : INT64_MAX, 0));
        x64_v_rm(e, s ? X64_UCOMISS : X64_UCOMISD, XMM2,
                 bt_const128(m, s ? 0x00800000 : UINT64_C(0x0010000000000000), 0));
        x64_jcc(e, X64_E, away);
    } else {
        x64_v_rr(e, s ? X64_UCOMISS : X64_UCOMISD, d, d);
        x64_jcc(e, X64_P, away);
    }
    x64_bind(e, back);
}

void bt_trap_subnormal(struct bt_emitter *m, unsigned a, unsigned b, bool s)
{
    if (m->r->flushes)
        x64_v_rr(&m->e, s ? X64_UCOMISS : X64_UCOMISD, a, b);
}

void bt_trap_flushing(struct bt_emitter *m, uint32_t begin, uint32_t v, enum cc_trap_result result,
                      unsigned reg)
{
    if (m->r->flushes)
        bt_trap(m, begin, v, result, reg);
}

static struct x64_mem half(struct bt_emitter *m, bool s)
{
    uint64_t v = s ? UINT64_C(0x3f0000003f000000) : UINT64_C(0x3fe0000000000000);
    return bt_const128(m, v, v);
}

void bt_trap_least(struct bt_emitter *m, unsigned multiply, unsigned scratch, unsigned d, bool s)
{
    if (m->halves[s])
        x64_v_rrr(&m->e, multiply, scratch, d, BT_HALF_XMM + s);
    else
        x64_v_rrm(&m->e, multiply, scratch, d, half(m, s));
}

void bt_halves(struct bt_emitter *m)
{
    const struct bt_region *r = m->r;
    if (!r->traps || r->level == 1 || !x64_has_high(m->e.features))
        return;
    for (uint32_t v = 1; v < r->nops; v++) {
        const struct bt_op *o = &r->ops[v];
        if (o->op >= UOP_CODES || !(uop_info[o->op].flags & UOP_F_FPENV) || !(o->imm & FP_ENV) ||
            !r->blocks[o->block].loop_depth || !bt_rounds_up(r, o))
            continue;
        switch (o->op) {
        case UOP_fmul_f64:
        case UOP_ffma_f64:
        case UOP_vfmul_f64:
        case UOP_vffma_f64:
            m->halves[0] = true;
            break;
        default:
            m->halves[1] = true;
        }
    }
    for (unsigned s = 0; s < 2; s++) {
        if (m->halves[s])
            x64_v_rm(&m->e, X64_MOVAPS, BT_HALF_XMM + s, half(m, s));
        m->alloc.high |= m->halves[s];
    }
}

static void arith(struct bt_emitter *m, uint32_t v, unsigned op, bool commutes)
{
    const struct bt_op *o = &m->r->ops[v];
    uint32_t va = o->a, vb = o->b;
    /* Of two NaNs the host takes the first operand's, and nobody looks where operations trap. */
    commutes = commutes && !(m->r->traps && o->imm & FP_ENV);
    /* What is above the result is what is above the first operand: better zeros. And better a second one in memory. */
    if (commutes && (bt_above(m, vb) < bt_above(m, va) ||
                     (bt_loc(m, va).place != BT_XMM && bt_loc(m, vb).place == BT_XMM)))
        va = o->b, vb = o->a;
    unsigned a = bt_xmm(m, va, XMM0), d = bt_xdst(m, v, XMM0);
    struct bt_vsource b = bt_vsource(m, vb, XMM1);
    if (!m->e.avx && !b.in_memory && d == b.reg && d != a) {
        x64_v_mov(&m->e, XMM2, b.reg);
        b.reg = XMM2;
    }
    uint32_t begin = x64_offset(&m->e);
    if (m->r->flushes && (op == X64_DIVSS || op == X64_DIVSD)) {
        /* A subnormal number divided by zero does not trap. */
        bt_trap_subnormal(m, a, a, single(o->kind));
    }
    bt_v_op(m, op, d, a, &b);
    m->above[v] = (uint8_t)bt_above(m, va);
    bt_check_env(m, v, d, single(o->kind));
    bt_trap(m, begin, v, CC_TRAP_SCALAR, d);
    bt_xdone(m, v, d);
}

/* A fused multiply-add gave a NaN. RISC-V raises invalid for infinity times zero whatever the addend, x86 not if that is
 * a quiet NaN: multiply alone, into a scratch register that the result does not have, and keep no other flag of that. x: the
 * registers and the width. */
static void cold_fused_nan(struct bt_emitter *m, const struct bt_cold *c)
{
    struct x64_emit *e = &m->e;
    x64_m(e, X64_STMXCSR, 4, X64_CPU(mxcsr));
    /* xmm0 may hold the result; the addend is not needed any more. */
    x64_v_rrr(e, c->x & 1 ? X64_MULSS : X64_MULSD, XMM3, c->x >> 8 & 31, c->x >> 16 & 31);
    x64_m(e, X64_STMXCSR, 4, X64_CPU(exit_arg));
    x64_mov_rm(e, 4, RAX, X64_CPU(exit_arg));
    x64_alu_ri(e, X64_AND, 4, RAX, 1);
    x64_alu_mr(e, X64_OR, 4, X64_CPU(mxcsr), RAX);
    x64_m(e, X64_LDMXCSR, 4, X64_CPU(mxcsr));
    x64_jmp(e, c->back);
}

static bool fused(struct bt_emitter *m, uint32_t v, bool s)
{
    const struct bt_op *o = &m->r->ops[v];
    if (!x64_has(&m->e, X64_F_FMA))
        return false;
    /* bt_early_result: the result's register is none of the operands'. */
    unsigned d = bt_xdst(m, v, XMM0);
    unsigned a = bt_xmm(m, o->a, XMM1), b = bt_xmm(m, o->b, XMM2), c = bt_xmm(m, o->c, XMM3);
    uint32_t begin = x64_offset(&m->e);
    x64_v_mov(&m->e, d, a);
    x64_v_rrr(&m->e, s ? X64_VFMADD213SS : X64_VFMADD213SD, d, b, c);
    m->above[v] = (uint8_t)bt_above(m, o->a);
    if (o->imm & FP_ENV) {
        bt_check_env(m, v, d, s);
        bt_trap(m, begin, v, CC_TRAP_SCALAR, d);
        bt_xdone(m, v, d);
        return true;
    }
    x64_v_rr(&m->e, s ? X64_UCOMISS : X64_UCOMISD, d, d);
    unsigned back = x64_label(&m->e);
    x64_jcc(&m->e, X64_P,
            bt_later(m, (struct bt_cold){
                            .emit = cold_fused_nan, .back = back, .x = s | a << 8 | b << 16}));
    x64_bind(&m->e, back);
    bt_xdone(m, v, d);
    return true;
}

/* ---- NaNs ---- */

static void cold_canonical(struct bt_emitter *m, const struct bt_cold *c)
{
    x64_mov_ri(&m->e, RAX, c->y);
    x64_v_gr(&m->e, X64_MOVQ, 8, c->x, RAX);
    x64_jmp(&m->e, c->back);
}

static void canonical_nan(struct bt_emitter *m, uint32_t v, bool s)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned a = bt_xmm(m, o->a, XMM0), d = bt_xdst(m, v, XMM0);
    x64_v_mov(e, d, a);
    /* A quiet comparison raises nothing for a quiet NaN, and results of arithmetic are quiet. */
    x64_v_rr(e, s ? X64_UCOMISS : X64_UCOMISD, d, d);
    unsigned back = x64_label(e);
    x64_jcc(e, X64_P,
            bt_later(
                m, (struct bt_cold){.emit = cold_canonical,
                                    .back = back,
                                    .x = d,
                                    .y = s ? UINT64_C(0x7fc00000) : UINT64_C(0x7ff8000000000000)}));
    x64_bind(e, back);
    bt_xdone(m, v, d);
}

static void box(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned a = bt_xmm(m, o->a, XMM0), d = bt_xdst(m, v, XMM0);
    /* The bits above an f32 are undefined, so they are set rather than cleared first. */
    x64_v_rrm(&m->e, X64_ORPS, d, a, bt_const128(m, UINT64_C(0xffffffff00000000), 0));
    bt_xdone(m, v, d);
}

static bool unbox(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    if (!x64_has(e, X64_F_SSE41))
        return false;
    unsigned a = bt_xmm(m, o->a, XMM0), d = bt_xdst(m, v, XMM0);
    x64_v_mov(e, d, a);
    x64_pextr(e, X64_PEXTRD, RAX, d, 1);
    x64_alu_ri(e, X64_CMP, 4, RAX, -1);
    unsigned back = x64_label(e);
    x64_jcc(
        e, X64_NE,
        bt_later(m, (struct bt_cold){
                        .emit = cold_canonical, .back = back, .x = d, .y = UINT64_C(0x7fc00000)}));
    x64_bind(e, back);
    bt_xdone(m, v, d);
    return true;
}

/* ---- operations done by C ---- */

unsigned bt_above(const struct bt_emitter *m, uint32_t v)
{
    bool s = m->r->ops[v].kind == UOP_K_S;
    switch (bt_loc(m, v).place) {
    case BT_XMM:
        return m->above[v] ? m->above[v] : 128;
    case BT_UNIT:
        return s ? 128 : 64;
    default:
        return s ? 32 : 64;
    }
}

static struct x64_mem call_arg(size_t i)
{
    return x64_mem(RBP, (int32_t)(offsetof(struct cpu, call_arg) + 16 * i) - X64_CPU_BIAS);
}

void bt_call_value(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    const struct uop_info *info = &uop_info[o->op];
    bool fp = info->flags & UOP_F_FPENV, vector = info->flags & UOP_F_VECTOR;
    const uint32_t operands[3] = {o->a, o->b, o->c};
    for (size_t i = 0; i < 3; i++) {
        uint8_t kind = bt_operand_kind(o, (int)i);
        if (kind == UOP_K_V) {
            x64_v_rm(e, X64_MOVAPS_ST, bt_vec(m, operands[i], XMM0), call_arg(i));
        } else if (kind) {
            unsigned reg = bt_gpr(m, operands[i], RAX);
            x64_mov_mr(e, 8, call_arg(i), reg);
            if (kind == UOP_K_S && m->r->ops[operands[i]].kind == UOP_K_V)
                x64_mov_mi(e, 4, x64_mem(RBP, call_arg(i).disp + 4), 0);
        } else if (i == 1 && info->flags & UOP_F_IMM && !fp && !vector) {
            x64_mov_ri(e, RAX, (uint64_t)o->imm);
            x64_mov_mr(e, 8, call_arg(i), RAX);
        }
    }
    if (vector && !fp && info->flags & UOP_F_IMM)
        x64_mov_mi(e, 8, X64_CPU(call_imm), (int32_t)o->imm);
    x64_mov_ri(e, RAX, o->op | (fp ? (uint64_t)o->imm << 16 : 0));
    x64_call_ext(e, m->alloc.high ? X64_STUB_UOP_HIGH : X64_STUB_UOP);
}

bool bt_emit_call(struct bt_emitter *m, uint32_t v)
{
    const struct uop_info *info = &uop_info[m->r->ops[v].op];
    bool arithmetic = info->flags & UOP_F_FPENV && info->d != UOP_K_N && info->a != UOP_K_N;
    if (!(info->flags & UOP_F_PURE) && !arithmetic && m->r->ops[v].op != UOP_rdtime)
        return false;
    bt_call_value(m, v);
    if (info->d == UOP_K_V) {
        unsigned d = bt_xdst(m, v, XMM0);
        x64_v_rm(&m->e, X64_MOVAPS, d, X64_CPU(call_result));
        bt_xdone(m, v, d);
    } else {
        bt_done(m, v, RAX);
    }
    return true;
}

/* Out of line: the value by C, into rax and, unless x is X64_NO_REG, into vector register x. */
void bt_cold_call(struct bt_emitter *m, const struct bt_cold *c)
{
    bt_call_value(m, c->v);
    if (c->x != X64_NO_REG)
        x64_v_gr(&m->e, X64_MOVQ, 8, c->x, RAX);
    x64_jmp(&m->e, c->back);
}

/* ---- minimum, maximum ---- */

/* Equal operands are the same bits or the two zeros: -0 is the lesser. x: registers of a, b and the result, and
 * which it is. */
static void cold_equal(struct bt_emitter *m, const struct bt_cold *c)
{
    x64_v_rrr(&m->e, c->x >> 24 ? X64_ANDPS : X64_ORPS, c->x >> 16 & 0xff, c->x & 0xff,
              c->x >> 8 & 0xff);
    x64_jmp(&m->e, c->back);
}

static void minmax(struct bt_emitter *m, uint32_t v, bool s, bool max)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned a = bt_xmm(m, o->a, XMM0), b = bt_xmm(m, o->b, XMM1), d = bt_xdst(m, v, XMM2);
    unsigned back = x64_label(e);
    uint32_t begin = x64_offset(e);
    x64_v_rr(e, s ? X64_UCOMISS : X64_UCOMISD, a, b);
    x64_jcc(e, X64_P,
            bt_later(m, (struct bt_cold){.emit = bt_cold_call, .back = back, .v = v, .x = d}));
    x64_jcc(e, X64_E,
            bt_later(m, m->r->flushes
                            ? (struct bt_cold){.emit = bt_cold_call, .back = back, .v = v, .x = d}
                            : (struct bt_cold){.emit = cold_equal,
                                               .back = back,
                                               .x = a | b << 8 | d << 16 | (uint32_t)max << 24}));
    x64_v_rrr(e, max ? (s ? X64_MAXSS : X64_MAXSD) : (s ? X64_MINSS : X64_MINSD), d, a, b);
    bt_trap(m, begin, v, CC_TRAP_SCALAR, d);
    x64_bind(e, back);
    bt_xdone(m, v, d);
}

/* ---- comparisons ---- */

/* The long way of a comparison that must raise nothing: by C, for NaNs, of which a signalling one would. */
struct long_way {
    unsigned away, back;
    bool asked,
        here; /* somebody jumps there; it is not out of line, where a sunk operation's places are gone */
};

static struct long_way long_way(struct bt_emitter *m, uint32_t v)
{
    return (struct long_way){.back = x64_label(&m->e), .here = m->r->ops[v].sunk};
}

static bool raises(uint16_t op)
{
    return op == UOP_feq_f64 || op == UOP_flt_f64 || op == UOP_fle_f64 || op == UOP_feq_f32 ||
           op == UOP_flt_f32 || op == UOP_fle_f32;
}

/* Has a comparison in front of v in its block met this operand, and raised invalid if it is a signalling NaN? Then v may do so
 * again. */
static bool raised_before(const struct bt_emitter *m, uint32_t v, uint32_t operand)
{
    const struct bt_region *r = m->r;
    const struct bt_block *b = &r->blocks[m->block];
    if (r->in_place || r->ops[v].sunk)
        return false;
    for (uint32_t k = m->at; k-- > 0;) {
        const struct bt_op *o = &r->ops[b->ops[k]];
        if (o->op == UOP_fp_setflags)
            return false;
        if (raises(o->op) && (o->a == operand || o->b == operand))
            return true;
    }
    return false;
}

/* A NaN in x goes the long way. */
static void keep_quiet(struct bt_emitter *m, struct long_way *w, uint32_t v, uint32_t operand,
                       unsigned x, bool s)
{
    struct x64_emit *e = &m->e;
    if (bt_is_quiet(m->r, operand) || raised_before(m, v, operand))
        return;
    if (!w->asked)
        w->away =
            w->here
                ? x64_label(e)
                : bt_later(m, (struct bt_cold){
                                  .emit = bt_cold_call, .back = w->back, .v = v, .x = X64_NO_REG});
    w->asked = true;
    x64_v_gr(e, s ? X64_MOVD_ST : X64_MOVQ_ST, s ? 4 : 8, x, RAX);
    x64_alu_rr(e, X64_ADD, s ? 4 : 8, RAX, RAX);
    if (s) {
        x64_alu_ri(e, X64_CMP, 4, RAX, (int32_t)0xff000000u);
    } else {
        x64_shift_ri(e, X64_SHR, 8, RAX, 32);
        /* By the upper half; infinities go the long way with the NaNs. */
        x64_alu_ri(e, X64_CMP, 4, RAX, (int32_t)0xffe00000u);
    }
    x64_jcc(e, s ? X64_A : X64_AE, w->away);
}

/* The short way ends, its value in rax. */
static void meet(struct bt_emitter *m, const struct long_way *w, uint32_t v)
{
    if (w->here && w->asked) {
        x64_jmp(&m->e, w->back);
        x64_bind(&m->e, w->away);
        bt_call_value(m, v);
    }
    x64_bind(&m->e, w->back);
}

/* Is v only there for the branch right behind it, with nothing between that changes the flags? */
static bool feeds_branch(const struct bt_emitter *m, uint32_t v)
{
    const struct bt_region *r = m->r;
    const struct bt_block *b = &r->blocks[m->block];
    if (b->nops < 2 || b->ops[b->nops - 2] != v || r->ops[v].uses != 1)
        return false;
    const struct bt_op *t = &r->ops[b->ops[b->nops - 1]];
    return (t->op == UOP_br_ne || t->op == UOP_br_eq || t->op == UOP_br_ne_32 ||
            t->op == UOP_br_eq_32) &&
           !t->snap && t->a == v && bt_loc(m, t->b).place == BT_IMM && bt_imm(m, t->b) == 0;
}

/* The comparison of the same values by an operation next to v, on the side `by` (1 behind it, -1 before it), if that one is for
 * exceptions and the other for the truth: then one host instruction does both. 0 if there is none. */
static uint32_t other_half(const struct bt_emitter *m, uint32_t v, int by)
{
    const struct bt_region *r = m->r;
    const struct bt_block *b = &r->blocks[m->block];
    const struct bt_op *o = &r->ops[v];
    if (r->in_place)
        return 0;
    uint32_t w = b->ops[(int64_t)m->at + by];
    const struct bt_op *p = &r->ops[w], *first = by > 0 ? o : p, *second = by > 0 ? p : o;
    bool same = (o->a == p->a && o->b == p->b) || (o->a == p->b && o->b == p->a);
    if (!same || !raises(first->op) || first->uses || second->op < UOP_feq_q_f64 ||
        second->op > UOP_fle_q_f32)
        return 0;
    return w;
}

static bool compare_float(struct bt_emitter *m, uint32_t v, bool s)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    uint32_t raising = 0;
    bool quiet = !raises(o->op);
    if (quiet)
        raising = m->at && !o->sunk ? other_half(m, v, -1) : 0;
    else if (other_half(m, v, 1))
        return true;
    unsigned a = bt_xmm(m, o->a, XMM0), b = bt_xmm(m, o->b, XMM1);
    unsigned d = bt_dst(m, v, RAX);
    struct long_way way = long_way(m, v);
    bool equal = false, or_equal = false;
    switch (o->op) {
    case UOP_feq_f64:
    case UOP_feq_f32:
    case UOP_feq_q_f64:
    case UOP_feq_q_f32:
        equal = true;
        break;
    case UOP_fle_f64:
    case UOP_fle_f32:
    case UOP_fle_q_f64:
    case UOP_fle_q_f32:
        or_equal = true;
    }
    /* The signalling instruction raises invalid for every NaN. */
    bool signals = !equal && !quiet;
    if (raising) {
        uint16_t op = m->r->ops[raising].op;
        signals = op != UOP_feq_f64 && op != UOP_feq_f32;
    } else if (quiet) {
        keep_quiet(m, &way, v, o->a, a, s);
        keep_quiet(m, &way, v, o->b, b, s);
    }
    uint32_t begin = x64_offset(e);
    /* b > a, b >= a: false when unordered. */
    x64_v_rr(e, signals ? (s ? X64_COMISS : X64_COMISD) : (s ? X64_UCOMISS : X64_UCOMISD), b, a);
    bt_trap(m, begin, v, CC_TRAP_FLAGS, 0);
    if (!quiet && !o->uses && !m->r->in_place) {
        x64_bind(e, way.back);
        return true;
    }
    if (equal) {
        x64_setcc(e, X64_NP, RAX);
        x64_rr(e, X64_MOVZX8, 4, RAX, RAX);
        x64_rm(e, X64_CMOVCC + X64_NE, 4, RAX, bt_const128(m, 0, 0));
    } else {
        enum x64_cc cc = or_equal ? X64_AE : X64_A;
        if (!way.asked && (feeds_branch(m, v) || bt_feeds_choice(m, v))) {
            x64_bind(e, way.back);
            m->fused = v;
            m->fused_cc = cc;
            return true;
        }
        x64_setcc(e, cc, RAX);
        x64_rr(e, X64_MOVZX8, 4, RAX, RAX);
    }
    meet(m, &way, v);
    if (d != RAX)
        x64_mov_rr(e, 4, d, RAX);
    bt_done(m, v, d);
    return true;
}

/* Condition flags of a comparison, which raises nothing: greater, unless the host's flags say otherwise. */
static void compare_flags(struct bt_emitter *m, uint32_t v, bool s)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned a = bt_xmm(m, o->a, XMM0), b = bt_xmm(m, o->b, XMM1);
    struct long_way way = long_way(m, v);
    keep_quiet(m, &way, v, o->a, a, s);
    keep_quiet(m, &way, v, o->b, b, s);
    uint32_t begin = x64_offset(e);
    x64_v_rr(e, s ? X64_UCOMISS : X64_UCOMISD, a, b);
    bt_trap(m, begin, v, CC_TRAP_FLAGS, 0);
    x64_mov_ri(e, RAX, uop_flags(false, false, true, false));
    x64_rm(e, X64_CMOVCC + X64_B, 4, RAX,
           bt_const128(m, uop_flags(true, false, false, false), 0)); /* less, or unordered */
    x64_rm(e, X64_CMOVCC + X64_E, 4, RAX,
           bt_const128(m, uop_flags(false, true, true, false), 0)); /* equal, or unordered */
    x64_rm(e, X64_CMOVCC + X64_P, 4, RAX, bt_const128(m, uop_flags(false, false, true, true), 0));
    meet(m, &way, v);
    bt_done(m, v, RAX);
}

/* ---- conversions ---- */

static void convert(struct bt_emitter *m, uint32_t v, unsigned op)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned a = bt_xmm(m, o->a, XMM0), d = bt_xdst(m, v, XMM0);
    uint32_t begin = x64_offset(&m->e);
    if (op == X64_SQRTSS || op == X64_SQRTSD) /* a negative one is invalid first */
        bt_trap_subnormal(m, a, a, single(o->kind));
    x64_v_rrr(&m->e, op, d, a, a);
    unsigned above = bt_above(m, o->a);
    m->above[v] = (uint8_t)(o->kind == UOP_K_D && above == 32 ? 64 : above);
    bt_check_env(m, v, d, single(o->kind));
    bt_trap(m, begin, v, CC_TRAP_SCALAR, d);
    bt_xdone(m, v, d);
}

/* A subnormal number becomes zero. Where it does not trap the host takes it for zero: so times one. */
static void flush(struct bt_emitter *m, uint32_t v, bool s)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned a = bt_xmm(m, o->a, XMM0), d = bt_xdst(m, v, XMM0);
    uint32_t begin = x64_offset(&m->e);
    if (m->r->flushes)
        x64_v_rrm(&m->e, s ? X64_MULSS : X64_MULSD, d, a,
                  bt_const128(m, s ? 0x3f800000 : UINT64_C(0x3ff0000000000000), 0));
    else
        x64_v_mov(&m->e, d, a);
    bt_trap_flushing(m, begin, v, CC_TRAP_SCALAR, d);
    m->above[v] = (uint8_t)bt_above(m, o->a);
    bt_xdone(m, v, d);
}

/* The bits of a float that is in a vector register, with a constant. */
static void on_bits(struct bt_emitter *m, uint32_t v, unsigned op)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned a = bt_xmm(m, o->a, XMM0), d = bt_xdst(m, v, XMM0);
    uint64_t imm = (uint64_t)o->imm;
    x64_v_rrm(&m->e, op, d, a, bt_const128(m, imm, 0));
    unsigned above = bt_above(m, o->a);
    m->above[v] = (uint8_t)(op == X64_ANDPS ? (imm > UINT32_MAX ? 64 : 32) : above);
    bt_xdone(m, v, d);
}

/* Does the host's current rounding mode do? */
static bool dynamic(const struct bt_op *o)
{
    return bt_rounding(o) == FP_DYN;
}

bool bt_emit_float(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    bool s = single(o->kind);
    switch (o->op) {
    case UOP_fadd_f32:
    case UOP_fadd_f64:
        return dynamic(o) && (arith(m, v, s ? X64_ADDSS : X64_ADDSD, true), true);
    case UOP_fsub_f32:
    case UOP_fsub_f64:
        return dynamic(o) && (arith(m, v, s ? X64_SUBSS : X64_SUBSD, false), true);
    case UOP_fmul_f32:
    case UOP_fmul_f64:
        return dynamic(o) && (arith(m, v, s ? X64_MULSS : X64_MULSD, true), true);
    case UOP_fdiv_f32:
    case UOP_fdiv_f64:
        return dynamic(o) && (arith(m, v, s ? X64_DIVSS : X64_DIVSD, false), true);
    case UOP_fsqrt_f32:
    case UOP_fsqrt_f64:
        return dynamic(o) && (convert(m, v, s ? X64_SQRTSS : X64_SQRTSD), true);
    case UOP_fround_f32:
    case UOP_fround_f64:
        return bt_emit_round(m, v, s, false);
    case UOP_froundx_f32:
    case UOP_froundx_f64:
        return bt_emit_round(m, v, s, true);
    case UOP_ffma_f32:
    case UOP_ffma_f64:
        return dynamic(o) && fused(m, v, s);
    case UOP_feq_f32:
    case UOP_flt_f32:
    case UOP_fle_f32:
    case UOP_feq_q_f32:
    case UOP_flt_q_f32:
    case UOP_fle_q_f32:
        return compare_float(m, v, true);
    case UOP_feq_f64:
    case UOP_flt_f64:
    case UOP_fle_f64:
    case UOP_feq_q_f64:
    case UOP_flt_q_f64:
    case UOP_fle_q_f64:
        return compare_float(m, v, false);
    case UOP_flags_fcmp_f32:
    case UOP_flags_fcmp_f64:
        compare_flags(m, v, o->op == UOP_flags_fcmp_f32);
        return true;
    case UOP_fflush_f32:
    case UOP_fflush_f64:
        flush(m, v, s);
        return true;
    case UOP_fmin_f32:
    case UOP_fmin_f64:
        minmax(m, v, s, false);
        return true;
    case UOP_fmax_f32:
    case UOP_fmax_f64:
        minmax(m, v, s, true);
        return true;
    case UOP_fcanon_f32:
        canonical_nan(m, v, true);
        return true;
    case UOP_fcanon_f64:
        canonical_nan(m, v, false);
        return true;
    case UOP_box_f32:
        box(m, v);
        return true;
    case UOP_unbox_f32:
        return unbox(m, v);
    case UOP_cvt_f32_f64:
        convert(m, v, X64_CVTSS2SD);
        return true;
    case UOP_cvt_f64_f32:
        return dynamic(o) && (convert(m, v, X64_CVTSD2SS), true);
    case UOP_xor_64_i:
        on_bits(m, v, X64_XORPS);
        return true;
    case UOP_and_64_i:
        on_bits(m, v, X64_ANDPS);
        return true;
    default:
        return bt_emit_convert(m, v) || bt_emit_estimate(m, v) || bt_emit_half(m, v) ||
               bt_emit_fp_flags(m, v);
    }
}

/* Emission of comparisons, of the conditions that they give, and of choices by them: cmp with setcc, cmov or a jump.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

/* cmp a, imm of `size` bytes. */
static void compare_imm(struct bt_emitter *m, unsigned size, uint32_t a, int64_t imm)
{
    struct x64_emit *e = &m->e;
    struct bt_loc la = bt_loc(m, a);
    if (size == 4)
        imm = (int32_t)imm;
    if (imm == 0 && la.place == BT_GPR) {
        x64_test_rr(e, size, la.n, la.n);
    } else if (imm == (int32_t)imm && la.place == BT_UNIT) {
        x64_alu_mi(e, X64_CMP, size, x64_slot(la.n), (int32_t)imm);
    } else if (imm == (int32_t)imm) {
        x64_alu_ri(e, X64_CMP, size, bt_gpr(m, a, RAX), (int32_t)imm);
    } else if (la.place == BT_UNIT || la.place == BT_GPR) {
        x64_mov_ri(e, RAX, (uint64_t)imm);
        if (la.place == BT_UNIT)
            x64_alu_mr(e, X64_CMP, size, x64_slot(la.n), RAX);
        else
            x64_alu_rr(e, X64_CMP, size, la.n, RAX);
    } else {
        /* Neither is in a register or in memory: the wide constant goes there. */
        x64_mov_ri(e, RAX, (uint64_t)imm);
        x64_mov_mr(e, 8, X64_CPU(call_arg[0][0]), RAX);
        bt_load_gpr(m, RAX, a);
        x64_alu_rm(e, X64_CMP, 8, RAX, X64_CPU(call_arg[0][0]));
    }
}

/* cmp a, b of `size` bytes; *cc is the condition for the operands in this order and is changed when they are exchanged. */
static void compare(struct bt_emitter *m, unsigned size, uint32_t a, uint32_t b, enum x64_cc *cc)
{
    if (bt_loc(m, a).place == BT_IMM && bt_loc(m, b).place != BT_IMM) {
        uint32_t t = a;
        a = b, b = t;
        *cc = x64_cc_swap(*cc);
    }
    if (bt_loc(m, b).place == BT_IMM) {
        compare_imm(m, size, a, (int64_t)bt_imm(m, b));
        return;
    }
    if (bt_loc(m, a).place == BT_UNIT && bt_loc(m, b).place == BT_GPR) {
        x64_alu_mr(&m->e, X64_CMP, size, x64_slot(bt_loc(m, a).n), bt_loc(m, b).n);
        return;
    }
    struct bt_source s = bt_source(m, b, X64_NONE);
    bt_alu(m, X64_CMP, size, bt_gpr(m, a, RAX), &s);
}

enum x64_cc bt_emit_compare(struct bt_emitter *m, const struct bt_op *o)
{
    static const uint8_t conditions[] = {X64_E, X64_NE, X64_L, X64_GE, X64_B, X64_AE};
    bool narrow = o->op >= UOP_br_eq_32;
    enum x64_cc cc = (enum x64_cc)conditions[o->op - (narrow ? UOP_br_eq_32 : UOP_br_eq)];
    if (m->fused && m->fused == o->a) {
        cc = o->op == UOP_br_ne || o->op == UOP_br_ne_32 ? m->fused_cc : x64_cc_not(m->fused_cc);
        m->fused = 0;
        return cc;
    }
    compare(m, narrow ? 4 : 8, o->a, o->b, &cc);
    return cc;
}

/* The comparison of a set_ row: the host's flags, and the condition that they are to be asked for. */
static enum x64_cc compare_row(struct bt_emitter *m, const struct bt_op *o)
{
    static const uint8_t conditions[] = {X64_E, X64_NE, X64_L, X64_B, X64_GE, X64_AE};
    uint16_t row = uop_info[o->op].rr_form;
    bool narrow = row >= UOP_set_eq_32;
    enum x64_cc cc = (enum x64_cc)conditions[(row - (narrow ? UOP_set_eq_32 : UOP_set_eq)) / 2];
    if (m->have.carry && m->have.carry == o->a && o->op == UOP_set_ltu)
        return X64_B;
    if (row == o->op)
        compare(m, narrow ? 4 : 8, o->a, o->b, &cc);
    else
        compare_imm(m, narrow ? 4 : 8, o->a, o->imm);
    return cc;
}

bool bt_feeds_choice(const struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *n = &m->r->ops[m->next];
    return m->next && n->op == UOP_sel && n->a == v && n->b != v && n->c != v &&
           m->r->ops[v].uses == 1;
}

void bt_emit_condition(struct bt_emitter *m, uint32_t v)
{
    enum x64_cc cc = compare_row(m, &m->r->ops[v]);
    if (bt_feeds_choice(m, v)) {
        m->fused = v;
        m->fused_cc = cc;
        return;
    }
    if ((cc == X64_B || cc == X64_AE) && bt_leave_carry(m, v, cc == X64_AE))
        return;
    unsigned d = bt_dst(m, v, RAX);
    x64_setcc(&m->e, cc, RAX);
    x64_rr(&m->e, X64_MOVZX8, 4, d, RAX);
    bt_done(m, v, d);
}

/* d = s where the condition holds; moves leave the flags alone, so a constant can go through memory. */
static void move_if(struct bt_emitter *m, enum x64_cc cc, unsigned d, uint32_t v)
{
    struct x64_emit *e = &m->e;
    struct bt_loc l = bt_loc(m, v);
    struct x64_mem mem = l.place == BT_UNIT ? x64_slot(l.n) : X64_CPU(exit_arg);
    if (l.place == BT_GPR) {
        x64_cmov_rr(e, cc, 8, d, l.n);
        return;
    }
    if (l.place != BT_UNIT) {
        struct bt_source s = bt_source(m, v, X64_NONE);
        if (s.kind == BT_SRC_IMM)
            x64_mov_mi(e, 8, mem, s.imm);
    }
    x64_rm(e, X64_CMOVCC + cc, 8, d, mem);
}

static bool in_register(const struct bt_emitter *m, uint32_t v, unsigned reg)
{
    struct bt_loc l = bt_loc(m, v);
    return l.place == BT_GPR && l.n == reg;
}

/* v = cc ? yes : no, by flags that are there. The result's register may be that of either; a constant is loaded first, since
 * it is no operand of cmov. */
static void pick(struct bt_emitter *m, uint32_t v, enum x64_cc cc, uint32_t yes, uint32_t no)
{
    unsigned d = bt_dst(m, v, RAX);
    bool first_no =
        in_register(m, no, d) || (bt_loc(m, no).place == BT_IMM && !in_register(m, yes, d));
    bt_load_gpr(m, d, first_no ? no : yes);
    move_if(m, first_no ? cc : x64_cc_not(cc), d, first_no ? yes : no);
    bt_done(m, v, d);
}

/* min and max: a where a cc b, else b */
void bt_emit_extreme(struct bt_emitter *m, uint32_t v, enum x64_cc cc)
{
    const struct bt_op *o = &m->r->ops[v];
    if (o->op == uop_info[o->op].rr_form) {
        compare(m, 8, o->a, o->b, &cc);
        pick(m, v, cc, o->a, o->b);
        return;
    }
    unsigned d = bt_dst(m, v, RAX);
    compare_imm(m, 8, o->a, o->imm);
    if (in_register(m, o->a, d)) {
        x64_mov_ri(&m->e, RAX, (uint64_t)o->imm);
        x64_cmov_rr(&m->e, x64_cc_not(cc), 8, d, RAX);
    } else {
        x64_mov_ri(&m->e, d, (uint64_t)o->imm);
        move_if(m, cc, d, o->a);
    }
    bt_done(m, v, d);
}

/* The condition of a choice in the flags: cc is when it holds. */
static enum x64_cc decision(struct bt_emitter *m, const struct bt_op *o)
{
    if (m->fused && m->fused == o->a) {
        m->fused = 0;
        return m->fused_cc;
    }
    compare_imm(m, 8, o->a, 0);
    return X64_NE;
}

/* A choice between values in vector registers. There is no conditional move between these: a mask of the condition's
 * bit, which the upper halves get zero of, or a jump. */
static void choose_float(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned yes = bt_xmm(m, o->b, XMM1), no = bt_xmm(m, o->c, XMM2), d = bt_xdst(m, v, XMM3);
    m->above[v] = bt_above(m, o->c);
    enum x64_cc cc = decision(m, o);
    if (e->avx) {
        x64_setcc(e, cc, RAX);
        x64_rr(e, X64_MOVZX8, 4, RAX, RAX);
        x64_v_gr(e, X64_MOVQ, 8, XMM0, RAX);
        x64_v_shift(e, X64_PSLLQ_I8, XMM0, XMM0, 63);
        x64_v_rrrr(e, X64_VBLENDVPD, d, no, yes, XMM0);
        bt_xdone(m, v, d);
        return;
    }
    unsigned on = x64_label(e), to = d == yes ? XMM3 : d;
    m->above[v] = 0;
    if (to != no)
        x64_v_rr(e, X64_MOVAPS, to, no);
    x64_jcc8(e, x64_cc_not(cc), on);
    x64_v_rr(e, X64_MOVAPS, to, yes);
    x64_bind(e, on);
    if (to != d)
        x64_v_rr(e, X64_MOVAPS, d, to);
    bt_xdone(m, v, d);
}

void bt_emit_choice(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    if (bt_is_float(m->r, v))
        choose_float(m, v);
    else
        pick(m, v, decision(m, o), o->b, o->c);
}

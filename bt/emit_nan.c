/* Emission of the rules that give NaNs their payload: the check in line, the rest out of line and in C.
 *
 * The rules of one guest operation follow one another (fnan, then fdefnan; or fnan3, fnanpick, fdefnan), each for the
 * next one alone. The first of such a chain checks the value that all of them are about; when that is a NaN, the cold piece
 * computes one after the other, where the operands lie at the first one, and gives the last one's value to the first, from which the
 * others, which are mere moves, take it. A fnan3 has no value otherwise; there the checked value itself, which nobody else wants, is
 * replaced.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"
#include <stddef.h>

/* Does v, whose value w alone uses, leave w nothing to check? w is the operation behind it. */
static bool leads(const struct bt_region *r, uint32_t v, uint32_t w)
{
    const struct bt_op *o = &r->ops[v], *n = &r->ops[w];
    enum bt_nan_rule rule = bt_nan_rule(o->op), next = bt_nan_rule(n->op);
    if (r->in_place || o->uses != 1 || (next != BT_NAN_DOUBLE && next != BT_NAN_SINGLE))
        return false;
    if (rule == BT_NAN_3)
        return n->b == v && (n->op == UOP_fnanpick_f64 || n->op == UOP_fnanpick_f32) &&
               r->ops[n->a].uses == 1 && n->a != v;
    return (rule == BT_NAN_DOUBLE || rule == BT_NAN_SINGLE) && n->a == v;
}

/* By C: the rule v, of which the operand `in_rax` is in rax. */
static void call_rule(struct bt_emitter *m, uint32_t v, uint32_t in_rax)
{
    const struct bt_op *o = &m->r->ops[v];
    const uint32_t operands[3] = {o->a, o->b, o->c};
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < 3; i++) {
            struct x64_mem to =
                x64_mem(RBP, (int32_t)(offsetof(struct cpu, call_arg) + 16 * i) - X64_CPU_BIAS);
            if (bt_operand_kind(o, (int)i) && (operands[i] == in_rax) == !pass)
                x64_mov_mr(&m->e, 8, to, pass ? bt_gpr(m, operands[i], RAX) : RAX);
        }
    }
    if (uop_info[o->op].flags & UOP_F_IMM) {
        x64_mov_ri(&m->e, RAX, (uint64_t)o->imm);
        x64_mov_mr(&m->e, 8, X64_CPU(call_arg[1][0]), RAX);
    }
    x64_mov_ri(&m->e, RAX, o->op);
    x64_call_ext(&m->e, X64_STUB_UOP);
}

/* v: the first rule of a chain; x: how many follow; y: where it is in the block. */
static void cold_rules(struct bt_emitter *m, const struct bt_cold *c)
{
    const struct bt_region *r = m->r;
    const uint32_t *ops = r->blocks[r->ops[c->v].block].ops + c->y;
    uint32_t to = bt_nan_rule(r->ops[c->v].op) == BT_NAN_3 ? r->ops[ops[1]].a : c->v;
    for (uint32_t i = 0; i <= c->x; i++)
        call_rule(m, ops[i], i ? ops[i - 1] : 0);
    bt_done(m, to, RAX);
    x64_jmp(&m->e, c->back);
}

bool bt_emit_nan(struct bt_emitter *m, uint32_t v)
{
    const struct bt_region *r = m->r;
    const struct bt_op *o = &r->ops[v];
    struct x64_emit *e = &m->e;
    enum bt_nan_rule rule = bt_nan_rule(o->op);
    if (o->sunk) /* its places are gone when cold pieces are emitted */
        return false;
    const uint32_t *ops = r->blocks[m->block].ops + m->at;
    uint32_t follow = 0;
    bool follows = m->at && leads(r, ops[-1], v);
    while (leads(r, ops[follow], ops[follow + 1]))
        follow++;
    if (rule == BT_NAN_3 && !follow)
        return false;
    uint32_t raw = rule == BT_NAN_3 ? r->ops[ops[1]].a : o->a;
    bool s = bt_is_single(r, raw) || rule == BT_NAN_SINGLE || o->op == UOP_fnanzero_f32;
    unsigned back = x64_label(e);
    if (!follows) {
        bool of_b = rule == BT_NAN_NUMBER || rule == BT_NAN_ZERO;
        unsigned a = of_b ? bt_xmm(m, o->b, XMM1) : bt_xmm(m, raw, XMM0);
        unsigned b = rule == BT_NAN_NUMBER ? bt_xmm(m, o->c, XMM2) : a;
        /* Quiet: a signalling NaN among operands has raised invalid in the operation before. */
        x64_v_rr(e, s ? X64_UCOMISS : X64_UCOMISD, a, b);
        x64_jcc(
            e, X64_P,
            bt_later(m, (struct bt_cold){
                            .emit = cold_rules, .back = back, .v = v, .x = follow, .y = m->at}));
    }
    if (rule == BT_NAN_ZERO) {
        unsigned d = bt_dst(m, v, RAX);
        bt_load_gpr(m, d, o->a);
        bt_done(m, v, d);
    } else if (rule != BT_NAN_3) {
        unsigned d = bt_xdst(m, v, XMM0);
        x64_v_mov(e, d, bt_xmm(m, raw, XMM0));
        bt_xdone(m, v, d);
    }
    x64_bind(e, back);
    return true;
}

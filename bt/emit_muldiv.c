/* Emission of multiplication and division.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

void bt_emit_multiply(struct bt_emitter *m, uint32_t v, enum bt_width w)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned size = w == BT_W64 ? 8 : 4;
    unsigned d = bt_dst(m, v, RAX);
    uint32_t a = o->a, b = o->b;
    if (m->have.low_half == v) {
        bt_done(m, v, RAX);
        return;
    }
    struct bt_loc lb = bt_loc(m, b);
    if (lb.place == BT_GPR && lb.n == d) {
        uint32_t t = a;
        a = b, b = t;
        lb = bt_loc(m, b);
    }
    bt_load_gpr(m, d, a);
    struct bt_source s = bt_source(m, b, d == RAX ? X64_NONE : RAX);
    if (s.kind == BT_SRC_MEM)
        x64_rm(&m->e, X64_IMUL, size, d, s.mem);
    else if (s.kind == BT_SRC_REG)
        x64_rr(&m->e, X64_IMUL, size, d, s.reg);
    else
        x64_imul_rri(&m->e, size, d, d, s.imm);
    bt_extend(m, w, d);
    bt_done(m, v, d);
}

void bt_emit_multiply_imm(struct bt_emitter *m, uint32_t v, enum bt_width w)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned size = w == BT_W64 ? 8 : 4;
    unsigned d = bt_dst(m, v, RAX);
    int64_t imm = w == BT_W64 ? o->imm : (int32_t)o->imm;
    if (m->have.low_half == v) {
        bt_done(m, v, RAX);
        return;
    }
    if (imm == (int32_t)imm) {
        unsigned a = bt_gpr(m, o->a, RAX);
        x64_imul_rri(&m->e, size, d, a, (int32_t)imm);
    } else {
        struct bt_source a = bt_source(m, o->a, X64_NONE);
        x64_mov_ri(&m->e, RAX, (uint64_t)imm);
        if (a.kind == BT_SRC_MEM)
            x64_rm(&m->e, X64_IMUL, size, RAX, a.mem);
        else
            x64_rr(&m->e, X64_IMUL, size, RAX, a.reg);
        d = RAX;
    }
    bt_extend(m, w, d);
    bt_done(m, v, d);
}

/* Do the two multiply the same, the one for the high half, the other for the low? */
static bool same_product(const struct bt_op *high, const struct bt_op *low)
{
    bool imm = uop_info[high->op].rr_form != high->op;
    if (low->op != (imm ? UOP_mul_64_i : UOP_mul_64))
        return false;
    if (imm)
        return low->a == high->a && low->imm == high->imm;
    return (low->a == high->a && low->b == high->b) || (low->a == high->b && low->b == high->a);
}

/* High half of a product. rdx and rcx are kept free (alloc.c). The low half that bt_pair_products has put behind it stays
 * in rax for bt_emit_multiply. */
void bt_emit_multiply_high(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    bool imm = uop_info[o->op].rr_form != o->op;
    uint16_t op = uop_info[o->op].rr_form;
    uint32_t a = o->a, b = o->b;
    if (op == UOP_mulh_su) {
        /* unsigned product, less b where a is negative */
        if (imm)
            x64_mov_ri(&m->e, RCX, (uint64_t)o->imm);
        else
            bt_load_gpr(m, RCX, b);
        bt_load_gpr(m, RAX, a);
        x64_push(&m->e, RAX);
        x64_r(&m->e, X64_MUL, 8, RCX);
        x64_pop(&m->e, RAX);
        x64_shift_ri(&m->e, X64_SAR, 8, RAX, 63);
        x64_alu_rr(&m->e, X64_AND, 8, RAX, RCX);
        x64_alu_rr(&m->e, X64_SUB, 8, RDX, RAX);
        bt_done(m, v, RDX);
        return;
    }
    unsigned mul = op == UOP_mulh_ss ? X64_IMUL1 : X64_MUL;
    if (imm) {
        x64_mov_ri(&m->e, RCX, (uint64_t)o->imm);
        bt_load_gpr(m, RAX, a);
        x64_r(&m->e, mul, 8, RCX);
    } else {
        if (bt_loc(m, b).place != BT_GPR && bt_loc(m, a).place == BT_GPR)
            a = o->b, b = o->a;
        if (bt_loc(m, b).place == BT_UNIT) {
            bt_load_gpr(m, RAX, a);
            x64_m(&m->e, mul, 8, x64_slot(bt_loc(m, b).n));
        } else {
            unsigned reg = bt_gpr(m, b, RCX);
            bt_load_gpr(m, RAX, a);
            x64_r(&m->e, mul, 8, reg);
        }
    }
    if (m->next && same_product(o, &m->r->ops[m->next]))
        m->made.low_half = m->next;
    bt_done(m, v, RDX);
}

/* x / d as the high half of x times something just above 2^64 / d, which is exact for operands of 32 bits; towards zero, so
 * one more where x is negative. (Granlund and Montgomery, "Division by Invariant Integers using Multiplication", 1994.) */
static void divide_by_constant(struct bt_emitter *m, uint32_t v, bool sign, bool rem)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    bool minus = sign && (int32_t)o->imm < 0;
    uint64_t d = minus ? -(uint64_t)(int64_t)(int32_t)o->imm : (uint32_t)o->imm;
    /* Rounded up; a quotient that is negative and exact must come out just below itself. */
    x64_mov_ri(e, RCX, UINT64_MAX / d + 1 + (sign && !(d & (d - 1))));
    bt_load_gpr(m, RAX, o->a);
    x64_rr(e, sign ? X64_MOVSXD : X64_MOV_R_RM, sign ? 8 : 4, RAX, RAX);
    x64_r(e, sign ? X64_IMUL1 : X64_MUL, 8, RCX);
    if (sign) {
        bt_load_gpr(m, RAX, o->a);
        x64_shift_ri(e, X64_SAR, 4, RAX, 31);
        x64_alu_rr(e, X64_SUB, 4, RDX, RAX);
    }
    if (minus)
        x64_r(e, X64_NEG, 4, RDX);
    if (rem) {
        x64_imul_rri(e, 4, RDX, RDX, (int32_t)o->imm);
        bt_load_gpr(m, RAX, o->a);
        x64_alu_rr(e, X64_SUB, 4, RAX, RDX);
        x64_rr(e, X64_MOVSXD, 8, RAX, RAX);
        bt_done(m, v, RAX);
        return;
    }
    x64_rr(e, X64_MOVSXD, 8, RDX, RDX);
    bt_done(m, v, RDX);
}

/* Division without traps: by zero and the overflow go around the instruction. */
void bt_emit_divide(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    bool imm = uop_info[o->op].rr_form != o->op;
    uint16_t op = uop_info[o->op].rr_form;
    bool narrow = op == UOP_div_s32 || op == UOP_div_u32 || op == UOP_rem_s32 || op == UOP_rem_u32;
    bool sign = op == UOP_div_s64 || op == UOP_rem_s64 || op == UOP_div_s32 || op == UOP_rem_s32;
    bool rem = op == UOP_rem_s64 || op == UOP_rem_u64 || op == UOP_rem_s32 || op == UOP_rem_u32;
    unsigned size = narrow ? 4 : 8;
    if (imm && narrow && (uint32_t)o->imm + 2 > 4) { /* not -2 to 2 */
        divide_by_constant(m, v, sign, rem);
        return;
    }
    if (imm)
        x64_mov_ri(e, RCX, (uint64_t)o->imm);
    else
        bt_load_gpr(m, RCX, o->b);
    bt_load_gpr(m, RAX, o->a);
    unsigned done = x64_label(e), zero = x64_label(e), minus = x64_label(e);
    uint64_t divisor = narrow ? (uint32_t)o->imm : (uint64_t)o->imm;
    bool may_zero = !imm || !divisor;
    bool may_minus = sign && (!imm || divisor == (narrow ? UINT32_MAX : UINT64_MAX));
    if (may_zero) {
        x64_test_rr(e, size, RCX, RCX);
        x64_jcc8(e, X64_E, zero);
    }
    if (may_minus) {
        x64_alu_ri(e, X64_CMP, size, RCX, -1);
        x64_jcc8(e, X64_E, minus);
    }
    if (sign) {
        x64_none(e, narrow ? X64_CDQ : X64_CQO);
        x64_r(e, X64_IDIV, size, RCX);
    } else {
        x64_zero(e, RDX);
        x64_r(e, X64_DIV, size, RCX);
    }
    if (rem)
        x64_mov_rr(e, 8, RAX, RDX);
    if (may_zero || may_minus)
        x64_jmp8(e, done);
    if (may_minus) {
        x64_bind(e, minus);
        if (rem)
            x64_zero(e, RAX);
        else
            x64_r(e, X64_NEG, size, RAX);
        if (may_zero)
            x64_jmp8(e, done);
    }
    x64_bind(e, zero);
    if (may_zero && !rem)
        x64_mov_ri(e, RAX, ~UINT64_C(0));
    if (!may_minus)
        x64_bind(e, minus);
    x64_bind(e, done);
    if (narrow)
        x64_rr(e, X64_MOVSXD, 8, RAX, RAX);
    bt_done(m, v, RAX);
}

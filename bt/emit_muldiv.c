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

/* High half of a product. rdx and rcx are kept free (alloc.c). */
void bt_emit_multiply_high(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    bool imm = uop_info[o->op].rr_form != o->op;
    uint16_t op = uop_info[o->op].rr_form;
    if (imm)
        x64_mov_ri(&m->e, RCX, (uint64_t)o->imm);
    else
        bt_load_gpr(m, RCX, o->b);
    bt_load_gpr(m, RAX, o->a);
    if (op == UOP_mulh_su) {
        /* unsigned product, less b where a is negative */
        x64_push(&m->e, RAX);
        x64_r(&m->e, X64_MUL, 8, RCX);
        x64_pop(&m->e, RAX);
        x64_shift_ri(&m->e, X64_SAR, 8, RAX, 63);
        x64_alu_rr(&m->e, X64_AND, 8, RAX, RCX);
        x64_alu_rr(&m->e, X64_SUB, 8, RDX, RAX);
    } else {
        x64_r(&m->e, op == UOP_mulh_ss ? X64_IMUL1 : X64_MUL, 8, RCX);
    }
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

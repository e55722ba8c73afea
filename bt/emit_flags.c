/* Emission of condition flags as a value (uop.def, flags_ rows), where somebody needs them as such: exits above all.
 *
 * The host's flags after the same operation are brought into ax by lahf and setcc (N, Z, C, V in bits 15, 14, 8, 0) and from there to
 * their places by a multiplication, whose partial products do not meet.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"
#include "uop/sem.h"

/* The host's flags as a value in rax. borrow: C is the inverted carry. */
static void collect(struct bt_emitter *m, uint32_t v, bool borrow)
{
    struct x64_emit *e = &m->e;
    if (borrow)
        x64_none(e, X64_CMC);
    x64_none(e, X64_LAHF);
    x64_setcc(e, X64_O, RAX);
    x64_alu_ri(e, X64_AND, 4, RAX, 0xc101);
    x64_imul_rri(e, 4, RAX, RAX, 1 << 16 | 1 << 21 | 1 << 28);
    x64_alu_ri(e, X64_AND, 4, RAX, (int32_t)0xf0000000u);
    bt_done(m, v, RAX);
}

static void of_sum(struct bt_emitter *m, uint32_t v, enum x64_alu op, unsigned size)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    if (uop_info[o->op].b != UOP_K_N) {
        bt_load_gpr(m, RAX, o->a);
        struct bt_source s = bt_source(m, o->b, X64_NONE);
        if (s.kind == BT_SRC_REG)
            x64_alu_rr(e, op, size, RAX, s.reg);
        else if (s.kind == BT_SRC_MEM)
            x64_alu_rm(e, op, size, RAX, s.mem);
        else
            x64_alu_ri(e, op, size, RAX, s.imm);
    } else if (size == 4 || o->imm == (int32_t)o->imm) {
        bt_load_gpr(m, RAX, o->a);
        x64_alu_ri(e, op, size, RAX, (int32_t)o->imm);
    } else {
        x64_mov_ri(e, RAX, (uint64_t)o->imm);
        x64_mov_mr(e, 8, X64_CPU(call_arg[0][0]), RAX);
        bt_load_gpr(m, RAX, o->a);
        x64_alu_rm(e, op, size, RAX, X64_CPU(call_arg[0][0]));
    }
    collect(m, v, op == X64_SUB);
}

static void of_logic(struct bt_emitter *m, uint32_t v, unsigned size)
{
    unsigned a = bt_gpr(m, m->r->ops[v].a, RAX);
    x64_test_rr(&m->e, size, a, a);
    collect(m, v, false);
}

/* One bit of the flags, or by a table of the sixteen. */
static void condition(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned cc = o->imm & 15;
    if (cc < 8) {
        static const uint8_t bit[4] = {30, 29, 31, 28};
        bt_load_gpr(m, RAX, o->a);
        x64_shift_ri(e, X64_SHR, 4, RAX, bit[cc / 2]);
        x64_alu_ri(e, X64_AND, 4, RAX, 1);
        if (cc & 1)
            x64_alu_ri(e, X64_XOR, 4, RAX, 1);
    } else {
        uint32_t table = 0;
        for (unsigned n = 0; n < 16; n++)
            table |= (uint32_t)uop_cond((uint64_t)n << 28, cc) << n;
        bt_load_gpr(m, RAX, o->a);
        x64_push(e, RCX);
        x64_mov_rr(e, 4, RCX, RAX);
        x64_shift_ri(e, X64_SHR, 4, RCX, 28);
        x64_mov_ri(e, RAX, table);
        x64_shift_rcl(e, X64_SHR, 4, RAX);
        x64_alu_ri(e, X64_AND, 4, RAX, 1);
        x64_pop(e, RCX);
    }
    bt_done(m, v, RAX);
}

bool bt_emit_flags(struct bt_emitter *m, uint32_t v)
{
    uint16_t row = uop_info[m->r->ops[v].op].rr_form;
    if (!x64_has(&m->e, X64_F_LAHF) && row != UOP_cond)
        return false;
    switch (row) {
    case UOP_flags_add_64:
        of_sum(m, v, X64_ADD, 8);
        return true;
    case UOP_flags_add_32:
        of_sum(m, v, X64_ADD, 4);
        return true;
    case UOP_flags_sub_64:
        of_sum(m, v, X64_SUB, 8);
        return true;
    case UOP_flags_sub_32:
        of_sum(m, v, X64_SUB, 4);
        return true;
    case UOP_flags_logic_64:
        of_logic(m, v, 8);
        return true;
    case UOP_flags_logic_32:
        of_logic(m, v, 4);
        return true;
    case UOP_cond:
        if (m->r->ops[v].op == UOP_cond)
            return false;
        condition(m, v);
        return true;
    default:
        return false;
    }
}

/* Emission of condition flags as a value (uop.def, flags_ rows), where somebody needs them as such, of conditions on them and of
 * carries.
 *
 * Flags as a value are the host's after the same operation, as lahf and seto bring them into ax (enum in uop/uop.h): B is
 * the host's carry after a subtraction, and the inverted one after an addition. The way back is an addition, for the overflow, and sahf; then
 * every one of Arm's conditions is one of the host's.
 *
 * A condition that only the operation right behind it looks at stays in the host's flags (fused in struct bt_emitter).
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"
#include "uop/sem.h"

/* Arm's condition numbers as the host's, when its flags have been brought back from a value. */
static const uint8_t host_condition[14] = {X64_E,  X64_NE, X64_AE, X64_B,  X64_S, X64_NS, X64_O,
                                           X64_NO, X64_A,  X64_BE, X64_GE, X64_L, X64_G,  X64_LE};

/* The host's flags as a value in rax. */
static void collect(struct bt_emitter *m, uint32_t v)
{
    struct x64_emit *e = &m->e;
    x64_none(e, X64_LAHF);
    x64_setcc(e, X64_O, RAX);
    x64_alu_ri(e, X64_AND, 4, RAX, UOP_FLAG_N | UOP_FLAG_Z | UOP_FLAG_B | UOP_FLAG_V);
    bt_done(m, v, RAX);
}

/* rax = a op b; for a comparison nothing but the flags. */
static void operate(struct bt_emitter *m, const struct bt_op *o, enum x64_alu op, unsigned size)
{
    struct x64_emit *e = &m->e;
    struct bt_source s;
    bool imm = uop_info[o->op].b == UOP_K_N;
    if (!imm) {
        s = bt_source(m, o->b, X64_NONE);
    } else if (size == 4 || o->imm == (int32_t)o->imm) {
        s = (struct bt_source){.kind = BT_SRC_IMM, .imm = (int32_t)o->imm};
    } else {
        x64_mov_ri(e, RAX, (uint64_t)o->imm);
        x64_mov_mr(e, 8, X64_CPU(call_arg[0][0]), RAX);
        s = (struct bt_source){.kind = BT_SRC_MEM, .mem = X64_CPU(call_arg[0][0])};
    }
    struct bt_loc la = bt_loc(m, o->a);
    unsigned a = RAX;
    if (op == X64_CMP && la.place == BT_UNIT && s.kind != BT_SRC_MEM) {
        if (s.kind == BT_SRC_REG)
            x64_alu_mr(e, op, size, x64_slot(la.n), s.reg);
        else
            x64_alu_mi(e, op, size, x64_slot(la.n), s.imm);
        return;
    }
    if (op == X64_CMP)
        a = bt_gpr(m, o->a, RAX);
    else
        bt_load_gpr(m, RAX, o->a);
    if (s.kind == BT_SRC_REG)
        x64_alu_rr(e, op, size, a, s.reg);
    else if (s.kind == BT_SRC_MEM)
        x64_alu_rm(e, op, size, a, s.mem);
    else
        x64_alu_ri(e, op, size, a, s.imm);
}

static void of_logic(struct bt_emitter *m, uint32_t v, unsigned size)
{
    unsigned a = bt_gpr(m, m->r->ops[v].a, RAX);
    x64_test_rr(&m->e, size, a, a);
    x64_none(&m->e, X64_LAHF);
    x64_alu_ri(&m->e, X64_AND, 4, RAX, UOP_FLAG_N | UOP_FLAG_Z);
    x64_alu_ri(&m->e, X64_OR, 4, RAX, UOP_FLAG_B);
    bt_done(m, v, RAX);
}

/* ---- conditions ---- */

/* The operation behind v, if it is the only one to need v, a condition, and can take it from the host's flags. */
static const struct bt_op *only_user(const struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = m->follows ? &m->r->ops[m->follows] : NULL;
    if (!o || m->r->ops[v].uses != 1 || m->r->ops[v].sunk)
        return NULL;
    if (o->op == UOP_sel && o->a == v && o->b != v && o->c != v)
        return o;
    bool branch = (o->op == UOP_br_ne || o->op == UOP_br_eq) && o->a == v &&
                  bt_loc(m, o->b).place == BT_IMM && bt_imm(m, o->b) == 0;
    return branch ? o : NULL;
}

/* One bit of the flags, or by a table of the sixteen, where the host cannot take flags back. */
static void condition_by_bits(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned cc = o->imm & 15;
    bt_load_gpr(m, RAX, o->a);
    if (cc >= 6) {
        x64_test_rr(e, 1, RAX, RAX);
        x64_setcc(e, X64_G, RAX);
    }
    if (cc < 8) {
        static const uint8_t bit[4] = {14, 8, 15, 0};
        if (bit[cc / 2])
            x64_shift_ri(e, X64_SHR, 4, RAX, bit[cc / 2]);
        x64_alu_ri(e, X64_AND, 4, RAX, 1);
        if ((cc & 1) != (cc / 2 == 1))
            x64_alu_ri(e, X64_XOR, 4, RAX, 1);
    } else {
        /* N Z B V as a number. */
        uint32_t table = 0;
        for (unsigned n = 0; n < 16; n++)
            table |= (uint32_t)uop_cond(uop_flags_of(n ^ 2), cc) << n;
        x64_imul_rri(e, 4, RAX, RAX, 1 << 16 | 1 << 21 | 1 << 28);
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

/* Where slots are always in place: does the operation that made the flags still find its operands? Then its flags are had
 * again for less than from their value. */
static bool compare_again(struct bt_emitter *m, const struct bt_op *cond, unsigned cc,
                          enum x64_cc *host)
{
    const struct bt_op *o = &m->r->ops[m->flags_of];
    if (!m->flags_of || m->r->ops[cond->a].op != BT_ENTRY || m->r->ops[cond->a].slot != o->slot)
        return false;
    *host = (enum x64_cc)host_condition[cc];
    switch (uop_info[o->op].rr_form) {
    case UOP_flags_sub_64:
        operate(m, o, X64_CMP, 8);
        return true;
    case UOP_flags_sub_32:
        operate(m, o, X64_CMP, 4);
        return true;
    case UOP_flags_logic_64:
    case UOP_flags_logic_32: {
        if (cc == 2 || cc == 3 || cc == 8 || cc == 9) /* the carry is clear, and not inverted */
            return false;
        unsigned a = bt_gpr(m, o->a, RAX);
        x64_test_rr(&m->e, o->op == UOP_flags_logic_64 ? 8 : 4, a, a);
        return true;
    }
    default:
        return false;
    }
}

void bt_note_flags(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v], *f = &m->r->ops[m->flags_of];
    if (o->kind == UOP_K_N)
        return;
    uint16_t row = o->op < UOP_CODES ? uop_info[o->op].rr_form : o->op;
    bool flags = (row >= UOP_flags_add_64 && row <= UOP_flags_sub_32) ||
                 row == UOP_flags_logic_64 || row == UOP_flags_logic_32;
    if (flags && o->slot != BT_NO_SLOT && m->r->ops[o->a].op == BT_ENTRY &&
        (uop_info[o->op].b == UOP_K_N || m->r->ops[o->b].op == BT_ENTRY)) {
        m->flags_of = v;
    } else if (m->flags_of && o->slot != BT_NO_SLOT &&
               (o->slot == f->slot || o->slot == m->r->ops[f->a].slot ||
                (uop_info[f->op].b != UOP_K_N && o->slot == m->r->ops[f->b].slot))) {
        m->flags_of = 0;
    }
}

static void condition(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v], *user = only_user(m, v);
    struct x64_emit *e = &m->e;
    unsigned cc = o->imm & 15;
    if (cc >= 14) {
        x64_mov_ri(e, RAX, 1);
        bt_done(m, v, RAX);
        return;
    }
    if (!x64_has(e, X64_F_LAHF) || (cc < 8 && !user)) {
        condition_by_bits(m, v);
        return;
    }
    if (user && user->snap && uop_info[user->op].flags & UOP_F_BRANCH)
        bt_poll(m, user);
    if (user && compare_again(m, o, cc, &m->fused_cc)) {
        m->fused = v;
        return;
    }
    bt_load_gpr(m, RAX, o->a);
    if (cc == 2 || cc == 3) {
        x64_shift_ri(e, X64_SHR, 4, RAX, 9); /* B is the last bit out */
    } else {
        if (cc >= 6)
            x64_alu_ri(e, X64_ADD, 1, RAX, 127); /* V overflows */
        x64_none(e, X64_SAHF);
    }
    if (user) {
        m->fused = v;
        m->fused_cc = (enum x64_cc)host_condition[cc];
        return;
    }
    unsigned d = bt_dst(m, v, RAX);
    x64_setcc(e, (enum x64_cc)host_condition[cc], RAX);
    x64_rr(e, X64_MOVZX8, 4, d, RAX);
    bt_done(m, v, d);
}

/* ---- carries ---- */

static bool takes_carry(uint16_t op)
{
    return (op >= UOP_flags_adc_64 && op <= UOP_sbc_32z) || bt_is_carry(op);
}

bool bt_keeps_flags(const struct bt_emitter *m, const struct bt_op *o)
{
    switch (o->op) {
    case UOP_mov_64:
    case UOP_movi:
    case UOP_zext8:
    case UOP_zext16:
    case UOP_zext32:
    case UOP_sext8:
    case UOP_sext16:
    case UOP_sext32:
        return !bt_is_float(m->r, (uint32_t)(o - m->r->ops));
    case UOP_ld_v128:
    case UOP_st_v128:
        return o->imm == (int32_t)o->imm;
    default:
        return o->op >= UOP_ld_s8 && o->op <= UOP_st_64 && o->imm == (int32_t)o->imm;
    }
}

bool bt_leave_carry(struct bt_emitter *m, uint32_t v, bool inverted)
{
    const struct bt_region *r = m->r;
    const struct bt_block *b = &r->blocks[m->block];
    if (m->op != v || r->ops[v].sunk)
        return false;
    m->made.bit = v;
    m->made.inverted = inverted;
    for (uint32_t k = m->at + 1; k < b->nops && r->ops[v].uses == 1; k++) {
        const struct bt_op *o = &r->ops[b->ops[k]];
        if (takes_carry(o->op) && o->c == v)
            return o->a != v && o->b != v;
        if (!bt_keeps_flags(m, o))
            return false;
    }
    return false;
}

/* Bring carry c, 0 or 1, into the host's carry flag; a borrow is its inverse. Clobbers rax. */
static void carry_in(struct bt_emitter *m, uint32_t c, bool borrow)
{
    struct x64_emit *e = &m->e;
    struct bt_loc l = bt_loc(m, c);
    if (m->have.bit && m->have.bit == c) {
        if (m->have.inverted != borrow)
            x64_none(e, X64_CMC);
        return;
    }
    if (l.place == BT_IMM) {
        x64_none(e, bt_imm(m, c) & 1 ? X64_STC : X64_CLC);
        if (borrow)
            x64_none(e, X64_CMC);
        return;
    }
    if (l.place == BT_UNIT)
        x64_mi8(e, X64_BT_I8, 4, x64_slot(l.n), 0);
    else
        x64_ri8(e, X64_BT_I8, 4, bt_gpr(m, c, RAX), 0);
    if (borrow)
        x64_none(e, X64_CMC);
}

/* rax, or another register where a and b do not lie, = a + b + c or a - b - !c. */
static void with_carry(struct bt_emitter *m, const struct bt_op *o, unsigned d, bool borrow,
                       unsigned size)
{
    struct x64_emit *e = &m->e;
    enum x64_alu op = borrow ? X64_SBB : X64_ADC;
    struct bt_source s = bt_source(m, o->b, X64_NONE);
    carry_in(m, o->c, borrow);
    bt_load_gpr(m, d, o->a);
    if (s.kind == BT_SRC_REG)
        x64_alu_rr(e, op, size, d, s.reg);
    else if (s.kind == BT_SRC_MEM)
        x64_alu_rm(e, op, size, d, s.mem);
    else
        x64_alu_ri(e, op, size, d, s.imm);
}

static bool carries(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v], *n = &m->r->ops[m->next];
    struct x64_emit *e = &m->e;
    bool borrow = false, narrow = false;
    switch (o->op) {
    case UOP_flags_sbc_32:
    case UOP_sbc_32z:
    case UOP_carry_sbc_32:
        borrow = narrow = true;
        break;
    case UOP_flags_sbc_64:
    case UOP_sbc_64:
    case UOP_carry_sbc_64:
        borrow = true;
        break;
    case UOP_flags_adc_32:
    case UOP_adc_32z:
    case UOP_carry_adc_32:
        narrow = true;
        break;
    }
    unsigned size = narrow ? 4 : 8, d;
    switch (o->op) {
    case UOP_flags_adc_64:
    case UOP_flags_adc_32:
    case UOP_flags_sbc_64:
    case UOP_flags_sbc_32:
        if (!x64_has(e, X64_F_LAHF))
            return false;
        with_carry(m, o, RAX, borrow, size);
        if (!borrow)
            x64_none(e, X64_CMC);
        collect(m, v);
        return true;
    case UOP_adc_64:
    case UOP_adc_32z:
    case UOP_sbc_64:
    case UOP_sbc_32z: {
        struct bt_loc lb = bt_loc(m, o->b);
        d = bt_dst(m, v, RAX);
        if (lb.place == BT_GPR && lb.n == d)
            d = RAX;
        with_carry(m, o, d, borrow, size);
        bt_done(m, v, d);
        if (m->next && bt_is_carry(n->op) && n->a == o->a && n->b == o->b && n->c == o->c &&
            n->op - UOP_carry_adc_64 == o->op - UOP_adc_64)
            m->made.carry = v;
        return true;
    }
    case UOP_carry_adc_64:
    case UOP_carry_adc_32:
    case UOP_carry_sbc_64:
    case UOP_carry_sbc_32:
        if (!m->have.carry)
            with_carry(m, o, RAX, borrow, size);
        if (bt_leave_carry(m, v, borrow))
            return true;
        d = bt_dst(m, v, RAX);
        x64_setcc(e, borrow ? X64_AE : X64_B, RAX);
        x64_rr(e, X64_MOVZX8, 4, d, RAX);
        bt_done(m, v, d);
        return true;
    default:
        return false;
    }
}

bool bt_emit_flags(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    uint16_t row = uop_info[o->op].rr_form;
    unsigned size = 4;
    if (o->op == UOP_cond_i) {
        condition(m, v);
        return true;
    }
    if (row < UOP_flags_add_64 || row > UOP_flags_logic_32)
        return false;
    if (row > UOP_flags_sub_32_i && row < UOP_flags_logic_64)
        return carries(m, v);
    if (!x64_has(&m->e, X64_F_LAHF))
        return false;
    switch (row) {
    case UOP_flags_add_64:
        size = 8;
        /* fall through */
    case UOP_flags_add_32:
        operate(m, o, X64_ADD, size);
        x64_none(&m->e, X64_CMC);
        break;
    case UOP_flags_sub_64:
        size = 8;
        /* fall through */
    case UOP_flags_sub_32:
        operate(m, o, X64_CMP, size);
        break;
    default:
        of_logic(m, v, row == UOP_flags_logic_64 ? 8 : 4);
        return true;
    }
    collect(m, v);
    return true;
}

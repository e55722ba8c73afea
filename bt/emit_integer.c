/* Emission of integer operations and comparisons.
 *
 * x86 has two-address arithmetic: a result is computed in its own register when the second operand does not
 * lie there, else in rax. A result of 32 bits is extended as its row says.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

struct x64_mem bt_through_memory(struct bt_emitter *m, uint32_t v)
{
    struct bt_loc l = bt_loc(m, v);
    struct x64_mem low = X64_CPU(exit_arg), high = low;
    if (l.place == BT_XMM && m->r->ops[v].kind == UOP_K_S) {
        bt_store_narrow(m, l.n, low);
    } else if (l.place == BT_XMM) {
        x64_v_rm(&m->e, X64_MOVQ_X_ST, l.n, low);
    } else {
        high.disp += 4;
        x64_mov_mi(&m->e, 4, low, (int32_t)bt_imm(m, v));
        x64_mov_mi(&m->e, 4, high, (int32_t)(bt_imm(m, v) >> 32));
    }
    return low;
}

struct bt_source bt_source(struct bt_emitter *m, uint32_t v, unsigned scratch)
{
    struct bt_loc l = bt_loc(m, v);
    if (l.place == BT_UNIT)
        return (struct bt_source){.kind = BT_SRC_MEM, .mem = x64_slot(l.n)};
    if (l.place == BT_IMM && (int64_t)bt_imm(m, v) == (int32_t)bt_imm(m, v))
        return (struct bt_source){.kind = BT_SRC_IMM, .imm = (int32_t)bt_imm(m, v)};
    if (scratch != X64_NONE || l.place == BT_GPR)
        return (struct bt_source){.kind = BT_SRC_REG, .reg = bt_gpr(m, v, scratch)};
    return (struct bt_source){.kind = BT_SRC_MEM, .mem = bt_through_memory(m, v)};
}

void bt_alu(struct bt_emitter *m, enum x64_alu op, unsigned size, unsigned d,
            const struct bt_source *s)
{
    if (s->kind == BT_SRC_REG)
        x64_alu_rr(&m->e, op, size, d, s->reg);
    else if (s->kind == BT_SRC_MEM)
        x64_alu_rm(&m->e, op, size, d, s->mem);
    else
        x64_alu_ri(&m->e, op, size, d, s->imm);
}

void bt_add(struct bt_emitter *m, unsigned reg, uint32_t v)
{
    struct bt_source s = bt_source(m, v, X64_NONE);
    bt_alu(m, X64_ADD, 8, reg, &s);
}

void bt_extend(struct bt_emitter *m, enum bt_width w, unsigned reg)
{
    if (w == BT_W32S)
        x64_rr(&m->e, X64_MOVSXD, 8, reg, reg);
}

/* ---- two operands ---- */

/* Does the next operation ask whether the sum v wrapped around? */
static bool wants_carry(const struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v], *n = &m->r->ops[m->next];
    if (!m->next || n->op != UOP_set_ltu || n->a != v)
        return false;
    return n->b == o->a || (uop_info[o->op].b != UOP_K_N && n->b == o->b);
}

/* v has been added up by an instruction that sets the carry flag, and only moved since. */
static void note_carry(struct bt_emitter *m, uint32_t v, enum x64_alu op, enum bt_width w)
{
    if (op == X64_ADD && w == BT_W64 && wants_carry(m, v))
        m->made.carry = v;
}

static void binary(struct bt_emitter *m, uint32_t v, enum x64_alu op, enum bt_width w,
                   bool commutes)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned size = w == BT_W64 ? 8 : 4;
    unsigned d = bt_dst(m, v, RAX);
    uint32_t a = o->a, b = o->b;
    struct bt_loc lb = bt_loc(m, b);
    if (lb.place == BT_GPR && lb.n == d && !(bt_loc(m, a).place == BT_GPR && bt_loc(m, a).n == d)) {
        if (commutes) {
            uint32_t t = a;
            a = b, b = t;
        } else {
            d = RAX;
        }
    }
    struct bt_loc la = bt_loc(m, a);
    if (op == X64_ADD && la.place == BT_GPR && la.n != d && bt_loc(m, b).place == BT_GPR &&
        !wants_carry(m, v)) {
        x64_lea(&m->e, size, d, x64_mem_idx(la.n, bt_loc(m, b).n, 1, 0));
        bt_extend(m, w, d);
        bt_done(m, v, d);
        return;
    }
    bt_load_gpr(m, d, a);
    struct bt_source s = bt_source(m, b, d == RAX ? X64_NONE : RAX);
    bt_alu(m, op, size, d, &s);
    bt_extend(m, w, d);
    bt_done(m, v, d);
    note_carry(m, v, op, w);
}

static void binary_imm(struct bt_emitter *m, uint32_t v, enum x64_alu op, enum bt_width w)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned size = w == BT_W64 ? 8 : 4;
    unsigned d = bt_dst(m, v, RAX);
    int64_t imm = w == BT_W64 ? o->imm : (int32_t)o->imm;
    struct bt_loc la = bt_loc(m, o->a);
    if (imm != (int32_t)imm) {
        /* All of these commute; the constant goes first where the result is computed. */
        if (la.place == BT_XMM && op != X64_ADD && m->r->ops[o->a].kind != UOP_K_S) {
            /* Sign manipulation of a double; above a single precision number there may be anything. */
            x64_mov_ri(&m->e, RAX, (uint64_t)imm);
            x64_v_gr(&m->e, X64_MOVQ, 8, XMM0, RAX);
            x64_v_rrr_c(&m->e,
                        op == X64_AND  ? X64_ANDPS
                        : op == X64_OR ? X64_ORPS
                                       : X64_XORPS,
                        XMM0, XMM0, la.n);
            bt_xdone(m, v, XMM0);
            return;
        }
        if (la.place == BT_GPR && la.n == d) {
            x64_mov_ri(&m->e, RAX, (uint64_t)imm);
            x64_alu_rr(&m->e, op, 8, d, RAX);
        } else {
            struct bt_source a = bt_source(m, o->a, X64_NONE);
            x64_mov_ri(&m->e, d, (uint64_t)imm);
            bt_alu(m, op, 8, d, &a);
        }
        bt_done(m, v, d);
        return;
    }
    if (op == X64_ADD && la.place == BT_GPR && la.n != d && !wants_carry(m, v)) {
        x64_lea(&m->e, size, d, x64_mem(la.n, (int32_t)imm));
        bt_extend(m, w, d);
        bt_done(m, v, d);
        return;
    }
    bt_load_gpr(m, d, o->a);
    x64_alu_ri(&m->e, op, size, d, (int32_t)imm);
    bt_extend(m, w, d);
    bt_done(m, v, d);
    note_carry(m, v, op, w);
}

/* andn, orn, xnor: the second operand inverted. */
static void inverted(struct bt_emitter *m, uint32_t v, enum x64_alu op)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned d = bt_dst(m, v, RAX);
    if (op == X64_AND && x64_has(&m->e, X64_F_BMI1) && bt_loc(m, o->a).place != BT_IMM) {
        /* d = ~v & rm */
        struct bt_source a = bt_source(m, o->a, X64_NONE);
        unsigned b = bt_gpr(m, o->b, RAX);
        if (a.kind == BT_SRC_MEM)
            x64_vex_rrm(&m->e, X64_ANDN, 8, d, b, a.mem);
        else
            x64_vex_rrr(&m->e, X64_ANDN, 8, d, b, a.reg);
        bt_done(m, v, d);
        return;
    }
    bt_load_gpr(m, RAX, o->b);
    x64_r(&m->e, X64_NOT, 8, RAX);
    struct bt_source s = bt_source(m, o->a, X64_NONE);
    bt_alu(m, op, 8, RAX, &s);
    bt_done(m, v, RAX);
}

/* ---- shifts ---- */

/* How many low bits of v does anything look at? All of them, unless the next operation alone does. */
static unsigned low_bits_wanted(const struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *n = &m->r->ops[m->next];
    if (!m->next || n->a != v || m->r->ops[v].uses != 1)
        return 64;
    switch (n->op) {
    case UOP_zext8:
        return 8;
    case UOP_zext16:
        return 16;
    case UOP_and_64_i:
    case UOP_and_32z_i:
        return n->imm > 0 ? 64 - (unsigned)__builtin_clzll((uint64_t)n->imm) : 64;
    default:
        return 64;
    }
}

/* A field of a value: what a rotation brings in above it is cut off by the next operation. Bytes in memory are loaded by themselves. */
static bool field_down(struct bt_emitter *m, uint32_t v, unsigned size, unsigned n)
{
    const struct bt_op *o = &m->r->ops[v];
    struct bt_loc la = bt_loc(m, o->a);
    unsigned d = bt_dst(m, v, RAX), wanted = low_bits_wanted(m, v);
    if (!n || n + wanted > size * 8 || (la.place != BT_UNIT && (la.place != BT_GPR || la.n == d)))
        return false;
    uint16_t next = m->r->ops[m->next].op;
    if (la.place == BT_UNIT && n % 8 == 0 && (next == UOP_zext8 || next == UOP_zext16)) {
        struct x64_mem from = x64_slot(la.n);
        from.disp += (int32_t)n / 8;
        x64_rm(&m->e, next == UOP_zext8 ? X64_MOVZX8 : X64_MOVZX16, 4, d, from);
        m->made.extended = v;
    } else if (!x64_has(&m->e, X64_F_BMI2)) {
        return false;
    } else if (la.place == BT_UNIT) {
        x64_rorx_m(&m->e, size, d, x64_slot(la.n), n);
    } else {
        x64_rorx(&m->e, size, d, la.n, n);
    }
    bt_done(m, v, d);
    return true;
}

static void shift_imm(struct bt_emitter *m, uint32_t v, enum x64_shift op, enum bt_width w)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned size = w == BT_W64 ? 8 : 4;
    unsigned n = o->imm & (w == BT_W64 ? 63 : 31);
    unsigned d = bt_dst(m, v, RAX);
    struct bt_loc la = bt_loc(m, o->a);
    if (op == X64_SHL && w == BT_W64 && n >= 1 && n <= 3 && la.place == BT_GPR && la.n != d) {
        if (n == 1)
            x64_lea(&m->e, 8, d, x64_mem_idx(la.n, la.n, 1, 0));
        else
            x64_lea(&m->e, 8, d, x64_mem_idx(X64_NONE, la.n, 1u << n, 0));
        bt_done(m, v, d);
        return;
    }
    if (op == X64_SHR && field_down(m, v, size, n))
        return;
    if (op == X64_ROR && n && la.place == BT_GPR && la.n != d && x64_has(&m->e, X64_F_BMI2)) {
        x64_rorx(&m->e, size, d, la.n, n);
        bt_extend(m, w, d);
        bt_done(m, v, d);
        return;
    }
    bt_load_gpr(m, d, o->a);
    if (n)
        x64_shift_ri(&m->e, op, size, d, n);
    else if (w != BT_W64)
        x64_mov_rr(&m->e, 4, d, d);
    if (op != X64_SHR || !n) /* else the sign is zero, and so is the upper half */
        bt_extend(m, w, d);
    bt_done(m, v, d);
}

static void shift(struct bt_emitter *m, uint32_t v, enum x64_shift op, unsigned vex,
                  enum bt_width w)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned size = w == BT_W64 ? 8 : 4;
    unsigned d = bt_dst(m, v, RAX);
    if (vex && x64_has(&m->e, X64_F_BMI2)) {
        /* The count must be in a register; the value may be in memory. */
        struct bt_loc la = bt_loc(m, o->a);
        if (la.place == BT_UNIT) {
            unsigned b = bt_gpr(m, o->b, RAX);
            x64_vex_rrm(&m->e, vex, size, d, b, x64_slot(la.n));
        } else if (bt_loc(m, o->b).place == BT_GPR) {
            x64_vex_rrr(&m->e, vex, size, d, bt_loc(m, o->b).n, bt_gpr(m, o->a, RAX));
        } else if (la.place == BT_GPR) {
            x64_vex_rrr(&m->e, vex, size, d, bt_gpr(m, o->b, RAX), la.n);
        } else {
            /* Neither is in a general register, and rcx is not free: the value goes through memory. */
            bt_load_gpr(m, RAX, o->a);
            x64_mov_mr(&m->e, 8, X64_CPU(call_arg[0][0]), RAX);
            bt_load_gpr(m, RAX, o->b);
            x64_vex_rrm(&m->e, vex, size, d, RAX, X64_CPU(call_arg[0][0]));
        }
    } else {
        /* rcx is kept free around this operation (alloc.c). */
        bt_load_gpr(m, RCX, o->b);
        bt_load_gpr(m, RAX, o->a);
        d = RAX;
        x64_shift_rcl(&m->e, op, size, d);
    }
    bt_extend(m, w, d);
    bt_done(m, v, d);
}

static void shift_add(struct bt_emitter *m, uint32_t v, unsigned n)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned d = bt_dst(m, v, RAX);
    struct bt_loc la = bt_loc(m, o->a), lb = bt_loc(m, o->b);
    if (la.place == BT_GPR && lb.place == BT_GPR) {
        x64_lea(&m->e, 8, d, x64_mem_idx(lb.n, la.n, 1u << n, 0));
    } else if (la.place == BT_GPR && lb.place == BT_IMM &&
               (int64_t)bt_imm(m, o->b) == (int32_t)bt_imm(m, o->b)) {
        x64_lea(&m->e, 8, d, x64_mem_idx(X64_NONE, la.n, 1u << n, (int32_t)bt_imm(m, o->b)));
    } else {
        bt_load_gpr(m, RAX, o->a);
        x64_shift_ri(&m->e, X64_SHL, 8, RAX, n);
        struct bt_source s = bt_source(m, o->b, X64_NONE);
        bt_alu(m, X64_ADD, 8, RAX, &s);
        d = RAX;
    }
    bt_done(m, v, d);
}

static void shift_add_imm(struct bt_emitter *m, uint32_t v, unsigned n)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned d = bt_dst(m, v, RAX);
    if (o->imm != (int32_t)o->imm) {
        x64_mov_ri(&m->e, RAX, (uint64_t)o->imm);
        x64_mov_mr(&m->e, 8, X64_CPU(call_arg[0][0]), RAX);
        bt_load_gpr(m, RAX, o->a);
        x64_shift_ri(&m->e, X64_SHL, 8, RAX, n);
        x64_alu_rm(&m->e, X64_ADD, 8, RAX, X64_CPU(call_arg[0][0]));
        bt_done(m, v, RAX);
        return;
    }
    unsigned a = bt_gpr(m, o->a, RAX);
    x64_lea(&m->e, 8, d, x64_mem_idx(X64_NONE, a, 1u << n, (int32_t)o->imm));
    bt_done(m, v, d);
}

/* ---- one operand ---- */

static void unary(struct bt_emitter *m, uint32_t v, unsigned op, unsigned size)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned d = bt_dst(m, v, RAX);
    struct bt_loc la = bt_loc(m, o->a);
    if (o->a && m->have.extended == o->a)
        bt_load_gpr(m, d, o->a);
    else if (la.place == BT_UNIT)
        x64_rm(&m->e, op, size, d, x64_slot(la.n));
    else
        x64_rr(&m->e, op, size, d, bt_gpr(m, o->a, RAX));
    bt_done(m, v, d);
}

static void zero_extend(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned d = bt_dst(m, v, RAX);
    struct bt_loc la = bt_loc(m, o->a);
    if (la.place == BT_UNIT)
        x64_mov_rm(&m->e, 4, d, x64_slot(la.n));
    else
        x64_mov_rr(&m->e, 4, d, bt_gpr(m, o->a, RAX));
    bt_done(m, v, d);
}

/* Counting: with the instructions where the host has them, else by bit scan with zero apart. */
static void count(struct bt_emitter *m, uint32_t v, unsigned op, unsigned fallback, unsigned size)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    enum x64_feature f = op == X64_LZCNT ? X64_F_LZCNT : X64_F_BMI1;
    if (x64_has(e, f)) {
        unary(m, v, op, size);
        return;
    }
    unsigned done = x64_label(e), zero = x64_label(e);
    bt_load_gpr(m, RAX, o->a);
    x64_test_rr(e, size, RAX, RAX);
    x64_jcc8(e, X64_E, zero);
    x64_rr(e, fallback, size, RAX, RAX);
    if (op == X64_LZCNT)
        x64_alu_ri(e, X64_XOR, 4, RAX, (int32_t)size * 8 - 1);
    x64_jmp8(e, done);
    x64_bind(e, zero);
    x64_mov_ri(e, RAX, size * 8);
    x64_bind(e, done);
    bt_done(m, v, RAX);
}

bool bt_emit_integer(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    switch (o->op) {
    case UOP_add_64:
        binary(m, v, X64_ADD, BT_W64, true);
        break;
    case UOP_add_32s:
        binary(m, v, X64_ADD, BT_W32S, true);
        break;
    case UOP_add_32z:
        binary(m, v, X64_ADD, BT_W32Z, true);
        break;
    case UOP_sub_64:
        binary(m, v, X64_SUB, BT_W64, false);
        break;
    case UOP_sub_32s:
        binary(m, v, X64_SUB, BT_W32S, false);
        break;
    case UOP_sub_32z:
        binary(m, v, X64_SUB, BT_W32Z, false);
        break;
    case UOP_and_64:
        binary(m, v, X64_AND, BT_W64, true);
        break;
    case UOP_and_32z:
        binary(m, v, X64_AND, BT_W32Z, true);
        break;
    case UOP_or_64:
        binary(m, v, X64_OR, BT_W64, true);
        break;
    case UOP_or_32z:
        binary(m, v, X64_OR, BT_W32Z, true);
        break;
    case UOP_xor_64:
        binary(m, v, X64_XOR, BT_W64, true);
        break;
    case UOP_xor_32z:
        binary(m, v, X64_XOR, BT_W32Z, true);
        break;
    case UOP_add_64_i:
        binary_imm(m, v, X64_ADD, BT_W64);
        break;
    case UOP_add_32s_i:
        binary_imm(m, v, X64_ADD, BT_W32S);
        break;
    case UOP_add_32z_i:
        binary_imm(m, v, X64_ADD, BT_W32Z);
        break;
    case UOP_and_64_i:
        binary_imm(m, v, X64_AND, BT_W64);
        break;
    case UOP_and_32z_i:
        binary_imm(m, v, X64_AND, BT_W32Z);
        break;
    case UOP_or_64_i:
        binary_imm(m, v, X64_OR, BT_W64);
        break;
    case UOP_or_32z_i:
        binary_imm(m, v, X64_OR, BT_W32Z);
        break;
    case UOP_xor_64_i:
        binary_imm(m, v, X64_XOR, BT_W64);
        break;
    case UOP_xor_32z_i:
        binary_imm(m, v, X64_XOR, BT_W32Z);
        break;
    case UOP_andn_64:
        inverted(m, v, X64_AND);
        break;
    case UOP_orn_64:
        inverted(m, v, X64_OR);
        break;
    case UOP_xnor_64:
        inverted(m, v, X64_XOR);
        break;
    case UOP_shl_64:
        shift(m, v, X64_SHL, X64_SHLX, BT_W64);
        break;
    case UOP_shl_32s:
        shift(m, v, X64_SHL, X64_SHLX, BT_W32S);
        break;
    case UOP_shl_32z:
        shift(m, v, X64_SHL, X64_SHLX, BT_W32Z);
        break;
    case UOP_shr_64:
        shift(m, v, X64_SHR, X64_SHRX, BT_W64);
        break;
    case UOP_shr_32s:
        shift(m, v, X64_SHR, X64_SHRX, BT_W32S);
        break;
    case UOP_shr_32z:
        shift(m, v, X64_SHR, X64_SHRX, BT_W32Z);
        break;
    case UOP_sar_64:
        shift(m, v, X64_SAR, X64_SARX, BT_W64);
        break;
    case UOP_sar_32s:
        shift(m, v, X64_SAR, X64_SARX, BT_W32S);
        break;
    case UOP_sar_32z:
        shift(m, v, X64_SAR, X64_SARX, BT_W32Z);
        break;
    case UOP_ror_64:
        shift(m, v, X64_ROR, 0, BT_W64);
        break;
    case UOP_ror_32s:
        shift(m, v, X64_ROR, 0, BT_W32S);
        break;
    case UOP_ror_32z:
        shift(m, v, X64_ROR, 0, BT_W32Z);
        break;
    case UOP_shl_64_i:
        shift_imm(m, v, X64_SHL, BT_W64);
        break;
    case UOP_shl_32s_i:
        shift_imm(m, v, X64_SHL, BT_W32S);
        break;
    case UOP_shl_32z_i:
        shift_imm(m, v, X64_SHL, BT_W32Z);
        break;
    case UOP_shr_64_i:
        shift_imm(m, v, X64_SHR, BT_W64);
        break;
    case UOP_shr_32s_i:
        shift_imm(m, v, X64_SHR, BT_W32S);
        break;
    case UOP_shr_32z_i:
        shift_imm(m, v, X64_SHR, BT_W32Z);
        break;
    case UOP_sar_64_i:
        shift_imm(m, v, X64_SAR, BT_W64);
        break;
    case UOP_sar_32s_i:
        shift_imm(m, v, X64_SAR, BT_W32S);
        break;
    case UOP_sar_32z_i:
        shift_imm(m, v, X64_SAR, BT_W32Z);
        break;
    case UOP_ror_64_i:
        shift_imm(m, v, X64_ROR, BT_W64);
        break;
    case UOP_ror_32s_i:
        shift_imm(m, v, X64_ROR, BT_W32S);
        break;
    case UOP_ror_32z_i:
        shift_imm(m, v, X64_ROR, BT_W32Z);
        break;
    case UOP_sh1add_64:
        shift_add(m, v, 1);
        break;
    case UOP_sh2add_64:
        shift_add(m, v, 2);
        break;
    case UOP_sh3add_64:
        shift_add(m, v, 3);
        break;
    case UOP_sh1add_64_i:
        shift_add_imm(m, v, 1);
        break;
    case UOP_sh2add_64_i:
        shift_add_imm(m, v, 2);
        break;
    case UOP_sh3add_64_i:
        shift_add_imm(m, v, 3);
        break;
    case UOP_mul_64:
        bt_emit_multiply(m, v, BT_W64);
        break;
    case UOP_mul_32s:
        bt_emit_multiply(m, v, BT_W32S);
        break;
    case UOP_mul_32z:
        bt_emit_multiply(m, v, BT_W32Z);
        break;
    case UOP_mul_64_i:
        bt_emit_multiply_imm(m, v, BT_W64);
        break;
    case UOP_mul_32s_i:
        bt_emit_multiply_imm(m, v, BT_W32S);
        break;
    case UOP_mul_32z_i:
        bt_emit_multiply_imm(m, v, BT_W32Z);
        break;
    case UOP_mulh_ss:
    case UOP_mulh_su:
    case UOP_mulh_uu:
    case UOP_mulh_ss_i:
    case UOP_mulh_su_i:
    case UOP_mulh_uu_i:
        bt_emit_multiply_high(m, v);
        break;
    case UOP_div_s64:
    case UOP_div_u64:
    case UOP_rem_s64:
    case UOP_rem_u64:
    case UOP_div_s32:
    case UOP_div_u32:
    case UOP_rem_s32:
    case UOP_rem_u32:
    case UOP_div_s64_i:
    case UOP_div_u64_i:
    case UOP_rem_s64_i:
    case UOP_rem_u64_i:
    case UOP_div_s32_i:
    case UOP_div_u32_i:
    case UOP_rem_s32_i:
    case UOP_rem_u32_i:
        bt_emit_divide(m, v);
        break;
    case UOP_set_eq:
    case UOP_set_eq_i:
    case UOP_set_ne:
    case UOP_set_ne_i:
    case UOP_set_lt:
    case UOP_set_lt_i:
    case UOP_set_ltu:
    case UOP_set_ltu_i:
    case UOP_set_ge:
    case UOP_set_ge_i:
    case UOP_set_geu:
    case UOP_set_geu_i:
    case UOP_set_eq_32:
    case UOP_set_eq_32_i:
    case UOP_set_ne_32:
    case UOP_set_ne_32_i:
    case UOP_set_lt_32:
    case UOP_set_lt_32_i:
    case UOP_set_ltu_32:
    case UOP_set_ltu_32_i:
    case UOP_set_ge_32:
    case UOP_set_ge_32_i:
    case UOP_set_geu_32:
    case UOP_set_geu_32_i:
        bt_emit_condition(m, v);
        break;
    case UOP_min_s64:
    case UOP_min_s64_i:
        bt_emit_extreme(m, v, X64_L);
        break;
    case UOP_max_s64:
    case UOP_max_s64_i:
        bt_emit_extreme(m, v, X64_G);
        break;
    case UOP_min_u64:
    case UOP_min_u64_i:
        bt_emit_extreme(m, v, X64_B);
        break;
    case UOP_max_u64:
    case UOP_max_u64_i:
        bt_emit_extreme(m, v, X64_A);
        break;
    case UOP_sel:
        bt_emit_choice(m, v);
        break;
    case UOP_sext8:
        unary(m, v, X64_MOVSX8, 8);
        break;
    case UOP_sext16:
        unary(m, v, X64_MOVSX16, 8);
        break;
    case UOP_sext32:
        unary(m, v, X64_MOVSXD, 8);
        break;
    case UOP_zext8:
        unary(m, v, X64_MOVZX8, 4);
        break;
    case UOP_zext16:
        unary(m, v, X64_MOVZX16, 4);
        break;
    case UOP_zext32:
        zero_extend(m, v);
        break;
    case UOP_clz_64:
        count(m, v, X64_LZCNT, X64_BSR, 8);
        break;
    case UOP_clz_32:
        count(m, v, X64_LZCNT, X64_BSR, 4);
        break;
    case UOP_ctz_64:
        count(m, v, X64_TZCNT, X64_BSF, 8);
        break;
    case UOP_ctz_32:
        count(m, v, X64_TZCNT, X64_BSF, 4);
        break;
    case UOP_popcnt_64:
    case UOP_popcnt_32:
        if (!x64_has(&m->e, X64_F_POPCNT))
            return false;
        unary(m, v, X64_POPCNT, o->op == UOP_popcnt_64 ? 8 : 4);
        break;
    default:
        return bt_emit_bits(m, v);
    }
    return true;
}

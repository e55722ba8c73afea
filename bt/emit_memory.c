/* Emission of memory operations: one host access for one guest access, with its side-table row.
 *
 * A guest address is a host address, so a load or store is a mov. Every instruction that touches guest memory is
 * preceded by bt_row, which notes its offset. Atomic operations check their alignment first and leave with a fault that
 * says nothing more when it is wrong: the interpreter meets it again (runtime/run.c); they keep rcx and rdx for themselves (alloc.c).
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"
#include <stddef.h>
#include <string.h>

/* [a + imm]; may use rax, which a may be. */
static struct x64_mem displaced(struct bt_emitter *m, unsigned a, int64_t imm)
{
    if (imm == (int32_t)imm)
        return x64_mem(a, (int32_t)imm);
    if (a == RAX) {
        /* No second scratch: add in halves that fit. */
        for (int64_t left = imm; left;) {
            int32_t part = left > INT32_MAX   ? INT32_MAX
                           : left < INT32_MIN ? INT32_MIN
                                              : (int32_t)left;
            if (imm > INT64_C(16) * INT32_MAX || imm < INT64_C(16) * INT32_MIN) {
                m->cannot = "wide displacement";
                break;
            }
            x64_alu_ri(&m->e, X64_ADD, 8, RAX, part);
            left -= part;
        }
        return x64_mem(RAX, 0);
    }
    x64_mov_ri(&m->e, RAX, (uint64_t)imm);
    return x64_mem_idx(RAX, a, 1, 0);
}

/* The operand [a + (c << scale) + imm]; may use rax. */
static struct x64_mem indexed(struct bt_emitter *m, const struct bt_op *o)
{
    unsigned scale = o->indexed - 1u;
    struct bt_loc la = bt_loc(m, o->a), lc = bt_loc(m, o->c);
    bool near = o->imm == (int32_t)o->imm;
    if (near && la.place == BT_GPR && lc.place != BT_IMM)
        return x64_mem_idx(la.n, bt_gpr(m, o->c, RAX), 1u << scale, (int32_t)o->imm);
    if (near && lc.place == BT_GPR && la.place != BT_IMM)
        return x64_mem_idx(bt_gpr(m, o->a, RAX), lc.n, 1u << scale, (int32_t)o->imm);
    int64_t base = la.place == BT_IMM ? (int64_t)(bt_imm(m, o->a) + (uint64_t)o->imm) : 0;
    if (la.place == BT_IMM && lc.place == BT_GPR && base == (int32_t)base)
        return x64_mem_idx(X64_NONE, lc.n, 1u << scale, (int32_t)base);
    /* Neither is where it can be used: the sum, in rax. */
    bt_load_gpr(m, RAX, o->c);
    if (scale)
        x64_shift_ri(&m->e, X64_SHL, 8, RAX, scale);
    bt_add(m, RAX, o->a);
    return displaced(m, RAX, o->imm);
}

/* The operand [a + imm], or with an index; may use rax. */
static struct x64_mem unchecked(struct bt_emitter *m, const struct bt_op *o)
{
    if (o->indexed)
        return indexed(m, o);
    struct bt_loc la = bt_loc(m, o->a);
    int64_t imm = uop_info[o->op].flags & UOP_F_IMM ? o->imm : 0;
    if (la.place == BT_IMM) {
        uint64_t address = bt_imm(m, o->a) + (uint64_t)imm;
        if (address <= INT32_MAX)
            return x64_mem(X64_NONE, (int32_t)address);
        x64_mov_ri(&m->e, RAX, address);
        return x64_mem(RAX, 0);
    }
    unsigned a = bt_gpr(m, o->a, RAX);
    return displaced(m, a, imm);
}

/* ---- the end of the guest's range (bt_check_addresses) ---- */

/* An address that is not below it leaves, and the interpreter, which checks each access, meets it again; so it does no harm to
 * be strict. The widest access has 16 bytes. */
#define NEAR 65536
#define CHECK_END (GUEST_ADDR_END - NEAR - 15)

void bt_check_end(struct bt_emitter *m, const struct bt_op *o, unsigned reg)
{
    x64_alu_rm(&m->e, X64_CMP, 8, reg, bt_const128(m, CHECK_END, 0));
    x64_jcc(&m->e, X64_AE, bt_leave(m, o->snap, EXIT_FAULT));
}

/* Has the block's code compared this base already? Where slots stay in place a value stands for whatever its slot holds. */
static bool is_checked(struct bt_emitter *m, uint32_t base)
{
    const unsigned n = sizeof(m->checked) / sizeof(m->checked[0]);
    if (m->checked_block != m->block) {
        m->checked_block = m->block;
        memset(m->checked, 0, sizeof(m->checked));
    }
    for (unsigned i = 0; i < n; i++) {
        if (m->checked[i] == base)
            return !m->r->in_place;
    }
    m->checked[m->nchecked++ % n] = base;
    return false;
}

/* The same, compared with the end where that was asked for. */
static struct x64_mem address(struct bt_emitter *m, const struct bt_op *o)
{
    struct x64_mem mem = unchecked(m, o);
    if (!bt_checks_addresses)
        return mem;
    if (mem.index != X64_NONE || mem.base == X64_NONE || mem.disp > NEAR || mem.disp < -NEAR) {
        x64_lea(&m->e, 8, RAX, mem);
        bt_check_end(m, o, RAX);
        return x64_mem(RAX, 0);
    }
    if (!is_checked(m, o->a))
        bt_check_end(m, o, mem.base);
    return mem;
}

static void load(struct bt_emitter *m, uint32_t v, unsigned op, unsigned size)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_mem mem = address(m, o);
    if (bt_is_float(m->r, v)) {
        unsigned x = bt_xdst(m, v, XMM0);
        bt_row(m, o->snap);
        x64_v_rm(&m->e, o->op == UOP_ld_64 ? X64_MOVSD : X64_MOVSS, x, mem);
        m->above[v] = o->op == UOP_ld_64 ? 64 : 32;
        bt_xdone(m, v, x);
        return;
    }
    unsigned d = bt_dst(m, v, RAX);
    bt_row(m, o->snap);
    x64_rm(&m->e, op, size, d, mem);
    bt_done(m, v, d);
}

static void store(struct bt_emitter *m, uint32_t v, unsigned size)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_mem mem = address(m, o);
    struct bt_loc lb = bt_loc(m, o->b);
    bool rax_taken = mem.base == RAX || mem.index == RAX;
    if (lb.place == BT_IMM) {
        uint64_t imm = bt_imm(m, o->b);
        if (size < 8 || (int64_t)imm == (int32_t)imm) {
            int32_t low = size == 1 ? (int8_t)imm : size == 2 ? (int16_t)imm : (int32_t)imm;
            bt_row(m, o->snap);
            x64_mov_mi(&m->e, size, mem, low);
            return;
        }
        if (!rax_taken) {
            x64_mov_ri(&m->e, RAX, imm);
            bt_row(m, o->snap);
            x64_mov_mr(&m->e, 8, mem, RAX);
            return;
        }
        struct bt_source s = bt_source(m, o->b, X64_NONE);
        x64_v_rm(&m->e, X64_MOVQ_X, XMM0, s.mem);
        bt_row(m, o->snap);
        x64_v_rm(&m->e, X64_MOVQ_X_ST, XMM0, mem);
        return;
    }
    if (lb.place == BT_GPR) {
        bt_row(m, o->snap);
        x64_mov_mr(&m->e, size, mem, lb.n);
        return;
    }
    if (lb.place == BT_UNIT && !rax_taken) {
        x64_mov_rm(&m->e, 8, RAX, x64_slot(lb.n));
        bt_row(m, o->snap);
        x64_mov_mr(&m->e, size, mem, RAX);
        return;
    }
    unsigned x = bt_xmm(m, o->b, XMM0);
    bt_row(m, o->snap);
    if (size == 8)
        x64_v_rm(&m->e, X64_MOVQ_X_ST, x, mem);
    else if (size == 4)
        x64_v_gm(&m->e, X64_MOVD_ST, 4, x, mem);
    else
        x64_pextr_m(&m->e, size == 2 ? X64_PEXTRW : X64_PEXTRB, mem, x, 0);
}

/* One access of the host for all 16 bytes; no alignment is asked for. */
static void load_vector(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_mem mem = address(m, o);
    unsigned x = bt_xdst(m, v, XMM0);
    bt_row(m, o->snap);
    x64_v_rm(&m->e, X64_MOVUPS, x, mem);
    bt_xdone(m, v, x);
}

static void store_vector(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_mem mem = address(m, o);
    unsigned x = bt_vec(m, o->b, XMM0);
    bt_row(m, o->snap);
    x64_v_rm(&m->e, X64_MOVUPS_ST, x, mem);
}

/* ---- atomics ---- */

static unsigned atomic_size(uint16_t op)
{
    switch (op) {
#define SIZE_8(name)     \
    case UOP_##name##_8: \
        return 1;
#define SIZES(name)       \
    case UOP_##name##_8:  \
        return 1;         \
    case UOP_##name##_16: \
        return 2;         \
    case UOP_##name##_32: \
        return 4;         \
    case UOP_##name##_64: \
        return 8;
        SIZES(amo_swap)
        SIZES(amo_add)
        SIZES(amo_and)
        SIZES(amo_or)
        SIZES(amo_xor)
        SIZES(amo_min)
        SIZES(amo_max)
        SIZES(amo_minu)
        SIZES(amo_maxu)
        SIZES(cas)
        SIZES(ll)
        SIZES(sc)
#undef SIZES
#undef SIZE_8
    default:
        return 0;
    }
}

/* The address in rcx, checked. */
static void atomic_address(struct bt_emitter *m, const struct bt_op *o, unsigned size)
{
    bt_load_gpr(m, RCX, o->a);
    if (bt_checks_addresses)
        bt_check_end(m, o, RCX);
    if (size > 1) {
        x64_rr(&m->e, X64_MOV_RM_R, 4, RCX, RAX);
        x64_alu_ri(&m->e, X64_AND, 4, RAX, (int32_t)size - 1);
        x64_jcc(&m->e, X64_NE, bt_leave(m, o->snap, EXIT_FAULT));
    }
}

/* The raw value in `reg` becomes zero-extended. */
static void widen(struct bt_emitter *m, unsigned reg, unsigned size)
{
    if (size == 1)
        x64_rr(&m->e, X64_MOVZX8, 4, reg, reg);
    else if (size == 2)
        x64_rr(&m->e, X64_MOVZX16, 4, reg, reg);
    else if (size == 4)
        x64_mov_rr(&m->e, 4, reg, reg);
}

/* The operations without an instruction of their own: compare and swap until it holds. */
static void atomic_loop(struct bt_emitter *m, uint32_t v, unsigned size)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned again = x64_label(e);
    bt_row(m, o->snap);
    x64_mov_rm(e, size, RAX, x64_mem(RCX, 0));
    x64_bind(e, again);
    bt_load_gpr(m, RDX, o->b);
    enum x64_cc keep = X64_O;
    bool choice = true;
    switch (o->op - (size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3)) {
    case UOP_amo_and_8:
        x64_alu_rr(e, X64_AND, 8, RDX, RAX);
        choice = false;
        break;
    case UOP_amo_or_8:
        x64_alu_rr(e, X64_OR, 8, RDX, RAX);
        choice = false;
        break;
    case UOP_amo_xor_8:
        x64_alu_rr(e, X64_XOR, 8, RDX, RAX);
        choice = false;
        break;
    case UOP_amo_min_8:
        keep = X64_L;
        break;
    case UOP_amo_max_8:
        keep = X64_G;
        break;
    case UOP_amo_minu_8:
        keep = X64_B;
        break;
    default:
        keep = X64_A;
        break;
    }
    if (choice) {
        x64_alu_rr(e, X64_CMP, size, RAX, RDX);
        x64_cmov_rr(e, keep, 8, RDX, RAX);
    }
    bt_row(m, o->snap);
    x64_lock(e);
    x64_rm(e, X64_CMPXCHG, size, RDX, x64_mem(RCX, 0));
    x64_jcc(e, X64_NE, again);
    widen(m, RAX, size);
    bt_done(m, v, RAX);
}

/* ---- pairs of 64 bits: cmpxchg16b, which wants rdx:rax and rcx:rbx, and the address in a register besides. rbx and rsi are displaced
 * for it, and what faults says so ---- */

static void swap_pair(struct bt_emitter *m, const struct bt_op *o, unsigned new)
{
    struct x64_emit *e = &m->e;
    x64_mov_mr(e, 8, x64_slot(BT_SPARE_UNIT), RBX);
    x64_mov_mr(e, 8, x64_slot(BT_SPARE_UNIT + 1), RSI);
    x64_mov_rr(e, 8, RSI, RCX);
    x64_v_gr(e, X64_MOVQ_ST, 8, new, RBX);
    x64_pextr(e, X64_PEXTRQ, RCX, new, 1);
    m->displaced[0] = RBX, m->displaced[1] = RSI;
    bt_row(m, o->snap);
    m->displaced[0] = m->displaced[1] = 0;
    x64_lock(e);
    x64_m(e, X64_CMPXCHG16B, 8, x64_mem(RSI, 0));
    x64_mov_rm(e, 8, RBX, x64_slot(BT_SPARE_UNIT));
    x64_mov_rm(e, 8, RSI, x64_slot(BT_SPARE_UNIT + 1));
}

static void compare_and_swap_pair(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned old = bt_vec(m, o->b, XMM0), new = bt_vec(m, o->c, XMM1);
    x64_v_gr(&m->e, X64_MOVQ_ST, 8, old, RAX);
    x64_pextr(&m->e, X64_PEXTRQ, RDX, old, 1);
    swap_pair(m, o, new);
    unsigned d = bt_xdst(m, v, XMM0);
    x64_v_gr(&m->e, X64_MOVQ, 8, d, RAX);
    x64_pinsr(&m->e, X64_PINSRQ, d, d, RDX, 1);
    bt_xdone(m, v, d);
}

/* The halves need not be of one moment: then the store fails. */
static void load_linked_pair(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned d = bt_xdst(m, v, XMM0);
    bt_row(m, o->snap);
    x64_v_rm(e, X64_MOVAPS, d, x64_mem(RCX, 0));
    x64_mov_mr(e, 8, X64_CPU(res_addr), RCX);
    x64_v_rm(e, X64_MOVQ_X_ST, d, X64_CPU(res_val));
    x64_pextr_m(e, X64_PEXTRQ, X64_CPU(res_high), d, 1);
    bt_xdone(m, v, d);
}

static void store_conditional_pair(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned fail = x64_label(e), done = x64_label(e), new = bt_vec(m, o->b, XMM1);
    x64_alu_rm(e, X64_CMP, 8, RCX, X64_CPU(res_addr));
    x64_mov_mi(e, 8, X64_CPU(res_addr), -1);
    x64_jcc(e, X64_NE, fail);
    x64_mov_rm(e, 8, RAX, X64_CPU(res_val));
    x64_mov_rm(e, 8, RDX, X64_CPU(res_high));
    swap_pair(m, o, new);
    x64_setcc(e, X64_NE, RAX);
    x64_rr(e, X64_MOVZX8, 4, RAX, RAX);
    x64_jmp8(e, done);
    x64_bind(e, fail);
    x64_mov_ri(e, RAX, 1);
    x64_bind(e, done);
    bt_done(m, v, RAX);
}

static bool pair(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    if (!x64_has(&m->e, X64_F_CX16) || !x64_has(&m->e, X64_F_SSE41))
        return false;
    atomic_address(m, o, 16);
    if (o->op == UOP_cas_128)
        compare_and_swap_pair(m, v);
    else if (o->op == UOP_ll_128)
        load_linked_pair(m, v);
    else
        store_conditional_pair(m, v);
    return true;
}

static bool atomic(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned size = atomic_size(o->op);
    if (!size)
        return false;
    atomic_address(m, o, size);
    switch (o->op) {
    case UOP_amo_swap_8:
    case UOP_amo_swap_16:
    case UOP_amo_swap_32:
    case UOP_amo_swap_64:
        bt_load_gpr(m, RDX, o->b);
        bt_row(m, o->snap);
        x64_rm(e, X64_XCHG, size, RDX, x64_mem(RCX, 0));
        widen(m, RDX, size);
        bt_done(m, v, RDX);
        return true;
    case UOP_amo_add_8:
    case UOP_amo_add_16:
    case UOP_amo_add_32:
    case UOP_amo_add_64:
        bt_load_gpr(m, RDX, o->b);
        bt_row(m, o->snap);
        x64_lock(e);
        x64_rm(e, X64_XADD, size, RDX, x64_mem(RCX, 0));
        widen(m, RDX, size);
        bt_done(m, v, RDX);
        return true;
    case UOP_cas_8:
    case UOP_cas_16:
    case UOP_cas_32:
    case UOP_cas_64:
        bt_load_gpr(m, RAX, o->b);
        bt_load_gpr(m, RDX, o->c);
        bt_row(m, o->snap);
        x64_lock(e);
        x64_rm(e, X64_CMPXCHG, size, RDX, x64_mem(RCX, 0));
        widen(m, RAX, size);
        bt_done(m, v, RAX);
        return true;
    case UOP_ll_8:
    case UOP_ll_16:
    case UOP_ll_32:
    case UOP_ll_64:
        bt_row(m, o->snap);
        x64_rm(e,
               size == 1   ? X64_MOVZX8
               : size == 2 ? X64_MOVZX16
                           : X64_MOV_R_RM,
               size < 4 ? 4 : size, RDX, x64_mem(RCX, 0));
        x64_mov_mr(e, 8, X64_CPU(res_addr), RCX);
        x64_mov_mr(e, 8, X64_CPU(res_val), RDX);
        bt_done(m, v, RDX);
        return true;
    case UOP_sc_8:
    case UOP_sc_16:
    case UOP_sc_32:
    case UOP_sc_64: {
        unsigned fail = x64_label(e), done = x64_label(e);
        x64_alu_rm(e, X64_CMP, 8, RCX, X64_CPU(res_addr));
        x64_mov_mi(e, 8, X64_CPU(res_addr), -1);
        x64_jcc8(e, X64_NE, fail);
        bt_load_gpr(m, RDX, o->b);
        x64_mov_rm(e, 8, RAX, X64_CPU(res_val));
        bt_row(m, o->snap);
        x64_lock(e);
        x64_rm(e, X64_CMPXCHG, size, RDX, x64_mem(RCX, 0));
        x64_setcc(e, X64_NE, RAX);
        x64_rr(e, X64_MOVZX8, 4, RAX, RAX);
        x64_jmp8(e, done);
        x64_bind(e, fail);
        x64_mov_ri(e, RAX, 1);
        x64_bind(e, done);
        bt_done(m, v, RAX);
        return true;
    }
    default:
        atomic_loop(m, v, size);
        return true;
    }
}

bool bt_emit_memory(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    switch (o->op) {
    case UOP_align:
        bt_load_gpr(m, RCX, o->a);
        bt_load_gpr(m, RAX, o->b);
        x64_alu_rr(&m->e, X64_AND, 8, RAX, RCX);
        x64_jcc(&m->e, X64_NE, bt_leave(m, o->snap, EXIT_FAULT));
        return true;
    case UOP_undefined_if:
    case UOP_relift_if:
        bt_load_gpr(m, RAX, o->a);
        x64_test_rr(&m->e, 8, RAX, RAX);
        x64_jcc(&m->e, X64_NE,
                bt_leave(m, o->snap, o->op == UOP_relift_if ? EXIT_RELIFT : EXIT_ILLEGAL));
        return true;
    case UOP_ld_s8:
        load(m, v, X64_MOVSX8, 8);
        return true;
    case UOP_ld_u8:
        load(m, v, X64_MOVZX8, 4);
        return true;
    case UOP_ld_s16:
        load(m, v, X64_MOVSX16, 8);
        return true;
    case UOP_ld_u16:
        load(m, v, X64_MOVZX16, 4);
        return true;
    case UOP_ld_s32:
        load(m, v, X64_MOVSXD, 8);
        return true;
    case UOP_ld_u32:
        load(m, v, X64_MOV_R_RM, 4);
        return true;
    case UOP_ld_64:
        load(m, v, X64_MOV_R_RM, 8);
        return true;
    case UOP_st_8:
        store(m, v, 1);
        return true;
    case UOP_st_16:
        store(m, v, 2);
        return true;
    case UOP_st_32:
        store(m, v, 4);
        return true;
    case UOP_st_64:
        store(m, v, 8);
        return true;
    case UOP_ld_v128:
        load_vector(m, v);
        return true;
    case UOP_st_v128:
        store_vector(m, v);
        return true;
    case UOP_fence:
        /* A locked operation on our own stack orders like mfence and is cheaper. */
        if (o->imm) {
            x64_lock(&m->e);
            x64_alu_mi(&m->e, X64_OR, 4, x64_mem(RSP, 0), 0);
        }
        return true;
    case UOP_cas_128:
    case UOP_ll_128:
    case UOP_sc_128:
        return pair(m, v);
    default:
        return uop_info[o->op].flags & UOP_F_BULK ? bt_emit_bulk(m, v) : atomic(m, v);
    }
}

/* Emission: where values are, and moves between such places.
 *
 * Threading: see bt/ir.h.
 */
#include "base/report.h"
#include "bt/emit_int.h"
#include <string.h>

/* ---- places ---- */

void bt_load_gpr(struct bt_emitter *m, unsigned reg, uint32_t v)
{
    struct bt_loc l = bt_loc(m, v);
    bool narrow = bt_is_single(m->r, v);
    switch (l.place) {
    case BT_GPR:
        if (l.n != reg)
            x64_mov_rr(&m->e, 8, reg, l.n);
        break;
    case BT_XMM:
        x64_v_gr(&m->e, narrow ? X64_MOVD_ST : X64_MOVQ_ST, narrow ? 4 : 8, l.n, reg);
        break;
    case BT_UNIT: /* bt_xdone leaves the upper half of a narrow value undefined */
        x64_mov_rm(&m->e, narrow ? 4 : 8, reg, x64_slot(l.n));
        break;
    case BT_IMM:
        x64_mov_ri(&m->e, reg, bt_imm(m, v));
        break;
    default:
        vm_bug("value %u of region %#llx has no place", v, (unsigned long long)m->r->pc);
    }
}

unsigned bt_gpr(struct bt_emitter *m, uint32_t v, unsigned scratch)
{
    struct bt_loc l = bt_loc(m, v);
    if (l.place == BT_GPR)
        return l.n;
    bt_load_gpr(m, scratch, v);
    return scratch;
}

unsigned bt_dst(const struct bt_emitter *m, uint32_t v, unsigned scratch)
{
    struct bt_loc l = bt_loc(m, v);
    return l.place == BT_GPR ? l.n : scratch;
}

void bt_done(struct bt_emitter *m, uint32_t v, unsigned reg)
{
    struct bt_loc l = bt_loc(m, v);
    if (l.place == BT_GPR && l.n != reg)
        x64_mov_rr(&m->e, 8, l.n, reg);
    else if (l.place == BT_UNIT)
        x64_mov_mr(&m->e, 8, x64_slot(l.n), reg);
    else if (l.place == BT_XMM)
        x64_v_gr(&m->e, X64_MOVQ, 8, l.n, reg);
}

/* Is it a register that the operation's instructions cannot name? */
static bool far(const struct bt_emitter *m, struct bt_loc l)
{
    return l.place == BT_XMM && l.n >= XMM16 && !m->high;
}

unsigned bt_xmm(struct bt_emitter *m, uint32_t v, unsigned scratch)
{
    struct bt_loc l = bt_loc(m, v);
    switch (l.place) {
    case BT_XMM:
        if (!far(m, l))
            return l.n;
        x64_v_mov(&m->e, scratch, l.n);
        break;
    case BT_GPR:
        x64_v_gr(&m->e, X64_MOVQ, 8, scratch, l.n);
        break;
    case BT_UNIT:
        x64_v_rm(&m->e, X64_MOVQ_X, scratch, x64_slot(l.n));
        break;
    default:
        if (bt_imm(m, v) == 0) {
            x64_v_rrr(&m->e, X64_XORPS, scratch, scratch, scratch);
        } else {
            x64_mov_ri(&m->e, RAX, bt_imm(m, v));
            x64_v_gr(&m->e, X64_MOVQ, 8, scratch, RAX);
        }
    }
    return scratch;
}

unsigned bt_xdst(const struct bt_emitter *m, uint32_t v, unsigned scratch)
{
    struct bt_loc l = bt_loc(m, v);
    return l.place == BT_XMM && !far(m, l) ? l.n : scratch;
}

unsigned bt_vec(struct bt_emitter *m, uint32_t v, unsigned scratch)
{
    struct bt_loc l = bt_loc(m, v);
    if (l.place == BT_XMM && !far(m, l))
        return l.n;
    if (l.place == BT_XMM)
        x64_v_mov(&m->e, scratch, l.n);
    else
        x64_v_rm(&m->e, X64_MOVAPS, scratch, x64_slot(l.n));
    return scratch;
}

struct bt_vsource bt_vsource(struct bt_emitter *m, uint32_t v, unsigned scratch)
{
    struct bt_loc l = bt_loc(m, v);
    if (l.place == BT_UNIT)
        return (struct bt_vsource){.in_memory = true, .mem = x64_slot(l.n)};
    if (l.place == BT_IMM)
        return (struct bt_vsource){.in_memory = true, .mem = bt_const128(m, bt_imm(m, v), 0)};
    return (struct bt_vsource){.reg = bt_xmm(m, v, scratch)};
}

void bt_v_op(struct bt_emitter *m, unsigned op, unsigned d, unsigned a, const struct bt_vsource *b)
{
    if (b->in_memory)
        x64_v_rrm(&m->e, op, d, a, b->mem);
    else
        x64_v_rrr(&m->e, op, d, a, b->reg);
}

void bt_v_op2(struct bt_emitter *m, unsigned op, unsigned a, const struct bt_vsource *b)
{
    if (b->in_memory)
        x64_v_rm(&m->e, op, a, b->mem);
    else
        x64_v_rr(&m->e, op, a, b->reg);
}

void bt_store_narrow(struct bt_emitter *m, unsigned reg, struct x64_mem at)
{
    x64_v_gm(&m->e, X64_MOVD_ST, 4, reg, at);
    at.disp += 4;
    x64_mov_mi(&m->e, 4, at, 0);
}

void bt_xdone(struct bt_emitter *m, uint32_t v, unsigned reg)
{
    struct bt_loc l = bt_loc(m, v);
    bool narrow = m->r->ops[v].kind == UOP_K_S;
    if (l.place == BT_UNIT && m->r->ops[v].kind == UOP_K_V) {
        x64_v_rm(&m->e, X64_MOVAPS_ST, reg, x64_slot(l.n));
        return;
    }
    if (l.place == BT_XMM)
        x64_v_mov(&m->e, l.n, reg);
    else if (l.place == BT_GPR)
        x64_v_gr(&m->e, narrow ? X64_MOVD_ST : X64_MOVQ_ST, narrow ? 4 : 8, reg, l.n);
    else if (l.place == BT_UNIT && narrow)
        bt_store_narrow(m, reg, x64_slot(l.n));
    else if (l.place == BT_UNIT)
        x64_v_rm(&m->e, X64_MOVQ_X_ST, reg, x64_slot(l.n));
}

uint8_t bt_value_kind(const struct bt_region *r, uint32_t v)
{
    return bt_is_single(r, v) ? UOP_K_S : r->ops[v].kind;
}

/* ---- moves ---- */

bool bt_same_place(struct bt_loc a, struct bt_loc b)
{
    return a.place == b.place && a.n == b.n && a.place != BT_IMM;
}

/* Would the one move write what the other reads? Vectors take two units. */
static bool clobbers(const struct bt_move *w, const struct bt_move *r)
{
    if (w->to.place != BT_UNIT || r->from.place != BT_UNIT)
        return bt_same_place(w->to, r->from);
    unsigned written = w->kind == UOP_K_V ? 2 : 1, read = r->kind == UOP_K_V ? 2 : 1;
    return w->to.n < r->from.n + read && r->from.n < w->to.n + written;
}

void bt_move_one(struct bt_emitter *m, const struct bt_move *v)
{
    struct x64_emit *e = &m->e;
    struct bt_loc to = v->to, from = v->from;
    bool narrow = v->kind == UOP_K_S, wide = v->kind == UOP_K_V;
    unsigned load = wide ? X64_MOVAPS : X64_MOVQ_X;
    unsigned store = wide ? X64_MOVAPS_ST : X64_MOVQ_X_ST;
    switch (to.place) {
    case BT_GPR:
        if (from.place == BT_GPR)
            x64_mov_rr(e, 8, to.n, from.n);
        else if (from.place == BT_XMM)
            x64_v_gr(e, narrow ? X64_MOVD_ST : X64_MOVQ_ST, narrow ? 4 : 8, from.n, to.n);
        else if (from.place == BT_UNIT)
            x64_mov_rm(e, narrow ? 4 : 8, to.n, x64_slot(from.n));
        else
            x64_mov_ri(e, to.n, v->imm);
        break;
    case BT_XMM:
        if (from.place == BT_XMM) {
            x64_v_mov(e, to.n, from.n);
        } else if (from.place == BT_GPR) {
            x64_v_gr(e, X64_MOVQ, 8, to.n, from.n);
        } else if (from.place == BT_UNIT) {
            x64_v_rm(e, load, to.n, x64_slot(from.n));
        } else if (!v->imm) {
            x64_v_rrr(e, X64_XORPS, to.n, to.n, to.n);
        } else {
            /* rax may hold a value of a broken cycle; a unit of the cpu does as well. */
            x64_mov_mi(e, 4, X64_CPU(exit_arg), (int32_t)v->imm);
            x64_mov_mi(e, 4,
                       x64_mem(BT_CPU, (int32_t)offsetof(struct cpu, exit_arg) + 4 - X64_CPU_BIAS),
                       (int32_t)(v->imm >> 32));
            x64_v_rm(e, X64_MOVQ_X, to.n, X64_CPU(exit_arg));
        }
        break;
    case BT_UNIT:
        if (from.place == BT_GPR) {
            x64_mov_mr(e, 8, x64_slot(to.n), from.n);
        } else if (from.place == BT_XMM && !narrow) {
            x64_v_rm(e, store, from.n, x64_slot(to.n));
        } else if (from.place == BT_XMM) {
            bt_store_narrow(m, from.n, x64_slot(to.n));
        } else if (from.place == BT_UNIT) {
            x64_v_rm(e, load, XMM1, x64_slot(from.n));
            x64_v_rm(e, store, XMM1, x64_slot(to.n));
        } else if ((int64_t)v->imm == (int32_t)v->imm) {
            x64_mov_mi(e, 8, x64_slot(to.n), (int32_t)v->imm);
        } else {
            x64_mov_mi(e, 4, x64_slot(to.n), (int32_t)v->imm);
            x64_mov_mi(e, 4, x64_mem(BT_CPU, x64_slot(to.n).disp + 4), (int32_t)(v->imm >> 32));
        }
        break;
    }
}

void bt_parallel_move(struct bt_emitter *m, struct bt_move *moves, unsigned n)
{
    unsigned left = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!bt_same_place(moves[i].to, moves[i].from))
            moves[left++] = moves[i];
    }
    while (left) {
        bool progress = false;
        for (unsigned i = 0; i < left; i++) {
            bool blocked = false;
            for (unsigned j = 0; j < left && !blocked; j++)
                blocked = j != i && clobbers(&moves[i], &moves[j]);
            if (blocked)
                continue;
            bt_move_one(m, &moves[i]);
            moves[i--] = moves[--left];
            progress = true;
        }
        if (progress)
            continue;
        /* Only cycles are left: take one value out of the way, whole if somebody wants it whole. */
        struct bt_loc old = moves[0].from;
        uint8_t kind = UOP_K_I;
        for (unsigned j = 0; j < left; j++) {
            if (bt_same_place(moves[j].from, old) && moves[j].kind == UOP_K_V)
                kind = UOP_K_V;
        }
        bool fp = old.place == BT_XMM || kind == UOP_K_V;
        struct bt_loc scratch = {fp ? BT_XMM : BT_GPR, fp ? XMM0 : RAX};
        struct bt_move out = {.to = scratch, .from = old, .kind = kind};
        for (unsigned j = 0; j < left; j++) {
            if (bt_same_place(moves[j].from, scratch)) {
                m->cannot = "tangled moves";
                return;
            }
        }
        bt_move_one(m, &out);
        for (unsigned j = 0; j < left; j++) {
            if (bt_same_place(moves[j].from, old))
                moves[j].from = scratch;
        }
    }
}

/* ---- constants, behind the code ---- */

void *bt_grown(struct bt_emitter *m, void *old, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return old;
    uint32_t bigger = *cap ? *cap * 2 : 32;
    void *p = arena_alloc(m->r->arena, bigger * size, 16);
    if (n)
        memcpy(p, old, n * size);
    *cap = bigger;
    return p;
}

struct x64_mem bt_const128(struct bt_emitter *m, uint64_t low, uint64_t high)
{
    uint32_t i = 0;
    while (i < m->nconsts && (m->consts[i].v[0] != low || m->consts[i].v[1] != high))
        i++;
    if (i == m->nconsts) {
        m->consts = bt_grown(m, m->consts, m->nconsts, &m->consts_cap, sizeof(*m->consts));
        m->consts[m->nconsts++] = (struct bt_const128){{low, high}, x64_label(&m->e)};
    }
    return x64_mem_label(m->consts[i].label);
}

struct x64_mem bt_table(struct bt_emitter *m, const uint8_t *bytes, unsigned n)
{
    uint32_t i = 0, k = 0;
    uint64_t v[2];
    for (; i + n / 16 <= m->nconsts; i++) {
        for (k = 0; k < n / 16 && !memcmp(m->consts[i + k].v, bytes + 16 * k, 16); k++)
            ;
        if (k == n / 16)
            return x64_mem_label(m->consts[i].label);
    }
    for (i = m->nconsts, k = 0; k < n / 16; k++) {
        m->consts = bt_grown(m, m->consts, m->nconsts, &m->consts_cap, sizeof(*m->consts));
        memcpy(v, bytes + 16 * k, 16);
        m->consts[m->nconsts++] = (struct bt_const128){{v[0], v[1]}, x64_label(&m->e)};
    }
    return x64_mem_label(m->consts[i].label);
}

void bt_emit_constants(struct bt_emitter *m)
{
    if (m->nconsts)
        x64_align(&m->e, 16);
    for (uint32_t i = 0; i < m->nconsts; i++) {
        x64_bind(&m->e, m->consts[i].label);
        x64_data(&m->e, m->consts[i].v, sizeof(m->consts[i].v));
    }
}

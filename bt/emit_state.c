/* Emission of the guest's state: side-table rows, and the code that brings the state of a snapshot into its canonical
 * places, sunk values (bt/sink.c) included.
 *
 * A sunk value is computed by the emitter of its operation, which is given places for this one exit: the
 * result's is the slot's own when nothing that is still to be read lies there, else a spill unit without a value, from
 * which the moves that follow take it; so are those of operands that are sunk themselves.
 *
 * Threading: see bt/ir.h.
 */
#include "base/report.h"
#include "bt/emit_int.h"
#include <string.h>

uint8_t bt_slot_kind(const struct bt_region *r, unsigned slot, uint32_t v)
{
    if (guest_vector_slot(r->guest, slot))
        return UOP_K_V;
    uint8_t kind = bt_value_kind(r, v);
    return kind == UOP_K_V ? UOP_K_I : kind;
}

/* ---- an exit's write-back ---- */

/* How many reads of each place are still to come; what an exit has taken counts as read. */
struct reads {
    uint16_t gpr[16], xmm[X64_NXMM], unit[CPU_UNITS];
};

static uint16_t *reads_of(struct reads *r, struct bt_loc l)
{
    static uint16_t none;
    none = 0;
    return l.place == BT_GPR    ? &r->gpr[l.n]
           : l.place == BT_XMM  ? &r->xmm[l.n]
           : l.place == BT_UNIT ? &r->unit[l.n]
                                : &none;
}

/* Add n reads of what the value is made of. */
static void count_reads(struct bt_emitter *m, struct reads *r, uint32_t v, int n)
{
    const struct bt_op *o = &m->r->ops[v];
    const uint32_t operands[3] = {o->a, o->b, o->c};
    if (!o->sunk) {
        uint16_t *at = reads_of(r, bt_loc(m, v));
        *at = (uint16_t)(*at + n);
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (bt_operand_kind(o, i))
            count_reads(m, r, operands[i], n);
    }
}

/* A unit, or an even one and the next for a vector. */
static struct bt_loc free_cell(struct bt_emitter *m, struct reads *r, bool wide)
{
    for (unsigned u = CPU_TEMP_BASE; u < CPU_UNITS; u += 1 + wide) {
        if (!r->unit[u] && !(wide && r->unit[u + 1])) {
            r->unit[u] = 1;
            r->unit[u + wide] = 1;
            return (struct bt_loc){BT_UNIT, (uint8_t)u};
        }
    }
    m->cannot = "too many sunk values";
    return (struct bt_loc){BT_UNIT, CPU_TEMP_BASE};
}

static void compute(struct bt_emitter *m, struct reads *r, uint32_t v, struct bt_loc to)
{
    const struct bt_op *o = &m->r->ops[v];
    const uint32_t operands[3] = {o->a, o->b, o->c};
    uint32_t cells[3];
    unsigned n = 0;
    for (int i = 0; i < 3; i++) {
        if (!bt_operand_kind(o, i) || !m->r->ops[operands[i]].sunk ||
            (i > 0 && operands[i] == operands[0]) || (i > 1 && operands[i] == operands[1]))
            continue;
        struct bt_loc cell = free_cell(m, r, false);
        compute(m, r, operands[i], cell);
        m->alloc.loc[operands[i]] = cell;
        cells[n++] = cell.n;
    }
    m->alloc.loc[v] = to;
    bt_emit_op(m, v);
    while (n)
        r->unit[cells[--n]] = 0;
}

void bt_write_back(struct bt_emitter *m, uint32_t snap)
{
    const struct bt_snap *s = &m->r->snaps[snap];
    const struct bt_snap_entry *entries = m->r->snap_entries + s->first;
    if (m->r->in_place)
        return;
    struct bt_move moves[CPU_UNITS];
    struct reads reads;
    uint64_t named[4] = {0};
    unsigned n = 0, nsunk = 0;
    for (uint32_t k = 0; k < s->n; k++) {
        const struct bt_snap_entry *x = &entries[k];
        named[x->slot / 64] |= UINT64_C(1) << (x->slot % 64);
        if (m->r->ops[x->value].sunk)
            nsunk++;
        else
            moves[n++] =
                (struct bt_move){bt_canonical(m->homes, x->slot), bt_loc(m, x->value),
                                 bt_imm(m, x->value), bt_slot_kind(m->r, x->slot, x->value)};
    }
    /* Homes that were saved at the entry and that the snapshot does not name come back from the cpu. */
    for (unsigned i = 0; i < GUEST_HOME_GPRS + GUEST_HOME_XMMS; i++) {
        bool fp = i >= GUEST_HOME_GPRS;
        unsigned h = fp ? i - GUEST_HOME_GPRS : i;
        uint8_t slot = fp ? m->r->guest->home_xmm[h] : m->r->guest->home_gpr[h];
        bool saved = (fp ? m->alloc.saved_xmm : m->alloc.saved_gpr) >> h & 1;
        if (!saved || named[slot / 64] >> (slot % 64) & 1)
            continue;
        moves[n++] = (struct bt_move){
            bt_canonical(m->homes, slot), {BT_UNIT, slot}, 0, bt_slot_kind(m->r, slot, 0)};
    }
    if (nsunk) {
        m->have = (struct bt_leftover){0};
        memset(&reads, 0, sizeof(reads));
        for (unsigned i = 0; i < n; i++) {
            ++*reads_of(&reads, moves[i].from);
            if (moves[i].from.place == BT_UNIT && moves[i].kind == UOP_K_V)
                ++reads.unit[moves[i].from.n + 1];
        }
        for (uint32_t k = 0; k < s->n; k++) {
            if (m->r->ops[entries[k].value].sunk)
                count_reads(m, &reads, entries[k].value, 1);
        }
        for (uint32_t k = 0; k < s->n; k++) {
            uint32_t v = entries[k].value;
            if (!m->r->ops[v].sunk)
                continue;
            /* Its own reads are no obstacle to its home, since that is written last, but they are to a cell. */
            struct bt_loc home = bt_canonical(m->homes, entries[k].slot), to = home;
            count_reads(m, &reads, v, -1);
            bool wide = m->r->ops[v].kind == UOP_K_V;
            bool busy = *reads_of(&reads, home);
            if (wide && home.place == BT_UNIT)
                busy |= reads.unit[home.n + 1] != 0;
            count_reads(m, &reads, v, 1);
            if (busy) {
                to = free_cell(m, &reads, wide);
                moves[n++] = (struct bt_move){home, to, 0, wide ? UOP_K_V : UOP_K_I};
            }
            compute(m, &reads, v, to);
            count_reads(m, &reads, v, -1);
        }
        m->made = (struct bt_leftover){0};
    }
    bt_parallel_move(m, moves, n);
}

/* ---- side-table rows ---- */

/* Where the contents of a general register are that the operation has displaced; 0: it has not. */
static unsigned displaced_to(const struct bt_emitter *m, unsigned reg)
{
    if (m->displaced[0] == m->displaced[1])
        return 0;
    return reg == m->displaced[0] ? BT_SPARE_UNIT : reg == m->displaced[1] ? BT_SPARE_UNIT + 1 : 0;
}

static struct cc_loc place_of(struct bt_emitter *m, uint32_t v)
{
    struct bt_loc l = bt_loc(m, v);
    if (l.place == BT_IMM)
        return (struct cc_loc){.kind = CC_LOC_CONST, .v = bt_imm(m, v)};
    if (l.place == BT_UNIT)
        return (struct cc_loc){.kind = CC_LOC_UNIT, .v = l.n};
    if (l.place == BT_GPR && displaced_to(m, l.n))
        return (struct cc_loc){.kind = CC_LOC_UNIT, .v = displaced_to(m, l.n)};
    return (struct cc_loc){.kind = l.place == BT_XMM ? CC_LOC_XMM : CC_LOC_GPR, .reg = l.n};
}

static void write_expr(struct bt_emitter *m, struct cc_expr *x, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    const uint32_t operands[3] = {o->a, o->b, o->c};
    if (!o->sunk) {
        struct cc_loc l = place_of(m, v);
        if (bt_is_single(m->r, v))
            cc_expr_op(x, UOP_zext32, 0);
        cc_expr_loc(x, &l);
        return;
    }
    cc_expr_op(x, o->op, o->imm);
    for (int i = 0; i < 3; i++) {
        if (bt_operand_kind(o, i))
            write_expr(m, x, operands[i]);
    }
}

void bt_row(struct bt_emitter *m, uint32_t snap)
{
    const struct bt_region *r = m->r;
    const struct bt_snap *s = &r->snaps[snap];
    struct cc_named named[CPU_TEMP_BASE];
    unsigned n = 0, nsunk = 0;
    struct cc_expr *exprs = NULL;
    for (uint32_t k = s->first; k < s->first + s->n; k++) {
        const struct bt_snap_entry *x = &r->snap_entries[k];
        uint32_t v = x->value;
        bool scalar = r->ops[v].sunk && r->ops[v].op == UOP_vzext; /* with zeros above */
        if (scalar)
            v = r->ops[v].a;
        struct cc_loc to;
        if (r->ops[v].sunk || (scalar && bt_is_single(r, v))) {
            if (!exprs)
                exprs = arena_new(r->arena, struct cc_expr, s->n);
            struct cc_expr *e = &exprs[nsunk++];
            e->len = 0;
            e->overflow = false;
            write_expr(m, e, v);
            if (e->overflow)
                vm_bug("value %u of region %#llx makes too long an expression", v,
                       (unsigned long long)r->pc);
            to = (struct cc_loc){CC_LOC_EXPR, (uint8_t)e->len, (uint64_t)(uintptr_t)e->text};
        } else {
            to = place_of(m, v);
            if (to.kind == CC_LOC_XMM && bt_is_single(r, v))
                m->cannot = "narrow float in a slot";
        }
        bool whole = guest_vector_slot(r->guest, x->slot) && !scalar;
        if (whole && to.kind == CC_LOC_XMM)
            to.kind = CC_LOC_XMM128;
        named[n++] = (struct cc_named){x->slot, to};
        if (scalar)
            named[n++] = (struct cc_named){x->slot + 1, {.kind = CC_LOC_CONST}};
        else if (whole && to.kind == CC_LOC_UNIT)
            named[n++] = (struct cc_named){x->slot + 1, {.kind = CC_LOC_UNIT, .v = to.v + 1}};
    }
    /* Homes that the unit has not touched so far, and whose slots therefore no snapshot names. */
    for (unsigned i = 0; i < GUEST_HOME_GPRS && m->displaced[0] != m->displaced[1]; i++) {
        unsigned unit = displaced_to(m, x64_home_gpr[i]), slot = r->guest->home_gpr[i], k = 0;
        if (!unit || slot == GUEST_NO_SLOT || m->alloc.saved_gpr >> i & 1)
            continue;
        while (k < n && named[k].slot != slot)
            k++;
        if (k == n)
            named[n++] = (struct cc_named){(uint8_t)slot, {.kind = CC_LOC_UNIT, .v = unit}};
    }
    cc_side_row(&m->side, x64_offset(&m->e), s->pc, named, n);
}

void bt_trap(struct bt_emitter *m, uint32_t begin, uint32_t v, enum cc_trap_result result,
             unsigned reg)
{
    const struct bt_op *o = &m->r->ops[v];
    if (!m->r->traps && !m->r->flushes)
        return;
    struct cc_trap_row row = {.begin = begin,
                              .end = x64_offset(&m->e),
                              .result = result,
                              .reg = (uint8_t)reg,
                              .op = o->op,
                              .imm = o->imm};
    if (result != CC_TRAP_FLAGS) {
        const uint32_t operands[3] = {o->a, o->b, o->c};
        unsigned n = 0;
        for (int i = 0; i < 3; i++) {
            if (bt_operand_kind(o, i))
                row.operand[n++] = place_of(m, operands[i]);
        }
    }
    cc_trap_add(&m->traps, &row);
}

void bt_begin_rows(struct bt_emitter *m, void *buf, uint32_t cap)
{
    const struct guest *g = m->r->guest;
    cc_side_init(&m->side, buf, cap, m->r->in_place ? NULL : m->homes, m->r->pc);
    for (unsigned i = 0; i < GUEST_HOME_GPRS; i++) {
        if (m->alloc.saved_gpr >> i & 1)
            cc_side_saved(&m->side, g->home_gpr[i]);
    }
    for (unsigned i = 0; i < GUEST_HOME_XMMS; i++) {
        if (m->alloc.saved_xmm >> i & 1)
            cc_side_saved(&m->side, g->home_xmm[i]);
    }
}

uint32_t bt_sunk_entries(const struct bt_region *r)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < r->nsnaps; i++) {
        const struct bt_snap *s = &r->snaps[i];
        for (uint32_t k = s->first; k < s->first + s->n; k++)
            n += r->ops[r->snap_entries[k].value].sunk;
    }
    return n;
}

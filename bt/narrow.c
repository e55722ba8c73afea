/* Narrow values: operations of which only the low half of the result matters.
 *
 * A guest whose results of 32 bits are sign-extended has most of them used by operations that look at the low half alone. The host
 * would extend each by an instruction of its own. So this pass finds what is demanded of each value, the low half or all of it, turns
 * comparisons of values that are both extended alike into comparisons of their low halves, and makes operations of which the low half
 * is demanded such of 32 bits, whose upper half comes out as zero for nothing. Where a snapshot names such a value, it gets the
 * extension, which bt/sink.c makes a matter of exits.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/ir.h"

enum demand { NOTHING, LOW, ALL };

struct narrower {
    struct bt_region *r;
    struct bt_known known;
    uint8_t *demand;   /* by value: enum demand */
    bool *was_changed; /* by value: its upper half is not any more what it was */
    bool changed;
};

static void demand(struct narrower *n, uint32_t v, uint8_t d)
{
    if (n->demand[v] < d) {
        n->demand[v] = d;
        n->changed = true;
    }
}

/* The comparison of low halves that comes to the same; 0 for none. */
static uint16_t narrow_compare(const struct narrower *n, const struct bt_op *o)
{
    static const uint16_t rows[UOP_CODES][2] = {
        /* signed, unsigned */
        [UOP_set_eq] = {UOP_set_eq_32, UOP_set_eq_32},
        [UOP_set_ne] = {UOP_set_ne_32, UOP_set_ne_32},
        [UOP_set_lt] = {UOP_set_lt_32, UOP_set_ltu_32},
        [UOP_set_ltu] = {UOP_set_ltu_32, UOP_set_ltu_32},
        [UOP_set_ge] = {UOP_set_ge_32, UOP_set_geu_32},
        [UOP_set_geu] = {UOP_set_geu_32, UOP_set_geu_32},
        [UOP_br_eq] = {UOP_br_eq_32, UOP_br_eq_32},
        [UOP_br_ne] = {UOP_br_ne_32, UOP_br_ne_32},
        [UOP_br_lt] = {UOP_br_lt_32, UOP_br_ltu_32},
        [UOP_br_ltu] = {UOP_br_ltu_32, UOP_br_ltu_32},
        [UOP_br_ge] = {UOP_br_ge_32, UOP_br_geu_32},
        [UOP_br_geu] = {UOP_br_geu_32, UOP_br_geu_32},
    };
    uint16_t row = uop_info[o->op].rr_form, form = (uint16_t)(o->op - row);
    if (!rows[row][0])
        return 0;
    bool sx = bt_known_sx(n->r, &n->known, o->a), zx = bt_known_zx(n->r, &n->known, o->a);
    sx &= form ? o->imm == (int32_t)o->imm : bt_known_sx(n->r, &n->known, o->b);
    zx &= form ? o->imm == (uint32_t)o->imm : bt_known_zx(n->r, &n->known, o->b);
    return sx ? (uint16_t)(rows[row][0] + form) : zx ? (uint16_t)(rows[row][1] + form) : 0;
}

/* The row whose result is the same in the low half, zero above; 0 for none, as for the sign of a float in a vector
 * register (keep_float in bt/ssa.c). */
static uint16_t narrow_row(const struct bt_op *o)
{
    static const uint16_t rows[UOP_CODES] = {
        [UOP_add_64] = UOP_add_32z,  [UOP_add_32s] = UOP_add_32z, [UOP_sub_64] = UOP_sub_32z,
        [UOP_sub_32s] = UOP_sub_32z, [UOP_and_64] = UOP_and_32z,  [UOP_or_64] = UOP_or_32z,
        [UOP_xor_64] = UOP_xor_32z,  [UOP_shl_32s] = UOP_shl_32z, [UOP_shr_32s] = UOP_shr_32z,
        [UOP_sar_32s] = UOP_sar_32z, [UOP_ror_32s] = UOP_ror_32z, [UOP_mul_64] = UOP_mul_32z,
        [UOP_mul_32s] = UOP_mul_32z,
    };
    uint16_t row = uop_info[o->op].rr_form;
    if (o->kind != UOP_K_I)
        return 0;
    if (rows[row])
        return (uint16_t)(rows[row] + (o->op - row));
    return o->op == UOP_shl_64_i && (o->imm & 63) < 32 ? UOP_shl_32z_i : 0;
}

/* What the operation demands of operand i, its own result being demanded as d says. */
static uint8_t demand_of(const struct narrower *n, const struct bt_op *o, int i, uint8_t d)
{
    if (bt_low_half_only(o->op))
        return LOW;
    if (narrow_row(o) && d == LOW)
        return LOW;
    switch (o->op) {
    case UOP_st_8:
    case UOP_st_16:
    case UOP_st_32:
        return i == 1 ? LOW : ALL;
    case UOP_and_64_i:
        return d == LOW || o->imm == (uint32_t)o->imm ? LOW : ALL;
    case UOP_sel:
        return i == 0 ? ALL : d;
    case UOP_andn_64:
    case UOP_orn_64:
    case UOP_xnor_64:
        return d;
    case UOP_cvt_s32_f32:
    case UOP_cvt_s32_f64:
    case UOP_cvt_u32_f32:
    case UOP_cvt_u32_f64:
        return LOW;
    default:
        return narrow_compare(n, o) ? LOW : ALL;
    }
}

static void demand_by(struct narrower *n, uint32_t v)
{
    const struct bt_op *o = &n->r->ops[v];
    const uint32_t operands[3] = {o->a, o->b, o->c};
    uint8_t d = n->demand[v];
    bool removable = bt_flags(o->op) & UOP_F_PURE;
    if (removable && d == NOTHING)
        return;
    if (o->op == BT_PHI) {
        for (uint32_t p = 0; p < n->r->blocks[o->block].npreds; p++)
            demand(n, n->r->phi_args[o->a + p], d);
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (bt_operand_kind(o, i))
            demand(n, operands[i], bt_operand_kind(o, i) == UOP_K_I ? demand_of(n, o, i, d) : ALL);
    }
}

/* A snapshot can do with the low half where it can extend it. */
static void demand_by_snapshot(struct narrower *n, uint32_t snap)
{
    const struct bt_region *r = n->r;
    const struct bt_snap *s = &r->snaps[snap];
    for (uint32_t k = s->first; k < s->first + s->n; k++) {
        uint32_t v = r->snap_entries[k].value;
        bool known = n->known.sx[v] || n->known.zx[v];
        demand(n, v, r->ops[v].kind == UOP_K_I && known ? LOW : ALL);
    }
}

static void find_demand(struct narrower *n)
{
    struct bt_region *r = n->r;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            if (r->ops[b->ops[k]].snap)
                demand_by_snapshot(n, r->ops[b->ops[k]].snap);
        }
        for (uint32_t e = 0; e < b->nsuccs; e++) {
            if (b->succ[e].to == BT_EXIT_EDGE)
                demand_by_snapshot(n, b->succ[e].snap);
        }
    }
    do {
        n->changed = false;
        for (uint32_t i = r->nblocks; i-- > 0;) {
            const struct bt_block *b = &r->blocks[i];
            for (uint32_t k = b->nops; k-- > 0;)
                demand_by(n, b->ops[k]);
        }
    } while (n->changed);
}

/* Is the upper half of the result another one, when those of operands have changed and only the low half is wanted? */
static bool changes(const struct narrower *n, const struct bt_op *o)
{
    const struct bt_region *r = n->r;
    switch (o->op) {
    case BT_PHI:
        for (uint32_t p = 0; p < r->blocks[o->block].npreds; p++) {
            if (n->was_changed[r->phi_args[o->a + p]])
                return true;
        }
        return false;
    case UOP_sel:
        return n->was_changed[o->b] || n->was_changed[o->c];
    case UOP_andn_64:
    case UOP_orn_64:
    case UOP_xnor_64:
        return n->was_changed[o->a] || n->was_changed[o->b];
    case UOP_and_64_i:
        return n->was_changed[o->a] && o->imm != (uint32_t)o->imm;
    default:
        return false;
    }
}

static void rewrite(struct narrower *n)
{
    struct bt_region *r = n->r;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint32_t v = r->blocks[i].ops[k];
            struct bt_op *o = &r->ops[v];
            uint16_t compare = o->op < UOP_CODES ? narrow_compare(n, o) : 0;
            uint16_t row = o->op < UOP_CODES ? narrow_row(o) : 0;
            if (compare) {
                o->op = compare;
            } else if (row && n->demand[v] == LOW) {
                o->op = row;
                n->was_changed[v] = !n->known.zx[v];
            }
        }
    }
    do {
        n->changed = false;
        for (uint32_t v = 1; v < n->known.n; v++) {
            if (!n->was_changed[v] && n->demand[v] == LOW && changes(n, &r->ops[v]))
                n->was_changed[v] = n->changed = true;
        }
    } while (n->changed);
}

/* Snapshots name the extension of what has changed. */
static void extend_named(struct narrower *n)
{
    struct bt_region *r = n->r;
    struct bt_renames names = {arena_znew(r->arena, uint32_t, n->known.n), n->known.n};
    bool *named = arena_znew(r->arena, bool, n->known.n);
    for (uint32_t k = 0; k < r->nsnap_entries; k++)
        named[r->snap_entries[k].value] = true;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        uint32_t phis = 0;
        while (r->ops[r->blocks[i].ops[phis]].op == BT_PHI)
            phis++;
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint32_t v = r->blocks[i].ops[k], at = k < phis ? phis : k + 1;
            if (v >= n->known.n || !n->was_changed[v] || !named[v])
                continue;
            names.to[v] =
                bt_insert(r, i, &at, n->known.sx[v] ? UOP_sext32 : UOP_zext32, v, 0, 0, 0);
            /* The value's own slot stays its hint: the home has the low half. */
        }
    }
    bt_rename_snapshots(r, &names);
}

void bt_narrow(struct bt_region *r)
{
    struct narrower n = {.r = r};
    bt_find_known(r, &n.known);
    n.demand = arena_znew(r->arena, uint8_t, r->nops);
    n.was_changed = arena_znew(r->arena, bool, r->nops);
    find_demand(&n);
    rewrite(&n);
    extend_named(&n);
}

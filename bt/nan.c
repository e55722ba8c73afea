/* Lazy canonical NaNs.
 *
 * A guest whose every NaN result is the canonical one has a check behind each operation. But whether a double
 * is the canonical NaN or another quiet one matters only where somebody looks at its bits: arithmetic,
 * comparison and conversion go the same way. So this pass drops the checks of results that only such
 * operations use, and lets the value be `raw`: any quiet NaN stands for the canonical one. Raw values are made
 * canonical before a store or an operation on bits. What its own block so looks at keeps its check where it is made, and nothing else
 * has a use for the raw value. Snapshots name the checked value; when nothing else needs it, bt/sink.c
 * makes the check a matter of exits.
 *
 * Values of f32 keep their checks: they are boxed, which looks at bits.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/ir.h"
#include <string.h>

/* Makes a double that may be a NaN of any payload, always a quiet one. */
static bool makes_nan(const struct bt_op *o)
{
    switch (o->op) {
    case UOP_fadd_f64:
    case UOP_fsub_f64:
    case UOP_fmul_f64:
    case UOP_fdiv_f64:
    case UOP_fsqrt_f64:
    case UOP_ffma_f64:
    case UOP_cvt_f32_f64:
        return true;
    default:
        return false;
    }
}

/* Does the operation's meaning not depend on the payload of NaN operands? */
static bool tolerates(const struct bt_op *o)
{
    switch (o->op) {
    case UOP_feq_f64:
    case UOP_flt_f64:
    case UOP_fle_f64:
    case UOP_feq_q_f64:
    case UOP_flt_q_f64:
    case UOP_fle_q_f64:
    case UOP_cvt_f64_s32:
    case UOP_cvt_f64_s64:
    case UOP_cvt_f64_f32:
    case BT_PHI:
        return true;
    default:
        return makes_nan(o) && o->op != UOP_cvt_f32_f64;
    }
}

struct nan_pass {
    struct bt_region *r;
    struct bt_renames names; /* what dropped checks checked */
    bool *raw;               /* by value, of those that there were at the beginning */
    uint32_t *safe;          /* by value: its check in the current block, 0 for none yet */
    uint32_t *at_end; /* by value: its check at the end of some block, for the phis behind it */
};

/* May the argument stand in a raw phi: is canonicalising it harmless? A value from elsewhere may have any payload,
 * which must be kept. */
static bool raw_argument(const struct nan_pass *p, uint32_t v)
{
    const struct bt_op *o = &p->r->ops[v];
    return p->raw[v] || o->op == UOP_fcanon_f64 ||
           (o->op == BT_CONST && ((uint64_t)o->imm & INT64_MAX) <= UINT64_C(0x7ff0000000000000));
}

static void find_raw(struct nan_pass *p)
{
    struct bt_region *r = p->r;
    for (uint32_t v = 1; v < r->nops; v++)
        p->raw[v] = makes_nan(&r->ops[v]) || r->ops[v].op == BT_PHI;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t v = 1; v < r->nops; v++) {
            struct bt_op *o = &r->ops[v];
            if (o->op != BT_PHI || !p->raw[v])
                continue;
            bool any = false, all = true;
            for (uint32_t k = 0; k < r->blocks[o->block].npreds; k++) {
                uint32_t arg = r->phi_args[o->a + k];
                all &= raw_argument(p, arg);
                any |= p->raw[arg];
            }
            if (!all || !any) {
                p->raw[v] = false;
                changed = true;
            }
        }
    }
}

/* The checked form of a raw value, right before position *k of the block; `keep`: for later operations of the block,
 * too. */
static uint32_t checked(struct nan_pass *p, uint32_t block, uint32_t *k, uint32_t v, bool keep)
{
    struct bt_region *r = p->r;
    if (v >= p->names.n || !p->raw[v])
        return v;
    if (p->safe[v] && r->ops[p->safe[v]].block == block)
        return p->safe[v];
    uint32_t c = bt_insert(r, block, k, UOP_fcanon_f64, v, 0, 0, 0);
    if (keep)
        p->safe[v] = c;
    return c;
}

/* A phi that also merges values from elsewhere gets its raw arguments checked, at the ends of the predecessors. */
static void check_arguments(struct nan_pass *p, uint32_t block, struct bt_op *phi)
{
    struct bt_region *r = p->r;
    for (uint32_t k = 0; k < r->blocks[block].npreds; k++) {
        uint32_t *arg = &r->phi_args[phi->a + k];
        if (*arg < p->names.n && p->raw[*arg]) {
            uint32_t pred = r->blocks[block].preds[k], at = r->blocks[pred].nops - 1, v = *arg;
            bool there = p->at_end[v] && r->ops[p->at_end[v]].block == pred;
            *arg = there ? p->at_end[v] : checked(p, pred, &at, v, false);
            p->at_end[v] = *arg;
        }
    }
}

/* Snapshots that name a raw phi name its checked form. */
static void check_named_phis(struct nan_pass *p)
{
    struct bt_region *r = p->r;
    struct bt_renames names = {arena_znew(r->arena, uint32_t, p->names.n), p->names.n};
    for (uint32_t i = 1; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        uint32_t nphis = 0;
        while (r->ops[b->ops[nphis]].op == BT_PHI)
            nphis++;
        for (uint32_t k = 0, at = nphis; k < nphis; k++) {
            uint32_t v = r->blocks[i].ops[k];
            if (v < p->names.n && p->raw[v])
                names.to[v] = checked(p, i, &at, v, false);
        }
    }
    bt_rename_snapshots(r, &names);
}

/* The checks whose results an operation of the same block looks at. */
static bool *find_kept(const struct bt_region *r)
{
    bool *kept = arena_znew(r->arena, bool, r->nops);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            const struct bt_op *o = &r->ops[r->blocks[i].ops[k]];
            const uint32_t operands[3] = {o->a, o->b, o->c};
            if (tolerates(o) || o->op >= UOP_CODES || o->op == UOP_fcanon_f64)
                continue;
            for (int x = 0; x < 3; x++)
                if (bt_operand_kind(o, x) && r->ops[operands[x]].block == i)
                    kept[operands[x]] = true;
        }
    }
    return kept;
}

/* A check that more than snapshots need, in the block of the value: everything behind it takes its result, so that the raw value
 * is no second one, in a register of its own. */
void bt_take_checked(struct bt_region *r)
{
    bool *needed = arena_znew(r->arena, bool, r->nops), any = false;
    struct bt_renames names = {arena_znew(r->arena, uint32_t, r->nops), r->nops};
    for (uint32_t v = 1; v < r->nops; v++) {
        const struct bt_op *o = &r->ops[v];
        const uint32_t operands[3] = {o->a, o->b, o->c};
        for (int x = 0; x < 3; x++) /* what is no operand may be any number */
            if (bt_operand_kind(o, x))
                needed[operands[x]] = true;
        for (uint32_t p = 0; o->op == BT_PHI && p < r->blocks[o->block].npreds; p++)
            needed[r->phi_args[o->a + p]] = true;
    }
    for (uint32_t i = 1; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            uint32_t v = b->ops[k], raw = r->ops[v].a, at = k;
            if (r->ops[v].op != UOP_fcanon_f64 || !needed[v] || r->ops[raw].block != i ||
                !makes_nan(&r->ops[raw]) || names.to[raw])
                continue;
            while (b->ops[at - 1] != raw)
                at--;
            memmove(&b->ops[at + 1], &b->ops[at], (k - at) * sizeof *b->ops);
            b->ops[at] = v;
            names.to[raw] = v;
            any = true;
        }
    }
    if (!any)
        return;
    for (uint32_t v = 1; v < names.n; v++) {
        struct bt_op *o = &r->ops[v];
        uint32_t raw = o->a;
        bt_rename_operands(r, &names, o);
        if (o->op == UOP_fcanon_f64 && names.to[raw] == v)
            o->a = raw;
    }
}

void bt_lazy_nan(struct bt_region *r)
{
    const bool *kept = find_kept(r);
    struct nan_pass p = {.r = r, .names = {arena_znew(r->arena, uint32_t, r->nops), r->nops}};
    p.safe = arena_znew(r->arena, uint32_t, r->nops);
    p.at_end = arena_znew(r->arena, uint32_t, r->nops);
    p.raw = arena_znew(r->arena, bool, r->nops);
    bool any = false;
    for (uint32_t v = 1; v < r->nops; v++) {
        const struct bt_op *o = &r->ops[v];
        if (o->op == UOP_fcanon_f64 && makes_nan(&r->ops[o->a]) && !kept[v]) {
            p.names.to[v] = o->a;
            if (r->ops[o->a].slot == BT_NO_SLOT)
                r->ops[o->a].slot = o->slot;
            any = true;
        }
    }
    if (!any)
        return;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++)
            bt_rename_operands(r, &p.names, &r->ops[b->ops[k]]);
    }
    find_raw(&p);
    bt_reserve_ops(r, r->nops * 3);
    check_named_phis(&p);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint32_t v = r->blocks[i].ops[k];
            struct bt_op *o = &r->ops[v];
            if (o->op == BT_PHI && !p.raw[v])
                check_arguments(&p, i, o);
            if (tolerates(o) || o->op >= UOP_CODES || o->op == UOP_fcanon_f64)
                continue;
            uint32_t a = bt_operand_kind(o, 0) ? o->a : 0, b = bt_operand_kind(o, 1) ? o->b : 0,
                     c = bt_operand_kind(o, 2) ? o->c : 0;
            if (a)
                o->a = checked(&p, i, &k, a, true);
            if (b)
                o->b = checked(&p, i, &k, b, true);
            if (c)
                o->c = checked(&p, i, &k, c, true);
        }
    }
}

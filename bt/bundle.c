/* Register allocation: which values want one place, and the loops that pieces of their lives are cut at.
 *
 * Threading: see bt/ir.h.
 */
#include "base/bitset.h"
#include "bt/alloc_int.h"
#include <string.h>

/* ---- which class ---- */

static bool float_slot(const struct guest *g, unsigned slot)
{
    return slot >= g->fp_first && slot <= g->fp_last && slot != BT_NO_SLOT;
}

bool bt_is_float(const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    if (o->kind == UOP_K_H || o->kind == UOP_K_S || o->kind == UOP_K_D || o->kind == UOP_K_V)
        return true;
    switch (o->op) {
    case UOP_fcanon_f64:
    case UOP_fcanon_f32:
    case UOP_box_f32:
    case UOP_unbox_f32:
        return true;
    case BT_ENTRY:
    case BT_PHI:
    case UOP_ld_64:
    case UOP_ld_u32:
        return float_slot(r->guest, o->slot);
    case UOP_sel:
        return bt_is_float(r, o->b) && bt_is_float(r, o->c);
    default:
        return false;
    }
}

/* ---- bundles ---- */

static bool meet(const struct bt_range *x, const struct bt_range *y)
{
    while (x && y) {
        if (x->end <= y->start)
            x = x->next;
        else if (y->end <= x->start)
            y = y->next;
        else
            return true;
    }
    return false;
}

/* The ranges of both; the values' own lists stay as they are. */
static struct bt_range *merged(struct bt_allocator *a, const struct bt_range *x,
                               const struct bt_range *y)
{
    struct bt_range *first = NULL, **to = &first;
    while (x || y) {
        const struct bt_range **least = !y || (x && x->start < y->start) ? &x : &y;
        struct bt_range *n = arena_new(a->r->arena, struct bt_range, 1);
        *n = **least;
        *to = n;
        to = &n->next;
        *least = (*least)->next;
    }
    *to = NULL;
    return first;
}

static void add_member(struct bt_allocator *a, struct bt_bundle *b, uint32_t v)
{
    if (b->nmembers == b->cap) {
        uint32_t cap = b->cap ? b->cap * 2 : 1;
        uint32_t *bigger = arena_new(a->r->arena, uint32_t, cap);
        if (b->nmembers)
            memcpy(bigger, b->members, b->nmembers * sizeof(*bigger));
        b->members = bigger;
        b->cap = cap;
    }
    b->members[b->nmembers++] = v;
}

/* One bundle of the two if they never need two places at once. */
static void join(struct bt_allocator *a, uint32_t v, uint32_t w)
{
    uint32_t i = a->bundle_of[v], j = a->bundle_of[w];
    struct bt_bundle *x = &a->bundles[i], *y = &a->bundles[j];
    if (!i || !j || i == j || x->fp != y->fp || meet(x->ranges, y->ranges))
        return;
    x->ranges = merged(a, x->ranges, y->ranges);
    for (uint32_t k = 0; k < y->nmembers; k++) {
        a->bundle_of[y->members[k]] = i;
        add_member(a, x, y->members[k]);
    }
    x->wide |= y->wide;
    y->ranges = NULL;
    y->nmembers = 0;
}

/* The operations that are a move of their operand on the host, with something added. */
static bool inherits(uint16_t op)
{
    return op == UOP_fcanon_f64 || op == UOP_fcanon_f32 || op == UOP_box_f32 ||
           op == UOP_unbox_f32 || op == UOP_vzext;
}

/* The operand that the host's two-address instruction for v overwrites, if nothing else wants that: 0 for none. */
static uint32_t overwritten(const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    if (o->op >= UOP_CODES || o->kind != UOP_K_I || !(uop_info[o->op].flags & UOP_F_PURE))
        return 0;
    const uint32_t operands[3] = {o->a, o->b, o->c};
    for (int i = o->op == UOP_sel; i < (o->op == UOP_sel ? 3 : bt_commutes(o->op) ? 2 : 1); i++) {
        const struct bt_op *in = &r->ops[operands[i]];
        if (bt_operand_kind(o, i) == UOP_K_I && in->uses == 1 && in->op < UOP_CODES &&
            in->kind == UOP_K_I && in->block == o->block)
            return operands[i];
    }
    return 0;
}

void bt_make_bundles(struct bt_allocator *a)
{
    const struct bt_region *r = a->r;
    uint32_t n = 1;
    a->bundle_of = arena_znew(r->arena, uint32_t, r->nops);
    a->bundles = arena_znew(r->arena, struct bt_bundle, r->nops + 1);
    a->phi_of = arena_znew(r->arena, uint32_t, r->nops);
    a->heir_of = arena_znew(r->arena, uint32_t, r->nops);
    a->taker_of = arena_znew(r->arena, uint32_t, r->nops);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint32_t v = r->blocks[i].ops[k];
            const struct bt_op *o = &r->ops[v];
            if (o->kind == UOP_K_N || !a->live.iv[v].ranges)
                continue;
            if (inherits(o->op) && r->ops[o->a].uses == 1 && r->ops[o->a].op < UOP_CODES &&
                r->ops[o->a].block == i)
                a->heir_of[o->a] = v;
            a->taker_of[overwritten(r, v)] = v;
            struct bt_bundle *b = &a->bundles[n];
            a->bundle_of[v] = n++;
            b->ranges = a->live.iv[v].ranges;
            b->fp = bt_is_float(r, v);
            b->wide = o->kind == UOP_K_V;
            if (o->op == BT_CONST)
                b->fp = bitset_test(a->live.float_constants, v);
            add_member(a, b, v);
        }
    }
    /* Deep loops first: their moves cost most. */
    for (int depth = 3; depth >= 0; depth--) {
        for (uint32_t i = 1; i < r->nblocks; i++) {
            const struct bt_block *b = &r->blocks[i];
            if ((b->loop_depth < 3 ? b->loop_depth : 3) != depth)
                continue;
            for (uint32_t k = 0; k < b->nops && r->ops[b->ops[k]].op == BT_PHI; k++) {
                uint32_t v = b->ops[k];
                for (uint32_t p = b->npreds; p-- > 0;) { /* back edges come last, and first here */
                    uint32_t arg = r->phi_args[r->ops[v].a + p];
                    a->phi_of[arg] = v;
                    if (r->ops[arg].op != BT_CONST)
                        join(a, v, arg);
                }
            }
        }
    }
}

/* ---- loops ---- */

void bt_find_loops(struct bt_allocator *a)
{
    const struct bt_region *r = a->r;
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->nblocks; i++)
        n += r->blocks[i].npreds;
    a->loops = arena_new(r->arena, struct bt_loop, n);
    a->loop_of = arena_new(r->arena, uint32_t, r->nblocks);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        a->loop_of[i] = BT_NO_LOOP;
        for (uint32_t tail = r->nblocks; r->blocks[i].loop_head && tail-- > i;) {
            for (uint32_t p = 0; p < r->blocks[i].npreds; p++) {
                if (r->blocks[i].preds[p] == tail) {
                    a->loops[a->nloops++] = (struct bt_loop){i, tail, BT_NO_LOOP};
                    break;
                }
            }
        }
    }
    /* Heads ascend, of one head the longest comes first. A loop ends no later than what encloses it. */
    for (n = 0; n < a->nloops; n++) {
        struct bt_loop *l = &a->loops[n];
        uint32_t p = n ? n - 1 : BT_NO_LOOP;
        while (p != BT_NO_LOOP && a->loops[p].last < l->first)
            p = a->loops[p].parent;
        l->parent = p;
        if (p != BT_NO_LOOP && l->last > a->loops[p].last)
            l->last = a->loops[p].last;
        for (uint32_t i = l->first; i <= l->last; i++)
            a->loop_of[i] = n;
    }
}

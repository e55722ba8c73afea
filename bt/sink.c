/* Sinking: what only the guest's state needs is computed where the state is needed.
 *
 * A pure operation whose value goes into snapshots alone (or into other such operations) leaves its block. The code of an
 * exit computes it, and a side-table row names it as an expression (codecache/side.h), so that the hot
 * path has neither the operation nor a register for its value; instead the operands live as long as a snapshot
 * needs them. It pays when that is no more values than before, or when the operation is dear.
 *
 * Owns: bt_op.sunk, and bt_snap.need, which it finds at last: the pass comes right before allocation.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/alloc.h"
#include "bt/ir.h"
#include "codecache/side.h"
#include <string.h>

enum { MAX_LEAVES = 6, MAX_DEPTH = 4 };

/* A snapshot that names the value. */
struct naming {
    uint32_t snap;
    const struct naming *next;
};

/* What the expression of a value would be. */
struct tree {
    uint32_t leaf[MAX_LEAVES]; /* distinct values that it reads, constants aside */
    uint8_t nleaves;           /* more than MAX_LEAVES: too many */
    uint8_t depth;
    uint16_t size; /* bytes of text, at most */
};

struct sinker {
    struct bt_region *r;
    bool *soft;                   /* by value: no operation that stays needs it */
    const struct naming **naming; /* by value, of the soft ones with several operands */
    struct tree *tree;
    uint32_t *needed_by; /* by value: the last snapshot that was found to need it */
};

/* Can it be computed in an exit's code, where rax and xmm0..xmm3 alone are free? */
static bool sinkable(const struct bt_op *o)
{
    if (o->op == UOP_vzext)
        return o->imm >= 2;
    if (o->op >= UOP_CODES || !(uop_info[o->op].flags & UOP_F_PURE) ||
        uop_info[o->op].flags & UOP_F_VECTOR)
        return false;
    struct bt_scratch s = bt_scratch(o, false);
    /* A narrow float lies in no slot. */
    return !s.rcx && !s.rdx && o->op != UOP_unbox_f32 && o->op != UOP_unbox_f16;
}

/* More than an instruction or two on the host. */
static bool dear(uint16_t op)
{
    switch (uop_info[op].rr_form) {
    case UOP_add_64:
    case UOP_add_32s:
    case UOP_add_32z:
    case UOP_sub_64:
    case UOP_sub_32s:
    case UOP_sub_32z:
    case UOP_and_64:
    case UOP_and_32z:
    case UOP_or_64:
    case UOP_or_32z:
    case UOP_xor_64:
    case UOP_xor_32z:
    case UOP_andn_64:
    case UOP_sh1add_64:
    case UOP_sh2add_64:
    case UOP_sh3add_64:
    case UOP_mul_64:
    case UOP_mul_32s:
    case UOP_mul_32z:
        return false;
    default:
        return true;
    }
}

static unsigned number_size(int64_t v)
{
    uint64_t zigzag = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
    unsigned n = 1;
    while (zigzag >>= 7)
        n++;
    return n;
}

static void add_leaf(struct tree *t, uint32_t v)
{
    for (unsigned i = 0; i < t->nleaves && i < MAX_LEAVES; i++) {
        if (t->leaf[i] == v)
            return;
    }
    if (t->nleaves < MAX_LEAVES)
        t->leaf[t->nleaves++] = v;
    else
        t->nleaves = MAX_LEAVES + 1;
}

static void add_operand(struct sinker *s, struct tree *t, uint32_t v)
{
    const struct bt_op *o = &s->r->ops[v];
    if (o->sunk) {
        const struct tree *u = &s->tree[v];
        for (unsigned i = 0; i < u->nleaves; i++)
            add_leaf(t, u->leaf[i]);
        if (u->depth >= t->depth)
            t->depth = u->depth + 1;
        t->size = (uint16_t)(t->size + u->size);
    } else if (o->op == BT_CONST) {
        t->size = (uint16_t)(t->size + 1 + number_size(o->imm));
    } else {
        add_leaf(t, v);
        t->size += 3;
        /* A single in a register has undefined bits above it: its text has a zext32 around it. */
        if (bt_is_single(s->r, v))
            t->size += 3;
    }
}

/* v stays after all: so do the operands that it needs. */
static void keep(struct sinker *s, uint32_t v)
{
    struct bt_op *o = &s->r->ops[v];
    const uint32_t operands[3] = {o->a, o->b, o->c};
    o->sunk = s->soft[v] = false;
    for (int i = 0; i < 3; i++) {
        if (bt_operand_kind(o, i) && s->r->ops[operands[i]].sunk)
            keep(s, operands[i]);
    }
}

/* How many values the expression of v keeps alive, at most: one from the entry has its place in the cpu anyway, and what the
 * snapshot names itself lives there. */
static unsigned kept_alive(const struct sinker *s, uint32_t v)
{
    const struct bt_region *r = s->r;
    const struct tree *t = &s->tree[v];
    unsigned most = 0;
    for (const struct naming *n = s->naming[v]; n; n = n->next) {
        const struct bt_snap *snap = &r->snaps[n->snap];
        unsigned alone = 0;
        for (unsigned i = 0; i < t->nleaves; i++) {
            uint32_t k = snap->first, end = snap->first + snap->n;
            while (k < end && r->snap_entries[k].value != t->leaf[i])
                k++;
            alone += k == end && r->ops[t->leaf[i]].op != BT_ENTRY;
        }
        most = alone > most ? alone : most;
    }
    return most;
}

static void decide(struct sinker *s, uint32_t v)
{
    struct bt_op *o = &s->r->ops[v];
    struct tree *t = &s->tree[v];
    const uint32_t operands[3] = {o->a, o->b, o->c};
    *t = (struct tree){.depth = 1, .size = 3};
    if (uop_info[o->op].flags & UOP_F_IMM)
        t->size = (uint16_t)(t->size + number_size(o->imm));
    for (int i = 0; i < 3; i++) {
        if (bt_operand_kind(o, i))
            add_operand(s, t, operands[i]);
    }
    bool pays = t->nleaves <= MAX_LEAVES &&
                (t->nleaves <= 1 || dear(o->op) || t->depth > 1 || kept_alive(s, v) <= 1);
    if (pays && t->depth <= MAX_DEPTH && t->size <= CC_EXPR_MAX)
        o->sunk = true;
    else
        keep(s, v);
}

/* A way out that is taken as often as the operation is reached saves nothing: what it names stays, in a register. */
static void harden(const struct bt_region *r, bool *hard, uint32_t snap, const struct bt_block *b)
{
    const struct bt_snap *s = &r->snaps[snap];
    for (uint32_t k = s->first; k < s->first + s->n; k++) {
        uint32_t v = r->snap_entries[k].value;
        if (r->blocks[r->ops[v].block].loop_depth <= b->loop_depth)
            hard[v] = true;
    }
}

static void harden_exits(const struct bt_region *r, bool *hard, const struct bt_block *b)
{
    const struct bt_op *last = &r->ops[b->ops[b->nops - 1]];
    bool all = true;
    for (uint32_t e = 0; e < b->nsuccs; e++)
        all &= b->succ[e].to == BT_EXIT_EDGE;
    if (!all)
        return;
    for (uint32_t e = 0; e < b->nsuccs; e++)
        harden(r, hard, b->succ[e].snap, b);
    if (!b->nsuccs && last->snap)
        harden(r, hard, last->snap, b);
}

/* The operations that nothing but snapshots and such operations need. */
static void find_soft(struct sinker *s)
{
    struct bt_region *r = s->r;
    bool *hard = arena_znew(r->arena, bool, r->nops);
    /* Operands come before their uses, but for those of phis. */
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops && r->ops[b->ops[k]].op == BT_PHI; k++) {
            for (uint32_t p = 0; p < b->npreds; p++)
                hard[r->phi_args[r->ops[b->ops[k]].a + p]] = true;
        }
        harden_exits(r, hard, b);
    }
    for (uint32_t i = r->nblocks; i-- > 0;) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = b->nops; k-- > 0;) {
            const struct bt_op *o = &r->ops[b->ops[k]];
            const uint32_t operands[3] = {o->a, o->b, o->c};
            s->soft[b->ops[k]] = !hard[b->ops[k]] && sinkable(o);
            for (int x = 0; x < 3; x++) {
                /* A scalar in a vector register is for snapshots alone, not part of an expression. */
                if (bt_operand_kind(o, x) &&
                    (!s->soft[b->ops[k]] || r->ops[operands[x]].op == UOP_vzext))
                    hard[operands[x]] = true;
            }
        }
    }
}

static void find_namings(struct sinker *s)
{
    const struct bt_region *r = s->r;
    for (uint32_t i = 1; i < r->nsnaps; i++) {
        const struct bt_snap *snap = &r->snaps[i];
        for (uint32_t k = snap->first; k < snap->first + snap->n; k++) {
            uint32_t v = r->snap_entries[k].value;
            if (!s->soft[v] || !bt_operand_kind(&r->ops[v], 1) || dear(r->ops[v].op))
                continue;
            struct naming *n = arena_new(r->arena, struct naming, 1);
            *n = (struct naming){i, s->naming[v]};
            s->naming[v] = n;
        }
    }
}

/* ---- extended scalars ---- */

/* A scalar that is extended to a vector register all the same (which costs little) is used as that from then on, so that there is
 * one value in one register. extension: by value, 0 for none. */
static void take_extended(struct bt_region *r, const uint32_t *extension, uint32_t *v,
                          uint32_t block)
{
    struct bt_op *o = &r->ops[*v];
    uint32_t of = o->sunk && o->op == UOP_vzext && o->imm == 3 ? o->a : *v, z = extension[of];
    if (!z || z == *v || !bt_dominates(r, r->ops[z].block, block))
        return;
    r->ops[z].uses++;
    if (!--o->uses && o->sunk)
        r->ops[o->a].uses--;
    *v = z;
}

static void use_in_snapshot(struct bt_region *r, const uint32_t *extension, uint32_t snap,
                            uint32_t block)
{
    struct bt_snap *s = &r->snaps[snap];
    for (uint32_t k = s->first; snap && k < s->first + s->n; k++) {
        uint32_t *v = &r->snap_entries[k].value;
        if (r->ops[*v].sunk)
            take_extended(r, extension, v, block);
    }
}

static void use_extended(struct bt_region *r)
{
    uint32_t *extension = arena_znew(r->arena, uint32_t, r->nops);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            uint32_t v = b->ops[k];
            struct bt_op *o = &r->ops[v];
            if (o->op == BT_PHI)
                continue;
            uint32_t *operands[3] = {&o->a, &o->b, &o->c};
            for (int x = 0; x < 3; x++) {
                if (bt_operand_kind(o, x) && (o->op != UOP_vzext || o->imm != 3))
                    take_extended(r, extension, operands[x], i);
            }
            use_in_snapshot(r, extension, o->snap, i);
            if (o->op == UOP_vzext && o->imm == 3 && !extension[o->a] && r->ops[o->a].block == i &&
                r->ops[o->a].op < UOP_CODES && r->ops[o->a].kind != UOP_K_V && bt_is_float(r, o->a))
                extension[o->a] = v;
        }
        for (uint32_t e = 0; e < b->nsuccs; e++) {
            if (b->succ[e].to == BT_EXIT_EDGE)
                use_in_snapshot(r, extension, b->succ[e].snap, i);
        }
    }
}

/* ---- what snapshots need in place ---- */

static void add_need(struct sinker *s, uint32_t snap, uint32_t v)
{
    struct bt_region *r = s->r;
    const struct bt_op *o = &r->ops[v];
    if (o->sunk) {
        const uint32_t operands[3] = {o->a, o->b, o->c};
        for (int i = 0; i < 3; i++) {
            if (bt_operand_kind(o, i))
                add_need(s, snap, operands[i]);
        }
    } else if (s->needed_by[v] != snap) {
        s->needed_by[v] = snap;
        bt_add_snap_entry(r, v, BT_NO_SLOT);
        r->snaps[snap].nneeds++;
    }
}

static void find_needs(struct sinker *s)
{
    struct bt_region *r = s->r;
    s->needed_by = arena_znew(r->arena, uint32_t, r->nops);
    for (uint32_t i = 1; i < r->nsnaps; i++) {
        struct bt_snap *snap = &r->snaps[i];
        bool any = false;
        for (uint32_t k = snap->first; k < snap->first + snap->n; k++)
            any |= r->ops[r->snap_entries[k].value].sunk;
        if (!any)
            continue;
        snap->need = r->nsnap_entries;
        snap->nneeds = 0;
        for (uint32_t k = snap->first; k < snap->first + snap->n; k++)
            add_need(s, i, r->snap_entries[k].value);
    }
}

void bt_sink(struct bt_region *r)
{
    struct sinker s = {.r = r};
    bool any = false;
    s.soft = arena_znew(r->arena, bool, r->nops);
    s.tree = arena_new(r->arena, struct tree, r->nops);
    s.naming = arena_znew(r->arena, const struct naming *, r->nops);
    find_soft(&s);
    find_namings(&s);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            if (s.soft[b->ops[k]])
                decide(&s, b->ops[k]);
        }
    }
    for (uint32_t i = 0; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        uint32_t n = 0;
        for (uint32_t k = 0; k < b->nops; k++) {
            if (!r->ops[b->ops[k]].sunk)
                b->ops[n++] = b->ops[k];
        }
        any |= n != b->nops;
        b->nops = n;
    }
    use_extended(r);
    if (any)
        find_needs(&s);
}

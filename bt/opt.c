/* Passes over a region that look beyond one operation: common subexpressions, dead operations, phis of one value.
 *
 * Threading: see bt/ir.h.
 */
#include "base/bitset.h"
#include "bt/ir.h"
#include <string.h>

const char *bt_name(uint16_t op)
{
    static const char *const pseudo[] = {"entry", "const", "phi", "dead"};
    return op < UOP_CODES ? uop_info[op].name : pseudo[op - UOP_CODES];
}

uint16_t bt_inverse(uint16_t op)
{
    static const uint16_t rows[UOP_CODES] = {
        [UOP_set_eq] = UOP_set_ne,         [UOP_set_ne] = UOP_set_eq,
        [UOP_set_lt] = UOP_set_ge,         [UOP_set_ge] = UOP_set_lt,
        [UOP_set_ltu] = UOP_set_geu,       [UOP_set_geu] = UOP_set_ltu,
        [UOP_set_eq_32] = UOP_set_ne_32,   [UOP_set_ne_32] = UOP_set_eq_32,
        [UOP_set_lt_32] = UOP_set_ge_32,   [UOP_set_ge_32] = UOP_set_lt_32,
        [UOP_set_ltu_32] = UOP_set_geu_32, [UOP_set_geu_32] = UOP_set_ltu_32,
    };
    uint16_t row = op < UOP_CODES ? uop_info[op].rr_form : 0;
    return rows[row] ? (uint16_t)(rows[row] + (op - row)) : 0; /* one more with an immediate */
}

bool bt_is_single(const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    return o->kind == UOP_K_S || o->op == UOP_unbox_f32 || o->op == UOP_fcanon_f32;
}

/* ---- replacements ---- */

uint32_t bt_renamed(const struct bt_renames *n, uint32_t v)
{
    while (v < n->n && n->to[v])
        v = n->to[v];
    return v;
}

void bt_rename_operands(struct bt_region *r, const struct bt_renames *n, struct bt_op *o)
{
    if (o->op == BT_PHI) {
        for (uint32_t p = 0; p < r->blocks[o->block].npreds; p++)
            r->phi_args[o->a + p] = bt_renamed(n, r->phi_args[o->a + p]);
        return;
    }
    o->a = bt_operand_kind(o, 0) ? bt_renamed(n, o->a) : o->a;
    o->b = bt_operand_kind(o, 1) ? bt_renamed(n, o->b) : o->b;
    o->c = bt_operand_kind(o, 2) ? bt_renamed(n, o->c) : o->c;
}

void bt_rename_snapshots(struct bt_region *r, const struct bt_renames *n)
{
    for (uint32_t k = 0; k < r->nsnap_entries; k++)
        r->snap_entries[k].value = bt_renamed(n, r->snap_entries[k].value);
}

/* ---- uses ---- */

static void count_operands(struct bt_region *r, const struct bt_op *o)
{
    if (o->op == BT_PHI) {
        for (uint32_t p = 0; p < r->blocks[o->block].npreds; p++)
            r->ops[r->phi_args[o->a + p]].uses++;
        return;
    }
    if (bt_operand_kind(o, 0))
        r->ops[o->a].uses++;
    if (bt_operand_kind(o, 1))
        r->ops[o->b].uses++;
    if (bt_operand_kind(o, 2))
        r->ops[o->c].uses++;
}

static void count_snapshot(struct bt_region *r, uint32_t snap)
{
    const struct bt_snap *s = &r->snaps[snap];
    for (uint32_t k = s->first; k < s->first + s->n; k++)
        r->ops[r->snap_entries[k].value].uses++;
}

void bt_count_uses(struct bt_region *r)
{
    for (uint32_t v = 1; v < r->nops; v++)
        r->ops[v].uses = 0;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            count_operands(r, &r->ops[b->ops[k]]);
            if (r->ops[b->ops[k]].snap)
                count_snapshot(r, r->ops[b->ops[k]].snap);
        }
        for (uint32_t e = 0; e < b->nsuccs; e++) {
            if (b->succ[e].to == BT_EXIT_EDGE)
                count_snapshot(r, b->succ[e].snap);
        }
    }
}

/* ---- phis that merge one value ---- */

void bt_merge_phis(struct bt_region *r)
{
    struct bt_renames names = {arena_znew(r->arena, uint32_t, r->nops), r->nops};
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t v = 1; v < r->nops; v++) {
            const struct bt_op *o = &r->ops[v];
            if (o->op != BT_PHI || names.to[v])
                continue;
            uint32_t same = 0;
            bool trivial = true;
            for (uint32_t p = 0; p < r->blocks[o->block].npreds; p++) {
                uint32_t arg = bt_renamed(&names, r->phi_args[o->a + p]);
                if (arg == v || arg == same)
                    continue;
                trivial = !same;
                if (!trivial)
                    break;
                same = arg;
            }
            if (trivial) {
                names.to[v] = same;
                changed = true;
            }
        }
    }
    for (uint32_t i = 0; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        uint32_t n = 0;
        for (uint32_t k = 0; k < b->nops; k++) {
            uint32_t v = b->ops[k];
            struct bt_op *o = &r->ops[v];
            if (names.to[v]) {
                o->op = BT_DEAD;
                continue;
            }
            bt_rename_operands(r, &names, o);
            b->ops[n++] = v;
        }
        b->nops = n;
    }
    bt_rename_snapshots(r, &names);
}

/* ---- dead operations: liveness from the roots, so that phis that only feed each other die ---- */

static bool is_root(const struct bt_op *o)
{
    uint16_t flags = bt_flags(o->op);
    /* A floating-point operation raises sticky flags, a load may fault; reading the flags does nothing. */
    return !(flags & UOP_F_PURE) && o->op != UOP_fp_getflags && o->op != UOP_fp_getraw &&
           o->op != UOP_fp_getid && o->op != BT_DEAD;
}

struct marker {
    struct bt_region *r;
    uint64_t *live;
    uint32_t *stack;
    uint32_t n;
};

static void mark(struct marker *m, uint32_t v)
{
    if (v && !bitset_test(m->live, v)) {
        bitset_set(m->live, v);
        m->stack[m->n++] = v;
    }
}

static void mark_snapshot(struct marker *m, uint32_t snap)
{
    const struct bt_snap *s = &m->r->snaps[snap];
    for (uint32_t k = s->first; k < s->first + s->n; k++)
        mark(m, m->r->snap_entries[k].value);
}

void bt_dce(struct bt_region *r)
{
    struct marker m = {.r = r};
    m.live = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
    m.stack = arena_new(r->arena, uint32_t, r->nops);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            if (is_root(&r->ops[b->ops[k]]))
                mark(&m, b->ops[k]);
        }
        for (uint32_t e = 0; e < b->nsuccs; e++) {
            if (b->succ[e].to == BT_EXIT_EDGE)
                mark_snapshot(&m, b->succ[e].snap);
        }
    }
    while (m.n) {
        const struct bt_op *o = &r->ops[m.stack[--m.n]];
        if (o->op == BT_PHI) {
            for (uint32_t p = 0; p < r->blocks[o->block].npreds; p++)
                mark(&m, r->phi_args[o->a + p]);
            continue;
        }
        if (bt_operand_kind(o, 0))
            mark(&m, o->a);
        if (bt_operand_kind(o, 1))
            mark(&m, o->b);
        if (bt_operand_kind(o, 2))
            mark(&m, o->c);
        if (o->snap)
            mark_snapshot(&m, o->snap);
    }
    for (uint32_t i = 0; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        uint32_t n = 0;
        for (uint32_t k = 0; k < b->nops; k++) {
            uint32_t v = b->ops[k];
            if (bitset_test(m.live, v))
                b->ops[n++] = v;
            else
                r->ops[v].op = BT_DEAD;
        }
        b->nops = n;
    }
    bt_count_uses(r);
}

/* ---- both halves of a product ---- */

/* The multiplication in the block whose high half is operation k. */
static uint32_t low_half(const struct bt_region *r, const struct bt_block *b, uint32_t k)
{
    const struct bt_op *h = &r->ops[b->ops[k]];
    bool imm = uop_info[h->op].rr_form != h->op;
    for (uint32_t j = 0; j < b->nops; j++) {
        const struct bt_op *o = &r->ops[b->ops[j]];
        if (imm ? o->op == UOP_mul_64_i && o->a == h->a && o->imm == h->imm
                : o->op == UOP_mul_64 &&
                      ((o->a == h->a && o->b == h->b) || (o->a == h->b && o->b == h->a)))
            return j;
    }
    return b->nops;
}

/* Operation `from` of the block goes to place `to` before it. Once it is made before what may fault, it must not lie in its
 * slot's home yet. */
static void move_up(struct bt_region *r, struct bt_block *b, uint32_t from, uint32_t to)
{
    uint32_t v = b->ops[from];
    for (uint32_t k = to; k < from; k++) {
        if (r->ops[b->ops[k]].snap)
            r->ops[v].slot = BT_NO_SLOT;
    }
    memmove(&b->ops[to + 1], &b->ops[to], (from - to) * sizeof(*b->ops));
    b->ops[to] = v;
}

void bt_pair_products(struct bt_region *r)
{
    for (uint32_t i = 1; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            uint16_t op = r->ops[b->ops[k]].op;
            if (op != UOP_mulh_uu && op != UOP_mulh_ss && op != UOP_mulh_uu_i &&
                op != UOP_mulh_ss_i)
                continue;
            uint32_t j = low_half(r, b, k);
            if (j < k)
                move_up(r, b, k, j);
            else if (j < b->nops)
                move_up(r, b, j, k + 1);
        }
    }
}

/* ---- common subexpressions ---- */

static uint32_t hash_op(const struct bt_op *o)
{
    uint64_t h = o->op;
    h = h * UINT64_C(0x9e3779b97f4a7c15) + o->a;
    h = h * UINT64_C(0x9e3779b97f4a7c15) + o->b;
    h = h * UINT64_C(0x9e3779b97f4a7c15) + o->c;
    h = h * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)o->imm;
    return (uint32_t)(h >> 32);
}

#define CSE_BUCKETS 512

struct cse {
    struct bt_renames names;
    uint32_t *next; /* chain by value */
    uint32_t bucket[CSE_BUCKETS];
};

static uint32_t find_equal(const struct bt_region *r, const struct cse *c, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    for (uint32_t w = c->bucket[hash_op(o) % CSE_BUCKETS]; w; w = c->next[w]) {
        const struct bt_op *p = &r->ops[w];
        if (p->op == o->op && p->a == o->a && p->b == o->b && p->c == o->c && p->imm == o->imm &&
            bt_dominates(r, p->block, o->block))
            return w;
    }
    return 0;
}

void bt_cse(struct bt_region *r)
{
    struct cse c = {0};
    c.names = (struct bt_renames){arena_znew(r->arena, uint32_t, r->nops), r->nops};
    c.next = arena_znew(r->arena, uint32_t, r->nops);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        uint32_t n = 0;
        for (uint32_t k = 0; k < b->nops; k++) {
            uint32_t v = b->ops[k];
            struct bt_op *o = &r->ops[v];
            b->ops[n++] = v;
            if (o->op == BT_PHI || o->op == BT_ENTRY)
                continue;
            bt_rename_operands(r, &c.names, o);
            if (!(bt_flags(o->op) & UOP_F_PURE))
                continue;
            uint32_t same = find_equal(r, &c, v);
            if (same) {
                c.names.to[v] = same;
                o->op = BT_DEAD;
                n--;
            } else {
                uint32_t h = hash_op(o) % CSE_BUCKETS;
                c.next[v] = c.bucket[h];
                c.bucket[h] = v;
            }
        }
        b->nops = n;
    }
    for (uint32_t k = 0; k < r->nphi_args; k++)
        r->phi_args[k] = bt_renamed(&c.names, r->phi_args[k]);
    bt_rename_snapshots(r, &c.names);
}

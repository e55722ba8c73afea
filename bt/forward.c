/* Loads of what the same region has stored before: the value itself, level 2.
 *
 * A callee in a region saves registers on the stack and loads them again, its return address among them: then the values stay
 * what they were, the return is a jump, and nothing waits for memory.
 *
 * To take a load's value from a store before it is to do the load there, before all that lies in between. Both guests' memory
 * models let a load go before others that are not to its bytes, but for these, which end what is known: fences (an acquiring load has
 * one behind it for the compiler, as the host needs none), atomic operations, whatever else may see memory, and
 * accesses that may be to the same bytes. Stores change them, and a load, if it stays one, may find what another thread has
 * put there: then one behind it must not find anything older (coherence; DDI 0487 B2.3, RVWMO's rule 2). Addresses are told apart
 * when they are the same value and different constants, less than a page apart. A loop's loads are not done before the loop, where they might
 * wait for another thread; a load behind it may, if nothing in the loop ends what is known. Signals are taken at exits, where nothing is known.
 *
 * Threading: see bt/ir.h.
 */
#include "base/bitset.h"
#include "bt/ir.h"
#include "process/mm.h"
#include <string.h>

#define MAX_STORED 24

struct stored {
    uint32_t root; /* the address: this value (0: none) plus off */
    uint32_t value;
    uint64_t off, size;
};

struct state {
    uint32_t n;
    struct stored s[MAX_STORED];
};

struct loop {
    uint64_t body[BITSET_WORDS(BT_MAX_BLOCKS + 1)];
    struct state across; /* what is known behind it, since it was known before */
};

struct forwarder {
    struct bt_region *r;
    struct bt_renames names;
    struct state *out;   /* by block */
    struct loop **loops; /* by head, NULL for other blocks */
    bool changed;
};

static unsigned access_size(uint16_t op)
{
    switch (op) {
    case UOP_ld_s8:
    case UOP_ld_u8:
    case UOP_st_8:
        return 1;
    case UOP_ld_s16:
    case UOP_ld_u16:
    case UOP_st_16:
        return 2;
    case UOP_ld_s32:
    case UOP_ld_u32:
    case UOP_st_32:
        return 4;
    case UOP_ld_64:
    case UOP_st_64:
        return 8;
    case UOP_ld_v128:
    case UOP_st_v128:
        return 16;
    default:
        return 0;
    }
}

/* Where a plain load or store is. */
static struct stored place(const struct forwarder *f, const struct bt_op *o)
{
    struct stored p = {.off = (uint64_t)o->imm, .size = access_size(o->op)};
    for (uint32_t v = bt_renamed(&f->names, o->a);; v = bt_renamed(&f->names, f->r->ops[v].a)) {
        const struct bt_op *a = &f->r->ops[v];
        if (a->op == UOP_add_64_i || a->op == BT_CONST)
            p.off += (uint64_t)a->imm;
        if (a->op != UOP_add_64_i && a->op != UOP_mov_64) {
            p.root = a->op == BT_CONST ? 0 : v;
            return p;
        }
    }
}

/* Not if they are a page apart or more: memory may be mapped twice. */
static bool disjoint(const struct stored *a, const struct stored *b)
{
    uint64_t up = b->off - a->off, down = a->off - b->off;
    return a->root == b->root && up >= a->size && down >= b->size &&
           (up + b->size <= GUEST_PAGE_SIZE || down + a->size <= GUEST_PAGE_SIZE);
}

enum effect { NOTHING, ACCESS, ENDS };

static enum effect effect_of(const struct bt_op *o)
{
    uint16_t flags = bt_flags(o->op);
    switch (o->op) {
    case UOP_align:
    case UOP_undefined_if:
    case UOP_relift_if:
        return NOTHING;
    case UOP_fence:
        return ENDS;
    default:
        if (access_size(o->op))
            return ACCESS;
        return flags & (UOP_F_LOAD | UOP_F_STORE | UOP_F_HELPER) ? ENDS : NOTHING;
    }
}

/* Known still, behind the access? */
static void keep_disjoint(struct state *s, const struct stored *access)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (disjoint(&s->s[i], access))
            s->s[n++] = s->s[i];
    s->n = n;
}

static void add(struct state *s, const struct stored *e)
{
    if (s->n == MAX_STORED)
        memmove(s->s, s->s + 1, --s->n * sizeof *s->s);
    s->s[s->n++] = *e;
}

/* The value of a load at p, from what is known: another value, or the load itself, made an extension of one. 0: none. */
static uint32_t known_value(struct forwarder *f, const struct state *s, uint32_t v,
                            const struct stored *p)
{
    static const uint16_t extensions[UOP_CODES] = {
        [UOP_ld_s8] = UOP_sext8,   [UOP_ld_u8] = UOP_zext8,   [UOP_ld_s16] = UOP_sext16,
        [UOP_ld_u16] = UOP_zext16, [UOP_ld_s32] = UOP_sext32, [UOP_ld_u32] = UOP_zext32,
    };
    struct bt_op *o = &f->r->ops[v];
    for (uint32_t i = 0; i < s->n; i++) {
        const struct stored *e = &s->s[i];
        if (e->root != p->root || e->off != p->off || e->size < p->size ||
            f->r->ops[e->value].kind != o->kind)
            continue;
        if (p->size == 16 || (p->size == 8 && (o->kind == UOP_K_I || o->kind == UOP_K_D)))
            return e->value;
        if (p->size < 8 && o->kind == UOP_K_I) {
            o->op = extensions[o->op];
            o->a = e->value;
            o->imm = 0;
            o->snap = 0;
            return v;
        }
    }
    return 0;
}

static void walk(struct forwarder *f, uint32_t block, struct state *s)
{
    struct bt_region *r = f->r;
    struct bt_block *b = &r->blocks[block];
    uint32_t n = 0;
    for (uint32_t k = 0; k < b->nops; k++) {
        uint32_t v = b->ops[k], to = 0;
        struct bt_op *o = &r->ops[v];
        b->ops[n++] = v;
        if (o->op != BT_PHI)
            bt_rename_operands(r, &f->names, o);
        switch (effect_of(o)) {
        case ACCESS: {
            struct stored p = place(f, o);
            if (bt_flags(o->op) & UOP_F_LOAD && (to = known_value(f, s, v, &p))) {
                f->changed = true;
                if (to != v) {
                    f->names.to[v] = to;
                    o->op = BT_DEAD;
                    n--;
                }
                break;
            }
            keep_disjoint(s, &p);
            if (bt_flags(o->op) & UOP_F_STORE) {
                p.value = o->b;
                add(s, &p);
            }
            break;
        }
        case ENDS:
            s->n = 0;
            break;
        case NOTHING:
            break;
        }
    }
    b->nops = n;
}

/* A value that lived through a loop for the sake of a load behind it would cost a register there, or be in memory too. */
static void keep_constants(const struct bt_region *r, struct state *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (bt_is_const(r, s->s[i].value))
            s->s[n++] = s->s[i];
    s->n = n;
}

/* Takes away what the loop's code may end. */
static void pass_through(struct forwarder *f, const struct loop *l, struct state *s)
{
    const struct bt_region *r = f->r;
    bitset_for_each(i, l->body, r->nblocks)
    {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops && s->n; k++) {
            const struct bt_op *o = &r->ops[b->ops[k]];
            enum effect e = effect_of(o);
            if (e == ENDS) {
                s->n = 0;
            } else if (e == ACCESS) {
                struct stored p = place(f, o);
                keep_disjoint(s, &p);
            }
        }
    }
}

/* What is known on an edge: with what was known before the loops that it leaves. */
static void on_edge(const struct forwarder *f, uint32_t from, uint32_t to, struct state *s)
{
    *s = f->out[from];
    for (uint32_t h = 0; h <= from; h++) {
        const struct loop *l = f->loops[h];
        if (!l || !bitset_test(l->body, from) || bitset_test(l->body, to))
            continue;
        for (uint32_t i = 0; i < l->across.n; i++) {
            bool there = false;
            for (uint32_t k = 0; k < s->n; k++)
                there |= !disjoint(&s->s[k], &l->across.s[i]);
            if (!there && s->n < MAX_STORED)
                add(s, &l->across.s[i]);
        }
    }
}

static void intersect(struct state *s, const struct state *other)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        for (uint32_t k = 0; k < other->n; k++)
            if (memcmp(&s->s[i], &other->s[k], sizeof *s->s) == 0) {
                s->s[n++] = s->s[i];
                break;
            }
    s->n = n;
}

/* The loops that end in h, as one; false: there is a way into them besides h. */
static bool find_body(const struct bt_region *r, uint32_t h, uint64_t *body)
{
    uint32_t stack[BT_MAX_BLOCKS + 1], n = 0;
    bitset_set(body, h);
    for (uint32_t p = 0; p < r->blocks[h].npreds; p++) {
        uint32_t tail = r->blocks[h].preds[p];
        if (tail >= h && !bitset_test(body, tail)) {
            bitset_set(body, tail);
            stack[n++] = tail;
        }
    }
    while (n) {
        const struct bt_block *b = &r->blocks[stack[--n]];
        for (uint32_t p = 0; p < b->npreds; p++) {
            if (b->preds[p] < h)
                return false;
            if (!bitset_test(body, b->preds[p])) {
                bitset_set(body, b->preds[p]);
                stack[n++] = b->preds[p];
            }
        }
    }
    return true;
}

static void enter(struct forwarder *f, uint32_t block, struct state *s)
{
    const struct bt_region *r = f->r;
    const struct bt_block *b = &r->blocks[block];
    bool first = true, head = false;
    s->n = 0;
    for (uint32_t p = 0; p < b->npreds; p++) {
        struct state edge;
        if (b->preds[p] >= block) {
            head = true;
            continue;
        }
        on_edge(f, b->preds[p], block, first ? s : &edge);
        if (!first)
            intersect(s, &edge);
        first = false;
    }
    if (!head)
        return;
    struct loop *l = arena_znew(r->arena, struct loop, 1);
    if (find_body(r, block, l->body)) {
        keep_constants(r, s);
        pass_through(f, l, s);
        l->across = *s;
        f->loops[block] = l;
    }
    s->n = 0;
}

static bool forward_once(struct bt_region *r)
{
    struct forwarder f = {.r = r};
    f.names = (struct bt_renames){arena_znew(r->arena, uint32_t, r->nops), r->nops};
    f.out = arena_new(r->arena, struct state, r->nblocks);
    f.loops = arena_znew(r->arena, struct loop *, r->nblocks);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        enter(&f, i, &f.out[i]);
        walk(&f, i, &f.out[i]);
    }
    if (!f.changed)
        return false;
    for (uint32_t k = 0; k < r->nphi_args; k++)
        r->phi_args[k] = bt_renamed(&f.names, r->phi_args[k]);
    bt_rename_snapshots(r, &f.names);
    return true;
}

static bool stores_and_loads(const struct bt_region *r)
{
    bool store = false;
    for (uint32_t i = 0; i < r->nblocks; i++)
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint16_t op = r->ops[r->blocks[i].ops[k]].op;
            store |= access_size(op) && bt_flags(op) & UOP_F_STORE;
            if (store && access_size(op) && bt_flags(op) & UOP_F_LOAD)
                return true;
        }
    return false;
}

bool bt_forward(struct bt_region *r)
{
    if (!stores_and_loads(r))
        return false;
    bt_merge_phis(r);
    return forward_once(r);
}

/* Phis of condition flags that only snapshots name.
 *
 * Flags that a loop leaves behind meet those from before the loop in a phi at its head, and would have to be made at every turn for the
 * sake of the accesses between the head and the next comparison. So the phi becomes a choice: whether the loop has gone round (its
 * counter is another than at first, or else a phi of 0 and 1), the flags made again of what their operands were in the turn before, which are phis of the head mostly, and the flags from
 * before (a phi of these, when they are several). Only snapshots name that, so all but the new phis goes to the exits (bt/sink.c). Where
 * like flags come from everywhere, there is nothing to choose.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/ir.h"

struct softener {
    struct bt_region *r;
    uint32_t *uses; /* by value: by operations and by phis other than itself; snapshots apart */
    bool *wanted;   /* by value: by operations, as it is */
    bool *named;    /* by value: by snapshots */
    uint32_t nold;  /* values that there were at the beginning */
    struct bt_renames names;
    /* of the phi in work */
    uint32_t head, phi;            /* block; value */
    bool again[BT_MAX_BLOCKS * 2]; /* by predecessor: from there come flags that are made again */
    uint32_t made;                 /* new phis for operands */
    uint32_t inserted;             /* new operations in the head */
    bool changed;
};

static bool is_flags(uint16_t op)
{
    if (op >= UOP_CODES)
        return false;
    uint16_t row = uop_info[op].rr_form;
    return row == UOP_flags_add_64 || row == UOP_flags_add_32 || row == UOP_flags_sub_64 ||
           row == UOP_flags_sub_32 || row == UOP_flags_logic_64 || row == UOP_flags_logic_32 ||
           row == UOP_flags_fcmp_f64 || row == UOP_flags_fcmp_f32;
}

static void count(struct softener *s)
{
    const struct bt_region *r = s->r;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            const struct bt_op *o = &r->ops[b->ops[k]];
            const uint32_t operands[3] = {o->a, o->b, o->c};
            for (uint32_t p = 0; o->op == BT_PHI && p < b->npreds; p++)
                s->uses[r->phi_args[o->a + p]] += r->phi_args[o->a + p] != b->ops[k];
            for (int x = 0; x < 3; x++) {
                if (bt_operand_kind(o, x)) {
                    s->uses[operands[x]]++;
                    s->wanted[operands[x]] = true;
                }
            }
        }
    }
    for (uint32_t k = 0; k < r->nsnap_entries; k++)
        s->named[r->snap_entries[k].value] = true;
}

static uint32_t arg(const struct softener *s, uint32_t phi, uint32_t p)
{
    return s->r->phi_args[s->r->ops[phi].a + p];
}

/* Is v there when the head is entered? (Where a loop is entered in the middle, not all that comes from before it is.) */
static bool before_head(const struct softener *s, uint32_t v)
{
    uint32_t of = s->r->ops[v].block;
    return of != s->head && bt_dominates(s->r, of, s->head);
}

/* A new operation of the head: behind its phis and the new operations before it. */
static uint32_t put(struct softener *s, uint16_t op, uint32_t a, uint32_t b, uint32_t c,
                    int64_t imm)
{
    const struct bt_block *x = &s->r->blocks[s->head];
    uint32_t at = 0;
    while (s->r->ops[x->ops[at]].op == BT_PHI)
        at++;
    at += s->inserted++;
    return bt_insert(s->r, s->head, &at, op, a, b, c, imm);
}

/* A phi of the head that is args where flags are made again, and elsewhere `otherwise`, if not 0. */
static uint32_t find_phi(const struct softener *s, const uint32_t *args, uint32_t otherwise)
{
    const struct bt_block *b = &s->r->blocks[s->head];
    for (uint32_t k = 0; k < b->nops && s->r->ops[b->ops[k]].op == BT_PHI; k++) {
        uint32_t v = b->ops[k];
        bool same = v != s->phi;
        for (uint32_t p = 0; p < b->npreds && same; p++) {
            if (s->again[p])
                same = arg(s, v, p) == args[p];
            else if (arg(s, s->phi, p) == s->phi)
                same = arg(s, v, p) == v;
            else
                same = !otherwise || arg(s, v, p) == otherwise;
        }
        if (same)
            return v;
    }
    return 0;
}

static uint32_t make_phi(struct softener *s, const uint32_t *args, uint32_t otherwise)
{
    const struct bt_block *b = &s->r->blocks[s->head];
    uint32_t all[BT_MAX_BLOCKS * 2];
    for (uint32_t p = 0; p < b->npreds; p++) {
        bool self = arg(s, s->phi, p) == s->phi;
        all[p] = s->again[p] ? args[p] : self ? 0 : otherwise;
    }
    return bt_new_phi(s->r, s->head, all);
}

/* A value at the head that is args where flags are made again; 0: there is none for cheap. */
static uint32_t at_head(struct softener *s, const uint32_t *args, unsigned depth)
{
    struct bt_region *r = s->r;
    const struct bt_block *b = &r->blocks[s->head];
    uint32_t first = 0, left[BT_MAX_BLOCKS * 2], right[BT_MAX_BLOCKS * 2];
    bool same = true, sums = depth == 0;
    for (uint32_t p = 0; p < b->npreds; p++) {
        if (!s->again[p])
            continue;
        const struct bt_op *o = &r->ops[args[p]];
        if (!first)
            first = args[p];
        same &= args[p] == first;
        sums &= o->op == r->ops[first].op && o->imm == r->ops[first].imm && s->uses[args[p]] == 1 &&
                (o->op == UOP_add_64 || o->op == UOP_add_32z || o->op == UOP_add_64_i ||
                 o->op == UOP_add_32z_i);
        left[p] = o->a;
        right[p] = o->b;
    }
    if (same && before_head(s, first))
        return first;
    uint32_t phi = find_phi(s, args, 0);
    if (phi)
        return phi;
    if (sums) {
        uint16_t op = r->ops[first].op;
        int64_t imm = r->ops[first].imm;
        uint32_t a = at_head(s, left, 1);
        uint32_t c = a && uop_info[op].b ? at_head(s, right, 1) : 0;
        if (!a || (uop_info[op].b && !c))
            return 0;
        return put(s, op, a, c, 0, imm);
    }
    if (s->made++ || r->ops[first].kind != UOP_K_I)
        return 0;
    return make_phi(s, args, bt_const(r, 0));
}

/* Which flags are made again: those like the ones that come out of the innermost loop. 0: none. */
static uint32_t choose(struct softener *s)
{
    const struct bt_region *r = s->r;
    const struct bt_block *b = &r->blocks[s->head];
    uint32_t flags = 0, depth = 0;
    for (uint32_t p = b->npreds; p-- > 0;) {
        uint32_t v = arg(s, s->phi, p);
        const struct bt_op *o = &r->ops[v];
        /* A loop that is entered in the middle has a head, but no depth. */
        uint32_t d = r->blocks[b->preds[p]].loop_depth + (b->preds[p] >= s->head);
        if (is_flags(o->op) && d > depth) {
            flags = v;
            depth = d;
        }
    }
    for (uint32_t p = 0; p < b->npreds; p++) {
        uint32_t v = arg(s, s->phi, p);
        const struct bt_op *o = &r->ops[v];
        s->again[p] = flags && v < s->nold && !s->wanted[v] && o->op == r->ops[flags].op &&
                      o->imm == r->ops[flags].imm;
        /* What the loop makes otherwise it makes at each turn. */
        if (v != s->phi && !s->again[p] && b->preds[p] >= s->head && o->op != BT_CONST)
            return 0;
    }
    return flags;
}

/* The flags where they are not made again; 0: they are everywhere. */
static uint32_t flags_before(struct softener *s)
{
    const struct bt_block *b = &s->r->blocks[s->head];
    uint32_t all[BT_MAX_BLOCKS * 2], before = 0;
    bool same = true;
    for (uint32_t p = 0; p < b->npreds; p++) {
        uint32_t v = arg(s, s->phi, p);
        all[p] = 0;
        if (s->again[p] || v == s->phi)
            continue;
        same &= !before || v == before;
        all[p] = before = v;
    }
    if (!before || (same && before_head(s, before)))
        return before;
    for (uint32_t p = 0; p < b->npreds; p++) {
        if (all[p] && all[p] < s->nold)
            s->uses[all[p]]++;
        else if (!all[p] && !bt_dominates(s->r, s->head, b->preds[p]))
            all[p] = bt_const(s->r, 0); /* a loop that is entered elsewhere too */
    }
    return bt_new_phi(s->r, s->head, all);
}

/* Does the phi x of the head grow, or shrink, by a constant wherever flags are made again, and stay as it is where these do? Then it is
 * what it was before the loop, the value returned, as long as none have been made: that many turns no machine makes. 0: it does not. */
static uint32_t counts_from(const struct softener *s, uint32_t x)
{
    enum { STEP = 1 << 16 };
    const struct bt_region *r = s->r;
    uint32_t before = 0;
    int sign = 0;
    for (uint32_t p = 0; p < r->blocks[s->head].npreds; p++) {
        uint32_t v = arg(s, x, p);
        const struct bt_op *o = &r->ops[v];
        if (s->again[p]) {
            int direction = o->imm < 0 ? -1 : 1;
            if (o->op != UOP_add_64_i || o->a != x || o->imm == 0 || o->imm > STEP ||
                o->imm < -STEP || direction == -sign)
                return 0;
            sign = direction;
        } else if (arg(s, s->phi, p) == s->phi) {
            if (v != x)
                return 0;
        } else {
            if (before && v != before)
                return 0;
            before = v;
        }
    }
    return sign && before && before_head(s, before) ? before : 0;
}

/* Whether flags have been made again since the head was entered from before, as a value: q are the operands of these. It had better be
 * a comparison of a phi that is there anyway than one of 0 and 1, which each turn would have to write. */
static uint32_t find_tag(struct softener *s, const uint32_t q[3])
{
    struct bt_region *r = s->r;
    const struct bt_block *b = &r->blocks[s->head];
    uint32_t x = 0, before = 0, ones[BT_MAX_BLOCKS * 2];
    for (uint32_t k = 0; k < b->nops && r->ops[b->ops[k]].op == BT_PHI; k++) {
        uint32_t v = b->ops[k], from = v < s->nold && s->named[v] ? counts_from(s, v) : 0;
        if (from && (!x || v == q[0] || v == q[1]))
            x = v, before = from;
    }
    if (x)
        return put(s, UOP_set_ne, x, before, 0, 0);
    uint32_t one = bt_const(r, 1), zero = bt_const(r, 0);
    for (uint32_t p = 0; p < b->npreds; p++)
        ones[p] = one;
    uint32_t tag = find_phi(s, ones, zero);
    return tag ? tag : make_phi(s, ones, zero);
}

static void soften(struct softener *s, uint32_t head, uint32_t phi)
{
    struct bt_region *r = s->r;
    uint32_t npreds = r->blocks[head].npreds;
    uint32_t operand[3][BT_MAX_BLOCKS * 2];
    s->head = head;
    s->phi = phi;
    s->made = 0;
    if (s->uses[phi] || !s->named[phi])
        return;
    uint32_t flags = choose(s);
    if (!flags)
        return;
    for (uint32_t p = 0; p < npreds; p++) {
        const struct bt_op *o = &r->ops[arg(s, phi, p)];
        operand[0][p] = o->a, operand[1][p] = o->b, operand[2][p] = o->c;
    }
    uint32_t q[3] = {0};
    for (int i = 0; i < 3; i++) {
        if (bt_operand_kind(&r->ops[flags], i) && !(q[i] = at_head(s, operand[i], 0)))
            return;
    }
    uint32_t before = flags_before(s), tag = 0;
    if (before)
        tag = find_tag(s, q);
    uint32_t to = put(s, r->ops[flags].op, q[0], q[1], q[2], r->ops[flags].imm);
    if (before) {
        to = put(s, UOP_sel, tag, to, before, 0);
        if (before < s->nold)
            s->named[before] = true;
    }
    s->names.to[phi] = to;
    for (uint32_t p = 0; p < npreds; p++) {
        if (arg(s, phi, p) != phi && arg(s, phi, p) < s->nold)
            s->uses[arg(s, phi, p)]--;
    }
    s->changed = true;
}

bool bt_soften_phis(struct bt_region *r)
{
    struct softener s = {.r = r, .nold = r->nops};
    s.uses = arena_znew(r->arena, uint32_t, r->nops);
    s.named = arena_znew(r->arena, bool, r->nops);
    s.wanted = arena_znew(r->arena, bool, r->nops);
    s.names = (struct bt_renames){arena_znew(r->arena, uint32_t, r->nops), r->nops};
    bool any = false;
    for (uint32_t v = 1; v < r->nops && !any; v++)
        any = is_flags(r->ops[v].op);
    if (!any)
        return false;
    count(&s);
    /* Inner loops first: what comes to them from an outer one's phi is no use of it any more. */
    for (uint32_t i = r->nblocks; i-- > 1;) {
        s.inserted = 0;
        for (uint32_t k = 0; k < r->blocks[i].nops && r->ops[r->blocks[i].ops[k]].op == BT_PHI;
             k++) {
            uint32_t v = r->blocks[i].ops[k];
            if (r->blocks[i].loop_head && v < s.nold && !s.names.to[v])
                soften(&s, i, v);
        }
    }
    for (uint32_t v = s.nold; v < r->nops; v++)
        bt_rename_operands(r, &s.names, &r->ops[v]);
    bt_rename_snapshots(r, &s.names);
    return s.changed;
}

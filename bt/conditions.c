/* Conditions on flags become comparisons of what the flags were made of.
 *
 * A guest with condition flags has them as a value (uop.def, flags_ rows), which a condition (cond) looks
 * at. Where the operation that made the flags is known, the condition is a comparison, which the host has as such, and the
 * flags themselves are left to the snapshots (bt/sink.c). So that these do not keep the operand of a subtraction alive beside its
 * result, the flags are made from the result there.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/ir.h"
#include "uop/sem.h"
#include <string.h>

struct conditions {
    struct bt_region *r;
    uint32_t block, at; /* where new operations go */
};

static uint32_t put(struct conditions *f, uint16_t op, uint32_t a, uint32_t b, int64_t imm)
{
    return bt_insert(f->r, f->block, &f->at, op, a, b, 0, imm);
}

static bool is_const(const struct conditions *f, uint32_t v, uint64_t *c)
{
    *c = (uint64_t)f->r->ops[v].imm;
    return bt_is_const(f->r, v);
}

/* The row of 64 or 32 bits. */
static uint16_t sized(uint16_t op, bool wide)
{
    return wide ? op : (uint16_t)(op - UOP_set_eq + UOP_set_eq_32);
}
_Static_assert(UOP_set_geu_32 - UOP_set_eq_32 == UOP_set_geu - UOP_set_eq, "rows in one order");

static uint32_t compare(struct conditions *f, uint16_t op, bool wide, uint32_t a, uint32_t b)
{
    return put(f, sized(op, wide), a, b, 0);
}

static uint32_t zero(struct conditions *f)
{
    return bt_const(f->r, 0);
}

static uint32_t condition(struct conditions *f, uint32_t v, unsigned cc);

/* Of v, with C and V clear. */
static uint32_t of_value(struct conditions *f, bool wide, uint32_t v, unsigned cc)
{
    switch (cc) {
    case 0:
    case 1:
        return compare(f, cc == 0 ? UOP_set_eq : UOP_set_ne, wide, v, zero(f));
    case 2:
    case 6:
    case 8:
        return zero(f);
    case 3:
    case 7:
    case 9:
        return bt_const(f->r, 1);
    case 4:
    case 11:
        return compare(f, UOP_set_lt, wide, v, zero(f));
    case 5:
    case 10:
        return compare(f, UOP_set_ge, wide, v, zero(f));
    case 12:
        return compare(f, UOP_set_lt, wide, zero(f), v);
    default:
        return compare(f, UOP_set_ge, wide, zero(f), v);
    }
}

/* Of a - b. */
static uint32_t of_difference(struct conditions *f, bool wide, uint32_t a, uint32_t b, unsigned cc)
{
    /* Where a is the difference and b again, the difference tells equality and sign. */
    const struct bt_op *sum = &f->r->ops[a], *d = &f->r->ops[sum->a];
    if (sum->op == (wide ? UOP_add_64 : UOP_add_32z) && sum->b == b &&
        d->op == (wide ? UOP_sub_64 : UOP_sub_32z) && d->b == b) {
        if (cc < 2 || cc == 4 || cc == 5)
            return of_value(f, wide, sum->a, cc);
        a = d->a;
    }
    switch (cc) {
    case 0:
        return compare(f, UOP_set_eq, wide, a, b);
    case 1:
        return compare(f, UOP_set_ne, wide, a, b);
    case 2:
        return compare(f, UOP_set_geu, wide, a, b);
    case 3:
        return compare(f, UOP_set_ltu, wide, a, b);
    case 4:
    case 5: {
        uint64_t c;
        uint32_t d =
            is_const(f, b, &c) && !c ? a : put(f, wide ? UOP_sub_64 : UOP_sub_32z, a, b, 0);
        return compare(f, cc == 4 ? UOP_set_lt : UOP_set_ge, wide, d, zero(f));
    }
    case 8:
        return compare(f, UOP_set_ltu, wide, b, a);
    case 9:
        return compare(f, UOP_set_geu, wide, b, a);
    case 10:
        return compare(f, UOP_set_ge, wide, a, b);
    case 11:
        return compare(f, UOP_set_lt, wide, a, b);
    case 12:
        return compare(f, UOP_set_lt, wide, b, a);
    case 13:
        return compare(f, UOP_set_ge, wide, b, a);
    default:
        return 0; /* overflow */
    }
}

/* Of a + b. */
static uint32_t of_sum(struct conditions *f, bool wide, uint32_t a, uint32_t b, unsigned cc)
{
    uint64_t c;
    if (is_const(f, b, &c)) {
        uint64_t n = wide ? c : (uint32_t)c;
        if (!n)
            return of_value(f, wide, a, cc);
        if (n != UINT64_C(1) << (wide ? 63 : 31)) /* then a - -b carries and overflows alike */
            return of_difference(f, wide, a, bt_const(f->r, wide ? -n : (uint32_t)-n), cc);
    }
    if (cc > 5)
        return 0;
    uint32_t sum = put(f, wide ? UOP_add_64 : UOP_add_32z, a, b, 0);
    switch (cc) {
    case 2:
        return compare(f, UOP_set_ltu, wide, sum, a);
    case 3:
        return compare(f, UOP_set_geu, wide, sum, a);
    default:
        return of_value(f, wide, sum, cc);
    }
}

/* Of a sum or difference with a carry, by its flags v: the carry alone. */
static uint32_t of_carried(struct conditions *f, uint32_t v, unsigned cc)
{
    const struct bt_op o = f->r->ops[v];
    static const uint16_t rows[] = {UOP_carry_adc_64, UOP_carry_adc_32, UOP_carry_sbc_64,
                                    UOP_carry_sbc_32};
    if (cc != 2 && cc != 3)
        return 0;
    uint32_t c = bt_insert(f->r, f->block, &f->at, rows[o.op - UOP_flags_adc_64], o.a, o.b, o.c, 0);
    return cc == 2 ? c : put(f, UOP_xor_64_i, c, 0, 1);
}

/* Of comparing floats, by flags v. The comparison is put right behind the flags, where its exceptions have just been raised
 * (bt/emit_float.c). */
static uint32_t of_floats(struct conditions *f, uint32_t flags, unsigned cc)
{
    const struct bt_op *o = &f->r->ops[flags];
    uint32_t a = o->a, b = o->b, later = f->at;
    bool wide = o->op == UOP_flags_fcmp_f64;
    if (o->block == f->block) {
        while (f->r->blocks[f->block].ops[f->at - 1] != flags)
            f->at--;
    }
    later -= f->at;
    uint16_t eq = wide ? UOP_feq_q_f64 : UOP_feq_q_f32, lt = wide ? UOP_flt_q_f64 : UOP_flt_q_f32;
    uint16_t le = wide ? UOP_fle_q_f64 : UOP_fle_q_f32;
    bool invert = cc & 1;
    uint32_t v;
    switch (cc & ~1u) {
    case 0:
        v = put(f, eq, a, b, 0);
        break;
    case 2:
        v = put(f, lt, a, b, 0);
        invert = !invert;
        break;
    case 4:
        v = put(f, lt, a, b, 0);
        break;
    case 6:
        v = put(f, UOP_or_64, put(f, le, a, b, 0), put(f, le, b, a, 0), 0);
        invert = !invert;
        break;
    case 8:
        v = put(f, le, a, b, 0);
        invert = !invert;
        break;
    case 10:
        v = put(f, le, b, a, 0);
        break;
    default:
        v = put(f, lt, b, a, 0);
        break;
    }
    f->at += later;
    return invert ? put(f, UOP_xor_64_i, v, 0, 1) : v;
}

/* Where the flags are one of two values: known ones mostly, if the first comparison of a chain has not held. */
static uint32_t of_choice(struct conditions *f, uint32_t which, uint32_t yes, uint32_t no,
                          unsigned cc)
{
    uint64_t n;
    if (!is_const(f, no, &n))
        return 0;
    uint32_t c = condition(f, yes, cc);
    if (!c)
        return 0;
    if (uop_cond(n, cc)) {
        which = put(f, UOP_xor_64_i, which, 0, 1);
        return put(f, UOP_or_64, which, c, 0);
    }
    return put(f, UOP_and_64, which, c, 0);
}

/* Is it known to be 0 or 1? */
static bool is_bit(const struct conditions *f, uint32_t v)
{
    const struct bt_op *o = &f->r->ops[v];
    if (o->op == UOP_and_64 || o->op == UOP_or_64)
        return is_bit(f, o->a) && is_bit(f, o->b);
    if (o->op == UOP_xor_64_i)
        return o->imm == 1 && is_bit(f, o->a);
    return bt_range(o->op) == UOP_R_BIT || (o->op == BT_CONST && (o->imm == 0 || o->imm == 1));
}

/* The condition on flags v as 0 or 1; 0 when it is not known how to. */
static uint32_t condition(struct conditions *f, uint32_t v, unsigned cc)
{
    const struct bt_op *o = &f->r->ops[v];
    uint32_t a = o->a, b = o->b, c = o->c;
    if (cc >= 14)
        return bt_const(f->r, 1);
    switch (o->op) {
    case BT_CONST:
        return bt_const(f->r, uop_cond((uint64_t)o->imm, cc));
    case UOP_flags_sub_64:
    case UOP_flags_sub_32:
        return of_difference(f, o->op == UOP_flags_sub_64, a, b, cc);
    case UOP_flags_add_64:
    case UOP_flags_add_32:
        return of_sum(f, o->op == UOP_flags_add_64, a, b, cc);
    case UOP_flags_logic_64:
    case UOP_flags_logic_32:
        return of_value(f, o->op == UOP_flags_logic_64, a, cc);
    case UOP_flags_fcmp_f64:
    case UOP_flags_fcmp_f32:
        return of_floats(f, v, cc);
    case UOP_sel:
        return is_bit(f, a) ? of_choice(f, a, b, c, cc) : 0;
    case UOP_flags_adc_64:
    case UOP_flags_adc_32:
    case UOP_flags_sbc_64:
    case UOP_flags_sbc_32:
        return of_carried(f, v, cc);
    default:
        return 0;
    }
}

/* An immediate operand of flags becomes a value. */
static void with_value(struct bt_region *r, uint32_t v)
{
    uint16_t op = r->ops[v].op, row = op < UOP_CODES ? uop_info[op].rr_form : op;
    if (row == op || row < UOP_flags_add_64 || row > UOP_flags_sub_32)
        return;
    uint32_t b = bt_const(r, (uint64_t)r->ops[v].imm);
    r->ops[v].op = row;
    r->ops[v].b = b;
    r->ops[v].imm = 0;
}

/* flags_sub(a, b) with a - b right behind it: of (a - b) + b, and for equality and sign nothing but the result. */
static bool has_difference(const struct conditions *f, uint32_t v, uint32_t k, uint32_t *d)
{
    struct bt_region *r = f->r;
    const struct bt_op *o = &r->ops[v];
    bool wide = o->op == UOP_flags_sub_64;
    uint64_t c;
    *d = r->blocks[f->block].ops[k + 1];
    struct bt_op *n = &r->ops[*d];
    if (n->a != o->a)
        return false;
    if (n->op == (wide ? UOP_add_64_i : UOP_add_32z_i) && is_const(f, o->b, &c) &&
        (wide ? c + (uint64_t)n->imm == 0 : (uint32_t)(c + (uint64_t)n->imm) == 0)) {
        n->op = wide ? UOP_sub_64 : UOP_sub_32z;
        n->b = o->b;
        n->imm = 0;
    }
    return n->op == (wide ? UOP_sub_64 : UOP_sub_32z) && n->b == o->b;
}

void bt_conditions(struct bt_region *r)
{
    struct bt_renames names = {0};
    struct conditions f = {.r = r};
    uint32_t n = r->nops;
    for (uint32_t i = 1; i < r->nblocks; i++) {
        f.block = i;
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint32_t v = r->blocks[i].ops[k], d;
            if (names.n)
                bt_rename_operands(r, &names, &r->ops[v]);
            with_value(r, v);
            uint16_t op = r->ops[v].op;
            if ((op == UOP_flags_sub_64 || op == UOP_flags_sub_32) &&
                has_difference(&f, v, k, &d)) {
                /* The difference first, then the flags of difference + b - b. */
                bool wide = op == UOP_flags_sub_64;
                uint32_t *ops = r->blocks[i].ops, b = r->ops[v].b;
                ops[k] = d;
                ops[k + 1] = v;
                f.at = k + 1;
                uint32_t a = put(&f, wide ? UOP_add_64 : UOP_add_32z, d, b, 0);
                r->ops[v].a = a;
                k = f.at;
            } else if (op == UOP_cond_i) {
                if (!names.n)
                    names = (struct bt_renames){arena_znew(r->arena, uint32_t, n), n};
                f.at = k;
                uint32_t c = condition(&f, r->ops[v].a, (unsigned)r->ops[v].imm & 15);
                k = f.at;
                if (c)
                    names.to[v] = c;
            }
        }
    }
    if (!names.n)
        return;
    for (uint32_t k = 0; k < r->nphi_args; k++)
        r->phi_args[k] = bt_renamed(&names, r->phi_args[k]);
    bt_rename_snapshots(r, &names);
}

/* ---- what a branch has decided ---- */

static void settle_snapshot(struct bt_region *r, uint32_t snap, uint32_t v, uint32_t is)
{
    const struct bt_snap *s = &r->snaps[snap];
    for (uint32_t k = s->first; snap && k < s->first + s->n; k++) {
        if (r->snap_entries[k].value == v)
            r->snap_entries[k].value = is;
    }
}

/* The arguments v of phis that come from a block. */
static void settle_phis(struct bt_region *r, uint32_t from, uint32_t to, uint32_t v, uint32_t is)
{
    const struct bt_block *b = &r->blocks[to];
    for (uint32_t k = 0; k < b->nops && r->ops[b->ops[k]].op == BT_PHI; k++) {
        for (uint32_t p = 0; p < b->npreds; p++) {
            uint32_t *arg = &r->phi_args[r->ops[b->ops[k]].a + p];
            if (b->preds[p] == from && *arg == v)
                *arg = is;
        }
    }
}

/* v is known behind edge e of the block: in what the edge dominates. */
static void settle(struct bt_region *r, uint32_t block, unsigned e, uint32_t v, uint32_t is)
{
    uint32_t to = r->blocks[block].succ[e].to;
    if (to == BT_EXIT_EDGE) {
        settle_snapshot(r, r->blocks[block].succ[e].snap, v, is);
        return;
    }
    settle_phis(r, block, to, v, is);
    for (uint32_t i = to; r->blocks[to].npreds == 1 && i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        if (!bt_dominates(r, to, i))
            continue;
        for (uint32_t k = 0; k < b->nops; k++)
            settle_snapshot(r, r->ops[b->ops[k]].snap, v, is);
        for (uint32_t n = 0; n < b->nsuccs; n++) {
            if (b->succ[n].to == BT_EXIT_EDGE)
                settle_snapshot(r, b->succ[n].snap, v, is);
            else
                settle_phis(r, i, b->succ[n].to, v, is);
        }
    }
}

void bt_settle_branches(struct bt_region *r)
{
    for (uint32_t i = 1; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        const struct bt_op *t = &r->ops[b->ops[b->nops - 1]];
        bool equal = t->op == UOP_br_eq || t->op == UOP_br_eq_32;
        if (b->nsuccs != 2 || b->succ[0].to == b->succ[1].to ||
            !(equal || t->op == UOP_br_ne || t->op == UOP_br_ne_32) || !bt_is_const(r, t->b) ||
            r->ops[t->b].imm != 0 || bt_range(r->ops[t->a].op) != UOP_R_BIT)
            continue;
        uint32_t v = t->a, zero = t->b, one = bt_const(r, 1);
        settle(r, i, 0, v, equal ? one : zero);
        settle(r, i, 1, v, equal ? zero : one);
    }
}

/* ---- choices ---- */

/* The comparison in the block, before operation k, that decides the choice there; its place in *at. */
static bool comparison_of(const struct bt_region *r, const struct bt_block *b, uint32_t k,
                          uint32_t *at)
{
    const struct bt_op *o = &r->ops[b->ops[k]];
    if (o->op != UOP_sel || o->a == o->b || o->a == o->c || !bt_inverse(r->ops[o->a].op))
        return false;
    for (*at = k; *at > 0 && b->ops[*at] != o->a; --*at)
        ;
    return b->ops[*at] == o->a;
}

static bool compares_floats(uint16_t op)
{
    switch (op) {
    case UOP_feq_f32:
    case UOP_feq_f64:
    case UOP_flt_f32:
    case UOP_flt_f64:
    case UOP_fle_f32:
    case UOP_fle_f64:
    case UOP_feq_q_f32:
    case UOP_feq_q_f64:
    case UOP_flt_q_f32:
    case UOP_flt_q_f64:
    case UOP_fle_q_f32:
    case UOP_fle_q_f64:
        return true;
    default:
        return false;
    }
}

/* May a floating-point comparison in front of the operation be made behind it as well? It neither faults nor looks at sticky flags. */
static bool lets_past(const struct bt_op *o)
{
    if (o->op >= UOP_CODES || uop_info[o->op].flags & UOP_F_PURE)
        return true;
    const struct uop_info *info = &uop_info[o->op];
    return info->flags & UOP_F_FPENV && info->d != UOP_K_N && info->a != UOP_K_N;
}

/* A comparison of floating point that nothing but the branch at the block's end looks at comes right before that, with the one
 * in front of it that raises the exceptions (bt/emit_float.c). */
static void pair_branch(struct bt_region *r, uint32_t block)
{
    struct bt_block *b = &r->blocks[block];
    uint32_t last = b->nops - 1, at = last, v = r->ops[b->ops[last]].a, n = 1, moved[2] = {v};
    if (!(bt_flags(r->ops[b->ops[last]].op) & UOP_F_BRANCH) || !compares_floats(r->ops[v].op) ||
        r->ops[v].uses != 1 || r->ops[v].block != block)
        return;
    while (at == last || (b->ops[at] != v && lets_past(&r->ops[b->ops[at]])))
        at--;
    if (b->ops[at] != v || at == last - 1)
        return;
    const struct bt_op *o = &r->ops[v], *half = &r->ops[at ? b->ops[at - 1] : 0];
    bool same = (half->a == o->a && half->b == o->b) || (half->a == o->b && half->b == o->a);
    if (compares_floats(half->op) && same && !half->uses) {
        moved[0] = b->ops[--at], moved[1] = v;
        n = 2;
    }
    memmove(&b->ops[at], &b->ops[at + n], (last - n - at) * sizeof *b->ops);
    memcpy(&b->ops[last - n], moved, n * sizeof *moved);
    r->ops[v].slot = BT_NO_SLOT;
}

void bt_pair_conditions(struct bt_region *r)
{
    bool copies = false;
    for (uint32_t i = 1; i < r->nblocks; i++) {
        pair_branch(r, i);
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            struct bt_block *b = &r->blocks[i];
            uint32_t at, v;
            if (!comparison_of(r, b, k, &at))
                continue;
            v = r->ops[b->ops[k]].a;
            if (r->ops[v].uses == 1) {
                memmove(&b->ops[at], &b->ops[at + 1], (k - 1 - at) * sizeof *b->ops);
                b->ops[k - 1] = v;
                r->ops[v].slot = BT_NO_SLOT;
            } else {
                /* One for each choice: comparing is cheaper than a bit that is kept and tested. */
                const struct bt_op o = r->ops[v];
                uint32_t sel = b->ops[k], copy = bt_insert(r, i, &k, o.op, o.a, o.b, o.c, o.imm);
                r->ops[sel].a = copy;
                copies = true;
            }
        }
    }
    if (copies)
        bt_dce(r);
}

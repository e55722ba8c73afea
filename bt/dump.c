/* The text form of a region in SSA, for -d op_opt, and the verifier that debug builds run between passes.
 *
 * Threading: see bt/ir.h.
 */
#include "base/bitset.h"
#include "base/report.h"
#include "bt/ir.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct text {
    char *p;
    size_t len, cap;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
    for (;;) {
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(t->p + t->len, t->cap - t->len, fmt, ap);
        va_end(ap);
        if ((size_t)n < t->cap - t->len) {
            t->len += (size_t)n;
            return;
        }
        t->cap = t->cap * 2 + (size_t)n + 1;
        t->p = realloc(t->p, t->cap);
        if (!t->p)
            report_no_memory("the text of a region");
    }
}

static void add_value(struct text *t, const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    if (o->op == BT_CONST) {
        add(t, o->imm >= -4096 && o->imm <= 4096 ? "#%" PRId64 : "#0x%" PRIx64, o->imm);
    } else if (o->sunk) {
        const uint32_t operands[3] = {o->a, o->b, o->c};
        const char *sep = "(";
        add(t, "%s", bt_name(o->op));
        for (int i = 0; i < 3; i++) {
            if (bt_operand_kind(o, i)) {
                add(t, "%s", sep);
                add_value(t, r, operands[i]);
                sep = ",";
            }
        }
        if (bt_flags(o->op) & UOP_F_IMM)
            add(t, "%s#%" PRId64, sep, o->imm);
        add(t, ")");
    } else {
        add(t, "%%%" PRIu32, v);
    }
}

static void add_slot(struct text *t, const struct bt_region *r, unsigned slot)
{
    if (slot == BT_NO_SLOT) {
        add(t, "-");
        return;
    }
    const char *name = r->guest->slot_name ? r->guest->slot_name(slot) : NULL;
    if (name)
        add(t, "%s", name);
    else
        add(t, "r%u", slot);
}

static void add_snapshot(struct text *t, const struct bt_region *r, uint32_t snap)
{
    const struct bt_snap *s = &r->snaps[snap];
    add(t, " [%#" PRIx64, s->pc);
    for (uint32_t k = s->first; k < s->first + s->n; k++) {
        add(t, " ");
        add_slot(t, r, r->snap_entries[k].slot);
        add(t, "=");
        add_value(t, r, r->snap_entries[k].value);
    }
    add(t, "]");
}

static void add_op(struct text *t, const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    if (o->op == BT_CONST)
        return; /* shown where used */
    add(t, "    ");
    if (o->kind != UOP_K_N)
        add(t, "%%%" PRIu32 " = ", v);
    add(t, "%s", bt_name(o->op));
    if (o->op == BT_ENTRY || o->op == BT_PHI) {
        add(t, " ");
        add_slot(t, r, o->slot);
    }
    if (o->op == BT_PHI) {
        for (uint32_t p = 0; p < r->blocks[o->block].npreds; p++) {
            add(t, p ? ", " : " ");
            add_value(t, r, r->phi_args[o->a + p]);
        }
    }
    const uint32_t operands[3] = {o->a, o->b, o->c};
    const char *sep = " ";
    for (int i = 0; i < 3; i++) {
        if (bt_operand_kind(o, i)) {
            add(t, "%s", sep);
            add_value(t, r, operands[i]);
            sep = ", ";
        }
    }
    uint16_t flags = bt_flags(o->op);
    if (flags & UOP_F_RM ? o->imm != FP_DYN : flags & UOP_F_IMM && !(flags & UOP_F_TERM))
        add(t, "%s#%" PRId64, sep, o->imm);
    if (o->op == UOP_exit)
        add(t, " #%" PRId64, o->imm);
    if (o->snap)
        add_snapshot(t, r, o->snap);
    add(t, "\n");
}

char *bt_print(const struct bt_region *r)
{
    struct text t = {0};
    add(&t, "region %#" PRIx64 " level %d, %" PRIu32 " instructions\n", r->pc, r->level, r->ninsns);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        add(&t, "  b%" PRIu32 ": ; %#" PRIx64 " freq %" PRIu64 " depth %u%s from", i, b->pc,
            b->freq, b->loop_depth, b->loop_head ? " loop" : "");
        for (uint32_t p = 0; p < b->npreds; p++)
            add(&t, " b%" PRIu32, b->preds[p]);
        add(&t, "\n");
        for (uint32_t k = 0; k < b->nops; k++)
            add_op(&t, r, b->ops[k]);
        for (uint32_t e = 0; e < b->nsuccs; e++) {
            if (b->succ[e].to == BT_EXIT_EDGE) {
                add(&t, "      -> exit");
                add_snapshot(&t, r, b->succ[e].snap);
                add(&t, "\n");
            } else {
                add(&t, "      -> b%" PRIu32 "\n", b->succ[e].to);
            }
        }
    }
    return t.p;
}

/* ---- the verifier ---- */

struct checker {
    const struct bt_region *r;
    uint64_t *defined; /* values met so far in block order */
    uint32_t *position;
};

static bool dominated(const struct bt_region *r, uint32_t def, uint32_t use)
{
    while (use > def)
        use = r->blocks[use].idom;
    return use == def;
}

/* May v be used at position `at` of block? */
static const char *check_use(const struct checker *c, uint32_t v, uint32_t block, uint32_t at)
{
    if (!v || v >= c->r->nops)
        return "operand is no value";
    const struct bt_op *o = &c->r->ops[v];
    if (o->op == BT_DEAD)
        return "operand was removed";
    if (o->kind == UOP_K_N)
        return "operand makes no value";
    if (!bitset_test(c->defined, v))
        return "operand is in no block";
    if (o->block == block ? c->position[v] >= at : !dominated(c->r, o->block, block))
        return "operand does not dominate its use";
    return NULL;
}

/* The same for what a snapshot names, which may be sunk. */
static const char *check_named(const struct checker *c, uint32_t v, uint32_t block, uint32_t at)
{
    const struct bt_op *o = &c->r->ops[v];
    if (!v || v >= c->r->nops || !o->sunk)
        return check_use(c, v, block, at);
    const uint32_t operands[3] = {o->a, o->b, o->c};
    const char *wrong = bt_flags(o->op) & UOP_F_PURE ? NULL : "sunk operation is not pure";
    for (int i = 0; i < 3 && !wrong; i++) {
        if (bt_operand_kind(o, i))
            wrong = check_named(c, operands[i], block, at);
    }
    return wrong;
}

static const char *check_snapshot(const struct checker *c, uint32_t snap, uint32_t block,
                                  uint32_t at)
{
    if (!snap || snap >= c->r->nsnaps)
        return "snapshot missing";
    const struct bt_snap *s = &c->r->snaps[snap];
    for (uint32_t k = s->first; k < s->first + s->n; k++) {
        const char *wrong = check_named(c, c->r->snap_entries[k].value, block, at);
        if (wrong)
            return wrong;
        if (k > s->first && c->r->snap_entries[k].slot <= c->r->snap_entries[k - 1].slot)
            return "snapshot's slots are not ascending";
    }
    for (uint32_t k = s->need; k < s->need + s->nneeds; k++) {
        const struct bt_op *o = &c->r->ops[c->r->snap_entries[k].value];
        const char *wrong = o->sunk ? "snapshot needs a sunk value in place"
                                    : check_use(c, c->r->snap_entries[k].value, block, at);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static const char *check_op(const struct checker *c, uint32_t block, uint32_t k)
{
    const struct bt_region *r = c->r;
    const struct bt_block *b = &r->blocks[block];
    const struct bt_op *o = &r->ops[b->ops[k]];
    const char *wrong = NULL;
    if (o->block != block)
        return "operation lies in another block than it says";
    if (o->op == BT_PHI) {
        if (k && r->ops[b->ops[k - 1]].op != BT_PHI)
            return "phi behind another operation";
        for (uint32_t p = 0; p < b->npreds && !wrong; p++)
            wrong = check_use(c, r->phi_args[o->a + p], b->preds[p], UINT32_MAX);
        return wrong;
    }
    bool last = k == b->nops - 1;
    if (!(bt_flags(o->op) & UOP_F_TERM) != !last)
        return last ? "block without a terminator" : "terminator inside a block";
    if (o->op == BT_ENTRY && (block || r->entry[o->slot] != b->ops[k]))
        return "entry value outside the entry block";
    const uint32_t operands[3] = {o->a, o->b, o->c};
    for (int i = 0; i < 3 && !wrong; i++) {
        uint8_t kind = bt_operand_kind(o, i);
        if (kind)
            wrong = check_use(c, operands[i], block, k);
        if (!wrong && (kind == UOP_K_V || kind == UOP_K_P) && r->ops[operands[i]].kind != UOP_K_V)
            wrong = "operand is no vector";
    }
    if (!wrong && o->snap)
        wrong = check_snapshot(c, o->snap, block, k);
    if (!wrong && !o->snap && bt_flags(o->op) & (UOP_F_LOAD | UOP_F_STORE))
        return "access without a snapshot";
    return wrong;
}

const char *bt_verify(const struct bt_region *r, uint32_t *where)
{
    struct checker c = {.r = r};
    c.defined = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
    c.position = arena_znew(r->arena, uint32_t, r->nops);
    *where = 0;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        if (!r->blocks[i].nops)
            return "empty block";
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            *where = r->blocks[i].ops[k];
            if (bitset_test(c.defined, *where))
                return "operation lies in two places";
            bitset_set(c.defined, *where);
            c.position[*where] = k;
        }
    }
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            *where = b->ops[k];
            const char *wrong = check_op(&c, i, k);
            if (wrong)
                return wrong;
        }
        for (uint32_t e = 0; e < b->nsuccs; e++) {
            const char *wrong = NULL;
            if (b->succ[e].to == BT_EXIT_EDGE)
                wrong = check_snapshot(&c, b->succ[e].snap, i, UINT32_MAX);
            else if (b->succ[e].to >= r->nblocks)
                wrong = "edge to no block";
            if (wrong)
                return wrong;
        }
    }
    return NULL;
}

/* Register allocation: over random regions, everything that is alive at a place of the code lies somewhere, and nothing
 * else lies there. What is alive is found here anew, operation by operation. That values are moved rightly between their
 * places is what tests/bt/back.c sees. */
#include "tests/bt/program.h"

#include "base/bitset.h"
#include "bt/alloc.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned programs = 5000;

struct checker {
    const struct bt_region *r;
    const struct bt_alloc *a;
    uint64_t **live_in; /* by block */
    bool check;
};

static void fail_at(const struct checker *c, const char *what, uint32_t v, uint32_t w, uint32_t pos)
{
    char *text = bt_print(c->r);
    fprintf(stderr, "%s\n", text);
    free(text);
    fail_msg("%s: values %" PRIu32 " and %" PRIu32 " at position %" PRIu32, what, v, w, pos);
}

static unsigned units_of(const struct bt_region *r, uint32_t v)
{
    return r->ops[v].kind == UOP_K_V ? 2 : 1;
}

/* All of `live` at a position: in different places. A unit that was written early is taken as well as the register. */
static void check_places(const struct checker *c, const uint64_t *live, uint32_t pos)
{
    uint32_t owner[2][CPU_UNITS] = {{0}}; /* registers (vectors from 16 on), units */
    bitset_for_each(i, live, c->r->nops)
    {
        uint32_t v = (uint32_t)i;
        struct bt_loc at = bt_loc_at(c->a, v, pos), own = c->a->loc[v];
        if (at.place == BT_NOWHERE)
            fail_at(c, "no place", v, 0, pos);
        if (at.place == BT_GPR || at.place == BT_XMM) {
            uint32_t *o = &owner[0][at.n + (at.place == BT_XMM ? 16 : 0)];
            if (*o || (at.place == BT_GPR && (at.n == RAX || at.n == RSP || at.n == RBP)))
                fail_at(c, "one register", v, *o, pos);
            *o = v;
        }
        bool kept =
            c->a->stretch[v] && (bitset_test(c->a->early, v) || c->r->ops[v].op == BT_ENTRY);
        if (at.place != BT_UNIT && !(kept && own.place == BT_UNIT))
            continue;
        for (unsigned u = 0; u < units_of(c->r, v); u++) {
            uint32_t *o = &owner[1][(at.place == BT_UNIT ? at.n : own.n) + u];
            if (*o)
                fail_at(c, "one unit", v, *o, pos);
            *o = v;
        }
    }
}

static void enliven(const struct checker *c, uint64_t *live, uint32_t v)
{
    if (c->r->ops[v].op != BT_CONST)
        bitset_set(live, v);
}

static void enliven_snapshot(const struct checker *c, uint64_t *live, uint32_t snap)
{
    const struct bt_snap *s = &c->r->snaps[snap];
    for (uint32_t k = s->first; k < s->first + s->n; k++)
        enliven(c, live, c->r->snap_entries[k].value);
}

static void walk_block(const struct checker *c, uint32_t block, uint64_t *live)
{
    const struct bt_region *r = c->r;
    const struct bt_block *b = &r->blocks[block];
    bitset_zero(live, r->nops);
    for (uint32_t e = 0; e < b->nsuccs; e++) {
        if (b->succ[e].to == BT_EXIT_EDGE) {
            enliven_snapshot(c, live, b->succ[e].snap);
            continue;
        }
        const struct bt_block *s = &r->blocks[b->succ[e].to];
        bitset_union(live, c->live_in[b->succ[e].to], r->nops);
        for (uint32_t p = 0; p < s->npreds; p++) {
            for (uint32_t k = 0; s->preds[p] == block && r->ops[s->ops[k]].op == BT_PHI; k++)
                enliven(c, live, r->phi_args[r->ops[s->ops[k]].a + p]);
        }
    }
    for (uint32_t k = b->nops; k-- > 0;) {
        uint32_t v = b->ops[k], pos = 2 * c->a->pos[v];
        const struct bt_op *o = &r->ops[v];
        const uint32_t operands[3] = {o->a, o->b, o->c};
        if (o->op == BT_CONST || o->op == BT_ENTRY)
            continue; /* made before the first operation */
        bool result = o->kind != UOP_K_N;
        if (result && o->op != BT_PHI)
            bitset_set(live, v); /* written even if nobody reads it */
        if (c->check && block)
            check_places(c, live, pos + 1);
        if (o->op == BT_PHI)
            continue;
        if (result)
            bitset_clear(live, v);
        for (int i = 0; i < 3; i++) {
            if (bt_operand_kind(o, i))
                enliven(c, live, operands[i]);
        }
        if (o->snap)
            enliven_snapshot(c, live, o->snap);
        if (result && bt_early_result(r, o))
            bitset_set(live, v);
        if (c->check && block)
            check_places(c, live, pos);
        if (result)
            bitset_clear(live, v);
    }
    if (c->check && block)
        check_places(c, live, c->a->block_from[block]);
    for (uint32_t k = 0; k < b->nops; k++) {
        if (r->ops[b->ops[k]].op == BT_PHI)
            bitset_clear(live, b->ops[k]);
    }
}

static void check_region(struct bt_region *r, const struct bt_alloc *a)
{
    struct checker c = {.r = r, .a = a};
    uint64_t *live = arena_new(r->arena, uint64_t, BITSET_WORDS(r->nops));
    c.live_in = arena_new(r->arena, uint64_t *, r->nblocks);
    for (uint32_t i = 0; i < r->nblocks; i++)
        c.live_in[i] = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = r->nblocks; i-- > 0;) {
            walk_block(&c, i, live);
            changed |= bitset_union(c.live_in[i], live, r->nops);
        }
    }
    c.check = true;
    for (uint32_t i = 0; i < r->nblocks; i++)
        walk_block(&c, i, live);
}

static struct {
    unsigned long split, reloads, early, late, phis_in_place, constants;
} counts;

static void count(const struct bt_region *r, const struct bt_alloc *a)
{
    counts.reloads += a->nreloads;
    for (uint32_t k = 0; k < a->nsplit; k++) {
        uint32_t v = a->split[k];
        counts.split++;
        counts.constants += r->ops[v].op == BT_CONST;
        if (a->loc[v].place == BT_UNIT && r->ops[v].op != BT_ENTRY)
            *(bitset_test(a->early, v) ? &counts.early : &counts.late) += 1;
    }
    for (uint32_t i = 1; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; r->ops[b->ops[k]].op == BT_PHI; k++) {
            uint32_t v = b->ops[k], arg = r->phi_args[r->ops[v].a + b->npreds - 1];
            counts.phis_in_place +=
                a->loc[v].place == a->loc[arg].place && a->loc[v].n == a->loc[arg].n;
        }
    }
}

static void run(uint64_t features)
{
    static struct cpu cpu = {.guest = &toy};
    for (unsigned i = 0; i < 1u << CPU_JCACHE_BITS; i++)
        cpu.jcache[i].pc = CPU_EMPTY_PC(i);
    struct arena arena;
    arena_init(&arena, 1 << 16);
    memset(&counts, 0, sizeof counts);
    for (unsigned i = 0; i < programs; i++) {
        rng = UINT64_C(0x9e3779b97f4a7c15) * (i + 1) + 7;
        struct program p = program_make();
        const char *bail = NULL;
        arena_reset(&arena);
        struct bt_region *r = bt_build(&arena, &cpu, p.blocks[0], 2, &bail);
        assert_non_null(r);
        bt_fold(r);
        bt_cse(r);
        bt_dce(r);
        bt_pair_products(r);
        struct bt_alloc a;
        if (bt_allocate(r, features, &a)) {
            check_region(r, &a);
            count(r, &a);
        }
        program_free(&p);
    }
    arena_free(&arena);
    print_message("%lu split values, %lu reloads, %lu written early, %lu late, %lu phis in place, "
                  "%lu constants\n",
                  counts.split, counts.reloads, counts.early, counts.late, counts.phis_in_place,
                  counts.constants);
    /* It went through what it is to test. */
    assert_true(counts.split > programs / 10 && counts.reloads > programs / 300);
    assert_true(counts.early > programs / 100 && counts.late > programs / 100);
    assert_true(counts.phis_in_place > programs / 4 && counts.constants > programs / 100);
}

static void newest_host(void **state)
{
    (void)state;
    run(~UINT64_C(0));
}

static void oldest_host(void **state)
{
    (void)state;
    run(0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        programs = (unsigned)strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(newest_host),
                                       cmocka_unit_test(oldest_host)};
    return cmocka_run_group_tests_name("bt/alloc", tests, NULL, NULL);
}

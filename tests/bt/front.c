/* The translator's front half: random programs of a few blocks, as a region in SSA and after every
 * pass, evaluated side by side with the micro-ops themselves. Compared are the path taken, memory, the state that
 * every snapshot describes (at each access that may fault, each poll, each way out), and where a fault
 * happens. The reference runs micro-ops one by one by uop_eval, without the interpreter. */
#include "tests/bt/program.h"

#include "bt/ir.h"
#include "uop/fp.h"
#include "uop/sem.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VISITS = 120 };

static unsigned programs = 4000;
static unsigned long sunk_named, softened, forwarded;
/* Indirect jumps inside a region: returns and others with the address compared, and any with a known one. */
static unsigned long returned, guessed, folded;

/* ---- the evaluator of regions ---- */

struct eval {
    const struct bt_region *r;
    const struct state *start;
    uint64_t *v;
    const char *stage;
};

static void dump_and_fail(const struct eval *e, const char *what, uint32_t op)
{
    char *text = bt_print(e->r);
    fprintf(stderr, "%s\n", text);
    for (uint32_t i = 1; i < e->r->nblocks; i++) {
        char block[8000];
        block_print(block, sizeof block, e->r->blocks[i].guest, NULL);
        fprintf(stderr, "%s", block);
    }
    free(text);
    fail_msg("after %s: %s at v%" PRIu32, e->stage, what, op);
}

/* The value that a snapshot names: a sunk one is computed from its operands as they are now. */
static uint64_t named_value(const struct eval *e, uint32_t v)
{
    const struct bt_op *o = &e->r->ops[v];
    uint64_t d;
    if (!o->sunk)
        return e->v[v];
    uint64_t a = bt_operand_kind(o, 0) ? named_value(e, o->a) : 0;
    uint64_t b = bt_operand_kind(o, 1) ? named_value(e, o->b) : (uint64_t)o->imm;
    uint64_t c = bt_operand_kind(o, 2) ? named_value(e, o->c) : 0;
    assert_true(uop_eval(o->op, a, b, c, &d));
    sunk_named++;
    return d;
}

static void check_snapshot(const struct eval *e, uint32_t snap, const uint64_t *want, uint32_t op)
{
    uint64_t r[NSLOTS];
    memcpy(r, e->start->r, sizeof r);
    const struct bt_snap *s = &e->r->snaps[snap];
    for (uint32_t k = s->first; k < s->first + s->n; k++)
        r[e->r->snap_entries[k].slot] = named_value(e, e->r->snap_entries[k].value);
    for (unsigned i = 0; i < NSLOTS; i++)
        if (r[i] != want[i]) {
            char what[100];
            snprintf(what, sizeof what, "slot %u is %#" PRIx64 " in the snapshot, not %#" PRIx64, i,
                     r[i], want[i]);
            dump_and_fail(e, what, op);
        }
}

static void enter_block(struct eval *e, uint32_t from, uint32_t to)
{
    const struct bt_region *r = e->r;
    const struct bt_block *b = &r->blocks[to];
    uint32_t p = 0;
    while (p < b->npreds && b->preds[p] != from)
        p++;
    assert_true(p < b->npreds);
    uint64_t args[512];
    uint32_t n = 0;
    for (; n < b->nops && r->ops[b->ops[n]].op == BT_PHI; n++) {
        assert_true(n < 512);
        args[n] = e->v[r->phi_args[r->ops[b->ops[n]].a + p]];
    }
    for (uint32_t k = 0; k < n; k++)
        e->v[b->ops[k]] = args[k];
}

/* Where in the trace is the instruction at pc? */
static const uint64_t *state_at(const struct eval *e, const struct trace *t, uint64_t pc,
                                uint32_t op)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->pc[i] == pc)
            return t->before[i];
    dump_and_fail(e, "snapshot names an instruction that was not reached", op);
    return NULL;
}

static void run_region(struct eval *e, struct state *ref, unsigned char *mem)
{
    const struct bt_region *r = e->r;
    struct trace *t = malloc(sizeof *t);
    uint32_t block = 0, from = 0;
    unsigned flags_raised = 0;
    t->n = 0;
    t->faulted = false;
    for (unsigned visit = 0; visit < VISITS; visit++) {
        const struct bt_block *b = &r->blocks[block];
        if (block) {
            enter_block(e, from, block);
            reference_run(b->guest, ref, t);
        }
        unsigned edge = 0;
        for (uint32_t k = 0; k < b->nops; k++) {
            uint32_t v = b->ops[k];
            const struct bt_op *o = &r->ops[v];
            uint16_t flags = bt_flags(o->op);
            if (o->op == BT_PHI)
                continue;
            if (o->op == BT_CONST) {
                e->v[v] = (uint64_t)o->imm;
                continue;
            }
            if (o->op == BT_ENTRY) {
                e->v[v] = e->start->r[o->slot];
                continue;
            }
            if (flags & (UOP_F_LOAD | UOP_F_STORE)) {
                check_snapshot(e, o->snap, state_at(e, t, r->snaps[o->snap].pc, v), v);
                bool done =
                    flags & UOP_F_ATOMIC
                        ? ref_atomic(mem, o->op, e->v[o->a], bt_operand_kind(o, 1) ? e->v[o->b] : 0,
                                     bt_operand_kind(o, 2) ? e->v[o->c] : 0, &e->v[v])
                        : ref_access(mem, o->op, e->v[o->a] + (uint64_t)o->imm, e->v[o->b],
                                     &e->v[v]);
                if (!done) {
                    if (!t->faulted || t->pc[t->n - 1] != r->snaps[o->snap].pc)
                        dump_and_fail(e, "a fault that should not be", v);
                    assert_memory_equal(mem, ref->mem, MEM);
                    free(t);
                    return;
                }
                continue;
            }
            if (o->op == UOP_fp_getflags) {
                e->v[v] = flags_raised;
                continue;
            }
            if (o->op == UOP_fp_getraw) {
                e->v[v] = fp_flags_to_mxcsr(flags_raised);
                continue;
            }
            if (o->op == UOP_fp_setflags) {
                flags_raised = e->v[o->a] & 31;
                continue;
            }
            if (o->op == UOP_fence)
                continue;
            if (!(flags & UOP_F_TERM)) {
                e->v[v] =
                    ref_compute(o->op, bt_operand_kind(o, 0) ? e->v[o->a] : 0,
                                bt_operand_kind(o, 1) ? e->v[o->b] : 0,
                                bt_operand_kind(o, 2) ? e->v[o->c] : 0, o->imm, &flags_raised);
                continue;
            }
            if (t->faulted)
                dump_and_fail(e, "a fault that did not happen", v);
            if (memcmp(mem, ref->mem, MEM))
                dump_and_fail(e, "memory differs", v);
            if (flags_raised != ref->flags)
                dump_and_fail(e, "the sticky flags differ", v);
            if (o->op == UOP_exit || o->op == UOP_jmp_ind) {
                check_snapshot(e, o->snap, ref->r, v);
                if (o->op == UOP_jmp_ind)
                    assert_int_equal(e->v[o->a], t->next);
                if (o->op == UOP_jmp_ind && b->nsuccs && b->succ[0].pc == t->next) {
                    assert_int_equal(r->snaps[o->snap].pc, t->next);
                    *(o->c == JUMP_RET ? &returned : &guessed) += 1;
                    continue;
                }
                free(t);
                return;
            }
            folded +=
                o->op == UOP_jmp && block && b->guest->uops[b->guest->nuops - 1].op == UOP_jmp_ind;
            if (flags & UOP_F_BRANCH)
                edge = ref_branches(o->op, e->v[o->a], e->v[o->b]);
            if (block && b->succ[edge].pc != t->next)
                dump_and_fail(e, "the branch goes the wrong way", v);
            if (o->snap) {
                const struct bt_snap *s = &r->snaps[o->snap];
                check_snapshot(e, o->snap, o->op == UOP_jmp ? ref->r : state_at(e, t, s->pc, v), v);
                if (o->op == UOP_jmp)
                    assert_int_equal(s->pc, t->next);
            }
        }
        if (b->succ[edge].to == BT_EXIT_EDGE) {
            check_snapshot(e, b->succ[edge].snap, ref->r, b->ops[b->nops - 1]);
            assert_int_equal(r->snaps[b->succ[edge].snap].pc, b->succ[edge].pc);
            break;
        }
        from = block;
        block = b->succ[edge].to;
    }
    free(t);
}

static void soften(struct bt_region *r)
{
    if (bt_soften_phis(r)) {
        softened++;
        bt_dce(r);
    }
}

static void forward(struct bt_region *r)
{
    forwarded += bt_forward(r);
}

static void check_region(const struct bt_region *r, const char *stage)
{
    uint32_t where;
    const char *wrong = bt_verify(r, &where);
    struct eval e = {.r = r, .stage = stage};
    if (wrong)
        dump_and_fail(&e, wrong, where);
    e.v = malloc(sizeof *e.v * r->nops);
    uint64_t saved = rng;
    for (int i = 0; i < 4; i++) {
        struct state start, ref;
        unsigned char mem[MEM];
        state_random(&start);
        ref = start;
        memcpy(mem, start.mem, MEM);
        memset(e.v, 0xa5, sizeof *e.v * r->nops);
        e.start = &start;
        run_region(&e, &ref, mem);
    }
    rng = saved; /* the same states at every stage, the same program whatever is checked */
    free(e.v);
}

static void run_level(int level)
{
    static struct cpu cpu = {.guest = &toy};
    for (unsigned i = 0; i < 1u << CPU_JCACHE_BITS; i++)
        cpu.jcache[i].pc = CPU_EMPTY_PC(i);
    struct arena arena;
    arena_init(&arena, 1 << 16);
    uint64_t blocks = 0, loops = 0;
    sunk_named = returned = guessed = folded = forwarded = 0;
    for (unsigned i = 0; i < programs; i++) {
        rng = UINT64_C(0x9e3779b97f4a7c15) * (i + 1) + (unsigned)level;
        struct program p = program_make();
        const char *bail = NULL;
        for (unsigned k = 0; k < p.n; k++)
            cpu.jcache[CPU_JCACHE_INDEX(p.blocks[k]->pc)] =
                (struct jcache_entry){p.blocks[k]->pc, p.blocks[k]};
        arena_reset(&arena);
        struct bt_region *r = bt_build(&arena, &cpu, p.blocks[0], level, &bail);
        assert_non_null(r);
        blocks += r->nblocks - 1;
        for (uint32_t k = 0; k < r->nblocks; k++)
            loops += r->blocks[k].loop_head;
        check_region(r, "construction");
        static const struct {
            const char *name;
            void (*run)(struct bt_region *r);
        } passes[] = {{"conditions", bt_conditions},
                      {"fold", bt_fold},
                      {"cse", bt_cse},
                      {"forward", forward},
                      {"fold again", bt_fold},
                      {"forward again", forward},
                      {"sticky", bt_sticky},
                      {"dce", bt_dce},
                      {"cse again", bt_cse},
                      {"lazy NaNs", bt_lazy_nan},
                      {"dce again", bt_dce},
                      {"phis of flags", soften},
                      {"sink", bt_sink}};
        for (size_t k = 0; k < sizeof passes / sizeof *passes; k++) {
            passes[k].run(r);
            check_region(r, passes[k].name);
        }
        for (unsigned k = 0; k < p.n; k++) {
            unsigned at = CPU_JCACHE_INDEX(p.blocks[k]->pc);
            cpu.jcache[at].pc = CPU_EMPTY_PC(at);
        }
        program_free(&p);
    }
    arena_free(&arena);
    print_message("level %d: %lu loops, %lu phis of flags, %lu returns and %lu other targets "
                  "compared, %lu known, %lu with loads of what was stored\n",
                  level, loops, softened, returned, guessed, folded, forwarded);
    /* The programs do have what is to be tested. */
    assert_true(sunk_named > programs * 8);
    assert_true(blocks > programs * (level == 1 ? 1 : 2));
    if (level == 2)
        assert_true(forwarded > programs / 40 && loops > programs / 4 &&
                    softened > programs / 400 && returned > programs / 10 &&
                    folded > programs / 10);
}

static void level_1(void **state)
{
    (void)state;
    run_level(1);
}

static void level_2(void **state)
{
    (void)state;
    run_level(2);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        programs = (unsigned)strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(level_1), cmocka_unit_test(level_2)};
    return cmocka_run_group_tests_name("bt/front", tests, NULL, NULL);
}

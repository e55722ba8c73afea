/* The translator's front half: random programs of a few blocks, as a region in SSA and after every
 * pass, evaluated side by side with the micro-ops themselves. Compared are the path taken, memory, the state that
 * every snapshot describes (at each access that may fault, each poll, each way out), and where a fault
 * happens. The reference runs micro-ops one by one by uop_eval, without the interpreter. */
#include "tests/unit.h"

#include "bt/ir.h"
#include "uop/fp.h"
#include "uop/sem.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NSLOTS = 20,
    BASE = 16,  /* slots 16..18 point into memory */
    WILD = 19,  /* slot 19 is anything: accesses through it fault or not */
    BLOCKS = 9, /* at most */
    STEP = 0x100,
    MEM = 256,
    VISITS = 120
};
#define PC UINT64_C(0x10000)
#define MEM_AT UINT64_C(0x5000000)

static unsigned programs = 4000;
static uint64_t rng;

static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

static unsigned pick(unsigned n)
{
    return (unsigned)((rnd() >> 20) % n);
}

static uint64_t number(void)
{
    switch (pick(5)) {
    case 0:
        return rnd();
    case 1:
        return (uint64_t)(int64_t)(int32_t)rnd();
    case 2:
        return rnd() >> pick(64);
    case 3:
        return (uint64_t)((int64_t)pick(9) - 4);
    default:
        return UINT64_C(1) << pick(64);
    }
}

static const struct guest toy = {
    .name = "toy", .nslots = NSLOTS, .zero_slot = 0, .pc_slot = GUEST_NO_SLOT, .sp_slot = 2};

/* ---- random programs ---- */

struct program {
    struct block *blocks[BLOCKS];
    unsigned n;
};

static uint16_t pure_ops[UOP_CODES];
static unsigned npure;

static void emit(struct block *b, struct uop u)
{
    b->uops[b->nuops++] = u;
}

static uint8_t source(uint8_t temp)
{
    return temp && pick(3) == 0 ? temp : pick(16);
}

/* One instruction: some micro-ops into temporaries, an access perhaps, then slots. */
static void random_insn(struct block *b)
{
    b->map[b->ninsns] = (struct insn_map){.uop = b->nuops, .pcoff = 4 * b->ninsns};
    b->ninsns++;
    uint8_t temp = 0;
    unsigned n = pick(3);
    static const uint16_t likely[] = {UOP_add_64_i, UOP_sext32,   UOP_add_32s_i, UOP_shl_64_i,
                                      UOP_shr_64_i, UOP_sar_64_i, UOP_zext32,    UOP_add_32s,
                                      UOP_and_64_i, UOP_set_ltu,  UOP_xor_64,    UOP_set_eq_i};
    for (unsigned i = 0; i <= n; i++) {
        uint16_t op = pick(2) ? pure_ops[pick(npure)] : likely[pick(sizeof likely / 2)];
        const struct uop_info *info = &uop_info[op];
        bool last = i == n;
        uint8_t d = last ? 1 + pick(15) : CPU_TEMP_BASE + i;
        struct uop u = {.op = op, .d = d, .a = source(temp)};
        if (info->b)
            u.b = source(temp);
        if (info->c)
            u.c = source(temp);
        if (info->flags & UOP_F_IMM)
            u.imm = strstr(info->name, "sh") || strstr(info->name, "sar") ? pick(3) ? 32 : pick(64)
                    : pick(2) ? (int64_t)number()
                                                                          : (int64_t)pick(3);
        unsigned kind = last ? pick(10) : 9;
        if (kind == 0) {
            u = (struct uop){.op = UOP_mov_64, .d = d, .a = source(temp)};
        } else if (kind == 1) {
            u = (struct uop){.op = UOP_movi, .d = d, .imm = (int64_t)number()};
        } else if (kind <= 3) {
            u = (struct uop){.op = UOP_ld_s8 + pick(7),
                             .d = d,
                             .a = pick(12) ? BASE + pick(3) : WILD,
                             .imm = pick(64)};
        } else if (kind <= 5) {
            u = (struct uop){.op = UOP_st_8 + pick(4),
                             .a = pick(12) ? BASE + pick(3) : WILD,
                             .b = source(temp),
                             .imm = pick(64)};
        } else if (kind == 6) {
            u = (struct uop){
                .op = UOP_fadd_f64 + pick(4), .d = d, .a = source(temp), .b = pick(16)};
        }
        if (kind == 7) {
            /* Boxing wants a narrow float with nothing above it. */
            unsigned half = pick(2);
            emit(b, (struct uop){.op = half ? UOP_unbox_f16 : UOP_unbox_f32,
                                 .d = CPU_TEMP_BASE + 4,
                                 .a = source(temp)});
            if (pick(2))
                emit(b, (struct uop){.op = half ? UOP_fcanon_f16 : UOP_fcanon_f32,
                                     .d = CPU_TEMP_BASE + 4,
                                     .a = CPU_TEMP_BASE + 4});
            u = (struct uop){
                .op = half ? UOP_box_f16 : UOP_box_f32, .d = d, .a = CPU_TEMP_BASE + 4};
        }
        emit(b, u);
        temp = CPU_TEMP_BASE + i;
    }
}

static struct program make_program(void)
{
    struct program p = {.n = 1 + pick(BLOCKS)};
    for (unsigned i = 0; i < p.n; i++) {
        struct block *b = p.blocks[i] = block_new(BLOCK_MAX_UOPS, BLOCK_MAX_INSNS);
        b->nuops = b->ninsns = 0;
        b->pc = PC + STEP * i;
        b->len = STEP;
        b->count = 1 + (rnd() & 0xfff);
        b->taken = pick(4) ? rnd() % b->count : pick(2) ? 0 : b->count;
        for (unsigned n = pick(6); n; n--)
            random_insn(b);
    }
    for (unsigned i = 0; i < p.n; i++) {
        struct block *b = p.blocks[i];
        b->map[b->ninsns] = (struct insn_map){.uop = b->nuops, .pcoff = 4 * b->ninsns};
        b->ninsns++;
        unsigned to = pick(p.n + 1); /* perhaps where there is no block */
        uint64_t pc = PC + STEP * to;
        switch (pick(12)) {
        case 0:
            emit(b, (struct uop){.op = UOP_exit, .imm = EXIT_SYSCALL});
            break;
        case 1:
            emit(b, (struct uop){.op = UOP_movi, .d = 1, .imm = (int64_t)pc});
            emit(b, (struct uop){.op = UOP_jmp_ind, .a = 1 + pick(15), .c = JUMP_CALL});
            break;
        case 2:
        case 3:
            emit(b, (struct uop){.op = UOP_jmp, .imm = (int64_t)pc, .c = pick(8) == 0});
            b->succ[0] = to < p.n ? p.blocks[to] : NULL;
            break;
        default:
            emit(b, (struct uop){.op = UOP_br_eq + pick(6),
                                 .a = pick(16),
                                 .b = pick(3) ? pick(16) : 0,
                                 .imm = (int64_t)pc});
            b->succ[0] = i + 1 < p.n && pick(8) ? p.blocks[i + 1] : NULL;
            b->succ[1] = to < p.n && pick(8) ? p.blocks[to] : NULL;
        }
        unsigned where = 0;
        const char *wrong = block_verify(b, NSLOTS, &where);
        if (wrong) {
            char text[8000];
            block_print(text, sizeof text, b, NULL);
            fail_msg("%s at %u\n%s", wrong, where, text);
        }
    }
    return p;
}

static void free_program(struct program *p)
{
    for (unsigned i = 0; i < p->n; i++)
        block_free(p->blocks[i]);
}

/* ---- states ---- */

struct state {
    uint64_t r[NSLOTS];
    unsigned char mem[MEM];
};

static struct state random_state(void)
{
    struct state s;
    for (unsigned i = 0; i < NSLOTS; i++)
        s.r[i] = number();
    s.r[0] = 0;
    for (unsigned i = BASE; i < WILD; i++)
        s.r[i] = MEM_AT + pick(MEM - 64 - 8);
    s.r[WILD] = pick(2) ? s.r[BASE] + pick(300) : number();
    for (unsigned i = 0; i < MEM; i++)
        s.mem[i] = (unsigned char)rnd();
    return s;
}

static unsigned size_of(uint16_t op)
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
    case UOP_ld_64:
    case UOP_st_64:
        return 8;
    default:
        return 4;
    }
}

/* False: the access faults. */
static bool access_mem(unsigned char *mem, uint16_t op, uint64_t addr, uint64_t b, uint64_t *d)
{
    unsigned size = size_of(op);
    if (addr < MEM_AT || addr - MEM_AT > MEM - size)
        return false;
    unsigned char *p = mem + (addr - MEM_AT);
    if (uop_info[op].flags & UOP_F_STORE) {
        memcpy(p, &b, size);
        return true;
    }
    uint64_t v = 0;
    memcpy(&v, p, size);
    if (op == UOP_ld_s8 || op == UOP_ld_s16 || op == UOP_ld_s32)
        v = (uint64_t)((int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size));
    *d = v;
    return true;
}

static bool branches(uint16_t op, uint64_t a, uint64_t b)
{
    switch (op) {
    case UOP_br_eq:
        return a == b;
    case UOP_br_ne:
        return a != b;
    case UOP_br_lt:
        return (int64_t)a < (int64_t)b;
    case UOP_br_ge:
        return (int64_t)a >= (int64_t)b;
    case UOP_br_ltu:
        return a < b;
    default:
        return a >= b;
    }
}

static uint64_t compute(uint16_t op, uint64_t a, uint64_t b, uint64_t c, int64_t imm)
{
    uint64_t d;
    unsigned flags = 0;
    bool imm_form = uop_info[op].flags & UOP_F_PURE && uop_info[op].flags & UOP_F_IMM;
    if (uop_eval(op, a, imm_form ? (uint64_t)imm : b, c, &d))
        return d;
    return fp_soft(op, a, b, c, (enum fp_rm)imm, &flags);
}

/* ---- the reference: one block, with the state before each instruction kept ---- */

struct trace {
    unsigned n;
    uint64_t pc[BLOCK_MAX_INSNS];
    uint64_t before[BLOCK_MAX_INSNS][NSLOTS];
    bool faulted;
    uint64_t next; /* guest address that control goes to, when not faulted and not by exit */
};

static void run_reference(const struct block *b, struct state *s, struct trace *t)
{
    uint64_t r[CPU_UNITS];
    memcpy(r, s->r, sizeof s->r);
    unsigned insn = 0;
    t->n = 0;
    t->faulted = false;
    for (unsigned i = 0; i < b->nuops; i++) {
        const struct uop *u = &b->uops[i];
        while (insn < b->ninsns && b->map[insn].uop == i) {
            t->pc[t->n] = b->pc + b->map[insn++].pcoff;
            memcpy(t->before[t->n++], r, sizeof s->r);
        }
        uint16_t flags = uop_info[u->op].flags;
        if (flags & (UOP_F_LOAD | UOP_F_STORE)) {
            if (!access_mem(s->mem, u->op, r[u->a] + (uint64_t)u->imm, r[u->b], &r[u->d])) {
                t->faulted = true;
                memcpy(s->r, t->before[t->n - 1], sizeof s->r);
                return;
            }
        } else if (u->op == UOP_movi) {
            r[u->d] = (uint64_t)u->imm;
        } else if (flags & UOP_F_BRANCH) {
            t->next = branches(u->op, r[u->a], r[u->b]) ? (uint64_t)u->imm : b->pc + b->len;
        } else if (u->op == UOP_jmp) {
            t->next = (uint64_t)u->imm;
        } else if (u->op == UOP_jmp_ind) {
            t->next = r[u->a];
        } else if (u->op != UOP_exit) {
            r[u->d] = compute(u->op, r[u->a], r[u->b], r[u->c], u->imm);
        }
    }
    memcpy(s->r, r, sizeof s->r);
}

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

static void check_snapshot(const struct eval *e, uint32_t snap, const uint64_t *want, uint32_t op)
{
    uint64_t r[NSLOTS];
    memcpy(r, e->start->r, sizeof r);
    const struct bt_snap *s = &e->r->snaps[snap];
    for (uint32_t k = s->first; k < s->first + s->n; k++)
        r[e->r->snap_entries[k].slot] = e->v[e->r->snap_entries[k].value];
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
    t->n = 0;
    t->faulted = false;
    for (unsigned visit = 0; visit < VISITS; visit++) {
        const struct bt_block *b = &r->blocks[block];
        if (block) {
            enter_block(e, from, block);
            run_reference(b->guest, ref, t);
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
                if (!access_mem(mem, o->op, e->v[o->a] + (uint64_t)o->imm, e->v[o->b], &e->v[v])) {
                    if (!t->faulted || t->pc[t->n - 1] != r->snaps[o->snap].pc)
                        dump_and_fail(e, "a fault that should not be", v);
                    assert_memory_equal(mem, ref->mem, MEM);
                    free(t);
                    return;
                }
                continue;
            }
            if (!(flags & UOP_F_TERM)) {
                e->v[v] = compute(o->op, bt_operand_kind(o, 0) ? e->v[o->a] : 0,
                                  bt_operand_kind(o, 1) ? e->v[o->b] : 0,
                                  bt_operand_kind(o, 2) ? e->v[o->c] : 0, o->imm);
                continue;
            }
            if (t->faulted)
                dump_and_fail(e, "a fault that did not happen", v);
            if (memcmp(mem, ref->mem, MEM))
                dump_and_fail(e, "memory differs", v);
            if (o->op == UOP_exit || o->op == UOP_jmp_ind) {
                check_snapshot(e, o->snap, ref->r, v);
                if (o->op == UOP_jmp_ind)
                    assert_int_equal(e->v[o->a], t->next);
                free(t);
                return;
            }
            if (flags & UOP_F_BRANCH)
                edge = branches(o->op, e->v[o->a], e->v[o->b]);
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
        struct state start = random_state(), ref = start;
        unsigned char mem[MEM];
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
    struct arena arena;
    arena_init(&arena, 1 << 16);
    uint64_t blocks = 0, loops = 0;
    for (unsigned i = 0; i < programs; i++) {
        rng = UINT64_C(0x9e3779b97f4a7c15) * (i + 1) + (unsigned)level;
        struct program p = make_program();
        const char *bail = NULL;
        arena_reset(&arena);
        struct bt_region *r = bt_build(&arena, &toy, p.blocks[0], level, &bail);
        assert_non_null(r);
        blocks += r->nblocks - 1;
        for (uint32_t k = 0; k < r->nblocks; k++)
            loops += r->blocks[k].loop_head;
        check_region(r, "construction");
        static const struct {
            const char *name;
            void (*run)(struct bt_region *r);
        } passes[] = {{"fold", bt_fold}, {"cse", bt_cse},       {"fold again", bt_fold},
                      {"dce", bt_dce},   {"cse again", bt_cse}, {"dce again", bt_dce}};
        for (size_t k = 0; k < sizeof passes / sizeof *passes; k++) {
            passes[k].run(r);
            check_region(r, passes[k].name);
        }
        free_program(&p);
    }
    arena_free(&arena);
    /* The programs do have what is to be tested. */
    assert_true(blocks > programs * (level == 1 ? 1 : 2));
    if (level == 2)
        assert_true(loops > programs / 4);
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
    for (unsigned op = 0; op < UOP_CODES; op++)
        if (uop_info[op].flags & UOP_F_PURE && op != UOP_box_f32 && op != UOP_box_f16)
            pure_ops[npure++] = (uint16_t)op;
    const struct CMUnitTest tests[] = {cmocka_unit_test(level_1), cmocka_unit_test(level_2)};
    return cmocka_run_group_tests_name("bt/front", tests, NULL, NULL);
}

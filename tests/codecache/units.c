/* Units: small emitted routines are installed, entered, linked, invalidated and evicted, by one thread and by
 * several, in a code cache of the least capacity; side tables and tables of traps against a model.
 *
 * The guest here has 40 slots. A unit for pc adds a constant to slot 5 (not a home) and to slot 1 (a home), polls
 * `pending`, and goes on to another pc through a link. */
#include "tests/unit.h"

#include "base/report.h"
#include "codecache/blocks.h"
#include "codecache/trap.h"
#include "codecache/unit.h"
#include "tests/random.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NSLOTS 40
#define PC_SLOT 39
#define SUM 5
#define HOME 1

static struct guest guest;

static struct cpu *new_cpu(void)
{
    struct cpu *c = aligned_alloc(64, sizeof *c);
    memset(c, 0, sizeof *c);
    c->guest = &guest;
    c->mxcsr = 0x1f80;
    cc_cpu_add(c);
    return c;
}

static void free_cpu(struct cpu *c)
{
    cc_cpu_remove(c);
    free(c);
}

/* Install the unit of pc that adds `add` and goes to next; pad makes it bigger. Its guest code was read at seq. */
static struct unit *make_at(uint64_t pc, unsigned add, uint64_t next, unsigned pad, uint8_t level,
                            uint64_t seq)
{
    uint8_t buf[8192];
    struct x64_emit e;
    struct x64_label labels[8];
    struct x64_reloc relocs[8];
    struct link links[1] = {{.pc = next}};
    struct unit_range range = {pc, 4};

    x64_init(&e, buf, sizeof buf, x64_features());
    e.labels = labels, e.max_labels = 8;
    e.relocs = relocs, e.max_relocs = 8;
    unsigned cold = x64_label(&e), stop = x64_label(&e);
    x64_alu_mi(&e, X64_CMP, 4, X64_CPU(pending), 0);
    x64_jcc(&e, X64_NE, stop);
    uint32_t cell = x64_offset(&e);
    x64_alu_mi(&e, X64_ADD, 8, x64_mem_at(cell + 8), 1); /* relocated to the counter */
    relocs[e.nrelocs++] = (struct x64_reloc){cell + 3, CC_RELOC_COUNTER};
    int32_t minus1 = -1; /* the immediate byte behind the field */
    memcpy(buf + cell + 3, &minus1, 4);
    x64_alu_mi(&e, X64_ADD, 8, x64_slot(SUM), (int32_t)add);
    x64_alu_ri(&e, X64_ADD, 8, RBX, (int32_t)add);
    x64_nop(&e, pad);
    links[0].field = x64_jmp_patch(&e, cold);
    uint32_t hot = x64_offset(&e);
    x64_bind(&e, cold);
    links[0].stub = x64_offset(&e);
    x64_call_ext(&e, X64_STUB_LINK);
    x64_bind(&e, stop);
    x64_mov_mi(&e, 8, x64_slot(PC_SLOT), (int32_t)pc);
    x64_mov_ri(&e, RAX, EXIT_SIGNAL);
    x64_jmp_ext(&e, X64_STUB_EXIT);
    assert_false(e.overflow);
    return cc_unit_install(&(struct unit_draft){.pc = pc,
                                                .guest = &guest,
                                                .code = buf,
                                                .size = x64_offset(&e),
                                                .hot_size = hot,
                                                .level = level,
                                                .ninsns = 1,
                                                .relocs = relocs,
                                                .nrelocs = e.nrelocs,
                                                .links = links,
                                                .nlinks = 1,
                                                .ranges = &range,
                                                .nranges = 1,
                                                .seq = seq});
}

static struct unit *make(uint64_t pc, unsigned add, uint64_t next, unsigned pad, uint8_t level)
{
    return make_at(pc, add, next, pad, level, cc_unit_seq());
}

/* Run from u until code leaves; returns the link, NULL when it left because it was asked to. */
static struct link *go(struct cpu *c, const struct unit *u)
{
    cc_unit_enter(c);
    uint64_t left = cc_unit_run(c, u);
    if (!X64_LEFT_BY_LINK(left)) {
        assert_int_equal(left, EXIT_SIGNAL);
        return NULL;
    }
    struct link *l = cc_link_by_ret(left);
    assert_non_null(l);
    return l;
}

static void test_run_and_link(void **state)
{
    (void)state;
    struct cpu *c = new_cpu();
    cc_enter(c);
    struct unit *a = make(0x1000, 1, 0x2000, 0, 1), *b = make(0x2000, 10, 0x3000, 0, 1);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_equal(cc_unit_lookup(c, 0x1000), a);
    assert_null(cc_unit_lookup(c, 0x1004));
    c->r[HOME] = 100;
    struct link *l = go(c, a);
    assert_non_null(l);
    assert_ptr_equal(l->from, a);
    assert_int_equal(l->pc, 0x2000);
    assert_int_equal(c->r[SUM], 1);
    assert_int_equal(c->r[HOME], 101);
    cc_unit_link(l, b);
    l = go(c, a);
    assert_ptr_equal(l->from, b); /* ran through both */
    assert_int_equal(c->r[SUM], 12);
    assert_int_equal(c->r[HOME], 112);
    assert_int_equal(*a->counter, 2);
    assert_int_equal(*b->counter, 1);
    /* a loop leaves when asked to */
    cc_unit_link(l, a);
    cpu_ask_out(c);
    assert_null(go(c, a));
    assert_int_equal(c->r[PC_SLOT], 0x1000);
    c->pending = 0;
    /* invalidating a's bytes unlinks b from it, and nobody else's */
    cc_unit_invalidate(0x1003, 1);
    assert_null(cc_unit_lookup(c, 0x1000));
    assert_ptr_equal(cc_unit_lookup(c, 0x2000), b);
    assert_true(a->dead);
    c->pending = 0;
    l = go(c, b);
    assert_ptr_equal(l->from, b);
    cc_unit_invalidate(0x2004, 0x1000); /* just behind */
    assert_ptr_equal(cc_unit_lookup(c, 0x2000), b);
    cc_unit_flush();
    assert_null(cc_unit_lookup(c, 0x2000));
    free_cpu(c);
}

/* A better translation takes over the links; a worse one is refused; a stale one too. */
static void test_replace(void **state)
{
    (void)state;
    struct cpu *c = new_cpu();
    cc_enter(c);
    struct unit *a = make(0x1000, 1, 0x2000, 0, 1), *b = make(0x2000, 10, 0x3000, 0, 1);
    cc_unit_link(&a->links[0], b);
    struct unit *b2 = make(0x2000, 1000, 0x3000, 0, 2);
    assert_non_null(b2);
    assert_true(b->dead);
    assert_null(make(0x2000, 5, 0x3000, 0, 1));
    struct link *l = go(c, a);
    assert_ptr_equal(l->from, b2);
    assert_int_equal(c->r[SUM], 1001);
    struct unit_range range = {0x5000, 8};
    uint8_t code[1] = {0xc3};
    struct unit_draft d = {.pc = 0x5000,
                           .guest = &guest,
                           .code = code,
                           .size = 1,
                           .ranges = &range,
                           .nranges = 1,
                           .seq = cc_unit_seq()};
    cc_unit_invalidate(0x6000, 4);
    struct unit *u = cc_unit_install(&d);
    assert_non_null(u); /* not its bytes */
    cc_unit_invalidate(0x5007, 1);
    assert_null(cc_unit_install(&d));
    cc_unit_flush();
    free_cpu(c);
}

/* A translation of the block at pc: what a thread that finds the block there would do, from looking at it to having its unit installed. */
struct translation {
    const struct block *from; /* NULL: no block was found */
    uint64_t seq;
};

static struct translation begin_translation(struct cpu *c, uint64_t pc)
{
    struct translation t = {.seq = cc_unit_seq()};
    t.from = cc_lookup(c, pc);
    /* A cpu that has not left since may still see it; bt_compile looks at the flag too. */
    if (t.from && t.from->flags & BLOCK_DEAD)
        t.from = NULL;
    return t;
}

static struct unit *end_translation(const struct translation *t)
{
    return t->from ? make_at(t->from->pc, 1, 0x9000, 0, 1, t->seq) : NULL;
}

static void (*when_units_die)(void);

void __real_cc_unit_invalidate(uint64_t addr, uint64_t len);
void __wrap_cc_unit_invalidate(uint64_t addr, uint64_t len);
void __wrap_cc_unit_invalidate(uint64_t addr, uint64_t len)
{
    if (when_units_die)
        when_units_die();
    __real_cc_unit_invalidate(addr, len);
    if (when_units_die)
        when_units_die();
}

/* Other threads that translate while code is invalidated, at its four moments: whatever they have begun by then, no unit of a
 * dead block is left. (Units that died before their blocks were gone let the second or the third
 * one's in.) */
static struct cpu *order_cpu;
static struct translation order_begun[4];
static unsigned order_moment;

static void translate_meanwhile(void)
{
    order_begun[order_moment++] = begin_translation(order_cpu, 0x8000);
}

static void test_order(void **state)
{
    (void)state;
    struct cpu *c = order_cpu = new_cpu();
    for (unsigned ends = 0; ends < 4; ends++) {
        struct block *b = block_new(1, 1);
        b->pc = 0x8000, b->len = 4;
        b->uops[0] = (struct uop){.op = UOP_jmp, .imm = 0x9000};
        cc_enter(c);
        assert_ptr_equal(cc_insert(c, b), b);
        assert_non_null(make(0x8000, 1, 0x9000, 0, 1));
        order_moment = 0;
        translate_meanwhile();
        when_units_die = translate_meanwhile;
        cc_invalidate(0x8000, 4);
        when_units_die = NULL;
        translate_meanwhile();
        assert_int_equal(order_moment, 4);
        assert_ptr_equal(order_begun[0].from, b);
        (void)end_translation(&order_begun[ends]);
        cc_leave(c);
        c->pending = 0;
        cc_enter(c);
        assert_null(cc_lookup(c, 0x8000));
        assert_null(cc_unit_lookup(c, 0x8000));
        cc_leave(c);
        cc_unit_flush();
    }
    free_cpu(c);
}

/* Host addresses to units, over a full cache. */
static void test_by_host(void **state)
{
    (void)state;
    struct cpu *c = new_cpu();
    struct unit *u[40];
    cc_enter(c);
    for (unsigned i = 0; i < 40; i++)
        assert_non_null(u[i] = make(0x10000 + i * 16, i, 0, i * 5, 1));
    for (unsigned i = 0; i < 40; i++) {
        uintptr_t at = (uintptr_t)u[i]->code;
        assert_ptr_equal(cc_unit_by_host(at), u[i]);
        assert_ptr_equal(cc_unit_by_host(at + u[i]->size - 1), u[i]);
        if (u[i]->size % CC_UNIT_ALIGN)
            assert_null(cc_unit_by_host(at + u[i]->size));
    }
    assert_null(cc_unit_by_host((uintptr_t)cc_region.exec));
    assert_null(cc_unit_by_host((uintptr_t)&guest));
    cc_unit_flush();
    free_cpu(c);
}

/* Code is not writable where it runs, nor executable where it is written. */
static void test_protection(void **state)
{
    (void)state;
    char line[512];
    unsigned seen = 0;
    uintptr_t x = (uintptr_t)cc_region.exec, w = (uintptr_t)cc_writable(cc_region.exec);
    FILE *f = fopen("/proc/self/maps", "re");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        unsigned long from, to;
        char prot[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, prot) != 3)
            continue;
        assert_false(prot[1] == 'w' && prot[2] == 'x');
        if (x >= from && x < to)
            seen += !strncmp(prot, "r-x", 3);
        if (w >= from && w < to)
            seen += !strncmp(prot, "rw-", 3);
    }
    fclose(f);
    assert_int_equal(seen, 2);
    assert_true(x >= GUEST_ADDR_END && w >= GUEST_ADDR_END);
}

/* Far more code than fits: chunks are evicted in order, what is found runs right, and links into evicted
 * chunks lead back. */
static void test_evict(void **state)
{
    (void)state;
    struct cpu *c = new_cpu();
    struct cc_unit_stats s0, s1;
    cc_enter(c);
    cc_unit_get_stats(&s0);
    struct unit *last = NULL;
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t pc = 0x100000 + i * 16;
        struct unit *u = make(pc, 3, pc - 16, 100, 1);
        if (!u) { /* what this thread could be in must drain */
            cc_quiesce(c);
            c->pending = 0;
            u = make(pc, 3, pc - 16, 100, 1);
            assert_non_null(u);
        }
        c->pending = 0;
        if (last && !last->dead)
            cc_unit_link(&u->links[0], last);
        uint64_t before = c->r[SUM];
        struct link *l = go(c, u);
        assert_non_null(l);
        /* as many units as the chain from here has */
        assert_int_equal((c->r[SUM] - before) / 3, (pc - l->pc) / 16);
        last = u;
        cc_quiesce(c);
        if (i % 64 == 63)
            last = NULL; /* the chain begins anew */
    }
    cc_unit_get_stats(&s1);
    assert_true(s1.evictions > s0.evictions + 20);
    assert_true(s1.evicted > 1000);
    assert_true(s1.units * 150 < (64u << 10));
    assert_int_equal(s1.installed - s0.installed, 3000);
    cc_unit_flush();
    free_cpu(c);
}

/* A chunk that a cpu may be in is not used again, however much is installed. */
static void test_drain(void **state)
{
    (void)state;
    struct cpu *c = new_cpu(), *other = new_cpu();
    cc_enter(c);
    cc_enter(other);
    struct unit *u = make(0x900000, 7, 0, 0, 1);
    assert_non_null(u);
    uint8_t copy[64];
    memcpy(copy, u->code, sizeof copy < u->size ? sizeof copy : u->size);
    unsigned refused = 0;
    for (unsigned i = 0; i < 2000; i++) {
        if (!make(0xa00000 + i * 16, 1, 0, 100, 1)) {
            cc_quiesce(c); /* only this cpu leaves */
            refused++;
        }
    }
    assert_true(refused > 100);
    assert_true(other->pending);
    assert_memory_equal(copy, u->code, sizeof copy < u->size ? sizeof copy : u->size);
    cc_leave(other);
    cc_quiesce(c);
    assert_non_null(make(0xb00000, 1, 0, 100, 1));
    cc_unit_flush();
    free_cpu(other);
    free_cpu(c);
}

/* ---- threads ---- */

#define NPC 64
static volatile bool stop;
static unsigned long total_runs;

static void *runner(void *arg)
{
    struct cpu *c = new_cpu();
    unsigned seed = (unsigned)(uintptr_t)arg;
    unsigned long runs = 0, wrong = 0;

    cc_enter(c);
    while (!stop) {
        uint64_t pc = 0x10000 + (rand_r(&seed) % NPC) * 4096;
        if (__atomic_exchange_n(&c->pending, 0, __ATOMIC_ACQ_REL))
            cc_quiesce(c);
        cc_unit_enter(c);
        struct unit *u = cc_unit_lookup(c, pc);
        if (!u) {
            uint64_t next = 0x10000 + (rand_r(&seed) % NPC) * 4096;
            make(pc, 1, next, rand_r(&seed) % 200, 1);
            continue;
        }
        c->r[SUM] = c->r[HOME] = 0;
        uint64_t left = cc_unit_run(c, u);
        struct link *l = X64_LEFT_BY_LINK(left) ? cc_link_by_ret(left) : NULL;
        runs++;
        /* both counts must agree, and one of the known exits was taken */
        if ((!l && left != EXIT_SIGNAL) || c->r[SUM] != c->r[HOME] || c->r[SUM] > 1000000000) {
            wrong++;
        } else if (l && !(rand_r(&seed) % 3)) {
            struct unit *to = cc_unit_lookup(c, l->pc);
            if (to && to->pc > l->from->pc) /* no loops: they would run until asked to leave */
                cc_unit_link(l, to);
        }
    }
    cc_leave(c);
    free_cpu(c);
    __atomic_fetch_add(&total_runs, runs, __ATOMIC_RELAXED);
    return (void *)wrong;
}

static void *spoiler(void *arg)
{
    unsigned seed = 99;
    (void)arg;
    while (!stop) {
        cc_unit_invalidate(0x10000 + (rand_r(&seed) % NPC) * 4096, 4);
        usleep(200);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t t[4], s;
    void *wrong;
    stop = false;
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, runner, (void *)(i + 1)), 0);
    assert_int_equal(pthread_create(&s, NULL, spoiler, NULL), 0);
    usleep(1000000);
    stop = true;
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(t[i], &wrong);
        assert_ptr_equal(wrong, NULL);
    }
    pthread_join(s, NULL);
    struct cc_unit_stats st;
    cc_unit_get_stats(&st);
    print_message("%lu runs, %lu installed, %lu invalidated, %lu chunks evicted, %lu links\n",
                  total_runs, (unsigned long)st.installed, (unsigned long)st.invalidated,
                  (unsigned long)st.evictions, (unsigned long)st.links);
    assert_true(total_runs > 1000);
    cc_unit_flush();
}

/* The child of a fork has no unit, makes its own region, and does not disturb the parent's. */
static void test_fork(void **state)
{
    (void)state;
    struct cpu *c = new_cpu();
    cc_enter(c);
    struct unit *a = make(0x1000, 1, 0x2000, 0, 1);
    uint8_t copy[64];
    memcpy(copy, a->code, 64);
    cc_fork_begin();
    pid_t pid = fork();
    cc_fork_end(pid == 0, c);
    if (pid == 0) {
        bool ok = !cc_unit_lookup(c, 0x1000);
        for (unsigned i = 0; i < 600; i++) {
            struct unit *u = make(0x1000 + i * 16, 5, 0, 100, 1);
            c->pending = 0;
            if (!u) {
                cc_quiesce(c);
                continue;
            }
            c->r[SUM] = 0;
            struct link *l = go(c, u);
            ok &= l && l->pc == 0 && c->r[SUM] == 5;
        }
        _exit(ok ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_memory_equal(copy, a->code, 64);
    assert_ptr_equal(cc_unit_lookup(c, 0x1000), a);
    c->pending = 0;
    c->r[SUM] = 0;
    assert_non_null(go(c, a));
    assert_int_equal(c->r[SUM], 1);
    cc_unit_flush();
    free_cpu(c);
}

/* ---- side tables ---- */

static uint64_t rnd(void)
{
    static uint64_t x = RANDOM_SEED;
    return random_next(&x);
}

/* (place + 5) ^ other of the first two places, as an expression, for a row. */
static struct cc_loc side_expr(struct cc_expr *x, const struct cc_loc *a, const struct cc_loc *b)
{
    *x = (struct cc_expr){.len = 0};
    cc_expr_op(x, UOP_xor_64, 0);
    cc_expr_op(x, UOP_add_64_i, 5);
    cc_expr_loc(x, a);
    cc_expr_loc(x, b);
    assert_false(x->overflow);
    return (struct cc_loc){CC_LOC_EXPR, (uint8_t)x->len, (uint64_t)(uintptr_t)x->text};
}

static uint64_t side_value(const struct cc_loc *l, const struct cc_regs *regs,
                           const uint64_t *before, unsigned slot)
{
    return l->kind == CC_LOC_CPU     ? before[slot]
           : l->kind == CC_LOC_GPR   ? regs->gpr[l->reg]
           : l->kind == CC_LOC_XMM   ? regs->xmm[l->reg][0]
           : l->kind == CC_LOC_XMM32 ? (uint32_t)regs->xmm[l->reg][0]
           : l->kind == CC_LOC_UNIT  ? before[l->v]
                                     : l->v;
}

static void test_side(void **state)
{
    (void)state;
    static uint8_t buf[1 << 20];
    static struct cc_loc want[200][NSLOTS];
    static struct cc_loc parts[200][NSLOTS][2]; /* of a CC_LOC_EXPR */
    static struct cc_expr exprs[NSLOTS];
    uint32_t off[200];
    uint64_t pc[200];
    static struct cc_side s;
    bool named[NSLOTS] = {false};
    struct cc_loc cur[CPU_TEMP_BASE], base[CPU_TEMP_BASE];

    cc_side_init(&s, buf, sizeof buf, &cc_region.homes, 0x400000);
    cc_side_start(&cc_region.homes, cur);
    /* a home that is in the cpu where no row names it */
    cc_side_saved(&s, 2);
    cur[2].kind = CC_LOC_CPU;
    memcpy(base, cur, sizeof base);
    uint32_t at = 0;
    for (unsigned i = 0; i < 200; i++) {
        for (unsigned n = rnd() % 6; n; n--) {
            unsigned slot = (unsigned)(rnd() % (NSLOTS - 1));
            struct cc_loc *l = &cur[slot];
            named[slot] = rnd() % 3 != 0;
            if (!named[slot]) {
                *l = base[slot];
                continue;
            }
            *l = (struct cc_loc){.kind = (uint8_t)(rnd() % 8), .reg = (uint8_t)(rnd() % 32)};
            if (l->kind == CC_LOC_GPR)
                l->reg %= 16;
            if (l->kind == CC_LOC_XMM128)
                l->kind = CC_LOC_XMM;
            if (l->kind == CC_LOC_EXPR) {
                struct cc_loc *part = parts[i][slot];
                part[0].kind = CC_LOC_GPR + rnd() % 3;
                part[0].reg = (uint8_t)(rnd() % (part[0].kind == CC_LOC_GPR ? 16 : X64_NXMM));
                part[1] = rnd() % 2 ? (struct cc_loc){.kind = CC_LOC_CONST, .v = rnd()}
                                    : (struct cc_loc){.kind = CC_LOC_UNIT, .v = rnd() % CPU_UNITS};
                *l = side_expr(&exprs[slot], &part[0], &part[1]);
            }
            if (l->kind == CC_LOC_UNIT)
                l->v = rnd() % 4 ? CPU_TEMP_BASE + rnd() % CPU_TEMPS : rnd() % (NSLOTS - 1);
            if (l->kind == CC_LOC_CONST)
                l->v = rnd() >> rnd() % 64;
        }
        for (unsigned k = 0; i && k < NSLOTS; k++) /* as it was, if this row has not changed it */
            if (cur[k].kind == CC_LOC_EXPR && !parts[i][k][0].kind)
                memcpy(parts[i][k], parts[i - 1][k], sizeof parts[i][k]);
        off[i] = at += (uint32_t)(1 + rnd() % 200);
        pc[i] = 0x400000 + rnd() % 8192 - 4096;
        memcpy(want[i], cur, sizeof want[i]);
        struct cc_named list[NSLOTS];
        unsigned n = 0;
        for (unsigned k = 0; k < NSLOTS - 1; k++)
            if (named[k])
                list[n++] = (struct cc_named){(uint8_t)k, cur[k]};
        cc_side_row(&s, off[i], pc[i], list, n);
    }
    assert_false(s.overflow);
    struct unit u = {
        .pc = 0x400000, .code = (const uint8_t *)0x1000, .side = buf, .side_len = s.len};
    struct cpu *c = new_cpu();
    for (unsigned i = 0; i < 200; i++) {
        struct cc_regs regs;
        uint64_t before[CPU_UNITS];
        for (unsigned k = 0; k < 16; k++)
            regs.gpr[k] = rnd();
        for (unsigned k = 0; k < X64_NXMM; k++) {
            regs.xmm[k][0] = rnd();
            regs.xmm[k][1] = rnd();
        }
        for (unsigned k = 0; k < CPU_UNITS; k++)
            before[k] = c->r[k] = rnd();
        assert_true(cc_state_at(&u, 0x1000 + off[i], &regs, c));
        assert_int_equal(c->r[PC_SLOT], pc[i]);
        for (unsigned k = 0; k < NSLOTS - 1; k++) {
            const struct cc_loc *l = &want[i][k];
            uint64_t v = side_value(l, &regs, before, k);
            if (l->kind == CC_LOC_EXPR)
                v = (side_value(&parts[i][k][0], &regs, before, k) + 5) ^
                    side_value(&parts[i][k][1], &regs, before, k);
            assert_int_equal(c->r[k], v);
        }
        /* Between rows there is nothing to be found. */
        if (i == 199 || off[i + 1] > off[i] + 1)
            assert_false(cc_state_at(&u, 0x1000 + off[i] + 1, &regs, c));
    }
    free_cpu(c);
}

static int setup(void **state)
{
    (void)state;
    guest = (struct guest){
        .name = "test", .nslots = NSLOTS, .pc_slot = PC_SLOT, .zero_slot = GUEST_NO_SLOT};
    memset(guest.home_gpr, GUEST_NO_SLOT, sizeof guest.home_gpr);
    memset(guest.home_xmm, GUEST_NO_SLOT, sizeof guest.home_xmm);
    guest.home_gpr[0] = HOME; /* RBX */
    guest.home_gpr[1] = 2;
    guest.home_xmm[0] = 20;
    assert_false(cc_set_capacity(1000));
    return !cc_set_capacity(CC_CAPACITY_MIN);
}

/* Each offset of a row's range finds it, those between ranges find none. */
static void test_traps(void **state)
{
    (void)state;
    enum { ROWS = 300, OPS = 5 };
    static const uint16_t op[OPS] = {UOP_fadd_f64, UOP_fsqrt_f32, UOP_vffma_f32, UOP_cvt_f64_s32,
                                     UOP_vflt_f64};
    static const unsigned nops[OPS] = {2, 1, 3, 1, 2};
    static struct cc_trap_row rows[ROWS];
    static uint8_t buf[ROWS * 64];
    struct cc_trap_table t = {.buf = buf, .cap = sizeof buf};
    uint32_t at = 0;
    for (unsigned i = 0; i < ROWS; i++) {
        struct cc_trap_row *row = &rows[i];
        unsigned k = (unsigned)(rnd() % OPS);
        row->begin = at + (uint32_t)(rnd() % 3 ? rnd() % 300 : 0);
        row->end = at = row->begin + 1 + (uint32_t)(rnd() % 200);
        row->result = (enum cc_trap_result)(rnd() % 4);
        row->reg = (uint8_t)(rnd() % 16);
        row->op = op[k];
        row->imm = rnd() % 2 ? 15 : (int64_t)(rnd() % 0x4000);
        for (unsigned o = 0; o < nops[k]; o++) {
            static const uint8_t kinds[] = {CC_LOC_GPR, CC_LOC_XMM, CC_LOC_UNIT, CC_LOC_CONST};
            struct cc_loc *l = &row->operand[o];
            *l = (struct cc_loc){.kind = kinds[rnd() % 4]};
            if (l->kind == CC_LOC_UNIT)
                l->v = rnd() % CPU_UNITS;
            else if (l->kind == CC_LOC_CONST)
                l->v = rnd() >> rnd() % 64;
            else
                l->reg = (uint8_t)(rnd() % 16);
        }
        cc_trap_add(&t, row);
    }
    assert_false(t.overflow);
    struct unit u = {.traps = buf, .traps_len = t.len};
    unsigned next = 0, found = 0;
    for (uint32_t off = 0; off < at + 10; off++) {
        struct cc_trap_row row = {.begin = 0};
        while (next < ROWS && off >= rows[next].end)
            next++;
        bool want = next < ROWS && off >= rows[next].begin;
        assert_int_equal(cc_trap_find(&u, off, &row), want);
        if (!want)
            continue;
        found++;
        const struct cc_trap_row *w = &rows[next];
        assert_int_equal(row.begin, w->begin);
        assert_int_equal(row.end, w->end);
        assert_int_equal(row.result, w->result);
        assert_int_equal(row.reg, w->reg);
        if (w->result == CC_TRAP_FLAGS)
            continue;
        assert_int_equal(row.op, w->op);
        assert_int_equal(row.imm, w->imm);
        for (unsigned k = 0; k < OPS; k++) {
            for (unsigned o = 0; w->op == op[k] && o < nops[k]; o++) {
                assert_int_equal(row.operand[o].kind, w->operand[o].kind);
                assert_int_equal(row.operand[o].reg, w->operand[o].reg);
                assert_int_equal(row.operand[o].v, w->operand[o].v);
            }
        }
    }
    assert_true(found > ROWS);
    /* No room: said, and nothing is written behind the end. */
    struct cc_trap_table small = {.buf = buf, .cap = 3};
    uint8_t behind = buf[3];
    cc_trap_add(&small, &rows[0]);
    cc_trap_add(&small, &rows[1]);
    assert_true(small.overflow);
    assert_int_equal(buf[3], behind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_and_link), cmocka_unit_test(test_replace),
        cmocka_unit_test(test_order),        cmocka_unit_test(test_by_host),
        cmocka_unit_test(test_protection),   cmocka_unit_test(test_evict),
        cmocka_unit_test(test_drain),        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_fork),         cmocka_unit_test(test_side),
        cmocka_unit_test(test_traps),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

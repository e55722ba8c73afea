/* Translated code: random programs are compiled at both levels, run, and compared with the micro-ops run one by one:
 * every way out must leave the state (slots, sticky flags, memory) that the reference has at that
 * guest address; a program that ends must end where the reference does, by the same exit or fault,
 * its units linked on the way. With `pending` set, polls must leave at a state of the reference's. */
#include "tests/bt/program.h"

#include "base/log.h"
#include "bt/bt.h"
#include "codecache/blocks.h"
#include "codecache/side.h"
#include "host/x64/disasm.h"
#include "host/x64/features.h"
#include "uop/fp.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { VISITS = 60, STATES = 4, POINTS = 2 * VISITS + 2 };

/* Arguments: how many programs, from which number on, and anything third to log operations and host code. */
static unsigned programs = 1500, first_program;
static struct cpu *cpu;
static unsigned char *page;

static void on_fault(int signo, siginfo_t *si, void *uc)
{
    cpu->fault = (struct cpu_fault){
        .addr = (uint64_t)(uintptr_t)si->si_addr, .signo = signo, .code = si->si_code};
    if (!cpu->in_engine || !cc_fault(cpu, uc)) {
        static const char text[] = "a fault that no side table knows\n";
        (void)!write(2, text, sizeof text - 1);
        abort();
    }
}

static void on_alarm(int signo)
{
    (void)signo;
    static const char text[] = "translated code does not come back\n";
    (void)!write(2, text, sizeof text - 1);
    abort();
}

/* ---- the reference's path ---- */

struct point {
    uint64_t pc;
    uint64_t r[NSLOTS];
    unsigned flags;
    uint64_t mem;
};

enum end { END_NONE, END_EXIT, END_FAULT, END_OUTSIDE };

struct path {
    struct point points[POINTS];
    unsigned n;
    enum end end;
};

static uint64_t hash_of(const unsigned char *mem)
{
    uint64_t h = 0;
    for (unsigned i = 0; i < MEM; i += 8) {
        uint64_t v;
        memcpy(&v, mem + i, 8);
        h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h;
}

static void add_point(struct path *p, uint64_t pc, const uint64_t *r, unsigned flags,
                      const unsigned char *mem)
{
    struct point *t = &p->points[p->n++];
    t->pc = pc;
    t->flags = flags;
    t->mem = hash_of(mem);
    memcpy(t->r, r, sizeof t->r);
}

static int index_of(const struct program *p, uint64_t pc)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->blocks[i]->pc == pc)
            return (int)i;
    return -1;
}

static void find_path(const struct program *p, const struct state *start, struct path *path)
{
    static struct state s;
    static struct trace t;
    s = *start;
    path->n = 0;
    path->end = END_NONE;
    int i = 0;
    for (unsigned visit = 0; visit < VISITS; visit++) {
        add_point(path, p->blocks[i]->pc, s.r, s.flags, s.mem);
        reference_run(p->blocks[i], &s, &t);
        /* The last instruction: it faulted, left, or ends the block; memory is the same before it. */
        add_point(path, t.pc[t.n - 1], t.before[t.n - 1], t.flags_before[t.n - 1], s.mem);
        if (t.faulted || t.left) {
            path->end = t.faulted ? END_FAULT : END_EXIT;
            return;
        }
        i = index_of(p, t.next);
        if (i < 0) {
            add_point(path, t.next, s.r, s.flags, s.mem);
            path->end = END_OUTSIDE;
            return;
        }
    }
}

/* ---- running ---- */

static const char *describe_difference(const struct point *t)
{
    static char text[200];
    for (unsigned i = 0; i < NSLOTS; i++)
        if (i != PC_SLOT && cpu->r[i] != t->r[i]) {
            snprintf(text, sizeof text, "slot %u is %#" PRIx64 ", not %#" PRIx64, i, cpu->r[i],
                     t->r[i]);
            return text;
        }
    if (fp_env_flags(cpu) != t->flags) {
        snprintf(text, sizeof text, "flags are %#x, not %#x", fp_env_flags(cpu), t->flags);
        return text;
    }
    return hash_of(page) != t->mem ? "memory differs" : NULL;
}

static void failure(const struct program *p, const struct path *path, unsigned number, int level,
                    const char *what, uint64_t pc)
{
    program_print(p);
    const char *nearest = "the reference was never there";
    for (unsigned i = 0; i < path->n; i++)
        if (path->points[i].pc == pc)
            nearest = describe_difference(&path->points[i]);
    fail_msg("program %u level %d: %s at %#" PRIx64 ": %s", number, level, what, pc, nearest);
}

static bool is_point(const struct path *path, unsigned from, uint64_t pc)
{
    for (unsigned i = from; i < path->n; i++)
        if (path->points[i].pc == pc && !describe_difference(&path->points[i]))
            return true;
    return false;
}

static void set_state(const struct state *s)
{
    memcpy(cpu->r, s->r, sizeof s->r);
    for (unsigned i = CPU_TEMP_BASE; i < CPU_UNITS; i++)
        cpu->r[i] = UINT64_C(0xa5a5a5a5a5a5a5a5);
    memcpy(page, s->mem, MEM);
    fp_env_init(cpu);
}

/* Enter u; *pc becomes where it left. Returns the reason, with the link for EXIT_BLOCK through one. */
static enum exit_reason enter(struct unit *u, uint64_t *pc, struct link **link)
{
    cc_unit_enter(cpu);
    cpu->in_engine = true;
    alarm(20);
    uint64_t left = cc_unit_run(cpu, u);
    alarm(0);
    cpu->in_engine = false;
    left = cc_unit_left(cpu, left, link);
    *pc = cpu->r[PC_SLOT];
    return (enum exit_reason)left;
}

struct counts {
    unsigned long compiled, refused, ends[4], linked, polls;
};
static struct counts counts;

/* A unit that replaces this one writes a jump of five bytes over its entry in one store, while others may be about to execute
 * the second instruction there. */
static void check_entry(const struct unit *u)
{
    char text[160];
    const uint8_t *entry = u->code + u->entry;
    assert_int_equal((uintptr_t)entry % 8, 0);
    if (x64_disasm_available())
        assert_in_range(x64_disasm(text, sizeof text, entry, 16, 0), 5, 15);
}

/* The unit of a block, compiled when it is new; NULL when the translator refuses it. */
static struct unit *unit_at(const struct program *p, uint64_t pc, int level)
{
    struct unit *u = cc_unit_lookup(cpu, pc);
    int i = index_of(p, pc);
    if (u || i < 0)
        return u;
    u = bt_compile(cpu, p->blocks[i], level);
    if (u) {
        counts.compiled++;
        check_entry(u);
    } else {
        counts.refused++;
    }
    return u;
}

static void run_to_the_end(const struct program *p, const struct path *path, unsigned number,
                           int level)
{
    uint64_t pc = PC;
    struct link *link = NULL;
    for (unsigned n = 0; n < 2 * VISITS; n++) {
        struct unit *u = unit_at(p, pc, level);
        if (!u)
            return;
        if (link) {
            cc_unit_link(link, u);
            counts.linked++;
        }
        /* The eviction of a chunk, for room for that unit, asks all cpus to leave; as the run loop does, serve that first. */
        if (cpu->pending) {
            cpu->pending = 0;
            cc_quiesce(cpu);
        }
        enum exit_reason reason = enter(u, &pc, &link);
        const struct point *last = &path->points[path->n - 1];
        enum end end = reason == EXIT_FAULT     ? END_FAULT
                       : reason == EXIT_SYSCALL ? END_EXIT
                                                : END_NONE;
        if (end != END_NONE) {
            if (end != path->end || pc != last->pc || describe_difference(last))
                failure(p, path, number, level, end == END_FAULT ? "fault" : "exit", pc);
            counts.ends[end]++;
            return;
        }
        if (!is_point(path, 0, pc))
            failure(p, path, number, level, "way out", pc);
        if (path->end == END_FAULT && pc == last->pc && !describe_difference(last)) {
            /* A misaligned atomic access is left to the interpreter, which reports it. */
            counts.ends[END_FAULT]++;
            return;
        }
        if (index_of(p, pc) < 0) {
            if (path->end != END_OUTSIDE)
                failure(p, path, number, level, "leaving the program", pc);
            counts.ends[END_OUTSIDE]++;
            return;
        }
    }
    failure(p, path, number, level, "no end", pc);
}

static void run_program(unsigned number, int level)
{
    static struct state start;
    static struct path path;
    rng = UINT64_C(0x9e3779b97f4a7c15) * (number + 1) + (unsigned)level;
    struct program p = program_make();
    struct block *succ[BLOCKS][2];
    for (unsigned i = 0; i < p.n; i++) {
        memcpy(succ[i], p.blocks[i]->succ, sizeof succ[i]);
        p.blocks[i]->succ[0] = p.blocks[i]->succ[1] = NULL;
        assert_ptr_equal(cc_insert(cpu, p.blocks[i]), p.blocks[i]);
    }
    for (unsigned i = 0; i < p.n; i++)
        for (unsigned e = 0; e < 2; e++)
            if (succ[i][e])
                cc_link(p.blocks[i], e, succ[i][e]);

    struct unit *u = unit_at(&p, PC, level);
    for (unsigned k = 0; u && k < STATES; k++) {
        state_random(&start);
        find_path(&p, &start, &path);
        uint64_t pc;
        struct link *link;
        set_state(&start);
        cpu_ask_out(cpu);
        enum exit_reason reason = enter(cc_unit_lookup(cpu, PC), &pc, &link);
        cpu->pending = 0;
        counts.polls += reason == EXIT_SIGNAL;
        if (!is_point(&path, 0, pc))
            failure(&p, &path, number, level, "way out with pending set", pc);
        if (path.end != END_NONE) {
            set_state(&start);
            run_to_the_end(&p, &path, number, level);
        }
    }
    cc_unit_invalidate(0, UINT64_MAX);
    cc_invalidate(0, UINT64_MAX);
    cpu->pending = 0;
    cc_quiesce(cpu);
}

static void run_level(int level)
{
    struct sigaction old_segv, old_alarm, segv = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO},
                                          alrm = {.sa_handler = on_alarm};
    sigaction(SIGSEGV, &segv, &old_segv);
    sigaction(SIGALRM, &alrm, &old_alarm);
    counts = (struct counts){0};
    for (unsigned i = first_program; i < first_program + programs; i++)
        run_program(i, level);
    sigaction(SIGSEGV, &old_segv, NULL);
    sigaction(SIGALRM, &old_alarm, NULL);
    print_message(
        "level %d: %lu units, %lu refused, %lu exits, %lu faults, %lu left, %lu links, %lu "
        "polls\n",
        level, counts.compiled, counts.refused, counts.ends[END_EXIT], counts.ends[END_FAULT],
        counts.ends[END_OUTSIDE], counts.linked, counts.polls);
    /* It went through what it is to test. */
    assert_true(counts.compiled > programs / 2);
    assert_true(counts.ends[END_EXIT] > programs / 20 && counts.ends[END_FAULT] > programs / 20);
    assert_true(counts.linked > programs / 20 && counts.polls > programs / 20);
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

/* As on a host without AVX, BMI and FMA. */
static void oldest_host(void **state)
{
    const char *bad = NULL;
    assert_true(x64_features_init("x86-64-v2", &bad));
    level_1(state);
    level_2(state);
    assert_true(x64_features_init("native", &bad));
}

static int setup(void **state)
{
    (void)state;
    /* So little that chunks are evicted on the way. */
    if (!cc_set_capacity(CC_CAPACITY_MIN))
        return -1;
    cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    cpu->guest = &toy;
    cpu->res_addr = ~UINT64_C(0);
    fp_env_init(cpu);
    cc_cpu_add(cpu);
    cc_enter(cpu);
    char *at = mmap((void *)(uintptr_t)(MEM_AT - MEM), 3 * MEM, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at == MAP_FAILED)
        return -1;
    page = (unsigned char *)at + MEM;
    return mprotect(page, MEM, PROT_READ | PROT_WRITE);
}

static void show_bail(const char *reason, uint64_t n, void *arg)
{
    (void)arg;
    print_message("refused %" PRIu64 " times: %s\n", n, reason);
}

static int teardown(void **state)
{
    (void)state;
    bt_for_each_bail(show_bail, NULL);
    cc_leave(cpu);
    cc_cpu_remove(cpu);
    free(cpu);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        programs = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_program = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3) {
        log_enable_one(LOG_OP_OPT);
        log_enable_one(LOG_OUT_ASM);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(level_1), cmocka_unit_test(level_2),
                                       cmocka_unit_test(oldest_host)};
    return cmocka_run_group_tests_name("bt/back", tests, setup, teardown);
}

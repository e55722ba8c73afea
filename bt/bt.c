/* The translator's pipeline and its counters: see bt/bt.h.
 *
 * Threading: counters are atomic; the table of reasons has a lock, bails_lock, that is taken on refusals alone.
 */
#include "bt/bt.h"
#include "base/log.h"
#include "base/report.h"
#include "bt/emit.h"
#include "bt/ir.h"
#include "bt/perf.h"
#include "bt/quick.h"
#include "host/x64/disasm.h"
#include "host/x64/features.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct bt_stats counts;

/* ---- refusals ---- */

#define MAX_REASONS 128
static struct {
    const char *reason;
    uint64_t n;
} bails[MAX_REASONS];
static unsigned nbails;
static pthread_mutex_t bails_lock = PTHREAD_MUTEX_INITIALIZER;

static void count_bail(const char *reason)
{
    /* A count is lost rather than waited for: in the child of a fork nobody may be left to unlock. */
    if (pthread_mutex_trylock(&bails_lock) != 0)
        return;
    unsigned i = 0;
    while (i < nbails && strcmp(bails[i].reason, reason) != 0)
        i++;
    if (i < MAX_REASONS) {
        bails[i].reason = reason;
        bails[i].n++;
        if (i == nbails)
            nbails++;
    }
    counts.refused++;
    pthread_mutex_unlock(&bails_lock);
}

void bt_for_each_bail(void (*fn)(const char *reason, uint64_t n, void *arg), void *arg)
{
    for (unsigned i = 0; i < nbails; i++)
        fn(bails[i].reason, bails[i].n, arg);
}

void bt_get_stats(struct bt_stats *s)
{
    *s = counts;
}

/* ---- dumps and checks ---- */

static void dump_region(const struct bt_region *r, const char *pass)
{
    char *text = bt_print(r);
    log_printf("after %s:\n", pass);
    for (char *rest = text, *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        if (*line)
            log_printf("%s\n", line);
    }
    free(text);
}

static void check(const struct bt_region *r, const char *pass)
{
#ifdef DRAGOMAN_DEBUG
    uint32_t where;
    const char *wrong = bt_verify(r, &where);
    if (wrong)
        vm_bug("region %#llx after %s, operation %%%u: %s\n%s", (unsigned long long)r->pc, pass,
               where, wrong, bt_print(r));
#endif
    if (log_at(LOG_OP_OPT, r->pc))
        dump_region(r, pass);
}

static void dump_code(const struct bt_region *r, const struct bt_code *c)
{
    log_printf("unit %#llx level %d: %u bytes, %u hot, %u links\n", (unsigned long long)r->pc,
               r->level, c->size, c->hot_size, c->nlinks);
    for (uint32_t off = 0; off < c->size;) {
        char text[160];
        unsigned len = x64_disasm(text, sizeof(text), c->bytes + off, c->size - off, off);
        log_printf("%6x:  %s\n", off, len ? text : "(data)");
        off += len ? len : 1;
    }
}

/* ---- the pipeline ---- */

/* Calls nested in a region, whose stack pointers come back to what they were one by one. */
#define FORWARD_ROUNDS 4

static const struct x64_homes *homes_of(const struct guest *guest)
{
    static _Thread_local struct x64_homes homes;
    static _Thread_local const struct guest *known;
    if (known != guest)
        x64_homes_of(guest, &homes);
    known = guest;
    return &homes;
}

static struct bt_region *pipeline(struct arena *arena, struct cpu *cpu, struct block *head,
                                  int level, struct bt_code *code, const char **bail)
{
    struct bt_region *r = bt_build(arena, cpu, head, level, bail);
    if (!r)
        return NULL;
    check(r, "construction");
    bt_conditions(r);
    check(r, "conditions");
    bt_fold(r);
    check(r, "folding");
    if (level > 1) {
        bt_cse(r);
        check(r, "common subexpressions");
        for (unsigned round = 0; round < FORWARD_ROUNDS && bt_forward(r); round++) {
            check(r, "forwarding");
            bt_fold(r);
            check(r, "folding of what was forwarded");
        }
        bt_narrow(r);
        check(r, "narrowing");
        bt_fold(r);
        check(r, "folding again");
    }
    bt_sticky(r);
    check(r, "sticky flags");
    if (r->has_fp) {
        bt_lazy_nan(r);
        check(r, "lazy NaNs");
        if (level > 1) {
            bt_cse(r); /* a store's check and a phi's */
            check(r, "common checks");
            bt_take_checked(r);
            check(r, "checked values");
        }
    }
    if (level > 1) {
        bt_settle_branches(r);
        check(r, "settled branches");
    }
    bt_dce(r);
    check(r, "dead operations");
    if (level > 1 && bt_soften_phis(r)) {
        bt_dce(r);
        check(r, "phis of flags");
    }
    bt_pair_products(r);
    check(r, "products");
    bt_pair_conditions(r);
    check(r, "choices");
    if (level > 1 && bt_index(r)) {
        bt_dce(r);
        check(r, "indices");
    }
    bt_sink(r);
    check(r, "sinking");
    struct bt_alloc alloc;
    if (bt_allocate(r, x64_features(), &alloc))
        *bail = bt_emit(r, &alloc, homes_of(cpu->guest), x64_features(), code);
    else
        *bail = "too many spilled values";
    return *bail ? NULL : r;
}

/* Level 1 where it can be had cheaply: bt/quick.c. */
static struct bt_region *quick(struct arena *arena, struct cpu *cpu, struct block *head,
                               struct bt_code *code)
{
    struct bt_alloc alloc;
    struct bt_region *r = bt_quick(arena, cpu, head, homes_of(cpu->guest), &alloc);
    if (r && log_at(LOG_OP_OPT, r->pc))
        dump_region(r, "the short way");
    return r && !bt_emit(r, &alloc, homes_of(cpu->guest), x64_features(), code) ? r : NULL;
}

static struct bt_region *region_of(struct arena *arena, struct cpu *cpu, struct block *head,
                                   int level, struct bt_code *code, const char **bail)
{
    struct bt_region *r = level == 1 ? quick(arena, cpu, head, code) : NULL;
    return r ? r : pipeline(arena, cpu, head, level, code, bail);
}

static struct unit *install(const struct bt_region *r, const struct bt_code *c, uint64_t seq)
{
    struct unit_range ranges[BT_MAX_BLOCKS];
    for (uint32_t i = 1; i < r->nblocks; i++)
        ranges[i - 1] = (struct unit_range){r->blocks[i].pc, r->blocks[i].guest->len};
    struct unit_draft d = {
        .pc = r->pc,
        .guest = r->guest,
        .code = c->bytes,
        .size = c->size,
        .hot_size = c->hot_size,
        .entry = BT_ENTRY_OFFSET,
        .leave = c->leave,
        .level = (uint8_t)r->level,
        .rules = r->blocks[1].guest->rules,
        .ninsns = r->ninsns,
        .relocs = c->relocs,
        .nrelocs = c->nrelocs,
        .links = c->links,
        .nlinks = c->nlinks,
        .ranges = ranges,
        .nranges = r->nblocks - 1,
        .side = c->side,
        .side_len = c->side_len,
        .traps = c->traps,
        .traps_len = c->traps_len,
        .seq = seq,
    };
    return cc_unit_install(&d);
}

bool bt_checks_addresses;

void bt_check_addresses(bool on)
{
    bt_checks_addresses = on;
}

static bool measuring;

void bt_measure(bool on)
{
    measuring = on;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    if (!measuring)
        return 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct unit *bt_compile(struct cpu *cpu, struct block *head, int level)
{
    static _Thread_local struct arena arena;
    uint64_t start = now_ns(), seq = cc_unit_seq();
    struct bt_code code = {0};
    const char *bail = NULL;
    struct unit *u = NULL;
    if (!arena.chunk_size)
        arena_init(&arena, 1 << 20);
    struct bt_region *r = head->flags & (BLOCK_DEAD | BLOCK_NO_BT)
                              ? NULL
                              : region_of(&arena, cpu, head, level, &code, &bail);
    if (r) {
        if (log_at(LOG_OUT_ASM, r->pc))
            dump_code(r, &code);
        u = install(r, &code, seq);
        if (u) {
            cc_unit_arm(u, INT32_MAX);
            perf_unit(u);
            __atomic_add_fetch(&counts.units[level], 1, __ATOMIC_RELAXED);
            __atomic_add_fetch(&counts.insns[level], r->ninsns, __ATOMIC_RELAXED);
            __atomic_add_fetch(&counts.bytes[level], code.size, __ATOMIC_RELAXED);
        }
    } else if (bail) {
        count_bail(bail);
        if (level == 1)
            __atomic_or_fetch(&head->flags, BLOCK_NO_BT, __ATOMIC_RELAXED);
    }
    arena_reset(&arena);
    __atomic_add_fetch(&counts.ns[level], now_ns() - start, __ATOMIC_RELAXED);
    return u;
}

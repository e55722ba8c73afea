/* The table of blocks: lookup, links, invalidation by byte range, reclamation only when every cpu has
 * left, and a stress run with threads (also built with the thread sanitizer, see tsan.sh). */
#include "tests/unit.h"

#include "codecache/blocks.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct cpu *new_cpu(void)
{
    struct cpu *cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    cc_cpu_add(cpu);
    return cpu;
}

static void free_cpu(struct cpu *cpu)
{
    cc_cpu_remove(cpu);
    free(cpu);
}

static struct block *new_block(uint64_t pc, uint32_t len)
{
    struct block *b = block_new(1, 1);
    b->pc = pc;
    b->len = len;
    b->uops[0] = (struct uop){.op = UOP_jmp, .imm = (int64_t)pc};
    b->map[0] = (struct insn_map){0, 0};
    return b;
}

static struct cc_stats stats(void)
{
    struct cc_stats s;
    cc_get_stats(&s);
    return s;
}

static struct cpu *cpu, *other;

static int setup(void **state)
{
    (void)state;
    cpu = new_cpu();
    other = new_cpu();
    cc_enter(cpu);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_invalidate(0, UINT64_MAX);
    free_cpu(cpu);
    free_cpu(other);
    struct cc_stats s = stats();
    return s.blocks != 0 || s.freed != s.invalidated;
}

static void lookup(void **state)
{
    (void)state;
    assert_null(cc_lookup(cpu, 0x1000));
    struct block *b = cc_insert(cpu, new_block(0x1000, 8));
    assert_ptr_equal(cc_lookup(cpu, 0x1000), b);
    assert_null(cc_lookup(cpu, 0x1004));
    /* Same place in the jump cache. */
    uint64_t alias = 0x1000 + (UINT64_C(2) << CPU_JCACHE_BITS);
    struct block *c = cc_insert(cpu, new_block(alias, 8));
    assert_ptr_equal(cc_lookup(cpu, 0x1000), b);
    assert_ptr_equal(cc_lookup(cpu, alias), c);
    /* The second of two with the same pc is dropped. */
    assert_ptr_equal(cc_insert(cpu, new_block(0x1000, 4)), b);
    assert_int_equal(stats().blocks, 2);
    /* Another cpu finds it, too. */
    cc_enter(other);
    assert_ptr_equal(cc_lookup(other, 0x1000), b);
    cc_leave(other);
    /* Nothing is at address 0, whatever an empty jump cache holds. */
    assert_null(cc_lookup(cpu, 0));
    assert_null(cc_lookup(cpu, 2));
    assert_null(cc_lookup(cpu, UINT64_MAX));
}

static void invalidate_range(void **state)
{
    (void)state;
    cc_insert(cpu, new_block(0x1000, 16));
    cc_insert(cpu, new_block(0x1010, 16));
    cc_insert(cpu, new_block(0x1ff8, 16)); /* over the end of its page */
    cc_insert(cpu, new_block(0x2100, 16));
    cc_invalidate(0x1010, 0);
    cc_invalidate(0x1020, 8);
    assert_int_equal(stats().blocks, 4);
    assert_int_equal(cpu->pending, 0);
    cc_invalidate(0x101f, 1); /* the last byte of the second */
    assert_true(cpu->pending);
    assert_int_equal(other->pending, 0); /* it is outside */
    cc_quiesce(cpu);
    assert_non_null(cc_lookup(cpu, 0x1000));
    assert_null(cc_lookup(cpu, 0x1010));
    cc_invalidate(0x2000, 8); /* the part in the second page */
    cc_quiesce(cpu);
    assert_null(cc_lookup(cpu, 0x1ff8));
    assert_non_null(cc_lookup(cpu, 0x2100));
    cc_invalidate(0x800, UINT64_MAX); /* more pages than there are */
    cc_quiesce(cpu);
    assert_null(cc_lookup(cpu, 0x1000));
    assert_null(cc_lookup(cpu, 0x2100));
    assert_int_equal(stats().blocks, 0);
}

static void links(void **state)
{
    (void)state;
    struct block *a = cc_insert(cpu, new_block(0x1000, 4));
    struct block *b = cc_insert(cpu, new_block(0x2000, 4));
    struct block *c = cc_insert(cpu, new_block(0x3000, 4));
    struct block *d = cc_insert(cpu, new_block(0x4000, 4));
    cc_link(a, 0, b);
    cc_link(a, 1, b);
    cc_link(c, 1, b);
    cc_link(c, 0, c); /* to itself */
    cc_link(b, 0, d);
    cc_link(a, 0, d); /* is linked already: stays */
    assert_ptr_equal(a->succ[0], b);
    assert_ptr_equal(a->succ[1], b);
    assert_ptr_equal(b->succ[0], d);
    cc_invalidate(0x2000, 4);
    assert_null(a->succ[0]);
    assert_null(a->succ[1]);
    assert_null(c->succ[1]);
    assert_null(b->succ[0]);
    assert_ptr_equal(c->succ[0], c);
    assert_true(b->flags & BLOCK_DEAD);
    cc_link(a, 0, b); /* a dead block is not linked */
    cc_link(b, 0, d);
    assert_null(a->succ[0]);
    assert_null(b->succ[0]);
    cc_link(a, 0, d);
    cc_link(a, 1, a);
    cc_invalidate(0x1000, 4);
    assert_null(a->succ[0]);
    assert_null(a->succ[1]);
    cc_invalidate(0x4000, 4); /* its only predecessor is dead */
    cc_invalidate(0x3000, 4);
    assert_int_equal(stats().blocks, 0);
}

static void reclamation(void **state)
{
    (void)state;
    uint64_t freed = stats().freed;
    cc_enter(other);
    struct block *b = cc_insert(cpu, new_block(0x1000, 4));
    assert_ptr_equal(cc_lookup(other, 0x1000), b);
    cc_invalidate(0x1000, 4);
    assert_true(other->pending);
    assert_int_equal(stats().freed, freed);
    cc_quiesce(cpu);
    assert_int_equal(stats().freed, freed); /* the other may be in it */
    assert_int_equal(b->pc, 0x1000);
    cc_leave(other);
    assert_int_equal(stats().freed, freed + 1);
    /* A cpu that enters afterwards does not hold up what died before. */
    cc_enter(other);
    assert_null(cc_lookup(other, 0x1000));
    b = cc_insert(cpu, new_block(0x1000, 4));
    cc_invalidate(0x1000, 4);
    cc_leave(cpu);
    cc_leave(other);
    cc_enter(other);
    assert_int_equal(stats().freed, freed + 2);
    cc_leave(other);
    cc_enter(cpu);
}

static void growth(void **state)
{
    (void)state;
    enum { N = 20000 };
    for (uint64_t i = 0; i < N; i++)
        cc_insert(cpu, new_block(0x10000 + 0x340 * i, 8));
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(cc_lookup(cpu, 0x10000 + 0x340 * i)->pc, 0x10000 + 0x340 * i);
    assert_int_equal(stats().blocks, N);
    cc_invalidate(0x10000, 0x340 * N / 2);
    assert_int_equal(stats().blocks, N / 2);
}

static void after_fork(void **state)
{
    (void)state;
    cc_insert(cpu, new_block(0x1000, 4));
    cc_enter(other);
    cc_fork_begin();
    cc_fork_end(true, cpu); /* as in a child: the other is gone */
    assert_non_null(cc_lookup(cpu, 0x1000));
    uint64_t freed = stats().freed;
    cc_invalidate(0x1000, 4);
    assert_int_equal(other->pending, 0);
    cc_quiesce(cpu);
    assert_int_equal(stats().freed, freed + 1);
    cc_leave(other);
}

/* ---- threads ---- */

enum { THREADS = 4, PCS = 64 };
static unsigned long rounds = 30000;

static uint64_t pc_of(unsigned i)
{
    return 0x100000 + UINT64_C(0x1f8) * i;
}

static void *worker(void *arg)
{
    struct cpu *self = new_cpu();
    uint64_t rng = 1 + (uintptr_t)arg, walked = 0;
    for (unsigned long i = 0; i < rounds; i++) {
        cc_enter(self);
        struct block *b = NULL;
        for (int step = 0; step < 20; step++) {
            rng = rng * 6364136223846793005u + 1442695040888963407u;
            uint64_t pc = pc_of(rng >> 33 & (PCS - 1));
            struct block *next = cc_lookup(self, pc);
            if (!next)
                next = cc_insert(self, new_block(pc, 16));
            if (next->pc != pc)
                abort();
            if (b)
                cc_link(b, rng >> 40 & 1, next);
            b = next;
            /* Follow links as the interpreter does. */
            for (int n = 0; n < 8; n++) {
                struct block *to = __atomic_load_n(&b->succ[rng >> (41 + n) & 1], __ATOMIC_ACQUIRE);
                if (!to)
                    break;
                if (to->uops[0].imm != (int64_t)to->pc)
                    abort();
                b = to;
                walked++;
            }
            if (__atomic_load_n(&self->pending, __ATOMIC_RELAXED)) {
                __atomic_store_n(&self->pending, 0, __ATOMIC_RELAXED);
                cc_quiesce(self);
                b = NULL;
            }
        }
        if (rng >> 50 & 1)
            cc_leave(self);
        if ((rng >> 51 & 7) == 0)
            cc_invalidate(pc_of(rng >> 54 & (PCS - 1)), 1 + (rng >> 20 & 0xfff));
    }
    free_cpu(self);
    return (void *)(uintptr_t)walked;
}

static void threads(void **state)
{
    (void)state;
    pthread_t t[THREADS];
    cc_leave(cpu);
    uint64_t invalidated = stats().invalidated, walked = 0;
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, worker, (void *)(i * 977)), 0);
    for (int i = 0; i < THREADS; i++) {
        void *n;
        pthread_join(t[i], &n);
        walked += (uintptr_t)n;
    }
    cc_enter(cpu);
    struct cc_stats s = stats();
    /* It did go through what it is to test. */
    assert_true(s.invalidated - invalidated > rounds / 10);
    assert_true(walked > rounds);
    unsigned n = 0;
    for (unsigned i = 0; i < PCS; i++) {
        struct block *b = cc_lookup(cpu, pc_of(i));
        n += b != NULL;
        if (b)
            assert_int_equal(b->pc, pc_of(i));
    }
    assert_int_equal(n, s.blocks);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        rounds = strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lookup, setup, teardown),
        cmocka_unit_test_setup_teardown(invalidate_range, setup, teardown),
        cmocka_unit_test_setup_teardown(links, setup, teardown),
        cmocka_unit_test_setup_teardown(reclamation, setup, teardown),
        cmocka_unit_test_setup_teardown(growth, setup, teardown),
        cmocka_unit_test_setup_teardown(after_fork, setup, teardown),
        cmocka_unit_test_setup_teardown(threads, setup, teardown),
    };
    return cmocka_run_group_tests_name("codecache/blocks", tests, NULL, NULL);
}

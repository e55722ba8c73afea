/* What evicted units were worth: blocks of those that ran too rarely wait longer, those of others hardly at all; a loss is
 * followed by a rest as long as it, a gain by none. */
#include "tests/unit.h"

#include "codecache/blocks.h"
#include "codecache/worth.h"
#include <stdlib.h>

/* Evict a unit of ten instructions at pc, which C entered so often and whose counter was run down by rounds. */
static void evict(uint64_t pc, uint8_t level, uint64_t entered, uint32_t rounds)
{
    uint64_t counter = (uint32_t) - (int32_t)rounds;
    struct unit u = {
        .pc = pc, .level = level, .ninsns = 10, .entered = entered, .counter = &counter};
    cc_worth_judge(&u);
}

static unsigned long rest(void)
{
    unsigned long asked = 0;
    while (cc_worth_resting())
        asked++;
    return asked;
}

static void waits(void **state)
{
    (void)state;
    struct cpu *cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    cc_cpu_add(cpu);
    cc_enter(cpu);
    struct block *b = block_new(1, 1);
    b->pc = 0x1000;
    b->len = 4;
    b->uops[0] = (struct uop){.op = UOP_jmp, .imm = 0x1000};
    b = cc_insert(cpu, b);
    assert_int_equal(b->again, 0);
    evict(0x1000, 1, 1, 1);
    uint32_t first = b->again, before;
    assert_true(first > 16);
    do {
        before = b->again;
        evict(0x1000, 1, 1, 1);
        assert_true(b->again >= before);
    } while (b->again != before); /* it has an end */
    assert_true(before > 1000 * first);
    evict(0x1000, 1, 1, 1000000);
    assert_true(b->again < before);
    for (int i = 0; i < 40; i++)
        evict(0x1000, 2, 1, 0); /* level 2 does not count and has paid */
    assert_true(b->again > 0 && b->again < first);
    evict(0x2000, 1, 1, 1); /* no block there */
    cc_worth_after_fork();
    cc_invalidate(0, UINT64_MAX);
    cc_cpu_remove(cpu);
    free(cpu);
}

static void rests(void **state)
{
    (void)state;
    assert_int_equal(rest(), 0);
    for (int i = 0; i < 100; i++)
        evict(0x1000, 1, 1, 100000);
    cc_worth_settle();
    assert_int_equal(rest(), 0);
    cc_worth_after_fork(); /* that credit is gone */

    for (int i = 0; i < 100; i++)
        evict(0x1000, 1, 1, 1);
    cc_worth_settle();
    unsigned long once = rest();
    assert_true(once > 0);
    assert_int_equal(rest(), 0);
    cc_worth_settle();
    assert_int_equal(rest(), 0); /* paid for once */
    for (int i = 0; i < 300; i++)
        evict(0x1000, 1, 1, 1);
    cc_worth_settle();
    assert_in_range(rest(), 3 * once - 3, 3 * once + 3);

    /* Rounds enough, but each was an entry from outside. */
    for (int i = 0; i < 100; i++)
        evict(0x1000, 1, 100000, 100000);
    cc_worth_settle();
    assert_true(rest() > once);

    /* A credit is set off against a later loss, and what a child of fork inherits is nothing. */
    for (int i = 0; i < 10; i++)
        evict(0x1000, 1, 1, 1000);
    for (int i = 0; i < 10; i++)
        evict(0x1000, 1, 1, 1);
    cc_worth_settle();
    assert_int_equal(rest(), 0);
    for (int i = 0; i < 1000; i++)
        evict(0x1000, 1, 1, 1);
    cc_worth_settle();
    cc_worth_after_fork();
    assert_int_equal(rest(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(waits), cmocka_unit_test(rests)};
    return cmocka_run_group_tests_name("codecache/worth", tests, NULL, NULL);
}

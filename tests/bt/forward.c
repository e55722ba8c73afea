/* Which loads are taken from a store before them (bt/forward.c), and which both guests' memory models forbid: with fences and atomic
 * operations between, with accesses that may be to the same bytes, in loops. Threads cannot tell one from the other reliably, so the
 * loads that stay are counted. */
#include "tests/bt/program.h"

#include "bt/ir.h"
#include <stdio.h>
#include <string.h>

enum { LINES = 12 };

static struct cpu cpu = {.guest = &toy};

/* Block i, an instruction a line; HERE and NEXT in a line are the addresses of this one and of the next. */
static struct block *block_of(unsigned i, const char *const *lines, uint64_t count, uint64_t taken)
{
    struct block *b = block_new(LINES, LINES);
    b->nuops = b->ninsns = 0;
    b->pc = PC + STEP * i;
    b->len = STEP;
    b->count = count;
    b->taken = taken;
    for (unsigned n = 0; n < LINES && lines[n]; n++) {
        char text[100];
        const char *err, *at = strchr(lines[n], '@');
        int same = at ? (int)(at - lines[n]) : (int)strlen(lines[n]);
        snprintf(text, sizeof text, "%.*s%s", same, lines[n], at ? "0x" : "");
        if (at)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%llx",
                     (unsigned long long)(at[1] == 'H' ? b->pc : b->pc + STEP));
        b->map[n] = (struct insn_map){.uop = (uint16_t)n, .pcoff = (uint16_t)(4 * n)};
        b->ninsns++;
        if (uop_parse(text, &b->uops[b->nuops++], NULL, &err) != 0)
            fail_msg("%s: %s", text, err);
    }
    unsigned where;
    const char *wrong = block_verify(b, NSLOTS, &where);
    if (wrong)
        fail_msg("%s: %s", lines[where], wrong);
    cpu.jcache[CPU_JCACHE_INDEX(b->pc)] = (struct jcache_entry){b->pc, b};
    return b;
}

static unsigned loads_left(struct block *head)
{
    struct arena arena;
    const char *bail = NULL;
    uint32_t where;
    unsigned n = 0;
    arena_init(&arena, 1 << 16);
    struct bt_region *r = bt_build(&arena, &cpu, head, 2, &bail);
    assert_non_null(r);
    bt_conditions(r);
    bt_fold(r);
    bt_cse(r);
    while (bt_forward(r))
        bt_fold(r);
    assert_null(bt_verify(r, &where));
    for (uint32_t i = 0; i < r->nblocks; i++)
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint16_t op = r->ops[r->blocks[i].ops[k]].op;
            n += (bt_flags(op) & (UOP_F_LOAD | UOP_F_ATOMIC)) == UOP_F_LOAD;
        }
    arena_free(&arena);
    return n;
}

static void forget_blocks(void)
{
    for (unsigned i = 0; i < 1u << CPU_JCACHE_BITS; i++)
        cpu.jcache[i].pc = CPU_EMPTY_PC(i);
}

static void straight(void **state)
{
    static const struct {
        const char *name;
        unsigned left;
        const char *lines[LINES];
    } rows[] = {
        {"the same bytes", 0, {"st_64 r16, r2, 8", "r3 = ld_64 r16, 8"}},
        {"their lowest", 0, {"st_64 r16, r2, 8", "r3 = ld_s16 r16, 8"}},
        {"half of them", 1, {"st_64 r16, r2, 8", "r3 = ld_u32 r16, 12"}},
        {"more than was stored", 1, {"st_32 r16, r2, 8", "r3 = ld_64 r16, 8"}},
        {"an address that is a sum",
         0,
         {"r5 = add_64_i r16, -16", "st_64 r5, r2, 16", "r3 = ld_64 r16, 0"}},
        {"a constant address",
         0,
         {"r5 = movi 0x5000000", "r6 = movi 0x5000010", "st_64 r5, r2, 16", "r3 = ld_64 r6, 0"}},
        {"behind accesses to others",
         1,
         {"st_64 r16, r2, 8", "st_64 r16, r4, 16", "r5 = ld_u32 r16, 4", "r3 = ld_64 r16, 8"}},
        {"behind a store less than a page away",
         0,
         {"st_64 r16, r2, 8", "st_64 r16, r4, 4096", "r3 = ld_64 r16, 8"}},
        {"behind a store a page away, which may be mapped twice",
         1,
         {"st_64 r16, r2, 8", "st_64 r16, r4, 4104", "r3 = ld_64 r16, 8"}},
        {"behind a store a page below",
         1,
         {"st_64 r16, r2, 8", "st_64 r16, r4, -4084", "r3 = ld_64 r16, 8"}},
        {"behind a store to some of them",
         1,
         {"st_64 r16, r2, 8", "st_8 r16, r4, 15", "r3 = ld_64 r16, 8"}},
        {"behind a store anywhere",
         1,
         {"st_64 r16, r2, 8", "st_8 r17, r4, 0", "r3 = ld_64 r16, 8"}},
        {"behind a load of some of them",
         2,
         {"st_64 r16, r2, 8", "r4 = ld_64 r16, 12", "r3 = ld_64 r16, 8"}},
        {"behind a load anywhere",
         2,
         {"st_64 r16, r2, 8", "r4 = ld_u8 r17, 0", "r3 = ld_64 r16, 8"}},
        {"behind a load of just them",
         0,
         {"st_64 r16, r2, 8", "r4 = ld_u8 r16, 8", "r3 = ld_64 r16, 8"}},
        {"behind a fence", 1, {"st_64 r16, r2, 8", "fence 1", "r3 = ld_64 r16, 8"}},
        {"behind an acquiring load's", 1, {"st_64 r16, r2, 8", "fence 0", "r3 = ld_64 r16, 8"}},
        {"behind an atomic operation",
         1,
         {"st_64 r16, r2, 8", "r4 = amo_add_64 r17, r2", "r3 = ld_64 r16, 8"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *lines[LINES] = {0};
        unsigned n = 0;
        forget_blocks();
        for (; rows[i].lines[n]; n++)
            lines[n] = rows[i].lines[n];
        lines[n] = "exit syscall";
        struct block *b = block_of(0, lines, 100, 0);
        unsigned left = loads_left(b);
        if (left != rows[i].left)
            fail_msg("%s: %u loads stay, not %u", rows[i].name, left, rows[i].left);
        block_free(b);
    }
}

/* A store, a loop, and what follows it. */
static void loops(void **state)
{
    static const struct {
        const char *name;
        unsigned left;
        const char *before[3], *in, *behind;
    } rows[] = {
        {"a load in the loop", 1, {"r2 = movi 7", "st_64 r16, r2, 8"}, "r3 = ld_64 r16, 8", "nop"},
        {"one behind it",
         0,
         {"r2 = movi 7", "st_64 r16, r2, 8"},
         "st_64 r16, r4, 16",
         "r3 = ld_64 r16, 8"},
        {"one of no constant",
         1,
         {"r2 = add_64 r5, r6", "st_64 r16, r2, 8"},
         "st_64 r16, r4, 16",
         "r3 = ld_64 r16, 8"},
        {"a store in the loop",
         1,
         {"r2 = movi 7", "st_64 r16, r2, 8"},
         "st_64 r17, r4, 16",
         "r3 = ld_64 r16, 8"},
        {"another load in the loop",
         2,
         {"r2 = movi 7", "st_64 r16, r2, 8"},
         "r6 = ld_64 r17, 16",
         "r3 = ld_64 r16, 8"},
        {"a fence in the loop",
         1,
         {"r2 = movi 7", "st_64 r16, r2, 8"},
         "fence 0",
         "r3 = ld_64 r16, 8"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *first[] = {rows[i].before[0], rows[i].before[1], "jmp @NEXT", NULL};
        const char *second[] = {rows[i].in, "r4 = add_64_i r4, 1", "br_ne r4, r5, @HERE", NULL};
        const char *third[] = {strcmp(rows[i].behind, "nop") ? rows[i].behind : "r7 = movi 1",
                               "exit syscall", NULL};
        forget_blocks();
        struct block *b[] = {block_of(0, first, 100, 0), block_of(1, second, 1000, 900),
                             block_of(2, third, 100, 0)};
        unsigned left = loads_left(b[0]);
        if (left != rows[i].left)
            fail_msg("%s: %u loads stay, not %u", rows[i].name, left, rows[i].left);
        for (unsigned k = 0; k < 3; k++)
            block_free(b[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(straight), cmocka_unit_test(loops)};
    return cmocka_run_group_tests_name("bt/forward", tests, NULL, NULL);
}

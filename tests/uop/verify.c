/* The verifier: well-formed blocks pass, and each rule refuses what breaks it. */
#include "tests/unit.h"

#include "uop/block.h"
#include "uop/cpu.h"
#include <string.h>

/* Lines as in tests/interp/run.c: "+" begins an instruction of 4 bytes. */
static const char *verdict(const char *const *lines, unsigned *where)
{
    struct block *b = block_new(32, 32);
    unsigned n = 0, ninsns = 0;
    for (; lines[n]; n++) {
        const char *line = lines[n], *err = NULL;
        if (*line == '+' || n == 0) {
            b->map[ninsns] = (struct insn_map){.uop = n, .pcoff = 4 * ninsns};
            ninsns++;
            line += *line == '+';
        }
        if (uop_parse(line, &b->uops[n], NULL, &err))
            fail_msg("%s: %s", lines[n], err);
    }
    b->pc = 0x1000;
    b->len = 4 * ninsns;
    b->nuops = n;
    b->ninsns = ninsns;
    const char *wrong = block_verify(b, 64, where);
    block_free(b);
    return wrong;
}

static void good(void **state)
{
    (void)state;
    static const char *const rows[][8] = {
        {"+jmp 0x1004"},
        {"+r1 = add_64 r2, r3", "+br_eq r1, r2, 0x1000"},
        {"+t0 = ld_64 r1, 0", "t1 = ld_64 r1, 8", "r2 = mov_64 t0", "r3 = mov_64 t1", "jmp 0x2000"},
        {"+r1 = ld_64 r1, 0", "+r2 = ld_64 r1, 0", "+exit syscall"},
        /* a helper may follow a written slot: it never leaves */
        {"+r1 = movi 1", "r2 = helper r1, r1, 0", "jmp 0x2000"},
        /* a static rounding mode never leaves */
        {"+r1 = movi 1", "r2 = fadd_f64 r1, r1, rne", "jmp 0x2000"},
        {"+t0 = ld_v128 r1, 0", "r40 = mov_64 t0", "r41 = mov_64 t1", "jmp 0x2000"},
        {"+t0 = mov_64 r1", "+jmp_ind r1, ret"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned where;
        const char *wrong = verdict(rows[i], &where);
        if (wrong)
            fail_msg("%s: %s", rows[i][where], wrong);
    }
}

static void bad(void **state)
{
    (void)state;
    static const struct {
        const char *lines[6];
        unsigned where;
        const char *why;
    } rows[] = {
        {{"+r1 = add_64 r2, r3"}, 0, "terminator"},
        {{"+jmp 0x1000", "+jmp 0x1000"}, 0, "before the end"},
        {{"+r1 = add_64 r2, t0", "jmp 0x1000"}, 0, "temporary"},
        {{"+t0 = add_64 r2, r1", "+r1 = mov_64 t0", "jmp 0x1000"}, 1, "temporary"},
        {{"+r1 = movi 0", "r2 = ld_64 r3, 0", "jmp 0x1000"}, 0, "slot written"},
        {{"+r1 = movi 0", "st_64 r3, r3, 0", "jmp 0x1000"}, 0, "slot written"},
        {{"+r1 = movi 0", "r2 = fadd_f64 r1, r1, dyn", "jmp 0x1000"}, 0, "slot written"},
        {{"+r1 = movi 0", "exit syscall"}, 0, "slot written"},
        {{"+r1 = mov_64 r64", "jmp 0x1000"}, 0, "no slot"},
        {{"+r64 = mov_64 r1", "jmp 0x1000"}, 0, "no slot"},
        {{"+r40 = cas_128 r1, r63, r40", "jmp 0x1000"}, 0, "no slot"},
        {{"+r41 = ld_v128 r1, 0", "jmp 0x1000"}, 0, "odd"},
        {{"+t0 = ld_v128 r1, 0", "st_v128 r1, t2, 0", "jmp 0x1000"}, 1, "temporary"},
        {{"+r1 = fadd_f64 r1, r1, 5", "jmp 0x1000"}, 0, "rounding"},
        {{"+exit block"}, 0, "exit reason"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned where = 99;
        const char *wrong = verdict(rows[i].lines, &where);
        if (!wrong)
            fail_msg("row %zu (%s) passes", i, rows[i].why);
        assert_non_null(strstr(wrong, rows[i].why));
        assert_int_equal(where, rows[i].where);
    }
}

static void bad_maps(void **state)
{
    (void)state;
    struct block *b = block_new(2, 2);
    b->pc = 0x1000;
    b->len = 8;
    b->uops[0] = (struct uop){.op = UOP_mov_64, .d = 1, .a = 2};
    b->uops[1] = (struct uop){.op = UOP_jmp, .imm = 0x1008};
    b->map[0] = (struct insn_map){0, 0};
    b->map[1] = (struct insn_map){1, 4};
    assert_null(block_verify(b, 64, NULL));
    b->map[1].pcoff = 8;
    assert_non_null(block_verify(b, 64, NULL));
    b->map[1] = (struct insn_map){3, 4};
    assert_non_null(block_verify(b, 64, NULL));
    b->map[1] = (struct insn_map){1, 0};
    assert_non_null(block_verify(b, 64, NULL));
    b->map[1] = (struct insn_map){1, 4};
    b->map[0].uop = 1;
    assert_non_null(block_verify(b, 64, NULL));
    b->map[0].uop = 0;
    b->uops[0].op = UOP_CODES;
    assert_non_null(block_verify(b, 64, NULL));
    b->uops[0].op = UOP_mov_64;
    b->uops[0].imm = 1;
    assert_non_null(block_verify(b, 64, NULL));
    b->uops[0].imm = 0;
    b->nuops = 0;
    assert_non_null(block_verify(b, 64, NULL));
    block_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(bad),
        cmocka_unit_test(bad_maps),
    };
    return cmocka_run_group_tests_name("uop/verify", tests, NULL, NULL);
}

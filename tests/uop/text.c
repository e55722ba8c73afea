/* The text form: what it looks like, that every row round-trips, what the parser refuses; and the
 * consistency of the info table. */
#include "tests/unit.h"

#include "uop/block.h"
#include "uop/cpu.h"
#include "uop/sem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *slot_name(unsigned slot)
{
    static const char *const names[] = {"zero", "ra", "sp"};
    return slot < 3 ? names[slot] : NULL;
}

static void examples(void **state)
{
    (void)state;
    static const struct {
        struct uop u;
        const char *plain, *named;
    } rows[] = {
        {{.op = UOP_add_64, .d = 1, .a = 2, .b = 194}, "r1 = add_64 r2, t2", "ra = add_64 sp, t2"},
        {{.op = UOP_add_64_i, .d = 1, .a = 2, .imm = -16},
         "r1 = add_64_i r2, -16",
         "ra = add_64_i sp, -16"},
        {{.op = UOP_ld_s32, .d = 5, .a = 2, .imm = 8}, "r5 = ld_s32 r2, 8", "r5 = ld_s32 sp, 8"},
        {{.op = UOP_st_64, .a = 2, .b = 1, .imm = 8}, "st_64 r2, r1, 8", "st_64 sp, ra, 8"},
        {{.op = UOP_ffma_f64, .d = 40, .a = 41, .b = 42, .c = 43, .imm = FP_DYN},
         "r40 = ffma_f64 r41, r42, r43, dyn",
         "r40 = ffma_f64 r41, r42, r43, dyn"},
        {{.op = UOP_br_ltu, .a = 1, .b = 2, .imm = 0x12344},
         "br_ltu r1, r2, 0x12344",
         "br_ltu ra, sp, 0x12344"},
        {{.op = UOP_jmp, .c = JUMP_CALL, .imm = 0x10000}, "jmp 0x10000, call", "jmp 0x10000, call"},
        {{.op = UOP_jmp_ind, .a = 1, .c = JUMP_RET}, "jmp_ind r1, ret", "jmp_ind ra, ret"},
        {{.op = UOP_jmp_ind, .a = 1}, "jmp_ind r1", "jmp_ind ra"},
        {{.op = UOP_exit, .imm = EXIT_SYSCALL}, "exit syscall", "exit syscall"},
        {{.op = UOP_movi, .d = 255, .imm = INT64_MIN},
         "t63 = movi 0x8000000000000000",
         "t63 = movi 0x8000000000000000"},
        {{.op = UOP_fence, .imm = 1, .aux = 9}, "fence 1 !9", "fence 1 !9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        size_t n = uop_print(text, sizeof text, &rows[i].u, NULL);
        assert_string_equal(text, rows[i].plain);
        assert_int_equal(n, strlen(text));
        uop_print(text, sizeof text, &rows[i].u, slot_name);
        assert_string_equal(text, rows[i].named);
    }
}

static uint64_t rng = 1;
static uint64_t rnd(void)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return rng >> 20;
}

static void round_trip(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200u * UOP_CODES; i++) {
        unsigned op = i % UOP_CODES;
        const struct uop_info *info = &uop_info[op];
        struct uop u = {.op = op}, v;
        if (info->d)
            u.d = rnd() % CPU_UNITS;
        if (info->a)
            u.a = rnd() % CPU_UNITS;
        if (info->b)
            u.b = rnd() % CPU_UNITS;
        if (info->c)
            u.c = rnd() % CPU_UNITS;
        if (info->flags & UOP_F_IMM)
            u.imm = info->flags & UOP_F_RM ? (int64_t)(rnd() % 8)
                    : op == UOP_exit       ? (int64_t)(rnd() % 8)
                                           : (int64_t)((rnd() << 44 ^ rnd()) >> rnd() % 64);
        if (op == UOP_jmp || op == UOP_jmp_ind)
            u.c = rnd() % 3;
        if (rnd() % 4 == 0)
            u.aux = rnd();
        char text[100];
        const char *err = NULL;
        uop_slot_name *names = rnd() % 2 ? slot_name : NULL;
        uop_print(text, sizeof text, &u, names);
        if (uop_parse(text, &v, names, &err))
            fail_msg("%s: %s", text, err);
        if (memcmp(&u, &v, sizeof u))
            fail_msg("%s does not come back as it was", text);
    }
}

static void refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "r1 =",
        "nonsense",
        "r1 = nonsense r2",
        "r1 = add_64 r2",
        "r1 = add_64 r2 r3",
        "r1 = add_64 r2, r3, r4",
        "add_64 r2, r3",
        "r1 = st_64 r2, r3, 0",
        "r192 = add_64 r1, r2",
        "t64 = add_64 r1, r2",
        "x1 = add_64 r1, r2",
        "r1 = add_64_i r2, x",
        "r1 = add_64_i r2, -",
        "r1 = fadd_f64 r2, r3, up",
        "exit nowhere",
        "jmp 0x1000, again",
        "r1 = movi 1 2",
        "r1 = mov_64 r",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct uop u;
        const char *err = NULL;
        if (!uop_parse(bad[i], &u, NULL, &err))
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(err);
    }
}

/* A line that is cut off is terminated, and its full length returned. */
static void short_buffer(void **state)
{
    (void)state;
    struct uop u = {.op = UOP_add_64, .d = 1, .a = 2, .b = 3};
    char text[8];
    memset(text, 'x', sizeof text);
    assert_int_equal(uop_print(text, 6, &u, NULL), strlen("r1 = add_64 r2, r3"));
    assert_string_equal(text, "r1 = ");
    assert_int_equal(text[6], 'x');
    assert_int_equal(uop_print(NULL, 0, &u, NULL), strlen("r1 = add_64 r2, r3"));
}

static void whole_block(void **state)
{
    (void)state;
    struct block *b = block_new(3, 3);
    b->pc = 0x1000;
    b->len = 10;
    b->count = 7;
    b->uops[0] = (struct uop){.op = UOP_add_64_i, .d = 1, .a = 1, .imm = 1};
    b->uops[1] = (struct uop){.op = UOP_movi, .d = 2, .imm = 3};
    b->uops[2] = (struct uop){.op = UOP_jmp, .imm = 0x100a};
    b->map[0] = (struct insn_map){0, 0};
    b->map[1] = (struct insn_map){1, 4}; /* lifted to nothing */
    b->map[2] = (struct insn_map){1, 6};
    char text[300];
    size_t n = block_print(text, sizeof text, b, slot_name);
    assert_string_equal(text, "block 0x1000 len 10 count 7 taken 0\n"
                              "; 0x1000\n"
                              "  ra = add_64_i ra, 1\n"
                              "; 0x1004\n"
                              "; 0x1006\n"
                              "  sp = movi 3\n"
                              "  jmp 0x100a\n");
    assert_int_equal(n, strlen(text));
    assert_int_equal(block_insn_of(b, 0), 0);
    assert_int_equal(block_insn_of(b, 1), 2);
    assert_int_equal(block_insn_of(b, 2), 2);
    block_free(b);
}

/* Every row has a name and sensible flags; a pure one has a value, and no other has. */
static void info_table(void **state)
{
    (void)state;
    for (unsigned op = 0; op < UOP_CODES; op++) {
        const struct uop_info *info = &uop_info[op];
        assert_non_null(info->name);
        uint64_t v;
        assert_int_equal(uop_eval(op, 1, 2, 3, &v),
                         (info->flags & (UOP_F_PURE | UOP_F_VECTOR)) == UOP_F_PURE);
        size_t n = strlen(info->name);
        bool imm_form = n > 2 && !strcmp(info->name + n - 2, "_i") && info->flags & UOP_F_PURE;
        assert_int_equal(info->rr_form != op, imm_form);
        if (imm_form) {
            assert_int_equal(strncmp(uop_info[info->rr_form].name, info->name, n - 2), 0);
            assert_true(info->flags & UOP_F_IMM);
            assert_int_equal(info->b, UOP_K_N);
        }
        if (info->flags & UOP_F_PURE) {
            assert_int_equal(info->flags & ~(UOP_F_PURE | UOP_F_IMM | UOP_F_VECTOR), 0);
            assert_int_not_equal(info->d, UOP_K_N);
        }
        if (info->flags & UOP_F_RM)
            assert_true(info->flags & UOP_F_FPENV);
        if (info->flags & UOP_F_ATOMIC)
            assert_true(info->flags & UOP_F_LOAD);
    }
    assert_int_equal(sizeof(struct uop), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),     cmocka_unit_test(round_trip),  cmocka_unit_test(refused),
        cmocka_unit_test(short_buffer), cmocka_unit_test(whole_block), cmocka_unit_test(info_table),
    };
    return cmocka_run_group_tests_name("uop/text", tests, NULL, NULL);
}

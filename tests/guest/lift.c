/* The driver of lifters, with a toy guest: an instruction is its first byte's low nibble in length;
 * the high nibble says what it does: 0 nothing, 1 one micro-op, 2 ninety micro-ops, 3 a jump. */
#include "tests/unit.h"

#include "guest/lift.h"
#include <string.h>

static unsigned toy_lift(struct lift *l, const uint8_t *code, size_t avail)
{
    unsigned len = avail ? code[0] & 15 : 1;
    if (avail < len)
        return 0;
    l->next_pc = l->pc + len;
    switch (code[0] >> 4) {
    case 1: {
        uint8_t t = lift_temp(l);
        assert_int_equal(t, CPU_TEMP_BASE); /* temporaries begin anew with each instruction */
        lift_emit(l, UOP_movi, 1, 0, 0, 0, (int64_t)l->pc);
        break;
    }
    case 2:
        for (int i = 0; i < 90; i++)
            lift_emit(l, UOP_movi, 2, 0, 0, 0, i);
        break;
    case 3:
        lift_emit(l, UOP_jmp, 0, 0, 0, JUMP_CALL, 0x9000);
        break;
    }
    return len;
}

static const struct guest toy = {
    .name = "toy", .nslots = 8, .zero_slot = 0, .pc_slot = 7, .lift = toy_lift};

static void ends_at_a_terminator(void **state)
{
    (void)state;
    const uint8_t code[] = {0x12, 0, 0x03, 0, 0, 0x14, 0, 0, 0, 0x32, 0, 0x11};
    struct block *b = lift_block(&toy, 0x1000, code, sizeof code, 0);
    assert_non_null(b);
    assert_int_equal(b->pc, 0x1000);
    assert_int_equal(b->len, 11);
    assert_int_equal(b->ninsns, 4);
    assert_int_equal(b->nuops, 3);
    static const struct insn_map map[] = {{0, 0}, {1, 2}, {1, 5}, {2, 9}};
    assert_memory_equal(b->map, map, sizeof map);
    assert_int_equal(b->uops[0].imm, 0x1000);
    assert_int_equal(b->uops[1].imm, 0x1005);
    assert_int_equal(b->uops[2].op, UOP_jmp);
    assert_int_equal(b->uops[2].c, JUMP_CALL);
    assert_null(block_verify(b, toy.nslots, NULL));
    assert_null(b->code);
    block_free(b);
}

static void ends_before_what_is_cut_off(void **state)
{
    (void)state;
    const uint8_t code[] = {0x12, 0, 0x13, 0, 0};
    struct block *b = lift_block(&toy, 0x1ffc, code, 4, 0);
    assert_int_equal(b->ninsns, 1);
    assert_int_equal(b->len, 2);
    assert_int_equal(b->uops[1].op, UOP_jmp);
    assert_int_equal(b->uops[1].imm, 0x1ffe);
    assert_null(block_verify(b, toy.nslots, NULL));
    block_free(b);
    assert_null(lift_block(&toy, 0x1ffe, code + 2, 2, 0));
    assert_null(lift_block(&toy, 0x2000, code, 0, 0));
}

static void limits(void **state)
{
    (void)state;
    uint8_t code[4096];
    memset(code, 0x11, sizeof code);
    struct block *b = lift_block(&toy, 0x1000, code, sizeof code, 0);
    assert_int_equal(b->ninsns, BLOCK_MAX_INSNS);
    assert_int_equal(b->uops[b->nuops - 1].imm, 0x1000 + BLOCK_MAX_INSNS);
    block_free(b);
    b = lift_block(&toy, 0x1000, code, sizeof code, 5);
    assert_int_equal(b->ninsns, 5);
    assert_int_equal(b->nuops, 6);
    assert_int_equal(b->uops[5].imm, 0x1005);
    block_free(b);
    memset(code, 0x21, sizeof code);
    b = lift_block(&toy, 0x1000, code, sizeof code, 0);
    assert_true(b->nuops <= BLOCK_MAX_UOPS);
    assert_true(b->ninsns >= 2);
    assert_null(block_verify(b, toy.nslots, NULL));
    block_free(b);
    memset(code, 0x01, sizeof code); /* nothing but nothing */
    b = lift_block(&toy, 0x1000, code, sizeof code, 3);
    assert_int_equal(b->nuops, 1);
    assert_int_equal(b->len, 3);
    assert_null(block_verify(b, toy.nslots, NULL));
    block_free(b);
}

static void checked(void **state)
{
    (void)state;
    const uint8_t code[] = {0x12, 0xaa, 0x32, 0xbb, 0x11};
    struct block *b = lift_block_as(&toy, 0x1000, code, sizeof code, 0, LIFT_CHECKED);
    assert_int_equal(b->uops[0].op, UOP_check_code);
    assert_int_equal(b->nuops, 3);
    assert_int_equal(b->len, 4);
    assert_memory_equal(b->code, code, 4);
    assert_int_equal(block_insn_of(b, 0), 0);
    assert_int_equal(block_insn_of(b, 2), 1);
    assert_null(block_verify(b, toy.nslots, NULL));
    block_free(b);
    assert_null(lift_block_as(&toy, 0x1000, code, 1, 0, LIFT_CHECKED));
}

static void temporaries(void **state)
{
    (void)state;
    struct lift l = {.guest = &toy};
    assert_int_equal(lift_temp(&l), CPU_TEMP_BASE);
    assert_int_equal(lift_vtemp(&l), CPU_TEMP_BASE + 2);
    assert_int_equal(lift_temp(&l), CPU_TEMP_BASE + 4);
    assert_int_equal(lift_temp(&l), CPU_TEMP_BASE + 5);
    assert_int_equal(lift_vtemp(&l), CPU_TEMP_BASE + 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_at_a_terminator),
        cmocka_unit_test(ends_before_what_is_cut_off),
        cmocka_unit_test(limits),
        cmocka_unit_test(checked),
        cmocka_unit_test(temporaries),
    };
    return cmocka_run_group_tests_name("guest/lift", tests, NULL, NULL);
}

/* Labels, jumps of both lengths, patch sites, padding, overflow: by running what was emitted, and by looking at
 * the bytes. */
#include "tests/unit.h"

#include "host/x64/emit.h"

#include <sys/mman.h>

static uint8_t *code;
static struct x64_emit em;
static struct x64_label labels[64];
static struct x64_reloc relocs[4];

static void begin(size_t size)
{
    x64_init(&em, code, size, x64_features());
    em.labels = labels;
    em.max_labels = 64;
    em.relocs = relocs;
    em.max_relocs = 4;
}

static long run(long a, long b)
{
    assert_false(em.overflow);
    assert_int_equal(mprotect(code, 65536, PROT_READ | PROT_EXEC), 0);
    long r = ((long (*)(long, long))(uintptr_t)code)(a, b);
    assert_int_equal(mprotect(code, 65536, PROT_READ | PROT_WRITE), 0);
    return r;
}

/* A loop, with a backward jump over a body of growing size: short and long forms, same sum. */
static void test_backward(void **state)
{
    (void)state;
    for (unsigned pad = 0; pad < 300; pad++) {
        begin(65536);
        unsigned top = x64_label(&em);
        x64_zero(&em, RAX);
        x64_bind(&em, top);
        uint32_t start = x64_offset(&em);
        x64_nop(&em, pad);
        x64_alu_rr(&em, X64_ADD, 8, RAX, RSI);
        x64_alu_ri(&em, X64_SUB, 8, RDI, 1);
        uint32_t at = x64_offset(&em);
        x64_jcc(&em, X64_NE, top);
        assert_int_equal(x64_offset(&em) - at, at + 2 - start <= 128 ? 2 : 6);
        x64_none(&em, X64_RET);
        assert_int_equal(run(5, 7), 35);
    }
}

/* Several forward jumps to one label, long and short mixed; each path must skip the trap. */
static void test_forward(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 6; which++) {
        begin(65536);
        unsigned out = x64_label(&em);
        x64_zero(&em, RAX);
        for (unsigned i = 0; i < 6; i++) {
            x64_alu_ri(&em, X64_CMP, 4, RDI, (int)i);
            if (i & 1)
                x64_jcc8(&em, X64_E, out);
            else
                x64_jcc(&em, X64_E, out);
            x64_alu_ri(&em, X64_ADD, 4, RAX, 10);
        }
        x64_none(&em, X64_UD2);
        x64_bind(&em, out);
        x64_none(&em, X64_RET);
        assert_false(em.far8);
        assert_int_equal(run((long)which, 0), which * 10);
    }
}

/* The border of a short forward jump, and that a jump beyond it is told and works when long. */
static void test_far8(void **state)
{
    (void)state;
    for (unsigned pad = 120; pad < 400; pad++) {
        bool far = pad > 127;
        for (unsigned again = 0; again < 2; again++) {
            begin(65536);
            em.no8 = again;
            unsigned out = x64_label(&em), other = x64_label(&em);
            x64_mov_ri(&em, RAX, 1);
            x64_jmp8(&em, out);
            x64_nop(&em, pad);
            x64_bind(&em, out);
            x64_none(&em, X64_RET);
            assert_int_equal(em.far8, far && !again);
            if (!em.far8)
                assert_int_equal(run(0, 0), 1);
            /* Two short jumps too far apart for the chain are told as well. */
            begin(65536);
            em.no8 = again;
            out = x64_label(&em);
            other = x64_label(&em);
            x64_jmp8(&em, out);
            x64_bind(&em, other);
            x64_nop(&em, pad + 200);
            x64_jmp8(&em, out);
            x64_bind(&em, out);
            assert_int_equal(em.far8, !again);
        }
    }
}

/* RIP-relative operands: to a label further on, with immediates behind the displacement, and to an offset. */
static void test_rip(void **state)
{
    (void)state;
    begin(65536);
    unsigned data = x64_label(&em), second = x64_label(&em);
    uint64_t v = 0x1111;
    x64_mov_rm(&em, 8, RAX, x64_mem_label(data));
    x64_alu_mi(&em, X64_CMP, 4, x64_mem_label(data), 0x1111);
    x64_setcc(&em, X64_E, RCX);
    x64_rr(&em, X64_MOVZX8, 4, RCX, RCX);
    x64_alu_rr(&em, X64_ADD, 8, RAX, RCX);
    x64_alu_mi(&em, X64_CMP, 8, x64_mem_label(second), 0x22222222);
    x64_setcc(&em, X64_E, RCX);
    x64_rr(&em, X64_MOVZX8, 4, RCX, RCX);
    x64_alu_rr(&em, X64_ADD, 8, RAX, RCX);
    x64_none(&em, X64_RET);
    x64_align(&em, 8);
    x64_bind(&em, data);
    x64_data(&em, &v, 8);
    x64_bind(&em, second);
    v = 0x22222222;
    x64_data(&em, &v, 8);
    assert_int_equal(run(0, 0), 0x1113);

    begin(65536);
    v = 0x5555;
    x64_data(&em, &v, 8);
    uint32_t entry = x64_offset(&em);
    x64_mov_rm(&em, 8, RAX, x64_mem_at(0));
    x64_none(&em, X64_RET);
    (void)entry;
    int32_t rel;
    memcpy(&rel, code + entry + 3, 4);
    assert_int_equal(rel, -(int32_t)(entry + 7));
}

/* A patch site's field never leaves 8 aligned bytes, wherever it starts, and it may be turned elsewhere. */
static void test_patch(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++)
        for (unsigned pad = 0; pad < 64; pad++) {
            begin(65536);
            unsigned a = x64_label(&em), b = x64_label(&em);
            uint32_t field;
            x64_nop(&em, pad);
            x64_test_rr(&em, 8, RDI, RDI);
            if (kind == 0)
                field = x64_jmp_patch(&em, a);
            else if (kind == 1)
                field = x64_jcc_patch(&em, X64_E, a);
            else
                field = x64_call_patch(&em, a);
            assert_true((field & 7) <= 4);
            x64_none(&em, X64_RET);
            x64_bind(&em, a);
            x64_mov_ri(&em, RAX, 1);
            x64_none(&em, X64_RET);
            x64_bind(&em, b);
            x64_mov_ri(&em, RAX, 2);
            x64_none(&em, X64_RET);
            assert_int_equal(run(0, 0), 1);
            int32_t rel = (int32_t)labels[b].pos - (int32_t)(field + 4);
            memcpy(code + field, &rel, 4);
            assert_int_equal(run(0, 0), 2);
        }
}

/* Padding of every length runs through. */
static void test_nops(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 80; n++) {
        begin(65536);
        x64_mov_ri(&em, RAX, n);
        x64_nop(&em, n);
        x64_align(&em, 64);
        assert_int_equal(x64_offset(&em) & 63, 0);
        x64_none(&em, X64_RET);
        assert_int_equal(run(0, 0), n);
    }
}

static void test_reloc(void **state)
{
    (void)state;
    begin(65536);
    x64_call_ext(&em, 3);
    x64_jcc_ext(&em, X64_B, 9);
    assert_int_equal(em.nrelocs, 2);
    assert_int_equal(relocs[0].off, 1);
    assert_int_equal(relocs[0].target, 3);
    assert_int_equal(relocs[1].off, 7);
    assert_int_equal(relocs[1].target, 9);
    for (unsigned i = 0; i < 4; i++)
        x64_jmp_ext(&em, 0);
    assert_true(em.overflow);
}

/* For every size of buffer: the bytes behind it stay, and the flag is set exactly when it was too small. */
static void test_overflow(void **state)
{
    (void)state;
    size_t whole = 0;
    for (size_t size = 400; size-- > 0;) {
        memset(code, 0xcc, 1024);
        begin(size);
        unsigned l = x64_label(&em), far = x64_label(&em);
        uint64_t v = 1;
        for (unsigned i = 0; i < 8; i++) {
            x64_mov_ri(&em, RAX, UINT64_MAX / 3);
            x64_mov_mi(&em, 8, x64_mem_idx(R12, R13, 8, 0x11223344), 0x55667788);
            x64_jcc(&em, X64_E, far);
            x64_jmp8(&em, l);
            x64_jmp_patch(&em, far);
            x64_v_rrr(&em, X64_SUBSD, XMM1, XMM2, XMM1);
        }
        x64_bind(&em, l);
        x64_bind(&em, far);
        x64_align(&em, 16);
        x64_data(&em, &v, 8);
        for (size_t i = size; i < 1024; i++)
            assert_int_equal(code[i], 0xcc);
        if (size == 399) {
            assert_false(em.overflow);
            whole = x64_offset(&em);
        } else if (size < whole) {
            assert_true(em.overflow);
        } else if (size >= whole + 16) {
            assert_false(em.overflow);
        }
    }
    assert_true(whole > 300 && whole < 400);
}

/* Too many labels is an overflow, and harmless. */
static void test_label_overflow(void **state)
{
    (void)state;
    begin(65536);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(x64_label(&em), i);
    assert_false(em.overflow);
    unsigned bad = x64_label(&em);
    assert_true(em.overflow);
    x64_jmp(&em, bad);
    x64_bind(&em, bad);
}

static int setup(void **state)
{
    (void)state;
    code = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return code == MAP_FAILED;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backward),       cmocka_unit_test(test_forward),
        cmocka_unit_test(test_far8),           cmocka_unit_test(test_rip),
        cmocka_unit_test(test_patch),          cmocka_unit_test(test_nops),
        cmocka_unit_test(test_reloc),          cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_label_overflow),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

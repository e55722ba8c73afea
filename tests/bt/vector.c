/* Every vector micro-op as translated code: the result must be that of its C meaning (uop/vec.h), on random and
 * special operands, in registers and in memory, and the slots around it stay as they are. Under the host's own
 * features and as on older hosts. */
#include "tests/unit.h"

#include "bt/bt.h"
#include "codecache/blocks.h"
#include "host/x64/features.h"
#include "tests/random.h"
#include "uop/fp.h"
#include "uop/vec.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Slots: two integers, the pc, and vectors of which the first six have home registers. */
enum { PC_SLOT = 2, V0 = 4, VECTORS = 10, NSLOTS = V0 + 2 * VECTORS, PC = 0x10000 };
#define V(n) (V0 + 2 * (n))

static const struct guest guest = {
    .name = "vectors",
    .nslots = NSLOTS,
    .zero_slot = GUEST_NO_SLOT,
    .pc_slot = PC_SLOT,
    .fp_first = GUEST_NO_SLOT,
    .fp_last = GUEST_NO_SLOT,
    .vec_first = V0,
    .vec_end = NSLOTS,
    .home_gpr = {0, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT,
                 GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT},
    .home_xmm = {V(0), V(1), V(2), V(3), V(4), V(5), GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT,
                 GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT},
};

static struct cpu *cpu;
static uint64_t rng = RANDOM_SEED;
static uint64_t rnd(void)
{
    return random_next(&rng);
}

/* Lanes that are alike, extreme, small, or anything. */
static uint64_t half(void)
{
    static const uint64_t special[] = {0,
                                       ~UINT64_C(0),
                                       UINT64_C(0x8000000000000000),
                                       UINT64_C(0x8000000080000000),
                                       UINT64_C(0x8000800080008000),
                                       UINT64_C(0x8080808080808080),
                                       UINT64_C(0x7f7f7f7f7f7f7f7f),
                                       UINT64_C(0x7fff7fff7fff7fff),
                                       UINT64_C(0x7fffffff7fffffff),
                                       UINT64_C(0x7fffffffffffffff),
                                       UINT64_C(0x0101010101010101),
                                       UINT64_C(0x0001000100010001)};
    switch (rnd() % 4) {
    case 0:
        return special[rnd() % (sizeof special / sizeof *special)];
    case 1: /* amounts of shifts, indexes */
        return rnd() & UINT64_C(0x1f1f1f1f1f1f1f1f);
    case 2:
        return -(rnd() & UINT64_C(0x0000000f0000000f));
    default:
        return rnd();
    }
}

static void meaning(const struct uop *u, const uint64_t *r, uint64_t *d)
{
    const uint64_t *a = &r[u->a], *b = &r[u->b], *c = &r[u->c];
    switch (u->op) {
#define UOP_V1(name, ...)             \
    case UOP_##name:                  \
        uop_vec_##name(d, a, u->imm); \
        return;
#define UOP_V2(name, ...)        \
    case UOP_##name:             \
        uop_vec_##name(d, a, b); \
        return;
#define UOP_VX(name, ...)                   \
    case UOP_##name:                        \
        uop_vec_##name(d, a, b, c, u->imm); \
        return;
#include "uop/uop_all.h"
    default:
        fail_msg("%s is no vector row", uop_info[u->op].name);
    }
}

/* The immediates that an operation may have: [0, n). */
static unsigned immediates(const struct uop_info *info)
{
    static const struct {
        const char *prefix;
        unsigned n;
    } known[] = {{"vshl_8", 8},   {"vshl_16", 16},   {"vshl_32", 32},   {"vshl_64", 64},
                 {"vsshr_8", 9},  {"vsshr_16", 17},  {"vsshr_32", 33},  {"vsshr_64", 65},
                 {"vushr_8", 9},  {"vushr_16", 17},  {"vushr_32", 33},  {"vushr_64", 65},
                 {"vsrshr_8", 9}, {"vsrshr_16", 17}, {"vsrshr_32", 33}, {"vsrshr_64", 65},
                 {"vurshr_8", 9}, {"vurshr_16", 17}, {"vurshr_32", 33}, {"vurshr_64", 65},
                 {"vext", 16},    {"vtbl", 64},      {"vtbx", 64},      {"vwiden_", 3},
                 {"vnarrow", 3},  {"vget", 64},      {"vset", 64},      {"vrep", 64},
                 {"vzip", 4},     {"vuzp", 4},       {"vtrn", 4},       {"vdup", 4},
                 {"vzext", 4},    {"vins", 16 << 8}, {"vshuf_32", 256}, {"vpmull_64", 18},
                 {"vsha1r4", 3},  {"vdot", 4}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncmp(info->name, known[i].prefix, strlen(known[i].prefix)))
            return known[i].n;
    return 1;
}

static bool valid(const struct uop_info *info, unsigned imm)
{
    if (!strcmp(info->name, "vins"))
        return (imm & 0xff) < 64 && (imm & 0xff) >> 2 < 16u >> (imm & 3) &&
               imm >> 8 < 16u >> (imm & 3) && (imm >> 8) % 3 == (imm >> 2) % 3;
    bool lane =
        !strcmp(info->name, "vget") || !strcmp(info->name, "vset") || !strcmp(info->name, "vrep");
    if (lane)
        return imm >> 2 < 16u >> (imm & 3);
    if (!strcmp(info->name, "vpmull_64"))
        return !(imm & ~0x11u);
    return imm || !strstr(info->name, "shr"); /* shifts to the right begin at 1 */
}

static void check(unsigned op, int64_t imm)
{
    const struct uop_info *info = &uop_info[op];
    /* Where operands and result lie: homes, memory, the same place. */
    static const uint8_t places[6][4] = {{0, 1, 2, 3}, {0, 0, 1, 0}, {1, 2, 0, 1},
                                         {2, 1, 0, 2}, {7, 8, 9, 8}, {6, 0, 7, 1}};
    for (unsigned k = 0; k < 6; k++) {
        uint8_t reg[4];
        const uint8_t kind[4] = {info->d, info->a, info->b, info->c};
        for (int i = 0; i < 4; i++)
            reg[i] = kind[i] == UOP_K_V   ? (uint8_t)V(places[k][i])
                     : kind[i] == UOP_K_I ? (uint8_t)(k & 1)
                                          : 0;
        struct block *b = block_new(2, 2);
        b->pc = PC;
        b->len = 8;
        b->uops[0] = (struct uop){
            .op = (uint16_t)op, .d = reg[0], .a = reg[1], .b = reg[2], .c = reg[3], .imm = imm};
        b->uops[1] = (struct uop){.op = UOP_exit, .imm = EXIT_SYSCALL};
        b->map[0] = (struct insn_map){0, 0};
        b->map[1] = (struct insn_map){1, 4};
        unsigned where;
        assert_null(block_verify(b, NSLOTS, &where));
        assert_ptr_equal(cc_insert(cpu, b), b);
        struct unit *u = bt_compile(cpu, b, 1 + (int)(k & 1));
        if (!u)
            fail_msg("%s is refused", info->name);
        for (unsigned n = 0; n < 12; n++) {
            uint64_t want[NSLOTS + 2], d[2] = {0, 0};
            for (unsigned i = 0; i < NSLOTS; i++)
                want[i] = cpu->r[i] = half();
            meaning(&b->uops[0], cpu->r, d);
            memcpy(&want[reg[0]], d, info->d == UOP_K_V ? 16 : 8);
            cpu->pending = 0;
            cc_unit_enter(cpu);
            cpu->in_engine = true;
            struct link *link = NULL;
            uint64_t left = cc_unit_left(cpu, cc_unit_run(cpu, u), &link);
            cpu->in_engine = false;
            assert_int_equal(left, EXIT_SYSCALL);
            want[PC_SLOT] = PC + 4;
            for (unsigned i = 0; i < NSLOTS; i++)
                if (cpu->r[i] != want[i])
                    fail_msg("%s, %d, places %u: slot %u is %#llx, not %#llx", info->name, (int)imm,
                             k, i, (unsigned long long)cpu->r[i], (unsigned long long)want[i]);
        }
        cc_unit_invalidate(0, UINT64_MAX);
        cc_invalidate(0, UINT64_MAX);
        cc_quiesce(cpu);
    }
}

static void all_rows(void **state)
{
    (void)state;
    unsigned rows = 0;
    for (unsigned op = 0; op < UOP_CODES; op++) {
        const struct uop_info *info = &uop_info[op];
        if ((info->flags & (UOP_F_VECTOR | UOP_F_PURE)) != (UOP_F_VECTOR | UOP_F_PURE))
            continue;
        rows++;
        for (unsigned imm = 0; imm < immediates(info); imm++)
            if (valid(info, imm))
                check(op, imm);
    }
    assert_true(rows > 150);
}

static void on(const char *features)
{
    const char *bad = NULL;
    assert_true(x64_features_init(features, &bad));
    all_rows(NULL);
    assert_true(x64_features_init("native", &bad));
}

static void without_avx2(void **state)
{
    (void)state;
    on("native,-avx2");
}

static void oldest_host(void **state)
{
    (void)state;
    on("x86-64-v2");
}

static void without_sse41(void **state)
{
    (void)state;
    on("x86-64");
}

static int setup(void **state)
{
    (void)state;
    cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    cpu->guest = &guest;
    cpu->res_addr = ~UINT64_C(0);
    fp_env_init(cpu);
    cc_cpu_add(cpu);
    cc_enter(cpu);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_leave(cpu);
    cc_cpu_remove(cpu);
    free(cpu);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_rows), cmocka_unit_test(without_avx2),
                                       cmocka_unit_test(oldest_host),
                                       cmocka_unit_test(without_sse41)};
    return cmocka_run_group_tests_name("bt/vector", tests, setup, teardown);
}

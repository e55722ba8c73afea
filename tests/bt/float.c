/* Every floating-point micro-op, of scalars and of vectors, as translated code: value and flags must be those of fp_soft, which
 * tests/uop holds against MPFR, for Arm's rules (FP_ENV). On random operands that lean to the formats' edges, in all
 * rounding modes, with sticky flags set before or not; by traps and by looking at results; under the host's own features and as on
 * older hosts. A process for each set of features, as code that enters units is made once.
 *
 * The number of runs per case is the first argument, or few. */
#include "tests/unit.h"

#include "bt/bt.h"
#include "codecache/blocks.h"
#include "codecache/code.h"
#include "codecache/trap.h"
#include "host/x64/features.h"
#include "tests/random.h"
#include "uop/fp.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Slots: two integers, the pc, and vectors of which the first four have home registers. Scalars are vectors' low halves. */
enum { PC_SLOT = 2, V0 = 4, VECTORS = 8, NSLOTS = V0 + 2 * VECTORS, PC = 0x10000 };
#define V(n) (V0 + 2 * (n))

static const struct guest guest = {
    .name = "floats",
    .nslots = NSLOTS,
    .zero_slot = GUEST_NO_SLOT,
    .pc_slot = PC_SLOT,
    .fp_env = true,
    .fp_first = GUEST_NO_SLOT,
    .fp_last = GUEST_NO_SLOT,
    .vec_first = V0,
    .vec_end = NSLOTS,
    .home_gpr = {0, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT,
                 GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT},
    .home_xmm = {V(0), V(1), V(2), V(3), GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT,
                 GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT, GUEST_NO_SLOT},
};

static struct cpu *cpu;
static unsigned runs = 10;
static uint64_t rng = RANDOM_SEED;
static uint64_t rnd(void)
{
    return random_next(&rng);
}

/* ---- the rows ---- */

/* What an operand or a result is: a float of so many bits, or an integer. */
enum what { INTEGER, F16, F32, F64, BF16 };

/* Of a vector's row: the scalar one, bits of lanes. mask: the truth as ones. */
static const struct row {
    uint16_t scalar;
    uint8_t from, to;
    bool vector, mask;
} rows[UOP_CODES] = {
#define UOP_F1(name, T, ...) [UOP_##name] = {UOP_##name, 64, 64, false, false},
#define UOP_F2(name, T, ...) [UOP_##name] = {UOP_##name, 64, 64, false, false},
#define UOP_F3(name, T, ...) [UOP_##name] = {UOP_##name, 64, 64, false, false},
#define UOP_FC(name, T, ...) [UOP_##name] = {UOP_##name, 64, 64, false, false},
#define UOP_CV(name, D, S, ...) [UOP_##name] = {UOP_##name, 64, 64, false, false},
#define UOP_VF1(name, scalar, S, D) [UOP_##name] = {UOP_##scalar, S, D, true, false},
#define UOP_VF2(name, scalar, S, D) [UOP_##name] = {UOP_##scalar, S, D, true, false},
#define UOP_VF3(name, scalar, S, D) [UOP_##name] = {UOP_##scalar, S, D, true, false},
#define UOP_VFC(name, scalar, S) [UOP_##name] = {UOP_##scalar, S, S, true, true},
#include "uop/uop_all.h"
};

/* Operands and result of a scalar row. */
static const struct types {
    uint8_t d, a, c;
    const char *to, *from; /* of a conversion: the types' names */
} types[UOP_CODES] = {
#define T_f16 F16
#define T_f32 F32
#define T_f64 F64
#define T_bf16 BF16
#define T_s16 INTEGER
#define T_u16 INTEGER
#define T_s32 INTEGER
#define T_u32 INTEGER
#define T_m32 INTEGER
#define T_s64 INTEGER
#define T_u64 INTEGER
#define UOP_F1(name, T, ...) [UOP_##name] = {T_##T, T_##T, T_##T, "", ""},
#define UOP_F2(name, T, ...) [UOP_##name] = {T_##T, T_##T, T_##T, "", ""},
#define UOP_F3(name, T, ...) [UOP_##name] = {T_##T, T_##T, T_##T, "", ""},
#define UOP_FC(name, T, ...) [UOP_##name] = {INTEGER, T_##T, T_##T, "", ""},
#define UOP_CV(name, D, S, ...) [UOP_##name] = {T_##D, T_##S, T_##S, #D, #S},
#include "uop/uop_all.h"
};

static const struct {
    unsigned p, bits;
    uint64_t inf;
} format[] = {
    [F16] = {11, 16, 0x7c00},
    [F32] = {24, 32, 0x7f800000},
    [F64] = {53, 64, UINT64_C(0x7ff0000000000000)},
    [BF16] = {8, 16, 0x7f80},
};

/* ---- operands ---- */

/* A float: near the edges of the format, near what integers end at, near another one, anything; seldom a NaN unless nans. */
static uint64_t number(enum what f, uint64_t other, bool nans)
{
    unsigned p = format[f].p, bits = format[f].bits;
    uint64_t sign = UINT64_C(1) << (bits - 1), frac = (UINT64_C(1) << (p - 1)) - 1;
    uint64_t one = format[f].inf / 2 & ~frac, v, r = rnd();
    switch (rnd() % 12) {
    case 0: {
        const uint64_t special[] = {0,
                                    1,
                                    frac,
                                    frac + 1,
                                    frac + 2,
                                    one,
                                    one + 1,
                                    one - 1,
                                    one + (frac + 1) / 2,
                                    0,
                                    one - frac - 1,
                                    one - frac,
                                    one - frac - 2};
        v = special[r % (sizeof special / sizeof *special)];
        break;
    }
    case 1:
        v = format[f].inf - 1 - r % 4;
        break;
    case 2: /* subnormal, or nearly */
        v = r % (4 * (frac + 1));
        break;
    case 3: /* around the powers of two where integers end, and their halves */
    {
        static const int powers[] = {15, 16, 31, 32, 52, 53, 63, 64, 24, -1, 0, 10, 11};
        uint64_t e = one + ((uint64_t)(int64_t)powers[r % 13] << (p - 1));
        v = (e < format[f].inf ? e : one) + (rnd() % 5) - 2;
        break;
    }
    case 4: /* an integer, or half of one */
        v = one + ((r % 16) << (p - 1)) + (rnd() & frac & ~(frac >> (rnd() % 12)));
        break;
    case 5:
        v = other + (r % 5) - 2;
        break;
    case 6: /* the significands of products that round up to a power of two */
        v = (r & ~frac) | (frac - rnd() % 8);
        break;
    case 7: /* of the exponents about one */
        v = one + (r % (24 * (frac + 1))) - 12 * (frac + 1);
        break;
    case 8: /* products and quotients about the least normal number */
        v = (frac + 1) + one - (other & ~sign) + (r % 9) - 4;
        break;
    default:
        v = r;
    }
    v &= sign - 1;
    if (v >= format[f].inf && !nans)
        v = rnd() % 8 ? v & (format[f].inf >> 1 | frac) : format[f].inf;
    return (v & (sign - 1)) | (rnd() % 3 ? 0 : sign);
}

static uint64_t integer(void)
{
    unsigned n = (unsigned)(rnd() % 64);
    switch (rnd() % 4) {
    case 0:
        return (UINT64_C(1) << n) + rnd() % 5 - 2;
    case 1:
        return -(rnd() >> n);
    default:
        return rnd() >> n;
    }
}

static uint64_t value(enum what w, uint64_t other, bool nans)
{
    return w == INTEGER ? integer() : number(w, other, nans);
}

/* 16 bytes of lanes. */
static void lanes(uint64_t *v, enum what w, unsigned bits, const uint64_t *other, bool nans)
{
    for (unsigned i = 0; i < 128 / bits; i++) {
        uint64_t o = 0, x;
        memcpy(&o, (const char *)other + i * (bits / 8), bits / 8);
        x = value(w, o, nans);
        memcpy((char *)v + i * (bits / 8), &x, bits / 8);
    }
}

/* ---- what is right ---- */

static unsigned flags;

static uint64_t soft(unsigned op, unsigned imm, uint64_t a, uint64_t b, uint64_t c)
{
    if ((imm & FP_RM_MASK) == FP_DYN)
        imm = (imm & ~(unsigned)FP_RM_MASK) | cpu->frm;
    return fp_soft(op, a, b, c, imm | cpu->fp_rules, &flags);
}

static void meaning(unsigned op, unsigned imm, const uint64_t *a, const uint64_t *b,
                    const uint64_t *c, uint64_t *d)
{
    const struct row *r = &rows[op];
    d[0] = d[1] = 0;
    if (!r->vector) {
        *d = soft(r->scalar, imm, *a, *b, *c);
        return;
    }
    unsigned n = 128u / (r->from > r->to ? r->from : r->to);
    for (unsigned i = 0; i < n; i++) {
        uint64_t x = 0, y = 0, z = 0, v;
        memcpy(&x, (const char *)a + i * (r->from / 8u), r->from / 8u);
        memcpy(&y, (const char *)b + i * (r->from / 8u), r->from / 8u);
        memcpy(&z, (const char *)c + i * (r->to / 8u), r->to / 8u);
        v = soft(r->scalar, imm, x, y, z);
        v = r->mask ? -v : v;
        memcpy((char *)d + i * (r->to / 8u), &v, r->to / 8u);
    }
}

/* ---- a block, as a lifter makes it ---- */

/* The operand of a scalar operation in slot s: narrow floats are extended before. Its unit. */
static uint8_t scalar_operand(struct uop *u, unsigned *n, enum what w, uint8_t s)
{
    if (w == INTEGER || w == F64)
        return s;
    uint8_t t = (uint8_t)(CPU_TEMP_BASE + *n);
    u[(*n)++] = (struct uop){.op = w == F32 ? UOP_zext32 : UOP_zext16, .d = t, .a = s};
    return t;
}

enum { LONGEST = 7 };
static struct block *make(unsigned op, int64_t imm, const uint8_t reg[4])
{
    struct uop all[LONGEST];
    const struct row *r = &rows[op];
    const struct types *t = &types[r->scalar];
    unsigned n = 0;
    struct uop u = {.op = (uint16_t)op, .d = reg[0], .imm = imm};
    const struct uop_info *info = &uop_info[op];
    u.a = r->vector ? reg[1] : scalar_operand(all, &n, t->a, reg[1]);
    if (info->b)
        u.b = r->vector ? reg[2] : scalar_operand(all, &n, t->a, reg[2]);
    if (info->c)
        u.c = r->vector ? reg[3] : scalar_operand(all, &n, t->c, reg[3]);
    if (!r->vector)
        u.d = CPU_TEMP_BASE + 8;
    all[n++] = u;
    if (!r->vector)
        all[n++] = (struct uop){.op = UOP_mov_64, .d = reg[0], .a = u.d};
    if (!r->vector && t->d != INTEGER)
        all[n++] = (struct uop){.op = UOP_movi, .d = (uint8_t)(reg[0] + 1)};
    all[n++] = (struct uop){.op = UOP_exit, .imm = EXIT_SYSCALL};
    struct block *b = block_new(n, 2);
    memcpy(b->uops, all, n * sizeof *all);
    b->pc = PC;
    b->len = 8;
    b->map[0] = (struct insn_map){0, 0};
    b->map[1] = (struct insn_map){(uint16_t)(n - 1), 4};
    return b;
}

static void check(unsigned op, int64_t imm)
{
    /* Where operands and result lie: homes, memory, the same place. */
    static const uint8_t places[5][4] = {
        {0, 1, 2, 3}, {0, 0, 1, 2}, {1, 2, 1, 0}, {6, 4, 5, 7}, {5, 0, 5, 1}};
    const struct row *r = &rows[op];
    const struct types *t = &types[r->scalar];
    static const unsigned rules[] = {0, 0, 0, FP_FZ, FP_DN, FP_FZ | FP_DN, FP_FZ16, FP_AHP};
    for (unsigned k = 0; k < 10; k++) {
        unsigned rule = rules[rnd() % 8];
        /* Where units flush, lifters make operands of comparisons zeros before. */
        if (!fp_units_flush || (t->d == INTEGER && !*t->to))
            rule &= ~(unsigned)FP_FZ;
        fp_env_set_mode(cpu, FP_RNE | rule);
        cc_take_rules(cpu);
        uint8_t reg[4];
        enum what w[4] = {t->d, t->a, t->a, t->c};
        if (r->scalar == UOP_ffmah_f32)
            w[1] = w[2] = F16;
        for (int i = 0; i < 4; i++)
            reg[i] =
                !r->vector && w[i] == INTEGER ? places[k % 5][i] & 1 : (uint8_t)V(places[k % 5][i]);
        struct block *b = make(op, imm, reg);
        b->flags |= BLOCK_FP | (k >= 5 ? BLOCK_FP_LOOK : 0);
        unsigned where;
        assert_null(block_verify(b, NSLOTS, &where));
        assert_ptr_equal(cc_insert(cpu, b), b);
        struct unit *unit = bt_compile(cpu, b, 1 + (int)(k & 1));
        if (!unit)
            fail_msg("%s is refused", uop_info[op].name);
        for (unsigned n = 0; n < runs; n++) {
            static const unsigned before[] = {0, 0, FP_NX, FP_UF, FP_NX | FP_UF, 31};
            uint64_t want[NSLOTS + 2], d[2];
            bool nans = rnd() % 8 == 0;
            unsigned sticky = before[rnd() % 6];
            for (unsigned i = 0; i < NSLOTS; i++)
                cpu->r[i] = integer();
            for (int i = 1; i < 4; i++) {
                unsigned bits = !r->vector ? 64u : i == 3 ? r->to : r->from;
                if (!r->vector && w[i] != INTEGER)
                    bits = format[w[i]].bits;
                if (r->vector || w[i] != INTEGER)
                    lanes(&cpu->r[reg[i]], w[i], bits, &cpu->r[reg[1]], nans);
            }
            fp_env_set_mode(cpu, (unsigned)(rnd() % 4) | rule);
            fp_env_set_flags(cpu, sticky);
            cpu->fp_denormal = rnd() % 2;
            memcpy(want, cpu->r, sizeof want);
            uint64_t x[3][2];
            for (int i = 0; i < 3; i++) {
                memcpy(x[i], &cpu->r[reg[i + 1]], 16);
                if (!r->vector && w[i + 1] != INTEGER)
                    x[i][0] &= ~UINT64_C(0) >> (64 - format[w[i + 1]].bits);
            }
            flags = sticky | (cpu->fp_denormal ? FP_ID : 0);
            meaning(op, (unsigned)imm, x[0], x[1], x[2], d);
            memcpy(&want[reg[0]], d, r->vector || t->d != INTEGER ? 16 : 8);
            cpu->pending = 0;
            cc_unit_enter(cpu);
            cpu->in_engine = true;
            struct link *link = NULL;
            uint64_t left = cc_unit_left(cpu, cc_unit_run(cpu, unit), &link);
            cpu->in_engine = false;
            assert_int_equal(left, EXIT_SYSCALL);
            want[PC_SLOT] = PC + 4;
            for (unsigned i = 0; i < NSLOTS; i++)
                if (cpu->r[i] != want[i])
                    fail_msg(
                        "%s, %#x, places %u, mode %#x: slot %u is %#llx, not %#llx; of %#llx:%#llx "
                        "%#llx:%#llx %#llx:%#llx",
                        uop_info[op].name, (unsigned)imm, k, cpu->frm | cpu->fp_rules, i,
                        (unsigned long long)cpu->r[i], (unsigned long long)want[i],
                        (unsigned long long)x[0][1], (unsigned long long)x[0][0],
                        (unsigned long long)x[1][1], (unsigned long long)x[1][0],
                        (unsigned long long)x[2][1], (unsigned long long)x[2][0]);
            unsigned got = fp_env_flags(cpu) | (cpu->fp_denormal ? FP_ID : 0);
            if (got != flags)
                fail_msg("%s, %#x, places %u, mode %#x: flags are %#x, not %#x; before %#x; of "
                         "%#llx:%#llx %#llx:%#llx %#llx:%#llx",
                         uop_info[op].name, (unsigned)imm, k, cpu->frm | cpu->fp_rules, got, flags,
                         sticky, (unsigned long long)x[0][1], (unsigned long long)x[0][0],
                         (unsigned long long)x[1][1], (unsigned long long)x[1][0],
                         (unsigned long long)x[2][1], (unsigned long long)x[2][0]);
        }
        cc_unit_invalidate(0, UINT64_MAX);
        cc_invalidate(0, UINT64_MAX);
        cc_quiesce(cpu);
    }
}

/* Of the integer side of a conversion with a binary point; 0: of none. */
static unsigned width(const struct types *t)
{
    const char *n = t->d == INTEGER ? t->to : t->a == INTEGER ? t->from : "";
    return *n == 's' || *n == 'u' ? (unsigned)atoi(n + 1) : 0;
}

static void check_modes(unsigned op)
{
    const struct row *r = &rows[op];
    const struct types *t = &types[r->scalar];
    const struct uop_info *info = &uop_info[r->scalar];
    if (op == UOP_cvt_f64_m32 || r->mask) {
        check(op, r->mask ? 0 : FP_RTZ | FP_ENV);
        return;
    }
    if (!(info->flags & UOP_F_RM)) {
        check(op, info->flags & UOP_F_IMM ? FP_ENV : 0);
        return;
    }
    /* What lifters ask for: a given mode of conversions to integers and of roundings alone. */
    bool to_integer = *t->to && t->d == INTEGER;
    bool fixed = to_integer || strstr(info->name, "fround");
    for (unsigned rm = FP_RNE; rm <= (fixed ? FP_RMM : 0); rm++)
        check(op, (int64_t)(rm | FP_ENV));
    check(op, FP_DYN | FP_ENV);
    for (unsigned n = width(t); n; n = n == 1 ? 0 : n / 2 - (n / 2 > 1))
        check(op, (int64_t)((to_integer ? FP_RTZ : FP_DYN) | FP_ENV | FP_FBITS(n)));
}

static void all_rows(void)
{
    unsigned n = 0;
    for (unsigned op = 0; op < UOP_CODES; op++) {
        if (!rows[op].scalar || strstr(uop_info[op].name, "flush"))
            continue;
        n++;
        check_modes(op);
    }
    assert_true(n > 150);
}

/* ---- processes ---- */

static void on_trap(int sig, siginfo_t *info, void *uc)
{
    (void)info;
    if (cc_trap(cpu, uc))
        return;
    static const char text[] = "a trap of no operation\n";
    (void)!write(2, text, sizeof text - 1);
    signal(sig, SIG_DFL);
}

static const char *features;

static void all_rows_on(void **state)
{
    (void)state;
    const char *bad = NULL;
    static char stack[65536];
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    assert_true(x64_features_init(features, &bad));
    sigaltstack(&alt, NULL);
    sigaction(SIGFPE, &sa, NULL);
    cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    cpu->guest = &guest;
    cpu->res_addr = ~UINT64_C(0);
    fp_env_init(cpu);
    cc_cpu_add(cpu);
    cc_enter(cpu);
    all_rows();
    cc_leave(cpu);
    cc_cpu_remove(cpu);
    free(cpu);
}

int main(int argc, char **argv)
{
    static const char *const hosts[] = {"native", "native,-avx2,-f16c,-fma", "x86-64-v2", "x86-64"};
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_rows_on)};
    int failed = 0;
    if (argc > 1)
        runs = (unsigned)atoi(argv[1]);
    if (argc > 2)
        rng ^= strtoull(argv[2], NULL, 0) * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        features = hosts[i];
        fflush(NULL);
        pid_t pid = fork();
        if (!pid)
            exit(cmocka_run_group_tests_name(features, tests, NULL, NULL));
        int status;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
            failed++;
    }
    return failed;
}

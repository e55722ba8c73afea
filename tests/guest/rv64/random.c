/* Random instruction blocks, compared between two ways of running them.
 *
 *   random [-s SEED] [-b BLOCKS] [-n INSNS] [-a CMD] [-o CMD] [-q]
 *       makes BLOCKS blocks of INSNS random units each, runs them by CMD of -o (the other emulator)
 *       and by CMD of -a, or in this process through lifter and interpreter where -a is not given,
 *       and compares all registers, fcsr, memory and traps after each block. The first blocks that
 *       differ are minimised and printed with what differs. Status 1 when there is one.
 *   random -f -a CMD ...           some accesses fault
 *   random -r TIMES ...            each block runs TIMES times, for engines that translate what is hot
 *   random -s SEED -i INDEX ...    the same for one block alone
 *   random -s SEED [-b ...] -w FILE    only writes the program
 *   random -s SEED -g COUNT -o CMD     prints COUNT cases for each row in the form of cases.txt,
 *                                      with what the other emulator makes of them
 *
 * A block depends on SEED and its index alone. Each row of the decode table is drawn (rows never
 * drawn are printed, and are an error when there are 20000 units or more); a unit is the instruction
 * with what it needs: address set-up before a memory access, a store-conditional after a
 * load-reserved, the target of a jump; or a call and its return. Units can be left out one by one,
 * which is how a block is minimised.
 */
#include "guest/rv64/rv64.h"
#include "tests/guest/rv64/prog.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_UNITS 256
#define UNIT_SIZE 24 /* bytes at most */
#define MAX_SHOWN 5

/* ---- random numbers (xorshift64*, seeded through splitmix64) ---- */

static uint64_t rng;

static uint64_t mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t rnd(void)
{
    rng ^= rng >> 12;
    rng ^= rng << 25;
    rng ^= rng >> 27;
    return rng * UINT64_C(2685821657736338717);
}

static unsigned below(unsigned n)
{
    return (unsigned)((rnd() >> 32) * n >> 32);
}
static bool one_in(unsigned n)
{
    return below(n) == 0;
}

/* ---- values ---- */

static uint64_t int_value(void)
{
    static const uint64_t special[] = {0,
                                       1,
                                       2,
                                       ~UINT64_C(0),
                                       ~UINT64_C(1),
                                       INT64_MAX,
                                       (uint64_t)INT64_MIN,
                                       INT64_MAX - 1,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       UINT64_C(0xffffffff80000000),
                                       UINT64_C(0xffffffff7fffffff),
                                       UINT64_C(0x100000000),
                                       0x7f,
                                       0x80,
                                       0xff,
                                       0x7fff,
                                       0x8000,
                                       63,
                                       64,
                                       31,
                                       32};
    switch (below(4)) {
    case 0:
        return special[below(sizeof special / sizeof special[0])];
    case 1:
        return rnd() >> below(64);
    case 2:
        return (uint64_t)((int64_t)rnd() >> below(64));
    default:
        return rnd();
    }
}

/* A float of the given widths: zeros, infinities, NaNs, subnormals, the ends of the ranges, numbers
 * around a rounding or conversion limit, and anything. */
static uint64_t float_value(unsigned exp_bits, unsigned frac_bits)
{
    uint64_t frac_max = (UINT64_C(1) << frac_bits) - 1, exp_max = (UINT64_C(1) << exp_bits) - 1;
    uint64_t bias = exp_max >> 1, sign = rnd() & 1, exp, frac;
    switch (below(4)) {
    case 0:
        frac = 0;
        break;
    case 1:
        frac = frac_max;
        break;
    case 2:
        frac = UINT64_C(1) << below(frac_bits);
        break;
    default:
        frac = rnd() & frac_max;
    }
    switch (below(10)) {
    case 0:
        exp = 0; /* zero and subnormals */
        break;
    case 1:
        exp = exp_max; /* infinity and NaNs */
        if (one_in(2))
            frac = 0;
        break;
    case 2:
        exp = exp_max - 1 - below(2);
        break;
    case 3:
        exp = 1 + below(2);
        break;
    case 4:
    case 5:
        exp = bias + below(4) - 1;
        break;
    case 6:
    case 7:
        exp = bias + below(70) - 3; /* around integers and their limits */
        break;
    default:
        exp = rnd() & exp_max;
    }
    if (exp > exp_max)
        exp = exp_max;
    return sign << (exp_bits + frac_bits) | exp << frac_bits | frac;
}

static uint64_t fp_register(void)
{
    uint64_t v;
    switch (below(8)) {
    case 0:
        return rnd(); /* badly boxed for the narrow formats */
    case 1:
    case 2:
        v = float_value(5, 10) | UINT64_C(0xffffffffffff0000);
        break;
    case 3:
    case 4:
        v = float_value(8, 23) | UINT64_C(0xffffffff00000000);
        break;
    default:
        v = float_value(11, 52);
    }
    return v;
}

/* ---- units ---- */

struct unit {
    unsigned row; /* the one that it was made for */
    unsigned len;
    uint8_t code[UNIT_SIZE];
    int jump_at;   /* offset of the branch to patch, or -1 */
    int jump_skip; /* units it jumps over */
};

static struct unit units[MAX_UNITS];
static uint64_t drawn[RV64_NROWS];

static void put(struct unit *u, uint32_t w, unsigned len)
{
    memcpy(u->code + u->len, &w, len);
    u->len += len;
}

static uint32_t addi(unsigned rd, unsigned rs, int imm)
{
    return 0x13 | rd << 7 | rs << 15 | (uint32_t)imm << 20;
}

static bool has(const struct rv64_row *r, char letter)
{
    return strchr(r->text, letter) != NULL;
}
static bool lifts(const struct rv64_row *r, rv64_lifter *l)
{
    return r->lift == l;
}

static bool is_amo(const struct rv64_row *r)
{
    return !strncmp(r->text + strlen(r->text) - (strlen(r->text) >= 3 ? 3 : 0), "(s)", 3) &&
           !has(r, 'i');
}

/* Random bits for everything that the row leaves open, with likely choices made likelier; the
 * narrower row that the word may belong to is drawn on its own. */
static uint32_t draw_word(unsigned row, struct rv64_insn *in)
{
    const struct rv64_row *r = &rv64_rows[row];
    for (;;) {
        uint32_t w = ((uint32_t)rnd() & ~r->mask) | r->match;
        if (lifts(r, rv64_lift_csr) || lifts(r, rv64_lift_csri)) {
            static const uint32_t csrs[] = {1, 2, 3, 1, 2, 3, 1, 3, 0xc00, 0xc01, 0xc02, 0x800};
            w = (w & 0xfffff) | csrs[below(12)] << 20;
        }
        if (has(r, 'm') && (one_in(2) || (w >> 12 & 7) == 5 || (w >> 12 & 7) == 6) && !one_in(40))
            w |= 7 << 12;
        if (r->bits == 16 ? rv64_decode16((uint16_t)w, in) != row : rv64_decode32(w, in) != row)
            continue;
        if (has(r, 'd') && in->rd == 3)
            continue;
        if (lifts(r, rv64_lift_amocas_q) && in->rd == 2)
            continue;
        return w;
    }
}

/* An offset of scratch memory, from x3, for an access of size bytes with displacement imm. */
static int pick_offset(unsigned align)
{
    return -(int)(below(PROG_SCRATCH / align) + 1) * (int)align;
}

static bool with_faults, with_partners = true;

/* Point register r at nothing, or at the program's text, which may only be read; false, and nothing
 * done, most of the time. Not drawn, as there is no comparing with qemu: misaligned atomics (it dies
 * of them), addresses beyond the host's (it reports 0), and store-conditional without a reservation
 * (it checks the address first, which the manual leaves open). */
static bool put_bad_address(struct unit *u, unsigned r)
{
    if (!with_faults || !one_in(10))
        return false;
    put(u, 0x37 | r << 7 | (one_in(2) ? 0x30001000 : 0x10000000), 4); /* lui */
    return true;
}

/* Point register r at x3 + off. */
static void put_address(struct unit *u, unsigned r, int off)
{
    if (off < -2048 || off > 2047) {
        put(u, addi(r, 3, off / 2), 4);
        put(u, addi(r, r, off - off / 2), 4);
    } else {
        put(u, addi(r, 3, off), 4);
    }
}

static void draw_access(struct unit *u, unsigned row)
{
    const struct rv64_row *r = &rv64_rows[row];
    struct rv64_insn in;
    uint32_t w;
    for (;;) {
        w = draw_word(row, &in);
        int off = one_in(8) ? -(int)(16 + below(PROG_SCRATCH - 16)) : pick_offset(8);
        if (in.rs1 == 3) {
            if (in.imm < -PROG_SCRATCH || in.imm > -8)
                continue;
        } else if (in.rs1 == 0) {
            continue;
        } else {
            if (off > -8)
                continue;
            if (!put_bad_address(u, in.rs1))
                put_address(u, in.rs1, off - (int)in.imm);
        }
        break;
    }
    put(u, w, r->bits / 8);
}

static void draw_amo(struct unit *u, unsigned row)
{
    const struct rv64_row *r = &rv64_rows[row];
    struct rv64_insn in;
    uint32_t w;
    do
        w = draw_word(row, &in);
    while (in.rs1 == 0 || in.rs1 == 3 || (lifts(r, rv64_lift_amocas_q) && in.rs1 == 2));
    bool is_lr = r->arg == UOP_ll_32 || r->arg == UOP_ll_64;
    while (is_lr && in.rd == in.rs1)
        w = draw_word(row, &in), in.rd += in.rs1 == 0 || in.rs1 == 3 ? in.rs1 - in.rd : 0;
    bool is_sc = r->arg == UOP_sc_32 || r->arg == UOP_sc_64;
    bool bad = !is_sc && put_bad_address(u, in.rs1);
    if (!bad)
        put_address(u, in.rs1, pick_offset(lifts(r, rv64_lift_amocas_q) ? 16 : 8));
    /* Equal values make a compare-and-swap store: sometimes load the value first. */
    bool is_cas = lifts(r, rv64_lift_cas32) || lifts(r, rv64_lift_cas64);
    if (is_cas && in.rd != in.rs1 && one_in(2))
        put(u, 0x03 | (lifts(r, rv64_lift_cas32) ? 2u : 3u) << 12 | in.rd << 7 | in.rs1 << 15, 4);
    put(u, w, 4);
    if (is_lr && !bad) {
        unsigned f3 = r->arg == UOP_ll_32 ? 2 : 3, rd, rs2 = below(32);
        do
            rd = below(32);
        while (rd == 3);
        if (one_in(4)) /* elsewhere: fails */
            put(u, addi(in.rs1, in.rs1, in.rs1 & 1 ? 8 : -8), 4);
        put(u, 0x1800002f | rs2 << 20 | in.rs1 << 15 | f3 << 12 | rd << 7, 4);
    }
}

static void draw_jump(struct unit *u, unsigned row)
{
    const struct rv64_row *r = &rv64_rows[row];
    struct rv64_insn in;
    uint32_t w;
    u->jump_skip = 1 + (int)below(3);
    do
        w = draw_word(row, &in);
    while (lifts(r, rv64_lift_jalr) &&
           (in.rs1 == 0 || in.rs1 == 3 || in.imm < -1000 || in.imm > 1000));
    if (lifts(r, rv64_lift_jalr)) {
        put(u, 0x17 | in.rs1 << 7, 4);
        put(u, addi(in.rs1, in.rs1, 0), 4); /* patched */
    }
    u->jump_at = (int)u->len;
    put(u, w, r->bits / 8);
}

/* After a constant in register r, an instruction with an immediate that reads it: such pairs are lifted
 * together. */
static void put_partner(struct unit *u, unsigned r)
{
    for (;;) {
        unsigned row = 1 + below(RV64_NROWS - 1);
        const struct rv64_row *p = &rv64_rows[row];
        struct rv64_insn in;
        if (p->bits != 32 ||
            !(lifts(p, rv64_lift_ri) || lifts(p, rv64_lift_addi) || lifts(p, rv64_lift_addiw)))
            continue;
        uint32_t w = (draw_word(row, &in) & ~(31u << 15)) | r << 15;
        if (one_in(2))
            w = (w & ~(31u << 7)) | r << 7;
        if (rv64_decode32(w, &in) != row)
            continue;
        put(u, w, 4);
        return;
    }
}

/* A call of a function of one instruction behind a jump over it; now and then it returns elsewhere
 * than behind the call. */
static void draw_call(struct unit *u)
{
    unsigned link = one_in(3) ? 5 : 1, row;
    struct rv64_insn in;
    uint32_t w;
    do {
        row = 1 + below(RV64_NROWS - 1);
        w = draw_word(row, &in);
    } while (rv64_rows[row].bits != 32 || !lifts(&rv64_rows[row], rv64_lift_rr) || in.rd == link);
    put(u, 0x0080006f | link << 7, 4); /* jal link, . + 8 */
    put(u, 0x0100006f, 4);             /* j . + 16 */
    put(u, one_in(4) ? addi(link, link, 16) : w, 4);
    put(u, 0x67 | link << 15, 4); /* jr link */
    put(u, addi(6, 6, 1), 4);     /* not reached */
}

static unsigned pick_row(void)
{
    unsigned row;
    const struct rv64_row *r;
    do {
        row = 1 + below(RV64_NROWS - 1);
        r = &rv64_rows[row];
    } while ((lifts(r, rv64_lift_exit) || lifts(r, rv64_lift_illegal)) &&
             (r->arg == EXIT_SYSCALL || !one_in(8)));
    return row;
}

static void draw_unit(struct unit *u, unsigned row)
{
    const struct rv64_row *r = &rv64_rows[row];
    *u = (struct unit){.row = row, .jump_at = -1};
    if (with_partners && one_in(40)) {
        draw_call(u);
        return;
    }
    drawn[row]++;
    if (lifts(r, rv64_lift_jal) || lifts(r, rv64_lift_jalr) || lifts(r, rv64_lift_branch)) {
        draw_jump(u, row);
    } else if (is_amo(r)) {
        draw_amo(u, row);
    } else if (has(r, '(') && !lifts(r, rv64_lift_nop)) {
        draw_access(u, row);
    } else {
        struct rv64_insn in;
        uint32_t w = draw_word(row, &in);
        put(u, w, r->bits / 8);
        bool csr = lifts(r, rv64_lift_csr) || lifts(r, rv64_lift_csri);
        if ((lifts(r, rv64_lift_lui) || lifts(r, rv64_lift_auipc)) && in.rd && with_partners &&
            one_in(2))
            put_partner(u, in.rd);
        if (csr && in.imm >= 0xc00 && in.rd) /* what a clock says is not compared */
            put(u, addi(in.rd, 0, 0), 4);
    }
}

/* ---- blocks ---- */

static uint32_t btype_imm(uint32_t i)
{
    return (i >> 11 & 1) << 7 | (i >> 1 & 15) << 8 | (i >> 5 & 63) << 25 | (i >> 12 & 1) << 31;
}

static uint32_t jtype_imm(uint32_t i)
{
    return (i >> 12 & 255) << 12 | (i >> 11 & 1) << 20 | (i >> 1 & 1023) << 21 |
           (i >> 20 & 1) << 31;
}

static uint32_t cb_imm(uint32_t i)
{
    return (i >> 8 & 1) << 12 | (i >> 3 & 3) << 10 | (i >> 6 & 3) << 5 | (i >> 1 & 3) << 3 |
           (i >> 5 & 1) << 2;
}

static uint32_t cj_imm(uint32_t i)
{
    return (i >> 11 & 1) << 12 | (i >> 4 & 1) << 11 | (i >> 8 & 3) << 9 | (i >> 10 & 1) << 8 |
           (i >> 6 & 1) << 7 | (i >> 7 & 1) << 6 | (i >> 1 & 7) << 3 | (i >> 5 & 1) << 2;
}

/* Make the jump of unit u, at offset at of the block, go to offset target. */
static void patch_jump(const struct unit *u, uint8_t *code, unsigned at, unsigned target)
{
    const struct rv64_row *r = &rv64_rows[u->row];
    unsigned from = at + (unsigned)u->jump_at;
    uint32_t off = target - from, w = 0;
    memcpy(&w, code + from, r->bits / 8);
    if (lifts(r, rv64_lift_jalr)) {
        struct rv64_insn in;
        uint32_t a;
        rv64_decode(&in, code + from, r->bits / 8);
        memcpy(&a, code + at + 4, 4);
        a |= (target - at - (uint32_t)in.imm) << 20;
        memcpy(code + at + 4, &a, 4);
    } else if (lifts(r, rv64_lift_jal)) {
        w = r->bits == 32 ? (w & 0xfff) | jtype_imm(off) : (w & 0xe003) | cj_imm(off);
    } else {
        w = r->bits == 32 ? (w & 0x01fff07f) | btype_imm(off) : (w & 0xe383) | cb_imm(off);
    }
    memcpy(code + from, &w, r->bits / 8);
}

static size_t make_block(uint64_t seed, unsigned index, unsigned n, struct prog_state *s)
{
    rng = mix(seed * UINT64_C(1000003) + index) | 1;
    for (unsigned i = 0; i < PROG_SCRATCH / 8; i++)
        s->scratch[i] = one_in(3) ? int_value() : fp_register();
    for (unsigned i = 0; i < 32; i++) {
        s->x[i] = int_value();
        s->f[i] = fp_register();
    }
    s->fcsr = below(5) << 5 | below(32);
    if (one_in(50))
        s->fcsr |= 0xa0; /* an invalid mode */
    for (unsigned i = 0; i < n; i++)
        draw_unit(&units[i], pick_row());
    return n;
}

/* The code of units whose keep[] is set. */
static size_t layout(const bool *keep, unsigned n, uint8_t *code)
{
    unsigned at[MAX_UNITS + 4], len = 0;
    for (unsigned i = 0; i < n; i++) {
        at[i] = len;
        if (!keep[i])
            continue;
        memcpy(code + len, units[i].code, units[i].len);
        len += units[i].len;
    }
    for (unsigned i = n; i < n + 4; i++)
        at[i] = len;
    for (unsigned i = 0; i < n; i++)
        if (keep[i] && units[i].jump_at >= 0)
            patch_jump(&units[i], code, at[i], at[i + 1 + (unsigned)units[i].jump_skip]);
    return len;
}

static const char *command_a, *command_b;
static unsigned repeat = 1;

static void run(struct prog *p, const char *command, struct prog_result *out)
{
    if (!command)
        prog_run_here(p, out);
    else if (prog_run_by(p, command, out))
        exit(2);
}

static bool differs(const struct prog_state *s, const bool *keep, unsigned n, struct prog_result *a,
                    struct prog_result *b)
{
    uint8_t code[MAX_UNITS * UNIT_SIZE];
    struct prog *p = prog_new(repeat);
    prog_add(p, s, code, layout(keep, n, code));
    run(p, command_a, a);
    run(p, command_b, b);
    prog_free(p);
    return memcmp(a, b, sizeof *a) != 0;
}

static void report(uint64_t seed, unsigned index, unsigned n)
{
    struct prog_state s;
    struct prog_result a, b;
    bool keep[MAX_UNITS];
    memset(keep, 1, sizeof keep);
    make_block(seed, index, n, &s);
    printf("# seed %llu block %u differs (replay: -s %llu -n %u -r %u%s -i %u)\n",
           (unsigned long long)seed, index, (unsigned long long)seed, n, repeat,
           with_faults ? " -f" : "", index);
    if (!differs(&s, keep, n, &a, &b)) {
        printf("#   but not when run alone\n");
        return;
    }
    for (unsigned step = n / 2; step; step /= 2) {
        for (unsigned i = 0; i < n; i += step) {
            bool saved[MAX_UNITS];
            memcpy(saved, keep, sizeof keep);
            for (unsigned j = i; j < i + step && j < n; j++)
                keep[j] = false;
            if (memcmp(saved, keep, sizeof keep) && !differs(&s, keep, n, &a, &b))
                memcpy(keep, saved, sizeof keep);
        }
    }
    differs(&s, keep, n, &a, &b);
    uint8_t code[MAX_UNITS * UNIT_SIZE];
    size_t len = layout(keep, n, code);
    bool used[32] = {false};
    for (size_t at = 0; at < len;) {
        char text[128];
        struct rv64_insn in;
        unsigned k = rv64_disasm(text, sizeof text, code + at, len - at, at);
        printf("#   %3zu: %s\n", at, text);
        if (rv64_decode(&in, code + at, len - at))
            used[in.rd] = used[in.rs1] = used[in.rs2] = used[in.rs3] = true;
        at += k ? k : len;
    }
    for (unsigned i = 0; i < sizeof a / 8; i++) {
        uint64_t va = ((uint64_t *)&a)[i], vb = ((uint64_t *)&b)[i];
        if (va != vb)
            printf("#   %-12s %016llx, other %016llx\n", prog_word_name(i), (unsigned long long)va,
                   (unsigned long long)vb);
    }
    printf("#   starts with fcsr %02llx\n", (unsigned long long)s.fcsr);
    for (unsigned i = 0; i < 32; i++)
        if (used[i])
            printf("#   x%-2u %016llx  f%-2u %016llx\n", i, (unsigned long long)s.x[i], i,
                   (unsigned long long)s.f[i]);
}

static int batch(uint64_t seed, unsigned first, unsigned count, unsigned n, unsigned *shown)
{
    struct prog *p = prog_new(repeat);
    for (unsigned i = 0; i < count; i++) {
        struct prog_state s;
        bool keep[MAX_UNITS];
        uint8_t code[MAX_UNITS * UNIT_SIZE];
        memset(keep, 1, sizeof keep);
        make_block(seed, first + i, n, &s);
        prog_add(p, &s, code, layout(keep, n, code));
    }
    struct prog_result *a = calloc(count, sizeof *a), *b = calloc(count, sizeof *b);
    run(p, command_a, a);
    run(p, command_b, b);
    prog_free(p);
    int different = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!memcmp(&a[i], &b[i], sizeof *a))
            continue;
        different++;
        if ((*shown)++ < MAX_SHOWN)
            report(seed, first + i, n);
    }
    free(a);
    free(b);
    return different;
}

/* ---- recorded cases ---- */

static void print_word(const char *name, unsigned n, uint64_t v, uint64_t pc, bool relative)
{
    if (relative)
        printf(" %s%d=pc+%llx", name, (int)n, (unsigned long long)(v - pc));
    else
        printf(" %s%d=%llx", name, (int)n, (unsigned long long)v);
}

static void record(uint64_t seed, unsigned count)
{
    unsigned total = count * (RV64_NROWS - 1);
    struct prog *p = prog_new(repeat);
    struct prog_state *s = calloc(total, sizeof *s), normal;
    struct unit *u = calloc(total, sizeof *u);
    uint64_t *pc = calloc(total, sizeof *pc);
    struct prog_result *out = calloc(total, sizeof *out);
    prog_default_state(&normal);
    with_partners = false;
    for (unsigned i = 0; i < total; i++) {
        unsigned row = 1 + i / count;
        rng = mix(seed * UINT64_C(1000003) + row * 1000 + i % count) | 1;
        draw_unit(&units[0], row);
        if (units[0].jump_at >= 0) /* jumps are for cases.txt */
            units[0].len = 0;
        u[i] = units[0];
        s[i] = normal;
        if (one_in(3))
            s[i].fcsr = below(5) << 5;
        for (unsigned at = 0; at < u[i].len;) {
            struct rv64_insn in;
            at += rv64_decode(&in, u[i].code + at, u[i].len - at);
            const struct rv64_row *r = &rv64_rows[in.row];
            const uint8_t regs[4] = {in.rs1, in.rs2, in.rs3, in.rd};
            for (unsigned k = 0; k < 4; k++) {
                if (has(r, "stRd"[k]) && regs[k] != 3 && k != 2)
                    s[i].x[regs[k]] = int_value();
                if (has(r, "STRD"[k]) && k != 3)
                    s[i].f[regs[k]] = fp_register();
            }
        }
        if (rv64_rows[row].arg == EXIT_SYSCALL && lifts(&rv64_rows[row], rv64_lift_exit))
            s[i].x[17] = 0xffff;
        pc[i] = prog_next_pc(p);
        prog_add(p, &s[i], u[i].code, u[i].len);
    }
    run(p, command_b, out);
    for (unsigned i = 0; i < total; i++) {
        char text[128];
        bool relative = lifts(&rv64_rows[u[i].row], rv64_lift_auipc);
        if (!u[i].len)
            continue;
        for (unsigned at = 0; at < u[i].len;) {
            uint32_t w = 0;
            unsigned k = rv64_disasm(text, sizeof text, u[i].code + at, u[i].len - at, 0);
            memcpy(&w, u[i].code + at, k);
            printf("%s%0*x", at ? " " : "", (int)k * 2, w);
            at += k;
        }
        printf(" |");
        for (unsigned k = 1; k < 32; k++)
            if (k != 3 && s[i].x[k] != normal.x[k])
                print_word("x", k, s[i].x[k], 0, false);
        for (unsigned k = 0; k < 32; k++)
            if (s[i].f[k] != normal.f[k])
                print_word("f", k, s[i].f[k], 0, false);
        if (s[i].fcsr)
            printf(" fcsr=%llx", (unsigned long long)s[i].fcsr);
        printf(" |");
        for (unsigned k = 1; k < 32; k++)
            if (k != 3 && out[i].x[k - 1] != s[i].x[k])
                print_word("x", k, out[i].x[k - 1], pc[i], relative);
        for (unsigned k = 0; k < 32; k++)
            if (out[i].f[k] != s[i].f[k])
                print_word("f", k, out[i].f[k], 0, false);
        for (unsigned k = 0; k < PROG_SCRATCH / 8; k++)
            if (out[i].scratch[k] != s[i].scratch[k])
                print_word("m", k * 8 - PROG_SCRATCH, out[i].scratch[k], 0, false);
        if (out[i].fcsr != s[i].fcsr)
            printf(" fcsr=%llx", (unsigned long long)out[i].fcsr);
        if (out[i].traps)
            printf(" traps=%llx", (unsigned long long)out[i].traps);
        for (char *t = text; *t; t++)
            if (*t == '\t')
                *t = ' ';
        printf(" # %s\n", text);
    }
    prog_free(p);
    free(s);
    free(u);
    free(pc);
    free(out);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    unsigned blocks = 200, n = 64, index = 0, shown = 0, cases = 0;
    bool only = false;
    const char *file = NULL;
    for (int opt; (opt = getopt(argc, argv, "s:b:n:i:a:o:w:g:r:f")) != -1;) {
        switch (opt) {
        case 's':
            seed = strtoull(optarg, NULL, 0);
            break;
        case 'b':
            blocks = (unsigned)strtoul(optarg, NULL, 0);
            break;
        case 'n':
            n = (unsigned)strtoul(optarg, NULL, 0);
            break;
        case 'i':
            index = (unsigned)strtoul(optarg, NULL, 0);
            only = true;
            break;
        case 'a':
            command_a = optarg;
            break;
        case 'o':
            command_b = optarg;
            break;
        case 'g':
            cases = (unsigned)strtoul(optarg, NULL, 0);
            break;
        case 'f':
            with_faults = true;
            break;
        case 'r':
            repeat = (unsigned)strtoul(optarg, NULL, 0);
            break;
        case 'w':
            file = optarg;
            break;
        default:
            return 2;
        }
    }
    if (n < 1 || n > MAX_UNITS || (with_faults && !command_a) || (!command_b && !file)) {
        fprintf(stderr, "usage: random -o COMMAND [-a COMMAND] [-s SEED] [-b BLOCKS] [-n UNITS] "
                        "[-r TIMES] [-f] "
                        "[-i INDEX]\n");
        return 2;
    }
    if (file) {
        struct prog *p = prog_new(repeat);
        for (unsigned i = only ? index : 0; i < (only ? index + 1 : blocks); i++) {
            struct prog_state s;
            bool keep[MAX_UNITS];
            uint8_t code[MAX_UNITS * UNIT_SIZE];
            memset(keep, 1, sizeof keep);
            make_block(seed, i, n, &s);
            prog_add(p, &s, code, layout(keep, n, code));
        }
        prog_write(p, file);
        prog_free(p);
        return 0;
    }
    if (cases) {
        record(seed, cases);
        return 0;
    }
    if (only) {
        report(seed, index, n);
        return 0;
    }
    int different = 0;
    for (unsigned i = 0; i < blocks; i += 1000) {
        unsigned count = blocks - i < 1000 ? blocks - i : 1000;
        different += batch(seed, i, count, n, &shown);
    }
    unsigned never = 0;
    bool enough = blocks * n >= 20000;
    for (unsigned row = 1; row < RV64_NROWS; row++) {
        if (!drawn[row] &&
            !(lifts(&rv64_rows[row], rv64_lift_exit) && rv64_rows[row].arg == EXIT_SYSCALL)) {
            never++;
            if (enough)
                printf("# never drawn: %s (line %d of the table)\n", rv64_rows[row].mnemonic,
                       rv64_rows[row].line);
        }
    }
    printf("# seed %llu: %u blocks of %u instructions with what they need, %d blocks differ\n",
           (unsigned long long)seed, blocks, n, different);
    return different || (enough && never);
}

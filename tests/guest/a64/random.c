/* Random blocks of A64 instructions as an assembly program, to be run by the emulator under test and by a peer, which
 * must print the same.
 *
 *   random SEED BLOCKS INSNS >program.S
 *
 * Each block sets all registers (x0..x28, v0..v31, NZCV, FPCR, FPSR) to random values that lean to edge cases,
 * runs INSNS random instructions and writes all registers and a sum of 4 KiB of memory out. Instructions are rows of
 * a64.decode with random operands; none uses x29 or sp, accesses are to that memory by x28, branches skip an
 * instruction. A row that never appears is named on stderr. */
#include "tests/random.h"
#include "guest/a64/a64.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rng;

static uint64_t rnd(void)
{
    return random_next(&rng) * UINT64_C(0x2545f4914f6cdd1d);
}

/* What is done about a row: its instructions stand as they are, get a base or target, or are left out because they end the
 * program or tell of the machine. */
enum how {
    PLAIN,
    OUT,
    ACCESS,
    ALIGNED,
    LITERAL,
    JUMP,
    JUMP19,
    JUMP14,
    JUMP_REG,
    CACHE,
    STATUS,
    HINT,
    BULK
};

static const struct {
    void (*lift)(struct lift *l, const struct a64_insn *in, int arg);
    enum how how;
} hows[] = {
    {a64_lift_mem, ACCESS},      {a64_lift_memv, ACCESS},
    {a64_lift_pair, ACCESS},     {a64_lift_pairv, ACCESS},
    {a64_lift_vldst, ACCESS},    {a64_lift_vldst1, ACCESS},
    {a64_lift_vldr, ACCESS},     {a64_lift_ldar, ALIGNED},
    {a64_lift_stlr, ALIGNED},    {a64_lift_stlur, ALIGNED},
    {a64_lift_ldapur, ALIGNED},  {a64_lift_ldxr, ALIGNED},
    {a64_lift_stxr, ALIGNED},    {a64_lift_ldxp, ALIGNED},
    {a64_lift_stxp, ALIGNED},    {a64_lift_lse, ALIGNED},
    {a64_lift_lse_clr, ALIGNED}, {a64_lift_cas, ALIGNED},
    {a64_lift_casp, ALIGNED},    {a64_lift_ld_lit, LITERAL},
    {a64_lift_ldv_lit, LITERAL}, {a64_lift_b, JUMP},
    {a64_lift_b_cond, JUMP19},   {a64_lift_cb, JUMP19},
    {a64_lift_tb, JUMP14},       {a64_lift_b_reg, JUMP_REG},
    {a64_lift_dc_zva, OUT}, /* the block's size */
    {a64_lift_msr_fpsr, STATUS}, {a64_lift_nop, HINT},
    {a64_lift_adr, OUT},         {a64_lift_adrp, OUT},
    {a64_lift_mrs_id, OUT},      {a64_lift_mrs_ctr, OUT},
    {a64_lift_mrs_dczid, OUT},   {a64_lift_mrs_cntfrq, OUT},
    {a64_lift_mrs_cntvct, OUT},  {a64_lift_mrs_clock, OUT}, /* our vdso's */
    {a64_lift_cpy, BULK},        {a64_lift_set, BULK},
    {a64_lift_msr_fpcr, OUT}, /* the peer has more bits than we */
};

static enum how how_of(const struct a64_row *r)
{
    if (!strcmp(r->mnemonic, "sys") && r->lift == a64_lift_nop)
        return CACHE;
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++)
        if (hows[i].lift == r->lift)
            return hows[i].how;
    if (r->lift == a64_lift_exit)
        return r->arg == EXIT_ICACHE ? CACHE : OUT;
    return PLAIN;
}

/* Is this instruction lifted as undefined? */
static bool undefined(uint32_t w)
{
    static struct lift l;
    uint8_t code[4] = {w, w >> 8, w >> 16, w >> 24};
    memset(&l, 0, offsetof(struct lift, uops));
    l.guest = &guest_a64;
    a64_lift(&l, code, 4);
    return l.nuops && l.uops[l.nuops - 1].op == UOP_exit && l.uops[l.nuops - 1].imm == EXIT_ILLEGAL;
}

/* Does an integer operand name x29, x30 or sp (31 where it is not zero)? Asked of the micro-ops. */
static bool forbidden(uint32_t w)
{
    static struct lift l;
    uint8_t code[4] = {w, w >> 8, w >> 16, w >> 24};
    memset(&l, 0, offsetof(struct lift, uops));
    l.guest = &guest_a64;
    a64_lift(&l, code, 4);
    for (unsigned i = 0; i < l.nuops; i++) {
        const struct uop_info *info = &uop_info[l.uops[i].op];
        const uint8_t kind[4] = {info->d, info->a, info->b, info->c};
        const uint8_t unit[4] = {l.uops[i].d, l.uops[i].a, l.uops[i].b, l.uops[i].c};
        for (int k = 0; k < 4; k++)
            if (kind[k] != UOP_K_N && unit[k] >= 29 && unit[k] <= 31 &&
                !(l.uops[i].op == UOP_movi && unit[k] == 30))
                return true;
    }
    return false;
}

/* Put v into the bits hi to lo of *w that the row does not fix. */
static void put(uint32_t *w, uint32_t mask, int hi, int lo, uint32_t v)
{
    uint32_t bits = (UINT32_MAX >> (31 - hi + lo)) << lo & ~mask;
    *w = (*w & ~bits) | (v << lo & bits);
}

/* Accesses are by x28, and x27 where there is an index; what loads x28 as well, or one register twice, or stores a status to
 * what it stores, may do anything. */
static bool adapt(uint32_t *w, const struct a64_row *r, enum how how)
{
    struct a64_insn in;
    switch (how) {
    case ACCESS:
    case ALIGNED:
        put(w, r->mask, 9, 5, 28);
        if ((r->lift == a64_lift_mem || r->lift == a64_lift_memv) && r->arg == MODE_UIMM)
            put(w, r->mask, 21, 15, 0);
        if ((r->lift == a64_lift_mem || r->lift == a64_lift_memv) && r->arg == MODE_REG)
            put(w, r->mask, 20, 16, 27);
        if (A64_BITS(r->match, 29, 24) == 0x19) /* ldapur, stlur: aligned */
            put(w, r->mask, 15, 12, 0);
        if ((r->lift == a64_lift_vldst || r->lift == a64_lift_vldst1 || r->lift == a64_lift_vldr) &&
            A64_BITS(*w, 23, 23))
            put(w, r->mask, 20, 16, rnd() >> 63 ? 27 : 31);
        /* Should be ones: the peer insists. */
        if (r->lift == a64_lift_ldar || r->lift == a64_lift_stlr || r->lift == a64_lift_ldxr ||
            r->lift == a64_lift_ldxp)
            put(w, r->mask, 20, 16, 31);
        if (r->lift == a64_lift_ldar || r->lift == a64_lift_stlr || r->lift == a64_lift_ldxr ||
            r->lift == a64_lift_stxr)
            put(w, r->mask, 14, 10, 31);
        a64_decode32(*w, &in);
        if (r->lift == a64_lift_memv || r->lift == a64_lift_vldst || r->lift == a64_lift_vldst1 ||
            r->lift == a64_lift_vldr)
            return true;
        if (r->lift == a64_lift_pair || r->lift == a64_lift_pairv || r->lift == a64_lift_ldxp)
            return in.rd != in.ra && (r->lift == a64_lift_pairv || (in.rd != 28 && in.ra != 28));
        if (r->lift == a64_lift_stxr || r->lift == a64_lift_stxp)
            return in.rm != in.rd && in.rm != 28 && (in.rm != in.ra || r->lift == a64_lift_stxr);
        return in.rd != 28;
    case CACHE:
        put(w, r->mask, 4, 0, 28);
        return true;
    case HINT: /* not the pointer authentication that the peer has */
        return strcmp(r->mnemonic, "hint") || A64_BITS(*w, 11, 5) < 6 || A64_BITS(*w, 11, 8) == 2 ||
               A64_BITS(*w, 11, 8) == 4;
    case STATUS:
        put(w, r->mask, 4, 0, 27);
        return true;
    case LITERAL: /* the code */
        put(w, r->mask, 23, 5, (uint32_t)(rnd() >> 60) - 8);
        return true;
    case JUMP: /* over the next one */
        put(w, r->mask, 25, 0, 2);
        return true;
    case JUMP19:
        put(w, r->mask, 23, 5, 2);
        return true;
    case JUMP14:
        put(w, r->mask, 18, 5, 2);
        return true;
    case JUMP_REG:
        put(w, r->mask, 9, 5, 28);
        return true;
    default:
        return true;
    }
}

/* A copy or set from its prologue up to the instruction w, with registers for some hundred bytes of the memory or for none; a page
 * boundary is in its middle. */
static void bulk(uint32_t w)
{
    bool set = A64_BITS(w, 23, 22) == 3;
    unsigned shift = set ? 14 : 22, stage = w >> shift & 3;
    printf("    adrp x%u, memory\n    add x%u, x%u, :lo12:memory\n", w & 31, w & 31, w & 31);
    if (!set)
        printf("    add x%u, x%u, #%u\n", A64_BITS(w, 20, 16), w & 31, (unsigned)(rnd() >> 53));
    printf("    add x%u, x%u, #%u\n    mov x%u, #%u\n", w & 31, w & 31, (unsigned)(rnd() >> 53),
           A64_BITS(w, 9, 5), (unsigned)(rnd() >> 53) >> (rnd() >> 61));
    for (unsigned s = 0; s < stage; s++)
        printf("    .inst 0x%08x\n", (w & ~(3u << shift)) | s << shift);
}

static uint32_t instruction(unsigned row)
{
    const struct a64_row *r = &a64_rows[row];
    struct a64_insn in;
    for (int tries = 0; tries < 1000; tries++) {
        uint32_t w = ((uint32_t)(rnd() >> 16) & ~r->mask) | r->match;
        if (!adapt(&w, r, how_of(r)))
            continue;
        if (a64_decode32(w, &in) == row && !undefined(w) && !forbidden(w))
            return w;
    }
    return 0;
}

static uint64_t value(void)
{
    static const uint64_t edge[] = {
        0,
        1,
        UINT64_MAX,
        INT64_MAX,
        (uint64_t)INT64_MIN,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        UINT64_C(0x3ff0000000000000),
        UINT64_C(0x7ff0000000000000),
        UINT64_C(0xfff0000000000000),
        UINT64_C(0x7ff8000000000001),
        UINT64_C(0x7ff0000000000001),
        UINT64_C(0xfff8000000000002),
        UINT64_C(0x3f8000007f800000),
        UINT64_C(0x7fc000017f800001),
        UINT64_C(0xff800000ffc00003),
        UINT64_C(0x43e0000000000000),
        UINT64_C(0xc3e0000000000000),
        UINT64_C(0x4f0000005f000000),
        UINT64_C(0x8080808080808080),
        UINT64_C(0x7f7f7f7f7f7f7f7f),
        UINT64_C(0x00ff00ff80007fff),
    };
    switch (rnd() >> 32 & 7) {
    case 7: { /* small numbers of every format, subnormal ones above all */
        uint64_t v = rnd(), lanes = rnd() >> 61;
        return lanes < 3   ? v & UINT64_C(0x801fffffffffffff)
               : lanes < 6 ? v & UINT64_C(0x80ffffff80ffffff)
                           : v & UINT64_C(0x87ff87ff87ff87ff);
    }
    case 0:
    case 1:
        return edge[(rnd() >> 20) % (sizeof edge / sizeof *edge)];
    case 2:
        return rnd() >> (rnd() >> 40 & 63);
    case 3: { /* doubles and floats near one */
        uint64_t v = rnd();
        return rnd() >> 33 & 1
                   ? (v & UINT64_C(0x800fffffffffffff)) | (UINT64_C(0x3f0) + (v >> 52 & 31)) << 52
                   : (v & UINT64_C(0x807fffff807fffff)) | (0x7a + (v >> 24 & 15)) << 23 |
                         (0x7a + (v >> 56 & 15)) << 55;
    }
    default:
        return rnd();
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: random SEED BLOCKS INSNS\n");
        return 1;
    }
    rng = strtoull(argv[1], NULL, 0) * 2 + 1;
    unsigned blocks = (unsigned)atoi(argv[2]), insns = (unsigned)atoi(argv[3]), n = 0, next = 0;
    unsigned rows[A64_NROWS];
    for (unsigned i = 1; i < A64_NROWS; i++)
        if (how_of(&a64_rows[i]) != OUT)
            rows[n++] = i;
    printf("    .arch armv8.1-a\n    .text\n    .globl _start\n_start:\n");
    for (unsigned b = 0; b < blocks; b++) {
        printf("    adr x0, data%u\n    clrex\n", b);
        for (int v = 0; v < 32; v += 2)
            printf("    ldp q%d, q%d, [x0, #%d]\n", v, v + 1, 16 * v);
        printf(
            "    add x0, x0, #512\n"
            "    ldr x1, [x0, #232]\n    msr nzcv, x1\n    ldr x1, [x0, #240]\n    msr fpcr, x1\n"
            "    msr fpsr, xzr\n");
        for (int x = 2; x < 28; x += 2)
            printf("    ldp x%d, x%d, [x0, #%d]\n", x, x + 1, 8 * x);
        printf("    ldr x28, [x0, #224]\n    ldp x0, x1, [x0]\n");
        for (unsigned i = 0; i < insns; i++) {
            /* Each row in turn, so that all are drawn. */
            uint32_t w = instruction(rows[next % n]);
            if (!w && next < n)
                fprintf(stderr, "random: no instruction of %s (line %d)\n",
                        a64_rows[rows[next]].mnemonic, a64_rows[rows[next]].line);
            const struct a64_row *r = &a64_rows[rows[next++ % n]];
            if (!w)
                continue;
            enum how how = how_of(r);
            if (how == ACCESS || how == ALIGNED || how == CACHE)
                printf("    adrp x28, memory\n    add x28, x28, :lo12:memory\n"
                       "    add x28, x28, #%u\n    mov x27, #%u\n",
                       1024 + (unsigned)(rnd() >> 52 &
                                         (how == ACCESS && A64_BITS(r->match, 29, 24) != 0x19
                                              ? 0x1ff
                                              : 0x1f0)),
                       (unsigned)(rnd() >> 57));
            else if (how == BULK)
                bulk(w);
            else if (how == STATUS) /* the peer has AArch32's flags there too */
                printf("    mov x27, #%u\n", (unsigned)(rnd() >> 56) & 0x9f);
            else if (how == JUMP_REG)
                printf("    adr x28, .+8\n");
            if (w)
                printf("    .inst 0x%08x // %s\n", w, r->mnemonic);
            if (how >= JUMP && how < JUMP_REG)
                printf("    add x26, x26, #1\n");
        }
        printf("    bl dump\n    b next%u\n    .p2align 4\ndata%u:\n", b, b);
        for (int i = 0; i < 64 + 29; i++)
            printf("    .quad 0x%" PRIx64 "\n", value());
        /* NZCV; FPCR: AHP, DN, FZ, RMode; FZ16 */
        unsigned fpcr = (unsigned)(rnd() >> 60 & (rnd() >> 40)) << 22;
        fpcr |= (unsigned)(rnd() >> 63) << 26 | (rnd() >> 61 ? 0 : 1u << 19);
        printf("    .quad 0x%x, 0x%x\nnext%u:\n", (unsigned)(rnd() >> 60) << 28,
               rnd() >> 63 ? 0 : fpcr, b);
    }
    printf("    mov x0, #0\n    mov x8, #93\n    svc #0\n"
           "dump:\n    str x30, [sp, #-16]!\n    mov x29, sp\n    sub sp, sp, #1024\n");
    for (int x = 0; x < 28; x += 2)
        printf("    stp x%d, x%d, [sp, #%d]\n", x, x + 1, 8 * x);
    printf("    str x28, [sp, #224]\n    mrs x1, nzcv\n    mrs x2, fpsr\n    mrs x3, fpcr\n"
           "    stp x1, x2, [sp, #232]\n    str x3, [sp, #248]\n"
           "    adrp x0, memory\n    add x0, x0, :lo12:memory\n    mov x1, #512\n    mov x2, #0\n"
           "1:  ldr x3, [x0], #8\n    ror x2, x2, #5\n    add x2, x2, x3\n    subs x1, x1, #1\n"
           "    b.ne 1b\n    str x2, [sp, #768]\n");
    for (int v = 0; v < 32; v += 2)
        printf("    stp q%d, q%d, [sp, #%d]\n", v, v + 1, 256 + 16 * v);
    printf("    mov x0, #1\n    mov x1, sp\n    mov x2, #776\n    mov x8, #64\n    svc #0\n"
           "    mov sp, x29\n    ldr x30, [sp], #16\n    ret\n"
           "    .data\n    .p2align 12\n    .space 2048\nmemory:\n");
    for (int i = 0; i < 512; i++)
        printf("    .quad 0x%" PRIx64 "\n", value());
    return 0;
}

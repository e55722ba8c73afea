/* Random blocks of A64 instructions as an assembly program, to be run by the emulator under test and by a peer, which
 * must print the same.
 *
 *   random SEED BLOCKS INSNS >program.S
 *
 * Each block sets all registers (x0..x28, v0..v31, NZCV, FPCR, FPSR) to random values that lean to edge cases,
 * runs INSNS random instructions and writes all registers out. Instructions are rows of a64.decode with random
 * operands; none touches memory, branches, or uses x29, x30 or sp. A row that never appears is named on stderr. */
#include "guest/a64/a64.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rng;

static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng * UINT64_C(0x2545f4914f6cdd1d);
}

/* What the comparison leaves out: what leaves the block, touches memory or tells of the machine. Underflow's
 * difference (docs/guest-a64.md) is kept out by the peer's mask on FPSR, see random.tap. */
static bool usable(const struct a64_row *r)
{
    static const char *const not [] = {"b",    "bl",    "b.",  "cbz", "cbnz", "tbz", "tbnz",
                                       "br",   "ret",   "svc", "brk", "udf",  "ld",  "st",
                                       "cas",  "swp",   "prf", "adr", "mrs",  "msr", "sys",
                                       "hint", "clrex", "dsb", "dmb", "isb"};
    static const char *const yes[] = {"bfm", "bic", "bics", "bsl", "bit", "bif"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!strcmp(r->mnemonic, yes[i]))
            return true;
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
        if (!strncmp(r->mnemonic, not [i], strlen(not [i])) &&
            (strlen(not [i]) > 2 || not [i][1] != 0))
            return false;
    return strcmp(r->mnemonic, "b") != 0;
}

/* Is this instruction lifted as undefined? */
static bool undefined(uint32_t w)
{
    static struct lift l;
    uint8_t code[4] = {w, w >> 8, w >> 16, w >> 24};
    memset(&l, 0, offsetof(struct lift, uops));
    l.guest = &guest_a64;
    a64_lift(&l, code, 4);
    return l.nuops && l.uops[l.nuops - 1].op == UOP_exit;
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
            if (kind[k] != UOP_K_N && unit[k] >= 29 && unit[k] <= 31)
                return true;
    }
    return false;
}

static uint32_t instruction(unsigned row)
{
    const struct a64_row *r = &a64_rows[row];
    struct a64_insn in;
    for (int tries = 0; tries < 1000; tries++) {
        uint32_t w = ((uint32_t)(rnd() >> 16) & ~r->mask) | r->match;
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
        if (usable(&a64_rows[i]))
            rows[n++] = i;
    printf("    .arch armv8.1-a\n    .text\n    .globl _start\n_start:\n");
    for (unsigned b = 0; b < blocks; b++) {
        printf("    adr x0, data%u\n", b);
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
            next++;
            if (w)
                printf("    .inst 0x%08x // %s\n", w, a64_rows[rows[(next - 1) % n]].mnemonic);
        }
        printf("    bl dump\n    b next%u\n    .p2align 4\ndata%u:\n", b, b);
        for (int i = 0; i < 64 + 29; i++)
            printf("    .quad 0x%" PRIx64 "\n", value());
        /* FPCR: rounding modes, default NaN; NZCV */
        printf("    .quad 0x%x, 0x%x\nnext%u:\n", (unsigned)(rnd() >> 60) << 28,
               rnd() >> 63 ? 0 : (unsigned)(rnd() >> 61 & 3) << 22 | (unsigned)(rnd() >> 63) << 25,
               b);
    }
    printf("    mov x0, #0\n    mov x8, #93\n    svc #0\n"
           "dump:\n    str x30, [sp, #-16]!\n    mov x29, sp\n    sub sp, sp, #1024\n");
    for (int x = 0; x < 28; x += 2)
        printf("    stp x%d, x%d, [sp, #%d]\n", x, x + 1, 8 * x);
    printf("    str x28, [sp, #224]\n    mrs x1, nzcv\n    mrs x2, fpsr\n    mrs x3, fpcr\n"
           "    stp x1, x2, [sp, #232]\n    str x3, [sp, #248]\n");
    for (int v = 0; v < 32; v += 2)
        printf("    stp q%d, q%d, [sp, #%d]\n", v, v + 1, 256 + 16 * v);
    printf("    mov x0, #1\n    mov x1, sp\n    mov x2, #768\n    mov x8, #64\n    svc #0\n"
           "    mov sp, x29\n    ldr x30, [sp], #16\n    ret\n");
    return 0;
}

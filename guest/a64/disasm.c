/* guest/a64/disasm.c: text of one instruction, as binutils' objdump -d -M no-aliases prints it.
 *
 * Owns: the letters of a64.decode's MNEMONIC column, the words of its TEXT column but those of AdvSIMD, the names of
 * system registers and of slots. Nothing but the row decides what is printed, so a comparison with objdump checks
 * the rows themselves.
 *
 * Threading: pure functions.
 */
#include "guest/a64/disasm.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char slot_names[A64_NSLOTS][8] = {
    "x0",  "x1",     "x2",     "x3",     "x4",   "x5",     "x6",   "x7",     "x8",  "x9",
    "x10", "x11",    "x12",    "x13",    "x14",  "x15",    "x16",  "x17",    "x18", "x19",
    "x20", "x21",    "x22",    "x23",    "x24",  "x25",    "x26",  "x27",    "x28", "x29",
    "x30", "sp",     "xzr",    "pc",     "nzcv", "tpidr",  "fpcr", "fpsr",   "v0",  "v0.hi",
    "v1",  "v1.hi",  "v2",     "v2.hi",  "v3",   "v3.hi",  "v4",   "v4.hi",  "v5",  "v5.hi",
    "v6",  "v6.hi",  "v7",     "v7.hi",  "v8",   "v8.hi",  "v9",   "v9.hi",  "v10", "v10.hi",
    "v11", "v11.hi", "v12",    "v12.hi", "v13",  "v13.hi", "v14",  "v14.hi", "v15", "v15.hi",
    "v16", "v16.hi", "v17",    "v17.hi", "v18",  "v18.hi", "v19",  "v19.hi", "v20", "v20.hi",
    "v21", "v21.hi", "v22",    "v22.hi", "v23",  "v23.hi", "v24",  "v24.hi", "v25", "v25.hi",
    "v26", "v26.hi", "v27",    "v27.hi", "v28",  "v28.hi", "v29",  "v29.hi", "v30", "v30.hi",
    "v31", "v31.hi", "pstate", "fault",  "esr",
};

const char *a64_slot_name(unsigned slot)
{
    return slot < A64_NSLOTS ? slot_names[slot] : NULL;
}

const char a64_size_letter[] = "bhsdq";
static const char cond_name[16][3] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                      "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"};

void a64_put(struct out *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(o->text + o->len, sizeof o->text - o->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        o->len = o->len + (size_t)n < sizeof o->text ? o->len + (size_t)n : sizeof o->text - 1;
}

/* ---- registers ---- */

static void put_general(struct out *o, unsigned n, bool wide, bool sp)
{
    if (n < 31)
        a64_put(o, "%c%u", wide ? 'x' : 'w', n);
    else if (sp)
        a64_put(o, wide ? "sp" : "wsp");
    else
        a64_put(o, wide ? "xzr" : "wzr");
}

/* A register by its kind (the table's head explains the letters) and number. False when c is no kind. */
static bool put_register(struct out *o, const struct a64_insn *in, char c, unsigned n)
{
    static const char by_type[] = "sd?h";
    switch (c) {
    case 'w':
    case 'W':
    case 'x':
    case 'X':
        put_general(o, n, tolower(c) == 'x', isupper(c));
        return true;
    case 'r':
    case 'R':
        put_general(o, n, W(31, 31), c == 'R');
        return true;
    case 't':
        put_general(o, n, W(31, 30) == 3 || W(23, 22) == 2, false);
        return true;
    case 'c':
        put_general(o, n, W(31, 30) == 3, false);
        return true;
    case 'y':
        put_general(o, n, W(30, 30), false);
        return true;
    case 'z':
        put_general(o, n, W(19, 16) == 8, false);
        return true;
    case 'b':
    case 'h':
    case 's':
    case 'd':
    case 'q':
    case 'v':
        a64_put(o, "%c%u", c, n);
        return true;
    case 'f':
        a64_put(o, "%c%u", by_type[W(23, 22)], n);
        return true;
    case 'o':
        a64_put(o, "%c%u", by_type[W(16, 15)], n);
        return true;
    case 'g':
        a64_put(o, "%c%u", by_type[W(22, 22)], n);
        return true;
    case 'e':
    case 'E':
        a64_put(o, "%c%u", a64_size_letter[W(23, 22) + (c == 'E')], n);
        return true;
    case 'i':
    case 'I':
        a64_put(o, "%c%u", a64_size_letter[31 - __builtin_clz(W(22, 19) | 1) + (c == 'I')], n);
        return true;
    case 'k':
        a64_put(o, "%c%u", a64_size_letter[__builtin_ctz(W(19, 16) | 16)], n);
        return true;
    case 'l':
        a64_put(o, "%c%u", a64_size_letter[W(23, 23) << 2 | W(31, 30)], n);
        return true;
    case 'p':
        a64_put(o, "%c%u", a64_size_letter[2 + W(31, 30)], n);
        return true;
    default:
        return false;
    }
}

#define OPERAND(name) \
    static bool name(struct out *o, const struct a64_insn *in __attribute__((unused)))

/* casp's pairs begin with an even register. */
static bool put_even(struct out *o, const struct a64_insn *in, unsigned n)
{
    put_general(o, n, W(30, 30), false);
    a64_put(o, ", ");
    put_general(o, n + 1, W(30, 30), false);
    return n % 2 == 0;
}
OPERAND(put_even_d)
{
    return put_even(o, in, in->rd);
}
OPERAND(put_even_m)
{
    return put_even(o, in, in->rm);
}

/* ---- immediates ---- */

OPERAND(put_imm)
{
    a64_put(o, "#%" PRId64, in->imm);
    return true;
}
OPERAND(put_ximm)
{
    a64_put(o, "#0x%" PRIx64, in->imm);
    return true;
}
OPERAND(put_immsh)
{
    a64_put(o, W(22, 22) ? "#0x%x, lsl #12" : "#0x%x", W(21, 10));
    return true;
}
OPERAND(put_immw)
{
    a64_put(o, W(22, 21) ? "#0x%x, lsl #%u" : "#0x%x", W(20, 5), W(22, 21) * 16);
    return true;
}
OPERAND(put_bitmask)
{
    uint64_t mask;
    if (!a64_bitmask(W(22, 22), W(15, 10), W(21, 16), &mask))
        return false;
    a64_put(o, "#0x%" PRIx64, W(31, 31) ? mask : mask & UINT32_MAX);
    return true;
}
OPERAND(put_immr)
{
    a64_put(o, "#%u", W(21, 16));
    return true;
}
OPERAND(put_rmif)
{
    a64_put(o, "#%u, #%u", W(20, 15), W(3, 0));
    return true;
}
OPERAND(put_pstate)
{
    a64_put(o, "#0x%x", W(11, 8));
    return true;
}
OPERAND(put_imms)
{
    a64_put(o, "#%u", W(15, 10));
    return true;
}
OPERAND(put_imm5)
{
    a64_put(o, "#0x%x", W(20, 16));
    return true;
}
OPERAND(put_udf)
{
    a64_put(o, "#%u", W(15, 0));
    return true;
}
OPERAND(put_tag)
{
    a64_put(o, "#0x%x", W(13, 10));
    return true;
}
OPERAND(put_nzcv)
{
    a64_put(o, "#0x%x", W(3, 0));
    return true;
}
OPERAND(put_cond)
{
    a64_put(o, "%s", cond_name[W(15, 12)]);
    return true;
}
OPERAND(put_bit)
{
    a64_put(o, "#%u", W(31, 31) << 5 | W(23, 19));
    return true;
}
OPERAND(put_fbits)
{
    a64_put(o, "#%u", 64 - W(15, 10));
    return true;
}
OPERAND(put_addr)
{
    a64_put(o, "%" PRIx64, o->pc + (uint64_t)in->imm);
    return true;
}
OPERAND(put_page)
{
    a64_put(o, "%" PRIx64, (o->pc & ~UINT64_C(4095)) + (uint64_t)in->imm);
    return true;
}

/* ---- registers with a shift or an extension ---- */

OPERAND(put_shift)
{
    static const char name[4][4] = {"lsl", "lsr", "asr", "ror"};
    if (W(23, 22) || W(15, 10))
        a64_put(o, ", %s #%u", name[W(23, 22)], W(15, 10));
    return true;
}

static const char extend_name[8][5] = {"uxtb", "uxth", "uxtw", "uxtx",
                                       "sxtb", "sxth", "sxtw", "sxtx"};

/* With sp as an operand the extension that changes nothing is a shift. Flag-setting forms have no sp as destination. */
OPERAND(put_rmext)
{
    unsigned option = W(15, 13), shift = W(12, 10);
    put_general(o, in->rm, W(31, 31) && (option & 3) == 3, false);
    if (option == 2 + W(31, 31) && (in->rn == 31 || (in->rd == 31 && !W(29, 29)))) {
        if (shift)
            a64_put(o, ", lsl #%u", shift);
        return true;
    }
    a64_put(o, shift ? ", %s #%u" : ", %s", extend_name[option], shift);
    return true;
}

/* ---- addresses ---- */

/* The binary logarithm of what a load or store of one register accesses; of one of a pair. */
static unsigned scale_of(const struct a64_insn *in)
{
    return W(26, 26) ? W(23, 23) << 2 | W(31, 30) : W(31, 30);
}
static unsigned pair_scale_of(const struct a64_insn *in)
{
    return W(26, 26) ? 2 + W(31, 30) : 2 + W(31, 31);
}

static bool put_base(struct out *o, const struct a64_insn *in, int64_t disp)
{
    a64_put(o, "[");
    put_general(o, in->rn, true, true);
    if (disp)
        a64_put(o, ", #%" PRId64, disp);
    a64_put(o, "]");
    return true;
}
static bool put_post(struct out *o, const struct a64_insn *in, int64_t disp)
{
    a64_put(o, "[");
    put_general(o, in->rn, true, true);
    a64_put(o, "], #%" PRId64, disp);
    return true;
}
static bool put_pre(struct out *o, const struct a64_insn *in, int64_t disp)
{
    a64_put(o, "[");
    put_general(o, in->rn, true, true);
    a64_put(o, ", #%" PRId64 "]!", disp);
    return true;
}

static int64_t pair_disp(const struct a64_insn *in)
{
    return (int64_t)((uint64_t)in->imm << pair_scale_of(in));
}

OPERAND(put_mem)
{
    return put_base(o, in, 0);
}
OPERAND(put_mem_u)
{
    return put_base(o, in, in->imm << scale_of(in));
}
OPERAND(put_mem_i)
{
    return put_base(o, in, in->imm);
}
OPERAND(put_mem_post)
{
    return put_post(o, in, in->imm);
}
OPERAND(put_mem_pre)
{
    return put_pre(o, in, in->imm);
}
OPERAND(put_mem_auth) /* pre-indexed, a displacement of 0 is not shown */
{
    put_base(o, in, in->imm);
    a64_put(o, "!");
    return true;
}
OPERAND(put_pair)
{
    return put_base(o, in, pair_disp(in));
}
OPERAND(put_pair_post)
{
    return put_post(o, in, pair_disp(in));
}
OPERAND(put_pair_pre)
{
    return put_pre(o, in, pair_disp(in));
}

OPERAND(put_mem_r)
{
    unsigned option = W(15, 13), shift = W(12, 12) ? scale_of(in) : 0;
    a64_put(o, "[");
    put_general(o, in->rn, true, true);
    a64_put(o, ", ");
    put_general(o, in->rm, option & 1, false);
    if (option != 3 || W(12, 12))
        a64_put(o, ", %s", option == 3 ? "lsl" : extend_name[option]);
    if (W(12, 12))
        a64_put(o, " #%u", shift);
    a64_put(o, "]");
    return true;
}

/* ---- system ---- */

OPERAND(put_hint)
{
    a64_put(o, "#0x%x", W(11, 5));
    return true;
}
OPERAND(put_crm) /* isb, clrex: all ones are not shown */
{
    if (W(11, 8) != 15)
        a64_put(o, "#0x%x", W(11, 8));
    return true;
}
OPERAND(put_barrier)
{
    static const char name[16][6] = {
        [1] = "oshld", [2] = "oshst",  [3] = "osh",  [5] = "nshld", [6] = "nshst", [7] = "nsh",
        [9] = "ishld", [10] = "ishst", [11] = "ish", [13] = "ld",   [14] = "st",   [15] = "sy"};
    if (*name[W(11, 8)])
        a64_put(o, "%s", name[W(11, 8)]);
    else
        a64_put(o, "#0x%02x", W(11, 8));
    return true;
}
OPERAND(put_prfop)
{
    static const char type[3][4] = {"pld", "pli", "pst"};
    unsigned v = W(4, 0);
    if (v >> 3 < 3 && (v >> 1 & 3) < 3)
        a64_put(o, "%sl%u%s", type[v >> 3], (v >> 1 & 3) + 1, v & 1 ? "strm" : "keep");
    else
        a64_put(o, "#0x%02x", v);
    return true;
}
OPERAND(put_xret) /* ret's register, unless it is the link register */
{
    if (in->rn != 30)
        put_general(o, in->rn, true, false);
    return true;
}
OPERAND(put_copy)
{
    a64_put(o, "[x%u]!, [x%u]!, x%u!", in->rd, in->rm, in->rn);
    return a64_bulk_registers(in->word);
}
OPERAND(put_set)
{
    a64_put(o, "[x%u]!, x%u!, ", in->rd, in->rn);
    put_general(o, in->rm, true, false);
    return a64_bulk_registers(in->word);
}
OPERAND(put_sysop)
{
    a64_put(o, "#%u, C%u, C%u, #%u", W(18, 16), W(15, 12), W(11, 8), W(7, 5));
    return true;
}
OPERAND(put_sys)
{
    put_sysop(o, in);
    if (in->rd != 31) {
        a64_put(o, ", ");
        put_general(o, in->rd, true, false);
    }
    return true;
}
/* op0 to op2 of a system register as one number, as they stand in bits 19 to 5 with op0's upper bit 1. */
#define SYSREG(op0, op1, crn, crm, op2) \
    (((op0)&1) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

OPERAND(put_sysreg)
{
    static const struct {
        uint16_t number;
        const char *name;
    } names[] = {
        {SYSREG(3, 0, 0, 0, 0), "midr_el1"},
        {SYSREG(3, 0, 0, 0, 4), "mpuir_el1"},
        {SYSREG(3, 0, 0, 0, 5), "mpidr_el1"},
        {SYSREG(3, 0, 0, 0, 6), "revidr_el1"},
        {SYSREG(3, 0, 0, 1, 0), "id_pfr0_el1"},
        {SYSREG(3, 0, 0, 1, 1), "id_pfr1_el1"},
        {SYSREG(3, 0, 0, 1, 2), "id_dfr0_el1"},
        {SYSREG(3, 0, 0, 1, 3), "id_afr0_el1"},
        {SYSREG(3, 0, 0, 1, 4), "id_mmfr0_el1"},
        {SYSREG(3, 0, 0, 1, 5), "id_mmfr1_el1"},
        {SYSREG(3, 0, 0, 1, 6), "id_mmfr2_el1"},
        {SYSREG(3, 0, 0, 1, 7), "id_mmfr3_el1"},
        {SYSREG(3, 0, 0, 2, 0), "id_isar0_el1"},
        {SYSREG(3, 0, 0, 2, 1), "id_isar1_el1"},
        {SYSREG(3, 0, 0, 2, 2), "id_isar2_el1"},
        {SYSREG(3, 0, 0, 2, 3), "id_isar3_el1"},
        {SYSREG(3, 0, 0, 2, 4), "id_isar4_el1"},
        {SYSREG(3, 0, 0, 2, 5), "id_isar5_el1"},
        {SYSREG(3, 0, 0, 2, 6), "id_mmfr4_el1"},
        {SYSREG(3, 0, 0, 2, 7), "id_isar6_el1"},
        {SYSREG(3, 0, 0, 3, 0), "mvfr0_el1"},
        {SYSREG(3, 0, 0, 3, 1), "mvfr1_el1"},
        {SYSREG(3, 0, 0, 3, 2), "mvfr2_el1"},
        {SYSREG(3, 0, 0, 3, 4), "id_pfr2_el1"},
        {SYSREG(3, 0, 0, 3, 5), "id_dfr1_el1"},
        {SYSREG(3, 0, 0, 3, 6), "id_mmfr5_el1"},
        {SYSREG(3, 0, 0, 4, 0), "id_aa64pfr0_el1"},
        {SYSREG(3, 0, 0, 4, 1), "id_aa64pfr1_el1"},
        {SYSREG(3, 0, 0, 4, 2), "id_aa64pfr2_el1"},
        {SYSREG(3, 0, 0, 4, 4), "id_aa64zfr0_el1"},
        {SYSREG(3, 0, 0, 4, 5), "id_aa64smfr0_el1"},
        {SYSREG(3, 0, 0, 4, 7), "id_aa64fpfr0_el1"},
        {SYSREG(3, 0, 0, 5, 0), "id_aa64dfr0_el1"},
        {SYSREG(3, 0, 0, 5, 1), "id_aa64dfr1_el1"},
        {SYSREG(3, 0, 0, 5, 4), "id_aa64afr0_el1"},
        {SYSREG(3, 0, 0, 5, 5), "id_aa64afr1_el1"},
        {SYSREG(3, 0, 0, 6, 0), "id_aa64isar0_el1"},
        {SYSREG(3, 0, 0, 6, 1), "id_aa64isar1_el1"},
        {SYSREG(3, 0, 0, 6, 2), "id_aa64isar2_el1"},
        {SYSREG(3, 0, 0, 7, 0), "id_aa64mmfr0_el1"},
        {SYSREG(3, 0, 0, 7, 1), "id_aa64mmfr1_el1"},
        {SYSREG(3, 0, 0, 7, 2), "id_aa64mmfr2_el1"},
        {SYSREG(3, 3, 0, 0, 1), "ctr_el0"},
        {SYSREG(3, 3, 0, 0, 7), "dczid_el0"},
        {SYSREG(3, 3, 2, 4, 0), "rndr"},
        {SYSREG(3, 3, 2, 4, 1), "rndrrs"},
        {SYSREG(3, 3, 2, 5, 1), "gcspr_el0"},
        {SYSREG(3, 3, 4, 2, 0), "nzcv"},
        {SYSREG(3, 3, 4, 2, 5), "dit"},
        {SYSREG(3, 3, 4, 2, 6), "ssbs"},
        {SYSREG(3, 3, 4, 2, 7), "tco"},
        {SYSREG(3, 3, 4, 4, 0), "fpcr"},
        {SYSREG(3, 3, 4, 4, 1), "fpsr"},
        {SYSREG(3, 3, 10, 2, 4), "por_el0"},
        {SYSREG(3, 3, 13, 0, 2), "tpidr_el0"},
        {SYSREG(3, 3, 13, 0, 3), "tpidrro_el0"},
        {SYSREG(3, 3, 13, 0, 5), "tpidr2_el0"},
        {SYSREG(3, 3, 14, 0, 0), "cntfrq_el0"},
        {SYSREG(3, 3, 14, 0, 1), "cntpct_el0"},
        {SYSREG(3, 3, 14, 0, 2), "cntvct_el0"},
        {SYSREG(3, 3, 14, 0, 5), "cntpctss_el0"},
        {SYSREG(3, 3, 14, 0, 6), "cntvctss_el0"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].number == W(19, 5)) {
            a64_put(o, "%s", names[i].name);
            return true;
        }
    }
    a64_put(o, "s%u_%u_c%u_c%u_%u", 2 + W(19, 19), W(18, 16), W(15, 12), W(11, 8), W(7, 5));
    return true;
}

static const struct a64_operand operands[] = {
    {"even_d", put_even_d},
    {"even_m", put_even_m},
    {"imm", put_imm},
    {"ximm", put_ximm},
    {"immsh", put_immsh},
    {"immw", put_immw},
    {"bitmask", put_bitmask},
    {"immr", put_immr},
    {"rmif", put_rmif},
    {"pstate", put_pstate},
    {"imms", put_imms},
    {"imm5", put_imm5},
    {"udf", put_udf},
    {"tag", put_tag},
    {"nzcv", put_nzcv},
    {"cond", put_cond},
    {"bit", put_bit},
    {"fbits", put_fbits},
    {"addr", put_addr},
    {"page", put_page},
    {"shift", put_shift},
    {"rmext", put_rmext},
    {"mem", put_mem},
    {"mem_u", put_mem_u},
    {"mem_i", put_mem_i},
    {"mem_post", put_mem_post},
    {"mem_pre", put_mem_pre},
    {"mem_auth", put_mem_auth},
    {"mem_r", put_mem_r},
    {"pair", put_pair},
    {"pair_post", put_pair_post},
    {"pair_pre", put_pair_pre},
    {"hint", put_hint},
    {"crm", put_crm},
    {"barrier", put_barrier},
    {"prfop", put_prfop},
    {"xret", put_xret},
    {"copy", put_copy},
    {"set", put_set},
    {"sys", put_sys},
    {"sysop", put_sysop},
    {"sysreg", put_sysreg},
    {NULL, NULL},
};

/* ---- the row's columns ---- */

static const char *letter(char c, uint32_t w)
{
    static const char size[4][2] = {"b", "h", "", ""}, order[4][3] = {"", "l", "a", "al"};
    /* Unprivileged writes, reads, both; non-temporal ones. */
    static const char copy[16][6] = {"",   "wt",   "rt",   "t",   "wn", "wtwn", "rtwn", "twn",
                                     "rn", "wtrn", "rtrn", "trn", "n",  "wtn",  "rtn",  "tn"};
    static const char set[4][3] = {"", "t", "n", "tn"};
    switch (c) {
    case 'z':
        return size[w >> 30];
    case 'o':
        return order[w >> 22 & 3];
    case 'q':
        return order[(w >> 22 & 1) << 1 | (w >> 15 & 1)];
    case 'm':
        return copy[w >> 12 & 15];
    case 's':
        return set[w >> 12 & 3];
    case '2':
        return w >> 30 & 1 ? "2" : "";
    default:
        return cond_name[w & 15];
    }
}

static const struct a64_operand *find(const struct a64_operand *table, const char *name, size_t len)
{
    for (; table->name; table++)
        if (!strncmp(table->name, name, len) && !table->name[len])
            return table;
    return NULL;
}

/* One word of TEXT: a register, an operand of the tables, or what stands for itself. */
static bool put_word(struct out *o, const struct a64_insn *in, const char *word, size_t len)
{
    const struct a64_operand *op = find(operands, word, len);
    if (!op)
        op = find(a64_simd_operands, word, len);
    if (op)
        return op->put(o, in);
    if (len == 2) {
        static const char fields[] = "dnma";
        const char *field = strchr(fields, word[1]);
        const uint8_t number[4] = {in->rd, in->rn, in->rm, in->ra};
        if (field && put_register(o, in, word[0], number[field - fields]))
            return true;
    }
    a64_put(o, "%.*s", (int)len, word);
    return true;
}

static bool put_text(struct out *o, const struct a64_insn *in, const char *text)
{
    while (*text) {
        size_t len = 0;
        while (isalnum((unsigned char)text[len]) || text[len] == '_')
            len++;
        if (len && !put_word(o, in, text, len))
            return false;
        text += len;
        if (*text == ',')
            a64_put(o, ", ");
        else if (*text && *text != '+')
            a64_put(o, "%c", *text);
        text += *text != 0;
    }
    return true;
}

unsigned a64_disasm(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc)
{
    struct a64_insn in;
    struct out name = {.len = 0}, text = {.pc = pc};
    if (size)
        buf[0] = 0;
    if (avail < 4)
        return 0;
    uint32_t w = code[0] | code[1] << 8 | code[2] << 16 | (uint32_t)code[3] << 24;
    if (!a64_decode32(w, &in) || !put_text(&text, &in, a64_rows[in.row].text)) {
        snprintf(buf, size, ".inst\t0x%08x", w);
        return 4;
    }
    for (const char *p = a64_rows[in.row].mnemonic; *p; p++) {
        if (*p == '%')
            a64_put(&name, "%s", letter(*++p, w));
        else
            a64_put(&name, "%c", *p);
    }
    snprintf(buf, size, "%s%s%s", name.text, text.len ? "\t" : "", text.text);
    return 4;
}

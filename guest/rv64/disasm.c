/* guest/rv64/disasm.c: text of one instruction, as binutils' objdump -d -M no-aliases prints it.
 *
 * Owns: the letters of rv64.decode's TEXT column and the register and CSR names. Nothing but the row
 * decides what is printed, so a comparison with objdump checks the rows themselves.
 *
 * Threading: pure functions.
 */
#include "base/text.h"
#include "guest/rv64/rv64.h"
#include <inttypes.h>
#include <string.h>

static const char x_name[32][5] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};
static const char f_name[32][5] = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

const char *rv64_slot_name(unsigned slot)
{
    if (slot < 32)
        return x_name[slot];
    if (slot >= RV64_F0 && slot < RV64_F0 + 32)
        return f_name[slot - RV64_F0];
    return slot == RV64_PC ? "pc" : slot == RV64_FRM ? "frm" : NULL;
}

static void put_csr(struct text *o, unsigned csr)
{
    static const struct {
        unsigned number;
        const char *name;
    } names[] = {
        {RV64_CSR_FFLAGS, "fflags"},
        {RV64_CSR_FRM, "frm"},
        {RV64_CSR_FCSR, "fcsr"},
        {RV64_CSR_CYCLE, "cycle"},
        {RV64_CSR_TIME, "time"},
        {RV64_CSR_INSTRET, "instret"},
        {0x008, "vstart"},
        {0x009, "vxsat"},
        {0x00a, "vxrm"},
        {0x00f, "vcsr"},
        {0xc20, "vl"},
        {0xc21, "vtype"},
        {0xc22, "vlenb"},
        {0x015, "seed"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].number == csr) {
            text_put(o, "%s", names[i].name);
            return;
        }
    }
    text_put(o, "0x%x", csr);
}

static void put_fence(struct text *o, unsigned set)
{
    if (!set)
        text_put(o, "unknown");
    for (int i = 0; i < 4; i++)
        if (set & (8u >> i))
            text_put(o, "%c", "iorw"[i]);
}

/* One letter of the table's TEXT column. */
static void put_letter(struct text *o, char c, const struct rv64_insn *in, uint64_t pc)
{
    static const char rm[8][8] = {"rne", "rtz", "rdn", "rup", "rmm", "unknown", "unknown", "dyn"};
    static const char aqrl[4][6] = {"", ".rl", ".aq", ".aqrl"};
    switch (c) {
    case 'd':
        text_put(o, "%s", x_name[in->rd]);
        break;
    case 's':
        text_put(o, "%s", x_name[in->rs1]);
        break;
    case 't':
        text_put(o, "%s", x_name[in->rs2]);
        break;
    case 'D':
        text_put(o, "%s", f_name[in->rd]);
        break;
    case 'S':
        text_put(o, "%s", f_name[in->rs1]);
        break;
    case 'T':
        text_put(o, "%s", f_name[in->rs2]);
        break;
    case 'R':
        text_put(o, "%s", f_name[in->rs3]);
        break;
    case 'i':
    case 'n':
        text_put(o, "%" PRId64, in->imm);
        break;
    case 'x':
        text_put(o, "0x%" PRIx64, in->imm);
        break;
    case 'u':
        text_put(o, "0x%" PRIx64, in->imm >> 12 & 0xfffff);
        break;
    case 'a':
        text_put(o, "0x%" PRIx64, pc + (uint64_t)in->imm);
        break;
    case 'c':
        put_csr(o, in->imm);
        break;
    case 'z':
        text_put(o, "%u", in->rs1);
        break;
    case 'f':
        if (in->imm == 1)
            text_put(o, "min");
        else
            text_put(o, "%a", rv64_fli[in->imm]);
        break;
    case 'm':
        if (in->rm != FP_DYN)
            text_put(o, ",%s", rm[in->rm]);
        break;
    case 'p':
        put_fence(o, in->imm >> 4 & 15);
        break;
    case 'q':
        put_fence(o, in->imm & 15);
        break;
    case 'w': /* objdump's widths */
        text_put(o, "%u, 0x%0*x", rv64_rows[in->row].bits / 8, in->word >> 16 ? 8 : 4, in->word);
        break;
    case 'A':
        text_put(o, "%s", aqrl[in->aqrl]);
        break;
    default:
        text_put(o, "%c", c);
    }
}

unsigned rv64_disasm(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc)
{
    struct rv64_insn in;
    struct text o = {.buf = buf, .size = size};
    unsigned len = rv64_decode(&in, code, avail);
    if (size)
        buf[0] = 0;
    if (!len)
        return 0;
    if (!in.row) {
        text_put(&o, ".insn\t%u, 0x", len);
        if (len <= 4)
            text_put(&o, "%0*x", in.word >> 16 ? 8 : 4, in.word);
        for (unsigned i = len; len > 4 && i-- > 0;)
            text_put(&o, "%02x", code[i]);
        return len;
    }
    const struct rv64_row *row = &rv64_rows[in.row];
    for (const char *p = row->mnemonic; *p; p++) {
        if (*p == '%')
            put_letter(&o, *++p, &in, pc);
        else
            text_put(&o, "%c", *p);
    }
    if (*row->text)
        text_put(&o, "\t");
    for (const char *p = row->text; *p; p++)
        put_letter(&o, *p, &in, pc);
    return len;
}

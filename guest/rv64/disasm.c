/* guest/rv64/disasm.c: text of one instruction, as binutils' objdump -d -M no-aliases prints it.
 *
 * Owns: the letters of rv64.decode's TEXT column and the register and CSR names. Nothing but the row
 * decides what is printed, so a comparison with objdump checks the rows themselves.
 *
 * Threading: pure functions.
 */
#include "guest/rv64/rv64.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
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

struct out {
    char *buf;
    size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(o->len < o->size ? o->buf + o->len : NULL,
                      o->len < o->size ? o->size - o->len : 0, fmt, ap);
    va_end(ap);
    o->len += n > 0 ? (size_t)n : 0;
}

/* Of the CSRs that user code may see on some processor; the vector ones are not on ours. */
static void put_csr(struct out *o, unsigned csr)
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
            put(o, "%s", names[i].name);
            return;
        }
    }
    put(o, "0x%x", csr);
}

static void put_fence(struct out *o, unsigned set)
{
    if (!set)
        put(o, "unknown");
    for (int i = 0; i < 4; i++)
        if (set & (8u >> i))
            put(o, "%c", "iorw"[i]);
}

/* One letter of the table's TEXT column. */
static void put_letter(struct out *o, char c, const struct rv64_insn *in, uint64_t pc)
{
    static const char rm[8][8] = {"rne", "rtz", "rdn", "rup", "rmm", "unknown", "unknown", "dyn"};
    static const char aqrl[4][6] = {"", ".rl", ".aq", ".aqrl"};
    switch (c) {
    case 'd':
        put(o, "%s", x_name[in->rd]);
        break;
    case 's':
        put(o, "%s", x_name[in->rs1]);
        break;
    case 't':
        put(o, "%s", x_name[in->rs2]);
        break;
    case 'D':
        put(o, "%s", f_name[in->rd]);
        break;
    case 'S':
        put(o, "%s", f_name[in->rs1]);
        break;
    case 'T':
        put(o, "%s", f_name[in->rs2]);
        break;
    case 'R':
        put(o, "%s", f_name[in->rs3]);
        break;
    case 'i':
    case 'n':
        put(o, "%" PRId64, in->imm);
        break;
    case 'x':
        put(o, "0x%" PRIx64, in->imm);
        break;
    case 'u':
        put(o, "0x%" PRIx64, in->imm >> 12 & 0xfffff);
        break;
    case 'a':
        put(o, "0x%" PRIx64, pc + (uint64_t)in->imm);
        break;
    case 'c':
        put_csr(o, in->imm);
        break;
    case 'z':
        put(o, "%u", in->rs1);
        break;
    case 'f':
        if (in->imm == 1)
            put(o, "min");
        else
            put(o, "%a", rv64_fli[in->imm]);
        break;
    case 'm':
        if (in->rm != FP_DYN)
            put(o, ",%s", rm[in->rm]);
        break;
    case 'p':
        put_fence(o, in->imm >> 4 & 15);
        break;
    case 'q':
        put_fence(o, in->imm & 15);
        break;
    case 'w': /* objdump's widths */
        put(o, "%u, 0x%0*x", rv64_rows[in->row].bits / 8, in->word >> 16 ? 8 : 4, in->word);
        break;
    case 'A':
        put(o, "%s", aqrl[in->aqrl]);
        break;
    default:
        put(o, "%c", c);
    }
}

unsigned rv64_disasm(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc)
{
    struct rv64_insn in;
    struct out o = {.buf = buf, .size = size};
    unsigned len = rv64_decode(&in, code, avail);
    if (size)
        buf[0] = 0;
    if (!len)
        return 0;
    if (!in.row) {
        put(&o, ".insn\t%u, 0x", len);
        if (len <= 4)
            put(&o, "%0*x", in.word >> 16 ? 8 : 4, in.word);
        for (unsigned i = len; len > 4 && i-- > 0;)
            put(&o, "%02x", code[i]);
        return len;
    }
    const struct rv64_row *row = &rv64_rows[in.row];
    for (const char *p = row->mnemonic; *p; p++) {
        if (*p == '%')
            put_letter(&o, *++p, &in, pc);
        else
            put(&o, "%c", *p);
    }
    if (*row->text)
        put(&o, "\t");
    for (const char *p = row->text; *p; p++)
        put_letter(&o, *p, &in, pc);
    return len;
}

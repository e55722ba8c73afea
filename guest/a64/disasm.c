/* guest/a64/disasm.c: the mnemonic of one instruction, as binutils' objdump -d -M no-aliases prints it, and the
 * word; operands are not printed yet.
 *
 * Owns: the letters of a64.decode's MNEMONIC column and the slots' names.
 *
 * Threading: pure functions.
 */
#include "guest/a64/a64.h"
#include <stdio.h>
#include <string.h>

static const char slot_names[A64_NSLOTS][8] = {
    "x0",  "x1",     "x2",  "x3",     "x4",   "x5",     "x6",   "x7",     "x8",  "x9",
    "x10", "x11",    "x12", "x13",    "x14",  "x15",    "x16",  "x17",    "x18", "x19",
    "x20", "x21",    "x22", "x23",    "x24",  "x25",    "x26",  "x27",    "x28", "x29",
    "x30", "sp",     "xzr", "pc",     "nzcv", "tpidr",  "fpcr", "fpsr",   "v0",  "v0.hi",
    "v1",  "v1.hi",  "v2",  "v2.hi",  "v3",   "v3.hi",  "v4",   "v4.hi",  "v5",  "v5.hi",
    "v6",  "v6.hi",  "v7",  "v7.hi",  "v8",   "v8.hi",  "v9",   "v9.hi",  "v10", "v10.hi",
    "v11", "v11.hi", "v12", "v12.hi", "v13",  "v13.hi", "v14",  "v14.hi", "v15", "v15.hi",
    "v16", "v16.hi", "v17", "v17.hi", "v18",  "v18.hi", "v19",  "v19.hi", "v20", "v20.hi",
    "v21", "v21.hi", "v22", "v22.hi", "v23",  "v23.hi", "v24",  "v24.hi", "v25", "v25.hi",
    "v26", "v26.hi", "v27", "v27.hi", "v28",  "v28.hi", "v29",  "v29.hi", "v30", "v30.hi",
    "v31", "v31.hi",
};

const char *a64_slot_name(unsigned slot)
{
    return slot < A64_NSLOTS ? slot_names[slot] : NULL;
}

static const char *letter(char c, uint32_t w)
{
    static const char size[4][2] = {"b", "h", "", ""}, order[4][3] = {"", "l", "a", "al"};
    static const char cond[16][3] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                     "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"};
    switch (c) {
    case 'z':
        return size[w >> 30];
    case 'o':
        return order[w >> 22 & 3];
    case 'q':
        return order[(w >> 22 & 1) << 1 | (w >> 15 & 1)];
    case '2':
        return w >> 30 & 1 ? "2" : "";
    default:
        return cond[w & 15];
    }
}

unsigned a64_disasm(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc)
{
    struct a64_insn in;
    char name[32];
    size_t n = 0;
    (void)pc;
    if (size)
        buf[0] = 0;
    if (avail < 4)
        return 0;
    uint32_t w = code[0] | code[1] << 8 | code[2] << 16 | (uint32_t)code[3] << 24;
    if (!a64_decode32(w, &in)) {
        snprintf(buf, size, ".inst\t0x%08x", w);
        return 4;
    }
    for (const char *p = a64_rows[in.row].mnemonic; *p; p++) {
        if (*p != '%') {
            name[n++] = *p;
            continue;
        }
        for (const char *s = letter(*++p, w); *s; s++)
            name[n++] = *s;
    }
    name[n] = 0;
    snprintf(buf, size, "%s\t0x%08x", name, w);
    return 4;
}

/* What the two files of the A64 disassembler share: the text under construction and the table of operands.
 *
 * Owns: nothing; disasm.c has the general operands, disasm_simd.c those of AdvSIMD.
 *
 * Threading: works on the caller's struct out only.
 */
#ifndef DRAGOMAN_GUEST_A64_DISASM_H
#define DRAGOMAN_GUEST_A64_DISASM_H

#include "guest/a64/a64.h"

struct out {
    char text[160];
    size_t len;
    uint64_t pc;
};

/* A word of the TEXT column; false when the encoding is reserved after all. */
struct a64_operand {
    const char *name;
    bool (*put)(struct out *o, const struct a64_insn *in);
};

extern const struct a64_operand a64_simd_operands[]; /* ends with a name of NULL */

__attribute__((format(printf, 2, 3))) void a64_put(struct out *o, const char *fmt, ...);
/* "b", "h", "s", "d", "q" by the binary logarithm of the size in bytes. */
extern const char a64_size_letter[];

/* Bits hi to lo of the instruction word. */
#define W(hi, lo) A64_BITS(in->word, hi, lo)

#endif

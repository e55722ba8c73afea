/* Disassembly of host code for dumps.
 *
 * Owns nothing; a wrapper of the Zydis library, which is optional.
 *
 * Threading: reentrant.
 */
#ifndef DRAGOMAN_HOST_X64_DISASM_H
#define DRAGOMAN_HOST_X64_DISASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Was Dragoman built with the disassembler? */
bool x64_disasm_available(void);

/* The disassembler's version, major << 8 | minor, whose text may differ from another's; 0 without one. */
unsigned x64_disasm_version(void);

/* One instruction at code[0..avail), which runs at address pc: its text (Intel syntax) into buf. Returns its
 * length; 0 when it is not an instruction or no disassembler is there (buf is "" then). */
unsigned x64_disasm(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc);

/* Write len bytes at code, one line an instruction: address, bytes, text. What does not decode is shown
 * as a byte. */
void x64_disasm_dump(FILE *f, const uint8_t *code, size_t len, uint64_t pc);

#endif

/* Small riscv64 programs made of blocks of code, each started from given registers and memory.
 *
 * Owns: the layout of such a program, which is a static ELF file that runs anywhere (on a real machine,
 * in another emulator, in Dragoman) and in this process through the lifter and the interpreter.
 * For each block the program writes a struct prog_result to its standard output.
 *
 * Within a block x3 points behind the scratch memory and must not be changed; x1 to x31 and f0 to f31 are
 * otherwise free. An instruction that is undefined, a breakpoint, or faults is counted and skipped (a
 * fault ends prog_run_here, which has no handler); a system call must be one that does not exist.
 */
#ifndef DRAGOMAN_TESTS_GUEST_RV64_PROG_H
#define DRAGOMAN_TESTS_GUEST_RV64_PROG_H

#include <stddef.h>
#include <stdint.h>

#define PROG_TEXT UINT64_C(0x10000000)
#define PROG_GP UINT64_C(0x20001000) /* x3: the end of scratch memory */
#define PROG_SCRATCH 512             /* bytes */

/* What a block starts from. x[0] and x[3] are ignored. */
struct prog_state {
    uint64_t scratch[PROG_SCRATCH / 8];
    uint64_t fcsr;
    uint64_t f[32];
    uint64_t x[32];
};

struct prog_result {
    uint64_t scratch[PROG_SCRATCH / 8];
    uint64_t x[31]; /* x1 to x31 */
    uint64_t f[32];
    uint64_t fcsr;
    uint64_t traps; /* instructions that were undefined, breakpoints, or faulted */
    uint64_t
        faults; /* of SIGSEGV and SIGBUS: 5 * faults + address + 256 * si_code + signo, in turn */
};

/* A state in which every register and memory word has a value of its own, the floating-point
 * registers ordinary doubles; fcsr is 0. */
void prog_default_state(struct prog_state *s);

struct prog;
/* A program that runs each block `repeat` times, from the same state, and writes the last result: an
 * engine that translates what is hot gets to do so. */
struct prog *prog_new(unsigned repeat);
void prog_free(struct prog *p);

/* The address that the next block's code will have. */
uint64_t prog_next_pc(struct prog *p);
/* Add a block; code is copied. */
void prog_add(struct prog *p, const struct prog_state *state, const void *code, size_t len);

/* Write the program to path; exits with a message when it cannot. */
void prog_write(struct prog *p, const char *path);

/* Run all blocks through lift_block and interp_run. Call once per process and program at a time. */
void prog_run_here(struct prog *p, struct prog_result *out);
/* Run the program by a command, which gets the file's path appended: 0, or -1 with a message when
 * the command failed or wrote too little. */
int prog_run_by(struct prog *p, const char *command, struct prog_result *out);

/* Name of the n-th 64-bit word of a struct prog_result. */
const char *prog_word_name(unsigned n);

#endif

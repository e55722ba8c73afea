/* interp/loop.h: between interp/interp.c and the dispatch loop.
 *
 * Owns: struct loop_exit.
 *
 * Threading: as interp/interp.h.
 */
#ifndef DRAGOMAN_INTERP_LOOP_H
#define DRAGOMAN_INTERP_LOOP_H

#include "uop/block.h"
#include "uop/cpu.h"

struct loop_exit {
    struct block *from;
    unsigned edge;
    uint64_t pc; /* EXIT_BLOCK, EXIT_SIGNAL and EXIT_STALE; the others name a micro-op in cpu->at */
};

/* Run from b on. For reasons that concern an instruction, cpu->block and cpu->at name its micro-op. */
enum exit_reason interp_loop(struct cpu *cpu, struct block *b, struct loop_exit *out);

#endif

/* The interpreter: threaded dispatch over the micro-ops of blocks.
 *
 * interp_run runs from block b (whose pc is the cpu's) until something is to be done outside, and
 * returns why. It follows links between blocks, looks others up in the jump cache, counts entries and
 * taken edges, and polls cpu->pending at every block head. A faulting access comes back through
 * cpu->recover as EXIT_FAULT with the state of the instruction's beginning.
 *
 * EXIT_BLOCK is returned when the next block is unknown, with *from and *edge naming the link to
 * make afterwards (from is NULL for none), or when a block's count reaches hot_threshold, so that
 * the caller may promote it.
 *
 * Threading: reentrant; one call per cpu.
 */
#ifndef DRAGOMAN_INTERP_INTERP_H
#define DRAGOMAN_INTERP_INTERP_H

#include "uop/block.h"
#include "uop/cpu.h"

struct interp_exit {
    enum exit_reason reason;
    struct block *from; /* EXIT_BLOCK: the block that was left */
    unsigned edge;      /* EXIT_BLOCK: through this edge */
};
struct interp_exit interp_run(struct cpu *cpu, struct block *b);

#endif

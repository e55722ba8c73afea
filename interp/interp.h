/* The interpreter: threaded dispatch over the micro-ops of blocks.
 *
 * Owns: interp_run, which runs from block b (whose pc is the cpu's) until something is to be done
 * outside, and returns why. It follows links between blocks, looks others up in the jump cache and in
 * codecache/ (linking what it finds), counts entries and taken edges, and polls cpu->pending at every
 * block head. The cpu's pc slot is right whenever it has returned.
 *
 * EXIT_BLOCK is returned when the next block is unknown, with `from` and `edge` naming the link to
 * make afterwards (from is NULL for none: an indirect jump), or when the count of the block at pc
 * has reached its hot_at, so that the caller may promote it (from is NULL then, too).
 *
 * Faults. Every instruction of the interpreter that touches guest memory lies in the text section
 * interp_text and has the micro-op's address in host register rbx. So nothing is recorded before an access;
 * the fault handler takes the micro-op from the interrupted context (interp_fault).
 *
 * Threading: reentrant; one call per cpu.
 */
#ifndef DRAGOMAN_INTERP_INTERP_H
#define DRAGOMAN_INTERP_INTERP_H

#include "uop/block.h"
#include "uop/cpu.h"

struct interp_exit {
    enum exit_reason reason;
    struct block *from; /* EXIT_BLOCK: the block that was left, or NULL */
    unsigned edge;      /* EXIT_BLOCK: through this edge */
};
/* b itself is run even if it is hot. */
struct interp_exit interp_run(struct cpu *cpu, struct block *b);

/* In a host signal handler, for a synchronous fault of the calling thread, whose cpu this is: when the
 * interrupted host pc is the interpreter's, keep *fault in the cpu, let the handler's return resume at the
 * interpreter's exit (it changes *ucontext, a ucontext_t) and return true: interp_run then returns
 * EXIT_FAULT. The signal mask is what the handler's return restores. False: not the interpreter's fault. */
bool interp_fault(struct cpu *cpu, const struct cpu_fault *fault, void *ucontext);

/* Is the host address in the interpreter's access-making text? */
bool interp_owns_pc(uintptr_t host_pc);

#endif

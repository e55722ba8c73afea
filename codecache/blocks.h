/* The blocks of the process: lookup by guest pc, links, invalidation, reclamation.
 *
 * Invariants: a block is found by lookup until it is invalidated; then it is unlinked from every
 * other block, marked BLOCK_DEAD and put in limbo, and freed once every cpu has passed a point
 * outside the engines since (cc_quiesce / cc_leave). A thread that runs in a dead block finishes
 * that block at most.
 *
 * Threading: cc_lookup is lock-free through the per-cpu jump cache and takes the cc lock otherwise;
 * the others take the cc lock. Never called from signal context.
 */
#ifndef DRAGOMAN_CODECACHE_BLOCKS_H
#define DRAGOMAN_CODECACHE_BLOCKS_H

#include "uop/block.h"
#include "uop/cpu.h"

/* Register/unregister a cpu with the reclamation scheme: when its thread starts and ends. */
void cc_cpu_add(struct cpu *cpu);
void cc_cpu_remove(struct cpu *cpu);

/* The cpu is about to run guest code / is outside the engines for long (a system call). Between
 * leave and enter it holds no block pointer; its jump cache is flushed as needed on enter. */
void cc_enter(struct cpu *cpu);
void cc_leave(struct cpu *cpu);

/* The block at pc, or NULL. Fills the cpu's jump cache. */
struct block *cc_lookup(struct cpu *cpu, uint64_t pc);

/* Add a freshly lifted block. Ownership passes; returns the block to use (another thread may have
 * been first: then b is freed and the other returned). */
struct block *cc_insert(struct cpu *cpu, struct block *b);

/* Record that edge of from leads to `to` (so that the interpreter need not look it up). */
void cc_link(struct block *from, unsigned edge, struct block *to);

/* Throw away every block that came from guest bytes [addr, addr+len). All threads leave dead
 * blocks at the next block head. */
void cc_invalidate(uint64_t addr, uint64_t len);

/* In the child of fork: only the calling thread is left. Reinitialises locks. */
void cc_after_fork(struct cpu *cpu);

/* Visit every live block (statistics, dumps) under the lock. */
void cc_for_each(void (*fn)(struct block *b, void *arg), void *arg);

struct cc_stats { uint64_t blocks, lifted, invalidated, freed, insns_lifted, bytes_lifted; };
void cc_get_stats(struct cc_stats *s);

#endif

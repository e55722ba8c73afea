/* The blocks of the process: lookup by guest pc, links, invalidation, reclamation.
 *
 * Invariants: a block is found by lookup until it is invalidated; then it is unlinked from every
 * other block, marked BLOCK_DEAD and put in limbo, and freed once every cpu has passed a point
 * outside the engines since. A cpu that runs in a dead block finishes that block at most:
 * invalidation sets cpu->pending for every cpu that has entered.
 *
 * Epochs. The process-wide epoch advances with each invalidation. cc_enter notes the epoch in the
 * cpu and flushes its jump cache when that is older; a dead block is freed when no cpu is in an
 * epoch that saw it alive. A block pointer got from here is good until the cpu's next cc_leave or
 * cc_quiesce.
 *
 * Threading: cc_lookup is lock-free; the others take the cc lock, the last in the lock order. Never called from signal context.
 */
#ifndef DRAGOMAN_CODECACHE_BLOCKS_H
#define DRAGOMAN_CODECACHE_BLOCKS_H

#include "uop/block.h"
#include "uop/cpu.h"

/* Register/unregister a cpu with the reclamation scheme: when its thread starts and ends. add also
 * empties its jump cache; remove leaves. */
void cc_cpu_add(struct cpu *cpu);
void cc_cpu_remove(struct cpu *cpu);

/* The cpu is about to run guest code / is outside the engines for long (a system call). Between
 * leave and enter it holds no block pointer. */
void cc_enter(struct cpu *cpu);
void cc_leave(struct cpu *cpu);
/* An entered cpu that holds no block pointer: as leave and enter, but costs nothing when there was
 * no invalidation. For the run loop, whenever an engine returned with pending set. */
void cc_quiesce(struct cpu *cpu);

/* For what else is reclaimed by epochs (codecache/unit.c): something was made unreachable. Asks all cpus
 * in the engines to leave, and returns what to give cc_retired, which is true once all have left
 * since. */
uint64_t cc_retire(void);
bool cc_retired(uint64_t epoch);

/* Code is made for the FP_CODE_RULES of the environment: what the others are for is not found. When the cpu's have become
 * others, the run loop takes them over before it looks for what to run next: the cpu's tables of blocks and units, and its frames, become empty. */
void cc_take_rules(struct cpu *cpu);
static inline bool cc_other_rules(const struct cpu *cpu)
{
    return cpu->code_rules != (cpu->fp_rules & FP_CODE_RULES);
}

/* The block at pc for the cpu's rules, or NULL. Fills the cpu's jump cache. The cpu has entered. */
struct block *cc_lookup(struct cpu *cpu, uint64_t pc);

/* Add a freshly lifted block, for the cpu's rules. Ownership passes; returns the block to use (another thread may have
 * been first: then b is freed and the other returned). */
struct block *cc_insert(struct cpu *cpu, struct block *b);

/* Record that edge of from leads to `to` (so that the interpreter need not look it up). Nothing
 * happens when either is dead or the edge is linked already. */
void cc_link(struct block *from, unsigned edge, struct block *to);

/* Throw away every block and every unit that came from guest bytes [addr, addr+len). All cpus leave dead
 * blocks at the next block head. */
void cc_invalidate(uint64_t addr, uint64_t len);

/* Around fork, for blocks and units: begin takes the locks so that the child finds everything whole; end releases it. In the
 * child only the calling thread's cpu is left (NULL for none). */
void cc_fork_begin(void);
void cc_fork_end(bool child, struct cpu *cpu);

/* Visit the live block at pc for these rules, if there is one, under the lock. */
void cc_visit(uint64_t pc, unsigned rules, void (*fn)(struct block *b, void *arg), void *arg);

/* Visit every live block (statistics, dumps) under the lock. */
void cc_for_each(void (*fn)(struct block *b, void *arg), void *arg);

struct cc_stats {
    uint64_t blocks;      /* live now */
    uint64_t lifted;      /* inserted so far */
    uint64_t invalidated; /* of these, thrown away */
    uint64_t freed;       /* of those, freed */
    uint64_t links;       /* edges linked so far */
    uint64_t insns_lifted, bytes_lifted, uops_lifted;
};
void cc_get_stats(struct cc_stats *s);

#endif

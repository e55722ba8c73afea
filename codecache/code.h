/* Code memory: one region of fixed capacity, mapped twice, in chunks.
 *
 * Owns: the region, its chunks, the stubs at its beginning, and the counters beside it.
 *
 * Layout. The executable view is [stubs page | chunk 0 | chunk 1 | ...]; right behind it, so in
 * reach of RIP-relative operands, lies writable data (one 8-byte cell a unit). The writable view of the
 * code has another address, placed at random like the first: neither view is ever writable and
 * executable. Both views are of one piece of shared anonymous memory. They are not inherited by
 * fork: the child begins with an empty region of its own, made when it first translates.
 *
 * Chunks are filled in order, by bumping. When the last free one is begun, the oldest is evicted whole: it
 * drains until every cpu has left the engines, then it is free. An allocation that would have to wait
 * for that fails, and the caller goes on interpreting.
 *
 * Threading: under the unit lock (codecache/unit.c), but for the functions that say otherwise.
 */
#ifndef DRAGOMAN_CODECACHE_CODE_H
#define DRAGOMAN_CODECACHE_CODE_H

#include "host/x64/stubs.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CC_CAPACITY_MIN (64u << 10)
#define CC_CAPACITY_DEFAULT (64u << 20)
#define CC_CAPACITY_MAX (1u << 30)
#define CC_MAX_CHUNKS 16
#define CC_UNIT_ALIGN 32 /* units begin at a multiple; so a chunk's index has a fixed bound */
#define CC_LOOP_ALIGN \
    64 /* better code at a multiple of this: a line of the instruction cache, to which it aligns short loops */

struct unit;

enum cc_chunk_state { CHUNK_FREE, CHUNK_FILLING, CHUNK_FULL, CHUNK_DRAINING };

/* A unit and where it begins, in bytes from its chunk's beginning. */
struct cc_placed {
    struct unit *unit;
    uint32_t off;
};
#define CC_GRAIN 1024u /* bytes of code for which the index of units has a place to start at */

struct cc_chunk {
    uint8_t *code; /* executable address */
    uint32_t used, data_used;
    enum cc_chunk_state state;
    uint64_t dead_epoch;       /* CHUNK_DRAINING: see cc_retire */
    uint32_t nunits;           /* atomic; published after the entries below it */
    struct cc_placed *by_addr; /* ascending addresses; read in signal context */
    uint32_t *grain;           /* number of the unit that a grain's first byte belongs to */
};

struct cc_region {
    uint8_t *exec;      /* NULL: not made yet */
    ptrdiff_t to_write; /* writable address less executable one */
    uint64_t *data;
    size_t size, chunk_size, data_size;
    unsigned nchunks, cur;
    struct cc_chunk chunk[CC_MAX_CHUNKS];
    uint32_t stub_off[X64_NSTUBS];
    struct x64_homes homes;
};
extern struct cc_region cc_region;

/* Choose the capacity in bytes of code (rounded up to what divides well) before the first unit. False when
 * it is out of range. */
bool cc_set_capacity(size_t bytes);

/* Map the region and emit the stubs for guest g, if that is not done. False when the host refuses. */
bool cc_code_ready(const struct guest *g);

/* Room for size bytes of code, at a multiple of align, and a data cell in the current chunk, going on to the next when it is full.
 * Evicts ahead (cc_evict_chunk of unit.c). NULL when nothing is free now, or when size exceeds a chunk. */
uint8_t *cc_code_alloc(size_t size, size_t align, uint64_t **cell, unsigned *chunk);
/* Units are entered into the index of their chunk in the order of allocation. */
void cc_code_index(unsigned chunk, struct unit *u, const uint8_t *code);

/* Does translated code for guest g run with the invalid exception unmasked (codecache/trap.h)? Where the host has instructions that
 * leave their operands alone. */
bool cc_traps(const struct guest *g);

/* Is the address in the executable view? Any thread, also in signal context. */
bool cc_owns_pc(uintptr_t host_pc);
/* The chunk that it is in, or NULL (the stubs). As cc_owns_pc. */
const struct cc_chunk *cc_chunk_of(uintptr_t host_pc);

/* The writable address of code. */
static inline uint8_t *cc_writable(const uint8_t *exec)
{
    return (uint8_t *)(uintptr_t)exec + cc_region.to_write;
}

static inline const void *cc_stub(enum x64_stub s)
{
    return cc_region.exec + cc_region.stub_off[s];
}

/* Forget the region, which the kernel did not give to this child of fork. */
void cc_code_after_fork(void);

/* In unit.c: kill and unlink all units of a chunk. */
void cc_evict_chunk(unsigned chunk);
/* In unit.c: free what is left of them, when the chunk is to be used again. */
void cc_free_chunk_units(unsigned chunk);

#endif

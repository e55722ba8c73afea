/* Arenas: memory that is handed out in sequence and given back all at once.
 *
 * Owns: struct arena and its chunks, which are mapped directly (never from malloc, so an arena may
 * be used where the heap's locks may be held by an interrupted thread).
 *
 * Invariants: a pointer stays valid until arena_reset or arena_free. What arena_alloc returns is
 * not zeroed.
 *
 * Threading: an arena belongs to one thread at a time; there is no lock.
 */
#ifndef DRAGOMAN_BASE_ARENA_H
#define DRAGOMAN_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *first; /* chunks in the order of their use; NULL: none yet */
    struct arena_chunk *cur;
    size_t used;       /* bytes handed out of cur, its header included */
    size_t chunk_size; /* bytes to map at least, a multiple of the page size */
};

/* Make an empty arena that grows by `chunk_size` bytes (rounded up to pages; 0: 64 KiB). Maps
 * nothing yet. */
void arena_init(struct arena *a, size_t chunk_size);

/* `size` bytes (0 is allowed) at a multiple of `align`, a power of two up to 4096. Never NULL: when
 * the host has no memory left this ends the process with a report. Contents are undefined. */
void *arena_alloc(struct arena *a, size_t size, size_t align);

/* The same, zeroed. */
void *arena_zalloc(struct arena *a, size_t size, size_t align);

/* Forget all that was handed out; keeps the chunks for what comes. */
void arena_reset(struct arena *a);

/* Give everything back to the host. The arena is as after arena_init. */
void arena_free(struct arena *a);

/* Bytes mapped at present. */
size_t arena_mapped(const struct arena *a);

/* `n` objects of a type. */
#define arena_new(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n), _Alignof(type)))
#define arena_znew(a, type, n) ((type *)arena_zalloc((a), sizeof(type) * (n), _Alignof(type)))

#endif

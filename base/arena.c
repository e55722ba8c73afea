/* Arenas over chunks of mapped memory; see arena.h.
 *
 * Owns the chunks' layout: a header, then what is handed out. Chunks form a list in the order of
 * use, of which those after `cur` are empty, kept by arena_reset. */
#include "base/arena.h"
#include "base/report.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* bytes mapped, header included */
};

void arena_init(struct arena *a, size_t chunk_size)
{
    if (chunk_size == 0)
        chunk_size = 64 * 1024;
    *a = (struct arena){.chunk_size = (chunk_size + PAGE - 1) & ~(size_t)(PAGE - 1)};
}

/* Where in a chunk, at or after `used`, `align` is met. */
static size_t aligned_offset(const struct arena_chunk *c, size_t used, size_t align)
{
    uintptr_t base = (uintptr_t)c;
    return ((base + used + align - 1) & ~(uintptr_t)(align - 1)) - base;
}

static bool fits(const struct arena_chunk *c, size_t used, size_t size, size_t align)
{
    size_t off = aligned_offset(c, used, align);
    return off <= c->size && size <= c->size - off;
}

/* A new chunk with room for the request, put after cur. */
static struct arena_chunk *add_chunk(struct arena *a, size_t size, size_t align)
{
    size_t need;
    if (__builtin_add_overflow(size, sizeof(struct arena_chunk) + align + PAGE - 1, &need))
        vm_bug("an arena was asked for %zu bytes", size);
    need &= ~(size_t)(PAGE - 1);
    if (need < a->chunk_size)
        need = a->chunk_size;
    struct arena_chunk *c =
        mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c == MAP_FAILED)
        report_no_memory("%zu bytes", need);
    c->size = need;
    struct arena_chunk **at = a->cur ? &a->cur->next : &a->first;
    c->next = *at;
    *at = c;
    return c;
}

void *arena_alloc(struct arena *a, size_t size, size_t align)
{
    if (align == 0 || align > PAGE || (align & (align - 1)))
        vm_bug("an arena was asked for an alignment of %zu", align);
    if (!a->cur || !fits(a->cur, a->used, size, align)) {
        struct arena_chunk *next = a->cur ? a->cur->next : a->first;
        if (!next || !fits(next, sizeof(*next), size, align))
            next = add_chunk(a, size, align);
        a->cur = next;
        a->used = sizeof(*next);
    }
    size_t off = aligned_offset(a->cur, a->used, align);
    a->used = off + size;
    return (char *)a->cur + off;
}

void *arena_zalloc(struct arena *a, size_t size, size_t align)
{
    return memset(arena_alloc(a, size, align), 0, size);
}

void arena_reset(struct arena *a)
{
    a->cur = NULL;
    a->used = 0;
}

void arena_free(struct arena *a)
{
    for (struct arena_chunk *c = a->first, *next; c; c = next) {
        next = c->next;
        munmap(c, c->size);
    }
    arena_init(a, a->chunk_size);
}

size_t arena_mapped(const struct arena *a)
{
    size_t sum = 0;
    for (const struct arena_chunk *c = a->first; c; c = c->next)
        sum += c->size;
    return sum;
}

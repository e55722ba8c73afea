/* uop/block.c: allocation of blocks and the map from micro-ops to guest instructions.
 *
 * Owns: the memory layout of a block: one allocation holds the struct, its micro-ops and its map.
 *
 * Threading: a block belongs to its maker until codecache/ takes it.
 */
#include "uop/block.h"
#include "base/host.h"
#include "base/report.h"
#include <stdlib.h>
#include <string.h>

static struct block *make(unsigned nuops, unsigned ninsns, const uint8_t *code, uint32_t len)
{
    size_t uops_at = (sizeof(struct block) + 15) & ~(size_t)15;
    size_t map_at = uops_at + nuops * sizeof(struct uop);
    size_t code_at = map_at + ninsns * sizeof(struct insn_map);
    size_t size = code_at + len;
    char *mem = malloc(size);
    if (!mem)
        report_no_memory("a block of %u micro-ops", nuops);
    host_heap_ahead((uintptr_t)mem, size);
    struct block *b = (struct block *)mem;
    *b = (struct block){.nuops = nuops,
                        .ninsns = ninsns,
                        .hot_at = UINT64_MAX,
                        .uops = (struct uop *)(mem + uops_at),
                        .map = (struct insn_map *)(mem + map_at)};
    if (code) {
        b->len = len;
        b->code = (const uint8_t *)memcpy(mem + code_at, code, len);
    }
    return b;
}

struct block *block_new(unsigned nuops, unsigned ninsns)
{
    return make(nuops, ninsns, NULL, 0);
}

struct block *block_new_checked(unsigned nuops, unsigned ninsns, const uint8_t *code, uint32_t len)
{
    return make(nuops, ninsns, code, len);
}

void block_free(struct block *b)
{
    free(b);
}

unsigned block_insn_of(const struct block *b, unsigned u)
{
    /* The last one that begins at or before u: those that lifted to nothing share their index with
     * the next. */
    unsigned lo = 0, hi = b->ninsns;
    while (hi - lo > 1) {
        unsigned mid = (lo + hi) / 2;
        if (b->map[mid].uop <= u)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

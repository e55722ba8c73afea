/* codecache/code.c: code memory. See code.h. */
#include "codecache/code.h"
#include "base/report.h"
#include "codecache/blocks.h"

#include <stdlib.h>
#ifdef DRAGOMAN_SANITIZERS
#include <sanitizer/lsan_interface.h>
#endif
#include <sys/mman.h>
#include <sys/random.h>

#define STUBS_SIZE 4096u
#define HUGE_PAGE ((size_t)2 << 20)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* newer than Debian 12's headers */
#endif
#define CELLS_PER 16 /* one 8-byte cell for so many times 8 bytes of code */

struct cc_region cc_region;
static size_t capacity = CC_CAPACITY_DEFAULT;

bool cc_set_capacity(size_t bytes)
{
    if (bytes < CC_CAPACITY_MIN || bytes > CC_CAPACITY_MAX)
        return false;
    capacity = bytes;
    return true;
}

/* Private writable memory at a place that nobody can guess, above the guest's addresses. The kernel's own choice
 * when several tries find no room. */
static void *map_at_random(size_t size)
{
    const int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    for (int tries = 0; tries < 16; tries++) {
        uint64_t r;
        if (getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
            break;
        const uint64_t room = (UINT64_C(1) << 47) - (UINT64_C(1) << 44) - GUEST_ADDR_END;
        uint64_t at = GUEST_ADDR_END + (r % room & ~UINT64_C(0x1fffff));
        void *p = mmap((void *)(uintptr_t)at, size, prot, flags | MAP_FIXED_NOREPLACE, -1, 0);
        if (p != MAP_FAILED && (uintptr_t)p == at)
            return p;
        if (p != MAP_FAILED)
            munmap(p, size);
    }
    return mmap(NULL, size, prot, flags, -1, 0);
}

static bool map_region(void)
{
    size_t align = 4096;
    struct cc_region *g = &cc_region;
    /* Four chunks of at least 16 KiB, up to sixteen of at least 256 KiB. */
    g->nchunks = 4;
    while (g->nchunks < CC_MAX_CHUNKS && capacity / (g->nchunks * 2) >= 256u << 10)
        g->nchunks *= 2;
    g->chunk_size = (capacity / g->nchunks + align - 1) & ~(align - 1);
    g->size = STUBS_SIZE + g->nchunks * g->chunk_size;
    g->data_size = (g->nchunks * (g->chunk_size / CELLS_PER) + align - 1) & ~(align - 1);

    /* Shared anonymous memory has no descriptor that the guest could find, and perf takes it for generated code.
     * mremap from a length of 0 makes a second view of it. */
    uint8_t *first = mmap(NULL, g->size, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *x = map_at_random(g->size + g->data_size), *w = map_at_random(g->size);
    if (first == MAP_FAILED || x == MAP_FAILED || w == MAP_FAILED ||
        mremap(first, 0, g->size, MREMAP_MAYMOVE | MREMAP_FIXED, x) != x ||
        mremap(first, g->size, g->size, MREMAP_MAYMOVE | MREMAP_FIXED, w) != w ||
        mprotect(x, g->size, PROT_READ | PROT_EXEC)) {
        if (first != MAP_FAILED)
            munmap(first, g->size);
        if (x != MAP_FAILED)
            munmap(x, g->size + g->data_size);
        if (w != MAP_FAILED)
            munmap(w, g->size);
        return false;
    }
    madvise(x, g->size + g->data_size, MADV_DONTFORK);
    madvise(w, g->size, MADV_DONTFORK);
    g->exec = x;
    g->to_write = w - x;
    g->data = (uint64_t *)(void *)(x + g->size);
    g->cur = 0;
    /* The index is private memory, which a child inherits, but empties. */
    size_t per_chunk = g->chunk_size / CC_UNIT_ALIGN, grains = g->chunk_size / CC_GRAIN;
    size_t index = g->nchunks * (per_chunk * sizeof(struct cc_placed) + grains * sizeof(uint32_t));
    struct cc_placed *by_addr = g->chunk[0].by_addr;
    if (by_addr)
        madvise(by_addr, index, MADV_DONTNEED);
    else
        by_addr = mmap(NULL, index, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (by_addr == MAP_FAILED)
        report_no_memory("the index of code chunks");
#ifdef DRAGOMAN_SANITIZERS
    __lsan_register_root_region(by_addr, index); /* what it points to is not lost */
#endif
    uint32_t *grain = (uint32_t *)(void *)(by_addr + g->nchunks * per_chunk);
    for (unsigned i = 0; i < g->nchunks; i++)
        g->chunk[i] = (struct cc_chunk){.code = x + STUBS_SIZE + i * g->chunk_size,
                                        .by_addr = by_addr + i * per_chunk,
                                        .grain = grain + i * grains};
    g->chunk[0].state = CHUNK_FILLING;
    return true;
}

bool cc_traps(const struct guest *g)
{
    return g->fp_env && x64_features() & X64_FBIT(X64_F_AVX);
}

bool cc_code_ready(const struct guest *guest)
{
    struct x64_emit e;
    struct x64_label labels[8];

    if (cc_region.exec)
        return true;
    if (!map_region())
        return false;
    x64_homes_of(guest, &cc_region.homes);
    x64_init(&e, cc_writable(cc_region.exec), STUBS_SIZE, x64_features());
    e.labels = labels;
    e.max_labels = 8;
    x64_stubs_emit(&e, &cc_region.homes, guest->pc_slot, cc_traps(guest), cc_region.stub_off);
    if (e.overflow)
        vm_bug("the entry and exit stubs do not fit into %u bytes", STUBS_SIZE);
    return true;
}

static bool chunk_fits(const struct cc_chunk *c, size_t size)
{
    return c->used + size <= cc_region.chunk_size &&
           c->data_used < cc_region.chunk_size / CELLS_PER / sizeof(uint64_t);
}

/* A draining chunk becomes free when every cpu has left the engines since. */
static bool try_free(unsigned n)
{
    struct cc_chunk *c = &cc_region.chunk[n];
    if (c->state == CHUNK_FREE)
        return true;
    if (c->state != CHUNK_DRAINING || !cc_retired(c->dead_epoch))
        return false;
    __atomic_store_n(&c->nunits, 0, __ATOMIC_RELEASE);
    cc_free_chunk_units(n);
    c->used = c->data_used = 0;
    c->state = CHUNK_FREE;
    return true;
}

/* Code of the size of compilers and interpreters misses in the instruction TLB at every turn; with huge pages it does not. Hosts
 * give none to shared memory by themselves, but do when asked to make one out of small pages (Linux 6.1; madvise(2)),
 * whatever the settings say. Best done once, when the place of one is full: it is copied. */
static void collapse(size_t off)
{
    madvise(cc_region.exec + off / HUGE_PAGE * HUGE_PAGE, HUGE_PAGE, MADV_COLLAPSE);
}

uint8_t *cc_code_alloc(size_t size, size_t align, uint64_t **cell, unsigned *chunk)
{
    struct cc_region *g = &cc_region;
    size = (size + CC_UNIT_ALIGN - 1) & ~(size_t)(CC_UNIT_ALIGN - 1);
    if (size > g->chunk_size)
        return NULL;
    struct cc_chunk *c = &g->chunk[g->cur];
    size_t pad = -c->used & (align - 1);
    if (!chunk_fits(c, pad + size)) {
        unsigned next = (g->cur + 1) % g->nchunks, after = (next + 1) % g->nchunks;
        if (!try_free(next)) {
            if (g->chunk[next].state == CHUNK_FULL)
                cc_evict_chunk(next);
            if (!try_free(next))
                return NULL;
        }
        c->state = CHUNK_FULL;
        if (g->chunk_size >= HUGE_PAGE)
            collapse((size_t)(c->code + c->used - 1 - g->exec));
        g->cur = next;
        c = &g->chunk[next];
        c->state = CHUNK_FILLING;
        pad = 0;
        /* So that it has drained by the time that it is needed. */
        if (g->chunk[after].state == CHUNK_FULL)
            cc_evict_chunk(after);
    }
    uint8_t *p = c->code + c->used + pad;
    c->used += (uint32_t)(pad + size);
    size_t from = (size_t)(p - g->exec);
    if (from / HUGE_PAGE != (from + size) / HUGE_PAGE)
        collapse(from);
    *cell = g->data + g->cur * (g->chunk_size / CELLS_PER / sizeof(uint64_t)) + c->data_used++;
    **cell = 0;
    *chunk = g->cur;
    return p;
}

void cc_code_index(unsigned chunk, struct unit *u, const uint8_t *code)
{
    struct cc_chunk *c = &cc_region.chunk[chunk];
    uint32_t off = (uint32_t)(code - c->code), n = c->nunits;
    c->by_addr[n] = (struct cc_placed){u, off};
    for (uint32_t g = (off + CC_GRAIN - 1) / CC_GRAIN; g * CC_GRAIN < c->used; g++)
        c->grain[g] = n;
    __atomic_store_n(&c->nunits, n + 1, __ATOMIC_RELEASE);
}

bool cc_owns_pc(uintptr_t host_pc)
{
    return cc_region.exec && host_pc - (uintptr_t)cc_region.exec < cc_region.size;
}

const struct cc_chunk *cc_chunk_of(uintptr_t host_pc)
{
    if (!cc_owns_pc(host_pc))
        return NULL;
    size_t off = host_pc - (uintptr_t)cc_region.exec;
    return off < STUBS_SIZE ? NULL : &cc_region.chunk[(off - STUBS_SIZE) / cc_region.chunk_size];
}

void cc_code_after_fork(void)
{
    for (unsigned i = 0; i < cc_region.nchunks; i++)
        __atomic_store_n(&cc_region.chunk[i].nunits, 0, __ATOMIC_RELAXED);
    cc_region.exec = NULL;
}

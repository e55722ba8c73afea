/* codecache/blocks.c: the table of blocks (see codecache/blocks.h).
 *
 * Owns: the hash of blocks by pc, the index by guest page, the links between blocks, limbo and the
 * epochs.
 *
 * Why a stale pointer is never followed: cc_enter stores the epoch that it saw into the cpu and then
 * reads the process's epoch again until both agree; invalidation advances the epoch first and
 * reads the cpus' afterwards (both sequentially consistent). So either the invalidation sees the cpu
 * in the old epoch and keeps the dead blocks, or the cpu sees the new epoch and flushes its jump cache.
 *
 * Threading: one lock, cc_lock, the last in the lock order. Written without it: a cpu's own jump
 * cache and epoch fields. Read without it: the hash (by cpus that have entered: blocks and outgrown hashes are
 * freed by epochs), succ (atomically) and the profile, by the engines.
 */
#include "codecache/blocks.h"
#include "base/log.h"
#include "base/report.h"
#include "codecache/unit.h"
#include <pthread.h>
#include <stdlib.h>

#define PAGE_BITS 12

/* A guest page that blocks came from. Stays when it has none left: pages are few. */
struct code_page {
    uint64_t number;
    struct block *first;
    struct code_page *next;
};

struct hash {
    unsigned bits;
    size_t used;      /* places that are not empty, removed ones included */
    uintptr_t *place; /* see tagged() */
    uint64_t dead_epoch;
    struct hash *next; /* in old_hashes */
};

static struct {
    pthread_mutex_t lock;
    struct hash *hash;       /* atomic */
    struct hash *old_hashes; /* waiting to be freed */
    struct code_page **page_bucket;
    unsigned page_bits, npages;
    struct cpu *cpus;
    struct block *limbo;
    uint64_t epoch;      /* atomic; at least 1, as 0 in a cpu means outside */
    uint64_t died;       /* atomic; the first epoch without the block that died last */
    unsigned limbo_size; /* atomic, a hint */
    struct cc_stats stats;
} cc = {.lock = PTHREAD_MUTEX_INITIALIZER, .epoch = 1};

static void lock(void)
{
    pthread_mutex_lock(&cc.lock);
}
static void unlock(void)
{
    pthread_mutex_unlock(&cc.lock);
}

static uint64_t mix(uint64_t key)
{
    return key * UINT64_C(0x9e3779b97f4a7c15);
}
static size_t hash_of(uint64_t key, unsigned bits)
{
    return mix(key) >> (64 - bits);
}

static void *new_table(unsigned bits)
{
    void *t = calloc((size_t)1 << bits, sizeof(void *));
    if (!t)
        report_no_memory("a block table of 2^%u entries", bits);
    return t;
}

/* ---- the hash by pc: open addressing, read without the lock ---- */

/* Blocks are found by pc and by the rules that they are for. */
static uint64_t key_of(uint64_t pc, unsigned rules)
{
    return pc ^ (uint64_t)rules << 56;
}

/* A removed block's place: searches go on behind it. */
#define REMOVED ((uintptr_t)1)

/* A place holds 0, REMOVED, or a block's address with bits of its pc's hash above the 48 that an address has: most places
 * of other blocks are passed without a look at the block, which would be a cache miss. */
#define TAG_SHIFT 48
static uintptr_t tag_of(uint64_t key)
{
    return mix(key) >> 24 << TAG_SHIFT;
}
static uintptr_t tagged(const struct block *b)
{
    return (uintptr_t)b | tag_of(key_of(b->pc, b->rules));
}
static struct block *block_at(uintptr_t place)
{
    return place == REMOVED ? NULL : (struct block *)(place & (((uintptr_t)1 << TAG_SHIFT) - 1));
}

/* The search for pc: its block, or NULL, and the place where that was seen. Without the lock a place is
 * read once only: the next look may find the block removed. */
static struct block *search(const struct hash *h, uint64_t pc, unsigned rules, uintptr_t **place)
{
    size_t mask = ((size_t)1 << h->bits) - 1;
    uint64_t key = key_of(pc, rules);
    uintptr_t tag = tag_of(key);
    for (size_t i = hash_of(key, h->bits);; i = (i + 1) & mask) {
        uintptr_t v = __atomic_load_n(&h->place[i], __ATOMIC_ACQUIRE);
        struct block *b = block_at(v);
        if (!v || ((v ^ tag) >> TAG_SHIFT == 0 && b && b->pc == pc && b->rules == rules)) {
            *place = &h->place[i];
            return b;
        }
    }
}

/* Under the lock: where b is, or is to be. */
static uintptr_t *place_of(const struct hash *h, const struct block *b)
{
    uintptr_t *place;
    search(h, b->pc, b->rules, &place);
    return place;
}

static struct block *find(uint64_t pc, unsigned rules)
{
    const struct hash *h = __atomic_load_n(&cc.hash, __ATOMIC_ACQUIRE);
    uintptr_t *place;
    return h ? search(h, pc, rules, &place) : NULL;
}

/* Under the lock: a hash of twice what the live blocks need, when the present one is half full. The
 * old one is kept for those who are searching it until they have left. */
static void make_room(void)
{
    struct hash *old = cc.hash;
    if (old && 2 * (old->used + 1) <= (size_t)1 << old->bits)
        return;
    unsigned bits = 12;
    while ((size_t)1 << bits < 4 * cc.stats.blocks)
        bits++;
    struct hash *h = calloc(1, sizeof *h);
    if (!h)
        report_no_memory("the hash of blocks");
    *h = (struct hash){.bits = bits, .used = cc.stats.blocks, .place = new_table(bits)};
    /* Each block is a cache miss: several at a time. */
    for (size_t i = 0, n = old ? (size_t)1 << old->bits : 0; i < n; i++) {
        __builtin_prefetch(block_at(old->place[(i + 16) & (n - 1)]));
        if (block_at(old->place[i]))
            *place_of(h, block_at(old->place[i])) = old->place[i];
    }
    if (old) {
        old->dead_epoch = cc.epoch;
        old->next = cc.old_hashes;
        cc.old_hashes = old;
    }
    __atomic_store_n(&cc.hash, h, __ATOMIC_RELEASE);
}

static void hash_add(struct block *b)
{
    make_room();
    __atomic_store_n(place_of(cc.hash, b), tagged(b), __ATOMIC_RELEASE);
    cc.hash->used++;
}

static void hash_remove(struct block *b)
{
    __atomic_store_n(place_of(cc.hash, b), REMOVED, __ATOMIC_RELEASE);
}

/* ---- the index by page ---- */

static struct code_page *find_page(uint64_t number)
{
    if (!cc.page_bucket)
        return NULL;
    struct code_page *p = cc.page_bucket[hash_of(number, cc.page_bits)];
    while (p && p->number != number)
        p = p->next;
    return p;
}

static struct code_page *get_page(uint64_t number)
{
    struct code_page *p = find_page(number);
    if (p)
        return p;
    if (!cc.page_bucket || cc.npages >= 1u << cc.page_bits) {
        unsigned old_bits = cc.page_bits;
        struct code_page **old = cc.page_bucket;
        cc.page_bits = old ? old_bits + 1 : 8;
        cc.page_bucket = new_table(cc.page_bits);
        for (size_t i = 0; old && i < (size_t)1 << old_bits; i++)
            for (struct code_page *q = old[i], *next; q; q = next) {
                next = q->next;
                struct code_page **at = &cc.page_bucket[hash_of(q->number, cc.page_bits)];
                q->next = *at;
                *at = q;
            }
        free(old);
    }
    p = malloc(sizeof *p);
    if (!p)
        report_no_memory("the index of code pages");
    struct code_page **at = &cc.page_bucket[hash_of(number, cc.page_bits)];
    *p = (struct code_page){.number = number, .next = *at};
    *at = p;
    cc.npages++;
    return p;
}

static uint64_t first_page(const struct block *b)
{
    return b->pc >> PAGE_BITS;
}
static uint64_t last_page(const struct block *b)
{
    return (b->pc + b->len - 1) >> PAGE_BITS;
}

/* Where b's chain pointer for a page lies. */
static struct block **page_link(struct block *b, uint64_t number)
{
    return &b->page_next[number != first_page(b)];
}

static void index_pages(struct block *b)
{
    for (uint64_t n = first_page(b); n <= last_page(b); n++) {
        struct code_page *p = get_page(n);
        *page_link(b, n) = p->first;
        p->first = b;
    }
}

static void unindex_pages(struct block *b)
{
    for (uint64_t n = first_page(b); n <= last_page(b); n++) {
        struct block **at = &find_page(n)->first;
        while (*at != b)
            at = page_link(*at, n);
        *at = *page_link(b, n);
    }
}

/* ---- links ---- */

static struct block *edge_block(uintptr_t e)
{
    return (struct block *)(e & ~(uintptr_t)1);
}

static void unlink_edge(struct block *from, unsigned edge)
{
    if (!from->succ[edge])
        return;
    uintptr_t next = from->in_next[edge];
    *from->in_pprev[edge] = next;
    if (next)
        edge_block(next)->in_pprev[next & 1] = from->in_pprev[edge];
    __atomic_store_n(&from->succ[edge], NULL, __ATOMIC_RELEASE);
}

void cc_link(struct block *from, unsigned edge, struct block *to)
{
    lock();
    if (!((from->flags | to->flags) & BLOCK_DEAD) && !from->succ[edge]) {
        uintptr_t self = (uintptr_t)from | edge;
        from->in_next[edge] = to->in_first;
        from->in_pprev[edge] = &to->in_first;
        if (to->in_first)
            edge_block(to->in_first)->in_pprev[to->in_first & 1] = &from->in_next[edge];
        to->in_first = self;
        __atomic_store_n(&from->succ[edge], to, __ATOMIC_RELEASE);
        cc.stats.links++;
    }
    unlock();
}

/* ---- cpus and reclamation ---- */

static uint64_t epoch_now(void)
{
    return __atomic_load_n(&cc.epoch, __ATOMIC_SEQ_CST);
}

static void flush_jcache(struct cpu *cpu)
{
    for (size_t i = 0; i < (size_t)1 << CPU_JCACHE_BITS; i++)
        cpu->jcache[i] = (struct jcache_entry){.pc = CPU_EMPTY_PC(i)};
}

/* The oldest epoch that a cpu in the engines entered in. Under the lock. */
static uint64_t oldest_epoch(void)
{
    uint64_t oldest = UINT64_MAX;
    for (struct cpu *c = cc.cpus; c; c = c->cc_next) {
        uint64_t e = __atomic_load_n(&c->cc_epoch, __ATOMIC_SEQ_CST);
        if (e && e < oldest)
            oldest = e;
    }
    return oldest;
}

/* Free what no cpu can be in any more. Under the lock. */
static void reclaim(void)
{
    uint64_t oldest = oldest_epoch();
    struct block **at = &cc.limbo;
    unsigned kept = 0;
    while (*at) {
        struct block *b = *at;
        if (b->dead_epoch < oldest) {
            *at = b->limbo_next;
            block_free(b);
            cc.stats.freed++;
        } else {
            at = &b->limbo_next;
            kept++;
        }
    }
    for (struct hash **h = &cc.old_hashes; *h;) {
        struct hash *old = *h;
        if (old->dead_epoch < oldest) {
            *h = old->next;
            free(old->place);
            free(old);
        } else {
            h = &old->next;
        }
    }
    __atomic_store_n(&cc.limbo_size, kept, __ATOMIC_RELAXED);
}

/* A chance to free, when that costs nobody a wait. */
static void try_reclaim(void)
{
    if (__atomic_load_n(&cc.limbo_size, __ATOMIC_RELAXED) && !pthread_mutex_trylock(&cc.lock)) {
        reclaim();
        unlock();
    }
}

void cc_enter(struct cpu *cpu)
{
    uint64_t e;
    do {
        e = epoch_now();
        __atomic_store_n(&cpu->cc_epoch, e, __ATOMIC_SEQ_CST);
    } while (epoch_now() != e);
    if (cpu->cc_flushed < __atomic_load_n(&cc.died, __ATOMIC_ACQUIRE)) {
        flush_jcache(cpu);
        cpu->cc_flushed = e;
    }
}

void cc_leave(struct cpu *cpu)
{
    __atomic_store_n(&cpu->cc_epoch, 0, __ATOMIC_RELEASE);
    try_reclaim();
}

void cc_quiesce(struct cpu *cpu)
{
    if (cpu->cc_epoch != epoch_now()) {
        cc_leave(cpu);
        cc_enter(cpu);
    }
}

void cc_take_rules(struct cpu *cpu)
{
    cpu->code_rules = cpu->fp_rules & FP_CODE_RULES;
    flush_jcache(cpu);
    cpu->unit_gen = 0;
}

void cc_cpu_add(struct cpu *cpu)
{
    cpu->code_rules = cpu->fp_rules & FP_CODE_RULES;
    cpu->cc_epoch = 0;
    cpu->cc_flushed = 0;
    cpu->unit_gen = 0;
    cpu->frames_map = NULL;
    flush_jcache(cpu);
    lock();
    cpu->cc_next = cc.cpus;
    cc.cpus = cpu;
    unlock();
}

void cc_cpu_remove(struct cpu *cpu)
{
    lock();
    struct cpu **at = &cc.cpus;
    while (*at && *at != cpu)
        at = &(*at)->cc_next;
    if (*at)
        *at = cpu->cc_next;
    __atomic_store_n(&cpu->cc_epoch, 0, __ATOMIC_RELEASE);
    reclaim();
    unlock();
    cc_frames_free(cpu);
}

/* ---- lookup, insertion, invalidation ---- */

static void remember(struct cpu *cpu, struct block *b)
{
    cpu->jcache[CPU_JCACHE_INDEX(b->pc)] = (struct jcache_entry){.pc = b->pc, .block = b};
}

struct block *cc_lookup(struct cpu *cpu, uint64_t pc)
{
    const struct jcache_entry *e = &cpu->jcache[CPU_JCACHE_INDEX(pc)];
    if (e->pc == pc)
        return e->block;
    struct block *b = find(pc, cpu->code_rules);
    if (b)
        remember(cpu, b);
    return b;
}

struct block *cc_insert(struct cpu *cpu, struct block *b)
{
    b->rules = cpu->code_rules;
    lock();
    struct block *first = find(b->pc, b->rules);
    if (first) {
        block_free(b);
        b = first;
    } else {
        hash_add(b);
        index_pages(b);
        cc.stats.blocks++;
        cc.stats.lifted++;
        cc.stats.insns_lifted += b->ninsns;
        cc.stats.bytes_lifted += b->len;
        cc.stats.uops_lifted += b->nuops;
    }
    unlock();
    remember(cpu, b);
    return b;
}

/* Advance the epoch and ask the cpus in the engines to leave. Under the lock. */
static void next_epoch(void)
{
    __atomic_store_n(&cc.epoch, cc.epoch + 1, __ATOMIC_SEQ_CST);
    for (struct cpu *c = cc.cpus; c; c = c->cc_next)
        if (__atomic_load_n(&c->cc_epoch, __ATOMIC_SEQ_CST))
            cpu_ask_out(c);
}

static void kill_block(struct block *b, uint64_t epoch)
{
    hash_remove(b);
    unindex_pages(b);
    while (b->in_first)
        unlink_edge(edge_block(b->in_first), b->in_first & 1);
    unlink_edge(b, 0);
    unlink_edge(b, 1);
    b->flags |= BLOCK_DEAD;
    b->dead_epoch = epoch;
    b->limbo_next = cc.limbo;
    cc.limbo = b;
    cc.stats.blocks--;
    cc.stats.invalidated++;
}

/* Kill the blocks of one page that overlap [addr, addr + len); returns how many. */
static unsigned invalidate_page(struct code_page *p, uint64_t addr, uint64_t len, uint64_t epoch)
{
    unsigned n = 0;
    for (struct block *b = p->first, *next; b; b = next) {
        next = *page_link(b, p->number);
        /* Overlap by differences, which do not overflow at the end of the address space. */
        if (b->pc >= addr ? b->pc - addr < len : addr - b->pc < b->len) {
            kill_block(b, epoch);
            n++;
        }
    }
    return n;
}

void cc_invalidate(uint64_t addr, uint64_t len)
{
    if (!len)
        return;
    const uint64_t whole = len;
    if (len - 1 > UINT64_MAX - addr)
        len = UINT64_MAX - addr;
    uint64_t from = addr >> PAGE_BITS, to = (addr + (len - 1)) >> PAGE_BITS;
    lock();
    uint64_t epoch = cc.epoch;
    unsigned killed = 0;
    if (to - from < cc.npages) {
        for (uint64_t n = from; n <= to; n++) {
            struct code_page *p = find_page(n);
            if (p)
                killed += invalidate_page(p, addr, len, epoch);
        }
    } else if (cc.page_bucket) {
        for (size_t i = 0; i < (size_t)1 << cc.page_bits; i++)
            for (struct code_page *p = cc.page_bucket[i]; p; p = p->next)
                if (p->number >= from && p->number <= to)
                    killed += invalidate_page(p, addr, len, epoch);
    }
    if (killed) {
        __atomic_store_n(&cc.died, epoch + 1,
                         __ATOMIC_RELEASE); /* before the epoch: who sees that sees this */
        next_epoch();
        reclaim();
    }
    unlock();
    /* Behind the blocks: a translation that began before they were dead is refused as stale, none begins now. */
    cc_unit_invalidate(addr, whole);
    if (killed && log_enabled(LOG_CACHE))
        log_printf("cache: %u blocks of %#llx, %llu bytes, invalidated\n", killed,
                   (unsigned long long)addr, (unsigned long long)len);
}

uint64_t cc_retire(void)
{
    lock();
    uint64_t epoch = cc.epoch;
    next_epoch();
    unlock();
    return epoch;
}

bool cc_retired(uint64_t epoch)
{
    lock();
    bool left = oldest_epoch() > epoch;
    unlock();
    return left;
}

void cc_fork_begin(void)
{
    cc_unit_fork_begin();
    lock();
}

void cc_fork_end(bool child, struct cpu *cpu)
{
    if (child) {
        cc.cpus = cpu;
        if (cpu)
            cpu->cc_next = NULL;
    }
    unlock(); /* the child's only thread is the one that locked it */
    cc_unit_fork_end(child);
}

void cc_visit(uint64_t pc, unsigned rules, void (*fn)(struct block *b, void *arg), void *arg)
{
    lock();
    struct block *b = find(pc, rules);
    if (b)
        fn(b, arg);
    unlock();
}

void cc_for_each(void (*fn)(struct block *b, void *arg), void *arg)
{
    lock();
    for (size_t i = 0; cc.hash && i < (size_t)1 << cc.hash->bits; i++)
        if (block_at(cc.hash->place[i]))
            fn(block_at(cc.hash->place[i]), arg);
    unlock();
}

void cc_get_stats(struct cc_stats *s)
{
    lock();
    *s = cc.stats;
    unlock();
}

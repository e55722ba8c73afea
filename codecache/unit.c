/* codecache/unit.c: units. See unit.h.
 *
 * Patching. A link's rel32 lies within 8 aligned bytes, so one 4-byte store through the writable view changes
 * what every processor fetches from one moment to the next; the old target stays code until all cpus have
 * left, so it does not matter which of the two a processor sees.
 *
 * Threading: one lock, units.lock; cc_retire takes the cc lock below it.
 */
#include "codecache/unit.h"
#include "base/log.h"
#include "base/report.h"
#include "codecache/blocks.h"
#include "codecache/worth.h"
#include "uop/fp.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#define PAGE_BITS 12
#define HASH_BITS_FIRST 9 /* a page: most processes are small and short */
#define PAGE_HASH_BITS 12

static struct {
    pthread_mutex_t lock;
    uint64_t gen; /* atomic; at least 1; advances with deaths */
    uint64_t seq; /* atomic; advances with invalidations */
    struct cc_unit_stats stats;
} units = {.lock = PTHREAD_MUTEX_INITIALIZER, .gen = 1};

/* By guest pc, grown with the number of units, and by guest page. Whole pages, see forget(). */
static struct {
    struct unit **bucket;
    unsigned bits;
} by_pc;
static _Alignas(4096) struct unit_page *page_bucket[1 << PAGE_HASH_BITS];

/* The last invalidations, so that a translation under way when one happened is refused only if it was hit. */
#define NRECENT 64
static struct {
    uint64_t addr, len;
} recent[NRECENT];

static void lock(void)
{
    pthread_mutex_lock(&units.lock);
}
static void unlock(void)
{
    pthread_mutex_unlock(&units.lock);
}

static size_t hash_of(uint64_t key, unsigned bits)
{
    return (key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - bits);
}

/* The chain that pc's unit is in. There must be a table. */
static struct unit **chain_of(uint64_t pc)
{
    return &by_pc.bucket[hash_of(pc, by_pc.bits)];
}

static struct unit *find(uint64_t pc, unsigned rules)
{
    struct unit *u = by_pc.bucket ? *chain_of(pc) : NULL;
    while (u && (u->pc != pc || u->rules != rules))
        u = u->hash_next;
    return u;
}

/* A table of at least as many chains as units. False when there is no memory for one at all. */
static bool grow_table(void)
{
    struct unit **old = by_pc.bucket;
    unsigned old_bits = by_pc.bits, bits = old ? old_bits + 2 : HASH_BITS_FIRST;
    if (old && units.stats.units < UINT64_C(1) << old_bits)
        return true;
    struct unit **bigger = calloc((size_t)1 << bits, sizeof *bigger);
    if (!bigger)
        return old;
    by_pc.bucket = bigger;
    by_pc.bits = bits;
    for (size_t i = 0; old && i < (size_t)1 << old_bits; i++)
        for (struct unit *u = old[i], *next; u; u = next) {
            next = u->hash_next;
            u->hash_next = *chain_of(u->pc);
            *chain_of(u->pc) = u;
        }
    free(old);
    return true;
}

uint64_t cc_unit_seq(void)
{
    return __atomic_load_n(&units.seq, __ATOMIC_ACQUIRE);
}

/* ---- links ---- */

static void patch(const struct link *l, const uint8_t *target)
{
    const uint8_t *field = l->from->code + l->field;
    int32_t rel = (int32_t)(target - (field + 4));
    __atomic_store_n((int32_t *)(void *)cc_writable(field), rel, __ATOMIC_RELEASE);
}

static void undo_link(struct link *l)
{
    patch(l, l->from->code + l->stub);
    *l->in_pprev = l->in_next;
    if (l->in_next)
        l->in_next->in_pprev = l->in_pprev;
    l->to = NULL;
    units.stats.unlinks++;
}

static void do_link(struct link *l, struct unit *to)
{
    l->to = to;
    l->in_next = to->in_first;
    l->in_pprev = &to->in_first;
    if (to->in_first)
        to->in_first->in_pprev = &l->in_next;
    to->in_first = l;
    patch(l, to->code + to->entry);
    units.stats.links++;
}

void cc_unit_link(struct link *l, struct unit *to)
{
    lock();
    if (!l->to && !l->from->dead && !to->dead)
        do_link(l, to);
    unlock();
}

/* ---- death ---- */

/* Take u out of everything that leads to it, and turn its own jumps back to its stubs, so that a cpu that is in
 * it leaves at its next exit. */
static void kill_unit(struct unit *u)
{
    struct unit **at = chain_of(u->pc);
    while (*at && *at != u)
        at = &(*at)->hash_next;
    if (*at)
        *at = u->hash_next;
    for (uint32_t i = 0; i < u->npages; i++) {
        struct unit_page *p = &u->pages[i];
        *p->pprev = p->next;
        if (p->next)
            p->next->pprev = p->pprev;
    }
    while (u->in_first)
        undo_link(u->in_first);
    for (uint32_t i = 0; i < u->nlinks; i++)
        if (u->links[i].to)
            undo_link(&u->links[i]);
    __atomic_store_n(&u->dead, true, __ATOMIC_RELAXED);
    units.stats.units--;
}

static void new_generation(void)
{
    __atomic_store_n(&units.gen, units.gen + 1, __ATOMIC_SEQ_CST);
}

void cc_evict_chunk(unsigned n)
{
    struct cc_chunk *c = &cc_region.chunk[n];
    for (uint32_t i = 0; i < c->nunits; i++)
        if (!c->by_addr[i].unit->dead) {
            cc_worth_judge(c->by_addr[i].unit);
            kill_unit(c->by_addr[i].unit);
            units.stats.evicted++;
        }
    cc_worth_settle();
    if (log_enabled(LOG_CACHE))
        log_printf("cache: chunk with %u translations evicted\n", (unsigned)c->nunits);
    units.stats.evictions++;
    c->state = CHUNK_DRAINING;
    new_generation();
    c->dead_epoch = cc_retire();
}

void cc_free_chunk_units(unsigned n)
{
    struct cc_chunk *c = &cc_region.chunk[n];
    size_t max = cc_region.chunk_size / CC_UNIT_ALIGN;
    for (size_t i = 0; i < max && c->by_addr[i].unit; i++) {
        free(c->by_addr[i].unit);
        c->by_addr[i].unit = NULL;
    }
}

/* Overlap of a range with [addr, addr + len), by differences, which do not overflow. */
static bool overlaps(uint64_t pc, uint64_t n, uint64_t addr, uint64_t len)
{
    return pc >= addr ? pc - addr < len : addr - pc < n;
}

static bool unit_overlaps(const struct unit *u, uint64_t addr, uint64_t len)
{
    for (uint32_t i = 0; i < u->nranges; i++)
        if (overlaps(u->ranges[i].pc, u->ranges[i].len, addr, len))
            return true;
    return false;
}

static unsigned invalidate_bucket(struct unit_page **head, uint64_t from, uint64_t to,
                                  uint64_t addr, uint64_t len)
{
    unsigned killed = 0;
    for (struct unit_page *p = *head, *next; p; p = next) {
        next = p->next;
        if (p->number < from || p->number > to || p->unit->dead ||
            !unit_overlaps(p->unit, addr, len))
            continue;
        kill_unit(p->unit);
        killed++;
        next = *head; /* several entries of the unit may have gone */
    }
    return killed;
}

void cc_unit_invalidate(uint64_t addr, uint64_t len)
{
    if (!len)
        return;
    if (len - 1 > UINT64_MAX - addr)
        len = UINT64_MAX - addr + 1;
    uint64_t from = addr >> PAGE_BITS, to = (addr + (len - 1)) >> PAGE_BITS;
    unsigned killed = 0;
    lock();
    /* Even without a victim: a translation under way must see it. */
    recent[units.seq % NRECENT].addr = addr;
    recent[units.seq % NRECENT].len = len;
    __atomic_store_n(&units.seq, units.seq + 1, __ATOMIC_RELEASE);
    if (to - from < 1u << PAGE_HASH_BITS) {
        for (uint64_t n = from; n <= to; n++)
            killed += invalidate_bucket(&page_bucket[hash_of(n, PAGE_HASH_BITS)], n, n, addr, len);
    } else {
        for (size_t i = 0; i < 1u << PAGE_HASH_BITS; i++)
            killed += invalidate_bucket(&page_bucket[i], from, to, addr, len);
    }
    units.stats.invalidated += killed;
    if (killed) {
        new_generation();
        cc_retire();
    }
    unlock();
}

void cc_unit_flush(void)
{
    cc_unit_invalidate(0, UINT64_MAX);
}

/* Was any of the draft's guest code invalidated since it was read? Too long ago to know counts as yes. */
static bool stale(const struct unit_draft *d)
{
    if (units.seq - d->seq > NRECENT)
        return true;
    for (uint64_t n = d->seq; n < units.seq; n++)
        for (uint32_t i = 0; i < d->nranges; i++)
            if (overlaps(d->ranges[i].pc, d->ranges[i].len, recent[n % NRECENT].addr,
                         recent[n % NRECENT].len))
                return true;
    return false;
}

/* ---- installation ---- */

static bool has_page(const struct unit *u, uint64_t number)
{
    for (uint32_t i = 0; i < u->npages; i++)
        if (u->pages[i].number == number)
            return true;
    return false;
}

static uint32_t max_pages(const struct unit_draft *d)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->nranges; i++)
        n += (uint32_t)(((d->ranges[i].pc + d->ranges[i].len - 1) >> PAGE_BITS) -
                        (d->ranges[i].pc >> PAGE_BITS) + 1);
    return n;
}

/* One allocation for the unit and its arrays. */
static struct unit *new_unit(const struct unit_draft *d)
{
    uint32_t npages = max_pages(d);
    size_t links = sizeof(struct unit), pages = links + d->nlinks * sizeof(struct link),
           ranges = pages + npages * sizeof(struct unit_page),
           side = ranges + d->nranges * sizeof(struct unit_range), traps = side + d->side_len;
    char *mem = malloc(traps + d->traps_len);
    if (!mem)
        return NULL;
    struct unit *u = (struct unit *)(void *)mem;
    *u = (struct unit){
        .pc = d->pc,
        .size = d->size,
        .hot_size = d->hot_size,
        .entry = d->entry,
        .leave = d->leave,
        .level = d->level,
        .rules = d->rules,
        .ninsns = d->ninsns,
        .links = (struct link *)(void *)(mem + links),
        .nlinks = d->nlinks,
        .ranges = (struct unit_range *)(void *)(mem + ranges),
        .nranges = d->nranges,
        .pages = (struct unit_page *)(void *)(mem + pages),
        .side = (const uint8_t *)mem + side,
        .side_len = d->side_len,
        .traps = (const uint8_t *)mem + traps,
        .traps_len = d->traps_len,
    };
    if (d->nranges)
        memcpy(u->ranges, d->ranges, d->nranges * sizeof(struct unit_range));
    if (d->side_len)
        memcpy(mem + side, d->side, d->side_len);
    if (d->traps_len)
        memcpy(mem + traps, d->traps, d->traps_len);
    for (uint32_t i = 0; i < d->nlinks; i++) {
        u->links[i] = d->links[i];
        u->links[i].from = u;
        u->links[i].to = NULL;
    }
    return u;
}

static void index_pages(struct unit *u)
{
    for (uint32_t i = 0; i < u->nranges; i++)
        for (uint64_t n = u->ranges[i].pc >> PAGE_BITS;
             n <= (u->ranges[i].pc + u->ranges[i].len - 1) >> PAGE_BITS; n++) {
            if (has_page(u, n))
                continue;
            struct unit_page *p = &u->pages[u->npages++];
            struct unit_page **head = &page_bucket[hash_of(n, PAGE_HASH_BITS)];
            *p = (struct unit_page){.number = n, .unit = u, .next = *head, .pprev = head};
            if (*head)
                (*head)->pprev = &p->next;
            *head = p;
        }
}

static void relocate(const struct unit *u, const struct unit_draft *d)
{
    for (uint32_t i = 0; i < d->nrelocs; i++) {
        const uint8_t *field = u->code + d->relocs[i].off;
        const uint8_t *target = d->relocs[i].target == CC_RELOC_COUNTER
                                    ? (const uint8_t *)u->counter
                                    : (const uint8_t *)cc_stub((enum x64_stub)d->relocs[i].target);
        int32_t addend, rel;
        /* What the field holds counts: bytes from its end to the instruction's, negated, for operands. */
        memcpy(&addend, cc_writable(field), 4);
        rel = (int32_t)(target - (field + 4)) + addend;
        memcpy(cc_writable(field), &rel, 4);
    }
}

/* Jumps to the old unit lead to the new one from now on. */
static void move_links(struct unit *old, struct unit *u)
{
    while (old->in_first) {
        struct link *l = old->in_first;
        *l->in_pprev = l->in_next;
        if (l->in_next)
            l->in_next->in_pprev = l->in_pprev;
        l->to = NULL;
        if (l->from != old)
            do_link(l, u);
        else
            patch(l, old->code + l->stub);
    }
}

/* Entries of cpus' tables lead to the old unit until that is evicted, which is before the new one is: chunks go in
 * the order of their age. So its entry leads on. The entry is aligned and its first instruction is no shorter than a jump (struct
 * unit_draft), so one store does it, and no cpu is between the replaced bytes. */
static void forward_entry(struct unit *old, const struct unit *u)
{
    const uint8_t *entry = old->code + old->entry;
    uint64_t bytes;
    int32_t rel = (int32_t)(u->code + u->entry - (entry + 5));
    memcpy(&bytes, cc_writable(entry), sizeof bytes);
    bytes = (bytes & ~UINT64_C(0xffffffffff)) | 0xe9 | (uint64_t)(uint32_t)rel << 8;
    __atomic_store_n((uint64_t *)(uintptr_t)cc_writable(entry), bytes, __ATOMIC_RELEASE);
}

static struct unit *install(const struct unit_draft *d)
{
    unsigned chunk;
    struct unit *old = find(d->pc, d->rules);
    if (stale(d) || (old && old->level > d->level))
        return NULL;
    if (!cc_code_ready(d->guest) || !grow_table())
        return NULL;
    struct unit *u = new_unit(d);
    if (!u)
        return NULL;
    u->code =
        cc_code_alloc(d->size, d->level > 1 ? CC_LOOP_ALIGN : CC_UNIT_ALIGN, &u->counter, &chunk);
    if (!u->code) {
        units.stats.no_room++;
        free(u);
        return NULL;
    }
    u->chunk = (uint16_t)chunk;
    *u->counter = 0; /* as armed is */
    memcpy(cc_writable(u->code), d->code, d->size);
    relocate(u, d);
    cc_code_index(chunk, u, u->code);
    old = find(d->pc, d->rules); /* the eviction may have taken it */
    if (old) {
        move_links(old, u);
        kill_unit(old);
        units.stats.replaced++;
        forward_entry(old, u);
    }
    u->hash_next = *chain_of(u->pc);
    *chain_of(u->pc) = u;
    index_pages(u);
    units.stats.units++;
    units.stats.installed++;
    units.stats.bytes += u->size;
    units.stats.insns += u->ninsns;
    units.stats.side_bytes += u->side_len + u->traps_len;
    return u;
}

struct unit *cc_unit_install(const struct unit_draft *d)
{
    lock();
    struct unit *u = install(d);
    unlock();
    return u;
}

/* ---- lookup ---- */

struct unit *cc_unit_by_host(uintptr_t host_pc)
{
    const struct cc_chunk *c = cc_chunk_of(host_pc);
    if (!c)
        return NULL;
    uint32_t n = __atomic_load_n(&c->nunits, __ATOMIC_ACQUIRE);
    uint32_t off = (uint32_t)(host_pc - (uintptr_t)c->code), i = c->grain[off / CC_GRAIN];
    if (i >= n)
        return NULL;
    while (i + 1 < n && c->by_addr[i + 1].off <= off)
        i++;
    struct unit *u = c->by_addr[i].unit;
    return off - c->by_addr[i].off < u->size ? u : NULL;
}

/* Under the lock. Only while the table is of this generation: the entry would outlive the check otherwise. */
static struct unit *look_up(struct cpu *cpu, uint64_t pc)
{
    struct unit *u = find(pc, cpu->code_rules);
    if (u)
        __atomic_store_n(&units.stats.hits, units.stats.hits + 1, __ATOMIC_RELAXED);
    else
        units.stats.misses++;
    if (u && cpu->unit_gen == units.gen)
        cpu->ucache[CPU_UCACHE_INDEX(pc)] = (struct ucache_entry){pc, u->code + u->entry};
    return u;
}

struct unit *cc_unit_lookup(struct cpu *cpu, uint64_t pc)
{
    lock();
    struct unit *u = look_up(cpu, pc);
    unlock();
    return u;
}

struct unit *cc_unit_of_block(struct cpu *cpu, struct block *b)
{
    /* A unit that has died since is of an older generation: the death advances it. The generation is written last and erased
     * first, under the lock, so one that is the same before and after belongs to the pointer. */
    uint64_t gen = __atomic_load_n(&units.gen, __ATOMIC_ACQUIRE);
    if (gen == cpu->unit_gen && gen == __atomic_load_n(&b->unit_gen, __ATOMIC_ACQUIRE)) {
        struct unit *u = __atomic_load_n(&b->unit, __ATOMIC_ACQUIRE);
        /* A replaced unit dies without a new generation. */
        if (gen == __atomic_load_n(&b->unit_gen, __ATOMIC_RELAXED) &&
            !__atomic_load_n(&u->dead, __ATOMIC_RELAXED)) {
            struct ucache_entry *e = &cpu->ucache[CPU_UCACHE_INDEX(b->pc)];
            uint64_t hits = __atomic_load_n(&units.stats.hits, __ATOMIC_RELAXED);
            if (e->pc != b->pc)
                *e = (struct ucache_entry){b->pc, u->code + u->entry};
            __atomic_store_n(&units.stats.hits, hits + 1, __ATOMIC_RELAXED); /* one may be lost */
            return u;
        }
    }
    lock();
    struct unit *u = look_up(cpu, b->pc);
    if (u) {
        __atomic_store_n(&b->unit_gen, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&b->unit, u, __ATOMIC_RELEASE);
        __atomic_store_n(&b->unit_gen, units.gen, __ATOMIC_RELEASE);
    }
    unlock();
    return u;
}

/* ---- rounds ---- */

uint64_t cc_unit_rounds(const struct unit *u)
{
    return u->rounds +
           (uint64_t)((int64_t)u->armed - (int32_t)__atomic_load_n(u->counter, __ATOMIC_RELAXED));
}

void cc_unit_arm(struct unit *u, int32_t rounds)
{
    u->rounds = cc_unit_rounds(u);
    u->armed = rounds;
    __atomic_store_n(u->counter, (uint32_t)rounds, __ATOMIC_RELAXED);
}

uint64_t cc_unit_new_rounds(const struct unit *u)
{
    uint64_t rounds = cc_unit_rounds(u);
    return rounds > u->settled ? rounds - u->settled : 0;
}

void cc_unit_settle(struct unit *u)
{
    u->settled = cc_unit_rounds(u);
}

/* ---- the stack of frames (host/x64/stubs.h) ---- */

#define FRAMES_SIZE (256u << 10)
#define FRAMES_GUARD 4096u
#define FRAMES_KEPT 256 /* bytes kept when it overflows */

static void frames_new(struct cpu *cpu)
{
    char *map = mmap(NULL, FRAMES_GUARD + FRAMES_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED || mprotect(map, FRAMES_GUARD, PROT_NONE))
        report_no_memory("a stack of translated code");
    cpu->frames_map = map;
    cpu->frames_base = map + FRAMES_GUARD + FRAMES_SIZE - X64_FRAMES_NONE;
}

/* No frame but those of no call. In the child of a fork the stubs are elsewhere than before. */
static void frames_clear(struct cpu *cpu)
{
    uint64_t *frame = cpu->frames_base;
    for (unsigned i = 0; i < X64_FRAMES_NONE / 8; i += 2) {
        frame[i] = (uint64_t)(uintptr_t)cc_stub(X64_STUB_NO_FRAME);
        frame[i + 1] = X64_FRAMES_NO_PC;
    }
    cpu->frames = cpu->frames_base;
}

void cc_frames_free(struct cpu *cpu)
{
    if (cpu->frames_map)
        munmap(cpu->frames_map, FRAMES_GUARD + FRAMES_SIZE);
    cpu->frames_map = NULL;
}

bool cc_frames_fault(struct cpu *cpu, uintptr_t addr, void *ucontext)
{
    ucontext_t *uc = ucontext;
    if (!cpu->frames_map || addr - (uintptr_t)cpu->frames_map >= FRAMES_GUARD)
        return false;
    /* The instruction has not moved the stack pointer yet. */
    char *rsp = (char *)uc->uc_mcontext.gregs[REG_RSP],
         *to = (char *)cpu->frames_base - FRAMES_KEPT;
    memcpy(to, rsp, FRAMES_KEPT);
    uc->uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)to;
    return true;
}

/* Make the table of entries empty. Its whole pages are given back to the kernel: a zero pc is as good as an empty entry's but in
 * the entry that pc 0 belongs to. */
static void table_clear(struct cpu *cpu)
{
    char *from = (char *)cpu->ucache, *to = (char *)(cpu->ucache + (1u << CPU_UCACHE_BITS));
    char *first = (char *)(((uintptr_t)from + 4095) & ~(uintptr_t)4095);
    char *last = (char *)((uintptr_t)to & ~(uintptr_t)4095);
    memset(from, 0, (size_t)(first - from));
    memset(last, 0, (size_t)(to - last));
    if (madvise(first, (size_t)(last - first), MADV_DONTNEED) != 0)
        memset(first, 0, (size_t)(last - first));
    cpu->ucache[0].pc = CPU_EMPTY_PC(0);
}

uint64_t cc_unit_run(struct cpu *cpu, const struct unit *u)
{
    x64_enter_fn *enter = (x64_enter_fn *)(uintptr_t)cc_stub(X64_STUB_ENTER);
    if (cc_traps(cpu->guest))
        cpu->mxcsr = fp_mxcsr_of_units(cpu);
    return enter(cpu, u->code + u->entry);
}

void cc_unit_enter(struct cpu *cpu)
{
    uint64_t gen = __atomic_load_n(&units.gen, __ATOMIC_ACQUIRE);
    if (cpu->unit_gen == gen)
        return;
    table_clear(cpu);
    /* The frames' return addresses may lead into memory that is used again. */
    if (!cpu->frames_map)
        frames_new(cpu);
    frames_clear(cpu);
    cpu->unit_gen = gen;
}

struct link *cc_link_by_ret(uint64_t ret)
{
    struct unit *u = cc_unit_by_host((uintptr_t)ret - 1);
    uint32_t stub = u ? (uint32_t)(ret - (uintptr_t)u->code) - CC_LINK_STUB_SIZE : 0;
    for (uint32_t i = 0; u && i < u->nlinks; i++)
        if (u->links[i].stub == stub)
            return &u->links[i];
    return NULL;
}

enum exit_reason cc_unit_left(struct cpu *cpu, uint64_t left, struct link **link)
{
    uint8_t pc_slot = cpu->guest->pc_slot;
    *link = NULL;
    if (!X64_LEFT_BY_LINK(left))
        return (enum exit_reason)left;
    const struct unit *u = cc_unit_by_host((uintptr_t)left - 1);
    if (u && u->leave && left == (uintptr_t)u->code + u->leave + CC_LINK_STUB_SIZE) {
        cpu->r[pc_slot] = cpu->exit_arg = u->pc;
        return u->level == 1 && (int32_t)*u->counter < 0 ? EXIT_PROMOTE : EXIT_SIGNAL;
    }
    *link = cc_link_by_ret(left);
    if (!*link)
        vm_bug("translated code left by %#llx, which is no link's stub", (unsigned long long)left);
    cpu->r[pc_slot] = (*link)->pc;
    return EXIT_BLOCK;
}

void cc_unit_for_each(void (*fn)(const struct unit *u, void *arg), void *arg)
{
    lock();
    for (size_t i = 0; by_pc.bucket && i < (size_t)1 << by_pc.bits; i++)
        for (struct unit *u = by_pc.bucket[i]; u; u = u->hash_next)
            fn(u, arg);
    unlock();
}

void cc_unit_get_stats(struct cc_unit_stats *s)
{
    lock();
    *s = units.stats;
    unlock();
}

/* ---- fork ---- */

void cc_unit_fork_begin(void)
{
    lock();
}

/* Zero whole pages of a table without copying them first: they are shared with the parent. */
static void forget(void *table, size_t size)
{
    if (madvise(table, size, MADV_DONTNEED) != 0)
        memset(table, 0, size);
}

void cc_unit_fork_end(bool child)
{
    if (child) {
        /* The table and the units are left behind rather than freed: touching them would copy their pages. */
        by_pc.bucket = NULL;
        forget(page_bucket, sizeof page_bucket);
        units.stats.units = 0;
        cc_worth_after_fork();
        if (cc_region.exec)
            cc_code_after_fork();
        new_generation();
    }
    unlock(); /* the child's only thread is the one that locked it */
}

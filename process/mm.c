/* The map of the guest's address space and the calls that only look at it.
 *
 * Owns: struct mm, mm_lock, the tree of vmas and its counters, placement.
 *
 * The tree mirrors what the kernel has mapped for the guest in [mm.lo, GUEST_ADDR_END). The kernel
 * does the mapping and checks what it can check; the tree adds what the host does not know: execute
 * permission, where the guest's range ends, what is not the guest's. A grows-down vma is grown by the
 * host kernel behind our back, so its start in the tree is brought up to date before it matters
 * (mm_sync_stacks).
 *
 * Locks: see mm_internal.h.
 */
#include "base/report.h"
#include "process/mm_internal.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

struct mm mm;
static pthread_mutex_t mm_mutex = PTHREAD_MUTEX_INITIALIZER;

void mm_lock(void)
{
    pthread_mutex_lock(&mm_mutex);
}

void mm_unlock(void)
{
    pthread_mutex_unlock(&mm_mutex);
}

void mm_fork_begin(void)
{
    mm_code_fork_begin();
    mm_lock();
}

void mm_fork_end(bool child)
{
    /* The child's only thread is the copy of the one that locked. */
    if (child)
        pthread_mutex_init(&mm_mutex, NULL);
    else
        mm_unlock();
    mm_code_fork_end(child);
}

/* --- the tree, with the counters ---------------------------------------------------------------- */

static void account(const struct vma *v, int sign)
{
    uint64_t pages = (v->end - v->start) / GUEST_PAGE_SIZE;

    if (v->flags & VMA_HOST) {
        mm.nhost += sign;
        return;
    }
    mm.total_pages += sign * pages;
    mm.nstacks += v->flags & MAP_GROWSDOWN ? sign : 0;
    /* The kernel's is_data_mapping: private, writable, not a stack. */
    if ((v->flags & MAP_TYPE) == MAP_PRIVATE && (v->prot & PROT_WRITE) &&
        !(v->flags & MAP_GROWSDOWN))
        mm.data_pages += sign * pages;
    if (mm_is_shared(v)) {
        if (v->prot & PROT_WRITE)
            mm.nshared_writable += sign;
        if (v->has_code)
            mm.ncode_shared += sign;
    }
}

static struct vma_node *node_add(const struct vma *v)
{
    struct vma_node *n = vma_insert(&mm.map, v);

    if (!n)
        report_no_memory("the map of the guest's address space (%zu mappings)", mm.map.count);
    account(v, 1);
    return n;
}

static void node_erase(struct vma_node *n)
{
    account(&n->v, -1);
    vma_erase(&mm.map, n);
}

static void node_resize(struct vma_node *n, uint64_t start, uint64_t end)
{
    account(&n->v, -1);
    vma_resize(&mm.map, n, start, end);
    account(&n->v, 1);
}

static bool has_offset(const struct vma *v)
{
    return v->ino != 0;
}

/* Cut n at addr, which lies inside it; n keeps the lower part. */
static void split(struct vma_node *n, uint64_t addr)
{
    struct vma upper = n->v;

    upper.start = addr;
    if (has_offset(&upper))
        upper.offset += addr - n->v.start;
    node_resize(n, n->v.start, addr);
    node_add(&upper);
}

static bool mergeable(const struct vma *a, const struct vma *b)
{
    return a->end == b->start && a->prot == b->prot && a->flags == b->flags && a->name == b->name &&
           a->dev == b->dev && a->ino == b->ino &&
           (!has_offset(a) || a->offset + (a->end - a->start) == b->offset) &&
           !(a->flags & (VMA_SHM | MAP_HUGETLB));
}

/* Merge n with its neighbours. */
static void merge(struct vma_node *n)
{
    struct vma_node *p = vma_find_before(&mm.map, n->v.start), *next;

    if (p && mergeable(&p->v, &n->v)) {
        uint64_t start = p->v.start, offset = p->v.offset;
        bool code = p->v.has_code;

        node_erase(p);
        account(&n->v, -1);
        n->v.offset = offset;
        n->v.has_code |= code;
        vma_resize(&mm.map, n, start, n->v.end);
        account(&n->v, 1);
    }
    next = vma_next(&mm.map, n);
    if (next && mergeable(&n->v, &next->v)) {
        uint64_t end = next->v.end;
        bool code = next->v.has_code;

        node_erase(next);
        account(&n->v, -1);
        n->v.has_code |= code;
        vma_resize(&mm.map, n, n->v.start, end);
        account(&n->v, 1);
    }
}

void mm_map_remove(uint64_t start, uint64_t end)
{
    struct vma_node *n = vma_find(&mm.map, start), *next;

    if (start >= end)
        return;
    if (n && n->v.start < start && !(n->v.flags & VMA_HOST)) {
        split(n, start);
        n = vma_find(&mm.map, start);
    }
    for (; n && n->v.start < end; n = next) {
        if (n->v.end > end && !(n->v.flags & VMA_HOST))
            split(n, end);
        next = vma_next(&mm.map, n);
        if (!(n->v.flags & VMA_HOST))
            node_erase(n);
    }
}

void mm_map_add(const struct vma *v)
{
    merge(node_add(v));
}

void mm_map_protect(uint64_t start, uint64_t end, int prot)
{
    struct vma_node *n = vma_at(&mm.map, start);

    if (n->v.prot == prot)
        return;
    if (n->v.start < start) {
        split(n, start);
        n = vma_at(&mm.map, start);
    }
    if (n->v.end > end)
        split(n, end);
    account(&n->v, -1);
    n->v.prot = prot;
    account(&n->v, 1);
    merge(n);
}

struct vma_node *mm_vma_at(uint64_t addr)
{
    struct vma_node *n = vma_at(&mm.map, addr);

    return n && !(n->v.flags & VMA_HOST) ? n : NULL;
}

struct vma_node *mm_vma_from(uint64_t addr)
{
    struct vma_node *n = vma_find(&mm.map, addr);

    while (n && (n->v.flags & VMA_HOST))
        n = vma_next(&mm.map, n);
    return n;
}

bool mm_touches_host(uint64_t start, uint64_t end)
{
    if (!mm.nhost)
        return false;
    for (struct vma_node *n = vma_find(&mm.map, start); n && n->v.start < end;
         n = vma_next(&mm.map, n))
        if (n->v.flags & VMA_HOST)
            return true;
    return false;
}

/* --- grows-down vmas ------------------------------------------------------------------------------ */

static bool page_mapped(uint64_t page)
{
    unsigned char vec;

    return host_call(SYS_mincore, page, GUEST_PAGE_SIZE, (uintptr_t)&vec, 0, 0, 0) != -ENOMEM;
}

/* Where n begins now. The kernel has kept it contiguous, so a search by halves finds the place. */
static void sync_stack(struct vma_node *n)
{
    struct vma_node *p = vma_find_before(&mm.map, n->v.start);
    uint64_t floor = p ? p->v.end : mm.lo, mapped = n->v.start, step = GUEST_PAGE_SIZE, bad;

    for (;; step *= 2) {
        if (mapped - floor < step) {
            bad = floor;
            if (bad < mapped && page_mapped(bad))
                mapped = bad;
            break;
        }
        bad = mapped - step;
        if (!page_mapped(bad))
            break;
        mapped = bad;
    }
    while (bad < mapped && mapped - bad > GUEST_PAGE_SIZE) {
        uint64_t mid = bad + (mapped - bad) / 2 / GUEST_PAGE_SIZE * GUEST_PAGE_SIZE;
        if (page_mapped(mid))
            mapped = mid;
        else
            bad = mid;
    }
    if (mapped != n->v.start) {
        /* The kernel can also have given pages of its own gap back, never: stacks do not shrink. */
        node_resize(n, mapped, n->v.end);
    }
}

void mm_sync_stacks(uint64_t start, uint64_t end)
{
    if (!mm.nstacks)
        return;
    for (struct vma_node *n = vma_find(&mm.map, start); n; n = vma_next(&mm.map, n)) {
        if (n->v.flags & MAP_GROWSDOWN)
            sync_stack(n);
        if (n->v.start >= end)
            break;
    }
}

/* --- the host's own ------------------------------------------------------------------------------- */

/* The same places for readers without the lock: only ever added to, the neighbour's end moved at most. */
static struct {
    _Atomic uint64_t start, end;
} host_places[64];
unsigned mm_host_places; /* atomic */

static void publish(uint64_t start, uint64_t end)
{
    unsigned n = mm_host_places;

    if (n && host_places[n - 1].end == start) {
        host_places[n - 1].end = end;
        return;
    }
    if (n == sizeof host_places / sizeof host_places[0])
        vm_bug("the host has more than %u places below %#llx", n,
               (unsigned long long)GUEST_ADDR_END);
    host_places[n].start = start;
    host_places[n].end = end;
    __atomic_store_n(&mm_host_places, n + 1, __ATOMIC_RELEASE);
}

uint64_t mm_next_host(uint64_t addr)
{
    uint64_t next = GUEST_ADDR_END;

    for (unsigned i = 0, n = __atomic_load_n(&mm_host_places, __ATOMIC_ACQUIRE); i < n; i++) {
        uint64_t start = host_places[i].start;

        if (addr < host_places[i].end && start < next)
            next = start > addr ? start : addr;
    }
    return next;
}

/* Keep [start, end) out of the guest's reach, where it is not the guest's. */
static void exclude(uint64_t start, uint64_t end)
{
    if (end > GUEST_ADDR_END)
        end = GUEST_ADDR_END;
    while (start < end) {
        struct vma_node *n = vma_find(&mm.map, start);
        uint64_t stop = end;

        if (n && n->v.start <= start) {
            start = n->v.end;
            continue;
        }
        if (n && n->v.start < stop)
            stop = n->v.start;
        struct vma v = {.start = start, .end = stop, .flags = VMA_HOST};
        node_add(&v);
        publish(start, stop);
        start = stop;
    }
}

/* What the host has between start and end, without a list of it: it can be mapped when nothing is there, mincore
 * likes it when all of it is. */
static void probe_host(uint64_t start, uint64_t end)
{
    unsigned char resident[1024];
    size_t len = end - start;
    void *p = mmap((void *)start, len, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

    if (p != MAP_FAILED) {
        munmap(p, len);
        return;
    }
    if (errno != EEXIST)
        return;
    if (len == GUEST_PAGE_SIZE ||
        (len <= sizeof resident * GUEST_PAGE_SIZE && !mincore((void *)start, len, resident))) {
        exclude(start, end);
        return;
    }
    uint64_t middle = (start + len / 2) & ~GUEST_PAGE_MASK;
    probe_host(start, middle);
    probe_host(middle, end);
}

/* Without /proc, as in a bare chroot. */
static void probe_gaps(void)
{
    uint64_t at = mm.lo;

    while (at < GUEST_ADDR_END) {
        struct vma_node *n = mm_vma_from(at);
        uint64_t end = n ? n->v.start : GUEST_ADDR_END, next = n ? n->v.end : GUEST_ADDR_END;

        if (at < end)
            probe_host(at, end); /* may add to the tree, before n */
        at = next;
    }
}

void mm_scan_host(void)
{
    FILE *f = fopen("/proc/self/maps", "re");
    uint64_t start, end;
    char line[512];

    mm_sync_stacks(0, GUEST_ADDR_END);
    if (!f) {
        probe_gaps();
        return;
    }
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 && start < GUEST_ADDR_END)
            exclude(start, end);
        while (!strchr(line, '\n') && fgets(line, sizeof line, f)) {
        }
    }
    fclose(f);
}

/* Where does the host place its mappings? With an unlimited stack or a legacy layout in the middle of
 * the guest's range: then a window of it is left to the host. */
static void exclude_mmap_area(void)
{
    void *p = mmap(NULL, GUEST_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t probe = (uintptr_t)p, window = UINT64_C(1) << 40;

    if (p == MAP_FAILED)
        return;
    munmap(p, GUEST_PAGE_SIZE);
    if (probe < GUEST_ADDR_END)
        exclude(probe > window + mm.lo ? probe - window : mm.lo, probe + window);
}

/* --- set-up and placement --------------------------------------------------------------------------- */

static uint64_t random_pages(unsigned bits)
{
    uint64_t r = 0;

    if (!mm.random)
        return 0;
    if (getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
        r = (uint64_t)getpid() * UINT64_C(0x9e3779b97f4a7c15);
    return (r & ((UINT64_C(1) << bits) - 1)) * GUEST_PAGE_SIZE;
}

/* The widths of random offsets: the stack's is riscv's STACK_RND_MASK, the map's the host's default
 * (vm.mmap_rnd_bits), both in pages. */
#define STACK_RANDOM_BITS 18
#define MMAP_RANDOM_BITS 28

void mm_init(bool random, mm_code_changed *on_code)
{
    uint64_t min = 0, gap;
    struct rlimit rl;
    FILE *f = fopen("/proc/sys/vm/mmap_min_addr", "re");

    if (f) {
        if (fscanf(f, "%" SCNu64, &min) != 1)
            min = 0;
        fclose(f);
    }
    min = (min + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    mm.lo = min > 0x10000 ? min : 0x10000;
    mm.random = random && !(personality(0xffffffff) & ADDR_NO_RANDOMIZE);
    mm.on_code = on_code;
    mm.limit_as = mm.limit_data = UINT64_MAX;
    mm.stack_top = GUEST_ADDR_END - random_pages(STACK_RANDOM_BITS);
    /* As arch/.../mmap_base(): below the stack's limit, its random offset and its guard gap. */
    gap = UINT64_MAX;
    if (!getrlimit(RLIMIT_STACK, &rl) && rl.rlim_cur != RLIM_INFINITY)
        gap = rl.rlim_cur;
    if (gap < (UINT64_C(128) << 20))
        gap = UINT64_C(128) << 20;
    if (gap > GUEST_ADDR_END / 6 * 5)
        gap = GUEST_ADDR_END / 6 * 5;
    gap += VMA_GUARD_GAP + (mm.random ? GUEST_PAGE_SIZE << STACK_RANDOM_BITS : 0);
    mm.mmap_base = (GUEST_ADDR_END - gap - random_pages(MMAP_RANDOM_BITS)) & ~GUEST_PAGE_MASK;
    exclude_mmap_area();
    mm_scan_host();
}

void mm_set_limits(uint64_t as, uint64_t data)
{
    mm_lock();
    mm.limit_as = as;
    mm.limit_data = data;
    mm_unlock();
}

bool mm_may_expand(uint64_t npages, int prot, int flags)
{
    if (npages > mm.limit_as / GUEST_PAGE_SIZE ||
        mm.total_pages > mm.limit_as / GUEST_PAGE_SIZE - npages)
        return false;
    if ((flags & MAP_TYPE) == MAP_PRIVATE && (prot & PROT_WRITE) && !(flags & MAP_GROWSDOWN) &&
        (npages > mm.limit_data / GUEST_PAGE_SIZE ||
         mm.data_pages > mm.limit_data / GUEST_PAGE_SIZE - npages))
        return false;
    return true;
}

uint64_t mm_place(uint64_t hint, uint64_t len, uint64_t align)
{
    uint64_t a;

    if (len > GUEST_ADDR_END - mm.lo)
        return 0;
    hint = (hint + align - 1) & -align;
    for (;;) {
        if (hint >= mm.lo && hint <= GUEST_ADDR_END - len && vma_is_free(&mm.map, hint, len))
            a = hint;
        else
            a = vma_gap_down(&mm.map, mm.lo, mm.mmap_base, len, align);
        if (!a)
            a = vma_gap_down(&mm.map, mm.lo, GUEST_ADDR_END, len, align);
        if (!a)
            return 0;
        struct vma_node *n = vma_find(&mm.map, a);
        if (n && (n->v.flags & MAP_GROWSDOWN)) {
            uint64_t start = n->v.start;
            sync_stack(n);
            if (n->v.start != start)
                continue;
        }
        return a;
    }
}

uint64_t mm_pie_base(uint64_t len)
{
    /* ELF_ET_DYN_BASE: two thirds up. */
    uint64_t base = (GUEST_ADDR_END / 3 * 2 + random_pages(MMAP_RANDOM_BITS)) & ~GUEST_PAGE_MASK;

    mm_lock();
    len = (len + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    if (!len || len > GUEST_ADDR_END - base || !vma_is_free(&mm.map, base, len))
        base = mm_place(0, len ? len : GUEST_PAGE_SIZE, GUEST_PAGE_SIZE);
    mm_unlock();
    return base;
}

uint64_t mm_stack_top(void)
{
    return mm.stack_top;
}

void mm_resync(uint64_t start, uint64_t end)
{
    struct vma_node *n = mm_vma_from(start);

    while (n && n->v.start < end) {
        uint64_t s = n->v.start > start ? n->v.start : start, e = n->v.end < end ? n->v.end : end;

        for (uint64_t p = s; p < e; p += GUEST_PAGE_SIZE)
            if (!page_mapped(p))
                mm_map_remove(p, p + GUEST_PAGE_SIZE);
        n = mm_vma_from(e);
    }
}

/* --- brk ---------------------------------------------------------------------------------------------- */

void mm_set_brk(uint64_t start)
{
    mm_lock();
    mm.brk_start = mm.brk = (start + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    mm.brk_start += random_pages(STACK_RANDOM_BITS); /* arch_randomize_brk: within 1 GiB */
    mm.brk = mm.brk_start;
    mm_unlock();
}

int64_t mm_brk(uint64_t brk)
{
    uint64_t old, new, ret;
    bool code = false;

    mm_lock();
    ret = mm.brk;
    old = (mm.brk + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    if (brk < mm.brk_start || brk > GUEST_ADDR_END - GUEST_PAGE_SIZE)
        goto out;
    new = (brk + GUEST_PAGE_MASK) & ~GUEST_PAGE_MASK;
    if (brk - mm.brk_start > mm.limit_data)
        goto out;
    if (new < old) {
        if (host_call(SYS_munmap, new, old - new, 0, 0, 0, 0))
            goto out;
        code = mm_code_forget(new, old);
        mm_map_remove(new, old);
    } else if (new > old) {
        int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
        struct vma v = {.start = old, .end = new, .prot = prot, .flags = flags};

        mm_sync_stacks(old, new);
        /* A page more must be free, and the guard gap below a stack. */
        if (!vma_is_free(&mm.map, old, new - old + GUEST_PAGE_SIZE) ||
            !mm_may_expand((new - old) / GUEST_PAGE_SIZE, prot, flags))
            goto out;
        if (host_call(SYS_mmap, old, new - old, prot,
                      flags | MAP_FIXED_NOREPLACE | (mm.lock_future ? MAP_LOCKED : 0), -1,
                      0) != (int64_t)old)
            goto out;
        mm_map_add(&v);
    }
    mm.brk = ret = brk;
out:
    mm_unlock();
    if (code)
        mm.on_code(new, old - new);
    return ret;
}

/* --- looking ------------------------------------------------------------------------------------------- */

static const char *display_name(const struct vma *v)
{
    if (v->name || (v->flags & (VMA_SHM | MAP_GROWSDOWN)) || v->ino)
        return v->name;
    /* The kernel names by place: whatever overlaps the heap. */
    if (mm.brk > mm.brk_start && v->start <= mm.brk && v->end >= mm.brk_start)
        return "[heap]";
    return NULL;
}

bool mm_find(uint64_t addr, struct vma *out)
{
    mm_lock();
    mm_sync_stacks(addr, addr + 1);
    struct vma_node *n = mm_vma_at(addr);
    if (n) {
        *out = n->v;
        out->name = display_name(&n->v);
    }
    mm_unlock();
    return n != NULL;
}

void mm_for_each(int (*fn)(const struct vma *v, void *arg), void *arg)
{
    mm_lock();
    mm_sync_stacks(0, GUEST_ADDR_END);
    for (struct vma_node *n = mm_vma_from(0); n; n = mm_vma_from(n->v.end)) {
        struct vma v = n->v;

        v.name = display_name(&v);
        if (fn(&v, arg))
            break;
    }
    mm_unlock();
}

void mm_set_name(uint64_t addr, const char *name)
{
    mm_lock();
    mm_sync_stacks(addr, addr + 1);
    struct vma_node *n = mm_vma_at(addr);
    if (n)
        n->v.name = name;
    mm_unlock();
}

void mm_get_brk(uint64_t *start, uint64_t *end)
{
    mm_lock();
    *start = mm.brk_start;
    *end = mm.brk;
    mm_unlock();
}

const char *mm_check(void)
{
    mm_lock();
    const char *e = vma_tree_check(&mm.map);
    for (struct vma_node *n = vma_find(&mm.map, 0), *next; !e && n; n = next) {
        next = vma_next(&mm.map, n);
        if (next && !(n->v.flags & VMA_HOST) && mergeable(&n->v, &next->v))
            e = "neighbours that should be one";
    }
    mm_unlock();
    return e;
}

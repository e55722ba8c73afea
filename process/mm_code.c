/* Guest pages that hold lifted code.
 *
 * Owns: the table of such pages, their write protection, the queue of pages whose code changed.
 *
 * A page from which code was lifted is noted. While the guest may write to it the host may not: the
 * first write traps, mm_fault_fixup makes the page writable again and queues the page, and the run
 * loop has its blocks thrown away (mm_run_dirty). A page that traps HOT_TRAPS times, each within
 * HOT_WINDOW_MS of the one before, is hot: it stays writable, and blocks from it compare their bytes at
 * entry (mm_page_is_hot_written). It cools down after COOL_MS without a trap, when next fetched from.
 *
 * Shared memory may be written through another view. All writable views of a noted shared page are
 * protected too, by entries that are not noted; a write to one queues the noted pages of all views.
 * Writes that reach a shared file by other means (another process, write(2)) are not seen.
 *
 * Locks: dirty_mutex, before mm_lock, is held while queued pages are taken and their blocks thrown away: whoever asks
 * for that finds it done when it returns, by whichever thread. mm_lock guards the table, in signal context too: a synchronous fault in guest code or an access
 * function cannot have interrupted a holder in the same thread. The table grows outside signal
 * context only.
 */
#include "base/log.h"
#include "process/mm_internal.h"
#include "process/thread.h"
#include <time.h>

#define HOT_TRAPS 16
#define HOT_WINDOW_MS 1000
#define COOL_MS 2000

enum code_flag {
    CODE_NOTED = 1,     /* blocks were lifted from it */
    CODE_PROTECTED = 2, /* read-only on the host though the guest may write */
    CODE_HOT = 4,
    CODE_DIRTY = 8, /* in the queue */
    CODE_TAGS = 16, /* it accesses memory by tagged addresses */
};

struct code_page {
    uint64_t page;
    struct code_page *next;  /* in its bucket, or in the free list */
    struct code_page *dirty; /* queue */
    uint64_t gen;            /* of its last change, see mm_code_lifted */
    uint32_t trapped_ms;
    uint8_t traps, flags;
};

static struct code_page **buckets, *free_pages, *dirty_head;
static struct code_page *fresh, *fresh_end; /* never used */
static size_t nbuckets, npages;
static uint64_t gen;
static atomic_uint nprotected, nhot;
static atomic_bool have_tags;  /* there may be pages with CODE_TAGS */
static atomic_bool have_dirty; /* pages are queued, or their blocks are being thrown away */
static pthread_mutex_t dirty_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t traps_total;

static size_t hash(uint64_t page)
{
    return (page >> 12) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (nbuckets - 1);
}

static struct code_page *lookup(uint64_t page)
{
    if (!nbuckets)
        return NULL;
    for (struct code_page *p = buckets[hash(page)]; p; p = p->next)
        if (p->page == page)
            return p;
    return NULL;
}

bool mm_code_known(uint64_t page)
{
    return lookup(page) != NULL;
}

static void *map_pages(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static bool grow(void)
{
    size_t old = nbuckets, n = old ? old * 4 : 4096;
    struct code_page **old_buckets = buckets, **b = map_pages(n * sizeof *b);

    if (!b)
        return false;
    buckets = b;
    nbuckets = n;
    for (size_t i = 0; i < old; i++) {
        for (struct code_page *p = old_buckets[i], *next; p; p = next) {
            next = p->next;
            p->next = buckets[hash(p->page)];
            buckets[hash(p->page)] = p;
        }
    }
    if (old)
        munmap(old_buckets, old * sizeof *b);
    return true;
}

/* The entry for page, made if need be; NULL without memory. Not in signal context. */
static struct code_page *entry(uint64_t page)
{
    struct code_page *p = lookup(page);

    if (p)
        return p;
    if (npages >= nbuckets && !grow() && !nbuckets)
        return NULL;
    if (!free_pages && fresh == fresh_end) {
        size_t size = 64 * 1024;

        fresh = map_pages(size);
        fresh_end = fresh ? fresh + size / sizeof *fresh : NULL;
        if (!fresh)
            return NULL;
    }
    p = free_pages ? free_pages : fresh++;
    if (p == free_pages)
        free_pages = p->next;
    *p = (struct code_page){.page = page, .gen = gen, .next = buckets[hash(page)]};
    buckets[hash(page)] = p;
    npages++;
    return p;
}

static uint32_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool set_host_prot(uint64_t page, int prot)
{
    return !host_call(SYS_mprotect, page, GUEST_PAGE_SIZE, prot, 0, 0, 0);
}

static void make_hot(struct code_page *p)
{
    p->trapped_ms = now_ms();
    if (!(p->flags & CODE_HOT)) {
        p->flags |= CODE_HOT;
        nhot++;
    }
}

/* Make the page read-only on the host. Where the kernel has no mapping left for the split, the page
 * is verified instead. */
static void protect(struct code_page *p)
{
    if (p->flags & (CODE_PROTECTED | CODE_HOT))
        return;
    if (set_host_prot(p->page, PROT_READ)) {
        p->flags |= CODE_PROTECTED;
        nprotected++;
    } else {
        make_hot(p);
    }
}

static void unprotect(struct code_page *p, int prot)
{
    if (!(p->flags & CODE_PROTECTED))
        return;
    set_host_prot(p->page, mm_host_prot(prot));
    p->flags &= ~CODE_PROTECTED;
    nprotected--;
}

static void queue(struct code_page *p)
{
    p->gen = ++gen;
    p->flags &= ~CODE_NOTED;
    if (!(p->flags & CODE_DIRTY)) {
        p->flags |= CODE_DIRTY;
        p->dirty = dirty_head;
        dirty_head = p;
    }
    have_dirty = true;
}

/* Call fn for the page of every view of the shared page at v + (page - v->start), itself included. */
static void for_views(const struct vma *v, uint64_t page,
                      void (*fn)(const struct vma *w, uint64_t p))
{
    uint64_t off = v->offset + (page - v->start);
    dev_t dev = v->dev;
    ino_t ino = v->ino;

    for (struct vma_node *n = mm_vma_from(0); n; n = mm_vma_from(n->v.end)) {
        const struct vma *w = &n->v;

        if (w->ino == ino && w->dev == dev && off >= w->offset &&
            off - w->offset < w->end - w->start)
            fn(w, w->start + (off - w->offset));
    }
}

static void protect_view(const struct vma *w, uint64_t page)
{
    struct code_page *p;

    if (mm_is_shared(w) && (w->prot & PROT_WRITE) && (p = entry(page)))
        protect(p);
}

static void queue_view(const struct vma *w, uint64_t page)
{
    struct code_page *p = lookup(page);

    (void)w;
    if (p && (p->flags & CODE_NOTED))
        queue(p);
}

static void heat_view(const struct vma *w, uint64_t page)
{
    struct code_page *p = lookup(page);

    if (p) {
        unprotect(p, w->prot);
        make_hot(p);
    }
}

static void cool(struct code_page *p)
{
    if (p->flags & CODE_HOT) {
        p->flags &= ~CODE_HOT;
        p->traps = HOT_TRAPS / 2;
        nhot--;
    }
}

static void cool_view(const struct vma *w, uint64_t page)
{
    struct code_page *p = lookup(page);

    (void)w;
    if (p)
        cool(p);
}

static bool any_hot; /* result of find_hot_view */

static void find_hot_view(const struct vma *w, uint64_t page)
{
    struct code_page *p = lookup(page);

    (void)w;
    any_hot |= p && (p->flags & CODE_HOT);
}

/* Note that code is lifted from page, which belongs to v. */
static bool note(struct vma *v, uint64_t page)
{
    struct code_page *p = entry(page);

    if (!p)
        return false;
    if (!v->has_code) {
        v->has_code = true;
        if (mm_is_shared(v))
            mm.ncode_shared++;
    }
    bool views =
        v->ino && mm.nshared_writable; /* a private file page shows shared writes as well */
    bool first = !(p->flags & CODE_NOTED);
    if ((p->flags & CODE_HOT) && now_ms() - p->trapped_ms > COOL_MS) {
        cool(p);
        if (views)
            for_views(v, page, cool_view);
        first = true;
    }
    p->flags |= CODE_NOTED;
    if (v->prot & PROT_WRITE)
        protect(p);
    if (first && views) {
        for_views(v, page, protect_view);
        any_hot = false;
        for_views(v, page, find_hot_view);
        if (any_hot)
            for_views(v, page, heat_view);
    }
    return true;
}

/* --- for the mapping calls -------------------------------------------------------------------------- */

static void drop(struct code_page *p)
{
    struct code_page **link = &buckets[hash(p->page)];

    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    if (p->flags & CODE_PROTECTED)
        nprotected--;
    if (p->flags & CODE_HOT)
        nhot--;
    if (p->flags & CODE_DIRTY) {
        for (link = &dirty_head; *link != p; link = &(*link)->dirty) {
        }
        *link = p->dirty;
    }
    p->next = free_pages;
    free_pages = p;
    npages--;
}

/* Call fn for each entry in [start, end); fn may drop it. */
static void for_entries(uint64_t start, uint64_t end, void (*fn)(struct code_page *p, void *arg),
                        void *arg)
{
    if (!npages)
        return;
    if ((end - start) / GUEST_PAGE_SIZE < nbuckets) {
        for (uint64_t page = start; page < end; page += GUEST_PAGE_SIZE) {
            struct code_page *p = lookup(page);
            if (p)
                fn(p, arg);
        }
        return;
    }
    for (size_t i = 0; i < nbuckets; i++) {
        for (struct code_page *p = buckets[i], *next; p; p = next) {
            next = p->next;
            if (p->page >= start && p->page < end)
                fn(p, arg);
        }
    }
}

static void forget_one(struct code_page *p, void *arg)
{
    bool *code = arg;

    *code |= p->flags & (CODE_NOTED | CODE_DIRTY);
    drop(p);
}

bool mm_code_forget(uint64_t start, uint64_t end)
{
    bool code = false;

    for_entries(start, end, forget_one, &code);
    if (code)
        gen++;
    return code;
}

static void reprotect_one(struct code_page *p, void *arg)
{
    int prot = *(int *)arg;
    struct vma_node *n;

    if (prot < 0) {
        n = mm_vma_at(p->page);
        prot = n ? n->v.prot : 0;
    }
    /* The host call just made undid the page's protection. */
    if (p->flags & CODE_PROTECTED) {
        p->flags &= ~CODE_PROTECTED;
        nprotected--;
        if (prot & PROT_WRITE)
            protect(p);
    } else if ((prot & PROT_WRITE) && (p->flags & CODE_NOTED)) {
        protect(p);
    }
}

void mm_code_reprotect(uint64_t start, uint64_t end, int prot)
{
    for_entries(start, end, reprotect_one, &prot);
}

static void unprotect_one(struct code_page *p, void *arg)
{
    (void)arg;
    if (p->flags & CODE_PROTECTED) {
        struct vma_node *n = mm_vma_at(p->page);
        /* Still counted as protected: reprotect or forget follows. */
        set_host_prot(p->page, mm_host_prot(n ? n->v.prot : 0));
    }
}

void mm_code_unprotect(uint64_t start, uint64_t end)
{
    for_entries(start, end, unprotect_one, NULL);
}

void mm_code_new_view(const struct vma *v)
{
    if (!mm_is_shared(v) || !(v->prot & PROT_WRITE) || !npages)
        return;
    for (struct vma_node *n = mm_vma_from(0); n; n = mm_vma_from(n->v.end)) {
        const struct vma *w = &n->v;

        if (!w->has_code || w->ino != v->ino || w->dev != v->dev)
            continue;
        uint64_t lo = w->offset > v->offset ? w->offset : v->offset;
        uint64_t w_end = w->offset + (w->end - w->start), v_end = v->offset + (v->end - v->start);
        uint64_t hi = w_end < v_end ? w_end : v_end;

        for (uint64_t off = lo; off < hi; off += GUEST_PAGE_SIZE) {
            struct code_page *p = lookup(w->start + (off - w->offset));
            struct code_page *q;
            if (!p || !(p->flags & CODE_NOTED) || !(q = entry(v->start + (off - v->offset))))
                continue;
            if (p->flags & CODE_HOT)
                make_hot(q);
            else
                protect(q);
            if ((q->flags & CODE_HOT) && !(p->flags & CODE_HOT)) {
                /* It cannot be protected: blocks from p have to be checked from now on. */
                queue(p);
                for_views(w, p->page, heat_view);
            }
        }
    }
}

/* p is about to be written. Its blocks are queued before the page lets writes through: another thread that writes without
 * a trap and then synchronises must find the queue (mm_run_dirty). */
static bool written(struct code_page *p)
{
    struct vma_node *n = mm_vma_at(p->page);
    bool noted = p->flags & CODE_NOTED;

    if (noted)
        queue(p);
    if (n && mm_is_shared(&n->v)) {
        uint64_t g = gen;
        for_views(&n->v, p->page, queue_view);
        noted |= gen != g;
    }
    unprotect(p, n ? n->v.prot : 0);
    return noted;
}

static void write_one(struct code_page *p, void *arg)
{
    bool *code = arg;

    if (p->flags & CODE_PROTECTED)
        *code |= written(p);
}

bool mm_code_write(uint64_t start, uint64_t end)
{
    bool code = false;

    for_entries(start, end, write_one, &code);
    return code;
}

/* --- for the engines and the run loop ----------------------------------------------------------------- */

size_t mm_fetch(uint64_t pc, void *buf, size_t max, struct mm_fetch_token *token,
                struct cpu_fault *fault)
{
    uint64_t page = pc & ~GUEST_PAGE_MASK, end = page + GUEST_PAGE_SIZE;
    struct vma_node *n, *m;
    size_t len = 0, left;
    bool file;

    *fault = (struct cpu_fault){.addr = pc, .signo = SIGSEGV, .code = SEGV_MAPERR};
    if (pc >= GUEST_ADDR_END)
        return 0;
    mm_lock();
    n = mm_vma_at(pc);
    if (!n) {
        mm_sync_stacks(pc, pc + 1);
        n = mm_vma_at(pc);
    }
    if (n && !(n->v.prot & PROT_EXEC))
        fault->code = SEGV_ACCERR;
    if (!n || !(n->v.prot & PROT_EXEC) || !note(&n->v, page)) {
        mm_unlock();
        return 0;
    }
    file = n->v.ino != 0;
    len = end - pc;
    /* An instruction that reaches over the page's end: a little of the next page as well. */
    if (len < MM_FETCH_MIN && len < max && (m = mm_vma_at(end)) && (m->v.prot & PROT_EXEC) &&
        note(&m->v, end))
        len += MM_FETCH_MIN;
    token->generation = gen;
    mm_unlock();
    if (len > max)
        len = max;
    /* What cannot be read although it is mapped lies beyond a file's end, or was unmapped by now. */
    left = mm_asm_copy(buf, mm_g2h(pc), len);
    len -= left;
    if (!len) {
        fault->signo = file ? SIGBUS : SIGSEGV;
        fault->code = file ? BUS_ADRERR : SEGV_ACCERR;
    }
    token->pc = pc;
    token->len = len;
    return len;
}

bool mm_code_lifted(const struct mm_fetch_token *token)
{
    uint64_t end = token->pc + token->len;
    bool ok = true;

    mm_lock();
    if (gen != token->generation) {
        for (uint64_t p = token->pc & ~GUEST_PAGE_MASK; p < end; p += GUEST_PAGE_SIZE) {
            struct code_page *e = lookup(p);
            if (!e || !(e->flags & CODE_NOTED) || e->gen > token->generation)
                ok = false;
        }
    }
    mm_unlock();
    return ok;
}

static bool page_has(enum code_flag flag, uint64_t pc, uint64_t len)
{
    bool has = false;

    mm_lock();
    for (uint64_t page = pc & ~GUEST_PAGE_MASK; page < pc + len; page += GUEST_PAGE_SIZE) {
        struct code_page *p = lookup(page);
        has |= p && (p->flags & flag);
    }
    mm_unlock();
    return has;
}

bool mm_page_is_hot_written(uint64_t pc, uint64_t len)
{
    return nhot && page_has(CODE_HOT, pc, len);
}

bool mm_page_has_tags(uint64_t pc, uint64_t len)
{
    return have_tags && page_has(CODE_TAGS, pc, len);
}

void mm_page_set_tags(uint64_t pc)
{
    mm_lock();
    struct code_page *p = lookup(pc & ~GUEST_PAGE_MASK);
    if (p) {
        p->flags |= CODE_TAGS;
        have_tags = true;
    }
    mm_unlock();
}

/* A write to addr faulted, and nothing is in its way: another thread was first, and it will succeed when
 * tried again. Unless the page has a reason of its own that we do not know (MADV_GUARD_INSTALL): then the
 * same address comes back at once, again and again. */
static bool raced(uint64_t addr)
{
    static _Thread_local uint64_t last_addr;
    static _Thread_local uint32_t since;
    static _Thread_local unsigned repeats;
    uint32_t now = now_ms();

    if (addr != last_addr || now - since > 50) {
        last_addr = addr;
        since = now;
        repeats = 0;
    }
    return ++repeats < 1000;
}

bool mm_fault_fixup(uint64_t addr, bool write, struct cpu_fault *fault)
{
    bool fixed = false;

    *fault =
        (struct cpu_fault){.addr = addr, .signo = SIGSEGV, .code = SEGV_MAPERR, .write = write};
    if (addr >= GUEST_ADDR_END)
        return false;
    mm_lock();
    mm_sync_stacks(addr, addr + 1);
    struct vma_node *n = mm_vma_at(addr);
    struct code_page *p = lookup(addr & ~GUEST_PAGE_MASK);
    if (n)
        fault->code = SEGV_ACCERR;
    if (n && write && (n->v.prot & PROT_WRITE)) {
        if (p && (p->flags & CODE_PROTECTED)) {
            uint32_t now = now_ms();

            if (now - p->trapped_ms > HOT_WINDOW_MS)
                p->traps = 0;
            p->trapped_ms = now;
            traps_total++;
            written(p);
            if (++p->traps >= HOT_TRAPS) {
                make_hot(p);
                if (mm_is_shared(&n->v))
                    for_views(&n->v, p->page, heat_view);
            }
            if (have_dirty && thread_self)
                cpu_ask_out(&thread_self->cpu);
            fixed = true;
        } else {
            fixed = raced(addr);
        }
    }
    mm_unlock();
    return fixed;
}

bool mm_code_dirty(void)
{
    return atomic_load_explicit(&have_dirty, memory_order_relaxed);
}

void mm_run_dirty(void)
{
    uint64_t pages[32];
    unsigned n = 0;

    if (!have_dirty)
        return;
    pthread_mutex_lock(&dirty_mutex);
    do {
        for (unsigned i = 0; i < n; i++) {
            if (log_enabled(LOG_MM))
                log_printf("mm: code at %#llx was written\n", (unsigned long long)pages[i]);
            mm.on_code(pages[i], GUEST_PAGE_SIZE);
        }
        mm_lock();
        for (n = 0; n < 32 && dirty_head; n++) {
            struct code_page *p = dirty_head;

            dirty_head = p->dirty;
            p->flags &= ~CODE_DIRTY;
            pages[n] = p->page;
        }
        if (!n)
            have_dirty = false;
        mm_unlock();
    } while (n);
    pthread_mutex_unlock(&dirty_mutex);
}

void mm_code_fork_begin(void)
{
    pthread_mutex_lock(&dirty_mutex);
}

void mm_code_fork_end(bool child)
{
    if (child)
        pthread_mutex_init(&dirty_mutex, NULL);
    else
        pthread_mutex_unlock(&dirty_mutex);
}

int mm_prepare_write(uint64_t addr, uint64_t len)
{
    bool code = false;

    addr = mm_user(addr);
    if (!mm_in_range(addr, len))
        return -EFAULT;
    if (!nprotected || !len)
        return 0;
    mm_lock();
    code = mm_code_write(addr & ~GUEST_PAGE_MASK, addr + len);
    mm_unlock();
    if (code)
        mm_run_dirty();
    return 0;
}

int mm_prepare_write_iov(const struct iovec *iov, int n)
{
    for (int i = 0; i < n; i++) {
        int r = mm_prepare_write((uintptr_t)iov[i].iov_base, iov[i].iov_len);
        if (r)
            return r;
    }
    return 0;
}

void mm_get_stats(struct mm_stats *s)
{
    mm_lock();
    mm_sync_stacks(0, GUEST_ADDR_END);
    *s = (struct mm_stats){
        .vmas = mm.map.count - mm.nhost,
        .total_pages = mm.total_pages,
        .code_pages = npages,
        .protected_pages = nprotected,
        .hot_pages = nhot,
        .write_traps = traps_total,
    };
    mm_unlock();
}

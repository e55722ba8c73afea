/* tests/process/random: random mapping calls, each made twice: through mm_* in the guest's range and
 * natively, by the host kernel, in a region above it. Results and errnos must be the same, and after
 * every step the two regions' lines of /proc/self/maps, and now and then their contents.
 *
 * Code pages take part: pages are fetched from as if lifted, and a page whose bytes change, or that
 * can no longer be executed, must have been reported.
 */
#include "tests/unit.h"

#include "process/mm.h"
#include "process/thread.h"
#include "tests/process/fault.h"
#include "tests/random.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGES 96
#define PAGE 4096
#define GUEST UINT64_C(0x200000000000)
#define NATIVE UINT64_C(0x600000000000)
#define FILE_PAGES 40

static int file_private, file_guest, file_native; /* the shared ones are two, with the same bytes */
static bool lifted[PAGES];
static uint64_t rng_state;

static uint32_t rnd(uint32_t n)
{
    return (random_next(&rng_state) >> 20) % n;
}

static void on_code(uint64_t addr, uint64_t len)
{
    for (uint64_t p = addr; p < addr + len; p += PAGE)
        if (p >= GUEST && p < GUEST + PAGES * PAGE)
            lifted[(p - GUEST) / PAGE] = false;
}

static int make_file(void)
{
    int fd = memfd_create("random-test", 0);
    uint8_t page[PAGE];

    for (int i = 0; i < FILE_PAGES; i++) {
        memset(page, 'A' + i, sizeof page);
        assert_int_equal(write(fd, page, sizeof page), sizeof page);
    }
    return fd;
}

/* A native result in the guest's terms. */
static int64_t native(void *r)
{
    if (r == MAP_FAILED)
        return -errno;
    return (uintptr_t)r >= NATIVE && (uintptr_t)r < NATIVE + PAGES * PAGE
               ? (int64_t)((uintptr_t)r - NATIVE + GUEST)
               : (int64_t)(uintptr_t)r;
}

static int64_t native_int(int r)
{
    return r ? -errno : 0;
}

struct line {
    uint64_t start, end, off, ino;
    char perms[5];
};

static unsigned lines_of(char *text, uint64_t base, struct line *out, unsigned max)
{
    unsigned n = 0;

    for (char *p = text, *nl; *p && n < max; p = nl + 1) {
        nl = strchr(p, '\n');
        *nl = 0;
        struct line l;
        unsigned major, minor;
        assert_int_equal(sscanf(p, "%lx-%lx %4s %lx %x:%x %lu", &l.start, &l.end, l.perms, &l.off,
                                &major, &minor, &l.ino),
                         7);
        if (l.end <= base || l.start >= base + PAGES * PAGE)
            continue;
        l.start -= base;
        l.end -= base;
        /* Whether the kernel merges two vmas depends on their pages' history (VM_ACCOUNT, anon_vma),
         * on which the protection of code pages has its effect: compare without such splits. */
        struct line *o = n ? &out[n - 1] : NULL;
        if (o && o->end == l.start && !strcmp(o->perms, l.perms) && o->ino == l.ino &&
            (!l.ino || o->off + (o->end - o->start) == l.off))
            o->end = l.end;
        else
            out[n++] = l;
    }
    return n;
}

/* The inode numbers of the two shared files differ; so do those of shared anonymous memory. */
static bool same_line(const struct line *a, const struct line *b)
{
    return a->start == b->start && a->end == b->end && !strcmp(a->perms, b->perms) &&
           a->off == b->off && !a->ino == !b->ino;
}

static char *host_maps(void)
{
    static char buf[1 << 20];
    int fd = open("/proc/self/maps", O_RDONLY);
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, buf + len, sizeof buf - len - 1)) > 0)
        len += n;
    close(fd);
    buf[len] = 0;
    return buf;
}

static void compare_maps(unsigned step, const char *op)
{
    struct line g[PAGES + 8], n[PAGES + 8];
    size_t len;
    char *text = mm_maps_text(&len);
    unsigned ng = lines_of(text, GUEST, g, PAGES + 8), nn;

    free(text);
    nn = lines_of(host_maps(), NATIVE, n, PAGES + 8);
    bool same = ng == nn;
    for (unsigned i = 0; same && i < ng; i++)
        same = same_line(&g[i], &n[i]);
    if (same)
        return;
    print_message("step %u, after %s:\n", step, op);
    for (unsigned i = 0; i < ng || i < nn; i++) {
        char gt[64] = "", nt[64] = "";
        if (i < ng)
            snprintf(gt, sizeof gt, "%3lu-%3lu %s %lx", g[i].start / PAGE, g[i].end / PAGE,
                     g[i].perms, g[i].off);
        if (i < nn)
            snprintf(nt, sizeof nt, "%3lu-%3lu %s %lx", n[i].start / PAGE, n[i].end / PAGE,
                     n[i].perms, n[i].off);
        print_message("  guest %-30s native %s\n", gt, nt);
    }
    print_message("the host's lines of the guest's region:\n");
    nn = lines_of(host_maps(), GUEST, n, PAGES + 8);
    for (unsigned i = 0; i < nn; i++)
        print_message("  %3lu-%3lu %s %lx\n", n[i].start / PAGE, n[i].end / PAGE, n[i].perms,
                      n[i].off);
    fail();
}

static void compare_bytes(unsigned step)
{
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t g = GUEST + i * PAGE + 8, n = NATIVE + i * PAGE + 8;
        uint8_t a = 0, b = 0;
        int rg = mm_read(&a, g, 1);
        bool rn;

        rn = fault_guarded_read(n, &b);
        if ((rg == 0) != rn || a != b) {
            print_message("step %u: page %u: guest %d %02x, native %d %02x\n", step, i, rg, a, rn,
                          b);
            fail();
        }
    }
}

static const int prots[] = {
    PROT_NONE,
    PROT_READ,
    PROT_READ | PROT_WRITE,
    PROT_READ | PROT_WRITE,
    PROT_READ | PROT_EXEC,
    PROT_READ | PROT_WRITE | PROT_EXEC,
};

static int random_prot(void)
{
    return prots[rnd(sizeof prots / sizeof prots[0])];
}

static void write_both(unsigned page, uint8_t byte)
{
    uint64_t off = page * PAGE + 8;
    bool g, n;

    if (rnd(2))
        g = fault_guarded_write(GUEST + off, byte);
    else
        g = mm_write(GUEST + off, &byte, 1) == 0;
    n = fault_guarded_write(NATIVE + off, byte);
    assert_int_equal(g, n);
    mm_run_dirty();
    if (g)
        assert_false(lifted[page]);
}

static void fetch(unsigned page)
{
    uint64_t pc = GUEST + page * PAGE + rnd(1000) * 4;
    struct mm_fetch_token token;
    struct cpu_fault f;
    uint8_t buf[64];
    size_t n = mm_fetch(pc, buf, sizeof buf, &token, &f);
    struct vma v;
    bool exec = mm_find(pc, &v) && (v.prot & PROT_EXEC);

    if (!exec)
        assert_int_equal(n, 0);
    if (n) {
        assert_true(mm_code_lifted(&token));
        lifted[page] = !mm_page_is_hot_written(pc, 1);
    }
}

/* A lifted page that can no longer be executed must have been reported. */
static void check_lifted(unsigned step, const char *op)
{
    for (unsigned i = 0; i < PAGES; i++) {
        struct vma v;
        if (lifted[i] && (!mm_find(GUEST + i * PAGE, &v) || !(v.prot & PROT_EXEC))) {
            print_message("step %u, after %s: page %u still counts as lifted\n", step, op, i);
            fail();
        }
    }
}

static int print_vma(const struct vma *v, void *arg)
{
    (void)arg;
    if (v->start >= GUEST && v->end <= GUEST + PAGES * PAGE)
        print_message("  vma %3lu-%3lu prot %d flags %#x offset %lx of %lu%s\n",
                      (unsigned long)(v->start - GUEST) / PAGE,
                      (unsigned long)(v->end - GUEST) / PAGE, v->prot, (unsigned)v->flags,
                      (unsigned long)v->offset, (unsigned long)v->ino, v->has_code ? ", code" : "");
    return 0;
}

static void check(unsigned step, const char *op, int64_t g, int64_t n)
{
    if (g != n) {
        print_message("step %u, %s: guest %ld (%s), native %ld (%s)\n", step, op, (long)g,
                      g < 0 ? strerror(-g) : "", (long)n, n < 0 ? strerror(-n) : "");
        mm_for_each(print_vma, NULL);
        fail();
    }
}

static void step_once(unsigned step)
{
    unsigned p = rnd(PAGES), len = 1 + rnd(rnd(4) ? 6 : 30), q = 0;
    char what[200], detail[64];
    const char *op = "?";
    int64_t g = 0, n = 0;
    int prot = random_prot(), flags;

    if (p + len > PAGES)
        len = PAGES - p;
    uint64_t ga = GUEST + p * PAGE, na = NATIVE + p * PAGE, bytes = len * PAGE;
    if (!rnd(8))
        bytes -= rnd(PAGE);
    if (!rnd(40)) {
        ga += 12;
        na += 12;
    }
    switch (rnd(14)) {
    case 0:
    case 1:
        op = "mmap private";
        flags = MAP_PRIVATE | MAP_ANONYMOUS | (rnd(4) ? MAP_FIXED : MAP_FIXED_NOREPLACE);
        g = mm_mmap(ga, bytes, prot, flags, -1, 0);
        n = native(mmap((void *)na, bytes, prot, flags, -1, 0));
        break;
    case 2:
        op = "mmap shared anonymous";
        flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
        g = mm_mmap(ga, bytes, prot, flags, -1, 0);
        n = native(mmap((void *)na, bytes, prot, flags, -1, 0));
        break;
    case 3:
        op = "mmap private file";
        q = rnd(FILE_PAGES) * PAGE;
        flags = MAP_PRIVATE | MAP_FIXED;
        g = mm_mmap(ga, bytes, prot, flags, file_private, q);
        n = native(mmap((void *)na, bytes, prot, flags, file_private, q));
        break;
    case 4:
        op = "mmap shared file";
        q = rnd(FILE_PAGES) * PAGE;
        flags = (rnd(2) ? MAP_SHARED : MAP_SHARED_VALIDATE) | MAP_FIXED;
        g = mm_mmap(ga, bytes, prot, flags, file_guest, q);
        n = native(mmap((void *)na, bytes, prot, flags, file_native, q));
        break;
    case 5:
    case 6:
        op = "munmap";
        g = mm_munmap(ga, bytes);
        n = native_int(munmap((void *)na, bytes));
        break;
    case 7:
    case 8:
        op = "mprotect";
        g = mm_mprotect(ga, bytes, prot);
        n = native_int(mprotect((void *)na, bytes, prot));
        break;
    case 9:
        op = "mremap in place";
        q = 1 + rnd(len + 4);
        if (p + q > PAGES)
            q = PAGES - p;
        g = mm_mremap(ga, bytes, q * PAGE, 0, 0);
        n = native(mremap((void *)na, bytes, q * PAGE, 0));
        break;
    case 10:
        op = "mremap to a fixed place";
        q = rnd(PAGES - len + 1) * PAGE;
        flags = MREMAP_MAYMOVE | MREMAP_FIXED | (rnd(4) ? 0 : MREMAP_DONTUNMAP);
        if (rnd(5)) {
            g = mm_mremap(ga, bytes, bytes, flags, GUEST + q);
            n = native(mremap((void *)na, bytes, bytes, flags, (void *)(NATIVE + q)));
        } else {
            uint64_t old = rnd(len + 1) * PAGE;
            snprintf(detail, sizeof detail, "mremap from %u pages, flags %d",
                     (unsigned)(old / PAGE), flags);
            op = detail;
            g = mm_mremap(ga, old, bytes, flags, GUEST + q);
            n = native(mremap((void *)na, old, bytes, flags, (void *)(NATIVE + q)));
        }
        break;
    case 11:
        op = "madvise";
        g = mm_madvise(ga, bytes, MADV_DONTNEED);
        n = native_int(madvise((void *)na, bytes, MADV_DONTNEED));
        break;
    case 12: {
        op = "msync, mlock, mincore";
        uint8_t vec[PAGES];
        g = mm_msync(ga, bytes, MS_ASYNC);
        n = native_int(msync((void *)na, bytes, MS_ASYNC));
        check(step, "msync", g, n);
        uint64_t vec_at = GUEST - 0x100000;
        g = mm_mincore(ga, bytes, vec_at);
        n = native_int(mincore((void *)na, bytes, vec));
        break;
    }
    case 13:
        op = "writes and fetches";
        for (unsigned i = 0; i < len; i++) {
            fetch(p + i);
            if (rnd(3))
                write_both(p + rnd(len), rnd(256));
        }
        break;
    }
    snprintf(what, sizeof what, "%s at page %u, %u pages, prot %d, argument %u: result %lx", op, p,
             len, prot, q, (long)g);
    op = what;
    check(step, op, g, n);
    mm_run_dirty();
    compare_maps(step, op);
    check_lifted(step, op);
    if (step % 8 == 0)
        compare_bytes(step);
    const char *broken = mm_check();
    if (broken) {
        print_message("step %u, after %s: %s\n", step, op, broken);
        fail();
    }
}

static void run(uint64_t seed, unsigned steps)
{
    rng_state = seed;
    for (unsigned i = 0; i < 20; i++)
        rnd(2);
    mm_munmap(GUEST, PAGES * PAGE);
    munmap((void *)NATIVE, PAGES * PAGE);
    for (unsigned i = 0; i < steps; i++)
        step_once(i);
}

static void sequences(void **state)
{
    (void)state;
    const char *one = getenv("SEED");
    unsigned seeds = one ? 1 : 40;

    fault_install(); /* here: cmocka has its own around each test */
    for (unsigned s = 0; s < seeds; s++) {
        uint64_t seed = one ? strtoull(one, NULL, 0) : UINT64_C(0x1234567) + s * UINT64_C(7919);
        print_message("seed %#lx\n", (unsigned long)seed);
        run(seed, 500);
    }
}

static int setup(void **state)
{
    (void)state;
    mm_init(true, on_code);
    file_private = make_file();
    file_guest = make_file();
    file_native = make_file();
    /* Where mincore's answer goes. */
    if (mm_mmap(GUEST - 0x100000, PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) < 0)
        return -1;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sequences)};
    return cmocka_run_group_tests(tests, setup, NULL);
}

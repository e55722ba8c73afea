/* tests/process/threads: threads that map, protect, fetch and write at the same time, each in a region of
 * its own and all in one page that holds code. No lost change, no deadlock, the map whole at the end.
 */
#include "process/mm.h"
#include "process/thread.h"
#include "tests/process/fault.h"
#include "tests/random.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 4
#define STEPS 4000
#define PAGES 32
#define PAGE UINT64_C(4096)
#define BASE UINT64_C(0x210000000000)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

static uint64_t common;                    /* the page that all share */
static atomic_uint common_changes;         /* reported for it */
static atomic_bool lifted[THREADS][PAGES]; /* a page's code counts as valid */
static atomic_uint wrong;

static void on_code(uint64_t addr, uint64_t len)
{
    for (uint64_t p = addr; p < addr + len; p += PAGE) {
        if (p == common)
            common_changes++;
        if (p >= BASE && p < BASE + THREADS * PAGES * PAGE)
            lifted[(p - BASE) / PAGE / PAGES][(p - BASE) / PAGE % PAGES] = false;
    }
}

static unsigned rnd(uint64_t *s, unsigned n)
{
    return (random_next(s) >> 16) % n;
}

static void one_step(unsigned me, uint64_t *s)
{
    uint64_t base = BASE + me * PAGES * PAGE;
    unsigned p = rnd(s, PAGES), n = 1 + rnd(s, 4);
    struct mm_fetch_token token;
    struct cpu_fault f;
    uint8_t buf[32];
    struct vma v;

    if (p + n > PAGES)
        n = PAGES - p;
    uint64_t a = base + p * PAGE;
    switch (rnd(s, 8)) {
    case 0:
        mm_mmap(a, n * PAGE, RW | PROT_EXEC, ANON, -1, 0);
        break;
    case 1:
        mm_munmap(a, n * PAGE);
        break;
    case 2:
        mm_mprotect(a, n * PAGE, rnd(s, 2) ? PROT_READ | PROT_EXEC : RW | PROT_EXEC);
        break;
    case 3:
        mm_mprotect(a, n * PAGE, RW);
        break;
    case 4:
    case 5:
        if (mm_fetch(a, buf, sizeof buf, &token, &f) && mm_code_lifted(&token))
            lifted[me][p] = !mm_page_is_hot_written(a, 1);
        break;
    case 6:
        if (fault_guarded_write(a + 64, me)) {
            mm_run_dirty();
            /* Another thread may have taken the page from the queue and be about to report it. */
            for (int i = 0; lifted[me][p] && i < 1000; i++)
                usleep(1000);
            if (lifted[me][p])
                wrong++;
        }
        break;
    case 7:
        /* The common page: written by all, fetched by all. */
        if (mm_fetch(common + 128 * me, buf, sizeof buf, &token, &f) != sizeof buf)
            wrong++;
        if (!fault_guarded_write(common + 128 * me, me))
            wrong++;
        mm_run_dirty();
        if (!mm_page_is_hot_written(common, 1) && mm_code_lifted(&token))
            wrong++;
        break;
    }
    if (!mm_find(a, &v) || !(v.prot & PROT_EXEC)) {
        if (lifted[me][p])
            wrong++;
    }
}

static void *worker(void *arg)
{
    unsigned me = (uintptr_t)arg;
    uint64_t s = UINT64_C(0x9e3779b97f4a7c15) * (me + 1);

    for (unsigned i = 0; i < STEPS; i++)
        one_step(me, &s);
    return NULL;
}

static void at_once(void **state)
{
    pthread_t t[THREADS];

    (void)state;
    fault_install();
    common = mm_mmap(0, PAGE, RW | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, worker, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(wrong, 0);
    assert_true(common_changes > 0);
    assert_null(mm_check());
    assert_int_equal(mm_munmap(BASE, THREADS * PAGES * PAGE), 0);
    assert_int_equal(mm_munmap(common, PAGE), 0);
    struct mm_stats s;
    mm_get_stats(&s);
    assert_int_equal(s.code_pages, 0);
    assert_int_equal(s.protected_pages, 0);
    assert_int_equal(s.vmas, 0);
}

static int setup(void **state)
{
    (void)state;
    mm_init(true, on_code);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(at_once)};
    return cmocka_run_group_tests(tests, setup, NULL);
}

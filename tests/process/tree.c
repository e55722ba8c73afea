/* tests/process/tree: the tree of vmas against a byte per page: finding, gaps from above with alignment
 * and guard gaps, resizing.
 */
#include "process/vmatree.h"
#include "tests/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGES 3000
#define PAGE UINT64_C(4096)

static struct vma_tree tree;
static uint8_t model[PAGES]; /* 0 free, else taken */
static uint8_t grows[PAGES]; /* taken by a grows-down vma that begins here */
static uint64_t state = RANDOM_SEED;

static unsigned rnd(unsigned n)
{
    return (random_next(&state) >> 16) % n;
}

/* May pages [p, p+n) be used for placement? Nothing there, and no guard gap of a stack above. */
static bool model_free(unsigned p, unsigned n)
{
    for (unsigned i = p; i < p + n; i++)
        if (model[i])
            return false;
    for (unsigned i = p + n; i < PAGES && i < p + n + VMA_GUARD_GAP / PAGE; i++)
        if (model[i])
            return !grows[i];
    return true;
}

static uint64_t model_gap(unsigned lo, unsigned hi, unsigned n, unsigned align)
{
    for (unsigned p = hi >= n ? hi - n : 0; p >= lo && p > 0; p--)
        if (p % align == 0 && model_free(p, n))
            return p * PAGE;
    return 0;
}

static void compare(void)
{
    unsigned p = 1 + rnd(PAGES - 1), lo = 1 + rnd(PAGES / 2), n = 1 + rnd(rnd(2) ? 20 : 600);
    unsigned hi = lo + rnd(PAGES - lo + 1), align = 1u << rnd(6);
    struct vma_node *at = vma_at(&tree, p * PAGE), *next = vma_find(&tree, p * PAGE);
    struct vma_node *prev = vma_find_before(&tree, p * PAGE);
    unsigned q;

    assert_int_equal(at != NULL, model[p] != 0);
    for (q = p; q < PAGES && !model[q]; q++) {
    }
    assert_int_equal(next != NULL, q < PAGES);
    if (next)
        assert_true(next->v.start <= q * PAGE && next->v.end > q * PAGE);
    if (prev)
        assert_true(prev->v.end <= p * PAGE);
    for (q = prev ? prev->v.end / PAGE : 0; q < p; q++)
        assert_true(!model[q] || (at && at->v.start <= q * PAGE));
    assert_int_equal(vma_gap_down(&tree, lo * PAGE, hi * PAGE, n * PAGE, align * PAGE),
                     model_gap(lo, hi, n, align));
    if (p + n <= PAGES)
        assert_int_equal(vma_is_free(&tree, p * PAGE, n * PAGE), model_free(p, n));
}

static void random_changes(void **unused)
{
    (void)unused;
    for (unsigned step = 0; step < 20000; step++) {
        unsigned p = 1 + rnd(PAGES - 1), n = 1 + rnd(rnd(8) ? 4 : 100), i;
        struct vma_node *at = vma_at(&tree, p * PAGE);

        if (p + n > PAGES)
            n = PAGES - p;
        if (!at) {
            for (i = 0; i < n && !model[p + i]; i++) {
            }
            struct vma v = {.start = p * PAGE, .end = (p + i) * PAGE};
            if (!rnd(10))
                v.flags = MAP_GROWSDOWN;
            assert_non_null(vma_insert(&tree, &v));
            memset(model + p, 1, i);
            grows[p] = v.flags != 0;
        } else {
            unsigned s = at->v.start / PAGE, e = at->v.end / PAGE;
            bool g = grows[s];

            memset(model + s, 0, e - s);
            grows[s] = 0;
            if (rnd(2) && e - s > 1) {
                /* A smaller piece of it stays. */
                s += rnd(e - s);
                e = s + 1 + rnd(e - s);
                vma_resize(&tree, at, s * PAGE, e * PAGE);
                memset(model + s, 1, e - s);
                grows[s] = g;
            } else {
                vma_erase(&tree, at);
            }
        }
        if (step % 16 == 0) {
            const char *broken = vma_tree_check(&tree);
            if (broken)
                fail_msg("step %u: %s", step, broken);
        }
        compare();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

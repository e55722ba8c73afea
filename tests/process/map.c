/* tests/process/map: the mapping calls' rules, one by one. */
#include "tests/unit.h"

#include "process/mm.h"
#include "process/thread.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static unsigned code_changes;

static void on_code(uint64_t addr, uint64_t len)
{
    (void)addr;
    (void)len;
    code_changes++;
}

static void place(void **state)
{
    int64_t a = mm_mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), b;

    (void)state;
    assert_true(a > 0 && a < (int64_t)GUEST_ADDR_END);
    memset(mm_g2h(a), 1, 8192);
    b = mm_mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(b, a - 4096);
    assert_int_equal(mm_munmap(a, 8192), 0);
    assert_int_equal(mm_munmap(b, 4096), 0);
    assert_null(mm_check());
}

static int setup(void **state)
{
    (void)state;
    mm_init(true, on_code);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

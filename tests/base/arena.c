/* Arenas: alignment, no overlap, growth, reuse after reset. */
#include "tests/unit.h"

#include "base/arena.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_alignment_and_contents(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    enum { N = 500 };
    static unsigned char *at[N];
    static size_t size[N];
    for (size_t i = 0; i < N; i++) {
        size_t align = (size_t)1 << (i % 13);
        size[i] = (i * 37) % 300;
        at[i] = arena_alloc(&a, size[i], align);
        assert_non_null(at[i]);
        assert_int_equal((uintptr_t)at[i] % align, 0);
        memset(at[i], (int)i, size[i]);
    }
    /* Whatever overlapped would have been overwritten by the later one. */
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < size[i]; j++)
            assert_int_equal(at[i][j], (unsigned char)i);
    }
    arena_free(&a);
    assert_int_equal(arena_mapped(&a), 0);
}

static void test_larger_than_a_chunk(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    char *small = arena_alloc(&a, 10, 1);
    char *large = arena_alloc(&a, 1 << 20, 4096);
    char *after = arena_alloc(&a, 10, 1);
    memset(small, 1, 10);
    memset(large, 2, 1 << 20);
    memset(after, 3, 10);
    assert_int_equal(small[9], 1);
    assert_int_equal(large[0], 2);
    assert_int_equal(large[(1 << 20) - 1], 2);
    arena_free(&a);
}

static void test_exact_fit(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    char *p = arena_alloc(&a, 1, 1);
    size_t rest = 4096 - ((uintptr_t)p % 4096) - 1;
    char *q = arena_alloc(&a, rest, 1);
    assert_ptr_equal(q, p + 1);
    assert_int_equal(arena_mapped(&a), 4096);
    arena_alloc(&a, 1, 1);
    assert_int_equal(arena_mapped(&a), 8192);
    arena_free(&a);
}

static void test_reset_reuses(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    void *first = arena_alloc(&a, 100, 8);
    for (int i = 0; i < 100; i++)
        arena_alloc(&a, 1000, 8);
    size_t mapped = arena_mapped(&a);
    for (int round = 0; round < 10; round++) {
        arena_reset(&a);
        assert_ptr_equal(arena_alloc(&a, 100, 8), first);
        for (int i = 0; i < 100; i++)
            arena_alloc(&a, 1000, 8);
        assert_int_equal(arena_mapped(&a), mapped);
    }
    arena_reset(&a);
    unsigned char *z = arena_zalloc(&a, 4000, 8);
    for (int i = 0; i < 4000; i++)
        assert_int_equal(z[i], 0);
    arena_free(&a);
}

/* Chunks of a larger size in between are found again or passed over, never overrun. */
static void test_reset_with_other_sizes(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    for (unsigned round = 1; round < 50; round++) {
        arena_reset(&a);
        for (unsigned i = 0; i < 20; i++) {
            size_t n = (round * 7919 + i * 104729) % 20000;
            memset(arena_alloc(&a, n, 16), 0xee, n);
        }
    }
    arena_free(&a);
}

static void test_absurd_size_is_reported(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        struct arena a;
        arena_init(&a, 0);
        arena_alloc(&a, SIZE_MAX - 8, 8);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment_and_contents),
        cmocka_unit_test(test_larger_than_a_chunk),
        cmocka_unit_test(test_exact_fit),
        cmocka_unit_test(test_reset_reuses),
        cmocka_unit_test(test_reset_with_other_sizes),
        cmocka_unit_test(test_absurd_size_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

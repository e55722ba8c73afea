/* Bit sets, against a plain array of bools. */
#include "tests/unit.h"

#include "base/bitset.h"

enum { BITS = 200 };

static unsigned random_state = 12345;
static unsigned next_random(void)
{
    random_state = random_state * 1103515245u + 12345u;
    return random_state >> 16;
}

static void test_against_bools(void **state)
{
    (void)state;
    uint64_t s[BITSET_WORDS(BITS)];
    bool model[BITS] = {0};
    bitset_zero(s, BITS);
    for (int step = 0; step < 5000; step++) {
        size_t i = next_random() % BITS;
        if (next_random() & 1) {
            bitset_set(s, i);
            model[i] = true;
        } else {
            bitset_clear(s, i);
            model[i] = false;
        }
        assert_int_equal(bitset_test(s, i), model[i]);
    }
    size_t count = 0;
    for (size_t i = 0; i < BITS; i++)
        count += model[i];
    assert_int_equal(bitset_count(s, BITS), count);
    size_t at = 0;
    bitset_for_each(i, s, BITS)
    {
        while (!model[at])
            at++;
        assert_int_equal(i, at);
        at++;
        count--;
    }
    assert_int_equal(count, 0);
}

static void test_edges(void **state)
{
    (void)state;
    for (size_t n = 1; n <= BITS; n++) {
        uint64_t s[BITSET_WORDS(BITS)] = {0};
        assert_true(bitset_empty(s, n));
        assert_int_equal(bitset_next(s, n, 0), n);
        bitset_fill(s, n);
        assert_int_equal(bitset_count(s, n), n);
        assert_true(bitset_test(s, n - 1));
        assert_int_equal(bitset_next(s, n, n - 1), n - 1);
        assert_int_equal(bitset_next(s, n, n), n);
        assert_false(bitset_empty(s, n));
        bitset_zero(s, n);
        bitset_set(s, n - 1);
        assert_int_equal(bitset_next(s, n, 0), n - 1);
    }
}

static void test_algebra(void **state)
{
    (void)state;
    uint64_t a[BITSET_WORDS(BITS)] = {0}, b[BITSET_WORDS(BITS)] = {0}, c[BITSET_WORDS(BITS)];
    for (size_t i = 0; i < BITS; i += 2)
        bitset_set(a, i);
    for (size_t i = 0; i < BITS; i += 3)
        bitset_set(b, i);
    bitset_copy(c, a, BITS);
    assert_true(bitset_equal(c, a, BITS));
    assert_true(bitset_union(c, b, BITS));
    assert_false(bitset_union(c, b, BITS));
    for (size_t i = 0; i < BITS; i++)
        assert_int_equal(bitset_test(c, i), i % 2 == 0 || i % 3 == 0);
    bitset_copy(c, a, BITS);
    bitset_intersect(c, b, BITS);
    for (size_t i = 0; i < BITS; i++)
        assert_int_equal(bitset_test(c, i), i % 6 == 0);
    bitset_copy(c, a, BITS);
    bitset_subtract(c, b, BITS);
    for (size_t i = 0; i < BITS; i++)
        assert_int_equal(bitset_test(c, i), i % 2 == 0 && i % 3 != 0);
    assert_false(bitset_equal(c, a, BITS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_bools),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_algebra),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

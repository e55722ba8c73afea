/* The tests' random numbers, the same in each run: xorshift64 (G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8,
 * 2003). */
#ifndef DRAGOMAN_TESTS_RANDOM_H
#define DRAGOMAN_TESTS_RANDOM_H

#include <stdint.h>

#define RANDOM_SEED UINT64_C(88172645463325252) /* the paper's; any but 0 will do */

static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif

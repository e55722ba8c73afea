/* Bit sets of a fixed number of bits over arrays of 64-bit words that the caller owns.
 *
 * Invariants: a set of n bits is BITSET_WORDS(n) words; bits at n and above are zero, which
 * bitset_fill keeps to and bitset_equal, bitset_count and bitset_empty rely on.
 *
 * Threading: none; a set belongs to its owner.
 */
#ifndef DRAGOMAN_BASE_BITSET_H
#define DRAGOMAN_BASE_BITSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BITSET_WORDS(nbits) (((nbits) + 63) / 64)

static inline void bitset_set(uint64_t *s, size_t i)
{
    s[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bitset_clear(uint64_t *s, size_t i)
{
    s[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static inline bool bitset_test(const uint64_t *s, size_t i)
{
    return s[i / 64] >> (i % 64) & 1;
}

static inline void bitset_zero(uint64_t *s, size_t nbits)
{
    memset(s, 0, BITSET_WORDS(nbits) * sizeof(*s));
}

/* All of the first nbits. */
static inline void bitset_fill(uint64_t *s, size_t nbits)
{
    memset(s, 0xff, nbits / 64 * sizeof(*s));
    if (nbits % 64)
        s[nbits / 64] = (UINT64_C(1) << (nbits % 64)) - 1;
}

static inline void bitset_copy(uint64_t *to, const uint64_t *from, size_t nbits)
{
    memcpy(to, from, BITSET_WORDS(nbits) * sizeof(*to));
}

static inline bool bitset_equal(const uint64_t *a, const uint64_t *b, size_t nbits)
{
    return memcmp(a, b, BITSET_WORDS(nbits) * sizeof(*a)) == 0;
}

static inline bool bitset_empty(const uint64_t *s, size_t nbits)
{
    for (size_t w = 0; w < BITSET_WORDS(nbits); w++) {
        if (s[w])
            return false;
    }
    return true;
}

static inline size_t bitset_count(const uint64_t *s, size_t nbits)
{
    size_t n = 0;
    for (size_t w = 0; w < BITSET_WORDS(nbits); w++)
        n += (size_t)__builtin_popcountll(s[w]);
    return n;
}

/* to |= from; true when that changed `to` (for data flow to a fixed point). */
static inline bool bitset_union(uint64_t *to, const uint64_t *from, size_t nbits)
{
    uint64_t changed = 0;
    for (size_t w = 0; w < BITSET_WORDS(nbits); w++) {
        changed |= from[w] & ~to[w];
        to[w] |= from[w];
    }
    return changed != 0;
}

/* to &= from. */
static inline void bitset_intersect(uint64_t *to, const uint64_t *from, size_t nbits)
{
    for (size_t w = 0; w < BITSET_WORDS(nbits); w++)
        to[w] &= from[w];
}

/* to &= ~from. */
static inline void bitset_subtract(uint64_t *to, const uint64_t *from, size_t nbits)
{
    for (size_t w = 0; w < BITSET_WORDS(nbits); w++)
        to[w] &= ~from[w];
}

/* The first bit set at or after `from`; nbits when there is none. */
static inline size_t bitset_next(const uint64_t *s, size_t nbits, size_t from)
{
    if (from >= nbits)
        return nbits;
    size_t w = from / 64;
    uint64_t word = s[w] & ~UINT64_C(0) << (from % 64);
    while (!word) {
        if (++w == BITSET_WORDS(nbits))
            return nbits;
        word = s[w];
    }
    return w * 64 + (size_t)__builtin_ctzll(word);
}

/* Run the statement for each bit set; bits may be cleared meanwhile. */
#define bitset_for_each(i, s, nbits)                                   \
    for (size_t i = bitset_next((s), (nbits), 0); i < (size_t)(nbits); \
         i = bitset_next((s), (nbits), i + 1))

#endif

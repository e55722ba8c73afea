/* uop/vec.c: the vector micro-ops, lane by lane: see uop/vec.h.
 *
 * Owns: plain definitions; no host vector instruction is used here.
 *
 * Threading: pure functions.
 */
#include "uop/vec.h"
#include "uop/sem.h"
#include <string.h>

/* x (sign- or zero-extended from its width of bits) shifted left by s, right when s is negative; every
 * amount is allowed. */
static inline uint64_t uop_vec_shift(__int128 x, int64_t s, int bits, bool round)
{
    if (s >= bits)
        return 0;
    if (s >= 0)
        return (uint64_t)x << s;
    s = -s;
    if (s > bits + (round ? 1 : 0))
        s = bits + (round ? 1 : 0);
    if (round)
        x += (__int128)1 << (s - 1);
    return (uint64_t)(x >> s);
}

static inline uint64_t uop_vec_sat_s(__int128 v, int bits)
{
    __int128 max = ((__int128)1 << (bits - 1)) - 1;
    return (uint64_t)(v > max ? max : v < -max - 1 ? -max - 1 : v);
}

static inline uint64_t uop_vec_sat_u(__int128 v, int bits)
{
    __int128 max = ((__int128)1 << bits) - 1;
    return (uint64_t)(v > max ? max : v < 0 ? 0 : v);
}

static inline int uop_vec_clz(uint64_t x, int bits)
{
    return x ? __builtin_clzll(x) - (64 - bits) : bits;
}

#define LANES(U) (16 / (int)sizeof(U))

#define UOP_V1(name, U_, S_, expr)                                 \
    void uop_vec_##name(uint64_t *d, const uint64_t *a, int64_t n) \
    {                                                              \
        (void)n;                                                   \
        typedef S_ S __attribute__((unused));                      \
        typedef U_ U __attribute__((unused));                      \
        U_ va[LANES(U_)];                                          \
        memcpy(va, a, 16);                                         \
        for (int i = 0; i < LANES(U_); i++) {                      \
            U_ x = va[i];                                          \
            va[i] = (U_)(expr);                                    \
        }                                                          \
        memcpy(d, va, 16);                                         \
    }
#define UOP_V2(name, U_, S_, expr)                                         \
    void uop_vec_##name(uint64_t *d, const uint64_t *a, const uint64_t *b) \
    {                                                                      \
        typedef S_ S __attribute__((unused));                              \
        typedef U_ U __attribute__((unused));                              \
        U_ va[LANES(U_)], vb[LANES(U_)];                                   \
        memcpy(va, a, 16);                                                 \
        memcpy(vb, b, 16);                                                 \
        for (int i = 0; i < LANES(U_); i++) {                              \
            U_ x = va[i], y = vb[i];                                       \
            va[i] = (U_)(expr);                                            \
        }                                                                  \
        memcpy(d, va, 16);                                                 \
    }
#include "uop/uop_all.h"

#define VX(name)                                                                              \
    void uop_vec_##name(uint64_t *d, const uint64_t *a, const uint64_t *b, const uint64_t *c, \
                        int64_t n)
#define UNUSED3 (void)b, (void)c, (void)n

/* Lane to of d from lane from of s, of 2^n bytes. */
static void lane(uint8_t *d, int to, const uint8_t *s, int from, int64_t n)
{
    memcpy(d + ((size_t)to << n), s + ((size_t)from << n), (size_t)1 << n);
}

#define PERMUTE(name, first, second)          \
    VX(name)                                  \
    {                                         \
        (void)c;                              \
        uint8_t t[16], s[32];                 \
        memcpy(s, a, 16);                     \
        memcpy(s + 16, b, 16);                \
        int lanes = 16 >> n;                  \
        for (int i = 0; i < lanes / 2; i++) { \
            lane(t, 2 * i, s, first, n);      \
            lane(t, 2 * i + 1, s, second, n); \
        }                                     \
        memcpy(d, t, 16);                     \
    }
PERMUTE(vzip1, i, lanes + i)
PERMUTE(vzip2, lanes / 2 + i, lanes + lanes / 2 + i)
PERMUTE(vuzp1, 4 * i, 4 * i + 2)
PERMUTE(vuzp2, 4 * i + 1, 4 * i + 3)
PERMUTE(vtrn1, 2 * i, lanes + 2 * i)
PERMUTE(vtrn2, 2 * i + 1, lanes + 2 * i + 1)

VX(vshuf_32)
{
    (void)c;
    uint8_t t[16];
    for (int i = 0; i < 4; i++)
        lane(t, i, (const uint8_t *)(i < 2 ? a : b), (int)(n >> (2 * i) & 3), 2);
    memcpy(d, t, 16);
}

VX(vext)
{
    (void)c;
    uint8_t s[32];
    memcpy(s, a, 16);
    memcpy(s + 16, b, 16);
    memcpy(d, s + n, 16);
}

static void table(uint64_t *d, const uint64_t *a, const uint64_t *b, const uint64_t *c, int64_t n)
{
    uint8_t t[16], idx[16], r[16] = {0};
    memcpy(t, a, 16);
    memcpy(idx, b, 16);
    if (c)
        memcpy(r, c, 16);
    for (int i = 0; i < 16; i++)
        if (idx[i] >= n && idx[i] - n < 16)
            r[i] = t[idx[i] - n];
    memcpy(d, r, 16);
}

VX(vtbl)
{
    (void)c;
    table(d, a, b, NULL, n);
}

VX(vtbx)
{
    table(d, a, b, c, n);
}

/* Little-endian integer of 2^n bytes. */
static uint64_t get(const uint8_t *s, int i, int64_t n)
{
    uint64_t v = 0;
    memcpy(&v, s + ((size_t)i << n), (size_t)1 << n);
    return v;
}

static void put(uint8_t *s, int i, int64_t n, uint64_t v)
{
    memcpy(s + ((size_t)i << n), &v, (size_t)1 << n);
}

static void widen(uint64_t *d, const uint64_t *a, int64_t n, bool is_signed)
{
    uint8_t s[16], t[16];
    memcpy(s, a, 16);
    for (int i = 0; i < 8 >> n; i++) {
        uint64_t v = get(s, i, n);
        int up = 64 - (8 << n);
        put(t, i, n + 1, is_signed ? (uint64_t)((int64_t)(v << up) >> up) : v);
    }
    memcpy(d, t, 16);
}

VX(vwiden_s)
{
    UNUSED3;
    widen(d, a, n, true);
}

VX(vwiden_u)
{
    UNUSED3;
    widen(d, a, n, false);
}

VX(vnarrow)
{
    UNUSED3;
    uint8_t s[16], t[16] = {0};
    memcpy(s, a, 16);
    for (int i = 0; i < 8 >> n; i++)
        put(t, i, n, get(s, i, n + 1));
    memcpy(d, t, 16);
}

VX(vbsl)
{
    (void)n;
    for (int i = 0; i < 2; i++)
        d[i] = (a[i] & b[i]) | (~a[i] & c[i]);
}

VX(vget)
{
    (void)b, (void)c;
    uint64_t v = 0;
    memcpy(&v, (const uint8_t *)a + (n >> 2 << (n & 3)), (size_t)1 << (n & 3));
    *d = v;
}

VX(vset)
{
    (void)c;
    uint64_t t[2] = {a[0], a[1]};
    memcpy((uint8_t *)t + (n >> 2 << (n & 3)), b, (size_t)1 << (n & 3));
    memcpy(d, t, 16);
}

VX(vins)
{
    (void)c;
    uint8_t s[16], t[16];
    memcpy(s, b, 16);
    memcpy(t, a, 16);
    lane(t, (int)(n >> 2 & 15), s, (int)(n >> 8), n & 3);
    memcpy(d, t, 16);
}

VX(vpair)
{
    (void)c, (void)n;
    uint64_t t[2] = {*a, *b};
    memcpy(d, t, 16);
}

VX(vzext)
{
    UNUSED3;
    uint64_t v = 0;
    memcpy(&v, a, (size_t)1 << n);
    d[0] = v;
    d[1] = 0;
}

VX(vdup)
{
    UNUSED3;
    uint8_t s[8], t[16];
    memcpy(s, a, 8);
    for (int i = 0; i < 16 >> n; i++)
        lane(t, i, s, 0, n);
    memcpy(d, t, 16);
}

VX(vrep)
{
    UNUSED3;
    uint8_t s[16], t[16];
    memcpy(s, a, 16);
    for (int i = 0; i < 16 >> (n & 3); i++)
        lane(t, i, s, (int)(n >> 2), n & 3);
    memcpy(d, t, 16);
}

/* Byte i of v as a number. */
static int32_t byte(const uint64_t *v, int i, bool is_signed)
{
    uint8_t x = (uint8_t)(v[i / 8] >> i % 8 * 8);
    return is_signed ? (int8_t)x : x;
}

VX(vdot)
{
    uint32_t t[4];
    memcpy(t, c, 16);
    for (int i = 0; i < 16; i++)
        t[i / 4] += (uint32_t)(byte(a, i, n & 1) * byte(b, i, n & 2));
    memcpy(d, t, 16);
}

/* uop/crypto.c: the vector micro-ops of cryptography: AES, SHA-1, SHA-256, SHA-512, SM3, SM4, carry-less products.
 *
 * Owns: their meaning, by plain C and, where the host has instructions for it (AES, SHA, carry-less products), by these.
 * The definitions are those of Arm's instructions that the rows of uop.def name (Arm Architecture Reference Manual, C7.2);
 * words are numbered from the low end.
 *
 * Threading: pure; the flags of the host are written once before main (tests clear it).
 */
#include "uop/vec.h"
#include <immintrin.h>
#include <string.h>

bool uop_host_aes, uop_host_clmul, uop_host_sha;

__attribute__((constructor)) static void probe_host(void)
{
    __builtin_cpu_init();
    uop_host_aes = __builtin_cpu_supports("aes");
    uop_host_clmul = __builtin_cpu_supports("pclmul");
    unsigned b, unused;
    /* gcc 12 has no name for SHA: CPUID 7, EBX bit 29 */
    __asm__("cpuid" : "=b"(b), "=a"(unused) : "1"(7), "c"(0) : "edx");
    uop_host_sha = b >> 29 & 1 && __builtin_cpu_supports("sse4.1");
}

#define VX(name)                                                                              \
    void uop_vec_##name(uint64_t *d, const uint64_t *a, const uint64_t *b, const uint64_t *c, \
                        int64_t n)
#define NO_BCN (void)b, (void)c, (void)n
#define NO_CN (void)c, (void)n

static __m128i load(const uint64_t *v)
{
    return _mm_set_epi64x((long long)v[1], (long long)v[0]);
}

static void store(uint64_t *d, __m128i v)
{
    memcpy(d, &v, 16);
}

static inline uint32_t rol(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static inline uint64_t ror64(uint64_t x, int n)
{
    return x >> n | x << (64 - n);
}

/* ---- carry-less products ---- */

static void product_64(uint64_t *d, uint64_t x, uint64_t y)
{
    uint64_t low = 0, high = 0;
    for (int i = 0; i < 64; i++)
        if (y >> i & 1) {
            low ^= x << i;
            high ^= i ? x >> (64 - i) : 0;
        }
    d[0] = low;
    d[1] = high;
}

__attribute__((target("pclmul"))) static __m128i host_product(__m128i x, __m128i y)
{
    return _mm_clmulepi64_si128(x, y, 0);
}

VX(vpmull_64)
{
    NO_CN;
    if (uop_host_clmul)
        store(d, host_product(load(a), load(b)));
    else
        product_64(d, a[0], b[0]);
}

VX(vpmull_8)
{
    NO_CN;
    uint8_t x[8], y[8];
    uint16_t t[8];
    memcpy(x, a, 8);
    memcpy(y, b, 8);
    for (int i = 0; i < 8; i++) {
        t[i] = 0;
        for (int j = 0; j < 8; j++)
            t[i] ^= y[i] >> j & 1 ? (uint16_t)(x[i] << j) : 0;
    }
    memcpy(d, t, 16);
}

/* ---- AES: a round without its key ---- */

static const uint8_t aes_sbox[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
};
static const uint8_t aes_inverse[256] = {
    0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7, 0xfb,
    0x7c, 0xe3, 0x39, 0x82, 0x9b, 0x2f, 0xff, 0x87, 0x34, 0x8e, 0x43, 0x44, 0xc4, 0xde, 0xe9, 0xcb,
    0x54, 0x7b, 0x94, 0x32, 0xa6, 0xc2, 0x23, 0x3d, 0xee, 0x4c, 0x95, 0x0b, 0x42, 0xfa, 0xc3, 0x4e,
    0x08, 0x2e, 0xa1, 0x66, 0x28, 0xd9, 0x24, 0xb2, 0x76, 0x5b, 0xa2, 0x49, 0x6d, 0x8b, 0xd1, 0x25,
    0x72, 0xf8, 0xf6, 0x64, 0x86, 0x68, 0x98, 0x16, 0xd4, 0xa4, 0x5c, 0xcc, 0x5d, 0x65, 0xb6, 0x92,
    0x6c, 0x70, 0x48, 0x50, 0xfd, 0xed, 0xb9, 0xda, 0x5e, 0x15, 0x46, 0x57, 0xa7, 0x8d, 0x9d, 0x84,
    0x90, 0xd8, 0xab, 0x00, 0x8c, 0xbc, 0xd3, 0x0a, 0xf7, 0xe4, 0x58, 0x05, 0xb8, 0xb3, 0x45, 0x06,
    0xd0, 0x2c, 0x1e, 0x8f, 0xca, 0x3f, 0x0f, 0x02, 0xc1, 0xaf, 0xbd, 0x03, 0x01, 0x13, 0x8a, 0x6b,
    0x3a, 0x91, 0x11, 0x41, 0x4f, 0x67, 0xdc, 0xea, 0x97, 0xf2, 0xcf, 0xce, 0xf0, 0xb4, 0xe6, 0x73,
    0x96, 0xac, 0x74, 0x22, 0xe7, 0xad, 0x35, 0x85, 0xe2, 0xf9, 0x37, 0xe8, 0x1c, 0x75, 0xdf, 0x6e,
    0x47, 0xf1, 0x1a, 0x71, 0x1d, 0x29, 0xc5, 0x89, 0x6f, 0xb7, 0x62, 0x0e, 0xaa, 0x18, 0xbe, 0x1b,
    0xfc, 0x56, 0x3e, 0x4b, 0xc6, 0xd2, 0x79, 0x20, 0x9a, 0xdb, 0xc0, 0xfe, 0x78, 0xcd, 0x5a, 0xf4,
    0x1f, 0xdd, 0xa8, 0x33, 0x88, 0x07, 0xc7, 0x31, 0xb1, 0x12, 0x10, 0x59, 0x27, 0x80, 0xec, 0x5f,
    0x60, 0x51, 0x7f, 0xa9, 0x19, 0xb5, 0x4a, 0x0d, 0x2d, 0xe5, 0x7a, 0x9f, 0x93, 0xc9, 0x9c, 0xef,
    0xa0, 0xe0, 0x3b, 0x4d, 0xae, 0x2a, 0xf5, 0xb0, 0xc8, 0xeb, 0xbb, 0x3c, 0x83, 0x53, 0x99, 0x61,
    0x17, 0x2b, 0x04, 0x7e, 0xba, 0x77, 0xd6, 0x26, 0xe1, 0x69, 0x14, 0x63, 0x55, 0x21, 0x0c, 0x7d,
};

/* Rows shifted (to the right for the inverse) and bytes substituted: row r of column i is byte 4 * i + r. */
static void aes_substitute(uint64_t *d, const uint64_t *a, const uint8_t *box, int direction)
{
    uint8_t s[16], t[16];
    memcpy(s, a, 16);
    for (int i = 0; i < 4; i++)
        for (int r = 0; r < 4; r++)
            t[4 * i + r] = box[s[4 * ((i + direction * r) & 3) + r]];
    memcpy(d, t, 16);
}

/* The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
static uint8_t aes_times(uint8_t x, unsigned y)
{
    uint8_t p = 0;
    for (; y; y >>= 1, x = (uint8_t)(x << 1 ^ (x >> 7) * 0x1b))
        p ^= y & 1 ? x : 0;
    return p;
}

static void aes_mix(uint64_t *d, const uint64_t *a, const uint8_t factor[4])
{
    uint8_t s[16], t[16] = {0};
    memcpy(s, a, 16);
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 4; k++)
            t[i] ^= aes_times(s[(i & 12) + ((i + k) & 3)], factor[k]);
    memcpy(d, t, 16);
}

__attribute__((target("aes"))) static __m128i host_aes(__m128i x, int what)
{
    __m128i zero = _mm_setzero_si128();
    switch (what) {
    case 0:
        return _mm_aesenclast_si128(x, zero);
    case 1:
        return _mm_aesdeclast_si128(x, zero);
    case 2: /* the substitution undone first */
        return _mm_aesenc_si128(_mm_aesdeclast_si128(x, zero), zero);
    default:
        return _mm_aesimc_si128(x);
    }
}

static void aes(uint64_t *d, const uint64_t *a, int what)
{
    if (uop_host_aes)
        store(d, host_aes(load(a), what));
    else if (what < 2)
        aes_substitute(d, a, what ? aes_inverse : aes_sbox, what ? -1 : 1);
    else
        aes_mix(d, a, what == 2 ? (const uint8_t[]){2, 3, 1, 1} : (const uint8_t[]){14, 11, 13, 9});
}

VX(vaese)
{
    NO_BCN;
    aes(d, a, 0);
}

VX(vaesd)
{
    NO_BCN;
    aes(d, a, 1);
}

VX(vaesmc)
{
    NO_BCN;
    aes(d, a, 2);
}

VX(vaesimc)
{
    NO_BCN;
    aes(d, a, 3);
}

/* ---- SHA-1 and SHA-256 ---- */

static inline uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return ((y ^ z) & x) ^ z;
}

static inline uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | ((x | y) & z);
}

/* Four rounds of hash state a (words a to d) and the word e in b, c the schedule with constants added. */
VX(vsha1)
{
    uint32_t x[4], y = (uint32_t)b[0], w[4];
    memcpy(x, a, 16);
    memcpy(w, c, 16);
    for (int i = 0; i < 4; i++) {
        uint32_t f = n == 0   ? choose(x[1], x[2], x[3])
                     : n == 1 ? x[1] ^ x[2] ^ x[3]
                              : majority(x[1], x[2], x[3]);
        y += rol(x[0], 5) + f + w[i];
        uint32_t last = x[3];
        x[3] = x[2], x[2] = rol(x[1], 30), x[1] = x[0], x[0] = y;
        y = last;
    }
    memcpy(d, x, 16);
}

VX(vsha1su1)
{
    NO_CN;
    uint32_t t[4], s[4];
    memcpy(t, a, 16);
    memcpy(s, b, 16);
    for (int i = 0; i < 3; i++)
        t[i] ^= s[i + 1];
    uint32_t first = t[0];
    for (int i = 0; i < 4; i++)
        t[i] = rol(t[i], 1);
    t[3] ^= rol(first, 2);
    memcpy(d, t, 16);
}

/* Four rounds, as two of sha256rnds2: it has words A B E F and C D G H together, the first ones high. */
__attribute__((target("sha,sse4.1"))) static void
host_sha256(uint64_t *d, const uint64_t *x, const uint64_t *y, const uint64_t *w, bool second)
{
    __m128i abcd = _mm_shuffle_epi32(load(x), 0x1b), efgh = _mm_shuffle_epi32(load(y), 0x1b);
    __m128i abef = _mm_unpackhi_epi64(efgh, abcd), cdgh = _mm_unpacklo_epi64(efgh, abcd);
    __m128i wk = load(w);
    __m128i t = _mm_sha256rnds2_epu32(cdgh, abef, wk);
    __m128i u = _mm_sha256rnds2_epu32(abef, t, _mm_shuffle_epi32(wk, 0x0e));
    /* u is A B E F, t C D G H */
    __m128i v = second ? _mm_unpacklo_epi64(t, u) : _mm_unpackhi_epi64(t, u);
    store(d, _mm_shuffle_epi32(v, 0x1b));
}

static void sha256(uint64_t *d, const uint64_t *first, const uint64_t *last, const uint64_t *key,
                   bool second)
{
    if (uop_host_sha) {
        host_sha256(d, first, last, key, second);
        return;
    }
    uint32_t x[4], y[4], w[4];
    memcpy(x, first, 16);
    memcpy(y, last, 16);
    memcpy(w, key, 16);
    for (int i = 0; i < 4; i++) {
        uint32_t t =
            y[3] + (rol(y[0], 26) ^ rol(y[0], 21) ^ rol(y[0], 7)) + choose(y[0], y[1], y[2]) + w[i];
        uint32_t u =
            t + (rol(x[0], 30) ^ rol(x[0], 19) ^ rol(x[0], 10)) + majority(x[0], x[1], x[2]);
        uint32_t e = t + x[3];
        x[3] = x[2], x[2] = x[1], x[1] = x[0], x[0] = u;
        y[3] = y[2], y[2] = y[1], y[1] = y[0], y[0] = e;
    }
    memcpy(d, second ? y : x, 16);
}

VX(vsha256h)
{
    (void)n;
    sha256(d, a, b, c, false);
}

VX(vsha256h2)
{
    (void)n;
    sha256(d, b, a, c, true);
}

VX(vsha256su0)
{
    NO_CN;
    uint32_t t[5], s[4];
    memcpy(t, a, 16);
    memcpy(s, b, 16);
    t[4] = s[0];
    for (int i = 0; i < 4; i++)
        t[i] += rol(t[i + 1], 25) ^ rol(t[i + 1], 14) ^ t[i + 1] >> 3;
    memcpy(d, t, 16);
}

VX(vsha256su1)
{
    (void)n;
    uint32_t t[4], s[4], r[4];
    memcpy(t, a, 16);
    memcpy(s, b, 16);
    memcpy(r, c, 16);
    uint32_t next[2] = {r[2], r[3]};
    for (int i = 0; i < 4; i++) {
        uint32_t x = i < 2 ? next[i] : t[i - 2];
        t[i] += (rol(x, 15) ^ rol(x, 13) ^ x >> 10) + (i < 3 ? s[i + 1] : r[0]);
    }
    memcpy(d, t, 16);
}

/* ---- SHA-512 ---- */

static uint64_t sigma512(uint64_t x, int i, int j, int k)
{
    return ror64(x, i) ^ ror64(x, j) ^ ror64(x, k);
}

VX(vsha512h)
{
    (void)n;
    uint64_t x0 = b[0], x1 = b[1], y0 = c[0], y1 = c[1];
    uint64_t high = ((y1 & x0) ^ (~y1 & x1)) + sigma512(y1, 14, 18, 41) + a[1];
    uint64_t t = high + y0;
    uint64_t low = ((t & y1) ^ (~t & x0)) + sigma512(t, 14, 18, 41) + a[0];
    d[0] = low;
    d[1] = high;
}

VX(vsha512h2)
{
    (void)n;
    uint64_t x0 = b[0], y0 = c[0], y1 = c[1];
    uint64_t high = ((x0 & y1) ^ (x0 & y0) ^ (y1 & y0)) + sigma512(y0, 28, 34, 39) + a[1];
    uint64_t low = ((high & y0) ^ (high & y1) ^ (y1 & y0)) + sigma512(high, 28, 34, 39) + a[0];
    d[0] = low;
    d[1] = high;
}

VX(vsha512su0)
{
    NO_CN;
    uint64_t w0 = a[0], w1 = a[1], x0 = b[0];
    d[0] = w0 + (ror64(w1, 1) ^ ror64(w1, 8) ^ w1 >> 7);
    d[1] = w1 + (ror64(x0, 1) ^ ror64(x0, 8) ^ x0 >> 7);
}

VX(vsha512su1)
{
    (void)n;
    uint64_t t[2];
    for (int i = 0; i < 2; i++)
        t[i] = a[i] + (ror64(b[i], 19) ^ ror64(b[i], 61) ^ b[i] >> 6) + c[i];
    memcpy(d, t, 16);
}

/* ---- SM3 ---- */

VX(vsm3ss1)
{
    (void)n;
    uint32_t x = (uint32_t)(a[1] >> 32), y = (uint32_t)(b[1] >> 32), z = (uint32_t)(c[1] >> 32);
    d[0] = 0;
    d[1] = (uint64_t)rol(rol(x, 12) + y + z, 7) << 32;
}

/* A round of either half of the state; imm: 0 tt1a, 1 tt1b, 2 tt2a, 3 tt2b, and the word of c's from bit 2 on. */
VX(vsm3tt)
{
    uint32_t s[4], x = (uint32_t)(b[1] >> 32), w[4], t;
    memcpy(s, a, 16);
    memcpy(w, c, 16);
    t = !(n & 1)       ? s[1] ^ s[3] ^ s[2]
        : (n & 3) == 1 ? (s[3] & s[1]) | (s[3] & s[2]) | (s[1] & s[2])
                       : (s[3] & s[2]) | (~s[3] & s[1]);
    t += s[0] + (n & 2 ? x : x ^ rol(s[3], 12)) + w[n >> 2];
    uint32_t r[4] = {s[1], rol(s[2], n & 2 ? 19 : 9), s[3], n & 2 ? t ^ rol(t, 9) ^ rol(t, 17) : t};
    memcpy(d, r, 16);
}

static uint32_t sm3_p1(uint32_t x)
{
    return x ^ rol(x, 15) ^ rol(x, 23);
}

VX(vsm3partw1)
{
    (void)n;
    uint32_t x[4], y[4], z[4];
    memcpy(x, a, 16);
    memcpy(y, b, 16);
    memcpy(z, c, 16);
    for (int i = 0; i < 4; i++)
        x[i] = sm3_p1(x[i] ^ y[i] ^ rol(i < 3 ? z[i + 1] : x[0], 15));
    memcpy(d, x, 16);
}

VX(vsm3partw2)
{
    (void)n;
    uint32_t x[4], y[4], z[4];
    memcpy(x, a, 16);
    memcpy(y, b, 16);
    memcpy(z, c, 16);
    for (int i = 0; i < 4; i++)
        y[i] ^= rol(z[i], 7);
    for (int i = 0; i < 4; i++)
        x[i] ^= y[i];
    x[3] ^= sm3_p1(rol(y[0], 15));
    memcpy(d, x, 16);
}

/* ---- SM4 ---- */

static const uint8_t sm4_sbox[256] = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};

/* Four rounds of state s with round keys (or the key schedule's constants) k. */
static void sm4(uint64_t *d, const uint64_t *state, const uint64_t *keys, bool schedule)
{
    uint32_t s[4], k[4];
    memcpy(s, state, 16);
    memcpy(k, keys, 16);
    for (int i = 0; i < 4; i++) {
        uint32_t x = s[3] ^ s[2] ^ s[1] ^ k[i], t = 0;
        for (int j = 0; j < 32; j += 8)
            t |= (uint32_t)sm4_sbox[x >> j & 0xff] << j;
        t ^= schedule ? rol(t, 13) ^ rol(t, 23) : rol(t, 2) ^ rol(t, 10) ^ rol(t, 18) ^ rol(t, 24);
        t ^= s[0];
        s[0] = s[1], s[1] = s[2], s[2] = s[3], s[3] = t;
    }
    memcpy(d, s, 16);
}

VX(vsm4e)
{
    NO_CN;
    sm4(d, a, b, false);
}

VX(vsm4ekey)
{
    NO_CN;
    sm4(d, a, b, true);
}

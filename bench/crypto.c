/* Kernels on the machine's own cryptographic instructions: those of AArch64, or AES-NI, SHA-NI and PCLMULQDQ.
 *
 * usage: crypto aes-ctr|aes-cbc|aes-dec|sha1|sha256|ghash|crc ROUNDS, a round being 16 KB. Prints a checksum that depends on every result
 * and not on the machine. Round keys and constants of folding are any numbers: they cost the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 16384, BLOCKS = SIZE / 16 };
static uint8_t data[SIZE] __attribute__((aligned(64)));

static const uint32_t k256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
/* The state: of SHA-1 with a word of nothing behind E's. */
static uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

#ifdef __aarch64__

#include <arm_neon.h>
typedef uint8x16_t vec;

static inline vec load(const void *p)
{
    return vld1q_u8(p);
}

static inline void store(void *p, vec v)
{
    vst1q_u8(p, v);
}

static inline vec either(vec a, vec b)
{
    return veorq_u8(a, b);
}

static inline vec encrypt(vec s, const vec key[11])
{
    for (int i = 0; i < 9; i++)
        s = vaesmcq_u8(vaeseq_u8(s, key[i]));
    return either(vaeseq_u8(s, key[9]), key[10]);
}

/* By the equivalent inverse cipher: keys whose columns were mixed. */
static inline vec decrypt(vec s, const vec key[11])
{
    for (int i = 0; i < 9; i++)
        s = vaesimcq_u8(vaesdq_u8(s, key[i]));
    return either(vaesdq_u8(s, key[9]), key[10]);
}

static inline vec halves_swapped(vec a)
{
    return vextq_u8(a, a, 8);
}

static inline vec low_product(vec a, vec b)
{
    return vreinterpretq_u8_p128(vmull_p64(vgetq_lane_p64(vreinterpretq_p64_u8(a), 0),
                                           vgetq_lane_p64(vreinterpretq_p64_u8(b), 0)));
}

static inline vec high_product(vec a, vec b)
{
    return vreinterpretq_u8_p128(vmull_high_p64(vreinterpretq_p64_u8(a), vreinterpretq_p64_u8(b)));
}

static void sha256(const uint8_t *p, long n)
{
    uint32x4_t s0 = vld1q_u32(state), s1 = vld1q_u32(state + 4);
    for (; n; n--, p += 64) {
        uint32x4_t w[4], a = s0, b = s1;
        for (int i = 0; i < 4; i++)
            w[i] = vreinterpretq_u32_u8(vrev32q_u8(load(p + 16 * i)));
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            uint32x4_t wk = vaddq_u32(w[i & 3], vld1q_u32(k256 + 4 * i)), t = a;
            if (i < 12)
                w[i & 3] = vsha256su1q_u32(vsha256su0q_u32(w[i & 3], w[(i + 1) & 3]),
                                           w[(i + 2) & 3], w[(i + 3) & 3]);
            a = vsha256hq_u32(a, b, wk);
            b = vsha256h2q_u32(b, t, wk);
        }
        s0 = vaddq_u32(s0, a);
        s1 = vaddq_u32(s1, b);
    }
    vst1q_u32(state, s0);
    vst1q_u32(state + 4, s1);
}

static void sha1(const uint8_t *p, long n)
{
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32x4_t s0 = vld1q_u32(state);
    uint32_t e0 = state[4];
    for (; n; n--, p += 64) {
        uint32x4_t w[4], a = s0;
        uint32_t e = e0;
        for (int i = 0; i < 4; i++)
            w[i] = vreinterpretq_u32_u8(vrev32q_u8(load(p + 16 * i)));
#pragma GCC unroll 20
        for (int i = 0; i < 20; i++) {
            uint32x4_t wk = vaddq_u32(w[i & 3], vdupq_n_u32(k[i / 5]));
            uint32_t next = vsha1h_u32(vgetq_lane_u32(a, 0));
            if (i < 16)
                w[i & 3] = vsha1su1q_u32(vsha1su0q_u32(w[i & 3], w[(i + 1) & 3], w[(i + 2) & 3]),
                                         w[(i + 3) & 3]);
            a = i < 5                   ? vsha1cq_u32(a, e, wk)
                : i / 5 == 1 || i >= 15 ? vsha1pq_u32(a, e, wk)
                                        : vsha1mq_u32(a, e, wk);
            e = next;
        }
        s0 = vaddq_u32(s0, a);
        e0 += e;
    }
    vst1q_u32(state, s0);
    state[4] = e0;
}

#else

#include <immintrin.h>
typedef __m128i vec;

static inline vec load(const void *p)
{
    return _mm_loadu_si128(p);
}

static inline void store(void *p, vec v)
{
    _mm_storeu_si128(p, v);
}

static inline vec either(vec a, vec b)
{
    return _mm_xor_si128(a, b);
}

static inline vec encrypt(vec s, const vec key[11])
{
    s = either(s, key[0]);
    for (int i = 1; i < 10; i++)
        s = _mm_aesenc_si128(s, key[i]);
    return _mm_aesenclast_si128(s, key[10]);
}

static inline vec decrypt(vec s, const vec key[11])
{
    s = either(s, key[0]);
    for (int i = 1; i < 10; i++)
        s = _mm_aesdec_si128(s, key[i]);
    return _mm_aesdeclast_si128(s, key[10]);
}

static inline vec halves_swapped(vec a)
{
    return _mm_shuffle_epi32(a, 0x4e);
}

static inline vec low_product(vec a, vec b)
{
    return _mm_clmulepi64_si128(a, b, 0x00);
}

static inline vec high_product(vec a, vec b)
{
    return _mm_clmulepi64_si128(a, b, 0x11);
}

static void sha256(const uint8_t *p, long n)
{
    const vec swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    vec abcd = _mm_shuffle_epi32(load(state), 0x1b),
        efgh = _mm_shuffle_epi32(load(state + 4), 0x1b);
    vec s0 = _mm_unpackhi_epi64(efgh, abcd), s1 = _mm_unpacklo_epi64(efgh, abcd);
    for (; n; n--, p += 64) {
        vec w[4], a = s0, b = s1;
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(load(p + 16 * i), swap);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            vec wk = _mm_add_epi32(w[i & 3], load(k256 + 4 * i));
            if (i < 12) {
                vec t = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]),
                                      _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
                w[i & 3] = _mm_sha256msg2_epu32(t, w[(i + 3) & 3]);
            }
            b = _mm_sha256rnds2_epu32(b, a, wk);
            a = _mm_sha256rnds2_epu32(a, b, _mm_shuffle_epi32(wk, 0x0e));
        }
        s0 = _mm_add_epi32(s0, a);
        s1 = _mm_add_epi32(s1, b);
    }
    store(state, _mm_shuffle_epi32(_mm_unpackhi_epi64(s1, s0), 0x1b));
    store(state + 4, _mm_shuffle_epi32(_mm_unpacklo_epi64(s1, s0), 0x1b));
}

static void sha1(const uint8_t *p, long n)
{
    const vec swap = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    vec s0 = _mm_shuffle_epi32(load(state), 0x1b), e0 = _mm_set_epi32((int)state[4], 0, 0, 0);
    for (; n; n--, p += 64) {
        vec w[4], a = s0, before = s0;
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(load(p + 16 * i), swap);
#pragma GCC unroll 20
        for (int i = 0; i < 20; i++) {
            vec wk = i ? _mm_sha1nexte_epu32(before, w[i & 3]) : _mm_add_epi32(e0, w[0]);
            if (i < 16)
                w[i & 3] = _mm_sha1msg2_epu32(
                    either(_mm_sha1msg1_epu32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3]),
                    w[(i + 3) & 3]);
            before = a;
            a = i < 5    ? _mm_sha1rnds4_epu32(a, wk, 0)
                : i < 10 ? _mm_sha1rnds4_epu32(a, wk, 1)
                : i < 15 ? _mm_sha1rnds4_epu32(a, wk, 2)
                         : _mm_sha1rnds4_epu32(a, wk, 3);
        }
        s0 = _mm_add_epi32(s0, a);
        e0 = _mm_sha1nexte_epu32(before, e0);
    }
    store(state, _mm_shuffle_epi32(s0, 0x1b));
    state[4] = (uint32_t)_mm_extract_epi32(e0, 3);
}

#endif

static vec keys[11];

static void aes_ctr(void)
{
    uint64_t counter[2] = {0, 1};
    for (int i = 0; i < BLOCKS; i += 4) {
        vec s[4];
        for (int k = 0; k < 4; k++) {
            s[k] = encrypt(load(counter), keys);
            counter[0]++;
        }
        for (int k = 0; k < 4; k++)
            store(data + 16 * (i + k), either(s[k], load(data + 16 * (i + k))));
    }
}

static void aes_cbc(void)
{
    vec s = load(data);
    for (int i = 0; i < BLOCKS; i++) {
        s = encrypt(either(s, load(data + 16 * i)), keys);
        store(data + 16 * i, s);
    }
}

static void aes_dec(void)
{
    vec before = load(keys);
    for (int i = 0; i < BLOCKS; i++) {
        vec s = load(data + 16 * i);
        store(data + 16 * i, either(decrypt(s, keys), before));
        before = s;
    }
}

/* A product of 128 bits each, and its upper half taken back into the lower one in two steps. */
static void ghash(void)
{
    vec h = load(data), z = load(data + 16), poly = keys[1];
    for (int i = 0; i < BLOCKS; i++) {
        z = either(z, load(data + 16 * i));
        vec middle = either(low_product(z, halves_swapped(h)), high_product(z, halves_swapped(h)));
        vec low = low_product(z, h), high = high_product(z, h);
        high = either(high, halves_swapped(middle));
        low = either(halves_swapped(low), low_product(low, poly));
        low = either(halves_swapped(low), low_product(low, poly));
        z = either(low, high);
    }
    store(data, z);
}

/* Four sums, folded by 64 bytes. */
static void crc(void)
{
    vec s[4], by = keys[2];
    for (int k = 0; k < 4; k++)
        s[k] = load(data + 16 * k);
    for (int i = 4; i < BLOCKS; i += 4)
        for (int k = 0; k < 4; k++)
            s[k] = either(either(low_product(s[k], by), high_product(s[k], by)),
                          load(data + 16 * (i + k)));
    store(data, either(either(s[0], s[1]), either(s[2], s[3])));
}

static void sha256_round(void)
{
    sha256(data, SIZE / 64);
}

static void sha1_round(void)
{
    sha1(data, SIZE / 64);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } kernels[] = {{"aes-ctr", aes_ctr}, {"aes-cbc", aes_cbc},     {"aes-dec", aes_dec},
                   {"sha1", sha1_round}, {"sha256", sha256_round}, {"ghash", ghash},
                   {"crc", crc}};
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < SIZE + (int)sizeof(keys); i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        if (i < SIZE)
            data[i] = (uint8_t)seed;
        else
            ((uint8_t *)keys)[i - SIZE] = (uint8_t)seed;
    }
    for (unsigned k = 0; argc == 3 && k < sizeof(kernels) / sizeof(kernels[0]); k++) {
        if (strcmp(argv[1], kernels[k].name) != 0)
            continue;
        for (int i = atoi(argv[2]); i > 0; i--)
            kernels[k].run();
        uint64_t sum = 0;
        for (int i = 0; i < SIZE; i++)
            sum = sum * 31 + data[i];
        for (int i = 0; i < 8; i++)
            sum = sum * 31 + state[i];
        printf("%s %016llx\n", argv[1], (unsigned long long)sum);
        return 0;
    }
    fprintf(stderr, "usage: crypto aes-ctr|aes-cbc|aes-dec|sha1|sha256|ghash|crc ROUNDS\n");
    return 2;
}

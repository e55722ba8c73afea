/* Cryptographic instructions against published answers: FIPS 197 (C.1, 4.2), FIPS 180-4's examples, the GCM specification's test
 * case 2, the check values of CRC-32 and CRC-32C. Often enough for every engine, and in the sequences that
 * compilers make of them, which the translator may fuse. */
#pragma GCC target("arch=armv8.2-a+crypto+sha3+crc")
#include "tests/linux/expect.h"
#include <arm_acle.h>
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define ROUNDS 200

/* ---- AES-128 ---- */

static uint32_t substituted(uint32_t w)
{
    uint8x16_t v = vreinterpretq_u8_u32(vdupq_n_u32(w));
    return vgetq_lane_u32(vreinterpretq_u32_u8(vaeseq_u8(v, vdupq_n_u8(0))), 0);
}

static void expand(uint8x16_t keys[11])
{
    uint32_t w[44];
    for (int i = 0; i < 16; i++)
        ((uint8_t *)w)[i] = (uint8_t)i;
    for (uint32_t i = 4, rcon = 1; i < 44; i++) {
        uint32_t t = w[i - 1];
        if (i % 4 == 0) {
            t = substituted(t >> 8 | t << 24) ^ rcon;
            rcon = rcon << 1 ^ (rcon & 0x80 ? 0x11b : 0);
        }
        w[i] = w[i - 4] ^ t;
    }
    for (int i = 0; i < 11; i++)
        keys[i] = vld1q_u8((const uint8_t *)(w + 4 * i));
}

static uint8x16_t encrypt(uint8x16_t s, const uint8x16_t keys[11])
{
    for (int i = 0; i < 9; i++)
        s = vaesmcq_u8(vaeseq_u8(s, keys[i]));
    return veorq_u8(vaeseq_u8(s, keys[9]), keys[10]);
}

static uint8x16_t decrypt(uint8x16_t s, const uint8x16_t keys[11])
{
    s = vaesimcq_u8(vaesdq_u8(s, keys[10]));
    for (int i = 9; i > 1; i--)
        s = vaesimcq_u8(vaesdq_u8(s, vaesimcq_u8(keys[i])));
    return veorq_u8(vaesdq_u8(s, vaesimcq_u8(keys[1])), keys[0]);
}

static int same(uint8x16_t v, const uint8_t *want)
{
    uint8_t got[16];
    vst1q_u8(got, v);
    return memcmp(got, want, 16) == 0;
}

static void aes(void)
{
    static const uint8_t plain[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                      0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    static const uint8_t cipher[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                                       0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};
    uint8x16_t keys[11];
    expand(keys);
    EXPECT(same(encrypt(vld1q_u8(plain), keys), cipher));
    EXPECT(same(decrypt(vld1q_u8(cipher), keys), plain));
    /* Columns alone. */
    uint8x16_t mixed = vaesmcq_u8(vld1q_u8(plain));
    __asm__ volatile("" : "+w"(mixed));
    EXPECT(same(vaesimcq_u8(mixed), plain));
}

/* ---- carry-less products ---- */

static uint8x16_t product(uint8x16_t a, uint8x16_t b, uint8x16_t *high)
{
    poly64x2_t x = vreinterpretq_p64_u8(a), y = vreinterpretq_p64_u8(b);
    poly64_t x0 = vgetq_lane_p64(x, 0), x1 = vgetq_lane_p64(x, 1);
    poly64_t y0 = vgetq_lane_p64(y, 0), y1 = vgetq_lane_p64(y, 1);
    uint8x16_t zero = vdupq_n_u8(0);
    uint8x16_t middle = veorq_u8(vreinterpretq_u8_p128(vmull_p64(x0, y1)),
                                 vreinterpretq_u8_p128(vmull_p64(x1, y0)));
    *high = veorq_u8(vreinterpretq_u8_p128(vmull_high_p64(x, y)), vextq_u8(middle, zero, 8));
    return veorq_u8(vreinterpretq_u8_p128(vmull_p64(x0, y0)), vextq_u8(zero, middle, 8));
}

/* Modulo x^128 + x^7 + x^2 + x + 1; a byte's highest bit is its lowest power. */
static uint8x16_t ghash_product(uint8x16_t a, uint8x16_t b)
{
    const uint8x16_t poly = vreinterpretq_u8_u64(vsetq_lane_u64(0x87, vdupq_n_u64(0), 0));
    uint8x16_t high, none, low = product(vrbitq_u8(a), vrbitq_u8(b), &high), over;
    low = veorq_u8(low, product(high, poly, &over));
    low = veorq_u8(low, product(over, poly, &none));
    EXPECT(same(none, (const uint8_t[16]){0}));
    return vrbitq_u8(low);
}

static void products(void)
{
    static const uint8_t h[16] = {0x66, 0xe9, 0x4b, 0xd4, 0xef, 0x8a, 0x2c, 0x3b,
                                  0x88, 0x4c, 0xfa, 0x59, 0xca, 0x34, 0x2b, 0x2e};
    static const uint8_t c[16] = {0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92,
                                  0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78};
    static const uint8_t lengths[16] = {[15] = 128};
    static const uint8_t want[16] = {0xf3, 0x8c, 0xbb, 0x1a, 0xd6, 0x92, 0x23, 0xdc,
                                     0xc3, 0x45, 0x7a, 0xe5, 0xb6, 0xb0, 0xf8, 0x85};
    uint8x16_t key = vld1q_u8(h), x = ghash_product(vld1q_u8(c), key);
    EXPECT(same(ghash_product(veorq_u8(x, vld1q_u8(lengths)), key), want));
    static const uint8_t a[16] = {0x57, 0xff, 0x01, 0x80, 0x00, 0x57, 0x02, 0x83,
                                  0x57, 0xff, 0x80, 0x80, 0x00, 0x83, 0x02, 0xff};
    static const uint8_t b[16] = {0x83, 0xff, 0xa5, 0x80, 0xff, 0x83, 0xa5, 0x57,
                                  0x83, 0xff, 0x01, 0x80, 0xff, 0x57, 0xa5, 0xff};
    static const uint16_t bytes[16] = {0x2b79, 0x5555, 0x00a5, 0x4000, 0, 0x2b79, 0x014a, 0x2b79,
                                       0x2b79, 0x5555, 0x0080, 0x4000, 0, 0x2b79, 0x014a, 0x5555};
    uint16_t got[16];
    poly8x16_t pa = vreinterpretq_p8_u8(vld1q_u8(a)), pb = vreinterpretq_p8_u8(vld1q_u8(b));
    vst1q_u16(got, vreinterpretq_u16_p16(vmull_p8(vget_low_p8(pa), vget_low_p8(pb))));
    vst1q_u16(got + 8, vreinterpretq_u16_p16(vmull_high_p8(pa, pb)));
    EXPECT(memcmp(got, bytes, sizeof(got)) == 0);
}

/* ---- SHA, of "abc" ---- */

static void sha1(void)
{
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    static const uint32_t want[5] = {0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d};
    uint32x4_t w[4] = {{0x61626380}, {0}, {0}, {0, 0, 0, 24}}, a = vld1q_u32(start);
    uint32_t e = start[4], got[5];
    for (int i = 0; i < 20; i++) {
        uint32x4_t wk = vaddq_u32(w[i & 3], vdupq_n_u32(k[i / 5]));
        uint32_t next = vsha1h_u32(vgetq_lane_u32(a, 0));
        w[i & 3] =
            vsha1su1q_u32(vsha1su0q_u32(w[i & 3], w[(i + 1) & 3], w[(i + 2) & 3]), w[(i + 3) & 3]);
        a = i < 5            ? vsha1cq_u32(a, e, wk)
            : i / 5 % 2 == 1 ? vsha1pq_u32(a, e, wk)
                             : vsha1mq_u32(a, e, wk);
        e = next;
    }
    vst1q_u32(got, vaddq_u32(a, vld1q_u32(start)));
    got[4] = e + start[4];
    EXPECT(memcmp(got, want, sizeof(want)) == 0);
}

/* The constants of SHA-512, of which SHA-256's are the upper halves: the first 64 bits of the fractions of the cube roots of the first eighty
 * primes (FIPS 180-4, 4.2.2 and 4.2.3), by bisection. */
__extension__ typedef unsigned __int128 wide;

static uint64_t root_fraction(uint64_t n, int power)
{
    /* The greatest r with r^power <= n * 2^(64 * power), in parts: the product's upper 128 bits decide. */
    uint64_t whole = 1, fraction = 0;
    while (power == 3 ? (whole + 1) * (whole + 1) * (whole + 1) <= n
                      : (whole + 1) * (whole + 1) <= n)
        whole++;
    for (int bit = 63; bit >= 0; bit--) {
        /* (whole + f) ^ power against n, f a fraction of 64 bits: exact with words of 32 bits */
        uint64_t f = fraction | UINT64_C(1) << bit;
        uint32_t r[3] = {(uint32_t)f, (uint32_t)(f >> 32), (uint32_t)whole}, p[9] = {1};
        for (int k = 0; k < power; k++) {
            uint32_t q[9] = {0};
            for (int i = 0; i < 3; i++) {
                uint64_t carry = 0;
                for (int j = 0; i + j < 9; j++) {
                    carry += (uint64_t)r[i] * p[j] + q[i + j];
                    q[i + j] = (uint32_t)carry;
                    carry >>= 32;
                }
            }
            memcpy(p, q, sizeof(p));
        }
        if (p[2 * power] < n) /* a root of a prime is no fraction: never equal */
            fraction = f;
    }
    return fraction;
}

static uint64_t cube[80], square[8];

static void constants(void)
{
    uint64_t p = 2;
    for (int i = 0; i < 80; p++) {
        uint64_t d = 2;
        while (d * d <= p && p % d)
            d++;
        if (d * d <= p)
            continue;
        cube[i] = root_fraction(p, 3);
        if (i < 8)
            square[i] = root_fraction(p, 2);
        i++;
    }
}

static void sha256(void)
{
    static const uint32_t want[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                     0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
    uint32_t start[8], k[64], got[8];
    for (int i = 0; i < 64; i++)
        k[i] = (uint32_t)(cube[i] >> 32);
    for (int i = 0; i < 8; i++)
        start[i] = (uint32_t)(square[i] >> 32);
    uint32x4_t w[4] = {{0x61626380}, {0}, {0}, {0, 0, 0, 24}};
    uint32x4_t a = vld1q_u32(start), b = vld1q_u32(start + 4);
    for (int i = 0; i < 16; i++) {
        uint32x4_t wk = vaddq_u32(w[i & 3], vld1q_u32(k + 4 * i)), t = a;
        w[i & 3] = vsha256su1q_u32(vsha256su0q_u32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3],
                                   w[(i + 3) & 3]);
        a = vsha256hq_u32(a, b, wk);
        b = vsha256h2q_u32(b, t, wk);
    }
    vst1q_u32(got, vaddq_u32(a, vld1q_u32(start)));
    vst1q_u32(got + 4, vaddq_u32(b, vld1q_u32(start + 4)));
    EXPECT(memcmp(got, want, sizeof(want)) == 0);
}

static void sha512(void)
{
    static const uint64_t want[8] = {0xddaf35a193617aba, 0xcc417349ae204131, 0x12e6fa4e89a97ea2,
                                     0x0a9eeee64b55d39a, 0x2192992a274fc1a8, 0x36ba3c23a3feebbd,
                                     0x454d4423643ce80e, 0x2a9ac94fa54ca49f};
    uint64x2_t w[8] = {{UINT64_C(0x6162638000000000)}, {0}, {0}, {0}, {0}, {0}, {0}, {0, 24}};
    uint64_t got[8];
    uint64x2_t ab = vld1q_u64(square), cd = vld1q_u64(square + 2);
    uint64x2_t ef = vld1q_u64(square + 4), gh = vld1q_u64(square + 6);
    for (int i = 0; i < 40; i++) {
        uint64x2_t wk = vaddq_u64(w[i & 7], vld1q_u64(cube + 2 * i));
        uint64x2_t sum = vaddq_u64(vextq_u64(wk, wk, 1), gh);
        uint64x2_t t = vsha512hq_u64(sum, vextq_u64(ef, gh, 1), vextq_u64(cd, ef, 1));
        uint64x2_t next = vsha512h2q_u64(t, cd, ab);
        w[i & 7] = vsha512su1q_u64(vsha512su0q_u64(w[i & 7], w[(i + 1) & 7]), w[(i + 7) & 7],
                                   vextq_u64(w[(i + 4) & 7], w[(i + 5) & 7], 1));
        gh = ef;
        ef = vaddq_u64(cd, t);
        cd = ab;
        ab = next;
    }
    vst1q_u64(got, vaddq_u64(ab, vld1q_u64(square)));
    vst1q_u64(got + 2, vaddq_u64(cd, vld1q_u64(square + 2)));
    vst1q_u64(got + 4, vaddq_u64(ef, vld1q_u64(square + 4)));
    vst1q_u64(got + 6, vaddq_u64(gh, vld1q_u64(square + 6)));
    EXPECT(memcmp(got, want, sizeof(want)) == 0);
}

/* ---- CRC ---- */

static void crc(void)
{
    static const char text[] = "123456789";
    uint64_t eight;
    uint32_t four[2];
    uint16_t two[4];
    memcpy(&eight, text, 8);
    memcpy(four, text, 8);
    memcpy(two, text, 8);
    EXPECT(~__crc32b(__crc32d(~0u, eight), '9') == 0xcbf43926);
    EXPECT(~__crc32b(__crc32w(__crc32w(~0u, four[0]), four[1]), '9') == 0xcbf43926);
    EXPECT(~__crc32cb(__crc32cd(~0u, eight), '9') == 0xe3069283);
    EXPECT(~__crc32cb(__crc32cw(__crc32cw(~0u, four[0]), four[1]), '9') == 0xe3069283);
    uint32_t sum = ~0u, sumc = ~0u;
    for (int i = 0; i < 4; i++) {
        sum = __crc32h(sum, two[i]);
        sumc = __crc32ch(sumc, two[i]);
    }
    EXPECT(~__crc32b(sum, '9') == 0xcbf43926 && ~__crc32cb(sumc, '9') == 0xe3069283);
}

int main(void)
{
    constants();
    for (int i = 0; i < ROUNDS; i++) {
        aes();
        products();
        sha1();
        sha256();
        sha512();
        crc();
    }
    return 0;
}

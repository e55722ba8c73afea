/* Integer kernels: block cipher, long numbers, a mix of procedures and strings, sieve, sort, hash.
 *
 * usage: integer aes|bignum|dhry|sieve|qsort|sha512 ROUNDS. Prints a checksum that depends on every
 * result and not on the machine. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* AES-128 by tables (FIPS 197), blocks chained. */

static uint8_t sbox[256];
static uint32_t te[4][256];

static uint8_t gf_double(uint8_t a)
{
    return (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
}

static void aes_tables(void)
{
    uint8_t p = 1, q = 1;
    do { /* q is always the inverse of p */
        p = (uint8_t)(p ^ gf_double(p));
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        if (q & 0x80)
            q ^= 0x09;
        uint8_t x = q;
        for (int i = 1; i < 5; i++)
            x ^= (uint8_t)(q << i | q >> (8 - i));
        sbox[p] = x ^ 0x63;
    } while (p != 1);
    sbox[0] = 0x63;
    for (int i = 0; i < 256; i++) {
        uint32_t s = sbox[i], d = gf_double(sbox[i]);
        uint32_t w = d << 24 | s << 16 | s << 8 | (s ^ d);
        for (int j = 0; j < 4; j++)
            te[j][i] = j ? w >> 8 * j | w << (32 - 8 * j) : w;
    }
}

static uint32_t sub_word(uint32_t w)
{
    return (uint32_t)sbox[w >> 24] << 24 | (uint32_t)sbox[w >> 16 & 255] << 16 |
           (uint32_t)sbox[w >> 8 & 255] << 8 | sbox[w & 255];
}

static void aes_encrypt(const uint32_t key[44], uint32_t s[4])
{
    for (int i = 0; i < 4; i++)
        s[i] ^= key[i];
    for (int round = 1; round < 10; round++) {
        uint32_t t[4];
        for (int i = 0; i < 4; i++)
            t[i] = te[0][s[i] >> 24] ^ te[1][s[(i + 1) & 3] >> 16 & 255] ^
                   te[2][s[(i + 2) & 3] >> 8 & 255] ^ te[3][s[(i + 3) & 3] & 255] ^
                   key[4 * round + i];
        memcpy(s, t, sizeof(t));
    }
    uint32_t t[4];
    for (int i = 0; i < 4; i++)
        t[i] = sub_word((s[i] & 0xff000000) | (s[(i + 1) & 3] & 0xff0000) |
                        (s[(i + 2) & 3] & 0xff00) | (s[(i + 3) & 3] & 0xff)) ^
               key[40 + i];
    memcpy(s, t, sizeof(t));
}

static uint64_t aes(int rounds)
{
    uint32_t key[44] = {0x2b7e1516, 0x28aed2a6, 0xabf71588, 0x09cf4f3c};
    uint32_t s[4] = {0x6bc1bee2, 0x2e409f96, 0xe93d7e11, 0x7393172a};
    aes_tables();
    uint8_t rcon = 1;
    for (int i = 4; i < 44; i++) {
        uint32_t t = key[i - 1];
        if (i % 4 == 0) {
            t = sub_word(t << 8 | t >> 24) ^ (uint32_t)rcon << 24;
            rcon = gf_double(rcon);
        }
        key[i] = key[i - 4] ^ t;
    }
    aes_encrypt(key, s);
    if (s[0] != 0x3ad77bb4 || s[3] != 0x2466ef97) { /* SP 800-38A, F.1.1 */
        fprintf(stderr, "integer: AES is wrong\n");
        exit(1);
    }
    for (int n = 0; n < rounds * 1000; n++)
        aes_encrypt(key, s);
    return (uint64_t)s[0] << 32 | s[3];
}

/* Powers modulo an odd number of 1024 bits, by Montgomery multiplication. */

enum { LIMBS = 16 };
__extension__ typedef unsigned __int128 wide;

static void montgomery(uint64_t r[LIMBS], const uint64_t a[LIMBS], const uint64_t b[LIMBS],
                       const uint64_t m[LIMBS], uint64_t inverse)
{
    uint64_t t[LIMBS + 2] = {0};
    for (int i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < LIMBS; j++) {
            wide w = (wide)a[j] * b[i] + t[j] + carry;
            t[j] = (uint64_t)w;
            carry = (uint64_t)(w >> 64);
        }
        wide w = (wide)t[LIMBS] + carry;
        t[LIMBS] = (uint64_t)w;
        t[LIMBS + 1] = (uint64_t)(w >> 64);
        uint64_t q = t[0] * inverse;
        carry = (uint64_t)(((wide)q * m[0] + t[0]) >> 64);
        for (int j = 1; j < LIMBS; j++) {
            w = (wide)q * m[j] + t[j] + carry;
            t[j - 1] = (uint64_t)w;
            carry = (uint64_t)(w >> 64);
        }
        w = (wide)t[LIMBS] + carry;
        t[LIMBS - 1] = (uint64_t)w;
        t[LIMBS] = t[LIMBS + 1] + (uint64_t)(w >> 64);
    }
    uint64_t borrow = 0, d[LIMBS];
    for (int i = 0; i < LIMBS; i++) {
        wide w = (wide)t[i] - m[i] - borrow;
        d[i] = (uint64_t)w;
        borrow = (uint64_t)(w >> 64) & 1;
    }
    memcpy(r, t[LIMBS] >= borrow ? d : t, sizeof(d));
}

static uint64_t bignum(int rounds)
{
    uint64_t m[LIMBS], a[LIMBS], r[LIMBS], sum = 0;
    for (int i = 0; i < LIMBS; i++) {
        m[i] = next_random();
        a[i] = r[i] = next_random();
    }
    m[0] |= 1;
    m[LIMBS - 1] |= UINT64_C(1) << 63;
    uint64_t inverse = 1;
    for (int i = 0; i < 6; i++)
        inverse *= 2 - m[0] * inverse;
    for (int n = 0; n < rounds; n++) {
        for (int i = 0; i < 200; i++) {
            montgomery(r, r, r, m, -inverse);
            if (m[i & 15] >> (i & 63) & 1)
                montgomery(r, r, a, m, -inverse);
        }
        sum = sum * 31 + r[n & 15];
    }
    return sum;
}

/* Records, strings and small procedures, none of which may be folded away. */

struct record {
    struct record *next;
    int kind, number;
    char text[31];
};

static int global_number;
static char global_char;

static __attribute__((noinline)) int proc_sum(int a, int b)
{
    return a + 2 + b;
}

static __attribute__((noinline)) int proc_kind(int kind, int *out)
{
    switch (kind) {
    case 0:
        *out = 0;
        break;
    case 1:
        *out = global_number > 100 ? 0 : 3;
        break;
    case 2:
        *out = 1;
        break;
    default:
        *out = 2;
    }
    return kind == 2;
}

static __attribute__((noinline)) int proc_strings(const char *a, const char *b)
{
    int i = 2;
    while (i <= 2) {
        if (a[i] == b[i + 1])
            global_char = 'A';
        else
            i++;
        if (i > 3)
            break;
    }
    return strcmp(a, b) > 0 ? (global_number = i + 7) > 0 : 0;
}

static __attribute__((noinline)) void proc_record(struct record *r)
{
    struct record *next = r->next;
    *next = *r;
    next->next = r;
    next->number = proc_sum(r->number & 0xff, global_number);
    if (proc_kind(next->kind, &r->kind))
        next->number ^= r->kind;
    r->number = next->number * 5 / 3;
}

static __attribute__((noinline)) void proc_array(int *a, int (*b)[50], int x, int y)
{
    int at = x + 5;
    a[at] = y;
    a[at + 1] = a[at];
    a[at + 30] = at;
    for (int i = at; i <= at + 1; i++)
        b[at][i] = at;
    b[at][at - 1]++;
    b[at + 20][at] = a[at];
}

static uint64_t dhry(int rounds)
{
    static int a[50], b[50][50];
    static struct record one, two;
    char text[31];
    uint64_t sum = 0;
    one.next = &two;
    one.kind = 2;
    strcpy(one.text, "SOME STRING OF A PROGRAM, 1ST");
    for (int n = 0; n < rounds * 1000; n++) {
        strcpy(text, n & 1 ? "SOME STRING OF A PROGRAM, 2ND" : "SOME STRING OF A PROGRAM, 3RD");
        if (proc_strings(one.text, text))
            sum++;
        proc_array(a, b, n & 7, n);
        proc_record(&one);
        sum = sum * 3 + (uint64_t)(unsigned)one.number + (uint64_t)(unsigned)a[(n & 7) + 5];
        for (char c = 'A'; c <= global_char; c++)
            sum ^= (uint64_t)c;
    }
    return sum;
}

static uint64_t sieve(int rounds)
{
    enum { N = 200000 };
    static uint8_t composite[N];
    uint64_t count = 0;
    for (int n = 0; n < rounds; n++) {
        memset(composite, 0, sizeof(composite));
        for (unsigned i = 2; i < N; i++) {
            if (composite[i])
                continue;
            count += i ^ (unsigned)n;
            for (unsigned j = i + i; j < N; j += i)
                composite[j] = 1;
        }
    }
    return count;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void quicksort(uint32_t *a, long low, long high)
{
    while (low < high) {
        uint32_t pivot = a[(low + high) / 2];
        long i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        if (j - low < high - i) {
            quicksort(a, low, j);
            low = i;
        } else {
            quicksort(a, i, high);
            high = j;
        }
    }
}

static uint64_t sorts(int rounds)
{
    enum { N = 20000 };
    static uint32_t numbers[N];
    uint64_t sum = 0;
    for (int n = 0; n < rounds; n++) {
        for (int i = 0; i < N; i++)
            numbers[i] = (uint32_t)next_random();
        if (n & 1)
            qsort(numbers, N, sizeof(numbers[0]), compare);
        else
            quicksort(numbers, 0, N - 1);
        sum = sum * 31 + numbers[N / 2] + numbers[N / 7];
    }
    return sum;
}

/* SHA-512 (FIPS 180-4), whose constants are the first bits of the roots of primes: found here by
 * whole-number roots, so that no table is needed. */

static uint64_t root_bits(unsigned prime, int cube)
{
    uint64_t low = 0; /* the fraction's 64 bits, found bit by bit: integer part known to be small */
    uint64_t whole = 1;
    while ((cube ? (whole + 1) * (whole + 1) * (whole + 1) : (whole + 1) * (whole + 1)) <= prime)
        whole++;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t try = low | UINT64_C(1) << bit;
        /* (whole + try/2^64)^k <= prime, in numbers of 32-bit digits, the lowest first */
        uint32_t x[3] = {(uint32_t)try, (uint32_t)(try >> 32), (uint32_t)whole}, p[10] = {1};
        int digits = 1;
        for (int k = 0; k < (cube ? 3 : 2); k++, digits += 3) {
            uint32_t q[10] = {0};
            for (int i = 0; i < digits; i++) {
                uint64_t carry = 0;
                for (int j = 0; j < 3; j++) {
                    carry += (uint64_t)p[i] * x[j] + q[i + j];
                    q[i + j] = (uint32_t)carry;
                    carry >>= 32;
                }
                for (int j = i + 3; carry && j < 10; j++) {
                    carry += q[j];
                    q[j] = (uint32_t)carry;
                    carry >>= 32;
                }
            }
            memcpy(p, q, sizeof(p));
        }
        if (p[cube ? 6 : 4] < prime)
            low = try;
    }
    return low;
}

static uint64_t rotate(uint64_t x, int n)
{
    return x >> n | x << (64 - n);
}

static void sha512_block(uint64_t h[8], const uint64_t k[80], const uint64_t block[16])
{
    uint64_t w[80], s[8];
    memcpy(w, block, 16 * sizeof(w[0]));
    for (int i = 16; i < 80; i++)
        w[i] = (rotate(w[i - 2], 19) ^ rotate(w[i - 2], 61) ^ w[i - 2] >> 6) + w[i - 7] +
               (rotate(w[i - 15], 1) ^ rotate(w[i - 15], 8) ^ w[i - 15] >> 7) + w[i - 16];
    memcpy(s, h, sizeof(s));
    for (int i = 0; i < 80; i++) {
        uint64_t t1 = s[7] + (rotate(s[4], 14) ^ rotate(s[4], 18) ^ rotate(s[4], 41)) +
                      ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
        uint64_t t2 = (rotate(s[0], 28) ^ rotate(s[0], 34) ^ rotate(s[0], 39)) +
                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof(s[0]));
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

static uint64_t sha512(int rounds)
{
    uint64_t k[80], start[8], h[8], block[16] = {0};
    for (unsigned n = 2, i = 0; i < 80; n++) {
        unsigned d = 2;
        while (d * d <= n && n % d)
            d++;
        if (d * d <= n)
            continue;
        k[i] = root_bits(n, 1);
        if (i < 8)
            start[i] = root_bits(n, 0);
        i++;
    }
    memcpy(h, start, sizeof(h));
    block[0] = UINT64_C(0x6162638000000000); /* "abc" */
    block[15] = 24;
    sha512_block(h, k, block);
    if (h[0] != UINT64_C(0xddaf35a193617aba) || h[7] != UINT64_C(0x2a9ac94fa54ca49f)) {
        fprintf(stderr, "integer: SHA-512 is wrong\n");
        exit(1);
    }
    for (int n = 0; n < rounds * 1000; n++) {
        block[n & 15] += h[n & 7];
        sha512_block(h, k, block);
    }
    return h[0];
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint64_t (*run)(int);
    } kernels[] = {{"aes", aes},     {"bignum", bignum}, {"dhry", dhry},
                   {"sieve", sieve}, {"qsort", sorts},   {"sha512", sha512}};
    for (unsigned i = 0; argc == 3 && i < sizeof(kernels) / sizeof(kernels[0]); i++) {
        if (!strcmp(argv[1], kernels[i].name)) {
            printf("%016llx\n", (unsigned long long)kernels[i].run(atoi(argv[2])));
            return 0;
        }
    }
    fprintf(stderr, "usage: integer aes|bignum|dhry|sieve|qsort|sha512 ROUNDS\n");
    return 2;
}

/* Compression as deflate does it: matches found by hash chains, then Huffman codes, and back.
 *
 * usage: deflate NAME ROUNDS; NAME is of no account. Prints the packed size and a checksum; status 1
 * when what comes back is not what went in. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 1 << 17, HASH = 1 << 13, WINDOW = 1 << 15, SYMBOLS = 256 + 64, MAX_MATCH = 66 };

static uint8_t input[SIZE], output[SIZE], packed[2 * SIZE];
static int head[HASH], previous[SIZE];
static struct {
    uint16_t symbol, distance;
} tokens[SIZE];
static uint8_t lengths[SYMBOLS];
static uint16_t codes[SYMBOLS];

static void make_input(void)
{
    static const char *const words[] = {"the ",   "guest", "of ",     "register ", "a ",  "\n",
                                        "memory", "and ",  "signal ", "thread ",   "x",   "1.",
                                        "in ",    "block", "ing ",    "to ",       "ed ", "page "};
    uint32_t r = 12345;
    for (int i = 0; i < SIZE;) {
        r = r * 1664525 + 1013904223;
        const char *w = words[(r >> 24) % 18];
        if ((r >> 20 & 15) == 0)
            input[i++] = (uint8_t)(r >> 8);
        while (*w && i < SIZE)
            input[i++] = (uint8_t)*w++;
    }
}

static unsigned hash3(const uint8_t *p)
{
    return ((unsigned)p[0] << 10 ^ (unsigned)p[1] << 5 ^ p[2]) & (HASH - 1);
}

static int find_matches(void)
{
    int count = 0;
    memset(head, -1, sizeof(head));
    for (int i = 0; i < SIZE;) {
        int best = 0, where = 0;
        if (i + 3 <= SIZE) {
            int limit = SIZE - i < MAX_MATCH ? SIZE - i : MAX_MATCH;
            int chain = 32;
            for (int c = head[hash3(input + i)]; c >= 0 && i - c < WINDOW && chain--;
                 c = previous[c]) {
                if (best && input[c + best] != input[i + best])
                    continue;
                int n = 0;
                while (n < limit && input[c + n] == input[i + n])
                    n++;
                if (n > best) {
                    best = n;
                    where = c;
                    if (n == limit)
                        break;
                }
            }
        }
        if (best >= 3) {
            tokens[count].symbol = (uint16_t)(256 + best - 3);
            tokens[count++].distance = (uint16_t)(i - where);
        } else {
            best = 1;
            tokens[count].symbol = input[i];
            tokens[count++].distance = 0;
        }
        for (; best--; i++) {
            if (i + 3 <= SIZE) {
                unsigned h = hash3(input + i);
                previous[i] = head[h];
                head[h] = i;
            }
        }
    }
    return count;
}

/* Code lengths by pairing the two rarest; halved frequencies keep them within 15 bits. */
static void make_codes(int count)
{
    uint32_t frequency[SYMBOLS] = {0};
    for (int i = 0; i < count; i++)
        frequency[tokens[i].symbol]++;
    for (int again = 1; again;) {
        uint32_t weight[2 * SYMBOLS];
        int parent[2 * SYMBOLS], alive[SYMBOLS], n = 0, nodes = SYMBOLS;
        for (int i = 0; i < SYMBOLS; i++) {
            weight[i] = frequency[i];
            lengths[i] = 0;
            if (frequency[i])
                alive[n++] = i;
        }
        while (n > 1) {
            int least[2];
            for (int k = 0; k < 2; k++) {
                int at = 0;
                for (int i = 1; i < n; i++) {
                    if (weight[alive[i]] < weight[alive[at]])
                        at = i;
                }
                least[k] = alive[at];
                alive[at] = alive[--n];
            }
            weight[nodes] = weight[least[0]] + weight[least[1]];
            parent[least[0]] = parent[least[1]] = nodes;
            alive[n++] = nodes++;
        }
        again = 0;
        for (int i = 0; i < SYMBOLS; i++) {
            for (int at = i; frequency[i] && at != nodes - 1; at = parent[at])
                lengths[i]++;
            if (lengths[i] > 15)
                again = 1;
        }
        for (int i = 0; again && i < SYMBOLS; i++)
            frequency[i] = frequency[i] ? frequency[i] / 2 + 1 : 0;
    }
    uint16_t code = 0;
    for (int length = 1; length < 16; length++, code = (uint16_t)(code << 1)) {
        for (int i = 0; i < SYMBOLS; i++) {
            if (lengths[i] == length)
                codes[i] = code++;
        }
    }
}

static long bit_count;
static uint64_t bits;
static long packed_size;

static void put(unsigned value, int n)
{
    bits = bits << n | value;
    bit_count += n;
    while (bit_count >= 8) {
        bit_count -= 8;
        packed[packed_size++] = (uint8_t)(bits >> bit_count);
    }
}

static void pack(int count)
{
    packed_size = bit_count = 0;
    bits = 0;
    for (int i = 0; i < count; i++) {
        put(codes[tokens[i].symbol], lengths[tokens[i].symbol]);
        if (tokens[i].distance)
            put(tokens[i].distance, 15);
    }
    put(0, 7);
}

static int unpack(int count)
{
    uint16_t first[16], start[16], sorted[SYMBOLS], of_length[16] = {0};
    int n = 0;
    for (int length = 1; length < 16; length++) {
        start[length] = (uint16_t)n;
        first[length] = 0;
        for (int i = 0; i < SYMBOLS; i++) {
            if (lengths[i] != length)
                continue;
            if (!of_length[length]++)
                first[length] = codes[i];
            sorted[n++] = (uint16_t)i;
        }
    }
    long at = 0;
    uint8_t *out = output;
    for (int t = 0; t < count; t++) {
        unsigned code = 0, symbol = 0;
        for (int length = 1; length < 16; length++, at++) {
            code = code << 1 | (packed[at >> 3] >> (7 - (at & 7)) & 1);
            unsigned index = code - first[length];
            if (code >= first[length] && index < of_length[length]) {
                symbol = sorted[start[length] + index];
                at++;
                break;
            }
        }
        if (symbol < 256) {
            *out++ = (uint8_t)symbol;
            continue;
        }
        unsigned distance = 0;
        for (int i = 0; i < 15; i++, at++)
            distance = distance << 1 | (packed[at >> 3] >> (7 - (at & 7)) & 1);
        if (distance > out - output || out + symbol - 253 > output + SIZE)
            return 0;
        for (unsigned i = 0; i < symbol - 253; i++, out++)
            *out = out[-(long)distance];
    }
    return out == output + SIZE;
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 1;
    uint32_t sum = 0;
    make_input();
    for (int n = 0; n < rounds; n++) {
        input[n * 37 % SIZE] ^= (uint8_t)n;
        int count = find_matches();
        make_codes(count);
        pack(count);
        if (!unpack(count) || memcmp(input, output, SIZE)) {
            fprintf(stderr, "deflate: what came back is not what went in\n");
            return 1;
        }
        for (long i = 0; i < packed_size; i++)
            sum = sum * 31 + packed[i];
    }
    printf("%ld %08x\n", packed_size, (unsigned)sum);
    return 0;
}

/* Idioms that a translator recognises must mean what their parts mean. Each is computed hot with constant operands, and
 * once more with operands that no translator can know. */
#include "tests/linux/expect.h"
#include <stdint.h>

#define ROUNDS 20000

static volatile unsigned one = 1;

/* The same rotations by counts out of memory. */
static uint32_t rotate32(uint32_t x, unsigned n)
{
    n *= one;
    return x >> n | x << (32 - n);
}
static uint64_t rotate64(uint64_t x, unsigned n)
{
    n *= one;
    return x >> n | x << (64 - n);
}

static void rotations(void)
{
    uint32_t x = 0x80000001, a = 0, b = 0;
    uint64_t y = 0x8000000000000001, c = 0, d = 0;
    for (int i = 0; i < ROUNDS; i++) {
        x = x * 1664525 + 1013904223;
        y = y * 6364136223846793005 + 1442695040888963407;
        a = (a + (x >> 7 | x << 25)) ^ ((x << 1) + (x >> 31)) ^ (x << 19 ^ x >> 13);
        b = (b + rotate32(x, 7)) ^ rotate32(x, 31) ^ rotate32(x, 13);
        c = (c + (y >> 7 | y << 57)) ^ ((y << 1) + (y >> 63)) ^ (y << 32 ^ y >> 32);
        d = (d + rotate64(y, 7)) ^ rotate64(y, 63) ^ rotate64(y, 32);
        /* Nearly a rotation. */
        a += x >> 7 | x << 24;
        b += x >> (7 * one) | x << (24 * one);
    }
    EXPECT_EQ(a, b);
    EXPECT_EQ(c, d);
    puts("ok rotations");
}

int main(void)
{
    rotations();
    return 0;
}

/* A guest program: RV64 floating-point instructions, each written out, on random and special operands under every
 * dynamic and static rounding mode; prints a checksum of values and flags for each dynamic mode. The
 * expected output (float.expected) was printed by qemu-riscv64 running this program. */
#include "tests/random.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed = RANDOM_SEED, sum;

static uint64_t rnd(void)
{
    return random_next(&seed);
}

static void mix(uint64_t v)
{
    sum = (sum ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    sum ^= sum >> 29;
}

static double bits_f64(uint64_t v)
{
    double d;
    memcpy(&d, &v, 8);
    return d;
}

static double random_f64(void)
{
    uint64_t v = rnd(), frac = UINT64_C(0xfffffffffffff);
    switch (rnd() % 6) {
    case 0: /* near one, and integers */
        v = (v & (frac | 1ull << 63)) | (UINT64_C(0x3f0) + rnd() % 90) << 52;
        break;
    case 1: /* zeros, powers of two, infinities */
        v <<= 52;
        break;
    case 2: /* infinities and NaNs of both kinds */
        v = UINT64_C(0x7ff0000000000000) | (v & UINT64_C(0x8000000000000003)) | (v >> 5 & 1) << 51;
        break;
    case 3: /* subnormal numbers */
        v = (v & 1ull << 63) | (v >> (1 + rnd() % 60) & frac);
        break;
    }
    return bits_f64(v);
}

/* Boxed or, one in sixteen, not. */
static double random_f32(void)
{
    uint64_t v = rnd() >> 32;
    switch (rnd() % 6) {
    case 0:
        v = (v & 0x807fffff) | (UINT64_C(0x70) + rnd() % 90) << 23;
        break;
    case 1:
        v = v << 23 & 0xffffffff;
        break;
    case 2:
        v = 0x7f800000 | (v & 0x80000003) | (v >> 5 & 1) << 22;
        break;
    case 3:
        v = (v & 0x80000000) | (v >> rnd() % 30 & 0x7fffff);
        break;
    }
    return bits_f64(rnd() % 16 ? v | UINT64_C(0xffffffff00000000) : v);
}

static void mix_f(double d)
{
    uint64_t v;
    memcpy(&v, &d, 8);
    mix(v);
}

#define F(insn, ...)                                     \
    do {                                                 \
        double r_;                                       \
        __asm__ volatile(insn : "=f"(r_) : __VA_ARGS__); \
        mix_f(r_);                                       \
    } while (0)
#define X(insn, ...)                                     \
    do {                                                 \
        uint64_t r_;                                     \
        __asm__ volatile(insn : "=r"(r_) : __VA_ARGS__); \
        mix(r_);                                         \
    } while (0)
#define ARITH(s, m)                                               \
    F("fadd." s " %0, %1, %2, " m, "f"(a), "f"(b));               \
    F("fsub." s " %0, %1, %2, " m, "f"(a), "f"(b));               \
    F("fmul." s " %0, %1, %2, " m, "f"(a), "f"(b));               \
    F("fdiv." s " %0, %1, %2, " m, "f"(a), "f"(b));               \
    F("fsqrt." s " %0, %1, " m, "f"(a));                          \
    F("fmadd." s " %0, %1, %2, %3, " m, "f"(a), "f"(b), "f"(c));  \
    F("fnmsub." s " %0, %1, %2, %3, " m, "f"(a), "f"(b), "f"(c)); \
    X("fcvt.w." s " %0, %1, " m, "f"(a));                         \
    X("fcvt.wu." s " %0, %1, " m, "f"(a));                        \
    X("fcvt.l." s " %0, %1, " m, "f"(a));                         \
    X("fcvt.lu." s " %0, %1, " m, "f"(a));                        \
    F("fcvt." s ".l %0, %1, " m, "r"(x));                         \
    F("fcvt." s ".lu %0, %1, " m, "r"(x))
#define REST(s)                                                         \
    F("fcvt." s ".w %0, %1", "r"(x));                                   \
    F("fcvt." s ".wu %0, %1", "r"(x));                                  \
    F("fmin." s " %0, %1, %2", "f"(a), "f"(b));                         \
    F("fmax." s " %0, %1, %2", "f"(a), "f"(b));                         \
    F("fsgnjx." s " %0, %1, %2", "f"(a), "f"(b));                       \
    X("feq." s " %0, %1, %2", "f"(a), "f"(b));                          \
    X("flt." s " %0, %1, %2", "f"(a), "f"(b));                          \
    X("fle." s " %0, %1, %2", "f"(a), "f"(b));                          \
    X("fclass." s " %0, %1", "f"(a));                                   \
    /* a quiet comparison, as compilers write it */                     \
    __asm__ volatile("frflags %1\n\tflt." s " %0, %2, %3\n\tfsflags %1" \
                     : "=&r"(y), "=&r"(f)                               \
                     : "f"(a), "f"(b));                                 \
    mix(y)
#define ALL(s)       \
    ARITH(s, "dyn"); \
    ARITH(s, "rne"); \
    ARITH(s, "rtz"); \
    ARITH(s, "rdn"); \
    ARITH(s, "rup"); \
    ARITH(s, "rmm"); \
    REST(s)

int main(void)
{
    for (uint64_t mode = 0; mode < 5; mode++) {
        __asm__ volatile("fsrm %0" : : "r"(mode));
        for (int i = 0; i < 4000; i++) {
            uint64_t x = rnd() >> rnd() % 64, y, f;
            double a = random_f64(), b = random_f64(), c = random_f64();
            if (i % 2)
                x = -x;
            ALL("d");
            F("fcvt.s.d %0, %1", "f"(a));
            F("fcvt.s.d %0, %1, rup", "f"(b));
            a = random_f32(), b = random_f32(), c = random_f32();
            ALL("s");
            F("fcvt.d.s %0, %1", "f"(a));
            __asm__ volatile("frflags %0" : "=r"(f));
            mix(f);
            if (i % 8 == 0)
                __asm__ volatile("fsflags zero");
        }
        __asm__ volatile("fsrmi 0");
        printf("%d %016llx\n", (int)mode, (unsigned long long)sum);
    }
    return 0;
}

/* Floating point under FPCR's modes (FZ, DN, FZ16, AHP and rounding modes with them), on operands that lean to what these are about:
 * subnormal numbers, products and quotients near the least normal number, NaNs. A digest of results and FPSR per
 * instruction and mode, which must be the peer's. Each instruction runs in a loop that becomes hot: once with flags that
 * stay and are read at the end, once with flags written and read at each turn; with few special operands, and with many. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t rng = UINT64_C(88172645463325252);

static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng * UINT64_C(0x2545f4914f6cdd1d);
}

struct format {
    unsigned width, fraction;
};
static const struct format f16 = {16, 10}, f32 = {32, 23}, f64 = {64, 52};

/* other: what a product or quotient with is to be near the least normal number. */
static uint64_t number(const struct format *f, unsigned specials, uint64_t other)
{
    uint64_t r = rnd(), sign = UINT64_C(1) << (f->width - 1), one = UINT64_C(1) << f->fraction;
    uint64_t exponents = sign - one, bias = (exponents >> 1) & ~(one - 1),
             v = rnd() & (sign | (sign - 1));
    if ((r & 63) < specials) {
        switch (r >> 8 & 15) {
        case 0:
            return v & sign;
        case 1:
            return (v & sign) | exponents;
        case 2: /* NaNs */
        case 3:
            return (v | exponents) & ~(r >> 16 & 1 ? one >> 1 : 0);
        case 4: /* subnormal */
        case 5:
        case 6:
            return (v & sign) | (v & (one - 1)) >> (r >> 16) % f->fraction;
        case 7: /* about the least normal number */
            return (v & sign) | (one + (r >> 16 & 7) - 4);
        case 8: /* a product is about there */
            return (v & (sign | (one - 1))) |
                   ((bias + one - (other & exponents) + ((r >> 16 & 3) - 1) * one) & exponents);
        case 9: /* or just below, and rounded up: (2 - 2 b) times (1 + b) */
            return (v & sign) | ((one - 2 * (other & 7)) & (one - 1)) |
                   ((bias - (other & exponents)) & exponents);
        case 10: /* a quotient is */
            return (v & (sign | (one - 1))) |
                   (((other & exponents) + bias - ((r >> 16 & 3) - 1) * one) & exponents);
        case 11: /* near the other */
            return other ^ (r >> 16 & 3);
        case 12: /* one and a little, see above */
            return (v & sign) | (bias + ((r >> 16 & 7) - 3) * one) | (1 + (r >> 24 & 3));
        case 13: /* few digits */
            return (v & sign) | bias | (v & (one - 1) & ~(one / 8 - 1));
        default:
            return v;
        }
    }
    return (v & (sign | (one - 1))) | (bias + ((r >> 16 & 15) - 8) * one);
}

static uint64_t lanes(const struct format *f, unsigned specials, uint64_t other)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 64; i += f->width)
        v |= number(f, specials,
                    f->width == 64 ? other : other >> i & ((UINT64_C(1) << f->width) - 1))
             << i;
    return v;
}

/* Operands v0, v1, v2, the first a result as well; v3 the result. */
#define BOTH(X, insn) X(f64, insn " d3, d0, d1") X(f32, insn " s3, s0, s1")
#define TWO(X, insn) \
    BOTH(X, insn) X(f64, insn " v3.2d, v0.2d, v1.2d") X(f32, insn " v3.4s, v0.4s, v1.4s")
#define ONE(X, insn)       \
    X(f64, insn " d3, d0") \
    X(f32, insn " s3, s0") X(f64, insn " v3.2d, v0.2d") X(f32, insn " v3.4s, v0.4s")
#define INSNS(X)                                                                    \
    TWO(X, "fadd")                                                                  \
    TWO(X, "fsub")                                                                  \
    TWO(X, "fmul")                                                                  \
    TWO(X, "fdiv")                                                                  \
    BOTH(X, "fnmul")                                                                \
    TWO(X, "fmin")                                                                  \
    TWO(X, "fmax")                                                                  \
    TWO(X, "fminnm")                                                                \
    TWO(X, "fmaxnm")                                                                \
    TWO(X, "fabd")                                                                  \
    TWO(X, "fmulx")                                                                 \
    TWO(X, "frecps")                                                                \
    TWO(X, "fcmeq")                                                                 \
    TWO(X, "fcmgt")                                                                 \
    TWO(X, "fcmge")                                                                 \
    TWO(X, "facgt")                                                                 \
    X(f64, "faddp v3.2d, v0.2d, v1.2d")                                             \
    X(f64, "faddp d3, v0.2d")                                                       \
    X(f32, "fmaxv s3, v0.4s")                                                       \
    X(f32, "fadd v3.2s, v0.2s, v1.2s")                                              \
    X(f64, "fmul d3, d0, d0")                                                       \
    X(f64, "fmul v3.2d, v0.2d, v0.2d")                                              \
    ONE(X, "fsqrt")                                                                 \
    ONE(X, "frinta")                                                                \
    ONE(X, "frintx")                                                                \
    ONE(X, "frintp")                                                                \
    ONE(X, "frecpe")                                                                \
    X(f64, "fcmlt v3.2d, v0.2d, #0.0")                                              \
    X(f64, "fmadd d3, d0, d1, d2")                                                  \
    X(f32, "fmadd s3, s0, s1, s2")                                                  \
    X(f64, "fnmsub d3, d0, d1, d2")                                                 \
    X(f32, "fmsub s3, s0, s1, s2")                                                  \
    X(f64, "mov v3.16b, v2.16b\n fmla v3.2d, v0.2d, v1.2d")                         \
    X(f32, "mov v3.16b, v2.16b\n fmls v3.4s, v0.4s, v1.4s")                         \
    X(f64, "fcvt s3, d0")                                                           \
    X(f32, "fcvt d3, s0")                                                           \
    X(f64, "fcvtn v3.2s, v0.2d")                                                    \
    X(f64, "fcvtxn v3.2s, v0.2d")                                                   \
    X(f32, "fcvtl v3.2d, v0.2s")                                                    \
    X(f32, "fcvt h3, s0")                                                           \
    X(f64, "fcvt h3, d0")                                                           \
    X(f16, "fcvt s3, h0")                                                           \
    X(f16, "fcvtl v3.4s, v0.4h")                                                    \
    X(f16, "fadd h3, h0, h1")                                                       \
    X(f16, "fmul v3.8h, v0.8h, v1.8h")                                              \
    X(f16, "fcmgt v3.8h, v0.8h, v1.8h")                                             \
    X(f64, "fcvtzs x12, d0\n fmov d3, x12")                                         \
    X(f64, "fcvtzu x12, d0\n fmov d3, x12")                                         \
    X(f64, "fcvtns w12, d0\n fmov d3, x12")                                         \
    X(f32, "fcvtps w12, s0\n fmov d3, x12")                                         \
    X(f32, "fcvtzu w12, s0\n fmov d3, x12")                                         \
    X(f64, "fcvtas w12, d0\n fmov d3, x12")                                         \
    X(f32, "fcvtau x12, s0\n fmov d3, x12")                                         \
    X(f64, "fcvtzs x12, d0, #9\n fmov d3, x12")                                     \
    X(f32, "fcvtzu w12, s0, #3\n fmov d3, x12")                                     \
    X(f64, "fjcvtzs w12, d0\n fmov d3, x12")                                        \
    X(f64, "fmov x12, d0\n scvtf s3, x12, #60")                                     \
    X(f32, "fcvtzs v3.4s, v0.4s")                                                   \
    X(f32, "fcvtzs v3.4s, v0.4s, #15")                                              \
    X(f32, "fcvtzu v3.4s, v0.4s")                                                   \
    X(f64, "fcvtzs v3.2d, v0.2d")                                                   \
    X(f64, "fcvtms v3.2d, v0.2d")                                                   \
    X(f64, "fmov x12, d0\n scvtf d3, x12")                                          \
    X(f64, "fmov x12, d0\n ucvtf d3, x12")                                          \
    X(f64, "fmov x12, d0\n scvtf s3, x12")                                          \
    X(f64, "fmov x12, d0\n scvtf s3, w12")                                          \
    X(f64, "fmov x12, d0\n ucvtf s3, w12")                                          \
    X(f64, "fmov x12, d0\n ucvtf d3, w12")                                          \
    X(f32, "scvtf v3.4s, v0.4s")                                                    \
    X(f32, "ucvtf v3.4s, v0.4s, #16")                                               \
    X(f64, "scvtf v3.2d, v0.2d")                                                    \
    X(f64, "fcmp d0, d1\n mrs x12, nzcv\n fmov d3, x12")                            \
    X(f64, "fcmpe d0, d1\n cset x12, gt\n fmov d3, x12")                            \
    X(f32, "fcmp s0, s1\n csel x12, x9, x11, le\n fmov d3, x12")                    \
    X(f32, "fcmp s0, #0.0\n cset x12, mi\n fmov d3, x12")                           \
    X(f64, "fcmp d0, d1\n fcsel d3, d0, d1, ge")                                    \
    X(f64, "fcmp d0, d2\n fccmpe d1, d2, #4, gt\n mrs x12, nzcv\n fmov d3, x12")    \
    X(f64, "fcmp d0, d1\n fmov d3, d0\n b.lt 3f\n fadd d3, d1, d2\n 3:")            \
    X(f64, "fmul d3, d0, d1\n fadd d3, d3, d2\n fmul d3, d3, d0\n fsub d3, d3, d1") \
    X(f32, "fmul v3.4s, v0.4s, v1.4s\n fadd v3.4s, v3.4s, v2.4s\n fdiv v3.4s, v3.4s, v1.4s")

enum { MANY = 600 };
static uint64_t in[MANY][6];

/* x13: digest; x14: FPSR to begin with, and how it goes on. */
#define LOOP(insn, each)                                                                         \
    __asm__ volatile(                                                                            \
        "msr fpcr, %3\n mov x12, #0x9f\n and x12, x12, %4\n msr fpsr, x12\n mov x9, %1\n mov "   \
        "x11, %2\n mov x13, #0\n mov x14, %4\n"                                                  \
        "1: ldp q0, q1, [x9], #32\n ldr q2, [x9], #16\n" each insn                               \
        "\n fmov x12, d3\n eor x13, x12, x13, ror #7\n umov x12, v3.d[1]\n"                      \
        "eor x13, x12, x13, ror #9\n"                                                            \
        "subs x11, x11, #1\n b.ne 1b\n mrs x12, fpsr\n eor %0, x12, x13, ror #5\n msr fpcr, xzr" \
        : "=&r"(sum)                                                                             \
        : "r"(in), "r"((uint64_t)MANY), "r"(fpcr), "r"(fpsr)                                     \
        : "v0", "v1", "v2", "v3", "x9", "x11", "x12", "x13", "x14", "cc", "memory")
#define EACH                                                                                    \
    "mrs x12, fpsr\n eor x13, x12, x13, ror #3\n ror x14, x14, #1\n mov x12, #0x9f\n and x12, " \
    "x14, x12\n"                                                                                \
    "msr fpsr, x12\n"

static void report(const struct format *f, const char *insn, uint64_t (*stays)(uint64_t, uint64_t),
                   uint64_t (*each)(uint64_t, uint64_t))
{
    static const uint64_t modes[] = {1 << 24, 1 << 25, 3 << 24,
                                     5 << 22, 6 << 22, 15 << 22,
                                     1 << 26, 1 << 19, (1 << 19) + (7 << 24)};
    char name[64];
    snprintf(name, sizeof name, "%s", insn);
    for (char *p = name; *p; p++)
        *p = *p == '\n' ? ';' : *p;
    for (unsigned specials = 1; specials <= 64; specials *= 8) {
        for (unsigned i = 0; i < MANY; i++) {
            for (unsigned k = 0; k < 6; k++)
                in[i][k] = lanes(f, specials, k > 1 ? in[i][k - 2] : 0);
        }
        for (unsigned m = 0; m < sizeof modes / sizeof *modes; m++) {
            uint64_t fpsr = rnd() & rnd() & 0x9f;
            printf("%s, FPCR %#lx, %u: %016lx %016lx\n", name, modes[m], specials,
                   stays(modes[m], fpsr), each(modes[m], rnd()));
        }
    }
}

#define FUNCTIONS(f, insn)                           \
    do {                                             \
        uint64_t stays(uint64_t fpcr, uint64_t fpsr) \
        {                                            \
            uint64_t sum;                            \
            LOOP(insn, "");                          \
            return sum;                              \
        }                                            \
        uint64_t each(uint64_t fpcr, uint64_t fpsr)  \
        {                                            \
            uint64_t sum;                            \
            LOOP(insn, EACH);                        \
            return sum;                              \
        }                                            \
        report(&f, insn, stays, each);               \
    } while (0);

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    INSNS(FUNCTIONS)
    return 42;
}

/* Roundings to integral values and conversions between floats and integers, with and without a binary point, on operands that lean
 * to the edges: a digest of results and FPSR per instruction, which must be the peer's. Once one by one in each
 * rounding mode, once in a loop that becomes hot, without NaNs and with them. */
#include <stdint.h>
#include <stdio.h>

static uint64_t rng = UINT64_C(88172645463325252);

static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng * UINT64_C(0x2545f4914f6cdd1d);
}

/* A single; infinities and NaNs are the last of the edges. */
static uint64_t single(int all)
{
    static const uint32_t edge[] = {
        0,          0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000, 0x4f000000,
        0xcf000000, 0x4f800000, 0x4effffff, 0x4f7fffff, 0x5f000000, 0x47000000, 0x46fffe00,
        0x3effffff, 0x3f7fffff, 0x7f7fffff, 1,          0x007fffff, 0x00800000, 0x4b000000,
        0x4b800001, 0x7f800000, 0xff800000, 0x7fc00001, 0x7f800001, 0xffc00000, 0xff800002};
    uint64_t r = rnd(), fraction = r >> 16 & 0x807fffff;
    switch (r & 3) {
    case 0:
        return edge[(r >> 8) % (all ? 28 : 22)];
    case 1:
        return all ? r >> 16 & UINT32_MAX : fraction | (0x7e + (r >> 50 & 7)) << 23;
    case 2:
        return fraction | (0x70 + (r >> 50 & 31)) << 23;
    default:
        return fraction | (0x7a + (r >> 50 & 63)) << 23;
    }
}

/* A double, or two singles. */
static uint64_t operand(int wide, int all)
{
    if (!wide)
        return single(all) << 32 | single(all);
    uint64_t r = rnd();
    if (!(r & 7))
        return all ? rnd() : (r & 16) << 59;
    return (r & UINT64_C(0x800fffffffffffff)) | (0x3f0 + (rnd() >> 30 & 127)) << 52;
}

#define INSNS(X)                     \
    X(0, "fcvtzs v1.4s, v0.4s, #1")  \
    X(0, "fcvtzs v1.4s, v0.4s, #31") \
    X(0, "fcvtzs v1.4s, v0.4s, #15") \
    X(0, "fcvtzs v1.2s, v0.2s, #32") \
    X(0, "fcvtzs v1.4s, v0.4s")      \
    X(0, "fcvtns v1.4s, v0.4s")      \
    X(0, "fcvtas v1.4s, v0.4s")      \
    X(0, "fcvtzu v1.4s, v0.4s")      \
    X(0, "fcvtzu v1.2s, v0.2s")      \
    X(0, "fcvtzu v1.4s, v0.4s, #15") \
    X(0, "fcvtzu v1.2s, v0.2s, #32") \
    X(0, "fcvtau v1.4s, v0.4s")      \
    X(0, "scvtf v1.4s, v0.4s, #15")  \
    X(0, "scvtf v1.4s, v0.4s, #32")  \
    X(1, "scvtf v1.2d, v0.2d, #64")  \
    X(1, "scvtf v1.2d, v0.2d, #7")   \
    X(0, "ucvtf v1.4s, v0.4s")       \
    X(0, "ucvtf v1.4s, v0.4s, #16")  \
    X(0, "ucvtf v1.2s, v0.2s, #31")  \
    X(1, "fcvtas v1.2d, v0.2d")      \
    X(0, "frinta v1.4s, v0.4s")      \
    X(0, "frinta v1.2s, v0.2s")      \
    X(1, "frinta v1.2d, v0.2d")      \
    X(1, "frinta d1, d0")            \
    X(0, "frinta s1, s0")            \
    X(1, "frintm d1, d0")            \
    X(0, "frintm s1, s0")            \
    X(1, "frintp d1, d0")            \
    X(0, "frintp s1, s0")            \
    X(1, "frintz d1, d0")            \
    X(0, "frintz s1, s0")            \
    X(1, "frintn d1, d0")            \
    X(0, "frintn s1, s0")            \
    X(1, "frintx d1, d0")            \
    X(0, "frintx s1, s0")            \
    X(1, "frinti d1, d0")            \
    X(0, "frinti s1, s0")

enum { MANY = 4096 };
static uint64_t in[2 * MANY], out[3];

/* One at a time under FPCR; out: the result and FPSR. */
#define ONCE(insn)                                                                        \
    __asm__ volatile("msr fpcr, %2\n msr fpsr, xzr\n ldr q0, [%0]\n" insn                 \
                     "\n str q1, [%1]\n mrs x9, fpsr\n str x9, [%1, #16]\n msr fpcr, xzr" \
                     :                                                                    \
                     : "r"(p), "r"(out), "r"(fpcr)                                        \
                     : "v0", "v1", "x9", "memory")
#define LOOP(insn)                                                                                 \
    __asm__ volatile("msr fpsr, xzr\n mov x9, %1\n mov x11, %2\n movi v3.2d, #0\n"                 \
                     "1: ldr q0, [x9], #16\n" insn                                                 \
                     "\n eor v3.16b, v3.16b, v1.16b\n ext v3.16b, v3.16b, v3.16b, #5\n"            \
                     "subs x11, x11, #1\n b.ne 1b\n mrs x10, fpsr\n fmov %0, d3\n eor %0, %0, x10" \
                     : "=&r"(sum)                                                                  \
                     : "r"(p), "r"((uint64_t)MANY)                                                 \
                     : "v0", "v1", "v3", "x9", "x10", "x11", "cc", "memory")

static void report(const char *insn, int wide, void (*once)(uint64_t *, uint64_t),
                   uint64_t (*loop)(uint64_t *))
{
    uint64_t h = 0;
    for (unsigned i = 0; i < 4000; i++) {
        in[0] = operand(wide, i & 1);
        in[1] = operand(wide, i & 1);
        once(in, (uint64_t)(i >> 1 & 3) << 22);
        h = ((h * 31 ^ out[0]) * 31 ^ out[1]) ^ out[2] << 3;
        h ^= h >> 29;
    }
    printf("%s: %016lx", insn, h);
    for (int all = 0; all < 2; all++) {
        for (unsigned i = 0; i < 2 * MANY; i++)
            in[i] = operand(wide, all);
        printf(" %016lx", loop(in));
    }
    printf("\n");
}

int main(void)
{
#define RUN(wide, insn)                       \
    {                                         \
        void once(uint64_t *p, uint64_t fpcr) \
        {                                     \
            ONCE(insn);                       \
        }                                     \
        uint64_t loop(uint64_t *p)            \
        {                                     \
            uint64_t sum;                     \
            LOOP(insn);                       \
            return sum;                       \
        }                                     \
        report(insn, wide, once, loop);       \
    }
    INSNS(RUN)
    return 42;
}

/* uop/sem.h: the meaning of the pure micro-ops as C functions.
 *
 * Owns: uop_sem_NAME(A, B, C) for every pure row of uop.def (B is the immediate's value for the _i
 * forms, so both share one function), and the functions that the rows' expressions call. The
 * interpreter's handlers and the translator's constant folder use these and nothing else.
 *
 * Threading: pure functions.
 */
#ifndef DRAGOMAN_UOP_SEM_H
#define DRAGOMAN_UOP_SEM_H

#include "uop/uop.h"

/* Division as RISC-V defines it ("M" extension, table of division by zero and overflow): nothing
 * traps. The rows of uop.def say the values. */
static inline uint64_t uop_div_s64(uint64_t a, uint64_t b)
{
    if (b == 0)
        return ~UINT64_C(0);
    if (b == ~UINT64_C(0))
        return -a;
    return (uint64_t)((int64_t)a / (int64_t)b);
}

static inline uint64_t uop_rem_s64(uint64_t a, uint64_t b)
{
    if (b == 0)
        return a;
    if (b == ~UINT64_C(0))
        return 0;
    return (uint64_t)((int64_t)a % (int64_t)b);
}

static inline int32_t uop_div_s32(uint64_t a, uint64_t b)
{
    int32_t x = (int32_t)a, y = (int32_t)b;
    if (y == 0)
        return -1;
    if (y == -1)
        return (int32_t) - (uint32_t)x;
    return x / y;
}

static inline int32_t uop_rem_s32(uint64_t a, uint64_t b)
{
    int32_t x = (int32_t)a, y = (int32_t)b;
    if (y == 0)
        return x;
    if (y == -1)
        return 0;
    return x % y;
}

/* Every byte that is not zero becomes 0xff (Zbb orc.b). */
static inline uint64_t uop_orc_b(uint64_t a)
{
    uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t high = (((a & low) + low) | a) & ~low; /* bit 7 of each byte: byte != 0 */
    return (high >> 7) * 0xff;
}

/* The class of a float as a one-hot mask of ten bits (RISC-V "F", fclass): -inf, -normal,
 * -subnormal, -0, +0, +subnormal, +normal, +inf, signalling NaN, quiet NaN. */
static inline uint64_t uop_fclass(uint64_t frac, unsigned exp, unsigned exp_max, bool sign,
                                  bool quiet)
{
    if (exp == exp_max) {
        if (frac)
            return quiet ? 1 << 9 : 1 << 8;
        return sign ? 1 << 0 : 1 << 7;
    }
    if (exp)
        return sign ? 1 << 1 : 1 << 6;
    if (frac)
        return sign ? 1 << 2 : 1 << 5;
    return sign ? 1 << 3 : 1 << 4;
}

static inline uint64_t uop_fclass_f64(uint64_t a)
{
    return uop_fclass(a & ((UINT64_C(1) << 52) - 1), a >> 52 & 0x7ff, 0x7ff, a >> 63, a >> 51 & 1);
}

static inline uint64_t uop_fclass_f32(uint64_t a)
{
    return uop_fclass(a & 0x7fffff, a >> 23 & 0xff, 0xff, a >> 31 & 1, a >> 22 & 1);
}

static inline uint64_t uop_fclass_f16(uint64_t a)
{
    return uop_fclass(a & 0x3ff, a >> 10 & 0x1f, 0x1f, a >> 15 & 1, a >> 9 & 1);
}

/* a < b, or a <= b; false with a NaN. */
static inline bool uop_fless_f64(uint64_t a, uint64_t b, bool or_equal)
{
    uint64_t nan = UINT64_C(0xffe0000000000000);
    if (a << 1 > nan || b << 1 > nan)
        return false;
    if (!((a | b) << 1))
        return or_equal; /* zeros of any sign */
    /* As integers in the same order: a negative number's magnitude counts downwards. */
    int64_t x = (int64_t)(a ^ ((uint64_t)((int64_t)a >> 63) >> 1));
    int64_t y = (int64_t)(b ^ ((uint64_t)((int64_t)b >> 63) >> 1));
    return x < y || (or_equal && x == y);
}

/* A bit pattern of f64 that compares with others like the f32 a with others. */
static inline uint64_t uop_f32_as_f64(uint64_t a)
{
    bool nan = (uint32_t)a << 1 > 0xff000000;
    uint64_t v = (uint64_t)(uint32_t)a << 32;
    return nan ? UINT64_C(0x7ff8000000000000)
               : (v & UINT64_C(0x8000000000000000)) | (v & INT64_MAX) >> 3;
}

static inline uint64_t uop_f16_as_f64(uint64_t a)
{
    bool nan = (a & 0x7fff) > 0x7c00;
    return nan ? UINT64_C(0x7ff8000000000000) : (a & 0x8000) << 48 | (a & 0x7fff) << 42;
}

/* enum fp_flag bits of MXCSR's sticky ones. */
static inline uint64_t uop_fp_flags(uint64_t m)
{
    return (m >> 5 & 1) | (m >> 3 & 2) | (m >> 1 & 4) | (m << 1 & 8) | (m << 4 & 16);
}

static inline uint64_t uop_flags(bool n, bool z, bool c, bool v)
{
    return (n ? UOP_FLAG_N : 0) | (z ? UOP_FLAG_Z : 0) | (c ? 0 : UOP_FLAG_B) |
           (v ? UOP_FLAG_V : 0);
}

/* Condition flags of comparing floats. */
static inline uint64_t uop_flags_fcmp(uint64_t a, uint64_t b)
{
    bool le = uop_fless_f64(a, b, true), ge = uop_fless_f64(b, a, true);
    return uop_flags(le && !ge, le && ge, !le || ge, !le && !ge);
}

/* Condition flags of x + y + carry. */
static inline uint64_t uop_flags_adc_64(uint64_t x, uint64_t y, uint64_t carry)
{
    uint64_t sum = x + y + carry;
    return uop_flags(sum >> 63, sum == 0, carry ? sum <= x : sum < x, (~(x ^ y) & (x ^ sum)) >> 63);
}

static inline uint64_t uop_flags_adc_32(uint64_t a, uint64_t b, uint64_t carry)
{
    uint32_t x = (uint32_t)a, y = (uint32_t)b;
    uint64_t wide = (uint64_t)x + y + carry;
    uint32_t sum = (uint32_t)wide;
    return uop_flags(sum >> 31, sum == 0, wide >> 32, (~(x ^ y) & (x ^ sum)) >> 31);
}

/* As four bits, N Z C V from the highest, and back. */
static inline uint64_t uop_flags_nzcv(uint64_t f)
{
    return (f & UOP_FLAG_N ? 8 : 0) | (f & UOP_FLAG_Z ? 4 : 0) | (f & UOP_FLAG_B ? 0 : 2) |
           ((int8_t)f > 0 ? 1 : 0);
}

static inline uint64_t uop_flags_of(uint64_t nzcv)
{
    return uop_flags(nzcv & 8, nzcv & 4, nzcv & 2, nzcv & 1);
}

/* Arm's condition numbers (Arm ARM C1.2.4): the lowest bit inverts, but for 15. */
static inline uint64_t uop_cond(uint64_t flags, uint64_t cond)
{
    unsigned n = (flags & UOP_FLAG_N) != 0, z = (flags & UOP_FLAG_Z) != 0,
             c = !(flags & UOP_FLAG_B), v = (int8_t)flags > 0;
    unsigned yes[8] = {z, c, n, v, c && !z, n == v, n == v && !z, 1};
    unsigned holds = yes[cond >> 1 & 7];
    return cond & 1 && (cond & 15) != 15 ? !holds : holds;
}

static inline uint64_t uop_rbit_64(uint64_t a)
{
    a = (a >> 1 & UINT64_C(0x5555555555555555)) | (a & UINT64_C(0x5555555555555555)) << 1;
    a = (a >> 2 & UINT64_C(0x3333333333333333)) | (a & UINT64_C(0x3333333333333333)) << 2;
    a = (a >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (a & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
    return __builtin_bswap64(a);
}

static inline uint64_t uop_crc32(uint64_t sum, uint64_t data, unsigned bits, uint32_t poly)
{
    uint32_t crc = (uint32_t)sum;
    for (unsigned i = 0; i < bits; i++, data >>= 1)
        crc = crc >> 1 ^ ((crc ^ data) & 1 ? poly : 0);
    return crc;
}

/* Arm's integer estimates, uop/fp_est.c. */
uint32_t uop_urecpe(uint32_t x);
uint32_t uop_ursqrte(uint32_t x);

#define UOP_SEM(name, expr)                                                   \
    static inline uint64_t uop_sem_##name(uint64_t A, uint64_t B, uint64_t C) \
    {                                                                         \
        (void)A, (void)B, (void)C;                                            \
        return (uint64_t)(expr);                                              \
    }
#define UOP_P1(name, range, expr) UOP_SEM(name, expr)
#define UOP_P2(name, range, expr) UOP_SEM(name, expr)
#define UOP_P3(name, range, expr) UOP_SEM(name, expr)
#include "uop/uop_all.h"
#undef UOP_SEM

/* The value of pure micro-op `op` (an _i form takes its immediate as b). False when it is not pure.
 */
bool uop_eval(enum uop_code op, uint64_t a, uint64_t b, uint64_t c, uint64_t *d);

/* For translated code: the value of a pure or floating-point micro-op, or of rdtime, that it does not compute itself, of the operands
 * in cpu->call_arg (the immediate of a pure one in place of B; a vector operation's in cpu->call_imm and its result in
 * cpu->call_result). code: the micro-op's number, and a floating-point one's immediate from bit 16 on. MXCSR
 * is the guest's: sticky flags are raised there. The dynamic mode is one that exists. */
struct cpu;
uint64_t uop_call(struct cpu *cpu, uint64_t code, uint64_t unused);

/* The value of rdtime: nanoseconds of a clock of the host's. Not the host's time-stamp counter,
 * whose frequency the host does not always tell and which a guest must know to use it. */
uint64_t uop_rdtime(int clock);

#endif

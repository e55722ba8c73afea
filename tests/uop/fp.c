/* Floating point in software against two references that share nothing with it: arithmetic in the
 * compiler's 113-bit __float128 followed by rounding by definition (search for the two neighbours in
 * the format and choose), for every format and rounding mode; and the host's own instructions, for
 * the formats and modes that the host has. Values and flags must be the same.
 *
 * The number of random cases per operation is the first argument, or DRAGOMAN_FP_CASES, or small. */
#include "tests/unit.h"

#include "tests/random.h"
#include "uop/fp.h"
#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long cases = 3000;

/* ---- random operands ---- */

static uint64_t rng = RANDOM_SEED;

static uint64_t rnd(void)
{
    return random_next(&rng);
}

struct fmt {
    const char *name;
    int p, emax, width;
};
static const struct fmt F16 = {"f16", 11, 15, 16}, F32 = {"f32", 24, 127, 32},
                        F64 = {"f64", 53, 1023, 64}, BF16 = {"bf16", 8, 127, 16};

static uint64_t inf_bits(const struct fmt *f)
{
    return (uint64_t)(2 * f->emax + 1) << (f->p - 1);
}
static uint64_t nan_bits(const struct fmt *f)
{
    return inf_bits(f) | UINT64_C(1) << (f->p - 2);
}
static uint64_t sign_of(const struct fmt *f)
{
    return UINT64_C(1) << (f->width - 1);
}
static bool is_nan(const struct fmt *f, uint64_t v)
{
    return (v & ~sign_of(f)) > inf_bits(f);
}

/* Numbers of all sizes, near the format's edges, near one another, NaNs of both kinds, infinities. */
static uint64_t operand(const struct fmt *f, uint64_t other)
{
    uint64_t frac_mask = (UINT64_C(1) << (f->p - 1)) - 1, one = (uint64_t)f->emax << (f->p - 1);
    uint64_t v;
    switch (rnd() % 12) {
    case 0: {
        const uint64_t special[] = {0,
                                    1,
                                    frac_mask,
                                    frac_mask + 1,
                                    frac_mask + 2,
                                    inf_bits(f) - 1,
                                    inf_bits(f),
                                    inf_bits(f) + 1,
                                    nan_bits(f),
                                    nan_bits(f) | 5,
                                    one,
                                    one + 1,
                                    one - 1,
                                    one + (frac_mask + 1) / 2};
        v = special[rnd() % (sizeof special / sizeof *special)];
        break;
    }
    case 1: /* few bits set */
        v = (rnd() & rnd() & rnd() & frac_mask) | (rnd() & inf_bits(f));
        break;
    case 2: /* close to the other operand */
    case 3:
        v = other + rnd() % 9 - 4;
        break;
    case 4: /* about 1: halves and integers */
    case 5:
        v = one + ((rnd() % (unsigned)(f->p + 4)) << (f->p - 1)) + (rnd() & frac_mask);
        if (rnd() & 1)
            v &= ~(frac_mask >> rnd() % (unsigned)f->p);
        break;
    case 6: /* subnormal or nearly */
        v = rnd() & (frac_mask * 4 + 3) >> rnd() % (unsigned)f->p;
        break;
    case 7: /* large */
        v = inf_bits(f) - 1 - (rnd() & (frac_mask * 4 + 3)) % inf_bits(f);
        break;
    case 8: /* exponents within a precision of the other's, for alignment */
        v = (other & inf_bits(f)) + ((rnd() % (2 * (unsigned)f->p)) << (f->p - 1));
        v = (v - ((uint64_t)f->p << (f->p - 1))) ^ (rnd() & frac_mask);
        break;
    default:
        v = rnd();
    }
    v ^= rnd() & sign_of(f);
    return f->width == 64 ? v : v & ((UINT64_C(1) << f->width) - 1);
}

/* ---- the reference ---- */

typedef __float128 quad;

static quad two_to(int n)
{
    quad v = 1, b = n < 0 ? 0.5 : 2;
    for (unsigned k = (unsigned)abs(n); k; k >>= 1, b *= b)
        if (k & 1)
            v *= b;
    return v;
}

/* Exact; a signalling NaN raises FE_INVALID and becomes a quiet one. */
static quad to_quad(const struct fmt *f, uint64_t v)
{
    if (f == &F64) {
        volatile double d;
        memcpy((void *)&d, &v, 8);
        return d;
    }
    uint32_t bits = (uint32_t)v;
    if (f == &F16) {
        unsigned e = v >> 10 & 31, m = v & 0x3ff;
        if (e == 31)
            bits = ((uint32_t)v & 0x8000) << 16 | 0x7f800000 | m << 13;
        else {
            quad q = e ? (1024 + m) * two_to((int)e - 25) : m * two_to(-24);
            return v >> 15 ? -q : q;
        }
    }
    if (f == &BF16)
        bits <<= 16;
    volatile float s;
    memcpy((void *)&s, &bits, 4);
    return s;
}

/* The larger of two neighbours rather than the lesser? Magnitudes; cmp is the exact value's order
 * against the middle of the two (they are not equal to it exactly: inexact). */
static bool away(enum fp_rm rm, bool neg, int cmp, bool lower_odd)
{
    switch (rm) {
    case FP_RTZ:
        return false;
    case FP_RDN:
        return neg;
    case FP_RUP:
        return !neg;
    case FP_RMM:
        return cmp >= 0;
    default:
        return cmp > 0 || (cmp == 0 && lower_odd);
    }
}

/* The value is v, or when `more` something between v and the next quad away from zero. */
static uint64_t ref_round(const struct fmt *f, quad v, bool more, enum fp_rm rm, unsigned *flags)
{
    if (v != v)
        return nan_bits(f);
    bool neg = __builtin_signbit((double)v) || v < 0;
    uint64_t sign = neg ? sign_of(f) : 0;
    quad m = v < 0 ? -v : v;
    if (m + m == m && m != 0) /* infinity */
        return sign | inf_bits(f);
    quad limit = two_to(f->emax + 1);
    if (m >= limit) {
        *flags |= FP_OF | FP_NX;
        return sign | (away(rm, neg, 1, true) ? inf_bits(f) : inf_bits(f) - 1);
    }
    uint64_t lo = 0, hi = inf_bits(f);
    while (hi - lo > 1) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (to_quad(f, mid) <= m)
            lo = mid;
        else
            hi = mid;
    }
    quad l = to_quad(f, lo), h = hi == inf_bits(f) ? limit : to_quad(f, hi);
    if (l == m && !more)
        return sign | lo;
    quad middle = (l + h) / 2;
    int cmp = m > middle ? 1 : m < middle ? -1 : more;
    bool up = away(rm, neg, cmp, lo & 1);
    *flags |= FP_NX;
    if (up && hi == inf_bits(f))
        *flags |= FP_OF;
    /* Tiny unless it rounds to the least normal with an unbounded exponent. */
    quad least = two_to(1 - f->emax);
    if (m < least) {
        quad below = least - two_to(1 - f->emax - f->p);
        bool tiny = true;
        if (m >= below && (m > below || more)) {
            middle = (below + least) / 2;
            cmp = m > middle ? 1 : m < middle ? -1 : more;
            tiny = !away(rm, neg, cmp, true);
        }
        if (tiny)
            *flags |= FP_UF;
    }
    return sign | (up ? hi : lo);
}

/* One operation in quads, truncated; *more says that something was cut off. */
static quad ref_op(int what, quad a, quad b, quad c, int mode, bool *more, unsigned *flags)
{
    volatile quad x = a, y = b, z = c, r;
    feclearexcept(FE_ALL_EXCEPT);
    fesetround(mode);
    switch (what) {
    case '+':
        r = x + y;
        break;
    case '-':
        r = x - y;
        break;
    case '*':
        r = x * y;
        break;
    case '/':
        r = x / y;
        break;
    default:
        r = x * y;
        r = r + z;
    }
    int e = fetestexcept(FE_ALL_EXCEPT);
    fesetround(FE_TONEAREST);
    *more = e & FE_INEXACT;
    *flags |= (e & FE_INVALID ? FP_NV : 0) | (e & FE_DIVBYZERO ? FP_DZ : 0);
    return r;
}

static uint64_t ref_arith(const struct fmt *f, int what, uint64_t a, uint64_t b, uint64_t c,
                          enum fp_rm rm, unsigned *flags)
{
    bool more;
    feclearexcept(FE_ALL_EXCEPT);
    quad x = to_quad(f, a), y = what == 's' ? 0 : to_quad(f, b),
         z = what == 'f' ? to_quad(f, c) : 0;
    if (fetestexcept(FE_INVALID))
        *flags |= FP_NV;
    if (what == 's') {
        if (x != x || x == 0)
            return x != x ? nan_bits(f) : a;
        if (x < 0) {
            *flags |= FP_NV;
            return nan_bits(f);
        }
        if (a == inf_bits(f))
            return a;
        uint64_t lo = 0, hi = inf_bits(f);
        while (hi - lo > 1) {
            uint64_t mid = lo + (hi - lo) / 2;
            quad m = to_quad(f, mid);
            if (m * m <= x)
                lo = mid;
            else
                hi = mid;
        }
        quad l = to_quad(f, lo), middle = (l + to_quad(f, hi)) / 2;
        if (l * l == x)
            return lo;
        *flags |= FP_NX;
        return away(rm, false, middle * middle < x ? 1 : -1, lo & 1) ? hi : lo;
    }
    quad r = ref_op(what, x, y, z, FE_TOWARDZERO, &more, flags);
    if (r == 0 && !more) {
        /* The sign of an exact zero depends on the mode. */
        unsigned ignored = 0;
        r = ref_op(what, x, y, z, rm == FP_RDN ? FE_DOWNWARD : FE_TONEAREST, &more, &ignored);
    }
    return ref_round(f, r, more, rm, flags);
}

static uint64_t ref_toint(const struct fmt *f, uint64_t a, int bits, bool is_signed, enum fp_rm rm,
                          unsigned *flags)
{
    quad v = to_quad(f, a), one = 1;
    quad top = two_to(is_signed ? bits - 1 : bits), bottom = is_signed ? -top : 0;
    uint64_t max = ~UINT64_C(0) >> (64 - bits + is_signed), min = is_signed ? ~max : 0;
    if (v != v) {
        *flags |= FP_NV;
        return max;
    }
    quad m = v < 0 ? -v : v;
    if (m < two_to(70)) {
        __int128 t = (__int128)m;
        quad frac = m - (quad)t;
        if (frac != 0 && away(rm, v<0, frac * 2> one ? 1 : frac * 2 < one ? -1 : 0, t & 1))
            t++;
        quad r = v < 0 ? -(quad)t : (quad)t;
        if (r < top && r >= bottom) {
            if (frac != 0)
                *flags |= FP_NX;
            return v < 0 ? -(uint64_t)t : (uint64_t)t;
        }
    }
    *flags |= FP_NV;
    return v < 0 ? min : max;
}

/* ---- the comparison ---- */

static unsigned long failures;

static void check(const char *what, enum fp_rm rm, uint64_t a, uint64_t b, uint64_t c, uint64_t got,
                  unsigned got_flags, uint64_t want, unsigned want_flags)
{
    if (got == want && got_flags == want_flags)
        return;
    if (failures++ < 20)
        print_error("%s rm %d: %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " gives %#" PRIx64
                    " flags %#x, expected %#" PRIx64 " flags %#x\n",
                    what, (int)rm, a, b, c, got, got_flags, want, want_flags);
}

#define FMT_f16 (&F16)
#define FMT_bf16 (&BF16)
#define FMT_f32 (&F32)
#define FMT_f64 (&F64)

static void arithmetic(const struct fmt *f, const char *name, enum uop_code op, int what)
{
    for (unsigned long i = 0; i < cases; i++) {
        uint64_t a = operand(f, rnd()), b = operand(f, a), c = operand(f, a);
        if (what == 'f' && i % 3 == 0) {
            /* An addend that nearly cancels the product. */
            unsigned ignored = 0;
            c = ref_arith(f, '*', a, b, 0, FP_RNE, &ignored) ^ sign_of(f);
            c = is_nan(f, c) ? c : (c & ~UINT64_C(3)) | (rnd() & 3);
        }
        for (int rm = FP_RNE; rm <= FP_RMM; rm++) {
            unsigned got = 0, want = 0;
            uint64_t g = fp_soft(op, a, b, c, rm, &got);
            uint64_t w = ref_arith(f, what, a, b, c, rm, &want);
            check(name, rm, a, b, c, g, got, w, want);
        }
    }
}

static void to_int(const struct fmt *f, const char *name, enum uop_code op, int bits,
                   bool is_signed)
{
    for (unsigned long i = 0; i < cases; i++) {
        uint64_t a = operand(f, rnd());
        if (i % 2) {
            /* Near the limits: an integer converted, and its neighbours. */
            unsigned ignored = 0;
            quad v = (quad)(~UINT64_C(0) >> (64 - bits)) / (1 << rnd() % 3) + (int)(rnd() % 7) - 3;
            a = ref_round(f, rnd() % 2 ? v : -v, false, FP_RNE, &ignored) + rnd() % 5 - 2;
            a &= f->width == 64 ? ~UINT64_C(0) : (UINT64_C(1) << f->width) - 1;
        }
        for (int rm = FP_RNE; rm <= FP_RMM; rm++) {
            unsigned got = 0, want = 0;
            uint64_t g = fp_soft(op, a, 0, 0, rm, &got);
            uint64_t w = ref_toint(f, a, bits, is_signed, rm, &want);
            check(name, rm, a, 0, 0, g, got, w, want);
        }
    }
}

static void from_int(const struct fmt *f, const char *name, enum uop_code op, int bits,
                     bool is_signed)
{
    for (unsigned long i = 0; i < cases; i++) {
        uint64_t a = rnd() >> rnd() % 64;
        if (rnd() % 2)
            a = (a << rnd() % 64) + rnd() % 3 - 1;
        quad v = bits == 16   ? (is_signed ? (quad)(int16_t)a : (quad)(uint16_t)a)
                 : bits == 32 ? (is_signed ? (quad)(int32_t)a : (quad)(uint32_t)a)
                              : (is_signed ? (quad)(int64_t)a : (quad)a);
        for (int rm = FP_RNE; rm <= FP_RMM; rm++) {
            unsigned got = 0, want = 0;
            uint64_t g = fp_soft(op, a, 0, 0, rm, &got);
            uint64_t w = ref_round(f, v, false, rm, &want);
            check(name, rm, a, 0, 0, g, got, w, want);
        }
    }
}

static void fp_to_fp(const struct fmt *to, const struct fmt *from, const char *name,
                     enum uop_code op)
{
    for (unsigned long i = 0; i < cases; i++) {
        uint64_t a = operand(from, rnd());
        if (i % 2 && from->width > to->width) {
            /* In the lesser format's range, near a tie of it. */
            unsigned ignored = 0;
            quad q = to_quad(to, operand(to, rnd())), r = to_quad(to, operand(to, rnd()));
            a = ref_round(from, q == q && i % 4 == 1 ? q + r / two_to(to->p) : q, false, FP_RNE,
                          &ignored);
            a += rnd() % 3 - 1;
            a &= from->width == 64 ? ~UINT64_C(0) : 0xffffffff;
        }
        for (int rm = FP_RNE; rm <= FP_RMM; rm++) {
            unsigned got = 0, want = 0;
            uint64_t g = fp_soft(op, a, 0, 0, rm, &got);
            feclearexcept(FE_ALL_EXCEPT);
            quad v = to_quad(from, a);
            want |= fetestexcept(FE_INVALID) ? FP_NV : 0;
            uint64_t w = ref_round(to, v, false, rm, &want);
            check(name, rm, a, 0, 0, g, got, w, want);
        }
    }
}

/* Comparison by value in quads; minimum and maximum by definition. */
static void compare(const struct fmt *f, const char *name, enum uop_code op, int what)
{
    for (unsigned long i = 0; i < cases; i++) {
        uint64_t a = operand(f, rnd()), b = rnd() % 4 ? operand(f, a) : a ^ (rnd() & sign_of(f));
        unsigned got = 0, want = 0;
        feclearexcept(FE_ALL_EXCEPT);
        quad x = to_quad(f, a), y = to_quad(f, b);
        bool snan = fetestexcept(FE_INVALID), unordered = x != x || y != y;
        uint64_t w;
        if (strchr("=<Llq", what)) {
            want = snan || (unordered && (what == '<' || what == 'L')) ? FP_NV : 0;
            w = unordered ? 0 : what == '=' ? x == y : what == '<' || what == 'l' ? x < y : x <= y;
        } else {
            want = snan ? FP_NV : 0;
            bool a_first = x < y || (x == y && a >> (f->width - 1)); /* -0 before +0 */
            if ((x != x && y != y) || (unordered && (what == 'i' || what == 'I')))
                w = nan_bits(f);
            else if (unordered)
                w = x != x ? b : a;
            else
                w = (what == 'm' || what == 'i') == a_first ? a : b;
        }
        uint64_t g = fp_soft(op, a, b, 0, FP_RNE, &got);
        check(name, 0, a, b, 0, g, got, w, want);
    }
}

/* To an integral value: by definition, the integer that the reference converts to, where it has so
 * many bits, with the operand's sign; larger numbers are integers already. */
static void integral(const struct fmt *f, const char *name, enum uop_code op, int what)
{
    for (unsigned long i = 0; i < cases; i++) {
        uint64_t a = operand(f, rnd());
        for (int rm = FP_RNE; rm <= FP_RMM; rm++) {
            unsigned got = 0, want = 0, none = 0;
            uint64_t g = fp_soft(op, a, 0, 0, rm, &got), w = a;
            feclearexcept(FE_ALL_EXCEPT);
            quad x = to_quad(f, a);
            if (fetestexcept(FE_INVALID))
                want = FP_NV;
            if (x != x) {
                w = nan_bits(f);
            } else if (x < 0x1p62 && x > -0x1p62) {
                int64_t n = (int64_t)ref_toint(f, a, 64, true, rm, &want);
                w = ref_round(f, (quad)n, false, FP_RNE, &none) | (a & sign_of(f));
                if (what == 'r')
                    want = 0;
            }
            check(name, rm, a, 0, 0, g, got, w, want);
        }
    }
}

/* Against the C library's exact remainder. */
static void to_mod(const char *name, enum uop_code op)
{
    for (unsigned long i = 0; i < cases; i++) {
        uint64_t a = operand(&F64, rnd());
        double x;
        memcpy(&x, &a, sizeof x);
        unsigned got = 0, want = FP_NV;
        uint64_t g = fp_soft(op, a, 0, 0, FP_RTZ, &got), w = 0;
        if (isfinite(x)) {
            double t = trunc(x);
            if (t >= -0x1p31 && t < 0x1p31)
                want = t != x ? FP_NX : 0;
            w = (uint64_t)(int32_t)(uint32_t)(int64_t)fmod(t, 0x1p32);
        }
        check(name, FP_RTZ, a, 0, 0, g, got, w, want);
    }
}

#define WHAT_add '+'
#define WHAT_sub '-'
#define WHAT_mul '*'
#define WHAT_div '/'
#define WHAT_sqrt 's'
#define WHAT_fma 'f'
#define WHAT_min 'm'
#define WHAT_max 'M'
#define WHAT_minimum 'i'
#define WHAT_maximum 'I'
#define WHAT_round 'r'
#define WHAT_roundx 'R'
#define WHAT_ltq 'l'
#define WHAT_leq 'q'
#define WHAT_eq '='
#define WHAT_lt '<'
#define WHAT_le 'L'
/* Arm's own, with tests of their own (arm.c). */
#define WHAT_round32 0
#define WHAT_round64 0
#define WHAT_fmah 0
#define WHAT_flush 0
#define WHAT_mulx 0
#define WHAT_recpe 0
#define WHAT_recpx 0
#define WHAT_rsqrte 0
#define WHAT_recps 0
#define WHAT_rsqrts 0
#define INT_s16 16, true
#define INT_u16 16, false
#define INT_s32 32, true
#define INT_u32 32, false
#define INT_s64 64, true
#define INT_u64 64, false

static void against_definition(void **state)
{
    (void)state;
    failures = 0;
#define UOP_F1(name, T, what)                              \
    if (WHAT_##what == 'r' || WHAT_##what == 'R')          \
        integral(FMT_##T, #name, UOP_##name, WHAT_##what); \
    else if (WHAT_##what)                                  \
        arithmetic(FMT_##T, #name, UOP_##name, WHAT_##what);
#define UOP_F3(name, T, what) \
    if (WHAT_##what)          \
        arithmetic(FMT_##T, #name, UOP_##name, WHAT_##what);
#define UOP_F2(name, T, what)                             \
    if (WHAT_##what && strchr("mMiI", WHAT_##what))       \
        compare(FMT_##T, #name, UOP_##name, WHAT_##what); \
    else if (WHAT_##what)                                 \
        arithmetic(FMT_##T, #name, UOP_##name, WHAT_##what);
#define UOP_FC(name, T, what) compare(FMT_##T, #name, UOP_##name, WHAT_##what);
#define CV_toint(name, D, S) to_int(FMT_##S, #name, UOP_##name, INT_##D)
#define CV_fromint(name, D, S) from_int(FMT_##D, #name, UOP_##name, INT_##S)
#define CV_tomod(name, D, S) to_mod(#name, UOP_##name)
#define CV_fptofp(name, D, S) fp_to_fp(FMT_##D, FMT_##S, #name, UOP_##name)
#define CV_fptofp_odd(name, D, S) /* arm.c */
#define UOP_CV(name, D, S, what) CV_##what(name, D, S);
#include "uop/uop_all.h"
    assert_int_equal(failures, 0);
}

/* ---- the host's instructions ---- */

/* A NaN of the host is any NaN. f is NULL when v is no float. */
static uint64_t canon(const struct fmt *f, uint64_t v)
{
    return f && is_nan(f, v) ? nan_bits(f) : v;
}

#define HOST(f, op, call, what)                                      \
    for (int rm = FP_RNE; rm <= FP_RUP; rm++) {                      \
        unsigned want = 0;                                           \
        fp_set_mxcsr(fp_mxcsr(rm, 0));                               \
        uint64_t g = (call);                                         \
        unsigned got = fp_flags_from_mxcsr(fp_get_mxcsr());          \
        fp_set_mxcsr(FP_MXCSR_MASKS);                                \
        uint64_t w = fp_soft(op, a, b, c, rm, &want);                \
        check("host " what, rm, a, b, c, canon(f, g), got, w, want); \
    }

static void against_host(void **state)
{
    (void)state;
    failures = 0;
    for (unsigned long i = 0; i < cases; i++) {
        uint64_t a = operand(&F64, rnd()), b = operand(&F64, a), c = operand(&F64, a);
        HOST(&F64, UOP_fadd_f64, fp_host_add_f64(a, b), "fadd_f64")
        HOST(&F64, UOP_fsub_f64, fp_host_sub_f64(a, b), "fsub_f64")
        HOST(&F64, UOP_fmul_f64, fp_host_mul_f64(a, b), "fmul_f64")
        HOST(&F64, UOP_fdiv_f64, fp_host_div_f64(a, b), "fdiv_f64")
        HOST(&F64, UOP_fsqrt_f64, fp_host_sqrt_f64(a), "fsqrt_f64")
        HOST(NULL, UOP_feq_f64, fp_host_eq_f64(a, b), "feq_f64")
        HOST(NULL, UOP_flt_f64, fp_host_lt_f64(a, b), "flt_f64")
        HOST(NULL, UOP_fle_f64, fp_host_le_f64(a, b), "fle_f64")
        HOST(&F32, UOP_cvt_f64_f32, fp_host_f64_f32(a), "cvt_f64_f32")
        HOST(&F64, UOP_cvt_s32_f64, fp_host_s32_f64(a), "cvt_s32_f64")
        HOST(&F64, UOP_cvt_s64_f64, fp_host_s64_f64(a), "cvt_s64_f64")
        HOST(&F32, UOP_cvt_s32_f32, fp_host_s32_f32(a), "cvt_s32_f32")
        HOST(&F32, UOP_cvt_s64_f32, fp_host_s64_f32(a), "cvt_s64_f32")
        if (fp_host_fma && !is_nan(&F64, fp_soft(UOP_ffma_f64, a, b, c, FP_RNE, &(unsigned){0})))
            HOST(&F64, UOP_ffma_f64, fp_host_fma_f64(a, b, c), "ffma_f64")
        a = operand(&F32, rnd()), b = operand(&F32, a), c = operand(&F32, a);
        HOST(&F32, UOP_fadd_f32, fp_host_add_f32(a, b), "fadd_f32")
        HOST(&F32, UOP_fsub_f32, fp_host_sub_f32(a, b), "fsub_f32")
        HOST(&F32, UOP_fmul_f32, fp_host_mul_f32(a, b), "fmul_f32")
        HOST(&F32, UOP_fdiv_f32, fp_host_div_f32(a, b), "fdiv_f32")
        HOST(&F32, UOP_fsqrt_f32, fp_host_sqrt_f32(a), "fsqrt_f32")
        HOST(NULL, UOP_feq_f32, fp_host_eq_f32(a, b), "feq_f32")
        HOST(NULL, UOP_flt_f32, fp_host_lt_f32(a, b), "flt_f32")
        HOST(NULL, UOP_fle_f32, fp_host_le_f32(a, b), "fle_f32")
        HOST(&F64, UOP_cvt_f32_f64, fp_host_f32_f64(a), "cvt_f32_f64")
        if (fp_host_fma && !is_nan(&F32, fp_soft(UOP_ffma_f32, a, b, c, FP_RNE, &(unsigned){0})))
            HOST(&F32, UOP_ffma_f32, fp_host_fma_f32(a, b, c), "ffma_f32")
    }
    assert_int_equal(failures, 0);
}

/* Every f16 value: classification, and conversion to f32 and back without loss. */
static void all_of_f16(void **state)
{
    (void)state;
    for (uint64_t v = 0; v < 0x10000; v++) {
        unsigned flags = 0;
        uint64_t wide = fp_soft(UOP_cvt_f16_f32, v, 0, 0, FP_RNE, &flags);
        if (!is_nan(&F16, v)) {
            assert_int_equal(flags, 0);
            assert_true(to_quad(&F32, wide) == to_quad(&F16, v));
            assert_int_equal(fp_soft(UOP_cvt_f32_f16, wide, 0, 0, FP_RNE, &flags), v);
            assert_int_equal(flags, 0);
        } else {
            assert_int_equal(wide, nan_bits(&F32));
            assert_int_equal(flags, v & 0x200 ? 0 : FP_NV);
        }
    }
}

static void flag_conversion(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 32; f++) {
        assert_int_equal(fp_flags_from_mxcsr(fp_flags_to_mxcsr(f)), f);
        assert_int_equal(fp_flags_to_mxcsr(f) & 2, 0); /* never the denormal bit */
    }
    /* Of MXCSR's bits (Intel SDM, MXCSR): IE 0, ZE 2, OE 3, UE 4, PE 5. */
    assert_int_equal(fp_flags_from_mxcsr(1), FP_NV);
    assert_int_equal(fp_flags_from_mxcsr(4), FP_DZ);
    assert_int_equal(fp_flags_from_mxcsr(8), FP_OF);
    assert_int_equal(fp_flags_from_mxcsr(16), FP_UF);
    assert_int_equal(fp_flags_from_mxcsr(32), FP_NX);
}

int main(int argc, char **argv)
{
    const char *n = argc > 1 ? argv[1] : getenv("DRAGOMAN_FP_CASES");
    if (n)
        cases = strtoul(n, NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_definition),
        cmocka_unit_test(against_host),
        cmocka_unit_test(all_of_f16),
        cmocka_unit_test(flag_conversion),
    };
    return cmocka_run_group_tests_name("uop/fp", tests, NULL, NULL);
}

/* Floating point by Arm's rules (FP_ENV) against MPFR: numbers are rounded by it once, with the format's precision and
 * exponents; NaNs, flushing, default NaNs and the alternative half precision are the Arm Architecture Reference Manual's
 * ("FPProcessNaNs", "FPRound", "FPConvert", "FPToFixed", J1.3). Values and flags must be the same. The estimates
 * are compared with another emulator (tests/guest/a64/random.tap).
 *
 * The number of operand pairs is the first argument, or DRAGOMAN_FP_CASES, or small; the seed the second. */
#include "tests/unit.h"

#include "tests/random.h"
#include "uop/fp.h"
#include <inttypes.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long cases = 200000;
static uint64_t rng = RANDOM_SEED;

static uint64_t rnd(void)
{
    return random_next(&rng);
}

/* p: bits of the significand; bias; width */
static const struct fmt {
    int p, bias, width;
} fmts[4] = {{11, 15, 16}, {24, 127, 32}, {53, 1023, 64}, {8, 127, 16}};

#define RULES_FZ(f, mode) ((mode) & ((f)->p == 11 ? FP_FZ16 : FP_FZ))

static uint64_t sign_of(const struct fmt *f)
{
    return UINT64_C(1) << (f->width - 1);
}
static uint64_t inf_of(const struct fmt *f)
{
    return (uint64_t)(2 * f->bias + 1) << (f->p - 1);
}
static uint64_t quiet_of(const struct fmt *f)
{
    return UINT64_C(1) << (f->p - 2);
}
static bool is_nan(const struct fmt *f, uint64_t v)
{
    return (v & ~sign_of(f)) > inf_of(f);
}
static bool is_snan(const struct fmt *f, uint64_t v)
{
    return is_nan(f, v) && !(v & quiet_of(f));
}
static bool is_inf(const struct fmt *f, uint64_t v)
{
    return (v & ~sign_of(f)) == inf_of(f);
}
static uint64_t default_nan(const struct fmt *f)
{
    return inf_of(f) | quiet_of(f);
}

/* Numbers that lean to the edges of the format and to each other. */
static uint64_t operand(const struct fmt *f, uint64_t other)
{
    uint64_t frac = (UINT64_C(1) << (f->p - 1)) - 1, one = (uint64_t)f->bias << (f->p - 1),
             v = rnd();
    switch (rnd() >> 20 & 15) {
    case 0: /* zero, infinity, one, NaNs */
        v = (v & 1 ? inf_of(f) : v & 2 ? one : 0) + (v & 12 ? 0 : rnd() >> 62);
        break;
    case 1: /* NaNs */
        v |= inf_of(f);
        break;
    case 2: /* subnormal or nearly */
        v &= (frac * 4 + 3) >> (rnd() >> 30) % (unsigned)f->p;
        break;
    case 3: /* large */
        v = inf_of(f) - 1 - (v & frac * 2);
        break;
    case 4: /* near the other */
        v = other + (v >> 50 & 7) - 3;
        break;
    case 5: /* few bits */
        v = (v & rnd() & rnd() & frac) | (rnd() & inf_of(f));
        break;
    case 6: /* the product or quotient is near the least normal number */
        v = (((uint64_t)(f->bias + 1) << (f->p - 1)) - (other & inf_of(f))) + (v & frac) +
            ((uint64_t)(rnd() >> 62) << (f->p - 1));
        break;
    case 7: /* integers and halves */
    case 8:
        v = one + ((uint64_t)((rnd() >> 30) % (unsigned)(f->p + 4)) << (f->p - 1)) +
            (v & frac & ~(frac >> (rnd() >> 30) % (unsigned)f->p));
        break;
    case 9: /* exponents near the other's */
        v = (other & inf_of(f)) + ((uint64_t)((rnd() >> 30) % (2 * (unsigned)f->p)) << (f->p - 1)) -
            ((uint64_t)f->p << (f->p - 1)) + (v & frac);
        break;
    }
    v ^= rnd() & sign_of(f);
    return f->width == 64 ? v : v & ((UINT64_C(1) << f->width) - 1);
}

/* ---- to and from MPFR ---- */

/* A subnormal operand is zero where it is flushed; that of f16 without a flag. */
static uint64_t flushed(const struct fmt *f, uint64_t v, unsigned mode, unsigned *flags)
{
    uint64_t m = v & ~sign_of(f);
    if (!RULES_FZ(f, mode) || !m || m >> (f->p - 1))
        return v;
    *flags |= f->p == 11 ? 0 : FP_ID;
    return v & sign_of(f);
}

/* Exact; ahp: exponent 31 of f16 is a number's. */
static void to_mpfr(mpfr_t r, const struct fmt *f, uint64_t v, bool ahp)
{
    uint64_t m = v & ((UINT64_C(1) << (f->p - 1)) - 1);
    int e = (int)(v >> (f->p - 1)) & (2 * f->bias + 1);
    if (e == 2 * f->bias + 1 && !ahp) {
        mpfr_set_inf(r, 1);
    } else {
        mpfr_set_uj_2exp(r, e ? m | UINT64_C(1) << (f->p - 1) : m, (e ? e : 1) - f->bias - f->p + 1,
                         MPFR_RNDN);
    }
    mpfr_setsign(r, r, v >> (f->width - 1) & 1, MPFR_RNDN);
}

static mpfr_rnd_t rnd_of(unsigned mode)
{
    static const mpfr_rnd_t of[8] = {
        [FP_RNE] = MPFR_RNDN, [FP_RTZ] = MPFR_RNDZ, [FP_RDN] = MPFR_RNDD, [FP_RUP] = MPFR_RNDU};
    return of[mode & FP_RM_MASK];
}

/* The exact value x (of any precision), rounded to f: once, by MPFR. */
static uint64_t rounded(const struct fmt *f, mpfr_t x, unsigned mode, bool ahp, bool odd,
                        unsigned *flags)
{
    static mpfr_t r[4];
    mpfr_t *q = &r[f - fmts];
    if (!(*q)->_mpfr_d)
        mpfr_init2(*q, f->p);
    uint64_t sign = mpfr_signbit(x) ? sign_of(f) : 0;
    if (mpfr_zero_p(x))
        return sign;
    bool tiny = mpfr_get_exp(x) - 1 < 1 - f->bias;
    if (tiny && RULES_FZ(f, mode)) {
        *flags |= FP_UF;
        return sign;
    }
    mpfr_rnd_t rm = odd ? MPFR_RNDZ : rnd_of(mode);
    /* MPFR's exponents are of fractions below one. */
    mpfr_set_emin(1 - f->bias - f->p + 3 - 1);
    mpfr_set_emax(f->bias + 1 + ahp);
    mpfr_clear_flags();
    int t = mpfr_set(*q, x, rm);
    t = mpfr_check_range(*q, t, rm);
    t = mpfr_subnormalize(*q, t, rm);
    bool overflow = mpfr_overflow_p();
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
    if (overflow && ahp) {
        *flags |= FP_NV;
        return sign | 0x7fff;
    }
    if (overflow)
        *flags |= FP_OF | FP_NX;
    if (t)
        *flags |= tiny ? FP_NX | FP_UF : FP_NX;
    uint64_t v;
    if (mpfr_inf_p(*q)) {
        v = inf_of(f);
    } else if (mpfr_zero_p(*q)) {
        v = 0;
    } else {
        mpfr_exp_t e;
        mpfr_t m; /* a significand of p bits as an integer */
        e = mpfr_get_exp(*q) - 1;
        bool sub = e < 1 - f->bias;
        mpfr_init2(m, 64);
        mpfr_mul_2si(m, *q, f->p - 1 - (sub ? 1 - f->bias : e), MPFR_RNDN);
        mpfr_abs(m, m, MPFR_RNDN);
        v = mpfr_get_uj(m, MPFR_RNDN);
        mpfr_clear(m);
        v = sub ? v
                : (v & ((UINT64_C(1) << (f->p - 1)) - 1)) | (uint64_t)(e + f->bias) << (f->p - 1);
    }
    if (odd && t)
        v |= 1;
    return v | sign;
}

/* ---- NaNs ---- */

/* The first signalling operand, else the first quiet one. */
static uint64_t nan_of(const struct fmt *f, const uint64_t *v, int n, unsigned mode,
                       unsigned *flags)
{
    uint64_t found = 0;
    for (int i = n - 1; i >= 0; i--)
        if (is_nan(f, v[i]) && !is_snan(f, v[i]))
            found = v[i];
    for (int i = n - 1; i >= 0; i--)
        if (is_snan(f, v[i])) {
            found = v[i] | quiet_of(f);
            *flags |= FP_NV;
        }
    return mode & FP_DN ? default_nan(f) : found;
}

static uint64_t invalid(const struct fmt *f, unsigned *flags)
{
    *flags |= FP_NV;
    return default_nan(f);
}

/* ---- the operations ---- */

static mpfr_t A, B, C, X;

/* The sum of exact zeros has the sign that both have, or minus when rounding down. */
static void zero_sum(bool sa, bool sb, unsigned mode)
{
    mpfr_set_zero(X, (sa == sb ? sa : (mode & FP_RM_MASK) == FP_RDN) ? -1 : 1);
}

static void sum(mpfr_t a, mpfr_t b, unsigned mode)
{
    if (!mpfr_add(X, a, b, MPFR_RNDZ) && mpfr_zero_p(X))
        zero_sum(mpfr_zero_p(a) ? mpfr_signbit(a) : 0, mpfr_zero_p(a) ? mpfr_signbit(b) : 1, mode);
}

static uint64_t two(const struct fmt *f)
{
    return (uint64_t)(f->bias + 1) << (f->p - 1);
}

/* op: + - * / s(qrt) x (mulx) p (recps) q (rsqrts) m M n N (min, max, minnm, maxnm) */
static uint64_t reference2(const struct fmt *f, int op, uint64_t a, uint64_t b, unsigned mode,
                           unsigned *flags)
{
    if (op == 'p' || op == 'q')
        a ^= sign_of(f);
    a = flushed(f, a, mode, flags);
    if (op != 's')
        b = flushed(f, b, mode, flags);
    const uint64_t v[2] = {a, b};
    bool nan_a = is_nan(f, a), nan_b = op != 's' && is_nan(f, b);
    if ((op == 'n' || op == 'N') && nan_a != nan_b && !is_snan(f, a) && !is_snan(f, b))
        return nan_a ? b : a;
    if (nan_a || nan_b)
        return nan_of(f, v, op == 's' ? 1 : 2, mode, flags);
    to_mpfr(A, f, a, false);
    to_mpfr(B, f, b, false);
    bool inf = is_inf(f, a) || (op != 's' && is_inf(f, b)), sign = (a ^ b) & sign_of(f);
    bool inf_zero = (is_inf(f, a) && mpfr_zero_p(B)) || (mpfr_zero_p(A) && is_inf(f, b));
    switch (op) {
    case '-':
        mpfr_neg(B, B, MPFR_RNDN);
        /* fall through */
    case '+':
        if (mpfr_inf_p(A) && mpfr_inf_p(B) && mpfr_signbit(A) != mpfr_signbit(B))
            return invalid(f, flags);
        if (inf)
            return inf_of(f) | (mpfr_signbit(mpfr_inf_p(A) ? A : B) ? sign_of(f) : 0);
        sum(A, B, mode);
        break;
    case '*':
    case 'x':
        if (inf_zero)
            return op == 'x' ? two(f) | (sign ? sign_of(f) : 0) : invalid(f, flags);
        if (inf)
            return inf_of(f) | (sign ? sign_of(f) : 0);
        mpfr_mul(X, A, B, MPFR_RNDZ);
        break;
    case '/':
        if ((mpfr_inf_p(A) && mpfr_inf_p(B)) || (mpfr_zero_p(A) && mpfr_zero_p(B)))
            return invalid(f, flags);
        if (mpfr_zero_p(B) && !mpfr_inf_p(A))
            *flags |= FP_DZ;
        if (mpfr_inf_p(A) || mpfr_zero_p(B))
            return inf_of(f) | (sign ? sign_of(f) : 0);
        if (mpfr_inf_p(B) || mpfr_zero_p(A))
            return sign ? sign_of(f) : 0;
        /* More bits than any tie has, and a sticky one: towards zero, then away from what is not exact. */
        if (mpfr_div(X, A, B, MPFR_RNDZ)) {
            if (mpfr_signbit(X))
                mpfr_nextbelow(X);
            else
                mpfr_nextabove(X);
        }
        break;
    case 's':
        if (mpfr_zero_p(A))
            return a;
        if (mpfr_signbit(A))
            return invalid(f, flags);
        if (inf)
            return a;
        if (mpfr_sqrt(X, A, MPFR_RNDZ))
            mpfr_nextabove(X);
        break;
    case 'p':
    case 'q':
        if (inf_zero)
            mpfr_set_d(X, op == 'p' ? 2.0 : 1.5, MPFR_RNDN);
        else if (inf)
            return inf_of(f) | (sign ? sign_of(f) : 0);
        else {
            mpfr_mul(C, A, B, MPFR_RNDZ);
            mpfr_set_ui(B, op == 'p' ? 2 : 3, MPFR_RNDN);
            sum(B, C, mode);
            if (op == 'q')
                mpfr_div_2ui(X, X, 1, MPFR_RNDN);
        }
        break;
    default: { /* -0 is less than +0 */
        int order = mpfr_cmp(A, B);
        if (!order)
            order = mpfr_signbit(B) - mpfr_signbit(A);
        return (op == 'm' || op == 'n') == (order < 0) ? a : b;
    }
    }
    return rounded(f, X, mode, false, false, flags);
}

/* c + a * b */
static uint64_t reference3(const struct fmt *f, uint64_t a, uint64_t b, uint64_t c, unsigned mode,
                           unsigned *flags)
{
    a = flushed(f, a, mode, flags), b = flushed(f, b, mode, flags), c = flushed(f, c, mode, flags);
    const uint64_t v[3] = {c, a, b};
    bool zero_a = !(a & ~sign_of(f)), zero_b = !(b & ~sign_of(f));
    bool inf_zero = (is_inf(f, a) && zero_b) || (zero_a && is_inf(f, b));
    if (inf_zero && is_nan(f, c) && !is_snan(f, c))
        return invalid(f, flags);
    if (is_nan(f, a) || is_nan(f, b) || is_nan(f, c)) {
        *flags |= inf_zero ? FP_NV : 0;
        return nan_of(f, v, 3, mode, flags);
    }
    bool sign = (a ^ b) & sign_of(f), inf = is_inf(f, a) || is_inf(f, b);
    if (inf_zero || (inf && is_inf(f, c) && sign != !!(c & sign_of(f))))
        return invalid(f, flags);
    if (inf || is_inf(f, c))
        return inf ? inf_of(f) | (sign ? sign_of(f) : 0) : c;
    to_mpfr(A, f, a, false);
    to_mpfr(B, f, b, false);
    to_mpfr(C, f, c, false);
    mpfr_mul(X, A, B, MPFR_RNDZ);
    mpfr_set(A, X, MPFR_RNDZ);
    sum(A, C, mode);
    return rounded(f, X, mode, false, false, flags);
}

static uint64_t reference_convert(const struct fmt *to, const struct fmt *from, uint64_t a,
                                  bool odd, unsigned mode, unsigned *flags)
{
    mode &= ~(unsigned)FP_FZ16;
    bool ahp = mode & FP_AHP, out = ahp && to->p == 11, in = ahp && from->p == 11;
    a = flushed(from, a, mode, flags);
    uint64_t sign = a & sign_of(from) ? sign_of(to) : 0;
    if (!in && is_nan(from, a)) {
        if (out) {
            *flags |= FP_NV;
            return sign;
        }
        uint64_t frac = a & (quiet_of(from) - 1);
        frac = from->p > to->p ? frac >> (from->p - to->p) : frac << (to->p - from->p);
        *flags |= is_snan(from, a) ? FP_NV : 0;
        return mode & FP_DN ? default_nan(to) : sign | inf_of(to) | quiet_of(to) | frac;
    }
    if (!in && is_inf(from, a)) {
        if (!out)
            return sign | inf_of(to);
        *flags |= FP_NV;
        return sign | 0x7fff;
    }
    to_mpfr(X, from, a, in);
    return rounded(to, X, mode, out, odd, flags);
}

/* x rounded to an integer, in C. */
static bool to_integral(mpfr_t x, unsigned mode)
{
    int t = (mode & FP_RM_MASK) == FP_RMM ? mpfr_round(C, x) : mpfr_rint(C, x, rnd_of(mode));
    (void)t;
    return !mpfr_equal_p(C, x);
}

static uint64_t reference_toint(const struct fmt *f, uint64_t a, int bits, bool is_signed,
                                unsigned mode, unsigned *flags)
{
    a = flushed(f, a, mode, flags);
    if (is_nan(f, a)) {
        *flags |= FP_NV;
        return 0;
    }
    to_mpfr(A, f, a, false);
    mpfr_mul_2ui(A, A, FP_FBITS_OF(mode), MPFR_RNDN);
    uint64_t max = is_signed ? (UINT64_C(1) << (bits - 1)) - 1 : UINT64_MAX >> (64 - bits);
    bool inexact = !mpfr_inf_p(A) && to_integral(A, mode);
    if (mpfr_inf_p(A))
        mpfr_set(C, A, MPFR_RNDN);
    mpfr_set_uj(B, max, MPFR_RNDN);
    if (mpfr_cmp(C, B) > 0) {
        *flags |= FP_NV;
        return max;
    }
    mpfr_set_sj(B, is_signed ? -(intmax_t)max - 1 : 0, MPFR_RNDN);
    if (mpfr_cmp(C, B) < 0) {
        *flags |= FP_NV;
        return is_signed ? ~max : 0;
    }
    *flags |= inexact ? FP_NX : 0;
    return is_signed ? (uint64_t)mpfr_get_sj(C, MPFR_RNDN) : mpfr_get_uj(C, MPFR_RNDN);
}

static uint64_t reference_fromint(const struct fmt *f, uint64_t a, int bits, bool is_signed,
                                  unsigned mode, unsigned *flags)
{
    int up = 64 - bits;
    if (is_signed)
        mpfr_set_sj(X, (int64_t)(a << up) >> up, MPFR_RNDN);
    else
        mpfr_set_uj(X, a << up >> up, MPFR_RNDN);
    mpfr_div_2ui(X, X, FP_FBITS_OF(mode), MPFR_RNDN);
    if (mpfr_zero_p(X))
        return 0;
    return rounded(f, X, mode, false, false, flags);
}

/* bits: 0 for any integral value */
static uint64_t reference_integral(const struct fmt *f, uint64_t a, int bits, bool exact,
                                   unsigned mode, unsigned *flags)
{
    unsigned ignored = 0;
    a = flushed(f, a, mode, flags);
    if (bits) {
        uint64_t sign = a & sign_of(f);
        unsigned mine = 0;
        uint64_t n = reference_toint(f, a, bits, true, (mode & 15) | FP_ENV, &mine);
        *flags |= mine;
        if (mine & FP_NV)
            n = UINT64_C(1) << (bits - 1), n = -n;
        n = reference_fromint(f, n, 64, true, FP_RTZ, &ignored);
        return mine & FP_NV ? n : n | sign;
    }
    if (is_nan(f, a))
        return nan_of(f, &a, 1, mode, flags);
    if (is_inf(f, a))
        return a;
    to_mpfr(A, f, a, false);
    if (to_integral(A, mode) && exact)
        *flags |= FP_NX;
    mpfr_setsign(C, C, a & sign_of(f) ? 1 : 0, MPFR_RNDN);
    return rounded(f, C, FP_RTZ, false, false, &ignored);
}

/* ---- the comparison ---- */

static unsigned failures;

static void check(const char *name, unsigned mode, uint64_t a, uint64_t b, uint64_t c, uint64_t got,
                  unsigned got_flags, uint64_t want, unsigned want_flags)
{
    if (got == want && got_flags == want_flags)
        return;
    if (failures++ < 20)
        print_error("%s mode %#x %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ": %#" PRIx64
                    " flags %#x, not %#" PRIx64 " flags %#x\n",
                    name, mode, a, b, c, got, got_flags, want, want_flags);
}

#define W_add '+'
#define W_sub '-'
#define W_mul '*'
#define W_div '/'
#define W_sqrt 's'
#define W_mulx 'x'
#define W_recps 'p'
#define W_rsqrts 'q'
#define W_minimum 'm'
#define W_maximum 'M'
#define W_min 'n'
#define W_max 'N'
#define W_round 'r'
#define W_roundx 'R'
#define W_round32 '3'
#define W_round64 '6'
#define W_flush 0
#define W_recpe 0
#define W_recpx 0
#define W_rsqrte 0
#define F_f16 0
#define F_f32 1
#define F_f64 2
#define F_bf16 3
#define I_s16 16, true
#define I_u16 16, false
#define I_s32 32, true
#define I_u32 32, false
#define I_s64 64, true
#define I_u64 64, false

static const struct row {
    const char *name;
    uint16_t op;
    char kind; /* 1 to 3 operands, c convert, o to odd, t to integer, f from one */
    char what;
    uint8_t to, from;
    uint8_t bits;
    bool is_signed;
} rows[] = {
#define UOP_F1(name, T, what) {#name, UOP_##name, '1', W_##what, F_##T, F_##T, 0, false},
#define UOP_F2(name, T, what) {#name, UOP_##name, '2', W_##what, F_##T, F_##T, 0, false},
#define F3_fma(name, T) {#name, UOP_##name, '3', 'a', F_##T, F_##T, 0, false},
#define F3_fmah(name, T)
#define UOP_F3(name, T, what) F3_##what(name, T)
#define CV_toint(name, D, S) {#name, UOP_##name, 't', 'a', 0, F_##S, I_##D},
#define CV_fromint(name, D, S) {#name, UOP_##name, 'f', 'a', F_##D, 0, I_##S},
#define CV_fptofp(name, D, S) {#name, UOP_##name, 'c', 'a', F_##D, F_##S, 0, false},
#define CV_fptofp_odd(name, D, S) {#name, UOP_##name, 'o', 'a', F_##D, F_##S, 0, false},
#define CV_tomod(name, D, S)
#define UOP_CV(name, D, S, what) CV_##what(name, D, S)
#include "uop/uop_all.h"
};

static void one_case(void)
{
    const struct row *r = &rows[(rnd() >> 32) % (sizeof rows / sizeof *rows)];
    const struct fmt *f = &fmts[(uint8_t)(r->kind == 'f' ? r->to : r->from)];
    if (!r->what)
        return;
    unsigned mode = (unsigned)(rnd() >> 40) % 4 | FP_ENV, got = 0, want = 0;
    unsigned draw = (unsigned)(rnd() >> 33);
    if (draw & 1)
        mode |= draw & FP_RULES & (draw >> 8 & FP_RULES ? draw >> 16 : ~0u);
    if (strchr("tr3", r->kind == 't' ? 't' : r->what) && !(draw >> 28 & 7))
        mode = (mode & ~FP_RM_MASK) | FP_RMM;
    if ((r->kind == 't' || r->kind == 'f') && !(draw >> 25 & 3))
        mode |= FP_FBITS((rnd() >> 40) % ((r->bits < 32 ? 16u : r->bits) + 1));
    uint64_t a = operand(f, rnd()), b = operand(f, a), c = operand(f, rnd() & 1 ? a : b), w;
    switch (r->kind) {
    case '1':
        if (strchr("rR36", r->what))
            w = reference_integral(f, a,
                                   r->what == '3'   ? 32
                                   : r->what == '6' ? 64
                                                    : 0,
                                   r->what == 'R', mode, &want);
        else
            w = reference2(f, r->what, a, 0, mode, &want);
        break;
    case '2':
        w = reference2(f, r->what, a, b, mode, &want);
        break;
    case '3':
        if (draw >> 20 & 1) { /* nearly cancelling */
            unsigned ignored = 0;
            c = (fp_soft(UOP_fmul_f16 + r->to * (UOP_fmul_f32 - UOP_fmul_f16), a, b, 0, FP_RNE,
                         &ignored) ^
                 sign_of(f)) +
                (draw >> 21 & 1);
        }
        w = reference3(f, a, b, c, mode, &want);
        break;
    case 't':
        w = reference_toint(f, a, r->bits, r->is_signed, mode, &want);
        if (!r->is_signed && r->bits < 64)
            w &= UINT64_MAX >> (64 - r->bits);
        break;
    case 'f':
        a = rnd() >> (rnd() >> 40) % 64;
        a = draw & 1 << 12 ? -a : a;
        w = reference_fromint(f, a, r->bits, r->is_signed, mode, &want);
        break;
    default:
        w = reference_convert(&fmts[r->to], f, a, r->kind == 'o', mode, &want);
    }
    uint64_t g = fp_soft(r->op, a, b, c, mode, &got);
    check(r->name, mode, a, b, c, g, got, w, want);
}

static void against_mpfr(void **state)
{
    (void)state;
    /* Products of two doubles and sums with a third one are exact. */
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
    mpfr_inits2(64, B, (mpfr_ptr)NULL);
    mpfr_set_prec(B, 4400);
    mpfr_inits2(4400, A, C, X, (mpfr_ptr)NULL);
    for (unsigned long i = 0; i < cases; i++)
        one_case();
    mpfr_clears(A, B, C, X, (mpfr_ptr)NULL);
    mpfr_free_cache();
    assert_int_equal(failures, 0);
}

int main(int argc, char **argv)
{
    const char *n = argc > 1 ? argv[1] : getenv("DRAGOMAN_FP_CASES");
    if (n)
        cases = strtoul(n, NULL, 0);
    if (argc > 2)
        rng = strtoull(argv[2], NULL, 0) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_mpfr)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

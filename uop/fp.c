/* uop/fp.c: floating point in software, and the FP environment.
 *
 * Owns: fp_soft and the functions below it. One generic implementation serves the three formats (soft.h).
 *
 * Threading: pure; fp_host_fma is written once before main.
 */
#include "base/report.h"
#include "uop/soft.h"
#include "uop/vec.h"
#include <string.h>
#include <sys/platform/x86.h>

const struct format soft_format[] = {[FP_F16] = {11, 15, 15, 16},
                                     [FP_F32] = {24, 127, 127, 32},
                                     [FP_F64] = {53, 1023, 1023, 64},
                                     [FP_BF16] = {8, 127, 127, 16}};
static const struct format alternative_half = {11, 15, 16, 16};

struct unpacked soft_unpack(const struct format *f, uint64_t v, unsigned mode, unsigned *flags)
{
    uint64_t frac = v & ((UINT64_C(1) << (f->p - 1)) - 1);
    int e = v >> (f->p - 1) & (2 * f->bias + 1);
    struct unpacked u = {.sign = v >> (f->width - 1) & 1, .sig = frac};
    if (e == 2 * f->bias + 1 && f->emax == f->bias)
        u.class = !frac ? CLASS_INF : frac >> (f->p - 2) ? CLASS_QNAN : CLASS_SNAN;
    else if (e == 0) {
        u.class = frac ? CLASS_NUMBER : CLASS_ZERO;
        if (frac && flushes(f, mode)) {
            u.class = CLASS_ZERO;
            if (!is_half(f))
                *flags |= FP_ID;
        }
    } else {
        u.class = CLASS_NUMBER;
        u.sig |= UINT64_C(1) << (f->p - 1);
    }
    u.exp = (e ? e : 1) - f->bias - (f->p - 1);
    return u;
}

int soft_length(u128 m)
{
    uint64_t hi = (uint64_t)(m >> 64), lo = (uint64_t)m;
    return hi ? 128 - __builtin_clzll(hi) : lo ? 64 - __builtin_clzll(lo) : 0;
}

u128 soft_shift_jam(u128 m, int n)
{
    if (n <= 0)
        return m;
    if (n >= 128)
        return m != 0;
    return m >> n | ((m & (((u128)1 << n) - 1)) != 0);
}

u128 soft_round_int(u128 m, int drop, bool sign, enum fp_rm rm, bool *inexact)
{
    /* Two bits below the integer say all: the half and the sticky. */
    if (drop > 2)
        m = soft_shift_jam(m, drop - 2);
    else
        m <<= 2 - drop;
    unsigned low = (unsigned)m & 3;
    m >>= 2;
    *inexact = low != 0;
    switch (rm) {
    case FP_RNE:
        return m + (low == 3 || (low == 2 && m & 1));
    case FP_RDN:
        return m + (low && sign);
    case FP_RUP:
        return m + (low && !sign);
    case FP_RMM:
        return m + (low >= 2);
    case FP_ODD:
        return m | (low != 0);
    default: /* FP_RTZ */
        return m;
    }
}

uint64_t soft_round_pack(const struct format *f, bool sign, int exp, u128 sig, unsigned mode,
                         unsigned *flags)
{
    enum fp_rm rm = rm_of(mode);
    int len = soft_length(sig), emin = 1 - f->bias;
    int e = exp + len - 1; /* of the leading bit */
    int drop = len - f->p;
    bool tiny = false, inexact = false;
    if (e < emin) {
        if (flushes(f, mode)) {
            *flags |= FP_UF;
            return sign_bit(f, sign);
        }
        /* After rounding: does it round up to the smallest normal with an unbounded exponent? */
        bool ignored;
        tiny = mode & FP_ENV || !(e == emin - 1 && drop > 0 &&
                                  soft_round_int(sig, drop, sign, rm, &ignored) >> f->p);
        drop += emin - e;
        e = emin;
    }
    u128 q = drop > 0 ? soft_round_int(sig, drop, sign, rm, &inexact) : sig << -drop;
    if (q >> f->p) {
        q >>= 1;
        e++;
    }
    if (e > f->emax) {
        if (f->emax > f->bias) {
            *flags |= FP_NV;
            return sign_bit(f, sign) | 0x7fff;
        }
        *flags |= FP_OF | FP_NX;
        bool inf = rm == FP_RNE || rm == FP_RMM || rm == (sign ? FP_RDN : FP_RUP);
        return inf ? make_inf(f, sign) : make_max(f, sign);
    }
    if (inexact)
        *flags |= tiny ? FP_NX | FP_UF : FP_NX;
    /* The hidden bit of a normal number adds one to the exponent field, a subnormal has none. */
    return sign_bit(f, sign) | (exp_field(f, (unsigned)(e - emin)) + (uint64_t)q);
}

/* A NaN operand as a result: quiet. */
static uint64_t quiet(const struct format *f, struct unpacked a)
{
    return make_nan(f) | sign_bit(f, a.sign) | a.sig;
}

uint64_t soft_nan(const struct format *f, struct unpacked a, struct unpacked b, unsigned mode,
                  unsigned *flags)
{
    if (a.class == CLASS_SNAN || b.class == CLASS_SNAN)
        *flags |= FP_NV;
    if (!(mode & FP_ENV) || mode & FP_DN)
        return make_nan(f);
    if (a.class != CLASS_SNAN && (b.class == CLASS_SNAN || !is_nan(a)))
        return quiet(f, b);
    return quiet(f, a);
}

uint64_t soft_add_round(const struct format *f, bool as, int ae, u128 am, bool bs, int be, u128 bm,
                        int scale, unsigned mode, unsigned *flags)
{
    /* Both with the leading bit at 125, so that the one of lesser exponent is the lesser. What is
     * shifted out of it becomes sticky; that is harmless as cancellation then is of one bit. */
    int n = 126 - soft_length(am);
    am <<= n, ae -= n;
    n = 126 - soft_length(bm);
    bm <<= n, be -= n;
    if (ae < be || (ae == be && am < bm)) {
        bool ts = as;
        int te = ae;
        u128 tm = am;
        as = bs, ae = be, am = bm;
        bs = ts, be = te, bm = tm;
    }
    bm = soft_shift_jam(bm, ae - be);
    u128 sum = as == bs ? am + bm : am - bm;
    if (!sum)
        return sign_bit(f, rm_of(mode) == FP_RDN);
    return soft_round_pack(f, as, ae + scale, sum, mode, flags);
}

static uint64_t soft_add(const struct format *f, uint64_t x, uint64_t y, bool negate, unsigned mode,
                         unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags), b = soft_unpack(f, y, mode, flags);
    if (is_nan(a) || is_nan(b))
        return soft_nan(f, a, b, mode, flags);
    b.sign ^= negate;
    if (a.class == CLASS_INF || b.class == CLASS_INF) {
        if (a.class == b.class && a.sign != b.sign)
            return soft_invalid(f, flags);
        return make_inf(f, a.class == CLASS_INF ? a.sign : b.sign);
    }
    if (a.class == CLASS_ZERO && b.class == CLASS_ZERO)
        return sign_bit(f, a.sign == b.sign ? a.sign : rm_of(mode) == FP_RDN);
    if (a.class == CLASS_ZERO)
        return soft_round_pack(f, b.sign, b.exp, b.sig, mode, flags);
    if (b.class == CLASS_ZERO)
        return soft_round_pack(f, a.sign, a.exp, a.sig, mode, flags);
    return soft_add_round(f, a.sign, a.exp, a.sig, b.sign, b.exp, b.sig, 0, mode, flags);
}

static uint64_t soft_mul(const struct format *f, uint64_t x, uint64_t y, unsigned mode,
                         unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags), b = soft_unpack(f, y, mode, flags);
    bool sign = a.sign != b.sign;
    if (is_nan(a) || is_nan(b))
        return soft_nan(f, a, b, mode, flags);
    if (a.class == CLASS_INF || b.class == CLASS_INF) {
        if (a.class == CLASS_ZERO || b.class == CLASS_ZERO)
            return soft_invalid(f, flags);
        return make_inf(f, sign);
    }
    if (a.class == CLASS_ZERO || b.class == CLASS_ZERO)
        return sign_bit(f, sign);
    return soft_round_pack(f, sign, a.exp + b.exp, (u128)a.sig * b.sig, mode, flags);
}

static uint64_t soft_div(const struct format *f, uint64_t x, uint64_t y, unsigned mode,
                         unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags), b = soft_unpack(f, y, mode, flags);
    bool sign = a.sign != b.sign;
    if (is_nan(a) || is_nan(b))
        return soft_nan(f, a, b, mode, flags);
    if (a.class == CLASS_INF)
        return b.class == CLASS_INF ? soft_invalid(f, flags) : make_inf(f, sign);
    if (b.class == CLASS_INF)
        return sign_bit(f, sign);
    if (b.class == CLASS_ZERO) {
        if (a.class == CLASS_ZERO)
            return soft_invalid(f, flags);
        *flags |= FP_DZ;
        return make_inf(f, sign);
    }
    if (a.class == CLASS_ZERO)
        return sign_bit(f, sign);
    /* A dividend of 128 bits by a divisor of at most 53 leaves at least 75 bits of quotient. */
    int n = 128 - soft_length(a.sig);
    u128 num = (u128)a.sig << n, q = num / b.sig;
    return soft_round_pack(f, sign, a.exp - n - b.exp, q | (num % b.sig != 0), mode, flags);
}

static uint64_t soft_sqrt(const struct format *f, uint64_t x, unsigned mode, unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags);
    if (is_nan(a))
        return soft_nan(f, a, a, mode, flags);
    if (a.class == CLASS_ZERO)
        return sign_bit(f, a.sign);
    if (a.sign)
        return soft_invalid(f, flags);
    if (a.class == CLASS_INF)
        return x;
    /* The integer root of an even power's multiple with 125 or 126 bits: 63 bits of root. */
    int n = 126 - soft_length(a.sig);
    n -= (a.exp - n) & 1;
    u128 m = (u128)a.sig << n, root = 0, rest = m;
    for (int bit = 62; bit >= 0; bit--) {
        u128 step = (root << (bit + 1)) + ((u128)1 << (2 * bit));
        if (rest >= step) {
            rest -= step;
            root |= (u128)1 << bit;
        }
    }
    /* One more bit below for the sticky. */
    return soft_round_pack(f, false, (a.exp - n) / 2 - 1, root << 1 | (rest != 0), mode, flags);
}

/* a * b + c, the first two of format `of`. Arm's first operand is the addend, and infinity times zero makes the default NaN of a quiet one. */
static uint64_t soft_fma(const struct format *f, const struct format *of, uint64_t x, uint64_t y,
                         uint64_t z, unsigned mode, unsigned *flags)
{
    struct unpacked a = soft_unpack(of, x, mode, flags), b = soft_unpack(of, y, mode, flags),
                    c = soft_unpack(f, z, mode, flags);
    bool sign = a.sign != b.sign, inf_zero = soft_inf_zero(a, b);
    if (inf_zero)
        *flags |= FP_NV;
    if (is_nan(a) || is_nan(b) || is_nan(c)) {
        if (inf_zero && c.class == CLASS_QNAN)
            return make_nan(f);
        /* The addend before the others, a signalling one before all quiet ones. */
        if (a.class == CLASS_SNAN || b.class == CLASS_SNAN)
            *flags |= FP_NV;
        if (c.class == CLASS_SNAN ||
            (c.class == CLASS_QNAN && a.class != CLASS_SNAN && b.class != CLASS_SNAN))
            return soft_nan(f, c, c, mode, flags);
        a.sig <<= f->p - of->p, b.sig <<= f->p - of->p;
        return soft_nan(f, a, b, mode, flags);
    }
    if (inf_zero)
        return make_nan(f);
    if (a.class == CLASS_INF || b.class == CLASS_INF) {
        if (c.class == CLASS_INF && c.sign != sign)
            return soft_invalid(f, flags);
        return make_inf(f, sign);
    }
    if (c.class == CLASS_INF)
        return z;
    if (a.class == CLASS_ZERO || b.class == CLASS_ZERO) {
        if (c.class == CLASS_ZERO)
            return sign_bit(f, c.sign == sign ? sign : rm_of(mode) == FP_RDN);
        return z;
    }
    u128 product = (u128)a.sig * b.sig;
    if (c.class == CLASS_ZERO)
        return soft_round_pack(f, sign, a.exp + b.exp, product, mode, flags);
    return soft_add_round(f, sign, a.exp + b.exp, product, c.sign, c.exp, c.sig, 0, mode, flags);
}

/* The bits of an operand; zero for a subnormal one that is flushed. */
static uint64_t operand(const struct format *f, struct unpacked a, uint64_t x)
{
    return a.class == CLASS_ZERO ? sign_bit(f, a.sign) : x;
}

/* Order of two operands that are no NaNs: -1, 0, 1; zeros are equal. */
static int order(const struct format *f, uint64_t x, uint64_t y)
{
    uint64_t sign = sign_bit(f, true);
    int64_t a = x & sign ? -(int64_t)(x & ~sign) : (int64_t)x;
    int64_t b = y & sign ? -(int64_t)(y & ~sign) : (int64_t)y;
    return (a > b) - (a < b);
}

/* propagate: a NaN operand makes the result one; else one NaN is ignored: by Arm's rule a quiet one alone. */
static uint64_t soft_minmax(const struct format *f, uint64_t x, uint64_t y, bool max,
                            bool propagate, unsigned mode, unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags), b = soft_unpack(f, y, mode, flags);
    bool signals = a.class == CLASS_SNAN || b.class == CLASS_SNAN;
    if ((is_nan(a) && is_nan(b)) ||
        ((is_nan(a) || is_nan(b)) && (propagate || (signals && mode & FP_ENV))))
        return soft_nan(f, a, b, mode, flags);
    if (signals)
        *flags |= FP_NV;
    x = operand(f, a, x), y = operand(f, b, y);
    if (is_nan(a))
        return y;
    if (is_nan(b))
        return x;
    int o = order(f, x, y);
    if (o == 0)
        return a.sign != max ? x : y;
    return (o < 0) != max ? x : y;
}

/* what: 0 equal, 1 less, 2 less or equal; a quiet comparison signals for signalling NaNs alone. */
static uint64_t soft_compare(const struct format *f, uint64_t x, uint64_t y, int what, bool quiet,
                             unsigned mode, unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags), b = soft_unpack(f, y, mode, flags);
    if (is_nan(a) || is_nan(b)) {
        if (!quiet || a.class == CLASS_SNAN || b.class == CLASS_SNAN)
            *flags |= FP_NV;
        return 0;
    }
    int o = order(f, operand(f, a, x), operand(f, b, y));
    return what == 0 ? o == 0 : what == 1 ? o < 0 : o <= 0;
}

/* Times 2^FP_FBITS to an integer of `bits`, sign- or zero-extended to 64 bits from there. */
static uint64_t soft_toint(const struct format *f, uint64_t x, int bits, bool is_signed,
                           unsigned mode, unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags);
    uint64_t max = is_signed ? (UINT64_C(1) << (bits - 1)) - 1 : ~UINT64_C(0) >> (64 - bits);
    uint64_t min = is_signed ? ~max : 0;
    if (a.class == CLASS_ZERO)
        return 0;
    a.exp += (int)FP_FBITS_OF(mode);
    if (a.class == CLASS_NUMBER && a.exp < 64) {
        bool inexact = false;
        u128 q = a.exp < 0 ? soft_round_int(a.sig, -a.exp, a.sign, rm_of(mode), &inexact)
                           : (u128)a.sig << a.exp;
        if (a.sign ? q <= (u128)0 - (u128)(__int128)(int64_t)min || (!is_signed && !q) : q <= max) {
            if (inexact)
                *flags |= FP_NX;
            return a.sign ? -(uint64_t)q : (uint64_t)q;
        }
    }
    *flags |= FP_NV;
    if (is_nan(a))
        return mode & FP_ENV ? 0 : max;
    return a.sign ? min : max;
}

/* Truncated, modulo 2^32, sign-extended; what does not fit is invalid all the same. */
static uint64_t soft_tomod(const struct format *f, uint64_t x, unsigned mode, unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags);
    if (a.class == CLASS_ZERO)
        return 0;
    if (a.class != CLASS_NUMBER) {
        *flags |= FP_NV;
        return 0;
    }
    bool inexact = false;
    u128 q = a.exp < 0    ? soft_round_int(a.sig, -a.exp, a.sign, FP_RTZ, &inexact)
             : a.exp < 64 ? (u128)a.sig << a.exp
                          : (u128)1 << 64; /* its low 32 bits are zeros */
    if (q >= (u128)(0x80000000u + a.sign))
        *flags |= FP_NV;
    else if (inexact)
        *flags |= FP_NX;
    return (uint64_t)(int32_t)(uint32_t)(a.sign ? -q : q);
}

static uint64_t soft_round(const struct format *f, uint64_t x, bool exact, unsigned mode,
                           unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags);
    if (is_nan(a))
        return soft_nan(f, a, a, mode, flags);
    if (a.class != CLASS_NUMBER || a.exp >= 0)
        return operand(f, a, x);
    bool inexact;
    u128 q = soft_round_int(a.sig, -a.exp, a.sign, rm_of(mode), &inexact);
    if (inexact && exact)
        *flags |= FP_NX;
    return q ? soft_round_pack(f, a.sign, 0, q, FP_RTZ, flags) : sign_bit(f, a.sign);
}

/* To an integral value that an integer of `bits` holds; what does not fit, and NaNs, give the most negative one. */
static uint64_t soft_round_to(const struct format *f, uint64_t x, int bits, unsigned mode,
                              unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags);
    u128 limit = (u128)1 << (bits - 1), q;
    if (a.class == CLASS_ZERO)
        return sign_bit(f, a.sign);
    if (a.class == CLASS_NUMBER && a.exp < 64) {
        bool inexact = false;
        q = a.exp < 0 ? soft_round_int(a.sig, -a.exp, a.sign, rm_of(mode), &inexact)
                      : (u128)a.sig << a.exp;
        if (q < limit + a.sign) {
            if (inexact)
                *flags |= FP_NX;
            return q ? soft_round_pack(f, a.sign, 0, q, FP_RTZ, flags) : sign_bit(f, a.sign);
        }
    }
    *flags |= FP_NV;
    return soft_round_pack(f, true, 0, limit, FP_RTZ, flags);
}

static uint64_t soft_fromint(const struct format *f, uint64_t v, bool negative, unsigned mode,
                             unsigned *flags)
{
    if (!v)
        return 0;
    return soft_round_pack(f, negative, -(int)FP_FBITS_OF(mode), negative ? -v : v, mode, flags);
}

/* Between formats. Flushing of half precision is not for conversions, and Arm's alternative one (FP_AHP) is for nothing
 * else; it has no infinities and NaNs. */
static uint64_t soft_convert(const struct format *to, const struct format *from, uint64_t x,
                             unsigned mode, unsigned *flags)
{
    bool no_specials = false;
    mode &= ~(unsigned)FP_FZ16;
    if (mode & FP_AHP) {
        if (is_half(from))
            from = &alternative_half;
        no_specials = is_half(to);
        if (no_specials)
            to = &alternative_half;
    }
    struct unpacked a = soft_unpack(from, x, mode, flags);
    if (no_specials && a.class >= CLASS_INF) {
        *flags |= FP_NV;
        return sign_bit(to, a.sign) | (a.class == CLASS_INF ? 0x7fff : 0);
    }
    switch (a.class) {
    case CLASS_ZERO:
        return sign_bit(to, a.sign);
    case CLASS_INF:
        return make_inf(to, a.sign);
    case CLASS_NUMBER:
        return soft_round_pack(to, a.sign, a.exp, a.sig, mode, flags);
    default: /* the payload's top bits are kept */
        a.sig = from->p > to->p ? a.sig >> (from->p - to->p) : a.sig << (to->p - from->p);
        return soft_nan(to, a, a, mode, flags);
    }
}

static uint64_t soft_flush(const struct format *f, uint64_t x, unsigned mode, unsigned *flags)
{
    return operand(f, soft_unpack(f, x, mode, flags), x);
}

/* Infinity times zero is 2. */
static uint64_t soft_mulx(const struct format *f, uint64_t x, uint64_t y, unsigned mode,
                          unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags), b = soft_unpack(f, y, mode, flags);
    if (soft_inf_zero(a, b))
        return sign_bit(f, a.sign != b.sign) | exp_field(f, (unsigned)f->bias + 1);
    return soft_mul(f, x, y, mode, flags);
}

#define FMT_f16 (&soft_format[FP_F16])
#define FMT_bf16 (&soft_format[FP_BF16])
#define FMT_f32 (&soft_format[FP_F32])
#define FMT_f64 (&soft_format[FP_F64])
#define SOFT_add(T) soft_add(FMT_##T, a, b, false, mode, flags)
#define SOFT_sub(T) soft_add(FMT_##T, a, b, true, mode, flags)
#define SOFT_mul(T) soft_mul(FMT_##T, a, b, mode, flags)
#define SOFT_div(T) soft_div(FMT_##T, a, b, mode, flags)
#define SOFT_sqrt(T) soft_sqrt(FMT_##T, a, mode, flags)
#define SOFT_fma(T) soft_fma(FMT_##T, FMT_##T, a, b, c, mode, flags)
#define SOFT_fmah(T) soft_fma(FMT_##T, FMT_f16, a, b, c, mode, flags)
#define SOFT_round(T) soft_round(FMT_##T, a, false, mode, flags)
#define SOFT_roundx(T) soft_round(FMT_##T, a, true, mode, flags)
#define SOFT_min(T) soft_minmax(FMT_##T, a, b, false, false, mode, flags)
#define SOFT_max(T) soft_minmax(FMT_##T, a, b, true, false, mode, flags)
#define SOFT_minimum(T) soft_minmax(FMT_##T, a, b, false, true, mode, flags)
#define SOFT_maximum(T) soft_minmax(FMT_##T, a, b, true, true, mode, flags)
#define SOFT_flush(T) soft_flush(FMT_##T, a, mode, flags)
#define SOFT_mulx(T) soft_mulx(FMT_##T, a, b, mode, flags)
#define SOFT_recpe(T) soft_recpe(FMT_##T, a, mode, flags)
#define SOFT_recpx(T) soft_recpx(FMT_##T, a, mode, flags)
#define SOFT_rsqrte(T) soft_rsqrte(FMT_##T, a, mode, flags)
#define SOFT_recps(T) soft_step(FMT_##T, a, b, false, mode, flags)
#define SOFT_rsqrts(T) soft_step(FMT_##T, a, b, true, mode, flags)
#define SOFT_round32(T) soft_round_to(FMT_##T, a, 32, mode, flags)
#define SOFT_round64(T) soft_round_to(FMT_##T, a, 64, mode, flags)
#define SOFT_eq(T) soft_compare(FMT_##T, a, b, 0, true, mode, flags)
#define SOFT_lt(T) soft_compare(FMT_##T, a, b, 1, false, mode, flags)
#define SOFT_le(T) soft_compare(FMT_##T, a, b, 2, false, mode, flags)
#define SOFT_ltq(T) soft_compare(FMT_##T, a, b, 1, true, mode, flags)
#define SOFT_leq(T) soft_compare(FMT_##T, a, b, 2, true, mode, flags)
#define TO_s16 16, true
#define TO_u16 16, false
#define TO_s32 32, true
#define TO_u32 32, false
#define TO_s64 64, true
#define TO_u64 64, false
#define FROM_s16 (uint64_t)(int16_t) a, (int16_t)a < 0
#define FROM_u16 (uint16_t) a, false
#define FROM_s32 (uint64_t)(int32_t) a, (int32_t)a < 0
#define FROM_u32 (uint32_t) a, false
#define FROM_s64 a, (int64_t)a < 0
#define FROM_u64 a, false
#define SOFT_toint(D, S) soft_toint(FMT_##S, a, TO_##D, mode, flags)
#define SOFT_fromint(D, S) soft_fromint(FMT_##D, FROM_##S, mode, flags)
#define SOFT_tomod(D, S) soft_tomod(FMT_##S, a, mode, flags)
#define SOFT_fptofp(D, S) soft_convert(FMT_##D, FMT_##S, a, mode, flags)
#define SOFT_fptofp_odd(D, S) \
    soft_convert(FMT_##D, FMT_##S, a, (mode & ~(unsigned)FP_RM_MASK) | FP_ODD, flags)

uint64_t fp_soft(enum uop_code op, uint64_t a, uint64_t b, uint64_t c, unsigned mode,
                 unsigned *flags)
{
    switch (op) {
#define UOP_F1(name, T, what) \
    case UOP_##name:          \
        return SOFT_##what(T);
#define UOP_F2(name, T, what) UOP_F1(name, T, what)
#define UOP_F3(name, T, what) UOP_F1(name, T, what)
#define UOP_FC(name, T, what) UOP_F1(name, T, what)
#define UOP_CV(name, D, S, what) \
    case UOP_##name:             \
        return SOFT_##what(D, S);
#include "uop/uop_all.h"
    default:
        vm_bug("micro-op %d is not floating point", (int)op);
    }
}

/* ---- sums of products of bfloat16 (Arm ARM, BFDotAdd) ---- */

static uint32_t round_to_odd(enum uop_code op, uint64_t a, uint64_t b)
{
    unsigned flags = 0;
    uint64_t v = fp_soft(op, a, b, 0, FP_ODD | FP_ENV | FP_FZ | FP_DN, &flags);
    return (uint32_t)(flags & FP_OF ? (v & 0x80000000) | 0x7f800000 : v);
}

void uop_vec_vbfdot(uint64_t *d, const uint64_t *a, const uint64_t *b, const uint64_t *c, int64_t n)
{
    (void)n;
    uint32_t x[4], y[4], t[4];
    memcpy(x, a, 16);
    memcpy(y, b, 16);
    memcpy(t, c, 16);
    for (int i = 0; i < 4; i++) {
        uint32_t low = round_to_odd(UOP_fmul_f32, x[i] << 16, y[i] << 16);
        uint32_t high = round_to_odd(UOP_fmul_f32, x[i] & 0xffff0000, y[i] & 0xffff0000);
        t[i] = round_to_odd(UOP_fadd_f32, t[i], round_to_odd(UOP_fadd_f32, low, high));
    }
    memcpy(d, t, 16);
}

/* ---- the environment ---- */

bool fp_host_fma, fp_units_flush;

__attribute__((constructor)) static void fp_probe_host(void)
{
    fp_host_fma = CPU_FEATURE_ACTIVE(FMA); /* as the C library read it: see host/x64/features.c */
}

uint32_t fp_mxcsr(unsigned frm, uint32_t sticky)
{
    static const uint8_t rc[8] = {[FP_RNE] = 0, [FP_RDN] = 1, [FP_RUP] = 2, [FP_RTZ] = 3};
    return FP_MXCSR_MASKS | (sticky & FP_MXCSR_FLAGS) | (uint32_t)rc[frm & 7] << 13;
}

/* With and without FP_ENV in the operand. */
uint16_t fp_direct_modes(unsigned frm)
{
    unsigned modes = frm <= FP_RUP ? 1u << frm | 1u << FP_DYN : 1u << FP_RNE;
    return (uint16_t)(modes | modes << FP_ENV);
}

void fp_env_init(struct cpu *cpu)
{
    cpu->mxcsr = FP_MXCSR_MASKS;
    for (unsigned i = 0; i < sizeof cpu->fp_flags; i++)
        cpu->fp_flags[i] = (uint8_t)uop_fp_flags(i);
    for (unsigned i = 0; i < sizeof cpu->fp_sticky; i++)
        cpu->fp_sticky[i] = (uint8_t)fp_flags_to_mxcsr(i);
    fp_env_set_mode(cpu, FP_RNE);
}

unsigned fp_env_flags(const struct cpu *cpu)
{
    return fp_flags_from_mxcsr(cpu->mxcsr);
}

void fp_env_set_flags(struct cpu *cpu, unsigned flags)
{
    cpu->mxcsr = fp_mxcsr(cpu->frm, fp_flags_to_mxcsr(flags));
}

void fp_env_set_mode(struct cpu *cpu, unsigned mode)
{
    cpu->frm = mode & FP_RM_MASK;
    cpu->fp_rules = mode & FP_RULES;
    cpu->fp_special = cpu->frm > FP_RUP || (cpu->fp_rules & FP_FZ && !fp_units_flush);
    cpu->fp_direct = cpu->fp_rules & FP_FZ ? 0 : fp_direct_modes(cpu->frm);
    cpu->mxcsr = fp_mxcsr(cpu->frm, cpu->mxcsr);
}

uint64_t fp_do(struct cpu *cpu, enum uop_code op, unsigned imm, uint64_t a, uint64_t b, uint64_t c)
{
    unsigned flags = 0, rm = imm & FP_RM_MASK;
    if (rm == FP_DYN)
        imm = (imm & ~(unsigned)FP_RM_MASK) | cpu->frm;
    uint64_t v = fp_soft(op, a, b, c, imm | cpu->fp_rules, &flags);
    if (flags & FP_ID)
        cpu->fp_denormal = true;
    if (flags) {
        fp_raise(flags);
        cpu->mxcsr |= fp_flags_to_mxcsr(flags); /* as traps want it: codecache/trap.h */
    }
    return v;
}

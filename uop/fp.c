/* uop/fp.c: floating point in software, and the FP environment.
 *
 * Owns: fp_soft and the functions below it. One generic implementation serves the three formats: a
 * finite number is unpacked to an integer significand times a power of two, the operation is done
 * exactly on 128 bits (what does not fit is kept as a sticky lowest bit), and round_pack rounds once.
 *
 * Threading: pure; fp_host_fma is written once before main.
 */
#include "uop/fp.h"
#include "base/report.h"

typedef unsigned __int128 u128; /* a builtin type's short name, not a struct */

/* Precision with the hidden bit, bits of the fraction + 1; largest exponent (and the bias). */
static const struct format {
    int p, emax;
} format[] = {[FP_F16] = {11, 15}, [FP_F32] = {24, 127}, [FP_F64] = {53, 1023}};

enum fp_class { CLASS_ZERO, CLASS_NUMBER, CLASS_INF, CLASS_QNAN, CLASS_SNAN };

/* A number is (-1)^sign * sig * 2^exp. */
struct unpacked {
    enum fp_class class;
    bool sign;
    int exp;
    uint64_t sig;
};

static int width(const struct format *f)
{
    return f == &format[FP_F16] ? 16 : f == &format[FP_F32] ? 32 : 64;
}

static uint64_t exp_field(const struct format *f, uint64_t e)
{
    return e << (f->p - 1);
}

static uint64_t sign_bit(const struct format *f, bool sign)
{
    return (uint64_t)sign << (width(f) - 1);
}

static uint64_t make_inf(const struct format *f, bool sign)
{
    return sign_bit(f, sign) | exp_field(f, 2 * f->emax + 1);
}

static uint64_t make_max(const struct format *f, bool sign)
{
    return make_inf(f, sign) - 1;
}

static uint64_t make_nan(const struct format *f)
{
    return make_inf(f, false) | UINT64_C(1) << (f->p - 2);
}

static struct unpacked unpack(const struct format *f, uint64_t v)
{
    uint64_t frac = v & ((UINT64_C(1) << (f->p - 1)) - 1);
    int e = v >> (f->p - 1) & (2 * f->emax + 1);
    struct unpacked u = {.sign = v >> (width(f) - 1) & 1, .sig = frac};
    if (e == 2 * f->emax + 1)
        u.class = !frac ? CLASS_INF : frac >> (f->p - 2) ? CLASS_QNAN : CLASS_SNAN;
    else if (e == 0)
        u.class = frac ? CLASS_NUMBER : CLASS_ZERO;
    else {
        u.class = CLASS_NUMBER;
        u.sig |= UINT64_C(1) << (f->p - 1);
    }
    u.exp = (e ? e : 1) - f->emax - (f->p - 1);
    return u;
}

static bool is_nan(struct unpacked a)
{
    return a.class >= CLASS_QNAN;
}

static int length(u128 m)
{
    uint64_t hi = (uint64_t)(m >> 64), lo = (uint64_t)m;
    return hi ? 128 - __builtin_clzll(hi) : lo ? 64 - __builtin_clzll(lo) : 0;
}

/* m shifted right with what falls out or-ed into the lowest bit. */
static u128 shift_jam(u128 m, int n)
{
    if (n <= 0)
        return m;
    if (n >= 128)
        return m != 0;
    return m >> n | ((m & (((u128)1 << n) - 1)) != 0);
}

/* m * 2^-drop rounded to an integer by rm (drop > 0; the value's sign is `sign`). */
static u128 round_int(u128 m, int drop, bool sign, enum fp_rm rm, bool *inexact)
{
    /* Two bits below the integer say all: the half and the sticky. */
    if (drop > 2)
        m = shift_jam(m, drop - 2);
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
    default: /* FP_RTZ */
        return m;
    }
}

/* The number sig * 2^exp in format f. sig is not 0; when its lowest bit is sticky it has at least
 * p + 3 bits. */
static uint64_t round_pack(const struct format *f, bool sign, int exp, u128 sig, enum fp_rm rm,
                           unsigned *flags)
{
    int len = length(sig), emin = 1 - f->emax;
    int e = exp + len - 1; /* of the leading bit */
    int drop = len - f->p;
    bool tiny = false, inexact = false;
    if (e < emin) {
        /* After rounding: does it round up to the smallest normal with an unbounded exponent? */
        bool ignored;
        tiny = !(e == emin - 1 && drop > 0 && round_int(sig, drop, sign, rm, &ignored) >> f->p);
        drop += emin - e;
        e = emin;
    }
    u128 q = drop > 0 ? round_int(sig, drop, sign, rm, &inexact) : sig << -drop;
    if (q >> f->p) {
        q >>= 1;
        e++;
    }
    if (e > f->emax) {
        *flags |= FP_OF | FP_NX;
        bool inf = rm == FP_RNE || rm == FP_RMM || rm == (sign ? FP_RDN : FP_RUP);
        return inf ? make_inf(f, sign) : make_max(f, sign);
    }
    if (inexact)
        *flags |= tiny ? FP_NX | FP_UF : FP_NX;
    /* The hidden bit of a normal number adds one to the exponent field, a subnormal has none. */
    return sign_bit(f, sign) | (exp_field(f, e - emin) + (uint64_t)q);
}

static uint64_t invalid(const struct format *f, unsigned *flags)
{
    *flags |= FP_NV;
    return make_nan(f);
}

/* The result when an operand is a NaN. */
static uint64_t nan_result(const struct format *f, struct unpacked a, struct unpacked b,
                           unsigned *flags)
{
    if (a.class == CLASS_SNAN || b.class == CLASS_SNAN)
        *flags |= FP_NV;
    return make_nan(f);
}

/* Exact sum of two numbers with 128-bit significands, the top bit at most at 125; rounded once. */
static uint64_t add_round(const struct format *f, bool as, int ae, u128 am, bool bs, int be,
                          u128 bm, enum fp_rm rm, unsigned *flags)
{
    /* Both with the leading bit at 125, so that the one of lesser exponent is the lesser. What is
     * shifted out of it becomes sticky; that is harmless as cancellation then is of one bit. */
    int n = 126 - length(am);
    am <<= n, ae -= n;
    n = 126 - length(bm);
    bm <<= n, be -= n;
    if (ae < be || (ae == be && am < bm)) {
        bool ts = as;
        int te = ae;
        u128 tm = am;
        as = bs, ae = be, am = bm;
        bs = ts, be = te, bm = tm;
    }
    bm = shift_jam(bm, ae - be);
    u128 sum = as == bs ? am + bm : am - bm;
    if (!sum)
        return sign_bit(f, rm == FP_RDN);
    return round_pack(f, as, ae, sum, rm, flags);
}

static uint64_t soft_add(const struct format *f, uint64_t x, uint64_t y, bool negate, enum fp_rm rm,
                         unsigned *flags)
{
    struct unpacked a = unpack(f, x), b = unpack(f, y);
    if (is_nan(a) || is_nan(b))
        return nan_result(f, a, b, flags);
    b.sign ^= negate;
    if (a.class == CLASS_INF || b.class == CLASS_INF) {
        if (a.class == b.class && a.sign != b.sign)
            return invalid(f, flags);
        return make_inf(f, a.class == CLASS_INF ? a.sign : b.sign);
    }
    if (a.class == CLASS_ZERO && b.class == CLASS_ZERO)
        return sign_bit(f, a.sign == b.sign ? a.sign : rm == FP_RDN);
    if (a.class == CLASS_ZERO)
        return round_pack(f, b.sign, b.exp, b.sig, rm, flags);
    if (b.class == CLASS_ZERO)
        return round_pack(f, a.sign, a.exp, a.sig, rm, flags);
    return add_round(f, a.sign, a.exp, a.sig, b.sign, b.exp, b.sig, rm, flags);
}

static uint64_t soft_mul(const struct format *f, uint64_t x, uint64_t y, enum fp_rm rm,
                         unsigned *flags)
{
    struct unpacked a = unpack(f, x), b = unpack(f, y);
    bool sign = a.sign != b.sign;
    if (is_nan(a) || is_nan(b))
        return nan_result(f, a, b, flags);
    if (a.class == CLASS_INF || b.class == CLASS_INF) {
        if (a.class == CLASS_ZERO || b.class == CLASS_ZERO)
            return invalid(f, flags);
        return make_inf(f, sign);
    }
    if (a.class == CLASS_ZERO || b.class == CLASS_ZERO)
        return sign_bit(f, sign);
    return round_pack(f, sign, a.exp + b.exp, (u128)a.sig * b.sig, rm, flags);
}

static uint64_t soft_div(const struct format *f, uint64_t x, uint64_t y, enum fp_rm rm,
                         unsigned *flags)
{
    struct unpacked a = unpack(f, x), b = unpack(f, y);
    bool sign = a.sign != b.sign;
    if (is_nan(a) || is_nan(b))
        return nan_result(f, a, b, flags);
    if (a.class == CLASS_INF)
        return b.class == CLASS_INF ? invalid(f, flags) : make_inf(f, sign);
    if (b.class == CLASS_INF)
        return sign_bit(f, sign);
    if (b.class == CLASS_ZERO) {
        if (a.class == CLASS_ZERO)
            return invalid(f, flags);
        *flags |= FP_DZ;
        return make_inf(f, sign);
    }
    if (a.class == CLASS_ZERO)
        return sign_bit(f, sign);
    /* A dividend of 128 bits by a divisor of at most 53 leaves at least 75 bits of quotient. */
    int n = 128 - length(a.sig);
    u128 num = (u128)a.sig << n, q = num / b.sig;
    return round_pack(f, sign, a.exp - n - b.exp, q | (num % b.sig != 0), rm, flags);
}

static uint64_t soft_sqrt(const struct format *f, uint64_t x, enum fp_rm rm, unsigned *flags)
{
    struct unpacked a = unpack(f, x);
    if (is_nan(a))
        return nan_result(f, a, a, flags);
    if (a.class == CLASS_ZERO)
        return x;
    if (a.sign)
        return invalid(f, flags);
    if (a.class == CLASS_INF)
        return x;
    /* The integer root of an even power's multiple with 125 or 126 bits: 63 bits of root. */
    int n = 126 - length(a.sig);
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
    return round_pack(f, false, (a.exp - n) / 2 - 1, root << 1 | (rest != 0), rm, flags);
}

static uint64_t soft_fma(const struct format *f, uint64_t x, uint64_t y, uint64_t z, enum fp_rm rm,
                         unsigned *flags)
{
    struct unpacked a = unpack(f, x), b = unpack(f, y), c = unpack(f, z);
    bool sign = a.sign != b.sign;
    bool inf_zero = (a.class == CLASS_INF && b.class == CLASS_ZERO) ||
                    (a.class == CLASS_ZERO && b.class == CLASS_INF);
    if (inf_zero)
        *flags |= FP_NV;
    if (is_nan(a) || is_nan(b) || is_nan(c)) {
        if (a.class == CLASS_SNAN)
            *flags |= FP_NV;
        return nan_result(f, b, c, flags);
    }
    if (inf_zero)
        return make_nan(f);
    if (a.class == CLASS_INF || b.class == CLASS_INF) {
        if (c.class == CLASS_INF && c.sign != sign)
            return invalid(f, flags);
        return make_inf(f, sign);
    }
    if (c.class == CLASS_INF)
        return z;
    if (a.class == CLASS_ZERO || b.class == CLASS_ZERO) {
        if (c.class == CLASS_ZERO)
            return sign_bit(f, c.sign == sign ? sign : rm == FP_RDN);
        return z;
    }
    u128 product = (u128)a.sig * b.sig;
    if (c.class == CLASS_ZERO)
        return round_pack(f, sign, a.exp + b.exp, product, rm, flags);
    return add_round(f, sign, a.exp + b.exp, product, c.sign, c.exp, c.sig, rm, flags);
}

/* Order of two operands that are no NaNs: -1, 0, 1; zeros are equal. */
static int order(const struct format *f, uint64_t x, uint64_t y)
{
    uint64_t sign = sign_bit(f, true);
    int64_t a = x & sign ? -(int64_t)(x & ~sign) : (int64_t)x;
    int64_t b = y & sign ? -(int64_t)(y & ~sign) : (int64_t)y;
    return (a > b) - (a < b);
}

/* propagate: a NaN operand makes the result one; else it is ignored. */
static uint64_t soft_minmax(const struct format *f, uint64_t x, uint64_t y, bool max,
                            bool propagate, unsigned *flags)
{
    struct unpacked a = unpack(f, x), b = unpack(f, y);
    if (a.class == CLASS_SNAN || b.class == CLASS_SNAN)
        *flags |= FP_NV;
    if (propagate && (is_nan(a) || is_nan(b)))
        return make_nan(f);
    if (is_nan(a))
        return is_nan(b) ? make_nan(f) : y;
    if (is_nan(b))
        return x;
    int o = order(f, x, y);
    if (o == 0)
        return a.sign != max ? x : y;
    return (o < 0) != max ? x : y;
}

/* what: 0 equal, 1 less, 2 less or equal; a quiet comparison signals for signalling NaNs alone. */
static uint64_t soft_compare(const struct format *f, uint64_t x, uint64_t y, int what, bool quiet,
                             unsigned *flags)
{
    struct unpacked a = unpack(f, x), b = unpack(f, y);
    if (is_nan(a) || is_nan(b)) {
        if (!quiet || a.class == CLASS_SNAN || b.class == CLASS_SNAN)
            *flags |= FP_NV;
        return 0;
    }
    int o = order(f, x, y);
    return what == 0 ? o == 0 : what == 1 ? o < 0 : o <= 0;
}

/* To an integer of `bits`, sign- or zero-extended to 64 bits from there. */
static uint64_t soft_toint(const struct format *f, uint64_t x, int bits, bool is_signed,
                           enum fp_rm rm, unsigned *flags)
{
    struct unpacked a = unpack(f, x);
    uint64_t max = is_signed ? (UINT64_C(1) << (bits - 1)) - 1 : ~UINT64_C(0) >> (64 - bits);
    uint64_t min = is_signed ? ~max : 0;
    if (a.class == CLASS_ZERO)
        return 0;
    if (a.class == CLASS_NUMBER && a.exp < 64) {
        bool inexact = false;
        u128 q = a.exp < 0 ? round_int(a.sig, -a.exp, a.sign, rm, &inexact) : (u128)a.sig << a.exp;
        if (a.sign ? q <= (u128)0 - (u128)(__int128)(int64_t)min || (!is_signed && !q) : q <= max) {
            if (inexact)
                *flags |= FP_NX;
            return a.sign ? -(uint64_t)q : (uint64_t)q;
        }
    }
    *flags |= FP_NV;
    return is_nan(a) || !a.sign ? max : min;
}

/* Truncated, modulo 2^32, sign-extended; what does not fit is invalid all the same. */
static uint64_t soft_tomod(const struct format *f, uint64_t x, unsigned *flags)
{
    struct unpacked a = unpack(f, x);
    if (a.class == CLASS_ZERO)
        return 0;
    if (a.class != CLASS_NUMBER) {
        *flags |= FP_NV;
        return 0;
    }
    bool inexact = false;
    u128 q = a.exp < 0    ? round_int(a.sig, -a.exp, a.sign, FP_RTZ, &inexact)
             : a.exp < 64 ? (u128)a.sig << a.exp
                          : (u128)1 << 64; /* its low 32 bits are zeros */
    if (q >= (u128)(0x80000000u + a.sign))
        *flags |= FP_NV;
    else if (inexact)
        *flags |= FP_NX;
    return (uint64_t)(int32_t)(uint32_t)(a.sign ? -q : q);
}

static uint64_t soft_round(const struct format *f, uint64_t x, bool exact, enum fp_rm rm,
                           unsigned *flags)
{
    struct unpacked a = unpack(f, x);
    if (is_nan(a))
        return nan_result(f, a, a, flags);
    if (a.class != CLASS_NUMBER || a.exp >= 0)
        return x;
    bool inexact;
    u128 q = round_int(a.sig, -a.exp, a.sign, rm, &inexact);
    if (inexact && exact)
        *flags |= FP_NX;
    return q ? round_pack(f, a.sign, 0, q, FP_RTZ, flags) : sign_bit(f, a.sign);
}

static uint64_t soft_fromint(const struct format *f, uint64_t v, bool negative, enum fp_rm rm,
                             unsigned *flags)
{
    if (!v)
        return 0;
    return round_pack(f, negative, 0, negative ? -v : v, rm, flags);
}

static uint64_t soft_convert(const struct format *to, const struct format *from, uint64_t x,
                             enum fp_rm rm, unsigned *flags)
{
    struct unpacked a = unpack(from, x);
    switch (a.class) {
    case CLASS_ZERO:
        return sign_bit(to, a.sign);
    case CLASS_INF:
        return make_inf(to, a.sign);
    case CLASS_NUMBER:
        return round_pack(to, a.sign, a.exp, a.sig, rm, flags);
    default:
        return nan_result(to, a, a, flags);
    }
}

#define FMT_f16 (&format[FP_F16])
#define FMT_f32 (&format[FP_F32])
#define FMT_f64 (&format[FP_F64])
#define SOFT_add(T) soft_add(FMT_##T, a, b, false, rm, flags)
#define SOFT_sub(T) soft_add(FMT_##T, a, b, true, rm, flags)
#define SOFT_mul(T) soft_mul(FMT_##T, a, b, rm, flags)
#define SOFT_div(T) soft_div(FMT_##T, a, b, rm, flags)
#define SOFT_sqrt(T) soft_sqrt(FMT_##T, a, rm, flags)
#define SOFT_fma(T) soft_fma(FMT_##T, a, b, c, rm, flags)
#define SOFT_round(T) soft_round(FMT_##T, a, false, rm, flags)
#define SOFT_roundx(T) soft_round(FMT_##T, a, true, rm, flags)
#define SOFT_min(T) soft_minmax(FMT_##T, a, b, false, false, flags)
#define SOFT_max(T) soft_minmax(FMT_##T, a, b, true, false, flags)
#define SOFT_minimum(T) soft_minmax(FMT_##T, a, b, false, true, flags)
#define SOFT_maximum(T) soft_minmax(FMT_##T, a, b, true, true, flags)
#define SOFT_eq(T) soft_compare(FMT_##T, a, b, 0, true, flags)
#define SOFT_lt(T) soft_compare(FMT_##T, a, b, 1, false, flags)
#define SOFT_le(T) soft_compare(FMT_##T, a, b, 2, false, flags)
#define SOFT_ltq(T) soft_compare(FMT_##T, a, b, 1, true, flags)
#define SOFT_leq(T) soft_compare(FMT_##T, a, b, 2, true, flags)
#define TO_s32 32, true
#define TO_u32 32, false
#define TO_s64 64, true
#define TO_u64 64, false
#define FROM_s32 (uint64_t)(int32_t) a, (int32_t)a < 0
#define FROM_u32 (uint32_t) a, false
#define FROM_s64 a, (int64_t)a < 0
#define FROM_u64 a, false
#define SOFT_toint(D, S) soft_toint(FMT_##S, a, TO_##D, rm, flags)
#define SOFT_fromint(D, S) soft_fromint(FMT_##D, FROM_##S, rm, flags)
#define SOFT_tomod(D, S) soft_tomod(FMT_##S, a, flags)
#define SOFT_fptofp(D, S) soft_convert(FMT_##D, FMT_##S, a, rm, flags)

uint64_t fp_soft(enum uop_code op, uint64_t a, uint64_t b, uint64_t c, enum fp_rm rm,
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

/* ---- the environment ---- */

bool fp_host_fma;

__attribute__((constructor)) static void fp_probe_host(void)
{
    __builtin_cpu_init();
    fp_host_fma = __builtin_cpu_supports("fma");
}

uint32_t fp_mxcsr(unsigned frm, uint32_t sticky)
{
    static const uint8_t rc[8] = {[FP_RNE] = 0, [FP_RDN] = 1, [FP_RUP] = 2, [FP_RTZ] = 3};
    return FP_MXCSR_MASKS | (sticky & FP_MXCSR_FLAGS) | (uint32_t)rc[frm & 7] << 13;
}

uint8_t fp_direct_modes(unsigned frm)
{
    return frm <= FP_RUP ? 1u << frm | 1u << FP_DYN : 1u << FP_RNE;
}

void fp_env_init(struct cpu *cpu)
{
    cpu->mxcsr = FP_MXCSR_MASKS;
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

void fp_env_set_mode(struct cpu *cpu, unsigned frm)
{
    cpu->frm = frm & 7;
    cpu->fp_special = cpu->frm > FP_RUP;
    cpu->fp_direct = fp_direct_modes(cpu->frm);
    cpu->mxcsr = fp_mxcsr(cpu->frm, cpu->mxcsr);
}

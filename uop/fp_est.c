/* uop/fp_est.c: reciprocal estimates and Newton's steps, as the Arm Architecture Reference Manual defines them
 * ("FPRecipEstimate", "FPRSqrtEstimate", "FPRecpX", "FPRecipStepFused", "FPRSqrtStepFused").
 *
 * Owns: the functions of uop/soft.h that the rows frecpe, frsqrte, frecpx, frecps, frsqrts of uop.def name, and the two
 * integer estimates that vectors use as well.
 *
 * Threading: pure.
 */
#include "uop/sem.h"
#include "uop/soft.h"

/* "RecipEstimate": 1/x for x of 9 bits from 256 (one half) to 511. */
static unsigned recip_estimate(unsigned a)
{
    a = 2 * a + 1;
    return ((1u << 19) / a + 1) / 2;
}

/* "RecipSqrtEstimate": from 128 (one quarter) to 511. */
static unsigned rsqrt_estimate(unsigned a)
{
    a = a < 256 ? 2 * a + 1 : 2 * (a | 1);
    unsigned b = 512;
    for (unsigned bit = 256; bit; bit /= 2)
        b += a * (b + bit) * (b + bit) < 1u << 28 ? bit : 0;
    return (b + 1) / 2;
}

uint32_t uop_urecpe(uint32_t x)
{
    return x >> 31 ? recip_estimate(x >> 23) << 23 : UINT32_MAX;
}

uint32_t uop_ursqrte(uint32_t x)
{
    return x >> 30 ? rsqrt_estimate(x >> 23) << 23 : UINT32_MAX;
}

/* A number's significand with the leading bit at 52, and the biased exponent of that, which subnormal numbers have below 1. */
static uint64_t normalised(const struct format *f, struct unpacked a, int *exp)
{
    int up = 53 - soft_length(a.sig);
    *exp = a.exp - up + 52 + f->bias;
    return a.sig << up;
}

uint64_t soft_recpe(const struct format *f, uint64_t x, unsigned mode, unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags);
    enum fp_rm rm = rm_of(mode);
    if (is_nan(a))
        return soft_nan(f, a, a, mode, flags);
    if (a.class == CLASS_INF)
        return sign_bit(f, a.sign);
    if (a.class == CLASS_ZERO) {
        *flags |= FP_DZ;
        return make_inf(f, a.sign);
    }
    int exp;
    uint64_t sig = normalised(f, a, &exp);
    if (exp < -1) { /* below 2^-(bias + 1): the reciprocal overflows */
        *flags |= FP_OF | FP_NX;
        bool inf = rm == FP_RNE || rm == (a.sign ? FP_RDN : FP_RUP);
        return inf ? make_inf(f, a.sign) : make_max(f, a.sign);
    }
    if (flushes(f, mode) && exp >= 2 * f->bias - 1) {
        *flags |= FP_UF;
        return sign_bit(f, a.sign);
    }
    int e = 2 * f->bias - 1 - exp;
    /* 9 bits with the leading one; a result that is subnormal has it in its fraction. */
    uint64_t frac = (uint64_t)recip_estimate((unsigned)(sig >> 44)) << 44;
    if (e > 0)
        frac &= (UINT64_C(1) << 52) - 1;
    else
        frac >>= 1 - e, e = 0;
    return sign_bit(f, a.sign) | exp_field(f, (unsigned)e) | frac >> (53 - f->p);
}

uint64_t soft_rsqrte(const struct format *f, uint64_t x, unsigned mode, unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags);
    if (is_nan(a))
        return soft_nan(f, a, a, mode, flags);
    if (a.class == CLASS_ZERO) {
        *flags |= FP_DZ;
        return make_inf(f, a.sign);
    }
    if (a.sign)
        return soft_invalid(f, flags);
    if (a.class == CLASS_INF)
        return 0;
    int exp;
    uint64_t sig = normalised(f, a, &exp);
    unsigned scaled = (unsigned)(exp & 1 ? sig >> 45 : sig >> 44);
    /* 3 * bias - 1 - exp is not negative. */
    uint64_t e = (unsigned)(3 * f->bias - 1 - exp) / 2;
    uint64_t frac = (uint64_t)(rsqrt_estimate(scaled) & 0xff) << 44;
    return exp_field(f, e) | frac >> (53 - f->p);
}

uint64_t soft_recpx(const struct format *f, uint64_t x, unsigned mode, unsigned *flags)
{
    struct unpacked a = soft_unpack(f, x, mode, flags);
    if (is_nan(a))
        return soft_nan(f, a, a, mode, flags);
    uint64_t top = 2 * (unsigned)f->bias + 1, e = x >> (f->p - 1) & top;
    return sign_bit(f, a.sign) | exp_field(f, e ? ~e & top : top - 1);
}

uint64_t soft_step(const struct format *f, uint64_t x, uint64_t y, bool sqrt, unsigned mode,
                   unsigned *flags)
{
    x ^= sign_bit(f, true);
    struct unpacked a = soft_unpack(f, x, mode, flags), b = soft_unpack(f, y, mode, flags);
    bool sign = a.sign != b.sign;
    if (is_nan(a) || is_nan(b))
        return soft_nan(f, a, b, mode, flags);
    uint64_t one = exp_field(f, (unsigned)f->bias), half = UINT64_C(1) << (f->p - 2);
    if (soft_inf_zero(a, b) || (a.class == CLASS_ZERO && b.class <= CLASS_NUMBER) ||
        b.class == CLASS_ZERO)
        return sqrt ? one | half : one + exp_field(f, 1);
    if (a.class == CLASS_INF || b.class == CLASS_INF)
        return make_inf(f, sign);
    return soft_add_round(f, false, 0, sqrt ? 3 : 2, sign, a.exp + b.exp, (u128)a.sig * b.sig,
                          sqrt ? -1 : 0, mode, flags);
}

/* uop/soft.h: what the files of software floating point share: numbers taken apart, and rounded once.
 *
 * Owns: struct format, struct unpacked, the functions between them. A finite number is unpacked to an integer
 * significand times a power of two; an operation is done exactly on 128 bits (what does not fit is kept
 * as a sticky lowest bit), and soft_round_pack rounds once. `mode` is fp_soft's.
 *
 * Threading: pure.
 */
#ifndef DRAGOMAN_UOP_SOFT_H
#define DRAGOMAN_UOP_SOFT_H

#include "uop/fp.h"

typedef unsigned __int128 u128; /* a builtin type's short name, not a struct */

/* Precision with the hidden bit, bits of the fraction + 1; the bias; the largest exponent of a number, which is the bias
 * but in Arm's alternative half precision, that has neither infinities nor NaNs. */
struct format {
    int p, bias, emax, width;
};
extern const struct format soft_format[]; /* by enum fp_format */

enum fp_class { CLASS_ZERO, CLASS_NUMBER, CLASS_INF, CLASS_QNAN, CLASS_SNAN };

/* A number is (-1)^sign * sig * 2^exp; of a NaN, sig is the fraction. */
struct unpacked {
    enum fp_class class;
    bool sign;
    int exp;
    uint64_t sig;
};

static inline enum fp_rm rm_of(unsigned mode)
{
    return (enum fp_rm)(mode & FP_RM_MASK);
}

static inline uint64_t exp_field(const struct format *f, uint64_t e)
{
    return e << (f->p - 1);
}

static inline uint64_t sign_bit(const struct format *f, bool sign)
{
    return (uint64_t)sign << (f->width - 1);
}

static inline uint64_t make_inf(const struct format *f, bool sign)
{
    return sign_bit(f, sign) | exp_field(f, 2 * (unsigned)f->bias + 1);
}

static inline uint64_t make_max(const struct format *f, bool sign)
{
    return make_inf(f, sign) - 1;
}

static inline uint64_t make_nan(const struct format *f)
{
    return make_inf(f, false) | UINT64_C(1) << (f->p - 2);
}

static inline bool is_nan(struct unpacked a)
{
    return a.class >= CLASS_QNAN;
}

/* IEEE half precision, which has rules of its own; bfloat16 has a single's. */
static inline bool is_half(const struct format *f)
{
    return f->p == 11;
}

/* Are subnormal numbers of format f zeros, as operands and as results? */
static inline bool flushes(const struct format *f, unsigned mode)
{
    return mode & (is_half(f) ? FP_FZ16 : FP_FZ);
}

static inline uint64_t soft_invalid(const struct format *f, unsigned *flags)
{
    *flags |= FP_NV;
    return make_nan(f);
}

struct unpacked soft_unpack(const struct format *f, uint64_t v, unsigned mode, unsigned *flags);
/* m shifted right with what falls out or-ed into the lowest bit. */
u128 soft_shift_jam(u128 m, int n);
int soft_length(u128 m);
/* m * 2^-drop rounded to an integer (drop > 0; the value's sign is `sign`). */
u128 soft_round_int(u128 m, int drop, bool sign, enum fp_rm rm, bool *inexact);
/* The number sig * 2^exp in format f. sig is not 0; when its lowest bit is sticky it has at least p + 3 bits. */
uint64_t soft_round_pack(const struct format *f, bool sign, int exp, u128 sig, unsigned mode,
                         unsigned *flags);
/* The result when an operand is a NaN. */
uint64_t soft_nan(const struct format *f, struct unpacked a, struct unpacked b, unsigned mode,
                  unsigned *flags);
/* Is a * b infinity times zero? */
static inline bool soft_inf_zero(struct unpacked a, struct unpacked b)
{
    return (a.class == CLASS_INF && b.class == CLASS_ZERO) ||
           (a.class == CLASS_ZERO && b.class == CLASS_INF);
}
/* Exact sum of two numbers with 128-bit significands, the top bit at most at 125; times 2^scale, rounded once. */
uint64_t soft_add_round(const struct format *f, bool as, int ae, u128 am, bool bs, int be, u128 bm,
                        int scale, unsigned mode, unsigned *flags);

/* Estimates and steps of Newton's iteration as Arm defines them, fp_est.c. */
uint64_t soft_recpe(const struct format *f, uint64_t x, unsigned mode, unsigned *flags);
uint64_t soft_rsqrte(const struct format *f, uint64_t x, unsigned mode, unsigned *flags);
uint64_t soft_recpx(const struct format *f, uint64_t x, unsigned mode, unsigned *flags);
/* 2 - x * y, or (3 - x * y) / 2 */
uint64_t soft_step(const struct format *f, uint64_t x, uint64_t y, bool sqrt, unsigned mode,
                   unsigned *flags);

#endif

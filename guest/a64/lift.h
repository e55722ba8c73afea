/* What the files of A64 lifters share.
 *
 * Owns: the form of a lifter's definition, and the emitting functions that only A64 has.
 *
 * Threading: works on the caller's struct lift only.
 */
#ifndef DRAGOMAN_GUEST_A64_LIFT_H
#define DRAGOMAN_GUEST_A64_LIFT_H

#include "guest/a64/a64.h"

/* A lifter's definition: l is the block under construction, in the decoded instruction, arg what its
 * row gives. It does not compile when no row of a64.decode names it; a row whose lifter is not
 * defined does not link. */
#define LIFT(name)                                                          \
    _Static_assert(A64_HAS_##name, "a row names it");                       \
    void a64_lift_##name(struct lift *l __attribute__((unused)),            \
                         const struct a64_insn *in __attribute__((unused)), \
                         int arg __attribute__((unused)))

/* Bits hi to lo of the instruction being lifted. */
#define W(hi, lo) A64_BITS(in->word, hi, lo)
#define SF W(31, 31)
#define Q W(30, 30)

/* Emit op on a and an immediate into d. */
static inline void emit_to(struct lift *l, uint8_t d, enum uop_code op, uint8_t a, int64_t imm)
{
    lift_emit(l, op, d, a, 0, 0, imm);
}

/* The instruction is undefined: it leaves with EXIT_ILLEGAL. */
static inline void a64_emit_illegal(struct lift *l)
{
    lift_emit(l, UOP_exit, 0, 0, 0, 0, EXIT_ILLEGAL);
}

/* Register n with 31 as zero, as a source; and as a destination, where zero's is a temporary. */
static inline uint8_t a64_x(unsigned n)
{
    return n == 31 ? A64_XZR : (uint8_t)n;
}

static inline uint8_t a64_xd(struct lift *l, unsigned n)
{
    return n == 31 ? lift_temp(l) : (uint8_t)n;
}

/* The units of vector register n. */
static inline uint8_t a64_v(unsigned n)
{
    return (uint8_t)(A64_V0 + 2 * (n & 31));
}

/* The condition (Arm's number) on the flags, as 0 or 1. */
static inline uint8_t a64_cond(struct lift *l, unsigned cond)
{
    return emit_i(l, UOP_cond_i, A64_NZCV, cond);
}

#endif

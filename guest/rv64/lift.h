/* What the files of RV64 lifters share.
 *
 * Owns: the form of a lifter's definition, and the few emitting functions that both files use.
 *
 * Threading: works on the caller's struct lift only.
 */
#ifndef DRAGOMAN_GUEST_RV64_LIFT_H
#define DRAGOMAN_GUEST_RV64_LIFT_H

#include "guest/rv64/rv64.h"

/* A lifter's definition: l is the block under construction, in the decoded instruction, arg what its
 * row gives. It does not compile when no row of rv64.decode names it; a row whose lifter is not
 * defined does not link. */
#define LIFT(name)                                                            \
    _Static_assert(RV64_HAS_##name, "a row names it");                        \
    void rv64_lift_##name(struct lift *l __attribute__((unused)),             \
                          const struct rv64_insn *in __attribute__((unused)), \
                          int arg __attribute__((unused)))

/* The instruction is undefined, or a reserved form: it leaves with EXIT_ILLEGAL. */
void rv64_emit_illegal(struct lift *l);

/* Where the integer result of an operation with effects goes: rd, or a temporary for x0. */
uint8_t rv64_dest(struct lift *l, unsigned rd);

#endif

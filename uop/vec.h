/* uop/vec.h: the meaning of the vector micro-ops as C functions.
 *
 * Owns: uop_vec_NAME for every row of uop.def with 128-bit operands. A vector is two 64-bit units, low half first; d may
 * be any of the sources.
 *
 * Threading: pure functions.
 */
#ifndef DRAGOMAN_UOP_VEC_H
#define DRAGOMAN_UOP_VEC_H

#include "uop/uop.h"

#define UOP_V1(name, ...) void uop_vec_##name(uint64_t *d, const uint64_t *a, int64_t n);
#define UOP_V2(name, ...) void uop_vec_##name(uint64_t *d, const uint64_t *a, const uint64_t *b);
#define UOP_VX(name, ...)                                                                     \
    void uop_vec_##name(uint64_t *d, const uint64_t *a, const uint64_t *b, const uint64_t *c, \
                        int64_t n);
#include "uop/uop_all.h"

/* The rows UOP_VF1 to VFC: op with immediate imm, under the cpu's environment and the live MXCSR. */
struct cpu;
void uop_vec_fp(struct cpu *cpu, enum uop_code op, unsigned imm, uint64_t *d, const uint64_t *a,
                const uint64_t *b, const uint64_t *c);

#endif

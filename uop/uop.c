/* uop/uop.c: the info table of the micro-ops, expanded from uop.def.
 *
 * Owns: uop_info. Everything is const.
 *
 * Threading: immutable data.
 */
#include "uop/uop.h"

/* Kinds of the C and FP types that rows name. */
#define K_f16 UOP_K_H
#define K_bf16 UOP_K_H
#define K_f32 UOP_K_S
#define K_f64 UOP_K_D
#define K_s16 UOP_K_I
#define K_u16 UOP_K_I
#define K_s32 UOP_K_I
#define K_u32 UOP_K_I
#define K_m32 UOP_K_I
#define K_s64 UOP_K_I
#define K_u64 UOP_K_I

#define AMO_FLAGS (UOP_F_LOAD | UOP_F_STORE | UOP_F_ATOMIC | UOP_F_EFFECT)
/* flags, d, a, b, c of the atomics' forms; ll is a load that leaves a reservation */
#define ATOM_cas AMO_FLAGS, UOP_K_I, UOP_K_I, UOP_K_I, UOP_K_I
#define ATOM_ll UOP_F_LOAD | UOP_F_ATOMIC | UOP_F_EFFECT, UOP_K_I, UOP_K_I, UOP_K_N, UOP_K_N
#define ATOM_sc AMO_FLAGS, UOP_K_I, UOP_K_I, UOP_K_I, UOP_K_N
#define FP_ARITH (UOP_F_FPENV | UOP_F_RM | UOP_F_IMM)
/* fmin and fmax do not round: their immediate is FP_ENV or nothing. */
#define FP_CHOICE (UOP_F_FPENV | UOP_F_IMM)
#define F1_sqrt FP_ARITH
#define F1_round FP_ARITH
#define F1_roundx FP_ARITH
#define F1_round32 FP_ARITH
#define F1_round64 FP_ARITH
#define F1_recpe FP_ARITH
#define F1_recpx FP_ARITH
#define F1_rsqrte FP_ARITH
#define F1_flush UOP_F_FPENV
#define F2_add FP_ARITH
#define F2_sub FP_ARITH
#define F2_mul FP_ARITH
#define F2_div FP_ARITH
#define F2_min FP_CHOICE
#define F2_max FP_CHOICE
#define F2_minimum FP_CHOICE
#define F2_maximum FP_CHOICE
#define F2_mulx FP_ARITH
#define F2_recps FP_ARITH
#define F2_rsqrts FP_ARITH

#define ROW(name, flags, d, a, b, c, rr) RANGED(name, flags, d, a, b, c, UOP_R_ANY, rr)
#define RANGED(name, flags, d, a, b, c, range, rr) \
    [UOP_##name] = {#name, flags, d, a, b, c, range, rr}
#define ROW_(...) ROW(__VA_ARGS__) /* expands ATOM_* first */

/* The range of a ctype extended as vtype has a sign or not. */
#define LOADED(ctype, vtype)                           \
    (sizeof(ctype) == 8 ? UOP_R_ANY                    \
                        : _Generic((vtype)0, int64_t   \
                                   : UOP_R_SX, default \
                                   : sizeof(ctype) == 4 ? UOP_R_ZX : UOP_R_SMALL))

const struct uop_info uop_info[UOP_CODES] = {
#define UOP_P1(name, range, ...) \
    RANGED(name, UOP_F_PURE, UOP_K_I, UOP_K_I, UOP_K_N, UOP_K_N, UOP_R_##range, UOP_##name),
#define UOP_P2(name, range, ...)                                                             \
    RANGED(name, UOP_F_PURE, UOP_K_I, UOP_K_I, UOP_K_I, UOP_K_N, UOP_R_##range, UOP_##name), \
        RANGED(name##_i, UOP_F_PURE | UOP_F_IMM, UOP_K_I, UOP_K_I, UOP_K_N, UOP_K_N,         \
               UOP_R_##range, UOP_##name),
#define UOP_P3(name, range, ...) \
    RANGED(name, UOP_F_PURE, UOP_K_I, UOP_K_I, UOP_K_I, UOP_K_I, UOP_R_##range, UOP_##name),
#define UOP_LOAD(name, ctype, vtype)                                                               \
    RANGED(name, UOP_F_LOAD | UOP_F_IMM, UOP_K_I, UOP_K_I, UOP_K_N, UOP_K_N, LOADED(ctype, vtype), \
           UOP_##name),
#define UOP_STORE(name, ...) \
    ROW(name, UOP_F_STORE | UOP_F_IMM, UOP_K_N, UOP_K_I, UOP_K_I, UOP_K_N, UOP_##name),
#define UOP_AMO(name, ...) ROW(name, AMO_FLAGS, UOP_K_I, UOP_K_I, UOP_K_I, UOP_K_N, UOP_##name),
#define UOP_ATOM(name, ctype, what) ROW_(name, ATOM_##what, UOP_##name),
#define UOP_F1(name, T, what) ROW(name, F1_##what, K_##T, K_##T, UOP_K_N, UOP_K_N, UOP_##name),
#define UOP_F2(name, T, what) ROW(name, F2_##what, K_##T, K_##T, K_##T, UOP_K_N, UOP_##name),
#define UOP_F3(name, T, what) ROW(name, FP_ARITH, K_##T, K_##T, K_##T, K_##T, UOP_##name),
#define UOP_FC(name, T, what) \
    RANGED(name, UOP_F_FPENV, UOP_K_I, K_##T, K_##T, UOP_K_N, UOP_R_BIT, UOP_##name),
#define UOP_CV(name, D, S, what) ROW(name, FP_ARITH, K_##D, K_##S, UOP_K_N, UOP_K_N, UOP_##name),
#define N UOP_K_N
#define I UOP_K_I
#define V UOP_K_V
#define P UOP_K_P
#define VECTOR (UOP_F_PURE | UOP_F_VECTOR)
#define UOP_V1(name, ...) ROW(name, VECTOR | UOP_F_IMM, V, V, N, N, UOP_##name),
#define UOP_V2(name, ...) ROW(name, VECTOR, V, V, V, N, UOP_##name),
#define UOP_VX(name, d, a, b, c) ROW(name, VECTOR | UOP_F_IMM, d, a, b, c, UOP_##name),
#define UOP_VF1(name, ...) ROW(name, FP_ARITH | UOP_F_VECTOR, V, V, N, N, UOP_##name),
#define UOP_VF2(name, ...) ROW(name, FP_ARITH | UOP_F_VECTOR, V, V, V, N, UOP_##name),
#define UOP_VF3(name, ...) ROW(name, FP_ARITH | UOP_F_VECTOR, V, V, V, V, UOP_##name),
#define UOP_VFC(name, ...) ROW(name, UOP_F_FPENV | UOP_F_VECTOR, V, V, V, N, UOP_##name),
#define UOP_SYS(name, d, a, b, c, flags) ROW(name, flags, d, a, b, c, UOP_##name),
#define UOP_TERM(name, a, b, flags) ROW(name, (flags) | UOP_F_TERM, N, a, b, N, UOP_##name),
#include "uop/uop_all.h"
};

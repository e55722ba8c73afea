/* uop/fp.h: floating point, exact in values and flags.
 *
 * Owns: the meaning of every FP micro-op in software (fp_soft: any rounding mode, any host), the
 * host instructions that do the same when the host's mode is the wanted one (fp_host_*), and the
 * conversion between the guest's FP environment and the host's MXCSR.
 *
 * Values are raw bits, zero-extended. A result that is a NaN is the format's canonical one from
 * fp_soft and any NaN from fp_host. Tininess is detected after rounding, as RISC-V and SSE do.
 * Conversions to integers saturate, a NaN gives the largest value (RISC-V "F", table of
 * float-to-integer limits); out of range raises NV and not NX. fmin/fmax are minimumNumber and
 * maximumNumber of IEEE 754-2019: -0 is less than +0, one NaN is ignored, a signalling one raises NV.
 * ffma raises NV for infinity times zero even when the addend is a quiet NaN.
 *
 * The host forms are volatile assembly, so the compiler neither folds, moves nor drops them: what
 * counts is the flags that they leave in MXCSR.
 *
 * Threading: pure but for the calling thread's MXCSR.
 */
#ifndef DRAGOMAN_UOP_FP_H
#define DRAGOMAN_UOP_FP_H

#include "uop/cpu.h"
#include "uop/sem.h"
#include "uop/uop.h"

/* ---- software ---- */

enum fp_format { FP_F16, FP_F32, FP_F64, FP_BF16 };

/* The value of FP micro-op op (rows UOP_F1, F2, F3, FC, CV); enum fp_flag bits are added to *flags. mode is
 * the micro-op's immediate (its rounding mode RNE to RMM, FP_ENV, FP_FBITS) with the environment's enum fp_rule bits. A code
 * that is no such row is a bug of the caller's. */
uint64_t fp_soft(enum uop_code op, uint64_t a, uint64_t b, uint64_t c, unsigned mode,
                 unsigned *flags);

/* ---- the environment ---- */

#define FP_MXCSR_FLAGS 0x3fu   /* IE DE ZE OE UE PE */
#define FP_MXCSR_MASKS 0x1f80u /* all exceptions masked, no flush to zero */
#define FP_MXCSR_RC 0x6000u
#define FP_MXCSR_IE 0x01u
#define FP_MXCSR_UE 0x10u
#define FP_MXCSR_PE 0x20u
#define FP_MXCSR_DAZ 0x40u
#define FP_MXCSR_IM 0x80u
#define FP_MXCSR_DM 0x100u
#define FP_MXCSR_UM 0x800u
#define FP_MXCSR_PM 0x1000u
#define FP_MXCSR_FTZ 0x8000u

/* Translated code may run with underflow unmasked, but not once its sticky flag and that of inexact results are set
 * (codecache/trap.h): MXCSR with that so. Both, because masked underflow lets the host set the second one, too. Where subnormal
 * operands trap, inexact results do until their flag is set. */
static inline uint32_t fp_mxcsr_settled(uint32_t m)
{
    if (!(m & FP_MXCSR_DM))
        return m | (m & FP_MXCSR_PE) << 7;
    return m | (((m & (FP_MXCSR_UE | FP_MXCSR_PE)) + FP_MXCSR_UE) & FP_MXCSR_PE << 1) << 5;
}

static inline uint32_t fp_get_mxcsr(void)
{
    uint32_t v;
    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

static inline void fp_set_mxcsr(uint32_t v)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(v));
}

/* enum fp_flag bits from MXCSR's sticky bits (uop/sem.h) and back. The denormal bit has no counterpart. */
static inline unsigned fp_flags_from_mxcsr(uint32_t m)
{
    return (unsigned)uop_fp_flags(m);
}

static inline uint32_t fp_flags_to_mxcsr(unsigned f)
{
    return (f & 1) << 5 | (f & 2) << 3 | (f & 4) << 1 | (f & 8) >> 1 | (f & 16) >> 4;
}

/* Raise flags in the live MXCSR. */
static inline void fp_raise(unsigned flags)
{
    uint32_t m = fp_get_mxcsr(), bits = fp_flags_to_mxcsr(flags);
    if ((m & bits) != bits)
        fp_set_mxcsr(fp_mxcsr_settled(m | bits));
}

/* MXCSR for a rounding mode and sticky MXCSR bits. A mode that the host has not rounds to nearest
 * there; fp_direct keeps instructions that need it away from the host. */
uint32_t fp_mxcsr(unsigned frm, uint32_t sticky);

/* The cpu's MXCSR as units run under it where operations trap (codecache/trap.h). */
static inline uint32_t fp_mxcsr_of_units(const struct cpu *cpu)
{
    uint32_t m = cpu->mxcsr & ~(FP_MXCSR_IM | FP_MXCSR_UM);
    if (cpu->fp_rules & FP_FZ)
        m = (m & ~(FP_MXCSR_DM | FP_MXCSR_PM)) | (cpu->fp_denormal ? FP_MXCSR_DAZ : 0);
    return fp_mxcsr_settled(m);
}

/* Can translated code flush (it needs traps)? Known before the first thread runs. */
extern bool fp_units_flush;

/* Which values of a rounding-mode operand (bit n: enum fp_rm n) the host may execute as it is
 * while the dynamic mode is frm. */
uint16_t fp_direct_modes(unsigned frm);

/* The environment of a cpu that is outside the engines. Flags are enum fp_flag bits but FP_ID; mode is 0..7 and enum
 * fp_rule bits. */
void fp_env_init(struct cpu *cpu);
unsigned fp_env_flags(const struct cpu *cpu);
void fp_env_set_flags(struct cpu *cpu, unsigned flags);
void fp_env_set_mode(struct cpu *cpu, unsigned mode);

/* fp_soft under the cpu's environment, the flags raised in the live MXCSR. imm is the micro-op's. */
uint64_t fp_do(struct cpu *cpu, enum uop_code op, unsigned imm, uint64_t a, uint64_t b, uint64_t c);

/* ---- the host's instructions ---- */

/* Does this host have FMA3? Without it ffma is software. */
extern bool fp_host_fma;

#define FP_XMM(T, name, insn)                                     \
    static inline uint64_t fp_host_##name(uint64_t a, uint64_t b) \
    {                                                             \
        T x, y;                                                   \
        __builtin_memcpy(&x, &a, sizeof x);                       \
        __builtin_memcpy(&y, &b, sizeof y);                       \
        __asm__ volatile(insn " %1, %0" : "+x"(x) : "x"(y));      \
        uint64_t d = 0;                                           \
        __builtin_memcpy(&d, &x, sizeof x);                       \
        return d;                                                 \
    }
FP_XMM(double, add_f64, "addsd")
FP_XMM(double, sub_f64, "subsd")
FP_XMM(double, mul_f64, "mulsd")
FP_XMM(double, div_f64, "divsd")
FP_XMM(float, add_f32, "addss")
FP_XMM(float, sub_f32, "subss")
FP_XMM(float, mul_f32, "mulss")
FP_XMM(float, div_f32, "divss")
#undef FP_XMM

/* d = insn(s): T of the source, U of the result; the constraint letters are theirs. */
#define FP_UN(name, T, tc, U, uc, insn)               \
    static inline uint64_t fp_host_##name(uint64_t a) \
    {                                                 \
        T x;                                          \
        U y;                                          \
        __builtin_memcpy(&x, &a, sizeof x);           \
        __asm__ volatile(insn : "=" uc(y) : tc(x));   \
        uint64_t d = 0;                               \
        __builtin_memcpy(&d, &y, sizeof y);           \
        return d;                                     \
    }
FP_UN(sqrt_f64, double, "x", double, "x", "sqrtsd %1, %0")
FP_UN(sqrt_f32, float, "x", float, "x", "sqrtss %1, %0")
FP_UN(f32_f64, float, "x", double, "x", "cvtss2sd %1, %0")
FP_UN(f64_f32, double, "x", float, "x", "cvtsd2ss %1, %0")
FP_UN(s32_f64, int32_t, "r", double, "x", "cvtsi2sdl %1, %0")
FP_UN(s32_f32, int32_t, "r", float, "x", "cvtsi2ssl %1, %0")
FP_UN(s64_f64, int64_t, "r", double, "x", "cvtsi2sdq %1, %0")
FP_UN(s64_f32, int64_t, "r", float, "x", "cvtsi2ssq %1, %0")
/* To integers: all ones' sign bit alone (the "integer indefinite") and IE when out of range. */
FP_UN(f64_s32, double, "x", int32_t, "r", "cvtsd2si %1, %0")
FP_UN(f32_s32, float, "x", int32_t, "r", "cvtss2si %1, %0")
FP_UN(f64_s64, double, "x", int64_t, "r", "cvtsd2si %1, %0")
FP_UN(f32_s64, float, "x", int64_t, "r", "cvtss2si %1, %0")
FP_UN(f64_s32_rtz, double, "x", int32_t, "r", "cvttsd2si %1, %0")
FP_UN(f32_s32_rtz, float, "x", int32_t, "r", "cvttss2si %1, %0")
FP_UN(f64_s64_rtz, double, "x", int64_t, "r", "cvttsd2si %1, %0")
FP_UN(f32_s64_rtz, float, "x", int64_t, "r", "cvttss2si %1, %0")
#undef FP_UN

/* Comparisons: quiet for eq, ltq and leq (ucomis), signalling for lt and le (comis). */
#define FP_CMP_EQ(T, s)                                                                 \
    static inline uint64_t fp_host_eq_##T(uint64_t a, uint64_t b)                       \
    {                                                                                   \
        bool equal, ordered;                                                            \
        __asm__ volatile("movq %2, %%xmm0; movq %3, %%xmm1; ucomis" s " %%xmm1, %%xmm0" \
                         : "=@cce"(equal), "=@ccnp"(ordered)                            \
                         : "r"(a), "r"(b)                                               \
                         : "xmm0", "xmm1");                                             \
        return equal & ordered;                                                         \
    }
/* b above a (or equal); neither when unordered. */
#define FP_CMP(T, name, insn, cc)                                                    \
    static inline uint64_t fp_host_##name##_##T(uint64_t a, uint64_t b)              \
    {                                                                                \
        bool above;                                                                  \
        __asm__ volatile("movq %1, %%xmm0; movq %2, %%xmm1; " insn " %%xmm0, %%xmm1" \
                         : "=@cc" cc(above)                                          \
                         : "r"(a), "r"(b)                                            \
                         : "xmm0", "xmm1");                                          \
        return above;                                                                \
    }
FP_CMP_EQ(f64, "d")
FP_CMP_EQ(f32, "s")
FP_CMP(f64, lt, "comisd", "a")
FP_CMP(f32, lt, "comiss", "a")
FP_CMP(f64, le, "comisd", "ae")
FP_CMP(f32, le, "comiss", "ae")
FP_CMP(f64, ltq, "ucomisd", "a")
FP_CMP(f32, ltq, "ucomiss", "a")
FP_CMP(f64, leq, "ucomisd", "ae")
FP_CMP(f32, leq, "ucomiss", "ae")
#undef FP_CMP_EQ
#undef FP_CMP

/* a * b + c in one rounding; only with fp_host_fma. The host does not raise NV for infinity times
 * zero plus a quiet NaN: a caller that sees a NaN takes fp_soft, which does. */
#define FP_FMA(name, T, s)                                                         \
    static inline uint64_t fp_host_##name(uint64_t a, uint64_t b, uint64_t c)      \
    {                                                                              \
        T x, y, z;                                                                 \
        __builtin_memcpy(&x, &a, sizeof x);                                        \
        __builtin_memcpy(&y, &b, sizeof y);                                        \
        __builtin_memcpy(&z, &c, sizeof z);                                        \
        __asm__ volatile("vfmadd213s" s " %2, %1, %0" : "+x"(x) : "x"(y), "x"(z)); \
        uint64_t d = 0;                                                            \
        __builtin_memcpy(&d, &x, sizeof x);                                        \
        return d;                                                                  \
    }
FP_FMA(fma_f64, double, "d")
FP_FMA(fma_f32, float, "s")
#undef FP_FMA

/* Results for which the host may differ from what FP_ENV asks: NaNs, and the least normal number, which rounding may have
 * made of a tinier one. */
static inline bool fp_odd_f64(uint64_t a)
{
    uint64_t m = a << 1;
    return m > UINT64_C(0xffe0000000000000) || m == UINT64_C(0x0020000000000000);
}
static inline bool fp_odd_f32(uint64_t a)
{
    uint32_t m = (uint32_t)a << 1;
    return m > 0xff000000u || m == 0x01000000u;
}

static inline bool fp_is_nan_f64(uint64_t a)
{
    return a << 1 > UINT64_C(0xffe0000000000000);
}
static inline bool fp_is_nan_f32(uint64_t a)
{
    return (uint32_t)a << 1 > 0xff000000u;
}

/* A float's bits as an integer in the same order, -0 before +0. For numbers, not NaNs. */
static inline int64_t fp_order_f64(uint64_t a)
{
    return (int64_t)(a ^ ((uint64_t)((int64_t)a >> 63) >> 1));
}
static inline int64_t fp_order_f32(uint64_t a)
{
    return (int32_t)((uint32_t)a ^ ((uint32_t)((int32_t)a >> 31) >> 1));
}

#endif

/* What the host CPU can do.
 *
 * Owns: the feature bits, their detection, and masking for tests.
 *
 * Threading: x64_features_init once, before any thread; read-only afterwards.
 */
#ifndef DRAGOMAN_HOST_X64_FEATURES_H
#define DRAGOMAN_HOST_X64_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One row per bit: name in the mask's text, level of the x86-64 psABI that has it (0: none).
 * BASE is always there. */
#define X64_FEATURES(X)        \
    X(BASE, "base", 1)         \
    X(CX16, "cx16", 2)         \
    X(LAHF, "lahf", 2)         \
    X(POPCNT, "popcnt", 2)     \
    X(SSE3, "sse3", 2)         \
    X(SSSE3, "ssse3", 2)       \
    X(SSE41, "sse4.1", 2)      \
    X(SSE42, "sse4.2", 2)      \
    X(AVX, "avx", 3)           \
    X(AVX2, "avx2", 3)         \
    X(BMI1, "bmi1", 3)         \
    X(BMI2, "bmi2", 3)         \
    X(F16C, "f16c", 3)         \
    X(FMA, "fma", 3)           \
    X(LZCNT, "lzcnt", 3)       \
    X(MOVBE, "movbe", 3)       \
    X(AVX512F, "avx512f", 4)   \
    X(AVX512BW, "avx512bw", 4) \
    X(AVX512CD, "avx512cd", 4) \
    X(AVX512DQ, "avx512dq", 4) \
    X(AVX512VL, "avx512vl", 4) \
    X(ADX, "adx", 0)           \
    X(AES, "aes", 0)           \
    X(PCLMUL, "pclmul", 0)     \
    X(SHA, "sha", 0)           \
    X(GFNI, "gfni", 0)         \
    X(FSRM, "fsrm", 0)

enum x64_feature {
#define X64_F(name, text, level) X64_F_##name,
    X64_FEATURES(X64_F)
#undef X64_F
        X64_NFEATURES
};

/* A set of features: bit x64_feature. */
#define X64_FBIT(f) (UINT64_C(1) << (f))

/* The features of this CPU that the operating system supports (CPUID, XGETBV). */
uint64_t x64_features_cpu(void);

/* Restrict `have` as `text` says: "native", or a level "x86-64" / "x86-64-v2" / "-v3" / "-v4" (its bits
 * only), followed by any number of ",-name" and ",+name" ("+" only gives back what `have` has). What a
 * removed bit is needed for goes too (without AVX no AVX2, FMA, F16C, AVX-512). False when a word is
 * unknown, then *bad is where. */
bool x64_features_mask(uint64_t have, const char *text, uint64_t *out, const char **bad);

/* Detect, and mask as the option or the environment variable DRAGOMAN_HOST says (text NULL: the
 * variable, if set). False with *bad set when the text is not understood. */
bool x64_features_init(const char *text, const char **bad);

/* Are there the registers XMM16 to XMM31, and what the rows of x64.def with an EVEX form need? */
static inline bool x64_has_high(uint64_t set)
{
    const uint64_t needed = X64_FBIT(X64_F_AVX512F) | X64_FBIT(X64_F_AVX512BW) |
                            X64_FBIT(X64_F_AVX512DQ) | X64_FBIT(X64_F_AVX512VL);
    return !(~set & needed);
}

/* The set in force; x64_features_init has been called, or it is the CPU's own unmasked. */
uint64_t x64_features(void);

/* Names, for --stats and the version text: "x86-64-v3 +aes ..." into buf; returns its length. */
size_t x64_features_print(uint64_t set, char *buf, size_t size);

#endif

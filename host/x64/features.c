/* host/x64/features.c: CPUID, levels, masking. See features.h.
 *
 * Facts: Intel SDM volume 2 CPUID, AMD APM volume 3 appendix E, x86-64 psABI (microarchitecture levels).
 */
#include "host/x64/features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/platform/x86.h>

static const struct {
    const char *name;
    unsigned level;
} feature_row[X64_NFEATURES] = {
#define X64_F(name, text, level) [X64_F_##name] = {text, level},
    X64_FEATURES(X64_F)
#undef X64_F
};

static uint64_t in_force;

static uint64_t level_set(unsigned level)
{
    uint64_t set = 0;
    for (unsigned i = 0; i < X64_NFEATURES; i++)
        if (feature_row[i].level && feature_row[i].level <= level)
            set |= X64_FBIT(i);
    return set;
}

/* What the C library read at the start of the process. In a virtual machine each CPUID instruction is a trap of its own, some of them
 * cost as much as the start of a small program. */
static const unsigned *leaf(unsigned index)
{
    return __x86_get_cpuid_feature_leaf(index)->cpuid_array;
}

/* XCR0: which register state the operating system saves. */
static uint64_t xcr0(void)
{
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

uint64_t x64_features_cpu(void)
{
    uint64_t f = X64_FBIT(X64_F_BASE);
    enum { B = 1, C, D };
    const unsigned *r = leaf(CPUID_INDEX_1);
    bool ymm = false, zmm = false;

#define BIT(reg, n, name)                \
    do {                                 \
        if (r[reg] >> (n)&1)             \
            f |= X64_FBIT(X64_F_##name); \
    } while (0)
    BIT(C, 0, SSE3);
    BIT(C, 1, PCLMUL);
    BIT(C, 9, SSSE3);
    BIT(C, 13, CX16);
    BIT(C, 19, SSE41);
    BIT(C, 20, SSE42);
    BIT(C, 22, MOVBE);
    BIT(C, 23, POPCNT);
    BIT(C, 25, AES);
    if (r[C] >> 27 & 1) { /* OSXSAVE */
        uint64_t x = xcr0();
        ymm = (x & 6) == 6;
        zmm = (x & 0xe6) == 0xe6;
    }
    if (ymm) {
        BIT(C, 12, FMA);
        BIT(C, 28, AVX);
        BIT(C, 29, F16C);
    }
    r = leaf(CPUID_INDEX_7);
    BIT(B, 3, BMI1);
    BIT(B, 8, BMI2);
    BIT(B, 19, ADX);
    BIT(B, 29, SHA);
    BIT(C, 8, GFNI);
    BIT(D, 4, FSRM);
    if (ymm)
        BIT(B, 5, AVX2);
    if (zmm) {
        BIT(B, 16, AVX512F);
        BIT(B, 17, AVX512DQ);
        BIT(B, 28, AVX512CD);
        BIT(B, 30, AVX512BW);
        BIT(B, 31, AVX512VL);
    }
    r = leaf(CPUID_INDEX_80000001);
    BIT(C, 0, LAHF);
    BIT(C, 5, LZCNT);
#undef BIT
    return f;
}

/* Removes what cannot be used without a bit that is missing. BMI1/2 are VEX-encoded, but depend on the
 * operating system's support of AVX state only in name: they use no vector state. */
static uint64_t consistent(uint64_t f)
{
    static const struct {
        uint8_t needs, what;
    } dep[] = {
        {X64_F_SSE3, X64_F_SSSE3},       {X64_F_SSSE3, X64_F_SSE41},
        {X64_F_SSE41, X64_F_SSE42},      {X64_F_SSE42, X64_F_AVX},
        {X64_F_SSE42, X64_F_AES},        {X64_F_SSE42, X64_F_PCLMUL},
        {X64_F_SSE42, X64_F_SHA},        {X64_F_SSE42, X64_F_GFNI},
        {X64_F_AVX, X64_F_AVX2},         {X64_F_AVX, X64_F_FMA},
        {X64_F_AVX, X64_F_F16C},         {X64_F_AVX2, X64_F_AVX512F},
        {X64_F_AVX512F, X64_F_AVX512BW}, {X64_F_AVX512F, X64_F_AVX512CD},
        {X64_F_AVX512F, X64_F_AVX512DQ}, {X64_F_AVX512F, X64_F_AVX512VL},
    };
    for (size_t i = 0; i < sizeof dep / sizeof *dep; i++)
        if (!(f & X64_FBIT(dep[i].needs)))
            f &= ~X64_FBIT(dep[i].what);
    return f;
}

static bool word_is(const char *text, size_t len, const char *name)
{
    return strlen(name) == len && !memcmp(text, name, len);
}

bool x64_features_mask(uint64_t have, const char *text, uint64_t *out, const char **bad)
{
    static const char *const level_name[] = {NULL, "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};
    uint64_t set = have;
    bool first = true;

    for (const char *s = text; *s; first = false) {
        size_t len = strcspn(s, ",");
        bool known = false;
        if (first && word_is(s, len, "native"))
            known = true;
        for (unsigned l = 1; first && !known && l <= 4; l++)
            if (word_is(s, len, level_name[l])) {
                set = have & level_set(l);
                known = true;
            }
        if (!known && len > 1 && (*s == '-' || *s == '+'))
            for (unsigned i = 1; i < X64_NFEATURES; i++)
                if (word_is(s + 1, len - 1, feature_row[i].name)) {
                    set = *s == '-' ? set & ~X64_FBIT(i) : set | (have & X64_FBIT(i));
                    known = true;
                }
        if (!known) {
            if (bad)
                *bad = s;
            return false;
        }
        s += len;
        if (*s == ',')
            s++;
    }
    *out = consistent(set);
    return true;
}

bool x64_features_init(const char *text, const char **bad)
{
    uint64_t have = x64_features_cpu();

    if (!text)
        text = getenv("DRAGOMAN_HOST");
    return x64_features_mask(have, text ? text : "native", &in_force, bad);
}

uint64_t x64_features(void)
{
    if (!in_force)
        in_force = x64_features_cpu();
    return in_force;
}

size_t x64_features_print(uint64_t set, char *buf, size_t size)
{
    unsigned level = 1;
    size_t n;

    while (level < 4 && (set & level_set(level + 1)) == level_set(level + 1))
        level++;
    n = (size_t)snprintf(buf, size, level == 1 ? "x86-64" : "x86-64-v%u", level);
    for (unsigned i = 0; i < X64_NFEATURES; i++)
        if ((set & ~level_set(level)) >> i & 1)
            n += (size_t)snprintf(n < size ? buf + n : NULL, n < size ? size - n : 0, " +%s",
                                  feature_row[i].name);
    return n;
}

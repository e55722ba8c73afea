/* Feature detection against the kernel's list, and masking. */
#include "tests/unit.h"

#include "host/x64/features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What CPUID says must be what the kernel says in /proc/cpuinfo, name by name. */
static void test_cpuinfo(void **state)
{
    static const struct {
        enum x64_feature f;
        const char *name;
    } row[] = {
        {X64_F_CX16, "cx16"},         {X64_F_LAHF, "lahf_lm"},      {X64_F_POPCNT, "popcnt"},
        {X64_F_SSE3, "pni"},          {X64_F_SSSE3, "ssse3"},       {X64_F_SSE41, "sse4_1"},
        {X64_F_SSE42, "sse4_2"},      {X64_F_AVX, "avx"},           {X64_F_AVX2, "avx2"},
        {X64_F_BMI1, "bmi1"},         {X64_F_BMI2, "bmi2"},         {X64_F_F16C, "f16c"},
        {X64_F_FMA, "fma"},           {X64_F_LZCNT, "abm"},         {X64_F_MOVBE, "movbe"},
        {X64_F_AVX512F, "avx512f"},   {X64_F_AVX512BW, "avx512bw"}, {X64_F_AVX512CD, "avx512cd"},
        {X64_F_AVX512DQ, "avx512dq"}, {X64_F_AVX512VL, "avx512vl"}, {X64_F_ADX, "adx"},
        {X64_F_AES, "aes"},           {X64_F_PCLMUL, "pclmulqdq"},  {X64_F_SHA, "sha_ni"},
        {X64_F_GFNI, "gfni"},         {X64_F_FSRM, "fsrm"},
    };
    char *line = NULL;
    size_t cap = 0;
    bool found = false;
    FILE *f = fopen("/proc/cpuinfo", "re");
    uint64_t have = x64_features_cpu();

    (void)state;
    assert_int_equal(sizeof row / sizeof *row, X64_NFEATURES - 1);
    if (!f)
        skip();
    while (!found && getline(&line, &cap, f) > 0)
        found = !strncmp(line, "flags", 5);
    fclose(f);
    if (!found)
        skip();
    line[strcspn(line, "\n")] = ' ';
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char word[40];
        snprintf(word, sizeof word, " %s ", row[i].name);
        if ((strstr(line, word) != NULL) != (have >> row[i].f & 1))
            fail_msg("%s differs from /proc/cpuinfo", row[i].name);
    }
    free(line);
}

static void test_mask(void **state)
{
    const char *bad = NULL;
    uint64_t all = X64_FBIT(X64_NFEATURES) - 1, out;

    (void)state;
    assert_true(x64_features_mask(all, "native", &out, &bad));
    assert_true(out == all);
    assert_true(x64_features_mask(all, "", &out, &bad));
    assert_true(out == all);
    assert_true(x64_features_mask(all, "x86-64", &out, &bad));
    assert_true(out == X64_FBIT(X64_F_BASE));
    assert_true(x64_features_mask(all, "x86-64-v2", &out, &bad));
    assert_true(out >> X64_F_SSE42 & 1 && out >> X64_F_POPCNT & 1 && out >> X64_F_CX16 & 1);
    assert_false(out >> X64_F_AVX & 1 || out >> X64_F_BMI2 & 1 || out >> X64_F_AES & 1);
    assert_true(x64_features_mask(all, "x86-64-v3,-bmi2,+aes", &out, &bad));
    assert_true(out >> X64_F_AVX2 & 1 && out >> X64_F_AES & 1 && out >> X64_F_LZCNT & 1);
    assert_false(out >> X64_F_BMI2 & 1 || out >> X64_F_AVX512F & 1 || out >> X64_F_SHA & 1);
    /* what depends on a removed bit goes with it */
    assert_true(x64_features_mask(all, "-avx", &out, &bad));
    assert_false(out >> X64_F_AVX2 & 1 || out >> X64_F_FMA & 1 || out >> X64_F_AVX512VL & 1);
    assert_true(out >> X64_F_BMI2 & 1);
    /* nothing is invented */
    assert_true(x64_features_mask(X64_FBIT(X64_F_BASE), "x86-64-v4,+aes", &out, &bad));
    assert_true(out == X64_FBIT(X64_F_BASE));
    assert_false(x64_features_mask(all, "x86-64-v3,-nonsense", &out, &bad));
    assert_string_equal(bad, "-nonsense");
    assert_false(x64_features_mask(all, "x86-64-v5", &out, &bad));
    assert_false(x64_features_mask(all, "-aes,native", &out, &bad));
}

static void test_print(void **state)
{
    uint64_t all = X64_FBIT(X64_NFEATURES) - 1, out;
    char buf[256], tiny[4];
    (void)state;
    assert_true(x64_features_mask(all, "x86-64-v3,+aes,+sha", &out, NULL));
    assert_int_equal(x64_features_print(out, buf, sizeof buf), strlen("x86-64-v3 +aes +sha"));
    assert_string_equal(buf, "x86-64-v3 +aes +sha");
    assert_int_equal(x64_features_print(out, tiny, sizeof tiny), strlen("x86-64-v3 +aes +sha"));
    assert_string_equal(tiny, "x86");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpuinfo),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

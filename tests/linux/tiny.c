/* The least normal number and what is about it: values, and exactly the flags that are raised, of scalar and vector arithmetic in
 * loops that are hot enough to be translated; also of so many exact subnormal results that a translator which relies on their being
 * rare must not crawl.
 *
 * Expected values: IEEE 754, 7.5 (underflow, with the default handling, is for results that are tiny and inexact); Arm ARM FPRound
 * (tininess is detected before rounding), RISC-V "F" (after rounding). */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"
#include <fenv.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#pragma GCC optimize("no-math-errno", "no-tree-vectorize", "trapping-math", "fp-contract=off")

typedef double v2d __attribute__((vector_size(16)));
typedef float v4f __attribute__((vector_size(16)));

enum { WARM = 40000, AT_ONCE = 100, WHOLE = 3 };
/* Flags: X is inexact, U underflow too, R what rounds up to the least normal number from less than half a unit in the last place
 * below it. */
enum { X = FE_INEXACT, U = FE_INEXACT | FE_UNDERFLOW };
enum { R = ISA_TINY_BEFORE_ROUNDING ? U : X };

#define LOOP(name, T, expr)                                                                       \
    static __attribute__((noinline)) void name(T *d, const T *pa, const T *pb, long n, int whole) \
    {                                                                                             \
        for (long i = 0; i < n; i++) {                                                            \
            T a = pa[i], b = pb[i];                                                               \
            (void)b, (void)whole;                                                                 \
            d[i] = (expr);                                                                        \
        }                                                                                         \
    }
LOOP(mul_f64, double, a *b)
LOOP(div_f64, double, a / b)
LOOP(add_f64, double, a + b)
LOOP(sub_f64, double, a - b)
LOOP(square_f64, double, a *a)
LOOP(times_075_f64, double, a * 0.75)
LOOP(times_05_f64, double, a * 0.5)
LOOP(whole_f64, double, a *(double)(whole + i))
LOOP(mul_f32, float, a *b)
LOOP(div_f32, float, a / b)
LOOP(square_f32, float, a *a)
LOOP(times_075_f32, float, a * 0.75f)
LOOP(mul_v2d, v2d, a *b)
LOOP(div_v2d, v2d, a / b)
LOOP(square_v2d, v2d, a *a)
LOOP(mul_v4f, v4f, a *b)
LOOP(div_v4f, v4f, a / b)

union lanes {
    uint64_t w[2];
    uint32_t n[4];
    double d[2];
    float s[4];
    v2d v2;
    v4f v4;
};
static _Alignas(16) union lanes in[2][AT_ONCE], out[AT_ONCE];

typedef void loop_f64(double *d, const double *a, const double *b, long n, int whole);
typedef void loop_f32(float *d, const float *a, const float *b, long n, int whole);
typedef void loop_v2d(v2d *d, const v2d *a, const v2d *b, long n, int whole);
typedef void loop_v4f(v4f *d, const v4f *a, const v4f *b, long n, int whole);

struct wide_case {
    uint64_t a, b, want;
    int flags;
};
struct narrow_case {
    uint32_t a, b, want;
    int flags;
};

static const struct wide_case products[] = {
    {0x0010000000000001, 0x3feffffffffffffe, 0x0010000000000000, R}, /* (1 + e) (1 - e) */
    {0x8010000000000001, 0x3feffffffffffffe, 0x8010000000000000, R},
    {0x3feffffffffffffe, 0x8010000000000001, 0x8010000000000000, R},
    {0x2000000000000001, 0x1ffffffffffffffe, 0x0010000000000000, R},
    {0x0010000000000000, 0x3ff0000000000000, 0x0010000000000000, 0},
    {0x8020000000000000, 0x3fe0000000000000, 0x8010000000000000, 0},
    {0x0010000000000001, 0x3ff0000000000000, 0x0010000000000001, 0},
    {0x001fffffffffffff, 0x3ff0000000000000, 0x001fffffffffffff, 0},
    {0x0010000000000001, 0xbff8000000000000, 0x8018000000000002, X},
    {0x0020000000000000, 0x3ff0000000000000, 0x0020000000000000, 0},
    {0x0010000000000000, 0x3fe0000000000000, 0x0008000000000000, 0},
    {0x0000000000000002, 0xbfe0000000000000, 0x8000000000000001, 0},
    {0x0010000000000001, 0x3fe0000000000000, 0x0008000000000000, U},
    {0x0010000000000000, 0x3fefffffffffffff, 0x0010000000000000, U}, /* a tie */
    {0x0010000000000000, 0x3feffffffffffffe, 0x000fffffffffffff, 0},
    {0x000fffffffffffff, 0x3ff0000000000001, 0x0010000000000000, R},
    {0x0000000000000001, 0x0000000000000001, 0x0000000000000000, U},
    {0x0000000000000000, 0x8010000000000000, 0x8000000000000000, 0},
    {0x3ff8000000000000, 0x4000000000000000, 0x4008000000000000, 0},
    {0x3ff0000000000001, 0x3ff0000000000001, 0x3ff0000000000002, X},
};
static const struct wide_case quotients[] = {
    {0x0010000000000000, 0x3ff0000000000000, 0x0010000000000000, 0},
    {0x001fffffffffffff, 0x4000000000000000, 0x0010000000000000, U},
    {0x0010000000000000, 0x3ff0000000000001, 0x000fffffffffffff, U},
    {0x0010000000000000, 0xc000000000000000, 0x8008000000000000, 0},
    {0x000fffffffffffff, 0x3fefffffffffffff, 0x000fffffffffffff, U},
    {0x001ffffffffffffe, 0x3fffffffffffffff, 0x000fffffffffffff, U},
    {0x0010000000000001, 0x3ff0000000000001, 0x0010000000000000, 0},
    {0x4008000000000000, 0x4000000000000000, 0x3ff8000000000000, 0},
};
static const struct wide_case sums[] = {
    {0x000fffffffffffff, 0x0000000000000001, 0x0010000000000000, 0},
    {0x0010000000000000, 0x8000000000000001, 0x000fffffffffffff, 0},
    {0x3ff0000000000000, 0x0010000000000000, 0x3ff0000000000000, X},
};
static const struct wide_case differences[] = {
    {0x0010000000000000, 0x0000000000000001, 0x000fffffffffffff, 0},
    {0x0010000000000001, 0x0010000000000000, 0x0000000000000001, 0},
};
static const struct wide_case squares[] = {
    {0x1fffffffffffffff, 0, 0x000fffffffffffff, U},
    {0x2000000000000000, 0, 0x0010000000000000, 0},
    {0x2000000000000001, 0, 0x0010000000000002, X},
};
static const struct wide_case by_075[] = {
    {0x0015555555555555, 0, 0x0010000000000000, R}, {0x8015555555555555, 0, 0x8010000000000000, R},
    {0x0015555555555556, 0, 0x0010000000000000, X}, {0x0015555555555554, 0, 0x000fffffffffffff, 0},
    {0x0018000000000000, 0, 0x0012000000000000, 0},
};
static const struct wide_case by_05[] = {
    {0x001fffffffffffff, 0, 0x0010000000000000, U},
    {0x0020000000000000, 0, 0x0010000000000000, 0},
    {0x0020000000000001, 0, 0x0010000000000001, 0},
    {0x0010000000000000, 0, 0x0008000000000000, 0},
};
static const struct wide_case by_whole[] = {
    {0x0005555555555555, 0, 0x000fffffffffffff, 0},
    {0x0010000000000001, 0, 0x0028000000000002, X},
    {0x3ff0000000000000, 0, 0x4008000000000000, 0},
};
static const struct narrow_case products_f32[] = {
    {0x00800001, 0x3f7ffffe, 0x00800000, R}, {0xbf7ffffe, 0x00800001, 0x80800000, R},
    {0x20000001, 0x1ffffffe, 0x00800000, R}, {0x00800000, 0x3f800000, 0x00800000, 0},
    {0x00ffffff, 0x3f800000, 0x00ffffff, 0}, {0x80800001, 0x3f800000, 0x80800001, 0},
    {0x00800000, 0x3f000000, 0x00400000, 0}, {0x00800001, 0x3f000000, 0x00400000, U},
    {0x00800000, 0x3f7fffff, 0x00800000, U}, {0x00000000, 0x80800000, 0x80000000, 0},
    {0x3fc00000, 0x40000000, 0x40400000, 0}, {0x00000001, 0x00000001, 0x00000000, U},
};
static const struct narrow_case quotients_f32[] = {
    {0x00800000, 0x3f800000, 0x00800000, 0},
    {0x00ffffff, 0x40000000, 0x00800000, U},
    {0x00800000, 0x3f800001, 0x007fffff, U},
    {0x00800000, 0xc0000000, 0x80400000, 0},
};
static const struct narrow_case squares_f32[] = {
    {0x1fffffff, 0, 0x007fffff, U},
    {0x20000000, 0, 0x00800000, 0},
};
static const struct narrow_case by_075_f32[] = {
    {0x00aaaaab, 0, 0x00800000, X}, /* 3 * 0xaaaaab = 2^25 + 1 */
    {0x00aaaaaa, 0, 0x00800000, U}, /* a tie */
    {0x00c00000, 0, 0x00900000, 0},
};

#define WIDE(t) .wide = (t), .n = sizeof(t) / sizeof(t)[0]
#define NARROW(t) .narrow = (t), .n = sizeof(t) / sizeof(t)[0]
static const struct row {
    const char *name;
    loop_f64 *f64;
    loop_f32 *f32;
    loop_v2d *v2d;
    loop_v4f *v4f;
    const struct wide_case *wide;
    const struct narrow_case *narrow;
    unsigned n;
} rows[] = {
    {"product", .f64 = mul_f64, WIDE(products)},
    {"quotient", .f64 = div_f64, WIDE(quotients)},
    {"sum", .f64 = add_f64, WIDE(sums)},
    {"difference", .f64 = sub_f64, WIDE(differences)},
    {"square", .f64 = square_f64, WIDE(squares)},
    {"0.75", .f64 = times_075_f64, WIDE(by_075)},
    {"0.5", .f64 = times_05_f64, WIDE(by_05)},
    {"whole", .f64 = whole_f64, WIDE(by_whole)},
    {"product, f32", .f32 = mul_f32, NARROW(products_f32)},
    {"quotient, f32", .f32 = div_f32, NARROW(quotients_f32)},
    {"square, f32", .f32 = square_f32, NARROW(squares_f32)},
    {"0.75, f32", .f32 = times_075_f32, NARROW(by_075_f32)},
    {"product, 2 x f64", .v2d = mul_v2d, WIDE(products)},
    {"quotient, 2 x f64", .v2d = div_v2d, WIDE(quotients)},
    {"square, 2 x f64", .v2d = square_v2d, WIDE(squares)},
    {"product, 4 x f32", .v4f = mul_v4f, NARROW(products_f32)},
    {"quotient, 4 x f32", .v4f = div_v4f, NARROW(quotients_f32)},
};

static void run(const struct row *r, long n)
{
    if (r->f64)
        r->f64(out[0].d, in[0][0].d, in[1][0].d, n, WHOLE);
    else if (r->f32)
        r->f32(out[0].s, in[0][0].s, in[1][0].s, n, WHOLE);
    else if (r->v2d)
        r->v2d(&out[0].v2, &in[0][0].v2, &in[1][0].v2, n, WHOLE);
    else
        r->v4f(&out[0].v4, &in[0][0].v4, &in[1][0].v4, n, WHOLE);
}

/* Case i, in a lane of several, the others harmless; the flags `before` set before. */
static void check(const struct row *r, unsigned i, unsigned lane, int before)
{
    if (r->wide) {
        in[0][0].v2 = in[1][0].v2 = (v2d){1, 1};
        in[0][0].w[lane] = r->wide[i].a;
        in[1][0].w[lane] = r->wide[i].b;
    } else {
        in[0][0].v4 = in[1][0].v4 = (v4f){1, 1, 1, 1};
        in[0][0].n[lane] = r->narrow[i].a;
        in[1][0].n[lane] = r->narrow[i].b;
    }
    /* Exactly these: feraiseexcept may raise inexact beside underflow. */
    fexcept_t exactly = (fexcept_t)before;
    fesetexceptflag(&exactly, FE_ALL_EXCEPT);
    EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), before);
    run(r, 1);
    int have = fetestexcept(FE_ALL_EXCEPT);
    int want = (r->wide ? r->wide[i].flags : r->narrow[i].flags) | before;
    uint64_t value = r->wide ? out[0].w[lane] : out[0].n[lane],
             right = r->wide ? r->wide[i].want : r->narrow[i].want;
    if (have != want || value != right) {
        printf("%s, case %u in lane %u, flags 0x%x before\n", r->name, i, lane, (unsigned)before);
        EXPECT_EQ(value, right);
        EXPECT_EQ(have, want);
    }
}

static void arithmetic(const struct row *r)
{
    static const int before[] = {0, FE_INEXACT, FE_UNDERFLOW, FE_DIVBYZERO};
    for (unsigned i = 0; i < AT_ONCE; i++) {
        if (r->wide)
            in[0][i].v2 = in[1][i].v2 = (v2d){1, 1};
        else
            in[0][i].v4 = in[1][i].v4 = (v4f){1, 1, 1, 1};
    }
    feclearexcept(FE_ALL_EXCEPT);
    for (unsigned i = 0; i < WARM / AT_ONCE; i++)
        run(r, AT_ONCE);
    EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), 0);
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = 0; i < r->n; i++) {
            unsigned lanes = r->v2d ? 2 : r->v4f ? 4 : 1;
            for (unsigned lane = 0; lane < lanes; lane++) {
                for (unsigned b = 0; b < sizeof before / sizeof before[0]; b++)
                    check(r, i, lane, before[b]);
            }
        }
    }
}

static double cpu_seconds(void)
{
    struct rusage u;
    EXPECT_OK(getrusage(RUSAGE_SELF, &u));
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* As many halves, of numbers in the first run, of the least normal number in the second. */
static void many(void)
{
    double took[2];
    for (int run = 0; run < 2; run++) {
        for (unsigned i = 0; i < AT_ONCE; i++)
            in[0][i].v2 = run ? (v2d){0x1p-1022, 0x1p-1022} : (v2d){1, 1},
            in[1][i].v2 = (v2d){.5, .5};
        double start = cpu_seconds();
        feclearexcept(FE_ALL_EXCEPT);
        for (unsigned i = 0; i < 10000; i++) {
            mul_f64(out[0].d, in[0][0].d, in[1][0].d, AT_ONCE, 0);
            EXPECT(out[AT_ONCE / 2 - 1].d[1] == (run ? 0x1p-1023 : 0.5));
        }
        EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), 0);
        took[run] = cpu_seconds() - start;
    }
    /* A host trap for each would take a thousand times as long; the host's own subnormals a hundred. */
    EXPECT(took[1] < 1 + 250 * took[0]);
}

int main(void)
{
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        arithmetic(&rows[i]);
    many();
    printf("tiny: all as expected\n");
    return 0;
}

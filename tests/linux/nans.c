/* NaNs and the invalid flag of scalar and vector arithmetic, in loops that are hot enough to be translated: each operand in each
 * place, few NaNs at first, then so many that a translator which relies on their being rare must not crawl, and with
 * signals that come in between.
 *
 * Expected values: RISC-V F and D (canonical NaNs; "Single-Precision Floating-Point Conversion"), Arm ARM FPProcessNaNs, FPMulAdd, FPConvert, FPToFixed. */
#define _GNU_SOURCE
#include "tests/linux/expect.h"
#include "tests/linux/isa.h"
#include <fenv.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#pragma GCC optimize("no-math-errno", "no-tree-vectorize", "signaling-nans", "fp-contract=off")

typedef double v2d __attribute__((vector_size(16)));
typedef float v4f __attribute__((vector_size(16)));

static const uint64_t wide[] = {
    0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xc004000000000000,
    0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0x7ff8000000000123,
    0xfff8000012345000, 0x7ff0000000000789, 0xfff4000054321000,
};
static const uint32_t narrow[] = {
    0x00000000, 0x80000000, 0x3f800000, 0xc0200000, 0x7f800000, 0xff800000,
    0x7fc00000, 0x7fc00123, 0xffc04560, 0x7f800789, 0xffa00abc,
};
enum { N = sizeof wide / sizeof wide[0], WARM = 40000 };

/* ---- the rules, on integers; the sign, exponent and quiet bit of either width ---- */

struct format {
    uint64_t inf, quiet, sign;
};
static const struct format f64 = {0x7ff0000000000000, 0x0008000000000000, 0x8000000000000000};
static const struct format f32 = {0x7f800000, 0x00400000, 0x80000000};

static bool is_nan(const struct format *f, uint64_t v)
{
    return (v & ~f->sign) > f->inf;
}
static bool is_snan(const struct format *f, uint64_t v)
{
    return is_nan(f, v) && !(v & f->quiet);
}
static bool is_inf(const struct format *f, uint64_t v)
{
    return (v & ~f->sign) == f->inf;
}
static bool is_zero(const struct format *f, uint64_t v)
{
    return !(v & ~f->sign);
}

/* The NaN that operands, in the order in which they count, make; 0: none of them is one. */
static uint64_t nan_of(const struct format *f, uint64_t a, uint64_t b, uint64_t c, bool *invalid)
{
    const uint64_t v[3] = {a, b, c};
    uint64_t first = 0, signalling = 0;
    for (int i = 2; i >= 0; i--) {
        if (is_snan(f, v[i]))
            signalling = v[i];
        if (is_nan(f, v[i]))
            first = v[i];
    }
    *invalid = signalling != 0;
    if (!first)
        return 0;
    return ISA_NAN_PAYLOADS ? (signalling ? signalling | f->quiet : first) : f->inf | f->quiet;
}

/* What operation op of "+-*" "/" "s" (square root) "f" (a * b + c) gives when that is a NaN; else 0. */
static uint64_t expected(const struct format *f, char op, uint64_t a, uint64_t b, uint64_t c,
                         bool *invalid)
{
    bool made = false;
    uint64_t nan = op == 'f'   ? nan_of(f, c, a, b, invalid)
                   : op == 's' ? nan_of(f, a, 0, 0, invalid)
                               : nan_of(f, a, b, 0, invalid);
    bool zero_times_inf = (is_zero(f, a) && is_inf(f, b)) || (is_inf(f, a) && is_zero(f, b));
    switch (op) {
    case '+':
    case '-':
        made = is_inf(f, a) && is_inf(f, b) && ((a ^ b) & f->sign) != (op == '-' ? f->sign : 0);
        break;
    case '*':
        made = zero_times_inf;
        break;
    case '/':
        made = (is_zero(f, a) && is_zero(f, b)) || (is_inf(f, a) && is_inf(f, b));
        break;
    case 's':
        made = a & f->sign && !is_zero(f, a) && !nan;
        break;
    default:
        if (zero_times_inf && !is_snan(f, c)) /* whatever quiet NaN is added */
            made = true, nan = 0;
        else if (!nan)
            made = (is_inf(f, a) || is_inf(f, b)) && is_inf(f, c) && ((a ^ b ^ c) & f->sign);
    }
    *invalid |= made;
    return nan ? nan : made ? f->inf | f->quiet : 0;
}

/* ---- the loops ---- */

#define LOOP(name, T, expr)                                                                 \
    static __attribute__((noinline)) void name(T *d, const T *pa, const T *pb, const T *pc, \
                                               long n)                                      \
    {                                                                                       \
        for (long i = 0; i < n; i++) {                                                      \
            T a = pa[i], b = pb[i], c = pc[i];                                              \
            (void)b, (void)c;                                                               \
            d[i] = (expr);                                                                  \
        }                                                                                   \
    }
#define LOOPS(T, s)         \
    LOOP(add_##s, T, a + b) \
    LOOP(sub_##s, T, a - b) \
    LOOP(mul_##s, T, a *b)  \
    LOOP(div_##s, T, a / b)
LOOPS(double, f64)
LOOPS(float, f32)
LOOPS(v2d, v2d)
LOOPS(v4f, v4f)
LOOP(sqrt_f64, double, __builtin_sqrt(a))
LOOP(sqrt_f32, float, __builtin_sqrtf(a))
LOOP(fma_f64, double, __builtin_fma(a, b, c))
LOOP(fma_f32, float, __builtin_fmaf(a, b, c))
/* More than one operation, of which a later one meets the NaN of an earlier; a value that lies in memory in between. */
LOOP(chain_f64, double, (a - b) * 1.0 + c * 1.0)

union lanes {
    double d[2];
    float s[4];
    uint64_t w[2];
    uint32_t n[4];
    v2d v2;
    v4f v4;
};
enum { WARM_AT_ONCE = 100 };
static _Alignas(16) union lanes in[3][WARM_AT_ONCE], out[WARM_AT_ONCE];

typedef void loop_f64(double *d, const double *a, const double *b, const double *c, long n);
typedef void loop_f32(float *d, const float *a, const float *b, const float *c, long n);
typedef void loop_v2d(v2d *d, const v2d *a, const v2d *b, const v2d *c, long n);
typedef void loop_v4f(v4f *d, const v4f *a, const v4f *b, const v4f *c, long n);
static const struct {
    const char *name;
    char op;
    loop_f64 *f64;
    loop_f32 *f32;
    loop_v2d *v2d;
    loop_v4f *v4f;
} rows[] = {
    {"add", '+', .f64 = add_f64},
    {"subtract", '-', .f64 = sub_f64},
    {"multiply", '*', .f64 = mul_f64},
    {"divide", '/', .f64 = div_f64},
    {"square root", 's', .f64 = sqrt_f64},
    {"fused", 'f', .f64 = fma_f64},
    {"chain", 'c', .f64 = chain_f64},
    {"add, f32", '+', .f32 = add_f32},
    {"subtract, f32", '-', .f32 = sub_f32},
    {"multiply, f32", '*', .f32 = mul_f32},
    {"divide, f32", '/', .f32 = div_f32},
    {"square root, f32", 's', .f32 = sqrt_f32},
    {"fused, f32", 'f', .f32 = fma_f32},
    {"add, 2 x f64", '+', .v2d = add_v2d},
    {"subtract, 2 x f64", '-', .v2d = sub_v2d},
    {"multiply, 2 x f64", '*', .v2d = mul_v2d},
    {"divide, 2 x f64", '/', .v2d = div_v2d},
    {"add, 4 x f32", '+', .v4f = add_v4f},
    {"subtract, 4 x f32", '-', .v4f = sub_v4f},
    {"multiply, 4 x f32", '*', .v4f = mul_v4f},
    {"divide, 4 x f32", '/', .v4f = div_v4f},
};

static void run(unsigned row, long n)
{
    if (rows[row].f64)
        rows[row].f64(out[0].d, in[0][0].d, in[1][0].d, in[2][0].d, n);
    else if (rows[row].f32)
        rows[row].f32(out[0].s, in[0][0].s, in[1][0].s, in[2][0].s, n);
    else if (rows[row].v2d)
        rows[row].v2d(&out[0].v2, &in[0][0].v2, &in[1][0].v2, &in[2][0].v2, n);
    else
        rows[row].v4f(&out[0].v4, &in[0][0].v4, &in[1][0].v4, &in[2][0].v4, n);
}

/* (a - b) * 1 + c * 1 */
static uint64_t expected_of_chain(uint64_t a, uint64_t b, uint64_t c, bool *invalid)
{
    bool more;
    uint64_t x = expected(&f64, '-', a, b, 0, invalid),
             y = expected(&f64, '*', c, wide[2], 0, &more);
    *invalid |= more;
    if (!x && (is_inf(&f64, a) || is_inf(&f64, b)))
        x = is_inf(&f64, a) ? a : b ^ f64.sign;
    uint64_t z = expected(&f64, '+', x, y ? y : c, 0, &more);
    *invalid |= more;
    return z;
}

static void check(unsigned row, unsigned i, unsigned k, unsigned l)
{
    bool single = rows[row].f32 || rows[row].v4f;
    unsigned n = rows[row].v2d ? 2 : rows[row].v4f ? 4 : 1;
    const struct format *f = single ? &f32 : &f64;
    bool invalid = false;
    uint64_t want[4];
    for (unsigned lane = 0; lane < n; lane++) {
        /* Lane by lane other operands, one has those asked for, the others numbers or what is next. */
        unsigned x[3] = {i, k, l};
        for (int o = 0; o < 3; o++) {
            unsigned at = lane == (i + k) % n ? x[o] : lane & 1 ? 2 : (x[o] + lane) % N;
            if (single)
                in[o][0].n[lane] = narrow[at];
            else
                in[o][0].w[lane] = wide[at];
        }
        bool more;
        uint64_t v[3];
        for (int o = 0; o < 3; o++)
            v[o] = single ? in[o][0].n[lane] : in[o][0].w[lane];
        want[lane] = rows[row].op == 'c' ? expected_of_chain(v[0], v[1], v[2], &more)
                                         : expected(f, rows[row].op, v[0], v[1], v[2], &more);
        invalid |= more;
    }
    feclearexcept(FE_ALL_EXCEPT);
    run(row, 1);
    EXPECT_EQ(fetestexcept(FE_INVALID) != 0, invalid);
    for (unsigned lane = 0; lane < n; lane++) {
        uint64_t have = single ? out[0].n[lane] : out[0].w[lane];
        if (want[lane] ? have != want[lane] : is_nan(f, have)) {
            printf("%s of operands %u, %u and %u, lane %u\n", rows[row].name, i, k, l, lane);
            EXPECT_EQ(have, want[lane]);
        }
    }
}

static void arithmetic(unsigned row)
{
    bool single = rows[row].f32 || rows[row].v4f;
    unsigned third = rows[row].op == 'f' || rows[row].op == 'c' ? N : 1;
    for (unsigned o = 0; o < 3; o++) {
        for (unsigned i = 0; i < WARM_AT_ONCE; i++) {
            if (single)
                in[o][i].v4 = (v4f){1, 1, 1, 1};
            else
                in[o][i].v2 = (v2d){1, 1};
        }
    }
    for (unsigned i = 0; i < WARM / WARM_AT_ONCE; i++)
        run(row, WARM_AT_ONCE);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < N; i++) {
            for (unsigned k = 0; k < N; k++) {
                for (unsigned l = 0; l < third; l++)
                    check(row, i, k, l);
            }
        }
    }
}

/* ---- conversions and comparisons ---- */

static uint64_t bits(double v)
{
    uint64_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}
static uint32_t bits_f32(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}
static double number(uint64_t u)
{
    double v;
    memcpy(&v, &u, sizeof v);
    return v;
}
static float number_f32(uint32_t u)
{
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}

struct conversions {
    int64_t l;
    int32_t i, i_f32;
    uint32_t u;
    float f;
    double d;
    bool less, equal, less_f32;
};

static __attribute__((noinline)) void convert(struct conversions *c, const double *d,
                                              const float *f, const double *with, long n)
{
    for (long i = 0; i < n; i++) {
        c->l = (int64_t)d[i];
        c->i = (int32_t)d[i];
        c->u = (uint32_t)d[i];
        c->i_f32 = (int32_t)f[i];
        c->f = (float)d[i];
        c->d = f[i];
        c->less = d[i] < *with;
        c->less_f32 = f[i] > (float)*with;
        c->equal = d[i] == *with;
    }
}
/* The same one by one, for the flag of each. */
#define ONE(name, expr)                                                                          \
    static __attribute__((noinline)) long name(const double *d, const float *f, const double *w) \
    {                                                                                            \
        (void)d, (void)f, (void)w;                                                               \
        return (long)(expr);                                                                     \
    }
ONE(to_l, *d)
ONE(to_i_f32, (int32_t)*f)
ONE(less, *d < *w)
ONE(equal, *d == *w)

static uint64_t narrowed(uint64_t v)
{
    if (!ISA_NAN_PAYLOADS)
        return 0x7fc00000;
    return (v >> 32 & 0x80000000) | 0x7fc00000 | (v >> 29 & 0x3fffff);
}

static uint64_t widened(uint64_t v)
{
    if (!ISA_NAN_PAYLOADS)
        return 0x7ff8000000000000;
    return (v & 0x80000000) << 32 | 0x7ff8000000000000 | (v & 0x3fffff) << 29;
}

static void conversions(void)
{
    static const double others[] = {1e300, -1e300, 3e9, -3e9, 5e9, 0x1p63, -0x1p63, 2147483647.5};
    static double ones[100];
    static float ones_f32[100];
    struct conversions c;
    const double one = 1;
    for (unsigned i = 0; i < 100; i++)
        ones[i] = ones_f32[i] = 1;
    for (unsigned i = 0; i < WARM / 100; i++) {
        convert(&c, ones, ones_f32, &one, 100);
        for (unsigned k = 0; k < 100; k++)
            EXPECT(to_l(ones, ones_f32, &one) + to_i_f32(ones, ones_f32, &one) +
                       equal(ones, ones_f32, &one) ==
                   3 + less(ones, ones_f32, &one));
    }
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 4; i < N; i++) {
            const double d = number(wide[i]);
            const float f = number_f32(narrow[i]);
            bool nan = i > 5, positive = i == 4;
            int64_t l = nan ? ISA_INT_OF_NAN(INT64_MAX) : positive ? INT64_MAX : INT64_MIN;
            int32_t n = nan ? ISA_INT_OF_NAN(INT32_MAX) : positive ? INT32_MAX : INT32_MIN;
            feclearexcept(FE_ALL_EXCEPT);
            convert(&c, &d, &f, &one, 1);
            EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), FE_INVALID);
            EXPECT_EQ(c.l, l);
            EXPECT_EQ(c.i, n);
            EXPECT_EQ(c.i_f32, n);
            EXPECT_EQ(c.u, nan ? (uint32_t)ISA_INT_OF_NAN(-1) : positive ? UINT32_MAX : 0);
            EXPECT_EQ(bits_f32(c.f), nan ? narrowed(wide[i]) : narrow[i]);
            EXPECT_EQ(bits(c.d), nan ? widened(narrow[i]) : wide[i]);
            EXPECT_EQ(c.less, i == 5);
            EXPECT_EQ(c.less_f32, i == 4);
            EXPECT_EQ(c.equal, 0);
            feclearexcept(FE_ALL_EXCEPT);
            EXPECT_EQ(to_l(&d, &f, &one), l);
            EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), FE_INVALID);
            feclearexcept(FE_ALL_EXCEPT);
            EXPECT_EQ(to_i_f32(&d, &f, &one), n);
            EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), FE_INVALID);
            feclearexcept(FE_ALL_EXCEPT);
            EXPECT_EQ(less(&d, &f, &one), i == 5);
            EXPECT_EQ(less(&one, &f, &d), i == 4);
            EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), nan ? FE_INVALID : 0);
            feclearexcept(FE_ALL_EXCEPT);
            EXPECT_EQ(equal(&d, &f, &one), 0);
            EXPECT_EQ(equal(&one, &f, &d), 0);
            EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), i > 8 ? FE_INVALID : 0);
        }
        for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
            bool fits = others[i] >= -0x1p63 && others[i] < 0x1p63;
            feclearexcept(FE_ALL_EXCEPT);
            int64_t l = to_l(&others[i], ones_f32, &one);
            EXPECT_EQ(fetestexcept(FE_INVALID) != 0, !fits);
            EXPECT_EQ(l, others[i] == 1e300 || others[i] == 0x1p63     ? INT64_MAX
                         : others[i] == -1e300 || others[i] == -0x1p63 ? INT64_MIN
                         : others[i] == 3e9                            ? 3000000000
                         : others[i] == -3e9                           ? -3000000000
                         : others[i] == 5e9                            ? 5000000000
                                                                       : 2147483647);
        }
    }
}

/* ---- many NaNs, and signals between them ---- */

static volatile sig_atomic_t signals;
static volatile double zero;

static void on_alarm(int signo)
{
    (void)signo;
    /* Its own NaN, with flags that the interrupted code must not see. */
    feclearexcept(FE_ALL_EXCEPT);
    double nan = zero / zero;
    EXPECT_EQ(bits(nan), 0x7ff8000000000000);
    EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), FE_INVALID);
    signals++;
}

static __attribute__((noinline)) uint64_t make_nans(double inf, double step, long n)
{
    uint64_t all = 0;
    double sum = 1;
    for (long i = 0; i < n; i++) {
        __asm__ volatile("" : "+m"(inf));
        double made = inf - inf;
        all |= bits(made) ^ 0x7ff8000000000000;
        sum += step;
        __asm__ volatile("" : "+m"(sum));
    }
    return all | (bits(sum) ^ bits(1 + step * (double)n));
}

static double cpu_seconds(void)
{
    struct rusage r;
    EXPECT_OK(getrusage(RUSAGE_SELF, &r));
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void many(void)
{
    const struct itimerval often = {{0, 500}, {0, 500}}, off = {{0, 0}, {0, 0}};
    /* A host trap for each would take a thousand times as long as a number. */
    double start = cpu_seconds();
    EXPECT_EQ(make_nans(0, 1, 2000000) != 0, 1);
    double numbers = cpu_seconds() - start;
    EXPECT_EQ(make_nans(__builtin_inf(), 1, 2000000), 0);
    EXPECT(cpu_seconds() - start < 1 + 250 * numbers);

    struct sigaction act = {.sa_handler = on_alarm};
    EXPECT_OK(sigaction(SIGALRM, &act, NULL));
    EXPECT_OK(setitimer(ITIMER_REAL, &often, NULL));
    while (signals < 100) {
        feclearexcept(FE_ALL_EXCEPT);
        EXPECT_EQ(make_nans(__builtin_inf(), 0.5, 20), 0);
        EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), FE_INVALID);
        feclearexcept(FE_ALL_EXCEPT);
        EXPECT_EQ(make_nans(0, 0.5, 20) != 0, 1);
        EXPECT_EQ(fetestexcept(FE_ALL_EXCEPT), 0);
    }
    EXPECT_OK(setitimer(ITIMER_REAL, &off, NULL));
    /* A guest that blocks SIGFPE, and one that ignores it, sees none of this. */
    sigset_t fpe;
    sigemptyset(&fpe);
    sigaddset(&fpe, SIGFPE);
    EXPECT_OK(sigprocmask(SIG_BLOCK, &fpe, NULL));
    EXPECT_EQ(make_nans(__builtin_inf(), 0.25, 1000), 0);
    EXPECT_OK(kill(getpid(), SIGFPE));
    EXPECT_EQ(make_nans(__builtin_inf(), 0.25, 1000), 0);
    EXPECT_OK(sigpending(&fpe));
    EXPECT_EQ(sigismember(&fpe, SIGFPE), 1);
    signal(SIGFPE, SIG_IGN);
    EXPECT_OK(sigprocmask(SIG_UNBLOCK, &fpe, NULL));
    EXPECT_EQ(make_nans(__builtin_inf(), 0.25, 1000), 0);
}

int main(void)
{
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        arithmetic(i);
    conversions();
    many();
    printf("%zu kinds of arithmetic, conversions, %d signals\n", sizeof rows / sizeof rows[0],
           (int)signals);
    return 0;
}

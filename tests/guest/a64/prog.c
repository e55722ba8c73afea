/* Integers, floating point, strings, atomics, structures, signals and threads, printed: the peer must print the same. */
#include <arm_neon.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic long total;
static long plain;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *worker(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        total += (long)arg;
        if (i % 64 == 0) {
            pthread_mutex_lock(&lock);
            plain++;
            pthread_mutex_unlock(&lock);
        }
    }
    return NULL;
}

static sigjmp_buf back;
static volatile uint64_t seen;
static void handler(int sig, siginfo_t *info, void *ctx)
{
    (void)ctx;
    seen = (uintptr_t)info->si_addr;
    siglongjmp(back, sig);
}
static volatile double kept;
static void quiet_handler(int sig)
{
    kept = sqrt(sig * 1.25); /* disturbs the vector registers */
}

int main(void)
{
    uint32_t h = 2166136261u;
    char buf[300], out[300];
    for (int n = 0; n < 290; n++) {
        for (int i = 0; i < n; i++)
            buf[i] = (char)('a' + (i * 7 + n) % 26);
        buf[n] = 0;
        memset(out, '#', sizeof out);
        memcpy(out + n % 7, buf, (size_t)n % 280);
        memmove(out + 1, out, 200);
        h = (h ^ (uint32_t)strlen(buf)) * 16777619u;
        char *p = strchr(buf, 'q'), *r = strrchr(buf, 'c');
        h = (h ^ (uint32_t)(p ? p - buf : 999)) * 16777619u;
        h = (h ^ (uint32_t)(r ? r - buf : 999)) * 16777619u;
        h = (h ^ (uint32_t)(strcmp(buf, out) < 0)) * 16777619u;
        h = (h ^ (uint32_t)(memcmp(buf, out, (size_t)n) > 0)) * 16777619u;
        for (size_t i = 0; i < sizeof out; i++)
            h = (h ^ (uint8_t)out[i]) * 16777619u;
    }
    printf("strings %08x\n", h);

    double s = 0;
    float f = 1;
    for (int i = 1; i < 500; i++) {
        s += sin(i) * exp(-i / 100.0) + pow(i, 0.3) + fma(i, 0.1, -s / 7) + cbrt(i) +
             (double)(long)(s * 3.7);
        f = f * 1.01f + sqrtf((float)i) - floorf(f / 3) + roundf(f * 0.5f) * 0.001f;
    }
    printf("fp %a %a %.17g %ld %u\n", s, (double)f, s, lrint(s), (unsigned)f);

    uint8_t src[64], dst[64];
    for (int i = 0; i < 64; i++)
        src[i] = (uint8_t)(i * 37 + 11);
    uint8x16x4_t v4 = vld4q_u8(src);
    v4.val[1] = vaddq_u8(v4.val[1], v4.val[3]);
    vst4q_u8(dst, v4);
    uint8x8x3_t v3 = vld3_u8(src);
    v3.val[0] = vld1_lane_u8(src + 60, v3.val[0], 5);
    vst3_u8(dst + 8, v3);
    uint16x8x2_t v2 = vld2q_u16((uint16_t *)src);
    vst2q_u16((uint16_t *)dst + 16, v2);
    uint32x4_t d = vld1q_dup_u32((uint32_t *)(src + 4));
    uint32x2x2_t d2 = vld2_dup_u32((uint32_t *)(src + 12));
    vst1q_lane_u32((uint32_t *)dst, d, 2);
    vst1_u32((uint32_t *)dst + 1, d2.val[1]);
    vst2q_lane_u16((uint16_t *)(dst + 30), v2, 6);
    h = 0;
    for (int i = 0; i < 64; i++)
        h = h * 31 + dst[i];
    printf("structures %08x\n", h);

    pthread_t t[4];
    for (long i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, worker, (void *)(i + 1));
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    printf("threads %ld %ld\n", total, plain);

    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGILL, &sa, NULL);
    int sig = sigsetjmp(back, 1);
    if (!sig)
        *(volatile int *)0x123000 = 1;
    printf("signal %d at %llx\n", sig, (unsigned long long)seen);
    sig = sigsetjmp(back, 1);
    if (!sig)
        __asm__ volatile(".inst 0x00000000");
    printf("signal %d\n", sig);
    signal(SIGUSR1, quiet_handler);
    double x = 3.5;
    __asm__ volatile("" : "+w"(x));
    raise(SIGUSR1);
    printf("kept %g %g\n", x, kept);

    uint64_t a = 0x123456789abcdef0, b = 77;
    __uint128_t m = (__uint128_t)a * 0xfedcba9876543210 / b;
    printf("int %llx %llx %lld %d\n", (unsigned long long)(m >> 64), (unsigned long long)m,
           (long long)-a / 1000, __builtin_clzll(a) + __builtin_popcountll(b));
    /* A single's result has zeros above it, whatever lay above the operands. */
    uint64_t whole = 0;
    for (int i = 0; i < 300; i++) {
        uint64_t d;
        __asm__("mvni v2.4s, #0\n\tmvni v3.4s, #0\n\tfmov w1, s3\n\tmovi v4.4s, #0x40, lsl #24\n\t"
                "ins v2.s[0], v4.s[0]\n\tins v3.s[0], v4.s[1]\n\tfnmul s5, s2, s3\n\tfabd s6, s2, "
                "s5\n\t"
                "fmov %0, d5\n\tfmov x1, d6\n\teor %0, %0, x1, lsl #1"
                : "=r"(d)::"x1", "v2", "v3", "v4", "v5", "v6");
        whole += d + (uint64_t)i;
    }
    printf("singles %llx\n", (unsigned long long)whole);
    return 42;
}

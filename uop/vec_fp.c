/* uop/vec_fp.c: vectors of floating point, see the rows UOP_VF1 to VFC of uop.def.
 *
 * Owns: uop_vec_fp. Each lane is the scalar micro-op that its row names; where the host's instruction on the whole
 * vector gives the same (the rounding mode is direct and no lane's result is one for which FP_ENV asks otherwise)
 * that is used.
 *
 * Threading: pure but for the cpu passed in and the calling thread's MXCSR.
 */
#include "uop/fp.h"
#include "uop/vec.h"
#include <string.h>

struct row {
    uint16_t scalar;
    uint8_t from, to; /* bits of a lane */
    bool mask;
};

static const struct row rows[UOP_CODES] = {
#define UOP_VF1(name, scalar, S, D) [UOP_##name] = {UOP_##scalar, S, D, false},
#define UOP_VF2(name, scalar, S, D) [UOP_##name] = {UOP_##scalar, S, D, false},
#define UOP_VF3(name, scalar, S, D) [UOP_##name] = {UOP_##scalar, S, D, false},
#define UOP_VFC(name, scalar, S) [UOP_##name] = {UOP_##scalar, S, S, true},
#include "uop/uop_all.h"
};

typedef uint64_t vector __attribute__((vector_size(16))); /* an xmm operand, not a struct */

/* Is there a lane for which the host's result need not be the one that FP_ENV asks for? */
static bool odd(const uint64_t *v, unsigned bits)
{
    if (bits == 64)
        return fp_odd_f64(v[0]) || fp_odd_f64(v[1]);
    return fp_odd_f32(v[0]) || fp_odd_f32(v[0] >> 32) || fp_odd_f32(v[1]) || fp_odd_f32(v[1] >> 32);
}

/* By the host's instruction: false when it has none or the result is odd. */
static bool by_host(enum uop_code op, const struct row *r, uint64_t *d, const uint64_t *a,
                    const uint64_t *b, const uint64_t *c)
{
    vector x, y, z;
    memcpy(&x, a, 16);
    memcpy(&y, b, 16);
    switch (op) {
#define TWO(name, insn)                                      \
    case UOP_##name:                                         \
        __asm__ volatile(insn " %1, %0" : "+x"(x) : "x"(y)); \
        break;
        TWO(vfadd_f32, "addps")
        TWO(vfadd_f64, "addpd")
        TWO(vfsub_f32, "subps")
        TWO(vfsub_f64, "subpd")
        TWO(vfmul_f32, "mulps")
        TWO(vfmul_f64, "mulpd")
        TWO(vfdiv_f32, "divps")
        TWO(vfdiv_f64, "divpd")
        TWO(vfeq_f32, "cmpeqps")
        TWO(vfeq_f64, "cmpeqpd")
        TWO(vflt_f32, "cmpltps")
        TWO(vflt_f64, "cmpltpd")
        TWO(vfle_f32, "cmpleps")
        TWO(vfle_f64, "cmplepd")
#undef TWO
    case UOP_vfsqrt_f32:
        __asm__ volatile("sqrtps %0, %0" : "+x"(x));
        break;
    case UOP_vfsqrt_f64:
        __asm__ volatile("sqrtpd %0, %0" : "+x"(x));
        break;
    case UOP_vffma_f32:
    case UOP_vffma_f64:
        if (!fp_host_fma)
            return false;
        memcpy(&z, c, 16);
        if (op == UOP_vffma_f32)
            __asm__ volatile("vfmadd213ps %2, %1, %0" : "+x"(x) : "x"(y), "x"(z));
        else
            __asm__ volatile("vfmadd213pd %2, %1, %0" : "+x"(x) : "x"(y), "x"(z));
        break;
    default:
        return false;
    }
    uint64_t result[2];
    memcpy(result, &x, 16);
    if (!r->mask && odd(result, r->to))
        return false;
    memcpy(d, result, 16);
    return true;
}

void uop_vec_fp(struct cpu *cpu, enum uop_code op, unsigned imm, uint64_t *d, const uint64_t *a,
                const uint64_t *b, const uint64_t *c)
{
    const struct row *r = &rows[op];
    bool direct = r->mask ? !(cpu->fp_rules & FP_FZ) : imm < 16 && cpu->fp_direct >> imm & 1;
    if (direct && by_host(op, r, d, a, b, c))
        return;
    unsigned n = 128u / (r->from > r->to ? r->from : r->to);
    uint64_t result[2] = {0, 0};
    for (unsigned i = 0; i < n; i++) {
        uint64_t x[3] = {0}, v;
        const uint64_t *const operand[3] = {a, b, c};
        for (int k = 0; k < 3; k++) { /* an addend is as wide as the result */
            unsigned bytes = (k == 2 ? r->to : r->from) / 8u;
            memcpy(&x[k], (const char *)operand[k] + i * bytes, bytes);
        }
        v = fp_do(cpu, r->scalar, imm, x[0], x[1], x[2]);
        if (r->mask)
            v = -v;
        memcpy((char *)result + i * (r->to / 8u), &v, r->to / 8u);
    }
    memcpy(d, result, 16);
}

/* uop/sem.c: evaluation of micro-ops by number.
 *
 * Owns: uop_eval, the constant folder's way to the functions of uop/sem.h; uop_call,
 * translated code's; uop_rdtime.
 *
 * Threading: pure, but for the calling thread's MXCSR.
 */
#include "uop/sem.h"
#include "uop/cpu.h"
#include "uop/fp.h"
#include "uop/vec.h"
#include <time.h>

bool uop_eval(enum uop_code op, uint64_t a, uint64_t b, uint64_t c, uint64_t *d)
{
    switch (op) {
#define UOP_P1(name, ...)             \
    case UOP_##name:                  \
        *d = uop_sem_##name(a, b, c); \
        return true;
#define UOP_P2(name, ...)             \
    case UOP_##name:                  \
    case UOP_##name##_i:              \
        *d = uop_sem_##name(a, b, c); \
        return true;
#define UOP_P3(name, ...) UOP_P1(name)
#include "uop/uop_all.h"
    default:
        return false;
    }
}

uint64_t uop_rdtime(int clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Host instructions may be used, which in translated code would trap. */
static void without_traps(struct cpu *cpu, enum uop_code op, unsigned imm)
{
    uint32_t masks = fp_get_mxcsr() & FP_MXCSR_MASKS;
    if (masks != FP_MXCSR_MASKS)
        fp_set_mxcsr(fp_get_mxcsr() | FP_MXCSR_MASKS);
    uop_vec_fp(cpu, op, imm, cpu->call_result, cpu->call_arg[0], cpu->call_arg[1],
               cpu->call_arg[2]);
    if (masks == FP_MXCSR_MASKS)
        return;
    fp_set_mxcsr(fp_mxcsr_settled((fp_get_mxcsr() & ~FP_MXCSR_MASKS) | masks));
    cpu->mxcsr |= fp_get_mxcsr() & FP_MXCSR_FLAGS; /* as traps want it: codecache/trap.h */
}

uint64_t uop_call(struct cpu *cpu, uint64_t code, uint64_t unused)
{
    (void)unused;
    uint64_t *a = cpu->call_arg[0], *b = cpu->call_arg[1], *c = cpu->call_arg[2];
    enum uop_code op = (enum uop_code)(code & 0xffff);
    uint64_t d;
    if (uop_eval(op, *a, *b, *c, &d))
        return d;
    switch (op) {
    case UOP_rdtime:
        return uop_rdtime((int)*b);
#define UOP_V1(name, ...)                                   \
    case UOP_##name:                                        \
        uop_vec_##name(cpu->call_result, a, cpu->call_imm); \
        return cpu->call_result[0];
#define UOP_V2(name, ...)                       \
    case UOP_##name:                            \
        uop_vec_##name(cpu->call_result, a, b); \
        return cpu->call_result[0];
#define UOP_VX(name, ...)                                         \
    case UOP_##name:                                              \
        uop_vec_##name(cpu->call_result, a, b, c, cpu->call_imm); \
        return cpu->call_result[0];
#define UOP_VF1(name, ...) case UOP_##name:
#define UOP_VF2(name, ...) case UOP_##name:
#define UOP_VF3(name, ...) case UOP_##name:
#define UOP_VFC(name, ...) case UOP_##name:
#include "uop/uop_all.h"
        without_traps(cpu, op, (unsigned)(code >> 16));
        return cpu->call_result[0];
    default:
        return fp_do(cpu, op, (unsigned)(code >> 16), *a, *b, *c);
    }
}

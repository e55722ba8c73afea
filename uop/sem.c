/* uop/sem.c: evaluation of pure micro-ops by number.
 *
 * Owns: uop_eval, the constant folder's way to the functions of uop/sem.h, and uop_rdtime.
 *
 * Threading: pure.
 */
#include "uop/sem.h"
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

uint64_t uop_rdtime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* uop/sem.c: evaluation of pure micro-ops by number.
 *
 * Owns: uop_eval, the constant folder's way to the functions of uop/sem.h.
 *
 * Threading: pure.
 */
#include "uop/sem.h"

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

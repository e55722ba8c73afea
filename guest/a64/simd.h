/* What the two files of AdvSIMD lifters share.
 *
 * Owns: nothing; the functions are in lift_simd.c.
 *
 * Threading: works on the caller's struct lift only.
 */
#ifndef DRAGOMAN_GUEST_A64_SIMD_H
#define DRAGOMAN_GUEST_A64_SIMD_H

#include "guest/a64/fp.h"

/* Write vector t to register d; the upper half is zero unless wide. */
void a64_vresult(struct lift *l, unsigned d, uint8_t t, bool wide);
/* Lane i of 1 << size bytes of register v, zero-extended. */
uint8_t a64_lane(struct lift *l, unsigned v, unsigned size, unsigned i);

#endif

/* Shared by emit.c and label.c only: room in the buffer and fix-ups.
 *
 * A 32-bit field that waits for its label holds the offset of the label's previous such field in the
 * low 28 bits and the number of bytes from the field's end to the instruction's end in the high 4.
 */
#ifndef DRAGOMAN_HOST_X64_EMIT_INT_H
#define DRAGOMAN_HOST_X64_EMIT_INT_H

#include "host/x64/emit.h"

#define X64_MAX_INSN 16

/* Where the next instruction goes. */
uint8_t *x64_room_slow(struct x64_emit *e);
static inline uint8_t *x64_room(struct x64_emit *e)
{
    if (__builtin_expect(e->p > e->limit, 0))
        return x64_room_slow(e);
    return e->p;
}

static inline uint8_t *x64_put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
    return p + 4;
}

/* Write the rel32 field at p that leads to label, or enter it in the label's chain. */
void x64_fix32(struct x64_emit *e, uint8_t *p, unsigned label, unsigned imm_len);

#endif

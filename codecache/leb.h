/* Numbers of variable length (LEB128), of which side tables and tables of traps are made. Inside codecache/. */
#ifndef DRAGOMAN_CODECACHE_LEB_H
#define DRAGOMAN_CODECACHE_LEB_H

#include <stdbool.h>
#include <stdint.h>

static inline void cc_put_number(uint8_t *buf, uint32_t *len, uint32_t cap, bool *overflow,
                                 uint64_t v)
{
    do {
        if (*len >= cap) {
            *overflow = true;
            return;
        }
        buf[(*len)++] = (uint8_t)((v & 0x7f) | (v > 0x7f) << 7);
        v >>= 7;
    } while (v);
}

static inline uint64_t cc_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t cc_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct cc_reader {
    const uint8_t *p, *end;
};

static inline uint64_t cc_get_number(struct cc_reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; r->p < r->end && shift < 64; shift += 7) {
        uint8_t b = *r->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            break;
    }
    return v;
}

#endif

/* host/x64/label.c: labels, jumps, patch sites, alignment, data. See emit.h.
 *
 * After an overflow offsets mean nothing any more, so nothing is patched then.
 */
#include "host/x64/emit_int.h"

#define NO_LABEL 0u

unsigned x64_label(struct x64_emit *e)
{
    if (e->nlabels >= e->max_labels) {
        e->overflow = true;
        return NO_LABEL;
    }
    e->labels[e->nlabels] = (struct x64_label){X64_UNBOUND, X64_UNBOUND, X64_UNBOUND};
    return e->nlabels++;
}

void x64_fix32(struct x64_emit *e, uint8_t *p, unsigned label, unsigned imm_len)
{
    if (e->overflow || label >= e->nlabels)
        return;
    struct x64_label *l = &e->labels[label];
    uint32_t at = (uint32_t)(p - e->start);
    if (l->pos != X64_UNBOUND) {
        x64_put32(p, l->pos - (at + 4 + imm_len));
        return;
    }
    x64_put32(p, l->chain | imm_len << 28);
    l->chain = at;
}

/* Like x64_fix32 for an 8-bit field: it holds the distance back to the previous one, 0 for none. */
static void fix8(struct x64_emit *e, uint8_t *p, unsigned label)
{
    if (e->overflow || label >= e->nlabels)
        return;
    struct x64_label *l = &e->labels[label];
    uint32_t at = (uint32_t)(p - e->start);
    uint32_t back = l->near8 == X64_UNBOUND ? 0 : at - l->near8;
    if (back > 255) { /* the older one is out of reach of any label after this one */
        e->far8 = true;
        back = 0;
    }
    *p = (uint8_t)back;
    l->near8 = at;
}

void x64_bind(struct x64_emit *e, unsigned label)
{
    if (e->overflow || label >= e->nlabels)
        return;
    struct x64_label *l = &e->labels[label];
    uint32_t here = x64_offset(e);

    l->pos = here;
    for (uint32_t at = l->chain; at != X64_UNBOUND;) {
        uint32_t link;
        memcpy(&link, e->start + at, 4);
        x64_put32(e->start + at, here - (at + 4 + (link >> 28)));
        at = link & X64_UNBOUND;
    }
    for (uint32_t at = l->near8; at != X64_UNBOUND;) {
        uint8_t back = e->start[at];
        if (here - (at + 1) > 127)
            e->far8 = true;
        e->start[at] = (uint8_t)(here - (at + 1));
        at = back ? at - back : X64_UNBOUND;
    }
    l->chain = l->near8 = X64_UNBOUND;
}

/* A backward target within reach of a two-byte jump at p; *rel is its displacement. */
static bool reaches8(const struct x64_emit *e, const uint8_t *p, unsigned label, int8_t *rel)
{
    if (e->overflow || label >= e->nlabels || e->labels[label].pos == X64_UNBOUND)
        return false;
    int64_t d = (int64_t)e->labels[label].pos - ((p - e->start) + 2);
    *rel = (int8_t)d;
    return d == (int8_t)d;
}

static void jump(struct x64_emit *e, uint8_t op8, unsigned op32, unsigned label, bool want8)
{
    uint8_t *p = x64_room(e);
    int8_t rel;

    if (reaches8(e, p, label, &rel)) {
        *p++ = op8;
        *p++ = (uint8_t)rel;
    } else if (want8 && !e->no8 && !e->overflow && label < e->nlabels && !x64_bound(e, label)) {
        *p++ = op8;
        fix8(e, p, label);
        p++;
    } else {
        if (op32 > 0xff)
            *p++ = (uint8_t)(op32 >> 8);
        *p++ = (uint8_t)op32;
        x64_fix32(e, p, label, 0);
        p += 4;
    }
    e->p = p;
}

void x64_jmp(struct x64_emit *e, unsigned label)
{
    jump(e, 0xeb, 0xe9, label, false);
}
void x64_jmp8(struct x64_emit *e, unsigned label)
{
    jump(e, 0xeb, 0xe9, label, true);
}

void x64_jcc(struct x64_emit *e, enum x64_cc cc, unsigned label)
{
    jump(e, (uint8_t)(0x70 | cc), 0x0f80u | cc, label, false);
}

void x64_jcc8(struct x64_emit *e, enum x64_cc cc, unsigned label)
{
    jump(e, (uint8_t)(0x70 | cc), 0x0f80u | cc, label, true);
}

/* A 5- or 6-byte jump or call. Returns where its field is. */
static uint8_t *rel32(struct x64_emit *e, unsigned op)
{
    uint8_t *p = x64_room(e);
    if (op > 0xff)
        *p++ = (uint8_t)(op >> 8);
    *p++ = (uint8_t)op;
    e->p = x64_put32(p, 0);
    return p;
}

void x64_call(struct x64_emit *e, unsigned label)
{
    x64_fix32(e, rel32(e, 0xe8), label, 0);
}

static void ext(struct x64_emit *e, unsigned op, uint32_t target)
{
    uint8_t *p = rel32(e, op);
    if (e->overflow)
        return;
    if (e->nrelocs >= e->max_relocs) {
        e->overflow = true;
        return;
    }
    e->relocs[e->nrelocs++] = (struct x64_reloc){(uint32_t)(p - e->start), target};
}

void x64_jmp_ext(struct x64_emit *e, uint32_t target)
{
    ext(e, 0xe9, target);
}
void x64_jcc_ext(struct x64_emit *e, enum x64_cc cc, uint32_t target)
{
    ext(e, 0x0f80u | cc, target);
}
void x64_call_ext(struct x64_emit *e, uint32_t target)
{
    ext(e, 0xe8, target);
}

void x64_sub_ext_i8(struct x64_emit *e, uint32_t target, int8_t imm)
{
    /* 83 /5 ib with a RIP-relative operand */
    x64_byte(e, 0x83);
    ext(e, 0x05 | X64_SUB << 3, target);
    if (!e->overflow)
        x64_put32(e->p - 4, (uint32_t)-1);
    x64_byte(e, (uint8_t)imm);
}

/* A store of 4 bytes is atomic for other processors' instruction fetch when it stays within 8 aligned
 * bytes (AMD APM volume 2, 7.3.2 and 7.6.1; Intel SDM volume 3, 8.1.1). */
static unsigned patch_padding(const struct x64_emit *e, unsigned op)
{
    unsigned field = (x64_offset(e) + (op > 0xff ? 2 : 1)) & 7;
    return field > 4 ? 8 - field : 0;
}

static uint32_t patchable(struct x64_emit *e, unsigned op, unsigned label)
{
    unsigned pad = patch_padding(e, op);
    if (pad)
        x64_nop(e, pad);
    uint8_t *p = rel32(e, op);
    x64_fix32(e, p, label, 0);
    return (uint32_t)(p - e->start);
}

uint32_t x64_jmp_patch(struct x64_emit *e, unsigned label)
{
    return patchable(e, 0xe9, label);
}
unsigned x64_jcc_patch_padding(const struct x64_emit *e)
{
    return patch_padding(e, 0x0f80);
}
uint32_t x64_jcc_patch(struct x64_emit *e, enum x64_cc cc, unsigned label)
{
    return patchable(e, 0x0f80u | cc, label);
}
uint32_t x64_call_patch(struct x64_emit *e, unsigned label)
{
    return patchable(e, 0xe8, label);
}

void x64_nop(struct x64_emit *e, unsigned n)
{
    /* The forms that both makers recommend, by length. */
    static const uint8_t nop[9][9] = {
        {0x90},
        {0x66, 0x90},
        {0x0f, 0x1f, 0x00},
        {0x0f, 0x1f, 0x40, 0x00},
        {0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
        {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    };
    while (n) {
        unsigned len = n < 9 ? n : 9;
        uint8_t *p = x64_room(e);
        memcpy(p, nop[len - 1], 9);
        e->p = p + len;
        n -= len;
    }
}

void x64_align(struct x64_emit *e, unsigned align)
{
    x64_nop(e, -x64_offset(e) & (align - 1));
}

void x64_byte(struct x64_emit *e, uint8_t v)
{
    uint8_t *p = x64_room(e);
    *p = v;
    e->p = p + 1;
}

void x64_data(struct x64_emit *e, const void *data, size_t len)
{
    const uint8_t *s = data;
    while (len) {
        size_t n = len < 8 ? len : 8;
        uint8_t *p = x64_room(e);
        memcpy(p, s, n);
        e->p = p + n;
        s += n;
        len -= n;
    }
}

/* guest/a64/lift_simd_mem.c: from decoded instructions to micro-ops: AdvSIMD structure loads and stores.
 *
 * Owns: the meaning of these rows of a64.decode. Bit 22 loads, bit 23 writes the base back. Registers are written
 * behind the last access.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/simd.h"

static void structure_back(struct lift *l, const struct a64_insn *in, unsigned bytes)
{
    if (!W(23, 23))
        return;
    if (W(20, 16) == 31)
        emit_to(l, in->rn, UOP_add_64_i, in->rn, bytes);
    else
        lift_emit(l, UOP_add_64, in->rn, in->rn, (uint8_t)W(20, 16), 0, 0);
}

/* Before anything else: the stack pointer as it will be. */
static void structure_stack(struct lift *l, const struct a64_insn *in, unsigned bytes)
{
    if (!W(23, 23) || in->rn != A64_SP)
        return;
    if (W(20, 16) != 31)
        lift_new_stack(l, emit2(l, UOP_add_64, in->rn, (uint8_t)W(20, 16)));
    else if (bytes % 16)
        lift_new_stack(l, emit_i(l, UOP_add_64_i, in->rn, bytes));
}

/* opcode to registers of a structure, and how many structures' worth (ld1 of several registers) */
static void structure_shape(unsigned opcode, unsigned *elements, unsigned *repeats)
{
    *elements = opcode == 0 ? 4 : opcode == 4 ? 3 : opcode == 8 ? 2 : 1;
    *repeats = opcode == 2 ? 4 : opcode == 6 ? 3 : opcode == 10 ? 2 : 1;
}

/* Whole registers' worth of memory, in order. */
static uint8_t load_part(struct lift *l, const struct a64_insn *in, unsigned at, unsigned bytes)
{
    uint8_t t = lift_vtemp(l);
    if (bytes == 16) {
        lift_emit(l, UOP_ld_v128, t, in->rn, 0, 0, at);
    } else {
        lift_emit(l, UOP_ld_64, t, in->rn, 0, 0, at);
        emit_to(l, t + 1, UOP_movi, 0, 0);
    }
    return t;
}

static void store_part(struct lift *l, const struct a64_insn *in, uint8_t v, unsigned at,
                       unsigned bytes)
{
    lift_emit(l, bytes == 16 ? UOP_st_v128 : UOP_st_64, 0, in->rn, v, 0, at);
}

static uint8_t unzip(struct lift *l, uint8_t a, uint8_t b, bool odd, unsigned size)
{
    return a64_vec_i(l, odd ? UOP_vuzp2 : UOP_vuzp1, a, b, size);
}

static uint8_t zip(struct lift *l, uint8_t a, uint8_t b, bool upper, unsigned size)
{
    return a64_vec_i(l, upper ? UOP_vzip2 : UOP_vzip1, a, b, size);
}

/* Structures of two and four: t[] is what lies in memory, in vectors, and becomes the registers; and the way back. Of 64-bit
 * registers there are half as many vectors in memory. */
static void take_apart(struct lift *l, uint8_t *t, unsigned elements, bool wide, unsigned size)
{
    if (elements == 2) {
        uint8_t a = t[0], b = wide ? t[1] : a;
        t[0] = unzip(l, a, b, false, size);
        t[1] = unzip(l, a, b, true, size);
        return;
    }
    for (unsigned odd = 0; odd < 2; odd++) {
        uint8_t x = unzip(l, t[0], t[1], odd, size);
        uint8_t y = wide ? unzip(l, t[2], t[3], odd, size) : x;
        t[4 + odd] = unzip(l, x, y, false, size);
        t[6 + odd] = unzip(l, x, y, true, size);
    }
    for (unsigned r = 0; r < 4; r++)
        t[r] = t[4 + r];
}

static void put_together(struct lift *l, uint8_t *t, unsigned elements, bool wide, unsigned size)
{
    uint8_t even[2] = {t[0], t[0]}, odd[2] = {t[1], t[1]};
    if (elements == 4) {
        for (unsigned upper = 0; upper <= wide; upper++) {
            even[upper] = zip(l, t[0], t[2], upper, size);
            odd[upper] = zip(l, t[1], t[3], upper, size);
        }
    }
    for (unsigned i = 0; i < elements / (wide ? 1 : 2); i++)
        t[i] = zip(l, even[i / 2], odd[i / 2], i & 1, size);
}

/* Structures of three, lane by lane: the registers' 64-bit halves are put together in temporaries from the lanes in
 * memory, or taken apart. */
static void three(struct lift *l, const struct a64_insn *in, unsigned size)
{
    static const uint16_t load[4] = {UOP_ld_u8, UOP_ld_u16, UOP_ld_u32, UOP_ld_64};
    static const uint16_t store[4] = {UOP_st_8, UOP_st_16, UOP_st_32, UOP_st_64};
    unsigned halves = 1 + Q, per = 8u >> size, kept = 0;
    uint8_t part[6];
    for (unsigned r = 0; r < 3; r++)
        for (unsigned h = 0; h < halves; h++) {
            uint8_t unit = a64_v(in->rd + r) + h, sum = 0;
            for (unsigned i = 0; i < per; i++) {
                int64_t at = (int64_t)((h * per + i) * 3 + r) << size;
                if (!W(22, 22)) {
                    uint8_t t = i ? emit_i(l, UOP_shr_64_i, unit, i << (3 + size)) : unit;
                    lift_emit(l, store[size], 0, in->rn, t, 0, at);
                    /* Nothing is kept between lanes but what the first access made of the address (lift_emit). */
                    if (kept)
                        l->temps = kept;
                    else
                        kept = l->temps;
                    continue;
                }
                unsigned keep = l->temps;
                uint8_t t = emit_i(l, load[size], in->rn, at);
                if (!i) {
                    sum = t;
                    continue;
                }
                lift_emit(l, UOP_shl_64_i, t, t, 0, 0, i << (3 + size));
                lift_emit(l, UOP_or_64, sum, sum, t, 0, 0);
                l->temps = keep;
            }
            part[2 * r + h] = sum;
        }
    for (unsigned r = 0; r < 3 && W(22, 22); r++) {
        emit_to(l, a64_v(in->rd + r), UOP_mov_64, part[2 * r], 0);
        emit_to(l, a64_v(in->rd + r) + 1, Q ? UOP_mov_64 : UOP_movi, Q ? part[2 * r + 1] : 0, 0);
    }
}

LIFT(vldst)
{
    unsigned elements, repeats, size = W(11, 10), bytes = Q ? 16 : 8;
    structure_shape(W(15, 12), &elements, &repeats);
    unsigned regs = elements * repeats;
    uint8_t t[8];
    structure_stack(l, in, regs * bytes);
    if (elements == 3) {
        three(l, in, size);
        structure_back(l, in, regs * bytes);
        return;
    }
    /* Vectors in memory: as many as registers, or half as many, whole, for structures of 64-bit registers. */
    unsigned parts = elements > 1 && !Q ? regs / 2 : regs, each = regs * bytes / parts;
    if (W(22, 22)) {
        for (unsigned i = 0; i < parts; i++)
            t[i] = load_part(l, in, i * each, each);
        if (elements > 1)
            take_apart(l, t, elements, Q, size);
        for (unsigned r = 0; r < regs; r++)
            a64_vresult(l, (in->rd + r) & 31, t[r], Q);
    } else {
        for (unsigned r = 0; r < regs; r++)
            t[r] = a64_v(in->rd + r);
        if (elements > 1)
            put_together(l, t, elements, Q, size);
        for (unsigned i = 0; i < parts; i++)
            store_part(l, in, t[i], i * each, each);
    }
    structure_back(l, in, regs * bytes);
}

/* One lane of each register. */
LIFT(vldst1)
{
    static const uint16_t load[4] = {UOP_ld_u8, UOP_ld_u16, UOP_ld_u32, UOP_ld_64};
    static const uint16_t store[4] = {UOP_st_8, UOP_st_16, UOP_st_32, UOP_st_64};
    unsigned size = W(15, 14), regs = (W(13, 13) << 1 | W(21, 21)) + 1;
    if (size == 2 && W(10, 10))
        size = 3;
    unsigned i = (Q << 3 | W(12, 12) << 2 | W(11, 10)) >> size;
    uint8_t t[4];
    structure_stack(l, in, regs << size);
    for (unsigned r = 0; r < regs; r++) {
        if (W(22, 22))
            t[r] = emit_i(l, load[size], in->rn, (int64_t)r << size);
        else
            lift_emit(l, store[size], 0, in->rn, a64_lane(l, in->rd + r, size, i), 0,
                      (int64_t)r << size);
    }
    for (unsigned r = 0; r < regs && W(22, 22); r++)
        a64_insert(l, in->rd + r, size, i, t[r]);
    structure_back(l, in, regs << size);
}

/* One lane to all lanes. */
LIFT(vldr)
{
    static const uint16_t load[4] = {UOP_ld_u8, UOP_ld_u16, UOP_ld_u32, UOP_ld_64};
    unsigned size = W(11, 10), regs = (W(13, 13) << 1 | W(21, 21)) + 1;
    uint8_t t[4];
    structure_stack(l, in, regs << size);
    for (unsigned r = 0; r < regs; r++)
        t[r] = emit_i(l, load[size], in->rn, (int64_t)r << size);
    for (unsigned r = 0; r < regs; r++)
        a64_vresult(l, (in->rd + r) & 31, a64_vec_i(l, UOP_vdup, t[r], 0, size), Q);
    structure_back(l, in, regs << size);
}

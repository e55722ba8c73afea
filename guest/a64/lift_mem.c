/* guest/a64/lift_mem.c: from decoded instructions to micro-ops: loads, stores, atomics.
 *
 * Owns: the meaning of the load and store rows of a64.decode but AdvSIMD's structures.
 *
 * Invariants: no slot is written before the last access of the instruction. A pair of registers is two
 * accesses, the lower address first.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/simd.h"

uint8_t a64_extend(struct lift *l, unsigned rm, unsigned option);
void a64_indexed(struct lift *l, uint8_t d, uint8_t base, uint8_t index, unsigned shift);

/* An address is a unit and a displacement. Write-back adds step to the base register, behind the accesses, so that the
 * old value is not needed any more; `late` is the sum where an access has overwritten the base (a load to its own base
 * with write-back, CONSTRAINED UNPREDICTABLE, DDI 0487 K1.2: the base gets the sum). */
struct address {
    uint8_t base, late;
    bool back;
    int64_t disp, step;
};

static void will_write_back(struct lift *l, struct address *a, int64_t step, bool overwritten)
{
    a->back = true;
    a->step = step;
    if (overwritten)
        a->late = emit_i(l, UOP_add_64_i, a->base, step);
    if (a->base == A64_SP && step % 16)
        lift_new_stack(l, emit_i(l, UOP_add_64_i, a->base, step));
}

static struct address address(struct lift *l, const struct a64_insn *in, enum a64_mode mode,
                              unsigned scale)
{
    struct address a = {.base = in->rn};
    switch (mode) {
    case MODE_UIMM:
        a.disp = (int64_t)((uint64_t)in->imm << scale);
        break;
    case MODE_IMM:
        a.disp = in->imm;
        break;
    case MODE_PRE:
        a.disp = in->imm;
        will_write_back(l, &a, in->imm, in->rd == in->rn);
        break;
    case MODE_POST:
        will_write_back(l, &a, in->imm, in->rd == in->rn);
        break;
    case MODE_REG:
        a.base = lift_temp(l);
        lift_stack_base(l, in->rn);
        a64_indexed(l, a.base, in->rn, a64_extend(l, in->rm, W(15, 13)), W(12, 12) ? scale : 0);
        break;
    }
    return a;
}

static void write_back(struct lift *l, const struct a64_insn *in, struct address a)
{
    if (a.late)
        emit_to(l, in->rn, UOP_mov_64, a.late, 0);
    else if (a.back)
        emit_to(l, in->rn, UOP_add_64_i, in->rn, a.step);
}

LIFT(mem)
{
    static const uint16_t load[4] = {UOP_ld_u8, UOP_ld_u16, UOP_ld_u32, UOP_ld_64};
    static const uint16_t store[4] = {UOP_st_8, UOP_st_16, UOP_st_32, UOP_st_64};
    static const uint16_t loads[4] = {UOP_ld_s8, UOP_ld_s16, UOP_ld_s32, UOP_ld_64};
    unsigned size = W(31, 30), opc = W(23, 22);
    struct address a = address(l, in, arg, size);
    if (opc == 0) {
        lift_emit(l, store[size], 0, a.base, a64_x(in->rd), 0, a.disp);
    } else if (opc == 3) {
        uint8_t t = emit_i(l, loads[size], a.base, a.disp);
        if (in->rd != 31)
            emit_to(l, in->rd, UOP_zext32, t, 0);
    } else {
        lift_emit(l, opc == 1 ? load[size] : loads[size], a64_xd(l, in->rd), a.base, 0, 0, a.disp);
    }
    write_back(l, in, a);
}

/* Load 1 << scale bytes into vector register v, the rest of it zero; or store. A load that is not to be
 * written yet goes to a temporary, *late. */
static void load_v(struct lift *l, unsigned v, unsigned scale, uint8_t base, int64_t disp,
                   uint8_t *late)
{
    static const uint16_t load[4] = {UOP_ld_u8, UOP_ld_u16, UOP_ld_u32, UOP_ld_64};
    uint8_t to = late ? lift_vtemp(l) : a64_v(v);
    if (scale == 4) {
        lift_emit(l, UOP_ld_v128, to, base, 0, 0, disp);
    } else {
        lift_emit(l, load[scale], to, base, 0, 0, disp);
        emit_to(l, to + 1, UOP_movi, 0, 0);
    }
    if (late)
        *late = to;
}

static void store_v(struct lift *l, unsigned v, unsigned scale, uint8_t base, int64_t disp)
{
    static const uint16_t store[4] = {UOP_st_8, UOP_st_16, UOP_st_32, UOP_st_64};
    lift_emit(l, scale == 4 ? UOP_st_v128 : store[scale], 0, base, a64_v(v), 0, disp);
}

LIFT(memv)
{
    unsigned scale = W(23, 23) << 2 | W(31, 30);
    struct address a = address(l, in, arg, scale);
    if (W(22, 22))
        load_v(l, in->rd, scale, a.base, a.disp, NULL);
    else
        store_v(l, in->rd, scale, a.base, a.disp);
    write_back(l, in, a);
}

LIFT(ld_lit)
{
    uint8_t base = emit_const(l, l->pc + (uint64_t)in->imm);
    lift_emit(l, arg, a64_xd(l, in->rd), base, 0, 0, 0);
}

LIFT(ldv_lit)
{
    load_v(l, in->rd, 2 + W(31, 30), emit_const(l, l->pc + (uint64_t)in->imm), 0, NULL);
}

/* Where a pair's accesses are; the immediate counts elements. */
static struct address pair_address(struct lift *l, const struct a64_insn *in, enum a64_pair mode,
                                   unsigned scale)
{
    int64_t off = (int64_t)((uint64_t)in->imm << scale);
    struct address a = {.base = in->rn, .disp = mode == PAIR_POST ? 0 : off};
    if (mode != PAIR_OFF)
        will_write_back(l, &a, off, in->rd == in->rn || in->ra == in->rn);
    return a;
}

LIFT(pair)
{
    unsigned scale = W(31, 31) ? 3 : 2;
    struct address a = pair_address(l, in, arg, scale);
    int64_t next = a.disp + (1 << scale);
    if (W(22, 22)) {
        enum uop_code op = scale == 3 ? UOP_ld_64 : W(30, 30) ? UOP_ld_s32 : UOP_ld_u32;
        uint8_t first = emit_i(l, op, a.base, a.disp);
        lift_emit(l, op, a64_xd(l, in->ra), a.base, 0, 0, next);
        if (in->rd != 31)
            emit_to(l, in->rd, UOP_mov_64, first, 0);
    } else {
        enum uop_code op = scale == 3 ? UOP_st_64 : UOP_st_32;
        lift_emit(l, op, 0, a.base, a64_x(in->rd), 0, a.disp);
        lift_emit(l, op, 0, a.base, a64_x(in->ra), 0, next);
    }
    write_back(l, in, a);
}

LIFT(pairv)
{
    unsigned scale = 2 + W(31, 30);
    struct address a = pair_address(l, in, arg, scale);
    int64_t next = a.disp + (1 << scale);
    if (W(22, 22)) {
        uint8_t late;
        load_v(l, in->rd, scale, a.base, a.disp, &late);
        load_v(l, in->ra, scale, a.base, next, NULL);
        emit_to(l, a64_v(in->rd), UOP_mov_64, late, 0);
        emit_to(l, a64_v(in->rd) + 1, UOP_mov_64, late + 1, 0);
    } else {
        store_v(l, in->rd, scale, a.base, a.disp);
        store_v(l, in->ra, scale, a.base, next);
    }
    write_back(l, in, a);
}

/* ---- acquire, release, exclusives ---- */

/* Without FEAT_LSE2 the address of these is aligned to what is accessed, or faults. */
static void check_unit_aligned(struct lift *l, uint8_t address, unsigned scale)
{
    if (scale)
        lift_emit(l, UOP_align, 0, address, emit_const(l, (1u << scale) - 1), 0, 0);
}

static void check_aligned(struct lift *l, const struct a64_insn *in, unsigned scale)
{
    check_unit_aligned(l, in->rn, scale);
}

/* An acquiring load is what the host's are: the fence is for the translator alone (bt/forward.c). A releasing store must also stay
 * before a later acquiring load, so a real one follows. */
LIFT(ldar)
{
    check_aligned(l, in, W(31, 30));
    static const uint16_t load[4] = {UOP_ld_u8, UOP_ld_u16, UOP_ld_u32, UOP_ld_64};
    lift_emit(l, load[W(31, 30)], a64_xd(l, in->rd), in->rn, 0, 0, 0);
    lift_emit(l, UOP_fence, 0, 0, 0, 0, 0);
}

LIFT(stlr)
{
    static const uint16_t store[4] = {UOP_st_8, UOP_st_16, UOP_st_32, UOP_st_64};
    check_aligned(l, in, W(31, 30));
    lift_emit(l, store[W(31, 30)], 0, in->rn, a64_x(in->rd), 0, 0);
    lift_emit(l, UOP_fence, 0, 0, 0, 0, 1);
}

static void unscaled(struct lift *l, const struct a64_insn *in, int fence)
{
    check_unit_aligned(l, emit_i(l, UOP_add_64_i, in->rn, in->imm), W(31, 30));
    a64_lift_mem(l, in, MODE_IMM);
    lift_emit(l, UOP_fence, 0, 0, 0, 0, fence);
}

LIFT(ldapur)
{
    unscaled(l, in, 0);
}

LIFT(stlur)
{
    unscaled(l, in, 1);
}

/* The reservation is not in a slot: a helper drops it. */
LIFT(clrex)
{
    lift_emit(l, UOP_helper, lift_temp(l), A64_XZR, A64_XZR, 0, A64_HELPER_CLREX);
}

LIFT(ldxr)
{
    lift_emit(l, UOP_ll_8 + W(31, 30), a64_xd(l, in->rd), in->rn, 0, 0, 0);
}

LIFT(stxr)
{
    lift_emit(l, UOP_sc_8 + W(31, 30), a64_xd(l, in->rm), in->rn, a64_x(in->rd), 0, 0);
}

/* Pairs of words are a doubleword. */
LIFT(ldxp)
{
    if (W(30, 30)) {
        uint8_t pair = lift_vtemp(l);
        lift_emit(l, UOP_ll_128, pair, in->rn, 0, 0, 0);
        if (in->rd != 31)
            emit_to(l, in->rd, UOP_mov_64, pair, 0);
        if (in->ra != 31)
            emit_to(l, in->ra, UOP_mov_64, pair + 1, 0);
        return;
    }
    uint8_t t = emit1(l, UOP_ll_64, in->rn);
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_zext32, t, 0);
    if (in->ra != 31)
        emit_to(l, in->ra, UOP_shr_64_i, t, 32);
}

LIFT(stxp)
{
    if (W(30, 30)) {
        uint8_t pair = lift_vtemp(l);
        emit_to(l, pair, UOP_mov_64, a64_x(in->rd), 0);
        emit_to(l, pair + 1, UOP_mov_64, a64_x(in->ra), 0);
        lift_emit(l, UOP_sc_128, a64_xd(l, in->rm), in->rn, pair, 0, 0);
        return;
    }
    uint8_t low = emit1(l, UOP_zext32, a64_x(in->rd));
    uint8_t v = emit2(l, UOP_or_64, low, emit_i(l, UOP_shl_64_i, a64_x(in->ra), 32));
    lift_emit(l, UOP_sc_64, a64_xd(l, in->rm), in->rn, v, 0, 0);
}

/* ---- LSE ---- */

LIFT(lse)
{
    lift_emit(l, (unsigned)arg + W(31, 30), a64_xd(l, in->rd), in->rn, a64_x(in->rm), 0, 0);
}

LIFT(lse_clr)
{
    uint8_t m = emit_i(l, UOP_xor_64_i, a64_x(in->rm), -1);
    lift_emit(l, UOP_amo_and_8 + W(31, 30), a64_xd(l, in->rd), in->rn, m, 0, 0);
}

LIFT(cas)
{
    lift_emit(l, UOP_cas_8 + W(31, 30), a64_xd(l, in->rm), in->rn, a64_x(in->rm), a64_x(in->rd), 0);
}

LIFT(casp)
{
    if ((in->rm | in->rd) & 1) {
        a64_emit_illegal(l);
        return;
    }
    uint8_t s0 = a64_x(in->rm), s1 = a64_x(in->rm + 1);
    uint8_t t0 = a64_x(in->rd), t1 = a64_x(in->rd + 1);
    if (W(30, 30)) {
        uint8_t old = lift_vtemp(l), new = lift_vtemp(l);
        emit_to(l, old, UOP_mov_64, s0, 0);
        emit_to(l, old + 1, UOP_mov_64, s1, 0);
        emit_to(l, new, UOP_mov_64, t0, 0);
        emit_to(l, new + 1, UOP_mov_64, t1, 0);
        lift_emit(l, UOP_cas_128, old, in->rn, old, new, 0);
        emit_to(l, s0, UOP_mov_64, old, 0);
        if (s1 != A64_XZR)
            emit_to(l, s1, UOP_mov_64, old + 1, 0);
        return;
    }
    uint8_t old = emit2(l, UOP_or_64, emit1(l, UOP_zext32, s0), emit_i(l, UOP_shl_64_i, s1, 32));
    uint8_t new = emit2(l, UOP_or_64, emit1(l, UOP_zext32, t0), emit_i(l, UOP_shl_64_i, t1, 32));
    uint8_t got = emit3(l, UOP_cas_64, in->rn, old, new);
    emit_to(l, s0, UOP_zext32, got, 0);
    if (s1 != A64_XZR)
        emit_to(l, s1, UOP_shr_64_i, got, 32);
}

/* The block of 64 bytes around the address. */
LIFT(dc_zva)
{
    uint8_t base = emit_i(l, UOP_and_64_i, a64_x(in->rd), -A64_ZVA_BYTES);
    for (int off = 0; off < A64_ZVA_BYTES; off += 8)
        lift_emit(l, UOP_st_64, 0, base, A64_XZR, 0, off);
}

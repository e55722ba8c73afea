/* guest/a64/lift.c: from decoded instructions to micro-ops: integers, branches, system.
 * Memory is in lift_mem.c, floating point in lift_fp.c, AdvSIMD in lift_simd.c.
 *
 * Owns: the meaning of each integer row of a64.decode.
 *
 * Invariants: a W register's result is zero-extended. The zero slot is never a destination. No slot is written
 * before the last micro-op of the instruction that may fault.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/lift.h"
#include <time.h>

unsigned a64_lift(struct lift *l, const uint8_t *code, size_t avail)
{
    struct a64_insn in;
    if (avail < 4)
        return 0;
    uint32_t w = code[0] | code[1] << 8 | code[2] << 16 | (uint32_t)code[3] << 24;
    l->next_pc = l->pc + 4;
    if (a64_decode32(w, &in)) {
        a64_rows[in.row].lift(l, &in, a64_rows[in.row].arg);
        a64_lift_bulk_rest(l, &in, code, avail);
    } else {
        a64_emit_illegal(l);
    }
    return (unsigned)(l->next_pc - l->pc);
}

bool a64_bitmask(unsigned n, unsigned imms, unsigned immr, uint64_t *mask)
{
    unsigned sel = n << 6 | (~imms & 63);
    if (sel < 2)
        return false;
    unsigned len = 31 - (unsigned)__builtin_clz(sel), size = 1u << len;
    unsigned s = imms & (size - 1), r = immr & (size - 1);
    if (s == size - 1)
        return false;
    uint64_t ones = (UINT64_C(2) << s) - 1, all = ~UINT64_C(0) >> (64 - size);
    if (r)
        ones = (ones >> r | ones << (size - r)) & all;
    for (; size < 64; size *= 2)
        ones |= ones << size;
    *mask = ones;
    return true;
}

static uint8_t sized(struct lift *l, bool wide, uint8_t r)
{
    return wide ? r : emit1(l, UOP_zext32, r);
}

/* ---- addition, subtraction ---- */

/* The row that takes an immediate for operand b. */
static enum uop_code immediate_form(enum uop_code op)
{
    return op + 1;
}

/* The flags of a + b or a - b, or with a constant for b. */
static enum uop_code flags_row(const struct a64_insn *in)
{
    return W(30, 30) ? (SF ? UOP_flags_sub_64 : UOP_flags_sub_32)
                     : (SF ? UOP_flags_add_64 : UOP_flags_add_32);
}

/* rd = a + b or a - b; with flags when S. b is a unit. */
static void add_sub(struct lift *l, const struct a64_insn *in, uint8_t d, uint8_t a, uint8_t b)
{
    enum uop_code op =
        W(30, 30) ? (SF ? UOP_sub_64 : UOP_sub_32z) : (SF ? UOP_add_64 : UOP_add_32z);
    if (W(29, 29))
        lift_emit(l, flags_row(in), A64_NZCV, a, b, 0, 0);
    if (d != A64_XZR)
        lift_emit(l, op, d, a, b, 0, 0);
}

LIFT(addsub_imm)
{
    int64_t imm = (int64_t)((uint64_t)in->imm << (W(22, 22) ? 12 : 0));
    if (W(29, 29))
        emit_to(l, A64_NZCV, immediate_form(flags_row(in)), in->rn, imm);
    if (W(29, 29) && in->rd == 31)
        return;
    int64_t by = W(30, 30) ? -imm : imm;
    if (in->rd == 31 && !(in->rn == 31 && SF && imm % 16 == 0)) {
        uint8_t sp = emit_i(l, SF ? UOP_add_64_i : UOP_add_32z_i, in->rn, by);
        lift_new_stack(l, sp);
        emit_to(l, A64_SP, UOP_mov_64, sp, 0);
        return;
    }
    if (!imm && SF)
        emit_to(l, in->rd, UOP_mov_64, in->rn, 0);
    else
        emit_to(l, in->rd, SF ? UOP_add_64_i : UOP_add_32z_i, in->rn, by);
}

/* rm shifted by an immediate. */
static uint8_t shifted(struct lift *l, const struct a64_insn *in)
{
    static const uint16_t op[2][4] = {
        {UOP_shl_32z_i, UOP_shr_32z_i, UOP_sar_32z_i, UOP_ror_32z_i},
        {UOP_shl_64_i, UOP_shr_64_i, UOP_sar_64_i, UOP_ror_64_i},
    };
    uint8_t m = a64_x(in->rm);
    return W(15, 10) ? emit_i(l, op[SF][W(23, 22)], m, W(15, 10)) : m;
}

void a64_indexed(struct lift *l, uint8_t d, uint8_t base, uint8_t index, unsigned shift)
{
    static const uint16_t op[4] = {UOP_add_64, UOP_sh1add_64, UOP_sh2add_64, UOP_sh3add_64};
    if (shift > 3) {
        index = emit_i(l, UOP_shl_64_i, index, shift);
        shift = 0;
    }
    lift_emit(l, op[shift], d, index, base, 0, 0);
}

/* Is it an addition of 64 bits that leaves the flags alone? */
static bool plain_add(const struct a64_insn *in)
{
    return SF && !W(30, 29);
}

LIFT(addsub_reg)
{
    if (plain_add(in) && W(23, 22) == 0 && W(15, 10) && in->rd != 31)
        a64_indexed(l, in->rd, a64_x(in->rn), a64_x(in->rm), W(15, 10));
    else
        add_sub(l, in, a64_x(in->rd), a64_x(in->rn), shifted(l, in));
}

uint8_t a64_extend(struct lift *l, unsigned rm, unsigned option)
{
    static const uint16_t op[8] = {UOP_zext8, UOP_zext16, UOP_zext32, UOP_mov_64,
                                   UOP_sext8, UOP_sext16, UOP_sext32, UOP_mov_64};
    uint8_t m = a64_x(rm);
    return (option & 3) != 3 ? emit1(l, op[option], m) : m;
}

LIFT(addsub_ext)
{
    uint8_t m = a64_extend(l, in->rm, W(15, 13));
    bool stack = in->rd == 31 && !W(29, 29);
    uint8_t d = stack ? lift_temp(l) : a64_x(in->rd);
    if (plain_add(in)) {
        a64_indexed(l, d, in->rn, m, W(12, 10));
    } else {
        if (W(12, 10))
            m = emit_i(l, UOP_shl_64_i, m, W(12, 10));
        add_sub(l, in, d, in->rn, m);
    }
    if (stack) {
        lift_new_stack(l, d);
        emit_to(l, A64_SP, UOP_mov_64, d, 0);
    }
}

LIFT(adc)
{
    uint8_t n = a64_x(in->rn), m = a64_x(in->rm), carry = a64_cond(l, 2);
    bool sub = W(30, 30);
    if (W(29, 29))
        lift_emit(l,
                  sub ? (SF ? UOP_flags_sbc_64 : UOP_flags_sbc_32)
                      : (SF ? UOP_flags_adc_64 : UOP_flags_adc_32),
                  A64_NZCV, n, m, carry, 0);
    if (in->rd != 31)
        lift_emit(l, sub ? (SF ? UOP_sbc_64 : UOP_sbc_32z) : (SF ? UOP_adc_64 : UOP_adc_32z),
                  in->rd, n, m, carry, 0);
}

/* ---- logic ---- */

static void logic_flags(struct lift *l, const struct a64_insn *in, uint8_t v)
{
    lift_emit(l, SF ? UOP_flags_logic_64 : UOP_flags_logic_32, A64_NZCV, v, 0, 0, 0);
}

static enum uop_code logic_row(const struct a64_insn *in)
{
    static const uint16_t op[2][4] = {{UOP_and_32z, UOP_or_32z, UOP_xor_32z, UOP_and_32z},
                                      {UOP_and_64, UOP_or_64, UOP_xor_64, UOP_and_64}};
    return op[SF][W(30, 29)];
}

LIFT(logic_imm)
{
    uint64_t mask;
    if (!a64_bitmask(W(22, 22), W(15, 10), W(21, 16), &mask)) {
        a64_emit_illegal(l);
        return;
    }
    if (!SF)
        mask = (uint32_t)mask;
    bool flags = W(30, 29) == 3, stack = in->rd == 31 && !flags;
    uint8_t d = a64_xd(l, in->rd);
    if (W(30, 29) == 1 && in->rn == 31)
        emit_to(l, d, UOP_movi, 0, (int64_t)mask);
    else
        emit_to(l, d, immediate_form(logic_row(in)), a64_x(in->rn), (int64_t)mask);
    if (flags)
        logic_flags(l, in, d);
    if (stack) {
        if (W(30, 29) != 0 || mask & 15)
            lift_new_stack(l, d);
        emit_to(l, A64_SP, UOP_mov_64, d, 0);
    }
}

LIFT(logic_reg)
{
    bool flags = W(30, 29) == 3;
    uint8_t n = a64_x(in->rn), m = shifted(l, in);
    if (in->rd == 31 && !flags)
        return;
    uint8_t d = a64_xd(l, in->rd);
    if (W(21, 21) && SF && W(30, 29) != 1) {
        lift_emit(l, W(30, 29) == 2 ? UOP_xnor_64 : UOP_andn_64, d, n, m, 0, 0);
    } else {
        if (W(21, 21))
            m = emit_i(l, UOP_xor_64_i, m, -1);
        if (W(30, 29) == 1 && n == A64_XZR)
            emit_to(l, d, SF ? UOP_mov_64 : UOP_zext32, m, 0);
        else
            lift_emit(l, logic_row(in), d, n, m, 0, 0);
    }
    if (flags)
        logic_flags(l, in, d);
}

LIFT(mov_wide)
{
    unsigned shift = 16 * W(22, 21);
    uint64_t v = (uint64_t)in->imm << shift;
    if (in->rd == 31)
        return;
    if (W(30, 29) == 3) {
        /* Behind the instruction that began the constant it is one still. */
        const struct uop *before = l->nuops ? &l->uops[l->nuops - 1] : NULL;
        if (before && before->op == UOP_movi && before->d == in->rd) {
            v |= (uint64_t)before->imm & ~(UINT64_C(0xffff) << shift);
            emit_to(l, in->rd, UOP_movi, 0, (int64_t)(SF ? v : (uint32_t)v));
            return;
        }
        uint8_t t = emit_i(l, UOP_and_64_i, in->rd, (int64_t) ~(UINT64_C(0xffff) << shift));
        if (!SF)
            t = emit1(l, UOP_zext32, t);
        emit_to(l, in->rd, UOP_or_64_i, t, (int64_t)v);
        return;
    }
    if (W(30, 29) == 0)
        v = ~v;
    emit_to(l, in->rd, UOP_movi, 0, (int64_t)(SF ? v : (uint32_t)v));
}

LIFT(bitfield)
{
    unsigned r = W(21, 16), s = W(15, 10), opc = W(30, 29), width = SF ? 64 : 32;
    uint8_t n = a64_x(in->rn), t;
    if (in->rd == 31)
        return;
    /* The field of s - r + 1 bits from r, or of s + 1 bits from 0 to width - r. */
    unsigned len = s >= r ? s - r + 1 : s + 1, to = s >= r ? 0 : width - r;
    unsigned from = s >= r ? r : 0;
    if (opc == 1) {
        uint64_t mask = len == 64 ? ~UINT64_C(0) : (UINT64_C(1) << len) - 1;
        t = from ? emit_i(l, UOP_shr_64_i, n, from) : n;
        t = emit_i(l, UOP_and_64_i, t, (int64_t)mask);
        if (to)
            t = emit_i(l, UOP_shl_64_i, t, to);
        uint8_t old = emit_i(l, UOP_and_64_i, in->rd,
                             (int64_t)(~(mask << to) & (SF ? ~UINT64_C(0) : 0xffffffff)));
        lift_emit(l, UOP_or_64, in->rd, old, t, 0, 0);
        return;
    }
    bool sign = opc == 0;
    if (to && len + to == width) { /* lsl */
        emit_to(l, in->rd, SF ? UOP_shl_64_i : UOP_shl_32z_i, n, to);
        return;
    }
    if (!to && from && len + from == width) { /* lsr, asr */
        emit_to(l, in->rd,
                sign ? (SF ? UOP_sar_64_i : UOP_sar_32z_i) : (SF ? UOP_shr_64_i : UOP_shr_32z_i), n,
                from);
        return;
    }
    if (!sign) {
        t = from ? emit_i(l, UOP_shr_64_i, n, from) : n;
        uint8_t d = to ? lift_temp(l) : in->rd;
        if (len == 8 || len == 16 || len == 32)
            emit_to(l, d, len == 8 ? UOP_zext8 : len == 16 ? UOP_zext16 : UOP_zext32, t, 0);
        else
            emit_to(l, d, UOP_and_64_i, t, (int64_t)(~UINT64_C(0) >> (64 - len)));
        if (to)
            emit_to(l, in->rd, UOP_shl_64_i, d, to);
        return;
    }
    if (len == 8 || len == 16 || len == 32) {
        t = from ? emit_i(l, UOP_shr_64_i, n, from) : n;
        t = emit1(l, len == 8 ? UOP_sext8 : len == 16 ? UOP_sext16 : UOP_sext32, t);
        if (to)
            t = emit_i(l, UOP_shl_64_i, t, to);
    } else {
        t = from + len < 64 ? emit_i(l, UOP_shl_64_i, n, 64 - len - from) : n;
        t = emit_i(l, UOP_sar_64_i, t, 64 - len - to);
    }
    /* The last one writes the register, unless only half of it. */
    if (!SF)
        emit_to(l, in->rd, UOP_zext32, t, 0);
    else if (t == n)
        emit_to(l, in->rd, UOP_mov_64, t, 0);
    else
        l->uops[l->nuops - 1].d = in->rd;
}

LIFT(extr)
{
    unsigned s = W(15, 10);
    uint8_t n = a64_x(in->rn), m = a64_x(in->rm), t;
    if (in->rd == 31)
        return;
    if (!s) {
        emit_to(l, in->rd, SF ? UOP_mov_64 : UOP_zext32, m, 0);
    } else if (n == m) {
        emit_to(l, in->rd, SF ? UOP_ror_64_i : UOP_ror_32z_i, m, s);
    } else if (SF) {
        t = emit_i(l, UOP_shr_64_i, m, s);
        lift_emit(l, UOP_or_64, in->rd, t, emit_i(l, UOP_shl_64_i, n, 64 - s), 0, 0);
    } else {
        t = emit_i(l, UOP_shr_32z_i, m, s);
        lift_emit(l, UOP_or_64, in->rd, t, emit_i(l, UOP_shl_32z_i, n, 32 - s), 0, 0);
    }
}

LIFT(adr)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_movi, 0, (int64_t)(l->pc + (uint64_t)in->imm));
}

LIFT(adrp)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_movi, 0, (int64_t)((l->pc & ~UINT64_C(4095)) + (uint64_t)in->imm));
}

/* ---- the rest of computation ---- */

LIFT(shiftv)
{
    static const uint16_t to32[4] = {UOP_shl_32z, UOP_shr_32z, UOP_sar_32z, UOP_ror_32z};
    if (in->rd != 31)
        lift_emit(l, SF ? (unsigned)arg : to32[W(11, 10)], in->rd, a64_x(in->rn), a64_x(in->rm), 0,
                  0);
}

LIFT(rr64)
{
    if (in->rd != 31)
        lift_emit(l, arg, in->rd, a64_x(in->rn), a64_x(in->rm), 0, 0);
}

LIFT(madd)
{
    if (in->rd == 31)
        return;
    if (in->ra == 31 && arg == UOP_add_64) {
        lift_emit(l, SF ? UOP_mul_64 : UOP_mul_32z, in->rd, a64_x(in->rn), a64_x(in->rm), 0, 0);
        return;
    }
    uint8_t t = emit2(l, UOP_mul_64, a64_x(in->rn), a64_x(in->rm));
    enum uop_code op = SF ? (unsigned)arg : arg == UOP_add_64 ? UOP_add_32z : UOP_sub_32z;
    lift_emit(l, op, in->rd, a64_x(in->ra), t, 0, 0);
}

LIFT(maddl)
{
    enum uop_code extend = W(23, 23) ? UOP_zext32 : UOP_sext32;
    if (in->rd == 31)
        return;
    uint8_t n = emit1(l, extend, a64_x(in->rn)), m = emit1(l, extend, a64_x(in->rm));
    if (in->ra == 31 && arg == UOP_add_64)
        lift_emit(l, UOP_mul_64, in->rd, n, m, 0, 0);
    else
        lift_emit(l, arg, in->rd, a64_x(in->ra), emit2(l, UOP_mul_64, n, m), 0, 0);
}

/* Division by zero gives zero. 32-bit operands are divided in 64 bits, where nothing overflows. */
LIFT(div)
{
    if (in->rd == 31)
        return;
    uint8_t n = a64_x(in->rn), m = a64_x(in->rm);
    if (!SF) {
        enum uop_code extend = arg == UOP_div_u64 ? UOP_zext32 : UOP_sext32;
        n = emit1(l, extend, n);
        m = emit1(l, extend, m);
    }
    uint8_t t = emit3(l, UOP_sel, m, emit2(l, arg, n, m), A64_XZR);
    emit_to(l, in->rd, SF ? UOP_mov_64 : UOP_zext32, t, 0);
}

LIFT(crc)
{
    if (in->rd != 31)
        lift_emit(l, arg, in->rd, a64_x(in->rn), a64_x(in->rm), 0, 0);
}

LIFT(rbit)
{
    if (in->rd == 31)
        return;
    if (SF)
        emit_to(l, in->rd, UOP_rbit_64, a64_x(in->rn), 0);
    else
        emit_to(l, in->rd, UOP_shr_64_i, emit1(l, UOP_rbit_64, a64_x(in->rn)), 32);
}

LIFT(rev16)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_rev16_64, sized(l, SF, a64_x(in->rn)), 0);
}

LIFT(rev)
{
    if (in->rd == 31)
        return;
    if (arg == 64)
        emit_to(l, in->rd, UOP_bswap_64, a64_x(in->rn), 0);
    else
        emit_to(l, in->rd, UOP_shr_64_i, emit1(l, UOP_bswap_64, a64_x(in->rn)), 64 - arg);
}

LIFT(rev32)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_ror_64_i, emit1(l, UOP_bswap_64, a64_x(in->rn)), 32);
}

LIFT(clz)
{
    if (in->rd != 31)
        emit_to(l, in->rd, SF ? UOP_clz_64 : UOP_clz_32, a64_x(in->rn), 0);
}

LIFT(cls)
{
    if (in->rd == 31)
        return;
    uint8_t n = SF ? a64_x(in->rn) : emit1(l, UOP_sext32, a64_x(in->rn));
    uint8_t t = emit2(l, UOP_xor_64, n, emit_i(l, UOP_sar_64_i, n, 63));
    emit_to(l, in->rd, UOP_add_64_i, emit1(l, UOP_clz_64, t), SF ? -1 : -33);
}

/* ---- conditions ---- */

LIFT(csel)
{
    if (in->rd == 31)
        return;
    uint8_t n = a64_x(in->rn), m = a64_x(in->rm);
    if (n == A64_XZR && m == A64_XZR && W(15, 13) != 7) { /* cset, csetm, or zero */
        unsigned inverted = W(15, 12) ^ 1;
        if (W(30, 30) && !W(10, 10))
            lift_emit(l, SF ? UOP_sub_64 : UOP_sub_32z, in->rd, A64_XZR, a64_cond(l, inverted), 0,
                      0);
        else if (!W(30, 30) && W(10, 10))
            emit_to(l, in->rd, UOP_cond_i, A64_NZCV, inverted);
        else
            emit_to(l, in->rd, UOP_movi, 0, 0);
        return;
    }
    if (W(30, 30))
        m = W(10, 10) ? emit2(l, UOP_sub_64, A64_XZR, m) : emit_i(l, UOP_xor_64_i, m, -1);
    else if (W(10, 10))
        m = emit_i(l, UOP_add_64_i, m, 1);
    uint8_t c = a64_cond(l, W(15, 12));
    if (SF)
        lift_emit(l, UOP_sel, in->rd, c, n, m, 0);
    else
        emit_to(l, in->rd, UOP_zext32, emit3(l, UOP_sel, c, n, m), 0);
}

LIFT(ccmp)
{
    uint8_t n = a64_x(in->rn), otherwise = emit_const(l, uop_flags_of(W(3, 0)));
    uint8_t f = W(11, 11) ? emit_i(l, immediate_form(flags_row(in)), n, in->rm)
                          : emit2(l, flags_row(in), n, a64_x(in->rm));
    lift_emit(l, UOP_sel, A64_NZCV, a64_cond(l, W(15, 12)), f, otherwise, 0);
}

/* ---- flags by themselves, as N Z C V in bits 3 to 0 ---- */

LIFT(cfinv)
{
    emit_to(l, A64_NZCV, UOP_xor_64_i, A64_NZCV, UOP_FLAG_B);
}

/* A flag as 0 or 1. */
static uint8_t flag(struct lift *l, uint8_t nzcv, unsigned bit)
{
    return emit_i(l, UOP_and_64_i, emit_i(l, UOP_shr_64_i, nzcv, bit), 1);
}

static uint8_t nzcv(struct lift *l)
{
    return emit1(l, UOP_flags_nzcv, A64_NZCV);
}

static void set_nzcv(struct lift *l, uint8_t v)
{
    emit_to(l, A64_NZCV, UOP_flags_of_nzcv, v, 0);
}

static uint8_t both_flags(struct lift *l, uint8_t a, unsigned a_bit, uint8_t b, unsigned b_bit)
{
    return emit2(l, UOP_or_64, emit_i(l, UOP_shl_64_i, a, a_bit),
                 emit_i(l, UOP_shl_64_i, b, b_bit));
}

/* From Arm's result of a comparison to the one where unordered is "equal" and "less"; and back. */
LIFT(axflag)
{
    uint8_t f = nzcv(l), z = flag(l, f, 2), c = flag(l, f, 1), v = flag(l, f, 0);
    set_nzcv(l, both_flags(l, emit2(l, UOP_or_64, z, v), 2, emit2(l, UOP_andn_64, c, v), 1));
}

LIFT(xaflag)
{
    uint8_t f = nzcv(l), z = flag(l, f, 2), c = flag(l, f, 1),
            not_c = emit_i(l, UOP_xor_64_i, c, 1);
    uint8_t high = both_flags(l, emit2(l, UOP_andn_64, not_c, z), 3, emit2(l, UOP_and_64, z, c), 2);
    uint8_t low = both_flags(l, emit2(l, UOP_or_64, c, z), 1, emit2(l, UOP_and_64, not_c, z), 0);
    set_nzcv(l, emit2(l, UOP_or_64, high, low));
}

/* The flags that the mask names from four bits of a register. */
LIFT(rmif)
{
    uint8_t x = emit_i(l, UOP_ror_64_i, a64_x(in->rn), W(20, 15));
    uint8_t t = emit_i(l, UOP_and_64_i, x, W(3, 0));
    uint8_t old = emit_i(l, UOP_and_64_i, nzcv(l), ~W(3, 0) & 15);
    set_nzcv(l, emit2(l, UOP_or_64, old, t));
}

/* N and Z of arg bits, V when the bit above differs from the top one; C stays. */
LIFT(setf)
{
    uint8_t x = a64_x(in->rn), high = emit_i(l, UOP_shl_64_i, x, 32 - arg);
    uint8_t nz = emit_i(l, UOP_and_64_i, emit1(l, UOP_flags_logic_32, high), ~UOP_FLAG_B);
    uint8_t v = emit2(l, UOP_xor_64, x, emit_i(l, UOP_shr_64_i, x, 1));
    v = emit_i(l, UOP_and_64_i, emit_i(l, UOP_shr_64_i, v, arg - 1), 1);
    uint8_t c = emit_i(l, UOP_and_64_i, A64_NZCV, UOP_FLAG_B);
    lift_emit(l, UOP_or_64, A64_NZCV, nz, emit2(l, UOP_or_64, c, v), 0, 0);
}

/* ---- control transfer ---- */

LIFT(b)
{
    if (arg == JUMP_CALL)
        emit_to(l, A64_LR, UOP_movi, 0, (int64_t)l->next_pc);
    lift_emit(l, UOP_jmp, 0, 0, 0, (uint8_t)arg, (int64_t)(l->pc + (uint64_t)in->imm));
}

LIFT(b_cond)
{
    int64_t target = (int64_t)(l->pc + (uint64_t)in->imm);
    if (W(3, 1) == 7)
        lift_emit(l, UOP_jmp, 0, 0, 0, JUMP_PLAIN, target);
    else
        lift_emit(l, UOP_br_ne, 0, a64_cond(l, W(3, 0)), A64_XZR, 0, target);
}

LIFT(cb)
{
    int op = SF ? arg : arg - UOP_br_eq + UOP_br_eq_32;
    lift_emit(l, op, 0, a64_x(in->rd), A64_XZR, 0, (int64_t)(l->pc + (uint64_t)in->imm));
}

LIFT(tb)
{
    uint64_t bit = UINT64_C(1) << (SF << 5 | W(23, 19));
    lift_emit(l, arg, 0, emit_i(l, UOP_and_64_i, a64_x(in->rd), (int64_t)bit), A64_XZR, 0,
              (int64_t)(l->pc + (uint64_t)in->imm));
}

LIFT(b_reg)
{
    uint8_t target = a64_x(in->rn);
    if (arg == JUMP_CALL) {
        if (target == A64_LR)
            target = emit1(l, UOP_mov_64, target);
        emit_to(l, A64_LR, UOP_movi, 0, (int64_t)l->next_pc);
    }
    lift_emit(l, UOP_jmp_ind, 0, target, 0, (uint8_t)arg, 0);
}

/* ---- system ---- */

LIFT(exit)
{
    lift_emit(l, UOP_exit, 0, 0, 0, 0, arg);
}

LIFT(nop) {}

/* With a branch before it orders loads (DDI 0487, B2.3): the host does so, the translator is told. */
LIFT(isb)
{
    lift_emit(l, UOP_fence, 0, 0, 0, 0, 0);
}

LIFT(fence)
{
    /* dmb ishld (CRm xx01) orders loads with what follows, which the host does anyway; st alone likewise. */
    lift_emit(l, UOP_fence, 0, 0, 0, 0, W(9, 8) == 3 || W(6, 5) == 0);
}

LIFT(mrs_id)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_movi, 0, (int64_t)a64_id_register(W(11, 8), W(7, 5)));
}

static void mrs_slot(struct lift *l, const struct a64_insn *in, uint8_t slot)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_mov_64, slot, 0);
}

static void mrs_const(struct lift *l, const struct a64_insn *in, uint64_t v)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_movi, 0, (int64_t)v);
}

LIFT(mrs_tpidr)
{
    mrs_slot(l, in, A64_TPIDR);
}

LIFT(msr_tpidr)
{
    emit_to(l, A64_TPIDR, UOP_mov_64, a64_x(in->rd), 0);
}

LIFT(mrs_tpidrro)
{
    mrs_const(l, in, 0);
}

/* arg: the bit of PSTATE */
LIFT(mrs_pstate)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_and_64_i, A64_PSTATE, 1 << arg);
}

static void set_pstate(struct lift *l, int bit, uint8_t v)
{
    uint8_t others = emit_i(l, UOP_and_64_i, A64_PSTATE, ~(INT64_C(1) << bit));
    lift_emit(l, UOP_or_64, A64_PSTATE, others, v, 0, 0);
}

LIFT(msr_pstate)
{
    set_pstate(l, arg, emit_i(l, UOP_and_64_i, a64_x(in->rd), 1 << arg));
}

LIFT(msr_pstate_imm)
{
    set_pstate(l, arg, emit_const(l, W(8, 8) << arg));
}

LIFT(mrs_nzcv)
{
    if (in->rd != 31)
        emit_to(l, in->rd, UOP_shl_64_i, nzcv(l), 28);
}

LIFT(msr_nzcv)
{
    set_nzcv(l, emit_i(l, UOP_shr_64_i, a64_x(in->rd), 28));
}

LIFT(mrs_ctr)
{
    mrs_const(l, in, A64_CTR);
}

LIFT(mrs_dczid)
{
    mrs_const(l, in, A64_DCZID);
}

LIFT(mrs_cntfrq)
{
    mrs_const(l, in, A64_CNTFRQ);
}

LIFT(mrs_cntvct)
{
    lift_emit(l, UOP_rdtime, a64_xd(l, in->rd), 0, 0, 0, CLOCK_MONOTONIC);
}

/* Of the registers that the architecture leaves to the implementation: the clocks that the vdso reads. */
LIFT(mrs_clock)
{
    static const uint8_t clocks[] = {CLOCK_REALTIME,
                                     CLOCK_MONOTONIC,
                                     CLOCK_MONOTONIC_RAW,
                                     CLOCK_REALTIME_COARSE,
                                     CLOCK_MONOTONIC_COARSE,
                                     CLOCK_BOOTTIME,
                                     CLOCK_TAI};
    if (W(7, 5) < sizeof clocks)
        lift_emit(l, UOP_rdtime, a64_xd(l, in->rd), 0, 0, 0, clocks[W(7, 5)]);
    else
        a64_emit_illegal(l);
}

LIFT(mrs_fpcr)
{
    mrs_slot(l, in, A64_FPCR);
}

static uint8_t helper(struct lift *l, enum a64_helper h, uint8_t a)
{
    uint8_t t = lift_temp(l);
    lift_emit(l, UOP_helper, t, a, A64_XZR, 0, h);
    return t;
}

LIFT(msr_fpcr)
{
    uint8_t x = a64_x(in->rd);
    lift_emit(l, UOP_fp_setmode, 0, helper(l, A64_HELPER_FP_MODE, x), 0, 0, 0);
    emit_to(l, A64_FPCR, UOP_and_64_i, x, A64_FPCR_MASK);
}

/* The flags' order is the reverse of enum fp_flag's: IOC DZC OFC UFC IXC from bit 0. */
static uint8_t reverse_flags(struct lift *l, uint8_t flags)
{
    return emit_i(l, UOP_shr_64_i, emit1(l, UOP_rbit_64, flags), 59);
}

LIFT(mrs_fpsr)
{
    uint8_t flags = lift_temp(l);
    lift_emit(l, UOP_fp_getflags, flags, 0, 0, 0, 0);
    uint8_t all = emit2(l, UOP_or_64, reverse_flags(l, flags), A64_FPSR);
    uint8_t id = lift_temp(l);
    lift_emit(l, UOP_fp_getid, id, 0, 0, 0, 0);
    uint8_t idc = emit_i(l, UOP_shl_64_i, id, A64_FPSR_IDC_SHIFT);
    if (in->rd != 31)
        lift_emit(l, UOP_or_64, in->rd, all, idc, 0, 0);
}

LIFT(msr_fpsr)
{
    uint8_t x = a64_x(in->rd);
    uint8_t idc = emit_i(l, UOP_shr_64_i, x, A64_FPSR_IDC_SHIFT);
    lift_emit(l, UOP_fp_setid, 0, emit_i(l, UOP_and_64_i, idc, 1), 0, 0, 0);
    lift_emit(l, UOP_fp_setflags, 0, reverse_flags(l, emit_i(l, UOP_and_64_i, x, 31)), 0, 0, 0);
    emit_to(l, A64_FPSR, UOP_and_64_i, x, A64_FPSR_QC);
}

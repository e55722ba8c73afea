/* What is known of integer values: the upper half is the sign's, or zero. Computed optimistically, so that a loop's values are known by
 * what goes round.
 *
 * What is known of products and quotients: that they are not the least normal number, rounded up from a tinier one.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/ir.h"
#include <string.h>

/* Is the value the sign extension of its low half? */
static bool sign_extended(const struct bt_region *r, const struct bt_known *k,
                          const struct bt_op *o)
{
    const bool *sx = k->sx;
    switch (o->op) {
    case BT_CONST:
        return o->imm == (int32_t)o->imm;
    case BT_PHI:
        for (uint32_t p = 0; p < r->blocks[o->block].npreds; p++) {
            if (!sx[r->phi_args[o->a + p]])
                return false;
        }
        return true;
    case UOP_and_64_i:
        return (o->imm >= 0 && o->imm <= INT32_MAX) || (sx[o->a] && o->imm == (int32_t)o->imm);
    case UOP_or_64_i:
    case UOP_xor_64_i:
        return sx[o->a] && o->imm == (int32_t)o->imm;
    case UOP_and_64:
    case UOP_or_64:
    case UOP_xor_64:
    case UOP_andn_64:
    case UOP_orn_64:
    case UOP_xnor_64:
    case UOP_min_s64:
    case UOP_max_s64:
    case UOP_min_u64:
    case UOP_max_u64:
        return sx[o->a] && sx[o->b];
    case UOP_sel:
        return sx[o->b] && sx[o->c];
    case UOP_sar_64_i:
        return sx[o->a] || (o->imm & 63) >= 32;
    case UOP_shr_64_i:
        return (o->imm & 63) > 32;
    case UOP_shr_32z_i:
        return (o->imm & 31) > 0;
    case UOP_and_32z_i:
        return (int32_t)o->imm >= 0;
    default:
        return bt_range(o->op) & UOP_R_SX;
    }
}

/* Is the upper half zero? */
static bool zero_extended(const struct bt_region *r, const struct bt_known *k,
                          const struct bt_op *o)
{
    const bool *zx = k->zx;
    switch (o->op) {
    case BT_CONST:
        return o->imm == (uint32_t)o->imm;
    case BT_PHI:
        for (uint32_t p = 0; p < r->blocks[o->block].npreds; p++) {
            if (!zx[r->phi_args[o->a + p]])
                return false;
        }
        return true;
    case UOP_and_64:
        return zx[o->a] || zx[o->b];
    case UOP_andn_64:
        return zx[o->a];
    case UOP_and_64_i:
        return zx[o->a] || o->imm == (uint32_t)o->imm;
    case UOP_or_64_i:
    case UOP_xor_64_i:
        return zx[o->a] && o->imm == (uint32_t)o->imm;
    case UOP_or_64:
    case UOP_xor_64:
    case UOP_min_u64:
    case UOP_max_u64:
        return zx[o->a] && zx[o->b];
    case UOP_sel:
        return zx[o->b] && zx[o->c];
    case UOP_shr_64_i:
        return zx[o->a] || (o->imm & 63) >= 32;
    case UOP_shr_32s_i:
        return (o->imm & 31) > 0;
    default:
        return bt_range(o->op) & UOP_R_ZX;
    }
}

void bt_find_known(const struct bt_region *r, struct bt_known *k)
{
    k->n = r->nops;
    k->sx = arena_new(r->arena, bool, r->nops);
    k->zx = arena_new(r->arena, bool, r->nops);
    memset(k->sx, 1, r->nops);
    memset(k->zx, 1, r->nops);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t v = 1; v < r->nops; v++) {
            if (k->sx[v] && !sign_extended(r, k, &r->ops[v])) {
                k->sx[v] = false;
                changed = true;
            }
            if (k->zx[v] && !zero_extended(r, k, &r->ops[v])) {
                k->zx[v] = false;
                changed = true;
            }
        }
    }
}

bool bt_known_sx(const struct bt_region *r, const struct bt_known *k, uint32_t v)
{
    return v < k->n ? k->sx[v] : bt_is_const(r, v) && sign_extended(r, k, &r->ops[v]);
}

bool bt_known_zx(const struct bt_region *r, const struct bt_known *k, uint32_t v)
{
    return v < k->n ? k->zx[v] : bt_is_const(r, v) && zero_extended(r, k, &r->ops[v]);
}

bool bt_low_half_only(uint16_t op)
{
    switch (op) {
    case UOP_add_32s:
    case UOP_add_32s_i:
    case UOP_add_32z:
    case UOP_add_32z_i:
    case UOP_sub_32s:
    case UOP_sub_32s_i:
    case UOP_sub_32z:
    case UOP_sub_32z_i:
    case UOP_and_32z:
    case UOP_and_32z_i:
    case UOP_or_32z:
    case UOP_or_32z_i:
    case UOP_xor_32z:
    case UOP_xor_32z_i:
    case UOP_shl_32s:
    case UOP_shl_32s_i:
    case UOP_shl_32z:
    case UOP_shl_32z_i:
    case UOP_shr_32s:
    case UOP_shr_32s_i:
    case UOP_shr_32z:
    case UOP_shr_32z_i:
    case UOP_sar_32s:
    case UOP_sar_32s_i:
    case UOP_sar_32z:
    case UOP_sar_32z_i:
    case UOP_ror_32s:
    case UOP_ror_32s_i:
    case UOP_ror_32z:
    case UOP_ror_32z_i:
    case UOP_mul_32s:
    case UOP_mul_32s_i:
    case UOP_mul_32z:
    case UOP_mul_32z_i:
    case UOP_div_s32:
    case UOP_div_u32:
    case UOP_rem_s32:
    case UOP_rem_u32:
    case UOP_sext32:
    case UOP_zext32:
    case UOP_sext16:
    case UOP_zext16:
    case UOP_sext8:
    case UOP_zext8:
    case UOP_clz_32:
    case UOP_ctz_32:
    case UOP_popcnt_32:
    case UOP_set_eq_32:
    case UOP_set_ne_32:
    case UOP_set_lt_32:
    case UOP_set_ltu_32:
    case UOP_set_ge_32:
    case UOP_set_geu_32:
    case UOP_set_eq_32_i:
    case UOP_set_ne_32_i:
    case UOP_set_lt_32_i:
    case UOP_set_ltu_32_i:
    case UOP_set_ge_32_i:
    case UOP_set_geu_32_i:
    case UOP_flags_add_32:
    case UOP_flags_sub_32:
    case UOP_flags_add_32_i:
    case UOP_flags_sub_32_i:
    case UOP_flags_logic_32:
    case UOP_flags_adc_32:
    case UOP_flags_sbc_32:
    case UOP_adc_32z:
    case UOP_sbc_32z:
    case UOP_carry_adc_32:
    case UOP_carry_sbc_32:
    case UOP_flags_fcmp_f32:
    case UOP_feq_q_f32:
    case UOP_flt_q_f32:
    case UOP_fle_q_f32:
        return true;
    default:
        return false;
    }
}

/* Is the value of f64 (or of a single float) a whole number? */
static bool is_whole(const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    switch (o->op) {
    case UOP_cvt_s32_f64:
    case UOP_cvt_u32_f64:
    case UOP_cvt_s64_f64:
    case UOP_cvt_u64_f64:
    case UOP_cvt_s32_f32:
    case UOP_cvt_u32_f32:
    case UOP_cvt_s64_f32:
    case UOP_cvt_u64_f32:
        return !FP_FBITS_OF(o->imm);
    default:
        return false;
    }
}

/* Does a float's fraction of `bits`, a constant's, have no partner with a product that rounds up to a power of two from less
 * than half a unit in the last place below? With both of bits + 1 digits, their product is in question from 2^(2 * bits + 1) -
 * 2^bits on, and the largest below the power is the first one's with the greatest partner. */
static bool fraction_is_safe(uint64_t fraction, unsigned bits)
{
    uint64_t digits = fraction | UINT64_C(1) << bits;
    unsigned __int128 power = (unsigned __int128)1 << (2 * bits + 1);
    uint64_t partner = (uint64_t)((power - 1) / digits);
    return power - (unsigned __int128)digits * partner >= UINT64_C(1) << bits;
}

/* Does no product with this factor round up to the least normal number? A whole number's are exact down there. A subnormal constant
 * would have to be scaled; it is not asked for. */
static bool factor_is_safe(const struct bt_region *r, uint32_t v, bool s)
{
    const struct bt_op *o = &r->ops[v];
    if (o->op != BT_CONST)
        return is_whole(r, v);
    uint64_t c = (uint64_t)o->imm;
    unsigned bits = s ? 23 : 52;
    uint64_t fraction = c & ((UINT64_C(1) << bits) - 1);
    if (!(s ? c << 33 : c << 1))
        return true;
    return (c >> bits & (s ? 0xff : 0x7ff)) && fraction_is_safe(fraction, bits);
}

bool bt_minds_nan(const struct bt_region *r, const struct bt_op *o)
{
    bool two = uop_info[o->op].b != UOP_K_N, three = uop_info[o->op].c != UOP_K_N;
    return !r->traps || three || r->defaults || (r->flushes && two);
}

bool bt_rounds_up(const struct bt_region *r, const struct bt_op *o)
{
    switch (o->op) {
    case UOP_fmul_f32:
    case UOP_fmul_f64:
    case UOP_fmulx_f32:
    case UOP_fmulx_f64:
        if (factor_is_safe(r, o->a, o->kind == UOP_K_S) ||
            factor_is_safe(r, o->b, o->kind == UOP_K_S))
            return false;
        /* fallthrough */
    case UOP_vfmul_f32:
    case UOP_vfmul_f64:
    case UOP_vfmulx_f32:
    case UOP_vfmulx_f64:
    case UOP_fmul_f16:
    case UOP_vfmul_f16:
        /* The fraction of a square that has an even exponent is at most (2^(p + 1) - 1)^2 of 2 p + 2 digits. */
        return o->a != o->b;
    case UOP_ffma_f32:
    case UOP_ffma_f64:
    case UOP_cvt_f64_f32:
    case UOP_vffma_f32:
    case UOP_vffma_f64:
    case UOP_vcvt_f64_f32:
    case UOP_ffma_f16:
    case UOP_vffma_f16:
    case UOP_vffmah:
    case UOP_cvt_f32_f16:
    case UOP_vcvt_f32_f16:
    case UOP_cvt_f64_f16:
        return true;
    default:
        /* Sums are exact down there. A quotient below a power of two is so by 1 / divisor at least, taken as whole numbers of p digits,
         * which is more than what rounds up. */
        return false;
    }
}

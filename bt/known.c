/* What is known of integer values: the upper half is the sign's, or zero.
 *
 * Computed optimistically, so that a loop's values are known by what goes round.
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

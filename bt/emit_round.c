/* Emission of scalar roundings to integral values.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

bool bt_emit_round(struct bt_emitter *m, uint32_t v, bool s, bool exact)
{
    static const uint8_t modes[8] = {
        [FP_RNE] = 0, [FP_RDN] = 1, [FP_RUP] = 2, [FP_RTZ] = 3, [FP_DYN] = 4, [FP_RMM] = 3, 8, 8};
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned rm = bt_rounding(o), mode = modes[rm] | (exact ? 0 : 8);
    if (rm == FP_ODD || (rm == FP_RMM && exact) || !x64_has(e, X64_F_SSE41))
        return false;
    unsigned a = bt_xmm(m, o->a, XMM0), d = bt_xdst(m, v, XMM0),
             round = s ? X64_ROUNDSS : X64_ROUNDSD;
    uint32_t begin = x64_offset(e);
    m->above[v] = (uint8_t)bt_above(m, o->a);
    bt_trap_subnormal(m, a, a, s);
    if (rm != FP_RMM) {
        x64_v_rrri(e, round, d, a, a, mode);
        bt_check_env(m, v, d, s);
        bt_trap(m, begin, v, CC_TRAP_SCALAR, d);
        bt_xdone(m, v, d);
        return true;
    }
    /* Ties away from zero: truncated, and one more when the rest is a half at least. Infinities and NaNs have no rest. */
    unsigned back = x64_label(e);
    x64_v_gr(e, s ? X64_MOVD_ST : X64_MOVQ_ST, s ? 4 : 8, a, RAX);
    x64_alu_rr(e, X64_ADD, s ? 4 : 8, RAX, RAX);
    x64_mov_ri(e, RCX, s ? 0xff000000 : UINT64_C(0xffe0000000000000));
    x64_alu_rr(e, X64_CMP, s ? 4 : 8, RAX, RCX);
    x64_jcc(e, X64_AE,
            bt_later(m, (struct bt_cold){.emit = bt_cold_call, .back = back, .v = v, .x = d}));
    x64_v_rrri(e, round, XMM1, a, a, mode);
    x64_v_rrr(e, s ? X64_SUBSS : X64_SUBSD, XMM2, a, XMM1);
    x64_v_rrm(e, X64_ANDPS, XMM2, XMM2, bt_const128(m, s ? INT32_MAX : INT64_MAX, 0));
    x64_v_rrmi(e, s ? X64_CMPSS : X64_CMPSD, XMM2, XMM2,
               bt_const128(m, s ? 0x3f000000 : UINT64_C(0x3fe0000000000000), 0), 5 /* not less */);
    x64_v_rrm(e, X64_ANDPS, XMM2, XMM2,
              bt_const128(m, s ? 0x3f800000 : UINT64_C(0x3ff0000000000000), 0));
    x64_v_rrm(e, X64_ANDPS, XMM0, a, bt_const128(m, s ? 0x80000000 : (uint64_t)INT64_MIN, 0));
    x64_v_rrr(e, X64_ORPS, XMM2, XMM2, XMM0);
    x64_v_rrr(e, s ? X64_ADDSS : X64_ADDSD, d, XMM1, XMM2);
    bt_trap(m, begin, v, CC_TRAP_SCALAR, d); /* a rest that is subnormal */
    x64_bind(e, back);
    m->above[v] = 0;
    bt_xdone(m, v, d);
    return true;
}

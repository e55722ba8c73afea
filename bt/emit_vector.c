/* Emission of vector operations: SSE or AVX on 128 bits.
 *
 * Owns: the table from vector micro-ops to host instructions, and the sequences of those that have no instruction of
 * their own. What is in neither, or needs what the host has not, is done by C (bt_emit_call): nothing is refused.
 *
 * A sequence writes its result last, because the result's register may be an operand's. a may lie in xmm0 and b in xmm1 when they
 * come from memory; xmm2 is free, xmm3 belongs to the legacy forms of host/x64.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

/* ---- one instruction ---- */

enum form {
    AB,   /* d = op(a, b) */
    AB_C, /* the same, operands may be exchanged */
    BA,   /* d = op(b, a) */
    A1,   /* d = op(a) */
    SH,   /* d = op(a, imm) */
};

static const struct direct {
    uint32_t insn; /* 0: none */
    uint8_t form, feature;
} direct[UOP_CODES] = {
#define D(op, form, insn, feature) [UOP_##op] = {X64_##insn, form, X64_F_##feature},
    D(vadd_8, AB_C, PADDB, BASE) D(vadd_16, AB_C, PADDW, BASE) D(vadd_32, AB_C, PADDD, BASE)
        D(vadd_64, AB_C, PADDQ, BASE) D(vsub_8, AB, PSUBB, BASE) D(vsub_16, AB, PSUBW, BASE) D(
            vsub_32, AB, PSUBD, BASE) D(vsub_64, AB, PSUBQ, BASE) D(vmul_16, AB_C, PMULLW, BASE)
            D(vmul_32, AB_C, PMULLD, SSE41) D(vand, AB_C, PAND, BASE) D(vandn, BA, PANDN, BASE) D(
                vor, AB_C, POR, BASE) D(vxor, AB_C, PXOR, BASE) D(vcmeq_8, AB_C, PCMPEQB, BASE)
                D(vcmeq_16, AB_C, PCMPEQW, BASE) D(vcmeq_32, AB_C, PCMPEQD, BASE) D(vcmeq_64, AB_C,
                                                                                    PCMPEQQ, SSE41)
                    D(vcmgt_8, AB, PCMPGTB, BASE) D(vcmgt_16, AB, PCMPGTW,
                                                    BASE) D(vcmgt_32, AB, PCMPGTD, BASE)
                        D(vcmgt_64, AB, PCMPGTQ, SSE42) D(vsmax_8, AB_C, PMAXSB, SSE41)
                            D(vsmax_16, AB_C, PMAXSW, BASE) D(vsmax_32, AB_C, PMAXSD, SSE41) D(
                                vsmin_8, AB_C,
                                PMINSB,
                                SSE41) D(vsmin_16, AB_C, PMINSW,
                                         BASE) D(vsmin_32, AB_C, PMINSD,
                                                 SSE41) D(vumax_8, AB_C, PMAXUB, BASE)
                                D(vumax_16, AB_C, PMAXUW, SSE41) D(vumax_32, AB_C, PMAXUD, SSE41) D(
                                    vumin_8, AB_C,
                                    PMINUB,
                                    BASE) D(vumin_16, AB_C, PMINUW, SSE41)
                                    D(vumin_32, AB_C, PMINUD, SSE41) D(vurhadd_8, AB_C, PAVGB, BASE)
                                        D(vurhadd_16, AB_C,
                                          PAVGW, BASE) D(vsqadd_8, AB_C, PADDSB,
                                                         BASE) D(vsqadd_16, AB_C, PADDSW, BASE)
                                            D(vuqadd_8, AB_C, PADDUSB, BASE) D(
                                                vuqadd_16, AB_C,
                                                PADDUSW, BASE) D(vsqsub_8, AB, PSUBSB,
                                                                 BASE) D(vsqsub_16, AB, PSUBSW,
                                                                         BASE)
                                                D(vuqsub_8, AB, PSUBUSB, BASE) D(
                                                    vuqsub_16, AB, PSUBUSW,
                                                    BASE) D(vabs_8, A1, PABSB, SSSE3)
                                                    D(vabs_16, A1, PABSW,
                                                      SSSE3) D(vabs_32, A1, PABSD,
                                                               SSSE3) D(vshl_16, SH, PSLLW_I8, BASE)
                                                        D(vshl_32, SH, PSLLD_I8, BASE) D(
                                                            vshl_64, SH, PSLLQ_I8,
                                                            BASE) D(vushr_16, SH, PSRLW_I8, BASE)
                                                            D(vushr_32, SH, PSRLD_I8,
                                                              BASE) D(vushr_64, SH, PSRLQ_I8, BASE)
                                                                D(vsshr_16, SH, PSRAW_I8, BASE)
                                                                    D(vsshr_32, SH, PSRAD_I8, BASE)
                                                                        D(vaesimc, A1, AESIMC,
                                                                          AES) D(vaesenclast, AB,
                                                                                 AESENCLAST, AES)
                                                                            D(vaesdeclast, AB,
                                                                              AESDECLAST, AES)
                                                                                D(vaesenc, AB,
                                                                                  AESENC, AES)
                                                                                    D(vaesdec, AB,
                                                                                      AESDEC, AES)
#undef D
};

static bool emit_direct(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    const struct direct *t = &direct[o->op];
    if (!t->insn || !x64_has(&m->e, t->feature))
        return false;
    unsigned a = bt_vec(m, o->a, XMM0), d = bt_xdst(m, v, XMM0);
    switch (t->form) {
    case A1:
        x64_v_rr(&m->e, t->insn, d, a);
        break;
    case SH:
        x64_v_shift(&m->e, t->insn, d, a, (unsigned)o->imm);
        break;
    case BA:
        x64_v_rrr(&m->e, t->insn, d, bt_vec(m, o->b, XMM1), a);
        break;
    case AB_C:
        x64_v_rrr_c(&m->e, t->insn, d, a, bt_vec(m, o->b, XMM1));
        break;
    default:
        x64_v_rrr(&m->e, t->insn, d, a, bt_vec(m, o->b, XMM1));
    }
    bt_xdone(m, v, d);
    return true;
}

/* ---- between units and vectors ---- */

/* A 64-bit value in a vector register, whatever is above it. */
static unsigned low(struct bt_emitter *m, uint32_t v, unsigned scratch)
{
    return bt_xmm(m, v, scratch);
}

/* Zeros above the low 2^imm bytes. */
static bool zext(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    struct bt_loc l = bt_loc(m, o->a);
    bool already = o->imm >= 2 && l.place == BT_XMM && bt_above(m, o->a) <= (8u << o->imm);
    unsigned d = bt_xdst(m, v, already ? l.n : XMM0);
    if (o->imm < 2) {
        bt_load_gpr(m, RAX, o->a);
        x64_rr(e, o->imm ? X64_MOVZX16 : X64_MOVZX8, 4, RAX, RAX);
        x64_v_gr(e, X64_MOVD, 4, d, RAX);
    } else if (already)
        x64_v_mov(e, d, l.n);
    else if (o->imm == 3 && l.place == BT_XMM)
        x64_v_rr(e, X64_MOVQ_X, d, l.n);
    else if (o->imm == 3)
        low(m, o->a, d); /* every way of loading 64 bits clears what is above */
    else if (l.place == BT_XMM && x64_has(e, X64_F_SSE41))
        x64_v_rrri(e, X64_INSERTPS, d, l.n, l.n, 0x0e);
    else if (l.place == BT_UNIT)
        x64_v_rm(e, X64_MOVSS, d, x64_slot(l.n));
    else
        x64_v_gr(e, X64_MOVD, 4, d, bt_gpr(m, o->a, RAX));
    m->above[v] = (uint8_t)(8u << o->imm);
    bt_xdone(m, v, d);
    return true;
}

static bool get(struct bt_emitter *m, uint32_t v)
{
    static const uint32_t insn[] = {X64_PEXTRB, X64_PEXTRW, X64_PEXTRD, X64_PEXTRQ};
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned size = o->imm & 3, i = (unsigned)o->imm >> 2;
    struct bt_loc l = bt_loc(m, o->a);
    unsigned d = bt_dst(m, v, RAX);
    if (l.place == BT_UNIT) {
        struct x64_mem at = x64_slot(l.n);
        at.disp += (int32_t)(i << size);
        x64_rm(e,
               size == 0   ? X64_MOVZX8
               : size == 1 ? X64_MOVZX16
                           : X64_MOV_R_RM,
               size == 3 ? 8 : 4, d, at);
    } else if (i == 0 && size >= 2) {
        x64_v_gr(e, size == 3 ? X64_MOVQ_ST : X64_MOVD_ST, size == 3 ? 8 : 4, l.n, d);
    } else if (x64_has(e, X64_F_SSE41)) {
        x64_pextr(e, insn[size], d, l.n, i);
    } else {
        return false;
    }
    bt_done(m, v, d);
    return true;
}

static bool set(struct bt_emitter *m, uint32_t v)
{
    static const uint32_t insn[] = {X64_PINSRB, X64_PINSRW, X64_PINSRD, X64_PINSRQ};
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned size = o->imm & 3, i = (unsigned)o->imm >> 2;
    unsigned a = bt_vec(m, o->a, XMM0), d = bt_xdst(m, v, XMM0);
    if (size == 3 && bt_loc(m, o->b).place != BT_GPR) {
        unsigned b = low(m, o->b, XMM1);
        x64_v_rrr(e, i ? X64_PUNPCKLQDQ : X64_MOVSD_RR, d, a, b);
    } else if (x64_has(e, X64_F_SSE41)) {
        x64_pinsr(e, insn[size], d, a, bt_gpr(m, o->b, RAX), i);
    } else {
        return false;
    }
    bt_xdone(m, v, d);
    return true;
}

/* Lane i of a from lane imm >> 8 of b. */
static bool insert(struct bt_emitter *m, uint32_t v)
{
    static const uint32_t out[] = {X64_PEXTRB, X64_PEXTRW}, in[] = {X64_PINSRB, X64_PINSRW};
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned size = o->imm & 3, i = (unsigned)o->imm >> 2 & 15, from = (unsigned)o->imm >> 8;
    unsigned a = bt_vec(m, o->a, XMM0), b = bt_vec(m, o->b, XMM1), d = bt_xdst(m, v, XMM0);
    if (size == 3 && i == from) { /* the halves stay where they are */
        if (i)
            x64_v_rrri(e, X64_SHUFPD, d, a, b, 2);
        else
            x64_v_rrr(e, X64_MOVSD_RR, d, a, b);
    } else if (size == 3) {
        if (i)
            x64_v_rrr(e, X64_PUNPCKLQDQ, d, a, b);
        else
            x64_v_rrri(e, X64_SHUFPD, d, b, a, 3);
    } else if (!x64_has(e, X64_F_SSE41)) {
        return false;
    } else if (size == 2) {
        x64_v_rrri(e, X64_INSERTPS, d, a, b, from << 6 | i << 4);
    } else {
        x64_pextr(e, out[size], RAX, b, from);
        x64_pinsr(e, in[size], d, a, RAX, i);
    }
    bt_xdone(m, v, d);
    return true;
}

static bool pair(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    unsigned d = bt_xdst(m, v, XMM0);
    if (bt_is_const(m->r, o->a) && bt_is_const(m->r, o->b)) {
        uint64_t lo = bt_imm(m, o->a), hi = bt_imm(m, o->b);
        if (!~(lo & hi))
            x64_v_rrr(e, X64_PCMPEQD, d, d, d);
        else
            x64_v_rm(e, X64_MOVAPS, d, bt_const128(m, lo, hi));
    } else if (bt_loc(m, o->b).place == BT_GPR && x64_has(e, X64_F_SSE41)) {
        x64_pinsr(e, X64_PINSRQ, d, low(m, o->a, XMM0), bt_loc(m, o->b).n, 1);
    } else {
        unsigned a = low(m, o->a, XMM0);
        x64_v_rrr(e, X64_PUNPCKLQDQ, d, a, low(m, o->b, XMM1));
    }
    bt_xdone(m, v, d);
    return true;
}

/* Lane i of 1 << size bytes of register a everywhere. */
static bool replicate(struct bt_emitter *m, unsigned d, unsigned a, unsigned i, unsigned size)
{
    static const uint32_t broadcast[] = {X64_VPBROADCASTB, X64_VPBROADCASTW, X64_VPBROADCASTD,
                                         X64_VPBROADCASTQ};
    struct x64_emit *e = &m->e;
    if (size == 3) {
        x64_v_rrr(e, i ? X64_PUNPCKHQDQ : X64_PUNPCKLQDQ, d, a, a);
    } else if (size == 2) {
        x64_v_rri(e, X64_PSHUFD, d, a, i * 0x55);
    } else if (i == 0 && x64_has(e, X64_F_AVX2)) {
        x64_v_rr(e, broadcast[size], d, a);
    } else if (x64_has(e, X64_F_SSSE3)) {
        uint64_t bytes = size ? (i * 0x202 + 0x100) * UINT64_C(0x0001000100010001)
                              : i * UINT64_C(0x0101010101010101);
        x64_v_rrm(e, X64_PSHUFB, d, a, bt_const128(m, bytes, bytes));
    } else {
        return false;
    }
    return true;
}

static bool rep(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned d = bt_xdst(m, v, XMM0);
    if (!replicate(m, d, bt_vec(m, o->a, XMM0), (unsigned)o->imm >> 2, o->imm & 3))
        return false;
    bt_xdone(m, v, d);
    return true;
}

static bool duplicate(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    unsigned d = bt_xdst(m, v, XMM0);
    if (bt_is_const(m->r, o->a)) {
        uint64_t c = bt_imm(m, o->a);
        for (unsigned w = 8u << o->imm; w < 64; w *= 2)
            c = (c & ((UINT64_C(1) << w) - 1)) | c << w;
        if (c)
            x64_v_rm(&m->e, X64_MOVAPS, d, bt_const128(m, c, c));
        else
            x64_v_rrr(&m->e, X64_XORPS, d, d, d);
    } else if (!replicate(m, d, low(m, o->a, XMM0), 0, (unsigned)o->imm)) {
        return false;
    }
    bt_xdone(m, v, d);
    return true;
}

/* What bt/emit_vecint.c, bt/emit_vecperm.c and bt/emit_crypto.c do not know either is in the table, or C's. */
bool bt_emit_vector(struct bt_emitter *m, uint32_t v)
{
    switch (m->r->ops[v].op) {
    case UOP_vzext:
        return zext(m, v);
    case UOP_vget:
        return get(m, v);
    case UOP_vset:
        return set(m, v);
    case UOP_vins:
        return insert(m, v);
    case UOP_vpair:
        return pair(m, v);
    case UOP_vrep:
        return rep(m, v);
    case UOP_vdup:
        return duplicate(m, v);
    default:
        if (uop_info[m->r->ops[v].op].flags & UOP_F_FPENV)
            return bt_emit_vector_float(m, v);
        return emit_direct(m, v) || bt_emit_vector_integer(m, v) || bt_emit_permutation(m, v) ||
               bt_emit_crypto(m, v);
    }
}

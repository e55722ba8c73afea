/* Emission of operations on the order of bits and bytes, and of cyclic redundancy checks, partly in vector registers.
 *
 * rax and xmm0 to xmm2 are all that is used. What the host has no short sequence for is C's.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

/* Bits of each byte in the opposite order: by a matrix over GF(2), or by what each nibble gives. */
static bool reverse_bits(struct bt_emitter *m, uint32_t v)
{
    const uint64_t matrix = UINT64_C(0x8040201008040201), low = UINT64_C(0x0f0f0f0f0f0f0f0f);
    const uint64_t table[2] = {UINT64_C(0xe060a020c0408000), UINT64_C(0xf070b030d0509010)};
    struct x64_emit *e = &m->e;
    if (!x64_has(e, X64_F_SSSE3))
        return false;
    unsigned a = bt_xmm(m, m->r->ops[v].a, XMM0);
    if (x64_has(e, X64_F_GFNI)) {
        x64_v_rrmi(e, X64_GF2P8AFFINEQB, XMM0, a, bt_const128(m, matrix, matrix), 0);
    } else {
        x64_v_shift(e, X64_PSRLW_I8, XMM1, a, 4);
        x64_v_rrm(e, X64_PAND, XMM0, a, bt_const128(m, low, low));
        x64_v_rrm(e, X64_PAND, XMM1, XMM1, bt_const128(m, low, low));
        x64_v_rm(e, X64_MOVAPS, XMM2, bt_const128(m, table[0], table[1]));
        x64_v_rrr(e, X64_PSHUFB, XMM0, XMM2, XMM0);
        x64_v_rrr(e, X64_PSHUFB, XMM2, XMM2, XMM1);
        x64_v_shift(e, X64_PSRLW_I8, XMM2, XMM2, 4);
        x64_v_rrr(e, X64_POR, XMM0, XMM0, XMM2);
    }
    x64_v_gr(e, X64_MOVQ_ST, 8, XMM0, RAX);
    x64_o(e, X64_BSWAP, 8, RAX);
    bt_done(m, v, RAX);
    return true;
}

static bool swap_in_halfwords(struct bt_emitter *m, uint32_t v)
{
    const uint64_t order = UINT64_C(0x0607040502030001);
    struct x64_emit *e = &m->e;
    if (!x64_has(e, X64_F_SSSE3))
        return false;
    unsigned a = bt_xmm(m, m->r->ops[v].a, XMM0);
    x64_v_rrm(e, X64_PSHUFB, XMM0, a, bt_const128(m, order, order));
    x64_v_gr(e, X64_MOVQ_ST, 8, XMM0, RAX);
    bt_done(m, v, RAX);
    return true;
}

/* CRC-32C is an instruction of the host's. */
static bool crc32c(struct bt_emitter *m, uint32_t v, unsigned bits)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    if (!x64_has(e, X64_F_SSE42))
        return false;
    struct bt_source s = bt_source(m, o->b, X64_NONE);
    bt_load_gpr(m, RAX, o->a);
    unsigned op = bits == 8 ? X64_CRC32_8 : X64_CRC32, size = bits == 8 ? 4 : bits / 8;
    if (s.kind == BT_SRC_REG)
        x64_rr(e, op, size, RAX, s.reg);
    else if (s.kind == BT_SRC_MEM)
        x64_rm(e, op, size, RAX, s.mem);
    else
        x64_rm(e, op, size, RAX, bt_through_memory(m, o->b));
    bt_done(m, v, RAX);
    return true;
}

/* CRC-32: the sum and the data, t, are a polynomial with the highest power in bit 0, and P is 0x1db710641. With q the
 * product of t and the inverse of P modulo x^64, the low half of q P is t, and the high one the remainder. A shorter t is shifted up, which
 * leaves bits of the old sum over. */
static bool crc32(struct bt_emitter *m, uint32_t v, unsigned bits)
{
    const struct bt_op *o = &m->r->ops[v];
    struct x64_emit *e = &m->e;
    struct x64_mem c =
        bt_const128(m, UINT64_C(0xb4e5b025f7011641), UINT64_C(0x1db710641)); /* 1 / P, P */
    if (!x64_has(e, X64_F_PCLMUL))
        return false;
    bool over = bits < 32;
    struct bt_source s = bt_source(m, o->b, X64_NONE);
    bt_load_gpr(m, RAX, o->a);
    if (over)
        x64_v_gr(e, X64_MOVD, 4, XMM1, RAX);
    if (bits == 64)
        x64_mov_rr(e, 4, RAX, RAX);
    if (s.kind == BT_SRC_REG)
        x64_alu_rr(e, X64_XOR, 8, RAX, s.reg);
    else if (s.kind == BT_SRC_MEM)
        x64_alu_rm(e, X64_XOR, 8, RAX, s.mem);
    else
        x64_alu_ri(e, X64_XOR, 8, RAX, s.imm);
    if (bits < 64)
        x64_shift_ri(e, X64_SHL, 8, RAX, 64 - bits);
    x64_v_gr(e, X64_MOVQ, 8, XMM0, RAX);
    x64_v_rrmi(e, X64_PCLMULQDQ, XMM0, XMM0, c, 0x00);
    x64_v_rrmi(e, X64_PCLMULQDQ, XMM0, XMM0, c, 0x10);
    if (over) {
        x64_v_shift(e, X64_PSRLD_I8, XMM1, XMM1, bits);
        x64_v_rri(e, X64_PSHUFD, XMM0, XMM0, 0xee);
        x64_v_rrr(e, X64_PXOR, XMM0, XMM0, XMM1);
        x64_v_gr(e, X64_MOVD_ST, 4, XMM0, RAX);
    } else {
        x64_pextr(e, X64_PEXTRD, RAX, XMM0, 2);
    }
    bt_done(m, v, RAX);
    return true;
}

bool bt_emit_bits(struct bt_emitter *m, uint32_t v)
{
    switch (m->r->ops[v].op) {
    case UOP_rbit_64:
        return reverse_bits(m, v);
    case UOP_rev16_64:
        return swap_in_halfwords(m, v);
    case UOP_bswap_64:
        bt_load_gpr(m, RAX, m->r->ops[v].a);
        x64_o(&m->e, X64_BSWAP, 8, RAX);
        bt_done(m, v, RAX);
        return true;
    case UOP_crc32_8:
        return crc32(m, v, 8);
    case UOP_crc32_16:
        return crc32(m, v, 16);
    case UOP_crc32_32:
        return crc32(m, v, 32);
    case UOP_crc32_64:
        return crc32(m, v, 64);
    case UOP_crc32c_8:
        return crc32c(m, v, 8);
    case UOP_crc32c_32:
        return crc32c(m, v, 32);
    case UOP_crc32c_64:
        return crc32c(m, v, 64);
    default:
        return bt_emit_flags(m, v);
    }
}

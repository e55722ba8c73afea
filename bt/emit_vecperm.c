/* Emission of permutations: lanes that move, widen and narrow.
 *
 * Conventions as in bt/emit_vecint.c.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

struct perm {
    struct bt_emitter *m;
    struct x64_emit *e;
    unsigned a, b, d;
    unsigned n; /* the immediate, mostly log2 of the lane's bytes */
};

static void op(const struct perm *s, uint32_t insn, unsigned d, unsigned a, unsigned b)
{
    x64_v_rrr(s->e, insn, d, a, b);
}

static void shift(const struct perm *s, uint32_t insn, unsigned d, unsigned a, unsigned n)
{
    x64_v_shift(s->e, insn, d, a, n);
}

static void with(const struct perm *s, uint32_t insn, unsigned d, unsigned a, uint64_t low,
                 uint64_t high)
{
    x64_v_rrm(s->e, insn, d, a, bt_const128(s->m, low, high));
}

static bool zip(const struct perm *s, bool upper)
{
    static const uint32_t insn[2][4] = {
        {X64_PUNPCKLBW, X64_PUNPCKLWD, X64_PUNPCKLDQ, X64_PUNPCKLQDQ},
        {X64_PUNPCKHBW, X64_PUNPCKHWD, X64_PUNPCKHDQ, X64_PUNPCKHQDQ}};
    op(s, insn[upper][s->n], s->d, s->a, s->b);
    return true;
}

/* Even or odd lanes: as lanes of twice the width, which are packed without changing. */
static bool unzip(const struct perm *s, bool odd)
{
    const uint64_t byte = UINT64_C(0x00ff00ff00ff00ff), word = UINT64_C(0x0000ffff0000ffff);
    switch (s->n) {
    case 0:
        if (odd) {
            shift(s, X64_PSRLW_I8, XMM2, s->a, 8);
            shift(s, X64_PSRLW_I8, XMM1, s->b, 8);
        } else {
            with(s, X64_PAND, XMM2, s->a, byte, byte);
            with(s, X64_PAND, XMM1, s->b, byte, byte);
        }
        op(s, X64_PACKUSWB, s->d, XMM2, XMM1);
        return true;
    case 1:
        if (odd) {
            shift(s, X64_PSRLD_I8, XMM2, s->a, 16);
            shift(s, X64_PSRLD_I8, XMM1, s->b, 16);
        } else {
            with(s, X64_PAND, XMM2, s->a, word, word);
            with(s, X64_PAND, XMM1, s->b, word, word);
        }
        op(s, X64_PACKUSDW, s->d, XMM2, XMM1);
        return true;
    case 2:
        x64_v_rrri(s->e, X64_SHUFPS, s->d, s->a, s->b, odd ? 0xdd : 0x88);
        return true;
    default:
        op(s, odd ? X64_PUNPCKHQDQ : X64_PUNPCKLQDQ, s->d, s->a, s->b);
        return true;
    }
}

static bool transpose(const struct perm *s, bool odd)
{
    const uint64_t low = UINT64_C(0x00ff00ff00ff00ff);
    static const uint32_t shl[3] = {X64_PSLLW_I8, X64_PSLLD_I8, X64_PSLLQ_I8};
    static const uint32_t shr[3] = {X64_PSRLW_I8, X64_PSRLD_I8, X64_PSRLQ_I8};
    if (s->n == 3)
        return unzip(s, odd);
    unsigned bits = 8u << s->n;
    if (odd)
        shift(s, shr[s->n], XMM2, s->a, bits);
    else
        shift(s, shl[s->n], XMM2, s->b, bits);
    if (s->n == 0) {
        with(s, X64_PAND, XMM1, odd ? s->b : s->a, odd ? ~low : low, odd ? ~low : low);
        op(s, X64_POR, s->d, XMM2, XMM1);
    } else {
        unsigned from_b = s->n == 1 ? 0xaa : 0xcc;
        x64_v_rrri(s->e, X64_PBLENDW, s->d, odd ? XMM2 : s->a, odd ? s->b : XMM2, from_b);
    }
    return true;
}

/* Indexes that are out of range get their sign bit set, for which the host's instruction gives zero. */
static void look_up(const struct perm *s, unsigned d)
{
    const uint64_t first = s->n * UINT64_C(0x0101010101010101), top = UINT64_C(0x7070707070707070);
    unsigned index = s->b;
    if (s->n) {
        with(s, X64_PSUBB, XMM1, index, first, first);
        index = XMM1;
    }
    with(s, X64_PADDUSB, XMM1, index, top, top);
    op(s, X64_PSHUFB, d, s->a, XMM1);
}

static bool table(const struct perm *s)
{
    look_up(s, XMM2);
    x64_v_mov(s->e, s->d, XMM2);
    return true;
}

static bool table_extend(const struct perm *s, const struct bt_op *o)
{
    if (!s->e->avx)
        return false;
    look_up(s, XMM2);
    x64_v_rrrr(s->e, X64_VPBLENDVB, s->d, XMM2, bt_vec(s->m, o->c, XMM3), XMM1);
    return true;
}

static bool widen(const struct perm *s, bool is_signed)
{
    static const uint32_t insn[2][3] = {{X64_PMOVZXBW, X64_PMOVZXWD, X64_PMOVZXDQ},
                                        {X64_PMOVSXBW, X64_PMOVSXWD, X64_PMOVSXDQ}};
    x64_v_rr(s->e, insn[is_signed][s->n], s->d, s->a);
    return true;
}

static bool shuffle(const struct perm *s, uint64_t low, uint64_t high)
{
    with(s, X64_PSHUFB, s->d, s->a, low, high);
    return true;
}

static bool narrow(const struct perm *s)
{
    static const uint64_t pick[3] = {UINT64_C(0x0e0c0a0806040200), UINT64_C(0x0d0c090805040100),
                                     UINT64_C(0x0b0a090803020100)};
    return shuffle(s, pick[s->n], ~UINT64_C(0));
}

static bool emit(struct perm *s, const struct bt_op *o)
{
    switch (o->op) {
    case UOP_vzip1:
        return zip(s, false);
    case UOP_vzip2:
        return zip(s, true);
    case UOP_vuzp1:
        return unzip(s, false);
    case UOP_vuzp2:
        return unzip(s, true);
    case UOP_vtrn1:
        return transpose(s, false);
    case UOP_vtrn2:
        return transpose(s, true);
    case UOP_vshuf_32:
        if (s->a == s->b)
            x64_v_rri(s->e, X64_PSHUFD, s->d, s->a, s->n);
        else
            x64_v_rrri(s->e, X64_SHUFPS, s->d, s->a, s->b, s->n);
        return true;
    case UOP_vext:
        x64_v_rrri(s->e, X64_PALIGNR, s->d, s->b, s->a, s->n);
        return true;
    case UOP_vtbl:
        return table(s);
    case UOP_vtbx:
        return table_extend(s, o);
    case UOP_vwiden_s:
        return widen(s, true);
    case UOP_vwiden_u:
        return widen(s, false);
    case UOP_vnarrow:
        return narrow(s);
    case UOP_vrev16_8:
        return shuffle(s, UINT64_C(0x0607040502030001), UINT64_C(0x0e0f0c0d0a0b0809));
    case UOP_vrev32_8:
        return shuffle(s, UINT64_C(0x0405060700010203), UINT64_C(0x0c0d0e0f08090a0b));
    case UOP_vrev32_16:
        return shuffle(s, UINT64_C(0x0504070601000302), UINT64_C(0x0d0c0f0e09080b0a));
    case UOP_vrev64_8:
        return shuffle(s, UINT64_C(0x0001020304050607), UINT64_C(0x08090a0b0c0d0e0f));
    case UOP_vrev64_16:
        return shuffle(s, UINT64_C(0x0100030205040706), UINT64_C(0x09080b0a0d0c0f0e));
    case UOP_vrev64_32:
        x64_v_rri(s->e, X64_PSHUFD, s->d, s->a, 0xb1);
        return true;
    default:
        return false;
    }
}

bool bt_emit_permutation(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    if (uop_info[o->op].a != UOP_K_V || uop_info[o->op].d != UOP_K_V ||
        !x64_has(&m->e, X64_F_SSE41))
        return false;
    struct perm s = {.m = m, .e = &m->e, .n = (unsigned)o->imm};
    s.a = bt_vec(m, o->a, XMM0);
    if (uop_info[o->op].b == UOP_K_V)
        s.b = bt_vec(m, o->b, XMM1);
    s.d = bt_xdst(m, v, XMM0);
    if (!emit(&s, o))
        return false;
    bt_xdone(m, v, s.d);
    return true;
}

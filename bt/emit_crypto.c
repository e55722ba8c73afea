/* Emission of cryptography and carry-less products by the host's own instructions.
 *
 * The conventions are those of bt/emit_vector.c. What the host has no instruction for, or this one not, is C's.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"

/* The operation being emitted: registers of its operands, and of its result. */
struct crypto {
    struct bt_emitter *m;
    struct x64_emit *e;
    unsigned a, b, d;
};

static void zero(const struct crypto *s, unsigned x)
{
    x64_v_rrr(s->e, X64_PXOR, x, x, x);
}

/* ---- AES ---- */

/* A round with the key zero. Columns alone are mixed by a round whose substitution is undone first. */
static void aes_round(const struct crypto *s, uint32_t insn)
{
    zero(s, XMM2);
    x64_v_rrr(s->e, insn, s->d, s->a, XMM2);
}

static void aes_mix(const struct crypto *s)
{
    zero(s, XMM2);
    x64_v_rrr(s->e, X64_AESDECLAST, XMM0, s->a, XMM2);
    x64_v_rrr(s->e, X64_AESENC, s->d, XMM0, XMM2);
}

/* ---- SHA: instructions that overwrite their first operand, and have no other form ---- */

static void over_first(const struct crypto *s, uint32_t insn)
{
    unsigned d = s->d == s->b && s->d != s->a ? XMM2 : s->d;
    x64_v_mov(s->e, d, s->a);
    x64_v_rr(s->e, insn, d, s->b);
    x64_v_mov(s->e, s->d, d);
}

/* The host's instruction adds the constant of its rounds (FIPS 180-4, 4.2.1), which b has already. */
static void sha1_rounds(const struct crypto *s, unsigned f)
{
    static const uint32_t k[3] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc};
    uint64_t less = (uint32_t)-k[f];
    less |= less << 32;
    x64_v_rrm(s->e, X64_PADDD, XMM1, s->b, bt_const128(s->m, less, less));
    x64_v_mov(s->e, s->d, s->a);
    x64_v_rri(s->e, X64_SHA1RNDS4, s->d, XMM1, f);
}

static bool sha256_rounds(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    if (!x64_has(&m->e, X64_F_SHA))
        return false;
    struct crypto s = {.m = m, .e = &m->e};
    s.a = bt_vec(m, o->a, XMM2);
    s.b = bt_vec(m, o->b, XMM1);
    x64_v_mov(&m->e, XMM0, bt_vec(m, o->c, XMM0)); /* where the instruction looks for it */
    s.d = bt_xdst(m, v, XMM2);
    over_first(&s, X64_SHA256RNDS2);
    bt_xdone(m, v, s.d);
    return true;
}

/* ---- carry-less products of bytes ---- */

/* Two in one product: of the words x0 and x1 with y0 and y1, x0 y0 is in word 0 and x1 y1 in word 2. */
static void products(const struct crypto *s, unsigned d, bool odd)
{
    const uint64_t even = UINT64_C(0x00000000ffffffff);
    x64_v_rr(s->e, X64_PMOVZXBW, XMM2, s->a);
    x64_v_rr(s->e, X64_PMOVZXBW, XMM3, s->b);
    if (odd) {
        x64_v_shift(s->e, X64_PSRLQ_I8, XMM2, XMM2, 32);
        x64_v_shift(s->e, X64_PSRLQ_I8, XMM3, XMM3, 32);
    } else {
        x64_v_rrm(s->e, X64_PAND, XMM2, XMM2, bt_const128(s->m, even, even));
        x64_v_rrm(s->e, X64_PAND, XMM3, XMM3, bt_const128(s->m, even, even));
    }
    x64_v_rrri(s->e, X64_PCLMULQDQ, d, XMM2, XMM3, 0x00);
    x64_v_rrri(s->e, X64_PCLMULQDQ, XMM2, XMM2, XMM3, 0x11);
    x64_v_rrr(s->e, X64_PUNPCKLQDQ, d, d, XMM2);
    x64_v_rrm(s->e, X64_PAND, d, d,
              bt_const128(s->m, UINT64_C(0x0000ffff0000ffff), UINT64_C(0x0000ffff0000ffff)));
}

static bool products_of_bytes(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    if (!m->e.avx || !x64_has(&m->e, X64_F_PCLMUL))
        return false;
    struct crypto s = {.m = m, .e = &m->e};
    for (unsigned odd = 0; odd < 2; odd++) {
        s.a = bt_vec(m, o->a, XMM2);
        s.b = bt_vec(m, o->b, XMM3);
        products(&s, odd ? XMM1 : XMM0, odd);
    }
    unsigned d = bt_xdst(m, v, XMM0);
    x64_v_rrr(s.e, X64_PACKUSDW, XMM0, XMM0, XMM1);
    x64_v_rri(s.e, X64_PSHUFD, d, XMM0, 0xd8);
    bt_xdone(m, v, d);
    return true;
}

/* ---- the rows ---- */

static enum x64_feature feature_of(uint16_t op)
{
    switch (op) {
    case UOP_vpmull_64:
        return X64_F_PCLMUL;
    case UOP_vaese:
    case UOP_vaesd:
    case UOP_vaesmc:
    case UOP_vaesemc:
    case UOP_vaesdimc:
        return X64_F_AES;
    case UOP_vsha1r4:
    case UOP_vsha1m2:
    case UOP_vsha256m1:
    case UOP_vsha256m2:
        return X64_F_SHA;
    default:
        return X64_NFEATURES;
    }
}

static void emit(const struct crypto *s, const struct bt_op *o)
{
    switch (o->op) {
    case UOP_vpmull_64:
        x64_v_rrri(s->e, X64_PCLMULQDQ, s->d, s->a, s->b, (unsigned)o->imm);
        break;
    case UOP_vaese:
        aes_round(s, X64_AESENCLAST);
        break;
    case UOP_vaesd:
        aes_round(s, X64_AESDECLAST);
        break;
    case UOP_vaesmc:
        aes_mix(s);
        break;
    case UOP_vaesemc:
        aes_round(s, X64_AESENC);
        break;
    case UOP_vaesdimc:
        aes_round(s, X64_AESDEC);
        break;
    case UOP_vsha1r4:
        sha1_rounds(s, (unsigned)o->imm);
        break;
    case UOP_vsha1m2:
        over_first(s, X64_SHA1MSG2);
        break;
    case UOP_vsha256m1:
        over_first(s, X64_SHA256MSG1);
        break;
    default:
        over_first(s, X64_SHA256MSG2);
    }
}

bool bt_emit_crypto(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    if (o->op == UOP_vsha256r2)
        return sha256_rounds(m, v);
    if (o->op == UOP_vpmull_8)
        return products_of_bytes(m, v);
    enum x64_feature f = feature_of(o->op);
    if (f == X64_NFEATURES || !x64_has(&m->e, f))
        return false;
    struct crypto s = {.m = m, .e = &m->e};
    s.a = bt_vec(m, o->a, XMM0);
    if (uop_info[o->op].b == UOP_K_V)
        s.b = bt_vec(m, o->b, XMM1);
    s.d = bt_xdst(m, v, XMM0);
    emit(&s, o);
    bt_xdone(m, v, s.d);
    return true;
}

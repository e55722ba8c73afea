/* guest/a64/lift_crypto.c: from decoded instructions to micro-ops: cryptography.
 *
 * Owns: the meaning of these rows of a64.decode.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/a64/simd.h"

static void whole(struct lift *l, const struct a64_insn *in, uint8_t t)
{
    a64_vresult(l, in->rd, t, true);
}

static uint8_t vec3(struct lift *l, enum uop_code op, uint8_t a, uint8_t b, uint8_t c, int64_t imm)
{
    uint8_t t = lift_vtemp(l);
    lift_emit(l, op, t, a, b, c, imm);
    return t;
}

/* The state with the key added, then the row. */
LIFT(aes_round)
{
    uint8_t t = a64_vec2(l, UOP_vxor, a64_v(in->rd), a64_v(in->rn));
    whole(l, in, a64_vec_i(l, arg, t, 0, 0));
}

/* One operand; and the result of rd and rn, or of rd, rn and rm. */
LIFT(crypto1)
{
    whole(l, in, a64_vec_i(l, arg, a64_v(in->rn), 0, 0));
}

LIFT(crypto_dn)
{
    whole(l, in, a64_vec_i(l, arg, a64_v(in->rd), a64_v(in->rn), 0));
}

LIFT(crypto_nm)
{
    whole(l, in, a64_vec_i(l, arg, a64_v(in->rn), a64_v(in->rm), 0));
}

LIFT(crypto_dnm)
{
    whole(l, in, vec3(l, arg, a64_v(in->rd), a64_v(in->rn), a64_v(in->rm), 0));
}

/* Halves: bit 30 takes the upper ones. */
LIFT(pmull)
{
    uint8_t a = a64_v(in->rn), b = a64_v(in->rm);
    if (arg == UOP_vpmull_8 && Q) {
        a = a64_both(l, a + 1, a + 1);
        b = a64_both(l, b + 1, b + 1);
    }
    whole(l, in, a64_vec_i(l, arg, a, b, arg == UOP_vpmull_64 && Q ? 0x11 : 0));
}

/* Words from a, then from b; all words in the opposite order. */
static uint8_t words(struct lift *l, uint8_t a, uint8_t b, unsigned from)
{
    return a64_vec_i(l, UOP_vshuf_32, a, b, from);
}

static uint8_t reversed(struct lift *l, uint8_t v)
{
    return words(l, v, v, 0x1b);
}

LIFT(sha1)
{
    uint8_t e = a64_vec_i(l, UOP_vzext, a64_v(in->rn), 0, 2);
    uint8_t w = reversed(l, a64_vec2(l, UOP_vadd_32, a64_v(in->rm), e));
    whole(l, in, reversed(l, a64_vec_i(l, UOP_vsha1r4, reversed(l, a64_v(in->rd)), w, arg)));
}

/* A rotation of the low word. */
LIFT(sha1h)
{
    uint8_t t = a64_vec_i(l, UOP_vzext, a64_v(in->rn), 0, 2);
    uint8_t left = a64_vec_i(l, UOP_vshl_32, t, 0, 30);
    whole(l, in, a64_vec2(l, UOP_vor, left, a64_vec_i(l, UOP_vushr_32, t, 0, 2)));
}

LIFT(sha1su1)
{
    uint8_t d = reversed(l, a64_v(in->rd)), n = reversed(l, a64_v(in->rn));
    whole(l, in, reversed(l, a64_vec2(l, UOP_vsha1m2, d, n)));
}

/* Four rounds of the state A B C D, E F G H (low word first), by two in the order of vsha256r2; the half of the state that
 * rd has is the result. */
LIFT(sha256)
{
    uint8_t abcd = a64_v(arg ? in->rn : in->rd), efgh = a64_v(arg ? in->rd : in->rn);
    uint8_t abef = words(l, efgh, abcd, 0x11), cdgh = words(l, efgh, abcd, 0xbb);
    uint8_t w = a64_v(in->rm);
    uint8_t t = vec3(l, UOP_vsha256r2, cdgh, abef, w, 0);
    uint8_t u = vec3(l, UOP_vsha256r2, abef, t, words(l, w, w, 0xee), 0);
    whole(l, in, words(l, u, t, arg ? 0x11 : 0xbb));
}

LIFT(sha256su1)
{
    uint8_t t = a64_vec_i(l, UOP_vext, a64_v(in->rn), a64_v(in->rm), 4);
    t = a64_vec2(l, UOP_vadd_32, a64_v(in->rd), t);
    whole(l, in, a64_vec2(l, UOP_vsha256m2, t, a64_v(in->rm)));
}

LIFT(sha1su0)
{
    uint8_t d = a64_v(in->rd), t = a64_vec_i(l, UOP_vext, d, a64_v(in->rn), 8);
    t = a64_vec2(l, UOP_vxor, t, d);
    whole(l, in, a64_vec2(l, UOP_vxor, t, a64_v(in->rm)));
}

/* Both halves of v. */
static uint8_t rotated(struct lift *l, uint8_t v, unsigned right)
{
    if (!right)
        return v;
    uint8_t t = a64_vec_i(l, UOP_vushr_64, v, 0, right);
    return a64_vec2(l, UOP_vor, t, a64_vec_i(l, UOP_vshl_64, v, 0, 64 - right));
}

/* ---- SHA-512: in halves of 64 bits ---- */

static uint8_t either(struct lift *l, uint8_t x, uint8_t y, uint8_t z)
{
    return emit2(l, UOP_xor_64, emit2(l, UOP_xor_64, x, y), z);
}

static uint8_t rotations(struct lift *l, uint8_t x, unsigned i, unsigned j, unsigned k)
{
    return either(l, emit_i(l, UOP_ror_64_i, x, i), emit_i(l, UOP_ror_64_i, x, j),
                  emit_i(l, UOP_ror_64_i, x, k));
}

static uint8_t sum3(struct lift *l, uint8_t x, uint8_t y, uint8_t z)
{
    return emit2(l, UOP_add_64, emit2(l, UOP_add_64, x, y), z);
}

/* z where x has zeros, y where it has ones; what two of three have. */
static uint8_t choose(struct lift *l, uint8_t x, uint8_t y, uint8_t z)
{
    uint8_t t = emit2(l, UOP_and_64, emit2(l, UOP_xor_64, y, z), x);
    return emit2(l, UOP_xor_64, t, z);
}

static uint8_t majority(struct lift *l, uint8_t x, uint8_t y, uint8_t z)
{
    uint8_t t = emit2(l, UOP_and_64, emit2(l, UOP_or_64, x, y), z);
    return emit2(l, UOP_or_64, t, emit2(l, UOP_and_64, x, y));
}

LIFT(sha512h)
{
    uint8_t w = a64_v(in->rd), x = a64_v(in->rn), y = a64_v(in->rm);
    uint8_t y1 = y + 1;
    uint8_t high = sum3(l, choose(l, y1, x, x + 1), rotations(l, y1, 14, 18, 41), w + 1);
    uint8_t t = emit2(l, UOP_add_64, high, y);
    uint8_t low = sum3(l, choose(l, t, y1, x), rotations(l, t, 14, 18, 41), w);
    whole(l, in, a64_both(l, low, high));
}

LIFT(sha512h2)
{
    uint8_t w = a64_v(in->rd), x = a64_v(in->rn), y = a64_v(in->rm);
    uint8_t high = sum3(l, majority(l, x, y + 1, y), rotations(l, y, 28, 34, 39), w + 1);
    uint8_t low = sum3(l, majority(l, high, y, y + 1), rotations(l, high, 28, 34, 39), w);
    whole(l, in, a64_both(l, low, high));
}

/* Rotations and a shift of both halves of v, added to d. */
static uint8_t schedule(struct lift *l, uint8_t d, uint8_t v, unsigned i, unsigned j, unsigned k)
{
    uint8_t t = a64_vec2(l, UOP_vxor, rotated(l, v, i), rotated(l, v, j));
    t = a64_vec2(l, UOP_vxor, t, a64_vec_i(l, UOP_vushr_64, v, 0, k));
    return a64_vec2(l, UOP_vadd_64, d, t);
}

LIFT(sha512su0)
{
    uint8_t d = a64_v(in->rd);
    uint8_t next = a64_vec_i(l, UOP_vext, d, a64_v(in->rn), 8);
    whole(l, in, schedule(l, d, next, 1, 8, 7));
}

LIFT(sha512su1)
{
    uint8_t d = a64_vec2(l, UOP_vadd_64, a64_v(in->rd), a64_v(in->rm));
    whole(l, in, schedule(l, d, a64_v(in->rn), 19, 61, 6));
}

/* ---- SHA-3 ---- */

LIFT(eor3)
{
    uint8_t t = a64_vec2(l, UOP_vxor, a64_v(in->rn), a64_v(in->rm));
    whole(l, in, a64_vec2(l, UOP_vxor, t, a64_v(in->ra)));
}

LIFT(bcax)
{
    uint8_t t = a64_vec2(l, UOP_vandn, a64_v(in->rm), a64_v(in->ra));
    whole(l, in, a64_vec2(l, UOP_vxor, a64_v(in->rn), t));
}

LIFT(rax1)
{
    whole(l, in, a64_vec2(l, UOP_vxor, a64_v(in->rn), rotated(l, a64_v(in->rm), 63)));
}

LIFT(xar)
{
    uint8_t t = a64_vec2(l, UOP_vxor, a64_v(in->rn), a64_v(in->rm));
    whole(l, in, rotated(l, t, W(15, 10)));
}

/* ---- SM3 ---- */

LIFT(sm3ss1)
{
    whole(l, in, vec3(l, UOP_vsm3ss1, a64_v(in->rn), a64_v(in->rm), a64_v(in->ra), 0));
}

LIFT(sm3tt)
{
    whole(l, in,
          vec3(l, UOP_vsm3tt, a64_v(in->rd), a64_v(in->rn), a64_v(in->rm),
               arg | (int64_t)W(13, 12) << 2));
}

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
    uint8_t a = a64_v(in->rn) + (Q ? 1 : 0), b = a64_v(in->rm) + (Q ? 1 : 0);
    whole(l, in, a64_vec_i(l, arg, a64_both(l, a, a), a64_both(l, b, b), 0));
}

LIFT(sha1)
{
    whole(l, in, vec3(l, UOP_vsha1, a64_v(in->rd), a64_v(in->rn), a64_v(in->rm), arg));
}

LIFT(sha1h)
{
    a64_fp_result(l, in->rd, emit_i(l, UOP_ror_32z_i, a64_v(in->rn), 2));
}

LIFT(sha1su0)
{
    uint8_t d = a64_v(in->rd), t = a64_vec_i(l, UOP_vext, d, a64_v(in->rn), 8);
    t = a64_vec2(l, UOP_vxor, t, d);
    whole(l, in, a64_vec2(l, UOP_vxor, t, a64_v(in->rm)));
}

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

static uint8_t rotated(struct lift *l, uint8_t v, unsigned right)
{
    if (!right)
        return v;
    uint8_t t = a64_vec_i(l, UOP_vushr_64, v, 0, right);
    return a64_vec2(l, UOP_vor, t, a64_vec_i(l, UOP_vshl_64, v, 0, 64 - right));
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

/* Folding: constants, identities, immediate forms, and the idioms by which 64-bit guests without
 * some instruction spell it.
 *
 * A rule looks at one operation and its operands' operations and either changes the operation in place
 * or names the value that replaces it. Rules run over all operations in block order until nothing
 * changes. Constants are computed by uop_eval, the micro-ops' one meaning.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/ir.h"
#include "uop/sem.h"
#include <string.h>

struct folder {
    struct bt_region *r;
    struct bt_renames names; /* grown with the operations */
    struct bt_known known;
    uint32_t block, at; /* where the operation under the rules lies */
    bool changed, forwarded;
};

static uint32_t resolve(const struct folder *f, uint32_t v)
{
    return bt_renamed(&f->names, v);
}

static const struct bt_op *op_of(const struct folder *f, uint32_t v)
{
    return &f->r->ops[v];
}

static bool is_const(const struct folder *f, uint32_t v, uint64_t *c)
{
    if (!bt_is_const(f->r, v))
        return false;
    *c = (uint64_t)op_of(f, v)->imm;
    return true;
}

static bool is_imm_form(uint16_t op)
{
    return op < UOP_CODES && uop_info[op].rr_form != op;
}

/* Is it 0 or 1? */
static bool is_bit(const struct folder *f, uint32_t v)
{
    return bt_range(op_of(f, v)->op) == UOP_R_BIT;
}

/* ---- rules. Each returns the value that replaces v, or 0. ---- */

bool bt_commutes(uint16_t op)
{
    switch (op) {
    case UOP_add_64:
    case UOP_add_32s:
    case UOP_add_32z:
    case UOP_and_64:
    case UOP_and_32z:
    case UOP_or_64:
    case UOP_or_32z:
    case UOP_xor_64:
    case UOP_xor_32z:
    case UOP_xnor_64:
    case UOP_mul_64:
    case UOP_mul_32s:
    case UOP_mul_32z:
    case UOP_mulh_ss:
    case UOP_mulh_uu:
    case UOP_set_eq:
    case UOP_set_ne:
    case UOP_set_eq_32:
    case UOP_set_ne_32:
    case UOP_min_s64:
    case UOP_max_s64:
    case UOP_min_u64:
    case UOP_max_u64:
        return true;
    default:
        return false;
    }
}

/* Such an operand is in a vector register, constants too. */
static bool compares_floats(uint16_t op)
{
    return (op >= UOP_flags_fcmp_f16 && op <= UOP_flags_fcmp_f64) ||
           (op >= UOP_feq_q_f64 && op <= UOP_fle_q_f32);
}

static uint32_t changed(struct folder *f, struct bt_op *o, uint16_t op, uint32_t a, uint32_t b,
                        int64_t imm)
{
    o->op = op;
    o->a = a;
    o->b = b;
    o->imm = imm;
    f->changed = true;
    return 0;
}

static uint32_t under_extension(const struct folder *f, uint32_t v)
{
    const struct bt_op *o = op_of(f, v);
    while (o->op == UOP_sext32 || o->op == UOP_zext32 || (o->op == UOP_vzext && o->imm >= 2)) {
        v = resolve(f, o->a);
        o = op_of(f, v);
    }
    return v;
}

/* A new operation right before the one under the rules. */
static uint32_t insert(struct folder *f, uint16_t op, uint32_t a, int64_t imm)
{
    return bt_insert(f->r, f->block, &f->at, op, a, 0, 0, imm);
}

static uint32_t fold_shift_pair(struct folder *f, struct bt_op *o)
{
    /* (x << k) >> n: extensions of the low 64 - k bits, shifted. */
    const struct bt_op *in = op_of(f, o->a);
    if (in->op != UOP_shl_64_i)
        return 0;
    unsigned k = in->imm & 63, n = o->imm & 63;
    bool sign = o->op == UOP_sar_64_i;
    uint32_t x = resolve(f, in->a);
    if (n != k) {
        if (k > 32 && n == 32 && !sign)
            return changed(f, o, UOP_shl_32z_i, x, 0, k - 32);
        /* A field of 8, 16 or 32 bits: a host extension of what is shifted down. */
        if (n > k && !sign && (n == 56 || n == 48 || n == 32)) {
            uint16_t extend = n == 56 ? UOP_zext8 : n == 48 ? UOP_zext16 : UOP_zext32;
            return changed(f, o, extend, insert(f, UOP_shr_64_i, x, n - k), 0, 0);
        }
        if (k != 32 || n > k || sign)
            return 0;
        return changed(f, o, UOP_shl_64_i, insert(f, UOP_zext32, x, 0), 0, 32 - n);
    }
    switch (k) {
    case 32:
        return changed(f, o, sign ? UOP_sext32 : UOP_zext32, x, 0, 0);
    case 48:
        return changed(f, o, sign ? UOP_sext16 : UOP_zext16, x, 0, 0);
    case 56:
        return changed(f, o, sign ? UOP_sext8 : UOP_zext8, x, 0, 0);
    default:
        return sign ? 0 : changed(f, o, UOP_and_64_i, x, 0, (int64_t)(~UINT64_C(0) >> k));
    }
}

/* Is the sum a loop's value that has been moved on? Then using the old one would keep it besides the new. */
static bool moved_on(struct folder *f, const struct bt_op *sum)
{
    const struct bt_op *base = op_of(f, sum->a);
    return base->op == BT_PHI && base->slot == sum->slot;
}

static uint32_t fold_imm(struct folder *f, struct bt_op *o)
{
    const struct bt_op *in = op_of(f, o->a);
    uint64_t imm = (uint64_t)o->imm;
    switch (o->op) {
    case UOP_add_64_i:
        if (!imm)
            return o->a;
        /* What conditions.c makes of a subtraction's flags is to stay of its result; but a slot may get its old value back, as the stack
         * pointer does. */
        if (in->op == UOP_add_64_i &&
            !(imm + (uint64_t)in->imm == 0 && moved_on(f, in) && o->slot != in->slot))
            return changed(f, o, o->op, resolve(f, in->a), 0, (int64_t)(imm + (uint64_t)in->imm));
        break;
    case UOP_add_32s_i:
        if (!imm)
            return changed(f, o, UOP_sext32, o->a, 0, 0);
        if (in->op == UOP_add_32s_i)
            return changed(f, o, o->op, resolve(f, in->a), 0,
                           (int32_t)((uint32_t)imm + (uint32_t)in->imm));
        break;
    case UOP_sub_64_i:
        return changed(f, o, UOP_add_64_i, o->a, 0, (int64_t)-imm);
    case UOP_sub_32s_i:
        return changed(f, o, UOP_add_32s_i, o->a, 0, (int32_t) - (uint32_t)imm);
    case UOP_sub_32z_i:
        return changed(f, o, UOP_add_32z_i, o->a, 0, (int32_t) - (uint32_t)imm);
    case UOP_and_64_i:
        if (!imm)
            return bt_const(f->r, 0);
        if (imm == ~UINT64_C(0))
            return o->a;
        if (imm == 0xff)
            return changed(f, o, UOP_zext8, o->a, 0, 0);
        if (imm == 0xffff)
            return changed(f, o, UOP_zext16, o->a, 0, 0);
        if (imm == 0xffffffff)
            return changed(f, o, UOP_zext32, o->a, 0, 0);
        if (in->op == UOP_and_64_i)
            return changed(f, o, o->op, resolve(f, in->a), 0, (int64_t)(imm & (uint64_t)in->imm));
        /* A byte or two moved left: an extension, and a shift that may become part of an address. */
        if ((in->op == UOP_shl_64_i || in->op == UOP_shl_32s_i || in->op == UOP_shl_32z_i) &&
            in->imm >= 1 && in->imm <= 3 &&
            (imm == UINT64_C(0xff) << in->imm || imm == UINT64_C(0xffff) << in->imm)) {
            uint16_t extension = imm >> in->imm == 0xff ? UOP_zext8 : UOP_zext16;
            int64_t by = in->imm;
            return changed(f, o, UOP_shl_64_i, insert(f, extension, resolve(f, in->a), 0), 0, by);
        }
        break;
    case UOP_or_64_i:
    case UOP_xor_64_i:
        if (!imm)
            return o->a;
        if (imm == 1 && o->op == UOP_xor_64_i) {
            uint16_t inverse = bt_inverse(in->op);
            if (inverse)
                return changed(f, o, inverse, resolve(f, in->a), in->b ? resolve(f, in->b) : 0,
                               in->imm);
        }
        break;
    case UOP_shl_64_i:
    case UOP_shr_64_i:
    case UOP_sar_64_i:
    case UOP_ror_64_i:
        if (!(imm & 63))
            return o->a;
        if (o->op == UOP_shr_64_i || o->op == UOP_sar_64_i)
            return fold_shift_pair(f, o);
        break;
    case UOP_shl_32s_i:
    case UOP_shr_32s_i:
    case UOP_sar_32s_i:
    case UOP_ror_32s_i:
        if (!(imm & 31))
            return changed(f, o, UOP_sext32, o->a, 0, 0);
        break;
    case UOP_sh1add_64_i:
    case UOP_sh2add_64_i:
    case UOP_sh3add_64_i: {
        /* A table at a constant address: the scale and the displacement are an access's (bt/address.c). */
        unsigned by = 1u + (o->op - UOP_sh1add_64_i) / (UOP_sh2add_64_i - UOP_sh1add_64_i);
        if ((int64_t)imm == (int32_t)imm)
            return changed(f, o, UOP_add_64_i, insert(f, UOP_shl_64_i, o->a, by), 0, (int64_t)imm);
        break;
    }
    case UOP_mul_64_i:
        if (!imm)
            return bt_const(f->r, 0);
        if (!(imm & (imm - 1)))
            return changed(f, o, UOP_shl_64_i, o->a, 0, __builtin_ctzll(imm));
        break;
    case UOP_set_ltu_i:
        if (imm == 1)
            return changed(f, o, UOP_set_eq_i, o->a, 0, 0);
        break;
    case UOP_set_eq_i:
    case UOP_set_ne_i:
        if (imm)
            break;
        if (in->op == UOP_xor_64 || in->op == UOP_sub_64 ||
            (in->op == UOP_sub_32s && bt_known_sx(f->r, &f->known, in->a) &&
             bt_known_sx(f->r, &f->known, in->b)))
            return changed(f, o, o->op == UOP_set_eq_i ? UOP_set_eq : UOP_set_ne, resolve(f, in->a),
                           resolve(f, in->b), 0);
        break;
    }
    return 0;
}

static uint32_t fold_unary(struct folder *f, struct bt_op *o)
{
    const struct bt_op *in = op_of(f, o->a);
    switch (o->op) {
    case UOP_sext32:
        if (bt_known_sx(f->r, &f->known, o->a))
            return o->a;
        break;
    case UOP_zext8:
        if (in->op == UOP_ld_u8 || in->op == UOP_zext8)
            return o->a;
        break;
    case UOP_zext16:
        if (in->op == UOP_ld_u8 || in->op == UOP_ld_u16 || in->op == UOP_zext8 ||
            in->op == UOP_zext16)
            return o->a;
        break;
    case UOP_zext32:
        if (bt_known_zx(f->r, &f->known, o->a))
            return o->a;
        break;
    case UOP_clz_64: /* from the other end */
        if (in->op == UOP_rbit_64)
            return changed(f, o, UOP_ctz_64, resolve(f, in->a), 0, 0);
        break;
    case UOP_clz_32:
        if (in->op == UOP_shr_64_i && in->imm == 32 && op_of(f, in->a)->op == UOP_rbit_64)
            return changed(f, o, UOP_ctz_32, resolve(f, op_of(f, in->a)->a), 0, 0);
        break;
    case UOP_unbox_f32:
    case UOP_unbox_f16: {
        uint16_t box = o->op == UOP_unbox_f32 ? UOP_box_f32 : UOP_box_f16;
        if (in->op == box)
            return resolve(f, in->a); /* what is boxed is zero-extended */
        break;
    }
    }
    return 0;
}

/* A branch on a comparison's 0/1 compares itself. */
static void fold_branch(struct folder *f, struct bt_op *o)
{
    uint64_t zero;
    if ((o->op != UOP_br_ne && o->op != UOP_br_eq) || !is_const(f, o->b, &zero) || zero)
        return;
    const struct bt_op *in = op_of(f, o->a);
    static const uint16_t rules[][2] = {
        {UOP_set_eq, UOP_br_eq},       {UOP_set_ne, UOP_br_ne},
        {UOP_set_lt, UOP_br_lt},       {UOP_set_ltu, UOP_br_ltu},
        {UOP_set_ge, UOP_br_ge},       {UOP_set_geu, UOP_br_geu},
        {UOP_set_eq_32, UOP_br_eq_32}, {UOP_set_ne_32, UOP_br_ne_32},
        {UOP_set_lt_32, UOP_br_lt_32}, {UOP_set_ltu_32, UOP_br_ltu_32},
        {UOP_set_ge_32, UOP_br_ge_32}, {UOP_set_geu_32, UOP_br_geu_32},
    };
    uint16_t set = o->op == UOP_br_ne ? in->op : bt_inverse(in->op);
    uint16_t base = set && set < UOP_CODES ? uop_info[set].rr_form : 0;
    for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (base != rules[i][0])
            continue;
        uint32_t a = resolve(f, in->a);
        uint32_t b = set == base ? resolve(f, in->b) : bt_const(f->r, (uint64_t)in->imm);
        changed(f, o, rules[i][1], a, b, o->imm);
        return;
    }
    /* of a single bit, inverted */
    if (in->op == UOP_xor_64_i && in->imm == 1 && is_bit(f, in->a))
        changed(f, o, o->op == UOP_br_ne ? UOP_br_eq : UOP_br_ne, resolve(f, in->a), o->b, o->imm);
}

/* A return from a call in the region, or another indirect jump whose target is believed to be known: it is. */
static void fold_indirect(struct folder *f, struct bt_op *o)
{
    const struct bt_region *r = f->r;
    const struct bt_block *b = &r->blocks[o->block];
    uint64_t target;
    if (!b->nsuccs || !is_const(f, o->a, &target) || target != b->succ[0].pc)
        return;
    bool back = b->succ[0].to <= o->block;
    *o = (struct bt_op){.op = UOP_jmp,
                        .slot = BT_NO_SLOT,
                        .c = JUMP_PLAIN,
                        .imm = (int64_t)target,
                        .block = o->block,
                        .snap = back ? o->snap : 0};
    f->changed = true;
}

static void fold_address(struct folder *f, struct bt_op *o)
{
    const struct bt_op *in = op_of(f, o->a);
    int64_t sum;
    if (in->op != UOP_add_64_i)
        return;
    if (moved_on(f, in))
        return;
    if (!__builtin_add_overflow(o->imm, in->imm, &sum) && sum == (int32_t)sum) {
        o->a = resolve(f, in->a);
        o->imm = sum;
        f->changed = true;
    }
}

static void fold_stored(struct folder *f, struct bt_op *o)
{
    uint32_t b = o->b;
    if (o->op == UOP_st_32 || o->op == UOP_st_16 || o->op == UOP_st_8)
        b = under_extension(f, b);
    const struct bt_op *in = op_of(f, b);
    if (o->op != UOP_st_64 && in->op == UOP_box_f32 && o->op == UOP_st_32)
        b = resolve(f, in->a);
    if (o->op == UOP_st_8 && (in->op == UOP_zext8 || in->op == UOP_sext8 || in->op == UOP_zext16))
        b = resolve(f, in->a);
    if (o->op == UOP_st_16 && (in->op == UOP_zext16 || in->op == UOP_sext16))
        b = resolve(f, in->a);
    if (b != o->b) {
        o->b = b;
        f->changed = true;
    }
}

/* Rotation, spelt as the two shifts that compilers for guests without one write; the bits do not meet, so an addition or an
 * exclusive or does as well. */
static bool fold_rotation(struct folder *f, struct bt_op *o)
{
    static const uint16_t pairs[][3] = {
        {UOP_shr_64_i, UOP_shl_64_i, UOP_ror_64_i},
        {UOP_shr_32s_i, UOP_shl_32s_i, UOP_ror_32s_i},
    };
    if (o->op != UOP_or_64 && o->op != UOP_add_64 && o->op != UOP_xor_64)
        return false;
    const struct bt_op *right = op_of(f, o->a), *left = op_of(f, o->b);
    for (unsigned i = 0; i < 2; i++) {
        if (left->op == pairs[i][0] && right->op == pairs[i][1]) {
            const struct bt_op *t = left;
            left = right, right = t;
        }
        int64_t width = i == 0 ? 64 : 32;
        if (right->op != pairs[i][0] || left->op != pairs[i][1] ||
            resolve(f, right->a) != resolve(f, left->a) || right->imm <= 0 ||
            right->imm + left->imm != width)
            continue;
        changed(f, o, pairs[i][2], resolve(f, right->a), 0, right->imm);
        return true;
    }
    return false;
}

/* An operand that is the other bits of a value: one instruction on most hosts. */
static bool fold_inverted(struct folder *f, struct bt_op *o)
{
    const struct bt_op *a = op_of(f, o->a), *b = op_of(f, o->b);
    if (o->op != UOP_and_64)
        return false;
    if (b->op == UOP_xor_64_i && b->imm == -1)
        changed(f, o, UOP_andn_64, o->a, resolve(f, b->a), 0);
    else if (a->op == UOP_xor_64_i && a->imm == -1)
        changed(f, o, UOP_andn_64, o->b, resolve(f, a->a), 0);
    else
        return false;
    return true;
}

static uint32_t fold_pure(struct folder *f, uint32_t v)
{
    struct bt_op *o = &f->r->ops[v];
    uint64_t ca = 0, cb = 0, cc = 0, d;
    bool ka = !bt_operand_kind(o, 0) || is_const(f, o->a, &ca);
    bool kb = !bt_operand_kind(o, 1) || is_const(f, o->b, &cb);
    bool kc = !bt_operand_kind(o, 2) || is_const(f, o->c, &cc);
    if (ka && kb && kc &&
        uop_eval((enum uop_code)o->op, ca, is_imm_form(o->op) ? (uint64_t)o->imm : cb, cc, &d))
        return bt_const(f->r, d);
    if (bt_low_half_only(o->op)) {
        uint32_t a = under_extension(f, o->a);
        uint32_t b = bt_operand_kind(o, 1) ? under_extension(f, o->b) : o->b;
        if (a != o->a || b != o->b) {
            o->a = a, o->b = b;
            f->changed = true;
            return 0;
        }
    }
    if (o->op == UOP_sel) {
        if (is_const(f, o->a, &ca))
            return ca ? o->b : o->c;
        const struct bt_op *in = op_of(f, o->a);
        if (in->op == UOP_xor_64_i && in->imm == 1 && is_bit(f, in->a)) {
            uint32_t b = o->b;
            o->a = resolve(f, in->a);
            o->b = o->c, o->c = b;
            f->changed = true;
        }
        return o->b == o->c ? o->b : 0;
    }
    if (bt_operand_kind(o, 1)) {
        if (ka && !kb && bt_commutes(o->op)) {
            uint32_t a = o->a;
            o->a = o->b, o->b = a;
            kb = is_const(f, o->b, &cb);
            f->changed = true;
        }
        if (kb && uop_info[o->op + 1].rr_form == o->op && !compares_floats(o->op))
            return changed(f, o, (uint16_t)(o->op + 1), o->a, 0, (int64_t)cb);
        if (fold_rotation(f, o) || fold_inverted(f, o))
            return 0;
        if (o->a == o->b && (o->op == UOP_set_lt || o->op == UOP_set_ltu || o->op == UOP_xor_64 ||
                             o->op == UOP_sub_64 || o->op == UOP_sub_32s))
            return bt_const(f->r, 0);
        if (o->a == o->b && (o->op == UOP_or_64 || o->op == UOP_and_64))
            return o->a;
        if (o->op == UOP_set_ltu && is_const(f, o->a, &ca) && !ca)
            return changed(f, o, UOP_set_ne_i, o->b, 0, 0);
        return 0;
    }
    return is_imm_form(o->op) ? fold_imm(f, o) : fold_unary(f, o);
}

/* ---- vectors ---- */

/* The value and lane of it that lane i of a value is, through permutations. */
static uint32_t lane_source(const struct folder *f, uint32_t v, unsigned *i)
{
    for (;;) {
        v = resolve(f, v);
        const struct bt_op *o = op_of(f, v);
        if (o->op != UOP_vshuf_32)
            return v;
        v = *i < 2 ? o->a : o->b;
        *i = (unsigned)(o->imm >> (2 * *i)) & 3;
    }
}

static uint32_t fold_lanes(struct folder *f, struct bt_op *o)
{
    uint32_t from[4];
    unsigned imm = 0;
    for (unsigned k = 0; k < 4; k++) {
        unsigned i = (unsigned)(o->imm >> (2 * k)) & 3;
        from[k] = lane_source(f, k < 2 ? o->a : o->b, &i);
        imm |= i << (2 * k);
    }
    if (from[0] != from[1] || from[2] != from[3])
        return 0;
    if (from[0] == from[2] && imm == 0xe4)
        return from[0];
    return from[0] == o->a && from[2] == o->b && imm == o->imm
               ? 0
               : changed(f, o, UOP_vshuf_32, from[0], from[2], imm);
}

/* A round of AES is the host's with the key that is added behind it. */
static uint16_t with_key(uint16_t op)
{
    switch (op) {
    case UOP_vaese:
        return UOP_vaesenclast;
    case UOP_vaesd:
        return UOP_vaesdeclast;
    case UOP_vaesemc:
        return UOP_vaesenc;
    case UOP_vaesdimc:
        return UOP_vaesdec;
    default:
        return 0;
    }
}

/* A half of a pair that was made in general registers. */
static uint32_t integer_half(const struct folder *f, const struct bt_op *pair, bool high)
{
    uint32_t v = resolve(f, high ? pair->b : pair->a);
    return op_of(f, v)->kind == UOP_K_I ? v : 0;
}

static uint32_t fold_vector(struct folder *f, struct bt_op *o)
{
    const struct bt_op *a = op_of(f, o->a), *b = op_of(f, o->b);
    switch (o->op) {
    case UOP_vget:
        return a->op == UOP_vpair && (o->imm & 3) == 3 ? integer_half(f, a, o->imm == BT_LANE(1, 3))
                                                       : 0;
    case UOP_vshuf_32:
        return fold_lanes(f, o);
    case UOP_vaesmc:
        return a->op == UOP_vaese ? changed(f, o, UOP_vaesemc, resolve(f, a->a), 0, 0) : 0;
    case UOP_vaesimc:
        return a->op == UOP_vaesd ? changed(f, o, UOP_vaesdimc, resolve(f, a->a), 0, 0) : 0;
    case UOP_vxor:
        if (with_key(a->op))
            return changed(f, o, with_key(a->op), resolve(f, a->a), o->b, 0);
        if (with_key(b->op))
            return changed(f, o, with_key(b->op), resolve(f, b->a), o->a, 0);
        return 0;
    default:
        return 0;
    }
}

/* ---- the pass ---- */

static void set_forward(struct folder *f, uint32_t v, uint32_t to)
{
    if (v >= f->names.n) {
        uint32_t cap = f->r->nops * 2;
        uint32_t *bigger = arena_znew(f->r->arena, uint32_t, cap);
        if (f->names.n)
            memcpy(bigger, f->names.to, f->names.n * sizeof(*bigger));
        f->names.to = bigger;
        f->names.n = cap;
    }
    f->names.to[v] = to;
    f->changed = f->forwarded = true;
}

/* A scalar taken out of a vector register that was put there. */
static uint32_t scalar(const struct folder *f, const struct bt_op *o, int i, uint32_t v)
{
    uint8_t kind = bt_operand_kind(o, i);
    const struct bt_op *in = op_of(f, v);
    if (in->op == UOP_vpair && kind == UOP_K_I) {
        uint32_t half = integer_half(f, in, false);
        return half ? half : v;
    }
    if (kind == UOP_K_N || in->op != UOP_vzext || in->imm < (kind == UOP_K_S ? 2 : 3) ||
        (kind != UOP_K_S && kind != UOP_K_D && kind != UOP_K_I))
        return v;
    return resolve(f, in->a);
}

static void fold_block(struct folder *f, uint32_t block)
{
    struct bt_region *r = f->r;
    f->block = block;
    for (uint32_t k = 0; k < r->blocks[block].nops; k++) {
        uint32_t v = r->blocks[block].ops[k];
        bt_rename_operands(r, &f->names, &r->ops[v]);
        uint16_t flags = bt_flags(r->ops[v].op);
        if (r->ops[v].op >= UOP_CODES)
            continue;
        r->ops[v].a = scalar(f, &r->ops[v], 0, r->ops[v].a);
        r->ops[v].b = scalar(f, &r->ops[v], 1, r->ops[v].b);
        r->ops[v].c = scalar(f, &r->ops[v], 2, r->ops[v].c);
        if (flags & (UOP_F_LOAD | UOP_F_STORE) && flags & UOP_F_IMM)
            fold_address(f, &r->ops[v]);
        if (flags & UOP_F_STORE && !(flags & (UOP_F_ATOMIC | UOP_F_BULK)))
            fold_stored(f, &r->ops[v]);
        if (flags & UOP_F_BRANCH)
            fold_branch(f, &r->ops[v]);
        if (r->ops[v].op == UOP_jmp_ind)
            fold_indirect(f, &r->ops[v]);
        if (!(flags & UOP_F_PURE))
            continue;
        f->at = k;
        uint32_t to = flags & UOP_F_VECTOR ? fold_vector(f, &r->ops[v]) : fold_pure(f, v);
        k = f->at;
        if (to)
            set_forward(f, v, to);
    }
}

static void drop_forwarded(struct folder *f)
{
    struct bt_region *r = f->r;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        uint32_t n = 0;
        for (uint32_t k = 0; k < b->nops; k++) {
            uint32_t v = b->ops[k];
            bt_rename_operands(r, &f->names, &r->ops[v]);
            if (v < f->names.n && f->names.to[v])
                r->ops[v].op = BT_DEAD;
            else
                b->ops[n++] = v;
        }
        b->nops = n;
    }
    bt_rename_snapshots(r, &f->names);
}

void bt_fold(struct bt_region *r)
{
    struct folder f = {.r = r};
    for (unsigned round = 0; round < 4; round++) {
        f.changed = f.forwarded = false;
        /* No rule makes more than one operation out of one, so pointers into ops stay valid. */
        bt_reserve_ops(r, r->nops);
        bt_find_known(r, &f.known);
        for (uint32_t i = 1; i < r->nblocks; i++)
            fold_block(&f, i);
        if (f.forwarded)
            drop_forwarded(&f);
        if (!f.changed)
            break;
    }
}

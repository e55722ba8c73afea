/* Addresses of two registers: [base + (index << scale) + displacement] is an operand of the host.
 *
 * A load or store whose address is a sum, which nothing but such accesses of the same block (and the guest's state, for which
 * bt/sink.c makes it elsewhere) wants, takes the parts of the sum: a is the base, c the index (see struct bt_op). What is left of
 * sums with a shifted operand becomes one operation.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/ir.h"

/* The parts of a sum; base is 0 where there is none. */
struct parts {
    uint32_t base, index;
    uint8_t scale;
    int64_t disp;
};

bool bt_takes_index(uint16_t op)
{
    if (op >= UOP_CODES)
        return false;
    const struct uop_info *info = &uop_info[op];
    return info->flags & (UOP_F_LOAD | UOP_F_STORE) && !(info->flags & UOP_F_ATOMIC) &&
           info->flags & UOP_F_IMM && info->a == UOP_K_I && info->c == UOP_K_N;
}

/* By value: how many operations use it otherwise than as the address of a load or store of their own block. */
static uint32_t *other_uses(const struct bt_region *r)
{
    uint32_t *n = arena_znew(r->arena, uint32_t, r->nops);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            const struct bt_op *o = &r->ops[b->ops[k]];
            const uint32_t operands[3] = {o->a, o->b, o->c};
            if (o->op == BT_PHI) {
                for (uint32_t p = 0; p < b->npreds; p++)
                    n[r->phi_args[o->a + p]]++;
                continue;
            }
            for (int x = 0; x < 3; x++) {
                bool address = x == 0 && bt_takes_index(o->op) && r->ops[o->a].block == i;
                if (bt_operand_kind(o, x) && !address)
                    n[operands[x]]++;
            }
        }
    }
    return n;
}

/* A shift that a scaled index can do. */
static bool scales(const struct bt_region *r, uint32_t v, uint32_t *index, uint8_t *scale)
{
    const struct bt_op *o = &r->ops[v];
    if (o->op != UOP_shl_64_i || o->imm < 1 || o->imm > 3)
        return false;
    *index = o->a;
    *scale = (uint8_t)o->imm;
    return true;
}

static bool take_apart(const struct bt_region *r, uint32_t v, struct parts *p)
{
    const struct bt_op *o = &r->ops[v];
    switch (o->op) {
    case UOP_add_64:
        *p = (struct parts){.base = o->a, .index = o->b};
        if (scales(r, o->b, &p->index, &p->scale))
            return true;
        if (scales(r, o->a, &p->index, &p->scale))
            p->base = o->b;
        return true;
    case UOP_shl_64_i:
        *p = (struct parts){0};
        return scales(r, v, &p->index, &p->scale);
    case UOP_sh1add_64:
    case UOP_sh2add_64:
    case UOP_sh3add_64:
        *p = (struct parts){
            .base = o->b,
            .index = o->a,
            .scale = (uint8_t)(1 + (o->op - UOP_sh1add_64) / (UOP_sh2add_64 - UOP_sh1add_64))};
        return true;
    case UOP_sh1add_64_i:
    case UOP_sh2add_64_i:
    case UOP_sh3add_64_i:
        *p = (struct parts){
            .index = o->a,
            .scale = (uint8_t)(1 + (o->op - UOP_sh1add_64_i) / (UOP_sh2add_64 - UOP_sh1add_64)),
            .disp = o->imm};
        return true;
    default:
        return false;
    }
}

/* The value that v, which nothing else wants, is a constant more than: that goes into the displacement. A loop's value that has
 * been moved on stays, since the old one would be kept besides. */
static uint32_t absorb(const struct bt_region *r, const uint32_t *others, uint32_t v,
                       unsigned scale, int64_t *disp)
{
    const struct bt_op *o = &r->ops[v];
    if (o->op != UOP_add_64_i || others[v] > 1 || o->imm != (int32_t)o->imm)
        return v;
    const struct bt_op *from = &r->ops[o->a];
    int64_t sum = *disp + o->imm * (1 << scale);
    if (sum != (int32_t)sum || (from->op == BT_PHI && from->slot == o->slot))
        return v;
    *disp = sum;
    return o->a;
}

/* An index that is a byte or two of a value, masked where they lie so that they are scaled already: the host extends them and has
 * the scale in the access. `*at` is where the sum's operation lies in its block. */
static void take_field(struct bt_region *r, const uint32_t *others, uint32_t block, uint32_t *at,
                       struct parts *p)
{
    if (p->scale)
        return;
    if (r->ops[p->base].op == UOP_and_64_i) {
        uint32_t index = p->base;
        p->base = p->index, p->index = index;
    }
    const struct bt_op *mask = &r->ops[p->index], *shift = &r->ops[mask->a];
    uint64_t m = (uint64_t)mask->imm;
    bool whole = shift->op == UOP_shr_64_i;
    if (mask->op != UOP_and_64_i || others[p->index] > 1 || others[mask->a] > 1 ||
        (!whole && shift->op != UOP_shr_32z_i && shift->op != UOP_shr_32s_i))
        return;
    unsigned scale = m ? (unsigned)__builtin_ctzll(m) : 0;
    int64_t by = shift->imm + scale;
    uint64_t field = m >> scale;
    if (scale < 1 || scale > 3 || (field != 0xff && field != 0xffff) || !shift->imm ||
        by >= (whole ? 64 : 32))
        return;
    uint32_t down = bt_insert(r, block, at, shift->op, shift->a, 0, 0, by);
    p->index = bt_insert(r, block, at, field == 0xff ? UOP_zext8 : UOP_zext16, down, 0, 0, 0);
    p->scale = (uint8_t)scale;
}

static bool index_access(struct bt_region *r, const uint32_t *others, uint32_t *at,
                         uint32_t nvalues, uint32_t block)
{
    uint32_t v = r->blocks[block].ops[*at];
    const struct bt_op *o = &r->ops[v];
    struct parts p;
    if (!bt_takes_index(o->op) || o->a >= nvalues || r->ops[o->a].block != o->block ||
        others[o->a] || !take_apart(r, o->a, &p))
        return false;
    int64_t disp;
    if (__builtin_add_overflow(o->imm, p.disp, &disp) || disp != (int32_t)disp)
        return false;
    if (p.base)
        take_field(r, others, block, at, &p);
    if (p.index < nvalues)
        p.index = absorb(r, others, p.index, p.scale, &disp);
    if (p.base)
        p.base = absorb(r, others, p.base, 0, &disp);
    else
        p.base = bt_const(r, 0);
    struct bt_op *access = &r->ops[v];
    access->a = p.base;
    access->c = p.index;
    access->imm = disp;
    access->indexed = (uint8_t)(p.scale + 1);
    return true;
}

/* A sum with a shifted operand as one operation. */
static bool shift_and_add(struct bt_region *r, const uint32_t *others, uint32_t *at,
                          uint32_t nvalues, uint32_t block)
{
    uint32_t v = r->blocks[block].ops[*at];
    struct parts p;
    if (v >= nvalues || r->ops[v].op != UOP_add_64 || !take_apart(r, v, &p))
        return false;
    take_field(r, others, block, at, &p);
    if (!p.scale)
        return false;
    struct bt_op *o = &r->ops[v];
    o->op = (uint16_t)(UOP_sh1add_64 + (p.scale - 1) * (UOP_sh2add_64 - UOP_sh1add_64));
    o->a = p.index;
    o->b = p.base;
    return true;
}

bool bt_index(struct bt_region *r)
{
    const uint32_t *others = other_uses(r);
    uint32_t nvalues = r->nops;
    bool changed = false;
    for (uint32_t i = 1; i < r->nblocks; i++) {
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            if (index_access(r, others, &k, nvalues, i) || shift_and_add(r, others, &k, nvalues, i))
                changed = true;
        }
    }
    return changed;
}

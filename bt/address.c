/* Addresses of two registers: [base + (index << scale) + displacement] is an operand of the host.
 *
 * A load or store whose address is a sum, which nothing but such accesses of the same block (and the guest's state, for which
 * bt/sink.c makes it elsewhere) wants, takes the parts of the sum: a is the base, c the index (see struct bt_op). What is left of
 * sums with a shifted operand becomes one operation.
 *
 * Threading: see bt/ir.h.
 */
#include "base/bitset.h"
#include "bt/ir.h"

struct addresses {
    struct bt_region *r;
    uint32_t
        *accesses; /* by value: how many loads and stores of its block have it as their address */
    uint32_t *others; /* how many operations else use it */
};

/* The parts of a sum. */
struct parts {
    uint32_t base, index;
    uint8_t scale;
};

bool bt_takes_index(uint16_t op)
{
    if (op >= UOP_CODES)
        return false;
    const struct uop_info *info = &uop_info[op];
    return info->flags & (UOP_F_LOAD | UOP_F_STORE) && !(info->flags & UOP_F_ATOMIC) &&
           info->flags & UOP_F_IMM && info->a == UOP_K_I && info->c == UOP_K_N;
}

/* The values that operations use otherwise than as the address of a load or store of their own block. */
static uint64_t *used_otherwise(const struct bt_region *r)
{
    uint64_t *used = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            const struct bt_op *o = &r->ops[b->ops[k]];
            const uint32_t operands[3] = {o->a, o->b, o->c};
            if (o->op == BT_PHI) {
                for (uint32_t p = 0; p < b->npreds; p++)
                    bitset_set(used, r->phi_args[o->a + p]);
                continue;
            }
            for (int n = 0; n < 3; n++) {
                bool address = n == 0 && bt_takes_index(o->op) && r->ops[o->a].block == i;
                if (bt_operand_kind(o, n) && !address)
                    bitset_set(used, operands[n]);
            }
        }
    }
    return used;
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

static bool take_apart(const struct bt_region *r, const struct bt_op *o, struct parts *p)
{
    switch (o->op) {
    case UOP_add_64:
        *p = (struct parts){o->a, o->b, 0};
        if (scales(r, o->b, &p->index, &p->scale))
            return true;
        if (scales(r, o->a, &p->index, &p->scale))
            p->base = o->b;
        return true;
    case UOP_sh1add_64:
    case UOP_sh2add_64:
    case UOP_sh3add_64:
        *p = (struct parts){
            o->b, o->a, (uint8_t)(1 + (o->op - UOP_sh1add_64) / (UOP_sh2add_64 - UOP_sh1add_64))};
        return true;
    default:
        return false;
    }
}

/* A sum with a shifted operand as one operation. */
static bool shift_and_add(struct bt_region *r, struct bt_op *o)
{
    struct parts p;
    if (o->op != UOP_add_64 || !take_apart(r, o, &p) || !p.scale)
        return false;
    o->op = (uint16_t)(UOP_sh1add_64 + (p.scale - 1) * (UOP_sh2add_64 - UOP_sh1add_64));
    o->a = p.index;
    o->b = p.base;
    return true;
}

bool bt_index(struct bt_region *r)
{
    const uint64_t *used = used_otherwise(r);
    bool changed = false;
    for (uint32_t i = 1; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops; k++) {
            struct bt_op *o = &r->ops[b->ops[k]];
            struct parts p;
            if (bt_takes_index(o->op) && r->ops[o->a].block == i && !bitset_test(used, o->a) &&
                take_apart(r, &r->ops[o->a], &p)) {
                o->a = p.base;
                o->c = p.index;
                o->indexed = (uint8_t)(p.scale + 1);
                changed = true;
            } else if (shift_and_add(r, o)) {
                changed = true;
            }
        }
    }
    return changed;
}

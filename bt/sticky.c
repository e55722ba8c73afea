/* Sticky floating-point flags: comparisons whose flags are thrown away.
 *
 * Compilers for guests whose ordered comparisons signal write a quiet one as: read the flags, compare, write them
 * back. That is a comparison that raises nothing, and both accesses to the flags go.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/ir.h"

bool bt_is_quiet(const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    switch (o->op) {
    case UOP_fcanon_f64:
    case UOP_fcanon_f32:
    case UOP_fmin_f64:
    case UOP_fmin_f32:
    case UOP_fmax_f64:
    case UOP_fmax_f32:
    case UOP_fadd_f64:
    case UOP_fsub_f64:
    case UOP_fmul_f64:
    case UOP_fdiv_f64:
    case UOP_fsqrt_f64:
    case UOP_ffma_f64:
    case UOP_cvt_f32_f64:
        return true;
    case BT_CONST: /* no NaN of either width */
        return (uint64_t)o->imm << 1 <= UINT64_C(0xffe0000000000000) &&
               (uint32_t)o->imm << 1 <= 0xff000000u;
    default:
        return false;
    }
}

static uint16_t without_flags(uint16_t op)
{
    switch (op) {
    case UOP_feq_f64:
        return UOP_feq_q_f64;
    case UOP_feq_f32:
        return UOP_feq_q_f32;
    case UOP_flt_f64:
        return UOP_flt_q_f64;
    case UOP_fle_f64:
        return UOP_fle_q_f64;
    case UOP_flt_f32:
        return UOP_flt_q_f32;
    case UOP_fle_f32:
        return UOP_fle_q_f32;
    default:
        return 0;
    }
}

/* The value whose flags bits v has: v without a mask that keeps all five. */
static uint32_t unmasked(const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    return o->op == UOP_and_64_i && (o->imm & 31) == 31 ? o->a : v;
}

enum { MAX_COMPARED = 4 };

static void scan_block(struct bt_region *r, struct bt_block *b)
{
    uint32_t saved =
        0; /* what fp_getflags gave, while nothing but `compared` may have raised a flag since */
    uint32_t compared[MAX_COMPARED];
    unsigned n = 0;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < b->nops; k++) {
        uint32_t v = b->ops[k];
        struct bt_op *o = &r->ops[v];
        uint16_t flags = bt_flags(o->op);
        b->ops[kept++] = v;
        if (o->op == UOP_fp_getflags) {
            saved = v;
            n = 0;
        } else if (o->op == UOP_fp_setflags) {
            if (saved && unmasked(r, o->a) == saved) {
                for (unsigned i = 0; i < n; i++)
                    r->ops[compared[i]].op = without_flags(r->ops[compared[i]].op);
                o->op = BT_DEAD;
                kept--;
            } else {
                saved = 0;
            }
            n = 0;
        } else if (flags & UOP_F_FPENV) {
            if (without_flags(o->op) && n < MAX_COMPARED)
                compared[n++] = v;
            else
                saved = 0;
        } else if (!(flags & UOP_F_PURE) && n) {
            saved = 0; /* may leave, and then the flags would show */
        }
    }
    b->nops = kept;
}

/* Reading the flags in two steps: as the host has them, and in the neutral form. A program that has saved them for nothing but a
 * quiet comparison still has them in a register: so only the first step is in the way. */
static void split_readings(struct bt_region *r, uint32_t block)
{
    for (uint32_t k = 0; k < r->blocks[block].nops; k++) {
        uint32_t v = r->blocks[block].ops[k];
        if (r->ops[v].op != UOP_fp_getflags)
            continue;
        uint32_t raw = bt_insert(r, block, &k, UOP_fp_getraw, 0, 0, 0, 0);
        r->ops[v].op = UOP_fp_flags;
        r->ops[v].a = raw;
    }
}

void bt_sticky(struct bt_region *r)
{
    if (!r->has_fp)
        return;
    for (uint32_t i = 1; i < r->nblocks; i++) {
        scan_block(r, &r->blocks[i]);
        if (r->level > 1)
            split_readings(r, i);
    }
}

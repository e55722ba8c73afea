/* Register allocation of a region: where each value lives, and when.
 *
 * Owns: struct bt_alloc. A value lies in one place for its whole life, a host register, a unit of the cpu (its
 * slot's or a spill unit) or nowhere (constants are made where they are used), or else it lies in a register for stretches
 * of its life and in a unit for the rest. Then either the unit is written as soon as the value is made and valid from then on
 * (`early`; entry values and constants are so from the beginning), or edges move the value between its places.
 *
 * Between units the home slots of the guest live in the home registers; inside a region any of these may be given to other
 * values: then the home slot's entry value is saved into the cpu at the region's entry
 * (saved_gpr, saved_xmm) and every way out restores what the snapshot does not name.
 *
 * Threading: see bt/ir.h.
 */
#ifndef DRAGOMAN_BT_ALLOC_H
#define DRAGOMAN_BT_ALLOC_H

#include "bt/ir.h"
#include "host/x64/stubs.h"

/* Registers: host/x64/stubs.h says which are homes. rax and xmm0..xmm3 are the emitter's scratch; rcx and rdx, xmm2 and xmm3
 * where bt_keeps_xmm allows it, and AVX-512's xmm16 to xmm31 are allocatable inside a unit but no homes. */
#define BT_CPU RBP

/* This one and the next, xmm30 and xmm31, are no values': see bt_halves in bt/emit_int.h. */
#define BT_HALF_XMM (X64_NXMM - 2)

/* Two units of the cpu where no value lies: for registers that an operation's code needs besides (struct bt_emitter, displaced). */
#define BT_SPARE_UNIT (CPU_UNITS - 2)

enum bt_place { BT_NOWHERE, BT_GPR, BT_XMM, BT_UNIT, BT_IMM };

struct bt_loc {
    uint8_t place; /* enum bt_place */
    uint8_t n;     /* register, or unit of cpu->r: a slot or a spill unit (a temporary's) */
};

/* A stretch of a value's life in a register, over positions (bt/alloc_int.h). */
struct bt_stretch {
    uint32_t start, end;
    struct bt_loc at;
    struct bt_stretch *next; /* ascending */
};

/* A value comes into a register in the middle of a block, before the operation at pos. */
struct bt_reload {
    uint32_t pos, v;
};

struct bt_alloc {
    struct bt_loc *loc;          /* by value: where it lies outside its stretches */
    struct bt_stretch **stretch; /* by value; NULL: none has any */
    uint32_t *pos;               /* by value: number of its operation */
    uint32_t *block_from;        /* first position of each block */
    uint64_t **live_in;          /* by block, over values */
    uint32_t *split;             /* values with stretches */
    uint32_t nsplit;
    uint64_t *early;           /* of these, those written to their unit as soon as they are made */
    struct bt_reload *reloads; /* ascending */
    uint32_t nreloads;
    bool high;          /* values lie in xmm16 to xmm31 */
    uint32_t saved_gpr; /* bit i: home i's slot was saved into the cpu at the entry */
    uint32_t saved_xmm;
};

/* False when the spill units do not suffice. */
bool bt_allocate(const struct bt_region *r, uint64_t host_features, struct bt_alloc *a);

/* The canonical place of a slot: its home, or the cpu. */
struct bt_loc bt_canonical(const struct x64_homes *homes, unsigned slot);

/* Of the registers that hold values, those that an operation's host code writes besides its result. bmi2: the host has it. */
struct bt_scratch {
    bool rcx, rdx;
};
struct bt_scratch bt_scratch(const struct bt_op *o, bool bmi2);

/* The rounding mode of a floating-point operation; FP_ODD, which there is no code for, when its immediate
 * asks for more. */
static inline unsigned bt_rounding(const struct bt_op *o)
{
    return o->imm & ~(int64_t)(FP_RM_MASK | FP_ENV) ? FP_ODD : (unsigned)o->imm & FP_RM_MASK;
}
/* Does the operation's code leave xmm2 and xmm3 alone, where the host has AVX? They are for what others than its operands need. */
bool bt_keeps_xmm(const struct bt_region *r, const struct bt_op *o);

/* Have all instructions of the operation that name its operands and its result an EVEX form? */
bool bt_takes_high(const struct bt_region *r, const struct bt_op *o);
/* By value, from the region's arena: has an operation that names it none? Such a value would be copied into xmm16 to xmm31 and out of
 * them, where memory is as good an operand. */
bool *bt_find_low(const struct bt_region *r);
/* The same of the code that leaves the region from an operation of the block, which computes sunk values. */
bool bt_exit_keeps_xmm(const struct bt_region *r, uint32_t block, const struct bt_op *o);

/* Is the operation's result written while its operands or the snapshot are still needed? Then it shares no place with them. */
bool bt_early_result(const struct bt_region *r, const struct bt_op *o);

/* May the value live in a vector register? */
bool bt_is_float(const struct bt_region *r, uint32_t v);

/* Where v lies at a position. */
static inline struct bt_loc bt_loc_at(const struct bt_alloc *a, uint32_t v, uint32_t pos)
{
    for (const struct bt_stretch *s = a->stretch ? a->stretch[v] : NULL; s; s = s->next) {
        if (pos < s->end)
            return pos >= s->start ? s->at : a->loc[v];
    }
    return a->loc[v];
}

#endif

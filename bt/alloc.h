/* Register allocation of a region: where each value lives.
 *
 * Owns: struct bt_alloc. A value has one place for its whole life: a host register, a spill unit,
 * the slot it came from, or none (constants are made where they are used). Between units the home slots
 * of the guest live in the home registers; inside a region any of these may be given to other
 * values: then the home slot's entry value is saved into the cpu at the region's entry
 * (saved_gpr, saved_xmm) and every way out restores what the snapshot does not name.
 *
 * Threading: see bt/ir.h.
 */
#ifndef DRAGOMAN_BT_ALLOC_H
#define DRAGOMAN_BT_ALLOC_H

#include "bt/ir.h"
#include "host/x64/stubs.h"

/* Registers: host/x64/stubs.h says which are homes. rax and xmm0..xmm3 are the emitter's scratch; rcx and rdx are
 * allocatable inside a unit but no homes. */
#define BT_CPU RBP

enum bt_place { BT_NOWHERE, BT_GPR, BT_XMM, BT_UNIT, BT_IMM };

struct bt_loc {
    uint8_t place; /* enum bt_place */
    uint8_t n;     /* register, or unit of cpu->r: a slot or a spill unit (a temporary's) */
};

struct bt_alloc {
    struct bt_loc *loc; /* by value */
    uint32_t saved_gpr; /* bit i: home i's slot was saved into the cpu at the entry */
    uint32_t saved_xmm;
    unsigned nspills; /* values in spill units */
};

/* False when the spill units do not suffice. */
bool bt_allocate(const struct bt_region *r, uint64_t host_features, struct bt_alloc *a);

/* May the value live in a vector register? */
bool bt_is_float(const struct bt_region *r, uint32_t v);

#endif

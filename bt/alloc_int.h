/* Inside register allocation: what bt/live.c, bt/bundle.c and bt/alloc.c say to each other. Not for others.
 *
 * Positions: operation k of the layout has 2k (its operands are read) and 2k + 1 (its result is
 * written); an operand that dies may share its register with the result. A block covers the positions
 * from its first operation's to those of its last, so that the blocks of the layout leave no gap.
 */
#ifndef DRAGOMAN_BT_ALLOC_INT_H
#define DRAGOMAN_BT_ALLOC_INT_H

#include "bt/alloc.h"

struct bt_range {
    uint32_t start, end; /* positions, [start, end) */
    uint32_t v;          /* whose */
    struct bt_range *next;
};

/* An operation that reads or makes the value; a snapshot is none. */
struct bt_use {
    uint32_t pos;
    uint32_t weight;
    struct bt_use *next;
};

struct bt_interval {
    struct bt_range *ranges; /* ascending */
    struct bt_use *uses;     /* ascending */
};

struct bt_live {
    const struct bt_region *r;
    const uint32_t *pos;        /* by value: number of its operation, from 1 */
    const uint32_t *block_from; /* first position of each block; one more for the end */
    uint64_t **live_in;         /* by block, over values */
    struct bt_interval *iv;     /* by value */
    uint64_t *constants;        /* those that get a place */
    uint64_t *float_constants;  /* of these, those that floating-point operations use */
};

/* Live ranges and uses, by a backward analysis. Needs r, pos, block_from; fills the rest. */
void bt_find_live(struct bt_live *l);

/* How much a use in the block weighs. */
uint32_t bt_block_weight(const struct bt_block *b);

/* Values that share a place. */
struct bt_bundle {
    struct bt_range
        *ranges; /* of all members, ascending; NULL: merged into another, or nothing to place */
    uint32_t *members;
    uint32_t nmembers, cap;
    bool fp;
    bool wide;      /* a member is a vector: it takes an even unit and the next */
    bool in_memory; /* the members have units */
};

/* A window of the layout for each back edge: where several lead to one head, they may be nested loops. */
#define BT_NO_LOOP UINT32_MAX
struct bt_loop {
    uint32_t first, last; /* blocks */
    uint32_t parent;      /* index or BT_NO_LOOP */
};

/* What a trial is about: a bundle's life inside a window. */
enum bt_piece { BT_WHOLE, BT_WITHIN, BT_WITHOUT_IDLE, BT_LOCAL };
struct bt_item {
    uint64_t key; /* the greater, the sooner */
    uint32_t bundle;
    uint32_t v;    /* BT_LOCAL: of this member alone */
    uint32_t loop; /* the window: BT_NO_LOOP for all blocks */
    enum bt_piece piece;
    struct bt_range *ranges; /* what is to be in one register */
};

struct bt_allocator {
    const struct bt_region *r;
    struct bt_alloc *out;
    struct bt_live live;
    uint32_t words;
    uint32_t *bundle_of; /* by value: index of its bundle */
    struct bt_bundle *bundles;
    uint32_t *phi_of; /* by value: a phi that it is an argument of, or 0 */
    uint32_t
        *heir_of; /* by value: the only user, which wants its result in the same register, or 0 */
    uint32_t *taker_of; /* by value: the two-address operation that overwrites it, or 0 */
    struct bt_loop *loops;
    uint32_t nloops;
    uint32_t *loop_of; /* by block: the innermost */
    struct bt_item *heap;
    uint32_t nheap, heap_cap;
    uint64_t *busy_gpr[16], *busy_xmm[X64_NXMM];
    uint64_t *
        scratch; /* positions of what does not keep xmm2 and xmm3 (bt_keeps_xmm); NULL: nothing does */
    bool high; /* xmm16 to xmm31 hold values too */
    bool *low; /* by value: not in these (bt_find_low) */
    uint64_t *busy_unit[CPU_UNITS];
    uint8_t home_of_slot[CPU_UNITS]; /* register, 255 for none */
    uint32_t claims
        [2][16]; /* by class and register: how much bundles without a place would like this home */
    uint64_t features;
};

/* Values into bundles. */
void bt_make_bundles(struct bt_allocator *a);
/* Windows, outer ones first. */
void bt_find_loops(struct bt_allocator *a);

#endif

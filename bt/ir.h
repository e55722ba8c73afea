/* The translator's intermediate form: a region of guest blocks in SSA over micro-ops.
 *
 * Owns: struct bt_region and what it holds. Operations are the micro-ops of uop.def plus the few
 * below; operands are value numbers instead of units. A value is the number of the operation that
 * makes it; 0 is none.
 *
 * The guest's state is kept exact by snapshots: an operation that may fault or leave, and an edge
 * that leaves the region, names for every slot that may differ from its value at the region's
 * entry the value that it has there; once a path has written a slot, every snapshot behind names it. Temporaries vanish in the construction.
 *
 * A vector register of the guest is one value of 128 bits (kind UOP_K_V, pairs of integers too while they
 * are operands); snapshots name it by the first of its two slots. Where an operation takes a scalar, a vector stands for its
 * low 64 bits: reading a scalar out of a vector register costs nothing.
 *
 * Invariants (bt_verify checks them): a value's operation dominates its uses; phis come first in
 * their block with one argument per predecessor; a sunk operation is used by snapshots and sunk ones alone, and
 * its operands dominate these; the last operation of a block, and no other, is a
 * terminator; blocks[0] is the entry, has no predecessors and only BT_ENTRY, BT_CONST and a jump; blocks are in
 * reverse postorder, each loop contiguous. Operations that load, store or have an effect keep their
 * order; a pure one may be anywhere that dominates its uses.
 *
 * Threading: a region belongs to the thread that translates. Everything lies in its arena.
 */
#ifndef DRAGOMAN_BT_IR_H
#define DRAGOMAN_BT_IR_H

#include "base/arena.h"
#include "guest/guest.h"
#include "uop/block.h"

enum bt_pseudo {
    BT_ENTRY = UOP_CODES, /* the slot's value when the region is entered */
    BT_CONST,             /* imm */
    BT_PHI,               /* of slot; arguments at phi_args[a .. a + npreds) */
    BT_DEAD,              /* removed */
    BT_CODES
};

/* The immediate of vget, vset and vrep: lane i of 1 << size bytes. */
#define BT_LANE(i, size) ((int64_t)(i) << 2 | (size))

#define BT_NO_SLOT 255
#define BT_EXIT_EDGE UINT32_MAX /* successor: the edge leaves the region */
#define BT_MAX_BLOCKS 64        /* guest blocks in a region */
#define BT_MAX_INSNS 2000       /* guest instructions in a region */
#define BT_MAX_CONTEXTS 32

struct bt_op {
    uint16_t op;      /* enum uop_code or enum bt_pseudo */
    uint8_t kind;     /* enum uop_kind of the value, UOP_K_N for none */
    uint8_t slot;     /* BT_ENTRY, BT_PHI: the slot; else the slot that it is written to
                       * as soon as it is made, BT_NO_SLOT for none: where it would best lie */
    uint32_t a, b, c; /* values; for terminators c is the enum uop_jump */
    int64_t imm;
    uint32_t block; /* index of its block */
    uint32_t snap;  /* index of its snapshot, 0 for none */
    uint8_t
        indexed; /* a load or store with an index, c, shifted by indexed - 1; 0: it has none (bt/address.c) */
    bool sunk;     /* in no block: computed where a snapshot that names it is needed (bt/sink.c) */
    uint32_t uses; /* by operations, phis and snapshots; valid after bt_count_uses */
};

struct bt_edge {
    uint32_t to;   /* block, or BT_EXIT_EDGE */
    uint64_t pc;   /* guest address it leads to */
    uint64_t freq; /* times that the profile saw it taken */
    uint32_t snap; /* BT_EXIT_EDGE: the state there */
};

struct bt_block {
    uint64_t pc;
    const struct block *guest; /* NULL for the entry */
    uint32_t *ops;             /* phis, then operations, the terminator last */
    uint32_t nops, cap;
    uint32_t *preds;
    uint32_t npreds;
    uint32_t
        nsuccs; /* 0: leaves by jmp_ind or exit; 1 with jmp_ind: where it is believed to lead */
    struct bt_edge succ[2]; /* as struct block: 0 fall-through or only, 1 taken */
    uint32_t back;          /* in place: block that the call at its end returns to; 0: none */
    uint32_t context;       /* index */
    uint64_t freq;          /* entries seen by the profile, in this context */
    uint32_t idom;          /* immediate dominator */
    uint8_t loop_depth;
    bool loop_head;
};

/* The calls that were made inside the region on the way to a block, and have not returned: the last of them, and the context of the
 * block that made it. Context 0 is that of the region's head. */
struct bt_context {
    uint64_t pc; /* what follows the call */
    uint32_t parent;
    uint32_t depth; /* number of calls */
};

struct bt_snap_entry {
    uint32_t value;
    uint8_t slot;
};

struct bt_snap {
    uint64_t pc;    /* guest instruction that faults, or that is to be executed next */
    uint32_t first; /* snap_entries[first .. first + n), by ascending slot */
    uint32_t n;
    uint32_t
        need; /* snap_entries[need .. need + nneeds): the values that must be in place; the same entries, unless */
    uint32_t
        nneeds; /* sunk ones are among them: then what these are made of, each once, for no slot */
};

struct bt_region {
    struct arena *arena;
    struct cpu *cpu; /* whose code cache is asked for blocks */
    const struct guest *guest;
    uint64_t pc; /* of the head */
    int level;
    bool has_fp;
    bool
        traps; /* invalid floating-point operations trap (codecache/trap.h), so that results need not be looked at */
    bool looks;             /* they would, but not in this unit, where they do too often */
    bool flushes, defaults; /* its code is for FP_FZ, for FP_DN */
    bool soft_halves;       /* for rules of f16: its operations are C's */
    bool in_place; /* made by bt/quick.c: no SSA, every slot is always in its canonical place */

    struct bt_op *ops; /* [1 .. nops) */
    uint32_t nops, ops_cap;
    struct bt_block *blocks;
    uint32_t nblocks;
    struct bt_context contexts[BT_MAX_CONTEXTS];
    uint32_t *phi_args;
    uint32_t nphi_args, phi_args_cap;
    struct bt_snap *snaps; /* [1 .. nsnaps) */
    uint32_t nsnaps, snaps_cap;
    struct bt_snap_entry *snap_entries;
    uint32_t nsnap_entries, snap_entries_cap;
    uint32_t ninsns; /* guest instructions translated */
    uint32_t *entry; /* BT_ENTRY value by slot, 0 where not used */
};

/* What one operation does: uop_info's flags, with rows for the pseudo operations. */
static inline uint16_t bt_flags(uint16_t op)
{
    if (op < UOP_CODES)
        return uop_info[op].flags;
    return op == BT_DEAD ? 0 : UOP_F_PURE;
}

const char *bt_name(uint16_t op);
/* The kind of operand i (0 a, 1 b, 2 c) as a value; UOP_K_N where the field is no value. */
static inline uint8_t bt_operand_kind(const struct bt_op *o, int i)
{
    if (o->op >= UOP_CODES)
        return UOP_K_N;
    const struct uop_info *info = &uop_info[o->op];
    if (i == 2 && o->indexed)
        return UOP_K_I;
    return i == 0 ? info->a : i == 1 ? info->b : info->c;
}

/* Choose a region with `head` at its head and build it in SSA. Level 1 takes the head, and what follows it
 * without a choice; level 2 follows the profile. NULL when it cannot be translated, with
 * *bail naming the row (see bt_bail). Reads block links: the caller keeps the blocks alive. */
struct bt_region *bt_build(struct arena *arena, struct cpu *cpu, struct block *head, int level,
                           const char **bail);

/* ---- passes, each leaves a region that bt_verify accepts ---- */
void bt_fold(struct bt_region *r); /* constants, identities, immediate forms, copies */
void bt_conditions(
    struct bt_region *r);         /* conditions on flags become comparisons; before folding */
void bt_cse(struct bt_region *r); /* one operation for equal pure ones, by dominance */
void bt_merge_phis(struct bt_region *r); /* phis whose arguments are one value */
bool bt_forward(
    struct bt_region *r); /* loads of what was stored before; true: folding may find more */
void bt_narrow(struct bt_region *r); /* 32 bits where no more are wanted; folding should follow */
void bt_sticky(struct bt_region *r); /* comparisons between saving and restoring of the FP flags */
void bt_lazy_nan(
    struct bt_region *r); /* checks for NaN results only where bits are looked at; once */
void bt_take_checked(
    struct bt_region
        *r); /* a NaN check that is needed, instead of what it checks; behind common checks */
void bt_dce(struct bt_region *r);           /* operations whose value nothing needs; counts uses */
void bt_pair_products(struct bt_region *r); /* the low half of a product behind its high half */
void bt_pair_conditions(
    struct bt_region *r); /* a choice's comparison in front of it; last but for sinking */
void bt_settle_branches(
    struct bt_region *r); /* a truth value that a branch has looked at is known behind it */
bool bt_soften_phis(
    struct bt_region
        *r); /* phis of flags that only snapshots name; true: dead operations are left */
bool bt_index(
    struct bt_region *
        r); /* addresses of two registers, after all else but sinking; true: dead operations are left */
/* Can the operation, a load or store, have an index? */
bool bt_takes_index(uint16_t op);
void bt_sink(struct bt_region *r); /* operations that only the guest's state needs; the last pass */
void bt_count_uses(struct bt_region *r);

/* Is a floating-point value known not to be a signalling NaN? What arithmetic gave, made canonical, never is. */
bool bt_is_quiet(const struct bt_region *r, uint32_t v);

/* The comparison to 0 or 1 (a set_ row) whose result is the other one; 0 when op is no such row. */
uint16_t bt_inverse(uint16_t op);

/* What the operation's integer result always is: an enum uop_range. */
static inline unsigned bt_range(uint16_t op)
{
    return op < UOP_CODES ? uop_info[op].range : UOP_R_ANY;
}

/* May the operands of this operation be exchanged? */
bool bt_commutes(uint16_t op);
/* Is the operation a carry_ row? */
static inline bool bt_is_carry(uint16_t op)
{
    return op >= UOP_carry_adc_64 && op <= UOP_carry_sbc_32;
}

/* Is the value a single as arithmetic has it: with undefined bits above it when it is in a vector register? */
bool bt_is_single(const struct bt_region *r, uint32_t v);

/* Is the result, with FP_ENV, looked at for NaNs, because the host gives another or may have missed a flag? Where operations
 * trap, a NaN is an operand's. It is the one that is wanted unless there are three operands or the default one is, but beside it the host
 * does not tell of a subnormal operand. */
bool bt_minds_nan(const struct bt_region *r, const struct bt_op *o);

/* May the operation make the least normal number by rounding a tinier one? */
bool bt_rounds_up(const struct bt_region *r, const struct bt_op *o);

/* What is known of the upper halves of values, by value (bt/known.c). Those made later are unknown. */
struct bt_known {
    bool *sx, *zx; /* the sign of the low half, zero */
    uint32_t n;
};
void bt_find_known(const struct bt_region *r, struct bt_known *k);
bool bt_known_sx(const struct bt_region *r, const struct bt_known *k, uint32_t v);
bool bt_known_zx(const struct bt_region *r, const struct bt_known *k, uint32_t v);
/* Does the operation look at the low halves of its operands only? An extension below it says nothing. */
bool bt_low_half_only(uint16_t op);

/* NULL when the region is well formed, else what is wrong, with *where the operation. */
const char *bt_verify(const struct bt_region *r, uint32_t *where);

/* Text of the region: allocated, the caller frees. */
char *bt_print(const struct bt_region *r);

/* ---- building blocks for passes ---- */
uint32_t bt_new_op(struct bt_region *r, uint16_t op, uint8_t kind, uint32_t a, uint32_t b,
                   uint32_t c, int64_t imm, uint32_t block);
/* The same, put before position *at of the block, which moves on by one; the operations in front of it stay. */
uint32_t bt_insert(struct bt_region *r, uint32_t block, uint32_t *at, uint16_t op, uint32_t a,
                   uint32_t b, uint32_t c, int64_t imm);
/* Make room, so that the next `extra` new operations do not move r->ops. */
void bt_reserve_ops(struct bt_region *r, uint32_t extra);
/* A constant's value, placed in the entry block; equal ones are shared when asked for in sequence. */
uint32_t bt_const(struct bt_region *r, uint64_t v);
/* A phi of integers that is no slot's, with an argument per predecessor, 0 for itself. */
uint32_t bt_new_phi(struct bt_region *r, uint32_t block, const uint32_t *args);
void bt_append(struct bt_region *r, uint32_t block, uint32_t value);
void bt_add_snap_entry(struct bt_region *r, uint32_t value, uint8_t slot);
/* Replacements of values that a pass has found: to[v] stands for v, 0 for none; chains are followed. */
struct bt_renames {
    uint32_t *to;
    uint32_t n; /* values from here on are not replaced */
};
uint32_t bt_renamed(const struct bt_renames *n, uint32_t v);
/* In an operation's operands (a phi's arguments included); in all snapshots. */
void bt_rename_operands(struct bt_region *r, const struct bt_renames *n, struct bt_op *o);
void bt_rename_snapshots(struct bt_region *r, const struct bt_renames *n);

/* Does every path to `block` lead through `above`? Both are in the region's layout, in which dominators come first. */
static inline bool bt_dominates(const struct bt_region *r, uint32_t above, uint32_t block)
{
    while (block > above)
        block = r->blocks[block].idom;
    return block == above;
}

static inline bool bt_is_const(const struct bt_region *r, uint32_t v)
{
    return r->ops[v].op == BT_CONST;
}

#endif

/* Guest basic blocks as micro-ops.
 *
 * Owns: struct block, what lifting produces and both engines consume.
 *
 * A block is made once by the lifter, is immutable afterwards but for its links and counters, and
 * is owned by codecache/ (lookup, links, invalidation, reclamation).
 */
#ifndef DRAGOMAN_UOP_BLOCK_H
#define DRAGOMAN_UOP_BLOCK_H

#include "uop/uop.h"
#include <stddef.h>

#define BLOCK_MAX_INSNS 64
#define BLOCK_MAX_UOPS 640

/* One guest instruction of a block: where its micro-ops begin and which bytes it came from. */
struct insn_map {
    uint16_t uop;   /* index of its first micro-op */
    uint16_t pcoff; /* byte offset from the block's pc */
};

enum block_flag {
    BLOCK_DEAD = 1 << 0,  /* invalidated: never entered again, reclaimed later */
    BLOCK_FP = 1 << 1,    /* has micro-ops with UOP_F_FPENV */
    BLOCK_NO_BT = 1 << 2, /* the translator refused it */
    BLOCK_FP_LOOK =
        1 << 4, /* floating point traps too often in it: its code looks at results instead */
    BLOCK_ONCE = 1 << 3, /* of one thread's for one run: in no table, never linked, not counted;
                           * entered although cpu->pending is set, and left by that */
};

struct unit;

/* Programs that run for a moment have thousands of them, most entered once or twice: so it is small, and what both engines
 * touch at each entry comes first. */
struct block {
    uint64_t pc;  /* guest address of the first instruction */
    uint32_t len; /* bytes of guest code; the fall-through is pc + len */
    uint16_t nuops;
    uint16_t ninsns;
    struct uop *uops;

    /* Links by edge (0 fall-through or only, 1 taken); NULL until resolved, always for jmp_ind.
     * Atomic; set and cleared by codecache/. */
    struct block *succ[2];

    /* Profile. Racy increments are tolerated. */
    uint64_t count;  /* entries */
    uint64_t hot_at; /* the interpreter hands the block out when entries reach this */
    uint64_t taken;  /* times edge 1 was taken; for jmp_ind, times that it went to target again */
    uint64_t target; /* jmp_ind: guest address it last went to */

    uint32_t flags; /* enum block_flag */
    uint8_t rules; /* the FP_CODE_RULES that its code is for; it is found by cpus that have these */
    uint32_t
        again; /* entries before the next unit when one was evicted; 0: not yet (codecache/worth.c) */
    struct insn_map *map;
    const uint8_t *code; /* copy of the len guest bytes, for check_code; else NULL */

    /* The unit that was last seen to begin here, good for one generation of units; both atomic, owned by
     * codecache/unit.c. */
    struct unit *unit;
    uint64_t unit_gen;

    /* Owned by codecache/blocks.c. */
    struct block
        *page_next[2];  /* blocks that touch the same guest page: a block spans two at most */
    uintptr_t in_first; /* the edges that lead here (blocks with their edge in the lowest bit) */
    union {
        struct
        { /* the block's own edges, chained; in_pprev is where an edge's chain pointer lies */
            uintptr_t in_next[2], *in_pprev[2];
        };
        struct { /* once it is dead */
            struct block *limbo_next;
            uint64_t dead_epoch;
        };
    };
};

/* Allocate a block with room for the given numbers of micro-ops and instructions (one allocation).
 * Never NULL. Free with block_free. block_new_checked also copies len bytes of code. */
struct block *block_new(unsigned nuops, unsigned ninsns);
struct block *block_new_checked(unsigned nuops, unsigned ninsns, const uint8_t *code, uint32_t len);
void block_free(struct block *b);

/* Index in b->map of the guest instruction that micro-op index u belongs to. */
unsigned block_insn_of(const struct block *b, unsigned u);

/* Text form. `slot_name` gives a slot's name or NULL for the default "rN"; buf gets a NUL-terminated
 * line without newline; both return the length it takes, as snprintf does. block_print writes the whole block, one micro-op a line, instruction
 * addresses as comments. uop_parse is the inverse of uop_print: 0 or -1 with *err set. */
typedef const char *uop_slot_name(unsigned slot);
size_t uop_print(char *buf, size_t size, const struct uop *u, uop_slot_name *slot_name);
int uop_parse(const char *text, struct uop *u, uop_slot_name *slot_name, const char **err);
size_t block_print(char *buf, size_t size, const struct block *b, uop_slot_name *slot_name);

/* Verifier: NULL when the block is well formed, else what is wrong (static text) with *where set to
 * the micro-op's index. Checks operand kinds and ranges, temporaries defined before use and not
 * across instructions, restartability (no slot written before the last faulting micro-op of an
 * instruction), exactly one terminator, at the end. nslots is the guest's number of slots. */
const char *block_verify(const struct block *b, unsigned nslots, unsigned *where);

#endif

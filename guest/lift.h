/* The block under construction: what lifters call.
 *
 * Owns: struct lift and the emitting functions; guest/lift.c also drives a guest's lift function
 * over a basic block (lift_block).
 *
 * Threading: a struct lift is used by one thread; nothing is shared.
 */
#ifndef DRAGOMAN_GUEST_LIFT_H
#define DRAGOMAN_GUEST_LIFT_H

#include "guest/guest.h"

struct lift {
    const struct guest *guest;
    uint64_t pc;      /* address of the instruction being lifted */
    uint64_t next_pc; /* set by the guest's lift before emitting: address of the next one */
    uint64_t block_pc;
    unsigned nuops, ninsns;
    unsigned temps;     /* temporaries in use by this instruction */
    bool ended;         /* a terminator has been emitted */
    bool alone;         /* the block is to have this one instruction */
    bool untag;         /* LIFT_UNTAG */
    bool odd_stack;     /* LIFT_STACK */
    bool stack_checked; /* this instruction has compared the stack pointer */
    uint8_t tagged,
        untagged; /* a base of this instruction's accesses, and the temporary that holds it without tag */
    struct uop uops[BLOCK_MAX_UOPS];
    struct insn_map map[BLOCK_MAX_INSNS + 1];
};

/* A fresh temporary of this instruction (an operand number). lift_vtemp gives an even pair. */
uint8_t lift_temp(struct lift *l);
uint8_t lift_vtemp(struct lift *l);

/* The unit that holds this address without its tag, where addresses have tags; lift_emit does that for a micro-op's operand a. */
uint8_t lift_untagged(struct lift *l, uint8_t base);

/* The stack pointer's alignment (struct guest's stack_align). While it is aligned nothing is compared at accesses; an instruction that
 * may change that says so by lift_new_stack before it writes anything: v is to be the stack pointer. An address that is made
 * of the stack pointer and something else goes by lift_stack_base; lift_emit does that for one that is the stack pointer. */
void lift_new_stack(struct lift *l, uint8_t v);
void lift_stack_base(struct lift *l, uint8_t base);

/* Append a micro-op. Emitting to the guest's zero slot as d is the caller's error (verifier). */
void lift_emit(struct lift *l, enum uop_code op, uint8_t d, uint8_t a, uint8_t b, uint8_t c,
               int64_t imm);

/* Emit op on its operands into a fresh temporary, which is returned. */
static inline uint8_t emit1(struct lift *l, enum uop_code op, uint8_t a)
{
    uint8_t t = lift_temp(l);
    lift_emit(l, op, t, a, 0, 0, 0);
    return t;
}

static inline uint8_t emit2(struct lift *l, enum uop_code op, uint8_t a, uint8_t b)
{
    uint8_t t = lift_temp(l);
    lift_emit(l, op, t, a, b, 0, 0);
    return t;
}

static inline uint8_t emit3(struct lift *l, enum uop_code op, uint8_t a, uint8_t b, uint8_t c)
{
    uint8_t t = lift_temp(l);
    lift_emit(l, op, t, a, b, c, 0);
    return t;
}

static inline uint8_t emit_i(struct lift *l, enum uop_code op, uint8_t a, int64_t imm)
{
    uint8_t t = lift_temp(l);
    lift_emit(l, op, t, a, 0, 0, imm);
    return t;
}

static inline uint8_t emit_const(struct lift *l, uint64_t v)
{
    uint8_t t = lift_temp(l);
    lift_emit(l, UOP_movi, t, 0, 0, 0, (int64_t)v);
    return t;
}

/* Lift one basic block from code at guest address pc; avail bytes are readable and executable
 * (whole instructions beyond that are not part of the block). At most max_insns instructions.
 * A block that reaches its limits ends in jmp to the next pc. Returns a new block that the caller
 * owns, or NULL when not even the first instruction is available (fetch fault at pc + avail). */
struct block *lift_block(const struct guest *g, uint64_t pc, const uint8_t *code, size_t avail,
                         unsigned max_insns);
/* The same in a way of its own, by these bits. */
enum {
    LIFT_CHECKED =
        1, /* for a page that is written too often to be protected: the block compares its code with memory
                       * whenever it is entered, and leaves with EXIT_STALE when they differ */
    LIFT_UNTAG =
        2, /* accesses are to addresses with tags (struct guest's untag): these are taken away first */
    LIFT_STACK = 4, /* some stack pointer is misaligned: accesses by it look */
};
struct block *lift_block_as(const struct guest *g, uint64_t pc, const uint8_t *code, size_t avail,
                            unsigned max_insns, unsigned how);
/* A block that stands for one instruction at pc and leaves with the reason at once. */
struct block *lift_exit(const struct guest *g, uint64_t pc, enum exit_reason reason);

#endif

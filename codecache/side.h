/* Side tables: from a host pc in a unit back to the guest's state.
 *
 * Owns: struct cc_loc, the compressed form, its writer and reader.
 *
 * A row belongs to one instruction of the unit that may fault: which guest instruction that is, and for each slot
 * where its value is before it. Rows are in ascending order and say only what differs from the row before; before
 * the first, home slots are in their registers and all others in the cpu.
 *
 * Form of a row, numbers as LEB128: offset less the previous one; guest pc less the previous one, zigzag; number of
 * changes; each change: slot, kind | register << 3, then a number for CC_LOC_UNIT and (zigzag) CC_LOC_CONST, the text's length
 * and the text for CC_LOC_EXPR. An expression's text, in prefix order: micro-op, its immediate (zigzag) when it has one,
 * and the operands, each as a change without its slot, or CC_LOC_EXPR and a text without its length.
 *
 * Threading: a writer belongs to one thread; reading is reentrant and allocates nothing (signal context).
 */
#ifndef DRAGOMAN_CODECACHE_SIDE_H
#define DRAGOMAN_CODECACHE_SIDE_H

#include "codecache/unit.h"

enum cc_loc_kind {
    CC_LOC_CPU,    /* in its own place in the cpu */
    CC_LOC_GPR,    /* in an integer register */
    CC_LOC_XMM,    /* low half of a vector register */
    CC_LOC_XMM32,  /* low quarter of one; the slot's upper half is zero */
    CC_LOC_XMM128, /* a whole one: this slot and the next */
    CC_LOC_UNIT,   /* in cpu->r[n]: spilled, or another slot's place */
    CC_LOC_CONST,  /* a constant */
    CC_LOC_EXPR,   /* a pure micro-op of operands that are such places or expressions themselves */
};

struct cc_loc {
    uint8_t kind; /* enum cc_loc_kind */
    uint8_t reg;  /* CC_LOC_EXPR: length of the text */
    uint64_t v;   /* CC_LOC_UNIT: n; CC_LOC_CONST: the value; CC_LOC_EXPR: see below */
};

/* An expression's text while it is written: operations before their operands, from the root on. */
#define CC_EXPR_MAX 250
struct cc_expr {
    uint8_t text[CC_EXPR_MAX];
    unsigned len;
    bool overflow;
};
void cc_expr_op(struct cc_expr *x, unsigned op, int64_t imm);
void cc_expr_loc(struct cc_expr *x, const struct cc_loc *l);

/* The state before the first row. */
void cc_side_start(const struct x64_homes *h, struct cc_loc loc[CPU_TEMP_BASE]);

/* A slot that a row names. v of a CC_LOC_EXPR is the address of its text here, and the text's offset in the table in
 * struct cc_side and in what cc_side_find gives. */
struct cc_named {
    uint8_t slot;
    struct cc_loc loc;
};

struct cc_side {
    uint8_t *buf;
    uint32_t len, cap;
    bool overflow;
    uint32_t off;
    uint64_t pc;
    uint64_t
        named[CPU_TEMP_BASE / 64]; /* slots that may be elsewhere than base says, by the last row */
    struct cc_loc base[CPU_TEMP_BASE]; /* of slots that a row does not name */
    struct cc_loc loc[CPU_TEMP_BASE];  /* of the last row */
};

/* Begin a table in buf[0..cap) for a unit at guest pc. Without homes: no row will name a slot. */
void cc_side_init(struct cc_side *s, void *buf, uint32_t cap, const struct x64_homes *h,
                  uint64_t pc);
/* Before the first row: the unit saved a home slot into the cpu at its entry; that is where it is for every row
 * that does not name it. */
void cc_side_saved(struct cc_side *s, unsigned slot);
/* Append the row of the instruction at offset off, with the n slots that are not where they were at the entry (or
 * were saved to). Each slot at most once. */
void cc_side_row(struct cc_side *s, uint32_t off, uint64_t pc, const struct cc_named *named,
                 unsigned n);

/* What the row for an offset says; false when there is none. */
bool cc_side_find(const struct unit *u, const struct x64_homes *h, uint32_t off, uint64_t *pc,
                  struct cc_loc loc[CPU_TEMP_BASE]);

/* Registers as they were at host_pc. */
struct cc_regs {
    uint64_t gpr[16];
    uint64_t xmm[X64_NXMM][2];
};
void cc_get_regs(struct cc_regs *regs, const void *ucontext);
/* Change a vector register that a handler's return restores; what is above the 128 bits is lost or stays. */
void cc_set_xmm(void *ucontext, unsigned reg, const uint64_t v[2]);
extern const uint8_t cc_greg[16]; /* by register number: its index in a context's gregs */
/* Make the cpu's slots (pc included) what they were before the guest instruction that host_pc belongs to.
 * False, with nothing done, when no row is there. */
bool cc_state_at(const struct unit *u, uintptr_t host_pc, const struct cc_regs *regs,
                 struct cpu *cpu);

/* A host fault with the pc in code memory, in a signal handler: the state goes to the cpu, and the context is changed
 * so that the handler's return leaves translated code with X64_LEFT_FAULT. The caller has filled cpu->fault. False when the
 * pc is not one where the guest can fault. */
bool cc_fault(struct cpu *cpu, void *ucontext);

#endif

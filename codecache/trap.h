/* Traps of floating-point operations in units: which operation it was, and how it is done in C instead.
 *
 * Where the guest wants NaNs that differ from the host's (uop.h, FP_ENV), units run with the host's invalid exception unmasked
 * (cc_traps). An instruction that is about to make a NaN, or to make a signalling one quiet, then traps, whatever the sticky flags are,
 * before it has written anything. So nothing has to look at results: the handler computes the micro-op by its C meaning, from
 * operands that are where they were, writes the result, adds the flags, and goes on behind the operation.
 *
 * These guests also find a result tiny before rounding, the host after it: the least normal number may have been rounded up from a
 * tinier one. So units run with underflow unmasked too, and what may make that number by rounding is followed by a product of it
 * and 1/2, which nothing uses: it is exact, and traps for the least binade alone. Tiny results trap themselves. The host notes a trap
 * for an exact result in the sticky flag as well; what it was before is in cpu->mxcsr, where whatever is loaded into MXCSR has been. Once that
 * flag and inexact's are set nothing more needs to be found out, and underflow is masked (fp_mxcsr_settled). With the first alone, which only a
 * program that writes its flags has, the product for nobody would set the second one.
 *
 * Flags whose exception is unmasked are what cpu->mxcsr says and what C raises, whatever the host has noted: a comparison for nobody
 * traps for NaNs that are to be looked at, and where the environment flushes (FP_FZ) the host notes inexact with each tiny result: there
 * inexact traps too until it is set. Subnormal operands trap there until FP_ID is set; then the host takes them for zeros.
 *
 * Owns: the table of a unit's operations that may trap. A row is for a range of code that ends where the result is in its register:
 * a trap of any instruction in it is answered by the whole operation. Rows are in ascending order. Form, numbers as LEB128: beginning
 * less the previous end; length; kind | register << 3 of the result; and unless the result is host flags: the micro-op, its immediate
 * (zigzag), and for each operand kind | register << 3 with a number for CC_LOC_UNIT and (zigzag) CC_LOC_CONST.
 *
 * Threading: a writer belongs to one thread; reading is reentrant and allocates nothing (signal context).
 */
#ifndef DRAGOMAN_CODECACHE_TRAP_H
#define DRAGOMAN_CODECACHE_TRAP_H

#include "codecache/side.h"

enum cc_trap_result {
    CC_TRAP_FLAGS, /* the host's flags, of a comparison: unordered */
    CC_TRAP_GPR,   /* an integer register */
    CC_TRAP_SCALAR, /* the low part of a vector register; above it is what is above the first operand */
    CC_TRAP_VECTOR, /* a whole vector register */
};

struct cc_trap_row {
    uint32_t begin, end; /* offsets in the unit */
    enum cc_trap_result result;
    uint8_t reg;
    uint16_t op; /* enum uop_code */
    int64_t imm;
    struct cc_loc operand[3]; /* GPR, XMM, UNIT, CONST; a vector in a unit has the next one too */
};

struct cc_trap_table {
    uint8_t *buf;
    uint32_t len, cap;
    uint32_t off; /* end of the last row */
    bool overflow;
};

void cc_trap_add(struct cc_trap_table *t, const struct cc_trap_row *row);
/* The row that an offset lies in; false when there is none. */
bool cc_trap_find(const struct unit *u, uint32_t off, struct cc_trap_row *row);

/* In the handler of SIGFPE, with the pc in code memory: do the operation and change the context to go on behind it. False when
 * no operation is there. A unit that traps too often is noted in the cpu (trapped), which is asked to leave. */
bool cc_trap(struct cpu *cpu, void *ucontext);

#endif

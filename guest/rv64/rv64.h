/* The RV64 guest's own names: register slots, CSR numbers, and the parts of guest_rv64 that live in
 * several files.
 *
 * Owns: the numbering of the slots in struct cpu.
 *
 * Threading: constants only.
 */
#ifndef DRAGOMAN_GUEST_RV64_RV64_H
#define DRAGOMAN_GUEST_RV64_RV64_H

#include "guest/guest.h"
#include "guest/lift.h"
#include "guest/rv64/decode.h"

enum rv64_slot {
    RV64_X0 = 0,  /* x0..x31; x0 is the zero slot */
    RV64_RA = 1,  /* x1 */
    RV64_SP = 2,  /* x2 */
    RV64_TP = 4,  /* x4 */
    RV64_A0 = 10, /* x10..x17 */
    RV64_A7 = 17,
    RV64_PC = 32,
    RV64_F0 = 34,  /* f0..f31, raw 64 bits; even, so that vectors could be laid over them */
    RV64_FRM = 66, /* fcsr.frm as written, valid or not; struct cpu's frm follows it */
    RV64_NSLOTS = 67,
};

/* How a CSR instruction changes the register: the row's argument. */
enum rv64_csr_op { RV64_CSR_W, RV64_CSR_S, RV64_CSR_C };

/* CSRs that user code has (RISC-V privileged manual, "CSR Listing"). */
enum rv64_csr {
    RV64_CSR_FFLAGS = 0x001,
    RV64_CSR_FRM = 0x002,
    RV64_CSR_FCSR = 0x003,
    RV64_CSR_CYCLE = 0xc00,
    RV64_CSR_TIME = 0xc01,
    RV64_CSR_INSTRET = 0xc02,
    RV64_CSR_CLOCK = 0xcc0, /* and those that follow: custom, read-only (vdso.S) */
};

/* Bytes that cbo.zero clears; reported by hwprobe. */
#define RV64_CBOZ_BLOCK 64

/* An extension that the guest's processor advertises, beyond the letters of "rv64imafdc". */
struct rv64_ext {
    const char *name; /* lower case, as in the ISA string */
    int hwprobe_bit;
};
extern const struct rv64_ext rv64_exts[]; /* ends with a NULL name */

/* The constants that fli loads ("Zfa" extension, table of immediates); number 1, 0 here, stands for the
 * least normal number of the format. */
extern const double rv64_fli[32];

/* Decode the instruction at code. Returns its length in bytes (by its lowest bits, as the manual's
 * "Expanded Instruction-Length Encoding" has it; 0 when avail is too short to tell or to hold it)
 * and in in->row its row, 0 for an undefined encoding. */
unsigned rv64_decode(struct rv64_insn *in, const uint8_t *code, size_t avail);

/* Members of guest_rv64; see struct guest. */
extern const struct guest_debug rv64_debug;
unsigned rv64_lift(struct lift *l, const uint8_t *code, size_t avail);
unsigned rv64_disasm(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc);
const char *rv64_slot_name(unsigned slot);
size_t rv64_sigframe_build(struct cpu *cpu, const struct sigframe_in *in, void *buf,
                           uint64_t *sp_out);
size_t rv64_sigframe_size(void);
int rv64_sigframe_parse(struct cpu *cpu, const void *buf, size_t size, uint64_t *mask, stack_t *ss);
size_t rv64_cpuinfo(char *buf, size_t size, unsigned ncpus);
uint64_t rv64_hwprobe(int64_t key, bool *known);

#endif

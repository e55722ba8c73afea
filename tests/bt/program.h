/* Random programs of a few guest blocks for a toy guest, and a reference that runs their micro-ops one by one by
 * uop_eval and fp_soft, without either engine.
 *
 * The toy guest's slots: 1..15 integers, 16..18 addresses of memory (never written), 19 an address that
 * may be anything (never written), 20..51 floating point, 52 the pc. Block i lies at PC + i * STEP. */
#ifndef DRAGOMAN_TESTS_BT_PROGRAM_H
#define DRAGOMAN_TESTS_BT_PROGRAM_H

#include "tests/unit.h"

#include "guest/guest.h"
#include "uop/block.h"

enum {
    INTS = 16,
    LINK = 1, /* where calls leave the address to return to */
    BASE = 16,
    WILD = 19,
    FLOATS = 20,
    NSLOTS = 53,
    PC_SLOT = 52,
    BLOCKS = 9, /* at most */
    STEP = 0x100,
    MEM = 4096
};
#define PC UINT64_C(0x10000)
#define MEM_AT UINT64_C(0x5000000)

extern const struct guest toy;

/* The generator of random numbers: its state is to be seeded with anything but 0. */
extern uint64_t rng;
uint64_t rnd(void);
unsigned pick(unsigned n); /* 0 .. n - 1 */

struct program {
    struct block *blocks[BLOCKS];
    unsigned n;
};

/* Blocks with links and a random profile; they pass block_verify. */
struct program program_make(void);
void program_free(struct program *p);
void program_print(const struct program *p);

struct state {
    uint64_t r[NSLOTS]; /* the pc slot is not used */
    unsigned flags;     /* enum fp_flag */
    unsigned char mem[MEM];
};
void state_random(struct state *s);

/* What the reference did in one block. */
struct trace {
    unsigned n; /* instructions begun */
    uint64_t pc[BLOCK_MAX_INSNS];
    uint64_t before[BLOCK_MAX_INSNS][NSLOTS];
    unsigned flags_before[BLOCK_MAX_INSNS];
    bool faulted;  /* the last of them; the state is that before it */
    bool left;     /* by exit */
    uint64_t next; /* else: the guest address that control goes to */
};
void reference_run(const struct block *b, struct state *s, struct trace *t);

/* Parts of the reference, for evaluators of other forms. ref_access: false when it faults. */
bool ref_access(unsigned char *mem, uint16_t op, uint64_t addr, uint64_t b, uint64_t *d);
bool ref_atomic(unsigned char *mem, uint16_t op, uint64_t addr, uint64_t b, uint64_t c,
                uint64_t *d);
bool ref_branches(uint16_t op, uint64_t a, uint64_t b);
uint64_t ref_compute(uint16_t op, uint64_t a, uint64_t b, uint64_t c, int64_t imm, unsigned *flags);

#endif

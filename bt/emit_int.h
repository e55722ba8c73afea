/* Inside emission: what the files bt/emit*.c share. Not for others. */
#ifndef DRAGOMAN_BT_EMIT_INT_H
#define DRAGOMAN_BT_EMIT_INT_H

#include "bt/emit.h"
#include "codecache/trap.h"

struct bt_emitter;
struct bt_cold;

/* A piece of code that is emitted behind the hot part. */
struct bt_cold {
    void (*emit)(struct bt_emitter *m, const struct bt_cold *c);
    unsigned label; /* where it begins */
    unsigned back;  /* where it returns to, if it does */
    uint32_t v;     /* the operation concerned */
    uint32_t x;     /* for the emitting function */
    uint64_t y;
    uint32_t pos, op; /* of the emitter when the piece was asked for */
};

/* What an operation leaves behind for the next one. */
struct bt_leftover {
    uint32_t low_half; /* this product is in rax; 0: none */
    uint32_t extended; /* this value is what the operation behind it, an extension, makes of it */
    uint32_t carry;    /* the carry of this addition is in the flags */
    uint32_t bit;      /* this value, 0 or 1, is in the carry flag */
    bool inverted;     /* or what it is not is */
};

struct bt_emitter {
    const struct bt_region *r;
    struct bt_alloc alloc;
    struct x64_emit e;
    struct bt_code *out;
    unsigned *block_label;
    uint32_t block, at; /* being emitted: block, number of the operation in it */
    uint32_t pos;       /* position that is being emitted (bt/alloc_int.h) */
    uint32_t op; /* operation that is being emitted: its own result is written a position later */
    uint32_t follows; /* operation behind it in the block, 0 for none */
    uint32_t next;    /* the same where equal operands are the same value, else 0 */
    struct bt_leftover have, made;
    uint32_t reloads_done;
    struct bt_cold *cold;
    uint32_t ncold, cold_cap;
    const struct x64_homes *homes;
    uint32_t links_cap;
    struct bt_const128 {
        uint64_t v[2];
        unsigned label;
    } * consts; /* 16-byte constants behind the code */
    uint32_t nconsts, consts_cap;
    uint8_t *above; /* by value, see bt_above; 0: not known */
    uint32_t
        fused; /* a comparison whose result is in the flags, for the operation that follows; 0: none */
    enum x64_cc fused_cc;
    uint32_t flags_of; /* see bt_note_flags; 0: none */
    bool polled;       /* for the terminator that follows */
    struct cc_trap_table traps;
    uint8_t displaced
        [2]; /* registers whose contents are in BT_SPARE_UNIT and the next now; the same ones (0): none are */
    uint32_t checked[8], nchecked, checked_block; /* bases that were compared in this block */
    bool halves
        [2];   /* BT_HALF_XMM has 1/2 in every lane of 64 bits, the next one in every lane of 32 */
    bool high; /* the operation's instructions take xmm16 to xmm31 */
    const char *cannot;  /* set when an operation has no emitter */
    struct cc_side side; /* last: too large to be cleared each time */
};

/* See bt_check_addresses. */
extern bool bt_checks_addresses;

/* ---- operands ---- */
static inline struct bt_loc bt_loc(const struct bt_emitter *m, uint32_t v)
{
    return bt_loc_at(&m->alloc, v, m->pos + (v == m->op));
}
static inline uint64_t bt_imm(const struct bt_emitter *m, uint32_t v)
{
    return (uint64_t)m->r->ops[v].imm;
}
/* The general register that holds v: its own, or `scratch` after loading it there. */
unsigned bt_gpr(struct bt_emitter *m, uint32_t v, unsigned scratch);
/* Load v into a given general register. */
void bt_load_gpr(struct bt_emitter *m, unsigned reg, uint32_t v);
/* The register to compute a result of v in: its own, or scratch; bt_done stores it if need be. */
unsigned bt_dst(const struct bt_emitter *m, uint32_t v, unsigned scratch);
void bt_done(struct bt_emitter *m, uint32_t v, unsigned reg);
/* The same for vector registers. What lies in xmm16 to xmm31 is loaded into the scratch register too, and what is made for these is
 * computed there, unless the operation's instructions take such registers (m->high). */
unsigned bt_xmm(struct bt_emitter *m, uint32_t v, unsigned scratch);
unsigned bt_xdst(const struct bt_emitter *m, uint32_t v, unsigned scratch);
void bt_xdone(struct bt_emitter *m, uint32_t v, unsigned reg);
/* The vector register that holds vector v: its own, or `scratch` after loading it there. bt_xdst and
 * bt_xdone serve for vectors too. */
unsigned bt_vec(struct bt_emitter *m, uint32_t v, unsigned scratch);
/* From which bit on is a vector register that bt_xmm gives for v known to be zero (128: not at all)? m->above remembers it
 * of values whose register is written so. */
unsigned bt_above(const struct bt_emitter *m, uint32_t v);
/* A second operand as vector instructions take it: a scalar or a vector, where it is. */
struct bt_vsource {
    bool in_memory;
    unsigned reg;
    struct x64_mem mem;
};
struct bt_vsource bt_vsource(struct bt_emitter *m, uint32_t v, unsigned scratch);
/* d = a op b; for two operands, a op b. */
void bt_v_op(struct bt_emitter *m, unsigned op, unsigned d, unsigned a, const struct bt_vsource *b);
void bt_v_op2(struct bt_emitter *m, unsigned op, unsigned a, const struct bt_vsource *b);
/* A constant in memory, 16-aligned. */
struct x64_mem bt_const128(struct bt_emitter *m, uint64_t low, uint64_t high);
/* n bytes there, n a multiple of 16. */
struct x64_mem bt_table(struct bt_emitter *m, const uint8_t *bytes, unsigned n);
void bt_emit_constants(struct bt_emitter *m);
/* An array with room for one more than its n elements: the same, or a larger copy. */
void *bt_grown(struct bt_emitter *m, void *old, uint32_t n, uint32_t *cap, size_t size);

/* ---- structure ---- */
/* Store the f32 in a vector register, above which there may be anything, with zeros above it. */
void bt_store_narrow(struct bt_emitter *m, unsigned reg, struct x64_mem at);
/* A cold piece for later; returns its label. */
unsigned bt_later(struct bt_emitter *m, struct bt_cold c);
/* Operation v, which is no terminator. */
void bt_emit_op(struct bt_emitter *m, uint32_t v);
/* The side-table row of the next instruction. */
void bt_row(struct bt_emitter *m, uint32_t snap);
/* An operation that may trap (codecache/trap.h), v, is the code from offset `begin` to here, where its result is in a register; for
 * CC_TRAP_FLAGS a comparison, of whatever it is part. Its operands are in their places all the while. */
void bt_trap(struct bt_emitter *m, uint32_t begin, uint32_t v, enum cc_trap_result result,
             unsigned reg);
/* The same for what traps only where the environment flushes: subnormal operands, and inexact results as long as their flag is not set. */
void bt_trap_flushing(struct bt_emitter *m, uint32_t begin, uint32_t v, enum cc_trap_result result,
                      unsigned reg);
/* There, inside such code: trap if a or b is subnormal, in front of what the host would take the number for. */
void bt_trap_subnormal(struct bt_emitter *m, unsigned a, unsigned b, bool s);
/* Where operations trap, inside such code: trap if d, which `multiply` (X64_MULSD and the like) takes, is or has the least normal
 * number. The scratch register is not d. */
void bt_trap_least(struct bt_emitter *m, unsigned multiply, unsigned scratch, unsigned d, bool s);
/* At the entry: what these products are with, if loops have any, goes into registers. Such loops are full of loads. */
void bt_halves(struct bt_emitter *m);
/* The poll of a back edge, of which its terminator may say so early: what it compares stays in the flags. */
void bt_poll(struct bt_emitter *m, const struct bt_op *terminator);
/* Leave for `reason` with the state of a snapshot: the label of a cold exit. */
unsigned bt_leave(struct bt_emitter *m, uint32_t snap, enum exit_reason reason);

struct bt_move {
    struct bt_loc to, from;
    uint64_t imm; /* from.place == BT_IMM */
    uint8_t kind; /* of the value moved: UOP_K_V for all 128 bits */
};
bool bt_same_place(struct bt_loc a, struct bt_loc b);
void bt_move_one(struct bt_emitter *m, const struct bt_move *v);
uint8_t bt_value_kind(const struct bt_region *r, uint32_t v);
/* How a value is moved to or from a slot. A vector in another slot than a vector register's is its low half. */
uint8_t bt_slot_kind(const struct bt_region *r, unsigned slot, uint32_t v);
/* All moves at once; scratch: rax and xmm0. Neither place of a move may be scratch. */
void bt_parallel_move(struct bt_emitter *m, struct bt_move *moves, unsigned n);
/* The side table's beginning: homes that the unit saves at its entry. */
void bt_begin_rows(struct bt_emitter *m, void *buf, uint32_t cap);
/* How many entries of snapshots are sunk values. */
uint32_t bt_sunk_entries(const struct bt_region *r);
/* Bring the state of a snapshot into its canonical places: homes and the cpu. */
void bt_write_back(struct bt_emitter *m, uint32_t snap);

/* Is v, a comparison, only there for the choice right behind it (bt_pair_conditions)? */
bool bt_feeds_choice(const struct bt_emitter *m, uint32_t v);

/* ---- pieces of integer operations ---- */
/* A second operand as x86 takes it. */
struct bt_source {
    enum { BT_SRC_REG, BT_SRC_MEM, BT_SRC_IMM } kind;
    unsigned reg;
    struct x64_mem mem;
    int32_t imm;
};
/* A constant, or a value in a vector register, where it is put in memory: a field of the cpu that means something only
 * while the cpu leaves. Neither registers nor flags change. */
struct x64_mem bt_through_memory(struct bt_emitter *m, uint32_t v);
/* scratch is used when v is neither in a register, nor in memory, nor a short constant. Without one (X64_NONE) such
 * a value goes through memory. */
struct bt_source bt_source(struct bt_emitter *m, uint32_t v, unsigned scratch);
/* op reg, s of `size` bytes. */
void bt_alu(struct bt_emitter *m, enum x64_alu op, unsigned size, unsigned reg,
            const struct bt_source *s);
/* Add v, all 64 bits, to a general register. */
void bt_add(struct bt_emitter *m, unsigned reg, uint32_t v);
/* What becomes of the upper half of a result of 32 bits. */
enum bt_width { BT_W64, BT_W32S, BT_W32Z };
void bt_extend(struct bt_emitter *m, enum bt_width w, unsigned reg);
void bt_emit_multiply(struct bt_emitter *m, uint32_t v, enum bt_width w);
void bt_emit_multiply_imm(struct bt_emitter *m, uint32_t v, enum bt_width w);
void bt_emit_multiply_high(struct bt_emitter *m, uint32_t v);
void bt_emit_divide(struct bt_emitter *m, uint32_t v);

/* A set_ row, min and max (the first operand where cc holds for both, else the second), sel. */
void bt_emit_condition(struct bt_emitter *m, uint32_t v);
void bt_emit_extreme(struct bt_emitter *m, uint32_t v, enum x64_cc cc);
void bt_emit_choice(struct bt_emitter *m, uint32_t v);

/* ---- operations; false: no emitter ---- */
bool bt_emit_integer(struct bt_emitter *m, uint32_t v);
bool bt_emit_memory(struct bt_emitter *m, uint32_t v);
bool bt_emit_float(struct bt_emitter *m, uint32_t v);
bool bt_emit_fp_flags(struct bt_emitter *m, uint32_t v);
bool bt_emit_vector(struct bt_emitter *m, uint32_t v);
/* Part of bt_emit_memory: many bytes. */
bool bt_emit_bulk(struct bt_emitter *m, uint32_t v);
/* Where bt_check_addresses: leave when the address in `reg`, of an access by o, may not be below the guest's end. */
void bt_check_end(struct bt_emitter *m, const struct bt_op *o, unsigned reg);
/* Parts of bt_emit_float, and of bt_emit_vector_float. */
bool bt_emit_convert(struct bt_emitter *m, uint32_t v);
bool bt_emit_estimate(struct bt_emitter *m, uint32_t v);
bool bt_emit_half(struct bt_emitter *m, uint32_t v);
/* Parts of bt_emit_integer. */
bool bt_emit_bits(struct bt_emitter *m, uint32_t v);
bool bt_emit_flags(struct bt_emitter *m, uint32_t v);
/* The host's carry flag is v, 0 or 1, or (inverted) what v is not; nothing but moves may follow. False when v must be given a place
 * too. */
bool bt_leave_carry(struct bt_emitter *m, uint32_t v, bool inverted);
/* Does the operation's code leave the host's flags alone? */
bool bt_keeps_flags(const struct bt_emitter *m, const struct bt_op *o);
/* Operation v of a region whose slots are always in place has been emitted: does it make flags of slots that can be compared
 * again, or write such a slot? */
void bt_note_flags(struct bt_emitter *m, uint32_t v);
/* Parts of bt_emit_vector. */
bool bt_emit_vector_integer(struct bt_emitter *m, uint32_t v);
bool bt_emit_vector_float(struct bt_emitter *m, uint32_t v);
bool bt_emit_permutation(struct bt_emitter *m, uint32_t v);
bool bt_emit_crypto(struct bt_emitter *m, uint32_t v);
/* The value of operation v, its operands being in their places, by C into rax; a vector into cpu->call_result.
 * xmm0-xmm3 are clobbered. */
void bt_call_value(struct bt_emitter *m, uint32_t v);
/* Out of line: the value by C, into rax and, unless x is X64_NO_REG, into vector register x. */
void bt_cold_call(struct bt_emitter *m, const struct bt_cold *c);
/* The same of a vector, into register x. */
void bt_cold_vector(struct bt_emitter *m, const struct bt_cold *c);
/* With FP_ENV: is there in d, the result of v (s: an f32), what makes it C's value? See bt/emit_float.c. */
void bt_check_env(struct bt_emitter *m, uint32_t v, unsigned d, bool s);
/* The same of a vector: d is neither xmm0 nor xmm1, which are clobbered. */
void bt_check_vector(struct bt_emitter *m, uint32_t v, unsigned d, bool wide);
/* A scalar (s: an f32) to an integral value. exact: raises inexact. */
bool bt_emit_round(struct bt_emitter *m, uint32_t v, bool s, bool exact);
/* A pure or floating-point operation through C; false when it is neither. */
bool bt_emit_call(struct bt_emitter *m, uint32_t v);
/* Compare for a branch; the condition under which it is taken. */
enum x64_cc bt_emit_compare(struct bt_emitter *m, const struct bt_op *branch);

#endif

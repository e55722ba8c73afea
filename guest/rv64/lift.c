/* guest/rv64/lift.c: from decoded instructions to micro-ops: integers, memory, branches, system.
 * Floating point is in lift_fp.c.
 *
 * Owns: the meaning of each integer row of rv64.decode. A lifter is named by the rows that use it;
 * the micro-op comes as its argument where one lifter serves many rows.
 *
 * Invariants: slot 0 is never a destination; results for x0 go to a temporary where the operation
 * has an effect, and nowhere where it has none. No slot is written before the last micro-op of the
 * instruction that may fault.
 *
 * Threading: works on the caller's struct lift only.
 */
#include "guest/rv64/lift.h"
#include "uop/sem.h"
#include <time.h>

unsigned rv64_decode(struct rv64_insn *in, const uint8_t *code, size_t avail)
{
    if (avail < 2)
        return 0;
    uint32_t w = code[0] | code[1] << 8;
    if ((w & 3) != 3) {
        if (!rv64_decode16(w, in))
            *in = (struct rv64_insn){.word = w};
        return 2;
    }
    if ((w & 0x1f) == 0x1f) { /* longer than 32 bits: none is defined */
        *in = (struct rv64_insn){.word = w};
        unsigned n = (w & 0x3f) == 0x1f   ? 6
                     : (w & 0x7f) == 0x3f ? 8
                     : (w >> 12 & 7) == 7 ? 2
                                          : 10 + 2 * (w >> 12 & 7);
        return n > avail ? 0 : n;
    }
    if (avail < 4)
        return 0;
    w |= (uint32_t)code[2] << 16 | (uint32_t)code[3] << 24;
    if (!rv64_decode32(w, in))
        *in = (struct rv64_insn){.word = w};
    return 4;
}

unsigned rv64_lift(struct lift *l, const uint8_t *code, size_t avail)
{
    struct rv64_insn in;
    unsigned len = rv64_decode(&in, code, avail);
    if (!len)
        return 0;
    l->next_pc = l->pc + len;
    if (in.row)
        rv64_rows[in.row].lift(l, &in, rv64_rows[in.row].arg);
    else
        rv64_emit_illegal(l);
    return len;
}

/* ---- what lifters share ---- */

void rv64_emit_illegal(struct lift *l)
{
    lift_emit(l, UOP_exit, 0, 0, 0, 0, EXIT_ILLEGAL);
}

uint8_t rv64_dest(struct lift *l, unsigned rd)
{
    return rd ? rd : lift_temp(l);
}

static void movi(struct lift *l, unsigned rd, int64_t imm)
{
    if (rd)
        lift_emit(l, UOP_movi, rd, 0, 0, 0, imm);
}

static void mov(struct lift *l, unsigned rd, unsigned rs)
{
    if (rd && rd != rs)
        lift_emit(l, UOP_mov_64, rd, rs, 0, 0, 0);
}

/* The last micro-op of the block, when it gives x register r a constant: lui and auipc come in pairs
 * with an addi, a jalr or a shift. No instruction in between may leave the block, so when the pair
 * overwrites r its first half need not be seen at all. */
static struct uop *constant(struct lift *l, unsigned r)
{
    struct uop *u = l->nuops ? &l->uops[l->nuops - 1] : NULL;
    return r && u && u->op == UOP_movi && u->d == r ? u : NULL;
}

/* Emit rd = op(rs1, imm), or its value when rs1 is a constant. */
static void op_imm(struct lift *l, enum uop_code op, unsigned rd, unsigned rs1, int64_t imm)
{
    struct uop *known = constant(l, rs1);
    uint64_t v;
    if (!rd)
        return;
    if (!known || !uop_eval(op, (uint64_t)known->imm, (uint64_t)imm, 0, &v))
        lift_emit(l, op, rd, rs1, 0, 0, imm);
    else if (rd == rs1)
        known->imm = (int64_t)v;
    else
        movi(l, rd, (int64_t)v);
}

/* ---- integer computation ---- */

LIFT(nop)
{
    (void)l;
    (void)in;
    (void)arg;
}

LIFT(illegal)
{
    rv64_emit_illegal(l);
}

LIFT(exit)
{
    lift_emit(l, UOP_exit, 0, 0, 0, 0, arg);
}

LIFT(lui)
{
    movi(l, in->rd, in->imm);
}

LIFT(auipc)
{
    movi(l, in->rd, (int64_t)(l->pc + (uint64_t)in->imm));
}

LIFT(rr)
{
    if (in->rd)
        lift_emit(l, arg, in->rd, in->rs1, in->rs2, 0, 0);
}

LIFT(ri)
{
    op_imm(l, arg, in->rd, in->rs1, in->imm);
}

LIFT(unary)
{
    if (in->rd)
        lift_emit(l, arg, in->rd, in->rs1, 0, 0, 0);
}

LIFT(addi)
{
    if (!in->rs1)
        movi(l, in->rd, in->imm);
    else if (!in->imm)
        mov(l, in->rd, in->rs1);
    else
        op_imm(l, UOP_add_64_i, in->rd, in->rs1, in->imm);
}

LIFT(addiw)
{
    if (!in->rs1)
        movi(l, in->rd, in->imm);
    else if (in->rd && !in->imm && !constant(l, in->rs1))
        lift_emit(l, UOP_sext32, in->rd, in->rs1, 0, 0, 0);
    else
        op_imm(l, UOP_add_32s_i, in->rd, in->rs1, in->imm);
}

LIFT(andi)
{
    if (in->rd && in->imm == 0xff)
        lift_emit(l, UOP_zext8, in->rd, in->rs1, 0, 0, 0);
    else if (in->rd)
        lift_emit(l, UOP_and_64_i, in->rd, in->rs1, 0, 0, in->imm);
}

LIFT(add)
{
    if (!in->rs1)
        mov(l, in->rd, in->rs2);
    else if (!in->rs2)
        mov(l, in->rd, in->rs1);
    else if (in->rd)
        lift_emit(l, UOP_add_64, in->rd, in->rs1, in->rs2, 0, 0);
}

LIFT(add_uw)
{
    if (!in->rd)
        return;
    if (!in->rs2) {
        lift_emit(l, UOP_zext32, in->rd, in->rs1, 0, 0, 0);
        return;
    }
    lift_emit(l, UOP_add_64, in->rd, emit1(l, UOP_zext32, in->rs1), in->rs2, 0, 0);
}

/* sh1add.uw and its like: the shifted operand is the zero-extended low half. */
LIFT(rr_uw)
{
    if (in->rd)
        lift_emit(l, arg, in->rd, emit1(l, UOP_zext32, in->rs1), in->rs2, 0, 0);
}

LIFT(slli_uw)
{
    if (in->rd)
        lift_emit(l, UOP_shl_64_i, in->rd, emit1(l, UOP_zext32, in->rs1), 0, 0, in->imm);
}

/* Rotate left is rotate right by the negated amount, which is taken modulo the width. */
LIFT(rol)
{
    if (in->rd)
        lift_emit(l, arg, in->rd, in->rs1, emit2(l, UOP_sub_64, RV64_X0, in->rs2), 0, 0);
}

LIFT(bit)
{
    if (!in->rd)
        return;
    uint8_t one = lift_temp(l);
    lift_emit(l, UOP_movi, one, 0, 0, 0, 1);
    lift_emit(l, arg, in->rd, in->rs1, emit2(l, UOP_shl_64, one, in->rs2), 0, 0);
}

LIFT(biti)
{
    if (in->rd)
        lift_emit(l, arg, in->rd, in->rs1, 0, 0, (int64_t)(UINT64_C(1) << in->imm));
}

LIFT(bext)
{
    if (in->rd)
        lift_emit(l, UOP_and_64_i, in->rd, emit2(l, UOP_shr_64, in->rs1, in->rs2), 0, 0, 1);
}

LIFT(bexti)
{
    if (in->rd)
        lift_emit(l, UOP_and_64_i, in->rd, emit_i(l, UOP_shr_64_i, in->rs1, in->imm), 0, 0, 1);
}

LIFT(czero_eqz)
{
    if (in->rd)
        lift_emit(l, UOP_sel, in->rd, in->rs2, in->rs1, RV64_X0, 0);
}

LIFT(czero_nez)
{
    if (in->rd)
        lift_emit(l, UOP_sel, in->rd, in->rs2, RV64_X0, in->rs1, 0);
}

/* "May be" operations write zero until an extension redefines them. */
LIFT(mop)
{
    movi(l, in->rd, 0);
}

/* ---- control transfer ---- */

/* Link registers of the manual's return-address stack hints ("JALR", table of RAS actions). */
static bool is_link(unsigned r)
{
    return r == 1 || r == 5;
}

LIFT(jal)
{
    movi(l, in->rd, (int64_t)l->next_pc);
    lift_emit(l, UOP_jmp, 0, 0, 0, is_link(in->rd) ? JUMP_CALL : JUMP_PLAIN,
              (int64_t)(l->pc + (uint64_t)in->imm));
}

/* A coroutine swap (both are link registers, and differ) pops and pushes: it is taken for a call,
 * which keeps the depth right after the pair. */
LIFT(jalr)
{
    enum uop_jump hint = is_link(in->rd) ? JUMP_CALL : is_link(in->rs1) ? JUMP_RET : JUMP_PLAIN;
    struct uop *known = constant(l, in->rs1);
    if (known) { /* a far call or jump: auipc, jalr */
        int64_t target = (int64_t)(((uint64_t)known->imm + (uint64_t)in->imm) & ~UINT64_C(1));
        movi(l, in->rd, (int64_t)l->next_pc);
        lift_emit(l, UOP_jmp, 0, 0, 0, hint == JUMP_CALL ? hint : JUMP_PLAIN, target);
        return;
    }
    uint8_t t = in->imm ? emit_i(l, UOP_add_64_i, in->rs1, in->imm) : in->rs1;
    t = emit_i(l, UOP_and_64_i, t, -2);
    movi(l, in->rd, (int64_t)l->next_pc);
    lift_emit(l, UOP_jmp_ind, 0, t, 0, hint, 0);
}

LIFT(branch)
{
    lift_emit(l, arg, 0, in->rs1, in->rs2, 0, (int64_t)(l->pc + (uint64_t)in->imm));
}

/* ---- memory ---- */

LIFT(load)
{
    lift_emit(l, arg, rv64_dest(l, in->rd), in->rs1, 0, 0, in->imm);
}

LIFT(store)
{
    lift_emit(l, arg, 0, in->rs1, in->rs2, 0, in->imm);
}

/* Read-modify-write, load-reserved and store-conditional; narrow old values sign-extend. */
static void amo(struct lift *l, const struct rv64_insn *in, int op, enum uop_code extend)
{
    if (!in->rd || extend == UOP_mov_64) {
        lift_emit(l, op, rv64_dest(l, in->rd), in->rs1, in->rs2, 0, 0);
        return;
    }
    lift_emit(l, extend, in->rd, emit2(l, op, in->rs1, in->rs2), 0, 0, 0);
}

LIFT(amo8)
{
    amo(l, in, arg, UOP_sext8);
}

LIFT(amo16)
{
    amo(l, in, arg, UOP_sext16);
}

LIFT(amo32)
{
    amo(l, in, arg, UOP_sext32);
}

LIFT(amo64)
{
    amo(l, in, arg, UOP_mov_64);
}

/* rd is both the value compared with and the destination of the old one. */
static void cas(struct lift *l, const struct rv64_insn *in, int op, enum uop_code extend)
{
    uint8_t old = in->rd && extend == UOP_mov_64 ? in->rd : lift_temp(l);
    lift_emit(l, op, old, in->rs1, in->rd, in->rs2, 0);
    if (in->rd && extend != UOP_mov_64)
        lift_emit(l, extend, in->rd, old, 0, 0, 0);
}

LIFT(cas8)
{
    cas(l, in, arg, UOP_sext8);
}

LIFT(cas16)
{
    cas(l, in, arg, UOP_sext16);
}

LIFT(cas32)
{
    cas(l, in, arg, UOP_sext32);
}

LIFT(cas64)
{
    cas(l, in, arg, UOP_mov_64);
}

/* The pair of register 0 reads as zero in both halves and is not written. */
static uint8_t pair(struct lift *l, unsigned r)
{
    if (r)
        return r;
    uint8_t t = lift_vtemp(l);
    lift_emit(l, UOP_movi, t, 0, 0, 0, 0);
    lift_emit(l, UOP_movi, t + 1, 0, 0, 0, 0);
    return t;
}

LIFT(amocas_q)
{
    uint8_t expected = pair(l, in->rd), desired = pair(l, in->rs2);
    lift_emit(l, UOP_cas_128, expected, in->rs1, expected, desired, 0);
}

/* Orders a store before a load only when the predecessor set has writes and the successor set reads;
 * fence.tso never does ("Memory Ordering Instructions"). Device accesses count as memory's. */
LIFT(fence)
{
    unsigned fm = in->imm >> 8 & 15, pred = in->imm >> 4 & 15, succ = in->imm & 15;
    bool tso = fm == 8 && pred == 3 && succ == 3;
    bool before_w = pred & 5, after_r = succ & 10;
    lift_emit(l, UOP_fence, 0, 0, 0, 0, before_w && after_r && !tso);
}

LIFT(cbo_zero)
{
    uint8_t base = emit_i(l, UOP_and_64_i, in->rs1, -RV64_CBOZ_BLOCK);
    for (int off = 0; off < RV64_CBOZ_BLOCK; off += 8)
        lift_emit(l, UOP_st_64, 0, base, RV64_X0, 0, off);
}

/* ---- Zicsr ---- */

/* The clocks that the vdso reads, by custom read-only CSRs. */
static const uint8_t clocks[] = {CLOCK_REALTIME,
                                 CLOCK_MONOTONIC,
                                 CLOCK_MONOTONIC_RAW,
                                 CLOCK_REALTIME_COARSE,
                                 CLOCK_MONOTONIC_COARSE,
                                 CLOCK_BOOTTIME,
                                 CLOCK_TAI};

static bool csr_known(unsigned csr)
{
    return csr == RV64_CSR_FFLAGS || csr == RV64_CSR_FRM || csr == RV64_CSR_FCSR ||
           csr == RV64_CSR_CYCLE || csr == RV64_CSR_TIME || csr == RV64_CSR_INSTRET ||
           (csr >= RV64_CSR_CLOCK && csr < RV64_CSR_CLOCK + sizeof clocks);
}

static void csr_read(struct lift *l, unsigned csr, uint8_t t)
{
    if (csr == RV64_CSR_FFLAGS) {
        lift_emit(l, UOP_fp_getflags, t, 0, 0, 0, 0);
    } else if (csr == RV64_CSR_FRM) {
        lift_emit(l, UOP_mov_64, t, RV64_FRM, 0, 0, 0);
    } else if (csr == RV64_CSR_FCSR) {
        uint8_t flags = lift_temp(l);
        lift_emit(l, UOP_fp_getflags, flags, 0, 0, 0, 0);
        lift_emit(l, UOP_or_64, t, flags, emit_i(l, UOP_shl_64_i, RV64_FRM, 5), 0, 0);
    } else if (csr >= RV64_CSR_CLOCK && csr < RV64_CSR_CLOCK + sizeof clocks) {
        lift_emit(l, UOP_rdtime, t, 0, 0, 0, clocks[csr - RV64_CSR_CLOCK]);
    } else { /* a machine of one cycle and one instruction a tick */
        lift_emit(l, UOP_rdtime, t, 0, 0, 0, CLOCK_MONOTONIC);
    }
}

static void csr_write(struct lift *l, unsigned csr, uint8_t value)
{
    if (csr != RV64_CSR_FRM)
        lift_emit(l, UOP_fp_setflags, 0, emit_i(l, UOP_and_64_i, value, 0x1f), 0, 0, 0);
    if (csr == RV64_CSR_FFLAGS)
        return;
    if (csr == RV64_CSR_FCSR)
        value = emit_i(l, UOP_shr_64_i, value, 5);
    lift_emit(l, UOP_and_64_i, RV64_FRM, value, 0, 0, 7);
    lift_emit(l, UOP_fp_setmode, 0, RV64_FRM, 0, 0, 0);
}

static void csr(struct lift *l, const struct rv64_insn *in, enum rv64_csr_op op, bool immediate)
{
    /* Set and clear with x0 or zero do not write; a plain write to x0 does not read. */
    bool writes = op == RV64_CSR_W || in->rs1;
    bool reads = op != RV64_CSR_W || in->rd;
    bool read_only = in->imm >> 10 == 3;
    if (!csr_known(in->imm) || (writes && read_only)) {
        rv64_emit_illegal(l);
        return;
    }
    uint8_t old = lift_temp(l);
    if (reads)
        csr_read(l, in->imm, old);
    if (writes) {
        uint8_t value = in->rs1;
        if (immediate) {
            value = lift_temp(l);
            lift_emit(l, UOP_movi, value, 0, 0, 0, in->rs1);
        }
        if (op == RV64_CSR_S)
            value = emit2(l, UOP_or_64, old, value);
        else if (op == RV64_CSR_C)
            value = emit2(l, UOP_andn_64, old, value);
        csr_write(l, in->imm, value);
    }
    if (in->rd)
        lift_emit(l, UOP_mov_64, in->rd, old, 0, 0, 0);
}

LIFT(csr)
{
    csr(l, in, arg, false);
}

LIFT(csri)
{
    csr(l, in, arg, true);
}

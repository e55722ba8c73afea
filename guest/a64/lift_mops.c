/* guest/a64/lift_mops.c: from decoded instructions to micro-ops: memory copy and set (FEAT_MOPS).
 *
 * Owns: the meaning of the CPY and SET rows of a64.decode, and what Linux does when a main or epilogue instruction finds registers
 * that are not what its prologue left.
 *
 * Which part of the work each instruction of a sequence does is the implementation's choice. Here the prologue does what
 * is left of a page, the main instruction whole pages, the epilogue the rest, in steps that end at page boundaries (what is
 * short and lies in a page by copy_short or fill_short, which translated code has in place): one
 * micro-op, with the registers brought up to date behind it, and a branch to the instruction itself while something is left. So
 * faults and signals find the registers as the architecture has them in the middle of the work. When nothing is left behind
 * the prologue the rest of a sequence is passed over (a64_lift_bulk_rest). Registers are in the
 * manual's "option A" (DDI 0487, C3.2.17): the size is negative and addresses are ends, or positive with addresses that are
 * beginnings for a copy from the end. The peer emulator has chosen the same, so results are comparable at every instruction.
 *
 * The options of accesses (unprivileged, non-temporal) change nothing for user space.
 *
 * Threading: lifters work on the caller's struct lift only, a64_emulate on its cpu.
 */
#include "guest/a64/lift.h"
#include <string.h>

enum stage { PROLOGUE, MAIN, EPILOGUE };

/* Bits 23 and 22 of copies are the stage, and 3 for sets, whose stage is in bits 15 and 14. */
static bool is_set(uint32_t word)
{
    return A64_BITS(word, 23, 22) == 3;
}
static enum stage stage_of(uint32_t word)
{
    return is_set(word) ? A64_BITS(word, 15, 14) : A64_BITS(word, 23, 22);
}

bool a64_bulk_registers(uint32_t word)
{
    unsigned d = A64_BITS(word, 4, 0), n = A64_BITS(word, 9, 5), s = A64_BITS(word, 20, 16);
    return s != n && s != d && n != d && d != 31 && n != 31 && (s != 31 || is_set(word));
}

/* What main instruction and epilogue take from the registers: undefined when something is left and the flags are not option A's, or
 * when the epilogue is to do a page or more. */
static void check(struct lift *l, const struct a64_insn *in, enum stage stage)
{
    uint8_t option_b = emit2(l, UOP_and_64, a64_cond(l, 2), emit_i(l, UOP_set_ne_i, in->rn, 0));
    if (stage == EPILOGUE) {
        uint8_t biased = emit_i(l, UOP_add_64_i, in->rn, UOP_PAGE - 1);
        uint8_t much = emit_i(l, UOP_set_geu_i, biased, 2 * UOP_PAGE - 1);
        option_b = emit2(l, UOP_or_64, option_b, much);
    }
    lift_emit(l, UOP_undefined_if, 0, option_b, 0, 0, 0);
}

/* A step of main instruction or epilogue, and again. */
static void go_on(struct lift *l, const struct a64_insn *in, enum stage stage, enum uop_code step,
                  enum uop_code page, uint8_t from)
{
    check(l, in, stage);
    lift_emit(l, stage == MAIN ? page : step, in->rn, in->rd, from, in->rn, 0);
    if (stage == MAIN) {
        uint8_t biased = emit_i(l, UOP_add_64_i, in->rn, UOP_PAGE - 1);
        lift_emit(l, UOP_br_geu, 0, biased, emit_const(l, 2 * UOP_PAGE - 1), 0, (int64_t)l->pc);
    } else {
        lift_emit(l, UOP_br_ne, 0, in->rn, A64_XZR, 0, (int64_t)l->pc);
    }
}

/* A prologue's step, and its results; from: 32 for none. */
static void begin(struct lift *l, const struct a64_insn *in, enum uop_code step, uint8_t to,
                  uint8_t from, uint8_t left)
{
    bool copy = step == UOP_copy_step;
    uint8_t source = copy ? lift_untagged(l, from) : from;
    lift_emit(l, step, in->rn, to, source, left, 0);
    emit_to(l, in->rd, UOP_mov_64, to, 0);
    if (copy)
        emit_to(l, in->rm, UOP_mov_64, from, 0);
    emit_to(l, A64_NZCV, UOP_movi, 0, (int64_t)uop_flags(false, false, false, false));
}

/* Forward: up to 2^63 - 1 bytes. In both directions: 2^55 - 1, backwards when the destination begins within the source, tags aside. */
LIFT(cpy)
{
    enum stage stage = stage_of(in->word);
    if (!a64_bulk_registers(in->word)) {
        a64_emit_illegal(l);
        return;
    }
    if (stage != PROLOGUE) {
        go_on(l, in, stage, UOP_copy_step, UOP_copy_page, lift_untagged(l, in->rm));
        return;
    }
    bool both = W(26, 26);
    uint8_t most = emit_const(l, both ? UINT64_MAX >> 9 : INT64_MAX);
    uint8_t size = emit2(l, UOP_min_u64, in->rn, most);
    uint8_t rest = emit3(l, UOP_copy_short, in->rd, lift_untagged(l, in->rm), size);
    uint8_t left = emit2(l, UOP_sub_64, A64_XZR, rest), by = size;
    if (both) {
        uint8_t source = emit_i(l, UOP_shl_64_i, in->rm, 8);
        uint8_t to = emit_i(l, UOP_shl_64_i, in->rd, 8);
        uint8_t end = emit_i(l, UOP_shl_64_i, emit2(l, UOP_add_64, in->rm, size), 8);
        uint8_t back =
            emit2(l, UOP_and_64, emit2(l, UOP_set_ltu, source, to), emit2(l, UOP_set_ltu, to, end));
        left = emit3(l, UOP_sel, back, rest, left);
        by = emit3(l, UOP_sel, back, A64_XZR, size);
    }
    begin(l, in, UOP_copy_step, emit2(l, UOP_add_64, in->rd, by), emit2(l, UOP_add_64, in->rm, by),
          left);
}

LIFT(set)
{
    enum stage stage = stage_of(in->word);
    if (!a64_bulk_registers(in->word)) {
        a64_emit_illegal(l);
        return;
    }
    if (stage != PROLOGUE) {
        go_on(l, in, stage, UOP_fill_step, UOP_fill_page, a64_x(in->rm));
        return;
    }
    uint8_t size = emit2(l, UOP_min_u64, in->rn, emit_const(l, INT64_MAX));
    uint8_t rest = emit3(l, UOP_fill_short, in->rd, a64_x(in->rm), size);
    begin(l, in, UOP_fill_step, emit2(l, UOP_add_64, in->rd, size), a64_x(in->rm),
          emit2(l, UOP_sub_64, A64_XZR, rest));
}

void a64_lift_bulk_rest(struct lift *l, const struct a64_insn *in, const uint8_t *code,
                        size_t avail)
{
    a64_lifter *row = a64_rows[in->row].lift;
    if ((row != a64_lift_cpy && row != a64_lift_set) || l->ended || l->alone || avail < 12 ||
        stage_of(in->word) != PROLOGUE)
        return;
    uint32_t next = UINT32_C(1) << (is_set(in->word) ? 14 : 22), words[2];
    memcpy(words, code + 4, sizeof words);
    if (words[0] != in->word + next || words[1] != in->word + 2 * next)
        return;
    l->next_pc = l->pc + 12;
    lift_emit(l, UOP_br_ne, 0, in->rn, A64_XZR, 0, (int64_t)l->pc + 4);
}

/* A main instruction or epilogue whose registers are not right: Linux makes them again what a prologue takes, and goes back to that
 * (arm64_mops_reset_regs, arch/arm64/include/asm/traps.h of Linux 6.12, by the manual's rules CNTMJ and MWFQH). Nothing
 * else that is undefined is emulated. */
bool a64_emulate(struct cpu *cpu, const uint8_t code[4])
{
    struct a64_insn in;
    uint32_t w = code[0] | code[1] << 8 | code[2] << 16 | (uint32_t)code[3] << 24;
    if (!a64_decode32(w, &in) || !a64_bulk_registers(w) || stage_of(w) == PROLOGUE)
        return false;
    bool set = a64_rows[in.row].lift == a64_lift_set;
    if (!set && a64_rows[in.row].lift != a64_lift_cpy)
        return false;
    uint64_t flags = uop_flags_nzcv(cpu->r[A64_NZCV]), size = cpu->r[in.rn];
    bool option_b = flags & 2;
    if (!option_b && (set || size >> 63)) {
        cpu->r[in.rd] += size;
        if (!set)
            cpu->r[in.rm] += size;
        cpu->r[in.rn] = -size;
    } else if (option_b && !set && flags & 8) {
        cpu->r[in.rd] -= size;
        cpu->r[in.rm] -= size;
    }
    cpu->r[A64_PC] -= stage_of(w) == MAIN ? 4 : 8;
    return true;
}

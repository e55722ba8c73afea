/* guest/lift.c: lifting of one basic block, driven over a guest's lift function.
 *
 * Owns: the limits of a block and the emitting functions.
 *
 * Threading: everything lives in the caller's struct lift; nothing is shared.
 */
#include "guest/lift.h"
#include "base/report.h"
#include <stdio.h>
#include <string.h>

/* A block is closed before an instruction that might not fit any more; the jmp of a limit needs one
 * more micro-op. */
#define LIFT_MAX_UOPS_PER_INSN 200

/* A lifter's own fault: the micro-ops would be wrong, so nothing may run. */
static _Noreturn void lift_bug(const struct lift *l, const char *what)
{
    vm_bug("%s lifter at 0x%llx: %s", l->guest->name, (unsigned long long)l->pc, what);
}

uint8_t lift_temp(struct lift *l)
{
    if (l->temps >= CPU_TEMPS)
        lift_bug(l, "out of temporaries");
    return CPU_TEMP_BASE + l->temps++;
}

uint8_t lift_vtemp(struct lift *l)
{
    l->temps = (l->temps + 1) & ~1u;
    if (l->temps + 2 > CPU_TEMPS)
        lift_bug(l, "out of temporaries");
    uint8_t t = CPU_TEMP_BASE + l->temps;
    l->temps += 2;
    return t;
}

/* The unit that an access's address is in, without bits 63 to 56; but with bit 55 set it stays as it is, a bad address: an
 * address and its sign extension from bit 55. The displacement comes after: it cannot bring a tag back but from within
 * a page of 0, or of 2^55. */
static uint8_t untagged(struct lift *l, uint8_t base)
{
    if (l->tagged != base || !l->untagged) {
        uint8_t t = lift_temp(l);
        l->untagged = lift_temp(l);
        l->tagged = base;
        lift_emit(l, UOP_shl_64_i, t, base, 0, 0, 8);
        lift_emit(l, UOP_sar_64_i, l->untagged, t, 0, 0, 8);
        lift_emit(l, UOP_and_64, l->untagged, base, l->untagged, 0, 0);
    }
    return l->untagged;
}

uint8_t lift_untagged(struct lift *l, uint8_t base)
{
    return l->untag ? untagged(l, base) : base;
}

void lift_stack_base(struct lift *l, uint8_t base)
{
    if (!l->odd_stack || base != l->guest->sp_slot || l->stack_checked)
        return;
    l->stack_checked = true;
    uint8_t t = lift_temp(l);
    lift_emit(l, UOP_movi, t, 0, 0, 0, l->guest->stack_align - 1);
    lift_emit(l, UOP_align, 0, base, t, 0, 0);
}

void lift_new_stack(struct lift *l, uint8_t v)
{
    if (l->odd_stack)
        return;
    uint8_t t = lift_temp(l);
    lift_emit(l, UOP_and_64_i, t, v, 0, 0, l->guest->stack_align - 1);
    lift_emit(l, UOP_relift_if, 0, t, 0, 0, 0);
}

void lift_emit(struct lift *l, enum uop_code op, uint8_t d, uint8_t a, uint8_t b, uint8_t c,
               int64_t imm)
{
    if (uop_info[op].flags & (UOP_F_LOAD | UOP_F_STORE)) {
        lift_stack_base(l, a);
        if (l->untag)
            a = untagged(l, a);
    }
    if (l->nuops >= BLOCK_MAX_UOPS)
        lift_bug(l, "an instruction with too many micro-ops");
    if (l->ended)
        lift_bug(l, "a micro-op after the terminator");
    l->uops[l->nuops++] = (struct uop){.op = op, .d = d, .a = a, .b = b, .c = c, .imm = imm};
    if (uop_info[op].flags & UOP_F_TERM)
        l->ended = true;
}

/* What block_verify cannot know: the guest's zero slot is never written. */
static void check_block(const struct lift *l, const struct block *b)
{
    unsigned where;
    const char *wrong = block_verify(b, l->guest->nslots, &where);
    for (unsigned i = 0; !wrong && i < b->nuops; i++)
        if (uop_info[b->uops[i].op].d != UOP_K_N && l->guest->zero_slot != GUEST_NO_SLOT &&
            b->uops[i].d == l->guest->zero_slot) {
            wrong = "writes the zero slot";
            where = i;
        }
    if (wrong) {
        char text[16384];
        block_print(text, sizeof text, b, l->guest->slot_name);
        fprintf(stderr, "%smicro-op %u: ", text, where);
        lift_bug(l, wrong);
    }
}

struct block *lift_block_as(const struct guest *g, uint64_t pc, const uint8_t *code, size_t avail,
                            unsigned max_insns, unsigned how)
{
    struct lift l;
    bool checked = how & LIFT_CHECKED;
    l.guest = g;
    l.alone = max_insns == 1;
    l.untag = how & LIFT_UNTAG;
    l.odd_stack = how & LIFT_STACK && g->stack_align;
    l.block_pc = l.pc = pc;
    l.next_pc = pc;
    l.nuops = l.ninsns = 0;
    l.ended = false;
    if (checked)
        lift_emit(&l, UOP_check_code, 0, 0, 0, 0, 0);
    if (max_insns == 0 || max_insns > BLOCK_MAX_INSNS)
        max_insns = BLOCK_MAX_INSNS;

    size_t off = 0;
    while (!l.ended && l.ninsns < max_insns && l.nuops + LIFT_MAX_UOPS_PER_INSN < BLOCK_MAX_UOPS) {
        unsigned first = l.nuops;
        l.pc = pc + off;
        l.temps = 0;
        l.untagged = 0;
        l.stack_checked = false;
        unsigned n = g->lift(&l, code + off, avail - off);
        if (n == 0) {
            l.nuops = first;
            break;
        }
        if (n > avail - off)
            lift_bug(&l, "an instruction longer than the bytes given");
        l.map[l.ninsns++] = (struct insn_map){.uop = off ? first : 0, .pcoff = off};
        off += n;
    }
    if (l.ninsns == 0)
        return NULL;
    if (!l.ended)
        lift_emit(&l, UOP_jmp, 0, 0, 0, JUMP_PLAIN, (int64_t)(pc + off));

    struct block *b =
        checked ? block_new_checked(l.nuops, l.ninsns, code, off) : block_new(l.nuops, l.ninsns);
    b->pc = pc;
    b->len = off;
    memcpy(b->uops, l.uops, l.nuops * sizeof(struct uop));
    memcpy(b->map, l.map, l.ninsns * sizeof(struct insn_map));
    for (unsigned i = 0; i < l.nuops; i++)
        if (uop_info[l.uops[i].op].flags & UOP_F_FPENV)
            b->flags |= BLOCK_FP;
#ifdef DRAGOMAN_DEBUG
    check_block(&l, b);
#else
    (void)check_block;
#endif
    return b;
}

struct block *lift_block(const struct guest *g, uint64_t pc, const uint8_t *code, size_t avail,
                         unsigned max_insns)
{
    return lift_block_as(g, pc, code, avail, max_insns, 0);
}

struct block *lift_exit(const struct guest *g, uint64_t pc, enum exit_reason reason)
{
    struct block *b = block_new(1, 1);
    b->pc = pc;
    b->len = g->insn_align;
    b->uops[0] = (struct uop){.op = UOP_exit, .imm = reason};
    b->map[0] = (struct insn_map){.uop = 0, .pcoff = 0};
    return b;
}

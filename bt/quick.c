/* The short way to code of level 1: micro-ops to host instructions one by one, with no SSA and no allocation.
 *
 * Owns: the making of a region in which every slot stays in its canonical place, its home register or the cpu, from each
 * guest instruction to the next, and every temporary has its own unit of the cpu. So places need no
 * choosing, nothing is written back at exits and rows of the side table say a pc and no more. Emission is that of the
 * long way: it asks for a value's place and does not care that several values share one.
 *
 * Such code is for blocks that run some dozen to some thousand times: making it takes a third of the time of the long
 * way's, and most code of a program that has just been started never becomes hotter.
 *
 * Values: one per micro-op with a result, one BT_ENTRY per slot that is read, which stands for whatever the slot
 * holds at that moment. Passes of the long way must not see such a region.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/quick.h"
#include "bt/build.h"
#include "codecache/blocks.h"
#include <string.h>

/* Blocks of a unit: what follows without a choice, or when a call returns. */
#define QUICK_BLOCKS 4

/* A unit of the cpu that no lifter's temporary reaches. */
#define SPARE_UNIT (CPU_UNITS - 1)

/* Registers for temporaries. */
#define TEMP_REGISTERS 2

struct quick {
    struct bt_region *r;
    struct bt_alloc *alloc;
    const struct x64_homes *homes;
    uint32_t zero;                       /* the constant, when asked for */
    uint32_t temps[CPU_TEMPS];           /* values of temporaries, in the current instruction */
    unsigned busy_until[TEMP_REGISTERS]; /* the micro-op that reads a register's temporary last */
};

/* Is the operand part of a vector register? These are values of 128 bits, which a slot's place does not say. */
static bool in_vector(const struct guest *g, uint8_t kind, unsigned unit)
{
    return kind == UOP_K_V || kind == UOP_K_P ||
           (kind != UOP_K_N && unit < CPU_TEMP_BASE && guest_vector_slot(g, unit));
}

/* Possible? */
static bool suits(const struct guest *g, const struct block *b)
{
    for (unsigned i = 0; i < b->nuops; i++) {
        const struct uop *u = &b->uops[i];
        const struct uop_info *info = &uop_info[u->op];
        if (in_vector(g, info->d, u->d) || in_vector(g, info->a, u->a) ||
            in_vector(g, info->b, u->b) || in_vector(g, info->c, u->c))
            return false;
        if (info->d != UOP_K_N && u->d == SPARE_UNIT)
            return false;
    }
    return !bt_cannot(g, b);
}

/* ---- which blocks ---- */

static bool is_call(const struct block *b)
{
    const struct uop *t = &b->uops[b->nuops - 1];
    return (t->op == UOP_jmp || t->op == UOP_jmp_ind) && t->c == JUMP_CALL;
}

/* What a jump leads to, or a call returns to. */
static struct block *follower(struct cpu *cpu, const struct block *b)
{
    const struct uop *t = &b->uops[b->nuops - 1];
    bool call = is_call(b);
    if (t->op != UOP_jmp && !call)
        return NULL;
    uint64_t pc = call ? b->pc + b->len : (uint64_t)t->imm;
    struct block *to = call ? NULL : __atomic_load_n(&b->succ[0], __ATOMIC_ACQUIRE);
    if (!to)
        to = cc_lookup(cpu, pc);
    return to && to->pc == pc && !(to->flags & BLOCK_DEAD) && !to->code ? to : NULL;
}

static uint32_t in_region(const struct bt_region *r, uint64_t pc)
{
    for (uint32_t i = 1; i < r->nblocks; i++)
        if (r->blocks[i].pc == pc)
            return i;
    return BT_EXIT_EDGE;
}

static void choose(struct bt_region *r, struct block *head)
{
    r->blocks = arena_znew(r->arena, struct bt_block, QUICK_BLOCKS + 1);
    r->blocks[0].pc = head->pc;
    r->nblocks = 1;
    for (struct block *b = head; b && r->nblocks <= QUICK_BLOCKS; b = follower(r->cpu, b)) {
        if (in_region(r, b->pc) != BT_EXIT_EDGE || (b != head && !suits(r->guest, b)))
            break;
        r->blocks[r->nblocks].pc = b->pc;
        r->blocks[r->nblocks].guest = b;
        if (r->nblocks > 1 && is_call(r->blocks[r->nblocks - 1].guest))
            r->blocks[r->nblocks - 1].back = r->nblocks;
        r->nblocks++;
        r->ninsns += b->ninsns;
    }
}

static void connect(struct bt_region *r)
{
    r->blocks[0].nsuccs = 1;
    r->blocks[0].succ[0] = (struct bt_edge){.to = 1, .pc = r->pc};
    for (uint32_t i = 1; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        const struct block *g = b->guest;
        const struct uop *t = &g->uops[g->nuops - 1];
        if (uop_info[t->op].flags & UOP_F_BRANCH) {
            b->nsuccs = 2;
            b->succ[0].pc = g->pc + g->len;
            b->succ[1].pc = (uint64_t)t->imm;
        } else if (t->op == UOP_jmp) {
            b->nsuccs = 1;
            b->succ[0].pc = (uint64_t)t->imm;
        }
        for (uint32_t e = 0; e < b->nsuccs; e++)
            b->succ[e].to = is_call(g) ? BT_EXIT_EDGE : in_region(r, b->succ[e].pc);
    }
}

/* ---- values ---- */

static uint32_t new_value(struct quick *q, const struct bt_op *o, struct bt_loc loc)
{
    uint32_t v = q->r->nops++;
    q->r->ops[v] = *o;
    q->r->ops[v].uses = 2; /* never "only used there": the slot is written all the same */
    q->alloc->loc[v] = loc;
    return v;
}

static uint32_t read_unit(struct quick *q, unsigned unit)
{
    struct bt_region *r = q->r;
    if (unit >= CPU_TEMP_BASE) {
        uint32_t v = q->temps[unit - CPU_TEMP_BASE];
        r->ops[v].uses++;
        return v;
    }
    if (!r->entry[unit])
        r->entry[unit] =
            new_value(q, &(struct bt_op){.op = BT_ENTRY, .kind = UOP_K_I, .slot = (uint8_t)unit},
                      bt_canonical(q->homes, unit));
    return r->entry[unit];
}

/* An operand for which a constant is as good as a register. */
static uint32_t read_or_zero(struct quick *q, unsigned unit)
{
    if (unit != q->r->guest->zero_slot)
        return read_unit(q, unit);
    if (!q->zero)
        q->zero = new_value(q, &(struct bt_op){.op = BT_CONST, .kind = UOP_K_I, .slot = BT_NO_SLOT},
                            (struct bt_loc){BT_IMM, 0});
    return q->zero;
}

static uint32_t snapshot(struct quick *q, uint64_t pc)
{
    struct bt_region *r = q->r;
    if (r->nsnaps == 1 || r->snaps[r->nsnaps - 1].pc != pc)
        r->snaps[r->nsnaps++] = (struct bt_snap){.pc = pc};
    return r->nsnaps - 1;
}

static bool reads(const struct uop *u, unsigned unit)
{
    const struct uop_info *info = &uop_info[u->op];
    return (info->a != UOP_K_N && u->a == unit) || (info->b != UOP_K_N && u->b == unit) ||
           (info->c != UOP_K_N && u->c == unit);
}

/* Where the temporary that micro-op i makes lies: in a register that is scratch between guest instructions if no operation up to
 * the last that reads it, `end` being the instruction's, wants that for itself. */
static struct bt_loc place_of_temp(struct quick *q, const struct block *g, unsigned i, unsigned end)
{
    static const uint8_t registers[TEMP_REGISTERS] = {RDX, RCX};
    const struct uop *u = &g->uops[i];
    bool taken[TEMP_REGISTERS] = {0};
    unsigned last = i;
    for (unsigned k = i + 1; k < end; k++) {
        if (reads(&g->uops[k], u->d))
            last = k;
        if (uop_info[g->uops[k].op].d != UOP_K_N && g->uops[k].d == u->d)
            break;
    }
    for (unsigned k = i; k <= last; k++) {
        struct bt_scratch s = bt_scratch(&(struct bt_op){.op = g->uops[k].op}, false);
        taken[0] |= s.rdx;
        taken[1] |= s.rcx;
    }
    for (unsigned n = 0; n < TEMP_REGISTERS; n++) {
        if (taken[n] || q->busy_until[n] > i)
            continue;
        q->busy_until[n] = last;
        return (struct bt_loc){BT_GPR, registers[n]};
    }
    return (struct bt_loc){BT_UNIT, u->d};
}

/* Where a result is made. */
static struct bt_loc place_of_result(struct quick *q, const struct block *g, unsigned i,
                                     unsigned end)
{
    const struct uop *u = &g->uops[i];
    if (u->d < CPU_TEMP_BASE)
        return bt_canonical(q->homes, u->d);
    if (uop_info[u->op].d == UOP_K_I)
        return place_of_temp(q, g, i, end);
    return (struct bt_loc){BT_UNIT, u->d};
}

static bool same(struct bt_loc a, struct bt_loc b)
{
    return a.place == b.place && a.n == b.n;
}

static void append(struct bt_block *b, uint32_t v)
{
    b->ops[b->nops++] = v;
}

/* Micro-op i of a guest instruction at pc whose micro-ops end before `end`. */
static void build_op(struct quick *q, uint32_t block, unsigned i, unsigned end, uint64_t pc)
{
    struct bt_region *r = q->r;
    struct bt_block *b = &r->blocks[block];
    const struct uop *u = &b->guest->uops[i];
    const struct uop_info *info = &uop_info[u->op];
    struct bt_op o = {
        .op = u->op, .kind = info->d, .slot = BT_NO_SLOT, .imm = u->imm, .block = block};
    bool constants =
        info->flags & (UOP_F_BRANCH | UOP_F_STORE) && !(info->flags & (UOP_F_ATOMIC | UOP_F_BULK));
    if (info->a != UOP_K_N)
        o.a = info->flags & UOP_F_BRANCH ? read_or_zero(q, u->a) : read_unit(q, u->a);
    if (info->b != UOP_K_N)
        o.b = constants ? read_or_zero(q, u->b) : read_unit(q, u->b);
    if (info->c != UOP_K_N)
        o.c = read_unit(q, u->c);
    if (info->flags & UOP_F_TERM)
        o.c = u->c;
    if (info->flags & (UOP_F_LOAD | UOP_F_STORE) || u->op == UOP_exit || u->op == UOP_jmp_ind)
        o.snap = snapshot(q, pc);
    for (uint32_t e = 0; info->flags & UOP_F_TERM && e < b->nsuccs; e++) {
        if (b->succ[e].to == BT_EXIT_EDGE)
            b->succ[e].snap = snapshot(q, b->succ[e].pc);
        else if (b->succ[e].to <= block) /* a back edge polls before it is taken, as in bt/ssa.c */
            o.snap = snapshot(q, u->op == UOP_jmp ? (uint64_t)u->imm : pc);
    }
    struct bt_loc to = {BT_NOWHERE, 0};
    if (info->d != UOP_K_N) {
        to = place_of_result(q, b->guest, i, end);
        o.slot = u->d < CPU_TEMP_BASE ? u->d : BT_NO_SLOT;
    }
    uint32_t v = new_value(q, &o, to);
    append(b, v);
    if (info->d == UOP_K_N)
        return;
    if (u->d >= CPU_TEMP_BASE) {
        q->temps[u->d - CPU_TEMP_BASE] = v;
        q->r->ops[v].uses = 0;
    }
    if (bt_early_result(r, &o) &&
        ((info->a && same(q->alloc->loc[o.a], to)) || (info->b && same(q->alloc->loc[o.b], to)) ||
         (info->c && same(q->alloc->loc[o.c], to)))) {
        /* Made aside, then moved. */
        q->alloc->loc[v] = (struct bt_loc){BT_UNIT, SPARE_UNIT};
        o = (struct bt_op){
            .op = UOP_mov_64, .kind = o.kind, .slot = o.slot, .a = v, .block = block};
        append(b, new_value(q, &o, to));
    }
}

static void build(struct quick *q)
{
    struct bt_region *r = q->r;
    r->blocks[0].ops = arena_new(r->arena, uint32_t, 1);
    append(&r->blocks[0],
           new_value(q, &(struct bt_op){.op = UOP_jmp, .slot = BT_NO_SLOT, .imm = (int64_t)r->pc},
                     (struct bt_loc){BT_NOWHERE, 0}));
    for (uint32_t i = 1; i < r->nblocks; i++) {
        const struct block *g = r->blocks[i].guest;
        r->blocks[i].ops = arena_new(r->arena, uint32_t, 2 * g->nuops);
        for (unsigned n = 0, k = 0; n < g->ninsns; n++) {
            unsigned end = n + 1 < g->ninsns ? g->map[n + 1].uop : g->nuops;
            memset(q->busy_until, 0, sizeof q->busy_until);
            for (; k < end; k++)
                build_op(q, i, k, end, g->pc + g->map[n].pcoff);
        }
        bt_take_flags(r, g);
    }
}

struct bt_region *bt_quick(struct arena *arena, struct cpu *cpu, struct block *head,
                           const struct x64_homes *homes, struct bt_alloc *alloc)
{
    if (!suits(cpu->guest, head))
        return NULL;
    struct bt_region *r = arena_znew(arena, struct bt_region, 1);
    struct quick q = {.r = r, .alloc = alloc, .homes = homes};
    *r = (struct bt_region){.arena = arena,
                            .cpu = cpu,
                            .guest = cpu->guest,
                            .pc = head->pc,
                            .level = 1,
                            .in_place = true,
                            .nops = 1,
                            .nsnaps = 1};
    choose(r, head);
    connect(r);
    /* A result moved aside makes two of one, each operand may be the first read of its slot. */
    uint32_t nuops = 0;
    for (uint32_t i = 1; i < r->nblocks; i++)
        nuops += r->blocks[i].guest->nuops;
    r->ops_cap = 2 * nuops + (nuops * 3 < cpu->guest->nslots ? nuops * 3 : cpu->guest->nslots) + 3;
    r->snaps_cap = 3 * nuops + 1;
    r->ops = arena_new(arena, struct bt_op, r->ops_cap);
    r->ops[0] = (struct bt_op){.op = BT_DEAD};
    r->snaps = arena_new(arena, struct bt_snap, r->snaps_cap);
    r->snaps[0] = (struct bt_snap){0};
    r->entry = arena_znew(arena, uint32_t, CPU_TEMP_BASE);
    *alloc = (struct bt_alloc){.loc = arena_new(arena, struct bt_loc, r->ops_cap)};
    build(&q);
    return r;
}

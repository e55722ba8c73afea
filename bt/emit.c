/* Emission: the frame of a unit's code. Blocks and their edges, exits.
 *
 * Blocks are emitted in layout order, each operation by the emitter of its kind (emit_integer.c, emit_memory.c,
 * emit_float.c). What is rare is collected as cold pieces and emitted behind the last block.
 *
 * Threading: see bt/ir.h.
 */
#include "base/bitset.h"
#include "base/report.h"
#include "bt/emit_int.h"
#include <stdlib.h>
#include <string.h>

/* ---- growing arrays ---- */

struct bt_loc bt_canonical(const struct x64_homes *homes, unsigned slot)
{
    unsigned r = homes->reg_of[slot];
    if (r == X64_NO_REG)
        return (struct bt_loc){BT_UNIT, (uint8_t)slot};
    return r < 16 ? (struct bt_loc){BT_GPR, (uint8_t)r}
                  : (struct bt_loc){BT_XMM, (uint8_t)(r - 16)};
}

/* ---- exits, cold pieces ---- */

unsigned bt_later(struct bt_emitter *m, struct bt_cold c)
{
    m->cold = bt_grown(m, m->cold, m->ncold, &m->cold_cap, sizeof(*m->cold));
    c.label = x64_label(&m->e);
    c.pos = m->pos;
    c.op = m->op;
    m->cold[m->ncold++] = c;
    return c.label;
}

/* Leave with the state canonical: the guest pc and the reason. */
static void emit_exit(struct bt_emitter *m, uint64_t pc, enum exit_reason reason)
{
    struct bt_move set = {{BT_UNIT, m->r->guest->pc_slot}, {BT_IMM, 0}, pc, UOP_K_I};
    bt_move_one(m, &set);
    x64_mov_ri(&m->e, RAX, reason);
    x64_jmp_ext(&m->e, X64_STUB_EXIT);
}

/* EXIT_PROMOTE says which unit. */
static void emit_head_pc(struct bt_emitter *m)
{
    x64_mov_mi(&m->e, 4, X64_CPU(exit_arg), (int32_t)m->r->pc);
    x64_mov_mi(&m->e, 4, x64_mem(RBP, (int32_t)offsetof(struct cpu, exit_arg) + 4 - X64_CPU_BIAS),
               (int32_t)(m->r->pc >> 32));
}

static void cold_exit(struct bt_emitter *m, const struct bt_cold *c)
{
    bt_write_back(m, c->v);
    if (c->x == EXIT_PROMOTE)
        emit_head_pc(m);
    emit_exit(m, m->r->snaps[c->v].pc, (enum exit_reason)c->x);
}

unsigned bt_leave(struct bt_emitter *m, uint32_t snap, enum exit_reason reason)
{
    return bt_later(m, (struct bt_cold){.emit = cold_exit, .v = snap, .x = reason});
}

/* The stub behind a link's field: x is the link. */
static void cold_link_stub(struct bt_emitter *m, const struct bt_cold *c)
{
    struct link *l = &m->out->links[c->x];
    l->stub = x64_offset(&m->e);
    x64_call_ext(&m->e, X64_STUB_LINK);
}

static struct link *new_link(struct bt_emitter *m, uint64_t pc, uint8_t jump, unsigned *stub)
{
    struct bt_code *c = m->out;
    c->links = bt_grown(m, c->links, c->nlinks, &m->links_cap, sizeof(*c->links));
    *stub = bt_later(m, (struct bt_cold){.emit = cold_link_stub, .x = c->nlinks});
    c->links[c->nlinks] = (struct link){.pc = pc, .jump = jump};
    return &c->links[c->nlinks++];
}

static void emit_link(struct bt_emitter *m, uint64_t pc, uint8_t jump)
{
    unsigned stub;
    struct link *l = new_link(m, pc, jump, &stub);
    l->field = jump == JUMP_CALL ? x64_call_patch(&m->e, stub) : x64_jmp_patch(&m->e, stub);
}

/* ---- calls and returns: frames, see host/x64/stubs.h ---- */

/* The upper half of a call's frame. Clobbers rax. */
static void push_pc(struct bt_emitter *m, uint64_t pc)
{
    if ((int64_t)pc == (int32_t)pc) {
        x64_push_i(&m->e, (int32_t)pc);
    } else {
        x64_mov_ri(&m->e, RAX, pc);
        x64_push(&m->e, RAX);
    }
}

/* The same for the call that ends the block: where it returns to. */
static uint64_t push_return(struct bt_emitter *m, uint32_t block)
{
    const struct block *g = m->r->blocks[block].guest;
    push_pc(m, g->pc + g->len);
    return g->pc + g->len;
}

/* Where the host return leads: the frame's upper half goes, and the guest goes on, in block `back` or outside. */
static void emit_return_point(struct bt_emitter *m, uint64_t pc, uint32_t back)
{
    x64_lea(&m->e, 8, RSP, x64_mem(RSP, 8));
    if (!back)
        emit_link(m, pc, JUMP_PLAIN);
    else if (back != m->block + 1)
        x64_jmp(&m->e, m->block_label[back]);
}

/* The frames of the calls that the context is made of, which the region has not pushed: so what leaves in the middle of a callee
 * finds its way back as fast as after calls from outside. */
static void push_frames(struct bt_emitter *m, uint32_t context)
{
    const struct bt_context *x = &m->r->contexts[context];
    if (!context)
        return;
    push_frames(m, x->parent);
    unsigned on = x64_label(&m->e);
    push_pc(m, x->pc);
    x64_call(&m->e, on);
    emit_return_point(m, x->pc, 0);
    x64_bind(&m->e, on);
}

/* Leave the region from a block, in its canonical state. */
static void emit_leave(struct bt_emitter *m, uint32_t block, uint64_t pc, uint8_t jump)
{
    push_frames(m, m->r->blocks[block].context);
    if (m->r->looks)
        x64_mask_traps(&m->e, false, m->r->flushes);
    uint64_t back = jump == JUMP_CALL ? push_return(m, block) : 0;
    emit_link(m, pc, jump);
    if (jump == JUMP_CALL)
        emit_return_point(m, back, m->r->blocks[block].back);
}

/* An edge that leaves the region, out of line: v is its block, x the edge. */
static void cold_edge_exit(struct bt_emitter *m, const struct bt_cold *c)
{
    const struct bt_edge *edge = &m->r->blocks[c->v].succ[c->x];
    bt_write_back(m, edge->snap);
    emit_leave(m, c->v, edge->pc, (uint8_t)c->y);
}

/* ---- edges ---- */

/* Room for the moves of an edge: phis, to a register and to a unit each, and values that change their place. */
#define MAX_EDGE_MOVES (CPU_UNITS * 4)

static uint32_t last_position(const struct bt_emitter *m, uint32_t block)
{
    const struct bt_block *b = &m->r->blocks[block];
    return 2 * m->alloc.pos[b->ops[b->nops - 1]];
}

/* v goes on from one place to another; a unit that was written early is right already. */
static unsigned add_move(const struct bt_emitter *m, uint32_t v, uint8_t kind, struct bt_loc to,
                         struct bt_loc from, struct bt_move *moves, unsigned n)
{
    if (bt_same_place(to, from))
        return n;
    moves[n] = (struct bt_move){to, from, bt_imm(m, v), kind};
    return n + 1;
}

static bool written_early(const struct bt_emitter *m, uint32_t v)
{
    return m->alloc.stretch && m->alloc.stretch[v] && bitset_test(m->alloc.early, v);
}

static unsigned phi_moves(const struct bt_emitter *m, uint32_t v, uint32_t arg, uint32_t before,
                          uint32_t behind, struct bt_move *moves, unsigned n)
{
    struct bt_loc to = bt_loc_at(&m->alloc, v, behind), from = bt_loc_at(&m->alloc, arg, before);
    struct bt_loc own = m->alloc.loc[v], source = m->alloc.loc[arg];
    uint8_t kind = bt_slot_kind(m->r, m->r->ops[v].slot, arg);
    bool stored =
        bt_same_place(own, source) && (written_early(m, arg) || m->r->ops[arg].op == BT_ENTRY);
    if (to.place == BT_NOWHERE)
        return n;
    if (written_early(m, v) && to.place != BT_UNIT && !stored)
        n = add_move(m, arg, kind, own, from, moves, n);
    return to.place == BT_UNIT && stored ? n : add_move(m, arg, kind, to, from, moves, n);
}

/* What an edge inside the region moves. */
static unsigned edge_moves(const struct bt_emitter *m, uint32_t from, uint32_t to,
                           struct bt_move *moves)
{
    const struct bt_region *r = m->r;
    const struct bt_block *s = &r->blocks[to];
    if (r->in_place)
        return 0;
    uint32_t before = last_position(m, from), behind = m->alloc.block_from[to];
    unsigned n = 0, p = 0;
    while (s->preds[p] != from)
        p++;
    for (uint32_t k = 0; k < s->nops && r->ops[s->ops[k]].op == BT_PHI; k++)
        n = phi_moves(m, s->ops[k], r->phi_args[r->ops[s->ops[k]].a + p], before, behind, moves, n);
    for (uint32_t k = 0; k < m->alloc.nsplit; k++) {
        uint32_t v = m->alloc.split[k];
        struct bt_loc at = bt_loc_at(&m->alloc, v, behind);
        if (!bitset_test(m->alloc.live_in[to], v) || at.place == BT_IMM ||
            (at.place == BT_UNIT && (written_early(m, v) || r->ops[v].op == BT_ENTRY)))
            continue;
        n = add_move(m, v, bt_value_kind(r, v), at, bt_loc_at(&m->alloc, v, before), moves, n);
    }
    return n;
}

/* An edge inside the region with moves, out of line: v is the source block, x the target. */
static void cold_edge_moves(struct bt_emitter *m, const struct bt_cold *c)
{
    struct bt_move moves[MAX_EDGE_MOVES];
    bt_parallel_move(m, moves, edge_moves(m, c->v, c->x, moves));
    x64_jmp(&m->e, m->block_label[c->x]);
}

/* Where a conditional jump over this edge leads. */
static unsigned edge_label(struct bt_emitter *m, uint32_t block, unsigned e)
{
    const struct bt_edge *edge = &m->r->blocks[block].succ[e];
    if (edge->to == BT_EXIT_EDGE)
        return bt_later(m, (struct bt_cold){.emit = cold_edge_exit, .v = block, .x = e});
    struct bt_move moves[MAX_EDGE_MOVES];
    if (!edge_moves(m, block, edge->to, moves))
        return m->block_label[edge->to];
    return bt_later(m, (struct bt_cold){.emit = cold_edge_moves, .v = block, .x = edge->to});
}

/* Go over this edge, in line; `next` is the block that follows in the layout. */
static void emit_edge(struct bt_emitter *m, uint32_t block, unsigned e, uint8_t jump)
{
    const struct bt_edge *edge = &m->r->blocks[block].succ[e];
    if (edge->to == BT_EXIT_EDGE) {
        bt_write_back(m, edge->snap);
        emit_leave(m, block, edge->pc, jump);
        return;
    }
    struct bt_move moves[MAX_EDGE_MOVES];
    bt_parallel_move(m, moves, edge_moves(m, block, edge->to, moves));
    if (edge->to != block + 1)
        x64_jmp(&m->e, m->block_label[edge->to]);
}

/* Do any of these moves overwrite a register that v is in at the end of the block? */
static bool overwrites(const struct bt_emitter *m, uint32_t v, uint32_t before,
                       const struct bt_move *moves, unsigned n)
{
    bool yes = false;
    for (unsigned k = 0; k < n; k++)
        yes |= bt_same_place(moves[k].to, bt_loc_at(&m->alloc, v, before)) ||
               bt_same_place(moves[k].to, m->alloc.loc[v]);
    return yes;
}

/* May the moves of the block's one edge be done although control then takes the other, e? Only registers are
 * written, and none that this edge or what is behind it wants. */
static bool harmless(const struct bt_emitter *m, uint32_t block, unsigned e,
                     const struct bt_move *moves, unsigned n)
{
    const struct bt_region *r = m->r;
    const struct bt_edge *edge = &r->blocks[block].succ[e];
    uint32_t before = last_position(m, block);
    bool bad = false;
    for (unsigned k = 0; k < n; k++)
        bad |= moves[k].to.place == BT_UNIT;
    if (edge->to == BT_EXIT_EDGE) {
        const struct bt_snap *s = &r->snaps[edge->snap];
        for (uint32_t k = s->need; k < s->need + s->nneeds && !bad; k++)
            bad = overwrites(m, r->snap_entries[k].value, before, moves, n);
        return !bad;
    }
    const struct bt_block *to = &r->blocks[edge->to];
    uint32_t p = 0;
    while (to->preds[p] != block)
        p++;
    for (uint32_t k = 0; k < to->nops && r->ops[to->ops[k]].op == BT_PHI && !bad; k++)
        bad = overwrites(m, r->phi_args[r->ops[to->ops[k]].a + p], before, moves, n);
    bitset_for_each(v, m->alloc.live_in[edge->to], r->nops)
    {
        bad = bad || overwrites(m, (uint32_t)v, before, moves, n);
    }
    return !bad;
}

/* As bt_emit_compare, with the padding of a patchable jump behind it in front. */
static enum x64_cc compare_for_link(struct bt_emitter *m, const struct bt_op *o)
{
    uint8_t *start = m->e.p;
    enum x64_cc cc = bt_emit_compare(m, o);
    unsigned pad = x64_jcc_patch_padding(&m->e);
    if (pad && m->e.p != start) {
        m->e.p = start;
        x64_nop(&m->e, pad);
        cc = bt_emit_compare(m, o);
    }
    return cc;
}

static bool is_back_edge(const struct bt_block *b, uint32_t block, unsigned e)
{
    return b->succ[e].to != BT_EXIT_EDGE && b->succ[e].to <= block;
}

/* The end of a loop's turn, by the edge `back`. One taken jump a turn: best with the edge's moves before it (moves leave the
 * host's flags alone), and before the comparison too, which then fuses with the jump. False when the other edge
 * minds. */
static bool emit_back_edge(struct bt_emitter *m, uint32_t block, const struct bt_op *o,
                           unsigned back)
{
    struct bt_move moves[MAX_EDGE_MOVES];
    uint32_t to = m->r->blocks[block].succ[back].to;
    unsigned n = edge_moves(m, block, to, moves);
    if (n && !harmless(m, block, !back, moves, n))
        return false;
    bool behind = n && (overwrites(m, o->a, last_position(m, block), moves, n) ||
                        overwrites(m, o->b, last_position(m, block), moves, n));
    if (!behind)
        bt_parallel_move(m, moves, n);
    enum x64_cc cc = bt_emit_compare(m, o);
    if (behind)
        bt_parallel_move(m, moves, n);
    x64_jcc(&m->e, back ? cc : x64_cc_not(cc), m->block_label[to]);
    emit_edge(m, block, !back, JUMP_PLAIN);
    return true;
}

static void emit_branch(struct bt_emitter *m, uint32_t block, const struct bt_op *o)
{
    const struct bt_block *b = &m->r->blocks[block];
    struct bt_move moves[MAX_EDGE_MOVES];
    uint32_t to0 = b->succ[0].to, to1 = b->succ[1].to;
    unsigned inline_edge = to0 != block + 1 && to1 == block + 1;
    if (is_back_edge(b, block, 0) || is_back_edge(b, block, 1)) {
        /* If its moves cannot come first, they are in line behind the comparison. */
        inline_edge = is_back_edge(b, block, 1);
        if (emit_back_edge(m, block, o, inline_edge))
            return;
    } else if (to0 != block + 1 && to1 != block + 1 && to1 != BT_EXIT_EDGE) {
        /* The one with moves. */
        inline_edge = edge_moves(m, block, to1, moves) != 0;
    }
    bool linked = m->r->in_place && b->succ[!inline_edge].to == BT_EXIT_EDGE;
    enum x64_cc cc = linked ? compare_for_link(m, o) : bt_emit_compare(m, o);
    if (inline_edge == 1)
        cc = x64_cc_not(cc);
    if (linked) {
        /* Nothing is to be done on the way out: the conditional jump is the link. */
        unsigned stub;
        struct link *l = new_link(m, b->succ[!inline_edge].pc, JUMP_PLAIN, &stub);
        l->field = x64_jcc_patch(&m->e, cc, stub);
    } else {
        x64_jcc(&m->e, cc, edge_label(m, block, !inline_edge));
    }
    emit_edge(m, block, inline_edge, JUMP_PLAIN);
}

/* ---- terminators ---- */

/* The target is in rcx; an entry of the cpu's table that fits it is the operand, else the label is jumped to. */
static struct x64_mem look_up(struct bt_emitter *m, unsigned miss)
{
    struct x64_emit *e = &m->e;
    int32_t base = (int32_t)offsetof(struct cpu, ucache) - X64_CPU_BIAS;
    x64_mov_rr(e, 4, RDX, RCX);
    x64_alu_ri(e, X64_AND, 4, RDX, ((1 << CPU_UCACHE_BITS) - 1) << 1);
    x64_alu_rm(e, X64_CMP, 8, RCX, x64_mem_idx(BT_CPU, RDX, 8, base));
    x64_jcc(e, X64_NE, miss);
    return x64_mem_idx(BT_CPU, RDX, 8, base + (int32_t)offsetof(struct ucache_entry, host));
}

/* To the stub x with the target in rax. */
static void cold_to_stub(struct bt_emitter *m, const struct bt_cold *c)
{
    x64_mov_rr(&m->e, 8, RAX, RCX);
    x64_jmp_ext(&m->e, c->x);
}

/* An indirect call whose target is not in the table: as the call would have done, and C goes on. x is the
 * return point, v the block. */
static void cold_call_miss(struct bt_emitter *m, const struct bt_cold *c)
{
    push_return(m, c->v);
    x64_lea(&m->e, 8, RAX, x64_mem_label(c->x));
    x64_push(&m->e, RAX);
    x64_mov_rr(&m->e, 8, RAX, RCX);
    x64_jmp_ext(&m->e, X64_STUB_INDIRECT);
}

static void emit_indirect(struct bt_emitter *m, uint32_t block, const struct bt_op *o)
{
    struct x64_emit *e = &m->e;
    /* The target must survive the write-back, which uses rax: rcx is free by allocation (alloc.c). */
    bt_load_gpr(m, RCX, o->a);
    bt_write_back(m, o->snap);
    push_frames(m, m->r->blocks[block].context);
    if (m->r->looks)
        x64_mask_traps(e, false, m->r->flushes);
    if (o->c == JUMP_RET) {
        x64_alu_rm(e, X64_CMP, 8, RCX, x64_mem(RSP, 8));
        x64_jcc(e, X64_NE,
                bt_later(m, (struct bt_cold){.emit = cold_to_stub, .x = X64_STUB_RETURN}));
        x64_none(e, X64_RET);
    } else if (o->c == JUMP_CALL) {
        unsigned back = x64_label(e);
        struct x64_mem host = look_up(
            m, bt_later(m, (struct bt_cold){.emit = cold_call_miss, .v = block, .x = back}));
        uint64_t pc = push_return(m, block);
        x64_m(e, X64_CALL_RM, 8, host);
        x64_bind(e, back);
        emit_return_point(m, pc, m->r->blocks[block].back);
    } else {
        struct x64_mem host =
            look_up(m, bt_later(m, (struct bt_cold){.emit = cold_to_stub, .x = X64_STUB_INDIRECT}));
        x64_m(e, X64_JMP_RM, 8, host);
    }
}

/* The target is another one than was believed: v is the block. */
static void cold_indirect(struct bt_emitter *m, const struct bt_cold *c)
{
    const struct bt_block *b = &m->r->blocks[c->v];
    emit_indirect(m, c->v, &m->r->ops[b->ops[b->nops - 1]]);
}

/* Is the target of an indirect jump what it is believed to be? Goes on in line if so. */
static void emit_guard(struct bt_emitter *m, uint32_t block, const struct bt_op *o)
{
    int64_t pc = (int64_t)m->r->blocks[block].succ[0].pc;
    unsigned other = bt_later(m, (struct bt_cold){.emit = cold_indirect, .v = block});
    unsigned a = bt_gpr(m, o->a, RCX);
    if (pc == (int32_t)pc) {
        x64_alu_ri(&m->e, X64_CMP, 8, a, (int32_t)pc);
    } else {
        x64_mov_ri(&m->e, RAX, (uint64_t)pc);
        x64_alu_rr(&m->e, X64_CMP, 8, a, RAX);
    }
    x64_jcc(&m->e, X64_NE, other);
}

/* Level 1 counts down, at its entry and at back edges, until it is worth a better translation. */
static void count_down(struct bt_emitter *m, unsigned hot)
{
    x64_sub_ext_i8(&m->e, CC_RELOC_COUNTER, 1);
    x64_jcc(&m->e, X64_S, hot);
}

void bt_poll(struct bt_emitter *m, const struct bt_op *terminator)
{
    x64_alu_mr(&m->e, X64_CMP, 4, X64_CPU(pending), BT_CPU);
    x64_jcc(&m->e, X64_A, bt_leave(m, terminator->snap, EXIT_SIGNAL));
    if (m->r->level == 1)
        count_down(m, bt_leave(m, terminator->snap, EXIT_PROMOTE));
    m->polled = true;
}

static void emit_terminator(struct bt_emitter *m, uint32_t block, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    const struct bt_block *b = &m->r->blocks[block];
    bool guess = o->op == UOP_jmp_ind && b->nsuccs;
    m->high = false;
    if (guess)
        emit_guard(m, block, o);
    /* A back edge: somebody may want this thread. */
    if (!m->polled &&
        (guess ? b->succ[0].to <= block : o->snap && o->op != UOP_jmp_ind && o->op != UOP_exit))
        bt_poll(m, o);
    m->polled = false;
    if (uop_info[o->op].flags & UOP_F_BRANCH) {
        emit_branch(m, block, o);
    } else if (o->op == UOP_jmp || guess) {
        emit_edge(m, block, 0, (uint8_t)o->c);
    } else if (o->op == UOP_jmp_ind) {
        emit_indirect(m, block, o);
    } else {
        bt_write_back(m, o->snap);
        emit_exit(m, m->r->snaps[o->snap].pc, (enum exit_reason)o->imm);
    }
}

/* ---- the whole ---- */

/* Values that come into registers before the operation v, which from now on is being emitted. */
static void begin_op(struct bt_emitter *m, uint32_t v)
{
    const struct bt_alloc *a = &m->alloc;
    struct bt_move moves[X64_NHOME_GPR + X64_NHOME_XMM + 2];
    unsigned n = 0;
    m->op = v;
    m->have = m->made;
    m->made = (struct bt_leftover){0};
    if (m->have.bit && bt_keeps_flags(m, &m->r->ops[v])) {
        m->made.bit = m->have.bit;
        m->made.inverted = m->have.inverted;
    }
    if (m->r->in_place)
        return;
    m->pos = 2 * a->pos[v];
    for (; m->reloads_done < a->nreloads && a->reloads[m->reloads_done].pos <= m->pos;
         m->reloads_done++) {
        uint32_t w = a->reloads[m->reloads_done].v;
        n = add_move(m, w, bt_value_kind(m->r, w), bt_loc(m, w), bt_loc_at(a, w, m->pos - 1), moves,
                     n);
    }
    bt_parallel_move(m, moves, n);
}

/* A value that lies in a register at first is written to its unit too. */
static void write_unit(struct bt_emitter *m, uint32_t v)
{
    struct bt_loc at = bt_loc(m, v);
    if (written_early(m, v) && at.place != BT_UNIT)
        bt_move_one(m, &(struct bt_move){m->alloc.loc[v], at, 0, bt_value_kind(m->r, v)});
}

void bt_emit_op(struct bt_emitter *m, uint32_t v)
{
    const struct bt_op *o = &m->r->ops[v];
    if (o->op >= UOP_CODES)
        return;
    m->high = m->alloc.high && bt_takes_high(m->r, o);
    if (o->op == UOP_mov_64 || o->op == UOP_movi) {
        struct bt_loc from = o->op == UOP_movi ? (struct bt_loc){BT_IMM, 0} : bt_loc(m, o->a);
        struct bt_move move = {bt_loc(m, v), from, (uint64_t)o->imm, o->kind};
        if (!bt_same_place(move.to, from))
            bt_move_one(m, &move);
        if (m->r->in_place)
            bt_note_flags(m, v);
        return;
    }
    uint16_t flags = uop_info[o->op].flags;
    bool done;
    if (flags & (UOP_F_LOAD | UOP_F_STORE) || o->op == UOP_fence)
        done = bt_emit_memory(m, v);
    else if (flags & UOP_F_VECTOR)
        done = bt_emit_vector(m, v);
    else if (flags & UOP_F_FPENV || (bt_is_float(m->r, v) && o->op != UOP_sel) ||
             (o->op >= UOP_feq_q_f64 && o->op <= UOP_fle_q_f32) ||
             (o->op >= UOP_flags_fcmp_f16 && o->op <= UOP_flags_fcmp_f64) || o->op == UOP_fp_flags)
        done = bt_emit_float(m, v);
    else
        done = bt_emit_integer(m, v);
    if (!done && !m->cannot)
        done = bt_emit_call(m, v);
    if (!done && !m->cannot)
        m->cannot = uop_info[o->op].name;
    if (o->kind != UOP_K_N)
        write_unit(m, v);
    if (m->r->in_place)
        bt_note_flags(m, v);
}

/* The way out at the head, where nothing has been done yet (C knows why: cc_unit_left), and the entry behind it, in reach
 * of short jumps. The entry is aligned and its first instruction no shorter than a jump, as codecache/unit.c wants it:
 * that is subtracting from the counter, or comparing in the form with a long immediate. Then the poll. */
static void emit_head(struct bt_emitter *m)
{
    struct x64_emit *e = &m->e;
    unsigned leave = x64_label(e);
    for (unsigned i = CC_LINK_STUB_SIZE; i < BT_ENTRY_OFFSET; i++)
        x64_byte(e, 0xcc);
    x64_bind(e, leave);
    m->out->leave = x64_offset(e);
    x64_call_ext(e, X64_STUB_LINK);
    if (m->r->level == 1) {
        count_down(m, leave);
        x64_alu_mr(e, X64_CMP, 4, X64_CPU(pending), BT_CPU);
    } else {
        x64_alu_mi_long(e, X64_CMP, 4, X64_CPU(pending), 0);
    }
    x64_jcc(e, X64_A, leave);
}

/* Behind the head: saves of homes whose registers are given away, then the entry values to their places. */
static void emit_entry(struct bt_emitter *m)
{
    const struct bt_region *r = m->r;
    const struct guest *g = r->guest;
    emit_head(m);
    if (r->looks)
        x64_mask_traps(&m->e, true, r->flushes);
    for (unsigned i = 0; i < GUEST_HOME_GPRS; i++) {
        if (m->alloc.saved_gpr >> i & 1)
            x64_mov_mr(&m->e, 8, x64_slot(g->home_gpr[i]), x64_home_gpr[i]);
    }
    for (unsigned i = 0; i < GUEST_HOME_XMMS; i++) {
        if (m->alloc.saved_xmm >> i & 1)
            x64_v_rm(&m->e, guest_vector_slot(g, g->home_xmm[i]) ? X64_MOVAPS_ST : X64_MOVQ_X_ST,
                     x64_home_xmm[i], x64_slot(g->home_xmm[i]));
    }
    if (r->in_place) {
        emit_edge(m, 0, 0, JUMP_PLAIN);
        return;
    }
    struct bt_move moves[CPU_UNITS];
    unsigned n = 0;
    m->pos = m->alloc.block_from[0];
    m->op = 0;
    for (uint32_t k = 0; k < r->blocks[0].nops; k++) {
        uint32_t v = r->blocks[0].ops[k];
        struct bt_loc l = bt_loc(m, v);
        bool in_slot = l.place == BT_UNIT && l.n == r->ops[v].slot;
        if (r->ops[v].op == BT_ENTRY && l.place != BT_NOWHERE && !in_slot)
            moves[n++] = (struct bt_move){l, bt_canonical(m->homes, r->ops[v].slot), 0,
                                          bt_slot_kind(r, r->ops[v].slot, 0)};
    }
    bt_parallel_move(m, moves, n);
    bt_halves(m);
    m->pos = last_position(m, 0);
    emit_edge(m, 0, 0, JUMP_PLAIN);
}

/* A loop that a line of the instruction cache may hold begins with one; for others the padding costs more. */
static unsigned loop_alignment(const struct bt_region *r, uint32_t head)
{
    uint32_t ops = 0;
    for (uint32_t i = head; i < r->nblocks && r->blocks[i].loop_depth >= r->blocks[head].loop_depth;
         i++)
        for (uint32_t k = 0; k < r->blocks[i].nops; k++)
            ops += r->ops[r->blocks[i].ops[k]].op != BT_PHI;
    return ops <= CC_LOOP_ALIGN / 5 ? CC_LOOP_ALIGN : 16;
}

static void emit_all(struct bt_emitter *m)
{
    const struct bt_region *r = m->r;
    for (uint32_t i = 0; i < r->nblocks; i++)
        m->block_label[i] = x64_label(&m->e);
    emit_entry(m);
    for (uint32_t i = 1; i < r->nblocks && !m->cannot; i++) {
        m->block = i;
        if (r->blocks[i].loop_head && r->level > 1)
            x64_align(&m->e, loop_alignment(r, i));
        x64_bind(&m->e, m->block_label[i]);
        m->flags_of = 0;
        for (uint32_t k = 0; k < r->blocks[i].nops && !m->cannot; k++) {
            m->at = k;
            m->follows = k + 1 < r->blocks[i].nops ? r->blocks[i].ops[k + 1] : 0;
            m->next = r->in_place ? 0 : m->follows;
            begin_op(m, r->blocks[i].ops[k]);
            if (k + 1 < r->blocks[i].nops)
                bt_emit_op(m, r->blocks[i].ops[k]);
            else
                emit_terminator(m, i, r->blocks[i].ops[k]);
        }
    }
    m->out->hot_size = x64_offset(&m->e);
    /* Cold pieces may ask for more of them. */
    for (uint32_t c = 0; c < m->ncold && !m->cannot; c++) {
        struct bt_cold piece = m->cold[c];
        m->pos = piece.pos;
        m->op = piece.op;
        m->high = false;
        x64_bind(&m->e, piece.label);
        piece.emit(m, &piece);
    }
    bt_emit_constants(m);
}

const char *bt_emit(const struct bt_region *r, const struct bt_alloc *alloc,
                    const struct x64_homes *homes, uint64_t host_features, struct bt_code *out)
{
    struct bt_emitter m;
    memset(&m, 0, offsetof(struct bt_emitter, side));
    m.r = r;
    m.alloc = *alloc;
    m.homes = homes;
    m.out = out;
    /* Ample: an operation's longest code, an exit that writes everything back. */
    uint32_t sunk = bt_sunk_entries(r);
    uint32_t size = 4096 + r->nops * 128 + (r->nsnaps + r->nblocks * 4) * 512 + sunk * 128;
    uint32_t nlabels = 256 + r->nops * 4 + r->nsnaps * 2 + r->nblocks * 6 + sunk * 4;
    out->bytes = arena_alloc(r->arena, size, 64);
    out->relocs = arena_new(r->arena, struct x64_reloc, nlabels);
    uint32_t side_cap = 64 + r->nsnaps * 64 + r->nsnap_entries * 12 + sunk * 32;
    out->side = arena_alloc(r->arena, side_cap, 8);
    uint32_t traps_cap = r->traps || r->flushes ? r->nops * 24 : 0;
    out->traps = arena_alloc(r->arena, traps_cap + 1, 8);
    m.above = arena_znew(r->arena, uint8_t, r->nops);
    m.block_label = arena_new(r->arena, unsigned, r->nblocks);
    struct x64_label *labels = arena_new(r->arena, struct x64_label, nlabels);
    for (int round = 0; round < 2; round++) {
        m.ncold = m.nconsts = 0;
        m.reloads_done = 0;
        out->nlinks = 0;
        bt_begin_rows(&m, out->side, side_cap);
        m.traps = (struct cc_trap_table){.buf = out->traps, .cap = traps_cap};
        x64_init(&m.e, out->bytes, size, host_features);
        m.e.no8 = round > 0;
        m.e.labels = labels;
        m.e.max_labels = nlabels;
        m.e.relocs = out->relocs;
        m.e.max_relocs = nlabels;
        emit_all(&m);
        if (m.cannot)
            return m.cannot;
        if (!m.e.far8)
            break;
    }
    if (m.e.overflow || m.side.overflow || m.traps.overflow)
        return "code too large";
    out->size = x64_offset(&m.e);
    out->nrelocs = m.e.nrelocs;
    out->side_len = m.side.len;
    out->traps_len = m.traps.len;
    return NULL;
}

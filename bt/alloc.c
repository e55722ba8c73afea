/* Register allocation: see bt/alloc.h.
 *
 * Every value gets one place, the most valuable first. Live ranges come from a backward liveness
 * analysis and have holes; a register's busy positions are a bit set, so a trial costs a few words. A
 * value's worth is its uses weighted by loop depth, over its length. Hints make copies vanish: a
 * slot's value wants the slot's home, a phi and its arguments want the same place, a
 * two-address result wants its first operand's.
 *
 * Positions: operation k of the layout has 2k (its operands are read) and 2k + 1 (its result is
 * written); an operand that dies may share its register with the result.
 */
#include "bt/alloc.h"
#include "base/bitset.h"
#include <stdlib.h>
#include <string.h>

#define NO_REG 255
#define SPILL_FIRST CPU_TEMP_BASE

struct range {
    uint32_t start, end; /* positions, [start, end) */
    struct range *next;
};

struct interval {
    struct range *ranges;
    uint64_t weight;
    uint32_t length;
    uint32_t phi; /* a phi that this value is an argument of, or 0 */
    uint32_t
        heir; /* the only user, which would like to have the result in the same register, or 0 */
};

struct allocator {
    const struct bt_region *r;
    struct bt_alloc *out;
    uint32_t *pos;        /* by value: number of the operation, from 1 */
    uint32_t *block_from; /* first position of each block */
    uint32_t npos, words;
    struct interval *iv;
    uint64_t **live_in; /* by block, over values */
    uint64_t *busy_gpr[16], *busy_xmm[16];
    uint64_t *busy_spill[CPU_TEMPS];
    uint8_t home_of_slot[CPU_UNITS]; /* register, NO_REG */
    uint64_t features;
};

/* ---- which class ---- */

static bool float_slot(const struct guest *g, unsigned slot)
{
    return slot >= g->fp_first && slot <= g->fp_last && slot != BT_NO_SLOT;
}

bool bt_is_float(const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    if (o->kind == UOP_K_H || o->kind == UOP_K_S || o->kind == UOP_K_D || o->kind == UOP_K_V)
        return true;
    switch (o->op) {
    case UOP_fcanon_f64:
    case UOP_fcanon_f32:
    case UOP_box_f32:
    case UOP_unbox_f32:
        return true;
    case BT_ENTRY:
    case BT_PHI:
    case UOP_ld_64:
    case UOP_ld_u32:
        return float_slot(r->guest, o->slot);
    default:
        return false;
    }
}

/* ---- live ranges ---- */

static void add_range(struct allocator *a, uint32_t v, uint32_t start, uint32_t end)
{
    struct interval *iv = &a->iv[v];
    /* Ranges come in descending order. */
    if (iv->ranges && iv->ranges->start <= end) {
        if (start < iv->ranges->start)
            iv->ranges->start = start;
        if (end > iv->ranges->end)
            iv->ranges->end = end;
        return;
    }
    struct range *n = arena_new(a->r->arena, struct range, 1);
    *n = (struct range){start, end, iv->ranges};
    iv->ranges = n;
}

static bool needs_place(const struct bt_region *r, uint32_t v)
{
    return r->ops[v].op != BT_CONST;
}

static void use_at(struct allocator *a, uint64_t *live, uint32_t v, uint32_t block, uint32_t pos,
                   uint64_t weight)
{
    if (!needs_place(a->r, v))
        return;
    a->iv[v].weight += weight;
    if (!bitset_test(live, v)) {
        bitset_set(live, v);
        add_range(a, v, a->block_from[block], pos + 1);
    }
}

static uint64_t block_weight(const struct bt_block *b)
{
    static const uint64_t by_depth[] = {8, 80, 800, 8000};
    return by_depth[b->loop_depth < 3 ? b->loop_depth : 3];
}

static void use_snapshot(struct allocator *a, uint64_t *live, uint32_t snap, uint32_t block,
                         uint32_t pos)
{
    const struct bt_snap *s = &a->r->snaps[snap];
    for (uint32_t k = s->first; k < s->first + s->n; k++)
        use_at(a, live, a->r->snap_entries[k].value, block, pos, 0);
}

/* Results that are written while operands or the snapshot are still needed. */
static bool early_result(const struct bt_op *o)
{
    if (o->op >= UOP_CODES)
        return false;
    switch (o->op) {
    case UOP_sel:
    case UOP_ffma_f32:
    case UOP_ffma_f64:
    case UOP_fmin_f32:
    case UOP_fmin_f64:
    case UOP_fmax_f32:
    case UOP_fmax_f64:
        return true;
    default:
        return uop_info[o->op].flags & (UOP_F_ATOMIC | UOP_F_HELPER);
    }
}

static void live_out(struct allocator *a, uint32_t block, uint64_t *live)
{
    const struct bt_region *r = a->r;
    const struct bt_block *b = &r->blocks[block];
    bitset_zero(live, r->nops);
    for (uint32_t e = 0; e < b->nsuccs; e++) {
        uint32_t to = b->succ[e].to;
        if (to == BT_EXIT_EDGE)
            continue;
        bitset_union(live, a->live_in[to], r->nops);
        const struct bt_block *s = &r->blocks[to];
        for (uint32_t p = 0; p < s->npreds; p++) {
            if (s->preds[p] != block)
                continue;
            for (uint32_t k = 0; k < s->nops && r->ops[s->ops[k]].op == BT_PHI; k++) {
                uint32_t arg = r->phi_args[r->ops[s->ops[k]].a + p];
                if (needs_place(r, arg))
                    bitset_set(live, arg);
            }
        }
    }
}

/* One walk over a block backwards. With `ranges` it also makes them. */
static void scan_block(struct allocator *a, uint32_t block, uint64_t *live, bool ranges)
{
    const struct bt_region *r = a->r;
    const struct bt_block *b = &r->blocks[block];
    uint32_t end = 2 * (a->pos[b->ops[b->nops - 1]] + 1);
    uint64_t w = block_weight(b);
    live_out(a, block, live);
    if (ranges) {
        bitset_for_each(v, live, r->nops) add_range(a, (uint32_t)v, a->block_from[block], end);
    }
    for (uint32_t e = 0; e < b->nsuccs; e++) {
        if (b->succ[e].to == BT_EXIT_EDGE) {
            /* The exit code runs with everything it names in place. */
            const struct bt_snap *s = &r->snaps[b->succ[e].snap];
            for (uint32_t k = s->first; k < s->first + s->n; k++) {
                uint32_t v = r->snap_entries[k].value;
                if (!needs_place(r, v))
                    continue;
                if (ranges && !bitset_test(live, v))
                    add_range(a, v, a->block_from[block], end);
                bitset_set(live, v);
            }
        }
    }
    for (uint32_t k = b->nops; k-- > 0;) {
        uint32_t v = b->ops[k];
        const struct bt_op *o = &r->ops[v];
        uint32_t pos = 2 * a->pos[v];
        if (o->kind != UOP_K_N && needs_place(r, v)) {
            bool was_live = bitset_test(live, v);
            bitset_clear(live, v);
            if (ranges) {
                uint32_t start = o->op == BT_PHI || o->op == BT_ENTRY ? a->block_from[block]
                                                                      : pos + !early_result(o);
                if (was_live)
                    a->iv[v].ranges->start = start;
                else
                    add_range(a, v, start, pos + 2);
                a->iv[v].weight += w;
            }
        }
        if (o->op == BT_PHI)
            continue; /* arguments are used at the ends of the predecessors */
        const uint32_t operands[3] = {o->a, o->b, o->c};
        for (int i = 0; i < 3; i++) {
            if (!bt_operand_kind(o, i))
                continue;
            if (ranges)
                use_at(a, live, operands[i], block, pos, w);
            else if (needs_place(r, operands[i]))
                bitset_set(live, operands[i]);
        }
        if (o->snap) {
            const struct bt_snap *s = &r->snaps[o->snap];
            if (ranges) {
                use_snapshot(a, live, o->snap, block, pos);
            } else {
                for (uint32_t e = s->first; e < s->first + s->n; e++) {
                    if (needs_place(r, r->snap_entries[e].value))
                        bitset_set(live, r->snap_entries[e].value);
                }
            }
        }
    }
}

static void find_ranges(struct allocator *a)
{
    const struct bt_region *r = a->r;
    uint64_t *live = arena_new(r->arena, uint64_t, BITSET_WORDS(r->nops));
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = r->nblocks; i-- > 0;) {
            scan_block(a, i, live, false);
            changed |= bitset_union(a->live_in[i], live, r->nops);
        }
        if (r->nblocks <= 2 && !r->blocks[r->nblocks - 1].loop_head)
            break;
    }
    for (uint32_t i = r->nblocks; i-- > 0;)
        scan_block(a, i, live, true);
}

/* ---- busy positions ---- */

static bool is_free(const uint64_t *busy, const struct interval *iv)
{
    for (const struct range *g = iv->ranges; g; g = g->next) {
        if (bitset_next(busy, g->end, g->start) < g->end)
            return false;
    }
    return true;
}

static void occupy_range(uint64_t *busy, uint32_t start, uint32_t end)
{
    for (uint32_t p = start; p < end;) {
        if (p % 64 == 0 && end - p >= 64) {
            busy[p / 64] = ~UINT64_C(0);
            p += 64;
        } else {
            bitset_set(busy, p++);
        }
    }
}

static void occupy(uint64_t *busy, const struct interval *iv)
{
    for (const struct range *g = iv->ranges; g; g = g->next)
        occupy_range(busy, g->start, g->end);
}

/* Registers that an operation's host code writes besides its result. */
static void fixed_uses(struct allocator *a)
{
    const struct bt_region *r = a->r;
    bool bmi2 = a->features >> X64_F_BMI2 & 1;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint32_t v = r->blocks[i].ops[k];
            const struct bt_op *o = &r->ops[v];
            bool rdx = false, rcx = false;
            if (o->op >= UOP_CODES)
                continue;
            uint16_t flags = uop_info[o->op].flags;
            switch (uop_info[o->op].rr_form) {
            case UOP_div_s64:
            case UOP_div_u64:
            case UOP_rem_s64:
            case UOP_rem_u64:
            case UOP_div_s32:
            case UOP_div_u32:
            case UOP_rem_s32:
            case UOP_rem_u32:
            case UOP_mulh_ss:
            case UOP_mulh_su:
            case UOP_mulh_uu:
                rcx = rdx = true;
                break;
            case UOP_shl_64:
            case UOP_shl_32s:
            case UOP_shl_32z:
            case UOP_shr_64:
            case UOP_shr_32s:
            case UOP_shr_32z:
            case UOP_sar_64:
            case UOP_sar_32s:
            case UOP_sar_32z:
                rcx = !bmi2 && uop_info[o->op].b != UOP_K_N;
                break;
            case UOP_ror_64:
            case UOP_ror_32s:
            case UOP_ror_32z:
                rcx = uop_info[o->op].b != UOP_K_N;
                break;
            default:
                rcx = rdx = (flags & (UOP_F_ATOMIC | UOP_F_HELPER)) != 0 || flags & UOP_F_FPENV;
            }
            if (flags & UOP_F_TERM && o->op != UOP_jmp)
                rcx = o->op == UOP_jmp_ind, rdx = false; /* rdx is used behind the write-back */
            if (rcx)
                occupy_range(a->busy_gpr[RCX], 2 * a->pos[v], 2 * a->pos[v] + 2);
            if (rdx)
                occupy_range(a->busy_gpr[RDX], 2 * a->pos[v], 2 * a->pos[v] + 2);
        }
    }
}

/* ---- choosing ---- */

static bool try_reg(struct allocator *a, uint32_t v, bool fp, unsigned reg)
{
    if (reg == NO_REG)
        return false;
    uint64_t *busy = fp ? a->busy_xmm[reg] : a->busy_gpr[reg];
    if (!busy || !is_free(busy, &a->iv[v]))
        return false;
    occupy(busy, &a->iv[v]);
    a->out->loc[v] = (struct bt_loc){fp ? BT_XMM : BT_GPR, (uint8_t)reg};
    return true;
}

static unsigned reg_of(const struct allocator *a, uint32_t v, bool fp)
{
    struct bt_loc l = a->out->loc[v];
    return l.place == (fp ? BT_XMM : BT_GPR) ? l.n : NO_REG;
}

static bool try_hints(struct allocator *a, uint32_t v, bool fp)
{
    const struct bt_region *r = a->r;
    const struct bt_op *o = &r->ops[v];
    if (a->iv[v].heir && try_reg(a, v, fp, reg_of(a, a->iv[v].heir, fp)))
        return true;
    if (a->iv[v].phi && try_reg(a, v, fp, reg_of(a, a->iv[v].phi, fp)))
        return true;
    if (o->op == BT_PHI) {
        for (uint32_t p = 0; p < r->blocks[o->block].npreds; p++) {
            if (try_reg(a, v, fp, reg_of(a, r->phi_args[o->a + p], fp)))
                return true;
        }
    }
    if (o->slot != BT_NO_SLOT && try_reg(a, v, fp, a->home_of_slot[o->slot]))
        return true;
    if (o->op < UOP_CODES && bt_operand_kind(o, 0) && o->a &&
        try_reg(a, v, fp, reg_of(a, o->a, fp)))
        return true;
    return false;
}

static bool try_any(struct allocator *a, uint32_t v, bool fp)
{
    if (!fp && (try_reg(a, v, fp, RCX) || try_reg(a, v, fp, RDX)))
        return true;
    /* Homes whose slot is disturbed already cost nothing more; then the others, rarely named last. */
    unsigned n = fp ? GUEST_HOME_XMMS : GUEST_HOME_GPRS;
    uint32_t *saved = fp ? &a->out->saved_xmm : &a->out->saved_gpr;
    const uint8_t *homes = fp ? x64_home_xmm : x64_home_gpr;
    for (int fresh = 0; fresh < 2; fresh++) {
        for (unsigned i = n; i-- > 0;) {
            if ((*saved >> i & 1) == (uint32_t)!fresh && try_reg(a, v, fp, homes[i]))
                return true;
        }
    }
    return false;
}

/* A value in a home register disturbs the home unless it is the home slot's: that is the entry value, or one
 * that becomes the slot's as soon as it is made, and every snapshot from there on names the slot. */
static void note_disturbed(struct allocator *a, uint32_t v)
{
    struct bt_loc l = a->out->loc[v];
    bool fp = l.place == BT_XMM;
    if (l.place != BT_GPR && !fp)
        return;
    const uint8_t *homes = fp ? x64_home_xmm : x64_home_gpr;
    const uint8_t *slots = fp ? a->r->guest->home_xmm : a->r->guest->home_gpr;
    unsigned n = fp ? GUEST_HOME_XMMS : GUEST_HOME_GPRS;
    for (unsigned i = 0; i < n; i++) {
        if (homes[i] != l.n)
            continue;
        if (slots[i] != GUEST_NO_SLOT && a->r->ops[v].slot != slots[i]) {
            if (fp)
                a->out->saved_xmm |= 1u << i;
            else
                a->out->saved_gpr |= 1u << i;
        }
    }
}

/* The spill unit of a value, CPU_TEMPS when it has none. */
static unsigned spill_of(const struct allocator *a, uint32_t v)
{
    struct bt_loc l = a->out->loc[v];
    return l.place == BT_UNIT && l.n >= SPILL_FIRST ? l.n - SPILL_FIRST : CPU_TEMPS;
}

static bool try_unit(struct allocator *a, uint32_t v, unsigned s)
{
    /* A vector takes an even unit and the next. */
    unsigned n = a->r->ops[v].kind == UOP_K_V ? 2 : 1;
    if (s % n || s + n > CPU_TEMPS)
        return false;
    for (unsigned i = s; i < s + n; i++) {
        if (!a->busy_spill[i])
            a->busy_spill[i] = arena_znew(a->r->arena, uint64_t, a->words);
        if (!is_free(a->busy_spill[i], &a->iv[v]))
            return false;
    }
    for (unsigned i = s; i < s + n; i++)
        occupy(a->busy_spill[i], &a->iv[v]);
    a->out->loc[v] = (struct bt_loc){BT_UNIT, (uint8_t)(SPILL_FIRST + s)};
    a->out->nspills++;
    return true;
}

static bool spill(struct allocator *a, uint32_t v)
{
    const struct bt_op *o = &a->r->ops[v];
    if (o->op == BT_ENTRY) {
        /* Its slot keeps the value: nothing inside the region writes slots. A home is saved there. */
        a->out->loc[v] = (struct bt_loc){BT_UNIT, o->slot};
        for (unsigned i = 0; i < GUEST_HOME_GPRS; i++)
            a->out->saved_gpr |= (uint32_t)(a->r->guest->home_gpr[i] == o->slot) << i;
        for (unsigned i = 0; i < GUEST_HOME_XMMS; i++)
            a->out->saved_xmm |= (uint32_t)(a->r->guest->home_xmm[i] == o->slot) << i;
        return true;
    }
    /* Where a phi's other end lies, first: then the edge between them moves nothing. */
    const struct bt_region *r = a->r;
    if (a->iv[v].phi && try_unit(a, v, spill_of(a, a->iv[v].phi)))
        return true;
    for (uint32_t p = 0; o->op == BT_PHI && p < r->blocks[o->block].npreds; p++) {
        if (try_unit(a, v, spill_of(a, r->phi_args[o->a + p])))
            return true;
    }
    for (unsigned s = 0; s < CPU_TEMPS; s++) {
        if (try_unit(a, v, s))
            return true;
    }
    return false;
}

struct by_worth {
    uint64_t worth;
    uint32_t v;
};

static int compare_worth(const void *x, const void *y)
{
    const struct by_worth *a = x, *b = y;
    if (a->worth != b->worth)
        return a->worth < b->worth ? 1 : -1;
    return a->v < b->v ? -1 : 1;
}

/* An entry value that is cheap where it lies: read from the slot's memory at its few uses. */
static bool better_in_memory(const struct allocator *a, uint32_t v)
{
    const struct bt_op *o = &a->r->ops[v];
    return o->op == BT_ENTRY && a->home_of_slot[o->slot] == NO_REG && a->iv[v].weight <= 16;
}

/* The operations that are a move of their operand on the host, with something added: what they are made of
 * is placed after them, where they are. */
static bool inherits(uint16_t op)
{
    return op == UOP_fcanon_f64 || op == UOP_fcanon_f32 || op == UOP_box_f32 ||
           op == UOP_unbox_f32 || op == UOP_vzext;
}

static bool place(struct allocator *a, uint32_t v)
{
    if (a->out->loc[v].place != BT_NOWHERE)
        return true;
    uint32_t heir = a->iv[v].heir;
    if (heir && !place(a, heir))
        return false;
    bool fp = bt_is_float(a->r, v);
    bool placed = !better_in_memory(a, v) && (try_hints(a, v, fp) || try_any(a, v, fp));
    if (!placed && !spill(a, v))
        return false;
    note_disturbed(a, v);
    return true;
}

bool bt_allocate(const struct bt_region *r, uint64_t host_features, struct bt_alloc *out)
{
    struct allocator a = {.r = r, .out = out, .features = host_features};
    *out = (struct bt_alloc){.loc = arena_znew(r->arena, struct bt_loc, r->nops)};
    a.pos = arena_znew(r->arena, uint32_t, r->nops);
    a.block_from = arena_znew(r->arena, uint32_t, r->nblocks);
    a.live_in = arena_new(r->arena, uint64_t *, r->nblocks);
    a.iv = arena_znew(r->arena, struct interval, r->nops);
    uint32_t n = 1, nvalues = 0;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        a.block_from[i] = 2 * n;
        a.live_in[i] = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            a.pos[r->blocks[i].ops[k]] = n++;
            nvalues++;
        }
    }
    a.npos = 2 * n + 2;
    a.words = (uint32_t)BITSET_WORDS(a.npos);
    memset(a.home_of_slot, NO_REG, sizeof(a.home_of_slot));
    for (unsigned i = 0; i < GUEST_HOME_GPRS; i++) {
        a.busy_gpr[x64_home_gpr[i]] = arena_znew(r->arena, uint64_t, a.words);
        if (r->guest->home_gpr[i] != GUEST_NO_SLOT)
            a.home_of_slot[r->guest->home_gpr[i]] = x64_home_gpr[i];
    }
    for (unsigned i = 0; i < GUEST_HOME_XMMS; i++) {
        a.busy_xmm[x64_home_xmm[i]] = arena_znew(r->arena, uint64_t, a.words);
        if (r->guest->home_xmm[i] != GUEST_NO_SLOT)
            a.home_of_slot[r->guest->home_xmm[i]] = x64_home_xmm[i];
    }
    a.busy_gpr[RCX] = arena_znew(r->arena, uint64_t, a.words);
    a.busy_gpr[RDX] = arena_znew(r->arena, uint64_t, a.words);
    find_ranges(&a);
    fixed_uses(&a);

    struct by_worth *order = arena_new(r->arena, struct by_worth, nvalues);
    uint32_t m = 0;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint32_t v = r->blocks[i].ops[k];
            const struct bt_op *o = &r->ops[v];
            if (inherits(o->op) && r->ops[o->a].uses == 1 && r->ops[o->a].op < UOP_CODES &&
                r->ops[o->a].block == i && a.iv[v].ranges)
                a.iv[o->a].heir = v;
            if (o->op == BT_CONST)
                out->loc[v] = (struct bt_loc){BT_IMM, 0};
            if (o->op == BT_PHI) {
                for (uint32_t p = 0; p < r->blocks[i].npreds; p++)
                    a.iv[r->phi_args[o->a + p]].phi = v;
            }
            if (o->kind == UOP_K_N || !a.iv[v].ranges)
                continue;
            uint32_t length = 0;
            for (struct range *g = a.iv[v].ranges; g; g = g->next)
                length += g->end - g->start;
            order[m++] = (struct by_worth){(a.iv[v].weight << 20) / (length ? length : 1), v};
        }
    }
    qsort(order, m, sizeof(*order), compare_worth);
    for (uint32_t k = 0; k < m; k++) {
        uint32_t v = order[k].v;
        if (!place(&a, v))
            return false;
    }
    return true;
}

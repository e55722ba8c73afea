/* Register allocation: see bt/alloc.h.
 *
 * Values that should share a place, a phi and its arguments, are put together where their live ranges do not
 * meet: a bundle. Bundles are placed the most valuable first: by the depth of the loops in which they are used, then by their
 * uses, weighted by loop depth, over their length. What finds no register for its whole life gets a
 * unit of the cpu, and pieces of it try again: without the loops in which it is not used; then loop by loop;
 * then block by block. A register's busy positions are a bit set, so a trial costs a few words.
 *
 * Hints make copies vanish: a slot's value wants the slot's home, a phi wants its arguments' place, a two-address result
 * its first operand's.
 *
 * Threading: see bt/ir.h.
 */
#include "base/bitset.h"
#include "bt/alloc_int.h"
#include <stdlib.h>
#include <string.h>

#define NO_REG 255
#define SPILL_FIRST CPU_TEMP_BASE
/* In the weights of bt_block_weight: a value in its slot's home spares a move at the exits; a home that is given
 * away is saved at the entry and comes back at exits. */
#define HOME_WORTH 16
#define DISTURBANCE 24

/* ---- busy positions ---- */

static bool is_free(const uint64_t *busy, const struct bt_range *g)
{
    for (; g; g = g->next) {
        if (bitset_next(busy, g->end, g->start) < g->end)
            return false;
    }
    return true;
}

static void occupy_range(uint64_t *busy, uint32_t start, uint32_t end)
{
    while (start < end) {
        uint32_t n = 64 - start % 64;
        if (n > end - start)
            n = end - start;
        busy[start / 64] |= (n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1) << (start % 64);
        start += n;
    }
}

static void occupy(uint64_t *busy, const struct bt_range *g)
{
    for (; g; g = g->next)
        occupy_range(busy, g->start, g->end);
}

static uint64_t *unit_busy(struct bt_allocator *a, unsigned unit)
{
    if (!a->busy_unit[unit])
        a->busy_unit[unit] = arena_znew(a->r->arena, uint64_t, a->words);
    return a->busy_unit[unit];
}

static void fixed_uses(struct bt_allocator *a)
{
    const struct bt_region *r = a->r;
    bool bmi2 = a->features >> X64_F_BMI2 & 1;
    for (uint32_t i = 0; i < r->nblocks; i++) {
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint32_t v = r->blocks[i].ops[k];
            struct bt_scratch s = bt_scratch(&r->ops[v], bmi2);
            if (s.rcx)
                occupy_range(a->busy_gpr[RCX], 2 * a->out->pos[v], 2 * a->out->pos[v] + 2);
            if (s.rdx)
                occupy_range(a->busy_gpr[RDX], 2 * a->out->pos[v], 2 * a->out->pos[v] + 2);
            bool keeps = bt_keeps_xmm(r, &r->ops[v]) && bt_exit_keeps_xmm(r, i, &r->ops[v]);
            if (a->scratch && !keeps)
                occupy_range(a->scratch, 2 * a->out->pos[v], 2 * a->out->pos[v] + 2);
        }
    }
}

/* ---- loops ---- */

static uint32_t window_start(const struct bt_allocator *a, uint32_t loop)
{
    return loop == BT_NO_LOOP ? a->live.block_from[1] : a->live.block_from[a->loops[loop].first];
}

static uint32_t window_end(const struct bt_allocator *a, uint32_t loop)
{
    return a->live.block_from[loop == BT_NO_LOOP ? a->r->nblocks : a->loops[loop].last + 1];
}

/* ---- the queue ---- */

static void push(struct bt_allocator *a, struct bt_item it)
{
    if (a->nheap == a->heap_cap) {
        uint32_t cap = a->heap_cap * 2;
        struct bt_item *bigger = arena_new(a->r->arena, struct bt_item, cap);
        memcpy(bigger, a->heap, a->nheap * sizeof(*bigger));
        a->heap = bigger;
        a->heap_cap = cap;
    }
    uint32_t i = a->nheap++;
    for (; i && a->heap[(i - 1) / 2].key < it.key; i = (i - 1) / 2)
        a->heap[i] = a->heap[(i - 1) / 2];
    a->heap[i] = it;
}

static struct bt_item pop(struct bt_allocator *a)
{
    struct bt_item top = a->heap[0], it = a->heap[--a->nheap];
    uint32_t i = 0;
    for (;;) {
        uint32_t c = 2 * i + 1;
        if (c >= a->nheap)
            break;
        if (c + 1 < a->nheap && a->heap[c + 1].key > a->heap[c].key)
            c++;
        if (a->heap[c].key <= it.key)
            break;
        a->heap[i] = a->heap[c];
        i = c;
    }
    a->heap[i] = it;
    return top;
}

/* The uses of a bundle in [start, end): their weight, and that of the heaviest. */
static uint64_t weigh(const struct bt_allocator *a, const struct bt_bundle *b, uint32_t start,
                      uint32_t end, uint32_t *heaviest)
{
    uint64_t sum = 0;
    *heaviest = 0;
    for (uint32_t k = 0; k < b->nmembers; k++) {
        for (const struct bt_use *u = a->live.iv[b->members[k]].uses; u && u->pos < end;
             u = u->next) {
            if (u->pos < start)
                continue;
            sum += u->weight;
            *heaviest = u->weight > *heaviest ? u->weight : *heaviest;
        }
    }
    return sum;
}

static uint64_t key_of(uint64_t weight, uint32_t heaviest, uint32_t length)
{
    uint64_t depth = heaviest >= 8000 ? 3 : heaviest >= 800 ? 2 : heaviest >= 80 ? 1 : 0;
    return depth << 56 | (weight << 20) / (length ? length : 1);
}

static uint32_t length_of(const struct bt_range *g)
{
    uint32_t n = 0;
    for (; g; g = g->next)
        n += g->end - g->start;
    return n;
}

/* ---- choosing a register ---- */

static unsigned reg_at(const struct bt_allocator *a, uint32_t v, uint32_t pos, bool fp)
{
    struct bt_loc l = bt_loc_at(a->out, v, pos);
    return l.place == (fp ? BT_XMM : BT_GPR) ? l.n : NO_REG;
}

static void hint(uint32_t score[X64_NXMM], unsigned reg, uint32_t weight)
{
    if (reg != NO_REG)
        score[reg] += weight;
}

/* The slot that v is written to as soon as it is made, maybe as the operation right behind it that is but a move of it. */
static unsigned becomes(const struct bt_allocator *a, uint32_t v)
{
    uint32_t heir = a->heir_of[v];
    if (a->r->ops[v].slot == BT_NO_SLOT && heir && a->out->pos[heir] == a->out->pos[v] + 1)
        v = heir;
    return a->r->ops[v].slot;
}

/* What it is worth to have v in each register. */
static void hints_of(const struct bt_allocator *a, uint32_t v, bool fp, uint32_t score[X64_NXMM])
{
    const struct bt_region *r = a->r;
    const struct bt_op *o = &r->ops[v];
    const uint32_t *pos = a->out->pos;
    uint32_t w = bt_block_weight(&r->blocks[o->block]);
    for (const struct bt_stretch *s = a->out->stretch[v]; s; s = s->next)
        hint(score, s->at.n, 8);
    if (o->op == BT_CONST)
        return;
    if (o->slot != BT_NO_SLOT)
        hint(score, a->home_of_slot[o->slot], HOME_WORTH);
    if (a->heir_of[v]) {
        unsigned reg = reg_at(a, a->heir_of[v], 2 * pos[a->heir_of[v]] + 1, fp);
        unsigned slot = becomes(a, v);
        if (reg == NO_REG && slot != BT_NO_SLOT)
            reg = a->home_of_slot[slot];
        hint(score, reg, 2 * w);
    }
    uint32_t taker = a->taker_of[v];
    if (taker) {
        unsigned reg = reg_at(a, taker, 2 * pos[taker] + 1, fp);
        if (reg == NO_REG && r->ops[taker].slot != BT_NO_SLOT && r->blocks[o->block].loop_depth)
            reg = a->home_of_slot[r->ops[taker].slot];
        hint(score, reg, w / 2);
    }
    uint32_t phi = a->phi_of[v];
    if (phi && a->bundle_of[phi] != a->bundle_of[v])
        hint(score, reg_at(a, phi, a->live.block_from[r->ops[phi].block], fp), w);
    if (o->op == BT_PHI) {
        const struct bt_block *b = &r->blocks[o->block];
        for (uint32_t p = 0; p < b->npreds; p++) {
            uint32_t arg = r->phi_args[o->a + p];
            const struct bt_block *from = &r->blocks[b->preds[p]];
            if (a->bundle_of[arg] != a->bundle_of[v])
                hint(score, reg_at(a, arg, 2 * pos[from->ops[from->nops - 1]], fp),
                     bt_block_weight(from));
        }
    } else if (o->op < UOP_CODES && bt_operand_kind(o, 0) && o->a) {
        hint(score, reg_at(a, o->a, 2 * pos[v], fp), w / 2);
    }
}

static bool try_reg(struct bt_allocator *a, const struct bt_range *g, bool fp, unsigned reg)
{
    uint64_t **of = fp ? a->busy_xmm : a->busy_gpr, *busy = of[reg];
    if (!busy && fp && (reg >= XMM16 ? a->high : reg >= XMM2 && a->scratch)) {
        busy = of[reg] = arena_znew(a->r->arena, uint64_t, a->words);
        if (reg < XMM16)
            memcpy(busy, a->scratch, a->words * sizeof(*busy));
    }
    if (!busy || !is_free(busy, g))
        return false;
    occupy(busy, g);
    a->out->high |= fp && reg >= XMM16;
    return true;
}

/* A register for the ranges, or NO_REG. */
static unsigned find_reg(struct bt_allocator *a, const struct bt_range *g, bool fp)
{
    uint32_t score[X64_NXMM] = {0}, last = 0;
    bool high = fp && a->high;
    for (const struct bt_range *i = g; i; i = i->next) {
        if (i->v != last)
            hints_of(a, i->v, fp, score);
        high = high && !a->low[i->v];
        last = i->v;
    }
    for (;;) {
        unsigned best = 0;
        for (unsigned i = 1; i < (high ? X64_NXMM : 16); i++)
            best = score[i] > score[best] ? i : best;
        if (!score[best])
            break;
        if (try_reg(a, g, fp, best))
            return best;
        score[best] = 0;
    }
    if (!fp && try_reg(a, g, fp, RCX))
        return RCX;
    if (!fp && try_reg(a, g, fp, RDX))
        return RDX;
    if (fp && try_reg(a, g, fp, XMM2))
        return XMM2;
    if (fp && try_reg(a, g, fp, XMM3))
        return XMM3;
    /* Homes: those that nobody else wants; one whose slot is disturbed already costs nothing more. Before others, registers whose
     * instructions are longer. */
    unsigned n = fp ? GUEST_HOME_XMMS : GUEST_HOME_GPRS;
    uint32_t saved = fp ? a->out->saved_xmm : a->out->saved_gpr, tried = 0;
    const uint8_t *homes = fp ? x64_home_xmm : x64_home_gpr;
    unsigned reg = XMM16, end = high ? BT_HALF_XMM : 0;
    for (;;) {
        unsigned best = n;
        uint32_t least = UINT32_MAX;
        for (unsigned i = n; i-- > 0;) {
            uint32_t cost = a->claims[fp][homes[i]] + (saved >> i & 1 ? 0 : DISTURBANCE);
            if (!(tried >> i & 1) && cost < least)
                best = i, least = cost;
        }
        if (best == n)
            return NO_REG;
        for (; least && reg < end; reg++) {
            if (try_reg(a, g, fp, reg))
                return reg;
        }
        tried |= 1u << best;
        if (try_reg(a, g, fp, homes[best]))
            return homes[best];
    }
}

/* Note, with sign 1, or forget which homes a bundle wants. */
static void claim(struct bt_allocator *a, const struct bt_bundle *b, int sign)
{
    for (uint32_t k = 0; k < b->nmembers; k++) {
        const struct bt_op *o = &a->r->ops[b->members[k]];
        unsigned home =
            o->slot == BT_NO_SLOT || o->op == BT_CONST ? NO_REG : a->home_of_slot[o->slot];
        if (home != NO_REG)
            a->claims[b->fp][home] += (uint32_t)(sign * HOME_WORTH);
    }
}

/* A value in a home register disturbs the home unless it is the home slot's: that is the entry value, or one
 * that becomes the slot's as soon as it is made, and every snapshot from there on names the slot. */
static void note_disturbed(struct bt_allocator *a, uint32_t v, unsigned reg, bool fp)
{
    const uint8_t *homes = fp ? x64_home_xmm : x64_home_gpr;
    const uint8_t *slots = fp ? a->r->guest->home_xmm : a->r->guest->home_gpr;
    unsigned n = fp ? GUEST_HOME_XMMS : GUEST_HOME_GPRS;
    for (unsigned i = 0; i < n; i++) {
        if (homes[i] != reg || slots[i] == GUEST_NO_SLOT || becomes(a, v) == slots[i])
            continue;
        if (fp)
            a->out->saved_xmm |= 1u << i;
        else
            a->out->saved_gpr |= 1u << i;
    }
}

/* ---- memory ---- */

static bool unit_is_free(struct bt_allocator *a, const struct bt_bundle *b, unsigned unit)
{
    const uint32_t *m = b->members;
    unsigned n = b->wide ? 2 : 1;
    for (unsigned u = unit; u < unit + n; u++) {
        for (uint32_t k = 0; k < b->nmembers; k++) {
            if (a->r->ops[m[k]].op != BT_ENTRY &&
                !is_free(unit_busy(a, u), a->live.iv[m[k]].ranges))
                return false;
        }
    }
    return true;
}

/* The slot that all members but entry values are written to as soon as they are made: as its home register (see
 * note_disturbed), its place in the cpu is theirs. */
static unsigned common_slot(const struct bt_allocator *a, const struct bt_bundle *b)
{
    unsigned slot = BT_NO_SLOT;
    for (uint32_t k = 0; k < b->nmembers; k++) {
        const struct bt_op *o = &a->r->ops[b->members[k]];
        if (o->op == BT_ENTRY)
            continue;
        if (o->slot == BT_NO_SLOT || (slot != BT_NO_SLOT && slot != o->slot) ||
            guest_vector_slot(a->r->guest, o->slot) != b->wide)
            return BT_NO_SLOT;
        slot = o->slot;
    }
    return slot;
}

static void entry_to_memory(struct bt_allocator *a, uint32_t v)
{
    /* Its slot keeps the value: nothing that lives at the same time is written there. A home is saved there. */
    const struct guest *g = a->r->guest;
    unsigned slot = a->r->ops[v].slot;
    a->out->loc[v] = (struct bt_loc){BT_UNIT, (uint8_t)slot};
    for (unsigned i = 0; i < GUEST_HOME_GPRS; i++)
        a->out->saved_gpr |= (uint32_t)(g->home_gpr[i] == slot) << i;
    for (unsigned i = 0; i < GUEST_HOME_XMMS; i++)
        a->out->saved_xmm |= (uint32_t)(g->home_xmm[i] == slot) << i;
}

/* Units for a bundle's members, one for all but entry values; false when there is none. */
static bool to_memory(struct bt_allocator *a, struct bt_bundle *b)
{
    unsigned unit = common_slot(a, b);
    b->in_memory = true;
    if (unit == BT_NO_SLOT || !unit_is_free(a, b, unit)) {
        unsigned step = b->wide ? 2 : 1;
        for (unit = SPILL_FIRST; unit < BT_SPARE_UNIT && !unit_is_free(a, b, unit);)
            unit += step;
    }
    for (uint32_t k = 0; k < b->nmembers; k++) {
        uint32_t v = b->members[k];
        if (a->r->ops[v].op == BT_CONST) {
            a->out->loc[v] = (struct bt_loc){BT_IMM, 0};
        } else if (a->r->ops[v].op == BT_ENTRY) {
            entry_to_memory(a, v);
        } else {
            if (unit == BT_SPARE_UNIT)
                return false;
            for (unsigned u = unit; u < unit + (b->wide ? 2 : 1); u++)
                occupy(unit_busy(a, u), a->live.iv[v].ranges);
            a->out->loc[v] = (struct bt_loc){BT_UNIT, (uint8_t)unit};
        }
    }
    return true;
}

/* ---- pieces ---- */

static struct bt_range *copy_of(struct bt_allocator *a, uint32_t v, uint32_t start, uint32_t end)
{
    struct bt_range *n = arena_new(a->r->arena, struct bt_range, 1);
    *n = (struct bt_range){start, end, v, NULL};
    return n;
}

/* The part of ranges inside [start, end). */
static struct bt_range *inside(struct bt_allocator *a, const struct bt_range *g, uint32_t start,
                               uint32_t end)
{
    struct bt_range *first = NULL, **to = &first;
    for (; g && g->start < end; g = g->next) {
        uint32_t s = g->start > start ? g->start : start, e = g->end < end ? g->end : end;
        if (s < e) {
            *to = copy_of(a, g->v, s, e);
            to = &(*to)->next;
        }
    }
    return first;
}

/* Take [start, end) out of ranges that are the caller's own. */
static struct bt_range *outside(struct bt_allocator *a, struct bt_range *first, uint32_t start,
                                uint32_t end)
{
    for (struct bt_range **p = &first; *p;) {
        struct bt_range *g = *p;
        if (g->end <= start || g->start >= end) {
            p = &g->next;
        } else if (g->start >= start && g->end <= end) {
            *p = g->next;
        } else if (g->start < start) {
            if (g->end > end) {
                struct bt_range *rest = copy_of(a, g->v, end, g->end);
                rest->next = g->next;
                g->next = rest;
            }
            g->end = start;
            p = &g->next;
        } else {
            g->start = end;
            p = &g->next;
        }
    }
    return first;
}

static bool encloses(const struct bt_allocator *a, uint32_t outer, uint32_t loop)
{
    while (loop != BT_NO_LOOP && loop != outer)
        loop = a->loops[loop].parent;
    return loop == outer;
}

static void push_piece(struct bt_allocator *a, uint32_t bundle, enum bt_piece piece, uint32_t loop,
                       struct bt_range *ranges)
{
    uint32_t heaviest;
    uint64_t w =
        weigh(a, &a->bundles[bundle], window_start(a, loop), window_end(a, loop), &heaviest);
    if (w && ranges)
        push(a, (struct bt_item){.key = key_of(w, heaviest, length_of(ranges)),
                                 .bundle = bundle,
                                 .loop = loop,
                                 .piece = piece,
                                 .ranges = ranges});
}

/* The window without the loops in which nothing uses the bundle; false when there are none. */
static bool push_without_idle(struct bt_allocator *a, uint32_t bundle, uint32_t loop)
{
    const struct bt_bundle *b = &a->bundles[bundle];
    struct bt_range *g = inside(a, b->ranges, window_start(a, loop), window_end(a, loop));
    uint32_t before = length_of(g), heaviest;
    for (uint32_t n = 0; n < a->nloops; n++) {
        if (n == loop || !encloses(a, loop, n))
            continue;
        uint32_t start = window_start(a, n), end = window_end(a, n);
        if (!weigh(a, b, start, end, &heaviest))
            g = outside(a, g, start, end);
    }
    if (length_of(g) == before)
        return false;
    push_piece(a, bundle, BT_WITHOUT_IDLE, loop, g);
    return true;
}

/* Within one block, from the first use to the last. */
static void push_locals(struct bt_allocator *a, uint32_t bundle, uint32_t block)
{
    const struct bt_bundle *b = &a->bundles[bundle];
    uint32_t from = a->live.block_from[block], end = a->live.block_from[block + 1];
    for (uint32_t k = 0; k < b->nmembers; k++) {
        uint32_t v = b->members[k], n = 0, first = 0, last = 0;
        uint64_t w = 0;
        for (const struct bt_use *u = a->live.iv[v].uses; u && u->pos < end; u = u->next) {
            if (u->pos < from)
                continue;
            first = n++ ? first : u->pos;
            last = u->pos;
            w += u->weight;
        }
        if (n < 2)
            continue;
        /* A value's own operation leaves it in the register until it is read. */
        struct bt_range *g = inside(a, a->live.iv[v].ranges, first, last + 1);
        uint32_t heaviest = bt_block_weight(&a->r->blocks[block]);
        if (g)
            push(a, (struct bt_item){.key = key_of(w - w / n, heaviest, length_of(g)),
                                     .bundle = bundle,
                                     .piece = BT_LOCAL,
                                     .ranges = g});
    }
}

/* A trial has failed: smaller ones. */
static void split(struct bt_allocator *a, const struct bt_item *it)
{
    const struct bt_bundle *b = &a->bundles[it->bundle];
    if (it->piece == BT_LOCAL)
        return;
    if (it->piece != BT_WITHOUT_IDLE && push_without_idle(a, it->bundle, it->loop))
        return;
    for (uint32_t n = 0; n < a->nloops; n++) {
        if (a->loops[n].parent == it->loop)
            push_piece(a, it->bundle, BT_WITHIN, n,
                       inside(a, b->ranges, window_start(a, n), window_end(a, n)));
    }
    uint32_t first = it->loop == BT_NO_LOOP ? 1 : a->loops[it->loop].first;
    uint32_t last = it->loop == BT_NO_LOOP ? a->r->nblocks - 1 : a->loops[it->loop].last;
    for (uint32_t i = first; i <= last; i++) {
        if (a->loop_of[i] == it->loop)
            push_locals(a, it->bundle, i);
    }
}

/* The target of an indirect jump is wanted in rcx while the state is written back: there it may lie from the first, unless it
 * lives on where the jump is believed to lead, and nothing else may. */
static void place_targets(struct bt_allocator *a)
{
    const struct bt_region *r = a->r;
    for (uint32_t i = 1; i < r->nblocks; i++) {
        uint32_t last = r->blocks[i].ops[r->blocks[i].nops - 1], v = r->ops[last].a;
        if (r->ops[last].op != UOP_jmp_ind)
            continue;
        struct bt_bundle *b = &a->bundles[a->bundle_of[v]];
        if (!r->blocks[i].nsuccs && r->ops[v].op < UOP_CODES && r->ops[v].block == i &&
            b->nmembers == 1 && !b->fp && b->ranges && try_reg(a, b->ranges, false, RCX)) {
            a->out->loc[v] = (struct bt_loc){BT_GPR, RCX};
            b->ranges = NULL;
        }
        occupy_range(a->busy_gpr[RCX], 2 * a->out->pos[last], 2 * a->out->pos[last] + 2);
    }
}

static void add_stretch(struct bt_allocator *a, uint32_t v, uint32_t start, uint32_t end,
                        struct bt_loc at)
{
    struct bt_stretch **p = &a->out->stretch[v];
    while (*p && (*p)->start < start)
        p = &(*p)->next;
    struct bt_stretch *s = arena_new(a->r->arena, struct bt_stretch, 1);
    *s = (struct bt_stretch){start, end, at, *p};
    *p = s;
}

/* Values that are cheap in memory: an entry value with few uses is read from its slot's place; what only snapshots
 * want goes there at once. */
static bool better_in_memory(struct bt_allocator *a, const struct bt_bundle *b)
{
    const struct bt_op *o = &a->r->ops[b->members[0]];
    uint32_t heaviest;
    if (b->nmembers != 1 || o->slot == BT_NO_SLOT || a->home_of_slot[o->slot] != NO_REG)
        return false;
    uint64_t w = weigh(a, b, 0, UINT32_MAX, &heaviest),
             made = bt_block_weight(&a->r->blocks[o->block]) / 4;
    if (o->op == BT_ENTRY)
        return w <= 16;
    unsigned unit = common_slot(a, b);
    return w <= made && made <= 2 && unit != BT_NO_SLOT && unit_is_free(a, b, unit);
}

/* Place a bundle or a piece of it; false when there are no units left. */
static bool place(struct bt_allocator *a, const struct bt_item *it)
{
    struct bt_bundle *b = &a->bundles[it->bundle];
    bool cheap = it->piece == BT_WHOLE && better_in_memory(a, b);
    if (it->piece == BT_WHOLE)
        claim(a, b, -1);
    unsigned reg = cheap ? NO_REG : find_reg(a, it->ranges, b->fp);
    if (reg != NO_REG) {
        struct bt_loc at = {b->fp ? BT_XMM : BT_GPR, (uint8_t)reg};
        for (uint32_t k = 0; it->piece == BT_WHOLE && k < b->nmembers; k++) {
            a->out->loc[b->members[k]] = at;
            note_disturbed(a, b->members[k], reg, b->fp);
        }
        for (const struct bt_range *g = it->ranges; it->piece != BT_WHOLE && g; g = g->next) {
            add_stretch(a, g->v, g->start, g->end, at);
            note_disturbed(a, g->v, reg, b->fp);
        }
        return true;
    }
    if (!b->in_memory && !to_memory(a, b))
        return false;
    if (!cheap)
        split(a, it);
    return true;
}

/* ---- values in several places ---- */

static uint32_t block_at(const struct bt_allocator *a, uint32_t pos)
{
    uint32_t low = 0, high = a->r->nblocks;
    while (high - low > 1) {
        uint32_t mid = (low + high) / 2;
        if (a->live.block_from[mid] <= pos)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* Is it cheaper to write the value to its unit when it is made than where it goes from a register to the unit? */
static bool write_early(const struct bt_allocator *a, uint32_t v)
{
    const struct bt_region *r = a->r;
    uint64_t late = 0;
    for (const struct bt_stretch *s = a->out->stretch[v]; s; s = s->next) {
        /* A stretch that ends inside a block has no edge to write on. */
        if (a->live.block_from[block_at(a, s->end)] == s->end)
            continue;
        for (const struct bt_range *g = a->live.iv[v].ranges; g; g = g->next) {
            if (g->start < s->end && g->end > s->end)
                return true;
        }
    }
    for (uint32_t i = 1; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        if (!bitset_test(a->live.live_in[i], v) ||
            bt_loc_at(a->out, v, a->live.block_from[i]).place != BT_UNIT)
            continue;
        for (uint32_t p = 0; p < b->npreds; p++) {
            const struct bt_block *from = &r->blocks[b->preds[p]];
            uint32_t w = bt_block_weight(from), to = bt_block_weight(b);
            if (bt_loc_at(a->out, v, 2 * a->out->pos[from->ops[from->nops - 1]]).place != BT_UNIT)
                late += w < to ? w : to;
        }
    }
    return bt_block_weight(&r->blocks[r->ops[v].block]) <= late;
}

static int compare_reloads(const void *x, const void *y)
{
    const struct bt_reload *a = x, *b = y;
    return a->pos < b->pos ? -1 : a->pos > b->pos;
}

static void finish_split(struct bt_allocator *a, uint32_t v)
{
    uint32_t covered = 0, n = 0;
    bool same = true;
    struct bt_stretch *first = a->out->stretch[v];
    for (struct bt_stretch *s = first; s; s = s->next, n++) {
        covered += s->end - s->start;
        same &= s->at.n == first->at.n;
    }
    bool whole = covered == length_of(a->live.iv[v].ranges);
    if (whole && same) {
        a->out->loc[v] = first->at;
        a->out->stretch[v] = NULL;
        return;
    }
    uint16_t op = a->r->ops[v].op;
    if (whole)
        a->out->loc[v] = (struct bt_loc){BT_NOWHERE, 0};
    else if (op != BT_ENTRY && op != BT_CONST && write_early(a, v))
        bitset_set(a->out->early, v);
    a->out->split[a->out->nsplit++] = v;
    for (struct bt_stretch *s = first; s; s = s->next) {
        if (a->live.block_from[block_at(a, s->start)] != s->start &&
            s->start != a->live.iv[v].ranges->start)
            a->out->reloads[a->out->nreloads++] = (struct bt_reload){s->start, v};
    }
}

static void finish(struct bt_allocator *a)
{
    const struct bt_region *r = a->r;
    uint32_t n = 0;
    for (uint32_t v = 1; v < r->nops; v++) {
        for (const struct bt_stretch *s = a->out->stretch[v]; s; s = s->next)
            n++;
    }
    a->out->early = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
    a->out->split = arena_new(r->arena, uint32_t, n);
    a->out->reloads = arena_new(r->arena, struct bt_reload, n);
    for (uint32_t v = 1; n && v < r->nops; v++) {
        if (a->out->stretch[v])
            finish_split(a, v);
    }
    qsort(a->out->reloads, a->out->nreloads, sizeof(*a->out->reloads), compare_reloads);
}

/* ---- the whole ---- */

static void begin_registers(struct bt_allocator *a)
{
    const struct guest *g = a->r->guest;
    memset(a->home_of_slot, NO_REG, sizeof(a->home_of_slot));
    for (unsigned i = 0; i < GUEST_HOME_GPRS; i++) {
        a->busy_gpr[x64_home_gpr[i]] = arena_znew(a->r->arena, uint64_t, a->words);
        if (g->home_gpr[i] != GUEST_NO_SLOT)
            a->home_of_slot[g->home_gpr[i]] = x64_home_gpr[i];
    }
    for (unsigned i = 0; i < GUEST_HOME_XMMS; i++) {
        a->busy_xmm[x64_home_xmm[i]] = arena_znew(a->r->arena, uint64_t, a->words);
        if (g->home_xmm[i] != GUEST_NO_SLOT)
            a->home_of_slot[g->home_xmm[i]] = x64_home_xmm[i];
    }
    a->busy_gpr[RCX] = arena_znew(a->r->arena, uint64_t, a->words);
    a->busy_gpr[RDX] = arena_znew(a->r->arena, uint64_t, a->words);
    /* Two-address instructions need a scratch register more, flags without lahf are C's. */
    const uint64_t needed = X64_FBIT(X64_F_AVX) | X64_FBIT(X64_F_LAHF);
    if (!(~a->features & needed))
        a->scratch = arena_znew(a->r->arena, uint64_t, a->words);
    a->high = a->scratch && x64_has_high(a->features);
    if (a->high)
        a->low = bt_find_low(a->r);
    fixed_uses(a);
}

/* Numbers for the operations, in the order of the layout. */
static void number(struct bt_allocator *a)
{
    const struct bt_region *r = a->r;
    uint32_t n = 1;
    a->out->pos = arena_znew(r->arena, uint32_t, r->nops);
    a->out->block_from = arena_new(r->arena, uint32_t, r->nblocks + 1);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        a->out->block_from[i] = 2 * n;
        for (uint32_t k = 0; k < r->blocks[i].nops; k++)
            a->out->pos[r->blocks[i].ops[k]] = n++;
    }
    a->out->block_from[r->nblocks] = 2 * n;
    a->words = (uint32_t)BITSET_WORDS(2 * n + 2);
}

bool bt_allocate(const struct bt_region *r, uint64_t host_features, struct bt_alloc *out)
{
    struct bt_allocator a = {.r = r, .out = out, .features = host_features};
    *out = (struct bt_alloc){.loc = arena_znew(r->arena, struct bt_loc, r->nops),
                             .stretch = arena_znew(r->arena, struct bt_stretch *, r->nops)};
    number(&a);
    a.live = (struct bt_live){.r = r, .pos = out->pos, .block_from = out->block_from};
    bt_find_live(&a.live);
    out->live_in = a.live.live_in;
    begin_registers(&a);
    bt_find_loops(&a);
    for (uint32_t k = 0; k < r->blocks[0].nops; k++) {
        uint32_t v = r->blocks[0].ops[k];
        if (r->ops[v].op == BT_CONST)
            out->loc[v] = (struct bt_loc){BT_IMM, 0};
        if (r->ops[v].op == BT_ENTRY) {
            for (unsigned u = 0; u < (guest_vector_slot(r->guest, r->ops[v].slot) ? 2 : 1); u++)
                occupy(unit_busy(&a, r->ops[v].slot + u), a.live.iv[v].ranges);
        }
    }
    bt_make_bundles(&a);
    place_targets(&a);
    a.heap_cap = r->nops + 64;
    a.heap = arena_new(r->arena, struct bt_item, a.heap_cap);
    for (uint32_t i = 1; i < r->nops && a.bundles[i].members; i++) {
        const struct bt_bundle *b = &a.bundles[i];
        uint32_t heaviest;
        if (!b->ranges)
            continue;
        struct bt_item it = {
            .bundle = i, .loop = BT_NO_LOOP, .piece = BT_WHOLE, .ranges = b->ranges};
        if (r->ops[b->members[0]].op == BT_CONST) {
            split(&a, &(struct bt_item){.bundle = i, .loop = BT_NO_LOOP, .piece = BT_WITHOUT_IDLE});
            continue;
        }
        claim(&a, b, 1);
        uint64_t w = weigh(&a, b, 0, UINT32_MAX, &heaviest);
        it.key = key_of(w, heaviest, length_of(b->ranges));
        push(&a, it);
    }
    while (a.nheap) {
        struct bt_item it = pop(&a);
        if (!place(&a, &it))
            return false;
    }
    finish(&a);
    return true;
}

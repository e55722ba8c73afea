/* Region choice: which guest blocks are translated together, and in which order they lie.
 *
 * A region has one head, where it is entered, and grows along the edges that the profile found
 * frequent, until a limit. Edges that lead elsewhere leave the region. The order is a reverse
 * postorder in which the likelier successor of a block tends to follow it and loops lie together,
 * so that the hot path falls through and live intervals stay short.
 *
 * Threading: see bt/ir.h. Links of guest blocks are read atomically; the profile may be torn.
 */
#include "base/bitset.h"
#include "bt/bt.h"
#include "bt/build.h"
#include "codecache/blocks.h"

/* An edge belongs to a region when it was taken at least once per this many entries of the head. */
#define COLD_RATIO 32
/* And when its code of level 1, where that has been counting, was entered at least once per this many rounds of the head's. */
#define COLD_ROUNDS 64
/* Level 1 takes a chain of so many blocks at most. */
#define LEVEL1_BLOCKS 4
/* A back edge that is taken less than once per this many entries of its target is no loop worth the name. */
#define RARE_TURN 16

const char *bt_cannot(const struct guest *g, const struct block *b)
{
    for (unsigned i = 0; i < b->nuops; i++) {
        const struct uop *u = &b->uops[i];
        const struct uop_info *info = &uop_info[u->op];
        if (info->flags & UOP_F_HELPER) {
            const struct guest_helper *h = &g->helpers[u->imm];
            if (h->reads_slots || h->writes_slots)
                return "helper that sees all slots";
        }
        if (u->op == UOP_fp_setmode)
            return "change of the rounding mode";
    }
    return NULL;
}

/* The two edges of a guest block: how many, where to, how often. */
static unsigned guest_edges(struct cpu *cpu, const struct block *b, struct block *to[2],
                            uint64_t pc[2], uint64_t freq[2])
{
    const struct uop *t = &b->uops[b->nuops - 1];
    if (uop_info[t->op].flags & UOP_F_BRANCH) {
        uint64_t taken = b->taken < b->count ? b->taken : b->count;
        pc[0] = b->pc + b->len, freq[0] = b->count - taken;
        pc[1] = (uint64_t)t->imm, freq[1] = taken;
    } else if (t->op == UOP_jmp) {
        pc[0] = (uint64_t)t->imm, freq[0] = b->count;
    } else {
        return 0;
    }
    unsigned n = t->op == UOP_jmp ? 1 : 2;
    for (unsigned e = 0; e < n; e++) {
        to[e] = __atomic_load_n(&b->succ[e], __ATOMIC_ACQUIRE);
        /* Translated code does not make the interpreter's links. */
        if (!to[e])
            to[e] = cc_lookup(cpu, pc[e]);
        if (to[e] && (to[e]->pc != pc[e] || to[e]->flags & BLOCK_DEAD || to[e]->code))
            to[e] = NULL;
    }
    return n;
}

static bool is_call(const struct block *b)
{
    const struct uop *t = &b->uops[b->nuops - 1];
    return t->op == UOP_jmp && t->c == JUMP_CALL;
}

struct choice {
    struct block *blocks[BT_MAX_BLOCKS];
    unsigned n;
    unsigned ninsns;
};

static unsigned find(const struct choice *c, const struct block *b)
{
    unsigned i = 0;
    while (i < c->n && c->blocks[i] != b)
        i++;
    return i;
}

static void add(struct choice *c, struct block *b)
{
    c->blocks[c->n++] = b;
    c->ninsns += b->ninsns;
}

/* Entries and turns that code of level 1 has counted for a block, which says more than the interpreter's first entries. A
 * block that better code has taken over is as hot as can be. */
static uint64_t rounds_of(struct cpu *cpu, struct block *b)
{
    const struct unit *u = cc_unit_of_block(cpu, b);
    if (!u)
        return b->count;
    return u->level == 1 ? cc_unit_rounds(u) : UINT64_MAX;
}

/* An edge that leaves the choice and may be followed. */
struct open_edge {
    struct block *to; /* NULL: no more */
    uint64_t freq;
};

/* The edges of the block that was added last. */
static unsigned open_edges(struct open_edge *out, const struct choice *c, struct cpu *cpu,
                           int level, uint64_t least, uint64_t least_rounds)
{
    const struct block *b = c->blocks[c->n - 1];
    struct block *to[2];
    uint64_t pc[2], freq[2];
    unsigned n = guest_edges(cpu, b, to, pc, freq), nout = 0;
    /* Of a call the callee is a region of its own: its return must find a host frame. */
    if (is_call(b) || (level == 1 && n != 1))
        return 0;
    for (unsigned e = 0; e < n; e++) {
        if (!to[e] || (level > 1 && freq[e] < least) || bt_cannot(cpu->guest, to[e]))
            continue;
        /* What is jumped to alone may lie in its predecessor's unit, which counts for both. */
        if (n == 2 && least_rounds && rounds_of(cpu, to[e]) < least_rounds)
            continue;
        out[nout++] = (struct open_edge){to[e], freq[e]};
    }
    return nout;
}

/* Grow along the most frequent edge that leaves the choice, again and again. */
static void grow(struct choice *c, struct cpu *cpu, int level)
{
    struct open_edge open[2 * BT_MAX_BLOCKS];
    const struct unit *u = level == 1 ? NULL : cc_unit_of_block(cpu, c->blocks[0]);
    uint64_t least = c->blocks[0]->count / COLD_RATIO + 1;
    uint64_t least_rounds = u && u->level == 1 ? cc_unit_rounds(u) / COLD_ROUNDS : 0;
    unsigned limit = level == 1 ? LEVEL1_BLOCKS : BT_MAX_BLOCKS - 1, nopen = 0;
    while (c->n < limit) {
        struct open_edge *best = NULL;
        nopen += open_edges(open + nopen, c, cpu, level, least, least_rounds);
        for (unsigned i = 0; i < nopen; i++) {
            struct open_edge *o = &open[i];
            if (o->to && (find(c, o->to) < c->n || c->ninsns + o->to->ninsns > BT_MAX_INSNS))
                o->to = NULL;
            if (o->to && (!best || o->freq >= best->freq))
                best = o;
        }
        if (!best)
            return;
        add(c, best->to);
        if (level == 1)
            nopen = 0;
    }
}

uint64_t bt_rounds_missing(struct cpu *cpu, struct block *head, uint64_t rate)
{
    struct choice c = {.n = 0};
    const struct unit *u = cc_unit_of_block(cpu, head);
    uint64_t done = 0, wanted;
    if (!u || bt_cannot(cpu->guest, head))
        return 0;
    add(&c, head);
    grow(&c, cpu, 2);
    for (unsigned i = 0; i < c.n; i++) {
        const struct unit *part = i ? cc_unit_of_block(cpu, c.blocks[i]) : u;
        if (part && part->level == 1)
            done += cc_unit_new_rounds(part) * part->ninsns;
    }
    wanted = rate * c.ninsns;
    return done >= wanted ? 0 : (wanted - done) / u->ninsns + 1;
}

/* ---- order ---- */

struct order {
    const struct choice *c;
    struct cpu *cpu;
    const uint8_t *depth; /* loop depth by choice index, from an earlier pass, or NULL */
    unsigned out[BT_MAX_BLOCKS];
    unsigned nout;
    bool seen[BT_MAX_BLOCKS];
};

static void visit(struct order *o, unsigned i)
{
    struct block *to[2];
    uint64_t pc[2], freq[2];
    o->seen[i] = true;
    unsigned n = guest_edges(o->cpu, o->c->blocks[i], to, pc, freq);
    if (is_call(o->c->blocks[i]))
        n = 0; /* leaves the region, wherever it leads */
    unsigned first = 0;
    if (n == 2 && to[0] && to[1]) {
        /* What is visited first lies last: leave the loop late, follow the likelier edge early. */
        unsigned a = find(o->c, to[0]), b = find(o->c, to[1]);
        if (a < o->c->n && b < o->c->n) {
            if (o->depth && o->depth[a] != o->depth[b])
                first = o->depth[a] < o->depth[b] ? 0 : 1;
            else
                first = freq[0] <= freq[1] ? 0 : 1;
        }
    }
    for (unsigned k = 0; k < n; k++) {
        unsigned e = n == 2 ? (first ^ k) : 0;
        unsigned j = to[e] ? find(o->c, to[e]) : o->c->n;
        if (j < o->c->n && !o->seen[j])
            visit(o, j);
    }
    o->out[o->nout++] = i;
}

/* Lay the chosen blocks out in r->blocks, the entry first, and connect them. */
static void lay_out(struct bt_region *r, const struct choice *c, const uint8_t *depth)
{
    struct order o = {.c = c, .cpu = r->cpu, .depth = depth};
    visit(&o, 0);
    r->nblocks = o.nout + 1;
    r->blocks = arena_znew(r->arena, struct bt_block, r->nblocks);
    unsigned place[BT_MAX_BLOCKS];
    for (unsigned i = 0; i < c->n; i++)
        place[i] = BT_EXIT_EDGE;
    for (unsigned i = 0; i < o.nout; i++)
        place[o.out[i]] = o.nout - i;

    r->blocks[0].pc = c->blocks[0]->pc;
    r->blocks[0].freq = c->blocks[0]->count;
    r->blocks[0].nsuccs = 1;
    r->blocks[0].succ[0] = (struct bt_edge){.to = 1, .pc = c->blocks[0]->pc};
    for (unsigned i = 0; i < c->n; i++) {
        if (place[i] == BT_EXIT_EDGE)
            continue;
        struct bt_block *b = &r->blocks[place[i]];
        struct block *to[2];
        uint64_t pc[2], freq[2];
        b->guest = c->blocks[i];
        b->pc = b->guest->pc;
        b->freq = b->guest->count;
        b->nsuccs = guest_edges(r->cpu, b->guest, to, pc, freq);
        bool call = is_call(b->guest);
        for (unsigned e = 0; e < b->nsuccs; e++) {
            /* By address, not by link: a target may be in the region though never linked. */
            uint32_t target = BT_EXIT_EDGE;
            for (unsigned j = 0; j < c->n && !call; j++) {
                if (c->blocks[j]->pc == pc[e])
                    target = place[j];
            }
            b->succ[e] = (struct bt_edge){.to = target, .pc = pc[e]};
        }
    }
    for (uint32_t i = 0; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        for (unsigned e = 0; e < b->nsuccs; e++) {
            if (b->succ[e].to != BT_EXIT_EDGE)
                r->blocks[b->succ[e].to].npreds++;
        }
    }
    for (uint32_t i = 0; i < r->nblocks; i++) {
        r->blocks[i].preds = arena_new(r->arena, uint32_t, r->blocks[i].npreds);
        r->blocks[i].npreds = 0;
    }
    for (uint32_t i = 0; i < r->nblocks; i++) {
        struct bt_block *b = &r->blocks[i];
        for (unsigned e = 0; e < b->nsuccs; e++) {
            struct bt_block *to = b->succ[e].to == BT_EXIT_EDGE ? NULL : &r->blocks[b->succ[e].to];
            if (to)
                to->preds[to->npreds++] = i;
        }
    }
}

/* ---- dominators and loops ---- */

static uint32_t common_dominator(const struct bt_region *r, uint32_t a, uint32_t b)
{
    while (a != b) {
        while (a > b)
            a = r->blocks[a].idom;
        while (b > a)
            b = r->blocks[b].idom;
    }
    return a;
}

static void mark_loop(struct bt_region *r, uint32_t head, uint32_t tail, uint64_t *body)
{
    /* All from which the tail is reached without passing the head. */
    uint32_t stack[BT_MAX_BLOCKS + 1];
    unsigned n = 0;
    bitset_set(body, head);
    if (!bitset_test(body, tail)) {
        bitset_set(body, tail);
        stack[n++] = tail;
    }
    while (n) {
        const struct bt_block *b = &r->blocks[stack[--n]];
        for (uint32_t p = 0; p < b->npreds; p++) {
            if (!bitset_test(body, b->preds[p])) {
                bitset_set(body, b->preds[p]);
                stack[n++] = b->preds[p];
            }
        }
    }
}

static bool dominates_tail(const struct bt_region *r, uint32_t head, uint32_t tail)
{
    while (tail > head)
        tail = r->blocks[tail].idom;
    return tail == head;
}

/* How often the profile saw control go from one block to another. */
static uint64_t edge_freq(const struct bt_region *r, uint32_t from, uint32_t to)
{
    const struct bt_block *b = &r->blocks[from];
    uint64_t taken = b->guest->taken < b->freq ? b->guest->taken : b->freq, sum = 0;
    for (uint32_t e = 0; e < b->nsuccs; e++) {
        if (b->succ[e].to == to)
            sum += b->nsuccs == 1 ? b->freq : e ? taken : b->freq - taken;
    }
    return sum;
}

/* The loops of a head. Usually it is one; where a region begins in the middle of nested loops, they have the same head:
 * then the one with the smaller body is the inner one, if it turns at least as often. A back edge that is
 * hardly ever taken makes no loop. */
static void mark_loops(struct bt_region *r, uint32_t h)
{
    struct bt_block *head = &r->blocks[h];
    uint64_t body[BITSET_WORDS(BT_MAX_BLOCKS + 1)] = {0}, turns = 0;
    head->loop_head = false;
    for (uint32_t tail = h; tail < r->nblocks; tail++) {
        bool from = false;
        for (uint32_t p = 0; p < head->npreds; p++)
            from |= head->preds[p] == tail;
        if (!from)
            continue;
        head->loop_head = true;
        uint64_t freq = edge_freq(r, tail, h);
        if (!dominates_tail(r, h, tail) || freq * RARE_TURN < head->freq)
            continue;
        if (turns && turns >= freq) {
            bitset_for_each(i, body, r->nblocks) r->blocks[i].loop_depth++;
            turns = 0;
        }
        mark_loop(r, h, tail, body);
        turns += freq;
    }
    bitset_for_each(i, body, r->nblocks) r->blocks[i].loop_depth++;
}

void bt_analyse_cfg(struct bt_region *r)
{
    for (uint32_t i = 0; i < r->nblocks; i++)
        r->blocks[i].idom = i ? UINT32_MAX : 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 1; i < r->nblocks; i++) {
            struct bt_block *b = &r->blocks[i];
            uint32_t dom = UINT32_MAX;
            for (uint32_t p = 0; p < b->npreds; p++) {
                if (r->blocks[b->preds[p]].idom == UINT32_MAX)
                    continue;
                dom = dom == UINT32_MAX ? b->preds[p] : common_dominator(r, dom, b->preds[p]);
            }
            if (dom != b->idom) {
                b->idom = dom;
                changed = true;
            }
        }
    }
    for (uint32_t h = 1; h < r->nblocks; h++)
        mark_loops(r, h);
}

bool bt_choose(struct bt_region *r, struct block *head, const char **bail)
{
    struct choice c = {.n = 0};
    *bail = bt_cannot(r->guest, head);
    if (*bail)
        return false;
    add(&c, head);
    grow(&c, r->cpu, r->level);

    lay_out(r, &c, NULL);
    bt_analyse_cfg(r);
    if (r->nblocks > 3) {
        /* Once more, with the loops known. */
        uint8_t depth[BT_MAX_BLOCKS] = {0};
        for (uint32_t i = 1; i < r->nblocks; i++)
            depth[find(&c, r->blocks[i].guest)] = r->blocks[i].loop_depth;
        lay_out(r, &c, depth);
        bt_analyse_cfg(r);
    }
    for (uint32_t i = 1; i < r->nblocks; i++) {
        r->ninsns += r->blocks[i].guest->ninsns;
        r->has_fp |= (r->blocks[i].guest->flags & BLOCK_FP) != 0;
    }
    return true;
}

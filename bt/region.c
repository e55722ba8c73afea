/* Region choice: which guest blocks are translated together, and in which order they lie.
 *
 * A region has one head, where it is entered, and grows along the edges that the profile found
 * frequent, until a limit. Edges that lead elsewhere leave the region. The order is a reverse
 * postorder in which the likelier successor of a block tends to follow it and loops lie together,
 * so that the hot path falls through and live intervals stay short.
 *
 * At level 2 a call is an edge into its callee when that is small and returns: the callee's blocks are in the region once
 * for each way of calling it (a context, see bt/ir.h), and its return is an edge to what follows
 * the call. A recursive callee comes in as often as contexts may be nested.
 *
 * Threading: see bt/ir.h. Links of guest blocks are read atomically; the profile may be torn.
 */
#include "base/bitset.h"
#include "bt/bt.h"
#include "bt/build.h"
#include "codecache/blocks.h"
#include "codecache/unit.h"
#include <string.h>

/* An edge belongs to a region when it was taken at least once per this many entries of the head. */
#define COLD_RATIO 32
/* And when its code of level 1, where that has been counting, was entered at least once per this many rounds of the head's. */
#define COLD_ROUNDS 64
/* An indirect jump is believed to go on as it did when it went elsewhere at most once in so many times. */
#define SURE_RATIO 4
/* Level 1 takes a chain of so many blocks at most. */
#define LEVEL1_BLOCKS 4
/* A back edge that is taken less than once per this many entries of its target is no loop worth the name. */
#define RARE_TURN 16
/* What is small enough to be translated where it is called: guest instructions and blocks. */
#define CALLEE_INSNS 64
#define CALLEE_BLOCKS 16
/* Guest instructions of callees in a region. */
#define INLINED_INSNS 300
/* Greater counts are as good as this one, which may be multiplied by 32-bit numbers. */
#define MAX_COUNT (UINT64_C(1) << 20)
/* Calls inside calls. */
#define MAX_DEPTH 3

/* An edge of a node. */
struct way {
    uint64_t pc, freq;
    struct block *to; /* NULL: not lifted yet, or not to be translated */
    uint32_t context; /* of the target */
    bool leaves;      /* the region, even when the target is in it */
    unsigned node;    /* the target, once all are chosen; NOT_CHOSEN */
};
#define NOT_CHOSEN UINT32_MAX

/* A guest block in a context. */
struct node {
    struct block *guest;
    uint32_t context;
    uint64_t freq; /* entries, in this context */
    unsigned nways;
    struct way way[2];
};

/* What was found about a callee that would be so many calls deep. */
#define MAX_VERDICTS 32
struct verdict {
    const struct block *callee;
    unsigned depth;
    bool fits;
};

struct choice {
    struct cpu *cpu;
    int level;
    struct bt_context contexts[BT_MAX_CONTEXTS];
    unsigned ncontexts;
    struct node nodes[BT_MAX_BLOCKS];
    unsigned n;
    unsigned ninsns, ninlined; /* guest instructions: in all, in callees */
    uint64_t entries, rounds;  /* of the head */
    struct verdict verdicts[MAX_VERDICTS];
    unsigned nverdicts;
    /* By context: entries of its blocks per entry that the profile counted, in 65536ths. */
    uint32_t scale[BT_MAX_CONTEXTS];
};

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

static const struct uop *terminator(const struct block *b)
{
    return &b->uops[b->nuops - 1];
}

static bool is_call(const struct block *b)
{
    const struct uop *t = terminator(b);
    return (t->op == UOP_jmp || t->op == UOP_jmp_ind) && t->c == JUMP_CALL;
}

static bool is_return(const struct block *b)
{
    const struct uop *t = terminator(b);
    return t->op == UOP_jmp_ind && t->c == JUMP_RET;
}

/* Entries of a block, in 256ths: the interpreter's profile is of small numbers. */
static uint64_t entries(const struct block *b)
{
    return (b->count < MAX_COUNT ? b->count : MAX_COUNT) << 8;
}

/* Entries and turns that code of level 1 has counted for a block, which says more than the interpreter's first entries. A
 * block that better code has taken over, as its head or as a part, is as hot as can be. */
static uint64_t rounds_of(struct cpu *cpu, struct block *b)
{
    const struct unit *u = cc_unit_of_block(cpu, b);
    if (!u)
        return b->count;
    return u->level == 1 && !u->settled ? cc_unit_rounds(u) : UINT64_MAX;
}

/* The guest block at pc if it may be translated; `link` is where a block before it may have it. */
static struct block *target(struct cpu *cpu, struct block *const *link, uint64_t pc)
{
    struct block *b = link ? __atomic_load_n(link, __ATOMIC_ACQUIRE) : NULL;
    /* Translated code does not make the interpreter's links. */
    if (!b)
        b = cc_lookup(cpu, pc);
    return !b || b->pc != pc || b->flags & BLOCK_DEAD || b->code || bt_cannot(cpu->guest, b) ? NULL
                                                                                             : b;
}

/* Correct the frequency of one of two ways, by what code of level 1 has counted. The interpreter leaves a block for good after
 * a few entries, in the middle of its first loop or recursion perhaps, and has then not seen the way out. What is
 * jumped to alone may lie in its predecessor's unit, which counts for both. */
static void correct(const struct choice *c, struct way *w, uint64_t count)
{
    if (!w->to || !c->rounds)
        return;
    uint64_t rounds = rounds_of(c->cpu, w->to);
    if (rounds < c->rounds / COLD_ROUNDS) {
        w->to = NULL;
    } else if (w->freq < count / COLD_RATIO + 1) {
        uint64_t freq = rounds < c->rounds ? c->entries * rounds / c->rounds : count;
        freq = freq < count ? freq : count;
        w->freq = freq > w->freq ? freq : w->freq;
    }
}

/* Where the block's terminator says that it leads: the number of ways, in a profile without contexts. */
static unsigned direct_ways(const struct choice *c, const struct block *b, struct way way[2])
{
    const struct uop *t = terminator(b);
    uint64_t count = entries(b), taken = b->taken << 8;
    unsigned n = 0;
    taken = taken < count ? taken : count;
    if (uop_info[t->op].flags & UOP_F_BRANCH) {
        way[n++] = (struct way){.pc = b->pc + b->len, .freq = count - taken};
        way[n++] = (struct way){.pc = (uint64_t)t->imm, .freq = taken};
    } else if (t->op == UOP_jmp) {
        way[n++] = (struct way){.pc = (uint64_t)t->imm, .freq = count};
    } else if (c->level > 1 && t->op == UOP_jmp_ind && t->c != JUMP_RET &&
               taken >= count / SURE_RATIO * (SURE_RATIO - 1)) {
        way[n++] = (struct way){.pc = b->target, .freq = taken};
    }
    for (unsigned e = 0; e < n; e++) {
        way[e].to = target(c->cpu, &b->succ[e], way[e].pc);
        if (n == 2 || t->op == UOP_jmp_ind)
            correct(c, &way[e], count);
    }
    return n;
}

/* ---- callees ---- */

/* May a callee come into the region? It must be small and be seen to return. A path that ends otherwise, by a call that is not
 * taken in above all, does not count: there the region is left, as without the inlining. */
static bool callee_fits(struct choice *c, struct block *callee, unsigned depth)
{
    struct block *seen[CALLEE_BLOCKS];
    uint64_t least = entries(callee) / COLD_RATIO + 1;
    unsigned n = 1, size = 0;
    bool returns = false;
    for (unsigned i = 0; i < c->nverdicts; i++) {
        if (c->verdicts[i].callee == callee && c->verdicts[i].depth == depth)
            return c->verdicts[i].fits;
    }
    seen[0] = callee;
    for (unsigned i = 0; i < n && size <= CALLEE_INSNS && n <= CALLEE_BLOCKS; i++) {
        struct block *b = seen[i];
        struct way way[2];
        unsigned nways = direct_ways(c, b, way);
        size += b->ninsns;
        returns |= is_return(b);
        if (is_call(b) && nways)
            way[0].to = way[0].to && depth < MAX_DEPTH && callee_fits(c, way[0].to, depth + 1)
                            ? target(c->cpu, NULL, b->pc + b->len)
                            : NULL;
        for (unsigned e = 0; e < nways; e++) {
            unsigned k = 0;
            while (k < n && seen[k] != way[e].to)
                k++;
            if (way[e].to && way[e].freq >= least && k == n && n++ < CALLEE_BLOCKS)
                seen[k] = way[e].to;
        }
    }
    bool fits = returns && size <= CALLEE_INSNS && n <= CALLEE_BLOCKS;
    if (c->nverdicts < MAX_VERDICTS)
        c->verdicts[c->nverdicts++] = (struct verdict){callee, depth, fits};
    return fits;
}

/* The context of what a call leads to that returns to pc; 0: no room. */
static uint32_t find_context(struct choice *c, uint32_t parent, uint64_t pc)
{
    uint32_t i = 1;
    while (i < c->ncontexts && (c->contexts[i].parent != parent || c->contexts[i].pc != pc))
        i++;
    if (i == BT_MAX_CONTEXTS)
        return 0;
    if (i == c->ncontexts)
        c->contexts[c->ncontexts++] =
            (struct bt_context){.pc = pc, .parent = parent, .depth = c->contexts[parent].depth + 1};
    return i;
}

/* A node whose block calls: into the callee, or out of the region. */
static void way_of_call(struct choice *c, const struct node *n, struct way *w)
{
    unsigned depth = c->contexts[n->context].depth;
    w->leaves = true;
    if (c->level == 1 || !w->to || depth == MAX_DEPTH || !callee_fits(c, w->to, depth + 1))
        return;
    w->context = find_context(c, n->context, n->guest->pc + n->guest->len);
    w->leaves = !w->context;
    if (w->context) {
        uint64_t scale = entries(w->to) ? (w->freq << 16) / entries(w->to) : 0;
        c->scale[w->context] = scale < 1 << 16 ? (uint32_t)scale : 1 << 16;
    }
}

static void find_ways(struct choice *c, struct node *n)
{
    uint32_t scale = c->scale[n->context];
    n->freq = entries(n->guest) * scale >> 16;
    n->nways = direct_ways(c, n->guest, n->way);
    for (unsigned e = 0; e < n->nways; e++) {
        n->way[e].context = n->context;
        n->way[e].freq = n->way[e].freq * scale >> 16;
    }
    if (is_call(n->guest) && n->nways) {
        way_of_call(c, n, &n->way[0]);
    } else if (is_return(n->guest) && n->context) {
        const struct bt_context *x = &c->contexts[n->context];
        n->way[n->nways++] = (struct way){
            .pc = x->pc, .freq = n->freq, .to = target(c->cpu, NULL, x->pc), .context = x->parent};
    }
}

/* ---- choice ---- */

static unsigned find(const struct choice *c, uint64_t pc, uint32_t context)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (c->nodes[i].guest->pc == pc && c->nodes[i].context == context)
            return i;
    }
    return NOT_CHOSEN;
}

static void add(struct choice *c, struct block *b, uint32_t context)
{
    struct node *n = &c->nodes[c->n++];
    *n = (struct node){.guest = b, .context = context};
    c->ninsns += b->ninsns;
    c->ninlined += context ? b->ninsns : 0;
    find_ways(c, n);
}

/* Grow along the most frequent edge that leaves the choice, again and again. */
static void grow(struct choice *c)
{
    const struct way *open[2 * BT_MAX_BLOCKS]; /* edges that may be followed, in the order found */
    uint64_t least = c->nodes[0].freq / COLD_RATIO + 1;
    /* A callee that is left halfway costs more than one that is not entered. */
    uint64_t least_inside = c->nodes[0].freq / COLD_RATIO / 4 + 1;
    unsigned limit = c->level == 1 ? LEVEL1_BLOCKS : BT_MAX_BLOCKS - 1, nopen = 0;
    while (c->n < limit) {
        const struct node *n = &c->nodes[c->n - 1];
        const struct way *best = NULL;
        if (c->level == 1)
            nopen = 0;
        for (unsigned e = 0; e < n->nways && (c->level > 1 || n->nways == 1); e++) {
            const struct way *w = &n->way[e];
            if (w->to && !w->leaves &&
                (c->level == 1 || w->freq >= (n->context ? least_inside : least)) &&
                find(c, w->pc, w->context) == NOT_CHOSEN)
                open[nopen++] = w;
        }
        unsigned kept = 0;
        for (unsigned i = 0; i < nopen; i++) {
            const struct way *w = open[i];
            /* Chosen by now, or too large: from now on always. */
            if ((w->pc == n->guest->pc && w->context == n->context) ||
                c->ninsns + w->to->ninsns > BT_MAX_INSNS ||
                (w->context && c->ninlined + w->to->ninsns > INLINED_INSNS))
                continue;
            open[kept++] = w;
            if (!best || w->freq >= best->freq)
                best = w;
        }
        nopen = kept;
        if (!best)
            break;
        add(c, best->to, best->context);
    }
}

static void connect(struct choice *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        for (unsigned e = 0; e < c->nodes[i].nways; e++) {
            /* By address, not by link: a target may be in the region though never linked. */
            struct way *w = &c->nodes[i].way[e];
            w->node = w->leaves ? NOT_CHOSEN : find(c, w->pc, w->context);
        }
    }
}

static void choose(struct choice *c, struct cpu *cpu, struct block *head, int level)
{
    const struct unit *u = level == 1 ? NULL : cc_unit_of_block(cpu, head);
    c->cpu = cpu;
    c->level = level;
    c->n = c->ninsns = c->ninlined = c->nverdicts = 0;
    c->contexts[0] = (struct bt_context){0};
    c->ncontexts = 1;
    c->scale[0] = 1 << 16;
    c->entries = entries(head);
    c->rounds = u && u->level == 1 ? cc_unit_rounds(u) : 0;
    add(c, head, 0);
    grow(c);
}

uint64_t bt_rounds_missing(struct cpu *cpu, struct block *head, uint64_t rate)
{
    struct choice c;
    const struct unit *u = cc_unit_of_block(cpu, head);
    uint64_t done = 0, wanted;
    if (!u || bt_cannot(cpu->guest, head))
        return 0;
    choose(&c, cpu, head, 2);
    for (unsigned i = 0; i < c.n; i++) {
        struct block *b = c.nodes[i].guest;
        unsigned k = 0;
        while (c.nodes[k].guest != b)
            k++;
        /* Once, in however many contexts it is. */
        const struct unit *part = k == i ? cc_unit_of_block(cpu, b) : NULL;
        if (part && part->level == 1)
            done += cc_unit_new_rounds(part) * part->ninsns;
    }
    wanted = rate * c.ninsns;
    return done >= wanted ? 0 : (wanted - done) / u->ninsns + 1;
}

/* ---- order ---- */

struct order {
    const struct choice *c;
    const uint8_t *depth; /* loop depth by node, from an earlier pass, or NULL */
    unsigned out[BT_MAX_BLOCKS];
    unsigned nout;
    bool seen[BT_MAX_BLOCKS];
};

static void visit(struct order *o, unsigned i)
{
    const struct node *n = &o->c->nodes[i];
    const struct way *w = n->way;
    o->seen[i] = true;
    unsigned first = 0;
    if (n->nways == 2 && w[0].node != NOT_CHOSEN && w[1].node != NOT_CHOSEN) {
        /* What is visited first lies last: leave the loop late, follow the likelier edge early. */
        if (o->depth && o->depth[w[0].node] != o->depth[w[1].node])
            first = o->depth[w[0].node] < o->depth[w[1].node] ? 0 : 1;
        else
            first = w[0].freq <= w[1].freq ? 0 : 1;
    }
    for (unsigned k = 0; k < n->nways; k++) {
        unsigned j = w[n->nways == 2 ? (first ^ k) : 0].node;
        if (j != NOT_CHOSEN && !o->seen[j])
            visit(o, j);
    }
    o->out[o->nout++] = i;
}

/* Lay the chosen blocks out in r->blocks, the entry first, and connect them. node[] gets the node of each. */
static void lay_out(struct bt_region *r, const struct choice *c, const uint8_t *depth,
                    unsigned *node)
{
    struct order o = {.c = c, .depth = depth};
    visit(&o, 0);
    r->nblocks = o.nout + 1;
    r->blocks = arena_znew(r->arena, struct bt_block, r->nblocks);
    unsigned place[BT_MAX_BLOCKS];
    for (unsigned i = 0; i < o.nout; i++) {
        place[o.out[i]] = o.nout - i;
        node[o.nout - i] = o.out[i];
    }

    memcpy(r->contexts, c->contexts, c->ncontexts * sizeof(*c->contexts));
    uint64_t count = c->nodes[0].freq;
    r->blocks[0].pc = r->pc;
    r->blocks[0].freq = count;
    r->blocks[0].nsuccs = 1;
    r->blocks[0].succ[0] = (struct bt_edge){.to = 1, .pc = r->pc, .freq = count};
    for (uint32_t i = 1; i < r->nblocks; i++) {
        const struct node *n = &c->nodes[node[i]];
        struct bt_block *b = &r->blocks[i];
        b->guest = n->guest;
        b->pc = n->guest->pc;
        b->context = n->context;
        b->freq = n->freq;
        for (unsigned e = 0; e < n->nways; e++) {
            const struct way *w = &n->way[e];
            uint32_t to = w->node == NOT_CHOSEN ? BT_EXIT_EDGE : place[w->node];
            if (to != BT_EXIT_EDGE || terminator(n->guest)->op != UOP_jmp_ind)
                b->succ[b->nsuccs++] = (struct bt_edge){.to = to, .pc = w->pc, .freq = w->freq};
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
    uint64_t sum = 0;
    for (uint32_t e = 0; e < b->nsuccs; e++) {
        if (b->succ[e].to == to)
            sum += b->succ[e].freq;
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

void bt_take_flags(struct bt_region *r, const struct block *b)
{
    r->has_fp |= (b->flags & BLOCK_FP) != 0;
    r->flushes = b->rules & FP_FZ;
    r->defaults = b->rules & FP_DN;
    r->soft_halves = b->rules & (FP_FZ16 | FP_AHP);
    r->looks |= b->flags & BLOCK_FP_LOOK && cc_traps(r->guest);
    r->traps = cc_traps(r->guest) && !r->looks;
}

bool bt_choose(struct bt_region *r, struct block *head, const char **bail)
{
    struct choice c;
    unsigned node[BT_MAX_BLOCKS];
    *bail = bt_cannot(r->guest, head);
    if (*bail)
        return false;
    choose(&c, r->cpu, head, r->level);
    connect(&c);

    lay_out(r, &c, NULL, node);
    bt_analyse_cfg(r);
    if (r->nblocks > 3) {
        /* Once more, with the loops known. */
        uint8_t depth[BT_MAX_BLOCKS] = {0};
        for (uint32_t i = 1; i < r->nblocks; i++)
            depth[node[i]] = r->blocks[i].loop_depth;
        lay_out(r, &c, depth, node);
        bt_analyse_cfg(r);
    }
    for (uint32_t i = 1; i < r->nblocks; i++) {
        r->ninsns += r->blocks[i].guest->ninsns;
        bt_take_flags(r, r->blocks[i].guest);
    }
    return true;
}

/* SSA construction: guest slots become values.
 *
 * The method is the one of Braun and others ("Simple and Efficient Construction of Static Single
 * Assignment Form", CC 2013): a read of a slot looks for its definition backwards and places phis
 * where predecessors differ; a loop head, some of whose predecessors are not built yet, gets an
 * incomplete phi that is completed at the end. Phis that turn out to merge one value are
 * replaced by it.
 *
 * A snapshot names a slot only where some path from the entry writes it: `mod` sets, by forward data
 * flow.
 *
 * Threading: see bt/ir.h.
 */
#include "base/bitset.h"
#include "bt/alloc.h"
#include "bt/build.h"
#include <string.h>

#define SLOT_WORDS BITSET_WORDS(CPU_TEMP_BASE)

struct incomplete {
    uint32_t phi;
    struct incomplete *next;
};

struct builder {
    struct bt_region *r;
    unsigned nslots;
    uint32_t *defs; /* [block * nslots + slot]: value at the end of what is built so far */
    uint64_t (*mod)[SLOT_WORDS]; /* slots written on some path to the end of the block */
    uint64_t (*mod_in)[SLOT_WORDS];
    bool *built;                   /* the block's operations are there */
    struct incomplete *incomplete; /* phis in blocks with unbuilt predecessors */
    struct bt_renames names;       /* of phis that merge one value */
    uint32_t temps[CPU_UNITS];     /* values of temporaries, in the current instruction */
    bool whole[CPU_UNITS];         /* it is the vector that the temporary is half of */
    uint32_t last_fault;           /* the latest operation with a snapshot */
};

/* ---- growing arrays in the arena ---- */

static void *grow(struct arena *a, void *old, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return old;
    uint32_t bigger = *cap ? *cap * 2 : 64;
    void *p = arena_alloc(a, bigger * size, 16);
    if (n)
        memcpy(p, old, n * size);
    *cap = bigger;
    return p;
}

void bt_reserve_ops(struct bt_region *r, uint32_t extra)
{
    while (r->ops_cap < r->nops + extra) {
        uint32_t n = r->nops, cap = r->ops_cap;
        r->ops = grow(r->arena, r->ops, cap, &r->ops_cap, sizeof(*r->ops));
        r->nops = n;
    }
}

uint32_t bt_new_op(struct bt_region *r, uint16_t op, uint8_t kind, uint32_t a, uint32_t b,
                   uint32_t c, int64_t imm, uint32_t block)
{
    r->ops = grow(r->arena, r->ops, r->nops, &r->ops_cap, sizeof(*r->ops));
    r->ops[r->nops] = (struct bt_op){.op = op,
                                     .kind = kind,
                                     .slot = BT_NO_SLOT,
                                     .a = a,
                                     .b = b,
                                     .c = c,
                                     .imm = imm,
                                     .block = block};
    return r->nops++;
}

static void reserve(struct bt_region *r, struct bt_block *b)
{
    b->ops = grow(r->arena, b->ops, b->nops, &b->cap, sizeof(*b->ops));
}

void bt_append(struct bt_region *r, uint32_t block, uint32_t value)
{
    struct bt_block *b = &r->blocks[block];
    reserve(r, b);
    b->ops[b->nops++] = value;
    r->ops[value].block = block;
}

uint32_t bt_insert(struct bt_region *r, uint32_t block, uint32_t *at, uint16_t op, uint32_t a,
                   uint32_t b, uint32_t c, int64_t imm)
{
    uint32_t v = bt_new_op(r, op, UOP_K_I, a, b, c, imm, block);
    struct bt_block *x = &r->blocks[block];
    reserve(r, x);
    memmove(x->ops + *at + 1, x->ops + *at, (x->nops - *at) * sizeof(*x->ops));
    x->nops++;
    x->ops[(*at)++] = v;
    return v;
}

/* Before the entry block's terminator. */
static uint32_t place_in_entry(struct bt_region *r, uint32_t value)
{
    struct bt_block *b = &r->blocks[0];
    reserve(r, b);
    memmove(b->ops + b->nops, b->ops + b->nops - 1, sizeof(*b->ops));
    b->ops[b->nops++ - 1] = value;
    return value;
}

uint32_t bt_const(struct bt_region *r, uint64_t v)
{
    struct bt_block *b = &r->blocks[0];
    for (uint32_t i = b->nops, tries = 8; i-- > 0 && tries; tries--) {
        const struct bt_op *o = &r->ops[b->ops[i]];
        if (o->op == BT_CONST && (uint64_t)o->imm == v)
            return b->ops[i];
    }
    return place_in_entry(r, bt_new_op(r, BT_CONST, UOP_K_I, 0, 0, 0, (int64_t)v, 0));
}

static uint8_t slot_kind(const struct guest *g, unsigned slot)
{
    return guest_vector_slot(g, slot) ? UOP_K_V : UOP_K_I;
}

static uint32_t entry_value(struct builder *s, unsigned slot)
{
    struct bt_region *r = s->r;
    if (!r->entry[slot]) {
        uint32_t v = bt_new_op(r, BT_ENTRY, slot_kind(r->guest, slot), 0, 0, 0, 0, 0);
        r->ops[v].slot = (uint8_t)slot;
        r->entry[slot] = place_in_entry(r, v);
    }
    return r->entry[slot];
}

/* ---- slots ---- */

static uint32_t read_slot(struct builder *s, uint32_t block, unsigned slot);

static uint32_t new_phi(struct builder *s, uint32_t block, unsigned slot)
{
    struct bt_region *r = s->r;
    struct bt_block *b = &r->blocks[block];
    uint32_t v = bt_new_op(r, BT_PHI, slot_kind(r->guest, slot), 0, 0, 0, 0, block);
    r->ops[v].slot = (uint8_t)slot;
    /* Phis come first, in any order among themselves. */
    reserve(r, b);
    memmove(b->ops + 1, b->ops, b->nops * sizeof(*b->ops));
    b->ops[0] = v;
    b->nops++;
    s->defs[block * s->nslots + slot] = v;
    return v;
}

uint32_t bt_new_phi(struct bt_region *r, uint32_t block, const uint32_t *args)
{
    struct bt_block *b = &r->blocks[block];
    uint32_t v = bt_new_op(r, BT_PHI, UOP_K_I, r->nphi_args, 0, 0, 0, block);
    for (uint32_t p = 0; p < b->npreds; p++) {
        r->phi_args = grow(r->arena, r->phi_args, r->nphi_args, &r->phi_args_cap, sizeof(uint32_t));
        r->phi_args[r->nphi_args++] = args[p] ? args[p] : v;
    }
    reserve(r, b);
    memmove(b->ops + 1, b->ops, b->nops * sizeof(*b->ops));
    b->ops[0] = v;
    b->nops++;
    return v;
}

static void complete_phi(struct builder *s, uint32_t v)
{
    struct bt_region *r = s->r;
    uint32_t block = r->ops[v].block, n = r->blocks[block].npreds;
    unsigned slot = r->ops[v].slot;
    uint32_t args[BT_MAX_BLOCKS * 2];
    for (uint32_t p = 0; p < n; p++)
        args[p] = read_slot(s, r->blocks[block].preds[p], slot);
    r->ops[v].a = r->nphi_args;
    for (uint32_t p = 0; p < n; p++) {
        r->phi_args = grow(r->arena, r->phi_args, r->nphi_args, &r->phi_args_cap, sizeof(uint32_t));
        r->phi_args[r->nphi_args++] = args[p];
    }
}

static uint32_t read_slot(struct builder *s, uint32_t block, unsigned slot)
{
    struct bt_region *r = s->r;
    if (slot == r->guest->zero_slot)
        return bt_const(r, 0);
    uint32_t *def = &s->defs[block * s->nslots + slot];
    if (*def)
        return *def;
    struct bt_block *b = &r->blocks[block];
    if (block == 0)
        return *def = entry_value(s, slot);
    if (b->npreds == 1 && s->built[b->preds[0]])
        return *def = read_slot(s, b->preds[0], slot);
    bool ready = true;
    for (uint32_t p = 0; p < b->npreds; p++)
        ready &= s->built[b->preds[p]];
    uint32_t v = new_phi(s, block, slot);
    if (ready) {
        complete_phi(s, v);
    } else {
        struct incomplete *i = arena_new(r->arena, struct incomplete, 1);
        *i = (struct incomplete){v, s->incomplete};
        s->incomplete = i;
    }
    return v;
}

/* ---- vectors: a pair of units is one value of 128 bits ---- */

static bool is_vector(const struct bt_region *r, uint32_t v)
{
    return r->ops[v].kind == UOP_K_V;
}

static uint32_t new_pure(struct builder *s, uint32_t block, uint16_t op, uint32_t a, uint32_t b,
                         int64_t imm)
{
    uint32_t v = bt_new_op(s->r, op, uop_info[op].d, a, b, 0, imm, block);
    bt_append(s->r, block, v);
    return v;
}

/* Half h of vector v as a 64-bit value: the low one is the vector itself (bt/ir.h). */
static uint32_t half_of(struct builder *s, uint32_t block, uint32_t v, unsigned h)
{
    const struct bt_op *o = &s->r->ops[v];
    if (o->op == UOP_vpair)
        return h ? o->b : o->a;
    if (o->op == UOP_vzext && h)
        return bt_const(s->r, 0);
    /* A float dies where it becomes a vector, so that both are one register. */
    if (o->op == UOP_vzext && o->imm == 3 && s->r->ops[o->a].kind == UOP_K_I)
        return o->a;
    return h ? new_pure(s, block, UOP_vget, v, 0, BT_LANE(1, 3)) : v;
}

/* A 64-bit value whose upper half is defined. */
static uint32_t widened(struct builder *s, uint32_t block, uint32_t v)
{
    return s->r->ops[v].kind == UOP_K_S ? new_pure(s, block, UOP_zext32, v, 0, 0) : v;
}

/* A value that is loaded to become part of a vector is loaded into a vector register. */
static uint32_t vector_part(struct builder *s, uint32_t v)
{
    struct bt_op *o = &s->r->ops[v];
    if (o->op == UOP_ld_64)
        o->kind = UOP_K_D;
    else if (o->op == UOP_ld_u32)
        o->kind = UOP_K_S;
    return v;
}

/* Is v half of a vector, which one, and which half? */
static bool is_half(const struct bt_region *r, uint32_t v, uint32_t *of, unsigned *h)
{
    const struct bt_op *o = &r->ops[v];
    *h = o->op == UOP_vget && o->imm == BT_LANE(1, 3);
    *of = *h ? o->a : v;
    return *h || is_vector(r, v);
}

static uint32_t pair(struct builder *s, uint32_t block, uint32_t low, uint32_t high)
{
    struct bt_region *r = s->r;
    uint32_t v, w;
    unsigned hv, hw;
    low = vector_part(s, low);
    if (bt_is_const(r, high) && !r->ops[high].imm)
        return new_pure(s, block, UOP_vzext, low, 0, r->ops[low].kind == UOP_K_S ? 2 : 3);
    if (is_half(r, low, &v, &hv) && is_half(r, high, &w, &hw)) {
        if (v == w && hv == hw)
            return new_pure(s, block, UOP_vrep, v, 0, BT_LANE(hv, 3));
        if (hv == hw)
            return new_pure(s, block, hv ? UOP_vzip2 : UOP_vzip1, v, w, 3);
        if (hv)
            return new_pure(s, block, UOP_vext, v, w, 8);
        return v == w ? v : new_pure(s, block, UOP_vins, w, v, BT_LANE(0, 3));
    }
    if (low == high)
        return new_pure(s, block, UOP_vdup, widened(s, block, low), 0, 3);
    low = widened(s, block, low);
    return new_pure(s, block, UOP_vpair, low, widened(s, block, vector_part(s, high)), 0);
}

/* Vector v with half h replaced. */
static uint32_t with_half(struct builder *s, uint32_t block, uint32_t v, unsigned h, uint32_t half)
{
    const struct bt_op *o = &s->r->ops[v];
    bool known = o->op == UOP_vpair || o->op == UOP_vzext;
    if (h && (o->op == UOP_vset || o->op == UOP_vins) && o->imm == BT_LANE(0, 3))
        return pair(s, block, o->b, half); /* both halves are written */
    if (known || (h && bt_is_const(s->r, half) && !s->r->ops[half].imm)) {
        uint32_t other = half_of(s, block, v, !h);
        return pair(s, block, h ? other : half, h ? half : other);
    }
    uint32_t w;
    unsigned hw;
    if (is_half(s->r, half, &w, &hw))
        return new_pure(s, block, UOP_vins, v, w, BT_LANE(h, 3) | (int64_t)hw << 8);
    return new_pure(s, block, UOP_vset, v, widened(s, block, vector_part(s, half)), BT_LANE(h, 3));
}

/* ---- operations ---- */

/* The slot whose value a unit is or is part of. */
static unsigned variable(const struct builder *s, unsigned unit)
{
    const struct guest *g = s->r->guest;
    return guest_vector_slot(g, unit) ? unit - ((unit - g->vec_first) & 1u) : unit;
}

static uint32_t read_unit(struct builder *s, uint32_t block, unsigned unit)
{
    if (unit >= CPU_TEMP_BASE)
        return s->whole[unit] ? half_of(s, block, s->temps[unit], unit & 1) : s->temps[unit];
    unsigned slot = variable(s, unit);
    uint32_t v = read_slot(s, block, slot);
    return is_vector(s->r, v) ? half_of(s, block, v, unit - slot) : v;
}

static uint32_t read_vector(struct builder *s, uint32_t block, unsigned unit)
{
    if (unit < CPU_TEMP_BASE && guest_vector_slot(s->r->guest, unit))
        return read_slot(s, block, unit);
    if (unit >= CPU_TEMP_BASE && s->whole[unit] && s->whole[unit + 1] &&
        s->temps[unit] == s->temps[unit + 1])
        return s->temps[unit];
    uint32_t low = read_unit(s, block, unit);
    return pair(s, block, low, read_unit(s, block, unit + 1));
}

/* Operations on integers that look at the low half of an operand alone, or expect a float there (keep_float). */
static bool takes_float(const struct uop *u)
{
    switch (u->op) {
    case UOP_box_f32:
    case UOP_fcanon_f32:
    case UOP_zext32:
    case UOP_st_32:
        return true;
    case UOP_xor_64_i:
    case UOP_and_64_i:
        return (uint64_t)u->imm <= UINT32_MAX;
    default:
        return bt_low_half_only(u->op);
    }
}

static uint32_t read_operand(struct builder *s, uint32_t block, const struct uop *u, uint8_t kind,
                             unsigned unit)
{
    if (kind == UOP_K_N)
        return 0;
    if (kind == UOP_K_V || kind == UOP_K_P)
        return read_vector(s, block, unit);
    uint32_t v = read_unit(s, block, unit);
    const struct bt_op *o = &s->r->ops[v];
    /* A float's operation looks at the low 32 bits alone. */
    bool low32 = o->op == UOP_zext32 && (is_vector(s->r, o->a) || s->r->ops[o->a].kind == UOP_K_S);
    if (kind == UOP_K_S && (low32 || (o->op == UOP_vget && o->imm == BT_LANE(0, 2))))
        return o->a;
    return kind == UOP_K_I && !takes_float(u) ? widened(s, block, v) : v;
}

/* Changing the sign of a float in a vector register is done there. */
static void keep_float(const struct bt_region *r, struct bt_op *o)
{
    const struct bt_op *a = &r->ops[o->a];
    if (o->op != UOP_xor_64_i && o->op != UOP_and_64_i)
        return;
    bool low32 = (uint64_t)o->imm <= UINT32_MAX;
    if (low32 && a->op == UOP_zext32 && r->ops[a->a].kind == UOP_K_V) {
        o->a = a->a;
        o->kind = UOP_K_S;
    } else if (low32 && a->kind == UOP_K_S) {
        o->kind = UOP_K_S;
    } else if (!low32 && (a->kind == UOP_K_V || bt_is_float(r, o->a))) {
        o->kind = UOP_K_D;
    }
}

static void write_slot(struct builder *s, uint32_t block, unsigned slot, uint32_t v)
{
    s->defs[block * s->nslots + slot] = v;
    bitset_set(s->mod[block], slot);
    /* Only if no operation that may fault lies between the making and the writing: then the slot's register
     * may hold the value from the first, see note_disturbed in bt/alloc.c. */
    if (s->r->ops[v].slot == BT_NO_SLOT && v >= s->last_fault)
        s->r->ops[v].slot = (uint8_t)slot;
}

static void write_unit(struct builder *s, uint32_t block, unsigned unit, uint32_t v)
{
    if (unit >= CPU_TEMP_BASE) {
        s->temps[unit] = v;
        s->whole[unit] = false;
        return;
    }
    unsigned slot = variable(s, unit);
    if (guest_vector_slot(s->r->guest, unit))
        v = with_half(s, block, read_slot(s, block, slot), unit - slot, v);
    else if (is_vector(s->r, v))
        v = new_pure(s, block, UOP_vget, v, 0, BT_LANE(0, 3));
    else if (s->r->guest->vec_end)
        v = widened(s, block, v);
    write_slot(s, block, slot, v);
}

static void write_vector(struct builder *s, uint32_t block, unsigned unit, uint32_t v)
{
    if (unit >= CPU_TEMP_BASE) {
        s->temps[unit] = s->temps[unit + 1] = v;
        s->whole[unit] = s->whole[unit + 1] = true;
    } else if (guest_vector_slot(s->r->guest, unit)) {
        write_slot(s, block, unit, v);
    } else {
        write_unit(s, block, unit, half_of(s, block, v, 0));
        write_unit(s, block, unit + 1, half_of(s, block, v, 1));
    }
}

void bt_add_snap_entry(struct bt_region *r, uint32_t value, uint8_t slot)
{
    r->snap_entries = grow(r->arena, r->snap_entries, r->nsnap_entries, &r->snap_entries_cap,
                           sizeof(*r->snap_entries));
    r->snap_entries[r->nsnap_entries++] = (struct bt_snap_entry){value, slot};
}

static uint32_t snapshot(struct builder *s, uint32_t block, uint64_t pc)
{
    struct bt_region *r = s->r;
    r->snaps = grow(r->arena, r->snaps, r->nsnaps, &r->snaps_cap, sizeof(*r->snaps));
    struct bt_snap snap = {.pc = pc, .first = r->nsnap_entries};
    bitset_for_each(slot, s->mod[block], s->nslots)
    {
        bt_add_snap_entry(r, read_slot(s, block, (unsigned)slot), (uint8_t)slot);
    }
    snap.n = r->nsnap_entries - snap.first;
    snap.need = snap.first;
    snap.nneeds = snap.n;
    r->snaps[r->nsnaps] = snap;
    return r->nsnaps++;
}

static void build_block(struct builder *s, uint32_t block)
{
    struct bt_region *r = s->r;
    const struct block *g = r->blocks[block].guest;
    unsigned insn = 0;
    uint64_t pc = g->pc;
    for (unsigned i = 0; i < g->nuops; i++) {
        const struct uop *u = &g->uops[i];
        const struct uop_info *info = &uop_info[u->op];
        while (insn < g->ninsns && g->map[insn].uop <= i)
            pc = g->pc + g->map[insn++].pcoff;
        if (u->op == UOP_mov_64 ||
            (!r->flushes && (u->op == UOP_fflush_f32 || u->op == UOP_fflush_f64))) {
            write_unit(s, block, u->d, read_unit(s, block, u->a));
            continue;
        }
        if (u->op == UOP_movi) {
            write_unit(s, block, u->d, bt_const(r, (uint64_t)u->imm));
            continue;
        }
        uint32_t a = read_operand(s, block, u, info->a, u->a);
        uint32_t b = read_operand(s, block, u, info->b, u->b);
        uint32_t c = read_operand(s, block, u, info->c, u->c);
        if (info->flags & UOP_F_TERM)
            c = u->c;
        bool wide = info->d == UOP_K_V || info->d == UOP_K_P;
        uint32_t v = bt_new_op(r, u->op, wide ? UOP_K_V : info->d, a, b, c, u->imm, block);
        keep_float(r, &r->ops[v]);
        if (u->op == UOP_box_f32 && r->ops[a].op == UOP_ld_u32)
            r->ops[a].kind = UOP_K_S; /* a float's load goes to a vector register */
        if (info->flags & (UOP_F_LOAD | UOP_F_STORE) || u->op == UOP_exit || u->op == UOP_jmp_ind) {
            /* Where the target of a jump is believed to be known, somebody may be waited for there. */
            bool known = u->op == UOP_jmp_ind && r->blocks[block].nsuccs;
            uint32_t snap = snapshot(s, block, known ? r->blocks[block].succ[0].pc : pc);
            r->ops[v].snap = snap;
            s->last_fault = v;
        }
        bt_append(r, block, v);
        if (wide)
            write_vector(s, block, u->d, v);
        else if (info->d != UOP_K_N)
            write_unit(s, block, u->d, v);
        if (info->flags & UOP_F_TERM) {
            for (unsigned e = 0; e < r->blocks[block].nsuccs; e++) {
                uint32_t to = r->blocks[block].succ[e].to;
                if (to != BT_EXIT_EDGE && to <= block && !r->ops[v].snap) {
                    /* A back edge polls before it is taken: behind a jump, before a branch. */
                    uint32_t snap = snapshot(s, block, u->op == UOP_jmp ? (uint64_t)u->imm : pc);
                    r->ops[v].snap = snap;
                }
                if (r->blocks[block].succ[e].to == BT_EXIT_EDGE) {
                    uint32_t snap = snapshot(s, block, r->blocks[block].succ[e].pc);
                    r->blocks[block].succ[e].snap = snap;
                }
            }
        }
    }
}

/* mod_in, before any block is built: what a path to the block's beginning may have written. */
static void find_modified(struct builder *s)
{
    struct bt_region *r = s->r;
    for (uint32_t i = 1; i < r->nblocks; i++) {
        const struct block *g = r->blocks[i].guest;
        for (unsigned u = 0; u < g->nuops; u++) {
            uint8_t kind = uop_info[g->uops[u].op].d;
            if (kind == UOP_K_N || g->uops[u].d >= CPU_TEMP_BASE)
                continue;
            bitset_set(s->mod[i], variable(s, g->uops[u].d));
            if (kind == UOP_K_P)
                bitset_set(s->mod[i], variable(s, g->uops[u].d + 1u));
        }
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 1; i < r->nblocks; i++) {
            for (uint32_t p = 0; p < r->blocks[i].npreds; p++) {
                uint32_t pred = r->blocks[i].preds[p];
                changed |= bitset_union(s->mod_in[i], s->mod[pred], CPU_TEMP_BASE);
                changed |= bitset_union(s->mod_in[i], s->mod_in[pred], CPU_TEMP_BASE);
            }
        }
    }
    /* From now on mod grows with the building. */
    for (uint32_t i = 0; i < r->nblocks; i++)
        bitset_copy(s->mod[i], s->mod_in[i], CPU_TEMP_BASE);
}

void bt_construct(struct bt_region *r)
{
    struct builder s = {.r = r, .nslots = r->guest->nslots};
    s.defs = arena_znew(r->arena, uint32_t, r->nblocks * s.nslots);
    s.mod = arena_zalloc(r->arena, sizeof(*s.mod) * r->nblocks, 8);
    s.mod_in = arena_zalloc(r->arena, sizeof(*s.mod_in) * r->nblocks, 8);
    s.built = arena_znew(r->arena, bool, r->nblocks);
    r->entry = arena_znew(r->arena, uint32_t, CPU_UNITS);
    r->nops = 0;
    bt_new_op(r, BT_DEAD, UOP_K_N, 0, 0, 0, 0, 0); /* value 0 is none */
    r->nsnaps = 0;
    r->snaps = grow(r->arena, r->snaps, 0, &r->snaps_cap, sizeof(*r->snaps));
    r->snaps[r->nsnaps++] = (struct bt_snap){0};

    bt_append(r, 0, bt_new_op(r, UOP_jmp, UOP_K_N, 0, 0, 0, (int64_t)r->pc, 0));
    s.built[0] = true;
    find_modified(&s);
    for (uint32_t i = 1; i < r->nblocks; i++) {
        build_block(&s, i);
        s.built[i] = true;
    }
    /* Completing a phi may make further ones. */
    while (s.incomplete) {
        struct incomplete *i = s.incomplete;
        s.incomplete = i->next;
        complete_phi(&s, i->phi);
    }
    bt_merge_phis(r);
}

struct bt_region *bt_build(struct arena *arena, struct cpu *cpu, struct block *head, int level,
                           const char **bail)
{
    struct bt_region *r = arena_znew(arena, struct bt_region, 1);
    r->arena = arena;
    r->cpu = cpu;
    r->guest = cpu->guest;
    r->pc = head->pc;
    r->level = level;
    if (!bt_choose(r, head, bail))
        return NULL;
    bt_construct(r);
    return r;
}

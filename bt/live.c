/* Live ranges of the values of a region, for register allocation: see bt/alloc_int.h.
 *
 * Threading: see bt/ir.h.
 */
#include "base/bitset.h"
#include "bt/alloc_int.h"

uint32_t bt_block_weight(const struct bt_block *b)
{
    static const uint32_t by_depth[] = {8, 80, 800, 8000};
    return by_depth[b->loop_depth < 3 ? b->loop_depth : 3];
}

static void add_range(struct bt_live *l, uint32_t v, uint32_t start, uint32_t end)
{
    struct bt_interval *iv = &l->iv[v];
    /* Ranges come in descending order. */
    if (iv->ranges && iv->ranges->start <= end) {
        if (start < iv->ranges->start)
            iv->ranges->start = start;
        if (end > iv->ranges->end)
            iv->ranges->end = end;
        return;
    }
    struct bt_range *n = arena_new(l->r->arena, struct bt_range, 1);
    *n = (struct bt_range){start, end, v, iv->ranges};
    iv->ranges = n;
}

static void add_use(struct bt_live *l, uint32_t v, uint32_t pos, uint32_t weight)
{
    struct bt_use *u = arena_new(l->r->arena, struct bt_use, 1);
    *u = (struct bt_use){pos, weight, l->iv[v].uses};
    l->iv[v].uses = u;
}

/* Constants are made where they are used, but for those that no instruction takes and a loop wants. */
static bool needs_place(const struct bt_live *l, uint32_t v)
{
    return l->r->ops[v].op != BT_CONST || bitset_test(l->constants, v);
}

static void find_constants(struct bt_live *l)
{
    const struct bt_region *r = l->r;
    l->constants = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
    l->float_constants = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
    for (uint32_t i = 0; i < r->nblocks; i++) {
        const struct bt_block *b = &r->blocks[i];
        for (uint32_t k = 0; k < b->nops && b->loop_depth; k++) {
            const struct bt_op *o = &r->ops[b->ops[k]];
            const uint32_t operands[3] = {o->a, o->b, o->c};
            for (int x = 0; x < 3; x++) {
                uint8_t kind = bt_operand_kind(o, x);
                const struct bt_op *c = &r->ops[operands[x]];
                if (!kind || c->op != BT_CONST || c->imm == (int32_t)c->imm)
                    continue;
                bitset_set(l->constants, operands[x]);
                if (kind == UOP_K_S || kind == UOP_K_D)
                    bitset_set(l->float_constants, operands[x]);
            }
        }
    }
}

struct bt_scratch bt_scratch(const struct bt_op *o, bool bmi2)
{
    if (o->op >= UOP_CODES || uop_info[o->op].flags & UOP_F_TERM)
        return (struct bt_scratch){
            false, false}; /* rdx is used behind the write-back; rcx: see place_targets */
    const struct uop_info *info = &uop_info[o->op];
    bool all = (info->flags & (UOP_F_ATOMIC | UOP_F_BULK | UOP_F_HELPER | UOP_F_FPENV)) != 0;
    switch (info->rr_form) {
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
        return (struct bt_scratch){true, true};
    case UOP_shl_64:
    case UOP_shl_32s:
    case UOP_shl_32z:
    case UOP_shr_64:
    case UOP_shr_32s:
    case UOP_shr_32z:
    case UOP_sar_64:
    case UOP_sar_32s:
    case UOP_sar_32z:
        return (struct bt_scratch){.rcx = !bmi2 && info->b != UOP_K_N};
    case UOP_ror_64:
    case UOP_ror_32s:
    case UOP_ror_32z:
        return (struct bt_scratch){.rcx = info->b != UOP_K_N};
    default:
        return (struct bt_scratch){all, all};
    }
}

/* Does a floating-point operation's code call no C and look at no result? */
static bool plain_float(const struct bt_region *r, const struct bt_op *o, bool any_mode)
{
    unsigned rm = bt_rounding(o);
    return (r->traps || !(o->imm & FP_ENV)) && (rm == FP_DYN || (any_mode && rm == FP_RTZ));
}

bool bt_keeps_xmm(const struct bt_region *r, const struct bt_op *o)
{
    if (o->op >= UOP_CODES || uop_info[o->op].flags & UOP_F_TERM)
        return true;
    const struct uop_info *info = &uop_info[o->op];
    if (info->flags & (UOP_F_ATOMIC | UOP_F_BULK | UOP_F_HELPER))
        return false;
    if (info->flags & (UOP_F_LOAD | UOP_F_STORE))
        return true;
    if (info->rr_form == UOP_sel)
        return !bt_is_float(r, o->b) || !bt_is_float(r, o->c);
    if (info->rr_form < UOP_popcnt_64 ||
        (info->rr_form >= UOP_flags_add_64 && info->rr_form <= UOP_flags_logic_32))
        return true;
    switch (info->rr_form) {
    case UOP_fadd_f32:
    case UOP_fadd_f64:
    case UOP_fsub_f32:
    case UOP_fsub_f64:
    case UOP_fmul_f32:
    case UOP_fmul_f64:
    case UOP_fdiv_f32:
    case UOP_fdiv_f64:
    case UOP_fsqrt_f32:
    case UOP_fsqrt_f64:
    case UOP_cvt_f32_f64:
    case UOP_cvt_f64_f32:
    case UOP_cvt_s32_f64:
    case UOP_cvt_u32_f64:
    case UOP_cvt_s64_f64:
    case UOP_cvt_s32_f32:
    case UOP_cvt_u32_f32:
    case UOP_cvt_s64_f32:
        return plain_float(r, o, false);
    case UOP_vfadd_f32:
    case UOP_vfadd_f64:
    case UOP_vfsub_f32:
    case UOP_vfsub_f64:
    case UOP_vfmul_f32:
    case UOP_vfmul_f64:
        return r->traps && plain_float(r, o, false);
    case UOP_vfdiv_f32:
    case UOP_vfdiv_f64:
        return r->traps && !r->flushes && plain_float(r, o, false);
    case UOP_cvt_f32_s32:
    case UOP_cvt_f32_s64:
    case UOP_cvt_f64_s32:
    case UOP_cvt_f64_s64:
        return plain_float(r, o, true);
    case UOP_feq_f32:
    case UOP_feq_f64:
    case UOP_flt_f32:
    case UOP_flt_f64:
    case UOP_fle_f32:
    case UOP_fle_f64:
    case UOP_fcanon_f32:
    case UOP_fcanon_f64:
    case UOP_box_f32:
    case UOP_unbox_f32:
    case UOP_vzext:
    case UOP_fp_flags:
    case UOP_fp_getflags:
    case UOP_fp_getraw:
    case UOP_fp_setflags:
    case UOP_fp_getid:
    case UOP_fp_setid:
    case UOP_cond:
        return true;
    default:
        return false;
    }
}

static bool sunk_keeps_xmm(const struct bt_region *r, uint32_t v)
{
    const struct bt_op *o = &r->ops[v];
    const uint32_t operands[3] = {o->a, o->b, o->c};
    if (!o->sunk)
        return true;
    for (int i = 0; i < 3; i++) {
        if (bt_operand_kind(o, i) && !sunk_keeps_xmm(r, operands[i]))
            return false;
    }
    return bt_keeps_xmm(r, o);
}

static bool snap_keeps_xmm(const struct bt_region *r, uint32_t snap)
{
    const struct bt_snap *s = &r->snaps[snap];
    for (uint32_t k = s->first; snap && k < s->first + s->n; k++) {
        if (!sunk_keeps_xmm(r, r->snap_entries[k].value))
            return false;
    }
    return true;
}

bool bt_exit_keeps_xmm(const struct bt_region *r, uint32_t block, const struct bt_op *o)
{
    const struct bt_block *b = &r->blocks[block];
    uint16_t flags = bt_flags(o->op);
    if (flags & (UOP_F_LOAD | UOP_F_STORE)) /* what these need is computed in C */
        return true;
    for (uint32_t e = 0; flags & UOP_F_TERM && e < b->nsuccs; e++) {
        if (!snap_keeps_xmm(r, b->succ[e].snap))
            return false;
    }
    return snap_keeps_xmm(r, o->snap);
}

/* Is the result looked at, and then made again of the operands (bt/emit_float.c)? */
static bool made_again(const struct bt_region *r, const struct bt_op *o)
{
    return uop_info[o->op].flags & UOP_F_FPENV && o->imm & FP_ENV &&
           (!r->traps || bt_rounds_up(r, o) || bt_minds_nan(r, o));
}

bool bt_early_result(const struct bt_region *r, const struct bt_op *o)
{
    if (o->op >= UOP_CODES)
        return false;
    switch (o->op) {
    case UOP_ffma_f32:
    case UOP_ffma_f64:
    case UOP_fmin_f32:
    case UOP_fmin_f64:
    case UOP_fmax_f32:
    case UOP_fmax_f64:
        return true;
    default:
        if (made_again(r, o))
            return true;
        return uop_info[o->op].flags & (UOP_F_ATOMIC | UOP_F_BULK | UOP_F_HELPER);
    }
}

/* Live at the block's end, but for what the exits name. */
static void live_out(struct bt_live *l, uint32_t block, uint64_t *live)
{
    const struct bt_region *r = l->r;
    const struct bt_block *b = &r->blocks[block];
    bitset_zero(live, r->nops);
    for (uint32_t e = 0; e < b->nsuccs; e++) {
        uint32_t to = b->succ[e].to;
        if (to == BT_EXIT_EDGE)
            continue;
        bitset_union(live, l->live_in[to], r->nops);
        const struct bt_block *s = &r->blocks[to];
        for (uint32_t p = 0; p < s->npreds; p++) {
            if (s->preds[p] != block)
                continue;
            for (uint32_t k = 0; k < s->nops && r->ops[s->ops[k]].op == BT_PHI; k++) {
                uint32_t arg = r->phi_args[r->ops[s->ops[k]].a + p];
                if (needs_place(l, arg))
                    bitset_set(live, arg);
            }
        }
    }
}

/* v is needed at pos and, as this is a backward walk, from the block's beginning unless its operation comes. */
static void reach(struct bt_live *l, uint64_t *live, uint32_t v, uint32_t block, uint32_t end,
                  bool ranges)
{
    if (!needs_place(l, v) || bitset_test(live, v))
        return;
    bitset_set(live, v);
    if (ranges)
        add_range(l, v, l->block_from[block], end);
}

static void reach_snapshot(struct bt_live *l, uint64_t *live, uint32_t snap, uint32_t block,
                           uint32_t end, bool ranges)
{
    const struct bt_snap *s = &l->r->snaps[snap];
    for (uint32_t k = s->need; k < s->need + s->nneeds; k++)
        reach(l, live, l->r->snap_entries[k].value, block, end, ranges);
}

/* One walk over a block backwards, with what is live at its end. With `ranges` it also makes them, and the uses. */
static void scan_block(struct bt_live *l, uint32_t block, uint64_t *live, bool ranges)
{
    const struct bt_region *r = l->r;
    const struct bt_block *b = &r->blocks[block];
    uint32_t from = l->block_from[block], end = l->block_from[block + 1];
    uint32_t w = bt_block_weight(b);
    if (ranges) {
        bitset_for_each(v, live, r->nops) add_range(l, (uint32_t)v, from, end);
    }
    /* The exit code runs with everything it names in place. */
    for (uint32_t e = 0; e < b->nsuccs; e++) {
        if (b->succ[e].to == BT_EXIT_EDGE)
            reach_snapshot(l, live, b->succ[e].snap, block, end, ranges);
    }
    for (uint32_t k = b->nops; k-- > 0;) {
        uint32_t v = b->ops[k];
        const struct bt_op *o = &r->ops[v];
        uint32_t pos = 2 * l->pos[v];
        if (o->kind != UOP_K_N && needs_place(l, v)) {
            bool was_live = bitset_test(live, v), leads = o->op == BT_PHI || block == 0;
            uint32_t start = leads ? from : pos + !bt_early_result(l->r, o);
            bitset_clear(live, v);
            if (ranges && was_live)
                l->iv[v].ranges->start = start;
            else if (ranges && o->op != BT_CONST)
                add_range(l, v, start, pos + 2);
            if (ranges && o->op != BT_CONST && o->op != BT_ENTRY)
                add_use(l, v, start, w / 4);
        }
        if (o->op == BT_PHI)
            continue; /* arguments are used at the ends of the predecessors */
        const uint32_t operands[3] = {o->a, o->b, o->c};
        for (int i = 0; i < 3; i++) {
            if (!bt_operand_kind(o, i))
                continue;
            reach(l, live, operands[i], block, pos + 1, ranges);
            if (ranges && needs_place(l, operands[i]))
                add_use(l, operands[i], pos, w);
        }
        if (o->snap)
            reach_snapshot(l, live, o->snap, block, pos + 1, ranges);
    }
}

void bt_find_live(struct bt_live *l)
{
    const struct bt_region *r = l->r;
    uint64_t *live = arena_new(r->arena, uint64_t, BITSET_WORDS(r->nops));
    l->iv = arena_znew(r->arena, struct bt_interval, r->nops);
    l->live_in = arena_new(r->arena, uint64_t *, r->nblocks);
    for (uint32_t i = 0; i < r->nblocks; i++)
        l->live_in[i] = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
    find_constants(l);
    /* What each block needs itself, and makes; then what goes through. */
    uint64_t **made = arena_new(r->arena, uint64_t *, r->nblocks);
    for (uint32_t i = 0; i < r->nblocks; i++) {
        bitset_zero(live, r->nops);
        scan_block(l, i, live, false);
        bitset_copy(l->live_in[i], live, r->nops);
        made[i] = arena_znew(r->arena, uint64_t, BITSET_WORDS(r->nops));
        for (uint32_t k = 0; k < r->blocks[i].nops; k++)
            bitset_set(made[i], r->blocks[i].ops[k]);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = r->nblocks; i-- > 0;) {
            live_out(l, i, live);
            bitset_subtract(live, made[i], r->nops);
            changed |= bitset_union(l->live_in[i], live, r->nops);
        }
    }
    for (uint32_t i = r->nblocks; i-- > 0;) {
        live_out(l, i, live);
        scan_block(l, i, live, true);
    }
}

bool bt_takes_high(const struct bt_region *r, const struct bt_op *o)
{
    switch (o->op) {
    case UOP_ld_64:
    case UOP_ld_u32:
    case UOP_ld_v128:
    case UOP_st_64:
    case UOP_st_32:
    case UOP_st_v128:
    case UOP_fadd_f32:
    case UOP_fadd_f64:
    case UOP_fsub_f32:
    case UOP_fsub_f64:
    case UOP_fmul_f32:
    case UOP_fmul_f64:
    case UOP_fdiv_f32:
    case UOP_fdiv_f64:
    case UOP_fsqrt_f32:
    case UOP_fsqrt_f64:
    case UOP_feq_f32:
    case UOP_feq_f64:
    case UOP_flt_f32:
    case UOP_flt_f64:
    case UOP_fle_f32:
    case UOP_fle_f64:
    case UOP_feq_q_f32:
    case UOP_feq_q_f64:
    case UOP_flt_q_f32:
    case UOP_flt_q_f64:
    case UOP_fle_q_f32:
    case UOP_fle_q_f64:
    case UOP_flags_fcmp_f32:
    case UOP_flags_fcmp_f64:
    case UOP_fmin_f32:
    case UOP_fmin_f64:
    case UOP_fmax_f32:
    case UOP_fmax_f64:
    case UOP_ffma_f32:
    case UOP_ffma_f64:
    case UOP_fcanon_f32:
    case UOP_fcanon_f64:
    case UOP_cvt_f32_f64:
    case UOP_cvt_f64_f32:
    case UOP_cvt_s32_f32:
    case UOP_cvt_s32_f64:
    case UOP_cvt_u32_f32:
    case UOP_cvt_u32_f64:
    case UOP_cvt_s64_f32:
    case UOP_cvt_s64_f64:
    case UOP_vzext:
    case UOP_vset:
    case UOP_vins:
        return true;
    case UOP_vdup:
        return o->imm >= 2;
    case UOP_vrep:
        return (o->imm & 3) >= 2;
    case UOP_vfadd_f32:
    case UOP_vfadd_f64:
    case UOP_vfsub_f32:
    case UOP_vfsub_f64:
    case UOP_vfmul_f32:
    case UOP_vfmul_f64:
    case UOP_vfdiv_f32:
    case UOP_vfdiv_f64:
        return !bt_minds_nan(r, o); /* cmpps's result would be a mask register */
    default:
        return false;
    }
}

bool *bt_find_low(const struct bt_region *r)
{
    bool *low = arena_znew(r->arena, bool, r->nops);
    for (uint32_t i = 0; i < r->nblocks; i++)
        for (uint32_t k = 0; k < r->blocks[i].nops; k++) {
            uint32_t v = r->blocks[i].ops[k];
            const struct bt_op *o = &r->ops[v];
            const uint32_t operands[3] = {o->a, o->b, o->c};
            if (o->op >= UOP_CODES || bt_takes_high(r, o))
                continue;
            low[v] = true;
            for (int x = 0; x < 3; x++)
                if (bt_operand_kind(o, x))
                    low[operands[x]] = true;
        }
    return low;
}

/* See tests/bt/program.h. */
#include "tests/bt/program.h"

#include "uop/fp.h"
#include "uop/sem.h"
#include <stdio.h>
#include <string.h>

uint64_t rng = 1;

uint64_t rnd(void)
{
    /* As splitmix64, with another increment than the distance of the seeds: neighbours have nothing in common. */
    uint64_t z = rng += UINT64_C(0xd1342543de82ef95);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

unsigned pick(unsigned n)
{
    return (unsigned)((rnd() >> 20) % n);
}

const struct guest toy = {.name = "toy",
                          .nslots = NSLOTS,
                          .zero_slot = 0,
                          .pc_slot = PC_SLOT,
                          .sp_slot = 2,
                          .fp_first = FLOATS,
                          .fp_last = PC_SLOT - 1,
                          .home_gpr = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17},
                          .home_xmm = {20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}};

static uint64_t number(void)
{
    switch (pick(5)) {
    case 0:
        return rnd();
    case 1:
        return (uint64_t)(int64_t)(int32_t)rnd();
    case 2:
        return rnd() >> pick(64);
    case 3:
        return (uint64_t)((int64_t)pick(9) - 4);
    default:
        return UINT64_C(1) << pick(64);
    }
}

/* ---- random programs ---- */

static uint16_t pure_ops[UOP_CODES];
static unsigned npure;

/* The pure micro-ops but those whose operands or results are narrow floats, which are never in a slot as they are, and
 * fcanon, which takes results of arithmetic alone (uop.def; emit_float makes such). */
static void list_pure(void)
{
    for (unsigned op = 0; op < UOP_CODES; op++) {
        bool narrow = op == UOP_box_f32 || op == UOP_box_f16 || op == UOP_fcanon_f64 ||
                      op == UOP_fcanon_f32 || op == UOP_fcanon_f16 || op == UOP_fclass_f32 ||
                      op == UOP_fclass_f16 || op == UOP_unbox_f32 || op == UOP_unbox_f16 ||
                      (op >= UOP_feq_q_f64 && op <= UOP_fle_q_f32 + 1);
        if ((uop_info[op].flags & (UOP_F_PURE | UOP_F_VECTOR)) == UOP_F_PURE && !narrow)
            pure_ops[npure++] = (uint16_t)op;
    }
}

static void emit(struct block *b, struct uop u)
{
    b->uops[b->nuops++] = u;
}

static void emit3(struct block *b, uint16_t op, uint8_t d, uint8_t x, uint8_t y, int64_t imm)
{
    emit(b, (struct uop){.op = op, .d = d, .a = x, .b = y, .imm = imm});
}

static uint8_t source(uint8_t temp)
{
    return temp && pick(3) == 0 ? temp : pick(INTS);
}

static uint8_t fsource(void)
{
    return FLOATS + pick(PC_SLOT - FLOATS);
}

static uint8_t dest(void)
{
    return 1 + pick(INTS - 1);
}

/* Floating point as a lifter emits it: narrow operands unboxed, NaNs made canonical, boxed. The
 * dynamic rounding mode is to nearest. */
static void random_float(struct block *b)
{
    enum { T0 = CPU_TEMP_BASE, T1, T2, T3 };
    unsigned rm = pick(4) ? FP_DYN : pick(5);
    uint8_t x = fsource(), y = fsource(), z = fsource(), d = fsource();
    bool narrow = pick(2);
    if (pick(10) == 0) { /* one of two, by a comparison in front of it or a bit from elsewhere */
        uint8_t c = pick(INTS);
        if (pick(3))
            emit3(b, pick(2) ? UOP_set_lt : UOP_set_eq, c = T0, pick(INTS), pick(INTS), 0);
        emit(b, (struct uop){.op = UOP_sel, .d = d, .a = c, .b = x, .c = y});
        return;
    }
    if (narrow) {
        emit3(b, UOP_unbox_f32, T0, x, 0, 0);
        emit3(b, UOP_unbox_f32, T1, y, 0, 0);
        emit3(b, UOP_unbox_f32, T2, z, 0, 0);
        x = T0, y = T1, z = T2;
    }
    uint16_t canon = narrow ? UOP_fcanon_f32 : UOP_fcanon_f64;
    switch (pick(10)) {
    case 0: /* to an integer */
        emit3(b, (narrow ? UOP_cvt_f32_s32 : UOP_cvt_f64_s32) + pick(4), dest(), x, 0,
              pick(2) ? FP_RTZ : rm);
        return;
    case 1: /* from one */
        emit3(b, (narrow ? UOP_cvt_s32_f32 : UOP_cvt_s32_f64) + pick(4), T3, pick(INTS), 0, rm);
        break;
    case 2:
        emit3(b, (narrow ? UOP_feq_f32 : UOP_feq_f64) + pick(3), dest(), x, y, 0);
        return;
    case 3:
        emit3(b, (narrow ? UOP_fmin_f32 : UOP_fmin_f64) + pick(2), T3, x, y, 0);
        break;
    case 4:
        emit3(b, narrow ? UOP_fsqrt_f32 : UOP_fsqrt_f64, T3, x, 0, rm);
        break;
    case 5:
        emit(b, (struct uop){.op = narrow ? UOP_ffma_f32 : UOP_ffma_f64,
                             .d = T3,
                             .a = x,
                             .b = y,
                             .c = z,
                             .imm = rm});
        break;
    case 6: /* to the other width */
        if (narrow) {
            emit3(b, UOP_cvt_f32_f64, T3, x, 0, rm);
            emit3(b, UOP_fcanon_f64, d, T3, 0, 0);
            return;
        }
        emit3(b, UOP_cvt_f64_f32, T3, x, 0, rm);
        canon = UOP_fcanon_f32;
        narrow = true;
        break;
    default:
        emit3(b, (narrow ? UOP_fadd_f32 : UOP_fadd_f64) + pick(4), T3, x, y, rm);
    }
    if (!narrow) {
        emit3(b, canon, d, T3, 0, 0);
        return;
    }
    emit3(b, canon, T3, T3, 0, 0);
    emit3(b, UOP_box_f32, d, T3, 0, 0);
}

/* The base and a small index, shifted or not, as a temporary. */
static uint8_t indexed(struct block *b, uint8_t base)
{
    enum { INDEX = CPU_TEMP_BASE + 8, SHIFTED, SUM };
    uint8_t index = INDEX;
    if (pick(4) == 0) {
        /* A byte of it, or two with little in them, scaled where they lie. */
        static const uint16_t down[] = {UOP_shr_64_i, UOP_shr_32s_i, UOP_shr_32z_i};
        bool byte = pick(3) != 0;
        uint8_t from = pick(INTS);
        if (!byte) {
            emit3(b, UOP_and_64_i, SHIFTED, from, 0, 0x3f0);
            from = SHIFTED;
        }
        emit3(b, down[pick(3)], INDEX, from, 0, pick(byte ? 32 : 6));
        emit3(b, UOP_and_64_i, INDEX, INDEX, 0, (byte ? 0xffll : 0xffffll) << pick(4));
    } else {
        emit3(b, UOP_and_64_i, INDEX, pick(INTS), 0, pick(32));
        if (pick(3) == 0)
            emit3(b, UOP_add_64_i, INDEX, INDEX, 0, pick(32));
    }
    switch (pick(4)) {
    case 0:
        emit3(b, (uint16_t)(UOP_sh1add_64 + pick(3)), SUM, INDEX, base, 0);
        return SUM;
    case 1:
        emit3(b, UOP_shl_64_i, SHIFTED, INDEX, 0, pick(5));
        index = SHIFTED;
    }
    if (base == BASE && pick(4) == 0) /* that one is MEM_AT */
        emit3(b, UOP_movi, base = SUM, 0, 0, (int64_t)MEM_AT);
    if (pick(2))
        emit3(b, UOP_add_64, SUM, base, index, 0);
    else
        emit3(b, UOP_add_64, SUM, index, base, 0);
    return SUM;
}

/* A load or store, of an integer or a floating-point slot. */
static void random_access(struct block *b, uint8_t temp)
{
    uint8_t base = pick(12) ? BASE + pick(3) : WILD;
    if (pick(3) == 0)
        base = indexed(b, base);
    int64_t disp = pick(64);
    switch (pick(6)) {
    case 0:
        emit3(b, UOP_ld_64, fsource(), base, 0, disp);
        return;
    case 1:
        emit3(b, pick(2) ? UOP_st_64 : UOP_st_32, 0, base, fsource(), disp);
        return;
    case 2:
        emit3(b, UOP_ld_u32, CPU_TEMP_BASE + 6, base, 0, disp);
        emit3(b, UOP_box_f32, fsource(), CPU_TEMP_BASE + 6, 0, 0);
        return;
    case 3:
        emit3(b, UOP_st_8 + pick(4), 0, base, source(temp), disp);
        return;
    default:
        emit3(b, UOP_ld_s8 + pick(7), dest(), base, 0, disp);
    }
}

/* An atomic access, sometimes misaligned; or something about the FP environment. */
static void random_system(struct block *b)
{
    enum { T0 = CPU_TEMP_BASE, T1 };
    uint8_t base = pick(12) ? BASE + pick(3) : WILD;
    switch (pick(6)) {
    case 0:
        emit3(b, UOP_fp_getflags, dest(), 0, 0, 0);
        return;
    case 1:
        emit3(b, UOP_fp_setflags, 0, pick(INTS), 0, 0);
        return;
    case 2:
        emit3(b, UOP_fence, 0, 0, 0, pick(2));
        return;
    }
    if (pick(8))
        emit3(b, UOP_and_64_i, T0, base, 0, -8);
    else
        emit3(b, UOP_mov_64, T0, base, 0, 0);
    unsigned size = pick(4);
    if (pick(3) == 0) {
        emit(b, (struct uop){.op = UOP_cas_8 + size,
                             .d = pick(2) ? T1 : dest(),
                             .a = T0,
                             .b = pick(INTS),
                             .c = pick(INTS)});
        if (b->uops[b->nuops - 1].d == T1)
            emit3(b, UOP_sext32, dest(), T1, 0, 0);
        return;
    }
    emit3(b, UOP_amo_swap_8 + 4 * pick(9) + size, dest(), T0, pick(INTS), 0);
}

static void begin_insn(struct block *b)
{
    b->map[b->ninsns] = (struct insn_map){.uop = b->nuops, .pcoff = 4 * b->ninsns};
    b->ninsns++;
}

/* Instructions that compare without raising flags, or that look almost like it: the flags are read, something is
 * compared, and they are written back. */
static void random_quiet(struct block *b)
{
    uint8_t x = fsource(), y = fsource(), keep = dest();
    begin_insn(b);
    emit3(b, UOP_fsub_f64, CPU_TEMP_BASE, x, y, FP_DYN);
    emit3(b, UOP_fcanon_f64, x, CPU_TEMP_BASE, 0, 0);
    begin_insn(b);
    emit3(b, UOP_fp_getflags, keep, 0, 0, 0);
    begin_insn(b);
    emit3(b, pick(2) ? UOP_flt_f64 : UOP_fle_f64, pick(8) ? 1 + pick(3) : keep, x,
          pick(3) ? x : fsource(), 0);
    if (pick(4) == 0) {
        begin_insn(b);
        emit3(b, UOP_ld_u8, dest(), pick(2) ? BASE : WILD, 0, 1);
    }
    begin_insn(b);
    emit3(b, UOP_and_64_i, CPU_TEMP_BASE, keep, 0, pick(8) ? 31 : 15);
    emit3(b, UOP_fp_setflags, 0, CPU_TEMP_BASE, 0, 0);
}

/* Flags, and a condition on them in a later instruction; sometimes a chain of two comparisons, sometimes the difference
 * beside its flags. */
static void random_flags(struct block *b)
{
    enum { T0 = CPU_TEMP_BASE, T1, T2 };
    static const uint16_t made[] = {UOP_flags_sub_64, UOP_flags_sub_32,   UOP_flags_add_64,
                                    UOP_flags_add_32, UOP_flags_logic_64, UOP_flags_logic_32,
                                    UOP_flags_adc_64, UOP_flags_adc_32,   UOP_flags_sbc_64,
                                    UOP_flags_sbc_32};
    _Static_assert(UOP_flags_sub_64_i == UOP_flags_sub_64 + 1, "rows in pairs");
    static const uint16_t sums[] = {UOP_adc_64, UOP_adc_32z, UOP_sbc_64, UOP_sbc_32z};
    uint8_t flags = dest(), x = pick(INTS), y = pick(INTS);
    unsigned k = pick(2) ? pick(2) : pick(sizeof made / sizeof *made);
    begin_insn(b);
    if (pick(3) == 0) {
        emit3(b, UOP_movi, T1, 0, 0, pick(2) ? (int64_t)number() : (int64_t)pick(3) - 1);
        y = T1;
    }
    bool direct = flags != x && flags != y && pick(2);
    int64_t imm = pick(2) ? (int64_t)number() : (int64_t)pick(3) - 1;
    if (k < 4 && pick(4) == 0) {
        emit3(b, made[k] + 1, direct ? flags : T0, x, 0, imm);
        if (k < 2 && pick(2))
            emit3(b, k == 0 ? UOP_add_64_i : UOP_add_32z_i, pick(2) ? x ? x : 1 : dest(), x, 0,
                  (int64_t) - (uint64_t)imm);
    } else {
        emit(b, (struct uop){
                    .op = made[k], .d = direct ? flags : T0, .a = x, .b = y, .c = pick(INTS)});
        if (k < 2 && pick(2))
            emit3(b, k == 0 ? UOP_sub_64 : UOP_sub_32z, pick(2) ? x ? x : 1 : dest(), x, y, 0);
    }
    if (!direct)
        emit3(b, UOP_mov_64, flags, T0, 0, 0);
    for (unsigned n = pick(4) ? 0 : 1 + pick(3); n; n--) { /* carries go on */
        unsigned c = pick(4);
        x = pick(INTS), y = pick(INTS);
        begin_insn(b);
        emit3(b, UOP_cond_i, T0, flags, 0, 2);
        if (pick(2) && flags != x && flags != y)
            emit(b, (struct uop){.op = made[6 + c], .d = flags, .a = x, .b = y, .c = T0});
        emit(b, (struct uop){.op = sums[c], .d = dest(), .a = x, .b = y, .c = T0});
    }
    if (pick(4) == 0) {
        begin_insn(b);
        emit3(b, UOP_cond_i, T0, flags, 0, pick(16));
        emit3(b, made[pick(4)], T1, pick(INTS), pick(INTS), 0);
        emit3(b, UOP_movi, T2, 0, 0, (int64_t)(pick(2) ? uop_flags_of(pick(16)) : number()));
        emit(b, (struct uop){.op = UOP_sel, .d = flags, .a = T0, .b = T1, .c = T2});
    }
    for (unsigned n = 1 + pick(2); n; n--) {
        begin_insn(b);
        if (pick(2)) {
            emit3(b, UOP_cond_i, dest(), flags, 0, pick(16));
        } else {
            emit3(b, UOP_cond_i, T0, flags, 0, pick(16));
            emit(b, (struct uop){
                        .op = UOP_sel, .d = dest(), .a = T0, .b = pick(INTS), .c = pick(INTS)});
        }
    }
}

/* One instruction: some micro-ops into temporaries, an access perhaps, then slots. */
static void random_insn(struct block *b)
{
    if (pick(16) == 0) {
        random_quiet(b);
        return;
    }
    if (pick(12) == 0) {
        random_flags(b);
        return;
    }
    begin_insn(b);
    uint8_t temp = 0;
    static const uint16_t likely[] = {UOP_add_64_i, UOP_sext32,   UOP_add_32s_i, UOP_shl_64_i,
                                      UOP_shr_64_i, UOP_sar_64_i, UOP_zext32,    UOP_add_32s,
                                      UOP_and_64_i, UOP_set_ltu,  UOP_xor_64,    UOP_set_eq_i};
    if (pick(6) == 0) {
        random_float(b);
        return;
    }
    if (pick(12) == 0) {
        random_system(b);
        return;
    }
    if (pick(16) == 0) { /* the bits of one that another has not */
        uint8_t x = source(temp), y = source(temp);
        emit3(b, UOP_xor_64_i, CPU_TEMP_BASE, x, 0, -1);
        if (pick(2))
            emit3(b, UOP_and_64, dest(), CPU_TEMP_BASE, y, 0);
        else
            emit3(b, UOP_and_64, dest(), y, CPU_TEMP_BASE, 0);
        return;
    }
    unsigned n = pick(3), kind = pick(10);
    for (unsigned i = 0; i <= n; i++) {
        uint16_t op = pick(2) ? pure_ops[pick(npure)] : likely[pick(sizeof likely / 2)];
        const struct uop_info *info = &uop_info[op];
        bool last = i == n;
        if (last && kind <= 4) {
            random_access(b, temp);
            return;
        }
        struct uop u = {.op = op, .d = last ? dest() : CPU_TEMP_BASE + i, .a = source(temp)};
        if (info->b)
            u.b = source(temp);
        if (info->c)
            u.c = source(temp);
        if (info->flags & UOP_F_IMM)
            u.imm = strstr(info->name, "sh") || strstr(info->name, "sar") ? pick(3) ? 32 : pick(64)
                    : pick(2) ? (int64_t)number()
                                                                          : (int64_t)pick(3);
        if (last && kind == 5)
            u = (struct uop){.op = UOP_mov_64, .d = u.d, .a = source(temp)};
        if (last && kind == 6)
            u = (struct uop){.op = UOP_movi, .d = u.d, .imm = (int64_t)number()};
        if (last && kind == 7) /* a move between the files */
            u = pick(2) ? (struct uop){.op = UOP_mov_64, .d = u.d, .a = fsource()}
                        : (struct uop){.op = UOP_mov_64, .d = fsource(), .a = source(temp)};
        emit(b, u);
        temp = CPU_TEMP_BASE + i;
    }
}

/* An indirect jump or call, most often to where the profile saw it go: the translator knows the target, it comes from
 * memory, or it is anything. */
static void random_indirect(struct program *p, struct block *b, uint64_t pc)
{
    uint8_t target = 2 + pick(4), jump = pick(3) ? JUMP_CALL : JUMP_PLAIN;
    unsigned kind = pick(4);
    b->target = pick(8) ? pc : PC + STEP * pick(p->n);
    if (pick(4))
        b->taken = b->count;
    begin_insn(b);
    if (kind == 0)
        emit3(b, UOP_movi, target, 0, 0, (int64_t)pc);
    if (kind > 1) {
        emit3(b, UOP_movi, CPU_TEMP_BASE, 0, 0, (int64_t)pc);
        emit3(b, UOP_st_64, 0, BASE + 1, CPU_TEMP_BASE, 0);
        begin_insn(b);
        emit3(b, UOP_ld_64, target, BASE + 1, 0, 0);
        begin_insn(b);
    }
    if (jump == JUMP_CALL)
        emit3(b, UOP_movi, LINK, 0, 0, (int64_t)(b->pc + b->len));
    emit(b, (struct uop){.op = UOP_jmp_ind, .a = target, .c = jump});
}

/* How control leaves the block. Slot LINK has the address that a return goes to, in most programs that of what follows the
 * last call; `saved`: the block kept it in memory, from where a return fetches it. */
static void random_end(struct program *p, unsigned i, bool saved)
{
    struct block *b = p->blocks[i];
    unsigned kind = pick(20);
    if (kind == 13 && saved) {
        begin_insn(b);
        emit3(b, UOP_ld_64, LINK, BASE, 0, 0);
    }
    unsigned to = pick(p->n + 1); /* perhaps where there is no block */
    uint64_t pc = PC + STEP * to;
    if (kind == 1 || kind == 14) {
        random_indirect(p, b, pc);
        return;
    }
    begin_insn(b);
    switch (kind) {
    case 0:
        emit(b, (struct uop){.op = UOP_exit, .imm = EXIT_SYSCALL});
        break;
    case 2:
    case 3:
        emit(b, (struct uop){.op = UOP_jmp, .imm = (int64_t)pc, .c = pick(8) == 0});
        b->succ[0] = to < p->n ? p->blocks[to] : NULL;
        break;
    case 11:
    case 12:
        emit3(b, UOP_movi, pick(16) ? LINK : dest(), 0, 0,
              (int64_t)(pick(16) ? b->pc + b->len : PC + STEP * pick(p->n)));
        emit(b, (struct uop){.op = UOP_jmp, .imm = (int64_t)pc, .c = JUMP_CALL});
        b->succ[0] = to < p->n ? p->blocks[to] : NULL;
        break;
    case 13:
        if (pick(2)) {
            emit(b, (struct uop){.op = UOP_jmp_ind, .a = LINK, .c = JUMP_RET});
            break;
        }
        emit3(b, UOP_and_64_i, CPU_TEMP_BASE, pick(16) ? LINK : 1 + pick(5), 0, -2);
        emit(b, (struct uop){.op = UOP_jmp_ind, .a = CPU_TEMP_BASE, .c = JUMP_RET});
        break;
    default:
        emit(b, (struct uop){.op = UOP_br_eq + pick(12),
                             .a = pick(INTS),
                             .b = pick(3) ? pick(INTS) : 0,
                             .imm = (int64_t)pc});
        b->succ[0] = i + 1 < p->n && pick(8) ? p->blocks[i + 1] : NULL;
        b->succ[1] = to < p->n && pick(8) ? p->blocks[to] : NULL;
    }
}

struct program program_make(void)
{
    if (!npure)
        list_pure();
    struct program p = {.n = 1 + pick(BLOCKS)};
    bool saved[BLOCKS];
    for (unsigned i = 0; i < p.n; i++) {
        struct block *b = p.blocks[i] = block_new(BLOCK_MAX_UOPS, BLOCK_MAX_INSNS);
        b->nuops = b->ninsns = 0;
        b->pc = PC + STEP * i;
        b->len = STEP;
        b->count = 1 + (rnd() & 0xfff);
        b->taken = pick(4) ? rnd() % b->count : pick(2) ? 0 : b->count;
        saved[i] = pick(4) == 0;
        if (saved[i]) {
            begin_insn(b);
            emit3(b, UOP_st_64, 0, BASE, LINK, 0);
        }
        for (unsigned n = pick(7); n; n--)
            random_insn(b);
    }
    for (unsigned i = 0; i < p.n; i++) {
        struct block *b = p.blocks[i];
        random_end(&p, i, saved[i]);
        for (unsigned k = 0; k < b->nuops; k++)
            if (uop_info[b->uops[k].op].flags & UOP_F_FPENV)
                b->flags |= BLOCK_FP;
        unsigned where = 0;
        const char *wrong = block_verify(b, NSLOTS, &where);
        if (wrong) {
            program_print(&p);
            fail_msg("block %u, micro-op %u: %s", i, where, wrong);
        }
    }
    return p;
}

void program_free(struct program *p)
{
    for (unsigned i = 0; i < p->n; i++)
        block_free(p->blocks[i]);
}

void program_print(const struct program *p)
{
    for (unsigned i = 0; i < p->n; i++) {
        char text[16000];
        block_print(text, sizeof text, p->blocks[i], NULL);
        fprintf(stderr, "%s", text);
    }
}

/* ---- states ---- */

static uint64_t float_bits(void)
{
    uint64_t v = rnd();
    switch (pick(6)) {
    case 0: /* a boxed single */
        return UINT64_C(0xffffffff00000000) |
               (pick(2) ? 0x3f800000 + (v & 0xc0ffffff) : (uint32_t)v);
    case 1: /* not a box: infinities and zeros, or NaNs of both kinds */
        return pick(2)
                   ? v << 52
                   : UINT64_C(0x7ff0000000000000) | v << 63 | (1 + pick(3)) << 5 | (v & 1) << 51;
    case 2:
        return v;
    default: /* near one */
        return (UINT64_C(0x3fe) + pick(66)) << 52 | (v & UINT64_C(0x800fffffffffffff));
    }
}

void state_random(struct state *s)
{
    for (unsigned i = 0; i < NSLOTS; i++)
        s->r[i] = i >= FLOATS ? float_bits() : number();
    s->r[0] = 0;
    for (unsigned i = BASE; i < WILD; i++)
        s->r[i] = MEM_AT + pick(MEM - 64 - 8);
    switch (pick(6)) {
    case 0: /* over the end */
        s->r[WILD] = MEM_AT + MEM - pick(80);
        break;
    case 1: /* near zero */
        s->r[WILD] = pick(4096);
        break;
    case 2: /* far away, in the guest's range */
        s->r[WILD] = UINT64_C(0x200000000000) + pick(1 << 20);
        break;
    default:
        s->r[WILD] = MEM_AT + pick(MEM - 64 - 8);
    }
    s->flags = 0;
    for (unsigned i = 0; i < MEM; i += 8) {
        uint64_t v = number();
        memcpy(s->mem + i, &v, 8);
    }
}

/* ---- the reference ---- */

static unsigned size_of(uint16_t op)
{
    switch (op) {
    case UOP_ld_s8:
    case UOP_ld_u8:
    case UOP_st_8:
        return 1;
    case UOP_ld_s16:
    case UOP_ld_u16:
    case UOP_st_16:
        return 2;
    case UOP_ld_64:
    case UOP_st_64:
        return 8;
    default:
        return 4;
    }
}

bool ref_access(unsigned char *mem, uint16_t op, uint64_t addr, uint64_t b, uint64_t *d)
{
    unsigned size = size_of(op);
    if (addr < MEM_AT || addr - MEM_AT > MEM - size)
        return false;
    unsigned char *p = mem + (addr - MEM_AT);
    if (uop_info[op].flags & UOP_F_STORE) {
        memcpy(p, &b, size);
        return true;
    }
    uint64_t v = 0;
    memcpy(&v, p, size);
    if (op == UOP_ld_s8 || op == UOP_ld_s16 || op == UOP_ld_s32)
        v = (uint64_t)((int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size));
    *d = v;
    return true;
}

/* An atomic micro-op: false when it faults. c: what cas writes. */
bool ref_atomic(unsigned char *mem, uint16_t op, uint64_t addr, uint64_t b, uint64_t c, uint64_t *d)
{
    unsigned lg = op >= UOP_cas_8 && op <= UOP_cas_64 ? op - UOP_cas_8 : (op - UOP_amo_swap_8) % 4;
    unsigned size = 1u << lg, bits = 8 * size;
    if (addr % size || addr < MEM_AT || addr - MEM_AT > MEM - size)
        return false;
    uint64_t old = 0, mask = ~UINT64_C(0) >> (64 - bits), new;
    unsigned char *p = mem + (addr - MEM_AT);
    memcpy(&old, p, size);
    int64_t so = (int64_t)(old << (64 - bits)), sb = (int64_t)(b << (64 - bits));
    b &= mask;
    switch (op >= UOP_cas_8 && op <= UOP_cas_64 ? -1 : (op - UOP_amo_swap_8) / 4) {
    case -1:
        new = old == b ? c : old;
        break;
    case 0:
        new = b;
        break;
    case 1:
        new = old + b;
        break;
    case 2:
        new = old &b;
        break;
    case 3:
        new = old | b;
        break;
    case 4:
        new = old ^ b;
        break;
    case 5:
        new = so < sb ? old : b;
        break;
    case 6:
        new = so > sb ? old : b;
        break;
    case 7:
        new = old < b ? old : b;
        break;
    default:
        new = old > b ? old : b;
    }
    memcpy(p, &new, size);
    *d = old;
    return true;
}

bool ref_branches(uint16_t op, uint64_t a, uint64_t b)
{
    switch (op) {
    case UOP_br_eq:
        return a == b;
    case UOP_br_ne:
        return a != b;
    case UOP_br_lt:
        return (int64_t)a < (int64_t)b;
    case UOP_br_ge:
        return (int64_t)a >= (int64_t)b;
    case UOP_br_ltu:
        return a < b;
    case UOP_br_geu:
        return a >= b;
    case UOP_br_eq_32:
        return (uint32_t)a == (uint32_t)b;
    case UOP_br_ne_32:
        return (uint32_t)a != (uint32_t)b;
    case UOP_br_lt_32:
        return (int32_t)a < (int32_t)b;
    case UOP_br_ge_32:
        return (int32_t)a >= (int32_t)b;
    case UOP_br_ltu_32:
        return (uint32_t)a < (uint32_t)b;
    default:
        assert_int_equal(op, UOP_br_geu_32);
        return (uint32_t)a >= (uint32_t)b;
    }
}

uint64_t ref_compute(uint16_t op, uint64_t a, uint64_t b, uint64_t c, int64_t imm, unsigned *flags)
{
    uint64_t d;
    uint16_t info = uop_info[op].flags;
    bool imm_form = info & UOP_F_PURE && info & UOP_F_IMM;
    if (uop_eval(op, a, imm_form ? (uint64_t)imm : b, c, &d))
        return d;
    enum fp_rm rm = info & UOP_F_RM && imm != FP_DYN ? (enum fp_rm)imm : FP_RNE;
    return fp_soft(op, a, b, c, rm, flags);
}

void reference_run(const struct block *b, struct state *s, struct trace *t)
{
    uint64_t r[CPU_UNITS];
    memcpy(r, s->r, sizeof s->r);
    unsigned insn = 0;
    t->n = 0;
    t->faulted = t->left = false;
    for (unsigned i = 0; i < b->nuops; i++) {
        const struct uop *u = &b->uops[i];
        while (insn < b->ninsns && b->map[insn].uop == i) {
            t->pc[t->n] = b->pc + b->map[insn++].pcoff;
            t->flags_before[t->n] = s->flags;
            memcpy(t->before[t->n++], r, sizeof s->r);
        }
        uint16_t flags = uop_info[u->op].flags;
        if (flags & UOP_F_ATOMIC) {
            if (!ref_atomic(s->mem, u->op, r[u->a], r[u->b], r[u->c], &r[u->d])) {
                t->faulted = true;
                memcpy(s->r, t->before[t->n - 1], sizeof s->r);
                return;
            }
        } else if (flags & (UOP_F_LOAD | UOP_F_STORE)) {
            if (!ref_access(s->mem, u->op, r[u->a] + (uint64_t)u->imm, r[u->b], &r[u->d])) {
                t->faulted = true;
                memcpy(s->r, t->before[t->n - 1], sizeof s->r);
                return;
            }
        } else if (u->op == UOP_movi) {
            r[u->d] = (uint64_t)u->imm;
        } else if (flags & UOP_F_BRANCH) {
            t->next = ref_branches(u->op, r[u->a], r[u->b]) ? (uint64_t)u->imm : b->pc + b->len;
        } else if (u->op == UOP_jmp) {
            t->next = (uint64_t)u->imm;
        } else if (u->op == UOP_jmp_ind) {
            t->next = r[u->a];
        } else if (u->op == UOP_exit) {
            t->left = true;
        } else if (u->op == UOP_fp_getflags) {
            r[u->d] = s->flags;
        } else if (u->op == UOP_fp_setflags) {
            s->flags = r[u->a] & 31;
        } else if (u->op == UOP_fence) {
        } else {
            r[u->d] = ref_compute(u->op, r[u->a], r[u->b], r[u->c], u->imm, &s->flags);
        }
    }
    memcpy(s->r, r, sizeof s->r);
}

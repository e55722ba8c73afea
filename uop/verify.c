/* uop/verify.c: the verifier of blocks.
 *
 * Owns: block_verify, the rules that both engines rely on (see uop/uop.h and uop/block.h).
 *
 * Threading: reads only.
 */
#include "uop/block.h"
#include "uop/cpu.h"

struct verify {
    const struct block *b;
    unsigned nslots;
    uint8_t defined[CPU_UNITS]; /* temporaries written by this instruction */
};

static unsigned kind_units(enum uop_kind k)
{
    return k == UOP_K_N ? 0 : k == UOP_K_V || k == UOP_K_P ? 2 : 1;
}

/* Is operand n of kind k a place that exists? */
static const char *check_place(const struct verify *v, unsigned n, enum uop_kind k)
{
    unsigned end = n + kind_units(k);
    if (k == UOP_K_V && n % 2)
        return "vector operand names an odd unit";
    if (n >= CPU_TEMP_BASE)
        return end > CPU_UNITS ? "operand beyond the last temporary" : NULL;
    return end > v->nslots ? "operand names no slot of the guest" : NULL;
}

static const char *check_source(const struct verify *v, unsigned n, enum uop_kind k)
{
    if (k == UOP_K_N)
        return NULL;
    const char *wrong = check_place(v, n, k);
    if (wrong)
        return wrong;
    for (unsigned i = 0; i < kind_units(k); i++)
        if (n + i >= CPU_TEMP_BASE && !v->defined[n + i])
            return "temporary read before this instruction wrote it";
    return NULL;
}

/* May u leave the block before its end, so that its instruction starts again? */
static bool may_leave(const struct uop *u)
{
    const struct uop_info *info = &uop_info[u->op];
    if (info->flags & (UOP_F_LOAD | UOP_F_STORE))
        return true;
    if (info->flags & UOP_F_RM)
        return (u->imm & FP_RM_MASK) == FP_DYN;
    return u->op == UOP_exit;
}

static const char *check_imm(const struct uop *u)
{
    const struct uop_info *info = &uop_info[u->op];
    unsigned rm = (unsigned)u->imm & FP_RM_MASK;
    if (info->flags & UOP_F_RM &&
        ((rm != FP_DYN && rm > FP_RMM) || u->imm & 0x80f0 || FP_FBITS_OF(u->imm) > 64))
        return "no such rounding mode";
    if (!(info->flags & UOP_F_IMM) && u->imm)
        return "immediate where there is none";
    if (u->op == UOP_exit && (u->imm < EXIT_SYSCALL || u->imm > EXIT_FP_TRAP))
        return "no such exit reason";
    if ((u->op == UOP_jmp || u->op == UOP_jmp_ind) && u->c > JUMP_RET)
        return "no such jump hint";
    return NULL;
}

/* One instruction: micro-ops first .. end - 1. */
static const char *verify_insn(struct verify *v, unsigned first, unsigned end, unsigned *where)
{
    const struct block *b = v->b;
    for (unsigned i = 0; i < CPU_UNITS; i++)
        v->defined[i] = 0;
    unsigned last_leave = first;
    for (unsigned i = first; i < end; i++)
        if (b->uops[i].op < UOP_CODES && may_leave(&b->uops[i]))
            last_leave = i;
    for (unsigned i = first; i < end; i++) {
        const struct uop *u = &b->uops[i];
        *where = i;
        if (u->op >= UOP_CODES)
            return "no such micro-op";
        const struct uop_info *info = &uop_info[u->op];
        const char *wrong = NULL;
        if (!(wrong = check_imm(u)) && !(wrong = check_source(v, u->a, info->a)) &&
            !(wrong = check_source(v, u->b, info->b)))
            wrong = check_source(v, u->c, info->c);
        if (!wrong && info->d != UOP_K_N)
            wrong = check_place(v, u->d, info->d);
        if (wrong)
            return wrong;
        if (info->flags & UOP_F_TERM && i + 1 != b->nuops)
            return "terminator before the end of the block";
        if (info->d == UOP_K_N)
            continue;
        if (u->d < CPU_TEMP_BASE && i < last_leave)
            return "slot written before a micro-op that may fault or leave";
        for (unsigned j = 0; j < kind_units(info->d); j++)
            v->defined[u->d + j] = 1;
    }
    return NULL;
}

const char *block_verify(const struct block *b, unsigned nslots, unsigned *where)
{
    unsigned none;
    if (!where)
        where = &none;
    *where = 0;
    if (!b->ninsns || !b->nuops)
        return "empty block";
    if (nslots > CPU_TEMP_BASE)
        return "guest has more slots than there are";
    if (b->map[0].uop != 0 || b->map[0].pcoff != 0)
        return "instruction map does not start at the block's start";
    struct verify v = {.b = b, .nslots = nslots};
    for (unsigned i = 0; i < b->ninsns; i++) {
        unsigned first = b->map[i].uop;
        unsigned end = i + 1 < b->ninsns ? b->map[i + 1].uop : b->nuops;
        *where = first;
        if (first > end || end > b->nuops)
            return "instruction map is not ascending";
        if (b->map[i].pcoff >= b->len || (i && b->map[i].pcoff <= b->map[i - 1].pcoff))
            return "instruction map's addresses are not ascending within the block";
        const char *wrong = verify_insn(&v, first, end, where);
        if (wrong)
            return wrong;
    }
    *where = b->nuops - 1;
    if (!(uop_info[b->uops[b->nuops - 1].op].flags & UOP_F_TERM))
        return "block does not end in a terminator";
    return NULL;
}

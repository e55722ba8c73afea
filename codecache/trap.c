/* codecache/trap.c: traps of floating-point operations. See trap.h.
 *
 * Facts: Intel SDM vol. 1, 11.5.2 (SIMD exceptions: an unmasked one leaves the destination alone, flags are set first; unmasked
 * underflow is for every tiny result, exact ones too), 4.9.1.5 (inexact is then what differs from the value with an unbounded
 * exponent), 4.8.3.5 (which NaN operand a result is); ucomisd and comisd set ZF, PF, CF when unordered and clear
 * OF, SF, AF.
 */
#include "codecache/trap.h"
#include "codecache/leb.h"
#include "uop/fp.h"
#include "uop/sem.h"
#include <time.h>
#include <ucontext.h>

static void put(struct cc_trap_table *t, uint64_t v)
{
    cc_put_number(t->buf, &t->len, t->cap, &t->overflow, v);
}

static unsigned operands(uint16_t op)
{
    const struct uop_info *info = &uop_info[op];
    return (info->a != UOP_K_N) + (info->b != UOP_K_N) + (info->c != UOP_K_N);
}

void cc_trap_add(struct cc_trap_table *t, const struct cc_trap_row *row)
{
    put(t, row->begin - t->off);
    put(t, row->end - row->begin);
    put(t, (uint64_t)(row->result | (unsigned)row->reg << 3));
    t->off = row->end;
    if (row->result == CC_TRAP_FLAGS)
        return;
    put(t, row->op);
    put(t, cc_zigzag(row->imm));
    for (unsigned i = 0; i < operands(row->op); i++) {
        const struct cc_loc *l = &row->operand[i];
        put(t, (uint64_t)(l->kind | (l->reg & 31) << 3));
        if (l->kind == CC_LOC_UNIT)
            put(t, l->v);
        else if (l->kind == CC_LOC_CONST)
            put(t, cc_zigzag((int64_t)l->v));
    }
}

bool cc_trap_find(const struct unit *u, uint32_t off, struct cc_trap_row *row)
{
    struct cc_reader r = {u->traps, u->traps + u->traps_len};
    uint32_t end = 0;
    while (r.p < r.end) {
        row->begin = end + (uint32_t)cc_get_number(&r);
        row->end = end = row->begin + (uint32_t)cc_get_number(&r);
        uint64_t k = cc_get_number(&r);
        row->result = (enum cc_trap_result)(k & 7);
        row->reg = (uint8_t)(k >> 3);
        if (row->begin > off)
            return false;
        if (row->result != CC_TRAP_FLAGS) {
            row->op = (uint16_t)cc_get_number(&r);
            row->imm = cc_unzigzag(cc_get_number(&r));
            for (unsigned i = 0; i < operands(row->op); i++) {
                k = cc_get_number(&r);
                row->operand[i] = (struct cc_loc){.kind = k & 7, .reg = k >> 3 & 31};
                if ((k & 7) == CC_LOC_UNIT)
                    row->operand[i].v = cc_get_number(&r);
                else if ((k & 7) == CC_LOC_CONST)
                    row->operand[i].v = (uint64_t)cc_unzigzag(cc_get_number(&r));
            }
        }
        if (off < end)
            return true;
    }
    return false;
}

/* All 128 bits of what is in a place; those of a vector register that a scalar does not use too. */
static void read_place(const struct cc_loc *l, const struct cc_regs *regs, const struct cpu *cpu,
                       bool vector, uint64_t v[2])
{
    v[1] = 0;
    switch (l->kind) {
    case CC_LOC_GPR:
        v[0] = regs->gpr[l->reg];
        break;
    case CC_LOC_XMM:
        memcpy(v, regs->xmm[l->reg], 16);
        break;
    case CC_LOC_UNIT:
        v[0] = cpu->r[l->v];
        v[1] = vector ? cpu->r[l->v + 1] : 0;
        break;
    default:
        v[0] = l->v;
    }
}

/* More traps than this in less time than that cost more than looking at results does. */
enum { OFTEN = 64 };
#define OFTEN_NS UINT64_C(20000000)

static void count(struct cpu *cpu, struct unit *u)
{
    if (++u->trapped % OFTEN)
        return;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    if (now - u->trapped_since < OFTEN_NS) {
        cpu->trapped = u->pc;
        cpu_ask_out(cpu);
    }
    u->trapped_since = now;
}

/* MXCSR for what follows. Once the flag of flushed operands is set the host may flush them, and once those are set that it sets with
 * tiny results, these, where somebody looks for what is rounded up (a unit with invalid masked). */
static uint32_t settled(const struct cpu *cpu, uint32_t m)
{
    const uint32_t both = FP_MXCSR_UE | FP_MXCSR_PE;
    if (cpu->fp_rules & FP_FZ) {
        m |= cpu->fp_denormal ? FP_MXCSR_DAZ : 0;
        m |= m & FP_MXCSR_IM && (m & both) == both ? FP_MXCSR_UM | FP_MXCSR_FTZ : 0;
    }
    return fp_mxcsr_settled(m);
}

static void perform(struct cpu *cpu, const struct cc_trap_row *row, ucontext_t *uc)
{
    struct _libc_fpstate *fp = uc->uc_mcontext.fpregs;
    const struct uop_info *info = &uop_info[row->op];
    const uint8_t kind[3] = {info->a, info->b, info->c};
    struct cc_regs regs;
    uint64_t above[2];
    cc_get_regs(&regs, uc);
    for (unsigned i = 0; i < operands(row->op); i++) {
        read_place(&row->operand[i], &regs, cpu, kind[i] == UOP_K_V, cpu->call_arg[i]);
        if (i == 0)
            memcpy(above, cpu->call_arg[0], 16);
        if (kind[i] == UOP_K_S)
            cpu->call_arg[i][0] = (uint32_t)cpu->call_arg[i][0];
    }
    if (kind[0] == UOP_K_I)
        above[0] = above[1] = 0;
    uint32_t mxcsr = fp->mxcsr, trapping = ~mxcsr >> 7 & (FP_MXCSR_IE | FP_MXCSR_UE | FP_MXCSR_PE);
    mxcsr &= ~trapping | cpu->mxcsr;
    /* The kernel gave this handler an MXCSR with nothing in it. */
    fp_set_mxcsr(fp_mxcsr(cpu->frm, 0));
    uint64_t d = uop_call(cpu, row->op | (uint64_t)row->imm << 16, 0);
    uint32_t raised = fp_get_mxcsr() & FP_MXCSR_FLAGS;
    fp_set_mxcsr(FP_MXCSR_MASKS);
    cpu->mxcsr |= raised;
    fp->mxcsr = settled(cpu, mxcsr | raised);
    switch (row->result) {
    case CC_TRAP_GPR:
        uc->uc_mcontext.gregs[cc_greg[row->reg]] = (greg_t)d;
        break;
    case CC_TRAP_SCALAR:
        memcpy(above, &d, info->d == UOP_K_S ? 4 : 8);
        cc_set_xmm(uc, row->reg, above);
        break;
    default:
        cc_set_xmm(uc, row->reg, cpu->call_result);
    }
}

bool cc_trap(struct cpu *cpu, void *ucontext)
{
    enum { ZF = 0x40, PF = 4, CF = 1, OTHERS = 0x890 /* OF, SF, AF */ };
    ucontext_t *uc = ucontext;
    greg_t *pc = &uc->uc_mcontext.gregs[REG_RIP];
    struct unit *u = cc_unit_by_host((uintptr_t)*pc);
    struct cc_trap_row row;
    if (!u || !cc_trap_find(u, (uint32_t)((uintptr_t)*pc - (uintptr_t)u->code), &row))
        return false;
    if (row.result == CC_TRAP_FLAGS) {
        greg_t *flags = &uc->uc_mcontext.gregs[REG_EFL];
        cpu->mxcsr |= uc->uc_mcontext.fpregs->mxcsr & FP_MXCSR_IE;
        *flags = (*flags & ~OTHERS) | ZF | PF | CF;
    } else {
        perform(cpu, &row, uc);
    }
    *pc = (greg_t)((uintptr_t)u->code + row.end);
    count(cpu, u);
    return true;
}

/* codecache/side.c: side tables. See side.h. */
#include "codecache/side.h"
#include "codecache/leb.h"
#include "uop/sem.h"

#include <cpuid.h>
#include <ucontext.h>

void cc_side_start(const struct x64_homes *h, struct cc_loc loc[CPU_TEMP_BASE])
{
    for (unsigned s = 0; s < CPU_TEMP_BASE; s++) {
        unsigned r = h->reg_of[s];
        if (r == X64_NO_REG)
            loc[s] = (struct cc_loc){.kind = CC_LOC_CPU};
        else if (r < 16)
            loc[s] = (struct cc_loc){.kind = CC_LOC_GPR, .reg = (uint8_t)r};
        else
            loc[s] = (struct cc_loc){.kind = h->xmm_whole[r - 16] ? CC_LOC_XMM128 : CC_LOC_XMM,
                                     .reg = (uint8_t)(r - 16)};
    }
}

/* ---- writing ---- */

static void put(struct cc_side *s, uint64_t v)
{
    cc_put_number(s->buf, &s->len, s->cap, &s->overflow, v);
}

/* Is b, as a row names it, where a of the last row was? */
static bool same(const struct cc_side *s, const struct cc_loc *a, const struct cc_loc *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case CC_LOC_CPU:
        return true;
    case CC_LOC_EXPR:
        return a->reg == b->reg && !memcmp(s->buf + a->v, (const void *)(uintptr_t)b->v, a->reg);
    case CC_LOC_UNIT:
    case CC_LOC_CONST:
        return a->v == b->v;
    default:
        return a->reg == b->reg;
    }
}

void cc_side_init(struct cc_side *s, void *buf, uint32_t cap, const struct x64_homes *h,
                  uint64_t pc)
{
    s->buf = buf;
    s->len = 0;
    s->cap = cap;
    s->overflow = false;
    s->off = 0;
    s->pc = pc;
    memset(s->named, 0, sizeof s->named);
    if (!h)
        return;
    cc_side_start(h, s->base);
    memcpy(s->loc, s->base, sizeof s->loc);
}

void cc_side_saved(struct cc_side *s, unsigned slot)
{
    s->base[slot] = (struct cc_loc){.kind = CC_LOC_CPU};
    /* The first row has to say so. */
    s->named[slot / 64] |= UINT64_C(1) << slot % 64;
}

static void put_in_expr(struct cc_expr *x, uint64_t v)
{
    cc_put_number(x->text, &x->len, CC_EXPR_MAX, &x->overflow, v);
}

void cc_expr_op(struct cc_expr *x, unsigned op, int64_t imm)
{
    put_in_expr(x, CC_LOC_EXPR);
    put_in_expr(x, op);
    if (uop_info[op].flags & UOP_F_IMM)
        put_in_expr(x, cc_zigzag(imm));
}

void cc_expr_loc(struct cc_expr *x, const struct cc_loc *l)
{
    put_in_expr(x, (uint64_t)(l->kind | (l->reg & 31) << 3));
    if (l->kind == CC_LOC_UNIT)
        put_in_expr(x, l->v);
    else if (l->kind == CC_LOC_CONST)
        put_in_expr(x, cc_zigzag((int64_t)l->v));
}

static void put_change(struct cc_side *s, unsigned slot, const struct cc_loc *l)
{
    bool has_reg = l->kind != CC_LOC_CPU && l->kind != CC_LOC_EXPR;
    put(s, slot);
    put(s, (uint64_t)(l->kind | (has_reg ? (l->reg & 31) << 3 : 0)));
    s->loc[slot] = *l;
    if (l->kind == CC_LOC_UNIT) {
        put(s, l->v);
    } else if (l->kind == CC_LOC_CONST) {
        put(s, cc_zigzag((int64_t)l->v));
    } else if (l->kind == CC_LOC_EXPR) {
        put(s, l->reg);
        if (s->cap - s->len < l->reg) {
            s->overflow = true;
            s->loc[slot] = s->base[slot];
            return;
        }
        s->loc[slot].v = s->len;
        memcpy(s->buf + s->len, (const void *)(uintptr_t)l->v, l->reg);
        s->len += l->reg;
    }
}

void cc_side_row(struct cc_side *s, uint32_t off, uint64_t pc, const struct cc_named *named,
                 unsigned n)
{
    uint64_t now[CPU_TEMP_BASE / 64] = {0};
    uint8_t back[CPU_TEMP_BASE]; /* slots that are where base says again */
    unsigned nback = 0, nchanged = 0;

    for (unsigned i = 0; i < n; i++) {
        now[named[i].slot / 64] |= UINT64_C(1) << named[i].slot % 64;
        nchanged += !same(s, &s->loc[named[i].slot], &named[i].loc);
    }
    for (unsigned w = 0; w < CPU_TEMP_BASE / 64; w++) {
        for (uint64_t left = s->named[w] & ~now[w]; left; left &= left - 1) {
            unsigned slot = w * 64 + (unsigned)__builtin_ctzll(left);
            if (!same(s, &s->loc[slot], &s->base[slot]))
                back[nback++] = (uint8_t)slot;
        }
        s->named[w] = now[w];
    }
    put(s, off - s->off);
    put(s, cc_zigzag((int64_t)(pc - s->pc)));
    put(s, nchanged + nback);
    for (unsigned i = 0; i < n; i++)
        if (!same(s, &s->loc[named[i].slot], &named[i].loc))
            put_change(s, named[i].slot, &named[i].loc);
    for (unsigned i = 0; i < nback; i++)
        put_change(s, back[i], &s->base[back[i]]);
    s->off = off;
    s->pc = pc;
}

/* ---- reading ---- */

bool cc_side_find(const struct unit *u, const struct x64_homes *h, uint32_t off, uint64_t *pc,
                  struct cc_loc loc[CPU_TEMP_BASE])
{
    struct cc_reader r = {u->side, u->side + u->side_len};
    uint32_t at = 0;

    *pc = u->pc;
    cc_side_start(h, loc);
    while (r.p < r.end && at <= off) {
        at += (uint32_t)cc_get_number(&r);
        *pc += (uint64_t)cc_unzigzag(cc_get_number(&r));
        for (uint64_t n = cc_get_number(&r); n; n--) {
            uint64_t slot = cc_get_number(&r), k = cc_get_number(&r);
            struct cc_loc l = {.kind = k & 7, .reg = k >> 3 & 31};
            if (l.kind == CC_LOC_UNIT)
                l.v = cc_get_number(&r);
            else if (l.kind == CC_LOC_CONST)
                l.v = (uint64_t)cc_unzigzag(cc_get_number(&r));
            else if (l.kind == CC_LOC_EXPR) {
                l.reg = (uint8_t)cc_get_number(&r);
                l.v = (uint64_t)(r.p - u->side);
                r.p += l.reg;
            }
            if (slot < CPU_TEMP_BASE)
                loc[slot] = l;
        }
        if (at == off)
            return true;
    }
    return false;
}

/* The value of the operand or expression at r. */
static uint64_t evaluate(struct cc_reader *r, const struct cc_regs *regs, const struct cpu *cpu)
{
    uint64_t k = cc_get_number(r), operand[3] = {0}, d = 0;
    switch (k & 7) {
    case CC_LOC_GPR:
        return regs->gpr[k >> 3 & 15];
    case CC_LOC_XMM:
        return regs->xmm[k >> 3 & 31][0];
    case CC_LOC_XMM32:
        return (uint32_t)regs->xmm[k >> 3 & 31][0];
    case CC_LOC_UNIT:
        return cpu->r[cc_get_number(r)];
    case CC_LOC_CONST:
        return (uint64_t)cc_unzigzag(cc_get_number(r));
    default:
        break;
    }
    unsigned op = (unsigned)cc_get_number(r);
    const struct uop_info *info = &uop_info[op];
    if (info->flags & UOP_F_IMM)
        operand[1] = (uint64_t)cc_unzigzag(cc_get_number(r));
    const uint8_t kind[3] = {info->a, info->b, info->c};
    for (unsigned i = 0; i < 3; i++)
        if (kind[i] != UOP_K_N)
            operand[i] = evaluate(r, regs, cpu);
    uop_eval((enum uop_code)op, operand[0], operand[1], operand[2], &d);
    return d;
}

bool cc_state_at(const struct unit *u, uintptr_t host_pc, const struct cc_regs *regs,
                 struct cpu *cpu)
{
    struct cc_loc loc[CPU_TEMP_BASE];
    uint64_t pc;

    if (!cc_side_find(u, &cc_region.homes, (uint32_t)(host_pc - (uintptr_t)u->code), &pc, loc))
        return false;
    /* All are read before one is written: a value may lie in another slot's place. */
    uint64_t v[CPU_TEMP_BASE];
    unsigned n = cpu->guest->nslots;
    for (unsigned s = 0; s < n; s++)
        switch (loc[s].kind) {
        case CC_LOC_GPR:
            v[s] = regs->gpr[loc[s].reg];
            break;
        case CC_LOC_XMM:
            v[s] = regs->xmm[loc[s].reg][0];
            break;
        case CC_LOC_EXPR: {
            struct cc_reader r = {u->side + loc[s].v, u->side + u->side_len};
            v[s] = evaluate(&r, regs, cpu);
            break;
        }
        case CC_LOC_XMM32:
            v[s] = (uint32_t)regs->xmm[loc[s].reg][0];
            break;
        case CC_LOC_XMM128:
            v[s] = regs->xmm[loc[s].reg][0];
            v[s + 1] = regs->xmm[loc[s].reg][1];
            s++;
            break;
        case CC_LOC_UNIT:
            v[s] = cpu->r[loc[s].v];
            break;
        case CC_LOC_CONST:
            v[s] = loc[s].v;
            break;
        default:
            v[s] = cpu->r[s];
            break;
        }
    memcpy(cpu->r, v, n * sizeof *v);
    cpu->r[cpu->guest->pc_slot] = pc;
    return true;
}

const uint8_t cc_greg[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                             REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                             REG_R12, REG_R13, REG_R14, REG_R15};

/* ---- vector registers in a signal's frame ---- */

/* The frame is XSAVE's, in the standard format: 512 bytes, the header, whose first word says which components are there (those that are not are
 * zero), and components where CPUID says (Intel SDM vol. 1, 13.4; asm/sigcontext.h). Component 7 has zmm16 to zmm31. */
enum { XSTATE_HIGH = 7, XSTATE_HEADER = 512, ZMM_SIZE = 64 };

/* Of a component; 0: the frame has none, so no unit uses these registers. */
static uint32_t high_offset(const struct _libc_fpstate *fp)
{
    static uint32_t offset; /* any thread may find it out */
    const struct _fpx_sw_bytes *sw =
        (const void *)((const uint8_t *)fp + XSTATE_HEADER - sizeof(struct _fpx_sw_bytes));
    if (sw->magic1 != FP_XSTATE_MAGIC1 || !(sw->xstate_bv >> XSTATE_HIGH & 1))
        return 0;
    if (!__atomic_load_n(&offset, __ATOMIC_RELAXED)) {
        uint32_t size, at, c, d;
        __cpuid_count(13, XSTATE_HIGH, size, at, c, d);
        __atomic_store_n(&offset, at, __ATOMIC_RELAXED);
    }
    return __atomic_load_n(&offset, __ATOMIC_RELAXED);
}

void cc_get_regs(struct cc_regs *regs, const void *ucontext)
{
    const ucontext_t *uc = ucontext;
    const struct _libc_fpstate *fp = uc->uc_mcontext.fpregs;
    for (unsigned i = 0; i < 16; i++) {
        regs->gpr[i] = (uint64_t)uc->uc_mcontext.gregs[cc_greg[i]];
        memcpy(regs->xmm[i], &fp->_xmm[i], 16);
    }
    memset(regs->xmm[16], 0, sizeof regs->xmm - 16 * sizeof regs->xmm[0]);
    uint32_t at = high_offset(fp);
    uint64_t there;
    memcpy(&there, (const uint8_t *)fp + XSTATE_HEADER, sizeof there);
    for (unsigned i = 16; at && there >> XSTATE_HIGH & 1 && i < X64_NXMM; i++)
        memcpy(regs->xmm[i], (const uint8_t *)fp + at + (i - 16) * ZMM_SIZE, 16);
}

void cc_set_xmm(void *ucontext, unsigned reg, const uint64_t v[2])
{
    struct _libc_fpstate *fp = ((ucontext_t *)ucontext)->uc_mcontext.fpregs;
    if (reg < 16) {
        memcpy(&fp->_xmm[reg], v, 16);
        return;
    }
    uint8_t *header = (uint8_t *)fp + XSTATE_HEADER, *area = (uint8_t *)fp + high_offset(fp);
    uint64_t there;
    memcpy(&there, header, sizeof there);
    if (!(there >> XSTATE_HIGH & 1))
        memset(area, 0, 16 * ZMM_SIZE);
    there |= UINT64_C(1) << XSTATE_HIGH;
    memcpy(header, &there, sizeof there);
    memcpy(area + (reg - 16) * ZMM_SIZE, v, 16);
}

bool cc_fault(struct cpu *cpu, void *ucontext)
{
    ucontext_t *uc = ucontext;
    uintptr_t host_pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    const struct unit *u = cc_unit_by_host(host_pc);
    struct cc_regs regs;

    if (!u)
        return false;
    cc_get_regs(&regs, uc);
    if (!cc_state_at(u, host_pc, &regs, cpu))
        return false;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)cc_stub(X64_STUB_FAULT);
    return true;
}

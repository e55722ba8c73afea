/* Emission of accesses to the sticky floating-point flags. MXCSR has them in another order than enum fp_flag: tables of the cpu
 * translate.
 *
 * Threading: see bt/ir.h.
 */
#include "bt/emit_int.h"
#include "uop/fp.h"
#include <stddef.h>

static struct x64_mem table(size_t offset, unsigned index)
{
    return x64_mem_idx(BT_CPU, index, 1, (int32_t)offset - X64_CPU_BIAS);
}

/* From MXCSR in rax. */
static void neutral_flags(struct bt_emitter *m, uint32_t v)
{
    unsigned d = bt_dst(m, v, RAX);
    x64_alu_ri(&m->e, X64_AND, 4, RAX, 0x3f);
    x64_rm(&m->e, X64_MOVZX8, 4, d, table(offsetof(struct cpu, fp_flags), RAX));
    bt_done(m, v, d);
}

static void get_raw(struct bt_emitter *m, unsigned reg)
{
    x64_m(&m->e, X64_STMXCSR, 4, X64_CPU(mxcsr));
    x64_mov_rm(&m->e, 4, reg, X64_CPU(mxcsr));
}

static void set_flags(struct bt_emitter *m, uint32_t v)
{
    struct x64_emit *e = &m->e;
    bt_load_gpr(m, RDX, m->r->ops[v].a);
    get_raw(m, RAX);
    x64_alu_ri(e, X64_AND, 4, RAX, ~0x3f);
    x64_alu_ri(e, X64_AND, 4, RDX, 0x1f);
    x64_rm(e, X64_MOVZX8, 4, RDX, table(offsetof(struct cpu, fp_sticky), RDX));
    x64_alu_rr(e, X64_OR, 4, RAX, RDX);
    if (m->r->flushes) {
        /* fp_mxcsr_of_units */
        x64_alu_ri(e, X64_AND, 4, RDX, FP_MXCSR_PE);
        x64_shift_ri(e, X64_SHL, 4, RDX, 7);
        x64_alu_ri(e, X64_AND, 4, RAX,
                   (int32_t) ~(FP_MXCSR_PM | FP_MXCSR_DAZ | FP_MXCSR_FTZ | FP_MXCSR_UM));
        x64_alu_rr(e, X64_OR, 4, RAX, RDX);
        x64_rm(e, X64_MOVZX8, 4, RDX, X64_CPU(fp_denormal));
        x64_shift_ri(e, X64_SHL, 4, RDX, 6);
        x64_alu_rr(e, X64_OR, 4, RAX, RDX);
    } else if (m->r->traps) {
        /* fp_mxcsr_settled */
        x64_alu_ri(e, X64_AND, 4, RAX, ~(int32_t)FP_MXCSR_UM);
        x64_alu_ri(e, X64_AND, 4, RDX, FP_MXCSR_UE | FP_MXCSR_PE);
        x64_alu_ri(e, X64_ADD, 4, RDX, FP_MXCSR_UE);
        x64_alu_ri(e, X64_AND, 4, RDX, FP_MXCSR_PE << 1);
        x64_shift_ri(e, X64_SHL, 4, RDX, 5);
        x64_alu_rr(e, X64_OR, 4, RAX, RDX);
    }
    x64_mov_mr(e, 4, X64_CPU(mxcsr), RAX);
    x64_m(e, X64_LDMXCSR, 4, X64_CPU(mxcsr));
}

bool bt_emit_fp_flags(struct bt_emitter *m, uint32_t v)
{
    unsigned d = bt_dst(m, v, RAX);
    switch (m->r->ops[v].op) {
    case UOP_fp_getflags:
        get_raw(m, RAX);
        neutral_flags(m, v);
        return true;
    case UOP_fp_getraw:
        get_raw(m, d);
        bt_done(m, v, d);
        return true;
    case UOP_fp_flags:
        bt_load_gpr(m, RAX, m->r->ops[v].a);
        neutral_flags(m, v);
        return true;
    case UOP_fp_setflags:
        set_flags(m, v);
        return true;
    case UOP_fp_getid:
        x64_rm(&m->e, X64_MOVZX8, 4, d, X64_CPU(fp_denormal));
        bt_done(m, v, d);
        return true;
    case UOP_fp_setid:
        x64_mov_mr(&m->e, 1, X64_CPU(fp_denormal), bt_gpr(m, m->r->ops[v].a, RAX));
        return true;
    default:
        return false;
    }
}

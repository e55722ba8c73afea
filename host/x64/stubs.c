/* host/x64/stubs.c: home registers, entry and exit stubs. See stubs.h.
 *
 * Facts: System V ABI, AMD64 supplement (callee-saved registers, stack alignment, MXCSR control bits).
 */
#include "host/x64/stubs.h"
#include "process/mm.h"
#include "uop/fp.h"
#include "uop/sem.h"

const uint8_t x64_home_gpr[X64_NHOME_GPR] = {RBX, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15};
const uint8_t x64_home_xmm[X64_NHOME_XMM] = {XMM4,  XMM5,  XMM6,  XMM7,  XMM8,  XMM9,
                                             XMM10, XMM11, XMM12, XMM13, XMM14, XMM15};

static const uint8_t callee_saved[] = {RBP, RBX, R12, R13, R14, R15};
#define NSAVED (sizeof callee_saved)
#define FRAME \
    24 /* host MXCSR, and alignment: with 6 pushes and the return address a multiple of 16 */

void x64_homes_of(const struct guest *g, struct x64_homes *h)
{
    memset(h->gpr_slot, X64_NO_SLOT, sizeof h->gpr_slot);
    memset(h->xmm_slot, X64_NO_SLOT, sizeof h->xmm_slot);
    memset(h->reg_of, X64_NO_REG, sizeof h->reg_of);
    memset(h->xmm_whole, 0, sizeof h->xmm_whole);
    for (unsigned i = 0; i < X64_NHOME_GPR; i++) {
        if (g->home_gpr[i] == GUEST_NO_SLOT)
            continue;
        h->gpr_slot[x64_home_gpr[i]] = g->home_gpr[i];
        h->reg_of[g->home_gpr[i]] = x64_home_gpr[i];
    }
    for (unsigned i = 0; i < X64_NHOME_XMM; i++) {
        if (g->home_xmm[i] == GUEST_NO_SLOT)
            continue;
        h->xmm_slot[x64_home_xmm[i]] = g->home_xmm[i];
        h->xmm_whole[x64_home_xmm[i]] = guest_vector_slot(g, g->home_xmm[i]);
        h->reg_of[g->home_xmm[i]] = (uint8_t)(16 + x64_home_xmm[i]);
    }
}

static void load_homes(struct x64_emit *e, const struct x64_homes *h)
{
    for (unsigned r = 0; r < 16; r++)
        if (h->gpr_slot[r] != X64_NO_SLOT)
            x64_mov_rm(e, 8, r, x64_slot(h->gpr_slot[r]));
    for (unsigned r = 0; r < 16; r++)
        if (h->xmm_slot[r] != X64_NO_SLOT)
            x64_v_rm(e, h->xmm_whole[r] ? X64_MOVAPS : X64_MOVSD, r, x64_slot(h->xmm_slot[r]));
}

static void store_homes(struct x64_emit *e, const struct x64_homes *h)
{
    for (unsigned r = 0; r < 16; r++)
        if (h->gpr_slot[r] != X64_NO_SLOT)
            x64_mov_mr(e, 8, x64_slot(h->gpr_slot[r]), r);
    for (unsigned r = 0; r < 16; r++)
        if (h->xmm_slot[r] != X64_NO_SLOT)
            x64_v_rm(e, h->xmm_whole[r] ? X64_MOVAPS_ST : X64_MOVSD_ST, r,
                     x64_slot(h->xmm_slot[r]));
}

/* OR into the cpu's MXCSR what is to be there when the sticky flags of underflow and of inexact results are both set. */
static void when_settled(struct x64_emit *e, uint32_t bits)
{
    x64_mov_rm(e, 4, RAX, X64_CPU(mxcsr));
    x64_alu_ri(e, X64_AND, 4, RAX, FP_MXCSR_UE | FP_MXCSR_PE);
    x64_alu_ri(e, X64_ADD, 4, RAX, FP_MXCSR_UE);
    x64_shift_ri(e, X64_SHL, 4, RAX, 25); /* the carry out of both becomes the sign */
    x64_shift_ri(e, X64_SAR, 4, RAX, 31);
    x64_alu_ri(e, X64_AND, 4, RAX, (int32_t)bits);
    x64_alu_mr(e, X64_OR, 4, X64_CPU(mxcsr), RAX);
}

void x64_mask_traps(struct x64_emit *e, bool on, bool flushes)
{
    uint32_t masks = FP_MXCSR_IM | FP_MXCSR_UM, tiny = flushes ? FP_MXCSR_FTZ : 0;
    x64_m(e, X64_STMXCSR, 4, X64_CPU(mxcsr));
    if (on)
        x64_alu_mi(e, X64_OR, 4, X64_CPU(mxcsr), (int32_t)(flushes ? FP_MXCSR_IM : masks));
    else
        x64_alu_mi(e, X64_AND, 4, X64_CPU(mxcsr), (int32_t) ~(masks | tiny));
    if (on == flushes)
        when_settled(e, FP_MXCSR_UM | tiny);
    x64_m(e, X64_LDMXCSR, 4, X64_CPU(mxcsr));
}

/* A C function, on the host's stack, with the registers saved that it may change and that are homes, or high ones; in all a multiple of
 * 16 bytes. */
static void call_c(struct x64_emit *e, bool high)
{
    static const uint8_t gpr[] = {RSI, RDI, R8, R9, R10, R11};
    unsigned n = X64_NHOME_XMM + (high ? X64_NXMM - XMM16 : 0);
    x64_mov_mr(e, 8, X64_CPU(frames), RSP);
    x64_mov_rm(e, 8, RSP, X64_CPU(host_rsp));
    for (unsigned i = 0; i < sizeof gpr; i++)
        x64_push(e, gpr[i]);
    x64_alu_ri(e, X64_SUB, 8, RSP, 16 * (int32_t)n);
    for (unsigned i = 0; i < n; i++)
        x64_v_rm(e, X64_MOVUPS_ST, i < X64_NHOME_XMM ? x64_home_xmm[i] : XMM16 + i - X64_NHOME_XMM,
                 x64_mem(RSP, (int32_t)(16 * i)));
    x64_lea(e, 8, RDI, x64_mem(RBP, -X64_CPU_BIAS));
    x64_mov_rr(e, 8, RSI, RCX);
    x64_r(e, X64_CALL_RM, 8, RAX);
    for (unsigned i = 0; i < n; i++)
        x64_v_rm(e, X64_MOVUPS, i < X64_NHOME_XMM ? x64_home_xmm[i] : XMM16 + i - X64_NHOME_XMM,
                 x64_mem(RSP, (int32_t)(16 * i)));
    x64_alu_ri(e, X64_ADD, 8, RSP, 16 * (int32_t)n);
    for (unsigned i = sizeof gpr; i-- > 0;)
        x64_pop(e, gpr[i]);
    x64_mov_rm(e, 8, RSP, X64_CPU(frames));
    x64_none(e, X64_RET);
}

static void call_uop(struct x64_emit *e, unsigned call)
{
    x64_push(e, RCX);
    x64_push(e, RDX);
    x64_alu_ri(e, X64_SUB, 8, RSP, 8);
    x64_mov_rr(e, 8, RCX, RAX);
    x64_mov_ri(e, RAX, (uint64_t)(uintptr_t)uop_call);
    x64_call(e, call);
    x64_alu_ri(e, X64_ADD, 8, RSP, 8);
    x64_pop(e, RDX);
    x64_pop(e, RCX);
    x64_none(e, X64_RET);
}

/* On the host's stack, as that of frames may end here, which is seen only to in units (cc_frames_fault). The carry flag is the
 * routine's. */
static void call_bulk(struct x64_emit *e, const void *routine)
{
    x64_mov_mr(e, 8, X64_CPU(frames), RSP);
    x64_mov_rm(e, 8, RSP, X64_CPU(host_rsp));
    x64_push(e, RDI);
    x64_push(e, RSI);
    x64_mov_rr(e, 8, RDI, RAX);
    x64_mov_rr(e, 8, RSI, RCX);
    x64_mov_ri(e, RAX, (uint64_t)(uintptr_t)routine);
    x64_r(e, X64_CALL_RM, 8, RAX);
    x64_pop(e, RSI);
    x64_pop(e, RDI);
    x64_mov_rm(e, 8, RSP, X64_CPU(frames));
    x64_none(e, X64_RET);
}

void x64_stubs_emit(struct x64_emit *e, const struct x64_homes *h, unsigned pc_slot, bool traps,
                    uint32_t off[X64_NSTUBS])
{
    unsigned restore = x64_label(e), call = x64_label(e);

    off[X64_STUB_ENTER] = x64_offset(e);
    for (unsigned i = 0; i < NSAVED; i++)
        x64_push(e, callee_saved[i]);
    x64_alu_ri(e, X64_SUB, 8, RSP, FRAME);
    x64_m(e, X64_STMXCSR, 4, x64_mem(RSP, 0));
    x64_lea(e, 8, RBP, x64_mem(RDI, X64_CPU_BIAS));
    x64_mov_mr(e, 8, X64_CPU(host_rsp), RSP);
    x64_m(e, X64_LDMXCSR, 4, X64_CPU(mxcsr));
    x64_mov_rr(e, 8, RAX, RSI);
    load_homes(e, h);
    x64_mov_rm(e, 8, RSP, X64_CPU(frames));
    x64_r(e, X64_JMP_RM, 8, RAX);

    x64_align(e, 16);
    off[X64_STUB_RETURN] = x64_offset(e);
    unsigned next = x64_label(e), found = x64_label(e), miss = x64_label(e);
    x64_lea(e, 8, RDX, x64_mem(RSP, 16));
    x64_mov_ri(e, RCX, X64_FRAMES_SCAN);
    x64_bind(e, next);
    x64_alu_rm(e, X64_CMP, 8, RAX, x64_mem(RDX, 8));
    x64_jcc8(e, X64_E, found);
    x64_alu_ri(e, X64_ADD, 8, RDX, 16);
    x64_alu_ri(e, X64_SUB, 4, RCX, 1);
    x64_jcc(e, X64_NE, next);
    int32_t ucache = (int32_t)offsetof(struct cpu, ucache) - X64_CPU_BIAS;
    x64_mov_rr(e, 4, RCX, RAX);
    x64_alu_ri(e, X64_AND, 4, RCX, ((1 << CPU_UCACHE_BITS) - 1) << 1);
    x64_alu_rm(e, X64_CMP, 8, RAX, x64_mem_idx(RBP, RCX, 8, ucache));
    x64_jcc8(e, X64_NE, miss);
    x64_m(e, X64_JMP_RM, 8,
          x64_mem_idx(RBP, RCX, 8, ucache + (int32_t)offsetof(struct ucache_entry, host)));
    x64_bind(e, found);
    x64_mov_rr(e, 8, RSP, RDX);
    x64_none(e, X64_RET);

    off[X64_STUB_NO_FRAME] = x64_offset(e);
    x64_mov_rm(e, 8, RSP, X64_CPU(frames_base));
    x64_mov_ri(e, RAX, X64_FRAMES_NO_PC);
    x64_bind(e, miss);

    off[X64_STUB_INDIRECT] = x64_offset(e);
    x64_mov_mr(e, 8, x64_slot(pc_slot), RAX);
    x64_mov_ri(e, RAX, EXIT_BLOCK);
    unsigned leave = x64_label(e);
    x64_jmp8(e, leave);
    off[X64_STUB_LINK] = x64_offset(e);
    x64_pop(e, RAX);
    off[X64_STUB_EXIT] = x64_offset(e);
    x64_bind(e, leave);
    store_homes(e, h);
    x64_bind(e, restore);
    x64_m(e, X64_STMXCSR, 4, X64_CPU(mxcsr));
    if (traps) {
        x64_alu_mi(e, X64_OR, 4, X64_CPU(mxcsr), FP_MXCSR_MASKS);
        x64_alu_mi(e, X64_AND, 4, X64_CPU(mxcsr), (int32_t) ~(FP_MXCSR_DAZ | FP_MXCSR_FTZ));
    }
    x64_mov_mr(e, 8, X64_CPU(frames), RSP);
    x64_mov_rm(e, 8, RSP, X64_CPU(host_rsp));
    x64_m(e, X64_LDMXCSR, 4, x64_mem(RSP, 0));
    x64_alu_ri(e, X64_ADD, 8, RSP, FRAME);
    for (unsigned i = NSAVED; i-- > 0;)
        x64_pop(e, callee_saved[i]);
    x64_none(e, X64_RET);

    x64_align(e, 16);
    off[X64_STUB_FAULT] = x64_offset(e);
    x64_mov_ri(e, RAX, EXIT_FAULT);
    x64_jmp(e, restore);

    x64_align(e, 16);
    off[X64_STUB_CALL] = x64_offset(e);
    x64_bind(e, call);
    call_c(e, false);

    x64_align(e, 16);
    off[X64_STUB_UOP] = off[X64_STUB_UOP_HIGH] = x64_offset(e);
    call_uop(e, call);
    if (x64_has_high(e->features)) {
        unsigned call_high = x64_label(e);
        x64_align(e, 16);
        x64_bind(e, call_high);
        call_c(e, true);
        off[X64_STUB_UOP_HIGH] = x64_offset(e);
        call_uop(e, call_high);
    }

    x64_align(e, 16);
    off[X64_STUB_COPY] = x64_offset(e);
    call_bulk(e, mm_asm_copy_step);
    x64_align(e, 16);
    off[X64_STUB_FILL] = x64_offset(e);
    call_bulk(e, mm_asm_fill_step);
}

/* Writes the same instructions twice: the emitter's bytes to argv[1], and the text for an assembler (GNU as,
 * Intel syntax) to argv[2]. sample.sh assembles the text and compares. */
#include "host/x64/emit.h"

#include <stdio.h>

static uint8_t buf[8192];
static struct x64_emit em;
static FILE *text;

#define S(line, call)                \
    do {                             \
        fprintf(text, "%s\n", line); \
        call;                        \
    } while (0)
#define M(b, d) x64_mem(b, d)
#define MX(b, i, s, d) x64_mem_idx(b, i, s, d)

static void integer(struct x64_emit *e)
{
    S("add rax, rbx", x64_alu_rr(e, X64_ADD, 8, RAX, RBX));
    S("sub r9d, esi", x64_alu_rr(e, X64_SUB, 4, R9, RSI));
    S("cmp bpl, r8b", x64_alu_rr(e, X64_CMP, 1, RBP, R8));
    S("xor cx, dx", x64_alu_rr(e, X64_XOR, 2, RCX, RDX));
    S("adc rcx, [rbp-8]", x64_alu_rm(e, X64_ADC, 8, RCX, M(RBP, -8)));
    S("and [r13+0], r12", x64_alu_mr(e, X64_AND, 8, M(R13, 0), R12));
    S("or dword ptr [rsp+0x100], 7", x64_alu_mi(e, X64_OR, 4, M(RSP, 0x100), 7));
    S("cmp dword ptr [r12+rcx*8], 0x12345", x64_alu_mi(e, X64_CMP, 4, MX(R12, RCX, 8, 0), 0x12345));
    S("sbb rdi, -1", x64_alu_ri(e, X64_SBB, 8, RDI, -1));
    S("add r10, 0x1000", x64_alu_ri(e, X64_ADD, 8, R10, 0x1000));
    S("test r14, r15", x64_test_rr(e, 8, R14, R15));
    S("test dil, 0x20", x64_test_ri(e, 8, RDI, 0x20));
    S("test esi, 0x12345678", x64_test_ri(e, 8, RSI, 0x12345678));
    S("movabs r11, 0x123456789abcdef0", x64_mov_ri(e, R11, 0x123456789abcdef0));
    S("mov rdx, -2", x64_mov_ri(e, RDX, UINT64_MAX - 1));
    S("mov ebx, 0xffffffff", x64_mov_ri(e, RBX, 0xffffffff));
    S("movzx eax, sil", x64_rr(e, X64_MOVZX8, 4, RAX, RSI));
    S("movzx eax, byte ptr [rsi]", x64_rm(e, X64_MOVZX8, 4, RAX, M(RSI, 0)));
    S("movsx r8, word ptr [r8+r9]", x64_rm(e, X64_MOVSX16, 8, R8, MX(R8, R9, 1, 0)));
    S("movsxd rax, ecx", x64_rr(e, X64_MOVSXD, 8, RAX, RCX));
    S("lea rax, [rbx+rcx*4+1]", x64_lea(e, 8, RAX, MX(RBX, RCX, 4, 1)));
    S("lea r8, [r9*8+0x40]", x64_lea(e, 8, R8, MX(X64_NONE, R9, 8, 0x40)));
    S("mov ecx, ds:0x7000", x64_mov_rm(e, 4, RCX, M(X64_NONE, 0x7000)));
    S("shl rcx, 3", x64_shift_ri(e, X64_SHL, 8, RCX, 3));
    S("sar r9d, 1", x64_shift_ri(e, X64_SAR, 4, R9, 1));
    S("shr byte ptr [rax], cl", x64_m(e, X64_SHR_CL, 1, M(RAX, 0)));
    S("ror dx, cl", x64_shift_rcl(e, X64_ROR, 2, RDX));
    S("shlx rax, rbx, rcx", x64_vex_rrr(e, X64_SHLX, 8, RAX, RCX, RBX));
    S("sarx r8d, [r9], r10d", x64_vex_rrm(e, X64_SARX, 4, R8, R10, M(R9, 0)));
    S("rorx r12, r13, 17", x64_rorx(e, 8, R12, R13, 17));
    S("andn rax, rcx, rdx", x64_vex_rrr(e, X64_ANDN, 8, RAX, RCX, RDX));
    S("mulx r8, r9, r10", x64_vex_rrr(e, X64_MULX, 8, R8, R9, R10));
    S("blsr eax, r9d", x64_vex_rr(e, X64_BLSR, 4, RAX, R9));
    S("bextr rax, [rdi+8], rsi", x64_vex_rrm(e, X64_BEXTR, 8, RAX, RSI, M(RDI, 8)));
    S("imul rax, rcx", x64_rr(e, X64_IMUL, 8, RAX, RCX));
    S("imul r9, r8, 100", x64_imul_rri(e, 8, R9, R8, 100));
    S("imul eax, edx, 1000", x64_imul_rri(e, 4, RAX, RDX, 1000));
    S("mul r9", x64_r(e, X64_MUL, 8, R9));
    S("idiv ecx", x64_r(e, X64_IDIV, 4, RCX));
    S("neg r15", x64_r(e, X64_NEG, 8, R15));
    S("not byte ptr [r14]", x64_m(e, X64_NOT, 1, M(R14, 0)));
    S("cqo", x64_none(e, X64_CQO));
    S("cdq", x64_none(e, X64_CDQ));
    S("lzcnt r8, r9", x64_rr(e, X64_LZCNT, 8, R8, R9));
    S("tzcnt eax, [rcx]", x64_rm(e, X64_TZCNT, 4, RAX, M(RCX, 0)));
    S("popcnt rax, rbx", x64_rr(e, X64_POPCNT, 8, RAX, RBX));
    S("bswap r10", x64_o(e, X64_BSWAP, 8, R10));
    S("movbe eax, [rcx+4]", x64_rm(e, X64_MOVBE_R_M, 4, RAX, M(RCX, 4)));
    S("bt rax, 40", x64_ri8(e, X64_BT_I8, 8, RAX, 40));
    S("bts r8, r9", x64_rr(e, X64_BTS, 8, R9, R8));
    S("setne r9b", x64_setcc(e, X64_NE, R9));
    S("setg sil", x64_setcc(e, X64_G, RSI));
    S("cmovb rax, r8", x64_cmov_rr(e, X64_B, 8, RAX, R8));
    S("lock xadd [rdi], eax", (x64_lock(e), x64_rm(e, X64_XADD, 4, RAX, M(RDI, 0))));
    S("lock cmpxchg [r8], r9b", (x64_lock(e), x64_rm(e, X64_CMPXCHG, 1, R9, M(R8, 0))));
    S("lock cmpxchg16b [rsi]", (x64_lock(e), x64_m(e, X64_CMPXCHG16B, 8, M(RSI, 0))));
    S("xchg [rdi], sil", x64_rm(e, X64_XCHG, 1, RSI, M(RDI, 0)));
    S("push r12", x64_push(e, R12));
    S("pop rbp", x64_pop(e, RBP));
    S("push qword ptr [rax]", x64_m(e, X64_PUSH_M, 8, M(RAX, 0)));
    S("call [rbp+0x100]", x64_m(e, X64_CALL_RM, 8, M(RBP, 0x100)));
    S("jmp rax", x64_r(e, X64_JMP_RM, 8, RAX));
    S("ret", x64_none(e, X64_RET));
    S("mfence", x64_none(e, X64_MFENCE));
    S("pause", x64_none(e, X64_PAUSE));
    S("ldmxcsr [rbp-0x80]", x64_m(e, X64_LDMXCSR, 4, M(RBP, -0x80)));
    S("crc32 eax, bl", x64_rr(e, X64_CRC32_8, 4, RAX, RBX));
}

static void vector(struct x64_emit *e)
{
    S("vaddsd xmm1, xmm2, xmm3", x64_v_rrr(e, X64_ADDSD, XMM1, XMM2, XMM3));
    S("vsqrtss xmm9, xmm9, [rax]", x64_v_rrm(e, X64_SQRTSS, XMM9, XMM9, M(RAX, 0)));
    S("vmovsd xmm0, qword ptr [rbp+0x10]", x64_v_rm(e, X64_MOVSD, XMM0, M(RBP, 0x10)));
    S("vmovss dword ptr [r9], xmm14", x64_v_rm(e, X64_MOVSS_ST, XMM14, M(R9, 0)));
    S("vmovq rax, xmm3", x64_v_gr(e, X64_MOVQ_ST, 8, XMM3, RAX));
    S("vmovd xmm10, ecx", x64_v_gr(e, X64_MOVD, 4, XMM10, RCX));
    S("vucomisd xmm1, xmm12", x64_v_rr(e, X64_UCOMISD, XMM1, XMM12));
    S("vcvtsi2sd xmm1, xmm1, rax", x64_v_rgr(e, X64_CVTSI2SD, 8, XMM1, XMM1, RAX));
    S("vcvttsd2si rcx, xmm4", x64_v_gr(e, X64_CVTTSD2SI, 8, RCX, XMM4));
    S("vfmadd231sd xmm1, xmm2, xmm3", x64_v_rrr(e, X64_VFMADD231SD, XMM1, XMM2, XMM3));
    S("vfnmsub213ss xmm8, xmm9, [rsp]", x64_v_rrm(e, X64_VFNMSUB213SS, XMM8, XMM9, M(RSP, 0)));
    S("vpaddd ymm1, ymm2, ymm3", x64_v_rrr(e, X64_PADDD | X64_L256, XMM1, XMM2, XMM3));
    S("vpslld xmm4, xmm5, 7", x64_v_shift(e, X64_PSLLD_I8, XMM4, XMM5, 7));
    S("vpshufb xmm8, xmm1, xmm2", x64_v_rrr(e, X64_PSHUFB, XMM8, XMM1, XMM2));
    S("vpinsrq xmm1, xmm1, rdx, 1", x64_pinsr(e, X64_PINSRQ, XMM1, XMM1, RDX, 1));
    S("vpextrb byte ptr [rdi], xmm1, 3", x64_pextr_m(e, X64_PEXTRB, M(RDI, 0), XMM1, 3));
    S("vblendvpd xmm1, xmm2, xmm3, xmm4", x64_v_rrrr(e, X64_VBLENDVPD, XMM1, XMM2, XMM3, XMM4));
    S("vcvtph2ps xmm1, xmm2", x64_v_rr(e, X64_CVTPH2PS, XMM1, XMM2));
    S("vcvtps2ph xmm1, xmm2, 4", x64_v_rri(e, X64_CVTPS2PH, XMM2, XMM1, 4));
    S("vpclmulqdq xmm1, xmm2, xmm3, 16", x64_v_rrri(e, X64_PCLMULQDQ, XMM1, XMM2, XMM3, 16));
    S("sha256rnds2 xmm3, xmm4", x64_v_rr(e, X64_SHA256RNDS2, XMM3, XMM4));
    S("vroundsd xmm1, xmm1, xmm2, 3", x64_v_rrri(e, X64_ROUNDSD, XMM1, XMM1, XMM2, 3));
    S("vzeroupper", x64_none(e, X64_VZEROUPPER));
}

int main(int argc, char **argv)
{
    FILE *bin;
    if (argc != 3 || !(bin = fopen(argv[1], "wb")) || !(text = fopen(argv[2], "w")))
        return 2;
    fputs(".intel_syntax noprefix\n", text);
    x64_init(&em, buf, sizeof buf, ~UINT64_C(0));
    integer(&em);
    vector(&em);
    if (em.overflow || fwrite(buf, 1, x64_offset(&em), bin) != x64_offset(&em))
        return 2;
    return fclose(bin) || fclose(text) ? 2 : 0;
}

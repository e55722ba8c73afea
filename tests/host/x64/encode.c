/* Every row of the encoding table against an independent disassembler: mnemonic, operands, length.
 *
 * Each row is emitted with many operand combinations; the bytes are decoded with Zydis and compared with
 * what was asked for. Skipped, visibly, where Dragoman is built without Zydis. */
#include "tests/unit.h"

#include "host/x64/emit.h"

#include <stdio.h>

#ifdef HAVE_ZYDIS
#include <Zydis/Zydis.h>
#define ZYDIS_4 __has_include(<Zydis/Encoder.h>)

static const struct row {
    const char *name, *mnemonic;
    unsigned op, shape, size, flags, feature;
} rows[] = {
#define X64_ROW(name, mnemonic, shape, pp, map, op, ext, size, flags, feature) \
    {#name, mnemonic, X64_##name, X64_S_##shape, size, flags, X64_F_##feature},
#include "host/x64/x64.def"
#undef X64_ROW
};
#define NROWS (sizeof rows / sizeof *rows)

static const char *const cc_name[16] = {"o", "no", "b", "nb", "z", "nz", "be", "nbe",
                                        "s", "ns", "p", "np", "l", "nl", "le", "nle"};

struct want {
    char mnemonic[48];
    unsigned n;
    struct {
        enum { W_GPR, W_VEC, W_MEM, W_IMM } kind;
        unsigned reg, size; /* bytes; of W_MEM: 0 is not compared */
        struct x64_mem mem;
        int64_t imm;
    } o[5];
};

static uint8_t buf[256];
static struct x64_emit em;
static struct x64_label labels[4];
static unsigned long cases, failures;

static void begin(uint64_t features)
{
    x64_init(&em, buf, sizeof buf, features);
    em.labels = labels;
    em.max_labels = 4;
}

static void w_gpr(struct want *w, unsigned reg, unsigned size)
{
    w->o[w->n].kind = W_GPR;
    w->o[w->n].reg = reg;
    w->o[w->n++].size = size;
}
static void w_vec(struct want *w, unsigned reg, unsigned size)
{
    w->o[w->n].kind = W_VEC;
    w->o[w->n].reg = reg;
    w->o[w->n++].size = size;
}
static void w_mem(struct want *w, struct x64_mem m, unsigned size)
{
    w->o[w->n].kind = W_MEM;
    w->o[w->n].mem = m;
    w->o[w->n++].size = size;
}
static void w_imm(struct want *w, int64_t imm, unsigned size)
{
    w->o[w->n].kind = W_IMM;
    w->o[w->n].imm = imm;
    w->o[w->n++].size = size;
}

static ZydisRegister gpr(unsigned n, unsigned size)
{
    switch (size) {
    case 1:
        return n < 4   ? ZYDIS_REGISTER_AL + n
               : n < 8 ? ZYDIS_REGISTER_SPL + (n - 4)
                       : ZYDIS_REGISTER_R8B + (n - 8);
    case 2:
        return ZYDIS_REGISTER_AX + n;
    case 4:
        return ZYDIS_REGISTER_EAX + n;
    default:
        return ZYDIS_REGISTER_RAX + n;
    }
}

/* Decode one instruction at off and compare; returns its length. Complains once per difference. */
static unsigned check_at(const struct row *r, unsigned off, const struct want *w)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction insn;
    unsigned len = x64_offset(&em) - off;
    const char *why = NULL;
#if ZYDIS_4
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    bool ok = ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, buf + off, len, &insn, op));
    unsigned nvis = ok ? insn.operand_count_visible : 0;
#else
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_ADDRESS_WIDTH_64);
    bool ok = ZYAN_SUCCESS(ZydisDecoderDecodeBuffer(&decoder, buf + off, len, &insn));
    ZydisDecodedOperand *op = insn.operands;
    unsigned nvis = 0;
    for (unsigned i = 0; ok && i < insn.operand_count; i++)
        nvis += op[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN;
#endif
    /* Zydis counts k0, no mask, as an operand of EVEX forms. */
    for (unsigned i = 0; i < nvis; i++) {
        if (op[i].type == ZYDIS_OPERAND_TYPE_REGISTER && op[i].reg.value == ZYDIS_REGISTER_K0) {
            memmove(op + i, op + i + 1, (--nvis - i) * sizeof *op);
            break;
        }
    }
    cases++;
    if (!ok)
        why = "does not decode";
    else if (strcmp(ZydisMnemonicGetString(insn.mnemonic), w->mnemonic))
        why = ZydisMnemonicGetString(insn.mnemonic);
    else if (nvis != w->n)
        why = "number of operands";
    for (unsigned i = 0; !why && i < w->n; i++) {
        static const char *const bad[] = {"operand 1", "operand 2", "operand 3", "operand 4",
                                          "operand 5"};
        bool same = false;
        switch (w->o[i].kind) {
        case W_GPR:
            same = op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                   op[i].reg.value == gpr(w->o[i].reg, w->o[i].size);
            break;
        case W_VEC:
            same =
                op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                op[i].reg.value ==
                    (w->o[i].size == 32 ? ZYDIS_REGISTER_YMM0 : ZYDIS_REGISTER_XMM0) + w->o[i].reg;
            break;
        case W_IMM:
            same = op[i].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
                   !((op[i].imm.value.u ^ (uint64_t)w->o[i].imm) &
                     (w->o[i].size >= 8 ? ~UINT64_C(0) : (UINT64_C(1) << w->o[i].size * 8) - 1));
            break;
        case W_MEM: {
            struct x64_mem m = w->o[i].mem;
            ZydisRegister base = m.base < 16          ? ZYDIS_REGISTER_RAX + m.base
                                 : m.base == X64_NONE ? ZYDIS_REGISTER_NONE
                                                      : ZYDIS_REGISTER_RIP;
            ZydisRegister index = m.index < 16 ? ZYDIS_REGISTER_RAX + m.index : ZYDIS_REGISTER_NONE;
            int64_t disp = m.base < X64_AT ? m.disp : (int64_t)m.disp - (off + insn.length);
            same = op[i].type == ZYDIS_OPERAND_TYPE_MEMORY && op[i].mem.base == base &&
                   op[i].mem.index == index && op[i].mem.disp.value == disp &&
                   (index == ZYDIS_REGISTER_NONE || op[i].mem.scale == 1 << m.scale) &&
                   (!w->o[i].size || op[i].size == w->o[i].size * 8);
            break;
        }
        }
        if (!same)
            why = bad[i];
    }
    if (why && failures++ < 40) {
        char hex[80] = "";
        for (unsigned i = 0; i < len && i < 20; i++)
            snprintf(hex + i * 3, 4, "%02x ", buf[off + i]);
        print_error("%s: wanted %s, found: %s (%s)\n", r->name, w->mnemonic, why, hex);
    }
    return ok ? insn.length : 0;
}

static void check(const struct row *r, const struct want *w)
{
    assert_false(em.overflow);
    unsigned n = check_at(r, 0, w);
    if (n && n != x64_offset(&em) && failures++ < 40)
        print_error("%s: %u bytes were emitted, %u decode\n", r->name, x64_offset(&em), n);
}

/* Memory operands of every encoding: with and without SIB, the four special registers as base and index,
 * displacements around the borders of 8 bits, absolute, RIP-relative. */
static struct x64_mem mems[600];
static unsigned nmems;
static void make_mems(void)
{
    /* Some are the last short ones in units of 4, 8, 16 and 32 bytes, or just beyond. */
    static const int32_t disp[] = {0,    1,    -1,   127,  128,   -128,  -129,       508,
                                   1016, 1024, 2032, 4064, -4096, -2064, 0x12345678, -0x12345678};
    enum { NDISP = sizeof disp / sizeof *disp };
    static const uint8_t index[] = {RAX, RBP, RSI, R8, R12, R13, R15};
    for (unsigned b = 0; b < 16; b++)
        for (unsigned d = 0; d < NDISP; d++)
            mems[nmems++] = x64_mem(b, disp[d]);
    for (unsigned b = 0; b < 16; b++)
        for (unsigned i = 0; i < 7; i++)
            mems[nmems++] =
                x64_mem_idx(b, index[i], 1u << ((b + i) & 3), disp[(b * 7 + i) % NDISP]);
    for (unsigned i = 0; i < 7; i++)
        mems[nmems++] = x64_mem_idx(X64_NONE, index[i], 1u << (i & 3), disp[i]);
    mems[nmems++] = x64_mem(X64_NONE, 0x7654);
    mems[nmems++] = x64_mem_at(0x40);
    mems[nmems++] = x64_mem_at(0);
}

static const int64_t imms[] = {0,    1,     -1,     127,        128,        -128,
                               -129, 32767, -32768, 0x12345678, -0x7fffffff};

static void want(struct want *w, const char *mnemonic)
{
    memset(w, 0, sizeof *w);
    snprintf(w->mnemonic, sizeof w->mnemonic, "%s", mnemonic);
}

static unsigned rm_size(const struct row *r, unsigned size)
{
    return r->flags & XF_RM1 ? 1 : r->flags & XF_RM2 ? 2 : r->flags & XF_RM4 ? 4 : size;
}

static void int_row(const struct row *r)
{
    uint64_t all = ~UINT64_C(0);
    struct want w;

    for (unsigned size = 1; size <= 8; size *= 2) {
        if (!(r->size & size))
            continue;
        unsigned rs = rm_size(r, size), is = size > 4 ? 4 : size;
        unsigned ms = r->op == X64_CMPXCHG16B                           ? 16
                      : r->op == X64_CMPXCHG8B                          ? 8
                      : (r->flags & XF_AGEN) || r->op == X64_PREFETCHT0 ? 0
                                                                        : rs;
        for (unsigned a = 0; a < 16; a++) {
            for (unsigned b = 0; b < 16; b++) {
                if (r->flags & XF_MEM)
                    break;
                begin(all);
                want(&w, r->mnemonic);
                switch (r->shape) {
                case X64_S_RM_R:
                    x64_rr(&em, r->op, size, a, b);
                    w_gpr(&w, b, size), w_gpr(&w, a, size);
                    break;
                case X64_S_R_RM:
                    x64_rr(&em, r->op, size, a, b);
                    w_gpr(&w, a, size), w_gpr(&w, b, rs);
                    break;
                case X64_S_CC_R_RM:
                    x64_rr(&em, r->op + (a ^ b), size, a, b);
                    snprintf(w.mnemonic, sizeof w.mnemonic, "cmov%s", cc_name[a ^ b]);
                    w_gpr(&w, a, size), w_gpr(&w, b, size);
                    break;
                case X64_S_VR_V_RM:
                    x64_vex_rrr(&em, r->op, size, a, b, (a * 7 + b) & 15);
                    w_gpr(&w, a, size), w_gpr(&w, b, size), w_gpr(&w, (a * 7 + b) & 15, size);
                    break;
                case X64_S_VR_RM_V:
                    x64_vex_rrr(&em, r->op, size, a, b, (a * 7 + b) & 15);
                    w_gpr(&w, a, size), w_gpr(&w, (a * 7 + b) & 15, size), w_gpr(&w, b, size);
                    break;
                case X64_S_VV_RM:
                    x64_vex_rr(&em, r->op, size, a, b);
                    w_gpr(&w, a, size), w_gpr(&w, b, size);
                    break;
                case X64_S_VR_RM_I8:
                    x64_rorx(&em, size, a, b, (a * 5 + b) & 63);
                    w_gpr(&w, a, size), w_gpr(&w, b, size), w_imm(&w, (a * 5 + b) & 63, 1);
                    break;
                case X64_S_R_RM_I8:
                    x64_imul_rri(&em, size, a, b, -(int)a * 8);
                    w_gpr(&w, a, size), w_gpr(&w, b, size), w_imm(&w, -(int)a * 8, is);
                    break;
                case X64_S_R_RM_I: {
                    int32_t imm = size == 2 ? 300 + (int)a : 0x1234567 + (int)a;
                    x64_imul_rri(&em, size, a, b, imm);
                    w_gpr(&w, a, size), w_gpr(&w, b, size), w_imm(&w, imm, is);
                    break;
                }
                case X64_S_RM_R_I8:
                    x64_rri8(&em, r->op, size, a, b, (int)(a + b));
                    w_gpr(&w, b, size), w_gpr(&w, a, size), w_imm(&w, a + b, 1);
                    break;
                case X64_S_RM_I:
                    x64_ri(&em, r->op, size, a, (int32_t)imms[b % 11]);
                    w_gpr(&w, a, size), w_imm(&w, imms[b % 11], is);
                    break;
                case X64_S_RM_I8: {
                    int imm = r->flags & XF_UIMM ? (int)(a + b) : (int)(int8_t)(a * 16 + b);
                    x64_ri8(&em, r->op, size, a, imm);
                    w_gpr(&w, a, size), w_imm(&w, imm, 1);
                    break;
                }
                case X64_S_RM:
                    x64_r(&em, r->op, size, a);
                    w_gpr(&w, a, size);
                    break;
                case X64_S_RM_1:
                    x64_r(&em, r->op, size, a);
                    w_gpr(&w, a, size), w_imm(&w, 1, 1);
                    break;
                case X64_S_RM_CL:
                    x64_r(&em, r->op, size, a);
                    w_gpr(&w, a, size), w_gpr(&w, RCX, 1);
                    break;
                case X64_S_CC_RM:
                    x64_r(&em, r->op + b, 4, a);
                    snprintf(w.mnemonic, sizeof w.mnemonic, "set%s", cc_name[b]);
                    w_gpr(&w, a, 1);
                    break;
                case X64_S_O:
                    x64_o(&em, r->op, size, a);
                    w_gpr(&w, a, size);
                    break;
                default:
                    fail_msg("%s: shape %u has no test", r->name, r->shape);
                }
                check(r, &w);
            }
            for (unsigned k = a; k < nmems; k += 3) {
                struct x64_mem m = mems[k];
                if (r->flags & XF_REG || r->shape == X64_S_O)
                    break;
                begin(all);
                want(&w, r->mnemonic);
                switch (r->shape) {
                case X64_S_RM_R:
                    x64_rm(&em, r->op, size, a, m);
                    w_mem(&w, m, size), w_gpr(&w, a, size);
                    break;
                case X64_S_R_RM:
                    x64_rm(&em, r->op, size, a, m);
                    w_gpr(&w, a, size), w_mem(&w, m, ms);
                    break;
                case X64_S_CC_R_RM:
                    x64_rm(&em, r->op + k % 16, size, a, m);
                    snprintf(w.mnemonic, sizeof w.mnemonic, "cmov%s", cc_name[k % 16]);
                    w_gpr(&w, a, size), w_mem(&w, m, size);
                    break;
                case X64_S_VR_V_RM:
                    x64_vex_rrm(&em, r->op, size, a, k % 16, m);
                    w_gpr(&w, a, size), w_gpr(&w, k % 16, size), w_mem(&w, m, size);
                    break;
                case X64_S_VR_RM_V:
                    x64_vex_rrm(&em, r->op, size, a, k % 16, m);
                    w_gpr(&w, a, size), w_mem(&w, m, size), w_gpr(&w, k % 16, size);
                    break;
                case X64_S_VV_RM:
                    x64_vex_rm(&em, r->op, size, a, m);
                    w_gpr(&w, a, size), w_mem(&w, m, size);
                    break;
                case X64_S_VR_RM_I8:
                    x64_rorx_m(&em, size, a, m, k % 64);
                    w_gpr(&w, a, size), w_mem(&w, m, size), w_imm(&w, k % 64, 1);
                    break;
                case X64_S_RM_R_I8:
                    x64_rmi8(&em, r->op, size, a, m, (int)(k % 64));
                    w_mem(&w, m, size), w_gpr(&w, a, size), w_imm(&w, k % 64, 1);
                    break;
                case X64_S_R_RM_I8:
                    x64_rmi8(&em, r->op, size, a, m, (int)(k % 128));
                    w_gpr(&w, a, size), w_mem(&w, m, size), w_imm(&w, k % 128, 1);
                    break;
                case X64_S_R_RM_I:
                    continue; /* no function for it: loads are separate there */
                case X64_S_RM_I:
                    x64_mi(&em, r->op, size, m, (int32_t)imms[k % 11]);
                    w_mem(&w, m, size), w_imm(&w, imms[k % 11], is);
                    break;
                case X64_S_RM_I8:
                    x64_mi8(&em, r->op, size, m, (int)(k % 64));
                    w_mem(&w, m, size), w_imm(&w, k % 64, 1);
                    break;
                case X64_S_RM:
                    x64_m(&em, r->op, size, m);
                    w_mem(&w, m, ms);
                    break;
                case X64_S_RM_1:
                    x64_m(&em, r->op, size, m);
                    w_mem(&w, m, size), w_imm(&w, 1, 1);
                    break;
                case X64_S_RM_CL:
                    x64_m(&em, r->op, size, m);
                    w_mem(&w, m, size), w_gpr(&w, RCX, 1);
                    break;
                case X64_S_CC_RM:
                    x64_m(&em, r->op + k % 16, 4, m);
                    snprintf(w.mnemonic, sizeof w.mnemonic, "set%s", cc_name[k % 16]);
                    w_mem(&w, m, 1);
                    break;
                }
                check(r, &w);
                if (r->flags & XF_LOCK) {
                    unsigned plain = x64_offset(&em);
                    uint8_t copy[16];
                    memcpy(copy, buf, sizeof copy);
                    if (m.base >= X64_AT)
                        continue; /* the displacement would differ */
                    begin(all);
                    x64_lock(&em);
                    for (unsigned i = 0; i < plain; i++)
                        x64_byte(&em, copy[i]);
                    check(r, &w);
                }
            }
        }
    }
}

/* high: which of the three register fields name registers from xmm16 on, if they are vector registers. */
enum { HIGH_REG = 1, HIGH_RM = 2, HIGH_V = 4 };

static void vec_row(const struct row *r, bool vex, unsigned len, unsigned high)
{
    uint64_t f = vex ? ~UINT64_C(0) : ~X64_FBIT(X64_F_AVX);
    unsigned op = r->op | (len == 32 ? X64_L256 : 0);
    /* The narrow side of a conversion is half as long. */
    unsigned ms = len / 16 * r->size, rm_len = r->size == 8 && len == 32 ? 16 : len;
    bool v = vex && !(r->flags & XF_LEGACY);
    char name[40];
    struct want w;

    if (!vex && r->flags & XF_VEX)
        return;
    snprintf(name, sizeof name, "%s%s", v && !(r->flags & XF_VEX) ? "v" : "", r->mnemonic);
    bool gpr_reg = r->shape == X64_S_R_X || r->shape == X64_S_R_XM;
    bool gpr_rm = r->shape == X64_S_X_RM || r->shape == X64_S_RM_X || r->shape == X64_S_X_V_RM ||
                  r->shape == X64_S_X_V_RM_I8 || r->shape == X64_S_RM_X_I8;
    for (unsigned first = 0; first < 16; first++) {
        unsigned a = first + (high & HIGH_REG && !gpr_reg ? 16 : 0);
        for (unsigned k = 0; k < 16 + nmems; k++) {
            bool mem = k >= 16;
            struct x64_mem m = mem ? mems[k - 16] : x64_mem(0, 0);
            unsigned b = k & 15, c = v ? (first * 3 + k) & 15 : a, imm = (k * 7 + first) & 0xff;
            b += high & HIGH_RM && !gpr_rm ? 16 : 0;
            c += high & HIGH_V ? 16 : 0;
            if (mem && (k - 16) % 5 != first % 5)
                continue;
            if (mem ? r->flags & XF_REG : r->flags & XF_MEM)
                continue;
            begin(f);
            want(&w, name);
            switch (r->shape) {
            case X64_S_X_XM:
            case X64_S_X_XM_X0: /* Zydis hides the implicit xmm0 */
                mem ? x64_v_rm(&em, op, a, m) : x64_v_rr(&em, op, a, b);
                w_vec(&w, a, len);
                mem ? w_mem(&w, m, ms) : w_vec(&w, b, rm_len);
                break;
            case X64_S_XM_X:
                mem ? x64_v_rm(&em, op, a, m) : x64_v_rr(&em, op, a, b);
                mem ? w_mem(&w, m, ms) : w_vec(&w, b, rm_len);
                w_vec(&w, a, len);
                break;
            case X64_S_XM_X_I8:
                mem ? x64_v_rmi(&em, op, a, m, imm) : x64_v_rri(&em, op, a, b, imm);
                mem ? w_mem(&w, m, ms) : w_vec(&w, b, rm_len);
                w_vec(&w, a, len), w_imm(&w, imm, 1);
                break;
            case X64_S_X_V_XM:
                mem ? x64_v_rrm(&em, op, a, c, m) : x64_v_rrr(&em, op, a, c, b);
                w_vec(&w, a, len);
                if (v)
                    w_vec(&w, c, len);
                mem ? w_mem(&w, m, ms) : w_vec(&w, b, len);
                break;
            case X64_S_X_XM_I8:
                mem ? x64_v_rmi(&em, op, a, m, imm) : x64_v_rri(&em, op, a, b, imm);
                w_vec(&w, a, len);
                mem ? w_mem(&w, m, ms) : w_vec(&w, b, len);
                w_imm(&w, imm, 1);
                break;
            case X64_S_X_V_XM_I8:
                mem ? x64_v_rrmi(&em, op, a, c, m, imm) : x64_v_rrri(&em, op, a, c, b, imm);
                w_vec(&w, a, len);
                if (v)
                    w_vec(&w, c, len);
                mem ? w_mem(&w, m, ms) : w_vec(&w, b, len);
                w_imm(&w, imm, 1);
                break;
            case X64_S_X_V_XM_X:
                if (mem)
                    continue; /* no function for it */
                x64_v_rrrr(&em, op, a, c, b, imm & 15);
                w_vec(&w, a, len), w_vec(&w, c, len), w_vec(&w, b, len), w_vec(&w, imm & 15, len);
                break;
            case X64_S_V_X_I8:
                x64_v_shift(&em, op, a, v ? b : a, imm);
                w_vec(&w, a, len);
                if (v)
                    w_vec(&w, b, len);
                w_imm(&w, imm, 1);
                break;
            case X64_S_X_RM:
                mem ? x64_v_gm(&em, op, r->size, a, m) : x64_v_gr(&em, op, r->size, a, b);
                w_vec(&w, a, 16);
                mem ? w_mem(&w, m, r->size) : w_gpr(&w, b, r->size);
                break;
            case X64_S_RM_X:
                mem ? x64_v_gm(&em, op, r->size, a, m) : x64_v_gr(&em, op, r->size, a, b);
                mem ? w_mem(&w, m, r->size) : w_gpr(&w, b, r->size);
                w_vec(&w, a, 16);
                break;
            case X64_S_R_X:
                x64_v_gr(&em, op, 4, a, b);
                w_gpr(&w, a, 4), w_vec(&w, b, len);
                break;
            case X64_S_X_V_RM: {
                unsigned size = k & 1 ? 8 : 4;
                mem ? x64_v_rgm(&em, op, size, a, c, m) : x64_v_rgr(&em, op, size, a, c, b);
                w_vec(&w, a, 16);
                if (v)
                    w_vec(&w, c, 16);
                mem ? w_mem(&w, m, size) : w_gpr(&w, b, size);
                break;
            }
            case X64_S_R_XM: {
                unsigned size = (k + a) & 1 ? 8 : 4;
                mem ? x64_v_gm(&em, op, size, a, m) : x64_v_gr(&em, op, size, a, b);
                w_gpr(&w, a, size);
                mem ? w_mem(&w, m, r->size) : w_vec(&w, b, 16);
                break;
            }
            case X64_S_X_V_RM_I8:
                if (mem)
                    continue; /* no function for it */
                x64_pinsr(&em, op, a, c, b, imm & 7);
                w_vec(&w, a, 16);
                if (v)
                    w_vec(&w, c, 16);
                w_gpr(&w, b, r->size == 8 ? 8 : 4), w_imm(&w, imm & 7, 1);
                break;
            case X64_S_RM_X_I8:
                mem ? x64_pextr_m(&em, op, m, a, imm & 7) : x64_pextr(&em, op, b, a, imm & 7);
                mem ? w_mem(&w, m, r->size) : w_gpr(&w, b, r->size == 8 ? 8 : 4);
                w_vec(&w, a, 16), w_imm(&w, imm & 7, 1);
                break;
            default:
                fail_msg("%s: shape %u has no test", r->name, r->shape);
            }
            check(r, &w);
        }
    }
}

static void test_rows(void **state)
{
    (void)state;
    make_mems();
    for (unsigned i = 0; i < NROWS; i++) {
        const struct row *r = &rows[i];
        if (r->shape == X64_S_NONE || r->shape == X64_S_NONE3) {
            struct want w;
            begin(~UINT64_C(0));
            want(&w, r->mnemonic);
            x64_none(&em, r->op);
            check(r, &w);
        } else if (r->shape < X64_S_X_XM) {
            int_row(r);
        } else {
            vec_row(r, false, 16, 0);
            for (unsigned high = 0; high < (r->flags & XF_E ? 8 : 1); high++) {
                vec_row(r, true, 16, high);
                if (r->flags & XF_Y)
                    vec_row(r, true, 32, high);
            }
        }
    }
    print_message("%zu rows, %lu encodings compared\n", NROWS, cases);
    assert_int_equal(failures, 0);
}

/* The functions that choose among rows. */
static void test_choice(void **state)
{
    static const char *const alu[] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
    static const char *const shift[] = {"rol", "ror", "rcl", "rcr", "shl", "shr", NULL, "sar"};
    static const struct row none = {.name = "choice"};
    uint64_t all = ~UINT64_C(0);
    struct x64_mem m = x64_mem_idx(R13, R9, 4, -8);
    struct want w;

    (void)state;
    for (unsigned size = 1; size <= 8; size *= 2)
        for (unsigned r = 0; r < 16; r++) {
            for (unsigned op = 0; op < 8; op++) {
                begin(all), want(&w, alu[op]);
                x64_alu_rr(&em, op, size, r, 15 - r);
                w_gpr(&w, r, size), w_gpr(&w, 15 - r, size), check(&none, &w);
                begin(all), want(&w, alu[op]);
                x64_alu_rm(&em, op, size, r, m);
                w_gpr(&w, r, size), w_mem(&w, m, size), check(&none, &w);
                begin(all), want(&w, alu[op]);
                x64_alu_mr(&em, op, size, m, r);
                w_mem(&w, m, size), w_gpr(&w, r, size), check(&none, &w);
                for (unsigned i = 0; i < 11; i++) {
                    begin(all), want(&w, alu[op]);
                    x64_alu_ri(&em, op, size, r, (int32_t)imms[i]);
                    w_gpr(&w, r, size), w_imm(&w, imms[i], size), check(&none, &w);
                    begin(all), want(&w, alu[op]);
                    x64_alu_mi(&em, op, size, m, (int32_t)imms[i]);
                    w_mem(&w, m, size), w_imm(&w, imms[i], size), check(&none, &w);
                }
                if (!shift[op])
                    continue;
                for (unsigned n = 0; n < size * 8; n++) {
                    begin(all), want(&w, shift[op]);
                    x64_shift_ri(&em, op, size, r, n);
                    w_gpr(&w, r, size), w_imm(&w, n, 1), check(&none, &w);
                    begin(all), want(&w, shift[op]);
                    x64_shift_mi(&em, op, size, m, n);
                    w_mem(&w, m, size), w_imm(&w, n, 1), check(&none, &w);
                }
                begin(all), want(&w, shift[op]);
                x64_shift_rcl(&em, op, size, r);
                w_gpr(&w, r, size), w_gpr(&w, RCX, 1), check(&none, &w);
            }
            for (unsigned cc = 0; cc < 16 && size > 1; cc++) {
                begin(all), want(&w, "cmov");
                snprintf(w.mnemonic, sizeof w.mnemonic, "cmov%s", cc_name[cc]);
                x64_cmov_rr(&em, cc, size, r, 3);
                w_gpr(&w, r, size), w_gpr(&w, 3, size), check(&none, &w);
            }
        }
    assert_int_equal(failures, 0);
}

static void test_push_i(void **state)
{
    static const struct row none = {.name = "push_i"};
    (void)state;
    for (unsigned i = 0; i < 11; i++) {
        struct want w;
        begin(~UINT64_C(0)), want(&w, "push");
        x64_push_i(&em, (int32_t)imms[i]);
        w_imm(&w, imms[i], 8), check(&none, &w);
    }
    assert_int_equal(failures, 0);
}

/* Constants: value and size of each move. */
static void test_mov_ri(void **state)
{
    static const uint64_t v[] = {0,
                                 1,
                                 0x7fffffff,
                                 0x80000000,
                                 0xffffffff,
                                 0x100000000,
                                 UINT64_MAX,
                                 (uint64_t)INT32_MIN,
                                 (uint64_t)INT32_MIN - 1,
                                 0x123456789abcdef0};
    static const unsigned len[] = {5, 5, 5, 5, 5, 10, 7, 7, 10, 10};
    static const struct row none = {.name = "mov_ri"};
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        for (unsigned r = 0; r < 16; r++) {
            struct want w;
            begin(~UINT64_C(0)), want(&w, "mov");
            x64_mov_ri(&em, r, v[i]);
            unsigned size = len[i] == 5 ? 4 : 8;
            w_gpr(&w, r, size), w_imm(&w, (int64_t)v[i], size), check(&none, &w);
            assert_int_equal(x64_offset(&em), len[i] + (len[i] == 5 && r >= 8));
        }
    assert_int_equal(failures, 0);
}

/* Without VEX a three-operand operation becomes moves and the two-operand form; what it computes is checked by
 * following the moves. */
static void test_two_operand(void **state)
{
    static const struct row none = {.name = "two_operand"};
    (void)state;
    for (unsigned d = 0; d < 16; d++)
        for (unsigned a = 0; a < 16; a++)
            for (unsigned b = 0; b < 16; b++) {
                unsigned at = 0, src = b;
                struct want w;
                begin(~X64_FBIT(X64_F_AVX));
                if (d == X64_SCRATCH_XMM || a == X64_SCRATCH_XMM || b == X64_SCRATCH_XMM)
                    continue;
                x64_v_rrr(&em, X64_SUBSD, d, a, b);
                if (d != a && d == b) {
                    want(&w, "movaps"), w_vec(&w, X64_SCRATCH_XMM, 16), w_vec(&w, b, 16);
                    at += check_at(&none, at, &w);
                    src = X64_SCRATCH_XMM;
                }
                if (d != a) {
                    want(&w, "movaps"), w_vec(&w, d, 16), w_vec(&w, a, 16);
                    at += check_at(&none, at, &w);
                }
                want(&w, "subsd"), w_vec(&w, d, 16), w_vec(&w, src, 16);
                at += check_at(&none, at, &w);
                assert_int_equal(at, x64_offset(&em));
            }
    assert_int_equal(failures, 0);
}

#else
static void test_rows(void **state)
{
    (void)state;
    print_message("built without Zydis: nothing is compared\n");
    skip();
}
#define test_choice test_rows
#define test_push_i test_rows
#define test_mov_ri test_rows
#define test_two_operand test_rows
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_push_i),      cmocka_unit_test(test_mov_ri),
        cmocka_unit_test(test_two_operand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

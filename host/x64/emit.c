/* host/x64/emit.c: encoding of instructions. See emit.h; labels and jumps are in label.c.
 *
 * Every function that emits an instruction reserves room for the longest one (15 bytes) first, so the
 * stores themselves are unchecked.
 *
 * Facts: Intel SDM volume 2, chapter 2 (prefixes, ModRM, SIB, VEX) and the rows of x64.def.
 */
#include "base/report.h"
#include "host/x64/emit_int.h"

#define SCRATCH_XMM X64_SCRATCH_XMM

void x64_init(struct x64_emit *e, void *buf, size_t size, uint64_t features)
{
    memset(e, 0, offsetof(struct x64_emit, scratch));
    e->p = e->start = buf;
    /* With no room for a single instruction, p is beyond the limit from the beginning. */
    e->limit = size < X64_MAX_INSN ? e->start - 1 : e->start + size - X64_MAX_INSN;
    e->features = features;
    e->avx = features >> X64_F_AVX & 1;
}

enum x64_cc x64_cc_swap(enum x64_cc cc)
{
    static const uint8_t swapped[16] = {
        X64_O, X64_NO, X64_A, X64_BE, X64_E, X64_NE, X64_AE, X64_B,
        X64_S, X64_NS, X64_P, X64_NP, X64_G, X64_LE, X64_GE, X64_L,
    };
    return (enum x64_cc)swapped[cc];
}

uint8_t *x64_room_slow(struct x64_emit *e)
{
    e->overflow = true;
    /* No address in scratch is below this limit, so every later instruction comes here as well. */
    e->limit = e->scratch - 1;
    e->p = e->scratch;
    return e->p;
}

/* ---- parts ---- */

/* Prefixes, REX, escape and opcode. x and b are the high bits of index and base (or rm); force asks for
 * an empty REX, which makes byte registers 4-7 spl..dil. */
static inline uint8_t *head(uint8_t *p, unsigned op, unsigned size, unsigned reg, unsigned x,
                            unsigned b, bool force)
{
    static const uint8_t pp_byte[4] = {0, 0x66, 0xf3, 0xf2};
    unsigned pp = op >> 11 & 3, map = op >> 8 & 7;
    bool w = size == 8 ? !X64_OPF(op, XF_D64) : X64_OPF(op, XF_W1) != 0;
    unsigned rex = w << 3 | (reg >> 3 & 1) << 2 | x << 1 | b;

    if (size == 2)
        *p++ = 0x66;
    if (pp)
        *p++ = pp_byte[pp];
    if (rex || force)
        *p++ = (uint8_t)(0x40 | rex);
    if (map) {
        *p++ = 0x0f;
        if (map >= 2)
            *p++ = map == 2 ? 0x38 : 0x3a;
    }
    *p++ = (uint8_t)((op & 0xff) - (size == 1 && X64_OPF(op, XF_BYTE)));
    return p;
}

static inline unsigned hi(unsigned r)
{
    return r >> 3 & 1;
}
/* Base codes above 15 (none, RIP-relative) have no high bit: only bit 4 tells them apart. */
static inline unsigned mem_x(struct x64_mem m)
{
    return m.index < 16 ? hi(m.index) : 0;
}
static inline unsigned mem_b(struct x64_mem m)
{
    return m.base < 16 ? hi(m.base) : 0;
}

static inline uint8_t *modrm_reg(uint8_t *p, unsigned reg, unsigned rm)
{
    *p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    return p;
}

/* ModRM, SIB and displacement; imm_len bytes of immediate follow (RIP counts from the end). A short displacement counts in units of
 * 1 << unit bytes. */
static inline __attribute__((always_inline)) uint8_t *
modrm_mem_units(struct x64_emit *e, uint8_t *p, unsigned reg, struct x64_mem m, unsigned imm_len,
                unsigned unit)
{
    unsigned r = (reg & 7) << 3;

    if (__builtin_expect(m.base >= 16, 0)) {
        if (m.base == X64_NONE) {
            *p++ = (uint8_t)(r | 4);
            *p++ = (uint8_t)(m.scale << 6 | (m.index == X64_NONE ? 4 : m.index & 7) << 3 | 5);
            return x64_put32(p, (uint32_t)m.disp);
        }
        *p++ = (uint8_t)(r | 5);
        if (m.base == X64_AT) {
            uint32_t end = (uint32_t)(p - e->start) + 4 + imm_len;
            return x64_put32(p, (uint32_t)m.disp - end);
        }
        x64_fix32(e, p, (unsigned)m.disp, imm_len);
        return p + 4;
    }

    unsigned base = m.base & 7, mod;
    int32_t near = m.disp >> unit;
    if (m.disp == 0 && base != RBP)
        mod = 0;
    else if (near == (int8_t)near && near * (1 << unit) == m.disp)
        mod = 1;
    else
        mod = 2;
    if (m.index == X64_NONE && base != RSP) {
        *p++ = (uint8_t)(mod << 6 | r | base);
    } else {
        unsigned index = m.index == X64_NONE ? 4 : m.index & 7;
        *p++ = (uint8_t)(mod << 6 | r | 4);
        *p++ = (uint8_t)(m.scale << 6 | index << 3 | base);
    }
    if (mod == 1)
        *p++ = (uint8_t)near;
    else if (mod == 2)
        p = x64_put32(p, (uint32_t)m.disp);
    return p;
}

static uint8_t *modrm_mem(struct x64_emit *e, uint8_t *p, unsigned reg, struct x64_mem m,
                          unsigned imm_len)
{
    return modrm_mem_units(e, p, reg, m, imm_len, 0);
}

/* An immediate of the operand size, at most 4 bytes. */
static inline uint8_t *put_imm(uint8_t *p, unsigned size, int32_t imm)
{
    if (size == 1) {
        *p++ = (uint8_t)imm;
        return p;
    }
    if (size == 2) {
        uint16_t v = (uint16_t)imm;
        memcpy(p, &v, 2);
        return p + 2;
    }
    return x64_put32(p, (uint32_t)imm);
}

static inline unsigned ext_of(unsigned op)
{
    return op >> 13 & 7;
}

static inline bool byte_rm(unsigned op, unsigned size, unsigned rm)
{
    return rm >= 4 && (size == 1 || X64_OPF(op, XF_RM1));
}

/* ---- integer shapes ---- */

void x64_none(struct x64_emit *e, unsigned op)
{
    uint8_t *p = x64_room(e);
    if (X64_OPF(op, XF_VEX)) { /* vzeroupper */
        *p++ = 0xc5;
        *p++ = 0xf8;
        *p++ = (uint8_t)op;
    } else {
        p = head(p, op, 4, 0, 0, 0, false);
        if (ext_of(op))
            *p++ = (uint8_t)(0xc0 | ext_of(op) << 3);
    }
    e->p = p;
}

void x64_lock(struct x64_emit *e)
{
    uint8_t *p = x64_room(e);
    *p++ = 0xf0;
    e->p = p;
}

void x64_rr(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, unsigned rm)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, reg, 0, hi(rm), byte_rm(op, size, rm) || (size == 1 && reg >= 4));
    e->p = modrm_reg(p, reg, rm);
}

void x64_rm(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, struct x64_mem m)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, reg, mem_x(m), mem_b(m), size == 1 && reg >= 4);
    e->p = modrm_mem(e, p, reg, m, 0);
}

void x64_r(struct x64_emit *e, unsigned op, unsigned size, unsigned rm)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, 0, 0, hi(rm), byte_rm(op, size, rm));
    e->p = modrm_reg(p, ext_of(op), rm);
}

void x64_m(struct x64_emit *e, unsigned op, unsigned size, struct x64_mem m)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, 0, mem_x(m), mem_b(m), false);
    e->p = modrm_mem(e, p, ext_of(op), m, 0);
}

void x64_ri8(struct x64_emit *e, unsigned op, unsigned size, unsigned rm, int imm)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, 0, 0, hi(rm), byte_rm(op, size, rm));
    p = modrm_reg(p, ext_of(op), rm);
    *p++ = (uint8_t)imm;
    e->p = p;
}

void x64_mi8(struct x64_emit *e, unsigned op, unsigned size, struct x64_mem m, int imm)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, 0, mem_x(m), mem_b(m), false);
    p = modrm_mem(e, p, ext_of(op), m, 1);
    *p++ = (uint8_t)imm;
    e->p = p;
}

void x64_ri(struct x64_emit *e, unsigned op, unsigned size, unsigned rm, int32_t imm)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, 0, 0, hi(rm), byte_rm(op, size, rm));
    p = modrm_reg(p, ext_of(op), rm);
    e->p = put_imm(p, size, imm);
}

void x64_mi(struct x64_emit *e, unsigned op, unsigned size, struct x64_mem m, int32_t imm)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, 0, mem_x(m), mem_b(m), false);
    p = modrm_mem(e, p, ext_of(op), m, size > 4 ? 4 : size);
    e->p = put_imm(p, size, imm);
}

void x64_o(struct x64_emit *e, unsigned op, unsigned size, unsigned reg)
{
    uint8_t *p = x64_room(e);
    e->p = head(p, op + (reg & 7), size, 0, 0, hi(reg), false);
}

void x64_rri8(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, unsigned rm, int imm)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, reg, 0, hi(rm), false);
    p = modrm_reg(p, reg, rm);
    *p++ = (uint8_t)imm;
    e->p = p;
}

void x64_rmi8(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, struct x64_mem m,
              int imm)
{
    uint8_t *p = x64_room(e);
    p = head(p, op, size, reg, mem_x(m), mem_b(m), false);
    p = modrm_mem(e, p, reg, m, 1);
    *p++ = (uint8_t)imm;
    e->p = p;
}

/* ---- integer instructions by name ---- */

void x64_alu_ri(struct x64_emit *e, enum x64_alu op, unsigned size, unsigned d, int32_t imm)
{
    unsigned ext = (unsigned)op << 13;
    if (size > 1 && imm == (int8_t)imm)
        x64_ri8(e, X64_ADD_I8 | ext, size, d, imm);
    else
        x64_ri(e, X64_ADD_I | ext, size, d, imm);
}

void x64_alu_mi(struct x64_emit *e, enum x64_alu op, unsigned size, struct x64_mem d, int32_t imm)
{
    unsigned ext = (unsigned)op << 13;
    if (size > 1 && imm == (int8_t)imm)
        x64_mi8(e, X64_ADD_I8 | ext, size, d, imm);
    else
        x64_mi(e, X64_ADD_I | ext, size, d, imm);
}

void x64_alu_mi_long(struct x64_emit *e, enum x64_alu op, unsigned size, struct x64_mem d,
                     int32_t imm)
{
    x64_mi(e, X64_ADD_I | (unsigned)op << 13, size, d, imm);
}

void x64_shift_ri(struct x64_emit *e, enum x64_shift op, unsigned size, unsigned d, unsigned n)
{
    unsigned ext = (unsigned)op << 13;
    if (n == 1)
        x64_r(e, X64_ROL_1 | ext, size, d);
    else
        x64_ri8(e, X64_ROL_I8 | ext, size, d, (int)n);
}

void x64_shift_mi(struct x64_emit *e, enum x64_shift op, unsigned size, struct x64_mem d,
                  unsigned n)
{
    unsigned ext = (unsigned)op << 13;
    if (n == 1)
        x64_m(e, X64_ROL_1 | ext, size, d);
    else
        x64_mi8(e, X64_ROL_I8 | ext, size, d, (int)n);
}

void x64_mov_ri(struct x64_emit *e, unsigned d, uint64_t imm)
{
    if (imm > UINT32_MAX && (int64_t)imm == (int32_t)imm) {
        x64_ri(e, X64_MOV_I, 8, d, (int32_t)imm);
        return;
    }
    uint8_t *p = x64_room(e);
    bool wide = imm > UINT32_MAX;
    if (wide || d >= 8)
        *p++ = (uint8_t)(0x40 | wide << 3 | hi(d));
    *p++ = (uint8_t)(0xb8 | (d & 7));
    if (wide) {
        memcpy(p, &imm, 8);
        p += 8;
    } else {
        p = x64_put32(p, (uint32_t)imm);
    }
    e->p = p;
}

void x64_test_ri(struct x64_emit *e, unsigned size, unsigned a, int32_t imm)
{
    /* A mask below 0x80 decides ZF on the low byte alone and leaves SF clear in every width; one below 2^31
     * does so on the low half. */
    if (size > 1 && imm >= 0 && imm < 0x80)
        size = 1;
    else if (size > 4 && imm >= 0)
        size = 4;
    x64_ri(e, X64_TEST_I, size, a, imm);
}

void x64_imul_rri(struct x64_emit *e, unsigned size, unsigned d, unsigned a, int32_t imm)
{
    if (imm == (int8_t)imm) {
        x64_rri8(e, X64_IMUL_I8, size, d, a, imm);
        return;
    }
    uint8_t *p = x64_room(e);
    p = head(p, X64_IMUL_I, size, d, 0, hi(a), false);
    p = modrm_reg(p, d, a);
    e->p = put_imm(p, size, imm);
}

void x64_push_i(struct x64_emit *e, int32_t imm)
{
    uint8_t *p = x64_room(e);
    bool narrow = imm == (int8_t)imm;
    *p++ = narrow ? 0x6a : 0x68;
    if (narrow)
        *p++ = (uint8_t)imm;
    else
        p = x64_put32(p, (uint32_t)imm);
    e->p = p;
}

/* ---- VEX ---- */

/* The VEX prefix and opcode; two bytes where possible. */
static inline uint8_t *vex_head(uint8_t *p, unsigned op, bool w, unsigned reg, unsigned v,
                                unsigned x, unsigned b)
{
    unsigned last = (~v & 15) << 3 | (op & X64_L256 ? 4 : 0) | (op >> 11 & 3);
    unsigned map = op >> 8 & 7;

    if (!w && !x && !b && map == 1) {
        *p++ = 0xc5;
        *p++ = (uint8_t)((hi(reg) ^ 1) << 7 | last);
    } else {
        *p++ = 0xc4;
        *p++ = (uint8_t)((hi(reg) ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | map);
        *p++ = (uint8_t)((unsigned)w << 7 | last);
    }
    *p++ = (uint8_t)op;
    return p;
}

void x64_vex_rrr(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned v,
                 unsigned rm)
{
    uint8_t *p = x64_room(e);
    p = vex_head(p, op, size == 8, d, v, 0, hi(rm));
    e->p = modrm_reg(p, d, rm);
}

void x64_vex_rrm(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned v,
                 struct x64_mem m)
{
    uint8_t *p = x64_room(e);
    p = vex_head(p, op, size == 8, d, v, mem_x(m), mem_b(m));
    e->p = modrm_mem(e, p, d, m, 0);
}

void x64_vex_rr(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned rm)
{
    uint8_t *p = x64_room(e);
    p = vex_head(p, op, size == 8, 0, d, 0, hi(rm));
    e->p = modrm_reg(p, ext_of(op), rm);
}

void x64_vex_rm(struct x64_emit *e, unsigned op, unsigned size, unsigned d, struct x64_mem m)
{
    uint8_t *p = x64_room(e);
    p = vex_head(p, op, size == 8, 0, d, mem_x(m), mem_b(m));
    e->p = modrm_mem(e, p, ext_of(op), m, 0);
}

void x64_rorx(struct x64_emit *e, unsigned size, unsigned d, unsigned s, unsigned n)
{
    uint8_t *p = x64_room(e);
    p = vex_head(p, X64_RORX, size == 8, d, 0, 0, hi(s));
    p = modrm_reg(p, d, s);
    *p++ = (uint8_t)n;
    e->p = p;
}

void x64_rorx_m(struct x64_emit *e, unsigned size, unsigned d, struct x64_mem s, unsigned n)
{
    uint8_t *p = x64_room(e);
    p = vex_head(p, X64_RORX, size == 8, d, 0, mem_x(s), mem_b(s));
    p = modrm_mem(e, p, d, s, 1);
    *p++ = (uint8_t)n;
    e->p = p;
}

/* ---- vector ---- */

static inline bool use_vex(const struct x64_emit *e, unsigned op)
{
    return X64_OPF(op, XF_VEX) || (e->avx && !X64_OPF(op, XF_LEGACY));
}

/* Prefixes and opcode of a vector instruction with an integer operand of `size` bytes (0: none). v
 * is VEX.vvvv, 0 where it is unused. */
static inline uint8_t *x64_v_head(const struct x64_emit *e, uint8_t *p, unsigned op, unsigned size,
                                  unsigned reg, unsigned v, unsigned x, unsigned b)
{
    if (use_vex(e, op))
        return vex_head(p, op, size == 8 || X64_OPF(op, XF_W1 | XF_VW1), reg, v, x, b);
    return head(p, op, size == 8 ? 8 : 4, reg, x, b, false);
}

/* Does an operand lie in XMM16 to XMM31? */
static inline bool is_high(unsigned reg, unsigned v, unsigned rm)
{
    return (reg | v | rm) & 16;
}

/* The EVEX prefix and opcode. x and b are the high bits of index and base, or bits 4 and 3 of rm. */
static uint8_t *evex_head(uint8_t *p, unsigned op, unsigned size, unsigned reg, unsigned v,
                          unsigned x, unsigned b)
{
    bool w = op & X64_EVEX_W || size == 8 || X64_OPF(op, XF_W1 | XF_VW1);
    if (!(op & X64_EVEX))
        vm_bug("an instruction without an EVEX form, opcode %#x, has xmm16 or above", op & 0xffff);
    *p++ = 0x62;
    *p++ = (uint8_t)((hi(reg) ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (~reg >> 4 & 1) << 4 |
                     (op >> 8 & 7));
    *p++ = (uint8_t)((unsigned)w << 7 | (~v & 15) << 3 | 4 | (op >> 11 & 3));
    *p++ = (uint8_t)((op & X64_L256 ? 0x20 : 0) | (~v >> 4 & 1) << 3);
    *p++ = (uint8_t)op;
    return p;
}

/* Prefixes, opcode and ModRM with what belongs to it. */
static inline uint8_t *v_reg_head(struct x64_emit *e, unsigned op, unsigned size, unsigned reg,
                                  unsigned v, unsigned rm)
{
    uint8_t *p = x64_room(e);
    if (__builtin_expect(is_high(reg, v, rm), 0))
        p = evex_head(p, op, size, reg, v, rm >> 4 & 1, hi(rm));
    else
        p = x64_v_head(e, p, op, size, reg, v, 0, hi(rm));
    return modrm_reg(p, reg, rm);
}

static inline uint8_t *v_mem_head(struct x64_emit *e, unsigned op, unsigned size, unsigned reg,
                                  unsigned v, struct x64_mem m, unsigned imm_len)
{
    uint8_t *p = x64_room(e);
    if (__builtin_expect(is_high(reg, v, 0), 0)) {
        /* Of rows with two sizes of an integer operand the table has the lesser. */
        unsigned unit = op & X64_L256                         ? 5
                        : size == 8 && X64_EVEX_UNIT(op) == 2 ? 3
                                                              : X64_EVEX_UNIT(op);
        p = evex_head(p, op, size, reg, v, mem_x(m), mem_b(m));
        return modrm_mem_units(e, p, reg, m, imm_len, unit);
    }
    p = x64_v_head(e, p, op, size, reg, v, mem_x(m), mem_b(m));
    return modrm_mem(e, p, reg, m, imm_len);
}

static inline void v_reg(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, unsigned v,
                         unsigned rm)
{
    e->p = v_reg_head(e, op, size, reg, v, rm);
}

static inline void v_mem(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, unsigned v,
                         struct x64_mem m)
{
    e->p = v_mem_head(e, op, size, reg, v, m, 0);
}

static inline void v_reg_i(struct x64_emit *e, unsigned op, unsigned reg, unsigned v, unsigned rm,
                           unsigned imm)
{
    uint8_t *p = v_reg_head(e, op, 0, reg, v, rm);
    *p++ = (uint8_t)imm;
    e->p = p;
}

static inline void v_mem_i(struct x64_emit *e, unsigned op, unsigned reg, unsigned v,
                           struct x64_mem m, unsigned imm)
{
    uint8_t *p = v_mem_head(e, op, 0, reg, v, m, 1);
    *p++ = (uint8_t)imm;
    e->p = p;
}

/* Legacy forms: bring a into d, keeping *b readable; commuting operations just exchange. */
static void two_operand(struct x64_emit *e, unsigned d, unsigned a, unsigned *b)
{
    if (d == a)
        return;
    if (b && *b == d) {
        x64_v_mov(e, SCRATCH_XMM, *b);
        *b = SCRATCH_XMM;
    }
    x64_v_mov(e, d, a);
}

void x64_v_rr(struct x64_emit *e, unsigned op, unsigned x, unsigned xm)
{
    v_reg(e, op, 0, x, 0, xm);
}
void x64_v_rm(struct x64_emit *e, unsigned op, unsigned x, struct x64_mem m)
{
    v_mem(e, op, 0, x, 0, m);
}

void x64_v_rri(struct x64_emit *e, unsigned op, unsigned x, unsigned xm, unsigned imm)
{
    v_reg_i(e, op, x, 0, xm, imm);
}

void x64_v_rmi(struct x64_emit *e, unsigned op, unsigned x, struct x64_mem m, unsigned imm)
{
    v_mem_i(e, op, x, 0, m, imm);
}

void x64_v_rrr(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned b)
{
    if (!use_vex(e, op))
        two_operand(e, d, a, &b);
    v_reg(e, op, 0, d, a, b);
}

void x64_v_rrr_c(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned b)
{
    /* VEX is a byte shorter when the operand in ModRM.rm is a low register. */
    if (use_vex(e, op) ? b >= 8 && a < 8 : b == d) {
        unsigned t = a;
        a = b;
        b = t;
    }
    x64_v_rrr(e, op, d, a, b);
}

void x64_v_rrm(struct x64_emit *e, unsigned op, unsigned d, unsigned a, struct x64_mem b)
{
    if (!use_vex(e, op))
        two_operand(e, d, a, NULL);
    v_mem(e, op, 0, d, a, b);
}

void x64_v_rrri(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned b, unsigned imm)
{
    if (!use_vex(e, op))
        two_operand(e, d, a, &b);
    v_reg_i(e, op, d, a, b, imm);
}

void x64_v_rrmi(struct x64_emit *e, unsigned op, unsigned d, unsigned a, struct x64_mem b,
                unsigned imm)
{
    if (!use_vex(e, op))
        two_operand(e, d, a, NULL);
    v_mem_i(e, op, d, a, b, imm);
}

void x64_v_rrrr(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned b, unsigned mask)
{
    v_reg_i(e, op, d, a, b, mask << 4);
}

void x64_v_shift(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned imm)
{
    uint8_t *p;
    if (!use_vex(e, op))
        two_operand(e, d, a, NULL);
    p = x64_room(e);
    /* VEX: vvvv is the destination and rm the source; legacy: rm is both. */
    unsigned rm = use_vex(e, op) ? a : d;
    p = x64_v_head(e, p, op, 0, 0, d, 0, hi(rm));
    p = modrm_reg(p, ext_of(op), rm);
    *p++ = (uint8_t)imm;
    e->p = p;
}

void x64_v_gr(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, unsigned rm)
{
    v_reg(e, op, size, reg, 0, rm);
}

void x64_v_gm(struct x64_emit *e, unsigned op, unsigned size, unsigned reg, struct x64_mem m)
{
    v_mem(e, op, size, reg, 0, m);
}

void x64_v_rgr(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned a, unsigned rm)
{
    if (!use_vex(e, op))
        two_operand(e, d, a, NULL);
    v_reg(e, op, size, d, a, rm);
}

void x64_v_rgm(struct x64_emit *e, unsigned op, unsigned size, unsigned d, unsigned a,
               struct x64_mem m)
{
    if (!use_vex(e, op))
        two_operand(e, d, a, NULL);
    v_mem(e, op, size, d, a, m);
}

void x64_pinsr(struct x64_emit *e, unsigned op, unsigned d, unsigned a, unsigned rm, unsigned imm)
{
    if (!use_vex(e, op))
        two_operand(e, d, a, NULL);
    v_reg_i(e, op, d, a, rm, imm);
}

void x64_pextr(struct x64_emit *e, unsigned op, unsigned rm, unsigned x, unsigned imm)
{
    v_reg_i(e, op, x, 0, rm, imm);
}

void x64_pextr_m(struct x64_emit *e, unsigned op, struct x64_mem m, unsigned x, unsigned imm)
{
    v_mem_i(e, op, x, 0, m, imm);
}

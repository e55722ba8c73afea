/* guest/a64/disasm_simd.c: the operands of AdvSIMD instructions in text.
 *
 * Owns: the words of a64.decode's TEXT column that name arrangements, lanes, lists and vector immediates.
 *
 * Threading: pure functions.
 */
#include "guest/a64/disasm.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OPERAND(name) \
    static bool name(struct out *o, const struct a64_insn *in __attribute__((unused)))

/* Lanes of 1 << size bytes in 64 bits, or in 128 when wide. */
static bool put_lanes(struct out *o, unsigned size, bool wide)
{
    a64_put(o, "%u%c", (8u << wide) >> size, a64_size_letter[size]);
    return true;
}

OPERAND(put_T)
{
    return put_lanes(o, W(23, 22), W(30, 30));
}
OPERAND(put_Tw)
{
    return put_lanes(o, W(23, 22) + 1, true);
}
OPERAND(put_Tp)
{
    return put_lanes(o, W(23, 22) + 1, W(30, 30));
}
OPERAND(put_B)
{
    return put_lanes(o, 0, W(30, 30));
}
OPERAND(put_H)
{
    return put_lanes(o, 1, W(30, 30));
}
OPERAND(put_S)
{
    return put_lanes(o, 2, W(30, 30));
}
OPERAND(put_F)
{
    return put_lanes(o, 2 + W(22, 22), W(30, 30));
}
OPERAND(put_G)
{
    a64_put(o, W(22, 22) ? "2d" : "2s");
    return true;
}

/* ---- lanes ---- */

/* imm5: the lowest bit that is set gives the size, those above the lane. */
static bool imm5_size(const struct a64_insn *in, unsigned *size)
{
    *size = (unsigned)__builtin_ctz(W(20, 16) | 32);
    return *size < 4;
}

OPERAND(put_T5)
{
    unsigned size;
    return imm5_size(in, &size) && (size < 3 || W(30, 30)) && put_lanes(o, size, W(30, 30));
}
static bool put_lane(struct out *o, unsigned v, unsigned size, unsigned lane)
{
    a64_put(o, "v%u.%c[%u]", v, a64_size_letter[size], lane);
    return true;
}
OPERAND(put_lane_d)
{
    unsigned size;
    return imm5_size(in, &size) && put_lane(o, in->rd, size, W(20, 16) >> (size + 1));
}
OPERAND(put_lane_n)
{
    unsigned size;
    return imm5_size(in, &size) && put_lane(o, in->rn, size, W(20, 16) >> (size + 1));
}
OPERAND(put_lane4_n)
{
    unsigned size;
    return imm5_size(in, &size) && put_lane(o, in->rn, size, W(14, 11) >> size);
}
/* umov and smov have a lane of their own for each width of the register that can hold it. */
OPERAND(put_umov_n)
{
    unsigned size;
    return imm5_size(in, &size) && (size == 3) == W(30, 30) && put_lane_n(o, in);
}
OPERAND(put_smov_n)
{
    unsigned size;
    return imm5_size(in, &size) && size < 2 + W(30, 30) && put_lane_n(o, in);
}

/* The second operand of "by element": halfwords from v0 to v15, size 0 being FP16's. */
OPERAND(put_elem)
{
    unsigned size = W(23, 22) ? W(23, 22) : 1, high = W(11, 11);
    if (size == 1)
        return put_lane(o, W(19, 16), 1, high << 2 | W(21, 20));
    if (size == 3 && W(21, 21))
        return false;
    return put_lane(o, in->rm, size, size == 2 ? high << 1 | W(21, 21) : high);
}

OPERAND(put_elemh)
{
    return put_lane(o, W(19, 16), 1, W(11, 11) << 2 | W(21, 20));
}
/* A complex number of "by element". */
OPERAND(put_elemc)
{
    unsigned size = W(23, 22), high = W(11, 11);
    return put_lane(o, in->rm, size, size == 1 ? high << 1 | W(21, 21) : high);
}
OPERAND(put_elemdot)
{
    a64_put(o, "v%u.4b[%u]", in->rm, W(11, 11) << 1 | W(21, 21));
    return true;
}
OPERAND(put_elembf)
{
    a64_put(o, "v%u.2h[%u]", in->rm, W(11, 11) << 1 | W(21, 21));
    return true;
}
OPERAND(put_elemsm3)
{
    return put_lane(o, in->rm, 2, W(13, 12));
}
OPERAND(put_rot)
{
    a64_put(o, "#%u", W(12, 11) * 90);
    return true;
}
OPERAND(put_rot1)
{
    a64_put(o, W(12, 12) ? "#270" : "#90");
    return true;
}
OPERAND(put_rote)
{
    a64_put(o, "#%u", W(14, 13) * 90);
    return true;
}
OPERAND(put_Hh)
{
    a64_put(o, W(30, 30) ? "4h" : "2h");
    return true;
}
OPERAND(put_Dd)
{
    a64_put(o, W(30, 30) ? "2d" : "1d");
    return true;
}

/* ---- lists ---- */

/* Registers first to first + n - 1, of an arrangement or of a lane's size. */
static void put_list(struct out *o, unsigned first, unsigned n, const char *what)
{
    a64_put(o, "{");
    if (n > 2 && first + n <= 32)
        a64_put(o, "v%u.%s-v%u.%s", first, what, first + n - 1, what);
    else
        for (unsigned i = 0; i < n; i++)
            a64_put(o, "%sv%u.%s", i ? ", " : "", (first + i) % 32, what);
    a64_put(o, "}");
}

OPERAND(put_tlist)
{
    put_list(o, in->rn, W(14, 13) + 1, "16b");
    return true;
}

/* How many registers the structure instructions of many lanes name, by their opcode. */
static unsigned list_length(const struct a64_insn *in)
{
    static const uint8_t n[16] = {[0] = 4, [2] = 4, [4] = 3, [6] = 3, [7] = 1, [8] = 2, [10] = 2};
    return n[W(15, 12)];
}
static unsigned lane_registers(const struct a64_insn *in)
{
    return (W(13, 13) << 1 | W(21, 21)) + 1;
}

OPERAND(put_slist)
{
    struct out what = {.len = 0};
    put_lanes(&what, W(11, 10), W(30, 30));
    put_list(o, in->rd, list_length(in), what.text);
    return true;
}
OPERAND(put_srep)
{
    struct out what = {.len = 0};
    put_lanes(&what, W(11, 10), W(30, 30));
    put_list(o, in->rd, lane_registers(in), what.text);
    return true;
}
/* One lane: the size is in the opcode, doublewords are told from words by the bits that words leave. */
static unsigned lane_size(const struct a64_insn *in)
{
    return W(15, 14) == 2 && W(10, 10) ? 3 : W(15, 14);
}
OPERAND(put_slane)
{
    unsigned size = lane_size(in), index = W(30, 30) << 3 | W(12, 10);
    const char what[2] = {a64_size_letter[size], 0};
    put_list(o, in->rd, lane_registers(in), what);
    a64_put(o, "[%u]", index >> size);
    return true;
}
/* The address: what is added afterwards is a register, or what was transferred. */
OPERAND(put_smem)
{
    unsigned bytes = !W(24, 24)       ? list_length(in) * (8u << W(30, 30))
                     : W(15, 14) == 3 ? lane_registers(in) << W(11, 10)
                                      : lane_registers(in) << lane_size(in);
    if (in->rn == 31)
        a64_put(o, "[sp]");
    else
        a64_put(o, "[x%u]", in->rn);
    if (W(23, 23) && in->rm == 31)
        a64_put(o, ", #%u", bytes);
    else if (W(23, 23))
        a64_put(o, ", x%u", in->rm);
    return true;
}

/* ---- immediates ---- */

static unsigned immh_size(const struct a64_insn *in)
{
    return 31 - (unsigned)__builtin_clz(W(22, 19) | 1);
}
OPERAND(put_Ti)
{
    return put_lanes(o, immh_size(in), W(30, 30));
}
OPERAND(put_Tiw)
{
    return put_lanes(o, immh_size(in) + 1, true);
}
OPERAND(put_shr)
{
    a64_put(o, "#%u", (16u << immh_size(in)) - W(22, 16));
    return true;
}
OPERAND(put_shl)
{
    a64_put(o, "#%u", W(22, 16) - (8u << immh_size(in)));
    return true;
}
OPERAND(put_esize)
{
    a64_put(o, "#%u", 8u << W(23, 22));
    return true;
}
OPERAND(put_imm4)
{
    a64_put(o, "#%u", W(14, 11));
    return true;
}
static unsigned imm8(const struct a64_insn *in)
{
    return W(18, 16) << 5 | W(9, 5);
}
OPERAND(put_imm8)
{
    a64_put(o, "#0x%x", imm8(in));
    return true;
}
/* The shift of imm8 in lanes of words and halfwords, by cmode. */
OPERAND(put_vlsl)
{
    if (W(14, 13))
        a64_put(o, ", lsl #%u", W(14, 13) * 8);
    return true;
}
OPERAND(put_vmsl)
{
    a64_put(o, ", msl #%u", W(12, 12) ? 16 : 8);
    return true;
}
OPERAND(put_imm64)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        if (imm8(in) >> i & 1)
            v |= UINT64_C(0xff) << (8 * i);
    a64_put(o, "#0x%" PRIx64, v);
    return true;
}
OPERAND(put_vd_64)
{
    a64_put(o, W(30, 30) ? "v%u.2d" : "d%u", in->rd);
    return true;
}
/* "VFPExpandImm" of the Arm ARM: sign, three bits of exponent, four of fraction. */
static bool put_float(struct out *o, unsigned v)
{
    int exp = (int)(v >> 4 & 3) + (v & 0x40 ? -3 : 1);
    double value = (16 + (v & 15)) / 16.0;
    for (; exp > 0; exp--)
        value *= 2;
    for (; exp < 0; exp++)
        value /= 2;
    a64_put(o, "#%.18e", v & 0x80 ? -value : value);
    return true;
}
OPERAND(put_fimm)
{
    return put_float(o, W(20, 13));
}
OPERAND(put_vfimm)
{
    return put_float(o, imm8(in));
}

const struct a64_operand a64_simd_operands[] = {
    {"T", put_T},           {"Tw", put_Tw},
    {"Tp", put_Tp},         {"B", put_B},
    {"H", put_H},           {"S", put_S},
    {"F", put_F},           {"G", put_G},
    {"T5", put_T5},         {"lane_d", put_lane_d},
    {"lane_n", put_lane_n}, {"lane4_n", put_lane4_n},
    {"umov_n", put_umov_n}, {"smov_n", put_smov_n},
    {"elem", put_elem},     {"elemh", put_elemh},
    {"elemc", put_elemc},   {"elemdot", put_elemdot},
    {"elembf", put_elembf}, {"elemsm3", put_elemsm3},
    {"rot", put_rot},       {"rot1", put_rot1},
    {"rote", put_rote},     {"Hh", put_Hh},
    {"Dd", put_Dd},         {"tlist", put_tlist},
    {"slist", put_slist},   {"srep", put_srep},
    {"slane", put_slane},   {"smem", put_smem},
    {"Ti", put_Ti},         {"Tiw", put_Tiw},
    {"shr", put_shr},       {"shl", put_shl},
    {"esize", put_esize},   {"imm4", put_imm4},
    {"imm8", put_imm8},     {"vlsl", put_vlsl},
    {"vmsl", put_vmsl},     {"imm64", put_imm64},
    {"vd_64", put_vd_64},   {"fimm", put_fimm},
    {"vfimm", put_vfimm},   {NULL, NULL},
};

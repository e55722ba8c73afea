/* The pure micro-ops: values worked out by hand from their definitions (the RISC-V manual's tables for
 * division, FCLASS, Zbb), and agreement with the host's own instructions on random operands where it
 * has one that does just that. */
#include "tests/unit.h"

#include "tests/random.h"
#include "uop/fp.h"
#include "uop/sem.h"
#include <inttypes.h>

static uint64_t eval(enum uop_code op, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t v = 0;
    assert_true(uop_eval(op, a, b, c, &v));
    return v;
}

/* uop.h: N and Z in bits 15 and 14, C inverted in bit 8, V in bit 0 */
#define NZCV(n) (((n)&12) << 12 | (~(n)&2) << 7 | ((n)&1))
#define U64(x) UINT64_C(x)
#define MIN64 U64(0x8000000000000000)
#define QNAN64 U64(0x7ff8000000000000)
#define ONES (~U64(0))

static void by_hand(void **state)
{
    (void)state;
    static const struct {
        uint16_t op;
        uint64_t a, b, c, want;
    } rows[] = {
        {UOP_mov_64, MIN64 + 1, 0, 0, MIN64 + 1},
        {UOP_sext8, 0x180, 0, 0, U64(0xffffffffffffff80)},
        {UOP_sext16, 0x17fff, 0, 0, 0x7fff},
        {UOP_sext32, 0x80000000, 0, 0, U64(0xffffffff80000000)},
        {UOP_zext8, 0x1ff, 0, 0, 0xff},
        {UOP_zext16, ONES, 0, 0, 0xffff},
        {UOP_zext32, ONES, 0, 0, 0xffffffff},
        {UOP_add_64, ONES, 2, 0, 1},
        {UOP_add_32s, 0x7fffffff, 1, 0, U64(0xffffffff80000000)},
        {UOP_add_32z, 0xffffffff, 1, 0, 0},
        {UOP_add_32z, 0x7fffffff, 1, 0, 0x80000000},
        {UOP_sub_64, 0, 1, 0, ONES},
        {UOP_sub_32s, 0, 1, 0, ONES},
        {UOP_sub_32z, 0, 1, 0, 0xffffffff},
        {UOP_and_64, 0xff0f, 0x0fff, 0, 0x0f0f},
        {UOP_and_32z, ONES, ONES << 1, 0, 0xfffffffe},
        {UOP_or_64, 0xf0, 0x0f, 0, 0xff},
        {UOP_or_32z, MIN64, 1, 0, 1},
        {UOP_xor_64, 0xff, 0x0f, 0, 0xf0},
        {UOP_xor_32z, ONES, 1, 0, 0xfffffffe},
        {UOP_andn_64, 0xff, 0x0f, 0, 0xf0},
        {UOP_orn_64, 0, ONES - 1, 0, 1},
        {UOP_xnor_64, 0, ONES - 1, 0, 1},
        {UOP_shl_64, 1, 127, 0, MIN64},
        {UOP_shl_32s, 1, 31, 0, U64(0xffffffff80000000)},
        {UOP_shl_32s, 1, 32, 0, 1},
        {UOP_shl_32z, 3, 31, 0, 0x80000000},
        {UOP_shr_64, MIN64, 63, 0, 1},
        {UOP_shr_32s, 0x80000000, 0, 0, U64(0xffffffff80000000)},
        {UOP_shr_32s, U64(0x180000000), 31, 0, 1},
        {UOP_shr_32z, 0x80000000, 4, 0, 0x08000000},
        {UOP_sar_64, MIN64, 63, 0, ONES},
        {UOP_sar_32s, 0x80000000, 31, 0, ONES},
        {UOP_sar_32z, 0x80000000, 31, 0, 0xffffffff},
        {UOP_ror_64, 1, 1, 0, MIN64},
        {UOP_ror_64, 5, 64, 0, 5},
        {UOP_ror_32s, 1, 1, 0, U64(0xffffffff80000000)},
        {UOP_ror_32z, 1, 1, 0, 0x80000000},
        {UOP_ror_32z, 0x80000001, 0, 0, 0x80000001},
        {UOP_sh1add_64, 3, 1, 0, 7},
        {UOP_sh2add_64, 3, 1, 0, 13},
        {UOP_sh3add_64, 3, 1, 0, 25},
        {UOP_mul_64, ONES, ONES, 0, 1},
        {UOP_mul_32s, 0x10000, 0x8000, 0, U64(0xffffffff80000000)},
        {UOP_mul_32z, 0x10000, 0x8000, 0, 0x80000000},
        {UOP_mulh_ss, ONES, ONES, 0, 0},
        {UOP_mulh_ss, MIN64, MIN64, 0, U64(0x4000000000000000)},
        {UOP_mulh_su, ONES, ONES, 0, ONES},
        {UOP_mulh_uu, ONES, ONES, 0, ONES - 1},
        /* RISC-V "M": division by zero and overflow */
        {UOP_div_s64, 7, 0, 0, ONES},
        {UOP_div_s64, MIN64, ONES, 0, MIN64},
        {UOP_div_s64, -U64(7), 2, 0, -U64(3)},
        {UOP_div_u64, 7, 0, 0, ONES},
        {UOP_div_u64, ONES, 2, 0, INT64_MAX},
        {UOP_rem_s64, 7, 0, 0, 7},
        {UOP_rem_s64, MIN64, ONES, 0, 0},
        {UOP_rem_s64, -U64(7), 2, 0, ONES},
        {UOP_rem_u64, 7, 0, 0, 7},
        {UOP_rem_u64, ONES, 10, 0, 5},
        {UOP_div_s32, 7, U64(0x100000000), 0, ONES},
        {UOP_div_s32, 0x80000000, ONES, 0, U64(0xffffffff80000000)},
        {UOP_div_s32, -U64(7), 2, 0, -U64(3)},
        {UOP_div_u32, 7, U64(0x100000000), 0, ONES},
        {UOP_div_u32, ONES, 1, 0, ONES},
        {UOP_div_u32, ONES, 2, 0, 0x7fffffff},
        {UOP_rem_s32, 0x80000000, U64(0x100000000), 0, U64(0xffffffff80000000)},
        {UOP_rem_s32, 0x80000000, ONES, 0, 0},
        {UOP_rem_s32, -U64(7), 2, 0, ONES},
        {UOP_rem_u32, 0x80000000, 0, 0, U64(0xffffffff80000000)},
        {UOP_rem_u32, ONES, 10, 0, 5},
        {UOP_set_eq, 5, 5, 0, 1},
        {UOP_set_eq, 5, U64(0x100000005), 0, 0},
        {UOP_set_ne, 5, 6, 0, 1},
        {UOP_set_lt, ONES, 0, 0, 1},
        {UOP_set_ltu, ONES, 0, 0, 0},
        {UOP_min_s64, ONES, 0, 0, ONES},
        {UOP_max_s64, ONES, 0, 0, 0},
        {UOP_min_u64, ONES, 0, 0, 0},
        {UOP_max_u64, ONES, 0, 0, ONES},
        {UOP_sel, 2, 11, 22, 11},
        {UOP_sel, 0, 11, 22, 22},
        {UOP_clz_64, 0, 0, 0, 64},
        {UOP_clz_64, 1, 0, 0, 63},
        {UOP_clz_32, U64(0x100000000), 0, 0, 32},
        {UOP_clz_32, 0x40000000, 0, 0, 1},
        {UOP_ctz_64, 0, 0, 0, 64},
        {UOP_ctz_64, MIN64, 0, 0, 63},
        {UOP_ctz_32, U64(0x100000000), 0, 0, 32},
        {UOP_ctz_32, 8, 0, 0, 3},
        {UOP_popcnt_64, ONES, 0, 0, 64},
        {UOP_popcnt_32, ONES, 0, 0, 32},
        {UOP_bswap_64, U64(0x0102030405060708), 0, 0, U64(0x0807060504030201)},
        {UOP_orc_b, U64(0x0001800000ff1000), 0, 0, U64(0x00ffff0000ffff00)},
        {UOP_fp_flags, 0x1fa1, 0, 0,
         FP_NX | FP_NV}, /* PE, IE, and masks (Intel SDM volume 1, 10.2.3) */
        {UOP_fp_flags, 0x0c, 0, 0, FP_OF | FP_DZ},
        {UOP_fp_flags, 0x12, 0, 0, FP_UF},
        {UOP_box_f32, 0x3f800000, 0, 0, U64(0xffffffff3f800000)},
        {UOP_box_f16, 0x3c00, 0, 0, U64(0xffffffffffff3c00)},
        {UOP_unbox_f32, U64(0xffffffff3f800000), 0, 0, 0x3f800000},
        {UOP_unbox_f32, U64(0xfffffffe3f800000), 0, 0, 0x7fc00000},
        {UOP_unbox_f16, U64(0xffffffffffff3c00), 0, 0, 0x3c00},
        {UOP_unbox_f16, U64(0xfffffffffffe3c00), 0, 0, 0x7e00},
        {UOP_fcanon_f64, U64(0xfff0000000000001), 0, 0, U64(0x7ff8000000000000)},
        {UOP_fcanon_f64, U64(0xfff0000000000000), 0, 0, U64(0xfff0000000000000)},
        {UOP_fcanon_f32, 0xff800001, 0, 0, 0x7fc00000},
        {UOP_fcanon_f32, 0xff800000, 0, 0, 0xff800000},
        {UOP_fcanon_f16, 0xfc01, 0, 0, 0x7e00},
        {UOP_fcanon_f16, 0xfc00, 0, 0, 0xfc00},
        /* fclass: the bit numbers of the manual's table */
        /* Arm ARM: ADDS, SUBS (C is "no borrow"), ADCS */
        {UOP_flags_add_64, MIN64, MIN64, 0, NZCV(0x7)},
        {UOP_flags_add_64, ONES, 1, 0, NZCV(0x6)},
        {UOP_flags_add_32, 0x7fffffff, 1, 0, NZCV(0x9)},
        {UOP_flags_sub_64, 0, 1, 0, NZCV(0x8)},
        {UOP_flags_sub_64, 5, 5, 0, NZCV(0x6)},
        {UOP_flags_sub_32, 0x80000000, 1, 0, NZCV(0x3)},
        {UOP_flags_adc_64, ONES, 0, 1, NZCV(0x6)},
        {UOP_flags_adc_64, ONES, ONES, 1, NZCV(0xa)},
        {UOP_flags_adc_32, 0x7fffffff, 0, 1, NZCV(0x9)},
        {UOP_flags_sbc_64, 5, 5, 0, NZCV(0x8)}, /* 5 - 5 - 1 */
        {UOP_flags_sbc_64, 5, 5, 1, NZCV(0x6)},
        {UOP_flags_sbc_32, MIN64 | 0x80000000, 0, 0, NZCV(0x3)},
        {UOP_adc_64, ONES, 1, 1, 1},
        {UOP_adc_32z, 0xffffffff, 1, 1, 1},
        {UOP_sbc_64, 5, 3, 0, 1},
        {UOP_sbc_64, 5, 3, 1, 2},
        {UOP_sbc_32z, 0, 0, 0, 0xffffffff},
        {UOP_carry_adc_64, ONES, 0, 1, 1},
        {UOP_carry_adc_64, ONES, 0, 0, 0},
        {UOP_carry_adc_32, U64(0x1ffffffff), 0, 1, 1},
        {UOP_carry_adc_32, U64(0x100000000), 0, 1, 0},
        {UOP_carry_sbc_64, 5, 5, 1, 1},
        {UOP_carry_sbc_64, 5, 5, 0, 0},
        {UOP_carry_sbc_32, U64(0x100000000), 1, 1, 0},
        {UOP_flags_nzcv, NZCV(0xb), 0, 0, 0xb},
        {UOP_flags_nzcv, NZCV(0x4), 0, 0, 0x4},
        {UOP_flags_of_nzcv, 0xb, 0, 0, NZCV(0xb)},
        {UOP_flags_of_nzcv, 0x4, 0, 0, NZCV(0x4)},
        {UOP_flags_logic_64, MIN64, 0, 0, NZCV(0x8)},
        {UOP_flags_logic_64, 0, 0, 0, NZCV(0x4)},
        {UOP_flags_logic_32, 0x80000000, 0, 0, NZCV(0x8)},
        {UOP_cond, NZCV(0x4), 0, 0, 1},                            /* eq */
        {UOP_cond, NZCV(0x2), 8, 0, 1},                            /* hi */
        {UOP_cond, NZCV(0x6), 8, 0, 0},                            /* hi */
        {UOP_cond, NZCV(0x9), 11, 0, 0},                           /* lt */
        {UOP_cond, NZCV(0x8), 11, 0, 1},                           /* lt */
        {UOP_cond, NZCV(0x0), 15, 0, 1},                           /* nv holds */
        {UOP_flags_fcmp_f64, 0x8000000000000000, 0, 0, NZCV(0x6)}, /* -0 and 0 */
        {UOP_flags_fcmp_f64, 0xbff0000000000000, 0xbfe0000000000000, 0, NZCV(0x8)},
        {UOP_flags_fcmp_f64, 0x7ff0000000000000, 0x3ff0000000000000, 0, NZCV(0x2)},
        {UOP_flags_fcmp_f64, 0x7ff0000000000001, 0x3ff0000000000000, 0, NZCV(0x3)},
        {UOP_flags_fcmp_f32, 0x80000000, 0, 0, NZCV(0x6)},
        {UOP_flags_fcmp_f32, 0x00000001, 0x00000002, 0, NZCV(0x8)},
        {UOP_flags_fcmp_f32, 0x3f800000, 0xff800000, 0, NZCV(0x2)},
        {UOP_flags_fcmp_f32, 0x3f800000, 0x7fc00000, 0, NZCV(0x3)},
        {UOP_flags_fcmp_f16, 0x3c00, 0x3c00, 0, NZCV(0x6)},
        {UOP_flags_fcmp_f16, 0xfc00, 0x8001, 0, NZCV(0x8)}, /* -infinity */
        {UOP_feq_q_f64, MIN64, 0, 0, 1},
        {UOP_feq_q_f64, U64(0x7ff8000000000000), U64(0x7ff8000000000000), 0, 0},
        {UOP_feq_q_f32, 0x80000000, 0, 0, 1},
        {UOP_feq_q_f32, 0x3f800000, 0x40000000, 0, 0},
        {UOP_flags_fcmp_f16, 0x0001, 0x8001, 0, NZCV(0x2)},
        {UOP_flags_fcmp_f16, 0x7c01, 0x3c00, 0, NZCV(0x3)},
        {UOP_rbit_64, 3, 0, 0, U64(0xc000000000000000)},
        {UOP_rev16_64, U64(0x0102030405060708), 0, 0, U64(0x0201040306050807)},
        /* The check value of CRC-32 for "1" is 0x83dcefb7, of CRC-32C 0x90f599e3: both invert before and after. */
        {UOP_crc32_8, 0xffffffff, 0x31, 0, 0x83dcefb7u ^ 0xffffffff},
        {UOP_crc32c_8, 0xffffffff, 0x31, 0, 0x90f599e3u ^ 0xffffffff},
        /* of zeros */
        {UOP_crc32_16, 0, 0, 0, 0},
        {UOP_crc32_16, 0xffffffff, 0x3231, 0, 0x4f5344cdu ^ 0xffffffff},
        {UOP_crc32_32, 0xffffffff, 0x34333231, 0, 0x9be3e0a3u ^ 0xffffffff},
        {UOP_crc32_64, 0xffffffff, U64(0x3837363534333231), 0, 0x9ae0daafu ^ 0xffffffff},
        {UOP_crc32c_16, 0xffffffff, 0xffff, 0, 0x0000ffff},
        {UOP_crc32c_32, 0xffffffff, 0xffffffff, 0, 0},
        {UOP_crc32c_64, 0xffffffff, 0xffffffff, 0, 0},
        {UOP_fclass_f64, U64(0xfff0000000000000), 0, 0, 1 << 0},
        {UOP_fclass_f64, U64(0xbff0000000000000), 0, 0, 1 << 1},
        {UOP_fclass_f64, U64(0x8000000000000001), 0, 0, 1 << 2},
        {UOP_fclass_f64, MIN64, 0, 0, 1 << 3},
        {UOP_fclass_f64, 0, 0, 0, 1 << 4},
        {UOP_fclass_f64, 1, 0, 0, 1 << 5},
        {UOP_fclass_f64, U64(0x3ff0000000000000), 0, 0, 1 << 6},
        {UOP_fclass_f64, U64(0x7ff0000000000000), 0, 0, 1 << 7},
        {UOP_fclass_f64, U64(0xfff0000000000001), 0, 0, 1 << 8},
        {UOP_fclass_f64, U64(0x7ff8000000000000), 0, 0, 1 << 9},
        {UOP_fclass_f32, 0xff800000, 0, 0, 1 << 0},
        {UOP_fclass_f32, 0x80000001, 0, 0, 1 << 2},
        {UOP_fclass_f32, 0x7f800001, 0, 0, 1 << 8},
        {UOP_fclass_f32, 0x7fc00000, 0, 0, 1 << 9},
        {UOP_fclass_f32, 0x3f800000, 0, 0, 1 << 6},
        {UOP_fclass_f16, 0xfc00, 0, 0, 1 << 0},
        {UOP_fclass_f16, 0x8001, 0, 0, 1 << 2},
        {UOP_fclass_f16, 0x7c01, 0, 0, 1 << 8},
        {UOP_fclass_f16, 0x7e00, 0, 0, 1 << 9},
        {UOP_fclass_f16, 0x3c00, 0, 0, 1 << 6},
        {UOP_set_ge, MIN64, 0, 0, 0},
        {UOP_set_ge, 5, 5, 0, 1},
        {UOP_set_geu, MIN64, 0, 0, 1},
        {UOP_set_geu, 4, 5, 0, 0},
        {UOP_set_eq_32, U64(0x100000001), 1, 0, 1},
        {UOP_set_eq_32, 2, 1, 0, 0},
        {UOP_set_ne_32, U64(0x100000001), 1, 0, 0},
        {UOP_set_ne_32, 2, 1, 0, 1},
        {UOP_set_lt_32, 0x80000000, 0, 0, 1},
        {UOP_set_lt_32, 0, U64(0xf00000000), 0, 0},
        {UOP_set_ltu_32, 0x80000000, 0, 0, 0},
        {UOP_set_ltu_32, U64(0xf00000000), 1, 0, 1},
        {UOP_set_ge_32, 0x80000000, 0, 0, 0},
        {UOP_set_ge_32, 0, U64(0xf00000000), 0, 1},
        {UOP_set_geu_32, 0x80000000, 0, 0, 1},
        {UOP_set_geu_32, U64(0xf00000000), 1, 0, 0},
        {UOP_flt_q_f64, U64(0x3ff0000000000000), U64(0x4000000000000000), 0, 1},
        {UOP_flt_q_f64, U64(0xc000000000000000), U64(0xbff0000000000000), 0, 1},
        {UOP_flt_q_f64, 0, MIN64, 0, 0},
        {UOP_flt_q_f64, U64(0x7ff8000000000000), U64(0x4000000000000000), 0, 0},
        {UOP_fle_q_f64, MIN64, 0, 0, 1},
        {UOP_fle_q_f64, U64(0x7ff0000000000000), U64(0x7ff8000000000000), 0, 0},
        {UOP_flt_q_f32, 0xbf800000, 0x3f800000, 0, 1},
        {UOP_flt_q_f32, 0x7fc00000, 0x3f800000, 0, 0},
        {UOP_flt_q_f32, 0x7f7fffff, 0x7f800000, 0, 1},
        {UOP_fle_q_f32, 0x80000000, 0, 0, 1},
        {UOP_fle_q_f32, 0x40000000, 0x3f800000, 0, 0},
    };
    bool covered[UOP_CODES] = {false};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t got = eval(rows[i].op, rows[i].a, rows[i].b, rows[i].c);
        covered[rows[i].op] = true;
        if (got != rows[i].want)
            fail_msg("%s %#" PRIx64 ", %#" PRIx64 " gives %#" PRIx64 ", expected %#" PRIx64,
                     uop_info[rows[i].op].name, rows[i].a, rows[i].b, got, rows[i].want);
    }
    for (unsigned op = 0; op < UOP_CODES; op++)
        if ((uop_info[op].flags & (UOP_F_PURE | UOP_F_VECTOR)) == UOP_F_PURE &&
            !covered[uop_info[op].rr_form])
            fail_msg("no example of %s", uop_info[op].name);
}

static uint64_t rng = RANDOM_SEED;
static uint64_t rnd(void)
{
    uint64_t v = random_next(&rng);
    return v >> v % 64;
}

#define HOST2(op, insn, size)                                        \
    do {                                                             \
        uint##size##_t x = (uint##size##_t)a, y = (uint##size##_t)b; \
        __asm__(insn " %1, %0" : "+r"(x) : "r"(y) : "cc");           \
        assert_int_equal(eval(UOP_##op, a, b, 0), (uint64_t)x);      \
    } while (0)
#define SHIFT(op, insn, size, extend)                                   \
    do {                                                                \
        uint##size##_t x = (uint##size##_t)a;                           \
        __asm__(insn " %%cl, %0" : "+r"(x) : "c"(b) : "cc");            \
        assert_int_equal(eval(UOP_##op, a, b, 0), (uint64_t)(extend)x); \
    } while (0)

static void against_host(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = rnd(), b = rnd(), hi, lo;
        HOST2(add_64, "add", 64);
        HOST2(add_32z, "add", 32);
        HOST2(sub_64, "sub", 64);
        HOST2(sub_32z, "sub", 32);
        HOST2(mul_64, "imul", 64);
        HOST2(mul_32z, "imul", 32);
        SHIFT(shl_64, "shlq", 64, uint64_t);
        SHIFT(shl_32z, "shll", 32, uint32_t);
        SHIFT(shl_32s, "shll", 32, int32_t);
        SHIFT(shr_64, "shrq", 64, uint64_t);
        SHIFT(shr_32s, "shrl", 32, int32_t);
        SHIFT(sar_64, "sarq", 64, uint64_t);
        SHIFT(sar_32s, "sarl", 32, int32_t);
        SHIFT(sar_32z, "sarl", 32, uint32_t);
        SHIFT(ror_64, "rorq", 64, uint64_t);
        SHIFT(ror_32s, "rorl", 32, int32_t);
        SHIFT(ror_32z, "rorl", 32, uint32_t);
        __asm__("mulq %3" : "=d"(hi), "=a"(lo) : "a"(a), "r"(b) : "cc");
        assert_int_equal(eval(UOP_mulh_uu, a, b, 0), hi);
        /* mulhsu from the unsigned product: minus b when a is negative */
        assert_int_equal(eval(UOP_mulh_su, a, b, 0), hi - ((int64_t)a < 0 ? b : 0));
        __asm__("imulq %3" : "=d"(hi), "=a"(lo) : "a"(a), "r"(b) : "cc");
        assert_int_equal(eval(UOP_mulh_ss, a, b, 0), hi);
        if ((uint32_t)b && (uint32_t)b != 0xffffffff) {
            uint32_t q, r;
            __asm__("cltd; idivl %4"
                    : "=&a"(q), "=&d"(r)
                    : "0"((uint32_t)a), "1"(0), "r"((uint32_t)b));
            assert_int_equal(eval(UOP_div_s32, a, b, 0), (uint64_t)(int64_t)(int32_t)q);
            assert_int_equal(eval(UOP_rem_s32, a, b, 0), (uint64_t)(int64_t)(int32_t)r);
            __asm__("divl %4" : "=&a"(q), "=&d"(r) : "0"((uint32_t)a), "1"(0), "r"((uint32_t)b));
            assert_int_equal(eval(UOP_div_u32, a, b, 0), (uint64_t)(int64_t)(int32_t)q);
            assert_int_equal(eval(UOP_rem_u32, a, b, 0), (uint64_t)(int64_t)(int32_t)r);
        }
        if (b && b != ONES) {
            uint64_t q, r;
            __asm__("cqto; idivq %4" : "=&a"(q), "=&d"(r) : "0"(a), "1"((uint64_t)0), "r"(b));
            assert_int_equal(eval(UOP_div_s64, a, b, 0), q);
            assert_int_equal(eval(UOP_rem_s64, a, b, 0), r);
        }
    }
}

/* The comparisons without flags are the ones with, in value. */
static void quiet_comparisons(void **state)
{
    (void)state;
    static const uint16_t pairs[][2] = {{UOP_flt_q_f64, UOP_flt_f64},
                                        {UOP_fle_q_f64, UOP_fle_f64},
                                        {UOP_flt_q_f32, UOP_flt_f32},
                                        {UOP_fle_q_f32, UOP_fle_f32}};
    for (int i = 0; i < 100000; i++) {
        uint64_t a = rnd(), b = i % 3 ? rnd() : a + rnd() % 3 - 1;
        if (i % 5 == 0)
            a = (a & U64(0x8000000080000000)) | U64(0x7f8000007f800000) | a >> 60;
        if (i % 2)
            b ^= U64(0x8000000080000000);
        for (unsigned k = 0; k < 4; k++) {
            uint64_t x = k < 2 ? a : (uint32_t)a, y = k < 2 ? b : (uint32_t)b;
            unsigned flags = 0;
            assert_int_equal(eval(pairs[k][0], x, y, 0),
                             fp_soft(pairs[k][1], x, y, 0, FP_RNE, &flags));
        }
    }
}

/* What the table says of a row's results holds for each of them. */
static void ranges(void **state)
{
    (void)state;
    unsigned ranged = 0;
    for (unsigned op = 0; op < UOP_CODES; op++) {
        unsigned range = uop_info[op].range;
        uint64_t v;
        if (range == UOP_R_ANY || !uop_eval((enum uop_code)op, 0, 0, 0, &v))
            continue;
        ranged++;
        for (int i = 0; i < 20000; i++) {
            uint64_t a = rnd(), b = i % 3 ? rnd() : a, c = rnd();
            if (i & 1)
                a = ~a;
            if (i & 2)
                b = ~b;
            v = eval((enum uop_code)op, a, b, c);
            if (((range & UOP_R_SX) && v != (uint64_t)(int32_t)v) ||
                ((range & UOP_R_ZX) && v != (uint32_t)v) || (range == UOP_R_BIT && v > 1))
                fail_msg("%s of %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 " is %#" PRIx64,
                         uop_info[op].name, a, b, c, v);
        }
    }
    assert_in_range(ranged, 50, UOP_CODES);
    assert_int_equal(uop_info[UOP_ld_s8].range, UOP_R_SX);
    assert_int_equal(uop_info[UOP_ld_u8].range, UOP_R_SMALL);
    assert_int_equal(uop_info[UOP_ld_u16].range, UOP_R_SMALL);
    assert_int_equal(uop_info[UOP_ld_s32].range, UOP_R_SX);
    assert_int_equal(uop_info[UOP_ld_u32].range, UOP_R_ZX);
    assert_int_equal(uop_info[UOP_ld_64].range, UOP_R_ANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(against_host),
        cmocka_unit_test(quiet_comparisons),
    };
    return cmocka_run_group_tests_name("uop/sem", tests, NULL, NULL);
}

/* guest/rv64/debug.c: the registers as gdb names them (GDB manual, "RISC-V Features").
 *
 * Threading: const data; the functions work on what the caller passes.
 */
#include "guest/rv64/rv64.h"
#include "uop/fp.h"
#include <elf.h>
#include <errno.h>
#include <string.h>

#define CPU "org.gnu.gdb.riscv.cpu"
#define FPU "org.gnu.gdb.riscv.fpu"
#define X(n, name)                          \
    {                                       \
        CPU, name, "int", 64, RV64_X0 + (n) \
    }
#define F(n, name)                                  \
    {                                               \
        FPU, name, "ieee_double", 64, RV64_F0 + (n) \
    }

enum { FFLAGS = 65, FRM, FCSR };

static const struct guest_debug_reg regs[] = {
    X(0, "zero"),
    X(1, "ra"),
    {CPU, "sp", "data_ptr", 64, RV64_SP},
    X(3, "gp"),
    X(4, "tp"),
    X(5, "t0"),
    X(6, "t1"),
    X(7, "t2"),
    {CPU, "fp", "data_ptr", 64, RV64_X0 + 8},
    X(9, "s1"),
    X(10, "a0"),
    X(11, "a1"),
    X(12, "a2"),
    X(13, "a3"),
    X(14, "a4"),
    X(15, "a5"),
    X(16, "a6"),
    X(17, "a7"),
    X(18, "s2"),
    X(19, "s3"),
    X(20, "s4"),
    X(21, "s5"),
    X(22, "s6"),
    X(23, "s7"),
    X(24, "s8"),
    X(25, "s9"),
    X(26, "s10"),
    X(27, "s11"),
    X(28, "t3"),
    X(29, "t4"),
    X(30, "t5"),
    X(31, "t6"),
    {CPU, "pc", "code_ptr", 64, RV64_PC},
    F(0, "ft0"),
    F(1, "ft1"),
    F(2, "ft2"),
    F(3, "ft3"),
    F(4, "ft4"),
    F(5, "ft5"),
    F(6, "ft6"),
    F(7, "ft7"),
    F(8, "fs0"),
    F(9, "fs1"),
    F(10, "fa0"),
    F(11, "fa1"),
    F(12, "fa2"),
    F(13, "fa3"),
    F(14, "fa4"),
    F(15, "fa5"),
    F(16, "fa6"),
    F(17, "fa7"),
    F(18, "fs2"),
    F(19, "fs3"),
    F(20, "fs4"),
    F(21, "fs5"),
    F(22, "fs6"),
    F(23, "fs7"),
    F(24, "fs8"),
    F(25, "fs9"),
    F(26, "fs10"),
    F(27, "fs11"),
    F(28, "ft8"),
    F(29, "ft9"),
    F(30, "ft10"),
    F(31, "ft11"),
    [FFLAGS] = {FPU, "fflags", "int", 32, GUEST_NO_SLOT},
    [FRM] = {FPU, "frm", "int", 32, GUEST_NO_SLOT},
    [FCSR] = {FPU, "fcsr", "int", 32, GUEST_NO_SLOT},
};

static uint64_t get(const struct cpu *cpu, unsigned reg)
{
    uint64_t frm = cpu->r[RV64_FRM], flags = fp_env_flags(cpu);
    return reg == FFLAGS ? flags : reg == FRM ? frm : frm << 5 | flags;
}

static void set(struct cpu *cpu, unsigned reg, uint64_t v)
{
    if (reg != FRM)
        fp_env_set_flags(cpu, v & 0x1f);
    if (reg == FFLAGS)
        return;
    cpu->r[RV64_FRM] = (reg == FRM ? v : v >> 5) & 7;
    fp_env_set_mode(cpu, (unsigned)cpu->r[RV64_FRM]);
}

/* arch/riscv/kernel/ptrace.c and its uapi/asm/ptrace.h: user_regs_struct, __riscv_d_ext_state. */
#define USER_REGS 32
#define FP_REGS 33

static void get_gprs(const struct cpu *cpu, void *buf)
{
    uint64_t *to = buf;
    to[0] = cpu->r[RV64_PC];
    memcpy(to + 1, &cpu->r[RV64_X0 + 1], 31 * sizeof(*to));
}

static void set_gprs(struct cpu *cpu, const void *buf)
{
    const uint64_t *from = buf;
    cpu->r[RV64_PC] = from[0];
    memcpy(&cpu->r[RV64_X0 + 1], from + 1, 31 * sizeof(*from));
}

static void get_fprs(const struct cpu *cpu, void *buf)
{
    uint64_t *to = buf;
    memcpy(to, &cpu->r[RV64_F0], 32 * sizeof(*to));
    to[32] = get(cpu, FCSR);
}

static void set_fprs(struct cpu *cpu, const void *buf)
{
    const uint64_t *from = buf;
    memcpy(&cpu->r[RV64_F0], from, 32 * sizeof(*from));
    set(cpu, FCSR, (uint32_t)from[32]);
}

static const struct guest_regset regsets[] = {
    {NT_PRSTATUS, USER_REGS * 8, 8, get_gprs, set_gprs},
    {NT_PRFPREG, FP_REGS * 8, 8, get_fprs, set_fprs},
    {0, 0, 0, NULL, NULL},
};

const struct guest_debug rv64_debug = {
    .architecture = "riscv:rv64",
    .regs = regs,
    .nregs = sizeof regs / sizeof *regs,
    .get = get,
    .set = set,
    .regsets = regsets,
    .call_slot = RV64_A0, /* the result is there before the call (arch/riscv/kernel/traps.c) */
    .call_value = {-ENOSYS, 0},
};

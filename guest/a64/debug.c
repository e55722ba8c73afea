/* guest/a64/debug.c: the registers as gdb names them (GDB manual, "AArch64 Features").
 *
 * Threading: const data; the functions work on what the caller passes.
 */
#include "guest/a64/a64.h"

#define CORE "org.gnu.gdb.aarch64.core"
#define FPU "org.gnu.gdb.aarch64.fpu"
#define X(n)                                  \
    {                                         \
        CORE, "x" #n, "int", 64, A64_X0 + (n) \
    }
#define V(n)                                          \
    {                                                 \
        FPU, "v" #n, "uint128", 128, A64_V0 + 2 * (n) \
    }

enum { CPSR = 33, FPSR = 66, FPCR };

static const struct guest_debug_reg regs[] = {
    X(0),
    X(1),
    X(2),
    X(3),
    X(4),
    X(5),
    X(6),
    X(7),
    X(8),
    X(9),
    X(10),
    X(11),
    X(12),
    X(13),
    X(14),
    X(15),
    X(16),
    X(17),
    X(18),
    X(19),
    X(20),
    X(21),
    X(22),
    X(23),
    X(24),
    X(25),
    X(26),
    X(27),
    X(28),
    X(29),
    X(30),
    {CORE, "sp", "data_ptr", 64, A64_SP},
    {CORE, "pc", "code_ptr", 64, A64_PC},
    [CPSR] = {CORE, "cpsr", "int", 32, GUEST_NO_SLOT},
    V(0),
    V(1),
    V(2),
    V(3),
    V(4),
    V(5),
    V(6),
    V(7),
    V(8),
    V(9),
    V(10),
    V(11),
    V(12),
    V(13),
    V(14),
    V(15),
    V(16),
    V(17),
    V(18),
    V(19),
    V(20),
    V(21),
    V(22),
    V(23),
    V(24),
    V(25),
    V(26),
    V(27),
    V(28),
    V(29),
    V(30),
    V(31),
    [FPSR] = {FPU, "fpsr", "int", 32, GUEST_NO_SLOT},
    [FPCR] = {FPU, "fpcr", "int", 32, GUEST_NO_SLOT},
};

static uint64_t get(const struct cpu *cpu, unsigned reg)
{
    if (reg == CPSR)
        return cpu->r[A64_NZCV];
    return reg == FPSR ? a64_fpsr(cpu) : (uint32_t)cpu->r[A64_FPCR];
}

static void set(struct cpu *cpu, unsigned reg, uint64_t v)
{
    if (reg == CPSR)
        cpu->r[A64_NZCV] = v & UINT64_C(0xf0000000);
    else if (reg == FPSR)
        a64_set_fp(cpu, (uint32_t)cpu->r[A64_FPCR], (uint32_t)v);
    else
        a64_set_fp(cpu, (uint32_t)v, a64_fpsr(cpu));
}

const struct guest_debug a64_debug = {
    .architecture = "aarch64",
    .regs = regs,
    .nregs = sizeof regs / sizeof *regs,
    .get = get,
    .set = set,
};

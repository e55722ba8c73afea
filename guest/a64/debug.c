/* guest/a64/debug.c: the registers as gdb names them (GDB manual, "AArch64 Features").
 *
 * Threading: const data; the functions work on what the caller passes.
 */
#include "guest/a64/a64.h"
#include <elf.h>
#include <string.h>

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
        return a64_pstate_flags(cpu);
    return reg == FPSR ? a64_fpsr(cpu) : (uint32_t)cpu->r[A64_FPCR];
}

static void set(struct cpu *cpu, unsigned reg, uint64_t v)
{
    if (reg == CPSR)
        a64_set_pstate_flags(cpu, v);
    else if (reg == FPSR)
        a64_set_fp(cpu, (uint32_t)cpu->r[A64_FPCR], (uint32_t)v);
    else
        a64_set_fp(cpu, (uint32_t)v, a64_fpsr(cpu));
}

/* arch/arm64/kernel/ptrace.c and its uapi/asm/ptrace.h: user_pt_regs, user_fpsimd_state. */
struct gprs {
    uint64_t x[31], sp, pc, pstate;
};
struct fprs {
    uint64_t v[64];
    uint32_t fpsr, fpcr;
    uint64_t reserved;
};

static void get_gprs(const struct cpu *cpu, void *buf)
{
    struct gprs *to = buf;
    memcpy(to->x, &cpu->r[A64_X0], sizeof(to->x));
    to->sp = cpu->r[A64_SP];
    to->pc = cpu->r[A64_PC];
    to->pstate = get(cpu, CPSR);
}

static void set_gprs(struct cpu *cpu, const void *buf)
{
    const struct gprs *from = buf;
    memcpy(&cpu->r[A64_X0], from->x, sizeof(from->x));
    cpu->r[A64_SP] = from->sp;
    cpu->r[A64_PC] = from->pc;
    set(cpu, CPSR, from->pstate);
}

static void get_fprs(const struct cpu *cpu, void *buf)
{
    struct fprs *to = buf;
    memcpy(to->v, &cpu->r[A64_V0], sizeof(to->v));
    to->fpsr = (uint32_t)get(cpu, FPSR);
    to->fpcr = (uint32_t)get(cpu, FPCR);
    to->reserved = 0;
}

static void set_fprs(struct cpu *cpu, const void *buf)
{
    const struct fprs *from = buf;
    memcpy(&cpu->r[A64_V0], from->v, sizeof(from->v));
    a64_set_fp(cpu, from->fpcr, from->fpsr);
}

/* The second word is TPIDR2, of processors with SME. */
static void get_tls(const struct cpu *cpu, void *buf)
{
    uint64_t *to = buf;
    to[0] = cpu->r[A64_TPIDR];
    to[1] = 0;
}

static void set_tls(struct cpu *cpu, const void *buf)
{
    cpu->r[A64_TPIDR] = *(const uint64_t *)buf;
}

/* user_hwdebug_state: the version of the architecture, no breakpoint or watchpoint registers. */
static void get_hardware(const struct cpu *cpu, void *buf)
{
    (void)cpu;
    *(uint32_t *)buf = 6 << 8; /* ID_AA64DFR0_EL1.DebugVer: Armv8 */
}

static void set_hardware(struct cpu *cpu, const void *buf)
{
    (void)cpu;
    (void)buf;
}

static const struct guest_regset regsets[] = {
    {NT_PRSTATUS, sizeof(struct gprs), 8, get_gprs, set_gprs},
    {NT_PRFPREG, sizeof(struct fprs), 4, get_fprs, set_fprs},
    {NT_ARM_HW_BREAK, 264, 4, get_hardware, set_hardware},
    {NT_ARM_HW_WATCH, 264, 4, get_hardware, set_hardware},
    {NT_ARM_TLS, 16, 8, get_tls, set_tls},
    {0, 0, 0, NULL, NULL},
};

const struct guest_debug a64_debug = {
    .architecture = "aarch64",
    .regs = regs,
    .nregs = sizeof regs / sizeof *regs,
    .get = get,
    .set = set,
    .regsets = regsets,
    .call_slot = A64_X0 + 7, /* which of the two stops it is (report_syscall) */
    .call_slot_behind = true,
    .call_value = {0, 1},
    .call_note = NT_ARM_SYSTEM_CALL,
    .steps = true,
};

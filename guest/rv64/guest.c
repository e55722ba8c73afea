/* guest/rv64/guest.c: RISC-V RV64GC under Linux: registers, hardware description, struct guest.
 *
 * Owns: guest_rv64 and the list of advertised extensions, from which /proc/cpuinfo's ISA string and
 * hwprobe's bits are both made. Every row of rv64.decode belongs to one of these, or to "Priv".
 *
 * Threading: const data; pure functions but for the cpu passed in.
 */
#include "base/text.h"
#include "guest/rv64/rv64.h"
#include "guest/rv64/vdso_image.h"
#include "uop/fp.h"
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Single letters by their place in AT_HWCAP (bit c - 'A'). */
#define HWCAP(letter) (UINT64_C(1) << ((letter) - 'A'))

/* In the order of the ISA string (RISC-V unprivileged, "ISA Extension Naming Conventions"); bits of
 * riscv_hwprobe's IMA_EXT_0 key (Linux Documentation/arch/riscv/hwprobe.rst), -1 for none. */
const struct rv64_ext rv64_exts[] = {
    {"zicbop", -1},   {"zicboz", 6},     {"zicntr", -1},      {"zicond", 35}, {"zicsr", -1},
    {"zifencei", -1}, {"zihintntl", 29}, {"zihintpause", 36}, {"zimop", 42},  {"zabha", -1},
    {"zacas", 34},    {"zawrs", 48},     {"zfa", 32},         {"zfh", 27},    {"zfhmin", 28},
    {"zca", 43},      {"zcb", 44},       {"zcd", 45},         {"zcmop", 47},  {"zba", 3},
    {"zbb", 4},       {"zbs", 5},        {NULL, 0},
};

/* Bits of IMA_EXT_0 that stand for letters. */
#define IMA_FD UINT64_C(1)
#define IMA_C UINT64_C(2)

uint64_t rv64_hwprobe(int64_t key, bool *known)
{
    *known = true;
    switch (key) {
    case 0: /* MVENDORID, MARCHID, MIMPID: no implementation of note */
    case 1:
    case 2:
        return 0;
    case 3: /* BASE_BEHAVIOR: IMA */
        return 1;
    case 4: { /* IMA_EXT_0 */
        uint64_t bits = IMA_FD | IMA_C;
        for (const struct rv64_ext *e = rv64_exts; e->name; e++)
            if (e->hwprobe_bit >= 0)
                bits |= UINT64_C(1) << e->hwprobe_bit;
        return bits;
    }
    case 5: /* CPUPERF_0: misaligned accesses are fast */
    case 9: /* MISALIGNED_SCALAR_PERF */
        return 3;
    case 6: /* ZICBOZ_BLOCK_SIZE */
        return RV64_CBOZ_BLOCK;
    case 7: /* HIGHEST_VIRT_ADDRESS */
        return GUEST_ADDR_END - 1;
    case 8: /* TIME_CSR_FREQ: UOP_rdtime counts nanoseconds */
        return 1000000000;
    case 10: /* MISALIGNED_VECTOR_PERF: unsupported */
        return 4;
    }
    *known = false;
    return 0;
}

static void isa_string(char *buf, size_t size)
{
    size_t n = (size_t)snprintf(buf, size, "rv64imafdc");
    for (const struct rv64_ext *e = rv64_exts; e->name && n < size; e++)
        n += (size_t)snprintf(buf + n, size - n, "_%s", e->name);
}

size_t rv64_cpuinfo(char *buf, size_t size, unsigned ncpus)
{
    char isa[512];
    isa_string(isa, sizeof isa);
    struct text t = {buf, size, 0};
    for (unsigned i = 0; i < ncpus; i++)
        text_put(&t,
                 "processor\t: %u\n"
                 "hart\t\t: %u\n"
                 "isa\t\t: %s\n"
                 "mmu\t\t: sv48\n"
                 "mvendorid\t: 0x0\n"
                 "marchid\t\t: 0x0\n"
                 "mimpid\t\t: 0x0\n"
                 "hart isa\t: %s\n\n",
                 i, i, isa, isa);
    return t.len;
}

static void cpu_reset(struct cpu *cpu)
{
    memset(cpu->r, 0, sizeof cpu->r);
    cpu->res_addr = ~UINT64_C(0);
    fp_env_init(cpu);
}

static void cpu_start(struct cpu *cpu, uint64_t entry, uint64_t sp)
{
    cpu_reset(cpu);
    cpu->r[RV64_PC] = entry;
    cpu->r[RV64_SP] = sp;
}

static size_t cpu_print(const struct cpu *cpu, char *buf, size_t size)
{
    struct text t = {buf, size, 0};
    text_put(&t, "pc   %016" PRIx64 "  fcsr %02x\n", cpu->r[RV64_PC],
             (unsigned)cpu->r[RV64_FRM] << 5 | fp_env_flags(cpu));
    for (unsigned i = 0; i < 32; i++)
        text_put(&t, "%-4s %016" PRIx64 "%s", rv64_slot_name(i), cpu->r[i],
                 i % 4 == 3 ? "\n" : "  ");
    for (unsigned i = RV64_F0; i < RV64_F0 + 32; i++)
        text_put(&t, "%-4s %016" PRIx64 "%s", rv64_slot_name(i), cpu->r[i],
                 (i - RV64_F0) % 4 == 3 ? "\n" : "  ");
    return t.len;
}

static const struct guest_syscall own_syscalls[] = {
    {258, "riscv_hwprobe"},
    {259, "riscv_flush_icache"},
    {0, NULL},
};

const struct guest guest_rv64 = {
    .name = "riscv64",
    .elf_machine = EM_RISCV,
    .uname_machine = "riscv64",
    .ldso_env = "/lib/ld-linux-riscv64-lp64d.so.1",
    .nslots = RV64_NSLOTS,
    .zero_slot = RV64_X0,
    .pc_slot = RV64_PC,
    .sp_slot = RV64_SP,
    .tls_slot = RV64_TP,
    .sysnr_slot = RV64_A7,
    .sysret_slot = RV64_A0,
    .sysarg_slot = {RV64_A0, RV64_A0 + 1, RV64_A0 + 2, RV64_A0 + 3, RV64_A0 + 4, RV64_A0 + 5},
    .syscall_len = 4,
    .insn_align = 2,
    .slot_name = rv64_slot_name,
    /* sp ra a0-a5 s0 s1 s2, by how often compiled code names them */
    .home_gpr = {2, 1, 10, 11, 12, 13, 14, 15, 8, 9, 18},
    /* fa0-fa5 fs0 fs1 ft0-ft3 */
    .home_xmm = {RV64_F0 + 10, RV64_F0 + 11, RV64_F0 + 12, RV64_F0 + 13, RV64_F0 + 14, RV64_F0 + 15,
                 RV64_F0 + 8, RV64_F0 + 9, RV64_F0 + 0, RV64_F0 + 1, RV64_F0 + 2, RV64_F0 + 3},
    .fp_first = RV64_F0,
    .fp_last = RV64_F0 + 31,
    .lift = rv64_lift,
    .disasm = rv64_disasm,
    .cpu_reset = cpu_reset,
    .cpu_start = cpu_start,
    .cpu_print = cpu_print,
    .debug = &rv64_debug,
    .sigframe_max = 1088,
    .sigframe_min_stack = 2048, /* MINSIGSTKSZ */
    .sigframe_build = rv64_sigframe_build,
    .sigframe_size = rv64_sigframe_size,
    .sigframe_parse = rv64_sigframe_parse,
    .hwcap = HWCAP('I') | HWCAP('M') | HWCAP('A') | HWCAP('F') | HWCAP('D') | HWCAP('C'),
    .vdso_image = rv64_vdso,
    .vdso_size = RV64_VDSO_SIZE,
    .vdso_sigreturn = RV64_VDSO_SIGRETURN,
    .cpuinfo = rv64_cpuinfo,
    .own_syscalls = own_syscalls,
    .hwprobe = rv64_hwprobe,
    .clone_tls_before_ctid = true,
    .sa_restorer = false,
};

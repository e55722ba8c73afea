/* guest/a64/guest.c: AArch64 under Linux: registers, hardware description, struct guest.
 *
 * Owns: guest_a64 and the list of advertised features, from which AT_HWCAP, /proc/cpuinfo and the ID
 * registers are made.
 *
 * Threading: const data; pure functions but for the cpu passed in.
 */
#include "base/text.h"
#include "guest/a64/a64.h"
#include "guest/a64/vdso_image.h"
#include "uop/fp.h"
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bits of AT_HWCAP, or from 64 on of AT_HWCAP2, and the names in /proc/cpuinfo (Linux Documentation/arch/arm64/elf_hwcaps.rst);
 * the field of the ID register that says so: CRm, op2, lowest bit, value. FP and ASIMD are said by zeros. */
/* clang-format off */
#define HWCAPS(row) \
    row("fp", 0, 4, 0, 16, 0) \
    row("asimd", 1, 4, 0, 20, 0) \
    row("aes", 3, 6, 0, 4, 1) \
    row("pmull", 4, 6, 0, 4, 2) \
    row("sha1", 5, 6, 0, 8, 1) \
    row("sha2", 6, 6, 0, 12, 1) \
    row("crc32", 7, 6, 0, 16, 1) \
    row("atomics", 8, 6, 0, 20, 2) \
    row("fphp", 9, 4, 0, 16, 1) \
    row("asimdhp", 10, 4, 0, 20, 1) \
    row("cpuid", 11, 4, 0, 0, 1) \
    row("asimdrdm", 12, 6, 0, 28, 1) \
    row("jscvt", 13, 6, 1, 12, 1) \
    row("fcma", 14, 6, 1, 16, 1) \
    row("lrcpc", 15, 6, 1, 20, 1) \
    row("sha3", 17, 6, 0, 32, 1) \
    row("sm3", 18, 6, 0, 36, 1) \
    row("sm4", 19, 6, 0, 40, 1) \
    row("asimddp", 20, 6, 0, 44, 1) \
    row("sha512", 21, 6, 0, 12, 2) \
    row("asimdfhm", 23, 6, 0, 48, 1) \
    row("dit", 24, 4, 0, 48, 1) \
    row("ilrcpc", 26, 6, 1, 20, 2) \
    row("flagm", 27, 6, 0, 52, 1) \
    row("ssbs", 28, 4, 1, 4, 2) \
    row("sb", 29, 6, 1, 36, 1) \
    row("flagm2", 64 + 7, 6, 0, 52, 2) \
    row("frint", 64 + 8, 6, 1, 32, 1) \
    row("i8mm", 64 + 13, 6, 1, 52, 1) \
    row("bf16", 64 + 14, 6, 1, 44, 1) \
    row("mops", 64 + 43, 6, 2, 16, 1) \
    row("hbc", 64 + 44, 6, 2, 20, 1)
/* clang-format on */

static const struct feature {
    const char *name;
    uint8_t hwcap_bit, crm, op2, bit, value;
} features[] = {
#define ROW(...) {__VA_ARGS__},
    HWCAPS(ROW)
#undef ROW
};
#define NFEATURES (sizeof features / sizeof features[0])

/* Constants for the initialiser below. */
#define HWCAP_ROW(name, number, ...) | ((number) < 64 ? UINT64_C(1) << ((number)&63) : 0)
#define HWCAP2_ROW(name, number, ...) | ((number) < 64 ? 0 : UINT64_C(1) << ((number)&63))
#define HWCAP (0 HWCAPS(HWCAP_ROW))
#define HWCAP2 (0 HWCAPS(HWCAP2_ROW))

uint64_t a64_id_register(unsigned crm, unsigned op2)
{
    if (crm == 0)
        return op2 == 0 ? A64_MIDR : op2 == 5 ? UINT64_C(0x80000000) : 0; /* MPIDR; REVIDR is 0 */
    uint64_t v = 0;
    /* A later row of the same field has the greater value. */
    for (size_t i = 0; i < NFEATURES; i++)
        if (features[i].crm == crm && features[i].op2 == op2) {
            v &= ~(UINT64_C(15) << features[i].bit);
            v |= (uint64_t)features[i].value << features[i].bit;
        }
    if (crm == 4 && op2 == 0)
        v |= 0x11; /* ID_AA64PFR0: EL0 and EL1 are AArch64 alone */
    return v;
}

static size_t cpuinfo(char *buf, size_t size, unsigned ncpus)
{
    char names[512];
    struct text t = {buf, size, 0};
    size_t n = 0;
    for (size_t i = 0; i < NFEATURES; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? " " : "", features[i].name);
    for (unsigned i = 0; i < ncpus; i++)
        text_put(&t,
                 "processor\t: %u\n"
                 "BogoMIPS\t: 2000.00\n"
                 "Features\t: %s\n"
                 "CPU implementer\t: 0x%02x\n"
                 "CPU architecture: 8\n"
                 "CPU variant\t: 0x0\n"
                 "CPU part\t: 0x000\n"
                 "CPU revision\t: 0\n\n",
                 i, names, A64_MIDR >> 24);
    return t.len;
}

static void cpu_reset(struct cpu *cpu)
{
    memset(cpu->r, 0, sizeof cpu->r);
    a64_set_pstate_flags(cpu, 0);
    cpu->res_addr = ~UINT64_C(0);
    fp_env_init(cpu);
}

static void cpu_start(struct cpu *cpu, uint64_t entry, uint64_t sp)
{
    cpu_reset(cpu);
    cpu->r[A64_PC] = entry;
    cpu->r[A64_SP] = sp;
}

static size_t cpu_print(const struct cpu *cpu, char *buf, size_t size)
{
    struct text t = {buf, size, 0};
    text_put(&t, "pc   %016" PRIx64 "  sp %016" PRIx64 "  nzcv %x  fpcr %08x  fpsr %08x\n",
             cpu->r[A64_PC], cpu->r[A64_SP], (unsigned)(a64_pstate_flags(cpu) >> 28),
             (unsigned)cpu->r[A64_FPCR], a64_fpsr(cpu));
    for (unsigned i = 0; i < 31; i++)
        text_put(&t, "%-4s %016" PRIx64 "%s", a64_slot_name(i), cpu->r[i],
                 i % 4 == 3 ? "\n" : "  ");
    text_put(&t, "\n");
    for (unsigned i = 0; i < 32; i++)
        text_put(&t, "v%-3u %016" PRIx64 "%016" PRIx64 "%s", i, cpu->r[A64_V0 + 2 * i + 1],
                 cpu->r[A64_V0 + 2 * i], i % 2 ? "\n" : "  ");
    return t.len;
}

static uint64_t clrex(struct cpu *cpu, uint64_t a, uint64_t b)
{
    (void)a, (void)b;
    cpu->res_addr = ~UINT64_C(0);
    return 0;
}

static uint64_t fp_mode(struct cpu *cpu, uint64_t fpcr, uint64_t unused)
{
    (void)cpu, (void)unused;
    return a64_fp_mode((uint32_t)fpcr);
}

static const struct guest_helper helpers[] = {
    [A64_HELPER_CLREX] = {"clrex", clrex, false, false},
    [A64_HELPER_FP_MODE] = {"fp_mode", fp_mode, false, false},
};

/* O_DIRECTORY, O_NOFOLLOW, O_DIRECT, O_LARGEFILE (asm/fcntl.h of arm64 and of x86). */
static const struct guest_flagmap open_flags[] = {
    {040000, 0200000}, {0100000, 0400000}, {0200000, 040000}, {0400000, 0100000}, {0, 0},
};

static const struct guest_syscall own_syscalls[] = {
    {38, "renameat"},
    {0, NULL},
};

#define V(n) (A64_V0 + 2 * (n))

/* Bits 63 to 56 do not count (TCR_EL1.TBI0); with bit 55 set it is the kernel's half, which always faults. Linux's
 * untagged_addr. */
static uint64_t untag(uint64_t addr)
{
    return addr >> 55 & 1 ? addr : addr & (UINT64_MAX >> 8);
}

const struct guest guest_a64 = {
    .name = "aarch64",
    .elf_machine = EM_AARCH64,
    .uname_machine = "aarch64",
    .platform = "aarch64",
    .ldso_env = "/lib/ld-linux-aarch64.so.1",
    .nslots = A64_NSLOTS,
    .zero_slot = A64_XZR,
    .pc_slot = A64_PC,
    .sp_slot = A64_SP,
    .tls_slot = A64_TPIDR,
    .sysnr_slot = 8,
    .sysret_slot = 0,
    .sysarg_slot = {0, 1, 2, 3, 4, 5},
    .syscall_len = 4,
    .insn_align = 4,
    .stack_align = 16,
    .untag = untag,
    .slot_name = a64_slot_name,
    /* sp, arguments, x8, x19 to x21 */
    /* What the code of gcc, python3, perl, sqlite3, git and bash names most: the stack pointer and x0 a third of all, x22 more
     * often than x5, the link register than x3. */
    .home_gpr = {A64_SP, 0, 1, 2, 3, 4, 22, A64_LR, 19, 20, 21},
    /* Arguments, then the first that compilers take besides. */
    .fp_env = true,
    .home_xmm = {V(0), V(1), V(2), V(3), V(4), V(5), V(6), V(7), V(16), V(17), V(18), V(19)},
    .fp_first = GUEST_NO_SLOT,
    .fp_last = GUEST_NO_SLOT,
    .vec_first = V(0),
    .vec_end = V(32),
    .lift = a64_lift,
    .disasm = a64_disasm,
    .emulate = a64_emulate,
    .helpers = helpers,
    .nhelpers = sizeof helpers / sizeof helpers[0],
    .cpu_reset = cpu_reset,
    .cpu_start = cpu_start,
    .cpu_print = cpu_print,
    .debug = &a64_debug,
    .sigframe_max = 4704,
    .sigframe_min_stack = 5120, /* MINSIGSTKSZ */
    .sigframe_pad = 16,         /* for alignment */
    .note_fault = a64_note_fault,
    .sigframe_build = a64_sigframe_build,
    .sigframe_size = a64_sigframe_size,
    .sigframe_parse = a64_sigframe_parse,
    .hwcap = HWCAP,
    .hwcap2 = HWCAP2,
    .vdso_image = a64_vdso,
    .vdso_size = A64_VDSO_SIZE,
    .vdso_sigreturn = A64_VDSO_SIGRETURN,
    .cpuinfo = cpuinfo,
    .own_syscalls = own_syscalls,
    .open_flags = open_flags,
    .clone_tls_before_ctid = true,
    .no_linux32 = true,
    .sa_restorer = true,
};

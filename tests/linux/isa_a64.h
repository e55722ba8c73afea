/* tests/linux/isa.h for AArch64. */
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#define ISA_MACHINE EM_AARCH64
#define ISA_UNAME "aarch64"
static const char *const isa_cpuinfo[]
    __attribute__((unused)) = {"CPU implementer", "BogoMIPS", "Features", " asimd"};

#define ISA_CODE_SIZE 8
/* int f(void) { return n; }: mov w0, n; ret */
static __attribute__((noinline, unused)) void isa_put_code(void *at, unsigned n)
{
    uint32_t code[2] = {0x52800000 | n << 5, 0xd65f03c0};
    memcpy(at, code, sizeof code);
}
#define ISA_NUMBER_AT 0 /* the two bytes of the code that depend on n */
#define ISA_INSN_ALIGN 4

/* A return to any address, as assembly. */
#define ISA_RETURN_TO "mov x30, %0\n ret"

#define ISA_PC(uc) ((uc)->uc_mcontext.pc)
static inline unsigned isa_insn_len(uint64_t pc)
{
    (void)pc;
    return 4;
}

/* ---- for faults.c: functions with an instruction whose address is known ---- */

#define ISA_KEPT(uc) ((uc)->uc_mcontext.regs[7]) /* what the functions below set to 0x1234 */
/* Global labels: the linker's tables of addresses (GOT) know no addends, and local labels become those of the section. */
__asm__(".text\n"
        ".globl load_pc, store_pc, amo_pc, ll_pc, ill_pc, brk_pc, fp_load_pc\n"
        "do_load:\n mov x7, 0x1234\n load_pc: ldr x0, [x0]\n ret\n"
        "do_store:\n mov x7, 0x1234\n store_pc: str x1, [x0]\n ret\n"
        "do_amo:\n mov x7, 0x1234\n amo_pc: .inst 0xf8210000 /* ldadd x1, x0, [x0] */\n ret\n"
        "do_ll:\n ll_pc: ldxr x0, [x0]\n ret\n"
        "do_ill:\n ill_pc: udf #0\n ret\n"
        "do_brk:\n brk_pc: brk #0\n ret\n"
        "do_fp_load:\n fp_load_pc: ldr d0, [x0]\n ret\n");

/* The kernel takes the top byte away, unless bit 55 says that the address is its own ("untagged_addr"). */
static inline uint64_t isa_si_addr(uint64_t addr)
{
    return addr >> 55 & 1 ? addr : addr << 8 >> 8;
}
/* What the frame tells of the fault besides siginfo: address, and ESR_EL1 (0: no such record) behind the
 * floating-point record. */
#define ISA_HAS_SYNDROME 1
static inline uint64_t isa_fault_address(const ucontext_t *uc)
{
    return uc->uc_mcontext.fault_address;
}
static inline uint64_t isa_syndrome(const ucontext_t *uc)
{
    const char *p = (const char *)uc->uc_mcontext.__reserved;
    struct esr_context esr;
    memcpy(&esr, p + sizeof(struct fpsimd_context), sizeof esr);
    return esr.head.magic == ESR_MAGIC && esr.head.size == sizeof esr ? esr.esr : 0;
}

/* A sigreturn with a stack that is not there. */
#define ISA_BAD_SIGRETURN() __asm__ volatile("mov x8, 16\n mov sp, x8\n mov x8, 139\n svc 0")

/* A NaN result keeps an operand's payload; what a NaN is as an integer of which max is the largest. */
#define ISA_NAN_PAYLOADS 1
#define ISA_INT_OF_NAN(max) ((max)*0)
/* Whether a result is tiny is found out before rounding. */
#define ISA_TINY_BEFORE_ROUNDING 1

/* FPSR in the upper half, FPCR in the lower: rounding to zero with invalid and inexact; rounding down with
 * inexact. */
#define ISA_FCSR_SENT UINT64_C(0x1100c00000)
#define ISA_FCSR_BACK UINT64_C(0x1000800000)

static inline struct fpsimd_context *isa_fpsimd(const ucontext_t *uc)
{
    return (struct fpsimd_context *)(uintptr_t)uc->uc_mcontext.__reserved;
}
static inline uint64_t isa_fcsr_of(const ucontext_t *uc)
{
    return (uint64_t)isa_fpsimd(uc)->fpsr << 32 | isa_fpsimd(uc)->fpcr;
}
static inline double isa_fp_register(const ucontext_t *uc, unsigned i)
{
    double d;
    memcpy(&d, &isa_fpsimd(uc)->vregs[i], 8);
    return d;
}
/* tests/linux/crowd.c: n turns with all registers, from `file` and back there. In each the even ones from 2 on are multiplied with
 * register 0 and the odd ones from 3 on added to register 1, in the middle register 2 is stored, to `to` and what follows. */
static __attribute__((noinline, unused)) void isa_crowd(double *file, double *to, long n)
{
    __asm__ volatile(
        ".irp i, "
        "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        "ldr d\\i, [%0, 8*\\i]\n .endr\n"
        "1:\n .irp i, 2,4,6,8,10,12,14\n fmul d\\i, d\\i, d0\n .endr\n"
        ".irp i, 3,5,7,9,11,13,15\n fadd d\\i, d\\i, d1\n .endr\n"
        "str d2, [%1]\n"
        ".irp i, 16,18,20,22,24,26,28,30\n fmul d\\i, d\\i, d0\n .endr\n"
        ".irp i, 17,19,21,23,25,27,29,31\n fadd d\\i, d\\i, d1\n .endr\n"
        "add %1, %1, 8\n subs %2, %2, 1\n b.ne 1b\n"
        ".irp i, "
        "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        "str d\\i, [%0, 8*\\i]\n .endr\n"
        : "+r"(file), "+r"(to), "+r"(n)
        :
        : "memory", "cc", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d10", "d11",
          "d12", "d13", "d14", "d15", "d16", "d17", "d18", "d19", "d20", "d21", "d22", "d23", "d24",
          "d25", "d26", "d27", "d28", "d29", "d30", "d31");
}
static inline double isa_kept_fp(const ucontext_t *uc) /* d8 */
{
    double d;
    memcpy(&d, &isa_fpsimd(uc)->vregs[8], 8);
    return d;
}
static inline void isa_set_kept(ucontext_t *uc, double d, uint64_t x19)
{
    memcpy(&isa_fpsimd(uc)->vregs[8], &d, 8);
    isa_fpsimd(uc)->fpsr = ISA_FCSR_BACK >> 32;
    isa_fpsimd(uc)->fpcr = (uint32_t)ISA_FCSR_BACK;
    uc->uc_mcontext.regs[19] = x19;
}
static inline void isa_clobber_fp(void)
{
    __asm__ volatile("fmov d8, xzr\n msr fpcr, xzr\n msr fpsr, xzr" ::: "d8");
}
/* kill(pid, SIGUSR1) with `in` in a preserved floating-point register and 5 in a general one, and the control
 * registers ISA_FCSR_SENT; what they are afterwards. */
static inline void isa_kill_with_state(double in, int pid, double *out, uint64_t *kept,
                                       uint64_t *fcsr)
{
    uint64_t fpcr, fpsr;
    __asm__ volatile("fmov d8, %d4\n mov x19, 5\n mov x0, 0xc00000\n msr fpcr, x0\n"
                     "mov x0, 0x11\n msr fpsr, x0\n"
                     "mov w0, %w5\n mov x1, 10\n mov x8, 129\n svc 0\n"
                     "fmov %d0, d8\n mov %1, x19\n mrs %2, fpcr\n mrs %3, fpsr\n"
                     "msr fpcr, xzr\n msr fpsr, xzr\n"
                     : "=&w"(*out), "=&r"(*kept), "=&r"(fpcr), "=&r"(fpsr)
                     : "w"(in), "r"(pid)
                     : "x0", "x1", "x8", "x19", "d8", "memory");
    *fcsr = fpsr << 32 | fpcr;
}

/* ---- for unwind.c: marks in preserved registers, then a fault ---- */

#define ISA_UNWIND_SP 31
#define ISA_UNWIND_KEPT0 19
#define ISA_UNWIND_KEPT1 20
#define ISA_UNWIND_ASM                       \
    __asm__(".text\n"                        \
            ".globl faulting\n"              \
            ".type faulting, @function\n"    \
            "faulting:\n"                    \
            ".cfi_startproc\n"               \
            "sub sp, sp, 48\n"               \
            ".cfi_def_cfa_offset 48\n"       \
            "str x30, [sp, 40]\n"            \
            ".cfi_offset x30, -8\n"          \
            "str x19, [sp, 32]\n"            \
            ".cfi_offset x19, -16\n"         \
            "str x20, [sp, 24]\n"            \
            ".cfi_offset x20, -24\n"         \
            "str d10, [sp, 16]\n"            \
            ".cfi_offset 74, -32\n"          \
            "mov x19, 0x1234\n"              \
            "mov x20, 0x5678\n"              \
            "fmov d10, x19\n"                \
            "mov x1, sp\n"                   \
            "adrp x0, fault_sp\n"            \
            "str x1, [x0, :lo12:fault_sp]\n" \
            "mov x0, xzr\n"                  \
            ".globl fault_at\n"              \
            "fault_at: str wzr, [x0]\n"      \
            "ldr x30, [sp, 40]\n"            \
            "ldr x19, [sp, 32]\n"            \
            "ldr x20, [sp, 24]\n"            \
            "ldr d10, [sp, 16]\n"            \
            "add sp, sp, 48\n"               \
            ".cfi_def_cfa_offset 0\n"        \
            "ret\n"                          \
            ".cfi_endproc\n"                 \
            ".size faulting, . - faulting\n")

/* ---- for ptrace.c: the words of NT_PRSTATUS, a breakpoint, where it leaves the pc ---- */
#define ISA_GREGS 34
#define ISA_GREG_PC 32
#define ISA_GREG_SP 31
#define ISA_GREG_RESULT 0
#define ISA_BREAKPOINT 0xd4200000
#define ISA_BREAKPOINT_SIZE 4
#define ISA_BREAKPOINT_PC 0
#define ISA_STEPS 1

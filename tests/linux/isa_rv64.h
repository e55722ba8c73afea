/* tests/linux/isa.h for RV64. */
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#define ISA_MACHINE EM_RISCV
#define ISA_UNAME "riscv64"
static const char *const isa_cpuinfo[] __attribute__((unused)) = {"hart", "isa", "rv64imafdc"};

#define ISA_CODE_SIZE 8
/* int f(void) { return n; }: li a0, n; ret. n is below 2048. */
static __attribute__((noinline, unused)) void isa_put_code(void *at, unsigned n)
{
    uint32_t code[2] = {0x00000513 | n << 20, 0x00008067};
    memcpy(at, code, sizeof code);
}
#define ISA_NUMBER_AT 2 /* the two bytes of the code that depend on n */
#define ISA_INSN_ALIGN 2

/* A return to any address, as assembly. */
#define ISA_RETURN_TO "mv ra, %0\n ret"

#define ISA_PC(uc) ((uc)->uc_mcontext.__gregs[REG_PC])
static inline unsigned isa_insn_len(uint64_t pc)
{
    return (*(uint16_t *)(uintptr_t)pc & 3) == 3 ? 4 : 2;
}

/* ---- for faults.c: functions with an instruction whose address is known ---- */

#define ISA_KEPT(uc) ((uc)->uc_mcontext.__gregs[17]) /* what the functions below set to 0x1234 */
__asm__(".text\n"
        "do_load:\n li a7, 0x1234\n load_pc: ld a0, 0(a0)\n ret\n"
        "do_store:\n li a7, 0x1234\n store_pc: sd a1, 0(a0)\n ret\n"
        "do_amo:\n li a7, 0x1234\n amo_pc: amoadd.d a0, zero, (a0)\n ret\n"
        "do_ll:\n ll_pc: lr.d a0, (a0)\n ret\n"
        "do_ill:\n ill_pc: .4byte 0x0000007f\n ret\n"
        "do_brk:\n .option push\n .option norvc\n brk_pc: ebreak\n .option pop\n ret\n"
        "do_fp_load:\n fp_load_pc: fld ft0, 0(a0)\n ret\n");

/* The address that si_addr has for an access to addr that the processor refuses. */
static inline uint64_t isa_si_addr(uint64_t addr)
{
    return addr;
}
/* What the frame tells of the fault besides siginfo: nothing. */
#define ISA_HAS_SYNDROME 0
static inline uint64_t isa_fault_address(const ucontext_t *uc)
{
    (void)uc;
    return 0;
}
#define isa_syndrome isa_fault_address

/* A sigreturn with a stack that is not there. */
#define ISA_BAD_SIGRETURN() __asm__ volatile("li sp, 16\n li a7, 139\n ecall")

/* Every NaN result is the canonical one; what a NaN is as an integer of which max is the largest. */
#define ISA_NAN_PAYLOADS 0
#define ISA_INT_OF_NAN(max) (max)
/* Whether a result is tiny is found out after rounding. */
#define ISA_TINY_BEFORE_ROUNDING 0

/* Floating-point control: dynamic rounding down and the inexact flag, and what else there is. */
#define ISA_FCSR_SENT 0x65
#define ISA_FCSR_BACK 0x41
static inline uint64_t isa_fcsr_of(const ucontext_t *uc)
{
    return uc->uc_mcontext.__fpregs.__d.__fcsr;
}
static inline double isa_fp_register(const ucontext_t *uc, unsigned i)
{
    double d;
    memcpy(&d, &uc->uc_mcontext.__fpregs.__d.__f[i], 8);
    return d;
}
/* tests/linux/crowd.c: n turns with all registers, from `file` and back there. In each the even ones from 2 on are multiplied with
 * register 0 and the odd ones from 3 on added to register 1, in the middle register 2 is stored, to `to` and what follows. */
static __attribute__((noinline, unused)) void isa_crowd(double *file, double *to, long n)
{
    __asm__ volatile(
        ".irp i, "
        "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        "fld f\\i, 8*\\i(%0)\n .endr\n"
        "1:\n .irp i, 2,4,6,8,10,12,14\n fmul.d f\\i, f\\i, f0\n .endr\n"
        ".irp i, 3,5,7,9,11,13,15\n fadd.d f\\i, f\\i, f1\n .endr\n"
        "fsd f2, 0(%1)\n"
        ".irp i, 16,18,20,22,24,26,28,30\n fmul.d f\\i, f\\i, f0\n .endr\n"
        ".irp i, 17,19,21,23,25,27,29,31\n fadd.d f\\i, f\\i, f1\n .endr\n"
        "addi %1, %1, 8\n addi %2, %2, -1\n bnez %2, 1b\n"
        ".irp i, "
        "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        "fsd f\\i, 8*\\i(%0)\n .endr\n"
        : "+r"(file), "+r"(to), "+r"(n)
        :
        : "memory", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12",
          "f13", "f14", "f15", "f16", "f17", "f18", "f19", "f20", "f21", "f22", "f23", "f24", "f25",
          "f26", "f27", "f28", "f29", "f30", "f31");
}
static inline double isa_kept_fp(const ucontext_t *uc) /* fs0 */
{
    double d;
    memcpy(&d, &uc->uc_mcontext.__fpregs.__d.__f[8], 8);
    return d;
}
static inline void isa_set_kept(ucontext_t *uc, double d, uint64_t s2)
{
    memcpy(&uc->uc_mcontext.__fpregs.__d.__f[8], &d, 8);
    uc->uc_mcontext.__fpregs.__d.__fcsr = ISA_FCSR_BACK;
    uc->uc_mcontext.__gregs[18] = s2;
}
static inline void isa_clobber_fp(void)
{
    __asm__ volatile("fmv.d.x fs0, zero\n fscsr zero" ::: "fs0");
}
/* kill(pid, SIGUSR1) with `in` in a preserved floating-point register and 5 in a general one, and the control
 * register ISA_FCSR_SENT; what they are afterwards. */
static inline void isa_kill_with_state(double in, int pid, double *out, uint64_t *kept,
                                       uint64_t *fcsr)
{
    __asm__ volatile("fmv.d fs0, %3\n li s2, 5\n li t0, 0x65\n fscsr t0\n"
                     "mv a0, %4\n li a1, 10\n li a7, 129\n ecall\n"
                     "fmv.d %0, fs0\n mv %1, s2\n frcsr %2\n fscsr zero\n"
                     : "=&f"(*out), "=&r"(*kept), "=&r"(*fcsr)
                     : "f"(in), "r"(pid)
                     : "a0", "a1", "a7", "t0", "s2", "fs0", "memory");
}

/* ---- for unwind.c: marks in preserved registers, then a fault ---- */

#define ISA_UNWIND_SP 2
#define ISA_UNWIND_KEPT0 18
#define ISA_UNWIND_KEPT1 19
#define ISA_UNWIND_ASM                    \
    __asm__(".text\n"                     \
            ".globl faulting\n"           \
            ".type faulting, @function\n" \
            "faulting:\n"                 \
            ".cfi_startproc\n"            \
            "addi sp, sp, -48\n"          \
            ".cfi_def_cfa_offset 48\n"    \
            "sd ra, 40(sp)\n"             \
            ".cfi_offset ra, -8\n"        \
            "sd s2, 32(sp)\n"             \
            ".cfi_offset s2, -16\n"       \
            "sd s3, 24(sp)\n"             \
            ".cfi_offset s3, -24\n"       \
            "fsd fs2, 16(sp)\n"           \
            ".cfi_offset fs2, -32\n"      \
            "li s2, 0x1234\n"             \
            "li s3, 0x5678\n"             \
            "fmv.d.x fs2, s2\n"           \
            "lla t0, fault_sp\n"          \
            "sd sp, 0(t0)\n"              \
            ".globl fault_at\n"           \
            "fault_at: .option push\n"    \
            ".option norvc\n"             \
            "sw zero, 0(zero)\n"          \
            ".option pop\n"               \
            "ld ra, 40(sp)\n"             \
            "ld s2, 32(sp)\n"             \
            "ld s3, 24(sp)\n"             \
            "fld fs2, 16(sp)\n"           \
            "addi sp, sp, 48\n"           \
            ".cfi_def_cfa_offset 0\n"     \
            "ret\n"                       \
            ".cfi_endproc\n"              \
            ".size faulting, . - faulting\n")

/* ---- for ptrace.c: the words of NT_PRSTATUS, a breakpoint, where it leaves the pc ---- */
#define ISA_GREGS 32
#define ISA_GREG_PC 0
#define ISA_GREG_SP 2
#define ISA_GREG_RESULT 10
#define ISA_BREAKPOINT 0x00100073
#define ISA_BREAKPOINT_SIZE 4
#define ISA_BREAKPOINT_PC 0
#define ISA_STEPS 0

/* The guest's vdso: the functions that Linux's riscv vdso exports, each by its system call.
 *
 * tools/vdso.sh makes guest/rv64/vdso_image.c of this file and vdso.lds; the result is in the tree, so a
 * build needs no cross compiler.
 *
 * Facts: asm-generic system call numbers; the rt_sigframe of the kernel's arch/riscv/kernel/signal.c
 * (siginfo 128 bytes, ucontext with its sigcontext at 176); DWARF register numbers of the psABI
 * (x0-x31: 0-31, f0-f31: 32-63, 64: alternate frame return column, for signal frames).
 */
    .text

    .macro CALL name, nr
    .globl __vdso_\name
    .type __vdso_\name, @function
    .p2align 4
__vdso_\name:
    .cfi_startproc
    li a7, \nr
    ecall
    ret
    .cfi_endproc
    .size __vdso_\name, . - __vdso_\name
    .endm

/* What unwinders find the interrupted frame by. All offsets are from the sp in rt_sigreturn. */
    .set SC, 128 + 176 /* pc, then x1 to x31 */
    .set FP, SC + 32 * 8


/* reg is saved at sp + off: DW_CFA_expression, DW_OP_breg2 (sp) with an offset from 64 to 8191, which
 * takes two bytes as SLEB128. */
    .macro SAVED reg, off
    .cfi_escape 0x10, \reg, 3, 0x72, ((\off) & 0x7f) | 0x80, (\off) >> 7
    .endm

    .globl __vdso_rt_sigreturn
    .type __vdso_rt_sigreturn, @function
    .p2align 4
    .cfi_startproc
    .cfi_signal_frame
    .cfi_return_column 64
    /* The CFA is the interrupted frame's sp: DW_CFA_def_cfa_expression, breg2 SC+16, deref. */
    .cfi_escape 0x0f, 4, 0x72, ((SC + 16) & 0x7f) | 0x80, (SC + 16) >> 7, 0x06
    SAVED 64, SC
    .set i, 1
    .rept 31
    SAVED i, SC + 8 * i
    .set i, i + 1
    .endr
    .set i, 0
    .rept 32
    SAVED 32 + i, FP + 8 * i
    .set i, i + 1
    .endr
    /* Unwinders look up the address before the one to return to. */
    .option push
    .option norvc
    nop
    .option pop
__vdso_rt_sigreturn:
    li a7, 139
    ecall
    .cfi_endproc
    .size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn

    CALL clock_gettime, 113
    CALL clock_getres, 114
    CALL getcpu, 168
    CALL gettimeofday, 169
    CALL riscv_hwprobe, 258
    CALL flush_icache, 259

    .section .note.GNU-stack, "", @progbits

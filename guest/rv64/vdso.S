/* The guest's vdso: the functions that Linux's riscv vdso exports. Clocks that the host's own vdso has are read without a
 * system call, from custom CSRs (RV64_CSR_CLOCK); they count nanoseconds. The rest makes its system call.
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

    .macro FUNCTION name
    .globl __vdso_\name
    .type __vdso_\name, @function
    .p2align 4
__vdso_\name:
    .cfi_startproc
    .endm
    .macro END name
    .cfi_endproc
    .size __vdso_\name, . - __vdso_\name
    .endm

/* a2 nanoseconds to seconds in a2 and the rest in a3, with a4: by 2^9 and the reciprocal of 5^9. */
    .macro SPLIT
    li a3, 0x44b82fa09b5a53
    srli a4, a2, 9
    mulhu a4, a4, a3
    srli a4, a4, 11
    li a3, 1000000000
    mul a3, a3, a4
    sub a3, a2, a3
    mv a2, a4
    .endm

    FUNCTION clock_gettime
    sext.w a5, a0
    li a4, 1
    beq a5, a4, 1f
    bnez a5, 2f
    csrr a2, 0xcc0 /* CLOCK_REALTIME */
0:  SPLIT
    sd a2, 0(a1)
    sd a3, 8(a1)
    li a0, 0
    ret
1:  csrr a2, 0xcc1 /* CLOCK_MONOTONIC */
    j 0b
2:  li a4, 4
    bne a5, a4, 3f
    csrr a2, 0xcc2 /* CLOCK_MONOTONIC_RAW */
    j 0b
3:  li a4, 5
    bne a5, a4, 4f
    csrr a2, 0xcc3 /* CLOCK_REALTIME_COARSE */
    j 0b
4:  li a4, 6
    bne a5, a4, 5f
    csrr a2, 0xcc4 /* CLOCK_MONOTONIC_COARSE */
    j 0b
5:  li a4, 7
    bne a5, a4, 6f
    csrr a2, 0xcc5 /* CLOCK_BOOTTIME */
    j 0b
6:  li a4, 11
    bne a5, a4, 7f
    csrr a2, 0xcc6 /* CLOCK_TAI */
    j 0b
7:  li a7, 113
    ecall
    ret
    END clock_gettime

    FUNCTION gettimeofday
    bnez a1, 1f /* the time zone is the kernel's */
    beqz a0, 1f
    csrr a2, 0xcc0
    SPLIT
    li a4, 1000
    divuw a3, a3, a4
    sd a2, 0(a0)
    sd a3, 8(a0)
    li a0, 0
    ret
1:  li a7, 169
    ecall
    ret
    END gettimeofday

    CALL clock_getres, 114
    CALL getcpu, 168
    CALL riscv_hwprobe, 258
    CALL flush_icache, 259

    .section .note.GNU-stack, "", @progbits

/* The guest's vdso: the functions that Linux's arm64 vdso exports. Clocks that the host's own vdso has are read without a
 * system call, from registers that the architecture leaves to the implementation (mrs_clock in a64.decode); they
 * count nanoseconds.
 *
 * tools/vdso.sh makes guest/a64/vdso_image.c of this file and vdso.lds; the result is in the tree, so a
 * build needs no cross compiler.
 *
 * Facts: asm-generic system call numbers. An unwinder knows the frame by the two instructions of
 * __kernel_rt_sigreturn; Linux has no unwind rules for it either ("arm64: vdso: Disable dwarf unwinding through the
 * sigreturn trampoline").
 */
    .text

    .macro CALL name, nr
    .globl __kernel_\name
    .type __kernel_\name, @function
    .p2align 4
__kernel_\name:
    .cfi_startproc
    mov x8, #\nr
    svc #0
    ret
    .cfi_endproc
    .size __kernel_\name, . - __kernel_\name
    .endm

    .globl __kernel_rt_sigreturn
    .type __kernel_rt_sigreturn, @function
    .p2align 4
    nop
__kernel_rt_sigreturn:
    mov x8, #139
    svc #0
    .size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn

    .macro FUNCTION name
    .globl __kernel_\name
    .type __kernel_\name, @function
    .p2align 4
__kernel_\name:
    .cfi_startproc
    .endm
    .macro END name
    .cfi_endproc
    .size __kernel_\name, . - __kernel_\name
    .endm

/* x2 nanoseconds to seconds in x2 and the rest in x3, with x4: by 2^9 and the reciprocal of 5^9. */
    .macro SPLIT
    mov x3, #0x5a53
    movk x3, #0xa09b, lsl #16
    movk x3, #0xb82f, lsl #32
    movk x3, #0x44, lsl #48
    lsr x4, x2, #9
    umulh x4, x4, x3
    lsr x4, x4, #11
    mov w3, #0xca00
    movk w3, #0x3b9a, lsl #16
    msub x3, x4, x3, x2
    mov x2, x4
    .endm

    FUNCTION clock_gettime
    cmp w0, #1
    b.eq 1f
    b.hi 2f
    mrs x2, s3_3_c15_c0_0 /* CLOCK_REALTIME */
0:  SPLIT
    stp x2, x3, [x1]
    mov w0, #0
    ret
1:  mrs x2, s3_3_c15_c0_1 /* CLOCK_MONOTONIC */
    b 0b
2:  cmp w0, #4
    b.ne 3f
    mrs x2, s3_3_c15_c0_2 /* CLOCK_MONOTONIC_RAW */
    b 0b
3:  cmp w0, #5
    b.ne 4f
    mrs x2, s3_3_c15_c0_3 /* CLOCK_REALTIME_COARSE */
    b 0b
4:  cmp w0, #6
    b.ne 5f
    mrs x2, s3_3_c15_c0_4 /* CLOCK_MONOTONIC_COARSE */
    b 0b
5:  cmp w0, #7
    b.ne 6f
    mrs x2, s3_3_c15_c0_5 /* CLOCK_BOOTTIME */
    b 0b
6:  cmp w0, #11
    b.ne 7f
    mrs x2, s3_3_c15_c0_6 /* CLOCK_TAI */
    b 0b
7:  mov x8, #113
    svc #0
    ret
    END clock_gettime

    FUNCTION gettimeofday
    cbnz x1, 1f /* the time zone is the kernel's */
    cbz x0, 1f
    mrs x2, s3_3_c15_c0_0
    SPLIT
    mov w4, #1000
    udiv w3, w3, w4
    stp x2, x3, [x0]
    mov w0, #0
    ret
1:  mov x8, #169
    svc #0
    ret
    END gettimeofday

    CALL clock_getres, 114

    .section .note.GNU-stack, "", @progbits

/* The guest's vdso: the functions that Linux's arm64 vdso exports, each by its system call.
 *
 * tools/vdso.sh makes guest/a64/vdso_image.c of this file and vdso.lds; the result is in the tree, so a
 * build needs no cross compiler.
 *
 * Facts: asm-generic system call numbers. An unwinder knows the frame by the two instructions of
 * __kernel_rt_sigreturn and by the frame record that x29 points at; there are no unwind rules yet.
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

    CALL clock_gettime, 113
    CALL clock_getres, 114
    CALL gettimeofday, 169

    .section .note.GNU-stack, "", @progbits

// Guest code whose translations tests/bt/snapshot.tap shows. Each global function is one row; "_1" or "_2" at the end
// of its name is the level. A backward branch is taken nine times in ten, a forward one once.
	.arch armv8.2-a+crypto+lse
	.text
	.macro fn name
	.balign 4
	.globl \name
	.type \name, %function
\name:
	.endm

fn straight_1
	add x0, x0, #8
	ldr x1, [x0]
	add x2, x1, x0, lsl #3
	str x2, [x0, #8]
	mov w3, #0x5678
	movk w3, #0x1234, lsl #16
	ret

fn branch_1
	cmp x0, x1
	b.lo 1f
	add x2, x2, #1
	ret
1:	sub x2, x2, #1
	ret

fn call_1
	stp x29, x30, [sp, #-16]!
	mov x29, sp
	bl branch_1
	ldp x29, x30, [sp], #16
	ret

fn select_1
	cmp w0, #3
	csel w1, w2, w3, eq
	cset w4, lt
	ccmp w1, w2, #4, ne
	b.gt 1f
	ret
1:	neg w0, w0
	ret

fn float_1
	ldp d0, d1, [x0]
	fadd d0, d0, d1
	str d0, [x0]
	ret

fn vector_1
	ldp q0, q1, [x0]
	add v0.4s, v0.4s, v1.4s
	str q0, [x0]
	ret

fn sum_2
1:	ldr x2, [x0], #8
	add x1, x1, x2
	cmp x0, x3
	b.ne 1b
	ret

fn sum32_2
1:	ldr w2, [x0], #4
	add w1, w1, w2
	cmp x0, x3
	b.ne 1b
	ret

fn strlen_2
1:	ldrb w2, [x0], #1
	cbnz w2, 1b
	sub x0, x0, x1
	ret

fn copy_2
1:	ldp x2, x3, [x1], #16
	stp x2, x3, [x0], #16
	cmp x1, x4
	b.lo 1b
	ret

fn carry_2
1:	ldr x2, [x0, x4, lsl #3]
	ldr x3, [x1, x4, lsl #3]
	adcs x2, x2, x3
	str x2, [x0, x4, lsl #3]
	add x4, x4, #1
	sub x5, x4, x6
	cbnz x5, 1b
	ret

fn carries_2
1:	ldp x2, x3, [x0]
	ldp x4, x5, [x1], #16
	adds x2, x2, x4
	adcs x3, x3, x5
	adc x7, x7, xzr
	stp x2, x3, [x0], #16
	sub x6, x6, #1
	cbnz x6, 1b
	ret

fn rotate_2
1:	eor w0, w1, w0, ror #25
	extr x2, x2, x3, #7
	ubfx x3, x2, #3, #9
	bfi x4, x3, #16, #8
	subs x1, x1, #1
	b.ne 1b
	ret

fn select_2
1:	ldr x2, [x0], #8
	cmp x2, x1
	csel x1, x2, x1, gt
	cinc x4, x4, lo
	cmp x0, x3
	ccmp x4, x5, #0, ne
	b.ne 1b
	ret

fn muldiv_2
1:	mul x2, x0, x1
	umulh x3, x0, x1
	udiv x0, x2, x4
	msub x5, x0, x4, x2
	madd x1, x3, x5, x1
	subs x6, x6, #1
	b.ne 1b
	ret

fn amo_2
1:	ldadd x1, x2, [x0]
	staddl x1, [x3]
	ldaddal w1, w5, [x0]
	subs x4, x4, #1
	b.ne 1b
	ret

fn exclusive_2
1:	ldaxr x2, [x0]
	add x3, x2, x1
	stlxr w4, x3, [x0]
	cbnz w4, 1b
	ret

fn axpy_2
1:	ldr d1, [x0], #8
	ldr d2, [x1]
	fmadd d2, d1, d0, d2
	str d2, [x1], #8
	cmp x0, x2
	b.ne 1b
	ret

fn dot_2
1:	ldr d1, [x0], #8
	ldr d2, [x1], #8
	fmul d1, d1, d2
	fadd d0, d0, d1
	cmp x0, x2
	b.ne 1b
	ret

fn fmax_2
1:	ldr d1, [x0], #8
	fcmpe d1, d0
	fcsel d0, d1, d0, gt
	cmp x0, x2
	b.ne 1b
	ret

fn convert_2
1:	ldr d1, [x0], #8
	fcvtzs w3, d1
	str w3, [x1], #4
	cmp x0, x2
	b.ne 1b
	ret

fn axpy_vector_2
1:	ldr q1, [x0], #16
	ldr q2, [x1]
	fmla v2.2d, v1.2d, v0.d[0]
	str q2, [x1], #16
	cmp x0, x2
	b.ne 1b
	ret

fn bytes_vector_2
1:	ldp q0, q1, [x0], #32
	cmeq v2.16b, v0.16b, v3.16b
	cmeq v4.16b, v1.16b, v3.16b
	orr v2.16b, v2.16b, v4.16b
	umaxp v2.16b, v2.16b, v2.16b
	fmov x3, d2
	cbz x3, 1b
	ret

fn aes_2
1:	ldr q0, [x0]
	aese v0.16b, v1.16b
	aesmc v0.16b, v0.16b
	aese v0.16b, v2.16b
	eor v0.16b, v0.16b, v3.16b
	str q0, [x0], #16
	cmp x0, x2
	b.ne 1b
	ret

fn leafcall_2
1:	add x3, x3, #1
	bl branch_1
	cmp x3, x4
	b.ne 1b
	br x5

fn dispatch_2
1:	ldrb w2, [x0], #1
	ldr x2, [x1, x2, lsl #3]
	br x2

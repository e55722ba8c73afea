# Guest code whose translations tests/bt/snapshot.tap shows. Each global function is one row; "_1" or "_2" at the end
# of its name is the level. A backward branch is taken nine times in ten, a forward one once.
	.option norelax
	.option arch, +zba, +zbb
	.text
	.macro fn name
	.balign 4
	.globl \name
	.type \name, @function
\name:
	.endm

fn straight_1
	addi a0, a0, 8
	ld a1, 0(a0)
	add a2, a1, a0
	sd a2, 8(a0)
	lui a3, 0x12345
	addiw a3, a3, 0x678
	ret

fn branch_1
	bltu a0, a1, 1f
	addi a2, a2, 1
	ret
1:	addi a2, a2, -1
	ret

fn call_1
	addi sp, sp, -16
	sd ra, 8(sp)
	jal ra, branch_1
	ld ra, 8(sp)
	addi sp, sp, 16
	ret

fn indirect_1
	ld a5, 0(a0)
	ld a5, 24(a5)
	jr a5

fn float_1
	fld fa0, 0(a0)
	fld fa1, 8(a0)
	fadd.d fa0, fa0, fa1
	fsd fa0, 0(a0)
	ret

fn sum_2
1:	ld a2, 0(a0)
	add a1, a1, a2
	addi a0, a0, 8
	bne a0, a3, 1b
	ret

fn sum32_2
1:	lw a2, 0(a0)
	addw a1, a1, a2
	addi a0, a0, 4
	bne a0, a3, 1b
	ret

fn strlen_2
1:	lbu a2, 0(a0)
	addi a0, a0, 1
	bnez a2, 1b
	sub a0, a0, a1
	ret

fn copy_2
1:	ld a2, 0(a1)
	ld a3, 8(a1)
	sd a2, 0(a0)
	sd a3, 8(a0)
	addi a0, a0, 16
	addi a1, a1, 16
	bltu a1, a4, 1b
	ret

fn diamond_2
1:	lw a2, 0(a0)
	addi a0, a0, 4
	bltz a2, 2f
	addi a1, a1, 1
	j 3f
2:	addi a1, a1, -1
3:	bne a0, a3, 1b
	ret

fn rotate_2
1:	slliw a2, a0, 7
	srliw a3, a0, 25
	or a0, a2, a3
	xor a0, a0, a1
	addi a1, a1, -1
	bnez a1, 1b
	ret

fn index_2
1:	sh3add a4, a2, a1
	ld a5, 0(a4)
	sh2add.uw a4, a5, a3
	sw a2, 0(a4)
	addi a2, a2, 1
	bne a2, a6, 1b
	ret

fn select_2
1:	ld a2, 0(a0)
	addi a0, a0, 8
	max a1, a1, a2
	sltu a4, a2, a5
	add a6, a6, a4
	bne a0, a3, 1b
	ret

fn muldiv_2
1:	mul a2, a0, a1
	mulhu a3, a0, a1
	divu a0, a2, a4
	remu a5, a2, a4
	add a1, a3, a5
	addi a6, a6, -1
	bnez a6, 1b
	ret

fn amo_2
1:	amoadd.d a2, a1, (a0)
	amoadd.d zero, a1, (a3)
	addi a4, a4, -1
	bnez a4, 1b
	ret

fn lrsc_2
1:	lr.d a2, (a0)
	add a3, a2, a1
	sc.d a4, a3, (a0)
	bnez a4, 1b
	ret

fn axpy_2
1:	fld fa1, 0(a0)
	fld fa2, 0(a1)
	fmadd.d fa2, fa1, fa0, fa2
	fsd fa2, 0(a1)
	addi a0, a0, 8
	addi a1, a1, 8
	bne a0, a2, 1b
	ret

fn dot_2
1:	fld fa1, 0(a0)
	fld fa2, 0(a1)
	fmul.d fa1, fa1, fa2
	fadd.d fa0, fa0, fa1
	addi a0, a0, 8
	addi a1, a1, 8
	bne a0, a2, 1b
	ret

fn fmax_2
1:	fld fa1, 0(a0)
	fle.d a3, fa1, fa0
	addi a0, a0, 8
	bnez a3, 2f
	fmv.d fa0, fa1
2:	bne a0, a2, 1b
	ret

fn convert_2
1:	fld fa1, 0(a0)
	fcvt.w.d a3, fa1, rtz
	sw a3, 0(a1)
	addi a0, a0, 8
	addi a1, a1, 4
	bne a0, a2, 1b
	ret

fn leafcall_2
1:	addi a2, a2, 1
	jal ra, branch_1
	bne a2, a3, 1b
	jr t0

fn dispatch_2
1:	lbu a2, 0(a0)
	addi a0, a0, 1
	sh3add a2, a2, a1
	ld a2, 0(a2)
	jr a2

fn table_2
1:	srli a3, a0, 6
	andi a3, a3, 0x3fc
	add a3, a3, a1
	lwu a3, 0(a3)
	srli a4, a0, 14
	andi a4, a4, 0x3fc
	add a4, a4, a1
	lwu a4, 0(a4)
	xor a0, a3, a4
	addi a2, a2, -1
	bnez a2, 1b
	ret

fn compare_2
	bltu a0, a1, 1f
	ret
1:	flt.d a3, fa0, fa1
	addi a4, a0, 1
	sub a5, a1, a0
	bnez a3, 2f
	ret
2:	addi a4, a4, 1
	ret

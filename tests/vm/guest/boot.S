/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A boot sector that says on the first serial port that it runs, reads sector 1000 of the disk that
 * it was booted from and says what text is there, writes a sector with a text of its own to sector
 * 2000, and ends QEMU by its isa-debug-exit device: status 1 when all went well, 3 otherwise.
 */
	.code16
	.globl	_start
_start:
	ljmp	$0, $1f
1:	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	movw	$hello, %si
	call	print

	movb	$0x42, %ah              /* extended read; %dl is the drive from the start */
	movw	$read, %si
	int	$0x13
	jc	failed
	movw	$buffer, %si
	call	print

	movw	$mark, %si
	movw	$buffer, %di
	movw	$mark_end - mark, %cx
	rep	movsb
	movw	$0x4300, %ax            /* extended write, no verification */
	movw	$write, %si
	int	$0x13
	jc	failed
	movw	$done, %si
	call	print
	xorb	%al, %al
	outb	%al, $0xf4

failed:
	movw	$trouble, %si
	call	print
	movb	$1, %al
	outb	%al, $0xf4
	hlt

/* Writes the text at %si, up to its NUL. */
print:
	movw	$0x3fd, %dx
2:	inb	%dx, %al
	testb	$0x20, %al
	jz	2b
	lodsb
	testb	%al, %al
	jz	3f
	movw	$0x3f8, %dx
	outb	%al, %dx
	jmp	print
3:	movb	$0x80, %dl              /* print spoilt it; there is no other disk */
	ret

	.set	buffer, 0x8000
read:	.byte	16, 0
	.word	1, buffer, 0
	.quad	1000
write:	.byte	16, 0
	.word	1, buffer, 0
	.quad	2000
hello:	.asciz	"boot sector: running\r\n"
done:	.asciz	"boot sector: done\r\n"
trouble: .asciz	"boot sector: the BIOS reports an error\r\n"
mark:	.asciz	"written by the boot sector"
mark_end:
	.org	510
	.word	0xaa55

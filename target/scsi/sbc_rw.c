/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * READ and WRITE. Where the store is memory its own memory is what leaves and what is received
 * into, and the command ends in place; else there is a buffer in between.
 */
#include <errno.h>

#include "scsi/guard.h"
#include "scsi/op.h"
#include "scsi/sbc.h"

/* What is common to all of them: no protection information, a range that is there, no more than
 * one buffer can hold. True: there is something to do. */
static inline bool transfers(struct scsi_task *t, uint64_t lba, uint32_t blocks, uint8_t flags)
{
	const struct lu *lu = t->itl->lu;

	if (__builtin_expect(flags & RDPROTECT_BITS, 0)) {
		task_bad_cdb(t, cdb_flags_at(t->cdb[0]), 7);
		return false;
	}
	if (__builtin_expect(!sbc_in_range(lu, lba, blocks), 0)) {
		task_lba_out_of_range(t);
		return false;
	}
	if (__builtin_expect(blocks > lu->max_blocks, 0)) {
		task_bad_cdb(t, cdb_blocks_at(t->cdb[0]), -1);
		return false;
	}
	return blocks;
}

/* --- READ ---------------------------------------------------------------------------- */

static enum scsi_next read_over(struct scsi_task *t, int err)
{
	guard_drop(t);
	return err ? task_store_error(t, err) : SCSI_DONE;
}

static enum scsi_next read_into_buf(struct scsi_task *t, unsigned flags, task_then *then)
{
	t->iov[0] = (struct iovec){ t->buf, t->buf_len };
	t->in.cnt = 1;
	t->io.op = STORE_READ;
	t->io.flags = flags;
	t->io.off = t->off;
	t->io.len = t->buf_len;
	t->io.iov = t->iov;
	t->io.iovcnt = 1;
	return task_submitted(t, task_submit(t, then), then);
}

/* Nobody writes here until it is over. */
static enum scsi_next read_alone(struct scsi_task *t, int err)
{
	(void)err;
	return read_into_buf(t, 0, read_over);
}

/* Blocks that are written without pause are read with the writers kept out. */
static enum scsi_next read_tried(struct scsi_task *t, int err)
{
	if (err != -ESTALE)
		return read_over(t, err);
	guard_drop(t);
	if (!guard_alone(t, t->off, t->buf_len, read_alone))
		return SCSI_PENDING;
	return read_alone(t, 0);
}

static enum scsi_next read_now(struct scsi_task *t, int err)
{
	(void)err;
	return read_into_buf(t, STORE_WHOLE, read_tried);
}

/* Reads no more than the initiator takes. */
static enum scsi_next read_buffered(struct scsi_task *t, uint64_t off)
{
	uint32_t mask = t->itl->lu->block_size - 1;
	uint32_t want = t->in.len < t->expect ? t->in.len : t->expect;
	uint32_t len = (want + mask) & ~mask;

	if (!len)
		return SCSI_DONE;
	if (!task_buf(t, len)) {
		t->in.len = 0;
		return SCSI_DONE;
	}
	t->off = off;
	if (!guard_read(t, off, len, read_now))
		return SCSI_PENDING;
	return read_now(t, 0);
}

static inline enum scsi_next read_blocks(
	struct scsi_task *t, uint64_t lba, uint32_t blocks, uint8_t flags)
{
	const struct lu *lu = t->itl->lu;
	uint64_t off = sbc_bytes(lu, lba);

	if (!transfers(t, lba, blocks, flags))
		return SCSI_DONE;
	t->in.iov = t->iov;
	t->in.len = (uint32_t)sbc_bytes(lu, blocks);
	if (__builtin_expect(!guard_up(t->itl), 1))
		t->in.cnt = store_map(lu->store, off, t->in.len, t->iov, SCSI_TASK_IOV);
	if (__builtin_expect(!t->in.cnt, 0))
		return read_buffered(t, off);
	store_soon(lu->store, off, t->in.len);
	t->in_live = true;
	return SCSI_DONE;
}

/* READ(6) (SBC-3 5.7): 0 stands for 256 blocks. */
static enum scsi_next read6(struct scsi_task *t)
{
	return read_blocks(t, be24(t->cdb + 1) & 0x1fffff, t->cdb[4] ? t->cdb[4] : 256, 0);
}

/* READ(10) (SBC-4 5.19). */
static enum scsi_next read10(struct scsi_task *t)
{
	return read_blocks(t, be32(t->cdb + 2), be16(t->cdb + 7), t->cdb[1]);
}

/* READ(12) (SBC-4 5.20). */
static enum scsi_next read12(struct scsi_task *t)
{
	return read_blocks(t, be32(t->cdb + 2), be32(t->cdb + 6), t->cdb[1]);
}

/* READ(16) (SBC-4 5.21). */
static enum scsi_next read16(struct scsi_task *t)
{
	return read_blocks(t, be64(t->cdb + 2), be32(t->cdb + 10), t->cdb[1]);
}

/* The length of a variable length CDB: as it says itself, and as it came. */
static bool is_32_long(struct scsi_task *t)
{
	if (t->cdb[7] == 32 - 8 && t->cdb_len >= 32)
		return true;
	task_bad_cdb(t, 7, -1);
	return false;
}

/* READ(32) (SBC-4 5.22). What it expects of protection information concerns nobody: there is
 * none. */
static enum scsi_next read32(struct scsi_task *t)
{
	if (!is_32_long(t))
		return SCSI_DONE;
	return read_blocks(t, cdb_lba(t->cdb), cdb_blocks(t->cdb), t->cdb[10]);
}

/* --- WRITE --------------------------------------------------------------------------- */

bool sbc_ends_short(struct scsi_task *t)
{
	if (t->expect >= t->out.len && t->dir & SCSI_DIR_OUT)
		return false;
	if (!t->expect) /* all of it is residual: nothing is transferred */
		return true;
	if (t->dir & SCSI_DIR_OUT && !(t->expect & (t->itl->lu->block_size - 1)))
		return false;
	/* A part of a block cannot be written. */
	task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	return true;
}

static enum scsi_next write_buffered(struct scsi_task *t)
{
	uint32_t len = t->expect < t->out.len ? t->expect : t->out.len;

	if (!task_buf(t, len))
		return SCSI_DONE;
	t->iov[0] = (struct iovec){ t->buf, len };
	t->out.cnt = 1;
	return SCSI_WANT_DATA;
}

static enum scsi_next write_now(struct scsi_task *t, int err)
{
	t->iov[0] = (struct iovec){ t->buf, t->left };
	err = task_transfer(t, STORE_WRITE, t->off, (uint32_t)t->left, sbc_written);
	return task_submitted(t, err, sbc_written);
}

/* All data are here: in the medium itself, or in the buffer. */
static enum scsi_next write_data(struct scsi_task *t)
{
	if (t->out_unit)
		return t->fua ? sbc_flush(t) : SCSI_DONE;
	t->left = t->got & ~(t->itl->lu->block_size - 1);
	if (!t->left)
		return SCSI_DONE;
	if (!guard_write(t, t->off, t->left, write_now))
		return SCSI_PENDING;
	return write_now(t, 0);
}

static inline enum scsi_next write_blocks(
	struct scsi_task *t, uint64_t lba, uint32_t blocks, uint8_t flags)
{
	const struct lu *lu = t->itl->lu;

	if (!transfers(t, lba, blocks, flags))
		return SCSI_DONE;
	t->fua = flags & FUA_BIT || sbc_write_through(lu);
	t->off = sbc_bytes(lu, lba);
	t->out.iov = t->iov;
	t->out.len = (uint32_t)sbc_bytes(lu, blocks);
	if (__builtin_expect(sbc_ends_short(t), 0))
		return SCSI_DONE;
	t->out.cnt =
		t->queued ? 0 : store_map(lu->store, t->off, t->out.len, t->iov, SCSI_TASK_IOV);
	if (__builtin_expect(!t->out.cnt || !guard_free(t), 0))
		return write_buffered(t);
	t->out_unit = lu->block_size;
	return SCSI_WANT_DATA;
}

/* WRITE(6) (SBC-3 5.32). */
static enum scsi_next write6(struct scsi_task *t)
{
	return write_blocks(t, be24(t->cdb + 1) & 0x1fffff, t->cdb[4] ? t->cdb[4] : 256, 0);
}

/* WRITE(10) (SBC-4 5.40). */
static enum scsi_next write10(struct scsi_task *t)
{
	return write_blocks(t, be32(t->cdb + 2), be16(t->cdb + 7), t->cdb[1]);
}

/* WRITE(12) (SBC-4 5.41). */
static enum scsi_next write12(struct scsi_task *t)
{
	return write_blocks(t, be32(t->cdb + 2), be32(t->cdb + 6), t->cdb[1]);
}

/* WRITE(16) (SBC-4 5.42). */
static enum scsi_next write16(struct scsi_task *t)
{
	return write_blocks(t, be64(t->cdb + 2), be32(t->cdb + 10), t->cdb[1]);
}

/* WRITE(32) (SBC-4 5.43). */
static enum scsi_next write32(struct scsi_task *t)
{
	if (!is_32_long(t))
		return SCSI_DONE;
	return write_blocks(t, cdb_lba(t->cdb), cdb_blocks(t->cdb), t->cdb[10]);
}

// clang-format off
#define READ_OP(c, n, f, ...) \
	{ c, NO_SERVICE, .name = n, .start = f, .stops = STOPS_READ, .usage = { c, __VA_ARGS__ } }
#define WRITE_OP(c, n, f, ...) \
	{ c, NO_SERVICE, .name = n, .start = f, .data = write_data, .stops = STOPS_WRITE, \
	  .usage = { c, __VA_ARGS__ } }

const struct scsi_op sbc_rw_ops[] = {
	READ_OP(0x08, "READ(6)", read6, 0x1f, FF2, 0xff, 0x04),
	WRITE_OP(0x0a, "WRITE(6)", write6, 0x1f, FF2, 0xff, 0x04),
	READ_OP(0x28, "READ(10)", read10, 0x18, FF4, 0, FF2, 0x04),
	WRITE_OP(0x2a, "WRITE(10)", write10, 0x18, FF4, 0, FF2, 0x04),
	{ VARIABLE_CDB, 0x09, .needs = LU_LONG_CDBS, .name = "READ(32)", .start = read32, .stops = STOPS_READ,
	  .usage = { VARIABLE_CDB, 0x04, [7] = 0x18, 0, 0x09, 0x18, [12] = FF4, FF4, [28] = FF4 } },
	{ VARIABLE_CDB, 0x0b, .needs = LU_LONG_CDBS, .name = "WRITE(32)", .start = write32, .data = write_data,
	  .stops = STOPS_WRITE,
	  .usage = { VARIABLE_CDB, 0x04, [7] = 0x18, 0, 0x0b, 0x18, [12] = FF4, FF4, [28] = FF4 } },
	READ_OP(0x88, "READ(16)", read16, 0x18, FF4, FF4, FF4, 0, 0x04),
	WRITE_OP(0x8a, "WRITE(16)", write16, 0x18, FF4, FF4, FF4, 0, 0x04),
	READ_OP(0xa8, "READ(12)", read12, 0x18, FF4, FF4, 0, 0x04),
	WRITE_OP(0xaa, "WRITE(12)", write12, 0x18, FF4, FF4, 0, 0x04),
	{ .name = NULL },
};
// clang-format on

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands whose range nobody else reads half-done or changes in between: COMPARE AND WRITE,
 * ORWRITE, WRITE ATOMIC.
 */
#include <errno.h>
#include <stdlib.h>

#include "scsi/guard.h"
#include "scsi/op.h"
#include "scsi/sbc.h"

#define PIECE ((uint32_t)1 << 20)

/* A transfer whose end is the end of the task, or not: then(t, err) decides in both cases. */
static enum scsi_next step(
	struct scsi_task *t, enum store_op op, void *p, uint32_t len, task_then *then)
{
	t->iov[0] = (struct iovec){ p, len };
	return task_submitted(t, task_transfer(t, op, t->off, len, then), then);
}

/* Asks for exactly len bytes: what is missing or too much would change the meaning of the rest. */
static enum scsi_next wants_exactly(struct scsi_task *t, uint32_t len, unsigned blocks_at)
{
	t->out.len = len;
	if (t->expect != len)
		return task_bad_cdb(t, blocks_at, -1);
	if (!len)
		return SCSI_DONE;
	if (!(t->dir & SCSI_DIR_OUT))
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	return list_wanted(t, len);
}

/* Checks that they share. False: the task has ended. */
static bool valid(
	struct scsi_task *t, uint64_t lba, uint32_t blocks, uint32_t max, unsigned blocks_at)
{
	const struct lu *lu = t->itl->lu;

	if (t->cdb[1] & RDPROTECT_BITS)
		return task_bad_cdb(t, 1, 7), false;
	if (!sbc_in_range(lu, lba, blocks))
		return task_lba_out_of_range(t), false;
	if (blocks > max)
		return task_bad_cdb(t, blocks_at, -1), false;
	t->fua = t->cdb[1] & FUA_BIT || sbc_write_through(lu);
	t->off = sbc_bytes(lu, lba);
	t->left = sbc_bytes(lu, blocks);
	return true;
}

/* --- COMPARE AND WRITE (SBC-4 5.3) ----------------------------------------------------- */

/* The medium is in t->more: the first half of what was sent must be the same, then the second half
 * replaces it. */
static enum scsi_next compare_then_write(struct scsi_task *t, int err)
{
	const uint8_t *medium = t->more;
	uint32_t len = (uint32_t)t->left, same;
	uint8_t *sent = t->buf;

	if (err)
		return task_store_error(t, err);
	same = sbc_first_difference(sent, medium, len);
	if (same < len)
		return task_miscompare(t, same);
	return step(t, STORE_WRITE, sent + len, len, sbc_written);
}

static enum scsi_next compare_read(struct scsi_task *t, int err)
{
	(void)err;
	t->more = malloc(t->left);
	if (!t->more)
		return task_store_error(t, -ENOMEM);
	return step(t, STORE_READ, t->more, (uint32_t)t->left, compare_then_write);
}

static enum scsi_next compare_data(struct scsi_task *t)
{
	if (t->got < t->out.len)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	if (!guard_alone(t, t->off, t->left, compare_read))
		return SCSI_PENDING;
	return compare_read(t, 0);
}

static enum scsi_next compare_and_write(struct scsi_task *t)
{
	if (!valid(t, be64(t->cdb + 2), t->cdb[13], SBC_COMPARE_BLOCKS, 13))
		return SCSI_DONE;
	return wants_exactly(t, 2 * (uint32_t)t->left, 13);
}

/* --- ORWRITE(16) (SBC-4 5.14) ---------------------------------------------------------- */

/* Here t->got is where the next piece is in the data that were sent. */
static enum scsi_next or_read(struct scsi_task *t, int err);

static uint32_t or_piece(const struct scsi_task *t)
{
	return t->left < PIECE ? (uint32_t)t->left : PIECE;
}

static enum scsi_next or_written(struct scsi_task *t, int err)
{
	uint32_t len = or_piece(t);

	if (err)
		return task_store_error(t, err);
	t->off += len;
	t->left -= len;
	t->got += len;
	return t->left ? or_read(t, 0) : sbc_written(t, 0);
}

static enum scsi_next or_write(struct scsi_task *t, int err)
{
	const uint8_t *sent = (const uint8_t *)t->buf + t->got;
	uint8_t *medium = t->more;
	uint32_t len = or_piece(t);

	if (err)
		return task_store_error(t, err);
	for (uint32_t i = 0; i < len; i++)
		medium[i] |= sent[i];
	return step(t, STORE_WRITE, medium, len, or_written);
}

static enum scsi_next or_read(struct scsi_task *t, int err)
{
	(void)err;
	if (!t->more)
		t->more = malloc(or_piece(t));
	if (!t->more)
		return task_store_error(t, -ENOMEM);
	return step(t, STORE_READ, t->more, or_piece(t), or_write);
}

static enum scsi_next orwrite_data(struct scsi_task *t)
{
	t->left = t->got & ~(t->itl->lu->block_size - 1);
	t->got = 0;
	if (!t->left)
		return SCSI_DONE;
	if (!guard_alone(t, t->off, t->left, or_read))
		return SCSI_PENDING;
	return or_read(t, 0);
}

static enum scsi_next orwrite(struct scsi_task *t)
{
	if (!valid(t, be64(t->cdb + 2), be32(t->cdb + 10), t->itl->lu->max_blocks, 10))
		return SCSI_DONE;
	t->out.len = (uint32_t)t->left;
	return !t->left || sbc_ends_short(t) ? SCSI_DONE : list_wanted(t, t->out.len);
}

/* --- WRITE ATOMIC(16) (SBC-4 5.43) ----------------------------------------------------- */

static enum scsi_next atomic_write(struct scsi_task *t, int err)
{
	(void)err;
	return step(t, STORE_WRITE, t->buf, (uint32_t)t->left, sbc_written);
}

static enum scsi_next atomic_data(struct scsi_task *t)
{
	if (t->got < t->out.len)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	if (!guard_alone(t, t->off, t->left, atomic_write))
		return SCSI_PENDING;
	return atomic_write(t, 0);
}

/* All of it or nothing, for everybody who looks: of whole physical blocks, where they are larger.
 * There is no atomic boundary (VPD B0h). */
static enum scsi_next write_atomic(struct scsi_task *t)
{
	uint64_t lba = be64(t->cdb + 2);
	uint32_t blocks = be16(t->cdb + 12), part = sbc_atomic_part(t->itl->lu);

	if (!valid(t, lba, blocks, SBC_ATOMIC_BLOCKS, 12))
		return SCSI_DONE;
	if (lba % part)
		return task_bad_cdb(t, 2, -1);
	if (be16(t->cdb + 10))
		return task_bad_cdb(t, 10, -1);
	if (blocks % part)
		return task_bad_cdb(t, 12, -1);
	return wants_exactly(t, (uint32_t)t->left, 12);
}

// clang-format off
const struct scsi_op sbc_atomic_ops[] = {
	{ 0x89, NO_SERVICE, .name = "COMPARE AND WRITE", .start = compare_and_write,
	  .data = compare_data, .stops = STOPS_WRITE,
	  .usage = { 0x89, 0x18, FF4, FF4, 0, 0, 0, 0xff, 0, 0x04 } },
	{ 0x8b, NO_SERVICE, .name = "ORWRITE(16)", .start = orwrite, .data = orwrite_data,
	  .stops = STOPS_WRITE, .usage = { 0x8b, 0x18, FF4, FF4, FF4, 0, 0x04 } },
	{ 0x9c, NO_SERVICE, .needs = LU_ATOMIC, .name = "WRITE ATOMIC(16)", .start = write_atomic,
	  .data = atomic_data, .stops = STOPS_WRITE, .usage = { 0x9c, 0x18, FF4, FF4, FF4, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on

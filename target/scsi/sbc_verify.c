/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VERIFY, and WRITE AND VERIFY: look at what is on the medium, piece by piece, and compare it with
 * what the initiator sends, with one block of it again and again, or with nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "scsi/guard.h"
#include "scsi/op.h"
#include "scsi/sbc.h"

#define PIECE ((uint32_t)1 << 20)
#define TURN  (8 * (uint64_t)PIECE) /* after so much in one go, others have their turn */

/* BYTCHK (SBC-4 table 118). */
enum { MEDIUM_ONLY = 0, COMPARE = 1, COMPARE_ONE_BLOCK = 3 };

static unsigned bytchk(const struct scsi_task *t)
{
	return t->cdb[1] >> 1 & 3;
}

/* Compares a piece of the medium with what was sent. False: they differ, and the task has its
 * status: where, counted from the first block of the command. */
static bool same(struct scsi_task *t, const uint8_t *medium, uint32_t len)
{
	uint64_t done = t->off - sbc_bytes(t->itl->lu, cdb_lba(t->cdb));
	bool one = bytchk(t) == COMPARE_ONE_BLOCK;
	uint32_t unit = one ? t->itl->lu->block_size : len;
	const uint8_t *sent = t->buf;

	if (bytchk(t) == MEDIUM_ONLY)
		return true;
	for (uint32_t at = 0; at < len; at += unit) {
		uint32_t i = sbc_first_difference(sent + (one ? 0 : done), medium + at, unit);

		if (i < unit) {
			task_miscompare(t, done + at + i);
			return false;
		}
	}
	return true;
}

static enum scsi_next verify_go_on(struct scsi_task *t, int err);

/* Gets the next piece into t->iov[0]: the medium itself where it is memory, or a copy. */
static int fetch_piece(struct scsi_task *t, uint32_t len)
{
	if (store_map(t->itl->lu->store, t->off, len, t->iov, 1) == 1)
		return 0;
	if (!t->more)
		t->more = malloc(PIECE);
	if (!t->more)
		return -ENOMEM;
	t->iov[0] = (struct iovec){ t->more, len };
	return task_transfer(t, STORE_READ, t->off, len, verify_go_on);
}

/* The piece is there. False: the task has ended. */
static bool check_piece(struct scsi_task *t)
{
	uint32_t len = (uint32_t)t->iov[0].iov_len;

	if (!same(t, t->iov[0].iov_base, len))
		return false;
	t->off += len;
	t->left -= len;
	return true;
}

static enum scsi_next verify_pieces(struct scsi_task *t, int err)
{
	uint64_t stop = t->left > TURN ? t->left - TURN : 0;

	while (!err && t->left > stop) {
		err = fetch_piece(t, t->left < PIECE ? (uint32_t)t->left : PIECE);
		if (err == STORE_PENDING)
			return SCSI_PENDING;
		if (!err && !check_piece(t))
			return SCSI_DONE;
	}
	if (err)
		return task_store_error(t, err);
	return t->left ? task_yield(t, verify_pieces) : SCSI_DONE;
}

static enum scsi_next verify_go_on(struct scsi_task *t, int err)
{
	if (err)
		return task_store_error(t, err);
	return check_piece(t) ? verify_pieces(t, 0) : SCSI_DONE;
}

static enum scsi_next verify_data(struct scsi_task *t)
{
	if (bytchk(t) == COMPARE) /* fewer blocks where fewer came */
		t->left = t->got & ~(t->itl->lu->block_size - 1);
	return verify_pieces(t, 0);
}

/* Nothing is sent: every block must be readable, and memory always is. */
static enum scsi_next verify_medium(struct scsi_task *t)
{
	struct iovec any;

	if (store_map(t->itl->lu->store, t->off, t->itl->lu->block_size, &any, 1))
		return SCSI_DONE;
	return verify_pieces(t, 0);
}

/* VERIFY(10), (12), (16) (SBC-4 5.37 to 5.39). */
static enum scsi_next verify(struct scsi_task *t)
{
	const struct lu *lu = t->itl->lu;
	uint64_t lba = cdb_lba(t->cdb);
	uint32_t blocks = cdb_blocks(t->cdb);

	if (t->cdb[1] & RDPROTECT_BITS)
		return task_bad_cdb(t, 1, 7);
	if (bytchk(t) == 2)
		return task_bad_cdb(t, 1, 2);
	if (!sbc_in_range(lu, lba, blocks))
		return task_lba_out_of_range(t);
	if (bytchk(t) == COMPARE && blocks > lu->max_blocks)
		return task_bad_cdb(t, cdb_blocks_at(t->cdb[0]), -1);
	if (!blocks)
		return SCSI_DONE;
	t->off = sbc_bytes(lu, lba);
	t->left = sbc_bytes(lu, blocks);
	if (bytchk(t) == MEDIUM_ONLY)
		return verify_medium(t);
	t->out.len = bytchk(t) == COMPARE ? (uint32_t)t->left : lu->block_size;
	if (sbc_ends_short(t))
		return SCSI_DONE;
	return list_wanted(t, t->out.len);
}

/* --- WRITE AND VERIFY ----------------------------------------------------------------- */

static enum scsi_next written(struct scsi_task *t, int err)
{
	guard_drop(t);
	return err ? task_store_error(t, err) : verify_pieces(t, 0);
}

static enum scsi_next write_now(struct scsi_task *t, int err)
{
	t->iov[0] = (struct iovec){ t->buf, t->left };
	err = task_transfer(t, STORE_WRITE, t->off, (uint32_t)t->left, written);
	return task_submitted(t, err, written);
}

static enum scsi_next write_verify_data(struct scsi_task *t)
{
	t->left = t->got & ~(t->itl->lu->block_size - 1);
	if (!t->left)
		return SCSI_DONE;
	if (!guard_write(t, t->off, t->left, write_now))
		return SCSI_PENDING;
	return write_now(t, 0);
}

/* WRITE AND VERIFY(10), (12), (16) (SBC-4 5.45 to 5.47): written durably, then looked at as VERIFY
 * does. */
static enum scsi_next write_verify(struct scsi_task *t)
{
	const struct lu *lu = t->itl->lu;
	uint64_t lba = cdb_lba(t->cdb);
	uint32_t blocks = cdb_blocks(t->cdb);

	if (t->cdb[1] & RDPROTECT_BITS)
		return task_bad_cdb(t, 1, 7);
	if (bytchk(t) > COMPARE)
		return task_bad_cdb(t, 1, 2);
	if (!sbc_in_range(lu, lba, blocks))
		return task_lba_out_of_range(t);
	if (blocks > lu->max_blocks)
		return task_bad_cdb(t, cdb_blocks_at(t->cdb[0]), -1);
	if (!blocks)
		return SCSI_DONE;
	t->fua = true;
	t->off = sbc_bytes(lu, lba);
	t->out.len = (uint32_t)sbc_bytes(lu, blocks);
	return sbc_ends_short(t) ? SCSI_DONE : list_wanted(t, t->out.len);
}

// clang-format off
#define WRITE_VERIFY_OP(c, n, ...) \
	{ c, NO_SERVICE, .name = n, .start = write_verify, .data = write_verify_data, \
	  .stops = STOPS_WRITE, .usage = { c, 0x12, __VA_ARGS__ } }
#define VERIFY_OP(c, n, ...) \
	{ c, NO_SERVICE, .name = n, .start = verify, .data = verify_data, .stops = STOPS_READ, \
	  .usage = { c, 0x16, __VA_ARGS__ } }

const struct scsi_op sbc_verify_ops[] = {
	WRITE_VERIFY_OP(0x2e, "WRITE AND VERIFY(10)", FF4, 0, FF2, 0x04),
	VERIFY_OP(0x2f, "VERIFY(10)", FF4, 0, FF2, 0x04),
	WRITE_VERIFY_OP(0x8e, "WRITE AND VERIFY(16)", FF4, FF4, FF4, 0, 0x04),
	VERIFY_OP(0x8f, "VERIFY(16)", FF4, FF4, FF4, 0, 0x04),
	WRITE_VERIFY_OP(0xae, "WRITE AND VERIFY(12)", FF4, FF4, 0, 0x04),
	VERIFY_OP(0xaf, "VERIFY(12)", FF4, FF4, 0, 0x04),
	{ .name = NULL },
};
// clang-format on

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that change many blocks with little data: UNMAP and WRITE SAME.
 */
#include <string.h>

#include "scsi/guard.h"
#include "scsi/op.h"
#include "scsi/sbc.h"

/* None of these commands has FUA. */
static enum scsi_next filled(struct scsi_task *t, int err)
{
	guard_drop(t);
	return sbc_written(t, err);
}

/* --- UNMAP (SBC-4 5.36) --------------------------------------------------------------- */

#define UNMAP_HEADER     8u
#define UNMAP_DESCRIPTOR 16u

/* Where the descriptors end: 0 when the list is cut short. */
static uint32_t unmap_end(const struct scsi_task *t)
{
	struct rd r = list_cursor(t);
	uint16_t data = rd_be16(&r), descriptors = rd_be16(&r);

	rd_be32(&r);
	if (!rd_ok(&r) || descriptors > r.left || data < descriptors + (UNMAP_HEADER - 2))
		return 0;
	return UNMAP_HEADER + descriptors / UNMAP_DESCRIPTOR * UNMAP_DESCRIPTOR;
}

/* Every descriptor is looked at before the first is obeyed. False: the task has its status. */
static bool unmap_valid(struct scsi_task *t, uint32_t end)
{
	const uint8_t *list = t->buf;
	uint64_t sum = 0;

	if ((end - UNMAP_HEADER) / UNMAP_DESCRIPTOR > SBC_UNMAP_DESCRIPTORS)
		return task_bad_list(t, 2, -1), false;
	for (uint32_t at = UNMAP_HEADER; at < end; at += UNMAP_DESCRIPTOR) {
		uint64_t lba = be64(list + at);
		uint32_t blocks = be32(list + at + 8);

		if (!blocks)
			continue;
		sum += blocks;
		if (sum > SBC_UNMAP_BLOCKS)
			return task_bad_list(t, at + 8, -1), false;
		if (!sbc_in_range(t->itl->lu, lba, blocks))
			return task_lba_out_of_range(t), false;
	}
	return true;
}

/* Here t->off is where the next descriptor is in the list, and t->left how much of the list is
 * still to do. */
static enum scsi_next unmap_go_on(struct scsi_task *t, int err)
{
	const struct lu *lu = t->itl->lu;

	while (!err && t->left) {
		const uint8_t *d = (const uint8_t *)t->buf + t->off;

		t->off += UNMAP_DESCRIPTOR;
		t->left -= UNMAP_DESCRIPTOR;
		if (!be32(d + 8))
			continue;
		t->io.op = STORE_DISCARD;
		t->io.flags = 0;
		t->io.off = sbc_bytes(lu, be64(d));
		t->io.len = sbc_bytes(lu, be32(d + 8));
		err = task_submit(t, unmap_go_on);
		if (err == STORE_PENDING)
			return SCSI_PENDING;
	}
	return filled(t, err);
}

static enum scsi_next unmap_data(struct scsi_task *t)
{
	uint32_t end = unmap_end(t);

	if (!end)
		return task_list_too_short(t);
	if (!unmap_valid(t, end))
		return SCSI_DONE;
	t->fua = false;
	t->off = UNMAP_HEADER;
	t->left = end - UNMAP_HEADER;
	if (!guard_write(t, 0, UINT64_MAX, unmap_go_on))
		return SCSI_PENDING;
	return unmap_go_on(t, 0);
}

static enum scsi_next unmap(struct scsi_task *t)
{
	uint16_t len = be16(t->cdb + 7);

	if (t->cdb[1] & 0x01) /* ANCHOR: ANC_SUP is 0 */
		return task_bad_cdb(t, 1, 0);
	return len ? list_wanted(t, len) : task_good(t);
}

/* --- WRITE SAME (SBC-4 5.50, 5.51) ---------------------------------------------------- */

#define SAME_BUF  ((uint32_t)1 << 20)
#define SAME_TURN ((uint64_t)8 << 20) /* after so much in one go, others have their turn */

enum { NDOB = 0x01, UNMAP = 0x08, ANCHOR = 0x10 };

/* Zeros need no writing. Unmapped blocks read as zeros, so UNMAP may take their space (SBC-4
 * 4.7.3.4.4). */
static enum scsi_next same_zero_now(struct scsi_task *t, int err)
{
	(void)err;
	t->io.op = t->cdb[1] & UNMAP ? STORE_DISCARD : STORE_ZERO;
	t->io.flags = 0;
	t->io.off = t->off;
	t->io.len = t->left;
	return task_submitted(t, task_submit(t, filled), filled);
}

static enum scsi_next same_zero(struct scsi_task *t)
{
	if (!guard_write(t, t->off, t->left, same_zero_now))
		return SCSI_PENDING;
	return same_zero_now(t, 0);
}

static enum scsi_next same_written(struct scsi_task *t, int err);

static enum scsi_next same_write(struct scsi_task *t, int err)
{
	uint64_t stop = t->left > SAME_TURN ? t->left - SAME_TURN : 0;

	while (!err && t->left > stop) {
		uint32_t len = t->left < t->buf_len ? (uint32_t)t->left : t->buf_len;

		t->iov[0] = (struct iovec){ t->buf, len };
		t->left -= len;
		err = task_transfer(t, STORE_WRITE, t->off, len, same_written);
		t->off += len;
		if (err == STORE_PENDING)
			return SCSI_PENDING;
	}
	return !err && t->left ? task_yield(t, same_write) : filled(t, err);
}

static enum scsi_next same_written(struct scsi_task *t, int err)
{
	return same_write(t, err);
}

/* The block has come to the start of the buffer; the rest of the buffer repeats it. */
static enum scsi_next same_data(struct scsi_task *t)
{
	uint32_t bs = t->itl->lu->block_size;
	uint8_t *buf = t->buf;

	if (t->got < bs) /* refused before, but for a transport that lost data */
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	if (sbc_all_zero(buf, bs))
		return same_zero(t);
	for (uint32_t have = bs; have < t->buf_len; have *= 2)
		memcpy(buf + have, buf, have < t->buf_len - have ? have : t->buf_len - have);
	if (!guard_write(t, t->off, t->left, same_write))
		return SCSI_PENDING;
	return same_write(t, 0);
}

/* Asks for one block, into a buffer that takes many copies of it. Any other length is a mistake
 * that would hide which data the initiator meant. */
static enum scsi_next same_wants(struct scsi_task *t)
{
	uint32_t bs = t->itl->lu->block_size;

	t->out.len = bs;
	if (t->expect != bs || !(t->dir & SCSI_DIR_OUT))
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	if (!task_buf(t, t->left < SAME_BUF ? (size_t)t->left : SAME_BUF))
		return SCSI_DONE;
	t->iov[0] = (struct iovec){ t->buf, bs };
	t->out.iov = t->iov;
	t->out.cnt = 1;
	return SCSI_WANT_DATA;
}

/* Bits that the command has, and that mean something here. False: the task has its status. */
static bool same_flags(struct scsi_task *t)
{
	uint8_t f = t->cdb[1];

	if (f & RDPROTECT_BITS)
		return task_bad_cdb(t, 1, 7), false;
	if (f & ANCHOR) /* ANC_SUP is 0 */
		return task_bad_cdb(t, 1, 4), false;
	if (f & UNMAP && !(t->itl->lu->has & LU_THIN))
		return task_bad_cdb(t, 1, 3), false;
	if (f & 0x06) /* PBDATA, LBDATA: obsolete */
		return task_bad_cdb(t, 1, 2), false;
	if (f & NDOB && t->cdb[0] == 0x41)
		return task_bad_cdb(t, 1, 0), false;
	return true;
}

/* A count of none is that of all blocks to the end, as far as MAXIMUM WRITE SAME LENGTH goes. Where
 * space can be given back a host that means nothing by it would lose what it has: there WSNZ says
 * that it is refused. */
static uint64_t same_blocks(const struct lu *lu, const uint8_t *cdb)
{
	uint64_t blocks = cdb_blocks(cdb), lba = cdb_lba(cdb), all = lu_blocks(lu);

	if (blocks || lu->has & LU_THIN)
		return blocks;
	return lba < all ? all - lba : 1;
}

/* WRITE SAME(10), (16). */
static enum scsi_next write_same(struct scsi_task *t)
{
	const struct lu *lu = t->itl->lu;
	uint64_t lba = cdb_lba(t->cdb), blocks = same_blocks(lu, t->cdb);

	if (!same_flags(t))
		return SCSI_DONE;
	if (!sbc_in_range(lu, lba, blocks))
		return task_lba_out_of_range(t);
	if (!blocks || blocks > SBC_SAME_BLOCKS)
		return task_bad_cdb(t, cdb_blocks_at(t->cdb[0]), -1);
	t->fua = false;
	t->off = sbc_bytes(lu, lba);
	t->left = sbc_bytes(lu, blocks);
	return t->cdb[1] & NDOB ? same_zero(t) : same_wants(t);
}

// clang-format off
const struct scsi_op sbc_fill_ops[] = {
	{ 0x41, NO_SERVICE, .name = "WRITE SAME(10)", .start = write_same, .data = same_data,
	  .stops = STOPS_WRITE, .usage = { 0x41, 0x08, FF4, 0, FF2, 0x04 } },
	{ 0x42, NO_SERVICE, .needs = LU_THIN, .name = "UNMAP", .start = unmap, .data = unmap_data,
	  .stops = STOPS_WRITE, .usage = { 0x42, 0, 0, 0, 0, 0, 0, FF2, 0x04 } },
	{ 0x93, NO_SERVICE, .name = "WRITE SAME(16)", .start = write_same, .data = same_data,
	  .stops = STOPS_WRITE,
	  .usage = { 0x93, 0x09, FF4, FF4, FF4,
		     0, 0x04 } },
	{ .name = NULL },
};
// clang-format on

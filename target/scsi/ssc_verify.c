/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VERIFY: blocks are read, checked, and compared with what the host sends where it asks for that.
 */
#include <stdlib.h>
#include <string.h>

#include "scsi/ssc.h"

#define FIXED  0x01
#define BYTCMP 0x02
#define VBF    0x08 /* by filemarks: the length counts those */
#define VTE    0x20 /* to the end of data */

/* --- one block ------------------------------------------------------------------------------ */

/* The next block, against what was sent from `off` on. Like READ it says what is no such block. */
static enum cartridge_result check(struct scsi_task *t, const struct tape_job *j,
	struct cartridge *c, uint32_t off, uint32_t len, struct cartridge_block *got, bool *same)
{
	enum cartridge_result r;
	uint8_t *data;

	*same = true;
	if (!j->compare)
		return cartridge_verify(c, got);
	data = malloc(len);
	if (!data)
		return CARTRIDGE_NO_MEMORY;
	r = tape_read(t, c, data, len, got);
	if (r == CARTRIDGE_OK)
		*same = !memcmp(
			data, (uint8_t *)t->buf + off, got->length < len ? got->length : len);
	free(data);
	return r;
}

static void verify_blocks(struct scsi_task *t, const struct tape_job *j, struct cartridge *c)
{
	uint32_t len = j->fixed ? j->block_len : j->len, count = j->fixed ? j->len : 1;

	for (uint32_t n = 0; n < count; n++) {
		struct cartridge_block got;
		uint32_t left = j->fixed ? count - n : len;
		bool same;
		enum cartridge_result r = check(t, j, c, n * len, len, &got, &same);

		if (r != CARTRIDGE_OK) {
			tape_stopped(t, j, c, r, false, left);
			return;
		}
		if (!same) {
			tape_check(t, SENSE_MISCOMPARE, ASC_MISCOMPARE_DURING_VERIFY, 0);
			return;
		}
		if (got.length != len) {
			tape_check_left(t, SENSE_NO_SENSE, 0, TAPE_ILI,
				j->fixed ? left : (int64_t)left - (int64_t)got.length);
			return;
		}
	}
}

/* --- up to a place -------------------------------------------------------------------------- */

/* Over so many filemarks, or to the end of data, which is where VTE wants to come to. Nobody hears
 * how one ends that was aborted. */
static void verify_up_to(struct scsi_task *t, const struct tape_job *j, struct cartridge *c)
{
	bool to_end = t->cdb[1] & VTE;
	uint32_t left = to_end ? 0 : j->len;
	struct cartridge_block got;
	enum cartridge_result r = CARTRIDGE_OK;

	while ((to_end || left) && !atomic_load(&j->aborted)) {
		r = cartridge_verify(c, &got);
		if (r == CARTRIDGE_FILEMARK)
			left -= !to_end;
		else if (r != CARTRIDGE_OK)
			break;
	}
	if (to_end && r == CARTRIDGE_EOD)
		return;
	if (left || to_end)
		tape_stopped(t, j, c, r, false, left);
}

/* --- the commands --------------------------------------------------------------------------- */

static void verify_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	if (!tape_go(t, j, c))
		return;
	if (t->cdb[1] & (VTE | VBF))
		verify_up_to(t, j, c);
	else
		verify_blocks(t, j, c);
}

static enum scsi_next verify_data(struct scsi_task *t)
{
	if (t->got < t->out.len)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	return tape_submit(t, verify_run);
}

/* VERIFY(6), (16) (SSC-4 7.19, 7.20). IMMED is no reason to answer before it is known. */
static enum scsi_next verify(struct scsi_task *t)
{
	struct tape_job *j = tape_transfer(t);
	uint8_t flags = t->cdb[1];
	uint32_t bytes;

	if (!j)
		return SCSI_DONE;
	j->compare = flags & BYTCMP;
	if (flags & (VTE | VBF)) {
		if (flags & (BYTCMP | FIXED) || (flags & VTE && flags & VBF))
			return task_bad_cdb(t, 1, flags & BYTCMP ? 1 : flags & FIXED ? 0 : 5);
		return tape_submit(t, verify_run);
	}
	if (!tape_total(t, j, &bytes))
		return SCSI_DONE;
	if (!j->len)
		return task_good(t);
	if (!j->compare)
		return tape_submit(t, verify_run);
	if (!j->fixed && bytes > CARTRIDGE_BLOCK_MAX)
		return task_bad_cdb(t, j->at_object ? 12 : 2, -1);
	if (!(t->dir & SCSI_DIR_OUT) || t->expect < bytes)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	return list_wanted(t, bytes);
}

// clang-format off
const struct scsi_op ssc_verify_ops[] = {
	{ 0x13, NO_SERVICE, .name = "VERIFY(6)", .start = verify, .data = verify_data,
	  .cancel = tape_cancel, .stops = TAPE_STOPS, .usage = { 0x13, 0x2f, FF2, 0xff, 0x04 } },
	{ 0x8f, NO_SERVICE, .name = "VERIFY(16)", .start = verify, .data = verify_data,
	  .cancel = tape_cancel, .stops = TAPE_STOPS,
	  .usage = { 0x8f, 0x2f, 0, 0xff, FF4, FF4, FF2, 0xff, 0x04 } },
	{ .name = NULL },
};
// clang-format on

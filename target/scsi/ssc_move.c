/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving the tape and asking where it stands: REWIND, SPACE, LOCATE, READ POSITION. What was
 * written is durable before the tape goes elsewhere.
 *
 * IMMED is no reason to answer early: to move takes milliseconds.
 */
#include "scsi/ssc.h"

/* --- REWIND --------------------------------------------------------------------------------- */

static void rewind_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	(void)j;
	if (tape_settle(t, c))
		tape_failed(t, cartridge_rewind(c), false);
}

/* REWIND (SSC-4 7.16). */
static enum scsi_next rewind_start(struct scsi_task *t)
{
	return tape_submit(t, rewind_run);
}

/* --- SPACE ---------------------------------------------------------------------------------- */

enum { BLOCKS, FILEMARKS, SEQUENTIAL_FILEMARKS, END_OF_DATA };

static enum cartridge_result space(struct tape_job *j, struct cartridge *c, uint64_t *left)
{
	struct cartridge_position at;

	*left = 0;
	switch (j->code) {
	case BLOCKS: return cartridge_space_blocks(c, j->count, left);
	case FILEMARKS: return cartridge_space_filemarks(c, j->count, left);
	case SEQUENTIAL_FILEMARKS:
		return cartridge_space_sequential_filemarks(c, j->count, left);
	default: cartridge_position(c, &at); return cartridge_locate_eod(c, at.partition);
	}
}

/* What ends it early is told with what is left of the count, a positive number in either direction
 * (SSC-4 7.17). */
static void space_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	enum cartridge_result r;
	uint64_t left;

	if (!tape_settle(t, c))
		return;
	r = space(j, c, &left);
	tape_stopped(t, j, c, r, false, left);
}

static enum scsi_next space_start(struct scsi_task *t, int64_t count)
{
	struct tape_job *j = tape_job(t);

	if (!j)
		return SCSI_DONE;
	j->code = t->cdb[1] & 0x0f;
	j->count = count;
	if (j->code > END_OF_DATA)
		return task_bad_cdb(t, 1, 3);
	return tape_submit(t, space_run);
}

/* SPACE(6), SSC-4 7.17. */
static enum scsi_next space6(struct scsi_task *t)
{
	int64_t count = be24(t->cdb + 2);

	return space_start(t, count & 0x800000 ? count - 0x1000000 : count);
}

/* SPACE(16), SSC-4 7.18: there is no parameter list. */
static enum scsi_next space16(struct scsi_task *t)
{
	if (be16(t->cdb + 12))
		return task_bad_cdb(t, 12, -1);
	return space_start(t, (int64_t)be64(t->cdb + 4));
}

/* --- LOCATE --------------------------------------------------------------------------------- */

enum { TO_OBJECT, TO_FILE, TO_END_OF_DATA = 3 };

static void locate_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct cartridge_position at;
	enum cartridge_result r;
	unsigned partition;

	cartridge_position(c, &at);
	partition = j->at_object ? j->partition : at.partition;
	if (partition >= cartridge_info(c)->partitions) {
		task_bad_cdb(t, t->cdb[0] == 0x2b ? 8 : 3, -1);
		return;
	}
	if (!tape_settle(t, c))
		return;
	if (j->code == TO_FILE)
		r = cartridge_locate_file(c, partition, j->object);
	else if (j->code == TO_END_OF_DATA)
		r = cartridge_locate_eod(c, partition);
	else
		r = cartridge_locate(c, partition, j->object);
	tape_failed(t, r, false);
}

/* CP says that the partition counts. */
static enum scsi_next locate_start(
	struct scsi_task *t, uint8_t code, uint64_t object, uint8_t partition)
{
	struct tape_job *j = tape_job(t);

	if (!j)
		return SCSI_DONE;
	j->code = code;
	j->object = object;
	j->partition = partition;
	j->at_object = t->cdb[1] & 0x02;
	return tape_submit(t, locate_run);
}

/* LOCATE(10), SSC-4 7.3. BT, a vendor's own address, is the same here. */
static enum scsi_next locate10(struct scsi_task *t)
{
	return locate_start(t, TO_OBJECT, be32(t->cdb + 3), t->cdb[8]);
}

/* LOCATE(16), SSC-4 7.4. */
static enum scsi_next locate16(struct scsi_task *t)
{
	uint8_t code = t->cdb[1] >> 3 & 0x07;

	if (code != TO_OBJECT && code != TO_FILE && code != TO_END_OF_DATA)
		return task_bad_cdb(t, 1, 5);
	return locate_start(t, code, be64(t->cdb + 4), t->cdb[3]);
}

/* --- READ POSITION -------------------------------------------------------------------------- */

enum { SHORT_FORM = 0x00, SHORT_VENDOR = 0x01, LONG_FORM = 0x06, EXTENDED_FORM = 0x08 };

#define BOP 0x80
#define EOP 0x40
#define LOLU 0x04 /* the numbers say nothing, */
#define PERR 0x02 /* because one does not fit */
#define BPEW 0x01

/* Nothing waits in a buffer: the first and the last object are the same, and none are between. */
static uint8_t flags(const struct tape_place *p)
{
	return (uint8_t)((p->at.bop ? BOP : 0) | (p->early ? EOP : 0) | (p->programmed ? BPEW : 0));
}

static void wr_short(struct wr *w, const struct tape_place *p)
{
	bool fits = p->at.object <= UINT32_MAX;

	wr_u8(w, (uint8_t)(flags(p) | (fits ? 0 : LOLU | PERR)));
	wr_u8(w, (uint8_t)p->at.partition);
	wr_be16(w, 0);
	wr_be32(w, fits ? (uint32_t)p->at.object : 0);
	wr_be32(w, fits ? (uint32_t)p->at.object : 0);
	wr_zero(w, 8);
}

static void wr_long(struct wr *w, const struct tape_place *p)
{
	wr_u8(w, flags(p));
	wr_zero(w, 3);
	wr_be32(w, p->at.partition);
	wr_be64(w, p->at.object);
	wr_be64(w, p->at.file);
	wr_zero(w, 8);
}

static void wr_extended(struct wr *w, const struct tape_place *p)
{
	wr_u8(w, flags(p));
	wr_u8(w, (uint8_t)p->at.partition);
	wr_be16(w, 28);
	wr_be32(w, 0);
	wr_be64(w, p->at.object);
	wr_be64(w, p->at.object);
	wr_zero(w, 8);
}

/* The answer has been opened on the loop. */
static void position_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct wr w = wr_of(t->buf, 32);
	struct tape_place p;

	tape_place(tape_of(t), c, &p);
	if (j->code == LONG_FORM)
		wr_long(&w, &p);
	else if (j->code == EXTENDED_FORM)
		wr_extended(&w, &p);
	else
		wr_short(&w, &p);
	reply_close(t, &w, j->len);
}

/* READ POSITION (SSC-4 7.7). Only the extended form has an allocation length; the others are told
 * whole, whatever stands there. */
static enum scsi_next read_position(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);
	struct wr w;

	if (!j)
		return SCSI_DONE;
	j->code = t->cdb[1] & 0x1f;
	if (j->code > SHORT_VENDOR && j->code != LONG_FORM && j->code != EXTENDED_FORM)
		return task_bad_cdb(t, 1, 4);
	j->len = j->code == EXTENDED_FORM ? be16(t->cdb + 7) : 32;
	if (!reply_open(t, &w, 32))
		return SCSI_DONE;
	return tape_submit(t, position_run);
}

// clang-format off
const struct scsi_op ssc_move_ops[] = {
	{ 0x01, NO_SERVICE, .name = "REWIND", .start = rewind_start, .cancel = tape_cancel,
	  .stops = TAPE_STOPS, .usage = { 0x01, 0x01, 0, 0, 0, 0x04 } },
	{ 0x11, NO_SERVICE, .name = "SPACE(6)", .start = space6, .cancel = tape_cancel,
	  .stops = TAPE_STOPS, .usage = { 0x11, 0x0f, FF2, 0xff, 0x04 } },
	{ 0x2b, NO_SERVICE, .name = "LOCATE(10)", .start = locate10, .cancel = tape_cancel,
	  .stops = TAPE_STOPS, .usage = { 0x2b, 0x07, 0, FF4, 0, 0xff, 0x04 } },
	{ 0x34, NO_SERVICE, .name = "READ POSITION", .start = read_position, .cancel = tape_cancel,
	  .stops = TAPE_STOPS, .usage = { 0x34, 0x1f, 0, 0, 0, 0, 0, FF2, 0x04 } },
	{ 0x91, NO_SERVICE, .name = "SPACE(16)", .start = space16, .cancel = tape_cancel,
	  .stops = TAPE_STOPS, .usage = { 0x91, 0x0f, 0, 0, FF4, FF4, FF2, 0, 0x04 } },
	{ 0x92, NO_SERVICE, .name = "LOCATE(16)", .start = locate16, .cancel = tape_cancel,
	  .stops = TAPE_STOPS, .usage = { 0x92, 0x3b, 0, 0xff, FF4, FF4, 0, 0, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on

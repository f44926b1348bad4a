/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a tape command through its drive, and the ways in which it may end.
 */
#include <stdlib.h>

#include "scsi/ssc.h"

struct tape_job *tape_job(struct scsi_task *t)
{
	struct tape_job *j = t->more;

	if (j)
		return j;
	j = calloc(1, sizeof(*j));
	if (!j) {
		task_status(t, SCSI_BUSY);
		return NULL;
	}
	j->t = t;
	j->block_len = atomic_load_explicit(&tape_of(t)->block_len, memory_order_relaxed);
	t->more = j;
	return j;
}

static void run(struct drive *d, struct drive_job *job)
{
	struct tape_job *j = container_of(job, struct tape_job, job);
	struct cartridge *c = drive_cartridge(d);
	struct sense s;

	if (c || j->without) {
		j->run(j->t, j, c);
		return;
	}
	s = lu_absence(j->t->itl->lu);
	task_check(j->t, s.key, s.asc);
}

static void done(struct drive_job *job)
{
	task_go_on(container_of(job, struct tape_job, job)->t, 0);
}

static enum scsi_next ran(struct scsi_task *t, int err)
{
	(void)t;
	(void)err;
	return SCSI_DONE;
}

enum scsi_next tape_submit(struct scsi_task *t, tape_run *fn)
{
	struct tape_job *j = tape_job(t);

	if (!j)
		return SCSI_DONE;
	j->run = fn;
	j->job.run = run;
	j->job.done = done;
	j->job.home = t->nexus->loop;
	t->then = ran;
	t->busy = true;
	drive_submit(tape_of(t)->drive, &j->job);
	return SCSI_PENDING;
}

bool tape_cancel(struct scsi_task *t)
{
	struct tape_job *j = t->more;

	return j && j->run && drive_cancel(tape_of(t)->drive, &j->job);
}

/* --- how they end ------------------------------------------------------------------------------ */

void tape_check(struct scsi_task *t, enum sense_key key, uint16_t asc, unsigned flags)
{
	t->sense = (struct sense){
		.key = (uint8_t)key,
		.asc = asc,
		.filemark = flags & TAPE_FILEMARK,
		.eom = flags & TAPE_EOM,
		.ili = flags & TAPE_ILI,
	};
	task_status(t, SCSI_CHECK_CONDITION);
}

void tape_check_left(
	struct scsi_task *t, enum sense_key key, uint16_t asc, unsigned flags, int64_t left)
{
	tape_check(t, key, asc, flags);
	t->sense.info_valid = true;
	t->sense.info = (uint64_t)left;
}

void tape_alert(struct tape *tape, unsigned flag)
{
	struct cartridge *c = drive_memory(tape->drive);

	tape->alerts |= UINT64_C(1) << (64 - flag);
	if (c)
		cartridge_set_alerts(c, tape->alerts);
}

void tape_failed(struct scsi_task *t, enum cartridge_result r, bool writing)
{
	switch (r) {
	case CARTRIDGE_OK: return;
	case CARTRIDGE_FILEMARK: tape_check(t, SENSE_NO_SENSE, 0x0001, TAPE_FILEMARK); return;
	case CARTRIDGE_EOD: tape_check(t, SENSE_BLANK_CHECK, 0x0005, 0); return;
	case CARTRIDGE_BOP: tape_check(t, SENSE_NO_SENSE, 0x0004, TAPE_EOM); return;
	case CARTRIDGE_FULL: tape_check(t, SENSE_VOLUME_OVERFLOW, 0x0002, TAPE_EOM); return;
	case CARTRIDGE_PROTECTED: tape_check(t, SENSE_DATA_PROTECT, 0x2700, 0); return;
	case CARTRIDGE_WORM: /* WORM MEDIUM - OVERWRITE ATTEMPTED */
		tape_check(t, SENSE_DATA_PROTECT, 0x300c, 0);
		return;
	case CARTRIDGE_NO_KEY: /* UNABLE TO DECRYPT DATA */
		tape_check(t, SENSE_DATA_PROTECT, 0x7401, 0);
		return;
	case CARTRIDGE_WRONG_KEY: /* INCORRECT DATA ENCRYPTION KEY */
		tape_check(t, SENSE_DATA_PROTECT, 0x7403, 0);
		return;
	case CARTRIDGE_INVALID: tape_check(t, SENSE_ILLEGAL_REQUEST, 0x2400, 0); return;
	case CARTRIDGE_NO_MEMORY: task_status(t, SCSI_BUSY); return;
	case CARTRIDGE_CORRUPT:
	case CARTRIDGE_NO_SPACE:
	case CARTRIDGE_IO: /* UNRECOVERED READ ERROR, WRITE ERROR */
		tape_alert(tape_of(t), ALERT_HARD_ERROR);
		tape_alert(tape_of(t), writing ? ALERT_WRITE_FAILURE : ALERT_READ_FAILURE);
		tape_check(t, SENSE_MEDIUM_ERROR, writing ? 0x0c00 : 0x1100, 0);
		return;
	}
}

bool tape_settle(struct scsi_task *t, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	enum cartridge_result r = tape->dirty ? cartridge_sync(c) : CARTRIDGE_OK;

	tape->dirty = false;
	tape_failed(t, r, true);
	return r == CARTRIDGE_OK;
}

void tape_place(const struct tape *tape, struct cartridge *c, struct tape_place *out)
{
	struct cartridge_usage u = { 0 };
	uint64_t left, early, pews;

	cartridge_position(c, &out->at);
	cartridge_usage(c, out->at.partition, &u);
	left = u.before < u.capacity ? u.capacity - u.before : 0;
	early = media_early_warning(cartridge_info(c)->media, u.capacity);
	pews = atomic_load_explicit(&tape->pews, memory_order_relaxed);
	out->early = left <= early;
	out->programmed = pews && (left <= early || left - early <= pews);
}

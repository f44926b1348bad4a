/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a tape command through its drive, and the ways in which it may end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scsi/alert.h"
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
	j->mounts = atomic_load(&tape_of(t)->mounts);
	j->block_len = atomic_load_explicit(&tape_of(t)->block_len, memory_order_relaxed);
	j->guard_write = atomic_load_explicit(&tape_of(t)->guard_write, memory_order_relaxed);
	j->guard_read = atomic_load_explicit(&tape_of(t)->guard_read, memory_order_relaxed);
	t->more = j;
	return j;
}

/* --- deferred errors (SPC-5 4.4.7) ---------------------------------------------------------- */

void tape_defer(struct tape *tape, const struct nexus *n, const struct sense *s)
{
	nexus_identity(n, &tape->deferred_to);
	tape->deferred = *s;
	tape->deferred.deferred = true;
	atomic_store(&tape->room, 0);
	log_msg(LOG_ERR, "drive %s: data of %s that it was told are written are not",
		drive_serial(tape->drive), tape->deferred_to.text);
}

bool tape_owes(const struct tape *tape, const struct nexus *n)
{
	struct port_name name;

	if (!tape->deferred.deferred)
		return false;
	nexus_identity(n, &name);
	return !strcmp(name.text, tape->deferred_to.text);
}

static bool connected(struct tape *tape, const struct port_name *port)
{
	struct lu *lu = &tape->lu;
	bool found = false;

	pthread_mutex_lock(&lu->lock);
	list_for_each(it, &lu->itls) {
		struct port_name name;

		nexus_identity(container_of(it, struct itl, in_lu)->nexus, &name);
		found = found || !strcmp(name.text, port->text);
	}
	pthread_mutex_unlock(&lu->lock);
	return found;
}

/* What an earlier command has to say still goes before what this one would do. A program that only
 * looks at the drive must not take away what the one that writes has to learn. */
static bool deferred(struct scsi_task *t)
{
	struct tape *tape = tape_of(t);

	if (!tape->deferred.deferred)
		return false;
	if (!tape_owes(tape, t->nexus) && connected(tape, &tape->deferred_to))
		return false;
	task_check(t, SENSE_NO_SENSE, 0);
	t->sense = tape->deferred;
	tape->deferred.deferred = false;
	return true;
}

/* --- running -------------------------------------------------------------------------------- */

/* The gate let no command in while its nexus was still to be told of a change: where it is to be
 * told of one now, the cartridge changed before tape_job() could look. */
bool tape_same_mount(const struct scsi_task *t, const struct tape_job *j)
{
	return j->mounts == atomic_load(&tape_of(t)->mounts) &&
	       !(atomic_load(&t->itl->gate) & UINT64_C(1) << UA_MEDIUM_CHANGED);
}

static void run_now(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct sense s;

	if (deferred(t))
		return;
	if (j->without || (c && tape_same_mount(t, j))) {
		j->run(t, j, c);
		return;
	}
	s = lu_absence(t->itl->lu);
	task_check(t, s.key, s.asc);
}

static void note_partition(struct tape *tape)
{
	struct cartridge *c = drive_cartridge(tape->drive);
	struct cartridge_position at = { .partition = 0 };

	if (c)
		cartridge_position(c, &at);
	atomic_store(&tape->partition, (uint8_t)at.partition);
}

static void run(struct drive *d, struct drive_job *job)
{
	struct tape_job *j = container_of(job, struct tape_job, job);
	struct tape *tape = tape_of(j->t);

	atomic_store(&tape->room, 0);
	run_now(j->t, j, drive_cartridge(d));
	note_partition(tape);
	atomic_fetch_sub(&tape->pending, 1);
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
	atomic_fetch_add(&tape_of(t)->pending, 1);
	drive_submit(tape_of(t)->drive, &j->job);
	return SCSI_PENDING;
}

bool tape_cancel(struct scsi_task *t)
{
	struct tape_job *j = t->more;

	if (!j || !j->run)
		return false;
	atomic_store(&j->aborted, true);
	if (!drive_cancel(tape_of(t)->drive, &j->job))
		return false;
	atomic_fetch_sub(&tape_of(t)->pending, 1);
	return true;
}

/* --- how they end --------------------------------------------------------------------------- */

static struct sense sense(enum sense_key key, uint16_t asc, unsigned flags)
{
	return (struct sense){
		.key = (uint8_t)key,
		.asc = asc,
		.filemark = flags & TAPE_FILEMARK,
		.eom = flags & TAPE_EOM,
		.ili = flags & TAPE_ILI,
	};
}

void tape_check(struct scsi_task *t, enum sense_key key, uint16_t asc, unsigned flags)
{
	t->sense = sense(key, asc, flags);
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
	uint64_t flags = alert_raise(&tape->lu, flag);

	if (c)
		cartridge_set_alerts(c, flags);
}

bool tape_sense_of(struct tape *tape, enum cartridge_result r, bool writing, struct sense *s)
{
	switch (r) {
	case CARTRIDGE_OK:
	case CARTRIDGE_NO_MEMORY: return false;
	case CARTRIDGE_FILEMARK: *s = sense(SENSE_NO_SENSE, ASC_FILEMARK, TAPE_FILEMARK); break;
	case CARTRIDGE_EOD: *s = sense(SENSE_BLANK_CHECK, ASC_END_OF_DATA, 0); break;
	case CARTRIDGE_BOP: *s = sense(SENSE_NO_SENSE, ASC_BEGINNING_OF_PARTITION, TAPE_EOM); break;
	case CARTRIDGE_NO_SPACE: /* a cartridge that is good, and can take no more */
	case CARTRIDGE_FULL:
		*s = sense(SENSE_VOLUME_OVERFLOW, ASC_END_OF_PARTITION, TAPE_EOM);
		break;
	case CARTRIDGE_PROTECTED: *s = sense(SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED, 0); break;
	case CARTRIDGE_WORM:
		tape_alert(tape, ALERT_WORM_OVERWRITE);
		*s = sense(SENSE_DATA_PROTECT, ASC_WORM_OVERWRITE_ATTEMPTED, 0);
		break;
	case CARTRIDGE_NO_KEY:
		*s = sense(SENSE_DATA_PROTECT,
			tape->clear ? ASC_UNENCRYPTED_DATA : ASC_UNABLE_TO_DECRYPT, 0);
		tape->clear = false;
		break;
	case CARTRIDGE_WRONG_KEY: *s = sense(SENSE_DATA_PROTECT, ASC_INCORRECT_KEY, 0); break;
	case CARTRIDGE_INVALID:
		*s = sense(SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, 0);
		break;
	case CARTRIDGE_CORRUPT:
	case CARTRIDGE_IO:
		tape_alert(tape, ALERT_HARD_ERROR);
		tape_alert(tape, writing ? ALERT_WRITE_FAILURE : ALERT_READ_FAILURE);
		*s = sense(SENSE_MEDIUM_ERROR,
			writing ? ASC_WRITE_ERROR : ASC_UNRECOVERED_READ_ERROR, 0);
		break;
	}
	return true;
}

void tape_failed(struct scsi_task *t, enum cartridge_result r, bool writing)
{
	if (tape_sense_of(tape_of(t), r, writing, &t->sense))
		task_status(t, SCSI_CHECK_CONDITION);
	else if (r != CARTRIDGE_OK)
		task_status(t, SCSI_BUSY);
}

void tape_stopped(struct scsi_task *t, const struct tape_job *j, struct cartridge *c,
	enum cartridge_result r, bool writing, uint64_t left)
{
	struct tape_place p;

	tape_failed(t, r, writing);
	/* On BUSY the host would ask once more for what has been done. */
	if (t->status == SCSI_BUSY && left < j->len)
		tape_check(t, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE, 0);
	if (t->status != SCSI_CHECK_CONDITION)
		return;
	t->sense.info_valid = true;
	t->sense.info = left;
	if (r != CARTRIDGE_EOD)
		return;
	tape_place(tape_of(t), c, &p);
	t->sense.eom = p.early;
}

bool tape_settle(struct scsi_task *t, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	enum cartridge_result r = tape->dirty ? cartridge_sync(c) : CARTRIDGE_OK;

	tape->dirty = false;
	tape_failed(t, r, true);
	return r == CARTRIDGE_OK;
}

void tape_place_within(
	const struct tape *tape, struct cartridge *c, uint64_t room, struct tape_place *out)
{
	struct cartridge_usage u = { 0 };
	uint64_t left, early, pews;

	cartridge_position(c, &out->at);
	cartridge_usage(c, out->at.partition, &u);
	left = u.before < u.capacity ? u.capacity - u.before : 0;
	early = media_early_warning(cartridge_info(c)->media, u.capacity);
	pews = atomic_load_explicit(&tape->pews, memory_order_relaxed);
	left = left < early ? 0 : left - early;
	out->to_early = left < room ? left : room;
	out->early = !out->to_early;
	out->programmed = pews && out->to_early <= pews;
	out->to_programmed = out->programmed || !pews ? 0 : out->to_early - pews;
}

void tape_place(const struct tape *tape, struct cartridge *c, struct tape_place *out)
{
	tape_place_within(tape, c, UINT64_MAX, out);
}

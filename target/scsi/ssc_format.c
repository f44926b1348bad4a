/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FORMAT MEDIUM, SET CAPACITY and ALLOW OVERWRITE: partitions, the size of the medium, and what may
 * be written over while the unit only appends.
 */
#include <string.h>

#include "scsi/ssc.h"

/* --- append-only mode (SSC-4 4.2.19) -------------------------------------------------------- */

enum { ALLOW_NONE, ALLOW_HERE, ALLOW_FORMAT };

/* What has been allowed is allowed once, and for the place where the tape stands. */
bool tape_may_overwrite(struct scsi_task *t, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	struct cartridge_position at;
	bool here;

	if (!atomic_load(&tape->append_only))
		return true;
	cartridge_position(c, &at);
	here = tape->allowed == ALLOW_HERE && tape->allowed_partition == at.partition &&
	       tape->allowed_object == at.object;
	if (here)
		tape->allowed = ALLOW_NONE;
	if (at.eod || here)
		return true;
	tape_check(t, SENSE_DATA_PROTECT, ASC_WRITE_APPEND_POSITION_ERROR, 0);
	return false;
}

static void allow_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	struct cartridge_position at;

	cartridge_position(c, &at);
	if (j->code == ALLOW_HERE && (at.partition != j->partition || at.object != j->object)) {
		tape->allowed = ALLOW_NONE;
		tape_check(t, SENSE_ILLEGAL_REQUEST, ASC_SEQUENTIAL_POSITIONING_ERROR, 0);
		return;
	}
	tape->allowed = j->code;
	tape->allowed_partition = at.partition;
	tape->allowed_object = at.object;
}

/* ALLOW OVERWRITE (SSC-4 7.1). */
static enum scsi_next allow_overwrite(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);

	if (!j)
		return SCSI_DONE;
	j->code = t->cdb[2] & 0x0f;
	j->partition = t->cdb[3];
	j->object = be64(t->cdb + 4);
	if (j->code > ALLOW_FORMAT)
		return task_bad_cdb(t, 2, 3);
	if (!atomic_load(&tape_of(t)->append_only))
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_COMMAND_SEQUENCE_ERROR);
	return tape_submit(t, allow_run);
}

/* --- what both have in common --------------------------------------------------------------- */

/* All data go: only from the beginning, and in append-only mode only when that is allowed. */
static bool may_begin_anew(struct scsi_task *t, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	struct cartridge_position at;

	cartridge_position(c, &at);
	if (!at.bop || at.partition) {
		tape_check(t, SENSE_ILLEGAL_REQUEST, ASC_POSITION_PAST_BEGINNING, 0);
		return false;
	}
	if (!atomic_load(&tape->append_only))
		return true;
	if (tape->allowed == ALLOW_FORMAT) {
		tape->allowed = ALLOW_NONE;
		return true;
	}
	tape_check(t, SENSE_DATA_PROTECT, ASC_WRITE_APPEND_POSITION_ERROR, 0);
	return false;
}

static void begun_anew(struct scsi_task *t, enum cartridge_result r)
{
	struct tape *tape = tape_of(t);

	tape->dirty = false;
	tape_failed(t, r, true);
	if (r == CARTRIDGE_OK)
		drive_formatted(tape->drive);
}

/* --- FORMAT MEDIUM (SSC-4 7.21) ------------------------------------------------------------- */

enum { DEFAULT_FORMAT, PARTITIONED, DEFAULT_AND_PARTITIONED };

#define FDP 0x80 /* of the medium partition page, byte 4 */
#define SDP 0x40
#define IDP 0x20
#define REST 0xffff

/* PSUM, and where it says so the unit in powers of ten (SSC-4 8.3.8). */
static uint64_t unit_of(const uint8_t *page)
{
	uint64_t unit = 1;

	switch (page[4] >> 3 & 0x03) {
	case 0: return 1;
	case 1: return 1000;
	case 2: return 1000000;
	default: break;
	}
	for (unsigned i = 0; i < (page[6] & 0x0f); i++)
		unit *= 10;
	return unit;
}

/* Sizes that the host has set; one of them may be what the others leave. Those that are less than a
 * partition can have are rounded up, as mkltfs counts on. False: they do not fit. */
static bool sizes_of_host(const uint8_t *page, uint64_t total, uint64_t *size, unsigned n)
{
	uint64_t left = total, unit = unit_of(page);
	int rest = -1;

	for (unsigned i = 0; i < n; i++) {
		uint16_t v = be16(page + 8 + 2 * i);

		if (v == REST && rest >= 0)
			return false;
		if (v == REST) {
			rest = (int)i;
			continue;
		}
		if (unit > left || v > left / unit)
			return false;
		size[i] = v * unit;
		if (v && size[i] < CARTRIDGE_CAPACITY_MIN)
			size[i] = CARTRIDGE_CAPACITY_MIN;
		if (size[i] > left)
			return false;
		left -= size[i];
	}
	if (rest >= 0)
		size[rest] = left;
	return true;
}

/* Partitions of the sizes that the drive finds good: equal ones, or with FDP a small second one. */
static void sizes_of_drive(bool fixed, uint64_t total, uint64_t *size, unsigned n)
{
	uint64_t share = fixed ? total / 40 : total / n;

	size[0] = total;
	for (unsigned i = 1; i < n; i++) {
		size[i] = share < CARTRIDGE_CAPACITY_MIN ? CARTRIDGE_CAPACITY_MIN : share;
		size[0] -= size[i] < size[0] ? size[i] : size[0];
	}
}

static void format_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	uint64_t total = cartridge_info(c)->usable, size[CARTRIDGE_PARTITIONS] = { total };
	unsigned n = j->code == DEFAULT_FORMAT ? 1 : j->page[3] + 1u;

	if (!may_begin_anew(t, c))
		return;
	if (n > CARTRIDGE_PARTITIONS) {
		task_bad_cdb(t, 2, 3);
		return;
	}
	if (n > 1 && !(j->page[4] & IDP)) {
		sizes_of_drive(j->page[4] & FDP, total, size, n);
	} else if (n > 1 && !sizes_of_host(j->page, total, size, n)) {
		task_bad_cdb(t, 2, 3);
		return;
	}
	begun_anew(t, cartridge_format(c, size, n));
}

/* FORMAT MEDIUM: partitions are those of the medium partition page. */
static enum scsi_next format_medium(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);
	struct lu *lu = t->itl->lu;

	if (!j)
		return SCSI_DONE;
	j->code = t->cdb[2] & 0x0f;
	if (j->code > DEFAULT_AND_PARTITIONED)
		return task_bad_cdb(t, 2, 3);
	if (be16(t->cdb + 3)) /* there is no list */
		return task_bad_cdb(t, 3, -1);
	pthread_mutex_lock(&lu->lock);
	memcpy(j->page, mode_values(lu, 0x11, 0), sizeof(j->page));
	pthread_mutex_unlock(&lu->lock);
	return tape_submit(t, format_run);
}

/* --- SET CAPACITY (SSC-4 7.22) -------------------------------------------------------------- */

static void capacity_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	uint64_t total = cartridge_info(c)->capacity;
	uint64_t size = (uint64_t)((unsigned __int128)total * j->object / UINT16_MAX);

	if (!may_begin_anew(t, c))
		return;
	if (size < CARTRIDGE_CAPACITY_MIN)
		size = CARTRIDGE_CAPACITY_MIN;
	begun_anew(t, cartridge_set_capacity(c, size));
}

/* SET CAPACITY: that part of 65,535 of the medium is used from now on, by whatever partitions a
 * FORMAT MEDIUM makes, until the next one. */
static enum scsi_next set_capacity(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);

	if (!j)
		return SCSI_DONE;
	j->object = be16(t->cdb + 3);
	return tape_submit(t, capacity_run);
}

// clang-format off
const struct scsi_op ssc_format_ops[] = {
	{ 0x04, NO_SERVICE, .name = "FORMAT MEDIUM", .start = format_medium,
	  .cancel = tape_cancel, .stops = STOPS_WRITE, .usage = { 0x04, 0x03, 0x0f, FF2, 0x04 } },
	{ 0x0b, NO_SERVICE, .name = "SET CAPACITY", .start = set_capacity,
	  .cancel = tape_cancel, .stops = STOPS_WRITE, .usage = { 0x0b, 0x01, 0, FF2, 0x04 } },
	{ 0x82, NO_SERVICE, .name = "ALLOW OVERWRITE", .start = allow_overwrite,
	  .cancel = tape_cancel, .stops = TAPE_STOPS,
	  .usage = { 0x82, 0, 0x0f, 0xff, FF4, FF4, 0, 0, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The medium as a whole: LOAD UNLOAD, ERASE, READ BLOCK LIMITS, REPORT DENSITY SUPPORT.
 */
#include <errno.h>
#include <string.h>

#include "scsi/ssc.h"

/* --- LOAD UNLOAD ---------------------------------------------------------------------------- */

#define LOAD 0x01
#define EOT  0x04
#define HOLD 0x08

static void absent(struct scsi_task *t)
{
	struct sense s = lu_absence(t->itl->lu);

	task_check(t, s.key, s.asc);
}

/* The other initiators learn that the medium may have changed. */
static void tell_others(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;

	pthread_mutex_lock(&lu->lock);
	lu_attention(lu, t->itl, UA_MEDIUM_CHANGED);
	pthread_mutex_unlock(&lu->lock);
}

static void load_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct tape *tape = tape_of(t);

	(void)j;
	if (c) {
		if (tape_settle(t, c))
			tape_failed(t, cartridge_locate(c, 0, 0), false);
		return;
	}
	tape->dirty = false;
	if (drive_load(tape->drive) || !drive_cartridge(tape->drive)) {
		absent(t);
		return;
	}
	tell_others(t);
	if (t->cdb[4] & HOLD)
		drive_unload(tape->drive, true);
}

static void unload_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	int err;

	(void)j;
	(void)c;
	if (!drive_removable(tape->drive)) { /* MEDIUM REMOVAL PREVENTED */
		tape_alert(tape, ALERT_NO_REMOVAL);
		task_check(t, SENSE_ILLEGAL_REQUEST, ASC_MEDIUM_REMOVAL_PREVENTED);
		return;
	}
	tape->dirty = false;
	err = drive_unload(tape->drive, t->cdb[4] & HOLD);
	if (err) /* WRITE ERROR: what was not synced may be lost */
		task_check(t, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
	else if (!drive_full(tape->drive))
		absent(t);
}

/* LOAD UNLOAD (SSC-4 7.2). There is no tension to renew, and no wait that IMMED would spare. */
static enum scsi_next load_unload(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);
	bool load = t->cdb[4] & LOAD;

	if (!j)
		return SCSI_DONE;
	if (load && t->cdb[4] & EOT)
		return task_bad_cdb(t, 4, 2);
	j->without = true;
	return tape_submit(t, load ? load_run : unload_run);
}

/* --- ERASE ---------------------------------------------------------------------------------- */

static void erase_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	enum cartridge_result r;

	if (!tape_go(t, j, c) || !tape_may_overwrite(t, c))
		return;
	r = cartridge_erase(c);
	tape_failed(t, r, true);
	if (r == CARTRIDGE_OK) {
		tape_of(t)->dirty = true;
		tape_settle(t, c);
	}
}

/* ERASE(6), (16) (SSC-4 7.12, 7.13): long or short, what follows the position is gone. */
static enum scsi_next erase(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);

	if (!j)
		return SCSI_DONE;
	j->at_object = t->cdb[0] >= 0x80;
	if (j->at_object) {
		j->partition = t->cdb[3];
		j->object = be64(t->cdb + 4);
	}
	return tape_submit(t, erase_run);
}

/* --- READ BLOCK LIMITS ---------------------------------------------------------------------- */

/* READ BLOCK LIMITS (SSC-4 7.14): with MLOI the highest logical object identifier. */
static enum scsi_next read_block_limits(struct scsi_task *t)
{
	struct wr w;

	if (!reply_open(t, &w, 20))
		return SCSI_DONE;
	if (t->cdb[1] & 0x01) {
		wr_zero(&w, 12);
		wr_be64(&w, INT64_MAX);
		return reply_close(t, &w, 20);
	}
	wr_u8(&w, 0); /* GRANULARITY: any length */
	wr_be24(&w, CARTRIDGE_BLOCK_MAX);
	wr_be16(&w, 1);
	return reply_close(t, &w, 6);
}

/* --- REPORT DENSITY SUPPORT ----------------------------------------------------------------- */

#define WRTOK 0x80
#define DEFLT 0x20

/* Text in a field of its own, padded with blanks. */
static void wr_text(struct wr *w, const char *text, size_t width)
{
	char field[20];

	memset(field, ' ', sizeof(field));
	memcpy(field, text, strlen(text) < width ? strlen(text) : width);
	wr_bytes(w, field, width);
}

/* Density support data block descriptor (SSC-4 table 61). */
static void wr_density(struct wr *w, unsigned drive, const struct media *m)
{
	wr_u8(w, m->density);
	wr_u8(w, m->density);
	wr_u8(w, (uint8_t)((media_writes(drive, m) ? WRTOK : 0) |
			   (m->generation == drive ? DEFLT : 0)));
	wr_be16(w, 0);
	wr_be24(w, m->bits_per_mm);
	wr_be16(w, m->width);
	wr_be16(w, m->tracks);
	wr_be32(w, (uint32_t)(m->capacity / 1000000));
	wr_text(w, "LTO-CVE", 8);
	wr_text(w, m->density_name, 8);
	wr_text(w, m->description, 20);
}

/* Medium type descriptor (SSC-4 table 62). */
static void wr_medium_type(struct wr *w, const struct media *m, bool worm)
{
	wr_u8(w, worm ? m->worm_medium_type : m->medium_type);
	wr_u8(w, 0);
	wr_be16(w, 52);
	wr_u8(w, 1); /* NUMBER OF DENSITY CODES */
	wr_u8(w, m->density);
	wr_zero(w, 8);
	wr_be16(w, m->width);
	wr_be16(w, m->length);
	wr_be16(w, 0);
	wr_text(w, "LTO-CVE", 8);
	wr_text(w, m->name, 8);
	wr_text(w, worm ? "Ultrium WORM" : "Ultrium Data", 20);
}

static void wr_media(struct wr *w, unsigned drive, const struct media *m, bool types)
{
	if (!types) {
		wr_density(w, drive, m);
		return;
	}
	wr_medium_type(w, m, false);
	wr_medium_type(w, m, true);
}

/* REPORT DENSITY SUPPORT (SSC-4 7.15): of the drive, or of the medium that is in it. */
static enum scsi_next report_density(struct scsi_task *t)
{
	struct tape *tape = tape_of(t);
	bool types = t->cdb[1] & 0x02;
	unsigned generation = drive_generation(tape->drive);
	struct drive_medium in;
	struct wr w;

	drive_medium(tape->drive, &in);
	if (t->cdb[1] & 0x01 && in.state != DRIVE_LOADED)
		return absent(t), SCSI_DONE;
	if (!reply_open(t, &w, 512))
		return SCSI_DONE;
	wr_be32(&w, 0);
	if (!(t->cdb[1] & 0x01)) {
		for (const struct media *m = NULL; (m = media_next(m));)
			if (media_reads(generation, m))
				wr_media(&w, generation, m, types);
	} else if (types) {
		wr_medium_type(&w, in.media, in.worm);
	} else {
		wr_density(&w, generation, in.media);
	}
	put_be16(w.buf, (uint16_t)(w.len - 2));
	return reply_close(t, &w, be16(t->cdb + 7));
}

// clang-format off
const struct scsi_op ssc_medium_ops[] = {
	{ 0x05, NO_SERVICE, .name = "READ BLOCK LIMITS", .start = read_block_limits,
	  .stops = STOPS_QUERY, .usage = { 0x05, 0x01, 0, 0, 0, 0x04 } },
	{ 0x19, NO_SERVICE, .name = "ERASE(6)", .start = erase, .cancel = tape_cancel,
	  .stops = STOPS_WRITE, .usage = { 0x19, 0x03, 0, 0, 0, 0x04 } },
	{ 0x1b, NO_SERVICE, .name = "LOAD UNLOAD", .start = load_unload, .cancel = tape_cancel,
	  .stops = STOPS_CHANGE, .usage = { 0x1b, 0x01, 0, 0, 0x0f, 0x04 } },
	{ 0x44, NO_SERVICE, .name = "REPORT DENSITY SUPPORT", .start = report_density,
	  .stops = STOPS_QUERY, .usage = { 0x44, 0x03, 0, 0, 0, 0, 0, FF2, 0x04 } },
	{ 0x93, NO_SERVICE, .name = "ERASE(16)", .start = erase, .cancel = tape_cancel,
	  .stops = STOPS_WRITE, .usage = { 0x93, 0x03, 0, 0xff, FF4, FF4, 0, 0, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on

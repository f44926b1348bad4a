/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * READ, WRITE and WRITE FILEMARKS: blocks of variable and of fixed length, and what the tape has to
 * say beside the data.
 */
#include "scsi/ssc.h"

#include "scsi/nexus.h"

#define FIXED_BIT 0x01
#define SILI_BIT  0x02
#define IMMED_BIT 0x01

/* --- what is asked for ---------------------------------------------------------------------- */

struct tape_job *tape_transfer(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);
	const uint8_t *cdb = t->cdb;

	if (!j)
		return NULL;
	j->at_object = cdb[0] >= 0x80;
	j->len = be24(cdb + (j->at_object ? 12 : 2));
	j->fixed = cdb[1] & FIXED_BIT;
	if (j->at_object) {
		j->partition = cdb[3];
		j->object = be64(cdb + 4);
	}
	return j;
}

static unsigned length_field(const struct tape_job *j)
{
	return j->at_object ? 12 : 2;
}

bool tape_total(struct scsi_task *t, const struct tape_job *j, uint32_t *bytes)
{
	uint64_t n = j->fixed ? (uint64_t)j->len * j->block_len : j->len;

	if (j->fixed && !j->block_len)
		return task_bad_cdb(t, 1, 0), false;
	if (j->fixed && n > BUFS_MAX)
		return task_bad_cdb(t, length_field(j), -1), false;
	*bytes = (uint32_t)n;
	return true;
}

bool tape_go(struct scsi_task *t, const struct tape_job *j, struct cartridge *c)
{
	struct cartridge_position at;
	enum cartridge_result r;

	if (!j->at_object)
		return true;
	cartridge_position(c, &at);
	if (at.partition == j->partition && at.object == j->object)
		return true;
	if (!tape_settle(t, c))
		return false;
	r = cartridge_locate(c, j->partition, j->object);
	tape_failed(t, r, false);
	return r == CARTRIDGE_OK;
}

/* --- READ ----------------------------------------------------------------------------------- */

/* What was read goes out as far as there is room for it. */
static void give(struct scsi_task *t, uint32_t len)
{
	uint32_t n = len < t->buf_len ? len : t->buf_len;

	t->iov[0] = (struct iovec){ t->buf, t->buf ? n : 0 };
	t->in = (struct sg){ t->iov, t->buf && n, len };
}

/* REW: that the tape is past early warning is told of reads that went well, too. */
static void maybe_tell_early(struct scsi_task *t, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	struct tape_place p;

	if (!atomic_load_explicit(&tape->report_early, memory_order_relaxed))
		return;
	tape_place(tape, c, &p);
	if (p.early)
		tape_check_left(t, SENSE_NO_SENSE, ASC_END_OF_PARTITION, TAPE_EOM, 0);
}

/* An incorrect length is not told where SILI says so, but that of a block that is longer only when
 * blocks have no length of their own (SSC-4 7.5, table 38). */
static bool length_matters(const struct tape_job *j, uint32_t length)
{
	if (length == j->len)
		return false;
	return !j->sili || (length > j->len && j->block_len);
}

/* The next block, with its guard where the host wants it; the length is what the host sees. */
static enum cartridge_result read_block(struct scsi_task *t, const struct tape_job *j,
	struct cartridge *c, uint8_t *buf, size_t size, uint32_t *length)
{
	struct cartridge_block got;
	enum cartridge_result r = tape_read(t, c, buf, size, &got);

	if (r != CARTRIDGE_OK)
		return r;
	*length = got.length + (j->guard_read ? TAPE_GUARD : 0);
	if (j->guard_read && buf)
		tape_add_guard(j->guard_read, buf, got.length, size);
	return r;
}

static void read_variable(struct scsi_task *t, const struct tape_job *j, struct cartridge *c)
{
	uint32_t length;
	enum cartridge_result r = read_block(t, j, c, t->buf, t->buf ? t->buf_len : 0, &length);

	if (r != CARTRIDGE_OK) {
		tape_stopped(t, j, c, r, false, j->len);
		return;
	}
	give(t, length < j->len ? length : j->len);
	if (length_matters(j, length))
		tape_check_left(
			t, SENSE_NO_SENSE, 0, TAPE_ILI, (int64_t)j->len - (int64_t)length);
	else
		maybe_tell_early(t, c);
}

/* Blocks up to the first that is not as long as they should be: that one is passed over. */
static void read_fixed(struct scsi_task *t, const struct tape_job *j, struct cartridge *c)
{
	uint32_t n;

	for (n = 0; n < j->len; n++) {
		uint32_t off = n * j->block_len, length;
		uint32_t room = t->buf && off < t->buf_len ? t->buf_len - off : 0;
		enum cartridge_result r = read_block(t, j, c, room ? (uint8_t *)t->buf + off : NULL,
			room < j->block_len ? room : j->block_len, &length);

		if (r != CARTRIDGE_OK) {
			tape_stopped(t, j, c, r, false, j->len - n);
			break;
		}
		if (length != j->block_len) {
			tape_check_left(t, SENSE_NO_SENSE, 0, TAPE_ILI, (int64_t)j->len - n);
			break;
		}
	}
	give(t, n * j->block_len);
	if (n == j->len)
		maybe_tell_early(t, c);
}

static void read_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	if (!tape_go(t, j, c))
		return;
	if (j->fixed)
		read_fixed(t, j, c);
	else
		read_variable(t, j, c);
}

/* READ(6), READ(16) (SSC-4 7.5, 7.6). */
static enum scsi_next read_start(struct scsi_task *t)
{
	struct tape_job *j = tape_transfer(t);
	uint32_t bytes;

	if (!j)
		return SCSI_DONE;
	j->sili = t->cdb[1] & SILI_BIT;
	if (j->fixed && j->sili)
		return task_bad_cdb(t, 1, 1);
	if (!tape_total(t, j, &bytes))
		return SCSI_DONE;
	if (!j->len)
		return task_good(t);
	if (bytes > t->expect)
		bytes = t->expect;
	if (!j->fixed && bytes > CARTRIDGE_BLOCK_MAX + TAPE_GUARD)
		bytes = CARTRIDGE_BLOCK_MAX + TAPE_GUARD;
	if (bytes && !task_buf(t, bytes))
		return SCSI_DONE;
	return tape_submit(t, read_run);
}

/* --- WRITE ---------------------------------------------------------------------------------- */

/* Early warning of a write that went well (SSC-4 7.8): all of it is on the tape, and durable, as
 * SEW of the device configuration page promises. */
static void written(struct scsi_task *t, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	struct tape_place p;
	bool news;

	tape_appended(tape, t->itl, c, &p);
	news = p.programmed && !tape->past_pew;
	tape->past_pew = p.programmed;
	if (p.early && !tape_settle(t, c))
		return;
	if (p.early)
		tape_check_left(t, SENSE_NO_SENSE, ASC_END_OF_PARTITION, TAPE_EOM, 0);
	else if (news)
		tape_check_left(t, SENSE_NO_SENSE, ASC_EARLY_WARNING, TAPE_EOM, 0);
}

/* At the end of the partition: what the residual says has been written is durable as well. False: it
 * is not, and the task has its status. */
static bool ended(struct scsi_task *t, struct cartridge *c, enum cartridge_result r)
{
	return (r != CARTRIDGE_FULL && r != CARTRIDGE_NO_SPACE) || tape_settle(t, c);
}

static void write_failed(struct scsi_task *t, struct tape_job *j, struct cartridge *c,
	enum cartridge_result r, uint64_t left)
{
	if (ended(t, c, r))
		tape_stopped(t, j, c, r, true, left);
}

static void write_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	struct cartridge_write_how how = { .compress = atomic_load(&tape->compress),
		.protected = j->guard_write,
		.key = tape_write_key(tape) };
	struct iovec iov = { t->buf, t->buf_len };
	size_t len = j->fixed ? j->block_len : j->len, count = j->fixed ? j->len : 1, done;
	enum cartridge_result r;
	bool wrong = false;

	if (!tape_go(t, j, c) || !tape_may_overwrite(t, c))
		return;
	if (j->guard_write)
		r = tape_write_guarded(c, j->guard_write, t->buf, len, count, &how, &done, &wrong);
	else
		r = cartridge_write(c, &iov, 1, len, count, &how, &done);
	tape->dirty = tape->dirty || done;
	if (wrong)
		tape_check_left(t, SENSE_HARDWARE_ERROR, ASC_BLOCK_GUARD_CHECK_FAILED, 0,
			j->fixed ? (int64_t)(count - done) : (int64_t)j->len);
	else if (r != CARTRIDGE_OK)
		write_failed(t, j, c, r, j->fixed ? count - done : j->len);
	else if (!atomic_load(&tape->unbuffered) || tape_settle(t, c))
		written(t, c);
}

static enum scsi_next write_data(struct scsi_task *t)
{
	if (t->got < t->out.len) /* INVALID FIELD IN COMMAND INFORMATION UNIT: no part is written */
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	if (tape_write_behind(t, tape_job(t)))
		return task_good(t);
	return tape_submit(t, write_run);
}

/* A guard needs a block before it. */
static bool too_short(const struct tape_job *j)
{
	return j->guard_write && (j->fixed ? j->block_len : j->len) <= TAPE_GUARD;
}

/* WRITE(6), WRITE(16) (SSC-4 7.8, 7.9). */
static enum scsi_next write_start(struct scsi_task *t)
{
	struct tape_job *j = tape_transfer(t);
	uint32_t bytes;

	if (!j || !tape_total(t, j, &bytes))
		return SCSI_DONE;
	if (!j->fixed && bytes > CARTRIDGE_BLOCK_MAX)
		return task_bad_cdb(t, length_field(j), -1);
	if (!j->len)
		return task_good(t);
	if (too_short(j))
		return task_bad_cdb(t, length_field(j), -1);
	if (!(t->dir & SCSI_DIR_OUT) || t->expect < bytes)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_COMMAND_IU);
	return list_wanted(t, bytes);
}

/* --- WRITE FILEMARKS ------------------------------------------------------------------------ */

static void filemarks_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	uint64_t done;
	enum cartridge_result r;

	if (!tape_go(t, j, c) || !tape_may_overwrite(t, c))
		return;
	r = cartridge_write_filemarks(c, j->len, &done);
	tape->dirty = tape->dirty || done;
	if (r != CARTRIDGE_OK)
		write_failed(t, j, c, r, j->len - done);
	else if ((j->immed && j->len) || tape_settle(t, c))
		written(t, c);
}

/* WRITE FILEMARKS(6), (16) (SSC-4 7.10, 7.11). Without IMMED the status says that the filemarks,
 * and all that stands before them, are durable; that is so of no filemarks, too. */
static enum scsi_next write_filemarks(struct scsi_task *t)
{
	struct tape_job *j = tape_transfer(t);

	if (!j)
		return SCSI_DONE;
	if (t->cdb[1] & 0x02) /* WSMK: setmarks are obsolete */
		return task_bad_cdb(t, 1, 1);
	j->fixed = false;
	j->immed = t->cdb[1] & IMMED_BIT;
	return tape_submit(t, filemarks_run);
}

// clang-format off
const struct scsi_op ssc_rw_ops[] = {
	{ 0x08, NO_SERVICE, .name = "READ(6)", .start = read_start, .cancel = tape_cancel,
	  .stops = TAPE_STOPS, .usage = { 0x08, 0x03, FF2, 0xff, 0x04 } },
	{ 0x0a, NO_SERVICE, .name = "WRITE(6)", .start = write_start, .data = write_data,
	  .cancel = tape_cancel, .stops = STOPS_WRITE, .usage = { 0x0a, 0x01, FF2, 0xff, 0x04 } },
	{ 0x10, NO_SERVICE, .name = "WRITE FILEMARKS(6)", .start = write_filemarks,
	  .cancel = tape_cancel, .stops = STOPS_WRITE, .usage = { 0x10, 0x01, FF2, 0xff, 0x04 } },
	{ 0x80, NO_SERVICE, .name = "WRITE FILEMARKS(16)", .start = write_filemarks,
	  .cancel = tape_cancel, .stops = STOPS_WRITE,
	  .usage = { 0x80, 0x01, 0, 0xff, FF4, FF4, FF2, 0xff, 0x04 } },
	{ 0x88, NO_SERVICE, .name = "READ(16)", .start = read_start, .cancel = tape_cancel,
	  .stops = TAPE_STOPS, .usage = { 0x88, 0x03, 0, 0xff, FF4, FF4, FF2, 0xff, 0x04 } },
	{ 0x8a, NO_SERVICE, .name = "WRITE(16)", .start = write_start, .data = write_data,
	  .cancel = tape_cancel, .stops = STOPS_WRITE,
	  .usage = { 0x8a, 0x01, 0, 0xff, FF4, FF4, FF2, 0xff, 0x04 } },
	{ .name = NULL },
};
// clang-format on

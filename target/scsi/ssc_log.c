/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LOG SENSE of tapes (SSC-4 8.2): pages as rows, parameters as rows where they are but numbers. What
 * the pages tell is gathered once, in a job, and told from there.
 */
#include <string.h>

#include "scsi/ssc.h"

#define MB         1000000u
#define LOG_MAX    2048u
#define LBIN       0x03 /* FORMAT AND LINKING: a number or list in binary */
#define ASCII_LIST 0x01

/* Everything that is known. */
struct facts {
	struct drive *drive;
	struct drive_status s;
	struct cartridge_counters life;
	char serial[33];  /* of the medium */
	bool early;
	struct cartridge_usage use[CARTRIDGE_PARTITIONS];
	struct cartridge_usage in; /* of the partition that the tape is in */
	uint64_t early_warning;    /* bytes, of that partition */
	uint64_t alerts, untold; /* TapeAlert flags; those that this host has not read */
	bool compress;
};

/* Each host reads every flag once, whoever else reads it. */
static uint64_t untold(struct scsi_task *t)
{
	struct tape *tape = tape_of(t);
	uint64_t flags;

	pthread_mutex_lock(&tape->lu.lock);
	flags = tape->alerts & ~t->itl->alerts_told;
	pthread_mutex_unlock(&tape->lu.lock);
	return flags;
}

static void note_told(struct scsi_task *t, uint64_t flags)
{
	struct lu *lu = t->itl->lu;

	pthread_mutex_lock(&lu->lock);
	t->itl->alerts_told |= flags;
	pthread_mutex_unlock(&lu->lock);
}

static void gather(struct scsi_task *t, struct cartridge *c, struct facts *f)
{
	struct tape *tape = tape_of(t);

	*f = (struct facts){ .drive = tape->drive, .alerts = tape->alerts, .untold = untold(t),
		.compress = atomic_load(&tape->compress) };
	drive_status(tape->drive, &f->s);
	if (!c)
		return;
	cartridge_counters(c, &f->life, &f->s.load);
	cartridge_position(c, &f->s.position);
	memcpy(f->serial, cartridge_info(c)->serial, sizeof(f->serial));
	for (unsigned i = 0; i < f->s.medium.partitions; i++)
		cartridge_usage(c, i, &f->use[i]);
	f->in = f->use[f->s.position.partition];
	f->early_warning = media_early_warning(f->s.medium.media, f->in.capacity);
}

static bool loaded(const struct facts *f)
{
	return f->s.medium.media;
}

/* --- parameters ----------------------------------------------------------------------------- */

static void wr_param(struct wr *w, uint16_t code, uint8_t control, size_t len)
{
	wr_be16(w, code);
	wr_u8(w, control);
	wr_u8(w, (uint8_t)len);
}

/* A number that does not fit is the highest that does. */
static void wr_number(struct wr *w, uint16_t code, uint64_t v, unsigned len)
{
	wr_param(w, code, LBIN, len);
	if (len < 8 && v >> 8 * len)
		v = (UINT64_C(1) << 8 * len) - 1;
	for (unsigned i = len; i > 0; i--)
		wr_u8(w, (uint8_t)(v >> 8 * (i - 1)));
}

static void wr_text(struct wr *w, uint16_t code, const char *text, size_t width)
{
	char field[32];

	memset(field, ' ', sizeof(field));
	memcpy(field, text, strnlen(text, width));
	wr_param(w, code, ASCII_LIST, width);
	wr_bytes(w, field, width);
}

/* Compression ratio in percent; without data it is 1. */
static uint64_t ratio(uint64_t host, uint64_t medium)
{
	return medium ? (host * 100 + medium / 2) / medium : 100;
}

/* --- error counters: 02h, 03h (SPC-4 7.3.5) ------------------------------------------------- */

static void wr_errors(struct wr *w, uint64_t bytes, uint64_t errors)
{
	for (uint16_t code = 0; code < 5; code++)
		wr_number(w, code, 0, 4); /* nothing had to be corrected */
	wr_number(w, 5, bytes, 8);
	wr_number(w, 6, errors, 4);
}

static void write_errors(struct wr *w, const struct facts *f)
{
	wr_errors(w, f->s.total.host_written, f->s.total.write_errors);
}

static void read_errors(struct wr *w, const struct facts *f)
{
	wr_errors(w, f->s.total.host_read, f->s.total.read_errors);
}

/* --- 0Ch: sequential-access device ---------------------------------------------------------- */

static void sequential(struct wr *w, const struct facts *f)
{
	uint64_t unknown = UINT32_MAX, room = f->in.capacity - f->early_warning;

	wr_number(w, 0, f->s.load.host_written, 8);
	wr_number(w, 1, f->s.load.medium_written, 8);
	wr_number(w, 2, f->s.load.medium_read, 8);
	wr_number(w, 3, f->s.load.host_read, 8);
	wr_number(w, 4, loaded(f) ? f->in.used / MB : unknown, 4);
	wr_number(w, 5, loaded(f) ? room / MB : unknown, 4);
	wr_number(w, 6, loaded(f) ? f->early_warning / MB : unknown, 4);
	wr_number(w, 7, loaded(f) ? f->in.before / MB : unknown, 4);
	wr_number(w, 8, 0, 4);
	wr_number(w, 0x0100, 0, 1); /* no cleaning is asked for */
	wr_number(w, 0x8000, (f->s.total.host_written + f->s.total.host_read) / MB, 4);
}

/* --- 11h: device status (SSC-4 8.2.3, as ADC-3 has it) -------------------------------------- */

#define PREVENTED   0x80 /* byte 0 of the very high frequency data */
#define MAM_READY   0x20
#define COMPRESSING 0x10
#define PROTECTED   0x08
#define INITIALIZED 0x01
#define PRESENT     0x10 /* byte 1 */
#define SEATED      0x04
#define THREADED    0x02
#define MOUNTED     0x01

static void device_status(struct wr *w, const struct facts *f)
{
	bool here = f->s.medium.barcode[0], ready = f->s.medium.state == DRIVE_LOADED;

	wr_param(w, 0, LBIN, 4);
	wr_u8(w, (uint8_t)((f->s.prevented ? PREVENTED : 0) | (loaded(f) ? MAM_READY : 0) |
			   (f->compress ? COMPRESSING : 0) |
			   (f->s.medium.write_protect ? PROTECTED : 0) | INITIALIZED));
	wr_u8(w, (uint8_t)((here ? PRESENT | SEATED : 0) | (ready ? THREADED | MOUNTED : 0)));
	wr_u8(w, 0); /* no activity: this command is what the drive does */
	wr_u8(w, f->untold ? 0x01 : 0); /* TAFC */
	wr_number(w, 1, 1000, 2); /* polling delay, milliseconds */
}

/* --- TapeAlert: 12h, 2Eh (SSC-4 8.2.4, 8.2.7) ----------------------------------------------- */

static void alert_response(struct wr *w, const struct facts *f)
{
	wr_number(w, 0, f->alerts, 8);
}

static void alerts(struct wr *w, const struct facts *f)
{
	for (uint16_t flag = 1; flag <= 64; flag++)
		wr_number(w, flag, f->untold >> (64 - flag) & 1, 1);
}

/* --- 14h: device statistics ----------------------------------------------------------------- */

static void device_statistics(struct wr *w, const struct facts *f)
{
	wr_number(w, 0x0000, f->s.loads, 4);
	wr_number(w, 0x0001, 0, 4); /* cleanings */
	wr_number(w, 0x0004, 0, 4);
	wr_number(w, 0x000c, f->s.total.write_errors, 4);
	wr_number(w, 0x000d, f->s.total.read_errors, 4);
	wr_text(w, 0x0040, drive_serial(f->drive), 32);
	wr_text(w, 0x0041, drive_serial(f->drive), 32);
	wr_number(w, 0x0080, f->s.prevented, 1);
	wr_number(w, 0x0081, 0, 1);
}

/* --- 17h: volume statistics ----------------------------------------------------------------- */

/* One of the lists by partition: length of what follows, partition, figure. */
static void wr_partitions(struct wr *w, uint16_t code, const struct facts *f,
	uint64_t (*figure)(const struct cartridge_usage *u))
{
	wr_param(w, code, LBIN, 8u * f->s.medium.partitions);
	for (unsigned i = 0; i < f->s.medium.partitions; i++) {
		wr_u8(w, 7);
		wr_u8(w, 0);
		wr_be16(w, (uint16_t)i);
		wr_be32(w, (uint32_t)(figure(&f->use[i]) / MB));
	}
}

static uint64_t capacity_of(const struct cartridge_usage *u)
{
	return u->capacity;
}

static uint64_t used_of(const struct cartridge_usage *u)
{
	return u->used;
}

static uint64_t left_of(const struct cartridge_usage *u)
{
	return u->used < u->capacity ? u->capacity - u->used : 0;
}

static uint64_t sum(const struct facts *f, uint64_t (*figure)(const struct cartridge_usage *u))
{
	uint64_t n = 0;

	for (unsigned i = 0; i < f->s.medium.partitions; i++)
		n += figure(&f->use[i]);
	return n;
}

static void volume_numbers(struct wr *w, const struct facts *f)
{
	wr_number(w, 0x0001, f->life.loads, 4);
	wr_number(w, 0x0002, f->life.blocks_written, 8);
	wr_number(w, 0x0003, 0, 4);
	wr_number(w, 0x0004, f->life.write_errors, 2);
	wr_number(w, 0x0005, 0, 2);
	wr_number(w, 0x0006, 0, 2);
	wr_number(w, 0x0007, f->life.blocks_read, 8);
	wr_number(w, 0x0008, 0, 4);
	wr_number(w, 0x0009, f->life.read_errors, 2);
	wr_number(w, 0x000c, f->s.load.write_errors, 2);
	wr_number(w, 0x000d, f->s.load.read_errors, 2);
	wr_number(w, 0x000e, f->s.load.host_written / MB, 4);
	wr_number(w, 0x000f, f->s.load.host_read / MB, 4);
	wr_number(w, 0x0010, f->life.host_written / MB, 8);
	wr_number(w, 0x0011, f->life.host_read / MB, 8);
	wr_number(w, 0x0012, ratio(f->s.load.host_written, f->s.load.medium_written), 4);
	wr_number(w, 0x0013, ratio(f->s.load.host_read, f->s.load.medium_read), 4);
	wr_number(w, 0x0016, sum(f, capacity_of) / MB, 4);
	wr_number(w, 0x0017, sum(f, used_of) / MB, 4);
}

static void volume_statistics(struct wr *w, const struct facts *f)
{
	wr_number(w, 0x0000, loaded(f), 1); /* PAGE VALID */
	if (!loaded(f))
		return;
	volume_numbers(w, f);
	wr_text(w, 0x0040, f->serial, 32);
	wr_text(w, 0x0042, f->s.medium.barcode, 32);
	wr_text(w, 0x0043, "CNTRSIGN", 8);
	wr_text(w, 0x0045, f->s.medium.media->name, 9);
	wr_number(w, 0x0080, f->s.medium.write_protect, 1);
	wr_number(w, 0x0081, f->s.medium.worm, 1);
	wr_partitions(w, 0x0202, f, capacity_of);
	wr_partitions(w, 0x0203, f, used_of);
	wr_partitions(w, 0x0204, f, left_of);
}

/* --- compression: 1Bh (SSC-4 8.2.6), and IBM's 32h, which has the same parameters ----------- */

static void wr_transferred(struct wr *w, uint16_t code, uint64_t bytes)
{
	wr_number(w, code, bytes / MB, 4);
	wr_number(w, (uint16_t)(code + 1), bytes % MB, 4);
}

static void compression(struct wr *w, const struct facts *f)
{
	const struct cartridge_counters *n = &f->s.load;

	wr_number(w, 0, ratio(n->host_read, n->medium_read), 2);
	wr_number(w, 1, ratio(n->host_written, n->medium_written), 2);
	wr_transferred(w, 2, n->host_read);
	wr_transferred(w, 4, n->medium_read);
	wr_transferred(w, 6, n->host_written);
	wr_transferred(w, 8, n->medium_written);
}

static void data_compression(struct wr *w, const struct facts *f)
{
	compression(w, f);
	wr_number(w, 0x0100, f->compress, 1);
}

/* --- IBM's own: 30h tape usage, 31h tape capacity ------------------------------------------- */

static void tape_usage(struct wr *w, const struct facts *f)
{
	wr_number(w, 1, f->life.loads, 4);
	wr_number(w, 2, f->life.blocks_written, 8);
	wr_number(w, 3, 0, 4);
	wr_number(w, 4, f->life.write_errors, 2);
	wr_number(w, 5, 0, 2);
	wr_number(w, 6, 0, 2);
	wr_number(w, 7, f->life.blocks_read, 8);
	wr_number(w, 8, 0, 4);
	wr_number(w, 9, f->life.read_errors, 2);
	wr_number(w, 10, 0, 2);
	wr_number(w, 11, 0, 2);
}

/* Of two partitions, in MiB: what remains, what there is at most. */
static void tape_capacity(struct wr *w, const struct facts *f)
{
	for (uint16_t i = 0; i < 2; i++)
		wr_number(w, (uint16_t)(1 + i), left_of(&f->use[i]) >> 20, 4);
	for (uint16_t i = 0; i < 2; i++)
		wr_number(w, (uint16_t)(3 + i), f->use[i].capacity >> 20, 4);
}

/* --- the pages ------------------------------------------------------------------------------ */

struct log_page {
	uint8_t code;
	void (*write)(struct wr *w, const struct facts *f); /* NULL: the list of pages */
};

static const struct log_page pages[] = {
	{ 0x00, NULL },
	{ 0x02, write_errors },
	{ 0x03, read_errors },
	{ 0x0c, sequential },
	{ 0x11, device_status },
	{ 0x12, alert_response },
	{ 0x14, device_statistics },
	{ 0x17, volume_statistics },
	{ 0x1b, data_compression },
	{ 0x2e, alerts },
	{ 0x30, tape_usage },
	{ 0x31, tape_capacity },
	{ 0x32, compression },
};

#define PAGES (sizeof(pages) / sizeof(pages[0]))

static void supported(struct wr *w, bool subpages)
{
	for (size_t i = 0; i < PAGES; i++) {
		wr_u8(w, pages[i].code);
		if (subpages)
			wr_u8(w, 0);
	}
	if (subpages)
		wr_be16(w, 0x00ff);
}

/* Takes out the parameters before the PARAMETER POINTER. */
static void begin_at(struct wr *w, uint16_t pointer)
{
	size_t at = 4;

	while (at + 4 <= w->len && be16(w->buf + at) < pointer)
		at += 4 + w->buf[at + 3];
	memmove(w->buf + 4, w->buf + at, w->len - at);
	w->len -= at - 4;
}

/* The answer has been opened on the loop. Flags that this host has read are told it no
 * more. */
static void log_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct wr w = wr_of(t->buf, LOG_MAX);
	struct facts f;

	gather(t, c, &f);
	wr_u8(&w, (uint8_t)(j->code | (t->cdb[3] ? 0x40 : 0)));
	wr_u8(&w, t->cdb[3]);
	wr_be16(&w, 0);
	for (size_t i = 0; i < PAGES; i++) {
		if (pages[i].code != j->code)
			continue;
		if (pages[i].write)
			pages[i].write(&w, &f);
		else
			supported(&w, t->cdb[3]);
	}
	if (j->code)
		begin_at(&w, be16(t->cdb + 5));
	if (j->code == 0x2e)
		note_told(t, f.alerts);
	put_be16(w.buf + 2, (uint16_t)(w.len - 4));
	reply_close(t, &w, be16(t->cdb + 7));
}

static bool known(uint8_t code)
{
	for (size_t i = 0; i < PAGES; i++)
		if (pages[i].code == code)
			return true;
	return false;
}

/* LOG SENSE (SPC-5 6.8). Whichever values are asked for, they are the cumulative ones. */
static enum scsi_next log_sense(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);
	struct wr w;

	if (!j)
		return SCSI_DONE;
	j->code = t->cdb[2] & 0x3f;
	j->without = true;
	if (t->cdb[1] & 0x01) /* SP: nothing can be saved */
		return task_bad_cdb(t, 1, 0);
	if (!known(j->code))
		return task_bad_cdb(t, 2, 5);
	if (t->cdb[3] && (j->code || t->cdb[3] != 0xff))
		return task_bad_cdb(t, 3, -1);
	if (!reply_open(t, &w, LOG_MAX))
		return SCSI_DONE;
	return tape_submit(t, log_run);
}

// clang-format off
const struct scsi_op ssc_log_ops[] = {
	{ 0x4d, NO_SERVICE, .name = "LOG SENSE", .start = log_sense, .cancel = tape_cancel,
	  .stops = STOPS_UA, .usage = { 0x4d, 0x03, FF2, 0, FF4, 0x04 } },
	{ .name = NULL },
};
// clang-format on

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LOG SENSE of tapes (SSC-4 8.2): pages as rows, parameters as rows where they are but numbers.
 * What the pages tell is gathered once, in a job, and told from there.
 */
#include <stdio.h>
#include <string.h>

#include "scsi/alert.h"
#include "scsi/log.h"
#include "scsi/ssc.h"

#define MB           1000000u
#define MEDIUM_MAKER 0x0400 /* attribute */
#define LOG_MAX    2048u

/* Everything that is known. */
struct facts {
	struct drive *drive;
	struct drive_status s;
	struct cartridge_counters life;
	char serial[33], maker[9]; /* of the medium */
	bool early;
	struct cartridge_usage use[CARTRIDGE_PARTITIONS];
	struct cartridge_usage in; /* of the partition that the tape is in */
	uint64_t early_warning;    /* bytes, of that partition */
	uint64_t alerts, untold; /* TapeAlert flags; those that this host has not read */
	bool compress;
};

/* A cartridge that is held is one of which everything is known, too. */
static void gather(struct scsi_task *t, struct facts *f)
{
	struct cartridge_attribute maker;
	struct tape *tape = tape_of(t);
	struct cartridge *c = drive_memory(tape->drive);

	*f = (struct facts){ .drive = tape->drive,
		.alerts = alert_flags(&tape->lu),
		.untold = alert_untold(t->itl),
		.compress = atomic_load(&tape->compress) };
	drive_status(tape->drive, &f->s);
	if (!c)
		return;
	cartridge_counters(c, &f->life, &f->s.load);
	cartridge_position(c, &f->s.position);
	memcpy(f->serial, cartridge_info(c)->serial, sizeof(f->serial));
	if (cartridge_attribute_get(c, 0, MEDIUM_MAKER, &maker) == CARTRIDGE_OK)
		memcpy(f->maker, maker.value, maker.len < 8 ? maker.len : 8);
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

/* Compression ratio in percent; without data it is 1. */
static uint64_t ratio(uint64_t host, uint64_t medium)
{
	return medium ? (host * 100 + medium / 2) / medium : 100;
}

/* --- error counters: 02h, 03h (SPC-4 7.3.5) ------------------------------------------------- */

static void wr_errors(struct wr *w, uint64_t bytes, uint64_t errors)
{
	for (uint16_t code = 0; code < 5; code++)
		log_number(w, code, 0, 4); /* nothing had to be corrected */
	log_number(w, 5, bytes, 8);
	log_number(w, 6, errors, 4);
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

	log_number(w, 0, f->s.load.host_written, 8);
	log_number(w, 1, f->s.load.medium_written, 8);
	log_number(w, 2, f->s.load.medium_read, 8);
	log_number(w, 3, f->s.load.host_read, 8);
	log_number(w, 4, loaded(f) ? f->in.used / MB : unknown, 4);
	log_number(w, 5, loaded(f) ? room / MB : unknown, 4);
	log_number(w, 6, loaded(f) ? f->early_warning / MB : unknown, 4);
	log_number(w, 7, loaded(f) ? f->in.before / MB : unknown, 4);
	log_number(w, 8, 0, 4);
	log_number(w, 0x0100, 0, 1); /* no cleaning is asked for */
	log_number(w, 0x8000, (f->s.total.host_written + f->s.total.host_read) / MB, 4);
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

	log_param(w, 0, LOG_BINARY, 4);
	wr_u8(w, (uint8_t)((f->s.prevented ? PREVENTED : 0) | (loaded(f) ? MAM_READY : 0) |
			   (f->compress ? COMPRESSING : 0) |
			   (f->s.medium.write_protect ? PROTECTED : 0) | INITIALIZED));
	wr_u8(w, (uint8_t)((here ? PRESENT | SEATED : 0) | (ready ? THREADED | MOUNTED : 0)));
	wr_u8(w, 0); /* no activity: this command is what the drive does */
	wr_u8(w, f->untold ? 0x01 : 0); /* TAFC */
	log_number(w, 1, 1000, 2);      /* polling delay, milliseconds */
}

/* --- TapeAlert: 12h, 2Eh (SSC-4 8.2.4, 8.2.7) ----------------------------------------------- */

static void alert_response(struct wr *w, const struct facts *f)
{
	log_number(w, 0, f->alerts, 8);
}

static void alerts(struct wr *w, const struct facts *f)
{
	alert_page(w, f->untold);
}

/* --- 14h: device statistics (SSC-4 8.2.5). A drive's life is that of the server's process; what a
 * drive without a head and a motor has none of is left out. ---------------------------------- */

static void device_statistics(struct wr *w, const struct facts *f)
{
	log_number(w, 0x0000, f->s.loads, 4);
	log_number(w, 0x0001, 0, 4);          /* cleanings */
	log_number(w, 0x000d, f->s.loads, 4); /* since parameters were reset, which nobody can */
	log_number(w, 0x000e, f->s.total.write_errors, 4);
	log_number(w, 0x000f, f->s.total.read_errors, 4);
	log_text(w, 0x0040, drive_serial(f->drive), 32);
	log_text(w, 0x0041, drive_serial(f->drive), 32);
	log_number(w, 0x0080, f->s.prevented, 1);
	log_number(w, 0x0081, 0, 1);
}

/* --- 17h: volume statistics ----------------------------------------------------------------- */

/* One of the lists by partition: length of what follows, partition, figure. */
static void wr_partitions(struct wr *w, uint16_t code, const struct facts *f,
	uint64_t (*figure)(const struct cartridge_usage *u))
{
	log_param(w, code, LOG_BINARY, 8u * f->s.medium.partitions);
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

/* What IBM's page 30h has under the same codes: no retries, nothing that was corrected. */
static void wr_life(struct wr *w, const struct facts *f)
{
	log_number(w, 0x0001, f->life.loads, 4);
	log_number(w, 0x0002, f->life.blocks_written, 8);
	log_number(w, 0x0003, 0, 4);
	log_number(w, 0x0004, f->life.write_errors, 2);
	log_number(w, 0x0005, 0, 2);
	log_number(w, 0x0006, 0, 2);
	log_number(w, 0x0007, f->life.blocks_read, 8);
	log_number(w, 0x0008, 0, 4);
	log_number(w, 0x0009, f->life.read_errors, 2);
}

static void volume_numbers(struct wr *w, const struct facts *f)
{
	wr_life(w, f);
	log_number(w, 0x000c, f->s.load.write_errors, 2);
	log_number(w, 0x000d, f->s.load.read_errors, 2);
	log_number(w, 0x000e, f->s.load.host_written / MB, 4);
	log_number(w, 0x000f, f->s.load.host_read / MB, 4);
	log_number(w, 0x0010, f->life.host_written / MB, 8);
	log_number(w, 0x0011, f->life.host_read / MB, 8);
	log_number(w, 0x0012, ratio(f->s.load.host_written, f->s.load.medium_written), 4);
	log_number(w, 0x0013, ratio(f->s.load.host_read, f->s.load.medium_read), 4);
	log_number(w, 0x0016, sum(f, capacity_of) / MB, 4);
	log_number(w, 0x0017, sum(f, used_of) / MB, 4);
}

static void volume_statistics(struct wr *w, const struct facts *f)
{
	char personality[10];

	log_number(w, 0x0000, loaded(f), 1); /* PAGE VALID */
	if (!loaded(f))
		return;
	volume_numbers(w, f);
	log_text(w, 0x0040, f->serial, 32);
	log_text(w, 0x0042, f->s.medium.barcode, 32);
	log_text(w, 0x0043, f->maker, 8);
	snprintf(
		personality, sizeof(personality), "Ultrium-%u", f->s.medium.media->generation % 10);
	log_text(w, 0x0045, personality, 9);
	log_number(w, 0x0080, f->s.medium.write_protect, 1);
	log_number(w, 0x0081, f->s.medium.worm, 1);
	wr_partitions(w, 0x0202, f, capacity_of);
	wr_partitions(w, 0x0203, f, used_of);
	wr_partitions(w, 0x0204, f, left_of);
}

/* --- compression: 1Bh (SSC-4 8.2.6), and IBM's 32h, which has the same parameters ----------- */

static void wr_transferred(struct wr *w, uint16_t code, uint64_t bytes)
{
	log_number(w, code, bytes / MB, 4);
	log_number(w, (uint16_t)(code + 1), bytes % MB, 4);
}

static void compression(struct wr *w, const struct facts *f)
{
	const struct cartridge_counters *n = &f->s.load;

	log_number(w, 0, ratio(n->host_read, n->medium_read), 2);
	log_number(w, 1, ratio(n->host_written, n->medium_written), 2);
	wr_transferred(w, 2, n->host_read);
	wr_transferred(w, 4, n->medium_read);
	wr_transferred(w, 6, n->host_written);
	wr_transferred(w, 8, n->medium_written);
}

static void data_compression(struct wr *w, const struct facts *f)
{
	compression(w, f);
	log_number(w, 0x0100, f->compress, 1);
}

/* --- IBM's own: 30h tape usage, 31h tape capacity ------------------------------------------- */

static void tape_usage(struct wr *w, const struct facts *f)
{
	wr_life(w, f);
	log_number(w, 10, 0, 2);
	log_number(w, 11, 0, 2);
}

/* Of two partitions, in MiB: what remains, what there is at most. */
static void tape_capacity(struct wr *w, const struct facts *f)
{
	for (uint16_t i = 0; i < 2; i++)
		log_number(w, (uint16_t)(1 + i), left_of(&f->use[i]) >> 20, 4);
	for (uint16_t i = 0; i < 2; i++)
		log_number(w, (uint16_t)(3 + i), f->use[i].capacity >> 20, 4);
}

/* --- the pages ------------------------------------------------------------------------------ */

/* What LOG SELECT does to the page: nothing, as it tells of a life or of what is so; or its
 * counters begin anew, which are the drive's or the cartridge's since it was loaded; or flags go
 * down. */
enum reset { KEEPS, DRIVE_BEGINS, LOAD_BEGINS, FLAGS_GO };

struct log_page {
	uint8_t code;
	void (*write)(struct wr *w, const struct facts *f); /* NULL: the list of pages */
	enum reset reset;
	unsigned zero; /* tape->zero: where its counters began */
};

static const struct log_page pages[] = {
	{ 0x00, NULL, KEEPS, 0 },
	{ 0x02, write_errors, DRIVE_BEGINS, 0 },
	{ 0x03, read_errors, DRIVE_BEGINS, 1 },
	{ 0x0c, sequential, LOAD_BEGINS, 2 },
	{ 0x11, device_status, KEEPS, 0 },
	{ 0x12, alert_response, KEEPS, 0 },
	{ 0x14, device_statistics, KEEPS, 0 },
	{ 0x17, volume_statistics, KEEPS, 0 },
	{ 0x1b, data_compression, LOAD_BEGINS, 3 },
	{ ALERT_PAGE, alerts, FLAGS_GO, 0 },
	{ 0x30, tape_usage, KEEPS, 0 },
	{ 0x31, tape_capacity, KEEPS, 0 },
	{ 0x32, compression, LOAD_BEGINS, 4 },
};

#define PAGES (sizeof(pages) / sizeof(pages[0]))

/* The codes of all of them, or of those that can be reset. */
static size_t list(uint8_t codes[static PAGES], bool resets)
{
	size_t n = 0;

	for (size_t i = 0; i < PAGES; i++)
		if (!resets || pages[i].reset)
			codes[n++] = pages[i].code;
	return n;
}

static const struct log_page *page_of(uint8_t code)
{
	size_t i = 0;

	while (pages[i].code != code)
		i++;
	return &pages[i];
}

/* --- LOG SENSE (SPC-5 6.8). Whichever values are asked for, they are the cumulative ones. ---- */

static void subtract(struct cartridge_counters *from, const struct cartridge_counters *n)
{
	from->host_written -= n->host_written;
	from->host_read -= n->host_read;
	from->medium_written -= n->medium_written;
	from->medium_read -= n->medium_read;
	from->write_errors -= n->write_errors;
	from->read_errors -= n->read_errors;
}

static void write_page(struct wr *w, const struct log_page *p, struct tape *tape, struct facts *f)
{
	if (p->reset == DRIVE_BEGINS)
		subtract(&f->s.total, &tape->zero[p->zero]);
	if (p->reset == LOAD_BEGINS)
		subtract(&f->s.load, &tape->zero[p->zero]);
	p->write(w, f);
}

/* The answer has been opened on the loop. Flags that this host has read are told it no more. */
static void log_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	const struct log_page *p = page_of(j->code);
	struct wr w = wr_of(t->buf, LOG_MAX);
	uint8_t codes[PAGES];
	struct facts f;

	(void)c;
	gather(t, &f);
	log_open(&w, t->cdb);
	if (p->write)
		write_page(&w, p, tape_of(t), &f);
	else
		log_list(&w, codes, list(codes, false), LOG_SUBPAGE(t->cdb));
	log_close(t, &w);
	if (j->code == ALERT_PAGE && t->status == SCSI_GOOD)
		alert_told(t->itl, f.untold);
}

static enum scsi_next submit(struct scsi_task *t, tape_run *run)
{
	struct tape_job *j = tape_job(t);

	if (!j)
		return SCSI_DONE;
	j->code = LOG_PAGE(t->cdb);
	j->without = true;
	return tape_submit(t, run);
}

static enum scsi_next log_sense(struct scsi_task *t)
{
	uint8_t codes[PAGES];
	struct wr w;

	if (!log_asked(t, codes, list(codes, false)) || !reply_open(t, &w, LOG_MAX))
		return SCSI_DONE;
	return submit(t, log_run);
}

/* --- LOG SELECT (SPC-5 6.7) ----------------------------------------------------------------- */

static void reset(struct tape *tape, const struct log_page *p, const struct facts *f)
{
	switch (p->reset) {
	case KEEPS: break;
	case DRIVE_BEGINS: tape->zero[p->zero] = f->s.total; break;
	case LOAD_BEGINS: tape->zero[p->zero] = f->s.load; break;
	case FLAGS_GO: alert_clear(&tape->lu, UINT64_MAX); break;
	}
}

static void select_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct lu *lu = t->itl->lu;
	struct facts f;

	(void)c;
	gather(t, &f);
	for (size_t i = 0; i < PAGES; i++)
		if (!j->code || pages[i].code == j->code)
			reset(tape_of(t), &pages[i], &f);
	pthread_mutex_lock(&lu->lock);
	lu_attention(lu, t->itl, UA_LOG_CHANGED);
	pthread_mutex_unlock(&lu->lock);
}

static enum scsi_next log_select_pages(struct scsi_task *t)
{
	uint8_t codes[PAGES];

	if (!log_select(t, codes, list(codes, true)))
		return SCSI_DONE;
	return log_resets(t->cdb) ? submit(t, select_run) : task_good(t);
}

// clang-format off
const struct scsi_op ssc_log_ops[] = {
	{ 0x4c, NO_SERVICE, .name = "LOG SELECT", .start = log_select_pages, .cancel = tape_cancel,
	  .stops = STOPS_CHANGE, .usage = { 0x4c, 0x03, FF2, 0, 0, 0, FF2, 0x04 } },
	{ 0x4d, NO_SERVICE, .name = "LOG SENSE", .start = log_sense, .cancel = tape_cancel,
	  .stops = STOPS_UA, .usage = { 0x4d, 0x03, FF2, 0, FF4, 0x04 } },
	{ .name = NULL },
};
// clang-format on

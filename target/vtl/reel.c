/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A partition's log in its file.
 *
 * What keeps a log whole over a crash: a slot tells an end up to which all was durable when it was
 * written. From there on records are believed one by one, as long as their checksums hold and
 * their epochs do not fall. A cut goes into a slot, durably, before the file is cut; and whatever
 * is written after a cut, or after a write that failed half-way, has a higher epoch than anything
 * that may still lie behind it.
 *
 * So what follows a cut may as well stay in the file, and be written over: that spares the file
 * system letting go of gigabytes while a host waits, and finding room for what comes instead. It
 * needs the cut in both slots, so that damage to one does not bring back what the other tells.
 */
#include "vtl/reel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/log.h"

/* The kernel is told to begin writing at every multiple of the one, so that a sync finds little
 * left to do; and a sync happens by itself at every multiple of the other, so that after power loss
 * no more than that has to be read through. */
#define START_EVERY ((uint64_t)32 << 20)
#define SYNC_EVERY  ((uint64_t)1 << 30)

/* What was cut stays in the file unless that is more than a part of what the file system has left,
 * which others may need. While the log grows it is given back from its end, in steps that no host
 * notices, down to what is soon written over. */
#define SPARE_PART 4u
#define SPARE_LEFT ((uint64_t)4 << 30)
#define SPARE_STEP ((uint64_t)64 << 20)

/* What is written over is written in whole pages: nothing has to be read for that. */
#define PAGE 4096u

static const uint8_t zeros[PAGE];

/* What is still to be read or written, and where. */
struct stretch {
	struct iovec *iov;
	int cnt;
	uint64_t off;
};

static void advance(struct stretch *s, size_t n)
{
	s->off += n;
	for (; s->cnt && n >= s->iov->iov_len; s->iov++, s->cnt--)
		n -= s->iov->iov_len;
	if (s->cnt) {
		s->iov->iov_base = (uint8_t *)s->iov->iov_base + n;
		s->iov->iov_len -= n;
	}
}

static int pread_all(int fd, struct stretch s)
{
	advance(&s, 0); /* nothing to read is not the end of the file */
	while (s.cnt) {
		ssize_t n = preadv(fd, s.iov, s.cnt, (off_t)s.off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EBADMSG;
		advance(&s, (size_t)n);
	}
	return 0;
}

/* When it fails, *s is what is left. */
static int pwrite_all(int fd, struct stretch *s)
{
	while (s->cnt) {
		ssize_t n = pwritev(fd, s->iov, s->cnt, (off_t)s->off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		advance(s, (size_t)n);
	}
	return 0;
}

int reel_blank(int fd, const struct identity *id, unsigned int partition)
{
	uint8_t block[1 + SLOTS][FORMAT_BLOCK];
	struct iovec iov = { block, sizeof(block) };
	struct tail tail;

	tail_start(&tail, 0);
	header_encode(id, partition, block[0]);
	for (unsigned int i = 0; i < SLOTS; i++)
		slot_encode(&tail, id->partition[partition].log_id, i, block[1 + i]);
	if (ftruncate(fd, 0))
		return -errno;
	int err = pwrite_all(fd, &(struct stretch){ &iov, 1, 0 });
	if (!err && fsync(fd))
		err = -errno;
	return err;
}

int reel_pread(const struct reel *r, void *buf, size_t len, uint64_t off)
{
	struct iovec iov = { buf, len };

	return pread_all(r->fd, (struct stretch){ &iov, 1, off });
}

int reel_record(struct reel *r, uint64_t off, struct record *rec)
{
	uint8_t bytes[RECORD_HEADER];
	int err = 0;

	if (off < LOG_START || off % RECORD_ALIGN || off >= r->limit ||
		r->limit - off < RECORD_HEADER)
		return -EBADMSG;
	if (off == r->ahead_off)
		memcpy(bytes, r->ahead, sizeof(bytes));
	else
		err = reel_pread(r, bytes, sizeof(bytes), off);
	if (err)
		return err;
	if (!record_decode(bytes, rec) || rec->log_id != r->log_id || rec->offset != off ||
		record_size(rec) > r->limit - off)
		return -EBADMSG;
	return 0;
}

int reel_stored(struct reel *r, const struct record *rec, void *buf)
{
	uint8_t pad[RECORD_ALIGN];
	uint64_t size = record_size(rec);
	size_t padding = (size_t)(size - RECORD_HEADER - rec->stored);
	bool more = r->limit - rec->offset - size >= RECORD_HEADER;
	struct iovec iov[3] = {
		{ buf, rec->stored }, { pad, padding }, { r->ahead, RECORD_HEADER }
	};

	r->ahead_off = 0;
	int err = pread_all(
		r->fd, (struct stretch){ iov, more ? 3 : 2, rec->offset + RECORD_HEADER });
	if (err)
		return err;
	if (more)
		r->ahead_off = rec->offset + size;
	return crc_end(crc_add(CRC_START, buf, rec->stored)) == rec->crc ? 0 : -EBADMSG;
}

/* The file ends where the log does. */
static int end_file(struct reel *r)
{
	if (ftruncate(r->fd, (off_t)r->tail.off))
		return -errno;
	r->ragged = false;
	r->spare = 0;
	return 0;
}

/* Before anything is appended. */
static int trim(struct reel *r)
{
	return r->failed || !r->ragged ? r->failed : end_file(r);
}

void reel_begin(struct reel *r, struct batch *b)
{
	b->reel = r;
	b->tail = r->tail;
	b->off = r->tail.off;
	b->err = trim(r);
	b->records = 0;
	b->n = 0;
}

bool reel_full(const struct batch *b)
{
	/* There is room for one checkpoint in a batch. */
	return b->records == BATCH_RECORDS || (b->records && tail_wants_checkpoint(&b->tail));
}

uint64_t reel_size_with(const struct tail *t, size_t stored)
{
	struct record block = { .stored = (uint32_t)stored };
	struct record checkpoint = { .stored = CHECKPOINT_MAX };

	return t->off - LOG_START + record_size(&block) +
	       (tail_wants_checkpoint(t) ? record_size(&checkpoint) : 0);
}

/* A file system that copies what is written over may be full in the middle of old data: then they
 * go first. The file ends at `end` once all is written. */
static int write_all(struct reel *r, struct stretch *s, uint64_t end)
{
	int err = pwrite_all(r->fd, s);

	if ((err != -ENOSPC && err != -EDQUOT) || r->spare <= s->off ||
		ftruncate(r->fd, (off_t)s->off))
		return err;
	r->spare = end;
	return pwrite_all(r->fd, s);
}

/* Writes what has been gathered; an error stays for the commit. */
static void flush(struct batch *b)
{
	struct stretch s = { b->iov, (int)b->n, b->off };

	for (unsigned int i = 0; i < b->n; i++)
		b->off += b->iov[i].iov_len;
	if (!b->err)
		b->err = write_all(b->reel, &s, b->off);
	b->n = 0;
}

static void gather(struct batch *b, const void *p, size_t len)
{
	if (!len)
		return;
	if (b->n == BATCH_IOV)
		flush(b);
	b->iov[b->n++] = (struct iovec){ (void *)(uintptr_t)p, len };
}

/* The checksum of the next len bytes, which are not taken. */
static uint32_t slices_crc(struct slices s, size_t len)
{
	uint32_t crc = CRC_START;

	while (len && s.cnt) {
		struct iovec piece = slices_take(&s, len);

		crc = crc_add(crc, piece.iov_base, piece.iov_len);
		len -= piece.iov_len;
	}
	return crc_end(crc);
}

static void gather_slices(struct batch *b, struct slices *s, size_t len)
{
	while (len && s->cnt) {
		struct iovec piece = slices_take(s, len);

		gather(b, piece.iov_base, piece.iov_len);
		len -= piece.iov_len;
	}
	if (len)
		b->err = -EINVAL;
}

static uint32_t distance(uint64_t from, uint64_t back_to)
{
	return back_to && from - back_to <= UINT32_MAX ? (uint32_t)(from - back_to) : 0;
}

/* Where the next record is. */
static void place(const struct batch *b, struct record *rec)
{
	const struct tail *t = &b->tail;

	rec->log_id = b->reel->log_id;
	rec->epoch = t->epoch;
	rec->offset = t->off;
	rec->object = t->objects;
	rec->files = t->files;
	rec->prev = distance(t->off, t->last);
	rec->checkpoint = distance(t->off, t->span.ordinal ? t->span.base : 0);
}

static void pad(struct batch *b, const struct record *rec)
{
	gather(b, zeros, (size_t)(record_size(rec) - RECORD_HEADER - rec->stored));
}

static void add_checkpoint(struct batch *b)
{
	uint8_t *body = b->checkpoint + RECORD_HEADER;
	struct record rec = {
		.type = RECORD_CHECKPOINT,
		.stored = (uint32_t)checkpoint_encode(&b->tail, body),
	};

	place(b, &rec);
	rec.crc = crc_end(crc_add(CRC_START, body, rec.stored));
	record_encode(&rec, b->checkpoint);
	gather(b, b->checkpoint, RECORD_HEADER + rec.stored);
	pad(b, &rec);
	tail_checkpoint(&b->tail, record_size(&rec));
}

/* The header goes out before the data, but with their checksum in it: hence the two passes. */
static void add(struct batch *b, struct record *rec, struct slices *data)
{
	uint8_t *header = b->header[b->records++];

	if (tail_wants_checkpoint(&b->tail))
		add_checkpoint(b);
	place(b, rec);
	rec->crc = data ? slices_crc(*data, rec->stored) : crc_end(CRC_START);
	record_encode(rec, header);
	gather(b, header, RECORD_HEADER);
	if (data)
		gather_slices(b, data, rec->stored);
	pad(b, rec);
	if (!tail_object(&b->tail, record_size(rec), rec->type == RECORD_FILEMARK))
		b->err = -EFBIG;
}

void reel_add_block(struct batch *b, struct record *rec, struct slices *data)
{
	rec->type = RECORD_BLOCK;
	add(b, rec, data);
}

void reel_add_filemark(struct batch *b)
{
	struct record rec = { .type = RECORD_FILEMARK };

	add(b, &rec, NULL);
}

/* What a write left half done must never pass for a part of the log. */
static void abandon(struct reel *r)
{
	r->tail.epoch++;
	r->ragged = true;
	end_file(r);
}

static bool crosses(uint64_t from, uint64_t to, uint64_t step)
{
	return from / step != to / step;
}

/* An error here is one that the sync will see as well. */
static void start_writing(struct reel *r)
{
	sync_file_range(r->fd, (off_t)r->started, (off_t)(r->tail.off - r->started),
		SYNC_FILE_RANGE_WRITE);
	r->started = r->tail.off;
}

static void shrink_spare(struct reel *r)
{
	if (reel_spare(r) >= SPARE_LEFT + SPARE_STEP &&
		!ftruncate(r->fd, (off_t)(r->spare - SPARE_STEP)))
		r->spare -= SPARE_STEP;
}

/* Up to the end of its page, where old data follow. */
static void fill_page(struct batch *b)
{
	uint64_t from = b->tail.off, to = (from + PAGE - 1) / PAGE * PAGE;

	if (to > b->reel->spare)
		to = b->reel->spare;
	if (to > from)
		gather(b, zeros, (size_t)(to - from));
}

int reel_commit(struct batch *b)
{
	struct reel *r = b->reel;

	if (!b->records)
		return 0;
	fill_page(b);
	flush(b);
	if (b->err) {
		abandon(r);
		return b->err;
	}
	r->tail = b->tail;
	r->limit = r->tail.off;
	r->ahead_off = 0;
	r->unsynced = true;
	if (r->spare <= r->tail.off)
		r->spare = 0;
	if (crosses(r->started, r->tail.off, START_EVERY)) {
		start_writing(r);
		shrink_spare(r);
	}
	return r->tail.off - r->synced >= SYNC_EVERY ? reel_sync(r) : 0;
}

/* Notes the tail, as it is now, in the slot whose turn it is: 0 or -errno. Not synced. */
static int note_tail(struct reel *r)
{
	uint8_t block[FORMAT_BLOCK];
	struct iovec iov = { block, sizeof(block) };
	uint64_t seq = r->slot_seq + 1;

	slot_encode(&r->tail, r->log_id, seq, block);
	int err = pwrite_all(
		r->fd, &(struct stretch){ &iov, 1, (1 + seq % SLOTS) * FORMAT_BLOCK });
	if (!err)
		r->slot_seq = seq;
	return err;
}

static int fail(struct reel *r, int err, const char *what)
{
	log_msg(LOG_ERR, "cartridge %s, partition %u: %s: %s", r->name, r->partition, what,
		strerror(-err));
	r->failed = err;
	return err;
}

/* Forgets all that is known of what follows the tail. */
static void forget(struct reel *r, const struct tail *at)
{
	uint32_t epoch = r->tail.epoch + 1;

	r->tail = *at;
	r->tail.epoch = epoch;
	r->limit = at->off;
	r->cached = false;
	r->ahead_off = 0;
	if (r->started > at->off)
		r->started = at->off;
}

/* The tail is in a slot, durably. */
static int note_durably(struct reel *r)
{
	int err = note_tail(r);

	return !err && fdatasync(r->fd) ? -errno : err;
}

/* How much of a file that goes on up to `end` may stay behind the log. */
static uint64_t spare_end(const struct reel *r, uint64_t end)
{
	struct statvfs fs;

	if (fstatvfs(r->fd, &fs))
		return 0;
	uint64_t most = (uint64_t)fs.f_bavail * fs.f_frsize / SPARE_PART;
	return end - r->tail.off < most ? end : r->tail.off + most;
}

/* What was durable, and is cut in a slot now, stays up to `end`, to be written over. */
static int keep_spare(struct reel *r, uint64_t end)
{
	uint64_t keep = spare_end(r, end);

	if (keep <= r->tail.off)
		return end_file(r);
	if (keep < end && ftruncate(r->fd, (off_t)keep))
		return -errno;
	r->spare = keep;
	return note_durably(r);
}

int reel_cut(struct reel *r, const struct tail *at)
{
	uint64_t end = r->spare ? r->spare : r->tail.off;
	bool known = r->synced > at->off; /* from a slot */
	int err = 0;

	if (r->failed)
		return r->failed;
	forget(r, at);
	r->unsynced = true;
	if (known) {
		r->synced = at->off;
		err = note_durably(r);
	}
	if (!err)
		err = known && !r->ragged ? keep_spare(r, end) : end_file(r);
	if (err) {
		r->ragged = true;
		return fail(r, err, "cannot cut the log");
	}
	return 0;
}

uint64_t reel_spare(const struct reel *r)
{
	return r->spare > r->tail.off ? r->spare - r->tail.off : 0;
}

int reel_release(struct reel *r)
{
	int err = r->failed || !r->spare ? r->failed : end_file(r);

	return err ? fail(r, err, "cannot cut the file") : 0;
}

int reel_sync(struct reel *r)
{
	if (r->failed)
		return r->failed;
	if (!r->unsynced)
		return 0;
	if (fdatasync(r->fd))
		return fail(r, -errno, "cannot sync");
	r->synced = r->started = r->tail.off;
	r->unsynced = false;
	/* Missing, it costs time after a crash, and nothing else. */
	int err = note_tail(r);
	if (err)
		log_msg(LOG_WARNING, "cartridge %s, partition %u: cannot note the log's end: %s",
			r->name, r->partition, strerror(-err));
	return 0;
}

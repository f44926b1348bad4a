/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A partition's log in its file.
 *
 * What keeps a log whole over a crash: a slot tells an end up to which all was durable when it was
 * written. From there on records are believed one by one, as long as their checksums hold and
 * their epochs do not fall. A cut goes into a slot, durably, before the file is cut; and whatever
 * is written after a cut, or after a write that failed half-way, has a higher epoch than anything
 * that may still lie behind it.
 */
#include "vtl/reel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/log.h"

/* The kernel is told to begin writing at every multiple of the one, so that a sync finds little
 * left to do; and a sync happens by itself at every multiple of the other, so that after power loss
 * no more than that has to be read through. */
#define START_EVERY ((uint64_t)32 << 20)
#define SYNC_EVERY  ((uint64_t)1 << 30)

static const uint8_t zeros[RECORD_ALIGN];

static int pread_all(int fd, struct iovec *iov, int cnt, uint64_t off)
{
	/* Nothing to read is not the end of the file. */
	for (; cnt && !iov->iov_len; iov++)
		cnt--;
	while (cnt) {
		ssize_t n = preadv(fd, iov, cnt, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EBADMSG;
		off += (uint64_t)n;
		for (; cnt && (size_t)n >= iov->iov_len; iov++, cnt--)
			n -= (ssize_t)iov->iov_len;
		if (cnt) {
			iov->iov_base = (uint8_t *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static int pwrite_all(int fd, struct iovec *iov, int cnt, uint64_t off)
{
	while (cnt) {
		ssize_t n = pwritev(fd, iov, cnt, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		off += (uint64_t)n;
		for (; cnt && (size_t)n >= iov->iov_len; iov++, cnt--)
			n -= (ssize_t)iov->iov_len;
		if (cnt) {
			iov->iov_base = (uint8_t *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
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
	int err = pwrite_all(fd, &iov, 1, 0);
	if (!err && fsync(fd))
		err = -errno;
	return err;
}

int reel_pread(const struct reel *r, void *buf, size_t len, uint64_t off)
{
	struct iovec iov = { buf, len };

	return pread_all(r->fd, &iov, 1, off);
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
	int err = pread_all(r->fd, iov, more ? 3 : 2, rec->offset + RECORD_HEADER);
	if (err)
		return err;
	if (more)
		r->ahead_off = rec->offset + size;
	return crc_end(crc_add(CRC_START, buf, rec->stored)) == rec->crc ? 0 : -EBADMSG;
}

/* The file ends where the log does, before anything is appended. */
static int trim(struct reel *r)
{
	if (r->failed || !r->ragged)
		return r->failed;
	if (ftruncate(r->fd, (off_t)r->tail.off))
		return -errno;
	r->ragged = false;
	return 0;
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

/* Writes what has been gathered; an error stays for the commit. */
static void flush(struct batch *b)
{
	uint64_t len = 0;

	for (unsigned int i = 0; i < b->n; i++)
		len += b->iov[i].iov_len;
	if (!b->err)
		b->err = pwrite_all(b->reel->fd, b->iov, (int)b->n, b->off);
	b->off += len;
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
	if (!ftruncate(r->fd, (off_t)r->tail.off))
		r->ragged = false;
}

static bool crosses(uint64_t from, uint64_t to, uint64_t step)
{
	return from / step != to / step;
}

/* An error here is one that the sync will see as well. */
static void start_writing(struct reel *r)
{
	if (!crosses(r->started, r->tail.off, START_EVERY))
		return;
	sync_file_range(r->fd, (off_t)r->started, (off_t)(r->tail.off - r->started),
		SYNC_FILE_RANGE_WRITE);
	r->started = r->tail.off;
}

int reel_commit(struct batch *b)
{
	struct reel *r = b->reel;

	if (!b->records)
		return 0;
	flush(b);
	if (b->err) {
		abandon(r);
		return b->err;
	}
	r->tail = b->tail;
	r->limit = r->tail.off;
	r->ahead_off = 0;
	r->unsynced = true;
	start_writing(r);
	return r->tail.off - r->synced >= SYNC_EVERY ? reel_sync(r) : 0;
}

/* Notes the tail, as it is now, in the slot whose turn it is: 0 or -errno. Not synced. */
static int note_tail(struct reel *r)
{
	uint8_t block[FORMAT_BLOCK];
	struct iovec iov = { block, sizeof(block) };
	uint64_t seq = r->slot_seq + 1;

	slot_encode(&r->tail, r->log_id, seq, block);
	int err = pwrite_all(r->fd, &iov, 1, (1 + seq % SLOTS) * FORMAT_BLOCK);
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

int reel_cut(struct reel *r, const struct tail *at)
{
	int err = 0;

	if (r->failed)
		return r->failed;
	forget(r, at);
	r->unsynced = true;
	if (r->synced > at->off) {
		r->synced = at->off;
		err = note_tail(r);
		if (!err && fdatasync(r->fd))
			err = -errno;
	}
	if (!err && ftruncate(r->fd, (off_t)at->off))
		err = -errno;
	r->ragged = err;
	return err ? fail(r, err, "cannot cut the log") : 0;
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

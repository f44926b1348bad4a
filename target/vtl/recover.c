/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log after a crash, or with damage. All of it is one walk from record to record, which keeps the
 * same figures as a writer. It is strict where an append may have been interrupted: there the first
 * record that is wrong ends the log. It is lenient where all was once known to be right: there it
 * goes on at the next record that belongs to the log, and counts what is missing in between as
 * objects that cannot be read.
 */
#include "vtl/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "vtl/seek.h"

#define CHUNK    ((size_t)256 << 10)
#define PAGE     ((uint64_t)64 << 10) /* of memory: as large as any machine's */
#define BACK_MAX ((uint64_t)4 * CARTRIDGE_BLOCK_MAX) /* how far to look back for a whole record */

struct walk {
	struct reel *reel;
	struct tail tail;
	bool strict;
	uint8_t *buf;        /* CHUNK, or a record's stored bytes */
	uint64_t lost;       /* objects still to be counted before the walk goes on at `next` */
	uint64_t lost_files; /* the last so many of them are filemarks */
	uint64_t gap;        /* bytes of the checkpoint before them */
	uint64_t next;
};

static int walk_init(struct walk *w, struct reel *r, bool strict)
{
	*w = (struct walk){ .reel = r, .strict = strict };
	w->buf = malloc(strict ? CARTRIDGE_BLOCK_MAX + SEAL_MAX : CHUNK);
	return w->buf ? 0 : -ENOMEM;
}

static bool continues(const struct tail *t, const struct record *rec)
{
	return rec->object == t->objects && rec->files == t->files && rec->epoch >= t->epoch;
}

/* The record at off, if it is of this kind and comes next. */
static int expect(struct walk *w, uint64_t off, bool checkpoint, struct record *rec)
{
	int err = reel_record(w->reel, off, rec);

	if (err)
		return err;
	if ((rec->type == RECORD_CHECKPOINT) != checkpoint || !continues(&w->tail, rec))
		return -EBADMSG;
	return w->strict ? reel_stored(w->reel, rec, w->buf) : 0;
}

/* Whether a walk that lost its way at `from` may go on with this record: it is not from before, and
 * there is room for what it says is missing. */
static bool may_follow(const struct walk *w, uint64_t from, const struct record *rec)
{
	const struct tail *t = &w->tail;

	return rec->epoch >= t->epoch && rec->object >= t->objects && rec->files >= t->files &&
	       rec->files - t->files <= rec->object - t->objects &&
	       rec->object - t->objects <= (rec->offset - from) / RECORD_HEADER;
}

/* The first record behind `from` with which the walk may go on: 0, or -EBADMSG for none. */
static int scan_forward(struct walk *w, uint64_t from, struct record *rec)
{
	struct reel *r = w->reel;
	uint64_t off = from + RECORD_ALIGN;

	while (off < r->limit && r->limit - off >= RECORD_HEADER) {
		/* Nothing can be in a hole, and a hole may be huge. */
		off_t data = lseek(r->fd, (off_t)off, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		if (data > (off_t)off)
			off = (uint64_t)data / RECORD_ALIGN * RECORD_ALIGN;
		size_t len = r->limit - off < CHUNK ? (size_t)(r->limit - off) : CHUNK;
		int err = reel_pread(r, w->buf, len, off);
		if (err)
			return err;
		for (size_t i = 0; i + RECORD_HEADER <= len; i += RECORD_ALIGN)
			if (record_looks_like(w->buf + i) && !reel_record(r, off + i, rec) &&
				may_follow(w, from, rec))
				return 0;
		off += CHUNK;
	}
	return -EBADMSG;
}

/* The last record that begins before `before`. */
static int scan_back(struct walk *w, uint64_t before, struct record *rec)
{
	struct reel *r = w->reel;
	uint64_t stop = before > LOG_START + BACK_MAX ? before - BACK_MAX : LOG_START;

	while (before > stop) {
		uint64_t off = before - stop > CHUNK ? before - CHUNK : stop;
		size_t len = (size_t)(before - off);
		int err = reel_pread(r, w->buf, len, off);
		if (err)
			return err;
		for (size_t i = len / RECORD_ALIGN * RECORD_ALIGN; i; i -= RECORD_ALIGN)
			if (record_looks_like(w->buf + i - RECORD_ALIGN) &&
				!reel_record(r, off + i - RECORD_ALIGN, rec))
				return 0;
		before = off;
	}
	return -EBADMSG;
}

/* The way is lost at `from`: finds where it goes on, and how much is missing. */
static int resync(struct walk *w, uint64_t from, uint64_t gap)
{
	struct record rec;
	int err = scan_forward(w, from, &rec);

	if (err)
		return err;
	w->lost = rec.object - w->tail.objects;
	w->lost_files = rec.files - w->tail.files;
	w->gap = gap;
	w->next = rec.offset;
	if (!w->lost)
		w->tail.off = rec.offset;
	return 0;
}

/* Counts one object that is missing, as if it had no length. */
static int step_lost(struct walk *w)
{
	if (tail_wants_checkpoint(&w->tail)) {
		tail_checkpoint(&w->tail, w->gap);
		w->gap = 0;
	}
	if (!tail_object(&w->tail, 0, w->lost <= w->lost_files))
		return -EBADMSG;
	if (!--w->lost)
		w->tail.off = w->next;
	return 0;
}

/* Goes on by one object, or to where the way goes on. -EBADMSG at the end of the log. */
static int step(struct walk *w)
{
	struct tail *t = &w->tail;
	struct record rec;
	uint64_t gap = 0;
	int err;

	if (w->lost)
		return step_lost(w);
	if (tail_wants_checkpoint(t)) {
		err = expect(w, t->off, true, &rec);
		if (!err)
			gap = record_size(&rec);
		else if (err != -EBADMSG || w->strict)
			return err;
	}
	err = expect(w, t->off + gap, false, &rec);
	if (err == -EBADMSG && !w->strict)
		return resync(w, t->off + gap, gap);
	if (err)
		return err;
	/* A lenient walk may come here without the checkpoint: then that has no length. */
	if (tail_wants_checkpoint(t))
		tail_checkpoint(t, gap);
	t->epoch = rec.epoch;
	return tail_object(t, record_size(&rec), rec.type == RECORD_FILEMARK) ? 0 : -EBADMSG;
}

int recover_checkpoint(struct reel *r, uint64_t off, uint64_t ordinal, struct marks *marks,
	struct span *span)
{
	uint8_t body[CHECKPOINT_MAX];
	struct record rec;
	int err = reel_record(r, off, &rec);

	if (!err && (rec.type != RECORD_CHECKPOINT || rec.object != ordinal * SPAN_OBJECTS))
		err = -EBADMSG;
	if (!err)
		err = reel_stored(r, &rec, body);
	if (!err && !checkpoint_decode(&rec, body, marks, span))
		err = -EBADMSG;
	return err;
}

/* The tail as it was right behind a checkpoint. */
static int start_at(struct reel *r, uint64_t off, uint64_t ordinal, struct tail *out)
{
	struct record rec;
	int err = recover_checkpoint(r, off, ordinal, &out->marks, &out->span);

	if (!err)
		err = reel_record(r, off, &rec);
	if (err)
		return err;
	out->off = off;
	out->objects = rec.object;
	out->files = rec.files;
	out->epoch = rec.epoch;
	tail_checkpoint(out, record_size(&rec));
	return 0;
}

/* The last place before off from which a walk can begin: a checkpoint that is whole, and not after
 * the span that is wanted, or else the beginning. */
static int find_start(struct walk *w, uint64_t off, uint64_t ordinal)
{
	struct record rec;
	int err;

	while (!(err = scan_back(w, off, &rec))) {
		uint64_t at = rec.object / SPAN_OBJECTS;

		if (rec.type != RECORD_CHECKPOINT && !rec.checkpoint)
			break;
		off = rec.offset;
		if (rec.type != RECORD_CHECKPOINT)
			off -= rec.checkpoint < off ? rec.checkpoint : off;
		if (!at || at > ordinal)
			continue;
		err = start_at(w->reel, off, at, &w->tail);
		if (err != -EBADMSG)
			return err;
	}
	if (err && err != -EBADMSG)
		return err;
	tail_start(&w->tail, 0);
	return 0;
}

int recover_span(struct reel *r, uint64_t off, uint64_t ordinal, struct tail *out)
{
	struct walk w;
	int err = walk_init(&w, r, false);

	if (!err)
		err = find_start(&w, off < r->limit ? off : r->limit, ordinal);
	while (!err && w.tail.objects < (ordinal + 1) * SPAN_OBJECTS)
		err = step(&w);
	if (!err)
		*out = w.tail;
	free(w.buf);
	return err;
}

/* What the slots say. */
struct slots {
	unsigned int good; /* how many can be read */
	struct tail tail;  /* of the one with the higher number */
	uint64_t seq;
	bool in_file;      /* the file reaches as far as that */
};

static int read_slots(struct reel *r, uint64_t size, struct slots *out)
{
	uint8_t block[FORMAT_BLOCK];
	struct tail tail;
	uint64_t seq;

	*out = (struct slots){ .good = 0 };
	for (unsigned int i = 0; i < SLOTS; i++) {
		int err = reel_pread(r, block, sizeof(block), (1 + i) * FORMAT_BLOCK);

		if (err && err != -EBADMSG)
			return err;
		if (err || !slot_decode(block, r->log_id, &tail, &seq))
			continue;
		if (out->good++ && seq < out->seq)
			continue;
		out->seq = seq;
		out->tail = tail;
		out->in_file = tail.off <= size;
	}
	return 0;
}

/* Whether the log once ended where a slot tells: the slot that was written after it may be the one
 * that is damaged, and tell of a cut. */
static bool fits(struct reel *r, const struct tail *t)
{
	struct record rec;

	return !t->objects || (!reel_record(r, t->last, &rec) && rec.epoch <= t->epoch &&
		rec.object == t->objects - 1 && rec.offset + record_size(&rec) == t->off);
}

/* Walks on from where w->tail is, as far as it goes. */
static int walk_to_end(struct walk *w)
{
	int err;

	while (!(err = step(w)))
		continue;
	return err == -EBADMSG ? 0 : err;
}

/* The file is cut off behind the tail, before anything else is written there. */
static int cut_rest(struct reel *r, uint64_t size)
{
	log_msg(LOG_NOTICE,
		"cartridge %s, partition %u: cut %" PRIu64 " bytes behind the end of data",
		r->name, r->partition, size - r->tail.off);
	r->tail.epoch++;
	if (ftruncate(r->fd, (off_t)r->tail.off) || fdatasync(r->fd))
		return -errno;
	r->ragged = false;
	return 0;
}

static void take_tail(struct reel *r, const struct tail *t, uint64_t synced, uint64_t size)
{
	r->tail = *t;
	r->limit = t->off;
	r->synced = synced;
	r->started = t->off;
	r->unsynced = true;
	r->ragged = size > t->off;
	r->ahead_off = 0;
}

/* What the kernel once failed to write it may still have in its memory, as if it were on the disk:
 * a later sync would then acknowledge what is nowhere. Only the disk is believed. */
static void forget_memory(const struct reel *r, uint64_t off)
{
	if (!r->writable)
		return;
	if (fdatasync(r->fd))
		log_msg(LOG_WARNING, "cartridge %s, partition %u: cannot sync: %s", r->name,
			r->partition, strerror(errno));
	posix_fadvise(r->fd, (off_t)(off & ~(PAGE - 1)), 0, POSIX_FADV_DONTNEED);
}

static int recover_strictly(struct reel *r, const struct slots *s, uint64_t size)
{
	struct walk w;
	int err = walk_init(&w, r, true);

	forget_memory(r, s->tail.off);
	w.tail = s->tail;
	if (!err)
		err = walk_to_end(&w);
	free(w.buf);
	if (err)
		return err;
	take_tail(r, &w.tail, s->tail.off, size);
	return r->ragged && r->writable ? cut_rest(r, size) : 0;
}

static int recover_leniently(struct reel *r, uint64_t size)
{
	struct walk w;
	int err = walk_init(&w, r, false);

	log_msg(LOG_WARNING,
		"cartridge %s, partition %u: cut short or damaged; looking through all of it",
		r->name, r->partition);
	tail_start(&w.tail, 0);
	if (!err)
		err = walk_to_end(&w);
	free(w.buf);
	if (err)
		return err;
	take_tail(r, &w.tail, w.tail.off, size);
	log_msg(LOG_WARNING, "cartridge %s, partition %u: %" PRIu64 " objects found", r->name,
		r->partition, r->tail.objects);
	return 0;
}

int recover_tail(struct reel *r)
{
	struct slots s;
	struct stat st;

	if (fstat(r->fd, &st))
		return -errno;
	uint64_t size = (uint64_t)st.st_size;
	r->limit = size;
	int err = read_slots(r, size, &s);
	if (err)
		return err;
	r->slot_seq = s.seq;
	if (!s.good || !s.in_file || (s.good < SLOTS && !fits(r, &s.tail)))
		return recover_leniently(r, size);
	if (s.tail.off != size)
		return recover_strictly(r, &s, size);
	take_tail(r, &s.tail, size, size);
	r->unsynced = s.good < SLOTS;
	return 0;
}

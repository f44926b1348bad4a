/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing at the position.
 */
#include "vtl/cartridge.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "vtl/cartridge_private.h"

/* Behind the capacity there is room for filemarks, so that a host can close what it wrote. */
#define FILEMARK_ROOM (64u << 10)

const char *cartridge_result_text(enum cartridge_result r)
{
#define TEXT(id, text) [id] = text,
	static const char *const texts[] = { CARTRIDGE_RESULTS(TEXT) };
#undef TEXT
	return r < sizeof(texts) / sizeof(texts[0]) ? texts[r] : "unknown";
}

enum cartridge_result cartridge_result_of(int err)
{
	switch (-err) {
	case 0: return CARTRIDGE_OK;
	case EBADMSG: return CARTRIDGE_CORRUPT;
	case ENOMEM: return CARTRIDGE_NO_MEMORY;
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return CARTRIDGE_NO_SPACE;
	default: return CARTRIDGE_IO;
	}
}

void cartridge_counters_add(struct cartridge_counters *to, const struct cartridge_counters *more)
{
	to->loads += more->loads;
	to->host_written += more->host_written;
	to->host_read += more->host_read;
	to->medium_written += more->medium_written;
	to->medium_read += more->medium_read;
	to->blocks_written += more->blocks_written;
	to->blocks_read += more->blocks_read;
	to->filemarks_written += more->filemarks_written;
	to->write_errors += more->write_errors;
	to->read_errors += more->read_errors;
	to->syncs += more->syncs;
}

void cartridge_count(struct cartridge *c, const struct cartridge_counters *more)
{
	cartridge_counters_add(&c->load, more);
	cartridge_counters_add(&c->label.life, more);
	c->label_dirty = true;
}

void cartridge_counters(const struct cartridge *c, struct cartridge_counters *life,
	struct cartridge_counters *load)
{
	if (life)
		*life = c->label.life;
	if (load)
		*load = c->load;
}

const struct cartridge_info *cartridge_info(const struct cartridge *c)
{
	return &c->info;
}

void cartridge_position(const struct cartridge *c, struct cartridge_position *out)
{
	*out = (struct cartridge_position){
		.partition = c->partition,
		.object = c->at.object,
		.file = c->at.files,
		.bop = c->at.object == 0,
		.eod = c->at.object == c->reel[c->partition].tail.objects,
	};
}

enum cartridge_result cartridge_usage(
	const struct cartridge *c, unsigned int partition, struct cartridge_usage *out)
{
	if (partition >= c->info.partitions)
		return CARTRIDGE_INVALID;
	const struct tail *t = &c->reel[partition].tail;
	*out = (struct cartridge_usage){
		.capacity = c->info.partition_capacity[partition],
		.used = t->off - LOG_START,
		.before = t->off - LOG_START,
		.objects = t->objects,
		.files = t->files,
	};
	if (partition == c->partition && c->at.off)
		out->before = c->at.off - LOG_START;
	return CARTRIDGE_OK;
}

uint64_t cartridge_free_space(const struct cartridge *c)
{
	struct statvfs fs;

	if (fstatvfs(c->dir, &fs) || !fs.f_blocks)
		return UINT64_MAX;
	return (uint64_t)fs.f_bavail * fs.f_frsize + reel_spare(&c->reel[c->partition]);
}

/* -- Reading -- */

/* The record at off, or behind a checkpoint that is there, if it is the object that comes next. */
static int object_at(struct cartridge *c, uint64_t off, struct record *rec)
{
	struct reel *r = cartridge_reel(c);
	int err = reel_record(r, off, rec);

	if (!err && rec->type == RECORD_CHECKPOINT)
		err = reel_record(r, off + record_size(rec), rec);
	if (!err && (rec->type == RECORD_CHECKPOINT || rec->object != c->at.object))
		err = -EBADMSG;
	return err;
}

/* What comes next, from where the last record ended or, if that leads nowhere, from the index. OK
 * for a block; a filemark that cannot be read but is in the index is one. */
static enum cartridge_result next(struct cartridge *c, struct record *rec)
{
	struct reel *r = cartridge_reel(c);
	bool filemark = false;

	if (c->at.object == r->tail.objects)
		return CARTRIDGE_EOD;
	*rec = (struct record){ .type = RECORD_BLOCK };
	int err = c->at.off ? object_at(c, c->at.off, rec) : -EBADMSG;
	if (err == -EBADMSG) {
		struct place place;

		err = seek_object(r, c->at.object, &place);
		if (!err)
			err = object_at(c, place.off, rec);
		if (err && !seek_is_filemark(r, c->at.object, &filemark) && filemark)
			return CARTRIDGE_FILEMARK;
	}
	if (err)
		return CARTRIDGE_CORRUPT;
	return rec->type == RECORD_FILEMARK ? CARTRIDGE_FILEMARK : CARTRIDGE_OK;
}

/* Moves behind a record that was read, or behind an object that could not be (NULL). */
static void pass(struct cartridge *c, const struct record *rec)
{
	struct reel *r = cartridge_reel(c);
	struct place place = { .object = c->at.object + 1 };

	if (rec && place.object < r->tail.objects) {
		place.off = rec->offset + record_size(rec);
		place.files = rec->files + (rec->type == RECORD_FILEMARK);
	} else if (seek_object(r, place.object, &place)) {
		place = (struct place){ c->at.object + 1, 0, c->at.files };
	}
	c->at = place;
}

/* A block that could not be read is passed. */
static enum cartridge_result damaged(struct cartridge *c, const struct record *rec)
{
	log_msg(LOG_WARNING, "cartridge %s, partition %u: object %" PRIu64 " is damaged",
		c->info.barcode, c->partition, c->at.object);
	cartridge_count(c, &(struct cartridge_counters){ .read_errors = 1 });
	pass(c, rec);
	return CARTRIDGE_CORRUPT;
}

/* What all that read begin with: OK only in front of a block, otherwise what it is, and passed if
 * that is what a read does. */
static enum cartridge_result begin_read(struct cartridge *c, struct record *rec,
	struct cartridge_block *got)
{
	enum cartridge_result res = next(c, rec);

	*got = (struct cartridge_block){ .length = 0 };
	if (res == CARTRIDGE_FILEMARK)
		pass(c, rec->offset ? rec : NULL);
	if (res == CARTRIDGE_CORRUPT)
		return damaged(c, NULL);
	return res;
}

/* Reads what is stored into memory of ours: NULL and *res when that fails. */
static uint8_t *stored(struct cartridge *c, const struct record *rec, enum cartridge_result *res)
{
	uint8_t *buf = payload_room(c->payload, rec->stored);
	int err = buf ? reel_stored(cartridge_reel(c), rec, buf) : -ENOMEM;

	*res = err == -ENOMEM ? CARTRIDGE_NO_MEMORY : err ? CARTRIDGE_CORRUPT : CARTRIDGE_OK;
	return err ? NULL : buf;
}

/* A block that is stored as the host wrote it goes straight into the host's buffer. */
static enum cartridge_result read_plain(struct cartridge *c, const struct record *rec, void *buf,
	size_t size)
{
	enum cartridge_result res;

	if (size >= rec->length)
		return reel_stored(cartridge_reel(c), rec, buf) ? CARTRIDGE_CORRUPT : CARTRIDGE_OK;
	const uint8_t *block = stored(c, rec, &res);
	if (block && size)
		memcpy(buf, block, size);
	return res;
}

static enum cartridge_result read_encoded(struct cartridge *c, const struct record *rec, void *buf,
	size_t size, const struct cartridge_key *key, struct cartridge_block *got)
{
	enum cartridge_result res;
	uint8_t *block = stored(c, rec, &res);

	if (!block)
		return res;
	if (!payload_describe(rec, block, got))
		return CARTRIDGE_CORRUPT;
	return payload_decode(c->payload, rec, block, key, buf, size);
}

static enum cartridge_result read_block(struct cartridge *c, const struct record *rec, void *buf,
	size_t size, const struct cartridge_key *key, struct cartridge_block *got)
{
	*got = (struct cartridge_block){ .length = rec->length, .stored = rec->stored,
		.compressed = rec->compression != RECORD_PLAIN, .protected = rec->protected,
		.encrypted = rec->encryption != RECORD_CLEAR };
	if (rec->compression == RECORD_PLAIN && rec->encryption == RECORD_CLEAR)
		return read_plain(c, rec, buf, size);
	return read_encoded(c, rec, buf, size, key, got);
}

enum cartridge_result cartridge_read(struct cartridge *c, void *buf, size_t size,
	const struct cartridge_key *key, struct cartridge_block *got)
{
	struct record rec;
	enum cartridge_result res = begin_read(c, &rec, got);

	if (res != CARTRIDGE_OK)
		return res;
	res = read_block(c, &rec, buf, size, key, got);
	if (res == CARTRIDGE_CORRUPT)
		return damaged(c, &rec);
	if (res != CARTRIDGE_OK)
		return res;
	pass(c, &rec);
	cartridge_count(c, &(struct cartridge_counters){
		.host_read = rec.length, .medium_read = rec.stored, .blocks_read = 1 });
	return CARTRIDGE_OK;
}

enum cartridge_result cartridge_verify(struct cartridge *c, struct cartridge_block *got)
{
	struct record rec;
	enum cartridge_result res = begin_read(c, &rec, got);

	if (res != CARTRIDGE_OK)
		return res;
	const uint8_t *block = stored(c, &rec, &res);
	if (block && !payload_describe(&rec, block, got))
		res = CARTRIDGE_CORRUPT;
	if (res == CARTRIDGE_CORRUPT)
		return damaged(c, &rec);
	if (res == CARTRIDGE_OK)
		pass(c, &rec);
	return res;
}

enum cartridge_result cartridge_peek(struct cartridge *c, struct cartridge_block *got)
{
	uint8_t seal[SEAL_MAX];
	struct record rec;
	enum cartridge_result res = next(c, &rec);

	*got = (struct cartridge_block){ .length = 0 };
	if (res != CARTRIDGE_OK)
		return res;
	size_t len = rec.stored < SEAL_MAX ? rec.stored : SEAL_MAX;
	if (rec.encryption != RECORD_CLEAR &&
		reel_pread(cartridge_reel(c), seal, len, rec.offset + RECORD_HEADER))
		return CARTRIDGE_CORRUPT;
	return payload_describe(&rec, seal, got) ? CARTRIDGE_OK : CARTRIDGE_CORRUPT;
}

enum cartridge_result cartridge_try_key(struct cartridge *c, const struct cartridge_key *key)
{
	struct cartridge_block got;
	struct record rec;
	enum cartridge_result res = next(c, &rec);

	return res == CARTRIDGE_OK ? read_block(c, &rec, NULL, 0, key, &got) : res;
}

/* -- Writing -- */

/* Whether what follows the position may go: always, but on a WORM cartridge only filemarks may that
 * stand right before end of data, and the first one of the partition stays. */
static bool may_overwrite(struct cartridge *c)
{
	const struct tail *t = &cartridge_reel(c)->tail;
	uint64_t objects = t->objects - c->at.object;

	return !c->info.worm || !objects || (t->files - c->at.files == objects && c->at.files);
}

/* Whether this can be written here at all, and in c->cut where it would go. */
static enum cartridge_result begin_write(struct cartridge *c)
{
	struct reel *r = cartridge_reel(c);

	if (c->info.write_protect)
		return CARTRIDGE_PROTECTED;
	if (c->info.cleaning)
		return CARTRIDGE_INVALID;
	if (r->failed)
		return CARTRIDGE_IO;
	if (!may_overwrite(c))
		return CARTRIDGE_WORM;
	return cartridge_result_of(seek_tail(r, c->at.object, &c->cut));
}

void cartridge_change_told(struct cartridge *c)
{
	c->change_told = true;
}

/* Where that cannot be saved (the file system is full), what is written is worth more. The cut may
 * make room, so it is tried again before the data are durable. */
static void note_change(struct cartridge *c)
{
	if (!c->change_told)
		return;
	c->change_told = false;
	c->label.changes++;
	c->label_dirty = c->change_unsaved = true;
	(void)cartridge_attributes_save(c);
}

/* The last before something changes: makes the log end at the position. */
static enum cartridge_result cut(struct cartridge *c)
{
	struct reel *r = cartridge_reel(c);

	note_change(c);
	return c->at.object == r->tail.objects ? CARTRIDGE_OK :
						 cartridge_result_of(reel_cut(r, &c->cut));
}

static void at_end(struct cartridge *c)
{
	const struct tail *t = &cartridge_reel(c)->tail;

	c->at = (struct place){ t->objects, t->off, t->files };
}

/* A host may try again and again: once is enough until something was written. */
static void tell_full(struct cartridge *c, int err)
{
	if (!c->full_told)
		log_msg(LOG_ERR,
			"cartridge %s, partition %u: the file system is full (%s): "
			"for hosts the tape ends here",
			c->info.barcode, c->partition, strerror(-err));
	c->full_told = true;
}

/* A file system that is full is no fault of the cartridge, and not counted as one. */
static enum cartridge_result end_write(struct cartridge *c, int err)
{
	enum cartridge_result res = cartridge_result_of(err);

	at_end(c);
	if (res == CARTRIDGE_OK) {
		c->full_told = false;
	} else if (res == CARTRIDGE_NO_SPACE) {
		tell_full(c, err);
	} else {
		log_msg(LOG_ERR, "cartridge %s, partition %u: cannot write: %s", c->info.barcode,
			c->partition, strerror(-err));
		cartridge_count(c, &(struct cartridge_counters){ .write_errors = 1 });
	}
	return res;
}

static bool fits(struct cartridge *c, const struct tail *t, size_t stored_bytes)
{
	return reel_size_with(t, stored_bytes) <= c->info.partition_capacity[c->partition];
}

/* What one call of the writers below is about. */
struct writing {
	struct slices data;
	size_t len;  /* of a block */
	size_t left; /* blocks */
	const struct cartridge_write_how *how;
};

/* Writes as many blocks as go into one batch, as they are: *n. */
static enum cartridge_result write_plain(struct cartridge *c, struct writing *w, size_t *n)
{
	struct batch *b = &c->batch;
	enum cartridge_result res;

	if (!fits(c, &c->cut, w->len))
		return CARTRIDGE_FULL;
	res = cut(c);
	if (res != CARTRIDGE_OK)
		return res;
	reel_begin(cartridge_reel(c), b);
	do {
		struct record rec = { .protected = w->how->protected,
			.length = (uint32_t)w->len, .stored = (uint32_t)w->len };

		reel_add_block(b, &rec, &w->data);
		++*n;
	} while (*n < w->left && !reel_full(b) && fits(c, &b->tail, w->len));
	res = end_write(c, reel_commit(b));
	if (res == CARTRIDGE_OK)
		cartridge_count(c, &(struct cartridge_counters){ .host_written = *n * w->len,
			.medium_written = *n * w->len, .blocks_written = *n });
	return res;
}

/* Writes one block, compressed or encrypted or both. */
static enum cartridge_result write_encoded(struct cartridge *c, struct writing *w, size_t *n)
{
	struct record rec = { .protected = w->how->protected, .object = c->at.object };
	const uint8_t *block = payload_gather(c->payload, &w->data, w->len);
	struct batch *b = &c->batch;

	if (block)
		block = payload_encode(
			c->payload, block, w->len, w->how->compress, w->how->key, &rec);
	if (!block)
		return CARTRIDGE_NO_MEMORY;
	if (!fits(c, &c->cut, rec.stored))
		return CARTRIDGE_FULL;
	enum cartridge_result res = cut(c);
	if (res != CARTRIDGE_OK)
		return res;
	struct iovec iov = { (void *)(uintptr_t)block, rec.stored };
	reel_begin(cartridge_reel(c), b);
	reel_add_block(b, &rec, &(struct slices){ &iov, 1, 0 });
	*n = 1;
	res = end_write(c, reel_commit(b));
	if (res == CARTRIDGE_OK)
		cartridge_count(c, &(struct cartridge_counters){ .host_written = w->len,
			.medium_written = rec.stored, .blocks_written = 1 });
	return res;
}

enum cartridge_result cartridge_write(struct cartridge *c, const struct iovec *iov, int iovcnt,
	size_t len, size_t count, const struct cartridge_write_how *how, size_t *done)
{
	struct writing w = { { iov, iovcnt, 0 }, len, count, how };
	enum cartridge_result res;

	*done = 0;
	if (!len || len > CARTRIDGE_BLOCK_MAX)
		return CARTRIDGE_INVALID;
	for (res = begin_write(c); res == CARTRIDGE_OK && w.left;) {
		size_t n = 0;

		res = how->compress || how->key ? write_encoded(c, &w, &n) : write_plain(c, &w, &n);
		if (res != CARTRIDGE_OK)
			break;
		*done += n;
		w.left -= n;
		c->cut = cartridge_reel(c)->tail;
	}
	return res;
}

/* Writes as many filemarks as go into one batch. */
static enum cartridge_result write_marks(struct cartridge *c, uint64_t left, uint64_t *n)
{
	struct reel *r = cartridge_reel(c);
	uint64_t most = c->info.partition_capacity[c->partition] + FILEMARK_ROOM;
	struct batch *b = &c->batch;
	enum cartridge_result res;

	if (reel_size_with(&c->cut, 0) > most)
		return CARTRIDGE_FULL;
	res = cut(c);
	if (res != CARTRIDGE_OK)
		return res;
	reel_begin(r, b);
	do {
		reel_add_filemark(b);
		++*n;
	} while (*n < left && !reel_full(b) && reel_size_with(&b->tail, 0) <= most);
	res = end_write(c, reel_commit(b));
	if (res == CARTRIDGE_OK)
		cartridge_count(c, &(struct cartridge_counters){ .filemarks_written = *n });
	return res;
}

enum cartridge_result cartridge_write_filemarks(
	struct cartridge *c, uint64_t count, uint64_t *done)
{
	enum cartridge_result res;

	*done = 0;
	for (res = begin_write(c); res == CARTRIDGE_OK && *done < count;) {
		uint64_t n = 0;

		res = write_marks(c, count - *done, &n);
		if (res != CARTRIDGE_OK)
			break;
		*done += n;
		c->cut = cartridge_reel(c)->tail;
	}
	return res;
}

enum cartridge_result cartridge_sync(struct cartridge *c)
{
	int err = 0;

	if (c->change_unsaved)
		(void)cartridge_attributes_save(c);
	for (unsigned int i = 0; i < c->info.partitions; i++) {
		int e = c->reel[i].writable ? reel_sync(&c->reel[i]) : 0;

		if (!err)
			err = e;
	}
	cartridge_count(c, &(struct cartridge_counters){ .syncs = 1, .write_errors = err ? 1 : 0 });
	return err ? CARTRIDGE_IO : CARTRIDGE_OK;
}

enum cartridge_result cartridge_erase(struct cartridge *c)
{
	struct reel *r = cartridge_reel(c);

	if (c->info.write_protect)
		return CARTRIDGE_PROTECTED;
	if (c->at.object == r->tail.objects) /* but for old data that were to be written over */
		return cartridge_result_of(reel_release(r));
	if (c->info.worm)
		return CARTRIDGE_WORM;
	enum cartridge_result res = begin_write(c);
	if (res == CARTRIDGE_OK)
		res = cut(c);
	if (res == CARTRIDGE_OK)
		res = cartridge_result_of(reel_release(r));
	if (res == CARTRIDGE_OK)
		at_end(c);
	return res;
}

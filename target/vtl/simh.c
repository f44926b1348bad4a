/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIMH tape images. The highest four bits of a length are a class: 0 is data, 8 data with an error,
 * fh a mark. A block's data, of odd length, may or may not be padded; what follows tells.
 */
#include "vtl/simh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

#define FILEMARK    0u
#define END         0xffffffffu
#define GAP         0xfffffffeu
#define CLASS_SHIFT 28
#define CLASS_GOOD  0u
#define CLASS_BAD   8u
#define LENGTH_MASK 0x0fffffffu
#define BUFFER      ((size_t)256 << 10)

/* -- Export -- */

struct writer {
	int fd;
	size_t n;
	uint8_t buf[BUFFER];
};

static int write_all(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int drain(struct writer *w)
{
	int err = write_all(w->fd, w->buf, w->n);

	w->n = 0;
	return err;
}

static int put(struct writer *w, const uint8_t *p, size_t len)
{
	int err = w->n + len > BUFFER ? drain(w) : 0;

	if (err)
		return err;
	if (len > BUFFER)
		return write_all(w->fd, p, len);
	if (len)
		memcpy(w->buf + w->n, p, len);
	w->n += len;
	return 0;
}

static int put_word(struct writer *w, uint32_t word)
{
	uint8_t bytes[4];

	put_le32(bytes, word);
	return put(w, bytes, sizeof(bytes));
}

static int put_record(struct writer *w, uint32_t class, const uint8_t *data, uint32_t len)
{
	static const uint8_t zero;
	uint32_t word = class << CLASS_SHIFT | len;
	int err = put_word(w, word);

	if (!err)
		err = put(w, data, len);
	if (!err)
		err = put(w, &zero, len & 1);
	return err ? err : put_word(w, word);
}

static enum cartridge_result result_of(int err)
{
	return !err ? CARTRIDGE_OK : err == -ENOSPC || err == -EDQUOT || err == -EFBIG ?
		       CARTRIDGE_NO_SPACE : CARTRIDGE_IO;
}

/* Copies one object: EOD when there is none. */
static enum cartridge_result export_one(struct cartridge *c, struct writer *w, uint8_t *buf,
	const struct cartridge_key *key, struct simh_report *out)
{
	struct cartridge_block got;
	enum cartridge_result res = cartridge_read(c, buf, CARTRIDGE_BLOCK_MAX, key, &got);

	switch (res) {
	case CARTRIDGE_OK:
		out->blocks++;
		return result_of(put_record(w, CLASS_GOOD, buf, got.length));
	case CARTRIDGE_FILEMARK:
		out->filemarks++;
		return result_of(put_word(w, FILEMARK));
	case CARTRIDGE_CORRUPT:
		out->bad++;
		return result_of(put_record(w, CLASS_BAD, buf, 0));
	default: return res;
	}
}

enum cartridge_result simh_export(struct cartridge *c, int fd, const struct cartridge_key *key,
	struct simh_report *out)
{
	struct writer *w = malloc(sizeof(*w));
	uint8_t *buf = malloc(CARTRIDGE_BLOCK_MAX);
	enum cartridge_result res = w && buf ? cartridge_locate(c, 0, 0) : CARTRIDGE_NO_MEMORY;

	*out = (struct simh_report){ .blocks = 0 };
	if (w) {
		w->fd = fd;
		w->n = 0;
	}
	while (res == CARTRIDGE_OK)
		res = export_one(c, w, buf, key, out);
	if (res == CARTRIDGE_EOD)
		res = result_of(put_word(w, END));
	if (res == CARTRIDGE_OK)
		res = result_of(drain(w));
	free(buf);
	free(w);
	return res;
}

/* -- Import -- */

struct reader {
	int fd;
	size_t n, at;    /* bytes in buf, and those of them that are read */
	uint64_t offset; /* of the next byte, in the image */
	uint8_t buf[BUFFER];
};

/* The next len bytes. 1; 0 when the image ends right here; -EBADMSG when it ends within them. */
static int get(struct reader *r, uint8_t *p, size_t len)
{
	size_t have = 0;

	while (have < len) {
		size_t n = r->n - r->at < len - have ? r->n - r->at : len - have;

		if (n) {
			memcpy(p + have, r->buf + r->at, n);
			r->at += n;
			r->offset += n;
			have += n;
			continue;
		}
		ssize_t more = read(r->fd, r->buf, BUFFER);
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -errno;
		if (!more)
			return have ? -EBADMSG : 0;
		r->n = (size_t)more;
		r->at = 0;
	}
	return 1;
}

/* The same where an end makes no sense. */
static int get_all(struct reader *r, uint8_t *p, size_t len)
{
	int n = len ? get(r, p, len) : 1;

	return n == 1 ? 0 : n ? n : -EBADMSG;
}

/* The length behind a block's data: right there or, where it is odd, perhaps a byte later. */
static int get_trailer(struct reader *r, uint32_t word)
{
	uint8_t bytes[5];
	int err = get_all(r, bytes, 4);

	if (err || le32(bytes) == word)
		return err;
	if (!(word & 1))
		return -EBADMSG;
	err = get_all(r, bytes + 4, 1);
	return err ? err : le32(bytes + 1) == word ? 0 : -EBADMSG;
}

/* What an error of the image's side is for the caller. */
static enum cartridge_result image_result(int err)
{
	return err == -EBADMSG ? CARTRIDGE_INVALID : CARTRIDGE_IO;
}

static enum cartridge_result import_block(struct cartridge *c, struct reader *r, uint32_t word,
	uint8_t *buf, const struct cartridge_write_how *how, struct simh_report *out)
{
	uint32_t len = word & LENGTH_MASK, class = word >> CLASS_SHIFT;
	struct iovec iov = { buf, len };
	size_t done;
	int err = len > CARTRIDGE_BLOCK_MAX || (class != CLASS_GOOD && class != CLASS_BAD) ?
		-EBADMSG : get_all(r, buf, len);

	if (!err)
		err = get_trailer(r, word);
	if (err)
		return image_result(err);
	if (class == CLASS_BAD) {
		out->bad++;
		return CARTRIDGE_OK;
	}
	enum cartridge_result res = cartridge_write(c, &iov, 1, len, 1, how, &done);
	out->blocks += done;
	return res;
}

/* Copies one object: EOD when there is none. */
static enum cartridge_result import_one(struct cartridge *c, struct reader *r, uint8_t *buf,
	const struct cartridge_write_how *how, struct simh_report *out)
{
	enum cartridge_result res;
	uint8_t bytes[4];
	uint64_t done;

	out->offset = r->offset;
	int n = get(r, bytes, sizeof(bytes));
	if (n < 0)
		return image_result(n);
	if (!n || le32(bytes) == END)
		return CARTRIDGE_EOD;
	if (le32(bytes) == GAP)
		return CARTRIDGE_OK;
	if (le32(bytes) != FILEMARK)
		return import_block(c, r, le32(bytes), buf, how, out);
	res = cartridge_write_filemarks(c, 1, &done);
	out->filemarks += done;
	return res;
}

enum cartridge_result simh_import(struct cartridge *c, int fd,
	const struct cartridge_write_how *how, struct simh_report *out)
{
	struct reader *r = malloc(sizeof(*r));
	uint8_t *buf = malloc(CARTRIDGE_BLOCK_MAX);
	enum cartridge_result res = r && buf ? CARTRIDGE_OK : CARTRIDGE_NO_MEMORY;

	*out = (struct simh_report){ .blocks = 0 };
	if (r) {
		r->fd = fd;
		r->n = r->at = 0;
		r->offset = 0;
	}
	while (res == CARTRIDGE_OK)
		res = import_one(c, r, buf, how, out);
	free(buf);
	free(r);
	enum cartridge_result synced = cartridge_sync(c);
	return res == CARTRIDGE_EOD ? synced : res;
}

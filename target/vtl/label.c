/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The label's bytes and its file.
 */
#include "vtl/label.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc.h"

#define NAME      "label"
#define NEW_NAME  "label.new"
#define HEAD      16u
#define COUNTERS  (8u * 16)
#define CHANGES   (8u * 11) /* among the counters of the life */
#define MAM_AT    (HEAD + IDENTITY_BYTES + 2 * COUNTERS + LABEL_LOADS * 40 + 8)
#define CRC_SIZE  4u
#define LABEL_MAX (MAM_AT + MAM_BYTES_MAX + CRC_SIZE)

static const uint8_t magic[8] = { 'C', 'S', 'L', 'A', 'B', 'E', 'L', '\n' };

/* The counters in the order in which they are stored. */
static void counters_encode(const struct cartridge_counters *c, uint8_t *out)
{
	const uint64_t figures[] = { c->loads, c->host_written, c->host_read, c->medium_written,
		c->medium_read, c->blocks_written, c->blocks_read, c->filemarks_written,
		c->write_errors, c->read_errors, c->syncs };

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		put_le64(out + 8 * i, figures[i]);
}

static void counters_decode(const uint8_t *in, struct cartridge_counters *c)
{
	*c = (struct cartridge_counters){
		.loads = le64(in), .host_written = le64(in + 8), .host_read = le64(in + 16),
		.medium_written = le64(in + 24), .medium_read = le64(in + 32),
		.blocks_written = le64(in + 40), .blocks_read = le64(in + 48),
		.filemarks_written = le64(in + 56), .write_errors = le64(in + 64),
		.read_errors = le64(in + 72), .syncs = le64(in + 80),
	};
}

static size_t encode(const struct label *l, uint8_t out[static LABEL_MAX])
{
	size_t size = MAM_AT + l->mam.len + CRC_SIZE;
	uint8_t *p = out + HEAD;

	memset(out, 0, MAM_AT);
	memcpy(out, magic, sizeof(magic));
	put_le32(out + 8, FORMAT_VERSION);
	put_le32(out + 12, (uint32_t)size);
	identity_encode(&l->identity, p);
	p += IDENTITY_BYTES;
	counters_encode(&l->life, p);
	put_le64(p + CHANGES, l->changes);
	counters_encode(&l->last, p + COUNTERS);
	p += 2 * COUNTERS;
	for (unsigned int i = 0; i < LABEL_LOADS; i++, p += 40)
		memcpy(p, l->drive[i], strlen(l->drive[i]));
	put_le64(p, l->alerts);
	memcpy(out + MAM_AT, l->mam.bytes, l->mam.len);
	put_le32(out + size - CRC_SIZE, crc_end(crc_add(CRC_START, out, size - CRC_SIZE)));
	return size;
}

static int decode(const uint8_t *in, size_t size, struct label *out)
{
	const uint8_t *p = in + HEAD + IDENTITY_BYTES;

	if (size < MAM_AT + CRC_SIZE || memcmp(in, magic, sizeof(magic)) ||
		le32(in + 12) != size ||
		le32(in + size - CRC_SIZE) != crc_end(crc_add(CRC_START, in, size - CRC_SIZE)))
		return -EBADMSG;
	if (le32(in + 8) != FORMAT_VERSION)
		return -ENOTSUP;
	if (!identity_decode(in + HEAD, &out->identity))
		return -EBADMSG;
	counters_decode(p, &out->life);
	out->changes = (uint32_t)le64(p + CHANGES);
	counters_decode(p + COUNTERS, &out->last);
	p += 2 * COUNTERS;
	for (unsigned int i = 0; i < LABEL_LOADS; i++, p += 40) {
		memcpy(out->drive[i], p, 40);
		out->drive[i][40] = '\0';
	}
	out->alerts = le64(p);
	out->mam.len = size - MAM_AT - CRC_SIZE;
	memcpy(out->mam.bytes, in + MAM_AT, out->mam.len);
	return mam_valid(&out->mam) ? 0 : -EBADMSG;
}

/* Reads until the end of the file or of buf: bytes, or -errno. */
static ssize_t read_all(int fd, uint8_t *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, buf + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static int write_all(int fd, const uint8_t *buf, size_t size)
{
	while (size) {
		ssize_t n = write(fd, buf, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		buf += n;
		size -= (size_t)n;
	}
	return 0;
}

/* A regular file of that name, or -errno: a device or a pipe must not hold us up. */
static int open_regular(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EBADMSG;
	}
	return fd;
}

int label_load(int dir, struct label *out)
{
	int fd = open_regular(dir, NAME);
	if (fd < 0)
		return fd;
	uint8_t *buf = malloc(LABEL_MAX + 1);
	ssize_t n = buf ? read_all(fd, buf, LABEL_MAX + 1) : -ENOMEM;
	int err = n < 0 ? (int)n : decode(buf, (size_t)n, out);
	free(buf);
	close(fd);
	return err;
}

/* Writes a file that is new, whatever was there, and makes it durable. */
static int write_file(int dir, const char *name, const uint8_t *buf, size_t size)
{
	unlinkat(dir, name, 0);
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err = fd < 0 ? -errno : write_all(fd, buf, size);

	if (!err && fsync(fd))
		err = -errno;
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	return err;
}

int label_save(int dir, const struct label *l)
{
	uint8_t *buf = malloc(LABEL_MAX);
	int err = buf ? write_file(dir, NEW_NAME, buf, encode(l, buf)) : -ENOMEM;

	if (!err && renameat(dir, NEW_NAME, dir, NAME))
		err = -errno;
	else if (err)
		unlinkat(dir, NEW_NAME, 0);
	if (!err && fsync(dir))
		err = -errno;
	free(buf);
	return err;
}

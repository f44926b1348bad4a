/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rig of the cartridge tests.
 */
#include "support_vtl.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "vtl/cartridge_private.h"

int vtl_setup(void **state)
{
	struct vtl *v = calloc(1, sizeof(*v));
	const char *tmp = getenv("TMPDIR");

	if (!v)
		return -1;
	*state = v;
	snprintf(v->dir, sizeof(v->dir), "%s/vtl-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(v->dir))
		return -1;
	snprintf(v->path, sizeof(v->path), "%s/TAPE", v->dir);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int vtl_teardown(void **state)
{
	struct vtl *v = *state;

	cartridge_close(v->c);
	nftw(v->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(v);
	return 0;
}

void vtl_new_from(struct vtl *v, struct cartridge_cfg cfg)
{
	assert_int_equal(cartridge_create(v->path, &cfg), 0);
	vtl_open(v);
}

void vtl_new(struct vtl *v, uint64_t capacity)
{
	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "TEST01L6",
		.media = media_generation(6), .capacity = capacity });
}

void vtl_open(struct vtl *v)
{
	const struct cartridge_opening how = { .drive = "IBM     0123456789" };

	assert_null(v->c);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), 0);
}

void vtl_close(struct vtl *v)
{
	assert_int_equal(cartridge_close(v->c), 0);
	v->c = NULL;
}

void vtl_reopen(struct vtl *v)
{
	vtl_close(v);
	vtl_open(v);
}

void vtl_drop(struct vtl *v)
{
	/* Read-only, it writes nothing on its way out. */
	v->c->read_only = true;
	vtl_close(v);
}

void vtl_fill(void *buf, size_t len, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15u + len;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		/* Half of it repeats, so that there is something to compress. */
		uint64_t word = i % 64 < 32 ? x : seed;
		memcpy(p + i, &word, len - i < sizeof(word) ? len - i : sizeof(word));
	}
}

enum cartridge_result vtl_try_write(struct vtl *v, size_t len, uint64_t seed)
{
	const struct cartridge_write_how how = { .compress = false };
	uint8_t *buf = malloc(len);
	struct iovec iov = { buf, len };
	size_t done;

	assert_non_null(buf);
	vtl_fill(buf, len, seed);
	enum cartridge_result res = cartridge_write(v->c, &iov, 1, len, 1, &how, &done);
	assert_int_equal(done, res == CARTRIDGE_OK);
	free(buf);
	return res;
}

void vtl_write_how(struct vtl *v, size_t len, uint64_t seed, struct cartridge_write_how how)
{
	uint8_t *buf = malloc(len);
	/* In two pieces. */
	struct iovec iov[2] = { { buf, len / 3 }, { buf + len / 3, len - len / 3 } };
	size_t done;

	assert_non_null(buf);
	vtl_fill(buf, len, seed);
	assert_int_equal(cartridge_write(v->c, iov, 2, len, 1, &how, &done), CARTRIDGE_OK);
	assert_int_equal(done, 1);
	free(buf);
}

void vtl_write(struct vtl *v, size_t len, uint64_t seed)
{
	assert_int_equal(vtl_try_write(v, len, seed), CARTRIDGE_OK);
}

void vtl_marks(struct vtl *v, uint64_t n)
{
	uint64_t done;

	assert_int_equal(cartridge_write_filemarks(v->c, n, &done), CARTRIDGE_OK);
	assert_int_equal(done, n);
}

void vtl_sync(struct vtl *v)
{
	assert_int_equal(cartridge_sync(v->c), CARTRIDGE_OK);
}

void vtl_expect_key(struct vtl *v, size_t len, uint64_t seed, const struct cartridge_key *key)
{
	uint8_t *want = malloc(len), *buf = malloc(len);
	struct cartridge_block got;

	assert_non_null(want);
	assert_non_null(buf);
	vtl_fill(want, len, seed);
	assert_int_equal(cartridge_read(v->c, buf, len, key, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, len);
	assert_memory_equal(buf, want, len);
	free(want);
	free(buf);
}

void vtl_expect(struct vtl *v, size_t len, uint64_t seed)
{
	vtl_expect_key(v, len, seed, NULL);
}

void vtl_expect_no_block(struct vtl *v, enum cartridge_result res)
{
	struct cartridge_block got;
	uint8_t buf[16];

	assert_int_equal(cartridge_read(v->c, buf, sizeof(buf), NULL, &got), res);
}

void vtl_at(struct vtl *v, uint64_t object, uint64_t file)
{
	struct cartridge_position p;

	cartridge_position(v->c, &p);
	assert_int_equal(p.object, object);
	assert_int_equal(p.file, file);
	assert_int_equal(p.bop, object == 0);
	assert_int_equal(p.eod, object == vtl_objects(v));
}

void vtl_go(struct vtl *v, uint64_t object)
{
	struct cartridge_position p;

	cartridge_position(v->c, &p);
	assert_int_equal(cartridge_locate(v->c, p.partition, object), CARTRIDGE_OK);
}

uint64_t vtl_objects(struct vtl *v)
{
	struct cartridge_position p;
	struct cartridge_usage u;

	cartridge_position(v->c, &p);
	assert_int_equal(cartridge_usage(v->c, p.partition, &u), CARTRIDGE_OK);
	return u.objects;
}

static int open_one(struct vtl *v, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", v->path, name);
	int fd = open(path, flags, 0600);
	assert_true(fd >= 0);
	return fd;
}

bool vtl_loaded(struct drive *d)
{
	struct drive_medium in;

	drive_medium(d, &in);
	return in.state == DRIVE_LOADED;
}

uint8_t *vtl_file(struct vtl *v, const char *name, size_t *len)
{
	int fd = open_one(v, name, O_RDONLY);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	uint8_t *bytes = malloc(*len + 1);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, *len), *len);
	close(fd);
	return bytes;
}

void vtl_put_file(struct vtl *v, const char *name, const uint8_t *bytes, size_t len)
{
	int fd = open_one(v, name, O_WRONLY | O_CREAT | O_TRUNC);

	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

void vtl_flip(struct vtl *v, const char *name, size_t off, uint8_t bits)
{
	int fd = open_one(v, name, O_RDWR);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, (off_t)off), 1);
	byte ^= bits;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)off), 1);
	close(fd);
}

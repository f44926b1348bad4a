/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log in its file, without the cartridge around it: how the file shrinks while old data are
 * written over. The old data are a hole here, as there are gigabytes of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "vtl/reel.h"

#define MIB   ((uint64_t)1 << 20)
#define GIB   ((uint64_t)1 << 30)
#define BLOCK ((size_t)1 << 20)

static int setup(void **state)
{
	struct reel *r = calloc(1, sizeof(*r));
	struct identity id = { .partitions = 1, .media = media_generation(6) };
	char path[] = "/tmp/reel.XXXXXX";

	*state = r;
	r->fd = mkstemp(path);
	r->name = "TEST01L6";
	r->writable = true;
	r->limit = LOG_START;
	tail_start(&r->tail, 0);
	return r->fd < 0 || unlink(path) || reel_blank(r->fd, &id, 0);
}

static int teardown(void **state)
{
	struct reel *r = *state;

	close(r->fd);
	free(r);
	return 0;
}

static uint64_t file_size(const struct reel *r)
{
	struct stat st;

	assert_int_equal(fstat(r->fd, &st), 0);
	return (uint64_t)st.st_size;
}

/* As after a cut of a file that is so long. */
static void have_old_data(struct reel *r, uint64_t end)
{
	assert_int_equal(ftruncate(r->fd, (off_t)end), 0);
	r->spare = end;
}

static void append(struct reel *r, unsigned int blocks)
{
	static uint8_t block[BLOCK];

	while (blocks--) {
		struct iovec iov = { block, BLOCK };
		struct record rec = { .length = BLOCK, .stored = BLOCK };
		struct batch b;

		reel_begin(r, &b);
		reel_add_block(&b, &rec, &(struct slices){ &iov, 1, 0 });
		assert_int_equal(reel_commit(&b), 0);
	}
}

static void gigabytes_of_old_data_go_by_and_by(void **state)
{
	struct reel *r = *state;

	have_old_data(r, 6 * GIB);
	append(r, 16);
	assert_int_equal(file_size(r), 6 * GIB);
	append(r, 32);
	assert_int_equal(file_size(r), 6 * GIB - 64 * MIB);
	append(r, 32);
	assert_int_equal(file_size(r), 6 * GIB - 128 * MIB);
	assert_int_equal(reel_spare(r), file_size(r) - r->tail.off);
}

static void what_is_soon_written_over_stays(void **state)
{
	struct reel *r = *state;

	have_old_data(r, 4 * GIB);
	append(r, 80);
	assert_int_equal(file_size(r), 4 * GIB);
}

static void what_is_left_is_given_back_when_asked(void **state)
{
	struct reel *r = *state;

	have_old_data(r, 4 * GIB);
	append(r, 1);
	assert_int_equal(reel_release(r), 0);
	assert_int_equal(file_size(r), r->tail.off);
	assert_int_equal(reel_spare(r), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(gigabytes_of_old_data_go_by_and_by),
		CASE(what_is_soon_written_over_stays),
		CASE(what_is_left_is_given_back_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

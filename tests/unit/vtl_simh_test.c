/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIMH images, in and out.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "support_vtl.h"
#include "vtl/simh.h"

#define MIB VTL_MIB

static const struct cartridge_write_how plain = { .compress = false };

/* A file that is gone when it is closed. */
static int scratch(struct vtl *v)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/image-XXXXXX", v->dir);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	return fd;
}

static enum cartridge_result import(struct vtl *v, const void *bytes, size_t len,
	struct simh_report *out)
{
	int fd = scratch(v);

	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	enum cartridge_result res = simh_import(v->c, fd, &plain, out);
	close(fd);
	return res;
}

static void expect_bytes(struct vtl *v, const char *want, size_t len)
{
	struct cartridge_block got;
	char buf[16];

	assert_int_equal(cartridge_read(v->c, buf, sizeof(buf), NULL, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, len);
	assert_memory_equal(buf, want, len);
}

static void export_writes_what_the_format_says(void **state)
{
	static const uint8_t want[] = {
		4, 0, 0, 0, 'a', 'b', 'c', 'd', 4, 0, 0, 0,
		3, 0, 0, 0, 'e', 'f', 'g', 0, 3, 0, 0, 0,
		0, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff,
	};
	struct vtl *v = *state;
	struct iovec four = { "abcd", 4 }, three = { "efg", 3 };
	struct simh_report report;
	uint8_t buf[64];
	size_t done;

	vtl_new(v, MIB);
	assert_int_equal(cartridge_write(v->c, &four, 1, 4, 1, &plain, &done), CARTRIDGE_OK);
	assert_int_equal(cartridge_write(v->c, &three, 1, 3, 1, &plain, &done), CARTRIDGE_OK);
	vtl_marks(v, 1);
	int fd = scratch(v);
	assert_int_equal(simh_export(v->c, fd, NULL, &report), CARTRIDGE_OK);
	assert_int_equal(report.blocks, 2);
	assert_int_equal(report.filemarks, 1);
	assert_int_equal(report.bad, 0);
	assert_int_equal(pread(fd, buf, sizeof(buf), 0), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
	close(fd);
}

static void import_reads_padded_and_unpadded_blocks(void **state)
{
	static const uint8_t image[] = {
		3, 0, 0, 0, 'a', 'b', 'c', 0, 3, 0, 0, 0,
		3, 0, 0, 0, 'd', 'e', 'f', 3, 0, 0, 0,
		0xfe, 0xff, 0xff, 0xff, /* a gap */
		0, 0, 0, 0,
		1, 0, 0, 0, 'g', 0, 1, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 'x',
	};
	struct vtl *v = *state;
	struct simh_report report;

	vtl_new(v, MIB);
	assert_int_equal(import(v, image, sizeof(image), &report), CARTRIDGE_OK);
	assert_int_equal(report.blocks, 3);
	assert_int_equal(report.filemarks, 1);
	vtl_go(v, 0);
	expect_bytes(v, "abc", 3);
	expect_bytes(v, "def", 3);
	vtl_expect_no_block(v, CARTRIDGE_FILEMARK);
	expect_bytes(v, "g", 1);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
}

static void image_may_end_without_an_end(void **state)
{
	static const uint8_t image[] = { 0, 0, 0, 0 };
	struct vtl *v = *state;
	struct simh_report report;

	vtl_new(v, MIB);
	assert_int_equal(import(v, image, sizeof(image), &report), CARTRIDGE_OK);
	assert_int_equal(import(v, image, 0, &report), CARTRIDGE_OK);
	assert_int_equal(vtl_objects(v), 1);
}

static void import_leaves_out_what_is_marked_bad(void **state)
{
	static const uint8_t image[] = {
		2, 0, 0, 0x80, 'x', 'y', 2, 0, 0, 0x80,
		0, 0, 0, 0x80, 0, 0, 0, 0x80,
		2, 0, 0, 0, 'a', 'b', 2, 0, 0, 0,
	};
	struct vtl *v = *state;
	struct simh_report report;

	vtl_new(v, MIB);
	assert_int_equal(import(v, image, sizeof(image), &report), CARTRIDGE_OK);
	assert_int_equal(report.bad, 2);
	assert_int_equal(report.blocks, 1);
	vtl_go(v, 0);
	expect_bytes(v, "ab", 2);
}

static void import_tells_where_an_image_is_wrong(void **state)
{
	static const uint8_t image[] = {
		2, 0, 0, 0, 'a', 'b', 2, 0, 0, 0,
		2, 0, 0, 0, 'c', 'd', 5, 0, 0, 0,
	};
	struct vtl *v = *state;
	struct simh_report report;

	vtl_new(v, MIB);
	/* Every end within the second block, and at its end the wrong length. */
	for (size_t len = 11; len <= sizeof(image); len++) {
		vtl_go(v, 0);
		assert_int_equal(import(v, image, len, &report), CARTRIDGE_INVALID);
		assert_int_equal(report.offset, 10);
		assert_int_equal(report.blocks, 1);
		assert_int_equal(vtl_objects(v), 1);
	}
}

static void import_refuses_blocks_that_are_too_long(void **state)
{
	static const uint8_t image[] = { 1, 0, 0x80, 0 }, odd_class[] = { 1, 0, 0, 0x20 };
	struct vtl *v = *state;
	struct simh_report report;

	vtl_new(v, MIB);
	assert_int_equal(import(v, image, sizeof(image), &report), CARTRIDGE_INVALID);
	assert_int_equal(import(v, odd_class, sizeof(odd_class), &report), CARTRIDGE_INVALID);
	assert_int_equal(vtl_objects(v), 0);
}

static void tape_comes_back_from_its_image(void **state)
{
	struct vtl *v = *state;
	struct simh_report report;
	int fd = scratch(v);

	vtl_new(v, 64 * MIB);
	for (uint64_t i = 0; i < 300; i++) {
		if (i % 10 == 9)
			vtl_marks(v, 1);
		else
			vtl_write(v, 1 + i * 997 % 40000, i);
	}
	vtl_write(v, 8 * MIB, 300);
	assert_int_equal(simh_export(v->c, fd, NULL, &report), CARTRIDGE_OK);
	vtl_go(v, 0);
	assert_int_equal(cartridge_erase(v->c), CARTRIDGE_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(simh_import(v->c, fd, &(struct cartridge_write_how){ .compress = true },
		&report), CARTRIDGE_OK);
	assert_int_equal(report.blocks, 271);
	assert_int_equal(report.filemarks, 30);
	vtl_reopen(v);
	for (uint64_t i = 0; i < 300; i++) {
		if (i % 10 == 9)
			vtl_expect_no_block(v, CARTRIDGE_FILEMARK);
		else
			vtl_expect(v, 1 + i * 997 % 40000, i);
	}
	vtl_expect(v, 8 * MIB, 300);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
	close(fd);
}

static void damaged_block_is_exported_as_bad(void **state)
{
	static const uint8_t want[] = { 0, 0, 0, 0x80, 0, 0, 0, 0x80 };
	struct vtl *v = *state;
	struct simh_report report;
	uint8_t buf[32];

	vtl_new(v, MIB);
	vtl_write(v, 1000, 1);
	vtl_marks(v, 1);
	vtl_close(v);
	vtl_flip(v, "p0", 12288 + 500, 1);
	vtl_open(v);
	int fd = scratch(v);
	assert_int_equal(simh_export(v->c, fd, NULL, &report), CARTRIDGE_OK);
	assert_int_equal(report.bad, 1);
	assert_int_equal(report.filemarks, 1);
	assert_int_equal(pread(fd, buf, sizeof(buf), 0), 16);
	assert_memory_equal(buf, want, sizeof(want));
	close(fd);
}

static void export_of_encrypted_blocks_needs_the_key(void **state)
{
	struct cartridge_key key = { .key = "key" };
	struct vtl *v = *state;
	struct simh_report report;
	int fd = scratch(v);

	vtl_new(v, MIB);
	vtl_write_how(v, 100, 1, (struct cartridge_write_how){ .key = &key });
	assert_int_equal(simh_export(v->c, fd, NULL, &report), CARTRIDGE_NO_KEY);
	assert_int_equal(simh_export(v->c, fd, &key, &report), CARTRIDGE_OK);
	assert_int_equal(report.blocks, 1);
	close(fd);
}

static void export_tells_when_there_is_no_room(void **state)
{
	struct vtl *v = *state;
	struct simh_report report;
	int fd = open("/dev/full", O_WRONLY);

	vtl_new(v, MIB);
	vtl_write(v, 100, 1);
	assert_true(fd >= 0);
	assert_int_equal(simh_export(v->c, fd, NULL, &report), CARTRIDGE_NO_SPACE);
	close(fd);
}

static void import_stops_at_the_end_of_the_tape(void **state)
{
	struct vtl *v = *state;
	struct simh_report report;
	static uint8_t image[40][4 + 65536 + 4];

	vtl_new(v, MIB);
	for (size_t i = 0; i < 40; i++)
		image[i][2] = image[i][4 + 65536 + 2] = 1;
	assert_int_equal(import(v, image, sizeof(image), &report), CARTRIDGE_FULL);
	assert_int_equal(report.blocks, MIB / (65536 + 64));
	assert_int_equal(vtl_objects(v), report.blocks);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, vtl_setup, vtl_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(export_writes_what_the_format_says),
		CASE(import_reads_padded_and_unpadded_blocks),
		CASE(image_may_end_without_an_end),
		CASE(import_leaves_out_what_is_marked_bad),
		CASE(import_tells_where_an_image_is_wrong),
		CASE(import_refuses_blocks_that_are_too_long),
		CASE(tape_comes_back_from_its_image),
		CASE(damaged_block_is_exported_as_bad),
		CASE(export_of_encrypted_blocks_needs_the_key),
		CASE(export_tells_when_there_is_no_room),
		CASE(import_stops_at_the_end_of_the_tape),
	};

	log_setup(LOG_TO_STDERR, LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

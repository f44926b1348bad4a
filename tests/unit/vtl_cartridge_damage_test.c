/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cartridge with damage: what is damaged is said to be, what is not can still be read, and no
 * byte that a host gets is another than it wrote.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crc.h"
#include "base/log.h"
#include "support_vtl.h"
#include "vtl/format.h"

#define MIB VTL_MIB

static size_t length_of(uint64_t i)
{
	return 100 + i * 37 % 500;
}

static bool mark_at(uint64_t i)
{
	return i % 7 == 5;
}

/* n objects, every seventh of them a filemark; closed. */
static void record(struct vtl *v, uint64_t n)
{
	vtl_new(v, 64 * MIB);
	for (uint64_t i = 0; i < n; i++) {
		if (mark_at(i))
			vtl_marks(v, 1);
		else
			vtl_write(v, length_of(i), i);
	}
	vtl_close(v);
}

/* Where the header of object i is: found by its number in its bytes. */
static size_t header_of(const uint8_t *bytes, size_t len, uint64_t object)
{
	struct record rec;

	for (size_t at = LOG_START; at + RECORD_HEADER <= len; at += record_size(&rec)) {
		assert_true(record_decode(bytes + at, &rec));
		if (rec.type != RECORD_CHECKPOINT && rec.object == object)
			return at;
	}
	fail();
	return 0;
}

/* Reads all there is: each object is right or CORRUPT. Gives how many are. */
static uint64_t expect_rest(struct vtl *v, uint64_t n, uint64_t *first_bad)
{
	uint8_t buf[1000], want[1000];
	struct cartridge_block got;
	uint64_t bad = 0;

	for (uint64_t i = 0; i < n; i++) {
		enum cartridge_result res = cartridge_read(v->c, buf, sizeof(buf), NULL, &got);
		struct cartridge_position p;

		if (res == CARTRIDGE_CORRUPT) {
			if (!bad++)
				*first_bad = i;
		} else if (mark_at(i)) {
			assert_int_equal(res, CARTRIDGE_FILEMARK);
		} else {
			assert_int_equal(res, CARTRIDGE_OK);
			assert_int_equal(got.length, length_of(i));
			vtl_fill(want, got.length, i);
			assert_memory_equal(buf, want, got.length);
		}
		cartridge_position(v->c, &p);
		assert_int_equal(p.object, i + 1);
	}
	vtl_expect_no_block(v, CARTRIDGE_EOD);
	return bad;
}

static void any_byte_turned_over_costs_one_record_at_most(void **state)
{
	struct vtl *v = *state;
	const uint64_t n = 12;
	uint64_t first;
	size_t len;

	record(v, n);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	for (size_t off = 0; off < len; off++) {
		/* Most of what is before the log is zeros under one checksum. */
		if (off > 400 && off < LOG_START && off % FORMAT_BLOCK > 400 && off % 101)
			continue;
		vtl_flip(v, "p0", off, (uint8_t)(1u << off % 8));
		vtl_open(v);
		assert_int_equal(vtl_objects(v), n);
		assert_true(expect_rest(v, n, &first) <= 1);
		vtl_drop(v);
		vtl_put_file(v, "p0", bytes, len);
	}
	free(bytes);
}

static void damaged_data_are_an_error_of_that_block_alone(void **state)
{
	struct vtl *v = *state;
	uint64_t first;
	size_t len;

	record(v, 50);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	vtl_flip(v, "p0", header_of(bytes, len, 20) + RECORD_HEADER + 10, 1);
	free(bytes);
	vtl_open(v);
	assert_int_equal(expect_rest(v, 50, &first), 1);
	assert_int_equal(first, 20);
	struct cartridge_counters load;
	cartridge_counters(v->c, NULL, &load);
	assert_int_equal(load.read_errors, 1);
}

static void damaged_header_is_an_error_of_that_block_alone(void **state)
{
	struct vtl *v = *state;
	struct cartridge_block got;
	uint64_t first;
	size_t len;

	record(v, 600);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	vtl_flip(v, "p0", header_of(bytes, len, 300) + 50, 1);
	vtl_flip(v, "p0", header_of(bytes, len, 590) + 50, 1);
	free(bytes);
	vtl_open(v);
	assert_int_equal(expect_rest(v, 600, &first), 2);
	assert_int_equal(first, 300);
	vtl_go(v, 300);
	assert_int_equal(cartridge_peek(v->c, &got), CARTRIDGE_CORRUPT);
	assert_int_equal(cartridge_verify(v->c, &got), CARTRIDGE_CORRUPT);
	assert_int_equal(got.length, 0);
	vtl_expect(v, length_of(301), 301);
}

static void filemark_with_a_damaged_header_is_still_one(void **state)
{
	struct vtl *v = *state;
	uint64_t first;
	size_t len;

	record(v, 600);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	assert_true(mark_at(19));
	vtl_flip(v, "p0", header_of(bytes, len, 19) + 50, 1);
	free(bytes);
	vtl_open(v);
	assert_int_equal(expect_rest(v, 600, &first), 0);
}

static void damaged_checkpoint_costs_nothing(void **state)
{
	struct vtl *v = *state;
	const uint64_t n = 256 * 9 + 100;
	struct record rec;
	uint64_t first;
	size_t len;

	record(v, n);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	for (size_t at = LOG_START; at < len; at += record_size(&rec)) {
		assert_true(record_decode(bytes + at, &rec));
		if (rec.type != RECORD_CHECKPOINT)
			continue;
		/* Header and body in turn; 256 * 8 is where most ways lead through. */
		vtl_flip(v, "p0", at + (rec.object / 256 % 2 ? 30 : 300), 0x10);
	}
	free(bytes);
	vtl_open(v);
	assert_int_equal(vtl_objects(v), n);
	for (uint64_t i = 0; i < n; i += 97) {
		vtl_go(v, i);
		if (!mark_at(i))
			vtl_expect(v, length_of(i), i);
	}
	assert_int_equal(cartridge_locate_file(v->c, 0, 100), CARTRIDGE_OK);
	vtl_at(v, 7 * 99 + 6, 100);
	assert_int_equal(cartridge_rewind(v->c), CARTRIDGE_OK);
	assert_int_equal(expect_rest(v, n, &first), 0);
	/* It can also be written on. */
	vtl_go(v, 700);
	vtl_write(v, length_of(700), 700);
	vtl_reopen(v);
	assert_int_equal(expect_rest(v, 701, &first), 0);
}

static void hole_over_many_records_loses_only_these(void **state)
{
	struct vtl *v = *state;
	const uint64_t n = 256 * 6 + 100;
	uint64_t bad = 0;
	size_t len;

	record(v, n);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	size_t from = header_of(bytes, len, 500), to = header_of(bytes, len, 1100);
	memset(bytes + from + 10, 0, to - from - 10);
	vtl_put_file(v, "p0", bytes, len);
	free(bytes);
	vtl_open(v);
	assert_int_equal(vtl_objects(v), n);
	for (uint64_t i = 0; i < n; i++) {
		struct cartridge_block got;
		uint8_t buf[1000];
		enum cartridge_result res = cartridge_read(v->c, buf, sizeof(buf), NULL, &got);

		if (i >= 500 && i < 1100) {
			assert_true(res == CARTRIDGE_CORRUPT || res == CARTRIDGE_FILEMARK);
			bad += res == CARTRIDGE_CORRUPT;
		} else {
			assert_int_equal(res, mark_at(i) ? CARTRIDGE_FILEMARK : CARTRIDGE_OK);
		}
	}
	/* Of what the index had of them, the two spans in the middle are lost. */
	assert_true(bad >= 500 && bad <= 600);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
}

static void lost_index_and_end_are_found_again(void **state)
{
	struct vtl *v = *state;
	const uint64_t n = 256 * 3 + 20;
	uint64_t first;
	size_t len;

	record(v, n);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	memset(bytes + FORMAT_BLOCK, 0x55, 2 * FORMAT_BLOCK);
	vtl_put_file(v, "p0", bytes, len);
	free(bytes);
	vtl_open(v);
	assert_int_equal(vtl_objects(v), n);
	vtl_go(v, 400);
	vtl_expect(v, length_of(400), 400);
	assert_int_equal(cartridge_rewind(v->c), CARTRIDGE_OK);
	assert_int_equal(expect_rest(v, n, &first), 0);
	/* Closing wrote the end down again. */
	vtl_reopen(v);
	assert_int_equal(vtl_objects(v), n);
}

static void lost_end_with_damage_before_it_loses_only_that(void **state)
{
	struct vtl *v = *state;
	const uint64_t n = 256 * 3 + 20;
	uint64_t first;
	size_t len;

	record(v, n);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	memset(bytes + FORMAT_BLOCK, 0x55, 2 * FORMAT_BLOCK);
	bytes[header_of(bytes, len, 10) + 20] ^= 1;
	vtl_put_file(v, "p0", bytes, len);
	free(bytes);
	vtl_open(v);
	assert_int_equal(vtl_objects(v), n);
	assert_int_equal(expect_rest(v, n, &first), 1);
	assert_int_equal(first, 10);
}

static void lost_label_costs_counters_but_no_data(void **state)
{
	struct vtl *v = *state;
	char path[128];
	uint64_t first;

	record(v, 20);
	snprintf(path, sizeof(path), "%s/label", v->path);
	assert_int_equal(unlink(path), 0);
	vtl_open(v);
	assert_string_equal(cartridge_info(v->c)->barcode, "TEST01L6");
	assert_int_equal(cartridge_info(v->c)->capacity, 64 * MIB);
	assert_int_equal(expect_rest(v, 20, &first), 0);
	vtl_close(v);
	assert_int_equal(access(path, F_OK), 0);
}

/* The head of a partition is made while the label tells that formatting is under way. */
static void lost_label_costs_no_data_of_a_formatted_cartridge_either(void **state)
{
	struct vtl *v = *state;
	uint64_t capacity[2] = { 2 * MIB, 8 * MIB };
	char path[128];

	vtl_new(v, 64 * MIB);
	assert_int_equal(cartridge_format(v->c, capacity, 2), CARTRIDGE_OK);
	vtl_write(v, 100, 1);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_OK);
	vtl_write(v, 200, 2);
	vtl_close(v);
	snprintf(path, sizeof(path), "%s/label", v->path);
	assert_int_equal(unlink(path), 0);
	vtl_open(v);
	vtl_expect(v, 100, 1);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_OK);
	vtl_expect(v, 200, 2);
}

static void any_byte_of_the_label_turned_over_costs_no_data(void **state)
{
	struct vtl *v = *state;
	uint64_t first;
	size_t len;

	record(v, 3);
	uint8_t *bytes = vtl_file(v, "label", &len);
	for (size_t off = 0; off < len; off++) {
		vtl_flip(v, "label", off, 0x20);
		vtl_open(v);
		assert_string_equal(cartridge_info(v->c)->barcode, "TEST01L6");
		assert_int_equal(expect_rest(v, 3, &first), 0);
		vtl_drop(v);
		vtl_put_file(v, "label", bytes, len);
	}
	free(bytes);
}

static void newer_format_is_refused(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening how = { .drive = NULL };
	size_t len;

	record(v, 3);
	uint8_t *bytes = vtl_file(v, "label", &len);
	bytes[8] = FORMAT_VERSION + 1;
	uint32_t crc = crc_end(crc_add(CRC_START, bytes, len - 4));
	memcpy(bytes + len - 4, &crc, 4);
	vtl_put_file(v, "label", bytes, len);
	free(bytes);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), -ENOTSUP);
}

static void partition_of_another_cartridge_is_refused(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening how = { .drive = NULL };
	size_t len;

	record(v, 3);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	assert_int_equal(cartridge_remove(v->path), 0);
	record(v, 3);
	vtl_put_file(v, "p0", bytes, len);
	free(bytes);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), -EBADMSG);
}

static void missing_partition_is_refused(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening how = { .drive = NULL };
	uint64_t capacity[2] = { MIB, MIB };
	char path[128];

	vtl_new(v, 64 * MIB);
	assert_int_equal(cartridge_format(v->c, capacity, 2), CARTRIDGE_OK);
	vtl_close(v);
	snprintf(path, sizeof(path), "%s/p1", v->path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), -EBADMSG);
}

static void file_that_is_no_file_is_refused(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening how = { .drive = NULL };
	char path[128];

	record(v, 3);
	snprintf(path, sizeof(path), "%s/p0", v->path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), -EBADMSG);
}

/* Opened to be written, a pipe would hold up the drive until somebody reads from it. */
static void what_is_in_the_way_of_a_new_file_goes(void **state)
{
	struct vtl *v = *state;
	uint64_t capacity[2] = { MIB, MIB };
	char label[128], p1[128];
	struct stat st;

	vtl_new(v, 64 * MIB);
	snprintf(label, sizeof(label), "%s/label.new", v->path);
	snprintf(p1, sizeof(p1), "%s/p1", v->path);
	assert_int_equal(mkfifo(label, 0600), 0);
	assert_int_equal(mkfifo(p1, 0600), 0);
	alarm(10);
	assert_int_equal(cartridge_format(v->c, capacity, 2), CARTRIDGE_OK);
	alarm(0);
	assert_int_equal(lstat(p1, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(lstat(label, &st), -1);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_OK);
	vtl_write(v, 100, 1);
	vtl_reopen(v);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_OK);
	vtl_expect(v, 100, 1);
}

static void interrupted_format_is_finished_at_the_next_opening(void **state)
{
	struct vtl *v = *state;
	struct identity id;
	size_t len;

	record(v, 3);
	/* As it is right after the label was written for two partitions. */
	uint8_t *bytes = vtl_file(v, "label", &len);
	assert_true(identity_decode(bytes + 16, &id));
	id.formatting = true;
	id.formats++;
	id.partitions = 2;
	id.partition[0].capacity = id.partition[1].capacity = 2 * MIB;
	identity_encode(&id, bytes + 16);
	uint32_t crc = crc_end(crc_add(CRC_START, bytes, len - 4));
	memcpy(bytes + len - 4, &crc, 4);
	vtl_put_file(v, "label", bytes, len);
	free(bytes);
	vtl_open(v);
	assert_int_equal(cartridge_info(v->c)->partitions, 2);
	assert_int_equal(vtl_objects(v), 0);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_OK);
	vtl_write(v, 100, 1);
	vtl_reopen(v);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_OK);
	vtl_expect(v, 100, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, vtl_setup, vtl_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(any_byte_turned_over_costs_one_record_at_most),
		CASE(damaged_data_are_an_error_of_that_block_alone),
		CASE(damaged_header_is_an_error_of_that_block_alone),
		CASE(filemark_with_a_damaged_header_is_still_one),
		CASE(damaged_checkpoint_costs_nothing),
		CASE(hole_over_many_records_loses_only_these),
		CASE(lost_index_and_end_are_found_again),
		CASE(lost_end_with_damage_before_it_loses_only_that),
		CASE(lost_label_costs_counters_but_no_data),
		CASE(lost_label_costs_no_data_of_a_formatted_cartridge_either),
		CASE(any_byte_of_the_label_turned_over_costs_no_data),
		CASE(newer_format_is_refused),
		CASE(partition_of_another_cartridge_is_refused),
		CASE(missing_partition_is_refused),
		CASE(file_that_is_no_file_is_refused),
		CASE(what_is_in_the_way_of_a_new_file_goes),
		CASE(interrupted_format_is_finished_at_the_next_opening),
	};

	/* There is a line for each damaged record. */
	log_setup(LOG_TO_STDERR, LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VERIFY, FORMAT MEDIUM and partitions, SET CAPACITY, and writing in append-only mode.
 */
#include "tests/unit/ssc_support.h"

/* --- VERIFY (SSC-4 7.19) ------------------------------------------------------------------- */

static struct result verify(struct tape_rig *rig, uint8_t flags, uint32_t n)
{
	return TAPE(rig, NULL, 0, 0x13, flags, BE3(n), 0);
}

static void verify_passes_over_a_block_and_tells_another_length(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_write(rig, 500, 0));
	assert_good(tape_write(rig, 500, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(verify(rig, 0, 500));
	tape_at(rig, 1, 0);
	res = verify(rig, 0, 600);
	assert_tape(res, SENSE_NO_SENSE, 0, 100);
	assert_bits(res, ILI);
	assert_tape(verify(rig, 0, 500), SENSE_BLANK_CHECK, 0x0005, 500);
	tape_rig_free(rig);
}

static void verify_compares_what_the_host_sends(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 500, 0));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	tape_fill(tape_data, 500, 0);
	assert_good(TAPE(rig, tape_data, 500, 0x13, 0x02, BE3(500), 0));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	tape_data[499] ^= 1;
	assert_check(TAPE(rig, tape_data, 500, 0x13, 0x02, BE3(500), 0), SENSE_MISCOMPARE, 0x1d00);
	tape_rig_free(rig);
}

static void verify_of_fixed_blocks_counts_them(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_set_block(rig, 512));
	tape_fill(tape_data, 2048, 3);
	assert_good(TAPE(rig, tape_data, 2048, TAPE_WRITE_FIXED(4)));
	assert_good(tape_marks(rig, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(TAPE(rig, tape_data, 1024, 0x13, 0x03, BE3(2), 0));
	res = verify(rig, 0x01, 4);
	assert_tape(res, SENSE_NO_SENSE, 0x0001, 2);
	assert_bits(res, FM);
	tape_rig_free(rig);
}

static void verify_goes_to_the_end_of_data_or_over_filemarks(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	for (unsigned i = 0; i < 3; i++) {
		assert_good(tape_write(rig, 500, i));
		assert_good(tape_marks(rig, 1));
	}
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(verify(rig, 0x08, 2));
	tape_at(rig, 4, 2);
	assert_tape(verify(rig, 0x08, 5), SENSE_BLANK_CHECK, 0x0005, 4);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(verify(rig, 0x20, 0));
	tape_at(rig, 6, 3);
	assert_bad_cdb(verify(rig, 0x28, 0), 1);
	tape_rig_free(rig);
}

/* --- FORMAT MEDIUM -------------------------------------------------------------------------- */

#define FORMAT(n) 0x04, 0, n, 0, 0, 0

/* Page 11h of an LTO-5 drive: two partitions, of which the first has so many 10^5 bytes. */
static struct result set_partitions(struct tape_rig *rig, uint8_t flags, uint16_t first, uint16_t second)
{
	const uint8_t list[16] = { 0, 0, 0x10, 0, 0x11, 0x0a, 0x01, 0x01, flags, 0x03, 5, 0, BE2(first),
		BE2(second) };

	return TAPE(rig, list, 16, 0x15, 0x10, 0, 0, 16, 0);
}

static void a_tape_is_partitioned_as_the_host_says(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct drive_medium m;

	assert_good(tape_write(rig, 500, 0));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(set_partitions(rig, 0x3c, 15, 0xffff));
	assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
	drive_medium(rig->drive, &m);
	assert_int_equal(m.partitions, 2);
	assert_int_equal(m.partition_capacity[0], 1500000);
	assert_int_equal(m.partition_capacity[1], TAPE_CAPACITY - 1500000);
	assert_tape(TAPE(rig, NULL, 500, TAPE_READ(500)), SENSE_BLANK_CHECK, 0x0005, 500);
	assert_int_equal(TAPE(rig, NULL, 255, 0x1a, 0x08, 0x11, 0, 255, 0).in[7], 1);
	tape_rig_free(rig);
}

/* PSUM 10b, as Linux' st driver counts (mt mkpartition), and 01b. */
static void partitions_may_be_counted_in_megabytes_or_kilobytes(void **state)
{
	static const struct { uint8_t flags; uint16_t first; } rows[] = { { 0x34, 2 }, { 0x2c, 2000 } };
	struct tape_rig *rig = tape_rig_blank(state);
	struct drive_medium m;

	for (unsigned i = 0; i < 2; i++) {
		assert_good(set_partitions(rig, rows[i].flags, rows[i].first, 0xffff));
		assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
		drive_medium(rig->drive, &m);
		assert_int_equal(m.partition_capacity[0], 2000000);
		assert_int_equal(m.partition_capacity[1], TAPE_CAPACITY - 2000000);
	}
	tape_rig_free(rig);
}

/* POFM stays: partitions are made by FORMAT MEDIUM, never by MODE SELECT (SSC-4 8.3.8). */
static void that_format_medium_makes_partitions_cannot_be_changed(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = set_partitions(rig, 0x38, 15, 0xffff);

	assert_check(res, SENSE_ILLEGAL_REQUEST, 0x2600);
	tape_rig_free(rig);
}

static void a_partition_that_would_be_too_small_is_made_larger(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct drive_medium m;

	assert_good(set_partitions(rig, 0x3c, 0xffff, 1));
	assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
	drive_medium(rig->drive, &m);
	assert_int_equal(m.partition_capacity[0], TAPE_CAPACITY - VTL_MIB);
	assert_int_equal(m.partition_capacity[1], VTL_MIB);
	tape_rig_free(rig);
}

static void each_partition_has_its_own_objects(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(set_partitions(rig, 0x3c, 15, 0xffff));
	assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
	assert_good(tape_write(rig, 500, 1));
	assert_good(TAPE(rig, NULL, 0, 0x92, 0x02, 0, 1, BE8(0), 0, 0, 0, 0));
	assert_good(tape_write(rig, 600, 2));
	res = TAPE(rig, NULL, 32, TAPE_POSITION);
	assert_int_equal(be32(res.in + 4), 1);
	assert_int_equal(be64(res.in + 8), 1);
	assert_good(TAPE(rig, NULL, 0, 0x92, 0x02, 0, 0, BE8(0), 0, 0, 0, 0));
	res = TAPE(rig, NULL, 500, TAPE_READ(500));
	assert_good(res);
	tape_expect_data(res, 500, 1);
	tape_rig_free(rig);
}

/* Without CAP, which cannot be set, ACTIVE PARTITION asks for nothing. */
static void mode_page_10_tells_in_which_partition_the_tape_is(void **state)
{
	const uint8_t list[20] = {
		[2] = 0x10, [4] = 0x10, 0x0e, [12] = 0x40, [14] = 0x18, [18] = 0x01
	};
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(set_partitions(rig, 0x3c, 15, 0xffff));
	assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
	assert_int_equal(TAPE(rig, NULL, 255, 0x1a, 0x08, 0x10, 0, 255, 0).in[7], 0);
	assert_good(TAPE(rig, NULL, 0, 0x92, 0x02, 0, 1, BE8(0), 0, 0, 0, 0));
	assert_int_equal(TAPE(rig, NULL, 255, 0x1a, 0x08, 0x10, 0, 255, 0).in[7], 1);
	assert_int_equal(TAPE(rig, NULL, 255, 0x1a, 0x08, 0x90, 0, 255, 0).in[7], 0); /* default */
	assert_good(TAPE(rig, list, 20, 0x15, 0x10, 0, 0, 20, 0));
	assert_int_equal(TAPE(rig, NULL, 255, 0x1a, 0x08, 0x10, 0, 255, 0).in[7], 1);
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0)); /* unloaded */
	assert_int_equal(TAPE(rig, NULL, 255, 0x1a, 0x08, 0x10, 0, 255, 0).in[7], 0);
	tape_rig_free(rig);
}

/* The library's listing tells what is on a cartridge, wherever the tape stands. */
static void the_drive_tells_what_is_used_of_all_partitions(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct drive_status one, both;

	assert_good(set_partitions(rig, 0x3c, 15, 0xffff));
	assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
	assert_good(tape_write(rig, 500, 1));
	assert_good(tape_marks(rig, 0));
	drive_status(rig->drive, &one);
	assert_true(one.used_known);
	assert_good(TAPE(rig, NULL, 0, 0x92, 0x02, 0, 1, BE8(0), 0, 0, 0, 0));
	assert_good(tape_write(rig, 500, 1));
	assert_good(tape_marks(rig, 0));
	drive_status(rig->drive, &both);
	assert_int_equal(both.used, 2 * one.used);
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0)); /* unloaded, and still there */
	drive_status(rig->drive, &one);
	assert_true(one.used_known && one.used == both.used);
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	drive_status(rig->drive, &one);
	assert_false(one.used_known);
	tape_rig_free(rig);
}

static void the_drive_chooses_sizes_where_the_host_does_not(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct drive_medium m;

	assert_good(set_partitions(rig, 0x5c, 0, 0)); /* SDP */
	assert_good(TAPE(rig, NULL, 0, FORMAT(2)));
	drive_medium(rig->drive, &m);
	assert_int_equal(m.partition_capacity[0], TAPE_CAPACITY / 2);
	assert_int_equal(m.partition_capacity[1], TAPE_CAPACITY / 2);
	assert_good(set_partitions(rig, 0x9c, 0, 0)); /* FDP */
	assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
	drive_medium(rig->drive, &m);
	assert_int_equal(m.partition_capacity[1], VTL_MIB);
	tape_rig_free(rig);
}

static void the_default_format_has_one_partition(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct drive_medium m;

	assert_good(set_partitions(rig, 0x3c, 15, 0xffff));
	assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
	assert_good(TAPE(rig, NULL, 0, FORMAT(0)));
	drive_medium(rig->drive, &m);
	assert_int_equal(m.partitions, 1);
	assert_int_equal(m.partition_capacity[0], TAPE_CAPACITY);
	tape_rig_free(rig);
}

static void partitions_that_do_not_fit_are_refused(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(set_partitions(rig, 0x3c, 15, 900));
	assert_check(TAPE(rig, NULL, 0, FORMAT(1)), SENSE_ILLEGAL_REQUEST, 0x2400);
	assert_bad_cdb(TAPE(rig, NULL, 0, FORMAT(3)), 2);
	tape_rig_free(rig);
}

static void only_at_its_beginning_a_tape_is_formatted(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 500, 0));
	assert_check(TAPE(rig, NULL, 0, FORMAT(0)), SENSE_ILLEGAL_REQUEST, 0x3b0c);
	assert_check(TAPE(rig, NULL, 0, 0x0b, 0, 0, BE2(0x8000), 0), SENSE_ILLEGAL_REQUEST, 0x3b0c);
	tape_rig_free(rig);
}

static void set_capacity_makes_the_tape_shorter(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct drive_medium m;

	assert_good(TAPE(rig, NULL, 0, 0x0b, 0, 0, BE2(0x8000), 0));
	drive_medium(rig->drive, &m);
	assert_in_range(m.partition_capacity[0], TAPE_CAPACITY / 2, TAPE_CAPACITY / 2 + 100);
	assert_good(TAPE(rig, NULL, 0, 0x0b, 0, 0, BE2(0xffff), 0));
	drive_medium(rig->drive, &m);
	assert_int_equal(m.partition_capacity[0], TAPE_CAPACITY);
	tape_rig_free(rig);
}

/* SSC-4 7.22: what is left out cannot be used until the next SET CAPACITY, whatever the partitions. */
static void a_format_keeps_to_what_set_capacity_has_left(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	uint64_t half = (uint64_t)TAPE_CAPACITY * 0x8000 / 0xffff;
	struct drive_medium m;

	assert_good(TAPE(rig, NULL, 0, 0x0b, 0, 0, BE2(0x8000), 0));
	assert_good(TAPE(rig, NULL, 0, FORMAT(0)));
	drive_medium(rig->drive, &m);
	assert_int_equal(m.partition_capacity[0], half);
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_good(set_partitions(rig, 0x5c, 0, 0)); /* SDP */
	assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
	drive_medium(rig->drive, &m);
	assert_int_equal(m.partitions, 2);
	assert_int_equal(m.partition_capacity[0] + m.partition_capacity[1], half);
	/* More than that is refused, though the cartridge would have it. */
	assert_good(set_partitions(rig, 0x3c, 15, 15));
	assert_check(TAPE(rig, NULL, 0, FORMAT(1)), SENSE_ILLEGAL_REQUEST, 0x2400);
	assert_good(TAPE(rig, NULL, 0, 0x0b, 0, 0, BE2(0xffff), 0));
	assert_good(set_partitions(rig, 0x3c, 15, 15));
	assert_good(TAPE(rig, NULL, 0, FORMAT(1)));
	drive_medium(rig->drive, &m);
	assert_int_equal(m.partition_capacity[1], 1500000);
	tape_rig_free(rig);
}

/* --- append-only mode ----------------------------------------------------------------------- */

#define ALLOW(n, object) 0x82, 0, n, 0, BE8(object), 0, 0, 0, 0

/* WRITE MODE 1 of the device configuration extension page. */
static struct tape_rig *append_only(void **state)
{
	const uint8_t list[36] = { 0, 0, 0x10, 0, 0x50, 0x01, 0, 0x1c, 0, 0x12 };
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 500, 0));
	assert_good(tape_write(rig, 500, 1));
	assert_good(TAPE(rig, list, 36, 0x15, 0x10, 0, 0, 36, 0));
	return rig;
}

static void data_are_appended_and_not_written_over(void **state)
{
	struct tape_rig *rig = append_only(state);

	assert_good(tape_write(rig, 500, 2));
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(1)));
	assert_check(tape_write(rig, 500, 9), SENSE_DATA_PROTECT, 0x5001);
	assert_check(tape_marks(rig, 1), SENSE_DATA_PROTECT, 0x5001);
	assert_check(TAPE(rig, NULL, 0, 0x19, 1, 0, 0, 0, 0), SENSE_DATA_PROTECT, 0x5001);
	tape_rig_free(rig);
}

static void what_is_allowed_is_written_over_once(void **state)
{
	struct tape_rig *rig = append_only(state);

	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(1)));
	assert_check(TAPE(rig, NULL, 0, ALLOW(1, 0)), SENSE_ILLEGAL_REQUEST, 0x3b00);
	assert_good(TAPE(rig, NULL, 0, ALLOW(1, 1)));
	assert_good(tape_write(rig, 500, 9));
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(1)));
	assert_check(tape_write(rig, 500, 9), SENSE_DATA_PROTECT, 0x5001);
	tape_rig_free(rig);
}

static void a_format_has_to_be_allowed(void **state)
{
	struct tape_rig *rig = append_only(state);

	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_check(TAPE(rig, NULL, 0, FORMAT(0)), SENSE_DATA_PROTECT, 0x5001);
	assert_good(TAPE(rig, NULL, 0, ALLOW(2, 0)));
	assert_good(TAPE(rig, NULL, 0, FORMAT(0)));
	tape_rig_free(rig);
}

static void where_everything_may_be_written_over_nothing_is_allowed(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_check(TAPE(rig, NULL, 0, ALLOW(1, 0)), SENSE_ILLEGAL_REQUEST, 0x2c00);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(verify_passes_over_a_block_and_tells_another_length),
		TEST(verify_compares_what_the_host_sends),
		TEST(verify_of_fixed_blocks_counts_them),
		TEST(verify_goes_to_the_end_of_data_or_over_filemarks),
		TEST(a_tape_is_partitioned_as_the_host_says),
		TEST(partitions_may_be_counted_in_megabytes_or_kilobytes),
		TEST(that_format_medium_makes_partitions_cannot_be_changed),
		TEST(a_partition_that_would_be_too_small_is_made_larger),
		TEST(each_partition_has_its_own_objects),
		TEST(mode_page_10_tells_in_which_partition_the_tape_is),
		TEST(the_drive_tells_what_is_used_of_all_partitions),
		TEST(the_drive_chooses_sizes_where_the_host_does_not),
		TEST(the_default_format_has_one_partition),
		TEST(partitions_that_do_not_fit_are_refused),
		TEST(only_at_its_beginning_a_tape_is_formatted),
		TEST(set_capacity_makes_the_tape_shorter),
		TEST(a_format_keeps_to_what_set_capacity_has_left),
		TEST(data_are_appended_and_not_written_over),
		TEST(what_is_allowed_is_written_over_once),
		TEST(a_format_has_to_be_allowed),
		TEST(where_everything_may_be_written_over_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

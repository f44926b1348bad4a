/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data to the initiator, RFC 7143 11.7: how they are cut, and where their status comes; and the
 * residual counts of 11.4.5, in both directions.
 */
#include "wire.h"

enum { MIB = 1 << 20 };

static uint8_t out[4 * MIB], in[4 * MIB];

/* --- data to the initiator ------------------------------------------------------------------ */

static void status_comes_with_the_last_data(void **state)
{
	struct command c = { .cdb = cdb_read(0, 8), .read = true, .in = in, .expect = 4096 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_true(c.collapsed);
	assert_int_equal(c.data_pdus, 1);
	assert_int_equal(c.flags, 0);
	ini_close(&i);
}

static void data_are_cut_to_what_the_initiator_takes(void **state)
{
	struct command c = { .cdb = cdb_read(0, 64), .read = true, .in = in, .expect = 32768 };
	struct ini i;

	ini_begin(&i, *state, "MaxRecvDataSegmentLength=1024\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.data_pdus, 32);
	assert_int_equal(c.got, 32768);
	ini_close(&i);
}

static void data_segments_of_odd_lengths_are_padded(void **state)
{
	struct command c = { .cdb = cdb_read(0, 64), .read = true, .in = in, .expect = 32768 };
	struct ini i;

	ini_begin(&i, *state, "MaxRecvDataSegmentLength=513\n");
	unit_ready(&i);
	fill(out, 32768, 1);
	disk_write(&i, 0, 64, out);
	command_run(&i, &c);
	assert_int_equal(c.data_pdus, (32768 + 512) / 513);
	assert_memory_equal(in, out, 32768);
	ini_close(&i);
}

static void every_burst_ends_with_a_final_bit(void **state)
{
	/* The harness fails when a burst is longer than MaxBurstLength. */
	static const char *const more[] = {
		"MaxRecvDataSegmentLength=1024\nMaxBurstLength=4096\n",
		"MaxRecvDataSegmentLength=65536\nMaxBurstLength=4096\n",
		"MaxRecvDataSegmentLength=1000\nMaxBurstLength=4096\n",
		"MaxRecvDataSegmentLength=3000\nMaxBurstLength=4000\n",
	};

	for (int k = 0; k < 4; k++) {
		struct command c = {
			.cdb = cdb_read(0, 64), .read = true, .in = in, .expect = 32768
		};
		struct ini i;

		ini_begin(&i, *state, more[k]);
		unit_ready(&i);
		fill(out, 32768, (unsigned)k);
		disk_write(&i, 0, 64, out);
		command_run(&i, &c);
		assert_int_equal(c.status, 0);
		assert_memory_equal(in, out, 32768);
		assert_true(c.data_pdus >= 8);
		ini_close(&i);
	}
}

static void a_large_read_comes_whole(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "MaxRecvDataSegmentLength=262144\nMaxBurstLength=16776192\n");
	unit_ready(&i);
	fill(out, 4 * MIB, 7);
	disk_write(&i, 0, 4 * MIB / WIRE_BLOCK, out);
	disk_read(&i, 0, 4 * MIB / WIRE_BLOCK, in);
	assert_memory_equal(in, out, 4 * MIB);
	ini_close(&i);
}

static void an_initiator_that_reads_slowly_gets_everything(void **state)
{
	struct ini i;
	struct command c[8];

	ini_begin(&i, *state, "MaxRecvDataSegmentLength=65536\nMaxBurstLength=262144\n");
	unit_ready(&i);
	fill(out, MIB, 4);
	disk_write(&i, 0, 2048, out);
	for (int k = 0; k < 8; k++) {
		c[k] = (struct command){
			.cdb = cdb_read(0, 2048), .read = true, .in = in, .expect = MIB
		};
		command_send(&i, &c[k]);
	}
	wire_sleep_ms(20);
	for (int k = 0; k < 8; k++) {
		memset(in, 0, MIB);
		command_finish(&i, &c[k]);
		assert_memory_equal(in, out, MIB);
	}
	ini_close(&i);
}

static void unwritten_blocks_read_as_zeros(void **state)
{
	uint8_t zeros[8 * WIRE_BLOCK] = { 0 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	memset(in, 0xff, sizeof(zeros));
	disk_read(&i, 4000, 8, in);
	assert_memory_equal(in, zeros, sizeof(zeros));
	ini_close(&i);
}

/* --- residual counts: 11.4.5 ---------------------------------------------------------------- */

static void a_read_of_less_than_expected_is_an_underflow(void **state)
{
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = 1024 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.got, 512);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 512);
	ini_close(&i);
}

static void a_read_of_more_than_expected_is_an_overflow(void **state)
{
	struct command c = { .cdb = cdb_read(0, 4), .read = true, .in = in, .expect = 700 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.got, 700);
	assert_int_equal(c.flags, RSP_OVERFLOW);
	assert_int_equal(c.residual, 2048 - 700);
	ini_close(&i);
}

static void a_read_into_nothing_is_an_overflow(void **state)
{
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = 0 };
	struct command d = { .cdb = cdb_read(0, 1) };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.got, 0);
	assert_int_equal(c.flags, RSP_OVERFLOW);
	assert_int_equal(c.residual, 512);
	command_run(&i, &d);
	assert_int_equal(d.got, 0);
	assert_int_equal(d.flags, RSP_OVERFLOW);
	assert_int_equal(d.residual, 512);
	ini_close(&i);
}

static void a_write_of_more_than_the_command_takes_is_an_underflow(void **state)
{
	struct command c = { .cdb = cdb_write(0, 1),
		.write = true,
		.out = out,
		.expect = 1024,
		.immediate_len = 1024 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, 1024, 6);
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 512);
	disk_read(&i, 0, 2, in);
	assert_memory_equal(in, out, 512);
	memset(out, 0, 512);
	assert_memory_equal(in + 512, out, 512);
	ini_close(&i);
}

static void only_what_the_command_takes_is_asked_for(void **state)
{
	struct command c = { .cdb = cdb_write(0, 1), .write = true, .out = out, .expect = 4096 };
	struct ini i;

	ini_begin(&i, *state, "ImmediateData=No\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.r2ts, 1);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 4096 - 512);
	ini_close(&i);
}

static void a_write_of_less_than_the_command_takes_is_an_overflow(void **state)
{
	struct command c = { .cdb = cdb_write(0, 4),
		.write = true,
		.out = out,
		.expect = 1024,
		.immediate_len = 1024 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.flags, RSP_OVERFLOW);
	assert_int_equal(c.residual, 1024);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_command_that_fails_has_moved_nothing(void **state)
{
	struct command c = {
		.cdb = cdb_read(WIRE_BLOCKS, 2), .read = true, .in = in, .expect = 1024
	};
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.got, 0);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 1024);
	ini_close(&i);
}

static void a_command_without_data_has_no_residual(void **state)
{
	struct command c = { .cdb = cdb_test_unit_ready() };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.flags, 0);
	assert_int_equal(c.residual, 0);
	ini_close(&i);
}

static void an_answer_cut_by_its_allocation_length_is_an_underflow(void **state)
{
	struct command c = { .cdb = cdb_inquiry(8), .read = true, .in = in, .expect = 255 };
	struct ini i;

	ini_begin(&i, *state, "");
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.got, 8);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 247);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_comes_with_the_last_data),
		TEST(data_are_cut_to_what_the_initiator_takes),
		TEST(data_segments_of_odd_lengths_are_padded),
		TEST(every_burst_ends_with_a_final_bit),
		TEST(a_large_read_comes_whole),
		TEST(an_initiator_that_reads_slowly_gets_everything),
		TEST(unwritten_blocks_read_as_zeros),
		TEST(a_read_of_less_than_expected_is_an_underflow),
		TEST(a_read_of_more_than_expected_is_an_overflow),
		TEST(a_read_into_nothing_is_an_overflow),
		TEST(a_write_of_more_than_the_command_takes_is_an_underflow),
		TEST(only_what_the_command_takes_is_asked_for),
		TEST(a_write_of_less_than_the_command_takes_is_an_overflow),
		TEST(a_command_that_fails_has_moved_nothing),
		TEST(a_command_without_data_has_no_residual),
		TEST(an_answer_cut_by_its_allocation_length_is_an_underflow),
		TEST_PLAIN(status_comes_with_the_last_data),
		TEST_PLAIN(data_are_cut_to_what_the_initiator_takes),
		TEST_PLAIN(data_segments_of_odd_lengths_are_padded),
		TEST_PLAIN(every_burst_ends_with_a_final_bit),
		TEST_PLAIN(a_large_read_comes_whole),
		TEST_PLAIN(an_initiator_that_reads_slowly_gets_everything),
		TEST_PLAIN(unwritten_blocks_read_as_zeros),
		TEST_PLAIN(a_read_of_less_than_expected_is_an_underflow),
		TEST_PLAIN(a_read_of_more_than_expected_is_an_overflow),
		TEST_PLAIN(a_read_into_nothing_is_an_overflow),
		TEST_PLAIN(a_write_of_more_than_the_command_takes_is_an_underflow),
		TEST_PLAIN(only_what_the_command_takes_is_asked_for),
		TEST_PLAIN(a_write_of_less_than_the_command_takes_is_an_overflow),
		TEST_PLAIN(a_command_that_fails_has_moved_nothing),
		TEST_PLAIN(a_command_without_data_has_no_residual),
		TEST_PLAIN(an_answer_cut_by_its_allocation_length_is_an_underflow),
	};
	return cmocka_run_group_tests_name("data in", tests, NULL, NULL);
}

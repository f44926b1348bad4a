/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * READ BUFFER and WRITE BUFFER (SPC-5 6.17, 6.49), of a tape drive; a changer's are the same rows.
 */
#include "tests/unit/ssc_support.h"

#define READ_BUFFER(mode, id, offset, n)  0x3c, mode, id, BE3(offset), BE3(n), 0
#define WRITE_BUFFER(mode, id, offset, n) 0x3b, mode, id, BE3(offset), BE3(n), 0

static void the_descriptor_tells_of_one_buffer_of_64_kib(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 4, READ_BUFFER(0x03, 0, 0, 4));

	assert_good(res);
	assert_memory_equal(res.in, "\0\1\0\0", 4);
	res = TAPE(rig, NULL, 4, READ_BUFFER(0x03, 1, 0, 4));
	assert_good(res);
	assert_memory_equal(res.in, "\0\0\0\0", 4);
	tape_rig_free(rig);
}

static void data_come_back_from_where_they_were_written(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res;

	tape_fill(tape_data, 512, 1);
	assert_good(TAPE(rig, tape_data, 512, WRITE_BUFFER(0x02, 0, 1000, 512)));
	res = TAPE(rig, NULL, 512, READ_BUFFER(0x02, 0, 1000, 512));
	assert_good(res);
	tape_expect_data(res, 512, 1);
	/* Another host sees the same; before them is nothing. */
	res = RUN(rig->r, 1, NULL, 1512, READ_BUFFER(0x02, 0, 0, 1512));
	assert_good(res);
	assert_int_equal(res.in_got, 1512);
	assert_int_equal(res.in[999], 0);
	assert_memory_equal(res.in + 1000, tape_data, 512);
	tape_rig_free(rig);
}

static void of_a_buffer_that_nobody_has_written_all_is_zero(void **state)
{
	static const uint8_t nothing[65536];
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 70000, READ_BUFFER(0x02, 0, 0, 70000));

	assert_good(res);
	assert_int_equal(res.in_got, 65536);
	assert_memory_equal(res.in, nothing, 65536);
	assert_int_equal(TAPE(rig, NULL, 16, READ_BUFFER(0x02, 0, 65536, 16)).in_len, 0);
	tape_rig_free(rig);
}

/* The form that sg_read_buffer asks for when it is not told which. */
static void the_combined_form_has_a_header_with_the_capacity(void **state)
{
	const uint8_t out[6] = { 0, 0, 0, 0, 'h', 'i' };
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res;

	assert_good(TAPE(rig, out, 6, WRITE_BUFFER(0x00, 0, 0, 6)));
	res = TAPE(rig, NULL, 6, READ_BUFFER(0x00, 0, 0, 6));
	assert_good(res);
	assert_memory_equal(res.in, "\0\1\0\0hi", 6);
	tape_rig_free(rig);
}

static void echoes_come_back_as_long_as_they_were(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 4, READ_BUFFER(0x0b, 0, 0, 4));

	assert_memory_equal(res.in, "\1\0\x10\0", 4); /* EBOS, 4096 bytes */
	tape_fill(tape_data, 4096, 3);
	assert_good(TAPE(rig, tape_data, 4096, WRITE_BUFFER(0x0a, 0, 0, 4096)));
	tape_expect_data(TAPE(rig, NULL, 5000, READ_BUFFER(0x0a, 0, 0, 5000)), 4096, 3);
	assert_good(TAPE(rig, tape_data, 10, WRITE_BUFFER(0x0a, 0, 0, 10)));
	tape_expect_data(TAPE(rig, NULL, 5000, READ_BUFFER(0x0a, 0, 0, 5000)), 10, 3);
	tape_rig_free(rig);
}

static void an_echo_is_for_who_wrote_it(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);

	assert_check(TAPE(rig, NULL, 8, READ_BUFFER(0x0a, 0, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x2c00);
	assert_good(TAPE(rig, "mine....", 8, WRITE_BUFFER(0x0a, 0, 0, 8)));
	assert_check(RUN(rig->r, 1, NULL, 8, READ_BUFFER(0x0a, 0, 0, 8)), SENSE_ILLEGAL_REQUEST,
		0x2c00);
	assert_good(RUN(rig->r, 1, "his.....", 8, WRITE_BUFFER(0x0a, 0, 0, 8)));
	assert_check(TAPE(rig, NULL, 8, READ_BUFFER(0x0a, 0, 0, 8)), SENSE_ABORTED_COMMAND, 0x3f0f);
	assert_memory_equal(RUN(rig->r, 1, NULL, 8, READ_BUFFER(0x0a, 0, 0, 8)).in, "his.....", 8);
	tape_rig_free(rig);
}

static void microcode_is_refused_in_every_mode(void **state)
{
	static const uint8_t modes[] = { 0x04, 0x05, 0x06, 0x07, 0x0d, 0x0e, 0x0f, 0x1a };
	struct tape_rig *rig = tape_rig_new(*state, 5);

	for (unsigned i = 0; i < sizeof(modes); i++)
		assert_bad_cdb(TAPE(rig, tape_data, 512, WRITE_BUFFER(modes[i], 0, 0, 512)), 1);
	assert_bad_cdb(TAPE(rig, NULL, 512, READ_BUFFER(0x1c, 0, 0, 512)), 1);
	tape_rig_free(rig);
}

static void what_is_outside_of_the_buffer_is_refused(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);

	assert_bad_cdb(TAPE(rig, tape_data, 512, WRITE_BUFFER(0x02, 1, 0, 512)), 2);
	assert_bad_cdb(TAPE(rig, tape_data, 512, WRITE_BUFFER(0x02, 0, 65537, 512)), 3);
	assert_bad_cdb(TAPE(rig, tape_data, 512, WRITE_BUFFER(0x02, 0, 65025, 512)), 6);
	assert_bad_cdb(TAPE(rig, tape_data, 4097, WRITE_BUFFER(0x0a, 0, 0, 4097)), 6);
	assert_bad_cdb(TAPE(rig, tape_data, 65541, WRITE_BUFFER(0x00, 0, 0, 65541)), 6);
	assert_bad_cdb(TAPE(rig, NULL, 512, READ_BUFFER(0x02, 1, 0, 512)), 2);
	assert_bad_cdb(TAPE(rig, NULL, 512, READ_BUFFER(0x02, 0, 65537, 512)), 3);
	assert_good(TAPE(rig, NULL, 0, WRITE_BUFFER(0x02, 0, 65536, 0)));
	tape_rig_free(rig);
}

static void the_cartridge_is_not_asked_for(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);

	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x3a00);
	assert_good(TAPE(rig, tape_data, 16, WRITE_BUFFER(0x02, 0, 0, 16)));
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_descriptor_tells_of_one_buffer_of_64_kib),
		TEST(data_come_back_from_where_they_were_written),
		TEST(of_a_buffer_that_nobody_has_written_all_is_zero),
		TEST(the_combined_form_has_a_header_with_the_capacity),
		TEST(echoes_come_back_as_long_as_they_were),
		TEST(an_echo_is_for_who_wrote_it),
		TEST(microcode_is_refused_in_every_mode),
		TEST(what_is_outside_of_the_buffer_is_refused),
		TEST(the_cartridge_is_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

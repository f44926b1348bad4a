/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logical block protection: a CRC behind each block between host and drive (SSC-4 4.2.29, 8.3.9).
 */
#include "base/crc.h"
#include "tests/unit/ssc_support.h"

/* The check value of CRC32C: of "123456789" it is e3069283h (RFC 3720 B.4 has others). */
static const uint8_t nine[13] = "123456789\x83\x92\x06\xe3";

/* The same with the Reed-Solomon CRC: see base_crc_rs_test.c. */
static const uint8_t nine_rs[13] = "123456789\x4b\x4f\x67\x3a";

static struct result protect(struct tape_rig *rig, uint8_t method, uint8_t len, uint8_t flags)
{
	const uint8_t list[36] = { 0, 0, 0x10, 0, 0x4a, 0xf0, 0, 0x1c, method, len, flags };

	return TAPE(rig, list, 36, 0x15, 0x10, 0, 0, 36, 0);
}

static void what_is_written_is_checked_and_read_without(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(protect(rig, 2, 4, 0x80));
	assert_good(TAPE(rig, nine, 13, TAPE_WRITE(13)));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 9, TAPE_READ(9));
	assert_good(res);
	assert_memory_equal(res.in, nine, 9);
	tape_rig_free(rig);
}

static void what_was_written_without_is_read_with_it(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(TAPE(rig, nine, 9, TAPE_WRITE(9)));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(protect(rig, 2, 4, 0x40));
	res = TAPE(rig, NULL, 13, TAPE_READ(13));
	assert_good(res);
	assert_int_equal(res.in_got, 13);
	assert_memory_equal(res.in, nine, 13);
	tape_rig_free(rig);
}

static void a_wrong_guard_is_refused_and_nothing_is_written(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	uint8_t bad[13];

	memcpy(bad, nine, 13);
	bad[3] ^= 0x10;
	assert_good(protect(rig, 2, 4, 0xc0));
	assert_tape(TAPE(rig, bad, 13, TAPE_WRITE(13)), SENSE_HARDWARE_ERROR, 0x1001, 13);
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

static void of_fixed_blocks_those_before_the_wrong_one_are_written(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;
	uint8_t blocks[39];

	for (unsigned i = 0; i < 3; i++)
		memcpy(blocks + 13 * i, nine, 13);
	assert_good(tape_set_block(rig, 13));
	assert_good(protect(rig, 2, 4, 0xc0));
	assert_good(TAPE(rig, blocks, 39, TAPE_WRITE_FIXED(3)));
	blocks[26] ^= 1;
	assert_tape(TAPE(rig, blocks, 39, TAPE_WRITE_FIXED(3)), SENSE_HARDWARE_ERROR, 0x1001, 1);
	tape_at(rig, 5, 0);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 65, TAPE_READ_FIXED(5));
	assert_good(res);
	assert_memory_equal(res.in + 52, nine, 13);
	tape_rig_free(rig);
}

static void the_guard_counts_as_length(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(TAPE(rig, nine, 9, TAPE_WRITE(9)));
	assert_good(protect(rig, 2, 4, 0xc0));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 9, TAPE_READ(9));
	assert_tape(res, SENSE_NO_SENSE, 0, -4);
	assert_bits(res, ILI);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 100, TAPE_READ(100));
	assert_tape(res, SENSE_NO_SENSE, 0, 87);
	assert_int_equal(res.in_got, 13);
	assert_memory_equal(res.in, nine, 13);
	assert_bad_cdb(TAPE(rig, nine, 4, TAPE_WRITE(4)), 2);
	tape_rig_free(rig);
}

/* The method of LTO-5 and LTO-6, with the most significant byte first. */
static void the_reed_solomon_crc_goes_both_ways(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(protect(rig, 1, 4, 0xc0));
	assert_good(TAPE(rig, nine_rs, 13, TAPE_WRITE(13)));
	assert_tape(TAPE(rig, nine, 13, TAPE_WRITE(13)), SENSE_HARDWARE_ERROR, 0x1001, 13);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 13, TAPE_READ(13));
	assert_good(res);
	assert_memory_equal(res.in, nine_rs, 13);
	tape_rig_free(rig);
}

/* The cartridge keeps neither: each host gets the one that it asks for. */
static void what_was_written_by_one_method_is_read_by_the_other(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(protect(rig, 1, 4, 0x80));
	assert_good(TAPE(rig, nine_rs, 13, TAPE_WRITE(13)));
	assert_good(protect(rig, 2, 4, 0x40));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_memory_equal(TAPE(rig, NULL, 13, TAPE_READ(13)).in, nine, 13);
	tape_rig_free(rig);
}

static void other_methods_and_lengths_are_refused(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_bad_list(protect(rig, 3, 4, 0xc0), 8);
	assert_bad_list(protect(rig, 0xf0, 4, 0xc0), 8);
	assert_bad_list(protect(rig, 2, 8, 0xc0), 9);
	assert_bad_list(protect(rig, 1, 2, 0xc0), 9);
	assert_good(protect(rig, 0, 0, 0));
	tape_rig_free(rig);
}

static void the_longest_block_is_read_with_its_guard(void **state)
{
	const uint32_t longest = 8u << 20;
	struct tape_rig *rig = roomy(state);
	struct result res;

	assert_good(tape_write(rig, longest, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(protect(rig, 2, 4, 0x40));
	res = TAPE(rig, NULL, longest + 4, TAPE_READ(longest + 4));
	assert_good(res);
	assert_int_equal(res.in_got, longest + 4);
	assert_int_equal(le32(res.in + longest), crc_end(crc_add(CRC_START, res.in, longest)));
	tape_rig_free(rig);
}

/* Whoever switches it on while the data of a block are on their way does not change what they are. */
static void a_block_on_its_way_is_what_it_was_sent_as(void **state)
{
	const uint8_t cdb[] = { TAPE_WRITE(2) };
	struct tape_rig *rig = tape_rig_blank(state);
	struct scsi_task t;
	struct result res;

	rig_task(&t, &rig->r->nexus[0], 0, cdb, 6, SCSI_DIR_OUT, 2);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	assert_good(protect(rig, 2, 4, 0x80));
	assert_int_equal(scsi_task_data(&t, rig_put(&t, nine)), SCSI_PENDING);
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_GOOD);
	scsi_task_release(&t);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 2, TAPE_READ(2));
	assert_good(res);
	assert_memory_equal(res.in, nine, 2);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_checked_and_read_without),
		TEST(what_was_written_without_is_read_with_it),
		TEST(a_wrong_guard_is_refused_and_nothing_is_written),
		TEST(of_fixed_blocks_those_before_the_wrong_one_are_written),
		TEST(the_guard_counts_as_length),
		TEST(the_reed_solomon_crc_goes_both_ways),
		TEST(what_was_written_by_one_method_is_read_by_the_other),
		TEST(other_methods_and_lengths_are_refused),
		TEST(the_longest_block_is_read_with_its_guard),
		TEST(a_block_on_its_way_is_what_it_was_sent_as),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

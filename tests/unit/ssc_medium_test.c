/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a drive says of a damaged tape, and of its end (SSC-4 4.2.16, 7.5, 7.10).
 */
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/ssc_support.h"
#include "vtl/format.h"

#define LEN 5000u

/* Bytes that compression makes no smaller. */
static void fill_randomly(uint32_t len, uint32_t seed)
{
	for (uint32_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		tape_data[i] = (uint8_t)(seed >> 24);
	}
}

static struct result write_random(struct tape_rig *rig, uint32_t len, uint32_t seed)
{
	fill_randomly(len, seed);
	return TAPE(rig, tape_data, len, TAPE_WRITE(len));
}

static void flip(const struct tape_rig *rig, uint64_t off)
{
	char path[256];
	uint8_t byte;
	int fd;

	snprintf(path, sizeof(path), "%s/p0", rig->vtl.path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, (off_t)off), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)off), 1);
	close(fd);
}

/* Four blocks and a filemark; one byte of the third block has changed. */
static struct tape_rig *damaged(void **state)
{
	const struct record block = { .stored = LEN };
	struct tape_rig *rig = tape_rig_blank(state);

	for (uint32_t i = 0; i < 4; i++)
		assert_good(write_random(rig, LEN, i));
	assert_good(tape_marks(rig, 1));
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	flip(rig, LOG_START + 2 * record_size(&block) + RECORD_HEADER + 100);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	return rig;
}

static void assert_block(struct result res, uint32_t seed)
{
	assert_good(res);
	assert_int_equal(res.in_got, LEN);
	fill_randomly(LEN, seed);
	assert_memory_equal(res.in, tape_data, LEN);
}

/* --- a damaged block ------------------------------------------------------------------------ */

static void a_damaged_block_is_a_medium_error_and_the_rest_is_read(void **state)
{
	struct tape_rig *rig = damaged(state);

	assert_block(TAPE(rig, NULL, LEN, TAPE_READ(LEN)), 0);
	assert_block(TAPE(rig, NULL, LEN, TAPE_READ(LEN)), 1);
	assert_tape(TAPE(rig, NULL, LEN, TAPE_READ(LEN)), SENSE_MEDIUM_ERROR, 0x1100, LEN);
	tape_at(rig, 3, 0);
	assert_block(TAPE(rig, NULL, LEN, TAPE_READ(LEN)), 3);
	assert_tape(TAPE(rig, NULL, LEN, TAPE_READ(LEN)), SENSE_NO_SENSE, 0x0001, LEN);
	tape_rig_free(rig);
}

static void of_fixed_blocks_those_before_the_damaged_one_come(void **state)
{
	struct tape_rig *rig = damaged(state);
	struct result res;

	assert_good(tape_set_block(rig, LEN));
	res = TAPE(rig, NULL, 4 * LEN, TAPE_READ_FIXED(4));
	assert_tape(res, SENSE_MEDIUM_ERROR, 0x1100, 2);
	assert_bits(res, 0);
	assert_int_equal(res.in_got, 2 * LEN);
	assert_block(TAPE(rig, NULL, LEN, TAPE_READ_FIXED(1)), 3);
	tape_rig_free(rig);
}

static void verify_finds_the_damaged_block(void **state)
{
	struct tape_rig *rig = damaged(state);

	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(2)));
	assert_tape(TAPE(rig, NULL, 0, 0x13, 0, BE3(LEN), 0), SENSE_MEDIUM_ERROR, 0x1100, LEN);
	assert_good(TAPE(rig, NULL, 0, 0x13, 0, BE3(LEN), 0));
	tape_rig_free(rig);
}

static void the_tape_moves_over_the_damaged_block(void **state)
{
	struct tape_rig *rig = damaged(state);

	assert_good(TAPE(rig, NULL, 0, TAPE_SPACE(0, 4)));
	tape_at(rig, 4, 0);
	assert_good(TAPE(rig, NULL, 0, TAPE_SPACE(0, -1)));
	assert_good(TAPE(rig, NULL, 0, TAPE_SPACE(0, -1)));
	tape_at(rig, 2, 0);
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(3)));
	assert_block(TAPE(rig, NULL, LEN, TAPE_READ(LEN)), 3);
	tape_rig_free(rig);
}

static void the_damage_is_counted_and_an_alert(void **state)
{
	struct tape_rig *rig = damaged(state);
	struct result res;

	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(2)));
	TAPE(rig, NULL, LEN, TAPE_READ(LEN));
	res = TAPE(rig, NULL, 2000, 0x4d, 0, 0x52, 0, 0, 0, 0, BE2(2000), 0);
	assert_int_equal(be64(res.in + 8), UINT64_C(0x2800000000000000)); /* flags 3 and 5 */
	res = TAPE(rig, NULL, 2000, 0x4d, 0, 0x43, 0, 0, 0, 6, BE2(2000), 0);
	assert_int_equal(be32(res.in + 8), 1); /* total uncorrected errors */
	tape_rig_free(rig);
}

/* --- the end of the partition --------------------------------------------------------------- */

/* Written up to behind early warning, which is at 1/64 of such a small partition. */
static struct tape_rig *nearly_full(void **state, uint64_t *blocks)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	for (*blocks = 0; ; ++*blocks) {
		res = write_random(rig, 32768, (uint32_t)*blocks);
		if (res.status)
			break;
	}
	++*blocks;
	assert_tape(res, SENSE_NO_SENSE, 0x0002, 0);
	return rig;
}

static void the_end_of_data_behind_early_warning_is_told_with_eom(void **state)
{
	uint64_t blocks;
	struct tape_rig *rig = nearly_full(state, &blocks);
	struct result res = TAPE(rig, NULL, LEN, TAPE_READ(LEN));

	assert_tape(res, SENSE_BLANK_CHECK, 0x0005, LEN);
	assert_bits(res, EOM);
	res = TAPE(rig, NULL, 0, TAPE_SPACE(0, 1));
	assert_tape(res, SENSE_BLANK_CHECK, 0x0005, 1);
	assert_bits(res, EOM);
	tape_rig_free(rig);
}

/* REW of the device configuration page: SSC-4 8.3.3. */
static void early_warning_is_told_of_reads_where_the_host_wants_that(void **state)
{
	const uint8_t list[20] = { 0, 0, 0x10, 0, 0x10, 0x0e, [12] = 0x41, [14] = 0x18, [18] = 1 };
	uint64_t blocks;
	struct tape_rig *rig = nearly_full(state, &blocks);
	struct result res;

	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(blocks - 1)));
	assert_good(TAPE(rig, NULL, 32768, TAPE_READ(32768)));
	assert_good(TAPE(rig, list, 20, 0x15, 0x10, 0, 0, 20, 0));
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(blocks - 1)));
	res = TAPE(rig, NULL, 32768, TAPE_READ(32768));
	assert_int_equal(res.sense.asc, 0x0002);
	assert_bits(res, EOM);
	assert_int_equal(res.in_got, 32768);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(TAPE(rig, NULL, 32768, TAPE_READ(32768)));
	tape_rig_free(rig);
}

static void filemarks_that_do_not_fit_are_told(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = tape_marks(rig, 0xffffff), position;

	assert_int_equal(res.sense.key, SENSE_VOLUME_OVERFLOW);
	assert_int_equal(res.sense.asc, 0x0002);
	assert_bits(res, EOM);
	position = TAPE(rig, NULL, 32, TAPE_POSITION);
	assert_int_equal(be64(position.in + 16), 0xffffff - res.sense.info);
	tape_rig_free(rig);
}

/* --- commands of 16 bytes ------------------------------------------------------------------- */

#define TO(partition, object) 0, partition, BE8(object)

static void filemarks_of_16_bytes_go_where_they_are_told(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	for (uint32_t i = 0; i < 3; i++)
		assert_good(tape_write(rig, 100, i));
	assert_good(TAPE(rig, NULL, 0, 0x80, 0, TO(0, 1), BE3(2), 0));
	tape_at(rig, 3, 2);
	assert_tape(TAPE(rig, NULL, 100, TAPE_READ(100)), SENSE_BLANK_CHECK, 0x0005, 100);
	tape_rig_free(rig);
}

static void an_erase_of_16_bytes_begins_where_it_is_told(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	for (uint32_t i = 0; i < 3; i++)
		assert_good(tape_write(rig, 100, i));
	assert_good(TAPE(rig, NULL, 0, 0x93, 0x01, TO(0, 1), 0, 0, 0, 0));
	tape_at(rig, 1, 0);
	assert_tape(TAPE(rig, NULL, 100, TAPE_READ(100)), SENSE_BLANK_CHECK, 0x0005, 100);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(TAPE(rig, NULL, 100, TAPE_READ(100)));
	tape_rig_free(rig);
}

static void a_verify_of_16_bytes_begins_where_it_is_told(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	for (uint32_t i = 0; i < 3; i++)
		assert_good(tape_write(rig, 100 + i, i));
	assert_good(TAPE(rig, NULL, 0, 0x8f, 0, TO(0, 1), BE3(101), 0));
	tape_at(rig, 2, 0);
	tape_rig_free(rig);
}

/* Of a full tape it takes long, and whoever wants the drive, or the server to end, waits. Whether it
 * has begun when it is aborted is chance: so it is tried often. */
static void a_verify_of_all_the_tape_ends_when_it_is_aborted(void **state)
{
	static const uint8_t cdb[] = { 0x13, 0x20, 0, 0, 0, 0 };
	const unsigned blocks = 48;
	struct tape_rig *rig = roomy(state);
	bool in_the_middle = false;

	for (unsigned i = 0; i < blocks; i++) {
		fill_randomly(1 << 20, i);
		assert_good(TAPE(rig, tape_data, 1 << 20, TAPE_WRITE(1 << 20)));
	}
	for (unsigned i = 0; i < 200 && !in_the_middle; i++) {
		struct scsi_task t;
		uint64_t object;

		assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
		rig_task(&t, &rig->r->nexus[0], 0, cdb, 6, 0, 0);
		assert_int_equal(scsi_task_start(&t), SCSI_PENDING);
		usleep(100 * (i % 20));
		if (!scsi_task_abort(&t))
			rig_wait(&t);
		scsi_task_release(&t);
		object = be64(TAPE(rig, NULL, 32, TAPE_POSITION).in + 8);
		in_the_middle = object > 0 && object < blocks;
	}
	assert_true(in_the_middle);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_damaged_block_is_a_medium_error_and_the_rest_is_read),
		TEST(of_fixed_blocks_those_before_the_damaged_one_come),
		TEST(verify_finds_the_damaged_block),
		TEST(the_tape_moves_over_the_damaged_block),
		TEST(the_damage_is_counted_and_an_alert),
		TEST(the_end_of_data_behind_early_warning_is_told_with_eom),
		TEST(early_warning_is_told_of_reads_where_the_host_wants_that),
		TEST(filemarks_that_do_not_fit_are_told),
		TEST(filemarks_of_16_bytes_go_where_they_are_told),
		TEST(an_erase_of_16_bytes_begins_where_it_is_told),
		TEST(a_verify_of_16_bytes_begins_where_it_is_told),
		TEST(a_verify_of_all_the_tape_ends_when_it_is_aborted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing a tape: each case of sense data, by the clause of SSC-4 that asks for it.
 */
#include "tests/unit/ssc_support.h"

/* --- READ, variable length (SSC-4 7.5) ------------------------------------------------- */

static void a_block_is_read_as_it_was_written(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_write(rig, 3000, 1));
	assert_good(tape_write(rig, 1, 2));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 3000, TAPE_READ(3000));
	assert_good(res);
	tape_expect_data(res, 3000, 1);
	res = TAPE(rig, NULL, 1, TAPE_READ(1));
	assert_good(res);
	tape_expect_data(res, 1, 2);
	tape_at(rig, 2, 0);
	tape_rig_free(rig);
}

static void a_shorter_block_is_an_incorrect_length_with_the_difference(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_write(rig, 1000, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 4096, TAPE_READ(4096));
	assert_tape(res, SENSE_NO_SENSE, 0x0000, 3096);
	assert_bits(res, ILI);
	tape_expect_data(res, 1000, 1);
	tape_at(rig, 1, 0);
	tape_rig_free(rig);
}

static void a_longer_block_is_cut_and_the_difference_is_negative(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_write(rig, 4096, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 1000, TAPE_READ(1000));
	assert_tape(res, SENSE_NO_SENSE, 0x0000, -3096);
	assert_bits(res, ILI);
	tape_expect_data(res, 1000, 1);
	tape_at(rig, 1, 0);
	tape_rig_free(rig);
}

static void sili_says_nothing_of_a_shorter_block(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_write(rig, 1000, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 4096, TAPE_READ_SILI(4096));
	assert_good(res);
	tape_expect_data(res, 1000, 1);
	tape_rig_free(rig);
}

static void sili_says_nothing_of_a_longer_block_while_blocks_have_no_length(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_write(rig, 4096, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 1000, TAPE_READ_SILI(1000));
	assert_good(res);
	tape_expect_data(res, 1000, 1);
	tape_rig_free(rig);
}

static void sili_tells_of_a_longer_block_where_blocks_have_a_length(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_write(rig, 4096, 1));
	assert_good(tape_set_block(rig, 1000));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 1000, TAPE_READ_SILI(1000));
	assert_tape(res, SENSE_NO_SENSE, 0x0000, -3096);
	assert_bits(res, ILI);
	tape_rig_free(rig);
}

static void a_read_of_nothing_moves_nothing(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 1000, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(TAPE(rig, NULL, 0, TAPE_READ(0)));
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

static void a_filemark_ends_a_read_and_is_passed(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_marks(rig, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 512, TAPE_READ(512));
	assert_tape(res, SENSE_NO_SENSE, 0x0001, 512);
	assert_bits(res, FM);
	assert_int_equal(res.in_got, 0);
	tape_at(rig, 1, 1);
	tape_rig_free(rig);
}

static void sili_tells_of_a_filemark(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_marks(rig, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 512, TAPE_READ_SILI(512));
	assert_tape(res, SENSE_NO_SENSE, 0x0001, 512);
	assert_bits(res, FM);
	tape_rig_free(rig);
}

static void the_end_of_data_is_a_blank_check(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_write(rig, 512, 1));
	res = TAPE(rig, NULL, 512, TAPE_READ(512));
	assert_tape(res, SENSE_BLANK_CHECK, 0x0005, 512);
	assert_bits(res, 0);
	tape_at(rig, 1, 0);
	tape_rig_free(rig);
}

/* --- READ, fixed length ------------------------------------------------------------------ */

static void fixed_blocks_are_read_together(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_set_block(rig, 512));
	tape_fill(tape_data, 4096, 7);
	assert_good(TAPE(rig, tape_data, 4096, TAPE_WRITE_FIXED(8)));
	tape_at(rig, 8, 0);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 4096, TAPE_READ_FIXED(8));
	assert_good(res);
	tape_expect_data(res, 4096, 7);
	tape_rig_free(rig);
}

static void a_filemark_ends_a_fixed_read_with_the_blocks_that_are_left(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_set_block(rig, 512));
	tape_fill(tape_data, 1024, 7);
	assert_good(TAPE(rig, tape_data, 1024, TAPE_WRITE_FIXED(2)));
	assert_good(tape_marks(rig, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 4096, TAPE_READ_FIXED(8));
	assert_tape(res, SENSE_NO_SENSE, 0x0001, 6);
	assert_bits(res, FM);
	tape_expect_data(res, 1024, 7);
	tape_at(rig, 3, 1);
	tape_rig_free(rig);
}

static void a_block_of_another_length_ends_a_fixed_read_behind_it(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_set_block(rig, 512));
	tape_fill(tape_data, 1024, 7);
	assert_good(TAPE(rig, tape_data, 1024, TAPE_WRITE_FIXED(2)));
	assert_good(tape_write(rig, 100, 8));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 4096, TAPE_READ_FIXED(8));
	assert_tape(res, SENSE_NO_SENSE, 0x0000, 6);
	assert_bits(res, ILI);
	tape_expect_data(res, 1024, 7);
	tape_at(rig, 3, 0);
	tape_rig_free(rig);
}

static void the_end_of_data_ends_a_fixed_read_with_the_blocks_that_are_left(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_set_block(rig, 512));
	tape_fill(tape_data, 1024, 7);
	assert_good(TAPE(rig, tape_data, 1024, TAPE_WRITE_FIXED(2)));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 4096, TAPE_READ_FIXED(8));
	assert_tape(res, SENSE_BLANK_CHECK, 0x0005, 6);
	tape_expect_data(res, 1024, 7);
	tape_rig_free(rig);
}

static void fixed_and_sili_do_not_go_together(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_set_block(rig, 512));
	assert_bad_cdb(TAPE(rig, NULL, 512, 0x08, 0x03, 0, 0, 1, 0), 1);
	tape_rig_free(rig);
}

static void fixed_blocks_need_a_length(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_bad_cdb(TAPE(rig, NULL, 512, TAPE_READ_FIXED(1)), 1);
	assert_bad_cdb(TAPE(rig, tape_data, 512, TAPE_WRITE_FIXED(1)), 1);
	tape_rig_free(rig);
}

static void a_fixed_transfer_has_a_limit(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_set_block(rig, 1 << 20));
	assert_bad_cdb(TAPE(rig, NULL, 512, TAPE_READ_FIXED(17)), 2);
	assert_bad_cdb(TAPE(rig, tape_data, 512, TAPE_WRITE_FIXED(17)), 2);
	tape_rig_free(rig);
}

/* A host may expect less than the command reads (an allocation that is too small). */
static void blocks_beyond_what_the_host_takes_are_passed(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_set_block(rig, 512));
	tape_fill(tape_data, 2048, 7);
	assert_good(TAPE(rig, tape_data, 2048, TAPE_WRITE_FIXED(4)));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 700, TAPE_READ_FIXED(4));
	assert_good(res);
	assert_int_equal(res.in_len, 2048);
	tape_expect_data(res, 700, 7);
	tape_at(rig, 4, 0);
	tape_rig_free(rig);
}

/* --- READ(16), WRITE(16) ------------------------------------------------------------------ */

static void read16_goes_where_it_is_told(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	for (unsigned i = 0; i < 5; i++)
		assert_good(tape_write(rig, 600, i));
	res = TAPE(rig, NULL, 600, 0x88, 0, 0, 0, BE8(2), BE3(600), 0);
	assert_good(res);
	tape_expect_data(res, 600, 2);
	tape_at(rig, 3, 0);
	assert_check(TAPE(rig, NULL, 600, 0x88, 0, 0, 0, BE8(9), BE3(600), 0), SENSE_BLANK_CHECK,
		0x0005);
	tape_rig_free(rig);
}

static void write16_begins_where_it_is_told(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	for (unsigned i = 0; i < 5; i++)
		assert_good(tape_write(rig, 600, i));
	assert_good(TAPE(rig, tape_data, 600, 0x8a, 0, 0, 0, BE8(1), BE3(600), 0));
	tape_at(rig, 2, 0);
	assert_check(TAPE(rig, NULL, 0, TAPE_LOCATE(3)), SENSE_BLANK_CHECK, 0x0005);
	tape_at(rig, 2, 0);
	tape_rig_free(rig);
}

/* --- WRITE (SSC-4 7.8) --------------------------------------------------------------------- */

static void a_block_may_be_8_mib_long_and_no_longer(void **state)
{
	struct tape_rig *rig = tape_rig_loaded(*state, (struct cartridge_cfg){ .barcode = "TEST01L5",
		.media = media_generation(5), .capacity = 64 * VTL_MIB });
	struct result res;

	assert_good(tape_write(rig, 8 << 20, 1));
	assert_bad_cdb(TAPE(rig, tape_data, (8 << 20) + 1, TAPE_WRITE((8 << 20) + 1)), 2);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 8 << 20, TAPE_READ(8 << 20));
	assert_good(res);
	tape_expect_data(res, 8 << 20, 1);
	tape_rig_free(rig);
}

static void a_write_of_nothing_writes_nothing(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, NULL, 0, TAPE_WRITE(0)));
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

static void a_part_of_a_block_is_not_written(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_check(TAPE(rig, tape_data, 100, TAPE_WRITE(512)), SENSE_ILLEGAL_REQUEST, 0x0e03);
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

/* Random data, so that they do not become smaller. */
static void fill_randomly(uint32_t len, uint32_t seed)
{
	for (uint32_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		tape_data[i] = (uint8_t)(seed >> 24);
	}
}

static struct result write_random(struct tape_rig *rig, uint32_t len)
{
	fill_randomly(len, len);
	return TAPE(rig, tape_data, len, TAPE_WRITE(len));
}

/* Early warning is at 1/64 of such a small partition: 64 KiB before the end. */
static void early_warning_is_told_of_a_write_that_went_well(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = { 0 };
	unsigned n;

	for (n = 0; n < 1000; n++) {
		res = write_random(rig, 32768);
		if (res.status)
			break;
	}
	assert_tape(res, SENSE_NO_SENSE, 0x0002, 0);
	assert_bits(res, EOM);
	tape_at(rig, n + 1, 0);
	res = TAPE(rig, NULL, 20, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_int_equal(res.in[0], 0x40); /* EOP */
	tape_rig_free(rig);
}

static void beyond_early_warning_there_is_room_for_the_trailer(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	do {
		res = write_random(rig, 32768);
	} while (!res.status);
	assert_tape(write_random(rig, 1024), SENSE_NO_SENSE, 0x0002, 0);
	assert_tape(tape_marks(rig, 2), SENSE_NO_SENSE, 0x0002, 0);
	tape_rig_free(rig);
}

static void the_end_of_the_partition_is_a_volume_overflow(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	do {
		res = write_random(rig, 32768);
	} while (res.status != SCSI_CHECK_CONDITION || res.sense.key == SENSE_NO_SENSE);
	assert_tape(res, SENSE_VOLUME_OVERFLOW, 0x0002, 32768);
	assert_bits(res, EOM);
	tape_rig_free(rig);
}

static void a_fixed_write_that_does_not_fit_tells_the_blocks_that_are_left(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(tape_set_block(rig, 65536));
	fill_randomly(8 << 20, 3);
	res = TAPE(rig, tape_data, 8 << 20, TAPE_WRITE_FIXED(128));
	assert_int_equal(res.sense.key, SENSE_VOLUME_OVERFLOW);
	assert_bits(res, EOM);
	assert_true(res.sense.info > 60 && res.sense.info < 70);
	tape_at(rig, 128 - res.sense.info, 0);
	tape_rig_free(rig);
}

static void compressible_data_take_less_room(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	memset(tape_data, 0, 1 << 20);
	for (unsigned i = 0; i < 8; i++)
		assert_good(TAPE(rig, tape_data, 1 << 20, TAPE_WRITE(1 << 20)));
	tape_rig_free(rig);
}

static void without_compression_they_do_not(void **state)
{
	/* Header, no block descriptor, page 0Fh with DCE = 0. */
	const uint8_t list[20] = { 0, 0, 0x10, 0, 0x0f, 0x0e, 0x40, 0x80, [11] = 1, [15] = 1 };
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = { 0 };

	assert_good(TAPE(rig, list, 20, 0x15, 0x10, 0, 0, 20, 0));
	memset(tape_data, 0, 1 << 20);
	for (unsigned i = 0; i < 4; i++)
		res = TAPE(rig, tape_data, 1 << 20, TAPE_WRITE(1 << 20));
	assert_int_equal(res.sense.key, SENSE_VOLUME_OVERFLOW);
	tape_rig_free(rig);
}

static void a_write_makes_what_follows_unreadable(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	for (unsigned i = 0; i < 5; i++)
		assert_good(tape_write(rig, 600, i));
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(2)));
	assert_good(tape_write(rig, 600, 9));
	assert_tape(TAPE(rig, NULL, 600, TAPE_READ(600)), SENSE_BLANK_CHECK, 0x0005, 600);
	tape_at(rig, 3, 0);
	tape_rig_free(rig);
}

static void a_write_protected_cartridge_is_only_read(void **state)
{
	struct vtl *v = *state;
	struct tape_rig *rig;

	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "TEST01L5",
		.media = media_generation(5), .capacity = TAPE_CAPACITY });
	vtl_close(v);
	rig = tape_rig_new(v, 5);
	assert_int_equal(tape_in_job(rig, tape_do_insert_protected), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_check(TAPE(rig, tape_data, 512, TAPE_WRITE(512)), SENSE_DATA_PROTECT, 0x2700);
	assert_check(tape_marks(rig, 1), SENSE_DATA_PROTECT, 0x2700);
	assert_int_equal(TAPE(rig, NULL, 12, 0x1a, 0, 0, 0, 12, 0).in[2] & 0x80, 0x80);
	tape_rig_free(rig);
}

static void worm_is_not_overwritten(void **state)
{
	struct tape_rig *rig = tape_rig_loaded(*state, (struct cartridge_cfg){ .barcode = "TEST01LV",
		.media = media_generation(5), .capacity = TAPE_CAPACITY, .worm = true });

	assert_good(tape_write(rig, 600, 1));
	assert_good(tape_write(rig, 600, 2));
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(1)));
	assert_tape(tape_write(rig, 600, 3), SENSE_DATA_PROTECT, 0x300c, 600);
	assert_check(TAPE(rig, NULL, 0, 0x19, 1, 0, 0, 0, 0), SENSE_DATA_PROTECT, 0x300c);
	tape_rig_free(rig);
}

/* --- WRITE FILEMARKS (SSC-4 7.10) ------------------------------------------------------------ */

static int syncs(struct tape_rig *rig)
{
	struct drive_status s;

	drive_status(rig->drive, &s);
	return (int)s.load.syncs;
}

static void filemarks_are_durable_unless_immed(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 512, 1));
	assert_int_equal(syncs(rig), 0);
	assert_good(TAPE(rig, NULL, 0, 0x10, 0x01, BE3(1), 0));
	assert_int_equal(syncs(rig), 0);
	tape_at(rig, 2, 1);
	assert_good(tape_marks(rig, 1));
	assert_int_equal(syncs(rig), 1);
	tape_at(rig, 3, 2);
	tape_rig_free(rig);
}

static void no_filemarks_make_durable_what_was_written(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 512, 1));
	assert_good(tape_marks(rig, 0));
	assert_int_equal(syncs(rig), 1);
	tape_at(rig, 1, 0);
	tape_rig_free(rig);
}

static void an_unbuffered_write_is_durable(void **state)
{
	const uint8_t list[4] = { 0 }; /* buffered mode 0 */
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, list, 4, 0x15, 0x10, 0, 0, 4, 0));
	assert_good(tape_write(rig, 512, 1));
	assert_int_equal(syncs(rig), 1);
	tape_rig_free(rig);
}

static void setmarks_are_refused(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_bad_cdb(TAPE(rig, NULL, 0, 0x10, 0x02, BE3(1), 0), 1);
	tape_rig_free(rig);
}

/* --- ERASE (SSC-4 7.12) --------------------------------------------------------------------- */

static void erase_ends_the_data_here(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	for (unsigned i = 0; i < 5; i++)
		assert_good(tape_write(rig, 600, i));
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(2)));
	assert_good(TAPE(rig, NULL, 0, 0x19, 0x01, 0, 0, 0, 0));
	tape_at(rig, 2, 0);
	assert_tape(TAPE(rig, NULL, 600, TAPE_READ(600)), SENSE_BLANK_CHECK, 0x0005, 600);
	tape_rig_free(rig);
}

/* --- aborts ----------------------------------------------------------------------------------- */

static void a_command_that_waits_for_its_turn_can_be_aborted(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct jam jam = { .over = false };
	struct scsi_task t;

	assert_good(tape_write(rig, 100, 0));
	jam_begin(rig, &jam);
	rig_task(&t, &rig->r->nexus[0], 0, (const uint8_t[]){ TAPE_REWIND }, 6, 0, 0);
	assert_int_equal(scsi_task_start(&t), SCSI_PENDING);
	assert_true(scsi_task_abort(&t));
	scsi_task_release(&t);
	jam_end(rig, &jam);
	tape_at(rig, 1, 0);
	tape_rig_free(rig);
}

static void a_command_that_has_begun_comes_to_its_end(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct scsi_task t;

	assert_good(tape_write(rig, 100, 0));
	rig_task(&t, &rig->r->nexus[0], 0, (const uint8_t[]){ TAPE_REWIND }, 6, 0, 0);
	assert_int_equal(scsi_task_start(&t), SCSI_PENDING);
	assert_false(scsi_task_abort(&t)); /* no other was before it: it is with the pool */
	rig_wait(&t);
	scsi_task_release(&t);
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_block_is_read_as_it_was_written),
		TEST(a_shorter_block_is_an_incorrect_length_with_the_difference),
		TEST(a_longer_block_is_cut_and_the_difference_is_negative),
		TEST(sili_says_nothing_of_a_shorter_block),
		TEST(sili_says_nothing_of_a_longer_block_while_blocks_have_no_length),
		TEST(sili_tells_of_a_longer_block_where_blocks_have_a_length),
		TEST(a_read_of_nothing_moves_nothing),
		TEST(a_filemark_ends_a_read_and_is_passed),
		TEST(sili_tells_of_a_filemark),
		TEST(the_end_of_data_is_a_blank_check),
		TEST(fixed_blocks_are_read_together),
		TEST(a_filemark_ends_a_fixed_read_with_the_blocks_that_are_left),
		TEST(a_block_of_another_length_ends_a_fixed_read_behind_it),
		TEST(the_end_of_data_ends_a_fixed_read_with_the_blocks_that_are_left),
		TEST(fixed_and_sili_do_not_go_together),
		TEST(fixed_blocks_need_a_length),
		TEST(a_fixed_transfer_has_a_limit),
		TEST(blocks_beyond_what_the_host_takes_are_passed),
		TEST(read16_goes_where_it_is_told),
		TEST(write16_begins_where_it_is_told),
		TEST(a_block_may_be_8_mib_long_and_no_longer),
		TEST(a_write_of_nothing_writes_nothing),
		TEST(a_part_of_a_block_is_not_written),
		TEST(early_warning_is_told_of_a_write_that_went_well),
		TEST(beyond_early_warning_there_is_room_for_the_trailer),
		TEST(the_end_of_the_partition_is_a_volume_overflow),
		TEST(a_fixed_write_that_does_not_fit_tells_the_blocks_that_are_left),
		TEST(compressible_data_take_less_room),
		TEST(without_compression_they_do_not),
		TEST(a_write_makes_what_follows_unreadable),
		TEST(a_write_protected_cartridge_is_only_read),
		TEST(worm_is_not_overwritten),
		TEST(filemarks_are_durable_unless_immed),
		TEST(no_filemarks_make_durable_what_was_written),
		TEST(an_unbuffered_write_is_durable),
		TEST(setmarks_are_refused),
		TEST(erase_ends_the_data_here),
		TEST(a_command_that_waits_for_its_turn_can_be_aborted),
		TEST(a_command_that_has_begun_comes_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

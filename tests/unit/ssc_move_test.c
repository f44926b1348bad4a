/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a tape and asking where it stands: SPACE, LOCATE, REWIND, READ POSITION, by the clauses of
 * SSC-4.
 */
#include "tests/unit/ssc_support.h"

/* Two blocks, a filemark, three blocks, two filemarks, a block: objects 0 to 8. */
static struct tape_rig *written(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 500, 0));
	assert_good(tape_write(rig, 500, 1));
	assert_good(tape_marks(rig, 1));
	for (unsigned i = 3; i < 6; i++)
		assert_good(tape_write(rig, 500, i));
	assert_good(tape_marks(rig, 2));
	assert_good(tape_write(rig, 500, 8));
	return rig;
}

static struct result space(struct tape_rig *rig, uint8_t code, int count)
{
	return TAPE(rig, NULL, 0, TAPE_SPACE(code, (uint32_t)count & 0xffffff));
}

static void go(struct tape_rig *rig, uint32_t object)
{
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(object)));
}

/* --- SPACE (SSC-4 7.17) ------------------------------------------------------------------ */

static void space_goes_over_blocks_either_way(void **state)
{
	struct tape_rig *rig = written(state);

	go(rig, 3);
	assert_good(space(rig, 0, 2));
	tape_at(rig, 5, 1);
	assert_good(space(rig, 0, -2));
	tape_at(rig, 3, 1);
	assert_good(space(rig, 0, 0));
	tape_at(rig, 3, 1);
	tape_rig_free(rig);
}

static void a_filemark_ends_a_space_over_blocks(void **state)
{
	struct tape_rig *rig = written(state);
	struct result res;

	go(rig, 0);
	res = space(rig, 0, 5);
	assert_tape(res, SENSE_NO_SENSE, 0x0001, 3);
	assert_bits(res, FM);
	tape_at(rig, 3, 1);
	tape_rig_free(rig);
}

static void backwards_the_tape_stands_before_the_filemark_that_was_met(void **state)
{
	struct tape_rig *rig = written(state);
	struct result res;

	go(rig, 5);
	res = space(rig, 0, -4);
	assert_tape(res, SENSE_NO_SENSE, 0x0001, 2);
	assert_bits(res, FM);
	tape_at(rig, 2, 0);
	tape_rig_free(rig);
}

static void the_end_of_data_ends_a_space(void **state)
{
	struct tape_rig *rig = written(state);
	struct result res;

	go(rig, 8);
	res = space(rig, 0, 10);
	assert_tape(res, SENSE_BLANK_CHECK, 0x0005, 9);
	assert_bits(res, 0);
	tape_at(rig, 9, 3);
	go(rig, 0);
	assert_tape(space(rig, 1, 5), SENSE_BLANK_CHECK, 0x0005, 2);
	tape_at(rig, 9, 3);
	tape_rig_free(rig);
}

static void the_beginning_of_the_partition_ends_a_space(void **state)
{
	struct tape_rig *rig = written(state);
	struct result res;

	go(rig, 1);
	res = space(rig, 0, -3);
	assert_tape(res, SENSE_NO_SENSE, 0x0004, 2);
	assert_bits(res, EOM);
	tape_at(rig, 0, 0);
	go(rig, 5);
	assert_tape(space(rig, 1, -3), SENSE_NO_SENSE, 0x0004, 2);
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

static void space_goes_over_filemarks_either_way(void **state)
{
	struct tape_rig *rig = written(state);

	go(rig, 0);
	assert_good(space(rig, 1, 2));
	tape_at(rig, 7, 2);
	assert_good(space(rig, 1, -2));
	tape_at(rig, 2, 0);
	tape_rig_free(rig);
}

static void space_finds_filemarks_in_a_row(void **state)
{
	struct tape_rig *rig = written(state);

	go(rig, 0);
	assert_good(space(rig, 2, 2));
	tape_at(rig, 8, 3);
	tape_rig_free(rig);
}

static void space_goes_to_the_end_of_data(void **state)
{
	struct tape_rig *rig = written(state);

	go(rig, 0);
	assert_good(space(rig, 3, 0));
	tape_at(rig, 9, 3);
	tape_rig_free(rig);
}

static void space_over_setmarks_is_refused(void **state)
{
	struct tape_rig *rig = written(state);

	assert_bad_cdb(space(rig, 4, 1), 1);
	tape_rig_free(rig);
}

static void space16_takes_a_long_count(void **state)
{
	struct tape_rig *rig = written(state);

	go(rig, 0);
	assert_good(TAPE(rig, NULL, 0, 0x91, 1, 0, 0, BE8(1), 0, 0, 0, 0));
	tape_at(rig, 3, 1);
	assert_tape(TAPE(rig, NULL, 0, 0x91, 0, 0, 0, BE8(-((int64_t)1 << 40)), 0, 0, 0, 0),
		SENSE_NO_SENSE, 0x0001, (int64_t)1 << 40);
	assert_bad_cdb(TAPE(rig, NULL, 0, 0x91, 0, 0, 0, BE8(1), 0, 8, 0, 0), 12);
	tape_rig_free(rig);
}

/* --- LOCATE (SSC-4 7.3, 7.4) ---------------------------------------------------------------- */

static void locate_finds_an_object(void **state)
{
	struct tape_rig *rig = written(state);
	struct result res;

	go(rig, 4);
	tape_at(rig, 4, 1);
	res = TAPE(rig, NULL, 500, TAPE_READ(500));
	assert_good(res);
	tape_expect_data(res, 500, 4);
	tape_rig_free(rig);
}

static void locate_beyond_the_end_of_data_stands_there(void **state)
{
	struct tape_rig *rig = written(state);

	assert_check(TAPE(rig, NULL, 0, TAPE_LOCATE(100)), SENSE_BLANK_CHECK, 0x0005);
	tape_at(rig, 9, 3);
	tape_rig_free(rig);
}

static void locate16_finds_a_file_and_the_end_of_data(void **state)
{
	struct tape_rig *rig = written(state);

	assert_good(TAPE(rig, NULL, 0, 0x92, 1 << 3, 0, 0, BE8(1), 0, 0, 0, 0));
	tape_at(rig, 3, 1);
	assert_good(TAPE(rig, NULL, 0, 0x92, 3 << 3, 0, 0, BE8(0), 0, 0, 0, 0));
	tape_at(rig, 9, 3);
	assert_good(TAPE(rig, NULL, 0, 0x92, 0, 0, 0, BE8(5), 0, 0, 0, 0));
	tape_at(rig, 5, 1);
	assert_bad_cdb(TAPE(rig, NULL, 0, 0x92, 2 << 3, 0, 0, BE8(5), 0, 0, 0, 0), 1);
	tape_rig_free(rig);
}

static void a_partition_that_is_not_there_is_an_invalid_field(void **state)
{
	struct tape_rig *rig = written(state);

	assert_bad_cdb(TAPE(rig, NULL, 0, 0x2b, 0x02, 0, BE4(0), 0, 1, 0), 8);
	assert_bad_cdb(TAPE(rig, NULL, 0, 0x92, 0x02, 0, 1, BE8(0), 0, 0, 0, 0), 3);
	/* Without CP it does not count. */
	assert_good(TAPE(rig, NULL, 0, 0x2b, 0, 0, BE4(0), 0, 1, 0));
	tape_rig_free(rig);
}

/* --- READ POSITION (SSC-4 7.7) -------------------------------------------------------------- */

static void the_short_form_is_20_bytes(void **state)
{
	const uint8_t begin[20] = { 0x80 };
	const uint8_t there[20] = { [7] = 5, [11] = 5 };
	struct tape_rig *rig = written(state);
	struct result res;

	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 20, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_good(res);
	assert_int_equal(res.in_len, 20);
	assert_memory_equal(res.in, begin, 20);
	go(rig, 5);
	res = TAPE(rig, NULL, 20, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_memory_equal(res.in, there, 20);
	tape_rig_free(rig);
}

static void the_long_form_has_the_file_number(void **state)
{
	const uint8_t there[32] = { [15] = 5, [23] = 1 };
	struct tape_rig *rig = written(state);
	struct result res;

	go(rig, 5);
	res = TAPE(rig, NULL, 32, TAPE_POSITION);
	assert_int_equal(res.in_len, 32);
	assert_memory_equal(res.in, there, 32);
	tape_rig_free(rig);
}

static void the_extended_form_is_cut_to_the_allocation_length(void **state)
{
	const uint8_t there[32] = { [3] = 28, [15] = 5, [23] = 5 };
	struct tape_rig *rig = written(state);
	struct result res;

	go(rig, 5);
	res = TAPE(rig, NULL, 32, 0x34, 0x08, 0, 0, 0, 0, 0, 0, 32, 0);
	assert_int_equal(res.in_len, 32);
	assert_memory_equal(res.in, there, 32);
	assert_int_equal(TAPE(rig, NULL, 32, 0x34, 0x08, 0, 0, 0, 0, 0, 0, 12, 0).in_len, 12);
	assert_bad_cdb(TAPE(rig, NULL, 32, 0x34, 0x03, 0, 0, 0, 0, 0, 0, 0, 0), 1);
	tape_rig_free(rig);
}

/* --- the whole medium ----------------------------------------------------------------------- */

static void a_rewind_makes_durable_what_was_written(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct drive_status s;

	assert_good(tape_write(rig, 512, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	drive_status(rig->drive, &s);
	assert_int_equal(s.load.syncs, 1);
	assert_true(s.position.bop);
	tape_rig_free(rig);
}

static void without_a_cartridge_the_drive_is_not_ready(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);

	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x3a00);
	assert_check(TAPE(rig, NULL, 512, TAPE_READ(512)), SENSE_NOT_READY, 0x3a00);
	assert_check(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x01, 0), SENSE_NOT_READY, 0x3a00);
	assert_good(TAPE(rig, NULL, 6, 0x05, 0, 0, 0, 0, 0));
	tape_rig_free(rig);
}

static void what_comes_by_the_changer_is_told_to_every_nexus(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, NULL, 0, TUR));
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x3a00);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_check(RUN(rig->r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	tape_rig_free(rig);
}

static void the_host_unloads_and_loads(void **state)
{
	struct tape_rig *rig = written(state);

	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x00, 0));
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x3a00);
	assert_true(drive_full(rig->drive));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x00, 0));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x01, 0));
	assert_good(TAPE(rig, NULL, 0, TUR));
	assert_check(RUN(rig->r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

static void an_unload_that_holds_keeps_the_memory_readable(void **state)
{
	struct tape_rig *rig = written(state);

	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x08, 0));
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x3a04);
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x01, 0));
	assert_good(TAPE(rig, NULL, 0, TUR));
	tape_rig_free(rig);
}

static void loading_what_is_loaded_rewinds(void **state)
{
	struct tape_rig *rig = written(state);

	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x01, 0));
	tape_at(rig, 0, 0);
	assert_good(RUN(rig->r, 1, NULL, 0, TUR));
	assert_bad_cdb(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x05, 0), 4);
	tape_rig_free(rig);
}

static void a_prevented_cartridge_is_not_unloaded(void **state)
{
	struct tape_rig *rig = written(state);

	assert_good(RUN(rig->r, 1, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	assert_check(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x00, 0), SENSE_ILLEGAL_REQUEST, 0x5302);
	assert_false(drive_removable(rig->drive));
	assert_good(RUN(rig->r, 1, NULL, 0, 0x1e, 0, 0, 0, 0, 0));
	assert_true(drive_removable(rig->drive));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x00, 0));
	tape_rig_free(rig);
}

/* PERSISTENT RESERVE OUT: a reservation key, a service action reservation key. */
static struct result reserve_out(
	struct tape_rig *rig, unsigned nexus, uint8_t action, uint8_t key, uint8_t action_key)
{
	const uint8_t list[24] = { [7] = key, [15] = action_key };

	return RUN(rig->r, nexus, list, sizeof(list), 0x5f, action, 3, 0, 0, BE4(24), 0);
}

/* So that a host that hangs does not keep a cartridge (SPC-3 6.13). */
static void a_host_that_is_preempted_prevents_nothing_any_more(void **state)
{
	struct tape_rig *rig = written(state);

	assert_good(reserve_out(rig, 0, 0, 0, 1));
	assert_good(reserve_out(rig, 1, 0, 0, 2));
	assert_good(RUN(rig->r, 1, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	assert_good(RUN(rig->r, 0, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	assert_good(reserve_out(rig, 0, 5, 1, 2)); /* PREEMPT AND ABORT */
	assert_false(drive_removable(rig->drive));
	assert_good(RUN(rig->r, 0, NULL, 0, 0x1e, 0, 0, 0, 0, 0));
	assert_true(drive_removable(rig->drive));
	tape_rig_free(rig);
}

static void a_host_that_is_gone_prevents_nothing(void **state)
{
	struct tape_rig *rig = written(state);

	assert_good(RUN(rig->r, 1, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	rig_nexus_close(rig->r, 1);
	assert_true(drive_removable(rig->drive));
	tape_rig_free(rig);
}

static void a_cleaning_cartridge_says_so(void **state)
{
	struct vtl *v = *state;
	struct tape_rig *rig;

	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "CLN001L1",
		.media = media_generation(5), .capacity = TAPE_CAPACITY, .cleaning = true });
	vtl_close(v);
	rig = tape_rig_new(v, 5);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x3003);
	tape_rig_free(rig);
}

static void a_damaged_cartridge_has_a_corrupted_format(void **state)
{
	struct vtl *v = *state;
	struct tape_rig *rig;

	strcpy(v->path, "/nowhere");
	rig = tape_rig_new(v, 5);
	assert_int_not_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_MEDIUM_ERROR, 0x3100);
	tape_rig_free(rig);
}

static void a_reservation_keeps_others_from_the_tape(void **state)
{
	struct tape_rig *rig = written(state);

	assert_good(TAPE(rig, NULL, 0, 0x16, 0, 0, 0, 0, 0));
	assert_int_equal(RUN(rig->r, 1, NULL, 0, TAPE_REWIND).status, SCSI_RESERVATION_CONFLICT);
	assert_good(TAPE(rig, NULL, 0, 0x17, 0, 0, 0, 0, 0));
	assert_good(RUN(rig->r, 1, NULL, 0, TAPE_REWIND));
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(space_goes_over_blocks_either_way),
		TEST(a_filemark_ends_a_space_over_blocks),
		TEST(backwards_the_tape_stands_before_the_filemark_that_was_met),
		TEST(the_end_of_data_ends_a_space),
		TEST(the_beginning_of_the_partition_ends_a_space),
		TEST(space_goes_over_filemarks_either_way),
		TEST(space_finds_filemarks_in_a_row),
		TEST(space_goes_to_the_end_of_data),
		TEST(space_over_setmarks_is_refused),
		TEST(space16_takes_a_long_count),
		TEST(locate_finds_an_object),
		TEST(locate_beyond_the_end_of_data_stands_there),
		TEST(locate16_finds_a_file_and_the_end_of_data),
		TEST(a_partition_that_is_not_there_is_an_invalid_field),
		TEST(the_short_form_is_20_bytes),
		TEST(the_long_form_has_the_file_number),
		TEST(the_extended_form_is_cut_to_the_allocation_length),
		TEST(a_rewind_makes_durable_what_was_written),
		TEST(without_a_cartridge_the_drive_is_not_ready),
		TEST(what_comes_by_the_changer_is_told_to_every_nexus),
		TEST(the_host_unloads_and_loads),
		TEST(an_unload_that_holds_keeps_the_memory_readable),
		TEST(loading_what_is_loaded_rewinds),
		TEST(a_prevented_cartridge_is_not_unloaded),
		TEST(a_host_that_is_preempted_prevents_nothing_any_more),
		TEST(a_host_that_is_gone_prevents_nothing),
		TEST(a_cleaning_cartridge_says_so),
		TEST(a_damaged_cartridge_has_a_corrupted_format),
		TEST(a_reservation_keeps_others_from_the_tape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

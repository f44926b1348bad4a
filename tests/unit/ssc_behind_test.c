/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffered mode: a WRITE whose status comes before its data are written, what that never hides, and
 * deferred errors.
 */
#include "tests/unit/ssc_support.h"

static void a_write_behind_another_has_its_status_at_once(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct jam jam = { .over = false };
	struct scsi_task t;
	struct result res;

	assert_good(tape_write(rig, 5000, 0));
	jam_begin(rig, &jam);
	assert_true(write_has_status(rig, &t, 5000, 1));
	assert_int_equal(t.status, SCSI_GOOD);
	scsi_task_release(&t);
	jam_end(rig, &jam);
	tape_at(rig, 2, 0);
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(1)));
	res = TAPE(rig, NULL, 5000, TAPE_READ(5000));
	assert_good(res);
	tape_expect_data(res, 5000, 1);
	tape_rig_free(rig);
}

/* Whether a WRITE waits for the drive, given what came before it. */
static void assert_waits(struct tape_rig *rig)
{
	struct jam jam = { .over = false };
	struct scsi_task t;

	jam_begin(rig, &jam);
	assert_false(write_has_status(rig, &t, 5000, 1));
	jam_end(rig, &jam);
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_GOOD);
	scsi_task_release(&t);
}

static void a_write_behind_anything_else_waits(void **state)
{
	struct tape_rig *rig = roomy(state);

	assert_waits(rig);
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(1)));
	assert_waits(rig);
	assert_good(tape_marks(rig, 1));
	tape_rig_free(rig);
}

static void an_unbuffered_write_waits(void **state)
{
	const uint8_t list[4] = { 0 };
	struct tape_rig *rig = roomy(state);

	assert_good(TAPE(rig, list, 4, 0x15, 0x10, 0, 0, 4, 0));
	assert_good(tape_write(rig, 5000, 0));
	assert_waits(rig);
	tape_rig_free(rig);
}

static void near_early_warning_a_write_waits(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state); /* 4 MiB: it is near from the beginning */

	assert_good(tape_write(rig, 5000, 0));
	assert_waits(rig);
	tape_rig_free(rig);
}

static void no_more_than_16_mib_are_written_behind(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct jam jam = { .over = false };
	struct scsi_task t[4];

	assert_good(tape_write(rig, 5000, 0));
	jam_begin(rig, &jam);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(write_has_status(rig, &t[i], 5 << 20, i), i < 3);
	jam_end(rig, &jam);
	rig_wait(&t[3]);
	for (unsigned i = 0; i < 4; i++)
		scsi_task_release(&t[i]);
	tape_at(rig, 5, 0);
	tape_rig_free(rig);
}

static void a_filemark_waits_for_what_is_written_behind(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct jam jam = { .over = false };
	struct drive_status s;
	struct scsi_task t;

	assert_good(tape_write(rig, 5000, 0));
	jam_begin(rig, &jam);
	assert_true(write_has_status(rig, &t, 5000, 1));
	scsi_task_release(&t);
	sem_post(&jam.go);
	assert_good(tape_marks(rig, 1));
	drive_status(rig->drive, &s);
	assert_int_equal(s.load.syncs, 1);
	tape_at(rig, 3, 1);
	while (!jam.over)
		loop_step(rig->r->loop);
	sem_destroy(&jam.go);
	tape_rig_free(rig);
}

/* SPC-5 4.4.7: response code 71h, and the command that tells it is not carried out. */
static void what_fails_behind_is_a_deferred_error_of_the_next_command(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct jam jam = { .eject = true };
	struct scsi_task t[2];
	uint8_t sense[SENSE_MAX];
	struct result res;

	assert_good(tape_write(rig, 5000, 0));
	jam_begin(rig, &jam);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(write_has_status(rig, &t[i], 5000, i));
		scsi_task_release(&t[i]);
	}
	jam_end(rig, &jam);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	res = tape_write(rig, 5000, 2);
	assert_check(res, SENSE_MEDIUM_ERROR, 0x0c00);
	assert_true(res.sense.deferred);
	assert_int_equal(sense_encode(&res.sense, false, sense), 18);
	assert_int_equal(sense[0], 0x71);
	tape_at(rig, 0, 0);
	assert_good(TAPE(rig, NULL, 0, TAPE_SPACE(3, 0)));
	tape_at(rig, 1, 0);
	tape_rig_free(rig);
}

static void a_host_that_leaves_leaves_its_data(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct jam jam = { .over = false };
	struct scsi_task t;

	assert_good(tape_write(rig, 5000, 0));
	jam_begin(rig, &jam);
	assert_true(write_has_status(rig, &t, 5000, 1));
	scsi_task_release(&t);
	nexus_close(&rig->r->nexus[0], rig_nexus_closed);
	assert_non_null(rig->r->nexus[0].initiator);
	jam_end(rig, &jam);
	while (rig->r->nexus[0].initiator)
		loop_step(rig->r->loop);
	assert_good(RUN(rig->r, 1, NULL, 0, TAPE_REWIND));
	assert_int_equal(RUN(rig->r, 1, NULL, 0, TAPE_SPACE(0, 2)).status, SCSI_GOOD);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_write_behind_another_has_its_status_at_once),
		TEST(a_write_behind_anything_else_waits),
		TEST(an_unbuffered_write_waits),
		TEST(near_early_warning_a_write_waits),
		TEST(no_more_than_16_mib_are_written_behind),
		TEST(a_filemark_waits_for_what_is_written_behind),
		TEST(what_fails_behind_is_a_deferred_error_of_the_next_command),
		TEST(a_host_that_leaves_leaves_its_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

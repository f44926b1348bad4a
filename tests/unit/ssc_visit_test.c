/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The robot comes to the drive while a host writes: nothing that the host was told is written is
 * lost with the cartridge that goes.
 */
#include <semaphore.h>

#include "tests/unit/ssc_support.h"

/* A visit of the robot: it takes the cartridge when it is let go. */
struct robot {
	struct drive_job job;
	sem_t go;
	bool over;
};

static void take(struct drive *d, struct drive_job *job)
{
	sem_wait(&container_of(job, struct robot, job)->go);
	drive_eject(d);
}

static void gone(struct drive_job *job)
{
	container_of(job, struct robot, job)->over = true;
}

static void robot_comes(struct tape_rig *rig, struct robot *r)
{
	r->job = (struct drive_job){
		.run = take, .done = gone, .home = rig->r->loop, .visit = true
	};
	sem_init(&r->go, 0, 0);
	drive_submit(rig->drive, &r->job);
}

static void robot_goes(struct tape_rig *rig, struct robot *r)
{
	sem_post(&r->go);
	while (!r->over)
		loop_step(rig->r->loop);
	sem_destroy(&r->go);
}

static void a_write_that_the_robot_is_ahead_of_is_refused_and_not_lost(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct robot robot = { .over = false };
	struct scsi_task t;

	assert_good(tape_write(rig, 5000, 0));
	robot_comes(rig, &robot);
	assert_false(write_has_status(rig, &t, 5000, 1));
	robot_goes(rig, &robot);
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_CHECK_CONDITION);
	assert_int_equal(t.sense.key, SENSE_NOT_READY);
	assert_false(t.sense.deferred);
	scsi_task_release(&t);
	tape_rig_free(rig);
}

static void what_is_written_behind_goes_with_the_cartridge(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct robot robot = { .over = false };
	struct result res;
	struct scsi_task t;

	assert_good(tape_write(rig, 5000, 0));
	assert_true(write_has_status(rig, &t, 5000, 1));
	scsi_task_release(&t);
	robot_comes(rig, &robot);
	robot_goes(rig, &robot);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(RUN(rig->r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(1)));
	res = TAPE(rig, NULL, 5000, TAPE_READ(5000));
	assert_good(res);
	tape_expect_data(res, 5000, 1);
	tape_rig_free(rig);
}

/* How much room there is was known of the cartridge before. */
static void the_first_write_on_another_cartridge_waits_for_it(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct robot robot = { .over = false }, next = { .over = false };
	struct scsi_task t;

	assert_good(tape_write(rig, 5000, 0));
	robot_comes(rig, &robot);
	robot_goes(rig, &robot);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(RUN(rig->r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	next.job = (struct drive_job){ .run = take, .done = gone, .home = rig->r->loop };
	sem_init(&next.go, 0, 0);
	drive_submit(rig->drive, &next.job); /* no visit: the drive is busy alone */
	assert_false(write_has_status(rig, &t, 5000, 1));
	robot_goes(rig, &next);
	rig_wait(&t);
	scsi_task_release(&t);
	tape_rig_free(rig);
}

/* The robot changes cartridges while a command waits for its data: where the tape stands now, and
 * whose it is, the host does not know yet. */
static void change_cartridges(struct tape_rig *rig)
{
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
}

static void data_for_one_cartridge_do_not_go_on_the_next(void **state)
{
	const uint8_t cdb[] = { TAPE_WRITE(5000) };
	struct tape_rig *rig = roomy(state);
	struct scsi_task t;
	struct result res;

	assert_good(tape_write(rig, 3000, 1));
	rig_task(&t, &rig->r->nexus[0], 0, cdb, 6, SCSI_DIR_OUT, 5000);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	change_cartridges(rig);
	tape_fill(tape_data, 5000, 2);
	assert_int_equal(scsi_task_data(&t, rig_put(&t, tape_data)), SCSI_PENDING);
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_CHECK_CONDITION);
	assert_int_equal(t.sense.key, SENSE_NOT_READY);
	assert_int_equal(t.sense.asc, 0x3a00);
	scsi_task_release(&t);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	res = TAPE(rig, NULL, 5000, TAPE_READ(3000));
	assert_good(res);
	tape_expect_data(res, 3000, 1);
	tape_rig_free(rig);
}

static void data_for_one_cartridge_are_not_written_behind_those_for_the_next(void **state)
{
	const uint8_t cdb[] = { TAPE_WRITE(5000) };
	struct tape_rig *rig = roomy(state);
	struct scsi_task t;

	rig_task(&t, &rig->r->nexus[0], 0, cdb, 6, SCSI_DIR_OUT, 5000);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	change_cartridges(rig);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_good(tape_write(rig, 3000, 1));
	assert_int_equal(scsi_task_data(&t, rig_put(&t, tape_data)), SCSI_PENDING);
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_CHECK_CONDITION);
	assert_int_equal(t.sense.key, SENSE_NOT_READY);
	scsi_task_release(&t);
	tape_at(rig, 1, 0);
	tape_rig_free(rig);
}

static void an_attribute_for_one_cartridge_does_not_go_on_the_next(void **state)
{
	static const uint8_t cdb[16] = { 0x8d, [13] = 10 };
	static const uint8_t list[10] = { 0, 0, 0, 6, 0x08, 0x05, 0, 0, 1, 0x81 };
	struct tape_rig *rig = roomy(state);
	struct scsi_task t;

	rig_task(&t, &rig->r->nexus[0], 0, cdb, 16, SCSI_DIR_OUT, 10);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	change_cartridges(rig);
	assert_int_equal(scsi_task_data(&t, rig_put(&t, list)), SCSI_PENDING);
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_CHECK_CONDITION);
	assert_int_equal(t.sense.key, SENSE_NOT_READY);
	scsi_task_release(&t);
	tape_rig_free(rig);
}

/* An ORDERED command has passed the gate and waits for the one before it. */
static void a_command_that_waited_while_cartridges_changed_does_not_read_the_next(void **state)
{
	const uint8_t write[] = { TAPE_WRITE(5000) }, read[] = { TAPE_READ(3000) };
	struct tape_rig *rig = roomy(state);
	struct scsi_task first, t;

	assert_good(tape_write(rig, 3000, 1));
	rig_task(&first, &rig->r->nexus[0], 0, write, 6, SCSI_DIR_OUT, 5000);
	assert_int_equal(scsi_task_start(&first), SCSI_WANT_DATA);
	rig_task(&t, &rig->r->nexus[0], 0, read, 6, SCSI_DIR_IN, 3000);
	t.attr = TASK_ORDERED;
	assert_int_equal(scsi_task_start(&t), SCSI_PENDING);
	change_cartridges(rig);
	assert_int_equal(scsi_task_data(&first, rig_put(&first, tape_data)), SCSI_PENDING);
	rig_wait(&first);
	scsi_task_release(&first);
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_CHECK_CONDITION);
	assert_int_equal(t.sense.key, SENSE_NOT_READY);
	assert_int_equal(t.sense.asc, 0x3a00);
	scsi_task_release(&t);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_write_that_the_robot_is_ahead_of_is_refused_and_not_lost),
		TEST(what_is_written_behind_goes_with_the_cartridge),
		TEST(the_first_write_on_another_cartridge_waits_for_it),
		TEST(data_for_one_cartridge_do_not_go_on_the_next),
		TEST(data_for_one_cartridge_are_not_written_behind_those_for_the_next),
		TEST(an_attribute_for_one_cartridge_does_not_go_on_the_next),
		TEST(a_command_that_waited_while_cartridges_changed_does_not_read_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_write_that_the_robot_is_ahead_of_is_refused_and_not_lost),
		TEST(what_is_written_behind_goes_with_the_cartridge),
		TEST(the_first_write_on_another_cartridge_waits_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Task management functions on one loop: whose tasks end, what is undone, who is told. */
#include "tests/unit/scsi_support.h"

/* A transport with one task for each nexus, which waits for its data. */
static struct scsi_task waiting[RIG_NEXUSES];
static bool has_task[RIG_NEXUSES];
static bool told[RIG_NEXUSES];
static struct rig *rig;
static unsigned done;

static void abort_tasks(struct nexus *n, struct lu_abort *a)
{
	unsigned i = (unsigned)(n - rig->nexus);

	assert_ptr_equal(a->lu, rig->lu);
	if (has_task[i] && lu_abort_concerns(a, waiting[i].lun)) {
		assert_true(scsi_task_abort(&waiting[i]));
		scsi_task_release(&waiting[i]);
		has_task[i] = false;
		told[i] = a->tell;
	}
	lu_abort_done(a);
}

static const struct nexus_ops ops = { .abort_tasks = abort_tasks };

static void count_done(struct lu_function_req *r)
{
	(void)r;
	done++;
}

static int setup(void **state)
{
	rig = rig_create((struct rig_cfg){ .removable = true });
	*state = rig;
	done = 0;
	for (unsigned i = 0; i < RIG_NEXUSES; i++) {
		rig->nexus[i].ops = &ops;
		rig_task(&waiting[i], &rig->nexus[i], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10,
			SCSI_DIR_OUT, 512);
		assert_int_equal(scsi_task_start(&waiting[i]), SCSI_WANT_DATA);
		has_task[i] = true;
		told[i] = false;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_NEXUSES; i++)
		if (has_task[i])
			scsi_task_release(&waiting[i]);
	rig_free(rig);
	return 0;
}

static void function(enum lu_function f)
{
	struct lu_function_req r = {
		.nexus = &rig->nexus[0], .lun = 0, .function = f, .done = count_done
	};

	lu_function(&r);
	while (!done)
		loop_step(rig->loop);
	assert_int_equal(done, 1);
	assert_false(r.no_lun);
	assert_false(r.failed);
}

static void abort_task_set_ends_own_tasks_only(void **state)
{
	(void)state;
	function(LU_ABORT_TASK_SET);
	assert_false(has_task[0]);
	assert_true(has_task[1]);
	assert_good(RUN(rig, 0, NULL, 0, TUR));
	assert_good(RUN(rig, 1, NULL, 0, TUR));
}

static void clear_task_set_ends_everybodys_and_they_are_told(void **state)
{
	(void)state;
	function(LU_CLEAR_TASK_SET);
	assert_false(has_task[0]);
	assert_false(has_task[1]);
	assert_false(told[0]);
	assert_true(told[1]);
	assert_good(RUN(rig, 1, NULL, 0, TUR));
}

static void without_tas_others_learn_it_by_an_attention(void **state)
{
	static const uint8_t control[] = { 0, 0, 0, 0, 0x0a, 0x0a, 2, 0x10, 0, 0, 0, 0, 0xff, 0xff,
		0, 0 };

	(void)state;
	assert_good(RUN(rig, 1, control, 16, 0x15, 0x10, 0, 0, 16, 0));
	function(LU_CLEAR_TASK_SET);
	assert_false(told[1]);
	assert_check(RUN(rig, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2f00);
	assert_check(RUN(rig, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a01);
	assert_good(RUN(rig, 0, NULL, 0, TUR));
}

static void who_had_no_tasks_is_not_told(void **state)
{
	static const uint8_t control[] = { 0, 0, 0, 0, 0x0a, 0x0a, 2, 0x10, 0, 0, 0, 0, 0xff, 0xff,
		0, 0 };

	(void)state;
	assert_good(RUN(rig, 1, control, 16, 0x15, 0x10, 0, 0, 16, 0));
	scsi_task_release(&waiting[1]);
	has_task[1] = false;
	function(LU_CLEAR_TASK_SET);
	assert_good(RUN(rig, 1, NULL, 0, TUR));
}

static void a_reset_is_told_to_all(void **state)
{
	(void)state;
	function(LU_RESET);
	assert_false(has_task[0]);
	assert_false(has_task[1]);
	for (unsigned i = 0; i < 2; i++) {
		assert_check(RUN(rig, i, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2903);
		assert_good(RUN(rig, i, NULL, 0, TUR));
	}
}

static void a_unit_at_two_luns_tells_at_both(void **state)
{
	const struct lun_entry e[] = { { 0, rig->lu }, { 5, rig->lu } };
	const uint8_t tur[6] = { TUR };
	struct lun_map *map;

	(void)state;
	assert_int_equal(lun_map_create(e, 2, &map), 0);
	assert_int_equal(nexus_remap(&rig->nexus[1], map), 0);
	lun_map_unref(map);
	for (unsigned i = 0; i < 2; i++) /* POWER ON at the new LUN, REPORTED LUNS CHANGED */
		assert_int_equal(rig_run(&rig->nexus[1], UINT64_C(5) << 48, tur, 6, NULL, 0).status,
			SCSI_CHECK_CONDITION);
	function(LU_RESET);
	for (uint64_t lun = 0; lun <= 5; lun += 5) {
		assert_check(rig_run(&rig->nexus[1], lun << 48, tur, 6, NULL, 0),
			SENSE_UNIT_ATTENTION, 0x2903);
		assert_good(rig_run(&rig->nexus[1], lun << 48, tur, 6, NULL, 0));
	}
}

static void a_target_reset_is_told_to_all(void **state)
{
	(void)state;
	function(LU_TARGET_RESET);
	for (unsigned i = 0; i < 2; i++) {
		assert_check(RUN(rig, i, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2902);
		assert_good(RUN(rig, i, NULL, 0, TUR));
	}
}

static void a_reset_undoes_reservation_mode_pages_and_prevention(void **state)
{
	static const uint8_t swp[] = { 0, 0, 0, 0, 0x0a, 0x0a, 2, 0x10, 8, 0x40, 0, 0, 0xff, 0xff,
		0, 0 };
	static const uint8_t block[512];

	(void)state;
	assert_good(RUN(rig, 1, swp, 16, 0x15, 0x10, 0, 0, 16, 0));
	assert_good(RUN(rig, 1, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	assert_good(RUN(rig, 1, NULL, 0, 0x16, 0, 0, 0, 0, 0));
	function(LU_RESET);
	assert_check(RUN(rig, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2903);
	assert_check(RUN(rig, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a01);
	assert_good(RUN(rig, 0, block, 512, WRITE10(0, 1)));
	assert_good(RUN(rig, 0, NULL, 0, 0x1b, 0, 0, 0, 2, 0));
}

static void a_lun_without_unit_is_answered(void **state)
{
	struct lu_function_req r = { .nexus = &rig->nexus[0],
		.lun = UINT64_C(9) << 48,
		.function = LU_RESET,
		.done = count_done };

	(void)state;
	lu_function(&r);
	assert_int_equal(done, 1);
	assert_true(r.no_lun);
	assert_true(has_task[0]);
}

static unsigned closed;

static void count_closed(struct nexus *n)
{
	(void)n;
	closed++;
}

static void a_nexus_stays_until_the_messages_to_it_have_come(void **state)
{
	struct lu_function_req r = {
		.nexus = &rig->nexus[0], .function = LU_RESET, .done = count_done
	};

	(void)state;
	scsi_task_release(&waiting[1]);
	has_task[1] = false;
	closed = 0;
	lu_function(&r);
	nexus_close(&rig->nexus[1], count_closed);
	rig->nexus[1].initiator = NULL;
	assert_int_equal(closed, 0);
	while (!closed || !done)
		loop_step(rig->loop);
	assert_int_equal(closed, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(abort_task_set_ends_own_tasks_only),
		T(clear_task_set_ends_everybodys_and_they_are_told),
		T(without_tas_others_learn_it_by_an_attention),
		T(who_had_no_tasks_is_not_told),
		T(a_reset_is_told_to_all),
		T(a_unit_at_two_luns_tells_at_both),
		T(a_target_reset_is_told_to_all),
		T(a_reset_undoes_reservation_mode_pages_and_prevention),
		T(a_lun_without_unit_is_answered),
		T(a_nexus_stays_until_the_messages_to_it_have_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

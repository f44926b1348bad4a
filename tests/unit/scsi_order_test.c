/* SPDX-License-Identifier: BSD-2-Clause */
/* Task attributes: what waits for what within a nexus. */
#include "tests/unit/scsi_support.h"

static struct rig *rig;
static uint8_t data[1024];

/* The names of tasks in the order in which they ended. */
static char ended[16];

static int setup(void **state)
{
	rig = rig_create((struct rig_cfg){ .faulty = true });
	*state = rig;
	memset(ended, 0, sizeof(ended));
	fault_set(rig->store, &(struct fault_cfg){ .delay_ms = 5, .seed = 9 });
	return 0;
}

struct named {
	struct scsi_task t;
	char name;
};

static void note_end(struct scsi_task *t)
{
	ended[strlen(ended)] = container_of(t, struct named, t)->name;
	t->done = NULL;
}

static enum scsi_next begin(
	struct named *n, char name, uint8_t attr, const uint8_t *cdb, unsigned dir)
{
	rig_task(&n->t, &rig->nexus[0], 0, cdb, 10, dir, 512);
	n->t.done = note_end;
	n->t.attr = attr;
	n->name = name;
	return scsi_task_start(&n->t);
}

/* A READ, which takes time. */
static void reads(struct named *n, char name, uint8_t attr)
{
	assert_int_equal(
		begin(n, name, attr, (const uint8_t[]){ READ10(0, 1) }, SCSI_DIR_IN), SCSI_PENDING);
}

static void wants(struct named *n, char name, uint8_t attr)
{
	assert_int_equal(begin(n, name, attr, (const uint8_t[]){ WRITE10(0, 1) }, SCSI_DIR_OUT),
		SCSI_WANT_DATA);
}

static void gets(struct named *n)
{
	assert_int_equal(scsi_task_data(&n->t, rig_put(&n->t, data)), SCSI_PENDING);
}

static void end(struct named *n)
{
	if (n->t.done)
		rig_wait(&n->t);
	assert_int_equal(n->t.status, SCSI_GOOD);
	scsi_task_release(&n->t);
}

static void an_ordered_task_is_behind_all_before_it_and_before_all_behind_it(void **state)
{
	struct named n[6];

	(void)state;
	reads(&n[0], 'a', TASK_SIMPLE);
	reads(&n[1], 'b', TASK_SIMPLE);
	reads(&n[2], 'O', TASK_ORDERED);
	reads(&n[3], 'P', TASK_ORDERED);
	reads(&n[4], 'c', TASK_SIMPLE);
	reads(&n[5], 'd', TASK_UNTAGGED);
	for (unsigned i = 0; i < 6; i++)
		end(&n[i]);
	assert_true(strchr(ended, 'O') == ended + 2);
	assert_true(strchr(ended, 'P') == ended + 3);
	assert_int_equal(strlen(ended), 6);
}

static void a_head_of_queue_task_waits_for_nobody(void **state)
{
	struct named first, ordered, head;

	(void)state;
	wants(&first, 'a', TASK_SIMPLE);
	reads(&ordered, 'O', TASK_ORDERED);
	reads(&head, 'H', TASK_HEAD_OF_QUEUE);
	end(&head);
	assert_string_equal(ended, "H");
	gets(&first);
	end(&first);
	end(&ordered);
	assert_string_equal(ended, "HaO");
}

static void data_are_taken_before_it_is_a_writes_turn(void **state)
{
	struct named first, ordered, after;

	(void)state;
	wants(&first, 'a', TASK_SIMPLE);
	wants(&ordered, 'O', TASK_ORDERED);
	wants(&after, 'b', TASK_SIMPLE);
	memset(data, 'b', 512);
	gets(&after);
	memset(data, 'O', 512);
	gets(&ordered);
	memset(data, 'a', 512);
	gets(&first);
	end(&after);
	end(&ordered);
	end(&first);
	assert_string_equal(ended, "aOb");
	assert_good(RUN(rig, 0, NULL, 512, READ10(0, 1)));
	assert_int_equal(rig_in[0], 'b');
}

static void a_write_that_waits_does_not_touch_the_medium(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct scsi_task first, ordered;

	(void)state;
	rig_task(
		&first, &r->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&first), SCSI_WANT_DATA);
	assert_int_equal(first.out_unit, 512);
	rig_task(&ordered, &r->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT,
		512);
	ordered.attr = TASK_ORDERED;
	assert_int_equal(scsi_task_start(&ordered), SCSI_WANT_DATA);
	assert_int_equal(ordered.out_unit, 0);
	memset(data, 'O', 512);
	assert_int_equal(scsi_task_data(&ordered, rig_put(&ordered, data)), SCSI_PENDING);
	memset(data, 'a', 512);
	assert_int_equal(scsi_task_data(&first, rig_put(&first, data)), SCSI_DONE);
	scsi_task_release(&first);
	rig_wait(&ordered);
	scsi_task_release(&ordered);
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	assert_int_equal(rig_in[0], 'O');
	rig_free(r);
}

static void an_ordered_task_alone_begins_at_once(void **state)
{
	struct named n;

	(void)state;
	reads(&n, 'O', TASK_ORDERED);
	end(&n);
	assert_int_equal(begin(&n, 'T', TASK_ORDERED, (const uint8_t[10]){ TUR }, 0), SCSI_DONE);
	scsi_task_release(&n.t);
}

static void a_list_that_never_comes_ends_the_command(void **state)
{
	struct named first, select;

	(void)state;
	wants(&first, 'a', TASK_SIMPLE);
	rig_task(&select.t, &rig->nexus[0], 0, (const uint8_t[]){ 0x15, 0x10, 0, 0, 16, 0 }, 6, 0,
		0);
	select.t.attr = TASK_ORDERED;
	select.t.done = note_end;
	select.name = 'S';
	assert_int_equal(scsi_task_start(&select.t), SCSI_PENDING);
	gets(&first);
	end(&first);
	rig_wait(&select.t);
	assert_int_equal(select.t.sense.asc, 0x1a00);
	scsi_task_release(&select.t);
}

static void one_that_waits_is_aborted_at_once_and_lets_others_go_on(void **state)
{
	struct named first, ordered, after;

	(void)state;
	wants(&first, 'a', TASK_SIMPLE);
	reads(&ordered, 'O', TASK_ORDERED);
	reads(&after, 'b', TASK_SIMPLE);
	assert_true(scsi_task_abort(&ordered.t));
	scsi_task_release(&ordered.t);
	end(&after);
	assert_true(scsi_task_abort(&first.t));
	scsi_task_release(&first.t);
	assert_string_equal(ended, "b");
}

static void an_ordered_one_that_waits_for_data_is_aborted_too(void **state)
{
	struct named ordered, after;

	(void)state;
	wants(&ordered, 'O', TASK_ORDERED);
	reads(&after, 'b', TASK_SIMPLE);
	assert_true(scsi_task_abort(&ordered.t));
	scsi_task_release(&ordered.t);
	end(&after);
}

static void aca_is_not_there(void **state)
{
	struct named n;

	(void)state;
	assert_int_equal(begin(&n, 'A', TASK_ACA, (const uint8_t[10]){ TUR }, 0), SCSI_DONE);
	assert_int_equal(n.t.status, SCSI_CHECK_CONDITION);
	assert_int_equal(n.t.sense.asc, 0x4900);
	scsi_task_release(&n.t);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_ordered_task_is_behind_all_before_it_and_before_all_behind_it),
		T(a_head_of_queue_task_waits_for_nobody),
		T(data_are_taken_before_it_is_a_writes_turn),
		cmocka_unit_test(a_write_that_waits_does_not_touch_the_medium),
		T(an_ordered_task_alone_begins_at_once),
		T(a_list_that_never_comes_ends_the_command),
		T(one_that_waits_is_aborted_at_once_and_lets_others_go_on),
		T(an_ordered_one_that_waits_for_data_is_aborted_too),
		T(aca_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

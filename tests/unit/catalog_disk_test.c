/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalog on a disk that is full or fails: the request fails with the error, nothing of it is
 * done, nothing before it is lost, and others that shared its transaction do not suffer.
 */
#include "catalog_number.h"

#include <semaphore.h>

#include "catalog/audit.h"
#include "catalog_steps.h"

/* The number that the catalog has, in both places. */
static int number_of(struct rig *rig)
{
	struct numbers n = { .secret = "0", .setting = "0" };

	assert_int_equal(rig_run(rig, get_numbers, &n), 0);
	assert_string_equal(n.secret, n.setting);
	return atoi(n.secret);
}

static int put_as(struct rig *rig, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	return rig_run(rig, put_number, text);
}

/* --- the n-th step fails -------------------------------------------------------------------- */

/* A put with a fault at every step that it takes, until it takes no more. */
static void put_with_faults(struct rig *rig, enum step_fault fault, int error)
{
	int number = 1;
	bool reached = true;

	assert_int_equal(put_as(rig, number), 0);
	for (int at = 1; reached; at++) {
		int err;

		steps_begin(fault, at, error);
		err = put_as(rig, number + 1);
		reached = steps_end();
		assert_true(err == 0 || err == -error);
		if (!err)
			number++;
		else
			assert_true(strlen(rig->why.text) > 0);
		assert_int_equal(number_of(rig), number);
	}
	assert_int_equal(put_as(rig, ++number), 0);
	rig_reopen(rig);
	assert_int_equal(number_of(rig), number);
}

static void a_write_that_fails_once_changes_nothing(void **state)
{
	put_with_faults(*state, STEP_FAILS_ONCE, EIO);
}

static void a_disk_that_fails_for_good_changes_nothing(void **state)
{
	put_with_faults(*state, STEP_FAILS_FROM_NOW_ON, EIO);
}

static void a_disk_that_fills_up_changes_nothing(void **state)
{
	put_with_faults(*state, STEP_FAILS_FROM_NOW_ON, ENOSPC);
}

/* --- a start -------------------------------------------------------------------------------- */

static void a_start_that_fails_at_any_step_can_be_repeated(void **state)
{
	struct rig *rig = *state;
	bool reached = true;

	assert_int_equal(put_as(rig, 7), 0);
	rig_close(rig);
	for (int at = 1; reached; at++) {
		int err;

		steps_begin(STEP_FAILS_FROM_NOW_ON, at, EIO);
		err = rig_open(rig);
		reached = steps_end();
		if (!err)
			rig_close(rig);
		assert_int_equal(rig_open(rig), 0);
		assert_int_equal(number_of(rig), 7);
		rig_close(rig);
	}
}

/* --- a change of the key -------------------------------------------------------------------- */

static void a_change_of_key_that_fails_at_any_step_loses_nothing(void **state)
{
	struct rig *rig = *state;
	bool reached = true;

	assert_int_equal(put_as(rig, 7), 0);
	for (int at = 1; reached; at++) {
		steps_begin(STEP_FAILS_FROM_NOW_ON, at, EIO);
		rig_rekey(rig, NULL);
		reached = steps_end();
		assert_int_equal(number_of(rig), 7);
		if (at % 2) /* the next one goes on from what this one left, or from a start */
			rig_reopen(rig);
		assert_int_equal(number_of(rig), 7);
	}
	assert_int_equal(rig_rekey(rig, NULL), 0);
	rig_reopen(rig);
	assert_int_equal(number_of(rig), 7);
}

/* --- full ----------------------------------------------------------------------------------- */

/* A request of a batch: it puts a setting of a size. */
struct putter {
	struct catalog_request request;
	struct loop *loop;
	unsigned *left;
	char name[8];
	size_t size;
};

static int putter_run(struct catalog_request *r, struct catalog_tx *tx)
{
	struct putter *p = container_of(r, struct putter, request);
	char *value = malloc(p->size + 1);
	int err;

	assert_non_null(value);
	memset(value, 'x', p->size);
	value[p->size] = '\0';
	err = catalog_setting_put(tx, p->name, value);
	free(value);
	return err;
}

static void putter_done(struct catalog_request *r)
{
	struct putter *p = container_of(r, struct putter, request);

	if (--*p->left == 0)
		loop_stop(p->loop);
}

/* Holds the catalog's thread until the batch is complete. */
struct gate {
	struct catalog_request request;
	bool passed; /* it is run again where its transaction is lost */
	sem_t open;
};

static int gate_run(struct catalog_request *r, struct catalog_tx *tx)
{
	struct gate *g = container_of(r, struct gate, request);

	(void)tx;
	if (!g->passed)
		sem_wait(&g->open);
	g->passed = true;
	return 0;
}

static void gate_done(struct catalog_request *r)
{
	(void)r;
}

#define PUTTERS 5

static void a_request_that_is_too_large_for_the_disk_fails_alone(void **state)
{
	struct rig *rig = *state;
	struct gate gate = { .request = { .run = gate_run, .done = gate_done } };
	struct putter p[PUTTERS];
	unsigned left = PUTTERS;

	assert_int_equal(put_as(rig, 7), 0);
	sem_init(&gate.open, 0, 0);
	gate.request.home = rig->loop;
	catalog_submit(rig->catalog, &gate.request);
	steps.room = 512 * 1024;
	for (size_t i = 0; i < PUTTERS; i++) {
		p[i] = (struct putter){
			.request = { .run = putter_run, .done = putter_done, .home = rig->loop },
			.loop = rig->loop,
			.left = &left,
			.size = i == 2 ? 8 << 20 : 100
		};
		snprintf(p[i].name, sizeof(p[i].name), "p%zu", i);
		catalog_submit(rig->catalog, &p[i].request);
	}
	sem_post(&gate.open);
	loop_run(rig->loop);
	steps.room = 0;
	for (size_t i = 0; i < PUTTERS; i++)
		assert_int_equal(p[i].request.err, i == 2 ? -ENOSPC : 0);
	assert_non_null(strstr(p[2].request.why.text, "full"));
	sem_destroy(&gate.open);
	rig_reopen(rig);
	assert_int_equal(number_of(rig), 7);
	rig_close(rig);
	assert_int_equal(
		rig_sql(rig, "SELECT count(*) FROM setting WHERE name LIKE 'p%'"), PUTTERS - 1);
}

static void a_full_disk_is_no_obstacle_once_there_is_room_again(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(put_as(rig, 7), 0);
	steps_begin(STEP_FAILS_FROM_NOW_ON, 1, ENOSPC);
	assert_int_equal(put_as(rig, 8), -ENOSPC);
	assert_int_equal(put_as(rig, 9), -ENOSPC);
	assert_int_equal(number_of(rig), 7);
	steps_end();
	assert_int_equal(put_as(rig, 10), 0);
	assert_int_equal(number_of(rig), 10);
}

/* It does not look at what the call gave. */
static int put_blindly(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	catalog_setting_put(tx, "number", "1");
	for (unsigned i = 0; i < 200; i++) {
		char name[16];
		static char value[64 * 1024];

		memset(value, 'x', sizeof(value) - 1);
		snprintf(name, sizeof(name), "blind%u", i);
		catalog_setting_put(tx, name, value);
	}
	return 0;
}

static void what_is_stored_in_a_file_that_is_gone_is_not_called_stored(void **state)
{
	struct rig *rig = *state;
	char file[128], away[128];

	snprintf(file, sizeof(file), "%s/catalog.db", rig->path);
	snprintf(away, sizeof(away), "%s/catalog.away", rig->path);
	assert_int_equal(put_as(rig, 1), 0);
	assert_int_equal(rename(file, away), 0);
	assert_int_equal(put_as(rig, 2), -ESTALE);
	assert_non_null(strstr(rig->why.text, "moved, removed or replaced"));
	assert_int_equal(rename(away, file), 0);
	assert_int_equal(put_as(rig, 3), 0);
	rig_reopen(rig);
	assert_int_equal(number_of(rig), 3);
}

static void a_request_that_overlooks_an_error_fails_all_the_same(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(put_as(rig, 7), 0);
	steps.room = 512 * 1024;
	assert_int_equal(rig_run(rig, put_blindly, NULL), -ENOSPC);
	steps.room = 0;
	assert_int_equal(number_of(rig), 7);
}

#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin_open, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISK_TEST(a_write_that_fails_once_changes_nothing),
		DISK_TEST(a_disk_that_fails_for_good_changes_nothing),
		DISK_TEST(a_disk_that_fills_up_changes_nothing),
		DISK_TEST(a_start_that_fails_at_any_step_can_be_repeated),
		DISK_TEST(a_change_of_key_that_fails_at_any_step_loses_nothing),
		DISK_TEST(a_request_that_is_too_large_for_the_disk_fails_alone),
		DISK_TEST(a_full_disk_is_no_obstacle_once_there_is_room_again),
		DISK_TEST(what_is_stored_in_a_file_that_is_gone_is_not_called_stored),
		DISK_TEST(a_request_that_overlooks_an_error_fails_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

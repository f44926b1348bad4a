/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape library's archive, and its restarts: what was under way when it ended is gone on with, or taken
 * back, and no cartridge is lost.
 */
#include "library_support.h"

/* --- the archive ------------------------------------------------------------------- */

static void cartridge_goes_to_the_archive_and_comes_back(void **state)
{
	struct shop *s = *state;
	struct library_request r;

	shop_add(s, "AAA001L5", SLOT(2));
	assert_int_equal(shop_do(s, LIBRARY_ARCHIVE, "AAA001L5"), LIBRARY_OK);
	assert_at(s, SLOT(2), "");
	shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
	assert_true(shop_archived(s, "AAA001L5"));
	assert_false(shop_has(s, "tapes/AAA001L5"));
	assert_true(shop_row(s, "AAA001L5").archived > 0);
	assert_int_equal(shop_do(s, LIBRARY_ARCHIVE, "AAA001L5"), LIBRARY_ARCHIVED);
	shop_restart(s);
	r = shop_ask(s, (struct library_request){ .op = LIBRARY_RETRIEVE,
				.barcode = "AAA001L5",
				.write_protect = true,
				.retrieved_to = "sgw-1" });
	assert_int_equal(r.result, LIBRARY_OK);
	assert_int_equal(r.place.kind, CATALOG_IN_SLOT);
	shop_until(s, "AAA001L5", LIBRARY_STATE_RETRIEVED);
	assert_at(s, SLOT(0), "AAA001L5");
	assert_true(shop_element(s, SLOT(0)).write_protect);
	assert_string_equal(shop_row(s, "AAA001L5").retrieved_to, "sgw-1");
	assert_true(shop_has(s, "tapes/AAA001L5/p0"));
	assert_int_equal(shop_do(s, LIBRARY_RETRIEVE, "AAA001L5"), LIBRARY_NOT_ARCHIVED);
}

static void slot_is_kept_for_what_comes_back(void **state)
{
	struct shop *s = *state;
	struct shop_request back = { .r = { .op = LIBRARY_RETRIEVE,
					     .barcode = "AAA001L5",
					     .where = LIBRARY_AT,
					     .to = SLOT(0),
					     .done = shop_answered,
					     .home = s->rig.loop } };
	struct shop_request in_between = { .r = { .op = LIBRARY_MOVE,
						   .from = SLOT(1),
						   .to = SLOT(0),
						   .done = shop_answered,
						   .home = s->rig.loop } };

	shop_add(s, "AAA001L5", SLOT(0));
	shop_add(s, "AAA002L5", SLOT(1));
	shop_do(s, LIBRARY_ARCHIVE, "AAA001L5");
	shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
	library_submit(s->l, &back.r);
	library_submit(s->l, &in_between.r);
	while (!in_between.done)
		loop_step(s->rig.loop);
	assert_int_equal(back.r.result, LIBRARY_OK);
	assert_int_equal(in_between.r.result, LIBRARY_KEPT);
	shop_until(s, "AAA001L5", LIBRARY_STATE_AVAILABLE);
	assert_at(s, SLOT(0), "AAA001L5");
}

static void archived_cartridge_is_removed_with_its_files(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_do(s, LIBRARY_ARCHIVE, "AAA001L5");
	shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
	assert_int_equal(shop_do(s, LIBRARY_REMOVE, "AAA001L5"), LIBRARY_OK);
	assert_false(shop_has(s, "archive/AAA001L5"));
	assert_false(library_tape(s->l, "AAA001L5", NULL, NULL));
}

static void cartridge_that_cannot_be_archived_comes_back(void **state)
{
	struct shop *s = *state;
	char path[128];

	shop_add(s, "AAA001L5", SLOT(3));
	snprintf(path, sizeof(path), "%s/AAA001L5", s->archive);
	assert_int_equal(cartridge_create(path, &(struct cartridge_cfg){ .barcode = "AAA001L5",
							.media = media_generation(4),
							.capacity = SHOP_SIZE }),
		0);
	assert_int_equal(shop_do(s, LIBRARY_ARCHIVE, "AAA001L5"), LIBRARY_OK);
	shop_until(s, "AAA001L5", LIBRARY_STATE_AVAILABLE);
	assert_at(s, SLOT(3), "AAA001L5");
	assert_true(shop_has(s, "tapes/AAA001L5/p0"));
}

static void submit(struct shop *s, struct shop_request *q, enum library_op op, const char *barcode)
{
	*q = (struct shop_request){
		.r = { .op = op, .barcode = barcode, .done = shop_answered, .home = s->rig.loop }
	};
	library_submit(s->l, &q->r);
}

static void wait_for(struct shop *s, const struct shop_request *q)
{
	while (!q->done)
		loop_step(s->rig.loop);
}

/* Whether the copy was stopped or had arrived, it is back in the end. */
static void archiving_is_taken_back(void **state)
{
	struct shop *s = *state;
	struct shop_request leave, back;

	shop_add(s, "AAA001L5", SLOT(3));
	for (unsigned int i = 0; i < 10; i++) {
		submit(s, &leave, LIBRARY_ARCHIVE, "AAA001L5");
		submit(s, &back, LIBRARY_CANCEL, "AAA001L5");
		wait_for(s, &back);
		assert_int_equal(leave.r.result, LIBRARY_OK);
		assert_int_equal(back.r.result, LIBRARY_OK);
		shop_until(s, "AAA001L5", LIBRARY_STATE_AVAILABLE);
		assert_at(s, SLOT(3), "AAA001L5");
		assert_true(shop_has(s, "tapes/AAA001L5/p0"));
		assert_false(shop_archived(s, "AAA001L5"));
	}
	shop_restart(s);
	assert_at(s, SLOT(3), "AAA001L5");
}

static void retrieval_is_taken_back(void **state)
{
	struct shop *s = *state;
	struct shop_request leave, back, again;

	shop_add(s, "AAA001L5", SLOT(3));
	shop_do(s, LIBRARY_ARCHIVE, "AAA001L5");
	shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
	for (unsigned int i = 0; i < 10; i++) {
		submit(s, &leave, LIBRARY_RETRIEVE, "AAA001L5");
		submit(s, &back, LIBRARY_CANCEL, "AAA001L5");
		submit(s, &again, LIBRARY_CANCEL, "AAA001L5");
		wait_for(s, &back);
		wait_for(s, &again);
		assert_int_equal(leave.r.result, LIBRARY_OK);
		assert_int_equal(back.r.result, LIBRARY_OK);
		shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
		assert_int_equal(shop_element(s, SLOT(0)).full, false);
	}
	assert_int_equal(shop_do(s, LIBRARY_CANCEL, "AAA001L5"), LIBRARY_SETTLED);
	assert_int_equal(shop_do(s, LIBRARY_CANCEL, "NOTTHERE"), LIBRARY_NO_TAPE);
	assert_int_equal(shop_add(s, "AAA002L5", SLOT(0)), LIBRARY_OK); /* is not kept any more */
}

static int refuse_cancel(
	struct library_request *r, struct catalog_tx *tx, const struct catalog_tape *row)
{
	(void)r;
	(void)tx;
	assert_string_equal(row->barcode, "AAA001L5");
	return -EACCES;
}

/* Archives AAA001L5, which gets no further than being on its way. */
static void lose_the_way(struct shop *s)
{
	struct shop_request leave, back;

	shop_add(s, "AAA001L5", SLOT(3));
	submit(s, &leave, LIBRARY_ARCHIVE, "AAA001L5");
	back = (struct shop_request){ .r = { .op = LIBRARY_CANCEL,
					      .barcode = "AAA001L5",
					      .also = refuse_cancel,
					      .done = shop_answered,
					      .home = s->rig.loop } };
	library_submit(s->l, &back.r);
	wait_for(s, &back);
	assert_int_equal(back.r.result, LIBRARY_FAILED);
	assert_int_equal(back.r.err, -EACCES);
}

/* Its state is as of before; the next start finds out where the files are. */
static void way_back_that_cannot_be_remembered_is_refused(void **state)
{
	struct shop *s = *state;

	lose_the_way(s);
	shop_restart(s);
	shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
	assert_true(shop_has(s, "archive/AAA001L5/p0"));
}

static void way_that_could_not_be_remembered_is_asked_for_again(void **state)
{
	struct shop *s = *state;

	lose_the_way(s);
	assert_int_equal(shop_do(s, LIBRARY_ARCHIVE, "AAA001L5"), LIBRARY_OK);
	shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
	assert_true(shop_has(s, "archive/AAA001L5/p0"));
	assert_false(shop_has(s, "tapes/AAA001L5"));
	assert_int_equal(shop_do(s, LIBRARY_ARCHIVE, "AAA001L5"), LIBRARY_ARCHIVED);
	assert_int_equal(shop_do(s, LIBRARY_RETRIEVE, "AAA001L5"), LIBRARY_OK);
	shop_until(s, "AAA001L5", LIBRARY_STATE_AVAILABLE);
}

/* --- restarts ---------------------------------------------------------------------- */

static void everything_is_where_it_was_after_a_restart(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_add(s, "AAA002L5", SLOT(1));
	shop_add(s, "AAA003L5", MAIL(1));
	shop_move(s, SLOT(0), DRIVE(1));
	shop_move(s, SLOT(1), SLOT(5));
	shop_restart(s);
	assert_at(s, DRIVE(1), "AAA001L5");
	assert_int_equal(shop_element(s, DRIVE(1)).source, SLOT(0));
	assert_at(s, SLOT(5), "AAA002L5");
	assert_at(s, MAIL(1), "AAA003L5");
	assert_at(s, SLOT(0), "");
	/* The drive takes it up by itself, before it is asked for anything else. */
	assert_int_equal(shop_move(s, DRIVE(1), DRIVE(0)), LIBRARY_OK);
	assert_true(vtl_loaded(s->drives[0]));
}

static int set_state(struct catalog_tx *tx, void *arg)
{
	const struct catalog_tape *wanted = arg;

	return catalog_tape_put(tx, wanted);
}

/* The catalog as a crash leaves it. */
static void put_row(struct shop *s, struct catalog_tape row)
{
	assert_int_equal(rig_run(&s->rig, set_state, &row), 0);
}

static void interrupted_archiving_is_gone_on_with(void **state)
{
	struct shop *s = *state;
	struct catalog_tape row;

	shop_add(s, "AAA001L5", SLOT(2));
	row = shop_row(s, "AAA001L5");
	row.place = (struct catalog_place){ .kind = CATALOG_IN_VAULT };
	row.state = LIBRARY_STATE_ARCHIVING;
	put_row(s, row);
	shop_restart(s);
	shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
	assert_true(shop_has(s, "archive/AAA001L5"));
	assert_at(s, SLOT(2), "");
	/* … and when the files were there already. */
	row = shop_row(s, "AAA001L5");
	row.state = LIBRARY_STATE_ARCHIVING;
	put_row(s, row);
	shop_restart(s);
	shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
	assert_true(shop_has(s, "archive/AAA001L5"));
}

static void interrupted_retrieval_is_gone_on_with(void **state)
{
	struct shop *s = *state;
	struct catalog_tape row;

	shop_add(s, "AAA001L5", SLOT(2));
	shop_do(s, LIBRARY_ARCHIVE, "AAA001L5");
	shop_until(s, "AAA001L5", LIBRARY_STATE_ARCHIVED);
	row = shop_row(s, "AAA001L5");
	row.state = LIBRARY_STATE_RETRIEVING;
	put_row(s, row);
	shop_restart(s);
	shop_until(s, "AAA001L5", LIBRARY_STATE_AVAILABLE);
	assert_at(s, SLOT(0), "AAA001L5");
	assert_true(shop_has(s, "tapes/AAA001L5"));
}

static void removal_interrupted_before_the_catalog_is_taken_back(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	assert_int_equal(shelf_hide(s->path, "AAA001L5"), 0);
	shop_restart(s);
	assert_true(shop_has(s, "tapes/AAA001L5"));
	assert_int_equal(shop_move(s, SLOT(0), DRIVE(0)), LIBRARY_OK);
	assert_true(vtl_loaded(s->drives[0]));
}

static int remove_row(struct catalog_tx *tx, void *arg)
{
	return catalog_tape_remove(tx, arg);
}

static void removal_interrupted_after_the_catalog_is_finished(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	assert_int_equal(shelf_hide(s->path, "AAA001L5"), 0);
	assert_int_equal(rig_run(&s->rig, remove_row, "AAA001L5"), 0);
	shop_restart(s);
	assert_at(s, SLOT(0), "");
	assert_false(shop_has(s, "tapes/.AAA001L5.removed"));
}

static void files_made_before_a_crash_are_taken_up(void **state)
{
	struct shop *s = *state;
	struct cartridge_cfg cfg = {
		.barcode = "AAA001L5", .media = media_generation(5), .capacity = SHOP_SIZE
	};
	struct shelf_found found;

	assert_int_equal(shelf_make(s->path, &cfg, &found), 0);
	assert_true(found.made);
	shop_restart(s);
	assert_false(library_tape(s->l, "AAA001L5", NULL, NULL));
	assert_int_equal(shop_add(s, "AAA001L5", SLOT(0)), LIBRARY_OK);
}

static void library_that_shrank_finds_room_for_all(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(4));
	shop_add(s, "AAA002L5", SLOT(0));
	shop_add(s, "AAA003L5", SLOT(5));
	shop_add(s, "AAA004L5", MAIL(1));
	s->cfg.slots = 2;
	s->cfg.mail_slots = 1;
	shop_restart(s);
	assert_at(s, SLOT(0), "AAA002L5");
	assert_at(s, SLOT(1), "AAA001L5");
	assert_at(s, MAIL(0), "AAA003L5");
	shop_until(s, "AAA004L5", LIBRARY_STATE_ARCHIVED);
	s->cfg.slots = SHOP_SLOTS;
	shop_restart(s);
	assert_at(s, SLOT(1), "AAA001L5");
}

static void other_librarys_cartridges_are_not_its_own(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	s->cfg.name = "vtl1";
	shop_restart(s);
	assert_at(s, SLOT(0), "");
	assert_int_equal(shop_add(s, "AAA001L5", SLOT(0)), LIBRARY_EXISTS);
	s->cfg.name = "vtl0";
	shop_restart(s);
	assert_at(s, SLOT(0), "AAA001L5");
}

static void requests_before_loading_and_after_closing_are_refused(void **state)
{
	struct shop *s = *state;
	struct shop_request early = { .r = { .op = LIBRARY_MOVE,
					      .from = SLOT(0),
					      .to = SLOT(1),
					      .done = shop_answered,
					      .home = s->rig.loop } };
	struct shop_request late = early;
	struct shop_request in_time = early;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_close(s);
	shop_open(s);
	library_submit(s->l, &in_time.r);
	library_unlisten(s->l, &s->ears);
	library_close(s->l, shop_closed, s);
	library_submit(s->l, &late.r);
	shop_wait(s);
	while (!late.done || !in_time.done)
		loop_step(s->rig.loop);
	assert_int_equal(in_time.r.result, LIBRARY_OK);
	assert_int_equal(late.r.result, LIBRARY_CLOSING);
	assert_int_equal(library_create(&s->cfg, &s->l), 0);
	library_submit(s->l, &early.r);
	while (!early.done)
		loop_step(s->rig.loop);
	assert_int_equal(early.r.result, LIBRARY_CLOSING);
	library_listen(s->l, &s->ears);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, shop_begin, shop_end)
#define FAR(name) \
	{ \
#name "_far", name, shop_begin_far, shop_end_far, NULL \
	}
	const struct CMUnitTest tests[] = {
		T(cartridge_goes_to_the_archive_and_comes_back),
		T(slot_is_kept_for_what_comes_back),
		T(archived_cartridge_is_removed_with_its_files),
		T(cartridge_that_cannot_be_archived_comes_back),
		T(archiving_is_taken_back),
		T(retrieval_is_taken_back),
		FAR(archiving_is_taken_back),
		FAR(retrieval_is_taken_back),
		FAR(cartridge_goes_to_the_archive_and_comes_back),
		T(way_back_that_cannot_be_remembered_is_refused),
		T(way_that_could_not_be_remembered_is_asked_for_again),
		T(everything_is_where_it_was_after_a_restart),
		T(interrupted_archiving_is_gone_on_with),
		T(interrupted_retrieval_is_gone_on_with),
		T(removal_interrupted_before_the_catalog_is_taken_back),
		T(removal_interrupted_after_the_catalog_is_finished),
		T(files_made_before_a_crash_are_taken_up),
		T(library_that_shrank_finds_room_for_all),
		T(other_librarys_cartridges_are_not_its_own),
		T(requests_before_loading_and_after_closing_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drive: its queue of jobs, and what it makes of cartridges. To be run under ThreadSanitizer as
 * well.
 */
#include "vtl/drive.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/support_vtl.h"

struct site {
	struct vtl vtl; /* the first: its setup and teardown are used */
	struct loop *loop;
	struct work_pool *pool;
	struct drive *drive;
	atomic_int now, most, ran;
	int done;
	struct drive_listener listener;
	enum drive_event events[16];
	atomic_int nevents;
	atomic_bool prevents;
};

struct step {
	struct drive_job job;
	struct site *site;
	int order;
	int (*call)(struct site *s);
	int result;
};

static void changed(struct drive_listener *ls, enum drive_event event)
{
	struct site *s = container_of(ls, struct site, listener);

	s->events[atomic_fetch_add(&s->nevents, 1)] = event;
}

static bool prevents(struct drive_listener *ls)
{
	return atomic_load(&container_of(ls, struct site, listener)->prevents);
}

static struct site *site_new(struct vtl *v, unsigned int generation)
{
	struct site *s = calloc(1, sizeof(*s));
	struct drive_cfg cfg = { .generation = generation, .serial = "1068000001" };

	assert_non_null(s);
	s->vtl = *v;
	assert_int_equal(loop_create(0, &s->loop), 0);
	assert_int_equal(work_pool_create(4, &s->pool), 0);
	cfg.pool = s->pool;
	assert_int_equal(drive_create(&cfg, &s->drive), 0);
	s->listener = (struct drive_listener){ .changed = changed, .prevents = prevents };
	drive_listen(s->drive, &s->listener);
	return s;
}

static void site_free(struct site *s)
{
	drive_unlisten(s->drive, &s->listener);
	drive_free(s->drive);
	work_pool_free(s->pool);
	loop_free(s->loop);
	free(s);
}

static void told(struct drive_job *job)
{
	container_of(job, struct step, job)->site->done++;
}

static void wait_for(struct site *s, int done)
{
	while (s->done < done)
		loop_step(s->loop);
}

static void call(struct drive *d, struct drive_job *job)
{
	struct step *st = container_of(job, struct step, job);

	(void)d;
	st->result = st->call(st->site);
}

/* Runs a function as a job, and gives what it gave. */
static int in_job(struct site *s, int (*fn)(struct site *s))
{
	struct step st = { .job = { .run = call, .done = told, .home = s->loop },
		.site = s, .call = fn };
	int before = s->done;

	drive_submit(s->drive, &st.job);
	wait_for(s, before + 1);
	return st.result;
}

static int insert(struct site *s)
{
	return drive_insert(s->drive, s->vtl.path, false);
}

static int insert_protected(struct site *s)
{
	return drive_insert(s->drive, s->vtl.path, true);
}

static int eject(struct site *s)
{
	return drive_eject(s->drive);
}

static int load(struct site *s)
{
	return drive_load(s->drive);
}

static int unload(struct site *s)
{
	return drive_unload(s->drive, false);
}

static int unload_and_hold(struct site *s)
{
	return drive_unload(s->drive, true);
}

static int has_cartridge(struct site *s)
{
	return drive_cartridge(s->drive) != NULL;
}

static int has_memory(struct site *s)
{
	return drive_memory(s->drive) != NULL;
}

static int write_three_blocks(struct site *s)
{
	struct cartridge_write_how how = { 0 };
	uint8_t data[3 * 100] = { 0 };
	size_t done;

	return (int)cartridge_write(drive_cartridge(s->drive), &(struct iovec){ data, 300 }, 1, 100,
		3, &how, &done);
}

/* --- the queue ------------------------------------------------------------------------------- */

static void take_turn(struct drive *d, struct drive_job *job)
{
	struct step *st = container_of(job, struct step, job);
	struct site *s = st->site;
	int now = atomic_fetch_add(&s->now, 1) + 1;

	(void)d;
	if (now > atomic_load(&s->most))
		atomic_store(&s->most, now);
	st->order = atomic_fetch_add(&s->ran, 1);
	atomic_fetch_sub(&s->now, 1);
}

static void jobs_run_one_at_a_time_in_their_order(void **state)
{
	struct site *s = site_new(*state, 5);
	struct step st[500];

	for (int i = 0; i < 500; i++) {
		st[i] = (struct step){ .job = { .run = take_turn, .done = told, .home = s->loop },
			.site = s };
		drive_submit(s->drive, &st[i].job);
	}
	wait_for(s, 500);
	for (int i = 0; i < 500; i++)
		assert_int_equal(st[i].order, i);
	assert_int_equal(atomic_load(&s->most), 1);
	site_free(s);
}

static void wait_until_let(struct drive *d, struct drive_job *job)
{
	struct step *st = container_of(job, struct step, job);

	(void)d;
	while (!atomic_load(&st->site->prevents))
		usleep(1000);
}

static void a_job_that_waits_can_be_taken_back(void **state)
{
	struct site *s = site_new(*state, 5);
	struct step first = { .job = { .run = wait_until_let, .done = told, .home = s->loop },
		.site = s };
	struct step second = { .job = { .run = take_turn, .done = told, .home = s->loop },
		.site = s };

	drive_submit(s->drive, &first.job);
	drive_submit(s->drive, &second.job);
	assert_true(drive_cancel(s->drive, &second.job));
	assert_false(drive_cancel(s->drive, &first.job));
	atomic_store(&s->prevents, true);
	wait_for(s, 1);
	assert_int_equal(atomic_load(&s->ran), 0);
	site_free(s);
}

/* --- cartridges ------------------------------------------------------------------------------ */

static void a_drive_is_ibms_of_its_generation(void **state)
{
	struct site *s = site_new(*state, 5);

	assert_string_equal(drive_vendor(s->drive), "IBM");
	assert_string_equal(drive_product(s->drive), "ULT3580-TD5");
	assert_string_equal(drive_serial(s->drive), "1068000001");
	site_free(s);
}

static void a_drive_of_an_unknown_generation_is_refused(void **state)
{
	struct site *s = site_new(*state, 5);
	struct drive_cfg cfg = { .generation = 1, .serial = "1", .pool = s->pool };
	struct drive *d;

	assert_int_equal(drive_create(&cfg, &d), -EINVAL);
	cfg.generation = 5;
	cfg.serial = "a serial number that is longer than 32";
	assert_int_equal(drive_create(&cfg, &d), -EINVAL);
	site_free(s);
}

/* A closed LTO-6 cartridge at v->path, or another kind. */
static void shelve(struct vtl *v, struct cartridge_cfg cfg)
{
	vtl_new_from(v, cfg);
	vtl_close(v);
}

static struct cartridge_cfg lto(unsigned int generation)
{
	return (struct cartridge_cfg){ .barcode = "TEST01L6",
		.media = media_generation(generation), .capacity = 16 * VTL_MIB };
}

static void what_the_changer_inserts_is_loaded_and_told(void **state)
{
	struct drive_medium m;

	shelve(*state, lto(6));
	struct site *s = site_new(*state, 6);
	assert_false(drive_full(s->drive));
	assert_int_equal(in_job(s, insert), 0);
	assert_true(vtl_loaded(s->drive));
	assert_int_equal(s->events[0], DRIVE_INSERTED);
	drive_medium(s->drive, &m);
	assert_string_equal(m.barcode, "TEST01L6");
	assert_int_equal(m.media->generation, 6);
	assert_false(m.write_protect);
	assert_int_equal(m.partition_capacity[0], 16 * VTL_MIB);
	assert_int_equal(in_job(s, insert), -EEXIST);
	assert_int_equal(in_job(s, eject), 0);
	assert_int_equal(s->events[1], DRIVE_EJECTED);
	assert_false(drive_full(s->drive));
	assert_int_equal(in_job(s, eject), 0);
	site_free(s);
}

static void a_prevented_cartridge_stays(void **state)
{
	shelve(*state, lto(6));
	struct site *s = site_new(*state, 6);
	assert_int_equal(in_job(s, insert), 0);
	atomic_store(&s->prevents, true);
	assert_false(drive_removable(s->drive));
	assert_int_equal(in_job(s, eject), -EPERM);
	assert_true(vtl_loaded(s->drive));
	atomic_store(&s->prevents, false);
	assert_int_equal(in_job(s, eject), 0);
	site_free(s);
}

static void the_host_unloads_and_loads_what_is_in_the_drive(void **state)
{
	shelve(*state, lto(6));
	struct site *s = site_new(*state, 6);
	assert_int_equal(in_job(s, load), -ENOENT);
	assert_int_equal(in_job(s, insert), 0);
	assert_int_equal(in_job(s, unload), 0);
	assert_false(vtl_loaded(s->drive));
	assert_true(drive_full(s->drive));
	assert_int_equal(in_job(s, has_memory), 0);
	assert_int_equal(in_job(s, load), 0);
	assert_true(vtl_loaded(s->drive));
	assert_int_equal(s->events[1], DRIVE_HOST_UNLOADED);
	assert_int_equal(s->events[2], DRIVE_HOST_LOADED);
	site_free(s);
}

static void a_held_cartridge_keeps_its_memory_readable(void **state)
{
	shelve(*state, lto(6));
	struct site *s = site_new(*state, 6);
	assert_int_equal(in_job(s, insert), 0);
	assert_int_equal(in_job(s, unload_and_hold), 0);
	assert_int_equal(in_job(s, has_cartridge), 0);
	assert_int_equal(in_job(s, has_memory), 1);
	assert_int_equal(in_job(s, load), 0);
	assert_int_equal(in_job(s, has_cartridge), 1);
	site_free(s);
}

static void a_cartridge_with_damage_is_in_the_drive_unreadable(void **state)
{
	struct vtl *v = *state;
	struct drive_medium m;

	snprintf(v->path, sizeof(v->path), "%s/nothing", v->dir);
	struct site *s = site_new(v, 6);
	assert_int_equal(in_job(s, insert), -ENOENT);
	drive_medium(s->drive, &m);
	assert_int_equal(m.state, DRIVE_UNREADABLE);
	assert_int_equal(m.err, -ENOENT);
	assert_string_equal(m.barcode, "nothing");
	assert_int_equal(in_job(s, eject), 0);
	site_free(s);
}

static void a_newer_generation_is_incompatible_and_the_one_before_is_written(void **state)
{
	struct drive_medium m;

	shelve(*state, lto(6));
	struct site *s = site_new(*state, 5);
	assert_int_equal(in_job(s, insert), -EMEDIUMTYPE);
	drive_medium(s->drive, &m);
	assert_int_equal(m.state, DRIVE_INCOMPATIBLE);
	assert_int_equal(in_job(s, eject), 0);
	site_free(s);

	s = site_new(*state, 7);
	assert_int_equal(in_job(s, insert), 0);
	drive_medium(s->drive, &m);
	assert_false(m.write_protect);
	site_free(s);
}

static void a_generation_two_back_is_read_only(void **state)
{
	struct drive_medium m;

	shelve(*state, lto(5));
	struct site *s = site_new(*state, 7);
	assert_int_equal(in_job(s, insert), 0);
	drive_medium(s->drive, &m);
	assert_true(m.write_protect);
	site_free(s);
}

static void a_cleaning_cartridge_is_not_loaded(void **state)
{
	struct cartridge_cfg cfg = lto(6);
	struct drive_medium m;

	cfg.cleaning = true;
	shelve(*state, cfg);
	struct site *s = site_new(*state, 6);
	assert_int_equal(in_job(s, insert), 0);
	drive_medium(s->drive, &m);
	assert_int_equal(m.state, DRIVE_CLEANING);
	assert_int_equal(in_job(s, has_cartridge), 0);
	assert_int_equal(in_job(s, unload), 0);
	assert_int_equal(in_job(s, eject), 0);
	site_free(s);
}

static void the_tab_is_told(void **state)
{
	struct drive_medium m;

	shelve(*state, lto(6));
	struct site *s = site_new(*state, 6);
	assert_int_equal(in_job(s, insert_protected), 0);
	drive_medium(s->drive, &m);
	assert_true(m.write_protect);
	site_free(s);
}

static void the_status_follows_the_tape(void **state)
{
	struct drive_status st;

	shelve(*state, lto(6));
	struct site *s = site_new(*state, 6);
	assert_int_equal(in_job(s, insert), 0);
	assert_int_equal(in_job(s, write_three_blocks), CARTRIDGE_OK);
	drive_status(s->drive, &st);
	assert_int_equal(st.position.object, 3);
	assert_int_equal(st.load.blocks_written, 3);
	assert_int_equal(st.total.host_written, 300);
	assert_int_equal(st.usage.objects, 3);
	assert_int_equal(in_job(s, eject), 0);
	drive_status(s->drive, &st);
	assert_int_equal(st.load.blocks_written, 0);
	assert_int_equal(st.total.blocks_written, 3);
	assert_int_equal(st.loads, 1);
	site_free(s);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(jobs_run_one_at_a_time_in_their_order),
		TEST(a_job_that_waits_can_be_taken_back),
		TEST(a_drive_is_ibms_of_its_generation),
		TEST(a_drive_of_an_unknown_generation_is_refused),
		TEST(what_the_changer_inserts_is_loaded_and_told),
		TEST(a_prevented_cartridge_stays),
		TEST(the_host_unloads_and_loads_what_is_in_the_drive),
		TEST(a_held_cartridge_keeps_its_memory_readable),
		TEST(a_cartridge_with_damage_is_in_the_drive_unreadable),
		TEST(a_newer_generation_is_incompatible_and_the_one_before_is_written),
		TEST(a_generation_two_back_is_read_only),
		TEST(a_cleaning_cartridge_is_not_loaded),
		TEST(the_tab_is_told),
		TEST(the_status_follows_the_tape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

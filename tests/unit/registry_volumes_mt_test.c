/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of volumes that go wrong on the way: what they leave in the catalog, in the pool and in
 * the list. What hosts see of volumes is tested from outside, with initiators.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "registry/volumes.h"
#include "registry_server.h"

#define MADE "iqn.2026-11.com.example:made"
#define MIB  (UINT64_C(1) << 20)

static void start(struct fixture *f)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"state_dir = \"state\"; reactors = 1;\n"
		"portals = ( { address = \"127.0.0.1\"; port = %u; } );\n"
		"pools = ( { name = \"p\"; path = \"pool\"; } );\n"
		"management = { aws = { gateway = \"sgw-12A3456B\"; access_keys = ( { id = "
		"\"AKIAIOSFODNN7EXAMPLE\"; secret = \"wJalrXUtnFEMIK7MDENG\"; } );\n"
		"disks = ( { id = \"d\"; path = \"disk.img\"; } ); }; };\n",
		f->port);
	fixture_start(f, configured(&f->place, text));
}

static void restart(struct fixture *f)
{
	fixture_stop(f);
	start(f);
}

static int begin(void **state)
{
	struct fixture *f;

	if (fixture_begin(state))
		return -1;
	f = *state;
	assert_int_equal(mkdir(in(&f->place, "pool"), 0700), 0);
	start(f);
	return 0;
}

/* --- what there is -------------------------------------------------------------------------- */

static void count(void *arg, const struct registry_volume *v)
{
	(void)v;
	++*(unsigned *)arg;
}

static unsigned volumes(const struct fixture *f)
{
	unsigned n = 0;

	registry_volumes(f->r, count, &n);
	return n;
}

static void take_state(void *arg, const struct registry_volume *v)
{
	snprintf(arg, 64, "%llu MiB, %s", (unsigned long long)(v->size / MIB),
		v->attached ? "attached" : "detached");
}

static void assert_volume(const struct fixture *f, const char *expected)
{
	char is[64] = "";

	registry_volumes(f->r, take_state, is);
	assert_string_equal(is, expected);
}

static unsigned files(const struct fixture *f)
{
	DIR *d = opendir(in(&f->place, "pool"));
	unsigned n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += *e->d_name != '.';
	closedir(d);
	return n;
}

static int gather_notes(const char *name, const char *value, void *arg)
{
	(void)name;
	(void)value;
	++*(unsigned *)arg;
	return 0;
}

static int load_notes(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_load(tx, "volume-file/", gather_notes, arg);
}

static unsigned notes(const struct fixture *f)
{
	unsigned n = 0;

	assert_int_equal(catalog_run(registry_catalog(f->r), load_notes, &n, NULL), 0);
	return n;
}

/* --- changes -------------------------------------------------------------------------------- */

/* What stands in the way of a change once its row is written. */
enum obstacle { NONE, NO_DESCRIPTORS, REFUSED };

struct asked {
	enum obstacle obstacle;
	struct rlimit before;
	unsigned done, undone;
	enum registry_volume_result result;
	char id[32];
};

static int also(void *arg, struct catalog_tx *tx, const char *id, bool undo)
{
	struct asked *a = arg;

	(void)tx;
	(void)id;
	if (a->obstacle == REFUSED)
		return -EDOM;
	if (a->obstacle == NO_DESCRIPTORS && !undo) {
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &a->before), 0);
		assert_int_equal(
			setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, a->before.rlim_max }), 0);
	}
	if (a->obstacle == NO_DESCRIPTORS && undo) {
		setrlimit(RLIMIT_NOFILE, &a->before);
		a->undone++;
	}
	return 0;
}

static void take_outcome(void *arg, const struct registry_volume_outcome *o)
{
	struct asked *a = arg;

	a->result = o->result;
	if (o->volume)
		snprintf(a->id, sizeof(a->id), "%s", o->volume->id);
	a->done++;
}

static enum registry_volume_result change(
	struct fixture *f, struct asked *a, struct registry_volume_change *what)
{
	a->done = 0;
	what->also = also;
	what->who = "tester";
	what->done = take_outcome;
	what->arg = a;
	registry_volume_change(f->r, what);
	wait_for(&f->place, &a->done, 1);
	return a->result;
}

static enum registry_volume_result create(struct fixture *f, struct asked *a)
{
	return change(f, a,
		&(struct registry_volume_change){
			.verb = VOLUME_CREATE, .target = MADE, .size = 4 * MIB });
}

static void write_disk(const struct fixture *f, const char *text, off_t size)
{
	FILE *out = fopen(in(&f->place, "disk.img"), "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	fclose(out);
	assert_int_equal(truncate(in(&f->place, "disk.img"), size), 0);
}

static char first_of_disk(const struct fixture *f)
{
	FILE *is = fopen(in(&f->place, "disk.img"), "r");
	int c = is ? fgetc(is) : -1;

	assert_non_null(is);
	fclose(is);
	return (char)c;
}

static enum registry_volume_result create_on_disk(struct fixture *f, struct asked *a, bool preserve)
{
	return change(f, a,
		&(struct registry_volume_change){
			.verb = VOLUME_CREATE, .target = MADE, .disk = "d", .preserve = preserve });
}

/* --- the tests ------------------------------------------------------------------------------ */

static void a_volume_that_is_made_leaves_no_note(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };

	assert_int_equal(create(f, &a), VOLUME_DONE);
	assert_volume(f, "4 MiB, attached");
	assert_int_equal(files(f), 1);
	assert_int_equal(notes(f), 0);
}

static void a_volume_that_cannot_be_served_is_undone_whole(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .obstacle = NO_DESCRIPTORS };

	assert_int_equal(create(f, &a), VOLUME_NOT_SERVED);
	assert_int_equal(a.undone, 1);
	assert_int_equal(volumes(f), 0);
	assert_int_equal(files(f), 0);
	assert_int_equal(notes(f), 0);
	restart(f);
	assert_int_equal(volumes(f), 0);
}

static void a_volume_that_is_refused_with_its_row_leaves_no_file(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .obstacle = REFUSED };

	assert_int_equal(create(f, &a), VOLUME_NOT_STORED);
	assert_int_equal(volumes(f), 0);
	assert_int_equal(files(f), 0);
	assert_int_equal(notes(f), 0);
}

static void a_volume_that_cannot_be_attached_stays_detached(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };

	create(f, &a);
	assert_int_equal(
		change(f, &a,
			&(struct registry_volume_change){ .verb = VOLUME_DETACH, .id = a.id }),
		VOLUME_DONE);
	a.obstacle = NO_DESCRIPTORS;
	assert_int_equal(
		change(f, &a,
			&(struct registry_volume_change){
				.verb = VOLUME_ATTACH, .id = a.id, .lun = VOLUME_ANY_LUN }),
		VOLUME_NOT_SERVED);
	assert_volume(f, "4 MiB, detached");
	restart(f);
	assert_volume(f, "4 MiB, detached");
}

static void a_volume_whose_deletion_is_refused_stays_with_its_file(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };

	create(f, &a);
	a.obstacle = REFUSED;
	assert_int_equal(
		change(f, &a,
			&(struct registry_volume_change){ .verb = VOLUME_DELETE, .id = a.id }),
		VOLUME_NOT_STORED);
	assert_volume(f, "4 MiB, attached");
	assert_int_equal(files(f), 1);
	assert_int_equal(notes(f), 0);
}

static void a_volume_whose_growth_is_refused_keeps_its_size_over_a_restart(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };

	create(f, &a);
	a.obstacle = REFUSED;
	assert_int_equal(change(f, &a,
				 &(struct registry_volume_change){
					 .verb = VOLUME_RESIZE, .id = a.id, .size = 8 * MIB }),
		VOLUME_NOT_STORED);
	assert_volume(f, "4 MiB, attached");
	restart(f);
	assert_volume(f, "4 MiB, attached");
}

static int add_note(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_put(tx, arg, "p");
}

static void a_file_with_a_note_is_gone_after_the_next_start(void **state)
{
	struct fixture *f = *state;
	char left[] = "volume-file/vol-0BADF00D";
	FILE *out = fopen(in(&f->place, "pool/vol-0BADF00D.img"), "w");

	assert_non_null(out);
	fclose(out);
	assert_int_equal(catalog_run(registry_catalog(f->r), add_note, left, NULL), 0);
	restart(f);
	assert_int_equal(files(f), 0);
	assert_int_equal(notes(f), 0);
}

static void a_file_without_a_note_stays(void **state)
{
	struct fixture *f = *state;
	FILE *out = fopen(in(&f->place, "pool/vol-0BADF00D.img"), "w");

	assert_non_null(out);
	fclose(out);
	restart(f);
	assert_int_equal(files(f), 1);
}

static void a_pool_that_is_gone_is_made_again(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };

	assert_int_equal(rmdir(in(&f->place, "pool")), 0);
	assert_int_equal(create(f, &a), VOLUME_DONE);
	assert_int_equal(files(f), 1);
}

static void a_pool_that_is_no_directory_makes_nothing_and_leaves_no_note(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };

	assert_int_equal(rmdir(in(&f->place, "pool")), 0);
	assert_int_equal(symlink("/dev/null", in(&f->place, "pool")), 0);
	assert_int_equal(create(f, &a), VOLUME_NOT_MADE);
	assert_int_equal(notes(f), 0);
	assert_int_equal(volumes(f), 0);
}

static void a_disk_is_erased_unless_it_is_to_be_preserved(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };

	write_disk(f, "data", 4 * MIB);
	assert_int_equal(create_on_disk(f, &a, true), VOLUME_DONE);
	assert_int_equal(first_of_disk(f), 'd');
	assert_int_equal(create_on_disk(f, &a, true), VOLUME_DISK_TAKEN);
	change(f, &a, &(struct registry_volume_change){ .verb = VOLUME_DELETE, .id = a.id });
	assert_int_equal(first_of_disk(f), 'd');
	assert_int_equal(create_on_disk(f, &a, false), VOLUME_DONE);
	assert_int_equal(first_of_disk(f), '\0');
	assert_volume(f, "4 MiB, attached");
}

static void a_disk_that_was_to_be_erased_and_was_refused_keeps_its_data(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .obstacle = REFUSED };

	write_disk(f, "data", 4 * MIB);
	assert_int_equal(create_on_disk(f, &a, false), VOLUME_NOT_STORED);
	assert_int_equal(first_of_disk(f), 'd');
	assert_int_equal(volumes(f), 0);
}

static void a_disk_that_is_not_there_is_none(void **state)
{
	struct asked a = { 0 };

	assert_int_equal(create_on_disk(*state, &a, true), VOLUME_NO_DISK);
}

static void the_number_of_volumes_has_a_limit(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };
	struct registry_volume_change what = { .verb = VOLUME_CREATE,
		.target = MADE,
		.lun = VOLUME_ANY_LUN,
		.size = 4 * MIB,
		.most = 2 };

	assert_int_equal(change(f, &a, &what), VOLUME_DONE);
	assert_int_equal(change(f, &a, &what), VOLUME_DONE);
	assert_int_equal(change(f, &a, &what), VOLUME_TOO_MANY);
}

static void a_target_may_be_wanted_alone(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };
	struct registry_volume_change what = { .verb = VOLUME_CREATE,
		.target = MADE,
		.lun = VOLUME_ANY_LUN,
		.size = 4 * MIB,
		.alone = true };

	assert_int_equal(change(f, &a, &what), VOLUME_DONE);
	assert_int_equal(change(f, &a, &what), VOLUME_TARGET_TAKEN);
}

static void a_portal_that_is_not_there_shows_no_volume(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };
	struct registry_volume_change what = {
		.verb = VOLUME_CREATE, .target = MADE, .size = 4 * MIB, .portal = "192.0.2.1"
	};

	assert_int_equal(change(f, &a, &what), VOLUME_NO_PORTAL);
	what.portal = "127.0.0.1";
	assert_int_equal(change(f, &a, &what), VOLUME_DONE);
}

/* The answer may be either, but it is true after the next start. */
static void a_change_that_the_end_meets_half_way_is_told_what_it_has_come_to(void **state)
{
	struct fixture *f = *state;

	for (unsigned steps = 0; steps < 12; steps++) {
		struct asked a = { 0 };
		unsigned before = volumes(f);
		struct registry_volume_change what = { .verb = VOLUME_CREATE,
			.target = MADE,
			.lun = VOLUME_ANY_LUN,
			.size = MIB,
			.who = "tester",
			.done = take_outcome,
			.arg = &a };

		registry_volume_change(f->r, &what);
		for (unsigned i = 0; i < steps; i++) {
			loop_step(f->place.loop);
			poll(NULL, 0, 1);
		}
		fixture_stop(f);
		assert_int_equal(a.done, 1);
		start(f);
		assert_int_equal(volumes(f), before + (a.result == VOLUME_DONE));
		assert_int_equal(files(f), volumes(f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define VOLUME_TEST(name) cmocka_unit_test_setup_teardown(name, begin, fixture_end)
		VOLUME_TEST(a_volume_that_is_made_leaves_no_note),
		VOLUME_TEST(a_volume_that_cannot_be_served_is_undone_whole),
		VOLUME_TEST(a_volume_that_is_refused_with_its_row_leaves_no_file),
		VOLUME_TEST(a_volume_that_cannot_be_attached_stays_detached),
		VOLUME_TEST(a_volume_whose_deletion_is_refused_stays_with_its_file),
		VOLUME_TEST(a_volume_whose_growth_is_refused_keeps_its_size_over_a_restart),
		VOLUME_TEST(a_file_with_a_note_is_gone_after_the_next_start),
		VOLUME_TEST(a_file_without_a_note_stays),
		VOLUME_TEST(a_pool_that_is_gone_is_made_again),
		VOLUME_TEST(a_pool_that_is_no_directory_makes_nothing_and_leaves_no_note),
		VOLUME_TEST(a_disk_is_erased_unless_it_is_to_be_preserved),
		VOLUME_TEST(a_disk_that_was_to_be_erased_and_was_refused_keeps_its_data),
		VOLUME_TEST(a_disk_that_is_not_there_is_none),
		VOLUME_TEST(the_number_of_volumes_has_a_limit),
		VOLUME_TEST(a_target_may_be_wanted_alone),
		VOLUME_TEST(a_portal_that_is_not_there_shows_no_volume),
		VOLUME_TEST(a_change_that_the_end_meets_half_way_is_told_what_it_has_come_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

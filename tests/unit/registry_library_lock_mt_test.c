/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No directory is served by two libraries, be they of one server or of two. Another server is another
 * list of locks here: flock(2)'s are between open files.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "registry/library_lock.h"
#include "registry_server.h"

#define LIBRARY(name, path, more) \
	"{ name = \"" name "\"; target_prefix = \"iqn.2026-11.com.example:" name "\"; " \
	"auth = \"none\"; drives = 1; slots = 4; path = \"" path "\"; " more " }"

/* Libraries begin in line 2. */
static struct config *cfg_of(struct fixture *f, const char *libraries)
{
	char text[2048];

	snprintf(text, sizeof(text),
		"state_dir = \"state\"; portals = ( { address = \"127.0.0.1\"; port = %u; } );"
		"libraries = (\n%s );\n",
		f->port, libraries);
	return configured(&f->place, text);
}

static void assert_refused(struct fixture *f, const char *libraries, int line, const char *text)
{
	struct config *cfg = cfg_of(f, libraries);

	must(&f->place, registry_bind(f->r, cfg, NULL, 0, &f->place.faults));
	assert_int_equal(registry_start(f->r, cfg, f->state, &f->place.faults), -EBUSY);
	assert_fault(&f->place, line, text);
	config_free(cfg);
}

/* As another server has it. */
struct other {
	struct list locks;
	struct library_lock *lock;
	char who[128];
};

static int other_takes(struct other *o, const struct fixture *f, const char *name)
{
	list_init(&o->locks);
	return library_lock_take(&o->locks, in(&f->place, name), &o->lock, o->who, sizeof(o->who));
}

static void a_directory_that_another_server_has_is_refused(void **state)
{
	struct fixture *f = *state;
	struct other o;
	char holder[64];

	assert_int_equal(mkdir(in(&f->place, "l"), 0700), 0);
	assert_int_equal(other_takes(&o, f, "l"), 0);
	snprintf(holder, sizeof(holder), "l is in use by process %ld", (long)getpid());
	assert_refused(f, LIBRARY("l", "l", ""), 2, holder);
	library_lock_give(o.lock);
	fixture_stop(f);
	fixture_start(f, cfg_of(f, LIBRARY("l", "l", "")));
}

static void so_is_an_archive(void **state)
{
	struct fixture *f = *state;
	struct other o;

	assert_int_equal(mkdir(in(&f->place, "vault"), 0700), 0);
	assert_int_equal(other_takes(&o, f, "vault"), 0);
	assert_refused(f, LIBRARY("l", "l", "\narchive = \"vault\";"), 3, "vault is in use by ");
	library_lock_give(o.lock);
}

static void while_a_library_is_served_its_directories_are_locked(void **state)
{
	struct fixture *f = *state;
	struct other o;

	fixture_start(f, cfg_of(f, LIBRARY("l", "l", "")));
	assert_int_equal(other_takes(&o, f, "l"), -EBUSY);
	assert_non_null(strstr(o.who, "process "));
	assert_int_equal(other_takes(&o, f, "l/archive"), -EBUSY);
	fixture_stop(f);
	assert_int_equal(other_takes(&o, f, "l"), 0);
	library_lock_give(o.lock);
}

static void a_reload_keeps_the_lock_also_where_the_library_is_another(void **state)
{
	struct fixture *f = *state;
	struct other o;

	fixture_start(f, cfg_of(f, LIBRARY("l", "l", "")));
	must(&f->place, registry_apply(f->r, cfg_of(f, LIBRARY("l", "l", "tapes = ();")), NULL,
				tell, &f->done, &f->place.faults));
	wait_for(&f->place, &f->done, 1);
	assert_int_equal(other_takes(&o, f, "l"), -EBUSY);
	must(&f->place, registry_apply(f->r, cfg_of(f, LIBRARY("m", "l", "")), NULL, tell, &f->done,
				&f->place.faults));
	wait_for(&f->place, &f->done, 2);
	assert_int_equal(other_takes(&o, f, "l"), -EBUSY);
	must(&f->place,
		registry_apply(f->r, cfg_of(f, ""), NULL, tell, &f->done, &f->place.faults));
	wait_for(&f->place, &f->done, 3);
	for (int i = 0; other_takes(&o, f, "l") && i < 100; i++)
		loop_step(f->place.loop);
	library_lock_give(o.lock);
}

static void one_directory_by_two_paths_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(in(&f->place, "l"), 0700), 0);
	assert_int_equal(symlink("l", in(&f->place, "m")), 0);
	assert_refused(f, LIBRARY("l", "l", "") ",\n" LIBRARY("m", "m", "\narchive = \"n\";"), 3,
		"library m: a directory of it is one of library l, too");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_begin, fixture_end)
	static const struct CMUnitTest tests[] = {
		TEST(a_directory_that_another_server_has_is_refused),
		TEST(so_is_an_archive),
		TEST(while_a_library_is_served_its_directories_are_locked),
		TEST(a_reload_keeps_the_lock_also_where_the_library_is_another),
		TEST(one_directory_by_two_paths_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in directories. That they outlive a crash is for the tests that crash. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/dir.h"

static char home[] = "/tmp/dir-test-XXXXXX";

/* The tests name paths relative to a directory of their own. */
static int begin(void **state)
{
	(void)state;
	strcpy(home + sizeof(home) - 7, "XXXXXX");
	return mkdtemp(home) && !chdir(home) && !mkdir("a", 0700) && !mkdir("b", 0700) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	rmdir("a");
	rmdir("b");
	rmdir("c");
	return chdir("/") || rmdir(home) ? -1 : 0;
}

static void a_name_that_is_free_is_given(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(dir_rename("a", "c"), 0);
	assert_int_equal(stat("c", &st), 0);
	assert_int_equal(stat("a", &st), -1);
}

static void a_name_that_is_taken_is_refused_also_by_an_empty_directory(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(dir_rename("a", "b"), -EEXIST);
	assert_int_equal(stat("a", &st), 0);
}

static void what_is_not_there_is_not_renamed(void **state)
{
	(void)state;
	assert_int_equal(dir_rename("nothing", "c"), -ENOENT);
}

static void the_parent_is_found_for_every_way_to_write_a_path(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(dir_sync_parent("a"), 0);
	assert_int_equal(dir_sync_parent("./a"), 0);
	assert_int_equal(dir_sync_parent("a/new//"), 0);
	assert_int_equal(dir_sync_parent("nothing/new"), -ENOENT);
	assert_int_equal(dir_sync_parent("nothing/"), 0);
	snprintf(path, sizeof(path), "%s/a", home);
	assert_int_equal(dir_sync_parent(path), 0);
}

static void what_is_no_directory_is_not_synced(void **state)
{
	(void)state;
	assert_int_equal(dir_sync("a"), 0);
	assert_int_equal(dir_sync("nothing"), -ENOENT);
	assert_int_equal(dir_sync("/dev/null"), -ENOTDIR);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_that_is_free_is_given, begin, end),
		cmocka_unit_test_setup_teardown(
			a_name_that_is_taken_is_refused_also_by_an_empty_directory, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_not_renamed, begin, end),
		cmocka_unit_test_setup_teardown(
			the_parent_is_found_for_every_way_to_write_a_path, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_directory_is_not_synced, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

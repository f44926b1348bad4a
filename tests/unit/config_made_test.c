/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets and disks that are not in the file, in a configuration that has some of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/diff.h"
#include "config/made.h"
#include "config/places.h"
#include "config_support.h"

#define IQN "iqn.2026-11.com.example:"
#define FILE_TARGETS \
	"targets = ( { name = \"" IQN \
	"a\"; luns = ( { lun = 0; path = \"/d/a\"; size = \"1M\"; name = \"one\"; },\n" \
	"{ lun = 1; same_as = \"one\"; } ); } );\n"

static const struct config_made disk = { .target = IQN "made",
	.lun = 3,
	.path = "/pool/vol-1.img",
	.naa = "60243530000000000000000000000001",
	.size = 1 << 20,
	.block_size = 4096,
	.create = true };

static void a_disk_is_added_with_a_target_of_its_own(void **state)
{
	struct config *cfg = loaded(BASE FILE_TARGETS);
	const struct config_target *t;

	(void)state;
	assert_true(config_make(cfg, &disk));
	assert_int_equal(cfg->n_targets, 2);
	t = &cfg->targets[1];
	assert_true(t->made);
	assert_false(cfg->targets[0].made);
	assert_string_equal(t->name, IQN "made");
	assert_int_equal(t->auth, CONFIG_AUTH_NONE);
	assert_int_equal(t->n_portal_groups, 0);
	assert_int_equal(t->n_luns, 1);
	assert_int_equal(t->luns[0].lun, 3);
	assert_int_equal(t->luns[0].size, 1 << 20);
	assert_int_equal(t->luns[0].block_size, 4096);
	assert_string_equal(t->luns[0].path, disk.path);
	assert_string_equal(t->luns[0].naa, disk.naa);
	assert_ptr_equal(t->luns[0].unit, &t->luns[0]);
	config_free(cfg);
}

static void a_second_disk_joins_the_target(void **state)
{
	struct config *cfg = loaded(BASE);
	struct config_made other = disk;

	(void)state;
	other.lun = 4;
	other.path = "/pool/vol-2.img";
	assert_true(config_make(cfg, &disk));
	assert_true(config_make(cfg, &other));
	assert_int_equal(cfg->n_targets, 1);
	assert_int_equal(cfg->targets[0].n_luns, 2);
	assert_ptr_equal(cfg->targets[0].luns[0].unit, &cfg->targets[0].luns[0]);
	assert_string_equal(cfg->targets[0].luns[1].path, "/pool/vol-2.img");
	config_free(cfg);
}

static void a_target_asks_for_chap_if_one_of_its_disks_is_to(void **state)
{
	struct config *cfg = loaded(BASE);
	struct config_made closed = disk;

	(void)state;
	closed.lun = 4;
	closed.chap = true;
	assert_true(config_make(cfg, &closed));
	assert_true(config_make(cfg, &disk));
	assert_int_equal(cfg->n_targets, 1);
	assert_int_equal(cfg->targets[0].auth, CONFIG_AUTH_CHAP);
	config_free(cfg);
}

static void portal_groups_are_those_of_the_first_disk(void **state)
{
	const uint32_t groups[] = { 7, 2 };
	struct config *cfg = loaded(BASE);
	struct config_made shown = disk;

	(void)state;
	shown.groups = groups;
	shown.n_groups = 2;
	assert_true(config_make(cfg, &shown));
	assert_int_equal(cfg->targets[0].n_portal_groups, 2);
	assert_memory_equal(cfg->targets[0].portal_groups, groups, sizeof(groups));
	config_free(cfg);
}

static void what_the_file_declares_is_told_from_what_was_made(void **state)
{
	struct config *cfg = loaded(BASE FILE_TARGETS);

	(void)state;
	assert_true(config_make(cfg, &disk));
	assert_true(config_declares_target(cfg, IQN "a"));
	assert_false(config_declares_target(cfg, IQN "made"));
	assert_true(config_declares_path(cfg, "/d/a"));
	assert_false(config_declares_path(cfg, disk.path));
	config_free(cfg);
}

static void targets_of_a_library_are_declared(void **state)
{
	struct config *cfg =
		loaded(BASE "libraries = ( { name = \"l\"; path = \"/t\"; "
			    "target_prefix = \"" IQN "lib\"; drives = 1; slots = 2; } );\n");

	(void)state;
	assert_true(config_declares_target(cfg, IQN "lib-mediachanger"));
	assert_true(config_declares_target(cfg, IQN "lib-tapedrive-11"));
	assert_false(config_declares_target(cfg, IQN "li"));
	assert_false(config_declares_target(cfg, IQN "library-of-disks"));
	config_free(cfg);
}

static void a_copy_has_what_the_file_says_and_nothing_that_was_made(void **state)
{
	struct config *cfg = loaded(BASE FILE_TARGETS), *copy;
	struct config_changes changes;

	(void)state;
	assert_true(config_make(cfg, &disk));
	copy = config_copy_declared(cfg);
	assert_non_null(copy);
	assert_int_equal(copy->n_targets, 1);
	assert_string_equal(copy->path, cfg->path);
	assert_ptr_equal(copy->targets[0].luns[1].unit, &copy->targets[0].luns[0]);
	assert_true(config_make(copy, &disk));
	assert_int_equal(config_diff(cfg, copy, &changes), 0);
	assert_int_equal(changes.n, 0);
	config_changes_free(&changes);
	config_free(cfg);
	config_free(copy);
}

static void the_places_of_the_file_outlive_what_is_added(void **state)
{
	struct config *cfg = loaded(BASE FILE_TARGETS);
	struct config_made more = disk;
	struct config_where where;

	(void)state;
	for (more.lun = 0; more.lun < 100; more.lun++)
		assert_true(config_make(cfg, &more));
	where = config_where(cfg, &cfg->targets[0].luns[1].same_as);
	assert_string_equal(where.file, "test.conf");
	assert_int_equal(where.line, 3);
	config_free(cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_is_added_with_a_target_of_its_own),
		cmocka_unit_test(a_second_disk_joins_the_target),
		cmocka_unit_test(a_target_asks_for_chap_if_one_of_its_disks_is_to),
		cmocka_unit_test(portal_groups_are_those_of_the_first_disk),
		cmocka_unit_test(what_the_file_declares_is_told_from_what_was_made),
		cmocka_unit_test(targets_of_a_library_are_declared),
		cmocka_unit_test(a_copy_has_what_the_file_says_and_nothing_that_was_made),
		cmocka_unit_test(the_places_of_the_file_outlive_what_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

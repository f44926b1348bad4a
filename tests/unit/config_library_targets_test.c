/* SPDX-License-Identifier: BSD-2-Clause */
/* The targets that libraries bring with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/made.h"
#include "config/places.h"
#include "config_support.h"

#define IQN "iqn.2026-11.com.example:"
#define ROW "credentials = ( { initiator = \"" IQN "h\"; secret = \"initiator-111111\"; } );"

static struct config *completed(const char *text)
{
	struct config *cfg = loaded(text);

	assert_true(config_make_library_targets(cfg));
	return cfg;
}

static void each_device_of_layout_targets_has_a_target(void **state)
{
	static const char *const names[] = { IQN "v-mediachanger", IQN "v-tapedrive-01",
		IQN "v-tapedrive-02" };
	struct config *cfg = completed(BASE "libraries = ( { name = \"v\"; target_prefix = \"" IQN
					    "v\"; drives = 2; path = \"/v\"; } );");

	(void)state;
	assert_int_equal(cfg->n_targets, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct config_target *t = &cfg->targets[i];

		assert_string_equal(t->name, names[i]);
		assert_false(config_chap_needed(t->auth, t->n_credentials));
		assert_int_equal(t->n_luns, 1);
		assert_int_equal(t->luns[0].lun, 0);
		assert_int_equal(t->luns[0].type, i ? CONFIG_LUN_DRIVE : CONFIG_LUN_CHANGER);
		assert_int_equal(t->luns[0].device, i);
		assert_ptr_equal(t->luns[0].library, cfg->libraries);
	}
	config_free(cfg);
}

static void layout_luns_has_the_changer_before_the_drives(void **state)
{
	struct config *cfg = completed(BASE
		"libraries = ( { name = \"v\"; layout = \"luns\"; target = \"" IQN
		"v\"; auth = \"none\"; portal_groups = [ 1 ]; drives = 2; path = \"/v\"; } );");
	const struct config_target *t = cfg->targets;

	(void)state;
	assert_int_equal(cfg->n_targets, 1);
	assert_string_equal(t->name, IQN "v");
	assert_int_equal(t->auth, CONFIG_AUTH_NONE);
	assert_int_equal(t->n_portal_groups, 1);
	assert_int_equal(t->portal_groups[0], 1);
	assert_int_equal(t->n_luns, 3);
	assert_int_equal(t->luns[0].type, CONFIG_LUN_CHANGER);
	for (uint32_t i = 1; i < 3; i++) {
		assert_int_equal(t->luns[i].lun, i);
		assert_int_equal(t->luns[i].type, CONFIG_LUN_DRIVE);
		assert_int_equal(t->luns[i].device, i);
	}
	config_free(cfg);
}

static void every_target_has_the_credentials_of_the_library_with_their_line(void **state)
{
	struct config *cfg =
		completed(BASE "\n\nlibraries = ( { name = \"v\"; target_prefix = \"" IQN
			       "v\"; drives = 1; path = \"/v\";\n" ROW " } );");

	(void)state;
	assert_int_equal(cfg->n_targets, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct config_target *t = &cfg->targets[i];

		assert_true(config_chap_needed(t->auth, t->n_credentials));
		assert_int_equal(t->n_credentials, 1);
		assert_string_equal(t->credentials[0].initiator, IQN "h");
		assert_memory_equal(t->credentials[0].secret.bytes, "initiator-111111", 16);
		assert_int_equal(config_where(cfg, &t->credentials[0].secret).line, 5);
	}
	config_free(cfg);
}

static void targets_of_the_file_stay_in_front_with_their_lines(void **state)
{
	struct config *cfg = completed(BASE "targets = (\n { name = \"" IQN "d\"; } );"
					    "libraries = ( { name = \"v\"; target_prefix = \"" IQN
					    "v\"; drives = 1; path = \"/v\"; } );");

	(void)state;
	assert_int_equal(cfg->n_targets, 3);
	assert_string_equal(cfg->targets[0].name, IQN "d");
	assert_false(cfg->targets[0].made);
	assert_int_equal(config_where(cfg, &cfg->targets[0].name).line, 3);
	assert_true(cfg->targets[1].made);
	config_free(cfg);
}

static void a_second_time_adds_nothing(void **state)
{
	struct config *cfg = completed(BASE "libraries = ( { name = \"v\"; target_prefix = \"" IQN
					    "v\"; drives = 1; path = \"/v\"; } );");

	(void)state;
	assert_true(config_make_library_targets(cfg));
	assert_int_equal(cfg->n_targets, 2);
	config_free(cfg);
}

static void a_copy_of_what_the_file_declares_has_none(void **state)
{
	struct config *cfg = completed(BASE "libraries = ( { name = \"v\"; target_prefix = \"" IQN
					    "v\"; drives = 1; path = \"/v\"; } );");
	struct config *copy = config_copy_declared(cfg);

	(void)state;
	assert_non_null(copy);
	assert_int_equal(copy->n_targets, 0);
	assert_true(config_make_library_targets(copy));
	assert_ptr_equal(copy->targets[0].luns[0].library, copy->libraries);
	config_free(copy);
	config_free(cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_device_of_layout_targets_has_a_target),
		cmocka_unit_test(layout_luns_has_the_changer_before_the_drives),
		cmocka_unit_test(every_target_has_the_credentials_of_the_library_with_their_line),
		cmocka_unit_test(targets_of_the_file_stay_in_front_with_their_lines),
		cmocka_unit_test(a_second_time_adds_nothing),
		cmocka_unit_test(a_copy_of_what_the_file_declares_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that a store makes is on the disk before anything is written to it. */
#include "tests/unit/sync_order.h"

#include "support_store.h"

static void a_new_file_and_its_name_are_durable_when_the_store_is_open(void **state)
{
	struct rig *rig = *state;
	const char *path = rig_path(rig, "disk");
	struct store *st;

	sync_order[0] = 0;
	st = rig_open(rig, (struct store_cfg){ .kind = "file",
				   .path = path,
				   .size = 8192,
				   .block_size = 512,
				   .create = true });
	assert_non_null(st);
	assert_string_equal(sync_order, "file, directory");
	store_close(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_new_file_and_its_name_are_durable_when_the_store_is_open, rig_threads,
			rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

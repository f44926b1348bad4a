/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a cartridge is a whole file, new each time, is on the disk before it takes the old one's
 * place, and has taken it for good before that is acknowledged.
 */
#include "tests/unit/sync_order.h"

#include "support_vtl.h"

static void a_label_is_durable_when_it_is_acknowledged(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * VTL_MIB);
	sync_order[0] = 0;
	assert_int_equal(cartridge_attributes_save(v->c), CARTRIDGE_OK);
	assert_string_equal(sync_order, "file, rename, directory");
}

static void a_new_cartridge_is_durable_when_it_is_acknowledged(void **state)
{
	struct vtl *v = *state;

	sync_order[0] = 0;
	vtl_new(v, 64 * VTL_MIB);
	/* Log, label, the label's name; then the name of it all, in the directory above. */
	assert_string_equal(sync_order, "file, file, rename, directory, directory");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, vtl_setup, vtl_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_label_is_durable_when_it_is_acknowledged),
		CASE(a_new_cartridge_is_durable_when_it_is_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Random UUIDs, and what has their form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/uuid.h"

static void one_that_is_made_says_that_it_is_random(void **state)
{
	char text[UUID_SIZE];

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_true(uuid_make(text));
		assert_true(uuid_check(text));
		assert_int_equal(text[14], '4');
		assert_non_null(strchr("89ab", text[19]));
	}
}

static void no_two_are_the_same(void **state)
{
	char one[UUID_SIZE], other[UUID_SIZE];

	(void)state;
	assert_true(uuid_make(one) && uuid_make(other));
	assert_string_not_equal(one, other);
}

static void case_does_not_matter_and_everything_else_does(void **state)
{
	static const char *const bad[] = { "", "1", "5b3c8a1e-7d42-4f10-9a6b-0c1d2e3f405",
		"5b3c8a1e-7d42-4f10-9a6b-0c1d2e3f40516", "5b3c8a1e-7d42-4f10-9a6b-0c1d2e3f405g",
		"5b3c8a1e07d42-4f10-9a6b-0c1d2e3f4051", "5b3c8a1e-7d42-4f10-9a6b-0c1d-e3f4051" };

	(void)state;
	assert_true(uuid_check("5b3c8a1e-7d42-4f10-9a6b-0c1d2e3f4051"));
	assert_true(uuid_check("5B3C8A1E-7D42-4F10-9A6B-0C1D2E3F4051"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (uuid_check(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_made_says_that_it_is_random),
		cmocka_unit_test(no_two_are_the_same),
		cmocka_unit_test(case_does_not_matter_and_everything_else_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

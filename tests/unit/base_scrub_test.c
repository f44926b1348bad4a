/* SPDX-License-Identifier: BSD-2-Clause */
/* An allocator that overwrites what it frees: what libraries expect of it all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scrub.h"

static void a_block_keeps_what_is_in_it_as_it_grows(void **state)
{
	char *p = scrub_realloc(NULL, 6);

	(void)state;
	strcpy(p, "first");
	for (size_t size = 6; size < 100000; size *= 3) {
		p = scrub_realloc(p, size);
		assert_non_null(p);
		assert_string_equal(p, "first");
		memset(p + 6, 'x', size - 6);
	}
	scrub_free(p);
}

static void a_block_that_shrinks_stays_where_it_is(void **state)
{
	char *p = malloc(1000), *same = scrub_realloc(p, 10);

	(void)state;
	assert_ptr_equal(same, p);
	scrub_free(same);
}

static void no_block_is_a_new_one_and_no_size_is_none(void **state)
{
	void *p = scrub_realloc(NULL, 10);

	(void)state;
	assert_non_null(p);
	assert_null(scrub_realloc(p, 0));
	scrub_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_keeps_what_is_in_it_as_it_grows),
		cmocka_unit_test(a_block_that_shrinks_stays_where_it_is),
		cmocka_unit_test(no_block_is_a_new_one_and_no_size_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a misspelt word is from the one that was meant. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/near.h"

static void letters_to_change_add_and_drop_are_counted(void **state)
{
	(void)state;
	assert_int_equal(near_distance("status", "status"), 0);
	assert_int_equal(near_distance("statu", "status"), 1);
	assert_int_equal(near_distance("statuss", "status"), 1);
	assert_int_equal(near_distance("stadus", "status"), 1);
	assert_int_equal(near_distance("sattus", "status"), 2);
	assert_int_equal(near_distance("", "drop"), 4);
	assert_int_equal(near_distance("drop", ""), 4);
}

static void case_and_the_kind_of_dash_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(near_distance("Max-Size", "max_size"), 0);
	assert_int_equal(near_distance("port_group", "port-group"), 0);
}

static void a_word_that_is_too_long_is_near_to_nothing(void **state)
{
	char word[42] = "";

	(void)state;
	memset(word, 'a', 40);
	assert_int_equal(near_distance(word, "a"), 39);
	memset(word, 'a', 41);
	assert_int_equal(near_distance(word, "a"), UINT_MAX);
	assert_int_equal(near_distance("a", word), UINT_MAX);
	assert_false(near_enough(UINT_MAX, word));
}

static void a_long_word_may_have_more_faults(void **state)
{
	(void)state;
	assert_true(near_enough(1, "lun"));
	assert_false(near_enough(2, "lun"));
	assert_true(near_enough(3, "credentials"));
	assert_false(near_enough(4, "credentials"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_to_change_add_and_drop_are_counted),
		cmocka_unit_test(case_and_the_kind_of_dash_do_not_count),
		cmocka_unit_test(a_word_that_is_too_long_is_near_to_nothing),
		cmocka_unit_test(a_long_word_may_have_more_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

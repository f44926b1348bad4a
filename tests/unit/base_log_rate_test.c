/* SPDX-License-Identifier: BSD-2-Clause */
/* How many lines of the log pass, without a clock. */
#include "base/log_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

/* Of so many lines at once, how many pass, with a burst of 10 and 2 a second. */
static unsigned passed(struct log_rate *r, uint64_t now, unsigned lines)
{
	unsigned n = 0;

	while (lines--)
		n += log_rate_pass(r, now, 10, 2);
	return n;
}

static void a_burst_passes_and_no_more(void **state)
{
	struct log_rate r = { 0 };

	(void)state;
	assert_int_equal(passed(&r, 100 * SECOND, 1000), 10);
	assert_int_equal(log_rate_left_out(&r), 990);
	assert_int_equal(log_rate_left_out(&r), 0);
}

static void after_a_burst_so_many_pass_a_second(void **state)
{
	struct log_rate r = { 0 };

	(void)state;
	passed(&r, 100 * SECOND, 1000);
	assert_int_equal(passed(&r, 101 * SECOND, 1000), 2);
	assert_int_equal(passed(&r, 104 * SECOND, 1000), 6);
}

static void after_silence_a_burst_passes_again(void **state)
{
	struct log_rate r = { 0 };

	(void)state;
	passed(&r, 100 * SECOND, 1000);
	assert_int_equal(passed(&r, 200 * SECOND, 1000), 10);
}

static void a_clock_that_is_a_moment_behind_lets_no_more_pass(void **state)
{
	struct log_rate r = { 0 };

	(void)state;
	passed(&r, 100 * SECOND, 1000);
	assert_int_equal(passed(&r, 99 * SECOND, 1000), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_and_no_more),
		cmocka_unit_test(after_a_burst_so_many_pass_a_second),
		cmocka_unit_test(after_silence_a_burst_passes_again),
		cmocka_unit_test(a_clock_that_is_a_moment_behind_lets_no_more_pass),
	};

	return cmocka_run_group_tests_name("base/log_rate", tests, NULL, NULL);
}

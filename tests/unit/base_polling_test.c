/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a loop polls and when it sleeps, without a clock.
 */
#include "base/polling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define WINDOW 100000

/* Lets windows go unpaid until polling is given up; gives how many it took. */
static int give_up(struct polling *p)
{
	int n = 0;

	while (polling_window(p) && n < 1000) {
		polling_unpaid(p);
		n++;
	}
	return n;
}

/* Sleeps of this length until polling is taken up again; gives how many it took. */
static int sleeps_until_polling(struct polling *p, uint64_t slept_ns)
{
	int n = 0;

	while (!polling_window(p) && n < 1000) {
		polling_slept(p, slept_ns);
		n++;
	}
	return n;
}

static void a_window_of_zero_never_polls(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, 0);
	polling_paid(&p);
	assert_int_equal(polling_window(&p), 0);
	assert_int_equal(sleeps_until_polling(&p, 1), 1000);
}

static void no_window_is_longer_than_a_millisecond(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, 5000000);
	assert_int_equal(polling_window(&p), 1000000);
}

static void a_window_is_longer_while_a_disk_is_awaited(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	polling_await(&p, true);
	assert_int_equal(polling_window(&p), 4 * WINDOW);
	polling_await(&p, false);
	assert_int_equal(polling_window(&p), WINDOW);
}

static void no_disk_makes_a_window_longer_than_a_millisecond(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, 500000);
	polling_await(&p, true);
	assert_int_equal(polling_window(&p), 1000000);
}

static void no_disk_makes_a_loop_poll_that_may_not(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, 0);
	polling_await(&p, true);
	assert_int_equal(polling_window(&p), 0);
	assert_int_equal(sleeps_until_polling(&p, 1), 1000);
}

static void a_disk_that_is_slower_than_patience_is_not_polled_for(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	polling_await(&p, true);
	assert_int_equal(give_up(&p), 8);
	assert_int_equal(sleeps_until_polling(&p, 8 * WINDOW), 64);
}

static void what_a_disk_takes_counts_as_a_short_sleep(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	polling_await(&p, true);
	give_up(&p);
	assert_int_equal(sleeps_until_polling(&p, 2 * WINDOW), 2);
}

static void eight_unpaid_windows_in_a_row_end_polling(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	assert_int_equal(give_up(&p), 8);
}

static void a_paid_window_starts_the_count_anew(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	for (int i = 0; i < 7; i++)
		polling_unpaid(&p);
	polling_paid(&p);
	assert_int_equal(give_up(&p), 8);
}

static void short_sleeps_bring_polling_back(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	give_up(&p);
	assert_int_equal(sleeps_until_polling(&p, WINDOW / 2), 2);
}

static void long_sleeps_bring_one_window_in_sixty_four(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	give_up(&p);
	assert_int_equal(sleeps_until_polling(&p, WINDOW * 2), 64);
	assert_int_equal(give_up(&p), 1);
	assert_int_equal(sleeps_until_polling(&p, WINDOW * 2), 64);
}

static void a_wake_up_that_was_no_sleep_tells_nothing(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	give_up(&p);
	assert_int_equal(sleeps_until_polling(&p, 500), 1000);
}

static void hope_that_was_disappointed_is_harder_to_raise(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	give_up(&p);
	assert_int_equal(sleeps_until_polling(&p, WINDOW / 2), 2);
	assert_int_equal(give_up(&p), 2);
	assert_int_equal(sleeps_until_polling(&p, WINDOW / 2), 4);
	give_up(&p);
	assert_int_equal(sleeps_until_polling(&p, WINDOW / 2), 8);
	for (int i = 0; i < 20; i++) {
		give_up(&p);
		sleeps_until_polling(&p, WINDOW / 2);
	}
	give_up(&p);
	assert_int_equal(sleeps_until_polling(&p, WINDOW / 2), 64);
}

static void one_paid_window_forgets_disappointment(void **state)
{
	struct polling p;

	(void)state;
	polling_set(&p, WINDOW);
	for (int i = 0; i < 5; i++) {
		give_up(&p);
		sleeps_until_polling(&p, WINDOW / 2);
	}
	polling_paid(&p);
	assert_int_equal(give_up(&p), 8);
	assert_int_equal(sleeps_until_polling(&p, WINDOW / 2), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_of_zero_never_polls),
		cmocka_unit_test(no_window_is_longer_than_a_millisecond),
		cmocka_unit_test(a_window_is_longer_while_a_disk_is_awaited),
		cmocka_unit_test(no_disk_makes_a_window_longer_than_a_millisecond),
		cmocka_unit_test(no_disk_makes_a_loop_poll_that_may_not),
		cmocka_unit_test(a_disk_that_is_slower_than_patience_is_not_polled_for),
		cmocka_unit_test(what_a_disk_takes_counts_as_a_short_sleep),
		cmocka_unit_test(eight_unpaid_windows_in_a_row_end_polling),
		cmocka_unit_test(a_paid_window_starts_the_count_anew),
		cmocka_unit_test(short_sleeps_bring_polling_back),
		cmocka_unit_test(long_sleeps_bring_one_window_in_sixty_four),
		cmocka_unit_test(a_wake_up_that_was_no_sleep_tells_nothing),
		cmocka_unit_test(hope_that_was_disappointed_is_harder_to_raise),
		cmocka_unit_test(one_paid_window_forgets_disappointment),
	};

	return cmocka_run_group_tests_name("base/polling", tests, NULL, NULL);
}

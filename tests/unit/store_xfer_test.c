/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cursor over a scatter list: what is next after any part of it is done.
 */
#include "store/xfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char room[8];

/* Three entries of 3, 0 and 5 bytes. */
static const struct iovec list[] = { { room, 3 }, { room + 3, 0 }, { room + 3, 5 } };

static struct xfer whole(void)
{
	return (struct xfer){ .iov = list, .cnt = 3, .off = 100, .left = 8 };
}

static void the_first_piece_is_the_whole_list(void **state)
{
	struct xfer x = whole();
	int cnt;

	(void)state;
	assert_ptr_equal(xfer_next(&x, &cnt), list);
	assert_int_equal(cnt, 3);
}

static void a_cut_entry_is_finished_first(void **state)
{
	struct xfer x = whole();
	const struct iovec *iov;
	int cnt;

	(void)state;
	xfer_advance(&x, 4);
	iov = xfer_next(&x, &cnt);
	assert_int_equal(cnt, 1);
	assert_ptr_equal(iov->iov_base, room + 4);
	assert_int_equal(iov->iov_len, 4);
	assert_int_equal(x.off, 104);
	assert_int_equal(x.left, 4);
}

static void whole_and_empty_entries_are_left_behind(void **state)
{
	struct xfer x = whole();
	int cnt;

	(void)state;
	xfer_advance(&x, 3);
	assert_ptr_equal(xfer_next(&x, &cnt), list + 2);
	assert_int_equal(cnt, 1);
}

static void at_the_end_nothing_is_left(void **state)
{
	struct xfer x = whole();

	(void)state;
	for (int i = 0; i < 8; i++)
		xfer_advance(&x, 1);
	assert_int_equal(x.left, 0);
	assert_int_equal(x.cnt, 0);
	assert_int_equal(x.off, 108);
}

static void a_read_that_meets_the_end_of_the_file_fails(void **state)
{
	struct xfer x = whole();
	int err;

	(void)state;
	assert_false(xfer_over(&x, false, 2, &err));
	assert_true(xfer_over(&x, false, 0, &err));
	assert_int_equal(err, -ENODATA);
}

static void a_piece_has_no_more_entries_than_the_kernel_takes(void **state)
{
	struct xfer x = { .iov = list, .cnt = IOV_MAX + 1, .left = 1 };
	int cnt;

	(void)state;
	xfer_next(&x, &cnt);
	assert_int_equal(cnt, IOV_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_piece_is_the_whole_list),
		cmocka_unit_test(a_cut_entry_is_finished_first),
		cmocka_unit_test(whole_and_empty_entries_are_left_behind),
		cmocka_unit_test(at_the_end_nothing_is_left),
		cmocka_unit_test(a_read_that_meets_the_end_of_the_file_fails),
		cmocka_unit_test(a_piece_has_no_more_entries_than_the_kernel_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

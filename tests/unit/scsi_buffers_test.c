/* SPDX-License-Identifier: BSD-2-Clause */
/* How much of the memory the tasks of one nexus, and of all, may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scsi/lu.h"

#define MIB ((size_t)1 << 20)

static int begin(void **state)
{
	static struct bufs *bufs;

	assert_int_equal(bufs_create(NULL, 0, &bufs), 0);
	*state = bufs;
	return 0;
}

static int end(void **state)
{
	bufs_free(*state);
	return 0;
}

static void what_a_nexus_holds_ends_at_its_share(void **state)
{
	struct nexus n = { .bufs = *state };
	enum scsi_status why;
	void *buf[16];

	for (int i = 0; i < 16; i++)
		assert_non_null(buf[i] = nexus_buffer(&n, 8 * MIB, &why));
	assert_null(nexus_buffer(&n, 4097, &why));
	assert_int_equal(why, SCSI_TASK_SET_FULL);
	nexus_buffer_put(&n, buf[15], 8 * MIB);
	assert_non_null(buf[15] = nexus_buffer(&n, 4097, &why));
	nexus_buffer_put(&n, buf[15], 4097);
	for (int i = 0; i < 15; i++)
		nexus_buffer_put(&n, buf[i], 8 * MIB);
}

static void what_all_hold_ends_at_the_limit(void **state)
{
	struct nexus one = { .bufs = *state, .bufs_limit = 16 * MIB };
	struct nexus two = { .bufs = *state, .bufs_limit = 16 * MIB };
	void *a, *b;
	enum scsi_status why;

	assert_non_null(a = nexus_buffer(&one, 16 * MIB, &why));
	assert_null(nexus_buffer(&two, 8 * MIB, &why));
	assert_int_equal(why, SCSI_BUSY);
	nexus_buffer_put(&one, a, 16 * MIB);
	assert_non_null(b = nexus_buffer(&two, 8 * MIB, &why));
	nexus_buffer_put(&two, b, 8 * MIB);
}

static void a_small_answer_is_given_also_where_memory_is_full(void **state)
{
	struct nexus n = { .bufs = *state, .bufs_limit = 16 * MIB };
	void *all, *small;
	enum scsi_status why;

	assert_non_null(all = nexus_buffer(&n, 16 * MIB, &why));
	assert_non_null(small = nexus_buffer(&n, 4096, &why));
	nexus_buffer_put(&n, small, 4096);
	nexus_buffer_put(&n, all, 16 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_nexus_holds_ends_at_its_share, begin, end),
		cmocka_unit_test_setup_teardown(what_all_hold_ends_at_the_limit, begin, end),
		cmocka_unit_test_setup_teardown(
			a_small_answer_is_given_also_where_memory_is_full, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

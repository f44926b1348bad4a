/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests ahead of their turn: what they may take of the memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/bufs.h"
#include "iscsi/conn.h"
#include "iscsi/early.h"
#include "iscsi/reactor.h"
#include "iscsi/shared.h"

enum { LIMIT = 65536 };

/* Keeps requests of `len` bytes of data until there is no room, and gives them all back: how many. */
static unsigned room_for(uint32_t len)
{
	struct shared shared = { .bufs_limit = LIMIT };
	struct reactor r = { .shared = &shared };
	struct conn c = { .r = &r };
	struct early *all[LIMIT];
	unsigned n = 0;

	assert_int_equal(bufs_create(NULL, 0, &r.bufs), 0);
	while (n < LIMIT && (all[n] = early_new(&c, NULL, 0, len)))
		n++;
	for (unsigned i = 0; i < n; i++)
		early_end(all[i]);
	assert_int_equal(r.early_bytes, 0);
	assert_int_equal(c.held, 0);
	bufs_free(r.bufs);
	return n;
}

static void long_ones_count_for_their_data(void **state)
{
	(void)state;
	assert_in_range(room_for(8192), 6, 7);
}

static void ones_without_data_count_too(void **state)
{
	(void)state;
	assert_in_range(room_for(0), 64, LIMIT / BHS_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_ones_count_for_their_data),
		cmocka_unit_test(ones_without_data_count_too),
	};
	return cmocka_run_group_tests_name("requests ahead of their turn", tests, NULL, NULL);
}

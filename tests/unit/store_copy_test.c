/* SPDX-License-Identifier: BSD-2-Clause */
/* COPY: what a store does among its own kind without anybody looking at the bytes, and what not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_store.h"
#include "tests/fault.h"

#define MIB ((uint64_t)1 << 20)

static uint8_t data[MIB], back[MIB];

static struct store *ram(void **state, uint64_t size)
{
	return rig_open(
		*state, (struct store_cfg){ .kind = "ram", .size = size, .block_size = 512 });
}

static struct store *file(void **state, const char *name, uint64_t size)
{
	return rig_open(*state, (struct store_cfg){ .kind = "file",
					.path = rig_path(*state, name),
					.size = size,
					.block_size = 512,
					.create = true,
					.engine = ((struct rig *)*state)->engine });
}

struct copied {
	struct store_io io;
	int err;
};

static void on_copied(struct store_io *io, int err)
{
	container_of(io, struct copied, io)->err = err;
}

static int copy(void **state, struct store *from, uint64_t from_off, struct store *to, uint64_t off,
	uint64_t len)
{
	struct copied c = { .io = { .op = STORE_COPY,
				    .flags = STORE_HOLES,
				    .off = off,
				    .len = len,
				    .from = from,
				    .from_off = from_off,
				    .loop = ((struct rig *)*state)->loop,
				    .done = on_copied } };

	c.err = store_submit(to, &c.io);
	while (c.err == STORE_PENDING)
		loop_step(c.io.loop);
	return c.err;
}

static void write_data(void **state, struct store *st, uint64_t off)
{
	pattern(data, sizeof(data), 7);
	assert_int_equal(request(*state, st, STORE_WRITE, off, data, sizeof(data), 0), 0);
}

static void assert_data(void **state, struct store *st, uint64_t off)
{
	assert_int_equal(request(*state, st, STORE_READ, off, back, sizeof(back), 0), 0);
	assert_memory_equal(back, data, sizeof(back));
}

static void copies_between(void **state, struct store *a, struct store *b)
{
	bool mapped;
	uint64_t len;

	assert_non_null(a);
	assert_non_null(b);
	write_data(state, a, 3 * MIB);
	assert_int_equal(request(*state, b, STORE_WRITE, 0, data, sizeof(data), 0), 0);
	assert_int_equal(copy(state, a, 2 * MIB, b, 0, 4 * MIB), 0);
	assert_data(state, b, MIB);
	assert_int_equal(request(*state, b, STORE_READ, 0, back, sizeof(back), 0), 0);
	assert_true(zeros(back, sizeof(back)));
	assert_int_equal(store_extent(b, 0, &len, &mapped), 0);
	assert_false(mapped); /* zeros that were not there are not there now */
	assert_int_equal(copy(state, b, MIB, b, 6 * MIB, MIB), 0);
	assert_data(state, b, 6 * MIB);
	store_close(a);
	store_close(b);
}

static void memory_copies_and_takes_no_room_for_zeros(void **state)
{
	copies_between(state, ram(state, 8 * MIB), ram(state, 8 * MIB));
}

static void files_copy_and_keep_their_holes(void **state)
{
	struct store *a = file(state, "a", 8 * MIB);

	copies_between(state, a, file(state, "b", 8 * MIB));
}

static void what_others_have_cut_off_a_file_is_not_copied_as_zeros(void **state)
{
	struct store *a = file(state, "a", 2 * MIB), *b = file(state, "b", 2 * MIB);

	write_data(state, a, MIB);
	assert_int_equal(truncate(rig_path(*state, "a"), MIB), 0);
	assert_int_equal(copy(state, a, MIB, b, 0, MIB), -ENODATA);
	store_close(a);
	store_close(b);
}

static void odd_ends_in_memory_are_copied_whole(void **state)
{
	struct store *a = ram(state, MIB), *b = ram(state, 2 * MIB);

	write_data(state, a, 0);
	assert_int_equal(copy(state, a, 512, b, 1024, MIB - 512), 0);
	assert_int_equal(request(*state, b, STORE_READ, 1024, back, sizeof(back) - 512, 0), 0);
	assert_memory_equal(back, data + 512, sizeof(back) - 512);
	store_close(a);
	store_close(b);
}

static void kinds_that_differ_do_not_copy(void **state)
{
	struct store *a = ram(state, MIB), *b = file(state, "b", MIB), *f;

	assert_int_equal(copy(state, a, 0, b, 0, 512), -EOPNOTSUPP);
	assert_int_equal(copy(state, b, 0, a, 0, 512), -EOPNOTSUPP);
	assert_int_equal(fault_wrap(a, &f), 0);
	assert_int_equal(copy(state, f, 0, f, 1024, 512), -EOPNOTSUPP);
	store_close(f);
	store_close(b);
}

static void ranges_that_overlap_or_lie_outside_are_refused(void **state)
{
	struct store *a = ram(state, MIB);

	assert_int_equal(copy(state, a, 0, a, 512, 1024), -EOPNOTSUPP);
	assert_int_equal(copy(state, a, 512, a, 0, 1024), -EOPNOTSUPP);
	assert_int_equal(copy(state, a, MIB - 512, a, 0, 1024), -EINVAL);
	assert_int_equal(copy(state, a, UINT64_MAX - 511, a, 0, 1024), -EINVAL);
	assert_int_equal(copy(state, a, 100, a, 2048, 512), -EINVAL);
	assert_int_equal(copy(state, a, 0, a, MIB, 512), -EINVAL);
	store_close(a);
}

#define WITH(f, how) cmocka_unit_test_setup_teardown(f, how, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(memory_copies_and_takes_no_room_for_zeros, rig_auto),
		WITH(files_copy_and_keep_their_holes, rig_uring),
		WITH(files_copy_and_keep_their_holes, rig_threads),
		WITH(what_others_have_cut_off_a_file_is_not_copied_as_zeros, rig_auto),
		WITH(odd_ends_in_memory_are_copied_whole, rig_auto),
		WITH(kinds_that_differ_do_not_copy, rig_auto),
		WITH(ranges_that_overlap_or_lie_outside_are_refused, rig_auto),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

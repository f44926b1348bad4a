/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What store.c answers for every kind: kinds, ranges, alignment, permission.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/kind.h"
#include "support_store.h"

#define MIB ((uint64_t)1 << 20)

static void refuses(void **state, struct store_cfg cfg, const char *text)
{
	struct rig *rig = *state;

	assert_null(rig_open(rig, cfg));
	assert_int_equal(rig->why.err, -EINVAL);
	assert_string_equal(rig->why.text, text);
}

static void open_refuses_a_kind_that_is_not_there(void **state)
{
	refuses(state, (struct store_cfg){ .kind = "floppy", .size = MIB, .block_size = 512 },
		"there is no store of kind \"floppy\"");
}

static void open_refuses_odd_blocks(void **state)
{
	refuses(state, (struct store_cfg){ .kind = "ram", .size = MIB, .block_size = 1024 },
		"a block is 512 or 4096 bytes, not 1024");
}

static void open_refuses_a_size_of_broken_blocks(void **state)
{
	refuses(state, (struct store_cfg){ .kind = "ram", .size = MIB + 512, .block_size = 4096 },
		"the size, 1049088 bytes, is not a multiple of the block size 4096 below 8E");
}

static void open_refuses_a_size_beyond_any_file(void **state)
{
	refuses(state, (struct store_cfg){ .kind = "ram", .size = MIB << 43, .block_size = 512 },
		"the size, 8E, is not a multiple of the block size 512 below 8E");
}

static struct store *small(void **state, bool read_only)
{
	struct store *st = rig_open(*state,
		(struct store_cfg){
			.kind = "ram", .size = MIB, .block_size = 512, .read_only = read_only });

	assert_non_null(st);
	return st;
}

static void facts_are_those_of_the_configuration(void **state)
{
	struct store *st = small(state, false);

	assert_int_equal(store_size(st), MIB);
	assert_false(store_read_only(st));
	assert_true(store_thin(st));
	assert_string_equal(store_kind(st), "ram");
	store_close(st);
}

static void requests_outside_are_refused(void **state)
{
	struct store *st = small(state, false);
	uint8_t buf[1024];

	assert_int_equal(request(*state, st, STORE_READ, MIB, buf, 512, 0), -EINVAL);
	assert_int_equal(request(*state, st, STORE_WRITE, MIB - 512, buf, 1024, 0), -EINVAL);
	assert_int_equal(request(*state, st, STORE_DISCARD, MIB - 512, NULL, 1024, 0), -EINVAL);
	assert_int_equal(request(*state, st, STORE_ZERO, -(uint64_t)512, NULL, 1024, 0), -EINVAL);
	store_close(st);
}

static void requests_of_broken_blocks_are_refused(void **state)
{
	struct store *st = small(state, false);
	uint8_t buf[1024];

	assert_int_equal(request(*state, st, STORE_READ, 256, buf, 512, 0), -EINVAL);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 511, 0), -EINVAL);
	store_close(st);
}

static void empty_requests_end_in_place(void **state)
{
	struct store *st = small(state, false);
	struct asked a;

	ask(*state, st, &a, STORE_READ, MIB, NULL, 0, 0);
	assert_int_equal(a.err, 0);
	ask(*state, st, &a, STORE_DISCARD, 0, NULL, 0, 0);
	assert_int_equal(a.err, 0);
	store_close(st);
}

static void read_only_stores_take_no_change(void **state)
{
	struct store *st = small(state, true);
	uint8_t buf[512];

	assert_true(store_read_only(st));
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 512, 0), -EROFS);
	assert_int_equal(request(*state, st, STORE_DISCARD, 0, NULL, 512, 0), -EROFS);
	assert_int_equal(request(*state, st, STORE_ZERO, 0, NULL, 512, 0), -EROFS);
	assert_int_equal(request(*state, st, STORE_READ, 0, buf, 512, 0), 0);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	store_close(st);
}

static void extents_begin_inside_on_a_block(void **state)
{
	struct store *st = small(state, false);
	uint64_t len;
	bool mapped;

	assert_int_equal(store_extent(st, MIB, &len, &mapped), -EINVAL);
	assert_int_equal(store_extent(st, 100, &len, &mapped), -EINVAL);
	store_close(st);
}

static void resize_takes_whole_blocks_and_not_none(void **state)
{
	struct store *st = small(state, false);

	assert_int_equal(store_resize(st, 0), -EINVAL);
	assert_int_equal(store_resize(st, MIB + 1), -EINVAL);
	assert_int_equal(store_resize(st, MIB << 43), -EINVAL);
	assert_int_equal(store_resize(st, MIB), 0);
	assert_int_equal(store_size(st), MIB);
	store_close(st);
}

static void closing_nothing_is_fine(void **state)
{
	(void)state;
	store_close(NULL);
}

static void a_store_ends_with_its_last_reference(void **state)
{
	struct store *st = small(state, false);
	uint8_t buf[512];

	assert_ptr_equal(store_ref(st), st);
	store_close(st);
	assert_int_equal(request(*state, st, STORE_READ, 0, buf, 512, 0), 0);
	store_close(st);
}

static void sizes_print_as_they_are_written(void **state)
{
	struct store_size_text t;

	(void)state;
	assert_string_equal(store_size_print(0, &t), "0 bytes");
	assert_string_equal(store_size_print(1000, &t), "1000 bytes");
	assert_string_equal(store_size_print(1536, &t), "1536 bytes");
	assert_string_equal(store_size_print(512 * MIB, &t), "512M");
	assert_string_equal(store_size_print(1536 * 1024, &t), "1536K");
	assert_string_equal(store_size_print(MIB << 43, &t), "8E");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_refuses_a_kind_that_is_not_there),
		cmocka_unit_test(open_refuses_odd_blocks),
		cmocka_unit_test(open_refuses_a_size_of_broken_blocks),
		cmocka_unit_test(open_refuses_a_size_beyond_any_file),
		cmocka_unit_test(facts_are_those_of_the_configuration),
		cmocka_unit_test(requests_outside_are_refused),
		cmocka_unit_test(requests_of_broken_blocks_are_refused),
		cmocka_unit_test(empty_requests_end_in_place),
		cmocka_unit_test(read_only_stores_take_no_change),
		cmocka_unit_test(extents_begin_inside_on_a_block),
		cmocka_unit_test(resize_takes_whole_blocks_and_not_none),
		cmocka_unit_test(closing_nothing_is_fine),
		cmocka_unit_test(a_store_ends_with_its_last_reference),
		cmocka_unit_test(sizes_print_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, rig_auto, rig_teardown);
}

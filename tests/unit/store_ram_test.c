/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RAM store: memory taken as it is written and given back, places that stay.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_store.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

static struct store *ram(void **state, uint64_t size)
{
	struct store *st = rig_open(
		*state, (struct store_cfg){ .kind = "ram", .size = size, .block_size = 512 });

	assert_non_null(st);
	return st;
}

static uint8_t *place(struct store *st, uint64_t off, uint64_t len)
{
	struct iovec iov;

	assert_int_equal(store_map(st, off, len, &iov, 1), 1);
	assert_int_equal(iov.iov_len, len);
	return iov.iov_base;
}

/* Memory that the store has taken, in bytes: of its own mappings, since sanitizers take more. */
static uint64_t taken(struct store *st)
{
	uintptr_t base = (uintptr_t)place(st, 0, 512), end = base + store_size(st), from = 0, to;
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long rss, sum = 0;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			continue;
		if (from >= base && from < end && sscanf(line, "Rss: %lu kB", &rss) == 1)
			sum += rss;
	}
	fclose(f);
	return (uint64_t)sum * KIB;
}

static void needs_a_size(void **state)
{
	struct rig *rig = *state;

	assert_null(rig_open(rig, (struct store_cfg){ .kind = "ram", .block_size = 512 }));
	assert_string_equal(rig->why.text, "a ram store needs a size");
}

static void says_so_when_it_cannot_be_mapped(void **state)
{
	struct rig *rig = *state;

	assert_null(rig_open(
		rig, (struct store_cfg){ .kind = "ram", .size = 1024 * TIB, .block_size = 512 }));
	assert_int_equal(rig->why.err, -ENOMEM);
	assert_string_equal(rig->why.text, "a ram store of 1P cannot be mapped: Cannot allocate "
					   "memory; give a smaller size");
}

static void unwritten_bytes_are_zeros(void **state)
{
	struct store *st = ram(state, MIB);
	uint8_t buf[4096];

	memset(buf, 1, sizeof(buf));
	assert_int_equal(request(*state, st, STORE_READ, MIB - 4096, buf, 4096, 0), 0);
	assert_true(zeros(buf, sizeof(buf)));
	store_close(st);
}

static void what_is_written_is_read_through_any_scatter_list(void **state)
{
	struct rig *rig = *state;
	struct store *st = ram(state, MIB);
	uint8_t in[1536], a[512], b[1024];
	struct iovec iov[2] = { { a, sizeof(a) }, { b, sizeof(b) } };
	struct store_io io = { .op = STORE_READ,
		.off = 512,
		.len = 1536,
		.iov = iov,
		.iovcnt = 2,
		.loop = rig->loop };

	pattern(in, sizeof(in), 1);
	assert_int_equal(request(rig, st, STORE_WRITE, 512, in, sizeof(in), 0), 0);
	assert_int_equal(store_submit(st, &io), 0);
	assert_memory_equal(a, in, 512);
	assert_memory_equal(b, in + 512, 1024);
	store_close(st);
}

static void the_map_is_the_store(void **state)
{
	struct store *st = ram(state, MIB);
	uint8_t buf[512];

	memset(place(st, 1024, 512), 7, 512);
	assert_int_equal(request(*state, st, STORE_READ, 1024, buf, 512, 0), 0);
	assert_int_equal(buf[0], 7);
	assert_int_equal(buf[511], 7);
	store_close(st);
}

static void the_map_ends_with_the_store(void **state)
{
	struct store *st = ram(state, MIB);
	struct iovec iov;

	assert_int_equal(store_map(st, MIB - 512, 1024, &iov, 1), 0);
	assert_int_equal(store_map(st, MIB + 512, 0, &iov, 1), 0);
	assert_int_equal(store_map(st, 0, 512, &iov, 0), 0);
	store_close(st);
}

static void a_large_store_takes_only_what_is_written(void **state)
{
	struct store *st = ram(state, 8 * GIB);

	assert_int_equal(taken(st), 0);
	memset(place(st, 7 * GIB, MIB), 1, MIB);
	assert_int_equal(taken(st), MIB);
	store_close(st);
}

static void discard_gives_memory_back_and_leaves_zeros(void **state)
{
	struct store *st = ram(state, 64 * MIB);
	uint8_t *p = place(st, 0, 64 * MIB);

	memset(p, 1, 64 * MIB);
	assert_int_equal(taken(st), 64 * MIB);
	/* From the middle of a page to the middle of another. */
	assert_int_equal(request(*state, st, STORE_DISCARD, 512, NULL, 48 * MIB, 0), 0);
	assert_int_equal(taken(st), 16 * MIB + 4 * KIB);
	assert_int_equal(p[511], 1);
	assert_true(zeros(p + 512, 48 * MIB));
	assert_int_equal(p[512 + 48 * MIB], 1);
	store_close(st);
}

static void a_long_discard_lets_the_loop_go_on(void **state)
{
	struct store *st = ram(state, 64 * MIB);
	struct asked a;

	memset(place(st, 0, 64 * MIB), 1, 64 * MIB);
	ask(*state, st, &a, STORE_DISCARD, 0, NULL, 64 * MIB, 0);
	assert_int_equal(a.err, STORE_PENDING);
	loop_step(((struct rig *)*state)->loop);
	assert_true(a.pending);
	assert_int_equal(answer(*state, &a), 0);
	assert_true(zeros(place(st, 0, 64 * MIB), 64 * MIB));
	store_close(st);
}

static void discard_within_two_pages_clears_just_that(void **state)
{
	struct store *st = ram(state, MIB);
	uint8_t *p = place(st, 0, 12288);

	memset(p, 1, 12288);
	assert_int_equal(request(*state, st, STORE_DISCARD, 3584, NULL, 1024, 0), 0);
	assert_int_equal(p[3583], 1);
	assert_true(zeros(p + 3584, 1024));
	assert_int_equal(p[4608], 1);
	store_close(st);
}

static void zeroing_and_discarding_holes_takes_no_memory(void **state)
{
	struct store *st = ram(state, 64 * MIB);

	for (uint64_t off = 512; off < 32 * MIB; off += 4096)
		assert_int_equal(request(*state, st, STORE_DISCARD, off, NULL, 1024, 0), 0);
	assert_int_equal(request(*state, st, STORE_ZERO, 0, NULL, 64 * MIB, 0), 0);
	assert_int_equal(taken(st), 0);
	store_close(st);
}

static void growth_keeps_places_and_reads_as_zeros(void **state)
{
	struct store *st = ram(state, MIB + 512);
	uint8_t *p = place(st, 0, MIB + 512);

	pattern(p, MIB + 512, 3);
	assert_int_equal(store_resize(st, 512 * MIB), 0);
	assert_int_equal(store_size(st), 512 * MIB);
	assert_ptr_equal(place(st, 0, 512 * MIB), p);
	assert_true(zeros(p + MIB + 512, 511 * MIB - 512));
	assert_false(zeros(p + MIB, 512));
	store_close(st);
}

static void growth_ends_at_the_room_that_was_reserved(void **state)
{
	struct store *st = ram(state, GIB);

	assert_int_equal(store_resize(st, 3 * GIB), 0);
	assert_int_equal(store_resize(st, 3 * GIB + 512), -ENOSPC);
	assert_int_equal(store_size(st), 3 * GIB);
	store_close(st);
}

static void what_a_shrink_cut_off_does_not_come_back(void **state)
{
	struct store *st = ram(state, MIB);
	uint8_t *p = place(st, 0, MIB);

	memset(p, 1, MIB);
	assert_int_equal(store_resize(st, 4096 + 512), 0);
	assert_int_equal(request(*state, st, STORE_READ, 4096 + 512, p, 512, 0), -EINVAL);
	assert_int_equal(store_resize(st, MIB), 0);
	assert_int_equal(p[4096 + 511], 1);
	assert_true(zeros(p + 4096 + 512, MIB - 4096 - 512));
	store_close(st);
}

static void places_stay_valid_over_a_shrink(void **state)
{
	struct store *st = ram(state, MIB);
	uint8_t *p = place(st, 0, MIB);

	memset(p, 1, MIB);
	assert_int_equal(store_resize(st, 4096 + 512), 0);
	assert_true(zeros(p + 4096 + 512, MIB - 4096 - 512));
	memset(p + 4096 + 512, 2, MIB - 4096 - 512);
	assert_int_equal(store_resize(st, MIB), 0);
	assert_int_equal(p[4096 + 511], 1);
	assert_true(zeros(p + 4096 + 512, MIB - 4096 - 512));
	store_close(st);
}

static void a_shrink_gives_memory_back(void **state)
{
	struct store *st = ram(state, 64 * MIB);

	memset(place(st, 0, 64 * MIB), 1, 64 * MIB);
	assert_int_equal(store_resize(st, MIB), 0);
	assert_int_equal(taken(st), MIB);
	assert_int_equal(store_resize(st, 64 * MIB), 0);
	assert_int_equal(taken(st), MIB);
	store_close(st);
}

static void extent(struct store *st, uint64_t off, bool want_mapped, uint64_t want_len)
{
	uint64_t len;
	bool mapped;

	assert_int_equal(store_extent(st, off, &len, &mapped), 0);
	assert_int_equal(mapped, want_mapped);
	assert_int_equal(len, want_len);
}

static void extents_tell_what_is_taken(void **state)
{
	struct store *st = ram(state, MIB + 512);

	memset(place(st, 64 * KIB, 8 * KIB), 1, 8 * KIB);
	memset(place(st, MIB, 512), 1, 512);
	extent(st, 0, false, 64 * KIB);
	extent(st, 512, false, 64 * KIB - 512);
	extent(st, 64 * KIB, true, 8 * KIB);
	extent(st, 68 * KIB + 512, true, 4 * KIB - 512);
	extent(st, 72 * KIB, false, MIB - 72 * KIB);
	extent(st, MIB, true, 512);
	store_close(st);
}

static void pages_that_were_only_read_are_holes(void **state)
{
	struct store *st = ram(state, MIB);

	assert_true(zeros(place(st, 0, MIB), MIB));
	extent(st, 0, false, MIB);
	store_close(st);
}

static void discarded_pages_are_holes(void **state)
{
	struct store *st = ram(state, MIB);

	memset(place(st, 0, MIB), 1, MIB);
	extent(st, 0, true, MIB);
	assert_int_equal(request(*state, st, STORE_DISCARD, 0, NULL, 512 * KIB, 0), 0);
	extent(st, 0, false, 512 * KIB);
	extent(st, 512 * KIB, true, 512 * KIB);
	store_close(st);
}

static void a_long_extent_comes_in_parts(void **state)
{
	struct store *st = ram(state, GIB);
	uint64_t off = 0, len;
	bool mapped;

	while (off < GIB) {
		assert_int_equal(store_extent(st, off, &len, &mapped), 0);
		assert_false(mapped);
		assert_true(len > 0 && len <= GIB - off);
		off += len;
	}
	store_close(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_a_size),
		cmocka_unit_test(says_so_when_it_cannot_be_mapped),
		cmocka_unit_test(unwritten_bytes_are_zeros),
		cmocka_unit_test(what_is_written_is_read_through_any_scatter_list),
		cmocka_unit_test(the_map_is_the_store),
		cmocka_unit_test(the_map_ends_with_the_store),
		cmocka_unit_test(a_large_store_takes_only_what_is_written),
		cmocka_unit_test(discard_gives_memory_back_and_leaves_zeros),
		cmocka_unit_test(a_long_discard_lets_the_loop_go_on),
		cmocka_unit_test(discard_within_two_pages_clears_just_that),
		cmocka_unit_test(zeroing_and_discarding_holes_takes_no_memory),
		cmocka_unit_test(growth_keeps_places_and_reads_as_zeros),
		cmocka_unit_test(growth_ends_at_the_room_that_was_reserved),
		cmocka_unit_test(what_a_shrink_cut_off_does_not_come_back),
		cmocka_unit_test(places_stay_valid_over_a_shrink),
		cmocka_unit_test(a_shrink_gives_memory_back),
		cmocka_unit_test(extents_tell_what_is_taken),
		cmocka_unit_test(pages_that_were_only_read_are_holes),
		cmocka_unit_test(discarded_pages_are_holes),
		cmocka_unit_test(a_long_extent_comes_in_parts),
	};

	return cmocka_run_group_tests(tests, rig_auto, rig_teardown);
}

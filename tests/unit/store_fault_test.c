/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fault store does what it is told to, and nothing when it is told nothing.
 */
#include "tests/fault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_store.h"

#define MIB ((uint64_t)1 << 20)

static struct store *faulty(void **state, struct fault_cfg cfg)
{
	struct store *st = rig_open(
		*state, (struct store_cfg){ .kind = "ram", .size = MIB, .block_size = 512 });

	assert_non_null(st);
	assert_int_equal(fault_wrap(st, &st), 0);
	fault_set(st, &cfg);
	return st;
}

static void without_faults_it_is_the_store_below(void **state)
{
	struct store *st = faulty(state, (struct fault_cfg){ 0 });
	uint8_t in[1024], out[1024];

	pattern(in, sizeof(in), 1);
	assert_int_equal(store_size(st), MIB);
	assert_int_equal(request(*state, st, STORE_WRITE, 512, in, sizeof(in), 0), 0);
	assert_int_equal(request(*state, st, STORE_READ, 512, out, sizeof(out), 0), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(fault_seen(st), 2);
	assert_int_equal(fault_failed(st), 0);
	store_close(st);
}

static void nothing_is_mapped_so_that_all_passes_here(void **state)
{
	struct store *st = faulty(state, (struct fault_cfg){ 0 });
	struct iovec iov;

	assert_int_equal(store_map(st, 0, 512, &iov, 1), 0);
	store_close(st);
}

static void the_nth_request_fails_and_the_next_does_not(void **state)
{
	struct store *st = faulty(state, (struct fault_cfg){ .nth = 3, .count = 1, .err = -EIO });
	uint8_t buf[512];
	static const int want[] = { 0, 0, -EIO, 0 };

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(request(*state, st, STORE_READ, 0, buf, 512, 0), want[i]);
	assert_int_equal(fault_failed(st), 1);
	store_close(st);
}

static void without_a_count_all_that_follow_fail(void **state)
{
	struct store *st = faulty(state, (struct fault_cfg){ .nth = 2, .err = -ENOSPC });
	uint8_t buf[512];

	assert_int_equal(request(*state, st, STORE_READ, 0, buf, 512, 0), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(request(*state, st, STORE_READ, 0, buf, 512, 0), -ENOSPC);
	store_close(st);
}

static void only_the_chosen_kinds_count(void **state)
{
	struct store *st = faulty(
		state, (struct fault_cfg){ .ops = 1u << STORE_FLUSH, .nth = 1, .err = -EIO });
	uint8_t buf[512];

	assert_int_equal(request(*state, st, STORE_READ, 0, buf, 512, 0), 0);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), -EIO);
	assert_int_equal(fault_seen(st), 1);
	store_close(st);
}

static void a_write_that_fails_writes_nothing(void **state)
{
	struct store *st = faulty(state, (struct fault_cfg){ .nth = 1, .count = 1, .err = -EIO });
	uint8_t buf[1024];

	memset(buf, 1, sizeof(buf));
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 1024, 0), -EIO);
	assert_int_equal(request(*state, st, STORE_READ, 0, buf, 1024, 0), 0);
	assert_true(zeros(buf, 1024));
	store_close(st);
}

static void a_torn_write_leaves_its_first_half(void **state)
{
	struct rig *rig = *state;
	struct store *st = faulty(
		state, (struct fault_cfg){ .nth = 1, .count = 1, .err = -EIO, .torn = true });
	uint8_t in[2560], out[2560];

	memset(in, 1, sizeof(in));
	assert_int_equal(request(rig, st, STORE_WRITE, 0, in, sizeof(in), 0), -EIO);
	assert_int_equal(request(rig, st, STORE_READ, 0, out, sizeof(out), 0), 0);
	assert_memory_equal(out, in, 1024);
	assert_true(zeros(out + 1024, 1536));
	store_close(st);
}

struct order {
	struct store_io io;
	struct iovec iov;
	int *next, place;
};

static void note_place(struct store_io *io, int err)
{
	struct order *o = container_of(io, struct order, io);

	assert_int_equal(err, 0);
	o->place = (*o->next)++;
}

static void delays_change_the_order(void **state)
{
	enum { N = 64 };
	struct rig *rig = *state;
	struct store *st = faulty(state, (struct fault_cfg){ .delay_ms = 20, .seed = 42 });
	static uint8_t buf[512];
	struct order o[N];
	int next = 0, moved = 0;

	for (int i = 0; i < N; i++) {
		o[i].iov = (struct iovec){ buf, 512 };
		o[i].io = (struct store_io){ .op = STORE_READ,
			.len = 512,
			.iov = &o[i].iov,
			.iovcnt = 1,
			.loop = rig->loop,
			.done = note_place };
		o[i].next = &next;
		assert_int_equal(store_submit(st, &o[i].io), STORE_PENDING);
	}
	while (next < N)
		loop_step(rig->loop);
	for (int i = 0; i < N; i++)
		moved += o[i].place != i;
	assert_true(moved > N / 4);
	store_close(st);
}

static void resizing_and_extents_are_those_of_the_store_below(void **state)
{
	struct store *st = faulty(state, (struct fault_cfg){ 0 });
	uint64_t len;
	bool mapped;

	assert_int_equal(store_resize(st, 2 * MIB), 0);
	assert_int_equal(store_size(st), 2 * MIB);
	assert_int_equal(store_extent(st, 0, &len, &mapped), 0);
	assert_false(mapped);
	store_close(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_faults_it_is_the_store_below),
		cmocka_unit_test(nothing_is_mapped_so_that_all_passes_here),
		cmocka_unit_test(the_nth_request_fails_and_the_next_does_not),
		cmocka_unit_test(without_a_count_all_that_follow_fail),
		cmocka_unit_test(only_the_chosen_kinds_count),
		cmocka_unit_test(a_write_that_fails_writes_nothing),
		cmocka_unit_test(a_torn_write_leaves_its_first_half),
		cmocka_unit_test(delays_change_the_order),
		cmocka_unit_test(resizing_and_extents_are_those_of_the_store_below),
	};

	return cmocka_run_group_tests(tests, rig_auto, rig_teardown);
}

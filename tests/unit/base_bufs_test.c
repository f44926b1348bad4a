/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data buffers: alignment, reuse, and that unused ones go back to the system.
 */
#include "base/bufs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "loop_support.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

static struct bufs *new_bufs(struct loop *loop, size_t keep)
{
	struct bufs *b;

	assert_int_equal(bufs_create(loop, keep, &b), 0);
	return b;
}

static void a_buffer_of_every_size_is_aligned_and_writable_to_its_end(void **state)
{
	struct bufs *b = new_bufs(NULL, 64 * MIB);

	(void)state;
	for (size_t len = 1; len <= BUFS_MAX; len = len < 4096 ? len + 1365 : len * 2 - 5) {
		char *p = bufs_get(b, len);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 4096, 0);
		memset(p, 0x5a, len);
		bufs_put(b, p, len);
	}
	bufs_free(b);
}

static void the_largest_buffer_has_sixteen_mebibytes(void **state)
{
	struct bufs *b = new_bufs(NULL, 0);
	char *p = bufs_get(b, BUFS_MAX);

	(void)state;
	assert_non_null(p);
	p[0] = p[BUFS_MAX - 1] = 1;
	assert_int_equal(bufs_in_use(b), BUFS_MAX);
	bufs_put(b, p, BUFS_MAX);
	bufs_free(b);
}

static void buffers_held_at_once_do_not_overlap(void **state)
{
	struct bufs *b = new_bufs(NULL, MIB);
	unsigned char *p[64];

	(void)state;
	for (int i = 0; i < 64; i++) {
		p[i] = bufs_get(b, 4096);
		memset(p[i], i, 4096);
	}
	for (int i = 0; i < 64; i++) {
		assert_int_equal(p[i][0], i);
		assert_int_equal(p[i][4095], i);
		bufs_put(b, p[i], 4096);
	}
	bufs_free(b);
}

static void the_buffer_returned_last_is_handed_out_first(void **state)
{
	struct bufs *b = new_bufs(NULL, MIB);
	void *p = bufs_get(b, 5000), *q = bufs_get(b, 8192);

	(void)state;
	bufs_put(b, p, 5000);
	bufs_put(b, q, 8192);
	assert_ptr_equal(bufs_get(b, 4097), q);
	assert_ptr_equal(bufs_get(b, 8000), p);
	bufs_put(b, p, 8000);
	bufs_put(b, q, 4097);
	bufs_free(b);
}

static void bytes_in_use_count_whole_classes(void **state)
{
	struct bufs *b = new_bufs(NULL, MIB);
	void *p = bufs_get(b, 1), *q = bufs_get(b, 4097);

	(void)state;
	assert_int_equal(bufs_in_use(b), 4096 + 8192);
	bufs_put(b, p, 1);
	assert_int_equal(bufs_in_use(b), 8192);
	bufs_put(b, q, 4097);
	assert_int_equal(bufs_in_use(b), 0);
	bufs_free(b);
}

static void no_more_is_kept_than_allowed(void **state)
{
	struct bufs *b = new_bufs(NULL, 8192);
	void *p[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		p[i] = bufs_get(b, 4096);
	for (int i = 0; i < 4; i++)
		bufs_put(b, p[i], 4096);
	assert_int_equal(bufs_kept(b), 8192);
	bufs_free(b);
}

static void buffers_that_lie_unused_go_back_to_the_system(void **state)
{
	struct loop *loop;
	struct bufs *b;
	void *p;

	(void)state;
	assert_int_equal(loop_create(0, &loop), 0);
	b = new_bufs(loop, MIB);
	p = bufs_get(b, 64 * KIB);
	bufs_put(b, p, 64 * KIB);
	assert_int_equal(bufs_kept(b), 64 * KIB);
	run_for(loop, 2 * BUFS_TRIM_MS + 100);
	assert_int_equal(bufs_kept(b), 0);
	bufs_free(b);
	loop_free(loop);
}

static void nothing_is_left_armed_once_nothing_is_kept(void **state)
{
	struct loop *loop;
	struct bufs *b;

	(void)state;
	assert_int_equal(loop_create(0, &loop), 0);
	b = new_bufs(loop, MIB);
	bufs_put(b, bufs_get(b, 4096), 4096);
	assert_int_equal(event_base_get_num_events(loop_base(loop), EVENT_BASE_COUNT_ADDED), 2);
	run_for(loop, 2 * BUFS_TRIM_MS + 100);
	assert_int_equal(event_base_get_num_events(loop_base(loop), EVENT_BASE_COUNT_ADDED), 1);
	bufs_free(b);
	loop_free(loop);
}

/* Takes and returns a buffer every 50 ms. */
struct user {
	struct loop_timer timer;
	struct bufs *bufs;
	void *last;
	int changes; /* how often it was not the same buffer again */
};

static void use(struct loop_timer *t)
{
	struct user *u = container_of(t, struct user, timer);
	void *p = bufs_get(u->bufs, 4096);

	if (u->last && p != u->last)
		u->changes++;
	u->last = p;
	bufs_put(u->bufs, p, 4096);
	loop_timer_set(t, 50);
}

static void a_buffer_in_use_now_and_then_is_kept(void **state)
{
	struct loop *loop;
	struct user u = { 0 };
	void *p;

	(void)state;
	assert_int_equal(loop_create(0, &loop), 0);
	u.bufs = new_bufs(loop, MIB);
	p = bufs_get(u.bufs, 4096);
	bufs_put(u.bufs, bufs_get(u.bufs, 4096), 4096);
	bufs_put(u.bufs, p, 4096);
	loop_timer_init(loop, &u.timer, use);
	loop_timer_set(&u.timer, 50);
	run_for(loop, 2 * BUFS_TRIM_MS + 500);
	assert_int_equal(bufs_kept(u.bufs), 4096);
	assert_int_equal(u.changes, 0);
	loop_timer_clear(&u.timer);
	bufs_free(u.bufs);
	loop_free(loop);
}

static void the_end_of_no_buffers_is_harmless(void **state)
{
	(void)state;
	bufs_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_of_every_size_is_aligned_and_writable_to_its_end),
		cmocka_unit_test(the_largest_buffer_has_sixteen_mebibytes),
		cmocka_unit_test(buffers_held_at_once_do_not_overlap),
		cmocka_unit_test(the_buffer_returned_last_is_handed_out_first),
		cmocka_unit_test(bytes_in_use_count_whole_classes),
		cmocka_unit_test(no_more_is_kept_than_allowed),
		cmocka_unit_test(buffers_that_lie_unused_go_back_to_the_system),
		cmocka_unit_test(nothing_is_left_armed_once_nothing_is_kept),
		cmocka_unit_test(a_buffer_in_use_now_and_then_is_kept),
		cmocka_unit_test(the_end_of_no_buffers_is_harmless),
	};

	return cmocka_run_group_tests_name("base/bufs", tests, NULL, NULL);
}

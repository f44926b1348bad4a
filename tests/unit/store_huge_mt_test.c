/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Huge pages under a RAM store: made where everything is written and used, and nowhere
 * else, and nothing that was stored changes. To be run under ThreadSanitizer as well.
 */
#include "store/huge.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include "support_store.h"
#include "tests/skip.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

#define KIB  ((uint64_t)1 << 10)
#define MIB  ((uint64_t)1 << 20)
#define SIZE (8 * MIB)

static struct store *ram(void **state)
{
	struct store *st = rig_open(
		*state, (struct store_cfg){ .kind = "ram", .size = SIZE, .block_size = 512 });

	assert_non_null(st);
	return st;
}

static uint8_t *place(struct store *st, uint64_t off, uint64_t len)
{
	struct iovec iov;

	assert_int_equal(store_map(st, off, len, &iov, 1), 1);
	return iov.iov_base;
}

/* What smaps says of the store's memory, under this name, in bytes. */
static uint64_t told(struct store *st, const char *name)
{
	uintptr_t base = (uintptr_t)place(st, 0, 512), at, from = 0, to;
	FILE *f = fopen("/proc/self/smaps", "r");
	uint64_t sum = 0;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		size_t n = strlen(name);

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &at, &to) == 2)
			from = at;
		else if (from >= base && from < base + SIZE && !strncmp(line, name, n))
			sum += strtoul(line + n, NULL, 10) * KIB;
	}
	fclose(f);
	return sum;
}

static uint64_t huge(struct store *st)
{
	return told(st, "AnonHugePages:");
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* Uses all of the store, so many rounds of a millisecond or more at most, until so much of it
 * stands on huge pages. */
static bool use_for(struct store *st, uint64_t bytes, int rounds)
{
	for (int i = 0; i < rounds && huge(st) != bytes; i++) {
		for (uint64_t off = 0; off < SIZE; off += MIB)
			place(st, off, MIB);
		pause_ms(1);
	}
	return huge(st) == bytes;
}

/* The pool has time also where many others run. */
static bool use_until(struct store *st, uint64_t bytes)
{
	return use_for(st, bytes, 20000);
}

/* It does not come to that: as far as half a second shows. */
static bool use_in_vain(struct store *st, uint64_t bytes)
{
	return !use_for(st, bytes, 500);
}

/* Tests that need them are left out where this kernel, asked without a store, does not make them. */
static void needs_huge_pages(void)
{
	uint8_t *all = mmap(
		NULL, 2 * HUGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *range = all + (-(uintptr_t)all & (HUGE_SIZE - 1));
	int err;

	assert_ptr_not_equal(all, MAP_FAILED);
	memset(range, 1, HUGE_SIZE);
	err = madvise(range, HUGE_SIZE, MADV_COLLAPSE);
	munmap(all, 2 * HUGE_SIZE);
	if (err)
		skip_as("no huge pages on this machine");
}

static void what_is_written_and_used_gets_huge_pages(void **state)
{
	struct store *st;
	uint8_t *want;

	needs_huge_pages();
	st = ram(state);
	want = malloc(SIZE);
	assert_non_null(want);
	pattern(want, SIZE, 1);
	memcpy(place(st, 0, SIZE), want, SIZE);
	assert_true(use_until(st, SIZE));
	assert_memory_equal(place(st, 0, SIZE), want, SIZE);
	assert_int_equal(told(st, "Rss:"), SIZE);
	free(want);
	store_close(st);
}

static void what_is_not_used_stays_as_it_is(void **state)
{
	struct store *st = ram(state);

	memset(place(st, 0, SIZE), 1, SIZE);
	pause_ms(50);
	assert_int_equal(huge(st), 0);
	store_close(st);
}

static void a_range_with_a_hole_takes_no_more_memory(void **state)
{
	struct store *st;
	uint8_t *p;

	needs_huge_pages();
	st = ram(state);
	p = place(st, 0, SIZE);
	memset(p, 1, SIZE);
	/* Two pages are given back, and one of them is read then. */
	assert_int_equal(request(*state, st, STORE_DISCARD, MIB, NULL, 4 * KIB, 0), 0);
	assert_int_equal(request(*state, st, STORE_DISCARD, 5 * MIB, NULL, 4 * KIB, 0), 0);
	assert_true(zeros(p + 5 * MIB, 4 * KIB));
	assert_true(use_until(st, SIZE - 2 * HUGE_SIZE));
	assert_true(use_in_vain(st, SIZE));
	assert_int_equal(huge(st), SIZE - 2 * HUGE_SIZE);
	assert_true(zeros(p + MIB, 4 * KIB));
	store_close(st);
}

static void what_was_only_read_takes_no_memory(void **state)
{
	struct store *st = ram(state);

	assert_true(zeros(place(st, 0, SIZE), SIZE));
	assert_true(use_in_vain(st, SIZE));
	assert_int_equal(told(st, "Anonymous:"), 0);
	store_close(st);
}

static void what_is_discarded_and_written_again_gets_them_again(void **state)
{
	struct store *st;

	needs_huge_pages();
	st = ram(state);
	memset(place(st, 0, SIZE), 1, SIZE);
	assert_true(use_until(st, SIZE));
	assert_int_equal(request(*state, st, STORE_DISCARD, MIB, NULL, 4 * KIB, 0), 0);
	assert_true(zeros(place(st, MIB, 4 * KIB), 4 * KIB));
	assert_int_equal(huge(st), SIZE - HUGE_SIZE);
	memset(place(st, MIB, 4 * KIB), 2, 4 * KIB);
	assert_true(use_until(st, SIZE));
	store_close(st);
}

static void a_read_that_is_announced_finds_what_is_there(void **state)
{
	static uint8_t want[SIZE];
	struct store *st = ram(state);

	pattern(want, SIZE, 1);
	store_soon(st, 0, SIZE);
	assert_int_equal(told(st, "Rss:"), 0);
	memcpy(place(st, 0, SIZE), want, SIZE);
	use_until(st, SIZE);
	for (uint64_t off = 0; off < SIZE; off += 64 * KIB)
		store_soon(st, off, 512 + off % MIB);
	assert_memory_equal(place(st, 0, SIZE), want, SIZE);
	store_close(st);
}

/* --- beside others --------------------------------------------------------------------------- */

struct writer {
	struct store *st;
	pthread_t thread;
	atomic_bool stop;
	bool wrong;
};

/* Writes and reads back a block here and there, as a reactor does. */
static void *write_here_and_there(void *arg)
{
	struct writer *w = arg;
	uint8_t block[512];

	for (unsigned i = 1; !atomic_load(&w->stop); i++) {
		uint8_t *p = place(w->st, (uint64_t)i * 7919 * 512 % SIZE, 512);

		memset(block, (int)i, sizeof(block));
		memcpy(p, block, sizeof(block));
		w->wrong |= memcmp(p, block, sizeof(block)) != 0;
	}
	return NULL;
}

static void writes_meanwhile_are_not_lost(void **state)
{
	struct writer w = { 0 };

	needs_huge_pages();
	w.st = ram(state);
	memset(place(w.st, 0, SIZE), 1, SIZE);
	assert_int_equal(pthread_create(&w.thread, NULL, write_here_and_there, &w), 0);
	assert_true(use_until(w.st, SIZE));
	atomic_store(&w.stop, true);
	pthread_join(w.thread, NULL);
	assert_false(w.wrong);
	store_close(w.st);
}

static void a_store_may_close_at_any_moment(void **state)
{
	for (int i = 0; i < 40; i++) {
		struct store *st = ram(state);

		memset(place(st, 0, SIZE), 1, SIZE);
		for (uint64_t off = 0; off < 2 * SIZE; off += MIB)
			place(st, off % SIZE, MIB);
		if (i % 4)
			pause_ms(i % 4);
		store_close(st);
	}
}

static void a_store_may_shrink_and_grow_meanwhile(void **state)
{
	struct store *st = ram(state);

	memset(place(st, 0, SIZE), 1, SIZE);
	use_for(st, HUGE_SIZE, 1000);
	assert_int_equal(store_resize(st, 3 * MIB), 0);
	assert_int_equal(store_resize(st, SIZE), 0);
	assert_true(zeros(place(st, 3 * MIB, SIZE - 3 * MIB), SIZE - 3 * MIB));
	memset(place(st, 3 * MIB, SIZE - 3 * MIB), 1, SIZE - 3 * MIB);
	use_for(st, SIZE, 1000);
	for (uint64_t off = 0; off < SIZE; off += 4 * KIB)
		assert_int_equal(*place(st, off, 512), 1);
	store_close(st);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, rig_threads, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_and_used_gets_huge_pages),
		TEST(what_is_not_used_stays_as_it_is),
		TEST(a_range_with_a_hole_takes_no_more_memory),
		TEST(what_was_only_read_takes_no_memory),
		TEST(what_is_discarded_and_written_again_gets_them_again),
		TEST(a_read_that_is_announced_finds_what_is_there),
		TEST(writes_meanwhile_are_not_lost),
		TEST(a_store_may_close_at_any_moment),
		TEST(a_store_may_shrink_and_grow_meanwhile),
	};

	return cmocka_run_group_tests_name("huge", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies past the cache: what memcpy() would do, to the byte, at every alignment.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cold.h"

#define EDGE 64

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + i / 251 + 1);
}

/* Copies n bytes from and to places that are so far from a line's beginning. */
static void copy_between(size_t from, size_t to, size_t n)
{
	uint8_t *src = aligned_alloc(EDGE, EDGE * (n / EDGE + 4));
	uint8_t *dst = aligned_alloc(EDGE, EDGE * (n / EDGE + 4));

	assert_non_null(src);
	assert_non_null(dst);
	fill(src, EDGE * (n / EDGE + 4));
	memset(dst, 0xee, EDGE * (n / EDGE + 4));
	cold_copy(dst + EDGE + to, src + from, n);
	assert_memory_equal(dst + EDGE + to, src + from, n);
	for (size_t i = 0; i < EDGE + to; i++)
		assert_int_equal(dst[i], 0xee);
	for (size_t i = EDGE + to + n; i < EDGE * (n / EDGE + 4); i++)
		assert_int_equal(dst[i], 0xee);
	free(src);
	free(dst);
}

static void copies_what_memcpy_would_copy_and_nothing_beside(void **state)
{
	static const size_t lengths[] = { 0, 1, 63, 64, 512, COLD_MIN - 1, COLD_MIN, COLD_MIN + 1,
		COLD_MIN + 63, 4096, 4096 + 512 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (size_t to = 0; to < EDGE; to += 1 + to % 5)
			for (size_t from = 0; from < EDGE; from += 13)
				copy_between(from, to, lengths[i]);
}

/* --- between threads ------------------------------------------------------------------------ */

enum { ROUNDS = 2000, BLOCK = 4096 };

struct post {
	uint8_t block[2][BLOCK];
	atomic_int round; /* block[round % 2] is filled with this number */
	atomic_int read;
	bool torn;
};

static void *read_rounds(void *arg)
{
	struct post *p = arg;

	for (int i = 1; i <= ROUNDS; i++) {
		while (atomic_load_explicit(&p->round, memory_order_acquire) < i)
			;
		for (size_t at = 0; at < BLOCK; at++)
			p->torn |= p->block[i % 2][at] != (uint8_t)i;
		atomic_store_explicit(&p->read, i, memory_order_release);
	}
	return NULL;
}

static void is_seen_before_what_is_written_afterwards(void **state)
{
	struct post *p = calloc(1, sizeof(*p));
	uint8_t block[BLOCK];
	pthread_t reader;

	(void)state;
	assert_non_null(p);
	assert_int_equal(pthread_create(&reader, NULL, read_rounds, p), 0);
	for (int i = 1; i <= ROUNDS; i++) {
		while (atomic_load_explicit(&p->read, memory_order_acquire) < i - 2)
			;
		memset(block, i, BLOCK);
		cold_copy(p->block[i % 2], block, BLOCK);
		atomic_store_explicit(&p->round, i, memory_order_release);
	}
	pthread_join(reader, NULL);
	assert_false(p->torn);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_what_memcpy_would_copy_and_nothing_beside),
		cmocka_unit_test(is_seen_before_what_is_written_afterwards),
	};

	return cmocka_run_group_tests_name("cold", tests, NULL, NULL);
}

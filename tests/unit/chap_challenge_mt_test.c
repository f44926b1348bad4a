/* SPDX-License-Identifier: BSD-2-Clause */
/* One memory of challenges, many threads. */
#include "chap/challenge.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 8, ROUNDS = 2000, HELD = 4 };

struct login_thread {
	pthread_t id;
	struct challenge_memory *memory;
	unsigned failures;
};

/* Holds some challenges at a time, and asks for each of them at every step of its life. */
static void *log_in_and_out(void *arg)
{
	struct login_thread *t = arg;
	struct challenge held[HELD] = { 0 };

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct challenge *c = &held[i % HELD];
		uint8_t stranger[16] = { (uint8_t)i };

		challenge_end(t->memory, c);
		if (challenge_issue(t->memory, CHAP_SHA256, c) != CHALLENGE_OK) {
			t->failures++;
			continue;
		}
		t->failures += challenge_was_ours(t->memory, stranger, sizeof(stranger));
		for (unsigned k = 0; k < HELD && k <= i; k++)
			t->failures += !challenge_was_ours(t->memory, held[k].bytes, held[k].len);
		t->failures += challenge_outstanding(t->memory) > THREADS * HELD;
	}
	for (unsigned k = 0; k < HELD; k++)
		challenge_end(t->memory, &held[k]);
	return NULL;
}

static void every_thread_finds_its_own_challenges_and_no_others(void **state)
{
	struct challenge_memory *m = challenge_memory_new(THREADS * HELD, 16);
	struct login_thread threads[THREADS] = { 0 };

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		threads[i].memory = m;
		assert_int_equal(
			pthread_create(&threads[i].id, NULL, log_in_and_out, &threads[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i].id, NULL), 0);
		assert_int_equal(threads[i].failures, 0);
	}
	assert_int_equal(challenge_outstanding(m), 0);
	challenge_memory_free(m);
}

struct reflector {
	struct challenge_memory *memory;
	struct seen {
		uint8_t bytes[CHALLENGE_MAX];
		size_t len;
	} stolen;
	bool caught;
};

static void *send_it_back(void *arg)
{
	struct reflector *r = arg;

	r->caught = challenge_was_ours(r->memory, r->stolen.bytes, r->stolen.len);
	return NULL;
}

static void a_challenge_of_one_thread_is_known_to_every_other_at_once(void **state)
{
	struct challenge_memory *m = challenge_memory_new(2, 16);

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct reflector r = { .memory = m };
		struct challenge c;
		pthread_t id;

		assert_int_equal(challenge_issue(m, CHAP_MD5, &c), CHALLENGE_OK);
		r.stolen.len = c.len;
		memcpy(r.stolen.bytes, c.bytes, c.len);
		assert_int_equal(pthread_create(&id, NULL, send_it_back, &r), 0);
		challenge_end(m, &c);
		assert_int_equal(pthread_join(id, NULL), 0);
		assert_true(r.caught);
	}
	challenge_memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thread_finds_its_own_challenges_and_no_others),
		cmocka_unit_test(a_challenge_of_one_thread_is_known_to_every_other_at_once),
	};

	return cmocka_run_group_tests_name("chap/challenge, threads", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* An exchange without randomness, digests, memory or room for its challenge. */
#include "chap_exchange_support.h"

/* Our own failures. */

static void without_randomness_there_is_no_challenge(void **state)
{
	struct login l;

	begin(&l, *state);
	key(&l, "CHAP_A", "7");
	faults.no_random = true;
	assert_int_equal(step(&l), EXCHANGE_NO_RANDOM);
	faults_clear();
	assert_int_equal(exchange_result_outcome(EXCHANGE_NO_RANDOM), EXCHANGE_OURS);
	end(&l);
}

static void too_many_logins_under_way_are_refused(void **state)
{
	struct login many[16], l;

	for (int i = 0; i < 16; i++) {
		begin(&many[i], *state);
		offer(&many[i], "7");
	}
	begin(&l, *state);
	key(&l, "CHAP_A", "7");
	assert_int_equal(step(&l), EXCHANGE_TOO_MANY);
	assert_int_equal(exchange_result_outcome(EXCHANGE_TOO_MANY), EXCHANGE_OURS);
	for (int i = 0; i < 16; i++)
		end(&many[i]);
	end(&l);
}

static void a_digest_that_breaks_lets_nobody_in(void **state)
{
	struct login l;

	/* Three to judge the response, the fourth to answer. */
	for (unsigned n = 1; n <= 4; n++) {
		begin(&l, *state);
		offer(&l, "7");
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, THEIR_ID, THEIR_CHALLENGE);
		faults.broken_digest = n;
		assert_int_equal(step(&l), EXCHANGE_NO_DIGEST);
		assert_false(exchange_proved(&l.x));
		end(&l);
	}
}

static void memory_that_runs_out_anywhere_lets_nobody_in(void **state)
{
	enum exchange_result result;
	unsigned n = 0;
	struct login l;

	do {
		begin(&l, *state);
		offer(&l, "7");
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, THEIR_ID, THEIR_CHALLENGE);
		faults.no_memory = ++n;
		result = step(&l);
		faults_clear();
		assert_true(result == EXCHANGE_PROVED || result == EXCHANGE_NO_DIGEST);
		assert_int_equal(exchange_proved(&l.x), result == EXCHANGE_PROVED);
		end(&l);
	} while (result != EXCHANGE_PROVED && n < 100);
	assert_true(n > 4 && n < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXCHANGE_TEST(without_randomness_there_is_no_challenge),
		EXCHANGE_TEST(too_many_logins_under_way_are_refused),
		EXCHANGE_TEST(a_digest_that_breaks_lets_nobody_in),
		EXCHANGE_TEST(memory_that_runs_out_anywhere_lets_nobody_in),
	};

	faults_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The exchange as it should go, with all that the row and the algorithms may say. */
#include "chap_exchange_support.h"

/* Right logins. */

static void the_right_secret_proves_the_initiator_with_every_algorithm(void **state)
{
	struct login l;

	for (size_t i = 0; i < 4; i++) {
		begin(&l, *state);
		offer(&l, algorithms[i].list);
		assert_int_equal(l.alg, 5 + i);
		assert_false(exchange_proved(&l.x));
		prove(&l, INITIATOR, IN_SECRET);
		assert_int_equal(step(&l), EXCHANGE_PROVED);
		assert_int_equal(l.reply.count, 0);
		assert_true(exchange_proved(&l.x));
		assert_false(exchange_was_mutual(&l.x));
		end(&l);
	}
}

static void the_target_proves_itself_when_asked_with_every_algorithm(void **state)
{
	struct login l;

	for (size_t i = 0; i < 4; i++) {
		begin(&l, *state);
		offer(&l, algorithms[i].list);
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, THEIR_ID, THEIR_CHALLENGE);
		assert_int_equal(step(&l), EXCHANGE_PROVED);
		assert_int_equal(l.reply.count, 2);
		assert_string_equal(replied(&l, 0, "CHAP_N"), TARGET);
		assert_string_equal(replied(&l, 1, "CHAP_R"), algorithms[i].answer);
		assert_true(exchange_was_mutual(&l.x));
		end(&l);
	}
}

static void the_strongest_algorithm_is_chosen_in_any_order_of_the_list(void **state)
{
	static const char *const lists[] = { "8,7,6,5", "5,6,7,8", "6,8,5,7", "0x5,0x8",
		"9,8,65535" };
	struct login l;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		begin(&l, *state);
		offer(&l, lists[i]);
		assert_int_equal(l.alg, 8);
		assert_int_equal(l.len, 32);
		end(&l);
	}
}

static void the_configured_order_decides_over_strength(void **state)
{
	struct world *w = *state;
	struct login l;

	w->prefs = (struct chap_prefs){ 0 };
	chap_prefs_add(&w->prefs, 6);
	chap_prefs_add(&w->prefs, 7);
	begin(&l, w);
	offer(&l, "8,7,6,5");
	assert_int_equal(l.alg, 6);
	end(&l);
}

static void user_names_of_the_row_replace_the_names_of_both_sides(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.in_user = "Alice";
	w->spec.out_user = "Bob";
	begin(&l, w);
	offer(&l, "7");
	prove(&l, "Alice", IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_string_equal(replied(&l, 0, "CHAP_N"), "Bob");
	end(&l);
}

static void a_response_may_come_in_base64_or_upper_case(void **state)
{
	struct login l;
	char *p;

	begin(&l, *state);
	offer(&l, "5");
	prove(&l, INITIATOR, IN_SECRET);
	for (p = l.r + 1; *p; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	challenge(&l, "0xC8", "0BEBESExQVFhcYGRobHB0eHw==");
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_string_equal(replied(&l, 1, "CHAP_R"), algorithms[0].answer);
	end(&l);
}

static void a_challenge_of_1_and_of_1024_bytes_is_answered(void **state)
{
	char longest[CODEC_HEX_SIZE(1024)] = "0x";
	struct login l;

	memset(longest + 2, 'a', 2048);
	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, "0", "0x00");
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, "255", longest);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
}

static void requests_without_chap_keys_change_nothing(void **state)
{
	struct login l;

	begin(&l, *state);
	assert_int_equal(step(&l), EXCHANGE_CONTINUE);
	assert_int_equal(l.reply.count, 0);
	offer(&l, "7");
	assert_int_equal(step(&l), EXCHANGE_CONTINUE);
	assert_int_equal(l.reply.count, 0);
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_int_equal(l.reply.count, 0);
	assert_true(exchange_proved(&l.x));
	end(&l);
}

static void only_the_five_keys_of_chap_are_taken(void **state)
{
	struct exchange_keys keys = { 0 };

	(void)state;
	assert_false(exchange_take(&keys, "CHAP_B", "1"));
	assert_false(exchange_take(&keys, "chap_a", "1"));
	assert_false(exchange_take(&keys, "CHAP_", "1"));
	assert_false(exchange_take(&keys, "CHAP_AA", "1"));
	assert_false(exchange_take(&keys, "AuthMethod", "CHAP"));
	assert_true(exchange_take(&keys, "CHAP_A", "1"));
	assert_string_equal(keys.a, "1");
	assert_null(keys.i);
	assert_false(keys.repeated);
}

/* After the end. */

static void a_failed_exchange_does_not_take_the_right_answer_any_more(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, "not-the-secret-1");
	assert_int_equal(step(&l), EXCHANGE_WRONG_SECRET);
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_OVER);
	assert_int_equal(step(&l), EXCHANGE_OVER);
	assert_false(exchange_proved(&l.x));
	end(&l);
}

static void a_proved_exchange_fails_when_it_is_asked_again(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_OVER);
	assert_false(exchange_proved(&l.x));
	end(&l);
}

static void an_exchange_that_was_never_begun_takes_nothing_and_may_be_ended(void **state)
{
	struct login l = { .w = *state };

	assert_int_equal(step(&l), EXCHANGE_OVER);
	key(&l, "CHAP_A", "7");
	assert_int_equal(step(&l), EXCHANGE_OVER);
	end(&l);
	end(&l);
}

static void a_challenge_is_outstanding_until_the_proof_or_the_end(void **state)
{
	struct world *w = *state;
	struct login l;

	begin(&l, w);
	offer(&l, "7");
	assert_int_equal(challenge_outstanding(w->memory), 1);
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_int_equal(challenge_outstanding(w->memory), 0);
	end(&l);
	begin(&l, w);
	offer(&l, "7");
	end(&l);
	assert_int_equal(challenge_outstanding(w->memory), 0);
}

/* Our own failures. */

static void results_have_texts_for_the_log_and_outcomes_for_the_wire(void **state)
{
	(void)state;
	assert_string_equal(exchange_result_text(EXCHANGE_WRONG_SECRET), "wrong secret");
	assert_string_equal(exchange_result_text((enum exchange_result)99), "unknown result");
	assert_int_equal(exchange_result_outcome(EXCHANGE_WRONG_SECRET), EXCHANGE_REFUSE);
	assert_int_equal(exchange_result_outcome((enum exchange_result)99), EXCHANGE_REFUSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXCHANGE_TEST(the_right_secret_proves_the_initiator_with_every_algorithm),
		EXCHANGE_TEST(the_target_proves_itself_when_asked_with_every_algorithm),
		EXCHANGE_TEST(the_strongest_algorithm_is_chosen_in_any_order_of_the_list),
		EXCHANGE_TEST(the_configured_order_decides_over_strength),
		EXCHANGE_TEST(user_names_of_the_row_replace_the_names_of_both_sides),
		EXCHANGE_TEST(a_response_may_come_in_base64_or_upper_case),
		EXCHANGE_TEST(a_challenge_of_1_and_of_1024_bytes_is_answered),
		EXCHANGE_TEST(requests_without_chap_keys_change_nothing),
		EXCHANGE_TEST(only_the_five_keys_of_chap_are_taken),
		EXCHANGE_TEST(a_failed_exchange_does_not_take_the_right_answer_any_more),
		EXCHANGE_TEST(a_proved_exchange_fails_when_it_is_asked_again),
		EXCHANGE_TEST(an_exchange_that_was_never_begun_takes_nothing_and_may_be_ended),
		EXCHANGE_TEST(a_challenge_is_outstanding_until_the_proof_or_the_end),
		EXCHANGE_TEST(results_have_texts_for_the_log_and_outcomes_for_the_wire),
	};

	faults_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs that are wrong, and initiators that try to have the target do their sums. */
#include "chap_exchange_support.h"

/* Wrong proofs. */

static void a_wrong_secret_is_refused_and_no_challenge_answered(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, "not-the-secret-1");
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_WRONG_SECRET);
	assert_false(exchange_proved(&l.x));
	assert_false(exchange_was_mutual(&l.x));
	end(&l);
}

static void a_wrong_name_is_refused_though_the_secret_is_right(void **state)
{
	static const char *const names[] = { "", "host1", "iqn.2026-11.com.example:host1 ",
		"IQN.2026-11.com.example:host1", TARGET };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(one_way(*state, names[i], IN_SECRET), EXCHANGE_WRONG_NAME);
}

static void a_name_is_compared_with_the_initiators_own_spelling(void **state)
{
	struct world *w = *state;

	w->config.initiator_name = "iqn.2026-11.COM.Example:Host1";
	assert_int_equal(one_way(w, "iqn.2026-11.COM.Example:Host1", IN_SECRET), EXCHANGE_PROVED);
}

static void user_names_are_neither_folded_nor_decoded(void **state)
{
	static const char *const names[] = { "alice", "ALICE", "0x416c696365", "0bQWxpY2U=" };
	struct world *w = *state;

	w->spec.in_user = "Alice";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(one_way(w, names[i], IN_SECRET), EXCHANGE_WRONG_NAME);
	w->spec.in_user = "0x416c696365";
	assert_int_equal(one_way(w, "0x416c696365", IN_SECRET), EXCHANGE_PROVED);
}

static void an_initiator_without_a_row_goes_the_whole_way_and_is_refused(void **state)
{
	struct login l;

	begin_with(&l, *state, NULL);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_UNKNOWN_USER);
	end(&l);
}

static void the_dummy_secret_of_sixteen_zeros_opens_nothing(void **state)
{
	static const uint8_t zeros[16];
	struct login l;
	uint8_t digest[CHAP_DIGEST_MAX];
	struct world *w = *state;

	for (int with_row = 0; with_row < 2; with_row++) {
		w->spec.in_secret = (struct secret_view){ 0 };
		w->spec.out_secret = (struct secret_view){ 0 };
		if (with_row)
			begin(&l, w);
		else
			begin_with(&l, w, NULL);
		offer(&l, "7");
		assert_true(chap_digest(w->digests, CHAP_SHA256, (uint8_t)l.id,
			(struct secret_view){ zeros, 16 }, l.challenge, l.len, digest));
		codec_hex(digest, 32, l.r);
		key(&l, "CHAP_N", INITIATOR);
		key(&l, "CHAP_R", l.r);
		assert_int_equal(
			step(&l), with_row ? EXCHANGE_WRONG_SECRET : EXCHANGE_UNKNOWN_USER);
		end(&l);
	}
}

static unsigned digests_of_a_login(
	struct world *w, bool with_row, const char *name, const char *secret)
{
	struct login l;
	unsigned n;

	if (with_row)
		begin(&l, w);
	else
		begin_with(&l, w, NULL);
	offer(&l, "7");
	prove(&l, name, secret);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	faults.digests = 0;
	assert_int_equal(exchange_result_outcome(step(&l)), EXCHANGE_REFUSE);
	n = faults.digests;
	end(&l);
	return n;
}

static void every_wrong_proof_costs_the_same_number_of_digests(void **state)
{
	struct world *w = *state;

	assert_int_equal(digests_of_a_login(w, true, INITIATOR, "not-the-secret-1"), 3);
	assert_int_equal(digests_of_a_login(w, true, "nobody", "not-the-secret-1"), 3);
	assert_int_equal(digests_of_a_login(w, true, "nobody", IN_SECRET), 3);
	assert_int_equal(digests_of_a_login(w, false, INITIATOR, IN_SECRET), 3);
	assert_int_equal(digests_of_a_login(w, false, "nobody", "not-the-secret-1"), 3);
	w->spec.out_secret = (struct secret_view){ 0 };
	assert_int_equal(digests_of_a_login(w, true, INITIATOR, "not-the-secret-1"), 3);
	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW + 1;
	assert_int_equal(digests_of_a_login(w, true, INITIATOR, "not-the-secret-1"), 3);
}

static void a_response_to_another_challenge_or_identifier_is_wrong(void **state)
{
	struct login l, other;

	begin(&l, *state);
	begin(&other, *state);
	offer(&l, "7");
	offer(&other, "7");
	key(&l, "CHAP_N", INITIATOR);
	key(&l, "CHAP_R", response(&other, IN_SECRET));
	assert_int_equal(step(&l), EXCHANGE_WRONG_SECRET);
	other.id ^= 1;
	prove(&other, INITIATOR, IN_SECRET);
	assert_int_equal(step(&other), EXCHANGE_WRONG_SECRET);
	end(&l);
	end(&other);
}

/* Reflection. */

static void our_own_challenge_of_this_exchange_is_not_answered(void **state)
{
	char c[CODEC_HEX_SIZE(CHALLENGE_MAX)];
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	codec_hex(l.challenge, l.len, c);
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, c);
	assert_int_equal(step(&l), EXCHANGE_REFLECTED);
	assert_int_equal(exchange_result_outcome(EXCHANGE_REFLECTED), EXCHANGE_CLOSE);
	end(&l);
}

static void a_challenge_of_a_parallel_login_is_not_answered(void **state)
{
	char c[CODEC_HEX_SIZE(CHALLENGE_MAX)];
	struct login victim, l;

	begin(&victim, *state);
	begin(&l, *state);
	offer(&victim, "7");
	offer(&l, "5");
	codec_hex(victim.challenge, victim.len, c);
	prove(&l, INITIATOR, "not-the-secret-1");
	challenge(&l, THEIR_ID, c);
	assert_int_equal(step(&l), EXCHANGE_REFLECTED);
	end(&l);
	end(&victim);
}

static void a_challenge_of_an_earlier_login_is_not_answered(void **state)
{
	char c[CODEC_HEX_SIZE(CHALLENGE_MAX)];
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	codec_hex(l.challenge, l.len, c);
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, c);
	assert_int_equal(step(&l), EXCHANGE_REFLECTED);
	end(&l);
}

static void a_challenge_whose_login_was_dropped_is_not_answered(void **state)
{
	char c[CODEC_HEX_SIZE(CHALLENGE_MAX)];
	struct login l;

	begin(&l, *state);
	offer(&l, "8");
	codec_hex(l.challenge, l.len, c);
	end(&l);
	begin(&l, *state);
	offer(&l, "8");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, c);
	assert_int_equal(step(&l), EXCHANGE_REFLECTED);
	end(&l);
}

/* One secret in both directions. */

static void the_targets_secret_from_the_initiator_closes_the_connection(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, OUT_SECRET);
	assert_int_equal(step(&l), EXCHANGE_SECRETS_SWAPPED);
	assert_int_equal(exchange_result_outcome(EXCHANGE_SECRETS_SWAPPED), EXCHANGE_CLOSE);
	end(&l);
}

static void a_row_with_one_secret_both_ways_lets_nobody_in(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.out_secret = text(IN_SECRET);
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_SAME_SECRET);
	end(&l);
	w->spec.out_secret = text(OLD_SECRET);
	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW + 1;
	assert_int_equal(one_way(w, INITIATOR, IN_SECRET), EXCHANGE_SAME_SECRET);
}

/* Mutual or not. */

static void mutual_chap_without_a_target_secret_fails(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.out_secret = (struct secret_view){ 0 };
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_NO_TARGET_SECRET);
	assert_false(exchange_proved(&l.x));
	end(&l);
}

static void one_way_is_refused_where_mutual_is_required(void **state)
{
	struct world *w = *state;
	struct login l;

	w->config.require_mutual = true;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_NOT_MUTUAL);
	assert_false(exchange_proved(&l.x));
	end(&l);
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
}

static void a_weak_target_secret_is_used_unless_policy_forbids(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.out_secret = text("11-bytes-it");
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
	w->config.refuse_weak_out = true;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_TARGET_SECRET_WEAK);
	end(&l);
	w->spec.out_secret = text("12-bytes-it-");
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXCHANGE_TEST(a_wrong_secret_is_refused_and_no_challenge_answered),
		EXCHANGE_TEST(a_wrong_name_is_refused_though_the_secret_is_right),
		EXCHANGE_TEST(a_name_is_compared_with_the_initiators_own_spelling),
		EXCHANGE_TEST(user_names_are_neither_folded_nor_decoded),
		EXCHANGE_TEST(an_initiator_without_a_row_goes_the_whole_way_and_is_refused),
		EXCHANGE_TEST(the_dummy_secret_of_sixteen_zeros_opens_nothing),
		EXCHANGE_TEST(every_wrong_proof_costs_the_same_number_of_digests),
		EXCHANGE_TEST(a_response_to_another_challenge_or_identifier_is_wrong),
		EXCHANGE_TEST(our_own_challenge_of_this_exchange_is_not_answered),
		EXCHANGE_TEST(a_challenge_of_a_parallel_login_is_not_answered),
		EXCHANGE_TEST(a_challenge_of_an_earlier_login_is_not_answered),
		EXCHANGE_TEST(a_challenge_whose_login_was_dropped_is_not_answered),
		EXCHANGE_TEST(the_targets_secret_from_the_initiator_closes_the_connection),
		EXCHANGE_TEST(a_row_with_one_secret_both_ways_lets_nobody_in),
		EXCHANGE_TEST(mutual_chap_without_a_target_secret_fails),
		EXCHANGE_TEST(one_way_is_refused_where_mutual_is_required),
		EXCHANGE_TEST(a_weak_target_secret_is_used_unless_policy_forbids),
	};

	faults_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

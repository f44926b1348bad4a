/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that are malformed, missing, or come at the wrong time. */
#include "chap_exchange_support.h"

/* Requests that are not what the step asks for. */

static void a_list_without_anything_for_us_is_refused(void **state)
{
	struct login l;

	begin(&l, *state);
	key(&l, "CHAP_A", "4,9,128");
	assert_int_equal(step(&l), EXCHANGE_NO_ALGORITHM);
	end(&l);
}

static void an_algorithm_that_openssl_refuses_is_not_chosen(void **state)
{
	struct world *w = *state;
	struct login l;

	chap_digests_free(w->digests);
	faults.no_digest = "SHA3-256";
	w->digests = chap_digests_new();
	w->config.digests = w->digests;
	faults_clear();
	begin(&l, w);
	offer(&l, "8,7");
	assert_int_equal(l.alg, 7);
	end(&l);
	begin(&l, w);
	key(&l, "CHAP_A", "8");
	assert_int_equal(step(&l), EXCHANGE_NO_ALGORITHM);
	end(&l);
}

static void a_malformed_list_is_refused(void **state)
{
	static const char *const lists[] = { "", "5,", "MD5", "5 ", "0x", "05" };
	struct login l;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		begin(&l, *state);
		key(&l, "CHAP_A", lists[i]);
		assert_int_equal(step(&l), EXCHANGE_BAD_LIST);
		end(&l);
	}
}

static void a_first_step_with_other_keys_is_refused(void **state)
{
	static const char *const names[] = { "CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C" };
	struct login l;

	for (int with_list = 0; with_list < 2; with_list++) {
		for (size_t i = 0; i < 4; i++) {
			begin(&l, *state);
			if (with_list)
				key(&l, "CHAP_A", "5");
			key(&l, names[i], "0x00");
			assert_int_equal(step(&l), EXCHANGE_KEY_UNEXPECTED);
			end(&l);
		}
	}
}

static void a_second_list_is_refused(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	key(&l, "CHAP_A", "5");
	assert_int_equal(step(&l), EXCHANGE_KEY_UNEXPECTED);
	end(&l);
}

static void half_a_response_or_half_a_challenge_is_refused(void **state)
{
	struct login l;

	for (unsigned keys = 1; keys < 16; keys++) {
		bool n = keys & 1, r = keys & 2, i = keys & 4, c = keys & 8;

		if (n && r && i == c)
			continue;
		begin(&l, *state);
		offer(&l, "7");
		if (n)
			key(&l, "CHAP_N", INITIATOR);
		if (r)
			key(&l, "CHAP_R", response(&l, IN_SECRET));
		if (i)
			key(&l, "CHAP_I", THEIR_ID);
		if (c)
			key(&l, "CHAP_C", THEIR_CHALLENGE);
		assert_int_equal(step(&l), EXCHANGE_KEY_MISSING);
		end(&l);
	}
}

static void a_repeated_key_is_refused_even_if_it_says_the_same(void **state)
{
	struct login l;

	begin(&l, *state);
	key(&l, "CHAP_A", "7");
	key(&l, "CHAP_A", "7");
	assert_int_equal(step(&l), EXCHANGE_KEY_REPEATED);
	end(&l);
	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	key(&l, "CHAP_N", INITIATOR);
	assert_int_equal(step(&l), EXCHANGE_KEY_REPEATED);
	end(&l);
}

static void a_response_of_another_length_or_form_is_refused(void **state)
{
	static const char *const bad[] = { "", "0x", "0x00", "0x0", "text", "0bAAAA",
		"0x000102030405060708090a0b0c0d0e",     /* 15 bytes */
		"0x000102030405060708090a0b0c0d0e0f10", /* 17 */
		"0x000102030405060708090a0b0c0d0e0g",   /* 16 with a bad digit */
		"0bAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	struct login l;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&l, *state);
		offer(&l, "5");
		key(&l, "CHAP_N", INITIATOR);
		key(&l, "CHAP_R", bad[i]);
		assert_int_equal(step(&l), EXCHANGE_BAD_RESPONSE);
		end(&l);
	}
}

static void a_malformed_identifier_is_refused(void **state)
{
	static const char *const bad[] = { "", "256", "-1", "0x100", "1 ", "a" };
	struct login l;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&l, *state);
		offer(&l, "7");
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, bad[i], THEIR_CHALLENGE);
		assert_int_equal(step(&l), EXCHANGE_BAD_IDENTIFIER);
		end(&l);
	}
}

static void a_malformed_or_oversize_challenge_is_refused(void **state)
{
	char oversize[CODEC_HEX_SIZE(1025)] = "0x";
	const char *const bad[] = { "", "0x", "0x1", "00ff", "0b", "0bA", oversize };
	struct login l;

	memset(oversize + 2, '0', 2050);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&l, *state);
		offer(&l, "7");
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, THEIR_ID, bad[i]);
		assert_int_equal(step(&l), EXCHANGE_BAD_CHALLENGE);
		end(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXCHANGE_TEST(a_list_without_anything_for_us_is_refused),
		EXCHANGE_TEST(an_algorithm_that_openssl_refuses_is_not_chosen),
		EXCHANGE_TEST(a_malformed_list_is_refused),
		EXCHANGE_TEST(a_first_step_with_other_keys_is_refused),
		EXCHANGE_TEST(a_second_list_is_refused),
		EXCHANGE_TEST(half_a_response_or_half_a_challenge_is_refused),
		EXCHANGE_TEST(a_repeated_key_is_refused_even_if_it_says_the_same),
		EXCHANGE_TEST(a_response_of_another_length_or_form_is_refused),
		EXCHANGE_TEST(a_malformed_identifier_is_refused),
		EXCHANGE_TEST(a_malformed_or_oversize_challenge_is_refused),
	};

	faults_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

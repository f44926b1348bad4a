/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CHAP on the wire, RFC 7143 12.1.3: who proves what to whom, and what becomes of it when credentials
 * change. What is refused is chap_refusal_test.c's.
 */
#include "wire.h"

#include <stdio.h>

#define NAMES NAMES_TO(LOCKED)

/* --- right logins --------------------------------------------------------------------------- */

static void both_sides_prove_themselves(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	unit_ready(&i);
	logout(&i);
	ini_close(&i);
}

static void one_way_chap_works_although_a_target_secret_is_set(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	c.target_name = NULL;
	ini_open(&i, *state);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	assert_null(answer(&i, "CHAP_R"));
	unit_ready(&i);
	ini_close(&i);
}

static void every_algorithm_proves_both_sides(void **state)
{
	static const char *const algs[] = { "5", "6", "7", "8" };

	for (unsigned k = 0; k < 4; k++) {
		struct chap c = chap_host1();
		struct ini i;

		c.algs = algs[k];
		ini_open(&i, *state);
		assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
		assert_int_equal(c.alg, 5 + k);
		ini_close(&i);
	}
}

static void the_strongest_algorithm_is_chosen_in_whatever_order_they_are_offered(void **state)
{
	static const struct {
		const char *list;
		unsigned alg;
	} offers[] = {
		{ "8,7,6,5", 8 },
		{ "5,6,7,8", 8 },
		{ "5,7,6", 7 },
		{ "5,6", 6 },
		{ "6,5", 6 },
		{ "5,99", 5 },
		{ "0,5", 5 },
		{ "0x07,5", 7 },
	};

	for (size_t k = 0; k < sizeof(offers) / sizeof(offers[0]); k++) {
		struct chap c = chap_host1();
		struct ini i;

		c.algs = offers[k].list;
		ini_open(&i, *state);
		assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
		assert_int_equal(c.alg, offers[k].alg);
		ini_close(&i);
	}
}

static void the_policy_says_which_algorithms_are_wanted(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->policy.chap = (struct chap_prefs){ .count = 2, .alg = { CHAP_SHA1, CHAP_SHA256 } };
	wire_start(w);
	c.algs = "8,7,6,5";
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	assert_int_equal(c.alg, 6);
	ini_close(&i);
}

static void challenges_are_as_long_as_the_digest(void **state)
{
	static const struct {
		const char *list;
		size_t len;
	} algs[] = { { "5", 16 }, { "6", 20 }, { "7", 32 }, { "8", 32 } };

	for (unsigned k = 0; k < 4; k++) {
		struct chap c = chap_host1();
		struct ini i;

		c.algs = algs[k].list;
		ini_open(&i, *state);
		chap_begin(&i, &c, LOCKED);
		assert_int_equal(c.len, algs[k].len);
		ini_close(&i);
	}
}

static void no_two_challenges_are_the_same(void **state)
{
	uint8_t seen[32][16];
	bool other_id = false;
	uint8_t first_id = 0;

	for (unsigned k = 0; k < 32; k++) {
		struct chap c = chap_host1();
		struct ini i;

		ini_open(&i, *state);
		chap_begin(&i, &c, LOCKED);
		memcpy(seen[k], c.challenge, 16);
		for (unsigned j = 0; j < k; j++)
			assert_memory_not_equal(seen[j], seen[k], 16);
		if (k == 0)
			first_id = c.id;
		other_id |= c.id != first_id;
		ini_close(&i);
	}
	assert_true(other_id);
}

static void values_go_out_as_lower_case_hexadecimal(void **state)
{
	struct chap c = chap_host1();
	struct ini i;
	const char *text;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	text = answer(&i, "CHAP_C");
	assert_true(strncmp(text, "0x", 2) == 0);
	assert_int_equal(strspn(text + 2, "0123456789abcdef"), strlen(text + 2));
	ini_close(&i);
}

static void upper_case_hexadecimal_is_understood(void **state)
{
	struct chap c = chap_host1();
	struct ini i;
	char *r;

	c.target_name = NULL;
	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	chap_response(&c);
	r = strstr(c.text, "CHAP_R=0x") + 7;
	for (char *p = r; *p != '\n'; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
	assert_int_equal(login(&i, SEC | TO_OP, c.text), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC | TO_OP);
	ini_close(&i);
}

static void base64(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	*out++ = '0';
	*out++ = 'b';
	for (size_t k = 0; k < n; k += 3) {
		uint32_t v = (uint32_t)p[k] << 16;

		v |= k + 1 < n ? (uint32_t)p[k + 1] << 8 : 0;
		v |= k + 2 < n ? p[k + 2] : 0;
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = k + 1 < n ? digits[v >> 6 & 63] : '=';
		*out++ = k + 2 < n ? digits[v & 63] : '=';
	}
	*out = '\0';
}

static void base64_is_understood(void **state)
{
	struct chap c = chap_host1();
	struct ini i;
	uint8_t hash[64];
	char r[128], challenge[128], keys[1024];
	size_t n;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	n = chap_hash(c.alg, c.id, SECRET, c.challenge, c.len, hash);
	base64(hash, n, r);
	base64(c.ours, c.our_len, challenge);
	snprintf(keys, sizeof(keys), "CHAP_N=%s\nCHAP_R=%s\nCHAP_I=0x4d\nCHAP_C=%s\n", HOST, r,
		challenge);
	assert_int_equal(login(&i, SEC | TO_OP, keys), LOGIN_SUCCESS);
	assert_true(chap_proves_target(&i, &c));
	ini_close(&i);
}

static void a_challenge_of_1024_bytes_is_answered(void **state)
{
	struct chap c = chap_host1();
	struct ini i;
	uint8_t challenge[1024], hash[64], want[64];
	char hex[2051], r[160], keys[4096];
	size_t n;

	fill(challenge, sizeof(challenge), 5);
	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	n = chap_hash(c.alg, c.id, SECRET, c.challenge, c.len, hash);
	snprintf(keys, sizeof(keys), "CHAP_N=%s\nCHAP_R=%s\nCHAP_I=1\nCHAP_C=%s\n", HOST,
		to_hex(hash, n, r), to_hex(challenge, sizeof(challenge), hex));
	assert_int_equal(login(&i, SEC | TO_OP, keys), LOGIN_SUCCESS);
	n = chap_hash(c.alg, 1, TARGET_SECRET, challenge, sizeof(challenge), want);
	assert_answer(&i, "CHAP_R", to_hex(want, n, r));
	ini_close(&i);
}

static void the_order_of_the_keys_does_not_matter(void **state)
{
	struct chap c = chap_host1();
	struct ini i;
	uint8_t hash[64];
	char r[160], ours[160], keys[1024];
	size_t n;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC,
				 "AuthMethod=CHAP\nSessionType=Normal\nTargetName=" LOCKED
				 "\nInitiatorName=" HOST "\n"),
		LOGIN_SUCCESS);
	assert_int_equal(login(&i, SEC, "CHAP_A=7\n"), LOGIN_SUCCESS);
	chap_take_challenge(&i, &c);
	n = chap_hash(7, c.id, SECRET, c.challenge, c.len, hash);
	snprintf(keys, sizeof(keys), "CHAP_C=%s\nCHAP_R=%s\nCHAP_I=77\nCHAP_N=%s\n",
		to_hex(c.ours, c.our_len, ours), to_hex(hash, n, r), HOST);
	assert_int_equal(login(&i, SEC | TO_OP, keys), LOGIN_SUCCESS);
	assert_true(chap_proves_target(&i, &c));
	ini_close(&i);
}

static void the_first_request_may_carry_the_algorithms(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC, NAMES "AuthMethod=CHAP\nCHAP_A=5\n"), LOGIN_SUCCESS);
	assert_answer(&i, "AuthMethod", "CHAP");
	chap_take_challenge(&i, &c);
	assert_int_equal(login(&i, SEC | TO_OP, chap_response(&c)), LOGIN_SUCCESS);
	assert_true(chap_proves_target(&i, &c));
	ini_close(&i);
}

static void the_stage_may_be_left_with_a_request_of_its_own(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(login(&i, SEC, chap_response(&c)), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC);
	assert_true(chap_proves_target(&i, &c));
	assert_int_equal(login(&i, SEC, ""), LOGIN_SUCCESS);
	assert_int_equal(login(&i, SEC | TO_OP, ""), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC | TO_OP);
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void full_feature_may_follow_the_proof_directly(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(login(&i, SEC | TO_FFP, chap_response(&c)), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC | TO_FFP);
	assert_true(chap_proves_target(&i, &c));
	ini_expect_alive(&i);
	ini_close(&i);
}

static void transit_is_not_granted_before_the_proof(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC | TO_OP, NAMES "AuthMethod=CHAP,None\n"), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC);
	assert_int_equal(login(&i, SEC | TO_OP, "CHAP_A=5\n"), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC);
	chap_take_challenge(&i, &c);
	assert_int_equal(login(&i, SEC | TO_OP, chap_response(&c)), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC | TO_OP);
	assert_true(chap_proves_target(&i, &c));
	ini_close(&i);
}

static void an_empty_request_before_the_proof_moves_nothing(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(login(&i, SEC | TO_OP, ""), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC);
	assert_null(answer(&i, "CHAP_R"));
	assert_int_equal(login(&i, SEC | TO_OP, chap_response(&c)), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC | TO_OP);
	ini_close(&i);
}

/* --- names and rows ------------------------------------------------------------------------- */

static void a_row_may_name_its_user_and_the_targets(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->row[0].in_user = "alice";
	w->row[0].out_user = "bob";
	wire_start(w);
	c.name = "alice";
	c.target_name = "bob";
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	ini_close(&i);
}

static void a_user_name_that_looks_like_a_number_is_text(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->row[0].in_user = "0x616c696365";
	wire_start(w);
	c.name = "0x616c696365";
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	ini_close(&i);
	ini_open(&i, w);
	c.name = "alice";
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_AUTH_FAILED);
	ini_close(&i);
}

static void a_row_for_any_initiator_lets_in_who_knows_its_user_and_secret(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->row[0].initiator = CREDENTIAL_DEFAULT;
	w->row[0].in_user = "everybody";
	wire_start(w);
	c.name = "everybody";
	ini_open(&i, w);
	i.name = "iqn.2026-11.com.example:anybody";
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	ini_close(&i);
}

/* --- AuthMethod ----------------------------------------------------------------------------- */

static void none_is_chosen_where_nothing_is_to_be_proved(void **state)
{
	static const char *const offers[] = { "None", "CHAP,None", "None,CHAP", "KRB5,SRP,None" };

	for (size_t k = 0; k < 4; k++) {
		struct ini i;
		char keys[512];

		snprintf(keys, sizeof(keys), "InitiatorName=%s\nTargetName=%s\nAuthMethod=%s\n",
			HOST, OPEN, offers[k]);
		ini_open(&i, *state);
		assert_int_equal(login(&i, SEC | TO_OP, keys), LOGIN_SUCCESS);
		assert_answer(&i, "AuthMethod", "None");
		ini_close(&i);
	}
}

static void chap_is_chosen_where_it_is_required_and_offered(void **state)
{
	static const char *const offers[] = { "CHAP", "CHAP,None", "None,CHAP", "KRB5,CHAP" };

	for (size_t k = 0; k < 4; k++) {
		struct ini i;
		char keys[512];

		snprintf(keys, sizeof(keys), NAMES "AuthMethod=%s\n", offers[k]);
		ini_open(&i, *state);
		assert_int_equal(login(&i, SEC | TO_OP, keys), LOGIN_SUCCESS);
		assert_answer(&i, "AuthMethod", "CHAP");
		assert_int_equal(login_flags(&i), SEC);
		ini_close(&i);
	}
}

/* --- and sessions --------------------------------------------------------------------------- */

static void a_proved_login_replaces_the_session(void **state)
{
	struct chap c = chap_host1(), again = chap_host1();
	struct ini i, other;

	ini_open(&i, *state);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	ini_open(&other, *state);
	assert_int_equal(chap_login(&other, &again, LOCKED, ""), LOGIN_SUCCESS);
	ini_expect_closed(&i);
	ini_expect_alive(&other);
	ini_close(&i);
	ini_close(&other);
}

static void a_second_connection_proves_itself_too(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1(), second = chap_host1();
	struct ini i, more;

	w->policy.max_connections = 2;
	wire_start(w);
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, LOCKED, "MaxConnections=2\n"), LOGIN_SUCCESS);
	ini_open_more(&more, &i, 1);
	assert_int_equal(login(&more, OP | TO_FFP, NAMES), LOGIN_AUTH_FAILED);
	ini_close(&more);
	ini_open_more(&more, &i, 1);
	assert_int_equal(chap_login(&more, &second, LOCKED, ""), LOGIN_SUCCESS);
	ini_expect_alive(&more);
	ini_expect_alive(&i);
	ini_close(&more);
	ini_close(&i);
}

/* --- credentials that change ---------------------------------------------------------------- */

static void a_login_under_way_is_judged_by_the_credential_at_its_proof(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1(), other = chap_host1();
	struct ini i, j;

	other.secret = "initiator-222222";
	ini_open(&i, w);
	chap_begin(&i, &c, LOCKED);
	ini_open(&j, w);
	chap_begin(&j, &other, LOCKED);
	w->row[0].in_secret = (struct secret_view){ (const uint8_t *)"initiator-222222", 16 };
	wire_publish(w);
	assert_int_equal(login(&i, SEC | TO_OP, chap_response(&c)), LOGIN_AUTH_FAILED);
	assert_int_equal(login(&j, SEC | TO_OP, chap_response(&other)), LOGIN_SUCCESS);
	assert_int_equal(login(&j, OP | TO_FFP, ""), LOGIN_SUCCESS);
	ini_close(&i);
	ini_close(&j);
}

static void a_login_ends_when_what_it_has_proved_is_replaced(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, w);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(login(&i, SEC | TO_OP, chap_response(&c)), LOGIN_SUCCESS);
	w->row[0].in_secret = (struct secret_view){ (const uint8_t *)"initiator-222222", 16 };
	wire_publish(w);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void a_login_goes_on_when_what_it_has_proved_has_a_grace(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, w);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(login(&i, SEC | TO_OP, chap_response(&c)), LOGIN_SUCCESS);
	w->row[0].old_secret = w->row[0].in_secret;
	w->row[0].old_until = INT64_MAX;
	w->row[0].in_secret = (struct secret_view){ (const uint8_t *)"initiator-222222", 16 };
	wire_publish(w);
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_login_under_way_to_another_target_goes_on(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_open(&i, w);
	assert_int_equal(
		login(&i, OP, "InitiatorName=" HOST "\nTargetName=" OPEN "\n"), LOGIN_SUCCESS);
	wire_add_target(w, "iqn.2026-11.com.example:third");
	wire_publish(w);
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void closing_a_target_ends_logins_to_it_that_are_under_way(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i, other;

	ini_open(&i, w);
	chap_begin(&i, &c, LOCKED);
	ini_begin(&other, w, "");
	assert_int_equal(wire_close(w, LOCKED, 0), 1);
	ini_expect_closed(&i);
	ini_expect_alive(&other);
	ini_close(&i);
	ini_close(&other);
}

static void removing_a_target_ends_logins_to_it_that_are_under_way(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i, other;

	ini_open(&i, w);
	chap_begin(&i, &c, LOCKED);
	ini_begin(&other, w, "");
	w->ntargets = 1;
	wire_publish(w);
	ini_expect_closed(&i);
	ini_expect_alive(&other);
	ini_close(&i);
	ini_close(&other);
}

static void an_old_secret_is_taken_until_its_grace_is_over(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->row[0].old_secret = (struct secret_view){ (const uint8_t *)"the-old-secret-1", 16 };
	w->row[0].old_until = INT64_MAX;
	wire_start(w);
	c.secret = "the-old-secret-1";
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	ini_close(&i);
	w->row[0].old_until = 1;
	wire_publish(w);
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_AUTH_FAILED);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_sides_prove_themselves),
		TEST(one_way_chap_works_although_a_target_secret_is_set),
		TEST(every_algorithm_proves_both_sides),
		TEST(the_strongest_algorithm_is_chosen_in_whatever_order_they_are_offered),
		TEST_UNSTARTED(the_policy_says_which_algorithms_are_wanted),
		TEST(challenges_are_as_long_as_the_digest),
		TEST(no_two_challenges_are_the_same),
		TEST(values_go_out_as_lower_case_hexadecimal),
		TEST(upper_case_hexadecimal_is_understood),
		TEST(base64_is_understood),
		TEST(a_challenge_of_1024_bytes_is_answered),
		TEST(the_order_of_the_keys_does_not_matter),
		TEST(the_first_request_may_carry_the_algorithms),
		TEST(the_stage_may_be_left_with_a_request_of_its_own),
		TEST(full_feature_may_follow_the_proof_directly),
		TEST(transit_is_not_granted_before_the_proof),
		TEST(an_empty_request_before_the_proof_moves_nothing),
		TEST_UNSTARTED(a_row_may_name_its_user_and_the_targets),
		TEST_UNSTARTED(a_user_name_that_looks_like_a_number_is_text),
		TEST_UNSTARTED(a_row_for_any_initiator_lets_in_who_knows_its_user_and_secret),
		TEST(none_is_chosen_where_nothing_is_to_be_proved),
		TEST(chap_is_chosen_where_it_is_required_and_offered),
		TEST(a_proved_login_replaces_the_session),
		TEST_UNSTARTED(a_second_connection_proves_itself_too),
		TEST(a_login_under_way_is_judged_by_the_credential_at_its_proof),
		TEST(a_login_ends_when_what_it_has_proved_is_replaced),
		TEST(a_login_goes_on_when_what_it_has_proved_has_a_grace),
		TEST(a_login_under_way_to_another_target_goes_on),
		TEST(closing_a_target_ends_logins_to_it_that_are_under_way),
		TEST(removing_a_target_ends_logins_to_it_that_are_under_way),
		TEST_UNSTARTED(an_old_secret_is_taken_until_its_grace_is_over),
	};
	return cmocka_run_group_tests_name("chap", tests, NULL, NULL);
}

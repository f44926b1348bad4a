/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CHAP on the wire, RFC 7143 12.1.3 and 9.2.1: nothing but the right proof, in the right order, lets
 * anybody in, and nobody learns anything from a refusal. Right logins are chap_test.c's.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMES NAMES_TO(LOCKED)

/* Connects from an address of its own for each n: who fails again and again waits for the answer. */
static void open_from(struct ini *i, struct wire *w, size_t n)
{
	char from[32];

	snprintf(from, sizeof(from), "127.0.1.%zu", n + 1);
	ini_open_tcp(i, w, "127.0.0.1", from);
}

/* Goes as far as the challenge, sends `response` in its place, and gives the status. The target must
 * close, and must not have proved itself. */
static unsigned respond(struct ini *i, unsigned flags, const char *response)
{
	unsigned status = login(i, flags, response);

	assert_null(answer(i, "CHAP_R"));
	if (status)
		ini_expect_closed(i);
	ini_close(i);
	return status;
}

/* One first request that must be refused with 0x0201, and the end of the connection. */
static void refused(struct wire *w, unsigned flags, const char *keys)
{
	struct ini i;

	ini_open(&i, w);
	assert_int_equal(login(&i, flags, keys), LOGIN_AUTH_FAILED);
	assert_int_equal(login_flags(&i) & 0x80, 0);
	ini_expect_closed(&i);
	ini_close(&i);
}

/* --- who may not come at all ---------------------------------------------------------------- */

static void a_credential_for_an_open_target_closes_it(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->row[0].scope_name = OPEN;
	wire_start(w);
	refused(w, OP | TO_FFP,
		"InitiatorName=iqn.2026-11.com.example:other\nTargetName=" OPEN
		"\nSessionType=Normal\n");
	c.target_name = OPEN;
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, OPEN, ""), LOGIN_SUCCESS);
	ini_close(&i);
}

static void a_target_that_wants_chap_and_has_no_credentials_lets_nobody_in(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->nrows = 0;
	wire_start(w);
	ini_open(&i, w);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(respond(&i, SEC | TO_OP, chap_response(&c)), LOGIN_AUTH_FAILED);
	refused(w, OP | TO_FFP, NAMES);
}

static void an_initiator_that_is_denied_is_forbidden(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->row[w->nrows++] = (struct credential_spec){ .scope = CREDENTIAL_OF_TARGET,
		.scope_name = LOCKED,
		.initiator = "iqn.2026-11.com.example:bad",
		.type = CREDENTIAL_DENY };
	wire_start(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, SEC | TO_OP,
				 "InitiatorName=iqn.2026-11.com.example:bad\n"
				 "TargetName=" LOCKED "\nSessionType=Normal\nAuthMethod=CHAP\n"),
		LOGIN_FORBIDDEN);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void an_initiator_from_another_address_is_forbidden(void **state)
{
	struct wire *w = *state;
	struct source_range here;
	struct chap c = chap_host1();
	struct ini i;

	assert_true(source_parse("127.0.0.2", &here.first));
	here.last = here.first;
	w->row[0].sources = &here;
	w->row[0].source_count = 1;
	wire_start(w);
	ini_open_tcp(&i, w, "127.0.0.1", "127.0.0.3");
	assert_int_equal(login(&i, SEC, NAMES "AuthMethod=CHAP\n"), LOGIN_FORBIDDEN);
	ini_expect_closed(&i);
	ini_close(&i);
	ini_open_tcp(&i, w, "127.0.0.1", "127.0.0.2");
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	ini_close(&i);
}

/* --- AuthMethod and CHAP_A ------------------------------------------------------------------ */

static void an_initiator_that_does_not_offer_chap_is_refused(void **state)
{
	refused(*state, SEC | TO_OP, NAMES "AuthMethod=None\n");
	refused(*state, SEC | TO_OP, NAMES "AuthMethod=KRB5,SRP\n");
	refused(*state, SEC | TO_OP, NAMES "AuthMethod=chap\n");
	refused(*state, SEC | TO_OP, NAMES "AuthMethod=CHAPX,XCHAP\n");
}

static void an_initiator_that_jumps_over_the_security_stage_is_refused(void **state)
{
	refused(*state, OP | TO_FFP, NAMES);
	refused(*state, OP, NAMES);
}

static void an_initiator_that_leaves_the_security_stage_at_once_is_refused(void **state)
{
	refused(*state, SEC | TO_OP, NAMES);
	refused(*state, SEC | TO_FFP, NAMES);
}

static void going_on_to_the_next_stage_without_the_proof_is_refused(void **state)
{
	for (int step = 0; step < 3; step++) {
		struct ini i;

		ini_open(&i, *state);
		assert_int_equal(
			login(&i, SEC, step ? NAMES "AuthMethod=CHAP\n" : NAMES), LOGIN_SUCCESS);
		if (step == 2)
			assert_int_equal(login(&i, SEC, "CHAP_A=5\n"), LOGIN_SUCCESS);
		assert_int_not_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
		ini_expect_closed(&i);
		ini_close(&i);
	}
}

static void auth_method_twice_is_refused(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC, NAMES "AuthMethod=CHAP\n"), LOGIN_SUCCESS);
	assert_int_equal(login(&i, SEC, "AuthMethod=CHAP\n"), LOGIN_AUTH_FAILED);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void auth_method_changed_to_none_is_refused(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(login(&i, SEC | TO_OP, "AuthMethod=None\n"), LOGIN_AUTH_FAILED);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void chap_keys_before_auth_method_are_refused(void **state)
{
	refused(*state, SEC, NAMES "CHAP_A=5\n");
	refused(*state, SEC, NAMES "CHAP_N=" HOST "\nCHAP_R=0x00112233445566778899aabbccddeeff\n");
}

static void chap_keys_after_none_are_refused(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(
		login(&i, SEC, "InitiatorName=" HOST "\nTargetName=" OPEN "\nAuthMethod=None\n"),
		LOGIN_SUCCESS);
	assert_int_equal(login(&i, SEC | TO_OP, "CHAP_A=5\n"), LOGIN_AUTH_FAILED);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void an_algorithm_that_the_policy_leaves_out_is_refused(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->policy.chap = (struct chap_prefs){ .count = 1, .alg = { CHAP_SHA256 } };
	wire_start(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, SEC, NAMES "AuthMethod=CHAP\n"), LOGIN_SUCCESS);
	assert_int_equal(login(&i, SEC, "CHAP_A=5,6,8\n"), LOGIN_AUTH_FAILED);
	ini_expect_closed(&i);
	ini_close(&i);
}

/* --- steps out of order --------------------------------------------------------------------- */

static void a_response_before_the_challenge_is_refused(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC, NAMES "AuthMethod=CHAP\n"), LOGIN_SUCCESS);
	assert_int_equal(respond(&i, SEC | TO_OP,
				 "CHAP_N=" HOST "\nCHAP_R=0x00112233445566778899aabbccddeeff\n"),
		LOGIN_AUTH_FAILED);
}

static void a_challenge_before_the_algorithm_is_refused(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC, NAMES "AuthMethod=CHAP\n"), LOGIN_SUCCESS);
	assert_int_equal(respond(&i, SEC, "CHAP_I=1\nCHAP_C=0x00112233445566778899aabbccddeeff\n"),
		LOGIN_AUTH_FAILED);
}

static void the_algorithm_twice_is_refused(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(respond(&i, SEC, "CHAP_A=5\n"), LOGIN_AUTH_FAILED);
}

static void a_response_without_a_name_is_refused(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	c.target_name = NULL;
	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	chap_response(&c);
	assert_int_equal(respond(&i, SEC | TO_OP, strchr(c.text, '\n') + 1), LOGIN_AUTH_FAILED);
}

static void a_name_without_a_response_is_refused(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(respond(&i, SEC | TO_OP, "CHAP_N=" HOST "\n"), LOGIN_AUTH_FAILED);
}

static void half_of_a_challenge_is_refused_although_the_response_is_right(void **state)
{
	static const char *const halves[] = { "CHAP_I=7\n",
		"CHAP_C=0x00112233445566778899aabbccddeeff\n" };

	for (int k = 0; k < 2; k++) {
		struct chap c = chap_host1();
		struct ini i;

		c.target_name = NULL;
		ini_open(&i, *state);
		chap_begin(&i, &c, LOCKED);
		chap_response(&c);
		strcat(c.text, halves[k]);
		assert_int_equal(respond(&i, SEC | TO_OP, c.text), LOGIN_AUTH_FAILED);
	}
}

static void a_challenge_after_the_proof_is_not_answered(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	c.target_name = NULL;
	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(login(&i, SEC, chap_response(&c)), LOGIN_SUCCESS);
	assert_int_equal(
		respond(&i, SEC | TO_OP, "CHAP_I=1\nCHAP_C=0x00112233445566778899aabbccddeeff\n"),
		LOGIN_AUTH_FAILED);
}

static void chap_keys_in_the_operational_stage_are_refused(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(login(&i, SEC | TO_OP, chap_response(&c)), LOGIN_SUCCESS);
	assert_int_not_equal(login(&i, OP, "CHAP_I=1\nCHAP_C=0x0011\n"), LOGIN_SUCCESS);
	assert_null(answer(&i, "CHAP_R"));
	ini_expect_closed(&i);
	ini_close(&i);
}

/* --- who is not let in ---------------------------------------------------------------------- */

/* The whole answer to a failed proof, to be compared. */
struct refusal {
	uint8_t bhs[48];
	uint32_t len;
};

static struct refusal failed(
	struct wire *w, const char *initiator, const char *name, const char *secret)
{
	struct chap c = chap_host1();
	struct refusal r;
	struct ini i;

	c.name = name;
	c.secret = secret;
	ini_open(&i, w);
	i.name = initiator;
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(login(&i, SEC | TO_OP, chap_response(&c)), LOGIN_AUTH_FAILED);
	memcpy(r.bhs, i.bhs, 48);
	r.len = i.len;
	ini_expect_closed(&i);
	ini_close(&i);
	return r;
}

static void a_wrong_secret_a_wrong_name_and_a_stranger_get_the_same_answer(void **state)
{
	struct refusal secret = failed(*state, HOST, HOST, "initiator-111112");
	struct refusal name = failed(*state, HOST, "somebody", SECRET);
	struct refusal stranger = failed(*state, "iqn.2026-11.com.example:stranger",
		"iqn.2026-11.com.example:stranger", SECRET);

	assert_int_equal(secret.len, 0);
	assert_memory_equal(&secret, &name, sizeof(secret));
	assert_memory_equal(&secret, &stranger, sizeof(secret));
}

static void the_beginning_of_a_secret_is_not_the_secret(void **state)
{
	failed(*state, HOST, HOST, "initiator-11111");
	failed(*state, HOST, HOST, "initiator-1111111");
	failed(*state, HOST, HOST, "Initiator-111111");
}

static void the_targets_own_secret_does_not_let_anybody_in(void **state)
{
	failed(*state, HOST, HOST, TARGET_SECRET);
}

static void the_name_of_another_initiator_is_not_enough(void **state)
{
	/* The right user and secret, under an InitiatorName that they do not belong to. */
	failed(*state, "iqn.2026-11.com.example:thief", HOST, SECRET);
}

static void a_challenge_is_never_answered_to_somebody_who_is_not_proved(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	c.secret = "not-the-secret-1";
	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	/* respond() checks that there is no CHAP_R. */
	assert_int_equal(respond(&i, SEC | TO_OP, chap_response(&c)), LOGIN_AUTH_FAILED);
	assert_int_equal(i.len, 0);
}

static void after_a_refusal_the_right_response_comes_too_late(void **state)
{
	struct chap c = chap_host1();
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	p = pdu_login(
		&i, SEC | TO_OP, "CHAP_N=" HOST "\nCHAP_R=0x00112233445566778899aabbccddeeff\n");
	ini_send(&i, &p);
	p = pdu_login(&i, SEC | TO_OP, chap_response(&c));
	ini_send_may_fail(&i, &p);
	assert_int_equal(login_answer(&i), LOGIN_AUTH_FAILED);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void mutual_chap_without_a_target_secret_is_refused(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->row[0].out_secret = (struct secret_view){ NULL, 0 };
	wire_start(w);
	ini_open(&i, w);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(respond(&i, SEC | TO_OP, chap_response(&c)), LOGIN_AUTH_FAILED);
	c.target_name = NULL;
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	ini_close(&i);
}

static void strict_chap_does_not_answer_with_a_weak_secret(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->policy.chap_strict = true;
	w->row[0].out_secret = (struct secret_view){ (const uint8_t *)"short", 5 };
	wire_start(w);
	ini_open(&i, w);
	chap_begin(&i, &c, LOCKED);
	assert_int_equal(respond(&i, SEC | TO_OP, chap_response(&c)), LOGIN_AUTH_FAILED);
}

/* --- malformed values ----------------------------------------------------------------------- */

static void malformed_lists_of_algorithms_are_refused(void **state)
{
	static const char *const lists[] = { "", ",", "5,", ",5", "5,,6", "MD5", "-5", "5 ", " 5",
		"5;6", "05", "99", "0", "0x", "4294967301", "1,2,3,4",
		"9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,5" };

	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		char key[128];
		struct ini i;

		snprintf(key, sizeof(key), "CHAP_A=%s\n", lists[k]);
		open_from(&i, *state, k);
		assert_int_equal(login(&i, SEC, NAMES "AuthMethod=CHAP\n"), LOGIN_SUCCESS);
		if (login(&i, SEC, key) != LOGIN_AUTH_FAILED)
			fail_msg("CHAP_A=%s was not refused", lists[k]);
		ini_expect_closed(&i);
		ini_close(&i);
	}
}

static void malformed_responses_are_refused(void **state)
{
	static const char *const values[] = {
		"", "0x", "0b", "x", "0", "00112233445566778899aabbccddeeff",
		"0x00112233445566778899aabbccddeef",    /* odd */
		"0x00112233445566778899aabbccddee",     /* a byte less */
		"0x00112233445566778899aabbccddeeff00", /* a byte more */
		"0x00112233445566778899aabbccddeefg", "0x 0112233445566778899aabbccddeeff",
		"0bAAAA", "0bABEiM0RVZneImaq7zN3u/w", "0b====", "0b!",
		"0bABEiM0RVZneImaq7zN3u/x==", /* bits beyond the last byte */
	};

	for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
		struct chap c = chap_host1();
		char keys[512];
		struct ini i;

		open_from(&i, *state, k);
		chap_begin(&i, &c, LOCKED);
		snprintf(keys, sizeof(keys), "CHAP_N=%s\nCHAP_R=%s\n", HOST, values[k]);
		if (respond(&i, SEC | TO_OP, keys) != LOGIN_AUTH_FAILED)
			fail_msg("CHAP_R=%s was not refused", values[k]);
	}
}

static void malformed_identifiers_and_challenges_are_refused_although_the_response_is_right(
	void **state)
{
	static const char *const values[] = {
		"CHAP_I=256\nCHAP_C=0x00112233445566778899aabbccddeeff\n",
		"CHAP_I=-1\nCHAP_C=0x00112233445566778899aabbccddeeff\n",
		"CHAP_I=0x100\nCHAP_C=0x00112233445566778899aabbccddeeff\n",
		"CHAP_I=\nCHAP_C=0x00112233445566778899aabbccddeeff\n",
		"CHAP_I=1x\nCHAP_C=0x00112233445566778899aabbccddeeff\n",
		"CHAP_I=1\nCHAP_C=\n",
		"CHAP_I=1\nCHAP_C=0x\n",
		"CHAP_I=1\nCHAP_C=0x123\n",
		"CHAP_I=1\nCHAP_C=0b\n",
		"CHAP_I=1\nCHAP_C=0bAAA\n",
		"CHAP_I=1\nCHAP_C=plain\n",
		"CHAP_I=1\nCHAP_C=0x00112233445566778899aabbccddeeff\nCHAP_I=1\n",
	};

	for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
		struct chap c = chap_host1();
		struct ini i;

		c.target_name = NULL;
		open_from(&i, *state, k);
		chap_begin(&i, &c, LOCKED);
		chap_response(&c);
		strcat(c.text, values[k]);
		if (respond(&i, SEC | TO_OP, c.text) != LOGIN_AUTH_FAILED)
			fail_msg("%s was not refused", values[k]);
	}
}

/* A response with a value of n characters '1' in `key`, else right. */
static unsigned oversized(struct wire *w, size_t from, const char *key, size_t n)
{
	struct chap c = chap_host1();
	struct ini i;
	char *keys = malloc(n + 1024), *p;
	unsigned status;

	assert_non_null(keys);
	c.target_name = NULL;
	open_from(&i, w, from);
	chap_begin(&i, &c, LOCKED);
	p = keys + sprintf(keys, "%s", strcmp(key, "CHAP_C") == 0 ? chap_response(&c) : "");
	if (strcmp(key, "CHAP_C") == 0)
		p += sprintf(p, "CHAP_I=1\n");
	if (strcmp(key, "CHAP_R") == 0)
		p += sprintf(p, "CHAP_N=" HOST "\n");
	if (strcmp(key, "CHAP_N") == 0)
		p += sprintf(p, "CHAP_R=0x00112233445566778899aabbccddeeff\n");
	p += sprintf(p, "%s=0x", key);
	memset(p, '1', n);
	strcpy(p + n, "\n");
	status = respond(&i, SEC | TO_OP, keys);
	free(keys);
	return status;
}

static void oversized_values_are_refused(void **state)
{
	static const struct {
		const char *key;
		size_t len;
	} values[] = { { "CHAP_C", 2050 }, { "CHAP_C", 6000 }, { "CHAP_R", 2048 },
		{ "CHAP_R", 7000 }, { "CHAP_N", 7000 }, { "CHAP_A", 7000 } };

	for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++)
		assert_int_not_equal(
			oversized(*state, k, values[k].key, values[k].len), LOGIN_SUCCESS);
}

/* --- reflection: 9.2.1 ---------------------------------------------------------------------- */

/* Answers with the right response and the given challenge, which is one of the target's; the target
 * must close without answering it. */
static void reflect(struct ini *i, struct chap *c, const uint8_t *challenge, size_t len)
{
	memcpy(c->ours, challenge, len);
	c->our_len = len;
	assert_int_equal(login(i, SEC | TO_OP, chap_response(c)), LOGIN_AUTH_FAILED);
	assert_null(answer(i, "CHAP_R"));
	ini_expect_closed(i);
	ini_close(i);
}

static void a_challenge_reflected_on_the_same_connection_closes_it(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	reflect(&i, &c, c.challenge, c.len);
}

static void a_challenge_reflected_by_a_second_connection_closes_it(void **state)
{
	struct chap victim = chap_host1(), c = chap_host1();
	struct ini i, other;

	ini_open(&i, *state);
	chap_begin(&i, &victim, LOCKED);
	ini_open(&other, *state);
	chap_begin(&other, &c, LOCKED);
	reflect(&other, &c, victim.challenge, victim.len);
	/* The login that the challenge belongs to is not harmed. */
	assert_int_equal(login(&i, SEC | TO_OP, chap_response(&victim)), LOGIN_SUCCESS);
	assert_true(chap_proves_target(&i, &victim));
	ini_close(&i);
}

static void a_challenge_reflected_after_its_login_closes_the_connection(void **state)
{
	struct chap first = chap_host1(), c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(chap_login(&i, &first, LOCKED, ""), LOGIN_SUCCESS);
	ini_close(&i);
	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	reflect(&i, &c, first.challenge, first.len);
}

static void a_challenge_reflected_after_its_connection_was_dropped_closes_the_connection(
	void **state)
{
	struct chap first = chap_host1(), c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &first, LOCKED);
	ini_close(&i);
	wire_expect_connections(*state, 0);
	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	reflect(&i, &c, first.challenge, first.len);
}

static void a_reflected_challenge_is_found_out_before_the_proof_too(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	c.secret = "not-the-secret-1";
	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	reflect(&i, &c, c.challenge, c.len);
}

static void a_challenge_of_the_discovery_session_is_known_to_the_others(void **state)
{
	struct wire *w = *state;
	struct chap d = chap_host1(), c = chap_host1();
	struct ini i;

	w->policy.discovery_chap = true;
	wire_start(w);
	ini_open(&i, w);
	chap_begin(&i, &d, NULL);
	ini_close(&i);
	ini_open(&i, w);
	chap_begin(&i, &c, LOCKED);
	reflect(&i, &c, d.challenge, d.len);
}

/* --- and sessions --------------------------------------------------------------------------- */

static void a_failed_login_does_not_replace_the_session(void **state)
{
	struct chap c = chap_host1(), thief = chap_host1();
	struct ini i, other;

	ini_open(&i, *state);
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	thief.secret = "not-the-secret-1";
	ini_open(&other, *state);
	assert_int_equal(chap_login(&other, &thief, LOCKED, ""), LOGIN_AUTH_FAILED);
	ini_close(&other);
	refused(*state, OP | TO_FFP, NAMES);
	ini_expect_alive(&i);
	ini_close(&i);
}

/* --- failures, again and again -------------------------------------------------------------- */

static void an_address_that_keeps_failing_waits_longer_and_nobody_else_does(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini slow, i;
	struct pdu p;

	for (int k = 0; k < 5; k++) {
		struct chap wrong = chap_host1();

		wrong.secret = "not-the-secret-1";
		ini_open_tcp(&i, w, "127.0.0.1", "127.0.0.2");
		assert_int_equal(chap_login(&i, &wrong, LOCKED, ""), LOGIN_AUTH_FAILED);
		ini_close(&i);
	}
	c.secret = "not-the-secret-1";
	ini_open_tcp(&slow, w, "127.0.0.1", "127.0.0.2");
	chap_begin(&slow, &c, LOCKED);
	p = pdu_login(&slow, SEC | TO_OP, chap_response(&c));
	ini_send(&slow, &p);
	ini_expect_silence(&slow, 150);
	/* Meanwhile from elsewhere, and from there with the right secret: at once. */
	c = chap_host1();
	ini_open_tcp(&i, w, "127.0.0.1", "127.0.0.3");
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	ini_close(&i);
	assert_int_equal(login_answer(&slow), LOGIN_AUTH_FAILED);
	ini_expect_closed(&slow);
	ini_close(&slow);
	c = chap_host1();
	ini_open_tcp(&i, w, "127.0.0.1", "127.0.0.2");
	assert_int_equal(chap_login(&i, &c, LOCKED, ""), LOGIN_SUCCESS);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_UNSTARTED(an_algorithm_that_the_policy_leaves_out_is_refused),
		TEST_UNSTARTED(a_credential_for_an_open_target_closes_it),
		TEST_UNSTARTED(a_target_that_wants_chap_and_has_no_credentials_lets_nobody_in),
		TEST_UNSTARTED(an_initiator_that_is_denied_is_forbidden),
		TEST_UNSTARTED(an_initiator_from_another_address_is_forbidden),
		TEST(an_initiator_that_does_not_offer_chap_is_refused),
		TEST(an_initiator_that_jumps_over_the_security_stage_is_refused),
		TEST(an_initiator_that_leaves_the_security_stage_at_once_is_refused),
		TEST(going_on_to_the_next_stage_without_the_proof_is_refused),
		TEST(auth_method_twice_is_refused),
		TEST(auth_method_changed_to_none_is_refused),
		TEST(chap_keys_before_auth_method_are_refused),
		TEST(chap_keys_after_none_are_refused),
		TEST(a_response_before_the_challenge_is_refused),
		TEST(a_challenge_before_the_algorithm_is_refused),
		TEST(the_algorithm_twice_is_refused),
		TEST(a_response_without_a_name_is_refused),
		TEST(a_name_without_a_response_is_refused),
		TEST(half_of_a_challenge_is_refused_although_the_response_is_right),
		TEST(a_challenge_after_the_proof_is_not_answered),
		TEST(chap_keys_in_the_operational_stage_are_refused),
		TEST(a_wrong_secret_a_wrong_name_and_a_stranger_get_the_same_answer),
		TEST(the_beginning_of_a_secret_is_not_the_secret),
		TEST(the_targets_own_secret_does_not_let_anybody_in),
		TEST(the_name_of_another_initiator_is_not_enough),
		TEST(a_challenge_is_never_answered_to_somebody_who_is_not_proved),
		TEST(after_a_refusal_the_right_response_comes_too_late),
		TEST_UNSTARTED(mutual_chap_without_a_target_secret_is_refused),
		TEST_UNSTARTED(strict_chap_does_not_answer_with_a_weak_secret),
		TEST(malformed_lists_of_algorithms_are_refused),
		TEST(malformed_responses_are_refused),
		TEST(malformed_identifiers_and_challenges_are_refused_although_the_response_is_right),
		TEST(oversized_values_are_refused),
		TEST(a_challenge_reflected_on_the_same_connection_closes_it),
		TEST(a_challenge_reflected_by_a_second_connection_closes_it),
		TEST(a_challenge_reflected_after_its_login_closes_the_connection),
		TEST(a_challenge_reflected_after_its_connection_was_dropped_closes_the_connection),
		TEST(a_reflected_challenge_is_found_out_before_the_proof_too),
		TEST_UNSTARTED(a_challenge_of_the_discovery_session_is_known_to_the_others),
		TEST(a_failed_login_does_not_replace_the_session),
		TEST(an_address_that_keeps_failing_waits_longer_and_nobody_else_does),
	};
	return cmocka_run_group_tests_name("CHAP refused", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* HeaderDigest and DataDigest (RFC 7143 13.1), and what policy makes of them. */
#include "iscsi_negotiate_support.h"

static struct talk login_with_digests(enum digest_policy header, enum digest_policy data)
{
	static struct iscsi_policy policy;

	policy = usual;
	policy.header_digest = header;
	policy.data_digest = data;
	return login_with(&policy);
}

static void the_initiators_first_digest_is_taken(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_LAST(&t, "HeaderDigest=CRC32C,None;DataDigest=None,CRC32C;",
		"HeaderDigest=CRC32C;DataDigest=None;", NEGOTIATE_OK);
	assert_true(t.n.params.header_digest);
	assert_false(t.n.params.data_digest);
}

static void unknown_digests_are_passed_over(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "HeaderDigest=Z-example,CRC32C;DataDigest=SHA1,None;",
		"HeaderDigest=CRC32C;DataDigest=None;");
}

static void a_list_without_a_digest_that_we_have_is_rejected(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_LAST(&t, "HeaderDigest=SHA1;DataDigest=crc32c,NONE;",
		"HeaderDigest=Reject;DataDigest=Reject;", NEGOTIATE_OK);
	assert_false(t.n.params.header_digest || t.n.params.data_digest);
}

static void malformed_lists_are_rejected(void **state)
{
	(void)state;
	static const char *const bad[] = { "", ",", "CRC32C,", ",CRC32C", "CRC32C,,None" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "HeaderDigest=%s;", bad[i]);
		struct talk t = login();
		ASSERT_ANSWER(&t, text, "HeaderDigest=Reject;");
	}
}

static void a_policy_of_no_digests_takes_only_none(void **state)
{
	(void)state;
	struct talk t = login_with_digests(DIGEST_NEVER, DIGEST_NEVER);
	ASSERT_LAST(&t, "HeaderDigest=CRC32C,None;DataDigest=CRC32C;",
		"HeaderDigest=None;DataDigest=Reject;", NEGOTIATE_OK);
	assert_false(t.n.params.header_digest || t.n.params.data_digest);
}

static void a_required_digest_is_taken_wherever_it_stands(void **state)
{
	(void)state;
	struct talk t = login_with_digests(DIGEST_REQUIRED, DIGEST_REQUIRED);
	ASSERT_LAST(&t, "HeaderDigest=None,CRC32C;DataDigest=CRC32C;",
		"HeaderDigest=CRC32C;DataDigest=CRC32C;", NEGOTIATE_OK);
	assert_true(t.n.params.header_digest && t.n.params.data_digest);
}

static void an_initiator_without_a_required_digest_is_refused(void **state)
{
	(void)state;
	struct talk t = login_with_digests(DIGEST_REQUIRED, DIGEST_OPTIONAL);
	ASSERT_LAST(&t, "HeaderDigest=None;", "HeaderDigest=Reject;", NEGOTIATE_REFUSED);
	assert_string_equal(t.n.why, "a digest is required here");
	assert_int_equal(t.n.culprit, KEY_HEADER_DIGEST);
}

static void a_required_digest_that_was_not_offered_is_asked_for(void **state)
{
	(void)state;
	struct talk t = login_with_digests(DIGEST_REQUIRED, DIGEST_REQUIRED);
	ASSERT_LAST(
		&t, "DataDigest=CRC32C;", "DataDigest=CRC32C;HeaderDigest=CRC32C;", NEGOTIATE_MORE);
	ASSERT_LAST(&t, "HeaderDigest=CRC32C;", "", NEGOTIATE_OK);
	assert_true(t.n.params.header_digest && t.n.params.data_digest);
}

static void both_required_digests_are_asked_for_at_once(void **state)
{
	(void)state;
	struct talk t = login_with_digests(DIGEST_REQUIRED, DIGEST_REQUIRED);
	ASSERT_LAST(&t, "", "HeaderDigest=CRC32C;DataDigest=CRC32C;", NEGOTIATE_MORE);
	ASSERT_LAST(&t, "DataDigest=CRC32C;HeaderDigest=CRC32C;", "", NEGOTIATE_OK);
}

static void an_initiator_that_declines_a_required_digest_is_refused(void **state)
{
	(void)state;
	static const char *const declines[] = { "HeaderDigest=Reject;", "HeaderDigest=None;",
		"HeaderDigest=NotUnderstood;" };
	for (size_t i = 0; i < 3; i++) {
		struct talk t = login_with_digests(DIGEST_REQUIRED, DIGEST_OPTIONAL);
		ASSERT_LAST(&t, "", "HeaderDigest=CRC32C;", NEGOTIATE_MORE);
		ASSERT_LAST(&t, declines[i], "", NEGOTIATE_REFUSED);
	}
}

static void an_offer_of_ours_must_be_answered(void **state)
{
	(void)state;
	struct talk t = login_with_digests(DIGEST_REQUIRED, DIGEST_OPTIONAL);
	ASSERT_LAST(&t, "", "HeaderDigest=CRC32C;", NEGOTIATE_MORE);
	ASSERT_LAST(&t, "", "", NEGOTIATE_ERROR);
	assert_string_equal(t.n.why, "our offer was not answered");
	assert_int_equal(t.n.culprit, KEY_HEADER_DIGEST);
}

static void a_required_digest_cannot_be_jumped_over(void **state)
{
	(void)state;
	struct talk t = login_with_digests(DIGEST_OPTIONAL, DIGEST_REQUIRED);
	t.n.stage = STAGE_SECURITY; /* and from there to full feature phase */
	ASSERT_LAST(&t, "", "", NEGOTIATE_REFUSED);
	assert_int_equal(t.n.culprit, KEY_DATA_DIGEST);
}

static void discovery_needs_no_digest(void **state)
{
	(void)state;
	struct talk t = login_with_digests(DIGEST_REQUIRED, DIGEST_REQUIRED);
	t.n.discovery = true;
	ASSERT_LAST(&t, "HeaderDigest=None;", "HeaderDigest=None;", NEGOTIATE_OK);
}

static void digests_are_not_rejected_for_a_session_type_that_comes_later(void **state)
{
	(void)state;
	struct talk t = login_with_digests(DIGEST_REQUIRED, DIGEST_REQUIRED);
	struct key_out out = key_out_of(1000);
	struct key_pair digest = { "HeaderDigest", "None", 4 };
	assert_int_equal(negotiate_key(&t.n, &digest, &out), NEGOTIATE_OK);
	t.n.discovery = true; /* SessionType=Discovery was the last key */
	negotiate_reply(&t.n, &out);
	show(&t, &out);
	assert_string_equal(t.answer, "HeaderDigest=None;");
	key_out_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_initiators_first_digest_is_taken),
		cmocka_unit_test(unknown_digests_are_passed_over),
		cmocka_unit_test(a_list_without_a_digest_that_we_have_is_rejected),
		cmocka_unit_test(malformed_lists_are_rejected),
		cmocka_unit_test(a_policy_of_no_digests_takes_only_none),
		cmocka_unit_test(a_required_digest_is_taken_wherever_it_stands),
		cmocka_unit_test(an_initiator_without_a_required_digest_is_refused),
		cmocka_unit_test(a_required_digest_that_was_not_offered_is_asked_for),
		cmocka_unit_test(both_required_digests_are_asked_for_at_once),
		cmocka_unit_test(an_initiator_that_declines_a_required_digest_is_refused),
		cmocka_unit_test(an_offer_of_ours_must_be_answered),
		cmocka_unit_test(a_required_digest_cannot_be_jumped_over),
		cmocka_unit_test(discovery_needs_no_digest),
		cmocka_unit_test(digests_are_not_rejected_for_a_session_type_that_comes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

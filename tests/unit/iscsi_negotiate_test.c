/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Negotiation of the operational keys: RFC 7143 6.2 and each key of section 13, as the text that
 * an initiator sends and the text that it gets. NULs are written as ';'.
 */
#include "iscsi/negotiate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct iscsi_policy usual = {
	.max_recv_data_segment_length = 262144,
	.max_burst_length = 1048576,
	.first_burst_length = 131072,
	.max_outstanding_r2t = 16,
	.max_connections = 4,
	.initial_r2t = false,
	.immediate_data = true,
	.header_digest = DIGEST_OPTIONAL,
	.data_digest = DIGEST_OPTIONAL,
	.time2wait = 2,
	.time2retain = 10,
};

struct talk {
	struct negotiation n;
	enum negotiate_result result; /* of the last request */
	char answer[KEY_TEXT_MAX + 1];
};

/* A login of the leading connection in the operational stage. */
static struct talk login_with(const struct iscsi_policy *policy)
{
	struct talk t = { .result = NEGOTIATE_OK };

	negotiate_init(&t.n, policy, STAGE_OPERATIONAL, true, NULL);
	t.n.declared = UINT64_C(1) << KEY_MAX_RECV_DATA_SEGMENT_LENGTH; /* said before */
	return t;
}

static struct talk login(void)
{
	return login_with(&usual);
}

static struct talk discovery(void)
{
	struct talk t = login();

	t.n.discovery = true;
	return t;
}

static struct talk full_feature(const struct params *in_force)
{
	struct talk t = { .result = NEGOTIATE_OK };

	negotiate_init(&t.n, &usual, STAGE_FULL_FEATURE, true, in_force);
	return t;
}

/* What is in `out`, with ';' for NUL. */
static void show(struct talk *t, struct key_out *out)
{
	const char *piece;
	size_t n = key_out_take(out, KEY_TEXT_MAX, &piece);

	assert_int_equal(out->err, 0);
	for (size_t i = 0; i < n; i++)
		t->answer[i] = piece[i] ? piece[i] : ';';
	t->answer[n] = '\0';
}

/* Says one whole request and gives the answer; with `last`, on to full feature phase. */
static const char *say(struct talk *t, const char *request, bool last)
{
	struct key_buf b = { 0 };
	struct key_out out = key_out_of(KEY_TEXT_MAX);
	struct key_pair pair;

	assert_int_equal(key_buf_add(&b, request, strlen(request)), 0);
	for (size_t i = 0; i < b.len; i++) {
		if (b.text[i] == ';')
			b.text[i] = '\0';
	}
	struct key_reader r = key_reader_of(&b);
	t->result = NEGOTIATE_OK;
	while (t->result == NEGOTIATE_OK && key_next(&r, &pair) == KEY_STEP_PAIR)
		t->result = negotiate_key(&t->n, &pair, &out);
	if (t->result == NEGOTIATE_OK) {
		negotiate_reply(&t->n, &out);
		if (last)
			t->result = negotiate_finish(&t->n, &out);
	}
	show(t, &out);
	key_buf_free(&b);
	key_out_free(&out);
	return t->answer;
}

#define ASSERT_ANSWER(t, request, want) assert_string_equal(say(t, request, false), want)
#define ASSERT_LAST(t, request, want, want_result) \
	do { \
		assert_string_equal(say(t, request, true), want); \
		assert_int_equal((t)->result, want_result); \
	} while (0)

/* In a new login, this request breaks it, because of this. */
static void assert_breaks(struct talk t, const char *request, const char *why)
{
	say(&t, request, false);
	assert_int_equal(t.result, NEGOTIATE_ERROR);
	assert_string_equal(t.n.why, why);
}

/* --- the table ------------------------------------------------------------------------------ */

static void every_key_of_the_rfc_is_known(void **state)
{
	(void)state;
	static const char *const names[] = { "HeaderDigest", "DataDigest", "MaxConnections",
		"SendTargets", "TargetName", "InitiatorName", "TargetAlias", "InitiatorAlias",
		"TargetAddress", "TargetPortalGroupTag", "InitialR2T", "ImmediateData",
		"MaxRecvDataSegmentLength", "MaxBurstLength", "FirstBurstLength",
		"DefaultTime2Wait", "DefaultTime2Retain", "MaxOutstandingR2T", "DataPDUInOrder",
		"DataSequenceInOrder", "ErrorRecoveryLevel", "SessionType", "TaskReporting",
		"iSCSIProtocolLevel", "IFMarker", "OFMarker", "IFMarkInt", "OFMarkInt",
		"AuthMethod", "CHAP_A", "CHAP_I", "CHAP_C", "CHAP_N", "CHAP_R" };
	assert_int_equal(sizeof(names) / sizeof(names[0]), KEY_COUNT);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct key_rule *rule = key_rule_find(names[i]);
		assert_non_null(rule);
		assert_string_equal(rule->name, names[i]);
		assert_ptr_equal(key_rule_at(key_id_of(rule)), rule);
	}
}

static void names_of_keys_are_case_sensitive(void **state)
{
	(void)state;
	assert_null(key_rule_find("maxburstlength"));
	assert_null(key_rule_find("MaxBurstLengthX"));
	assert_null(key_rule_find(""));
}

static void keys_are_sorted_by_who_acts_on_them(void **state)
{
	(void)state;
	assert_int_equal(key_rule_find("InitiatorName")->class, KEY_LOGIN);
	assert_int_equal(key_rule_find("SessionType")->class, KEY_LOGIN);
	assert_int_equal(key_rule_find("AuthMethod")->class, KEY_SECURITY);
	assert_int_equal(key_rule_find("CHAP_R")->class, KEY_SECURITY);
	assert_int_equal(key_rule_find("SendTargets")->class, KEY_TEXT);
	assert_int_equal(key_rule_find("IFMarkInt")->class, KEY_OPERATIONAL);
}

static void defaults_are_those_of_the_table(void **state)
{
	(void)state;
	const struct params *p = &params_default;
	assert_int_equal(p->max_burst_length, key_rule_at(KEY_MAX_BURST_LENGTH)->initial);
	assert_int_equal(p->first_burst_length, key_rule_at(KEY_FIRST_BURST_LENGTH)->initial);
	assert_int_equal(p->max_outstanding_r2t, key_rule_at(KEY_MAX_OUTSTANDING_R2T)->initial);
	assert_int_equal(p->max_connections, key_rule_at(KEY_MAX_CONNECTIONS)->initial);
	assert_int_equal(p->time2wait, key_rule_at(KEY_DEFAULT_TIME2WAIT)->initial);
	assert_int_equal(p->time2retain, key_rule_at(KEY_DEFAULT_TIME2RETAIN)->initial);
	assert_int_equal(p->initial_r2t, key_rule_at(KEY_INITIAL_R2T)->initial);
	assert_int_equal(p->immediate_data, key_rule_at(KEY_IMMEDIATE_DATA)->initial);
	assert_int_equal(p->data_pdu_in_order, key_rule_at(KEY_DATA_PDU_IN_ORDER)->initial);
	assert_int_equal(
		p->data_sequence_in_order, key_rule_at(KEY_DATA_SEQUENCE_IN_ORDER)->initial);
	assert_int_equal(p->error_recovery_level, key_rule_at(KEY_ERROR_RECOVERY_LEVEL)->initial);
	assert_int_equal(p->protocol_level, key_rule_at(KEY_ISCSI_PROTOCOL_LEVEL)->initial);
	assert_int_equal(p->send_max, key_rule_at(KEY_MAX_RECV_DATA_SEGMENT_LENGTH)->initial);
	assert_int_equal(p->recv_max, key_rule_at(KEY_MAX_RECV_DATA_SEGMENT_LENGTH)->initial);
	assert_false(p->header_digest || p->data_digest);
}

/* --- 6.2: answers in general ---------------------------------------------------------------- */

static void what_is_not_negotiated_keeps_its_default(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_LAST(&t, "", "", NEGOTIATE_OK);
	assert_memory_equal(&t.n.params, &params_default, sizeof(params_default));
}

static void answers_come_in_the_order_of_the_offers(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "MaxConnections=1;ImmediateData=No;ErrorRecoveryLevel=2;",
		"MaxConnections=1;ImmediateData=No;ErrorRecoveryLevel=0;");
}

static void every_request_is_answered_by_itself(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "MaxConnections=1;", "MaxConnections=1;");
	ASSERT_ANSWER(&t, "", "");
	ASSERT_ANSWER(&t, "ImmediateData=No;", "ImmediateData=No;");
}

static void unknown_keys_are_not_understood(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "X-com.example.speed=9;Unheard=x,y;a=b;",
		"X-com.example.speed=NotUnderstood;Unheard=NotUnderstood;a=NotUnderstood;");
}

static void unknown_keys_are_not_understood_in_every_stage(void **state)
{
	(void)state;
	struct talk t = login();
	t.n.stage = STAGE_SECURITY;
	ASSERT_ANSWER(&t, "X-com.example.speed=9;", "X-com.example.speed=NotUnderstood;");
	t = full_feature(NULL);
	ASSERT_ANSWER(&t, "X-com.example.speed=9;", "X-com.example.speed=NotUnderstood;");
}

static void unknown_keys_are_counted(void **state)
{
	(void)state;
	struct talk t = login();
	for (int i = 0; i < NEGOTIATE_UNKNOWN_MAX; i++)
		ASSERT_ANSWER(&t, "X-a=1;", "X-a=NotUnderstood;");
	say(&t, "X-a=1;", false);
	assert_int_equal(t.result, NEGOTIATE_ERROR);
	assert_string_equal(t.n.why, "too many unknown keys");
	assert_int_equal(t.n.culprit, KEY_COUNT);
}

static void a_refusal_of_a_key_that_nobody_knows_is_let_be(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "X-a=NotUnderstood;", "");
}

static void a_key_sent_twice_breaks_the_negotiation(void **state)
{
	(void)state;
	assert_breaks(login(), "ImmediateData=Yes;ImmediateData=Yes;", "key sent twice");
	struct talk t = login();
	ASSERT_ANSWER(&t, "MaxBurstLength=65536;", "MaxBurstLength=65536;");
	say(&t, "MaxBurstLength=65536;", false);
	assert_int_equal(t.result, NEGOTIATE_ERROR);
	assert_int_equal(t.n.culprit, KEY_MAX_BURST_LENGTH);
}

static void a_key_that_was_rejected_may_not_be_tried_again(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "MaxBurstLength=1;", "MaxBurstLength=Reject;");
	say(&t, "MaxBurstLength=65536;", false);
	assert_int_equal(t.result, NEGOTIATE_ERROR);
}

static void names_and_aliases_may_be_declared_again(void **state)
{
	(void)state;
	struct talk t = login();
	t.n.stage = STAGE_SECURITY;
	ASSERT_ANSWER(&t, "InitiatorName=iqn.2001-04.com.example:h;SessionType=Normal;", "");
	t.n.stage = STAGE_OPERATIONAL;
	ASSERT_ANSWER(&t, "InitiatorName=iqn.2001-04.com.example:h;SessionType=Normal;", "");
	assert_int_equal(t.result, NEGOTIATE_OK);
}

static void reserved_words_are_no_offers(void **state)
{
	(void)state;
	static const char why[] = "a reserved word as the value of an offer";
	assert_breaks(login(), "HeaderDigest=Reject;", why);
	assert_breaks(login(), "MaxBurstLength=Irrelevant;", why);
	assert_breaks(login(), "ImmediateData=NotUnderstood;", why);
}

static void a_refusal_of_what_we_declared_is_taken(void **state)
{
	(void)state;
	struct talk t = login(); /* has declared MaxRecvDataSegmentLength */
	ASSERT_ANSWER(&t, "MaxRecvDataSegmentLength=NotUnderstood;", "");
	ASSERT_ANSWER(&t, "TargetPortalGroupTag=NotUnderstood;TargetAlias=Irrelevant;", "");
	assert_int_equal(t.result, NEGOTIATE_OK);
}

static void keys_of_the_target_are_not_the_initiators_to_send(void **state)
{
	(void)state;
	assert_breaks(login(), "TargetPortalGroupTag=1;", "a key that only targets send");
	assert_breaks(login(), "TargetAlias=disk;", "a key that only targets send");
	assert_breaks(login(), "TargetAddress=192.0.2.1:3260,1;", "a key that only targets send");
}

static void values_beyond_255_bytes_break_the_negotiation(void **state)
{
	(void)state;
	char text[400];
	snprintf(text, sizeof(text), "InitiatorAlias=%0255d;", 0);
	struct talk t = login();
	ASSERT_ANSWER(&t, text, "");
	assert_int_equal(t.result, NEGOTIATE_OK);
	snprintf(text, sizeof(text), "InitiatorAlias=%0256d;", 0);
	assert_breaks(login(), text, "value too long");
}

static void binary_values_may_be_as_long_as_1024_bytes_in_hexadecimal(void **state)
{
	(void)state;
	static char text[3000];
	struct talk t = login();
	t.n.stage = STAGE_SECURITY;
	snprintf(text, sizeof(text), "CHAP_R=0x%02048d;", 0);
	ASSERT_ANSWER(&t, text, "");
	assert_int_equal(t.result, NEGOTIATE_OK);
	snprintf(text, sizeof(text), "CHAP_C=0x%02049d;", 0);
	say(&t, text, false);
	assert_int_equal(t.result, NEGOTIATE_ERROR);
}

/* --- stages --------------------------------------------------------------------------------- */

static void operational_keys_have_no_place_in_the_security_stage(void **state)
{
	(void)state;
	struct talk t = login();
	t.n.stage = STAGE_SECURITY;
	assert_breaks(t, "HeaderDigest=None;", "key not allowed in this stage of the login");
}

static void security_keys_have_no_place_in_the_operational_stage(void **state)
{
	(void)state;
	static const char why[] = "key not allowed in this stage of the login";
	assert_breaks(login(), "AuthMethod=None;", why);
	assert_breaks(login(), "CHAP_A=5;", why);
}

static void send_targets_has_no_place_in_a_login(void **state)
{
	(void)state;
	assert_breaks(login(), "SendTargets=All;", "key not allowed in this stage of the login");
	struct talk t = full_feature(NULL);
	ASSERT_LAST(&t, "SendTargets=All;", "", NEGOTIATE_OK);
}

static void login_only_keys_are_rejected_in_full_feature_phase(void **state)
{
	(void)state;
	struct params in_force = params_default;
	in_force.initial_r2t = false;
	struct talk t = full_feature(&in_force);
	ASSERT_LAST(&t,
		"InitialR2T=Yes;HeaderDigest=CRC32C;MaxBurstLength=512;AuthMethod=None;"
		"SessionType=Normal;SessionType=Normal;",
		"InitialR2T=Reject;HeaderDigest=Reject;MaxBurstLength=Reject;AuthMethod=Reject;"
		"SessionType=Reject;",
		NEGOTIATE_OK);
	assert_memory_equal(&t.n.params, &in_force, sizeof(in_force));
}

static void max_recv_data_segment_length_may_change_in_full_feature_phase(void **state)
{
	(void)state;
	struct params in_force = params_default;
	in_force.header_digest = true;
	in_force.recv_max = 262144;
	struct talk t = full_feature(&in_force);
	ASSERT_LAST(&t, "MaxRecvDataSegmentLength=65536;InitiatorAlias=host;", "", NEGOTIATE_OK);
	assert_int_equal(t.n.params.send_max, 65536);
	assert_int_equal(t.n.params.recv_max, 262144);
	assert_true(t.n.params.header_digest);
}

/* --- 6.1: numbers and booleans -------------------------------------------------------------- */

static void numbers_are_decimal_or_hexadecimal(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "MaxBurstLength=0x1000;FirstBurstLength=0XAbc;DefaultTime2Wait=0x0;",
		"MaxBurstLength=4096;FirstBurstLength=2748;DefaultTime2Wait=2;");
}

static void malformed_numbers_are_rejected(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "x", "-1", "+1", " 8192", "8192 ", "08192", "0x",
		"0xg", "8k", "1~2", "1,2", "0b1" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "MaxBurstLength=%s;", bad[i]);
		struct talk t = login();
		ASSERT_LAST(&t, text, "MaxBurstLength=Reject;", NEGOTIATE_OK);
		assert_int_equal(t.n.params.max_burst_length, 262144);
	}
}

static void numbers_that_would_wrap_are_out_of_range(void **state)
{
	(void)state;
	static const char *const huge[] = { "4294967808", "18446744073709552128", "0x100000200",
		"0x10000000000000200", "999999999999999999999999999999999999999999" };
	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		char text[96];
		snprintf(text, sizeof(text), "MaxBurstLength=%s;", huge[i]);
		struct talk t = login();
		ASSERT_ANSWER(&t, text, "MaxBurstLength=Reject;");
	}
}

static void booleans_are_yes_or_no(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "yes", "YES", "True", "1", "Yes,No" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "ImmediateData=%s;", bad[i]);
		struct talk t = login();
		ASSERT_ANSWER(&t, text, "ImmediateData=Reject;");
	}
}

static void every_number_is_held_to_its_range(void **state)
{
	(void)state;
	for (enum key_id id = KEY_HEADER_DIGEST; id < KEY_COUNT; id++) {
		const struct key_rule *rule = key_rule_at(id);
		char text[96], want[96];
		if (rule->kind != KEY_NUMBER_MIN && rule->kind != KEY_NUMBER_MAX &&
			rule->kind != KEY_DECLARED_NUMBER)
			continue;
		snprintf(want, sizeof(want), "%s=Reject;", rule->name);
		snprintf(text, sizeof(text), "%s=%u;", rule->name, rule->max + 1);
		struct talk above = login();
		ASSERT_ANSWER(&above, text, want);
		snprintf(text, sizeof(text), "%s=%u;", rule->name, rule->max);
		struct talk at_most = login();
		assert_string_not_equal(say(&at_most, text, false), want);
		snprintf(text, sizeof(text), "%s=%u;", rule->name, rule->min);
		struct talk at_least = login();
		assert_string_not_equal(say(&at_least, text, false), want);
		if (!rule->min)
			continue;
		snprintf(text, sizeof(text), "%s=%u;", rule->name, rule->min - 1);
		struct talk below = login();
		ASSERT_ANSWER(&below, text, want);
	}
}

/* --- 13.1: digests -------------------------------------------------------------------------- */

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

/* --- 13.2 to 13.20 -------------------------------------------------------------------------- */

static void max_connections_is_the_smaller(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "MaxConnections=8;", "MaxConnections=4;");
	assert_int_equal(t.n.params.max_connections, 4);
	t = login();
	ASSERT_ANSWER(&t, "MaxConnections=1;", "MaxConnections=1;");
	assert_int_equal(t.n.params.max_connections, 1);
}

static void initial_r2t_is_wanted_when_either_wants_it(void **state)
{
	(void)state;
	struct iscsi_policy strict = usual;
	strict.initial_r2t = true;
	struct talk t = login();
	ASSERT_ANSWER(&t, "InitialR2T=No;", "InitialR2T=No;");
	assert_false(t.n.params.initial_r2t);
	t = login();
	ASSERT_ANSWER(&t, "InitialR2T=Yes;", "InitialR2T=Yes;");
	t = login_with(&strict);
	ASSERT_ANSWER(&t, "InitialR2T=No;", "InitialR2T=Yes;");
	assert_true(t.n.params.initial_r2t);
}

static void immediate_data_are_sent_when_both_want_them(void **state)
{
	(void)state;
	struct iscsi_policy strict = usual;
	strict.immediate_data = false;
	struct talk t = login();
	ASSERT_ANSWER(&t, "ImmediateData=Yes;", "ImmediateData=Yes;");
	assert_true(t.n.params.immediate_data);
	t = login();
	ASSERT_ANSWER(&t, "ImmediateData=No;", "ImmediateData=No;");
	assert_false(t.n.params.immediate_data);
	t = login_with(&strict);
	ASSERT_ANSWER(&t, "ImmediateData=Yes;", "ImmediateData=No;");
	assert_false(t.n.params.immediate_data);
}

static void max_recv_data_segment_length_is_declared_and_not_answered(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_LAST(&t, "MaxRecvDataSegmentLength=16777215;", "", NEGOTIATE_OK);
	assert_int_equal(t.n.params.send_max, 16777215);
}

static void a_max_recv_data_segment_length_out_of_range_is_rejected(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_LAST(&t, "MaxRecvDataSegmentLength=0;", "MaxRecvDataSegmentLength=Reject;",
		NEGOTIATE_OK);
	assert_int_equal(t.n.params.send_max, 8192);
}

static void ours_is_declared_once_when_the_operational_stage_begins(void **state)
{
	(void)state;
	struct talk t;
	negotiate_init(&t.n, &usual, STAGE_SECURITY, true, NULL);
	ASSERT_ANSWER(&t, "", "");
	t.n.stage = STAGE_OPERATIONAL;
	ASSERT_ANSWER(&t, "InitialR2T=No;", "InitialR2T=No;MaxRecvDataSegmentLength=262144;");
	ASSERT_LAST(&t, "ImmediateData=No;", "ImmediateData=No;", NEGOTIATE_OK);
	assert_int_equal(t.n.params.recv_max, 262144);
}

static void ours_stays_8192_when_the_operational_stage_is_left_out(void **state)
{
	(void)state;
	struct talk t;
	negotiate_init(&t.n, &usual, STAGE_SECURITY, true, NULL);
	ASSERT_LAST(&t, "", "", NEGOTIATE_OK);
	assert_int_equal(t.n.params.recv_max, 8192);
}

static void max_burst_length_is_the_smaller(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "MaxBurstLength=16776192;", "MaxBurstLength=1048576;");
	assert_int_equal(t.n.params.max_burst_length, 1048576);
	t = login();
	ASSERT_ANSWER(&t, "MaxBurstLength=65536;", "MaxBurstLength=65536;");
}

static void first_burst_length_is_the_smaller(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "FirstBurstLength=262144;", "FirstBurstLength=131072;");
	assert_int_equal(t.n.params.first_burst_length, 131072);
	t = login();
	ASSERT_ANSWER(&t, "FirstBurstLength=4096;", "FirstBurstLength=4096;");
}

static void first_burst_length_is_held_to_max_burst_length_in_either_order(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_LAST(&t, "MaxBurstLength=32768;FirstBurstLength=65536;",
		"MaxBurstLength=32768;FirstBurstLength=32768;", NEGOTIATE_OK);
	t = login();
	ASSERT_LAST(&t, "FirstBurstLength=65536;MaxBurstLength=32768;",
		"FirstBurstLength=32768;MaxBurstLength=32768;", NEGOTIATE_OK);
	assert_int_equal(t.n.params.first_burst_length, 32768);
}

static void the_default_first_burst_gives_way_to_a_small_max_burst(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_LAST(&t, "MaxBurstLength=8192;", "MaxBurstLength=8192;", NEGOTIATE_OK);
	assert_int_equal(t.n.params.first_burst_length, 8192);
}

static void a_max_burst_below_an_agreed_first_burst_is_an_error(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "FirstBurstLength=65536;", "FirstBurstLength=65536;");
	ASSERT_LAST(&t, "MaxBurstLength=4096;", "MaxBurstLength=4096;", NEGOTIATE_ERROR);
	assert_string_equal(t.n.why, "FirstBurstLength exceeds MaxBurstLength");
}

static void first_burst_length_is_irrelevant_without_unsolicited_data(void **state)
{
	(void)state;
	static const char *const orders[][2] = {
		{ "InitialR2T=Yes;ImmediateData=No;FirstBurstLength=65536;",
			"InitialR2T=Yes;ImmediateData=No;FirstBurstLength=Irrelevant;" },
		{ "FirstBurstLength=65536;ImmediateData=No;InitialR2T=Yes;",
			"FirstBurstLength=Irrelevant;ImmediateData=No;InitialR2T=Yes;" },
		{ "FirstBurstLength=65536;ImmediateData=No;",
			"FirstBurstLength=Irrelevant;ImmediateData=No;" },
	};
	for (size_t i = 0; i < 3; i++) {
		struct talk t = login();
		ASSERT_LAST(&t, orders[i][0], orders[i][1], NEGOTIATE_OK);
	}
}

static void first_burst_length_matters_with_either_kind_of_unsolicited_data(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "FirstBurstLength=65536;InitialR2T=No;ImmediateData=No;",
		"FirstBurstLength=65536;InitialR2T=No;ImmediateData=No;");
	t = login();
	ASSERT_ANSWER(&t, "FirstBurstLength=65536;InitialR2T=Yes;ImmediateData=Yes;",
		"FirstBurstLength=65536;InitialR2T=Yes;ImmediateData=Yes;");
}

static void default_time2wait_is_the_larger(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "DefaultTime2Wait=0;", "DefaultTime2Wait=2;");
	t = login();
	ASSERT_ANSWER(&t, "DefaultTime2Wait=3600;", "DefaultTime2Wait=3600;");
	assert_int_equal(t.n.params.time2wait, 3600);
}

static void default_time2retain_is_the_smaller(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "DefaultTime2Retain=0;", "DefaultTime2Retain=0;");
	assert_int_equal(t.n.params.time2retain, 0);
	t = login();
	ASSERT_ANSWER(&t, "DefaultTime2Retain=3600;", "DefaultTime2Retain=10;");
}

static void max_outstanding_r2t_is_the_smaller(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "MaxOutstandingR2T=65535;", "MaxOutstandingR2T=16;");
	assert_int_equal(t.n.params.max_outstanding_r2t, 16);
	t = login();
	ASSERT_ANSWER(&t, "MaxOutstandingR2T=1;", "MaxOutstandingR2T=1;");
}

static void data_come_in_order_whatever_the_initiator_says(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "DataPDUInOrder=No;DataSequenceInOrder=No;",
		"DataPDUInOrder=Yes;DataSequenceInOrder=Yes;");
	assert_true(t.n.params.data_pdu_in_order && t.n.params.data_sequence_in_order);
}

static void error_recovery_level_is_0(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "ErrorRecoveryLevel=2;", "ErrorRecoveryLevel=0;");
	assert_int_equal(t.n.params.error_recovery_level, 0);
}

/* --- 13.23 to 13.25 ------------------------------------------------------------------------- */

static void task_reporting_is_that_of_rfc_3720(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(
		&t, "TaskReporting=FastAbort,ResponseFence,RFC3720;", "TaskReporting=RFC3720;");
	t = login();
	ASSERT_ANSWER(&t, "TaskReporting=FastAbort;", "TaskReporting=Reject;");
}

static void protocol_level_is_at_most_1(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "iSCSIProtocolLevel=2;", "iSCSIProtocolLevel=1;");
	assert_int_equal(t.n.params.protocol_level, 1);
	t = login();
	ASSERT_ANSWER(&t, "iSCSIProtocolLevel=0;", "iSCSIProtocolLevel=0;");
	assert_int_equal(t.n.params.protocol_level, 0);
}

static void markers_are_answered_no(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(&t, "IFMarker=No;OFMarker=Yes;", "IFMarker=No;OFMarker=No;");
}

static void marker_intervals_are_rejected(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_ANSWER(
		&t, "IFMarkInt=2048~8192;OFMarkInt=2048;", "IFMarkInt=Reject;OFMarkInt=Reject;");
}

/* --- discovery, further connections --------------------------------------------------------- */

static void keys_without_meaning_in_discovery_are_irrelevant(void **state)
{
	(void)state;
	struct talk t = discovery();
	ASSERT_LAST(&t,
		"MaxConnections=1;InitialR2T=No;ImmediateData=No;MaxBurstLength=512;"
		"FirstBurstLength=512;MaxOutstandingR2T=1;DataPDUInOrder=Yes;"
		"DataSequenceInOrder=Yes;TaskReporting=RFC3720;iSCSIProtocolLevel=1;",
		"MaxConnections=Irrelevant;InitialR2T=Irrelevant;ImmediateData=Irrelevant;"
		"MaxBurstLength=Irrelevant;FirstBurstLength=Irrelevant;"
		"MaxOutstandingR2T=Irrelevant;DataPDUInOrder=Irrelevant;"
		"DataSequenceInOrder=Irrelevant;TaskReporting=Irrelevant;"
		"iSCSIProtocolLevel=Irrelevant;",
		NEGOTIATE_OK);
	assert_memory_equal(&t.n.params, &params_default, sizeof(params_default));
}

static void the_other_keys_are_negotiated_in_discovery_too(void **state)
{
	(void)state;
	struct talk t = discovery();
	ASSERT_LAST(&t,
		"HeaderDigest=CRC32C,None;DataDigest=None;DefaultTime2Wait=0;DefaultTime2Retain=0;"
		"IFMarker=No;OFMarker=No;ErrorRecoveryLevel=0;MaxRecvDataSegmentLength=32768;",
		"HeaderDigest=CRC32C;DataDigest=None;DefaultTime2Wait=2;DefaultTime2Retain=0;"
		"IFMarker=No;OFMarker=No;ErrorRecoveryLevel=0;",
		NEGOTIATE_OK);
	assert_int_equal(t.n.params.send_max, 32768);
}

static void a_further_connection_begins_with_the_sessions_parameters(void **state)
{
	(void)state;
	struct params session = params_default;
	struct talk t;
	session.max_burst_length = 1048576;
	session.initial_r2t = false;
	session.header_digest = session.data_digest = true;
	session.send_max = session.recv_max = 262144;
	negotiate_init(&t.n, &usual, STAGE_OPERATIONAL, false, &session);
	assert_int_equal(t.n.params.max_burst_length, 1048576);
	assert_false(t.n.params.initial_r2t);
	assert_false(t.n.params.header_digest || t.n.params.data_digest);
	assert_int_equal(t.n.params.send_max, 8192);
	assert_int_equal(t.n.params.recv_max, 8192);
}

static void keys_of_the_leading_connection_are_rejected_on_another(void **state)
{
	(void)state;
	struct talk t;
	negotiate_init(&t.n, &usual, STAGE_OPERATIONAL, false, &params_default);
	ASSERT_LAST(&t, "MaxBurstLength=512;HeaderDigest=CRC32C;MaxRecvDataSegmentLength=65536;",
		"MaxBurstLength=Reject;HeaderDigest=CRC32C;MaxRecvDataSegmentLength=262144;",
		NEGOTIATE_OK);
	assert_int_equal(t.n.params.max_burst_length, 262144);
	assert_true(t.n.params.header_digest);
	assert_int_equal(t.n.params.send_max, 65536);
}

/* --- what initiators send ------------------------------------------------------------------- */

static void open_iscsi_logs_in(void **state)
{
	(void)state;
	struct talk t;
	negotiate_init(&t.n, &usual, STAGE_OPERATIONAL, true, NULL);
	ASSERT_LAST(&t,
		"HeaderDigest=None;DataDigest=None;DefaultTime2Wait=2;DefaultTime2Retain=0;"
		"IFMarker=No;OFMarker=No;ErrorRecoveryLevel=0;InitialR2T=No;ImmediateData=Yes;"
		"MaxBurstLength=16776192;FirstBurstLength=262144;MaxOutstandingR2T=1;"
		"MaxConnections=1;DataPDUInOrder=Yes;DataSequenceInOrder=Yes;"
		"MaxRecvDataSegmentLength=262144;",
		"HeaderDigest=None;DataDigest=None;DefaultTime2Wait=2;DefaultTime2Retain=0;"
		"IFMarker=No;OFMarker=No;ErrorRecoveryLevel=0;InitialR2T=No;ImmediateData=Yes;"
		"MaxBurstLength=1048576;FirstBurstLength=131072;MaxOutstandingR2T=1;"
		"MaxConnections=1;DataPDUInOrder=Yes;DataSequenceInOrder=Yes;"
		"MaxRecvDataSegmentLength=262144;",
		NEGOTIATE_OK);
}

/* Every Reject is fatal to iPXE, so there must be none. */
static void ipxe_logs_in(void **state)
{
	(void)state;
	struct talk t = login();
	ASSERT_LAST(&t,
		"HeaderDigest=None;DataDigest=None;MaxConnections=1;InitialR2T=Yes;"
		"ImmediateData=No;MaxRecvDataSegmentLength=8192;MaxBurstLength=262144;"
		"FirstBurstLength=65536;DefaultTime2Wait=0;DefaultTime2Retain=0;"
		"MaxOutstandingR2T=1;DataPDUInOrder=Yes;DataSequenceInOrder=Yes;"
		"ErrorRecoveryLevel=0;",
		"HeaderDigest=None;DataDigest=None;MaxConnections=1;InitialR2T=Yes;"
		"ImmediateData=No;MaxBurstLength=262144;FirstBurstLength=Irrelevant;"
		"DefaultTime2Wait=2;DefaultTime2Retain=0;MaxOutstandingR2T=1;DataPDUInOrder=Yes;"
		"DataSequenceInOrder=Yes;ErrorRecoveryLevel=0;",
		NEGOTIATE_OK);
}

static void keys_in_reverse_give_the_same_parameters(void **state)
{
	(void)state;
	struct talk forth = login(), back = login();
	say(&forth,
		"MaxBurstLength=65536;FirstBurstLength=131072;InitialR2T=No;ImmediateData=Yes;"
		"HeaderDigest=CRC32C;MaxRecvDataSegmentLength=4096;",
		true);
	say(&back,
		"MaxRecvDataSegmentLength=4096;HeaderDigest=CRC32C;ImmediateData=Yes;"
		"InitialR2T=No;FirstBurstLength=131072;MaxBurstLength=65536;",
		true);
	assert_int_equal(forth.result, NEGOTIATE_OK);
	assert_int_equal(back.result, NEGOTIATE_OK);
	assert_int_equal(forth.n.params.first_burst_length, 65536);
	assert_memory_equal(&forth.n.params, &back.n.params, sizeof(struct params));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_the_rfc_is_known),
		cmocka_unit_test(names_of_keys_are_case_sensitive),
		cmocka_unit_test(keys_are_sorted_by_who_acts_on_them),
		cmocka_unit_test(defaults_are_those_of_the_table),
		cmocka_unit_test(what_is_not_negotiated_keeps_its_default),
		cmocka_unit_test(answers_come_in_the_order_of_the_offers),
		cmocka_unit_test(every_request_is_answered_by_itself),
		cmocka_unit_test(unknown_keys_are_not_understood),
		cmocka_unit_test(unknown_keys_are_not_understood_in_every_stage),
		cmocka_unit_test(unknown_keys_are_counted),
		cmocka_unit_test(a_refusal_of_a_key_that_nobody_knows_is_let_be),
		cmocka_unit_test(a_key_sent_twice_breaks_the_negotiation),
		cmocka_unit_test(a_key_that_was_rejected_may_not_be_tried_again),
		cmocka_unit_test(names_and_aliases_may_be_declared_again),
		cmocka_unit_test(reserved_words_are_no_offers),
		cmocka_unit_test(a_refusal_of_what_we_declared_is_taken),
		cmocka_unit_test(keys_of_the_target_are_not_the_initiators_to_send),
		cmocka_unit_test(values_beyond_255_bytes_break_the_negotiation),
		cmocka_unit_test(binary_values_may_be_as_long_as_1024_bytes_in_hexadecimal),
		cmocka_unit_test(operational_keys_have_no_place_in_the_security_stage),
		cmocka_unit_test(security_keys_have_no_place_in_the_operational_stage),
		cmocka_unit_test(send_targets_has_no_place_in_a_login),
		cmocka_unit_test(login_only_keys_are_rejected_in_full_feature_phase),
		cmocka_unit_test(max_recv_data_segment_length_may_change_in_full_feature_phase),
		cmocka_unit_test(numbers_are_decimal_or_hexadecimal),
		cmocka_unit_test(malformed_numbers_are_rejected),
		cmocka_unit_test(numbers_that_would_wrap_are_out_of_range),
		cmocka_unit_test(booleans_are_yes_or_no),
		cmocka_unit_test(every_number_is_held_to_its_range),
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
		cmocka_unit_test(max_connections_is_the_smaller),
		cmocka_unit_test(initial_r2t_is_wanted_when_either_wants_it),
		cmocka_unit_test(immediate_data_are_sent_when_both_want_them),
		cmocka_unit_test(max_recv_data_segment_length_is_declared_and_not_answered),
		cmocka_unit_test(a_max_recv_data_segment_length_out_of_range_is_rejected),
		cmocka_unit_test(ours_is_declared_once_when_the_operational_stage_begins),
		cmocka_unit_test(ours_stays_8192_when_the_operational_stage_is_left_out),
		cmocka_unit_test(max_burst_length_is_the_smaller),
		cmocka_unit_test(first_burst_length_is_the_smaller),
		cmocka_unit_test(first_burst_length_is_held_to_max_burst_length_in_either_order),
		cmocka_unit_test(the_default_first_burst_gives_way_to_a_small_max_burst),
		cmocka_unit_test(a_max_burst_below_an_agreed_first_burst_is_an_error),
		cmocka_unit_test(first_burst_length_is_irrelevant_without_unsolicited_data),
		cmocka_unit_test(first_burst_length_matters_with_either_kind_of_unsolicited_data),
		cmocka_unit_test(default_time2wait_is_the_larger),
		cmocka_unit_test(default_time2retain_is_the_smaller),
		cmocka_unit_test(max_outstanding_r2t_is_the_smaller),
		cmocka_unit_test(data_come_in_order_whatever_the_initiator_says),
		cmocka_unit_test(error_recovery_level_is_0),
		cmocka_unit_test(task_reporting_is_that_of_rfc_3720),
		cmocka_unit_test(protocol_level_is_at_most_1),
		cmocka_unit_test(markers_are_answered_no),
		cmocka_unit_test(marker_intervals_are_rejected),
		cmocka_unit_test(keys_without_meaning_in_discovery_are_irrelevant),
		cmocka_unit_test(the_other_keys_are_negotiated_in_discovery_too),
		cmocka_unit_test(a_further_connection_begins_with_the_sessions_parameters),
		cmocka_unit_test(keys_of_the_leading_connection_are_rejected_on_another),
		cmocka_unit_test(open_iscsi_logs_in),
		cmocka_unit_test(ipxe_logs_in),
		cmocka_unit_test(keys_in_reverse_give_the_same_parameters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

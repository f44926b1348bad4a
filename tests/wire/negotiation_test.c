/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text and operational keys on the wire, RFC 7143 6.1, 6.2, 13: what is answered, what is refused,
 * and text in pieces in both directions.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMES NAMES_TO(OPEN)

/* A login in one request; gives the status. */
static unsigned offer(struct wire *w, struct ini *i, const char *keys)
{
	char all[16384];

	snprintf(all, sizeof(all), NAMES "%s", keys);
	ini_open(i, w);
	return login(i, OP | TO_FFP, all);
}

/* key=value is answered with `want` (NULL: not at all), and the login succeeds. */
static void answered(struct wire *w, const char *key, const char *value, const char *want)
{
	char keys[512];
	struct ini i;

	snprintf(keys, sizeof(keys), "%s=%s\n", key, value);
	if (offer(w, &i, keys) != LOGIN_SUCCESS)
		fail_msg("%s=%s: login refused", key, value);
	if (!want)
		assert_int_equal(answers(&i, key), 0);
	else if (!answer(&i, key) || strcmp(answer(&i, key), want) != 0)
		fail_msg("%s=%s is answered %s, not %s", key, value,
			answer(&i, key) ? answer(&i, key) : "nothing", want);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void refused(struct wire *w, const char *keys)
{
	struct ini i;

	if (offer(w, &i, keys) != LOGIN_INITIATOR_ERROR)
		fail_msg("%s was not refused", keys);
	ini_expect_closed(&i);
	ini_close(&i);
}

/* --- each key: section 13 ------------------------------------------------------------------- */

static void every_operational_key_is_answered(void **state)
{
	struct ini i;

	assert_int_equal(
		offer(*state, &i,
			"HeaderDigest=None\nDataDigest=None\n"
			"MaxConnections=1\nInitialR2T=No\nImmediateData=Yes\nMaxBurstLength="
			"262144\n"
			"FirstBurstLength=65536\nDefaultTime2Wait=2\nDefaultTime2Retain=0\n"
			"MaxOutstandingR2T=1\nDataPDUInOrder=Yes\nDataSequenceInOrder=Yes\n"
			"ErrorRecoveryLevel=0\nTaskReporting=RFC3720\niSCSIProtocolLevel=1\n"
			"IFMarker=No\nOFMarker=No\nMaxRecvDataSegmentLength=65536\n"),
		LOGIN_SUCCESS);
	assert_answer(&i, "HeaderDigest", "None");
	assert_answer(&i, "DataDigest", "None");
	assert_answer(&i, "MaxConnections", "1");
	assert_answer(&i, "InitialR2T", "No");
	assert_answer(&i, "ImmediateData", "Yes");
	assert_answer(&i, "MaxBurstLength", "262144");
	assert_answer(&i, "FirstBurstLength", "65536");
	assert_answer(&i, "DefaultTime2Wait", "2");
	assert_answer(&i, "DefaultTime2Retain", "0");
	assert_answer(&i, "MaxOutstandingR2T", "1");
	assert_answer(&i, "DataPDUInOrder", "Yes");
	assert_answer(&i, "DataSequenceInOrder", "Yes");
	assert_answer(&i, "ErrorRecoveryLevel", "0");
	assert_answer(&i, "TaskReporting", "RFC3720");
	assert_answer(&i, "iSCSIProtocolLevel", "1");
	assert_answer(&i, "IFMarker", "No");
	assert_answer(&i, "OFMarker", "No");
	/* Declared, not negotiated: ours, once. */
	assert_answer(&i, "MaxRecvDataSegmentLength", "262144");
	assert_int_equal(answers(&i, "MaxRecvDataSegmentLength"), 1);
	ini_close(&i);
}

static void what_is_not_offered_is_not_answered(void **state)
{
	struct ini i;

	assert_int_equal(offer(*state, &i, ""), LOGIN_SUCCESS);
	assert_null(answer(&i, "HeaderDigest"));
	assert_null(answer(&i, "MaxBurstLength"));
	assert_null(answer(&i, "InitialR2T"));
	assert_null(answer(&i, "ErrorRecoveryLevel"));
	ini_close(&i);
}

static void the_smaller_number_wins(void **state)
{
	answered(*state, "MaxBurstLength", "512", "512");
	answered(*state, "MaxBurstLength", "16777215", "1048576");
	answered(*state, "FirstBurstLength", "512", "512");
	answered(*state, "FirstBurstLength", "16777215", "262144");
	answered(*state, "MaxOutstandingR2T", "65535", "4");
	answered(*state, "MaxConnections", "65535", "1");
	answered(*state, "ErrorRecoveryLevel", "2", "0");
	answered(*state, "DefaultTime2Retain", "3600", "0");
}

static void the_larger_time_to_wait_wins(void **state)
{
	answered(*state, "DefaultTime2Wait", "0", "2");
	answered(*state, "DefaultTime2Wait", "3600", "3600");
}

static void yes_and_no_combine_as_the_key_says(void **state)
{
	struct wire *w = *state;

	answered(w, "InitialR2T", "Yes", "Yes");
	answered(w, "InitialR2T", "No", "No");
	answered(w, "ImmediateData", "No", "No");
	answered(w, "DataPDUInOrder", "No", "Yes");
	answered(w, "DataSequenceInOrder", "No", "Yes");
	w->policy.initial_r2t = true;
	w->policy.immediate_data = false;
	wire_publish(w);
	answered(w, "InitialR2T", "No", "Yes");
	answered(w, "ImmediateData", "Yes", "No");
}

static void numbers_may_be_hexadecimal(void **state)
{
	answered(*state, "MaxBurstLength", "0x10000", "65536");
	answered(*state, "MaxBurstLength", "0X1000", "4096");
}

static void values_out_of_their_range_are_rejected(void **state)
{
	answered(*state, "MaxBurstLength", "511", "Reject");
	answered(*state, "MaxBurstLength", "16777216", "Reject");
	answered(*state, "FirstBurstLength", "0", "Reject");
	answered(*state, "MaxOutstandingR2T", "0", "Reject");
	answered(*state, "MaxOutstandingR2T", "65536", "Reject");
	answered(*state, "MaxConnections", "0", "Reject");
	answered(*state, "DefaultTime2Wait", "3601", "Reject");
	answered(*state, "DefaultTime2Retain", "99999999999999999999", "Reject");
	answered(*state, "ErrorRecoveryLevel", "3", "Reject");
}

static void values_that_are_no_values_are_rejected(void **state)
{
	answered(*state, "MaxBurstLength", "much", "Reject");
	answered(*state, "MaxBurstLength", "", "Reject");
	answered(*state, "MaxBurstLength", "-1", "Reject");
	answered(*state, "MaxBurstLength", "0x", "Reject");
	answered(*state, "MaxBurstLength", "65536 ", "Reject");
	answered(*state, "InitialR2T", "yes", "Reject");
	answered(*state, "ImmediateData", "Maybe", "Reject");
	answered(*state, "HeaderDigest", "", "Reject");
	answered(*state, "HeaderDigest", "MD5", "Reject");
	answered(*state, "DataDigest", "crc32c", "Reject");
}

static void the_first_digest_that_both_know_is_chosen(void **state)
{
	answered(*state, "HeaderDigest", "None,CRC32C", "None");
	answered(*state, "HeaderDigest", "MD5,None,CRC32C", "None");
	answered(*state, "DataDigest", "X-com.example.sum,None", "None");
}

static void markers_are_answered_no_and_their_intervals_rejected(void **state)
{
	answered(*state, "IFMarker", "Yes", "No");
	answered(*state, "OFMarker", "Yes", "No");
	answered(*state, "IFMarkInt", "2048~8192", "Reject");
	answered(*state, "OFMarkInt", "2048", "Reject");
}

static void unknown_keys_are_not_understood(void **state)
{
	answered(*state, "X-com.example.colour", "blue", "NotUnderstood");
	answered(*state, "initialr2t", "Yes", "NotUnderstood");
	answered(*state, "Z", "", "NotUnderstood");
}

static void what_the_other_side_did_not_understand_is_not_answered(void **state)
{
	answered(*state, "X-com.example.colour", "NotUnderstood", NULL);
}

static void first_burst_length_without_unsolicited_data_is_irrelevant(void **state)
{
	struct ini i;

	assert_int_equal(offer(*state, &i,
				 "FirstBurstLength=65536\nInitialR2T=Yes\n"
				 "ImmediateData=No\n"),
		LOGIN_SUCCESS);
	assert_answer(&i, "FirstBurstLength", "Irrelevant");
	ini_close(&i);
}

static void first_burst_length_does_not_exceed_max_burst_length(void **state)
{
	struct ini i;

	assert_int_equal(
		offer(*state, &i, "FirstBurstLength=65536\nMaxBurstLength=4096\n"), LOGIN_SUCCESS);
	assert_answer(&i, "MaxBurstLength", "4096");
	assert_answer(&i, "FirstBurstLength", "4096");
	ini_close(&i);
}

static void the_policy_may_require_digests(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->policy.header_digest = w->policy.data_digest = DIGEST_REQUIRED;
	wire_start(w);
	assert_int_equal(
		offer(w, &i, "HeaderDigest=CRC32C,None\nDataDigest=CRC32C,None\n"), LOGIN_SUCCESS);
	assert_answer(&i, "HeaderDigest", "CRC32C");
	assert_answer(&i, "DataDigest", "CRC32C");
	ini_expect_alive(&i);
	ini_close(&i);
	refused(w, "HeaderDigest=None\nDataDigest=None\n");
}

static void digests_that_are_required_are_asked_for(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->policy.header_digest = DIGEST_REQUIRED;
	wire_start(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), OP); /* it stays */
	assert_answer(&i, "HeaderDigest", "CRC32C");
	assert_int_equal(login(&i, OP | TO_FFP, "HeaderDigest=CRC32C\n"), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), OP | TO_FFP);
	i.header_digest = true;
	ini_expect_alive(&i);
	ini_close(&i);
}

static void the_policy_may_forbid_digests(void **state)
{
	struct wire *w = *state;

	w->policy.header_digest = w->policy.data_digest = DIGEST_NEVER;
	wire_start(w);
	answered(w, "HeaderDigest", "CRC32C,None", "None");
	answered(w, "DataDigest", "CRC32C", "Reject");
}

/* --- the rules of text: 6.1, 6.2 ------------------------------------------------------------ */

static void a_key_that_comes_twice_is_refused(void **state)
{
	refused(*state, "InitialR2T=Yes\nInitialR2T=Yes\n");
	refused(*state, "MaxRecvDataSegmentLength=8192\nMaxRecvDataSegmentLength=8192\n");
}

static void a_key_that_comes_again_in_a_later_request_is_refused(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP, NAMES "MaxBurstLength=65536\n"), LOGIN_SUCCESS);
	assert_int_equal(login(&i, OP | TO_FFP, "MaxBurstLength=65536\n"), LOGIN_INITIATOR_ERROR);
	ini_close(&i);
}

static void text_that_is_no_key_and_value_is_refused(void **state)
{
	refused(*state, "nonsense\n");
	refused(*state, "=value\n");
	refused(*state, "Max Burst=1\n");
	refused(*state, "a\001b=1\n");
	refused(*state, "\377\376=1\n");
}

static void a_key_name_of_more_than_63_characters_is_refused(void **state)
{
	char keys[128];

	memset(keys, 'K', 63);
	strcpy(keys + 63, "=1\n");
	{
		struct ini i;

		assert_int_equal(offer(*state, &i, keys), LOGIN_SUCCESS);
		ini_close(&i);
	}
	memset(keys, 'K', 64);
	strcpy(keys + 64, "=1\n");
	refused(*state, keys);
}

static void a_value_of_more_than_255_bytes_is_refused(void **state)
{
	char keys[512] = "InitiatorAlias=";

	memset(keys + 15, 'v', 255);
	strcpy(keys + 15 + 255, "\n");
	{
		struct ini i;

		assert_int_equal(offer(*state, &i, keys), LOGIN_SUCCESS);
		ini_close(&i);
	}
	memset(keys + 15, 'v', 256);
	strcpy(keys + 15 + 256, "\n");
	refused(*state, keys);
}

static void keys_of_a_target_are_refused(void **state)
{
	refused(*state, "TargetAlias=mine\n");
	refused(*state, "TargetAddress=192.0.2.1\n");
	refused(*state, "TargetPortalGroupTag=1\n");
}

static void keys_of_another_stage_are_refused(void **state)
{
	struct ini i;

	refused(*state, "SendTargets=All\n");
	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC | TO_OP, NAMES "AuthMethod=None\nMaxBurstLength=65536\n"),
		LOGIN_INITIATOR_ERROR);
	ini_close(&i);
}

static void auth_method_in_the_operational_stage_is_refused(void **state)
{
	refused(*state, "AuthMethod=None\n");
}

static void more_nuls_than_needed_do_no_harm(void **state)
{
	struct ini i;
	struct pdu p;
	static const char keys[] =
		"\0\0InitiatorName=" HOST "\0\0\0TargetName=" OPEN "\0MaxBurstLength=4096\0\0\0\0";

	ini_open(&i, *state);
	p = pdu_login(&i, OP | TO_FFP, "");
	p.data = keys;
	p.len = sizeof(keys) - 1;
	ini_send(&i, &p);
	assert_int_equal(login_answer(&i), LOGIN_SUCCESS);
	assert_answer(&i, "MaxBurstLength", "4096");
	ini_close(&i);
}

static void the_last_value_may_lack_its_nul(void **state)
{
	struct ini i;
	struct pdu p;
	static const char keys[] = "InitiatorName=" HOST "\0TargetName=" OPEN;

	ini_open(&i, *state);
	p = pdu_login(&i, OP | TO_FFP, "");
	p.data = keys;
	p.len = sizeof(keys) - 1;
	ini_send(&i, &p);
	assert_int_equal(login_answer(&i), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

/* --- an initiator's text in pieces: C bit --------------------------------------------------- */

/* Sends `keys` in pieces of `step` bytes, each but the last with C; gives the last status. */
static unsigned in_pieces(struct ini *i, const char *keys, uint32_t step)
{
	struct pdu whole = pdu_login(i, OP | TO_FFP, keys);
	const char *text = whole.data;
	uint32_t len = whole.len;

	i->sent = NULL; /* kept for the pieces */
	for (uint32_t at = 0; at < len; at += step) {
		bool last = len - at <= step;
		struct pdu p = pdu_login(i, last ? OP | TO_FFP : OP | CONT, "");
		unsigned status;

		p.data = text + at;
		p.len = last ? len - at : step;
		ini_send(i, &p);
		status = login_answer(i);
		if (status || last) {
			wire_free((char *)(uintptr_t)text);
			return status;
		}
		/* 6.2: an empty answer that asks for the rest. */
		assert_int_equal(i->keys_len, 0);
		assert_int_equal(login_flags(i), OP);
	}
	fail_msg("nothing to send");
	return 0;
}

static void keys_may_be_spread_over_several_requests_and_cut_anywhere(void **state)
{
	for (uint32_t step = 5; step < 140; step += 9) {
		struct ini i;

		ini_open(&i, *state);
		assert_int_equal(in_pieces(&i, NAMES "MaxBurstLength=65536\nInitialR2T=No\n", step),
			LOGIN_SUCCESS);
		assert_answer(&i, "MaxBurstLength", "65536");
		assert_answer(&i, "InitialR2T", "No");
		ini_expect_alive(&i);
		ini_close(&i);
	}
}

static void an_empty_request_with_continue_is_answered(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | CONT, ""), LOGIN_SUCCESS);
	assert_int_equal(login(&i, OP | CONT, ""), LOGIN_SUCCESS);
	assert_int_equal(login(&i, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

/* `n` bytes of text: names, and one alias as often as fits in keys that are declared (and may be told
 * again). */
static char *long_text(size_t n)
{
	static const char names[] = NAMES, again[] = "SessionType=Normal\n";
	char *text = malloc(n + 64);
	size_t len = sizeof(names) - 1;

	assert_non_null(text);
	strcpy(text, names);
	while (len + sizeof(again) <= n) {
		strcpy(text + len, again);
		len += sizeof(again) - 1;
	}
	return text;
}

/* NotUnderstood for each of `n` keys, which is more than the keys had to say. */
static char *unknown_keys(unsigned n)
{
	char *text = malloc(sizeof(NAMES) + n * sizeof("X-0000=1\n")), *p = text;

	assert_non_null(text);
	p += sprintf(p, "%s", NAMES);
	for (unsigned k = 0; k < n; k++)
		p += sprintf(p, "X-%04u=1\n", k);
	return text;
}

static void an_answer_of_more_than_8192_bytes_comes_in_pieces(void **state)
{
	char *text = unknown_keys(600);
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP, text), LOGIN_SUCCESS);
	assert_true(i.keys_len > 8192 + 1000);
	assert_answer(&i, "X-0000", "NotUnderstood");
	assert_answer(&i, "X-0599", "NotUnderstood");
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
	free(text);
}

static void text_before_the_last_piece_of_an_answer_is_refused(void **state)
{
	char *text = unknown_keys(600);
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	p = pdu_login(&i, OP, text);
	ini_send(&i, &p);
	ini_recv(&i, OP_LOGIN_RSP);
	assert_int_equal(i.bhs[1] & CONT, CONT);
	p = pdu_login(&i, OP, "MaxBurstLength=65536\n");
	ini_send(&i, &p);
	ini_recv(&i, OP_LOGIN_RSP);
	assert_int_equal(be16(i.bhs + 36), LOGIN_INITIATOR_ERROR);
	ini_expect_closed(&i);
	ini_close(&i);
	free(text);
}

static void text_of_8192_bytes_is_taken(void **state)
{
	char *text = long_text(8192);
	struct ini i;

	assert_true(strlen(text) > 8150);
	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | TO_FFP, text), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
	free(text);
}

static void text_of_16000_bytes_in_two_requests_is_taken(void **state)
{
	char *text = long_text(16000);
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(in_pieces(&i, text, 8192), LOGIN_SUCCESS);
	ini_close(&i);
	free(text);
}

static void text_beyond_the_limit_is_refused(void **state)
{
	char *text = long_text(20000);
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(in_pieces(&i, text, 8192), LOGIN_INITIATOR_ERROR);
	ini_expect_closed(&i);
	ini_close(&i);
	free(text);
}

static void a_data_segment_of_more_than_8192_bytes_is_refused(void **state)
{
	char *text = long_text(9000);
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	p = pdu_login(&i, OP | TO_FFP, text);
	ini_send_may_fail(&i, &p);
	ini_recv(&i, OP_LOGIN_RSP);
	assert_int_equal(be16(i.bhs + 36), LOGIN_INITIATOR_ERROR);
	ini_expect_closed(&i);
	ini_close(&i);
	free(text);
}

static void text_without_end_is_refused(void **state)
{
	struct ini i;
	unsigned status = LOGIN_SUCCESS, requests = 0;

	ini_open(&i, *state);
	while (status == LOGIN_SUCCESS && requests < 1000) {
		status = login(&i, OP | CONT, "InitiatorName=" HOST "\n");
		requests++;
	}
	assert_int_equal(status, LOGIN_INITIATOR_ERROR);
	assert_in_range(requests, 5, 100);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void an_empty_text_without_end_is_refused(void **state)
{
	struct ini i;
	unsigned status = LOGIN_SUCCESS, requests = 0;

	ini_open(&i, *state);
	while (status == LOGIN_SUCCESS && requests < 1000) {
		status = login(&i, OP | CONT, "");
		requests++;
	}
	assert_int_equal(status, LOGIN_INITIATOR_ERROR);
	assert_in_range(requests, 5, 100);
	ini_close(&i);
}

static void unknown_keys_are_bounded(void **state)
{
	char text[16384] = NAMES;
	struct ini i;

	for (int k = 0; k < 1100; k++)
		sprintf(text + strlen(text), "x%d=1\n", k);
	ini_open(&i, *state);
	assert_int_equal(in_pieces(&i, text, 8192), LOGIN_INITIATOR_ERROR);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void thirty_unknown_keys_are_all_answered(void **state)
{
	char text[4096] = NAMES, key[16];
	struct ini i;

	for (int k = 0; k < 30; k++)
		sprintf(text + strlen(text), "x%d=1\n", k);
	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | TO_FFP, text), LOGIN_SUCCESS);
	for (int k = 0; k < 30; k++) {
		snprintf(key, sizeof(key), "x%d", k);
		assert_answer(&i, key, "NotUnderstood");
	}
	ini_close(&i);
}

/* --- in full feature phase: 6.4, 11.10 ------------------------------------------------------ */

static void the_length_of_data_segments_may_be_declared_anew(void **state)
{
	struct wire *w = *state;
	uint8_t block[16 * WIRE_BLOCK];
	struct ini i;
	struct command c = {
		.cdb = cdb_read(0, 16), .read = true, .in = block, .expect = sizeof(block)
	};

	ini_begin(&i, w, "MaxRecvDataSegmentLength=8192\n");
	unit_ready(&i);
	text(&i, "MaxRecvDataSegmentLength=512\n");
	assert_int_equal(answers(&i, "MaxRecvDataSegmentLength"), 0);
	i.max_recv = 512;
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.data_pdus, 16);
	ini_close(&i);
}

static void keys_of_the_login_are_rejected_in_full_feature_phase(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "");
	text(&i, "MaxBurstLength=512\n");
	assert_answer(&i, "MaxBurstLength", "Reject");
	text(&i, "HeaderDigest=CRC32C\n");
	assert_answer(&i, "HeaderDigest", "Reject");
	i.header_digest = false;
	ini_expect_alive(&i);
	ini_close(&i);
}

static void unknown_keys_are_not_understood_in_full_feature_phase(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "");
	text(&i, "X-com.example.colour=blue\n");
	assert_answer(&i, "X-com.example.colour", "NotUnderstood");
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_operational_key_is_answered),
		TEST(what_is_not_offered_is_not_answered),
		TEST(the_smaller_number_wins),
		TEST(the_larger_time_to_wait_wins),
		TEST(yes_and_no_combine_as_the_key_says),
		TEST(numbers_may_be_hexadecimal),
		TEST(values_out_of_their_range_are_rejected),
		TEST(values_that_are_no_values_are_rejected),
		TEST(the_first_digest_that_both_know_is_chosen),
		TEST(markers_are_answered_no_and_their_intervals_rejected),
		TEST(unknown_keys_are_not_understood),
		TEST(what_the_other_side_did_not_understand_is_not_answered),
		TEST(first_burst_length_without_unsolicited_data_is_irrelevant),
		TEST(first_burst_length_does_not_exceed_max_burst_length),
		TEST_UNSTARTED(the_policy_may_require_digests),
		TEST_UNSTARTED(digests_that_are_required_are_asked_for),
		TEST_UNSTARTED(the_policy_may_forbid_digests),
		TEST(a_key_that_comes_twice_is_refused),
		TEST(a_key_that_comes_again_in_a_later_request_is_refused),
		TEST(text_that_is_no_key_and_value_is_refused),
		TEST(a_key_name_of_more_than_63_characters_is_refused),
		TEST(a_value_of_more_than_255_bytes_is_refused),
		TEST(keys_of_a_target_are_refused),
		TEST(keys_of_another_stage_are_refused),
		TEST(auth_method_in_the_operational_stage_is_refused),
		TEST(more_nuls_than_needed_do_no_harm),
		TEST(the_last_value_may_lack_its_nul),
		TEST(keys_may_be_spread_over_several_requests_and_cut_anywhere),
		TEST(an_empty_request_with_continue_is_answered),
		TEST(an_answer_of_more_than_8192_bytes_comes_in_pieces),
		TEST(text_before_the_last_piece_of_an_answer_is_refused),
		TEST(text_of_8192_bytes_is_taken),
		TEST(text_of_16000_bytes_in_two_requests_is_taken),
		TEST(text_beyond_the_limit_is_refused),
		TEST(a_data_segment_of_more_than_8192_bytes_is_refused),
		TEST(text_without_end_is_refused),
		TEST(an_empty_text_without_end_is_refused),
		TEST(unknown_keys_are_bounded),
		TEST(thirty_unknown_keys_are_all_answered),
		TEST(the_length_of_data_segments_may_be_declared_anew),
		TEST(keys_of_the_login_are_rejected_in_full_feature_phase),
		TEST(unknown_keys_are_not_understood_in_full_feature_phase),
	};
	return cmocka_run_group_tests_name("negotiation", tests, NULL, NULL);
}

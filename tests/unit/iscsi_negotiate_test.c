/* SPDX-License-Identifier: BSD-2-Clause */
/* Negotiation as such (RFC 7143 6): what is answered in which stage, and whole logins. */
#include "iscsi_negotiate_support.h"

static struct talk full_feature(const struct params *in_force)
{
	struct talk t = { .result = NEGOTIATE_OK };

	negotiate_init(&t.n, &usual, STAGE_FULL_FEATURE, true, in_force);
	return t;
}

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

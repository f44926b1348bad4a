/* SPDX-License-Identifier: BSD-2-Clause */
/* Each of the other operational keys (RFC 7143 13.2 to 13.25). */
#include "iscsi_negotiate_support.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

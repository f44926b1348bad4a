/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The login phase, RFC 7143 6 and 11.12, 11.13: stages, transitions, who may come in, and what becomes
 * of a login that breaks the rules. Its session is login_session_test.c's, its time login_limits_test.c's,
 * CHAP chap_test.c's and chap_refusal_test.c's, keys negotiation_test.c's.
 */
#include "wire.h"

#define NAMES NAMES_TO(OPEN)
#define FIRST NAMES "AuthMethod=None\n"

/* Sends one first request on a connection of its own; gives the status. The target closes behind any
 * refusal. */
static unsigned first(struct wire *w, unsigned flags, const char *keys)
{
	struct ini i;
	unsigned status;

	ini_open(&i, w);
	status = login(&i, flags, keys);
	if (status)
		ini_expect_closed(&i);
	ini_close(&i);
	return status;
}

/* --- stages: 6.2, 11.12.3 -------------------------------------------------------------------- */

static void a_login_goes_through_both_stages(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC | TO_OP, FIRST), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC | TO_OP);
	assert_answer(&i, "AuthMethod", "None");
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), OP | TO_FFP);
	assert_int_not_equal(i.tsih, 0);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_login_may_begin_in_the_operational_stage(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), OP | TO_FFP);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_login_may_jump_from_the_security_stage_to_full_feature(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC | TO_FFP, FIRST), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC | TO_FFP);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void the_security_stage_needs_no_auth_method_where_none_is_required(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC | TO_OP, NAMES), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC | TO_OP);
	assert_null(answer(&i, "AuthMethod"));
	ini_close(&i);
}

static void the_target_does_not_move_on_unless_asked_to(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC, FIRST), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC);
	assert_int_equal(login(&i, SEC, ""), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), SEC);
	assert_int_equal(login(&i, SEC | TO_OP, ""), LOGIN_SUCCESS);
	assert_int_equal(login(&i, OP, ""), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), OP);
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
	ini_close(&i);
}

static void transit_and_continue_together_are_refused(void **state)
{
	assert_int_equal(first(*state, OP | TO_FFP | CONT, NAMES), LOGIN_INITIATOR_ERROR);
}

static void stages_that_do_not_exist_are_refused(void **state)
{
	static const uint8_t flags[] = {
		0x08, 0x88 | 3, 0x0c, 0x8c | 3, /* CSG 2 and 3 */
		SEC | 0x82, OP | 0x82,          /* NSG 2 */
	};

	for (size_t k = 0; k < sizeof(flags); k++)
		assert_int_equal(first(*state, flags[k], NAMES), LOGIN_INITIATOR_ERROR);
}

static void a_transition_that_does_not_lead_forward_is_refused(void **state)
{
	assert_int_equal(first(*state, SEC | 0x80, NAMES), LOGIN_INITIATOR_ERROR);
	assert_int_equal(first(*state, OP | 0x80, NAMES), LOGIN_INITIATOR_ERROR);
	assert_int_equal(first(*state, OP | 0x81, NAMES), LOGIN_INITIATOR_ERROR);
}

static void a_request_of_an_earlier_stage_is_refused(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP, NAMES), LOGIN_SUCCESS);
	assert_int_equal(login(&i, SEC, ""), LOGIN_INITIATOR_ERROR);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void a_request_of_a_later_stage_is_refused_before_the_transition(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC, FIRST), LOGIN_SUCCESS);
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_INITIATOR_ERROR);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void the_next_stage_of_a_request_without_transit_is_not_looked_at(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | 2, NAMES), LOGIN_SUCCESS);
	assert_int_equal(login_flags(&i), OP);
	ini_close(&i);
}

/* --- versions: 11.12.4, 11.13.5 ------------------------------------------------------------- */

static void an_initiator_that_wants_a_later_version_is_refused(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	p = pdu_login(&i, OP | TO_FFP, NAMES);
	p.bhs[2] = p.bhs[3] = 1;
	ini_send(&i, &p);
	assert_int_equal(login_answer(&i), LOGIN_BAD_VERSION);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void an_initiator_that_takes_this_version_too_is_let_in(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	p = pdu_login(&i, OP | TO_FFP, NAMES);
	p.bhs[2] = 5;
	ini_send(&i, &p);
	assert_int_equal(login_answer(&i), LOGIN_SUCCESS);
	ini_close(&i);
}

/* --- who it is: 6.3, 13.3 to 13.5, 13.21 ---------------------------------------------------- */

static void an_initiator_without_a_name_is_refused(void **state)
{
	assert_int_equal(first(*state, OP | TO_FFP, "TargetName=" OPEN "\nSessionType=Normal\n"),
		LOGIN_MISSING_PARAMETER);
	assert_int_equal(first(*state, SEC | TO_OP, "SessionType=Discovery\nAuthMethod=None\n"),
		LOGIN_MISSING_PARAMETER);
}

static void a_normal_session_without_a_target_is_refused(void **state)
{
	assert_int_equal(first(*state, OP | TO_FFP, "InitiatorName=" HOST "\nSessionType=Normal\n"),
		LOGIN_MISSING_PARAMETER);
}

static void an_empty_first_request_is_refused(void **state)
{
	assert_int_equal(first(*state, OP | TO_FFP, ""), LOGIN_MISSING_PARAMETER);
	assert_int_equal(first(*state, SEC, ""), LOGIN_MISSING_PARAMETER);
}

static void a_session_without_a_type_is_a_normal_one(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | TO_FFP, "InitiatorName=" HOST "\nTargetName=" OPEN "\n"),
		LOGIN_SUCCESS);
	unit_ready(&i);
	ini_close(&i);
}

static void an_unknown_session_type_is_refused(void **state)
{
	assert_int_equal(first(*state, OP | TO_FFP,
				 "InitiatorName=" HOST "\nTargetName=" OPEN "\nSessionType=Boot\n"),
		LOGIN_BAD_SESSION_TYPE);
	assert_int_equal(
		first(*state, OP | TO_FFP,
			"InitiatorName=" HOST "\nTargetName=" OPEN "\nSessionType=normal\n"),
		LOGIN_BAD_SESSION_TYPE);
}

static void an_unknown_target_is_not_found(void **state)
{
	assert_int_equal(
		first(*state, OP | TO_FFP,
			"InitiatorName=" HOST
			"\nTargetName=iqn.2026-11.com.example:nothing\nSessionType=Normal\n"),
		LOGIN_NO_TARGET);
}

static void a_target_name_that_is_none_is_not_found(void **state)
{
	assert_int_equal(first(*state, OP | TO_FFP,
				 "InitiatorName=" HOST "\nTargetName=what?\nSessionType=Normal\n"),
		LOGIN_NO_TARGET);
}

static void an_initiator_name_that_is_none_is_refused(void **state)
{
	assert_int_equal(first(*state, OP | TO_FFP,
				 "InitiatorName=me\nTargetName=" OPEN "\nSessionType=Normal\n"),
		LOGIN_INITIATOR_ERROR);
}

static void names_are_compared_without_regard_to_case(void **state)
{
	assert_int_equal(first(*state, OP | TO_FFP,
				 "InitiatorName=IQN.2026-11.com.Example:Host1\n"
				 "TargetName=IQN.2026-11.COM.example:OPEN\nSessionType=Normal\n"),
		LOGIN_SUCCESS);
}

static void names_may_be_said_again_when_they_are_the_same(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC | TO_OP, FIRST), LOGIN_SUCCESS);
	assert_int_equal(login(&i, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void names_that_change_during_login_are_refused(void **state)
{
	static const char *const changes[] = {
		"InitiatorName=iqn.2026-11.com.example:host2\n",
		"TargetName=" LOCKED "\n",
		"SessionType=Discovery\n",
	};

	for (size_t k = 0; k < sizeof(changes) / sizeof(changes[0]); k++) {
		struct ini i;

		ini_open(&i, *state);
		assert_int_equal(login(&i, SEC | TO_OP, FIRST), LOGIN_SUCCESS);
		assert_int_equal(login(&i, OP | TO_FFP, changes[k]), LOGIN_INITIATOR_ERROR);
		ini_expect_closed(&i);
		ini_close(&i);
	}
}

static void the_first_answer_names_the_portal_group(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC, FIRST), LOGIN_SUCCESS);
	assert_answer(&i, "TargetPortalGroupTag", "1");
	assert_int_equal(login(&i, SEC | TO_OP, ""), LOGIN_SUCCESS);
	assert_int_equal(answers(&i, "TargetPortalGroupTag"), 0);
	ini_close(&i);
}

static void the_first_answer_tells_the_alias_of_the_target(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->target[0].alias = "scratch disk";
	wire_start(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, OP, NAMES), LOGIN_SUCCESS);
	assert_answer(&i, "TargetAlias", "scratch disk");
	ini_close(&i);
}

static void a_target_is_not_found_through_a_portal_group_that_does_not_show_it(void **state)
{
	static const uint16_t groups[] = { 2, 3 };
	struct wire *w = *state;
	struct ini i;

	w->target[0].groups = groups;
	w->target[0].ngroups = 2;
	wire_start(w);
	assert_int_equal(first(w, OP | TO_FFP, NAMES), LOGIN_NO_TARGET);
	ini_open_group(&i, w, 3);
	assert_int_equal(login(&i, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	assert_answer(&i, "TargetPortalGroupTag", "3");
	ini_close(&i);
}

/* --- redirection and stopped targets: 11.13.5 ----------------------------------------------- */

static void a_target_that_moved_for_now_tells_where_to(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->target[0].redirect = TARGET_MOVED_TEMPORARILY;
	w->target[0].redirect_to = "192.0.2.9:3261,2";
	wire_start(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, OP | TO_FFP, NAMES), LOGIN_MOVED_TEMPORARILY);
	assert_answer(&i, "TargetAddress", "192.0.2.9:3261,2");
	ini_expect_closed(&i);
	ini_close(&i);
}

static void a_target_that_moved_for_good_tells_where_to(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->target[0].redirect = TARGET_MOVED_PERMANENTLY;
	w->target[0].redirect_to = "[2001:db8::9]:3260";
	wire_start(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, SEC | TO_OP, FIRST), LOGIN_MOVED_PERMANENTLY);
	assert_answer(&i, "TargetAddress", "[2001:db8::9]:3260");
	ini_expect_closed(&i);
	ini_close(&i);
}

static void a_stopped_target_is_unavailable(void **state)
{
	struct wire *w = *state;

	w->target[0].stopped = true;
	wire_start(w);
	assert_int_equal(first(w, OP | TO_FFP, NAMES), LOGIN_UNAVAILABLE);
}

static void a_target_that_stops_lets_nobody_more_in(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_begin(&i, w, "");
	w->target[0].stopped = true;
	wire_publish(w);
	assert_int_equal(first(w, OP | TO_FFP, NAMES), LOGIN_UNAVAILABLE);
	ini_expect_alive(&i); /* who was in stays */
	ini_close(&i);
}

/* --- what stays the same during a login: 11.12 ---------------------------------------------- */

static void a_task_tag_that_changes_during_login_is_refused(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP, NAMES), LOGIN_SUCCESS);
	i.next_itt++;
	p = pdu_login(&i, OP | TO_FFP, "");
	ini_send(&i, &p);
	ini_recv(&i, OP_LOGIN_RSP);
	assert_int_equal(be16(i.bhs + 36), LOGIN_INITIATOR_ERROR);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void an_isid_tsih_or_cid_that_changes_during_login_is_refused(void **state)
{
	static const size_t at[] = { 8, 13, 15, 21 };

	for (size_t k = 0; k < sizeof(at) / sizeof(at[0]); k++) {
		struct ini i;
		struct pdu p;

		ini_open(&i, *state);
		assert_int_equal(login(&i, OP, NAMES), LOGIN_SUCCESS);
		p = pdu_login(&i, OP | TO_FFP, "");
		p.bhs[at[k]] ^= 0x20;
		ini_send(&i, &p);
		ini_recv(&i, OP_LOGIN_RSP);
		assert_int_equal(be16(i.bhs + 36), LOGIN_INITIATOR_ERROR);
		ini_expect_closed(&i);
		ini_close(&i);
	}
}

static void the_numbers_of_an_initiator_may_begin_anywhere(void **state)
{
	static const uint32_t begin[] = { 0, 1, 0x7fffffff, 0xfffffff0, 0xffffffff };

	for (size_t k = 0; k < sizeof(begin) / sizeof(begin[0]); k++) {
		struct ini i;
		uint8_t block[WIRE_BLOCK];

		ini_open(&i, *state);
		i.cmdsn = begin[k];
		ini_login(&i, OPEN, "");
		unit_ready(&i);
		for (uint32_t n = 0; n < 20; n++) /* over the edge */
			disk_read(&i, n, 1, block);
		ini_close(&i);
	}
}

/* --- what is not a login request: 6.3, 11.13.5 ---------------------------------------------- */

static void a_connection_that_does_not_begin_with_a_login_is_dropped_silently(void **state)
{
	for (uint8_t opcode = 0; opcode < 0x40; opcode++) {
		struct pdu p = { .bhs = { opcode, 0x80 } };
		struct ini i;

		if (opcode == OP_LOGIN_REQ)
			continue;
		ini_open(&i, *state);
		ini_send(&i, &p);
		ini_expect_closed(&i);
		ini_close(&i);
	}
}

static void anything_else_during_login_is_an_invalid_request(void **state)
{
	for (uint8_t opcode = 0; opcode < 0x40; opcode++) {
		struct pdu p = { .bhs = { opcode, 0x80 } };
		struct ini i;

		if (opcode == OP_LOGIN_REQ)
			continue;
		ini_open(&i, *state);
		assert_int_equal(login(&i, OP, NAMES), LOGIN_SUCCESS);
		ini_send(&i, &p);
		ini_recv(&i, OP_LOGIN_RSP);
		assert_int_equal(be16(i.bhs + 36), LOGIN_INVALID_REQUEST);
		ini_expect_closed(&i);
		ini_close(&i);
	}
}

static void data_behind_a_request_that_is_no_login_do_no_harm(void **state)
{
	static const char data[8192] = "x";
	struct pdu p = { .bhs = { OP_TEXT_REQ, 0x80 }, .data = data, .len = sizeof(data) };
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP, NAMES), LOGIN_SUCCESS);
	ini_send_may_fail(&i, &p);
	ini_recv(&i, OP_LOGIN_RSP);
	assert_int_equal(be16(i.bhs + 36), LOGIN_INVALID_REQUEST);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void a_login_request_without_the_immediate_bit_is_taken(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	p = pdu_login(&i, OP | TO_FFP, NAMES);
	p.bhs[0] = OP_LOGIN_REQ;
	ini_send(&i, &p);
	assert_int_equal(login_answer(&i), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_login_request_with_an_ahs_is_refused(void **state)
{
	static const uint8_t ahs[8] = { 0, 5, 1 };
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	p = pdu_login(&i, OP | TO_FFP, NAMES);
	p.ahs = ahs;
	p.ahs_len = sizeof(ahs);
	ini_send(&i, &p);
	assert_int_equal(login_answer(&i), LOGIN_INITIATOR_ERROR);
	ini_expect_closed(&i);
	ini_close(&i);
}

/* --- and the count of them ------------------------------------------------------------------- */

static void logins_and_refusals_are_counted(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_begin(&i, w, "");
	first(w, OP | TO_FFP, "");
	first(w, OP | TO_FFP, "");
	assert_int_equal(wire_counters(w).logins, 1);
	assert_int_equal(wire_counters(w).logins_refused, 2);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_goes_through_both_stages),
		TEST(a_login_may_begin_in_the_operational_stage),
		TEST(a_login_may_jump_from_the_security_stage_to_full_feature),
		TEST(the_security_stage_needs_no_auth_method_where_none_is_required),
		TEST(the_target_does_not_move_on_unless_asked_to),
		TEST(transit_and_continue_together_are_refused),
		TEST(stages_that_do_not_exist_are_refused),
		TEST(a_transition_that_does_not_lead_forward_is_refused),
		TEST(a_request_of_an_earlier_stage_is_refused),
		TEST(a_request_of_a_later_stage_is_refused_before_the_transition),
		TEST(the_next_stage_of_a_request_without_transit_is_not_looked_at),
		TEST(an_initiator_that_wants_a_later_version_is_refused),
		TEST(an_initiator_that_takes_this_version_too_is_let_in),
		TEST(an_initiator_without_a_name_is_refused),
		TEST(a_normal_session_without_a_target_is_refused),
		TEST(an_empty_first_request_is_refused),
		TEST(a_session_without_a_type_is_a_normal_one),
		TEST(an_unknown_session_type_is_refused),
		TEST(an_unknown_target_is_not_found),
		TEST(a_target_name_that_is_none_is_not_found),
		TEST(an_initiator_name_that_is_none_is_refused),
		TEST(names_are_compared_without_regard_to_case),
		TEST(names_may_be_said_again_when_they_are_the_same),
		TEST(names_that_change_during_login_are_refused),
		TEST(the_first_answer_names_the_portal_group),
		TEST_UNSTARTED(the_first_answer_tells_the_alias_of_the_target),
		TEST_UNSTARTED(a_target_is_not_found_through_a_portal_group_that_does_not_show_it),
		TEST_UNSTARTED(a_target_that_moved_for_now_tells_where_to),
		TEST_UNSTARTED(a_target_that_moved_for_good_tells_where_to),
		TEST_UNSTARTED(a_stopped_target_is_unavailable),
		TEST(a_target_that_stops_lets_nobody_more_in),
		TEST(a_task_tag_that_changes_during_login_is_refused),
		TEST(an_isid_tsih_or_cid_that_changes_during_login_is_refused),
		TEST(the_numbers_of_an_initiator_may_begin_anywhere),
		TEST(a_connection_that_does_not_begin_with_a_login_is_dropped_silently),
		TEST(anything_else_during_login_is_an_invalid_request),
		TEST(data_behind_a_request_that_is_no_login_do_no_harm),
		TEST(a_login_request_without_the_immediate_bit_is_taken),
		TEST(a_login_request_with_an_ahs_is_refused),
		TEST(logins_and_refusals_are_counted),
	};
	return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which session a login makes, joins or replaces, RFC 7143 6.3.1, 6.3.5, 11.12.6, and how many there may
 * be.
 */
#include "wire.h"

#define NAMES NAMES_TO(OPEN)

/* --- sessions: 6.3.1, 11.12.6 --------------------------------------------------------------- */

static void a_session_that_does_not_exist_cannot_be_joined(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	i.tsih = 4711;
	assert_int_equal(login(&i, OP | TO_FFP, NAMES), LOGIN_NO_SESSION);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void a_session_is_not_joined_by_another_initiator(void **state)
{
	struct ini i, thief;

	ini_begin(&i, *state, "");
	ini_open_more(&thief, &i, 1);
	assert_int_equal(
		login(&thief, OP | TO_FFP,
			"InitiatorName=iqn.2026-11.com.example:thief\nTargetName=" OPEN "\n"),
		LOGIN_NO_SESSION);
	ini_expect_alive(&i);
	ini_close(&thief);
	ini_close(&i);
}

static void a_second_connection_beyond_max_connections_is_refused(void **state)
{
	struct ini i, more;

	ini_begin(&i, *state, "MaxConnections=1\n");
	ini_open_more(&more, &i, 1);
	assert_int_equal(login(&more, OP | TO_FFP, NAMES), LOGIN_TOO_MANY);
	ini_expect_closed(&more);
	ini_expect_alive(&i);
	ini_close(&more);
	ini_close(&i);
}

static void sessions_beyond_the_limit_of_the_server_are_refused(void **state)
{
	struct wire *w = *state;
	struct ini i, more;

	w->policy.max_sessions = 1;
	wire_start(w);
	ini_begin(&i, w, "");
	ini_open(&more, w);
	more.isid[5] = 2;
	assert_int_equal(login(&more, OP | TO_FFP, NAMES), LOGIN_OUT_OF_RESOURCES);
	ini_expect_closed(&more);
	ini_expect_alive(&i);
	ini_close(&more);
	ini_close(&i);
}

static void no_connection_joins_a_session_of_the_other_type(void **state)
{
	struct wire *w = *state;
	struct ini normal, discovery, more;

	ini_begin(&normal, w, "");
	ini_open(&discovery, w);
	ini_login_discovery(&discovery);
	ini_open_more(&more, &discovery, 1);
	assert_int_equal(login(&more, OP | TO_FFP, NAMES), LOGIN_NO_SESSION);
	ini_close(&more);
	ini_open_more(&more, &normal, 1);
	assert_int_equal(
		login(&more, OP | TO_FFP, "InitiatorName=" HOST "\nSessionType=Discovery\n"),
		LOGIN_NO_SESSION);
	ini_close(&more);
	ini_expect_alive(&normal);
	ini_close(&normal);
	ini_close(&discovery);
}

static void discovery_is_possible_when_no_more_sessions_are(void **state)
{
	struct wire *w = *state;
	struct ini i, more;

	w->policy.max_sessions = 1;
	wire_start(w);
	ini_begin(&i, w, "");
	ini_open(&more, w);
	ini_login_discovery(&more);
	ini_close(&more);
	ini_close(&i);
}

static void sessions_beyond_the_limit_of_a_target_are_refused(void **state)
{
	struct wire *w = *state;
	struct ini i, more;

	w->target[0].max_sessions = 1;
	wire_start(w);
	ini_begin(&i, w, "");
	ini_open(&more, w);
	more.isid[5] = 2;
	assert_int_equal(login(&more, OP | TO_FFP, NAMES), LOGIN_OUT_OF_RESOURCES);
	ini_expect_closed(&more);
	ini_close(&more);
	logout(&i);
	ini_close(&i);
	wire_expect_sessions(w, 0);
	ini_begin(&i, w, "");
	ini_close(&i);
}

/* --- reinstatement: 6.3.5 ------------------------------------------------------------------- */

static void a_login_with_the_same_isid_replaces_the_session(void **state)
{
	struct wire *w = *state;
	struct ini old, next;

	ini_begin(&old, w, "");
	ini_open(&next, w);
	assert_int_equal(login(&next, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	ini_expect_closed(&old);
	assert_int_not_equal(next.tsih, old.tsih);
	ini_expect_alive(&next);
	wire_expect_sessions(w, 1);
	ini_close(&old);
	ini_close(&next);
}

static void a_session_is_replaced_from_the_security_stage_too(void **state)
{
	struct wire *w = *state;
	struct ini old, next;

	ini_begin(&old, w, "");
	ini_open(&next, w);
	assert_int_equal(login(&next, SEC | TO_OP, NAMES "AuthMethod=None\n"), LOGIN_SUCCESS);
	ini_expect_alive(&old); /* not before the login has succeeded */
	assert_int_equal(login(&next, OP | TO_FFP, ""), LOGIN_SUCCESS);
	ini_expect_closed(&old);
	wire_expect_sessions(w, 1);
	ini_close(&old);
	ini_close(&next);
}

static void another_isid_is_another_session(void **state)
{
	struct wire *w = *state;
	struct ini i, other;

	ini_begin(&i, w, "");
	ini_open(&other, w);
	other.isid[5]++;
	ini_login(&other, OPEN, "");
	ini_expect_alive(&i);
	ini_expect_alive(&other);
	wire_expect_sessions(w, 2);
	ini_close(&i);
	ini_close(&other);
}

static void another_initiator_with_the_same_isid_is_another_session(void **state)
{
	struct wire *w = *state;
	struct ini i, other;

	ini_begin(&i, w, "");
	ini_open(&other, w);
	other.name = "iqn.2026-11.com.example:host2";
	ini_login(&other, OPEN, "");
	ini_expect_alive(&i);
	ini_close(&i);
	ini_close(&other);
}

static void another_portal_group_is_another_session(void **state)
{
	struct wire *w = *state;
	struct ini i, other;

	ini_begin(&i, w, "");
	ini_open_group(&other, w, 2);
	ini_login(&other, OPEN, "");
	ini_expect_alive(&i);
	ini_expect_alive(&other);
	ini_close(&i);
	ini_close(&other);
}

static void discovery_sessions_do_not_replace_each_other(void **state)
{
	struct wire *w = *state;
	struct ini i, other;

	ini_open(&i, w);
	ini_login_discovery(&i);
	ini_open(&other, w);
	ini_login_discovery(&other);
	ini_expect_alive(&i);
	ini_close(&i);
	ini_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_that_does_not_exist_cannot_be_joined),
		TEST(a_session_is_not_joined_by_another_initiator),
		TEST(a_second_connection_beyond_max_connections_is_refused),
		TEST_UNSTARTED(sessions_beyond_the_limit_of_the_server_are_refused),
		TEST(no_connection_joins_a_session_of_the_other_type),
		TEST_UNSTARTED(discovery_is_possible_when_no_more_sessions_are),
		TEST_UNSTARTED(sessions_beyond_the_limit_of_a_target_are_refused),
		TEST(a_login_with_the_same_isid_replaces_the_session),
		TEST(a_session_is_replaced_from_the_security_stage_too),
		TEST(another_isid_is_another_session),
		TEST(another_initiator_with_the_same_isid_is_another_session),
		TEST(another_portal_group_is_another_session),
		TEST(discovery_sessions_do_not_replace_each_other),
	};
	return cmocka_run_group_tests_name("sessions of logins", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins that take long, and many of them: in how many pieces one may come, how long it may last, and
 * how many may be under way.
 */
#include "wire.h"

#define NAMES NAMES_TO(OPEN)

/* --- how it arrives ------------------------------------------------------------------------- */

static void a_login_that_comes_byte_by_byte_succeeds(void **state)
{
	uint8_t bytes[48 + sizeof(NAMES) + 4] = { 0 };
	struct ini i;
	struct pdu p;
	size_t size;

	ini_open(&i, *state);
	p = pdu_login(&i, OP | TO_FFP, NAMES);
	memcpy(bytes, p.bhs, 48);
	put_be24(bytes + 5, p.len);
	memcpy(bytes + 48, p.data, p.len);
	size = 48 + ((p.len + 3) & ~3u);
	for (size_t k = 0; k < size; k++) {
		ini_send_bytes(&i, bytes + k, 1, false);
		if (k % 16 == 0)
			wire_sleep_ms(1);
	}
	assert_int_equal(login_answer(&i), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_login_that_is_not_finished_in_time_is_closed(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->policy.login_timeout_ms = 100;
	wire_start(w);
	ini_open(&i, w);
	ini_expect_closed(&i);
	ini_close(&i);
	ini_open(&i, w);
	assert_int_equal(login(&i, OP, NAMES), LOGIN_SUCCESS);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void bytes_that_drip_in_do_not_lengthen_the_deadline(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct pdu p;
	unsigned sent = 0;

	w->policy.login_timeout_ms = 400;
	wire_start(w);
	ini_open(&i, w);
	p = pdu_login(&i, OP | TO_FFP, NAMES);
	while (sent < 48 && ini_send_bytes(&i, p.bhs + sent, 1, true)) {
		sent++;
		wire_sleep_ms(20);
	}
	assert_in_range(sent, 2, 40);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void requests_that_keep_coming_do_not_lengthen_the_deadline(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct pdu p;
	unsigned sent = 0;

	w->policy.login_timeout_ms = 400;
	wire_start(w);
	ini_open(&i, w);
	p = pdu_login(&i, OP, NAMES);
	while (sent < 50 && ini_send_may_fail(&i, &p)) {
		p = pdu_login(&i, OP, "");
		sent++;
		wire_sleep_ms(20);
	}
	assert_in_range(sent, 2, 40);
	ini_expect_closed_at_last(&i);
	ini_close(&i);
}

static void a_login_of_endless_requests_is_refused(void **state)
{
	struct ini i;
	unsigned status, requests = 1;

	ini_open(&i, *state);
	status = login(&i, OP, NAMES);
	while (status == LOGIN_SUCCESS && requests < 1000) {
		status = login(&i, OP, "");
		requests++;
	}
	assert_int_equal(status, LOGIN_INITIATOR_ERROR);
	assert_in_range(requests, 20, 200);
	ini_expect_closed(&i);
	ini_close(&i);
}

/* --- too many at the door ------------------------------------------------------------------- */

static void half_open_logins_beyond_the_limit_are_turned_away(void **state)
{
	struct wire *w = *state;
	struct ini i[3], late;

	w->cfg.max_half_open = 3;
	wire_start(w);
	for (int k = 0; k < 3; k++) {
		ini_open(&i[k], w);
		assert_int_equal(login(&i[k], OP, NAMES), LOGIN_SUCCESS);
	}
	ini_open(&late, w);
	ini_expect_closed(&late);
	ini_close(&late);
	/* Who has logged in does not count, nor who has gone. */
	assert_int_equal(login(&i[0], OP | TO_FFP, ""), LOGIN_SUCCESS);
	ini_open(&late, w);
	late.isid[5] = 9;
	ini_login(&late, OPEN, "");
	ini_close(&late);
	for (int k = 0; k < 3; k++)
		ini_close(&i[k]);
}

static void a_login_that_ends_in_the_middle_leaves_nothing(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_open(&i, w);
	assert_int_equal(login(&i, OP, NAMES), LOGIN_SUCCESS);
	wire_expect_connections(w, 1);
	ini_close(&i);
	wire_expect_idle(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_that_comes_byte_by_byte_succeeds),
		TEST_UNSTARTED(a_login_that_is_not_finished_in_time_is_closed),
		TEST_UNSTARTED(bytes_that_drip_in_do_not_lengthen_the_deadline),
		TEST_UNSTARTED(requests_that_keep_coming_do_not_lengthen_the_deadline),
		TEST(a_login_of_endless_requests_is_refused),
		TEST_UNSTARTED(half_open_logins_beyond_the_limit_are_turned_away),
		TEST(a_login_that_ends_in_the_middle_leaves_nothing),
	};
	return cmocka_run_group_tests_name("limits of logins", tests, NULL, NULL);
}

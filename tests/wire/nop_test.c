/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pings in both directions, RFC 7143 11.18, 11.19, and what becomes of an initiator that is silent.
 */
#include "wire.h"

static void a_ping_is_answered_with_its_data(void **state)
{
	static const char data[] = "are you there?";
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_nop(&i, data, sizeof(data));
	ini_send(&i, &p);
	ini_recv(&i, OP_NOP_IN);
	assert_int_equal(be32(i.bhs + 16), pdu_itt(&p));
	assert_int_equal(be32(i.bhs + 20), TAG_NONE);
	assert_int_equal(i.len, sizeof(data));
	assert_memory_equal(i.data, data, sizeof(data));
	ini_close(&i);
}

static void a_long_ping_is_cut_to_what_the_initiator_takes(void **state)
{
	static uint8_t data[4096];
	struct ini i;
	struct pdu p;

	fill(data, sizeof(data), 1);
	ini_begin(&i, *state, "MaxRecvDataSegmentLength=512\n");
	p = pdu_nop(&i, data, sizeof(data));
	ini_send(&i, &p);
	ini_recv(&i, OP_NOP_IN);
	assert_int_equal(i.len, 512);
	assert_memory_equal(i.data, data, 512);
	ini_close(&i);
}

static void a_ping_that_wants_no_answer_gets_none(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_nop(&i, NULL, 0);
	pdu_make_immediate(&i, &p);
	put_be32(p.bhs + 16, TAG_NONE);
	ini_send(&i, &p);
	ini_expect_silence(&i, 30);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void an_unasked_ping_that_is_not_immediate_is_rejected(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_nop(&i, NULL, 0);
	put_be32(p.bhs + 16, TAG_NONE);
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_INVALID_FIELD);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void pings(struct wire *w, uint32_t interval_ms, uint32_t timeout_ms)
{
	w->policy.ping_interval_ms = interval_ms;
	w->policy.ping_timeout_ms = timeout_ms;
	wire_start(w);
}

static void quick(struct wire *w)
{
	pings(w, 80, 80);
}

static void the_target_pings_a_silent_initiator(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct pdu p;

	quick(w);
	ini_begin(&i, w, "");
	for (int k = 0; k < 4; k++) {
		ini_recv(&i, OP_NOP_IN);
		assert_int_equal(be32(i.bhs + 16), TAG_NONE);
		assert_int_not_equal(be32(i.bhs + 20), TAG_NONE);
		p = pdu_nop(&i, NULL, 0);
		pdu_make_immediate(&i, &p);
		put_be32(p.bhs + 16, TAG_NONE);
		memcpy(p.bhs + 20, i.bhs + 20, 4);
		memcpy(p.bhs + 8, i.bhs + 8, 8);
		ini_send(&i, &p);
	}
	ini_expect_alive(&i);
	ini_close(&i);
}

static void an_initiator_that_says_nothing_any_more_is_dropped(void **state)
{
	struct wire *w = *state;
	struct ini i;

	quick(w);
	ini_begin(&i, w, "");
	ini_recv(&i, OP_NOP_IN);
	ini_expect_closed(&i);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void a_discovery_session_that_says_nothing_is_closed_without_a_ping(void **state)
{
	struct wire *w = *state;
	struct ini i;

	quick(w);
	ini_open(&i, w);
	ini_login_discovery(&i);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void an_initiator_whose_host_confirms_what_it_gets_is_kept(void **state)
{
	/* It never answers a ping, but its TCP does: so does a machine that boots by iPXE. */
	struct wire *w = *state;
	struct ini i;

	quick(w);
	ini_open_tcp(&i, w, "127.0.0.1", "127.0.0.1");
	ini_login(&i, OPEN, "");
	for (int k = 0; k < 3; k++) {
		ini_recv(&i, OP_NOP_IN);
		assert_int_equal(be32(i.bhs + 16), TAG_NONE);
	}
	assert_int_equal(wire_counters(w).sessions, 1);
	ini_close(&i);
}

static void an_initiator_that_ignores_pings_but_works_is_kept(void **state)
{
	struct wire *w = *state;
	struct cdb tur = cdb_test_unit_ready();
	struct ini i;

	pings(w, 150, 600);
	ini_begin(&i, w, "");
	for (int k = 0; k < 5; k++) {
		struct pdu p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);

		ini_send(&i, &p);
		do {
			assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		} while (i.bhs[0] != OP_SCSI_RSP);
		wire_sleep_ms(200);
	}
	assert_int_equal(wire_counters(w).sessions, 1);
	ini_close(&i);
}

static void a_busy_initiator_is_not_pinged(void **state)
{
	struct wire *w = *state;
	struct ini i;

	pings(w, 400, 400);
	ini_begin(&i, w, "");
	unit_ready(&i);
	for (int k = 0; k < 30; k++) {
		unit_ready(&i); /* which fails when a NOP-In comes between */
		wire_sleep_ms(20);
	}
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ping_is_answered_with_its_data),
		TEST(a_long_ping_is_cut_to_what_the_initiator_takes),
		TEST(a_ping_that_wants_no_answer_gets_none),
		TEST(an_unasked_ping_that_is_not_immediate_is_rejected),
		TEST_UNSTARTED(the_target_pings_a_silent_initiator),
		TEST_UNSTARTED(an_initiator_that_says_nothing_any_more_is_dropped),
		TEST_UNSTARTED(a_discovery_session_that_says_nothing_is_closed_without_a_ping),
		TEST_UNSTARTED(an_initiator_whose_host_confirms_what_it_gets_is_kept),
		TEST_UNSTARTED(an_initiator_that_ignores_pings_but_works_is_kept),
		TEST_UNSTARTED(a_busy_initiator_is_not_pinged),
	};
	return cmocka_run_group_tests_name("NOP", tests, NULL, NULL);
}

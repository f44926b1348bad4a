/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The full feature phase, RFC 7143 4.2.2, 11.3, 11.4, 11.14 to 11.19: numbering, pings, Reject,
 * logout, and answers of commands. Data are data_test.c's, task management tmf_test.c's.
 */
#include "wire.h"

#include <stdlib.h>

#define TEST(f)           cmocka_unit_test_setup_teardown(f, wire_setup_started, wire_teardown)
#define TEST_UNSTARTED(f) cmocka_unit_test_setup_teardown(f, wire_setup, wire_teardown)

/* --- the command window: 4.2.2.1 ------------------------------------------------------------ */

static void a_command_before_the_window_is_ignored(void **state)
{
	struct ini i;
	struct pdu p;
	struct cdb tur = cdb_test_unit_ready();

	ini_begin(&i, *state, "");
	unit_ready(&i);
	p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	put_be32(p.bhs + 24, i.expcmdsn - 1);
	i.cmdsn--;
	ini_send(&i, &p);
	ini_expect_silence(&i, 30);
	unit_ready(&i);
	ini_close(&i);
}

static void a_command_beyond_the_window_is_ignored(void **state)
{
	struct ini i;
	struct pdu p;
	struct cdb tur = cdb_test_unit_ready();

	ini_begin(&i, *state, "");
	unit_ready(&i);
	p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	put_be32(p.bhs + 24, i.maxcmdsn + 1);
	i.cmdsn--;
	ini_send(&i, &p);
	ini_expect_silence(&i, 30);
	unit_ready(&i);
	ini_close(&i);
}

static void the_window_is_as_large_as_the_policy_says(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->policy.queue_depth = 7;
	wire_start(w);
	ini_begin(&i, w, "");
	assert_int_equal(i.maxcmdsn - i.expcmdsn, 6);
	unit_ready(&i);
	assert_int_equal(i.maxcmdsn - i.expcmdsn, 6);
	ini_close(&i);
}

static void commands_under_way_take_room_in_the_window(void **state)
{
	struct wire *w = *state;
	struct command c[4];
	uint8_t block[WIRE_BLOCK];
	struct ini i;

	w->policy.queue_depth = 4;
	wire_start(w);
	ini_begin(&i, w, "");
	unit_ready(&i);
	/* Writes that wait for their data stay under way. */
	for (int k = 0; k < 3; k++) {
		c[k] = (struct command){ .cdb = cdb_write((uint32_t)k, 1),
			.write = true,
			.out = block,
			.expect = WIRE_BLOCK };
		command_send(&i, &c[k]);
		ini_recv(&i, OP_R2T);
	}
	assert_int_equal(i.maxcmdsn - i.expcmdsn + 1, 1);
	c[3] = (struct command){
		.cdb = cdb_write(3, 1), .write = true, .out = block, .expect = WIRE_BLOCK
	};
	command_send(&i, &c[3]);
	ini_recv(&i, OP_R2T);
	assert_int_equal(i.maxcmdsn - i.expcmdsn + 1, 0);
	/* A fifth one is beyond the window; an immediate one is not. */
	c[0] = (struct command){ .cdb = cdb_test_unit_ready() };
	command_send(&i, &c[0]);
	ini_expect_silence(&i, 30);
	i.cmdsn--;
	ini_expect_alive(&i);
	ini_close(&i);
}

static void requests_that_are_no_commands_leave_the_window_as_wide_as_it_was(void **state)
{
	struct wire *w = *state;
	struct cdb tur = cdb_test_unit_ready();
	struct ini i;
	struct pdu p;

	w->policy.queue_depth = 4;
	wire_start(w);
	ini_begin(&i, w, "");
	unit_ready(&i);
	for (int k = 0; k < 20; k++) {
		p = pdu_nop(&i, NULL, 0);
		ini_send(&i, &p);
		ini_recv(&i, OP_NOP_IN);
		text(&i, "SendTargets=\n");
		p = pdu_tmf(&i, TMF_TASK_REASSIGN, 1, 0);
		p.bhs[0] = OP_TMF_REQ;
		i.cmdsn++;
		ini_send(&i, &p);
		ini_recv(&i, OP_TMF_RSP);
		p = pdu_scsi(&i, 0, tur.b, tur.len, 0);
		ini_send(&i, &p);
		ini_recv(&i, OP_REJECT);
		assert_int_equal(i.maxcmdsn - i.expcmdsn + 1, 4);
	}
	unit_ready(&i);
	ini_close(&i);
}

static void a_command_ahead_of_its_turn_waits_for_it(void **state)
{
	struct ini i;
	struct pdu first, second;
	struct cdb tur = cdb_test_unit_ready();

	ini_begin(&i, *state, "");
	unit_ready(&i);
	first = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	second = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	ini_send(&i, &second);
	ini_expect_silence(&i, 30);
	ini_send(&i, &first);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(be32(i.bhs + 16), pdu_itt(&first));
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(be32(i.bhs + 16), pdu_itt(&second));
	ini_close(&i);
}

static void writes_ahead_of_their_turn_keep_their_data(void **state)
{
	struct ini i;
	uint8_t out[2 * WIRE_BLOCK], in[2 * WIRE_BLOCK];
	struct cdb one = cdb_write(10, 1), two = cdb_write(11, 1);
	struct pdu first, second;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, sizeof(out), 3);
	first = pdu_scsi(&i, BHS_FINAL | CMD_WRITE, one.b, one.len, WIRE_BLOCK);
	first.data = out;
	first.len = WIRE_BLOCK;
	second = pdu_scsi(&i, BHS_FINAL | CMD_WRITE, two.b, two.len, WIRE_BLOCK);
	second.data = out + WIRE_BLOCK;
	second.len = WIRE_BLOCK;
	ini_send(&i, &second);
	ini_send(&i, &first);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(be32(i.bhs + 16), pdu_itt(&first));
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 0);
	disk_read(&i, 10, 2, in);
	assert_memory_equal(in, out, sizeof(out));
	ini_close(&i);
}

static void the_same_command_twice_ahead_of_its_turn_runs_once(void **state)
{
	struct ini i;
	struct pdu first, second;
	struct cdb tur = cdb_test_unit_ready();

	ini_begin(&i, *state, "");
	unit_ready(&i);
	for (int k = 0; k < 3; k++) {
		first = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
		second = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
		ini_send(&i, &second);
		ini_send(&i, &second);
		ini_send(&i, &first);
		ini_recv(&i, OP_SCSI_RSP);
		ini_recv(&i, OP_SCSI_RSP);
		ini_expect_silence(&i, 30);
	}
	ini_expect_alive(&i);
	ini_close(&i);
}

static void an_immediate_command_takes_no_number(void **state)
{
	struct ini i;
	struct command c = { .cdb = cdb_test_unit_ready(), .immediate = true };
	uint32_t before;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	before = i.expcmdsn;
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(i.expcmdsn, before);
	ini_close(&i);
}

static void an_immediate_command_overtakes_those_that_wait(void **state)
{
	struct ini i;
	struct pdu early;
	struct cdb tur = cdb_test_unit_ready();
	struct command c = { .cdb = cdb_test_unit_ready(), .immediate = true };

	ini_begin(&i, *state, "");
	unit_ready(&i);
	i.cmdsn++;
	early = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	ini_send(&i, &early);
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	ini_close(&i);
}

static void too_many_immediate_commands_are_rejected(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct pdu p;
	unsigned n;

	ini_begin(&i, w, "");
	unit_ready(&i);
	for (n = 0; n < 200; n++) {
		struct cdb wr = cdb_write(n, 1);

		p = pdu_scsi(&i, BHS_FINAL | CMD_WRITE, wr.b, wr.len, WIRE_BLOCK);
		pdu_make_immediate(&i, &p);
		ini_send(&i, &p);
		assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		if (i.bhs[0] == OP_REJECT)
			break;
	}
	assert_in_range(n, 1, 128);
	assert_int_equal(i.bhs[2], REJECT_TOO_MANY_IMMEDIATE);
	ini_expect_alive(&i);
	ini_close(&i);
}

/* --- NOP: 11.18, 11.19 ---------------------------------------------------------------------- */

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

static void quick(struct wire *w)
{
	w->policy.ping_interval_ms = 80;
	w->policy.ping_timeout_ms = 80;
	wire_start(w);
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

	quick(w);
	ini_begin(&i, w, "");
	for (int k = 0; k < 10; k++) {
		struct pdu p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);

		ini_send(&i, &p);
		do {
			assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		} while (i.bhs[0] != OP_SCSI_RSP);
		wire_sleep_ms(100);
	}
	assert_int_equal(wire_counters(w).sessions, 1);
	ini_close(&i);
}

static void a_busy_initiator_is_not_pinged(void **state)
{
	struct wire *w = *state;
	struct ini i;

	quick(w);
	ini_begin(&i, w, "");
	unit_ready(&i);
	for (int k = 0; k < 20; k++) {
		unit_ready(&i); /* which fails when a NOP-In comes between */
		wire_sleep_ms(15);
	}
	ini_close(&i);
}

/* --- Reject: 11.17 -------------------------------------------------------------------------- */

static void unknown_requests_are_rejected_and_the_connection_goes_on(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "");
	for (uint8_t opcode = 0; opcode < 0x40; opcode++) {
		struct pdu p = { .bhs = { BHS_IMMEDIATE | opcode, BHS_FINAL } };

		if (opcode <= OP_LOGOUT_REQ || opcode == OP_SNACK_REQ)
			continue;
		put_be32(p.bhs + 16, 0x7000u + opcode);
		ini_send(&i, &p);
		ini_expect_reject(&i, &p, REJECT_NOT_SUPPORTED);
	}
	ini_expect_alive(&i);
	ini_close(&i);
}

static void an_unknown_request_with_data_is_rejected_and_its_data_are_dropped(void **state)
{
	static uint8_t data[5001];
	struct ini i;
	struct pdu p = { .bhs = { 0x1c, BHS_FINAL }, .data = data, .len = sizeof(data) };

	ini_begin(&i, *state, "");
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_NOT_SUPPORTED);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_login_in_full_feature_phase_is_rejected(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_login(&i, OP | TO_FFP, "InitiatorName=" HOST "\nTargetName=" OPEN "\n");
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_PROTOCOL_ERROR);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_snack_is_rejected_at_error_recovery_level_0(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "");
	for (uint8_t type = 0; type < 4; type++) {
		struct pdu p = { .bhs = { OP_SNACK_REQ, (uint8_t)(BHS_FINAL | type) } };

		put_be32(p.bhs + 16, 0x1234);
		put_be32(p.bhs + 20, TAG_NONE);
		ini_send(&i, &p);
		ini_expect_reject(&i, &p, REJECT_SNACK);
	}
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_command_whose_flags_contradict_each_other_is_rejected(void **state)
{
	static const uint8_t block[WIRE_BLOCK];
	struct cdb tur = cdb_test_unit_ready(), wr = cdb_write(0, 1);
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_scsi(&i, 0, tur.b, tur.len, 0); /* neither F nor W */
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_INVALID_FIELD);
	p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0); /* data without W */
	p.data = block;
	p.len = 4;
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_INVALID_FIELD);
	p = pdu_scsi(&i, BHS_FINAL | CMD_WRITE, wr.b, wr.len, 4); /* more than expected */
	p.data = block;
	p.len = 8;
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_INVALID_FIELD);
	p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0); /* the reserved tag */
	put_be32(p.bhs + 16, TAG_NONE);
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_INVALID_FIELD);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_task_tag_in_use_is_rejected(void **state)
{
	static const uint8_t block[WIRE_BLOCK];
	struct command c = {
		.cdb = cdb_write(0, 1), .write = true, .out = block, .expect = WIRE_BLOCK
	};
	struct cdb tur = cdb_test_unit_ready();
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	put_be32(p.bhs + 16, c.itt);
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_TASK_IN_PROGRESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void reserved_fields_are_ignored(void **state)
{
	struct ini i;
	struct cdb tur = cdb_test_unit_ready();
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	p.bhs[0] |= 0x80;
	p.bhs[1] |= 0x18;
	p.bhs[2] = p.bhs[3] = 0xff;
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(be32(i.bhs + 16), pdu_itt(&p));
	assert_int_equal(i.bhs[3], 0);
	ini_close(&i);
}

/* --- additional header segments: 11.2.2 ----------------------------------------------------- */

static void a_cdb_of_32_bytes_reaches_the_unit_whole(void **state)
{
	/* READ(32) of one block at 5: both numbers stand in the additional header. */
	static const uint8_t cdb[16] = { 0x7f, [7] = 24, [9] = 0x09 };
	static const uint8_t ahs[20] = { 0, 17, 1, [7] = 5, [19] = 1 };
	uint8_t out[WIRE_BLOCK];
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, sizeof(out), 7);
	disk_write(&i, 5, 1, out);
	p = pdu_scsi(&i, BHS_FINAL | 0x40, cdb, sizeof(cdb), WIRE_BLOCK);
	p.ahs = ahs;
	p.ahs_len = sizeof(ahs);
	ini_send(&i, &p);
	ini_recv(&i, OP_DATA_IN);
	assert_int_equal(i.len, WIRE_BLOCK);
	assert_memory_equal(i.data, out, WIRE_BLOCK);
	ini_close(&i);
}

static void malformed_additional_headers_do_no_harm(void **state)
{
	static const uint8_t bad[][8] = {
		{ 0, 0, 1 },                /* no length at all */
		{ 0xff, 0xff, 1 },          /* beyond the segment */
		{ 0, 6, 1 },                /* one byte beyond it */
		{ 0, 5, 9 },                /* an unknown type */
		{ 0, 1, 1, 0, 0, 1, 1, 0 }, /* the same type twice */
		{ 0, 1, 2, 0, 0, 1, 2, 0 }, /* a read length that is too short */
	};
	struct cdb tur = cdb_test_unit_ready();
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		struct pdu p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);

		p.ahs = bad[k];
		p.ahs_len = 8;
		ini_send(&i, &p);
		assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		if (i.bhs[0] == OP_SCSI_RSP)
			assert_int_equal(i.bhs[3], 2);
		else
			assert_int_equal(i.bhs[0], OP_REJECT);
	}
	ini_expect_alive(&i);
	ini_close(&i);
}

static void additional_headers_beyond_reason_close_the_connection(void **state)
{
	static const uint8_t ahs[1020] = { 3, 0xf9, 1 };
	struct cdb tur = cdb_test_unit_ready();
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	p.ahs = ahs;
	p.ahs_len = sizeof(ahs);
	ini_send(&i, &p);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void additional_headers_of_other_requests_are_passed_over(void **state)
{
	static const uint8_t ahs[8] = { 0, 5, 1 };
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_nop(&i, "abc", 3);
	p.ahs = ahs;
	p.ahs_len = sizeof(ahs);
	ini_send(&i, &p);
	assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
	assert_true(i.bhs[0] == OP_NOP_IN || i.bhs[0] == OP_REJECT);
	ini_expect_alive(&i);
	ini_close(&i);
}

/* --- answers of commands: 11.4 -------------------------------------------------------------- */

static void check_condition_comes_with_sense_data(void **state)
{
	struct command c = { .cdb = { { 0xff }, 6 } };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 5);
	assert_int_equal(c.asc, 0x2000);
	assert_in_range(c.sense_len, 8, 252);
	ini_close(&i);
}

static void a_new_nexus_finds_a_unit_attention(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "");
	expect_unit_attention(&i, 0x2900);
	unit_ready(&i);
	ini_close(&i);
}

static void a_lun_without_a_unit_is_told_as_scsi_wants(void **state)
{
	uint8_t data[36];
	struct command tur = { .cdb = cdb_test_unit_ready(), .lun = 0x0005000000000000 };
	struct command inquiry = { .cdb = cdb_inquiry(36),
		.read = true,
		.in = data,
		.expect = 36,
		.lun = 0x0005000000000000 };
	struct ini i;

	ini_begin(&i, *state, "");
	command_run(&i, &tur);
	assert_int_equal(tur.status, 2);
	assert_int_equal(tur.sense_key, 5);
	assert_int_equal(tur.asc, 0x2500);
	command_run(&i, &inquiry);
	assert_int_equal(inquiry.status, 0);
	assert_int_equal(data[0], 0x7f);
	ini_close(&i);
}

static void a_bidirectional_command_gets_an_answer(void **state)
{
	static const uint8_t ahs[8] = { 0, 5, 2, 0, 0, 0, 2, 0 };
	struct cdb wr = cdb_write(0, 1);
	static const uint8_t block[WIRE_BLOCK];
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	p = pdu_scsi(&i, BHS_FINAL | CMD_READ | CMD_WRITE, wr.b, wr.len, WIRE_BLOCK);
	p.ahs = ahs;
	p.ahs_len = sizeof(ahs);
	p.data = block;
	p.len = sizeof(block);
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[1] & RSP_BIDI_UNDERFLOW, RSP_BIDI_UNDERFLOW);
	assert_int_equal(be32(i.bhs + 40), 512);
	ini_expect_alive(&i);
	ini_close(&i);
}

/* --- logout: 11.14, 11.15 ------------------------------------------------------------------- */

static void logging_out_of_the_session_closes_it(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_begin(&i, w, "");
	logout(&i);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void logging_out_of_the_only_connection_closes_the_session(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct pdu p;

	ini_begin(&i, w, "");
	p = pdu_logout(&i, LOGOUT_CONNECTION, i.cid);
	ini_send(&i, &p);
	ini_recv(&i, OP_LOGOUT_RSP);
	assert_int_equal(i.bhs[2], LOGOUT_DONE);
	ini_expect_closed(&i);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void logging_out_of_a_connection_that_is_not_there_fails(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_logout(&i, LOGOUT_CONNECTION, 99);
	ini_send(&i, &p);
	ini_recv(&i, OP_LOGOUT_RSP);
	assert_int_equal(i.bhs[2], LOGOUT_NO_CID);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void logging_out_for_recovery_is_not_supported(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_logout(&i, LOGOUT_RECOVERY, i.cid);
	ini_send(&i, &p);
	ini_recv(&i, OP_LOGOUT_RSP);
	assert_int_equal(i.bhs[2], LOGOUT_NO_RECOVERY);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void an_unknown_reason_to_log_out_is_rejected(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_logout(&i, 3, 0);
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_INVALID_FIELD);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_logout_tells_how_long_to_wait_and_what_is_retained(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "DefaultTime2Wait=5\nDefaultTime2Retain=20\n");
	p = pdu_logout(&i, LOGOUT_SESSION, 0);
	ini_send(&i, &p);
	ini_recv(&i, OP_LOGOUT_RSP);
	assert_int_equal(be16(i.bhs + 40), 5);
	assert_int_equal(be16(i.bhs + 42), 0);
	ini_close(&i);
}

static void what_comes_behind_a_logout_is_not_looked_at(void **state)
{
	struct ini i;
	struct pdu p[3];
	struct cdb tur = cdb_test_unit_ready();

	ini_begin(&i, *state, "");
	unit_ready(&i);
	p[0] = pdu_logout(&i, LOGOUT_SESSION, 0);
	p[1] = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	p[2] = pdu_logout(&i, LOGOUT_SESSION, 0);
	for (int k = 0; k < 3; k++)
		ini_send_may_fail(&i, &p[k]);
	ini_recv(&i, OP_LOGOUT_RSP);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void commands_under_way_end_with_the_logout(void **state)
{
	struct wire *w = *state;
	static const uint8_t block[WIRE_BLOCK];
	struct command c = {
		.cdb = cdb_write(0, 1), .write = true, .out = block, .expect = WIRE_BLOCK
	};
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	logout(&i);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void an_initiator_that_hangs_up_leaves_nothing(void **state)
{
	struct wire *w = *state;
	static const uint8_t block[WIRE_BLOCK];
	struct command c = {
		.cdb = cdb_write(0, 1), .write = true, .out = block, .expect = WIRE_BLOCK
	};
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	ini_close(&i);
	wire_expect_idle(w);
}

/* --- many at once --------------------------------------------------------------------------- */

static void a_hundred_commands_at_once_are_all_answered(void **state)
{
	enum { MANY = 100 };
	uint8_t block[WIRE_BLOCK];
	struct command c[MANY];
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	for (int k = 0; k < MANY; k++) {
		c[k] = (struct command){ .cdb = cdb_read((uint32_t)k, 1),
			.read = true,
			.in = block,
			.expect = WIRE_BLOCK };
		command_send(&i, &c[k]);
	}
	for (int k = 0; k < MANY; k++) {
		command_finish(&i, &c[k]);
		assert_int_equal(c[k].status, 0);
	}
	ini_close(&i);
}

static void an_initiator_that_pings_and_does_not_read_is_held_back(void **state)
{
	static uint8_t data[8192];
	struct ini i;
	struct pdu p;
	unsigned sent;
	struct iscsi_counters c;

	ini_begin(&i, *state, "");
	p = pdu_nop(&i, data, sizeof(data));
	pdu_make_immediate(&i, &p);
	/* Two thousand are 16 MiB of answers: the target stops reading long before. */
	for (sent = 0; sent < 2000; sent++) {
		if (!ini_can_send(&i, 100))
			break;
		ini_send(&i, &p);
	}
	assert_in_range(sent, 10, 1000);
	c = wire_counters(*state);
	assert_true(c.bytes_in < 8u << 20);
	for (unsigned k = 0; k < sent; k++)
		ini_recv(&i, OP_NOP_IN);
	ini_expect_alive(&i);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_before_the_window_is_ignored),
		TEST(a_command_beyond_the_window_is_ignored),
		TEST_UNSTARTED(the_window_is_as_large_as_the_policy_says),
		TEST_UNSTARTED(commands_under_way_take_room_in_the_window),
		TEST_UNSTARTED(requests_that_are_no_commands_leave_the_window_as_wide_as_it_was),
		TEST(a_command_ahead_of_its_turn_waits_for_it),
		TEST(writes_ahead_of_their_turn_keep_their_data),
		TEST(the_same_command_twice_ahead_of_its_turn_runs_once),
		TEST(an_immediate_command_takes_no_number),
		TEST(an_immediate_command_overtakes_those_that_wait),
		TEST(too_many_immediate_commands_are_rejected),
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
		TEST(unknown_requests_are_rejected_and_the_connection_goes_on),
		TEST(an_unknown_request_with_data_is_rejected_and_its_data_are_dropped),
		TEST(a_login_in_full_feature_phase_is_rejected),
		TEST(a_snack_is_rejected_at_error_recovery_level_0),
		TEST(a_command_whose_flags_contradict_each_other_is_rejected),
		TEST(a_task_tag_in_use_is_rejected),
		TEST(reserved_fields_are_ignored),
		TEST(a_cdb_of_32_bytes_reaches_the_unit_whole),
		TEST(malformed_additional_headers_do_no_harm),
		TEST(additional_headers_beyond_reason_close_the_connection),
		TEST(additional_headers_of_other_requests_are_passed_over),
		TEST(check_condition_comes_with_sense_data),
		TEST(a_new_nexus_finds_a_unit_attention),
		TEST(a_lun_without_a_unit_is_told_as_scsi_wants),
		TEST(a_bidirectional_command_gets_an_answer),
		TEST(logging_out_of_the_session_closes_it),
		TEST(logging_out_of_the_only_connection_closes_the_session),
		TEST(logging_out_of_a_connection_that_is_not_there_fails),
		TEST(logging_out_for_recovery_is_not_supported),
		TEST(an_unknown_reason_to_log_out_is_rejected),
		TEST(a_logout_tells_how_long_to_wait_and_what_is_retained),
		TEST(what_comes_behind_a_logout_is_not_looked_at),
		TEST(commands_under_way_end_with_the_logout),
		TEST(an_initiator_that_hangs_up_leaves_nothing),
		TEST(a_hundred_commands_at_once_are_all_answered),
		TEST(an_initiator_that_pings_and_does_not_read_is_held_back),
	};
	return cmocka_run_group_tests_name("full feature phase", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The full feature phase, RFC 7143 11.2 to 11.4, 11.14, 11.15, 11.17: Reject, additional headers, answers
 * of commands, logout, and many requests at once. Their numbers are window_test.c's, pings nop_test.c's,
 * data data_*_test.c's, task management tmf_test.c's.
 */
#include "wire.h"

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
	/* Data are expected, but neither R nor W says which way. */
	p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 512);
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

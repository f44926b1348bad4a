/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Header and data digests, RFC 7143 11.2.3, 11.2.4, 13.1, 13.2: they are right on every PDU (the
 * harness checks that), from the first one after the login on, and what is damaged is not believed.
 */
#include "wire.h"

#define HEADER "HeaderDigest=CRC32C\n"
#define DATA   "DataDigest=CRC32C\n"

static uint8_t out[1 << 20], in[1 << 20];

static void every_kind_of_pdu_carries_digests(void **state)
{
	static const char *const which[] = { HEADER, DATA, HEADER DATA };

	for (int k = 0; k < 3; k++) {
		struct command inquiry = {
			.cdb = cdb_inquiry(96), .read = true, .in = in, .expect = 96
		};
		struct command bad = { .cdb = { { 0xff }, 6 } };
		struct ini i;
		struct pdu p;

		ini_begin(&i, *state, which[k]);
		assert_int_equal(i.header_digest, k != 1);
		assert_int_equal(i.data_digest, k != 0);
		unit_ready(&i); /* sense data */
		command_run(&i, &bad);
		command_run(&i, &inquiry); /* Data-In */
		fill(out, 65536, (unsigned)k);
		disk_write(&i, 0, 128, out); /* R2T, Data-Out */
		disk_read(&i, 0, 128, in);
		assert_memory_equal(in, out, 65536);
		ini_expect_alive(&i); /* NOP-In with data */
		text(&i, "SendTargets=\n");
		assert_int_equal(tmf(&i, TMF_LUN_RESET, TAG_NONE, 0), TMF_COMPLETE);
		p = (struct pdu){ .bhs = { OP_SNACK_REQ, BHS_FINAL } };
		ini_send(&i, &p);
		ini_expect_reject(&i, &p, REJECT_SNACK);
		logout(&i);
		ini_close(&i);
	}
}

static void data_of_any_length_are_digested_with_their_padding(void **state)
{
	static const uint8_t data[] = "0123456789abcdef";
	struct ini i;

	ini_begin(&i, *state, HEADER DATA);
	for (uint32_t len = 0; len <= 16; len++) {
		struct pdu p = pdu_nop(&i, data, len);

		ini_send(&i, &p);
		ini_recv(&i, OP_NOP_IN);
		assert_int_equal(i.len, len);
		assert_memory_equal(i.data, data, len);
	}
	ini_close(&i);
}

static void large_transfers_keep_their_digests(void **state)
{
	struct ini i;

	ini_begin(&i, *state,
		HEADER DATA "MaxRecvDataSegmentLength=262144\nInitialR2T=No\n"
			    "MaxBurstLength=1048576\nMaxOutstandingR2T=2\n");
	unit_ready(&i);
	fill(out, sizeof(out), 3);
	disk_write(&i, 1, sizeof(out) / WIRE_BLOCK, out);
	disk_read(&i, 1, sizeof(out) / WIRE_BLOCK, in);
	assert_memory_equal(in, out, sizeof(out));
	ini_close(&i);
}

static void additional_headers_are_digested(void **state)
{
	static const uint8_t cdb[16] = { 0x7f, [7] = 24, [8] = 0xff, [9] = 0xff };
	static const uint8_t ahs[20] = { 0, 17, 1 };
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, HEADER DATA);
	unit_ready(&i);
	p = pdu_scsi(&i, BHS_FINAL, cdb, sizeof(cdb), 0);
	p.ahs = ahs;
	p.ahs_len = sizeof(ahs);
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 2);
	ini_close(&i);
}

static void a_pdu_with_a_wrong_header_digest_ends_the_connection(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct pdu p;

	ini_begin(&i, w, HEADER);
	p = pdu_nop(&i, NULL, 0);
	i.broken_header_digest = true;
	ini_send(&i, &p);
	ini_expect_closed(&i);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void data_with_a_wrong_digest_are_rejected_and_end_the_connection(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_write(0, 4), .write = true, .out = out, .expect = 2048 };
	struct ini i;
	struct pdu p;
	uint8_t zeros[2048] = { 0 };

	ini_begin(&i, w, HEADER DATA);
	unit_ready(&i);
	fill(out, 2048, 2);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	p = pdu_data_out(&i, c.itt, be32(i.bhs + 20), 0, 0, out, 2048, true);
	i.broken_data_digest = true;
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_DATA_DIGEST);
	ini_expect_closed(&i);
	ini_close(&i);
	wire_expect_sessions(w, 0);
	/* Nothing of it is on the disk. */
	ini_begin(&i, w, "");
	unit_ready(&i);
	disk_read(&i, 0, 4, in);
	assert_memory_equal(in, zeros, sizeof(zeros));
	ini_close(&i);
}

static void immediate_data_with_a_wrong_digest_do_not_reach_the_disk(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_write(0, 4),
		.write = true,
		.out = out,
		.expect = 2048,
		.immediate_len = 2048 };
	struct ini i;
	uint8_t zeros[2048] = { 0 };

	ini_begin(&i, w, HEADER DATA);
	unit_ready(&i);
	fill(out, 2048, 2);
	i.broken_data_digest = true;
	command_send(&i, &c);
	ini_recv(&i, OP_REJECT);
	assert_int_equal(i.bhs[2], REJECT_DATA_DIGEST);
	ini_expect_closed(&i);
	ini_close(&i);
	wire_expect_sessions(w, 0);
	ini_begin(&i, w, "");
	unit_ready(&i);
	disk_read(&i, 0, 4, in);
	assert_memory_equal(in, zeros, sizeof(zeros));
	ini_close(&i);
}

static void text_with_a_wrong_digest_is_not_believed(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, DATA);
	p = pdu_text(&i, "SendTargets=\n");
	i.broken_data_digest = true;
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_DATA_DIGEST);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void early_commands_with_a_wrong_digest_leave_nothing(void **state)
{
	struct wire *w = *state;
	struct cdb wr = cdb_write(0, 4);
	struct ini i;
	struct pdu p;

	ini_begin(&i, w, DATA);
	unit_ready(&i);
	i.cmdsn++;
	p = pdu_scsi(&i, BHS_FINAL | CMD_WRITE, wr.b, wr.len, 2048);
	p.data = out;
	p.len = 2048;
	i.broken_data_digest = true;
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_DATA_DIGEST);
	ini_expect_closed(&i);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void the_last_login_answer_is_without_digests(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP,
				 "InitiatorName=" HOST "\nTargetName=" OPEN
				 "\nHeaderDigest=CRC32C\nDataDigest=CRC32C\n"),
		LOGIN_SUCCESS);
	/* Agreed, and not yet in force. */
	assert_int_equal(login(&i, OP, ""), LOGIN_SUCCESS);
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void discovery_sessions_may_have_digests(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | TO_FFP,
				 "InitiatorName=" HOST "\nSessionType=Discovery\n" HEADER DATA),
		LOGIN_SUCCESS);
	text(&i, "SendTargets=All\n");
	assert_int_equal(answers(&i, "TargetName"), 2);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_kind_of_pdu_carries_digests),
		TEST(data_of_any_length_are_digested_with_their_padding),
		TEST(large_transfers_keep_their_digests),
		TEST(additional_headers_are_digested),
		TEST(a_pdu_with_a_wrong_header_digest_ends_the_connection),
		TEST(data_with_a_wrong_digest_are_rejected_and_end_the_connection),
		TEST(immediate_data_with_a_wrong_digest_do_not_reach_the_disk),
		TEST(text_with_a_wrong_digest_is_not_believed),
		TEST(early_commands_with_a_wrong_digest_leave_nothing),
		TEST(the_last_login_answer_is_without_digests),
		TEST(discovery_sessions_may_have_digests),
		TEST_PLAIN(every_kind_of_pdu_carries_digests),
		TEST_PLAIN(data_of_any_length_are_digested_with_their_padding),
		TEST_PLAIN(large_transfers_keep_their_digests),
		TEST_PLAIN(additional_headers_are_digested),
		TEST_PLAIN(a_pdu_with_a_wrong_header_digest_ends_the_connection),
		TEST_PLAIN(data_with_a_wrong_digest_are_rejected_and_end_the_connection),
		TEST_PLAIN(immediate_data_with_a_wrong_digest_do_not_reach_the_disk),
		TEST_PLAIN(text_with_a_wrong_digest_is_not_believed),
		TEST_PLAIN(early_commands_with_a_wrong_digest_leave_nothing),
		TEST_PLAIN(the_last_login_answer_is_without_digests),
		TEST_PLAIN(discovery_sessions_may_have_digests),
	};
	return cmocka_run_group_tests_name("digests", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of data that break the rules, that are lost on their way, or that belong to a command
 * that fails, RFC 7143 7.8, 7.9, 11.7.
 */
#include "wire.h"

#include <errno.h>

static uint8_t out[65536], in[65536];

/* --- data that break the rules -------------------------------------------------------------- */

/* A write of four blocks that waits for its R2T's data; gives the tag. */
static uint32_t waiting_write(struct ini *i, struct wire *w, struct command *c)
{
	*c = (struct command){ .cdb = cdb_write(0, 4), .write = true, .out = out, .expect = 2048 };
	ini_begin(i, w, "");
	unit_ready(i);
	command_send(i, c);
	ini_recv(i, OP_R2T);
	return be32(i->bhs + 20);
}

/* At error recovery level 0 what cannot be repaired ends the session; nothing of it is written as if it
 * were right. */
static void expect_protocol_error(struct ini *i, const struct pdu *p)
{
	ini_send(i, p);
	ini_expect_reject(i, p, REJECT_PROTOCOL_ERROR);
	ini_expect_closed(i);
	ini_close(i);
}

static void a_gap_in_the_data_is_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 512, out, 512, false);

	expect_protocol_error(&i, &p);
}

static void data_sent_again_are_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 512, false);

	ini_send(&i, &p);
	put_be32(p.bhs + 36, 1);
	expect_protocol_error(&i, &p);
}

static void a_transfer_tag_that_was_not_given_is_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt ^ 0x10, 0, 0, out, 2048, true);

	expect_protocol_error(&i, &p);
}

static void unsolicited_data_where_none_were_agreed_are_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	struct pdu p;

	waiting_write(&i, *state, &c);
	p = pdu_data_out(&i, c.itt, TAG_NONE, 0, 0, out, 512, true);
	expect_protocol_error(&i, &p);
}

static void data_beyond_2_to_the_32_are_refused(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0xfffffe00, out, 1024, true);

	ini_send(&i, &p);
	ini_recv(&i, OP_REJECT);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void data_of_no_command_are_dropped(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	p = pdu_data_out(&i, 0x4711, 0x1234, 0, 0, out, 8192, true);
	ini_send(&i, &p);
	unit_ready(&i);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_data_segment_beyond_the_declared_length_closes_the_connection(void **state)
{
	struct wire *w = *state;
	struct command c;
	struct ini i;
	uint32_t ttt;
	struct pdu p;

	w->policy.max_recv_data_segment_length = 512;
	wire_start(w);
	ttt = waiting_write(&i, w, &c);
	p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 1024, false);
	ini_send(&i, &p);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void immediate_data_that_were_not_agreed_fail_the_command(void **state)
{
	struct command c = { .cdb = cdb_write(0, 1),
		.write = true,
		.out = out,
		.expect = WIRE_BLOCK,
		.immediate_len = WIRE_BLOCK };
	struct ini i;
	uint8_t before[WIRE_BLOCK];

	ini_begin(&i, *state, "ImmediateData=No\n");
	unit_ready(&i);
	disk_read(&i, 0, 1, before);
	fill(out, WIRE_BLOCK, 9);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 0xb);
	assert_int_equal(c.asc, 0x0c0c);
	disk_read(&i, 0, 1, in);
	assert_memory_equal(in, before, WIRE_BLOCK);
	ini_close(&i);
}

static void unsolicited_data_that_were_not_agreed_fail_the_command(void **state)
{
	struct command c = { .cdb = cdb_write(0, 2),
		.write = true,
		.out = out,
		.expect = 1024,
		.unsolicited_len = 1024 };
	struct ini i;

	ini_begin(&i, *state, "InitialR2T=Yes\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.asc, 0x0c0c);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void more_immediate_data_than_a_first_burst_fail_the_command(void **state)
{
	struct command c = { .cdb = cdb_write(0, 8),
		.write = true,
		.out = out,
		.expect = 4096,
		.immediate_len = 4096 };
	struct ini i;

	ini_begin(&i, *state, "FirstBurstLength=1024\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.asc, 0x0c0c);
	ini_close(&i);
}

static void a_write_that_is_cut_off_leaves_whole_blocks(void **state)
{
	struct wire *w = *state;
	struct command c;
	struct ini i;
	uint32_t ttt;
	struct pdu p;
	uint8_t zeros[2048] = { 0 };

	ttt = waiting_write(&i, w, &c);
	memset(out, 0xee, 2048);
	p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 700, false);
	ini_send(&i, &p);
	ini_expect_alive(&i);
	ini_close(&i);
	wire_expect_sessions(w, 0);
	ini_begin(&i, w, "");
	unit_ready(&i);
	disk_read(&i, 0, 4, in);
	/* The first block is the old or the new one; the others are the old ones. */
	assert_true(memcmp(in, zeros, 512) == 0 || memcmp(in, out, 512) == 0);
	assert_memory_equal(in + 512, zeros, 2048 - 512);
	ini_close(&i);
}

/* --- data that were lost, RFC 7143 7.9 and 7.8 b; and too many or too few, 11.4.7.2 --------- */

enum { CRC_ERROR = 0x4705, WRONG_AMOUNT = 0x0c0d };

/* The command fails in a way that has it sent again; the session goes on, and nothing was written. */
static void expect_spoiled(struct ini *i, uint32_t itt, uint16_t asc)
{
	static const uint8_t zeros[2048];

	ini_recv(i, OP_SCSI_RSP);
	assert_int_equal(be32(i->bhs + 16), itt);
	assert_int_equal(i->bhs[3], SCSI_CHECK_CONDITION);
	assert_int_equal(i->data[2 + 2], SENSE_ABORTED_COMMAND);
	assert_int_equal(be16(i->data + 2 + 12), asc);
	disk_read(i, 0, 4, in);
	assert_memory_equal(in, zeros, sizeof(zeros));
}

static void a_wrong_datasn_fails_the_command(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p;

	fill(out, 2048, 5);
	p = pdu_data_out(&i, c.itt, ttt, 27, 0, out, 2048, true);
	ini_send(&i, &p);
	expect_spoiled(&i, c.itt, CRC_ERROR);
	ini_close(&i);
}

static void a_lost_pdu_fails_the_command_when_the_sequence_ends(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p;

	fill(out, 2048, 6);
	p = pdu_data_out(&i, c.itt, ttt, 1, 512, out, 512, false);
	ini_send(&i, &p);
	unit_ready(&i); /* no answer comes before the last of the data */
	p = pdu_data_out(&i, c.itt, ttt, 2, 1024, out, 1024, true);
	ini_send(&i, &p);
	expect_spoiled(&i, c.itt, CRC_ERROR);
	ini_close(&i);
}

static void a_lost_pdu_fails_the_command_when_every_r2t_is_answered(void **state)
{
	struct command c = { .cdb = cdb_write(0, 48), .write = true, .out = out, .expect = 24576 };
	struct ini i;
	struct pdu p;
	uint32_t ttt[2];

	ini_begin(&i, *state,
		"ImmediateData=No\nInitialR2T=Yes\nMaxBurstLength=8192\n"
		"MaxOutstandingR2T=2\n");
	unit_ready(&i);
	fill(out, 24576, 7);
	command_send(&i, &c);
	for (int n = 0; n < 2; n++) {
		ini_recv(&i, OP_R2T);
		ttt[n] = be32(i.bhs + 20);
	}
	p = pdu_data_out(&i, c.itt, ttt[0], 1, 0, out, 8192, true);
	ini_send(&i, &p);
	unit_ready(&i); /* no third R2T, and no answer while the second is open */
	p = pdu_data_out(&i, c.itt, ttt[1], 0, 8192, out, 8192, true);
	ini_send(&i, &p);
	expect_spoiled(&i, c.itt, CRC_ERROR);
	ini_close(&i);
}

static void data_beyond_what_was_asked_for_fail_the_command(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 2560, true);

	ini_send(&i, &p);
	expect_spoiled(&i, c.itt, WRONG_AMOUNT);
	ini_close(&i);
}

static void a_sequence_that_ends_before_its_time_fails_the_command(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 512, true);

	ini_send(&i, &p);
	expect_spoiled(&i, c.itt, WRONG_AMOUNT);
	ini_close(&i);
}

static void data_behind_a_sequence_without_a_final_bit_fail_the_command(void **state)
{
	static const uint8_t zeros[2048];
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0, zeros, 2048, false);

	ini_send(&i, &p);
	unit_ready(&i); /* no answer comes before the last of the data */
	p = pdu_data_out(&i, c.itt, ttt, 1, 2048, out, 512, true);
	ini_send(&i, &p);
	expect_spoiled(&i, c.itt, WRONG_AMOUNT);
	ini_close(&i);
}

static void more_unsolicited_data_than_a_first_burst_fail_the_command(void **state)
{
	struct cdb wr = cdb_write(0, 8);
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "InitialR2T=No\nFirstBurstLength=1024\n");
	unit_ready(&i);
	p = pdu_scsi(&i, CMD_WRITE, wr.b, wr.len, 4096);
	ini_send(&i, &p);
	p = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 0, 0, out, 2048, true);
	ini_send(&i, &p);
	expect_spoiled(&i, pdu_itt(&p), WRONG_AMOUNT);
	ini_close(&i);
}

/* --- commands that fail before their data --------------------------------------------------- */

static void a_write_that_fails_at_once_waits_for_its_unsolicited_data(void **state)
{
	struct command c = { .cdb = cdb_write(WIRE_BLOCKS, 2),
		.write = true,
		.out = out,
		.expect = 1024,
		.immediate_len = 512,
		.unsolicited_len = 512 };
	struct ini i;

	ini_begin(&i, *state, "InitialR2T=No\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 5);
	assert_int_equal(c.asc, 0x2100);
	assert_int_equal(c.r2ts, 0);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_write_that_fails_at_once_is_not_answered_before_its_unsolicited_data(void **state)
{
	struct cdb wr = cdb_write(WIRE_BLOCKS, 2);
	struct ini i;
	struct pdu p, d;

	ini_begin(&i, *state, "InitialR2T=No\n");
	unit_ready(&i);
	p = pdu_scsi(&i, CMD_WRITE, wr.b, wr.len, 1024);
	ini_send(&i, &p);
	ini_expect_silence(&i, 30);
	d = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 0, 0, out, 512, false);
	ini_send(&i, &d);
	ini_expect_silence(&i, 30);
	d = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 1, 512, out, 512, true);
	ini_send(&i, &d);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 2);
	ini_close(&i);
}

static void a_write_that_fails_in_the_store_tells_so(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_write(0, 1),
		.write = true,
		.out = out,
		.expect = WIRE_BLOCK,
		.immediate_len = WIRE_BLOCK };
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	fault_set(
		w->disk[0], &(struct fault_cfg){ .ops = 1u << STORE_WRITE, .nth = 1, .err = -EIO });
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 3);
	fault_set(w->disk[0], &(struct fault_cfg){ 0 });
	disk_write(&i, 0, 1, out);
	ini_close(&i);
}

static void a_read_that_fails_in_the_store_tells_so(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	fault_set(
		w->disk[0], &(struct fault_cfg){ .ops = 1u << STORE_READ, .nth = 1, .err = -EIO });
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 3);
	ini_expect_alive(&i);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_gap_in_the_data_is_a_protocol_error),
		TEST(data_sent_again_are_a_protocol_error),
		TEST(data_beyond_what_was_asked_for_fail_the_command),
		TEST(a_sequence_that_ends_before_its_time_fails_the_command),
		TEST(a_transfer_tag_that_was_not_given_is_a_protocol_error),
		TEST(unsolicited_data_where_none_were_agreed_are_a_protocol_error),
		TEST(data_beyond_2_to_the_32_are_refused),
		TEST(data_behind_a_sequence_without_a_final_bit_fail_the_command),
		TEST(data_of_no_command_are_dropped),
		TEST_UNSTARTED(a_data_segment_beyond_the_declared_length_closes_the_connection),
		TEST(immediate_data_that_were_not_agreed_fail_the_command),
		TEST(unsolicited_data_that_were_not_agreed_fail_the_command),
		TEST(more_immediate_data_than_a_first_burst_fail_the_command),
		TEST(more_unsolicited_data_than_a_first_burst_fail_the_command),
		TEST(a_write_that_is_cut_off_leaves_whole_blocks),
		TEST(a_wrong_datasn_fails_the_command),
		TEST(a_lost_pdu_fails_the_command_when_the_sequence_ends),
		TEST(a_lost_pdu_fails_the_command_when_every_r2t_is_answered),
		TEST(a_write_that_fails_at_once_waits_for_its_unsolicited_data),
		TEST(a_write_that_fails_at_once_is_not_answered_before_its_unsolicited_data),
		TEST(a_write_that_fails_in_the_store_tells_so),
		TEST(a_read_that_fails_in_the_store_tells_so),
		TEST_PLAIN(a_gap_in_the_data_is_a_protocol_error),
		TEST_PLAIN(data_sent_again_are_a_protocol_error),
		TEST_PLAIN(data_beyond_what_was_asked_for_fail_the_command),
		TEST_PLAIN(a_sequence_that_ends_before_its_time_fails_the_command),
		TEST_PLAIN(a_transfer_tag_that_was_not_given_is_a_protocol_error),
		TEST_PLAIN(unsolicited_data_where_none_were_agreed_are_a_protocol_error),
		TEST_PLAIN(data_beyond_2_to_the_32_are_refused),
		TEST_PLAIN(data_behind_a_sequence_without_a_final_bit_fail_the_command),
		TEST_PLAIN(data_of_no_command_are_dropped),
		TEST_PLAIN(immediate_data_that_were_not_agreed_fail_the_command),
		TEST_PLAIN(unsolicited_data_that_were_not_agreed_fail_the_command),
		TEST_PLAIN(more_immediate_data_than_a_first_burst_fail_the_command),
		TEST_PLAIN(more_unsolicited_data_than_a_first_burst_fail_the_command),
		TEST_PLAIN(a_write_that_is_cut_off_leaves_whole_blocks),
		TEST_PLAIN(a_wrong_datasn_fails_the_command),
		TEST_PLAIN(a_lost_pdu_fails_the_command_when_the_sequence_ends),
		TEST_PLAIN(a_lost_pdu_fails_the_command_when_every_r2t_is_answered),
		TEST_PLAIN(a_write_that_fails_at_once_waits_for_its_unsolicited_data),
		TEST_PLAIN(a_write_that_fails_at_once_is_not_answered_before_its_unsolicited_data),
	};
	return cmocka_run_group_tests_name("data errors", tests, NULL, NULL);
}

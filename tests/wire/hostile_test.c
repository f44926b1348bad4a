/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers that mean no good, or are broken: nothing that they send reaches more than their own
 * connection, and what they can make the target hold is bounded.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MIB = 1 << 20 };

static uint8_t out[MIB], in[MIB];

/* The target still serves others. */
static void assert_serves(struct wire *w)
{
	struct ini i;

	ini_open(&i, w);
	i.name = "iqn.2026-11.com.example:witness";
	ini_login(&i, OPEN, "");
	unit_ready(&i);
	disk_write(&i, 8000, 1, out);
	disk_read(&i, 8000, 1, in);
	logout(&i);
	ini_close(&i);
}

/* Reads of `mib` MiB that nobody takes: the target's output is blocked from here on. */
static struct command unread(struct ini *i)
{
	struct command c = { .cdb = cdb_read(0, 2048), .read = true, .in = in, .expect = MIB };

	command_send(i, &c);
	return c;
}

/* --- bytes that are no PDUs ----------------------------------------------------------------- */

static void noise_instead_of_a_login_ends_the_connection_only(void **state)
{
	uint8_t noise[4096];

	for (unsigned k = 0; k < 200; k++) {
		struct ini i;

		fill(noise, sizeof(noise), k);
		ini_open(&i, *state);
		ini_send_bytes(&i, noise, 48 + k * 16, true);
		ini_close(&i);
	}
	wire_expect_idle(*state);
	assert_serves(*state);
}

static void noise_behind_a_login_ends_the_connection_only(void **state)
{
	uint8_t noise[4096];

	for (unsigned k = 0; k < 100; k++) {
		struct ini i;

		fill(noise, sizeof(noise), 1000 + k);
		ini_begin(&i, *state, "");
		ini_send_bytes(&i, noise, sizeof(noise), true);
		ini_close(&i);
	}
	wire_expect_idle(*state);
	assert_serves(*state);
}

static void every_opcode_with_every_flag_is_survived(void **state)
{
	for (unsigned opcode = 0; opcode < 0x40; opcode++) {
		struct ini i;
		uint8_t noise[28];

		ini_begin(&i, *state, "");
		for (unsigned flags = 0; flags < 256; flags++) {
			struct pdu p = { .bhs = { (uint8_t)(BHS_IMMEDIATE | opcode),
						 (uint8_t)flags } };

			fill(noise, sizeof(noise), opcode * 256 + flags);
			memcpy(p.bhs + 20, noise, 28);
			put_be32(p.bhs + 16, flags);
			if (!ini_send_may_fail(&i, &p))
				break;
			while (ini_readable(&i, 0) && ini_drain(&i))
				;
		}
		ini_close(&i);
	}
	wire_expect_idle(*state);
	assert_serves(*state);
}

static void the_longest_data_segment_there_is_closes_the_connection(void **state)
{
	static const uint8_t opcodes[] = { OP_NOP_OUT, OP_SCSI_CMD, OP_TEXT_REQ, OP_DATA_OUT,
		0x1c };

	for (size_t k = 0; k < sizeof(opcodes); k++) {
		struct ini i;
		struct pdu p;

		ini_begin(&i, *state, "");
		p = pdu_nop(&i, NULL, 0);
		p.bhs[0] = opcodes[k];
		put_be24(p.bhs + 5, 0xffffff);
		ini_send_bytes(&i, p.bhs, 48, false);
		ini_expect_closed(&i);
		ini_close(&i);
	}
}

static void connections_that_come_and_go_leave_nothing(void **state)
{
	for (int k = 0; k < 300; k++) {
		struct ini i;
		struct pdu p;

		ini_open(&i, *state);
		p = pdu_login(
			&i, k % 2 ? SEC : OP, "InitiatorName=" HOST "\nTargetName=" OPEN "\n");
		if (k % 3)
			ini_send_may_fail(&i, &p);
		ini_close(&i);
	}
	wire_expect_idle(*state);
	assert_serves(*state);
}

/* --- data ----------------------------------------------------------------------------------- */

static void data_for_an_r2t_that_has_not_left_yet_do_no_harm(void **state)
{
	/* The R2T stands behind a MiB of Data-In that the initiator does not take; it guesses the tag. */
	struct wire *w = *state;

	for (uint32_t guess = 0; guess < 4; guess++) {
		struct command c = {
			.cdb = cdb_write(4000, 1), .write = true, .out = out, .expect = WIRE_BLOCK
		};
		struct ini i;
		struct pdu p;
		uint8_t both[96];
		struct cdb rd = cdb_read(0, 1000);

		ini_begin(&i, w,
			"ImmediateData=No\nMaxRecvDataSegmentLength=262144\n"
			"MaxBurstLength=1048576\n");
		unit_ready(&i);
		/* In one piece, so that both are answered in one go. */
		p = pdu_scsi(&i, BHS_FINAL | CMD_READ, rd.b, rd.len, 512000);
		memcpy(both, p.bhs, 48);
		p = pdu_scsi(&i, BHS_FINAL | CMD_WRITE, c.cdb.b, c.cdb.len, WIRE_BLOCK);
		memcpy(both + 48, p.bhs, 48);
		ini_send_bytes(&i, both, sizeof(both), false);
		wire_sleep_ms(20);
		p = pdu_data_out(&i, pdu_itt(&p), (guess + 1) << 16, 0, 0, out, WIRE_BLOCK, true);
		ini_send_may_fail(&i, &p);
		wire_sleep_ms(5);
		ini_close(&i);
	}
	wire_expect_sessions(w, 0);
	assert_serves(w);
}

static void an_initiator_that_reads_nothing_holds_a_bounded_number_of_commands(void **state)
{
	struct wire *w = *state;
	struct ini i;
	unsigned sent = 0;
	struct cdb rd = cdb_read(0, 2048);

	ini_begin(&i, w, "MaxRecvDataSegmentLength=262144\n");
	unit_ready(&i);
	while (sent < 3000 && ini_can_send(&i, 50)) {
		struct pdu p = pdu_scsi(&i, BHS_FINAL | CMD_READ, rd.b, rd.len, MIB);

		ini_send(&i, &p);
		sent++;
	}
	wire_sleep_ms(20);
	assert_true(wire_counters(w).commands < 300);
	ini_close(&i);
	wire_expect_sessions(w, 0);
}

static void an_initiator_that_neither_reads_nor_speaks_is_dropped(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->policy.ping_interval_ms = w->policy.ping_timeout_ms = 80;
	wire_start(w);
	ini_begin(&i, w, "MaxRecvDataSegmentLength=262144\n");
	unit_ready(&i);
	unread(&i);
	wire_expect_sessions(w, 0);
	ini_expect_closed_at_last(&i);
	ini_close(&i);
}

static void an_initiator_that_does_not_take_the_last_word_is_dropped_without_a_ping(void **state)
{
	struct wire *w = *state;
	struct pdu bad = { .bhs = { OP_DATA_OUT, BHS_FINAL } };
	clock_t before;
	struct ini i;

	w->policy.ping_interval_ms = 0;
	wire_start(w);
	ini_begin(&i, w, "MaxRecvDataSegmentLength=262144\n");
	unit_ready(&i);
	for (int k = 0; k < 4; k++)
		unread(&i);
	wire_sleep_ms(100);
	put_be32(bad.bhs + 16, TAG_NONE);
	ini_send(&i, &bad);
	wire_sleep_ms(50);
	/* Nobody reads what it still sends, nor is kept awake by that. */
	ini_send_bytes(&i, out, 4096, true);
	before = clock();
	wire_sleep_ms(400);
	assert_true(clock() - before < CLOCKS_PER_SEC / 5);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void sessions_that_end_in_the_middle_of_data_leave_nothing(void **state)
{
	struct wire *w = *state;

	for (int k = 0; k < 20; k++) {
		struct command c = {
			.cdb = cdb_write(0, 1000), .write = true, .out = out, .expect = 512000
		};
		struct ini i;
		struct pdu p;

		ini_begin(&i, w,
			"MaxRecvDataSegmentLength=262144\nMaxBurstLength=1048576\n"
			"MaxOutstandingR2T=4\n");
		unit_ready(&i);
		command_send(&i, &c);
		ini_recv(&i, OP_R2T);
		p = pdu_data_out(&i, c.itt, be32(i.bhs + 20), 0, 0, out, 200000, false);
		if (k % 2) {
			unread(&i);
			ini_send(&i, &p);
		} else {
			uint8_t half[48 + 1000] = { 0 };

			memcpy(half, p.bhs, 48);
			put_be24(half + 5, 200000);
			ini_send_bytes(&i, half, sizeof(half), false);
		}
		if (k % 4 == 3)
			wire_sleep_ms(3);
		ini_close(&i);
	}
	wire_expect_sessions(w, 0);
	assert_serves(w);
}

static void a_disk_that_goes_while_its_data_wait_to_be_sent_is_read_to_the_end(void **state)
{
	struct wire *w = *state;
	struct command c;
	struct ini i;

	ini_begin(&i, w, "MaxRecvDataSegmentLength=262144\n");
	unit_ready(&i);
	fill(out, MIB, 8);
	disk_write(&i, 0, 2048, out);
	c = unread(&i);
	wire_sleep_ms(5);
	struct lun_map *old = w->target[0].luns;
	w->target[0].luns = NULL;
	wire_publish(w);
	lun_map_unref(old);
	wire_sleep_ms(5);
	memset(in, 0, MIB);
	command_finish(&i, &c);
	if (c.status == 0 && c.got == MIB)
		assert_memory_equal(in, out, MIB);
	unit_ready(&i);
	ini_close(&i);
}

static void a_target_that_goes_while_its_data_wait_to_be_sent_is_let_go(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_begin(&i, w, "MaxRecvDataSegmentLength=262144\n");
	unit_ready(&i);
	unread(&i);
	wire_sleep_ms(5);
	struct lun_map *old = w->target[0].luns;
	w->target[0] = w->target[1];
	w->target[1].luns = NULL;
	w->ntargets = 1;
	wire_publish(w);
	lun_map_unref(old);
	ini_expect_closed_at_last(&i);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void data_that_change_while_they_are_sent_keep_their_digest(void **state)
{
	/* The harness checks every digest. */
	struct wire *w = *state;
	struct ini reader, writer;
	struct command c[8];

	ini_begin(&reader, w, "DataDigest=CRC32C\nMaxRecvDataSegmentLength=65536\n");
	unit_ready(&reader);
	ini_open(&writer, w);
	writer.name = "iqn.2026-11.com.example:writer";
	ini_login(&writer, OPEN, "");
	unit_ready(&writer);
	for (unsigned round = 0; round < 5; round++) {
		for (int k = 0; k < 8; k++) {
			c[k] = (struct command){
				.cdb = cdb_read(0, 1024), .read = true, .in = in, .expect = 524288
			};
			command_send(&reader, &c[k]);
		}
		for (unsigned k = 0; k < 4; k++) {
			fill(out, 524288, round * 4 + k);
			disk_write(&writer, 0, 1024, out);
		}
		for (int k = 0; k < 8; k++)
			command_finish(&reader, &c[k]);
	}
	ini_close(&reader);
	ini_close(&writer);
}

/* --- floods --------------------------------------------------------------------------------- */

static void task_management_that_waits_for_a_slow_store_is_bounded(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct ini i;
	unsigned complete = 0, rejected = 0;

	ini_begin(&i, w, "");
	unit_ready(&i);
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 300, .seed = 9 });
	for (int k = 0; k < 20; k++)
		command_send(&i, &c);
	for (int k = 0; k < 200; k++) {
		struct pdu p = pdu_tmf(&i, TMF_LUN_RESET, TAG_NONE, 0);

		ini_send(&i, &p);
	}
	while (complete + rejected < 200) {
		assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		if (i.bhs[0] != OP_TMF_RSP)
			continue;
		complete += i.bhs[2] == TMF_COMPLETE;
		rejected += i.bhs[2] == TMF_REJECTED;
	}
	assert_in_range(complete, 1, 100);
	assert_in_range(rejected, 100, 199);
	fault_set(w->disk[0], &(struct fault_cfg){ 0 });
	ini_close(&i);
}

static void rejects_that_nobody_reads_are_bounded(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct pdu p = { .bhs = { 0x1c, BHS_FINAL } };
	unsigned sent = 0;

	ini_begin(&i, w, "");
	while (sent < 200000 && ini_can_send(&i, 50)) {
		ini_send(&i, &p);
		sent++;
	}
	assert_true(sent < 200000);
	ini_close(&i);
	wire_expect_sessions(w, 0);
	assert_serves(w);
}

static void aborts_of_commands_that_never_come_are_bounded(void **state)
{
	/* Each may be remembered until its turn: no more of them than the window is wide. */
	struct wire *w = *state;
	struct ini i;
	unsigned complete = 0;

	w->policy.queue_depth = 16;
	wire_start(w);
	ini_begin(&i, w, "");
	for (uint32_t k = 0; k < 500; k++) {
		struct pdu p = pdu_tmf(&i, TMF_ABORT_TASK, 0x10000 + k, i.expcmdsn + 1 + k);

		put_be32(p.bhs + 24, i.expcmdsn + 10000);
		ini_send(&i, &p);
		ini_recv(&i, OP_TMF_RSP);
		complete += i.bhs[2] == TMF_COMPLETE;
	}
	assert_in_range(complete, 1, 16);
	ini_close(&i);
}

static void commands_ahead_of_their_turn_are_bounded(void **state)
{
	struct wire *w = *state;
	struct cdb wr = cdb_write(0, 1);
	struct ini i;

	w->policy.queue_depth = 8;
	wire_start(w);
	ini_begin(&i, w, "");
	i.cmdsn++;
	for (int k = 0; k < 200; k++) {
		struct pdu p = pdu_scsi(&i, BHS_FINAL | CMD_WRITE, wr.b, wr.len, WIRE_BLOCK);

		p.data = out;
		p.len = WIRE_BLOCK;
		ini_send(&i, &p);
	}
	ini_expect_alive(&i);
	/* The first one comes at last: as many as the window held are answered. */
	i.cmdsn = i.expcmdsn;
	unsigned n = 0;
	struct pdu p = pdu_nop(&i, NULL, 0);
	ini_send(&i, &p);
	while (ini_recv_within(&i, 100))
		n++;
	assert_int_equal(n, 8);
	ini_close(&i);
}

static void names_with_control_characters_do_no_harm(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | TO_FFP,
				 "InitiatorName=iqn.2026-11.com.example:%s%n\033[2J\n"
				 "TargetName=" OPEN "\n"),
		LOGIN_INITIATOR_ERROR);
	ini_close(&i);
	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | TO_FFP, "InitiatorName=" HOST "\nTargetName=%s%s%s%n\n"),
		LOGIN_NO_TARGET);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(noise_instead_of_a_login_ends_the_connection_only),
		TEST(noise_behind_a_login_ends_the_connection_only),
		TEST(every_opcode_with_every_flag_is_survived),
		TEST(the_longest_data_segment_there_is_closes_the_connection),
		TEST(connections_that_come_and_go_leave_nothing),
		TEST(data_for_an_r2t_that_has_not_left_yet_do_no_harm),
		TEST(an_initiator_that_reads_nothing_holds_a_bounded_number_of_commands),
		TEST_UNSTARTED(an_initiator_that_neither_reads_nor_speaks_is_dropped),
		TEST_UNSTARTED(
			an_initiator_that_does_not_take_the_last_word_is_dropped_without_a_ping),
		TEST(sessions_that_end_in_the_middle_of_data_leave_nothing),
		TEST(a_disk_that_goes_while_its_data_wait_to_be_sent_is_read_to_the_end),
		TEST(a_target_that_goes_while_its_data_wait_to_be_sent_is_let_go),
		TEST(data_that_change_while_they_are_sent_keep_their_digest),
		TEST(task_management_that_waits_for_a_slow_store_is_bounded),
		TEST(rejects_that_nobody_reads_are_bounded),
		TEST_UNSTARTED(aborts_of_commands_that_never_come_are_bounded),
		TEST_UNSTARTED(commands_ahead_of_their_turn_are_bounded),
		TEST(names_with_control_characters_do_no_harm),
		TEST_PLAIN(noise_instead_of_a_login_ends_the_connection_only),
		TEST_PLAIN(noise_behind_a_login_ends_the_connection_only),
		TEST_PLAIN(every_opcode_with_every_flag_is_survived),
		TEST_PLAIN(the_longest_data_segment_there_is_closes_the_connection),
		TEST_PLAIN(connections_that_come_and_go_leave_nothing),
		TEST_PLAIN(data_for_an_r2t_that_has_not_left_yet_do_no_harm),
		TEST_PLAIN(an_initiator_that_reads_nothing_holds_a_bounded_number_of_commands),
		TEST_PLAIN(sessions_that_end_in_the_middle_of_data_leave_nothing),
		TEST_PLAIN(a_disk_that_goes_while_its_data_wait_to_be_sent_is_read_to_the_end),
		TEST_PLAIN(a_target_that_goes_while_its_data_wait_to_be_sent_is_let_go),
		TEST_PLAIN(data_that_change_while_they_are_sent_keep_their_digest),
		TEST_PLAIN(rejects_that_nobody_reads_are_bounded),
		TEST_PLAIN(names_with_control_characters_do_no_harm),
	};
	return cmocka_run_group_tests_name("hostile peers", tests, NULL, NULL);
}

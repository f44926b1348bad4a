/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions and those who manage them: several connections in a session (RFC 7143 4.2.2, 6.3.4),
 * closing, publishing, stopping (11.9), and what is told of sessions.
 */
#include "wire.h"

#define NAMES "InitiatorName=" HOST "\nTargetName=" OPEN "\n"

static uint8_t out[65536], in[65536];

/* Starts the target, and a session of two connections. */
static void two(struct wire *w, struct ini *a, struct ini *b)
{
	w->policy.max_connections = 4;
	wire_start(w);
	ini_begin(a, w, "MaxConnections=2\n");
	unit_ready(a);
	ini_open_more(b, a, 1);
	assert_int_equal(login(b, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
}

/* --- several connections -------------------------------------------------------------------- */

static void a_second_connection_joins_the_session(void **state)
{
	struct wire *w = *state;
	struct ini a, b;

	two(w, &a, &b);
	assert_int_equal(b.tsih, a.tsih);
	assert_int_equal(wire_counters(w).sessions, 1);
	assert_int_equal(wire_counters(w).connections, 2);
	ini_expect_alive(&a);
	ini_expect_alive(&b);
	ini_close(&a);
	ini_close(&b);
}

static void commands_share_one_numbering(void **state)
{
	struct ini a, b;
	struct pdu p, q;
	struct cdb tur = cdb_test_unit_ready();

	two(*state, &a, &b);
	p = pdu_scsi(&a, BHS_FINAL, tur.b, tur.len, 0);
	b.cmdsn = a.cmdsn;
	q = pdu_scsi(&b, BHS_FINAL, tur.b, tur.len, 0);
	/* The second one arrives first. */
	ini_send(&b, &q);
	ini_expect_silence(&b, 30);
	ini_send(&a, &p);
	ini_recv(&a, OP_SCSI_RSP);
	assert_int_equal(be32(a.bhs + 16), pdu_itt(&p));
	ini_recv(&b, OP_SCSI_RSP);
	assert_int_equal(be32(b.bhs + 16), pdu_itt(&q));
	assert_int_equal(b.expcmdsn, b.cmdsn);
	ini_close(&a);
	ini_close(&b);
}

static void data_on_their_way_when_their_command_has_its_turn_are_taken(void **state)
{
	struct wire *w = *state;
	struct cdb tur = cdb_test_unit_ready(), wr = cdb_write(0, 2);
	struct ini a, b;
	struct pdu first, write, data;

	w->policy.max_connections = 2;
	wire_start(w);
	ini_begin(&a, w, "MaxConnections=2\nInitialR2T=No\n");
	unit_ready(&a);
	ini_open_more(&b, &a, 1);
	assert_int_equal(login(&b, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	fill(out, 1024, 6);
	first = pdu_scsi(&a, BHS_FINAL, tur.b, tur.len, 0);
	b.cmdsn = a.cmdsn;
	write = pdu_scsi(&b, CMD_WRITE, wr.b, wr.len, 1024);
	ini_send(&b, &write);
	data = pdu_data_out(&b, pdu_itt(&write), TAG_NONE, 0, 0, NULL, 0, true);
	put_be24(data.bhs + 5, 1024);
	ini_send_bytes(&b, data.bhs, 48, false);
	ini_send_bytes(&b, out, 500, false);
	wire_sleep_ms(20);
	ini_send(&a, &first);
	ini_recv(&a, OP_SCSI_RSP);
	ini_send_bytes(&b, out + 500, 524, false);
	ini_recv(&b, OP_SCSI_RSP);
	assert_int_equal(b.bhs[3], 0);
	a.cmdsn = b.cmdsn;
	disk_read(&a, 0, 2, in);
	assert_memory_equal(in, out, 1024);
	ini_close(&a);
	ini_close(&b);
}

static void data_and_status_keep_to_the_connection_of_their_command(void **state)
{
	struct ini a, b;

	two(*state, &a, &b);
	fill(out, sizeof(out), 4);
	b.cmdsn = a.cmdsn;
	disk_write(&b, 0, 128, out);
	a.cmdsn = b.cmdsn;
	disk_read(&a, 0, 128, in);
	assert_memory_equal(in, out, sizeof(out));
	ini_close(&a);
	ini_close(&b);
}

static void data_on_another_connection_than_the_commands_are_dropped(void **state)
{
	struct ini a, b;
	struct command c = {
		.cdb = cdb_write(0, 1), .write = true, .out = out, .expect = WIRE_BLOCK
	};
	struct pdu p;

	two(*state, &a, &b);
	command_send(&a, &c);
	ini_recv(&a, OP_R2T);
	p = pdu_data_out(&b, c.itt, be32(a.bhs + 20), 0, 0, out, WIRE_BLOCK, true);
	ini_send(&b, &p);
	ini_expect_silence(&a, 30);
	p = pdu_data_out(&a, c.itt, be32(a.bhs + 20), 0, 0, out, WIRE_BLOCK, true);
	ini_send(&a, &p);
	ini_recv(&a, OP_SCSI_RSP);
	assert_int_equal(a.bhs[3], 0);
	ini_close(&a);
	ini_close(&b);
}

static void each_connection_negotiates_its_own_digests(void **state)
{
	struct wire *w = *state;
	struct ini a, b;

	w->policy.max_connections = 2;
	wire_start(w);
	ini_begin(&a, w, "MaxConnections=2\n");
	unit_ready(&a);
	ini_open_more(&b, &a, 1);
	assert_int_equal(login(&b, OP | TO_FFP,
				 NAMES "HeaderDigest=CRC32C\nDataDigest=CRC32C\n"
				       "MaxRecvDataSegmentLength=512\n"),
		LOGIN_SUCCESS);
	assert_true(b.header_digest);
	fill(out, sizeof(out), 9);
	b.cmdsn = a.cmdsn;
	disk_write(&b, 0, 128, out);
	disk_read(&b, 0, 128, in);
	assert_memory_equal(in, out, sizeof(out));
	a.cmdsn = b.cmdsn;
	disk_read(&a, 0, 128, in);
	ini_close(&a);
	ini_close(&b);
}

static void keys_of_the_session_cannot_change_with_another_connection(void **state)
{
	struct wire *w = *state;
	struct ini a, b;

	w->policy.max_connections = 2;
	wire_start(w);
	ini_begin(&a, w, "MaxConnections=2\nMaxBurstLength=65536\n");
	ini_open_more(&b, &a, 1);
	assert_int_equal(login(&b, OP | TO_FFP, NAMES "MaxBurstLength=512\n"), LOGIN_SUCCESS);
	assert_answer(&b, "MaxBurstLength", "Reject");
	ini_close(&a);
	ini_close(&b);
}

static void the_third_connection_of_two_is_refused(void **state)
{
	struct ini a, b, c;

	two(*state, &a, &b);
	ini_open_more(&c, &a, 2);
	assert_int_equal(login(&c, OP | TO_FFP, NAMES), LOGIN_TOO_MANY);
	ini_expect_closed(&c);
	ini_expect_alive(&a);
	ini_close(&a);
	ini_close(&b);
	ini_close(&c);
}

static void a_connection_with_the_same_cid_takes_the_place_of_the_old_one(void **state)
{
	struct wire *w = *state;
	struct ini a, b, again;

	two(w, &a, &b);
	ini_open_more(&again, &a, 1);
	assert_int_equal(login(&again, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	ini_expect_closed(&b);
	ini_expect_alive(&again);
	ini_expect_alive(&a);
	wire_expect_connections(w, 2);
	ini_close(&a);
	ini_close(&b);
	ini_close(&again);
}

static void a_connection_takes_the_place_of_one_whose_commands_have_ended(void **state)
{
	/* Its commands are in the store's hands: an old write must not land behind a new one. */
	struct wire *w = *state;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct ini a, b, again;

	two(w, &a, &b);
	b.cmdsn = a.cmdsn;
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 150, .seed = 1 });
	for (int k = 0; k < 10; k++)
		command_send(&b, &c);
	a.cmdsn = b.cmdsn;
	ini_open_more(&again, &a, 1);
	assert_int_equal(login(&again, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	ini_expect_closed_at_last(&b);
	fault_set(w->disk[0], &(struct fault_cfg){ 0 });
	again.cmdsn = again.expcmdsn;
	unit_ready(&again);
	ini_expect_alive(&a);
	ini_close(&a);
	ini_close(&b);
	ini_close(&again);
}

static void the_only_connection_may_be_taken_the_place_of(void **state)
{
	struct wire *w = *state;
	struct ini a, again;

	ini_begin(&a, w, "");
	unit_ready(&a);
	ini_open_more(&again, &a, 0);
	assert_int_equal(login(&again, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	assert_int_equal(again.tsih, a.tsih);
	ini_expect_closed_at_last(&a);
	again.cmdsn = again.expcmdsn;
	/* The same session: no unit attention of a new nexus. */
	struct command c = { .cdb = cdb_test_unit_ready() };
	command_run(&again, &c);
	assert_int_equal(c.status, 0);
	wire_expect_sessions(w, 1);
	ini_close(&a);
	ini_close(&again);
}

static void logging_one_connection_out_keeps_the_session(void **state)
{
	struct wire *w = *state;
	struct ini a, b;
	struct pdu p;

	two(w, &a, &b);
	b.cmdsn = a.cmdsn;
	p = pdu_logout(&b, LOGOUT_CONNECTION, 1);
	ini_send(&b, &p);
	ini_recv(&b, OP_LOGOUT_RSP);
	assert_int_equal(b.bhs[2], LOGOUT_DONE);
	ini_expect_closed(&b);
	a.cmdsn = b.cmdsn;
	unit_ready(&a);
	wire_expect_connections(w, 1);
	assert_int_equal(wire_counters(w).sessions, 1);
	ini_close(&a);
	ini_close(&b);
}

static void one_connection_may_log_another_out(void **state)
{
	struct wire *w = *state;
	struct ini a, b;
	struct pdu p;

	two(w, &a, &b);
	p = pdu_logout(&a, LOGOUT_CONNECTION, 1);
	ini_send(&a, &p);
	ini_recv(&a, OP_LOGOUT_RSP);
	assert_int_equal(a.bhs[2], LOGOUT_DONE);
	ini_expect_closed(&b);
	unit_ready(&a);
	ini_close(&a);
	ini_close(&b);
}

static void the_tasks_of_a_connection_that_is_logged_out_end(void **state)
{
	struct ini a, b;
	struct command c = {
		.cdb = cdb_write(0, 1), .write = true, .out = out, .expect = WIRE_BLOCK
	};
	struct pdu p;

	two(*state, &a, &b);
	b.cmdsn = a.cmdsn;
	command_send(&b, &c);
	ini_recv(&b, OP_R2T);
	a.cmdsn = b.cmdsn;
	p = pdu_logout(&a, LOGOUT_CONNECTION, 1);
	ini_send(&a, &p);
	ini_recv(&a, OP_LOGOUT_RSP);
	ini_expect_closed(&b);
	assert_int_equal(tmf(&a, TMF_ABORT_TASK, c.itt, b.cmdsn - 1), TMF_NO_TASK);
	ini_close(&a);
	ini_close(&b);
}

/* A session of two connections, the second one of which has writes in the store's hands. */
static void two_with_writes(struct wire *w, struct ini *a, struct ini *b)
{
	struct command c = { .cdb = cdb_write(0, 1),
		.write = true,
		.out = out,
		.expect = WIRE_BLOCK,
		.immediate_len = WIRE_BLOCK };

	two(w, a, b);
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 200, .seed = 1 });
	b->cmdsn = a->cmdsn;
	for (int k = 0; k < 8; k++)
		command_send(b, &c);
	a->cmdsn = b->cmdsn;
}

static void a_logout_waits_although_another_one_does(void **state)
{
	struct wire *w = *state;
	struct ini a, b;
	struct pdu p;

	two_with_writes(w, &a, &b);
	p = pdu_logout(&b, LOGOUT_CONNECTION, 1);
	ini_send(&b, &p);
	wire_sleep_ms(20);
	a.cmdsn = b.cmdsn;
	p = pdu_logout(&a, LOGOUT_SESSION, 0);
	ini_send(&a, &p);
	ini_recv(&a, OP_LOGOUT_RSP);
	assert_int_equal(a.bhs[2], LOGOUT_DONE);
	assert_int_equal(fault_busy(w->disk[0]), 0);
	do
		assert_true(ini_recv_within(&b, WIRE_LIMIT_MS));
	while (b.bhs[0] != OP_LOGOUT_RSP);
	ini_expect_closed(&a);
	ini_expect_closed(&b);
	ini_close(&a);
	ini_close(&b);
}

static void no_connection_joins_a_session_that_waits_to_log_out(void **state)
{
	struct wire *w = *state;
	struct ini a, b, more;
	struct pdu p;

	two_with_writes(w, &a, &b);
	p = pdu_logout(&a, LOGOUT_SESSION, 0);
	ini_send(&a, &p);
	wire_sleep_ms(20);
	ini_open_more(&more, &a, 2); /* one too many, besides */
	assert_int_equal(login(&more, OP | TO_FFP, NAMES), LOGIN_NO_SESSION);
	ini_recv(&a, OP_LOGOUT_RSP);
	assert_int_equal(a.bhs[2], LOGOUT_DONE);
	ini_expect_closed(&a);
	ini_close(&a);
	ini_close(&b);
	ini_close(&more);
}

static void a_connection_is_logged_out_while_it_waits_to_log_another_out(void **state)
{
	struct wire *w = *state;
	struct ini a, b;
	struct pdu p, q;

	two_with_writes(w, &a, &b);
	p = pdu_logout(&a, LOGOUT_CONNECTION, 1);
	ini_send(&a, &p);
	q = pdu_logout(&a, LOGOUT_CONNECTION, 0);
	ini_send(&a, &q);
	do {
		ini_recv(&a, OP_LOGOUT_RSP);
		assert_int_equal(a.bhs[2], LOGOUT_DONE);
	} while (be32(a.bhs + 16) != pdu_itt(&q));
	ini_expect_closed(&a);
	ini_expect_closed_at_last(&b);
	wire_expect_sessions(w, 0);
	ini_close(&a);
	ini_close(&b);
}

static void a_logout_whose_asker_hangs_up_closes_every_connection(void **state)
{
	struct wire *w = *state;
	struct ini a, b;
	struct pdu p;

	two_with_writes(w, &a, &b);
	p = pdu_logout(&b, LOGOUT_SESSION, 0);
	ini_send(&b, &p);
	ini_close(&b);
	ini_expect_closed(&a);
	wire_expect_sessions(w, 0);
	ini_close(&a);
}

static void logging_the_session_out_closes_every_connection(void **state)
{
	struct wire *w = *state;
	struct ini a, b;

	two(w, &a, &b);
	logout(&a);
	ini_expect_closed(&b);
	wire_expect_sessions(w, 0);
	ini_close(&a);
	ini_close(&b);
}

static void a_connection_that_fails_ends_the_session(void **state)
{
	/* Error recovery level 0: what it had under way cannot be taken up by another. */
	struct wire *w = *state;
	struct ini a, b;

	two(w, &a, &b);
	ini_close(&b);
	ini_expect_closed(&a);
	wire_expect_sessions(w, 0);
	ini_close(&a);
}

static void reinstatement_closes_every_connection_of_the_old_session(void **state)
{
	struct wire *w = *state;
	struct ini a, b, next;

	two(w, &a, &b);
	ini_open(&next, w);
	assert_int_equal(login(&next, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	ini_expect_closed(&a);
	ini_expect_closed(&b);
	ini_expect_alive(&next);
	wire_expect_sessions(w, 1);
	ini_close(&a);
	ini_close(&b);
	ini_close(&next);
}

static void an_aborted_task_of_another_connection_is_never_run_late(void **state)
{
	/* 4.2.3.3: a function over many tasks waits for commands that were sent before it. */
	struct ini a, b;
	struct pdu late, reset;
	struct cdb wr = cdb_write(0, 1);
	uint8_t zeros[WIRE_BLOCK] = { 0 };

	two(*state, &a, &b);
	fill(out, WIRE_BLOCK, 1);
	late = pdu_scsi(&a, BHS_FINAL | CMD_WRITE, wr.b, wr.len, WIRE_BLOCK);
	late.data = out;
	late.len = WIRE_BLOCK;
	b.cmdsn = a.cmdsn;
	reset = pdu_tmf(&b, TMF_ABORT_TASK_SET, TAG_NONE, 0);
	ini_send(&b, &reset);
	ini_expect_silence(&b, 30);
	ini_send(&a, &late);
	ini_recv(&b, OP_TMF_RSP);
	assert_int_equal(b.bhs[2], TMF_COMPLETE);
	/* The late command came before the function: it ran, or was aborted, but never afterwards. */
	ini_recv_within(&a, 30);
	disk_read(&b, 0, 1, in);
	assert_true(memcmp(in, zeros, WIRE_BLOCK) == 0 || memcmp(in, out, WIRE_BLOCK) == 0);
	ini_close(&a);
	ini_close(&b);
}

static void a_function_that_waits_for_its_turn_ends_with_the_session(void **state)
{
	struct wire *w = *state;
	struct ini a, b;
	struct pdu reset;

	two(w, &a, &b);
	b.cmdsn = a.cmdsn + 1;
	reset = pdu_tmf(&b, TMF_LUN_RESET, TAG_NONE, 0);
	ini_send(&b, &reset);
	ini_expect_silence(&b, 20);
	ini_close(&b);
	ini_expect_closed(&a);
	wire_expect_sessions(w, 0);
	ini_close(&a);
}

/* --- closing -------------------------------------------------------------------------------- */

static void a_session_is_closed_by_its_tsih(void **state)
{
	struct wire *w = *state;
	struct ini i, other;

	ini_begin(&i, w, "");
	ini_open(&other, w);
	other.isid[5]++;
	ini_login(&other, OPEN, "");
	assert_int_equal(wire_close(w, NULL, i.tsih), 1);
	ini_expect_closed_at_last(&i);
	ini_expect_alive(&other);
	ini_close(&i);
	ini_close(&other);
}

static void closing_a_target_closes_its_sessions_and_no_others(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i[3], other;

	for (uint8_t k = 0; k < 3; k++) {
		ini_open(&i[k], w);
		i[k].isid[5] = k;
		ini_login(&i[k], OPEN, "");
	}
	ini_open(&other, w);
	assert_int_equal(chap_login(&other, &c, LOCKED, ""), LOGIN_SUCCESS);
	assert_int_equal(wire_close(w, OPEN, 0), 3);
	for (int k = 0; k < 3; k++) {
		ini_expect_closed_at_last(&i[k]);
		ini_close(&i[k]);
	}
	ini_expect_alive(&other);
	wire_expect_sessions(w, 1);
	ini_close(&other);
}

static void closing_what_is_not_there_closes_nothing(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_begin(&i, w, "");
	assert_int_equal(wire_close(w, "iqn.2026-11.com.example:nothing", 0), 0);
	assert_int_equal(wire_close(w, NULL, (uint16_t)(i.tsih + 1)), 0);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_session_is_closed_with_commands_in_the_stores_hands(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 100, .seed = 3 });
	for (int k = 0; k < 20; k++)
		command_send(&i, &c);
	wire_close(w, OPEN, 0);
	ini_expect_closed_at_last(&i);
	wire_expect_sessions(w, 0);
	fault_set(w->disk[0], &(struct fault_cfg){ 0 });
	ini_close(&i);
}

/* --- publishing ----------------------------------------------------------------------------- */

static void a_target_that_is_taken_away_loses_its_sessions(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i, other;

	ini_begin(&i, w, "");
	ini_open(&other, w);
	assert_int_equal(chap_login(&other, &c, LOCKED, ""), LOGIN_SUCCESS);
	struct iscsi_target open = w->target[0];
	w->target[0] = w->target[1];
	w->ntargets = 1;
	w->target[1] = open; /* teardown gives its disk back */
	wire_publish(w);
	ini_expect_closed_at_last(&i);
	ini_expect_alive(&other);
	ini_close(&i);
	ini_open(&i, w);
	assert_int_equal(login(&i, OP | TO_FFP, NAMES), LOGIN_NO_TARGET);
	ini_close(&i);
	ini_close(&other);
}

static void a_target_that_is_added_is_there(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_open(&i, w);
	assert_int_equal(
		login(&i, OP | TO_FFP,
			"InitiatorName=" HOST "\nTargetName=iqn.2026-11.com.example:new\n"),
		LOGIN_NO_TARGET);
	ini_close(&i);
	wire_add_target(w, "iqn.2026-11.com.example:new");
	wire_publish(w);
	ini_open(&i, w);
	ini_login(&i, "iqn.2026-11.com.example:new", "");
	unit_ready(&i);
	ini_close(&i);
}

static void a_disk_that_is_exchanged_is_told_to_the_session(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	fill(out, WIRE_BLOCK, 7);
	disk_write(&i, 0, 1, out);
	struct lun_map *old = w->target[0].luns;
	w->target[0].luns = NULL;
	wire_publish(w);
	lun_map_unref(old);
	/* Another unit stands behind the LUN: its own unit attention, and its own data. */
	struct command c = { .cdb = cdb_test_unit_ready() };
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 6);
	unit_ready(&i);
	memset(out, 0, WIRE_BLOCK);
	disk_read(&i, 0, 1, in);
	assert_memory_equal(in, out, WIRE_BLOCK);
	ini_close(&i);
}

static void a_disk_is_exchanged_while_commands_are_under_way(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };

	ini_begin(&i, w, "");
	unit_ready(&i);
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 80, .seed = 2 });
	for (int k = 0; k < 10; k++)
		command_send(&i, &c);
	struct lun_map *old = w->target[0].luns;
	w->target[0].luns = NULL;
	wire_publish(w);
	lun_map_unref(old);
	/* One more while the old unit is still at work. */
	struct command tur = { .cdb = cdb_test_unit_ready() };
	command_send(&i, &tur);
	/* Whatever became of them, the session goes on. */
	while (ini_recv_within(&i, 200))
		;
	unit_ready(&i);
	ini_close(&i);
}

static void publishing_the_same_again_changes_nothing(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	for (int k = 0; k < 5; k++)
		wire_publish(w);
	struct command c = { .cdb = cdb_test_unit_ready() };
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	ini_close(&i);
}

static void what_is_negotiated_stays_when_the_policy_changes(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_begin(&i, w, "InitialR2T=No\n");
	unit_ready(&i);
	w->policy.initial_r2t = true;
	w->policy.max_burst_length = 512;
	w->policy.max_recv_data_segment_length = 512;
	wire_publish(w);
	fill(out, sizeof(out), 7);
	disk_write(&i, 0, 128, out);
	disk_read(&i, 0, 128, in);
	assert_memory_equal(in, out, sizeof(out));
	ini_close(&i);
}

/* --- stopping: 11.9 ------------------------------------------------------------------------- */

struct stopped {
	bool done;
};

static void set_stopped(void *arg)
{
	((struct stopped *)arg)->done = true;
}

static void a_server_that_stops_asks_its_sessions_to_log_out(void **state)
{
	struct wire *w = *state;
	struct stopped s = { false };
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	iscsi_server_stop(w->server, 10000, set_stopped, &s);
	ini_recv(&i, OP_ASYNC);
	assert_int_equal(i.bhs[36], ASYNC_LOGOUT_REQUEST);
	assert_int_equal(be16(i.bhs + 42), 10);
	assert_int_equal(be32(i.bhs + 16), TAG_NONE);
	/* What is under way is finished. */
	fill(out, sizeof(out), 1);
	disk_write(&i, 0, 128, out);
	assert_false(s.done);
	logout(&i);
	wire_wait(w, &s.done);
	iscsi_server_free(w->server);
	w->server = NULL;
	ini_close(&i);
}

static void a_session_that_does_not_log_out_is_closed_when_the_grace_is_over(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_begin(&i, w, "");
	wire_stop(w, 100);
	ini_expect_closed_at_last(&i);
	ini_close(&i);
}

static void a_stop_without_grace_closes_at_once(void **state)
{
	struct wire *w = *state;
	struct ini i, half;

	ini_begin(&i, w, "");
	ini_open(&half, w);
	assert_int_equal(
		login(&half, OP, "InitiatorName=" HOST "\nTargetName=" OPEN "\n"), LOGIN_SUCCESS);
	wire_stop(w, 0);
	ini_expect_closed_at_last(&i);
	ini_expect_closed_at_last(&half);
	ini_close(&i);
	ini_close(&half);
}

static void a_stop_waits_for_the_store(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 200, .seed = 3 });
	for (int k = 0; k < 10; k++)
		command_send(&i, &c);
	wire_stop(w, 0);
	ini_close(&i);
}

static void nobody_is_let_in_while_the_server_stops(void **state)
{
	struct wire *w = *state;
	struct stopped s = { false };
	struct ini i, late;

	ini_begin(&i, w, "");
	iscsi_server_stop(w->server, 10000, set_stopped, &s);
	ini_recv(&i, OP_ASYNC);
	ini_open(&late, w);
	struct pdu p =
		pdu_login(&late, OP | TO_FFP, "InitiatorName=" HOST "\nTargetName=" OPEN "\n");
	ini_send_may_fail(&late, &p);
	ini_expect_closed_at_last(&late);
	logout(&i);
	wire_wait(w, &s.done);
	iscsi_server_free(w->server);
	w->server = NULL;
	ini_close(&late);
	ini_close(&i);
}

/* --- who is here ---------------------------------------------------------------------------- */

struct told {
	unsigned n;
	struct session_info info;
	char target[256], initiator[256], auth[32], algorithm[32], user[256], alias[256];
	bool end;
};

static void copy(char *to, size_t size, const char *from)
{
	strncpy(to, from ? from : "-", size - 1);
}

static void tell(void *arg, const struct session_info *info)
{
	struct told *t = arg;

	t->n++;
	t->info = *info;
	copy(t->target, sizeof(t->target), info->target);
	copy(t->initiator, sizeof(t->initiator), info->initiator);
	copy(t->auth, sizeof(t->auth), info->auth);
	copy(t->algorithm, sizeof(t->algorithm), info->algorithm);
	copy(t->user, sizeof(t->user), info->user);
	copy(t->alias, sizeof(t->alias), info->alias);
}

static void tell_end(void *arg)
{
	((struct told *)arg)->end = true;
}

static struct told ask(struct wire *w)
{
	struct told t = { 0 };

	assert_int_equal(iscsi_server_sessions(w->server, tell, tell_end, &t), 0);
	wire_wait(w, &t.end);
	return t;
}

static void nobody_is_here_at_first(void **state)
{
	assert_int_equal(ask(*state).n, 0);
}

static void a_session_is_told_with_all_that_is_known_of_it(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct told t;
	struct ini i;

	c.algs = "8";
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, LOCKED,
				 "HeaderDigest=CRC32C\n"
				 "InitiatorAlias=the first host\n"),
		LOGIN_SUCCESS);
	unit_ready(&i);
	t = ask(w);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.info.tsih, i.tsih);
	assert_false(t.info.discovery);
	assert_string_equal(t.target, LOCKED);
	assert_string_equal(t.initiator, HOST);
	assert_string_equal(t.auth, "mutual CHAP");
	assert_string_equal(t.algorithm, "SHA3-256");
	assert_string_equal(t.user, HOST);
	assert_string_equal(t.alias, "the first host");
	assert_memory_equal(t.info.isid, i.isid, 6);
	assert_int_equal(t.info.tpgt, 1);
	assert_int_equal(t.info.connections, 1);
	assert_true(t.info.header_digest);
	assert_false(t.info.data_digest);
	assert_in_range(t.info.commands, 2, 10);
	ini_close(&i);
}

static void what_a_session_moves_is_counted(void **state)
{
	struct wire *w = *state;
	struct told t;
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	disk_write(&i, 0, 128, out);
	disk_read(&i, 0, 64, in);
	t = ask(w);
	assert_in_range(t.info.bytes_in, 65536, 70000);
	assert_in_range(t.info.bytes_out, 32768, 40000);
	assert_string_equal(t.auth, "none");
	assert_string_equal(t.algorithm, "-");
	ini_close(&i);
}

static void a_discovery_session_is_told_as_one(void **state)
{
	struct wire *w = *state;
	struct told t;
	struct ini i;

	ini_open(&i, w);
	ini_login_discovery(&i);
	t = ask(w);
	assert_int_equal(t.n, 1);
	assert_true(t.info.discovery);
	assert_string_equal(t.target, "-");
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_UNSTARTED(a_second_connection_joins_the_session),
		TEST_UNSTARTED(commands_share_one_numbering),
		TEST_UNSTARTED(data_on_their_way_when_their_command_has_its_turn_are_taken),
		TEST_UNSTARTED(data_and_status_keep_to_the_connection_of_their_command),
		TEST_UNSTARTED(data_on_another_connection_than_the_commands_are_dropped),
		TEST_UNSTARTED(each_connection_negotiates_its_own_digests),
		TEST_UNSTARTED(keys_of_the_session_cannot_change_with_another_connection),
		TEST_UNSTARTED(the_third_connection_of_two_is_refused),
		TEST_UNSTARTED(a_connection_with_the_same_cid_takes_the_place_of_the_old_one),
		TEST_UNSTARTED(a_connection_takes_the_place_of_one_whose_commands_have_ended),
		TEST(the_only_connection_may_be_taken_the_place_of),
		TEST_UNSTARTED(logging_one_connection_out_keeps_the_session),
		TEST_UNSTARTED(one_connection_may_log_another_out),
		TEST_UNSTARTED(the_tasks_of_a_connection_that_is_logged_out_end),
		TEST_UNSTARTED(a_logout_waits_although_another_one_does),
		TEST_UNSTARTED(no_connection_joins_a_session_that_waits_to_log_out),
		TEST_UNSTARTED(a_connection_is_logged_out_while_it_waits_to_log_another_out),
		TEST_UNSTARTED(a_logout_whose_asker_hangs_up_closes_every_connection),
		TEST_UNSTARTED(logging_the_session_out_closes_every_connection),
		TEST_UNSTARTED(a_connection_that_fails_ends_the_session),
		TEST_UNSTARTED(reinstatement_closes_every_connection_of_the_old_session),
		TEST_UNSTARTED(an_aborted_task_of_another_connection_is_never_run_late),
		TEST_UNSTARTED(a_function_that_waits_for_its_turn_ends_with_the_session),
		TEST(a_session_is_closed_by_its_tsih),
		TEST(closing_a_target_closes_its_sessions_and_no_others),
		TEST(closing_what_is_not_there_closes_nothing),
		TEST(a_session_is_closed_with_commands_in_the_stores_hands),
		TEST(a_target_that_is_taken_away_loses_its_sessions),
		TEST(a_target_that_is_added_is_there),
		TEST(a_disk_that_is_exchanged_is_told_to_the_session),
		TEST(a_disk_is_exchanged_while_commands_are_under_way),
		TEST(publishing_the_same_again_changes_nothing),
		TEST(what_is_negotiated_stays_when_the_policy_changes),
		TEST(a_server_that_stops_asks_its_sessions_to_log_out),
		TEST(a_session_that_does_not_log_out_is_closed_when_the_grace_is_over),
		TEST(a_stop_without_grace_closes_at_once),
		TEST(a_stop_waits_for_the_store),
		TEST(nobody_is_let_in_while_the_server_stops),
		TEST(nobody_is_here_at_first),
		TEST(a_session_is_told_with_all_that_is_known_of_it),
		TEST(what_a_session_moves_is_counted),
		TEST(a_discovery_session_is_told_as_one),
	};
	return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}

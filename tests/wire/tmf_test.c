/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task management on the wire, RFC 7143 4.2.3.3, 11.5, 11.6: what is aborted is answered no more,
 * the response comes when nothing of it is left, and others learn of it.
 */
#include "wire.h"

static uint8_t out[65536], in[65536];

/* From now on every request to the disk takes up to so long. */
static void slow(struct wire *w, uint32_t ms)
{
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = ms, .seed = 1 });
}

/* A write that waits for the data of its R2T. */
static struct command waiting_write(struct ini *i, uint32_t lba)
{
	struct command c = {
		.cdb = cdb_write(lba, 1), .write = true, .out = out, .expect = WIRE_BLOCK
	};

	command_send(i, &c);
	ini_recv(i, OP_R2T);
	assert_int_equal(be32(i->bhs + 16), c.itt);
	c.r2ts = 1;
	return c;
}

/* Another session to the same target. */
static void second(struct ini *other, struct wire *w)
{
	ini_open(other, w);
	other->name = "iqn.2026-11.com.example:host2";
	ini_login(other, OPEN, "");
	unit_ready(other);
}

/* The task that somebody else has aborted is answered so. */
static void expect_aborted(struct ini *i, struct command *c)
{
	command_finish(i, c);
	assert_int_equal(c->status, 0x40);
}

/* The next command finds that the unit was reset, once. */
static void expect_reset(struct ini *i)
{
	struct command c = { .cdb = cdb_test_unit_ready() };

	command_run(i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 6);
	assert_int_equal(c.asc >> 8, 0x29);
	c = (struct command){ .cdb = cdb_test_unit_ready() };
	command_run(i, &c);
	assert_int_equal(c.status, 0);
}

/* --- ABORT TASK ----------------------------------------------------------------------------- */

static void a_task_that_waits_for_data_is_aborted(void **state)
{
	struct ini i;
	struct command c;
	uint8_t zeros[WIRE_BLOCK] = { 0 };
	struct pdu p;
	uint32_t ttt;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, WIRE_BLOCK, 1);
	c = waiting_write(&i, 0);
	ttt = be32(i.bhs + 20);
	assert_int_equal(tmf(&i, TMF_ABORT_TASK, c.itt, i.cmdsn - 1), TMF_COMPLETE);
	/* Its data may still be on their way: they are dropped. */
	p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, WIRE_BLOCK, true);
	ini_send(&i, &p);
	disk_read(&i, 0, 1, in);
	assert_memory_equal(in, zeros, WIRE_BLOCK);
	ini_close(&i);
}

static void a_task_in_the_stores_hands_is_aborted(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct pdu p;
	bool answered = false;

	ini_begin(&i, w, "");
	unit_ready(&i);
	for (int k = 0; k < 20 && !answered; k++) {
		/* At random it may end before it is aborted; either way there is one response. */
		slow(w, 100);
		c.got = c.data_pdus = 0;
		command_send(&i, &c);
		p = pdu_tmf(&i, TMF_ABORT_TASK, c.itt, i.cmdsn - 1);
		ini_send(&i, &p);
		assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		if (i.bhs[0] == OP_DATA_IN) {
			ini_recv(&i, OP_TMF_RSP);
			assert_int_equal(i.bhs[2], TMF_NO_TASK);
			continue;
		}
		assert_int_equal(i.bhs[0], OP_TMF_RSP);
		assert_int_equal(i.bhs[2], TMF_COMPLETE);
		answered = true;
	}
	assert_true(answered);
	slow(w, 0);
	/* Nothing more is heard of it. */
	ini_expect_silence(&i, 120);
	disk_read(&i, 0, 1, in);
	ini_close(&i);
}

static void a_task_that_does_not_exist_is_told_so(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	assert_int_equal(tmf(&i, TMF_ABORT_TASK, 0x4711, i.cmdsn - 1), TMF_NO_TASK);
	ini_close(&i);
}

static void a_task_that_has_been_answered_does_not_exist(void **state)
{
	struct ini i;
	struct command c = { .cdb = cdb_test_unit_ready() };

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(tmf(&i, TMF_ABORT_TASK, c.itt, i.cmdsn - 1), TMF_NO_TASK);
	ini_close(&i);
}

static void a_task_that_has_not_come_yet_counts_as_aborted_and_never_runs(void **state)
{
	/* 11.6.1: RefCmdSN lies in the window and before the request's own CmdSN. */
	struct ini i;
	struct pdu late;
	struct cdb wr = cdb_write(0, 1);
	uint8_t zeros[WIRE_BLOCK] = { 0 };

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, WIRE_BLOCK, 5);
	late = pdu_scsi(&i, BHS_FINAL | CMD_WRITE, wr.b, wr.len, WIRE_BLOCK);
	late.data = out;
	late.len = WIRE_BLOCK;
	assert_int_equal(tmf(&i, TMF_ABORT_TASK, pdu_itt(&late), i.cmdsn - 1), TMF_COMPLETE);
	ini_send(&i, &late);
	disk_read(&i, 0, 1, in);
	assert_memory_equal(in, zeros, WIRE_BLOCK);
	ini_close(&i);
}

static void a_task_that_waits_for_its_turn_is_aborted(void **state)
{
	struct ini i;
	struct pdu gap, early;
	struct cdb wr = cdb_write(0, 1), tur = cdb_test_unit_ready();
	uint8_t zeros[WIRE_BLOCK] = { 0 };

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, WIRE_BLOCK, 5);
	gap = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	early = pdu_scsi(&i, BHS_FINAL | CMD_WRITE, wr.b, wr.len, WIRE_BLOCK);
	early.data = out;
	early.len = WIRE_BLOCK;
	ini_send(&i, &early);
	assert_int_equal(tmf(&i, TMF_ABORT_TASK, pdu_itt(&early), i.cmdsn - 1), TMF_COMPLETE);
	ini_send(&i, &gap);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(be32(i.bhs + 16), pdu_itt(&gap));
	disk_read(&i, 0, 1, in);
	assert_memory_equal(in, zeros, WIRE_BLOCK);
	ini_close(&i);
}

static void an_aborted_task_gives_its_place_in_the_window_back(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->policy.queue_depth = 4;
	wire_start(w);
	ini_begin(&i, w, "");
	unit_ready(&i);
	for (int k = 0; k < 20; k++) {
		struct command c = waiting_write(&i, 0);

		assert_int_equal(tmf(&i, TMF_ABORT_TASK, c.itt, i.cmdsn - 1), TMF_COMPLETE);
		assert_int_equal(i.maxcmdsn - i.expcmdsn + 1, 4);
	}
	ini_close(&i);
}

static void the_tag_of_an_aborted_task_may_be_used_again(void **state)
{
	struct ini i;
	struct command c;
	struct cdb tur = cdb_test_unit_ready();
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	c = waiting_write(&i, 0);
	assert_int_equal(tmf(&i, TMF_ABORT_TASK, c.itt, i.cmdsn - 1), TMF_COMPLETE);
	p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	put_be32(p.bhs + 16, c.itt);
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 0);
	ini_close(&i);
}

/* --- task sets ------------------------------------------------------------------------------ */

static void abort_task_set_ends_the_tasks_of_this_session_only(void **state)
{
	struct wire *w = *state;
	struct ini i, other;
	struct command theirs;
	struct pdu p;

	ini_begin(&i, w, "");
	unit_ready(&i);
	second(&other, w);
	for (uint32_t k = 0; k < 3; k++)
		waiting_write(&i, k);
	theirs = waiting_write(&other, 10);
	uint32_t ttt = be32(other.bhs + 20);
	assert_int_equal(tmf(&i, TMF_ABORT_TASK_SET, TAG_NONE, 0), TMF_COMPLETE);
	p = pdu_data_out(&other, theirs.itt, ttt, 0, 0, out, WIRE_BLOCK, true);
	ini_send(&other, &p);
	ini_recv(&other, OP_SCSI_RSP);
	assert_int_equal(other.bhs[3], 0);
	unit_ready(&other);
	unit_ready(&i);
	ini_expect_silence(&i, 20);
	ini_close(&i);
	ini_close(&other);
}

static void clear_task_set_ends_the_tasks_of_every_session(void **state)
{
	struct wire *w = *state;
	struct ini i, other;
	struct command c;

	ini_begin(&i, w, "");
	unit_ready(&i);
	second(&other, w);
	waiting_write(&i, 0);
	c = waiting_write(&other, 10);
	assert_int_equal(tmf(&i, TMF_CLEAR_TASK_SET, TAG_NONE, 0), TMF_COMPLETE);
	unit_ready(&i);
	/* Its initiator is told by the status of the task (TAS=1), and by nothing else. */
	expect_aborted(&other, &c);
	unit_ready(&other);
	assert_int_equal(tmf(&other, TMF_ABORT_TASK, c.itt, other.cmdsn - 1), TMF_NO_TASK);
	ini_close(&i);
	ini_close(&other);
}

static void a_function_on_a_lun_without_a_unit_is_told_so(void **state)
{
	static const uint8_t functions[] = { TMF_ABORT_TASK_SET, TMF_CLEAR_TASK_SET,
		TMF_LUN_RESET };
	struct ini i;

	ini_begin(&i, *state, "");
	for (size_t k = 0; k < 3; k++) {
		struct pdu p = pdu_tmf(&i, functions[k], TAG_NONE, 0);

		put_be64(p.bhs + 8, 0x0007000000000000);
		ini_send(&i, &p);
		ini_recv(&i, OP_TMF_RSP);
		assert_int_equal(i.bhs[2], TMF_NO_LUN);
	}
	ini_close(&i);
}

/* --- resets --------------------------------------------------------------------------------- */

static void a_lun_reset_ends_all_tasks_and_everybody_learns_of_it(void **state)
{
	struct wire *w = *state;
	struct ini i, other;
	struct command c;

	ini_begin(&i, w, "");
	unit_ready(&i);
	second(&other, w);
	waiting_write(&i, 0);
	c = waiting_write(&other, 10);
	assert_int_equal(tmf(&i, TMF_LUN_RESET, TAG_NONE, 0), TMF_COMPLETE);
	expect_aborted(&other, &c);
	expect_reset(&other);
	expect_reset(&i);
	ini_expect_silence(&i, 20);
	ini_expect_silence(&other, 20);
	ini_close(&i);
	ini_close(&other);
}

/* A reset and a logout in one segment: the logout is there before the reset has been answered. */
static void reset_and_logout(struct ini *i, uint8_t reason)
{
	struct pdu reset = pdu_tmf(i, TMF_LUN_RESET, TAG_NONE, 0);
	struct pdu bye = pdu_logout(i, reason, i->cid);
	uint8_t both[2 * BHS_SIZE];

	pdu_make_immediate(i, &bye);
	memcpy(both, reset.bhs, BHS_SIZE);
	memcpy(both + BHS_SIZE, bye.bhs, BHS_SIZE);
	ini_send_bytes(i, both, sizeof(both), false);
}

static void a_lun_reset_is_answered_before_the_logout_behind_it(void **state)
{
	struct ini i;

	for (uint8_t reason = LOGOUT_SESSION; reason <= LOGOUT_CONNECTION; reason++) {
		ini_begin(&i, *state, "");
		unit_ready(&i);
		reset_and_logout(&i, reason);
		ini_recv(&i, OP_TMF_RSP);
		assert_int_equal(i.bhs[2], TMF_COMPLETE);
		ini_recv(&i, OP_LOGOUT_RSP);
		ini_expect_closed(&i);
		ini_close(&i);
	}
}

static void a_logout_waits_for_a_lun_reset_that_waits_for_the_store(void **state)
{
	struct wire *w = *state;
	struct ini i, other;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };

	ini_begin(&i, w, "");
	unit_ready(&i);
	second(&other, w);
	slow(w, 100);
	command_send(&other, &c);
	wire_sleep_ms(20);
	reset_and_logout(&i, LOGOUT_SESSION);
	ini_recv(&i, OP_TMF_RSP);
	assert_int_equal(i.bhs[2], TMF_COMPLETE);
	ini_recv(&i, OP_LOGOUT_RSP);
	assert_int_equal(i.bhs[2], LOGOUT_DONE);
	ini_expect_closed(&i);
	ini_close(&i);
	ini_close(&other);
}

/* Eight, with all of their data. */
static void send_writes(struct ini *i)
{
	static const uint8_t block[WIRE_BLOCK];
	struct command c = { .cdb = cdb_write(0, 1),
		.write = true,
		.out = block,
		.expect = WIRE_BLOCK,
		.immediate_len = WIRE_BLOCK };

	for (int k = 0; k < 8; k++)
		command_send(i, &c);
}

static void no_write_is_under_way_when_a_logout_is_answered(void **state)
{
	struct wire *w = *state;
	struct ini i;

	slow(w, 100);
	for (uint8_t reason = LOGOUT_SESSION; reason <= LOGOUT_CONNECTION; reason++) {
		struct pdu p;

		ini_begin(&i, w, "");
		unit_ready(&i);
		send_writes(&i);
		p = pdu_logout(&i, reason, i.cid);
		ini_send(&i, &p);
		do
			assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		while (i.bhs[0] != OP_LOGOUT_RSP);
		assert_int_equal(i.bhs[2], LOGOUT_DONE);
		assert_int_equal(fault_busy(w->disk[0]), 0);
		ini_expect_closed(&i);
		ini_close(&i);
	}
}

static void a_logout_does_not_wait_for_ever(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct pdu p;

	w->policy.logout_timeout_ms = 50;
	wire_start(w);
	ini_begin(&i, w, "");
	unit_ready(&i);
	slow(w, 2000);
	send_writes(&i);
	p = pdu_logout(&i, LOGOUT_SESSION, 0);
	ini_send(&i, &p);
	do
		assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
	while (i.bhs[0] != OP_LOGOUT_RSP);
	assert_int_equal(i.bhs[2], LOGOUT_FAILED);
	assert_true(fault_busy(w->disk[0]) > 0);
	ini_expect_closed(&i);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void an_initiator_that_hangs_up_after_a_reset_and_a_logout_leaves_nothing(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };

	ini_begin(&i, w, "");
	unit_ready(&i);
	slow(w, 100);
	command_send(&i, &c);
	wire_sleep_ms(20);
	reset_and_logout(&i, LOGOUT_SESSION);
	ini_close(&i);
	wire_expect_idle(w);
}

static void a_lun_reset_waits_for_the_store(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct pdu p;

	ini_begin(&i, w, "");
	unit_ready(&i);
	for (int k = 0; k < 5; k++) {
		slow(w, 60);
		command_send(&i, &c);
		p = pdu_tmf(&i, TMF_LUN_RESET, TAG_NONE, 0);
		ini_send(&i, &p);
		assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		if (i.bhs[0] != OP_TMF_RSP)
			ini_recv(&i, OP_TMF_RSP);
		assert_int_equal(i.bhs[2], TMF_COMPLETE);
		slow(w, 0);
		ini_expect_silence(&i, 70);
		unit_ready(&i);
	}
	ini_close(&i);
}

/* Whoever asks, and whoever has sent what is in flight. */
static void no_function_is_answered_before_the_store_has_let_go(void **state)
{
	static const uint8_t functions[] = { TMF_ABORT_TASK_SET, TMF_CLEAR_TASK_SET, TMF_LUN_RESET,
		TMF_TARGET_WARM_RESET };
	struct wire *w = *state;
	struct ini i, other;

	ini_begin(&i, w, "");
	unit_ready(&i);
	second(&other, w);
	for (size_t k = 0; k < 3 * sizeof(functions); k++) {
		uint8_t function = functions[k % sizeof(functions)];
		struct ini *owner = function == TMF_ABORT_TASK_SET || k & 4 ? &i : &other;
		struct command c = {
			.cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK
		};
		struct pdu p;

		slow(w, 60);
		command_send(owner, &c);
		while (!fault_seen(w->disk[0]))
			wire_sleep_ms(1);
		p = pdu_tmf(&i, function, TAG_NONE, 0);
		ini_send(&i, &p);
		do
			assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		while (i.bhs[0] != OP_TMF_RSP);
		assert_int_equal(i.bhs[2], TMF_COMPLETE);
		assert_int_equal(fault_busy(w->disk[0]), 0);
		slow(w, 0);
		if (owner == &other) {
			command_finish(&other, &c);
			assert_true(c.status == 0x40 || c.status == 0);
		}
		unit_ready(&i);
		unit_ready(&other);
	}
	ini_close(&i);
	ini_close(&other);
}

static void a_reset_is_answered_when_the_last_of_several_tasks_has_ended(void **state)
{
	struct wire *w = *state;
	struct ini i, other;

	ini_begin(&i, w, "");
	unit_ready(&i);
	second(&other, w);
	for (int k = 0; k < 5; k++) {
		struct command c[4];
		struct pdu p = pdu_tmf(&i, TMF_LUN_RESET, TAG_NONE, 0);

		slow(w, 60);
		for (int n = 0; n < 4; n++) {
			c[n] = (struct command){
				.cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK
			};
			command_send(&other, &c[n]);
		}
		while (fault_seen(w->disk[0]) < 4)
			wire_sleep_ms(1);
		ini_send(&i, &p);
		ini_recv(&i, OP_TMF_RSP);
		assert_int_equal(i.bhs[2], TMF_COMPLETE);
		assert_int_equal(fault_busy(w->disk[0]), 0);
		slow(w, 0);
		for (int n = 0; n < 4; n++)
			ini_recv_within(&other, WIRE_LIMIT_MS);
		unit_ready(&i);
		unit_ready(&other);
	}
	ini_close(&i);
	ini_close(&other);
}

static void a_target_warm_reset_keeps_the_sessions(void **state)
{
	struct wire *w = *state;
	struct ini i, other;
	struct command c;

	ini_begin(&i, w, "");
	unit_ready(&i);
	second(&other, w);
	waiting_write(&i, 0);
	c = waiting_write(&other, 3);
	assert_int_equal(tmf(&i, TMF_TARGET_WARM_RESET, TAG_NONE, 0), TMF_COMPLETE);
	expect_aborted(&other, &c);
	expect_reset(&other);
	expect_reset(&i);
	wire_expect_sessions(w, 2);
	ini_close(&i);
	ini_close(&other);
}

static void a_target_cold_reset_closes_the_sessions_of_the_target(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i, other, elsewhere;

	ini_begin(&i, w, "");
	unit_ready(&i);
	second(&other, w);
	ini_open(&elsewhere, w);
	assert_int_equal(chap_login(&elsewhere, &c, LOCKED, ""), LOGIN_SUCCESS);
	waiting_write(&i, 0);
	waiting_write(&other, 3);
	assert_int_equal(tmf(&i, TMF_TARGET_COLD_RESET, TAG_NONE, 0), TMF_COMPLETE);
	ini_expect_closed_at_last(&i);
	ini_expect_closed_at_last(&other);
	ini_expect_alive(&elsewhere);
	wire_expect_sessions(w, 1);
	ini_close(&i);
	ini_close(&other);
	ini_close(&elsewhere);
}

/* --- the others ----------------------------------------------------------------------------- */

static void tasks_cannot_be_reassigned_at_error_recovery_level_0(void **state)
{
	struct ini i;
	uint8_t r;

	ini_begin(&i, *state, "");
	r = tmf(&i, TMF_TASK_REASSIGN, 0x4711, 0);
	assert_true(r == TMF_NO_REASSIGNMENT || r == TMF_NOT_SUPPORTED);
	ini_close(&i);
}

static void functions_that_are_not_supported_are_told_so(void **state)
{
	static const uint8_t functions[] = { 0, TMF_CLEAR_ACA, TMF_QUERY_TASK, TMF_QUERY_TASK_SET,
		TMF_NEXUS_RESET, TMF_QUERY_ASYNC_EVENT, 13, 0x7f };
	struct ini i;

	ini_begin(&i, *state, "");
	for (size_t k = 0; k < sizeof(functions); k++)
		assert_int_equal(tmf(&i, functions[k], TAG_NONE, 0), TMF_NOT_SUPPORTED);
	ini_close(&i);
}

static void a_request_without_a_task_tag_is_rejected(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_tmf(&i, TMF_LUN_RESET, TAG_NONE, 0);
	put_be32(p.bhs + 16, TAG_NONE);
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_INVALID_FIELD);
	ini_close(&i);
}

static void a_request_that_is_not_immediate_keeps_its_turn(void **state)
{
	struct ini i;
	struct pdu gap, p;
	struct cdb tur = cdb_test_unit_ready();

	ini_begin(&i, *state, "");
	unit_ready(&i);
	gap = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	p = pdu_tmf(&i, TMF_LUN_RESET, TAG_NONE, 0);
	p.bhs[0] = OP_TMF_REQ;
	i.cmdsn++;
	ini_send(&i, &p);
	ini_expect_silence(&i, 30);
	ini_send(&i, &gap);
	ini_recv(&i, OP_SCSI_RSP);
	ini_recv(&i, OP_TMF_RSP);
	assert_int_equal(i.bhs[2], TMF_COMPLETE);
	ini_close(&i);
}

static void an_initiator_that_hangs_up_during_a_function_leaves_nothing(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };

	for (int k = 0; k < 10; k++) {
		struct ini i;
		struct pdu p;

		ini_begin(&i, w, "");
		unit_ready(&i);
		slow(w, 50);
		command_send(&i, &c);
		p = pdu_tmf(&i, k % 2 ? TMF_LUN_RESET : TMF_ABORT_TASK, c.itt, i.cmdsn - 1);
		ini_send(&i, &p);
		if (k % 3 == 0)
			wire_sleep_ms(2);
		ini_close(&i);
		slow(w, 0);
		wire_expect_sessions(w, 0);
	}
}

static void two_resets_at_once_are_both_answered(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct ini i, other;
	struct pdu p, q;

	ini_begin(&i, w, "");
	unit_ready(&i);
	second(&other, w);
	slow(w, 50);
	command_send(&i, &c);
	command_send(&other, &c);
	p = pdu_tmf(&i, TMF_LUN_RESET, TAG_NONE, 0);
	q = pdu_tmf(&other, TMF_TARGET_WARM_RESET, TAG_NONE, 0);
	ini_send(&i, &p);
	ini_send(&other, &q);
	do {
		assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
	} while (i.bhs[0] != OP_TMF_RSP);
	do {
		assert_true(ini_recv_within(&other, WIRE_LIMIT_MS));
	} while (other.bhs[0] != OP_TMF_RSP);
	slow(w, 0);
	unit_ready(&i);
	unit_ready(&other);
	ini_close(&i);
	ini_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_task_that_waits_for_data_is_aborted),
		TEST(a_task_in_the_stores_hands_is_aborted),
		TEST(a_task_that_does_not_exist_is_told_so),
		TEST(a_task_that_has_been_answered_does_not_exist),
		TEST(a_task_that_has_not_come_yet_counts_as_aborted_and_never_runs),
		TEST(a_task_that_waits_for_its_turn_is_aborted),
		TEST_UNSTARTED(an_aborted_task_gives_its_place_in_the_window_back),
		TEST(the_tag_of_an_aborted_task_may_be_used_again),
		TEST(abort_task_set_ends_the_tasks_of_this_session_only),
		TEST(clear_task_set_ends_the_tasks_of_every_session),
		TEST(a_function_on_a_lun_without_a_unit_is_told_so),
		TEST(a_lun_reset_ends_all_tasks_and_everybody_learns_of_it),
		TEST(a_lun_reset_is_answered_before_the_logout_behind_it),
		TEST(a_logout_waits_for_a_lun_reset_that_waits_for_the_store),
		TEST(no_write_is_under_way_when_a_logout_is_answered),
		TEST_UNSTARTED(a_logout_does_not_wait_for_ever),
		TEST(an_initiator_that_hangs_up_after_a_reset_and_a_logout_leaves_nothing),
		TEST(a_lun_reset_waits_for_the_store),
		TEST(no_function_is_answered_before_the_store_has_let_go),
		TEST(a_reset_is_answered_when_the_last_of_several_tasks_has_ended),
		TEST(a_target_warm_reset_keeps_the_sessions),
		TEST(a_target_cold_reset_closes_the_sessions_of_the_target),
		TEST(tasks_cannot_be_reassigned_at_error_recovery_level_0),
		TEST(functions_that_are_not_supported_are_told_so),
		TEST(a_request_without_a_task_tag_is_rejected),
		TEST(a_request_that_is_not_immediate_keeps_its_turn),
		TEST(an_initiator_that_hangs_up_during_a_function_leaves_nothing),
		TEST(two_resets_at_once_are_both_answered),
	};
	return cmocka_run_group_tests_name("task management", tests, NULL, NULL);
}

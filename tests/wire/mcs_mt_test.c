/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several reactors: connections that join a session from another thread, sessions that end each
 * other, and management in the middle of it. ThreadSanitizer watches.
 */
#include "wire.h"

#include <stdlib.h>

#define TEST_REACTORS(f) cmocka_unit_test_setup_teardown(f, setup, wire_teardown)

#define NAMES            "InitiatorName=" HOST "\nTargetName=" OPEN "\n"

enum { REACTORS = 4 };

static uint8_t out[65536], in[65536];

static int setup(void **state)
{
	struct wire *w;

	if (wire_setup(state) != 0)
		return -1;
	w = *state;
	w->cfg.reactors = REACTORS;
	w->policy.max_connections = 8;
	wire_start(w);
	return 0;
}

static void begin(struct ini *i, struct wire *w, uint8_t isid)
{
	ini_open(i, w);
	i->isid[5] = isid;
	ini_login(i, OPEN, "MaxConnections=8\n");
	unit_ready(i);
}

/* Asks for `n` blocks one by one, and does not wait. */
static void ask(struct ini *i, int n)
{
	struct cdb rd = cdb_read(0, 1);

	for (int k = 0; k < n; k++) {
		struct pdu p = pdu_scsi(i, BHS_FINAL | CMD_READ, rd.b, rd.len, WIRE_BLOCK);

		ini_send_may_fail(i, &p);
	}
}

/* Reads away whatever comes, until nothing does or the target has closed. */
static void drain(struct ini *i)
{
	while (ini_readable(i, 50) && ini_drain(i))
		;
}

/* --- joining -------------------------------------------------------------------------------- */

static void connections_from_every_reactor_join_one_session(void **state)
{
	struct wire *w = *state;
	struct ini c[8];

	begin(&c[0], w, 1);
	for (uint16_t k = 1; k < 8; k++) {
		ini_open_more(&c[k], &c[0], k);
		assert_int_equal(login(&c[k], OP | TO_FFP, NAMES), LOGIN_SUCCESS);
		assert_int_equal(c[k].tsih, c[0].tsih);
	}
	assert_int_equal(wire_counters(w).sessions, 1);
	assert_int_equal(wire_counters(w).connections, 8);
	/* One numbering over all of them. */
	uint32_t cmdsn = c[0].cmdsn;
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned k = 0; k < 8; k++) {
			c[k].cmdsn = cmdsn;
			fill(out, WIRE_BLOCK, round * 8 + k);
			disk_write(&c[k], k, 1, out);
			disk_read(&c[k], k, 1, in);
			assert_memory_equal(in, out, WIRE_BLOCK);
			cmdsn = c[k].cmdsn;
		}
	}
	for (int k = 0; k < 8; k++)
		ini_close(&c[k]);
}

static void commands_of_one_session_run_in_order_whatever_connection_they_come_by(void **state)
{
	struct wire *w = *state;
	struct cdb wr = cdb_write(7, 1);
	struct ini c[4];
	struct pdu p[64];
	static uint8_t data[64][WIRE_BLOCK];

	begin(&c[0], w, 1);
	for (uint16_t k = 1; k < 4; k++) {
		ini_open_more(&c[k], &c[0], k);
		assert_int_equal(login(&c[k], OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	}
	/* 64 writes to one block, sent by turns and backwards; the last number wins. */
	for (uint32_t k = 0; k < 64; k++) {
		struct ini *i = &c[k % 4];

		memset(data[k], (int)k, WIRE_BLOCK);
		p[k] = pdu_scsi(i, BHS_FINAL | CMD_WRITE, wr.b, wr.len, WIRE_BLOCK);
		put_be32(p[k].bhs + 24, c[0].expcmdsn + k);
		p[k].data = data[k];
		p[k].len = WIRE_BLOCK;
	}
	for (uint32_t k = 64; k-- > 0;)
		ini_send(&c[k % 4], &p[k]);
	for (uint32_t k = 0; k < 64; k++) {
		ini_recv(&c[k % 4], OP_SCSI_RSP);
		assert_int_equal(be32(c[k % 4].bhs + 16), pdu_itt(&p[k]));
	}
	c[0].cmdsn = c[0].expcmdsn;
	for (int k = 1; k < 4; k++) {
		if ((int32_t)(c[k].expcmdsn - c[0].cmdsn) > 0)
			c[0].cmdsn = c[k].expcmdsn;
	}
	disk_read(&c[0], 7, 1, in);
	assert_int_equal(in[0], 63);
	for (int k = 0; k < 4; k++)
		ini_close(&c[k]);
}

static void an_aborted_command_never_runs_while_data_before_it_are_on_their_way(void **state)
{
	struct wire *w = *state;
	struct cdb wr = cdb_write(7, 1), tur = cdb_test_unit_ready();
	struct ini a, b;
	struct pdu write, aborted, after;

	begin(&a, w, 1);
	ini_open_more(&b, &a, 1);
	assert_int_equal(login(&b, OP | TO_FFP, NAMES), LOGIN_SUCCESS);
	write = pdu_scsi(&a, BHS_FINAL | CMD_WRITE, wr.b, wr.len, WIRE_BLOCK);
	put_be24(write.bhs + 5, WIRE_BLOCK);
	b.cmdsn = a.cmdsn;
	aborted = pdu_scsi(&b, BHS_FINAL, tur.b, tur.len, 0);
	assert_int_equal(tmf(&b, TMF_ABORT_TASK, pdu_itt(&aborted), b.cmdsn - 1), TMF_COMPLETE);
	ini_send_bytes(&a, write.bhs, BHS_SIZE, false);
	wire_sleep_ms(30);
	ini_send(&b, &aborted);
	ini_expect_silence(&b, 30);
	ini_send_bytes(&a, out, WIRE_BLOCK, false);
	ini_recv(&a, OP_SCSI_RSP);
	/* What comes ahead of its turn afterwards is not forgotten. */
	b.cmdsn++;
	after = pdu_scsi(&b, BHS_FINAL, tur.b, tur.len, 0);
	ini_send(&b, &after);
	a.cmdsn = b.cmdsn - 2;
	unit_ready(&a);
	ini_recv(&b, OP_SCSI_RSP);
	assert_int_equal(be32(b.bhs + 16), pdu_itt(&after));
	ini_close(&a);
	ini_close(&b);
}

static void a_login_that_joins_promises_no_more_than_the_session_has(void **state)
{
	struct wire *w = *state;
	struct cdb wr = cdb_write(7, 1);
	struct ini a, b;
	struct pdu write;

	begin(&a, w, 1);
	/* It takes one place of the window for as long as its data do not come. */
	write = pdu_scsi(&a, BHS_FINAL | CMD_WRITE, wr.b, wr.len, WIRE_BLOCK);
	ini_send(&a, &write);
	ini_recv(&a, OP_R2T);
	ini_open_more(&b, &a, 1);
	b.cmdsn = a.cmdsn;
	assert_int_equal(login(&b, TO_OP, NAMES "AuthMethod=None\n"), LOGIN_SUCCESS);
	assert_true((int32_t)(b.maxcmdsn - a.maxcmdsn) <= 0);
	assert_int_equal(login(&b, OP | TO_FFP, ""), LOGIN_SUCCESS);
	assert_int_equal(b.maxcmdsn, a.maxcmdsn);
	ini_close(&a);
	ini_close(&b);
}

static void what_is_sent_before_the_last_answer_of_a_login_does_no_harm(void **state)
{
	struct wire *w = *state;
	struct ini a;

	begin(&a, w, 1);
	for (int k = 0; k < 40; k++) {
		struct ini b;
		struct pdu p;

		ini_open_more(&b, &a, (uint16_t)(1 + k % 5));
		p = pdu_login(&b, OP | TO_FFP, NAMES);
		ini_send(&b, &p);
		b.cmdsn = a.cmdsn;
		p = pdu_nop(&b, out, 8000);
		pdu_make_immediate(&b, &p);
		for (int n = 0; n < 3; n++)
			ini_send_may_fail(&b, &p);
		if (k % 2)
			drain(&b);
		else
			wire_sleep_ms(1);
		/* It ends as it should, so that the session stays. */
		p = pdu_logout(&b, LOGOUT_CONNECTION, b.cid);
		pdu_make_immediate(&b, &p);
		ini_send_may_fail(&b, &p);
		drain(&b);
		ini_close(&b);
	}
	drain(&a);
	ini_close(&a);
	wire_expect_idle(w);
}

static void connections_that_hang_up_while_they_join_leave_nothing(void **state)
{
	struct wire *w = *state;

	for (int k = 0; k < 60; k++) {
		struct ini a, b;
		struct pdu p;

		begin(&a, w, 1);
		ini_open_more(&b, &a, 1);
		p = pdu_login(&b, OP | TO_FFP, NAMES);
		ini_send(&b, &p);
		if (k % 3 == 0)
			wire_sleep_ms(1);
		ini_close(&b);
		if (k % 2)
			drain(&a);
		ini_close(&a);
	}
	wire_expect_idle(w);
}

static void a_session_that_ends_while_a_connection_joins_it_leaves_nothing(void **state)
{
	struct wire *w = *state;

	for (int k = 0; k < 60; k++) {
		struct ini a, b;
		struct pdu p;

		begin(&a, w, 1);
		ini_open_more(&b, &a, 1);
		p = pdu_login(&b, OP | TO_FFP, NAMES);
		ini_send(&b, &p);
		ini_close(&a);
		ini_expect_closed_at_last(&b);
		ini_close(&b);
	}
	wire_expect_idle(w);
}

/* --- reinstatement -------------------------------------------------------------------------- */

static void logins_with_one_isid_on_every_reactor_leave_one_session(void **state)
{
	struct wire *w = *state;

	for (int round = 0; round < 10; round++) {
		uint64_t logins = wire_counters(w).logins;
		struct ini i[12];

		for (int k = 0; k < 12; k++) {
			struct pdu p;

			ini_open(&i[k], w);
			p = pdu_login(&i[k], OP | TO_FFP, NAMES);
			ini_send(&i[k], &p);
		}
		wire_expect_logins(w, logins + 12); /* a late one would end the next round's */
		wire_expect_connections(w, 1);
		wire_expect_sessions(w, 1);
		for (int k = 0; k < 12; k++)
			ini_close(&i[k]);
		wire_expect_idle(w);
	}
}

static void reinstatement_in_the_middle_of_commands_leaves_nothing(void **state)
{
	struct wire *w = *state;
	struct ini old, next;

	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 10, .seed = 4 });
	begin(&old, w, 1);
	for (int k = 0; k < 20; k++) {
		ask(&old, 30);
		begin(&next, w, 1);
		drain(&old);
		ini_close(&old);
		old = next;
	}
	ini_close(&old);
	wire_expect_sessions(w, 0);
	fault_set(w->disk[0], &(struct fault_cfg){ 0 });
}

/* --- task management over reactors ---------------------------------------------------------- */

static void resets_from_every_reactor_reach_the_tasks_of_all(void **state)
{
	struct wire *w = *state;
	struct ini i[8];
	struct pdu p;

	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 20, .seed = 5 });
	for (uint8_t k = 0; k < 8; k++)
		begin(&i[k], w, k);
	for (int round = 0; round < 10; round++) {
		static const uint8_t functions[] = { TMF_LUN_RESET, TMF_CLEAR_TASK_SET,
			TMF_TARGET_WARM_RESET, TMF_ABORT_TASK_SET };

		for (int k = 0; k < 8; k++)
			ask(&i[k], 10);
		for (int k = 0; k < 4; k++) {
			p = pdu_tmf(&i[k], functions[(k + round) % 4], TAG_NONE, 0);
			ini_send(&i[k], &p);
		}
		for (int k = 0; k < 4; k++) {
			do {
				assert_true(ini_recv_within(&i[k], WIRE_LIMIT_MS));
			} while (i[k].bhs[0] != OP_TMF_RSP);
			assert_int_equal(i[k].bhs[2], TMF_COMPLETE);
		}
		for (int k = 4; k < 8; k++)
			drain(&i[k]);
	}
	fault_set(w->disk[0], &(struct fault_cfg){ 0 });
	for (int k = 0; k < 8; k++)
		ini_close(&i[k]);
	wire_expect_sessions(w, 0);
}

static void a_cold_reset_closes_sessions_on_every_reactor(void **state)
{
	struct wire *w = *state;
	struct ini i[8];
	struct pdu p;

	for (uint8_t k = 0; k < 8; k++)
		begin(&i[k], w, k);
	for (int k = 0; k < 8; k++)
		ask(&i[k], 20);
	p = pdu_tmf(&i[3], TMF_TARGET_COLD_RESET, TAG_NONE, 0);
	ini_send(&i[3], &p);
	for (int k = 0; k < 8; k++) {
		ini_expect_closed_at_last(&i[k]);
		ini_close(&i[k]);
	}
	wire_expect_sessions(w, 0);
}

/* --- management in the middle --------------------------------------------------------------- */

static void count_one(void *arg, const struct session_info *info)
{
	*(unsigned *)arg += info->connections;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void publishing_and_asking_go_on_beside_logins_and_commands(void **state)
{
	struct wire *w = *state;
	struct ini i[8];
	unsigned seen = 0;

	for (uint8_t k = 0; k < 8; k++)
		begin(&i[k], w, k);
	for (int round = 0; round < 20; round++) {
		struct ini login_too;
		struct pdu p;

		for (int k = 0; k < 8; k++)
			ask(&i[k], 5);
		ini_open(&login_too, w);
		login_too.isid[5] = 100;
		p = pdu_login(&login_too, OP | TO_FFP, NAMES);
		ini_send(&login_too, &p);
		assert_int_equal(iscsi_server_sessions(w->server, count_one, nothing, &seen), 0);
		w->policy.login_timeout_ms = 10000u + (unsigned)round;
		wire_publish(w);
		drain(&login_too);
		ini_close(&login_too);
	}
	assert_true(seen >= 8 * 19);
	for (int k = 0; k < 8; k++) {
		drain(&i[k]);
		ini_close(&i[k]);
	}
}

static void disks_are_exchanged_beside_commands_on_every_reactor(void **state)
{
	struct wire *w = *state;
	struct ini i[8];

	for (uint8_t k = 0; k < 8; k++)
		begin(&i[k], w, k);
	for (int round = 0; round < 10; round++) {
		struct lun_map *old = w->target[0].luns;

		fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 5, .seed = 6 });
		for (int k = 0; k < 8; k++)
			ask(&i[k], 10);
		w->target[0].luns = NULL;
		wire_publish(w);
		lun_map_unref(old);
		for (int k = 0; k < 8; k++)
			drain(&i[k]);
	}
	for (int k = 0; k < 8; k++)
		ini_close(&i[k]);
}

static void closing_a_target_in_the_middle_of_everything_leaves_nothing(void **state)
{
	struct wire *w = *state;

	for (int round = 0; round < 10; round++) {
		struct ini i[8], half[4];

		for (uint8_t k = 0; k < 8; k++)
			begin(&i[k], w, k);
		for (int k = 0; k < 4; k++) {
			struct pdu p;

			ini_open(&half[k], w);
			p = pdu_login(&half[k], OP | (k % 2 ? TO_FFP : 0u), NAMES);
			ini_send(&half[k], &p);
		}
		for (int k = 0; k < 8; k++)
			ask(&i[k], 20);
		wire_close(w, OPEN, 0);
		for (int k = 0; k < 8; k++) {
			drain(&i[k]);
			ini_close(&i[k]);
		}
		for (int k = 0; k < 4; k++)
			ini_close(&half[k]);
		wire_expect_idle(w);
	}
}

static void stopping_in_the_middle_of_everything_leaves_nothing(void **state)
{
	struct wire *w = *state;
	struct ini i[8], half[4];

	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 30, .seed = 7 });
	for (uint8_t k = 0; k < 8; k++)
		begin(&i[k], w, k);
	for (int k = 0; k < 4; k++) {
		struct pdu p;

		ini_open(&half[k], w);
		p = pdu_login(&half[k], OP | TO_FFP, NAMES);
		ini_send(&half[k], &p);
	}
	for (int k = 0; k < 8; k++)
		ask(&i[k], 20);
	wire_stop(w, 20);
	for (int k = 0; k < 8; k++)
		ini_close(&i[k]);
	for (int k = 0; k < 4; k++)
		ini_close(&half[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_REACTORS(connections_from_every_reactor_join_one_session),
		TEST_REACTORS(
			commands_of_one_session_run_in_order_whatever_connection_they_come_by),
		TEST_REACTORS(an_aborted_command_never_runs_while_data_before_it_are_on_their_way),
		TEST_REACTORS(a_login_that_joins_promises_no_more_than_the_session_has),
		TEST_REACTORS(what_is_sent_before_the_last_answer_of_a_login_does_no_harm),
		TEST_REACTORS(connections_that_hang_up_while_they_join_leave_nothing),
		TEST_REACTORS(a_session_that_ends_while_a_connection_joins_it_leaves_nothing),
		TEST_REACTORS(logins_with_one_isid_on_every_reactor_leave_one_session),
		TEST_REACTORS(reinstatement_in_the_middle_of_commands_leaves_nothing),
		TEST_REACTORS(resets_from_every_reactor_reach_the_tasks_of_all),
		TEST_REACTORS(a_cold_reset_closes_sessions_on_every_reactor),
		TEST_REACTORS(publishing_and_asking_go_on_beside_logins_and_commands),
		TEST_REACTORS(disks_are_exchanged_beside_commands_on_every_reactor),
		TEST_REACTORS(closing_a_target_in_the_middle_of_everything_leaves_nothing),
		TEST_REACTORS(stopping_in_the_middle_of_everything_leaves_nothing),
	};
	return cmocka_run_group_tests_name("several reactors", tests, NULL, NULL);
}

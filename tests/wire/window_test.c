/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command window, RFC 7143 4.2.2.1: which commands are taken, in which order they run, and which
 * need no place in it.
 */
#include "wire.h"

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
	};
	return cmocka_run_group_tests_name("command window", tests, NULL, NULL);
}

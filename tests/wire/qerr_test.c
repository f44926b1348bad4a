/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QErr over two sessions (SPC-5 7.5.9): what becomes of other commands when one ends with CHECK
 * CONDITION. The others are writes that wait for their data.
 */
#include "wire.h"

enum { TAS = 0x40 };
enum { QERR_NOTHING = 0 << 1, QERR_ALL = 1 << 1, QERR_OWN = 3 << 1 };

static uint8_t out[WIRE_BLOCK], in[WIRE_BLOCK];

/* MODE SELECT of the control page; both sessions know then. */
static void set_control(struct ini *i, struct ini *other, uint8_t qerr, uint8_t tas)
{
	const uint8_t list[16] = { 0, 0, 0, 0, 0x0a, 0x0a, 0x02, 0x10 | qerr, 0, tas, 0, 0, 0xff,
		0xff };
	struct command c = { .cdb = { { 0x15, 0x10, 0, 0, sizeof(list), 0 }, 6 },
		.write = true,
		.out = list,
		.expect = sizeof(list),
		.immediate_len = sizeof(list) };

	command_run(i, &c);
	assert_int_equal(c.status, 0);
	unit_ready(other);
}

struct both {
	struct ini i, other;
	struct command mine, theirs;
	uint32_t my_ttt, their_ttt;
};

/* A write that waits for the data of its R2T. */
static struct command waiting_write(struct ini *i, uint32_t lba, uint32_t *ttt)
{
	struct command c = {
		.cdb = cdb_write(lba, 1), .write = true, .out = out, .expect = WIRE_BLOCK
	};

	command_send(i, &c);
	ini_recv(i, OP_R2T);
	assert_int_equal(be32(i->bhs + 16), c.itt);
	*ttt = be32(i->bhs + 20);
	c.r2ts = 1;
	return c;
}

static void send_data(struct ini *i, const struct command *c, uint32_t ttt)
{
	struct pdu p = pdu_data_out(i, c->itt, ttt, 0, 0, out, WIRE_BLOCK, true);

	ini_send(i, &p);
}

static void open_both(struct both *b, struct wire *w, const char *more)
{
	ini_begin(&b->i, w, more);
	unit_ready(&b->i);
	ini_open(&b->other, w);
	b->other.name = "iqn.2026-11.com.example:host2";
	ini_login(&b->other, OPEN, "");
	unit_ready(&b->other);
}

static void begin(struct both *b, struct wire *w, uint8_t qerr, uint8_t tas)
{
	open_both(b, w, "");
	set_control(&b->i, &b->other, qerr, tas);
	fill(out, sizeof(out), 1);
	b->mine = waiting_write(&b->i, 1, &b->my_ttt);
	b->theirs = waiting_write(&b->other, 2, &b->their_ttt);
}

static void end(struct both *b)
{
	ini_close(&b->i);
	ini_close(&b->other);
}

/* Behind the last block: LOGICAL BLOCK ADDRESS OUT OF RANGE. */
static void fail_read(struct ini *i)
{
	struct command c = {
		.cdb = cdb_read(WIRE_BLOCKS, 1), .read = true, .in = in, .expect = WIRE_BLOCK
	};

	command_run(i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.asc, 0x2100);
}

static void expect_good(struct ini *i, struct command *c, uint32_t ttt)
{
	send_data(i, c, ttt);
	command_finish(i, c);
	assert_int_equal(c->status, 0);
}

/* The command has no answer, its data are dropped, and what follows has its answer. */
static void expect_vanished(struct ini *i, const struct command *c, uint32_t ttt)
{
	static const uint8_t zeros[WIRE_BLOCK];

	ini_expect_alive(i);
	send_data(i, c, ttt);
	disk_read(i, 1, 1, in);
	assert_memory_equal(in, zeros, WIRE_BLOCK);
}

static void with_qerr_00_other_commands_go_on(void **state)
{
	struct both b;

	begin(&b, *state, QERR_NOTHING, TAS);
	fail_read(&b.i);
	expect_good(&b.i, &b.mine, b.my_ttt);
	expect_good(&b.other, &b.theirs, b.their_ttt);
	end(&b);
}

static void with_qerr_01_and_tas_the_others_learn_that_theirs_were_aborted(void **state)
{
	struct both b;

	begin(&b, *state, QERR_ALL, TAS);
	fail_read(&b.i);
	expect_vanished(&b.i, &b.mine, b.my_ttt);
	command_finish(&b.other, &b.theirs);
	assert_int_equal(b.theirs.status, 0x40); /* TASK ABORTED */
	unit_ready(&b.other);
	end(&b);
}

/* The first status that is not GOOD: the other session's loop learns a little later. */
static uint16_t attention(struct ini *i)
{
	struct command c;

	do {
		c = (struct command){ .cdb = cdb_test_unit_ready() };
		command_run(i, &c);
	} while (!c.status);
	assert_int_equal(c.status, 2);
	return c.asc;
}

static void with_qerr_01_without_tas_the_others_find_a_unit_attention(void **state)
{
	struct both b;

	begin(&b, *state, QERR_ALL, 0);
	fail_read(&b.i);
	expect_vanished(&b.i, &b.mine, b.my_ttt);
	assert_int_equal(attention(&b.other), 0x2f00); /* COMMANDS CLEARED BY ANOTHER INITIATOR */
	disk_read(&b.other, 0, 1, in);
	end(&b);
}

static void with_qerr_11_only_commands_of_the_same_session_end(void **state)
{
	struct both b;

	begin(&b, *state, QERR_OWN, TAS);
	fail_read(&b.i);
	expect_vanished(&b.i, &b.mine, b.my_ttt);
	expect_good(&b.other, &b.theirs, b.their_ttt);
	end(&b);
}

/* It is answered when its unsolicited data have come, and must not be ended by itself. */
static void a_command_that_fails_before_its_data_have_come_is_answered(void **state)
{
	struct both b;
	struct command c = { .cdb = cdb_write(WIRE_BLOCKS, 1),
		.write = true,
		.out = out,
		.expect = WIRE_BLOCK,
		.unsolicited_len = WIRE_BLOCK };

	open_both(&b, *state, "InitialR2T=No\n");
	set_control(&b.i, &b.other, QERR_ALL, TAS);
	command_run(&b.i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.asc, 0x2100);
	end(&b);
}

/* SAM-5 6.3.3: a reset brings the default values back. */
static void a_lun_reset_takes_qerr_back(void **state)
{
	struct both b;

	open_both(&b, *state, "");
	set_control(&b.i, &b.other, QERR_OWN, TAS);
	assert_int_equal(tmf(&b.i, TMF_LUN_RESET, TAG_NONE, 0), TMF_COMPLETE);
	unit_ready(&b.i);
	b.mine = waiting_write(&b.i, 1, &b.my_ttt);
	fail_read(&b.i);
	expect_good(&b.i, &b.mine, b.my_ttt);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(with_qerr_00_other_commands_go_on),
		TEST(with_qerr_01_and_tas_the_others_learn_that_theirs_were_aborted),
		TEST(with_qerr_01_without_tas_the_others_find_a_unit_attention),
		TEST(with_qerr_11_only_commands_of_the_same_session_end),
		TEST(a_command_that_fails_before_its_data_have_come_is_answered),
		TEST(a_lun_reset_takes_qerr_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

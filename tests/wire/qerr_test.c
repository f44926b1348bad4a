/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QErr over two sessions (SPC-5 7.5.9): what becomes of other commands when one ends with CHECK
 * CONDITION. The disk is slow, so that they are there when that happens.
 */
#include "wire.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, wire_setup_started, wire_teardown)

enum { TAS = 0x40, SLOW_MS = 150 };
enum { QERR_NOTHING = 0 << 1, QERR_ALL = 1 << 1, QERR_OWN = 3 << 1 };

static uint8_t in[2][WIRE_BLOCK];

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
	struct command mine, theirs; /* reads in the store's hands */
};

static struct command slow_read(struct ini *i, void *to)
{
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = to, .expect = WIRE_BLOCK };

	command_send(i, &c);
	ini_expect_alive(i);
	return c;
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
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = SLOW_MS, .seed = 1 });
	b->mine = slow_read(&b->i, in[0]);
	b->theirs = slow_read(&b->other, in[1]);
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
		.cdb = cdb_read(WIRE_BLOCKS, 1), .read = true, .in = in[0], .expect = WIRE_BLOCK
	};

	command_run(i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.asc, 0x2100);
}

static void expect_good(struct ini *i, struct command *c)
{
	command_finish(i, c);
	assert_int_equal(c->status, 0);
	assert_int_equal(c->got, WIRE_BLOCK);
}

/* The command has no answer, and those that follow have theirs. */
static void expect_vanished(struct ini *i, struct wire *w)
{
	ini_expect_silence(i, SLOW_MS * 2);
	fault_set(w->disk[0], &(struct fault_cfg){ .seed = 1 });
	disk_read(i, 0, 1, in[0]);
}

static void with_qerr_00_other_commands_go_on(void **state)
{
	struct both b;

	begin(&b, *state, QERR_NOTHING, TAS);
	fail_read(&b.i);
	expect_good(&b.i, &b.mine);
	expect_good(&b.other, &b.theirs);
	end(&b);
}

static void with_qerr_01_and_tas_the_others_learn_that_theirs_were_aborted(void **state)
{
	struct both b;

	begin(&b, *state, QERR_ALL, TAS);
	fail_read(&b.i);
	command_finish(&b.other, &b.theirs);
	assert_int_equal(b.theirs.status, 0x40); /* TASK ABORTED */
	expect_vanished(&b.i, *state);
	unit_ready(&b.other);
	end(&b);
}

static void with_qerr_01_without_tas_the_others_find_a_unit_attention(void **state)
{
	struct both b;

	begin(&b, *state, QERR_ALL, 0);
	fail_read(&b.i);
	expect_vanished(&b.i, *state);
	expect_unit_attention(&b.other, 0x2f00); /* COMMANDS CLEARED BY ANOTHER INITIATOR */
	disk_read(&b.other, 0, 1, in[1]);
	end(&b);
}

static void with_qerr_11_only_commands_of_the_same_session_end(void **state)
{
	struct both b;

	begin(&b, *state, QERR_OWN, TAS);
	fail_read(&b.i);
	expect_good(&b.other, &b.theirs);
	expect_vanished(&b.i, *state);
	unit_ready(&b.other);
	end(&b);
}

/* It is answered when its unsolicited data have come, and must not be ended by itself. */
static void a_command_that_fails_before_its_data_have_come_is_answered(void **state)
{
	struct both b;
	uint8_t out[WIRE_BLOCK] = { 0 };
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
	fault_set(((struct wire *)*state)->disk[0],
		&(struct fault_cfg){ .delay_ms = SLOW_MS, .seed = 1 });
	b.mine = slow_read(&b.i, in[0]);
	fail_read(&b.i);
	expect_good(&b.i, &b.mine);
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

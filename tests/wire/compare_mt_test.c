/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COMPARE AND WRITE as clusters use it: sixteen sessions on four reactors count in the same
 * blocks. Each adds one to what it believes is there, and reads again where it was mistaken. In the
 * end every block has counted every command that was answered with GOOD.
 */
#include <stdlib.h>

#include "real_disk.h"
#include "wire.h"

enum { SESSIONS = 16, COUNTERS = 3, ROUNDS = 250, MISCOMPARE = 0xe };

struct counting {
	struct wire *w;
	struct ini ini[SESSIONS];
	uint64_t believed[SESSIONS][COUNTERS];
	uint64_t counted[COUNTERS];
	unsigned miscompared;
};

/* A counter fills its block, so that half of an old and half of a new one would be seen. */
static void write_counter(uint8_t *block, uint64_t n)
{
	for (unsigned i = 0; i < WIRE_BLOCK; i += 8)
		put_be64(block + i, n);
}

static uint64_t read_counter(struct ini *i, uint32_t lba)
{
	uint8_t block[WIRE_BLOCK], whole[WIRE_BLOCK];

	disk_read(i, lba, 1, block);
	write_counter(whole, be64(block));
	assert_memory_equal(block, whole, WIRE_BLOCK);
	return be64(block);
}

static struct cdb cdb_compare_and_write(uint32_t lba)
{
	struct cdb c = { .b = { 0x89 }, .len = 16 };

	put_be64(c.b + 2, lba);
	c.b[13] = 1;
	return c;
}

/* What was read, and what is to be there then. */
static void add_one(struct counting *c, int k, uint32_t lba, struct command *cmd, uint8_t *data)
{
	write_counter(data, c->believed[k][lba]);
	write_counter(data + WIRE_BLOCK, c->believed[k][lba] + 1);
	*cmd = (struct command){ .cdb = cdb_compare_and_write(lba),
		.write = true,
		.out = data,
		.expect = 2 * WIRE_BLOCK,
		.immediate_len = 2 * WIRE_BLOCK };
	command_send(&c->ini[k], cmd);
}

static void take_answer(struct counting *c, int k, uint32_t lba, struct command *cmd)
{
	command_finish(&c->ini[k], cmd);
	if (!cmd->status) {
		c->counted[lba]++;
		c->believed[k][lba]++;
		return;
	}
	assert_int_equal(cmd->status, 2);
	assert_int_equal(cmd->sense_key, MISCOMPARE);
	c->miscompared++;
	c->believed[k][lba] = read_counter(&c->ini[k], lba);
}

/* All of them at once, each at one counter. */
static void count_once(struct counting *c, int round)
{
	static uint8_t data[SESSIONS][2 * WIRE_BLOCK];
	struct command cmd[SESSIONS];

	for (int k = 0; k < SESSIONS; k++)
		add_one(c, k, (uint32_t)(round + k) % COUNTERS, &cmd[k], data[k]);
	for (int k = 0; k < SESSIONS; k++)
		take_answer(c, k, (uint32_t)(round + k) % COUNTERS, &cmd[k]);
}

static void no_update_is_lost(struct wire *w)
{
	struct counting *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->w = w;
	w->cfg.reactors = 4;
	wire_start(w);
	for (int k = 0; k < SESSIONS; k++) {
		ini_open(&c->ini[k], w);
		put_be16(c->ini[k].isid + 4, (uint16_t)k);
		ini_login(&c->ini[k], OPEN, "");
	}
	for (int k = 0; k < SESSIONS; k++)
		unit_ready(&c->ini[k]);
	for (int round = 0; round < ROUNDS; round++)
		count_once(c, round);
	for (uint32_t lba = 0; lba < COUNTERS; lba++) {
		assert_true(c->counted[lba] >= ROUNDS / COUNTERS);
		for (int k = 0; k < SESSIONS; k++)
			assert_int_equal(read_counter(&c->ini[k], lba), c->counted[lba]);
	}
	assert_true(c->miscompared > ROUNDS);
	for (int k = 0; k < SESSIONS; k++) {
		logout(&c->ini[k]);
		ini_close(&c->ini[k]);
	}
	free(c);
}

static void no_update_is_lost_in_memory(void **state)
{
	((struct wire *)*state)->plain = true;
	no_update_is_lost(*state);
}

/* The fault store takes requests, and has no memory to write to at once. */
static void no_update_is_lost_in_a_store_that_takes_requests(void **state)
{
	no_update_is_lost(*state);
}

/* --- in a file ----------------------------------------------------------------------- */

static void in_a_file(void **state, enum store_engine_want want)
{
	struct real_disk disk;

	real_disk_begin(&disk, *state, "file", WIRE_BLOCKS * WIRE_BLOCK, WIRE_BLOCK, want);
	no_update_is_lost(*state);
	real_disk_end(&disk, state);
}

static void no_update_is_lost_in_a_file(void **state)
{
	in_a_file(state, STORE_ENGINE_AUTO);
}

static void no_update_is_lost_in_a_file_served_by_threads(void **state)
{
	in_a_file(state, STORE_ENGINE_THREADS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_UNSTARTED(no_update_is_lost_in_memory),
		TEST_UNSTARTED(no_update_is_lost_in_a_store_that_takes_requests),
		cmocka_unit_test_setup(no_update_is_lost_in_a_file, wire_setup),
		cmocka_unit_test_setup(no_update_is_lost_in_a_file_served_by_threads, wire_setup),
	};
	return cmocka_run_group_tests_name("compare and write", tests, NULL, NULL);
}

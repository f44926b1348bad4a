/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thousand sessions at once on several reactors: what becomes of half of them is not felt by the
 * others, and afterwards nothing is left.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/skip.h"

enum { SESSIONS = 1000, BLOCKS = 8, BYTES = BLOCKS * WIRE_BLOCK };

/* Two descriptors for each session, and some. */
static bool enough_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return false;
	if (l.rlim_cur < 2 * SESSIONS + 100) {
		l.rlim_cur = 2 * SESSIONS + 100;
		if (l.rlim_max < l.rlim_cur)
			return false;
		return setrlimit(RLIMIT_NOFILE, &l) == 0;
	}
	return true;
}

static struct ini *log_all_in(struct wire *w)
{
	struct ini *all = calloc(SESSIONS, sizeof(*all));

	assert_non_null(all);
	for (int k = 0; k < SESSIONS; k++) {
		ini_open(&all[k], w);
		put_be16(all[k].isid + 4, (uint16_t)k);
		ini_login(&all[k], OPEN, "ImmediateData=No\n");
	}
	for (int k = 0; k < SESSIONS; k++)
		unit_ready(&all[k]);
	assert_int_equal(wire_counters(w).sessions, SESSIONS);
	return all;
}

/* Each has a place of its own on the disk. */
static struct command write_of(int k, uint8_t *data)
{
	fill(data, BYTES, (unsigned)k);
	return (struct command){ .cdb = cdb_write((uint32_t)k * BLOCKS, BLOCKS),
		.write = true,
		.out = data,
		.expect = BYTES };
}

static void killing_half_of_a_thousand_sessions_in_mid_transfer_disturbs_none_of_the_others(
	void **state)
{
	static uint8_t data[SESSIONS][BYTES], back[BYTES];
	static struct command c[SESSIONS];
	struct wire *w = *state;
	struct ini *all;

	if (!enough_descriptors())
		skip_as("too few descriptors are allowed");
	w->cfg.reactors = 4;
	wire_start(w);
	all = log_all_in(w);
	/* Every session in the middle of a write … */
	for (int k = 0; k < SESSIONS; k++) {
		struct pdu p;

		c[k] = write_of(k, data[k]);
		command_send(&all[k], &c[k]);
		ini_recv(&all[k], OP_R2T);
		p = pdu_data_out(
			&all[k], c[k].itt, be32(all[k].bhs + 20), 0, 0, data[k], BYTES / 2, false);
		ini_send(&all[k], &p);
	}
	/* … every second one hangs up … */
	for (int k = 0; k < SESSIONS; k += 2)
		ini_close(&all[k]);
	/* … and the others go on as if nothing had happened. */
	for (int k = 1; k < SESSIONS; k += 2) {
		struct pdu p = pdu_data_out(&all[k], c[k].itt, be32(all[k].bhs + 20), 1, BYTES / 2,
			data[k] + BYTES / 2, BYTES / 2, true);

		ini_send(&all[k], &p);
		ini_recv(&all[k], OP_SCSI_RSP);
		assert_int_equal(all[k].bhs[3], 0);
	}
	wire_expect_sessions(w, SESSIONS / 2);
	for (int k = 1; k < SESSIONS; k += 2) {
		disk_read(&all[k], (uint32_t)k * BLOCKS, BLOCKS, back);
		assert_memory_equal(back, data[k], BYTES);
		logout(&all[k]);
		ini_close(&all[k]);
	}
	wire_expect_idle(w);
	free(all);
}

static void a_thousand_sessions_end_with_the_server(void **state)
{
	struct wire *w = *state;
	struct ini *all;

	if (!enough_descriptors())
		skip_as("too few descriptors are allowed");
	w->cfg.reactors = 4;
	wire_start(w);
	all = log_all_in(w);
	wire_stop(w, 0);
	for (int k = 0; k < SESSIONS; k++)
		ini_close(&all[k]);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_UNSTARTED(
			killing_half_of_a_thousand_sessions_in_mid_transfer_disturbs_none_of_the_others),
		TEST_UNSTARTED(a_thousand_sessions_end_with_the_server),
	};
	return cmocka_run_group_tests_name("many sessions", tests, NULL, NULL);
}

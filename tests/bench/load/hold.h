/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many sessions that do nothing, and now and then a read of one block over any one of them: one
 * command at a time, so that its latency is the server's alone.
 */
#ifndef BENCH_HOLD_H
#define BENCH_HOLD_H

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/login.h"

struct hold_result {
	unsigned held, dropped; /* sessions logged in; of these, gone at the end */
	double login_seconds;   /* for all of them */
	struct histogram latency;
};

/* Logs in plan->conns sessions, prints the line "holding" and holds them for plan->seconds. At the
 * end every session that is left has to answer a command, and logs out. */
void hold(const struct login_kit *kit, struct hold_result *out);

#endif

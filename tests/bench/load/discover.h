/* SPDX-License-Identifier: BSD-2-Clause */
/* SendTargets=All, timed from the request to the last byte of the answer. */
#ifndef BENCH_DISCOVER_H
#define BENCH_DISCOVER_H

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/login.h"

struct discover_result {
	unsigned targets, parts; /* of the last answer; PDUs that it came in */
	struct histogram latency;
};

/* Logs in to discovery and asks over and over for plan->seconds, at least once. */
void discover(const struct login_kit *kit, struct discover_result *out);

#endif

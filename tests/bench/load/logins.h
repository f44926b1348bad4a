/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins one after the other, on as many threads as the plan has connections. */
#ifndef BENCH_LOGINS_H
#define BENCH_LOGINS_H

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/login.h"

struct logins_result {
	double seconds;
	uint64_t logins;
	uint64_t cpu;             /* of the server, in nanoseconds */
	struct histogram latency; /* from connect to full feature phase */
};

/* For plan->seconds: connect, log in, log out, close, again. */
void logins(const struct login_kit *kit, struct logins_result *out);

#endif

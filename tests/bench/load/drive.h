/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads and writes: so many connections (a session each), each with so many commands under way all
 * the time. One thread, and as little work per command as an initiator can do, so that it is the
 * target that saturates.
 */
#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/login.h"

#define DEPTH_MAX 256u

struct drive_result {
	double seconds;
	uint64_t ops, bytes;
	uint64_t errors;          /* commands that failed or gave too little */
	uint64_t corrupt;         /* Data-In that was not what had been written */
	uint64_t cpu;             /* of the server, in nanoseconds */
	uint64_t least, most;     /* commands of the connection that had the fewest, the most */
	struct histogram latency; /* from the issue of a command to its status */
};

/* Logs in, fills the disk if that is wanted, warms up, and measures. */
void drive(const struct login_kit *kit, struct drive_result *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a backup does: blocks written to a tape one after the other, a filemark that makes them
 * durable, and the same read back; as the drivers of hosts do it, one command at a time. And the
 * inventory of a library, as often as it is wanted.
 */
#ifndef BENCH_TAPE_H
#define BENCH_TAPE_H

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/login.h"

struct tape_result {
	uint64_t blocks;
	double write_seconds; /* with the filemark that makes all of them durable */
	double read_seconds;
	struct histogram latency; /* of a WRITE */
};

/* From the beginning of the tape, with compression off: writes for plan->seconds blocks of
 * plan->bytes that do not compress, and reads them. Ends the program where the tape says anything
 * but GOOD, or gives back anything else. */
void tape(const struct login_kit *kit, struct tape_result *out);

struct elements_result {
	unsigned elements;  /* that were told of */
	uint32_t bytes;
	struct histogram latency;
};

/* READ ELEMENT STATUS of everything with volume tags, for plan->seconds. */
void elements(const struct login_kit *kit, struct elements_result *out);

#endif

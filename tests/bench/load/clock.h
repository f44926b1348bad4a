/* SPDX-License-Identifier: BSD-2-Clause */
/* Time, and the processor time of others, in nanoseconds. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

static inline uint64_t clock_now(clockid_t id)
{
	struct timespec t = { 0 };

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t now(void)
{
	return clock_now(CLOCK_MONOTONIC);
}

/* What a process has used so far, all its threads; 0 for pid 0 and where there is no such one. */
static inline uint64_t cpu_of(pid_t pid)
{
	clockid_t id;

	return pid && clock_getcpuclockid(pid, &id) == 0 ? clock_now(id) : 0;
}

#endif

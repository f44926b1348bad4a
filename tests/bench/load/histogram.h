/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times, counted in classes that are at most 1/256 of their value wide: percentiles of any number
 * of them in a few KiB that stay in the cache.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB  8  /* bits of a value that count */
#define HISTOGRAM_BITS 36 /* longer ones (69 s) count as these */
#define HISTOGRAM_SIZE ((HISTOGRAM_BITS - HISTOGRAM_SUB + 1) << HISTOGRAM_SUB)

struct histogram {
	uint64_t total;
	uint32_t count[HISTOGRAM_SIZE];
};

static inline void histogram_add(struct histogram *h, uint64_t ns)
{
	unsigned shift;

	if (ns >> HISTOGRAM_BITS)
		ns = ((uint64_t)1 << HISTOGRAM_BITS) - 1;
	shift = ns >> HISTOGRAM_SUB ? 63 - HISTOGRAM_SUB - (unsigned)__builtin_clzll(ns) : 0;
	h->count[(shift << HISTOGRAM_SUB) + (ns >> shift)]++;
	h->total++;
}

/* The time below which this share (0 to 1) of them lies, in nanoseconds; 0 of none. */
uint64_t histogram_at(const struct histogram *h, double share);

#endif

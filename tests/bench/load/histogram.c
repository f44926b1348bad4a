/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/load/histogram.h"

/* The middle of a class. */
static uint64_t value_of(unsigned i)
{
	unsigned shift = i >> (HISTOGRAM_SUB + 1) ? (i >> HISTOGRAM_SUB) - 1 : 0;
	uint64_t low = (uint64_t)(i - (shift << HISTOGRAM_SUB)) << shift;

	return low + (((uint64_t)1 << shift) >> 1);
}

uint64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t rank = (uint64_t)(share * (double)h->total), seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_SIZE; i++) {
		seen += h->count[i];
		if (seen > rank)
			return value_of(i);
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store for tests, wrapped around another: it fails requests, delays them, ends
 * them out of order and tears writes. What lies on top is shown what disks do.
 */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct fault_cfg {
	unsigned ops;      /* which count for nth: bits 1u << STORE_…; 0 = all */
	uint64_t nth;      /* the first that fails, from 1 on; 0 = none */
	uint64_t count;    /* how many fail from there on; 0 = all that follow */
	int err;           /* with what: -errno */
	bool torn;         /* a write that fails leaves its first half, in whole blocks */
	uint32_t delay_ms; /* each ends up to this much later, at random: out of order */
	uint64_t seed;     /* of that chance */
};

/* Wraps a store, which belongs to *out from then on: store_close(*out) closes both. store_map()
 * gives nothing, so that everything passes here. 0 or -ENOMEM. */
int fault_wrap(struct store *inner, struct store **out);

/* Sets what happens from the next request on, and counts from there. Any thread. */
void fault_set(struct store *st, const struct fault_cfg *cfg);

/* How many requests have counted, and how many of them were failed, since fault_set(). */
uint64_t fault_seen(struct store *st);
uint64_t fault_failed(struct store *st);
/* How many requests have not ended. */
uint64_t fault_busy(struct store *st);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Huge pages under memory that is taken page by page. Where a range of 2 MiB has
 * every page written, and is used, its pages are made one: the same memory behind
 * one entry of the page tables instead of 512. A range with a hole stays as it is,
 * so that no memory is taken that nobody has written.
 *
 * The kernel copies the range to do that, on the pool: half a millisecond, or ten times
 * that where a hypervisor has to find the memory first. It is done to one range after
 * the other, with rests between them. Who uses the memory notes that in one byte for
 * each range.
 */
#ifndef STORE_HUGE_H
#define STORE_HUGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/work.h"

#define HUGE_SHIFT 21
#define HUGE_SIZE  ((uint64_t)1 << HUGE_SHIFT)

/* What is known of a range; less than these: how often a unit of it was used to its end. */
enum huge_state { HUGE_REFUSED = 0xfd, HUGE_WANTED, HUGE_MADE };
#define HUGE_UNIT_SHIFT 16

struct huge {
	uint64_t ranges;
	uint8_t *base;
	struct work_pool *pool;
	struct work work;
	atomic_uint users; /* the owner, and the work */
	atomic_bool queued;
	_Atomic uint64_t rests_until; /* nanoseconds of the monotonic clock */
	uint64_t next;                /* of the ranges, where the work goes on */
	pthread_mutex_t lock;         /* closed, and the memory while the work changes it */
	bool closed;
	_Atomic uint8_t state[];
};

/* For [base, base+len), where base is a multiple of HUGE_SIZE and the kernel was told to make no huge
 * pages itself (MADV_NOHUGEPAGE): it would make them of holes, where it may. NULL where there is nothing to be
 * done: less than one range, no huge pages on this machine, or no memory for the states. The other
 * calls take NULL and do nothing. */
struct huge *huge_new(struct work_pool *pool, uint8_t *base, uint64_t len);
/* Before the memory goes. May wait for one range, some milliseconds at worst. */
void huge_free(struct huge *h);

/* [off, off+len) is about to be read or written; len > 0. Any thread; never blocks. */
static inline void huge_used(struct huge *h, uint64_t off, uint64_t len);
/* Pages of [off, off+len) were given back. Any thread; never blocks. */
void huge_dropped(struct huge *h, uint64_t off, uint64_t len);
/* Whether a huge page was made at off. Any thread. */
static inline bool huge_made(const struct huge *h, uint64_t off);

/* --- inline: once for each command ---------------------------------------------------------- */

/* What huge_used() is where [off, end) goes over the boundary of a unit. */
void huge_count(struct huge *h, uint64_t off, uint64_t end);

static inline void huge_used(struct huge *h, uint64_t off, uint64_t len)
{
	uint64_t end = off + len;

	if (h && off >> HUGE_UNIT_SHIFT != end >> HUGE_UNIT_SHIFT)
		huge_count(h, off, end);
}

static inline bool huge_made(const struct huge *h, uint64_t off)
{
	uint64_t i = off >> HUGE_SHIFT;

	return h && i < h->ranges &&
	       atomic_load_explicit(&h->state[i], memory_order_relaxed) == HUGE_MADE;
}

#endif

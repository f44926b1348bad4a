/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which parts of a store are being written, so that a reader can tell that what it has read is no
 * mixture of before and after. The kernel copies out of the page cache while another thread copies
 * into the same page; ext4, tmpfs and block devices keep the two apart no more than that.
 *
 * A store's bytes fall into grains, and grains share counters. A writer steps every counter of its
 * range before it begins and after it has ended; a reader takes the sum of its own before and after.
 * Counters only grow, so that equal sums mean that nobody has begun or ended; and their low bits say
 * how many have begun and not ended.
 */
#ifndef STORE_WRITING_H
#define STORE_WRITING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WRITING_GRAIN_SHIFT 12
#define WRITING_COUNTERS    4096 /* of 4 bytes; a longer range steps each of them once */
#define WRITING_BUSY        UINT32_C(0xffff)

struct writing {
	_Atomic uint32_t counter[WRITING_COUNTERS]; /* begun - ended, below; ended, above */
};

struct writing_range {
	uint64_t first;
	uint32_t n;
};

static inline struct writing_range writing_range(uint64_t off, uint64_t len)
{
	uint64_t first = off >> WRITING_GRAIN_SHIFT;
	uint64_t n = ((off + len - 1) >> WRITING_GRAIN_SHIFT) - first + 1;

	return (struct writing_range){
		first, n < WRITING_COUNTERS ? (uint32_t)n : WRITING_COUNTERS
	};
}

static inline void writing_step(struct writing *w, uint64_t off, uint64_t len, uint32_t by)
{
	struct writing_range r = writing_range(off, len);

	for (uint32_t i = 0; i < r.n; i++)
		atomic_fetch_add(&w->counter[(r.first + i) % WRITING_COUNTERS], by);
}

/* Before the first byte of [off, off+len) changes, and when none changes any more. Any thread. */
static inline void writing_begin(struct writing *w, uint64_t off, uint64_t len)
{
	writing_step(w, off, len, 1);
}

static inline void writing_end(struct writing *w, uint64_t off, uint64_t len)
{
	writing_step(w, off, len, WRITING_BUSY);
}

/* What a reader sees. */
struct writing_seen {
	uint32_t sum;
	bool busy;
};

/* Before the first byte is read. Any thread. */
static inline struct writing_seen writing_look(struct writing *w, uint64_t off, uint64_t len)
{
	struct writing_range r = writing_range(off, len);
	struct writing_seen seen = { 0, false };

	for (uint32_t i = 0; i < r.n; i++) {
		uint32_t c = atomic_load_explicit(
			&w->counter[(r.first + i) % WRITING_COUNTERS], memory_order_acquire);

		seen.sum += c;
		seen.busy |= c & WRITING_BUSY;
	}
	return seen;
}

/* When the last one has been: whether nobody wrote meanwhile. */
static inline bool writing_none(
	struct writing *w, uint64_t off, uint64_t len, struct writing_seen before)
{
	atomic_thread_fence(memory_order_seq_cst);
	return !before.busy && writing_look(w, off, len).sum == before.sum;
}

#endif

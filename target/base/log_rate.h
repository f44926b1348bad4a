/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many lines of the log somebody else may cause: a burst at once, and so many a second from
 * then on. Those that are left out are counted, to be told with the next one that is not.
 */
#ifndef BASE_LOG_RATE_H
#define BASE_LOG_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zeroed at first. Any thread. */
struct log_rate {
	_Atomic uint64_t used_until; /* ns: when the burst would be whole again */
	_Atomic unsigned left_out;
};

/* Whether one more line may be written at `now` (ns, monotonic). */
static inline bool log_rate_pass(
	struct log_rate *r, uint64_t now, unsigned burst, unsigned per_second)
{
	uint64_t each = UINT64_C(1000000000) / per_second;
	uint64_t until = atomic_load(&r->used_until), from;

	do {
		from = until > now ? until : now;
		if (from - now > (burst - 1) * each) {
			atomic_fetch_add(&r->left_out, 1);
			return false;
		}
	} while (!atomic_compare_exchange_weak(&r->used_until, &until, from + each));
	return true;
}

/* How many were not, since this was asked last. */
static inline unsigned log_rate_left_out(struct log_rate *r)
{
	return atomic_load(&r->left_out) ? atomic_exchange(&r->left_out, 0) : 0;
}

#endif

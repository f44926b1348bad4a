/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether it pays to poll: the memory of a loop about how its last polls and
 * sleeps went. Pure bookkeeping; it reads no clock.
 *
 * After work, a loop may poll for a bounded window before it sleeps. A window in
 * which more work came was worth its time; one that ended in sleep was not. After
 * several in a row that were not, the loop sleeps at once. It polls again where
 * sleeps turn out shorter than a window would have been, and tries a window now
 * and then. Each time that hope is disappointed it takes more short sleeps to
 * raise it again: an initiator on this very processor cannot run while we poll.
 *
 * What a loop has asked of a disk takes longer than an initiator does, but it will
 * come: where such is awaited a window is POLLING_PATIENCE times as long.
 */
#ifndef BASE_POLLING_H
#define BASE_POLLING_H

#include <stdbool.h>
#include <stdint.h>

#define POLLING_NS_MAX   UINT64_C(1000000) /* no window is longer: 1 ms */
#define POLLING_PATIENCE 4

struct polling {
	uint64_t plain_ns;    /* of a window without patience; 0: never poll */
	uint64_t window_ns;   /* of a window as things are */
	unsigned credit;      /* windows that may still go unpaid */
	unsigned sleeps;      /* since credit ran out, without a window */
	unsigned near;        /* of these, short ones in a row */
	unsigned near_wanted; /* so many in a row bring credit back */
};

/* Sets the window (cut to POLLING_NS_MAX) and forgets what was learned. */
void polling_set(struct polling *p, uint64_t window_ns);

/* From now on a disk owes us something, or does no longer. */
void polling_await(struct polling *p, bool something);

/* How long to poll now before going to sleep, in nanoseconds; 0 is to sleep at once. */
static inline uint64_t polling_window(const struct polling *p)
{
	return p->credit ? p->window_ns : 0;
}

/* Work came while polling. */
void polling_paid(struct polling *p);
/* A whole window went by without work. */
void polling_unpaid(struct polling *p);
/* Slept for slept_ns without a window before it, then work came. */
void polling_slept(struct polling *p, uint64_t slept_ns);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which ranges are worth a huge page, and making them (huge.h).
 *
 * A byte for each range counts units of use. It is read and written without care for
 * others who do the same: a count that is lost is made up for later. What must not be
 * lost is that pages were given back, so the work changes a state only where it still
 * is the one that it began with.
 */
#include "store/huge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

enum { PAGE = 4096, PAGES = HUGE_SIZE / PAGE };

/* Units of use that are worth a copy of the range: half as much again as it has, so that a range is
 * not looked at while it is being filled. */
#define ENOUGH (3 * (HUGE_SIZE >> HUGE_UNIT_SHIFT) / 2)
_Static_assert(ENOUGH + (HUGE_SIZE >> HUGE_UNIT_SHIFT) < HUGE_REFUSED, "a count is no state");

/* The work rests so many times as long as it had a processor: a fifth of one at most. */
#define REST 4

/* --- beginning and end ----------------------------------------------------------------------- */

/* "never" is the administrator's word, although MADV_COLLAPSE would not listen to it. */
static bool allowed(void)
{
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	char line[128] = "";
	bool yes;

	if (!f)
		return false;
	yes = fgets(line, sizeof(line), f) && !strstr(line, "[never]");
	fclose(f);
	return yes;
}

static void work_run(struct work *w);

struct huge *huge_new(struct work_pool *pool, uint8_t *base, uint64_t len)
{
	uint64_t ranges = len >> HUGE_SHIFT;
	struct huge *h;

	if (!pool || !ranges || !allowed())
		return NULL;
	h = calloc(1, sizeof(*h) + ranges);
	if (!h)
		return NULL;
	h->ranges = ranges;
	h->base = base;
	h->pool = pool;
	h->work.run = work_run;
	atomic_init(&h->users, 1);
	pthread_mutex_init(&h->lock, NULL);
	return h;
}

static void leave(struct huge *h)
{
	if (atomic_fetch_sub(&h->users, 1) > 1)
		return;
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void huge_free(struct huge *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->closed = true;
	pthread_mutex_unlock(&h->lock);
	leave(h);
}

/* --- what is used --------------------------------------------------------------------------- */

static uint8_t get(struct huge *h, uint64_t i)
{
	return atomic_load_explicit(&h->state[i], memory_order_relaxed);
}

/* The ranges, and the last one may be a part, that begin before `end`. */
static uint64_t ranges_to(const struct huge *h, uint64_t end)
{
	uint64_t n = (end + HUGE_SIZE - 1) >> HUGE_SHIFT;

	return n < h->ranges ? n : h->ranges;
}

static void queue(struct huge *h)
{
	if (atomic_load_explicit(&h->queued, memory_order_relaxed) ||
		clock_ns(CLOCK_MONOTONIC) <
			atomic_load_explicit(&h->rests_until, memory_order_relaxed) ||
		atomic_exchange(&h->queued, true))
		return;
	atomic_fetch_add(&h->users, 1);
	work_submit(h->pool, &h->work);
}

/* Counts what [off, end) has of range i; true if it is worth a look. */
static bool count(struct huge *h, uint64_t i, uint64_t off, uint64_t end)
{
	uint64_t from = i << HUGE_SHIFT, to = from + HUGE_SIZE;
	uint64_t n = (end < to ? end : to) >> HUGE_UNIT_SHIFT;
	uint8_t s = get(h, i);

	n -= (off > from ? off : from) >> HUGE_UNIT_SHIFT;
	if (s >= HUGE_REFUSED)
		return s == HUGE_WANTED;
	s = (uint8_t)(s + n);
	atomic_store(&h->state[i], s < ENOUGH ? s : HUGE_WANTED);
	return s >= ENOUGH;
}

void huge_count(struct huge *h, uint64_t off, uint64_t end)
{
	bool wanted = false;

	for (uint64_t i = off >> HUGE_SHIFT; i < ranges_to(h, end); i++)
		wanted |= count(h, i, off, end);
	if (wanted)
		queue(h);
}

void huge_dropped(struct huge *h, uint64_t off, uint64_t len)
{
	if (!h)
		return;
	for (uint64_t i = off >> HUGE_SHIFT; i < ranges_to(h, off + len); i++)
		if (get(h, i))
			atomic_store(&h->state[i], 0);
}

/* --- the work ------------------------------------------------------------------------------- */

/* An entry of pagemap: present, and nobody else's. The page of zeros that all share, which is there
 * where something was only read, is not. */
#define OWN_PAGE ((uint64_t)1 << 63 | (uint64_t)1 << 56)

/* Whether the range has all its pages. */
static bool is_full(const struct huge *h, int pagemap, uint64_t i)
{
	uint64_t entry[PAGES], first = (uint64_t)(uintptr_t)h->base / PAGE + i * PAGES;

	if (pread(pagemap, entry, sizeof(entry), (off_t)(first * sizeof(entry[0]))) !=
		(ssize_t)sizeof(entry))
		return false;
	for (unsigned p = 0; p < PAGES; p++)
		if ((entry[p] & OWN_PAGE) != OWN_PAGE)
			return false;
	return true;
}

/* Huge pages are allowed here for that moment alone. 0 or an errno. */
static int collapse(uint8_t *range)
{
	int err = 0;

	if (madvise(range, HUGE_SIZE, MADV_HUGEPAGE) || madvise(range, HUGE_SIZE, MADV_COLLAPSE))
		err = errno;
	madvise(range, HUGE_SIZE, MADV_NOHUGEPAGE);
	return err;
}

/* What has become of the range: a state, or 0 to count anew. */
static uint8_t make(struct huge *h, int pagemap, uint64_t i)
{
	int err;

	if (h->closed || !is_full(h, pagemap, i))
		return 0;
	err = collapse(h->base + i * HUGE_SIZE);
	if (err == EINVAL)
		h->closed = true; /* this kernel cannot */
	if (err == EAGAIN)
		return 0;
	return err ? HUGE_REFUSED : HUGE_MADE;
}

static void try_range(struct huge *h, uint64_t i)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint8_t state = HUGE_WANTED, next;

	pthread_mutex_lock(&h->lock);
	next = make(h, pagemap, i);
	pthread_mutex_unlock(&h->lock);
	atomic_compare_exchange_strong(&h->state[i], &state, next);
	if (pagemap >= 0)
		close(pagemap);
}

/* The next range that is wanted, round and round; `ranges` when none is. */
static uint64_t find(struct huge *h)
{
	for (uint64_t n = 0; n < h->ranges; n++) {
		uint64_t i = (h->next + n) % h->ranges;

		if (get(h, i) == HUGE_WANTED)
			return i;
	}
	return h->ranges;
}

/* One range. Whoever uses a wanted one when the rest is over has the work queued again. */
static void work_run(struct work *w)
{
	struct huge *h = container_of(w, struct huge, work);
	uint64_t began = clock_ns(CLOCK_THREAD_CPUTIME_ID), i = find(h), took;

	if (i < h->ranges)
		try_range(h, i);
	h->next = i + 1;
	took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
	atomic_store(&h->rests_until, clock_ns(CLOCK_MONOTONIC) + REST * took);
	atomic_store(&h->queued, false);
	leave(h);
}

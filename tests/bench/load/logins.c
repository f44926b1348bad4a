/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/load/logins.h"

#include <pthread.h>
#include <stdlib.h>

#include "tests/bench/load/clock.h"
#include "tests/bench/load/die.h"

struct worker {
	pthread_t thread;
	const struct login_kit *kit;
	uint32_t id;
	uint64_t start, end; /* what ends in between counts */
	struct histogram latency;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct link l;
	uint64_t t, in;

	for (t = now(); t < w->end; t = now()) {
		login(w->kit, &l, w->id);
		in = now();
		logout(&l);
		if (t >= w->start)
			histogram_add(&w->latency, in - t);
	}
	return NULL;
}

static void merge(struct histogram *all, const struct histogram *one)
{
	for (unsigned i = 0; i < HISTOGRAM_SIZE; i++)
		all->count[i] += one->count[i];
	all->total += one->total;
}

static void sleep_until(uint64_t t)
{
	struct timespec until = { (time_t)(t / 1000000000u), (long)(t % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
		;
}

void logins(const struct login_kit *kit, struct logins_result *out)
{
	const struct plan *p = kit->plan;
	struct worker *workers = calloc(p->conns, sizeof(*workers));
	uint64_t start = now() + (uint64_t)(p->warm * 1e9);
	uint64_t end = start + (uint64_t)(p->seconds * 1e9);

	if (!workers)
		die_errno("memory");
	*out = (struct logins_result){ .seconds = p->seconds };
	for (unsigned i = 0; i < p->conns; i++) {
		workers[i].kit = kit;
		workers[i].id = i;
		workers[i].start = start;
		workers[i].end = end;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			die("no thread");
	}
	sleep_until(start);
	out->cpu = cpu_of(p->server);
	sleep_until(end);
	out->cpu = cpu_of(p->server) - out->cpu;
	for (unsigned i = 0; i < p->conns; i++) {
		pthread_join(workers[i].thread, NULL);
		merge(&out->latency, &workers[i].latency);
	}
	out->logins = out->latency.total;
	free(workers);
}

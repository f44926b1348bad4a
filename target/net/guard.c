/* SPDX-License-Identifier: BSD-2-Clause */
/* The guard at the door (guard.h): a fixed table of addresses, the idlest one making room. */
#include "net/guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#define ROWS 4096u       /* addresses that can be half-open or have failed at a time */
#define PROBES 8u        /* places that one address may stand in */
#define FREE_FAILURES 4u /* mistyped secrets that cost nothing */
#define FORGET_NS (60ull * 1000000000)

struct row {
	struct addr addr;
	uint32_t half_open;
	uint32_t failures;
	uint64_t failed_at;
};

struct guard {
	pthread_mutex_t lock;
	uint32_t half_open, max, max_per_address;
	uint32_t seed;           /* nobody can choose addresses that share a place */
	struct row rows[ROWS];
};

struct guard *guard_new(uint32_t max_half_open, uint32_t max_per_address)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	if (getrandom(&g->seed, sizeof(g->seed), GRND_NONBLOCK) < 0)
		g->seed = (uint32_t)(uintptr_t)g;
	pthread_mutex_init(&g->lock, NULL);
	g->max = max_half_open;
	g->max_per_address = max_per_address;
	return g;
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	pthread_mutex_destroy(&g->lock);
	free(g);
}

void guard_limits(struct guard *g, uint32_t max_half_open, uint32_t max_per_address)
{
	pthread_mutex_lock(&g->lock);
	g->max = max_half_open;
	g->max_per_address = max_per_address;
	pthread_mutex_unlock(&g->lock);
}

static uint32_t hash(const struct guard *g, const struct addr *a)
{
	const uint8_t *p = (const uint8_t *)&a->in.sin_addr;
	size_t n = sizeof(a->in.sin_addr);
	uint32_t h = 2166136261u ^ g->seed;

	if (a->sa.sa_family == AF_INET6) {
		p = (const uint8_t *)&a->in6.sin6_addr;
		n = 8;   /* a host has a whole /64 to take addresses from */
	} else if (a->sa.sa_family != AF_INET) {
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	h = (h ^ h >> 16) * 0x85ebca6bu ^ g->seed;
	return h ^ h >> 13;
}

/* Two addresses that are one host to us: IPv6 by its /64. */
static bool same(const struct addr *a, const struct addr *b)
{
	if (a->sa.sa_family == AF_INET6 && b->sa.sa_family == AF_INET6)
		return addr_in_net(a, b, 64);
	return addr_same_host(a, b);
}

static bool row_idle(const struct row *r)
{
	return !r->half_open && !r->failures;
}

/* The address's row; with `make`, one that nobody needs, or the one with the oldest failures. NULL:
 * there is none (or, with make, every place is taken by a half-open connection). */
static struct row *row_of(struct guard *g, const struct addr *a, bool make)
{
	uint32_t at = hash(g, a);
	struct row *spare = NULL;

	for (uint32_t i = 0; i < PROBES; i++) {
		struct row *r = &g->rows[(at + i) % ROWS];

		if (!row_idle(r) && same(&r->addr, a))
			return r;
		if (!r->half_open && (!spare || r->failed_at < spare->failed_at))
			spare = r;
	}
	if (!make || !spare)
		return NULL;
	*spare = (struct row){ .addr = *a };
	return spare;
}

enum guard_verdict guard_admit(struct guard *g, const struct addr *peer)
{
	enum guard_verdict v = GUARD_OK;
	struct row *r;

	pthread_mutex_lock(&g->lock);
	r = row_of(g, peer, true);
	if (g->half_open >= g->max)
		v = GUARD_TOO_MANY;
	else if (r && r->half_open >= g->max_per_address)
		v = GUARD_TOO_MANY_FROM_ADDRESS;
	if (v == GUARD_OK) {
		g->half_open++;
		if (r)          /* without a place for it, it counts among all only */
			r->half_open++;
	}
	pthread_mutex_unlock(&g->lock);
	return v;
}

void guard_leave(struct guard *g, const struct addr *peer)
{
	struct row *r;

	pthread_mutex_lock(&g->lock);
	if ((r = row_of(g, peer, false)) && r->half_open)
		r->half_open--;
	if (g->half_open)
		g->half_open--;
	pthread_mutex_unlock(&g->lock);
}

static uint32_t delay_of(uint32_t failures)
{
	uint32_t over = failures > FREE_FAILURES ? failures - FREE_FAILURES : 0;

	if (over == 0)
		return 0;
	return over > 5 ? GUARD_DELAY_MAX : 125u << over;
}

uint32_t guard_failed(struct guard *g, const struct addr *peer, uint64_t now_ns)
{
	uint32_t delay = GUARD_DELAY_MAX;
	struct row *r;

	pthread_mutex_lock(&g->lock);
	if ((r = row_of(g, peer, true))) {
		/* Reactors' clocks may differ by a moment. */
		if (now_ns > r->failed_at && now_ns - r->failed_at > FORGET_NS)
			r->failures = 0;
		r->failed_at = now_ns;
		delay = delay_of(++r->failures);
	}
	pthread_mutex_unlock(&g->lock);
	return delay;
}

void guard_proved(struct guard *g, const struct addr *peer)
{
	struct row *r;

	pthread_mutex_lock(&g->lock);
	if ((r = row_of(g, peer, false)))
		r->failures = 0;
	pthread_mutex_unlock(&g->lock);
}

uint32_t guard_half_open(struct guard *g)
{
	uint32_t n;

	pthread_mutex_lock(&g->lock);
	n = g->half_open;
	pthread_mutex_unlock(&g->lock);
	return n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The guard at the door (guard.h): a fixed table of addresses, the idlest one making room; and a
 * queue of those who stand there. */
#include "net/guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"

#define ROWS          4096u /* addresses that can be half-open or have failed at a time */
#define PROBES        8u    /* places that one address may stand in */
#define FREE_FAILURES 4u    /* mistyped secrets that cost nothing */
#define FORGET_NS     (60ull * 1000000000)

struct row {
	struct addr addr;
	uint32_t half_open;
	uint32_t failures;
	uint64_t failed_at;
	struct list tickets; /* of its half-open connections, the oldest first */
};

struct guard {
	pthread_mutex_t lock;
	uint32_t half_open, max, max_per_address;
	struct list waiting; /* tickets of all, the oldest first */
	uint32_t seed;       /* nobody can choose addresses that share a place */
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
	list_init(&g->waiting);
	for (unsigned i = 0; i < ROWS; i++)
		list_init(&g->rows[i].tickets);
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
		n = 8; /* a host has a whole /64 to take addresses from */
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

static bool row_waits(const struct row *r)
{
	return r->half_open || !list_empty(&r->tickets);
}

static bool row_idle(const struct row *r)
{
	return !row_waits(r) && !r->failures;
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
		if (!row_waits(r) && (!spare || r->failed_at < spare->failed_at))
			spare = r;
	}
	if (!make || !spare)
		return NULL;
	*spare = (struct row){ .addr = *a };
	list_init(&spare->tickets);
	return spare;
}

static void count_out(struct guard *g, const struct addr *peer)
{
	struct row *r = row_of(g, peer, false);

	if (r && r->half_open)
		r->half_open--;
	if (g->half_open)
		g->half_open--;
}

static struct guard_ticket *first_of_all(const struct guard *g)
{
	struct list *l = g->waiting.next;

	return l != &g->waiting ? container_of(l, struct guard_ticket, link) : NULL;
}

static struct guard_ticket *first_of(const struct row *r)
{
	struct list *l = r->tickets.next;

	return l != &r->tickets ? container_of(l, struct guard_ticket, of_address) : NULL;
}

static bool has_had_time(const struct guard_ticket *t)
{
	return clock_ns(CLOCK_MONOTONIC) >= t->since + GUARD_GRACE_NS;
}

/* The address that has the most at the door. */
static const struct row *crowd(const struct guard *g)
{
	const struct row *most = &g->rows[0];

	for (unsigned i = 1; i < ROWS; i++)
		if (g->rows[i].half_open > most->half_open)
			most = &g->rows[i];
	return most;
}

/* One of a crowd, which has no less than the newcomer's address even so; or the oldest of all, when
 * it has had time. NULL: nobody is to make way. */
static struct guard_ticket *who_makes_way(const struct guard *g, const struct row *newcomer)
{
	const struct row *most = crowd(g);
	struct guard_ticket *t = first_of(most);

	if (t && most->half_open >= (newcomer ? newcomer->half_open : 0) + 2)
		return t;
	t = first_of_all(g);
	return t && has_had_time(t) ? t : NULL;
}

static void take_out(struct guard_ticket *t)
{
	list_del(&t->link);
	list_del(&t->of_address);
}

static void call_out(struct guard *g, struct guard_ticket *t)
{
	struct guard_desk *d = t->desk;

	take_out(t);
	t->out = true;
	count_out(g, t->peer);
	list_push(&d->called, &t->link);
	if (!d->told)
		d->tell(d);
	d->told = true;
}

static enum guard_verdict judge(struct guard *g, const struct row *r)
{
	bool own = r && r->half_open >= g->max_per_address;
	struct guard_ticket *t;

	if (!own && g->half_open < g->max)
		return GUARD_OK;
	t = own ? first_of(r) : who_makes_way(g, r);
	if (own && t && !has_had_time(t))
		t = NULL;
	if (!t)
		return own ? GUARD_TOO_MANY_FROM_ADDRESS : GUARD_TOO_MANY;
	call_out(g, t);
	return GUARD_OK;
}

enum guard_verdict guard_admit(struct guard *g, const struct addr *peer)
{
	enum guard_verdict v;
	struct row *r;

	pthread_mutex_lock(&g->lock);
	r = row_of(g, peer, true);
	v = judge(g, r);
	if (v == GUARD_OK) {
		g->half_open++;
		if (r) /* without a place for it, it counts among all only */
			r->half_open++;
	}
	pthread_mutex_unlock(&g->lock);
	return v;
}

void guard_leave(struct guard *g, const struct addr *peer)
{
	pthread_mutex_lock(&g->lock);
	count_out(g, peer);
	pthread_mutex_unlock(&g->lock);
}

void guard_desk_init(struct guard_desk *d, void (*tell)(struct guard_desk *d))
{
	*d = (struct guard_desk){ .tell = tell };
	list_init(&d->called);
}

void guard_enter(struct guard *g, struct guard_ticket *t, uint64_t now_ns)
{
	struct row *r;

	t->since = now_ns;
	t->out = false;
	list_init(&t->of_address);
	pthread_mutex_lock(&g->lock);
	list_push(&g->waiting, &t->link);
	if ((r = row_of(g, t->peer, false)))
		list_push(&r->tickets, &t->of_address);
	pthread_mutex_unlock(&g->lock);
}

void guard_exit(struct guard *g, struct guard_ticket *t)
{
	pthread_mutex_lock(&g->lock);
	if (list_linked(&t->link) && !t->out)
		count_out(g, t->peer);
	take_out(t);
	pthread_mutex_unlock(&g->lock);
}

struct guard_ticket *guard_called(struct guard *g, struct guard_desk *d)
{
	struct list *l;

	pthread_mutex_lock(&g->lock);
	l = list_pop(&d->called);
	d->told = l;
	pthread_mutex_unlock(&g->lock);
	return l ? container_of(l, struct guard_ticket, link) : NULL;
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

uint32_t guard_half_open(struct guard *g)
{
	uint32_t n;

	pthread_mutex_lock(&g->lock);
	n = g->half_open;
	pthread_mutex_unlock(&g->lock);
	return n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of sessions (sessions.h): by TSIH an array, by initiator port and by target hashes. */
#include "iscsi/sessions.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TSIHS  65536u
#define CHAINS 16384u
#define LISTS  2048u /* of targets: there are fewer than sessions */

struct sessions {
	pthread_mutex_t lock;
	unsigned n; /* normal ones */
	unsigned discovery, discovery_max;
	uint16_t last; /* TSIH given last */
	uint64_t seed; /* the names come from the network */
	/* Of entries. */
	struct list discoveries; /* the oldest first */
	struct list of_target[LISTS];
	struct session_entry *by_tsih[TSIHS];
	struct session_entry *chain[CHAINS];
};

struct sessions *sessions_new(unsigned discovery_max)
{
	struct sessions *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) < 0)
		t->seed = (uintptr_t)t;
	pthread_mutex_init(&t->lock, NULL);
	list_init(&t->discoveries);
	for (unsigned i = 0; i < LISTS; i++)
		list_init(&t->of_target[i]);
	t->discovery_max = discovery_max;
	return t;
}

void sessions_free(struct sessions *t)
{
	if (!t)
		return;
	assert(t->n + t->discovery == 0);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static uint64_t mix(uint64_t h, const char *s)
{
	for (; *s; s++) {
		h = (h ^ (uint8_t)*s) * 0x100000001b3u;
		h ^= h >> 29;
	}
	return h * 0x9e3779b97f4a7c15u;
}

static struct session_entry **chain_of(struct sessions *t, const struct session_entry *e)
{
	uint64_t h = mix(mix(t->seed ^ e->isid, e->initiator), e->target);

	return &t->chain[h >> 32 & (CHAINS - 1)];
}

static struct list *list_of_target(struct sessions *t, const char *target)
{
	return &t->of_target[mix(t->seed, target) >> 32 & (LISTS - 1)];
}

/* The list that the entry is in, or is to be. */
static struct list *list_of(struct sessions *t, const struct session_entry *e)
{
	return e->target ? list_of_target(t, e->target) : &t->discoveries;
}

static bool same_port(const struct session_entry *a, const struct session_entry *b)
{
	return a->isid == b->isid && a->group == b->group &&
	       strcmp(a->initiator, b->initiator) == 0 && strcmp(a->target, b->target) == 0;
}

static unsigned count_target(struct sessions *t, const char *target)
{
	unsigned n = 0;

	list_for_each(it, list_of_target(t, target))
		n += strcmp(container_of(it, struct session_entry, beside)->target, target) == 0;
	return n;
}

static uint16_t free_tsih(struct sessions *t)
{
	do {
		t->last++;
	} while (t->last == 0 || t->by_tsih[t->last]);
	return t->last;
}

static enum sessions_result add(struct sessions *t, struct session_entry *e, uint32_t max,
	uint32_t target_max, struct session_entry **taken)
{
	struct session_entry **chain = e->target ? chain_of(t, e) : NULL;

	for (struct session_entry *o = chain ? *chain : NULL; o; o = o->next) {
		if (same_port(o, e)) {
			*taken = o;
			return SESSIONS_TAKEN;
		}
	}
	if (!e->target && t->discovery >= t->discovery_max) {
		*taken = container_of(t->discoveries.next, struct session_entry, beside);
		return SESSIONS_TAKEN;
	}
	if (e->target && t->n >= max)
		return SESSIONS_FULL;
	if (t->n + t->discovery >= TSIHS - 1)
		return SESSIONS_FULL;
	if (e->target && target_max && count_target(t, e->target) >= target_max)
		return SESSIONS_FULL;
	e->tsih = free_tsih(t);
	t->by_tsih[e->tsih] = e;
	t->n += !!e->target;
	t->discovery += !e->target;
	list_push(list_of(t, e), &e->beside);
	if (chain) {
		e->next = *chain;
		*chain = e;
	}
	return SESSIONS_OK;
}

enum sessions_result sessions_add(struct sessions *t, struct session_entry *e,
	uint32_t max_sessions, uint32_t target_max, struct reactor **reactor, uint16_t *tsih)
{
	struct session_entry *taken = NULL;
	enum sessions_result r;

	pthread_mutex_lock(&t->lock);
	r = add(t, e, max_sessions, target_max, &taken);
	if (r == SESSIONS_TAKEN) {
		*reactor = taken->reactor;
		*tsih = taken->tsih;
	}
	pthread_mutex_unlock(&t->lock);
	return r;
}

void sessions_remove(struct sessions *t, struct session_entry *e)
{
	if (!e->tsih)
		return;
	pthread_mutex_lock(&t->lock);
	t->by_tsih[e->tsih] = NULL;
	t->n -= !!e->target;
	t->discovery -= !e->target;
	list_del(&e->beside);
	if (e->target) {
		struct session_entry **p = chain_of(t, e);

		while (*p != e)
			p = &(*p)->next;
		*p = e->next;
	}
	pthread_mutex_unlock(&t->lock);
	e->tsih = 0;
}

struct session_entry *sessions_own(struct sessions *t, uint16_t tsih, const struct reactor *r)
{
	struct session_entry *e;

	pthread_mutex_lock(&t->lock);
	e = t->by_tsih[tsih];
	if (e && e->reactor != r)
		e = NULL;
	pthread_mutex_unlock(&t->lock);
	return e;
}

struct reactor *sessions_find(struct sessions *t, uint16_t tsih, const struct session_entry *like)
{
	struct reactor *r = NULL;
	struct session_entry *e;

	pthread_mutex_lock(&t->lock);
	e = t->by_tsih[tsih];
	if (e && e->target && like->target && same_port(e, like))
		r = e->reactor;
	pthread_mutex_unlock(&t->lock);
	return r;
}

unsigned sessions_of_target(struct sessions *t, const char *target)
{
	unsigned n;

	pthread_mutex_lock(&t->lock);
	n = count_target(t, target);
	pthread_mutex_unlock(&t->lock);
	return n;
}

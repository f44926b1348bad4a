/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pool of slots serves both kinds of challenge. A slot is free, outstanding, or recent; the
 * recent ones are queued by age and the oldest is taken when no slot is free. Since outstanding
 * ones are limited to fewer than there are slots, there always is one to take.
 */
#include "chap/challenge.h"

#include <pthread.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "chap/siphash.h"

/* Slots are named by their index; 0 is nobody. */
struct slot {
	struct siphash_tag tag;
	uint32_t chain; /* the next with the same hash */
	uint32_t next;  /* the next free one, or the next younger recent one */
};

struct challenge_memory {
	pthread_mutex_t lock; /* guards all that follow, save the key */
	struct siphash_key key;
	uint32_t limit; /* of outstanding ones */
	uint32_t outstanding;
	uint32_t free;           /* list */
	uint32_t oldest, newest; /* queue of recent ones */
	uint32_t mask;           /* buckets - 1 */
	uint32_t *bucket;
	struct slot *slot;
};

static uint32_t buckets_for(uint64_t slots)
{
	uint32_t n = 1;

	while (n < slots)
		n *= 2;
	return n;
}

struct challenge_memory *challenge_memory_new(uint32_t outstanding, uint32_t recent)
{
	uint64_t slots = (uint64_t)outstanding + recent;
	struct challenge_memory *m = NULL;

	if (outstanding == 0 || slots > CHALLENGE_SLOTS)
		return NULL;
	m = OPENSSL_zalloc(sizeof(*m));
	if (!m)
		return NULL;
	pthread_mutex_init(&m->lock, NULL);
	m->limit = outstanding;
	m->mask = buckets_for(slots) - 1;
	m->bucket = OPENSSL_zalloc(((size_t)m->mask + 1) * sizeof(*m->bucket));
	m->slot = OPENSSL_zalloc((slots + 1) * sizeof(*m->slot));
	if (!m->bucket || !m->slot || RAND_priv_bytes(m->key.bytes, sizeof(m->key.bytes)) != 1) {
		challenge_memory_free(m);
		return NULL;
	}
	for (uint32_t i = 1; i < slots; i++)
		m->slot[i].next = i + 1;
	m->free = 1;
	return m;
}

void challenge_memory_free(struct challenge_memory *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	OPENSSL_free(m->bucket);
	OPENSSL_free(m->slot);
	OPENSSL_clear_free(m, sizeof(*m));
}

static uint32_t *bucket_of(struct challenge_memory *m, struct siphash_tag tag)
{
	return &m->bucket[tag.w[0] & m->mask];
}

static bool known(struct challenge_memory *m, struct siphash_tag tag)
{
	for (uint32_t i = *bucket_of(m, tag); i; i = m->slot[i].chain) {
		if (siphash_equal(m->slot[i].tag, tag))
			return true;
	}
	return false;
}

static void forget(struct challenge_memory *m, uint32_t slot)
{
	uint32_t *link = bucket_of(m, m->slot[slot].tag);

	while (*link != slot)
		link = &m->slot[*link].chain;
	*link = m->slot[slot].chain;
}

/* A slot to use; the memory is below its limit, so there is one. */
static uint32_t take_slot(struct challenge_memory *m)
{
	uint32_t slot = m->free;

	if (slot) {
		m->free = m->slot[slot].next;
		return slot;
	}
	slot = m->oldest;
	m->oldest = m->slot[slot].next;
	forget(m, slot);
	return slot;
}

static enum challenge_result remember(
	struct challenge_memory *m, struct siphash_tag tag, uint32_t *slot)
{
	if (m->outstanding == m->limit)
		return CHALLENGE_FULL;
	if (known(m, tag))
		return CHALLENGE_NO_RANDOM;
	*slot = take_slot(m);
	m->slot[*slot] = (struct slot){ .tag = tag, .chain = *bucket_of(m, tag) };
	*bucket_of(m, tag) = *slot;
	m->outstanding++;
	return CHALLENGE_OK;
}

enum challenge_result challenge_issue(
	struct challenge_memory *m, enum chap_alg alg, struct challenge *out)
{
	size_t size = chap_alg_size(alg);
	uint8_t len = (uint8_t)(size > CHALLENGE_MIN ? size : CHALLENGE_MIN);
	uint8_t random[1 + CHALLENGE_MAX];
	enum challenge_result result;
	uint32_t slot = 0;

	memset(out, 0, sizeof(*out));
	if (RAND_bytes(random, 1 + len) != 1)
		return CHALLENGE_NO_RANDOM;
	pthread_mutex_lock(&m->lock);
	result = remember(m, siphash(&m->key, random + 1, len), &slot);
	pthread_mutex_unlock(&m->lock);
	if (result != CHALLENGE_OK)
		return result;
	*out = (struct challenge){ .slot = slot, .id = random[0], .len = len };
	memcpy(out->bytes, random + 1, len);
	return CHALLENGE_OK;
}

void challenge_end(struct challenge_memory *m, struct challenge *c)
{
	if (!c->slot)
		return;
	pthread_mutex_lock(&m->lock);
	m->slot[c->slot].next = 0;
	if (m->oldest)
		m->slot[m->newest].next = c->slot;
	else
		m->oldest = c->slot;
	m->newest = c->slot;
	m->outstanding--;
	pthread_mutex_unlock(&m->lock);
	OPENSSL_cleanse(c, sizeof(*c));
}

bool challenge_was_ours(struct challenge_memory *m, const uint8_t *bytes, size_t len)
{
	struct siphash_tag tag = siphash(&m->key, bytes, len);
	bool ours;

	pthread_mutex_lock(&m->lock);
	ours = known(m, tag);
	pthread_mutex_unlock(&m->lock);
	return ours;
}

uint32_t challenge_outstanding(struct challenge_memory *m)
{
	uint32_t n;

	pthread_mutex_lock(&m->lock);
	n = m->outstanding;
	pthread_mutex_unlock(&m->lock);
	return n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Shards are searched from end to end: with 100,000 entries they hold some 25 tags each, which lie
 * side by side. */
#include "chap/map.h"

#include <assert.h>

#include <openssl/crypto.h>

static size_t shard_index(struct siphash_tag tag)
{
	return tag.w[1] % MAP_SHARDS;
}

static void shard_unref(struct map_shard *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (uint32_t i = 0; i < s->count; i++)
		credential_unref(s->entry[i].row);
	OPENSSL_free(s);
}

/* A shard of its own with what s holds, which may be NULL, and room for `room` entries. */
static struct map_shard *shard_copy(const struct map_shard *s, uint32_t room)
{
	struct map_shard *copy = OPENSSL_malloc(sizeof(*copy) + room * sizeof(copy->entry[0]));

	if (!copy)
		return NULL;
	atomic_init(&copy->refs, 1);
	copy->room = room;
	copy->count = s ? s->count : 0;
	for (uint32_t i = 0; i < copy->count; i++) {
		copy->entry[i] = s->entry[i];
		credential_ref(copy->entry[i].row);
	}
	return copy;
}

static bool shard_ready(const struct map_shard *s, uint32_t extra)
{
	return s && atomic_load_explicit(&s->refs, memory_order_acquire) == 1 &&
	       s->room - s->count >= extra;
}

static struct map_entry *shard_find(struct map_shard *s, struct siphash_tag tag)
{
	for (uint32_t i = 0; s && i < s->count; i++) {
		if (siphash_equal(s->entry[i].tag, tag))
			return &s->entry[i];
	}
	return NULL;
}

void map_share(struct map *to, const struct map *from)
{
	for (size_t i = 0; i < MAP_SHARDS; i++) {
		to->shard[i] = from->shard[i];
		if (to->shard[i])
			atomic_fetch_add_explicit(&to->shard[i]->refs, 1, memory_order_relaxed);
	}
}

void map_clear(struct map *m)
{
	for (size_t i = 0; i < MAP_SHARDS; i++) {
		shard_unref(m->shard[i]);
		m->shard[i] = NULL;
	}
}

const struct map_entry *map_find(const struct map *m, struct siphash_tag tag)
{
	return shard_find(m->shard[shard_index(tag)], tag);
}

bool map_reserve(struct map *m, struct siphash_tag tag, uint32_t extra)
{
	struct map_shard **s = &m->shard[shard_index(tag)];
	uint32_t count = *s ? (*s)->count : 0;
	struct map_shard *own;

	if (shard_ready(*s, extra))
		return true;
	own = shard_copy(*s, count + count / 2 + extra);
	if (!own)
		return false;
	shard_unref(*s);
	*s = own;
	return true;
}

struct map_entry *map_put(struct map *m, struct siphash_tag tag)
{
	struct map_shard *s = m->shard[shard_index(tag)];
	struct map_entry *e = shard_find(s, tag);

	if (e)
		return e;
	assert(shard_ready(s, 1));
	e = &s->entry[s->count++];
	*e = (struct map_entry){ .tag = tag };
	return e;
}

void map_remove(struct map *m, struct siphash_tag tag)
{
	struct map_shard *s = m->shard[shard_index(tag)];
	struct map_entry *e = shard_find(s, tag);

	assert(e && shard_ready(s, 0));
	credential_unref(e->row);
	*e = s->entry[--s->count];
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash map beneath the credential table; internal to chap/.
 *
 * It is cut into shards that several maps may share. To write, a map first makes the one shard in
 * question its own (map_reserve, which may fail); the writing itself then cannot fail. So a map
 * with one change costs a copy of the list of shards and of one shard, however large it is.
 *
 * Keys are SipHash tags. An entry holds a row, or a pair of counts, or both.
 */
#ifndef CHAP_MAP_H
#define CHAP_MAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chap/credential.h"
#include "chap/siphash.h"

#define MAP_SHARDS 4096

struct map_entry {
	struct siphash_tag tag;
	const struct credential *row; /* referenced by the entry; NULL: none */
	uint32_t in, out;
};

struct map_shard {
	atomic_uint refs;
	uint32_t count, room;
	struct map_entry entry[];
};

/* All zero is an empty map. */
struct map {
	struct map_shard *shard[MAP_SHARDS]; /* NULL: empty */
};

/* *to, which was empty, becomes the same as *from; neither sees later changes of the other. */
void map_share(struct map *to, const struct map *from);

/* Lets go of everything; *m is empty afterwards. */
void map_clear(struct map *m);

/* NULL if there is none. Valid until the map is written or cleared. */
const struct map_entry *map_find(const struct map *m, struct siphash_tag tag);

/* Readies the place of this tag for writing, with room for `extra` more entries. False, and nothing
 * has changed, when memory is short. */
bool map_reserve(struct map *m, struct siphash_tag tag, uint32_t extra);

/* The entry of this tag, a new one if need be. The place must have been reserved. */
struct map_entry *map_put(struct map *m, struct siphash_tag tag);

/* Removes the entry of this tag, which exists; lets go of its row. The place must have been
 * reserved. */
void map_remove(struct map *m, struct siphash_tag tag);

#endif

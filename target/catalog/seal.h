/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets at rest: AES-256-GCM under a key of the server, bound to the place in the database
 * where the value stands, so that it means nothing anywhere else.
 *
 *   byte 0      1: this format
 *   1 … 8       fingerprint of the key
 *   9 … 20      nonce, random
 *   21 …        the value, encrypted, and 16 bytes of tag
 *
 * One thread at a time for a ring.
 */
#ifndef CATALOG_SEAL_H
#define CATALOG_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_KEY_SIZE 32
#define SEAL_ID_SIZE  8
#define SEAL_OVERHEAD (1 + SEAL_ID_SIZE + 12 + 16) /* bytes that a sealed value is longer */

struct seal_key {
	uint8_t id[SEAL_ID_SIZE]; /* from SHA-256 of the key: tells keys apart, and nothing more */
	uint8_t bytes[SEAL_KEY_SIZE];
};

/* Fills *k from 32 bytes. 0 or -EIO. */
int seal_key_set(struct seal_key *k, const uint8_t bytes[static SEAL_KEY_SIZE]);
/* A new random one. 0 or -EIO. */
int seal_key_generate(struct seal_key *k);

/* The keys that there are: the first is the one to use, the others are for reading. */
#define SEAL_KEYS 2
struct seal_ring {
	struct seal_key keys[SEAL_KEYS];
	size_t n;
};

/* The key with this fingerprint, or NULL. */
const struct seal_key *seal_ring_find(
	const struct seal_ring *ring, const uint8_t id[static SEAL_ID_SIZE]);
/* Overwrites all keys. */
void seal_ring_wipe(struct seal_ring *ring);

/* Where a value stands. */
struct seal_place {
	const char *table;
	const char *row[3]; /* the parts of the row's key */
	const char *column;
};

/* Seals len bytes into `out`, which has room for SEAL_OVERHEAD more. 0, or -EIO when OpenSSL or its
 * generator fails. */
int seal(const struct seal_key *key, const struct seal_place *place, const void *plain, size_t len,
	uint8_t *out);

/* Opens what seal() made into `plain`, which has room for len - SEAL_OVERHEAD bytes. 0 and
 * *plain_len; -EBADMSG when it was altered, or belongs elsewhere; -ENOKEY when its key is not in
 * the ring. Nothing is left in `plain` then. */
int unseal(const struct seal_ring *ring, const struct seal_place *place, const void *sealed,
	size_t len, uint8_t *plain, size_t *plain_len);

#endif

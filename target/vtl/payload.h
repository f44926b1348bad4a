/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a block's bytes become on their way into the log, and back: compressed (zstd) where that
 * helps, then encrypted (AES-256-GCM) where there is a key. The number, length and compression of a
 * block are authenticated with it, so that no block passes for another.
 */
#ifndef VTL_PAYLOAD_H
#define VTL_PAYLOAD_H

#include "vtl/format.h"
#include "vtl/slices.h"

/* Contexts and buffers, made when they are first needed. One thread at a time. */
struct payload;

struct payload *payload_new(void); /* NULL: out of memory */
void payload_free(struct payload *p); /* NULL is fine; keys and plaintext are wiped */

/* The next len bytes of a list in one piece, taken from it: borrowed from it or valid until the
 * next call. NULL: the list is shorter, or out of memory. */
const uint8_t *payload_gather(struct payload *p, struct slices *data, size_t len);

/*
 * Encodes a block: fills rec's length, stored, compression and encryption, and gives what is to be
 * stored; rec->object is set, and `data` has len bytes. What is given is valid until the next call.
 * NULL when there is neither memory nor randomness.
 */
const uint8_t *payload_encode(struct payload *p, const uint8_t *data, size_t len, bool compress,
	const struct cartridge_key *key, struct record *rec);

/* Room for so many bytes, borrowed until the next call of any function; NULL: out of memory. */
uint8_t *payload_room(struct payload *p, size_t len);

/* The key-associated data of an encrypted block from the SEAL_MAX (or rec->stored, if that is less)
 * bytes at its beginning; no more than that is looked at. False when they make no sense. */
bool payload_describe(const struct record *rec, const uint8_t *stored,
	struct cartridge_block *block);

/*
 * Decodes what payload_encode() made, of which `stored` has rec->stored bytes and is overwritten;
 * it may be payload_room(). The first size bytes of the block go to buf. OK, NO_KEY, WRONG_KEY,
 * CORRUPT, NO_MEMORY; only with OK anything that matters is in buf.
 */
enum cartridge_result payload_decode(struct payload *p, const struct record *rec, uint8_t *stored,
	const struct cartridge_key *key, void *buf, size_t size);

#endif

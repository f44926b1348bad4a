/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-2-4 with a 128-bit result (Aumasson and Bernstein): a short keyed hash.
 *
 * With a random key nobody outside can make two inputs collide, be it to slow down a lookup or to
 * pass for something else; inside chap/ equal tags therefore stand for equal inputs. OpenSSL has
 * SipHash as well, but through an EVP_MAC context that costs more than what it computes here.
 */
#ifndef CHAP_SIPHASH_H
#define CHAP_SIPHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint8_t bytes[16];
};

struct siphash_tag {
	uint64_t w[2];
};

/* len bytes at data; NULL is fine where len is 0. */
struct siphash_tag siphash(const struct siphash_key *key, const void *data, size_t len);

static inline bool siphash_equal(struct siphash_tag a, struct siphash_tag b)
{
	return a.w[0] == b.w[0] && a.w[1] == b.w[1];
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The digest algorithms of CHAP, by their IANA numbers, and the response that they give.
 *
 * 5 MD5, 6 SHA1, 7 SHA-256 and 8 SHA3-256 are the whole list here: the registry "PPP
 * Authentication Algorithms". Implementations of OpenSSL are fetched once, when a
 * struct chap_digests is made, because a fetch costs more than the digest itself.
 */
#ifndef CHAP_DIGEST_H
#define CHAP_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chap/secret.h"

enum chap_alg {
	CHAP_ALG_NONE = 0, /* not a wire value */
	CHAP_MD5 = 5,
	CHAP_SHA1 = 6,
	CHAP_SHA256 = 7,
	CHAP_SHA3_256 = 8,
};

#define CHAP_ALG_COUNT  4
#define CHAP_DIGEST_MAX 32 /* bytes of the longest digest */

/* "MD5", "SHA1", "SHA-256", "SHA3-256"; NULL for any other number. */
const char *chap_alg_name(unsigned alg);

/* Bytes of the digest: 16, 20, 32, 32; 0 for any other number. */
size_t chap_alg_size(unsigned alg);

/* A set of algorithms: bit (1 << number). Numbers that we do not know are never members. */
typedef uint32_t chap_alg_set;

/* The set of alg alone; empty for a number that we do not know. */
chap_alg_set chap_alg_bit(unsigned alg);

/* Which algorithms may be used, the preferred one first. All zero allows none. */
struct chap_prefs {
	uint8_t count;
	uint8_t alg[CHAP_ALG_COUNT];
};

/* The strongest first: 8, 7, 6, 5. */
extern const struct chap_prefs chap_prefs_default;

/* Puts alg last. False if it is unknown or already there, and *p is then as it was. */
bool chap_prefs_add(struct chap_prefs *p, unsigned alg);

/* The first of *p that is in the set, whatever the order of the peer's list; CHAP_ALG_NONE if
 * there is none. A choice by policy and not by the peer's order is deliberate: it is the target
 * that would suffer from a downgrade. */
enum chap_alg chap_prefs_pick(const struct chap_prefs *p, chap_alg_set set);

/* The algorithms as OpenSSL gives them. Immutable once made, so any number of threads may share
 * one without a lock. */
struct chap_digests;

/* NULL only when memory is short. An algorithm that OpenSSL refuses (MD5 and often SHA1 under a
 * FIPS policy) is left out, which is no error: see chap_digests_usable(). Caller frees. */
struct chap_digests *chap_digests_new(void);

/* NULL is fine. No thread may be using it. */
void chap_digests_free(struct chap_digests *d);

/* The algorithms that work in this process. */
chap_alg_set chap_digests_usable(const struct chap_digests *d);

/*
 * H(id || secret || challenge), the response of RFC 1994 4.1. challenge is len bytes; the result is
 * chap_alg_size(alg) bytes at out. False if alg is not usable, the secret is absent, or OpenSSL
 * fails; out is then all zero. The caller wipes out if the secret's holder is not yet proved.
 */
bool chap_digest(const struct chap_digests *d, enum chap_alg alg, uint8_t id,
	struct secret_view secret, const uint8_t *challenge, size_t len,
	uint8_t out[static CHAP_DIGEST_MAX]);

#endif

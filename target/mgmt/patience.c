/* SPDX-License-Identifier: BSD-2-Clause */
/* Two tables of keyed hashes (patience.h): addresses, and addresses with a proof. */
#include "mgmt/patience.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>

#define PLACES 4096u /* of each table */

struct impatient {
	uint64_t tag;
	uint64_t since; /* 0: nobody */
};

struct patience {
	uint8_t key[32];
	struct impatient impatient[PLACES];
	uint64_t proved[PLACES]; /* 0: none */
};

struct patience *patience_new(void)
{
	struct patience *p = OPENSSL_zalloc(sizeof(*p));

	if (p && RAND_priv_bytes(p->key, sizeof(p->key)) == 1)
		return p;
	patience_free(p);
	return NULL;
}

void patience_free(struct patience *p)
{
	OPENSSL_clear_free(p, sizeof(*p));
}

/* The bytes by which an address is one host: of IPv6 the /64, which a host has to itself. */
static size_t host_of(const struct addr *a, uint8_t out[static 8])
{
	switch (a->sa.sa_family) {
	case AF_INET: memcpy(out, &a->in.sin_addr, 4); return 4;
	case AF_INET6: memcpy(out, &a->in6.sin6_addr, 8); return 8;
	default: return 0;
	}
}

/* Never 0. An outage of the digest makes all the same. */
static uint64_t tag_of(const struct patience *p, const struct addr *peer, const char *proof)
{
	uint8_t digest[32] = { 0 }, host[8];
	size_t len = host_of(peer, host);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint64_t tag;

	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		EVP_DigestUpdate(ctx, p->key, sizeof(p->key)) == 1 &&
		EVP_DigestUpdate(ctx, &len, sizeof(len)) == 1 &&
		EVP_DigestUpdate(ctx, host, len) == 1 &&
		EVP_DigestUpdate(ctx, proof, strlen(proof)) == 1)
		EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	memcpy(&tag, digest, sizeof(tag));
	return tag ? tag : 1;
}

void patience_hung_up(struct patience *p, const struct addr *peer, uint64_t now_ns)
{
	uint64_t tag = tag_of(p, peer, "");

	p->impatient[tag % PLACES] = (struct impatient){ tag, now_ns };
}

void patience_proved(struct patience *p, const struct addr *peer, const char *proof)
{
	uint64_t tag = tag_of(p, peer, proof);

	p->proved[tag % PLACES] = tag;
}

static bool is_impatient(const struct patience *p, const struct addr *peer, uint64_t now_ns)
{
	uint64_t tag = tag_of(p, peer, "");
	const struct impatient *i = &p->impatient[tag % PLACES];

	return i->tag == tag && i->since && now_ns - i->since < PATIENCE_FORGET_NS;
}

uint32_t patience_wait(
	struct patience *p, const struct addr *peer, const char *proof, uint64_t now_ns)
{
	uint64_t tag;

	if (!is_impatient(p, peer, now_ns))
		return 0;
	tag = tag_of(p, peer, proof);
	return p->proved[tag % PLACES] == tag ? 0 : PATIENCE_WAIT_MS;
}

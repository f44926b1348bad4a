/* SPDX-License-Identifier: BSD-2-Clause */
/* The digests of CHAP: one table of algorithms, and one computation for all of them. */
#include "chap/digest.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

static const struct alg_info {
	uint8_t alg;
	uint8_t size;
	const char *name;
	const char *openssl;
} algs[CHAP_ALG_COUNT] = {
	{ CHAP_MD5, 16, "MD5", "MD5" },
	{ CHAP_SHA1, 20, "SHA1", "SHA1" },
	{ CHAP_SHA256, 32, "SHA-256", "SHA256" },
	{ CHAP_SHA3_256, 32, "SHA3-256", "SHA3-256" },
};

struct chap_digests {
	EVP_MD *md[CHAP_ALG_COUNT]; /* beside algs[]; NULL where OpenSSL refuses it */
};

const struct chap_prefs chap_prefs_default = {
	.count = 4,
	.alg = { CHAP_SHA3_256, CHAP_SHA256, CHAP_SHA1, CHAP_MD5 },
};

static const struct alg_info *find(unsigned alg)
{
	for (size_t i = 0; i < CHAP_ALG_COUNT; i++) {
		if (algs[i].alg == alg)
			return &algs[i];
	}
	return NULL;
}

const char *chap_alg_name(unsigned alg)
{
	const struct alg_info *info = find(alg);

	return info ? info->name : NULL;
}

size_t chap_alg_size(unsigned alg)
{
	const struct alg_info *info = find(alg);

	return info ? info->size : 0;
}

chap_alg_set chap_alg_bit(unsigned alg)
{
	return find(alg) ? (chap_alg_set)1 << alg : 0;
}

bool chap_prefs_add(struct chap_prefs *p, unsigned alg)
{
	if (!find(alg) || memchr(p->alg, (int)alg, p->count))
		return false;
	p->alg[p->count++] = (uint8_t)alg;
	return true;
}

enum chap_alg chap_prefs_pick(const struct chap_prefs *p, chap_alg_set set)
{
	for (size_t i = 0; i < p->count; i++) {
		if (chap_alg_bit(p->alg[i]) & set)
			return p->alg[i];
	}
	return CHAP_ALG_NONE;
}

struct chap_digests *chap_digests_new(void)
{
	struct chap_digests *d = OPENSSL_zalloc(sizeof(*d));

	ERR_set_mark();
	for (size_t i = 0; d && i < CHAP_ALG_COUNT; i++)
		d->md[i] = EVP_MD_fetch(NULL, algs[i].openssl, NULL);
	ERR_pop_to_mark(); /* a refusal is expected, and none of the next TLS call's business */
	return d;
}

void chap_digests_free(struct chap_digests *d)
{
	for (size_t i = 0; d && i < CHAP_ALG_COUNT; i++)
		EVP_MD_free(d->md[i]);
	OPENSSL_free(d);
}

static const EVP_MD *fetched(const struct chap_digests *d, unsigned alg)
{
	const struct alg_info *info = find(alg);

	return info ? d->md[info - algs] : NULL;
}

chap_alg_set chap_digests_usable(const struct chap_digests *d)
{
	chap_alg_set set = 0;

	for (size_t i = 0; i < CHAP_ALG_COUNT; i++) {
		if (d->md[i])
			set |= chap_alg_bit(algs[i].alg);
	}
	return set;
}

bool chap_digest(const struct chap_digests *d, enum chap_alg alg, uint8_t id,
	struct secret_view secret, const uint8_t *challenge, size_t len,
	uint8_t out[static CHAP_DIGEST_MAX])
{
	const EVP_MD *md = fetched(d, alg);
	EVP_MD_CTX *ctx = md && secret.bytes ? EVP_MD_CTX_new() : NULL;
	bool ok = ctx && EVP_DigestInit_ex2(ctx, md, NULL) && EVP_DigestUpdate(ctx, &id, 1) &&
		  EVP_DigestUpdate(ctx, secret.bytes, secret.len) &&
		  EVP_DigestUpdate(ctx, challenge, len) && EVP_DigestFinal_ex(ctx, out, NULL);

	EVP_MD_CTX_free(ctx); /* wipes the state, which has seen the secret */
	if (!ok)
		OPENSSL_cleanse(out, CHAP_DIGEST_MAX);
	return ok;
}

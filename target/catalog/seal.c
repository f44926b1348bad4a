/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sealing. Nonces are 96 random bits: a key serves for 2^32 values (NIST SP 800-38D, 8.3), which
 * no catalog will see.
 */
#include "catalog/seal.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/bytes.h"

#define FORMAT      1
#define NONCE_SIZE  12
#define TAG_SIZE    16
#define HEADER_SIZE (1 + SEAL_ID_SIZE + NONCE_SIZE)
#define ENCRYPT     1
#define DECRYPT     0

int seal_key_set(struct seal_key *k, const uint8_t bytes[static SEAL_KEY_SIZE])
{
	static const char purpose[] = "countersign catalog key";
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, purpose, sizeof(purpose)) == 1 &&
		  EVP_DigestUpdate(ctx, bytes, SEAL_KEY_SIZE) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -EIO;
	memcpy(k->id, digest, SEAL_ID_SIZE);
	memcpy(k->bytes, bytes, SEAL_KEY_SIZE);
	return 0;
}

int seal_key_generate(struct seal_key *k)
{
	uint8_t bytes[SEAL_KEY_SIZE];
	int err = RAND_priv_bytes(bytes, sizeof(bytes)) == 1 ? seal_key_set(k, bytes) : -EIO;

	OPENSSL_cleanse(bytes, sizeof(bytes));
	return err;
}

const struct seal_key *seal_ring_find(
	const struct seal_ring *ring, const uint8_t id[static SEAL_ID_SIZE])
{
	for (size_t i = 0; i < ring->n; i++)
		if (!memcmp(ring->keys[i].id, id, SEAL_ID_SIZE))
			return &ring->keys[i];
	return NULL;
}

void seal_ring_wipe(struct seal_ring *ring)
{
	OPENSSL_cleanse(ring, sizeof(*ring));
}

/* One part of the additional data, with its length, so that no two places give the same bytes. */
static bool authenticate(EVP_CIPHER_CTX *ctx, const void *part, size_t len)
{
	uint8_t size[4];
	int n;

	put_be32(size, (uint32_t)len);
	return EVP_CipherUpdate(ctx, NULL, &n, size, sizeof(size)) == 1 &&
	       (!len || EVP_CipherUpdate(ctx, NULL, &n, part, (int)len) == 1);
}

/* Sets up the cipher for one value: key, nonce, and all that is authenticated beside it. */
static EVP_CIPHER_CTX *begin(const struct seal_key *key, const struct seal_place *place,
	const uint8_t header[static HEADER_SIZE], int direction)
{
	const uint8_t *nonce = header + 1 + SEAL_ID_SIZE;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx &&
		  EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, nonce, direction) ==
			  1 &&
		  authenticate(ctx, header, HEADER_SIZE) &&
		  authenticate(ctx, place->table, strlen(place->table)) &&
		  authenticate(ctx, place->column, strlen(place->column));

	for (size_t i = 0; ok && i < sizeof(place->row) / sizeof(place->row[0]); i++)
		ok = authenticate(ctx, place->row[i], strlen(place->row[i]));
	if (ok)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

int seal(const struct seal_key *key, const struct seal_place *place, const void *plain, size_t len,
	uint8_t *out)
{
	EVP_CIPHER_CTX *ctx;
	int n = 0;
	bool ok;

	out[0] = FORMAT;
	memcpy(out + 1, key->id, SEAL_ID_SIZE);
	if (len > INT_MAX || RAND_bytes(out + 1 + SEAL_ID_SIZE, NONCE_SIZE) != 1)
		return -EIO;
	ctx = begin(key, place, out, ENCRYPT);
	ok = ctx && EVP_CipherUpdate(ctx, out + HEADER_SIZE, &n, plain, (int)len) == 1 &&
	     EVP_CipherFinal_ex(ctx, out + HEADER_SIZE + n, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, out + HEADER_SIZE + len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -EIO;
}

static int decrypt(const struct seal_key *key, const struct seal_place *place,
	const uint8_t *sealed, size_t len, uint8_t *plain)
{
	EVP_CIPHER_CTX *ctx = begin(key, place, sealed, DECRYPT);
	uint8_t tag[TAG_SIZE], end[TAG_SIZE];
	int n = 0;
	bool ok;

	if (!ctx)
		return -EIO;
	memcpy(tag, sealed + HEADER_SIZE + len, TAG_SIZE);
	ok = EVP_CipherUpdate(ctx, plain, &n, sealed + HEADER_SIZE, (int)len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
	     EVP_CipherFinal_ex(ctx, end, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		OPENSSL_cleanse(plain, len);
	return ok ? 0 : -EBADMSG;
}

int unseal(const struct seal_ring *ring, const struct seal_place *place, const void *sealed,
	size_t len, uint8_t *plain, size_t *plain_len)
{
	const uint8_t *bytes = sealed;
	const struct seal_key *key;
	int err;

	if (len < SEAL_OVERHEAD || len > INT_MAX || bytes[0] != FORMAT)
		return -EBADMSG;
	key = seal_ring_find(ring, bytes + 1);
	if (!key)
		return -ENOKEY;
	err = decrypt(key, place, bytes, len - SEAL_OVERHEAD, plain);
	if (!err)
		*plain_len = len - SEAL_OVERHEAD;
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compressing and encrypting. An encrypted block begins with its seal:
 *
 *   0   12  nonce
 *   12  16  tag
 *   28   1  length a of the authenticated key-associated data
 *   29   1  length u of the unauthenticated
 *   30   2  zero
 *   32   a  authenticated key-associated data
 *        u  unauthenticated
 *
 * Nonces are 96 random bits: a key serves for 2^32 blocks (NIST SP 800-38D, 8.3), which is a
 * thousand terabytes in blocks of 256 KiB.
 */
#include "vtl/payload.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/bytes.h"

#define LEVEL      1
#define NONCE_SIZE 12
#define TAG_SIZE   16
#define ENCRYPT    1
#define DECRYPT    0

struct room {
	uint8_t *bytes;
	size_t size;
};

struct payload {
	ZSTD_CCtx *zc;
	ZSTD_DCtx *zd;
	EVP_CIPHER_CTX *cipher;
	struct room stored; /* what is in the log */
	struct room plain;  /* a block, where the caller's memory will not do */
	struct room whole;  /* one that came in pieces */
};

struct payload *payload_new(void)
{
	return calloc(1, sizeof(struct payload));
}

static void room_free(struct room *r)
{
	if (r->bytes)
		OPENSSL_cleanse(r->bytes, r->size);
	free(r->bytes);
	*r = (struct room){ NULL, 0 };
}

void payload_free(struct payload *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->zc);
	ZSTD_freeDCtx(p->zd);
	EVP_CIPHER_CTX_free(p->cipher);
	room_free(&p->stored);
	room_free(&p->plain);
	room_free(&p->whole);
	free(p);
}

/* Grows it; what was in it is lost. */
static uint8_t *room(struct room *r, size_t len)
{
	if (r->size < len) {
		room_free(r);
		r->bytes = malloc(len);
		r->size = r->bytes ? len : 0;
	}
	return r->bytes;
}

uint8_t *payload_room(struct payload *p, size_t len)
{
	return room(&p->stored, len);
}

const uint8_t *payload_gather(struct payload *p, struct slices *data, size_t len)
{
	uint8_t *out = NULL;
	size_t have = 0;

	while (have < len && data->cnt) {
		struct iovec piece = slices_take(data, len - have);

		if (piece.iov_len == len)
			return piece.iov_base;
		if (!out)
			out = room(&p->whole, len);
		if (!out)
			return NULL;
		if (piece.iov_len)
			memcpy(out + have, piece.iov_base, piece.iov_len);
		have += piece.iov_len;
	}
	return have == len ? out : NULL;
}

/* Compresses into out, which has room for less than len bytes: 0 when it does not fit or fails. */
static size_t compressed(struct payload *p, const uint8_t *data, size_t len, uint8_t *out)
{
	if (!p->zc)
		p->zc = ZSTD_createCCtx();
	if (!p->zc || len < 2)
		return 0;
	size_t n = ZSTD_compressCCtx(p->zc, out, len - 1, data, len, LEVEL);
	return ZSTD_isError(n) ? 0 : n;
}

/* What is authenticated beside the data. */
static bool authenticate(EVP_CIPHER_CTX *ctx, const struct record *rec, const uint8_t *akad,
	size_t akad_len)
{
	uint8_t bound[16] = { 0 };
	int n;

	put_le64(bound, rec->object);
	put_le32(bound + 8, rec->length);
	bound[12] = (uint8_t)rec->compression;
	bound[13] = rec->protected;
	bound[14] = (uint8_t)akad_len;
	return EVP_CipherUpdate(ctx, NULL, &n, bound, sizeof(bound)) == 1 &&
	       (!akad_len || EVP_CipherUpdate(ctx, NULL, &n, akad, (int)akad_len) == 1);
}

/* Sets up the cipher for a seal: key, nonce, and what is authenticated. */
static EVP_CIPHER_CTX *cipher(struct payload *p, const struct cartridge_key *key,
	const struct record *rec, const uint8_t *seal, int direction)
{
	if (!p->cipher)
		p->cipher = EVP_CIPHER_CTX_new();
	bool ok = p->cipher &&
		EVP_CipherInit_ex(p->cipher, EVP_aes_256_gcm(), NULL, key->key, seal,
			direction) == 1 &&
		authenticate(p->cipher, rec, seal + SEAL_BYTES, seal[28]);
	return ok ? p->cipher : NULL;
}

static size_t seal_size(const uint8_t *seal)
{
	return SEAL_BYTES + (size_t)seal[28] + seal[29];
}

/* The key does not stay in the context between blocks. */
static void end_cipher(EVP_CIPHER_CTX *ctx)
{
	if (ctx)
		EVP_CIPHER_CTX_reset(ctx);
}

static bool encrypted(struct payload *p, const struct cartridge_key *key, const struct record *rec,
	uint8_t *seal, const uint8_t *data, size_t len)
{
	int n = 0;

	memset(seal, 0, SEAL_BYTES);
	if (key->akad_len > CARTRIDGE_KAD_MAX || key->ukad_len > CARTRIDGE_KAD_MAX ||
		RAND_bytes(seal, NONCE_SIZE) != 1)
		return false;
	seal[28] = key->akad_len;
	seal[29] = key->ukad_len;
	memcpy(seal + SEAL_BYTES, key->akad, key->akad_len);
	memcpy(seal + SEAL_BYTES + key->akad_len, key->ukad, key->ukad_len);
	uint8_t *out = seal + seal_size(seal);
	EVP_CIPHER_CTX *ctx = cipher(p, key, rec, seal, ENCRYPT);
	bool ok = ctx && EVP_CipherUpdate(ctx, out, &n, data, (int)len) == 1 &&
		EVP_CipherFinal_ex(ctx, out + n, &n) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, seal + NONCE_SIZE) == 1;
	end_cipher(p->cipher);
	return ok;
}

const uint8_t *payload_encode(struct payload *p, const uint8_t *data, size_t len, bool compress,
	const struct cartridge_key *key, struct record *rec)
{
	size_t n = 0;

	rec->length = rec->stored = (uint32_t)len;
	rec->compression = RECORD_PLAIN;
	rec->encryption = key ? RECORD_AES_256_GCM : RECORD_CLEAR;
	if (compress) {
		uint8_t *out = room(key ? &p->plain : &p->stored, len);
		n = out ? compressed(p, data, len, out) : 0;
		if (n) {
			rec->compression = RECORD_ZSTD;
			rec->stored = (uint32_t)n;
			data = out;
		}
	}
	if (!key)
		return data;
	uint8_t *seal = room(&p->stored, len + SEAL_MAX);
	if (!seal || !encrypted(p, key, rec, seal, data, rec->stored))
		return NULL;
	rec->stored += (uint32_t)seal_size(seal);
	return seal;
}

bool payload_describe(const struct record *rec, const uint8_t *stored,
	struct cartridge_block *block)
{
	*block = (struct cartridge_block){
		.length = rec->length, .stored = rec->stored,
		.compressed = rec->compression != RECORD_PLAIN,
		.encrypted = rec->encryption != RECORD_CLEAR,
		.protected = rec->protected,
	};
	if (!block->encrypted)
		return true;
	if (rec->stored < SEAL_BYTES || stored[28] > CARTRIDGE_KAD_MAX ||
		stored[29] > CARTRIDGE_KAD_MAX || rec->stored < seal_size(stored))
		return false;
	block->akad_len = stored[28];
	block->ukad_len = stored[29];
	memcpy(block->akad, stored + SEAL_BYTES, block->akad_len);
	memcpy(block->ukad, stored + SEAL_BYTES + block->akad_len, block->ukad_len);
	return true;
}

/* In place. */
static enum cartridge_result decrypt(struct payload *p, const struct cartridge_key *key,
	const struct record *rec, uint8_t *seal, uint8_t *data, size_t len)
{
	uint8_t end[TAG_SIZE];
	int n = 0;

	if (!key)
		return CARTRIDGE_NO_KEY;
	EVP_CIPHER_CTX *ctx = cipher(p, key, rec, seal, DECRYPT);
	bool ok = ctx && EVP_CipherUpdate(ctx, data, &n, data, (int)len) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, seal + NONCE_SIZE) == 1 &&
		EVP_CipherFinal_ex(ctx, end, &n) == 1;
	end_cipher(p->cipher);
	if (!ctx)
		return CARTRIDGE_NO_MEMORY;
	if (!ok)
		OPENSSL_cleanse(data, len);
	return ok ? CARTRIDGE_OK : CARTRIDGE_WRONG_KEY;
}

static enum cartridge_result decompress(struct payload *p, const struct record *rec,
	const uint8_t *data, size_t len, void *buf, size_t size)
{
	uint8_t *out = size < rec->length ? room(&p->plain, rec->length) : buf;

	if (!p->zd)
		p->zd = ZSTD_createDCtx();
	if (!p->zd || !out)
		return CARTRIDGE_NO_MEMORY;
	if (ZSTD_decompressDCtx(p->zd, out, rec->length, data, len) != rec->length)
		return CARTRIDGE_CORRUPT;
	if (out != buf && size)
		memcpy(buf, out, size);
	return CARTRIDGE_OK;
}

enum cartridge_result payload_decode(struct payload *p, const struct record *rec, uint8_t *stored,
	const struct cartridge_key *key, void *buf, size_t size)
{
	enum cartridge_result res = CARTRIDGE_OK;
	struct cartridge_block block;
	size_t skip = 0;

	if (!payload_describe(rec, stored, &block))
		return CARTRIDGE_CORRUPT;
	if (block.encrypted) {
		skip = seal_size(stored);
		res = decrypt(p, key, rec, stored, stored + skip, rec->stored - skip);
	}
	if (res != CARTRIDGE_OK)
		return res;
	if (rec->compression == RECORD_ZSTD)
		return decompress(p, rec, stored + skip, rec->stored - skip, buf, size);
	if (rec->stored - skip != rec->length)
		return CARTRIDGE_CORRUPT;
	if (size > rec->length)
		size = rec->length;
	if (size)
		memcpy(buf, stored + skip, size);
	return CARTRIDGE_OK;
}

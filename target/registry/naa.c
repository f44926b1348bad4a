/* SPDX-License-Identifier: BSD-2-Clause */
/* Identifiers of NAA 6h (SPC-5 7.7.6.6.5): one digit, the company in six, and 25 digits of a hash. */
#include "registry/naa.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* The first seven digits. The company is administratively assigned (IEEE 802c: its second digit is
 * 2), as these identifiers are made here and not bought. */
static const uint8_t head[4] = { 0x60, 0x24, 0x35, 0x30 };

bool naa_hash(const uint8_t identity[static STATE_IDENTITY_SIZE], const char *what,
	uint8_t hash[static 32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(ctx, identity, STATE_IDENTITY_SIZE) &&
		  EVP_DigestUpdate(ctx, what, strlen(what)) && EVP_DigestFinal_ex(ctx, hash, NULL);

	EVP_MD_CTX_free(ctx);
	return ok;
}

/* Digits 8 to 32 of the hash. */
bool naa_of_place(const uint8_t identity[static STATE_IDENTITY_SIZE], const char *place,
	uint8_t naa[static 16])
{
	uint8_t hash[32];

	if (!naa_hash(identity, place, hash))
		return false;
	memcpy(naa, head, 3);
	naa[3] = (uint8_t)(head[3] | (hash[3] & 0x0f));
	memcpy(naa + 4, hash + 4, 12);
	return true;
}

/* Digits 1 to 25 of the hash. */
bool naa_of_volume(
	const uint8_t identity[static STATE_IDENTITY_SIZE], const char *id, uint8_t naa[static 16])
{
	uint8_t hash[32];

	if (!naa_hash(identity, id, hash))
		return false;
	memcpy(naa, head, 3);
	naa[3] = (uint8_t)(head[3] | hash[0] >> 4);
	for (size_t i = 4; i < 16; i++)
		naa[i] = (uint8_t)(hash[i - 4] << 4 | hash[i - 3] >> 4);
	return true;
}

void naa_read(const char *text, uint8_t naa[static 16])
{
	memset(naa, 0, 16);
	for (size_t i = 0; i < 32 && text[i]; i++) {
		int digit = text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10;

		naa[i / 2] = (uint8_t)(naa[i / 2] | digit << (i % 2 ? 0 : 4));
	}
}

const char *naa_text(const uint8_t naa[static 16], struct naa_text *out)
{
	size_t len = naa[0] >> 4 == 6 ? 16 : 8;

	for (size_t i = 0; i < len; i++)
		snprintf(out->text + 2 * i, 3, "%02x", naa[i]);
	return out->text;
}

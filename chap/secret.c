/* SPDX-License-Identifier: BSD-2-Clause */
/* CHAP secrets: copying, comparing, judging, generating and wiping them. */
#include "chap/secret.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

bool secret_set(struct secret *s, const void *bytes, size_t len)
{
	OPENSSL_cleanse(s, sizeof(*s));
	if (len > SECRET_MAX)
		return false;
	if (len > 0)
		memcpy(s->bytes, bytes, len);
	s->len = (uint16_t)len;
	return true;
}

void secret_wipe(struct secret *s)
{
	if (s)
		OPENSSL_cleanse(s, sizeof(*s));
}

struct secret_view secret_view(const struct secret *s)
{
	return (struct secret_view){ s->len ? s->bytes : NULL, s->len };
}

bool secret_equal(struct secret_view a, struct secret_view b)
{
	if (!a.bytes || !b.bytes || a.len != b.len)
		return false;
	return CRYPTO_memcmp(a.bytes, b.bytes, a.len) == 0;
}

bool secret_generate(struct secret *s)
{
	/* 64 of them, so that 6 bits of a random byte choose evenly. */
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz123456789._-";

	secret_wipe(s);
	if (RAND_priv_bytes(s->bytes, SECRET_GENERATED) != 1) {
		secret_wipe(s);
		return false;
	}
	for (size_t i = 0; i < SECRET_GENERATED; i++)
		s->bytes[i] = (uint8_t)alphabet[s->bytes[i] % (sizeof(alphabet) - 1)];
	s->len = SECRET_GENERATED;
	return true;
}

enum secret_fault secret_check(size_t len, enum secret_rule rule)
{
	if (len == 0)
		return SECRET_EMPTY;
	if (len > SECRET_MAX)
		return SECRET_TOO_LONG;
	if (rule != SECRET_RULE_ANY && len < SECRET_STRONG)
		return SECRET_TOO_SHORT;
	if (rule == SECRET_RULE_PORTABLE && len > SECRET_PORTABLE)
		return SECRET_NOT_PORTABLE;
	return SECRET_OK;
}

#define AS_TEXT(id, text) [id] = (text),

const char *secret_fault_text(enum secret_fault fault)
{
	static const char *const texts[] = { SECRET_FAULTS(AS_TEXT) };

	return fault < sizeof(texts) / sizeof(texts[0]) ? texts[fault] : "unknown fault";
}

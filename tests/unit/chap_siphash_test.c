/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash against OpenSSL's, which is another implementation of the same paper. */
#include "chap/siphash.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

static void a_tag_is_what_openssl_computes_for_every_length(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	struct siphash_key key;
	uint8_t data[300], want[16];
	size_t len;

	(void)state;
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 + 5);
	for (unsigned i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = (uint8_t)(0xf0 - 7 * i);
	for (size_t n = 0; n <= sizeof(data); n++) {
		struct siphash_tag tag = siphash(&key, data, n);
		uint64_t got[2] = { htole64(tag.w[0]), htole64(tag.w[1]) };

		assert_int_equal(EVP_MAC_init(ctx, key.bytes, sizeof(key.bytes), NULL), 1);
		assert_int_equal(EVP_MAC_update(ctx, data, n), 1);
		assert_int_equal(EVP_MAC_final(ctx, want, &len, sizeof(want)), 1);
		assert_int_equal(len, 16);
		assert_memory_equal(got, want, 16);
	}
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

static void nothing_has_a_tag_too(void **state)
{
	struct siphash_key key = { { 1 } }, other = { { 2 } };

	(void)state;
	assert_true(siphash_equal(siphash(&key, NULL, 0), siphash(&key, "", 0)));
	assert_false(siphash_equal(siphash(&key, NULL, 0), siphash(&other, NULL, 0)));
}

static void tags_are_equal_only_in_both_words(void **state)
{
	(void)state;
	assert_true(
		siphash_equal((struct siphash_tag){ { 1, 2 } }, (struct siphash_tag){ { 1, 2 } }));
	assert_false(
		siphash_equal((struct siphash_tag){ { 1, 2 } }, (struct siphash_tag){ { 1, 3 } }));
	assert_false(
		siphash_equal((struct siphash_tag){ { 1, 2 } }, (struct siphash_tag){ { 3, 2 } }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tag_is_what_openssl_computes_for_every_length),
		cmocka_unit_test(nothing_has_a_tag_too),
		cmocka_unit_test(tags_are_equal_only_in_both_words),
	};

	return cmocka_run_group_tests_name("chap/siphash", tests, NULL, NULL);
}

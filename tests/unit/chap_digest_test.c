/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Digests of CHAP: vectors, preferences, and what happens when OpenSSL refuses.
 *
 * The vectors come from another implementation:
 *
 *	/usr/bin/python3 -c 'import hashlib
 *	for i, s, c in ((0x17, b"initiator-111111", bytes(range(0xa0, 0xb0))),
 *	    (0xff, b"\0" + bytes(range(1, 256)) * 2 + b"\0", bytes(k * 7 % 256 for k in range(1024)))):
 *	    for n in ("md5", "sha1", "sha256", "sha3_256"):
 *	        print(hashlib.new(n, bytes([i]) + s + c).hexdigest())'
 */
#include "chap/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "chap_faults.h"

static const enum chap_alg all[] = { CHAP_MD5, CHAP_SHA1, CHAP_SHA256, CHAP_SHA3_256 };

static const struct secret_view short_secret = { (const uint8_t *)"initiator-111111", 16 };

static void assert_digest(enum chap_alg alg, uint8_t id, struct secret_view secret,
	const uint8_t *challenge, size_t len, const char *want)
{
	struct chap_digests *d = chap_digests_new();
	uint8_t out[CHAP_DIGEST_MAX];
	char hex[2 * CHAP_DIGEST_MAX + 1];

	assert_non_null(d);
	assert_true(chap_digest(d, alg, id, secret, challenge, len, out));
	for (size_t i = 0; i < chap_alg_size(alg); i++)
		snprintf(hex + 2 * i, 3, "%02x", out[i]);
	assert_string_equal(hex, want);
	chap_digests_free(d);
}

static void a_response_is_the_digest_of_identifier_secret_and_challenge(void **state)
{
	static const uint8_t c[16] = { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9,
		0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf };

	(void)state;
	assert_digest(CHAP_MD5, 0x17, short_secret, c, 16, "3fef48a3b61b2ccf392fb0e6227117ac");
	assert_digest(
		CHAP_SHA1, 0x17, short_secret, c, 16, "8b581220646d2ebf77f8ac7e3850e508afb4f538");
	assert_digest(CHAP_SHA256, 0x17, short_secret, c, 16,
		"d9f89e247cff26ffc270ab4ccb1e932d15180454fef031d7bd0d9d87ec98536e");
	assert_digest(CHAP_SHA3_256, 0x17, short_secret, c, 16,
		"a5ddf9ca5f63d78598e31037f9c867ccd53415801a988d1c10f810ec46ea283c");
}

static void the_longest_secret_and_challenge_are_digested_whole(void **state)
{
	struct secret_view secret;
	uint8_t s[512], c[1024];

	(void)state;
	for (unsigned i = 0; i < 510; i++)
		s[i + 1] = (uint8_t)(1 + i % 255);
	s[0] = s[511] = 0;
	for (unsigned i = 0; i < sizeof(c); i++)
		c[i] = (uint8_t)(i * 7);
	secret = (struct secret_view){ s, sizeof(s) };
	assert_digest(CHAP_MD5, 0xff, secret, c, 1024, "381d6c66d8f68f1e870aecf8fca0540c");
	assert_digest(CHAP_SHA1, 0xff, secret, c, 1024, "b433b3038098098d20d976a23b7e3ceaefb30e3f");
	assert_digest(CHAP_SHA256, 0xff, secret, c, 1024,
		"9828183a8b7a4f10b3e02b501b9c16d62de606af3529967da4368e4e1c4b6657");
	assert_digest(CHAP_SHA3_256, 0xff, secret, c, 1024,
		"9bd12c48dc37a9a4d3326bd5c56cc246b04241aca2a897b578f7216c55b1cbab");
}

static void algorithms_have_the_numbers_sizes_and_names_of_the_registry(void **state)
{
	(void)state;
	assert_string_equal(chap_alg_name(5), "MD5");
	assert_string_equal(chap_alg_name(6), "SHA1");
	assert_string_equal(chap_alg_name(7), "SHA-256");
	assert_string_equal(chap_alg_name(8), "SHA3-256");
	assert_int_equal(chap_alg_size(5), 16);
	assert_int_equal(chap_alg_size(6), 20);
	assert_int_equal(chap_alg_size(7), 32);
	assert_int_equal(chap_alg_size(8), 32);
}

static void other_numbers_are_no_algorithm(void **state)
{
	static const unsigned others[] = { 0, 1, 4, 9, 32, 37, 255, 65535, 4294967295u };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_null(chap_alg_name(others[i]));
		assert_int_equal(chap_alg_size(others[i]), 0);
		assert_int_equal(chap_alg_bit(others[i]), 0);
	}
}

static chap_alg_set set_of(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return chap_alg_bit(a) | chap_alg_bit(b) | chap_alg_bit(c) | chap_alg_bit(d);
}

static void the_strongest_of_the_offer_is_picked(void **state)
{
	const struct chap_prefs *p = &chap_prefs_default;

	(void)state;
	assert_int_equal(chap_prefs_pick(p, set_of(5, 6, 7, 8)), CHAP_SHA3_256);
	assert_int_equal(chap_prefs_pick(p, set_of(5, 6, 7, 0)), CHAP_SHA256);
	assert_int_equal(chap_prefs_pick(p, set_of(5, 6, 0, 0)), CHAP_SHA1);
	assert_int_equal(chap_prefs_pick(p, set_of(5, 0, 0, 0)), CHAP_MD5);
	assert_int_equal(chap_prefs_pick(p, 0), CHAP_ALG_NONE);
}

static void an_explicit_order_overrides_strength_and_leaves_out_the_rest(void **state)
{
	struct chap_prefs p = { 0 };

	(void)state;
	assert_true(chap_prefs_add(&p, 5));
	assert_true(chap_prefs_add(&p, 7));
	assert_int_equal(chap_prefs_pick(&p, set_of(5, 6, 7, 8)), CHAP_MD5);
	assert_int_equal(chap_prefs_pick(&p, set_of(6, 7, 8, 0)), CHAP_SHA256);
	assert_int_equal(chap_prefs_pick(&p, set_of(6, 8, 0, 0)), CHAP_ALG_NONE);
}

static void preferences_refuse_the_unknown_and_the_repeated(void **state)
{
	struct chap_prefs p = { 0 };

	(void)state;
	assert_false(chap_prefs_add(&p, 4));
	assert_false(chap_prefs_add(&p, 5 + 256));
	assert_true(chap_prefs_add(&p, 8));
	assert_false(chap_prefs_add(&p, 8));
	assert_int_equal(p.count, 1);
}

static void all_four_are_usable_by_default(void **state)
{
	struct chap_digests *d = chap_digests_new();

	(void)state;
	assert_int_equal(chap_digests_usable(d), set_of(5, 6, 7, 8));
	chap_digests_free(d);
}

static void where_md5_is_refused_the_others_still_work(void **state)
{
	static const uint8_t zeros[CHAP_DIGEST_MAX];
	uint8_t out[CHAP_DIGEST_MAX] = { 1 };
	struct chap_digests *d;

	(void)state;
	faults.no_digest = "MD5";
	d = chap_digests_new();
	faults_clear();
	assert_int_equal(chap_digests_usable(d), set_of(6, 7, 8, 0));
	assert_false(chap_digest(d, CHAP_MD5, 1, short_secret, zeros, 16, out));
	assert_memory_equal(out, zeros, sizeof(out));
	assert_true(chap_digest(d, CHAP_SHA1, 1, short_secret, zeros, 16, out));
	chap_digests_free(d);
}

static void a_policy_without_any_digest_leaves_none_and_no_trace_in_the_error_queue(void **state)
{
	struct chap_digests *d;

	(void)state;
	assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
	d = chap_digests_new();
	assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
	assert_non_null(d);
	assert_int_equal(chap_digests_usable(d), 0);
	assert_int_equal(ERR_peek_error(), 0);
	chap_digests_free(d);
}

static void a_digest_without_secret_or_algorithm_fails_with_zeros(void **state)
{
	static const uint8_t zeros[CHAP_DIGEST_MAX];
	struct chap_digests *d = chap_digests_new();
	uint8_t out[CHAP_DIGEST_MAX];

	(void)state;
	memset(out, 0xaa, sizeof(out));
	assert_false(chap_digest(d, CHAP_MD5, 1, (struct secret_view){ 0 }, zeros, 16, out));
	assert_memory_equal(out, zeros, sizeof(out));
	memset(out, 0xaa, sizeof(out));
	assert_false(chap_digest(d, CHAP_ALG_NONE, 1, short_secret, zeros, 16, out));
	assert_memory_equal(out, zeros, sizeof(out));
	chap_digests_free(d);
}

static void a_digest_that_breaks_in_openssl_fails_with_zeros(void **state)
{
	static const uint8_t zeros[CHAP_DIGEST_MAX];
	struct chap_digests *d = chap_digests_new();
	uint8_t out[CHAP_DIGEST_MAX];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		memset(out, 0xaa, sizeof(out));
		faults.broken_digest = 1;
		assert_false(chap_digest(d, all[i], 1, short_secret, zeros, 16, out));
		assert_memory_equal(out, zeros, sizeof(out));
	}
	for (unsigned part = 1; part <= 3; part++) {
		memset(out, 0xaa, sizeof(out));
		faults.broken_update = part;
		assert_false(chap_digest(d, CHAP_SHA256, 1, short_secret, zeros, 16, out));
		assert_memory_equal(out, zeros, sizeof(out));
	}
	chap_digests_free(d);
}

static void a_digest_survives_the_failure_of_any_allocation(void **state)
{
	static const uint8_t challenge[16];
	struct chap_digests *d = chap_digests_new();
	uint8_t want[CHAP_DIGEST_MAX], out[CHAP_DIGEST_MAX];
	unsigned n = 0;
	bool ok;

	(void)state;
	assert_true(chap_digest(d, CHAP_SHA256, 1, short_secret, challenge, 16, want));
	do {
		faults.no_memory = ++n;
		ok = chap_digest(d, CHAP_SHA256, 1, short_secret, challenge, 16, out);
		faults_clear();
	} while (!ok && n < 100);
	assert_true(n > 1 && n < 100);
	assert_memory_equal(out, want, sizeof(out));
	chap_digests_free(d);
}

static void no_memory_at_all_gives_no_digests(void **state)
{
	(void)state;
	faults.no_memory = 1;
	assert_null(chap_digests_new());
	faults_clear();
	chap_digests_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_response_is_the_digest_of_identifier_secret_and_challenge),
		cmocka_unit_test(the_longest_secret_and_challenge_are_digested_whole),
		cmocka_unit_test(algorithms_have_the_numbers_sizes_and_names_of_the_registry),
		cmocka_unit_test(other_numbers_are_no_algorithm),
		cmocka_unit_test(the_strongest_of_the_offer_is_picked),
		cmocka_unit_test(an_explicit_order_overrides_strength_and_leaves_out_the_rest),
		cmocka_unit_test(preferences_refuse_the_unknown_and_the_repeated),
		cmocka_unit_test(all_four_are_usable_by_default),
		cmocka_unit_test(where_md5_is_refused_the_others_still_work),
		cmocka_unit_test(
			a_policy_without_any_digest_leaves_none_and_no_trace_in_the_error_queue),
		cmocka_unit_test(a_digest_without_secret_or_algorithm_fails_with_zeros),
		cmocka_unit_test(a_digest_that_breaks_in_openssl_fails_with_zeros),
		cmocka_unit_test(a_digest_survives_the_failure_of_any_allocation),
		cmocka_unit_test(no_memory_at_all_gives_no_digests),
	};

	faults_install();
	return cmocka_run_group_tests_name("chap/digest", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Secrets: copying, comparing, judging, generating; and what is left of them afterwards. */
#include "chap/secret.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "chap_faults.h"

static struct secret_view view_of(const char *text)
{
	return (struct secret_view){ (const uint8_t *)text, strlen(text) };
}

static void a_secret_keeps_bytes_that_are_not_text(void **state)
{
	struct secret s = { 0 };

	(void)state;
	assert_true(secret_set(&s, "a\0b\xff", 4));
	assert_int_equal(s.len, 4);
	assert_memory_equal(s.bytes, "a\0b\xff", 4);
}

static void setting_a_shorter_secret_leaves_nothing_of_the_longer(void **state)
{
	struct secret s = { 0 };
	static const uint8_t zeros[SECRET_MAX - 2];

	(void)state;
	assert_true(secret_set(&s, "long-old-secret", 15));
	assert_true(secret_set(&s, "ab", 2));
	assert_memory_equal(s.bytes + 2, zeros, sizeof(zeros));
}

static void a_secret_of_512_bytes_fits_and_one_of_513_leaves_it_empty(void **state)
{
	uint8_t bytes[SECRET_MAX + 1];
	struct secret s = { 0 };

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_true(secret_set(&s, bytes, 512));
	assert_int_equal(s.len, 512);
	assert_false(secret_set(&s, bytes, 513));
	assert_int_equal(s.len, 0);
	assert_int_equal(s.bytes[0], 0);
}

static void a_secret_may_be_set_to_nothing(void **state)
{
	struct secret s = { .len = 1 };

	(void)state;
	assert_true(secret_set(&s, NULL, 0));
	assert_int_equal(s.len, 0);
}

static void wiping_overwrites_all_of_it(void **state)
{
	static const struct secret nothing;
	struct secret s;

	(void)state;
	memset(&s, 0xaa, sizeof(s));
	secret_wipe(&s);
	assert_memory_equal(&s, &nothing, sizeof(s));
	secret_wipe(NULL);
}

static void the_view_of_an_empty_secret_is_absent(void **state)
{
	struct secret s = { 0 };

	(void)state;
	assert_null(secret_view(&s).bytes);
	secret_set(&s, "abc", 3);
	assert_ptr_equal(secret_view(&s).bytes, s.bytes);
	assert_int_equal(secret_view(&s).len, 3);
}

static void secrets_are_equal_by_length_and_bytes(void **state)
{
	(void)state;
	assert_true(secret_equal(view_of("twelve-bytes"), view_of("twelve-bytes")));
	assert_false(secret_equal(view_of("twelve-bytes"), view_of("twelve-bytez")));
	assert_false(secret_equal(view_of("twelve-bytes"), view_of("twelve-byte")));
	assert_false(secret_equal(view_of("twelve-byte"), view_of("twelve-bytes")));
	assert_true(secret_equal(view_of(""), view_of("")));
}

static void an_absent_secret_equals_nothing_not_even_itself(void **state)
{
	struct secret_view none = { 0 };

	(void)state;
	assert_false(secret_equal(none, none));
	assert_false(secret_equal(none, view_of("")));
	assert_false(secret_equal(view_of(""), none));
}

static void a_generated_secret_is_16_characters_that_need_no_quoting(void **state)
{
	struct secret s = { 0 };

	(void)state;
	for (int round = 0; round < 1000; round++) {
		assert_true(secret_generate(&s));
		assert_int_equal(s.len, 16);
		for (size_t i = 0; i < s.len; i++)
			assert_non_null(
				strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "123456789._-",
					s.bytes[i]));
	}
}

static void generated_secrets_use_all_64_characters_evenly(void **state)
{
	enum { ROUNDS = 4000, EACH = ROUNDS * 16 / 64 };
	unsigned seen[256] = { 0 }, used = 0;
	struct secret s = { 0 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		assert_true(secret_generate(&s));
		for (size_t i = 0; i < s.len; i++)
			seen[s.bytes[i]]++;
	}
	for (int c = 0; c < 256; c++) {
		used += seen[c] > 0;
		/* 1000 expected; seven standard deviations either way. */
		assert_true(seen[c] == 0 || (seen[c] > EACH - 222 && seen[c] < EACH + 222));
	}
	assert_int_equal(used, 64);
}

static void two_generated_secrets_differ(void **state)
{
	struct secret a = { 0 }, b = { 0 };

	(void)state;
	assert_true(secret_generate(&a) && secret_generate(&b));
	assert_false(secret_equal(secret_view(&a), secret_view(&b)));
}

static void no_secret_is_generated_without_randomness(void **state)
{
	static const struct secret nothing;
	struct secret s = { .len = 3, .bytes = "old" };

	(void)state;
	faults.no_random = true;
	assert_false(secret_generate(&s));
	faults_clear();
	assert_memory_equal(&s, &nothing, sizeof(s));
}

static void rules_judge_by_length(void **state)
{
	(void)state;
	assert_int_equal(secret_check(0, SECRET_RULE_ANY), SECRET_EMPTY);
	assert_int_equal(secret_check(1, SECRET_RULE_ANY), SECRET_OK);
	assert_int_equal(secret_check(512, SECRET_RULE_ANY), SECRET_OK);
	assert_int_equal(secret_check(513, SECRET_RULE_ANY), SECRET_TOO_LONG);
	assert_int_equal(secret_check(11, SECRET_RULE_STRONG), SECRET_TOO_SHORT);
	assert_int_equal(secret_check(12, SECRET_RULE_STRONG), SECRET_OK);
	assert_int_equal(secret_check(17, SECRET_RULE_STRONG), SECRET_OK);
	assert_int_equal(secret_check(11, SECRET_RULE_PORTABLE), SECRET_TOO_SHORT);
	assert_int_equal(secret_check(16, SECRET_RULE_PORTABLE), SECRET_OK);
	assert_int_equal(secret_check(17, SECRET_RULE_PORTABLE), SECRET_NOT_PORTABLE);
	assert_int_equal(secret_check(513, SECRET_RULE_PORTABLE), SECRET_TOO_LONG);
}

static void every_fault_has_a_text(void **state)
{
	(void)state;
	assert_string_equal(secret_fault_text(SECRET_EMPTY), "the secret is empty");
	assert_non_null(strstr(secret_fault_text(SECRET_TOO_LONG), "512"));
	assert_string_equal(secret_fault_text((enum secret_fault)99), "unknown fault");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_keeps_bytes_that_are_not_text),
		cmocka_unit_test(setting_a_shorter_secret_leaves_nothing_of_the_longer),
		cmocka_unit_test(a_secret_of_512_bytes_fits_and_one_of_513_leaves_it_empty),
		cmocka_unit_test(a_secret_may_be_set_to_nothing),
		cmocka_unit_test(wiping_overwrites_all_of_it),
		cmocka_unit_test(the_view_of_an_empty_secret_is_absent),
		cmocka_unit_test(secrets_are_equal_by_length_and_bytes),
		cmocka_unit_test(an_absent_secret_equals_nothing_not_even_itself),
		cmocka_unit_test(a_generated_secret_is_16_characters_that_need_no_quoting),
		cmocka_unit_test(generated_secrets_use_all_64_characters_evenly),
		cmocka_unit_test(two_generated_secrets_differ),
		cmocka_unit_test(no_secret_is_generated_without_randomness),
		cmocka_unit_test(rules_judge_by_length),
		cmocka_unit_test(every_fault_has_a_text),
	};

	return cmocka_run_group_tests_name("chap/secret", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Address ranges as people write them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chap/credential.h"
#include "registry/sources.h"

static bool holds(const char *text, const char *address)
{
	struct source_range *v = NULL;
	struct source a;
	bool is = false;
	size_t n = 0;

	assert_int_equal(sources_parse(text, &v, &n), 0);
	assert_true(source_parse(address, &a));
	for (size_t i = 0; i < n; i++)
		is |= source_in_range(&a, &v[i]);
	free(v);
	return is;
}

static int parse(const char *text)
{
	struct source_range *v = NULL;
	size_t n = 99;
	int err = sources_parse(text, &v, &n);

	free(v);
	return err ? err : (int)n;
}

static void one_address_is_a_range(void **state)
{
	(void)state;
	assert_true(holds("192.0.2.7", "192.0.2.7"));
	assert_false(holds("192.0.2.7", "192.0.2.8"));
	assert_true(holds("2001:db8::7", "2001:db8::7"));
	assert_true(holds("::ffff:192.0.2.7", "192.0.2.7"));
}

static void a_range_has_both_its_ends(void **state)
{
	(void)state;
	assert_true(holds("192.0.2.7-192.0.2.9", "192.0.2.7"));
	assert_true(holds("192.0.2.7 - 192.0.2.9", "192.0.2.9"));
	assert_false(holds("192.0.2.7-192.0.2.9", "192.0.2.10"));
	assert_true(holds("2001:db8::1-2001:db8::ff", "2001:db8::aa"));
}

static void a_network_is_given_by_bits_or_by_a_mask(void **state)
{
	(void)state;
	assert_true(holds("192.0.2.77/24", "192.0.2.0"));
	assert_true(holds("192.0.2.0/255.255.255.0", "192.0.2.255"));
	assert_false(holds("192.0.2.0/255.255.255.0", "192.0.3.0"));
	assert_true(holds("0.0.0.0/0", "203.0.113.1"));
	assert_true(holds("0.0.0.0/0.0.0.0", "203.0.113.1"));
	assert_true(holds("192.0.2.1/255.255.255.255", "192.0.2.1"));
	assert_true(holds("2001:db8::/32", "2001:db8:ffff::1"));
	assert_true(holds("2001:db8::/ffff:ffff::", "2001:db8:ffff::1"));
	assert_false(holds("2001:db8::/32", "2001:db9::1"));
}

static void several_stand_between_commas(void **state)
{
	(void)state;
	assert_int_equal(parse("192.0.2.1,192.0.2.2-192.0.2.3, 198.51.100.0/24 ,::1"), 4);
	assert_int_equal(parse(""), 0);
	assert_int_equal(parse("  "), 0);
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = { ",", "192.0.2.1,", "192.0.2.1,,192.0.2.2", "192.0.2",
		"192.0.2.256", "host", "192.0.2.9-192.0.2.1", "192.0.2.1-::1", "192.0.2.1-",
		"-192.0.2.1", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/1000",
		"192.0.2.0/255.0.255.0", "192.0.2.0/0.255.255.255", "192.0.2.0/ffff::", "::/129",
		"192.0.2.0/24/24", "[::1]", "fe80::1%eth0", "\xc3\xa4", "1.2.3.4-1.2.3.4-1.2.3.4" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i]) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
}

static void a_word_as_long_as_you_like_is_refused(void **state)
{
	char text[1000];

	(void)state;
	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parse(text), -EINVAL);
}

static void there_are_only_so_many(void **state)
{
	char text[(CREDENTIAL_SOURCES_MAX + 1) * 4 + 1] = "";

	(void)state;
	for (int i = 0; i < CREDENTIAL_SOURCES_MAX; i++)
		strcat(text, i ? ",::1" : "::1");
	assert_int_equal(parse(text), CREDENTIAL_SOURCES_MAX);
	strcat(text, ",::1");
	assert_int_equal(parse(text), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_is_a_range),
		cmocka_unit_test(a_range_has_both_its_ends),
		cmocka_unit_test(a_network_is_given_by_bits_or_by_a_mask),
		cmocka_unit_test(several_stand_between_commas),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(a_word_as_long_as_you_like_is_refused),
		cmocka_unit_test(there_are_only_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, prefixes and ranges of both families. */
#include "chap/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct source source(const char *text)
{
	struct source s = { 0 };

	assert_true(source_parse(text, &s));
	return s;
}

static struct source_range range(const char *first, const char *last)
{
	return (struct source_range){ source(first), source(last) };
}

static void assert_in(const char *text, const struct source_range *r)
{
	struct source s = source(text);

	assert_true(source_in_range(&s, r));
}

static void assert_not_in(const char *text, const struct source_range *r)
{
	struct source s = source(text);

	assert_false(source_in_range(&s, r));
}

static void addresses_of_both_families_are_read(void **state)
{
	(void)state;
	assert_int_equal(source("192.0.2.1").family, SOURCE_IPV4);
	assert_memory_equal(
		source("192.0.2.1").bytes, "\xc0\x00\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(source("2001:db8::1").family, SOURCE_IPV6);
	assert_memory_equal(
		source("2001:db8::1").bytes, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
}

static void what_is_no_address_leaves_the_result_alone(void **state)
{
	static const char *const bad[] = { "", "192.0.2", "192.0.2.256", "192.0.2.1:3260", "[::1]",
		"fe80::1%eth0", "host1", "192.0.2.0/24", " 192.0.2.1" };
	struct source s = { .family = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(source_parse(bad[i], &s));
	assert_int_equal(s.family, 77);
}

static void an_ipv4_address_on_an_ipv6_socket_is_ipv4(void **state)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	struct source a = source_from_ipv6(mapped), b = source("::ffff:192.0.2.1");
	struct source want = source_from_ipv4((const uint8_t *)"\xc0\x00\x02\x01");

	(void)state;
	assert_memory_equal(&a, &want, sizeof(want));
	assert_memory_equal(&b, &want, sizeof(want));
}

static void a_range_holds_both_its_ends_and_what_lies_between(void **state)
{
	struct source_range r = range("10.0.0.250", "10.0.1.5");

	(void)state;
	assert_not_in("10.0.0.249", &r);
	assert_in("10.0.0.250", &r);
	assert_in("10.0.0.255", &r);
	assert_in("10.0.1.0", &r);
	assert_in("10.0.1.5", &r);
	assert_not_in("10.0.1.6", &r);
}

static void a_range_holds_none_of_the_other_family(void **state)
{
	struct source_range v4 = range("0.0.0.0", "255.255.255.255");
	struct source_range v6 = range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	struct source none = { 0 };

	(void)state;
	assert_not_in("::1", &v4);
	assert_not_in("127.0.0.1", &v6);
	assert_in("::ffff:127.0.0.1", &v4);
	assert_false(source_in_range(&none, &v4));
	assert_false(source_in_range(&none, &v6));
}

static void a_prefix_becomes_the_range_of_its_network(void **state)
{
	struct source a = source("192.0.2.77"), b = source("2001:db8:1:2:3::4");
	struct source_range r;

	(void)state;
	assert_int_equal(source_range_from_prefix(&a, 24, &r), SOURCE_OK);
	assert_not_in("192.0.1.255", &r);
	assert_in("192.0.2.0", &r);
	assert_in("192.0.2.255", &r);
	assert_not_in("192.0.3.0", &r);
	assert_int_equal(source_range_from_prefix(&a, 29, &r), SOURCE_OK);
	assert_not_in("192.0.2.71", &r);
	assert_in("192.0.2.72", &r);
	assert_in("192.0.2.79", &r);
	assert_not_in("192.0.2.80", &r);
	assert_int_equal(source_range_from_prefix(&b, 64, &r), SOURCE_OK);
	assert_in("2001:db8:1:2::", &r);
	assert_in("2001:db8:1:2:ffff:ffff:ffff:ffff", &r);
	assert_not_in("2001:db8:1:3::", &r);
}

static void the_shortest_and_longest_prefix_are_all_and_one(void **state)
{
	struct source a = source("192.0.2.77"), b = source("2001:db8::4");
	struct source_range r;

	(void)state;
	assert_int_equal(source_range_from_prefix(&a, 0, &r), SOURCE_OK);
	assert_in("0.0.0.0", &r);
	assert_in("255.255.255.255", &r);
	assert_int_equal(source_range_from_prefix(&a, 32, &r), SOURCE_OK);
	assert_in("192.0.2.77", &r);
	assert_not_in("192.0.2.76", &r);
	assert_int_equal(source_range_from_prefix(&b, 128, &r), SOURCE_OK);
	assert_in("2001:db8::4", &r);
	assert_not_in("2001:db8::5", &r);
}

static void a_prefix_longer_than_the_address_is_refused(void **state)
{
	struct source a = source("192.0.2.77"), b = source("::1"), none = { 0 };
	struct source_range r;

	(void)state;
	assert_int_equal(source_range_from_prefix(&a, 33, &r), SOURCE_BAD_PREFIX);
	assert_int_equal(source_range_from_prefix(&b, 129, &r), SOURCE_BAD_PREFIX);
	assert_int_equal(source_range_from_prefix(&none, 0, &r), SOURCE_BAD_FAMILY);
}

static void a_range_must_be_of_one_family_and_run_upwards(void **state)
{
	struct source_range good = range("10.0.0.1", "10.0.0.1");
	struct source_range mixed = range("10.0.0.1", "::1");
	struct source_range backwards = range("10.0.1.0", "10.0.0.255");
	struct source_range none = { 0 };

	(void)state;
	assert_int_equal(source_range_check(&good), SOURCE_OK);
	assert_int_equal(source_range_check(&mixed), SOURCE_BAD_FAMILY);
	assert_int_equal(source_range_check(&backwards), SOURCE_BACKWARDS);
	assert_int_equal(source_range_check(&none), SOURCE_BAD_FAMILY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_both_families_are_read),
		cmocka_unit_test(what_is_no_address_leaves_the_result_alone),
		cmocka_unit_test(an_ipv4_address_on_an_ipv6_socket_is_ipv4),
		cmocka_unit_test(a_range_holds_both_its_ends_and_what_lies_between),
		cmocka_unit_test(a_range_holds_none_of_the_other_family),
		cmocka_unit_test(a_prefix_becomes_the_range_of_its_network),
		cmocka_unit_test(the_shortest_and_longest_prefix_are_all_and_one),
		cmocka_unit_test(a_prefix_longer_than_the_address_is_refused),
		cmocka_unit_test(a_range_must_be_of_one_family_and_run_upwards),
	};

	return cmocka_run_group_tests_name("chap/source", tests, NULL, NULL);
}

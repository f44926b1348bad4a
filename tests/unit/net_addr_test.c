/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses: what is read, what is refused, and what is printed.
 */
#include "net/addr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct addr a(const char *host)
{
	struct addr out;

	assert_int_equal(addr_parse(&out, host, 3260), 0);
	return out;
}

/* What addr_parse_port() makes of a text, printed; "-" when it refuses. */
static const char *reread(const char *text)
{
	static struct addr_text t;
	struct addr out;
	int err = addr_parse_port(&out, text, 3260);

	if (err == 0)
		return addr_text(&out, &t);
	assert_int_equal(err, -EINVAL);
	return "-";
}

static void hosts_and_ports_are_read_and_printed_alike(void **state)
{
	(void)state;
	assert_string_equal(reread("192.0.2.1:860"), "192.0.2.1:860");
	assert_string_equal(reread("192.0.2.1"), "192.0.2.1:3260");
	assert_string_equal(reread("[2001:db8::1]:860"), "[2001:db8::1]:860");
	assert_string_equal(reread("[2001:db8::1]"), "[2001:db8::1]:3260");
	assert_string_equal(reread("2001:DB8:0:0::1"), "[2001:db8::1]:3260");
	assert_string_equal(reread("::"), "[::]:3260");
	assert_string_equal(reread("0.0.0.0:0"), "0.0.0.0:0");
	assert_string_equal(reread("0.0.0.0:65535"), "0.0.0.0:65535");
}

static void what_is_no_address_is_refused(void **state)
{
	// clang-format off
	static const char *const bad[] = {
		"", ":", ":3260", "localhost", "192.0.2", "192.0.2.256", "127.1", "0300.0.2.1",
		"192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:+1", "192.0.2.1: 1",
		"192.0.2.1:0x1", "192.0.2.1:99999999999999999999", "192.0.2.1:1:2", " 192.0.2.1",
		"[192.0.2.1]", "[", "]", "[]", "[]:1", "[::1", "::1]", "[::1]x", "[::1]:", "[::1]1",
		"[[::1]]", "2001:db8::1::2", "fe80::1%", "fe80::1%no-such-if", "fe80::1%0",
		"fe80::1%4294967296", "%lo", "192.0.2.1%lo",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	// clang-format on

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(reread(bad[i]), "-") != 0)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void a_scope_is_kept_by_name(void **state)
{
	struct addr x = a("fe80::1%lo"), y = a("fe80::1"), gone = a("fe80::1%4000000000");
	struct addr_text t;

	(void)state;
	assert_string_equal(addr_text(&x, &t), "[fe80::1%lo]:3260");
	assert_string_equal(addr_host(&x, &t), "fe80::1%lo");
	assert_string_equal(addr_host(&gone, &t), "fe80::1%4000000000");
	assert_false(addr_same_host(&x, &y));
}

static void a_portal_has_its_group_and_no_scope(void **state)
{
	struct addr v4 = a("192.0.2.1"), v6 = a("fe80::1%lo");
	struct addr_text t;

	(void)state;
	assert_string_equal(addr_portal(&v4, 1, &t), "192.0.2.1:3260,1");
	assert_string_equal(addr_portal(&v6, 65535, &t), "[fe80::1]:3260,65535");
}

static void the_longest_address_fits(void **state)
{
	struct addr x = a("fff0:1234:5678:9abc:def0:1234:5678:9abc%4294967295");
	struct addr_text t;

	(void)state;
	addr_set_port(&x, 65535);
	assert_string_equal(
		addr_text(&x, &t), "[fff0:1234:5678:9abc:def0:1234:5678:9abc%4294967295]:65535");
}

static void a_mapped_ipv4_address_is_ipv4(void **state)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(5),
		.sin6_addr.s6_addr = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	struct addr x, v4 = a("192.0.2.1"), typed = a("::ffff:192.0.2.1");
	struct addr_text t;

	(void)state;
	addr_from(&x, (struct sockaddr *)&in6, sizeof(in6));
	assert_string_equal(addr_text(&x, &t), "192.0.2.1:5");
	assert_true(addr_same_host(&x, &v4));
	assert_true(addr_same(&typed, &v4));
}

static void an_end_of_a_socketpair_is_local(void **state)
{
	struct addr x;
	struct addr_text t;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	addr_local(&x, fd[0]);
	assert_string_equal(addr_text(&x, &t), "local");
	addr_peer(&x, fd[0]);
	assert_string_equal(addr_host(&x, &t), "local");
	assert_int_equal(addr_len(&x), 0);
	assert_int_equal(addr_port(&x), 0);
	addr_set_port(&x, 7);
	assert_false(addr_is_wildcard(&x));
	assert_true(addr_same(&x, &x));
	close(fd[0]);
	close(fd[1]);
	addr_local(&x, -1);
	assert_int_equal(addr_len(&x), 0);
}

static void an_address_that_is_too_short_is_local(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct addr x;

	(void)state;
	addr_from(&x, (struct sockaddr *)&in, 4);
	assert_int_equal(addr_len(&x), 0);
}

static void wildcards_are_known(void **state)
{
	struct addr any4 = a("0.0.0.0"), any6 = a("::"), one = a("0.0.0.1"), lo = a("::1");

	(void)state;
	assert_true(addr_is_wildcard(&any4));
	assert_true(addr_is_wildcard(&any6));
	assert_false(addr_is_wildcard(&one));
	assert_false(addr_is_wildcard(&lo));
}

static void a_port_makes_a_difference_only_where_it_counts(void **state)
{
	struct addr x = a("192.0.2.1"), y = a("192.0.2.1");

	(void)state;
	assert_true(addr_same(&x, &y));
	addr_set_port(&y, 860);
	assert_int_equal(addr_port(&y), 860);
	assert_false(addr_same(&x, &y));
	assert_true(addr_same_host(&x, &y));
}

static void a_host_is_the_same_in_its_family_and_scope_alone(void **state)
{
	struct addr x = a("0.0.0.0"), y = a("::"), z = a("fe80::1"), scoped = z;

	(void)state;
	assert_false(addr_same_host(&x, &y));
	assert_false(addr_same_host(&y, &z));
	assert_true(addr_same_host(&z, &scoped));
	scoped.in6.sin6_scope_id = 2;
	assert_false(addr_same_host(&z, &scoped));
}

static bool in_net(const char *host, const char *net, unsigned prefix)
{
	struct addr x = a(host), n = a(net);

	return addr_in_net(&x, &n, prefix);
}

static void a_net_holds_what_shares_its_prefix(void **state)
{
	(void)state;
	assert_true(in_net("192.0.2.77", "192.0.2.0", 24));
	assert_false(in_net("192.0.3.77", "192.0.2.0", 24));
	assert_true(in_net("192.0.3.77", "192.0.2.0", 23));
	assert_true(in_net("192.0.2.129", "192.0.2.128", 25));
	assert_false(in_net("192.0.2.127", "192.0.2.128", 25));
	assert_true(in_net("192.0.2.1", "192.0.2.1", 32));
	assert_false(in_net("192.0.2.0", "192.0.2.1", 32));
	assert_true(in_net("1.2.3.4", "0.0.0.0", 0));
	assert_true(in_net("2001:db8:0:8000::1", "2001:db8::", 48));
	assert_false(in_net("2001:db8:0:8000::1", "2001:db8::", 49));
	assert_true(in_net("::1", "::1", 128));
}

static void a_net_with_a_prefix_too_long_or_of_the_other_family_holds_nothing(void **state)
{
	(void)state;
	assert_false(in_net("192.0.2.1", "192.0.2.1", 33));
	assert_false(in_net("::1", "::1", 129));
	assert_false(in_net("192.0.2.1", "::", 0));
	assert_false(in_net("::1", "0.0.0.0", 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_ports_are_read_and_printed_alike),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_scope_is_kept_by_name),
		cmocka_unit_test(a_portal_has_its_group_and_no_scope),
		cmocka_unit_test(the_longest_address_fits),
		cmocka_unit_test(a_mapped_ipv4_address_is_ipv4),
		cmocka_unit_test(an_end_of_a_socketpair_is_local),
		cmocka_unit_test(an_address_that_is_too_short_is_local),
		cmocka_unit_test(wildcards_are_known),
		cmocka_unit_test(a_port_makes_a_difference_only_where_it_counts),
		cmocka_unit_test(a_host_is_the_same_in_its_family_and_scope_alone),
		cmocka_unit_test(a_net_holds_what_shares_its_prefix),
		cmocka_unit_test(a_net_with_a_prefix_too_long_or_of_the_other_family_holds_nothing),
	};

	return cmocka_run_group_tests_name("net/addr", tests, NULL, NULL);
}

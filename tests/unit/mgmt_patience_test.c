/* SPDX-License-Identifier: BSD-2-Clause */
/* Who waits before a proof is looked at, and who does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "mgmt/patience.h"

#define SECOND UINT64_C(1000000000)

static struct addr at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, 1), 0);
	return a;
}

static int begin(void **state)
{
	*state = patience_new();
	return *state ? 0 : -1;
}

static int end(void **state)
{
	patience_free(*state);
	return 0;
}

static uint32_t wait_of(struct patience *p, const char *from, const char *proof, uint64_t now)
{
	struct addr a = at(from);

	return patience_wait(p, &a, proof, now);
}

static void hang_up(struct patience *p, const char *from, uint64_t now)
{
	struct addr a = at(from);

	patience_hung_up(p, &a, now);
}

static void nobody_waits_where_nobody_hangs_up(void **state)
{
	hang_up(*state, "192.0.2.1", 5 * SECOND);
	assert_int_equal(wait_of(*state, "192.0.2.1", "Basic a", 5 * SECOND), PATIENCE_WAIT_MS);
	assert_int_equal(wait_of(*state, "192.0.2.2", "Basic a", 5 * SECOND), 0);
	assert_int_equal(wait_of(*state, "2001:db8::1", "Basic a", 5 * SECOND), 0);
}

static void what_was_right_from_there_before_does_not_wait(void **state)
{
	struct addr here = at("192.0.2.1"), there = at("192.0.2.2");

	patience_proved(*state, &here, "Basic right");
	patience_proved(*state, &there, "Basic other");
	hang_up(*state, "192.0.2.1", SECOND);
	assert_int_equal(wait_of(*state, "192.0.2.1", "Basic right", SECOND), 0);
	assert_int_equal(wait_of(*state, "192.0.2.1", "Basic Right", SECOND), PATIENCE_WAIT_MS);
	assert_int_equal(wait_of(*state, "192.0.2.1", "Basic other", SECOND), PATIENCE_WAIT_MS);
}

static void a_quiet_minute_is_enough(void **state)
{
	hang_up(*state, "192.0.2.1", SECOND);
	assert_int_equal(wait_of(*state, "192.0.2.1", "x", 60 * SECOND), PATIENCE_WAIT_MS);
	assert_int_equal(wait_of(*state, "192.0.2.1", "x", 61 * SECOND), 0);
	hang_up(*state, "192.0.2.1", 70 * SECOND);
	assert_int_equal(wait_of(*state, "192.0.2.1", "x", 71 * SECOND), PATIENCE_WAIT_MS);
}

/* It can take as many addresses of that as it likes. */
static void a_network_of_ipv6_is_one_address(void **state)
{
	hang_up(*state, "2001:db8::1", SECOND);
	assert_int_equal(wait_of(*state, "2001:db8::ffff:2", "x", SECOND), PATIENCE_WAIT_MS);
	assert_int_equal(wait_of(*state, "2001:db8:0:1::1", "x", SECOND), 0);
}

static void many_addresses_are_remembered(void **state)
{
	unsigned waiting = 0;
	char text[32];

	for (unsigned i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "10.0.1.%u", i);
		hang_up(*state, text, SECOND);
	}
	for (unsigned i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "10.0.1.%u", i);
		waiting += wait_of(*state, text, "x", SECOND) > 0;
	}
	assert_in_range(waiting, 150, 200); /* some share a place */
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nobody_waits_where_nobody_hangs_up),
		TEST(what_was_right_from_there_before_does_not_wait),
		TEST(a_quiet_minute_is_enough),
		TEST(a_network_of_ipv6_is_one_address),
		TEST(many_addresses_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The gateway as its API has changed it: what is kept, what is refused, and what the end of the server
 * does to a change. What initiators notice is tested from outside. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/gateway.h"
#include "registry_server.h"

static void start(struct fixture *f, const char *gateway)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"state_dir = \"state\"; reactors = 1;\n"
		"portals = ( { address = \"127.0.0.1\"; port = %u; } );\n"
		"management = { aws = { gateway = \"%s\"; access_keys = ( { id = "
		"\"AKIAIOSFODNN7EXAMPLE\"; secret = \"wJalrXUtnFEMIK7MDENG\"; } ); }; };\n",
		f->port, gateway);
	fixture_start(f, configured(&f->place, text));
}

static void restart(struct fixture *f, const char *gateway)
{
	fixture_stop(f);
	start(f, gateway);
}

static int begin(void **state)
{
	int err = fixture_begin(state);

	if (!err)
		start(*state, "sgw-12A3456B");
	return err;
}

struct asked {
	unsigned done;
	int err;
};

static void take_outcome(void *arg, int err)
{
	struct asked *a = arg;

	a->err = err;
	a->done++;
}

static void ask(struct fixture *f, struct asked *a, enum registry_gateway_act act, const char *name)
{
	registry_gateway_change(f->r, &(struct registry_gateway_change){ .name = name,
					      .act = act,
					      .who = "tester",
					      .what = "change gateway",
					      .done = take_outcome,
					      .arg = a });
}

static void changed(struct fixture *f, enum registry_gateway_act act, const char *name)
{
	struct asked a = { 0 };

	ask(f, &a, act, name);
	wait_for(&f->place, &a.done, 1);
	assert_int_equal(a.err, 0);
}

static void what_was_changed_is_there_after_a_restart(void **state)
{
	struct fixture *f = *state;

	assert_null(registry_gateway(f->r).name);
	changed(f, GATEWAY_STAYS, "other");
	changed(f, GATEWAY_ACTIVATED, NULL);
	changed(f, GATEWAY_STOPPED, NULL);
	restart(f, "sgw-12A3456B");
	assert_string_equal(registry_gateway(f->r).name, "other");
	assert_null(registry_gateway(f->r).timezone);
	assert_true(registry_gateway(f->r).active);
	assert_true(registry_gateway(f->r).stopped);
	changed(f, GATEWAY_STARTED, NULL);
	restart(f, "sgw-12A3456B");
	assert_false(registry_gateway(f->r).stopped);
	assert_string_equal(registry_gateway(f->r).name, "other");
}

static void another_gateway_knows_nothing_of_it(void **state)
{
	struct fixture *f = *state;

	changed(f, GATEWAY_STOPPED, "other");
	restart(f, "sgw-12A3456C");
	assert_null(registry_gateway(f->r).name);
	assert_false(registry_gateway(f->r).stopped);
}

static void a_second_change_at_the_same_time_is_refused(void **state)
{
	struct fixture *f = *state;
	struct asked first = { 0 }, second = { 0 };

	ask(f, &first, GATEWAY_STOPPED, NULL);
	ask(f, &second, GATEWAY_STARTED, NULL);
	assert_int_equal(second.done, 1);
	assert_int_equal(second.err, -EBUSY);
	wait_for(&f->place, &first.done, 1);
	assert_int_equal(first.err, 0);
	assert_true(registry_gateway(f->r).stopped);
}

/* What is told may be either, but what is told as done is there after the next start. */
static void a_change_that_the_end_meets_half_way_is_told_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned steps = 0; steps < 8; steps++) {
		enum registry_gateway_act act = steps % 2 ? GATEWAY_STARTED : GATEWAY_STOPPED;
		struct asked a = { 0 };

		ask(f, &a, act, NULL);
		for (unsigned i = 0; i < steps; i++) {
			loop_step(f->place.loop);
			poll(NULL, 0, 1);
		}
		fixture_stop(f);
		assert_int_equal(a.done, 1);
		start(f, "sgw-12A3456B");
		if (!a.err)
			assert_int_equal(registry_gateway(f->r).stopped, act == GATEWAY_STOPPED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define GATEWAY_TEST(name) cmocka_unit_test_setup_teardown(name, begin, fixture_end)
		GATEWAY_TEST(what_was_changed_is_there_after_a_restart),
		GATEWAY_TEST(another_gateway_knows_nothing_of_it),
		GATEWAY_TEST(a_second_change_at_the_same_time_is_refused),
		GATEWAY_TEST(a_change_that_the_end_meets_half_way_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

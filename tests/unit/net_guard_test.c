/* SPDX-License-Identifier: BSD-2-Clause */
/* The guard at the door: who may stand there, who makes way for whom, and how long a refusal takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "net/guard.h"

#define SECOND UINT64_C(1000000000)

/* One who has come, from 10.0.0.N, so many seconds ago. */
struct visitor {
	struct addr addr;
	struct guard_ticket ticket;
};

struct fixture {
	struct guard *guard;
	struct guard_desk desk;
	unsigned told;
	struct visitor v[64];
	unsigned n;
};

static void tell(struct guard_desk *d)
{
	container_of(d, struct fixture, desk)->told++;
}

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || !(f->guard = guard_new(8, 4)))
		return -1;
	guard_desk_init(&f->desk, tell);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	guard_free(f->guard);
	free(f);
	return 0;
}

static struct addr host(unsigned n)
{
	struct addr a;
	char text[32];

	snprintf(text, sizeof(text), "10.0.%u.%u", n >> 8, n & 255);
	assert_int_equal(addr_parse(&a, text, 1), 0);
	return a;
}

static uint64_t ago(unsigned seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec - seconds * SECOND;
}

static enum guard_verdict come(struct fixture *f, unsigned from, unsigned seconds_ago)
{
	struct visitor *v = &f->v[f->n];
	enum guard_verdict verdict;

	v->addr = host(from);
	v->ticket = (struct guard_ticket){ .desk = &f->desk, .peer = &v->addr };
	list_init(&v->ticket.link);
	verdict = guard_admit(f->guard, &v->addr);
	if (verdict == GUARD_OK) {
		guard_enter(f->guard, &v->ticket, ago(seconds_ago));
		f->n++;
	}
	return verdict;
}

/* The index of the next one who is called out; -1: nobody is. */
static int called(struct fixture *f)
{
	struct guard_ticket *t = guard_called(f->guard, &f->desk);

	return t ? (int)(container_of(t, struct visitor, ticket) - f->v) : -1;
}

/* --- tests ---------------------------------------------------------------------------------- */

static void an_address_has_its_limit(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(come(f, 1, 0), GUARD_OK);
	assert_int_equal(come(f, 1, 0), GUARD_TOO_MANY_FROM_ADDRESS);
	assert_int_equal(come(f, 2, 0), GUARD_OK);
	assert_int_equal(guard_half_open(f->guard), 5);
	assert_int_equal(f->told, 0);
}

static void whoever_leaves_makes_room(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 4; i++)
		come(f, 1, 0);
	guard_exit(f->guard, &f->v[2].ticket);
	guard_exit(f->guard, &f->v[2].ticket);
	assert_int_equal(guard_half_open(f->guard), 3);
	assert_int_equal(come(f, 1, 0), GUARD_OK);
	assert_int_equal(come(f, 1, 0), GUARD_TOO_MANY_FROM_ADDRESS);
}

static void one_without_a_ticket_leaves_too(void **state)
{
	struct fixture *f = *state;
	struct addr a = host(1);

	assert_int_equal(guard_admit(f->guard, &a), GUARD_OK);
	guard_leave(f->guard, &a);
	assert_int_equal(guard_half_open(f->guard), 0);
}

static void the_oldest_of_an_address_makes_way_when_it_has_had_time(void **state)
{
	struct fixture *f = *state;

	come(f, 2, 9);
	for (unsigned i = 0; i < 4; i++)
		come(f, 1, 5);
	assert_int_equal(come(f, 1, 0), GUARD_OK);
	assert_int_equal(f->told, 1);
	assert_int_equal(called(f), 1);
	assert_int_equal(called(f), -1);
	assert_int_equal(guard_half_open(f->guard), 5);
}

static void a_crowd_from_few_addresses_makes_way_at_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 8; i++)
		come(f, 1 + i / 4, 0);
	assert_int_equal(come(f, 3, 0), GUARD_OK);
	assert_int_equal(come(f, 4, 0), GUARD_OK);
	/* The oldest of each, whichever goes first. */
	assert_int_equal(called(f) + called(f), 0 + 4);
	assert_int_equal(called(f), -1);
	assert_int_equal(guard_half_open(f->guard), 8);
}

static void whoever_has_less_than_a_share_stays_when_a_crowd_comes(void **state)
{
	struct fixture *f = *state;

	come(f, 9, 0);
	for (unsigned from = 1; from < 20; from++)
		for (unsigned i = 0; i < 2; i++)
			come(f, from, 0);
	for (int who; (who = called(f)) >= 0;)
		assert_int_not_equal(who, 0);
	assert_int_equal(guard_half_open(f->guard), 8);
}

static void the_oldest_of_many_addresses_makes_way_when_it_has_had_time(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 8; i++)
		come(f, 1 + i, i < 2 ? 2 : 0);
	assert_int_equal(come(f, 10, 0), GUARD_OK);
	assert_int_equal(called(f), 0);
	assert_int_equal(come(f, 11, 0), GUARD_OK);
	assert_int_equal(called(f), 1);
	assert_int_equal(come(f, 12, 0), GUARD_TOO_MANY);
	assert_int_equal(called(f), -1);
}

static void whoever_logs_in_when_called_out_is_not_closed(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 8; i++)
		come(f, 1 + i / 4, 0);
	come(f, 3, 0);
	guard_exit(f->guard, &f->v[0].ticket);
	guard_exit(f->guard, &f->v[4].ticket);
	assert_int_equal(called(f), -1);
	assert_int_equal(guard_half_open(f->guard), 7);
}

static void a_desk_is_told_again_when_it_has_asked(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 8; i++)
		come(f, 1 + i / 4, 0);
	come(f, 3, 0);
	come(f, 4, 0);
	assert_int_equal(f->told, 1);
	while (called(f) >= 0)
		;
	come(f, 5, 0);
	assert_int_equal(f->told, 2);
}

static void refusals_take_longer_and_longer_for_one_address_alone(void **state)
{
	struct fixture *f = *state;
	struct addr guesser = host(1), other = host(2);
	uint32_t last = 0;

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(guard_failed(f->guard, &guesser, ago(0)), 0);
	for (unsigned i = 0; i < 5; i++) {
		uint32_t delay = guard_failed(f->guard, &guesser, ago(0));

		assert_true(delay > last);
		last = delay;
	}
	assert_int_equal(guard_failed(f->guard, &guesser, ago(0)), GUARD_DELAY_MAX);
	assert_int_equal(guard_failed(f->guard, &other, ago(0)), 0);
	/* A quiet minute later. */
	assert_int_equal(guard_failed(f->guard, &guesser, ago(0) + 61 * SECOND), 0);
}

static void failures_of_many_addresses_are_remembered(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 5 * 100; i++) {
		struct addr four = host(i % 100), six;
		char text[40];

		snprintf(text, sizeof(text), "2001:db8:%x::1", i % 100);
		assert_int_equal(addr_parse(&six, text, 1), 0);
		assert_int_equal(guard_failed(f->guard, &four, ago(0)) > 0, i >= 4 * 100);
		assert_int_equal(guard_failed(f->guard, &six, ago(0)) > 0, i >= 4 * 100);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_address_has_its_limit),
		TEST(whoever_leaves_makes_room),
		TEST(one_without_a_ticket_leaves_too),
		TEST(the_oldest_of_an_address_makes_way_when_it_has_had_time),
		TEST(a_crowd_from_few_addresses_makes_way_at_once),
		TEST(whoever_has_less_than_a_share_stays_when_a_crowd_comes),
		TEST(the_oldest_of_many_addresses_makes_way_when_it_has_had_time),
		TEST(whoever_logs_in_when_called_out_is_not_closed),
		TEST(a_desk_is_told_again_when_it_has_asked),
		TEST(refusals_take_longer_and_longer_for_one_address_alone),
		TEST(failures_of_many_addresses_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

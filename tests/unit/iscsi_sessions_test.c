/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of sessions: who is in it, how many of a target, who must go for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "iscsi/sessions.h"

#define HOST   "iqn.2026-11.com.example:host"
#define TARGET "iqn.2026-11.com.example:disk"
#define OTHER  "iqn.2026-11.com.example:other"

enum { NO_LIMIT = 0, MANY = 5000 };

static struct session_entry entry(const char *target, uint64_t isid)
{
	return (struct session_entry){ .initiator = HOST, .target = target, .isid = isid };
}

static enum sessions_result add(struct sessions *t, struct session_entry *e, uint32_t target_max)
{
	struct reactor *reactor;
	uint16_t tsih;

	return sessions_add(t, e, 65535, target_max, &reactor, &tsih);
}

static void sessions_are_counted_for_each_of_many_targets(void **state)
{
	static char names[MANY][48];
	static struct session_entry of[MANY];
	struct sessions *t = sessions_new(1);
	struct session_entry two[] = { entry(TARGET, 1), entry(TARGET, 2) };

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%u", TARGET, i);
		of[i] = entry(names[i], 1);
		assert_int_equal(add(t, &of[i], NO_LIMIT), SESSIONS_OK);
	}
	assert_int_equal(add(t, &two[0], NO_LIMIT), SESSIONS_OK);
	assert_int_equal(add(t, &two[1], NO_LIMIT), SESSIONS_OK);
	assert_int_equal(sessions_of_target(t, TARGET), 2);
	assert_int_equal(sessions_of_target(t, names[MANY - 1]), 1);
	assert_int_equal(sessions_of_target(t, OTHER), 0);
	sessions_remove(t, &two[0]);
	assert_int_equal(sessions_of_target(t, TARGET), 1);
	sessions_remove(t, &two[1]);
	for (unsigned i = 0; i < MANY; i++)
		sessions_remove(t, &of[i]);
	assert_int_equal(sessions_of_target(t, names[0]), 0);
	sessions_free(t);
}

static void a_target_that_is_full_takes_the_next_when_one_has_left(void **state)
{
	struct sessions *t = sessions_new(1);
	struct session_entry one = entry(TARGET, 1), next = entry(TARGET, 2);
	struct session_entry elsewhere = entry(OTHER, 2);

	(void)state;
	assert_int_equal(add(t, &one, 1), SESSIONS_OK);
	assert_int_equal(add(t, &next, 1), SESSIONS_FULL);
	assert_int_equal(add(t, &elsewhere, 1), SESSIONS_OK);
	sessions_remove(t, &one);
	assert_int_equal(add(t, &next, 1), SESSIONS_OK);
	sessions_remove(t, &next);
	sessions_remove(t, &elsewhere);
	sessions_free(t);
}

static void an_initiator_port_has_one_session_with_a_portal_group(void **state)
{
	struct sessions *t = sessions_new(1);
	struct session_entry one = entry(TARGET, 1), again = one, group = one;
	struct reactor *reactor;
	uint16_t tsih = 0;

	(void)state;
	group.group = 2;
	assert_int_equal(add(t, &one, NO_LIMIT), SESSIONS_OK);
	assert_int_equal(sessions_add(t, &again, 65535, NO_LIMIT, &reactor, &tsih), SESSIONS_TAKEN);
	assert_int_equal(tsih, one.tsih);
	assert_int_equal(add(t, &group, NO_LIMIT), SESSIONS_OK);
	sessions_remove(t, &one);
	sessions_remove(t, &group);
	sessions_free(t);
}

static void the_oldest_discovery_session_is_to_make_way(void **state)
{
	struct sessions *t = sessions_new(2);
	struct session_entry first = entry(NULL, 1), second = entry(NULL, 1),
			     third = entry(NULL, 1);
	struct reactor *reactor;
	uint16_t tsih = 0;

	(void)state;
	assert_int_equal(add(t, &first, NO_LIMIT), SESSIONS_OK);
	assert_int_equal(add(t, &second, NO_LIMIT), SESSIONS_OK);
	assert_int_equal(sessions_add(t, &third, 65535, NO_LIMIT, &reactor, &tsih), SESSIONS_TAKEN);
	assert_int_equal(tsih, first.tsih);
	sessions_remove(t, &first);
	assert_int_equal(add(t, &third, NO_LIMIT), SESSIONS_OK);
	sessions_remove(t, &second);
	sessions_remove(t, &third);
	sessions_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_counted_for_each_of_many_targets),
		cmocka_unit_test(a_target_that_is_full_takes_the_next_when_one_has_left),
		cmocka_unit_test(an_initiator_port_has_one_session_with_a_portal_group),
		cmocka_unit_test(the_oldest_discovery_session_is_to_make_way),
	};

	return cmocka_run_group_tests_name("iscsi sessions", tests, NULL, NULL);
}

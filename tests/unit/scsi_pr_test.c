/* SPDX-License-Identifier: BSD-2-Clause */
/* Persistent reservations: the state machine, rule by rule (SPC-5 5.14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scsi/pr.h"

static struct pr pr;
static char heard[256];

static const struct pr_nexus A = { "a", 1 }, B = { "b", 1 }, C = { "c", 1 }, A2 = { "a", 2 };

/* "b:released " and so on, in the order in which it was told. */
static void hear(void *arg, const struct pr_reg *who, enum pr_event what)
{
	static const char *const words[] = { "preempted", "released", "unregistered" };
	size_t n = strlen(heard);

	(void)arg;
	snprintf(heard + n, sizeof(heard) - n, "%s:%s ", who->initiator, words[what]);
}

static const struct pr_ear ear = { hear, NULL };

static int setup(void **state)
{
	(void)state;
	pr_init(&pr);
	heard[0] = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pr_clear(&pr);
	return 0;
}

static enum pr_end reg(const struct pr_nexus *n, uint64_t key, uint64_t next)
{
	return pr_register(&pr, n, &(struct pr_request){ .key = key, .next = next }, &ear);
}

/* a, b and c are registered with 0xa, 0xb and 0xc; a reserves. */
static void all_registered(uint8_t type)
{
	assert_int_equal(reg(&A, 0, 0xa), PR_DONE);
	assert_int_equal(reg(&B, 0, 0xb), PR_DONE);
	assert_int_equal(reg(&C, 0, 0xc), PR_DONE);
	if (type)
		assert_int_equal(pr_reserve(&pr, &A, 0xa, type), PR_DONE);
}

static void a_registration_needs_the_key_that_is_there(void **state)
{
	(void)state;
	assert_int_equal(reg(&A, 5, 6), PR_CONFLICT);
	assert_int_equal(reg(&A, 0, 6), PR_DONE);
	assert_int_equal(reg(&A, 0, 7), PR_CONFLICT);
	assert_int_equal(reg(&A, 6, 7), PR_DONE);
	assert_int_equal(pr_find(&pr, &A)->key, 7);
	assert_int_equal(reg(&A, 7, 0), PR_DONE);
	assert_null(pr_find(&pr, &A));
	assert_int_equal(pr.generation, 3);
}

static void registering_anyhow_needs_no_key(void **state)
{
	struct pr_request set = { .key = 99, .next = 6, .anyhow = true };
	struct pr_request unset = { .key = 99, .next = 0, .anyhow = true };

	(void)state;
	assert_int_equal(pr_register(&pr, &A, &set, &ear), PR_DONE);
	set.next = 7;
	assert_int_equal(pr_register(&pr, &A, &set, &ear), PR_DONE);
	assert_int_equal(pr_find(&pr, &A)->key, 7);
	assert_int_equal(pr_register(&pr, &A, &unset, &ear), PR_DONE);
	assert_int_equal(pr.n, 0);
}

static void unregistering_what_is_not_registered_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(reg(&A, 0, 0), PR_DONE);
	assert_int_equal(pr.generation, 0);
}

static void one_initiator_through_two_ports_is_two_nexuses(void **state)
{
	(void)state;
	reg(&A, 0, 1);
	assert_null(pr_find(&pr, &A2));
	assert_int_equal(reg(&A2, 0, 2), PR_DONE);
	assert_int_equal(pr.n, 2);
}

static void a_registration_for_all_ports_takes_the_place_of_others(void **state)
{
	(void)state;
	reg(&A, 0, 1);
	reg(&B, 0, 2);
	assert_int_equal(pr_reserve(&pr, &A, 1, PR_WRITE_EXCLUSIVE), PR_DONE);
	assert_int_equal(
		pr_register(&pr, &A2, &(struct pr_request){ .next = 3, .all_ports = true }, &ear),
		PR_DONE);
	assert_int_equal(pr.n, 2);
	assert_int_equal(pr_find(&pr, &A)->key, 3);
	assert_ptr_equal(pr_find(&pr, &A), pr_find(&pr, &A2));
	assert_true(pr_holds(&pr, pr_find(&pr, &A2)));
}

static void others_are_registered_with_one_all_or_none(void **state)
{
	const struct pr_nexus more[] = { B, C };

	(void)state;
	assert_int_equal(pr_register(&pr, &A,
				 &(struct pr_request){ .next = 1, .more = more, .nmore = 2 }, &ear),
		PR_DONE);
	assert_int_equal(pr.n, 3);
	assert_int_equal(pr_find(&pr, &C)->key, 1);
	assert_int_equal(pr.generation, 1);
}

static void others_that_are_registered_are_not_registered_anew(void **state)
{
	const struct pr_nexus more[] = { C, B };
	struct pr_request req = { .next = 1, .more = more, .nmore = 2 };

	(void)state;
	assert_int_equal(reg(&B, 0, 2), PR_DONE);
	assert_int_equal(pr_register(&pr, &A, &req, &ear), PR_REGISTERED);
	assert_int_equal(pr.n, 1);
	assert_int_equal(pr_find(&pr, &B)->key, 2);
	assert_int_equal(pr.generation, 1);
}

static void the_number_of_registrants_has_a_limit(void **state)
{
	char name[16];

	(void)state;
	for (unsigned i = 0; i < PR_REGS_MAX; i++) {
		snprintf(name, sizeof(name), "i%u", i);
		assert_int_equal(reg(&(struct pr_nexus){ name, 1 }, 0, 1), PR_DONE);
	}
	assert_int_equal(reg(&A, 0, 1), PR_NO_ROOM);
}

static void only_a_registrant_reserves_and_only_one(void **state)
{
	(void)state;
	assert_int_equal(pr_reserve(&pr, &A, 0, PR_WRITE_EXCLUSIVE), PR_CONFLICT);
	all_registered(PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_reserve(&pr, &A, 0xa, PR_WRITE_EXCLUSIVE), PR_DONE);
	assert_int_equal(pr_reserve(&pr, &A, 0xa, PR_EXCLUSIVE_ACCESS), PR_CONFLICT);
	assert_int_equal(pr_reserve(&pr, &B, 0xb, PR_WRITE_EXCLUSIVE), PR_CONFLICT);
	assert_int_equal(pr.generation, 3);
}

/* The table of access (SPC-5 table 66): holder, registered other, unregistered other. */
static void types_give_access_as_they_say(void **state)
{
	static const struct {
		uint8_t type;
		bool registered_reads, registered_writes, other_reads, other_writes;
	} rows[] = {
		{ PR_WRITE_EXCLUSIVE, true, false, true, false },
		{ PR_EXCLUSIVE_ACCESS, false, false, false, false },
		{ PR_WRITE_EXCLUSIVE_REGISTRANTS, true, true, true, false },
		{ PR_EXCLUSIVE_ACCESS_REGISTRANTS, true, true, false, false },
		{ PR_WRITE_EXCLUSIVE_ALL, true, true, true, false },
		{ PR_EXCLUSIVE_ACCESS_ALL, true, true, false, false },
	};

	(void)state;
	reg(&A, 0, 1);
	reg(&B, 0, 2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(pr_reserve(&pr, &A, 1, rows[i].type), PR_DONE);
		assert_true(pr_may_read(&pr, &A) && pr_may_write(&pr, &A));
		assert_int_equal(pr_may_read(&pr, &B), rows[i].registered_reads);
		assert_int_equal(pr_may_write(&pr, &B), rows[i].registered_writes);
		assert_int_equal(pr_may_read(&pr, &C), rows[i].other_reads);
		assert_int_equal(pr_may_write(&pr, &C), rows[i].other_writes);
		assert_int_equal(pr_release(&pr, &A, 1, rows[i].type, &ear), PR_DONE);
	}
	assert_true(pr_may_write(&pr, &C));
}

static void only_the_holder_releases_and_with_its_type(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_release(&pr, &B, 0xb, PR_WRITE_EXCLUSIVE, &ear), PR_DONE);
	assert_int_equal(pr.type, PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_release(&pr, &B, 1, PR_WRITE_EXCLUSIVE, &ear), PR_CONFLICT);
	assert_int_equal(pr_release(&pr, &A, 0xa, PR_EXCLUSIVE_ACCESS, &ear), PR_BAD_RELEASE);
	assert_int_equal(pr_release(&pr, &A, 0xa, PR_WRITE_EXCLUSIVE, &ear), PR_DONE);
	assert_int_equal(pr.type, PR_NONE);
	assert_string_equal(heard, "");
}

static void registrants_hear_of_the_release_of_theirs(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE_REGISTRANTS);
	assert_int_equal(pr_release(&pr, &A, 0xa, PR_WRITE_EXCLUSIVE_REGISTRANTS, &ear), PR_DONE);
	assert_string_equal(heard, "b:released c:released ");
}

static void a_holder_that_unregisters_gives_up_the_reservation(void **state)
{
	(void)state;
	all_registered(PR_EXCLUSIVE_ACCESS);
	assert_int_equal(reg(&A, 0xa, 0), PR_DONE);
	assert_int_equal(pr.type, PR_NONE);
	assert_string_equal(heard, "");
}

static void registrants_hear_when_the_holder_unregisters(void **state)
{
	(void)state;
	all_registered(PR_EXCLUSIVE_ACCESS_REGISTRANTS);
	reg(&A, 0xa, 0);
	assert_int_equal(pr.type, PR_NONE);
	assert_string_equal(heard, "c:released b:released ");
}

static void a_reservation_of_all_ends_with_the_last(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE_ALL);
	reg(&A, 0xa, 0);
	reg(&B, 0xb, 0);
	assert_int_equal(pr.type, PR_WRITE_EXCLUSIVE_ALL);
	assert_true(pr_holds(&pr, pr_find(&pr, &C)));
	reg(&C, 0xc, 0);
	assert_int_equal(pr.type, PR_NONE);
	assert_string_equal(heard, "");
}

static void any_registrant_releases_one_of_all(void **state)
{
	(void)state;
	all_registered(PR_EXCLUSIVE_ACCESS_ALL);
	assert_int_equal(pr_release(&pr, &C, 0xc, PR_EXCLUSIVE_ACCESS_ALL, &ear), PR_DONE);
	assert_int_equal(pr.type, PR_NONE);
	assert_string_equal(heard, "a:released b:released ");
}

static void clear_forgets_everybody(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_clear_all(&pr, &B, 0xa, &ear), PR_CONFLICT);
	assert_int_equal(pr_clear_all(&pr, &B, 0xb, &ear), PR_DONE);
	assert_int_equal(pr.n, 0);
	assert_int_equal(pr.type, PR_NONE);
	assert_int_equal(pr.generation, 4);
	assert_string_equal(heard, "a:preempted c:preempted ");
}

static void preempting_a_registrant_leaves_the_reservation(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_preempt(&pr, &B, 0xb, 0xc, PR_EXCLUSIVE_ACCESS, &ear), PR_DONE);
	assert_null(pr_find(&pr, &C));
	assert_true(pr_holds(&pr, pr_find(&pr, &A)));
	assert_int_equal(pr.type, PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr.generation, 4);
	assert_string_equal(heard, "c:unregistered ");
}

static void preempting_the_holder_takes_the_reservation(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_preempt(&pr, &B, 0xb, 0xa, PR_EXCLUSIVE_ACCESS, &ear), PR_DONE);
	assert_null(pr_find(&pr, &A));
	assert_true(pr_holds(&pr, pr_find(&pr, &B)));
	assert_int_equal(pr.type, PR_EXCLUSIVE_ACCESS);
	assert_string_equal(heard, "a:unregistered c:released ");
}

static void registrants_hear_when_theirs_becomes_another(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE_REGISTRANTS);
	assert_int_equal(pr_preempt(&pr, &B, 0xb, 0xa, PR_EXCLUSIVE_ACCESS, &ear), PR_DONE);
	assert_string_equal(heard, "a:unregistered c:released ");
}

static void preempting_oneself_changes_the_type(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_preempt(&pr, &A, 0xa, 0xa, PR_EXCLUSIVE_ACCESS, &ear), PR_DONE);
	assert_true(pr_holds(&pr, pr_find(&pr, &A)));
	assert_int_equal(pr.type, PR_EXCLUSIVE_ACCESS);
	assert_int_equal(pr.n, 3);
}

static void preempting_with_0_takes_one_of_all(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE_ALL);
	assert_int_equal(pr_preempt(&pr, &B, 0xb, 0, PR_EXCLUSIVE_ACCESS, &ear), PR_DONE);
	assert_int_equal(pr.n, 1);
	assert_true(pr_holds(&pr, pr_find(&pr, &B)));
	assert_int_equal(pr.type, PR_EXCLUSIVE_ACCESS);
	assert_string_equal(heard, "a:unregistered c:unregistered ");
}

static void preempting_with_a_key_leaves_one_of_all(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE_ALL);
	assert_int_equal(pr_preempt(&pr, &B, 0xb, 0xa, PR_EXCLUSIVE_ACCESS, &ear), PR_DONE);
	assert_int_equal(pr.type, PR_WRITE_EXCLUSIVE_ALL);
	assert_int_equal(pr.n, 2);
}

static void preempting_nobody_is_a_conflict_and_0_a_bad_key(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_preempt(&pr, &B, 0xb, 0xdead, PR_EXCLUSIVE_ACCESS, &ear), PR_CONFLICT);
	assert_int_equal(pr_preempt(&pr, &B, 0xb, 0, PR_EXCLUSIVE_ACCESS, &ear), PR_BAD_KEY);
	assert_int_equal(pr_preempt(&pr, &B, 0xdead, 0xa, PR_EXCLUSIVE_ACCESS, &ear), PR_CONFLICT);
	assert_int_equal(pr.generation, 3);
	assert_string_equal(heard, "");
}

static void without_a_reservation_preempting_unregisters_also_oneself(void **state)
{
	(void)state;
	reg(&A, 0, 1);
	reg(&B, 0, 1);
	reg(&C, 0, 3);
	assert_int_equal(pr_preempt(&pr, &A, 1, 1, PR_EXCLUSIVE_ACCESS, &ear), PR_DONE);
	assert_int_equal(pr.n, 1);
	assert_int_equal(pr.type, PR_NONE);
	assert_string_equal(heard, "b:unregistered ");
}

static void the_holder_moves_its_reservation(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_move(&pr, &B, 0xb, &C, 0xcc, false), PR_CONFLICT);
	assert_int_equal(pr_move(&pr, &A, 0xa, &C, 0, false), PR_BAD_KEY);
	assert_int_equal(pr_move(&pr, &A, 0xa, &C, 0xcc, false), PR_DONE);
	assert_true(pr_holds(&pr, pr_find(&pr, &C)));
	assert_false(pr_holds(&pr, pr_find(&pr, &A)));
	assert_int_equal(pr_find(&pr, &C)->key, 0xcc);
	assert_int_equal(pr.n, 3);
}

static void moving_may_register_the_other_and_unregister_oneself(void **state)
{
	const struct pr_nexus D = { "d", 2 };

	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE);
	assert_int_equal(pr_move(&pr, &A, 0xa, &D, 0xd, true), PR_DONE);
	assert_true(pr_holds(&pr, pr_find(&pr, &D)));
	assert_null(pr_find(&pr, &A));
	assert_int_equal(pr.n, 3);
}

static void one_of_all_cannot_be_moved(void **state)
{
	(void)state;
	all_registered(PR_WRITE_EXCLUSIVE_ALL);
	assert_int_equal(pr_move(&pr, &A, 0xa, &B, 0xbb, false), PR_CONFLICT);
}

/* --- against a model ------------------------------------------------------------------ */

#define MODEL_N 4

/* The same rules said once more, over a table of all nexuses. */
struct model {
	uint64_t key[MODEL_N];
	int holder; /* -1: none; MODEL_N: all */
	uint8_t type;
	uint32_t generation;
};

static unsigned model_count(const struct model *m)
{
	unsigned n = 0;

	for (int i = 0; i < MODEL_N; i++)
		n += m->key[i] != 0;
	return n;
}

static void model_unregister(struct model *m, int i)
{
	m->key[i] = 0;
	if (m->holder == i || (m->holder == MODEL_N && !model_count(m))) {
		m->holder = -1;
		m->type = 0;
	}
}

static enum pr_end model_preempt(struct model *m, int i, uint64_t victim, uint8_t type)
{
	bool seize = m->holder == MODEL_N ? !victim
					  : m->holder >= 0 && m->key[m->holder] == victim && victim;
	bool any = false;

	if (!victim && !seize)
		return PR_BAD_KEY;
	for (int k = 0; k < MODEL_N; k++)
		any |= m->key[k] == victim;
	if (victim && !any)
		return PR_CONFLICT;
	for (int k = 0; k < MODEL_N; k++)
		if (m->key[k] && (!victim || m->key[k] == victim) && !(seize && k == i))
			m->key[k] = 0;
	if (seize) {
		m->holder = type >= 7 ? MODEL_N : i;
		m->type = type;
	} else if (m->holder == MODEL_N && !model_count(m)) {
		m->holder = -1;
		m->type = 0;
	}
	m->generation++;
	return PR_DONE;
}

static enum pr_end model_act(
	struct model *m, unsigned action, int i, uint64_t key, uint64_t next, uint8_t type, int to)
{
	bool proven = m->key[i] && m->key[i] == key;
	bool holds = m->holder == i || (m->holder == MODEL_N && m->key[i]);

	switch (action) {
	case 0:
		if (key != m->key[i])
			return PR_CONFLICT;
		/* fall through */
	case 1:
		if (!next && !m->key[i])
			return PR_DONE;
		m->generation++;
		if (next)
			m->key[i] = next;
		else
			model_unregister(m, i);
		return PR_DONE;
	case 2:
		if (!proven)
			return PR_CONFLICT;
		if (m->type)
			return holds && m->type == type ? PR_DONE : PR_CONFLICT;
		m->type = type;
		m->holder = type >= 7 ? MODEL_N : i;
		return PR_DONE;
	case 3:
		if (!proven)
			return PR_CONFLICT;
		if (!holds)
			return PR_DONE;
		if (m->type != type)
			return PR_BAD_RELEASE;
		m->type = 0;
		m->holder = -1;
		return PR_DONE;
	case 4:
		if (!proven)
			return PR_CONFLICT;
		*m = (struct model){ .holder = -1, .generation = m->generation + 1 };
		return PR_DONE;
	case 5: return proven ? model_preempt(m, i, next, type) : PR_CONFLICT;
	default:
		if (m->key[i] && !m->type)
			return PR_NOT_RESERVED;
		if (!proven || m->holder != i)
			return PR_CONFLICT;
		if (!next || to == i)
			return PR_BAD_KEY;
		m->key[to] = next;
		m->holder = to;
		if (type & 1)
			m->key[i] = 0;
		m->generation++;
		return PR_DONE;
	}
}

static enum pr_end machine_act(unsigned action, const struct pr_nexus *n, uint64_t key,
	uint64_t next, uint8_t type, const struct pr_nexus *to)
{
	switch (action) {
	case 0:
	case 1:
		return pr_register(&pr, n,
			&(struct pr_request){ key, next, action == 1, false, NULL, 0 }, &ear);
	case 2: return pr_reserve(&pr, n, key, type);
	case 3: return pr_release(&pr, n, key, type, &ear);
	case 4: return pr_clear_all(&pr, n, key, &ear);
	case 5: return pr_preempt(&pr, n, key, next, type, &ear);
	default: return pr_move(&pr, n, key, to, next, type & 1);
	}
}

static void ten_thousand_random_actions_agree_with_a_model(void **state)
{
	static const struct pr_nexus nexus[MODEL_N] = { { "a", 1 }, { "b", 1 }, { "c", 1 },
		{ "a", 2 } };
	static const uint8_t types[] = { 1, 3, 5, 6, 7, 8 };
	struct model m = { .holder = -1 };
	uint32_t rnd = 20261121;

	(void)state;
	for (unsigned step = 0; step < 10000; step++) {
		int i, to;
		unsigned action;
		uint64_t key, next;
		uint8_t type;

		rnd = rnd * 1664525 + 1013904223;
		i = rnd >> 8 & 3;
		to = rnd >> 10 & 3;
		action = (rnd >> 12 & 63) % 13;
		action = action > 6 ? action % 4 : action; /* CLEAR and its like are rarer */
		key = (rnd >> 18 & 3) ? m.key[i] : (rnd >> 20 & 3);
		next = rnd >> 22 & 3;
		type = types[(rnd >> 24) % 6];
		heard[0] = 0;
		assert_int_equal(machine_act(action, &nexus[i], key, next, type, &nexus[to]),
			model_act(&m, action, i, key, next, type, to));
		assert_int_equal(pr.n, model_count(&m));
		assert_int_equal(pr.type, m.type);
		assert_int_equal(pr.generation, m.generation);
		for (int k = 0; k < MODEL_N; k++) {
			const struct pr_reg *r = pr_find(&pr, &nexus[k]);

			assert_int_equal(r ? r->key : 0, m.key[k]);
			assert_int_equal(pr_holds(&pr, pr_find(&pr, &nexus[k])),
				m.holder == k || (m.holder == MODEL_N && m.key[k]));
		}
	}
	assert_true(m.generation > 1000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_registration_needs_the_key_that_is_there),
		T(registering_anyhow_needs_no_key),
		T(unregistering_what_is_not_registered_changes_nothing),
		T(one_initiator_through_two_ports_is_two_nexuses),
		T(a_registration_for_all_ports_takes_the_place_of_others),
		T(others_are_registered_with_one_all_or_none),
		T(others_that_are_registered_are_not_registered_anew),
		T(the_number_of_registrants_has_a_limit),
		T(only_a_registrant_reserves_and_only_one),
		T(types_give_access_as_they_say),
		T(only_the_holder_releases_and_with_its_type),
		T(registrants_hear_of_the_release_of_theirs),
		T(a_holder_that_unregisters_gives_up_the_reservation),
		T(registrants_hear_when_the_holder_unregisters),
		T(a_reservation_of_all_ends_with_the_last),
		T(any_registrant_releases_one_of_all),
		T(clear_forgets_everybody),
		T(preempting_a_registrant_leaves_the_reservation),
		T(preempting_the_holder_takes_the_reservation),
		T(registrants_hear_when_theirs_becomes_another),
		T(preempting_oneself_changes_the_type),
		T(preempting_with_0_takes_one_of_all),
		T(preempting_with_a_key_leaves_one_of_all),
		T(preempting_nobody_is_a_conflict_and_0_a_bad_key),
		T(without_a_reservation_preempting_unregisters_also_oneself),
		T(the_holder_moves_its_reservation),
		T(moving_may_register_the_other_and_unregister_oneself),
		T(one_of_all_cannot_be_moved),
		T(ten_thousand_random_actions_agree_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

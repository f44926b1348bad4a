/* SPDX-License-Identifier: BSD-2-Clause */
/* The credential table: snapshots that do not disturb each other, many rows, no memory. */
#include "chap_table_support.h"

/* Snapshots. */

static void a_snapshot_does_not_see_what_later_edits_do(void **state)
{
	struct table_edit *e = edit_of(NULL);
	const struct table *before, *after;

	(void)state;
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "first-secret-1"));
	before = snapshot(e);
	e = edit_of(before);
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "second-secret2"));
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I2, "third-secret-3"));
	after = snapshot(e);
	assert_int_equal(table_count(before), 1);
	assert_true(secret_equal(table_find(before, CREDENTIAL_OF_TARGET, T1, I1)->spec.in_secret,
		text("first-secret-1")));
	assert_null(table_find(before, CREDENTIAL_OF_TARGET, T1, I2));
	assert_int_equal(table_count(after), 2);
	assert_true(secret_equal(table_find(after, CREDENTIAL_OF_TARGET, T1, I1)->spec.in_secret,
		text("second-secret2")));
	table_unref(before);
	assert_non_null(table_find(after, CREDENTIAL_OF_TARGET, T1, I2));
	table_unref(after);
}

static void an_edit_outlives_the_snapshot_it_began_with(void **state)
{
	struct table_edit *e = edit_of(NULL);
	const struct table *base, *t;

	(void)state;
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "first-secret-1"));
	base = snapshot(e);
	e = edit_of(base);
	table_unref(base);
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "second-secret2"));
	t = snapshot(e);
	assert_int_equal(table_count(t), 1);
	table_unref(t);
}

static void an_abandoned_edit_changes_nothing(void **state)
{
	struct table_edit *e = edit_of(NULL);
	const struct table *t;

	(void)state;
	put(e, mutual_row(T1, I1, "in-secret-0001", "out-secret-001"));
	t = snapshot(e);
	e = edit_of(t);
	assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_TARGET, T1, I1), TABLE_OK);
	table_edit_abandon(e);
	table_edit_abandon(NULL);
	assert_non_null(table_find(t, CREDENTIAL_OF_TARGET, T1, I1));
	e = edit_of(t);
	assert_conflict(e, chap_row(CREDENTIAL_OF_TARGET, T2, I2, "out-secret-001"),
		TABLE_IN_USED_OUT, T1, I1);
	table_edit_abandon(e);
	table_unref(t);
}

static void a_row_outlives_its_tables_as_long_as_it_is_referenced(void **state)
{
	struct table_edit *e = edit_of(NULL);
	const struct credential *c;
	const struct table *t;

	(void)state;
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"));
	t = table_ref(snapshot(e));
	c = credential_ref(table_find(t, CREDENTIAL_OF_TARGET, T1, I1));
	table_unref(t);
	table_unref(t);
	assert_true(secret_equal(c->spec.in_secret, text("secret-of-host1")));
	credential_unref(c);
	credential_unref(NULL);
	assert_null(credential_ref(NULL));
}

static void removing_what_is_not_there_is_not_found(void **state)
{
	struct table_edit *e = edit_of(NULL);
	char huge[300];

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"));
	assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_TARGET, T1, I2), TABLE_NOT_FOUND);
	assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_SVM, T1, I1), TABLE_NOT_FOUND);
	assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_TARGET, T1, huge), TABLE_NOT_FOUND);
	assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_TARGET, NULL, I1), TABLE_NOT_FOUND);
	table_edit_abandon(e);
}

static void a_target_stays_closed_until_its_last_chap_row_is_gone(void **state)
{
	struct table_edit *e = edit_of(NULL);
	const struct table *t;

	(void)state;
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"));
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I2, "secret-of-host2"));
	assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_TARGET, T1, I1), TABLE_OK);
	t = snapshot(e);
	assert_true(table_closed(t, T1));
	e = edit_of(t);
	table_unref(t);
	assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_TARGET, T1, I2), TABLE_OK);
	t = snapshot(e);
	assert_false(table_closed(t, T1));
	assert_int_equal(table_count(t), 0);
	table_unref(t);
}

static bool count_up_to_three(const struct credential *c, void *arg)
{
	unsigned *n = arg;

	assert_non_null(c);
	return ++*n < 3;
}

static bool count(const struct credential *c, void *arg)
{
	assert_non_null(c);
	++*(unsigned *)arg;
	return true;
}

static void all_rows_are_visited_or_as_many_as_are_wanted(void **state)
{
	struct table_edit *e = edit_of(NULL);
	unsigned n = 0;
	const struct table *t;

	(void)state;
	for (int i = 0; i < 500; i++) {
		char name[64];

		snprintf(name, sizeof(name), "iqn.2026-11.com.example:h%d", i);
		put(e, chap_row(CREDENTIAL_OF_TARGET, T1, name, "secret-of-them-all"));
	}
	t = snapshot(e);
	table_each(t, count, &n);
	assert_int_equal(n, 500);
	n = 0;
	table_each(t, count_up_to_three, &n);
	assert_int_equal(n, 3);
	table_unref(t);
}

static void no_table_is_a_table_without_rows(void **state)
{
	unsigned n = 0;

	(void)state;
	assert_null(table_ref(NULL));
	table_unref(NULL);
	assert_int_equal(table_count(NULL), 0);
	assert_null(table_find(NULL, CREDENTIAL_OF_TARGET, T1, I1));
	assert_false(table_closed(NULL, T1));
	table_each(NULL, count, &n);
	assert_int_equal(n, 0);
}

/* Many rows: shards fill up, grow, are shared and copied. The table is compared with a plain array
 * that says what ought to be in it. */

enum { NAMES = 20000, CHANGES = 60000 };

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void name_of(unsigned i, char *name, size_t size)
{
	snprintf(name, size, "iqn.2026-11.com.example:h%u", i);
}

static void compare_with_model(const struct table *t, const uint16_t *model)
{
	size_t rows = 0;

	for (unsigned i = 0; i < NAMES; i++) {
		const struct credential *c;
		char name[64], secret[32];

		name_of(i, name, sizeof(name));
		c = table_find(t, CREDENTIAL_OF_TARGET, T1, name);
		assert_int_equal(c != NULL, model[i] != 0);
		if (!c)
			continue;
		rows++;
		snprintf(secret, sizeof(secret), "secret-%u-%u", i, model[i]);
		assert_true(secret_equal(c->spec.in_secret, text(secret)));
	}
	assert_int_equal(table_count(t), rows);
}

static void change_one(struct table_edit *e, uint16_t *model, unsigned *seed)
{
	unsigned i = next_random(seed) % NAMES;
	char name[64], secret[32];

	name_of(i, name, sizeof(name));
	if (model[i] && next_random(seed) % 2) {
		assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_TARGET, T1, name), TABLE_OK);
		model[i] = 0;
		return;
	}
	model[i]++;
	snprintf(secret, sizeof(secret), "secret-%u-%u", i, model[i]);
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, name, secret));
}

static void a_large_table_is_what_its_changes_made_it(void **state)
{
	static uint16_t model[NAMES], old_model[NAMES];
	const struct table *t = NULL, *next;
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		struct table_edit *e = edit_of(t);

		for (unsigned k = 0; k < CHANGES / 6; k++)
			change_one(e, model, &seed);
		next = snapshot(e);
		compare_with_model(t, old_model);
		compare_with_model(next, model);
		table_unref(t);
		t = next;
		memcpy(old_model, model, sizeof(model));
	}
	table_unref(t);
}

/* Failures. */

static void a_table_is_not_begun_without_randomness(void **state)
{
	struct table_edit *e = NULL;

	(void)state;
	for (unsigned call = 1; call <= 3; call++) {
		faults.random_fails = call;
		assert_int_equal(table_edit_begin(NULL, &e), TABLE_NO_RANDOM);
		faults_clear();
		assert_null(e);
	}
}

static void a_table_is_not_begun_without_memory(void **state)
{
	struct table_edit *e = NULL;

	(void)state;
	faults.no_memory = 1;
	assert_int_equal(table_edit_begin(NULL, &e), TABLE_NO_MEMORY);
	faults_clear();
	assert_null(e);
}

static void a_put_that_runs_out_of_memory_leaves_the_old_row_and_its_secrets(void **state)
{
	struct credential_spec s = mutual_row(T1, I1, "new-secret-in1", "new-secret-out");
	struct table_edit *e = edit_of(NULL);
	enum table_fault fault;
	const struct table *base;
	unsigned n = 0;

	(void)state;
	put(e, mutual_row(T1, I1, "old-secret-in1", "old-secret-out"));
	base = snapshot(e);
	e = edit_of(base);
	do {
		faults.no_memory = ++n;
		fault = table_edit_put(e, &s, NULL);
		faults_clear();
		if (fault == TABLE_OK)
			break;
		assert_int_equal(fault, TABLE_NO_MEMORY);
		assert_true(secret_equal(
			table_edit_find(e, CREDENTIAL_OF_TARGET, T1, I1)->spec.in_secret,
			text("old-secret-in1")));
		assert_conflict(e, chap_row(CREDENTIAL_OF_TARGET, T2, I2, "old-secret-out"),
			TABLE_IN_USED_OUT, T1, I1);
	} while (n < 100);
	assert_true(n > 2 && n < 100);
	assert_true(secret_equal(table_edit_find(e, CREDENTIAL_OF_TARGET, T1, I1)->spec.in_secret,
		text("new-secret-in1")));
	table_edit_abandon(e);
	table_unref(base);
}

static void a_removal_that_runs_out_of_memory_leaves_the_row(void **state)
{
	struct table_edit *e = edit_of(NULL);
	enum table_fault fault;
	const struct table *base;
	unsigned n = 0;

	(void)state;
	put(e, mutual_row(T1, I1, "old-secret-in1", "old-secret-out"));
	base = snapshot(e);
	e = edit_of(base);
	do {
		faults.no_memory = ++n;
		fault = table_edit_remove(e, CREDENTIAL_OF_TARGET, T1, I1);
		faults_clear();
		if (fault == TABLE_OK)
			break;
		assert_int_equal(fault, TABLE_NO_MEMORY);
		assert_non_null(table_edit_find(e, CREDENTIAL_OF_TARGET, T1, I1));
	} while (n < 100);
	assert_true(n > 1 && n < 100);
	assert_null(table_edit_find(e, CREDENTIAL_OF_TARGET, T1, I1));
	table_edit_abandon(e);
	table_unref(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_does_not_see_what_later_edits_do),
		cmocka_unit_test(an_edit_outlives_the_snapshot_it_began_with),
		cmocka_unit_test(an_abandoned_edit_changes_nothing),
		cmocka_unit_test(a_row_outlives_its_tables_as_long_as_it_is_referenced),
		cmocka_unit_test(removing_what_is_not_there_is_not_found),
		cmocka_unit_test(a_target_stays_closed_until_its_last_chap_row_is_gone),
		cmocka_unit_test(all_rows_are_visited_or_as_many_as_are_wanted),
		cmocka_unit_test(no_table_is_a_table_without_rows),
		cmocka_unit_test(a_large_table_is_what_its_changes_made_it),
		cmocka_unit_test(a_table_is_not_begun_without_randomness),
		cmocka_unit_test(a_table_is_not_begun_without_memory),
		cmocka_unit_test(a_put_that_runs_out_of_memory_leaves_the_old_row_and_its_secrets),
		cmocka_unit_test(a_removal_that_runs_out_of_memory_leaves_the_row),
	};

	faults_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

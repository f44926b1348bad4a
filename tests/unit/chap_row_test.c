/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules for rows: what each must be, and which secrets may not be in both directions. */
#include "chap_table_support.h"

static void assert_refused(struct table_edit *e, struct credential_spec spec, enum table_fault want)
{
	const struct credential *other = (const void *)1;

	assert_int_equal(table_edit_put(e, &spec, &other), want);
	assert_null(other);
}

/* Rows. */

static void a_row_keeps_all_that_it_was_given_in_memory_of_its_own(void **state)
{
	char scope[] = T1, initiator[] = I1, in_user[] = "Alice", out_user[] = "Bob", by[] = "root";
	char in[] = "in-secret-0001", old[] = "in-secret-0000", out[] = "out-secret-001";
	char old_out[] = "out-secret-000", sources[] = "10.0.0.1-10.0.0.9, ::1-::2";
	struct source_range r[2] = { { source("10.0.0.1"), source("10.0.0.9") },
		{ source("::1"), source("::2") } };
	struct credential_spec spec = {
		.scope = CREDENTIAL_OF_TARGET,
		.scope_name = scope,
		.initiator = initiator,
		.in_user = in_user,
		.in_secret = text(in),
		.old_secret = text(old),
		.old_until = 1234567890123,
		.old_out_secret = text(old_out),
		.out_user = out_user,
		.out_secret = text(out),
		.sources = r,
		.source_count = 2,
		.source_text = sources,
		.origin = CREDENTIAL_FROM_NATIVE,
		.written_by = by,
	};
	struct table_edit *e = edit_of(NULL);
	const struct credential_spec *got;

	(void)state;
	put(e, spec);
	memset(scope, 0, sizeof(scope));
	memset(initiator, 0, sizeof(initiator));
	memset(in_user, 0, sizeof(in_user));
	memset(out_user, 0, sizeof(out_user));
	memset(by, 0, sizeof(by));
	memset(in, 0, sizeof(in));
	memset(old, 0, sizeof(old));
	memset(out, 0, sizeof(out));
	memset(old_out, 0, sizeof(old_out));
	memset(sources, 0, sizeof(sources));
	memset(r, 0, sizeof(r));
	got = &table_edit_find(e, CREDENTIAL_OF_TARGET, T1, I1)->spec;
	assert_string_equal(got->scope_name, T1);
	assert_string_equal(got->initiator, I1);
	assert_string_equal(got->in_user, "Alice");
	assert_string_equal(got->out_user, "Bob");
	assert_string_equal(got->written_by, "root");
	assert_true(secret_equal(got->in_secret, text("in-secret-0001")));
	assert_true(secret_equal(got->old_secret, text("in-secret-0000")));
	assert_true(secret_equal(got->out_secret, text("out-secret-001")));
	assert_true(secret_equal(got->old_out_secret, text("out-secret-000")));
	assert_string_equal(got->source_text, "10.0.0.1-10.0.0.9, ::1-::2");
	assert_true(got->old_until == 1234567890123);
	assert_int_equal(got->source_count, 2);
	assert_int_equal(source_range_check(&got->sources[1]), SOURCE_OK);
	assert_int_equal(got->origin, CREDENTIAL_FROM_NATIVE);
	table_edit_abandon(e);
}

static void names_must_be_there_and_fit(void **state)
{
	struct credential_spec good = chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"), s;
	struct table_edit *e = edit_of(NULL);
	char longest[256 + 1];

	(void)state;
	memset(longest, 'x', 256);
	longest[256] = '\0';
	s = good, s.scope_name = NULL;
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.scope_name = "";
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.scope_name = longest;
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.scope = CREDENTIAL_OF_DISCOVERY;
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.initiator = NULL;
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.initiator = "";
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.initiator = longest;
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.in_user = longest;
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.out_user = longest;
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.written_by = longest;
	assert_refused(e, s, TABLE_BAD_NAME);
	s = good, s.in_user = longest + 1;
	put(e, s);
	table_edit_abandon(e);
}

static void a_chap_row_needs_sound_secrets(void **state)
{
	struct credential_spec good = chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"), s;
	static uint8_t bytes[SECRET_MAX + 1];
	struct secret_view huge = { bytes, sizeof(bytes) }, empty = { bytes, 0 };
	struct table_edit *e = edit_of(NULL);

	(void)state;
	s = good, s.in_secret = (struct secret_view){ 0 };
	assert_refused(e, s, TABLE_SECRET_MISSING);
	s = good, s.in_secret = empty;
	assert_refused(e, s, TABLE_BAD_SECRET);
	s = good, s.in_secret = huge;
	assert_refused(e, s, TABLE_BAD_SECRET);
	s = good, s.old_secret = huge;
	assert_refused(e, s, TABLE_BAD_SECRET);
	s = good, s.out_secret = huge;
	assert_refused(e, s, TABLE_BAD_SECRET);
	s = good, s.in_secret = (struct secret_view){ bytes, SECRET_MAX };
	put(e, s);
	table_edit_abandon(e);
}

static void a_row_without_chap_takes_neither_users_nor_secrets(void **state)
{
	struct credential_spec good = plain_row(CREDENTIAL_OF_SVM, "svm1", I1, CREDENTIAL_NONE), s;
	struct table_edit *e = edit_of(NULL);

	(void)state;
	s = good, s.in_secret = text("secret-of-host1");
	assert_refused(e, s, TABLE_SECRET_UNUSED);
	s = good, s.old_secret = text("secret-of-host1");
	assert_refused(e, s, TABLE_SECRET_UNUSED);
	s = good, s.out_secret = text("secret-of-host1");
	assert_refused(e, s, TABLE_SECRET_UNUSED);
	s = good, s.in_user = "alice";
	assert_refused(e, s, TABLE_SECRET_UNUSED);
	s = good, s.out_user = "bob", s.type = CREDENTIAL_DENY;
	assert_refused(e, s, TABLE_SECRET_UNUSED);
	put(e, good);
	table_edit_abandon(e);
}

static void users_must_go_with_what_they_are_for(void **state)
{
	struct table_edit *e = edit_of(NULL);
	struct credential_spec s;

	(void)state;
	s = chap_row(CREDENTIAL_OF_TARGET, T1, "default", "secret-of-all"), s.in_user = "";
	assert_refused(e, s, TABLE_USER_MISSING);
	s = chap_row(CREDENTIAL_OF_SVM, "svm1", "Default", "secret-of-all"), s.in_user = NULL;
	assert_refused(e, s, TABLE_USER_MISSING);
	s = chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"), s.out_user = "bob";
	assert_refused(e, s, TABLE_USER_UNUSED);
	s = chap_row(CREDENTIAL_OF_DISCOVERY, "", I1, "secret-of-host1");
	s.out_secret = text("secret-of-target");
	assert_refused(e, s, TABLE_OUT_USER_MISSING);
	s.out_user = "bob";
	put(e, s);
	table_edit_abandon(e);
}

static void address_lists_are_checked(void **state)
{
	static struct source_range many[CREDENTIAL_SOURCES_MAX + 1];
	struct source_range backwards = { source("10.0.0.2"), source("10.0.0.1") };
	struct credential_spec s = plain_row(CREDENTIAL_OF_SVM, "svm1", I1, CREDENTIAL_NONE);
	struct table_edit *e = edit_of(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		many[i] = (struct source_range){ source("10.0.0.1"), source("10.0.0.2") };
	s.sources = &backwards, s.source_count = 1;
	assert_refused(e, s, TABLE_BAD_SOURCES);
	s.sources = many, s.source_count = CREDENTIAL_SOURCES_MAX + 1;
	assert_refused(e, s, TABLE_BAD_SOURCES);
	s.source_count = CREDENTIAL_SOURCES_MAX;
	put(e, s);
	s.initiator = "default", s.source_count = 1;
	assert_refused(e, s, TABLE_DEFAULT_SOURCES);
	s.scope = CREDENTIAL_OF_TARGET, s.scope_name = T1;
	put(e, s);
	table_edit_abandon(e);
}

/* No secret in both directions. */

static void the_uses_of_a_secret_are_counted(void **state)
{
	struct table_edit *e = edit_of(NULL);
	const struct table *t;

	(void)state;
	put(e, mutual_row(T1, I1, "in-secret-0001", "out-secret-001"));
	put(e, chap_row(CREDENTIAL_OF_SVM, "svm1", I2, "in-secret-0001"));
	put(e, chap_row(CREDENTIAL_OF_TARGET, T2, I2, "in-secret-0002"));
	t = snapshot(e);
	assert_int_equal(table_secret_uses(t, text("in-secret-0001")), 2);
	assert_int_equal(table_secret_uses(t, text("in-secret-0002")), 1);
	assert_int_equal(table_secret_uses(t, text("out-secret-001")), 0);
	assert_int_equal(table_secret_uses(t, (struct secret_view){ 0 }), 0);
	assert_int_equal(table_secret_uses(NULL, text("in-secret-0001")), 0);
	table_unref(t);
}

static void a_shared_row_is_one_row_in_both_tables(void **state)
{
	struct table_edit *one = edit_of(NULL), *two = edit_of(NULL);
	const struct credential *row, *other;

	(void)state;
	put(one, mutual_row(T1, I1, "in-secret-0001", "out-secret-001"));
	row = table_edit_find(one, CREDENTIAL_OF_TARGET, T1, I1);
	put(two, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "in-secret-0002"));
	assert_int_equal(table_edit_share(two, row, NULL), TABLE_OK);
	table_edit_abandon(one);
	assert_ptr_equal(table_edit_find(two, CREDENTIAL_OF_TARGET, T1, I1), row);
	assert_conflict(two, chap_row(CREDENTIAL_OF_TARGET, T2, I2, "out-secret-001"),
		TABLE_IN_USED_OUT, T1, I1);
	one = edit_of(NULL);
	put(one, chap_row(CREDENTIAL_OF_TARGET, T2, I2, "out-secret-001"));
	assert_int_equal(table_edit_share(one, row, &other), TABLE_OUT_USED_IN);
	assert_string_equal(other->spec.scope_name, T2);
	table_edit_abandon(one);
	table_edit_abandon(two);
}

static void one_row_may_not_have_one_secret_both_ways(void **state)
{
	struct table_edit *e = edit_of(NULL);
	struct credential_spec s = mutual_row(T1, I1, "same-secret-12", "same-secret-12");
	const struct table *t;

	(void)state;
	assert_refused(e, s, TABLE_SAME_SECRET);
	s = mutual_row(T1, I1, "new-secret-123", "old-secret-123");
	s.old_secret = text("old-secret-123");
	assert_refused(e, s, TABLE_SAME_SECRET);
	s = mutual_row(T1, I1, "new-secret-123", "out-secret-123");
	s.old_out_secret = text("new-secret-123");
	assert_refused(e, s, TABLE_SAME_SECRET);
	s.old_secret = s.old_out_secret = text("old-secret-123");
	assert_refused(e, s, TABLE_SAME_SECRET);
	t = snapshot(e);
	assert_int_equal(table_count(t), 0);
	table_unref(t);
}

static void an_inbound_secret_may_not_prove_a_target_elsewhere(void **state)
{
	struct table_edit *e = edit_of(NULL);
	struct credential_spec s = chap_row(CREDENTIAL_OF_SVM, "svm1", I2, "out-secret-001"),
			       first = mutual_row(T1, I1, "in-secret-0001", "out-secret-001");

	(void)state;
	put(e, first);
	assert_conflict(e, s, TABLE_IN_USED_OUT, T1, I1);
	s = chap_row(CREDENTIAL_OF_SVM, "svm1", I2, "in-secret-0002");
	s.old_secret = text("out-secret-001");
	assert_conflict(e, s, TABLE_IN_USED_OUT, T1, I1);
	first.old_out_secret = text("out-secret-000");
	put(e, first);
	assert_conflict(e, mutual_row(T2, I2, "out-secret-000", "out-secret-002"),
		TABLE_IN_USED_OUT, T1, I1);
	assert_null(table_edit_find(e, CREDENTIAL_OF_SVM, "svm1", I2));
	assert_int_equal(table_edit_put(e, &s, NULL), TABLE_IN_USED_OUT);
	table_edit_abandon(e);
}

static void an_outbound_secret_may_not_prove_an_initiator_elsewhere(void **state)
{
	struct credential_spec first = chap_row(CREDENTIAL_OF_TARGET, T1, I1, "in-secret-0001");
	struct table_edit *e = edit_of(NULL);

	(void)state;
	first.old_secret = text("in-secret-0000");
	put(e, first);
	assert_conflict(e, mutual_row(T2, I2, "in-secret-0002", "in-secret-0001"),
		TABLE_OUT_USED_IN, T1, I1);
	assert_conflict(e, mutual_row(T2, I2, "in-secret-0002", "in-secret-0000"),
		TABLE_OUT_USED_IN, T1, I1);
	table_edit_abandon(e);
}

static void the_row_in_the_way_is_found_among_many(void **state)
{
	struct table_edit *e = edit_of(NULL);

	(void)state;
	for (int i = 0; i < 300; i++) {
		char name[64], in[32], out[32];

		snprintf(name, sizeof(name), "iqn.2026-11.com.example:h%d", i);
		snprintf(in, sizeof(in), "in-secret-%d", i);
		snprintf(out, sizeof(out), "out-secret-%d", i);
		put(e, mutual_row(T1, name, in, out));
	}
	assert_conflict(e, chap_row(CREDENTIAL_OF_TARGET, T2, I2, "out-secret-123"),
		TABLE_IN_USED_OUT, T1, "iqn.2026-11.com.example:h123");
	assert_conflict(e, mutual_row(T2, I2, "new-secret", "in-secret-299"), TABLE_OUT_USED_IN, T1,
		"iqn.2026-11.com.example:h299");
	/* A row that swaps its secrets is not in its own way. */
	for (int i = 0; i < 40; i++) {
		char name[64], in[32];

		snprintf(name, sizeof(name), "iqn.2026-11.com.example:h%d", i);
		snprintf(in, sizeof(in), "out-secret-%d", i);
		assert_conflict(e, mutual_row(T1, name, in, "in-secret-299"), TABLE_OUT_USED_IN, T1,
			"iqn.2026-11.com.example:h299");
	}
	table_edit_abandon(e);
}

static void rows_may_share_a_secret_in_one_direction(void **state)
{
	struct table_edit *e = edit_of(NULL);
	const struct table *t;

	(void)state;
	put(e, mutual_row(T1, I1, "in-secret-0001", "out-secret-001"));
	put(e, mutual_row(T2, I1, "in-secret-0001", "out-secret-001"));
	t = snapshot(e);
	assert_int_equal(table_count(t), 2);
	table_unref(t);
}

static void a_secret_is_free_for_the_other_direction_when_its_last_row_is_gone(void **state)
{
	struct credential_spec other_way = mutual_row(T2, I2, "out-secret-001", "in-secret-0001");
	struct table_edit *e = edit_of(NULL);

	(void)state;
	put(e, mutual_row(T1, I1, "in-secret-0001", "out-secret-001"));
	put(e, mutual_row(T2, I1, "in-secret-0001", "out-secret-001"));
	assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_TARGET, T1, I1), TABLE_OK);
	assert_conflict(e, other_way, TABLE_IN_USED_OUT, T2, I1);
	assert_int_equal(table_edit_remove(e, CREDENTIAL_OF_TARGET, T2, I1), TABLE_OK);
	put(e, other_way);
	table_edit_abandon(e);
}

static void a_row_may_swap_its_own_secrets(void **state)
{
	struct table_edit *e = edit_of(NULL);

	(void)state;
	put(e, mutual_row(T1, I1, "one-secret-001", "two-secret-002"));
	put(e, mutual_row(T1, I1, "two-secret-002", "one-secret-001"));
	assert_conflict(e, chap_row(CREDENTIAL_OF_TARGET, T1, I2, "one-secret-001"),
		TABLE_IN_USED_OUT, T1, I1);
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I2, "two-secret-002"));
	assert_conflict(e, mutual_row(T1, I1, "one-secret-001", "two-secret-002"),
		TABLE_OUT_USED_IN, T1, I2);
	table_edit_abandon(e);
}

static void a_row_that_no_longer_is_chap_frees_its_secrets_and_opens_its_target(void **state)
{
	struct table_edit *e = edit_of(NULL);
	const struct table *t;

	(void)state;
	put(e, mutual_row(T1, I1, "in-secret-0001", "out-secret-001"));
	put(e, plain_row(CREDENTIAL_OF_TARGET, T1, I1, CREDENTIAL_NONE));
	put(e, mutual_row(T2, I1, "out-secret-001", "in-secret-0001"));
	t = snapshot(e);
	assert_false(table_closed(t, T1));
	assert_true(table_closed(t, T2));
	table_unref(t);
}

/* Failures. */

static void every_fault_has_a_text(void **state)
{
	(void)state;
	assert_non_null(strstr(table_fault_text(TABLE_IN_USED_OUT), "already proves a target"));
	assert_string_equal(table_fault_text((enum table_fault)99), "unknown fault");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_uses_of_a_secret_are_counted),
		cmocka_unit_test(a_shared_row_is_one_row_in_both_tables),
		cmocka_unit_test(a_row_keeps_all_that_it_was_given_in_memory_of_its_own),
		cmocka_unit_test(names_must_be_there_and_fit),
		cmocka_unit_test(a_chap_row_needs_sound_secrets),
		cmocka_unit_test(a_row_without_chap_takes_neither_users_nor_secrets),
		cmocka_unit_test(users_must_go_with_what_they_are_for),
		cmocka_unit_test(address_lists_are_checked),
		cmocka_unit_test(one_row_may_not_have_one_secret_both_ways),
		cmocka_unit_test(an_inbound_secret_may_not_prove_a_target_elsewhere),
		cmocka_unit_test(an_outbound_secret_may_not_prove_an_initiator_elsewhere),
		cmocka_unit_test(the_row_in_the_way_is_found_among_many),
		cmocka_unit_test(rows_may_share_a_secret_in_one_direction),
		cmocka_unit_test(
			a_secret_is_free_for_the_other_direction_when_its_last_row_is_gone),
		cmocka_unit_test(a_row_may_swap_its_own_secrets),
		cmocka_unit_test(
			a_row_that_no_longer_is_chap_frees_its_secrets_and_opens_its_target),
		cmocka_unit_test(every_fault_has_a_text),
	};

	faults_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

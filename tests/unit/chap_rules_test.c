/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules for who may log in: the rows of one test are what differs between it and the next. */
#include "chap_table_support.h"

/* Rules: who may log in. The rows of one test are what differs between it and the next. */

static void rows_with_sources(
	struct world *w, struct credential_spec spec, const char *first, const char *last)
{
	struct source_range r = { source(first), source(last) };

	spec.sources = &r;
	spec.source_count = 1;
	row(w, spec);
}

/* Resolves target T1 of svm1 for host1, checks the answer, and ends the world. */
static void assert_answer(struct world *w, enum table_verdict verdict, int rule,
	const char *scope_name, const char *initiator)
{
	const struct table *t = w->edit ? snapshot(w->edit) : NULL;
	struct source from = source(w->source ? w->source : "192.0.2.7");
	struct table_answer a = table_resolve(t, T1, "svm1", I1, &from, w->requires_chap);

	assert_int_equal(a.verdict, verdict);
	assert_int_equal(a.rule, rule);
	assert_int_equal(a.row != NULL, verdict == TABLE_CHAP);
	if (a.row) {
		assert_string_equal(a.row->spec.scope_name, scope_name);
		assert_string_equal(a.row->spec.initiator, initiator);
	}
	table_unref(t);
}

static void without_rows_a_target_is_open(void **state)
{
	struct world w = { 0 };

	(void)state;
	assert_answer(&w, TABLE_OPEN, 7, NULL, NULL);
}

static void without_rows_a_target_that_requires_chap_lets_nobody_in(void **state)
{
	struct world w = { .requires_chap = true };

	(void)state;
	assert_answer(&w, TABLE_NO_SECRET, 5, NULL, NULL);
}

static void rule_1_a_denied_initiator_is_refused_though_the_target_has_a_row_for_it(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, plain_row(CREDENTIAL_OF_SVM, "svm1", I1, CREDENTIAL_DENY));
	row(&w, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"));
	assert_answer(&w, TABLE_FORBIDDEN, 1, NULL, NULL);
}

static void rule_1_a_target_may_deny_what_its_svm_allows(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, plain_row(CREDENTIAL_OF_TARGET, T1, I1, CREDENTIAL_DENY));
	row(&w, chap_row(CREDENTIAL_OF_SVM, "svm1", I1, "secret-of-host1"));
	assert_answer(&w, TABLE_FORBIDDEN, 1, NULL, NULL);
}

static void rule_2_an_address_outside_the_list_is_refused_though_the_target_has_a_row(void **state)
{
	struct world w = { .source = "192.0.2.9" };

	(void)state;
	rows_with_sources(&w, plain_row(CREDENTIAL_OF_SVM, "svm1", I1, CREDENTIAL_NONE),
		"192.0.2.1", "192.0.2.8");
	row(&w, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"));
	assert_answer(&w, TABLE_FORBIDDEN, 2, NULL, NULL);
}

static void rule_2_holds_for_the_list_of_a_target_row_too(void **state)
{
	struct world w = { .source = "2001:db8::1" };

	(void)state;
	rows_with_sources(&w, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"),
		"192.0.2.1", "192.0.2.8");
	row(&w, chap_row(CREDENTIAL_OF_SVM, "svm1", I1, "secret-of-host1"));
	assert_answer(&w, TABLE_FORBIDDEN, 2, NULL, NULL);
}

static void rule_2_lets_an_address_of_any_range_pass(void **state)
{
	struct source_range r[] = {
		{ source("10.0.0.1"), source("10.0.0.2") },
		{ source("192.0.2.7"), source("192.0.2.7") },
	};
	struct credential_spec spec = chap_row(CREDENTIAL_OF_SVM, "svm1", I1, "secret-of-host1");
	struct world w = { 0 };

	(void)state;
	spec.sources = r;
	spec.source_count = 2;
	row(&w, spec);
	assert_answer(&w, TABLE_CHAP, 4, "svm1", I1);
}

static void rule_3_the_secret_of_the_target_wins_over_that_of_the_svm(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-on-target"));
	row(&w, chap_row(CREDENTIAL_OF_SVM, "svm1", I1, "secret-on-svm"));
	assert_answer(&w, TABLE_CHAP, 3, T1, I1);
}

static void rule_3_the_default_row_of_the_target_serves_any_initiator(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, chap_row(CREDENTIAL_OF_TARGET, T1, "default", "secret-of-all"));
	row(&w, chap_row(CREDENTIAL_OF_SVM, "svm1", I1, "secret-on-svm"));
	assert_answer(&w, TABLE_CHAP, 3, T1, "default");
}

static void rule_3_the_own_row_wins_over_the_default_row_of_the_target(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, plain_row(CREDENTIAL_OF_TARGET, T1, "default", CREDENTIAL_DENY));
	row(&w, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"));
	assert_answer(&w, TABLE_CHAP, 3, T1, I1);
}

static void rule_4_the_secret_of_the_svm_opens_a_target_closed_to_others(void **state)
{
	struct world w = { .requires_chap = true };

	(void)state;
	row(&w, chap_row(CREDENTIAL_OF_TARGET, T1, I2, "secret-of-host2"));
	row(&w, chap_row(CREDENTIAL_OF_SVM, "svm1", I1, "secret-on-svm"));
	assert_answer(&w, TABLE_CHAP, 4, "svm1", I1);
}

static void rule_5_a_row_for_one_initiator_closes_the_target_to_the_others(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, chap_row(CREDENTIAL_OF_TARGET, T1, I2, "secret-of-host2"));
	row(&w, plain_row(CREDENTIAL_OF_SVM, "svm1", I1, CREDENTIAL_NONE));
	row(&w, chap_row(CREDENTIAL_OF_SVM, "svm1", "default", "secret-of-all"));
	assert_answer(&w, TABLE_NO_SECRET, 5, NULL, NULL);
}

static void rule_5_no_row_of_type_none_opens_a_closed_target(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, chap_row(CREDENTIAL_OF_TARGET, T1, I2, "secret-of-host2"));
	row(&w, plain_row(CREDENTIAL_OF_TARGET, T1, I1, CREDENTIAL_NONE));
	assert_answer(&w, TABLE_NO_SECRET, 5, NULL, NULL);
}

static void rule_5_rows_that_hold_no_secret_close_nothing(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, plain_row(CREDENTIAL_OF_TARGET, T1, I2, CREDENTIAL_DENY));
	row(&w, chap_row(CREDENTIAL_OF_TARGET, T2, I1, "secret-of-host1"));
	assert_answer(&w, TABLE_OPEN, 7, NULL, NULL);
}

static void rule_6_an_initiator_may_be_let_in_without_proof_where_the_default_is_chap(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, plain_row(CREDENTIAL_OF_SVM, "svm1", I1, CREDENTIAL_NONE));
	row(&w, chap_row(CREDENTIAL_OF_SVM, "svm1", "default", "secret-of-all"));
	assert_answer(&w, TABLE_OPEN, 6, NULL, NULL);
}

static void rule_6_holds_for_a_row_of_the_target_too(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, plain_row(CREDENTIAL_OF_TARGET, T1, I1, CREDENTIAL_NONE));
	row(&w, plain_row(CREDENTIAL_OF_SVM, "svm1", "default", CREDENTIAL_DENY));
	assert_answer(&w, TABLE_OPEN, 6, NULL, NULL);
}

static void rule_7_the_default_of_the_svm_may_deny(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, plain_row(CREDENTIAL_OF_SVM, "svm1", "default", CREDENTIAL_DENY));
	assert_answer(&w, TABLE_FORBIDDEN, 7, NULL, NULL);
}

static void rule_7_the_default_of_the_svm_may_demand_chap(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, chap_row(CREDENTIAL_OF_SVM, "svm1", "default", "secret-of-all"));
	assert_answer(&w, TABLE_CHAP, 7, "svm1", "default");
}

static void rule_7_the_default_of_the_svm_may_be_none(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, plain_row(CREDENTIAL_OF_SVM, "svm1", "default", CREDENTIAL_NONE));
	assert_answer(&w, TABLE_OPEN, 7, NULL, NULL);
}

static void rows_of_another_target_or_svm_do_not_count(void **state)
{
	struct world w = { 0 };

	(void)state;
	row(&w, plain_row(CREDENTIAL_OF_SVM, "svm2", I1, CREDENTIAL_DENY));
	row(&w, plain_row(CREDENTIAL_OF_SVM, T1, I1, CREDENTIAL_DENY));
	row(&w, plain_row(CREDENTIAL_OF_TARGET, "svm1", I1, CREDENTIAL_DENY));
	row(&w, plain_row(CREDENTIAL_OF_DISCOVERY, NULL, I1, CREDENTIAL_DENY));
	assert_answer(&w, TABLE_OPEN, 7, NULL, NULL);
}

static void names_are_compared_in_lower_case(void **state)
{
	struct source from = source("192.0.2.7");
	struct table_edit *e = edit_of(NULL);
	const struct table *t;

	(void)state;
	put(e, chap_row(CREDENTIAL_OF_TARGET, "IQN.2026-11.COM.EXAMPLE:T1",
		       "IQN.2026-11.com.example:HOST1", "secret-of-host1"));
	t = snapshot(e);
	assert_int_equal(table_resolve(t, T1, "svm1", I1, &from, false).verdict, TABLE_CHAP);
	assert_int_equal(table_resolve(t, "iqn.2026-11.com.EXAMPLE:t1", NULL,
				 "iqn.2026-11.com.example:Host1", &from, false)
				 .verdict,
		TABLE_CHAP);
	assert_string_equal(table_find(t, CREDENTIAL_OF_TARGET, T1, I1)->spec.initiator, I1);
	assert_true(table_closed(t, "IQN.2026-11.com.example:t1"));
	table_unref(t);
}

static void an_initiator_that_calls_itself_default_has_no_row_of_its_own(void **state)
{
	struct source from = source("192.0.2.7");
	struct table_edit *e = edit_of(NULL);
	struct table_answer a;
	const struct table *t;

	(void)state;
	put(e, plain_row(CREDENTIAL_OF_SVM, "svm1", "default", CREDENTIAL_NONE));
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"));
	t = snapshot(e);
	a = table_resolve(t, T1, "svm1", "default", &from, false);
	assert_int_equal(a.verdict, TABLE_NO_SECRET);
	a = table_resolve(t, T2, "svm1", "DEFAULT", &from, false);
	assert_int_equal(a.verdict, TABLE_OPEN);
	assert_int_equal(a.rule, 7);
	table_unref(t);
}

static void a_source_without_an_address_is_in_no_list(void **state)
{
	struct source_range r = { source("0.0.0.0"), source("255.255.255.255") };
	struct credential_spec spec = chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1");
	struct table_edit *e = edit_of(NULL);
	struct source none = { 0 };
	const struct table *t;

	(void)state;
	spec.sources = &r;
	spec.source_count = 1;
	put(e, spec);
	t = snapshot(e);
	assert_int_equal(table_resolve(t, T1, NULL, I1, &none, false).verdict, TABLE_FORBIDDEN);
	table_unref(t);
}

static void peers_with_impossible_names_are_judged_like_any_stranger(void **state)
{
	struct source from = source("192.0.2.7");
	struct table_edit *e = edit_of(NULL);
	char longest[256 + 1], huge[5000];
	const struct table *t;

	(void)state;
	memset(longest, 'x', 256);
	longest[256] = '\0';
	memset(huge, 'y', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	put(e, chap_row(CREDENTIAL_OF_TARGET, T1, I1, "secret-of-host1"));
	t = snapshot(e);
	assert_int_equal(table_resolve(t, T1, "svm1", longest, &from, false).rule, 5);
	assert_int_equal(table_resolve(t, T1, "svm1", huge, &from, false).rule, 5);
	assert_int_equal(table_resolve(t, T1, "svm1", "", &from, false).rule, 5);
	assert_int_equal(table_resolve(t, huge, huge, huge, &from, false).rule, 7);
	assert_false(table_closed(t, huge));
	table_unref(t);
}

/* Discovery. */

static void discovery_has_its_own_rows_and_rules(void **state)
{
	struct source from = source("192.0.2.7"), elsewhere = source("198.51.100.1");
	struct source_range r = { from, from };
	struct credential_spec listed =
		chap_row(CREDENTIAL_OF_DISCOVERY, "", I1, "secret-of-host1");
	struct table_edit *e = edit_of(NULL);
	struct table_answer a;
	const struct table *t;

	(void)state;
	listed.sources = &r;
	listed.source_count = 1;
	put(e, listed);
	put(e, plain_row(CREDENTIAL_OF_DISCOVERY, NULL, I2, CREDENTIAL_DENY));
	put(e, plain_row(CREDENTIAL_OF_SVM, "svm1", I1, CREDENTIAL_DENY));
	t = snapshot(e);
	a = table_resolve_discovery(t, I1, &from, false);
	assert_int_equal(a.verdict, TABLE_CHAP);
	assert_string_equal(a.row->spec.initiator, I1);
	assert_int_equal(
		table_resolve_discovery(t, I1, &elsewhere, false).verdict, TABLE_FORBIDDEN);
	assert_int_equal(table_resolve_discovery(t, I2, &from, false).verdict, TABLE_FORBIDDEN);
	assert_int_equal(table_resolve_discovery(t, T1, &from, false).verdict, TABLE_NO_SECRET);
	table_unref(t);
}

static void discovery_without_rows_is_open_unless_chap_is_required(void **state)
{
	struct source from = source("192.0.2.7");

	(void)state;
	assert_int_equal(table_resolve_discovery(NULL, I1, &from, false).verdict, TABLE_OPEN);
	assert_int_equal(table_resolve_discovery(NULL, I1, &from, true).verdict, TABLE_NO_SECRET);
}

static void discovery_takes_a_row_for_any_initiator(void **state)
{
	struct source from = source("192.0.2.7");
	struct table_edit *e = edit_of(NULL);
	struct table_answer a;
	const struct table *t;

	(void)state;
	put(e, chap_row(CREDENTIAL_OF_DISCOVERY, NULL, "default", "secret-of-all"));
	t = snapshot(e);
	a = table_resolve_discovery(t, I1, &from, true);
	assert_int_equal(a.verdict, TABLE_CHAP);
	assert_string_equal(a.row->spec.in_user, "anyone");
	table_unref(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rows_a_target_is_open),
		cmocka_unit_test(without_rows_a_target_that_requires_chap_lets_nobody_in),
		cmocka_unit_test(
			rule_1_a_denied_initiator_is_refused_though_the_target_has_a_row_for_it),
		cmocka_unit_test(rule_1_a_target_may_deny_what_its_svm_allows),
		cmocka_unit_test(
			rule_2_an_address_outside_the_list_is_refused_though_the_target_has_a_row),
		cmocka_unit_test(rule_2_holds_for_the_list_of_a_target_row_too),
		cmocka_unit_test(rule_2_lets_an_address_of_any_range_pass),
		cmocka_unit_test(rule_3_the_secret_of_the_target_wins_over_that_of_the_svm),
		cmocka_unit_test(rule_3_the_default_row_of_the_target_serves_any_initiator),
		cmocka_unit_test(rule_3_the_own_row_wins_over_the_default_row_of_the_target),
		cmocka_unit_test(rule_4_the_secret_of_the_svm_opens_a_target_closed_to_others),
		cmocka_unit_test(rule_5_a_row_for_one_initiator_closes_the_target_to_the_others),
		cmocka_unit_test(rule_5_no_row_of_type_none_opens_a_closed_target),
		cmocka_unit_test(rule_5_rows_that_hold_no_secret_close_nothing),
		cmocka_unit_test(
			rule_6_an_initiator_may_be_let_in_without_proof_where_the_default_is_chap),
		cmocka_unit_test(rule_6_holds_for_a_row_of_the_target_too),
		cmocka_unit_test(rule_7_the_default_of_the_svm_may_deny),
		cmocka_unit_test(rule_7_the_default_of_the_svm_may_demand_chap),
		cmocka_unit_test(rule_7_the_default_of_the_svm_may_be_none),
		cmocka_unit_test(rows_of_another_target_or_svm_do_not_count),
		cmocka_unit_test(names_are_compared_in_lower_case),
		cmocka_unit_test(an_initiator_that_calls_itself_default_has_no_row_of_its_own),
		cmocka_unit_test(a_source_without_an_address_is_in_no_list),
		cmocka_unit_test(peers_with_impossible_names_are_judged_like_any_stranger),
		cmocka_unit_test(discovery_has_its_own_rows_and_rules),
		cmocka_unit_test(discovery_without_rows_is_open_unless_chap_is_required),
		cmocka_unit_test(discovery_takes_a_row_for_any_initiator),
	};

	faults_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

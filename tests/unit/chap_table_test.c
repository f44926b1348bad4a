/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The credential table: the rules for who may log in, the rules for rows, and snapshots that do
 * not disturb each other.
 */
#include "chap/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "chap/table_edit.h"
#include "chap_faults.h"

#define T1 "iqn.2026-11.com.example:t1"
#define T2 "iqn.2026-11.com.example:t2"
#define I1 "iqn.2026-11.com.example:host1"
#define I2 "iqn.2026-11.com.example:host2"

static struct secret_view text(const char *s)
{
	return (struct secret_view){ (const uint8_t *)s, strlen(s) };
}

static struct source source(const char *s)
{
	struct source out = { 0 };

	assert_true(source_parse(s, &out));
	return out;
}

/* A CHAP row with a secret; the caller alters it as it needs. */
static struct credential_spec chap_row(
	enum credential_scope scope, const char *name, const char *initiator, const char *secret)
{
	return (struct credential_spec){
		.scope = scope,
		.scope_name = name,
		.initiator = initiator,
		.type = CREDENTIAL_CHAP,
		.in_user = strcmp(initiator, "default") == 0 ? "anyone" : NULL,
		.in_secret = text(secret),
	};
}

static struct credential_spec plain_row(enum credential_scope scope, const char *name,
	const char *initiator, enum credential_type type)
{
	return (struct credential_spec){
		.scope = scope, .scope_name = name, .initiator = initiator, .type = type
	};
}

static struct table_edit *edit_of(const struct table *base)
{
	struct table_edit *e = NULL;

	assert_int_equal(table_edit_begin(base, &e), TABLE_OK);
	assert_non_null(e);
	return e;
}

static void put(struct table_edit *e, struct credential_spec spec)
{
	const struct credential *other = (const void *)1;

	assert_int_equal(table_edit_put(e, &spec, &other), TABLE_OK);
	assert_null(other);
}

static void assert_refused(struct table_edit *e, struct credential_spec spec, enum table_fault want)
{
	const struct credential *other = (const void *)1;

	assert_int_equal(table_edit_put(e, &spec, &other), want);
	assert_null(other);
}

static void assert_conflict(struct table_edit *e, struct credential_spec spec,
	enum table_fault want, const char *scope_name, const char *initiator)
{
	const struct credential *other = NULL;

	assert_int_equal(table_edit_put(e, &spec, &other), want);
	assert_non_null(other);
	assert_string_equal(other->spec.scope_name, scope_name);
	assert_string_equal(other->spec.initiator, initiator);
}

static const struct table *snapshot(struct table_edit *e)
{
	return table_edit_commit(e);
}

/* Rules: who may log in. The rows of one test are what differs between it and the next. */

struct world {
	struct table_edit *edit;
	bool requires_chap;
	const char *source;
};

static void row(struct world *w, struct credential_spec spec)
{
	if (!w->edit)
		w->edit = edit_of(NULL);
	put(w->edit, spec);
}

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

static struct credential_spec mutual_row(
	const char *target, const char *initiator, const char *in, const char *out)
{
	struct credential_spec s = chap_row(CREDENTIAL_OF_TARGET, target, initiator, in);

	s.out_secret = text(out);
	return s;
}

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

static void every_fault_has_a_text(void **state)
{
	(void)state;
	assert_non_null(strstr(table_fault_text(TABLE_IN_USED_OUT), "already proves a target"));
	assert_string_equal(table_fault_text((enum table_fault)99), "unknown fault");
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
		cmocka_unit_test(every_fault_has_a_text),
	};

	faults_install();
	return cmocka_run_group_tests_name("chap/table", tests, NULL, NULL);
}

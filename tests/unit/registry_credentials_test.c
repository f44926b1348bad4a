/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials of the file as rows of the table, and what counts as a change for the worse. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry_credentials.h"
#include "registry_support.h"

#define HOST1 "iqn.2026-11.com.example:host1"
#define HOST2 "iqn.2026-11.com.example:host2"
#define A     "iqn.2026-11.com.example:a"

#define TARGET(name, auth, rows) \
	"{ name = \"" name "\"; auth = \"" auth "\"; credentials = (" rows "); }"
#define ROW(who, secret, more) "{ initiator = \"" who "\"; secret = \"" secret "\"; " more " }"
#define CONF(auth, rows)       HEAD "targets = (" TARGET(A, auth, rows) ");\n"

static int begin(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	*state = p;
	return p ? place_begin(p) : -1;
}

static int end(void **state)
{
	int err = place_end(*state);

	free(*state);
	return err;
}

/* The table of a configuration; of one before it, too, if `before` is not NULL. */
static const struct table *table_of(struct place *p, const struct table *old,
	const struct config *before, const struct config *after)
{
	const struct table *t = NULL;

	must(p, credentials_replace(old, before, after, &t, &p->faults));
	return t;
}

static void a_row_has_all_that_the_file_says(void **state)
{
	struct place *p = *state;
	struct config *cfg =
		configured(p, CONF("chap", ROW(HOST1, "initiator-11111",
						   "user = \"in\"; target_user = \"out\"; "
						   "target_secret = \"target--2222222\";")));
	const struct table *t = table_of(p, NULL, NULL, cfg);
	const struct credential *row = table_find(t, CREDENTIAL_OF_TARGET, A, HOST1);

	assert_int_equal(table_count(t), 1);
	assert_non_null(row);
	assert_string_equal(row->spec.in_user, "in");
	assert_string_equal(row->spec.out_user, "out");
	assert_int_equal(row->spec.in_secret.len, 15);
	assert_memory_equal(row->spec.in_secret.bytes, "initiator-11111", 15);
	assert_memory_equal(row->spec.out_secret.bytes, "target--2222222", 15);
	assert_int_equal(row->spec.origin, CREDENTIAL_FROM_CONFIG);
	table_unref(t);
	config_free(cfg);
}

static void a_row_without_an_initiator_is_for_any(void **state)
{
	struct place *p = *state;
	struct config *cfg =
		configured(p, CONF("chap", "{ user = \"u\"; secret = \"initiator-11111\"; }"));
	const struct table *t = table_of(p, NULL, NULL, cfg);

	assert_non_null(table_find(t, CREDENTIAL_OF_TARGET, A, CREDENTIAL_DEFAULT));
	table_unref(t);
	config_free(cfg);
}

static void rows_of_discovery_have_their_own_scope(void **state)
{
	struct place *p = *state;
	struct config *cfg =
		configured(p, HEAD "discovery = { auth = \"chap\"; credentials = (" ROW(
				      HOST1, "initiator-11111", "") "); };\n");
	const struct table *t = table_of(p, NULL, NULL, cfg);

	assert_non_null(table_find(t, CREDENTIAL_OF_DISCOVERY, "", HOST1));
	table_unref(t);
	config_free(cfg);
}

static void rows_that_left_the_file_leave_the_table_and_no_others(void **state)
{
	struct place *p = *state;
	struct config *before = configured(p, CONF("chap", ROW(HOST1, "initiator-11111", ""))),
		      *after = configured(p, CONF("chap", ROW(HOST2, "initiator-22222", "")));
	const struct table *first = table_of(p, NULL, NULL, before), *with_api, *last;
	struct credential_spec spec = {
		.scope = CREDENTIAL_OF_TARGET,
		.scope_name = A,
		.initiator = "iqn.x:api",
		.type = CREDENTIAL_CHAP,
		.in_secret = { (const uint8_t *)"initiator-33333", 15 },
		.origin = CREDENTIAL_FROM_NATIVE,
	};
	struct table_edit *edit;

	assert_int_equal(table_edit_begin(first, &edit), TABLE_OK);
	assert_int_equal(table_edit_put(edit, &spec, NULL), TABLE_OK);
	with_api = table_edit_commit(edit);
	last = table_of(p, with_api, before, after);
	assert_int_equal(table_count(last), 2);
	assert_null(table_find(last, CREDENTIAL_OF_TARGET, A, HOST1));
	assert_non_null(table_find(last, CREDENTIAL_OF_TARGET, A, HOST2));
	assert_non_null(table_find(last, CREDENTIAL_OF_TARGET, A, "iqn.x:api"));
	table_unref(first);
	table_unref(with_api);
	table_unref(last);
	config_free(before);
	config_free(after);
}

static void a_secret_may_change_its_direction_in_one_reload(void **state)
{
	struct place *p = *state;
	struct config *before = configured(
			      p, CONF("chap", ROW(HOST1, "one-and-only-secret",
						      "target_secret = \"another-secret-x\";"))),
		      *after = configured(
			      p, CONF("chap", ROW(HOST1, "another-secret-x",
						      "target_secret = \"one-and-only-secret\";")));
	const struct table *first = table_of(p, NULL, NULL, before),
			   *last = table_of(p, first, before, after);

	assert_int_equal(table_count(last), 1);
	table_unref(first);
	table_unref(last);
	config_free(before);
	config_free(after);
}

static void two_rows_for_any_initiator_are_a_fault_with_its_line(void **state)
{
	struct place *p = *state;
	struct config *cfg =
		configured(p, CONF("chap", "{ user = \"u\"; secret = \"initiator-11111\"; },\n"
					   "{ user = \"v\"; secret = \"initiator-22222\"; }"));
	const struct table *t = NULL;

	assert_int_equal(credentials_replace(NULL, NULL, cfg, &t, &p->faults), -EINVAL);
	assert_null(t);
	assert_fault(p, 3, "any initiator");
	config_free(cfg);
}

static void a_secret_that_somebody_else_uses_in_the_other_direction_is_a_fault(void **state)
{
	struct place *p = *state;
	struct config *cfg = configured(p, CONF("chap", ROW(HOST1, "initiator-11111", "")));
	struct credential_spec spec = {
		.scope = CREDENTIAL_OF_TARGET,
		.scope_name = "iqn.x:b",
		.initiator = "iqn.x:api",
		.type = CREDENTIAL_CHAP,
		.in_secret = { (const uint8_t *)"initiator-33333", 15 },
		.out_secret = { (const uint8_t *)"initiator-11111", 15 },
		.origin = CREDENTIAL_FROM_NATIVE,
	};
	const struct table *api, *t = NULL;
	struct table_edit *edit;

	assert_int_equal(table_edit_begin(NULL, &edit), TABLE_OK);
	assert_int_equal(table_edit_put(edit, &spec, NULL), TABLE_OK);
	api = table_edit_commit(edit);
	assert_int_equal(credentials_replace(api, NULL, cfg, &t, &p->faults), -EINVAL);
	assert_fault(p, 2, "iqn.x:b, initiator iqn.x:api");
	table_unref(api);
	config_free(cfg);
}

/* --- what closes connections ---------------------------------------------------------------- */

static bool tightened(struct place *p, const char *before, const char *after)
{
	struct config *a = configured(p, before), *b = configured(p, after);
	bool is = credentials_tightened(&a->targets[0], &b->targets[0]);

	config_free(a);
	config_free(b);
	return is;
}

static void the_same_and_more_is_no_tightening(void **state)
{
	const char *one = CONF("chap", ROW(HOST1, "initiator-11111", ""));

	assert_false(tightened(*state, one, one));
	assert_false(tightened(*state, one,
		CONF("chap",
			ROW(HOST2, "initiator-22222", "") "," ROW(HOST1, "initiator-11111", ""))));
	assert_false(tightened(*state, CONF("chap", ""), CONF("none", "")));
}

static void every_change_of_a_row_is_a_tightening(void **state)
{
	const char *one = CONF("chap", ROW(HOST1, "initiator-11111",
					       "user = \"u\"; target_user = \"t\";"
					       "target_secret = \"target--2222222\";"));
	static const char *const others[] = {
		CONF("chap", ""),
		CONF("chap", ROW(HOST2, "initiator-11111",
				     "user = \"u\"; target_user = \"t\";"
				     "target_secret = \"target--2222222\";")),
		CONF("chap", ROW(HOST1, "initiator-33333",
				     "user = \"u\"; target_user = \"t\";"
				     "target_secret = \"target--2222222\";")),
		CONF("chap", ROW(HOST1, "initiator-11111",
				     "user = \"v\"; target_user = \"t\";"
				     "target_secret = \"target--2222222\";")),
		CONF("chap", ROW(HOST1, "initiator-11111",
				     "user = \"u\"; target_user = \"s\";"
				     "target_secret = \"target--2222222\";")),
		CONF("chap", ROW(HOST1, "initiator-11111",
				     "user = \"u\"; target_user = \"t\";"
				     "target_secret = \"target--4444444\";")),
		CONF("chap", ROW(HOST1, "initiator-11111", "user = \"u\";")),
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!tightened(*state, one, others[i]))
			fail_msg("change %zu closes nothing", i);
}

static void chap_turned_on_is_a_tightening(void **state)
{
	assert_true(tightened(*state, CONF("none", ""), CONF("chap", "")));
	assert_true(tightened(
		*state, CONF("none", ""), CONF("none", ROW(HOST1, "initiator-11111", ""))));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_row_has_all_that_the_file_says),
		TEST(a_row_without_an_initiator_is_for_any),
		TEST(rows_of_discovery_have_their_own_scope),
		TEST(rows_that_left_the_file_leave_the_table_and_no_others),
		TEST(a_secret_may_change_its_direction_in_one_reload),
		TEST(two_rows_for_any_initiator_are_a_fault_with_its_line),
		TEST(a_secret_that_somebody_else_uses_in_the_other_direction_is_a_fault),
		TEST(the_same_and_more_is_no_tightening),
		TEST(every_change_of_a_row_is_a_tightening),
		TEST(chap_turned_on_is_a_tightening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

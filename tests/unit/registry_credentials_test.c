/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials of the file and of APIs as one table, and what counts as a change for the worse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/places.h"
#include "registry/credentials.h"
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

/* A row as an API makes it; without out_secret where that is "". */
static struct credential_spec api_row(
	const char *target, const char *initiator, const char *in_secret, const char *out_secret)
{
	struct credential_spec spec = {
		.scope = CREDENTIAL_OF_TARGET,
		.scope_name = target,
		.initiator = initiator,
		.type = CREDENTIAL_CHAP,
		.in_secret = { (const uint8_t *)in_secret, strlen(in_secret) },
		.origin = CREDENTIAL_FROM_NATIVE,
		.written_by = "somebody",
	};

	if (*out_secret)
		spec.out_secret =
			(struct secret_view){ (const uint8_t *)out_secret, strlen(out_secret) };
	return spec;
}

/* A table of one or two rows. */
static const struct table *stored(
	const struct credential_spec *one, const struct credential_spec *two)
{
	struct table_edit *edit;

	assert_int_equal(table_edit_begin(NULL, &edit), TABLE_OK);
	assert_int_equal(table_edit_put(edit, one, NULL), TABLE_OK);
	if (two)
		assert_int_equal(table_edit_put(edit, two, NULL), TABLE_OK);
	return table_edit_commit(edit);
}

/* Who was displaced, by which line of the file. */
struct displacement {
	unsigned n;
	char initiator[64];
	int line;
	const struct config *cfg;
};

static void take_displaced(void *arg, const struct displaced *d)
{
	struct displacement *out = arg;

	out->n++;
	snprintf(out->initiator, sizeof(out->initiator), "%s", d->row->spec.initiator);
	out->line = config_where(out->cfg, &d->by->secret).line;
}

static const struct table *table_of(
	struct place *p, const struct table *rows, const struct config *cfg, struct displacement *d)
{
	const struct table *t = NULL;

	*d = (struct displacement){ .cfg = cfg };
	must(p, credentials_build(rows, cfg, take_displaced, d, &t, &p->faults));
	return t;
}

static void a_row_has_all_that_the_file_says(void **state)
{
	struct place *p = *state;
	struct config *cfg =
		configured(p, CONF("chap", ROW(HOST1, "initiator-11111",
						   "user = \"in\"; target_user = \"out\"; "
						   "target_secret = \"target--2222222\";")));
	struct displacement d;
	const struct table *t = table_of(p, NULL, cfg, &d);
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
	struct displacement d;
	const struct table *t = table_of(p, NULL, cfg, &d);

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
	struct displacement d;
	const struct table *t = table_of(p, NULL, cfg, &d);

	assert_non_null(table_find(t, CREDENTIAL_OF_DISCOVERY, "", HOST1));
	table_unref(t);
	config_free(cfg);
}

static void stored_rows_stand_beside_those_of_the_file(void **state)
{
	struct place *p = *state;
	struct config *cfg = configured(p, CONF("chap", ROW(HOST1, "initiator-11111", "")));
	struct credential_spec api = api_row(A, HOST2, "initiator-22222", "");
	const struct table *rows = stored(&api, NULL), *t;
	struct displacement d;

	t = table_of(p, rows, cfg, &d);
	assert_int_equal(table_count(t), 2);
	assert_int_equal(d.n, 0);
	assert_ptr_equal(table_find(t, CREDENTIAL_OF_TARGET, A, HOST2),
		table_find(rows, CREDENTIAL_OF_TARGET, A, HOST2));
	table_unref(rows);
	table_unref(t);
	config_free(cfg);
}

static void the_file_wins_over_a_stored_row_for_the_same_initiator(void **state)
{
	struct place *p = *state;
	struct config *cfg = configured(p, CONF("chap", ROW(HOST1, "initiator-11111", "")));
	struct credential_spec api = api_row(A, HOST1, "initiator-22222", "");
	const struct table *rows = stored(&api, NULL), *t;
	struct displacement d;

	t = table_of(p, rows, cfg, &d);
	assert_int_equal(table_count(t), 1);
	assert_int_equal(
		table_find(t, CREDENTIAL_OF_TARGET, A, HOST1)->spec.origin, CREDENTIAL_FROM_CONFIG);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.initiator, HOST1);
	assert_int_equal(d.line, 2);
	assert_int_equal(table_count(rows), 1);
	table_unref(rows);
	table_unref(t);
	config_free(cfg);
}

static void the_file_wins_over_stored_rows_with_its_secrets_the_other_way(void **state)
{
	struct place *p = *state;
	struct config *cfg = configured(p,
		CONF("chap", ROW(HOST1, "initiator-11111", "target_secret = \"target-1111111\";")));
	struct credential_spec one = api_row("iqn.x:b", "iqn.x:one", "initiator-33333",
				       "initiator-11111"),
			       two = api_row("iqn.x:b", "iqn.x:two", "target-1111111", "");
	const struct table *rows = stored(&one, &two), *t;
	struct displacement d;

	t = table_of(p, rows, cfg, &d);
	assert_int_equal(table_count(t), 1);
	assert_non_null(table_find(t, CREDENTIAL_OF_TARGET, A, HOST1));
	assert_int_equal(d.n, 2);
	table_unref(rows);
	table_unref(t);
	config_free(cfg);
}

/* --- what closes connections ---------------------------------------------------------------- */

static bool tightened(struct place *p, const char *before, const char *after)
{
	struct config *a = configured(p, before), *b = configured(p, after);
	bool is = credentials_tightened(a, &a->targets[0], b, &b->targets[0]);

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

#define SVM(name, more)                                                                 \
	HEAD "management = { ontap = { svm = \"" name "\"; users = ( { name = \"u\"; "    \
	     "password = \"password-1\"; } ); }; }; targets = ( { name = \"" A "\"; " more \
	     " } );\n"

static void another_svm_is_a_tightening(void **state)
{
	assert_true(tightened(*state, SVM("a", ""), SVM("a", "svm = \"b\";")));
	assert_true(tightened(*state, SVM("a", ""), SVM("b", "")));
	assert_false(tightened(*state, SVM("a", ""), SVM("b", "svm = \"A\";")));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_row_has_all_that_the_file_says),
		TEST(a_row_without_an_initiator_is_for_any),
		TEST(rows_of_discovery_have_their_own_scope),
		TEST(stored_rows_stand_beside_those_of_the_file),
		TEST(the_file_wins_over_a_stored_row_for_the_same_initiator),
		TEST(the_file_wins_over_stored_rows_with_its_secrets_the_other_way),
		TEST(the_same_and_more_is_no_tightening),
		TEST(every_change_of_a_row_is_a_tightening),
		TEST(chap_turned_on_is_a_tightening),
		TEST(another_svm_is_a_tightening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

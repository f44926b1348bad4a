/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of credentials, with a catalog and reactor threads: what is refused and in which words,
 * what is there after a restart, and in which order things are told. What sessions notice of it is
 * tested from outside, with initiators.
 */
#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "registry_server.h"

#define A         "iqn.2026-11.com.example:a"
#define B         "iqn.2026-11.com.example:b"
#define FILED     "iqn.2026-11.com.example:in-the-file"
#define HOST      "iqn.2026-11.com.example:host1"
#define NEXT      "iqn.2026-11.com.example:host2"

#define ONE_FILED "{ initiator = \"" FILED "\"; secret = \"secret-of-the-file\"; }"

static struct config *with_targets(struct fixture *f, const char *targets)
{
	char text[2048];

	snprintf(text, sizeof(text),
		"state_dir = \"state\"; reactors = 2; "
		"portals = ( { address = \"127.0.0.1\"; port = %u; } ); targets = ( %s );\n",
		f->port, targets);
	return configured(&f->place, text);
}

/* A and B, with these rows for A in the file. */
static struct config *with_rows(struct fixture *f, const char *rows)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"{ name = \"" A "\"; auth = \"none\"; credentials = ( %s ); }, "
		"{ name = \"" B "\"; auth = \"none\"; }",
		rows);
	return with_targets(f, text);
}

static void start(struct fixture *f)
{
	fixture_start(f, with_rows(f, ONE_FILED));
}

static int begin(void **state)
{
	int err = fixture_begin(state);

	if (!err)
		start(*state);
	return err;
}

/* --- asking for a change -------------------------------------------------------------------- */

/* Rows to be put, then names to be removed, then what came of it. */
struct asked {
	struct credential_spec put[3];
	struct credential_spec remove[3]; /* scope and names alone */
	bool declines;
	unsigned done;
	struct registry_outcome outcome;
	char text[512];
};

static struct secret_view secret(const char *text)
{
	return (struct secret_view){ (const uint8_t *)text, strlen(text) };
}

static struct credential_spec row(const char *target, const char *initiator, const char *in_secret)
{
	return (struct credential_spec){
		.scope = CREDENTIAL_OF_TARGET,
		.scope_name = target,
		.initiator = initiator,
		.type = CREDENTIAL_CHAP,
		.in_secret = secret(in_secret),
	};
}

static bool plan(void *arg, struct registry_plan *p)
{
	struct asked *a = arg;

	for (size_t i = 0; i < 3 && a->put[i].initiator; i++)
		registry_plan_put(p, &a->put[i]);
	for (size_t i = 0; i < 3 && a->remove[i].initiator; i++)
		registry_plan_remove(
			p, a->remove[i].scope, a->remove[i].scope_name, a->remove[i].initiator);
	return !a->declines;
}

static void take_outcome(void *arg, const struct registry_outcome *o)
{
	struct asked *a = arg;

	a->outcome = *o;
	snprintf(a->text, sizeof(a->text), "%s", o->text);
	a->done++;
}

static void ask(struct fixture *f, struct asked *a)
{
	registry_change(f->r, &(struct registry_change){
				      .origin = CREDENTIAL_FROM_NATIVE,
				      .who = "tester",
				      .plan = plan,
				      .done = take_outcome,
				      .arg = a,
			      });
}

static enum registry_result change(struct fixture *f, struct asked *a)
{
	a->done = 0;
	ask(f, a);
	wait_for(&f->place, &a->done, 1);
	return a->outcome.result;
}

static void put(struct fixture *f, struct credential_spec spec)
{
	struct asked a = { .put = { spec } };

	if (change(f, &a))
		fail_msg("%s", a.text);
}

static enum registry_result put_result(struct fixture *f, struct credential_spec spec)
{
	struct asked a = { .put = { spec } };

	return change(f, &a);
}

static const struct credential *found(
	const struct fixture *f, const char *target, const char *initiator)
{
	return table_find(registry_credentials(f->r), CREDENTIAL_OF_TARGET, target, initiator);
}

static bool has(
	const struct fixture *f, const char *target, const char *initiator, const char *text)
{
	const struct credential *c = found(f, target, initiator);

	return c && secret_equal(c->spec.in_secret, secret(text));
}

static void apply(struct fixture *f, struct config *cfg)
{
	unsigned before = f->done;

	must(&f->place, registry_apply(f->r, cfg, NULL, tell, &f->done, &f->place.faults));
	wait_for(&f->place, &f->done, before + 1);
}

static void restart(struct fixture *f)
{
	fixture_stop(f);
	start(f);
}

/* --- what is done --------------------------------------------------------------------------- */

static void a_row_is_in_force_and_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct credential_spec spec = row(A, HOST, "initiator-11111");
	const struct credential *c;

	spec.in_user = "user";
	spec.out_user = "target-user";
	spec.out_secret = secret("target-1111111");
	spec.source_text = "127.0.0.0/8, ::1";
	spec.old_secret = secret("initiator-00000");
	spec.old_out_secret = secret("target-0000000");
	spec.old_until = (int64_t)time(NULL) + 1000;
	put(f, spec);
	assert_true(has(f, A, HOST, "initiator-11111"));
	restart(f);
	c = found(f, A, HOST);
	assert_non_null(c);
	assert_true(secret_equal(c->spec.in_secret, secret("initiator-11111")));
	assert_true(secret_equal(c->spec.out_secret, secret("target-1111111")));
	assert_true(secret_equal(c->spec.old_secret, secret("initiator-00000")));
	assert_true(secret_equal(c->spec.old_out_secret, secret("target-0000000")));
	assert_true(c->spec.old_until == spec.old_until);
	assert_string_equal(c->spec.in_user, "user");
	assert_string_equal(c->spec.out_user, "target-user");
	assert_string_equal(c->spec.source_text, "127.0.0.0/8, ::1");
	assert_int_equal(c->spec.source_count, 2);
	assert_int_equal(c->spec.origin, CREDENTIAL_FROM_NATIVE);
	assert_string_equal(c->spec.written_by, "tester");
}

static void rows_of_every_scope_and_type_come_back(void **state)
{
	struct fixture *f = *state;
	struct credential_spec deny = { .scope = CREDENTIAL_OF_SVM,
		.scope_name = "svm1",
		.initiator = HOST,
		.type = CREDENTIAL_DENY },
			       none = { .scope = CREDENTIAL_OF_SVM,
				       .scope_name = "SVM1",
				       .initiator = CREDENTIAL_DEFAULT,
				       .type = CREDENTIAL_NONE },
			       discovery = row("", HOST, "initiator-44444");
	const struct table *t;

	discovery.scope = CREDENTIAL_OF_DISCOVERY;
	put(f, deny);
	put(f, none);
	put(f, discovery);
	restart(f);
	t = registry_credentials(f->r);
	assert_int_equal(
		table_find(t, CREDENTIAL_OF_SVM, "svm1", HOST)->spec.type, CREDENTIAL_DENY);
	assert_int_equal(
		table_find(t, CREDENTIAL_OF_SVM, "svm1", "default")->spec.type, CREDENTIAL_NONE);
	assert_non_null(table_find(t, CREDENTIAL_OF_DISCOVERY, "", HOST));
}

static void a_removed_row_stays_away(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .remove = { row(A, HOST, "") } };

	put(f, row(A, HOST, "initiator-11111"));
	assert_int_equal(change(f, &a), REGISTRY_DONE);
	assert_null(found(f, A, HOST));
	restart(f);
	assert_null(found(f, A, HOST));
}

static void several_rows_change_at_once(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .put = { row(A, HOST, "initiator-22222"),
				   row(B, NEXT, "initiator-33333") },
		.remove = { row(B, HOST, "") } };

	put(f, row(B, HOST, "initiator-11111"));
	assert_int_equal(change(f, &a), REGISTRY_DONE);
	assert_true(has(f, A, HOST, "initiator-22222"));
	assert_true(has(f, B, NEXT, "initiator-33333"));
	assert_null(found(f, B, HOST));
}

static void changes_are_made_in_the_order_in_which_they_are_asked_for(void **state)
{
	struct fixture *f = *state;
	struct asked a[20] = { 0 };
	char secrets[20][24];

	for (int i = 0; i < 20; i++) {
		snprintf(secrets[i], sizeof(secrets[i]), "secret-%06d", i);
		a[i].put[0] = row(A, HOST, secrets[i]);
		ask(f, &a[i]);
	}
	for (int i = 0; i < 20; i++) {
		wait_for(&f->place, &a[i].done, 1);
		assert_int_equal(a[i].outcome.result, REGISTRY_DONE);
		assert_true(i == 19 || !a[19].done);
	}
	assert_true(has(f, A, HOST, secrets[19]));
}

/* --- what is refused ------------------------------------------------------------------------ */

static void one_bad_row_among_good_ones_and_nothing_changes(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .put = { row(A, HOST, "initiator-11111"), row(B, HOST, "") } };

	assert_int_equal(change(f, &a), REGISTRY_FAULTY);
	assert_int_equal(a.outcome.fault, TABLE_BAD_SECRET);
	assert_null(found(f, A, HOST));
	restart(f);
	assert_null(found(f, A, HOST));
}

static void rows_of_the_file_are_not_for_apis(void **state)
{
	struct fixture *f = *state;
	struct asked put_it = { .put = { row(A, FILED, "initiator-11111") } },
		     remove_it = { .remove = { row(A, FILED, "") } };

	assert_int_equal(change(f, &put_it), REGISTRY_DECLARED);
	assert_non_null(strstr(put_it.text, "test.conf"));
	assert_non_null(strstr(put_it.text, FILED));
	assert_int_equal(change(f, &remove_it), REGISTRY_DECLARED);
	assert_true(has(f, A, FILED, "secret-of-the-file"));
}

static void there_is_nothing_without_its_target_or_svm(void **state)
{
	struct fixture *f = *state;
	struct credential_spec spec = row("iqn.2026-11.com.example:c", HOST, "initiator-11111");

	assert_int_equal(put_result(f, spec), REGISTRY_NO_SCOPE);
	spec.scope = CREDENTIAL_OF_SVM;
	spec.scope_name = "svm2";
	assert_int_equal(put_result(f, spec), REGISTRY_NO_SCOPE);
	spec.scope_name = NULL;
	assert_int_equal(put_result(f, spec), REGISTRY_NO_SCOPE);
}

static void a_row_that_is_not_there_cannot_be_removed(void **state)
{
	struct asked a = { .remove = { row(A, HOST, "") } };

	assert_int_equal(change(*state, &a), REGISTRY_NO_ROW);
}

static void a_secret_never_serves_both_directions(void **state)
{
	struct fixture *f = *state;
	struct credential_spec spec = row(B, NEXT, "initiator-22222");
	struct asked a = { .put = { spec } };

	put(f, row(A, HOST, "initiator-11111"));
	a.put[0].out_secret = secret("initiator-11111");
	assert_int_equal(change(f, &a), REGISTRY_FAULTY);
	assert_int_equal(a.outcome.fault, TABLE_OUT_USED_IN);
	a.put[0].out_secret = secret("secret-of-the-file");
	assert_int_equal(change(f, &a), REGISTRY_FAULTY);
	assert_int_equal(a.outcome.fault, TABLE_OUT_USED_IN);
}

static void names_and_addresses_must_be_sound(void **state)
{
	struct fixture *f = *state;
	struct credential_spec spec = row(A, "not \xff text", "initiator-11111");

	assert_int_equal(put_result(f, spec), REGISTRY_FAULTY);
	spec.initiator = HOST;
	spec.source_text = "somewhere";
	assert_int_equal(put_result(f, spec), REGISTRY_FAULTY);
	spec.source_text = "127.0.0.1";
	assert_int_equal(put_result(f, spec), REGISTRY_DONE);
}

static void who_declines_in_the_plan_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .put = { row(A, HOST, "initiator-11111") }, .declines = true },
		     nothing = { 0 };

	assert_int_equal(change(f, &a), REGISTRY_DECLINED);
	assert_int_equal(change(f, &nothing), REGISTRY_DECLINED);
	assert_null(found(f, A, HOST));
}

/* Another program holds the catalog: nothing can be written to it. */
static sqlite3 *hold_catalog(struct fixture *f)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(in(&f->place, "state/catalog.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void what_cannot_be_stored_is_not_in_force(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .put = { row(A, HOST, "initiator-22222") } }, b = a;
	sqlite3 *other;

	put(f, row(A, HOST, "initiator-11111"));
	other = hold_catalog(f);
	ask(f, &a);
	ask(f, &b);
	wait_for(&f->place, &a.done, 1);
	assert_int_equal(a.outcome.result, REGISTRY_NOT_STORED);
	assert_true(a.outcome.err < 0 && *a.text);
	assert_true(has(f, A, HOST, "initiator-11111"));
	sqlite3_close(other);
	wait_for(&f->place, &b.done, 1);
	assert_int_equal(b.outcome.result, REGISTRY_DONE);
	assert_true(has(f, A, HOST, "initiator-22222"));
}

/* --- beside the configuration --------------------------------------------------------------- */

static void a_reload_keeps_what_an_api_has_made(void **state)
{
	struct fixture *f = *state;

	put(f, row(A, HOST, "initiator-11111"));
	apply(f, with_rows(f, ""));
	assert_true(has(f, A, HOST, "initiator-11111"));
	assert_null(found(f, A, FILED));
}

static void a_reload_that_declares_a_row_takes_the_place_of_the_stored_one_for_its_time(
	void **state)
{
	struct fixture *f = *state;

	put(f, row(A, HOST, "initiator-11111"));
	apply(f, with_rows(f, "{ initiator = \"" HOST "\"; secret = \"secret-of-the-file\"; }"));
	assert_true(has(f, A, HOST, "secret-of-the-file"));
	assert_int_equal(put_result(f, row(A, HOST, "initiator-22222")), REGISTRY_DECLARED);
	apply(f, with_rows(f, ""));
	assert_true(has(f, A, HOST, "initiator-11111"));
}

static void a_reload_in_the_midst_of_a_change_loses_neither(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .put = { row(A, HOST, "initiator-11111") } };

	ask(f, &a);
	apply(f, with_rows(f, "{ initiator = \"" NEXT "\"; secret = \"secret-of-the-file\"; }"));
	wait_for(&f->place, &a.done, 1);
	assert_int_equal(a.outcome.result, REGISTRY_DONE);
	assert_true(has(f, A, HOST, "initiator-11111"));
	assert_true(has(f, A, NEXT, "secret-of-the-file"));
	assert_null(found(f, A, FILED));
}

static void rows_of_a_target_that_has_gone_are_seen_and_can_be_removed(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .remove = { row(B, HOST, "") } };
	struct registry_rows rows;

	put(f, row(B, HOST, "initiator-11111"));
	apply(f, with_targets(f, ""));
	assert_int_equal(registry_rows_all(f->r, &rows), 0);
	assert_int_equal(rows.n, 1);
	assert_string_equal(rows.row[0]->spec.scope_name, B);
	registry_rows_end(&rows);
	assert_int_equal(put_result(f, row(B, HOST, "initiator-22222")), REGISTRY_NO_SCOPE);
	assert_int_equal(change(f, &a), REGISTRY_DONE);
	assert_int_equal(table_count(registry_credentials(f->r)), 0);
}

/* --- grace ---------------------------------------------------------------------------------- */

/* The clock on the wall, which somebody sets: in place of the C library's. */
static _Atomic time_t clock_set_by;

time_t time(time_t *out)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += clock_set_by;
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

static struct credential_spec with_grace(int64_t until)
{
	struct credential_spec spec = row(A, HOST, "initiator-22222");

	spec.old_secret = secret("initiator-11111");
	spec.old_out_secret = secret("target-1111111");
	spec.out_secret = secret("target-2222222");
	spec.old_until = until;
	return spec;
}

static bool is_over(const struct fixture *f)
{
	const struct credential *c = found(f, A, HOST);

	return !c->spec.old_secret.bytes && !c->spec.old_out_secret.bytes && !c->spec.old_until;
}

static void wait_until_over(struct fixture *f)
{
	for (int i = 0; i < 5000 && !is_over(f); i++)
		if (!loop_step(f->place.loop))
			poll(NULL, 0, 1);
	assert_true(is_over(f));
}

static void an_old_secret_goes_when_its_time_is_over(void **state)
{
	struct fixture *f = *state;

	put(f, with_grace((int64_t)time(NULL) + 2));
	assert_true(secret_equal(found(f, A, HOST)->spec.old_secret, secret("initiator-11111")));
	wait_until_over(f);
	assert_true(has(f, A, HOST, "initiator-22222"));
	assert_string_equal(found(f, A, HOST)->spec.written_by, "tester");
	restart(f);
	assert_true(is_over(f));
}

static void an_old_secret_whose_time_ended_while_we_were_away_goes_at_the_start(void **state)
{
	struct fixture *f = *state;

	put(f, with_grace((int64_t)time(NULL) + 1));
	fixture_stop(f);
	poll(NULL, 0, 1100);
	start(f);
	wait_until_over(f);
}

static void a_clock_that_is_set_back_lengthens_no_grace(void **state)
{
	struct fixture *f = *state;

	put(f, with_grace((int64_t)time(NULL) + 2));
	clock_set_by = -86400;
	assert_false(is_over(f));
	wait_until_over(f);
	clock_set_by = 0;
	assert_true(has(f, A, HOST, "initiator-22222"));
}

/* Its other old secret was set aside under the new clock, which counts for it. */
static void a_grace_that_begins_after_the_clock_was_set_back_has_its_time(void **state)
{
	struct fixture *f = *state;

	put(f, with_grace((int64_t)time(NULL) + 1));
	clock_set_by = -86400;
	put(f, with_grace((int64_t)time(NULL) + 1000));
	for (int i = 0; i < 2000; i++)
		if (!loop_step(f->place.loop))
			poll(NULL, 0, 1);
	clock_set_by = 0;
	assert_false(is_over(f));
}

static void an_old_secret_goes_while_the_file_stands_before_its_row(void **state)
{
	struct fixture *f = *state;

	put(f, with_grace((int64_t)time(NULL) + 1));
	apply(f, with_rows(f, "{ initiator = \"" HOST "\"; secret = \"secret-of-the-file\"; }"));
	for (int i = 0; i < 2000; i++)
		if (!loop_step(f->place.loop))
			poll(NULL, 0, 1);
	assert_true(has(f, A, HOST, "secret-of-the-file"));
	apply(f, with_rows(f, ""));
	assert_true(has(f, A, HOST, "initiator-22222"));
	assert_true(is_over(f));
}

/* --- the audit ------------------------------------------------------------------------------ */

struct told {
	unsigned n, ended;
	int err;
	char line[10][320];
};

static void take_entry(void *arg, const struct catalog_audit *e)
{
	struct told *t = arg;

	assert_true(t->n < 10);
	snprintf(t->line[t->n++], sizeof(t->line[0]), "%s|%s|%s|%s|%s", e->who, e->what, e->object,
		e->detail, e->result);
}

static void end_entries(void *arg, int err)
{
	struct told *t = arg;

	t->err = err;
	t->ended++;
}

static struct told audit(struct fixture *f, uint32_t limit)
{
	struct told t = { 0 };
	struct catalog_audit_query q = { .limit = limit };

	registry_audit(f->r, &q, take_entry, end_entries, &t);
	wait_for(&f->place, &t.ended, 1);
	assert_int_equal(t.err, 0);
	return t;
}

static void every_change_is_in_the_audit_and_no_refusal(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .remove = { row(A, HOST, "") } };
	struct told t;

	put(f, row(A, HOST, "initiator-11111"));
	assert_int_equal(put_result(f, row(A, HOST, "")), REGISTRY_FAULTY);
	assert_int_equal(change(f, &a), REGISTRY_DONE);
	t = audit(f, 0);
	assert_int_equal(t.n, 2);
	assert_string_equal(t.line[0], "tester|delete credential|" A
				       "|{\"scope\":\"target\",\"initiator\":\"" HOST "\"}|done");
	assert_string_equal(t.line[1],
		"tester|set credential|" A "|{\"scope\":\"target\",\"initiator\":\"" HOST
		"\",\"type\":\"chap\",\"mutual\":false}|done");
	assert_int_equal(audit(f, 1).n, 1);
}

static void another_key_is_in_the_audit_and_everything_can_still_be_read(void **state)
{
	struct fixture *f = *state;
	struct asked a = { 0 };

	put(f, row(A, HOST, "initiator-11111"));
	registry_rekey(f->r, "tester", take_outcome, &a);
	wait_for(&f->place, &a.done, 1);
	assert_int_equal(a.outcome.result, REGISTRY_DONE);
	assert_string_equal(audit(f, 1).line[0], "tester|change key||{}|done");
	restart(f);
	assert_true(has(f, A, HOST, "initiator-11111"));
}

/* --- the end -------------------------------------------------------------------------------- */

static void changes_under_way_at_the_end_are_told_and_whole(void **state)
{
	struct fixture *f = *state;
	struct asked a[3] = { 0 };

	for (int i = 0; i < 3; i++) {
		a[i].put[0] = row(A, i ? NEXT : HOST, "initiator-11111");
		ask(f, &a[i]);
	}
	fixture_stop(f);
	assert_int_equal(a[0].outcome.result, REGISTRY_DONE);
	for (int i = 0; i < 3; i++)
		assert_int_equal(a[i].done, 1);
	start(f);
	assert_true(has(f, A, HOST, "initiator-11111"));
	assert_int_equal(!found(f, A, NEXT),
		a[1].outcome.result != REGISTRY_DONE && a[2].outcome.result != REGISTRY_DONE);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, fixture_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_row_is_in_force_and_there_after_a_restart),
		TEST(rows_of_every_scope_and_type_come_back),
		TEST(a_removed_row_stays_away),
		TEST(several_rows_change_at_once),
		TEST(changes_are_made_in_the_order_in_which_they_are_asked_for),
		TEST(one_bad_row_among_good_ones_and_nothing_changes),
		TEST(rows_of_the_file_are_not_for_apis),
		TEST(there_is_nothing_without_its_target_or_svm),
		TEST(a_row_that_is_not_there_cannot_be_removed),
		TEST(a_secret_never_serves_both_directions),
		TEST(names_and_addresses_must_be_sound),
		TEST(who_declines_in_the_plan_changes_nothing),
		TEST(what_cannot_be_stored_is_not_in_force),
		TEST(a_reload_keeps_what_an_api_has_made),
		TEST(a_reload_that_declares_a_row_takes_the_place_of_the_stored_one_for_its_time),
		TEST(a_reload_in_the_midst_of_a_change_loses_neither),
		TEST(rows_of_a_target_that_has_gone_are_seen_and_can_be_removed),
		TEST(an_old_secret_goes_when_its_time_is_over),
		TEST(an_old_secret_whose_time_ended_while_we_were_away_goes_at_the_start),
		TEST(a_clock_that_is_set_back_lengthens_no_grace),
		TEST(a_grace_that_begins_after_the_clock_was_set_back_has_its_time),
		TEST(an_old_secret_goes_while_the_file_stands_before_its_row),
		TEST(every_change_is_in_the_audit_and_no_refusal),
		TEST(another_key_is_in_the_audit_and_everything_can_still_be_read),
		TEST(changes_under_way_at_the_end_are_told_and_whole),
	};

	log_setup(LOG_TO_STDERR, LOG_WARNING);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

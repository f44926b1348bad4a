/* SPDX-License-Identifier: BSD-2-Clause */
/* The audit: newest first, and a row only where something has happened. */
#include "catalog_rows.h"

#include "catalog/audit.h"

static int show_audit(const struct catalog_audit *a, void *arg)
{
	(void)arg;
	show("%ld %ld %s %s %s %s %s\n", (long)a->id, (long)a->time, a->who, a->what, a->object,
		a->detail, a->result);
	return 0;
}

static int list_audit(struct catalog_tx *tx, void *arg)
{
	static const struct catalog_audit_query all;

	return catalog_audit_list(tx, arg ? arg : &all, show_audit, NULL);
}

static int add_audit(struct catalog_tx *tx, void *arg)
{
	return catalog_audit_add(tx, arg);
}

static void put_audit(struct rig *rig, int64_t time, const char *object)
{
	struct catalog_audit a = { .time = time,
		.who = "uid 0",
		.what = "put",
		.object = object,
		.detail = "{}",
		.result = "done" };

	assert_int_equal(rig_run(rig, add_audit, &a), 0);
}

static void the_audit_is_listed_newest_first(void **state)
{
	put_audit(*state, 50, "a");
	put_audit(*state, 40, "b");
	rig_reopen(*state);
	assert_shown(*state, list_audit, "2 40 uid 0 put b {} done\n1 50 uid 0 put a {} done\n");
}

static void the_audit_is_listed_by_pages_and_objects(void **state)
{
	struct catalog_audit_query q = { .object = "a", .limit = 2 };

	for (int i = 1; i <= 7; i++)
		put_audit(*state, i, i % 2 ? "a" : "b");
	shown[0] = '\0';
	assert_int_equal(rig_run(*state, list_audit, &q), 0);
	show("--\n");
	q.before = 5;
	assert_int_equal(rig_run(*state, list_audit, &q), 0);
	assert_string_equal(shown, "7 7 uid 0 put a {} done\n5 5 uid 0 put a {} done\n--\n"
				   "3 3 uid 0 put a {} done\n1 1 uid 0 put a {} done\n");
}

static void the_audit_tells_the_time_itself(void **state)
{
	put_audit(*state, 0, "a");
	rig_close(*state);
	assert_true(rig_sql(*state, "SELECT time FROM audit") > 1600000000);
}

static void the_audit_keeps_so_many_rows_and_no_more(void **state)
{
	struct rig *rig = *state;

	rig_close(rig);
	rig->cfg.audit_rows = 3;
	assert_int_equal(rig_open(rig), 0);
	for (int i = 1; i <= 10; i++)
		put_audit(rig, i, "a");
	rig_close(rig);
	assert_int_equal(rig_sql(rig, "SELECT count(*) FROM audit"), 3);
	assert_int_equal(rig_sql(rig, "SELECT min(id) FROM audit"), 8);
}

struct audited {
	struct catalog_credential c;
	struct catalog_audit a;
	int outcome;
};

static int change_and_audit(struct catalog_tx *tx, void *arg)
{
	struct audited *both = arg;
	int err = catalog_credential_put(tx, &both->c);

	if (!err)
		err = catalog_audit_add(tx, &both->a);
	return err ? err : both->outcome;
}

static void a_change_that_fails_leaves_no_audit_row(void **state)
{
	struct audited both = { .c = { .scope_name = "t",
					.initiator = "i",
					.type = CATALOG_NONE,
					.origin = CATALOG_FROM_AWS },
		.a = { .who = "w" },
		.outcome = -ECANCELED };

	assert_int_equal(rig_run(*state, change_and_audit, &both), -ECANCELED);
	assert_shown(*state, load_credentials, "");
	assert_shown(*state, list_audit, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW_TEST(the_audit_is_listed_newest_first),
		ROW_TEST(the_audit_is_listed_by_pages_and_objects),
		ROW_TEST(the_audit_tells_the_time_itself),
		ROW_TEST(the_audit_keeps_so_many_rows_and_no_more),
		ROW_TEST(a_change_that_fails_leaves_no_audit_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials: what is put comes back, also after a restart; what must not be is refused. */
#include "catalog_rows.h"

#define SECRET(text) \
	{ \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

static int put_credential(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_put(tx, arg);
}

static void a_credential_comes_back_after_a_restart_with_its_secrets(void **state)
{
	struct rig *rig = *state;
	struct catalog_credential c = { .scope = CATALOG_OF_SVM,
		.scope_name = "svm1",
		.initiator = "iqn.x:h",
		.in_user = "u",
		.in_secret = SECRET("in-secret-01"),
		.old_secret = SECRET("old-secret-0"),
		.old_out_secret = SECRET("older-secret"),
		.out_secret = SECRET("out-secret-0"),
		.old_until = 7,
		.out_user = "t",
		.sources = "10.0.0.1-10.0.0.9",
		.origin = CATALOG_FROM_ONTAP,
		.written_by = "admin",
		.created = 5,
		.changed = 6 };

	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	rig_reopen(rig);
	assert_shown(rig, load_credentials,
		"1 svm1 iqn.x:h 0 in=in-secret-01 old=old-secret-0 oldout=older-secret "
		"out=out-secret-0 "
		"u|t|10.0.0.1-10.0.0.9|3|admin|7,5,6\n");
}

static void a_credential_that_is_put_again_is_replaced_but_for_its_birthday(void **state)
{
	struct rig *rig = *state;
	struct catalog_credential c = { .scope_name = "t",
		.initiator = "i",
		.created = 5,
		.in_secret = SECRET("first-secret"),
		.out_secret = SECRET("other-secret"),
		.origin = CATALOG_FROM_AWS,
		.changed = 5 };

	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	c.in_secret = (struct catalog_secret)SECRET("second-secret");
	c.out_secret.bytes = NULL;
	c.created = c.changed = 9;
	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	assert_shown(rig, load_credentials, "0 t i 0 in=second-secret |||2||0,5,9\n");
}

static void credentials_without_chap_have_no_secrets(void **state)
{
	struct rig *rig = *state;
	struct catalog_credential c = { .scope = CATALOG_OF_DISCOVERY,
		.initiator = "default",
		.type = CATALOG_DENY,
		.origin = CATALOG_FROM_NATIVE };

	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	assert_shown(rig, load_credentials, "2  default 2 |||1||0,0,0\n");
}

static void the_longest_secret_is_kept_and_a_longer_one_refused(void **state)
{
	struct rig *rig = *state;
	static const uint8_t bytes[CATALOG_SECRET_MAX + 1] = { 0 };
	struct catalog_credential c = { .scope_name = "t",
		.initiator = "i",
		.in_secret = { bytes, sizeof(bytes) },
		.origin = CATALOG_FROM_AWS };

	assert_int_equal(rig_run(rig, put_credential, &c), -EINVAL);
	c.in_secret.len = CATALOG_SECRET_MAX;
	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	rig_close(rig);
	assert_int_equal(
		rig_sql(rig, "SELECT length(in_secret) FROM credential"), CATALOG_SECRET_MAX + 37);
}

static void a_scope_that_does_not_exist_is_refused(void **state)
{
	struct catalog_credential c = {
		.scope = (enum catalog_scope)3, .initiator = "i", .origin = CATALOG_FROM_AWS
	};

	assert_int_equal(rig_run(*state, put_credential, &c), -EINVAL);
}

static int remove_one(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_remove(tx, CATALOG_OF_TARGET, "t", arg);
}

static void put_three(struct rig *rig)
{
	static const char *const rows[3][2] = { { "t", "a" }, { "t", "b" }, { "u", "a" } };

	for (size_t i = 0; i < 3; i++) {
		struct catalog_credential c = { .scope_name = rows[i][0],
			.initiator = rows[i][1],
			.type = CATALOG_NONE,
			.origin = CATALOG_FROM_NATIVE };

		assert_int_equal(rig_run(rig, put_credential, &c), 0);
	}
}

static void one_credential_is_removed_and_then_not_there(void **state)
{
	put_three(*state);
	assert_int_equal(rig_run(*state, remove_one, (char[]){ "a" }), 0);
	assert_int_equal(rig_run(*state, remove_one, (char[]){ "a" }), -ENOENT);
	assert_shown(*state, load_credentials, "0 t b 1 |||1||0,0,0\n0 u a 1 |||1||0,0,0\n");
}

static int stop_at_first(const struct catalog_credential *c, void *arg)
{
	(void)c;
	++*(int *)arg;
	return -ECANCELED;
}

static int load_stopping(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_load(tx, stop_at_first, arg);
}

static void a_row_function_can_stop_the_loading(void **state)
{
	int calls = 0;

	put_three(*state);
	assert_int_equal(rig_run(*state, load_stopping, &calls), -ECANCELED);
	assert_int_equal(calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW_TEST(a_credential_comes_back_after_a_restart_with_its_secrets),
		ROW_TEST(a_credential_that_is_put_again_is_replaced_but_for_its_birthday),
		ROW_TEST(credentials_without_chap_have_no_secrets),
		ROW_TEST(the_longest_secret_is_kept_and_a_longer_one_refused),
		ROW_TEST(a_scope_that_does_not_exist_is_refused),
		ROW_TEST(one_credential_is_removed_and_then_not_there),
		ROW_TEST(a_row_function_can_stop_the_loading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

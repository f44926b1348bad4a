/* SPDX-License-Identifier: BSD-2-Clause */
/* The key: where it comes from, what happens without it, how it is changed, and that no file of the
 * catalog ever holds a secret in clear. */
#include "catalog_support.h"

#include <time.h>

#include "catalog/audit.h"
#include "catalog/credential.h"

#define SECRET "canary-secret-01"

static int put_secret(struct catalog_tx *tx, void *arg)
{
	struct catalog_credential c = { .scope_name = "t",
		.initiator = "i",
		.in_secret = { arg, strlen(arg) },
		.old_secret = { arg, strlen(arg) },
		.old_out_secret = { arg, strlen(arg) },
		.out_secret = { arg, strlen(arg) },
		.origin = CATALOG_FROM_AWS };

	return catalog_credential_put(tx, &c);
}

static int see_secret(const struct catalog_credential *c, void *arg)
{
	assert_memory_equal(c->in_secret.bytes, c->out_secret.bytes, c->out_secret.len);
	assert_memory_equal(c->in_secret.bytes, c->old_secret.bytes, c->old_secret.len);
	assert_memory_equal(c->in_secret.bytes, c->old_out_secret.bytes, c->old_out_secret.len);
	snprintf(arg, 32, "%.*s", (int)c->in_secret.len, (const char *)c->in_secret.bytes);
	return 0;
}

static int get_secret(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_load(tx, see_secret, arg);
}

static int remove_secret(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	return catalog_credential_remove(tx, CATALOG_OF_TARGET, "t", "i");
}

static void assert_secret_is(struct rig *rig, const char *text)
{
	char seen[32] = "";

	assert_int_equal(rig_run(rig, get_secret, seen), 0);
	assert_string_equal(seen, text);
}

/* --- files of keys -------------------------------------------------------------------------- */

/* A file in the scratch folder with `n` keys, each 32 times its letter; its path. */
static const char *key_file(const struct rig *rig, const char *letters)
{
	static char path[64];
	size_t n = strlen(letters);
	uint8_t bytes[128];
	int fd;

	snprintf(path, sizeof(path), "%s/countersign-key", rig->folder);
	for (size_t i = 0; i < n; i++)
		memset(bytes + 32 * i, letters[i], 32);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_int_equal(write(fd, bytes, 32 * n), 32 * n);
	close(fd);
	return path;
}

static void get_key(const struct rig *rig, uint8_t key[static 32])
{
	int fd = open(rig_file(rig, "key"), O_RDONLY);
	uint8_t more;

	assert_int_equal(read(fd, key, 32), 32);
	assert_int_equal(read(fd, &more, 1), 0);
	close(fd);
}

static void open_with_secret(struct rig *rig)
{
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_run(rig, put_secret, (char[]){ SECRET }), 0);
}

static void the_first_start_makes_a_key_and_the_next_uses_it(void **state)
{
	uint8_t first[32], next[32];

	open_with_secret(*state);
	get_key(*state, first);
	rig_reopen(*state);
	get_key(*state, next);
	assert_memory_equal(first, next, 32);
	assert_secret_is(*state, SECRET);
}

static void keys_that_a_killed_server_has_left_behind_are_removed(void **state)
{
	struct rig *rig = *state;

	open_with_secret(rig);
	rig_close(rig);
	close(open(rig_file(rig, "key.new"), O_CREAT | O_WRONLY, 0600));
	assert_int_equal(rig_open(rig), 0);
	assert_int_not_equal(access(rig_file(rig, "key.new"), F_OK), 0);
	assert_secret_is(rig, SECRET);
}

static void a_key_file_elsewhere_is_used_and_none_made(void **state)
{
	struct rig *rig = *state;

	rig->cfg.key_file = key_file(rig, "A");
	open_with_secret(rig);
	rig_reopen(rig);
	assert_secret_is(rig, SECRET);
	assert_int_not_equal(access(rig_file(rig, "key"), F_OK), 0);
}

static void a_key_of_systemd_is_used_and_none_made(void **state)
{
	struct rig *rig = *state;

	key_file(rig, "A");
	rig->cfg.credentials_dir = rig->folder;
	open_with_secret(rig);
	rig_reopen(rig);
	assert_secret_is(rig, SECRET);
	assert_int_not_equal(access(rig_file(rig, "key"), F_OK), 0);
}

static void credentials_of_systemd_without_a_key_change_nothing(void **state)
{
	struct rig *rig = *state;

	rig->cfg.credentials_dir = rig->folder;
	open_with_secret(rig);
	assert_int_equal(access(rig_file(rig, "key"), F_OK), 0);
}

static void a_missing_key_is_an_error_that_destroys_nothing(void **state)
{
	struct rig *rig = *state;
	char aside[128];

	open_with_secret(rig);
	rig_close(rig);
	strcpy(aside, rig_file(rig, "key.aside"));
	assert_int_equal(rename(rig_file(rig, "key"), aside), 0);
	assert_int_equal(rig_open(rig), -ENOKEY);
	assert_non_null(strstr(rig->why.text, "state/key: the key that stored secrets are"));
	assert_int_not_equal(access(rig_file(rig, "key"), F_OK), 0);
	assert_int_equal(rename(aside, rig_file(rig, "key")), 0);
	assert_int_equal(rig_open(rig), 0);
	assert_secret_is(rig, SECRET);
}

static void a_missing_key_file_is_an_error_at_the_first_start_too(void **state)
{
	struct rig *rig = *state;

	rig->cfg.key_file = "/tmp/no-such-key-of-countersign";
	assert_int_equal(rig_open(rig), -ENOKEY);
	assert_non_null(strstr(rig->why.text, "no-such-key"));
}

static void a_wrong_key_is_an_error_that_destroys_nothing(void **state)
{
	struct rig *rig = *state;

	rig->cfg.key_file = key_file(rig, "A");
	open_with_secret(rig);
	rig_close(rig);
	key_file(rig, "B");
	assert_int_equal(rig_open(rig), -EKEYREJECTED);
	assert_non_null(strstr(rig->why.text, "are encrypted with another key"));
	key_file(rig, "A");
	assert_int_equal(rig_open(rig), 0);
	assert_secret_is(rig, SECRET);
}

static void a_file_of_another_size_is_no_key(void **state)
{
	static const size_t sizes[] = { 0, 1, 31, 33, 63, 65, 96, 5000 };
	struct rig *rig = *state;

	rig->cfg.key_file = key_file(rig, "ABC");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(truncate(rig->cfg.key_file, (off_t)sizes[i]), 0);
		assert_int_equal(rig_open(rig), -EKEYREJECTED);
		assert_non_null(strstr(rig->why.text, "a key has 32 bytes"));
	}
}

static void while_there_are_no_secrets_any_key_will_do(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_open(rig), 0);
	rig_close(rig);
	rig->cfg.key_file = key_file(rig, "A");
	open_with_secret(rig);
	assert_int_equal(rig_run(rig, remove_secret, NULL), 0);
	rig_close(rig);
	key_file(rig, "B");
	open_with_secret(rig);
	assert_secret_is(rig, SECRET);
}

/* --- changing the key ----------------------------------------------------------------------- */

static int note_change(struct catalog_request *r, struct catalog_tx *tx)
{
	(void)r;
	return catalog_audit_add(tx, &(struct catalog_audit){ .what = "rekey" });
}

static int refuse_change(struct catalog_request *r, struct catalog_tx *tx)
{
	(void)r;
	(void)tx;
	return -EPERM;
}

static void a_new_key_replaces_the_old_one_with_an_audit_row(void **state)
{
	struct rig *rig = *state;
	uint8_t first[32], next[32];

	open_with_secret(rig);
	get_key(rig, first);
	assert_int_equal(rig_rekey(rig, note_change), 0);
	get_key(rig, next);
	assert_memory_not_equal(first, next, 32);
	assert_secret_is(rig, SECRET);
	rig_reopen(rig);
	assert_secret_is(rig, SECRET);
	rig_close(rig);
	assert_int_equal(rig_sql(rig, "SELECT count(*) FROM audit WHERE what = 'rekey'"), 1);
}

static void nothing_is_left_of_what_was_under_the_old_key(void **state)
{
	struct rig *rig = *state;
	uint8_t old[9] = { 1 }; /* how each sealed value begins */
	sqlite3_stmt *stmt;
	sqlite3 *db;

	open_with_secret(rig);
	assert_int_equal(sqlite3_open(rig_file(rig, "catalog.db"), &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT id FROM secret_key", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	memcpy(old + 1, sqlite3_column_blob(stmt, 0), 8);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	assert_true(rig_file_holds(rig, "catalog.db-wal", old, sizeof(old)));
	assert_int_equal(rig_rekey(rig, NULL), 0);
	assert_false(rig_file_holds(rig, "catalog.db-wal", old, sizeof(old)));
	assert_false(rig_file_holds(rig, "catalog.db", old, sizeof(old)));
}

static void a_change_of_key_that_is_refused_changes_nothing(void **state)
{
	struct rig *rig = *state;

	open_with_secret(rig);
	assert_int_equal(rig_rekey(rig, refuse_change), -EPERM);
	assert_secret_is(rig, SECRET);
	assert_int_equal(rig_run(rig, put_secret, (char[]){ "another-secret-1" }), 0);
	rig_reopen(rig);
	assert_secret_is(rig, "another-secret-1");
}

static void a_change_of_key_works_after_one_that_was_refused(void **state)
{
	struct rig *rig = *state;
	uint8_t key[32];

	open_with_secret(rig);
	assert_int_equal(rig_rekey(rig, refuse_change), -EPERM);
	assert_int_equal(rig_rekey(rig, NULL), 0);
	get_key(rig, key); /* and it is alone in its file */
	assert_secret_is(rig, SECRET);
}

static void a_key_file_with_a_new_key_in_front_is_taken_up_at_once(void **state)
{
	struct rig *rig = *state;

	rig->cfg.key_file = key_file(rig, "A");
	open_with_secret(rig);
	assert_int_equal(rig_rekey(rig, NULL), -EKEYREJECTED);
	assert_non_null(strstr(rig->why.text, "this is the key in force"));
	key_file(rig, "B");
	assert_int_equal(rig_rekey(rig, NULL), -EKEYREJECTED);
	assert_non_null(strstr(rig->why.text, "the key in force is not in it"));
	key_file(rig, "BA");
	assert_int_equal(rig_rekey(rig, NULL), 0);
	key_file(rig, "B");
	rig_reopen(rig);
	assert_secret_is(rig, SECRET);
}

static void a_key_file_with_a_new_key_in_front_is_taken_up_by_a_start(void **state)
{
	struct rig *rig = *state;

	rig->cfg.key_file = key_file(rig, "A");
	open_with_secret(rig);
	key_file(rig, "BA");
	rig_reopen(rig);
	assert_secret_is(rig, SECRET);
	key_file(rig, "B");
	rig_reopen(rig);
	assert_secret_is(rig, SECRET);
}

static void the_key_can_move_from_the_state_directory_to_a_file(void **state)
{
	struct rig *rig = *state;
	uint8_t both[64];
	int fd;

	open_with_secret(rig);
	memset(both, 'A', 32);
	get_key(rig, both + 32);
	rig_close(rig);
	rig->cfg.key_file = key_file(rig, "");
	fd = open(rig->cfg.key_file, O_WRONLY);
	assert_int_equal(write(fd, both, 64), 64);
	close(fd);
	assert_int_equal(rig_open(rig), 0);
	key_file(rig, "A");
	rig_reopen(rig);
	assert_secret_is(rig, SECRET);
}

/* --- what is in the files ------------------------------------------------------------------- */

static void assert_nowhere(struct rig *rig, const void *bytes, size_t len)
{
	static const char *const files[] = { "catalog.db", "catalog.db-wal", "catalog.db-shm",
		"key", "key.new" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_false(rig_file_holds(rig, files[i], bytes, len));
}

static void a_secret_is_in_no_file_of_the_catalog(void **state)
{
	struct rig *rig = *state;

	open_with_secret(rig);
	assert_nowhere(rig, SECRET, 8);
	assert_int_equal(rig_rekey(rig, NULL), 0);
	assert_nowhere(rig, SECRET, 8);
	assert_int_equal(rig_run(rig, put_secret, (char[]){ "another-secret-1" }), 0);
	assert_nowhere(rig, SECRET, 8);
	assert_nowhere(rig, "another-secret-1", 8);
	assert_int_equal(rig_run(rig, remove_secret, NULL), 0);
	rig_close(rig);
	assert_nowhere(rig, SECRET, 8);
	assert_nowhere(rig, "another-secret-1", 8);
}

/* Copies the sealed secret as it is now. */
static size_t sealed_secret(struct rig *rig, uint8_t *out)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	size_t len;

	assert_int_equal(sqlite3_open(rig_file(rig, "catalog.db"), &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT in_secret FROM credential", -1, &stmt, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	len = (size_t)sqlite3_column_bytes(stmt, 0);
	memcpy(out, sqlite3_column_blob(stmt, 0), len);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return len;
}

static void a_replaced_secret_leaves_the_disk_even_encrypted(void **state)
{
	struct rig *rig = *state;
	uint8_t old[100];
	size_t len;

	open_with_secret(rig);
	len = sealed_secret(rig, old);
	assert_true(rig_file_holds(rig, "catalog.db-wal", old, len) ||
		    rig_file_holds(rig, "catalog.db", old, len));
	assert_int_equal(rig_run(rig, put_secret, (char[]){ "another-secret-1" }), 0);
	for (int i = 0; i < 100 && rig_file_holds(rig, "catalog.db-wal", old, len); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	assert_nowhere(rig, old, len);
	assert_secret_is(rig, "another-secret-1");
}

/* Somebody who can write the database, but has no key, gives an initiator another one's secret. */
static void a_secret_that_was_moved_to_another_row_is_refused(void **state)
{
	struct rig *rig = *state;
	char seen[32];
	sqlite3 *db;

	open_with_secret(rig);
	rig_close(rig);
	assert_int_equal(sqlite3_open(rig_file(rig, "catalog.db"), &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "UPDATE credential SET initiator = 'mallory'", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_run(rig, get_secret, seen), -EBADMSG);
	assert_non_null(strstr(rig->why.text, "\"mallory\" for \"t\""));
	assert_int_equal(rig_rekey(rig, NULL), -EUCLEAN);
	assert_non_null(strstr(rig->why.text, "cannot be decrypted"));
}

#define KEY_TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEY_TEST(the_first_start_makes_a_key_and_the_next_uses_it),
		KEY_TEST(keys_that_a_killed_server_has_left_behind_are_removed),
		KEY_TEST(a_key_file_elsewhere_is_used_and_none_made),
		KEY_TEST(a_key_of_systemd_is_used_and_none_made),
		KEY_TEST(credentials_of_systemd_without_a_key_change_nothing),
		KEY_TEST(a_missing_key_is_an_error_that_destroys_nothing),
		KEY_TEST(a_missing_key_file_is_an_error_at_the_first_start_too),
		KEY_TEST(a_wrong_key_is_an_error_that_destroys_nothing),
		KEY_TEST(a_file_of_another_size_is_no_key),
		KEY_TEST(while_there_are_no_secrets_any_key_will_do),
		KEY_TEST(a_new_key_replaces_the_old_one_with_an_audit_row),
		KEY_TEST(nothing_is_left_of_what_was_under_the_old_key),
		KEY_TEST(a_change_of_key_that_is_refused_changes_nothing),
		KEY_TEST(a_change_of_key_works_after_one_that_was_refused),
		KEY_TEST(a_key_file_with_a_new_key_in_front_is_taken_up_at_once),
		KEY_TEST(a_key_file_with_a_new_key_in_front_is_taken_up_by_a_start),
		KEY_TEST(the_key_can_move_from_the_state_directory_to_a_file),
		KEY_TEST(a_secret_is_in_no_file_of_the_catalog),
		KEY_TEST(a_replaced_secret_leaves_the_disk_even_encrypted),
		KEY_TEST(a_secret_that_was_moved_to_another_row_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

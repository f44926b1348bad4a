/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening the catalog, what it refuses to open, and how requests are carried out. */
#include "catalog_support.h"

#include <pthread.h>
#include <semaphore.h>

#include "catalog/credential.h"
#include "catalog/setting.h"

/* --- the file ------------------------------------------------------------------------------- */

static mode_t mode_of(const struct rig *rig, const char *name)
{
	struct stat st;

	assert_int_equal(stat(rig_file(rig, name), &st), 0);
	return st.st_mode & 07777;
}

static void a_new_catalog_is_for_its_owner_alone(void **state)
{
	struct rig *rig = *state;
	mode_t before = umask(0);

	assert_int_equal(rig_open(rig), 0);
	umask(before);
	assert_int_equal(mode_of(rig, "catalog.db"), 0600);
	assert_int_equal(mode_of(rig, "catalog.db-wal"), 0600);
	assert_int_equal(mode_of(rig, "key"), 0600);
}

static void a_catalog_that_others_may_read_is_closed_to_them(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_open(rig), 0);
	rig_close(rig);
	assert_int_equal(chmod(rig_file(rig, "catalog.db"), 0644), 0);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(mode_of(rig, "catalog.db"), 0600);
}

static void a_closed_catalog_has_no_journal(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_open(rig), 0);
	rig_close(rig);
	assert_int_not_equal(access(rig_file(rig, "catalog.db-wal"), F_OK), 0);
	assert_int_equal(rig_sql(rig, "PRAGMA user_version"), 3);
	assert_int_equal(rig_sql(rig, "PRAGMA application_id"), 0x43536967);
}

/* A database with a mark of another program or another version. */
static void mark(struct rig *rig, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(rig_file(rig, "catalog.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void make_state_dir(struct rig *rig)
{
	assert_int_equal(mkdir(rig->path, 0700), 0);
}

static void a_catalog_of_a_newer_server_is_refused_and_left_alone(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_open(rig), 0);
	rig_close(rig);
	mark(rig, "PRAGMA user_version = 4");
	assert_int_equal(rig_open(rig), -ENOTSUP);
	assert_non_null(strstr(rig->why.text, "state/catalog.db: a newer countersignd made this"));
	assert_int_equal(rig_sql(rig, "PRAGMA user_version"), 4);
}

static void a_catalog_of_an_older_server_is_brought_up_to_date(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_open(rig), 0);
	rig_close(rig);
	mark(rig, "DROP TABLE port;"
		  "DROP TABLE mode_page;"
		  "ALTER TABLE reservation DROP COLUMN by_group;"
		  "INSERT INTO reservation VALUES (zeroblob(16), 1, 0, 0);"
		  "PRAGMA user_version = 1");
	assert_int_equal(rig_open(rig), 0);
	rig_close(rig);
	assert_int_equal(rig_sql(rig, "PRAGMA user_version"), 3);
	assert_int_equal(rig_sql(rig, "SELECT count(*) FROM port"), 0);
	assert_int_equal(rig_sql(rig, "SELECT count(*) FROM mode_page"), 0);
	assert_int_equal(rig_sql(rig, "SELECT by_group FROM reservation"), 1);
}

static void a_database_of_another_program_is_refused_and_left_alone(void **state)
{
	static const char *const marks[] = { "CREATE TABLE t (x)", "PRAGMA application_id = 5",
		"PRAGMA user_version = 1" };
	struct rig *rig = *state;

	make_state_dir(rig);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		mark(rig, marks[i]);
		assert_int_equal(rig_open(rig), -EUCLEAN);
		assert_non_null(strstr(rig->why.text, "not one of countersignd"));
		assert_int_equal(
			rig_sql(rig, "SELECT count(*) FROM sqlite_schema WHERE name = 'audit'"), 0);
		assert_int_equal(unlink(rig_file(rig, "catalog.db")), 0);
	}
}

static void an_empty_file_becomes_a_catalog(void **state)
{
	struct rig *rig = *state;

	make_state_dir(rig);
	close(open(rig_file(rig, "catalog.db"), O_CREAT | O_WRONLY, 0600));
	assert_int_equal(rig_open(rig), 0);
}

static void a_file_that_is_no_database_is_refused_and_left_alone(void **state)
{
	struct rig *rig = *state;
	char junk[8192], after[8192];
	int fd;

	make_state_dir(rig);
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (char)(i * 7);
	fd = open(rig_file(rig, "catalog.db"), O_CREAT | O_RDWR, 0600);
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	assert_int_equal(rig_open(rig), -EUCLEAN);
	assert_non_null(strstr(rig->why.text, "the catalog is damaged"));
	assert_int_equal(pread(fd, after, sizeof(after), 0), sizeof(after));
	assert_memory_equal(junk, after, sizeof(junk));
	close(fd);
}

static void a_directory_in_its_place_is_refused(void **state)
{
	struct rig *rig = *state;

	make_state_dir(rig);
	assert_int_equal(mkdir(rig_file(rig, "catalog.db"), 0700), 0);
	assert_true(rig_open(rig) < 0);
	assert_non_null(strstr(rig->why.text, "catalog.db"));
}

static void a_symbolic_link_in_its_place_is_refused(void **state)
{
	struct rig *rig = *state;

	make_state_dir(rig);
	assert_int_equal(symlink("/tmp/elsewhere", rig_file(rig, "catalog.db")), 0);
	assert_int_equal(rig_open(rig), -ELOOP);
}

/* --- damage --------------------------------------------------------------------------------- */

static int put_many(struct catalog_tx *tx, void *arg)
{
	char name[32], value[200];
	int err = 0;

	(void)arg;
	memset(value, 'v', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	for (unsigned i = 0; !err && i < 300; i++) {
		struct catalog_credential c = { .scope_name = "t",
			.initiator = name,
			.in_secret = { (const uint8_t *)value, 16 },
			.origin = CATALOG_FROM_AWS };

		snprintf(name, sizeof(name), "%u", i);
		err = catalog_setting_put(tx, name, value);
		if (!err)
			err = catalog_credential_put(tx, &c);
	}
	return err;
}

static int see_setting(const char *name, const char *value, void *arg)
{
	*(size_t *)arg += strlen(name) + strlen(value);
	return 0;
}

static int see_credential(const struct catalog_credential *c, void *arg)
{
	*(size_t *)arg += c->in_secret.len + strlen(c->scope_name);
	return 0;
}

static int see_all(struct catalog_tx *tx, void *arg)
{
	int err = catalog_setting_load(tx, "", see_setting, arg);

	return err ? err : catalog_credential_load(tx, see_credential, arg);
}

static char *whole_file(const char *path, size_t *len)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	char *bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*len = (size_t)st.st_size;
	return bytes;
}

static void write_file(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* Some damage is found at once, some by reading, and some lies where nothing is. */
static void random_damage_is_an_error_and_never_a_crash(void **state)
{
	struct rig *rig = *state;
	size_t len, seen, refused = 0, found = 0;
	char *good, *bad;

	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_run(rig, put_many, NULL), 0);
	rig_close(rig);
	good = whole_file(rig_file(rig, "catalog.db"), &len);
	bad = malloc(len);
	assert_non_null(bad);
	srand(1);
	for (int i = 0; i < 300; i++) {
		size_t at = (size_t)rand() % len, n = (size_t)rand() % 600;
		int err;

		memcpy(bad, good, len);
		for (size_t k = at; k < len && k < at + n; k++)
			bad[k] = (char)rand();
		write_file(rig_file(rig, "catalog.db"), bad, i % 3 ? len : at + 1);
		err = rig_open(rig);
		refused += err != 0;
		if (err) {
			assert_true(strlen(rig->why.text) > 0);
			continue;
		}
		seen = 0;
		err = rig_run(rig, see_all, &seen);
		found += err != 0;
		if (err == -EUCLEAN)
			assert_non_null(strstr(rig->why.text, "bring it back from a backup"));
		rig_run(rig, put_many, NULL);
		rig_close(rig);
	}
	free(good);
	free(bad);
	assert_true(refused > 10);
	assert_true(found > 10);
}

/* After a crash the whole is looked through, so that damage is told at the start. */
static void damage_is_found_at_the_start_after_a_crash(void **state)
{
	struct rig *rig = *state;
	size_t len;
	char *bytes;

	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_run(rig, put_many, NULL), 0);
	rig_close(rig);
	bytes = whole_file(rig_file(rig, "catalog.db"), &len);
	memset(bytes + len - 4096, 0xff, 4096);
	write_file(rig_file(rig, "catalog.db"), bytes, len);
	free(bytes);
	close(open(rig_file(rig, "catalog.db-wal"), O_CREAT | O_WRONLY, 0600));
	assert_int_equal(rig_open(rig), -EUCLEAN);
	assert_non_null(strstr(rig->why.text, "the catalog is damaged"));
}

/* --- requests ------------------------------------------------------------------------------- */

struct site {
	struct loop *loop;
	struct catalog *catalog;
	pthread_t home;
	char order[64];
	unsigned left;
};

struct call {
	struct catalog_request request;
	struct site *site;
	char name;
	int outcome;
	pthread_t ran_on;
	sem_t *gate; /* waited for, the first time */
};

static int call_run(struct catalog_request *r, struct catalog_tx *tx)
{
	struct call *c = container_of(r, struct call, request);
	char name[2] = { c->name };
	int err;

	c->ran_on = pthread_self();
	if (c->gate)
		sem_wait(c->gate);
	c->gate = NULL;
	err = catalog_setting_put(tx, name, "");
	return err ? err : c->outcome;
}

static void call_done(struct catalog_request *r)
{
	struct call *c = container_of(r, struct call, request);
	size_t n = strlen(c->site->order);

	assert_true(pthread_equal(pthread_self(), c->site->home));
	assert_false(pthread_equal(c->ran_on, c->site->home));
	c->site->order[n] = c->name;
	if (--c->site->left == 0)
		loop_stop(c->site->loop);
}

static void call(struct call *c, struct site *s, char name, int outcome)
{
	*c = (struct call){ .site = s,
		.name = name,
		.outcome = outcome,
		.gate = c->gate,
		.request = { .run = call_run, .done = call_done, .home = s->loop } };
	s->left++;
	catalog_submit(s->catalog, &c->request);
}

static void begin(struct site *s, struct rig *rig)
{
	*s = (struct site){ .loop = rig->loop, .catalog = rig->catalog, .home = pthread_self() };
}

static void requests_are_carried_out_in_order_and_told_at_home(void **state)
{
	struct call calls[20] = { 0 };
	struct site s;

	begin(&s, *state);
	for (int i = 0; i < 20; i++)
		call(&calls[i], &s, (char)('a' + i), 0);
	loop_run(s.loop);
	assert_string_equal(s.order, "abcdefghijklmnopqrst");
}

/* All but the first are in one transaction, as they wait while the first is carried out. */
static void requests_that_share_a_transaction_fail_alone(void **state)
{
	struct rig *rig = *state;
	sem_t gate;
	struct call calls[5] = { { .gate = &gate } };
	struct site s;

	begin(&s, rig);
	sem_init(&gate, 0, 0);
	for (int i = 0; i < 5; i++)
		call(&calls[i], &s, (char)('a' + i), i == 1 || i == 3 ? -ECANCELED : 0);
	sem_post(&gate);
	loop_run(s.loop);
	sem_destroy(&gate);
	assert_string_equal(s.order, "abcde");
	for (int i = 0; i < 5; i++)
		assert_int_equal(calls[i].request.err, calls[i].outcome);
	rig_close(rig);
	assert_int_equal(rig_sql(rig, "SELECT count(*) FROM setting"), 3);
	assert_int_equal(rig_sql(rig, "SELECT count(*) FROM setting WHERE name IN ('b', 'd')"), 0);
}

static void closing_carries_out_what_is_queued(void **state)
{
	struct rig *rig = *state;
	struct call calls[9] = { 0 };
	struct site s;

	begin(&s, rig);
	for (int i = 0; i < 9; i++)
		call(&calls[i], &s, (char)('a' + i), 0);
	rig_close(rig);
	loop_run(s.loop);
	assert_string_equal(s.order, "abcdefghi");
	assert_int_equal(rig_sql(rig, "SELECT count(*) FROM setting"), 9);
}

static int refuse_in_words(struct catalog_request *r, struct catalog_tx *tx)
{
	(void)tx;
	strcpy(r->why.text, "no, thanks");
	return -EPERM;
}

static void a_request_may_say_why_it_refuses(void **state)
{
	struct call c = { 0 };
	struct site s;

	begin(&s, *state);
	c = (struct call){ .site = &s,
		.name = 'a',
		.request = { .run = refuse_in_words, .done = call_done, .home = s.loop } };
	s.left = 1;
	catalog_submit(s.catalog, &c.request);
	loop_run(s.loop);
	assert_int_equal(c.request.err, -EPERM);
	assert_string_equal(c.request.why.text, "no, thanks");
}

/* --- others who write ----------------------------------------------------------------------- */

struct watch {
	uint64_t generation;
	bool changed;
};

static int look(struct catalog_tx *tx, void *arg)
{
	struct watch *w = arg;

	w->changed = catalog_changed_since(tx, &w->generation);
	return 0;
}

static int put_setting(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_put(tx, arg, "1");
}

static void a_change_by_another_process_is_seen_once_and_ones_own_never(void **state)
{
	struct rig *rig = *state;
	struct watch w = { 0 };

	assert_int_equal(rig_run(rig, look, &w), 0);
	assert_true(w.changed);
	assert_int_equal(rig_run(rig, put_setting, (char[]){ "own" }), 0);
	assert_int_equal(rig_run(rig, look, &w), 0);
	assert_false(w.changed);
	mark(rig, "INSERT INTO setting VALUES ('another', '1')");
	assert_int_equal(rig_run(rig, look, &w), 0);
	assert_true(w.changed);
	assert_int_equal(rig_run(rig, look, &w), 0);
	assert_false(w.changed);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)
#define OPEN_TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin_open, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(a_new_catalog_is_for_its_owner_alone),
		FILE_TEST(a_catalog_that_others_may_read_is_closed_to_them),
		FILE_TEST(a_closed_catalog_has_no_journal),
		FILE_TEST(a_catalog_of_a_newer_server_is_refused_and_left_alone),
		FILE_TEST(a_catalog_of_an_older_server_is_brought_up_to_date),
		FILE_TEST(a_database_of_another_program_is_refused_and_left_alone),
		FILE_TEST(an_empty_file_becomes_a_catalog),
		FILE_TEST(a_file_that_is_no_database_is_refused_and_left_alone),
		FILE_TEST(a_directory_in_its_place_is_refused),
		FILE_TEST(a_symbolic_link_in_its_place_is_refused),
		FILE_TEST(random_damage_is_an_error_and_never_a_crash),
		FILE_TEST(damage_is_found_at_the_start_after_a_crash),
		OPEN_TEST(requests_are_carried_out_in_order_and_told_at_home),
		OPEN_TEST(requests_that_share_a_transaction_fail_alone),
		OPEN_TEST(closing_carries_out_what_is_queued),
		OPEN_TEST(a_request_may_say_why_it_refuses),
		OPEN_TEST(a_change_by_another_process_is_seen_once_and_ones_own_never),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The state directory: its lock, its identity, and what a failed start leaves behind. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalog/state_dir.h"
#include "tests/skip.h"

struct fixture {
	char folder[32]; /* the scratch folder */
	char path[64];   /* a state_dir in it that does not exist yet */
	struct state_error why;
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->folder, "/tmp/state-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/state", f->folder);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;
	char command[64];
	int rc;

	snprintf(command, sizeof(command), "rm -rf %s", f->folder);
	rc = system(command);
	free(f);
	return rc;
}

static const char *in(const struct fixture *f, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return path;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static struct state_dir *opened(struct fixture *f)
{
	struct state_dir *s = NULL;

	if (state_dir_open(f->path, NULL, &s, &f->why))
		fail_msg("%s", f->why.text);
	return s;
}

static void a_directory_is_made_for_its_owner_alone(void **state)
{
	struct fixture *f = *state;
	struct state_dir *s = opened(f);

	assert_int_equal(mode_of(f->path), 0700);
	assert_int_equal(mode_of(in(f, "lock")), 0600);
	state_dir_close(s);
}

static void a_second_server_is_told_who_has_it(void **state)
{
	struct fixture *f = *state;
	struct state_dir *s = opened(f), *second = NULL;
	char pid[32];

	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_int_equal(state_dir_open(f->path, NULL, &second, &f->why), -EBUSY);
	assert_null(second);
	assert_non_null(strstr(f->why.text, f->path));
	assert_non_null(strstr(f->why.text, pid));
	assert_int_equal(access(in(f, "lock"), F_OK), 0);
	state_dir_close(s);
}

static void a_closed_directory_can_be_opened_again(void **state)
{
	struct fixture *f = *state;

	state_dir_close(opened(f));
	state_dir_close(opened(f));
}

static void the_identity_is_the_same_for_ever(void **state)
{
	struct fixture *f = *state;
	uint8_t first[STATE_IDENTITY_SIZE], second[STATE_IDENTITY_SIZE];
	struct state_dir *s = opened(f);

	assert_int_equal(state_dir_identity(s, first, &f->why), 0);
	state_dir_close(s);
	s = opened(f);
	assert_int_equal(state_dir_identity(s, second, &f->why), 0);
	state_dir_close(s);
	assert_memory_equal(first, second, sizeof(first));
	assert_int_equal(mode_of(in(f, "identity")), 0600);
}

static void two_directories_have_two_identities(void **state)
{
	struct fixture *f = *state;
	uint8_t first[STATE_IDENTITY_SIZE], second[STATE_IDENTITY_SIZE];
	struct state_dir *s = opened(f);

	assert_int_equal(state_dir_identity(s, first, &f->why), 0);
	state_dir_close(s);
	strcat(f->path, "2");
	s = opened(f);
	assert_int_equal(state_dir_identity(s, second, &f->why), 0);
	state_dir_close(s);
	assert_memory_not_equal(first, second, sizeof(first));
}

static void a_damaged_identity_is_an_error_and_stays_as_it_is(void **state)
{
	static const char *const damaged[] = { "", "0123456789abcdef0123456789abcdef",
		"0123456789abcdef0123456789abcdeg\n", "0123456789abcdef0123456789abcdef\n\n" };
	struct fixture *f = *state;
	uint8_t id[STATE_IDENTITY_SIZE];
	struct state_dir *s = opened(f);

	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		struct stat st;

		put(in(f, "identity"), damaged[i]);
		assert_int_equal(state_dir_identity(s, id, &f->why), -EINVAL);
		assert_non_null(strstr(f->why.text, "identity"));
		assert_int_equal(stat(in(f, "identity"), &st), 0);
		assert_int_equal(st.st_size, (off_t)strlen(damaged[i]));
	}
	state_dir_close(s);
}

static void a_failed_start_leaves_no_directory_behind(void **state)
{
	struct fixture *f = *state;
	uint8_t id[STATE_IDENTITY_SIZE];
	struct state_dir *s = opened(f);

	assert_int_equal(state_dir_identity(s, id, &f->why), 0);
	/* A catalog that found the disk full may have left these. */
	close(open(in(f, "catalog.db-wal"), O_CREAT | O_WRONLY, 0600));
	close(open(in(f, "catalog.db-shm"), O_CREAT | O_WRONLY, 0600));
	state_dir_discard(s);
	assert_int_equal(access(f->path, F_OK), -1);
}

static void a_failed_start_keeps_what_was_there(void **state)
{
	struct fixture *f = *state;
	uint8_t first[STATE_IDENTITY_SIZE], second[STATE_IDENTITY_SIZE];
	struct state_dir *s = opened(f);

	assert_int_equal(state_dir_identity(s, first, &f->why), 0);
	state_dir_close(s);
	s = opened(f);
	assert_int_equal(state_dir_identity(s, second, &f->why), 0);
	state_dir_discard(s);
	assert_int_equal(access(in(f, "lock"), F_OK), 0);
	assert_int_equal(access(in(f, "identity"), F_OK), 0);
}

static void a_directory_for_everybody_is_refused(void **state)
{
	struct fixture *f = *state;
	struct state_dir *s = NULL;

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(chmod(f->path, 0777), 0);
	assert_int_equal(state_dir_open(f->path, NULL, &s, &f->why), -EPERM);
	assert_non_null(strstr(f->why.text, "chmod 700"));
	assert_int_equal(access(in(f, "lock"), F_OK), -1);
}

static void a_missing_parent_is_named(void **state)
{
	struct fixture *f = *state;
	struct state_dir *s = NULL;

	strcat(f->path, "/below");
	assert_int_equal(state_dir_open(f->path, NULL, &s, &f->why), -ENOENT);
	assert_non_null(strstr(f->why.text, f->path));
}

static void a_link_is_no_lock(void **state)
{
	struct fixture *f = *state;
	struct state_dir *s = NULL;
	char elsewhere[64];
	struct stat st;

	snprintf(elsewhere, sizeof(elsewhere), "%s/precious", f->folder);
	put(elsewhere, "data");
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(symlink(elsewhere, in(f, "lock")), 0);
	assert_int_equal(state_dir_open(f->path, NULL, &s, &f->why), -ELOOP);
	assert_int_equal(unlink(in(f, "lock")), 0);
	assert_int_equal(link(elsewhere, in(f, "lock")), 0);
	assert_int_equal(state_dir_open(f->path, NULL, &s, &f->why), -EINVAL);
	assert_int_equal(stat(elsewhere, &st), 0);
	assert_int_equal(st.st_size, 4);
}

static void root_gives_what_it_makes_to_the_user(void **state)
{
	struct fixture *f = *state;
	struct state_owner owner = { .uid = 65534, .gid = 65534 };
	struct state_dir *s = NULL;
	struct stat st;

	if (geteuid() != 0)
		skip_as("takes root");
	assert_int_equal(state_dir_open(f->path, &owner, &s, &f->why), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_uid, owner.uid);
	assert_int_equal(stat(in(f, "lock"), &st), 0);
	assert_int_equal(st.st_uid, owner.uid);
	state_dir_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_directory_is_made_for_its_owner_alone),
		TEST(a_second_server_is_told_who_has_it),
		TEST(a_closed_directory_can_be_opened_again),
		TEST(the_identity_is_the_same_for_ever),
		TEST(two_directories_have_two_identities),
		TEST(a_damaged_identity_is_an_error_and_stays_as_it_is),
		TEST(a_failed_start_leaves_no_directory_behind),
		TEST(a_failed_start_keeps_what_was_there),
		TEST(a_directory_for_everybody_is_refused),
		TEST(a_missing_parent_is_named),
		TEST(a_link_is_no_lock),
		TEST(root_gives_what_it_makes_to_the_user),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

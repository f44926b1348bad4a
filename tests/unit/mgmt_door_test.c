/* SPDX-License-Identifier: BSD-2-Clause */
/* The management socket: its place, its mode, and who is at the other end. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/unixname.h"
#include "mgmt/door.h"

struct fixture {
	char folder[32];
	char path[64];
	struct door_error why;
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->folder, "/tmp/door-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/s", f->folder);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	/* Fails if anything else was left there. */
	if (rmdir(f->folder))
		return -1;
	free(f);
	return 0;
}

static struct door *opened(struct fixture *f, mode_t mode)
{
	struct door *d = NULL;

	if (door_open(f->path, mode, &d, &f->why))
		fail_msg("%s", f->why.text);
	return d;
}

static int connected(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(at.sun_path, path);
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		return -1;
	}
	return fd;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	return st.st_mode & 07777;
}

static void it_has_its_mode_and_takes_connections(void **state)
{
	struct fixture *f = *state;
	struct door *d = opened(f, 0620);
	int fd = connected(f->path);

	assert_int_equal(mode_of(f->path), 0620);
	assert_true(fd >= 0);
	assert_true(fcntl(door_fd(d), F_GETFL) & O_NONBLOCK);
	assert_string_equal(door_path(d), f->path);
	close(fd);
	door_close(d);
}

static void its_mode_can_change(void **state)
{
	struct fixture *f = *state;
	struct door *d = opened(f, 0600);

	assert_int_equal(door_set_mode(d, 0666), 0);
	assert_int_equal(mode_of(f->path), 0666);
	door_close(d);
}

static void closing_removes_it(void **state)
{
	struct fixture *f = *state;

	door_close(opened(f, 0600));
	assert_int_equal(access(f->path, F_OK), -1);
}

static void closing_leaves_what_another_put_in_its_place(void **state)
{
	struct fixture *f = *state;
	struct door *d = opened(f, 0600);
	int fd;

	assert_true(door_in_place(d));
	assert_int_equal(unlink(f->path), 0);
	assert_false(door_in_place(d));
	fd = open(f->path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	door_close(d);
	assert_int_equal(access(f->path, F_OK), 0);
}

static void the_socket_of_a_dead_server_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct door *d;

	strcpy(at.sun_path, f->path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	d = opened(f, 0600);
	fd = connected(f->path);
	assert_true(fd >= 0);
	close(fd);
	door_close(d);
}

static void the_socket_of_a_live_server_is_not(void **state)
{
	struct fixture *f = *state;
	struct door *d = opened(f, 0600), *second = NULL;

	assert_int_equal(door_open(f->path, 0600, &second, &f->why), -EADDRINUSE);
	assert_null(second);
	assert_non_null(strstr(f->why.text, f->path));
	door_close(d);
}

static void a_file_is_not_replaced(void **state)
{
	struct fixture *f = *state;
	struct door *d = NULL;

	close(open(f->path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(door_open(f->path, 0600, &d, &f->why), -EEXIST);
	assert_int_equal(access(f->path, F_OK), 0);
}

static void a_link_is_not_followed(void **state)
{
	struct fixture *f = *state;
	struct door *d = NULL;

	assert_int_equal(symlink("/nonexistent/elsewhere", f->path), 0);
	assert_int_equal(door_open(f->path, 0600, &d, &f->why), -EEXIST);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct fixture *f = *state;
	struct door *d = NULL;

	assert_int_equal(door_open("/nonexistent/s", 0600, &d, &f->why), -ENOENT);
	assert_non_null(strstr(f->why.text, "/nonexistent/s"));
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	struct door *d = NULL;
	char path[140];

	memset(path, 'x', sizeof(path));
	memcpy(path, "/tmp/", 5);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(door_open(path, 0600, &d, &f->why), -ENAMETOOLONG);
}

/* Deeper than a socket's address can say. */
static void a_path_may_be_long(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/door-XXXXXX", path[200];
	struct door *d = NULL, *second = NULL;
	struct unixname name;
	int fd;

	assert_non_null(mkdtemp(dir));
	strcat(strcpy(path, dir), "/");
	memset(path + sizeof(dir), 'd', 120);
	path[sizeof(dir) + 120] = '\0';
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/ctl.sock");
	assert_int_equal(door_open(path, 0620, &d, &f->why), 0);
	assert_int_equal(mode_of(path), 0620);
	assert_int_equal(door_open(path, 0600, &second, &f->why), -EADDRINUSE);
	assert_int_equal(unixname_open(path, &name), 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&name.addr, sizeof(name.addr)), 0);
	unixname_close(&name);
	close(fd);
	door_close(d);
	assert_int_equal(access(path, F_OK), -1);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void the_peer_is_known(void **state)
{
	struct fixture *f = *state;
	struct door *d = opened(f, 0600);
	int fd = connected(f->path), ours = accept(door_fd(d), NULL, NULL);
	uid_t uid = 12345;
	pid_t pid = 0;

	assert_true(door_peer(ours, &uid, &pid));
	assert_int_equal(uid, geteuid());
	assert_int_equal(pid, getpid());
	assert_false(door_peer(STDIN_FILENO, &uid, &pid));
	close(fd);
	close(ours);
	door_close(d);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(it_has_its_mode_and_takes_connections),
		TEST(its_mode_can_change),
		TEST(closing_removes_it),
		TEST(closing_leaves_what_another_put_in_its_place),
		TEST(the_socket_of_a_dead_server_is_replaced),
		TEST(the_socket_of_a_live_server_is_not),
		TEST(a_file_is_not_replaced),
		TEST(a_link_is_not_followed),
		TEST(a_folder_that_is_not_there_is_named),
		TEST(a_name_that_is_too_long_is_refused),
		TEST(a_path_may_be_long),
		TEST(the_peer_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

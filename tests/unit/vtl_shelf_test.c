/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories of cartridges: one is made, hidden, destroyed and carried whole or not at all, also
 * from one file system to another.
 */
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
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/skip.h"
#include "vtl/shelf.h"

#define BARCODE "AAA001L5"
#define SIZE    ((uint64_t)1 << 30)

/* A directory that cannot be synced. */
static char unsafe[64];

/* In place of the C library's. */
int fsync(int fd)
{
	char link[64], path[64] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (*unsafe && readlink(link, path, sizeof(path) - 1) > 0 && !strcmp(path, unsafe)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

struct shelves {
	char near[32], same[48]; /* on one file system, */
	char far[32];            /* on another, where there is one */
	bool two;
};

static int begin(void **state)
{
	struct shelves *s = calloc(1, sizeof(*s));
	struct stat a, b;

	log_setup(LOG_TO_STDERR, -1);
	strcpy(s->near, "/tmp/shelf-XXXXXX");
	strcpy(s->far, "/dev/shm/shelf-XXXXXX");
	if (!mkdtemp(s->near))
		return -1;
	s->two = mkdtemp(s->far) && !stat(s->near, &a) && !stat(s->far, &b) && a.st_dev != b.st_dev;
	snprintf(s->same, sizeof(s->same), "%s/same", s->near);
	*state = s;
	return mkdir(s->same, 0700);
}

static int end(void **state)
{
	struct shelves *s = *state;
	char command[128];
	int rc;

	snprintf(command, sizeof(command), "rm -rf %s %s", s->near, s->far);
	rc = system(command);
	free(s);
	return rc;
}

static void make(const char *dir)
{
	struct cartridge_cfg cfg = {
		.barcode = BARCODE, .media = media_generation(5), .capacity = SIZE
	};
	struct shelf_found found;

	assert_int_equal(shelf_make(dir, &cfg, &found), 0);
	assert_true(found.made);
}

static struct cartridge *open_in(const char *dir)
{
	struct cartridge *c;
	char path[64];

	assert_true(shelf_path(dir, BARCODE, path, sizeof(path)));
	assert_int_equal(cartridge_open(path, &(struct cartridge_opening){ .drive = NULL }, &c), 0);
	return c;
}

static void write_block(const char *dir, const char *text)
{
	struct iovec iov = { (char *)(uintptr_t)text, strlen(text) };
	struct cartridge *c = open_in(dir);
	size_t done;

	assert_int_equal(cartridge_write(c, &iov, 1, strlen(text), 1,
				 &(struct cartridge_write_how){ .compress = false }, &done),
		CARTRIDGE_OK);
	assert_int_equal(cartridge_close(c), 0);
}

static void assert_block(const char *dir, const char *text)
{
	struct cartridge_block got;
	struct cartridge *c = open_in(dir);
	char buf[64];

	assert_int_equal(cartridge_read(c, buf, sizeof(buf), NULL, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, strlen(text));
	assert_memory_equal(buf, text, strlen(text));
	assert_int_equal(cartridge_close(c), 0);
}

static bool has(const char *dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !access(path, F_OK);
}

static int carry(const char *from, const char *to, bool stopped)
{
	struct shelf_way way = { .stop = stopped };

	return shelf_carry(from, to, BARCODE, &way);
}

/* --- carrying ---------------------------------------------------------------------- */

static void carries_within_a_file_system(void **state)
{
	struct shelves *s = *state;

	make(s->near);
	write_block(s->near, "hello");
	assert_int_equal(carry(s->near, s->same, false), 0);
	assert_false(has(s->near, BARCODE));
	assert_block(s->same, "hello");
	assert_int_equal(carry(s->near, s->same, false), 0); /* it is there already */
	assert_int_equal(carry(s->same, s->near, false), 0);
	assert_block(s->near, "hello");
}

static void carries_to_another_file_system(void **state)
{
	struct shelves *s = *state;

	if (!s->two)
		skip_as("no second file system");
	make(s->near);
	write_block(s->near, "hello");
	assert_int_equal(carry(s->near, s->far, false), 0);
	assert_false(has(s->near, BARCODE));
	assert_false(has(s->near, "." BARCODE ".removed"));
	assert_false(has(s->far, "." BARCODE ".incoming"));
	assert_block(s->far, "hello");
}

static void holes_stay_holes(void **state)
{
	struct shelves *s = *state;
	char path[128];
	struct stat st;
	int fd;

	if (!s->two)
		skip_as("no second file system");
	make(s->near);
	snprintf(path, sizeof(path), "%s/%s/extra", s->near, BARCODE);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(pwrite(fd, "middle", 6, 300 << 20), 6);
	assert_int_equal(ftruncate(fd, 900 << 20), 0);
	close(fd);
	assert_int_equal(carry(s->near, s->far, false), 0);
	snprintf(path, sizeof(path), "%s/%s/extra", s->far, BARCODE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 900 << 20);
	assert_true(st.st_blocks < 2048); /* less than a mebibyte */
	fd = open(path, O_RDONLY);
	char text[6];
	assert_int_equal(pread(fd, text, 6, 300 << 20), 6);
	assert_memory_equal(text, "middle", 6);
	close(fd);
}

static void copy_tells_how_much_of_it_there_is(void **state)
{
	struct shelf_way way = { .stop = false };
	struct shelves *s = *state;

	if (!s->two)
		skip_as("no second file system");
	make(s->near);
	write_block(s->near, "hello");
	assert_int_equal(shelf_carry(s->near, s->far, BARCODE, &way), 0);
	assert_true(way.total >= 4096 && way.total < 1 << 20);
	assert_true(way.copied > 0 && way.copied <= way.total);
}

static void stopped_copy_leaves_everything_as_it_was(void **state)
{
	struct shelves *s = *state;

	if (!s->two)
		skip_as("no second file system");
	make(s->near);
	write_block(s->near, "hello");
	assert_int_equal(carry(s->near, s->far, true), -ECANCELED);
	assert_block(s->near, "hello");
	assert_false(has(s->far, BARCODE));
	assert_false(has(s->far, "." BARCODE ".incoming"));
}

/* As a crash leaves it between the copy's name and the original's end. */
static void copy_left_behind_is_dropped(void **state)
{
	struct shelves *s = *state;
	char command[256];

	make(s->near);
	write_block(s->near, "hello");
	snprintf(command, sizeof(command), "cp -a %s/%s %s/", s->near, BARCODE, s->same);
	assert_int_equal(system(command), 0);
	assert_int_equal(carry(s->near, s->same, false), 0);
	assert_false(has(s->near, BARCODE));
	assert_block(s->same, "hello");
}

/* As where a copy could not be taken back, and the original went on being used. */
static void copy_that_is_older_is_in_the_way(void **state)
{
	struct shelves *s = *state;
	char command[256];

	make(s->near);
	write_block(s->near, "hello");
	snprintf(command, sizeof(command), "cp -a %s/%s %s/", s->near, BARCODE, s->same);
	assert_int_equal(system(command), 0);
	write_block(s->near, "world");
	assert_int_equal(carry(s->near, s->same, false), -EEXIST);
	assert_block(s->near, "world");
}

static void move_that_may_not_last_is_taken_back(void **state)
{
	struct shelves *s = *state;

	make(s->near);
	write_block(s->near, "hello");
	strcpy(unsafe, s->same);
	assert_int_equal(carry(s->near, s->same, false), -EIO);
	*unsafe = '\0';
	assert_block(s->near, "hello");
	assert_false(has(s->same, BARCODE));
}

static void copy_whose_name_may_not_last_is_taken_back(void **state)
{
	struct shelves *s = *state;

	if (!s->two)
		skip_as("no second file system");
	make(s->near);
	write_block(s->near, "hello");
	strcpy(unsafe, s->far);
	assert_int_equal(carry(s->near, s->far, false), -EIO);
	*unsafe = '\0';
	assert_block(s->near, "hello");
	assert_false(has(s->far, BARCODE));
	assert_false(has(s->far, "." BARCODE ".incoming"));
}

static void copy_whose_original_cannot_be_hidden_for_good_is_taken_back(void **state)
{
	struct shelves *s = *state;

	if (!s->two)
		skip_as("no second file system");
	make(s->near);
	write_block(s->near, "hello");
	strcpy(unsafe, s->near);
	assert_int_equal(carry(s->near, s->far, false), -EIO);
	*unsafe = '\0';
	assert_block(s->near, "hello");
	assert_false(has(s->far, BARCODE));
	assert_false(has(s->far, "." BARCODE ".incoming"));
}

/* One that was copied before a crash may not have its name for good yet. */
static void original_stays_while_the_copys_name_may_not_last(void **state)
{
	struct shelves *s = *state;
	char command[256];

	make(s->near);
	write_block(s->near, "hello");
	snprintf(command, sizeof(command), "cp -a %s/%s %s/", s->near, BARCODE, s->same);
	assert_int_equal(system(command), 0);
	strcpy(unsafe, s->same);
	assert_int_equal(carry(s->near, s->same, false), -EIO);
	*unsafe = '\0';
	assert_block(s->near, "hello");
}

static void another_cartridge_of_that_barcode_is_in_the_way(void **state)
{
	struct shelves *s = *state;

	make(s->near);
	write_block(s->near, "hello");
	make(s->same);
	assert_int_equal(carry(s->near, s->same, false), -EEXIST);
	assert_block(s->near, "hello");
}

static void cartridge_in_use_stays(void **state)
{
	struct shelves *s = *state;
	struct cartridge *c;

	make(s->near);
	c = open_in(s->near);
	assert_int_equal(carry(s->near, s->same, false), -EBUSY);
	assert_int_equal(cartridge_close(c), 0);
	assert_int_equal(carry(s->near, s->same, false), 0);
}

static void damaged_cartridge_is_carried_too(void **state)
{
	struct shelves *s = *state;
	char path[128];

	make(s->near);
	snprintf(path, sizeof(path), "%s/%s/p0", s->near, BARCODE);
	assert_int_equal(truncate(path, 10), 0);
	snprintf(path, sizeof(path), "%s/%s/label", s->near, BARCODE);
	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(carry(s->near, s->same, false), 0);
	assert_true(has(s->same, BARCODE "/p0"));
	assert_int_equal(carry(s->near, s->far, false), -ENOENT);
}

/* --- making and removing ----------------------------------------------------------- */

static void blank_one_is_taken_up_and_a_used_one_is_not(void **state)
{
	struct shelves *s = *state;
	struct cartridge_cfg cfg = {
		.barcode = BARCODE, .media = media_generation(5), .capacity = SIZE
	};
	struct shelf_found found;

	make(s->near);
	assert_int_equal(shelf_make(s->near, &cfg, &found), 0);
	assert_false(found.made);
	cfg.media = media_generation(4);
	assert_int_equal(shelf_make(s->near, &cfg, &found), -EEXIST);
	cfg.media = media_generation(5);
	write_block(s->near, "hello");
	assert_int_equal(shelf_make(s->near, &cfg, &found), -EEXIST);
	assert_block(s->near, "hello");
}

/* As when it was last closed, also while somebody has it open. */
static void a_glance_tells_how_much_is_on_it(void **state)
{
	struct shelves *s = *state;
	struct shelf_found found;
	struct cartridge *c;
	uint64_t used = 1;

	assert_int_equal(shelf_used(s->near, BARCODE, &used), -ENOENT);
	make(s->near);
	assert_int_equal(shelf_used(s->near, BARCODE, &used), 0);
	assert_int_equal(used, 0);
	write_block(s->near, "hello");
	write_block(s->near, "hello, hello");
	assert_int_equal(shelf_look(s->near, BARCODE, &found), 0);
	c = open_in(s->near);
	assert_int_equal(shelf_used(s->near, BARCODE, &used), 0);
	assert_int_equal(used, found.used);
	assert_true(used > 0);
	assert_int_equal(cartridge_close(c), 0);
}

static void a_glance_adds_up_partitions(void **state)
{
	struct shelves *s = *state;
	struct iovec iov = { "there", 5 };
	struct shelf_found found;
	struct cartridge *c;
	uint64_t used;
	size_t done;

	make(s->near);
	c = open_in(s->near);
	assert_int_equal(cartridge_format(c, (uint64_t[]){ SIZE / 2, SIZE / 4 }, 2), CARTRIDGE_OK);
	assert_int_equal(cartridge_locate(c, 1, 0), CARTRIDGE_OK);
	assert_int_equal(
		cartridge_write(c, &iov, 1, 5, 1, &(struct cartridge_write_how){ 0 }, &done),
		CARTRIDGE_OK);
	assert_int_equal(cartridge_close(c), 0);
	assert_int_equal(shelf_used(s->near, BARCODE, &used), 0);
	assert_int_equal(shelf_look(s->near, BARCODE, &found), 0);
	assert_int_equal(used, found.used);
	assert_true(used > 0);
}

static void a_glance_at_what_is_no_cartridge_tells_nothing(void **state)
{
	struct shelves *s = *state;
	char command[256];
	uint64_t used = 77;

	make(s->near);
	snprintf(command, sizeof(command), "cp -r %s/%s %s/OTHER1L5", s->near, BARCODE, s->near);
	assert_int_equal(system(command), 0);
	assert_int_equal(shelf_used(s->near, "OTHER1L5", &used), -EBADMSG);
	snprintf(command, sizeof(command), "truncate -s 5000 %s/%s/p0", s->near, BARCODE);
	assert_int_equal(system(command), 0);
	assert_int_equal(shelf_used(s->near, BARCODE, &used), -EBADMSG);
	assert_int_equal(used, 77);
}

static void looking_tells_what_is_there(void **state)
{
	struct shelves *s = *state;
	struct shelf_found found;
	char command[256];

	assert_int_equal(shelf_look(s->near, BARCODE, &found), -ENOENT);
	make(s->near);
	write_block(s->near, "hello");
	assert_int_equal(shelf_look(s->near, BARCODE, &found), 0);
	assert_int_equal(found.generation, 5);
	assert_int_equal(found.size, SIZE);
	assert_true(found.used >= 5);
	snprintf(command, sizeof(command), "mv %s/%s %s/OTHER1L5", s->near, BARCODE, s->near);
	assert_int_equal(system(command), 0);
	assert_int_equal(shelf_look(s->near, "OTHER1L5", &found), -EBADMSG);
}

static bool is_kept(const char *barcode, void *arg)
{
	return !strcmp(barcode, arg);
}

static void settling_shows_what_is_known_and_destroys_the_rest(void **state)
{
	struct shelves *s = *state;
	char path[64];

	make(s->near);
	assert_int_equal(shelf_hide(s->near, BARCODE), 0);
	assert_false(has(s->near, BARCODE));
	shelf_settle(s->near, is_kept, BARCODE);
	assert_true(has(s->near, BARCODE "/p0"));
	assert_int_equal(shelf_hide(s->near, BARCODE), 0);
	snprintf(path, sizeof(path), "%s/.BBB001L5.incoming", s->near);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/.not-ours.removed", s->near);
	assert_int_equal(mkdir(path, 0700), 0);
	shelf_settle(s->near, is_kept, "BBB001L5");
	assert_false(has(s->near, BARCODE));
	assert_false(has(s->near, "." BARCODE ".removed"));
	assert_false(has(s->near, ".BBB001L5.incoming"));
	assert_true(has(s->near, ".not-ours.removed"));
	assert_true(has(s->near, "same"));
}

/* What the log has of it. */
static void settle_and_read_log(struct shelves *s, char *out, size_t size)
{
	int was = dup(STDERR_FILENO), to = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ssize_t n;

	assert_true(was >= 0 && to >= 0);
	dup2(to, STDERR_FILENO);
	log_setup(LOG_TO_STDERR, LOG_NOTICE);
	shelf_settle(s->near, is_kept, "BBB001L5");
	dup2(was, STDERR_FILENO);
	log_setup(LOG_TO_STDERR, -1);
	n = pread(to, out, size - 1, 0);
	assert_true(n >= 0);
	out[n] = '\0';
	close(to);
	close(was);
}

static void what_a_killed_creation_leaves_is_told_of_and_stays(void **state)
{
	struct shelves *s = *state;
	char path[64], log[1024];

	settle_and_read_log(s, log, sizeof(log));
	assert_string_equal(log, "");
	make(s->near);
	snprintf(path, sizeof(path), "%s/BBB002L5.q3Zk0x", s->near);
	assert_int_equal(mkdir(path, 0700), 0);
	settle_and_read_log(s, log, sizeof(log));
	assert_non_null(strstr(log, "/" BARCODE ": a cartridge that the library does not have"));
	assert_non_null(strstr(log, "tape create --existing " BARCODE "\""));
	assert_non_null(strstr(log, "/BBB002L5.q3Zk0x: nothing uses this directory"));
	assert_true(has(s->near, BARCODE "/p0"));
	assert_true(has(s->near, "BBB002L5.q3Zk0x"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(carries_within_a_file_system),
		T(carries_to_another_file_system),
		T(holes_stay_holes),
		T(copy_tells_how_much_of_it_there_is),
		T(stopped_copy_leaves_everything_as_it_was),
		T(copy_left_behind_is_dropped),
		T(copy_that_is_older_is_in_the_way),
		T(move_that_may_not_last_is_taken_back),
		T(copy_whose_name_may_not_last_is_taken_back),
		T(copy_whose_original_cannot_be_hidden_for_good_is_taken_back),
		T(original_stays_while_the_copys_name_may_not_last),
		T(another_cartridge_of_that_barcode_is_in_the_way),
		T(cartridge_in_use_stays),
		T(damaged_cartridge_is_carried_too),
		T(blank_one_is_taken_up_and_a_used_one_is_not),
		T(a_glance_tells_how_much_is_on_it),
		T(a_glance_adds_up_partitions),
		T(a_glance_at_what_is_no_cartridge_tells_nothing),
		T(looking_tells_what_is_there),
		T(settling_shows_what_is_known_and_destroys_the_rest),
		T(what_a_killed_creation_leaves_is_told_of_and_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

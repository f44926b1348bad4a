/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file store, over io_uring and over threads: what it opens and refuses, what it
 * does with the file, and that what it calls durable is on its way to no cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_store.h"
#include "tests/skip.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

static struct store_cfg file_cfg(const char *path, uint64_t size)
{
	return (struct store_cfg){
		.kind = "file", .path = path, .size = size, .block_size = 512, .create = true
	};
}

static struct store *new_file(void **state, uint64_t size)
{
	const char *path = rig_path(*state, "disk");
	struct store *st;

	unlink(path);
	st = rig_open(*state, file_cfg(path, size));
	assert_non_null(st);
	return st;
}

/* A file of the test's own, with so many bytes of a pattern. */
static const char *given(void **state, size_t size)
{
	const char *path = rig_path(*state, "given");
	FILE *f = fopen(path, "w");
	uint8_t *buf = malloc(size + 1);

	assert_non_null(f);
	assert_non_null(buf);
	pattern(buf, size, 9);
	assert_int_equal(fwrite(buf, 1, size, f), size);
	free(buf);
	fclose(f);
	return path;
}

static struct stat status(const char *path)
{
	struct stat s;

	assert_int_equal(stat(path, &s), 0);
	return s;
}

static void refuses(struct rig *rig, struct store_cfg cfg, int err, const char *text)
{
	char want[256];

	snprintf(want, sizeof(want), "%s%s", cfg.path, text);
	assert_null(rig_open(rig, cfg));
	assert_string_equal(rig->why.text, want);
	assert_int_equal(rig->why.err, err);
}

/* --- opening ----------------------------------------------------------------------------- */

static void open_names_a_file_that_is_missing(void **state)
{
	struct store_cfg cfg = file_cfg(rig_path(*state, "none"), MIB);

	cfg.create = false;
	refuses(*state, cfg, -ENOENT,
		": no such file; make it first, or say create = true with a size");
}

static void create_needs_a_size(void **state)
{
	refuses(*state, file_cfg(rig_path(*state, "none"), 0), -EINVAL,
		": does not exist; give the size to make it with");
}

static void create_does_not_make_directories(void **state)
{
	refuses(*state, file_cfg(rig_path(*state, "no/where"), MIB), -ENOENT,
		": the directory does not exist; make it first");
}

static void create_makes_a_sparse_file_for_its_owner_alone(void **state)
{
	struct store *st = new_file(state, 64 * MIB);
	struct stat s = status(rig_path(*state, "disk"));

	assert_int_equal(s.st_size, 64 * MIB);
	assert_int_equal(s.st_mode & 07777, 0600);
	assert_true((uint64_t)s.st_blocks * 512 < MIB);
	assert_int_equal(store_size(st), 64 * MIB);
	store_close(st);
}

static void create_keeps_a_file_that_is_there(void **state)
{
	struct store *st = rig_open(*state, file_cfg(given(state, 8192), 8192));
	uint8_t buf[8192], want[8192];

	assert_non_null(st);
	pattern(want, sizeof(want), 9);
	assert_int_equal(request(*state, st, STORE_READ, 0, buf, sizeof(buf), 0), 0);
	assert_memory_equal(buf, want, sizeof(buf));
	store_close(st);
}

static void create_takes_an_empty_file_for_a_new_one(void **state)
{
	struct store *st = rig_open(*state, file_cfg(given(state, 0), MIB));

	assert_non_null(st);
	assert_int_equal(status(rig_path(*state, "given")).st_size, MIB);
	store_close(st);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit r;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void create_that_fails_leaves_nothing(void **state)
{
	struct store_cfg cfg = file_cfg(rig_path(*state, "large"), 2 * MIB);

	limit_file_size(MIB);
	assert_null(rig_open(*state, cfg));
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(((struct rig *)*state)->why.err, -EFBIG);
	assert_int_equal(access(cfg.path, F_OK), -1);
}

static void open_refuses_an_empty_file_without_create(void **state)
{
	struct store_cfg cfg = file_cfg(given(state, 0), 0);

	cfg.create = false;
	refuses(*state, cfg, -EINVAL, ": is empty; give its size, with create = true");
}

static void open_refuses_a_file_that_is_too_small(void **state)
{
	refuses(*state, file_cfg(given(state, 8192), MIB), -EINVAL,
		": is too small, 8K where size says 1M; enlarge it or lower the size");
}

static void open_refuses_a_file_of_broken_blocks(void **state)
{
	refuses(*state, file_cfg(given(state, 8192 + 100), 0), -EINVAL,
		": its 8292 bytes are not a multiple of the block size 512; "
		"set size = 8192 or enlarge it");
}

static void without_a_size_the_file_is_the_store(void **state)
{
	struct store *st = rig_open(*state, file_cfg(given(state, 8192), 0));

	assert_non_null(st);
	assert_int_equal(store_size(st), 8192);
	store_close(st);
}

static void of_a_larger_file_only_the_size_is_used(void **state)
{
	struct store *st = rig_open(*state, file_cfg(given(state, 8292), 4096));
	uint8_t buf[512];

	assert_non_null(st);
	assert_int_equal(store_size(st), 4096);
	assert_int_equal(request(*state, st, STORE_READ, 4096, buf, 512, 0), -EINVAL);
	store_close(st);
	assert_int_equal(status(rig_path(*state, "given")).st_size, 8292);
}

static void open_refuses_what_is_no_disk(void **state)
{
	struct store_cfg cfg = file_cfg(rig_path(*state, "pipe"), MIB);

	assert_int_equal(mkfifo(cfg.path, 0600), 0);
	refuses(*state, cfg, -EINVAL, ": is a pipe; a file or a block device is wanted");
	cfg.path = ((struct rig *)*state)->dir;
	refuses(*state, cfg, -EISDIR, ": is a directory; a file or a block device is wanted");
	cfg.path = "/dev/null";
	refuses(*state, cfg, -EINVAL,
		": is a character device; a file or a block device is wanted");
}

/* Root may open everything, so the test is nobody for a moment. */
static void open_says_who_has_no_permission(void **state)
{
	struct store_cfg cfg = file_cfg(given(state, 8192), 8192);
	uid_t me = geteuid(), who = me ? me : 65534;
	char text[128];

	assert_int_equal(chmod(((struct rig *)*state)->dir, 0755), 0);
	assert_int_equal(chmod(cfg.path, 0400), 0);
	assert_int_equal(seteuid(who), 0);
	snprintf(text, sizeof(text),
		": no permission for uid %u to open it for writing; change its "
		"owner or mode, or say read_only = true",
		who);
	refuses(*state, cfg, -EACCES, text);
	assert_int_equal(seteuid(me), 0);
}

static void a_file_is_told_from_another_one_in_its_place(void **state)
{
	struct rig *rig = *state;
	struct store_cfg cfg = file_cfg(given(state, MIB), 0);
	uint64_t medium[3];

	for (unsigned i = 0; i < 3; i++) {
		struct store *st;

		if (i == 2) {
			assert_int_equal(unlink(cfg.path), 0);
			cfg.path = given(state, MIB);
		}
		st = rig_open(rig, cfg);
		assert_non_null(st);
		medium[i] = store_medium(st);
		store_close(st);
	}
	assert_true(medium[0]);
	assert_true(medium[0] == medium[1]);
	assert_true(medium[0] != medium[2]);
}

static void a_second_opening_is_refused(void **state)
{
	struct store *st = new_file(state, MIB);
	struct store_cfg again = file_cfg(rig_path(*state, "disk"), MIB);

	refuses(*state, again, -EBUSY, ": already open, here or in another program");
	again.read_only = true;
	refuses(*state, again, -EBUSY, ": already open for writing, here or in another program");
	store_close(st);
	st = rig_open(*state, again);
	assert_non_null(st);
	store_close(st);
}

static void *close_soon(void *st)
{
	usleep(50 * 1000);
	store_close(st);
	return NULL;
}

/* As after kill -9: the kernel gives the lock back a moment after the process has gone. */
static void opening_waits_for_a_lock_that_is_about_to_go(void **state)
{
	struct store *st = new_file(state, MIB), *next;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, close_soon, st), 0);
	next = rig_open(*state, file_cfg(rig_path(*state, "disk"), MIB));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_non_null(next);
	store_close(next);
}

static void readers_share(void **state)
{
	struct store_cfg cfg = file_cfg(given(state, 8192), 8192);
	struct store *a, *b;

	cfg.read_only = true;
	a = rig_open(*state, cfg);
	b = rig_open(*state, cfg);
	assert_non_null(a);
	assert_non_null(b);
	cfg.read_only = false;
	refuses(*state, cfg, -EBUSY, ": already open, here or in another program");
	store_close(a);
	store_close(b);
}

/* --- reading and writing ----------------------------------------------------------------- */

static void what_was_written_is_there_after_opening_again(void **state)
{
	struct store *st = new_file(state, MIB);
	uint8_t in[8192], out[8192] = { 0 };

	pattern(in, sizeof(in), 1);
	assert_int_equal(request(*state, st, STORE_WRITE, 512, in, sizeof(in), 0), 0);
	store_close(st);
	st = rig_open(*state, file_cfg(rig_path(*state, "disk"), MIB));
	assert_non_null(st);
	assert_int_equal(request(*state, st, STORE_READ, 512, out, sizeof(out), 0), 0);
	assert_memory_equal(in, out, sizeof(in));
	store_close(st);
}

/* Takes a file out of the page cache, where the file system has a disk below. */
static void chill(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(fd);
}

static void cold_reads_give_the_same(void **state)
{
	struct store *st = new_file(state, 4 * MIB);
	uint8_t *in = malloc(4 * MIB), *out = calloc(4, MIB);
	struct asked a[64];

	assert_true(in && out);
	pattern(in, 4 * MIB, 2);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, in, 4 * MIB, 0), 0);
	chill(rig_path(*state, "disk"));
	for (size_t i = 0; i < 64; i++)
		ask(*state, st, &a[i], STORE_READ, i * 64 * KIB, out + i * 64 * KIB, 64 * KIB, 0);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(answer(*state, &a[i]), 0);
	assert_memory_equal(in, out, 4 * MIB);
	free(in);
	free(out);
	store_close(st);
}

static void a_read_of_pages_here_and_pages_not_here_is_whole(void **state)
{
	struct store *st = new_file(state, MIB);
	uint8_t *in = malloc(MIB), *out = calloc(1, MIB);

	assert_true(in && out);
	pattern(in, MIB, 3);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, in, MIB, 0), 0);
	chill(rig_path(*state, "disk"));
	assert_int_equal(request(*state, st, STORE_READ, 0, out, 4096, 0), 0);
	assert_int_equal(request(*state, st, STORE_READ, 0, out, MIB, 0), 0);
	assert_memory_equal(in, out, MIB);
	free(in);
	free(out);
	store_close(st);
}

static void more_requests_than_a_ring_holds_all_end(void **state)
{
	enum { N = 5000 };
	struct store *st = new_file(state, N * 512);
	struct asked *a = calloc(N, sizeof(*a));
	uint8_t *in = malloc(N * 512), *out = calloc(N, 512);

	assert_true(a && in && out);
	pattern(in, N * 512, 4);
	for (size_t i = 0; i < N; i++)
		ask(*state, st, &a[i], STORE_WRITE, i * 512, in + i * 512, 512, 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(answer(*state, &a[i]), 0);
	assert_int_equal(request(*state, st, STORE_READ, 0, out, N * 512, 0), 0);
	assert_memory_equal(in, out, N * 512);
	free(a);
	free(in);
	free(out);
	store_close(st);
}

static void lists_longer_than_the_kernel_takes_are_whole(void **state)
{
	enum { N = 3000 };
	struct rig *rig = *state;
	struct store *st = new_file(state, N * 512);
	struct iovec *iov = calloc(N, sizeof(*iov));
	uint8_t *in = malloc(N * 512), *out = calloc(N, 512);
	struct asked a;

	assert_true(iov && in && out);
	pattern(in, N * 512, 5);
	for (size_t i = 0; i < N; i++)
		iov[i] = (struct iovec){ in + i * 512, 512 };
	ask(rig, st, &a, STORE_READ, 0, out, 512, 0); /* for its done() */
	assert_int_equal(answer(rig, &a), 0);
	a.io.op = STORE_WRITE;
	a.io.iov = iov;
	a.io.iovcnt = N;
	a.io.len = N * 512;
	a.pending = true;
	a.err = store_submit(st, &a.io);
	a.pending = a.err == STORE_PENDING;
	assert_int_equal(answer(rig, &a), 0);
	assert_int_equal(request(rig, st, STORE_READ, 0, out, N * 512, 0), 0);
	assert_memory_equal(in, out, N * 512);
	free(iov);
	free(in);
	free(out);
	store_close(st);
}

static void what_others_have_cut_off_a_file_does_not_read_as_zeros(void **state)
{
	struct store *st = new_file(state, MIB);
	uint8_t buf[8192];

	memset(buf, 1, sizeof(buf));
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, sizeof(buf), 0), 0);
	assert_int_equal(truncate(rig_path(*state, "disk"), 4096), 0);
	assert_int_equal(request(*state, st, STORE_READ, 0, buf, 4096, 0), 0);
	assert_int_equal(buf[4095], 1);
	assert_int_equal(request(*state, st, STORE_READ, 0, buf, sizeof(buf), 0), -ENODATA);
	assert_int_equal(request(*state, st, STORE_READ, 512 * KIB, buf, sizeof(buf), 0), -ENODATA);
	store_close(st);
}

static void a_write_that_finds_no_room_fails_alone(void **state)
{
	struct store *st = new_file(state, 4 * MIB);
	uint8_t buf[4096] = { 1 };
	int beyond, within;

	limit_file_size(MIB);
	beyond = request(*state, st, STORE_WRITE, 2 * MIB, buf, sizeof(buf), STORE_FUA);
	within = request(*state, st, STORE_WRITE, 0, buf, sizeof(buf), STORE_FUA);
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(beyond, -EFBIG);
	assert_int_equal(within, 0);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	store_close(st);
}

/* --- durability -------------------------------------------------------------------------- */

/* Pages of a file that are not on the disk yet; -1 where nobody can say: before Linux 6.5, and
 * on tmpfs, which has no disk. */
static int64_t dirty_pages(const char *path)
{
	struct {
		uint64_t off, len;
	} range = { 0, 0 };
	struct {
		uint64_t cached, dirty, writeback, evicted, recent;
	} pages;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long r = syscall(451, fd, &range, &pages, 0); /* cachestat */
	struct statfs fs;

	assert_int_equal(fstatfs(fd, &fs), 0);
	close(fd);
	return r || fs.f_type == TMPFS_MAGIC ? -1 : (int64_t)(pages.dirty + pages.writeback);
}

static void needs_dirty_pages(void **state)
{
	if (dirty_pages(given(state, 512)) < 0)
		skip_as("no telling what is on the disk");
}

static void a_write_alone_is_not_durable_and_with_fua_it_is(void **state)
{
	struct store *st;
	uint8_t buf[8192] = { 1 };
	int64_t plain, fua;

	needs_dirty_pages(state);
	st = new_file(state, MIB);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, sizeof(buf), 0), 0);
	plain = dirty_pages(rig_path(*state, "disk"));
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, sizeof(buf), STORE_FUA), 0);
	fua = dirty_pages(rig_path(*state, "disk"));
	store_close(st);
	assert_int_equal(plain, 2);
	assert_int_equal(fua, 0);
}

static void a_flush_leaves_nothing_dirty(void **state)
{
	struct store *st;
	uint8_t buf[8192] = { 1 };
	int64_t left;

	needs_dirty_pages(state);
	st = new_file(state, MIB);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, sizeof(buf), 0), 0);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	left = dirty_pages(rig_path(*state, "disk"));
	store_close(st);
	assert_int_equal(left, 0);
}

static void closing_leaves_nothing_dirty(void **state)
{
	struct store *st;
	uint8_t buf[8192] = { 1 };

	needs_dirty_pages(state);
	st = new_file(state, MIB);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, sizeof(buf), 0), 0);
	store_close(st);
	assert_int_equal(dirty_pages(rig_path(*state, "disk")), 0);
}

/* --- space ------------------------------------------------------------------------------- */

static void *full_of(uint8_t byte, size_t len)
{
	void *p = malloc(len);

	assert_non_null(p);
	memset(p, byte, len);
	return p;
}

/* A file of 4 MiB that holds ones, on the disk. */
static struct store *full_file(void **state, const char *path)
{
	void *ones = full_of(1, 4 * MIB);
	struct store *st;

	unlink(path);
	st = rig_open(*state, file_cfg(path, 4 * MIB));
	assert_non_null(st);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, ones, 4 * MIB, 0), 0);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	free(ones);
	return st;
}

static void zeros_from_to(void **state, struct store *st, uint64_t from, uint64_t to)
{
	uint8_t *buf = full_of(2, 4 * MIB);

	assert_int_equal(request(*state, st, STORE_READ, 0, buf, 4 * MIB, 0), 0);
	assert_int_equal(buf[from - 1], 1);
	assert_true(zeros(buf + from, to - from));
	assert_int_equal(buf[to], 1);
	free(buf);
}

static void discard_gives_space_back_and_leaves_zeros(void **state)
{
	struct store *st = full_file(state, rig_path(*state, "disk"));
	blkcnt_t full = status(rig_path(*state, "disk")).st_blocks;

	assert_true(store_thin(st));
	assert_int_equal(request(*state, st, STORE_DISCARD, MIB - 512, NULL, 2 * MIB, 0), 0);
	assert_true(full - status(rig_path(*state, "disk")).st_blocks > 3000);
	zeros_from_to(state, st, MIB - 512, 3 * MIB - 512);
	store_close(st);
	assert_int_equal(status(rig_path(*state, "disk")).st_size, 4 * MIB);
}

static void zero_keeps_space_and_leaves_zeros(void **state)
{
	struct store *st = full_file(state, rig_path(*state, "disk"));

	assert_int_equal(request(*state, st, STORE_ZERO, MIB - 512, NULL, 2 * MIB, 0), 0);
	assert_true((uint64_t)status(rig_path(*state, "disk")).st_blocks * 512 >= 4 * MIB);
	zeros_from_to(state, st, MIB - 512, 3 * MIB - 512);
	store_close(st);
}

/* tmpfs cannot zero a range, so that zeros are written. */
static void zero_works_where_the_file_system_does_not_know_it(void **state)
{
	char path[] = "/dev/shm/store-test-XXXXXX";
	int fd = mkstemp(path);
	struct store *st;

	if (fd < 0)
		skip_as("no /dev/shm");
	close(fd);
	st = full_file(state, path);
	assert_int_equal(request(*state, st, STORE_ZERO, MIB - 512, NULL, 2 * MIB, 0), 0);
	zeros_from_to(state, st, MIB - 512, 3 * MIB - 512);
	assert_int_equal(request(*state, st, STORE_DISCARD, MIB, NULL, MIB, 0), 0);
	store_close(st);
	unlink(path);
}

static void extent(struct store *st, uint64_t off, bool want_mapped, uint64_t want_len)
{
	uint64_t len;
	bool mapped;

	assert_int_equal(store_extent(st, off, &len, &mapped), 0);
	assert_int_equal(mapped, want_mapped);
	assert_int_equal(len, want_len);
}

static void extents_tell_holes_from_data(void **state)
{
	struct store *st = new_file(state, 4 * MIB);
	uint8_t *ones = full_of(1, MIB);

	extent(st, 0, false, 4 * MIB);
	assert_int_equal(request(*state, st, STORE_WRITE, MIB, ones, MIB, 0), 0);
	extent(st, 0, false, MIB);
	extent(st, 512, false, MIB - 512);
	extent(st, MIB, true, MIB);
	extent(st, 2 * MIB - 512, true, 512);
	extent(st, 2 * MIB, false, 2 * MIB);
	assert_int_equal(request(*state, st, STORE_DISCARD, MIB, NULL, MIB / 2, 0), 0);
	extent(st, MIB, false, MIB / 2);
	free(ones);
	store_close(st);
}

static void read_only_files_are_not_thin(void **state)
{
	struct store_cfg cfg = file_cfg(given(state, 8192), 8192);
	struct store *st;

	cfg.read_only = true;
	st = rig_open(*state, cfg);
	assert_non_null(st);
	assert_false(store_thin(st));
	store_close(st);
}

/* --- resizing ---------------------------------------------------------------------------- */

static void growth_enlarges_the_file(void **state)
{
	struct store *st = new_file(state, MIB);
	uint8_t buf[512] = { 1 };

	assert_int_equal(store_resize(st, 2 * MIB), 0);
	assert_int_equal(status(rig_path(*state, "disk")).st_size, 2 * MIB);
	assert_int_equal(request(*state, st, STORE_READ, 2 * MIB - 512, buf, 512, 0), 0);
	assert_true(zeros(buf, 512));
	store_close(st);
}

static void a_shrink_cuts_nothing_off(void **state)
{
	struct store *st = new_file(state, MIB);
	uint8_t in[512], out[512] = { 0 };

	pattern(in, sizeof(in), 6);
	assert_int_equal(request(*state, st, STORE_WRITE, MIB - 512, in, 512, 0), 0);
	assert_int_equal(store_resize(st, MIB / 2), 0);
	assert_int_equal(request(*state, st, STORE_READ, MIB - 512, out, 512, 0), -EINVAL);
	assert_int_equal(status(rig_path(*state, "disk")).st_size, MIB);
	assert_int_equal(store_resize(st, MIB), 0);
	assert_int_equal(request(*state, st, STORE_READ, MIB - 512, out, 512, 0), 0);
	assert_memory_equal(in, out, 512);
	store_close(st);
}

static void room_is_what_others_have_made_of_the_file(void **state)
{
	struct store *st = new_file(state, MIB);

	assert_int_equal(store_room(st), MIB);
	assert_int_equal(truncate(rig_path(*state, "disk"), 2 * MIB + 100), 0);
	assert_int_equal(store_room(st), 2 * MIB);
	assert_int_equal(store_size(st), MIB);
	assert_int_equal(store_resize(st, MIB / 2), 0);
	assert_int_equal(store_room(st), 2 * MIB);
	store_close(st);
}

static void a_file_that_was_replaced_or_removed_is_astray(void **state)
{
	struct store *st = new_file(state, MIB);
	char other[256];

	snprintf(other, sizeof(other), "%s", given(state, MIB));
	assert_false(store_astray(st));
	assert_int_equal(rename(other, rig_path(*state, "disk")), 0);
	assert_true(store_astray(st));
	unlink(rig_path(*state, "disk"));
	assert_true(store_astray(st));
	store_close(st);
}

static void a_read_only_file_does_not_grow(void **state)
{
	struct store_cfg cfg = file_cfg(given(state, 8192), 4096);
	struct store *st;

	cfg.read_only = true;
	st = rig_open(*state, cfg);
	assert_non_null(st);
	assert_int_equal(store_resize(st, 8192), 0);
	assert_int_equal(store_resize(st, 16384), -ENOSPC);
	assert_int_equal(store_size(st), 8192);
	store_close(st);
	assert_int_equal(status(rig_path(*state, "given")).st_size, 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_names_a_file_that_is_missing),
		cmocka_unit_test(create_needs_a_size),
		cmocka_unit_test(create_does_not_make_directories),
		cmocka_unit_test(create_makes_a_sparse_file_for_its_owner_alone),
		cmocka_unit_test(create_keeps_a_file_that_is_there),
		cmocka_unit_test(create_takes_an_empty_file_for_a_new_one),
		cmocka_unit_test(create_that_fails_leaves_nothing),
		cmocka_unit_test(open_refuses_an_empty_file_without_create),
		cmocka_unit_test(open_refuses_a_file_that_is_too_small),
		cmocka_unit_test(open_refuses_a_file_of_broken_blocks),
		cmocka_unit_test(without_a_size_the_file_is_the_store),
		cmocka_unit_test(of_a_larger_file_only_the_size_is_used),
		cmocka_unit_test(open_refuses_what_is_no_disk),
		cmocka_unit_test(open_says_who_has_no_permission),
		cmocka_unit_test(a_file_is_told_from_another_one_in_its_place),
		cmocka_unit_test(a_second_opening_is_refused),
		cmocka_unit_test(opening_waits_for_a_lock_that_is_about_to_go),
		cmocka_unit_test(readers_share),
		cmocka_unit_test(what_was_written_is_there_after_opening_again),
		cmocka_unit_test(cold_reads_give_the_same),
		cmocka_unit_test(a_read_of_pages_here_and_pages_not_here_is_whole),
		cmocka_unit_test(more_requests_than_a_ring_holds_all_end),
		cmocka_unit_test(lists_longer_than_the_kernel_takes_are_whole),
		cmocka_unit_test(what_others_have_cut_off_a_file_does_not_read_as_zeros),
		cmocka_unit_test(a_write_that_finds_no_room_fails_alone),
		cmocka_unit_test(a_write_alone_is_not_durable_and_with_fua_it_is),
		cmocka_unit_test(a_flush_leaves_nothing_dirty),
		cmocka_unit_test(closing_leaves_nothing_dirty),
		cmocka_unit_test(discard_gives_space_back_and_leaves_zeros),
		cmocka_unit_test(zero_keeps_space_and_leaves_zeros),
		cmocka_unit_test(zero_works_where_the_file_system_does_not_know_it),
		cmocka_unit_test(extents_tell_holes_from_data),
		cmocka_unit_test(read_only_files_are_not_thin),
		cmocka_unit_test(growth_enlarges_the_file),
		cmocka_unit_test(a_shrink_cuts_nothing_off),
		cmocka_unit_test(room_is_what_others_have_made_of_the_file),
		cmocka_unit_test(a_file_that_was_replaced_or_removed_is_astray),
		cmocka_unit_test(a_read_only_file_does_not_grow),
	};
	int failed = cmocka_run_group_tests_name("io_uring", tests, rig_uring, rig_teardown);

	return failed + cmocka_run_group_tests_name("threads", tests, rig_threads, rig_teardown);
}

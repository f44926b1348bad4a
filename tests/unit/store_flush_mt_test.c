/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flushes: which fdatasync() serves which, and what becomes of a failure. The
 * fdatasync() and pwritev2() of this program are those below, which wait and fail as they are told.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_store.h"

#define MIB ((uint64_t)1 << 20)

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned begun, ended; /* calls */
	unsigned may_end;      /* so many calls may end */
	int err;               /* of the next call: errno, once */
	int told;              /* the descriptor by which a durable write was told of it; 0: none */
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };

int fdatasync(int fd)
{
	int err;

	pthread_mutex_lock(&disk.lock);
	disk.begun++;
	pthread_cond_broadcast(&disk.change);
	while (disk.ended >= disk.may_end)
		pthread_cond_wait(&disk.change, &disk.lock);
	disk.ended++;
	pthread_cond_broadcast(&disk.change);
	err = fd == disk.told ? 0 : disk.err;
	disk.err = 0;
	pthread_mutex_unlock(&disk.lock);
	errno = err;
	return err ? -1 : 0;
}

/* Of a write that is to be durable: it is told what the next sync would be, and ends after that. */
ssize_t pwritev2(int fd, const struct iovec *iov, int cnt, off_t off, int flags)
{
	int err;

	if (!(flags & RWF_DSYNC))
		return syscall(SYS_pwritev2, fd, iov, cnt, off, 0L, flags);
	pthread_mutex_lock(&disk.lock);
	err = disk.err;
	disk.told = fd;
	pthread_cond_broadcast(&disk.change);
	while (!disk.ended)
		pthread_cond_wait(&disk.change, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
	errno = err;
	return -1;
}

/* The disk of a new test: so many syncs end, the next of them with err. */
static void disk_set(unsigned may_end, int err)
{
	pthread_mutex_lock(&disk.lock);
	disk.begun = disk.ended = 0;
	disk.may_end = may_end;
	disk.told = 0;
	disk.err = err;
	pthread_mutex_unlock(&disk.lock);
}

static void disk_lets_end(unsigned more)
{
	pthread_mutex_lock(&disk.lock);
	disk.may_end += more;
	pthread_cond_broadcast(&disk.change);
	pthread_mutex_unlock(&disk.lock);
}

static void disk_has_told(void)
{
	pthread_mutex_lock(&disk.lock);
	while (!disk.told)
		pthread_cond_wait(&disk.change, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

static void disk_has_begun(unsigned n)
{
	pthread_mutex_lock(&disk.lock);
	while (disk.begun < n)
		pthread_cond_wait(&disk.change, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

static unsigned disk_syncs(void)
{
	unsigned n;

	pthread_mutex_lock(&disk.lock);
	n = disk.begun;
	pthread_mutex_unlock(&disk.lock);
	return n;
}

static struct store *new_file(void **state)
{
	struct store_cfg cfg = { .kind = "file",
		.path = rig_path(*state, "disk"),
		.size = MIB,
		.block_size = 512,
		.create = true };
	struct store *st = rig_open(*state, cfg);

	assert_non_null(st);
	return st;
}

static void each_flush_is_one_sync(void **state)
{
	struct store *st = new_file(state);

	disk_set(100, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	assert_int_equal(disk_syncs(), 3);
	store_close(st);
}

static void closing_is_a_sync(void **state)
{
	struct store *st = new_file(state);

	disk_set(100, 0);
	store_close(st);
	assert_int_equal(disk_syncs(), 1);
}

static void closing_what_is_read_only_is_none(void **state)
{
	struct store_cfg cfg = { .kind = "file",
		.path = rig_path(*state, "disk"),
		.block_size = 512,
		.read_only = true };
	struct store *st;

	disk_set(100, 0);
	store_close(new_file(state));
	disk_set(100, 0);
	st = rig_open(*state, cfg);
	assert_non_null(st);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	store_close(st);
	assert_int_equal(disk_syncs(), 0);
}

/* A sync that is under way may have passed by what was written since: it does not count for a
 * flush that comes now. Those that come meanwhile share the next. */
static void flushes_that_come_during_a_sync_share_the_next(void **state)
{
	struct store *st = new_file(state);
	struct asked first, later[10];

	disk_set(0, 0);
	ask(*state, st, &first, STORE_FLUSH, 0, NULL, 0, 0);
	disk_has_begun(1);
	for (int i = 0; i < 10; i++)
		ask(*state, st, &later[i], STORE_FLUSH, 0, NULL, 0, 0);
	disk_lets_end(1);
	assert_int_equal(answer(*state, &first), 0);
	disk_has_begun(2);
	loop_step(((struct rig *)*state)->loop);
	for (int i = 0; i < 10; i++)
		assert_true(later[i].pending);
	disk_lets_end(1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(answer(*state, &later[i]), 0);
	assert_int_equal(disk_syncs(), 2);
	disk_lets_end(1);
	store_close(st);
}

static void a_failure_reaches_all_that_wait(void **state)
{
	struct store *st = new_file(state);
	struct asked a[5];

	disk_set(0, EIO);
	for (int i = 0; i < 5; i++)
		ask(*state, st, &a[i], STORE_FLUSH, 0, NULL, 0, 0);
	disk_lets_end(100);
	for (int i = 0; i < 5; i++)
		assert_int_equal(answer(*state, &a[i]), -EIO);
	store_close(st);
}

/* The kernel answers 0 to the next fdatasync(), although the data are lost. */
static void a_failure_is_not_forgotten(void **state)
{
	struct store *st = new_file(state);

	disk_set(100, EIO);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), -EIO);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), -EIO);
	store_close(st);
}

/* The kernel tells each opening of the file once, and the write is not answered yet. */
static void a_failure_that_a_durable_write_is_told_fails_a_flush_meanwhile(void **state)
{
	struct store *st = new_file(state);
	struct asked write;
	uint8_t buf[512] = { 0 };

	disk_set(100, EIO);
	ask(*state, st, &write, STORE_WRITE, 0, buf, sizeof(buf), STORE_FUA);
	disk_has_told();
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), -EIO);
	assert_int_equal(answer(*state, &write), -EIO);
	store_close(st);
}

static void reads_and_writes_go_on_after_a_failure(void **state)
{
	struct store *st = new_file(state);
	uint8_t in[512], out[512] = { 0 };

	disk_set(100, ENOSPC);
	pattern(in, sizeof(in), 1);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), -ENOSPC);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, in, sizeof(in), 0), 0);
	assert_int_equal(request(*state, st, STORE_READ, 0, out, sizeof(out), 0), 0);
	assert_memory_equal(in, out, sizeof(in));
	store_close(st);
}

static void opening_anew_ends_a_failure(void **state)
{
	struct store *st = new_file(state);

	disk_set(100, EIO);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), -EIO);
	store_close(st);
	st = new_file(state);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	store_close(st);
}

static void an_interrupted_sync_is_done_again(void **state)
{
	struct store *st = new_file(state);

	disk_set(100, EINTR);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	assert_int_equal(disk_syncs(), 2);
	store_close(st);
}

struct flusher {
	pthread_t thread;
	struct rig rig;
	struct store *st;
};

static void *flush_often(void *arg)
{
	struct flusher *f = arg;

	for (int i = 0; i < 500; i++)
		if (request(&f->rig, f->st, STORE_FLUSH, 0, NULL, 0, 0))
			return "failed";
	return NULL;
}

static void flushes_of_three_loops_all_end(void **state)
{
	struct store *st = new_file(state);
	struct flusher f[3];
	void *failed;

	disk_set(10000, 0);
	for (int i = 0; i < 3; i++) {
		f[i].st = st;
		assert_int_equal(loop_create(0, &f[i].rig.loop), 0);
		assert_int_equal(pthread_create(&f[i].thread, NULL, flush_often, &f[i]), 0);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(f[i].thread, &failed), 0);
		assert_null(failed);
	}
	assert_in_range(disk_syncs(), 500, 1500);
	store_close(st);
	/* A pool thread may still be on its way out of loop_post(). */
	work_pool_free(((struct rig *)*state)->pool);
	((struct rig *)*state)->pool = NULL;
	for (int i = 0; i < 3; i++)
		loop_free(f[i].rig.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flush_is_one_sync),
		cmocka_unit_test(closing_is_a_sync),
		cmocka_unit_test(closing_what_is_read_only_is_none),
		cmocka_unit_test(flushes_that_come_during_a_sync_share_the_next),
		cmocka_unit_test(a_failure_reaches_all_that_wait),
		cmocka_unit_test(a_failure_is_not_forgotten),
		cmocka_unit_test(a_failure_that_a_durable_write_is_told_fails_a_flush_meanwhile),
		cmocka_unit_test(reads_and_writes_go_on_after_a_failure),
		cmocka_unit_test(opening_anew_ends_a_failure),
		cmocka_unit_test(an_interrupted_sync_is_done_again),
		cmocka_unit_test(flushes_of_three_loops_all_end),
	};

	return cmocka_run_group_tests(tests, rig_threads, rig_teardown);
}

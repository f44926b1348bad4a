/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine: which one it is, and that it works where the kernel gives no ring, or
 * gives up half-way. The pwritev2() of this program is the one below.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_store.h"

#define MIB ((uint64_t)1 << 20)

/* What the next writes of a pool thread do: at most so many bytes, or an error, once. */
static size_t write_at_most;
static int write_errno;
static int write_flags;

ssize_t pwritev2(int fd, const struct iovec *iov, int cnt, off_t off, int flags)
{
	if (flags & RWF_NOWAIT) {
		errno = EOPNOTSUPP;
		return -1;
	}
	write_flags = flags;
	errno = write_errno;
	write_errno = 0;
	if (errno)
		return -1;
	if (write_at_most && write_at_most < iov[0].iov_len)
		return pwrite(fd, iov[0].iov_base, write_at_most, off);
	return syscall(SYS_pwritev2, fd, iov, cnt, off, 0, flags);
}

static struct store *new_file(struct rig *rig)
{
	struct store_cfg cfg = { .kind = "file",
		.path = rig_path(rig, "disk"),
		.size = MIB,
		.block_size = 512,
		.create = true };
	struct store *st = rig_open(rig, cfg);

	assert_non_null(st);
	return st;
}

static void writes_and_reads_back(struct rig *rig)
{
	struct store *st = new_file(rig);
	uint8_t in[8192], out[8192] = { 0 };

	pattern(in, sizeof(in), 1);
	assert_int_equal(request(rig, st, STORE_WRITE, 0, in, sizeof(in), 0), 0);
	assert_int_equal(request(rig, st, STORE_READ, 0, out, sizeof(out), 0), 0);
	assert_memory_equal(in, out, sizeof(in));
	store_close(st);
}

static void threads_are_called_threads(void **state)
{
	assert_string_equal(store_engine_name(((struct rig *)*state)->engine), "threads");
}

static void auto_takes_io_uring_where_it_works(void **state)
{
	struct rig *rig = *state;
	struct store_engine *uring, *any;
	int err = store_engine_create(rig->pool, STORE_ENGINE_URING, &uring);

	assert_int_equal(store_engine_create(rig->pool, STORE_ENGINE_AUTO, &any), 0);
	assert_string_equal(store_engine_name(any), err ? "threads" : "io_uring");
	store_engine_free(any);
	if (!err)
		store_engine_free(uring);
}

/* As container runtimes do. */
static bool forbid_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* In a process of its own, since there is no way back: what became of it is its exit status. */
static int forbidden_engine(void)
{
	struct work_pool *pool;
	struct store_engine *e;

	if (!forbid_io_uring() || work_pool_create(1, &pool))
		return 1;
	if (store_engine_create(pool, STORE_ENGINE_URING, &e) != -EPERM)
		return 2;
	if (store_engine_create(pool, STORE_ENGINE_AUTO, &e))
		return 3;
	return strcmp(store_engine_name(e), "threads") ? 4 : 0;
}

static void auto_takes_threads_where_io_uring_is_forbidden(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (!child)
		_exit(forbidden_engine());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void free_of_nothing_is_fine(void **state)
{
	(void)state;
	store_engine_free(NULL);
}

static void short_writes_are_finished(void **state)
{
	write_at_most = 1000;
	writes_and_reads_back(*state);
	write_at_most = 0;
}

static void interrupted_writes_are_done_again(void **state)
{
	write_errno = EINTR;
	writes_and_reads_back(*state);
	assert_int_equal(write_errno, 0);
}

static void the_error_of_a_write_is_the_request_s(void **state)
{
	struct store *st = new_file(*state);
	uint8_t buf[512] = { 0 };

	write_errno = ENOSPC;
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 512, 0), -ENOSPC);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 512, 0), 0);
	store_close(st);
}

static void fua_asks_the_kernel_for_durability(void **state)
{
	struct store *st = new_file(*state);
	uint8_t buf[512] = { 0 };

	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 512, 0), 0);
	assert_int_equal(write_flags, 0);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 512, STORE_FUA), 0);
	assert_int_equal(write_flags, RWF_DSYNC);
	store_close(st);
}

/* The disk may have told the failure of somebody's data to this write; the flush to come would be
 * answered 0. */
static void a_fua_write_that_meets_a_failed_disk_fails_flushes(void **state)
{
	struct store *st = new_file(*state);
	uint8_t buf[512] = { 0 };

	write_errno = EIO;
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 512, STORE_FUA), -EIO);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), -EIO);
	store_close(st);
}

/* If it was the data of others that found none, the flush is told so by the kernel. */
static void a_full_disk_under_fua_does_not_fail_flushes(void **state)
{
	struct store *st = new_file(*state);
	uint8_t buf[512] = { 0 };

	write_errno = ENOSPC;
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 512, STORE_FUA), -ENOSPC);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	store_close(st);
}

/* No descriptor is left for a ring: that loop uses the pool, and the store works. */
static void a_loop_without_a_ring_uses_the_pool(void **state)
{
	struct rig *rig = *state;
	struct rlimit all, few;
	struct store *st = new_file(rig);
	uint8_t in[512], out[512] = { 0 };
	int next = dup(0);

	close(next);
	pattern(in, sizeof(in), 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = all;
	few.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(request(rig, st, STORE_WRITE, 0, in, sizeof(in), STORE_FUA), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_int_equal(request(rig, st, STORE_READ, 0, out, sizeof(out), 0), 0);
	assert_memory_equal(in, out, sizeof(in));
	store_close(st);
}

static void a_loop_may_come_back_after_it_was_detached(void **state)
{
	struct rig *rig = *state;

	writes_and_reads_back(rig);
	store_engine_detach(rig->engine, rig->loop);
	store_engine_detach(rig->engine, rig->loop);
	writes_and_reads_back(rig);
}

static void descriptors_are_given_back(void **state)
{
	struct rig *rig = *state;
	int before, after;

	writes_and_reads_back(rig);
	store_engine_detach(rig->engine, rig->loop);
	before = dup(0);
	close(before);
	for (int i = 0; i < 20; i++) {
		writes_and_reads_back(rig);
		store_engine_detach(rig->engine, rig->loop);
	}
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

/* Reads and durable writes in turn on a loop that is left to itself: nothing but the engine can
 * wake it. */
struct reader {
	struct store_io io;
	struct iovec iov;
	struct loop *loop;
	struct store *st;
	unsigned left;
	int err;
	uint8_t buf[4096];
};

static void read_on(struct store_io *io, int err)
{
	struct reader *r = container_of(io, struct reader, io);

	r->err = err;
	if (err || !--r->left) {
		loop_stop(r->loop);
		return;
	}
	r->io.op = r->left % 2 ? STORE_WRITE : STORE_READ;
	r->io.flags = STORE_FUA;
	r->err = store_submit(r->st, &r->io);
	if (r->err != STORE_PENDING)
		read_on(io, r->err);
}

static void wakes_a_loop(struct rig *rig, uint64_t poll_ns)
{
	struct reader r = { .left = 101, .st = new_file(rig) };

	assert_int_equal(loop_create(poll_ns, &r.loop), 0);
	r.iov = (struct iovec){ r.buf, sizeof(r.buf) };
	r.io = (struct store_io){
		.iov = &r.iov, .iovcnt = 1, .len = sizeof(r.buf), .loop = r.loop, .done = read_on
	};
	read_on(&r.io, 0);
	loop_run(r.loop);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.left, 0);
	store_engine_detach(rig->engine, r.loop);
	store_close(r.st);
	loop_free(r.loop);
}

static void completions_wake_a_loop_that_sleeps(void **state)
{
	wakes_a_loop(*state, 0);
}

static void completions_reach_a_loop_that_polls(void **state)
{
	wakes_a_loop(*state, 200000);
}

int main(void)
{
	const struct CMUnitTest threads[] = {
		cmocka_unit_test(threads_are_called_threads),
		cmocka_unit_test(auto_takes_io_uring_where_it_works),
		cmocka_unit_test(auto_takes_threads_where_io_uring_is_forbidden),
		cmocka_unit_test(free_of_nothing_is_fine),
		cmocka_unit_test(short_writes_are_finished),
		cmocka_unit_test(interrupted_writes_are_done_again),
		cmocka_unit_test(the_error_of_a_write_is_the_request_s),
		cmocka_unit_test(fua_asks_the_kernel_for_durability),
		cmocka_unit_test(a_fua_write_that_meets_a_failed_disk_fails_flushes),
		cmocka_unit_test(a_full_disk_under_fua_does_not_fail_flushes),
	};
	const struct CMUnitTest uring[] = {
		cmocka_unit_test(a_loop_without_a_ring_uses_the_pool),
		cmocka_unit_test(a_loop_may_come_back_after_it_was_detached),
		cmocka_unit_test(descriptors_are_given_back),
		cmocka_unit_test(completions_wake_a_loop_that_sleeps),
		cmocka_unit_test(completions_reach_a_loop_that_polls),
	};
	int failed = cmocka_run_group_tests(threads, rig_threads, rig_teardown);

	return failed + cmocka_run_group_tests(uring, rig_uring, rig_teardown);
}

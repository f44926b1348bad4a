/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drive whose file system fails: no failure is silent, each is told to whom it concerns, and what
 * a filemark has acknowledged is there. The pwritev(), fdatasync(), posix_fadvise(), fstatvfs() and
 * ZSTD_createDCtx() of this program are those below, which fail as they are told.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zstd.h>

#include "scsi/op.h"
#include "tests/unit/ssc_support.h"

/* Calls until the first that fails (-1: none does), and how many fail from there on. The drive may be
 * writing meanwhile. */
struct failure {
	int after, times;
};
static struct failure no_space = { -1, 0 }, no_write = { -1, 0 }, no_sync = { -1, 0 };
static struct failure no_memory = { -1, 0 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void set(struct failure *f, int after, int times)
{
	pthread_mutex_lock(&lock);
	*f = (struct failure){ after, times };
	pthread_mutex_unlock(&lock);
}

static bool fails(struct failure *f)
{
	bool now;

	pthread_mutex_lock(&lock);
	now = f->after == 0;
	if (f->after >= 0)
		f->after--;
	if (now && --f->times > 0)
		f->after = 0;
	pthread_mutex_unlock(&lock);
	return now;
}

/* In place of the C library's. */
ssize_t pwritev(int fd, const struct iovec *iov, int cnt, off_t off)
{
	if (fails(&no_space)) {
		errno = ENOSPC;
		return -1;
	}
	if (fails(&no_write)) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pwritev, fd, iov, cnt, off, 0);
}

int fdatasync(int fd)
{
	(void)fd;
	if (fails(&no_sync)) {
		errno = EIO;
		return -1;
	}
	return 0;
}

ZSTD_DCtx *ZSTD_createDCtx(void)
{
	ZSTD_DCtx *(*make)(void) = dlsym(RTLD_NEXT, "ZSTD_createDCtx");

	return fails(&no_memory) ? NULL : make();
}

/* What was dropped from memory: from there on. */
static struct {
	off_t from;
	unsigned calls;
} dropped;

int posix_fadvise(int fd, off_t off, off_t len, int advice)
{
	(void)fd;
	assert_int_equal(len, 0);
	assert_int_equal(advice, POSIX_FADV_DONTNEED);
	dropped.from = off;
	dropped.calls++;
	return 0;
}

#define FREE_ALWAYS ((uint64_t)1 << 40)
static _Atomic uint64_t free_space = FREE_ALWAYS;

int fstatvfs(int fd, struct statvfs *fs)
{
	(void)fd;
	*fs = (struct statvfs){
		.f_frsize = 512, .f_blocks = 2 * FREE_ALWAYS / 512, .f_bavail = free_space / 512
	};
	return 0;
}

static int calm(void **state)
{
	free_space = FREE_ALWAYS;
	set(&no_write, -1, 0);
	set(&no_space, -1, 0);
	set(&no_sync, -1, 0);
	set(&no_memory, -1, 0);
	return vtl_teardown(state);
}

static int settle(struct tape_rig *rig)
{
	(void)rig;
	return 0;
}

/* A block is written, and one behind it that the file system does not take. */
static struct tape_rig *with_a_lost_block(void **state)
{
	struct tape_rig *rig = roomy(state);

	assert_good(tape_write(rig, 5000, 0));
	set(&no_space, 0, 1);
	assert_good(tape_write(rig, 5000, 1));
	tape_in_job(rig, settle);
	return rig;
}

static void assert_deferred(struct result res)
{
	assert_check(res, SENSE_MEDIUM_ERROR, 0x0c00);
	assert_true(res.sense.deferred);
}

static void a_filemark_is_not_written_behind_a_block_that_is_lost(void **state)
{
	struct tape_rig *rig = with_a_lost_block(state);

	assert_deferred(tape_marks(rig, 1));
	tape_at(rig, 1, 0);
	assert_good(tape_write(rig, 5000, 1));
	assert_good(tape_marks(rig, 1));
	tape_at(rig, 3, 1);
	tape_rig_free(rig);
}

#define LOG_ALERTS 0x4d, 0, 0x6e, 0, 0, 0, 0, BE2(2000), 0

static void whoever_only_looks_does_not_take_the_error_away(void **state)
{
	struct tape_rig *rig = with_a_lost_block(state);

	assert_good(RUN(rig->r, 1, NULL, 2000, LOG_ALERTS));
	assert_good(RUN(rig->r, 1, NULL, 32, TAPE_POSITION));
	assert_deferred(tape_write(rig, 5000, 2));
	tape_at(rig, 1, 0);
	tape_rig_free(rig);
}

static void another_host_may_write_meanwhile_and_hears_its_own_errors(void **state)
{
	struct tape_rig *rig = with_a_lost_block(state);

	tape_fill(tape_data, 100, 7);
	assert_good(RUN(rig->r, 1, tape_data, 100, TAPE_WRITE(100)));
	set(&no_space, 0, 1);
	assert_tape(RUN(rig->r, 1, tape_data, 100, TAPE_WRITE(100)), SENSE_VOLUME_OVERFLOW, 0x0002,
		100);
	assert_deferred(tape_marks(rig, 0));
	assert_good(RUN(rig->r, 1, NULL, 0, TAPE_MARKS(1)));
	tape_at(rig, 3, 1);
	tape_rig_free(rig);
}

static void when_its_host_has_gone_the_next_hears_of_the_error(void **state)
{
	struct tape_rig *rig = with_a_lost_block(state);

	tape_rig_leave(rig, 0);
	assert_deferred(RUN(rig->r, 1, NULL, 0, TAPE_REWIND));
	assert_good(RUN(rig->r, 1, NULL, 0, TAPE_REWIND));
	tape_rig_free(rig);
}

static void a_cartridge_is_not_unloaded_before_the_error_is_told(void **state)
{
	struct tape_rig *rig = with_a_lost_block(state);

	assert_deferred(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0));
	assert_good(TAPE(rig, NULL, 0, TUR));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0));
	tape_rig_free(rig);
}

static void the_alert_tells_of_a_write_failure(void **state)
{
	struct tape_rig *rig = with_a_lost_block(state);
	struct result res = RUN(rig->r, 1, NULL, 2000, LOG_ALERTS);

	assert_int_equal(res.in[4 + 5 * 2 + 4], 1); /* flag 3, hard error */
	assert_int_equal(res.in[4 + 5 * 5 + 4], 1); /* flag 6, write failure */
	tape_rig_free(rig);
}

/* Each of the commands that make durable what was written, after a write. */
static void every_command_that_synchronizes_tells_that_it_could_not(void **state)
{
	static const uint8_t cdbs[][16] = {
		{ TAPE_MARKS(0) },
		{ TAPE_MARKS(1) },
		{ TAPE_REWIND },
		{ TAPE_SPACE(0, 0xffffff) },
		{ TAPE_SPACE(3, 0) },
		{ TAPE_LOCATE(0) },
		{ 0x92 },                         /* LOCATE(16) */
		{ 0x1b, 0, 0, 0, 0, 0 },          /* UNLOAD */
		{ 0x1b, 0, 0, 0, 0x08, 0 },       /* with HOLD */
		{ 0x1b, 0, 0, 0, 0x01, 0 },       /* LOAD */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cdbs) / sizeof(cdbs[0]); i++) {
		void *own;
		struct tape_rig *rig;
		struct result res;

		assert_int_equal(vtl_setup(&own), 0);
		rig = roomy(&own);
		assert_good(tape_write(rig, 5000, 0));
		set(&no_sync, 0, 1);
		res = rig_run(&rig->r->nexus[0], 0, cdbs[i], op_cdb_len(cdbs[i][0]), NULL, 0);
		assert_check(res, SENSE_MEDIUM_ERROR, 0x0c00);
		assert_false(res.sense.deferred);
		tape_rig_free(rig);
		vtl_teardown(&own);
	}
}

static void an_eject_tells_that_it_could_not_synchronize(void **state)
{
	struct tape_rig *rig = roomy(state);

	assert_good(tape_write(rig, 5000, 0));
	set(&no_sync, 0, 1);
	assert_int_equal(tape_in_job(rig, tape_do_eject), -EIO);
	tape_rig_free(rig);
}

static void after_a_failed_sync_nothing_is_acknowledged_before_a_load(void **state)
{
	struct tape_rig *rig = roomy(state);

	assert_good(tape_write(rig, 5000, 0));
	set(&no_sync, 0, 1);
	assert_check(tape_marks(rig, 0), SENSE_MEDIUM_ERROR, 0x0c00);
	assert_check(tape_marks(rig, 0), SENSE_MEDIUM_ERROR, 0x0c00);
	assert_check(tape_marks(rig, 1), SENSE_MEDIUM_ERROR, 0x0c00);
	assert_check(tape_write(rig, 5000, 1), SENSE_MEDIUM_ERROR, 0x0c00);
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(0)));
	assert_good(TAPE(rig, NULL, 5000, TAPE_READ(5000)));
	tape_rig_free(rig);
}

/* The kernel has marked as clean what it could not write: only the disk knows what is there. */
static void after_a_failed_sync_memory_is_not_believed(void **state)
{
	struct tape_rig *rig = roomy(state);

	assert_good(tape_write(rig, 5000, 0));
	assert_good(tape_marks(rig, 1));
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	dropped.calls = 0;
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_int_equal(dropped.calls, 0);
	assert_good(TAPE(rig, NULL, 0, TAPE_SPACE(3, 0)));
	for (uint64_t i = 0; i < 10; i++)
		assert_good(tape_write(rig, 100000, i));
	set(&no_sync, 0, 1);
	assert_check(tape_marks(rig, 0), SENSE_MEDIUM_ERROR, 0x0c00);
	tape_in_job(rig, tape_do_eject);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_int_equal(dropped.calls, 1);
	assert_true(dropped.from <= 20000);
	tape_rig_free(rig);
}

/* --- a full file system ---------------------------------------------------------------------- */

static void a_full_file_system_is_the_end_of_the_partition(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct result res;

	set(&no_space, 0, 2);
	res = tape_write(rig, 5000, 0);
	assert_tape(res, SENSE_VOLUME_OVERFLOW, 0x0002, 5000);
	assert_bits(res, EOM);
	assert_false(res.sense.deferred);
	res = tape_marks(rig, 1);
	assert_tape(res, SENSE_VOLUME_OVERFLOW, 0x0002, 1);
	assert_bits(res, EOM);
	tape_at(rig, 0, 0);
	assert_good(tape_write(rig, 5000, 0));
	assert_good(tape_marks(rig, 1));
	tape_at(rig, 2, 1);
	tape_rig_free(rig);
}

static void what_went_before_it_was_full_is_on_the_tape(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct result res;

	assert_good(tape_set_block(rig, 65536));
	tape_fill(tape_data, 8 << 20, 5);
	set(&no_space, 40, 1);
	res = TAPE(rig, tape_data, 8 << 20, TAPE_WRITE_FIXED(128));
	assert_tape(res, SENSE_VOLUME_OVERFLOW, 0x0002, 128 - 40);
	tape_at(rig, 40, 0);
	assert_good(tape_marks(rig, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = TAPE(rig, NULL, 40 * 65536, TAPE_READ_FIXED(40));
	assert_good(res);
	assert_memory_equal(res.in, tape_data, 40 * 65536);
	assert_tape(TAPE(rig, NULL, 65536, TAPE_READ_FIXED(1)), SENSE_NO_SENSE, 0x0001, 1);
	tape_rig_free(rig);
}

static void a_full_file_system_is_no_fault_of_the_cartridge(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct result res;

	set(&no_space, 0, 1);
	assert_tape(tape_write(rig, 5000, 0), SENSE_VOLUME_OVERFLOW, 0x0002, 5000);
	res = RUN(rig->r, 1, NULL, 2000, LOG_ALERTS);
	assert_int_equal(res.in[4 + 5 * 2 + 4], 0);
	assert_int_equal(res.in[4 + 5 * 5 + 4], 0);
	tape_rig_free(rig);
}

static void a_disk_that_fails_is_a_medium_error(void **state)
{
	struct tape_rig *rig = roomy(state);

	set(&no_write, 0, 1);
	assert_check(tape_write(rig, 5000, 0), SENSE_MEDIUM_ERROR, 0x0c00);
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

/* BUSY says that nothing was done: a host that asks once more would miss what was read. */
static void of_fixed_blocks_those_that_were_read_before_memory_ran_out_are_told(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct result res;
	unsigned rng = 1;

	for (unsigned i = 0; i < 200; i++) /* the second one is compressed */
		tape_data[i] = i < 100 ? (uint8_t)rand_r(&rng) : 0;
	assert_good(tape_set_block(rig, 100));
	assert_good(TAPE(rig, tape_data, 200, TAPE_WRITE_FIXED(2)));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	set(&no_memory, 0, 1);
	res = TAPE(rig, NULL, 200, TAPE_READ_FIXED(2));
	assert_tape(res, SENSE_HARDWARE_ERROR, 0x4400, 1);
	assert_int_equal(res.in_got, 100);
	assert_memory_equal(res.in, tape_data, 100);
	set(&no_memory, 0, 1);
	res = TAPE(rig, NULL, 100, TAPE_READ_FIXED(1));
	assert_int_equal(res.status, SCSI_BUSY);
	res = TAPE(rig, NULL, 100, TAPE_READ_FIXED(1));
	assert_good(res);
	assert_memory_equal(res.in, tape_data + 100, 100);
	tape_rig_free(rig);
}

static void a_file_system_that_is_nearly_full_is_early_warning(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct result res;

	free_space = 16 * VTL_MIB;
	res = tape_write(rig, 5000, 0);
	assert_tape(res, SENSE_NO_SENSE, 0x0002, 0);
	assert_bits(res, EOM);
	res = tape_marks(rig, 1);
	assert_tape(res, SENSE_NO_SENSE, 0x0002, 0);
	tape_at(rig, 2, 1);
	free_space = FREE_ALWAYS;
	assert_good(tape_write(rig, 5000, 2));
	tape_rig_free(rig);
}

/* SEW of mode page 10h: there every status says that the data are durable. */
static void beyond_early_warning_each_write_synchronizes(void **state)
{
	struct tape_rig *rig = roomy(state);

	free_space = 16 * VTL_MIB;
	assert_tape(tape_write(rig, 5000, 0), SENSE_NO_SENSE, 0x0002, 0);
	set(&no_sync, 0, 1);
	assert_check(tape_write(rig, 5000, 1), SENSE_MEDIUM_ERROR, 0x0c00);
	tape_rig_free(rig);
}

/* A residual acknowledges what stands before it. */
static void what_was_written_before_the_end_is_durable_or_has_failed(void **state)
{
	struct tape_rig *rig = roomy(state);

	assert_good(tape_set_block(rig, 65536));
	tape_fill(tape_data, 8 << 20, 5);
	set(&no_space, 40, 1);
	set(&no_sync, 0, 1);
	assert_check(
		TAPE(rig, tape_data, 8 << 20, TAPE_WRITE_FIXED(128)), SENSE_MEDIUM_ERROR, 0x0c00);
	tape_rig_free(rig);
}

/* The block is not acknowledged before it is written: there is none to be lost. */
static void nothing_is_written_behind_when_the_file_system_is_nearly_full(void **state)
{
	struct tape_rig *rig = roomy(state);
	struct result res;

	free_space = 33 * VTL_MIB;
	assert_good(tape_write(rig, 5000, 0));
	set(&no_space, 0, 1);
	res = tape_write(rig, 5000, 1);
	assert_tape(res, SENSE_VOLUME_OVERFLOW, 0x0002, 5000);
	assert_false(res.sense.deferred);
	tape_rig_free(rig);
}

/* --- a host that writes on and on ----------------------------------------------------------- */

/* Object n is a filemark, or a block that tells its number: where an error was silent, the next ones
 * are not where they should be. */
static bool is_mark(uint64_t n)
{
	return n % 7 == 6;
}

static uint32_t length_of(uint64_t n)
{
	return (uint32_t)(1 + n * 7919 % 9000);
}

/* Where the host believes that the tape stands after an error. */
static uint64_t told_position(struct tape_rig *rig)
{
	struct result res = TAPE(rig, NULL, 32, TAPE_POSITION);

	if (res.status) /* that was a deferred error */
		res = TAPE(rig, NULL, 32, TAPE_POSITION);
	assert_good(res);
	return be64(res.in + 8);
}

/* Loads it anew, as a sync that failed wants it, and both hosts know; gives the number of objects. */
static uint64_t load_again(struct tape_rig *rig)
{
	TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0);
	TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0);
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 1, 0));
	RUN(rig->r, 1, NULL, 0, TUR);
	assert_good(TAPE(rig, NULL, 0, TAPE_SPACE(3, 0)));
	return told_position(rig);
}

static void read_all(struct tape_rig *rig, uint64_t objects)
{
	for (uint64_t n = 0; n < objects; n++) {
		struct result res = TAPE(rig, NULL, 9000, TAPE_READ_SILI(9000));

		if (is_mark(n)) {
			assert_tape(res, SENSE_NO_SENSE, 0x0001, 9000);
			continue;
		}
		assert_good(res);
		tape_expect_data(res, length_of(n), n);
	}
}

static void whatever_fails_what_is_acknowledged_is_there_and_in_order(void **state)
{
	struct tape_rig *rig = roomy(state);
	const char *text = getenv("SSC_FAILURE_SEED");
	unsigned seed = text ? (unsigned)atoi(text) : (unsigned)getpid();
	uint64_t n = 0, durable = 0, failed = 0;

	print_message("SSC_FAILURE_SEED=%u\n", seed);
	srandom(seed);
	for (unsigned i = 0; i < 3000; i++) {
		struct result res = is_mark(n) ? tape_marks(rig, 1) : tape_write(rig, length_of(n), n);

		if (res.status) {
			failed++;
			n = told_position(rig);
			/* Not deferred: it is the sync. */
			if (!res.sense.deferred && res.sense.key == SENSE_MEDIUM_ERROR)
				n = load_again(rig);
			assert_true(n >= durable);
			continue;
		}
		n++;
		if (is_mark(n - 1))
			durable = n;
		if (random() % 5 == 0)
			assert_good(RUN(rig->r, 1, NULL, 2000, LOG_ALERTS));
		if (random() % 20 == 0)
			set(&no_space, (int)(random() % 4), 1 + (int)(random() % 3));
		if (random() % 50 == 0)
			set(&no_sync, 0, 1);
	}
	set(&no_space, -1, 0);
	set(&no_sync, -1, 0);
	n = load_again(rig);
	assert_true(n >= durable && failed > 50);
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	read_all(rig, n);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, calm)
	const struct CMUnitTest tests[] = {
		TEST(a_filemark_is_not_written_behind_a_block_that_is_lost),
		TEST(whoever_only_looks_does_not_take_the_error_away),
		TEST(another_host_may_write_meanwhile_and_hears_its_own_errors),
		TEST(when_its_host_has_gone_the_next_hears_of_the_error),
		TEST(a_cartridge_is_not_unloaded_before_the_error_is_told),
		TEST(the_alert_tells_of_a_write_failure),
		TEST(every_command_that_synchronizes_tells_that_it_could_not),
		TEST(an_eject_tells_that_it_could_not_synchronize),
		TEST(after_a_failed_sync_nothing_is_acknowledged_before_a_load),
		TEST(after_a_failed_sync_memory_is_not_believed),
		TEST(a_full_file_system_is_the_end_of_the_partition),
		TEST(what_went_before_it_was_full_is_on_the_tape),
		TEST(a_full_file_system_is_no_fault_of_the_cartridge),
		TEST(a_disk_that_fails_is_a_medium_error),
		TEST(of_fixed_blocks_those_that_were_read_before_memory_ran_out_are_told),
		TEST(a_file_system_that_is_nearly_full_is_early_warning),
		TEST(beyond_early_warning_each_write_synchronizes),
		TEST(what_was_written_before_the_end_is_durable_or_has_failed),
		TEST(nothing_is_written_behind_when_the_file_system_is_nearly_full),
		TEST(whatever_fails_what_is_acknowledged_is_there_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cartridge whose process is killed or whose machine loses power: what a sync has acknowledged is
 * there, nothing is there that was never written, and the tape can be written on.
 *
 * This program has its own fdatasync(): it remembers what the file holds by then, so that a power
 * loss can be played with any mixture of that and of what was written later.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_vtl.h"

#define MIB    VTL_MIB
#define SECTOR 512u

/* What the medium is known to hold: the file at the last fdatasync(). */
static struct {
	uint8_t *bytes;
	size_t len;
	uint64_t objects; /* what the log had then */
	struct vtl *v;    /* whose log that is; NULL: nothing is remembered */
	bool fails;       /* a sync gives EIO */
	off_t full;       /* nothing can be written while the file is longer; 0: it can */
} durable;

static uint8_t *contents(int fd, size_t *len)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	uint8_t *bytes = malloc(*len + 1);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, *len, 0), *len);
	return bytes;
}

/* In place of the C library's. */
int fdatasync(int fd)
{
	if (durable.fails) {
		errno = EIO;
		return -1;
	}
	if (durable.v) {
		free(durable.bytes);
		durable.bytes = contents(fd, &durable.len);
		durable.objects = vtl_objects(durable.v);
	}
	return 0;
}

ssize_t pwritev(int fd, const struct iovec *iov, int cnt, off_t off)
{
	struct stat st;

	if (durable.full && !fstat(fd, &st) && st.st_size > durable.full) {
		errno = ENOSPC;
		return -1;
	}
	return pwritev2(fd, iov, cnt, off, 0);
}

static int forget(void **state)
{
	free(durable.bytes);
	memset(&durable, 0, sizeof(durable));
	return vtl_teardown(state);
}

/* VTL_CRASH_SEED, or another each time. */
static unsigned int seed(void)
{
	const char *text = getenv("VTL_CRASH_SEED");
	unsigned int n = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)time(NULL);

	print_message("VTL_CRASH_SEED=%u\n", n);
	return n;
}

/* -- kill -9 -- */

struct ack {
	uint64_t objects;
	uint64_t files;
};

/* Writes, files and syncs without end, and tells what is synced. */
static void write_until_killed(struct vtl *v, int acks, unsigned int rng)
{
	uint64_t n = 0;

	for (;;) {
		for (unsigned int k = (unsigned int)rand_r(&rng) % 40; k--; n++)
			vtl_write(v, 1 + n * 7919 % 70000, n);
		uint64_t done;
		if (cartridge_write_filemarks(v->c, 1, &done) || cartridge_sync(v->c))
			_exit(1);
		n++;
		struct cartridge_position p;
		cartridge_position(v->c, &p);
		struct ack ack = { p.object, p.file };
		if (write(acks, &ack, sizeof(ack)) != sizeof(ack))
			_exit(1);
	}
}

static void expect_what_was_written(struct vtl *v, struct ack ack)
{
	uint64_t files = 0, objects = vtl_objects(v);
	static uint8_t buf[70000], want[70000];
	struct cartridge_block got;

	assert_true(objects >= ack.objects);
	for (uint64_t n = 0; n < objects; n++) {
		enum cartridge_result res = cartridge_read(v->c, buf, sizeof(buf), NULL, &got);

		if (n == ack.objects)
			assert_int_equal(files, ack.files);
		files += res == CARTRIDGE_FILEMARK;
		if (res == CARTRIDGE_FILEMARK)
			continue;
		assert_int_equal(res, CARTRIDGE_OK);
		assert_int_equal(got.length, 1 + n * 7919 % 70000);
		vtl_fill(want, got.length, n);
		assert_memory_equal(buf, want, got.length);
	}
}

static void what_a_sync_acknowledged_survives_a_kill(void **state)
{
	struct vtl *v = *state;
	unsigned int rng = seed();

	for (unsigned int round = 0; round < 12; round++) {
		struct ack ack = { 0, 0 }, more;
		int acks[2];

		assert_int_equal(pipe(acks), 0);
		vtl_new(v, 4096 * MIB);
		vtl_close(v);
		pid_t child = fork();
		assert_true(child >= 0);
		if (!child) {
			vtl_open(v);
			write_until_killed(v, acks[1], rng + round);
		}
		close(acks[1]);
		/* At least one is acknowledged before the end. */
		assert_int_equal(read(acks[0], &ack, sizeof(ack)), sizeof(ack));
		usleep((useconds_t)rand_r(&rng) % 60000);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (read(acks[0], &more, sizeof(more)) == sizeof(more))
			ack = more;
		close(acks[0]);
		vtl_open(v);
		expect_what_was_written(v, ack);
		vtl_write(v, 100, 1);
		vtl_close(v);
		assert_int_equal(cartridge_remove(v->path), 0);
	}
}

/* -- Power loss -- */

#define HISTORY 20000
#define LEN_MIN 8u

/* All blocks that were ever written where: a block names its place in this list. */
static struct {
	uint64_t object;
	size_t len;
} history[HISTORY];
static size_t written;
/* All blocks of one length, so that what is left of an older recording lies where a record of the
 * newer one belongs. */
static bool same_length;

static void write_one(struct vtl *v, unsigned int *rng)
{
	struct cartridge_position p;
	uint8_t block[6000];
	size_t len = LEN_MIN + (size_t)rand_r(rng) % (rand_r(rng) % 2 ? 200 : 5900), done;
	if (same_length)
		len = 960;
	struct iovec iov = { block, len };
	struct cartridge_write_how how = { .compress = false };

	cartridge_position(v->c, &p);
	vtl_fill(block, len, written);
	memcpy(block, &written, sizeof(written));
	history[written].object = p.object;
	history[written++].len = len;
	assert_int_equal(cartridge_write(v->c, &iov, 1, len, 1, &how, &done), CARTRIDGE_OK);
}

/* The host itself ends the data here: what follows is no loss. */
static uint64_t give_up_the_rest(struct vtl *v)
{
	struct cartridge_position p;

	cartridge_position(v->c, &p);
	if (durable.objects > p.object)
		durable.objects = p.object;
	return p.object;
}

static void live(struct vtl *v, unsigned int *rng, uint64_t *map, unsigned int steps)
{
	while (steps-- && written < HISTORY - 1) {
		switch (rand_r(rng) % 16) {
		case 0: vtl_sync(v); break;
		case 1: vtl_go(v, (uint64_t)rand_r(rng) % (vtl_objects(v) + 1)); break;
		case 2:
			give_up_the_rest(v);
			vtl_marks(v, 1);
			break;
		case 3: assert_int_equal(cartridge_locate_eod(v->c, 0), CARTRIDGE_OK); break;
		case 4:
			give_up_the_rest(v);
			assert_int_equal(cartridge_erase(v->c), CARTRIDGE_OK);
			break;
		default:
			map[give_up_the_rest(v)] = written;
			write_one(v, rng);
			break;
		}
		if (rand_r(rng) % 4 == 0)
			assert_int_equal(cartridge_locate_eod(v->c, 0), CARTRIDGE_OK);
	}
}

/* Puts a mixture on the disk: each sector is as it was at the last fdatasync() or as it is now, and
 * the file is as long as then, or as now, or anything in between. */
static void lose_power(struct vtl *v, unsigned int *rng)
{
	size_t len, size;
	uint8_t *now = vtl_file(v, "p0", &len);

	switch (rand_r(rng) % 3) {
	case 0: size = durable.len; break;
	case 1: size = len; break;
	default:
		size = len > durable.len ? len - (size_t)rand_r(rng) % (len - durable.len) : len;
		break;
	}
	unsigned int odds = 2 + (unsigned int)rand_r(rng) % 30;
	uint8_t *disk = calloc(1, size + 1);
	assert_non_null(disk);
	for (size_t at = 0; at < size; at += SECTOR) {
		bool old = (unsigned int)rand_r(rng) % odds == 0;
		const uint8_t *from = old ? durable.bytes : now;
		size_t have = old ? durable.len : len;

		for (size_t i = at; i < at + SECTOR && i < size; i++)
			disk[i] = i < have ? from[i] : 0;
	}
	vtl_put_file(v, "p0", disk, size);
	free(disk);
	free(now);
}

/* All before the last sync is what it was then; the rest was written there at some time, and each
 * block after the one before it. What is there is what counts from now on. */
static void expect_durable(struct vtl *v, uint64_t *map, uint64_t objects)
{
	uint8_t buf[6000], want[6000];
	struct cartridge_block got;
	uint64_t id, before = 0;

	assert_true(vtl_objects(v) >= objects);
	for (uint64_t n = 0; n < vtl_objects(v); n++) {
		enum cartridge_result res = cartridge_read(v->c, buf, sizeof(buf), NULL, &got);

		if (res == CARTRIDGE_FILEMARK)
			continue;
		assert_int_equal(res, CARTRIDGE_OK);
		assert_true(got.length >= LEN_MIN);
		memcpy(&id, buf, sizeof(id));
		assert_true(id < written && id >= before);
		before = id + 1;
		assert_int_equal(history[id].object, n);
		assert_int_equal(history[id].len, got.length);
		vtl_fill(want, got.length, id);
		assert_memory_equal(buf + 8, want + 8, got.length - 8);
		if (n < objects)
			assert_int_equal(id, map[n]);
		map[n] = id;
	}
}

/* What is on the disk now is there. */
static void remember(struct vtl *v)
{
	free(durable.bytes);
	durable.bytes = vtl_file(v, "p0", &durable.len);
	durable.objects = vtl_objects(v);
	durable.v = v;
}

static void what_was_synced_survives_the_loss_of_power(void **state)
{
	struct vtl *v = *state;
	unsigned int rng = seed();
	static uint64_t map[HISTORY];

	for (unsigned int round = 0; round < 150; round++) {
		written = 0;
		same_length = round % 2;
		vtl_new(v, 256 * MIB);
		remember(v);
		for (unsigned int crash = 0; crash < 3; crash++) {
			live(v, &rng, map, 1 + (unsigned int)rand_r(&rng) % 500);
			uint64_t objects = durable.objects;
			durable.v = NULL;
			vtl_drop(v);
			lose_power(v, &rng);
			vtl_open(v);
			expect_durable(v, map, objects);
			remember(v);
		}
		durable.v = NULL;
		vtl_close(v);
		assert_int_equal(cartridge_remove(v->path), 0);
	}
}

/* -- Files that are cut short, or too long -- */

static void file_cut_anywhere_keeps_all_whole_records(void **state)
{
	struct vtl *v = *state;
	uint64_t ends[8];
	size_t len;

	vtl_new(v, 64 * MIB);
	for (uint64_t i = 0; i < 8; i++) {
		struct cartridge_usage u;

		if (i == 3 || i == 7)
			vtl_marks(v, 1);
		else
			vtl_write(v, 50 + 30 * i, i);
		assert_int_equal(cartridge_usage(v->c, 0, &u), CARTRIDGE_OK);
		ends[i] = 12288 + u.used;
	}
	vtl_close(v);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	assert_int_equal(len, ends[7]);
	for (size_t cut = 0; cut <= len; cut++) {
		uint64_t whole = 0;

		/* Every offset in the log, some before it. */
		if (cut < 12200 && cut % 509)
			continue;
		while (whole < 8 && ends[whole] <= cut)
			whole++;
		vtl_put_file(v, "p0", bytes, cut);
		vtl_open(v);
		assert_int_equal(vtl_objects(v), whole);
		for (uint64_t i = 0; i < whole; i++) {
			if (i == 3 || i == 7)
				vtl_expect_no_block(v, CARTRIDGE_FILEMARK);
			else
				vtl_expect(v, 50 + 30 * i, i);
		}
		vtl_expect_no_block(v, CARTRIDGE_EOD);
		vtl_write(v, 77, 99);
		vtl_reopen(v);
		vtl_go(v, whole);
		vtl_expect(v, 77, 99);
		vtl_close(v);
	}
	free(bytes);
}

static void garbage_behind_the_log_is_cut_off(void **state)
{
	struct vtl *v = *state;
	size_t len, after;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 1000, 1);
	vtl_close(v);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	bytes = realloc(bytes, len + 5000);
	assert_non_null(bytes);
	/* A copy of a record that belongs elsewhere, and rubbish. */
	memcpy(bytes + len, bytes + 12288, 1064);
	vtl_fill(bytes + len + 1064, 5000 - 1064, 3);
	vtl_put_file(v, "p0", bytes, len + 5000);
	free(bytes);
	vtl_open(v);
	assert_int_equal(vtl_objects(v), 1);
	vtl_expect(v, 1000, 1);
	vtl_close(v);
	free(vtl_file(v, "p0", &after));
	assert_int_equal(after, len);
}

static void interrupted_append_is_cut_wherever_it_stopped(void **state)
{
	struct vtl *v = *state;
	size_t before, len;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 300, 1);
	vtl_sync(v);
	free(vtl_file(v, "p0", &before));
	vtl_write(v, 700, 2);
	vtl_drop(v);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	for (size_t cut = before; cut < len; cut++) {
		vtl_put_file(v, "p0", bytes, cut);
		vtl_open(v);
		/* The last bytes only pad. */
		uint64_t objects = cut == before ? 1 : vtl_objects(v);
		assert_int_equal(objects, 1);
		vtl_expect(v, 300, 1);
		vtl_expect_no_block(v, CARTRIDGE_EOD);
		vtl_drop(v);
	}
	free(bytes);
}

static void read_only_opening_cuts_nothing_but_sees_the_end(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening look = { .read_only = true };
	size_t len, after;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 300, 1);
	vtl_write(v, 700, 2);
	vtl_drop(v);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	vtl_put_file(v, "p0", bytes, len - 100);
	free(bytes);
	assert_int_equal(cartridge_open(v->path, &look, &v->c), 0);
	assert_int_equal(vtl_objects(v), 1);
	vtl_expect(v, 300, 1);
	vtl_close(v);
	free(vtl_file(v, "p0", &after));
	assert_int_equal(after, len - 100);
}

/* -- Old data that are written over -- */

#define OLD 8u /* blocks of 4000 bytes and a filemark, durable */

static void record_old_data(struct vtl *v)
{
	vtl_new(v, 64 * MIB);
	for (uint64_t i = 0; i < OLD; i++)
		vtl_write(v, 4000, i);
	vtl_marks(v, 1);
	vtl_sync(v);
	vtl_go(v, 0);
}

static size_t file_size(struct vtl *v)
{
	size_t len;

	free(vtl_file(v, "p0", &len));
	return len;
}

static void room_of_old_data_is_written_over_and_given_back_at_the_end(void **state)
{
	struct vtl *v = *state;

	record_old_data(v);
	size_t before = file_size(v);
	vtl_write(v, 4000, 100);
	assert_int_equal(file_size(v), before);
	vtl_write(v, 100, 101);
	assert_int_equal(file_size(v), before);
	vtl_close(v);
	assert_int_equal(file_size(v), 12288 + 64 + 4032 + 64 + 128);
	vtl_open(v);
	vtl_expect(v, 4000, 100);
	vtl_expect(v, 100, 101);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
}

static void log_grows_beyond_the_room_of_old_data(void **state)
{
	struct vtl *v = *state;

	record_old_data(v);
	for (uint64_t i = 0; i < 2 * OLD; i++)
		vtl_write(v, 5000, 100 + i);
	vtl_reopen(v);
	for (uint64_t i = 0; i < 2 * OLD; i++)
		vtl_expect(v, 5000, 100 + i);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
}

/* Old blocks lie exactly where they would go on behind the new ones. */
static void old_data_never_follow_new_ones_after_a_kill(void **state)
{
	struct vtl *v = *state;

	for (uint64_t n = 1; n < OLD; n++) {
		record_old_data(v);
		size_t before = file_size(v);
		for (uint64_t i = 0; i < n; i++)
			vtl_write(v, 4000, 100 + i);
		if (n % 2)
			vtl_sync(v);
		vtl_drop(v);
		assert_int_equal(file_size(v), before);
		vtl_open(v);
		assert_int_equal(vtl_objects(v), n);
		for (uint64_t i = 0; i < n; i++)
			vtl_expect(v, 4000, 100 + i);
		vtl_write(v, 100, 200);
		vtl_reopen(v);
		vtl_go(v, n);
		vtl_expect(v, 100, 200);
		vtl_close(v);
		assert_int_equal(cartridge_remove(v->path), 0);
	}
}

static void damage_to_either_slot_brings_no_old_data_back(void **state)
{
	struct vtl *v = *state;

	for (size_t slot = 1; slot <= 2; slot++) {
		record_old_data(v);
		vtl_write(v, 4000, 100);
		vtl_drop(v);
		vtl_flip(v, "p0", slot * 4096 + 20, 0xff);
		vtl_open(v);
		assert_int_equal(vtl_objects(v), 1);
		vtl_expect(v, 4000, 100);
		vtl_close(v);
		assert_int_equal(cartridge_remove(v->path), 0);
	}
}

static void erased_data_are_gone_from_the_disk_at_once(void **state)
{
	struct vtl *v = *state;

	record_old_data(v);
	vtl_write(v, 4000, 100);
	vtl_sync(v);
	vtl_go(v, 0);
	assert_int_equal(cartridge_erase(v->c), CARTRIDGE_OK);
	assert_int_equal(file_size(v), 12288);
}

static void old_data_make_room_where_the_disk_is_full(void **state)
{
	struct vtl *v = *state;

	record_old_data(v);
	vtl_write(v, 4000, 100);
	size_t before = file_size(v);
	durable.full = (off_t)before - 1;
	vtl_write(v, 100, 101);
	vtl_write(v, 4000, 102);
	durable.full = 0;
	assert_true(file_size(v) < before);
	vtl_reopen(v);
	vtl_expect(v, 4000, 100);
	vtl_expect(v, 100, 101);
	vtl_expect(v, 4000, 102);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
}

/* -- A disk that fails or is full -- */

static void sync_that_failed_is_never_forgotten(void **state)
{
	struct vtl *v = *state;
	uint64_t done;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 100, 1);
	vtl_sync(v);
	vtl_write(v, 100, 2);
	durable.fails = true;
	assert_int_equal(cartridge_sync(v->c), CARTRIDGE_IO);
	durable.fails = false;
	assert_int_equal(cartridge_sync(v->c), CARTRIDGE_IO);
	assert_int_equal(vtl_try_write(v, 100, 3), CARTRIDGE_IO);
	assert_int_equal(cartridge_write_filemarks(v->c, 1, &done), CARTRIDGE_IO);
	vtl_go(v, 0);
	vtl_expect(v, 100, 1);
	assert_int_equal(cartridge_close(v->c), -EIO);
	v->c = NULL;
	vtl_open(v);
	vtl_expect(v, 100, 1);
}

static void cut_that_failed_lets_nothing_be_written(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 100, 1);
	vtl_write(v, 100, 2);
	vtl_sync(v);
	vtl_go(v, 1);
	durable.fails = true;
	assert_int_equal(vtl_try_write(v, 100, 3), CARTRIDGE_IO);
	durable.fails = false;
	assert_int_equal(vtl_try_write(v, 100, 3), CARTRIDGE_IO);
	assert_int_equal(cartridge_close(v->c), -EIO);
	v->c = NULL;
	vtl_open(v);
	vtl_expect(v, 100, 1);
}

static void full_file_system_costs_only_what_did_not_fit(void **state)
{
	struct vtl *v = *state;
	struct rlimit all, few = { 300000, RLIM_INFINITY };
	uint64_t n = 0, done;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	few.rlim_max = all.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	vtl_new(v, 64 * MIB);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
	while (vtl_try_write(v, 10000, n) == CARTRIDGE_OK)
		n++;
	assert_true(n > 20);
	assert_int_equal(vtl_try_write(v, 10000, n), CARTRIDGE_NO_SPACE);
	vtl_at(v, n, 0);
	/* What is smaller may still fit. */
	vtl_write(v, 100, n++);
	vtl_sync(v);
	assert_int_equal(cartridge_write_filemarks(v->c, 10000, &done), CARTRIDGE_NO_SPACE);
	vtl_at(v, n + done, done);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	signal(SIGXFSZ, SIG_DFL);
	vtl_write(v, 10000, n + done);
	vtl_reopen(v);
	for (uint64_t i = 0; i < n - 1; i++)
		vtl_expect(v, 10000, i);
	vtl_expect(v, 100, n - 1);
	for (uint64_t i = 0; i < done; i++)
		vtl_expect_no_block(v, CARTRIDGE_FILEMARK);
	vtl_expect(v, 10000, n + done);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, vtl_setup, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_a_sync_acknowledged_survives_a_kill),
		CASE(what_was_synced_survives_the_loss_of_power),
		CASE(file_cut_anywhere_keeps_all_whole_records),
		CASE(garbage_behind_the_log_is_cut_off),
		CASE(interrupted_append_is_cut_wherever_it_stopped),
		CASE(read_only_opening_cuts_nothing_but_sees_the_end),
		CASE(room_of_old_data_is_written_over_and_given_back_at_the_end),
		CASE(log_grows_beyond_the_room_of_old_data),
		CASE(old_data_never_follow_new_ones_after_a_kill),
		CASE(damage_to_either_slot_brings_no_old_data_back),
		CASE(erased_data_are_gone_from_the_disk_at_once),
		CASE(old_data_make_room_where_the_disk_is_full),
		CASE(sync_that_failed_is_never_forgotten),
		CASE(cut_that_failed_lets_nothing_be_written),
		CASE(full_file_system_costs_only_what_did_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

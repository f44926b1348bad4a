/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file store on a block device: a loop device over a file of the test's own.
 * Skipped where the test may not make one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_store.h"
#include "tests/skip.h"

#define MIB ((uint64_t)1 << 20)

struct device {
	int fd; /* keeps it until it is closed (autoclear); -1: there is none */
	char path[32];
	char backing[96];
};

static int attach(struct device *d, uint32_t block)
{
	struct loop_config cfg = { .block_size = block, .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), n = -1, err = -1;
	int file = open(d->backing, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (control >= 0 && file >= 0 && !ftruncate(file, (off_t)(4 * MIB)))
		n = ioctl(control, LOOP_CTL_GET_FREE);
	snprintf(d->path, sizeof(d->path), "/dev/loop%d", n);
	if (n >= 0)
		d->fd = open(d->path, O_RDWR | O_CLOEXEC);
	cfg.fd = (uint32_t)file;
	if (d->fd >= 0)
		err = ioctl(d->fd, LOOP_CONFIGURE, &cfg);
	close(control);
	close(file);
	return err;
}

/* A device of 4 MiB with a store on it. */
static struct store *device_store(void **state, struct device *d)
{
	struct store_cfg cfg = { .kind = "file", .path = d->path, .block_size = 512 };
	struct store *st;

	*d = (struct device){ .fd = -1 };
	snprintf(d->backing, sizeof(d->backing), "%s", rig_path(*state, "backing"));
	if (attach(d, 512)) {
		close(d->fd);
		skip_as("no loop device to be had");
	}
	st = rig_open(*state, cfg);
	assert_non_null(st);
	return st;
}

static void done(struct device *d, struct store *st)
{
	store_close(st);
	close(d->fd);
}

static void its_size_is_the_device_s(void **state)
{
	struct device d;
	struct store *st = device_store(state, &d);

	assert_int_equal(store_size(st), 4 * MIB);
	assert_int_equal(store_resize(st, 8 * MIB), -ENOSPC);
	assert_int_equal(store_resize(st, 2 * MIB), 0);
	assert_int_equal(store_resize(st, 4 * MIB), 0);
	done(&d, st);
}

static void what_is_written_and_flushed_is_in_the_backing_file(void **state)
{
	struct device d;
	struct store *st = device_store(state, &d);
	uint8_t in[8192], out[8192] = { 0 };
	FILE *f;

	pattern(in, sizeof(in), 1);
	assert_int_equal(request(*state, st, STORE_WRITE, 512, in, sizeof(in), 0), 0);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	f = fopen(d.backing, "r");
	assert_non_null(f);
	assert_int_equal(fseek(f, 512, SEEK_SET), 0);
	assert_int_equal(fread(out, 1, sizeof(out), f), sizeof(out));
	fclose(f);
	assert_memory_equal(in, out, sizeof(in));
	done(&d, st);
}

static void gone_and_kept(void **state, enum store_op op)
{
	struct device d;
	struct store *st = device_store(state, &d);
	uint8_t *buf = malloc(2 * MIB);

	assert_non_null(buf);
	memset(buf, 1, 2 * MIB);
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 2 * MIB, 0), 0);
	assert_int_equal(request(*state, st, op, 512, NULL, MIB, 0), 0);
	assert_int_equal(request(*state, st, STORE_READ, 0, buf, 2 * MIB, 0), 0);
	assert_int_equal(buf[511], 1);
	assert_true(zeros(buf + 512, MIB));
	assert_int_equal(buf[512 + MIB], 1);
	free(buf);
	done(&d, st);
}

static void discard_leaves_zeros(void **state)
{
	gone_and_kept(state, STORE_DISCARD);
}

static void zero_leaves_zeros(void **state)
{
	gone_and_kept(state, STORE_ZERO);
}

static void a_thin_device_gives_space_back(void **state)
{
	struct device d;
	struct store *st = device_store(state, &d);
	uint8_t *buf = malloc(4 * MIB);
	struct stat full, less;

	assert_non_null(buf);
	memset(buf, 1, 4 * MIB);
	assert_true(store_thin(st));
	assert_int_equal(request(*state, st, STORE_WRITE, 0, buf, 4 * MIB, STORE_FUA), 0);
	assert_int_equal(request(*state, st, STORE_FLUSH, 0, NULL, 0, 0), 0);
	assert_int_equal(stat(d.backing, &full), 0);
	assert_int_equal(request(*state, st, STORE_DISCARD, MIB, NULL, 2 * MIB, 0), 0);
	assert_int_equal(stat(d.backing, &less), 0);
	assert_true(full.st_blocks - less.st_blocks > 3000);
	free(buf);
	done(&d, st);
}

static void nobody_says_what_is_mapped_so_all_is(void **state)
{
	struct device d;
	struct store *st = device_store(state, &d);
	uint64_t len;
	bool mapped;

	assert_int_equal(store_extent(st, MIB, &len, &mapped), 0);
	assert_true(mapped);
	assert_int_equal(len, 3 * MIB);
	done(&d, st);
}

static void a_device_in_use_is_refused(void **state)
{
	struct rig *rig = *state;
	struct device d;
	struct store *st = device_store(state, &d);
	char want[128];

	assert_null(rig_open(
		rig, (struct store_cfg){ .kind = "file", .path = d.path, .block_size = 512 }));
	snprintf(want, sizeof(want),
		"%s: the device is in use (mounted, or part of another device)", d.path);
	assert_string_equal(rig->why.text, want);
	assert_int_equal(rig->why.err, -EBUSY);
	done(&d, st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_size_is_the_device_s),
		cmocka_unit_test(what_is_written_and_flushed_is_in_the_backing_file),
		cmocka_unit_test(discard_leaves_zeros),
		cmocka_unit_test(zero_leaves_zeros),
		cmocka_unit_test(a_thin_device_gives_space_back),
		cmocka_unit_test(nobody_says_what_is_mapped_so_all_is),
		cmocka_unit_test(a_device_in_use_is_refused),
	};
	int failed = cmocka_run_group_tests_name("io_uring", tests, rig_uring, rig_teardown);

	return failed + cmocka_run_group_tests_name("threads", tests, rig_threads, rig_teardown);
}

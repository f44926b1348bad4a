/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of volumes: made, grown, erased and removed, and on the disk before that is acknowledged. */
#include "tests/unit/sync_order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>

#include "registry/volume_file.h"

static char dir[32], file[64];

static int begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/volume-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/pool/disk", dir);
	sync_order[0] = 0;
	return 0;
}

static int end(void **state)
{
	char pool[64];

	(void)state;
	unlink(file);
	snprintf(pool, sizeof(pool), "%s/pool", dir);
	rmdir(pool);
	return rmdir(dir);
}

static off_t size_of_file(void)
{
	struct stat st;

	assert_int_equal(stat(file, &st), 0);
	return st.st_size;
}

static void make(uint64_t size)
{
	assert_int_equal(volume_file_do(VOLUME_FILE_MAKE, file, size), 0);
	assert_int_equal(size_of_file(), size);
}

static void a_new_file_and_the_pool_made_for_it_are_durable(void **state)
{
	(void)state;
	make(8192);
	assert_string_equal(sync_order, "directory, file, directory");
}

static void a_file_that_is_there_is_not_made_again(void **state)
{
	(void)state;
	make(8192);
	assert_int_equal(volume_file_do(VOLUME_FILE_MAKE, file, 4096), -EEXIST);
	assert_int_equal(size_of_file(), 8192);
}

static void a_file_that_has_grown_is_durable(void **state)
{
	(void)state;
	make(8192);
	sync_order[0] = 0;
	assert_int_equal(volume_file_do(VOLUME_FILE_GROW, file, 16384), 0);
	assert_int_equal(size_of_file(), 16384);
	assert_string_equal(sync_order, "file");
}

static void a_file_never_shrinks(void **state)
{
	(void)state;
	make(8192);
	assert_int_equal(volume_file_do(VOLUME_FILE_GROW, file, 4096), 0);
	assert_int_equal(size_of_file(), 8192);
}

static void a_file_that_was_erased_is_all_zeros_durably(void **state)
{
	uint8_t bytes[8192], zeros[8192] = { 0 };
	int fd;

	(void)state;
	make(sizeof(bytes));
	memset(bytes, 'x', sizeof(bytes));
	fd = open(file, O_RDWR);
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	sync_order[0] = 0;
	assert_int_equal(volume_file_do(VOLUME_FILE_ERASE, file, sizeof(bytes)), 0);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	close(fd);
	assert_memory_equal(bytes, zeros, sizeof(bytes));
	assert_string_equal(sync_order, "file");
}

static void a_file_that_was_removed_is_gone_for_good(void **state)
{
	(void)state;
	make(8192);
	sync_order[0] = 0;
	assert_int_equal(volume_file_do(VOLUME_FILE_REMOVE, file, 0), 0);
	assert_int_equal(access(file, F_OK), -1);
	assert_string_equal(sync_order, "directory");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_new_file_and_the_pool_made_for_it_are_durable),
		TEST(a_file_that_is_there_is_not_made_again),
		TEST(a_file_that_has_grown_is_durable),
		TEST(a_file_never_shrinks),
		TEST(a_file_that_was_erased_is_all_zeros_durably),
		TEST(a_file_that_was_removed_is_gone_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a cartridge is a whole file, new each time, is on the disk before it takes the old one's
 * place, and has taken it for good before that is acknowledged.
 *
 * This program has its own fsync() and renameat(): they write down the order.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_vtl.h"

static char order[256];

static void note(const char *what)
{
	size_t len = strlen(order);

	snprintf(order + len, sizeof(order) - len, "%s%s", len ? ", " : "", what);
}

int fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	note(S_ISDIR(st.st_mode) ? "directory" : "file");
	return 0;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	note("rename");
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

static void a_label_is_durable_when_it_is_acknowledged(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * VTL_MIB);
	order[0] = 0;
	assert_int_equal(cartridge_attributes_save(v->c), CARTRIDGE_OK);
	assert_string_equal(order, "file, rename, directory");
}

static void a_new_cartridge_is_durable_when_it_is_acknowledged(void **state)
{
	struct vtl *v = *state;

	order[0] = 0;
	vtl_new(v, 64 * VTL_MIB);
	/* Log, label, the label's name; then the name of it all, in the directory above. */
	assert_string_equal(order, "file, file, rename, directory, directory");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, vtl_setup, vtl_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_label_is_durable_when_it_is_acknowledged),
		CASE(a_new_cartridge_is_durable_when_it_is_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

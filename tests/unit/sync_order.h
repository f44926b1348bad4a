/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of what is durable: an fsync() and a renameat() that do no more than write down what they
 * were called for. To be included once in a program. */
#ifndef TESTS_UNIT_SYNC_ORDER_H
#define TESTS_UNIT_SYNC_ORDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static char sync_order[256]; /* what was synced or renamed, in its order; tests empty it */

static void sync_note(const char *what)
{
	size_t len = strlen(sync_order);

	snprintf(sync_order + len, sizeof(sync_order) - len, "%s%s", len ? ", " : "", what);
}

int fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	sync_note(S_ISDIR(st.st_mode) ? "directory" : "file");
	return 0;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	sync_note("rename");
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

#endif

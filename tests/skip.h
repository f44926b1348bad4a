/* SPDX-License-Identifier: BSD-2-Clause */
/* How a test is left out where it cannot be done: in a line that scripts/run-tests shows, it says why. */
#ifndef TESTS_SKIP_H
#define TESTS_SKIP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define skip_as(why) \
	do { \
		print_message("skipped: %s\n", why); \
		skip(); \
	} while (0)

#endif

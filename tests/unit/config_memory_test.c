/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that runs out at every allocation of config/, one after the other: each time the load
 * says so and the next one is whole. libconfig does not survive it and is spared. Functions of the
 * program take precedence over those of the C library, which is how allocations are made to fail.
 * Sanitizers and valgrind want to do the same, so under them there is nothing to test here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sanitizer.h"
#include "config/diff.h"
#include "config/load.h"
#include "config_support.h"
#include "tests/skip.h"

/* The allocation of ours, counted from now, that fails; 0: none does. */
static volatile unsigned long countdown;

#ifndef WITH_SANITIZER
extern char __executable_start, etext;
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static bool fails(const void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	if (at < (uintptr_t)&__executable_start || at >= (uintptr_t)&etext)
		return false;
	if (!countdown)
		return false;
	countdown--;
	return !countdown;
}

/* Inlined, they would have their caller's caller. */
__attribute__((noinline)) void *malloc(size_t size);
__attribute__((noinline)) void *calloc(size_t n, size_t size);
__attribute__((noinline)) void *reallocarray(void *p, size_t n, size_t size);
__attribute__((noinline)) char *strndup(const char *s, size_t max);
__attribute__((noinline)) char *strdup(const char *s);

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n * size);
}

char *strndup(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	char *copy = fails(__builtin_return_address(0)) ? NULL : __libc_malloc(len + 1);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = '\0';
	}
	return copy;
}

char *strdup(const char *s)
{
	size_t len = strlen(s);
	char *copy = fails(__builtin_return_address(0)) ? NULL : __libc_malloc(len + 1);

	return copy ? memcpy(copy, s, len + 1) : NULL;
}
#endif

#define IQN "iqn.2026-11.com.example:"

static const char good[] = BASE
	"targets = ( { name = \"" IQN "a\"; portal_groups = [ 1 ]; redirect = \"h\"; luns = (\n"
	"{ lun = 0; name = \"u\"; store = \"ram\"; size = \"1M\"; naa = \"5000c50012345678\"; },\n"
	"{ lun = 1; same_as = \"u\"; } ); credentials = (\n"
	"{ initiator = \"" IQN
	"h\"; secret = \"123456789012\"; target_secret = \"abcdefghijkl\"; },\n"
	"{ user = \"u\"; secret = \"123456789012\"; } ); } );\n"
	"libraries = ( { name = \"l\"; path = \"/l\"; target_prefix = \"" IQN "l\";\n"
	"tapes = ( { barcode = \"AAAAA1\"; size = \"1G\"; } ); } );\n"
	"management = { socket_users = [ \"a\", \"b\" ]; aws = { gateway = \"sgw-12A3456B\"; "
	"access_keys =\n"
	"( { id = \"AKIAIOSFODNN7EXAMPLE\"; secret = \"0123456789abcdef\"; } ); }; };\n"
	"pools = ( { name = \"p\"; path = \"/p\"; } );\n";

static const char bad[] = BASE "reactor = 1;\nreactors = 5000;\ntargets = ( { name = \"a\"; } );\n";

static void skip_unless_allocations_can_fail(void)
{
	void *volatile p;

	countdown = 1;
	p = malloc(1);
	countdown = 0;
	free(p);
	if (p)
		skip_as("a sanitizer has malloc()");
}

/* The result of a load in which allocation n fails. */
static int load_without(const char *text, unsigned long n, struct config **cfg)
{
	struct faults faults = { 0 };
	int err;

	countdown = n;
	err = config_load_string("test.conf", text, NULL, cfg, &faults);
	countdown = 0;
	faults_free(&faults);
	return err;
}

/* Fails allocation 1, 2, 3 ... until there are no more; how many there were. */
static unsigned long walk(const char *text, int expected)
{
	for (unsigned long n = 1; n < 100000; n++) {
		struct config *cfg = NULL;
		int err = load_without(text, n, &cfg);

		config_free(cfg);
		if (err == expected)
			return n;
		assert_int_equal(err, -ENOMEM);
		assert_null(cfg);
	}
	fail_msg("allocations without end");
	return 0;
}

static void a_load_without_memory_says_so_wherever_it_runs_out(void **state)
{
	(void)state;
	skip_unless_allocations_can_fail();
	assert_true(walk(good, 0) > 100);
}

static void a_load_with_faults_survives_too(void **state)
{
	(void)state;
	skip_unless_allocations_can_fail();
	assert_true(walk(bad, -EINVAL) > 20);
}

static void a_comparison_without_memory_says_so(void **state)
{
	struct config *old, *new;
	struct config_changes changes;
	unsigned long n = 0;
	int err;

	(void)state;
	skip_unless_allocations_can_fail();
	old = loaded(BASE);
	new = loaded(good);
	do {
		countdown = ++n;
		err = config_diff(old, new, &changes);
		countdown = 0;
		assert_true(!err || err == -ENOMEM);
	} while (err);
	assert_true(n > 5);
	assert_int_equal(changes.n, 5);
	config_changes_free(&changes);
	config_free(old);
	config_free(new);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_load_without_memory_says_so_wherever_it_runs_out),
		cmocka_unit_test(a_load_with_faults_survives_too),
		cmocka_unit_test(a_comparison_without_memory_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

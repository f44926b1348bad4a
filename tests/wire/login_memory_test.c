/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that runs out at every allocation of a login, one after the other: the initiator is told to
 * come again (status class 3) or is closed, never that the fault is its own (class 2), after which
 * open-iscsi gives up for good. Sanitizers and valgrind take malloc() for themselves, so under them
 * there is nothing to test here.
 */
#include "wire.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/sanitizer.h"
#include "tests/skip.h"

/* The allocation of a reactor, counted from now, that fails; 0: none does. */
static atomic_ulong countdown;
/* The test's own succeed. */
static _Thread_local bool spared;

#ifndef WITH_SANITIZER
extern char __executable_start, etext;
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);

static bool fails(const void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	if (spared || at < (uintptr_t)&__executable_start || at >= (uintptr_t)&etext)
		return false;
	return countdown && --countdown == 0;
}

/* Inlined, they would have their caller's caller. */
__attribute__((noinline)) void *malloc(size_t size);
__attribute__((noinline)) void *calloc(size_t n, size_t size);
__attribute__((noinline)) char *strdup(const char *s);

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

char *strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);

	return copy ? memcpy(copy, s, size) : NULL;
}
#endif

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

/* The class of the answer to a whole login in one request; 0xff: closed without one. */
static unsigned class_without(struct wire *w, unsigned long n)
{
	uint8_t bhs[BHS_SIZE];
	struct ini i;
	struct pdu p;
	ssize_t got;

	countdown = n;
	ini_open(&i, w);
	p = pdu_login(&i, OP | TO_FFP, NAMES_TO(OPEN));
	ini_send_may_fail(&i, &p);
	got = recv(i.fd, bhs, sizeof(bhs), MSG_WAITALL);
	ini_close(&i);
	wire_expect_idle(w);
	return got == sizeof(bhs) ? bhs[36] : 0xff;
}

static void a_login_for_which_there_is_no_memory_may_be_tried_again(void **state)
{
	unsigned long n = 0;
	unsigned class, refused = 0;

	skip_unless_allocations_can_fail();
	spared = true;
	do {
		class = class_without(*state, ++n);
		if (class != 0 && class != 3 && class != 0xff)
			fail_msg("without allocation %lu: class %u", n, class);
		refused += class == 3;
	} while (countdown == 0);
	assert_int_equal(class, 0);
	assert_in_range(refused, 5, n);
	countdown = 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_login_for_which_there_is_no_memory_may_be_tried_again, wire_setup_started,
			wire_teardown),
	};

	return cmocka_run_group_tests_name("wire/login_memory", tests, NULL, NULL);
}

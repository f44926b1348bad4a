/* SPDX-License-Identifier: BSD-2-Clause */
/* Secrets from files and from standard input; those from a terminal are tested from outside. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/prompt.h"

static char path[] = "/tmp/prompt-XXXXXX";

/* A file with these bytes, which is also standard input. */
static void put(const char *bytes, size_t len)
{
	int fd = open(path, O_RDWR | O_TRUNC);

	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
}

static void assert_file(const char *bytes, size_t len, const char *secret, size_t secret_len)
{
	struct prompt_secret s;

	put(bytes, len);
	assert_true(prompt_file(path, &s));
	assert_int_equal(s.len, secret_len);
	assert_memory_equal(s.bytes, secret, secret_len);
	assert_true(prompt_file("-", &s));
	assert_int_equal(s.len, secret_len);
}

static void a_file_is_the_secret_but_for_a_last_end_of_line(void **state)
{
	(void)state;
	assert_file("secret", 6, "secret", 6);
	assert_file("secret\n", 7, "secret", 6);
	assert_file("secret\r\n", 8, "secret", 6);
	assert_file("secret\n\n", 8, "secret\n", 7);
	assert_file(" two words ", 11, " two words ", 11);
	assert_file("a\0b\n", 4, "a\0b", 3);
}

static void lines_of_standard_input_come_one_by_one(void **state)
{
	struct prompt_secret s;

	(void)state;
	put("one\ntwo\r\nthree", 14);
	assert_true(prompt_line("first", &s));
	assert_string_equal(s.bytes, "one");
	assert_true(prompt_line("second", &s));
	assert_string_equal(s.bytes, "two");
	assert_true(prompt_line("third", &s));
	assert_string_equal(s.bytes, "three");
	assert_false(prompt_line("fourth", &s));
}

static void nothing_is_no_secret(void **state)
{
	struct prompt_secret s;

	(void)state;
	put("", 0);
	assert_false(prompt_file(path, &s));
	put("\n", 1);
	assert_false(prompt_file(path, &s));
	put("\nsecret\n", 8);
	assert_false(prompt_line("first", &s));
	assert_false(prompt_file("/nowhere/at/all", &s));
	assert_false(prompt_file("/tmp", &s));
}

static void as_much_as_a_secret_may_be_and_no_more(void **state)
{
	char bytes[PROMPT_MAX + 3];
	struct prompt_secret s;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	put(bytes, PROMPT_MAX);
	assert_true(prompt_file(path, &s));
	assert_int_equal(s.len, PROMPT_MAX);
	bytes[PROMPT_MAX] = '\n';
	put(bytes, PROMPT_MAX + 1);
	assert_true(prompt_file(path, &s));
	assert_true(prompt_line("first", &s));
	bytes[PROMPT_MAX] = 'x';
	put(bytes, PROMPT_MAX + 1);
	assert_false(prompt_file(path, &s));
	put(bytes, sizeof(bytes));
	assert_false(prompt_file(path, &s));
	assert_false(prompt_line("first", &s));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_the_secret_but_for_a_last_end_of_line),
		cmocka_unit_test(lines_of_standard_input_come_one_by_one),
		cmocka_unit_test(nothing_is_no_secret),
		cmocka_unit_test(as_much_as_a_secret_may_be_and_no_more),
	};
	int failed, fd = mkstemp(path);

	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}

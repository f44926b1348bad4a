/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of countersignd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

struct result {
	enum options_next next;
	struct options o;
	char *said, *complained;
};

/* Parses "countersignd" and these words. */
static struct result parse(const char *const *words)
{
	struct result r;
	char *argv[16] = { "countersignd" };
	int argc = 1;
	size_t len;
	FILE *say = open_memstream(&r.said, &len), *complain = open_memstream(&r.complained, &len);

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	r.next = options_parse(argc, argv, &r.o, say, complain);
	fclose(say);
	fclose(complain);
	return r;
}

static void forget(struct result *r)
{
	free(r->said);
	free(r->complained);
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static void nothing_means_the_usual_file_in_the_background(void **state)
{
	struct result r = PARSE();

	(void)state;
	assert_int_equal(r.next, OPTIONS_RUN);
	assert_string_equal(r.o.config, "/etc/countersign/countersign.conf");
	assert_false(r.o.config_given || r.o.foreground || r.o.check || r.o.verbose);
	assert_string_equal(r.said, "");
	assert_string_equal(r.complained, "");
	forget(&r);
}

static void letters_and_words_mean_the_same(void **state)
{
	struct result letters = PARSE("-ftvvc", "x"),
		      words = PARSE(
			      "--foreground", "--check", "--verbose", "--verbose", "--config=x");
	struct options *both[] = { &letters.o, &words.o };

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_string_equal(both[i]->config, "x");
		assert_true(both[i]->config_given && both[i]->foreground && both[i]->check);
		assert_int_equal(both[i]->verbose, 2);
	}
	forget(&letters);
	forget(&words);
}

static void help_and_version_are_shown_and_nothing_else_is_done(void **state)
{
	struct result help = PARSE("-h"), version = PARSE("-f", "--version");

	(void)state;
	assert_int_equal(help.next, OPTIONS_SHOWN);
	assert_non_null(strstr(help.said, "-c, --config FILE"));
	assert_int_equal(version.next, OPTIONS_SHOWN);
	assert_int_equal(strncmp(version.said, "countersignd ", 13), 0);
	forget(&help);
	forget(&version);
}

static void what_is_wrong_is_quoted(void **state)
{
	struct result unknown = PARSE("-f", "--frobnicate"), letter = PARSE("-x"),
		      missing = PARSE("-c"), surplus = PARSE("-f", "surplus"),
		      empty = PARSE("-c", "");

	(void)state;
	assert_int_equal(unknown.next, OPTIONS_WRONG);
	assert_non_null(strstr(unknown.complained, "\"--frobnicate\""));
	assert_int_equal(letter.next, OPTIONS_WRONG);
	assert_non_null(strstr(letter.complained, "\"-x\""));
	assert_int_equal(missing.next, OPTIONS_WRONG);
	assert_non_null(strstr(missing.complained, "missing after \"-c\""));
	assert_int_equal(surplus.next, OPTIONS_WRONG);
	assert_non_null(strstr(surplus.complained, "\"surplus\""));
	assert_int_equal(empty.next, OPTIONS_WRONG);
	assert_non_null(strstr(empty.complained, "is empty"));
	forget(&unknown);
	forget(&letter);
	forget(&missing);
	forget(&surplus);
	forget(&empty);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_means_the_usual_file_in_the_background),
		cmocka_unit_test(letters_and_words_mean_the_same),
		cmocka_unit_test(help_and_version_are_shown_and_nothing_else_is_done),
		cmocka_unit_test(what_is_wrong_is_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a syntax error probably is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/hint.h"

/* libconfig has found an error in `line` of the text; the hint has these words and that line. */
static void assert_hint(const char *text, size_t line, const char *words, size_t at)
{
	const char *hint = hint_syntax(text, &line);

	assert_non_null(hint);
	if (!strstr(hint, words))
		fail_msg("%s: %s", text, hint);
	assert_int_equal(line, at);
}

static void assert_no_hint(const char *text, size_t line)
{
	const char *hint = hint_syntax(text, &line);

	if (hint)
		fail_msg("%s: %s", text, hint);
}

static void values_without_quotes_are_told(void **state)
{
	static const char *const texts[] = { "size = 10G;", "a = 1; size=512M", "path = /dev/sda;",
		"address = 127.0.0.1;", "address = ::1;", "name = iqn.2026-11.com.example:x;",
		"auth = 'chap';", "algorithms = [ MD5, SHA1 ];", "{ auth = chap }" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_hint(texts[i], 1, "double quotes", 1);
}

static void yes_and_no_are_told_to_be_true_and_false(void **state)
{
	static const char *const texts[] = { "create = yes;", "thin = No }", "tls=on", "a = OFF," };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_hint(texts[i], 1, "true and false", 1);
}

static void commas_too_many_and_too_few_are_told(void **state)
{
	(void)state;
	assert_hint("a = ( { b = 1; }, );", 1, "too many", 1);
	assert_hint("a = ( { b = 1; },\n\n );", 3, "too many", 3);
	assert_hint("a = [ 1, 2, ];", 1, "too many", 1);
	assert_hint("a = ( { b = 1; }\n { b = 2; } );", 2, "is missing between } and {", 2);
}

static void groups_in_the_wrong_brackets_are_told(void **state)
{
	(void)state;
	assert_hint("portals = [ { port = 1; } ];", 1, "not in [ ... ]", 1);
	assert_hint("portals = [\n { port = 1; } ];", 2, "not in [ ... ]", 2);
}

static void other_formats_are_told_how_this_one_is(void **state)
{
	(void)state;
	assert_hint("[global]\nport = 1", 1, "no [sections]", 1);
	assert_hint("a = 1;\n [iscsi]", 2, "no [sections]", 2);
	assert_hint("{ \"0;\": \"1;\" }", 1, "name of a setting stands without quotes", 1);
	assert_hint("\"0;\" = 5;", 1, "name of a setting stands without quotes", 1);
	assert_hint("state_dir: state\nportals:", 1, "double quotes", 1);
}

static void the_slip_may_be_in_the_line_before(void **state)
{
	(void)state;
	assert_hint("size = 10G\n\npath = \"0;\";", 3, "double quotes", 1);
	assert_no_hint("size = 10G\na = 1;\npath = ;", 3);
}

static void nothing_is_guessed_of_what_is_right(void **state)
{
	static const char *const texts[] = { "a = \"0;\";", "a = 5;", "a = -5", "a = 12345678901L;",
		"a = 1.5e-3;", "a = 0x1F;", "a = TRUE;", "a = false }", "a = ( { b = 1; }, { } );",
		"a = [ \"0;\", \"1;\" ];", "a = [ 1, 2 ];", "a =", "a = [", "a : [ 1 ];",
		"a : \"0;\";", "a = ( [ 1 ], [ 2 ] );", "", "}", "{", ")" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_no_hint(texts[i], 1);
	assert_no_hint("a = 5;\n", 2);
	assert_no_hint("a = 5;\n", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_without_quotes_are_told),
		cmocka_unit_test(yes_and_no_are_told_to_be_true_and_false),
		cmocka_unit_test(commas_too_many_and_too_few_are_told),
		cmocka_unit_test(groups_in_the_wrong_brackets_are_told),
		cmocka_unit_test(other_formats_are_told_how_this_one_is),
		cmocka_unit_test(the_slip_may_be_in_the_line_before),
		cmocka_unit_test(nothing_is_guessed_of_what_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The file as a text: strings, comments, includes, and lines that stay right through all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/input.h"
#include "config_support.h"

/* The alias of the one target of a file that is right but for what the test is about. */
static void assert_alias(const char *string_literal, const char *expected)
{
	char file[512];
	struct config *cfg;

	snprintf(file, sizeof(file),
		BASE "targets = ( { name = \"iqn.2026-11.com.example:a\"; alias = %s; } );\n",
		string_literal);
	cfg = loaded(file);
	assert_string_equal(cfg->targets[0].alias, expected);
	config_free(cfg);
}

static void a_string_may_have_escapes(void **state)
{
	(void)state;
	assert_alias("\"a\\\\b\\\"c\"", "a\\b\"c");
	assert_alias("\"\\x41\\X7a\"", "Az");
	assert_alias("\"\xc3\xa9\"", "\xc3\xa9");
}

static void a_backslash_before_anything_else_is_a_backslash(void **state)
{
	(void)state;
	assert_alias("\"\\q \\x4 \\x4g\"", "\\q \\x4 \\x4g");
}

static void adjacent_strings_are_one(void **state)
{
	(void)state;
	assert_alias("\"one \" /* and */ \"two\"\n\"three\"", "one twothree");
}

static void a_string_may_hold_what_looks_like_a_comment(void **state)
{
	(void)state;
	assert_alias("\"a # b // c /* d\"", "a # b // c /* d");
}

static void comments_of_each_kind_are_ignored(void **state)
{
	struct config *cfg = loaded(BASE "# reactors = 1;\n// reactors = 2;\n/* reactors = 3;\n*/\n"
					 "reactors = 4; # 5 \" {");

	(void)state;
	assert_int_equal(cfg->reactors, 4);
	config_free(cfg);
}

static void lines_are_right_after_comments_and_strings_of_many_lines(void **state)
{
	(void)state;
	assert_faults(BASE "/* 2\n3\n4 */ a5 = 1;\nuser = \"x\ny\"; a7 = 1;\n",
		"4: a5 is not a setting\n"
		"5: user: \"x?y\": byte 0x0a cannot be part of it; letters, digits, '.', "
		"'_' and '-' can\n"
		"6: a7 is not a setting\n");
}

static void a_string_without_an_end_is_refused_where_it_begins(void **state)
{
	(void)state;
	assert_faults(BASE "user = \"abc;\nreactors = 1;\n",
		"2: this string is never closed: \" is missing\n");
	assert_faults(BASE "\"\\", "2: this string is never closed: \" is missing\n");
}

static void a_comment_without_an_end_is_refused_where_it_begins(void **state)
{
	(void)state;
	assert_faults(BASE "\n/* abc;\n*\n", "3: this comment is never closed: */ is missing\n");
	assert_faults(BASE "/*/", "2: this comment is never closed: */ is missing\n");
}

static void a_nul_in_a_string_is_refused(void **state)
{
	(void)state;
	assert_faults(BASE "user = \"a\\x00b\";\n", "2: a string cannot hold the NUL character\n");
}

static void a_nul_in_the_file_is_refused(void **state)
{
	struct directory d = directory_new();
	struct faults faults = { 0 };
	struct config *cfg = NULL;
	char *text;

	(void)state;
	make_file(&d, "c.conf", 0600, "a = 1;\nb\0 = 2;\n", 15);
	assert_int_equal(config_load(in_directory(&d, "c.conf"), &cfg, &faults), -EINVAL);
	text = faults_text(&faults);
	assert_string_equal(text, "2: there is a NUL character in the file; is it a text?\n");
	free(text);
	faults_free(&faults);
	directory_free(&d);
}

static void a_long_number_is_not_cut(void **state)
{
	(void)state;
	assert_faults(BASE "reactors = 4294967297;\npoll_us = -4294967297;\n"
			   "limits = { login_timeout = 99999999999999999999999; };\n",
		"2: reactors: 4294967297 is out of range; it can be 0 to 1024\n"
		"3: poll_us: -4294967297 is out of range; it can be 0 to 10000\n"
		"4: login_timeout: 9223372036854775807 is out of range; it can be 1 to 600\n");
}

static void a_number_in_a_name_is_left_alone(void **state)
{
	(void)state;
	assert_faults(BASE "a1234567890123 = 1;\n", "2: a1234567890123 is not a setting\n");
}

/* Its scratch memory is freed unwiped, so no secret may get there. */
static void strings_are_taken_out_of_what_libconfig_reads(void **state)
{
	struct faults faults = { 0 };
	struct input in = { 0 };
	struct blob value = { 0 };

	(void)state;
	assert_int_equal(
		input_load_string(&in, "test.conf", "a = \"one\" \"two\";\n", NULL, &faults), 0);
	assert_string_equal(in.whole.data, "a = \"0;\" \"1;\";\n");
	assert_true(input_string(&in, "0;1;", &value));
	assert_string_equal(value.data, "onetwo");
	blob_free(&value);
	input_free(&in);
}

/* ---- includes ------------------------------------------------------------------------------- */

/* Loads c.conf of the directory and compares "FILE:LINE: text" of all faults. */
static void assert_file_faults(struct directory *d, const char *expected)
{
	struct faults faults = { 0 };
	struct config *cfg = NULL;
	char *text = NULL, *named = with_directory(d, expected);
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(config_load(in_directory(d, "c.conf"), &cfg, &faults), -EINVAL);
	faults_print(&faults, out);
	fclose(out);
	assert_string_equal(text, named);
	free(text);
	free(named);
	faults_free(&faults);
}

static void an_included_file_is_part_of_the_whole(void **state)
{
	struct directory d = directory_new();
	struct faults faults = { 0 };
	struct config *cfg = NULL;

	(void)state;
	make_text(
		&d, "c.conf", 0600, BASE "targets = (\n  @include \"t.conf\"\n);\nreactors = 3;\n");
	make_text(&d, "t.conf", 0600, "{ name = \"iqn.2026-11.com.example:a\"; }");
	assert_int_equal(config_load(in_directory(&d, "c.conf"), &cfg, &faults), 0);
	assert_int_equal(cfg->n_targets, 1);
	assert_int_equal(cfg->reactors, 3);
	config_free(cfg);
	directory_free(&d);
}

static void a_fault_names_the_file_that_it_is_in(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "c.conf", 0600, BASE "@include \"i.conf\" a2 = 1;\na3 = 1;\n");
	make_text(&d, "i.conf", 0600, "b1 = 1;\n\nb3 = 1;\n@include \"sub/j.conf\"\nb5 = 1;");
	assert_int_equal(mkdir(in_directory(&d, "sub"), 0700), 0);
	make_text(&d, "sub/j.conf", 0600, "@include \"k.conf\"\nc2 = 1;\n");
	make_text(&d, "sub/k.conf", 0600, "d1 = 1;\n");
	assert_file_faults(&d, "DIR/c.conf:2: a2 is not a setting\n"
			       "DIR/c.conf:3: a3 is not a setting\n"
			       "DIR/i.conf:1: b1 is not a setting\n"
			       "DIR/i.conf:3: b3 is not a setting\n"
			       "DIR/i.conf:5: b5 is not a setting\n"
			       "DIR/sub/j.conf:2: c2 is not a setting\n"
			       "DIR/sub/k.conf:1: d1 is not a setting\n");
	directory_free(&d);
}

static void a_syntax_error_in_an_included_file_is_placed_there(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "c.conf", 0600, BASE "@include \"i.conf\"\n");
	make_text(&d, "i.conf", 0600, "reactors = 1;\nreactors = 2;\n");
	assert_file_faults(&d, "DIR/i.conf:2: this setting is given twice in the same group\n");
	directory_free(&d);
}

static void an_include_of_what_cannot_be_read_is_a_fault(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "c.conf", 0600, BASE "\n@include \"none.conf\"\n");
	assert_file_faults(&d, "DIR/c.conf:3: cannot include \"DIR/none.conf\": No such file or "
			       "directory\n");
	assert_int_equal(unlink(in_directory(&d, "c.conf")), 0);
	make_text(&d, "c.conf", 0600, BASE "@include \".\"\n");
	assert_file_faults(&d, "DIR/c.conf:2: cannot include \"DIR\": Is a directory\n");
	assert_int_equal(unlink(in_directory(&d, "c.conf")), 0);
	make_text(&d, "c.conf", 0600, BASE "@include \"c.conf/x\"\n");
	assert_file_faults(&d, "DIR/c.conf:2: cannot include \"DIR/c.conf/x\": Not a directory\n");
	directory_free(&d);
}

static void a_file_that_includes_itself_is_a_fault(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "c.conf", 0600, "\n@include \"c.conf\"\n");
	assert_file_faults(
		&d, "DIR/c.conf:2: @include goes too deep; does a file include itself?\n");
	directory_free(&d);
}

static void an_include_without_a_name_is_a_fault(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "c.conf", 0600, "@include i.conf\n");
	assert_file_faults(&d, "DIR/c.conf:1: @include needs a file name in double quotes\n");
	assert_int_equal(unlink(in_directory(&d, "c.conf")), 0);
	make_text(&d, "c.conf", 0600, "@include \"\"\n");
	assert_file_faults(&d, "DIR/c.conf:1: @include needs the name of a file\n");
	directory_free(&d);
}

static void a_string_without_file_access_includes_nothing(void **state)
{
	(void)state;
	assert_faults(BASE "  @include \"/etc/passwd\"\n", "2: @include cannot be used here\n");
}

/* libconfig would take this for an include of its own, as the string ends a line of the text. */
static void an_include_that_does_not_begin_its_line_opens_no_file(void **state)
{
	(void)state;
	assert_faults(
		BASE "user = \"a\nb\" @include \"/etc/passwd\"\n", "3: cannot open include file\n");
	assert_faults(BASE "a = 1; @include \"/etc/passwd\"\n",
		"2: syntax error here or just before: a missing = or ;, a missing , between "
		"the parts of a list, or a bracket without its partner\n");
}

/* ---- paths ---------------------------------------------------------------------------------- */

static void assert_path(const char *dir, const char *path, const char *expected)
{
	char *got = path_from(dir, path);

	assert_string_equal(got, expected);
	free(got);
}

static void a_path_loses_its_empty_parts_and_dots(void **state)
{
	(void)state;
	assert_path("/etc", "a", "/etc/a");
	assert_path("/etc/", "./a//b/.", "/etc/a/b");
	assert_path("/etc", "/a", "/a");
	assert_path("/", "a", "/a");
	assert_path(".", "a", "a");
	assert_path(".", ".", ".");
	assert_path("/", ".", "/");
	assert_path("x", "../a", "x/../a");
}

static void the_directory_of_a_path_is_what_is_before_the_last_slash(void **state)
{
	static const char *const cases[][2] = {
		{ "a", "." },
		{ "/a", "/" },
		{ "a/b", "a" },
		{ "/a/b/c", "/a/b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = path_directory(cases[i][0]);

		assert_string_equal(got, cases[i][1]);
		free(got);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_string_may_have_escapes),
		cmocka_unit_test(a_backslash_before_anything_else_is_a_backslash),
		cmocka_unit_test(adjacent_strings_are_one),
		cmocka_unit_test(a_string_may_hold_what_looks_like_a_comment),
		cmocka_unit_test(comments_of_each_kind_are_ignored),
		cmocka_unit_test(lines_are_right_after_comments_and_strings_of_many_lines),
		cmocka_unit_test(a_string_without_an_end_is_refused_where_it_begins),
		cmocka_unit_test(a_comment_without_an_end_is_refused_where_it_begins),
		cmocka_unit_test(a_nul_in_a_string_is_refused),
		cmocka_unit_test(a_nul_in_the_file_is_refused),
		cmocka_unit_test(a_long_number_is_not_cut),
		cmocka_unit_test(a_number_in_a_name_is_left_alone),
		cmocka_unit_test(strings_are_taken_out_of_what_libconfig_reads),
		cmocka_unit_test(an_included_file_is_part_of_the_whole),
		cmocka_unit_test(a_fault_names_the_file_that_it_is_in),
		cmocka_unit_test(a_syntax_error_in_an_included_file_is_placed_there),
		cmocka_unit_test(an_include_of_what_cannot_be_read_is_a_fault),
		cmocka_unit_test(a_file_that_includes_itself_is_a_fault),
		cmocka_unit_test(an_include_without_a_name_is_a_fault),
		cmocka_unit_test(a_string_without_file_access_includes_nothing),
		cmocka_unit_test(an_include_that_does_not_begin_its_line_opens_no_file),
		cmocka_unit_test(a_path_loses_its_empty_parts_and_dots),
		cmocka_unit_test(the_directory_of_a_path_is_what_is_before_the_last_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

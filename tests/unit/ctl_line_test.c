/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of countersignctl, taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/credentials.h"
#include "ctl/line.h"

/* Takes "a b c" apart; the words live until the next call. */
static enum line_result parse(const char *text, struct line *out)
{
	static char copy[1024];
	static char *argv[128];
	int argc = 1;

	strcpy(copy, text);
	argv[0] = copy + sizeof(copy) - 1;
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return line_parse(argc, argv, out);
}

static void assert_wrong(const char *text, const char *why)
{
	struct line line;

	if (parse(text, &line) != LINE_WRONG)
		fail_msg("taken: %s", text);
	assert_string_equal(line.why, why);
}

static void a_command_of_one_word_and_its_arguments(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(parse("targets iqn.x:t", &line), LINE_COMMAND);
	assert_string_equal(line.command->name, "targets");
	assert_int_equal(line.n, 1);
	assert_string_equal(line.args[0], "iqn.x:t");
	assert_null(line.session.socket);
	assert_false(line.session.json);
}

static void a_command_of_two_words_and_its_options_in_any_place(void **state)
{
	static const char *const lines[] = {
		"credentials rotate --grace 5m T I --mutual",
		"credentials rotate T --mutual I --grace=5m",
		"credentials rotate T I --grace 1h --mutual --grace 5m",
	};
	struct line line;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i], &line), LINE_COMMAND);
		assert_string_equal(line.command->name, "credentials rotate");
		assert_int_equal(line.n, 2);
		assert_string_equal(line.args[0], "T");
		assert_string_equal(line.args[1], "I");
		assert_true(command_has(&line.session, "mutual"));
		assert_string_equal(command_value(&line.session, "grace"), "5m");
	}
	assert_int_equal(parse("credentials rotate T I", &line), LINE_COMMAND);
	assert_false(command_has(&line.session, "mutual"));
	assert_null(command_value(&line.session, "grace"));
}

static void options_for_all_stand_anywhere(void **state)
{
	static const char *const lines[] = { "-s S -j sessions", "sessions -jsS",
		"-sS sessions --json", "--socket=S --json sessions", "sessions --socket S -j" };
	struct line line;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i], &line), LINE_COMMAND);
		assert_string_equal(line.session.socket, "S");
		assert_true(line.session.json);
		assert_int_equal(line.n, 0);
	}
}

static void help_and_version_win(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(parse("help", &line), LINE_HELP);
	assert_int_equal(parse("-h", &line), LINE_HELP);
	assert_int_equal(parse("drop --help", &line), LINE_HELP);
	assert_int_equal(parse("-V nonsense", &line), LINE_VERSION);
}

static void help_is_of_the_command_that_it_stands_with(void **state)
{
	static const struct {
		const char *text, *words[2];
		int n;
	} lines[] = {
		{ "help", { NULL }, 0 },
		{ "help credentials", { "credentials" }, 1 },
		{ "help credentials set", { "credentials", "set" }, 2 },
		{ "credentials -h", { "credentials" }, 1 },
		{ "credentials set --user U SCOPE I --help", { "credentials", "set" }, 2 },
		{ "help targets help", { "targets" }, 1 },
		{ "-h credentials", { NULL }, 0 },
	};
	struct line line;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i].text, &line), LINE_HELP);
		assert_int_equal(line.n, lines[i].n);
		for (int j = 0; j < line.n; j++)
			assert_string_equal(line.args[j], lines[i].words[j]);
	}
	assert_wrong("help nonsense", "there is no command nonsense");
	assert_int_equal(parse("credentials", &line), LINE_WRONG);
	assert_string_equal(line.topic, "credentials");
	assert_int_equal(parse("targets help", &line), LINE_COMMAND);
}

static void behind_two_dashes_there_are_no_options(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(parse("targets -- --json", &line), LINE_COMMAND);
	assert_string_equal(line.args[0], "--json");
	assert_false(line.session.json);
}

static void a_dash_alone_is_a_word(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(parse("targets -", &line), LINE_COMMAND);
	assert_string_equal(line.args[0], "-");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	assert_wrong("", "say what to do");
	assert_wrong("-j", "say what to do");
	assert_wrong("dance", "there is no command dance");
	assert_wrong("target", "there is no command target; did you mean targets?");
	assert_wrong("credentials", "say what to do with credentials");
	assert_wrong("credentials dance", "there is no command credentials dance");
	assert_wrong("status more", "usage: countersignctl status");
	assert_wrong("drop", "usage: countersignctl drop TSIH");
	assert_wrong("credentials set T",
		"usage: countersignctl credentials set SCOPE INITIATOR [OPTION...]");
	assert_wrong("status -x", "there is no option -x");
	assert_wrong("status -jx", "there is no option -jx");
	assert_wrong("--grace 5m credentials rotate T I", "there is no option --grace");
	assert_wrong("status --mutual", "there is no option --mutual");
	assert_wrong("status --jso", "there is no option --jso; did you mean --json?");
	assert_wrong("status --json=x", "--json takes no value");
	assert_wrong("credentials rotate T I --mutual=x", "--mutual takes no value");
	assert_wrong("credentials rotate T I --grace", "an argument is missing after --grace");
	assert_wrong("-s", "an argument is missing after -s");
	assert_wrong("--socket", "an argument is missing after --socket");
}

static void what_may_have_been_meant_is_named(void **state)
{
	(void)state;
	assert_wrong("statu", "there is no command statu; did you mean status?");
	assert_wrong(
		"credential list", "there is no command credential; did you mean credentials?");
	assert_wrong("help volumes", "there is no command volumes; did you mean volume?");
	assert_wrong("tape lst", "there is no command tape lst; did you mean tape list?");
	assert_wrong("port_group set 1 standby",
		"there is no command port_group; did you mean port-group?");
	assert_wrong("credentials rotate --gracious T I", "there is no option --gracious");
	assert_wrong("credentials rotate --gace=1d T I",
		"there is no option --gace; did you mean --grace?");
	assert_wrong(
		"volume detach --forced V", "there is no option --forced; did you mean --force?");
	assert_wrong("credentials set --secret x T I",
		"there is no option --secret; did you mean --secret-file?");
}

static void there_are_only_so_many_options(void **state)
{
	char text[1024] = "audit";

	(void)state;
	for (int i = 0; i < 6; i++)
		strcat(text,
			" --of=1 --of=2 --of=3 --of=4 --of=5 --of=6 --of=7 --of=8 --of=9 --of=0");
	strcat(text, " --of=1 --of=2 --of=3 --of=4 --of=5");
	assert_wrong(text, "too many options");
}

static void times_have_a_unit(void **state)
{
	static const struct {
		const char *text;
		long seconds;
	} good[] = { { "90", 90 }, { "90s", 90 }, { "5m", 300 }, { "2h", 7200 }, { "1d", 86400 },
		{ "0", 0 } };
	static const char *const bad[] = { "", "m", "5 m", "5min", "-5m", "5M", "1e3",
		"99999999999", "5m5s", "0x10" };
	long seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(credentials_seconds(good[i].text, &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (credentials_seconds(bad[i], &seconds))
			fail_msg("taken: %s", bad[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_of_one_word_and_its_arguments),
		cmocka_unit_test(a_command_of_two_words_and_its_options_in_any_place),
		cmocka_unit_test(options_for_all_stand_anywhere),
		cmocka_unit_test(help_and_version_win),
		cmocka_unit_test(help_is_of_the_command_that_it_stands_with),
		cmocka_unit_test(behind_two_dashes_there_are_no_options),
		cmocka_unit_test(a_dash_alone_is_a_word),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(what_may_have_been_meant_is_named),
		cmocka_unit_test(there_are_only_so_many_options),
		cmocka_unit_test(times_have_a_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

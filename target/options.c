/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command line options, as a table. getopt_long() writes its complaints to stderr by itself, in
 * the words of the C library; we keep it quiet and use our own.
 */
#include "options.h"

#include <getopt.h>
#include <string.h>

#include "version.h"

struct row {
	char letter;
	const char *word;
	const char *argument; /* NULL: takes none */
	const char *help;
};

// clang-format off
static const struct row rows[] = {
	{ 'c', "config", "FILE", "read FILE instead of " OPTIONS_DEFAULT_CONFIG },
	{ 'f', "foreground", NULL, "stay in the foreground and log to stderr" },
	{ 't', "check", NULL, "check the configuration, say all that is wrong with it, and exit" },
	{ 'v', "verbose", NULL, "log more; twice: log what helps to find a fault" },
	{ 'V', "version", NULL, "print the version and exit" },
	{ 'h', "help", NULL, "print this and exit" },
};
// clang-format on
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void print_help(FILE *to)
{
	fputs("usage: countersignd [-ftv] [-c FILE]\n"
	      "Serves disks and tape libraries over iSCSI, with mutual CHAP. See countersignd(8).\n\n",
		to);
	for (size_t i = 0; i < ROWS; i++) {
		char head[32];

		snprintf(head, sizeof(head), "-%c, --%s%s%s", rows[i].letter, rows[i].word,
			rows[i].argument ? " " : "", rows[i].argument ? rows[i].argument : "");
		fprintf(to, "  %-20s  %s\n", head, rows[i].help);
	}
}

/* The table in the form that getopt_long() wants. */
static void as_getopt(char letters[static 2 * ROWS + 2], struct option words[static ROWS + 1])
{
	*letters++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < ROWS; i++) {
		*letters++ = rows[i].letter;
		if (rows[i].argument)
			*letters++ = ':';
		words[i] = (struct option){
			.name = rows[i].word,
			.has_arg = rows[i].argument ? required_argument : no_argument,
			.val = rows[i].letter,
		};
	}
	*letters = '\0';
	words[ROWS] = (struct option){ 0 };
}

static enum options_next wrong(FILE *complain, const char *what, const char *text)
{
	fprintf(complain, "countersignd: %s%s%s%s\ncountersignd: --help lists the options\n", what,
		text ? " \"" : "", text ? text : "", text ? "\"" : "");
	return OPTIONS_WRONG;
}

static enum options_next take(struct options *o, int letter, FILE *say)
{
	switch (letter) {
	case 'c':
		o->config = optarg;
		o->config_given = true;
		return OPTIONS_RUN;
	case 'f': o->foreground = true; return OPTIONS_RUN;
	case 't': o->check = true; return OPTIONS_RUN;
	case 'v': o->verbose++; return OPTIONS_RUN;
	case 'V': fputs("countersignd " COUNTERSIGN_VERSION "\n", say); return OPTIONS_SHOWN;
	default: print_help(say); return OPTIONS_SHOWN;
	}
}

enum options_next options_parse(
	int argc, char **argv, struct options *out, FILE *say, FILE *complain)
{
	struct option words[ROWS + 1];
	char letters[2 * ROWS + 2];
	int letter;

	*out = (struct options){ .config = OPTIONS_DEFAULT_CONFIG };
	as_getopt(letters, words);
	opterr = 0;
	optind = 0; /* also forgets an earlier run */
	while ((letter = getopt_long(argc, argv, letters, words, NULL)) != -1) {
		enum options_next next;

		if (letter == ':')
			return wrong(complain, "an argument is missing after", argv[optind - 1]);
		if (letter == '?')
			return wrong(complain, "there is no option", argv[optind - 1]);
		next = take(out, letter, say);
		if (next != OPTIONS_RUN)
			return next;
	}
	if (optind < argc)
		return wrong(complain, "unexpected argument", argv[optind]);
	if (!*out->config)
		return wrong(complain, "the name of the configuration file is empty", NULL);
	return OPTIONS_RUN;
}

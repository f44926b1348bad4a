/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line taken apart: options for all commands, the command (of one or two words), its
 * arguments, and options of its own, which may stand anywhere behind it.
 */
#ifndef CTL_LINE_H
#define CTL_LINE_H

#include "ctl/command.h"

enum line_result {
	LINE_COMMAND, /* line->command is to be run */
	LINE_HELP,    /* of the commands that begin with line->args; of all if there are none */
	LINE_VERSION,
	LINE_WRONG, /* line->why says what is */
};

struct line {
	const struct command *command;
	struct session session;
	const char *topic; /* where help may be found: the first word of some commands; or NULL */
	char **args;       /* of the command; in argv, which has been put in order */
	int n;
	char why[256];
};

/* Takes argv apart, and moves its entries. *out is valid as long as argv. */
enum line_result line_parse(int argc, char **argv, struct line *out);

/* The options that every command takes, ended by one without a name. */
struct line_option {
	char letter;
	const char *name;
	const char *value; /* what it takes, as in the help; NULL: nothing */
	const char *help;  /* lines after the first begin with a newline */
};
extern const struct line_option line_options[];

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of countersignctl, as a table. */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1, /* the server said no */
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3,
};

/* An option of a command: there are long ones alone. A table of them ends with one without a name. */
struct command_option {
	const char *name;
	const char *value; /* what it takes, as in the help; NULL: nothing */
	const char *help;
};

struct command_given {
	const char *name;
	const char *value;
};

#define COMMAND_GIVEN_MAX 64
#define COMMAND_WORDS_MAX 65536 /* where a command takes any number of arguments */

struct session {
	const char *socket;
	bool json; /* print what the server says, as it says it */
	struct command_given given[COMMAND_GIVEN_MAX];
	size_t n_given;
};

/* Whether an option was given; and its value, the last one, or NULL. */
bool command_has(const struct session *s, const char *option);
const char *command_value(const struct session *s, const char *option);

struct command {
	const char *name;      /* one word or two */
	const char *arguments; /* as in the help: "NAME", "[NAME]" */
	int least, most;       /* how many of them */
	const char *help;
	enum exit_status (*run)(const struct session *s, char **args, int n);
	const struct command_option *options; /* NULL: none */
};

extern const struct command commands[];
extern const size_t command_count;

/* The command of these words; NULL: there is none. */
const struct command *command_find(char **words, int n);
/* Whether there is a command that begins with these words and goes on. */
bool command_begins(char **words, int n);
/* Whether this one begins with them; with none, every one does. */
bool command_is_of(const struct command *c, char **words, int n);

#endif

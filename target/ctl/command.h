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

struct session {
	const char *socket;
	bool json; /* print what the server says, as it says it */
};

struct command {
	const char *name;
	const char *arguments; /* as in the help: "NAME", "[NAME]" */
	int least, most;       /* how many of them */
	const char *help;
	enum exit_status (*run)(const struct session *s, char **args, int n);
};

extern const struct command commands[];
extern const size_t command_count;

/* NULL: there is none of this name. */
const struct command *command_find(const char *name);

#endif

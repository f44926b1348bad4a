/* SPDX-License-Identifier: BSD-2-Clause */
/* countersignctl: asks a running countersignd, over its management socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/line.h"
#include "version.h"

/* Where a server's socket is unless somebody says so: the first that is there, or else the last. */
static const char *const usual_places[] = { "/run/countersign/ctl.sock",
	"/var/lib/countersign/ctl.sock" };

/* Where the second column of the help begins. */
#define HELP_COLUMN 24

/* A line of two columns; further lines of the second stand below it. */
static void print_row(const char *head, const char *text)
{
	if (strlen(head) > HELP_COLUMN - 4)
		printf("  %s\n%*s", head, HELP_COLUMN, "");
	else
		printf("  %-*s", HELP_COLUMN - 2, head);
	for (; *text; text++) {
		putchar(*text);
		if (*text == '\n')
			printf("%*s", HELP_COLUMN, "");
	}
	putchar('\n');
}

static void print_command(const struct command *c)
{
	char head[80];

	snprintf(head, sizeof(head), "%s%s%s", c->name, *c->arguments ? " " : "", c->arguments);
	print_row(head, c->help);
	for (const struct command_option *o = c->options; o && o->name; o++) {
		snprintf(head, sizeof(head), "    --%s%s%s", o->name, o->value ? " " : "",
			o->value ? o->value : "");
		print_row(head, o->help);
	}
}

static void print_help(const struct line *line)
{
	char head[80];

	fputs("usage: countersignctl [-s SOCKET] [--json] COMMAND [ARGUMENT...]\n\n", stdout);
	for (size_t i = 0; i < command_count; i++)
		if (command_is_of(&commands[i], line->args, line->n))
			print_command(&commands[i]);
	if (line->n)
		return;
	print_row("help [COMMAND]", "print this, or what is of these commands, and exit");
	fputs("\nA SCOPE is the name of a target, svm:NAME, or discovery. An INITIATOR is its\n"
	      "name, or default, for all that have no row of their own. Secrets are asked\n"
	      "for, or come from standard input or a file. A VOLUME is its name, or that of\n"
	      "its target, if that has no other volume.\n\n",
		stdout);
	for (const struct line_option *o = line_options; o->name; o++) {
		snprintf(head, sizeof(head), "-%c, --%s%s%s", o->letter, o->name,
			o->value ? " " : "", o->value ? o->value : "");
		print_row(head, o->help);
	}
}

static const char *usual_socket(void)
{
	const char *env = getenv("COUNTERSIGN_SOCKET");
	size_t n = sizeof(usual_places) / sizeof(usual_places[0]);

	if (env && *env)
		return env;
	for (size_t i = 0; i < n; i++)
		if (!access(usual_places[i], F_OK) || errno == EACCES)
			return usual_places[i];
	return usual_places[n - 1];
}

static int run(struct line *line)
{
	if (!line->session.socket)
		line->session.socket = usual_socket();
	return (int)line->command->run(&line->session, line->args, line->n);
}

static int do_as_told(enum line_result result, struct line *line)
{
	switch (result) {
	case LINE_COMMAND: return run(line);
	case LINE_HELP: print_help(line); return EXIT_DONE;
	case LINE_VERSION: puts("countersignctl " COUNTERSIGN_VERSION); return EXIT_DONE;
	default: break;
	}
	fprintf(stderr, "countersignctl: %s\ncountersignctl: `countersignctl help%s%s` %s\n",
		line->why, line->topic ? " " : "", line->topic ? line->topic : "",
		line->topic ? "tells more" : "lists the commands");
	return EXIT_USAGE;
}

/* No core dump has the secrets that go through here, and little of what is freed. */
static void keep_secrets(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	client_scrub();
}

int main(int argc, char **argv)
{
	struct line line;
	int status;

	keep_secrets();
	status = do_as_told(line_parse(argc, argv, &line), &line);
	if (fflush(stdout) && status == EXIT_DONE) {
		fprintf(stderr, "countersignctl: standard output: %s\n", strerror(errno));
		return EXIT_REFUSED;
	}
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* countersignctl: asks a running countersignd, over its management socket. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "version.h"

/* Where a server's socket is unless somebody says so: the first that is there. */
static const char *const usual_places[] = { "/run/countersign/ctl.sock",
	"/var/lib/countersign/ctl.sock" };

static void print_help(void)
{
	fputs("usage: countersignctl [-s SOCKET] [--json] COMMAND [ARGUMENT...]\n\n", stdout);
	for (size_t i = 0; i < command_count; i++) {
		char head[40];

		snprintf(head, sizeof(head), "%s%s%s", commands[i].name,
			*commands[i].arguments ? " " : "", commands[i].arguments);
		printf("  %-18s  %s\n", head, commands[i].help);
	}
	puts("  help                print this and exit\n\n"
	     "  -s, --socket FILE   the server's management socket; else $COUNTERSIGN_SOCKET,\n"
	     "                      or /run/countersign/ctl.sock, or "
	     "/var/lib/countersign/ctl.sock\n"
	     "  -j, --json          print what the server answers as it is\n"
	     "  -V, --version       print the version and exit\n"
	     "  -h, --help          print this and exit");
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
	return usual_places[0];
}

static int usage(const char *what, const char *text)
{
	fprintf(stderr,
		"countersignctl: %s%s%s\ncountersignctl: `countersignctl help` lists the "
		"commands\n",
		what, *text ? " " : "", text);
	return EXIT_USAGE;
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct session *s)
{
	static const struct option words[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":s:jVh", words, NULL)) != -1) {
		switch (letter) {
		case 's': s->socket = optarg; break;
		case 'j': s->json = true; break;
		case 'V': puts("countersignctl " COUNTERSIGN_VERSION); return EXIT_DONE;
		case 'h': print_help(); return EXIT_DONE;
		case ':': return usage("an argument is missing after", argv[optind - 1]);
		default: return usage("there is no option", argv[optind - 1]);
		}
	}
	return -1;
}

static int run(const struct session *s, char **words, int n)
{
	const struct command *c = command_find(words[0]);

	if (!strcmp(words[0], "help")) {
		print_help();
		return EXIT_DONE;
	}
	if (!c)
		return usage("there is no command", words[0]);
	if (n - 1 < c->least || n - 1 > c->most) {
		fprintf(stderr, "usage: countersignctl %s%s%s\n", c->name, *c->arguments ? " " : "",
			c->arguments);
		return EXIT_USAGE;
	}
	return (int)c->run(s, words + 1, n - 1);
}

int main(int argc, char **argv)
{
	struct session s = { .socket = NULL };
	int status = read_options(argc, argv, &s);

	if (status >= 0)
		return status;
	if (optind == argc)
		return usage("say what to do", "");
	if (!s.socket)
		s.socket = usual_socket();
	status = run(&s, argv + optind, argc - optind);
	if (fflush(stdout) && status == EXIT_DONE) {
		fprintf(stderr, "countersignctl: standard output: %s\n", strerror(errno));
		return EXIT_REFUSED;
	}
	return status;
}

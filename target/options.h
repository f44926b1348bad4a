/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of countersignd: one table of options, from which the parser, the help text
 * and the manual page's test are fed.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#define OPTIONS_DEFAULT_CONFIG "/etc/countersign/countersign.conf"

struct options {
	const char *config; /* OPTIONS_DEFAULT_CONFIG, or borrowed from argv */
	bool config_given;
	bool foreground;
	bool check;       /* look at the configuration and exit */
	unsigned verbose; /* how often -v was given */
};

enum options_next {
	OPTIONS_RUN,   /* *out is filled */
	OPTIONS_SHOWN, /* what was asked for is on `say`; exit 0 */
	OPTIONS_WRONG, /* why, and a hint, is on `complain`; exit 2 */
};

/* Reads argv (argc of them, the program's name first). */
enum options_next options_parse(
	int argc, char **argv, struct options *out, FILE *say, FILE *complain);

#endif

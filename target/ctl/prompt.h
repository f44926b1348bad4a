/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where secrets come from: the terminal, without an echo; standard input; or a file. Never an
 * argument, which everybody sees in the list of processes and the shell keeps in its history.
 */
#ifndef CTL_PROMPT_H
#define CTL_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#define PROMPT_MAX 512 /* bytes of a secret */

struct prompt_secret {
	char bytes[PROMPT_MAX + 1]; /* with a NUL behind it */
	size_t len;
};

/* All: true, or false after a line on stderr that says why not. The end of line is no part of a
 * secret. */

/* Asks at the terminal, twice. */
bool prompt_ask(const char *what, struct prompt_secret *out);
/* The next line of standard input. */
bool prompt_line(const char *what, struct prompt_secret *out);
/* All of a file, of which a last end of line is no part; "-" is standard input. */
bool prompt_file(const char *path, struct prompt_secret *out);

void prompt_wipe(struct prompt_secret *s);

#endif

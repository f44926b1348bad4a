/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is probably wrong where libconfig knows no more than "syntax error": the slips that people
 * make who come from another file format.
 */
#ifndef CONFIG_HINT_H
#define CONFIG_HINT_H

#include <stddef.h>

/*
 * The slip in the line (from 1) of a text for libconfig (config/input.h) in which that has found an
 * error, or in the last one before it that is not blank: *line is where. NULL: none is known. A hint
 * is a constant sentence and never quotes the text, where a secret may stand without its quotes.
 */
const char *hint_syntax(const char *text, size_t *line);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: one line an event, to stderr (with the sd-daemon priority prefix
 * under systemd) or to syslog. The level and the sink are set by main before the
 * other threads start; any thread may log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

enum log_sink { LOG_TO_STDERR, LOG_TO_SYSLOG };

/* Sets where lines go and the highest syslog priority (LOG_ERR … LOG_DEBUG) that is
 * written, and looks what stderr is. Called by main before threads start, and on reload (level
 * only changes). */
void log_setup(enum log_sink to, int level);

/* Whether a line of this priority would be written: guard for costly arguments. */
bool log_on(int priority);

/* Writes one line; no newline in fmt. Never fails, never blocks for long, keeps errno. */
void log_msg(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for a quoted peer text: at most LOG_QUOTE_MAX bytes of it are shown. */
#define LOG_QUOTE_MAX 256
struct log_quoted {
	char text[LOG_QUOTE_MAX + 8];
};

/* Text that a peer sent, in double quotes, with control characters, quotes, backslashes
 * and non-ASCII bytes as \xNN or \n; cut with "..." where it is long. Writes into *q and
 * gives q->text, so that it can stand as an argument of log_msg. */
const char *log_quote(const char *text, size_t len, struct log_quoted *q);

#endif

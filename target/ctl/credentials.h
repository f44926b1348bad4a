/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands about credentials. */
#ifndef CTL_CREDENTIALS_H
#define CTL_CREDENTIALS_H

#include "ctl/command.h"

extern const struct command_option credentials_set_options[];
extern const struct command_option credentials_rotate_options[];

enum exit_status credentials_list(const struct session *s, char **args, int n);
enum exit_status credentials_set(const struct session *s, char **args, int n);
enum exit_status credentials_delete(const struct session *s, char **args, int n);
enum exit_status credentials_rotate(const struct session *s, char **args, int n);

/* "90", "90s", "5m", "2h" or "1d" as seconds; false for anything else. */
bool credentials_seconds(const char *text, long *out);

#endif

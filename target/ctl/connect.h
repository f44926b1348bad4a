/* SPDX-License-Identifier: BSD-2-Clause */
/* The command that says how a host logs in to a target. */
#ifndef CTL_CONNECT_H
#define CTL_CONNECT_H

#include "ctl/command.h"

extern const struct command_option connect_options[];

enum exit_status connect_run(const struct session *s, char **args, int n);

#endif

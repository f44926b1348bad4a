/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands audit and rekey. */
#ifndef CTL_AUDIT_H
#define CTL_AUDIT_H

#include "ctl/command.h"

extern const struct command_option audit_options[];

enum exit_status audit_list(const struct session *s, char **args, int n);
enum exit_status audit_rekey(const struct session *s, char **args, int n);

#endif

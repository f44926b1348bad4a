/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands about port groups. */
#ifndef CTL_PORT_GROUPS_H
#define CTL_PORT_GROUPS_H

#include "ctl/command.h"

enum exit_status port_group_list(const struct session *s, char **args, int n);
enum exit_status port_group_set(const struct session *s, char **args, int n);

#endif

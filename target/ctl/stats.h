/* SPDX-License-Identifier: BSD-2-Clause */
/* countersignctl stats. */
#ifndef CTL_STATS_H
#define CTL_STATS_H

#include <jansson.h>

#include "ctl/command.h"

/* What iSCSI has done, as lines. */
void stats_print_traffic(const json_t *iscsi);

enum exit_status stats_show(const struct session *s, char **args, int n);

#endif

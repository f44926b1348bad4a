/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures in the native API. */
#ifndef MGMT_NATIVE_STATS_H
#define MGMT_NATIVE_STATS_H

#include "mgmt/native.h"

/* What iSCSI has done since the start, and what there is of it now. NULL: memory is out. */
json_t *native_traffic(const struct iscsi_counters *n);

/* /v1/stats: what grows, so that two calls tell a rate, and what it costs. */
void native_get_stats(struct call *c);

#endif

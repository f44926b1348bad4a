/* SPDX-License-Identifier: BSD-2-Clause */
/* /v1/port-groups: portal groups, which are target port groups, and their access states. */
#ifndef MGMT_NATIVE_PORT_GROUPS_H
#define MGMT_NATIVE_PORT_GROUPS_H

#include "mgmt/native.h"

void native_get_port_groups(struct call *c);
void native_set_port_group(struct call *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* /v1/volumes: disks that are made, changed and removed while the server runs. */
#ifndef MGMT_NATIVE_VOLUMES_H
#define MGMT_NATIVE_VOLUMES_H

#include "mgmt/native.h"

void native_get_volumes(struct call *c);
void native_create_volume(struct call *c);
void native_get_volume(struct call *c);
void native_resize_volume(struct call *c);
void native_delete_volume(struct call *c);
void native_attach_volume(struct call *c);
void native_detach_volume(struct call *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an initiator has to know to log in to a target: portals, names, digests, and, for those alone
 * who could read them anyway, secrets.
 */
#ifndef MGMT_NATIVE_CONNECT_H
#define MGMT_NATIVE_CONNECT_H

#include "mgmt/native.h"

/* GET /v1/targets/{name}/connect?initiator=NAME: all of it without secrets. */
void native_get_connect(struct call *c);

/* POST, with {"initiator": NAME}: with secrets too, for root and the server's own user on the
 * management socket. It is in the audit before the answer is sent. */
void native_post_connect(struct call *c);

#endif

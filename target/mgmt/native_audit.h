/* SPDX-License-Identifier: BSD-2-Clause */
/* The audit and the key of the catalog in the native API. */
#ifndef MGMT_NATIVE_AUDIT_H
#define MGMT_NATIVE_AUDIT_H

#include "mgmt/native.h"

#define NATIVE_AUDIT_MAX 1000 /* entries that one call gives at most */

void native_get_audit(struct call *c);
void native_post_rekey(struct call *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials in the native API. Secrets go in; none comes out again but the ones made here, once. */
#ifndef MGMT_NATIVE_CREDENTIALS_H
#define MGMT_NATIVE_CREDENTIALS_H

#include "mgmt/native.h"

#define NATIVE_GRACE_MAX (30 * 86400) /* seconds */

/* All rows there are. */
void native_get_credentials(struct call *c);

/* The same five for each kind of scope. */
#define NATIVE_CREDENTIALS(of) \
	void native_get_credentials_##of(struct call *c); \
	void native_get_credential_##of(struct call *c); \
	void native_put_credential_##of(struct call *c); \
	void native_delete_credential_##of(struct call *c); \
	void native_rotate_credential_##of(struct call *c);

NATIVE_CREDENTIALS(of_target)
NATIVE_CREDENTIALS(of_svm)
NATIVE_CREDENTIALS(of_discovery)

#endif

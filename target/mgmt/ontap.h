/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ONTAP REST API, as far as its clients need it to keep iSCSI credentials: the cluster, the
 * SVM, its iSCSI service and the credentials. What else that API has is not found here.
 */
#ifndef MGMT_ONTAP_H
#define MGMT_ONTAP_H

#include "mgmt/call.h"
#include "registry.h"

#define ONTAP_UUID_SIZE 37 /* of the text form, NUL included */

/* What its functions work on: the context of its calls. */
struct ontap {
	struct registry *registry;
	/* Identities that are in the catalog; once asked for, here. "" before. */
	char cluster_uuid[ONTAP_UUID_SIZE];
	char svm_uuid[ONTAP_UUID_SIZE];
	char svm_name[65]; /* whose it is */
};

static inline struct ontap *ontap_of(const struct call *c)
{
	return call_context(c);
}

extern const struct dialect ontap_dialect;

#endif

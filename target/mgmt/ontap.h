/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ONTAP REST API, as far as its clients need it to keep iSCSI credentials: the cluster, the
 * SVMs, their iSCSI services and the credentials. What else that API has is not found here.
 */
#ifndef MGMT_ONTAP_H
#define MGMT_ONTAP_H

#include "mgmt/call.h"
#include "mgmt/uuid.h"
#include "registry/registry.h"

struct ontap_svm;

/* What its functions work on: the context of its calls. */
struct ontap {
	struct registry *registry;
	/* Identities that are in the catalog; once asked for, here. "" before. */
	char cluster_uuid[UUID_SIZE];
	struct ontap_svm *svms;
	size_t n_svms;
};

/* Frees what is in it. */
void ontap_end(struct ontap *o);

/* The user of a call that has been admitted. Borrowed until the loop turns. */
const struct config_user *ontap_user(struct call *c);

static inline struct ontap *ontap_of(const struct call *c)
{
	return call_context(c);
}

extern const struct dialect ontap_dialect;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The SVMs of the ONTAP REST API, their iSCSI services, and the identities that never change. */
#ifndef MGMT_ONTAP_SVM_H
#define MGMT_ONTAP_SVM_H

#include "mgmt/ontap.h"
#include "mgmt/ontap_call.h"

struct ontap_svm {
	char name[65];
	char uuid[UUID_SIZE];
};

/* Those that a call sees, in the order of their names: all, but for an account of one SVM, and for a
 * call that a header narrows to one. */
struct ontap_svms {
	struct ontap_svm *v;
	size_t n;
};
/* False: the call has been refused, as the catalog cannot tell their uuids. */
bool ontap_svms(struct call *c, struct ontap_svms *out);
void ontap_svms_free(struct ontap_svms *svms);

/* The one whose uuid is a segment of the path; or NULL, and *why says so as for a change, or as for
 * a GET. Borrowed from the list, here and below. */
const struct ontap_svm *ontap_svm_of_change(
	const struct ontap_svms *svms, const char *uuid, struct ontap_fault *why);
const struct ontap_svm *ontap_svm_of_get(
	const struct ontap_svms *svms, const char *uuid, struct ontap_fault *why);
/* The one that a body names, by either or by both; NULL: not given. Where it names none,
 * the only one that the call can mean. */
const struct ontap_svm *ontap_svm_of_body(struct call *c, const struct ontap_svms *svms,
	const char *uuid, const char *name, struct ontap_fault *why);

/* {"uuid": …, "name": …}; NULL: memory is out. */
json_t *ontap_svm_json(const struct ontap_svm *svm);
/* Adds the link of the "svm" in a record as it is shown, if it has its uuid. */
bool ontap_svm_link(json_t *record);

/* The uuid of the cluster; NULL: the call has been refused. */
const char *ontap_cluster_uuid(struct call *c);

void ontap_get_svms(struct call *c);
void ontap_get_svm(struct call *c);
void ontap_get_services(struct call *c);
void ontap_get_service(struct call *c);

#endif

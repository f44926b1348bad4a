/* SPDX-License-Identifier: BSD-2-Clause */
/* The SVM of the ONTAP REST API, its iSCSI service, and the identities that never change. */
#ifndef MGMT_ONTAP_SVM_H
#define MGMT_ONTAP_SVM_H

#include "mgmt/ontap.h"
#include "mgmt/ontap_call.h"

struct ontap_svm {
	const char *name; /* borrowed from the configuration: until the loop turns */
	const char *uuid;
	bool hidden; /* a header of the call narrows it to another SVM */
};

/* The SVM that there is. False: the call has been refused, as the catalog cannot tell its uuid. */
bool ontap_svm(struct call *c, struct ontap_svm *out);
/* Whether the segment of a path is the uuid of an SVM that the call sees. If not *why says so as
 * for a change; ontap_svm_of_get() as for a GET. */
bool ontap_svm_is(const struct ontap_svm *svm, const char *uuid, struct ontap_fault *why);
bool ontap_svm_of_get(const struct ontap_svm *svm, const char *uuid, struct ontap_fault *why);
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

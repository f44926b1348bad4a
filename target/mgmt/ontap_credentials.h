/* SPDX-License-Identifier: BSD-2-Clause */
/* /api/protocols/san/iscsi/credentials: the rows of the SVM in the credential table. */
#ifndef MGMT_ONTAP_CREDENTIALS_H
#define MGMT_ONTAP_CREDENTIALS_H

#include "mgmt/call.h"

void ontap_get_credentials(struct call *c);
void ontap_get_credential(struct call *c);

/* ontap_credentials_change.c */
void ontap_post_credentials(struct call *c);
void ontap_patch_credential(struct call *c);
void ontap_delete_credential(struct call *c);
/* Of all rows that the query chooses, at once. */
void ontap_patch_credentials(struct call *c);
void ontap_delete_credentials(struct call *c);

#endif

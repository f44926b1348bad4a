/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking at credentials. */
#include "mgmt/ontap_credentials.h"

#include <event2/http.h>

#include "mgmt/ontap_row.h"

static void reply_rows(struct call *c, const struct query *q, const struct ontap_svms *svms)
{
	struct query_source source;
	struct ontap_rows rows;

	if (ontap_rows_gather(&rows, ontap_of(c)->registry, svms, q, &source))
		ontap_reply_page(c, q, &source, ontap_row_link);
	else
		call_no_memory(c);
	ontap_rows_free(&rows);
}

void ontap_get_credentials(struct call *c)
{
	struct ontap_svms svms;
	struct query *q;

	if (!ontap_query(c, &ontap_row_shape, QUERY_FIELDS | QUERY_COLLECTION | QUERY_RECORDS, &q))
		return;
	if (ontap_svms(c, &svms)) {
		reply_rows(c, q, &svms);
		ontap_svms_free(&svms);
	}
	query_free(q);
}

static void reply_row(struct call *c, const struct query *q, const struct ontap_svms *svms)
{
	struct ontap_fault why = { 0 };
	const struct ontap_svm *svm = ontap_svm_of_get(svms, call_argument(c, 0), &why);
	struct credential_spec fallback;
	const struct credential_spec *row =
		svm ? ontap_row_find(ontap_of(c)->registry, svm, call_argument(c, 1), &fallback)
		    : NULL;

	if (svm && !row)
		ontap_fault(&why, HTTP_NOTFOUND, "4", "initiator", "entry doesn't exist");
	if (row)
		ontap_reply_one(c, q, ontap_row_json(svm, row), ontap_row_link);
	else
		ontap_refuse(c, &why);
}

void ontap_get_credential(struct call *c)
{
	struct ontap_svms svms;
	struct query *q;

	if (!ontap_query(c, &ontap_row_shape, QUERY_FIELDS, &q))
		return;
	if (ontap_svms(c, &svms)) {
		reply_row(c, q, &svms);
		ontap_svms_free(&svms);
	}
	query_free(q);
}

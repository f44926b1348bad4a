/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of each SVM in the credential table as records of the ONTAP REST API, with the one for all
 * others ("default"), which is always there: where the table has none it is a row that asks for
 * nothing.
 */
#ifndef MGMT_ONTAP_ROW_H
#define MGMT_ONTAP_ROW_H

#include "mgmt/ontap_svm.h"

#define ONTAP_ROW_PATH "/api/protocols/san/iscsi/credentials"

extern const struct query_shape ontap_row_shape;
/* What a row is made of that is not there yet. */
extern const struct credential_spec ontap_row_new;

bool ontap_row_is_default(const char *initiator);

/* The row, or what "default" is without one, which is put in *fallback; NULL: there is none. */
const struct credential_spec *ontap_row_find(const struct registry *r, const struct ontap_svm *svm,
	const char *initiator, struct credential_spec *fallback);

/* A whole record, without passwords and links. NULL: memory is out. */
json_t *ontap_row_json(const struct ontap_svm *svm, const struct credential_spec *row);
/* Adds links to a record as it is shown. False: memory is out. */
bool ontap_row_link(json_t *record);

/* --- rows to choose from ---------------------------------------------------------------------- */

struct ontap_row;

/* In the order of their places. */
struct ontap_rows {
	const struct ontap_svms *svms;
	struct registry_rows *stored;      /* of each SVM */
	struct credential_spec *fallbacks; /* "default" of each, where the table has none */
	struct ontap_row *v;
	size_t n;
	bool failed; /* memory is out */
};

/* All rows that a query may be about, for as long as *rows is there, which ontap_rows_free() ends in
 * any case. False: memory is out. */
bool ontap_rows_gather(struct ontap_rows *rows, const struct registry *r,
	const struct ontap_svms *svms, const struct query *q, struct query_source *out);
void ontap_rows_free(struct ontap_rows *rows);

#endif

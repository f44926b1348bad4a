/* SPDX-License-Identifier: BSD-2-Clause */
/* What the resources of the ONTAP REST API have in common: refusals, queries, links, envelopes. */
#ifndef MGMT_ONTAP_CALL_H
#define MGMT_ONTAP_CALL_H

#include "mgmt/call.h"
#include "mgmt/ontap_query.h"

/* Why a request cannot be: an HTTP status, a code and a sentence of the API, and the member that is
 * at fault or "". */
struct ontap_fault {
	int status; /* 0: memory is out */
	const char *code;
	char target[64];
	char text[256];
};

/* Fills *why; false, for its caller to return. `target` may be NULL. */
bool ontap_fault(struct ontap_fault *why, int status, const char *code, const char *target,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* {"error": {"message": …, "code": …, "target": …}}; NULL: memory is out. */
json_t *ontap_error(const char *code, const char *target, const char *text);
void ontap_refuse(struct call *c, const struct ontap_fault *why);

/* Reads the query of a call; false: the call has been refused. */
bool ontap_query(
	struct call *c, const struct query_shape *shape, unsigned takes, struct query **out);

/* Whether the answer is to have links: whoever accepts application/json alone wants none. */
bool ontap_links(const struct call *c);
/* Sets _links.self.href of an object. False: memory is out. */
bool ontap_link(json_t *object, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Answers with a page of a collection. link() adds links to a record as it is shown. */
void ontap_reply_page(struct call *c, const struct query *q, const struct query_source *s,
	bool (*link)(json_t *record));
/* Answers with one record, which is taken over; NULL stands for memory that ran out. */
void ontap_reply_one(
	struct call *c, const struct query *q, json_t *record, bool (*link)(json_t *record));

#endif

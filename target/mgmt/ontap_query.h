/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The query language of the ONTAP REST API: which records of a collection are asked for, which of
 * their members, in which order and how many at a time. Works on records as JSON; pure.
 *
 *	fields=svm,chap.inbound.user   members to show; "*" all
 *	MEMBER=VALUE                   records whose member has the value, which may be
 *	                               a|b (or), *x* (wildcard), !x (not), <x <=x >x >=x, x..y (range,
 *	                               both ends), null, or "x" (as it stands)
 *	order_by=MEMBER desc,MEMBER    by default the order of the collection
 *	max_records=N                  as much as one answer holds; its `next` has the rest
 *	return_records=false           their number alone
 *	return_timeout=0..120          checked and of no effect: nothing here takes time
 */
#ifndef MGMT_ONTAP_QUERY_H
#define MGMT_ONTAP_QUERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* --- what may be asked for ------------------------------------------------------------------ */

/* A member that holds a value, not an object; in an array of objects, that of each. */
struct query_leaf {
	const char *path; /* "chap.inbound.user" */
	bool always;      /* shown also when nobody asks for it */
	bool fold;        /* compared without regard to case */
};

struct query_shape {
	const struct query_leaf *leaves;
	size_t n;
	size_t key; /* the leaf that the collection is ordered by */
};

/* Which arguments a call takes, beside return_timeout. */
enum query_takes {
	QUERY_FIELDS = 1,     /* fields, max_records: without it all is one page */
	QUERY_COLLECTION = 2, /* filters; with fields also order_by and where to go on */
	QUERY_RECORDS = 4,    /* return_records */
	QUERY_ADDRESSES = 8,  /* add_initiator_addresses, remove_initiator_addresses */
};

/* Why a query is refused: the code and sentence of the API, and the argument or "". */
struct query_fault {
	const char *code; /* NULL: memory is out */
	char text[256];
	char target[64];
};

struct query;

/* Reads what follows the "?" of a request; NULL is an empty query. `shape` is borrowed. False, and
 * *why, when it cannot be. */
bool query_parse(const char *text, const struct query_shape *shape, unsigned takes,
	struct query **out, struct query_fault *why);
void query_free(struct query *q);

/* return_records, or `otherwise` where it is not given. */
bool query_wants_records(const struct query *q, bool otherwise);
bool query_chooses(const struct query *q); /* whether there is a filter */
bool query_adds(const struct query *q);    /* add_initiator_addresses=true */
bool query_removes(const struct query *q); /* remove_initiator_addresses=true */

/* The one value that the member must have, where the query says so without any operator; or NULL.
 * Borrowed from q. For finding a record without looking at all. */
const char *query_exactly(const struct query *q, const char *path);

/* --- answering ------------------------------------------------------------------------------ */

/* The records there are, in the order of their places, no two of which are equal. */
struct query_source {
	size_t n;
	const char *(*key)(void *arg, size_t i); /* borrowed while the source lives */
	json_t *(*record)(void *arg, size_t i);  /* the whole record; NULL: memory is out */
	void *arg;
	const char *(*place)(void *arg, size_t i); /* as key; NULL: the key is the place */
};

struct query_page {
	json_t *records; /* what was asked for of each; the caller's */
	size_t n;        /* of records; of all that match if their number alone is asked for */
	char *next;      /* the query for the rest, or NULL: that was all. The caller's to free */
};

/* False: memory is out. */
bool query_run(const struct query *q, const struct query_source *s, struct query_page *out);

/* The members that are asked for, of one whole record. New; NULL: memory is out. */
json_t *query_show(const struct query *q, const json_t *record);

#endif

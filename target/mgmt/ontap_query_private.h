/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of a query: for ontap_query.c, which reads it, ontap_query_match.c, which holds records
 * against it, and ontap_query_page.c, which answers it. */
#ifndef MGMT_ONTAP_QUERY_PRIVATE_H
#define MGMT_ONTAP_QUERY_PRIVATE_H

#include <stdint.h>

#include "mgmt/ontap_query.h"

#define FILTERS_MAX    64
#define ORDERS_MAX     8
#define PATH_MAX_BYTES 128

/* The values that a member may have; they point into the query's text. */
struct filter {
	size_t leaf;
	const char *values; /* with a NUL behind each */
	size_t n;
	bool literal; /* the one value was in quotes, and stands for itself */
};

struct order {
	size_t leaf;
	bool descending;
};

struct query {
	const struct query_shape *shape;
	unsigned takes;
	uint32_t shown; /* a bit for each leaf */
	struct filter filters[FILTERS_MAX];
	size_t n_filters;
	struct order orders[ORDERS_MAX];
	size_t n_orders;
	unsigned long max_records;
	bool add, remove, records_given, records;
	/* The place behind which to go on; with an order, the rank, as JSON and read. */
	const char *start;
	json_t *after;
	char *text; /* the decoded arguments, which all of the above point into */
	char *rest; /* the query as it came, but for `start` */
};

bool query_find_leaf(const struct query_shape *shape, const char *path, size_t *out);

/* --- ontap_query_match.c ---------------------------------------------------------------------- */

/* Something that has values: a record, or a key that stands for one. */
struct query_holder {
	const json_t *record; /* or NULL */
	const char *key;
};
/* Whether all filters hold; with a key alone, those on it. */
bool query_matches(const struct query *q, const struct query_holder *h);
/* Calls fn for every value at the path until it gives true; gives whether it did. */
bool query_any_value(
	const json_t *j, const char *path, bool (*fn)(void *arg, const char *text), void *arg);
/* As strcmp(): nothing, numbers by their value, addresses by theirs, and all other texts, in this
 * order. */
int query_compare(const char *a, const char *b, bool fold);

#endif

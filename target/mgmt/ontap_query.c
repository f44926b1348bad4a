/* SPDX-License-Identifier: BSD-2-Clause */
/* The query language of the ONTAP REST API: reading it. */
#include "mgmt/ontap_query.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "mgmt/ontap_query_private.h"

#define RECORDS_MAX 10000 /* in one answer */

/* --- faults --------------------------------------------------------------------------------- */

static bool unexpected(struct query_fault *why, const char *name)
{
	why->code = "262179";
	snprintf(why->text, sizeof(why->text), "Unexpected argument \"%.100s\".", name);
	snprintf(why->target, sizeof(why->target), "%.60s", name);
	return false;
}

static bool invalid(struct query_fault *why, const char *name, const char *value)
{
	why->code = "262197";
	snprintf(why->text, sizeof(why->text),
		"The value \"%.100s\" is invalid for field \"%.60s\".", value, name);
	snprintf(why->target, sizeof(why->target), "%.60s", name);
	return false;
}

/* --- arguments ------------------------------------------------------------------------------ */

bool query_find_leaf(const struct query_shape *shape, const char *path, size_t *out)
{
	for (size_t i = 0; i < shape->n; i++) {
		if (strcmp(shape->leaves[i].path, path) != 0)
			continue;
		*out = i;
		return true;
	}
	return false;
}

/* The leaves at or below a path. */
static uint32_t leaves_below(const struct query_shape *shape, const char *path)
{
	size_t len = strlen(path);
	uint32_t set = 0;

	if (len > 2 && !strcmp(path + len - 2, ".*"))
		len -= 2;
	for (size_t i = 0; i < shape->n; i++) {
		const char *leaf = shape->leaves[i].path;

		if (!strncmp(leaf, path, len) && (!leaf[len] || leaf[len] == '.'))
			set |= UINT32_C(1) << i;
	}
	return set;
}

static bool read_fields(struct query *q, char *value, struct query_fault *why)
{
	char *save = NULL;

	for (char *f = strtok_r(value, ", ", &save); f; f = strtok_r(NULL, ", ", &save)) {
		uint32_t set = leaves_below(q->shape, f);

		if (!strcmp(f, "*") || !strcmp(f, "**"))
			set = UINT32_MAX;
		if (!set)
			return invalid(why, "fields", f);
		q->shown |= set;
	}
	return true;
}

/* "initiator desc" */
static bool read_order(struct query *q, char *text, struct query_fault *why)
{
	struct order *o = &q->orders[q->n_orders];
	char *save = NULL, *path = strtok_r(text, " ", &save), *way = strtok_r(NULL, " ", &save);

	if (!path || q->n_orders == ORDERS_MAX || !query_find_leaf(q->shape, path, &o->leaf) ||
		(way && strcasecmp(way, "asc") && strcasecmp(way, "desc")))
		return invalid(why, "order_by", path ? path : "");
	o->descending = way && !strcasecmp(way, "desc");
	q->n_orders++;
	return true;
}

static bool read_orders(struct query *q, char *value, struct query_fault *why)
{
	char *save = NULL;

	if (!*value)
		return invalid(why, "order_by", value);
	for (char *o = strtok_r(value, ",", &save); o; o = strtok_r(NULL, ",", &save))
		if (!read_order(q, o, why))
			return false;
	return true;
}

/* Decimal, of at most nine digits. */
static bool read_number(
	const char *text, unsigned long least, unsigned long most, unsigned long *out)
{
	size_t len = strlen(text);

	if (!len || len > 9 || strspn(text, "0123456789") != len)
		return false;
	*out = strtoul(text, NULL, 10);
	return *out >= least && *out <= most;
}

static bool read_max_records(struct query *q, char *value, struct query_fault *why)
{
	if (!read_number(value, 1, 999999999, &q->max_records))
		return invalid(why, "max_records", value);
	if (q->max_records > RECORDS_MAX)
		q->max_records = RECORDS_MAX;
	return true;
}

static bool read_timeout(struct query *q, char *value, struct query_fault *why)
{
	unsigned long seconds;

	(void)q;
	return read_number(value, 0, 120, &seconds) || invalid(why, "return_timeout", value);
}

static bool read_bool(const char *text, bool *out)
{
	*out = !strcasecmp(text, "true");
	return *out || !strcasecmp(text, "false");
}

static bool read_return_records(struct query *q, char *value, struct query_fault *why)
{
	q->records_given = true;
	return read_bool(value, &q->records) || invalid(why, "return_records", value);
}

static bool exclusive(const struct query *q, struct query_fault *why)
{
	if (!q->add || !q->remove)
		return true;
	why->code = "262186";
	snprintf(why->text, sizeof(why->text),
		"Field \"add_initiator_addresses\" cannot be used "
		"with field \"remove_initiator_addresses\".");
	strcpy(why->target, "remove_initiator_addresses");
	return false;
}

static bool read_add(struct query *q, char *value, struct query_fault *why)
{
	return (read_bool(value, &q->add) || invalid(why, "add_initiator_addresses", value)) &&
	       exclusive(q, why);
}

static bool read_remove(struct query *q, char *value, struct query_fault *why)
{
	return (read_bool(value, &q->remove) ||
		       invalid(why, "remove_initiator_addresses", value)) &&
	       exclusive(q, why);
}

static bool read_start(struct query *q, char *value, struct query_fault *why)
{
	(void)why;
	q->start = value;
	return true;
}

/* "a|b" is two values, and "" one; empty ones beside others are none. */
static void read_values(struct filter *f, char *text)
{
	size_t len = strlen(text);
	char *out = text, *save = NULL;

	f->values = text;
	f->n = !len;
	f->literal = len >= 2 && text[0] == '"' && text[len - 1] == '"';
	if (f->literal) {
		text[len - 1] = '\0';
		f->values = text + 1;
		f->n = 1;
		return;
	}
	for (char *v = strtok_r(text, "|", &save); v; v = strtok_r(NULL, "|", &save)) {
		size_t size = strlen(v) + 1;

		memmove(out, v, size);
		out += size;
		f->n++;
	}
}

static bool read_filter(struct query *q, const char *name, char *value, struct query_fault *why)
{
	struct filter *f = &q->filters[q->n_filters];

	if (!(q->takes & QUERY_COLLECTION) || q->n_filters == FILTERS_MAX ||
		!query_find_leaf(q->shape, name, &f->leaf))
		return unexpected(why, name);
	read_values(f, value);
	q->shown |= UINT32_C(1) << f->leaf;
	q->n_filters++;
	return true;
}

static bool read_argument(struct query *q, const char *name, char *value, struct query_fault *why)
{
	enum { QUERY_PAGES = QUERY_FIELDS | QUERY_COLLECTION };
	// clang-format off
	static const struct {
		const char *name;
		unsigned takes; /* all of these; 0: every call does */
		bool (*read)(struct query *q, char *value, struct query_fault *why);
	} known[] = {
		{ "fields",                     QUERY_FIELDS,     read_fields },
		{ "order_by",                   QUERY_PAGES,      read_orders },
		/* Ansible's na_ontap_rest_info has it also where there is but one record. */
		{ "max_records",                QUERY_FIELDS,     read_max_records },
		{ "start",                      QUERY_PAGES,      read_start },
		{ "return_records",             QUERY_RECORDS,    read_return_records },
		{ "return_timeout",             0,                read_timeout },
		{ "add_initiator_addresses",    QUERY_ADDRESSES,  read_add },
		{ "remove_initiator_addresses", QUERY_ADDRESSES,  read_remove },
	};
	// clang-format on

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, name) && (known[i].takes & q->takes) == known[i].takes)
			return known[i].read(q, value, why);
	return read_filter(q, name, value, why);
}

/* --- text ----------------------------------------------------------------------------------- */

/* In place. What is no escape stands for itself; a NUL ends the text. */
static void decode(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++) {
		int high = *p == '%' ? hex_digit(p[1]) : -1;
		int low = high >= 0 ? hex_digit(p[2]) : -1;

		if (low >= 0) {
			*out++ = (char)(high << 4 | low);
			p += 2;
		} else {
			*out++ = (char)(*p == '+' ? ' ' : *p);
		}
	}
	*out = '\0';
}

static bool read_arguments(struct query *q, struct query_fault *why)
{
	char *save = NULL;

	for (char *a = strtok_r(q->text, "&", &save); a; a = strtok_r(NULL, "&", &save)) {
		char *value = strchr(a, '=');

		if (value)
			*value++ = '\0';
		else
			value = a + strlen(a);
		decode(a);
		decode(value);
		if (!read_argument(q, a, value, why))
			return false;
	}
	return true;
}

/* With an order, `start` is the rank of a record (ontap_query_page.c). */
static bool read_rank(struct query *q, struct query_fault *why)
{
	size_t n = 0;

	if (!q->start || !q->n_orders)
		return true;
	q->after = json_loads(q->start, 0, NULL);
	while (json_is_string(json_array_get(q->after, n)))
		n++;
	if (n == q->n_orders + 1 && n == json_array_size(q->after))
		return true;
	return invalid(why, "start", q->start);
}

/* The query as it came, without where to start. */
static char *without_start(const char *text)
{
	char *rest = calloc(1, strlen(text) + 1), *out = rest;

	while (rest && *text) {
		size_t len = strcspn(text, "&");

		if (len && strncmp(text, "start=", 6) != 0) {
			if (out != rest)
				*out++ = '&';
			memcpy(out, text, len);
			out += len;
		}
		text += len;
		text += *text == '&';
	}
	return rest;
}

bool query_parse(const char *text, const struct query_shape *shape, unsigned takes,
	struct query **out, struct query_fault *why)
{
	struct query *q = calloc(1, sizeof(*q));
	bool ok;

	*why = (struct query_fault){ 0 };
	if (!q)
		return false;
	q->shape = shape;
	q->takes = takes;
	/* What is to be changed is not cut into pages. */
	q->max_records = takes & QUERY_FIELDS ? RECORDS_MAX : ULONG_MAX;
	for (size_t i = 0; i < shape->n; i++)
		if (shape->leaves[i].always)
			q->shown |= UINT32_C(1) << i;
	q->text = strdup(text ? text : "");
	q->rest = without_start(text ? text : "");
	ok = q->text && q->rest && read_arguments(q, why) && read_rank(q, why);
	if (ok)
		*out = q;
	else
		query_free(q);
	return ok;
}

void query_free(struct query *q)
{
	if (!q)
		return;
	json_decref(q->after);
	free(q->text);
	free(q->rest);
	free(q);
}

bool query_wants_records(const struct query *q, bool otherwise)
{
	return q->records_given ? q->records : otherwise;
}

bool query_chooses(const struct query *q)
{
	return q->n_filters;
}

bool query_adds(const struct query *q)
{
	return q->add;
}

bool query_removes(const struct query *q)
{
	return q->remove;
}

const char *query_exactly(const struct query *q, const char *path)
{
	for (size_t i = 0; i < q->n_filters; i++) {
		const struct filter *f = &q->filters[i];

		if (!strcmp(q->shape->leaves[f->leaf].path, path) && f->n == 1 && *f->values &&
			!f->literal && !strpbrk(f->values, "*!<>\"") && !strstr(f->values, "..") &&
			strcmp(f->values, "null"))
			return f->values;
	}
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The query language of the ONTAP REST API. */
#include "mgmt/ontap_query.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

#define RECORDS_MAX    10000 /* in one answer */
#define FILTERS_MAX    64
#define ORDERS_MAX     8
#define PATH_MAX_BYTES 128

struct filter {
	size_t leaf;
	char *value; /* points into the query's text */
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
	const char
		*start; /* place behind which to go on; with an order, how many records to pass */
	char *text;        /* the decoded arguments, which all of the above point into */
	char *rest;        /* the query as it came, but for `start` */
};

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

static bool find_leaf(const struct query_shape *shape, const char *path, size_t *out)
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

	if (!path || q->n_orders == ORDERS_MAX || !find_leaf(q->shape, path, &o->leaf) ||
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

static bool read_filter(struct query *q, const char *name, char *value, struct query_fault *why)
{
	struct filter *f = &q->filters[q->n_filters];

	if (!(q->takes & QUERY_COLLECTION) || q->n_filters == FILTERS_MAX ||
		!find_leaf(q->shape, name, &f->leaf))
		return unexpected(why, name);
	f->value = value;
	q->shown |= UINT32_C(1) << f->leaf;
	q->n_filters++;
	return true;
}

static bool read_argument(struct query *q, const char *name, char *value, struct query_fault *why)
{
	// clang-format off
	static const struct {
		const char *name;
		unsigned takes; /* 0: every call does */
		bool (*read)(struct query *q, char *value, struct query_fault *why);
	} known[] = {
		{ "fields",                     QUERY_FIELDS,     read_fields },
		{ "order_by",                   QUERY_COLLECTION, read_orders },
		/* Ansible's na_ontap_rest_info has it also where there is but one record. */
		{ "max_records",                QUERY_FIELDS,     read_max_records },
		{ "start",                      QUERY_COLLECTION, read_start },
		{ "return_records",             QUERY_RECORDS,    read_return_records },
		{ "return_timeout",             0,                read_timeout },
		{ "add_initiator_addresses",    QUERY_ADDRESSES,  read_add },
		{ "remove_initiator_addresses", QUERY_ADDRESSES,  read_remove },
	};
	// clang-format on

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, name) && (!known[i].takes || known[i].takes & q->takes))
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
	q->max_records = RECORDS_MAX;
	for (size_t i = 0; i < shape->n; i++)
		if (shape->leaves[i].always)
			q->shown |= UINT32_C(1) << i;
	q->text = strdup(text ? text : "");
	q->rest = without_start(text ? text : "");
	ok = q->text && q->rest && read_arguments(q, why);
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
		const char *value = q->filters[i].value;

		if (!strcmp(q->shape->leaves[q->filters[i].leaf].path, path) && *value &&
			!strpbrk(value, "|*!<>\"") && !strstr(value, "..") && strcmp(value, "null"))
			return value;
	}
	return NULL;
}

/* --- values --------------------------------------------------------------------------------- */

static bool both_numbers(const char *a, const char *b)
{
	return *a && *b && strlen(a) < 19 && strlen(b) < 19 && !a[strspn(a, "0123456789")] &&
	       !b[strspn(b, "0123456789")];
}

static int compare(const char *a, const char *b, bool fold)
{
	uint8_t x[16] = { 0 }, y[16] = { 0 };

	if (both_numbers(a, b)) {
		unsigned long long m = strtoull(a, NULL, 10), n = strtoull(b, NULL, 10);

		return (m > n) - (m < n);
	}
	if ((inet_pton(AF_INET, a, x) == 1 && inet_pton(AF_INET, b, y) == 1) ||
		(inet_pton(AF_INET6, a, x) == 1 && inet_pton(AF_INET6, b, y) == 1))
		return memcmp(x, y, sizeof(x));
	return fold ? strcasecmp(a, b) : strcmp(a, b);
}

static bool same_char(char a, char b, bool fold)
{
	return a == b || (fold && strncasecmp(&a, &b, 1) == 0);
}

/* Whether the text is of the pattern, in which a star is any text. Goes back to the last star
 * alone, so that no pattern takes long. */
static bool is_like(const char *pattern, const char *text, bool fold)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern && same_char(*pattern, *text, fold)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

static bool in_range(const char *range, const char *dots, const char *text, bool fold)
{
	char first[256];

	if ((size_t)(dots - range) >= sizeof(first))
		return false;
	memcpy(first, range, (size_t)(dots - range));
	first[dots - range] = '\0';
	return (!*first || compare(text, first, fold) >= 0) &&
	       (!dots[2] || compare(text, dots + 2, fold) <= 0);
}

/* One value, against one alternative without its "!". */
static bool fits(const char *want, const char *text, bool fold)
{
	const char *dots;

	if (want[0] == '<')
		return want[1] == '=' ? compare(text, want + 2, fold) <= 0
				      : compare(text, want + 1, fold) < 0;
	if (want[0] == '>')
		return want[1] == '=' ? compare(text, want + 2, fold) >= 0
				      : compare(text, want + 1, fold) > 0;
	dots = strstr(want, "..");
	if (dots)
		return in_range(want, dots, text, fold);
	if (strchr(want, '*'))
		return is_like(want, text, fold);
	return compare(text, want, fold) == 0;
}

/* --- records -------------------------------------------------------------------------------- */

/* A value as text; short ones go to `room`. NULL: it is null, or none. */
static const char *value_text(const json_t *j, char room[static 32])
{
	if (json_is_string(j))
		return json_string_value(j);
	if (json_is_boolean(j))
		return json_is_true(j) ? "true" : "false";
	if (!json_is_integer(j))
		return NULL;
	snprintf(room, 32, "%lld", (long long)json_integer_value(j));
	return room;
}

/* Calls fn for every value at the path until it gives true; gives whether it did. */
static bool any_value(
	const json_t *j, const char *path, bool (*fn)(void *arg, const char *text), void *arg)
{
	size_t len = strcspn(path, ".");
	char room[32], name[PATH_MAX_BYTES];
	const char *text;

	if (json_is_array(j)) {
		for (size_t i = 0; i < json_array_size(j); i++)
			if (any_value(json_array_get(j, i), path, fn, arg))
				return true;
		return false;
	}
	if (!*path) {
		text = value_text(j, room);
		return text && fn(arg, text);
	}
	if (len >= sizeof(name))
		return false;
	memcpy(name, path, len);
	name[len] = '\0';
	return any_value(json_object_get(j, name), path + len + (path[len] == '.'), fn, arg);
}

struct want {
	const char *text;
	bool fold, literal;
};

static bool value_fits(void *arg, const char *text)
{
	const struct want *w = arg;

	if (!w->text)
		return true;
	return w->literal ? !compare(text, w->text, w->fold) : fits(w->text, text, w->fold);
}

/* Something that has values: a record, or a key that stands for one. */
struct holder {
	const json_t *record; /* or NULL */
	const char *key;
};

static bool has_value(const struct holder *h, const struct query_leaf *leaf, struct want *w)
{
	if (!h->record)
		return value_fits(w, h->key);
	return any_value(h->record, leaf->path, value_fits, w);
}

static bool alternative_holds(
	const struct holder *h, const struct query_leaf *leaf, const char *text)
{
	bool negated = *text == '!';
	struct want w = { .text = text + negated, .fold = leaf->fold };

	if (!strcmp(w.text, "null")) {
		w.text = NULL;
		negated = !negated;
	}
	return has_value(h, leaf, &w) != negated;
}

static bool filter_holds(const struct holder *h, const struct query_leaf *leaf, const char *value)
{
	char text[1024];
	size_t len = strlen(value);
	char *save = NULL;

	if (len >= sizeof(text))
		return false;
	memcpy(text, value, len + 1);
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
		struct want w = { .text = text + 1, .fold = leaf->fold, .literal = true };

		text[len - 1] = '\0';
		return has_value(h, leaf, &w);
	}
	if (!len)
		return alternative_holds(h, leaf, text);
	for (char *a = strtok_r(text, "|", &save); a; a = strtok_r(NULL, "|", &save))
		if (alternative_holds(h, leaf, a))
			return true;
	return false;
}

/* All filters; with a key alone, those on it. */
static bool matches(const struct query *q, const struct holder *h)
{
	for (size_t i = 0; i < q->n_filters; i++) {
		const struct filter *f = &q->filters[i];

		if (!h->record && f->leaf != q->shape->key)
			continue;
		if (!filter_holds(h, &q->shape->leaves[f->leaf], f->value))
			return false;
	}
	return true;
}

/* --- members -------------------------------------------------------------------------------- */

static bool is_shown(const struct query *q, const char *path)
{
	size_t leaf;

	return find_leaf(q->shape, path, &leaf) && q->shown & UINT32_C(1) << leaf;
}

static json_t *show(const struct query *q, const json_t *j, const char *path);

static json_t *show_object(const struct query *q, const json_t *j, const char *path)
{
	json_t *out = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)j, name, value)
	{
		char below[PATH_MAX_BYTES];
		json_t *part;

		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", name);
		part = show(q, value, below);
		if (part && json_object_set_new(out, name, part))
			goto failed;
	}
	if (!*path || json_object_size(out))
		return out;
failed:
	json_decref(out);
	return NULL;
}

static json_t *show_array(const struct query *q, const json_t *j, const char *path)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(j); i++) {
		json_t *part = show(q, json_array_get(j, i), path);

		if (part)
			json_array_append_new(out, part);
	}
	if (json_array_size(out))
		return out;
	json_decref(out);
	return NULL;
}

/* What of j is asked for, or NULL for nothing. As deep as the shape's longest path. */
static json_t *show(const struct query *q, const json_t *j, const char *path)
{
	if (json_is_object(j))
		return show_object(q, j, path);
	if (json_is_array(j))
		return show_array(q, j, path);
	return is_shown(q, path) ? json_deep_copy(j) : NULL;
}

json_t *query_show(const struct query *q, const json_t *record)
{
	return show(q, record, "");
}

/* --- pages ---------------------------------------------------------------------------------- */

/* The place to go on, as an argument of its own. */
static char *next_query(const struct query *q, const char *start)
{
	size_t size = strlen(q->rest) + 3 * strlen(start) + sizeof("&start=");
	char *out = malloc(size), *p = out;

	if (!out)
		return NULL;
	p += sprintf(p, "%s%sstart=", q->rest, *q->rest ? "&" : "");
	for (; *start; start++) {
		bool plain = (*start >= 'a' && *start <= 'z') || (*start >= '0' && *start <= '9') ||
			     *start == '.' || *start == '-';

		p += sprintf(p, plain ? "%c" : "%%%02X", (unsigned char)*start);
	}
	return out;
}

/* The record at i if it matches; NULL if not, or with *failed for want of memory. */
static json_t *take(const struct query *q, const struct query_source *s, size_t i, bool *failed)
{
	struct holder h = { .key = s->key(s->arg, i) };
	json_t *record;

	if (!matches(q, &h))
		return NULL;
	record = s->record(s->arg, i);
	if (!record) {
		*failed = true;
		return NULL;
	}
	h.record = record;
	if (matches(q, &h))
		return record;
	json_decref(record);
	return NULL;
}

static bool put(const struct query *q, struct query_page *page, const json_t *record)
{
	json_t *shown = query_show(q, record);

	if (!shown || json_array_append_new(page->records, shown))
		return false;
	page->n++;
	return true;
}

static const char *place_of(const struct query_source *s, size_t i)
{
	return s->place ? s->place(s->arg, i) : s->key(s->arg, i);
}

/* In the order of places: a page begins behind the last one of the page before, whatever has come or
 * gone meanwhile. */
static bool run_by_key(const struct query *q, const struct query_source *s, struct query_page *page)
{
	bool wanted = query_wants_records(q, true), failed = false;

	for (size_t i = 0, last = 0; i < s->n && !failed; i++) {
		json_t *record;

		if (q->start && strcmp(place_of(s, i), q->start) <= 0)
			continue;
		record = take(q, s, i, &failed);
		if (!record)
			continue;
		if (!wanted) {
			page->n++;
		} else if (page->n == q->max_records) {
			page->next = next_query(q, place_of(s, last));
			json_decref(record);
			return page->next;
		} else {
			failed = !put(q, page, record);
			last = i;
		}
		json_decref(record);
	}
	return !failed;
}

struct sorted {
	const struct query *q;
	json_t *record;
	size_t place;
};

static bool keep_text(void *arg, const char *text)
{
	snprintf(arg, 512, "%s", text);
	return true;
}

static int by_order(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	for (size_t i = 0; i < x->q->n_orders; i++) {
		const struct order *o = &x->q->orders[i];
		const struct query_leaf *leaf = &x->q->shape->leaves[o->leaf];
		char s[512] = "", t[512] = "";
		int c;

		any_value(x->record, leaf->path, keep_text, s);
		any_value(y->record, leaf->path, keep_text, t);
		c = compare(s, t, leaf->fold);
		if (c)
			return o->descending ? -c : c;
	}
	return (x->place > y->place) - (x->place < y->place);
}

static bool put_sorted(
	const struct query *q, const struct sorted *v, size_t n, struct query_page *page)
{
	unsigned long from = 0;
	char start[24];

	if (q->start && !read_number(q->start, 0, 999999999, &from))
		from = n;
	for (size_t i = from; i < n; i++) {
		if (page->n == q->max_records) {
			snprintf(start, sizeof(start), "%zu", i);
			page->next = next_query(q, start);
			return page->next;
		}
		if (!put(q, page, v[i].record))
			return false;
	}
	return true;
}

/* In an order of the client's choice: all are looked at for every page. */
static bool run_by_order(
	const struct query *q, const struct query_source *s, struct query_page *page)
{
	struct sorted *v = calloc(s->n + 1, sizeof(*v));
	bool failed = !v;
	size_t n = 0;

	for (size_t i = 0; i < s->n && !failed; i++) {
		json_t *record = take(q, s, i, &failed);

		if (record)
			v[n++] = (struct sorted){ q, record, i };
	}
	if (!failed) {
		qsort(v, n, sizeof(*v), by_order);
		failed = !put_sorted(q, v, n, page);
	}
	for (size_t i = 0; i < n; i++)
		json_decref(v[i].record);
	free(v);
	return !failed;
}

bool query_run(const struct query *q, const struct query_source *s, struct query_page *out)
{
	struct query_page page = { .records = json_array() };
	bool ok = page.records;

	if (ok && q->n_orders && query_wants_records(q, true))
		ok = run_by_order(q, s, &page);
	else if (ok)
		ok = run_by_key(q, s, &page);
	if (!ok) {
		json_decref(page.records);
		free(page.next);
		return false;
	}
	*out = page;
	return true;
}

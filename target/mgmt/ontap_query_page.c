/* SPDX-License-Identifier: BSD-2-Clause */
/* What a query is answered: of each record that it chooses what it asks for, a page at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scrub.h"
#include "mgmt/ontap_query_private.h"

/* --- members -------------------------------------------------------------------------------- */

static bool is_shown(const struct query *q, const char *path)
{
	size_t leaf;

	return query_find_leaf(q->shape, path, &leaf) && q->shown & UINT32_C(1) << leaf;
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
	struct query_holder h = { .key = s->key(s->arg, i) };
	json_t *record;

	if (!query_matches(q, &h))
		return NULL;
	record = s->record(s->arg, i);
	if (!record) {
		*failed = true;
		return NULL;
	}
	h.record = record;
	if (query_matches(q, &h))
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
	json_t *rank; /* the values that it is ordered by, and its place last: texts */
};

static void sorted_end(struct sorted *s)
{
	json_decref(s->record);
	json_decref(s->rank);
}

static bool keep_text(void *arg, const char *text)
{
	*(json_t **)arg = json_string(text);
	return true;
}

/* NULL: memory is out. */
static json_t *rank_of(const struct query *q, const json_t *record, const char *place)
{
	json_t *rank = json_array();
	bool ok = rank;

	for (size_t i = 0; i < q->n_orders && ok; i++) {
		json_t *value = NULL;

		if (!query_any_value(
			    record, q->shape->leaves[q->orders[i].leaf].path, keep_text, &value))
			value = json_string("");
		ok = !json_array_append_new(rank, value);
	}
	if (ok && !json_array_append_new(rank, json_string(place)))
		return rank;
	json_decref(rank);
	return NULL;
}

static int compare_ranks(const struct query *q, const json_t *a, const json_t *b)
{
	for (size_t i = 0; i < q->n_orders; i++) {
		const struct order *o = &q->orders[i];
		int c = query_compare(json_string_value(json_array_get(a, i)),
			json_string_value(json_array_get(b, i)), q->shape->leaves[o->leaf].fold);

		if (c)
			return o->descending ? -c : c;
	}
	return strcmp(json_string_value(json_array_get(a, q->n_orders)),
		json_string_value(json_array_get(b, q->n_orders)));
}

static int by_rank(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	return compare_ranks(x->q, x->rank, y->rank);
}

static char *next_by_rank(const struct query *q, const json_t *rank)
{
	char *start = json_dumps(rank, JSON_COMPACT), *next = start ? next_query(q, start) : NULL;

	scrub_free(start);
	return next;
}

/* A page begins behind the rank of the last record of the page before, be it still there or not. */
static bool put_sorted(
	const struct query *q, const struct sorted *v, size_t n, struct query_page *page)
{
	for (size_t i = 0; i < n; i++) {
		if (q->after && compare_ranks(q, v[i].rank, q->after) <= 0)
			continue;
		if (page->n == q->max_records) {
			page->next = next_by_rank(q, v[i - 1].rank);
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

		if (!record)
			continue;
		v[n] = (struct sorted){ q, record, rank_of(q, record, place_of(s, i)) };
		failed = !v[n++].rank;
	}
	if (!failed) {
		qsort(v, n, sizeof(*v), by_rank);
		failed = !put_sorted(q, v, n, page);
	}
	for (size_t i = 0; i < n; i++)
		sorted_end(&v[i]);
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

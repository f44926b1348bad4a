/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a record is one that a query chooses. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mgmt/ontap_query_private.h"

/* --- values --------------------------------------------------------------------------------- */

/* What a text stands for. Each kind comes before the next, so that texts of all kinds have one order. */
enum kind { NOTHING, NUMBER, IPV4, IPV6, TEXT };

struct value {
	enum kind kind;
	unsigned long long number;
	uint8_t address[16];
};

static struct value read_value(const char *text)
{
	size_t len = strlen(text);
	struct value v = { .kind = TEXT };

	if (!len) {
		v.kind = NOTHING;
	} else if (len < 19 && strspn(text, "0123456789") == len && (*text != '0' || len == 1)) {
		v.kind = NUMBER;
		v.number = strtoull(text, NULL, 10);
	} else if (inet_pton(AF_INET, text, v.address) == 1) {
		v.kind = IPV4;
	} else if (inet_pton(AF_INET6, text, v.address) == 1) {
		v.kind = IPV6;
	}
	return v;
}

int query_compare(const char *a, const char *b, bool fold)
{
	struct value x = read_value(a), y = read_value(b);

	if (x.kind != y.kind)
		return x.kind < y.kind ? -1 : 1;
	switch (x.kind) {
	case NOTHING: return 0;
	case NUMBER: return (x.number > y.number) - (x.number < y.number);
	case IPV4:
	case IPV6: return memcmp(x.address, y.address, sizeof(x.address));
	default: return fold ? strcasecmp(a, b) : strcmp(a, b);
	}
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
	return (!*first || query_compare(text, first, fold) >= 0) &&
	       (!dots[2] || query_compare(text, dots + 2, fold) <= 0);
}

/* One value, against one alternative without its "!". */
static bool fits(const char *want, const char *text, bool fold)
{
	const char *dots;

	if (want[0] == '<')
		return want[1] == '=' ? query_compare(text, want + 2, fold) <= 0
				      : query_compare(text, want + 1, fold) < 0;
	if (want[0] == '>')
		return want[1] == '=' ? query_compare(text, want + 2, fold) >= 0
				      : query_compare(text, want + 1, fold) > 0;
	dots = strstr(want, "..");
	if (dots)
		return in_range(want, dots, text, fold);
	if (strchr(want, '*'))
		return is_like(want, text, fold);
	return query_compare(text, want, fold) == 0;
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

bool query_any_value(
	const json_t *j, const char *path, bool (*fn)(void *arg, const char *text), void *arg)
{
	size_t len = strcspn(path, ".");
	char room[32], name[PATH_MAX_BYTES];
	const char *text;

	if (json_is_array(j)) {
		for (size_t i = 0; i < json_array_size(j); i++)
			if (query_any_value(json_array_get(j, i), path, fn, arg))
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
	return query_any_value(json_object_get(j, name), path + len + (path[len] == '.'), fn, arg);
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
	return w->literal ? !query_compare(text, w->text, w->fold) : fits(w->text, text, w->fold);
}

static bool has_value(const struct query_holder *h, const struct query_leaf *leaf, struct want *w)
{
	if (!h->record)
		return value_fits(w, h->key);
	return query_any_value(h->record, leaf->path, value_fits, w);
}

static bool alternative_holds(
	const struct query_holder *h, const struct query_leaf *leaf, const char *text)
{
	bool negated = *text == '!';
	struct want w = { .text = text + negated, .fold = leaf->fold };

	if (!strcmp(w.text, "null")) {
		w.text = NULL;
		negated = !negated;
	}
	return has_value(h, leaf, &w) != negated;
}

static bool filter_holds(
	const struct query_holder *h, const struct query_leaf *leaf, const struct filter *f)
{
	const char *value = f->values;
	struct want w = { .text = value, .fold = leaf->fold, .literal = true };

	if (f->literal)
		return has_value(h, leaf, &w);
	for (size_t i = 0; i < f->n; i++, value += strlen(value) + 1)
		if (alternative_holds(h, leaf, value))
			return true;
	return false;
}

bool query_matches(const struct query *q, const struct query_holder *h)
{
	for (size_t i = 0; i < q->n_filters; i++) {
		const struct filter *f = &q->filters[i];

		if (!h->record && f->leaf != q->shape->key)
			continue;
		if (!filter_holds(h, &q->shape->leaves[f->leaf], f))
			return false;
	}
	return true;
}

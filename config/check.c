/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the checks over a whole configuration: see check.h. */
#include "config/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/places.h"
#include "config/value.h"

void check_fault(struct check *c, const void *member, const char *format, ...)
{
	struct config_where where = config_where(c->cfg, member);
	struct why text;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text.text, sizeof(text.text), format, ap);
	va_end(ap);
	faults_add(c->faults, where.file, where.line, "%s", text.text);
	c->faulty = true;
}

bool check_is_given(const struct check *c, const void *member, size_t size)
{
	return places_given(c->cfg->places, member, size);
}

const char *check_other(const struct check *c, const void *member, struct check_place *place)
{
	struct config_where where = config_where(c->cfg, member);

	snprintf(place->text, sizeof(place->text), "%s:%d", where.file, where.line);
	return place->text;
}

/* ---- the index ------------------------------------------------------------------------------ */

void check_index_add(struct check *c, struct check_index *index, const char *first,
	const char *second, const void *member, const void *object)
{
	if (!first || !second)
		return;
	if (index->n == index->room) {
		size_t room = index->room ? index->room * 2 : 16;
		struct check_entry *v = reallocarray(index->v, room, sizeof(*v));

		if (!v) {
			c->out_of_memory = true;
			return;
		}
		index->v = v;
		index->room = room;
	}
	index->v[index->n] = (struct check_entry){ first, second, member, object, index->n };
	index->n++;
}

static int by_key(const struct check_entry *a, const struct check_entry *b)
{
	int order = strcmp(a->first, b->first);

	return order ? order : strcmp(a->second, b->second);
}

/* Equals in the order in which they were added. */
static int by_key_then_serial(const void *pa, const void *pb)
{
	const struct check_entry *a = pa, *b = pb;
	int order = by_key(a, b);

	return order ? order : (a->serial > b->serial) - (a->serial < b->serial);
}

void check_unique(struct check *c, struct check_index *index, const char *what)
{
	struct check_place place = { "" };
	size_t first = 0;

	if (index->n)
		qsort(index->v, index->n, sizeof(*index->v), by_key_then_serial);
	for (size_t i = 1; i < index->n; i++) {
		const struct check_entry *e = &index->v[i];

		if (by_key(&index->v[first], e)) {
			first = i;
			continue;
		}
		check_fault(c, e->member, "%s \"%.250s\" is used twice: first in %s", what,
			*e->first ? e->first : e->second,
			check_other(c, index->v[first].member, &place));
	}
}

const void *check_index_find(const struct check_index *index, const char *first, const char *second)
{
	struct check_entry want = { .first = first, .second = second };
	size_t low = 0, high = index->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = by_key(&want, &index->v[middle]);

		if (!order)
			return index->v[middle].object;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void check_index_free(struct check_index *index)
{
	free(index->v);
	*index = (struct check_index){ 0 };
}

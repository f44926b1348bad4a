/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines by address: see places.h. */
#include "config/places.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct place {
	uintptr_t start;
	uint32_t size;
	uint32_t file;
	int line;
};

struct config_places {
	struct place *v;
	size_t n, room;
	char **files;
	uint32_t n_files;
};

struct config_places *places_new(void)
{
	return calloc(1, sizeof(struct config_places));
}

void places_free(struct config_places *places)
{
	if (!places)
		return;
	for (size_t i = 0; i < places->n_files; i++)
		free(places->files[i]);
	free(places->files);
	free(places->v);
	free(places);
}

/* Neighbours come from the same file, so the newest is looked at first. */
static bool file_index(struct config_places *places, const char *file, uint32_t *out)
{
	char **files;

	for (uint32_t i = places->n_files; i-- > 0;) {
		if (!strcmp(places->files[i], file)) {
			*out = i;
			return true;
		}
	}
	files = reallocarray(places->files, places->n_files + 1, sizeof(*files));
	if (!files)
		return false;
	places->files = files;
	files[places->n_files] = strdup(file);
	if (!files[places->n_files])
		return false;
	*out = places->n_files++;
	return true;
}

bool places_add(
	struct config_places *places, const void *member, size_t size, const char *file, int line)
{
	struct place place = { .start = (uintptr_t)member, .size = (uint32_t)size, .line = line };

	if (places->n == places->room) {
		size_t room = places->room ? places->room * 2 : 64;
		struct place *v = reallocarray(places->v, room, sizeof(*v));

		if (!v)
			return false;
		places->v = v;
		places->room = room;
	}
	if (!file_index(places, file, &place.file))
		return false;
	places->v[places->n++] = place;
	return true;
}

/* Of two that start together the larger comes first, as what contains comes before what is in it. */
static int order(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->size < b->size) - (a->size > b->size);
}

void places_sort(struct config_places *places)
{
	if (places->n)
		qsort(places->v, places->n, sizeof(*places->v), order);
}

void places_moved(struct config_places *places, uintptr_t from, size_t size, uintptr_t to)
{
	for (size_t i = 0; i < places->n; i++)
		if (places->v[i].start - from < size)
			places->v[i].start += to - from;
	places_sort(places);
}

/* The number of places that start at or before the address. */
static size_t count_to(const struct config_places *places, uintptr_t at)
{
	size_t low = 0, high = places->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (places->v[middle].start <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool places_find(const struct config_places *places, const void *member, struct config_where *where)
{
	uintptr_t at = (uintptr_t)member;

	for (size_t i = count_to(places, at); i-- > 0;) {
		const struct place *p = &places->v[i];

		if (at - p->start < p->size) {
			*where = (struct config_where){ places->files[p->file], p->line };
			return true;
		}
	}
	return false;
}

bool places_given(const struct config_places *places, const void *member, size_t size)
{
	uintptr_t at = (uintptr_t)member;

	for (size_t i = count_to(places, at); i-- > 0 && places->v[i].start == at;)
		if (places->v[i].size == size)
			return true;
	return false;
}

struct config_where config_where(const struct config *cfg, const void *member)
{
	struct config_where where = { .file = cfg->path, .line = 1 };

	places_find(cfg->places, member, &where);
	return where;
}

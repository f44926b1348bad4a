/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is where in a library, in memory.
 */
#include "vtl/inventory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- making one -------------------------------------------------------------------- */

static int range_init(struct inventory_range *r, unsigned int first, unsigned int count)
{
	if (first + count > UINT16_MAX)
		return -EINVAL;
	r->first = (uint16_t)first;
	r->count = (uint16_t)count;
	r->element = calloc(count ? count : 1, sizeof(*r->element));
	return r->element ? 0 : -ENOMEM;
}

/* Kinds in the order of their addresses; there are four. */
static void sort_ranges(struct inventory *inv)
{
	unsigned int n = 0;

	for (unsigned int kind = CATALOG_IN_TRANSPORT; kind < INVENTORY_KINDS; kind++) {
		unsigned int at = n++;

		for (; at && inv->range[inv->order[at - 1]].first > inv->range[kind].first; at--)
			inv->order[at] = inv->order[at - 1];
		inv->order[at] = (enum catalog_place_kind)kind;
	}
}

int inventory_init(struct inventory *inv, const struct changer_model *m, unsigned int drives,
	unsigned int slots, unsigned int mail_slots)
{
	unsigned int mail = mail_slots > m->mail_room ? CHANGER_FAR_MAIL_SLOTS : m->mail_slots;
	int err;

	*inv = (struct inventory){ .n = 0 };
	err = range_init(&inv->range[CATALOG_IN_TRANSPORT], m->transport, 1);
	if (!err)
		err = range_init(&inv->range[CATALOG_IN_DRIVE], m->drives, drives);
	if (!err)
		err = range_init(&inv->range[CATALOG_IN_SLOT], m->slots, slots);
	if (!err)
		err = range_init(&inv->range[CATALOG_IN_MAIL_SLOT], mail, mail_slots);
	if (err)
		inventory_free(inv);
	else
		sort_ranges(inv);
	return err;
}

void inventory_clear(struct inventory *inv)
{
	for (size_t i = 0; i < inv->n; i++)
		free(inv->tapes[i]);
	inv->n = 0;
	for (unsigned int kind = CATALOG_IN_TRANSPORT; kind < INVENTORY_KINDS; kind++)
		memset(inv->range[kind].element, 0,
			inv->range[kind].count * sizeof(*inv->range[kind].element));
}

void inventory_free(struct inventory *inv)
{
	for (size_t i = 0; i < inv->n; i++)
		free(inv->tapes[i]);
	free(inv->tapes);
	for (unsigned int kind = 0; kind < INVENTORY_KINDS; kind++)
		free(inv->range[kind].element);
	*inv = (struct inventory){ .n = 0 };
}

/* --- places and addresses ---------------------------------------------------------- */

struct inventory_element *inventory_element(const struct inventory *inv, struct catalog_place place)
{
	const struct inventory_range *r;

	if ((unsigned int)place.kind >= INVENTORY_KINDS)
		return NULL;
	r = &inv->range[place.kind];
	return place.number < r->count ? &r->element[place.number] : NULL;
}

bool inventory_address(const struct inventory *inv, struct catalog_place place, uint16_t *address)
{
	if (!inventory_element(inv, place))
		return false;
	*address = (uint16_t)(inv->range[place.kind].first + place.number);
	return true;
}

bool inventory_place(const struct inventory *inv, uint16_t address, struct catalog_place *place)
{
	for (unsigned int kind = CATALOG_IN_TRANSPORT; kind < INVENTORY_KINDS; kind++) {
		const struct inventory_range *r = &inv->range[kind];

		if (address < r->first || address - r->first >= r->count)
			continue;
		place->kind = (enum catalog_place_kind)kind;
		place->number = (uint32_t)(address - r->first);
		return true;
	}
	return false;
}

bool inventory_vacant(
	const struct inventory *inv, enum catalog_place_kind kind, struct catalog_place *place)
{
	const struct inventory_range *r = &inv->range[kind];

	for (uint32_t i = 0; i < r->count; i++) {
		if (r->element[i].tape || r->element[i].reserved)
			continue;
		*place = (struct catalog_place){ kind, i };
		return true;
	}
	return false;
}

/* --- cartridges -------------------------------------------------------------------- */

static const char *copy_text(char **at, const char *text)
{
	char *copy = *at;
	size_t n = strlen(text ? text : "") + 1;

	memcpy(copy, text ? text : "", n);
	*at += n;
	return copy;
}

struct inventory_tape *inventory_tape_new(const struct catalog_tape *row)
{
	const char *const texts[] = { row->barcode, row->library, row->state, row->pool,
		row->retrieved_to };
	size_t room = 0;
	struct inventory_tape *t;
	char *at;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		room += strlen(texts[i] ? texts[i] : "") + 1;
	t = calloc(1, sizeof(*t) + room);
	if (!t)
		return NULL;
	t->row = *row;
	at = t->text;
	t->row.barcode = copy_text(&at, row->barcode);
	t->row.library = copy_text(&at, row->library);
	t->row.state = copy_text(&at, row->state);
	t->row.pool = copy_text(&at, row->pool);
	t->row.retrieved_to = copy_text(&at, row->retrieved_to);
	return t;
}

/* Where the barcode is among the cartridges, or would be. */
static size_t index_of(const struct inventory *inv, const char *barcode)
{
	size_t low = 0, high = inv->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(inv->tapes[middle]->row.barcode, barcode) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct inventory_tape *inventory_find(const struct inventory *inv, const char *barcode)
{
	size_t i = index_of(inv, barcode);

	return i < inv->n && !strcmp(inv->tapes[i]->row.barcode, barcode) ? inv->tapes[i] : NULL;
}

int inventory_reserve(struct inventory *inv, size_t more)
{
	size_t room = inv->room ? inv->room : 64;
	struct inventory_tape **tapes;

	if (more <= inv->room - inv->n)
		return 0;
	while (room - inv->n < more)
		room *= 2;
	tapes = realloc(inv->tapes, room * sizeof(*tapes));
	if (!tapes)
		return -ENOMEM;
	inv->tapes = tapes;
	inv->room = room;
	return 0;
}

/* The vault has no element. */
static void fill(struct inventory *inv, struct inventory_tape *t)
{
	struct inventory_element *e = inventory_element(inv, t->row.place);

	assert(t->row.place.kind == CATALOG_IN_VAULT || (e && !e->tape));
	if (e)
		*e = (struct inventory_element){ .tape = t };
}

static void vacate(struct inventory *inv, const struct inventory_tape *t)
{
	struct inventory_element *e = inventory_element(inv, t->row.place);

	if (e)
		e->tape = NULL;
}

void inventory_put(struct inventory *inv, struct inventory_tape *t)
{
	size_t i = index_of(inv, t->row.barcode);

	if (i < inv->n && !strcmp(inv->tapes[i]->row.barcode, t->row.barcode)) {
		t->missing = inv->tapes[i]->missing;
		vacate(inv, inv->tapes[i]);
		free(inv->tapes[i]);
	} else {
		assert(inv->n < inv->room);
		memmove(inv->tapes + i + 1, inv->tapes + i, (inv->n - i) * sizeof(*inv->tapes));
		inv->n++;
	}
	inv->tapes[i] = t;
	fill(inv, t);
}

void inventory_remove(struct inventory *inv, const char *barcode)
{
	size_t i = index_of(inv, barcode);

	if (i == inv->n || strcmp(inv->tapes[i]->row.barcode, barcode) != 0)
		return;
	vacate(inv, inv->tapes[i]);
	free(inv->tapes[i]);
	inv->n--;
	memmove(inv->tapes + i, inv->tapes + i + 1, (inv->n - i) * sizeof(*inv->tapes));
}

void inventory_move(struct inventory *inv, const struct catalog_tape_move *moves, size_t n)
{
	for (size_t i = 0; i < n; i++)
		vacate(inv, inventory_find(inv, moves[i].barcode));
	for (size_t i = 0; i < n; i++) {
		struct inventory_tape *t = inventory_find(inv, moves[i].barcode);

		t->row.place = moves[i].place;
		t->row.source = moves[i].source;
		t->imported = false;
		fill(inv, t);
	}
}

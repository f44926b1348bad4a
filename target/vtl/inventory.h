/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is where in a library, in memory: the elements and their addresses, and the cartridges by
 * barcode. It has no lock and knows no drives and no catalog; library.c keeps it in step with them.
 *
 * A cartridge is in one element or in none (the archive): both sides are written by the same calls.
 */
#ifndef VTL_INVENTORY_H
#define VTL_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/tape.h"
#include "vtl/changer_model.h"

#define INVENTORY_KINDS 5 /* of places; the vault has no elements */

/* A cartridge: its row of the catalog, and what is not worth to be remembered. */
struct inventory_tape {
	struct catalog_tape row; /* text stands behind the structure */
	bool imported;           /* an operator has put it where it is, not the robot */
	bool under_way;          /* its files are being moved */
	bool missing;            /* they were not there when they were last looked for */
	char text[];
};

/* A copy of a row, or NULL. */
struct inventory_tape *inventory_tape_new(const struct catalog_tape *row);

struct inventory_element {
	struct inventory_tape *tape; /* NULL: empty */
	bool reserved;               /* empty, and kept for one that comes from the archive */
};

struct inventory_range {
	uint16_t first; /* address */
	uint16_t count;
	struct inventory_element *element;
};

struct inventory {
	struct inventory_range range[INVENTORY_KINDS];
	enum catalog_place_kind order[INVENTORY_KINDS - 1]; /* of first addresses */
	struct inventory_tape **tapes;                      /* in the order of barcodes */
	size_t n, room;
};

/* With nothing in it. 0, -ENOMEM, -EINVAL when addresses do not suffice. */
int inventory_init(struct inventory *inv, const struct changer_model *m, unsigned int drives,
	unsigned int slots, unsigned int mail_slots);
void inventory_free(struct inventory *inv); /* zeroed is fine */

/* --- places and addresses ---------------------------------------------------------- */

/* NULL where there is no such element. */
struct inventory_element *inventory_element(
	const struct inventory *inv, struct catalog_place place);
bool inventory_address(const struct inventory *inv, struct catalog_place place, uint16_t *address);
bool inventory_place(const struct inventory *inv, uint16_t address, struct catalog_place *place);

/* The first element of a kind that is empty and not reserved. */
bool inventory_vacant(
	const struct inventory *inv, enum catalog_place_kind kind, struct catalog_place *place);

/* --- cartridges -------------------------------------------------------------------- */

/* Or NULL. */
struct inventory_tape *inventory_find(const struct inventory *inv, const char *barcode);

/* Room for so many more, so that inventory_put() has it. 0 or -ENOMEM. */
int inventory_reserve(struct inventory *inv, size_t more);

/* Takes t, where its row says, instead of the one of that barcode, if any, which is freed; missing
 * is then what that was. Its element is there and empty, or holds the one that is replaced. */
void inventory_put(struct inventory *inv, struct inventory_tape *t);

/* Takes the one of that barcode out, and frees it. */
void inventory_remove(struct inventory *inv, const char *barcode);

/* Takes all of them out. */
void inventory_clear(struct inventory *inv);

/* All at once, as catalog_tape_move(); the cartridges and elements are there. */
void inventory_move(struct inventory *inv, const struct catalog_tape_move *moves, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cartridges, and where they are. A cartridge is in exactly one place, and a place that is not the
 * vault holds at most one: the database itself sees to that. A barcode that was once used is
 * never used for another cartridge.
 */
#ifndef CATALOG_TAPE_H
#define CATALOG_TAPE_H

#include "catalog/catalog.h"

/* The values are those of the database. */
enum catalog_place_kind {
	CATALOG_IN_VAULT = 0,     /* the archive: no address, any number */
	CATALOG_IN_TRANSPORT = 1, /* the element types of SMC-3, table 10 */
	CATALOG_IN_SLOT = 2,
	CATALOG_IN_MAIL_SLOT = 3,
	CATALOG_IN_DRIVE = 4,
};

struct catalog_place {
	enum catalog_place_kind kind;
	uint32_t number; /* which of the library's; 0 in the vault */
};

/* Text may be NULL when given, which means ""; when loaded it never is. */
struct catalog_tape {
	const char *barcode;
	const char *library; /* in which it is, or in the vault: from which it came */
	struct catalog_place place;
	struct catalog_place
		source;  /* the storage element that it was last moved from; VAULT: none */
	uint16_t medium; /* LTO generation */
	bool cleaning;
	bool worm;
	bool write_protect;
	uint64_t size, used; /* bytes */
	const char *state;   /* "AVAILABLE", "ARCHIVED" … */
	const char *pool;
	const char *retrieved_to; /* gateway; "" when it was not */
	int64_t created;
	int64_t pool_entered; /* 0: never, here and below */
	int64_t retention_start;
	int64_t archived;
};

/* All below: inside a request's run(). */

/* Adds a cartridge. -EEXIST when the barcode was ever used, or the place is taken. */
int catalog_tape_add(struct catalog_tx *tx, const struct catalog_tape *t);
/* Changes the one with its barcode, and where it is. -ENOENT, -EEXIST for the place, or -errno. */
int catalog_tape_put(struct catalog_tx *tx, const struct catalog_tape *t);
/* -ENOENT or -errno. */
int catalog_tape_remove(struct catalog_tx *tx, const char *barcode);
/* Calls row() for each, in the order of barcodes, until it gives another value than 0, which is
 * then what this gives. */
int catalog_tape_load(
	struct catalog_tx *tx, int (*row)(const struct catalog_tape *t, void *arg), void *arg);

struct catalog_tape_move {
	const char *barcode;
	struct catalog_place place;
	struct catalog_place source;
};

/* Moves within the library, all at once: one cartridge may take the place of another that moves
 * away (EXCHANGE MEDIUM). -ENOENT, -EEXIST when a place stays taken, or -errno. */
int catalog_tape_move(struct catalog_tx *tx, const struct catalog_tape_move *moves, size_t n);

/* Whether a cartridge ever had this barcode. 0 and *used, or -errno. */
int catalog_tape_barcode_used(struct catalog_tx *tx, const char *barcode, bool *used);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode pages that initiators have saved (MODE SELECT with SP=1). What a unit has saved is kept and
 * replaced as one.
 */
#ifndef CATALOG_MODE_H
#define CATALOG_MODE_H

#include "catalog/reservation.h"

struct catalog_mode_page {
	uint8_t page, subpage; /* PAGE CODE, SUBPAGE CODE */
	const uint8_t *mask;   /* which bits are kept, and what they are: */
	const uint8_t *value;
	size_t len; /* of either: the whole page with its header */
};

/* Both: inside a request's run(). */

/* Replaces all that is kept of the unit; with n = 0 nothing is. Borrows for the call. 0, -EEXIST
 * for a page that is there twice, or -errno. */
int catalog_mode_put(struct catalog_tx *tx, const uint8_t unit[CATALOG_UNIT_SIZE],
	const struct catalog_mode_page *pages, size_t n);

/* Calls row() for each page, those of one unit together, until it gives another value than 0, which
 * is then what this gives. */
int catalog_mode_load(struct catalog_tx *tx,
	int (*row)(const uint8_t *unit, const struct catalog_mode_page *page, void *arg),
	void *arg);

#endif

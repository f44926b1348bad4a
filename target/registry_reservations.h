/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Persistent reservations that are to outlive a restart (APTPL): between the units, which hand
 * over what is to be kept, and the catalog, which keeps it. What was handed over last is here in
 * memory as well, for a unit that is made anew while the server runs.
 */
#ifndef REGISTRY_RESERVATIONS_H
#define REGISTRY_RESERVATIONS_H

#include "catalog/catalog.h"
#include "scsi/lu.h"

struct reservations;

/* Reads what the catalog keeps. 0 and *out, or -errno with *why filled. Blocks; main thread, at
 * start. */
int reservations_load(struct catalog *c, struct reservations **out, struct catalog_error *why);
/* What units ask to be kept from here on fails with -ESHUTDOWN: before the catalog is closed, which
 * ends what is under way. NULL is fine. Main thread. */
void reservations_stop(struct reservations *r);
/* No unit is left. NULL is fine. */
void reservations_free(struct reservations *r);

/* Through which units keep; lives as long as r. */
struct lu_keeper *reservations_keeper(struct reservations *r);

/* What is kept of one unit: immutable, counted. */
struct reservation {
	struct lu_reservation is;
	_Atomic unsigned refs; /* private, as is the rest */
	uint8_t naa[16];
	struct list link;
};
/* With one reference, or NULL: nothing is kept. */
const struct reservation *reservations_find(struct reservations *r, const uint8_t naa[16]);
void reservation_unref(const struct reservation *kept); /* any thread; NULL is fine */

#endif

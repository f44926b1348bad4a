/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Persistent reservations that are to outlive a power loss (APTPL, SPC-4 5.13.6). A unit's
 * registrations and its reservation are kept and replaced as one.
 */
#ifndef CATALOG_RESERVATION_H
#define CATALOG_RESERVATION_H

#include "catalog/catalog.h"

#define CATALOG_UNIT_SIZE 16

struct catalog_registrant {
	const char *initiator; /* the initiator port's name: "iqn.…,i,0x00023d000001" */
	uint16_t port;         /* RELATIVE TARGET PORT IDENTIFIER; 0: all of them */
	uint8_t key[8];        /* RESERVATION KEY, as it came */
	bool holder;
};

struct catalog_reservation {
	uint8_t unit[CATALOG_UNIT_SIZE];              /* the unit's NAA identifier */
	uint32_t generation;                          /* PRGENERATION */
	uint8_t type;                                 /* TYPE; means nothing when nobody holds */
	uint8_t scope;                                /* SCOPE */
	bool by_group; /* loading only: an older server kept it, and ports are portal groups */
	const struct catalog_registrant *registrants; /* none twice by initiator and port */
	size_t n_registrants;
};

/* Both: inside a request's run(). */

/* Replaces all that is kept of the unit; nothing is kept when there are no registrants. Borrows *r
 * for the call. 0, -EEXIST for a registrant that is there twice, or -errno. */
int catalog_reservation_put(struct catalog_tx *tx, const struct catalog_reservation *r);

/* Calls row() for each unit until it gives another value than 0, which is then what this gives. */
int catalog_reservation_load(struct catalog_tx *tx,
	int (*row)(const struct catalog_reservation *r, void *arg), void *arg);

#endif

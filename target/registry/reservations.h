/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Persistent reservations that are to outlive a restart (APTPL): between the units, which hand
 * over what is to be kept, and the catalog, which keeps it. What was handed over last is here in
 * memory as well, for a unit that is made anew while the server runs.
 */
#ifndef REGISTRY_RESERVATIONS_H
#define REGISTRY_RESERVATIONS_H

#include "catalog/catalog.h"
#include "iscsi/directory.h"
#include "registry/kept.h"
#include "scsi/lu.h"

/* Zeros before it is loaded: nothing is kept. Stopped and ended by its set (registry/kept.h). */
struct reservations {
	struct lu_keeper keeper; /* private */
	struct kept_set set;
};

/* Reads what the catalog keeps. 0, or -errno with *why filled. Blocks; main thread, at start. */
int reservations_load(struct reservations *r, struct catalog *c, struct catalog_error *why);

/* Through which units keep; lives as long as r. NULL: it is not loaded, APTPL is refused. */
struct lu_keeper *reservations_keeper(struct reservations *r);

/* What is kept of one unit: immutable, counted. */
struct reservation {
	struct kept kept; /* private */
	struct lu_reservation is;
	bool by_group; /* as an older server kept it: the ports of registrants are portal groups */
};
/* With one reference, or NULL: nothing is kept. */
const struct reservation *reservations_find(struct reservations *r, const uint8_t naa[16]);
void reservation_unref(const struct reservation *r); /* any thread; NULL is fine */

/* The same with the ports that are in these groups: a registrant through a group is one through
 * each port of it that leads to the unit, n of them in the order of groups. With one reference, or
 * NULL: no memory. */
const struct reservation *reservation_by_port(
	const struct reservation *kept, const struct target_port *ports, unsigned n);

#endif

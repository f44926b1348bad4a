/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables, and how those of an older version become those of this one. */
#ifndef CATALOG_SCHEMA_H
#define CATALOG_SCHEMA_H

#include "catalog/db.h"

/* Whether the database is ours and not newer than we are, looking only. An empty one is ours.
 * 0, -EUCLEAN or -ENOTSUP with *why filled, or -errno. */
int schema_check(struct db *db, struct catalog_error *why);

/* Takes the steps from the version that the database has to ours, each in one transaction. 0 or
 * -errno with *why filled. */
int schema_upgrade(struct db *db, struct catalog_error *why);

#endif

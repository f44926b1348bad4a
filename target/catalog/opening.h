/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening the database: the file, what it must be like, and what SQLite is to do with it. */
#ifndef CATALOG_OPENING_H
#define CATALOG_OPENING_H

#include "catalog/db.h"

/* Opens catalog.db as catalog_open() promises, up to date and examined, but for the keys. 0 or
 * -errno with *why filled; the caller ends *out with db_close(). */
int opening_db(const struct state_dir *dir, struct db **out, struct catalog_error *why);

#endif

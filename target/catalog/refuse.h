/* SPDX-License-Identifier: BSD-2-Clause */
/* Saying why; only files of this folder include this. */
#ifndef CATALOG_REFUSE_H
#define CATALOG_REFUSE_H

#include "catalog/catalog.h"

/* Fills *why and gives err. */
int refuse(struct catalog_error *why, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct db;

/* The same with what the database says of its last error, which is err. */
int refuse_db(struct catalog_error *why, int err, const struct db *db);

#endif

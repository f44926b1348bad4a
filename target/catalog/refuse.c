/* SPDX-License-Identifier: BSD-2-Clause */
/* Saying why. */
#include "catalog/refuse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "catalog/db.h"

int refuse(struct catalog_error *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

int refuse_db(struct catalog_error *why, int err, const struct db *db)
{
	if (err == -EUCLEAN)
		return refuse(why, err, "the catalog is damaged (%s); bring it back from a backup",
			db_why(db));
	return refuse(why, err, "the catalog: %s", db_why(db));
}

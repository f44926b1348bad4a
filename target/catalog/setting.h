/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single values that have no table of their own: names by folder, as "gateway/sgw-12A3456B/name",
 * "gateway/sgw-12A3456B/state" or "alua/2". Never a secret.
 */
#ifndef CATALOG_SETTING_H
#define CATALOG_SETTING_H

#include "catalog/catalog.h"

/* All: inside a request's run(). */

/* 0 or -errno. */
int catalog_setting_put(struct catalog_tx *tx, const char *name, const char *value);
/* 0 also when there is none. */
int catalog_setting_remove(struct catalog_tx *tx, const char *name);
/* Calls row() for each setting whose name begins with `prefix` ("": all), in the order of names,
 * until it gives another value than 0, which is then what this gives. */
int catalog_setting_load(struct catalog_tx *tx, const char *prefix,
	int (*row)(const char *name, const char *value, void *arg), void *arg);

#endif

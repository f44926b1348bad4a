/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the credential table as the catalog keeps them. */
#ifndef REGISTRY_STORED_H
#define REGISTRY_STORED_H

#include "catalog/catalog.h"
#include "chap/table_edit.h"

/* All that the catalog has, as a table of its own with one reference. 0, or -errno with *why
 * filled; -EINVAL when it has what can be no row. Blocks; main thread, at start. */
int stored_load(struct catalog *c, const struct table **out, struct catalog_error *why);

/* Both: inside a request's run(). 0 or -errno. */
int stored_put(struct catalog_tx *tx, const struct credential_spec *row);
/* 0 also when it was not there. */
int stored_remove(struct catalog_tx *tx, const struct credential_spec *row);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags on resources: a key and a value on whatever has a name, an ARN for one. */
#ifndef CATALOG_TAG_H
#define CATALOG_TAG_H

#include "catalog/catalog.h"

/* All: inside a request's run(). */

/* Sets a tag, or its value anew. 0 or -errno. */
int catalog_tag_put(
	struct catalog_tx *tx, const char *resource, const char *key, const char *value);
/* 0 also when there is none. */
int catalog_tag_remove(struct catalog_tx *tx, const char *resource, const char *key);
/* All tags of a resource that goes. 0 or -errno. */
int catalog_tag_remove_all(struct catalog_tx *tx, const char *resource);
/* Calls row() for each tag of the resource (NULL: of all), in the order of resources and keys,
 * until it gives another value than 0, which is then what this gives. */
int catalog_tag_load(struct catalog_tx *tx, const char *resource,
	int (*row)(const char *resource, const char *key, const char *value, void *arg), void *arg);

#endif

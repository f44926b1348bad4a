/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changers that were chosen for libraries while the server ran, in the place of those that the
 * configuration names. Main thread.
 */
#ifndef REGISTRY_CHANGER_CHOICES_H
#define REGISTRY_CHANGER_CHOICES_H

#include "catalog/catalog.h"
#include "vtl/library.h"

struct changer_choice;

struct changer_choices {
	struct changer_choice *v; /* private */
	size_t n;
};
/* Reads those of the catalog into what is all 0. 0, or -errno with *why filled. Blocks. */
int changer_choices_load(
	struct changer_choices *c, struct catalog *catalog, struct catalog_error *why);
void changer_choices_free(struct changer_choices *c);

/* The library of this name has this model; NULL: what the configuration says. False: no memory, or
 * no such model. */
bool changer_choices_set(struct changer_choices *c, const char *library, const char *model);
/* Writes that down: inside a request's run(). 0 or -errno. */
int changer_choice_store(struct catalog_tx *tx, const char *library, const char *model);
/* False: the configuration's. */
bool changer_choices_find(
	const struct changer_choices *c, const char *library, enum changer_model_id *out);

#endif

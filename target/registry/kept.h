/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What units keep in the catalog, a thing of each unit: the road that saved mode pages
 * (registry/modes.h), reservations (registry/reservations.h) and what is being sanitized
 * (registry/wipes.h) have in common. A unit hands over what is to be there from now on; the catalog
 * writes it down; the unit is told. The same is here in memory, for a unit that is made anew while
 * the server runs.
 */
#ifndef REGISTRY_KEPT_H
#define REGISTRY_KEPT_H

#include <pthread.h>

#include "catalog/catalog.h"
#include "scsi/lu.h"

/* What is kept of one unit: counted, and immutable once others can find it. It is the first member
 * of what is really kept, which is one piece of malloc()'s memory. */
struct kept {
	uint8_t naa[16];
	bool nothing;          /* it only takes the place of what was kept before */
	_Atomic unsigned refs; /* private, as is the rest */
	struct list link;
};
/* With one reference. */
void kept_init(struct kept *k, const uint8_t naa[16], bool nothing);
void kept_unref(const struct kept *k); /* any thread; NULL is fine */

struct kept_set;

struct kept_kind {
	/* Gives all that the catalog has to kept_set_put(). 0 or -errno. */
	int (*load)(struct kept_set *s, struct catalog_tx *tx);
	/* Writes one down, or erases it: on the catalog's thread, as catalog_request's run(). */
	int (*store)(struct catalog_tx *tx, const struct kept *k);
	/* In memory it is from the hand-over on, for units that hand over the next before they have
	 * been told of the last; else when it is durable, before the unit is told. */
	bool at_once;
};

/* All that is kept of one kind. Filled with zeros it is one in which nothing is kept. */
struct kept_set {
	const struct kept_kind *kind; /* private, as is the rest; NULL: it is not loaded */
	pthread_mutex_t lock;
	struct catalog *catalog; /* NULL: it is closed */
	struct list all;
};

/* Reads what the catalog keeps. 0, or -errno with *why filled and nothing left to end. Blocks; main
 * thread, at start. */
int kept_set_load(struct kept_set *s, const struct kept_kind *kind, struct catalog *c,
	struct catalog_error *why);
/* Whether units may keep. */
bool kept_set_loaded(const struct kept_set *s);
/* What units ask to be kept from here on fails with -ESHUTDOWN: before the catalog is closed, which
 * ends what is under way. Main thread, in any state, as the next. */
void kept_set_stop(struct kept_set *s);
/* No unit is left. It may be loaded anew. */
void kept_set_end(struct kept_set *s);

/* Takes over the caller's reference; NULL stands for "no memory", and is answered so. Borrows
 * `asked` until it is done. Any thread: what is handed over first reaches the catalog first. */
void kept_set_hand_over(struct kept_set *s, struct kept *what, struct lu_keep *asked);

/* What is kept of a unit, with a reference; NULL: nothing. Any thread, as the next two. */
struct kept *kept_set_find(struct kept_set *s, const uint8_t naa[16]);
/* In memory alone: k in the place of what was there, with a reference of the set's own. */
void kept_set_put(struct kept_set *s, struct kept *k);
void kept_set_forget(struct kept_set *s, const uint8_t naa[16]);

#endif

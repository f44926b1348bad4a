/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks of which a SANITIZE or FORMAT UNIT has begun and not succeeded: between the units, which say
 * so, and the catalog, which keeps it over a crash, as registry/modes.h does for mode pages.
 */
#ifndef REGISTRY_WIPES_H
#define REGISTRY_WIPES_H

#include "catalog/catalog.h"
#include "registry/kept.h"
#include "scsi/lu.h"

/* Zeros before it is loaded: nothing is kept. Stopped and ended by its set (registry/kept.h). */
struct wipes {
	struct lu_wipe_keeper keeper; /* private */
	struct kept_set set;
};

/* Reads what the catalog keeps, and logs it. 0, or -errno with *why filled. Blocks; main thread, at start. */
int wipes_load(struct wipes *w, struct catalog *c, struct catalog_error *why);

/* Through which units keep; lives as long as w. NULL: it is not loaded, a restart forgets a SANITIZE. */
struct lu_wipe_keeper *wipes_keeper(struct wipes *w);

/* What is kept of a unit over a medium (store_medium()): nothing of a file is kept from those who
 * see another one in its place. Any thread, as the next. */
enum lu_wiped wipes_find(struct wipes *w, const uint8_t naa[16], uint64_t medium);
/* Forgets it here; in the catalog inside a request's run(). For a unit that is gone for good. */
void wipes_forget(struct wipes *w, const uint8_t naa[16]);
int wipes_forget_stored(struct catalog_tx *tx, const uint8_t naa[16]);

#endif

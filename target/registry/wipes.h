/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks of which a SANITIZE has begun and not succeeded: between the units, which say so, and the
 * catalog, which keeps it over a crash, as registry/modes.h does for mode pages.
 */
#ifndef REGISTRY_WIPES_H
#define REGISTRY_WIPES_H

#include "catalog/catalog.h"
#include "scsi/lu.h"

struct wipes;

/* Reads what the catalog keeps, and logs it. 0 and *out, or -errno with *why filled. Blocks; main
 * thread, at start. */
int wipes_load(struct catalog *c, struct wipes **out, struct catalog_error *why);
/* What units ask to be kept from here on fails with -ESHUTDOWN: before the catalog is closed, which
 * ends what is under way. NULL is fine. Main thread. */
void wipes_stop(struct wipes *w);
/* No unit is left. NULL is fine. */
void wipes_free(struct wipes *w);

/* Through which units keep; lives as long as w. */
struct lu_wipe_keeper *wipes_keeper(struct wipes *w);

/* What is kept of a unit over a medium (store_medium()): nothing of a file is kept from those who
 * see another one in its place. Any thread, as the next. */
enum lu_wiped wipes_find(struct wipes *w, const uint8_t naa[16], uint64_t medium);
/* Forgets it here; in the catalog inside a request's run(). For a unit that is gone for good. */
void wipes_forget(struct wipes *w, const uint8_t naa[16]);
int wipes_forget_stored(struct catalog_tx *tx, const uint8_t naa[16]);

#endif

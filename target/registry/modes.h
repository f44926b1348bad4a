/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode pages that initiators have saved (MODE SELECT with SP=1): between the units, which hand over
 * what is to be kept, and the catalog, which keeps it. What is durable is here in memory as well,
 * for a unit that is made anew while the server runs.
 */
#ifndef REGISTRY_MODES_H
#define REGISTRY_MODES_H

#include "catalog/catalog.h"
#include "registry/kept.h"
#include "scsi/lu.h"

/* Zeros before it is loaded: nothing is kept. Stopped and ended by its set (registry/kept.h). */
struct modes {
	struct lu_mode_keeper keeper; /* private */
	struct kept_set set;
};

/* Reads what the catalog keeps. 0, or -errno with *why filled. Blocks; main thread, at start. */
int modes_load(struct modes *m, struct catalog *c, struct catalog_error *why);

/* Through which units keep; lives as long as m. NULL: it is not loaded, mode pages cannot be saved. */
struct lu_mode_keeper *modes_keeper(struct modes *m);

/* What a unit has saved. False: nothing. Any thread, as the next. */
bool modes_find(struct modes *m, const uint8_t naa[16], struct lu_saved *out);
/* Forgets it here; in the catalog inside a request's run(). For a unit that is gone for good. */
void modes_forget(struct modes *m, const uint8_t naa[16]);
int modes_forget_stored(struct catalog_tx *tx, const uint8_t naa[16]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode pages that initiators have saved (MODE SELECT with SP=1): between the units, which hand over
 * what is to be kept, and the catalog, which keeps it. What is durable is here in memory as well,
 * for a unit that is made anew while the server runs.
 */
#ifndef REGISTRY_MODES_H
#define REGISTRY_MODES_H

#include "catalog/catalog.h"
#include "scsi/lu.h"

struct modes;

/* Reads what the catalog keeps. 0 and *out, or -errno with *why filled. Blocks; main thread, at
 * start. */
int modes_load(struct catalog *c, struct modes **out, struct catalog_error *why);
/* What units ask to be kept from here on fails with -ESHUTDOWN: before the catalog is closed, which
 * ends what is under way. NULL is fine. Main thread. */
void modes_stop(struct modes *m);
/* No unit is left. NULL is fine. */
void modes_free(struct modes *m);

/* Through which units keep; lives as long as m. */
struct lu_mode_keeper *modes_keeper(struct modes *m);

/* What a unit has saved. False: nothing. Any thread, as the next. */
bool modes_find(struct modes *m, const uint8_t naa[16], struct lu_saved *out);
/* Forgets it here; in the catalog inside a request's run(). For a unit that is gone for good. */
void modes_forget(struct modes *m, const uint8_t naa[16]);
int modes_forget_stored(struct catalog_tx *tx, const uint8_t naa[16]);

#endif

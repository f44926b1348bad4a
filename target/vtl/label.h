/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cartridge's label: the file "label" in its directory, with who it is, what it has been through,
 * and the host's attributes. It is always written anew and moved over the old one.
 *
 * 0 or -errno.
 */
#ifndef VTL_LABEL_H
#define VTL_LABEL_H

#include "vtl/format.h"
#include "vtl/mam.h"

#define LABEL_LOADS 4u /* drives that are remembered */

struct label {
	struct identity identity;
	struct cartridge_counters life;
	struct cartridge_counters last; /* of the last load, or of this one */
	char drive[LABEL_LOADS][CARTRIDGE_DRIVE_SIZE]; /* the last first; "" */
	uint64_t alerts;
	uint32_t changes; /* volume change reference */
	struct mam mam;
};

/* The label in a directory. -EBADMSG when it is damaged, -ENOTSUP when a later version wrote it. */
int label_load(int dir, struct label *out);

/* Durable when it gives 0; the old one is there when it does not. */
int label_save(int dir, const struct label *l);

#endif

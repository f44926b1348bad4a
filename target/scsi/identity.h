/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who a logical unit is, and what it held before the restart: the part of making one that all
 * models share.
 */
#ifndef SCSI_IDENTITY_H
#define SCSI_IDENTITY_H

#include "scsi/lu.h"

struct lu_identity {
	const char *vendor, *product, *revision; /* at most 8, 16, 4 printable ASCII characters */
	const char *serial; /* at most 64; empty or NULL: from the NAA identifier */
	const uint8_t *naa; /* 16 bytes */
};

/* Copies it into a unit that nobody knows yet. False: a text is too long or not printable. */
bool lu_identify(struct lu *lu, const struct lu_identity *id);

/* Takes up the reservations that were kept; after lu_init(). False: they make no sense; what there
 * was of them is gone again. */
bool lu_restore(struct lu *lu, const struct lu_reservation *r);

#endif

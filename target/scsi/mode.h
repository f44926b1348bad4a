/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode pages as rows: what a page says by default, and which of its bits an initiator may change.
 * The current values are the unit's; no page can be saved.
 */
#ifndef SCSI_MODE_H
#define SCSI_MODE_H

#include <stdint.h>

#include "scsi/unit.h"

struct mode_page {
	uint8_t code, subpage;
	uint8_t len;                        /* of the whole page; 0 ends the list */
	uint8_t defaults[MODE_PAGE_SIZE];   /* with its header, PS = 0 */
	uint8_t changeable[MODE_PAGE_SIZE]; /* without a header */
};

/* Default values (lu_init(), resets). Under the unit's lock, or before anybody knows the unit. */
void mode_reset(struct lu *lu);

#endif

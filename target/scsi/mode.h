/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode pages as rows: what a page says by default, and which of its bits an initiator may change.
 * The current values are the unit's. Where it has a keeper, the pages of which something may be
 * changed can be saved; what is saved is what a reset brings back.
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
	uint8_t state; /* a byte that tells how things are, of which MODE SELECT asks nothing; 0: none */
};

/*
 * What a model has beyond the table; everything is optional, and called under the unit's lock. A
 * MODE SELECT is taken as a whole or not at all: what it brings is looked at in copies.
 */
struct mode_rules {
	uint8_t block_descriptor; /* its length: 8, in the format of SSC-4 8.3.2, or 0: none */
	bool bare;                /* page 00h asks for header and block descriptor alone */
	bool any_format;          /* PF=0 is taken, too: the pages are as with PF=1 */
	/* The default values of the page, as this unit has them now. */
	void (*defaults)(const struct lu *lu, const struct mode_page *p, uint8_t *values);
	void (*head_defaults)(const struct lu *lu, struct mode_head *h);
	/* What such a byte of the page is now. */
	uint8_t (*state)(const struct lu *lu, const struct mode_page *p);
	/* Looks at a header and block descriptor; the latter begins at byte `at` of the list, or
	 * has not come (0). False: the task has its status. */
	bool (*select_head)(struct scsi_task *t, const struct mode_head *now,
		struct mode_head *next, unsigned at);
	/* The same for a page of which no bit has changed that may not. */
	bool (*select_page)(struct scsi_task *t, const struct mode_page *p, const uint8_t *now,
		uint8_t *next, unsigned at);
	/* The values have changed. */
	void (*changed)(struct lu *lu);
};

/* Saved or else default values (lu_init(), resets). Under the unit's lock, or before anybody knows
 * the unit. */
void mode_reset(struct lu *lu);
/* Gives the unit a keeper (NULL: none), and what was saved (NULL: nothing). Before anybody knows
 * the unit. */
void mode_restore(struct lu *lu, struct lu_mode_keeper *keeper, const struct lu_saved *saved);
/* The same for one page, where what it tells of has changed. */
void mode_reset_page(struct lu *lu, uint8_t code, uint8_t subpage);
/* The current values of a page, or NULL. Likewise. */
uint8_t *mode_values(struct lu *lu, uint8_t code, uint8_t subpage);

#endif

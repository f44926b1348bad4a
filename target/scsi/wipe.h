/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wiping a whole unit in the background, for SANITIZE and FORMAT UNIT.
 */
#ifndef SCSI_WIPE_H
#define SCSI_WIPE_H

#include <stdint.h>

#include "scsi/task.h"
#include "scsi/unit.h"

enum wipe_kind {
	WIPE_ERASE,     /* every block is unmapped */
	WIPE_OVERWRITE, /* every block is written with the pattern, once a pass */
	WIPE_FORMAT,    /* every block reads as zeros */
	WIPE_NOTHING,   /* private */
};

struct wipe_plan {
	enum wipe_kind kind;
	bool immediate;         /* the command ends when it has begun */
	bool may_exit;          /* AUSE: EXIT FAILURE MODE ends a failed state */
	unsigned passes;        /* of an overwrite */
	bool invert;            /* every other pass writes the complement, but not the last */
	const uint8_t *pattern; /* one block; borrowed for the call */
};

/* Begins, when all writers that were under way have ended. Gives what the command's handler
 * returns. An abort lets the command go, and not the wiping. */
enum scsi_next wipe_begin(struct scsi_task *t, const struct wipe_plan *plan);
bool wipe_cancel(struct scsi_task *t);
/* Ends the state that a failed SANITIZE has left, where that may be. Likewise. */
enum scsi_next wipe_leave(struct scsi_task *t);

#endif

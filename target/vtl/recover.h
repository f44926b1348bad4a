/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log after a crash, or with damage: its end is found, and the part of the index that is wrong is
 * made anew. Nothing is written but by recover_tail().
 *
 * 0 or -errno.
 */
#ifndef VTL_RECOVER_H
#define VTL_RECOVER_H

#include "vtl/reel.h"

/*
 * Finds the tail of a log that has just been opened, and sets the reel by it. From what was synced
 * last on, records count as long as their checksums hold; the first that is wrong is where an
 * append was interrupted, and from there on the file is cut off if it is writable. When it is not
 * known what was synced last (both slots are lost, or the file is shorter than they say), the log
 * is walked through from its beginning, over damaged records, and nothing is cut.
 */
int recover_tail(struct reel *r);

/* The content of checkpoint `ordinal`, which stands at off: the marks and the span before it.
 * -EBADMSG when it is damaged. */
int recover_checkpoint(struct reel *r, uint64_t off, uint64_t ordinal, struct marks *marks,
	struct span *span);

/* Span `ordinal`, which ends at or before off, with the marks before it: from the records, when
 * the checkpoint that has it is damaged. */
int recover_span(struct reel *r, uint64_t off, uint64_t ordinal, struct tail *out);

#endif

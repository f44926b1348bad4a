/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the way in a log with its index: from the tail over the checkpoints' marks to the span
 * that has the object, in about as many reads as the number of checkpoints has bits. A damaged
 * checkpoint is made anew, in memory, from the records before it.
 *
 * 0 or -errno; -EBADMSG when the log is too damaged to find the way.
 */
#ifndef VTL_SEEK_H
#define VTL_SEEK_H

#include "vtl/reel.h"

struct place {
	uint64_t object;
	uint64_t off;   /* of its record; at the end of the log: of the tail */
	uint64_t files; /* filemarks before it */
};

/* Where object n is; n is at most the number of objects, which is the end of the log. */
int seek_object(struct reel *r, uint64_t n, struct place *out);

/* Whether object n, which is there, is a filemark as far as the index knows. */
int seek_is_filemark(struct reel *r, uint64_t n, bool *out);

/* The object that is the filemark with so many before it; there is one. */
int seek_filemark(struct reel *r, uint64_t files, uint64_t *object);

/* The tail that the log had before object n was written. */
int seek_tail(struct reel *r, uint64_t n, struct tail *out);

#endif

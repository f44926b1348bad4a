/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index of a partition's log. Every 256 objects make a span, and behind each span that another
 * follows stands a checkpoint: it has the offsets of the span's objects and a mark for earlier
 * checkpoints, 1, 2, 4 ... back, as in a skip list. So the index grows with the log, is cut with
 * it, and an object of a full tape is found with some twenty small reads. Checkpoint k (from 1 on)
 * stands before object 256 k and begins span k; span 0 begins with the log.
 *
 * Here are the figures in memory; vtl/format.h has their bytes, vtl/seek.h the way through them.
 */
#ifndef VTL_INDEX_H
#define VTL_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#define SPAN_OBJECTS 256u
#define MARK_LEVELS  48u /* more than the checkpoints of 2^63 bytes ask for */

/* Where a checkpoint stands, and the filemarks before it. */
struct mark {
	uint64_t offset;
	uint64_t files;
};

/* The checkpoints up to one: level[j] is the last whose ordinal is a multiple of 2^j. As many
 * levels are there as marks_levels() says. */
struct marks {
	uint64_t ordinal; /* of the last one; 0 when there is none */
	struct mark level[MARK_LEVELS];
};

/* The objects between two checkpoints. */
struct span {
	uint64_t ordinal;
	uint64_t base;  /* offset of the checkpoint before it, or of the log's beginning */
	uint64_t files; /* filemarks before it */
	unsigned int n; /* objects: SPAN_OBJECTS but for the last span */
	uint32_t entry[SPAN_OBJECTS];
};

/* The end of a log, and all that is needed to go on from there. */
struct tail {
	uint64_t off;     /* where the next record goes */
	uint64_t last;    /* offset of the last record; 0 when there is none */
	uint64_t objects, files;
	uint32_t epoch;   /* goes up with each cut */
	struct marks marks;
	struct span span; /* the last: its ordinal is that of marks */
};

unsigned int marks_levels(uint64_t ordinal);
/* The ordinal that level j stands for. */
uint64_t marks_ordinal(const struct marks *m, unsigned int level);
/* One more checkpoint: its ordinal is the next. */
void marks_add(struct marks *m, struct mark mark);

uint64_t span_offset(const struct span *s, unsigned int i);
bool span_is_filemark(const struct span *s, unsigned int i);
/* Filemarks before its i-th object, counted from the log's beginning. */
uint64_t span_files(const struct span *s, unsigned int i);

/* An empty log. */
void tail_start(struct tail *t, uint32_t epoch);
/* Whether a checkpoint comes before the next object. */
bool tail_wants_checkpoint(const struct tail *t);
/* A checkpoint of so many bytes was put at t->off. */
void tail_checkpoint(struct tail *t, uint64_t size);
/* An object was put there; a checkpoint was not wanted. False, and nothing is changed, when that is
 * farther from the span's base than an entry can tell. */
bool tail_object(struct tail *t, uint64_t size, bool filemark);

#endif

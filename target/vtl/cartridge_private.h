/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the cartridge share: cartridge.c reads and writes, cartridge_open.c makes,
 * opens and formats, cartridge_space.c moves, cartridge_attribute.c tells of it.
 */
#ifndef VTL_CARTRIDGE_PRIVATE_H
#define VTL_CARTRIDGE_PRIVATE_H

#include "vtl/label.h"
#include "vtl/payload.h"
#include "vtl/reel.h"
#include "vtl/seek.h"

struct cartridge {
	int dir;
	bool read_only;   /* nothing in the directory changes */
	bool counts_load; /* a drive has it */
	bool label_dirty;
	bool full_told;   /* the log has it that the file system is full */
	bool change_told; /* the next change makes the volume change reference another one */
	bool change_unsaved; /* the label on disk has the one before */
	struct cartridge_info info;
	struct label label;
	struct cartridge_counters load; /* since it was opened */
	struct payload *payload;
	unsigned int partition;         /* where the tape stands */
	struct place at;                /* off is 0 where the index could not tell */
	struct reel reel[CARTRIDGE_PARTITIONS];
	struct tail cut;                /* while a write prepares: where the log will end */
	struct batch batch;
};

static inline struct reel *cartridge_reel(struct cartridge *c)
{
	return &c->reel[c->partition];
}

/* What an error of the layers below is for whoever uses the cartridge. */
enum cartridge_result cartridge_result_of(int err);

/* Adds to the counters of the load and of the life. */
void cartridge_count(struct cartridge *c, const struct cartridge_counters *more);

/* Moves to an object of a partition, which is there or is the end. The tape stays where it is when
 * that fails. */
enum cartridge_result cartridge_go(struct cartridge *c, unsigned int partition, uint64_t object);

#endif

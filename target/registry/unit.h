/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit, and what is behind it: a store, or a device of a tape library. For the sets of units
 * (registry/units.h) alone.
 *
 *   unit ──▶ lu (scsi/)                   unit      lives while a set or a nexus has it
 *     └────▶ backing ──▶ store            backing   lives while a unit has it
 *                   or library
 */
#ifndef REGISTRY_UNIT_H
#define REGISTRY_UNIT_H

#include "registry/units.h"
#include "registry/ways.h"

struct backing {
	struct units_env *env;
	struct store *store; /* NULL: it is a device of a library, which is held */
	struct served_library *library;
	unsigned device;
	char *path;     /* of a file store; or NULL */
	unsigned users; /* units */
	bool made;      /* the file was made for it, and has not been in use yet */
	struct work work;
};

/* What a nexus can see of a unit: two units that are equal in this, over the same store, are one. */
struct unit_traits {
	uint8_t naa[16];
	uint32_t block_size, physical_block_size;
	bool read_only, removable, thin, write_through, long_cdbs;
	char vendor[9], product[17], revision[5], serial[37];
};

struct unit {
	struct units_env *env;
	struct list leaving; /* in env->leaving when sets is 0 */
	struct backing *backing;
	struct unit_traits traits;
	struct lu *lu;
	unsigned sets; /* that have it; the lu's reference is theirs together */
	struct loop_msg gone;
	struct store_io flush; /* the last of it */
};

/* Opens the store of a row, and makes its file if need be. 0 and *out, which no unit has yet, or
 * -errno with why. */
int backing_open(struct units_env *env, const struct config_lun *row, struct backing **out,
	struct store_error *why);
/* The device that a row names. 0 or -ENOMEM. */
int backing_hold(struct units_env *env, const struct libraries *libraries,
	const struct config_lun *row, struct backing **out);
/* Removes a file that was made for it: nobody has been served from it, so there is nothing in it. */
void backing_unmake(const struct backing *b);

/* 0, or -EIO: no identifier could be derived. */
int unit_traits_of(const struct units_env *env, const struct libraries *libraries,
	const struct config_target *target, const struct config_lun *row, struct unit_traits *t);
bool unit_traits_same(const struct unit_traits *a, const struct unit_traits *b);

/* With the reservations and mode pages that are kept of it; one set has it. Takes over the caller's
 * hold on the backing, also when it fails. 0 or -errno. */
int unit_create(struct units_env *env, struct backing *b, const struct unit_traits *t,
	const struct ways *ways, struct unit **out);
/* One set less has it. NULL is fine. */
void unit_put(struct unit *u);

#endif

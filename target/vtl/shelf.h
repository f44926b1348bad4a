/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories of cartridges, DIR/BARCODE: what a library and its archive do with cartridges as a
 * whole. Everything is whole or not at all after a crash, and can be asked for again.
 *
 * All calls block, on any thread, one at a time for one barcode. 0 or -errno.
 */
#ifndef VTL_SHELF_H
#define VTL_SHELF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtl/cartridge.h"

#define SHELF_PATH_MAX 4096

/* DIR/BARCODE; false where it does not fit. */
bool shelf_path(const char *dir, const char *barcode, char *buf, size_t size);

/* What is known of a cartridge that is taken up. */
struct shelf_found {
	unsigned int generation;
	bool worm, cleaning;
	bool made;           /* by shelf_make(), just now */
	uint64_t size, used; /* bytes */
};

/* Makes a cartridge, or takes up one that a call before has made and nobody has used. -EEXIST when
 * there is one with something on it, or of other kind. */
int shelf_make(const char *dir, const struct cartridge_cfg *cfg, struct shelf_found *out);

/* Looks at one that is there: -ENOENT; -EBADMSG when it is none, or has another barcode; -EBUSY. */
int shelf_look(const char *dir, const char *barcode, struct shelf_found *out);

/* How much is on one, whoever has it open: as of when that was last made durable. Costs no more
 * than a read of each partition's beginning. -ENOENT, -EBADMSG, -ENOTSUP. */
int shelf_used(const char *dir, const char *barcode, uint64_t *used);

/*
 * Removing, in two steps with a decision between them: shelf_hide() gives the directory a name that
 * nobody uses, shelf_show() takes that back, shelf_destroy() cannot be taken back.
 */
int shelf_hide(const char *dir, const char *barcode);
int shelf_show(const char *dir, const char *barcode);
int shelf_destroy(const char *dir, const char *barcode);

/* After a crash: what is hidden and kept() is shown again, the rest destroyed. What cannot be is
 * left, with a log line; so is a cartridge that is not kept(), and was never hidden, and what is
 * left of making one. */
void shelf_settle(const char *dir, bool (*kept)(const char *barcode, void *arg), void *arg);

/* How a cartridge is getting on; may be looked at from any thread meanwhile. */
struct shelf_way {
	atomic_bool stop;               /* the copy is to end: set by whoever wants that */
	_Atomic uint64_t copied, total; /* bytes; total is 0 while nothing is copied */
};

/* Moves a cartridge from one directory to another, if need be to another file system. Where it is
 * there already, the copy left behind goes. -ECANCELED when way->stop became true: then it is where
 * it was. -EEXIST when another cartridge is there, or this one as it was at another time; -EBUSY
 * when somebody has it open. */
int shelf_carry(const char *from, const char *to, const char *barcode, struct shelf_way *way);

#endif

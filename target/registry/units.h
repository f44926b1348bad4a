/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The logical units that configurations declare, and what is behind them: stores, or devices of tape
 * libraries.
 *
 * A struct units is the set of one configuration. The next set takes over from the one before what
 * stays the same: a whole unit where nothing of it changed; the open store alone where a new unit
 * stands before old data (another serial number, say). What no set has any more is closed when the
 * last nexus has let go of it, on a thread that may block.
 */
#ifndef REGISTRY_UNITS_H
#define REGISTRY_UNITS_H

#include "registry/access.h"
#include "registry/libraries.h"
#include "registry/modes.h"
#include "registry/registry.h"
#include "registry/reservations.h"
#include "registry/target_ports.h"
#include "registry/wipes.h"
#include "store/engine.h"

/* What all sets share. The maker fills the first part; units_env_init() begins the rest. */
struct units_env {
	struct loop *loop;
	struct work_pool *pool;
	struct store_engine *engine;
	struct reservations reservations;
	struct modes modes;
	struct wipes wipes;
	struct target_ports *target_ports; /* NULL: ports go by the number of their group */
	struct access_states *access;      /* NULL: every portal group is active */
	uint8_t identity[STATE_IDENTITY_SIZE];
	bool in_place; /* close on this thread instead: nobody else needs it any more */

	struct list leaving; /* private: units that no set has any more, but a nexus still has */
	unsigned closing;    /* private: stores that are being closed or flushed on the pool */
	struct list waiting; /* private: for these */
};
void units_env_init(struct units_env *env);

/* Somebody who waits. */
struct units_wait {
	struct list link; /* private */
	void (*run)(struct units_wait *w);
};
/* Calls w->run when no store is being closed: in place, if there is none. */
void units_when_closed(struct units_env *env, struct units_wait *w);

struct units;

/* Opens and makes what cfg declares and `old` (NULL: nothing) has not. 0, or -errno with
 * faults added, one for each unit that cannot be. cfg and its libraries (NULL: it has none) are
 * borrowed for the set's life. */
int units_prepare(struct units_env *env, const struct config *cfg,
	const struct libraries *libraries, struct units *old, struct units **out,
	struct faults *faults);
/* Enlarges the stores that are to be larger, by the configuration or, where that is silent, because
 * what is behind them is, which nobody sees before units_commit(). The last
 * thing to try, as a file that has grown keeps its length. 0, or -errno with faults added. */
int units_enlarge(struct units *u, struct faults *faults);
/* Forgets a set that was prepared and never used: files that were made for it are removed, stores
 * that were enlarged for it get their old size. NULL is fine. */
void units_abandon(struct units *u);
/* Units that are made anew for it, with what only `old` knows of the ones before: before anybody is
 * served by it. 0 or -errno, as lu_succeed(). units_stay(): it is not to be, and those of `old` go
 * on. */
int units_succeed(struct units *u, struct units *old);
void units_stay(struct units *old);
/* The set is in use from now on: units that changed their size say so. One whose size is not in the
 * configuration and that has grown with what is behind it is logged, and the line of that given to
 * say(arg), which may be NULL. */
void units_commit(struct units *u, void (*say)(void *arg, const char *line), void *arg);
/* The access state of a portal group, as env->access has it now, has changed: every unit says so. */
void units_set_access(struct units *u, uint16_t group, enum lu_access access);
/* The server ends: lu_end_wiping() of all. NULL is fine. */
void units_end_wiping(struct units *u);
/* Lets go of a set. Its reactors' snapshots must have been replaced. NULL is fine. */
void units_free(struct units *u);

/* The unit behind a row (by way of same_as, if it says so); never NULL for a row of the set's own
 * configuration. Borrowed. */
struct lu *units_find(const struct units *u, const struct config_lun *row);
size_t units_count(const struct units *u);

#endif

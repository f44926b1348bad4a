/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tape libraries that configurations declare; one of them is registry/library.h.
 *
 * A struct libraries is the set of one configuration. The next set takes over a library whole where
 * nothing but its cartridges, credentials and portal groups changed. Where more did the old one is
 * closed as soon as no unit needs it, and the new one, which hosts see as getting ready meanwhile,
 * takes up the cartridges then: no cartridge ever has two owners.
 *
 * All calls are made on the main thread.
 */
#ifndef REGISTRY_LIBRARIES_H
#define REGISTRY_LIBRARIES_H

#include "catalog/catalog.h"
#include "registry/changer_choices.h"
#include "registry/library.h"
#include "registry/registry.h"

/* What all sets share. The maker fills the first part; libraries_env_init() begins the rest. */
struct libraries_env {
	struct loop *loop;
	struct work_pool *pool;
	struct catalog *catalog;
	uint8_t identity[STATE_IDENTITY_SIZE];

	struct changer_choices choices; /* of the next set */

	struct list open;  /* private: libraries, until they are closed */
	struct list locks; /* private: on their directories */
	unsigned closing;  /* private: how many are on their way there */
	/* Optional: libraries_open() or libraries_settled() may say something else now. */
	void (*changed)(void *arg);
	void *arg;
};
void libraries_env_init(struct libraries_env *env);

/* Whether any is open. */
bool libraries_open(const struct libraries_env *env);
/* Whether all that are open have taken up their cartridges, or failed to, and have made those that
 * are declared. */
bool libraries_settled(const struct libraries_env *env);

struct libraries;

/* Makes what cfg declares and `old` (NULL: nothing) has not, directories too; hosts are shown
 * nothing before libraries_commit(). 0, or -errno with faults added. cfg is borrowed for the set's
 * life. */
int libraries_prepare(struct libraries_env *env, const struct config *cfg, struct libraries *old,
	struct libraries **out, struct faults *faults);
/* Forgets a set that was never used. NULL is fine. */
void libraries_abandon(struct libraries *ls);
/* The set is in use from now on: new libraries take up their cartridges, and cartridges that are
 * declared and have never been are made. */
void libraries_commit(struct libraries *ls);
/* Lets go of a set, after its units. NULL is fine. */
void libraries_free(struct libraries *ls);

/* That of a row of the set's own configuration; never NULL. Borrowed. */
struct served_library *libraries_find(const struct libraries *ls, const struct config_library *row);
/* By its name; NULL when there is none. */
struct served_library *libraries_named(const struct libraries *ls, const char *name);

#endif

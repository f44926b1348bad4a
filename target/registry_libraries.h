/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tape libraries that configurations declare: each with its robot, its drives and what is
 * common to their logical units, which are the business of registry_units.
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
#include "registry.h"
#include "scsi/lu.h"
#include "vtl/library.h"

/* What all sets share. The maker fills the first part; libraries_env_init() begins the rest. */
struct libraries_env {
	struct loop *loop;
	struct work_pool *pool;
	struct catalog *catalog;
	uint8_t identity[STATE_IDENTITY_SIZE];

	struct changer_choice *choices; /* private: see libraries_choose() */
	size_t n_choices;
	struct list open; /* private: libraries, until they are closed */
	struct list locks; /* private: on their directories */
	unsigned closing; /* private: how many are on their way there */
	/* Optional: libraries_open() or libraries_settled() may say something else now. */
	void (*changed)(void *arg);
	void *arg;
};
void libraries_env_init(struct libraries_env *env);
/* Reads which changers have been chosen while the server ran. 0, or -errno with *why filled. */
int libraries_load(struct libraries_env *env, struct catalog_error *why);
void libraries_env_end(struct libraries_env *env);

/*
 * From the next set on the library of this name has this changer, whatever the configuration says;
 * NULL: what that says. libraries_choice_store() writes it down: inside a request's run(), 0 or
 * -errno. False: no memory, or no such model.
 */
bool libraries_choose(struct libraries_env *env, const char *library, const char *model);
int libraries_choice_store(struct catalog_tx *tx, const char *library, const char *model);

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

/* --- one library ---------------------------------------------------------------------------- */

struct served_library;

/* That of a row of the set's own configuration; never NULL. Borrowed. */
struct served_library *libraries_find(const struct libraries *ls, const struct config_library *row);
/* By its name; NULL when there is none. */
struct served_library *libraries_named(const struct libraries *ls, const char *name);

struct library *served_library_robot(const struct served_library *s);
/* 1 is the first; NULL when there are fewer. */
struct drive *served_library_drive(const struct served_library *s, unsigned n);
const char *served_library_archive(const struct served_library *s); /* its directory */

/* Somebody has put cartridges into mail slots or taken some out: those that have a pool, and are
 * still there a few seconds later, go to the archive. */
void served_library_mail_changed(struct served_library *s);

/* What hosts see of a device: 0 is the changer, the drives follow. Text lives as long as the
 * library. `place` is what its identifier is derived from, and stays for ever. */
struct served_device {
	const char *vendor, *product, *revision, *serial;
	char place[96];
};
void served_library_device(
	const struct served_library *s, unsigned device, struct served_device *out);

struct device_cfg {
	uint8_t naa[16];
	struct lu_keeper *keeper; /* as disk_cfg has them, and what follows */
	const struct lu_reservation *kept;
	void (*gone)(void *arg);
	void *arg;
};
/* A logical unit for a device. It needs the library, so the caller holds it until gone(). 0 and
 * *out with one reference, or -ENOMEM, -EINVAL. */
int served_library_unit(
	struct served_library *s, unsigned device, const struct device_cfg *cfg, struct lu **out);

/* The library is closed when nobody holds it any more. */
void served_library_hold(struct served_library *s);
void served_library_release(struct served_library *s);

#endif

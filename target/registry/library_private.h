/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of a library that is served: for library.c, library_tapes.c and libraries.c
 * alone. */
#ifndef REGISTRY_LIBRARY_PRIVATE_H
#define REGISTRY_LIBRARY_PRIVATE_H

#include "registry/libraries.h"
#include "registry/library_lock.h"
#include "vtl/drive.h"

#define SERIAL_SIZE 16 /* of a device: that of the library in 10, and two digits */

/* What makes a library this one: where it differs, there is another. */
struct library_traits {
	char *name, *path, *archive, *serial, *place;
	enum changer_model_id model;
	uint32_t generation, drives, slots, mail_slots;
};

/* Cartridges that are declared, being made one after the other. */
struct library_making {
	struct config_tape *tapes; /* copies */
	size_t n, next;
	struct library_request request;
	bool busy;
};

/* The one way to the archive: what has a pool and lies in a mail slot. */
struct library_transit {
	struct loop_timer timer;
	struct library_request request;
	char barcode[BARCODE_SIZE];
	bool busy;
};

struct served_library {
	struct libraries_env *env;
	struct list link; /* env->open, the oldest in front */
	struct library_traits traits;
	unsigned holds;    /* sets and units, and what is under way */
	unsigned settling; /* drives */
	struct library_lock *path_lock, *archive_lock;
	bool made_path, made_archive, committed, started, loaded, failed, closing;
	struct library *robot;
	struct drive **drives;
	char (*serials)[SERIAL_SIZE]; /* of the devices */
	struct library_making making;
	struct loop_timer again; /* when the catalog could not be read */
	struct library_transit transit;
	struct work work;
};

/* False: no memory, and nothing in *t to be freed. */
bool library_traits_of(const struct libraries_env *env, const struct config_library *row,
	struct library_traits *t);
bool library_traits_same(const struct library_traits *a, const struct library_traits *b);
void library_traits_free(struct library_traits *t);

/* A new one in env->open, held once. Takes over the traits, also when it fails. 0, or -errno with
 * faults added. */
int served_library_open(struct libraries_env *env, const struct config *cfg,
	const struct config_library *row, struct library_traits *traits,
	struct served_library **out, struct faults *faults);
/* Removes the directories that were made for it: it was never in use. */
void served_library_unmake(const struct served_library *s);
/* Has one that is committed take up its cartridges, as soon as no older one may still have them. */
void served_library_start(struct served_library *s);
/* Directories may be the same by different paths. */
bool served_library_shares(const struct served_library *a, const struct served_library *b);

/* --- cartridges that are declared or leave: library_tapes.c ----------------------------------- */

void served_library_tapes_init(struct served_library *s);
/* Has those that the row declares, and that have never been, made: as soon as it is ready. */
void served_library_tapes_declare(struct served_library *s, const struct config_library *row);
/* The robot and the drives have what there is. */
void served_library_tapes_ready(struct served_library *s);
/* No timer comes any more. */
void served_library_tapes_stop(struct served_library *s);
void served_library_tapes_free(struct served_library *s);

/* --- all of them: libraries.c ----------------------------------------------------------------- */

/* libraries_open() or libraries_settled() may say something else now. */
void libraries_tell(struct libraries_env *env);

#endif

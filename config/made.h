/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Targets that the file does not list: those of volumes that were made while the server ran, and
 * those of the devices of libraries. They are added to a configuration that is not in force yet, so
 * that it is all that there is to serve.
 */
#ifndef CONFIG_MADE_H
#define CONFIG_MADE_H

#include "config/config.h"

/* What the file says, once more: without what was made. It knows no lines: config_where() gives the
 * first one. NULL when out of memory; the caller's to config_free(). */
struct config *config_copy_declared(const struct config *cfg);

/*
 * Adds the targets of the libraries, unless they are there: one for each device, or one for all,
 * each with the library's credentials. Nobody may hold addresses of targets of cfg. False: no
 * memory; it may be tried again.
 */
bool config_make_library_targets(struct config *cfg);

/* A disk on a file that is there. Text is copied. */
struct config_made {
	const char *target;
	uint32_t lun;
	const char *path, *naa;
	uint64_t size;
	uint32_t block_size;
	bool read_only;
	bool chap;              /* nobody logs in to the target without a credential */
	bool create;            /* the file is a regular one, and may be extended to size */
	const uint32_t *groups; /* portal groups that show the target, if this LUN is its first */
	size_t n_groups;        /* 0: all */
};

/* Whether the file has a target of this name, be it of a library. */
bool config_declares_target(const struct config *cfg, const char *name);
/* Whether the file has a disk on this file. */
bool config_declares_path(const struct config *cfg, const char *path);

/* Adds the disk, and its target where that is not there. The target is none of the file's, and has
 * no such LUN yet. Nobody may hold addresses of targets of cfg. False: no memory, and cfg is as it was
 * or has an empty target more. */
bool config_make(struct config *cfg, const struct config_made *made);

/* For the two above: makes room behind the targets for so many more, at least one. False: no memory. */
bool config_make_room(struct config *cfg, size_t more);

#endif

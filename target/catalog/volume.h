/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Volumes that were made through an API, and the disks that such a volume, or a cache, has
 * taken. The data lie elsewhere; this is what is to be exported, and how.
 */
#ifndef CATALOG_VOLUME_H
#define CATALOG_VOLUME_H

#include "catalog/catalog.h"

/* The values are those of the database. */
enum catalog_volume_kind {
	CATALOG_VOLUME_POOL = 0, /* a file of ours in a pool's directory */
	CATALOG_VOLUME_DISK = 1, /* a disk that the configuration offers */
};

/* Text may be NULL when given, which means ""; when loaded it never is. */
struct catalog_volume {
	const char *id;      /* "vol-1122AABB"; never used twice at a time */
	const char *gateway; /* "" when it is none of a gateway's */
	enum catalog_volume_kind kind;
	const char *pool; /* of a POOL volume: the pool's name, */
	const char *file; /* and the file's, without a directory */
	const char *disk; /* of a DISK volume: the disk's id */
	uint64_t size;    /* bytes */
	uint32_t block_size;
	const char *target; /* iSCSI name of the target that it has, or last had */
	uint32_t lun;
	const char *portal; /* the address that was asked for, or "" */
	bool attached;      /* exported; no two attached ones share target and LUN */
	bool read_only;
	bool preserved; /* a DISK volume whose data were there before */
	int64_t created;
};

/* All below: inside a request's run(). */

/* Adds a volume. -EEXIST when its id, its file in the pool, its disk, or (attached) its target and
 * LUN are taken. */
int catalog_volume_add(struct catalog_tx *tx, const struct catalog_volume *v);
/* Changes the one with its id. -ENOENT, -EEXIST as above, or -errno. */
int catalog_volume_put(struct catalog_tx *tx, const struct catalog_volume *v);
/* Its disk is free again. -ENOENT or -errno. */
int catalog_volume_remove(struct catalog_tx *tx, const char *id);
/* Calls row() for each, in the order of ids, until it gives another value than 0, which is then
 * what this gives. */
int catalog_volume_load(
	struct catalog_tx *tx, int (*row)(const struct catalog_volume *v, void *arg), void *arg);

/* A disk that serves a gateway otherwise than as a volume. */
struct catalog_disk {
	const char *gateway;
	const char *id;
	const char *use; /* "CACHE STORAGE", "UPLOAD BUFFER" … */
};

/* -EEXIST when it is in use already, by a volume too. */
int catalog_disk_allocate(struct catalog_tx *tx, const struct catalog_disk *d);
/* As catalog_volume_load(). */
int catalog_disk_load(
	struct catalog_tx *tx, int (*row)(const struct catalog_disk *d, void *arg), void *arg);

#endif

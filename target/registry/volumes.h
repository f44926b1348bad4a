/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Volumes: disks that are made while the server runs, as sparse files in the directories that the
 * configuration calls pools, or on disks that it offers (management.aws.disks). Each has a LUN of a
 * target of its own kind, which comes with its first volume and goes with its last; a target of the
 * configuration file takes none.
 *
 * What is answered is in the catalog, and so is there after a restart. All calls are made, and all
 * callbacks come, on the thread of the main loop.
 */
#ifndef REGISTRY_VOLUMES_H
#define REGISTRY_VOLUMES_H

#include "catalog/volume.h" /* disks that serve otherwise than as volumes */
#include "registry/registry.h"

struct registry_volume {
	const char *id;      /* "vol-1122AABB" */
	const char *pool;    /* its name; NULL: it is on a disk */
	const char *disk;    /* the disk's id, or NULL */
	const char *path;    /* NULL: the configuration has no such pool or disk any more */
	const char *gateway; /* of the AWS dialect that made it, or "" */
	const char *portal;  /* the address that alone shows it; NULL: all do */
	const char *target;  /* that it is attached to, or was */
	uint32_t lun;
	uint64_t size; /* bytes */
	uint32_t block_size;
	bool attached;
	bool preserved;      /* its disk keeps what it held before */
	const char *trouble; /* why it is attached and yet not served; NULL: it is */
	int64_t created;     /* seconds since 1970 */
};

/* Gives every volume, in the order of ids; the strings live for the call of `each`. */
void registry_volumes(const struct registry *r,
	void (*each)(void *arg, const struct registry_volume *volume), void *arg);

#define REGISTRY_VOLUME_RESULTS(X) \
	X(VOLUME_DONE, "done") \
	X(VOLUME_NOT_FOUND, "there is no such volume") \
	X(VOLUME_NO_POOL, "no such pool; `pools` in the configuration file names them") \
	X(VOLUME_NO_DISK, "there is no such disk") \
	X(VOLUME_DISK_TAKEN, "the disk is in use") \
	X(VOLUME_ON_DISK, "the volume is as large as its disk") \
	X(VOLUME_NO_PORTAL, "there is no portal at this address") \
	X(VOLUME_BAD_TARGET, "not an iSCSI name, as iqn.2026-11.com.example:disk1 is one") \
	X(VOLUME_BAD_SIZE, "a size is a number of bytes, a multiple of the block size, and not 0") \
	X(VOLUME_BAD_BLOCK, "blocks are of 512 or 4096 bytes") \
	X(VOLUME_SHRINKS, "a volume can only grow") \
	X(VOLUME_NO_ROOM, "the volumes of this pool would pass its max_size") \
	X(VOLUME_TOO_MANY, "there are as many volumes as there may be") \
	X(VOLUME_TARGET_TAKEN, "there is a target of this name") \
	X(VOLUME_DECLARED, \
		"the target is declared in the configuration file: change it there, and reload") \
	X(VOLUME_LUN_TAKEN, "the target has this LUN already, or it is above 255") \
	X(VOLUME_ATTACHED, "the volume is attached already") \
	X(VOLUME_DETACHED, "the volume is not attached") \
	X(VOLUME_IN_USE, "initiators are logged in to the volume's target") \
	X(VOLUME_NOT_MADE, "the volume's file could not be made") \
	X(VOLUME_NOT_STORED, "the catalog could not be written") \
	X(VOLUME_NOT_SERVED, "the volume could not be put into service") \
	X(VOLUME_NO_MEMORY, "out of memory") \
	X(VOLUME_STOPPING, "the server is stopping")

#define REGISTRY_VOLUME_AS_ENUM(id, text) id,
enum registry_volume_result { REGISTRY_VOLUME_RESULTS(REGISTRY_VOLUME_AS_ENUM) };

/* Unless result is VOLUME_DONE nothing has changed. */
struct registry_volume_outcome {
	enum registry_volume_result result;
	const struct registry_volume *volume; /* as it is, or was before its end; NULL: failed */
	const char *text; /* a sentence for the administrator; borrowed for the call */
};

enum registry_volume_verb {
	VOLUME_CREATE, /* pool, size or disk, preserve; target, lun, block_size, portal, alone, most */
	VOLUME_RESIZE, /* id, size */
	VOLUME_ATTACH, /* id, target, lun, portal, alone */
	VOLUME_DETACH, /* id, force */
	VOLUME_DELETE, /* id, force */
};

#define VOLUME_ANY_LUN (-1)
#define VOLUME_LUN_MAX 255

struct registry_volume_change {
	enum registry_volume_verb verb;
	const char *id;
	const char *pool;    /* NULL: the first */
	const char *disk;    /* its id; NULL: a file in a pool */
	bool preserve;       /* what the disk holds; otherwise it is erased */
	const char *target;  /* NULL, where it was attached before: that one */
	int64_t lun;         /* or VOLUME_ANY_LUN: the lowest that is free */
	uint64_t size;       /* bytes */
	uint32_t block_size; /* 0: 512 */
	const char *portal;  /* address that alone shows the target; NULL: as it was, or all */
	bool alone;          /* the target must not be there yet */
	size_t most;         /* how many volumes there may be then; 0: any number */
	bool force;          /* also while initiators are logged in to the target */
	const char *gateway; /* of the AWS dialect, or NULL */
	const char *who;     /* for audit and log */
	/*
	 * What else belongs into the transaction of the change, on the catalog's thread and under the
	 * rules of a request's run(); NULL: nothing. With `undo` it takes back what it has done. 0, or
	 * -errno, and the change is not made.
	 */
	int (*also)(void *arg, struct catalog_tx *tx, const char *id, bool undo);
	/* Called once, perhaps before registry_volume_change() returns. */
	void (*done)(void *arg, const struct registry_volume_outcome *outcome);
	void *arg;
};

/*
 * Changes are made one after the other. When done() is told VOLUME_DONE the change is on stable
 * storage and in force on every reactor: sessions have been told by unit attention what they have to
 * know. What a deleted volume held is gone. *what is copied with its text.
 */
void registry_volume_change(struct registry *r, const struct registry_volume_change *what);

/* How large a file or block device is that may become a disk. False: it is not there. */
bool registry_disk_size(const char *path, uint64_t *size);

#endif

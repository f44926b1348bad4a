/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of volumes, for volumes.c, which keeps and serves it, and
 * volume_change.c, which changes it.
 */
#ifndef REGISTRY_VOLUMES_PRIVATE_H
#define REGISTRY_VOLUMES_PRIVATE_H

#include "registry/registry_private.h"
#include "registry/volumes.h"

#define VOLUME_ID_SIZE 32

struct volume {
	char id[VOLUME_ID_SIZE];
	char file[VOLUME_ID_SIZE + 8], pool[72]; /* "": it is on a disk */
	char disk[304];                          /* "": it is a file in a pool */
	char gateway[40];
	char target[REGISTRY_NAME_SIZE];
	char portal[80];
	uint64_t size;
	uint32_t block_size, lun;
	bool attached, preserved;
	int64_t created;
	char trouble[160];
};

struct volume_op;

struct volumes {
	struct volume *v; /* by id */
	size_t n;
	struct list queue; /* of changes: volume_change.c */
	struct volume_op *now;
	bool running; /* the queue is being walked further up the stack */
	bool stopped;
};

struct volume *volumes_find(struct volumes *vs, const char *id);
/* There is room for one more at any time, so that what has been stored can be taken in. */
bool volumes_make_room(struct volumes *vs);
/* Takes in a new volume, or another state of one that is there. */
void volumes_put(struct volumes *vs, const struct volume *v);
void volumes_take_out(struct volumes *vs, const char *id);

/* With NULL: the first. NULL: there is none of that name. */
const struct config_pool *volumes_pool(const struct config *cfg, const char *name);
/* The path of what a configuration offers as a disk; NULL: it does not. */
const char *volumes_disk(const struct config *cfg, const char *id);
/* Where a volume's data are: the caller's to free. NULL: the configuration has no such pool or
 * disk, or no memory. */
char *volume_path(const struct config *cfg, const struct volume *v);
/* Whether an address is, or stands for, that of a portal. */
bool volumes_has_portal(const struct config *cfg, const char *address);

/* The NAA identifier of its unit. False: it could not be derived. */
bool volume_naa(const struct registry *r, const struct volume *v, uint8_t naa[16]);

/* Borrows from both. */
struct registry_volume volume_view(const struct volume *v, const char *path);

/*
 * A file that is being made, or whose volume is gone, is noted in the catalog until it has its
 * volume or is removed; the next start removes those that are still noted. Inside a request's run().
 */
int volume_note_file(struct catalog_tx *tx, const struct volume *v);
int volume_forget_file(struct catalog_tx *tx, const struct volume *v);
/* What is kept of its unit (registry/modes.h, registry/wipes.h); likewise. For a volume that is gone. */
int volume_forget_kept(const struct registry *r, struct catalog_tx *tx, const struct volume *v);

/* What has not begun does not begin any more; tells the one under way what it has come to. */
void volume_changes_stop(struct registry *r);
void volume_changes_end(struct registry *r);

#endif

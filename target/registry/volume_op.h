/* SPDX-License-Identifier: BSD-2-Clause */
/* One change of volumes: what it asks for, and whether that can be. volume_change.c carries it out.
 * Main thread. */
#ifndef REGISTRY_VOLUME_OP_H
#define REGISTRY_VOLUME_OP_H

#include "registry/volume_file.h"
#include "registry/volumes_private.h"

struct volume_op {
	struct list link;
	struct registry *r;
	struct registry_volume_change what;
	char *id, *pool, *disk, *target, *gateway, *portal, *who;
	struct volume was, is;
	char *path;  /* of the volume's data; NULL where the change leaves them alone */
	bool stored; /* the row is written */
	bool undo;   /* the row is on its way back */
	struct catalog_request request;
	struct volume_file_work file;
	enum registry_volume_result result; /* what it ends with when the file is gone */
	char text[400];
};

/* Whether the volume, as it is to be, is a file of ours and no disk. */
static inline bool volume_op_has_file(const struct volume_op *op)
{
	return !*op->is.disk;
}

/* Fills op->was and op->is, or says why the change cannot be. */
enum registry_volume_result volume_op_check(struct volume_op *op);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways to a unit: the ports of targets through which it is reached, which is what it tells of
 * itself (REPORT TARGET PORT GROUPS). Main thread.
 */
#ifndef REGISTRY_WAYS_H
#define REGISTRY_WAYS_H

#include "config/config.h"
#include "iscsi/directory.h"
#include "registry/access.h"
#include "registry/target_ports.h"
#include "scsi/lu.h"

struct way {
	const struct config_lun *row; /* that declares the unit */
	const char *target;
	struct target_port port;
};

struct ways {
	struct way *v; /* by row, group and identifier */
	size_t n;
};

/* All of a configuration, from which they borrow. False: no memory. */
bool ways_list(struct ways *all, const struct config *cfg, const struct target_ports *ports);
void ways_free(struct ways *all);
/* Those to one unit, a part of `all`. */
struct ways ways_to(const struct ways *all, const struct config_lun *row);
/* Tells the unit of them. 0 or -errno. */
int ways_tell(const struct ways *ways, struct lu *lu, const struct access_states *access);

#endif

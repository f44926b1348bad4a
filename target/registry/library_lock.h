/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks on the directories of libraries: no other server serves the cartridges in them. Those of one
 * server share a lock, as a reload has the next library ready before the last one is closed.
 *
 * It is flock(2)'s on the directory itself, of which cartridges know nothing: tools open those that
 * are in no drive beside a server. Main thread.
 */
#ifndef REGISTRY_LIBRARY_LOCK_H
#define REGISTRY_LIBRARY_LOCK_H

#include <stddef.h>
#include <sys/types.h>

#include "base/list.h"

struct library_lock {
	struct list link; /* private, all */
	dev_t dev;
	ino_t ino;
	int fd;
	unsigned holds;
};

/*
 * Locks a directory, or shares the lock that one of `held` is, by whatever path. 0, or -errno: -EBUSY
 * when another process has it, which `who` then names ("" where that is not known). A file system
 * without locks costs a line in the log.
 */
int library_lock_take(
	struct list *held, const char *path, struct library_lock **out, char *who, size_t size);
/* NULL is fine. */
void library_lock_give(struct library_lock *lock);

#endif

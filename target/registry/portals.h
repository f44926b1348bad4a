/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listeners of the portals. As with units, the set of a new configuration is prepared aside:
 * it takes over the listeners that stay and binds the others, and nothing is heard on them before
 * it is committed. Main thread.
 */
#ifndef REGISTRY_PORTALS_H
#define REGISTRY_PORTALS_H

#include "registry/registry.h"

struct portals;

/* Binds the portals of cfg that `old` (NULL: none) has not; descriptors that fit are taken from
 * fds (n of them, may be none) and set to -1. 0, or -errno with faults added, one for each portal
 * that cannot be. */
int portals_prepare(const struct config *cfg, struct portals *old, int *fds, size_t n,
	struct portals **out, struct faults *faults);
/* Forgets a set that was prepared; what it took from `old` (NULL: nothing) goes back there. NULL
 * is fine. */
void portals_abandon(struct portals *set, struct portals *old);
/* From here on connections go to the server, on its reactors' threads. What `old` has left is
 * closed, and old freed. */
void portals_commit(struct portals *set, struct portals *old, struct iscsi_server *server);
/* Takes no connections any more; before the server is freed. NULL is fine. */
void portals_stop(struct portals *set);
/* Closes all. NULL is fine. */
void portals_free(struct portals *set);

/* Every portal as the directory wants it, in an array of its own that the caller frees; the
 * strings live as long as the set. NULL when memory is out. */
struct iscsi_portal *portals_directory(const struct portals *set, unsigned *n);

/* Gives all; the strings live for the call of `each`. */
void portals_each(const struct portals *set,
	void (*each)(void *arg, const struct registry_portal *portal), void *arg);

#endif

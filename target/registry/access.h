/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access states of target port groups (ALUA, SPC-5 5.18), which the administrator sets while the
 * server runs. A target port group is a portal group; its state is that of every unit behind it.
 * What has been set is in the catalog, and holds after a restart.
 *
 * All calls are made, and all callbacks come, on the thread of the main loop.
 */
#ifndef REGISTRY_ACCESS_H
#define REGISTRY_ACCESS_H

#include "registry/registry.h"

/* Gives every portal group that there is, ascending, with the name of its state: "active-optimized",
 * "active-non-optimized", "standby" or "unavailable". False: memory ran out. */
bool registry_port_groups(const struct registry *r,
	void (*each)(void *arg, uint16_t group, const char *state), void *arg);

#define REGISTRY_ACCESS_RESULTS(X) \
	X(ACCESS_DONE, "done") \
	X(ACCESS_NO_GROUP, "there is no such portal group") \
	X(ACCESS_BAD_STATE, \
		"a state is active-optimized, active-non-optimized, standby or unavailable") \
	X(ACCESS_NOT_STORED, "the catalog could not be written") \
	X(ACCESS_NO_MEMORY, "out of memory") \
	X(ACCESS_STOPPING, "the server is stopping")

#define REGISTRY_ACCESS_AS_ENUM(id, text) id,
enum registry_access_result { REGISTRY_ACCESS_RESULTS(REGISTRY_ACCESS_AS_ENUM) };

/* Unless result is ACCESS_DONE nothing has changed. */
struct registry_access_outcome {
	enum registry_access_result result;
	uint16_t group;
	const char *state; /* as it is now; NULL: failed */
	const char *text;  /* a sentence for the administrator; borrowed for the call */
};

struct registry_access_change {
	uint64_t group;
	const char *state;
	const char *who; /* for audit and log; both are copied */
	/* Called once, perhaps before registry_access_change() returns. */
	void (*done)(void *arg, const struct registry_access_outcome *outcome);
	void *arg;
};

/* When done() is told ACCESS_DONE the state is on stable storage and in force: sessions have been
 * told by unit attention, and commands that come from then on obey it. */
void registry_access_change(struct registry *r, const struct registry_access_change *what);

/* --- for the registry itself ---------------------------------------------------------------- */

struct access_states;

/* Reads what the catalog has. 0 and *out, or -errno with *why filled. Blocks. */
int access_states_load(struct catalog *c, struct access_states **out, struct catalog_error *why);
void access_states_free(struct access_states *a); /* NULL is fine */
/* Of NULL every group is active. */
enum lu_access access_states_of(const struct access_states *a, uint16_t group);

#endif

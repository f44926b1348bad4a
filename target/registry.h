/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry: everything between a configuration and the iSCSI server. It opens stores, makes
 * logical units with identities that stay, and out of these, the targets, the portals and the
 * credential table builds the snapshots that reactors work on.
 *
 * A change is built aside first: whatever can fail does so before anything that runs has been
 * touched. What a configuration does not change (an open store, a unit with its reservations, a
 * LUN map, a listener) is carried over and knows nothing of the change.
 *
 * What cannot be is told as a list of faults, each with the line of the configuration that it
 * comes from and the name of the portal, path or target that stands in the way.
 *
 * All calls are made, and all callbacks come, on the thread of the main loop.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "catalog/state_dir.h"
#include "chap/table_edit.h"
#include "config/config.h"
#include "iscsi/server.h"

struct registry;

/* --- start and stop ------------------------------------------------------------------------- */

/* Makes an empty registry. 0 or -ENOMEM. */
int registry_create(struct loop *loop, struct registry **out);

/* First step of a start, which may need privileges: binds the portals of cfg, or takes those of
 * the n inherited descriptors that fit (and sets them to -1). 0, or -errno with faults added. */
int registry_bind(
	struct registry *r, const struct config *cfg, int *fds, size_t n, struct faults *faults);

/* Second step: opens the stores of the same cfg, starts the reactors and takes connections. 0, and
 * cfg is the registry's; or -errno with faults added, files that were made for it removed, and cfg
 * left to the caller. The state directory is borrowed for the call. */
int registry_start(
	struct registry *r, struct config *cfg, struct state_dir *state, struct faults *faults);

/* Takes no more connections, asks the sessions to log out and waits for that up to grace_ms, and for
 * every command that is under way; then done(arg). A second call with a grace of 0 cuts the waiting
 * short. 0 or -ENOMEM. */
int registry_stop(struct registry *r, uint32_t grace_ms, void (*done)(void *arg), void *arg);

/* Ends the reactors, flushes and closes all stores; blocks until that is done. In any state; if
 * the server was started, after registry_stop() has said done. NULL is fine. */
void registry_free(struct registry *r);

/* --- configuration -------------------------------------------------------------------------- */

/* In force now; NULL before the start. Borrowed until the next registry_apply(). */
const struct config *registry_config(const struct registry *r);

/* What config_load() does not know: whether the credentials fit into one table. 0, or -errno with
 * faults added. */
int registry_check(const struct config *cfg, struct faults *faults);

/*
 * Goes over to another configuration. 0, and next is the registry's; done(arg), which may be NULL,
 * is called when it is in force on every reactor, the connections that have to go are closed and
 * everything that has left it is released, which may be before this returns only in a registry
 * without sessions. Or -errno with faults added: nothing has changed, and next is the caller's.
 * Several changes may be under way at once; each has its own done.
 */
int registry_apply(struct registry *r, struct config *next, void (*done)(void *arg), void *arg,
	struct faults *faults);

/* --- credentials ---------------------------------------------------------------------------- */

/* The snapshot in force. Borrowed until the next change. */
const struct table *registry_credentials(const struct registry *r);

/*
 * Makes an edit of registry_credentials() the table in force; the edit is taken over in every case.
 * Connections of `target` (NULL: of none) are closed when the new table holds everywhere, and
 * done(arg) is called after that: the old secret opens no door any more. 0, or -ENOMEM and nothing
 * has changed.
 */
int registry_set_credentials(struct registry *r, struct table_edit *edit, const char *target,
	void (*done)(void *arg), void *arg);

/* --- looking -------------------------------------------------------------------------------- */

struct registry_status {
	uint64_t uptime_ms;
	const char *engine; /* "io_uring" or "threads" */
	unsigned targets;
	unsigned units; /* logical units; a unit with two LUNs is one */
	struct iscsi_counters iscsi;
};
void registry_status(const struct registry *r, struct registry_status *out);

struct registry_portal {
	const char *address;    /* "0.0.0.0:3260": what it listens on */
	const char *advertised; /* what discovery tells; NULL: the address that was reached */
	uint32_t group;
};
/* Gives every portal; the strings live for the call of `each`. */
void registry_portals(const struct registry *r,
	void (*each)(void *arg, const struct registry_portal *portal), void *arg);

struct registry_lun {
	uint32_t lun;
	const char *kind;  /* "disk" */
	const char *store; /* "ram", "file" */
	const char *path;  /* or NULL */
	uint64_t size;     /* bytes */
	uint32_t block_size;
	bool read_only;
	const char *naa; /* hex digits */
};

struct registry_target {
	const char *name;
	const char *alias;      /* or NULL */
	bool chap;              /* nobody gets in without it */
	const uint32_t *groups; /* portal groups that show it; n 0: all */
	size_t n_groups;
	const char *redirect; /* where logins are sent instead, or NULL */
	const struct registry_lun *luns;
	size_t n_luns;
};
/* Gives one target; everything in it lives for the call of `each`. False, and no call, if there is
 * none of this (normalised) name or memory is out. */
bool registry_target(const struct registry *r, const char *name,
	void (*each)(void *arg, const struct registry_target *target), void *arg);
/* Gives every target, in the order of the configuration. False: memory ran out on the way. */
bool registry_targets(const struct registry *r,
	void (*each)(void *arg, const struct registry_target *target), void *arg);

/* As iscsi_server_sessions(): 0, or -ENOMEM and nothing is called. */
int registry_sessions(struct registry *r, void (*each)(void *arg, const struct session_info *info),
	void (*end)(void *arg), void *arg);
/* Closes one session; done tells how many connections it had (0: there is no such session). `why`
 * goes to the log. 0 or -ENOMEM. */
int registry_drop(struct registry *r, uint16_t tsih, const char *why,
	void (*done)(void *arg, unsigned n), void *arg);

#endif

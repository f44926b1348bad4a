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
#include "catalog/audit.h"
#include "catalog/setting.h"
#include "catalog/state_dir.h"
#include "catalog/tag.h"
#include "catalog/token.h"
#include "chap/table_edit.h"
#include "config/config.h"
#include "config/faults.h"
#include "iscsi/server.h"

struct registry;

/* --- start and stop ------------------------------------------------------------------------- */

/* Makes an empty registry. 0 or -ENOMEM. */
int registry_create(struct loop *loop, struct registry **out);

/* First step of a start, which may need privileges: binds the portals of cfg, or takes those of
 * the n inherited descriptors that fit (and sets them to -1). 0, or -errno with faults added. */
int registry_bind(
	struct registry *r, const struct config *cfg, int *fds, size_t n, struct faults *faults);

/* Second step: opens the stores of the same cfg and the catalog, starts the reactors and takes
 * connections. 0, and cfg is the registry's; or -errno with faults added, and cfg left to the caller.
 * Then registry_free() is all that may follow: it ends what has begun, removes files that were made
 * for it, and turns the loop, which this does not. The state directory is borrowed until there. */
int registry_start(
	struct registry *r, struct config *cfg, struct state_dir *state, struct faults *faults);

/* Calls done(arg) once, when tape libraries have taken up their cartridges after the start: what
 * hosts find from then on is what there is. In place where there is nothing to wait for. */
void registry_when_settled(struct registry *r, void (*done)(void *arg), void *arg);

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

/* What config_load() does not know: whether the credentials fit into one table, those of libraries,
 * whose targets are added to cfg, too. 0, or -errno with faults added. */
int registry_check(struct config *cfg, struct faults *faults);

/*
 * Goes over to another configuration. 0, and next is the registry's; done(arg), which may be NULL,
 * is called when it is in force on every reactor, the connections that have to go are closed and
 * everything that has left it is released, which may be before this returns only in a registry
 * without sessions. Or -errno with faults added: nothing has changed, and next is the caller's.
 * Several changes may be under way at once; each has its own done. What is different is logged, and
 * each line of that given to say(arg), which may be NULL, before this returns.
 */
int registry_apply(struct registry *r, struct config *next,
	void (*say)(void *arg, const char *change), void (*done)(void *arg), void *arg,
	struct faults *faults);

/* --- credentials ---------------------------------------------------------------------------- */

/*
 * The snapshot in force: what a login sees. One row of it is table_find(). A row whose origin is
 * CREDENTIAL_FROM_CONFIG stands in the configuration file, which `written_by` names, and cannot be
 * changed here. Borrowed until the loop turns; table_ref() keeps it longer.
 */
const struct table *registry_credentials(const struct registry *r);

/* Rows of one scope, in the order of their initiators. They live until registry_rows_end(). */
struct registry_rows {
	const struct credential **row;
	size_t n;
	const struct table *table; /* private */
};
/* All rows of a target or an SVM; of discovery with scope_name "". 0 or -ENOMEM. */
int registry_rows_of(const struct registry *r, enum credential_scope scope, const char *scope_name,
	struct registry_rows *out);
/* All there are, also of targets that the configuration no longer has: in the order of scopes, names
 * and initiators. 0 or -ENOMEM. */
int registry_rows_all(const struct registry *r, struct registry_rows *out);
void registry_rows_end(struct registry_rows *rows);

/* Whether text is an iSCSI name (RFC 7143 4.2.7), and if so its normal form, in which names are kept
 * and compared. */
#define REGISTRY_NAME_SIZE 224
bool registry_initiator_name(const char *text, char name[static REGISTRY_NAME_SIZE]);

#define REGISTRY_RESULTS(X) \
	X(REGISTRY_DONE, "done") \
	X(REGISTRY_DECLINED, "nothing was asked for") \
	X(REGISTRY_NO_ROW, "there is no such row") \
	X(REGISTRY_NO_SCOPE, "there is no such target or SVM") \
	X(REGISTRY_DECLARED, "the row is declared in the configuration file") \
	X(REGISTRY_FAULTY, "the row is not acceptable") \
	X(REGISTRY_NO_MEMORY, "out of memory") \
	X(REGISTRY_NOT_STORED, "the catalog could not be written") \
	X(REGISTRY_STOPPING, "the server is stopping")

#define REGISTRY_AS_ENUM(id, text) id,
enum registry_result { REGISTRY_RESULTS(REGISTRY_AS_ENUM) };

/* What came of a change. Unless it is REGISTRY_DONE, nothing has changed. */
struct registry_outcome {
	enum registry_result result;
	enum table_fault fault; /* which rule; TABLE_OK unless REGISTRY_FAULTY */
	unsigned closed;        /* connections that were closed for it */
	int err;                /* why the catalog failed: -errno, of REGISTRY_NOT_STORED alone */
	const char *text;       /* a sentence for the administrator; borrowed for the call */
};

/*
 * What a change consists of, put together by its plan(). Each call gives what is wrong with it, and
 * the first that is not REGISTRY_DONE decides the outcome of the whole; the plan need not look. A
 * later call sees what the earlier ones have done. What is given is copied.
 */
struct registry_plan;

/* The table as it is with what has been planned so far: table_find() for edits; or NULL. */
const struct credential *registry_plan_find(const struct registry_plan *p,
	enum credential_scope scope, const char *scope_name, const char *initiator);

/*
 * Adds the row, or replaces the one with its scope and initiator. Its origin and written_by are the
 * change's. Where source_text is given, sources are read from it: addresses, FIRST-LAST,
 * ADDRESS/BITS or ADDRESS/NETMASK, between commas.
 */
enum registry_result registry_plan_put(struct registry_plan *p, const struct credential_spec *row);

/* NO_ROW if it is not there. */
enum registry_result registry_plan_remove(struct registry_plan *p, enum credential_scope scope,
	const char *scope_name, const char *initiator);

struct registry_change {
	enum credential_origin origin; /* native, AWS or ONTAP */
	const char *who;               /* for audit and log: "uid 0", "aws:AKIA…"; copied */
	const char *what;              /* for the audit; NULL: "set credential" and the like */
	bool keep;                     /* existing connections stay in every case */

	/* Called once, when all earlier changes are through: says with the calls above what is to
	 * be done. False: nothing, after all; the outcome is REGISTRY_DECLINED. */
	bool (*plan)(void *arg, struct registry_plan *p);
	/* Called once in any case, after plan(). */
	void (*done)(void *arg, const struct registry_outcome *outcome);
	void *arg;
};

/*
 * Changes credentials: all rows of the plan or, on any fault, none. Changes are made one after the
 * other, in the order of these calls. When done() is told REGISTRY_DONE the change and its audit
 * entries are on stable storage, every reactor goes by the new rows, and the connections that have
 * to go are gone, so that what was replaced opens no door any more. Those are, unless `keep` says
 * otherwise: of a target that a row was changed of, all; of an SVM's targets, those that the new
 * rows forbid (type deny, address not in the list).
 *
 * *change is copied, `arg` is the caller's until done(). Both callbacks may come before this
 * returns.
 */
void registry_change(struct registry *r, const struct registry_change *change);

/* Encrypts all stored secrets under a new key (see catalog_rekey()). done() comes once. */
void registry_rekey(struct registry *r, const char *who,
	void (*done)(void *arg, const struct registry_outcome *outcome), void *arg);

/* Gives the entries that the query asks for, newest first; then, in any case, end() with 0 or
 * -errno. *q is copied but for its text, which must live until end(). */
void registry_audit(struct registry *r, const struct catalog_audit_query *q,
	void (*each)(void *arg, const struct catalog_audit *entry), void (*end)(void *arg, int err),
	void *arg);

/* Writes down something that was done and changed nothing: an entry with all of its text, whose id and
 * time are the catalog's. Then, in any case, end() with 0 or -errno. The entry is copied. */
void registry_note(struct registry *r, const struct catalog_audit *entry,
	void (*end)(void *arg, int err), void *arg);

/* For what a dialect itself has to remember (settings, tags, client tokens), and the audit entries
 * that go with it. Borrowed until registry_free(); NULL before the start. */
struct catalog *registry_catalog(const struct registry *r);

/* --- SVMs ----------------------------------------------------------------------------------- */

/* The SVM that a target is in (every target that there is is in one), or NULL. */
const char *registry_svm_of(const struct registry *r, const char *target);
bool registry_has_svm(const struct registry *r, const char *svm);
/* Gives every SVM. */
void registry_svms(const struct registry *r, void (*each)(void *arg, const char *svm), void *arg);

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
	const char *kind;  /* "disk", "tape", "changer" */
	const char *store; /* "ram", "file"; NULL where there is none */
	const char *path;  /* or NULL */
	uint64_t size;     /* bytes */
	uint32_t block_size;
	bool read_only;
	const char *naa; /* hex digits */
};

struct registry_target {
	const char *name;
	const char *alias;      /* or NULL */
	const char *svm;        /* that it is in */
	bool chap;              /* nobody gets in without it */
	const uint32_t *groups; /* portal groups that show it; n 0: all */
	size_t n_groups;
	const char *redirect; /* where logins are sent instead, or NULL */
	bool made;            /* its LUNs are volumes, see registry/volumes.h */
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

/* How many sessions a target has at this moment. */
unsigned registry_sessions_of(const struct registry *r, const char *target);
/* As iscsi_server_sessions(): 0, or -ENOMEM and nothing is called. */
int registry_sessions(struct registry *r, void (*each)(void *arg, const struct session_info *info),
	void (*end)(void *arg), void *arg);
/* Closes one session; done tells how many connections it had (0: there is no such session). `why`
 * goes to the log. 0 or -ENOMEM. */
int registry_drop(struct registry *r, uint16_t tsih, const char *why,
	void (*done)(void *arg, unsigned n), void *arg);

#endif

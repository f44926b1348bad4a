/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of the registry: only this folder includes it. */
#ifndef REGISTRY_PRIVATE_H
#define REGISTRY_PRIVATE_H

#include "base/work.h"
#include "registry/grace.h"
#include "registry/libraries.h"
#include "registry/portals.h"
#include "registry/registry.h"
#include "registry/units.h"
#include "store/engine.h"

/* --- all that one configuration makes: world.c ------------------------------------------------ */

struct world {
	struct config *cfg;
	struct portals *portals;
	struct libraries *libraries;
	struct units *units;
	struct target_set *targets;
	const struct table *credentials; /* in force */
	struct directory *directory;
	/* References to rows of the catalog that were in force with the world before and are not
	 * with this one, as its file stands in their way; until it is in force itself. */
	const struct credential **displaced;
	size_t n_displaced;
};

/* Builds what cfg makes, beside `old`. w->portals is there already, and stays if this fails; cfg is
 * the world's only on success. 0, or -errno with faults added. */
int world_build(struct registry *r, struct config *cfg, const struct world *old, struct world *w,
	struct faults *faults);
/* The directory alone, of what the world has. */
int world_build_directory(struct world *w, struct faults *faults);
/* The world is in force itself: w->displaced is of no more use. */
void world_forget_displaced(struct world *w);
/* Gives up the world's references to snapshots, which live as long as others have theirs. */
void world_drop_snapshots(struct world *w);

struct change;
struct gateways;
struct volumes;

/* Changes of credentials, one after the other: change.c. */
struct changes {
	struct list queue;
	struct change *now; /* on its way to the catalog, the reactors, and back */
	bool running;       /* the queue is being walked further up the stack */
	bool stopped;
	struct loop_timer again;  /* when there was no memory to publish what is stored */
	struct loop_timer graces; /* old secrets end */
	int64_t next_end;         /* of the first of them, by grace_now(); INT64_MAX: none */
	struct graces_seen seen;
};

struct registry {
	struct loop *loop;
	struct work_pool *pool;
	struct store_engine *engine;
	struct units_env env;
	struct libraries_env tape;
	void (*settled)(void *arg); /* NULL: nobody waits */
	void *settled_arg;
	struct catalog *catalog;    /* NULL before the start */
	const struct table *stored; /* the rows that it has */
	struct changes changes;
	struct volumes *volumes;
	struct gateways *gateways;
	struct portals *bound; /* between registry_bind() and registry_start() */
	struct world now;      /* .cfg is NULL before the start */
	struct iscsi_server *server;
	uint64_t started_ns;
};

/* --- from one configuration to the next: apply.c ---------------------------------------------- */

/* Whose connections are closed when new credentials are in force. */
struct reach {
	const char *const *targets; /* of these, all */
	size_t n;
	bool forbidden; /* of all targets, those that the new table forbids */
};

/*
 * Puts a table in force; a reference of it is taken. When it holds everywhere and what `reach` says
 * is closed, *closed (where it is not NULL) has grown by the number of those connections, and
 * done(arg) is called. 0, or -ENOMEM and nothing has changed.
 */
int registry_publish_credentials(struct registry *r, const struct table *credentials,
	const struct reach *reach, unsigned *closed, void (*done)(void *arg), void *arg);

/* Adds to a configuration what its file says in other words (the targets of libraries), and what it
 * does not say (volumes). 0 or -ENOMEM. */
int registry_add_made(struct registry *r, struct config *cfg);

/* As registry_apply(), for a change of the volumes alone, which is told by whoever makes it. */
int registry_apply_volumes(struct registry *r, struct config *next, void (*done)(void *arg),
	void *arg, struct faults *faults);

/* --- changes of credentials: change.c --------------------------------------------------------- */

void changes_init(struct registry *r);
/* The catalog has been read: old secrets are looked after from here on. */
void changes_start(struct registry *r);
/* What has not begun yet does not begin any more. */
void changes_stop(struct registry *r);
/* The server and the catalog are gone, and what they had to tell is told. */
void changes_end(struct registry *r);

/* --- the gateway of the Storage Gateway API: gateway.c --------------------------------------- */

/* 0, or -errno with *why filled. */
int gateways_load(struct registry *r, struct catalog_error *why);
/* Whether the gateway of a configuration is shut down. */
bool gateway_is_stopped(const struct registry *r, const struct config *cfg);
/* As volumes_free(); after a start that failed, too. */
void gateways_free(struct registry *r);

/* --- volumes: volumes.c -------------------------------------------------------------------- */

/* 0 or -ENOMEM. */
int volumes_create(struct volumes **out);
/* Reads what the catalog has, and removes files of cfg's pools that a change left when the server
 * died. 0, or -errno with *why filled. */
int volumes_load(struct registry *r, const struct config *cfg, struct catalog_error *why);
/* Adds what is to be served to a configuration. What cannot be is logged, and waits for another
 * one. 0 or -ENOMEM. */
int volumes_add(struct registry *r, struct config *cfg);
/* What has not begun does not begin any more. */
void volumes_stop(struct registry *r);
/* After the catalog is closed and the loop has run: the last one is told what it has come to. */
void volumes_free(struct registry *r);

#endif

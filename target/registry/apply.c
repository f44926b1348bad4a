/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From one configuration, or table of credentials, to the next.
 *
 * The world of the next configuration is built beside the one in force (world.c) and takes over
 * what stays; if that fails it is abandoned, and nothing has happened. If it succeeds the snapshot
 * is published, and the world before it is released when no reactor can see it any more (struct
 * transition).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/diff.h"
#include "config/load.h"
#include "config/made.h"
#include "registry/credentials.h"
#include "registry/fault.h"
#include "registry/registry_private.h"
#include "registry/reload.h"

/* --- transitions ---------------------------------------------------------------------------- */

/* From the moment that a snapshot is published until what it replaced is gone. */
struct transition {
	struct registry *r;
	struct config *cfg; /* of the world before; NULL if it did not change */
	struct units *units;
	struct libraries *libraries;
	char **targets; /* whose connections are to be closed */
	size_t n_targets, left;
	bool forbidden;   /* and also those that the new directory forbids */
	unsigned *closed; /* where they are counted, or NULL */
	struct loop_msg let_go;
	struct units_wait stores_closed;
	void (*done)(void *arg);
	void *arg;
};

static void transition_free(struct transition *t)
{
	for (size_t i = 0; t && i < t->n_targets; i++)
		free(t->targets[i]);
	if (t)
		free(t->targets);
	free(t);
}

static struct transition *transition_new(
	struct registry *r, size_t targets, void (*done)(void *arg), void *arg)
{
	struct transition *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->r = r;
	t->done = done;
	t->arg = arg;
	t->targets = calloc(targets + 1, sizeof(*t->targets));
	if (t->targets)
		return t;
	free(t);
	return NULL;
}

static bool transition_add(struct transition *t, const char *target)
{
	t->targets[t->n_targets] = strdup(target);
	return t->targets[t->n_targets++];
}

static void transition_over(struct transition *t)
{
	if (t->done)
		t->done(t->arg);
	transition_free(t);
}

static void on_stores_closed(struct units_wait *w)
{
	transition_over(container_of(w, struct transition, stores_closed));
}

static void on_let_go(struct loop_msg *m)
{
	struct transition *t = container_of(m, struct transition, let_go);

	t->stores_closed.run = on_stores_closed;
	units_when_closed(&t->r->env, &t->stores_closed);
}

static void transition_end(struct transition *t)
{
	if (!t->cfg) {
		transition_over(t);
		return;
	}
	units_free(t->units);
	libraries_free(t->libraries);
	config_free(t->cfg);
	/* Units that went by this have sent their messages: this one comes after them. */
	t->let_go.run = on_let_go;
	loop_post(t->r->loop, &t->let_go);
}

static void on_closed(void *arg, unsigned n)
{
	struct transition *t = arg;

	if (t->closed)
		*t->closed += n;
	if (--t->left == 0)
		transition_end(t);
}

static void stay_open(const char *whose, const char *why, int err)
{
	log_msg(LOG_ERR, "%s: connections stay open, though %s: %s", whose, why, strerror(-err));
}

/* 0 if on_closed() will be called. A server that ended meanwhile has closed all connections. */
static int close_target(struct transition *t, const char *target)
{
	static const char why[] = "its credentials changed";
	int err;

	if (!t->r->server)
		return -ESHUTDOWN;
	err = iscsi_server_close(t->r->server, target, 0, why, on_closed, t);
	if (err)
		stay_open(target, why, err);
	return err;
}

static int close_forbidden(struct transition *t)
{
	static const char why[] = "its initiator may not log in any more";
	int err;

	if (!t->r->server)
		return -ESHUTDOWN;
	err = iscsi_server_close_forbidden(t->r->server, why, on_closed, t);
	if (err)
		stay_open("an SVM", why, err);
	return err;
}

/* Every reactor has the new snapshot: what it refuses is refused. Now those that got in before. */
static void on_published(void *arg)
{
	struct transition *t = arg;

	t->left = t->n_targets + 2; /* one for this call: a target may have nothing to close */
	for (size_t i = 0; i < t->n_targets; i++)
		if (close_target(t, t->targets[i]))
			t->left--;
	if (!t->forbidden || close_forbidden(t))
		t->left--;
	on_closed(t, 0);
}

/* --- from one configuration to the next ----------------------------------------------------- */

int registry_add_made(struct registry *r, struct config *cfg)
{
	return config_make_library_targets(cfg) ? volumes_add(r, cfg) : -ENOMEM;
}

int registry_check(struct config *cfg, struct faults *faults)
{
	const struct table *table = NULL;
	int err;

	if (!config_make_library_targets(cfg))
		return registry_fault(faults, cfg, NULL, -ENOMEM, "out of memory");
	err = credentials_build(NULL, cfg, NULL, NULL, &table, faults);
	table_unref(table);
	return err;
}

/* Targets of which a connection may be in by what the new configuration refuses. A target whose
 * LUNs alone changed is none of them, and of one that is gone the server closes all by itself. */
static bool list_tightened(const struct registry *r, const struct config_changes *changes,
	const struct world *w, struct transition *t)
{
	const struct config_target *last = NULL;

	for (size_t i = 0; i < w->n_displaced; i++)
		if (w->displaced[i]->spec.scope == CREDENTIAL_OF_TARGET &&
			!transition_add(t, w->displaced[i]->spec.scope_name))
			return false;

	for (size_t i = 0; i < changes->n; i++) {
		const struct config_change *c = &changes->v[i];

		if ((c->kind != CONFIG_CREDENTIALS && c->kind != CONFIG_TARGET_CHANGED) ||
			!c->old_target || c->old_target == last ||
			!credentials_tightened(r->now.cfg, c->old_target, w->cfg, c->new_target))
			continue;
		last = c->old_target;
		if (!transition_add(t, c->new_target->name))
			return false;
	}
	return true;
}

static int prepare_transition(struct registry *r, const struct config_changes *changes,
	const struct world *w, void (*done)(void *arg), void *arg, struct transition **out)
{
	struct transition *t = transition_new(r, changes->n + w->n_displaced, done, arg);

	if (t && list_tightened(r, changes, w, t)) {
		*out = t;
		return 0;
	}
	transition_free(t);
	return -ENOMEM;
}

static int prepare_world(
	struct registry *r, struct config *next, struct world *w, struct faults *faults)
{
	int err = portals_prepare(next, r->now.portals, NULL, 0, &w->portals, faults);

	if (err)
		return err;
	err = world_build(r, next, &r->now, w, faults);
	if (err)
		portals_abandon(w->portals, r->now.portals);
	return err;
}

static void world_abandon(struct registry *r, struct world *w)
{
	portals_abandon(w->portals, r->now.portals);
	world_drop_snapshots(w);
	units_abandon(w->units);
	libraries_abandon(w->libraries);
}

/* Publishes; from there on nothing can fail. on_published() comes on this loop, so not before all
 * of this is done. */
static int commit(struct registry *r, struct world *w, struct transition *t,
	void (*say)(void *arg, const char *change), void *arg)
{
	const struct config_limits *limits = &w->cfg->limits;
	struct world old = r->now;
	int err = units_succeed(w->units, old.units);

	if (!err)
		err = iscsi_server_publish(r->server, w->directory, on_published, t);
	if (err) {
		units_stay(old.units);
		return err;
	}
	t->cfg = old.cfg;
	t->units = old.units;
	t->libraries = old.libraries;
	world_forget_displaced(w);
	r->now = *w;
	libraries_commit(w->libraries);
	units_commit(w->units, say, arg);
	iscsi_server_set_poll(r->server, (uint64_t)w->cfg->poll_us * 1000);
	iscsi_server_set_limits(
		r->server, limits->max_half_open, limits->max_half_open_per_address);
	portals_commit(w->portals, old.portals, r->server);
	world_drop_snapshots(&old);
	return 0;
}

/* On success *changes is filled, and the caller's to free. */
static int apply(struct registry *r, struct config *next,
	void (*say)(void *arg, const char *change), void (*done)(void *arg), void *arg,
	struct config_changes *changes, struct faults *faults)
{
	struct transition *t = NULL;
	struct world w = { 0 };
	int err = registry_add_made(r, next);

	if (!err)
		err = config_diff(r->now.cfg, next, changes);
	if (err)
		return registry_fault(faults, next, NULL, err, "out of memory");
	err = prepare_world(r, next, &w, faults);
	if (err)
		goto out;
	err = prepare_transition(r, changes, &w, done, arg, &t);
	if (!err)
		err = commit(r, &w, t, say, arg);
	if (err) {
		registry_fault(faults, next, NULL, err, "%s",
			err == -EBUSY ? "a LUN that would change is being sanitized or formatted"
				      : "out of memory");
		world_abandon(r, &w);
		goto out;
	}
	t = NULL;
out:
	transition_free(t);
	if (err)
		config_changes_free(changes);
	return err;
}

int registry_apply(struct registry *r, struct config *next,
	void (*say)(void *arg, const char *change), void (*done)(void *arg), void *arg,
	struct faults *faults)
{
	struct config_changes changes = { 0 };
	int err = apply(r, next, say, done, arg, &changes, faults);

	if (!err) {
		reload_say(&changes, say, arg);
		config_changes_free(&changes);
	}
	return err;
}

int registry_apply_volumes(struct registry *r, struct config *next, void (*done)(void *arg),
	void *arg, struct faults *faults)
{
	struct config_changes changes = { 0 };
	int err = apply(r, next, NULL, done, arg, &changes, faults);

	if (!err)
		config_changes_free(&changes);
	return err;
}

/* --- credentials alone ------------------------------------------------------------------------ */

int registry_publish_credentials(struct registry *r, const struct table *credentials,
	const struct reach *reach, unsigned *closed, void (*done)(void *arg), void *arg)
{
	struct transition *t = transition_new(r, reach->n, done, arg);
	struct world next = r->now;
	struct faults faults = { 0 };
	bool ok = t;

	for (size_t i = 0; ok && i < reach->n; i++)
		ok = transition_add(t, reach->targets[i]);
	next.credentials = credentials;
	next.directory = NULL;
	if (!ok || world_build_directory(&next, &faults) ||
		iscsi_server_publish(r->server, next.directory, on_published, t)) {
		faults_free(&faults);
		transition_free(t);
		directory_unref(next.directory);
		return -ENOMEM;
	}
	t->forbidden = reach->forbidden;
	t->closed = closed;
	table_ref(credentials);
	table_unref(r->now.credentials);
	directory_unref(r->now.directory);
	r->now = next;
	return 0;
}

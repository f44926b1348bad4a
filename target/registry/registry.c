/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry: its start and end, and from one configuration to the next.
 *
 * The world of the next configuration is built beside the one in force (world.c) and takes
 * over what stays; if that fails it is abandoned, and nothing has happened. If it succeeds the
 * snapshot is published, and the world before it is released when no reactor can see it any more
 * (struct transition).
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "config/diff.h"
#include "config/load.h"
#include "config/made.h"
#include "registry/credentials.h"
#include "registry/fault.h"
#include "registry/registry_private.h"
#include "registry/reload.h"
#include "registry/stored.h"

/* Several times what one disk may keep busy (STORE_LANE). */
#define WORK_THREADS 128
/* Tape has threads of its own: a cartridge that is copied to a slow archive, or a drive whose file
 * system does not answer, must not keep disks waiting. */
#define TAPE_THREADS 128
#define REACTORS_MAX 256

static uint64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

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

/* --- the start ------------------------------------------------------------------------------ */

int registry_create(struct loop *loop, struct registry **out)
{
	struct registry *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->loop = loop;
	units_env_init(&r->env);
	libraries_env_init(&r->tape);
	changes_init(r);
	err = volumes_create(&r->volumes);
	if (!err)
		err = work_pool_create(WORK_THREADS, &r->pool);
	if (!err)
		err = work_pool_create(TAPE_THREADS, &r->tape.pool);
	if (err) {
		work_pool_free(r->pool);
		free(r->volumes);
		free(r);
		return err;
	}
	*out = r;
	return 0;
}

int registry_bind(
	struct registry *r, const struct config *cfg, int *fds, size_t n, struct faults *faults)
{
	return portals_prepare(cfg, NULL, fds, n, &r->bound, faults);
}

static unsigned reactors_of(const struct config *cfg)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : CPU_COUNT(&cpus);
	unsigned reactors = cfg->reactors ? cfg->reactors : (unsigned)n;

	return reactors < REACTORS_MAX ? reactors : REACTORS_MAX;
}

static void on_loop_end(void *arg, struct loop *loop)
{
	struct registry *r = arg;

	store_engine_detach(r->engine, loop);
}

static int start_server(struct registry *r, const struct world *w, struct faults *faults)
{
	const struct config *cfg = w->cfg;
	struct iscsi_server_cfg server = {
		.main_loop = r->loop,
		.reactors = reactors_of(cfg),
		.poll_ns = (uint64_t)cfg->poll_us * 1000,
		.max_half_open = cfg->limits.max_half_open,
		.max_half_open_per_address = cfg->limits.max_half_open_per_address,
		.loop_ends = on_loop_end,
		.arg = r,
	};
	int err = iscsi_server_create(&server, w->directory, &r->server);

	if (err)
		registry_fault(faults, cfg, &cfg->reactors, err, "reactors: %s", strerror(-err));
	return err;
}

static int start_stores(struct registry *r, const struct config *cfg, struct state_dir *state,
	struct faults *faults)
{
	struct state_error why;
	int err = state_dir_identity(state, r->env.identity, &why);

	if (err)
		return registry_fault(faults, cfg, &cfg->state_dir, err, "%s", why.text);
	err = store_engine_create(r->pool, STORE_ENGINE_AUTO, &r->engine);
	if (err)
		return registry_fault(faults, cfg, NULL, err, "file I/O: %s", strerror(-err));
	r->env.loop = r->loop;
	r->env.pool = r->pool;
	r->env.engine = r->engine;
	return 0;
}

static int open_catalog(struct registry *r, const struct config *cfg, const struct state_dir *state,
	struct faults *faults)
{
	const struct catalog_config how = {
		.dir = state,
		.key_file = cfg->key_file,
		.credentials_dir = getenv("CREDENTIALS_DIRECTORY"),
	};
	struct catalog_error why;
	int err = catalog_open(&how, &r->catalog, &why);

	if (!err)
		err = stored_load(r->catalog, &r->stored, &why);
	if (!err)
		err = volumes_load(r, cfg, &why);
	if (!err)
		err = gateways_load(r, &why);
	if (!err)
		err = reservations_load(&r->env.reservations, r->catalog, &why);
	if (!err)
		err = modes_load(&r->env.modes, r->catalog, &why);
	if (!err)
		err = wipes_load(&r->env.wipes, r->catalog, &why);
	if (!err)
		err = target_ports_load(r->catalog, r->loop, &r->env.target_ports, &why);
	if (!err)
		err = access_states_load(r->catalog, &r->env.access, &why);
	return err ? registry_fault(faults, cfg, &cfg->state_dir, err, "%s", why.text) : 0;
}

/* After a start that failed: the next one opens it anew. */
static void close_catalog(struct registry *r)
{
	table_unref(r->stored);
	kept_set_end(&r->env.reservations.set);
	kept_set_end(&r->env.modes.set);
	kept_set_end(&r->env.wipes.set);
	target_ports_free(r->env.target_ports);
	access_states_free(r->env.access);
	catalog_close(r->catalog);
	gateways_free(r);
	changer_choices_free(&r->tape.choices);
	r->env.target_ports = NULL;
	r->env.access = NULL;
	r->stored = NULL;
	r->catalog = NULL;
}

static void tell_empty_targets(const struct config *cfg)
{
	for (size_t i = 0; i < cfg->n_targets; i++)
		if (cfg->targets[i].n_luns == 0 && !cfg->targets[i].redirect)
			log_msg(LOG_NOTICE, "target %s has no LUN", cfg->targets[i].name);
}

/* A row that lets somebody in to a target without a CHAP row of its own. */
static bool lets_in_elsewhere(const struct credential *c, void *arg)
{
	bool *found = arg;

	*found = c->spec.scope == CREDENTIAL_OF_SVM || c->spec.type == CREDENTIAL_NONE;
	return !*found;
}

/* `auth = "chap"` is the default, so that a first configuration without a credential looks as if the
 * secrets of all hosts were wrong. */
static void tell_locked_targets(const struct registry *r, const struct config *cfg)
{
	const struct config_target *first = NULL;
	bool elsewhere = false;
	size_t n = 0;

	table_each(r->now.credentials, lets_in_elsewhere, &elsewhere);
	for (size_t i = cfg->n_targets; !elsewhere && i-- > 0;) {
		const struct config_target *t = &cfg->targets[i];

		if (t->auth != CONFIG_AUTH_CHAP || t->redirect ||
			table_closed(r->now.credentials, t->name))
			continue;
		first = t;
		n++;
	}
	if (n == 1)
		log_msg(LOG_NOTICE, "target %s lets nobody in until it has a credential",
			first->name);
	else if (n)
		log_msg(LOG_NOTICE,
			"target %s and %zu more let nobody in until they have a credential",
			first->name, n - 1);
}

/* --- libraries ------------------------------------------------------------------------------ */

static void on_libraries_changed(void *arg)
{
	struct registry *r = arg;
	void (*settled)(void *) = r->settled;

	if (r->env.in_place)
		loop_stop(r->loop);
	if (!settled || !libraries_settled(&r->tape))
		return;
	r->settled = NULL;
	settled(r->settled_arg);
}

void registry_when_settled(struct registry *r, void (*done)(void *arg), void *arg)
{
	r->settled = done;
	r->settled_arg = arg;
	on_libraries_changed(r);
}

static int start_libraries(struct registry *r, const struct config *cfg, struct faults *faults)
{
	struct catalog_error why;
	int err;

	r->tape.loop = r->loop;
	r->tape.catalog = r->catalog;
	memcpy(r->tape.identity, r->env.identity, sizeof(r->tape.identity));
	r->tape.changed = on_libraries_changed;
	r->tape.arg = r;
	err = changer_choices_load(&r->tape.choices, r->tape.catalog, &why);
	return err ? registry_fault(faults, cfg, &cfg->state_dir, err, "%s", why.text) : 0;
}

/* Nobody else needs this thread: units that have gone say so, libraries finish what they do. */
static void wait_for_libraries(struct registry *r)
{
	r->env.in_place = true;
	while (loop_step(r->loop))
		;
	while (libraries_open(&r->tape))
		loop_run(r->loop);
	r->env.in_place = false;
}

/* What the file says in other words, and what it does not say. 0 or -ENOMEM. */
static int add_made(struct registry *r, struct config *cfg)
{
	return config_make_library_targets(cfg) ? volumes_add(r, cfg) : -ENOMEM;
}

int registry_start(
	struct registry *r, struct config *cfg, struct state_dir *state, struct faults *faults)
{
	const struct world nothing = { 0 };
	struct world w = { .portals = r->bound };
	int err = start_stores(r, cfg, state, faults);

	if (!err)
		err = open_catalog(r, cfg, state, faults);
	if (!err)
		err = start_libraries(r, cfg, faults);
	if (!err)
		err = add_made(r, cfg);
	if (!err)
		err = world_build(r, cfg, &nothing, &w, faults);
	if (!err)
		err = start_server(r, &w, faults);
	if (err) {
		world_drop_snapshots(&w);
		units_abandon(w.units);
		libraries_abandon(w.libraries);
		wait_for_libraries(r);
		close_catalog(r);
		return err;
	}
	r->bound = NULL;
	r->now = w;
	r->started_ms = monotonic_ms();
	libraries_commit(w.libraries);
	units_commit(w.units, NULL, NULL);
	portals_commit(w.portals, NULL, r->server);
	changes_start(r);
	tell_empty_targets(cfg);
	tell_locked_targets(r, cfg);
	return 0;
}

/* --- the end -------------------------------------------------------------------------------- */

int registry_stop(struct registry *r, uint32_t grace_ms, void (*done)(void *arg), void *arg)
{
	volumes_stop(r);
	portals_stop(r->now.portals);
	return iscsi_server_stop(r->server, grace_ms, done, arg);
}

static int do_nothing(struct catalog_tx *tx, void *arg)
{
	(void)tx;
	(void)arg;
	return 0;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	units_end_wiping(r->now.units);
	changes_stop(r);
	volumes_stop(r);
	kept_set_stop(&r->env.reservations.set);
	kept_set_stop(&r->env.modes.set);
	kept_set_stop(&r->env.wipes.set);
	/* Libraries need the catalog to the end, reactors that it tells them nothing any more. */
	if (r->catalog)
		catalog_run(r->catalog, do_nothing, NULL, NULL);
	portals_stop(r->now.portals);
	iscsi_server_free(r->server);
	r->server = NULL;
	r->settled = NULL;
	portals_free(r->bound);
	portals_free(r->now.portals);
	world_drop_snapshots(&r->now);
	units_free(r->now.units);
	libraries_free(r->now.libraries);
	config_free(r->now.cfg);
	r->now.cfg = NULL;
	wait_for_libraries(r);
	catalog_close(r->catalog);
	r->catalog = NULL;
	/* From here on this thread has nothing better to do than to flush. */
	r->env.in_place = true;
	while (loop_step(r->loop))
		;
	/* Stores that were on their way before: the pool ends with them, then they say so. */
	work_pool_free(r->pool);
	work_pool_free(r->tape.pool);
	while (loop_step(r->loop))
		;
	changes_end(r);
	volumes_free(r);
	gateways_free(r);
	changer_choices_free(&r->tape.choices);
	kept_set_end(&r->env.reservations.set);
	kept_set_end(&r->env.modes.set);
	kept_set_end(&r->env.wipes.set);
	target_ports_free(r->env.target_ports);
	access_states_free(r->env.access);
	table_unref(r->stored);
	store_engine_free(r->engine);
	free(r);
}

/* --- from one configuration to the next ----------------------------------------------------- */

const struct config *registry_config(const struct registry *r)
{
	return r->now.cfg;
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
	int err = add_made(r, next);

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
		registry_fault(faults, next, NULL, err, "%s", err == -EBUSY ?
			"a LUN that would change is being sanitized or formatted" : "out of memory");
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

/* --- credentials ---------------------------------------------------------------------------- */

const struct table *registry_credentials(const struct registry *r)
{
	return r->now.credentials;
}

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

struct catalog *registry_catalog(const struct registry *r)
{
	return r->catalog;
}

/* --- looking -------------------------------------------------------------------------------- */

void registry_status(const struct registry *r, struct registry_status *out)
{
	*out = (struct registry_status){
		.uptime_ms = monotonic_ms() - r->started_ms,
		.engine = store_engine_name(r->engine),
		.targets = target_set_count(r->now.targets),
		.units = (unsigned)units_count(r->now.units),
	};
	iscsi_server_counters(r->server, &out->iscsi);
}

void registry_portals(const struct registry *r,
	void (*each)(void *arg, const struct registry_portal *portal), void *arg)
{
	portals_each(r->now.portals, each, arg);
}

struct naa_text {
	char text[33];
};

static void fill_lun(const struct world *w, const struct config_lun *row, struct naa_text *naa,
	struct registry_lun *out)
{
	const struct lu *lu = units_find(w->units, row);
	const uint8_t *id = lu_naa(lu);

	for (size_t i = 0; i < (id[0] >> 4 == 6 ? 16 : 8); i++)
		snprintf(naa->text + 2 * i, 3, "%02x", id[i]);
	*out = (struct registry_lun){
		.lun = row->lun,
		.kind = lu_kind(lu),
		.store = lu_store(lu) ? store_kind(lu_store(lu)) : NULL,
		.path = row->unit->path,
		.size = lu_size(lu),
		.block_size = lu_block_size(lu),
		.read_only = lu_read_only(lu),
		.naa = naa->text,
	};
}

static bool is_of_library(const struct config_target *t)
{
	return t->n_luns && t->luns[0].library;
}

static bool give_target(const struct world *w, const struct config_target *t,
	void (*each)(void *arg, const struct registry_target *target), void *arg)
{
	struct registry_lun *luns = calloc(t->n_luns + 1, sizeof(*luns));
	struct naa_text *naas = calloc(t->n_luns + 1, sizeof(*naas));
	struct registry_target target = {
		.name = t->name,
		.alias = t->alias,
		.svm = config_svm_of(w->cfg, t),
		.chap = config_chap_needed(t->auth, t->n_credentials) ||
			table_closed(w->credentials, t->name),
		.groups = t->portal_groups,
		.n_groups = t->n_portal_groups,
		.redirect = t->redirect,
		.made = t->made && !is_of_library(t),
		.luns = luns,
		.n_luns = t->n_luns,
	};
	bool ok = luns && naas;

	for (size_t i = 0; ok && i < t->n_luns; i++)
		fill_lun(w, &t->luns[i], &naas[i], &luns[i]);
	if (ok)
		each(arg, &target);
	free(luns);
	free(naas);
	return ok;
}

bool registry_target(const struct registry *r, const char *name,
	void (*each)(void *arg, const struct registry_target *target), void *arg)
{
	const struct config *cfg = r->now.cfg;

	for (size_t i = 0; i < cfg->n_targets; i++)
		if (!strcmp(cfg->targets[i].name, name))
			return give_target(&r->now, &cfg->targets[i], each, arg);
	return false;
}

bool registry_targets(const struct registry *r,
	void (*each)(void *arg, const struct registry_target *target), void *arg)
{
	const struct config *cfg = r->now.cfg;
	bool ok = true;

	for (size_t i = 0; ok && i < cfg->n_targets; i++)
		ok = give_target(&r->now, &cfg->targets[i], each, arg);
	return ok;
}

unsigned registry_sessions_of(const struct registry *r, const char *target)
{
	return iscsi_server_target_sessions(r->server, target);
}

int registry_sessions(struct registry *r, void (*each)(void *arg, const struct session_info *info),
	void (*end)(void *arg), void *arg)
{
	return iscsi_server_sessions(r->server, each, end, arg);
}

int registry_drop(struct registry *r, uint16_t tsih, const char *why,
	void (*done)(void *arg, unsigned n), void *arg)
{
	return iscsi_server_close(r->server, NULL, tsih, why, done, arg);
}

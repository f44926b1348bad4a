/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry: its start and its end. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/load.h"
#include "registry/fault.h"
#include "registry/registry_private.h"
#include "registry/stored.h"

/* Several times what one disk may keep busy (STORE_LANE). */
#define WORK_THREADS 128
/* Tape has threads of its own: a cartridge that is copied to a slow archive, or a drive whose file
 * system does not answer, must not keep disks waiting. */
#define TAPE_THREADS 128
#define REACTORS_MAX 256

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
		err = registry_add_made(r, cfg);
	if (!err)
		err = world_build(r, cfg, &nothing, &w, faults);
	if (!err)
		err = start_server(r, &w, faults);
	if (err) {
		world_drop_snapshots(&w);
		units_abandon(w.units);
		libraries_abandon(w.libraries);
		return err;
	}
	r->bound = NULL;
	r->now = w;
	r->started_ns = clock_ns(CLOCK_MONOTONIC);
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

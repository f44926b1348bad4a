/* SPDX-License-Identifier: BSD-2-Clause */
/* What the registry shows of itself; who changes something looks here, too. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "registry/naa.h"
#include "registry/registry_private.h"

const struct config *registry_config(const struct registry *r)
{
	return r->now.cfg;
}

const struct table *registry_credentials(const struct registry *r)
{
	return r->now.credentials;
}

struct catalog *registry_catalog(const struct registry *r)
{
	return r->catalog;
}

void registry_status(const struct registry *r, struct registry_status *out)
{
	*out = (struct registry_status){
		.uptime_ms = (clock_ns(CLOCK_MONOTONIC) - r->started_ns) / 1000000,
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

static void fill_lun(const struct world *w, const struct config_lun *row, struct naa_text *naa,
	struct registry_lun *out)
{
	const struct lu *lu = units_find(w->units, row);

	*out = (struct registry_lun){
		.lun = row->lun,
		.kind = lu_kind(lu),
		.store = lu_store(lu) ? store_kind(lu_store(lu)) : NULL,
		.path = row->unit->path,
		.size = lu_size(lu),
		.block_size = lu_block_size(lu),
		.read_only = lu_read_only(lu),
		.naa = naa_text(lu_naa(lu), naa),
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

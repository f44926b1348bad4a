/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world: all that one configuration makes, and the directory by which the reactors see it. What
 * the world before has of it is taken over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/places.h"
#include "registry/credentials.h"
#include "registry/fault.h"
#include "registry/registry_private.h"

/* --- policy --------------------------------------------------------------------------------- */

static enum digest_policy digest_policy(enum config_digest d)
{
	switch (d) {
	case CONFIG_DIGEST_NEVER: return DIGEST_NEVER;
	case CONFIG_DIGEST_REQUIRED: return DIGEST_REQUIRED;
	default: return DIGEST_OPTIONAL;
	}
}

static struct chap_prefs chap_prefs(const struct config_chap *cfg)
{
	struct chap_prefs prefs = { 0 };

	/* The values are the same on purpose: the algorithm's number. */
	for (size_t i = 0; i < cfg->n_algorithms; i++)
		chap_prefs_add(&prefs, (unsigned)cfg->algorithms[i]);
	return prefs;
}

static struct iscsi_policy policy_of(const struct config *cfg)
{
	const struct config_iscsi *i = &cfg->iscsi;
	struct iscsi_policy p = iscsi_policy_default;

	p.discovery_chap = config_chap_needed(cfg->discovery.auth, cfg->discovery.n_credentials);
	p.chap = chap_prefs(&cfg->chap);
	p.chap_strict = cfg->chap.strict;
	p.login_timeout_ms = cfg->limits.login_timeout * 1000;
	p.max_sessions = cfg->limits.max_sessions;
	p.max_recv_data_segment_length = (uint32_t)i->max_recv_data_segment_length;
	p.max_burst_length = (uint32_t)i->max_burst_length;
	p.first_burst_length = (uint32_t)i->first_burst_length;
	p.max_outstanding_r2t = (uint16_t)i->max_outstanding_r2t;
	p.max_connections = (uint16_t)i->max_connections;
	p.initial_r2t = i->initial_r2t;
	p.immediate_data = i->immediate_data;
	p.header_digest = digest_policy(i->header_digest);
	p.data_digest = digest_policy(i->data_digest);
	p.time2wait = (uint16_t)i->default_time2wait;
	p.time2retain = (uint16_t)i->default_time2retain;
	p.ping_interval_ms = i->nop_interval * 1000;
	p.ping_timeout_ms = i->nop_timeout * 1000;
	return p;
}

/* --- targets -------------------------------------------------------------------------------- */

static bool same_entries(struct lun_map *m, const struct lun_entry *v, unsigned n)
{
	const struct lun_entry *is;
	unsigned n_is = lun_map_entries(m, &is);

	if (n_is != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (is[i].lun != v[i].lun || is[i].lu != v[i].lu)
			return false;
	return true;
}

static int by_lun(const void *a, const void *b)
{
	const struct lun_entry *x = a, *y = b;

	return x->lun < y->lun ? -1 : x->lun > y->lun;
}

/* The map of a target; the one it has, if nothing of it changed, so that sessions see no change. */
static int lun_map_of(const struct world *w, const struct config_target *t,
	const struct target_set *old, struct lun_map **out)
{
	const struct iscsi_target *was = old ? target_set_find(old, t->name) : NULL;
	struct lun_entry *v = calloc(t->n_luns + 1, sizeof(*v));
	unsigned n = (unsigned)t->n_luns;
	int err = 0;

	if (!v)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		v[i] = (struct lun_entry){ .lun = t->luns[i].lun,
			.lu = units_find(w->units, &t->luns[i]) };
	qsort(v, n, sizeof(*v), by_lun);
	if (was && same_entries(was->luns, v, n))
		*out = lun_map_ref(was->luns);
	else
		err = lun_map_create(v, n, out);
	free(v);
	return err;
}

static int groups_of(const struct config_target *t, const uint16_t **out)
{
	uint16_t *v = calloc(t->n_portal_groups + 1, sizeof(*v));

	for (size_t i = 0; v && i < t->n_portal_groups; i++)
		v[i] = (uint16_t)t->portal_groups[i];
	*out = v;
	return v ? 0 : -ENOMEM;
}

static enum target_redirect redirect_of(const struct config_target *t)
{
	if (!t->redirect)
		return TARGET_SERVED;
	if (t->redirect_type == CONFIG_REDIRECT_PERMANENT)
		return TARGET_MOVED_PERMANENTLY;
	return TARGET_MOVED_TEMPORARILY;
}

static int ports_of(const struct registry *r, const struct world *w, const struct config_target *t,
	struct iscsi_target *out)
{
	unsigned n;
	uint16_t *groups = target_groups(w->cfg, t, &n);
	struct target_port *v = calloc(n + 1, sizeof(*v));

	for (unsigned i = 0; groups && v && i < n; i++)
		v[i] = (struct target_port){ groups[i],
			target_ports_find(r->env.target_ports, t->name, groups[i]) };
	out->ports = v;
	out->nports = n;
	free(groups);
	return groups && v ? 0 : -ENOMEM;
}

static int fill_target(const struct registry *r, const struct world *w,
	const struct config_target *t, const struct target_set *old, struct iscsi_target *out)
{
	int err;

	*out = (struct iscsi_target){
		.name = t->name,
		.alias = t->alias,
		.svm = config_svm_of(w->cfg, t),
		.chap = config_chap_needed(t->auth, t->n_credentials),
		.stopped = gateway_is_stopped(r, w->cfg),
		.ngroups = (unsigned)t->n_portal_groups,
		.redirect = redirect_of(t),
		.redirect_to = t->redirect,
		.max_sessions = t->max_sessions,
	};
	err = groups_of(t, &out->groups);
	if (!err)
		err = ports_of(r, w, t, out);
	return err ? err : lun_map_of(w, t, old, &out->luns);
}

static int build_targets(const struct registry *r, struct world *w, const struct target_set *old,
	struct faults *faults)
{
	size_t n = w->cfg->n_targets;
	struct iscsi_target *v = calloc(n + 1, sizeof(*v));
	int err = v ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < n; i++)
		err = fill_target(r, w, &w->cfg->targets[i], old, &v[i]);
	if (!err)
		err = target_set_create(v, (unsigned)n, &w->targets);
	for (size_t i = 0; v && i < n; i++) {
		lun_map_unref(v[i].luns);
		free((void *)(uintptr_t)v[i].groups);
		free((void *)(uintptr_t)v[i].ports);
	}
	free(v);
	return err ? registry_fault(faults, w->cfg, NULL, err, "targets: %s", strerror(-err)) : 0;
}

int world_build_directory(struct world *w, struct faults *faults)
{
	struct iscsi_policy policy = policy_of(w->cfg);
	unsigned n;
	struct iscsi_portal *portals = portals_directory(w->portals, &n);

	if (portals)
		w->directory = directory_create(w->targets, w->credentials, portals, n, &policy);
	free(portals);
	return w->directory ? 0 : registry_fault(faults, w->cfg, NULL, -ENOMEM, "out of memory");
}

/* --- worlds --------------------------------------------------------------------------------- */

void world_forget_displaced(struct world *w)
{
	for (size_t i = 0; i < w->n_displaced; i++)
		credential_unref(w->displaced[i]);
	free(w->displaced);
	w->displaced = NULL;
	w->n_displaced = 0;
}

void world_drop_snapshots(struct world *w)
{
	world_forget_displaced(w);
	directory_unref(w->directory);
	target_set_unref(w->targets);
	table_unref(w->credentials);
	w->directory = NULL;
	w->targets = NULL;
	w->credentials = NULL;
}

static void say_displaced(const struct config *cfg, const struct displaced *d)
{
	const struct credential_spec *row = &d->row->spec;
	struct config_where where = config_where(cfg, &d->by->secret);
	struct log_quoted initiator, who;

	log_msg(LOG_WARNING,
		"%s:%d: the file wins: the credential of initiator %s for %s that %s "
		"has set is not in force",
		where.file, where.line,
		log_quote(row->initiator, strlen(row->initiator), &initiator),
		*row->scope_name ? row->scope_name : "discovery",
		log_quote(row->written_by, strlen(row->written_by), &who));
}

/* Credentials under construction. */
struct credentials_build {
	struct world *w;
	const struct table *before;
	bool failed;
};

static void take_displaced(void *arg, const struct displaced *d)
{
	const struct credential_spec *row = &d->row->spec;
	struct credentials_build *b = arg;
	const struct credential **grown = b->w->displaced;

	say_displaced(b->w->cfg, d);
	if (table_find(b->before, row->scope, row->scope_name, row->initiator) != d->row)
		return;
	if (!(b->w->n_displaced & (b->w->n_displaced - 1)))
		grown = reallocarray(
			grown, b->w->n_displaced ? 2 * b->w->n_displaced : 1, sizeof(*grown));
	b->failed |= !grown;
	if (!grown)
		return;
	b->w->displaced = grown;
	grown[b->w->n_displaced++] = credential_ref(d->row);
}

static int build_credentials(
	struct registry *r, struct world *w, const struct table *before, struct faults *faults)
{
	struct credentials_build b = { .w = w, .before = before };
	int err = credentials_build(r->stored, w->cfg, take_displaced, &b, &w->credentials, faults);

	return !err && b.failed ? registry_fault(faults, w->cfg, NULL, -ENOMEM, "out of memory")
				: err;
}

int world_build(struct registry *r, struct config *cfg, const struct world *old, struct world *w,
	struct faults *faults)
{
	int err;

	w->cfg = cfg;
	err = target_ports_assign(r->env.target_ports, cfg);
	if (err)
		registry_fault(faults, cfg, NULL, err, "out of memory");
	if (!err)
		err = build_credentials(r, w, old->credentials, faults);
	if (!err)
		err = libraries_prepare(&r->tape, cfg, old->libraries, &w->libraries, faults);
	if (!err)
		err = units_prepare(&r->env, cfg, w->libraries, old->units, &w->units, faults);
	if (!err)
		err = build_targets(r, w, old->targets, faults);
	if (!err)
		err = world_build_directory(w, faults);
	if (!err)
		err = units_enlarge(w->units, faults);
	if (!err)
		return 0;
	world_drop_snapshots(w);
	units_abandon(w->units);
	libraries_abandon(w->libraries);
	w->units = NULL;
	w->libraries = NULL;
	w->cfg = NULL;
	return err;
}

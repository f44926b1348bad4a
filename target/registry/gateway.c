/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gateway. A change is stored first; then, where it stops or starts the gateway, a configuration
 * like the present one takes the road of a reload, with targets that say whether they are stopped;
 * then the sessions of a stopped gateway are closed.
 */
#include "registry/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/load.h"
#include "config/made.h"
#include "registry/registry_private.h"

#define FOLDER    "gateway/" /* of the settings: gateway/ID/name and so on */
#define TEXT_SIZE 256

/* What is known of one gateway. */
struct gateway {
	char id[40];
	char name[TEXT_SIZE], timezone[TEXT_SIZE]; /* "": as configured */
	char capacity[TEXT_SIZE];                  /* "": not said */
	bool active, stopped;
};

struct gateways {
	struct gateway *v;
	size_t n;
	struct gateway_op *now;
};

struct gateway_op {
	struct registry *r;
	struct gateway was, is;
	struct catalog_request request;
	bool undo; /* what was stored is on its way back */
	int err;
	unsigned left; /* closings that are under way */
	char *who, *what;
	void (*done)(void *arg, int err);
	void *arg;
};

/* --- the list ------------------------------------------------------------------------------- */

static struct gateway *find(struct gateways *gs, const char *id)
{
	for (size_t i = 0; id && i < gs->n; i++)
		if (!strcmp(gs->v[i].id, id))
			return &gs->v[i];
	return NULL;
}

/* The one with this id, new if need be; NULL: no memory. */
static struct gateway *take(struct gateways *gs, const char *id)
{
	struct gateway *g = find(gs, id), *grown;

	if (g)
		return g;
	grown = reallocarray(gs->v, gs->n + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	gs->v = grown;
	g = &grown[gs->n++];
	*g = (struct gateway){ 0 };
	snprintf(g->id, sizeof(g->id), "%s", id);
	return g;
}

static int load_setting(const char *name, const char *value, void *arg)
{
	const char *id = name + strlen(FOLDER), *field = strrchr(name, '/') + 1;
	char text[40];
	struct gateway *g;

	snprintf(text, sizeof(text), "%.*s", (int)(field - 1 > id ? field - 1 - id : 0), id);
	g = take(arg, text);
	if (!g)
		return -ENOMEM;
	if (!strcmp(field, "name"))
		snprintf(g->name, sizeof(g->name), "%s", value);
	else if (!strcmp(field, "timezone"))
		snprintf(g->timezone, sizeof(g->timezone), "%s", value);
	else if (!strcmp(field, "capacity"))
		snprintf(g->capacity, sizeof(g->capacity), "%s", value);
	else if (!strcmp(field, "active"))
		g->active = true;
	else if (!strcmp(field, "stopped"))
		g->stopped = true;
	return 0;
}

static int load_all(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_load(tx, FOLDER, load_setting, arg);
}

int gateways_load(struct registry *r, struct catalog_error *why)
{
	r->gateways = calloc(1, sizeof(*r->gateways));
	if (!r->gateways) {
		*why = (struct catalog_error){ "out of memory" };
		return -ENOMEM;
	}
	return catalog_run(r->catalog, load_all, r->gateways, why);
}

static const char *id_in(const struct config *cfg)
{
	return cfg && cfg->management.aws.enabled ? cfg->management.aws.gateway : NULL;
}

bool gateway_is_stopped(const struct registry *r, const struct config *cfg)
{
	const struct gateway *g = find(r->gateways, id_in(cfg));

	return g && g->stopped;
}

struct registry_gateway registry_gateway(const struct registry *r)
{
	const struct gateway *g = find(r->gateways, id_in(r->now.cfg));

	if (!g)
		return (struct registry_gateway){ 0 };
	return (struct registry_gateway){ .name = *g->name ? g->name : NULL,
		.timezone = *g->timezone ? g->timezone : NULL,
		.capacity = *g->capacity ? g->capacity : NULL,
		.active = g->active,
		.stopped = g->stopped };
}

/* --- the catalog ---------------------------------------------------------------------------- */

/* With an empty value there is none. */
static int put(struct catalog_tx *tx, const struct gateway *g, const char *field, const char *value)
{
	char name[80];

	snprintf(name, sizeof(name), FOLDER "%s/%s", g->id, field);
	return *value ? catalog_setting_put(tx, name, value) : catalog_setting_remove(tx, name);
}

static int store(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct gateway_op *op = container_of(request, struct gateway_op, request);
	const struct gateway *g = op->undo ? &op->was : &op->is;
	const struct catalog_audit audit = { .who = op->who,
		.what = op->what,
		.object = g->id,
		.result = op->undo ? "undone" : "done" };
	int err = put(tx, g, "name", g->name);

	if (!err)
		err = put(tx, g, "timezone", g->timezone);
	if (!err)
		err = put(tx, g, "capacity", g->capacity);
	if (!err)
		err = put(tx, g, "active", g->active ? "yes" : "");
	if (!err)
		err = put(tx, g, "stopped", g->stopped ? "yes" : "");
	return err ? err : catalog_audit_add(tx, &audit);
}

static void submit(struct gateway_op *op, void (*done)(struct catalog_request *request))
{
	op->request = (struct catalog_request){ .run = store, .done = done, .home = op->r->loop };
	catalog_submit(op->r->catalog, &op->request);
}

/* --- a change ------------------------------------------------------------------------------- */

static void op_free(struct gateway_op *op)
{
	free(op->who);
	free(op->what);
	free(op);
}

static void arrive(struct gateway_op *op, int err)
{
	struct log_quoted who;

	op->r->gateways->now = NULL;
	if (!err)
		log_msg(LOG_NOTICE, "%s %s by %s", op->what, op->is.id,
			log_quote(op->who, strlen(op->who), &who));
	op->done(op->arg, err);
	op_free(op);
}

static void take_in(struct gateway_op *op, const struct gateway *g)
{
	struct gateway *at = find(op->r->gateways, g->id);

	if (at)
		*at = *g;
}

static void on_undone(struct catalog_request *request)
{
	struct gateway_op *op = container_of(request, struct gateway_op, request);

	if (request->err)
		log_msg(LOG_ERR, "gateway %s: %s: its new state will hold after the next start",
			op->is.id, request->why.text);
	arrive(op, op->err);
}

static void take_back(struct gateway_op *op, int err)
{
	op->err = err;
	op->undo = true;
	take_in(op, &op->was);
	submit(op, on_undone);
}

static void on_closed(void *arg, unsigned n)
{
	struct gateway_op *op = arg;

	(void)n;
	if (--op->left == 0)
		arrive(op, 0);
}

static int close_target(struct gateway_op *op, const char *name)
{
	int err = op->r->server ? iscsi_server_close(op->r->server, name, 0,
					  "the gateway was shut down", on_closed, op)
				: -ESHUTDOWN;

	if (err)
		log_msg(LOG_ERR, "%s: connections stay open, though the gateway was shut down: %s",
			name, strerror(-err));
	return err;
}

/* Every reactor has the new targets: no login gets in. Now those that got in before. */
static void on_in_force(void *arg)
{
	struct gateway_op *op = arg;
	const struct config *cfg = op->r->now.cfg;

	op->left = 1; /* this call's, as a target may have nothing to close */
	for (size_t i = 0; op->is.stopped && cfg && i < cfg->n_targets; i++) {
		op->left++;
		if (close_target(op, cfg->targets[i].name))
			op->left--;
	}
	on_closed(op, 0);
}

static int apply(struct gateway_op *op)
{
	struct config *next = config_copy_declared(op->r->now.cfg);
	struct faults faults = { 0 };
	int err = next ? registry_apply_volumes(op->r, next, on_in_force, op, &faults) : -ENOMEM;

	if (err)
		config_free(next);
	faults_free(&faults);
	return err;
}

static void on_stored(struct catalog_request *request)
{
	struct gateway_op *op = container_of(request, struct gateway_op, request);
	int err = request->err;

	if (err) {
		log_msg(LOG_ERR, "gateway %s: %s", op->is.id, request->why.text);
		arrive(op, err);
		return;
	}
	take_in(op, &op->is);
	if (op->is.stopped == op->was.stopped || !op->r->server)
		arrive(op, 0);
	else if ((err = apply(op)))
		take_back(op, err);
}

static void change(struct gateway_op *op, const struct registry_gateway_change *what)
{
	struct gateway *g = &op->is;

	if (what->name)
		snprintf(g->name, sizeof(g->name), "%s", what->name);
	if (what->timezone)
		snprintf(g->timezone, sizeof(g->timezone), "%s", what->timezone);
	if (what->capacity)
		snprintf(g->capacity, sizeof(g->capacity), "%s", what->capacity);
	g->active |= what->act == GATEWAY_ACTIVATED;
	if (what->act == GATEWAY_STARTED || what->act == GATEWAY_STOPPED)
		g->stopped = what->act == GATEWAY_STOPPED;
}

void registry_gateway_change(struct registry *r, const struct registry_gateway_change *what)
{
	const char *id = id_in(r->now.cfg);
	struct gateway *g = id && !r->gateways->now ? take(r->gateways, id) : NULL;
	struct gateway_op *op = g ? calloc(1, sizeof(*op)) : NULL;

	if (op) {
		op->who = strdup(what->who);
		op->what = strdup(what->what);
	}
	if (!op || !op->who || !op->what) {
		if (op)
			op_free(op);
		what->done(what->arg, r->gateways->now ? -EBUSY : -ENOMEM);
		return;
	}
	op->r = r;
	op->done = what->done;
	op->arg = what->arg;
	op->was = op->is = *g;
	change(op, what);
	r->gateways->now = op;
	submit(op, on_stored);
}

/* --- the end -------------------------------------------------------------------------------- */

void gateways_free(struct registry *r)
{
	if (!r->gateways)
		return;
	if (r->gateways->now)
		arrive(r->gateways->now, -ESHUTDOWN);
	free(r->gateways->v);
	free(r->gateways);
	r->gateways = NULL;
}

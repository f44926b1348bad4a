/* SPDX-License-Identifier: BSD-2-Clause */
/* Access states: in the catalog as the settings "alua/GROUP", those that are not the usual one. */
#include "registry/access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry/registry_private.h"

#define SETTINGS "alua/"

struct access_states {
	uint8_t of[UINT16_MAX + 1]; /* by group: enum lu_access */
};

static const char *const names[] = {
	[LU_ACTIVE_OPTIMIZED] = "active-optimized",
	[LU_ACTIVE_NON_OPTIMIZED] = "active-non-optimized",
	[LU_STANDBY] = "standby",
	[LU_UNAVAILABLE] = "unavailable",
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* False: it is the name of none. */
static bool state_named(const char *name, enum lu_access *out)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (!strcmp(names[i], name)) {
			*out = (enum lu_access)i;
			return true;
		}
	return false;
}

enum lu_access access_states_of(const struct access_states *a, uint16_t group)
{
	return a ? (enum lu_access)a->of[group] : LU_ACTIVE_OPTIMIZED;
}

/* --- at start ------------------------------------------------------------------------------- */

static int load_row(const char *name, const char *value, void *arg)
{
	struct access_states *a = arg;
	unsigned group;
	enum lu_access access;

	if (sscanf(name, SETTINGS "%u", &group) == 1 && group <= UINT16_MAX &&
		state_named(value, &access))
		a->of[group] = (uint8_t)access;
	else
		log_msg(LOG_WARNING, "the catalog has an access state that is none: %s", name);
	return 0;
}

static int load_all(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_load(tx, SETTINGS, load_row, arg);
}

int access_states_load(struct catalog *c, struct access_states **out, struct catalog_error *why)
{
	struct access_states *a = calloc(1, sizeof(*a));
	int err;

	if (!a) {
		*why = (struct catalog_error){ "out of memory" };
		return -ENOMEM;
	}
	err = catalog_run(c, load_all, a, why);
	if (err)
		access_states_free(a);
	else
		*out = a;
	return err;
}

void access_states_free(struct access_states *a)
{
	free(a);
}

/* --- looking -------------------------------------------------------------------------------- */

bool registry_port_groups(const struct registry *r,
	void (*each)(void *arg, uint16_t group, const char *state), void *arg)
{
	const struct config_target anywhere = { 0 };
	unsigned n;
	uint16_t *groups = target_groups(r->now.cfg, &anywhere, &n);

	for (unsigned i = 0; groups && i < n; i++)
		each(arg, groups[i], names[access_states_of(r->env.access, groups[i])]);
	free(groups);
	return groups;
}

/* --- changing ------------------------------------------------------------------------------- */

/* A change on its way to the catalog and back; those of one thread arrive in their order. */
struct op {
	struct registry *r;
	struct registry_access_change what;
	uint16_t group;
	enum lu_access access;
	char *who;
	struct catalog_request request;
};

static void tell(const struct registry_access_change *what, enum registry_access_result result,
	const char *state, const char *text)
{
	static const char *const texts[] = {
#define AS_TEXT(id, text) [id] = (text),
		REGISTRY_ACCESS_RESULTS(AS_TEXT)
#undef AS_TEXT
	};
	struct registry_access_outcome o = { .result = result,
		.group = (uint16_t)what->group,
		.state = state,
		.text = text ? text : texts[result] };

	what->done(what->arg, &o);
}

static void op_free(struct op *op)
{
	if (op)
		free(op->who);
	free(op);
}

/* On the catalog's thread. */
static int store(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct op *op = container_of(request, struct op, request);
	char name[32], detail[64];
	const struct catalog_audit audit = { .who = op->who,
		.what = "set port group",
		.object = name + strlen(SETTINGS),
		.detail = detail,
		.result = "done" };
	int err;

	snprintf(name, sizeof(name), SETTINGS "%u", op->group);
	snprintf(detail, sizeof(detail), "{\"state\":\"%s\"}", names[op->access]);
	if (op->access == LU_ACTIVE_OPTIMIZED)
		err = catalog_setting_remove(tx, name);
	else
		err = catalog_setting_put(tx, name, names[op->access]);
	return err ? err : catalog_audit_add(tx, &audit);
}

/* The registry may be on its way out, and its units gone: then the next start obeys it. */
static void on_stored(struct catalog_request *request)
{
	struct op *op = container_of(request, struct op, request);
	struct registry *r = op->r;
	struct log_quoted who;

	if (request->err) {
		tell(&op->what, ACCESS_NOT_STORED, NULL, request->why.text);
		op_free(op);
		return;
	}
	r->env.access->of[op->group] = (uint8_t)op->access;
	if (r->now.cfg)
		units_set_access(r->now.units, op->group, op->access);
	log_msg(LOG_NOTICE, "port group %u is %s, by %s", op->group, names[op->access],
		log_quote(op->who, strlen(op->who), &who));
	tell(&op->what, ACCESS_DONE, names[op->access], NULL);
	op_free(op);
}

static enum registry_access_result begin(
	struct registry *r, const struct registry_access_change *what, struct op *op)
{
	if (!op)
		return ACCESS_NO_MEMORY;
	op->r = r;
	op->what = *what;
	op->group = (uint16_t)what->group;
	op->who = strdup(what->who);
	if (!op->who)
		return ACCESS_NO_MEMORY;
	if (!r->catalog || !r->now.cfg)
		return ACCESS_STOPPING;
	if (!config_has_group(r->now.cfg, what->group))
		return ACCESS_NO_GROUP;
	return what->state && state_named(what->state, &op->access) ? ACCESS_DONE
								    : ACCESS_BAD_STATE;
}

void registry_access_change(struct registry *r, const struct registry_access_change *what)
{
	struct op *op = calloc(1, sizeof(*op));
	enum registry_access_result result = begin(r, what, op);

	if (result) {
		tell(what, result, NULL, NULL);
		op_free(op);
		return;
	}
	op->request = (struct catalog_request){ .run = store, .done = on_stored, .home = r->loop };
	catalog_submit(r->catalog, &op->request);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Target ports: an array in the order of names and groups, and which numbers are taken. */
#include "registry/target_ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "catalog/port.h"

#define ID_MAX 65535u

struct port {
	char *target;
	uint16_t group, id;
	bool wanted; /* by the configuration that is being looked at */
};

struct target_ports {
	struct catalog *catalog;
	struct loop *home;
	struct port *v; /* sorted by target and group */
	size_t n, room;
	bool taken[ID_MAX + 1];
	bool full; /* it has been said that there are no more */
};

/* --- groups --------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

uint16_t *target_groups(const struct config *cfg, const struct config_target *t, unsigned *n)
{
	size_t listed = t->n_portal_groups, most = listed ? listed : cfg->n_portals;
	uint16_t *v = calloc(most + 1, sizeof(*v));

	*n = 0;
	if (!v)
		return NULL;
	for (size_t i = 0; i < most; i++)
		v[i] = (uint16_t)(listed ? t->portal_groups[i] : cfg->portals[i].group);
	qsort(v, most, sizeof(*v), by_number);
	for (size_t i = 0; i < most; i++)
		if (!*n || v[*n - 1] != v[i])
			v[(*n)++] = v[i];
	return v;
}

/* --- the array ------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
	const struct port *x = a, *y = b;
	int order = strcmp(x->target, y->target);

	return order ? order : x->group - y->group;
}

static void sort(struct target_ports *tp)
{
	if (tp->n)
		qsort(tp->v, tp->n, sizeof(*tp->v), by_name);
}

static struct port *find(
	const struct target_ports *tp, size_t n, const char *target, uint16_t group)
{
	const struct port like = { .target = (char *)(uintptr_t)target, .group = group };

	return n ? bsearch(&like, tp->v, n, sizeof(*tp->v), by_name) : NULL;
}

uint16_t target_ports_find(const struct target_ports *tp, const char *target, uint16_t group)
{
	const struct port *p = tp ? find(tp, tp->n, target, group) : NULL;

	return p ? p->id : group;
}

static bool append(struct target_ports *tp, const char *target, uint16_t group, uint16_t id)
{
	struct port *v = tp->v;

	if (tp->n == tp->room) {
		v = reallocarray(v, tp->room ? 2 * tp->room : 16, sizeof(*v));
		if (!v)
			return false;
		tp->v = v;
		tp->room = tp->room ? 2 * tp->room : 16;
	}
	v[tp->n] = (struct port){ strdup(target), group, id, true };
	if (!v[tp->n].target)
		return false;
	tp->n++;
	tp->taken[id] = true;
	return true;
}

void target_ports_free(struct target_ports *tp)
{
	for (size_t i = 0; tp && i < tp->n; i++)
		free(tp->v[i].target);
	if (tp)
		free(tp->v);
	free(tp);
}

/* --- the catalog ---------------------------------------------------------------------------- */

static int load_row(const struct catalog_port *row, void *arg)
{
	return append(arg, row->target, row->group, row->id) ? 0 : -ENOMEM;
}

static int load_all(struct catalog_tx *tx, void *arg)
{
	return catalog_port_load(tx, load_row, arg);
}

int target_ports_load(
	struct catalog *c, struct loop *home, struct target_ports **out, struct catalog_error *why)
{
	struct target_ports *tp = calloc(1, sizeof(*tp));
	int err;

	if (!tp) {
		*why = (struct catalog_error){ "out of memory" };
		return -ENOMEM;
	}
	tp->catalog = c;
	tp->home = home;
	err = catalog_run(c, load_all, tp, why);
	if (err) {
		target_ports_free(tp);
		return err;
	}
	sort(tp);
	*out = tp;
	return 0;
}

/* What is on its way: numbers that are taken back, and numbers that are given. */
struct batch {
	struct catalog_request request;
	uint16_t *back;
	size_t n_back;
	struct catalog_port *given; /* names are ours */
	size_t n_given;
};

static void batch_free(struct batch *b)
{
	for (size_t i = 0; b && i < b->n_given; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without an array n_given is 0 */
		free((char *)(uintptr_t)b->given[i].target);
	if (b) {
		free(b->given);
		free(b->back);
	}
	free(b);
}

/* On the catalog's thread, perhaps more than once. */
static int store(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct batch *b = container_of(request, struct batch, request);
	int err = 0;

	for (size_t i = 0; !err && i < b->n_back; i++)
		err = catalog_port_remove(tx, b->back[i]);
	for (size_t i = 0; !err && i < b->n_given; i++)
		err = catalog_port_add(tx, &b->given[i]);
	return err;
}

static void stored(struct catalog_request *request)
{
	if (request->err)
		log_msg(LOG_ERR,
			"target ports: %s: they may have other relative identifiers "
			"after the next start",
			request->why.text);
	batch_free(container_of(request, struct batch, request));
}

static struct batch *batch_new(size_t back, size_t given)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->request = (struct catalog_request){ .run = store, .done = stored };
	b->back = calloc(back + 1, sizeof(*b->back));
	b->given = calloc(given + 1, sizeof(*b->given));
	if (b->back && b->given)
		return b;
	batch_free(b);
	return NULL;
}

/* --- giving numbers ------------------------------------------------------------------------- */

/* A port of a configuration that has no number. */
struct wish {
	const char *target;
	uint16_t group;
};

static bool list_wishes(
	struct target_ports *tp, const struct config *cfg, struct wish **out, size_t *n)
{
	size_t most = 0;

	*n = 0;
	for (size_t i = 0; i < cfg->n_targets; i++)
		most += cfg->targets[i].n_portal_groups ? cfg->targets[i].n_portal_groups
							: cfg->n_portals;
	*out = calloc(most + 1, sizeof(**out));
	for (size_t i = 0; *out && i < cfg->n_targets; i++) {
		const char *name = cfg->targets[i].name;
		unsigned n_groups;
		uint16_t *groups = target_groups(cfg, &cfg->targets[i], &n_groups);

		for (unsigned k = 0; groups && k < n_groups; k++) {
			struct port *p = find(tp, tp->n, name, groups[k]);

			if (p)
				p->wanted = true;
			else
				(*out)[(*n)++] = (struct wish){ name, groups[k] };
		}
		free(groups);
		if (!groups)
			return false;
	}
	return *out;
}

/* Forgets the ports that nobody wants. */
static void take_back(struct target_ports *tp, struct batch *b)
{
	size_t n = 0;

	for (size_t i = 0; i < tp->n; i++) {
		struct port *p = &tp->v[i];

		if (p->wanted) {
			tp->v[n++] = *p;
			continue;
		}
		b->back[b->n_back++] = p->id;
		tp->taken[p->id] = false;
		free(p->target);
	}
	tp->n = n;
}

static uint16_t lowest_free(const struct target_ports *tp, uint32_t from)
{
	for (uint32_t id = from; id <= ID_MAX; id++)
		if (!tp->taken[id])
			return (uint16_t)id;
	return 0;
}

static void say_full(struct target_ports *tp, const struct wish *w)
{
	if (!tp->full)
		log_msg(LOG_WARNING,
			"%s in portal group %u, and perhaps others: there are more target ports "
			"than relative identifiers; reservations do not tell them apart",
			w->target, w->group);
	tp->full = true;
}

/* In the array and in the batch. */
static bool give(struct target_ports *tp, const struct wish *w, uint16_t id, struct batch *b)
{
	char *name = strdup(w->target);

	if (!name)
		return false;
	b->given[b->n_given++] = (struct catalog_port){ name, w->group, id };
	return append(tp, w->target, w->group, id);
}

static bool give_all(struct target_ports *tp, const struct wish *w, size_t n, struct batch *b)
{
	uint16_t id = 0;
	bool ok = true;

	if (n > ID_MAX - tp->n)
		take_back(tp, b);
	for (size_t i = 0; ok && i < n; i++) {
		id = lowest_free(tp, id + 1u);
		if (!id) {
			say_full(tp, &w[i]);
			break;
		}
		ok = give(tp, &w[i], id, b);
	}
	sort(tp);
	return ok;
}

static bool fulfil(struct target_ports *tp, const struct wish *w, size_t n)
{
	struct batch *b = batch_new(tp->n, n);
	bool ok = b && give_all(tp, w, n, b);

	/* Also after a failure: what has been given is given. */
	if (b && (b->n_given || b->n_back)) {
		b->request.home = tp->home;
		catalog_submit(tp->catalog, &b->request);
	} else {
		batch_free(b);
	}
	return ok;
}

int target_ports_assign(struct target_ports *tp, const struct config *cfg)
{
	struct wish *wishes;
	size_t n;
	bool ok;

	for (size_t i = 0; i < tp->n; i++)
		tp->v[i].wanted = false;
	ok = list_wishes(tp, cfg, &wishes, &n);
	if (ok && n)
		ok = fulfil(tp, wishes, n);
	free(wishes);
	return ok ? 0 : -ENOMEM;
}

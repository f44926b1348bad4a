/* SPDX-License-Identifier: BSD-2-Clause */
/* All ways lie in one sorted array, of which those to a unit are a run. */
#include "registry/ways.h"

#include <errno.h>
#include <stdlib.h>

static int by_way(const void *a, const void *b)
{
	const struct way *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	if (x->port.group != y->port.group)
		return x->port.group - y->port.group;
	return x->port.id - y->port.id;
}

/* Of a target with the same unit at two LUNs there are two ways through the same port: one goes. */
static void sort(struct ways *all)
{
	size_t n = 0;

	if (all->n)
		qsort(all->v, all->n, sizeof(*all->v), by_way);
	for (size_t i = 0; i < all->n; i++)
		if (!n || by_way(&all->v[n - 1], &all->v[i]))
			all->v[n++] = all->v[i];
	all->n = n;
}

static bool add(struct ways *all, const struct config *cfg, const struct config_target *t,
	const struct target_ports *ports)
{
	unsigned n;
	uint16_t *groups = target_groups(cfg, t, &n);
	struct way *v =
		groups ? reallocarray(all->v, all->n + n * t->n_luns + 1, sizeof(*v)) : NULL;

	if (v)
		all->v = v;
	for (unsigned i = 0; v && i < n; i++) {
		uint16_t id = target_ports_find(ports, t->name, groups[i]);

		for (size_t k = 0; k < t->n_luns; k++)
			v[all->n++] = (struct way){ t->luns[k].unit, t->name, { groups[i], id } };
	}
	free(groups);
	return v;
}

bool ways_list(struct ways *all, const struct config *cfg, const struct target_ports *ports)
{
	*all = (struct ways){ 0 };
	for (size_t i = 0; i < cfg->n_targets; i++) {
		if (!add(all, cfg, &cfg->targets[i], ports)) {
			ways_free(all);
			return false;
		}
	}
	sort(all);
	return true;
}

void ways_free(struct ways *all)
{
	free(all->v);
	*all = (struct ways){ 0 };
}

struct ways ways_to(const struct ways *all, const struct config_lun *row)
{
	size_t from = 0, end = all->n;
	struct ways ways;

	while (from < end) {
		size_t middle = from + (end - from) / 2;

		if (all->v[middle].row < row)
			from = middle + 1;
		else
			end = middle;
	}
	ways = (struct ways){ all->v + from, 0 };
	while (from + ways.n < all->n && ways.v[ways.n].row == row)
		ways.n++;
	return ways;
}

int ways_tell(const struct ways *ways, struct lu *lu, const struct access_states *access)
{
	struct lu_port_group *groups = calloc(ways->n + 1, sizeof(*groups));
	struct lu_port *ports = calloc(ways->n + 1, sizeof(*ports));
	unsigned n = 0;
	int err = -ENOMEM;

	for (size_t i = 0; groups && ports && i < ways->n; i++) {
		const struct way *w = &ways->v[i];

		if (!n || groups[n - 1].group != w->port.group)
			groups[n++] = (struct lu_port_group){ .group = w->port.group,
				.access = access_states_of(access, w->port.group),
				.ports = &ports[i] };
		ports[i] = (struct lu_port){ w->port.id, w->target };
		groups[n - 1].nports++;
	}
	if (groups && ports)
		err = lu_set_port_groups(lu, groups, n);
	free(groups);
	free(ports);
	return err;
}

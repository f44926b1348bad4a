/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the portals and of the groups that targets and libraries name. */
#include <string.h>

#include "config/check.h"

static bool is_ipv6(const char *address)
{
	return strchr(address, ':') != NULL;
}

static bool is_wildcard(const char *address)
{
	return !strcmp(address, "0.0.0.0") || !strcmp(address, "::");
}

/* Of two portals on one port; bind() would refuse the second. */
static void check_pair(
	struct check *c, const struct config_portal *a, const struct config_portal *b)
{
	struct check_place place = { "" };

	if (!a->address || !b->address || a->port != b->port)
		return;
	if (!strcmp(a->address, b->address))
		check_fault(c, &b->address, "portal %s port %u is used twice: first in %s",
			b->address, b->port, check_other(c, &a->address, &place));
	else if (is_ipv6(a->address) == is_ipv6(b->address) &&
		 (is_wildcard(a->address) || is_wildcard(b->address)))
		check_fault(c, &b->address,
			"portal %s overlaps %s (%s) on port %u; keep the one for all addresses or "
			"name each address",
			b->address, a->address, check_other(c, &a->address, &place), b->port);
}

static void check_groups(struct check *c, const uint32_t *groups, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (groups[i] && !config_has_group(c->cfg, groups[i]))
			check_fault(
				c, &groups[i], "portal_groups: no portal has group %u", groups[i]);
		for (size_t j = 0; j < i; j++)
			if (groups[i] == groups[j] && groups[i])
				check_fault(c, &groups[i], "portal_groups: %u is there twice",
					groups[i]);
	}
}

void check_portals(struct check *c)
{
	const struct config *cfg = c->cfg;

	if (check_given_list(c, &cfg->portals) && !cfg->n_portals)
		check_fault(c, &cfg->portals,
			"portals: the list is empty; say where to listen, as in "
			"portals = ( { address = \"0.0.0.0\"; } );");
	for (size_t i = 0; i < cfg->n_portals; i++)
		for (size_t j = 0; j < i; j++)
			check_pair(c, &cfg->portals[j], &cfg->portals[i]);
	for (size_t i = 0; i < cfg->n_targets; i++)
		check_groups(c, cfg->targets[i].portal_groups, cfg->targets[i].n_portal_groups);
	for (size_t i = 0; i < cfg->n_libraries; i++)
		check_groups(c, cfg->libraries[i].portal_groups, cfg->libraries[i].n_portal_groups);
}

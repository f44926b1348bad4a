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

bool check_listeners(
	struct check *c, const char *what, struct check_listener a, struct check_listener b)
{
	const char *one = *a.address, *other = *b.address;
	struct check_place place = { "" };

	if (!one || !other || a.port != b.port)
		return false;
	if (!strcmp(one, other)) {
		check_fault(c, b.address, "%s %s port %u is used twice: first in %s", what, other,
			b.port, check_other(c, a.address, &place));
		return true;
	}
	if (is_ipv6(one) != is_ipv6(other) || (!is_wildcard(one) && !is_wildcard(other)))
		return false;
	check_fault(c, b.address,
		"%s %s overlaps %s (%s) on port %u; keep the one for all addresses or name each "
		"address",
		what, other, one, check_other(c, a.address, &place), b.port);
	return true;
}

static struct check_listener listener_of(const struct config_portal *p)
{
	return (struct check_listener){ &p->address, p->port };
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
			check_listeners(c, "portal", listener_of(&cfg->portals[j]),
				listener_of(&cfg->portals[i]));
	for (size_t i = 0; i < cfg->n_targets; i++)
		check_groups(c, cfg->targets[i].portal_groups, cfg->targets[i].n_portal_groups);
	for (size_t i = 0; i < cfg->n_libraries; i++)
		check_groups(c, cfg->libraries[i].portal_groups, cfg->libraries[i].n_portal_groups);
}

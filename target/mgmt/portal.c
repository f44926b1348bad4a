/* SPDX-License-Identifier: BSD-2-Clause */
/* Portals as others see them. */
#include "mgmt/portal.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/addr.h"

static void add(struct portal_list *p, const struct addr *at, uint16_t port, uint32_t group)
{
	struct portal_at *grown = reallocarray(p->v, p->n + 1, sizeof(*grown)), *row;
	struct addr_text text;
	const char *host = addr_host(at, &text);
	size_t len;

	if (!grown) {
		p->failed = true;
		return;
	}
	p->v = grown;
	row = &p->v[p->n++];
	*row = (struct portal_at){
		.ipv6 = at->sa.sa_family == AF_INET6, .port = port, .group = group
	};
	host += *host == '[';
	len = strcspn(host, "]");
	snprintf(row->host, sizeof(row->host), "%.*s", (int)len, host);
}

/* An address that others can reach: not of the loopback, nor of one link alone. */
static bool is_public(const struct ifaddrs *i, const struct addr *at)
{
	return i->ifa_flags & IFF_UP && !(i->ifa_flags & IFF_LOOPBACK) && !addr_is_loopback(at) &&
	       !(at->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&at->in6.sin6_addr));
}

static void add_all(struct portal_list *p, const struct addr *wildcard, uint32_t group)
{
	bool ipv6 = wildcard->sa.sa_family == AF_INET6;
	struct ifaddrs *all = NULL;
	struct addr at;
	size_t before = p->n;

	if (getifaddrs(&all))
		all = NULL;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != wildcard->sa.sa_family)
			continue;
		addr_from(&at, i->ifa_addr, ipv6 ? sizeof(at.in6) : sizeof(at.in));
		if (is_public(i, &at))
			add(p, &at, addr_port(wildcard), group);
	}
	freeifaddrs(all);
	if (p->n == before && !addr_parse(&at, ipv6 ? "::1" : "127.0.0.1", 0))
		add(p, &at, addr_port(wildcard), group);
}

/* Names the portals that have been added. `advertised` is "name:port". */
static void name_all(struct portal_list *p, size_t first, const char *advertised)
{
	size_t len = strcspn(advertised, ":");
	unsigned long port = advertised[len] ? strtoul(advertised + len + 1, NULL, 10) : 3260;

	for (size_t i = first; i < p->n; i++) {
		snprintf(p->v[i].name, sizeof(p->v[i].name), "%.*s", (int)len, advertised);
		p->v[i].name_port = (uint16_t)port;
	}
}

/* What discovery tells is what others should know, where it is an address. */
static void on_portal(void *arg, const struct registry_portal *portal)
{
	struct portal_list *p = arg;
	size_t before = p->n;
	struct addr at;
	bool told = portal->advertised && !addr_parse_port(&at, portal->advertised, 3260);

	if (!told && addr_parse_port(&at, portal->address, 3260))
		return;
	if (addr_is_wildcard(&at))
		add_all(p, &at, portal->group);
	else
		add(p, &at, addr_port(&at), portal->group);
	if (portal->advertised && !told)
		name_all(p, before, portal->advertised);
}

struct portal_list portal_list_begin(const struct registry *r)
{
	struct portal_list p = { 0 };

	registry_portals(r, on_portal, &p);
	return p;
}

void portal_list_end(struct portal_list *p)
{
	free(p->v);
	*p = (struct portal_list){ 0 };
}

bool portal_is_in(const struct portal_at *at, const uint32_t *groups, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (groups[i] == at->group)
			return true;
	return n == 0;
}

const struct portal_at *portal_in_groups(
	const struct portal_list *p, const uint32_t *groups, size_t n)
{
	for (size_t i = 0; i < p->n; i++)
		if (portal_is_in(&p->v[i], groups, n))
			return &p->v[i];
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of the gateway. */
#include "mgmt/aws_portal.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/addr.h"

static void add(struct aws_portals *p, const struct addr *at, uint16_t port, uint32_t group)
{
	struct aws_portal *grown = reallocarray(p->v, p->n + 1, sizeof(*grown)), *row;
	struct addr_text text;
	const char *host = addr_host(at, &text);
	size_t len;

	if (!grown) {
		p->failed = true;
		return;
	}
	p->v = grown;
	row = &p->v[p->n++];
	*row = (struct aws_portal){
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

static void add_all(struct aws_portals *p, const struct addr *wildcard, uint32_t group)
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

/* What discovery tells is what others should know, where it is an address. */
static void on_portal(void *arg, const struct registry_portal *portal)
{
	struct aws_portals *p = arg;
	struct addr at;

	if (portal->advertised && !addr_parse_port(&at, portal->advertised, 3260))
		add(p, &at, addr_port(&at), portal->group);
	else if (addr_parse_port(&at, portal->address, 3260))
		return;
	else if (addr_is_wildcard(&at))
		add_all(p, &at, portal->group);
	else
		add(p, &at, addr_port(&at), portal->group);
}

struct aws_portals aws_portals_begin(const struct registry *r)
{
	struct aws_portals p = { 0 };

	registry_portals(r, on_portal, &p);
	return p;
}

void aws_portals_end(struct aws_portals *p)
{
	free(p->v);
	*p = (struct aws_portals){ 0 };
}

const struct aws_portal *aws_portal_in(
	const struct aws_portals *p, const uint32_t *groups, size_t n)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!n)
			return &p->v[i];
		for (size_t j = 0; j < n; j++)
			if (groups[j] == p->v[i].group)
				return &p->v[i];
	}
	return NULL;
}

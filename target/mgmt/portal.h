/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the server can be reached from other machines, as far as it can tell. */
#ifndef MGMT_PORTAL_H
#define MGMT_PORTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/registry.h"

struct portal_at {
	char host[64];  /* numeric, without brackets */
	char name[256]; /* what discovery tells instead, where that is a name; "" otherwise */
	bool ipv6;
	uint16_t port, name_port;
	uint32_t group;
};

/* All portals; for one on all addresses, one row for each address of this machine that is up, the
 * loopback only where there is nothing else. */
struct portal_list {
	struct portal_at *v;
	size_t n;
	bool failed; /* memory ran out */
};
struct portal_list portal_list_begin(const struct registry *r);
void portal_list_end(struct portal_list *p);

/* Whether it shows what these groups show (n 0: all). */
bool portal_is_in(const struct portal_at *at, const uint32_t *groups, size_t n);

/* The first portal that shows what these groups show (n 0: all); NULL: none does. */
const struct portal_at *portal_in_groups(
	const struct portal_list *p, const uint32_t *groups, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the gateway can be reached: what the API calls network interfaces. */
#ifndef MGMT_AWS_PORTAL_H
#define MGMT_AWS_PORTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry.h"

struct aws_portal {
	char host[64]; /* numeric, without brackets */
	bool ipv6;
	uint16_t port;
	uint32_t group;
};

/* All portals; for one on all addresses, one row for each address of this machine that is up, the
 * loopback only where there is nothing else. */
struct aws_portals {
	struct aws_portal *v;
	size_t n;
	bool failed; /* memory ran out */
};
struct aws_portals aws_portals_begin(const struct registry *r);
void aws_portals_end(struct aws_portals *p);

/* The first portal that shows what these groups show (n 0: all); NULL: none does. */
const struct aws_portal *aws_portal_in(
	const struct aws_portals *p, const uint32_t *groups, size_t n);

#endif

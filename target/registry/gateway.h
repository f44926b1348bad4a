/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the Storage Gateway API has made of the gateway that the configuration describes: another
 * name, time zone or capacity, active or not, shut down or not. It is in the catalog, by the
 * gateway's id, so that it is there after a restart, and a gateway that was shut down stays so.
 *
 * All calls are made, and all callbacks come, on the thread of the main loop.
 */
#ifndef REGISTRY_GATEWAY_H
#define REGISTRY_GATEWAY_H

#include "registry/registry.h"

struct registry_gateway {
	const char *name;     /* NULL: as the configuration has it */
	const char *timezone; /* NULL: as the configuration has it */
	const char *capacity; /* how large it is said to be; NULL: nobody has said */
	bool active;          /* was activated by its key, where the configuration has one */
	bool stopped;         /* no login is taken, and there are no sessions */
};

/* Of the gateway in force. Borrowed until the loop turns. */
struct registry_gateway registry_gateway(const struct registry *r);

enum registry_gateway_act { GATEWAY_STAYS, GATEWAY_ACTIVATED, GATEWAY_STARTED, GATEWAY_STOPPED };

struct registry_gateway_change {
	const char *name, *timezone, *capacity; /* NULL: stays; copied */
	enum registry_gateway_act act;
	const char *who, *what; /* for the audit; copied */
	/*
	 * Once: 0, and it is on stable storage and in force, which for GATEWAY_STOPPED means that all
	 * sessions are closed and logins are answered with "service unavailable"; or, and nothing has
	 * changed, -EBUSY while another change is under way, or -errno.
	 */
	void (*done)(void *arg, int err);
	void *arg;
};

/* Changes the gateway in force. *what is copied; its done() may come before this returns. */
void registry_gateway_change(struct registry *r, const struct registry_gateway_change *what);

#endif

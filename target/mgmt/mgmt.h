/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Management: who may come in by which listener, and what is spoken there.
 *
 * All calls are made on the thread of the main loop, on which everything here runs, too.
 */
#ifndef MGMT_MGMT_H
#define MGMT_MGMT_H

#include "base/loop.h"
#include "config/config.h"
#include "config/faults.h"
#include "registry/registry.h"

struct mgmt;

/* What came of a reload. */
struct mgmt_reloaded {
	int err;                     /* 0: the new configuration is in force */
	const struct faults *faults; /* why not; borrowed, as all here, for the call that tells it */
	char *const *changes;        /* what is different now: a line each */
	size_t n_changes;
};

/* What management asks of the program around it. */
struct mgmt_host {
	/* Reads the configuration file again; done(ctx, outcome) once, now or later. */
	void (*reload)(
		void *arg, void (*done)(void *ctx, const struct mgmt_reloaded *outcome), void *ctx);
	void *arg;
};

/* Opens the listeners that cfg asks for. The registry may not have started yet, but must have
 * before the loop runs. 0, or -errno with faults added. */
int mgmt_open(struct loop *loop, struct registry *registry, const struct mgmt_host *host,
	const struct config *cfg, struct mgmt **out, struct faults *faults);

/* Goes over to another configuration in two steps: what can fail comes first. After prepare, 0 or
 * -errno with faults added, one of the other two must follow. cfg is borrowed until then. */
int mgmt_prepare(struct mgmt *m, const struct config *cfg, struct faults *faults);
void mgmt_commit(struct mgmt *m);
void mgmt_abandon(struct mgmt *m);

/* Closes all connections, and removes the socket. NULL is fine. */
void mgmt_close(struct mgmt *m);

#endif

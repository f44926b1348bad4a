/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Portals. Each is heard on a reactor, so that a login need not change threads; what is done to a
 * listener is done there, and waited for.
 *
 * The one difficulty is a port that changes hands: 0.0.0.0:3260 cannot be bound while
 * 127.0.0.1:3260 listens, also if the latter is about to go. Such a listener is closed a moment
 * early, and opened again if the change comes to nothing.
 */
#include "registry/portals.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/listen.h"
#include "registry/fault.h"

struct portal {
	struct addr at;
	struct addr_text text; /* of at */
	const struct config_portal *row;
	struct listener *listener;   /* NULL: with the next set, or closed early */
	struct portal *from;         /* whose listener this was, in the set before */
	bool early;                  /* closed early */
	struct iscsi_server *server; /* set once it takes connections */
	struct loop *loop;           /* ... and where */
};

struct portals {
	struct portal *v;
	size_t n;
};

static int refuse(const struct config *cfg, const struct portal *p, int err, const char *text,
	struct faults *faults)
{
	return registry_fault(faults, cfg, &p->row->address, err, "portal %s", text);
}

/* --- taking connections --------------------------------------------------------------------- */

static void on_connection(void *ctx, const struct stream *stream)
{
	const struct portal *p = ctx;

	iscsi_server_take(p->server, stream, (uint16_t)p->row->group);
}

static void start_here(void *arg)
{
	struct portal *p = arg;

	listener_start(p->listener, p->loop, on_connection, p);
}

static void stop_here(void *arg)
{
	listener_stop(arg);
}

static void start(struct portal *p, struct iscsi_server *server, size_t i)
{
	p->server = server;
	p->loop = iscsi_server_loop(server, (unsigned)i);
	loop_call(p->loop, start_here, p);
}

static void stop(struct portal *p)
{
	if (p->loop && p->listener)
		loop_call(p->loop, stop_here, p->listener);
	p->loop = NULL;
}

static void shut(struct portal *p)
{
	stop(p);
	listener_close(p->listener);
	p->listener = NULL;
}

/* --- preparing ------------------------------------------------------------------------------ */

static struct portal *find(struct portals *set, const struct addr *at)
{
	for (size_t i = 0; set && i < set->n; i++)
		if (addr_same(&set->v[i].at, at))
			return &set->v[i];
	return NULL;
}

static bool take_over(struct portal *p, struct portals *old)
{
	struct portal *was = find(old, &p->at);

	if (!was || !was->listener)
		return false;
	p->listener = was->listener;
	p->from = was;
	was->listener = NULL;
	return true;
}

static int inherit(struct portal *p, int *fds, size_t n, struct listen_error *why)
{
	for (size_t i = 0; i < n; i++) {
		int err;

		if (fds[i] < 0 || !listener_fd_is(fds[i], &p->at))
			continue;
		err = listener_adopt(fds[i], &p->listener, why);
		if (!err)
			fds[i] = -1;
		return err;
	}
	return 0;
}

static bool stands_in_the_way(const struct portal *old, const struct portal *p)
{
	return old->listener && old->at.sa.sa_family == p->at.sa.sa_family &&
	       addr_port(&old->at) == addr_port(&p->at) &&
	       (addr_is_wildcard(&old->at) || addr_is_wildcard(&p->at));
}

/* Closes listeners that go anyway and keep p from binding; true if there were any. */
static bool clear_the_way(const struct portal *p, struct portals *set, struct portals *old)
{
	bool any = false;

	for (size_t i = 0; old && i < old->n; i++) {
		struct portal *o = &old->v[i];

		if (!stands_in_the_way(o, p) || find(set, &o->at))
			continue;
		shut(o);
		o->early = any = true;
	}
	return any;
}

static int prepare(struct portal *p, struct portals *set, struct portals *old, int *fds, size_t n,
	struct listen_error *why)
{
	int err;

	if (take_over(p, old))
		return 0;
	err = inherit(p, fds, n, why);
	if (err || p->listener)
		return err;
	err = listener_open(&p->at, &p->listener, why);
	if (err == -EADDRINUSE && clear_the_way(p, set, old))
		err = listener_open(&p->at, &p->listener, why);
	return err;
}

static struct portals *portals_new(const struct config *cfg)
{
	struct portals *set = calloc(1, sizeof(*set));

	if (!set || !(set->v = calloc(cfg->n_portals + 1, sizeof(*set->v)))) {
		free(set);
		return NULL;
	}
	set->n = cfg->n_portals;
	for (size_t i = 0; i < set->n; i++)
		set->v[i].row = &cfg->portals[i];
	return set;
}

/* The addresses of all, before the first is bound. */
static int read_addresses(const struct config *cfg, struct portals *set, struct faults *faults)
{
	for (size_t i = 0; i < set->n; i++) {
		struct portal *p = &set->v[i];
		char text[256];

		if (addr_parse(&p->at, p->row->address, (uint16_t)p->row->port)) {
			snprintf(text, sizeof(text), "%s: not an address of this machine's",
				p->row->address);
			return refuse(cfg, p, -EINVAL, text, faults);
		}
		addr_text(&p->at, &p->text);
	}
	return 0;
}

static int prepare_all(const struct config *cfg, struct portals *set, struct portals *old, int *fds,
	size_t n, struct faults *faults)
{
	int err = 0;

	for (size_t i = 0; i < set->n; i++) {
		struct listen_error why;
		int failed = prepare(&set->v[i], set, old, fds, n, &why);

		if (failed)
			err = refuse(cfg, &set->v[i], failed, why.text, faults);
	}
	return err;
}

int portals_prepare(const struct config *cfg, struct portals *old, int *fds, size_t n,
	struct portals **out, struct faults *faults)
{
	struct portals *set = portals_new(cfg);
	int err;

	if (!set)
		return registry_fault(faults, cfg, NULL, -ENOMEM, "out of memory");
	err = read_addresses(cfg, set, faults);
	if (!err)
		err = prepare_all(cfg, set, old, fds, n, faults);
	if (err)
		portals_abandon(set, old);
	else
		*out = set;
	return err;
}

/* Opens again what was closed early. */
static void reopen(struct portals *old)
{
	for (size_t i = 0; i < old->n; i++) {
		struct portal *o = &old->v[i];
		struct listen_error why;

		if (!o->early)
			continue;
		o->early = false;
		if (listener_open(&o->at, &o->listener, &why))
			log_msg(LOG_ERR, "portal %s, and it was to stay; reload to try again",
				why.text);
		else
			start(o, o->server, i);
	}
}

void portals_abandon(struct portals *set, struct portals *old)
{
	for (size_t i = 0; set && i < set->n; i++) {
		struct portal *p = &set->v[i];

		if (p->from) {
			p->from->listener = p->listener;
			p->listener = NULL;
		}
	}
	portals_free(set);
	if (old)
		reopen(old);
}

void portals_commit(struct portals *set, struct portals *old, struct iscsi_server *server)
{
	for (size_t i = 0; i < set->n; i++) {
		struct portal *p = &set->v[i];

		if (p->from) {
			p->loop = p->from->loop;
			stop(p); /* it is told of the set that goes */
		}
		p->from = NULL;
		start(p, server, i);
	}
	portals_free(old);
}

void portals_stop(struct portals *set)
{
	for (size_t i = 0; set && i < set->n; i++)
		stop(&set->v[i]);
}

void portals_free(struct portals *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++)
		shut(&set->v[i]);
	free(set->v);
	free(set);
}

/* --- telling -------------------------------------------------------------------------------- */

struct iscsi_portal *portals_directory(const struct portals *set, unsigned *n)
{
	struct iscsi_portal *v = calloc(set->n + 1, sizeof(*v));

	for (size_t i = 0; v && i < set->n; i++) {
		const struct portal *p = &set->v[i];
		const char *address = addr_is_wildcard(&p->at) ? NULL : p->text.text;

		v[i] = (struct iscsi_portal){
			.address = p->row->advertise ? p->row->advertise : address,
			.port = (uint16_t)p->row->port,
			.ipv6 = p->at.sa.sa_family == AF_INET6,
			.group = (uint16_t)p->row->group,
		};
	}
	*n = (unsigned)set->n;
	return v;
}

void portals_each(const struct portals *set,
	void (*each)(void *arg, const struct registry_portal *portal), void *arg)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct portal *p = &set->v[i];
		struct registry_portal portal = {
			.address = p->text.text,
			.advertised = p->row->advertise,
			.group = p->row->group,
		};

		each(arg, &portal);
	}
}

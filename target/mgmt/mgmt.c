/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listeners of management: the Unix socket, for root, for the server's own user and for those
 * that the configuration names; and those on the network, where every caller has to prove itself.
 */
#include "mgmt/mgmt.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/places.h"
#include "mgmt/aws.h"
#include "mgmt/door.h"
#include "mgmt/front.h"
#include "mgmt/http.h"
#include "mgmt/native.h"
#include "mgmt/ontap.h"
#include "mgmt/patience.h"
#include "net/guard.h"

#define OLD_MS 10000 /* that a listener goes on after it has moved */

/* Users besides root and our own that may use the socket. */
struct users {
	uid_t *v;
	size_t n;
};

struct mgmt {
	struct loop *loop;
	struct native native;
	struct ontap ontap;
	struct aws aws;
	struct http_service local;       /* what the Unix socket speaks */
	struct http_service services[3]; /* what the network listeners speak */
	struct http_cfg network;         /* what they have in common; owns failures and patience */
	struct front *front;             /* the network listeners */
	struct front *next_front;        /* between mgmt_prepare() and what follows it */
	struct door *door;
	struct http *http;
	struct users users;

	/* The listener before the last change of place. Who asked for that change may have come by it,
	 * and is still to be answered. */
	struct http *old;
	struct loop_timer old_ends;

	/* Between mgmt_prepare() and what follows it. */
	const struct config *next;
	struct door *next_door; /* NULL: the present one stays */
	struct http *next_http;
	struct users next_users;
};

/* --- who may ------------------------------------------------------------------------------- */

static int fault(const struct config *cfg, const void *member, struct faults *faults, int err,
	const char *text)
{
	struct config_where where = config_where(cfg, member);

	faults_add(faults, where.file, where.line, "%s", text);
	return err;
}

static bool find_user(const char *name, uid_t *out)
{
	const struct passwd *found = getpwnam(name);
	unsigned long number;
	char *end;

	if (found) {
		*out = found->pw_uid;
		return true;
	}
	errno = 0;
	number = strtoul(name, &end, 10);
	if (errno || end == name || *end || number > 0xfffffffeul)
		return false;
	*out = (uid_t)number;
	return true;
}

static int read_users(const struct config *cfg, struct users *out, struct faults *faults)
{
	const struct config_management *m = &cfg->management;
	struct users u = { .v = calloc(m->n_socket_users + 1, sizeof(*u.v)) };
	int err = 0;

	if (!u.v)
		return fault(cfg, &m->socket_users, faults, -ENOMEM, "out of memory");
	for (size_t i = 0; i < m->n_socket_users; i++) {
		char text[192];

		if (find_user(m->socket_users[i], &u.v[u.n++]))
			continue;
		snprintf(text, sizeof(text), "socket_users: there is no user \"%.100s\"",
			m->socket_users[i]);
		err = fault(cfg, &m->socket_users, faults, -ENOENT, text);
	}
	if (err)
		free(u.v);
	else
		*out = u;
	return err;
}

static bool may_enter(void *arg, int fd, struct http_caller *who)
{
	const struct mgmt *m = arg;
	uid_t uid;
	pid_t pid;

	*who = (struct http_caller){ .name = "an unknown user" };
	if (!door_peer(fd, &uid, &pid))
		return false;
	snprintf(who->name, sizeof(who->name), "uid %u (process %ld)", (unsigned)uid, (long)pid);
	who->owner = uid == 0 || uid == geteuid();
	if (who->owner)
		return true;
	for (size_t i = 0; i < m->users.n; i++)
		if (m->users.v[i] == uid)
			return true;
	return false;
}

/* --- opening and changing ------------------------------------------------------------------- */

static int open_socket(struct mgmt *m, const struct config *cfg, struct door **door,
	struct http **http, struct faults *faults)
{
	const struct config_management *mc = &cfg->management;
	struct http_cfg hc = {
		.loop = m->loop,
		.services = &m->local,
		.n_services = 1,
		.guard = may_enter,
		.guard_arg = m,
	};
	struct door_error why;
	int err = door_open(mc->socket, (mode_t)mc->socket_mode, door, &why);

	if (err)
		return fault(cfg, &mc->socket, faults, err, why.text);
	err = http_open(&hc, door_fd(*door), http);
	if (err) {
		door_close(*door);
		*door = NULL;
		return fault(cfg, &mc->socket, faults, err, "management socket: out of memory");
	}
	return 0;
}

static void close_old(struct loop_timer *t)
{
	struct mgmt *m = container_of(t, struct mgmt, old_ends);

	http_close(m->old);
	m->old = NULL;
}

/* The dialects of the network, the one that answers what is nobody's first. */
static int open_services(struct mgmt *m)
{
	m->services[0] = m->local;
	/* Says no itself while the configuration does not have it. */
	m->services[1] = (struct http_service){ &ontap_dialect, &m->ontap };
	m->services[2] = (struct http_service){ &aws_dialect, &m->aws };
	m->network = (struct http_cfg){
		.loop = m->loop,
		.services = m->services,
		.n_services = sizeof(m->services) / sizeof(m->services[0]),
		.failures = guard_new(HTTP_CONNECTIONS_MAX, HTTP_CONNECTIONS_MAX),
		.patience = patience_new(),
	};
	return m->network.failures && m->network.patience ? 0 : -ENOMEM;
}

int mgmt_open(struct loop *loop, struct registry *registry, const struct mgmt_host *host,
	const struct config *cfg, struct mgmt **out, struct faults *faults)
{
	struct mgmt *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return fault(cfg, &cfg->management.socket, faults, -ENOMEM, "out of memory");
	m->loop = loop;
	loop_timer_init(loop, &m->old_ends, close_old);
	m->native = (struct native){ .registry = registry, .host = *host };
	m->aws = (struct aws){ .loop = loop, .registry = registry };
	m->ontap = (struct ontap){ .registry = registry };
	m->local = (struct http_service){ &native_dialect, &m->native };
	err = read_users(cfg, &m->users, faults);
	if (!err)
		err = open_services(m);
	if (!err)
		err = open_socket(m, cfg, &m->door, &m->http, faults);
	if (!err)
		err = front_open(&m->network, cfg, NULL, &m->front, faults);
	if (err) {
		mgmt_close(m);
		return err;
	}
	*out = m;
	return 0;
}

int mgmt_prepare(struct mgmt *m, const struct config *cfg, struct faults *faults)
{
	int err = read_users(cfg, &m->next_users, faults);

	if (!err && (strcmp(door_path(m->door), cfg->management.socket) != 0 ||
			    !door_in_place(m->door)))
		err = open_socket(m, cfg, &m->next_door, &m->next_http, faults);
	if (!err)
		err = front_open(&m->network, cfg, m->front, &m->next_front, faults);
	m->next = cfg;
	if (err)
		mgmt_abandon(m);
	return err;
}

static void move(struct mgmt *m)
{
	http_close(m->old);
	m->old = m->http;
	http_mute(m->old);
	loop_timer_set(&m->old_ends, OLD_MS);
	door_close(m->door);
	m->http = m->next_http;
	m->door = m->next_door;
	m->next_http = NULL;
	m->next_door = NULL;
}

void mgmt_commit(struct mgmt *m)
{
	int err;

	free(m->users.v);
	m->users = m->next_users;
	m->next_users = (struct users){ 0 };
	if (m->next_door)
		move(m);
	front_commit(m->next_front, m->front);
	m->front = m->next_front;
	m->next_front = NULL;
	err = door_set_mode(m->door, (mode_t)m->next->management.socket_mode);
	if (err)
		log_msg(LOG_WARNING, "management socket %s: mode: %s", door_path(m->door),
			strerror(-err));
	m->next = NULL;
}

void mgmt_abandon(struct mgmt *m)
{
	front_close(m->next_front);
	m->next_front = NULL;
	http_close(m->next_http);
	door_close(m->next_door);
	free(m->next_users.v);
	m->next_http = NULL;
	m->next_door = NULL;
	m->next_users = (struct users){ 0 };
	m->next = NULL;
}

void mgmt_close(struct mgmt *m)
{
	if (!m)
		return;
	loop_timer_clear(&m->old_ends);
	front_close(m->front);
	http_close(m->old);
	http_close(m->http);
	door_close(m->door);
	guard_free(m->network.failures);
	patience_free(m->network.patience);
	ontap_end(&m->ontap);
	free(m->users.v);
	free(m);
}

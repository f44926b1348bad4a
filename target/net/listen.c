/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners: opening with errors that an administrator can act on, and accepting
 * in bounded batches. When the process is out of descriptors the kernel would
 * report the waiting connection for ever; the listener looks away for PAUSE_MS
 * instead, and the connection keeps its place in the queue.
 */
#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define BATCH    4 /* what is accepted in a turn; the data of others wait meanwhile */
#define PAUSE_MS 100
#define QUIET_NS UINT64_C(60000000000) /* between two lines of the log about that */

struct listener {
	int fd;
	struct addr addr;
	struct loop *loop; /* NULL while it is stopped */
	listener_accept *accept;
	void *ctx;
	bool accepting;       /* accept() is being called */
	bool closed;          /* ... and closed the listener */
	uint64_t quiet_until; /* the log has been told, and is not until then */
	struct loop_watch watch;
	struct loop_timer pause;
	struct loop_defer reap;
};

/* --- opening ------------------------------------------------------------------------- */

static const char *reason(int err)
{
	switch (err) {
	case EADDRINUSE: return "address already in use";
	case EADDRNOTAVAIL: return "no interface of this machine has this address";
	case EACCES:
		return "permission denied (ports below 1024 take root or CAP_NET_BIND_SERVICE)";
	case EAFNOSUPPORT: return "this machine has no such address family (is IPv6 turned off?)";
	default: return strerror(err);
	}
}

/* Fills *why with "ADDRESS: reason" and gives -err. */
static int fail(struct listen_error *why, const struct addr *at, int err)
{
	struct addr_text t;

	snprintf(why->text, sizeof(why->text), "%s: %s", addr_text(at, &t), reason(err));
	return -err;
}

static int set(int fd, int level, int option)
{
	static const int one = 1;

	return setsockopt(fd, level, option, &one, sizeof(one)) == 0 ? 0 : -errno;
}

/* Binds and listens. 0 or -errno. */
static int bind_to(int fd, const struct addr *at)
{
	int err = set(fd, SOL_SOCKET, SO_REUSEADDR);

	if (!err && at->sa.sa_family == AF_INET6)
		err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (!err)
		err = stream_tune(fd);
	if (err)
		return err;
	return bind(fd, &at->sa, addr_len(at)) == 0 && listen(fd, SOMAXCONN) == 0 ? 0 : -errno;
}

static int new_listener(int fd, struct listener **out)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->fd = fd;
	addr_local(&l->addr, fd);
	*out = l;
	return 0;
}

int listener_open(const struct addr *at, struct listener **out, struct listen_error *why)
{
	int fd = socket(at->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	int err;

	if (fd < 0)
		return fail(why, at, errno);
	err = bind_to(fd, at);
	if (!err)
		err = new_listener(fd, out);
	if (!err)
		return 0;
	close(fd);
	return fail(why, at, -err);
}

static bool is_listening(int fd)
{
	int protocol = 0, listening = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       protocol == IPPROTO_TCP &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

bool listener_fd_is(int fd, const struct addr *at)
{
	struct addr bound;

	addr_local(&bound, fd);
	return is_listening(fd) && addr_same(&bound, at);
}

int listener_adopt(int fd, struct listener **out, struct listen_error *why)
{
	int flags = fcntl(fd, F_GETFL), err;

	if (flags < 0 || !is_listening(fd)) {
		snprintf(why->text, sizeof(why->text),
			"inherited descriptor %d: not a TCP socket that listens", fd);
		return -EINVAL;
	}
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		err = -errno;
	else
		err = stream_tune(fd);
	if (!err)
		err = new_listener(fd, out);
	if (err)
		snprintf(why->text, sizeof(why->text), "inherited descriptor %d: %s", fd,
			strerror(-err));
	return err;
}

const struct addr *listener_addr(const struct listener *l)
{
	return &l->addr;
}

int listener_fd(const struct listener *l)
{
	return l->fd;
}

/* --- accepting ------------------------------------------------------------------------- */

static void look_away(struct listener *l, int err)
{
	struct addr_text t;

	if (loop_now(l->loop) >= l->quiet_until) {
		log_msg(LOG_ERR, "%s: new connections have to wait: %s", addr_text(&l->addr, &t),
			strerror(err));
		l->quiet_until = loop_now(l->loop) + QUIET_NS;
	}
	loop_rewatch(&l->watch, 0);
	loop_timer_set(&l->pause, PAUSE_MS);
}

static void look_again(struct loop_timer *t)
{
	struct listener *l = container_of(t, struct listener, pause);

	if (loop_rewatch(&l->watch, LOOP_READ) != 0)
		loop_timer_set(t, PAUSE_MS);
}

/* Whether accept4() failed because of that one connection, which is gone now (accept(2): also
 * errors of the network that were already pending on it). */
static bool only_this_one(int err)
{
	switch (err) {
	case EINTR:
	case ECONNABORTED:
	case EPERM:
	case EPROTO:
	case ENOPROTOOPT:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
	case EOPNOTSUPP:
	case ETIMEDOUT: return true;
	default: return false;
	}
}

/* Takes one connection and hands it over. False when no more are to be taken now. */
static bool take_one(struct listener *l, bool *took)
{
	struct stream s;
	int err = -stream_accept(&s, l->fd, addr_is_wildcard(&l->addr) ? NULL : &l->addr);

	if (err == EAGAIN)
		return false;
	if (err && !only_this_one(err)) {
		look_away(l, err);
		return false;
	}
	if (!err) {
		*took = true;
		l->accept(l->ctx, &s);
	}
	return l->loop != NULL;
}

static void reap(struct loop_defer *d)
{
	free(container_of(d, struct listener, reap));
}

/* Whether another one waits. An accept4() that finds nobody has made a socket in vain: it costs ten
 * times as much. */
static bool one_waits(const struct listener *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static bool on_ready(struct loop_watch *w, unsigned conditions)
{
	struct listener *l = container_of(w, struct listener, watch);
	struct loop *loop = l->loop;
	bool took = false;

	(void)conditions;
	l->accepting = true;
	for (int i = 0; i < BATCH && (i == 0 || one_waits(l)) && take_one(l, &took); i++)
		;
	l->accepting = false;
	if (l->closed)
		loop_defer(loop, &l->reap);
	return took;
}

void listener_start(struct listener *l, struct loop *loop, listener_accept *accept_fn, void *ctx)
{
	int err;

	loop_watch(loop, &l->watch, l->fd, 0, on_ready); /* nothing yet, which does not fail */
	l->watch.never_hot = true;
	loop_timer_init(loop, &l->pause, look_again);
	loop_defer_init(&l->reap, reap);
	l->loop = loop;
	l->accept = accept_fn;
	l->ctx = ctx;
	err = loop_rewatch(&l->watch, LOOP_READ);
	if (err)
		look_away(l, -err);
}

void listener_stop(struct listener *l)
{
	if (!l->loop)
		return;
	loop_unwatch(&l->watch);
	loop_timer_clear(&l->pause);
	l->loop = NULL;
}

void listener_close(struct listener *l)
{
	if (!l)
		return;
	listener_stop(l);
	close(l->fd);
	l->closed = true;
	if (!l->accepting)
		free(l);
}

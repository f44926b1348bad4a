/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The limits on connections that evhttp has not.
 *
 * evhttp owns its connections and says nothing when one ends. So we remember each by descriptor
 * and cookie: a sweep, once a second while there are any, forgets those whose descriptor is no
 * longer that socket, and shuts down those that take too long; evhttp then sees the end of the
 * stream and cleans up as it would after any client.
 */
#include <event2/bufferevent_ssl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "mgmt/http_private.h"

#define SWEEP_MS 1000
#define DOOM_MS  20 /* until the next sweep when connections are to go */
#define SECOND   UINT64_C(1000000000)

uint64_t http_in_seconds(unsigned seconds)
{
	return clock_ns(CLOCK_MONOTONIC) + seconds * SECOND;
}

/* The kernel's own name of a socket, which no other ever gets (SO_COOKIE). */
static bool cookie_of(int fd, uint64_t *cookie)
{
	socklen_t len = sizeof(*cookie);

	return fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &len);
}

static void conn_forget(struct http *h, struct http_conn *c)
{
	if (c->bev)
		bufferevent_decref(c->bev);
	list_del(&c->link);
	free(c);
	h->n_conns--;
}

/* Closed by evhttp, which does not tell. */
static bool is_gone(const struct http_conn *c)
{
	uint64_t cookie;

	return !c->bev && (!cookie_of(c->fd, &cookie) || cookie != c->cookie);
}

static void forget_gone(struct http *h)
{
	list_for_each_safe(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);

		if (is_gone(c))
			conn_forget(h, c);
	}
}

static void doom(struct http *h, struct http_conn *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->doomed = true;
	if (!h->soon)
		loop_timer_set(&h->sweep, DOOM_MS);
	h->soon = true;
}

/* Whether c should go rather than `other`, which is older (NULL: there is none yet). What we are busy
 * with is never cut off. */
static bool goes_before(const struct http_conn *c, const struct http_conn *other)
{
	return c->deadline && (!other || c->standing < other->standing);
}

static void make_way(struct http *h, struct http_conn *newest)
{
	struct http_conn *own = NULL, *any = NULL;
	unsigned n_own = 0, n = 0;

	list_for_each(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);
		bool same = addr_same_host(&c->peer, &newest->peer);

		if (c->doomed || c->bev)
			continue;
		n++;
		n_own += same;
		if (same && goes_before(c, own))
			own = c;
		if (goes_before(c, any))
			any = c;
	}
	if (n_own > HTTP_PER_ADDRESS_MAX)
		doom(h, own ? own : newest);
	else if (n > HTTP_CONNECTIONS_MAX)
		doom(h, any ? any : newest);
}

/* Who may not ask anything is told so if he asks soon, and if there is room enough for those who may. */
static void show_out(struct http *h, struct http_conn *c)
{
	c->deadline = http_in_seconds(HTTP_GUARD_SECONDS);
	if (h->n_conns > HTTP_CONNECTIONS_MAX / 2)
		doom(h, c);
}

/* Learns the descriptors of new connections: evhttp sets them after it has asked for a bufferevent,
 * and may have given up in between. */
static void settle(struct http *h)
{
	if (h->n_conns > HTTP_PER_ADDRESS_MAX) /* the next one might have to make way for these */
		forget_gone(h);
	list_for_each_safe(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);
		struct http_caller who;

		if (!c->bev)
			continue;
		c->fd = bufferevent_getfd(c->bev);
		if (!cookie_of(c->fd, &c->cookie)) {
			conn_forget(h, c);
			continue;
		}
		bufferevent_decref(c->bev);
		c->bev = NULL;
		if (!h->cfg.guard(h->cfg.guard_arg, c->fd, &who))
			show_out(h, c);
		if (http_is_network(h)) {
			addr_peer(&c->peer, c->fd);
			make_way(h, c);
		}
	}
}

static void settle_deferred(struct loop_defer *d)
{
	settle(container_of(d, struct http, settle));
}

struct http_conn *http_conn_find(struct http *h, int fd)
{
	uint64_t cookie;

	settle(h);
	if (!cookie_of(fd, &cookie))
		return NULL;
	list_for_each(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);

		if (c->fd == fd && c->cookie == cookie)
			return c;
	}
	return NULL;
}

static void listener_pause(struct http *h, bool pause)
{
	if (!h->listener || h->paused == pause)
		return;
	h->paused = pause;
	if (pause)
		evconnlistener_disable(h->listener);
	else
		evconnlistener_enable(h->listener);
	if (!h->soon)
		loop_timer_set(&h->sweep, SWEEP_MS);
}

/* Where others make way there are more than may stay, for a moment. */
static bool is_full(const struct http *h)
{
	return h->n_conns >= (http_is_network(h) ? 2u : 1u) * HTTP_CONNECTIONS_MAX;
}

static void sweep(struct loop_timer *t)
{
	struct http *h = container_of(t, struct http, sweep);

	h->soon = false;
	settle(h);
	forget_gone(h);
	list_for_each(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);

		if (c->deadline && c->deadline <= http_in_seconds(0))
			shutdown(c->fd, SHUT_RDWR);
	}
	if (!is_full(h))
		listener_pause(h, false);
	if (h->n_conns && !h->soon)
		loop_timer_set(&h->sweep, SWEEP_MS);
}

static struct bufferevent *new_bufferevent(struct http *h, struct event_base *base)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (!h->cfg.tls)
		return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	ssl = SSL_new(h->cfg.tls);
	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(
		base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		SSL_free(ssl);
	else /* clients that close without saying so have still got their answer */
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

struct bufferevent *http_conn_new(struct event_base *base, void *http)
{
	struct http *h = http;
	struct bufferevent *bev = new_bufferevent(h, base);
	struct http_conn *c = bev ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return bev;
	http_page_replace(bev);
	bufferevent_incref(bev);
	c->bev = bev;
	c->fd = -1;
	c->standing = UNKNOWN;
	c->deadline = http_in_seconds(HTTP_PHASE_SECONDS);
	list_push(&h->conns, &c->link);
	loop_defer(h->cfg.loop, &h->settle);
	if (h->n_conns++ == 0)
		loop_timer_set(&h->sweep, SWEEP_MS);
	if (is_full(h))
		listener_pause(h, true);
	return bev;
}

void http_conns_init(struct http *h)
{
	list_init(&h->conns);
	loop_timer_init(h->cfg.loop, &h->sweep, sweep);
	loop_defer_init(&h->settle, settle_deferred);
}

void http_conns_end(struct http *h)
{
	list_for_each_safe(it, &h->conns)
		conn_forget(h, container_of(it, struct http_conn, link));
	loop_timer_clear(&h->sweep);
	loop_undefer(&h->settle);
}

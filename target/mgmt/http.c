/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP by evhttp: the door, where nobody can be taken while there are no descriptors. */
#include "mgmt/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "mgmt/http_private.h"

#define PAUSE_MS 100
#define QUIET_S  60 /* between two lines of the log about that nobody can be taken */

/* --- the door ------------------------------------------------------------------------------- */

/* Out of descriptors, the kernel would report the connection that waits for ever. libevent gives this
 * function evhttp's argument and not ours, so that it can do no more than look away; look_again() is
 * sure to come, since on_knock() was told of that connection, too. */
static void on_accept_error(struct evconnlistener *listener, void *evhttp)
{
	(void)evhttp;
	evconnlistener_disable(listener);
}

static void tell_of_wait(struct http *h, int err)
{
	if (http_in_seconds(0) < h->quiet_until)
		return;
	log_msg(LOG_ERR, "management: new connections have to wait: %s", strerror(err));
	h->quiet_until = http_in_seconds(QUIET_S);
}

static void look_again(struct loop_timer *t)
{
	struct http *h = container_of(t, struct http, again);

	if (loop_rewatch(&h->knock, LOOP_READ) != 0)
		loop_timer_set(t, PAUSE_MS);
	if (!h->paused)
		evconnlistener_enable(h->listener);
}

/* Somebody is at the door. Whether there is a descriptor for him can be tried out here. */
static bool on_knock(struct loop_watch *w, unsigned conditions)
{
	struct http *h = container_of(w, struct http, knock);
	int fd = fcntl(w->fd, F_DUPFD_CLOEXEC, 0);

	(void)conditions;
	if (fd < 0)
		tell_of_wait(h, errno);
	else
		close(fd);
	loop_rewatch(w, 0);
	loop_timer_set(&h->again, PAUSE_MS);
	return false;
}

/* --- the server ----------------------------------------------------------------------------- */

static void configure(struct http *h)
{
	evhttp_set_gencb(h->evhttp, request_begin, h);
	evhttp_set_bevcb(h->evhttp, http_conn_new, h);
	evhttp_set_max_headers_size(h->evhttp, HTTP_HEAD_MAX);
	evhttp_set_max_body_size(h->evhttp, HTTP_BODY_MAX);
	evhttp_set_timeout(h->evhttp, HTTP_IDLE_SECONDS);
	/* A body that is too long is read to its end, or nobody who sends it would see the answer. */
	evhttp_set_flags(h->evhttp, EVHTTP_SERVER_LINGERING_CLOSE);
	/* All that it knows, so that a wrong method gets our answer. */
	evhttp_set_allowed_methods(h->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
						      EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						      EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
						      EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
}

/* Not closed with the evconnlistener, and listening already: a backlog of 0 leaves it alone. */
static bool listen_on(struct http *h, int fd)
{
	struct evconnlistener *l = evconnlistener_new(
		loop_base(h->cfg.loop), NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	if (!l)
		return false;
	h->bound = evhttp_bind_listener(h->evhttp, l);
	if (!h->bound) {
		evconnlistener_free(l);
		return false;
	}
	h->listener = l;
	evconnlistener_set_error_cb(l, on_accept_error);
	return loop_watch(h->cfg.loop, &h->knock, fd, LOOP_READ, on_knock) == 0;
}

int http_open(const struct http_cfg *cfg, int fd, struct http **out)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->cfg = *cfg;
	http_conns_init(h);
	list_init(&h->calls);
	loop_timer_init(cfg->loop, &h->again, look_again);
	h->evhttp = evhttp_new(loop_base(cfg->loop));
	if (!h->evhttp || !listen_on(h, fd)) {
		http_close(h);
		return -ENOMEM;
	}
	configure(h);
	*out = h;
	return 0;
}

void http_mute(struct http *h)
{
	if (!h->listener)
		return;
	loop_unwatch(&h->knock);
	loop_timer_clear(&h->again);
	evhttp_del_accept_socket(h->evhttp, h->bound);
	h->listener = NULL;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	loop_unwatch(&h->knock);
	loop_timer_clear(&h->again);
	if (h->evhttp)
		evhttp_free(h->evhttp);
	list_for_each_safe(it, &h->calls)
		call_orphan(container_of(it, struct call, link));
	http_conns_end(h);
	free(h);
}

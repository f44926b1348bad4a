/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of the server: for http.c (the door), http_conn.c (connections), http_page.c (what
 * evhttp says), request.c (what is asked is checked and sent on its way) and call.c (how it is
 * answered) alone.
 */
#ifndef MGMT_HTTP_PRIVATE_H
#define MGMT_HTTP_PRIVATE_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <sys/queue.h>

#include "base/list.h"
#include "mgmt/http.h"
#include "net/addr.h"

struct http {
	struct http_cfg cfg;
	struct evhttp *evhttp;
	struct evhttp_bound_socket *bound;
	struct evconnlistener *listener; /* of bound; NULL once muted */
	bool paused;                     /* the listener takes no connections for now */
	bool soon;                       /* the next sweep is not a second away */
	struct list conns, calls;
	unsigned n_conns;
	struct loop_timer sweep;
	struct loop_defer settle;
	struct loop_watch knock; /* of the listening socket, beside evhttp's own */
	struct loop_timer again;
	uint64_t quiet_until; /* the log has been told, and is not until then */
};

/* What came of the last request on a connection. The first to go comes first. */
enum standing { FAILED, UNKNOWN, PROVED };

/* A connection as far as we know it. */
struct http_conn {
	struct list link;
	struct bufferevent *bev; /* held until its descriptor is known, NULL then */
	int fd;
	uint64_t cookie;
	uint64_t deadline; /* monotonic; 0: we are thinking, not they */
	struct addr peer;  /* of the network only, as is what follows */
	enum standing standing;
	bool doomed; /* shut down, to make way */
};

struct call {
	struct list link;
	struct http *http;          /* NULL: the server is gone */
	struct evhttp_request *req; /* NULL: the client is gone */
	const struct dialect *dialect;
	void *context;
	const char *content_type; /* of the answer */
	struct addr peer;
	struct http_caller who;
	struct route_path path;
	struct route_match match;
	struct evkeyvalq query;
	json_t *body;

	/* What is done later, and an answer that is held back. */
	struct loop_timer later;
	void (*then)(struct call *c); /* NULL: nothing is */
	int later_status;
	json_t *later_body;
	bool split;  /* the path could be read */
	bool waited; /* has been kept waiting, and is not again */
};

/* Of the network, where nobody is known before he has proved who he is. */
static inline bool http_is_network(const struct http *h)
{
	return h->cfg.failures;
}

/* --- connections: http_conn.c ----------------------------------------------------------------- */

/* A moment from now, in ns. The loop's clock is read by its own callbacks, which those of evhttp are
 * not. */
uint64_t http_in_seconds(unsigned seconds);

void http_conns_init(struct http *h);
void http_conns_end(struct http *h);
/* evhttp asks for a bufferevent for every connection that it takes: the one place to see it. */
struct bufferevent *http_conn_new(struct event_base *base, void *http);
/* NULL: we have not seen it, or it is gone. */
struct http_conn *http_conn_find(struct http *h, int fd);

/* Has what evhttp refuses on this connection be refused in words that clients understand; without
 * memory, in its own. */
void http_page_replace(struct bufferevent *bev);

/* --- requests and calls ----------------------------------------------------------------------- */

/* evhttp has a request whole: finds what it asks for, and runs that or refuses it. */
void request_begin(struct evhttp_request *req, void *http);

/* A call of this request, in h->calls until it is answered; NULL: no memory. */
struct call *call_new(struct http *h, struct evhttp_request *req, int fd);
/* Goes on later by `then`, unless the client is gone by then. */
void call_later(struct call *c, uint32_t ms, void (*then)(struct call *c));
/* It speaks, and is answered, as this service does. */
void call_speak(struct call *c, const struct http_service *s);
/* The server goes: the client is told nothing any more. */
void call_orphan(struct call *c);

#endif

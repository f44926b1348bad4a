/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.1 for management, over any listening socket: finds the route, checks what its policy
 * says, and calls its function (see call.h). libevent's evhttp does the protocol; what a service
 * needs besides (how many connections, how long each may take) is here.
 *
 * On the network nobody can keep others out by holding connections: when there are too many, of one
 * address or in all, those go first that have waited the longest for somebody who has not proved who
 * he is.
 */
#ifndef MGMT_HTTP_H
#define MGMT_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"
#include "mgmt/call.h"

/* Whoever asks, as the listener's guard knows it. */
struct http_caller {
	char name[160]; /* for the log */
	bool read_only; /* may not take routes that change something */
	bool owner;     /* root or the server's own user, on this machine */
};

/* A dialect, and what its functions work on. */
struct http_service {
	const struct dialect *dialect;
	void *context; /* for call_context() */
};

struct guard;
struct patience;
struct ssl_ctx_st;

struct http_cfg {
	struct loop *loop;
	const struct http_service *services; /* the first is spoken where no prefix fits */
	size_t n_services;
	/* Whether the peer of this connection may ask anything at all; fills *who also if not. */
	bool (*guard)(void *arg, int fd, struct http_caller *who);
	void *guard_arg;
	/* A listener of the network: callers must prove to the dialect who they are, and this remembers
	 * the addresses that failed to. NULL: the Unix socket, where `guard` has the last word. */
	struct guard *failures;
	struct patience *patience; /* and this those that do not wait; with `failures` */
	struct ssl_ctx_st *tls;    /* NULL: plain HTTP */
};

#define HTTP_HEAD_MAX        (16 * 1024) /* bytes of request line and headers */
#define HTTP_BODY_MAX        (1024 * 1024)
#define HTTP_IDLE_SECONDS    30  /* without a byte in either direction */
#define HTTP_PHASE_SECONDS   120 /* to send a whole request, or to take a whole answer */
#define HTTP_GUARD_SECONDS   5   /* for those that the guard does not let in */
#define HTTP_CONNECTIONS_MAX 256
#define HTTP_PER_ADDRESS_MAX 64 /* connections of one address of the network */

struct http;

/* Serves a listening, non-blocking socket, which stays the caller's and must outlive the server;
 * *cfg is copied, what it points to is borrowed. The process must ignore SIGPIPE. 0 or -ENOMEM. */
int http_open(const struct http_cfg *cfg, int fd, struct http **out);
/* Takes no more connections; those that are there go on. The socket may be closed then. */
void http_mute(struct http *h);
/* Closes all connections. Calls that have not been answered yet stay valid and go nowhere. NULL
 * is fine. */
void http_close(struct http *h);

#endif

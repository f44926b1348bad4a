/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners: a bound TCP socket, opened by us or inherited from a service
 * manager, that hands every connection to one function. Opening and watching are
 * two steps, as ports are bound before privileges are dropped and before any
 * thread runs.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "base/loop.h"
#include "net/addr.h"
#include "net/stream.h"

struct listener;

/* Why a listener could not be made: a sentence with the address and the reason, such as
 * "127.0.0.1:3260: address already in use". */
struct listen_error {
	char text[192];
};

/* Binds and listens. An IPv6 address takes IPv6 alone, so that 0.0.0.0 and [::] can stand side
 * by side. Port 0 takes a free one (listener_addr() tells which). 0, or -errno with *why filled;
 * the caller closes *out. */
int listener_open(const struct addr *at, struct listener **out, struct listen_error *why);

/* Whether fd, which a service manager handed over, is a TCP socket that listens on `at`. */
bool listener_fd_is(int fd, const struct addr *at);
/* Makes a listener of an inherited descriptor, which is the listener's from then on. 0, or
 * -errno with *why filled and fd left to the caller. */
int listener_adopt(int fd, struct listener **out, struct listen_error *why);

/* Stops and closes. NULL is fine. On the thread of the loop that it is watched on. */
void listener_close(struct listener *l);

const struct addr *listener_addr(const struct listener *l);
/* The descriptor, borrowed: for evhttp, which accepts by itself. */
int listener_fd(const struct listener *l);

/* Told of every connection, on the loop's thread: the stream is set up, and its descriptor the
 * callee's. May stop or close the listener. */
typedef void listener_accept(void *ctx, const struct stream *s);

/* Begins to take connections on a loop. When descriptors run out, or memory of the kernel,
 * connections wait in the kernel's queue, the log says so (once a minute), and accepting goes on as
 * soon as it can. */
void listener_start(struct listener *l, struct loop *loop, listener_accept *accept, void *ctx);
/* No call of accept after this. Connections wait in the kernel's queue until the next start. */
void listener_stop(struct listener *l);

#endif

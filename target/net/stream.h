/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte stream over a socket: TCP, or one end of a socketpair, which is how the
 * tests run a whole target without a network. Nothing here ever blocks or raises
 * SIGPIPE. The calls of the data path are inline, as they are made per command.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "net/addr.h"

/* The most pieces that one stream_recv() or stream_send() may be given (IOV_MAX). */
#define STREAM_IOV_MAX 1024

struct stream {
	int fd; /* -1 once closed */
	bool tcp;
	struct addr local, peer;
};

/* Takes over a connected stream socket: makes it non-blocking and close-on-exec, and sets what
 * a TCP connection of ours needs (no delay, keepalive). 0, or -errno with fd left to the caller. */
int stream_init(struct stream *s, int fd);
/* Sets what a TCP connection of ours needs on a socket that listens: what it accepts inherits it.
 * 0 or -errno. */
int stream_tune(int fd);
/* The next connection of a non-blocking TCP socket that was tuned and listens. `local` is its own
 * end, if that is the same for all; NULL asks the kernel. 0; -EAGAIN when none is waiting; or what
 * accept(2) says. */
int stream_accept(struct stream *s, int listening, const struct addr *local);
/* Closes; what was sent still goes out, unless input was left unread (TCP then resets).
 * Harmless on a stream that is closed. A zeroed stream is not: it holds descriptor 0. */
void stream_close(struct stream *s);

/* Bytes that could be read now without waiting; 0 when there are none or the socket is broken. */
size_t stream_available(const struct stream *s);

/* Receives into buf. Bytes (>0), 0 at the end of the stream, -EAGAIN when there is nothing now,
 * or -errno. len > 0. */
static inline ssize_t stream_read(struct stream *s, void *buf, size_t len)
{
	ssize_t n = recv(s->fd, buf, len, MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

/* Receives into 1…STREAM_IOV_MAX pieces; gives what stream_read() gives. */
static inline ssize_t stream_recv(struct stream *s, struct iovec *iov, int count)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)count };
	ssize_t n;

	if (count == 1)
		return stream_read(s, iov->iov_base, iov->iov_len);
	n = recvmsg(s->fd, &m, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

/* Sends 1…STREAM_IOV_MAX pieces. Gives how many bytes were taken, perhaps fewer than all,
 * -EAGAIN when none can be taken now, or -errno (-EPIPE or -ECONNRESET: the peer is gone). */
static inline ssize_t stream_send(struct stream *s, struct iovec *iov, int count)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)count };
	ssize_t n = sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

#endif

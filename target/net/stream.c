/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Setting up and taking down a stream; the data path is in the header.
 */
#include "net/stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A host that vanished is found within KEEP_IDLE_S + KEEP_COUNT * KEEP_EVERY_S, also where the
 * layer above neither sends nor pings. */
#define KEEP_IDLE_S  60
#define KEEP_EVERY_S 15
#define KEEP_COUNT   4

static bool is_tcp(int fd)
{
	int protocol;
	socklen_t len = sizeof(protocol);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       protocol == IPPROTO_TCP;
}

static int make_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0))
		return -errno;
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : -errno;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : -errno;
}

/* Keepalive is a safety net and may be refused; without no-delay the stream would crawl. */
int stream_tune(int fd)
{
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EVERY_S);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT);
	return set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int stream_init(struct stream *s, int fd)
{
	bool tcp = is_tcp(fd);
	int err = make_nonblocking(fd);

	if (!err && tcp)
		err = stream_tune(fd);
	if (err)
		return err;
	s->fd = fd;
	s->tcp = tcp;
	addr_local(&s->local, fd);
	addr_peer(&s->peer, fd);
	return 0;
}

int stream_accept(struct stream *s, int listening, const struct addr *local)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int fd = accept4(listening, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	*s = (struct stream){ .fd = fd, .tcp = true };
	addr_from(&s->peer, (struct sockaddr *)&from, len);
	if (local)
		s->local = *local;
	else
		addr_local(&s->local, fd);
	return 0;
}

void stream_close(struct stream *s)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
}

size_t stream_available(const struct stream *s)
{
	int n;

	return ioctl(s->fd, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

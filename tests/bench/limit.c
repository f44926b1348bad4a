/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit - the floor that no iSCSI target of one thread can beat by much: it answers every command
 * at once, with bytes from one buffer that never leaves the cache, checks nothing and stores
 * nothing. One thread, epoll, one read and one writev per wake-up. It measures what TCP costs on
 * this machine.
 *
 *	limit PORT [spin]       with a second argument it polls instead of sleeping
 *
 * Logins without digests, and with one-way CHAP in which any response will do; reads and writes of
 * any LUN, which seems to have 512 MiB. All that it does not know it ignores: only a load generator
 * is to talk to it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "iscsi/wire.h"

#define INPUT    (2u << 20)
#define SEGMENT  262144u /* MaxRecvDataSegmentLength, both ways */
#define WINDOW   200u    /* commands beyond the last one that was taken */
#define DISK     (512u << 20)
#define BLOCK    512u
#define CAPACITY (8u << 20) /* where in the data the answer to READ CAPACITY(16) lies */
#define DATA     (9u << 20)
#define HEADERS  512 /* in one batch of output; input waits while it is nearly full */
#define PIECES   1024
#define ROOM     124 /* pieces and headers left when the batch counts as full */
#define WRITES   256

struct write {
	uint32_t itt;  /* as it came */
	uint32_t left; /* bytes of Data-Out to come; 0: a free entry */
};

struct conn {
	struct conn *next; /* while it is spare */
	int fd;
	bool wants_write;
	unsigned login; /* how far the login is: which keys were said last */
	uint32_t statsn, expcmdsn;
	size_t have; /* bytes in `input` */
	size_t skip; /* bytes of a data segment that are still to be dropped */
	int nheaders, npieces, sent;
	struct write writes[WRITES];
	/* What follows needs not be cleared. */
	uint8_t header[HEADERS][BHS_SIZE];
	struct iovec piece[PIECES];
	uint8_t input[INPUT];
};

struct server {
	int ep, listener;
	bool spin;
	uint8_t *data;
	struct conn *spare; /* connections that have ended: their memory is there already */
};

/* --- output ---------------------------------------------------------------------------------- */

static void add(struct conn *c, void *p, size_t n)
{
	c->piece[c->npieces++] = (struct iovec){ p, n };
}

static uint8_t *new_header(struct conn *c, uint8_t opcode, uint8_t flags, const uint8_t *itt)
{
	uint8_t *h = c->header[c->nheaders++];

	memset(h, 0, BHS_SIZE);
	h[0] = opcode;
	h[1] = flags;
	memcpy(h + 16, itt, 4);
	put_be32(h + 28, c->expcmdsn);
	put_be32(h + 32, c->expcmdsn + WINDOW);
	add(c, h, BHS_SIZE);
	return h;
}

static bool full(const struct conn *c)
{
	return c->npieces > PIECES - ROOM || c->nheaders > HEADERS - ROOM / 2;
}

static void step_over(struct conn *c, size_t n)
{
	while (n) {
		struct iovec *v = &c->piece[c->sent];

		if (n < v->iov_len) {
			v->iov_base = (uint8_t *)v->iov_base + n;
			v->iov_len -= n;
			return;
		}
		n -= v->iov_len;
		c->sent++;
	}
}

static void watch(const struct server *s, struct conn *c)
{
	bool wants = c->npieces > 0;
	struct epoll_event e = { .events = EPOLLIN | (wants ? EPOLLOUT : 0), .data.ptr = c };

	if (wants == c->wants_write)
		return;
	epoll_ctl(s->ep, EPOLL_CTL_MOD, c->fd, &e);
	c->wants_write = wants;
}

static bool flush(const struct server *s, struct conn *c)
{
	while (c->sent < c->npieces) {
		ssize_t n = writev(c->fd, c->piece + c->sent, c->npieces - c->sent);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0)
			break;
		step_over(c, (size_t)n);
	}
	if (c->sent == c->npieces)
		c->sent = c->npieces = c->nheaders = 0;
	watch(s, c);
	return true;
}

/* --- PDUs ------------------------------------------------------------------------------------ */

/* Keys of a Login Response. The padding is part of the text, so that it can be sent with it. */
struct keys {
	char *text;
	size_t len;
};

// clang-format off
#define KEYS(text) { text "\0\0\0", sizeof(text) }
// clang-format on

/* In the order in which they are said; without CHAP the first and the last. */
static const struct keys keys[] = {
	KEYS("TargetPortalGroupTag=1\0AuthMethod=None"),
	KEYS("TargetPortalGroupTag=1\0AuthMethod=CHAP"),
	KEYS("CHAP_A=7\0CHAP_I=1\0CHAP_C=0x00112233445566778899aabbccddeeff"),
	KEYS(""),
	KEYS("TargetPortalGroupTag=1\0HeaderDigest=None\0DataDigest=None\0InitialR2T=No\0"
	     "ImmediateData=Yes\0MaxRecvDataSegmentLength=262144\0MaxBurstLength=1048576\0"
	     "FirstBurstLength=262144\0MaxOutstandingR2T=4\0MaxConnections=1\0"
	     "DefaultTime2Wait=2\0DefaultTime2Retain=0\0DataPDUInOrder=Yes\0"
	     "DataSequenceInOrder=Yes\0ErrorRecoveryLevel=0"),
};

enum { NO_CHAP, CHAP_WANTED, CHAP_CHALLENGE, CHAP_PROVED, PARAMETERS };

/* Who wants to go on at once does without CHAP. */
static const struct keys *login_step(struct conn *c, const uint8_t *bhs)
{
	if (bhs[1] & 0x0c)
		c->login = PARAMETERS;
	else if (c->login < CHAP_PROVED && (c->login || !(bhs[1] & LOGIN_TRANSIT)))
		c->login++;
	return &keys[c->login];
}

/* Agrees to everything and goes wherever the initiator wants to go. */
static void login(struct conn *c, const uint8_t *bhs)
{
	const struct keys *k = login_step(c, bhs);
	uint8_t *h;

	c->expcmdsn = be32(bhs + 24);
	h = new_header(c, OP_LOGIN_RSP, bhs[1], bhs + 16);
	memcpy(h + 8, bhs + 8, 6);
	h[15] = 1;
	put_be24(h + 5, (uint32_t)k->len);
	put_be32(h + 24, c->statsn++);
	add(c, k->text, (k->len + 3) & ~(size_t)3);
}

static void respond(struct conn *c, uint8_t opcode, const uint8_t *itt)
{
	uint8_t *h = new_header(c, opcode, BHS_FINAL, itt);

	put_be32(h + 24, c->statsn++);
}

static void answer_read(const struct server *s, struct conn *c, const uint8_t *bhs)
{
	uint8_t *from = s->data + (bhs[32] == 0x9e ? CAPACITY : 0);
	uint32_t len = be32(bhs + 20);

	for (uint32_t off = 0, n, datasn = 0; off < len; off += n) {
		bool last = len - off <= SEGMENT;
		uint8_t *h = new_header(
			c, OP_DATA_IN, last ? DATA_IN_FINAL | DATA_IN_STATUS : 0, bhs + 16);

		n = last ? len - off : SEGMENT;
		put_be24(h + 5, n);
		put_be32(h + 20, TAG_NONE);
		put_be32(h + 36, datasn++);
		put_be32(h + 40, off);
		if (last)
			put_be32(h + 24, c->statsn++);
		add(c, from + off, (n + 3) & ~3u);
	}
}

/* Remembers how much is still to come; asks for it unless it comes unasked. */
static void await_data(struct conn *c, const uint8_t *bhs, uint32_t have, uint32_t len)
{
	struct write *w = c->writes;
	uint8_t *h;

	while (w < c->writes + WRITES - 1 && w->left)
		w++;
	memcpy(&w->itt, bhs + 16, 4);
	w->left = len - have;
	if (!(bhs[1] & BHS_FINAL))
		return;
	h = new_header(c, OP_R2T, BHS_FINAL, bhs + 16);
	put_be32(h + 20, 7);
	put_be32(h + 24, c->statsn);
	put_be32(h + 40, have);
	put_be32(h + 44, len - have);
}

static void command(const struct server *s, struct conn *c, const uint8_t *bhs, uint32_t data_len)
{
	uint32_t len = be32(bhs + 20);

	c->expcmdsn++;
	if (bhs[1] & CMD_READ)
		answer_read(s, c, bhs);
	else if (bhs[1] & CMD_WRITE && data_len < len)
		await_data(c, bhs, data_len, len);
	else
		respond(c, OP_SCSI_RSP, bhs + 16);
}

static void data_out(struct conn *c, const uint8_t *bhs, uint32_t data_len)
{
	uint32_t itt;

	memcpy(&itt, bhs + 16, 4);
	for (struct write *w = c->writes; w < c->writes + WRITES; w++) {
		if (!w->left || w->itt != itt)
			continue;
		w->left -= data_len;
		if (!w->left)
			respond(c, OP_SCSI_RSP, bhs + 16);
		return;
	}
}

static void take(const struct server *s, struct conn *c, const uint8_t *bhs, uint32_t data_len)
{
	switch (bhs[0] & BHS_OPCODE) {
	case OP_LOGIN_REQ: login(c, bhs); break;
	case OP_SCSI_CMD: command(s, c, bhs, data_len); break;
	case OP_LOGOUT_REQ: respond(c, OP_LOGOUT_RSP, bhs + 16); break;
	case OP_DATA_OUT: data_out(c, bhs, data_len); break;
	default: break;
	}
}

/* Bytes of data to be dropped at p, of n that are there. */
static size_t drop(struct conn *c, size_t n)
{
	size_t dropped = n < c->skip ? n : c->skip;

	c->skip -= dropped;
	return dropped;
}

/* Takes what is in the input, as far as there is room for answers. Whether it took anything. */
static bool parse(const struct server *s, struct conn *c)
{
	size_t at = drop(c, c->have);

	while (!c->skip && c->have - at >= BHS_SIZE && !full(c)) {
		uint32_t data_len = be24(c->input + at + 5);

		take(s, c, c->input + at, data_len);
		at += BHS_SIZE;
		c->skip = (data_len + 3) & ~3u;
		at += drop(c, c->have - at);
	}
	if (!at)
		return false;
	c->have -= at;
	memmove(c->input, c->input + at, c->have);
	return true;
}

/* --- connections ----------------------------------------------------------------------------- */

static bool receive(struct conn *c)
{
	ssize_t n = read(c->fd, c->input + c->have, INPUT - c->have);

	if (n > 0)
		c->have += (size_t)n;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* What is readable is read once; what could not be answered before is answered when the output
 * has gone. False: the connection is over. */
static bool serve(const struct server *s, struct conn *c, uint32_t events)
{
	bool took;

	if (events & EPOLLIN && !c->npieces && !receive(c))
		return false;
	do {
		took = !c->npieces && parse(s, c);
		if (!flush(s, c))
			return false;
	} while (took && !c->npieces && c->have >= BHS_SIZE);
	return true;
}

static void drop_conn(struct server *s, struct conn *c)
{
	close(c->fd);
	c->next = s->spare;
	s->spare = c;
}

static struct conn *new_conn(struct server *s)
{
	struct conn *c = s->spare;

	if (c)
		s->spare = c->next;
	else
		c = malloc(sizeof(*c));
	if (c)
		memset(c, 0, offsetof(struct conn, header));
	return c;
}

static void accept_one(struct server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);
	struct epoll_event e = { .events = EPOLLIN };
	int one = 1;
	struct conn *c;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = new_conn(s);
	if (!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	e.data.ptr = c;
	epoll_ctl(s->ep, EPOLL_CTL_ADD, fd, &e);
}

static void run(struct server *s)
{
	struct epoll_event ev[64];

	for (;;) {
		int n = epoll_wait(s->ep, ev, 64, s->spin ? 0 : -1);

		for (int i = 0; i < n; i++) {
			struct conn *c = ev[i].data.ptr;

			if (!c)
				accept_one(s);
			else if (!serve(s, c, ev[i].events))
				drop_conn(s, c);
		}
	}
}

static bool listen_on(struct server *s, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event e = { .events = EPOLLIN };
	int one = 1;

	s->ep = epoll_create1(0);
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return bind(s->listener, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	       listen(s->listener, 64) == 0 &&
	       epoll_ctl(s->ep, EPOLL_CTL_ADD, s->listener, &e) == 0;
}

int main(int argc, char **argv)
{
	struct server s = { .spin = argc > 2, .data = calloc(1, DATA) };

	if (argc < 2 || !s.data) {
		fprintf(stderr, "usage: limit PORT [spin]\n");
		return 2;
	}
	put_be32(s.data + CAPACITY + 4, DISK / BLOCK - 1);
	put_be32(s.data + CAPACITY + 8, BLOCK);
	signal(SIGPIPE, SIG_IGN);
	if (!listen_on(&s, (uint16_t)atoi(argv[1]))) {
		perror("limit");
		return 1;
	}
	run(&s);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The initiator of the wire tests: its socket, and what holds of every PDU (wire.h). */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- CRC32C, bit by bit --------------------------------------------------------------------- */

static uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	static uint32_t table[256];
	const uint8_t *b = p;

	if (!table[1]) {
		for (uint32_t i = 256; i-- > 0;) {
			uint32_t c = i;

			for (int k = 0; k < 8; k++)
				c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0);
			table[i] = c;
		}
	}
	for (crc = ~crc; n--; b++)
		crc = crc >> 8 ^ table[(crc ^ *b) & 0xff];
	return ~crc;
}

static void put_digest(uint8_t *p, uint32_t crc, bool broken)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(crc >> 8 * i);
	p[0] ^= broken;
}

/* --- the socket ------------------------------------------------------------------------------- */

static struct sockaddr_storage address(const char *text, socklen_t *len)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *in = (void *)&ss;
	struct sockaddr_in6 *in6 = (void *)&ss;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		*len = sizeof(*in);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
		*len = sizeof(*in6);
	}
	return ss;
}

static void ini_reset(struct ini *i, struct wire *w)
{
	*i = (struct ini){
		.w = w,
		.fd = -1,
		.name = HOST,
		.isid = { 0x80, 0, 0, 0, 0, 1 },
		.next_itt = 0x1000,
		.cmdsn = 1,
		.initial_r2t = true,
		.immediate_data = true,
		.max_send = 8192,
		.max_recv = 8192,
		.max_burst = 262144,
		.first_burst = 65536,
		.max_r2t = 1,
	};
}

static void ini_connect(struct ini *i, uint16_t group)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	i->fd = fd[0];
	iscsi_server_accept(i->w->server, fd[1], group);
}

void ini_open(struct ini *i, struct wire *w)
{
	ini_reset(i, w);
	ini_connect(i, 1);
}

void ini_open_group(struct ini *i, struct wire *w, uint16_t group)
{
	ini_reset(i, w);
	ini_connect(i, group);
}

void ini_open_tcp(struct ini *i, struct wire *w, const char *to, const char *from)
{
	socklen_t to_len, from_len;
	struct sockaddr_storage t = address(to, &to_len), f = address(from, &from_len);
	int listener = socket(t.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	ini_reset(i, w);
	i->fd = socket(t.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (void *)&t, to_len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (void *)&t, &to_len), 0);
	assert_int_equal(bind(i->fd, (void *)&f, from_len), 0);
	assert_int_equal(connect(i->fd, (void *)&t, to_len), 0);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	close(listener);
	iscsi_server_accept(w->server, fd, 1);
}

void ini_open_more(struct ini *more, const struct ini *i, uint16_t cid)
{
	ini_reset(more, i->w);
	more->name = i->name;
	memcpy(more->isid, i->isid, sizeof(more->isid));
	more->tsih = i->tsih;
	more->cid = cid;
	more->next_itt = i->next_itt + 0x10000u * cid;
	more->cmdsn = i->cmdsn;
	more->initial_r2t = i->initial_r2t;
	more->immediate_data = i->immediate_data;
	more->max_burst = i->max_burst;
	more->first_burst = i->first_burst;
	more->max_r2t = i->max_r2t;
	ini_connect(more, 1);
}

void ini_close(struct ini *i)
{
	if (i->fd >= 0)
		close(i->fd);
	i->fd = -1;
	wire_free(i->data);
	wire_free(i->keys);
	wire_free(i->sent);
	i->data = NULL;
	i->keys = i->sent = NULL;
}

bool ini_can_send(struct ini *i, unsigned ms)
{
	struct pollfd pfd = { .fd = i->fd, .events = POLLOUT };

	return poll(&pfd, 1, (int)ms) > 0;
}

bool ini_send_bytes(struct ini *i, const void *p, size_t n, bool may_fail)
{
	const uint8_t *b = p;

	while (n) {
		struct pollfd pfd = { .fd = i->fd, .events = POLLOUT };
		ssize_t done;

		if (poll(&pfd, 1, WIRE_LIMIT_MS) <= 0)
			fail_msg("the target does not read");
		done = send(i->fd, b, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (done < 0 && errno == EAGAIN)
			continue;
		if (done < 0 && may_fail)
			return false;
		if (done < 0)
			fail_msg("the target has closed the connection: %s", strerror(errno));
		b += done;
		n -= (size_t)done;
	}
	return true;
}

/* Reads exactly n bytes. Gives 1; 0 at the end of the stream; -1 when nothing came for `ms`. */
static int read_bytes(struct ini *i, void *p, size_t n, unsigned ms)
{
	uint8_t *b = p;

	while (n) {
		struct pollfd pfd = { .fd = i->fd, .events = POLLIN };
		ssize_t got;

		if (poll(&pfd, 1, (int)ms) <= 0)
			return -1;
		got = recv(i->fd, b, n, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return 0;
		if (got < 0 && errno != EAGAIN)
			fail_msg("receiving: %s", strerror(errno));
		if (got > 0) {
			b += got;
			n -= (size_t)got;
		}
	}
	return 1;
}

/* --- sending -------------------------------------------------------------------------------- */

void ini_put_keys(struct ini *i, struct pdu *p, const char *keys)
{
	p->len = (uint32_t)strlen(keys);
	p->data = i->sent = wire_alloc(i->w, i->sent, p->len + 1);
	strcpy(i->sent, keys);
	for (uint32_t k = 0; k < p->len; k++) {
		if (i->sent[k] == '\n')
			i->sent[k] = '\0';
	}
}

bool ini_send_may_fail(struct ini *i, const struct pdu *p)
{
	size_t pad = -p->len & 3, size = 48 + p->ahs_len + 4 + p->len + pad + 4, n;
	uint8_t *b = calloc(1, size);
	bool ok;

	assert_non_null(b);
	memcpy(b, p->bhs, 48);
	b[4] = (uint8_t)(p->ahs_len / 4);
	put_be24(b + 5, p->len);
	if (p->ahs_len)
		memcpy(b + 48, p->ahs, p->ahs_len);
	n = 48 + p->ahs_len;
	if (i->header_digest && i->full) {
		put_digest(b + n, crc32c(0, b, n), i->broken_header_digest);
		n += 4;
	}
	if (p->len) {
		memcpy(b + n, p->data, p->len);
		n += p->len + pad;
		if (i->data_digest && i->full) {
			put_digest(b + n, crc32c(0, b + n - p->len - pad, p->len + pad),
				i->broken_data_digest);
			n += 4;
		}
	}
	i->broken_header_digest = i->broken_data_digest = false;
	ok = ini_send_bytes(i, b, n, true);
	free(b);
	return ok;
}

void ini_send(struct ini *i, const struct pdu *p)
{
	if (!ini_send_may_fail(i, p))
		fail_msg("the target has closed the connection");
}

/* --- receiving ------------------------------------------------------------------------------ */

static void check_digest(const uint8_t *digest, uint32_t crc, const char *what)
{
	uint8_t want[4];

	put_digest(want, crc, false);
	if (memcmp(want, digest, 4) != 0)
		fail_msg("the target's %s digest is wrong", what);
}

static void read_data(struct ini *i)
{
	uint8_t tail[8];
	size_t pad = -i->len & 3, digest = i->data_digest && i->full ? 4 : 0;

	if (read_bytes(i, i->data, i->len, WIRE_LIMIT_MS) != 1 ||
		read_bytes(i, tail, pad + digest, WIRE_LIMIT_MS) != 1)
		fail_msg("the stream ends within a data segment");
	for (size_t k = 0; k < pad; k++)
		assert_int_equal(tail[k], 0);
	if (digest)
		check_digest(tail + pad, crc32c(crc32c(0, i->data, i->len), tail, pad), "data");
}

static bool is_later(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

/* 4.2.2.2: the StatSN of responses goes up by one; what takes none shows the next one. */
static void check_statsn(struct ini *i)
{
	uint8_t opcode = i->bhs[0];
	uint32_t statsn = be32(i->bhs + 24);
	bool takes = opcode != OP_R2T;

	if (opcode == OP_DATA_IN && !(i->bhs[1] & DATA_IN_STATUS))
		return;
	if (opcode == OP_NOP_IN && be32(i->bhs + 16) == TAG_NONE)
		takes = false;
	if (!i->numbered) {
		i->expstatsn = statsn;
		i->numbered = true;
	}
	assert_int_equal(statsn, i->expstatsn);
	i->expstatsn += takes;
}

/* 4.2.2.1: neither number ever goes back, and the window is never smaller than nothing. */
static void check_cmdsn(struct ini *i)
{
	uint32_t expcmdsn = be32(i->bhs + 28), maxcmdsn = be32(i->bhs + 32);

	if (i->bhs[0] == OP_LOGIN_RSP && i->bhs[36])
		return;
	assert_true(is_later(maxcmdsn, expcmdsn - 1));
	if (i->full) {
		assert_true(is_later(expcmdsn, i->expcmdsn));
		assert_true(is_later(maxcmdsn, i->maxcmdsn));
	}
	i->expcmdsn = expcmdsn;
	i->maxcmdsn = maxcmdsn;
}

/* The PDU whose BHS has come. */
static void receive_rest(struct ini *i)
{
	uint8_t digest[4];

	assert_int_equal(i->bhs[4], 0); /* no target sends an AHS */
	i->len = be24(i->bhs + 5);
	if (i->len > i->max_recv && i->len > 8192)
		fail_msg("a data segment of %u bytes, beyond our %u", i->len, i->max_recv);
	if (i->header_digest && i->full) {
		assert_int_equal(read_bytes(i, digest, 4, WIRE_LIMIT_MS), 1);
		check_digest(digest, crc32c(0, i->bhs, 48), "header");
	}
	i->data = wire_alloc(i->w, i->data, i->len + 1);
	i->data[i->len] = 0;
	if (i->len)
		read_data(i);
	check_statsn(i);
	check_cmdsn(i);
}

bool ini_readable(struct ini *i, unsigned ms)
{
	struct pollfd pfd = { .fd = i->fd, .events = POLLIN };

	return poll(&pfd, 1, (int)ms) > 0;
}

void ini_gather(struct ini *i)
{
	i->keys = wire_alloc(i->w, i->keys, (size_t)i->keys_len + i->len + 1);
	memcpy(i->keys + i->keys_len, i->data, i->len);
	i->keys_len += i->len;
	i->keys[i->keys_len] = '\0';
}

bool ini_recv_within(struct ini *i, unsigned ms)
{
	if (!ini_readable(i, ms))
		return false;
	if (read_bytes(i, i->bhs, 48, WIRE_LIMIT_MS) != 1)
		fail_msg("the target has closed the connection");
	receive_rest(i);
	return true;
}

void ini_recv(struct ini *i, uint8_t opcode)
{
	if (!ini_recv_within(i, WIRE_LIMIT_MS))
		fail_msg("the target does not answer; 0x%02x was expected", opcode);
	if (i->bhs[0] != opcode)
		fail_msg("opcode 0x%02x, not 0x%02x", i->bhs[0], opcode);
}

void ini_expect_closed(struct ini *i)
{
	switch (read_bytes(i, i->bhs, 48, WIRE_LIMIT_MS)) {
	case -1: fail_msg("the target does not close"); break;
	case 1: fail_msg("the target does not close, but sends 0x%02x", i->bhs[0]);
	}
}

bool ini_drain(struct ini *i)
{
	uint8_t b[8192];
	ssize_t n = recv(i->fd, b, sizeof(b), MSG_DONTWAIT);

	return n > 0 || (n < 0 && errno == EAGAIN);
}

void ini_expect_closed_at_last(struct ini *i)
{
	do {
		if (!ini_readable(i, WIRE_LIMIT_MS))
			fail_msg("the target does not close");
	} while (ini_drain(i));
}

void ini_expect_silence(struct ini *i, unsigned ms)
{
	if (!ini_readable(i, ms))
		return;
	if (read_bytes(i, i->bhs, 48, WIRE_LIMIT_MS) != 1)
		fail_msg("the target has closed the connection");
	fail_msg("the target is not silent, but sends 0x%02x", i->bhs[0]);
}

void ini_expect_alive(struct ini *i)
{
	struct pdu p = i->discovery ? pdu_text(i, "") : pdu_nop(i, "alive?", 6);

	pdu_make_immediate(i, &p);
	ini_send(i, &p);
	ini_recv(i, i->discovery ? OP_TEXT_RSP : OP_NOP_IN);
	assert_int_equal(be32(i->bhs + 16), pdu_itt(&p));
}

void ini_expect_reject(struct ini *i, const struct pdu *p, uint8_t reason)
{
	uint8_t bhs[48];

	memcpy(bhs, p->bhs, 48);
	bhs[4] = (uint8_t)(p->ahs_len / 4);
	put_be24(bhs + 5, p->len);
	ini_recv(i, OP_REJECT);
	assert_int_equal(i->bhs[2], reason);
	assert_int_equal(be32(i->bhs + 16), TAG_NONE);
	assert_true(i->len >= 48);
	assert_memory_equal(i->data, bhs, 48);
}

void fill(uint8_t *p, size_t n, unsigned seed)
{
	uint32_t x = seed * 2654435761u + 1;

	for (size_t k = 0; k < n; k++) {
		x = x * 1664525u + 1013904223u;
		p[k] = (uint8_t)(x >> 24);
	}
}

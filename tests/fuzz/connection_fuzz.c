/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole connection from any bytes: an initiator's side of a socketpair, with the whole target at
 * the other end. Whatever comes, the target must close when the initiator has hung up, and keep
 * no session.
 *
 * The first byte of the input says what the bytes are spared:
 *
 *	1   the login is done for them; they begin in full feature phase
 *	2   … with digests, which are put behind each PDU
 *	4   … and CmdSN is put into each PDU, counting up
 *	8   … in a discovery session
 *	16  … with short data segments and bursts, and no data unasked
 *
 * One server serves all inputs; its disks are new for each, so that an input does the same again.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "iscsi/crc.h"
#include "iscsi/server.h"
#include "iscsi/wire.h"
#include "store/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOGGED_IN = 1, DIGESTS = 2, NUMBERED = 4, DISCOVERY = 8, SHORT = 16 };

#define TARGET   "iqn.2026-11.com.example:fuzz"
#define HOST     "iqn.2026-11.com.example:host"
#define LIMIT_MS 5000
#define LIMITS   3 /* in a row: one may be a pause of the whole machine */
#define BLOCK    512u

static void expect(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* --- the target ------------------------------------------------------------------------------- */

struct target {
	struct loop *loop;
	struct iscsi_server *server;
};

/* Two disks of a MiB: one is memory, where data are moved in place; one answers by and by. */
static struct lu *new_disk(uint8_t number)
{
	struct store_cfg store = { .kind = "ram", .size = 1 << 20, .block_size = BLOCK };
	struct disk_cfg disk = {
		.block_size = BLOCK, .thin = true, .naa = { 0x60, [15] = number }
	};
	struct store_error err;
	struct lu *lu;

	expect(store_open(&store, &disk.store, &err) == 0, "no store");
	if (number)
		expect(fault_wrap(disk.store, &disk.store) == 0, "no fault store");
	expect(disk_create(&disk, &lu) == 0, "no disk");
	return lu;
}

static struct directory *new_directory(void)
{
	struct lun_entry e[] = { { 0, new_disk(0) }, { 1, new_disk(1) } };
	struct iscsi_target t = { .name = TARGET, .alias = "fuzz" };
	struct iscsi_portal p = { .address = "192.0.2.1:3260", .port = 3260, .group = 1 };
	struct iscsi_policy policy = iscsi_policy_default;
	struct target_set *set;
	struct directory *d;

	policy.max_connections = 2;
	expect(lun_map_create(e, 2, &t.luns) == 0, "no map");
	lu_unref(e[0].lu);
	lu_unref(e[1].lu);
	expect(target_set_create(&t, 1, &set) == 0, "no targets");
	lun_map_unref(t.luns);
	d = directory_create(set, NULL, &p, 1, &policy);
	expect(d, "no directory");
	target_set_unref(set);
	return d;
}

static void set_flag(void *arg)
{
	*(bool *)arg = true;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
}

static struct target *start(void)
{
	static struct target t;
	struct directory *d = new_directory();

	log_setup(LOG_TO_STDERR, LOG_EMERG);
	expect(loop_create(0, &t.loop) == 0, "no loop");
	struct iscsi_server_cfg cfg = { .main_loop = t.loop,
		.reactors = 1,
		.max_half_open = 16,
		.max_half_open_per_address = 16 };
	expect(iscsi_server_create(&cfg, d, &t.server) == 0, "no server");
	directory_unref(d);
	return &t;
}

static void renew(struct target *t)
{
	struct directory *d = new_directory();
	bool done = false;

	expect(iscsi_server_publish(t->server, d, set_flag, &done) == 0, "not published");
	directory_unref(d);
	while (!done) {
		if (!loop_step(t->loop))
			nap();
	}
}

static void expect_nothing_left(struct target *t)
{
	struct iscsi_counters c;

	for (unsigned k = 0; k < LIMITS * LIMIT_MS * 10; k++) {
		iscsi_server_counters(t->server, &c);
		if (!c.connections && !c.sessions && !c.half_open)
			return;
		loop_step(t->loop);
		nap();
	}
	expect(false, "something is left of the connection");
}

/* --- the initiator -------------------------------------------------------------------------- */

struct stream {
	uint8_t *bytes;
	size_t len, size;
};

static void add(struct stream *s, const void *p, size_t n)
{
	while (s->len + n > s->size) {
		s->size = s->size ? 2 * s->size : 4096;
		s->bytes = realloc(s->bytes, s->size);
		expect(s->bytes, "out of memory");
	}
	if (n)
		memcpy(s->bytes + s->len, p, n);
	s->len += n;
}

static void add_login(struct stream *s, unsigned mode)
{
	static const char normal[] = "InitiatorName=" HOST "\0TargetName=" TARGET;
	static const char discovery[] = "InitiatorName=" HOST "\0SessionType=Discovery";
	static const char digests[] = "HeaderDigest=CRC32C\0DataDigest=CRC32C";
	static const char lengths[] = "MaxRecvDataSegmentLength=512\0MaxBurstLength=1024\0"
				      "ImmediateData=No\0InitialR2T=Yes\0MaxOutstandingR2T=2";
	uint8_t bhs[48] = { BHS_IMMEDIATE | OP_LOGIN_REQ, 0x87, [8] = 0x80, [27] = 1 };
	size_t at = s->len;

	add(s, bhs, sizeof(bhs));
	if (mode & DISCOVERY)
		add(s, discovery, sizeof(discovery));
	else
		add(s, normal, sizeof(normal));
	if (mode & DIGESTS)
		add(s, digests, sizeof(digests));
	if (mode & SHORT)
		add(s, lengths, sizeof(lengths));
	put_be24(s->bytes + at + 5, (uint32_t)(s->len - at - 48));
	add(s, "\0\0\0", -(s->len - at) & 3);
}

static void add_digest(struct stream *s, size_t from)
{
	uint8_t d[DIGEST_SIZE];

	crc_store(d, crc_add(CRC_START, s->bytes + from, s->len - from));
	add(s, d, sizeof(d));
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The next PDU of the input, as its own header cuts it, with what the mode adds. Gives its length. */
static size_t add_pdu(struct stream *s, unsigned mode, const uint8_t *p, size_t n, uint32_t *cmdsn)
{
	size_t at = s->len, head = 48 + 4u * p[4], data = (be24(p + 5) + 3u) & ~3u;

	add(s, p, smaller(head, n));
	if (mode & NUMBERED && (p[0] & BHS_OPCODE) != OP_DATA_OUT) {
		put_be32(s->bytes + at + 24, *cmdsn);
		*cmdsn += !(p[0] & BHS_IMMEDIATE);
	}
	if (mode & DIGESTS)
		add_digest(s, at);
	if (n <= head)
		return n;
	at = s->len;
	add(s, p + head, smaller(data, n - head));
	if (mode & DIGESTS && s->len > at)
		add_digest(s, at);
	return smaller(head + data, n);
}

static struct stream make_stream(const uint8_t *p, size_t n)
{
	unsigned mode = p[0];
	uint32_t cmdsn = 1;
	struct stream s = { 0 };

	p++;
	n--;
	if (!(mode & LOGGED_IN)) {
		add(&s, p, n);
		return s;
	}
	add_login(&s, mode);
	while (n) {
		size_t len = n;

		if (n >= 48)
			len = add_pdu(&s, mode, p, n, &cmdsn);
		else
			add(&s, p, n);
		p += len;
		n -= len;
	}
	return s;
}

/* Reads away what has come; false at the end. */
static bool drain(int fd)
{
	uint8_t b[65536];
	ssize_t n = recv(fd, b, sizeof(b), MSG_DONTWAIT);

	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* Sends all of it, hangs up, and reads until the target has closed. */
static void play(int fd, const struct stream *s)
{
	size_t at = 0;
	unsigned silent = 0;
	bool open = true;

	while (open) {
		struct pollfd pfd = { .fd = fd,
			.events = (short)(POLLIN | (at < s->len ? POLLOUT : 0)) };

		silent = poll(&pfd, 1, LIMIT_MS) > 0 ? 0 : silent + 1;
		expect(silent < LIMITS, "the target does not close");
		if (pfd.revents & POLLOUT) {
			ssize_t n =
				send(fd, s->bytes + at, s->len - at, MSG_DONTWAIT | MSG_NOSIGNAL);

			if (n > 0)
				at += (size_t)n;
			if (at == s->len)
				shutdown(fd, SHUT_WR);
		}
		if (pfd.revents & (POLLIN | POLLHUP | POLLERR))
			open = drain(fd);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target *t;
	struct stream s;
	int fd[2];

	if (size < 2)
		return 0;
	if (t)
		renew(t);
	else
		t = start();
	s = make_stream(data, size);
	expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0, "no socketpair");
	iscsi_server_accept(t->server, fd[1], 1);
	play(fd[0], &s);
	close(fd[0]);
	free(s.bytes);
	expect_nothing_left(t);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole connections from any bytes: an initiator's side of one socketpair or two, with the whole
 * target at the other end. Whatever comes, the target must close when the initiator has hung up,
 * and keep no session.
 *
 * The first byte of the input says what the bytes are spared:
 *
 *	1   the login is done for them; they begin in full feature phase
 *	2   … with digests, which are put behind each PDU
 *	4   … and CmdSN is put into each PDU, counting up
 *	8   … in a discovery session
 *	16  … with short data segments and bursts, and no data unasked
 *	32  … and each header has arrived before its data are sent
 *
 * and when they begin there, a PDU whose first bit is set goes over a second connection, which
 * begins with a login of its own: with a TSIH that is not 0 it is the session's. Its answer is
 * waited for, and so is an R2T before the data that it may ask for.
 *
 * One server serves all inputs; its disks are new for each, so that an input does the same again.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "chap/table_edit.h"
#include "iscsi/crc.h"
#include "iscsi/server.h"
#include "iscsi/wire.h"
#include "tests/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOGGED_IN = 1, DIGESTS = 2, NUMBERED = 4, DISCOVERY = 8, SHORT = 16, APART = 32 };

#define SECOND   0x80 /* of a PDU's first byte */

#define TARGET   "iqn.2026-11.com.example:fuzz"
#define LOCKED   "iqn.2026-11.com.example:locked" /* wants CHAP */
#define MOVED    "iqn.2026-11.com.example:moved"
#define STOPPED  "iqn.2026-11.com.example:stopped"
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
	const struct fault_cfg slow = { .delay_ms = 1, .seed = 1 };
	struct store_error err;
	struct lu *lu;

	expect(store_open(&store, &disk.store, &err) == 0, "no store");
	if (number) {
		expect(fault_wrap(disk.store, &disk.store) == 0, "no fault store");
		fault_set(disk.store, &slow);
	}
	expect(disk_create(&disk, &lu) == 0, "no disk");
	return lu;
}

static const struct table *new_credentials(void)
{
	static const uint8_t secret[] = "initiator-111111", other[] = "target---2222222";
	const struct credential_spec row = { .scope = CREDENTIAL_OF_TARGET,
		.scope_name = LOCKED,
		.initiator = HOST,
		.type = CREDENTIAL_CHAP,
		.in_user = "",
		.in_secret = { secret, 16 },
		.out_user = "",
		.out_secret = { other, 16 } };
	struct table_edit *e;

	expect(table_edit_begin(NULL, &e) == TABLE_OK, "no table");
	expect(table_edit_put(e, &row, NULL) == TABLE_OK, "no row");
	return table_edit_commit(e);
}

static struct directory *new_directory(void)
{
	struct lun_entry e[] = { { 0, new_disk(0) }, { 1, new_disk(1) } };
	struct lun_map *luns;
	const struct table *credentials = new_credentials();
	struct iscsi_portal p = { .address = "192.0.2.1:3260", .port = 3260, .group = 1 };
	struct iscsi_policy policy = iscsi_policy_default;
	struct target_set *set;
	struct directory *d;

	policy.max_connections = 2;
	expect(lun_map_create(e, 2, &luns) == 0, "no map");
	lu_unref(e[0].lu);
	lu_unref(e[1].lu);
	const struct iscsi_target t[] = {
		{ .name = TARGET, .alias = "fuzz", .luns = luns },
		{ .name = LOCKED, .chap = true, .luns = luns },
		{ .name = MOVED,
			.luns = luns,
			.redirect = TARGET_MOVED_TEMPORARILY,
			.redirect_to = "192.0.2.2:3260" },
		{ .name = STOPPED, .stopped = true, .luns = luns },
	};
	expect(target_set_create(t, 4, &set) == 0, "no targets");
	lun_map_unref(luns);
	d = directory_create(set, credentials, &p, 1, &policy);
	expect(d, "no directory");
	target_set_unref(set);
	table_unref(credentials);
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

/* --- bytes to be sent ------------------------------------------------------------------------- */

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
	static const char normal[] =
		"InitiatorName=" HOST "\0TargetName=" TARGET "\0MaxConnections=2";
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

/* --- the initiator -------------------------------------------------------------------------- */

struct host {
	struct target *t;
	unsigned mode;
	int fd[2]; /* -1: closed, or never opened */
	bool opened[2];
	unsigned at; /* the connection that `out` is for */
	struct stream out;
	uint32_t cmdsn;
	uint8_t tsih[2]; /* as the answer to the first login says */
	bool knows_tsih;
};

static void open_connection(struct host *h, unsigned k)
{
	int fd[2];

	if (h->opened[k])
		return;
	h->opened[k] = true;
	expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0, "no socketpair");
	h->fd[k] = fd[0];
	iscsi_server_accept(h->t->server, fd[1], 1);
}

/* Reads away what has come, and closes at the end. */
static void drain(struct host *h, unsigned k)
{
	uint8_t b[65536];
	ssize_t n = recv(h->fd[k], b, sizeof(b), MSG_DONTWAIT);

	if (n >= BHS_SIZE && b[0] == OP_LOGIN_RSP && !h->knows_tsih) {
		memcpy(h->tsih, b + 14, 2);
		h->knows_tsih = true;
	}
	if (n > 0 || (n < 0 && errno == EAGAIN))
		return;
	close(h->fd[k]);
	h->fd[k] = -1;
}

/* Waits until something has come, or may be sent over `k`; gives whether it may. */
static bool wait_for(struct host *h, unsigned k, bool to_send, int ms, bool *came)
{
	struct pollfd pfd[2];

	for (unsigned i = 0; i < 2; i++)
		pfd[i] = (struct pollfd){ .fd = h->fd[i],
			.events = (short)(POLLIN | (to_send && i == k ? POLLOUT : 0)) };
	*came = poll(pfd, 2, ms) > 0;
	for (unsigned i = 0; *came && i < 2; i++)
		if (pfd[i].revents & (POLLIN | POLLHUP | POLLERR))
			drain(h, i);
	return pfd[k].revents & POLLOUT;
}

static bool taken(int fd)
{
	int left = 0;

	return ioctl(fd, SIOCOUTQ, &left) < 0 || left == 0;
}

/* Sends what is there, and waits until the target has it. */
static void flush(struct host *h)
{
	size_t sent = 0;
	unsigned silent = 0, k = h->at;
	bool came;

	while (h->fd[k] >= 0 && sent < h->out.len) {
		if (wait_for(h, k, true, LIMIT_MS, &came) && h->fd[k] >= 0) {
			ssize_t n = send(h->fd[k], h->out.bytes + sent, h->out.len - sent,
				MSG_DONTWAIT | MSG_NOSIGNAL);

			sent += n > 0 ? (size_t)n : 0;
		}
		silent = came ? 0 : silent + 1;
		expect(silent < LIMITS, "the target takes nothing");
	}
	for (unsigned n = 0; h->fd[k] >= 0 && !taken(h->fd[k]); n++) {
		wait_for(h, k, false, 0, &came);
		expect(n < LIMITS * LIMIT_MS * 10, "the target does not take all");
		nap();
	}
	h->out.len = 0;
}

static void answered(struct host *h, unsigned k, int ms)
{
	bool came;

	flush(h);
	if (h->fd[k] >= 0)
		wait_for(h, k, false, ms, &came);
}

static bool is_login(const uint8_t *p)
{
	return (p[0] & BHS_OPCODE) == OP_LOGIN_REQ;
}

/* The header of a PDU, with what the mode puts in. */
static void add_header(struct host *h, const uint8_t *p, size_t n)
{
	struct stream *s = &h->out;
	size_t at = s->len;

	add(s, p, n);
	s->bytes[at] &= (uint8_t)~SECOND;
	if (is_login(p) && h->at && be16(p + 14))
		memcpy(s->bytes + at + 14, h->tsih, 2);
	if (h->mode & NUMBERED && !is_login(p) && (p[0] & BHS_OPCODE) != OP_DATA_OUT) {
		put_be32(s->bytes + at + 24, h->cmdsn);
		h->cmdsn += !(p[0] & BHS_IMMEDIATE);
	}
	if (h->mode & DIGESTS && !is_login(p))
		add_digest(s, at);
}

/* The second connection is opened when the first one has logged in. */
static void change_to(struct host *h, unsigned k)
{
	bool came = true;

	flush(h);
	while (h->fd[0] >= 0 && !h->knows_tsih && came)
		wait_for(h, 0, false, LIMIT_MS, &came);
	h->at = k;
	open_connection(h, k);
}

static void choose_connection(struct host *h, const uint8_t *p)
{
	unsigned k = p[0] & SECOND ? 1 : 0;

	if (k != h->at)
		change_to(h, k);
	if ((p[0] & BHS_OPCODE) == OP_DATA_OUT && be32(p + 20) != TAG_NONE)
		answered(h, k, 2);
}

/* The next PDU of the input, as its own header cuts it. Gives its length. */
static size_t say(struct host *h, const uint8_t *p, size_t n)
{
	size_t head = 48 + 4u * p[4], data = (be24(p + 5) + 3u) & ~3u, at;

	choose_connection(h, p);
	add_header(h, p, smaller(head, n));
	if (n > head) {
		if (h->mode & APART)
			flush(h);
		at = h->out.len;
		add(&h->out, p + head, smaller(data, n - head));
		if (h->mode & DIGESTS && !is_login(p) && h->out.len > at)
			add_digest(&h->out, at);
	}
	if (is_login(p) && h->at && n >= head + data)
		answered(h, h->at, 20);
	return smaller(head + data, n);
}

static void say_all(struct host *h, const uint8_t *p, size_t n)
{
	size_t len;

	if (!(h->mode & LOGGED_IN)) {
		add(&h->out, p, n);
		return;
	}
	add_login(&h->out, h->mode);
	for (; n; p += len, n -= len) {
		len = n;
		if (n >= 48)
			len = say(h, p, n);
		else
			add(&h->out, p, n);
	}
}

/* Hangs up, and reads until the target has closed. */
static void hang_up(struct host *h)
{
	unsigned silent = 0;
	bool came;

	flush(h);
	for (unsigned k = 0; k < 2; k++)
		if (h->fd[k] >= 0)
			shutdown(h->fd[k], SHUT_WR);
	while (h->fd[0] >= 0 || h->fd[1] >= 0) {
		wait_for(h, 0, false, LIMIT_MS, &came);
		silent = came ? 0 : silent + 1;
		expect(silent < LIMITS, "the target does not close");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target *t;
	struct host h = { .fd = { -1, -1 }, .cmdsn = 1 };

	if (size < 2)
		return 0;
	if (t)
		renew(t);
	else
		t = start();
	h.t = t;
	h.mode = data[0];
	open_connection(&h, 0);
	say_all(&h, data + 1, size - 1);
	hang_up(&h);
	free(h.out.bytes);
	expect_nothing_left(t);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: bytes in, phases, silence, the end (conn.h). */
#include "iscsi/conn.h"

#include <assert.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "iscsi/cmd.h"
#include "iscsi/early.h"
#include "iscsi/full.h"
#include "iscsi/login.h"
#include "iscsi/pdu.h"
#include "iscsi/reactor.h"
#include "iscsi/session.h"
#include "iscsi/shared.h"
#include "iscsi/text.h"
#include "net/guard.h"

static const char *phase_text(enum conn_phase phase)
{
#define CONN_AS_TEXT(id, text) text,
	static const char *const texts[] = { CONN_PHASES(CONN_AS_TEXT) };
#undef CONN_AS_TEXT
	return texts[phase];
}

static const char *initiator_of(const struct conn *c)
{
	if (c->s)
		return c->s->entry.initiator;
	return c->login ? login_initiator(c->login) : "";
}

/* Lines of the log that a connection may cause: at once, and every second from then on. */
#define LINES_OF_ONE 30, 2

static void tell_left_out(struct log_rate *lines, const char *about)
{
	unsigned n = log_rate_left_out(lines);

	if (n)
		log_msg(LOG_WARNING, "%s: %u lines of the log were left out: too many at once",
			about, n);
}

static bool may_log(struct conn *c, bool comes_or_goes, const char *peer)
{
	struct log_rate *all = &c->r->shared->lines;
	uint64_t now = loop_now(c->r->loop);

	if (!comes_or_goes && !log_rate_pass(&c->lines, now, LINES_OF_ONE))
		return false;
	if (comes_or_goes && !log_rate_pass(all, now, LINES_OF_ALL))
		return false;
	tell_left_out(&c->lines, peer);
	tell_left_out(all, "connections that come and go");
	return true;
}

static void __attribute__((format(printf, 4, 0)))
log_about(struct conn *c, int priority, bool goes, const char *fmt, va_list ap)
{
	struct addr_text peer;
	char text[512];
	struct log_quoted q;
	const char *who = initiator_of(c);

	if (!log_on(priority))
		return;
	addr_text(&c->stream.peer, &peer);
	if (!may_log(c, goes || c->phase == CONN_LOGIN, peer.text))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_msg(priority, "%s %s: %s", peer.text, *who ? log_quote(who, strlen(who), &q) : "-",
		text);
}

void conn_log(struct conn *c, int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_about(c, priority, false, fmt, ap);
	va_end(ap);
}

/* --- the end ---------------------------------------------------------------------------------- */

void conn_hold(struct conn *c)
{
	c->held++;
}

static void conn_free(struct conn *c)
{
	struct reactor *r = c->r;

	count(&r->connections, (uint64_t)-1);
	atomic_fetch_sub_explicit(&r->assigned, 1, memory_order_relaxed);
	loop_undefer(&c->flush);
	list_del(&c->link);
	free(c);
	reactor_check_drained(r);
}

void conn_release(struct conn *c)
{
	assert(c->held);
	if (--c->held == 0 && c->phase == CONN_CLOSING && c->stream.fd < 0)
		conn_free(c);
}

void conn_admitted(struct conn *c)
{
	if (c->ticket.desk)
		guard_exit(c->r->shared->guard, &c->ticket);
	c->ticket.desk = NULL;
}

void conn_make_way(struct conn *c)
{
	if (c->phase == CONN_LOGIN)
		conn_close(c, LOG_NOTICE,
			"login refused: makes way: too many connections that have not logged in");
}

static void sink_free(struct conn *c)
{
	if (c->sink.size)
		bufs_put(c->r->bufs, c->sink.buf, c->sink.size);
	if (c->sink.early)
		early_end(c->sink.early);
	c->sink = (struct sink){ 0 };
}

/* After the round in which it was closed: nobody is in the middle of anything any more. */
static void reap(struct loop_defer *d)
{
	struct conn *c = container_of(d, struct conn, reap);

	conn_hold(c); /* early_end() and the rest may drop the last hold */
	sink_free(c);
	tx_drop(c);
	login_free(c->login);
	c->login = NULL;
	text_forget(c->text);
	c->text = NULL;
	conn_admitted(c);
	if (c->said_all)
		parting_add(&c->r->parting, &c->stream);
	stream_close(&c->stream);
	if (c->s)
		session_leave(c->s, c, c->failed);
	c->s = NULL;
	conn_release(c);
}

void conn_close(struct conn *c, int priority, const char *why, ...)
{
	va_list ap;

	if (c->phase == CONN_CLOSING)
		return;
	va_start(ap, why);
	log_about(c, priority, true, why, ap);
	va_end(ap);
	c->failed = c->phase == CONN_FULL;
	c->phase = CONN_CLOSING;
	loop_timer_clear(&c->timer);
	loop_unwatch(&c->watch);
	loop_defer(c->r->loop, &c->reap);
}

/* In which the initiator is to take the last word. */
#define LAST_WORD_MS 2000

void conn_doom(struct conn *c)
{
	if (c->phase == CONN_CLOSING)
		return;
	c->doomed = true;
	loop_timer_set(&c->timer, LAST_WORD_MS);
}

/* --- PDUs ----------------------------------------------------------------------------------- */

bool conn_gather(struct conn *c)
{
	uint32_t len = c->framer.data_left;

	if (len && !(c->sink.buf = bufs_get(c->r->bufs, len))) {
		conn_close(c, LOG_ERR, "closing: out of memory");
		return false;
	}
	c->sink.kind = SINK_GATHER;
	c->sink.size = len;
	c->sink.len = 0;
	return true;
}

static void forget(struct sink *k, const struct cmd *cmd)
{
	if (k->cmd != cmd)
		return;
	k->cmd = NULL;
	if (k->kind == SINK_COMMAND)
		k->kind = SINK_NOTHING;
}

void conn_forget(struct conn *c, const struct cmd *cmd)
{
	forget(&c->sink, cmd);
	if (c->aside)
		forget(c->aside, cmd);
}

static void pdu_begin(struct conn *c)
{
	memcpy(c->bhs, c->framer.bhs, BHS_SIZE);
	c->in_login = c->phase == CONN_LOGIN;
	if (c->in_login)
		login_begin(c);
	else
		full_begin(c, c->framer.ahs);
}

/* What nobody takes now may be a key, too, of a command that was refused or has not had its turn. */
static bool may_be_secret(const struct conn *c)
{
	const struct sink *k = &c->sink;

	return c->in_login || k->kind == SINK_NOTHING || k->kind == SINK_EARLY ||
	       (k->cmd && cmd_is_secret(k->cmd));
}

static void pour(struct conn *c, const uint8_t *p, size_t n)
{
	struct sink *k = &c->sink;

	if (may_be_secret(c))
		c->r->secret = true;
	if (k->kind == SINK_COMMAND)
		cmd_pour(k->cmd, p, n);
	if (k->kind != SINK_GATHER && k->kind != SINK_EARLY)
		return;
	memcpy(k->buf + k->len, p, n);
	k->len += (uint32_t)n;
	if (k->early)
		k->early->data_len = k->len;
}

static void pdu_end(struct conn *c)
{
	if (c->in_login && c->phase == CONN_LOGIN)
		login_end(c);
	else if (!c->in_login)
		full_end(c);
	if (c->in_login && c->sink.len)
		explicit_bzero(c->sink.buf, c->sink.len);
	sink_free(c);
}

static void refused(struct conn *c)
{
	static const char *const texts[] = {
		[FRAME_AHS_TOO_LONG] = "closing: additional header segments are too long",
		[FRAME_DATA_TOO_LONG] = "closing: a data segment is longer than allowed",
		[FRAME_HEADER_DIGEST] = "closing: header digest error",
	};

	if (c->phase == CONN_LOGIN && c->framer.refusal == FRAME_DATA_TOO_LONG) {
		memcpy(c->bhs, c->framer.bhs, BHS_SIZE);
		login_too_long(c);
		return;
	}
	conn_close(c, LOG_NOTICE, "%s (%s)", texts[c->framer.refusal], phase_text(c->phase));
}

static bool listens(const struct conn *c)
{
	return c->phase != CONN_CLOSING && !c->doomed;
}

static void take(struct conn *c, const uint8_t *p, size_t n)
{
	enum frame_event e;

	framer_input(&c->framer, p, n);
	while (listens(c) && (e = framer_next(&c->framer)) != FRAME_MORE) {
		switch (e) {
		case FRAME_HEADER: pdu_begin(c); break;
		case FRAME_DATA: pour(c, c->framer.chunk, c->framer.chunk_len); break;
		case FRAME_END: pdu_end(c); break;
		default: refused(c); return;
		}
	}
}

/* --- receiving -------------------------------------------------------------------------------- */

/* A data segment of which at least this much is missing is received in place. */
#define PLACE_MIN    8192u

/* Pieces of one receive in place. */
#define PLACE_PIECES 4

/* A wrong target secret shows nowhere but here: the initiator checks our proof, and leaves. */
static void left(struct conn *c)
{
	if (c->phase == CONN_LOGIN && login_gave_proof(c->login))
		conn_close(c, LOG_NOTICE,
			"login given up by the initiator after the target's proof: it may expect "
			"another target secret or name");
	else
		conn_close(c, c->phase == CONN_LOGOUT ? LOG_DEBUG : LOG_INFO,
			"the initiator closed the connection (%s)", phase_text(c->phase));
}

static ssize_t heard(struct conn *c, ssize_t n)
{
	if (n > 0) {
		c->heard = loop_now(c->r->loop);
		c->ping_sent = 0;
		count(&c->r->bytes_in, (uint64_t)n);
	} else if (n == 0) {
		left(c);
	} else if (n != -EAGAIN) {
		conn_close(c, LOG_NOTICE, "receiving failed: %s", strerror((int)-n));
	}
	return n;
}

static void placed(struct conn *c, const struct iovec *iov, size_t n)
{
	cmd_placed(c->sink.cmd, n);
	for (int i = 0; n; i++) {
		size_t len = iov[i].iov_len < n ? iov[i].iov_len : n;

		framer_bypass(&c->framer, iov[i].iov_base, len);
		n -= len;
	}
	take(c, NULL, 0); /* it may have been the end of the PDU */
}

/* Receives straight into the place of the data. False: not possible now, use the input buffer. */
static bool receive_in_place(struct conn *c, ssize_t *n)
{
	struct iovec iov[PLACE_PIECES];
	size_t available;
	int cnt;

	if (c->sink.kind != SINK_COMMAND || c->framer.data_left < PLACE_MIN)
		return false;
	available = cmd_is_live(c->sink.cmd) ? stream_available(&c->stream) : 0;
	if (!cmd_place(c->sink.cmd, c->framer.data_left, available, iov, PLACE_PIECES, &cnt))
		return false;
	*n = heard(c, stream_recv(&c->stream, iov, cnt));
	if (*n > 0)
		placed(c, iov, (size_t)*n);
	return true;
}

/* How much to take into the input buffer: between long data segments only the next header, so that
 * the data behind it can go to their place. */
static size_t input_limit(const struct conn *c)
{
	if (c->long_data && framer_need(&c->framer) < PLACE_MIN)
		return framer_need(&c->framer);
	return REACTOR_INPUT;
}

/* Received bytes, which may have been a proof or a key. */
static void take_input(struct conn *c, size_t n)
{
	struct reactor *r = c->r;

	take(c, r->input, n);
	if (r->secret)
		explicit_bzero(r->input, n);
	r->secret = false;
}

static bool receive(struct conn *c, bool *more)
{
	size_t limit = input_limit(c);
	ssize_t n;

	*more = true;
	if (receive_in_place(c, &n))
		return n > 0;
	n = heard(c, stream_read(&c->stream, c->r->input, limit));
	if (n <= 0)
		return false;
	*more = (size_t)n == limit;
	take_input(c, (size_t)n);
	if (c->framer.data_left || !framer_midway(&c->framer))
		c->long_data = c->framer.data_left >= PLACE_MIN;
	return true;
}

/* Bytes and turns of one connection before the others get theirs. */
#define TURN_BYTES ((uint64_t)1 << 20)

static uint64_t bytes_in(const struct conn *c)
{
	return atomic_load_explicit(&c->r->bytes_in, memory_order_relaxed);
}

static bool input(struct conn *c)
{
	uint64_t before = bytes_in(c);
	bool did = false, more = true;

	while (more && listens(c) && bytes_in(c) - before < TURN_BYTES && receive(c, &more))
		did = true;
	return did;
}

static void flush(struct conn *c)
{
	if (c->phase != CONN_CLOSING && !tx_flush(c))
		conn_close(c, LOG_INFO, "sending failed: the connection is broken");
}

static void flush_later(struct loop_defer *d)
{
	flush(container_of(d, struct conn, flush));
}

static bool ready(struct loop_watch *w, unsigned conditions)
{
	struct conn *c = container_of(w, struct conn, watch);
	bool did = false;

	if (conditions & LOOP_WRITE) {
		flush(c);
		did = true;
	}
	if (conditions & LOOP_READ)
		did |= input(c);
	if (!list_empty(&c->tx.queue) && !c->tx.rest)
		flush(c);
	return did;
}

/* --- silence ---------------------------------------------------------------------------------- */

/* How much of what we sent the initiator's host has confirmed; *all: all that there was to send. */
static uint64_t confirmed_bytes(const struct conn *c, bool *all)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	*all = false;
	if (!c->stream.tcp || getsockopt(c->stream.fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return 0;
	*all = tx_idle(c) && !info.tcpi_unacked && !info.tcpi_notsent_bytes;
	return info.tcpi_bytes_acked;
}

/* Whether the initiator's host has taken our ping since it was sent, or some of what lies before
 * it: it lives, also where the initiator does not answer pings, as iPXE's does not. One that takes
 * nothing of what it has asked for does not. */
static bool confirmed(const struct conn *c)
{
	bool all;
	uint64_t now = confirmed_bytes(c, &all);

	return all || now > c->ping_confirmed;
}

static void ping(struct conn *c)
{
	struct tx_pdu *p = tx_pdu_new(0);
	bool all;

	c->ping_sent = loop_now(c->r->loop);
	c->ping_confirmed = confirmed_bytes(c, &all);
	if (!p)
		return;
	if (++c->ping_tag == TAG_NONE)
		c->ping_tag = 1;
	nop_in_encode(p->bhs, &(struct nop_in){ .itt = TAG_NONE, .ttt = c->ping_tag });
	tx_pdu_send(c, p);
}

static uint32_t silent_ms(const struct conn *c)
{
	return (uint32_t)((loop_now(c->r->loop) - c->heard) / 1000000);
}

/* Time for a look: a connection that was heard lately is asked later; one that was silent too long
 * is pinged; one that is still silent after that is dead. Anything heard counts as an answer: some
 * initiators never answer pings. */
static void silence(struct loop_timer *t)
{
	struct conn *c = container_of(t, struct conn, timer);
	const struct iscsi_policy *p = &c->r->dir->policy;
	uint32_t quiet = silent_ms(c);

	if (c->phase == CONN_LOGIN) {
		conn_close(c, LOG_NOTICE, "login refused: not finished within %u s",
			p->login_timeout_ms / 1000);
		return;
	}
	if (c->doomed) {
		conn_close(c, LOG_NOTICE, "closing: the initiator did not take our last word");
	} else if (!p->ping_interval_ms) {
		c->ping_sent = 0;
	} else if (c->s->discovery && quiet >= p->ping_interval_ms) {
		/* A discovery session knows no pings (RFC 7143 4.3), and has no reason to stay. */
		conn_close(c, LOG_INFO, "closing: idle for %u s", quiet / 1000);
	} else if (c->ping_sent && confirmed(c)) {
		c->ping_sent = 0;
		loop_timer_set(t, p->ping_interval_ms);
	} else if (c->ping_sent) {
		conn_close(c, LOG_NOTICE, "closing: no sign of life for %u s", quiet / 1000);
	} else if (quiet >= p->ping_interval_ms) {
		ping(c);
		loop_timer_set(t, p->ping_timeout_ms);
	} else {
		loop_timer_set(t, p->ping_interval_ms);
	}
}

void conn_full_feature(struct conn *c)
{
	c->phase = CONN_FULL;
	c->heard = loop_now(c->r->loop);
	if (c->r->dir->policy.ping_interval_ms)
		loop_timer_set(&c->timer, c->r->dir->policy.ping_interval_ms);
	else
		loop_timer_clear(&c->timer);
}

/* --- the beginning ---------------------------------------------------------------------------- */

bool conn_attach(struct conn *c, struct reactor *r)
{
	c->r = r;
	list_push(&r->conns, &c->link);
	count(&r->connections, 1);
	c->heard = loop_now(r->loop);
	loop_timer_init(r->loop, &c->timer, silence);
	if (loop_watch(r->loop, &c->watch, c->stream.fd, LOOP_READ, ready) != 0)
		return false;
	loop_timer_set(&c->timer, r->dir->policy.login_timeout_ms);
	return true;
}

void conn_detach(struct conn *c)
{
	loop_timer_clear(&c->timer);
	loop_unwatch(&c->watch);
	loop_undefer(&c->flush);
	list_del(&c->link);
	count(&c->r->connections, (uint64_t)-1);
	atomic_fetch_sub_explicit(&c->r->assigned, 1, memory_order_relaxed);
}

static struct conn *conn_new(const struct stream *stream, uint16_t group)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->group = group;
	c->max_send = params_default.send_max;
	c->stream = *stream;
	list_init(&c->link);
	list_init(&c->in_session);
	list_init(&c->ticket.link);
	tx_init(&c->tx);
	loop_defer_init(&c->flush, flush_later);
	loop_defer_init(&c->reap, reap);
	framer_init(&c->framer, LOGIN_DATA_MAX);
	return c;
}

bool conn_open(struct reactor *r, const struct stream *stream, uint16_t group)
{
	struct conn *c = conn_new(stream, group);

	if (!c || !(c->login = login_new(r))) {
		free(c);
		return false;
	}
	if (!conn_attach(c, r)) {
		list_del(&c->link);
		count(&r->connections, (uint64_t)-1);
		login_free(c->login);
		free(c);
		return false;
	}
	c->ticket.desk = &r->desk;
	c->ticket.peer = &c->stream.peer;
	guard_enter(r->shared->guard, &c->ticket, loop_now(r->loop));
	conn_log(c, LOG_DEBUG, "connected");
	return true;
}

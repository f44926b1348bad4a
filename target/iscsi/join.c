/* SPDX-License-Identifier: BSD-2-Clause */
/* Joining a session (join.h). */
#include "iscsi/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "iscsi/cmd.h"
#include "iscsi/conn.h"
#include "iscsi/login_state.h"
#include "iscsi/logout.h"
#include "iscsi/reactor.h"
#include "iscsi/session.h"
#include "iscsi/shared.h"

/* A login on its way to another reactor and, perhaps, back. The connection is held. */
struct errand {
	struct loop_msg msg;
	struct loop_defer leave;
	struct list link; /* in session->waiters, or session->rejoins */
	struct conn *c;
	struct reactor *home, *away;
	uint16_t tsih;
};

static struct session_entry entry_of(const struct conn *c)
{
	const struct login *l = c->login;

	return (struct session_entry){ .initiator = l->initiator.text,
		.target = l->target ? l->target->name : NULL,
		.isid = l->req.isid,
		.group = c->group };
}

/* --- room ----------------------------------------------------------------------------------- */

/* Has proved nothing, while others do: those leave room to these. */
static bool is_stranger(const struct login *l)
{
	return l->method != METHOD_CHAP && table_count(l->dir->credentials);
}

static uint32_t room_for(const struct login *l)
{
	uint32_t max = l->dir->policy.max_sessions;

	return is_stranger(l) ? max - max / 8 : max;
}

/* The kernel gives the lowest number that is free: so many are taken at the least. */
static bool fills_the_house(const struct conn *c)
{
	return is_stranger(c->login) && !c->login->discovery &&
	       (unsigned)c->stream.fd >=
		       atomic_load_explicit(&c->r->shared->strangers, memory_order_relaxed);
}

/* --- the full feature phase ----------------------------------------------------------------- */

static void log_login(struct conn *c)
{
	const struct session *s = c->s;

	if (s->discovery) {
		conn_log(c, LOG_INFO, "discovery session, authentication %s%s%s", s->auth,
			s->algorithm ? " " : "", s->algorithm ? s->algorithm : "");
		return;
	}
	conn_log(c, LOG_INFO, "logged in to %s, authentication %s%s%s, session %u", s->entry.target,
		s->auth, s->algorithm ? " " : "", s->algorithm ? s->algorithm : "", s->entry.tsih);
}

/* The last response goes out, and what was negotiated is in force behind it. */
static void enter(struct conn *c, struct session *s)
{
	struct login *l = c->login;

	l->tsih = s->entry.tsih;
	session_join(s, c);
	l->session = NULL;
	if (framer_midway(&c->framer)) {
		conn_close(c, LOG_NOTICE, "closing: a request before the login was answered");
		return;
	}
	if (!login_succeed(c))
		return;
	if (!tx_flush(c)) {
		conn_close(c, LOG_INFO, "sending failed: the connection is broken");
		return;
	}
	c->header_digest = c->framer.header_digest = l->n.params.header_digest;
	c->data_digest = c->framer.data_digest = l->n.params.data_digest;
	c->framer.max_data = l->n.params.recv_max;
	c->max_send = l->n.params.send_max;
	count(&c->r->logins, 1);
	log_login(c);
	c->login = NULL;
	login_free(l);
	conn_full_feature(c);
}

/* --- a new session -------------------------------------------------------------------------- */

static void describe(struct session *s, struct login *l)
{
	s->params = l->n.params;
	s->auth = l->method != METHOD_CHAP ? "none" : l->mutual ? "mutual CHAP" : "CHAP";
	s->algorithm = l->method == METHOD_CHAP ? chap_alg_name(l->chap.alg) : NULL;
	s->user = l->user;
	s->alias = l->alias;
	l->user = l->alias = NULL;
}

static bool make_session(struct conn *c)
{
	struct login *l = c->login;
	struct session_entry like = entry_of(c);

	l->session = session_new(c->r, &like, l->req.cmdsn, l->dir->policy.queue_depth);
	if (!l->session)
		login_refuse(c, LOGIN_OUT_OF_RESOURCES, "out of memory");
	return l->session;
}

static void reinstate(struct conn *c, struct reactor *away, uint16_t tsih);

/* While the login was on an errand, another directory may have come into force. */
static bool may_go_on(struct conn *c)
{
	if (login_still_valid(c, c->r->dir))
		return true;
	conn_close(c, LOG_NOTICE, "login refused: its target or credential has changed meanwhile");
	return false;
}

static void add_session(struct conn *c)
{
	struct login *l = c->login;
	struct session *s = l->session;
	const struct iscsi_target *target;
	struct reactor *away;
	uint16_t tsih;

	if (!may_go_on(c))
		return;
	switch (sessions_add(c->r->shared->sessions, &s->entry, room_for(l),
		l->target ? l->target->max_sessions : 0, &away, &tsih)) {
	case SESSIONS_TAKEN: reinstate(c, away, tsih); return;
	case SESSIONS_FULL:
		login_refuse(c, LOGIN_OUT_OF_RESOURCES, "as many sessions as are allowed");
		return;
	case SESSIONS_OK: break;
	}
	/* The units are those of the directory in force, not of the one that it began with. */
	target = l->target ? target_set_find(c->r->dir->targets, l->target->name) : NULL;
	if (target && !session_open(s, c->r->dir->targets, target)) {
		login_refuse(c, LOGIN_OUT_OF_RESOURCES, "out of memory");
		return;
	}
	describe(s, l);
	enter(c, s);
}

/* --- session reinstatement ------------------------------------------------------------------ */

/* Back home: the old session is gone. */
static void reinstated(struct loop_msg *m)
{
	struct errand *e = container_of(m, struct errand, msg);
	struct conn *c = e->c;

	free(e);
	if (c->phase == CONN_LOGIN)
		add_session(c);
	conn_release(c);
}

static void return_home(struct errand *e)
{
	e->msg.run = reinstated;
	loop_post(e->home->loop, &e->msg);
}

/* Where the old session lives. */
static void end_old(struct loop_msg *m)
{
	struct errand *e = container_of(m, struct errand, msg);
	struct session_entry *entry = sessions_own(e->away->shared->sessions, e->tsih, e->away);
	struct session *s;

	if (!entry) {
		return_home(e);
		return;
	}
	s = container_of(entry, struct session, entry);
	list_push(&s->waiters, &e->link);
	session_close(s, LOG_NOTICE,
		s->discovery ? "makes way: as many discovery sessions as there may be"
			     : "the initiator logs in anew (session reinstatement)");
}

void join_session_gone(struct session *s)
{
	struct list *l;

	while ((l = list_pop(&s->waiters)))
		return_home(container_of(l, struct errand, link));
}

static struct errand *errand_new(struct conn *c, struct reactor *away, uint16_t tsih)
{
	struct errand *e = calloc(1, sizeof(*e));

	if (!e) {
		login_refuse(c, LOGIN_OUT_OF_RESOURCES, "out of memory");
		return NULL;
	}
	list_init(&e->link);
	e->c = c;
	e->home = c->r;
	e->away = away;
	e->tsih = tsih;
	return e;
}

static void reinstate(struct conn *c, struct reactor *away, uint16_t tsih)
{
	struct errand *e = errand_new(c, away, tsih);

	if (!e)
		return;
	conn_hold(c);
	e->msg.run = end_old;
	loop_post(away->loop, &e->msg);
}

/* --- one more connection of a session ------------------------------------------------------- */

static struct conn *same_cid(const struct session *s, uint16_t cid)
{
	list_for_each(l, &s->conns) {
		struct conn *c = container_of(l, struct conn, in_session);

		if (c->cid == cid)
			return c;
	}
	return NULL;
}

/* Whether a connection of this CID, or a command that came over one, is still alive. */
static bool cid_in_use(const struct session *s, uint16_t cid)
{
	list_for_each(l, &s->cmds)
		if (container_of(l, struct cmd, link)->c->cid == cid)
			return true;
	return same_cid(s, cid);
}

/* Connection reinstatement, RFC 7143 6.3.4: an implicit logout of the old one. What it has under
 * way must end first, lest an old write lands behind a new one. */
static void replace_connection(struct conn *c, struct session *s)
{
	struct conn *old = same_cid(s, c->cid);
	struct errand *e = errand_new(c, c->r, s->entry.tsih);

	if (!e)
		return;
	conn_hold(c);
	s->rejoining++;
	list_push(&s->rejoins, &e->link);
	if (!old || old->phase == CONN_CLOSING)
		return;
	old->phase = CONN_LOGOUT;
	conn_close(old, LOG_NOTICE, "closing: its CID logs in anew");
}

/* The connection is on the session's reactor. */
static void add_connection(struct conn *c)
{
	struct session_entry *e = sessions_own(c->r->shared->sessions, c->login->req.tsih, c->r);
	struct session *s = e ? container_of(e, struct session, entry) : NULL;

	if (!may_go_on(c))
		return;
	if (c->r->stopping)
		login_refuse(c, LOGIN_UNAVAILABLE, "the server is stopping");
	else if (!s || s->closing || logout_waits(s))
		login_refuse(c, LOGIN_NO_SESSION, NULL);
	else if (cid_in_use(s, c->cid))
		replace_connection(c, s);
	else if (s->nconns >= s->params.max_connections)
		login_refuse(c, LOGIN_TOO_MANY, "as many connections as were agreed on");
	else
		enter(c, s);
}

static void rejoin(struct loop_msg *m)
{
	struct errand *e = container_of(m, struct errand, msg);
	struct session_entry *entry = sessions_own(e->home->shared->sessions, e->tsih, e->home);
	struct session *s = entry ? container_of(entry, struct session, entry) : NULL;
	struct conn *c = e->c;

	free(e);
	if (s)
		s->rejoining--;
	if (c->phase == CONN_LOGIN)
		add_connection(c);
	if (s && !s->nconns && !s->rejoining)
		session_close(s, LOG_NOTICE, "its last connection has ended");
	conn_release(c);
}

void join_try_again(struct session *s)
{
	list_for_each_safe(l, &s->rejoins) {
		struct errand *e = container_of(l, struct errand, link);

		if (!s->closing && cid_in_use(s, e->c->cid))
			continue;
		list_del(&e->link);
		e->msg.run = rejoin;
		loop_post(e->home->loop, &e->msg);
	}
}

static void arrive(struct loop_msg *m)
{
	struct errand *e = container_of(m, struct errand, msg);
	struct conn *c = e->c;
	struct reactor *r = e->away;

	free(e);
	atomic_fetch_add_explicit(&r->assigned, 1, memory_order_relaxed);
	if (conn_attach(c, r))
		add_connection(c);
	else
		conn_close(c, LOG_ERR, "closing: out of memory or descriptors");
	conn_release(c);
}

/* After the round: nothing on this reactor has the connection in hand any more. What was said so
 * far must have left, and nothing more been heard: the other reactor begins with empty queues. */
static void depart(struct loop_defer *d)
{
	struct errand *e = container_of(d, struct errand, leave);
	struct conn *c = e->c;

	if (c->phase != CONN_CLOSING && (!tx_flush(c) || !tx_idle(c) || framer_midway(&c->framer)))
		conn_close(c, LOG_NOTICE, "closing: a request before the login was answered");
	if (c->phase == CONN_CLOSING) {
		free(e);
		conn_release(c);
		return;
	}
	conn_detach(c);
	e->msg.run = arrive;
	loop_post(e->away->loop, &e->msg);
}

static void join_session(struct conn *c)
{
	struct session_entry like = entry_of(c);
	struct reactor *r = sessions_find(c->r->shared->sessions, c->login->req.tsih, &like);
	struct errand *e;

	if (!r) {
		login_refuse(c, LOGIN_NO_SESSION, NULL);
		return;
	}
	if (r == c->r) {
		add_connection(c);
		return;
	}
	if (!(e = errand_new(c, r, c->login->req.tsih)))
		return;
	conn_hold(c);
	loop_unwatch(&c->watch);
	loop_defer_init(&e->leave, depart);
	loop_defer(c->r->loop, &e->leave);
}

void join_begin(struct conn *c)
{
	struct login *l = c->login;

	l->joining = true;
	conn_admitted(c); /* before the initiator can know, and open the next one */
	if (c->r->stopping)
		login_refuse(c, LOGIN_UNAVAILABLE, "the server is stopping");
	else if (fills_the_house(c))
		login_refuse(c, LOGIN_OUT_OF_RESOURCES,
			"what descriptors are left are for those who prove who they are");
	else if (l->req.tsih)
		join_session(c);
	else if (make_session(c))
		add_session(c);
}

void join_abandon(struct login *l)
{
	struct session *s = l->session;

	l->session = NULL;
	if (s)
		session_abandon(s);
}

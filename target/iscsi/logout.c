/* SPDX-License-Identifier: BSD-2-Clause */
/* Logouts: whom they concern, what they wait for, and their answers (logout.h). */
#include "iscsi/logout.h"

#include <stdlib.h>

#include "base/log.h"
#include "iscsi/cmd.h"
#include "iscsi/conn.h"
#include "iscsi/reactor.h"
#include "iscsi/session.h"
#include "iscsi/tmf.h"

/* One that has not been answered. */
struct logout {
	struct list link; /* in session->logouts */
	struct session *s;
	struct conn *c; /* that asked; held, it may have left the session meanwhile */
	struct logout_req req;
	struct loop_timer patience;
};

/* --- the answer ----------------------------------------------------------------------------- */

static void logged_out(struct conn *c, void *arg)
{
	(void)arg;
	c->said_all = true;
	conn_close(c, LOG_INFO, "logged out");
}

static void session_logged_out(struct conn *c, void *arg)
{
	struct session *s = arg;

	c->said_all = true;
	list_for_each_safe(l, &s->conns) {
		struct conn *o = container_of(l, struct conn, in_session);

		conn_close(o, LOG_INFO, "logged out");
	}
}

static struct tx_pdu *response(
	struct conn *c, const struct logout_req *p, enum logout_response response)
{
	struct tx_pdu *out = tx_pdu_new(0);
	const struct params *params = &c->s->params;

	if (!out) {
		session_close(c->s, LOG_ERR, "out of memory");
		return NULL;
	}
	logout_rsp_encode(out->bhs, &(struct logout_rsp){ .response = (uint8_t)response,
					    .itt = p->itt,
					    .time2wait = params->time2wait,
					    .time2retain = params->time2retain });
	out->takes_statsn = true;
	return out;
}

static void refuse(
	struct conn *c, const struct logout_req *p, enum logout_response why, const char *text)
{
	struct tx_pdu *out = response(c, p, why);

	conn_log(c, LOG_NOTICE, "logout refused: %s", text);
	if (out)
		tx_pdu_send(c, out);
}

/* What logs out is closed once the answer is out, also where not all could be cleaned up. */
static void answer(struct conn *c, const struct logout_req *p, enum logout_response result)
{
	struct tx_pdu *out = response(c, p, result);

	if (!out)
		return;
	if (p->reason == LOGOUT_SESSION) {
		session_logging_out(c->s);
		out->after = session_logged_out;
		out->arg = c->s;
	} else if (p->cid == c->cid) {
		c->phase = CONN_LOGOUT;
		out->after = logged_out;
	}
	tx_pdu_send(c, out);
}

/* --- what it waits for ---------------------------------------------------------------------- */

static bool logs_out(const struct logout_req *p, const struct conn *c)
{
	return p->reason == LOGOUT_SESSION || p->cid == c->cid;
}

/* Nothing more is heard of what logs out, and its commands end, now or when units let go of them. */
static void fall_silent(struct session *s, const struct logout_req *p)
{
	list_for_each(l, &s->conns) {
		struct conn *c = container_of(l, struct conn, in_session);

		if (logs_out(p, c) && c->phase == CONN_FULL)
			c->phase = CONN_LOGOUT;
	}
	list_for_each_safe(l, &s->cmds) {
		struct cmd *cmd = container_of(l, struct cmd, link);

		if (logs_out(p, cmd->c))
			cmd_abort(cmd, false);
	}
}

/* The answer says that all is cleaned up (11.15): no command may touch a medium after it, and those
 * to task management go before it. */
static bool cleaned_up(const struct session *s, const struct logout_req *p)
{
	list_for_each(l, &s->cmds) {
		const struct cmd *cmd = container_of(l, struct cmd, link);

		if (cmd->state == CMD_ABORTED && logs_out(p, cmd->c))
			return false;
	}
	return !tmf_under_way(s);
}

static void end(struct logout *o, enum logout_response result)
{
	struct session *s = o->s;
	struct conn *c = o->c;

	list_del(&o->link);
	loop_timer_clear(&o->patience);
	if (c->phase != CONN_CLOSING)
		answer(c, &o->req, result);
	else if (o->req.reason == LOGOUT_SESSION)
		session_close(s, LOG_INFO, "logged out");
	free(o);
	conn_release(c);
}

/* A disk that hangs, or a long work of a tape drive. The initiator has waited long enough, and must
 * not believe that nothing of its own is under way. */
static void give_up(struct loop_timer *t)
{
	struct logout *o = container_of(t, struct logout, patience);

	conn_log(o->c, LOG_WARNING, "logout: commands have not ended within %u s, and go on",
		o->c->r->dir->policy.logout_timeout_ms / 1000);
	end(o, LOGOUT_FAILED);
}

static void wait_for_turn(struct conn *c, const struct logout_req *p)
{
	struct logout *o = calloc(1, sizeof(*o));

	if (!o) {
		session_close(c->s, LOG_ERR, "out of memory");
		return;
	}
	o->s = c->s;
	o->c = c;
	o->req = *p;
	conn_hold(c);
	list_push(&c->s->logouts, &o->link);
	loop_timer_init(c->r->loop, &o->patience, give_up);
	loop_timer_set(&o->patience, c->r->dir->policy.logout_timeout_ms);
}

bool logout_waits(const struct session *s)
{
	list_for_each(l, &s->logouts)
		if (container_of(l, struct logout, link)->req.reason == LOGOUT_SESSION)
			return true;
	return false;
}

static struct logout *next_in_turn(const struct session *s)
{
	list_for_each(l, &s->logouts) {
		struct logout *o = container_of(l, struct logout, link);

		if (cleaned_up(s, &o->req))
			return o;
	}
	return NULL;
}

/* Ending one may close a connection, whose commands end, which comes here again. */
void logout_turn(struct session *s)
{
	struct logout *o;

	while ((o = next_in_turn(s)))
		end(o, LOGOUT_DONE);
}

/* --- the request ---------------------------------------------------------------------------- */

static struct conn *conn_by_cid(const struct session *s, uint16_t cid)
{
	list_for_each(l, &s->conns) {
		struct conn *c = container_of(l, struct conn, in_session);

		if (c->cid == cid && c->phase != CONN_CLOSING)
			return c;
	}
	return NULL;
}

static void in_turn(struct conn *c, const struct logout_req *p)
{
	fall_silent(c->s, p);
	if (cleaned_up(c->s, p))
		answer(c, p, LOGOUT_DONE);
	else
		wait_for_turn(c, p);
}

const char *logout_request(struct conn *c, const struct logout_req *p)
{
	struct conn *other;

	if (p->reason == LOGOUT_SESSION) {
		in_turn(c, p);
		return NULL;
	}
	if (c->s->discovery)
		return "a discovery session is closed as a whole";
	if (p->reason == LOGOUT_RECOVERY) {
		refuse(c, p, LOGOUT_NO_RECOVERY, "recovery needs error recovery level 2");
		return NULL;
	}
	if (!(other = conn_by_cid(c->s, p->cid))) {
		refuse(c, p, LOGOUT_NO_CID, "no connection has this CID");
		return NULL;
	}
	in_turn(c, p);
	if (other != c)
		conn_close(other, LOG_INFO, "logged out from another connection");
	return NULL;
}

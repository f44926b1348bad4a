/* SPDX-License-Identifier: BSD-2-Clause */
/* Task management (tmf.h): tasks of this session here, whole units through lu_function(). */
#include "iscsi/tmf.h"

#include <stdlib.h>

#include "base/log.h"
#include "iscsi/cmd.h"
#include "iscsi/conn.h"
#include "iscsi/early.h"
#include "iscsi/logout.h"
#include "iscsi/reactor.h"
#include "iscsi/server.h"
#include "iscsi/session.h"
#include "iscsi/shared.h"

/* Requests of a session that have not been answered. */
#define TMF_MAX 16u

/* A request that has not been answered yet. */
struct tmf {
	struct list link; /* in session->tmfs */
	struct session *s;
	struct conn *c; /* held; it may have left the session meanwhile */
	struct tmf_req req;
	bool waits;  /* for the command with the Referenced Task Tag */
	bool parked; /* for commands that were sent before it; has not begun */
	struct lu_function_req function;
};

static const char *function_name(uint8_t function)
{
	static const char *const names[] = {
		[TMF_ABORT_TASK] = "ABORT TASK",
		[TMF_ABORT_TASK_SET] = "ABORT TASK SET",
		[TMF_CLEAR_ACA] = "CLEAR ACA",
		[TMF_CLEAR_TASK_SET] = "CLEAR TASK SET",
		[TMF_LUN_RESET] = "LOGICAL UNIT RESET",
		[TMF_TARGET_WARM_RESET] = "TARGET WARM RESET",
		[TMF_TARGET_COLD_RESET] = "TARGET COLD RESET",
		[TMF_TASK_REASSIGN] = "TASK REASSIGN",
		[TMF_QUERY_TASK] = "QUERY TASK",
		[TMF_QUERY_TASK_SET] = "QUERY TASK SET",
		[TMF_NEXUS_RESET] = "I_T NEXUS RESET",
		[TMF_QUERY_ASYNC_EVENT] = "QUERY ASYNCHRONOUS EVENT",
	};

	return function < sizeof(names) / sizeof(names[0]) && names[function] ? names[function]
									      : "unknown function";
}

static void respond(struct conn *c, uint32_t itt, enum tmf_response response)
{
	struct tx_pdu *p;

	if (c->phase == CONN_CLOSING)
		return;
	if (!(p = tx_pdu_new(0))) {
		conn_close(c, LOG_ERR, "closing: out of memory");
		return;
	}
	tmf_rsp_encode(p->bhs, &(struct tmf_rsp){ .response = (uint8_t)response, .itt = itt });
	p->takes_statsn = true;
	tx_pdu_send(c, p);
}

static void tmf_end(struct tmf *t, enum tmf_response response)
{
	struct session *s = t->s;
	struct conn *c = t->c;

	respond(c, t->req.itt, response);
	list_del(&t->link);
	free(t);
	conn_release(c);
	logout_turn(s);
}

static struct tmf *tmf_new(struct conn *c, const struct tmf_req *p)
{
	struct tmf *t = calloc(1, sizeof(*t));

	if (!t) {
		conn_close(c, LOG_ERR, "closing: out of memory");
		return NULL;
	}
	t->s = c->s;
	t->c = c;
	t->req = *p;
	conn_hold(c);
	list_push(&c->s->tmfs, &t->link);
	return t;
}

static void function_done(struct lu_function_req *r)
{
	struct tmf *t = container_of(r, struct tmf, function);
	struct session *s = t->s;
	bool cold = t->req.function == TMF_TARGET_COLD_RESET;

	if (r->no_lun || r->failed)
		conn_log(t->c, LOG_NOTICE, "task management failed: %s: %s",
			function_name(t->req.function),
			r->no_lun ? "no such logical unit" : "out of memory");
	tmf_end(t, r->no_lun ? TMF_NO_LUN : r->failed ? TMF_REJECTED : TMF_COMPLETE);
	if (cold) /* 11.5.1: every connection of the target ends, this one too */
		iscsi_server_close(
			s->r->shared->server, s->entry.target, 0, "target cold reset", NULL, NULL);
	session_try_end(s);
}

static const enum lu_function lu_functions[] = {
	[TMF_ABORT_TASK_SET] = LU_ABORT_TASK_SET,
	[TMF_CLEAR_TASK_SET] = LU_CLEAR_TASK_SET,
	[TMF_LUN_RESET] = LU_RESET,
	[TMF_TARGET_WARM_RESET] = LU_TARGET_RESET,
	[TMF_TARGET_COLD_RESET] = LU_TARGET_RESET,
};

static void begin(struct tmf *t)
{
	t->parked = false;
	t->function = (struct lu_function_req){ .nexus = &t->s->nexus,
		.lun = t->req.lun,
		.function = lu_functions[t->req.function],
		.done = function_done };
	lu_function(&t->function);
}

/* RFC 7143 4.2.3.3, b: commands that were sent before the request, perhaps on other connections,
 * must come first, or they would survive it. */
static bool has_turn(const struct session *s, const struct tmf_req *p)
{
	return (int32_t)(p->cmdsn - s->exp_cmdsn) <= 0 ||
	       (int32_t)(p->cmdsn - s->max_cmdsn) > 1; /* such ones cannot come */
}

static void whole_unit(struct conn *c, const struct tmf_req *p)
{
	struct tmf *t = tmf_new(c, p);

	if (!t)
		return;
	if (has_turn(c->s, p))
		begin(t);
	else
		t->parked = true;
}

static struct tmf *next_parked(const struct session *s)
{
	list_for_each(l, &s->tmfs) {
		struct tmf *t = container_of(l, struct tmf, link);

		if (t->parked && has_turn(s, &t->req))
			return t;
	}
	return NULL;
}

void tmf_turn(struct session *s)
{
	struct tmf *t;

	while ((t = next_parked(s)))
		begin(t); /* which may end any of them */
}

bool tmf_under_way(const struct session *s)
{
	list_for_each(l, &s->tmfs)
		if (!container_of(l, struct tmf, link)->parked)
			return true;
	return false;
}

void tmf_drop(struct session *s, const struct conn *c)
{
	list_for_each_safe(l, &s->tmfs) {
		struct tmf *t = container_of(l, struct tmf, link);

		if (!t->parked || t->c != c)
			continue;
		list_del(&t->link);
		conn_release(t->c);
		free(t);
	}
}

/* RFC 7143 11.6.1: a task that has not had its turn, but would have had it before this request,
 * counts as received and aborted; any other that is not there does not exist. */
static enum tmf_response absent(struct conn *c, const struct tmf_req *p)
{
	struct session *s = c->s;
	bool missing = (int32_t)(p->refcmdsn - s->exp_cmdsn) >= 0 &&
		       (int32_t)(p->refcmdsn - s->max_cmdsn) <= 0 &&
		       (int32_t)(p->refcmdsn - p->cmdsn) < 0;

	return missing && early_abort(s, c, p->refcmdsn, p->rtt) ? TMF_COMPLETE : TMF_NO_TASK;
}

static void abort_task(struct conn *c, const struct tmf_req *p)
{
	struct cmd *cmd = session_find(c->s, p->rtt);
	struct tmf *t;

	if (!cmd) {
		respond(c, p->itt, absent(c, p));
		return;
	}
	if (!(t = tmf_new(c, p)))
		return;
	t->waits = true;
	cmd_abort(cmd, false);
	tmf_cmd_ended(c->s);
}

void tmf_cmd_ended(struct session *s)
{
	list_for_each_safe(l, &s->tmfs) {
		struct tmf *t = container_of(l, struct tmf, link);

		if (t->waits && !session_find(s, t->req.rtt))
			tmf_end(t, TMF_COMPLETE);
	}
}

static bool too_many(const struct session *s)
{
	unsigned n = 0;

	list_for_each(l, &s->tmfs)
		n++;
	return n >= TMF_MAX;
}

static void refuse(
	struct conn *c, const struct tmf_req *p, enum tmf_response response, const char *why)
{
	conn_log(c, LOG_NOTICE, "task management refused: %s: %s", function_name(p->function), why);
	respond(c, p->itt, response);
}

void tmf_request(struct conn *c, const struct tmf_req *p)
{
	if (too_many(c->s)) {
		refuse(c, p, TMF_REJECTED, "too many requests wait for their answer");
		return;
	}
	conn_log(c, LOG_INFO, "task management: %s", function_name(p->function));
	switch (p->function) {
	case TMF_ABORT_TASK: abort_task(c, p); return;
	case TMF_ABORT_TASK_SET:
	case TMF_CLEAR_TASK_SET:
	case TMF_LUN_RESET:
	case TMF_TARGET_WARM_RESET:
	case TMF_TARGET_COLD_RESET: whole_unit(c, p); return;
	case TMF_TASK_REASSIGN:
		refuse(c, p, TMF_NO_REASSIGNMENT, "it needs error recovery level 2");
		return;
	default: refuse(c, p, TMF_NOT_SUPPORTED, "there is no such function here");
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions: numbering, connections, commands, the end (session.h). */
#include "iscsi/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "iscsi/cmd.h"
#include "iscsi/conn.h"
#include "iscsi/early.h"
#include "iscsi/join.h"
#include "iscsi/logout.h"
#include "iscsi/reactor.h"
#include "iscsi/shared.h"
#include "iscsi/tmf.h"

/* --- command numbers -------------------------------------------------------------------------- */

enum cmdsn_verdict session_cmdsn(struct session *s, uint32_t cmdsn, bool immediate)
{
	int32_t ahead = (int32_t)(cmdsn - s->exp_cmdsn);

	if (immediate)
		return CMDSN_NOW;
	if (ahead < 0 || (int32_t)(cmdsn - s->max_cmdsn) > 0)
		return CMDSN_IGNORE;
	if (ahead > 0 || early_has_turn(s))
		return CMDSN_EARLY;
	session_turn(s);
	return CMDSN_NOW;
}

void session_turn(struct session *s)
{
	s->exp_cmdsn++;
	s->max_cmdsn++;
}

void session_place_taken(struct session *s)
{
	s->max_cmdsn--;
}

void session_place_free(struct session *s)
{
	s->max_cmdsn++;
}

/* --- commands by ITT ------------------------------------------------------------------------ */

static struct cmd **chain(const struct session *s, uint32_t itt)
{
	/* Initiators count up, or put an index into the low bits. */
	return (struct cmd **)(uintptr_t)&s->hash[(itt ^ itt >> 16) % SESSION_HASH];
}

struct cmd *session_find(const struct session *s, uint32_t itt)
{
	struct cmd *cmd = *chain(s, itt);

	while (cmd && cmd->itt != itt)
		cmd = cmd->next_in_hash;
	return cmd;
}

void session_hash(struct session *s, struct cmd *cmd)
{
	struct cmd **p = chain(s, cmd->itt);

	cmd->next_in_hash = *p;
	*p = cmd;
	cmd->hashed = true;
}

void session_unhash(struct session *s, struct cmd *cmd)
{
	struct cmd **p = chain(s, cmd->itt);

	while (*p != cmd)
		p = &(*p)->next_in_hash;
	*p = cmd->next_in_hash;
	cmd->hashed = false;
}

/* --- the end -------------------------------------------------------------------------------- */

static void session_free(struct session *s)
{
	struct reactor *r = s->r;

	join_session_gone(s);
	lun_map_unref(s->next_map);
	loop_undefer(&s->end);
	list_del(&s->link);
	count(&s->r->nsessions, (uint64_t)-1);
	target_set_unref(s->set);
	free((char *)(uintptr_t)s->entry.initiator);
	free((char *)(uintptr_t)s->entry.target);
	free(s->user);
	free(s->alias);
	free(s);
	reactor_check_drained(r);
}

static void nexus_closed(struct nexus *n)
{
	struct session *s = container_of(n, struct session, nexus);

	s->has_nexus = false;
	if (s->ended)
		session_free(s);
	else
		session_try_end(s);
}

static bool has_tasks(const struct session *s)
{
	return s->ncmds || !list_empty(&s->tmfs);
}

static bool in_use(const struct session *s)
{
	return s->nconns || has_tasks(s) || (s->losing && s->has_nexus);
}

static void leave(struct session *s)
{
	s->ended = true;
	sessions_remove(s->r->shared->sessions, &s->entry);
	if (s->has_nexus)
		nexus_close(&s->nexus, nexus_closed);
	else
		session_free(s);
}

/* After the round: nobody who has the session in hand is in the middle of something. */
static void end(struct loop_defer *d)
{
	struct session *s = container_of(d, struct session, end);

	if (!s->ended && !in_use(s))
		leave(s);
}

void session_try_end(struct session *s)
{
	if (s->closing && !s->ended && !in_use(s))
		loop_defer(s->r->loop, &s->end);
}

void session_logging_out(struct session *s)
{
	s->closing = true;
	list_for_each(l, &s->conns) {
		struct conn *c = container_of(l, struct conn, in_session);

		early_drop(s, c);
		if (c->phase == CONN_FULL)
			c->phase = CONN_LOGOUT;
	}
	join_try_again(s);
	if (!s->has_nexus || s->losing || has_tasks(s))
		return;
	s->losing = true;
	nexus_close(&s->nexus, nexus_closed);
}

void session_close(struct session *s, int priority, const char *why)
{
	s->closing = true;
	list_for_each_safe(l, &s->conns)
		conn_close(container_of(l, struct conn, in_session), priority, "closing: %s", why);
	join_try_again(s);
	session_try_end(s);
}

static void abort_of_conn(struct session *s, const struct conn *c)
{
	list_for_each_safe(l, &s->cmds) {
		struct cmd *cmd = container_of(l, struct cmd, link);

		if (cmd->c == c)
			cmd_abort(cmd, false);
	}
}

void session_leave(struct session *s, struct conn *c, bool failed)
{
	early_drop(s, c);
	tmf_drop(s, c);
	abort_of_conn(s, c);
	list_del(&c->in_session);
	s->nconns--;
	join_try_again(s);
	/* Error recovery level 0: what failed on one connection cannot be taken up on another, so
	 * the session has failed (RFC 7143 7.1.4.1). */
	if (failed || (s->nconns == 0 && !s->rejoining))
		session_close(s, LOG_NOTICE, "another connection of the session failed");
	session_try_end(s);
}

void session_join(struct session *s, struct conn *c)
{
	c->s = s;
	list_push(&s->conns, &c->in_session);
	s->nconns++;
}

/* --- commands to be ended ------------------------------------------------------------------- */

/* Whether commands that were aborted for it are still in the unit's hands. */
static bool still_running(const struct session *s, const struct lu_abort *a)
{
	list_for_each(l, &s->cmds) {
		const struct cmd *cmd = container_of(l, struct cmd, link);

		if (cmd->state == CMD_ABORTED && lu_abort_concerns(a, cmd->task.lun))
			return true;
	}
	return false;
}

static void abort_tasks(struct nexus *n, struct lu_abort *a)
{
	struct session *s = container_of(n, struct session, nexus);

	list_for_each_safe(l, &s->cmds) {
		struct cmd *cmd = container_of(l, struct cmd, link);

		if (a->after_check && cmd->state == CMD_DRAINS)
			continue;
		if (lu_abort_concerns(a, cmd->task.lun))
			cmd_abort(cmd, a->tell);
	}
	if (still_running(s, a))
		list_push(&s->aborts, &a->link);
	else
		lu_abort_done(a);
}

/* --- another LUN map ------------------------------------------------------------------------ */

/* Ends the commands of units that are leaving. True: none of them is left. */
static bool units_left(struct session *s)
{
	bool left = true;

	list_for_each_safe(l, &s->cmds) {
		struct cmd *cmd = container_of(l, struct cmd, link);
		struct lu *lu = nexus_lu(&s->nexus, cmd->task.lun);

		if (!lu || !nexus_loses(&s->nexus, s->next_map, lu))
			continue;
		cmd_abort(cmd, true);
		left = false;
	}
	return left;
}

bool session_is_leaving(const struct session *s, uint64_t lun)
{
	const struct lu *lu = s->next_map ? nexus_lu(&s->nexus, lun) : NULL;

	return lu && nexus_loses(&s->nexus, s->next_map, lu);
}

static void try_remap(struct session *s)
{
	if (!s->next_map || s->closing || !units_left(s))
		return;
	if (nexus_remap(&s->nexus, s->next_map) != 0)
		session_close(s, LOG_ERR, "out of memory for its new units");
	lun_map_unref(s->next_map);
	s->next_map = NULL;
}

void session_take_directory(struct session *s, struct directory *d)
{
	const struct iscsi_target *t = target_set_find(d->targets, s->entry.target);
	struct target_set *old = s->set;

	if (!t || !target_in_group(t, s->entry.group)) {
		session_close(s, LOG_NOTICE, "its target was removed");
		return;
	}
	s->set = target_set_ref(d->targets);
	if (t->luns != s->target->luns || s->next_map) {
		lun_map_unref(s->next_map);
		s->next_map = lun_map_ref(t->luns);
	}
	s->target = t;
	target_set_unref(old);
	try_remap(s);
}

static const struct nexus_ops nexus_operations = { .abort_tasks = abort_tasks };

void session_cmd_ended(struct session *s)
{
	list_for_each_safe(l, &s->aborts) {
		struct lu_abort *a = container_of(l, struct lu_abort, link);

		if (still_running(s, a))
			continue;
		list_del(&a->link);
		lu_abort_done(a);
	}
	tmf_cmd_ended(s);
	logout_turn(s);
	try_remap(s);
	if (!list_empty(&s->rejoins))
		join_try_again(s);
	session_try_end(s);
}

/* --- the beginning -------------------------------------------------------------------------- */

struct session *session_new(
	struct reactor *r, const struct session_entry *like, uint32_t cmdsn, uint32_t depth)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->r = r;
	s->entry = *like;
	s->entry.reactor = r;
	s->entry.initiator = strdup(like->initiator);
	s->entry.target = like->target ? strdup(like->target) : NULL;
	list_init(&s->link);
	list_init(&s->conns);
	list_init(&s->cmds);
	list_init(&s->aborts);
	list_init(&s->early);
	list_init(&s->tmfs);
	list_init(&s->logouts);
	list_init(&s->waiters);
	list_init(&s->rejoins);
	loop_defer_init(&s->end, end);
	s->discovery = !like->target;
	s->exp_cmdsn = cmdsn;
	s->max_cmdsn = cmdsn + depth - 1;
	s->born = loop_now(r->loop);
	count(&r->nsessions, 1);
	list_push(&r->sessions, &s->link);
	if (!s->entry.initiator || (like->target && !s->entry.target)) {
		session_free(s);
		return NULL;
	}
	return s;
}

bool session_open(struct session *s, struct target_set *set, const struct iscsi_target *target)
{
	struct nexus *n = &s->nexus;

	s->set = target_set_ref(set);
	s->target = target;
	n->loop = s->r->loop;
	n->bufs = s->r->bufs;
	n->bufs_limit = s->r->shared->bufs_limit;
	n->ops = &nexus_operations;
	n->initiator = s->entry.initiator;
	for (int i = 0; i < 6; i++)
		n->isid[i] = (uint8_t)(s->entry.isid >> (40 - 8 * i));
	n->target = s->entry.target;
	n->tpgt = s->entry.group;
	n->rel_port = target_port_id(target, s->entry.group);
	s->has_nexus = nexus_open(n, target->luns) == 0;
	return s->has_nexus;
}

void session_abandon(struct session *s)
{
	leave(s);
}

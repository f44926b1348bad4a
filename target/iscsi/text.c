/* SPDX-License-Identifier: BSD-2-Clause */
/* Text requests (text.h). */
#include "iscsi/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "iscsi/conn.h"
#include "iscsi/keys.h"
#include "iscsi/login.h"
#include "iscsi/name.h"
#include "iscsi/negotiate.h"
#include "iscsi/reactor.h"
#include "iscsi/session.h"

/* Longest answer: every target, once a portal. Ten thousand targets take some megabytes. */
#define ANSWER_MAX ((size_t)64 << 20)

/* Data segments of answers, whatever more the initiator would take. */
#define PIECE_MAX  65536u

/* One exchange: a request of one or more PDUs, and its answer of one or more. */
struct text {
	uint32_t itt;
	uint32_t ttt; /* that the initiator is to come back with */
	bool answering;
	struct key_buf in;
	struct key_out out;
};

void text_forget(struct text *t)
{
	if (!t)
		return;
	key_buf_free(&t->in);
	key_out_free(&t->out);
	free(t);
}

static void text_over(struct conn *c)
{
	text_forget(c->text);
	c->text = NULL;
}

/* --- SendTargets, RFC 7143 appendix C ------------------------------------------------------- */

/* The portal's own address, or for a wildcard the one that this initiator has reached. */
static void put_address(const struct conn *c, const struct iscsi_portal *p, struct key_out *out)
{
	struct addr_text text;
	struct addr reached = c->stream.local;

	if (p->address) {
		key_put(out, "TargetAddress", "%s,%u", p->address, p->group);
		return;
	}
	if (!c->stream.tcp || p->ipv6 != (reached.sa.sa_family == AF_INET6))
		return;
	addr_set_port(&reached, p->port);
	key_put_text(out, "TargetAddress", addr_portal(&reached, p->group, &text));
}

static void put_target(const struct conn *c, const struct iscsi_target *t, struct key_out *out)
{
	const struct directory *d = c->r->dir;

	key_put_text(out, "TargetName", t->name);
	for (unsigned i = 0; i < d->nportals; i++)
		if (target_in_group(t, d->portals[i].group))
			put_address(c, &d->portals[i], out);
}

/* Whoever could not log in there, whatever the proof, is not told of it either. */
static bool may_know(const struct conn *c, const struct iscsi_target *t)
{
	return !login_forbidden(c->r->dir, t->name, c->s->entry.initiator, &c->stream.peer);
}

static void put_all(const struct conn *c, struct key_out *out)
{
	const struct target_set *set = c->r->dir->targets;

	for (unsigned i = 0; i < target_set_count(set) && !out->err; i++)
		if (may_know(c, target_set_at(set, i)))
			put_target(c, target_set_at(set, i), out);
}

/* A long answer to a short question that anybody may ask: the last one is to be taken before. */
static bool send_all(const struct conn *c, struct key_out *out)
{
	if (!c->s->discovery) {
		key_put_text(out, "SendTargets", "Reject");
		return true;
	}
	if (!tx_idle(c))
		return false;
	put_all(c, out);
	return true;
}

/* "All" in discovery sessions only; a name anywhere, but in a normal session only its own target;
 * nothing: the session's own target. False: not allowed. */
static bool send_targets(const struct conn *c, const struct key_pair *pair, struct key_out *out)
{
	const struct session *s = c->s;
	struct iscsi_name name;
	const struct iscsi_target *t;

	if (strcmp(pair->value, "All") == 0)
		return send_all(c, out);
	if (pair->value_len == 0) {
		if (s->discovery)
			return false;
		t = target_set_find(c->r->dir->targets, s->entry.target);
	} else {
		if (!name_parse(pair->value, pair->value_len, &name))
			return false;
		t = target_set_find(c->r->dir->targets, name.text);
		if (!s->discovery && strcmp(name.text, s->entry.target) != 0)
			t = NULL;
	}
	if (t && may_know(c, t))
		put_target(c, t, out);
	return true;
}

/* --- the request ---------------------------------------------------------------------------- */

/* NULL, or why there is no answer. */
static const char *answer(struct conn *c, struct text *t)
{
	struct negotiation n;
	struct key_reader reader = key_reader_of(&t->in);
	struct key_pair pair;
	enum key_step step;
	struct params now = c->s->params;

	now.header_digest = c->header_digest;
	now.data_digest = c->data_digest;
	now.send_max = c->max_send;
	now.recv_max = c->framer.max_data;
	negotiate_init(&n, &c->r->dir->policy, STAGE_FULL_FEATURE, false, &now);
	n.discovery = c->s->discovery;
	while ((step = key_next(&reader, &pair)) == KEY_STEP_PAIR) {
		if (negotiate_key(&n, &pair, &t->out) != NEGOTIATE_OK)
			return n.why;
		if (strcmp(pair.name, "SendTargets") == 0 && !send_targets(c, &pair, &t->out))
			return "SendTargets of nothing, of what is no name, or while answers wait";
	}
	if (step == KEY_STEP_BAD)
		return "malformed text: key=value pairs are expected";
	negotiate_reply(&n, &t->out);
	if (negotiate_finish(&n, &t->out) == NEGOTIATE_ERROR)
		return n.why;
	if (t->out.err)
		return "the answer is too long, or memory is out";
	c->max_send = n.params.send_max;
	return NULL;
}

static void send_piece(struct conn *c, struct text *t, const struct text_req *p)
{
	uint32_t max = c->max_send < PIECE_MAX ? c->max_send : PIECE_MAX;
	const char *piece;
	uint32_t len = (uint32_t)key_out_take(&t->out, max, &piece);
	bool more = key_out_left(&t->out) > 0;
	/* 11.11.1: an answer is final only where the request was. */
	bool final = !more && p->final;
	struct tx_pdu *out = tx_pdu_new(len);

	if (!out) {
		conn_close(c, LOG_ERR, "closing: out of memory");
		return;
	}
	if (len)
		memcpy(out->data, piece, len);
	text_rsp_encode(out->bhs, &(struct text_rsp){ .final = final,
					  .cont = more,
					  .data_len = len,
					  .lun = p->lun,
					  .itt = p->itt,
					  .ttt = final ? TAG_NONE : t->ttt });
	out->takes_statsn = true;
	tx_pdu_send(c, out);
	t->answering = more;
	if (final)
		text_over(c);
}

/* The initiator says that more is to come: an empty answer asks for it. */
static void ask_for_more(struct conn *c, struct text *t, const struct text_req *p)
{
	struct tx_pdu *out = tx_pdu_new(0);

	if (!out) {
		conn_close(c, LOG_ERR, "closing: out of memory");
		return;
	}
	text_rsp_encode(
		out->bhs, &(struct text_rsp){ .lun = p->lun, .itt = p->itt, .ttt = t->ttt });
	out->takes_statsn = true;
	tx_pdu_send(c, out);
}

static struct text *text_begin(struct conn *c, const struct text_req *p)
{
	text_over(c); /* 11.10.4: a new request with TTT ffffffff resets the negotiation */
	if (!(c->text = calloc(1, sizeof(*c->text))))
		return NULL;
	c->text->itt = p->itt;
	c->text->ttt = p->itt ^ 0x5445u;
	if (c->text->ttt == TAG_NONE)
		c->text->ttt = 0;
	c->text->out = key_out_of(ANSWER_MAX);
	return c->text;
}

static const char *take(struct conn *c, const struct text_req *p, const uint8_t *data, uint32_t len)
{
	struct text *t = c->text;
	const char *why;

	if (p->ttt != TAG_NONE && (!t || t->ttt != p->ttt || t->itt != p->itt))
		return "its tags are not those of the exchange under way";
	if (p->ttt == TAG_NONE && !(t = text_begin(c, p)))
		return "out of memory";
	if (t->answering) {
		send_piece(c, t, p);
		return NULL;
	}
	if (key_buf_add(&t->in, data, len) != 0)
		return "more text than a request may have, or memory is out";
	if (p->cont) {
		ask_for_more(c, t, p);
		return NULL;
	}
	key_out_free(&t->out); /* of the request before, in the same exchange */
	if ((why = answer(c, t)))
		return why;
	key_buf_free(&t->in);
	send_piece(c, t, p);
	return NULL;
}

const char *text_request(
	struct conn *c, const struct text_req *p, const uint8_t *data, uint32_t len)
{
	const char *why = take(c, p, data, len);

	if (why)
		text_over(c);
	return why;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The login phase (login.h).
 *
 * One request, which may come in several PDUs (C bit), is taken in whole and then
 * answered in this order: who is it (first request only), AuthMethod and CHAP, the
 * operational keys, and last the transition to the next stage. The transition to the
 * full feature phase is join.c's.
 */
#include "iscsi/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/log.h"
#include "iscsi/conn.h"
#include "iscsi/join.h"
#include "iscsi/login_state.h"
#include "iscsi/reactor.h"
#include "iscsi/shared.h"
#include "net/guard.h"

/* Requests of one login; the longest honest ones take about a dozen. */
#define REQUESTS_MAX 64u

/* Answers of one request: every key there is, and 32 unknown ones. */
#define ANSWER_MAX   16384u

static void refuse_later(struct loop_timer *t);

struct login *login_new(struct reactor *r)
{
	struct login *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->dir = directory_ref(r->dir);
	l->out = key_out_of(ANSWER_MAX);
	return l;
}

void login_free(struct login *l)
{
	if (!l)
		return;
	if (l->refusing)
		loop_timer_clear(&l->refusal);
	join_abandon(l);
	exchange_end(&l->chap);
	key_buf_free(&l->in);
	key_out_free(&l->out);
	free(l->alias);
	free(l->user);
	credential_unref(l->row);
	directory_unref(l->dir);
	free(l);
}

const char *login_initiator(const struct login *l)
{
	return l->initiator.text;
}

const char *login_target(const struct login *l)
{
	return l->target ? l->target->name : "";
}

bool login_gave_proof(const struct login *l)
{
	return l->mutual;
}

/* --- responses ------------------------------------------------------------------------------ */

static void close_refused(struct conn *c, void *arg)
{
	(void)arg;
	conn_close(c, LOG_DEBUG, "closing: login refused");
}

static struct tx_pdu *response(struct conn *c, enum login_status status, bool transit, bool cont,
	const char *text, uint32_t len)
{
	struct login *l = c->login;
	struct tx_pdu *p = tx_pdu_new(len);
	bool over = transit && l->req.nsg == STAGE_FULL_FEATURE;
	/* One that is to join a session is told of none before it has: that is the session's. */
	uint32_t window = l->req.tsih ? 0 : l->dir->policy.queue_depth;
	struct login_rsp r = {
		.transit = transit,
		.cont = cont,
		.csg = l->req.csg,
		.nsg = transit ? l->req.nsg : 0,
		.data_len = len,
		.isid = l->req.isid,
		.tsih = over ? l->tsih : l->req.tsih,
		.itt = l->req.itt,
		.status = (uint16_t)status,
		.sn = { 0, l->req.cmdsn, l->req.cmdsn + window - 1 },
	};

	if (!p) {
		conn_close(c, LOG_ERR, "closing: out of memory");
		return NULL;
	}
	login_rsp_encode(p->bhs, &r);
	if (len)
		memcpy(p->data, text, len);
	p->takes_statsn = status == LOGIN_SUCCESS;
	return p;
}

static void send_refusal(struct conn *c)
{
	struct login *l = c->login;
	const char *text = NULL;
	uint32_t len = 0;
	struct tx_pdu *p;

	if (l->status == LOGIN_MOVED_TEMPORARILY || l->status == LOGIN_MOVED_PERMANENTLY)
		len = (uint32_t)key_out_take(&l->out, LOGIN_DATA_MAX, &text);
	if (!(p = response(c, l->status, false, false, text, len)))
		return;
	p->after = close_refused;
	tx_pdu_send(c, p);
}

static void refuse_later(struct loop_timer *t)
{
	struct login *l = container_of(t, struct login, refusal);

	send_refusal(l->conn);
}

static void set_refusal(struct conn *c, enum login_status status)
{
	struct login *l = c->login;

	l->over = true;
	l->status = status;
	exchange_end(&l->chap);
	count(&c->r->refused, 1);
}

void login_refuse(struct conn *c, enum login_status status, const char *why)
{
	conn_log(c, LOG_NOTICE, "login refused: %s%s%s", login_status_text(status), why ? ": " : "",
		why ? why : "");
	set_refusal(c, status);
	send_refusal(c);
}

/* Authentication has failed. What the peer sees and how long it takes is the same for every cause;
 * only who has failed often before waits longer. */
static void refuse_authentication(struct conn *c, const char *why, const char *user)
{
	struct login *l = c->login;
	struct log_quoted q;
	uint32_t delay = guard_failed(c->r->shared->guard, &c->stream.peer, loop_now(c->r->loop));

	conn_log(c, LOG_NOTICE, "login refused: %s: %s%s%s, for %s",
		login_status_text(LOGIN_AUTH_FAILED), why, user ? ", CHAP name " : "",
		user ? log_quote(user, strlen(user), &q) : "",
		l->target ? l->target->name : "discovery");
	set_refusal(c, LOGIN_AUTH_FAILED);
	if (!delay) {
		send_refusal(c);
		return;
	}
	l->conn = c;
	l->refusing = true;
	loop_timer_init(c->r->loop, &l->refusal, refuse_later);
	loop_timer_set(&l->refusal, delay);
}

/* --- who is it ------------------------------------------------------------------------------ */

/* A key of the login itself; remembered until the request is complete. */
static bool take_login_key(struct login *l, enum key_id id, const struct key_pair *pair)
{
	switch (id) {
	case KEY_INITIATOR_NAME: l->given.initiator = pair->value; return true;
	case KEY_TARGET_NAME: l->given.target = pair->value; return true;
	case KEY_SESSION_TYPE: l->given.type = pair->value; return true;
	case KEY_INITIATOR_ALIAS: l->given.alias = pair->value; return true;
	case KEY_AUTH_METHOD: l->given.auth = pair->value; return true;
	default: return false;
	}
}

/* A name that is declared again at a later stage must be the same. */
static bool same_again(const struct login *l)
{
	struct iscsi_name n;

	if (l->given.initiator &&
		(!name_parse(l->given.initiator, strlen(l->given.initiator), &n) ||
			!name_equal(&n, &l->initiator)))
		return false;
	if (l->given.target && l->target &&
		(!name_parse(l->given.target, strlen(l->given.target), &n) ||
			strcmp(n.text, l->target->name) != 0))
		return false;
	return !l->given.type || (strcmp(l->given.type, "Discovery") == 0) == l->discovery;
}

static enum login_status take_type(struct login *l)
{
	const char *type = l->given.type;

	if (!type || strcmp(type, "Normal") == 0)
		l->discovery = false;
	else if (strcmp(type, "Discovery") == 0)
		l->discovery = true;
	else
		return LOGIN_BAD_SESSION_TYPE;
	return LOGIN_SUCCESS;
}

static enum login_status find_target(struct conn *c)
{
	struct login *l = c->login;
	struct iscsi_name name;
	const struct iscsi_target *t;

	if (!l->given.target)
		return LOGIN_MISSING_PARAMETER;
	if (!name_parse(l->given.target, strlen(l->given.target), &name))
		return LOGIN_NO_TARGET;
	t = target_set_find(l->dir->targets, name.text);
	if (!t || !target_in_group(t, c->group))
		return LOGIN_NO_TARGET;
	l->target = t;
	if (t->redirect != TARGET_SERVED) {
		key_put_text(&l->out, "TargetAddress", t->redirect_to);
		return t->redirect == TARGET_MOVED_PERMANENTLY ? LOGIN_MOVED_PERMANENTLY
							       : LOGIN_MOVED_TEMPORARILY;
	}
	return t->stopped || c->r->stopping ? LOGIN_UNAVAILABLE : LOGIN_SUCCESS;
}

static struct source source_of(const struct addr *a)
{
	switch (a->sa.sa_family) {
	case AF_INET: return source_from_ipv4((const uint8_t *)&a->in.sin_addr);
	case AF_INET6: return source_from_ipv6(a->in6.sin6_addr.s6_addr);
	default: return (struct source){ .family = SOURCE_NONE };
	}
}

static struct table_answer resolve(
	const struct conn *c, const struct directory *d, const struct iscsi_target *t)
{
	const struct login *l = c->login;
	struct source from = source_of(&c->stream.peer);
	bool chap = t ? t->chap : d->policy.discovery_chap;

	if (!d->credentials)
		return (struct table_answer){ .verdict = chap ? TABLE_NO_SECRET : TABLE_OPEN };
	if (!t)
		return table_resolve_discovery(d->credentials, l->initiator.text, &from, chap);
	return table_resolve(d->credentials, t->name, t->svm, l->initiator.text, &from, chap);
}

bool login_forbidden(const struct directory *d, const char *target, const char *initiator,
	const struct addr *from)
{
	const struct iscsi_target *t = target_set_find(d->targets, target);
	struct source source = source_of(from);

	return t && table_resolve(d->credentials, t->name, t->svm, initiator, &source, t->chap)
				    .verdict == TABLE_FORBIDDEN;
}

/* Its credential was replaced. That is no trouble as long as nothing was proved by what is not
 * right any more: in a grace, or before the proof. */
static bool take_row(struct login *l, const struct credential *row)
{
	if (l->method == METHOD_CHAP && !exchange_take_row(&l->chap, row, (int64_t)time(NULL)))
		return false;
	credential_ref(row);
	credential_unref(l->row);
	l->row = row;
	return true;
}

bool login_still_valid(struct conn *c, const struct directory *now)
{
	struct login *l = c->login;
	const struct iscsi_target *t = NULL;
	struct table_answer a;

	if (!l->identified || l->over)
		return true;
	if (!l->discovery) {
		t = target_set_find(now->targets, l->target->name);
		if (!t || t->stopped || t->redirect != TARGET_SERVED ||
			!target_in_group(t, c->group))
			return false;
	}
	a = resolve(c, now, t);
	return a.verdict == l->verdict && (a.row == l->row || take_row(l, a.row));
}

bool login_take_directory(struct conn *c, struct directory *now)
{
	struct login *l = c->login;

	if (l->identified || l->over)
		return login_still_valid(c, now);
	directory_unref(l->dir);
	l->dir = directory_ref(now);
	l->n.policy = &now->policy;
	return true;
}

static enum login_status identify(struct conn *c)
{
	struct login *l = c->login;
	enum login_status status;
	struct table_answer a;

	if (!l->given.initiator)
		return LOGIN_MISSING_PARAMETER;
	if (!name_parse(l->given.initiator, strlen(l->given.initiator), &l->initiator))
		return LOGIN_INITIATOR_ERROR;
	if ((status = take_type(l)) != LOGIN_SUCCESS)
		return status;
	if (!l->discovery && (status = find_target(c)) != LOGIN_SUCCESS)
		return status;
	if (l->given.alias && !(l->alias = strdup(l->given.alias)))
		return LOGIN_OUT_OF_RESOURCES;
	a = resolve(c, l->dir, l->target);
	if (a.verdict == TABLE_FORBIDDEN)
		return LOGIN_FORBIDDEN;
	l->verdict = a.verdict;
	l->row = credential_ref(a.row);
	memcpy(l->chap_initiator, l->given.initiator, strlen(l->given.initiator) + 1);
	l->identified = true;
	return LOGIN_SUCCESS;
}

/* --- AuthMethod and CHAP -------------------------------------------------------------------- */

static bool list_has(const char *list, const char *item)
{
	size_t len = strlen(item);

	for (;;) {
		size_t n = strcspn(list, ",");

		if (n == len && memcmp(list, item, len) == 0)
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

static bool must_prove(const struct login *l)
{
	return l->verdict != TABLE_OPEN;
}

static void begin_chap(struct conn *c)
{
	struct login *l = c->login;
	struct exchange_config cfg = {
		.digests = c->r->shared->digests,
		.prefs = &l->dir->policy.chap,
		.memory = c->r->shared->challenges,
		.row = l->row,
		.initiator_name = l->chap_initiator,
		.target_name = l->target ? l->target->name : "",
		.now = (int64_t)time(NULL),
		.refuse_weak_out = l->dir->policy.chap_strict,
	};

	exchange_init(&l->chap, &cfg);
}

/* The answer to AuthMethod. NULL, or why the login is refused. */
static const char *choose_method(struct conn *c)
{
	struct login *l = c->login;
	const char *list = l->given.auth;

	if (l->method != METHOD_OPEN)
		return "AuthMethod came twice";
	if (must_prove(l) && list_has(list, "CHAP")) {
		l->method = METHOD_CHAP;
		begin_chap(c);
	} else if (!must_prove(l) && list_has(list, "None")) {
		l->method = METHOD_NONE;
	} else {
		return must_prove(l) ? "CHAP is required, and was not offered"
				     : "there is no credential for the CHAP that it insists on";
	}
	key_put_text(&l->out, "AuthMethod", l->method == METHOD_CHAP ? "CHAP" : "None");
	return NULL;
}

static bool any_chap_key(const struct exchange_keys *k)
{
	return k->a || k->i || k->c || k->n || k->r;
}

static void exchange_failed(struct conn *c, enum exchange_result result, const char *user)
{
	const char *why = exchange_result_text(result);

	if (exchange_result_outcome(result) == EXCHANGE_OURS)
		login_refuse(c,
			result == EXCHANGE_TOO_MANY ? LOGIN_OUT_OF_RESOURCES : LOGIN_TARGET_ERROR,
			why);
	else
		refuse_authentication(c, why, user);
}

/* One step of the exchange; false when the login is over. */
static bool step_chap(struct conn *c, const struct exchange_keys *keys)
{
	struct login *l = c->login;
	struct exchange_reply reply;
	enum exchange_result result = exchange_step(&l->chap, keys, &reply);

	if (result != EXCHANGE_CONTINUE && result != EXCHANGE_PROVED) {
		exchange_failed(c, result, keys->n);
		return false;
	}
	for (unsigned i = 0; i < reply.count; i++)
		key_put_text(&l->out, reply.pair[i].key, reply.pair[i].value);
	/* An empty request after the proof gives the same result, and no name. */
	if (result == EXCHANGE_PROVED && keys->n) {
		l->mutual = exchange_was_mutual(&l->chap);
		l->user = strdup(keys->n);
	}
	return true;
}

static bool proved(const struct login *l)
{
	return !must_prove(l) || exchange_proved(&l->chap);
}

/* The security stage's part of a request; false when the login is over. */
static bool security(struct conn *c, const struct exchange_keys *keys)
{
	struct login *l = c->login;
	const char *why = NULL;

	if (l->given.auth)
		why = choose_method(c);
	else if (l->method == METHOD_OPEN && any_chap_key(keys))
		why = "CHAP keys before AuthMethod";
	else if (l->method == METHOD_OPEN && must_prove(l) && l->req.transit)
		why = "CHAP is required, and was not offered";
	if (why) {
		refuse_authentication(c, why, NULL);
		return false;
	}
	if (l->method == METHOD_CHAP)
		return step_chap(c, keys);
	if (any_chap_key(keys)) {
		refuse_authentication(
			c, "CHAP keys, although no authentication was agreed on", NULL);
		return false;
	}
	return true;
}

/* --- a request ------------------------------------------------------------------------------ */

static void refuse_negotiation(struct conn *c)
{
	const struct negotiation *n = &c->login->n;
	char why[KEY_NAME_MAX + 128];

	if (n->culprit == KEY_COUNT)
		snprintf(why, sizeof(why), "%s", n->why);
	else
		snprintf(why, sizeof(why), "%s: %s", key_rule_at(n->culprit)->name, n->why);
	login_refuse(c, LOGIN_INITIATOR_ERROR, why);
}

/* All pairs of the request. False: the login is over. */
static bool take_keys(struct conn *c, struct exchange_keys *keys)
{
	struct login *l = c->login;
	struct key_reader reader = key_reader_of(&l->in);
	struct key_pair pair;
	enum key_step step;

	l->given = (struct login_given){ 0 };
	while ((step = key_next(&reader, &pair)) == KEY_STEP_PAIR) {
		const struct key_rule *rule = key_rule_find(pair.name);

		if (exchange_take(keys, pair.name, pair.value))
			continue;
		if (negotiate_key(&l->n, &pair, &l->out) != NEGOTIATE_OK) {
			refuse_negotiation(c);
			return false;
		}
		if (rule)
			take_login_key(l, key_id_of(rule), &pair);
	}
	if (step == KEY_STEP_END)
		return true;
	login_refuse(c, LOGIN_INITIATOR_ERROR, "malformed text: key=value pairs are expected");
	return false;
}

/* What every first response of a normal session declares (RFC 7143 13.9). */
static void introduce(struct conn *c)
{
	struct login *l = c->login;

	if (l->discovery)
		return;
	if (l->target->alias)
		key_put_text(&l->out, "TargetAlias", l->target->alias);
	key_put_number(&l->out, "TargetPortalGroupTag", c->group);
}

/* Who it is cannot be told by the log yet; what was given in the place of that is. */
static void refuse_identity(struct conn *c, enum login_status status)
{
	const struct login_given *g = &c->login->given;
	struct log_quoted q;
	char why[sizeof(q.text) + 64];

	switch (status) {
	case LOGIN_MISSING_PARAMETER:
		login_refuse(c, status, g->initiator ? "TargetName" : "InitiatorName");
		return;
	case LOGIN_INITIATOR_ERROR:
		snprintf(why, sizeof(why),
			"%s is not an iSCSI name, as iqn.2026-11.com.example:host1 is one",
			log_quote(g->initiator, strlen(g->initiator), &q));
		login_refuse(c, status, why);
		return;
	case LOGIN_BAD_SESSION_TYPE:
		login_refuse(c, status, log_quote(g->type, strlen(g->type), &q));
		return;
	case LOGIN_FORBIDDEN:
		snprintf(why, sizeof(why), "%s: its credential says deny, or other addresses",
			g->target ? log_quote(g->target, strlen(g->target), &q) : "discovery");
		login_refuse(c, status, why);
		return;
	default:
		login_refuse(
			c, status, g->target ? log_quote(g->target, strlen(g->target), &q) : NULL);
	}
}

/* The initiator tells who it is with its first request, and says the same if it says it again. */
static bool identity(struct conn *c)
{
	struct login *l = c->login;
	enum login_status status;

	if (l->identified) {
		if (l->given.alias && !l->alias)
			l->alias = strdup(l->given.alias);
		if (same_again(l))
			return true;
		login_refuse(
			c, LOGIN_INITIATOR_ERROR, "names or session type changed during login");
		return false;
	}
	status = identify(c);
	if (status != LOGIN_SUCCESS) {
		refuse_identity(c, status);
		return false;
	}
	l->n.discovery = l->discovery;
	introduce(c);
	return true;
}

/* Whether the stage that the initiator wants to leave may be left now: 1, or 0 (stay), or -1 when
 * the login is over. */
static int may_leave(struct conn *c)
{
	struct login *l = c->login;

	if (!l->req.transit)
		return 0;
	/* Some initiators set T with every request: it counts once CHAP is through. */
	if (l->req.csg == STAGE_SECURITY && !proved(l))
		return 0;
	if (l->req.csg == STAGE_SECURITY && l->req.nsg != STAGE_FULL_FEATURE)
		return 1;
	switch (negotiate_finish(&l->n, &l->out)) {
	case NEGOTIATE_OK: return 1;
	case NEGOTIATE_MORE: return 0;
	default: refuse_negotiation(c); return -1;
	}
}

/* Sends the next piece of the answer; with the last one the stage changes. */
static void send_answer(struct conn *c, bool leave)
{
	struct login *l = c->login;
	const char *text;
	uint32_t len = (uint32_t)key_out_take(&l->out, LOGIN_DATA_MAX, &text);
	bool more = key_out_left(&l->out) > 0;
	bool transit = leave && !more;
	struct tx_pdu *p;

	l->answering = more;
	if (transit && l->req.nsg == STAGE_FULL_FEATURE) {
		l->last = text; /* to be sent by login_succeed() */
		l->last_len = len;
		join_begin(c);
		return;
	}
	if (!(p = response(c, LOGIN_SUCCESS, transit, more, text, len)))
		return;
	tx_pdu_send(c, p);
	if (transit)
		l->stage = l->req.nsg;
	if (!more) {
		size_t cap = l->out.cap;

		key_out_free(&l->out);
		l->out = key_out_of(cap);
	}
}

bool login_succeed(struct conn *c)
{
	struct login *l = c->login;
	struct tx_pdu *p = response(c, LOGIN_SUCCESS, true, false, l->last, l->last_len);

	if (p)
		tx_pdu_send(c, p);
	return p;
}

static void process(struct conn *c)
{
	struct login *l = c->login;
	struct exchange_keys keys = { 0 };
	int leave;

	l->n.stage = (enum login_stage)l->req.csg;
	if (!take_keys(c, &keys) || !identity(c))
		return;
	if (l->req.csg == STAGE_OPERATIONAL && !proved(l)) {
		refuse_authentication(c,
			"CHAP is required, and the initiator went on without it "
			"(has it a user and a secret?)",
			NULL);
		return;
	}
	if (l->req.csg == STAGE_OPERATIONAL && any_chap_key(&keys)) {
		refuse_authentication(c, "CHAP keys outside of the security stage", NULL);
		return;
	}
	if (l->req.csg == STAGE_SECURITY && !security(c, &keys))
		return;
	negotiate_reply(&l->n, &l->out);
	if ((leave = may_leave(c)) < 0)
		return;
	if (l->out.err) {
		login_refuse(c, LOGIN_OUT_OF_RESOURCES, "the answer is too long");
		return;
	}
	key_buf_free(&l->in);
	l->leaving = leave;
	send_answer(c, leave);
}

/* --- PDUs ----------------------------------------------------------------------------------- */

static bool first_request(const struct login *l)
{
	return l->requests == 1;
}

/* What all requests of a login have in common, RFC 7143 11.12. NULL, or why not. */
static const char *consistent(const struct login *l, const struct login_req *p)
{
	if (p->itt != l->req.itt)
		return "the task tag changed during login";
	if (p->isid != l->req.isid || p->tsih != l->req.tsih || p->cid != l->req.cid)
		return "ISID, TSIH or CID changed during login";
	if (p->csg != l->stage)
		return "the request is not of the current stage";
	return NULL;
}

static void begin_login(struct conn *c, const struct login_req *p)
{
	struct login *l = c->login;

	c->statsn = p->expstatsn;
	c->cid = p->cid;
	l->stage = p->csg;
	negotiate_init(&l->n, &l->dir->policy, (enum login_stage)p->csg, p->tsih == 0, NULL);
}

/* Takes over the header; false when the login is over. */
static bool take_header(struct conn *c)
{
	struct login *l = c->login;
	struct login_req p;
	bool ok = login_req_decode(c->bhs, &p);
	const char *why = NULL;

	l->requests++;
	if (first_request(l))
		l->req = p;
	else
		why = consistent(l, &p);
	if (ok && !why)
		l->req = p;
	if (first_request(l))
		begin_login(c, &p);
	if (p.version_min > ISCSI_VERSION) {
		login_refuse(c, LOGIN_BAD_VERSION, NULL);
		return false;
	}
	if (!ok)
		why = "stages or flags contradict each other";
	if (!why && l->requests > REQUESTS_MAX)
		why = "too many login requests";
	if (why)
		login_refuse(c, LOGIN_INITIATOR_ERROR, why);
	return !why;
}

/* While an answer of ours goes out in pieces, or more of a request is to come, requests are empty
 * (RFC 7143 6.2). True: dealt with. */
static bool continuation(struct conn *c)
{
	struct login *l = c->login;
	struct tx_pdu *p;
	int err;

	if (l->answering) {
		if (c->sink.len)
			login_refuse(c, LOGIN_INITIATOR_ERROR, "text while an answer is under way");
		else
			send_answer(c, l->leaving && l->req.transit);
		return true;
	}
	err = key_buf_add(&l->in, c->sink.buf, c->sink.len);
	if (err) {
		login_refuse(c, err == -ENOMEM ? LOGIN_OUT_OF_RESOURCES : LOGIN_INITIATOR_ERROR,
			err == -ENOMEM ? "out of memory" : "more text than a login may have");
		return true;
	}
	if (!l->req.cont)
		return false;
	if ((p = response(c, LOGIN_SUCCESS, false, false, NULL, 0)))
		tx_pdu_send(c, p);
	return true;
}

void login_begin(struct conn *c)
{
	struct login *l = c->login;

	if (l->over)
		return; /* the last word has been said */
	if (l->joining) {
		conn_close(c, LOG_NOTICE, "closing: a request before the login was answered");
		return;
	}
	if ((c->bhs[0] & BHS_OPCODE) == OP_LOGIN_REQ) {
		conn_gather(c);
		return;
	}
	if (l->requests == 0)
		conn_close(c, LOG_NOTICE, "closing: the first request is not a login");
	else
		login_refuse(c, LOGIN_INVALID_REQUEST, "not a Login Request");
}

void login_end(struct conn *c)
{
	struct login *l = c->login;

	if (l->over || l->joining || c->sink.kind != SINK_GATHER)
		return;
	if (take_header(c) && !continuation(c))
		process(c);
}

void login_too_long(struct conn *c)
{
	struct login *l = c->login;

	if (l->over)
		return;
	if (l->joining || (c->bhs[0] & BHS_OPCODE) != OP_LOGIN_REQ)
		conn_close(c, LOG_NOTICE, "closing: a data segment is longer than allowed (login)");
	else if (take_header(c))
		login_refuse(c, LOGIN_INITIATOR_ERROR, "a data segment of more than 8192 bytes");
}

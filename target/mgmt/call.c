/* SPDX-License-Identifier: BSD-2-Clause */
/* A call, over the evhttp request that it is of. Either side may go first: the client, or the server. */
#include "mgmt/call.h"

#include <event2/buffer.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scrub.h"
#include "mgmt/http_private.h"
#include "mgmt/patience.h"
#include "net/guard.h"

/* --- what is asked -------------------------------------------------------------------------- */

void *call_context(const struct call *c)
{
	return c->context;
}

const char *call_argument(const struct call *c, unsigned i)
{
	return c->match.argument[i];
}

const char *call_query(const struct call *c, const char *name)
{
	return evhttp_find_header(&c->query, name);
}

const json_t *call_json(const struct call *c)
{
	return c->body;
}

const char *call_who(const struct call *c)
{
	return c->who.name;
}

bool call_is_owner(const struct call *c)
{
	return c->who.owner;
}

bool call_is_read_only(const struct call *c)
{
	return c->who.read_only;
}

static struct http_conn *call_conn(const struct call *c)
{
	struct evhttp_connection *ec;

	if (!c->http || !c->req || !(ec = evhttp_request_get_connection(c->req)))
		return NULL;
	return http_conn_find(c->http, bufferevent_getfd(evhttp_connection_get_bufferevent(ec)));
}

void call_admit(struct call *c, const char *name, bool read_only)
{
	struct http_conn *conn = call_conn(c);
	struct addr_text text;

	snprintf(c->who.name, sizeof(c->who.name), "%.80s from %s", name,
		addr_host(&c->peer, &text));
	c->who.read_only = read_only;
	if (conn)
		conn->standing = PROVED;
	if (c->dialect->lasting && call_header(c, "Authorization"))
		patience_proved(c->http->cfg.patience, &c->peer, call_header(c, "Authorization"));
}

const char *call_method(const struct call *c)
{
	switch (evhttp_request_get_command(c->req)) {
	case EVHTTP_REQ_GET: return "GET";
	case EVHTTP_REQ_POST: return "POST";
	case EVHTTP_REQ_PUT: return "PUT";
	case EVHTTP_REQ_PATCH: return "PATCH";
	case EVHTTP_REQ_DELETE: return "DELETE";
	default: return "";
	}
}

const char *call_target(const struct call *c)
{
	return evhttp_request_get_uri(c->req);
}

const uint8_t *call_body(const struct call *c, size_t *len)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(c->req);
	const uint8_t *p = NULL;

	*len = evbuffer_get_length(in);
	if (*len)
		p = evbuffer_pullup(in, -1);
	if (!p)
		*len = 0;
	return p ? p : (const uint8_t *)"";
}

const char *call_header(const struct call *c, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(c->req), name);
}

void call_headers(
	const struct call *c, bool (*fn)(void *arg, const char *name, const char *value), void *arg)
{
	struct evkeyvalq *head = evhttp_request_get_input_headers(c->req);

	for (struct evkeyval *h = head->tqh_first; h; h = h->next.tqe_next)
		if (!fn(arg, h->key, h->value))
			return;
}

bool call_is_local(const struct call *c)
{
	return c->peer.sa.sa_family == AF_UNSPEC || addr_is_loopback(&c->peer);
}

/* --- the answer ----------------------------------------------------------------------------- */

void call_answer_header(struct call *c, const char *name, const char *value)
{
	if (c->req)
		evhttp_add_header(evhttp_request_get_output_headers(c->req), name, value);
}

static void set_deadline(const struct call *c, unsigned seconds)
{
	struct http_conn *conn = call_conn(c);

	if (conn)
		conn->deadline = seconds ? http_in_seconds(seconds) : 0;
}

static void on_client_gone(struct evhttp_connection *ec, void *arg)
{
	struct call *c = arg;

	(void)ec;
	c->req = NULL;
}

static void call_free(struct call *c)
{
	if (c->req)
		evhttp_connection_set_closecb(evhttp_request_get_connection(c->req), NULL, NULL);
	loop_timer_clear(&c->later);
	json_decref(c->later_body);
	evhttp_clear_headers(&c->query);
	json_decref(c->body);
	list_del(&c->link);
	free(c);
}

/* What clients of each dialect understand, for when there is no memory for the right one. */
static const char no_memory[] = "{\"__type\":\"InternalServerError\",\"message\":\"out of memory\","
				"\"error\":{\"code\":\"internal\",\"message\":\"out of memory\"}}";

/* The text of an answer; a body that could not be made becomes a plain 500. */
static bool print_body(struct evbuffer *out, int *status, const json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	bool ok;

	if (!text)
		*status = HTTP_INTERNAL;
	ok = evbuffer_add_printf(out, "%s\n", text ? text : no_memory) >= 0;
	scrub_free(text);
	return ok;
}

static void send_reply(struct call *c, int status, const json_t *body)
{
	struct evkeyvalq *head = evhttp_request_get_output_headers(c->req);
	struct evbuffer *out = evbuffer_new();

	if (out && print_body(out, &status, body)) {
		evhttp_add_header(head, "Content-Type", c->content_type);
		evhttp_add_header(head, "Cache-Control", "no-store");
	}
	/* What HEAD is answered has no body (RFC 9110 9.3.2); evhttp would send it. */
	if (out && evhttp_request_get_command(c->req) == EVHTTP_REQ_HEAD)
		evbuffer_drain(out, evbuffer_get_length(out));
	evhttp_send_reply(c->req, status, NULL, out);
	if (out)
		evbuffer_free(out);
}

void call_reply(struct call *c, int status, json_t *body)
{
	set_deadline(c, HTTP_PHASE_SECONDS);
	if (c->req) {
		/* Before it is sent: the request may be gone afterwards. */
		evhttp_connection_set_closecb(evhttp_request_get_connection(c->req), NULL, NULL);
		send_reply(c, status, body);
		c->req = NULL;
	}
	json_decref(body);
	call_free(c);
}

void call_no_memory(struct call *c)
{
	call_reply(c, HTTP_INTERNAL, NULL);
}

void call_note_refusal(const struct call *c, const char *what, const char *why)
{
	const struct route *route = c->match.route;
	char method[ROUTE_ALLOW_MAX] = "";
	struct log_quoted quoted;

	if (!what && (!route || !(route->policy & ROUTE_CHANGES)))
		return;
	if (!what)
		route_allow(route->method, method);
	log_msg(LOG_NOTICE, "management: refused: %s%s%s: %s: %s", method, what ? "" : " ",
		what ? what : route->pattern, c->who.name, log_quote(why, strlen(why), &quoted));
}

void call_refuse(struct call *c, int status, const char *code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	call_note_refusal(c, NULL, text);
	call_reply(c, status, c->dialect->refusal(status, code, text));
}

static void deny_now(struct call *c)
{
	json_t *body = c->later_body;

	c->later_body = NULL;
	call_reply(c, c->later_status, body);
}

/* Whoever has failed is let go of first, also while the answer is held back. */
static void has_failed(const struct call *c)
{
	struct http_conn *conn = call_conn(c);

	if (conn)
		conn->standing = FAILED;
}

void call_deny(struct call *c, int status, json_t *body)
{
	struct addr_text text;
	uint32_t delay = 0;

	has_failed(c);
	if (c->http && c->http->cfg.failures)
		delay = guard_failed(c->http->cfg.failures, &c->peer, http_in_seconds(0));
	log_msg(LOG_NOTICE, "management: refused: %s did not prove who it is",
		addr_text(&c->peer, &text));
	if (!delay || c->waited) {
		call_reply(c, status, body);
		return;
	}
	c->later_status = status;
	c->later_body = body;
	call_later(c, delay, deny_now);
}

/* evhttp does not look while it waits for us. */
static bool has_left(const struct call *c)
{
	struct evhttp_connection *ec = c->req ? evhttp_request_get_connection(c->req) : NULL;
	struct pollfd p = { .events = POLLRDHUP };

	if (!ec)
		return true;
	p.fd = bufferevent_getfd(evhttp_connection_get_bufferevent(ec));
	return poll(&p, 1, 0) > 0;
}

static void on_later(struct loop_timer *t)
{
	struct call *c = container_of(t, struct call, later);
	void (*then)(struct call *) = c->then;
	json_t *body = c->later_body;
	struct addr_text text;

	c->then = NULL;
	set_deadline(c, 0);
	if (!has_left(c)) {
		then(c);
		return;
	}
	c->later_body = NULL;
	if (body) {
		patience_hung_up(c->http->cfg.patience, &c->peer, http_in_seconds(0));
		call_reply(c, c->later_status, body);
	} else {
		log_msg(LOG_NOTICE,
			"management: refused: %s hung up before its proof was looked at",
			addr_text(&c->peer, &text));
		call_refuse(c, HTTP_BADREQUEST, "gone", "the client did not wait");
	}
}

void call_later(struct call *c, uint32_t ms, void (*then)(struct call *c))
{
	set_deadline(c, HTTP_PHASE_SECONDS); /* in a crowd it makes way */
	c->waited = true;
	c->then = then;
	loop_timer_set(&c->later, ms);
}

/* --- beginning and end ---------------------------------------------------------------------- */

struct call *call_new(struct http *h, struct evhttp_request *req, int fd)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->http = h;
	c->req = req;
	call_speak(c, &h->cfg.services[0]);
	addr_peer(&c->peer, fd);
	loop_timer_init(h->cfg.loop, &c->later, on_later);
	TAILQ_INIT(&c->query);
	list_push(&h->calls, &c->link);
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_client_gone, c);
	set_deadline(c, 0);
	return c;
}

void call_speak(struct call *c, const struct http_service *s)
{
	c->dialect = s->dialect;
	c->context = s->context;
	c->content_type = s->dialect->content_type;
}

void call_orphan(struct call *c)
{
	c->http = NULL;
	c->req = NULL;
	list_del(&c->link);
	if (c->then)
		call_free(c); /* nobody else would */
}

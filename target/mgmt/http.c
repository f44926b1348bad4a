/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP by evhttp, and the limits that evhttp has not.
 *
 * evhttp owns its connections and says nothing when one ends. So we remember each by descriptor
 * and cookie: a sweep, once a second while there are any, forgets those whose descriptor is no
 * longer that socket, and shuts down those that take too long; evhttp then sees the end of the
 * stream and cleans up as it would after any client.
 */
#include "mgmt/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "mgmt/scrub.h"
#include "net/addr.h"
#include "net/guard.h"

#define SWEEP_MS 1000
#define DOOM_MS  20 /* until the next sweep when connections are to go */
#define PAUSE_MS 100
#define SECOND   UINT64_C(1000000000)
#define QUIET_S  60 /* between two lines of the log about that nobody can be taken */

struct http {
	struct http_cfg cfg;
	struct evhttp *evhttp;
	struct evhttp_bound_socket *bound;
	struct evconnlistener *listener; /* of bound; NULL once muted */
	bool paused;                     /* the listener takes no connections for now */
	bool soon;                       /* the next sweep is not a second away */
	struct list conns, calls;
	unsigned n_conns;
	struct loop_timer sweep;
	struct loop_defer settle;
	struct loop_watch knock; /* of the listening socket, beside evhttp's own */
	struct loop_timer again;
	uint64_t quiet_until; /* the log has been told, and is not until then */
};

/* What came of the last request on a connection. The first to go comes first. */
enum standing { FAILED, UNKNOWN, PROVED };

/* A connection as far as we know it. */
struct http_conn {
	struct list link;
	struct bufferevent *bev; /* held until its descriptor is known, NULL then */
	int fd;
	uint64_t cookie;
	uint64_t deadline; /* monotonic; 0: we are thinking, not they */
	struct addr peer;  /* of the network only, as is what follows */
	enum standing standing;
	bool doomed;       /* shut down, to make way */
};

struct call {
	struct list link;
	struct http *http;          /* NULL: the server is gone */
	struct evhttp_request *req; /* NULL: the client is gone */
	const struct dialect *dialect;
	void *context;
	const char *content_type; /* of the answer */
	struct addr peer;
	struct http_caller who;
	struct route_path path;
	struct route_match match;
	struct evkeyvalq query;
	json_t *body;

	/* An answer that is held back. */
	struct loop_timer later;
	int later_status;
	json_t *later_body;
};

/* --- connections ---------------------------------------------------------------------------- */

/* The loop's clock is read by its own callbacks, which those of evhttp are not. */
static uint64_t in_seconds(unsigned seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec + seconds * SECOND;
}

/* The kernel's own name of a socket, which no other ever gets (SO_COOKIE). */
static bool cookie_of(int fd, uint64_t *cookie)
{
	socklen_t len = sizeof(*cookie);

	return fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &len);
}

static void conn_forget(struct http *h, struct http_conn *c)
{
	if (c->bev)
		bufferevent_decref(c->bev);
	list_del(&c->link);
	free(c);
	h->n_conns--;
}

/* Closed by evhttp, which does not tell. */
static bool is_gone(const struct http_conn *c)
{
	uint64_t cookie;

	return !c->bev && (!cookie_of(c->fd, &cookie) || cookie != c->cookie);
}

static void forget_gone(struct http *h)
{
	list_for_each_safe(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);

		if (is_gone(c))
			conn_forget(h, c);
	}
}

static bool is_network(const struct http *h)
{
	return h->cfg.failures;
}

static void doom(struct http *h, struct http_conn *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->doomed = true;
	if (!h->soon)
		loop_timer_set(&h->sweep, DOOM_MS);
	h->soon = true;
}

/* Whether c should go rather than `other`, which is older (NULL: there is none yet). What we are busy
 * with is never cut off. */
static bool goes_before(const struct http_conn *c, const struct http_conn *other)
{
	return c->deadline && (!other || c->standing < other->standing);
}

static void make_way(struct http *h, struct http_conn *newest)
{
	struct http_conn *own = NULL, *any = NULL;
	unsigned n_own = 0, n = 0;

	list_for_each(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);
		bool same = addr_same_host(&c->peer, &newest->peer);

		if (c->doomed || c->bev)
			continue;
		n++;
		n_own += same;
		if (same && goes_before(c, own))
			own = c;
		if (goes_before(c, any))
			any = c;
	}
	if (n_own > HTTP_PER_ADDRESS_MAX)
		doom(h, own ? own : newest);
	else if (n > HTTP_CONNECTIONS_MAX)
		doom(h, any ? any : newest);
}

/* Who may not ask anything is told so if he asks soon, and if there is room enough for those who may. */
static void show_out(struct http *h, struct http_conn *c)
{
	c->deadline = in_seconds(HTTP_GUARD_SECONDS);
	if (h->n_conns > HTTP_CONNECTIONS_MAX / 2)
		doom(h, c);
}

/* Learns the descriptors of new connections: evhttp sets them after it has asked for a bufferevent,
 * and may have given up in between. */
static void settle(struct http *h)
{
	if (h->n_conns > HTTP_PER_ADDRESS_MAX) /* the next one might have to make way for these */
		forget_gone(h);
	list_for_each_safe(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);
		struct http_caller who;

		if (!c->bev)
			continue;
		c->fd = bufferevent_getfd(c->bev);
		if (!cookie_of(c->fd, &c->cookie)) {
			conn_forget(h, c);
			continue;
		}
		bufferevent_decref(c->bev);
		c->bev = NULL;
		if (!h->cfg.guard(h->cfg.guard_arg, c->fd, &who))
			show_out(h, c);
		if (is_network(h)) {
			addr_peer(&c->peer, c->fd);
			make_way(h, c);
		}
	}
}

static void settle_deferred(struct loop_defer *d)
{
	settle(container_of(d, struct http, settle));
}

static struct http_conn *conn_find(struct http *h, int fd)
{
	uint64_t cookie;

	settle(h);
	if (!cookie_of(fd, &cookie))
		return NULL;
	list_for_each(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);

		if (c->fd == fd && c->cookie == cookie)
			return c;
	}
	return NULL;
}

static void listener_pause(struct http *h, bool pause)
{
	if (!h->listener || h->paused == pause)
		return;
	h->paused = pause;
	if (pause)
		evconnlistener_disable(h->listener);
	else
		evconnlistener_enable(h->listener);
	if (!h->soon)
		loop_timer_set(&h->sweep, SWEEP_MS);
}

/* Where others make way there are more than may stay, for a moment. */
static bool is_full(const struct http *h)
{
	return h->n_conns >= (is_network(h) ? 2u : 1u) * HTTP_CONNECTIONS_MAX;
}

static void sweep(struct loop_timer *t)
{
	struct http *h = container_of(t, struct http, sweep);

	h->soon = false;
	settle(h);
	forget_gone(h);
	list_for_each(it, &h->conns) {
		struct http_conn *c = container_of(it, struct http_conn, link);

		if (c->deadline && c->deadline <= in_seconds(0))
			shutdown(c->fd, SHUT_RDWR);
	}
	if (!is_full(h))
		listener_pause(h, false);
	if (h->n_conns && !h->soon)
		loop_timer_set(&h->sweep, SWEEP_MS);
}

static struct bufferevent *new_bufferevent(struct http *h, struct event_base *base)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (!h->cfg.tls)
		return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	ssl = SSL_new(h->cfg.tls);
	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(
		base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		SSL_free(ssl);
	else /* clients that close without saying so have still got their answer */
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

/* evhttp asks for a bufferevent for every connection that it takes: the one place to see it. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct http *h = arg;
	struct bufferevent *bev = new_bufferevent(h, base);
	struct http_conn *c = bev ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return bev;
	bufferevent_incref(bev);
	c->bev = bev;
	c->fd = -1;
	c->standing = UNKNOWN;
	c->deadline = in_seconds(HTTP_PHASE_SECONDS);
	list_push(&h->conns, &c->link);
	loop_defer(h->cfg.loop, &h->settle);
	if (h->n_conns++ == 0)
		loop_timer_set(&h->sweep, SWEEP_MS);
	if (is_full(h))
		listener_pause(h, true);
	return bev;
}

/* Out of descriptors, the kernel would report the connection that waits for ever. libevent gives this
 * function evhttp's argument and not ours, so that it can do no more than look away; look_again() is
 * sure to come, since on_knock() was told of that connection, too. */
static void on_accept_error(struct evconnlistener *listener, void *evhttp)
{
	(void)evhttp;
	evconnlistener_disable(listener);
}

static void tell_of_wait(struct http *h, int err)
{
	if (in_seconds(0) < h->quiet_until)
		return;
	log_msg(LOG_ERR, "management: new connections have to wait: %s", strerror(err));
	h->quiet_until = in_seconds(QUIET_S);
}

static void look_again(struct loop_timer *t)
{
	struct http *h = container_of(t, struct http, again);

	if (loop_rewatch(&h->knock, LOOP_READ) != 0)
		loop_timer_set(t, PAUSE_MS);
	if (!h->paused)
		evconnlistener_enable(h->listener);
}

/* Somebody is at the door. Whether there is a descriptor for him can be tried out here. */
static bool on_knock(struct loop_watch *w, unsigned conditions)
{
	struct http *h = container_of(w, struct http, knock);
	int fd = fcntl(w->fd, F_DUPFD_CLOEXEC, 0);

	(void)conditions;
	if (fd < 0)
		tell_of_wait(h, errno);
	else
		close(fd);
	loop_rewatch(w, 0);
	loop_timer_set(&h->again, PAUSE_MS);
	return false;
}

/* --- calls ---------------------------------------------------------------------------------- */

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

static struct http_conn *call_conn(const struct call *c)
{
	struct evhttp_connection *ec;

	if (!c->http || !c->req || !(ec = evhttp_request_get_connection(c->req)))
		return NULL;
	return conn_find(c->http, bufferevent_getfd(evhttp_connection_get_bufferevent(ec)));
}

void call_admit(struct call *c, const char *name, bool read_only)
{
	struct http_conn *conn = call_conn(c);
	struct addr_text text;

	snprintf(c->who.name, sizeof(c->who.name), "%.80s from %s", name, addr_host(&c->peer, &text));
	c->who.read_only = read_only;
	if (c->http && c->http->cfg.failures)
		guard_proved(c->http->cfg.failures, &c->peer);
	if (conn)
		conn->standing = PROVED;
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

void call_headers(const struct call *c, bool (*fn)(void *arg, const char *name, const char *value),
	void *arg)
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

void call_answer_header(struct call *c, const char *name, const char *value)
{
	if (c->req)
		evhttp_add_header(evhttp_request_get_output_headers(c->req), name, value);
}

static void set_deadline(const struct call *c, unsigned seconds)
{
	struct http_conn *conn = call_conn(c);

	if (conn)
		conn->deadline = seconds ? in_seconds(seconds) : 0;
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

/* The text of an answer; a body that could not be made becomes a plain 500. */
static bool print_body(struct evbuffer *out, int *status, const json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int err;

	if (!text) {
		*status = HTTP_INTERNAL;
		err = evbuffer_add_printf(out, "{\"error\":{\"code\":\"internal\","
					       "\"message\":\"out of memory\"}}\n") < 0;
	} else {
		err = evbuffer_add_printf(out, "%s\n", text) < 0;
	}
	scrub_free(text);
	return !err;
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

static void deny_now(struct loop_timer *t)
{
	struct call *c = container_of(t, struct call, later);
	json_t *body = c->later_body;

	c->later_body = NULL;
	call_reply(c, c->later_status, body);
}

/* Whoever has failed is let go of first, also while the answer is held back. */
static void has_failed(const struct call *c)
{
	struct http_conn *conn = call_conn(c);

	if (!conn)
		return;
	conn->standing = FAILED;
	conn->deadline = in_seconds(HTTP_PHASE_SECONDS);
}

void call_deny(struct call *c, int status, json_t *body)
{
	struct addr_text text;
	uint32_t delay = 0;

	has_failed(c);
	if (c->http && c->http->cfg.failures)
		delay = guard_failed(c->http->cfg.failures, &c->peer, in_seconds(0));
	log_msg(LOG_NOTICE, "management: refused: %s did not prove who it is",
		addr_text(&c->peer, &text));
	if (!delay) {
		call_reply(c, status, body);
		return;
	}
	c->later_status = status;
	c->later_body = body;
	loop_timer_set(&c->later, delay);
}

/* --- a request comes in --------------------------------------------------------------------- */

static bool method_of(struct evhttp_request *req, enum route_method *out)
{
	switch (evhttp_request_get_command(req)) {
	case EVHTTP_REQ_GET: *out = ROUTE_GET; return true;
	case EVHTTP_REQ_POST: *out = ROUTE_POST; return true;
	case EVHTTP_REQ_PUT: *out = ROUTE_PUT; return true;
	case EVHTTP_REQ_PATCH: *out = ROUTE_PATCH; return true;
	case EVHTTP_REQ_DELETE: *out = ROUTE_DELETE; return true;
	default: return false;
	}
}

static const struct http_service *service_of(const struct http *h, const struct route_path *path)
{
	const char *first = path->n ? path->segment[0] : "";

	for (size_t i = 0; i < h->cfg.n_services; i++)
		if (!strcmp(h->cfg.services[i].dialect->prefix, first))
			return &h->cfg.services[i];
	return &h->cfg.services[0];
}

static void speak(struct call *c, const struct http_service *s)
{
	c->dialect = s->dialect;
	c->context = s->context;
	c->content_type = s->dialect->content_type;
}

/* Which dialect the path is of; true when the path can be one at all. */
static bool read_path(struct call *c)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(c->req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	bool split = path && route_split(path, &c->path);

	if (!split)
		c->path.n = 0;
	speak(c, split ? service_of(c->http, &c->path) : &c->http->cfg.services[0]);
	return split;
}

static bool find_route(struct call *c, bool split)
{
	char allow[ROUTE_ALLOW_MAX];
	enum route_method method = 0;

	if (split && method_of(c->req, &method))
		route_find(c->dialect->routes, c->dialect->n_routes, method, &c->path, &c->match);
	else if (split)
		route_find(c->dialect->routes, c->dialect->n_routes, 0, &c->path, &c->match);
	if (c->match.route)
		return true;
	if (!c->match.methods) {
		call_refuse(c, HTTP_NOTFOUND, "not_found", "there is nothing at this path");
		return false;
	}
	route_allow(c->match.methods, allow);
	evhttp_add_header(evhttp_request_get_output_headers(c->req), "Allow", allow);
	call_refuse(c, HTTP_BADMETHOD, "method_not_allowed", "this path takes %s", allow);
	return false;
}

/* The steps before a route's function: each gives false when it has refused the call. */

static unsigned count_of(const struct evkeyvalq *head, const char *name)
{
	unsigned n = 0;

	for (const struct evkeyval *h = head->tqh_first; h; h = h->next.tqe_next)
		n += !strcasecmp(h->key, name);
	return n;
}

/* A token of RFC 9110 5.6.2; evhttp takes blanks as a part of the name. */
static bool is_header_name(const char *name)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	const char *p = name;

	while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		(*p && strchr(others, *p)))
		p++;
	return *name && !*p;
}

/* A proxy before us may read a doubtful head in another way than evhttp does: whoever asks through it
 * could then hide a request of his own in the body of somebody else's (RFC 9112 6.3, 11.2). evhttp
 * goes by the first length, takes a sign before it, and passes over codings that it does not know. */
static const char *head_fault(const struct evkeyvalq *head)
{
	const char *length = evhttp_find_header(head, "Content-Length"),
		   *coding = evhttp_find_header(head, "Transfer-Encoding");

	for (const struct evkeyval *h = head->tqh_first; h; h = h->next.tqe_next)
		if (!is_header_name(h->key))
			return "the name of a header is malformed";
	if (count_of(head, "Content-Length") + count_of(head, "Transfer-Encoding") > 1)
		return "the length of the body is told twice";
	if (length && length[strspn(length, "0123456789")])
		return "the length of the body is no number";
	if (coding && strcasecmp(coding, "chunked") != 0)
		return "the only transfer coding is chunked";
	return count_of(head, "Host") > 1 ? "the host is told twice" : NULL;
}

static bool check_head(struct call *c)
{
	const char *fault = head_fault(evhttp_request_get_input_headers(c->req));

	if (!fault)
		return true;
	evhttp_add_header(evhttp_request_get_output_headers(c->req), "Connection", "close");
	call_refuse(c, HTTP_BADREQUEST, "bad_request", "%s", fault);
	return false;
}

/* A page of another site may have a browser ask us, and the browser adds what proof it has for us.
 * It also tells whose page it was (RFC 6454 7). */
static bool check_origin(struct call *c)
{
	const char *origin = call_header(c, "Origin"), *host = call_header(c, "Host");
	const char *site = origin ? strstr(origin, "://") : NULL;

	if (!is_network(c->http) || !origin || (site && host && !strcasecmp(site + 3, host)))
		return true;
	call_refuse(c, 403, "cross_origin", "a page of another site may not ask");
	return false;
}

static bool check_caller(struct call *c, int fd)
{
	if (c->http->cfg.guard(c->http->cfg.guard_arg, fd, &c->who))
		return true;
	log_msg(LOG_NOTICE, "management: refused: %s may not use this socket", c->who.name);
	evhttp_add_header(evhttp_request_get_output_headers(c->req), "Connection", "close");
	call_refuse(c, 403, "forbidden", "%s may not use this socket", c->who.name);
	return false;
}

/* On the network nobody is known before the dialect has looked at the proof. */
static bool check_proof(struct call *c)
{
	if (!c->http->cfg.failures)
		return true;
	if (c->dialect->admit)
		return c->dialect->admit(c);
	call_refuse(c, HTTP_NOTFOUND, "not_found", "there is nothing at this path");
	return false;
}

static bool check_policy(struct call *c)
{
	if (!c->who.read_only || !(c->match.route->policy & ROUTE_CHANGES))
		return true;
	call_refuse(c, 403, "read_only", "%s may look, but change nothing", c->who.name);
	return false;
}

static bool read_query(struct call *c)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(c->req);
	const char *text = uri ? evhttp_uri_get_query(uri) : NULL;

	if (!text || !evhttp_parse_query_str(text, &c->query))
		return true;
	call_refuse(c, HTTP_BADREQUEST, "bad_request", "the query is malformed");
	return false;
}

static bool read_body(struct call *c)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(c->req);
	size_t len = evbuffer_get_length(in);
	const unsigned char *text;
	json_error_t why = { 0 };

	if (!(c->match.route->policy & ROUTE_WANTS_JSON))
		return true;
	text = len ? evbuffer_pullup(in, -1) : (const unsigned char *)"";
	c->body = text ? json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, &why) : NULL;
	if (json_is_object(c->body))
		return true;
	/* jansson's own text may quote the body, which may hold a secret. */
	if (c->body)
		call_refuse(c, HTTP_BADREQUEST, "bad_json", "the body must be a JSON object");
	else
		call_refuse(c, HTTP_BADREQUEST, "bad_json",
			"the body is not JSON: line %d, column %d", why.line, why.column);
	return false;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct http *h = arg;
	struct evhttp_connection *ec = evhttp_request_get_connection(req);
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(ec));
	struct call *c = calloc(1, sizeof(*c));
	bool split;

	if (!c) {
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	c->http = h;
	c->req = req;
	speak(c, &h->cfg.services[0]);
	addr_peer(&c->peer, fd);
	loop_timer_init(h->cfg.loop, &c->later, deny_now);
	TAILQ_INIT(&c->query);
	list_push(&h->calls, &c->link);
	evhttp_connection_set_closecb(ec, on_client_gone, c);
	set_deadline(c, 0);
	if (!check_caller(c, fd) || !check_head(c))
		return;
	split = read_path(c);
	if (check_origin(c) && check_proof(c) && find_route(c, split) && check_policy(c) && read_query(c) &&
		read_body(c))
		c->match.route->run(c);
}

/* --- the server ----------------------------------------------------------------------------- */

static void configure(struct http *h)
{
	evhttp_set_gencb(h->evhttp, on_request, h);
	evhttp_set_bevcb(h->evhttp, on_connection, h);
	evhttp_set_max_headers_size(h->evhttp, HTTP_HEAD_MAX);
	evhttp_set_max_body_size(h->evhttp, HTTP_BODY_MAX);
	evhttp_set_timeout(h->evhttp, HTTP_IDLE_SECONDS);
	/* All that it knows, so that a wrong method gets our answer. */
	evhttp_set_allowed_methods(h->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
						      EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						      EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
						      EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
}

/* Not closed with the evconnlistener, and listening already: a backlog of 0 leaves it alone. */
static bool listen_on(struct http *h, int fd)
{
	struct evconnlistener *l = evconnlistener_new(
		loop_base(h->cfg.loop), NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	if (!l)
		return false;
	h->bound = evhttp_bind_listener(h->evhttp, l);
	if (!h->bound) {
		evconnlistener_free(l);
		return false;
	}
	h->listener = l;
	evconnlistener_set_error_cb(l, on_accept_error);
	return loop_watch(h->cfg.loop, &h->knock, fd, LOOP_READ, on_knock) == 0;
}

int http_open(const struct http_cfg *cfg, int fd, struct http **out)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->cfg = *cfg;
	list_init(&h->conns);
	list_init(&h->calls);
	loop_timer_init(cfg->loop, &h->sweep, sweep);
	loop_timer_init(cfg->loop, &h->again, look_again);
	loop_defer_init(&h->settle, settle_deferred);
	h->evhttp = evhttp_new(loop_base(cfg->loop));
	if (!h->evhttp || !listen_on(h, fd)) {
		http_close(h);
		return -ENOMEM;
	}
	configure(h);
	*out = h;
	return 0;
}

void http_mute(struct http *h)
{
	if (!h->listener)
		return;
	loop_unwatch(&h->knock);
	loop_timer_clear(&h->again);
	evhttp_del_accept_socket(h->evhttp, h->bound);
	h->listener = NULL;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	loop_unwatch(&h->knock);
	loop_timer_clear(&h->again);
	if (h->evhttp)
		evhttp_free(h->evhttp);
	list_for_each_safe(it, &h->calls) {
		struct call *c = container_of(it, struct call, link);

		c->http = NULL;
		c->req = NULL;
		list_del(it);
		if (c->later_body)
			call_free(c); /* nobody else would */
	}
	list_for_each_safe(it, &h->conns)
		conn_forget(h, container_of(it, struct http_conn, link));
	loop_timer_clear(&h->sweep);
	loop_undefer(&h->settle);
	free(h);
}

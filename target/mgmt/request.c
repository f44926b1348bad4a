/* SPDX-License-Identifier: BSD-2-Clause */
/* From a request to the function of its route: who asks, whether he may, and what for. */
#include <event2/buffer.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "mgmt/call.h"
#include "mgmt/http_private.h"
#include "mgmt/patience.h"

/* --- the route ------------------------------------------------------------------------------ */

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

/* Which dialect the path is of, as far as it can be read; true when it can be one of ours at all. */
static bool read_path(struct call *c)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(c->req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	bool split = path && route_split(path, &c->path);

	if (split || c->path.n)
		call_speak(c, service_of(c->http, &c->path));
	return split;
}

static bool find_route(struct call *c)
{
	char allow[ROUTE_ALLOW_MAX];
	enum route_method method = 0;

	if (c->split && method_of(c->req, &method))
		route_find(c->dialect->routes, c->dialect->n_routes, method, &c->path, &c->match);
	else if (c->split)
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

/* --- the steps before a route's function ----------------------------------------------------- */

/* Each gives false when it has refused the call. */

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

	if (!http_is_network(c->http) || !origin || (site && host && !strcasecmp(site + 3, host)))
		return true;
	call_refuse(c, 403, "cross_origin", "a page of another site may not ask");
	return false;
}

/* Once a client has reset its connection its address cannot be known: it could guess secrets without
 * being slowed, and nobody would see who it was. */
static bool check_presence(struct call *c)
{
	if (!http_is_network(c->http) || c->peer.sa.sa_family != AF_UNSPEC)
		return true;
	log_msg(LOG_NOTICE, "management: refused: a client hung up before its address was known");
	call_refuse(c, HTTP_BADREQUEST, "gone", "the client is gone");
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
	if (!http_is_network(c->http))
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
	if (!len)
		call_refuse(c, HTTP_BADREQUEST, "bad_json", "the body is missing: a JSON object");
	else if (c->body)
		call_refuse(c, HTTP_BADREQUEST, "bad_json", "the body must be a JSON object");
	else
		call_refuse(c, HTTP_BADREQUEST, "bad_json", "the body %s: line %d, column %d",
			json_error_code(&why) == json_error_duplicate_key ? "has a member twice"
									  : "is not JSON",
			why.line, why.column);
	return false;
}

/* From the proof on. */
static void go_on(struct call *c)
{
	if (check_proof(c) && find_route(c) && check_policy(c) && read_query(c) && read_body(c))
		c->match.route->run(c);
}

/* A proof may have to wait before it is looked at. */
static bool check_patience(struct call *c)
{
	const char *proof = call_header(c, "Authorization");
	uint32_t ms = 0;

	if (http_is_network(c->http) && c->dialect->lasting && proof)
		ms = patience_wait(c->http->cfg.patience, &c->peer, proof, http_in_seconds(0));
	if (ms)
		call_later(c, ms, go_on);
	return !ms;
}

void request_begin(struct evhttp_request *req, void *http)
{
	struct evhttp_connection *ec = evhttp_request_get_connection(req);
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(ec));
	struct call *c = call_new(http, req, fd);

	if (!c) {
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	c->split = read_path(c);
	if (check_presence(c) && check_caller(c, fd) && check_head(c) && check_origin(c) &&
		check_patience(c))
		go_on(c);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The native API. Members are named in snake_case, sizes are bytes, times are milliseconds where
 * the name ends in _ms; what is absent is null. A refusal is
 * {"error": {"code": "...", "message": "..."}}, with further members where they help.
 */
#include "mgmt/native.h"

#include <errno.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "version.h"

/* --- JSON ----------------------------------------------------------------------------------- */

/* An object under construction. When memory runs out on the way all of it is dropped. */
struct object {
	json_t *j;
	bool failed;
};

static struct object object(void)
{
	return (struct object){ .j = json_object() };
}

/* Takes over the value, which may be NULL for memory that ran out. */
static void put(struct object *o, const char *name, json_t *value)
{
	if (json_object_set_new(o->j, name, value))
		o->failed = true;
}

static json_t *done(struct object *o)
{
	if (!o->failed)
		return o->j;
	json_decref(o->j);
	return NULL;
}

/* Text as JSON; null for NULL. What a peer called itself need not be UTF-8: such bytes become '?'. */
static json_t *text(const char *s)
{
	json_t *j;
	char *clean;

	if (!s)
		return json_null();
	j = json_string(s);
	if (j)
		return j;
	clean = strdup(s);
	for (char *p = clean; p && *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	j = clean ? json_string(clean) : NULL;
	free(clean);
	return j;
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *refusal(int status, const char *code, const char *message)
{
	(void)status;
	return json_pack("{s:{s:s, s:o}}", "error", "code", code, "message", text(message));
}

static struct native *native_of(const struct call *c)
{
	return call_context(c);
}

/* --- status --------------------------------------------------------------------------------- */

static void add_portal(void *arg, const struct registry_portal *p)
{
	struct object o = object();

	put(&o, "address", text(p->address));
	put(&o, "advertised", text(p->advertised));
	put(&o, "group", number(p->group));
	json_array_append_new(arg, done(&o));
}

static json_t *traffic(const struct iscsi_counters *n)
{
	struct object o = object();

	put(&o, "connections", number(n->connections));
	put(&o, "half_open", number(n->half_open));
	put(&o, "sessions", number(n->sessions));
	put(&o, "logins", number(n->logins));
	put(&o, "logins_refused", number(n->logins_refused));
	put(&o, "commands", number(n->commands));
	put(&o, "bytes_in", number(n->bytes_in));
	put(&o, "bytes_out", number(n->bytes_out));
	return done(&o);
}

static void get_status(struct call *c)
{
	struct registry *r = native_of(c)->registry;
	const struct config *cfg = registry_config(r);
	json_t *portals = json_array();
	struct object o = object();
	struct registry_status s;

	registry_status(r, &s);
	registry_portals(r, add_portal, portals);
	put(&o, "version", text(COUNTERSIGN_VERSION));
	put(&o, "pid", number((uint64_t)getpid()));
	put(&o, "uptime_ms", number(s.uptime_ms));
	put(&o, "config", text(cfg->path));
	put(&o, "state_dir", text(cfg->state_dir));
	put(&o, "reactors", number(s.iscsi.reactors));
	put(&o, "poll_us", number(cfg->poll_us));
	put(&o, "file_io", text(s.engine));
	put(&o, "targets", number(s.targets));
	put(&o, "units", number(s.units));
	put(&o, "portals", portals);
	put(&o, "iscsi", traffic(&s.iscsi));
	call_reply(c, HTTP_OK, done(&o));
}

/* --- targets -------------------------------------------------------------------------------- */

static json_t *lun_json(const struct registry_lun *l)
{
	struct object o = object();

	put(&o, "lun", number(l->lun));
	put(&o, "kind", text(l->kind));
	put(&o, "store", text(l->store));
	put(&o, "path", text(l->path));
	put(&o, "size", number(l->size));
	put(&o, "block_size", number(l->block_size));
	put(&o, "read_only", json_boolean(l->read_only));
	put(&o, "naa", text(l->naa));
	return done(&o);
}

static json_t *target_json(const struct registry_target *t)
{
	json_t *groups = json_array(), *luns = json_array();
	struct object o = object();

	for (size_t i = 0; i < t->n_groups; i++)
		json_array_append_new(groups, number(t->groups[i]));
	for (size_t i = 0; i < t->n_luns; i++)
		json_array_append_new(luns, lun_json(&t->luns[i]));
	put(&o, "name", text(t->name));
	put(&o, "alias", text(t->alias));
	put(&o, "auth", text(t->chap ? "chap" : "none"));
	put(&o, "redirect", text(t->redirect));
	put(&o, "portal_groups", groups);
	put(&o, "luns", luns);
	return done(&o);
}

static void add_target(void *arg, const struct registry_target *t)
{
	json_array_append_new(arg, target_json(t));
}

static void get_targets(struct call *c)
{
	json_t *list = json_array();

	if (!registry_targets(native_of(c)->registry, add_target, list)) {
		json_decref(list);
		call_reply(c, HTTP_OK, NULL);
		return;
	}
	call_reply(c, HTTP_OK, json_pack("{s:o}", "targets", list));
}

static void take_target(void *arg, const struct registry_target *t)
{
	json_t **out = arg;

	*out = target_json(t);
}

static void get_target(struct call *c)
{
	const char *name = call_argument(c, 0);
	json_t *found = NULL;

	if (registry_target(native_of(c)->registry, name, take_target, &found))
		call_reply(c, HTTP_OK, found);
	else
		call_refuse(c, HTTP_NOTFOUND, "no_such_target", "there is no target %s", name);
}

/* --- sessions ------------------------------------------------------------------------------- */

struct census {
	struct call *call;
	json_t *list;
};

static json_t *session_json(const struct session_info *s)
{
	struct object o = object();
	char isid[13];

	for (size_t i = 0; i < 6; i++)
		snprintf(isid + 2 * i, 3, "%02x", s->isid[i]);
	put(&o, "tsih", number(s->tsih));
	put(&o, "type", text(s->discovery ? "discovery" : "normal"));
	put(&o, "target", text(s->target));
	put(&o, "initiator", text(s->initiator));
	put(&o, "alias", text(s->alias));
	put(&o, "isid", text(isid));
	put(&o, "portal_group", number(s->tpgt));
	put(&o, "reactor", number(s->reactor));
	put(&o, "connections", number(s->connections));
	put(&o, "peer", text(s->peer));
	put(&o, "local", text(s->local));
	put(&o, "auth", text(s->auth));
	put(&o, "algorithm", text(s->algorithm));
	put(&o, "user", text(s->user));
	put(&o, "header_digest", json_boolean(s->header_digest));
	put(&o, "data_digest", json_boolean(s->data_digest));
	put(&o, "age_ms", number(s->age_ms));
	put(&o, "idle_ms", number(s->idle_ms));
	put(&o, "commands", number(s->commands));
	put(&o, "bytes_in", number(s->bytes_in));
	put(&o, "bytes_out", number(s->bytes_out));
	return done(&o);
}

static void add_session(void *arg, const struct session_info *s)
{
	struct census *census = arg;

	json_array_append_new(census->list, session_json(s));
}

static void reply_sessions(void *arg)
{
	struct census *census = arg;

	call_reply(census->call, HTTP_OK, json_pack("{s:o}", "sessions", census->list));
	free(census);
}

static void get_sessions(struct call *c)
{
	struct census *census = calloc(1, sizeof(*census));

	if (census) {
		*census = (struct census){ .call = c, .list = json_array() };
		if (!registry_sessions(native_of(c)->registry, add_session, reply_sessions, census))
			return;
		json_decref(census->list);
		free(census);
	}
	call_reply(c, HTTP_OK, NULL);
}

static bool read_tsih(const char *from, uint16_t *out)
{
	char *end;
	unsigned long n;

	if (*from < '0' || *from > '9')
		return false;
	errno = 0;
	n = strtoul(from, &end, 10);
	if (errno || *end || n == 0 || n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

static void reply_dropped(void *arg, unsigned n)
{
	struct call *c = arg;

	if (n)
		call_reply(c, HTTP_OK, json_pack("{s:i}", "connections", (int)n));
	else
		call_refuse(c, HTTP_NOTFOUND, "no_such_session", "there is no session %s",
			call_argument(c, 0));
}

static void delete_session(struct call *c)
{
	char why[96];
	uint16_t tsih;

	if (!read_tsih(call_argument(c, 0), &tsih)) {
		call_refuse(c, HTTP_BADREQUEST, "bad_tsih",
			"a session's handle (TSIH) is a number from 1 to 65535");
		return;
	}
	snprintf(why, sizeof(why), "dropped by %s", call_who(c));
	if (registry_drop(native_of(c)->registry, tsih, why, reply_dropped, c))
		call_reply(c, HTTP_OK, NULL);
}

/* --- reload --------------------------------------------------------------------------------- */

static json_t *faults_json(const struct faults *faults)
{
	json_t *list = json_array();

	for (size_t i = 0; i < faults->n; i++) {
		struct object o = object();

		put(&o, "file", text(faults->v[i].file));
		put(&o, "line", number((uint64_t)faults->v[i].line));
		put(&o, "text", text(faults->v[i].text));
		json_array_append_new(list, done(&o));
	}
	return list;
}

static void reply_reloaded(void *ctx, const struct mgmt_reloaded *outcome)
{
	struct call *c = ctx;
	struct object o = object();
	json_t *body;

	if (!outcome->err) {
		call_reply(c, HTTP_OK, done(&o));
		return;
	}
	put(&o, "faults", faults_json(outcome->faults));
	body = refusal(422, "bad_configuration",
		"the configuration was not reloaded; "
		"the running one stays in force");
	json_object_update_new(json_object_get(body, "error"), done(&o));
	/* 422: the request was understood, and the file is the trouble. */
	call_reply(c, 422, body);
}

static void post_reload(struct call *c)
{
	const struct mgmt_host *host = &native_of(c)->host;

	log_msg(LOG_NOTICE, "reload asked for by %s", call_who(c));
	host->reload(host->arg, reply_reloaded, c);
}

// clang-format off
static const struct route routes[] = {
	{ ROUTE_GET,    "/v1/status",          0,             get_status },
	{ ROUTE_GET,    "/v1/targets",         0,             get_targets },
	{ ROUTE_GET,    "/v1/targets/{name}",  0,             get_target },
	{ ROUTE_GET,    "/v1/sessions",        0,             get_sessions },
	{ ROUTE_DELETE, "/v1/sessions/{tsih}", ROUTE_CHANGES, delete_session },
	{ ROUTE_POST,   "/v1/reload",          ROUTE_CHANGES, post_reload },
};
// clang-format on

const struct dialect native_dialect = {
	.prefix = "v1",
	.content_type = "application/json",
	.routes = routes,
	.n_routes = sizeof(routes) / sizeof(routes[0]),
	.refusal = refusal,
};

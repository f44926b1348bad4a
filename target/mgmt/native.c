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

/* Text as JSON; null for NULL. What a peer called itself need not be UTF-8: such bytes become '?'. */
static json_t *text(const char *s)
{
	json_t *j = s ? json_string(s) : json_null();
	char *clean;

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
	json_array_append_new(arg, json_pack("{s:o, s:o, s:i}", "address", text(p->address),
					     "advertised", text(p->advertised),
					     "group", (int)p->group));
}

static json_t *traffic(const struct iscsi_counters *n)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "connections", number(n->connections), "half_open", number(n->half_open),
			 "sessions", number(n->sessions), "logins", number(n->logins),
			 "logins_refused", number(n->logins_refused),
			 "commands", number(n->commands), "bytes_in", number(n->bytes_in),
			 "bytes_out", number(n->bytes_out));
}

static void get_status(struct call *c)
{
	struct registry *r = native_of(c)->registry;
	const struct config *cfg = registry_config(r);
	json_t *portals = json_array();
	struct registry_status s;

	registry_status(r, &s);
	registry_portals(r, add_portal, portals);
	call_reply(c, HTTP_OK, json_pack("{s:s, s:i, s:o, s:o, s:o, s:i, s:i, s:s, s:i, s:i, s:o, s:o}",
		   "version", COUNTERSIGN_VERSION, "pid", (int)getpid(),
		   "uptime_ms", number(s.uptime_ms), "config", text(cfg->path),
		   "state_dir", text(cfg->state_dir), "reactors", (int)s.iscsi.reactors,
		   "poll_us", (int)cfg->poll_us, "file_io", s.engine, "targets", (int)s.targets,
		   "units", (int)s.units, "portals", portals, "iscsi", traffic(&s.iscsi)));
}

/* --- targets -------------------------------------------------------------------------------- */

static json_t *lun_json(const struct registry_lun *l)
{
	return json_pack("{s:i, s:s, s:s, s:o, s:o, s:i, s:b, s:s}", "lun", (int)l->lun,
			 "kind", l->kind, "store", l->store, "path", text(l->path),
			 "size", number(l->size), "block_size", (int)l->block_size,
			 "read_only", l->read_only, "naa", l->naa);
}

static json_t *target_json(const struct registry_target *t)
{
	json_t *groups = json_array(), *luns = json_array();

	for (size_t i = 0; i < t->n_groups; i++)
		json_array_append_new(groups, json_integer(t->groups[i]));
	for (size_t i = 0; i < t->n_luns; i++)
		json_array_append_new(luns, lun_json(&t->luns[i]));
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "name", text(t->name),
			 "alias", text(t->alias), "auth", t->chap ? "chap" : "none",
			 "redirect", text(t->redirect), "portal_groups", groups, "luns", luns);
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
	char isid[13];

	for (int i = 0; i < 6; i++)
		snprintf(isid + 2 * i, 3, "%02x", s->isid[i]);
	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:s, s:i, s:i, s:i, s:o, s:o, s:s, s:o, s:o, s:b, s:b,"
			 " s:o, s:o, s:o, s:o, s:o}",
			 "tsih", (int)s->tsih, "type", s->discovery ? "discovery" : "normal",
			 "target", text(s->target), "initiator", text(s->initiator),
			 "alias", text(s->alias), "isid", isid, "portal_group", (int)s->tpgt,
			 "reactor", (int)s->reactor, "connections", (int)s->connections,
			 "peer", text(s->peer), "local", text(s->local),
			 "auth", s->auth ? s->auth : "none", "algorithm", text(s->algorithm),
			 "user", text(s->user), "header_digest", s->header_digest,
			 "data_digest", s->data_digest, "age_ms", number(s->age_ms),
			 "idle_ms", number(s->idle_ms), "commands", number(s->commands),
			 "bytes_in", number(s->bytes_in), "bytes_out", number(s->bytes_out));
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
		const struct fault *f = &faults->v[i];

		json_array_append_new(list, json_pack("{s:o, s:i, s:o}", "file", text(f->file),
						      "line", f->line, "text", text(f->text)));
	}
	return list;
}

static void reply_reloaded(void *ctx, const struct mgmt_reloaded *outcome)
{
	struct call *c = ctx;

	if (!outcome->err) {
		call_reply(c, HTTP_OK, json_object());
		return;
	}
	/* 422: the request was understood, and the file is the trouble. */
	call_reply(c, 422, json_pack("{s:{s:s, s:s, s:o}}", "error", "code", "bad_configuration",
		   "message", "the configuration was not reloaded; the running one stays in force",
		   "faults", faults_json(outcome->faults)));
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

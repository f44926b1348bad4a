/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The native API. Members are named in snake_case, sizes are bytes, times are milliseconds where
 * the name ends in _ms; what is absent is null. A refusal is
 * {"error": {"code": "...", "message": "..."}}, with further members where they help.
 */
#include "mgmt/native.h"

#include <errno.h>
#include <event2/http.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "mgmt/native_audit.h"
#include "mgmt/native_connect.h"
#include "mgmt/native_credentials.h"
#include "mgmt/native_json.h"
#include "mgmt/native_port_groups.h"
#include "mgmt/native_stats.h"
#include "mgmt/native_tapes.h"
#include "mgmt/native_volumes.h"
#include "registry/gateway.h"
#include "version.h"

static json_t *refusal(int status, const char *code, const char *message)
{
	(void)status;
	return json_pack("{s:{s:s, s:o}}", "error", "code", code, "message", json_of_text(message));
}

/* --- status --------------------------------------------------------------------------------- */

static void add_portal(void *arg, const struct registry_portal *p)
{
	struct object o = object_begin();

	object_put(&o, "address", json_of_text(p->address));
	object_put(&o, "advertised", json_of_text(p->advertised));
	object_put(&o, "group", json_of_number(p->group));
	json_array_append_new(arg, object_end(&o));
}

static json_t *http_json(const struct config_management *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_http; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:i, s:b}", "address", json_of_text(m->http[i].address),
				"port", (int)m->http[i].port, "tls", m->http[i].tls));
	return list;
}

/* What the Storage Gateway API has made of it. */
static json_t *gateway_json(const struct registry *r, const struct config_aws *aws)
{
	const struct registry_gateway g = registry_gateway(r);
	const char *state = "running";

	if (!aws->enabled)
		return json_null();
	if (g.stopped)
		state = "shut down";
	else if (aws->activation_key && !g.active)
		state = "not activated";
	return json_pack("{s:o, s:s}", "id", json_of_text(aws->gateway), "state", state);
}

static void get_status(struct call *c)
{
	struct registry *r = native_of(c)->registry;
	const struct config *cfg = registry_config(r);
	json_t *portals = json_array();
	struct object o = object_begin();
	struct registry_status s;

	registry_status(r, &s);
	registry_portals(r, add_portal, portals);
	object_put(&o, "version", json_of_text(COUNTERSIGN_VERSION));
	object_put(&o, "pid", json_of_number((uint64_t)getpid()));
	object_put(&o, "uptime_ms", json_of_number(s.uptime_ms));
	object_put(&o, "config", json_of_text(cfg->path));
	object_put(&o, "state_dir", json_of_text(cfg->state_dir));
	object_put(&o, "reactors", json_of_number(s.iscsi.reactors));
	object_put(&o, "poll_us", json_of_number(cfg->poll_us));
	object_put(&o, "file_io", json_of_text(s.engine));
	object_put(&o, "targets", json_of_number(s.targets));
	object_put(&o, "units", json_of_number(s.units));
	object_put(&o, "portals", portals);
	object_put(&o, "http", http_json(&cfg->management));
	object_put(&o, "gateway", gateway_json(r, &cfg->management.aws));
	object_put(&o, "iscsi", native_traffic(&s.iscsi));
	call_reply(c, HTTP_OK, object_end(&o));
}

/* --- targets -------------------------------------------------------------------------------- */

static json_t *lun_json(const struct registry_lun *l)
{
	struct object o = object_begin();

	object_put(&o, "lun", json_of_number(l->lun));
	object_put(&o, "kind", json_of_text(l->kind));
	object_put(&o, "store", json_of_text(l->store));
	object_put(&o, "path", json_of_text(l->path));
	object_put(&o, "size", json_of_number(l->size));
	object_put(&o, "block_size", json_of_number(l->block_size));
	object_put(&o, "read_only", json_boolean(l->read_only));
	object_put(&o, "naa", json_of_text(l->naa));
	return object_end(&o);
}

static json_t *target_json(const struct registry_target *t)
{
	json_t *groups = json_array(), *luns = json_array();
	struct object o = object_begin();

	for (size_t i = 0; i < t->n_groups; i++)
		json_array_append_new(groups, json_of_number(t->groups[i]));
	for (size_t i = 0; i < t->n_luns; i++)
		json_array_append_new(luns, lun_json(&t->luns[i]));
	object_put(&o, "name", json_of_text(t->name));
	object_put(&o, "alias", json_of_text(t->alias));
	object_put(&o, "svm", json_of_text(t->svm));
	object_put(&o, "auth", json_of_text(t->chap ? "chap" : "none"));
	object_put(&o, "redirect", json_of_text(t->redirect));
	object_put(&o, "portal_groups", groups);
	object_put(&o, "luns", luns);
	return object_end(&o);
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
		call_no_memory(c);
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

/* --- SVMs ----------------------------------------------------------------------------------- */

/* An SVM and the targets in it. */
struct membership {
	const char *svm;
	json_t *targets;
};

static void add_member(void *arg, const struct registry_target *t)
{
	struct membership *m = arg;

	if (t->svm && !strcmp(t->svm, m->svm))
		json_array_append_new(m->targets, json_of_text(t->name));
}

struct svm_list {
	struct registry *registry;
	json_t *list;
};

static void add_svm(void *arg, const char *svm)
{
	struct svm_list *l = arg;
	struct membership m = { .svm = svm, .targets = json_array() };
	struct object o = object_begin();

	registry_targets(l->registry, add_member, &m);
	object_put(&o, "name", json_of_text(svm));
	object_put(&o, "targets", m.targets);
	json_array_append_new(l->list, object_end(&o));
}

static void get_svms(struct call *c)
{
	struct svm_list l = { .registry = native_of(c)->registry, .list = json_array() };

	registry_svms(l.registry, add_svm, &l);
	call_reply(c, HTTP_OK, json_pack("{s:o}", "svms", l.list));
}

/* --- sessions ------------------------------------------------------------------------------- */

struct census {
	struct call *call;
	json_t *list;
};

static json_t *session_json(const struct session_info *s)
{
	struct object o = object_begin();
	char isid[13];

	for (size_t i = 0; i < 6; i++)
		snprintf(isid + 2 * i, 3, "%02x", s->isid[i]);
	object_put(&o, "tsih", json_of_number(s->tsih));
	object_put(&o, "type", json_of_text(s->discovery ? "discovery" : "normal"));
	object_put(&o, "target", json_of_text(s->target));
	object_put(&o, "initiator", json_of_text(s->initiator));
	object_put(&o, "alias", json_of_text(s->alias));
	object_put(&o, "isid", json_of_text(isid));
	object_put(&o, "portal_group", json_of_number(s->tpgt));
	object_put(&o, "reactor", json_of_number(s->reactor));
	object_put(&o, "connections", json_of_number(s->connections));
	object_put(&o, "peer", json_of_text(s->peer));
	object_put(&o, "local", json_of_text(s->local));
	object_put(&o, "auth", json_of_text(s->auth));
	object_put(&o, "algorithm", json_of_text(s->algorithm));
	object_put(&o, "user", json_of_text(s->user));
	object_put(&o, "header_digest", json_boolean(s->header_digest));
	object_put(&o, "data_digest", json_boolean(s->data_digest));
	object_put(&o, "age_ms", json_of_number(s->age_ms));
	object_put(&o, "idle_ms", json_of_number(s->idle_ms));
	object_put(&o, "commands", json_of_number(s->commands));
	object_put(&o, "bytes_in", json_of_number(s->bytes_in));
	object_put(&o, "bytes_out", json_of_number(s->bytes_out));
	return object_end(&o);
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
	call_no_memory(c);
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
		call_no_memory(c);
}

/* --- reload --------------------------------------------------------------------------------- */

static json_t *faults_json(const struct faults *faults)
{
	json_t *list = json_array();

	for (size_t i = 0; i < faults->n; i++) {
		struct object o = object_begin();

		object_put(&o, "file", json_of_text(faults->v[i].file));
		object_put(&o, "line", json_of_number((uint64_t)faults->v[i].line));
		object_put(&o, "text", json_of_text(faults->v[i].text));
		json_array_append_new(list, object_end(&o));
	}
	return list;
}

static json_t *changes_json(const struct mgmt_reloaded *outcome)
{
	json_t *list = json_array();

	for (size_t i = 0; i < outcome->n_changes; i++)
		json_array_append_new(list, json_of_text(outcome->changes[i]));
	return list;
}

static void reply_reloaded(void *ctx, const struct mgmt_reloaded *outcome)
{
	struct call *c = ctx;
	struct object o = object_begin();
	json_t *body;

	if (!outcome->err) {
		object_put(&o, "changes", changes_json(outcome));
		call_reply(c, HTTP_OK, object_end(&o));
		return;
	}
	object_put(&o, "faults", faults_json(outcome->faults));
	body = refusal(422, "bad_configuration",
		"the configuration was not reloaded; "
		"the running one stays in force");
	json_object_update_new(json_object_get(body, "error"), object_end(&o));
	/* 422: the request was understood, and the file is the trouble. */
	call_reply(c, 422, body);
}

static void post_reload(struct call *c)
{
	const struct mgmt_host *host = &native_of(c)->host;

	log_msg(LOG_NOTICE, "reload asked for by %s", call_who(c));
	host->reload(host->arg, reply_reloaded, c);
}

/* --- who may, over the network -------------------------------------------------------------- */

/* What stands behind "Bearer " (RFC 6750 2.1); NULL: nothing. */
static const char *bearer(const struct call *c)
{
	static const char scheme[] = "Bearer ";
	const char *text = call_header(c, "Authorization");

	if (!text || strncasecmp(text, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	text += sizeof(scheme) - 1;
	return text + strspn(text, " ");
}

/* Looks at every token, and at all of each that is as long as what was given. */
static const struct config_token *find_token(const struct config_management *m, const char *given)
{
	const struct config_token *found = NULL;
	size_t len = strlen(given);

	for (size_t i = 0; i < m->n_tokens; i++)
		if (strlen(m->tokens[i].token) == len &&
			!CRYPTO_memcmp(m->tokens[i].token, given, len))
			found = &m->tokens[i];
	return found;
}

static bool admit(struct call *c)
{
	const struct config *cfg = registry_config(native_of(c)->registry);
	const char *given = bearer(c);
	const struct config_token *token = given ? find_token(&cfg->management, given) : NULL;
	char name[80];

	if (token) {
		snprintf(name, sizeof(name), "token:%s", token->name);
		call_admit(c, name, token->read_only);
		return true;
	}
	call_answer_header(c, "WWW-Authenticate", "Bearer realm=\"countersign\"");
	if (given)
		call_deny(c, 401, refusal(401, "unauthorized", "there is no such token"));
	else
		call_refuse(c, 401, "unauthorized", "say who you are: Authorization: Bearer TOKEN");
	return false;
}

#define JSON_CHANGE (ROUTE_CHANGES | ROUTE_WANTS_JSON)

// clang-format off
static const struct route routes[] = {
	{ ROUTE_GET,    "/v1/status",          0,             get_status },
	{ ROUTE_GET,    "/v1/stats",           0,             native_get_stats },
	{ ROUTE_GET,    "/v1/targets",         0,             get_targets },
	{ ROUTE_GET,    "/v1/targets/{name}",  0,             get_target },
	{ ROUTE_GET,    "/v1/targets/{name}/connect", 0,      native_get_connect },
	{ ROUTE_POST,   "/v1/targets/{name}/connect", JSON_CHANGE, native_post_connect },
	{ ROUTE_GET,    "/v1/sessions",        0,             get_sessions },
	{ ROUTE_DELETE, "/v1/sessions/{tsih}", ROUTE_CHANGES, delete_session },
	{ ROUTE_POST,   "/v1/reload",          ROUTE_CHANGES, post_reload },
	{ ROUTE_GET,    "/v1/audit",           0,             native_get_audit },
	{ ROUTE_POST,   "/v1/rekey",           ROUTE_CHANGES, native_post_rekey },
	{ ROUTE_GET,    "/v1/svms",            0,             get_svms },
	{ ROUTE_GET,    "/v1/volumes",         0,             native_get_volumes },
	{ ROUTE_POST,   "/v1/volumes",         JSON_CHANGE,   native_create_volume },
	{ ROUTE_GET,    "/v1/volumes/{id}",    0,             native_get_volume },
	{ ROUTE_PATCH,  "/v1/volumes/{id}",    JSON_CHANGE,   native_resize_volume },
	{ ROUTE_DELETE, "/v1/volumes/{id}",    ROUTE_CHANGES, native_delete_volume },
	{ ROUTE_POST,   "/v1/volumes/{id}/attach", JSON_CHANGE, native_attach_volume },
	{ ROUTE_POST,   "/v1/volumes/{id}/detach", JSON_CHANGE, native_detach_volume },
	{ ROUTE_GET,    "/v1/libraries",       0,             native_get_libraries },
	{ ROUTE_GET,    "/v1/libraries/{name}", 0,            native_get_library },
	{ ROUTE_PATCH,  "/v1/libraries/{name}", JSON_CHANGE,  native_change_library },
	{ ROUTE_GET,    "/v1/libraries/{name}/drives", 0,     native_get_drives },
	{ ROUTE_GET,    "/v1/libraries/{name}/drives/{drive}", 0, native_get_drive },
	{ ROUTE_GET,    "/v1/libraries/{name}/tapes", 0,      native_get_library_tapes },
	{ ROUTE_POST,   "/v1/libraries/{name}/tapes", JSON_CHANGE, native_create_tape },
	{ ROUTE_GET,    "/v1/drives",          0,             native_get_all_drives },
	{ ROUTE_GET,    "/v1/tapes",           0,             native_get_tapes },
	{ ROUTE_GET,    "/v1/tapes/{barcode}", 0,             native_get_tape },
	{ ROUTE_PATCH,  "/v1/tapes/{barcode}", JSON_CHANGE,   native_change_tape },
	{ ROUTE_DELETE, "/v1/tapes/{barcode}", ROUTE_CHANGES, native_delete_tape },
	{ ROUTE_POST,   "/v1/tapes/{barcode}/move", JSON_CHANGE, native_move_tape },
	{ ROUTE_POST,   "/v1/tapes/{barcode}/unload", ROUTE_CHANGES, native_unload_tape },
	{ ROUTE_POST,   "/v1/tapes/{barcode}/archive", ROUTE_CHANGES, native_archive_tape },
	{ ROUTE_POST,   "/v1/tapes/{barcode}/retrieve", JSON_CHANGE, native_retrieve_tape },
	{ ROUTE_POST,   "/v1/tapes/{barcode}/cancel", ROUTE_CHANGES, native_cancel_tape },
	{ ROUTE_POST,   "/v1/tapes/{barcode}/look", ROUTE_CHANGES, native_look_at_tape },
	{ ROUTE_GET,    "/v1/port-groups",     0,             native_get_port_groups },
	{ ROUTE_PATCH,  "/v1/port-groups/{group}", JSON_CHANGE, native_set_port_group },
	{ ROUTE_GET,    "/v1/credentials",     0,             native_get_credentials },
#define CREDENTIALS(path, of) \
	{ ROUTE_GET,    path,                        0,             native_get_credentials_##of }, \
	{ ROUTE_GET,    path "/{initiator}",         0,             native_get_credential_##of }, \
	{ ROUTE_PUT,    path "/{initiator}",         JSON_CHANGE,   native_put_credential_##of }, \
	{ ROUTE_DELETE, path "/{initiator}",         ROUTE_CHANGES, native_delete_credential_##of }, \
	{ ROUTE_POST,   path "/{initiator}/rotate",  JSON_CHANGE,   native_rotate_credential_##of }
	CREDENTIALS("/v1/targets/{name}/credentials", of_target),
	CREDENTIALS("/v1/svms/{name}/credentials", of_svm),
	CREDENTIALS("/v1/discovery/credentials", of_discovery),
#undef CREDENTIALS
};
// clang-format on

const struct dialect native_dialect = {
	.prefix = "v1",
	.content_type = "application/json",
	.routes = routes,
	.n_routes = sizeof(routes) / sizeof(routes[0]),
	.refusal = refusal,
	.admit = admit,
	.lasting = true,
};

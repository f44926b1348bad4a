/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an initiator logs in to a target. Which credential that takes is decided by the very function
 * that decides at a login (chap/table.h), so that what is told here is what holds there.
 */
#include "mgmt/native_connect.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mgmt/native_body.h"
#include "mgmt/native_json.h"
#include "mgmt/portal.h"

enum { CHOICES_TOLD = 8 }; /* initiators that a refusal names */

/* A call for one target, and what has been found out so far. */
struct inquiry {
	struct call *call;
	struct registry *registry;
	const char *target; /* the argument of the call */
	bool secrets;
	char initiator[REGISTRY_NAME_SIZE]; /* "": any */
	char svm[CREDENTIAL_NAME_MAX + 1];
	bool chap; /* the target asks for it in any case */
	uint32_t groups[64];
	size_t n_groups; /* 0: all */
	struct object o;
};

/* --- portals -------------------------------------------------------------------------------- */

static json_t *portal_json(const struct portal_at *at)
{
	struct object o = object_begin();

	object_put(&o, "address", json_of_text(*at->name ? at->name : at->host));
	object_put(&o, "port", json_of_number(*at->name ? at->name_port : at->port));
	object_put(&o, "group", json_of_number(at->group));
	return object_end(&o);
}

/* One name may be that of several addresses. */
static void add_new(json_t *list, json_t *portal)
{
	for (size_t i = 0; portal && i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), portal)) {
			json_decref(portal);
			return;
		}
	json_array_append_new(list, portal);
}

/* Those that show the target; NULL when memory is out. */
static json_t *portals_json(const struct inquiry *q)
{
	struct portal_list p = portal_list_begin(q->registry);
	json_t *list = p.failed ? NULL : json_array();

	for (size_t i = 0; list && i < p.n; i++)
		if (portal_is_in(&p.v[i], q->groups, q->n_groups))
			add_new(list, portal_json(&p.v[i]));
	portal_list_end(&p);
	return list;
}

/* --- the target ----------------------------------------------------------------------------- */

static json_t *luns_json(const struct registry_target *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->n_luns; i++) {
		struct object o = object_begin();

		object_put(&o, "lun", json_of_number(t->luns[i].lun));
		object_put(&o, "kind", json_of_text(t->luns[i].kind));
		object_put(&o, "size", json_of_number(t->luns[i].size));
		object_put(&o, "read_only", json_boolean(t->luns[i].read_only));
		json_array_append_new(list, object_end(&o));
	}
	return list;
}

static void take_target(void *arg, const struct registry_target *t)
{
	struct inquiry *q = arg;

	q->chap = t->chap;
	snprintf(q->svm, sizeof(q->svm), "%s", t->svm);
	for (size_t i = 0; i < t->n_groups && i < sizeof(q->groups) / sizeof(q->groups[0]); i++)
		q->groups[q->n_groups++] = t->groups[i];
	object_put(&q->o, "target", json_of_text(t->name));
	object_put(&q->o, "alias", json_of_text(t->alias));
	object_put(&q->o, "redirect", json_of_text(t->redirect));
	object_put(&q->o, "luns", luns_json(t));
}

/* --- whose login ---------------------------------------------------------------------------- */

static bool is_default(const struct credential *row)
{
	return !strcmp(row->spec.initiator, CREDENTIAL_DEFAULT);
}

static void refuse_choice(struct call *c, const char *target, const struct registry_rows *rows)
{
	char names[CHOICES_TOLD * (REGISTRY_NAME_SIZE + 2)] = "";
	size_t n = 0, told = 0;

	for (size_t i = 0; i < rows->n && told < CHOICES_TOLD; i++)
		if (rows->row[i]->spec.type != CREDENTIAL_DENY) {
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%.*s", n ? ", " : "",
				REGISTRY_NAME_SIZE - 1, rows->row[i]->spec.initiator);
			told++;
		}
	call_refuse(c, 409, "which_initiator",
		"several initiators may log in to %s: say which initiator (%s%s)", target, names,
		rows->n > told ? " ..." : "");
}

/* Whose login it must be when nobody says: that of the one initiator that has a row, or of any where
 * a row is for all. False: there are several, and the call has been refused. */
static bool choose_of(
	struct inquiry *q, enum credential_scope scope, const char *name, bool *chosen)
{
	const struct credential *only = NULL;
	struct registry_rows rows;
	size_t n = 0;
	bool any = false;

	if (registry_rows_of(q->registry, scope, name, &rows)) {
		call_no_memory(q->call);
		return false;
	}
	for (size_t i = 0; i < rows.n; i++) {
		if (rows.row[i]->spec.type == CREDENTIAL_DENY)
			continue;
		any = any || is_default(rows.row[i]);
		only = rows.row[i];
		n++;
	}
	if (n == 1 && !any && strlen(only->spec.initiator) < sizeof(q->initiator))
		strcpy(q->initiator, only->spec.initiator);
	*chosen = n > 0;
	if (n > 1 && !any)
		refuse_choice(q->call, q->target, &rows);
	registry_rows_end(&rows);
	return n <= 1 || any;
}

static bool choose(struct inquiry *q)
{
	bool chosen;

	return choose_of(q, CREDENTIAL_OF_TARGET, q->target, &chosen) &&
	       (chosen || choose_of(q, CREDENTIAL_OF_SVM, q->svm, &chosen));
}

/* --- its credential ------------------------------------------------------------------------- */

/* Any initiator stands for one without a row of its own, as does this name. */
static const char *name_of(const struct inquiry *q)
{
	return *q->initiator ? q->initiator : CREDENTIAL_DEFAULT;
}

static struct table_answer ask(const struct inquiry *q, bool discovery, const struct source *from)
{
	const struct table *t = registry_credentials(q->registry);
	const struct config *cfg = registry_config(q->registry);

	if (discovery)
		return table_resolve_discovery(
			t, name_of(q), from, cfg->discovery.auth == CONFIG_AUTH_CHAP);
	return table_resolve(t, q->target, q->svm, name_of(q), from, q->chap);
}

/* What the table says for an address that it lets in, if there is one: where ranges overlap, the
 * overlap begins where one of them does. */
static struct table_answer ask_from(
	const struct inquiry *q, bool discovery, const struct credential *const *rows, size_t n)
{
	struct table_answer a = ask(q, discovery, &(struct source){ .family = SOURCE_NONE });

	for (size_t i = 0; i < n && a.verdict == TABLE_FORBIDDEN; i++)
		for (size_t k = 0; rows[i] && k < rows[i]->spec.source_count; k++) {
			a = ask(q, discovery, &rows[i]->spec.sources[k].first);
			if (a.verdict != TABLE_FORBIDDEN)
				break;
		}
	return a;
}

/* The rows that may say where a login must come from: NULL where there is none. */
struct sources {
	const struct credential *row[2];
};

static struct sources sources_of(const struct inquiry *q, bool discovery)
{
	const struct table *t = registry_credentials(q->registry);
	enum credential_scope scope = discovery ? CREDENTIAL_OF_DISCOVERY : CREDENTIAL_OF_TARGET;
	const char *name = discovery ? "" : q->target;
	struct sources s = { { table_find(t, scope, name, name_of(q)) } };

	if (!s.row[0])
		s.row[0] = table_find(t, scope, name, CREDENTIAL_DEFAULT);
	if (!discovery && *q->initiator)
		s.row[1] = table_find(t, CREDENTIAL_OF_SVM, q->svm, q->initiator);
	return s;
}

static json_t *addresses_json(const struct sources *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < 2; i++)
		if (s->row[i] && s->row[i]->spec.source_count)
			json_array_append_new(list, json_of_text(s->row[i]->spec.source_text));
	return list;
}

static json_t *secret_json(const struct secret_view *s)
{
	return s->bytes ? json_stringn((const char *)s->bytes, s->len) : json_null();
}

/* CHAP_N of both sides; a row for all initiators has a user of its own (see chap/table_edit.h), as
 * have those for discovery that prove the target. */
static const char *user_of(const struct inquiry *q, const struct credential_spec *row)
{
	if (*row->in_user)
		return row->in_user;
	return *q->initiator ? q->initiator : NULL;
}

static const char *target_user_of(const struct inquiry *q, const struct credential_spec *row)
{
	return *row->out_user ? row->out_user : q->target;
}

/* How it is proved, as the initiator has to know it. */
static void put_auth(struct object *o, const struct inquiry *q, const struct table_answer *a,
	const struct sources *from)
{
	const struct credential_spec *row = a->row ? &a->row->spec : NULL;
	bool mutual = row && row->out_secret.bytes;

	object_put(o, "auth", json_of_text(row ? "chap" : "none"));
	object_put(o, "addresses", addresses_json(from));
	object_put(o, "user", json_of_text(row ? user_of(q, row) : NULL));
	object_put(o, "mutual", json_boolean(mutual));
	object_put(o, "target_user", json_of_text(mutual ? target_user_of(q, row) : NULL));
	if (q->secrets) {
		object_put(o, "secret", row ? secret_json(&row->in_secret) : json_null());
		object_put(o, "target_secret", row ? secret_json(&row->out_secret) : json_null());
	}
}

/* Whether jansson can hold the secrets of a row: they are bytes, and it wants UTF-8. */
static bool is_text(const struct credential *row)
{
	json_t *in = row ? secret_json(&row->spec.in_secret) : json_null();
	json_t *out = row ? secret_json(&row->spec.out_secret) : json_null();
	bool ok = in && out;

	json_decref(in);
	json_decref(out);
	return ok;
}

/* As sessions are told them. */
static const char *digest_name(enum config_chap_algorithm a)
{
	switch (a) {
	case CONFIG_CHAP_MD5: return "MD5";
	case CONFIG_CHAP_SHA1: return "SHA1";
	case CONFIG_CHAP_SHA256: return "SHA-256";
	default: return "SHA3-256";
	}
}

static json_t *algorithms_json(const struct config *cfg)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cfg->chap.n_algorithms; i++)
		json_array_append_new(list, json_of_text(digest_name(cfg->chap.algorithms[i])));
	return list;
}

static void refuse_verdict(const struct inquiry *q, const struct table_answer *a)
{
	if (a->verdict == TABLE_FORBIDDEN)
		call_refuse(q->call, 409, "forbidden", "%s may not log in to %s: a row forbids it",
			*q->initiator ? q->initiator : "nobody else", q->target);
	else if (*q->initiator)
		call_refuse(q->call, 409, "no_credential",
			"%s has no credential for %s, and nobody logs in there without one",
			q->initiator, q->target);
	else
		call_refuse(q->call, 409, "no_credential",
			"nobody may log in to %s: it asks for CHAP and has no credential; the "
			"configuration or `countersignctl credentials set` gives it one",
			q->target);
}

/* Discovery that this initiator is kept from is no reason to refuse: it can be told the target. */
static void put_discovery(struct inquiry *q)
{
	struct sources from = sources_of(q, true);
	struct table_answer a = ask_from(q, true, from.row, 2);
	struct object o = object_begin();

	if (q->secrets && !is_text(a.row))
		a = (struct table_answer){ .verdict = TABLE_NO_SECRET };
	put_auth(&o, q, &a, &from);
	if (a.verdict == TABLE_FORBIDDEN || a.verdict == TABLE_NO_SECRET)
		object_put(&o, "auth", json_of_text("deny"));
	object_put(&q->o, "discovery", object_end(&o));
}

/* All there is to say; false: the call has been refused. */
static bool describe(struct inquiry *q)
{
	struct sources from = sources_of(q, false);
	struct table_answer a = ask_from(q, false, from.row, 2);

	if (a.verdict != TABLE_OPEN && a.verdict != TABLE_CHAP) {
		refuse_verdict(q, &a);
		return false;
	}
	if (q->secrets && !is_text(a.row)) {
		call_refuse(q->call, 409, "not_text",
			"the secret is no text (UTF-8), and cannot be shown");
		return false;
	}
	object_put(&q->o, "initiator", *q->initiator ? json_of_text(q->initiator) : json_null());
	put_auth(&q->o, q, &a, &from);
	object_put(&q->o, "algorithms", algorithms_json(registry_config(q->registry)));
	object_put(&q->o, "portals", portals_json(q));
	put_discovery(q);
	return true;
}

/* --- the calls ------------------------------------------------------------------------------ */

static bool read_initiator(struct inquiry *q, const char *text)
{
	if (!text || registry_initiator_name(text, q->initiator))
		return true;
	call_refuse(q->call, HTTP_BADREQUEST, "bad_initiator",
		"an initiator is an iSCSI name, as iqn.2026-11.com.example:host");
	return false;
}

/* True: q->o is what to answer. False: the call has been refused. */
static bool inquire(struct inquiry *q, const char *initiator)
{
	q->registry = native_of(q->call)->registry;
	q->target = call_argument(q->call, 0);
	q->o = object_begin();
	if (!registry_target(q->registry, q->target, take_target, q))
		call_refuse(q->call, HTTP_NOTFOUND, "no_such_target", "there is no target %s",
			q->target);
	else if (read_initiator(q, initiator) && (*q->initiator || choose(q)) && describe(q))
		return true;
	json_decref(q->o.j);
	return false;
}

void native_get_connect(struct call *c)
{
	struct inquiry q = { .call = c };

	if (inquire(&q, call_query(c, "initiator")))
		call_reply(c, HTTP_OK, object_end(&q.o));
}

/* An answer that waits until the audit has it. */
struct showing {
	struct call *call;
	json_t *answer;
};

static void shown(void *arg, int err)
{
	struct showing *s = arg;

	if (err) {
		json_decref(s->answer);
		call_refuse(s->call, HTTP_INTERNAL, "not_stored",
			"the audit cannot be written, and without it no secret is shown");
	} else {
		call_reply(s->call, HTTP_OK, s->answer);
	}
	free(s);
}

static void show(struct inquiry *q)
{
	struct showing *s = malloc(sizeof(*s));
	json_t *answer = object_end(&q->o);
	json_t *detail = json_pack("{s:s}", "initiator", name_of(q));
	char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;

	if (!s || !answer || !text) {
		json_decref(answer);
		free(s);
		call_no_memory(q->call);
	} else {
		*s = (struct showing){ q->call, answer };
		log_msg(LOG_NOTICE, "secrets of %s for %s shown to %s", name_of(q), q->target,
			call_who(q->call));
		registry_note(q->registry,
			&(struct catalog_audit){ .who = call_who(q->call),
				.what = "show secrets",
				.object = q->target,
				.detail = text,
				.result = "done" },
			shown, s);
	}
	free(text);
	json_decref(detail);
}

static const struct body_member members[] = { { "initiator", BODY_TEXT } };

void native_post_connect(struct call *c)
{
	struct inquiry q = { .call = c, .secrets = true };

	if (!call_is_owner(c))
		call_refuse(c, 403, "forbidden",
			"secrets are shown to root and the server's own user alone, over the "
			"management socket");
	else if (body_check(c, members, 1) && inquire(&q, body_text(c, "initiator")))
		show(&q);
}

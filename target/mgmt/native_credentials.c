/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credentials. What a request says is judged in two places: here whether it is well-formed, and by
 * the registry, when the turn of the change comes, whether it can be.
 */
#include "mgmt/native_credentials.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "mgmt/native_body.h"
#include "mgmt/native_json.h"
#include "registry/sources.h"

/* Which rows a path speaks of. */
struct place {
	enum credential_scope scope;
	const char *name;      /* borrowed from the call */
	const char *initiator; /* as it came; NULL: all of the scope */
};

static struct place of_target(const struct call *c)
{
	return (struct place){ CREDENTIAL_OF_TARGET, call_argument(c, 0), call_argument(c, 1) };
}

static struct place of_svm(const struct call *c)
{
	return (struct place){ CREDENTIAL_OF_SVM, call_argument(c, 0), call_argument(c, 1) };
}

static struct place of_discovery(const struct call *c)
{
	return (struct place){ CREDENTIAL_OF_DISCOVERY, "", call_argument(c, 0) };
}

/* --- telling -------------------------------------------------------------------------------- */

static const char *const origin_words[] = {
	[CREDENTIAL_FROM_CONFIG] = "config",
	[CREDENTIAL_FROM_NATIVE] = "native",
	[CREDENTIAL_FROM_AWS] = "aws",
	[CREDENTIAL_FROM_ONTAP] = "ontap",
};

static json_t *text_or_null(const char *text)
{
	return *text ? json_of_text(text) : json_null();
}

/* The ranges as a list, each as it was written. */
static json_t *addresses_json(const char *text)
{
	json_t *list = json_array();

	while (*text) {
		size_t len = strcspn(text, ",");

		json_array_append_new(list, json_stringn(text, len));
		text += len;
		text += strspn(text, ", ");
	}
	return list;
}

/* Everything about a row, but no secret. */
static json_t *row_json(const struct credential_spec *row)
{
	bool chap = row->type == CREDENTIAL_CHAP;
	struct object o = object_begin();

	object_put(&o, "scope", json_of_text(credential_scope_text(row->scope)));
	object_put(&o, "name", text_or_null(row->scope_name));
	object_put(&o, "initiator", json_of_text(row->initiator));
	object_put(&o, "type", json_of_text(credential_type_text(row->type)));
	object_put(&o, "user", text_or_null(row->in_user));
	object_put(&o, "mutual", json_boolean(chap && row->out_secret.bytes));
	object_put(&o, "target_user", text_or_null(row->out_user));
	object_put(&o, "addresses", addresses_json(row->source_text));
	object_put(&o, "grace_until",
		row->old_secret.bytes ? json_integer(row->old_until) : json_null());
	object_put(&o, "origin", json_of_text(origin_words[row->origin]));
	object_put(&o, "written_by", text_or_null(row->written_by));
	return object_end(&o);
}

static void reply_rows(struct call *c, struct registry_rows *rows)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rows->n; i++)
		json_array_append_new(list, row_json(&rows->row[i]->spec));
	registry_rows_end(rows);
	call_reply(c, HTTP_OK, json_pack("{s:o}", "credentials", list));
}

static void refuse_scope(struct call *c, const struct place *at)
{
	if (at->scope == CREDENTIAL_OF_SVM)
		call_refuse(c, HTTP_NOTFOUND, "no_such_svm", "there is no SVM %s", at->name);
	else
		call_refuse(c, HTTP_NOTFOUND, "no_such_target", "there is no target %s", at->name);
}

static bool is_there(const struct registry *r, const struct place *at)
{
	switch (at->scope) {
	case CREDENTIAL_OF_TARGET: return registry_svm_of(r, at->name);
	case CREDENTIAL_OF_SVM: return registry_has_svm(r, at->name);
	default: return true;
	}
}

static void refuse_missing(
	struct call *c, const struct registry *r, const struct place *at, const char *initiator)
{
	if (is_there(r, at))
		call_refuse(c, HTTP_NOTFOUND, "no_such_credential",
			"there is no credential of %s for %s", initiator,
			at->scope == CREDENTIAL_OF_DISCOVERY ? "discovery" : at->name);
	else
		refuse_scope(c, at);
}

void native_get_credentials(struct call *c)
{
	struct registry_rows rows;

	if (registry_rows_all(native_of(c)->registry, &rows))
		call_no_memory(c);
	else
		reply_rows(c, &rows);
}

/* Rows may outlive their target, and are told then, too. */
static void list(struct call *c, struct place at)
{
	const struct registry *r = native_of(c)->registry;
	struct registry_rows rows;

	if (registry_rows_of(r, at.scope, at.name, &rows)) {
		call_no_memory(c);
	} else if (rows.n == 0 && !is_there(r, &at)) {
		registry_rows_end(&rows);
		refuse_scope(c, &at);
	} else {
		reply_rows(c, &rows);
	}
}

static void show(struct call *c, struct place at)
{
	const struct registry *r = native_of(c)->registry;
	const struct credential *row =
		table_find(registry_credentials(r), at.scope, at.name, at.initiator);

	if (row)
		call_reply(c, HTTP_OK, row_json(&row->spec));
	else
		refuse_missing(c, r, &at, at.initiator);
}

/* --- changing ------------------------------------------------------------------------------- */

/* A change that somebody waits for. */
struct edit {
	struct call *call;
	const struct registry *registry;
	struct place at;
	char initiator[CREDENTIAL_NAME_MAX + 1];
	bool (*plan)(struct edit *e, struct registry_plan *p);

	/* Of a row to be put; the texts are the call's. */
	struct credential_spec row;
	char *addresses;
	bool mutual, keep;
	int64_t grace;                /* seconds */
	struct secret made, made_out; /* secrets made here, to be told */

	/* Set by the plan. */
	bool created, not_chap;
};

static void edit_free(struct edit *e)
{
	secret_wipe(&e->made);
	secret_wipe(&e->made_out);
	free(e->addresses);
	free(e);
}

static void refuse_fault(struct call *c, const struct registry_outcome *outcome)
{
	switch (outcome->fault) {
	case TABLE_IN_USED_OUT:
	case TABLE_OUT_USED_IN: call_refuse(c, 409, "secret_conflict", "%s", outcome->text); break;
	default: call_refuse(c, HTTP_BADREQUEST, "bad_credential", "%s", outcome->text);
	}
}

static void refuse_outcome(struct edit *e, const struct registry_outcome *outcome)
{
	struct call *c = e->call;

	switch (outcome->result) {
	case REGISTRY_NO_ROW:
		call_refuse(c, HTTP_NOTFOUND, "no_such_credential", "%s", outcome->text);
		break;
	case REGISTRY_NO_SCOPE: refuse_scope(c, &e->at); break;
	case REGISTRY_DECLARED: call_refuse(c, 409, "declared", "%s", outcome->text); break;
	case REGISTRY_FAULTY: refuse_fault(c, outcome); break;
	case REGISTRY_STOPPING:
	case REGISTRY_NO_MEMORY:
		call_refuse(c, HTTP_SERVUNAVAIL, "unavailable", "%s", outcome->text);
		break;
	case REGISTRY_DECLINED:
		if (e->not_chap)
			call_refuse(c, 409, "not_chap",
				"the credential of %s has no secret that could be replaced",
				e->initiator);
		else
			refuse_missing(c, e->registry, &e->at, e->initiator);
		break;
	default: call_refuse(c, HTTP_INTERNAL, "not_stored", "%s", outcome->text);
	}
}

static json_t *secret_json(const struct secret *s)
{
	return json_stringn((const char *)s->bytes, s->len);
}

/* The row as it is now, and the secrets that were made for it. */
static json_t *done_json(const struct edit *e, const struct registry_outcome *outcome)
{
	const struct credential *row = table_find(
		registry_credentials(e->registry), e->at.scope, e->at.name, e->initiator);
	struct object o = object_begin();

	if (row)
		object_put(&o, "credential", row_json(&row->spec));
	if (e->made.len)
		object_put(&o, "secret", secret_json(&e->made));
	if (e->made_out.len)
		object_put(&o, "target_secret", secret_json(&e->made_out));
	object_put(&o, "connections_closed", json_of_number(outcome->closed));
	return object_end(&o);
}

static void edit_done(void *arg, const struct registry_outcome *outcome)
{
	struct edit *e = arg;

	if (outcome->result == REGISTRY_DONE)
		call_reply(e->call, e->created ? 201 : HTTP_OK, done_json(e, outcome));
	else
		refuse_outcome(e, outcome);
	edit_free(e);
}

static bool edit_plan(void *arg, struct registry_plan *p)
{
	struct edit *e = arg;

	return e->plan(e, p);
}

static void submit(struct edit *e, const char *what)
{
	registry_change(native_of(e->call)->registry, &(struct registry_change){
							      .origin = CREDENTIAL_FROM_NATIVE,
							      .who = call_who(e->call),
							      .what = what,
							      .keep = e->keep,
							      .plan = edit_plan,
							      .done = edit_done,
							      .arg = e,
						      });
}

static bool is_initiator(const char *text)
{
	char normal[REGISTRY_NAME_SIZE];

	return !strcasecmp(text, CREDENTIAL_DEFAULT) || registry_initiator_name(text, normal);
}

/* The beginning of every change; NULL when the call has been refused. A row with a name that is none
 * may have been let in by another dialect: it is not made here, but seen and removed. */
static struct edit *edit_begin(struct call *c, struct place at, bool must_be_name,
	bool (*plan)(struct edit *e, struct registry_plan *p))
{
	struct edit *e;

	if (strlen(at.initiator) > CREDENTIAL_NAME_MAX ||
		(must_be_name && !is_initiator(at.initiator))) {
		call_refuse(c, HTTP_BADREQUEST, "bad_initiator",
			"an initiator is an iSCSI name, as iqn.2026-11.com.example:host, or "
			"\"default\"");
		return NULL;
	}
	e = calloc(1, sizeof(*e));
	if (!e) {
		call_no_memory(c);
		return NULL;
	}
	e->call = c;
	e->registry = native_of(c)->registry;
	e->at = at;
	e->plan = plan;
	strcpy(e->initiator, at.initiator);
	e->row = (struct credential_spec){
		.scope = at.scope, .scope_name = at.name, .initiator = e->initiator
	};
	return e;
}

static void edit_refuse(struct edit *e, const char *code, const char *text)
{
	call_refuse(e->call, HTTP_BADREQUEST, code, "%s", text);
	edit_free(e);
}

/* Makes new secrets in the places of those that are asked for. */
static bool make_secrets(struct edit *e)
{
	if (secret_generate(&e->made) && (!e->mutual || secret_generate(&e->made_out)))
		return true;
	call_refuse(e->call, HTTP_SERVUNAVAIL, "unavailable", "the random number generator failed");
	edit_free(e);
	return false;
}

/* --- delete --------------------------------------------------------------------------------- */

static bool plan_remove(struct edit *e, struct registry_plan *p)
{
	registry_plan_remove(p, e->at.scope, e->at.name, e->initiator);
	return true;
}

static void remove_row(struct call *c, struct place at)
{
	struct edit *e = edit_begin(c, at, false, plan_remove);

	if (e)
		submit(e, NULL);
}

/* --- put ------------------------------------------------------------------------------------ */

static const struct body_member put_members[] = {
	{ "type", BODY_TEXT },
	{ "user", BODY_TEXT },
	{ "secret", BODY_TEXT },
	{ "target_user", BODY_TEXT },
	{ "target_secret", BODY_TEXT },
	{ "generate", BODY_BOOL },
	{ "mutual", BODY_BOOL },
	{ "addresses", BODY_LIST_OF_TEXT },
};

static bool plan_put(struct edit *e, struct registry_plan *p)
{
	e->created = !registry_plan_find(p, e->at.scope, e->at.name, e->initiator);
	registry_plan_put(p, &e->row);
	return true;
}

static bool read_type(struct edit *e)
{
	const char *text = body_text(e->call, "type");

	for (int type = CREDENTIAL_CHAP; type <= CREDENTIAL_DENY; type++) {
		e->row.type = (enum credential_type)type;
		if (!text || !strcmp(text, credential_type_text(e->row.type)))
			return true;
	}
	return false;
}

/* The fault of a secret that was given; SECRET_OK where none was. Borrows it from the body. */
static enum secret_fault read_secret(
	const struct call *c, const char *name, struct secret_view *out)
{
	const json_t *j = body_get(c, name);

	if (!j)
		return SECRET_OK;
	*out = (struct secret_view){ (const uint8_t *)json_string_value(j), json_string_length(j) };
	return secret_check(out->len, SECRET_RULE_STRONG);
}

/* What is wrong with the secrets; NULL: nothing. */
static const char *read_secrets(struct edit *e)
{
	bool generate = body_true(e->call, "generate");
	enum secret_fault in = read_secret(e->call, "secret", &e->row.in_secret),
			  out = read_secret(e->call, "target_secret", &e->row.out_secret);

	e->mutual = body_true(e->call, "mutual");
	if (in || out)
		return secret_fault_text(in ? in : out);
	if (e->row.type != CREDENTIAL_CHAP)
		return generate || e->mutual ? table_fault_text(TABLE_SECRET_UNUSED) : NULL;
	if (generate && (e->row.in_secret.bytes || e->row.out_secret.bytes))
		return "secrets are either given or generated";
	if (e->mutual && !generate)
		return "mutual is for secrets that are generated; give target_secret otherwise";
	if (!generate && !e->row.in_secret.bytes)
		return "secret is missing: what the initiator proves that it knows";
	return NULL;
}

/* Puts secrets of our making into the row. False: the call has been refused. */
static bool fill_secrets(struct edit *e)
{
	if (!make_secrets(e))
		return false;
	e->row.in_secret = secret_view(&e->made);
	e->row.out_secret = secret_view(&e->made_out);
	return true;
}

static bool is_range(const char *text)
{
	struct source_range *ranges;
	size_t n;

	if (sources_parse(text, &ranges, &n))
		return false;
	free(ranges);
	return n == 1 && !strchr(text, ',');
}

/* Whether something is wrong with the addresses, which are not quoted: one may be a secret. */
static bool bad_addresses(const json_t *list, char *why, size_t size)
{
	if (json_array_size(list) > CREDENTIAL_SOURCES_MAX) {
		snprintf(
			why, size, "a credential has at most %d addresses", CREDENTIAL_SOURCES_MAX);
		return true;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (is_range(json_string_value(json_array_get(list, i))))
			continue;
		snprintf(why, size,
			"address %zu is none of ADDRESS, FIRST-LAST, ADDRESS/BITS and "
			"ADDRESS/NETMASK",
			i + 1);
		return true;
	}
	return false;
}

/* Puts the addresses into one text. False: there is no memory. */
static bool join_addresses(struct edit *e, const json_t *list)
{
	size_t size = 1;
	char *at;

	for (size_t i = 0; i < json_array_size(list); i++)
		size += json_string_length(json_array_get(list, i)) + 2;
	e->row.source_text = e->addresses = at = calloc(1, size);
	for (size_t i = 0; at && i < json_array_size(list); i++)
		at += sprintf(
			at, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
	return e->addresses;
}

/* False: the call has been refused. */
static bool read_addresses(struct edit *e)
{
	const json_t *list = body_get(e->call, "addresses");
	char why[128];

	if (bad_addresses(list, why, sizeof(why))) {
		edit_refuse(e, "bad_addresses", why);
		return false;
	}
	if (join_addresses(e, list))
		return true;
	call_no_memory(e->call);
	edit_free(e);
	return false;
}

static void put_row(struct call *c, struct place at)
{
	struct edit *e;
	const char *wrong;

	if (!body_check(c, put_members, sizeof(put_members) / sizeof(put_members[0])))
		return;
	e = edit_begin(c, at, true, plan_put);
	if (!e)
		return;
	if (!read_type(e)) {
		edit_refuse(e, "bad_member", "type must be chap, none or deny");
		return;
	}
	e->row.in_user = body_text(c, "user");
	e->row.out_user = body_text(c, "target_user");
	wrong = read_secrets(e);
	if (wrong)
		edit_refuse(e, "bad_secret", wrong);
	else if (read_addresses(e) && (!body_true(c, "generate") || fill_secrets(e)))
		submit(e, NULL);
}

/* --- rotate --------------------------------------------------------------------------------- */

static const struct body_member rotate_members[] = {
	{ "mutual", BODY_BOOL },
	{ "grace", BODY_NUMBER },
};

/* The row as it is, with new secrets; the old ones beside them for a grace. */
static bool plan_rotate(struct edit *e, struct registry_plan *p)
{
	const struct credential *was = registry_plan_find(p, e->at.scope, e->at.name, e->initiator);
	struct credential_spec row;

	e->not_chap = was && was->spec.type != CREDENTIAL_CHAP;
	if (!was || e->not_chap)
		return false;
	row = was->spec;
	row.old_secret = row.old_out_secret = (struct secret_view){ 0 };
	row.old_until = 0;
	if (e->grace) {
		row.old_secret = was->spec.in_secret;
		row.old_out_secret = e->mutual ? was->spec.out_secret : row.old_out_secret;
		row.old_until = (int64_t)time(NULL) + e->grace;
	}
	row.in_secret = secret_view(&e->made);
	if (e->mutual)
		row.out_secret = secret_view(&e->made_out);
	registry_plan_put(p, &row);
	return true;
}

static void rotate(struct call *c, struct place at)
{
	struct edit *e;

	if (!body_check(c, rotate_members, sizeof(rotate_members) / sizeof(rotate_members[0])))
		return;
	e = edit_begin(c, at, true, plan_rotate);
	if (!e)
		return;
	e->mutual = body_true(c, "mutual");
	e->grace = body_number(c, "grace");
	e->keep = e->grace > 0;
	if (e->grace < 0 || e->grace > NATIVE_GRACE_MAX)
		edit_refuse(e, "bad_grace", "grace is a time in seconds, of at most 30 days");
	else if (make_secrets(e))
		submit(e, "rotate credential");
}

/* --- routes --------------------------------------------------------------------------------- */

#define FOR_SCOPE(of) \
	void native_get_credentials_##of(struct call *c) \
	{ \
		list(c, of(c)); \
	} \
	void native_get_credential_##of(struct call *c) \
	{ \
		show(c, of(c)); \
	} \
	void native_put_credential_##of(struct call *c) \
	{ \
		put_row(c, of(c)); \
	} \
	void native_delete_credential_##of(struct call *c) \
	{ \
		remove_row(c, of(c)); \
	} \
	void native_rotate_credential_##of(struct call *c) \
	{ \
		rotate(c, of(c)); \
	}

FOR_SCOPE(of_target)
FOR_SCOPE(of_svm)
FOR_SCOPE(of_discovery)

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of each SVM, with the one for all others ("default"), which is always there: where the
 * table has none it is a row that asks for nothing.
 */
#include "mgmt/ontap_credentials.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "mgmt/native_json.h"
#include "mgmt/ontap_svm.h"
#include "mgmt/ontap_wish.h"

#define PATH "/api/protocols/san/iscsi/credentials"

// clang-format off
static const struct query_leaf leaves[] = {
	{ "svm.uuid",                          true,  true },
	{ "svm.name",                          true,  true },
	{ "initiator",                         true,  true },
	{ "authentication_type",               false, true },
	{ "chap.inbound.user",                 false, false },
	{ "chap.outbound.user",                false, false },
	{ "initiator_address.ranges.start",    false, true },
	{ "initiator_address.ranges.end",      false, true },
	{ "initiator_address.ranges.family",   false, true },
	{ "initiator_address.masks.address",   false, true },
	{ "initiator_address.masks.netmask",   false, true },
	{ "initiator_address.masks.family",    false, true },
};
static const struct query_shape shape = { leaves, sizeof(leaves) / sizeof(leaves[0]), 2 };
// clang-format on

static const struct credential_spec new_row = {
	.scope = CREDENTIAL_OF_SVM,
	.type = CREDENTIAL_NONE,
	.in_user = "",
	.out_user = "",
	.source_text = "",
};

static bool is_default(const char *initiator)
{
	return !strcasecmp(initiator, CREDENTIAL_DEFAULT);
}

/* --- records -------------------------------------------------------------------------------- */

static json_t *chap_json(const struct credential_spec *row)
{
	const char *in = *row->in_user ? row->in_user : row->initiator;
	struct object o = object_begin();

	object_put(&o, "inbound", json_pack("{s:o}", "user", json_of_text(in)));
	if (row->out_secret.bytes)
		object_put(&o, "outbound", json_pack("{s:o}", "user", json_of_text(row->out_user)));
	return object_end(&o);
}

static json_t *addresses_json(const char *text)
{
	struct address_list list;
	json_t *j = address_parse(text, &list) ? address_json(&list) : NULL;

	address_free(&list);
	return j;
}

/* A whole record, without passwords and links. */
static json_t *row_json(const struct ontap_svm *svm, const struct credential_spec *row)
{
	static const char *const types[] = {
		[CREDENTIAL_CHAP] = "chap", [CREDENTIAL_NONE] = "none", [CREDENTIAL_DENY] = "deny"
	};
	struct object o = object_begin();

	object_put(&o, "svm", ontap_svm_json(svm));
	object_put(&o, "initiator", json_of_text(row->initiator));
	object_put(&o, "authentication_type", json_of_text(types[row->type]));
	if (row->type == CREDENTIAL_CHAP)
		object_put(&o, "chap", chap_json(row));
	if (*row->source_text)
		object_put(&o, "initiator_address", addresses_json(row->source_text));
	return object_end(&o);
}

/* The place of a row; that of an initiator whose name is no name can be told, too. */
static bool link_row(json_t *record)
{
	const json_t *svm = json_object_get(record, "svm");
	const char *uuid = json_string_value(json_object_get(svm, "uuid"));
	const char *initiator = json_string_value(json_object_get(record, "initiator"));
	char *name = initiator ? evhttp_encode_uri(initiator) : NULL;
	bool ok = name && ontap_svm_link(record) &&
		  ontap_link(record, PATH "/%s/%s", uuid ? uuid : "", name);

	free(name);
	return ok;
}

/* --- GET ------------------------------------------------------------------------------------ */

/* A row to choose from. */
struct row {
	const struct credential_spec *spec;
	const struct ontap_svm *svm;
	char *place; /* initiator and SVM; NULL: there is but one SVM */
};

/* Rows to choose from, in the order of their places. */
struct rows {
	const struct ontap_svms *svms;
	struct registry_rows *stored;      /* of each SVM */
	struct credential_spec *fallbacks; /* "default" of each, where the table has none */
	struct row *v;
	size_t n;
	bool failed; /* memory is out */
};

static const char *rows_key(void *arg, size_t i)
{
	const struct rows *rows = arg;

	return rows->v[i].spec->initiator;
}

static const char *rows_place(void *arg, size_t i)
{
	const struct rows *rows = arg;

	return rows->v[i].place;
}

static json_t *rows_record(void *arg, size_t i)
{
	const struct rows *rows = arg;

	return row_json(rows->v[i].svm, rows->v[i].spec);
}

static const char *place_of(const struct row *row)
{
	return row->place ? row->place : row->spec->initiator;
}

static int by_place(const void *a, const void *b)
{
	return strcmp(place_of(a), place_of(b));
}

/* The row, or what "default" is without one; NULL: there is none. */
static const struct credential_spec *find_row(const struct registry *r, const struct ontap_svm *svm,
	const char *initiator, struct credential_spec *fallback)
{
	const struct credential *row =
		table_find(registry_credentials(r), CREDENTIAL_OF_SVM, svm->name, initiator);

	*fallback = new_row;
	fallback->scope_name = svm->name;
	fallback->initiator = CREDENTIAL_DEFAULT;
	if (row)
		return &row->spec;
	return is_default(initiator) ? fallback : NULL;
}

/* There is room. A tab is less than all that names are made of. */
static void add_row(
	struct rows *rows, const struct ontap_svm *svm, const struct credential_spec *spec)
{
	struct row *row = &rows->v[rows->n];

	*row = (struct row){ .spec = spec, .svm = svm };
	if (rows->svms->n > 1 && asprintf(&row->place, "%s\t%s", spec->initiator, svm->name) < 0) {
		rows->failed = true;
		return;
	}
	rows->n++;
}

static bool make_room(struct rows *rows, size_t more)
{
	struct row *grown = reallocarray(rows->v, rows->n + more, sizeof(*grown));

	if (grown)
		rows->v = grown;
	rows->failed |= !grown;
	return grown;
}

static void add_all(struct rows *rows, const struct registry *r, size_t i)
{
	const struct ontap_svm *svm = &rows->svms->v[i];
	const struct credential_spec *dflt;

	if (registry_rows_of(r, CREDENTIAL_OF_SVM, svm->name, &rows->stored[i])) {
		rows->failed = true;
		return;
	}
	if (!make_room(rows, rows->stored[i].n + 1))
		return;
	for (size_t j = 0; j < rows->stored[i].n; j++)
		add_row(rows, svm, &rows->stored[i].row[j]->spec);
	dflt = find_row(r, svm, CREDENTIAL_DEFAULT, &rows->fallbacks[i]);
	if (dflt == &rows->fallbacks[i])
		add_row(rows, svm, dflt);
}

/* One initiator's alone, as the query asks for no other: found without going through the rest. */
static void add_one(struct rows *rows, const struct registry *r, size_t i, const char *initiator)
{
	const struct credential_spec *row =
		find_row(r, &rows->svms->v[i], initiator, &rows->fallbacks[i]);

	if (row && make_room(rows, 1))
		add_row(rows, &rows->svms->v[i], row);
}

static void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->v[i].place);
	for (size_t i = 0; rows->stored && i < rows->svms->n; i++)
		registry_rows_end(&rows->stored[i]);
	free(rows->v);
	free(rows->stored);
	free(rows->fallbacks);
}

/* All rows that a query may be about, for as long as `rows` is there, which rows_free() ends in any
 * case. False: memory is out. */
static bool rows_gather(struct rows *rows, const struct registry *r, const struct ontap_svms *svms,
	const struct query *q, struct query_source *out)
{
	const char *initiator = query_exactly(q, "initiator");
	size_t n = svms->n;

	*rows = (struct rows){ .svms = svms };
	rows->stored = calloc(n + 1, sizeof(*rows->stored));
	rows->fallbacks = calloc(n + 1, sizeof(*rows->fallbacks));
	rows->failed = !rows->stored || !rows->fallbacks;
	for (size_t i = 0; i < n && !rows->failed; i++)
		if (initiator)
			add_one(rows, r, i, initiator);
		else
			add_all(rows, r, i);
	if (rows->failed)
		return false;
	if (rows->n)
		qsort(rows->v, rows->n, sizeof(*rows->v), by_place);
	*out = (struct query_source){
		.n = rows->n,
		.key = rows_key,
		.record = rows_record,
		.arg = rows,
		.place = n > 1 ? rows_place : NULL,
	};
	return true;
}

static void reply_rows(struct call *c, const struct query *q, const struct ontap_svms *svms)
{
	struct query_source source;
	struct rows rows;

	if (rows_gather(&rows, ontap_of(c)->registry, svms, q, &source))
		ontap_reply_page(c, q, &source, link_row);
	else
		call_reply(c, HTTP_OK, NULL);
	rows_free(&rows);
}

void ontap_get_credentials(struct call *c)
{
	struct ontap_svms svms;
	struct query *q;

	if (!ontap_query(c, &shape, QUERY_FIELDS | QUERY_COLLECTION | QUERY_RECORDS, &q))
		return;
	if (ontap_svms(c, &svms)) {
		reply_rows(c, q, &svms);
		ontap_svms_free(&svms);
	}
	query_free(q);
}

static void reply_row(struct call *c, const struct query *q, const struct ontap_svms *svms)
{
	struct ontap_fault why = { 0 };
	const struct ontap_svm *svm = ontap_svm_of_get(svms, call_argument(c, 0), &why);
	struct credential_spec fallback;
	const struct credential_spec *row =
		svm ? find_row(ontap_of(c)->registry, svm, call_argument(c, 1), &fallback) : NULL;

	if (svm && !row)
		ontap_fault(&why, HTTP_NOTFOUND, "4", "initiator", "entry doesn't exist");
	if (row)
		ontap_reply_one(c, q, row_json(svm, row), link_row);
	else
		ontap_refuse(c, &why);
}

void ontap_get_credential(struct call *c)
{
	struct ontap_svms svms;
	struct query *q;

	if (!ontap_query(c, &shape, QUERY_FIELDS, &q))
		return;
	if (ontap_svms(c, &svms)) {
		reply_row(c, q, &svms);
		ontap_svms_free(&svms);
	}
	query_free(q);
}

/* --- changes -------------------------------------------------------------------------------- */

/* One row of a change. */
struct aim {
	const struct ontap_svm *svm; /* of the edit */
	struct wish wish;            /* of a DELETE but the initiator */
};

/* A change that somebody waits for. */
struct edit {
	struct call *call;
	struct ontap *ontap;
	struct query *query;
	struct ontap_svms svms; /* that the call sees */
	bool (*plan)(struct edit *e, struct registry_plan *p);
	json_t *(*answer)(struct edit *e);
	int status; /* of the answer */
	enum wish_mode mode;
	bool chosen;            /* by a query: a row that is gone meanwhile is not missed */
	bool planned;           /* the plan has not refused */
	struct ontap_fault why; /* set by a plan that finds that it cannot be */
	struct aim *aims;
	size_t n;
};

static void edit_free(struct edit *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->n; i++)
		wish_free(&e->aims[i].wish);
	free(e->aims);
	ontap_svms_free(&e->svms);
	query_free(e->query);
	free(e);
}

static void edit_refuse(struct edit *e)
{
	ontap_refuse(e->call, &e->why);
	edit_free(e);
}

static void fault_of_row(struct ontap_fault *why, const struct registry_outcome *outcome)
{
	switch (outcome->fault) {
	case TABLE_SAME_SECRET:
	case TABLE_IN_USED_OUT:
	case TABLE_OUT_USED_IN:
		ontap_fault(why, HTTP_BADREQUEST, "5374147", NULL,
			"The CHAP inbound and outbound passwords must be different; %s.",
			outcome->text);
		break;
	case TABLE_DEFAULT_SOURCES:
		ontap_fault(why, HTTP_BADREQUEST, "5374155", "initiator_address",
			"The functionality is not supported for the default security credential.");
		break;
	default: ontap_fault(why, HTTP_BADREQUEST, "2", NULL, "%s", outcome->text);
	}
}

static void fault_of(struct ontap_fault *why, const struct registry_outcome *outcome)
{
	switch (outcome->result) {
	case REGISTRY_DECLINED: break; /* the plan has said why */
	case REGISTRY_NO_ROW:
		ontap_fault(why, HTTP_NOTFOUND, "5374895", "initiator",
			"The iSCSI security credential does not exist on the specified SVM.");
		break;
	case REGISTRY_NO_SCOPE:
		ontap_fault(why, HTTP_NOTFOUND, "2621462", "svm",
			"An SVM with the specified UUID does not exist.");
		break;
	case REGISTRY_DECLARED: ontap_fault(why, 409, "8", NULL, "%s", outcome->text); break;
	case REGISTRY_FAULTY: fault_of_row(why, outcome); break;
	case REGISTRY_NO_MEMORY:
	case REGISTRY_STOPPING:
		ontap_fault(why, HTTP_SERVUNAVAIL, "0", NULL, "%s", outcome->text);
		break;
	default: ontap_fault(why, HTTP_INTERNAL, "0", NULL, "%s", outcome->text);
	}
}

static bool edit_plan(void *arg, struct registry_plan *p)
{
	struct edit *e = arg;

	e->planned = e->plan(e, p);
	return e->planned;
}

/* RFC 7143 9.2.1 wants 96 bits where there is no IPsec; clients of this API have shorter ones. */
static void warn_of_weak(const struct aim *aim)
{
	const struct wish *w = &aim->wish;

	if ((w->in.has_password && w->in.password.len < SECRET_STRONG) ||
		(w->out.has_password && w->out.password.len < SECRET_STRONG))
		log_msg(LOG_WARNING, "%s: a secret of initiator \"%s\" is shorter than %d bytes",
			aim->svm->name, w->initiator, SECRET_STRONG);
}

static void edit_done(void *arg, const struct registry_outcome *outcome)
{
	struct edit *e = arg;
	bool nothing_left = outcome->result == REGISTRY_DECLINED && e->planned;

	if (outcome->result != REGISTRY_DONE && !nothing_left) {
		fault_of(&e->why, outcome);
		edit_refuse(e);
		return;
	}
	for (size_t i = 0; i < e->n; i++)
		warn_of_weak(&e->aims[i]);
	call_reply(e->call, e->status, e->answer ? e->answer(e) : json_object());
	edit_free(e);
}

static void submit(struct edit *e)
{
	registry_change(e->ontap->registry, &(struct registry_change){
						    .origin = CREDENTIAL_FROM_ONTAP,
						    .who = call_who(e->call),
						    .plan = edit_plan,
						    .done = edit_done,
						    .arg = e,
					    });
}

/* The beginning of every change; NULL: the call has been refused. */
static struct edit *edit_begin(struct call *c, unsigned takes, size_t n)
{
	struct edit *e = calloc(1, sizeof(*e));

	if (!e || !(e->aims = calloc(n, sizeof(*e->aims)))) {
		free(e);
		call_reply(c, HTTP_OK, NULL);
		return NULL;
	}
	e->call = c;
	e->ontap = ontap_of(c);
	e->status = HTTP_OK;
	if (!ontap_query(c, &shape, takes, &e->query) || !ontap_svms(c, &e->svms)) {
		edit_free(e);
		return NULL;
	}
	return e;
}

static bool is_strict(const struct edit *e)
{
	return registry_config(e->ontap->registry)->chap.strict;
}

/* --- DELETE --------------------------------------------------------------------------------- */

/* Whether an aim is still there. */
static bool is_met(const struct aim *aim, const struct registry_plan *p)
{
	return registry_plan_find(p, CREDENTIAL_OF_SVM, aim->svm->name, aim->wish.initiator);
}

static bool plan_remove(struct edit *e, struct registry_plan *p)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct aim *aim = &e->aims[i];

		if (!e->chosen || is_met(aim, p))
			registry_plan_remove(
				p, CREDENTIAL_OF_SVM, aim->svm->name, aim->wish.initiator);
	}
	return true;
}

static bool not_there(struct ontap_fault *why)
{
	return ontap_fault(why, HTTP_NOTFOUND, "5374895", "initiator",
		"The iSCSI security credential does not exist on the specified SVM.");
}

/* The row that the path names. */
static bool read_path(struct edit *e)
{
	const char *initiator = call_argument(e->call, 1);

	e->aims[0].svm = ontap_svm_of_change(&e->svms, call_argument(e->call, 0), &e->why);
	if (!e->aims[0].svm)
		return false;
	return strlen(initiator) <= CREDENTIAL_NAME_MAX || not_there(&e->why);
}

void ontap_delete_credential(struct call *c)
{
	const char *initiator = call_argument(c, 1);
	struct edit *e = edit_begin(c, 0, 1);
	bool ok;

	if (!e)
		return;
	ok = read_path(e);
	if (ok && is_default(initiator))
		ok = ontap_fault(&e->why, HTTP_BADREQUEST, "5374148", NULL,
			"The default security credential cannot be deleted for an SVM.");
	if (!ok) {
		edit_refuse(e);
		return;
	}
	e->n = 1;
	strcpy(e->aims[0].wish.initiator, initiator);
	e->plan = plan_remove;
	submit(e);
}

/* --- PATCH ---------------------------------------------------------------------------------- */

static bool put(
	struct edit *e, struct registry_plan *p, struct aim *aim, const struct credential_spec *was)
{
	struct credential_spec row, base = *was;

	base.scope_name = aim->svm->name;
	base.initiator = aim->wish.initiator;
	if (!wish_apply(&aim->wish, e->mode, &base, &row, &e->why))
		return false;
	registry_plan_put(p, &row);
	return true;
}

static bool change_one(struct edit *e, struct registry_plan *p, struct aim *aim)
{
	const struct credential *was =
		registry_plan_find(p, CREDENTIAL_OF_SVM, aim->svm->name, aim->wish.initiator);

	if (!was && !is_default(aim->wish.initiator))
		return e->chosen || not_there(&e->why);
	return put(e, p, aim, was ? &was->spec : &new_row);
}

static bool plan_change(struct edit *e, struct registry_plan *p)
{
	for (size_t i = 0; i < e->n; i++)
		if (!change_one(e, p, &e->aims[i]))
			return false;
	return true;
}

/* The row cannot go to another SVM; that it is of its own may be said. */
static bool stays_in_svm(struct edit *e, const struct aim *aim)
{
	const struct wish *w = &aim->wish;
	const struct ontap_svm *svm;

	if (!w->svm_uuid && !w->svm_name)
		return true;
	svm = ontap_svm_of_body(e->call, &e->svms, w->svm_uuid, w->svm_name, &e->why);
	if (svm && svm != aim->svm)
		return ontap_fault(&e->why, HTTP_BADREQUEST, "262196", "svm",
			"Field \"svm\" cannot be set in this operation");
	return svm;
}

/* What the body has in mind for a row. */
static bool read_change(struct edit *e, struct aim *aim, const char *initiator)
{
	e->plan = plan_change;
	if (query_adds(e->query))
		e->mode = WISH_ADDS;
	else if (query_removes(e->query))
		e->mode = WISH_REMOVES;
	return wish_read_change(call_json(e->call), initiator, is_strict(e), &aim->wish, &e->why) &&
	       stays_in_svm(e, aim);
}

void ontap_patch_credential(struct call *c)
{
	struct edit *e = edit_begin(c, QUERY_ADDRESSES, 1);

	if (!e)
		return;
	e->n = 1;
	if (read_path(e) && read_change(e, &e->aims[0], call_argument(c, 1)))
		submit(e);
	else
		edit_refuse(e);
}

/* --- of those that a query chooses ---------------------------------------------------------- */

static json_t *answer_chosen(struct edit *e)
{
	return json_pack("{s:I}", "num_records", (json_int_t)e->n);
}

/* Those of the records that a call can change: of a DELETE "default" is none. */
static bool aim_at(struct edit *e, const json_t *records, bool removes)
{
	size_t n = json_array_size(records);
	struct aim *aims = reallocarray(e->aims, n + 1, sizeof(*aims));

	if (!aims)
		return false;
	e->aims = aims;
	for (size_t i = 0; i < n; i++) {
		const json_t *record = json_array_get(records, i), *svm;
		const char *name = json_string_value(json_object_get(record, "initiator"));
		struct aim *aim = &e->aims[e->n];

		if (removes && is_default(name))
			continue;
		svm = json_object_get(record, "svm");
		*aim = (struct aim){ 0 };
		strcpy(aim->wish.initiator, name);
		aim->svm = ontap_svm_of_change(
			&e->svms, json_string_value(json_object_get(svm, "uuid")), &e->why);
		e->n++;
	}
	return true;
}

static bool choose(struct edit *e, bool removes)
{
	struct query_source source;
	struct query_page page;
	struct rows rows;
	bool ok;

	e->chosen = true;
	e->answer = answer_chosen;
	if (!query_chooses(e->query))
		return ontap_fault(&e->why, HTTP_BADREQUEST, "2", NULL,
			"A change of several records takes a query that chooses them.");
	ok = rows_gather(&rows, e->ontap->registry, &e->svms, e->query, &source) &&
	     query_run(e->query, &source, &page);
	if (ok) {
		ok = aim_at(e, page.records, removes);
		json_decref(page.records);
		free(page.next);
	}
	rows_free(&rows);
	return ok;
}

static void submit_chosen(struct edit *e)
{
	if (e->n) {
		submit(e);
		return;
	}
	call_reply(e->call, HTTP_OK, answer_chosen(e));
	edit_free(e);
}

void ontap_delete_credentials(struct call *c)
{
	struct edit *e = edit_begin(c, QUERY_COLLECTION, 1);

	if (!e)
		return;
	e->plan = plan_remove;
	if (choose(e, true))
		submit_chosen(e);
	else
		edit_refuse(e);
}

void ontap_patch_credentials(struct call *c)
{
	struct edit *e = edit_begin(c, QUERY_COLLECTION | QUERY_ADDRESSES, 1);
	char name[CREDENTIAL_NAME_MAX + 1];
	bool ok;

	if (!e)
		return;
	ok = choose(e, false);
	for (size_t i = 0; i < e->n && ok; i++) {
		strcpy(name, e->aims[i].wish.initiator);
		ok = read_change(e, &e->aims[i], name);
	}
	if (ok)
		submit_chosen(e);
	else
		edit_refuse(e);
}

/* --- POST ----------------------------------------------------------------------------------- */

static bool plan_create(struct edit *e, struct registry_plan *p)
{
	for (size_t i = 0; i < e->n; i++) {
		struct aim *aim = &e->aims[i];
		const char *initiator = aim->wish.initiator;

		if (is_default(initiator) ||
			registry_plan_find(p, CREDENTIAL_OF_SVM, aim->svm->name, initiator))
			return ontap_fault(&e->why, 409, "5374142", "initiator",
				"An iSCSI security credential already exists for the "
				"specified initiator.");
		if (!put(e, p, aim, &new_row))
			return false;
	}
	return true;
}

/* Where the new row is; of several there is no one place. */
static void tell_location(struct edit *e)
{
	char *name = e->n == 1 ? evhttp_encode_uri(e->aims[0].wish.initiator) : NULL;
	char *place = NULL;

	if (name && asprintf(&place, PATH "/%s/%s", e->aims[0].svm->uuid, name) >= 0) {
		call_answer_header(e->call, "Location", place);
		free(place);
	}
	free(name);
}

/* Whole records of what was made. NULL: memory is out. */
static json_t *created_json(struct edit *e)
{
	json_t *records = json_array();

	for (size_t i = 0; i < e->n; i++) {
		const struct aim *aim = &e->aims[i];
		struct credential_spec fallback;
		const struct credential_spec *row =
			find_row(e->ontap->registry, aim->svm, aim->wish.initiator, &fallback);
		json_t *record = row ? row_json(aim->svm, row) : NULL;

		if (record && ontap_links(e->call))
			link_row(record);
		if (record)
			json_array_append_new(records, record);
	}
	return json_pack("{s:I, s:o}", "num_records", (json_int_t)json_array_size(records),
		"records", records);
}

static json_t *answer_create(struct edit *e)
{
	tell_location(e);
	return query_wants_records(e->query, false) ? created_json(e) : json_object();
}

static bool read_record(struct edit *e, const json_t *body)
{
	struct aim *aim = &e->aims[e->n++];
	struct wish *w = &aim->wish;

	if (!wish_read_new(body, is_strict(e), w, &e->why))
		return false;
	aim->svm = ontap_svm_of_body(e->call, &e->svms, w->svm_uuid, w->svm_name, &e->why);
	return aim->svm;
}

/* One row, or those in "records". */
static bool read_records(struct edit *e, const json_t *body)
{
	const json_t *records = json_object_get(body, "records");

	if (!records)
		return read_record(e, body);
	if (!json_array_size(records) || json_object_size(body) != 1)
		return ontap_fault(&e->why, HTTP_BADREQUEST, "262185", "records",
			"Invalid value for field \"records\".");
	for (size_t i = 0; i < json_array_size(records); i++)
		if (!read_record(e, json_array_get(records, i)))
			return false;
	return true;
}

void ontap_post_credentials(struct call *c)
{
	size_t n = json_array_size(json_object_get(call_json(c), "records"));
	struct edit *e = edit_begin(c, QUERY_RECORDS, n ? n : 1);

	if (!e)
		return;
	e->status = 201;
	e->plan = plan_create;
	e->answer = answer_create;
	if (read_records(e, call_json(c)))
		submit(e);
	else
		edit_refuse(e);
}

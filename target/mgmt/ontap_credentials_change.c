/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making, changing and deleting credentials: one, several of a body, or those that a query chooses; all
 * of them or none.
 */
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mgmt/ontap_credentials.h"
#include "mgmt/ontap_row.h"
#include "mgmt/ontap_wish.h"

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
		call_no_memory(c);
		return NULL;
	}
	e->call = c;
	e->ontap = ontap_of(c);
	e->status = HTTP_OK;
	if (!ontap_query(c, &ontap_row_shape, takes, &e->query) || !ontap_svms(c, &e->svms)) {
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
	if (ok && ontap_row_is_default(initiator))
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

	if (!was && !ontap_row_is_default(aim->wish.initiator))
		return e->chosen || not_there(&e->why);
	return put(e, p, aim, was ? &was->spec : &ontap_row_new);
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

		if (removes && ontap_row_is_default(name))
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
	struct ontap_rows rows;
	bool ok;

	e->chosen = true;
	e->answer = answer_chosen;
	if (!query_chooses(e->query))
		return ontap_fault(&e->why, HTTP_BADREQUEST, "2", NULL,
			"A change of several records takes a query that chooses them.");
	ok = ontap_rows_gather(&rows, e->ontap->registry, &e->svms, e->query, &source) &&
	     query_run(e->query, &source, &page);
	if (ok) {
		ok = aim_at(e, page.records, removes);
		json_decref(page.records);
		free(page.next);
	}
	ontap_rows_free(&rows);
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

		if (ontap_row_is_default(initiator) ||
			registry_plan_find(p, CREDENTIAL_OF_SVM, aim->svm->name, initiator))
			return ontap_fault(&e->why, 409, "5374142", "initiator",
				"An iSCSI security credential already exists for the "
				"specified initiator.");
		if (!put(e, p, aim, &ontap_row_new))
			return false;
	}
	return true;
}

/* Where the new row is; of several there is no one place. */
static void tell_location(struct edit *e)
{
	char *name = e->n == 1 ? evhttp_encode_uri(e->aims[0].wish.initiator) : NULL;
	char *place = NULL;

	if (name && asprintf(&place, ONTAP_ROW_PATH "/%s/%s", e->aims[0].svm->uuid, name) >= 0) {
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
		const struct credential_spec *row = ontap_row_find(
			e->ontap->registry, aim->svm, aim->wish.initiator, &fallback);
		json_t *record = row ? ontap_row_json(aim->svm, row) : NULL;

		if (record && ontap_links(e->call))
			ontap_row_link(record);
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

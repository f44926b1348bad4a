/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SVMs and their iSCSI services. Their uuids are made up once, and are in the catalog from then on:
 * clients keep them in their inventories.
 */
#include "mgmt/ontap_svm.h"

#include <errno.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mgmt/native_json.h"
#include "mgmt/uuid.h"

/* --- identities ----------------------------------------------------------------------------- */

struct identity {
	char setting[96];
	char uuid[UUID_SIZE];
	bool found;
};

static int take_uuid(const char *name, const char *value, void *arg)
{
	struct identity *id = arg;

	if (!strcmp(name, id->setting) && uuid_check(value)) {
		strcpy(id->uuid, value);
		id->found = true;
	}
	return 0;
}

/* On the catalog's thread. */
static int look_or_make(struct catalog_tx *tx, void *arg)
{
	struct identity *id = arg;
	int err;

	id->found = false;
	err = catalog_setting_load(tx, id->setting, take_uuid, id);
	if (err || id->found)
		return err;
	if (!uuid_make(id->uuid))
		return -EIO;
	return catalog_setting_put(tx, id->setting, id->uuid);
}

/* Waits for the catalog, once in the life of the process for each identity. */
static bool identify(struct call *c, const char *what, char uuid[static UUID_SIZE])
{
	struct identity id = { 0 };
	struct ontap_fault why;

	snprintf(id.setting, sizeof(id.setting), "ontap/%s/uuid", what);
	if (catalog_run(registry_catalog(ontap_of(c)->registry), look_or_make, &id, NULL)) {
		ontap_fault(&why, HTTP_INTERNAL, "0", NULL, "The catalog cannot be read.");
		ontap_refuse(c, &why);
		return false;
	}
	strcpy(uuid, id.uuid);
	return true;
}

const char *ontap_cluster_uuid(struct call *c)
{
	struct ontap *o = ontap_of(c);

	return *o->cluster_uuid || identify(c, "cluster", o->cluster_uuid) ? o->cluster_uuid : NULL;
}

/* --- SVMs ----------------------------------------------------------------------------------- */

void ontap_end(struct ontap *o)
{
	free(o->svms);
	o->svms = NULL;
	o->n_svms = 0;
}

/* Without memory it is asked for again the next time. */
static void remember(struct ontap *o, const struct ontap_svm *svm)
{
	struct ontap_svm *grown = reallocarray(o->svms, o->n_svms + 1, sizeof(*grown));

	if (!grown)
		return;
	o->svms = grown;
	grown[o->n_svms++] = *svm;
}

/* The uuid is of the name without regard to case, as names of SVMs are. False: the call has been
 * refused. */
static bool give_uuid(struct call *c, struct ontap_svm *svm)
{
	struct ontap *o = ontap_of(c);
	char what[96];

	for (size_t i = 0; i < o->n_svms; i++)
		if (!strcmp(o->svms[i].name, svm->name)) {
			*svm = o->svms[i];
			return true;
		}
	snprintf(what, sizeof(what), "svm/%s", svm->name);
	if (!identify(c, what, svm->uuid))
		return false;
	remember(o, svm);
	return true;
}

struct gathering {
	struct ontap_svms *out;
	bool failed;
};

static void gather(void *arg, const char *name)
{
	struct gathering *g = arg;
	struct ontap_svms *out = g->out;
	struct ontap_svm *grown = reallocarray(out->v, out->n + 1, sizeof(*grown));

	g->failed |= !grown;
	if (!grown)
		return;
	out->v = grown;
	grown[out->n] = (struct ontap_svm){ 0 };
	snprintf(grown[out->n++].name, sizeof(grown->name), "%s", name);
}

/* Whether the call sees an SVM: by the user's account, and by headers that narrow it. */
static bool is_seen(struct call *c, const struct config_user *user, const struct ontap_svm *svm)
{
	const char *name = call_header(c, "X-Dot-SVM-Name");
	const char *uuid = call_header(c, "X-Dot-SVM-UUID");

	return !(user && user->svm && strcasecmp(user->svm, svm->name) != 0) &&
	       !(name && strcasecmp(name, svm->name) != 0) &&
	       !(uuid && strcasecmp(uuid, svm->uuid) != 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct ontap_svm *)a)->name, ((const struct ontap_svm *)b)->name);
}

bool ontap_svms(struct call *c, struct ontap_svms *out)
{
	const struct config_user *user = ontap_user(c);
	struct gathering g = { .out = out };
	size_t n = 0;

	*out = (struct ontap_svms){ 0 };
	registry_svms(ontap_of(c)->registry, gather, &g);
	if (g.failed) {
		ontap_svms_free(out);
		call_no_memory(c);
		return false;
	}
	for (size_t i = 0; i < out->n; i++) {
		if (!give_uuid(c, &out->v[i])) {
			ontap_svms_free(out);
			return false;
		}
		if (is_seen(c, user, &out->v[i]))
			out->v[n++] = out->v[i];
	}
	out->n = n;
	qsort(out->v, n, sizeof(*out->v), by_name);
	return true;
}

void ontap_svms_free(struct ontap_svms *svms)
{
	free(svms->v);
	*svms = (struct ontap_svms){ 0 };
}

static const struct ontap_svm *find_uuid(const struct ontap_svms *svms, const char *uuid)
{
	for (size_t i = 0; i < svms->n; i++)
		if (!strcasecmp(svms->v[i].uuid, uuid))
			return &svms->v[i];
	return NULL;
}

static bool malformed(const char *uuid, struct ontap_fault *why)
{
	return !uuid_check(uuid) &&
	       !ontap_fault(why, HTTP_NOTFOUND, "2", "uuid",
		       "\"%.64s\" is an invalid value for field \"uuid\" (<UUID>)", uuid);
}

const struct ontap_svm *ontap_svm_of_change(
	const struct ontap_svms *svms, const char *uuid, struct ontap_fault *why)
{
	const struct ontap_svm *svm = malformed(uuid, why) ? NULL : find_uuid(svms, uuid);

	if (!svm && uuid_check(uuid))
		ontap_fault(why, HTTP_NOTFOUND, "2621462", "svm.uuid",
			"An SVM with the specified UUID does not exist.");
	return svm;
}

const struct ontap_svm *ontap_svm_of_get(
	const struct ontap_svms *svms, const char *uuid, struct ontap_fault *why)
{
	const struct ontap_svm *svm = malformed(uuid, why) ? NULL : find_uuid(svms, uuid);

	if (!svm && uuid_check(uuid))
		ontap_fault(why, HTTP_NOTFOUND, "4", "uuid", "entry doesn't exist");
	return svm;
}

static const struct ontap_svm *find_name(const struct ontap_svms *svms, const char *name)
{
	for (size_t i = 0; i < svms->n; i++)
		if (!strcasecmp(svms->v[i].name, name))
			return &svms->v[i];
	return NULL;
}

/* Without either it is the only one that there can be: by the account, or by a header. */
static const struct ontap_svm *only_one(
	struct call *c, const struct ontap_svms *svms, struct ontap_fault *why)
{
	const struct config_user *user = ontap_user(c);
	bool narrowed = (user && user->svm) || call_header(c, "X-Dot-SVM-Name") ||
			call_header(c, "X-Dot-SVM-UUID");

	if (!narrowed)
		ontap_fault(why, HTTP_BADREQUEST, "2621707", "svm",
			"No SVM was specified. Either `svm.name` or `svm.uuid` must be supplied.");
	else if (!svms->n)
		ontap_fault(why, HTTP_NOTFOUND, "2621462", "svm.uuid",
			"An SVM with the specified UUID does not exist.");
	return narrowed && svms->n ? &svms->v[0] : NULL;
}

const struct ontap_svm *ontap_svm_of_body(struct call *c, const struct ontap_svms *svms,
	const char *uuid, const char *name, struct ontap_fault *why)
{
	const struct ontap_svm *by_uuid = uuid ? find_uuid(svms, uuid) : NULL;
	const struct ontap_svm *named = name ? find_name(svms, name) : NULL;

	if (!uuid && !name)
		return only_one(c, svms, why);
	if (uuid && name && by_uuid != named)
		ontap_fault(why, HTTP_BADREQUEST, "2621706", "svm",
			"Both the SVM UUID and SVM name were supplied, but they do not refer "
			"to the same SVM.");
	else if (uuid && !by_uuid)
		ontap_fault(why, HTTP_NOTFOUND, "2621462", "svm.uuid",
			"An SVM with the specified UUID does not exist.");
	else if (name && !named)
		ontap_fault(why, HTTP_NOTFOUND, "2621462", "svm.name",
			"SVM \"%.64s\" does not exist.", name);
	else
		return uuid ? by_uuid : named;
	return NULL;
}

json_t *ontap_svm_json(const struct ontap_svm *svm)
{
	return json_pack("{s:s, s:s}", "uuid", svm->uuid, "name", svm->name);
}

static bool link_svm(json_t *svm)
{
	const char *uuid = json_string_value(json_object_get(svm, "uuid"));

	return !uuid || ontap_link(svm, "/api/svm/svms/%s", uuid);
}

bool ontap_svm_link(json_t *record)
{
	json_t *svm = json_object_get(record, "svm");

	return !svm || link_svm(svm);
}

/* --- /api/svm/svms -------------------------------------------------------------------------- */

// clang-format off
static const struct query_leaf svm_leaves[] = {
	{ "uuid",  true,  true },
	{ "name",  true,  true },
	{ "state", false, true },
	{ "iscsi.enabled", false, true },
};
static const struct query_shape svm_shape = { svm_leaves, 4, 1 };

static const struct query_leaf service_leaves[] = {
	{ "svm.uuid",     true,  true },
	{ "svm.name",     true,  true },
	{ "enabled",      false, true },
	{ "target.name",  false, true },
	{ "target.alias", false, false },
};
static const struct query_shape service_shape = { service_leaves, 5, 1 };
// clang-format on

/* What records are made of, one for each SVM that the call sees. */
struct subject {
	const struct registry *registry;
	struct ontap_svms svms;
};

static const char *svm_key(void *arg, size_t i)
{
	const struct subject *s = arg;

	return s->svms.v[i].name;
}

static json_t *svm_record(void *arg, size_t i)
{
	const struct ontap_svm *svm = &((const struct subject *)arg)->svms.v[i];

	return json_pack("{s:s, s:s, s:s, s:{s:b}}", "uuid", svm->uuid, "name", svm->name, "state",
		"running", "iscsi", "enabled", 1);
}

/* --- /api/protocols/san/iscsi/services ------------------------------------------------------ */

struct first_target {
	const char *svm;
	json_t *json;
};

static void take_target(void *arg, const struct registry_target *t)
{
	struct first_target *first = arg;
	struct object o;

	if (first->json || strcasecmp(t->svm, first->svm) != 0)
		return;
	o = object_begin();
	object_put(&o, "name", json_of_text(t->name));
	object_put(&o, "alias", json_of_text(t->alias ? t->alias : first->svm));
	first->json = object_end(&o);
}

/* An SVM of that API has one target; of the SVM here, which may have more, the first is told. */
static json_t *service_record(void *arg, size_t i)
{
	const struct subject *s = arg;
	struct first_target first = { .svm = s->svms.v[i].name };
	struct object o = object_begin();

	if (!registry_targets(s->registry, take_target, &first))
		o.failed = true;
	object_put(&o, "svm", ontap_svm_json(&s->svms.v[i]));
	object_put(&o, "enabled", json_true());
	if (first.json)
		object_put(&o, "target", first.json);
	return object_end(&o);
}

static bool link_service(json_t *record)
{
	const char *uuid =
		json_string_value(json_object_get(json_object_get(record, "svm"), "uuid"));

	return ontap_svm_link(record) &&
	       ontap_link(record, "/api/protocols/san/iscsi/services/%s", uuid ? uuid : "");
}

/* --- both ----------------------------------------------------------------------------------- */

/* Collections of one record for each SVM. */
struct kind {
	const struct query_shape *shape;
	json_t *(*record)(void *arg, size_t i);
	bool (*link)(json_t *record);
};
static const struct kind svms = { &svm_shape, svm_record, link_svm };
static const struct kind services = { &service_shape, service_record, link_service };

static void get_all(struct call *c, const struct kind *kind)
{
	struct subject subject = { .registry = ontap_of(c)->registry };
	struct query_source source = { .key = svm_key, .record = kind->record, .arg = &subject };
	struct query *q;

	if (!ontap_query(c, kind->shape, QUERY_FIELDS | QUERY_COLLECTION | QUERY_RECORDS, &q))
		return;
	if (ontap_svms(c, &subject.svms)) {
		source.n = subject.svms.n;
		ontap_reply_page(c, q, &source, kind->link);
		ontap_svms_free(&subject.svms);
	}
	query_free(q);
}

static void get_one(struct call *c, const struct kind *kind)
{
	struct subject subject = { .registry = ontap_of(c)->registry };
	struct ontap_fault why = { 0 };
	const struct ontap_svm *svm;
	struct query *q;

	if (!ontap_query(c, kind->shape, QUERY_FIELDS, &q))
		return;
	if (ontap_svms(c, &subject.svms)) {
		svm = ontap_svm_of_get(&subject.svms, call_argument(c, 0), &why);
		if (svm)
			ontap_reply_one(c, q,
				kind->record(&subject, (size_t)(svm - subject.svms.v)), kind->link);
		else
			ontap_refuse(c, &why);
		ontap_svms_free(&subject.svms);
	}
	query_free(q);
}

void ontap_get_svms(struct call *c)
{
	get_all(c, &svms);
}

void ontap_get_svm(struct call *c)
{
	get_one(c, &svms);
}

void ontap_get_services(struct call *c)
{
	get_all(c, &services);
}

void ontap_get_service(struct call *c)
{
	get_one(c, &services);
}

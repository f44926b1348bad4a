/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the SVMs, as records. */
#include "mgmt/ontap_row.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mgmt/native_json.h"
#include "mgmt/ontap_address.h"

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
const struct query_shape ontap_row_shape = { leaves, sizeof(leaves) / sizeof(leaves[0]), 2 };
// clang-format on

const struct credential_spec ontap_row_new = {
	.scope = CREDENTIAL_OF_SVM,
	.type = CREDENTIAL_NONE,
	.in_user = "",
	.out_user = "",
	.source_text = "",
};

bool ontap_row_is_default(const char *initiator)
{
	return !strcasecmp(initiator, CREDENTIAL_DEFAULT);
}

const struct credential_spec *ontap_row_find(const struct registry *r, const struct ontap_svm *svm,
	const char *initiator, struct credential_spec *fallback)
{
	const struct credential *row =
		table_find(registry_credentials(r), CREDENTIAL_OF_SVM, svm->name, initiator);

	*fallback = ontap_row_new;
	fallback->scope_name = svm->name;
	fallback->initiator = CREDENTIAL_DEFAULT;
	if (row)
		return &row->spec;
	return ontap_row_is_default(initiator) ? fallback : NULL;
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

json_t *ontap_row_json(const struct ontap_svm *svm, const struct credential_spec *row)
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
bool ontap_row_link(json_t *record)
{
	const json_t *svm = json_object_get(record, "svm");
	const char *uuid = json_string_value(json_object_get(svm, "uuid"));
	const char *initiator = json_string_value(json_object_get(record, "initiator"));
	char *name = initiator ? evhttp_encode_uri(initiator) : NULL;
	bool ok = name && ontap_svm_link(record) &&
		  ontap_link(record, ONTAP_ROW_PATH "/%s/%s", uuid ? uuid : "", name);

	free(name);
	return ok;
}

/* --- rows to choose from --------------------------------------------------------------------- */

struct ontap_row {
	const struct credential_spec *spec;
	const struct ontap_svm *svm;
	char *place; /* initiator and SVM; NULL: there is but one SVM */
};

static const char *rows_key(void *arg, size_t i)
{
	const struct ontap_rows *rows = arg;

	return rows->v[i].spec->initiator;
}

static const char *rows_place(void *arg, size_t i)
{
	const struct ontap_rows *rows = arg;

	return rows->v[i].place;
}

static json_t *rows_record(void *arg, size_t i)
{
	const struct ontap_rows *rows = arg;

	return ontap_row_json(rows->v[i].svm, rows->v[i].spec);
}

static const char *place_of(const struct ontap_row *row)
{
	return row->place ? row->place : row->spec->initiator;
}

static int by_place(const void *a, const void *b)
{
	return strcmp(place_of(a), place_of(b));
}

/* There is room. A tab is less than all that names are made of. */
static void add_row(
	struct ontap_rows *rows, const struct ontap_svm *svm, const struct credential_spec *spec)
{
	struct ontap_row *row = &rows->v[rows->n];

	*row = (struct ontap_row){ .spec = spec, .svm = svm };
	if (rows->svms->n > 1 && asprintf(&row->place, "%s\t%s", spec->initiator, svm->name) < 0) {
		rows->failed = true;
		return;
	}
	rows->n++;
}

static bool make_room(struct ontap_rows *rows, size_t more)
{
	struct ontap_row *grown = reallocarray(rows->v, rows->n + more, sizeof(*grown));

	if (grown)
		rows->v = grown;
	rows->failed |= !grown;
	return grown;
}

static void add_all(struct ontap_rows *rows, const struct registry *r, size_t i)
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
	dflt = ontap_row_find(r, svm, CREDENTIAL_DEFAULT, &rows->fallbacks[i]);
	if (dflt == &rows->fallbacks[i])
		add_row(rows, svm, dflt);
}

/* One initiator's alone, as the query asks for no other: found without going through the rest. */
static void add_one(
	struct ontap_rows *rows, const struct registry *r, size_t i, const char *initiator)
{
	const struct credential_spec *row =
		ontap_row_find(r, &rows->svms->v[i], initiator, &rows->fallbacks[i]);

	if (row && make_room(rows, 1))
		add_row(rows, &rows->svms->v[i], row);
}

void ontap_rows_free(struct ontap_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->v[i].place);
	for (size_t i = 0; rows->stored && i < rows->svms->n; i++)
		registry_rows_end(&rows->stored[i]);
	free(rows->v);
	free(rows->stored);
	free(rows->fallbacks);
}

bool ontap_rows_gather(struct ontap_rows *rows, const struct registry *r,
	const struct ontap_svms *svms, const struct query *q, struct query_source *out)
{
	const char *initiator = query_exactly(q, "initiator");
	size_t n = svms->n;

	*rows = (struct ontap_rows){ .svms = svms };
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

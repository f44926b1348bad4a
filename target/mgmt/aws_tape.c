/* SPDX-License-Identifier: BSD-2-Clause */
/* Cartridges, in the library and in the archive: what there is. */
#include "mgmt/aws_tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_vtl.h"
#include "mgmt/native_json.h"

#define DEFAULT_POOL "GLACIER"

/* --- what is meant -------------------------------------------------------------------------- */

const char *aws_library(const struct aws_request *q)
{
	const struct config *cfg = registry_config(q->registry);
	const char *name = aws_gateway(q)->library;

	if (name)
		return name;
	return cfg->n_libraries ? cfg->libraries[0].name : NULL;
}

bool aws_is_tape_gateway(struct aws_request *q)
{
	if (!aws_is_gateway(q))
		return false;
	if (aws_library(q))
		return true;
	aws_refuse(q, AWS_WRONG_GATEWAY_TYPE);
	return false;
}

const char *aws_pool_of_request(const struct aws_request *q)
{
	const char *pool = aws_member_text(q, "PoolId");

	if (!pool || !strcmp(pool, DEFAULT_POOL))
		return DEFAULT_POOL;
	return strcmp(pool, "DEEP_ARCHIVE") ? NULL : "DEEP_ARCHIVE";
}

/* --- states --------------------------------------------------------------------------------- */

static bool is(const struct registry_tape *t, const char *state)
{
	return !strcmp(t->state, state);
}

static bool in_library(const struct registry_tape *t)
{
	return !is(t, "ARCHIVED");
}

/* One that was retrieved stays listed. */
static bool in_archive(const struct registry_tape *t)
{
	return is(t, "ARCHIVED") || *t->retrieved_to;
}

static const char *status(const struct registry_tape *t)
{
	return t->in_transit ? "IN TRANSIT TO VTS" : t->state;
}

/* --- one cartridge -------------------------------------------------------------------------- */

static struct object identity(const struct aws_request *q, const struct registry_tape *t)
{
	struct object o = object_begin();

	object_put(&o, "TapeARN", json_string(aws_tape_arn(aws_gateway(q), t->barcode).text));
	object_put(&o, "TapeBarcode", json_string(t->barcode));
	object_put(&o, "TapeSizeInBytes", json_of_number(t->size));
	object_put(&o, "TapeStatus", json_string(status(t)));
	if (*t->pool)
		object_put(&o, "PoolId", json_of_text(t->pool));
	if (t->pool_entered)
		object_put(&o, "PoolEntryDate", json_integer(t->pool_entered));
	return o;
}

static json_t *tape_info(const struct aws_request *q, const struct registry_tape *t)
{
	const struct config_aws *g = aws_gateway(q);
	struct object o = identity(q, t);

	if (in_library(t))
		object_put(&o, "GatewayARN", json_string(aws_gateway_arn(g).text));
	return object_end(&o);
}

static struct object details(const struct aws_request *q, const struct registry_tape *t)
{
	struct object o = identity(q, t);

	object_put(&o, "TapeCreatedDate", json_integer(t->created));
	object_put(&o, "TapeUsedInBytes", json_of_number(t->used));
	object_put(&o, "Worm", json_boolean(t->worm));
	return o;
}

static json_t *tape(const struct aws_request *q, const struct registry_tape *t)
{
	struct object o = details(q, t);

	if (t->place.kind == REGISTRY_IN_DRIVE)
		object_put(&o, "VTLDevice",
			json_string(aws_drive_arn(aws_gateway(q), t->place.number).text));
	if (is(t, "ARCHIVING"))
		object_put(&o, "Progress", json_real(t->progress));
	return object_end(&o);
}

static json_t *tape_archive(const struct aws_request *q, const struct registry_tape *t)
{
	struct object o = details(q, t);

	if (t->archived)
		object_put(&o, "CompletionTime", json_integer(t->archived));
	if (*t->retrieved_to)
		object_put(&o, "RetrievedTo", json_of_text(t->retrieved_to));
	return object_end(&o);
}

/* --- lists ---------------------------------------------------------------------------------- */

struct listing {
	const struct aws_request *q;
	bool (*shown)(const struct registry_tape *t);
	json_t *(*row)(const struct aws_request *q, const struct registry_tape *t);
	json_t *list;
	bool failed;
};

static void add(void *arg, const struct registry_tape *t)
{
	struct listing *l = arg;

	if (l->shown && !l->shown(t))
		return;
	if (json_array_append_new(l->list, l->row(l->q, t)))
		l->failed = true;
}

/* Those of the list that the request names, where it names any. False: one is not there, or no
 * memory, and the request has been answered. */
static bool pick(struct aws_request *q, json_t **list)
{
	const json_t *arns = aws_member(q, "TapeARNs");
	json_t *wanted, *picked;
	enum aws_code code = AWS_OK;

	if (!json_array_size(arns))
		return true;
	wanted = json_object();
	picked = json_array();
	for (size_t i = 0; i < json_array_size(arns); i++)
		if (json_object_set_new(
			    wanted, json_string_value(json_array_get(arns, i)), json_true()))
			code = AWS_SERVICE_UNAVAILABLE;
	for (size_t i = 0; i < json_array_size(*list); i++) {
		json_t *row = json_array_get(*list, i);
		const char *arn = json_string_value(json_object_get(row, "TapeARN"));

		if (json_object_get(wanted, arn) && json_array_append(picked, row))
			code = AWS_SERVICE_UNAVAILABLE;
	}
	if (!code && json_array_size(picked) < json_object_size(wanted))
		code = AWS_NO_TAPE;
	json_decref(wanted);
	json_decref(*list);
	*list = picked;
	if (code)
		aws_refuse(q, code);
	return !code;
}

static void reply_list(struct aws_request *q, struct listing *l, const char *member)
{
	const char *next = NULL;
	json_t *page;

	l->q = q;
	l->list = json_array();
	registry_tapes(q->registry, aws_library(q), add, l);
	if (!l->failed && !pick(q, &l->list)) {
		json_decref(l->list);
		return;
	}
	page = l->failed ? NULL : aws_page(q, l->list, "TapeARN", &next);
	aws_reply(q, json_pack("{s:o, s:s*}", member, page, "Marker", next));
	json_decref(l->list);
}

void aws_describe_tapes(struct aws_request *q)
{
	if (aws_is_tape_gateway(q))
		reply_list(q, &(struct listing){ .shown = in_library, .row = tape }, "Tapes");
}

static void reply_without_library(struct aws_request *q, const char *member)
{
	if (json_array_size(aws_member(q, "TapeARNs")))
		aws_refuse(q, AWS_NO_TAPE);
	else
		aws_reply(q, json_pack("{s:[]}", member));
}

void aws_list_tapes(struct aws_request *q)
{
	if (aws_library(q))
		reply_list(q, &(struct listing){ .row = tape_info }, "TapeInfos");
	else
		reply_without_library(q, "TapeInfos");
}

void aws_describe_tape_archives(struct aws_request *q)
{
	if (aws_library(q))
		reply_list(q, &(struct listing){ .shown = in_archive, .row = tape_archive },
			"TapeArchives");
	else
		reply_without_library(q, "TapeArchives");
}

/* Only the service's own failures leave such tapes behind. */
void aws_describe_tape_recovery_points(struct aws_request *q)
{
	if (aws_is_tape_gateway(q))
		aws_reply(q, json_pack("{s:s, s:[]}", "GatewayARN",
				     aws_member_text(q, "GatewayARN"), "TapeRecoveryPointInfos"));
}

void aws_retrieve_tape_recovery_point(struct aws_request *q)
{
	if (aws_is_tape_gateway(q))
		aws_refuse(q, AWS_NO_TAPE);
}

/* Of pools there are those of the service, which it does not list. */
void aws_list_tape_pools(struct aws_request *q)
{
	if (json_array_size(aws_member(q, "PoolARNs")))
		aws_refuse(q, AWS_INVALID_PARAMETERS);
	else
		aws_reply(q, json_pack("{s:[]}", "PoolInfos"));
}

/* --- the one that a request names ----------------------------------------------------------- */

struct search {
	const char *library;
	enum aws_tape_where where;
	struct aws_tape_named *out;
	bool found;
};

static void take(void *arg, const struct registry_tape *t)
{
	struct search *s = arg;
	bool archived = is(t, "ARCHIVED");

	if (!s->library || strcmp(t->library, s->library) != 0 ||
		(s->where == AWS_TAPE_IN_LIBRARY && archived) ||
		(s->where == AWS_TAPE_IN_ARCHIVE && !in_archive(t)))
		return;
	s->found = true;
	*s->out = (struct aws_tape_named){
		.in_transit = t->in_transit,
		.in_drive = t->place.kind == REGISTRY_IN_DRIVE,
		.retrieved = *t->retrieved_to,
	};
	snprintf(s->out->barcode, sizeof(s->out->barcode), "%s", t->barcode);
	snprintf(s->out->state, sizeof(s->out->state), "%s", t->state);
	snprintf(s->out->pool, sizeof(s->out->pool), "%s", t->pool);
}

bool aws_tape_of_request(
	struct aws_request *q, enum aws_tape_where where, struct aws_tape_named *out)
{
	struct search s = { .library = aws_library(q), .where = where, .out = out };
	const char *barcode;
	enum aws_code code = aws_arn_tape(aws_gateway(q), aws_member_text(q, "TapeARN"), &barcode);

	if (!code)
		registry_tape(q->registry, barcode, take, &s);
	if (s.found)
		return true;
	aws_refuse(q, code ? code : AWS_NO_TAPE);
	return false;
}

bool aws_tape_by_arn(const struct aws_request *q, const char *arn)
{
	struct aws_tape_named ignored;
	struct search s = { .library = aws_library(q), .out = &ignored };
	const char *barcode;

	if (!aws_arn_tape(aws_gateway(q), arn, &barcode))
		registry_tape(q->registry, barcode, take, &s);
	return s.found;
}

/* --- refusals ------------------------------------------------------------------------------- */

static enum aws_code code_of(enum registry_tape_result result)
{
	switch (result) {
	case TAPE_NOT_FOUND:
	case TAPE_NOT_ARCHIVED: return AWS_NO_TAPE;
	case TAPE_NO_ROOM: return AWS_TOO_MANY_TAPES;
	case TAPE_NO_SPACE: return AWS_NO_ROOM;
	case TAPE_FAILED: return AWS_GATEWAY_ERROR;
	case TAPE_NO_MEMORY:
	case TAPE_STOPPING: return AWS_SERVICE_UNAVAILABLE;
	default: return AWS_INVALID_PARAMETERS;
	}
}

void aws_refuse_tape(struct aws_request *q, const struct registry_tape_outcome *o)
{
	enum aws_code code = code_of(o->result);

	if (code == AWS_INVALID_PARAMETERS)
		aws_refuse_with(q, code, o->text);
	else
		aws_refuse_because(q, code, o->text);
}

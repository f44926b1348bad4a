/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tags. They are kept under the ARN that we would give a resource ourselves, whatever way a request
 * names it.
 */
#include "mgmt/aws_tag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mgmt/aws_arn.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_tape.h"
#include "mgmt/aws_volume.h"

#define TAGS_MAX 50 /* of one resource */

/* What is done in the catalog for one request. */
struct tagging {
	struct catalog_request request;
	struct aws_request *q;
	struct aws_arn resource;
	char *who;
	json_t *tags; /* those that the resource has now */
	bool too_many;
	void (*then)(struct aws_request *q, json_t *tags);
};

static void tagging_free(struct tagging *t)
{
	json_decref(t->tags);
	free(t->who);
	free(t);
}

/* On the catalog's thread. */
static int gather(const char *resource, const char *key, const char *value, void *arg)
{
	struct tagging *t = arg;

	(void)resource;
	return json_array_append_new(t->tags, json_pack("{s:s, s:s}", "Key", key, "Value", value))
		       ? -ENOMEM
		       : 0;
}

static int load(struct tagging *t, struct catalog_tx *tx)
{
	json_array_clear(t->tags);
	return catalog_tag_load(tx, t->resource.text, gather, t);
}

static int run_load(struct catalog_request *r, struct catalog_tx *tx)
{
	return load(container_of(r, struct tagging, request), tx);
}

static int note(const struct tagging *t, struct catalog_tx *tx, const char *what)
{
	const struct catalog_audit audit = {
		.who = t->who,
		.what = what,
		.object = t->resource.text,
		.result = "done",
	};

	return catalog_audit_add(tx, &audit);
}

int aws_tags_put(const struct aws_request *q, struct catalog_tx *tx, const char *resource)
{
	const json_t *tags = json_object_get(q->body, "Tags");
	int err = 0;

	for (size_t i = 0; !err && i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);

		err = catalog_tag_put(tx, resource, json_string_value(json_object_get(tag, "Key")),
			json_string_value(json_object_get(tag, "Value")));
	}
	return err;
}

static int run_add(struct catalog_request *r, struct catalog_tx *tx)
{
	struct tagging *t = container_of(r, struct tagging, request);
	int err = aws_tags_put(t->q, tx, t->resource.text);

	t->too_many = false;
	if (!err)
		err = load(t, tx);
	if (!err && json_array_size(t->tags) > TAGS_MAX) {
		t->too_many = true;
		return -E2BIG;
	}
	return err ? err : note(t, tx, "add tags");
}

static int run_remove(struct catalog_request *r, struct catalog_tx *tx)
{
	struct tagging *t = container_of(r, struct tagging, request);
	const json_t *keys = json_object_get(t->q->body, "TagKeys");
	int err = 0;

	for (size_t i = 0; !err && i < json_array_size(keys); i++)
		err = catalog_tag_remove(
			tx, t->resource.text, json_string_value(json_array_get(keys, i)));
	return err ? err : note(t, tx, "remove tags");
}

static void blame_number(struct aws_request *q)
{
	aws_blame(q, "a resource has at most %d tags", TAGS_MAX);
}

static void on_done(struct catalog_request *r)
{
	struct tagging *t = container_of(r, struct tagging, request);
	struct aws_request *q = t->q;
	json_t *tags = json_incref(t->tags);

	if (!r->err) {
		t->then(q, tags);
	} else {
		json_decref(tags);
		if (t->too_many)
			blame_number(q);
		else
			log_msg(LOG_ERR, "management: tags: %s",
				*r->why.text ? r->why.text : strerror(-r->err));
		aws_refuse(q, t->too_many ? AWS_INVALID_PARAMETERS : AWS_INTERNAL_ERROR);
	}
	tagging_free(t);
}

static void submit(struct aws_request *q, const char *resource,
	int (*run)(struct catalog_request *r, struct catalog_tx *tx),
	void (*then)(struct aws_request *q, json_t *tags))
{
	struct catalog *catalog = registry_catalog(q->registry);
	struct tagging *t = calloc(1, sizeof(*t));

	if (t) {
		t->who = strdup(call_who(q->call));
		t->tags = json_array();
	}
	if (!t || !t->who || !t->tags || !catalog) {
		if (t)
			tagging_free(t);
		aws_refuse(q, AWS_SERVICE_UNAVAILABLE);
		return;
	}
	t->q = q;
	t->then = then;
	strcpy(t->resource.text, resource);
	t->request = (struct catalog_request){ .run = run, .done = on_done, .home = q->aws->loop };
	catalog_submit(catalog, &t->request);
}

void aws_tags_load(struct aws_request *q, const char *resource,
	void (*then)(struct aws_request *q, json_t *tags))
{
	submit(q, resource, run_load, then);
}

/* --- operations ------------------------------------------------------------------------------ */

/* What the request's ResourceARN names. False: the request has been answered. */
static bool find_resource(struct aws_request *q, struct aws_arn *out)
{
	const char *arn = aws_member_text(q, "ResourceARN");
	enum aws_code code = aws_arn_is_gateway(aws_gateway(q), arn);
	const struct aws_volume *v;
	struct aws_volumes vs;

	*out = aws_gateway_arn(aws_gateway(q));
	if (!code)
		return true;
	if (aws_tape_by_arn(q, arn)) {
		snprintf(out->text, sizeof(out->text), "%s", arn);
		return true;
	}
	if (!strstr(arn, "/volume/")) {
		aws_refuse(q, code);
		return false;
	}
	vs = aws_volumes_begin(q);
	v = vs.failed ? NULL : aws_volume_find(q, &vs, arn, &code);
	if (v)
		*out = aws_volume_arn(aws_gateway(q), v->id);
	else
		aws_refuse(q, vs.failed ? AWS_SERVICE_UNAVAILABLE : code);
	aws_volumes_end(&vs);
	return v;
}

static void reply_resource(struct aws_request *q, json_t *tags)
{
	json_decref(tags);
	aws_reply(q, json_pack("{s:s}", "ResourceARN", aws_member_text(q, "ResourceARN")));
}

/* Keys that begin so belong to the service. */
static bool has_reserved_key(struct aws_request *q)
{
	const json_t *tags = aws_member(q, "Tags");

	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);
		const char *key = json_string_value(json_object_get(tag, "Key"));

		if (!strncmp(key, "aws:", 4)) {
			aws_blame(q, "the key of a tag begins with aws:, which is the service's");
			return true;
		}
	}
	return false;
}

bool aws_tags_allowed(struct aws_request *q)
{
	if (json_array_size(aws_member(q, "Tags")) <= TAGS_MAX)
		return !has_reserved_key(q);
	blame_number(q);
	return false;
}

void aws_add_tags(struct aws_request *q)
{
	struct aws_arn resource;

	if (!find_resource(q, &resource))
		return;
	if (has_reserved_key(q))
		aws_refuse(q, AWS_INVALID_PARAMETERS);
	else
		submit(q, resource.text, run_add, reply_resource);
}

void aws_remove_tags(struct aws_request *q)
{
	struct aws_arn resource;

	if (find_resource(q, &resource))
		submit(q, resource.text, run_remove, reply_resource);
}

static void reply_list(struct aws_request *q, json_t *tags)
{
	const char *next = NULL;
	json_t *page = aws_page(q, tags, "Key", &next);

	aws_reply(q, json_pack("{s:s, s:o, s:s*}", "ResourceARN", aws_member_text(q, "ResourceARN"),
			     "Tags", page, "Marker", next));
	json_decref(tags);
}

void aws_list_tags(struct aws_request *q)
{
	struct aws_arn resource;

	if (find_resource(q, &resource))
		submit(q, resource.text, run_load, reply_list);
}
